/* The two statements that import, the calls that do, and the blocks they stand in. */
#include "py.h"

static void add(struct py *s, const char *at, struct import import)
{
	import.flags |= py_flags(s);
	import_add(s->out, &s->place, at, import);
}

/*
 * A dotted name at p, blanks allowed around its dots. Its text goes to name; the place
 * behind it is returned, NULL if there is none.
 */
static const char *dotted(const struct py *s, const char *p, bool in_brackets, struct buf *name)
{
	for (;;) {
		const char *end = py_word_end(p), *next;

		if (!py_is(*p, PY_WORD))
			return NULL;
		buf_add(name, p, (size_t)(end - p));
		next = py_skip(s, end, in_brackets);
		if (*next != '.')
			return end;
		buf_char(name, '.');
		p = py_skip(s, next + 1, in_brackets);
	}
}

/* Behind "as name" if it is at p; the name to as. */
static const char *alias(const struct py *s, const char *p, bool in_brackets, struct buf *as)
{
	const char *word = py_skip(s, p, in_brackets), *end = py_word_end(word);

	if (!py_word_is(word, end, "as"))
		return p;
	word = py_skip(s, end, in_brackets);
	end = py_word_end(word);
	buf_add(as, word, (size_t)(end - word));
	return end;
}

void py_import(struct py *s)
{
	struct import import = {.form = IMPORT_STATEMENT};

	for (;;) {
		AUTO_BUF struct buf name = {0}, as = {0};
		const char *at = py_skip(s, s->p, false), *end = dotted(s, at, false, &name);

		if (!end)
			return;
		import.spec = import_text(s->out, name.text, name.length);
		add(s, at, import);
		s->p = alias(s, end, false, &as);
		end = py_skip(s, s->p, false);
		if (*end != ',')
			return;
		s->p = end + 1;
	}
}

static void add_name(struct py *s, const char *at, const char *end, struct import from)
{
	from.name = import_text(s->out, at, (size_t)(end - at));
	add(s, at, from);
}

/* The names behind "from module import". */
static void names(struct py *s, const char *p, struct import from)
{
	bool in_brackets = *p == '(';

	s->depth += in_brackets; /* until it is closed */
	p += in_brackets;
	for (;;) {
		AUTO_BUF struct buf as = {0};
		const char *at = py_skip(s, p, in_brackets), *end = py_word_end(at);

		s->p = at;
		if (end == at)
			break;
		add_name(s, at, end, from);
		s->p = alias(s, end, in_brackets, &as);
		if (as.length && py_word_is(at, end, "TYPE_CHECKING"))
			s->checking = import_text(s->out, as.text, as.length);
		p = py_skip(s, s->p, in_brackets);
		if (*p != ',')
			break;
		s->p = ++p;
	}
}

void py_from(struct py *s)
{
	AUTO_BUF struct buf name = {0};
	struct import from = {.form = IMPORT_FROM};
	const char *p = py_skip(s, s->p, false), *end;

	for (; *p == '.'; p = py_skip(s, p + 1, false))
		from.level = (uint16_t)MIN(from.level + 1, UINT16_MAX);
	end = py_word_end(p);
	if (!py_word_is(p, end, "import") || !from.level) {
		p = dotted(s, p, false, &name);
		if (!p)
			return;
		p = py_skip(s, p, false);
		end = py_word_end(p);
	}
	if (!py_word_is(p, end, "import"))
		return;
	from.spec = import_text(s->out, name.text ? name.text : "", name.length);
	s->p = p = py_skip(s, end, false);
	if (*p == '*')
		add_name(s, p, p + 1, from);
	else
		names(s, p, from);
}

/* Behind the literal whose quote is at p, its text added to out; NULL if it is not closed. */
static const char *literal(const struct py *s, const char *p, bool raw, struct buf *out)
{
	const char *end = py_string_end(s, p);
	size_t quotes = p[1] == *p && p[2] == *p ? 3 : 1, n = (size_t)(end - p);

	if (n < 2 * quotes || n > SPEC_MAX || end[-1] != *p)
		return NULL;
	p += quotes;
	n -= 2 * quotes;
	if (raw)
		buf_add(out, p, n);
	else if (!literal_decode(out, p, n))
		return NULL;
	return end;
}

/*
 * A string literal, or several in a row, that make up an argument at p: behind it, with its
 * text in out; NULL if the argument is something else.
 */
