/*
 * What comes in over the socket and the FIFO: gathered while it is read, then
 * appended under one lock.
 */
#include "server.h"

#include "mem.h"

#include <errno.h>

/* What an event from outside has where it says nothing. */
static const struct event missing = {.source = "/loop-bus", .priority = NORMAL};

/* Takes over the record that was just added to the text. */
static int gather(struct intake *in, int priority)
{
	if (priority < 0)
		return priority;
	if (priority == CRITICAL)
		in->flags |= JOURNAL_SYNC;
	in->end = mem_grow(in->end, in->count, &in->room, sizeof *in->end);
	in->id = mem_grow(in->id, in->count, &in->id_room, sizeof *in->id);
	in->end[in->count++] = in->text.length;
	return 0;
}

int intake_event(struct server *s, const char *line, size_t length, struct err *e)
{
	return gather(&s->intake, event_from_json(&s->intake.text, line, length, &missing, e));
}

/* The end of a value: behind the quote that closes it, or at the next blank. */
static char *value_end(char *value)
{
	if (*value != '"')
		return value + strcspn(value, " \t");
	for (value++; *value && *value != '"'; value++)
		value += *value == '\\' && value[1];
	return value + (*value == '"');
}

/* One KEY=VALUE or KEY:=JSON; returns what follows it. */
static char *add_word(struct buf *data, char *word, struct err *e)
{
	char *equals = strchr(word, '='), *end;
	bool json = equals && equals > word && equals[-1] == ':';
	size_t key = equals ? (size_t)(equals - word) - json : 0;

	if (!key || memchr(word, ' ', key)) {
		err_set(e, -EINVAL, "'%.100s' is neither KEY=VALUE nor KEY:=JSON", word);
		return NULL;
	}
	end = value_end(equals + 1);
	if (*end && !strchr(" \t", *end)) {
		err_set(e, -EINVAL, "'%.100s': something behind the closing quote", word);
		return NULL;
	}
	buf_char(data, data->length ? ',' : '{');
	buf_json(data, word, key);
	buf_char(data, ':');
	if (json || equals[1] == '"')
		buf_add(data, equals + 1, (size_t)(end - equals) - 1);
	else
		buf_json(data, equals + 1, (size_t)(end - equals) - 1);
	return end;
}

/* "TYPE KEY=VALUE…"; a value in double quotes is a JSON string. */
int intake_words(struct server *s, char *line, struct err *e)
{
	AUTO_BUF struct buf data = {0};
	struct event ev = missing;
	char *p = line + strcspn(line, " \t");
	const char *what;
	size_t at;
	int r;

	ev.type = line;
	while (*p) {
		*p++ = '\0';
		p += strspn(p, " \t");
		if (*p && !(p = add_word(&data, p, e)))
			return -EINVAL;
	}
	if (data.length) {
		buf_char(&data, '}');
		if (jscan_check(data.text, data.length, &at, &what) < 0)
			return err_set(e, -EINVAL, "byte %zu of its data: %s", at + 1, what);
		ev.data = (struct span){data.text, data.length};
	}
	r = event_record(&s->intake.text, &ev, e);
	return gather(&s->intake, r < 0 ? r : NORMAL);
}

int intake_flush(struct server *s, struct appended *done, struct err *e)
{
	struct intake *in = &s->intake;
	AUTO_FREE struct span *records = mem_zero(in->count, sizeof *records);
	size_t start = 0;
	int r;

	for (size_t i = 0; i < in->count; i++) {
		records[i] = (struct span){in->text.text + start, in->end[i] - start};
		start = in->end[i];
	}
	r = journal_append(&s->journal, records, in->count, in->flags, done, e);
	if (r == 0)
		s->published += in->count;
	for (size_t i = 0; i < in->count; i++) {
		int64_t behind = i < done->count ? journal_behind(done->first, records[i]) : -1;

		in->id[i] = i < done->count ? done->first : -1;
		done->first = behind;
	}
	in->text.length = in->count = in->flags = 0;
	return r;
}
