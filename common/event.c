/*
 * A record is checked when it is made, so that whatever stands in the journal
 * is a CloudEvent and readers need only ask whether a line is whole.
 */
#include "event_member.h"

#include "clock.h"
#include "parse.h"

#include <errno.h>

enum { TYPE_LENGTH_MAX = 128,
	SUBJECT_LENGTH_MAX = 512,
	NAME_LENGTH_MAX = 64 };

static const struct {
	const char *name;
	enum priority value;
} priorities[] = {
	{"critical", CRITICAL},
	{"high", HIGH},
	{"normal", NORMAL},
	{"low", LOW},
	{"background", BACKGROUND},
};

int priority_parse(const char *text, enum priority *out)
{
	int64_t number = -1;

	if (parse_int(text, 0, CRITICAL, &number) < 0)
		number = -1;
	for (size_t i = 0; i < countof(priorities); i++)
		if (number == priorities[i].value || strcmp(text, priorities[i].name) == 0) {
			*out = priorities[i].value;
			return 0;
		}
	return -EINVAL;
}

const char *priority_name(enum priority p)
{
	for (size_t i = 0; i < countof(priorities); i++)
		if (priorities[i].value == p)
			return priorities[i].name;
	return "normal";
}

static bool type_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

static bool type_valid(struct span type)
{
	bool word = false;

	for (size_t i = 0; i < type.n; i++) {
		if (!(type_letter(type.p[i]) || (word && type.p[i] == '.')))
			return false;
		word = type.p[i] != '.';
	}
	return word && type.n <= TYPE_LENGTH_MAX;
}

bool event_type_valid(const char *type)
{
	return type_valid((struct span){type, strlen(type)});
}

/* Whether something in it could move a cursor or end a line. */
static bool has_control(struct span text)
{
	for (size_t i = 0; i < text.n;) {
		unsigned char c = (unsigned char)text.p[i];
		size_t length = c < 0x80 ? 1 : utf8_length(text.p + i, text.n - i);

		if (!length || c < 0x20 || c == 0x7f ||
			(length == 2 && c == 0xc2 && (unsigned char)text.p[i + 1] < 0xa0))
			return true;
		i += length;
	}
	return false;
}

static bool subject_valid(struct span subject)
{
	const char *p = subject.p, *end = subject.p + subject.n;

	if (subject.n == 0 || subject.n > SUBJECT_LENGTH_MAX || has_control(subject))
		return false;
	for (;; p++) {
		const char *slash = memchr(p, '/', (size_t)(end - p));
		size_t n = (size_t)((slash ? slash : end) - p);

		if (n == 0 || (n <= 2 && memcmp(p, "..", n) == 0))
			return false;
		p += n;
		if (p == end)
			return true;
	}
}

bool event_subject_valid(const char *subject)
{
	return subject_valid((struct span){subject, strlen(subject)});
}

const struct span event_member_name[KNOWN] = {
#define NAME(text)                    \
	{                             \
		text, sizeof text - 1 \
	}
	NAME("specversion"),
	NAME("id"),
	NAME("source"),
	NAME("type"),
	NAME("subject"),
	NAME("time"),
	NAME("priority"),
	NAME("runid"),
	NAME("sessionid"),
	NAME("data"),
#undef NAME
};

bool event_attribute_valid(const char *name, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (!type_letter(name[i]) || name[i] == '_' || name[i] == '-')
			return false;
	for (enum member m = 0; m < KNOWN; m++)
		if (length == event_member_name[m].n &&
			memcmp(name, event_member_name[m].p, length) == 0)
			return false;
	return length >= 1 && length <= NAME_LENGTH_MAX;
}

enum member event_member(struct span key)
{
	const struct span *name = event_member_name;

	for (enum member m = 0; m < KNOWN; m++)
		if (key.n == name[m].n + 2 && memcmp(key.p + 1, name[m].p, name[m].n) == 0)
			return m;
	if (memchr(key.p, '\\', key.n))
		for (enum member m = 0; m < KNOWN; m++)
			if (jscan_is_n(key, name[m].p, name[m].n))
				return m;
	return KNOWN;
}

int event_check_member(enum member m, struct span text, struct err *e)
{
	int shown = (int)MIN(text.n, (size_t)100);

	if (m == TYPE && !type_valid(text))
		return err_set(e, -EINVAL,
			"type '%.*s': must be lower-case words with dots, as in story.started",
			shown, text.p);
	if (m == SUBJECT && !subject_valid(text))
		return err_set(e, -EINVAL,
			"subject '%.*s': must be names with slashes, as in PRD-001/US-003", shown,
			text.p);
	if (text.n == 0 || text.n > EVENT_ATTRIBUTE_MAX || has_control(text))
		return err_set(e, -EINVAL, "%s: must be 1 to %d bytes of text in one line",
			event_member_name[m].p, EVENT_ATTRIBUTE_MAX);
	return 0;
}

