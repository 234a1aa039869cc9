/* A line of JSON for put and import: a table of its members. */
#include "loop-queue.h"

#include "base64.h"
#include "clock.h"
#include "parse.h"

#include <errno.h>

struct parser {
	struct put_line *line;
	struct buf *text;
	bool import, body;
};

/* A text without its quotes, or a number as it stands. */
static int word_of(struct span value, struct buf *word)
{
	char kind = jscan_kind(value);

	if (kind == '"')
		return jscan_text(value, word);
	if (kind != '0')
		return -EINVAL;
	buf_add(word, value.p, value.n);
	return 0;
}

static int take_body(struct parser *p, struct span value, const char *word UNUSED)
{
	struct put_line *l = p->line;

	if (p->body)
		return -EINVAL;
	p->body = true;
	l->body = p->text->length;
	if (jscan_kind(value) != '"')
		buf_add(p->text, value.p, value.n);
	else if (jscan_text(value, p->text) < 0)
		return -EINVAL;
	l->length = p->text->length - l->body;
	return 0;
}

static int take_body64(struct parser *p, struct span value UNUSED, const char *word)
{
	struct put_line *l = p->line;

	if (p->body || !word)
		return -EINVAL;
	p->body = true;
	l->body = p->text->length;
	if (base64_decode(word, strlen(word), p->text) < 0)
		return -EINVAL;
	l->length = p->text->length - l->body;
	return 0;
}

static int take_priority(struct parser *p, struct span value UNUSED, const char *word)
{
	return word ? queue_priority_parse(word, &p->line->put.priority) : -EINVAL;
}

static int take_duration(const char *word, int64_t *ns)
{
	if (!word || parse_duration(word, ns) < 0 || *ns > QUEUE_TIME_MAX)
		return -EINVAL;
	return 0;
}

static int take_delay(struct parser *p, struct span value UNUSED, const char *word)
{
	int64_t *delay = &p->line->put.delay;

	if (word && parse_rfc3339(word, strlen(word), delay) == 0) {
		*delay = MAX(*delay - clock_real(), 0);
		return *delay > QUEUE_TIME_MAX ? -EINVAL : 0;
	}
	return take_duration(word, delay);
}

static int take_lease(struct parser *p, struct span value UNUSED, const char *word)
{
	if (take_duration(word, &p->line->put.lease) < 0)
		return -EINVAL;
	return p->line->put.lease ? 0 : -EINVAL;
}

static int take_key_ttl(struct parser *p, struct span value UNUSED, const char *word)
{
	return take_duration(word, &p->line->put.key_ttl);
}

static int take_tries(struct parser *p, struct span value UNUSED, const char *word)
{
	return word ? parse_int(word, 0, QUEUE_TRIES_MAX, &p->line->put.max_tries) : -EINVAL;
}

static int take_key(struct parser *p, struct span value UNUSED, const char *word)
{
	if (!word || !name_valid(word))
		return -EINVAL;
	snprintf(p->line->key, sizeof p->line->key, "%s", word);
	return 0;
}

static int take_tried(struct parser *p, struct span value UNUSED, const char *word)
{
	return word ? parse_int(word, 0, QUEUE_TRIES_MAX, &p->line->put.tries) : -EINVAL;
}

static int take_buried(struct parser *p, struct span value, const char *word UNUSED)
{
	p->line->put.buried = jscan_kind(value) == 't';
	return p->line->put.buried || jscan_kind(value) == 'f' ? 0 : -EINVAL;
}

static const struct member {
	const char *name, *is;
	int (*take)(struct parser *, struct span value, const char *word);
	bool import;
} members[] = {
	{"body", "a JSON value, once", take_body, false},
	{"body64", "base64, and body not there", take_body64, false},
	{"priority", "high, normal, low or 0 to 4294967295", take_priority, false},
	{"delay", "a duration or a time", take_delay, false},
	{"lease", "a duration", take_lease, false},
	{"tries", "a number up to 99999", take_tries, false},
	{"key", "a name", take_key, false},
	{"key_ttl", "a duration", take_key_ttl, false},
	{"tried", "a number up to 99999", take_tried, true},
	{"buried", "true or false", take_buried, true},
};

static int take_member(struct parser *p, struct span key, struct span value, struct err *e)
{
	AUTO_BUF struct buf word = {0};

	for (size_t i = 0; i < countof(members); i++) {
		const struct member *m = &members[i];
		bool is_body = m->take == take_body;

		if (!jscan_is(key, m->name) || (m->import && !p->import))
			continue;
		if (!is_body && (word_of(value, &word) < 0 || strlen(word.text) < word.length))
			buf_clear(&word);
		if (m->take(p, value, is_body ? NULL : word.text) < 0)
			return err_set(e, -EINVAL, "%s: must be %s", m->name, m->is);
		return 0;
	}
	return err_set(e, -EINVAL, "unknown member %.*s", (int)MIN(key.n, (size_t)60), key.p);
}

static bool parse_members(struct parser *p, struct span line, struct err *e)
{
	struct jscan walk;
	struct span key, value;

	if (jscan_kind(line) != '{' || jscan_open(&walk, line) < 0) {
		err_set(e, -EINVAL, "not an object");
		return false;
	}
	while (jscan_next(&walk, &key, &value) > 0)
		if (take_member(p, key, value, e) < 0)
			return false;
	if (!p->body)
		err_set(e, -EINVAL, "body: is missing");
	return p->body;
}

bool put_line_parse(struct put_line *l, const struct put *defaults, struct span line, bool import,
	struct buf *text, struct err *e)
{
	struct parser p = {.line = l, .text = text, .import = import};
	const char *what;
	size_t at;

	*l = (struct put_line){.put = *defaults};
	if (jscan_check(line.p, line.n, &at, &what) < 0) {
		err_set(e, -EINVAL, "column %zu: %s", at + 1, what);
		return false;
	}
	return parse_members(&p, line, e);
}
