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
	EVENTS_EVERY_MS = 5, /* many short tasks share one append; nobody sees the delay */
	EVENTS_HELD_MS = 500 /* where the disk may be full still */ };

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

static void add_event(struct run *r, const char *type, enum priority priority, const char *subject,
	struct span data)
{
	char source[160];
	struct event event = {.type = type,
		.source = source,
		.subject = subject,
		.runid = r->id,
		.priority = priority,
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
	add_event(r, type, NORMAL, subject.text, (struct span){data.text, data.length});
}

static void add_run_event(struct run *r, const char *type, enum priority priority,
	const char *members)
{
	AUTO_BUF struct buf data = {0};

	buf_str(&data, "{\"plan\":");
	buf_json(&data, r->plan.name, strlen(r->plan.name));
	buf_format(&data, "%s}", members);
	add_event(r, type, priority, r->subject, (struct span){data.text, data.length});
}

void event_run(struct run *r, const char *type, const char *members)
{
	add_run_event(r, type, NORMAL, members);
}

void event_need(struct run *r, const char *why)
{
	AUTO_BUF struct buf b = {0};

	buf_str(&b, ",\"why\":");
	buf_json(&b, why, strlen(why));
	add_run_event(r, "run.needs_human", HIGH, b.text);
}

/* Whole lines, or nothing: what a full disk took of them is taken back. */
static int write_lines(struct run *r)
{
	int code = io_write(r->log, r->lines.text, r->lines.length);

	if (code == 0)
		r->written += (off_t)r->lines.length;
	else if (ftruncate(r->log, r->written) < 0)
		code = -errno;
	return code;
}

static int sync_log(struct run *r)
{
	int64_t now = clock_now();

	if (now - r->synced < SYNC_EVERY_MS * NS_PER_MS)
		return 0;
	r->synced = now;
	return fdatasync(r->log) < 0 ? -errno : 0;
}

/* What cannot be written must not happen: a full disk holds the run, all else ends it. */
void log_write(struct run *r)
{
	struct err e = {0};
	int code;

	if (!r->lines.length)
		return;
	code = write_lines(r);
	if (code < 0)
		err_sys(&e, code, "%s/run.jsonl", r->path);
	if (hold_refused(r, code, e.text))
		return;
	buf_drop(&r->lines, r->lines.length);
	if (code == 0)
		code = sync_log(r);
	if (code == 0 || r->broken)
		return;
	errno = -code;
	warn_errno("%s/run.jsonl", r->path);
	r->broken = true;
}

/* The first so many are out of the way. */
static void drop_records(struct run *r, size_t count)
{
	size_t bytes = count ? r->record_end[count - 1] : 0;

	buf_drop(&r->records, bytes);
	r->record_count -= count;
	for (size_t i = 0; i < r->record_count; i++)
		r->record_end[i] = r->record_end[i + count] - bytes;
}

static void append_events(struct run *r)
{
	AUTO_FREE struct span *records = NULL;
	struct appended done;
	struct err e = {0};
	size_t at = 0;
	int code;

	if (!r->record_count)
		return;
	records = mem_zero(r->record_count, sizeof *records);
	for (size_t i = 0; i < r->record_count; i++) {
		records[i] = (struct span){r->records.text + at, r->record_end[i] - at};
		at = r->record_end[i];
	}
	code = journal_append(&r->journal, records, r->record_count, 0, &done, &e);
	r->appended = clock_now();
	if (hold_refused(r, code, e.text)) {
		drop_records(r, done.count);
		return;
	}
	if (code < 0)
		warn("%s", e.text);
	drop_records(r, r->record_count);
}

int64_t log_due(const struct run *r)
{
	int64_t every = r->hold.on ? EVENTS_HELD_MS : EVENTS_EVERY_MS;

	return r->record_count ? r->appended + every * NS_PER_MS : NS_FOREVER;
}

void log_flush(struct run *r, bool now)
{
	log_write(r);
	if (now || clock_now() >= log_due(r))
		append_events(r);
}