/* The room that the journal needs in front of a record. */
enum { ID_ROOM = sizeof "{\"specversion\":\"1.0\",\"id\":\"9223372036854775807\"" - 1 };

/* Only where there are so many brackets is it worth a look. */
static bool too_deep(const char *record, size_t length)
{
	AUTO_BUF struct buf line = {0};
	const char *what;
	size_t open = 0, at;

	for (size_t i = 0; i < length; i++)
		open += (record[i] | ('[' ^ '{')) == '{';
	if (open < EVENT_DEPTH_MAX)
		return false;
	buf_str(&line, "{\"id\":\"\"");
	buf_add(&line, record, length);
	return jscan_check_depth(line.text, line.length, EVENT_DEPTH_MAX, &at, &what) < 0;
}

int event_end_record(struct buf *b, size_t start, struct err *e)
{
	char *line;

	buf_str(b, "}\n");
	if (too_deep(b->text + start, b->length - start)) {
		b->length = start;
		return err_set(e, -EINVAL, "nested deeper than %d", EVENT_DEPTH_MAX);
	}
	if (b->length - start + ID_ROOM > EVENT_MAX) {
		b->length = start;
		return err_set(e, -EMSGSIZE, "larger than %d bytes", EVENT_MAX);
	}
	/* What was white space between tokens must not end the line. */
	line = b->text + start;
	for (char *end = b->text + b->length - 1; line < end; line++) {
		line = memchr(line, '\n', (size_t)(end - line));
		if (!line)
			break;
		*line = ' ';
	}
	return 0;
}

static void add_head(struct buf *b, enum member m)
{
	buf_add(b, ",\"", 2);
	buf_add(b, event_member_name[m].p, event_member_name[m].n);
	buf_add(b, "\":", 2);
}

void event_add_value(struct buf *b, enum member m, struct span value)
{
	if (!value.n)
		return;
	add_head(b, m);
	buf_add(b, value.p, value.n);
}

int event_add_text(struct buf *b, enum member m, const char *text, struct err *e)
{
	struct span plain = {text, text ? strlen(text) : 0};
	int r = text ? event_check_member(m, plain, e) : 0;

	if (r < 0 || !text)
		return r;
	add_head(b, m);
	buf_json(b, plain.p, plain.n);
	return 0;
}

void event_add_time(struct buf *b, int64_t ns)
{
	char time[TIME_SIZE];

	add_head(b, TIME);
	buf_char(b, '"');
	buf_str(b, format_time(time, ns ? ns : clock_real()));
	buf_char(b, '"');
}

void event_add_priority(struct buf *b, enum priority p)
{
	add_head(b, PRIORITY);
	buf_char(b, '"');
	buf_str(b, priority_name(p));
	buf_char(b, '"');
}

static int add_members(struct buf *b, const struct event *ev, struct err *e)
{
	int r = event_add_text(b, SOURCE, ev->source, e);

	if (r == 0)
		r = event_add_text(b, TYPE, ev->type, e);
	if (r == 0)
		r = event_add_text(b, SUBJECT, ev->subject, e);
	event_add_time(b, ev->time);
	event_add_priority(b, ev->priority);
	if (r == 0)
		r = event_add_text(b, RUNID, ev->runid, e);
	if (r == 0)
		r = event_add_text(b, SESSIONID, ev->sessionid, e);
	buf_add(b, ev->extra.p, ev->extra.n);
	event_add_value(b, DATA, ev->data);
	return r;
}

int event_record(struct buf *b, const struct event *ev, struct err *e)
{
	size_t start = b->length;
	int r = add_members(b, ev, e);

	if (r < 0)
		b->length = start;
	return r < 0 ? r : event_end_record(b, start, e);
}

int event_view(const char *line, size_t length, struct event_view *view)
{
	struct span *const slot[KNOWN] = {
		[ID] = &view->id,
		[TYPE] = &view->type,
		[SUBJECT] = &view->subject,
		[SOURCE] = &view->source,
		[TIME] = &view->time,
		[PRIORITY] = &view->priority,
		[RUNID] = &view->runid,
		[SESSIONID] = &view->sessionid,
		[DATA] = &view->data,
	};
	struct span key, value;
	struct jscan walk;
	int r;

	*view = (struct event_view){0};
	if (jscan_open(&walk, (struct span){line, length}) < 0 || !walk.object)
		return -EINVAL;
	while ((r = jscan_next(&walk, &key, &value)) > 0) {
		enum member m = event_member(key);

		if (m < KNOWN && slot[m])
			*slot[m] = value;
	}
	return r;
}
