/*
 * Events from outside. What came is looked at, not rewritten: its members are
 * put in the house's order as the bytes they are.
 */
#include "event_member.h"

#include "parse.h"

#include <errno.h>

/* The text of a member that must be a string: lent, or where it has escapes, resolved into room. */
static int plain_text(enum member m, struct span value, struct buf *room, struct span *text,
	struct err *e)
{
	if (value.n < 2 || *value.p != '"')
		return err_set(e, -EINVAL, "%s: must be a string", event_member_name[m].p);
	*text = (struct span){value.p + 1, value.n - 2};
	if (!memchr(text->p, '\\', text->n))
		return 0;
	if (jscan_text(value, room) < 0)
		return err_set(e, -EINVAL, "%s: must be a string", event_member_name[m].p);
	*text = (struct span){room->text, room->length};
	return 0;
}

/* A text member as it came, or the text that stands in for it. */
static int add_given(struct buf *b, enum member m, struct span value, const char *missing,
	struct err *e)
{
	AUTO_BUF struct buf room = {0};
	struct span text;
	int r;

	if (!value.n)
		return event_add_text(b, m, missing, e);
	r = plain_text(m, value, &room, &text, e);
	if (r == 0)
		r = event_check_member(m, text, e);
	event_add_value(b, m, value);
	return r;
}

static int add_given_time(struct buf *b, struct span value, int64_t missing, struct err *e)
{
	int64_t ns;

	if (!value.n)
		return event_add_time(b, missing), 0;
	if (*value.p != '"' || parse_rfc3339(value.p + 1, value.n - 2, &ns) < 0)
		return err_set(e, -EINVAL, "time: must be an RFC 3339 time");
	event_add_value(b, TIME, value);
	return 0;
}

static int add_given_priority(struct buf *b, struct span value, enum priority p, struct err *e)
{
	char text[16] = "";

	if (value.n && *value.p == '"')
		value = (struct span){value.p + 1, value.n - 2};
	if (value.n && value.n < sizeof text)
		memcpy(text, value.p, value.n);
	if (value.n && priority_parse(text, &p) < 0)
		return err_set(e, -EINVAL,
			"priority: must be critical, high, normal, low or background");
	event_add_priority(b, p);
	return (int)p;
}

static int check_extension(struct span key, struct span value, struct err *e)
{
	char kind = jscan_kind(value);

	if (jscan_is(key, "data_base64") && kind == '"')
		return 0;
	if (!event_attribute_valid(key.p + 1, key.n - 2))
		return err_set(e, -EINVAL,
			"attribute %.*s: must be lower-case letters and digits only",
			(int)MIN(key.n, (size_t)66), key.p);
	if (kind == '{' || kind == '[' || value.n > EVENT_ATTRIBUTE_MAX)
		return err_set(e, -EINVAL, "attribute %.*s: must be a short text or a number",
			(int)key.n, key.p);
	return 0;
}

/*
 * The members sorted by what they are: the known ones' values, and the others as text.
 * Null is absent, but for data, where it is a value.
 */
static int sort_members(struct span event, struct span value[KNOWN], struct buf *extra,
	struct err *e)
{
	struct jscan walk;
	struct span key, v;

	if (jscan_open(&walk, event) < 0 || !walk.object)
		return err_set(e, -EINVAL, "not a JSON object");
	while (jscan_next(&walk, &key, &v) > 0) {
		enum member m = event_member(key);

		if (*v.p == 'n' && m != DATA)
			continue;
		if (m < KNOWN) {
			value[m] = v;
			continue;
		}
		if (check_extension(key, v, e) < 0)
			return -EINVAL;
		buf_char(extra, ',');
		buf_add(extra, key.p, key.n);
		buf_char(extra, ':');
		buf_add(extra, v.p, v.n);
	}
	return 0;
}

static int add_given_members(struct buf *b, const struct span value[KNOWN], struct span extra,
	const struct event *missing, struct err *e)
{
	int priority = 0, r = 0;

	if (value[SPECVERSION].n && !jscan_is(value[SPECVERSION], "1.0"))
		return err_set(e, -EINVAL, "specversion: must be \"1.0\"");
	if (!value[TYPE].n && !missing->type)
		return err_set(e, -EINVAL, "type: missing");
	r = add_given(b, SOURCE, value[SOURCE], missing->source, e);
	if (r == 0)
		r = add_given(b, TYPE, value[TYPE], missing->type, e);
	if (r == 0)
		r = add_given(b, SUBJECT, value[SUBJECT], missing->subject, e);
	if (r == 0)
		r = add_given_time(b, value[TIME], missing->time, e);
	if (r == 0)
		priority = add_given_priority(b, value[PRIORITY], missing->priority, e);
	if (r == 0)
		r = MIN(priority, 0);
	if (r == 0)
		r = add_given(b, RUNID, value[RUNID], missing->runid, e);
	if (r == 0)
		r = add_given(b, SESSIONID, value[SESSIONID], missing->sessionid, e);
	buf_add(b, extra.p, extra.n);
	event_add_value(b, DATA, value[DATA].n ? value[DATA] : missing->data);
	return r < 0 ? r : priority;
}

int event_from_json(struct buf *b, const char *line, size_t length, const struct event *missing,
	struct err *e)
{
	AUTO_BUF struct buf extra = {0};
	struct span value[KNOWN] = {0};
	size_t start = b->length, at;
	const char *what;
	int priority, r;

	if (jscan_check(line, length, &at, &what) < 0)
		return err_set(e, -EINVAL, "byte %zu: %s", at + 1, what);
	priority = sort_members((struct span){line, length}, value, &extra, e);
	if (priority == 0)
		priority = add_given_members(b, value, (struct span){extra.text, extra.length},
			missing, e);
	r = priority < 0 ? priority : event_end_record(b, start, e);
	if (r < 0)
		b->length = start;
	return r < 0 ? r : priority;
}
