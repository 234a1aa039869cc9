/*
 * What happens is written before it takes effect: lines gather in a buffer and
 * are written in one write before anything is started and before we sleep.
 * run.jsonl is the run's own truth; the journal tells the others.
 */
#include "run.h"

#include "clock.h"
#include "die.h"
#include "event.h"
#include "io.h"
#include "parse.h"

#include <errno.h>

enum { SYNC_EVERY_MS = 1000,
	EVENTS_EVERY_MS = 5 /* many short tasks share one append; nobody sees the delay */ };

static void open_line(struct buf *b)
{
	char time[TIME_SIZE];

	buf_format(b, "{\"time\":\"%s\"", format_time(time, clock_real()));
}

void log_run(struct run *r, const char *members)
{
	open_line(&r->lines);
	buf_format(&r->lines, ",\"run\":%s}\n", members);
}

void log_task(struct run *r, uint32_t task, const char *members)
{
	const struct node *n = &r->node[task];

	open_line(&r->lines);
	buf_format(&r->lines, ",\"task\":\"%s\",\"state\":\"%s\"", r->plan.task[task].id,
		tstate_name((enum tstate)n->state));
	if (n->attempt)
		buf_format(&r->lines, ",\"attempt\":%u", n->attempt);
	buf_format(&r->lines, "%s}\n", members);
}

static void add_event(struct run *r, const char *type, const char *subject, struct span data)
{
	char source[160];
	struct event event = {.type = type,
		.source = source,
		.subject = subject,
		.runid = r->id,
		.priority = NORMAL,
		.data = data};
	struct err e = {0};

	snprintf(source, sizeof source, "/loop-sched/%s", r->id);
	if (event_record(&r->records, &event, &e) < 0) {
		warn("%s: %s", type, e.text);
		return;
	}
	r->record_end = mem_grow(
		r->record_end, r->record_count, &r->record_capacity, sizeof *r->record_end);
	r->record_end[r->record_count++] = r->records.length;
}

void event_task(struct run *r, uint32_t task, const char *type, const char *members)
{
	const struct task *t = &r->plan.task[task];
	AUTO_BUF struct buf data = {0}, subject = {0};

	buf_format(&subject, "%s/%s", r->subject, t->id);
	buf_format(&data, "{\"task\":\"%s\"%s}", t->id, members);
	add_event(r, type, subject.text, (struct span){data.text, data.length});
}

void event_run(struct run *r, const char *type, const char *members)
{
	AUTO_BUF struct buf data = {0};

	buf_str(&data, "{\"plan\":");
	buf_json(&data, r->plan.name, strlen(r->plan.name));
	buf_format(&data, "%s}", members);
	add_event(r, type, r->subject, (struct span){data.text, data.length});
}

/* A disk that is full ends the run: what cannot be written must not happen. */
void log_write(struct run *r)
{
	int64_t now = clock_now();
	int code;

	if (!r->lines.length)
		return;
	code = io_write(r->log, r->lines.text, r->lines.length);
	buf_drop(&r->lines, r->lines.length);
	if (code == 0 && now - r->synced >= SYNC_EVERY_MS * NS_PER_MS) {
		r->synced = now;
		code = fdatasync(r->log) < 0 ? -errno : 0;
	}
	if (code == 0 || r->broken)
		return;
	errno = -code;
	warn_errno("%s/run.jsonl", r->path);
	r->broken = true;
}

static void append_events(struct run *r)
{
	AUTO_FREE struct span *records = NULL;
	struct appended done;
	struct err e = {0};
	size_t at = 0;

	if (!r->record_count)
		return;
	records = mem_zero(r->record_count, sizeof *records);
	for (size_t i = 0; i < r->record_count; i++) {
		records[i] = (struct span){r->records.text + at, r->record_end[i] - at};
		at = r->record_end[i];
	}
	if (journal_append(&r->journal, records, r->record_count, 0, &done, &e) < 0)
		warn("%s", e.text);
	r->record_count = 0;
	r->appended = clock_now();
	buf_drop(&r->records, r->records.length);
}

int64_t log_due(const struct run *r)
{
	return r->record_count ? r->appended + EVENTS_EVERY_MS * NS_PER_MS : NS_FOREVER;
}

void log_flush(struct run *r, bool now)
{
	log_write(r);
	if (now || clock_now() >= log_due(r))
		append_events(r);
}
