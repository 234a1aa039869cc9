/* Where events come from: files, and the journal. */
#include "stat.h"

#include "clock.h"
#include "die.h"
#include "event.h"
#include "io.h"
#include "journal.h"
#include "lines.h"
#include "parse.h"
#include "pattern.h"

#include <fcntl.h>

#define FRAME (100 * NS_PER_MS) /* between two pictures, at least */

/* Whether an attribute's text is as it is wanted; word is room for it. */
static bool matches(struct span attribute, const char *pattern, char separator, struct buf *word)
{
	if (!pattern)
		return true;
	word->length = 0;
	return jscan_text(attribute, word) == 0 &&
		pattern_match(pattern, separator, word->text, word->length);
}

static void take(struct windows *w, const char *text, size_t length)
{
	const struct question *q = w->question;
	AUTO_BUF struct buf word = {0};
	struct event_view v;
	int64_t time;

	if (!length)
		return;
	if (event_view(text, length, &v) < 0 || !v.type.n || jscan_text(v.time, &word) < 0 ||
		parse_rfc3339(word.text, word.length, &time) < 0 || time < 0) {
		w->odd++;
		return;
	}
	if (time >= q->since && matches(v.type, q->type, PATTERN_TYPE, &word) &&
		matches(v.subject, q->subject, PATTERN_SUBJECT, &word))
		windows_add(w, (struct span){text, length}, time);
}

static void take_checked(struct windows *w, const char *text, size_t length)
{
	const char *what;
	size_t at;

	if (jscan_check(text, length, &at, &what) < 0)
		w->odd++;
	else
		take(w, text, length);
}

void read_file(struct windows *w, const char *name)
{
	AUTO_CLOSE int fd = strcmp(name, "-") == 0 ? dup(STDIN_FILENO)
						   : io_open(AT_FDCWD, name, O_RDONLY, 0);
	struct lines lines = {.max = EVENT_MAX};
	size_t length;
	ssize_t n = 0;
	char *line;

	if (fd < 0)
		die(EX_NOINPUT, "%s: %s", name, strerror(-fd));
	while ((n = io_read_some(fd, lines_room(&lines, 65536), 65536)) > 0) {
		lines_fed(&lines, (size_t)n);
		while (lines_next(&lines, &line, &length))
			take_checked(w, line, length);
	}
	if (n < 0)
		die(die_status((int)n), "%s: %s", name, strerror((int)-n));
	if (lines_rest(&lines, &line, &length))
		take_checked(w, line, length);
	w->odd += lines.oversize;
	lines_clear(&lines);
}

static void read_on(struct windows *w, struct journal_reader *reader)
{
	struct journal_line line;
	int r;

	while ((r = journal_read(reader, &line)) > 0)
		take(w, line.text, line.length);
	if (r < 0)
		die(EX_IOERR, "the journal: %s", strerror(-r));
}

void read_journal(struct windows *w, bool go_on, void (*caught_up)(const struct windows *))
{
	struct journal_reader *reader;
	struct err e = {0};
	struct state s;
	int r = state_find(&s, &e);

	if (r == 0)
		r = journal_reader_new(&reader, &s, JOURNAL_FROM_START, 0, &e);
	if (r < 0)
		die_err(r, &e);
	read_on(w, reader);
	while (go_on) {
		if (caught_up) {
			caught_up(w);
			clock_sleep(FRAME);
		}
		journal_wait(reader, NS_FOREVER);
		read_on(w, reader);
	}
	w->odd += journal_damaged(reader);
	journal_reader_free(reader);
	state_close(&s);
}
