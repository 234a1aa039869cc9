#include "emit.h"

#include "die.h"

/* Ends the program unless the text is JSON. */
static void must_be_json(const char *name, const char *text, size_t length)
{
	const char *what;
	size_t at;

	if (jscan_check(text, length, &at, &what) < 0)
		die(EX_DATAERR, "%s: not JSON at byte %zu: %s", name, at + 1, what);
}

static bool is_object(const char *json)
{
	return jscan_kind((struct span){json, strlen(json)}) == '{';
}

/* The members of an object, without its braces. */
static void add_members(struct buf *b, const char *object)
{
	const char *open = strchr(object, '{'), *close = strrchr(object, '}');

	buf_add(b, open + 1, (size_t)(close - open) - 1);
}

/* "KEY=VALUE" or "KEY:=JSON" as a member. */
static void add_pair(struct buf *b, const char *pair)
{
	const char *equals = strchr(pair, '=');
	bool json = equals && equals > pair && equals[-1] == ':';
	size_t key = equals ? (size_t)(equals - pair) - json : 0;

	if (!key)
		die_usage("'%s' is neither KEY=VALUE nor KEY:=JSON", pair);
	buf_json(b, pair, key);
	buf_char(b, ':');
	if (json) {
		must_be_json(pair, equals + 1, strlen(equals + 1));
		buf_str(b, equals + 1);
	} else {
		buf_json(b, equals + 1, strlen(equals + 1));
	}
}

/* Whether the buffer holds nothing but white space behind its opening brace. */
static bool is_empty(const struct buf *b)
{
	return strspn(b->text + 1, " \t\r\n") == b->length - 1;
}

void data_make(struct buf *b, const char *json, char *const *pairs, size_t count)
{
	if (json)
		must_be_json("--data", json, strlen(json));
	if (json && !count)
		buf_str(b, json);
	if (!count)
		return;
	if (json && !is_object(json))
		die(EX_DATAERR, "--data: must be an object where KEY=VALUE is added to it");
	buf_char(b, '{');
	if (json)
		add_members(b, json);
	for (size_t i = 0; i < count; i++) {
		if (!is_empty(b))
			buf_char(b, ',');
		add_pair(b, pairs[i]);
	}
	buf_char(b, '}');
	must_be_json("data", b->text, b->length);
}

static void add_attribute(struct buf *b, const char *pair)
{
	const char *equals = strchr(pair, '=');
	size_t n = equals ? (size_t)(equals - pair) : 0;

	if (!equals)
		die_usage("--attribute: '%s' is not NAME=VALUE", pair);
	if (!event_attribute_valid(pair, n))
		die(EX_DATAERR,
			"attribute '%.*s': must be lower-case letters and digits only, and none "
			"that every event has",
			(int)MIN(n, (size_t)100), pair);
	buf_char(b, ',');
	buf_json(b, pair, n);
	buf_char(b, ':');
	buf_json(b, equals + 1, strlen(equals + 1));
}

void attributes_make(struct buf *b, const struct strs *pairs)
{
	AUTO_BUF struct buf object = {0};

	for (size_t i = 0; i < pairs->count; i++)
		add_attribute(b, pairs->item[i]);
	if (!b->length)
		return;
	buf_char(&object, '{');
	buf_add(&object, b->text + 1, b->length - 1);
	buf_char(&object, '}');
	must_be_json("attributes", object.text, object.length);
}
