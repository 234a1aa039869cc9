/* The declarations, calls and comments that import. */
#include "js.h"

/* Flags of what stands here, by how the file is made. */
static uint8_t base_flags(const struct js *s)
{
	return s->dialect & SCAN_DECLARATION ? IMPORT_TYPE : 0;
}

/* Adds the import whose literal stands at text, quotes included; false if it names nothing. */
static bool add(struct js *s, const char *text, const char *end, struct import import)
{
	AUTO_BUF struct buf spec = {0};

	if (!literal_decode(&spec, text + 1, (size_t)(end - text) - 2))
		return false;
	import.flags |= base_flags(s);
	import.spec = import_text(s->out, spec.text ? spec.text : "", spec.length);
	import_add(s->out, &s->place, text, import);
	return true;
}

/* Behind the whole string at p, or NULL if there is none. */
static const char *literal_end(const struct js *s, const char *p)
{
	const char *end;

	if (!js_is(*p, JS_QUOTE))
		return NULL;
	end = js_string_end(s, p);
	return end - p >= 2 && end[-1] == *p ? end : NULL;
}

/* The same; a template without substitutions does as well. */
static const char *argument_end(const struct js *s, const char *p)
{
	if (*p != '`')
		return literal_end(s, p);
	for (p++; p < s->end && *p != '`'; p++) {
		if (*p == '\\')
			p++;
		else if (*p == '$' && p[1] == '{')
			return NULL;
	}
	return p < s->end ? p + 1 : NULL;
}

/* Behind a word, or a string that stands for a name; NULL if there is neither. */
static const char *name_end(const struct js *s, const char *p)
{
	const char *end = js_word_end(p);

	return end > p && !js_is(*p, JS_DIGIT) ? end : literal_end(s, p);
}

/* One of the braces' "a", "type a", "a as b", "type a as b"; whether it is for types alone. */
static const char *specifier(const struct js *s, const char *p, bool *type)
{
	unsigned words = 0;
	bool marked = false;

	for (const char *end; words < 4 && (end = name_end(s, p)); words++) {
		marked |= words == 0 && js_word_is(p, end, "type");
		p = js_skip(s, end);
	}
	*type = marked && (words == 2 || words == 4);
	return words ? p : NULL;
}

/* Behind the braces at p; *types if they hold something and all of it is for types. */
static const char *specifiers(const struct js *s, const char *p, bool *types)
{
	unsigned all = 0, marked = 0;

	for (p = js_skip(s, p + 1); p && *p != '}'; all++) {
		bool type;

		p = specifier(s, p, &type);
		if (!p || (*p != ',' && *p != '}'))
			return NULL;
		marked += type;
		if (*p == ',')
			p = js_skip(s, p + 1);
	}
	*types = all && all == marked;
	return p + 1;
}

/* "* as x" or "*" at p. */
static const char *star(const struct js *s, const char *p)
{
	const char *word = js_skip(s, p + 1), *end = js_word_end(word);

	return js_word_is(word, end, "as") ? name_end(s, js_skip(s, end)) : word;
}

/* Behind what stands between the word and "from"; NULL if that is something else. */
static const char *bindings(const struct js *s, const char *p, bool *types)
{
	if (*p == '*')
		return star(s, p);
	return *p == '{' ? specifiers(s, p, types) : NULL;
}

/* 'from "x"' at p: adds the import and moves on behind it. */
static bool from(struct js *s, const char *p, struct import import)
{
	const char *word = js_skip(s, p), *end = js_word_end(word), *text;

	if (!js_word_is(word, end, "from"))
		return false;
	text = js_skip(s, end);
	end = literal_end(s, text);
	if (!end || !add(s, text, end, import))
		return false;
	s->p = end;
	return true;
}

