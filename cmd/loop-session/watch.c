/*
 * The command watch: a live session's events as plain lines, woken by the
 * kernel. It ends when the session has ended, or when its owner is gone.
 */
#include "commands.h"

#include "clock.h"
#include "die.h"
#include "io.h"
#include "lines.h"
#include "mem.h"
#include "narrate.h"
#include "out.h"
#include "parse.h"
#include "source.h"
#include "watch.h"
#include "words.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>

static bool only_new;

const struct opt watch_options[] = {
	{"new", 0, NULL, "only what happens from now on", .flag = &only_new},
	{"json", 0, NULL, "the events as they stand, one a line", .flag = &source_json},
	{0},
};

enum { LOOK_MS = 1000, /* how often its owner is looked at */
	LINE_MAX_BYTES = 32 << 20,
	READ_ROOM = 1 << 16 };

struct watching {
	struct source source;
	struct narrator narrator;
	struct lines lines;
	int fd;	       /* of events.jsonl; -1: not there yet */
	int64_t last;  /* the time of the newest event */
	bool replaced; /* the file is a shortened copy: what was seen already comes again */
};

static void take_line(struct watching *w, const char *line, size_t length)
{
	struct step s;

	if (!length || step_parse(&s, line, length) < 0)
		return;
	if (w->replaced && s.time <= w->last)
		return;
	w->replaced = false;
	w->last = MAX(w->last, s.time);
	narrate_step(&w->narrator, &s);
}

static void read_on(struct watching *w)
{
	size_t length;
	char *line;
	ssize_t n;

	while (w->fd >= 0 &&
		(n = io_read_some(w->fd, lines_room(&w->lines, READ_ROOM), READ_ROOM)) > 0) {
		lines_fed(&w->lines, (size_t)n);
		while (lines_next(&w->lines, &line, &length))
			take_line(w, line, length);
	}
}

/* A log that outgrew its bound is replaced by its head and its tail. */
static bool is_replaced(const struct watching *w)
{
	struct stat ours, there;

	if (w->fd < 0)
		return true;
	return stat(w->source.path, &there) == 0 && fstat(w->fd, &ours) == 0 &&
		ours.st_ino != there.st_ino;
}

static void read_news(struct watching *w)
{
	read_on(w);
	if (!is_replaced(w))
		return;
	if (w->fd >= 0) {
		close(w->fd);
		w->replaced = true;
	}
	lines_clear(&w->lines);
	w->fd = io_open(AT_FDCWD, w->source.path, O_RDONLY | O_NOFOLLOW, 0);
	read_on(w);
}

static bool look_again(struct watching *w)
{
	struct record r;

	if (record_read(&r, &w->source.state, w->source.record.id) < 0)
		return false; /* somebody removed it */
	record_clear(&w->source.record);
	w->source.record = r;
	return record_live(&r);
}

static void skip_to_now(struct watching *w)
{
	w->fd = io_open(AT_FDCWD, w->source.path, O_RDONLY | O_NOFOLLOW, 0);
	if (w->fd >= 0 && lseek(w->fd, 0, SEEK_END) < 0)
		die_errno(EX_IOERR, "%s", w->source.path);
}

static void follow(struct watching *w)
{
	AUTO_FREE char *folder = mem_format(
		"%s/sessions/%s", w->source.state.path, w->source.record.id);
	struct pollfd p = {.fd = watch_folder(folder), .events = POLLIN};
	bool live;

	do {
		live = look_again(w);
		read_news(w);
		if (fflush(stdout) < 0)
			die_errno(EX_IOERR, "stdout");
		if (live && poll(&p, 1, p.fd < 0 ? LOOK_MS / 4 : LOOK_MS) > 0)
			watch_drain(p.fd, "");
	} while (live);
	if (p.fd >= 0)
		close(p.fd);
}

static void say_end(const struct watching *w)
{
	const struct record *r = &w->source.record;
	char took[DURATION_SIZE], cost[DOLLARS_SIZE];
	int64_t ns = record_duration(r);
	AUTO_BUF struct buf out = {0};

	buf_format(&out, "%s", r->state == RECORD_ENDED ? "ended: " : "");
	words_line(&out, record_outcome(r), strlen(record_outcome(r)), 40);
	if (ns >= 0)
		buf_format(&out, " after %s", format_duration(took, ns));
	buf_format(&out, ", cost %s", words_dollars(cost, r->cost_known, r->cost));
	if (*r->message) {
		buf_str(&out, ": ");
		words_line(&out, r->message, strlen(r->message), 300);
	}
	buf_char(&out, '\n');
	out_text(&out);
}

int watch_run(const struct args *args)
{
	struct watching w = {.lines = {.max = LINE_MAX_BYTES}, .fd = -1};
	bool success;

	source_open(&w.source, args);
	if (!w.source.recorded)
		die_usage("watch takes a session, not a file");
	w.narrator.json = source_json;
	w.narrator.start = w.source.record.started;
	if (only_new)
		skip_to_now(&w);
	follow(&w);
	narrate_end(&w.narrator);
	if (!source_json)
		say_end(&w);
	success = w.source.record.success;
	if (w.fd >= 0)
		close(w.fd);
	lines_clear(&w.lines);
	source_close(&w.source);
	return success ? 0 : EXIT_NO;
}
