#include "program.h"

#include "clock.h"
#include "conn.h"
#include "die.h"
#include "io.h"
#include "job.h"
#include "mem.h"
#include "page.h"
#include "proc.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>

enum { OUTPUT_MAX = 8 << 20,
	PIECE = 65536,
	SAID_MAX = 65536,
	LOOK_MS = 100 /* at whether anybody waits for it still */ };

#define TIME_MAX (30 * NS_PER_S)

/* Takes in what it writes, to its end; false if that does not come. */
static bool read_output(struct job *j, int fd)
{
	int64_t deadline = clock_after(TIME_MAX);
	struct pollfd p = {.fd = fd, .events = POLLIN};
	ssize_t n;

	while (!j->left && clock_now() < deadline && j->body.length <= OUTPUT_MAX) {
		if (poll(&p, 1, LOOK_MS) <= 0)
			continue;
		n = io_read_some(fd, buf_reserve(&j->body, PIECE), PIECE);
		if (n <= 0)
			return n == 0;
		j->body.length += (size_t)n;
	}
	return false;
}

/* What it said instead of an answer: its first line. */
static void refuse(struct job *j, int exit_status, int said)
{
	AUTO_BUF struct buf text = {0};

	if (lseek(said, 0, SEEK_SET) < 0 || io_read_all(said, SAID_MAX, &text) < 0)
		buf_clear(&text);
	buf_add(&text, "", 0);
	text.text[strcspn(text.text, "\n")] = '\0';
	job_refuse(j, exit_status == EX_USAGE ? 400 : 500, text.text);
}

static int start(struct child *child, char *const *argv, int out, int error, struct err *e)
{
	return proc_spawn(child,
		&(struct spawn){.argv = argv, .in = -1, .out = out, .error = error}, e);
}

/* Its exit status; its output is the body. -1, and refused, if it did not come to an end. */
static int run(struct job *j, char *const *argv, int said)
{
	struct child child;
	struct err e = {0};
	int ends[2], r = io_pipe(ends);
	bool whole;

	if (r == 0) {
		r = start(&child, argv, ends[1], said, &e);
		close(ends[1]);
		if (r < 0)
			close(ends[0]);
	}
	if (r < 0) {
		AUTO_FREE char *why = mem_format("%s cannot be run: %s", argv[0], strerror(-r));

		job_refuse(j, 503, why);
		return -1;
	}
	whole = read_output(j, ends[0]);
	close(ends[0]);
	if (!whole)
		child_signal(&child, SIGKILL);
	r = child_wait(&child);
	if (whole)
		return r;
	job_refuse(j, 504, "it took too long, or told too much");
	return -1;
}

static bool run_or_refuse(struct job *j, char *const *argv)
{
	AUTO_CLOSE int said = memfd_create("said", MFD_CLOEXEC);
	int status = run(j, argv, said);

	if (status > 0)
		refuse(j, status, said);
	return status == 0;
}

/* --NAME=VALUE for those of the names that the query has. */
static void add_options(struct strs *argv, const struct job *j, const char *const *names)
{
	for (; *names; names++) {
		AUTO_BUF struct buf value = {0};

		if (query_get((struct span){j->query, strlen(j->query)}, *names, &value) > 0)
			strs_format(argv, "--%s=%s", *names, value.text);
	}
}

/* JSON lines as the members of one array. */
static void lines_to_array(struct buf *lines, const char *name)
{
	AUTO_BUF struct buf out = {0};

	while (lines->length && lines->text[lines->length - 1] == '\n')
		lines->length--;
	buf_format(&out, "{\"%s\":[", name);
	for (size_t i = 0; i < lines->length; i++) {
		if (lines->text[i] == '\n')
			buf_char(&out, ',');
		buf_char(&out, lines->text[i]);
	}
	buf_str(&out, "]}\n");
	buf_clear(lines);
	*lines = out;
	out = (struct buf){0};
}

static void tell_stat(struct job *j)
{
	static const char *const names[] = {
		"by", "since", "subject", "type", "value", "window", NULL};
	AUTO_STRS struct strs argv = {0};

	strs_add(&argv, "loop-stat");
	strs_add(&argv, "--json");
	add_options(&argv, j, names);
	if (run_or_refuse(j, argv.item))
		lines_to_array(&j->body, "series");
}

void stat_answer(struct conn *c)
{
	job_start(c, tell_stat, NULL, NULL);
}

static void tell_report(struct job *j)
{
	AUTO_FREE char *path = mem_format("runs/%s/run.jsonl", j->name);
	AUTO_CLOSE int log = state_file(j->state, path, O_RDONLY, 0);
	char *const argv[] = {(char[]){"loop"}, (char[]){"report"}, (char[]){"--html"},
		(char[]){"--"}, j->name, NULL};

	if (log < 0) {
		job_refuse(j, 404, "no such run");
		return;
	}
	if (!run_or_refuse(j, argv))
		return;
	j->type = "text/html; charset=utf-8";
	j->fields = mem_string(page_report_fields);
}

void report_answer(struct conn *c)
{
	job_start(c, tell_report, NULL, NULL);
}
