/*
 * The loop over ECMAScript's tokens. Only as much of the grammar is kept as
 * decides what the ambiguous signs mean: a stack of what is open, and what
 * stands before the next token. "/" is a regular expression where a statement
 * or an expression must start, and a division behind an operand; "}" ends an
 * operand if its "{" opened a literal.
 */
#include "js.h"

struct js_frame *js_push(struct js *s, enum js_frame_kind kind)
{
	s->frame = mem_grow(s->frame, s->depth, &s->capacity, sizeof *s->frame);
	s->frame[s->depth] = (struct js_frame){.kind = (uint8_t)kind};
	return &s->frame[s->depth++];
}

static void set(struct js *s, enum js_before before, char token)
{
	s->before = before;
	s->token = token;
	s->word = WORD_NONE;
	s->arrow = s->newline = s->async = false;
}

/* The text of a template, up to its end or to the code of its next substitution. */
static void template_text(struct js *s)
{
	const char *p = s->p;

	for (; p < s->end && *p != '`'; p++) {
		if (*p == '\\') {
			p++;
		} else if (*p == '$' && p[1] == '{') {
			s->p = p + 2;
			js_push(s, JS_TEMPLATE);
			s->braces++;
			set(s, JS_OPERATOR, '{');
			return;
		}
	}
	s->p = MIN(p + 1, s->end);
	set(s, JS_OPERAND, '`');
}

/* function or class: whether it is an expression decides what the end of its body is. */
static void body_to_come(struct js *s, enum js_word word)
{
	enum js_before before = s->async ? s->outer : s->before;
	bool expression = before == JS_OPERATOR && s->word != WORD_DEFAULT;

	js_top(s)->pending = expression ? JS_EXPRESSION : JS_DECLARATION;
	set(s, JS_OPERAND, 'a');
	s->word = (uint8_t)word;
}

static void plain_word(struct js *s, enum js_word word, enum js_before after)
{
	enum js_word before = s->word;

	set(s, after, 'a');
	/* "for await (" has the parentheses of a for. */
	s->word = (uint8_t)(word == WORD_AWAIT && before == WORD_CONTROL ? before : word);
}

static void async_word(struct js *s)
{
	enum js_before before = s->before;

	set(s, JS_OPERAND, 'a');
	s->async = true;
	s->outer = (uint8_t)before;
}

static bool in_for(const struct js *s)
{
	return s->frame[s->depth - 1].kind == JS_PAREN && s->frame[s->depth - 1].control;
}

/* A word that means something; p is behind it. */
static void known_word(struct js *s, enum js_word word)
{
	switch (word) {
	case WORD_ASYNC:
		async_word(s);
		break;
	case WORD_BLOCK:
		plain_word(s, word, JS_START);
		break;
	case WORD_CLASS:
	case WORD_FUNCTION:
		body_to_come(s, word);
		break;
	case WORD_INTERFACE:
		js_top(s)->pending = JS_INTERFACE;
		plain_word(s, word, JS_OPERAND);
		break;
	case WORD_IMPORT:
	case WORD_EXPORT:
		if (word == WORD_IMPORT ? js_import(s) : js_export(s))
			set(s, JS_OPERAND, '"');
		else
			plain_word(s, word, word == WORD_EXPORT ? JS_START : JS_OPERAND);
		break;
	case WORD_REQUIRE:
		js_require(s);
		plain_word(s, word, JS_OPERAND);
		break;
	case WORD_OF:
		plain_word(s, word, in_for(s) ? JS_OPERATOR : JS_OPERAND);
		break;
	case WORD_AWAIT:
	case WORD_CONTROL:
	case WORD_DEFAULT:
	case WORD_NEW:
	case WORD_OPERATOR:
	case WORD_TYPEOF:
		plain_word(s, word, JS_OPERATOR);
		break;
	case WORD_NONE:
	case WORD_TYPE:
	default:
		plain_word(s, word, JS_OPERAND);
	}
}

/* Whether the word is "require" written with escapes. */
static bool is_escaped_require(const char *word, size_t n)
{
	AUTO_BUF struct buf text = {0};

	return memchr(word, '\\', n) && literal_decode(&text, word, n) && text.length == 7 &&
		memcmp(text.text, "require", 7) == 0;
}

static void word(struct js *s)
{
	const char *start = s->p, *end = start + 1;
	enum js_word known;

	while (js_is(*end, JS_LETTER | JS_DIGIT))
		end++;
	if (js_is(*end, JS_HIGH | JS_ESCAPE) || js_is(*start, JS_HIGH | JS_ESCAPE))
		end = js_word_end(start);
	if (end == start) { /* a lone backslash */
		s->p++;
		return;
	}
	s->p = end;
	if (s->before == JS_DOT) {
		plain_word(s, WORD_NONE, JS_OPERAND);
		return;
	}
	known = js_word(start, (size_t)(end - start));
	if (known == WORD_NONE && is_escaped_require(start, (size_t)(end - start)))
		known = WORD_REQUIRE;
	known_word(s, known);
}