/* 'require("x")' at p, behind "import x =". */
static bool assigned(struct js *s, const char *p, struct import import)
{
	const char *end = js_word_end(p), *text;

	if (!js_word_is(p, end, "require") || *(p = js_skip(s, end)) != '(')
		return false;
	text = js_skip(s, p + 1);
	end = literal_end(s, text);
	import.form = IMPORT_REQUIRE;
	if (!end || !add(s, text, end, import))
		return false;
	s->p = end;
	js_push(s, JS_PAREN); /* its end is still to come */
	return true;
}

/* Whether "type", "defer" and the like at p change the import, rather than being what it names. */
static bool is_modifier(const struct js *s, const char *word, const char *end)
{
	static const char *const modifiers[] = {"type", "typeof", "defer", "source"};
	const char *next = js_skip(s, end), *next_end = js_word_end(next);
	bool known = false;

	for (size_t i = 0; i < countof(modifiers); i++)
		known |= js_word_is(word, end, modifiers[i]);
	if (!known || *next == ',' || *next == '=')
		return false;
	return !js_word_is(next, next_end, "from") || !js_is(*js_skip(s, next_end), JS_QUOTE);
}

/* What stands between "import" and "from", or a whole "x = require()". */
static bool clause(struct js *s, const char *p, struct import import)
{
	const char *end = js_word_end(p);
	bool types = false, named;

	if (end > p && is_modifier(s, p, end)) {
		if (js_word_is(p, end, "type") || js_word_is(p, end, "typeof"))
			import.flags |= IMPORT_TYPE;
		p = js_skip(s, end);
		end = js_word_end(p);
	}
	named = end > p;
	p = js_skip(s, end);
	if (named && *p == '=')
		return assigned(s, js_skip(s, p + 1), import);
	if (named && *p == ',')
		p = js_skip(s, p + 1);
	else if (named)
		return from(s, p, import);
	end = bindings(s, p, &types);
	if (!named && types)
		import.flags |= IMPORT_TYPE;
	return end && from(s, end, import);
}

/* Whether import("x"), whose parentheses end at p, is a type: by what stands around it. */
static bool is_type(const struct js *s, const char *p)
{
	const char *next = js_skip(s, p), *end;

	if (!(s->dialect & SCAN_TYPES))
		return false;
	if (s->word == WORD_TYPE || s->word == WORD_TYPEOF || memchr("|&<", s->token, 3))
		return true;
	if (s->token == ':' && js_top(s)->kind != JS_OBJECT)
		return true;
	if (*next == '[' || *next == '<')
		return true;
	if (*next != '.')
		return false;
	next = js_skip(s, next + 1);
	end = js_word_end(next);
	return !js_word_is(next, end, "then") && !js_word_is(next, end, "catch") &&
		!js_word_is(next, end, "finally");
}

/* Behind the call whose first argument, a literal, ends at p; NULL if the argument goes on. */
static const char *call_end(const struct js *s, const char *p)
{
	p = js_skip(s, p);
	if (*p == ')')
		return p + 1;
	return *p == ',' ? p : NULL;
}

/* Whether the parentheses at p are the head of a method that is named import or require. */
static bool is_method(const struct js *s, const char *p)
{
	if (s->before == JS_OPERATOR && s->token != '{' && s->token != ',')
		return false;
	p = js_parens_end(s, p);
	p = p ? js_skip(s, p) : NULL;
	return p && (*p == '{' || *p == ':');
}

static void add_computed(struct js *s, const char *at, struct import import)
{
	import.flags |= IMPORT_COMPUTED;
	import.spec = "";
	import_add(s->out, &s->place, at, import);
}

/* A call with its parenthesis at p: nothing is moved, the arguments are scanned as code. */
static void call(struct js *s, const char *p, struct import import)
{
	const char *text = js_skip(s, p + 1), *end = argument_end(s, text), *behind;

	behind = end ? call_end(s, end) : NULL;
	if (!behind) {
		if ((s->before == JS_OPERATOR || s->before == JS_START) && *text != ')' &&
			!is_method(s, p))
			add_computed(s, text, import);
		return;
	}
	if (import.form == IMPORT_CALL && is_type(s, behind))
		import.flags = IMPORT_TYPE;
	add(s, text, end, import);
}