static const char *argument(const struct py *s, const char *p, struct buf *out)
{
	const char *first = p;

	for (;;) {
		const char *end = py_word_end(p);
		bool raw = py_word_is(p, end, "r") || py_word_is(p, end, "R");

		if (end > p && !raw && !py_word_is(p, end, "u") && !py_word_is(p, end, "U"))
			return NULL;
		if (!py_is(*end, PY_QUOTE))
			return p > first && p == end && (*p == ',' || *p == ')') ? p : NULL;
		p = literal(s, end, raw, out);
		if (!p)
			return NULL;
		p = py_skip(s, p, true);
	}
}

/* Behind "name =" if it is at p. */
static const char *keyword(const struct py *s, const char *p, const char *name)
{
	const char *end = py_word_end(p), *next;

	if (!py_word_is(p, end, name))
		return p;
	next = py_skip(s, end, true);
	return *next == '=' && next[1] != '=' ? py_skip(s, next + 1, true) : p;
}

/* import_module(".b", "a.c") is a.b: each dot but the first takes a part off the package's name. */
static bool make_absolute(struct buf *package, struct import *import)
{
	for (; import->level > 1; import->level--) {
		char *dot = package->text ? strrchr(package->text, '.') : NULL;

		if (!dot)
			return false;
		*dot = '\0';
		package->length = (size_t)(dot - package->text);
	}
	if (*import->spec)
		buf_format(package, ".%s", import->spec);
	import->level = 0;
	return true;
}

void py_call(struct py *s, const char *p)
{
	AUTO_BUF struct buf text = {0}, package = {0};
	struct import import = {.form = IMPORT_CALL, .flags = IMPORT_COMPUTED, .spec = ""};
	const char *at, *next;
	size_t dots;

	p = py_skip(s, p, s->depth > 0);
	if (*p != '(')
		return;
	at = keyword(s, py_skip(s, p + 1, true), "name");
	next = argument(s, at, &text);
	if (next && text.length) {
		import.flags = 0;
		dots = strspn(text.text, ".");
		import.level = (uint16_t)MIN(dots, UINT16_MAX);
		import.spec = import_text(s->out, text.text + dots, text.length - dots);
	}
	if (import.level && *next == ',') {
		next = keyword(s, py_skip(s, next + 1, true), "package");
		if (argument(s, next, &package) && make_absolute(&package, &import))
			import.spec = import_text(s->out, package.text, package.length);
	}
	add(s, at, import);
}

static void push(struct py *s, struct py_block block)
{
	if (!(block.flags | block.other) || s->blocks == PY_BLOCKS)
		return;
	block.flags |= py_flags(s);
	s->block[s->blocks++] = block;
}

void py_blocks_end(struct py *s)
{
	const char *end = py_word_end(s->p);
	uint8_t other = 0;

	for (; s->blocks && s->block[s->blocks - 1].column >= s->column; s->blocks--)
		if (s->block[s->blocks - 1].column == s->column)
			other = s->block[s->blocks - 1].other;
	if (py_word_is(s->p, end, "else") || py_word_is(s->p, end, "elif"))
		push(s, (struct py_block){.column = s->column, .flags = other});
}

/* Whether the condition at p is TYPE_CHECKING, by whatever name, alone or before "and". */
static bool is_type_checking(const struct py *s, const char *p)
{
	AUTO_BUF struct buf name = {0};
	const char *end, *last;

	if (*p == '(')
		p = py_skip(s, p + 1, true);
	end = dotted(s, p, false, &name);
	if (!end || name.length > SPEC_MAX)
		return false;
	last = strrchr(name.text, '.');
	last = last ? last + 1 : name.text;
	if (strcmp(last, "TYPE_CHECKING") != 0 && !(s->checking && !strcmp(last, s->checking)))
		return false;
	p = py_skip(s, end, false);
	return *p == ':' || *p == ')' || py_word_is(p, py_word_end(p), "and");
}

/* What a condition says about the imports under it, and about those under its else. */
static void condition(const struct py *s, const char *p, struct py_block *block)
{
	const char *end;

	p = py_skip(s, p, false);
	end = py_word_end(p);
	if (py_word_is(p, end, "not")) {
		if (is_type_checking(s, py_skip(s, end, false)))
			block->other = IMPORT_TYPE;
	} else if (is_type_checking(s, p)) {
		block->flags = IMPORT_TYPE;
	}
}

void py_block_word(struct py *s, const char *word, const char *end)
{
	struct py_block block = {.column = s->column};

	if (py_word_is(word, end, "async")) {
		s->fresh = true;
		return;
	}
	if (py_word_is(word, end, "def")) {
		s->defining = true;
		block.flags = IMPORT_LAZY;
	} else if (py_word_is(word, end, "if") || py_word_is(word, end, "elif")) {
		condition(s, end, &block);
	} else if (py_word_is(word, end, "try") || py_word_is(word, end, "except")) {
		block.flags = IMPORT_TRY;
	}
	push(s, block);
}