static void number(struct js *s)
{
	while (js_is(*s->p, JS_DIGIT | JS_LETTER) || *s->p == '.')
		s->p++;
	set(s, JS_OPERAND, '0');
}

static void slash(struct js *s)
{
	const char *end;

	if (s->p[1] == '/') {
		s->p = js_line_end(s, s->p);
	} else if (s->p[1] == '*') {
		end = js_comment_end(s, s->p);
		s->newline |= memchr(s->p, '\n', (size_t)(end - s->p)) != NULL;
		s->p = end;
	} else if (s->before != JS_OPERAND && (end = js_regex_end(s, s->p))) {
		s->p = end;
		set(s, JS_OPERAND, '/');
	} else {
		s->p++;
		set(s, JS_OPERATOR, '/');
	}
}

static void open_paren(struct js *s)
{
	bool control = s->token == 'a' && s->word == WORD_CONTROL;

	s->p++;
	js_push(s, JS_PAREN)->control = control;
	set(s, JS_OPERATOR, '(');
}

/* What an opening brace opens, by what stands before it. */
static enum js_frame_kind brace_kind(const struct js *s)
{
	const struct js_frame *top = &s->frame[s->depth - 1];

	if (top->pending && (s->before == JS_OPERAND || s->token == '>'))
		return top->pending == JS_EXPRESSION ? JS_BODY : JS_BLOCK;
	if (s->before != JS_OPERATOR || s->arrow)
		return JS_BLOCK;
	if (s->token == ':' && top->kind == JS_BLOCK)
		return JS_BLOCK; /* behind a label or a case */
	return JS_OBJECT;
}

static void open_brace(struct js *s)
{
	struct js_frame *top = js_top(s), *frame;
	enum js_frame_kind kind = brace_kind(s);
	bool interface = top->pending == JS_INTERFACE, function;

	function = kind != JS_OBJECT && (s->arrow || (s->token == ')' && s->before == JS_OPERAND));
	if (kind != JS_OBJECT)
		top->pending = JS_NO_BODY;
	s->p++;
	frame = js_push(s, kind);
	frame->types = interface;
	frame->function = function;
	s->functions += function;
	s->braces++;
	set(s, kind == JS_OBJECT ? JS_OPERATOR : JS_START, '{');
}

/* Leaves the innermost braces, and what is still open in them. */
static struct js_frame leave_braces(struct js *s)
{
	struct js_frame frame;

	do
		frame = s->frame[--s->depth];
	while (frame.kind == JS_PAREN || frame.kind == JS_BRACKET || frame.kind == JS_ELEMENT);
	s->braces--;
	s->functions -= frame.function;
	return frame;
}

static void close_brace(struct js *s)
{
	struct js_frame frame;

	s->p++;
	if (!s->braces) {
		set(s, JS_START, '}');
		return;
	}
	frame = leave_braces(s);
	if (frame.kind == JS_TEMPLATE)
		template_text(s);
	else if (frame.kind == JS_CONTAINER)
		js_element(s);
	else
		set(s, frame.kind == JS_BLOCK ? JS_START : JS_OPERAND, '}');
}

static void close_bracket(struct js *s, enum js_frame_kind kind)
{
	enum js_before after = JS_OPERAND;

	if (js_top(s)->kind == kind && s->depth > 1) {
		after = js_top(s)->control ? JS_START : JS_OPERAND;
		s->depth--;
	}
	set(s, after, *s->p++);
}

static void less(struct js *s)
{
	bool expression = s->before == JS_OPERATOR || s->before == JS_START;

	if (strncmp(s->p, "<!--", 4) == 0 && (s->newline || s->before == JS_START)) {
		s->p = js_line_end(s, s->p);
	} else if (expression && s->word != WORD_NEW && js_opens_element(s, s->p)) {
		js_element(s);
	} else {
		s->p += s->p[1] == '<' ? 2 : 1;
		set(s, JS_OPERATOR, '<');
	}
}

/* A conditional's "?" waits for its ":"; that of an optional thing has no operand behind it. */
static void question(struct js *s)
{
	s->p++;
	if (*s->p == '.' && !js_is(s->p[1], JS_DIGIT)) {
		s->p++;
		set(s, JS_DOT, '.');
		return;
	}
	if (*s->p == '?')
		s->p++;
	else if (!memchr(":,)=;", *js_skip(s, s->p), 5) && js_top(s)->conditionals < UINT16_MAX)
		js_top(s)->conditionals++;
	set(s, JS_OPERATOR, '?');
}

