/*
 * Lines from a pipe or a file: what one read brings is appended under one lock,
 * so a fast producer pays for the lock rarely and a slow one is not kept
 * waiting.
 */
#include "emit.h"

#include "die.h"
#include "io.h"
#include "lines.h"
#include "mem.h"

enum { READ_SIZE = 256 * 1024 };

struct batch {
	const struct emit *emit;
	struct lines lines;
	struct buf text; /* the records, one behind the other */
	struct span *record;
	size_t *end; /* of each in text: it moves while it grows */
	size_t count, records_room, ends_room;
	unsigned flags;
	uint64_t number; /* of the last line */
	uint64_t bad;
};

/* One line as a record behind the others; its priority or -errno. */
static int make_record(struct batch *b, const char *line, size_t length, struct err *e)
{
	struct event ev = b->emit->event;
	const char *what;
	size_t at;
	int r;

	if (!b->emit->bare)
		return event_from_json(&b->text, line, length, &ev, e);
	if (jscan_check(line, length, &at, &what) < 0)
		return err_set(e, -EX_DATAERR, "byte %zu: %s", at + 1, what);
	ev.data = (struct span){line, length};
	r = event_record(&b->text, &ev, e);
	return r < 0 ? r : (int)ev.priority;
}

static bool is_blank(const char *line, size_t length)
{
	while (length && strchr(" \t\r", line[length - 1]) && line[length - 1])
		length--;
	return length == 0;
}

static void add_line(struct batch *b, const char *line, size_t length)
{
	struct err e = {0};
	int priority;

	b->number++;
	if (is_blank(line, length))
		return;
	priority = make_record(b, line, length, &e);
	if (priority < 0) {
		b->bad++;
		warn("line %llu: %s", (unsigned long long)b->number, e.text);
		return;
	}
	if (priority == CRITICAL)
		b->flags |= JOURNAL_SYNC;
	b->end = mem_grow(b->end, b->count, &b->ends_room, sizeof *b->end);
	b->end[b->count++] = b->text.length;
}

static int flush(struct batch *b)
{
	size_t start = 0;
	int r;

	if (!b->count)
		return 0;
	while (b->records_room < b->count)
		b->record = mem_grow(b->record, b->records_room, &b->records_room,
			sizeof *b->record);
	for (size_t i = 0; i < b->count; i++) {
		b->record[i] = (struct span){b->text.text + start, b->end[i] - start};
		start = b->end[i];
	}
	r = emit_records(b->emit, b->record, b->count, b->flags);
	b->text.length = b->count = 0;
	b->flags = b->emit->flags;
	return r;
}

/* Takes the lines that a read brought, or at the end what stands behind the last newline. */
static void take_lines(struct batch *b, bool at_end)
{
	uint64_t oversize = b->lines.oversize;
	size_t length;
	char *line;

	while (lines_next(&b->lines, &line, &length))
		add_line(b, line, length);
	if (at_end && lines_rest(&b->lines, &line, &length))
		add_line(b, line, length);
	if (b->lines.oversize == oversize)
		return;
	oversize = b->lines.oversize - oversize;
	b->number += oversize;
	b->bad += oversize;
	warn("line %llu or before: longer than %d bytes", (unsigned long long)b->number,
		EVENT_MAX);
}

static void batch_clear(struct batch *b)
{
	lines_clear(&b->lines);
	buf_clear(&b->text);
	free(b->record);
	free(b->end);
}

int emit_lines(const struct emit *emit, int fd)
{
	__attribute__((cleanup(batch_clear))) struct batch b = {
		.emit = emit, .lines = {.max = EVENT_MAX}, .flags = emit->flags};
	ssize_t n;

	do {
		n = io_read_some(fd, lines_room(&b.lines, READ_SIZE), READ_SIZE);
		if (n < 0)
			die(EX_IOERR, "standard input: %s", strerror((int)-n));
		lines_fed(&b.lines, (size_t)n);
		take_lines(&b, n == 0);
		if (flush(&b) < 0)
			return EX_IOERR;
	} while (n > 0);
	return b.bad ? EX_DATAERR : EXIT_SUCCESS;
}