bool js_import(struct js *s)
{
	struct import import = {.form = IMPORT_STATEMENT};
	const char *p = js_skip(s, s->p), *end;

	if (*p == '.') { /* import.meta, or the phase of a call */
		end = js_word_end(js_skip(s, p + 1));
		p = js_skip(s, end);
	}
	if (*p == '(') {
		import.form = IMPORT_CALL;
		import.flags = IMPORT_LAZY;
		call(s, p, import);
		return false;
	}
	end = literal_end(s, p);
	if (end && add(s, p, end, import)) {
		s->p = end;
		return true;
	}
	return !end && clause(s, p, import);
}

bool js_export(struct js *s)
{
	struct import import = {.form = IMPORT_EXPORT};
	const char *p = js_skip(s, s->p), *end = js_word_end(p);
	bool types = false;

	if (js_word_is(p, end, "type")) {
		import.flags = IMPORT_TYPE;
		p = js_skip(s, end);
	}
	end = bindings(s, p, &types);
	import.flags |= types ? IMPORT_TYPE : 0;
	return end && from(s, end, import);
}

void js_require(struct js *s)
{
	struct import import = {.form = IMPORT_REQUIRE};
	const char *p = js_skip(s, s->p), *end;

	if (s->functions || s->arrow)
		import.flags = IMPORT_LAZY;
	if (p[0] == '?' && p[1] == '.')
		p = js_skip(s, p + 2);
	if (*p == '.') {
		p = js_skip(s, p + 1);
		end = js_word_end(p);
		if (!js_word_is(p, end, "resolve"))
			return;
		import.form = IMPORT_RESOLVE;
		p = js_skip(s, end);
	}
	if (*p == '(')
		call(s, p, import);
}

/* The value of the tag's attribute, or NULL; its end to *end. */
static const char *attribute(
	const char *p, const char *line_end, const char *name, const char **end)
{
	size_t n = strlen(name);

	for (; p + n < line_end; p++) {
		const char *q = p + n;

		if (!js_is(p[-1], JS_BLANK) || strncasecmp(p, name, n) != 0)
			continue;
		q += strspn(q, " \t");
		if (*q++ != '=')
			continue;
		q += strspn(q, " \t");
		if (!js_is(*q, JS_QUOTE))
			continue;
		*end = memchr(q + 1, *q, (size_t)(line_end - q - 1));
		if (*end)
			return q;
	}
	return NULL;
}

/* One comment line: /// <reference path="x" /> */
static void reference(struct js *s, const char *p, const char *line_end)
{
	static const struct {
		const char *name;
		uint8_t form;
	} kinds[] = {{"path", IMPORT_PATH}, {"types", IMPORT_TYPES}};
	const char *text, *end;

	if (p[2] != '/')
		return;
	p += 3 + strspn(p + 3, " \t");
	if (strncmp(p, "<reference", 10) != 0 || !js_is(p[10], JS_BLANK))
		return;
	if (!memmem(p, (size_t)(line_end - p), "/>", 2))
		return;
	for (size_t i = 0; i < countof(kinds); i++) {
		text = attribute(p + 11, line_end, kinds[i].name, &end);
		if (!text)
			continue;
		add(s, text, end + 1,
			(struct import){.form = kinds[i].form, .flags = IMPORT_TYPE});
		return;
	}
}

void js_references(struct js *s, const char *p)
{
	for (;;) {
		const char *line_end;

		while (js_is(*p, JS_BLANK) || *p == '\n' || *p == '\r')
			p++;
		if (p[0] == '/' && p[1] == '*') {
			p = js_comment_end(s, p);
			continue;
		}
		if (p[0] != '/' || p[1] != '/')
			return;
		line_end = js_line_end(s, p);
		reference(s, p, line_end);
		p = line_end;
	}
}
