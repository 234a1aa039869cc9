/*
 * JSX: elements are scanned here until they end or code begins in braces; the
 * frame of an element says whether the scan is in its opening tag or among its
 * children.
 */
#include "js.h"

/*
 * Whether "<T" at p begins the type parameters of a function, as TypeScript's parser tells it
 * from an element: by "extends", a comma or a default. Behind "<T>" a function type's "(…) =>"
 * is looked for, for ">" cannot be in an element's text.
 */
static bool is_generic(const struct js *s, const char *p)
{
	const char *word = js_skip(s, p + 1), *end = js_word_end(word);

	if (js_word_is(word, end, "const")) {
		word = js_skip(s, end);
		end = js_word_end(word);
	}
	p = js_skip(s, end);
	if (*p == ',' || *p == '=')
		return true;
	if (*p == '>') {
		p = js_skip(s, p + 1);
		p = *p == '(' ? js_parens_end(s, p) : NULL;
		if (!p)
			return false;
		p = js_skip(s, p);
		return (p[0] == '=' && p[1] == '>') || js_top(s)->types;
	}
	end = js_word_end(p);
	if (!js_word_is(p, end, "extends"))
		return false;
	p = js_skip(s, end);
	return *p != '=' && *p != '>' && *p != '/';
}

bool js_opens_element(struct js *s, const char *p)
{
	const char *next = js_skip(s, p + 1);

	if (!(s->dialect & SCAN_JSX))
		return false;
	if (*next != '>' && !js_is(*next, JS_LETTER | JS_HIGH | JS_ESCAPE))
		return false;
	return *next == '>' || !is_generic(s, p);
}

static void open_element(struct js *s)
{
	struct js_frame *frame = js_push(s, JS_ELEMENT);

	frame->in_tag = true;
	s->p = js_skip(s, s->p + 1);
	while (js_is(*s->p, JS_LETTER | JS_DIGIT | JS_HIGH) || (*s->p && strchr(".:-", *s->p)))
		s->p++;
	if (*s->p == '<') { /* type arguments */
		s->p++;
		frame->angles = 1;
	}
}

static void open_container(struct js *s)
{
	s->p++;
	js_push(s, JS_CONTAINER);
	s->braces++;
	s->before = JS_OPERATOR;
	s->token = '{';
	s->word = WORD_NONE;
	s->arrow = s->async = false;
}

static void close_element(struct js *s)
{
	s->depth--;
	s->before = JS_OPERAND;
	s->token = '>';
	s->word = WORD_NONE;
	s->arrow = s->newline = s->async = false;
}

static void tag_end(struct js *s, struct js_frame *frame)
{
	bool closed = s->p[-1] == '/';

	s->p++;
	if (frame->angles)
		frame->angles -= s->p[-2] != '=';
	else if (closed)
		close_element(s);
	else
		frame->in_tag = false;
}

/* One step in an opening tag. Returns false where code begins. */
static bool tag(struct js *s, struct js_frame *frame)
{
	const char *end;

	switch (*s->p) {
	case '"':
	case '\'':
		end = memchr(s->p + 1, *s->p, (size_t)(s->end - s->p - 1));
		s->p = end ? end + 1 : s->end;
		return true;
	case '{':
		open_container(s);
		return false;
	case '/':
		end = js_skip(s, s->p);
		if (end == s->p && *(end = js_skip(s, s->p + 1)) == '>') {
			s->p = end + 1;
			close_element(s);
			return true;
		}
		s->p = end;
		return true;
	case '<':
		if (frame->angles)
			frame->angles++;
		else {
			open_element(s);
			return true;
		}
		s->p++;
		return true;
	case '>':
		tag_end(s, frame);
		return true;
	default:
		s->p++;
		return true;
	}
}

/* One step among the children. Returns false where code begins. */
static bool child(struct js *s)
{
	const char *next;

	while (s->p < s->end && *s->p != '<' && *s->p != '{')
		s->p++;
	if (s->p == s->end)
		return true;
	if (*s->p == '{') {
		open_container(s);
		return false;
	}
	next = js_skip(s, s->p + 1);
	if (*next != '/') {
		open_element(s);
		return true;
	}
	next = memchr(next, '>', (size_t)(s->end - next));
	s->p = next ? next + 1 : s->end;
	close_element(s);
	return true;
}

void js_element(struct js *s)
{
	if (js_top(s)->kind != JS_ELEMENT)
		open_element(s);
	while (s->p < s->end && js_top(s)->kind == JS_ELEMENT) {
		struct js_frame *frame = js_top(s);

		if (!(frame->in_tag ? tag(s, frame) : child(s)))
			return;
	}
}
