/*
 * burst: appends events to the journal, many under one lock.
 *
 *	burst COUNT [TYPE [SUBJECT [BYTES [RUN]]]]
 *
 * Their data is {"n":0} and so on, filled up to BYTES a line.
 */
#include "base.h"

#include "buf.h"
#include "die.h"
#include "event.h"
#include "journal.h"
#include "parse.h"
#include "state.h"

enum { BATCH = 256 };

struct wish {
	const char *type, *subject, *run;
	size_t bytes;
};

static void add_record(struct buf *b, const struct wish *w, int64_t n)
{
	AUTO_BUF struct buf data = {0};
	struct event event;
	struct err e = {0};

	buf_format(&data, "{\"n\":%lld", (long long)n);
	if (w->bytes > data.length + 180)
		buf_format(&data, ",\"pad\":\"%0*d\"", (int)(w->bytes - data.length - 180), 0);
	buf_char(&data, '}');
	event = (struct event){.type = w->type, .source = "/burst", .runid = w->run};
	event.subject = *w->subject ? w->subject : NULL;
	event.priority = NORMAL;
	event.data = (struct span){data.text, data.length};
	if (event_record(b, &event, &e) < 0)
		die(EX_DATAERR, "%s", e.text);
}

static void append(struct journal *j, const struct wish *w, int64_t from, size_t count)
{
	AUTO_BUF struct buf text = {0};
	size_t end[BATCH];
	struct span record[BATCH];
	struct appended done;
	struct err e = {0};
	int r;

	for (size_t i = 0; i < count; i++) {
		add_record(&text, w, from + (int64_t)i);
		end[i] = text.length;
	}
	for (size_t i = 0; i < count; i++) {
		size_t start = i ? end[i - 1] : 0;

		record[i] = (struct span){text.text + start, end[i] - start};
	}
	r = journal_append(j, record, count, 0, &done, &e);
	if (r < 0)
		die_err(r, &e);
}

static const char *operand(int argc, char **argv, int i, const char *otherwise)
{
	return argc > i ? argv[i] : otherwise;
}

int main(int argc, char **argv)
{
	struct wish w = {.type = operand(argc, argv, 2, "metric"),
		.subject = operand(argc, argv, 3, ""),
		.run = operand(argc, argv, 5, NULL)};
	struct state state;
	struct journal journal;
	struct err e = {0};
	int64_t count, bytes;
	int r;

	die_init("burst", 0);
	if (argc < 2 || parse_int(argv[1], 1, INT32_MAX, &count) < 0 ||
		parse_int(operand(argc, argv, 4, "0"), 0, EVENT_MAX, &bytes) < 0)
		die(EX_USAGE, "usage: burst COUNT [TYPE [SUBJECT [BYTES [RUN]]]]");
	w.bytes = (size_t)bytes;
	r = state_open(&state, &e);
	if (r < 0)
		die_err(r, &e);
	journal_init(&journal, &state);
	for (int64_t n = 0; n < count; n += BATCH)
		append(&journal, &w, n, (size_t)MIN((int64_t)BATCH, count - n));
	journal_close(&journal);
	state_close(&state);
	return 0;
}