/* The token is ':' behind a label, a case, a key or what has a type, and 'c' in a conditional. */
static void colon(struct js *s)
{
	struct js_frame *top = js_top(s);
	bool conditional = top->conditionals > 0;

	s->p++;
	if (conditional)
		top->conditionals--;
	set(s, JS_OPERATOR, conditional ? 'c' : ':');
}

static void dot(struct js *s)
{
	if (s->p[1] == '.' && s->p[2] == '.') {
		s->p += 3;
		set(s, JS_OPERATOR, '.');
	} else if (js_is(s->p[1], JS_DIGIT)) {
		s->p++;
		number(s);
	} else {
		s->p++;
		set(s, JS_DOT, '.');
	}
}

/* "!" behind an operand says in TypeScript that it is not null; the operand goes on. */
static void bang(struct js *s)
{
	bool postfix = s->before == JS_OPERAND && !s->newline && s->p[1] != '=';

	s->p++;
	set(s, postfix ? JS_OPERAND : JS_OPERATOR, '!');
}

/* "++" and "--" leave what they stand behind as it is. */
static void sign(struct js *s)
{
	if (strncmp(s->p, "-->", 3) == 0 && s->newline) {
		s->p = js_line_end(s, s->p); /* the end of an HTML comment */
		return;
	}
	if (s->p[1] == *s->p) {
		s->p += 2;
		set(s, s->before == JS_OPERAND ? JS_OPERAND : JS_OPERATOR, '+');
		return;
	}
	s->p++;
	set(s, JS_OPERATOR, '+');
}

static void equals(struct js *s)
{
	bool arrow = s->p[1] == '>';

	s->p += arrow ? 2 : 1;
	set(s, JS_OPERATOR, arrow ? '>' : '=');
	s->arrow = arrow;
}

/* "&" and "|" also join types; 'o' is "&&" and "||", which do not. */
static void bar(struct js *s)
{
	bool twice = s->p[1] == *s->p;
	char c = *s->p;

	s->p += twice ? 2 : 1;
	set(s, JS_OPERATOR, twice ? 'o' : c);
}

static void string(struct js *s)
{
	s->p = js_string_end(s, s->p);
	set(s, JS_OPERAND, '"');
}

static void semicolon(struct js *s)
{
	js_top(s)->conditionals = 0;
	js_top(s)->pending = JS_NO_BODY;
	s->p++;
	set(s, JS_START, ';');
}

/* What is neither a blank nor a word, a number or a string. */
static void punctuator(struct js *s)
{
	switch (*s->p) {
	case '/':
		slash(s);
		break;
	case '`':
		s->p++;
		template_text(s);
		break;
	case '(':
		open_paren(s);
		break;
	case '[':
		s->p++;
		js_push(s, JS_BRACKET);
		set(s, JS_OPERATOR, '[');
		break;
	case '{':
		open_brace(s);
		break;
	case '}':
		close_brace(s);
		break;
	case ')':
		close_bracket(s, JS_PAREN);
		break;
	case ']':
		close_bracket(s, JS_BRACKET);
		break;
	case '<':
		less(s);
		break;
	case '?':
		question(s);
		break;
	case ':':
		colon(s);
		break;
	case '.':
		dot(s);
		break;
	case '!':
		bang(s);
		break;
	case '+':
	case '-':
		sign(s);
		break;
	case '=':
		equals(s);
		break;
	case ';':
		semicolon(s);
		break;
	case '&':
	case '|':
		bar(s);
		break;
	case '#':
		s->p++;
		set(s, JS_DOT, '#'); /* a private name */
		break;
	default:
		set(s, JS_OPERATOR, *s->p++);
	}
}

static void scan(struct js *s)
{
	while (s->p < s->end) {
		uint8_t class = js_class[(unsigned char)*s->p];

		if (class == JS_BLANK) {
			s->p++;
		} else if (class == JS_LETTER || class == JS_ESCAPE) {
			word(s);
		} else if (class == JS_END) {
			s->newline |= *s->p++ != '\0';
		} else if (class == JS_QUOTE) {
			string(s);
		} else if (class == JS_DIGIT) {
			number(s);
		} else if (class == JS_HIGH && js_blank_end(s->p) > s->p) {
			s->p = js_blank_end(s->p);
		} else if (class == JS_HIGH) {
			word(s);
		} else {
			punctuator(s);
		}
	}
}

void scan_script(const char *text, size_t length, unsigned dialect, struct imports *out)
{
	struct js s = {.p = text, .end = text + length, .length = length, .out = out};

	s.dialect = dialect;
	s.place = (struct place){.at = text, .line_start = text, .line = 1, .separators = true};
	if (length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		s.p = s.place.line_start = s.place.at = text + 3;
	if (s.p[0] == '#' && s.p[1] == '!')
		s.p = js_line_end(&s, s.p);
	js_push(&s, JS_BLOCK);
	js_references(&s, s.p);
	scan(&s);
	free(s.frame);
}
