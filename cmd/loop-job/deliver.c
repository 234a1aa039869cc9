#include "deliver.h"

#include "loop-job.h"

#include "die.h"
#include "io.h"
#include "mem.h"
#include "parcel.h"

#include <errno.h>
#include <fcntl.h>

enum { REPORT_MAX = 1 << 16 };

/* What is reported of the end. */
struct end {
	int64_t status, ms;
	char *reason, *worker;
};

static void clear(struct end *end)
{
	free(end->reason);
	free(end->worker);
}

static void add_text(struct buf *b, const char *key, const char *text)
{
	if (!text)
		return;
	buf_format(b, ",\"%s\":", key);
	buf_json(b, text, strlen(text));
}

/* Written whole, behind all else: where it is there, everything is. */
static void write_report(const struct deliver *d, const struct end *end)
{
	AUTO_BUF struct buf b = {0};
	int r;

	if (!d->report)
		return;
	buf_format(&b, "{\"status\":%lld", (long long)end->status);
	add_text(&b, "job", d->name);
	add_text(&b, "worker", end->worker);
	add_text(&b, "reason", end->reason);
	buf_format(&b, ",\"ms\":%lld}\n", (long long)end->ms);
	r = io_replace(AT_FDCWD, d->report, b.text, b.length, 0600);
	if (r < 0)
		die(die_status(r), "%s: %s", d->report, strerror(-r));
}

static void write_output(int fd, struct span bytes)
{
	int r = io_write(fd, bytes.p, bytes.n);

	if (r < 0)
		die(EX_IOERR, "standard %s: %s", fd == STDOUT_FILENO ? "output" : "error",
			strerror(-r));
}

/* A worker says which file it is, but we say which may come. */
static void write_file(const char *name, struct span bytes, const struct strs *outputs)
{
	const char *path = NULL;
	int r;

	for (size_t i = 0; !path && i < outputs->count; i++)
		if (strcmp(outputs->item[i], name) == 0)
			path = getenv(name);
	if (!path)
		return;
	r = io_replace(AT_FDCWD, path, bytes.p, bytes.n, 0600);
	if (r < 0)
		die(die_status(r), "%s: %s", path, strerror(-r));
}

static void take(const struct piece *p, const struct strs *outputs, struct end *end)
{
	const size_t prefix = sizeof FILE_PREFIX - 1;
	int r = 0;

	if (piece_is(p, "out"))
		write_output(STDOUT_FILENO, p->bytes);
	else if (piece_is(p, "err"))
		write_output(STDERR_FILENO, p->bytes);
	else if (strncmp(p->name, FILE_PREFIX, prefix) == 0)
		write_file(p->name + prefix, p->bytes, outputs);
	else if (piece_is(p, "status"))
		r = piece_number(p, &end->status);
	else if (piece_is(p, "ms"))
		r = piece_number(p, &end->ms);
	else if (piece_is(p, "reason") && !end->reason)
		end->reason = piece_text(p);
	else if (piece_is(p, "worker") && !end->worker)
		end->worker = piece_text(p);
	if (r < 0)
		end->status = -1;
}

int deliver(const struct deliver *d, const struct buf *answer, const struct strs *outputs)
{
	AUTO(clear)
	struct end end = {.status = -1};
	struct span rest;
	struct piece p;
	int r = parcel_open(&rest, answer->text, answer->length);

	while (r == 0 && (r = parcel_next(&rest, &p)) > 0) {
		take(&p, outputs, &end);
		r = 0;
	}
	if (r < 0 || end.status < 0 || end.status > 255)
		die(EX_PROTOCOL, "job %s: an answer without sense", d->name);
	write_report(d, &end);
	return (int)end.status;
}

int deliver_lost(const struct deliver *d, const char *why)
{
	AUTO(clear)
	struct end end = {.status = EXIT_OWN, .reason = mem_format("lost: %s", why)};

	warn("job %s: %s", d->name, end.reason);
	write_report(d, &end);
	return EXIT_OWN;
}

int deliver_before(const char *report)
{
	AUTO_BUF struct buf text = {0};
	struct span status;
	int64_t number;

	if (!report || io_read_file(AT_FDCWD, report, REPORT_MAX, &text) < 0)
		return -1;
	if (!jscan_get((struct span){text.text, text.length}, "status", &status) ||
		jscan_int(status, &number) < 0 || number < 0 || number > 255)
		return -1;
	return (int)number;
}

void deliver_note(struct span note)
{
	const char *path = getenv("LOOP_PROGRESS");
	AUTO_BUF struct buf before = {0};

	if (!path || !note.n)
		return;
	if (io_read_file(AT_FDCWD, path, note.n, &before) == 0 && before.length == note.n &&
		memcmp(before.text, note.p, note.n) == 0)
		return;
	if (io_replace(AT_FDCWD, path, note.p, note.n, 0600) < 0)
		warn_errno("%s", path);
}
