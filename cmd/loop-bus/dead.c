/*
 * Dead letters: dead/NAME.jsonl holds the events that a handler could not
 * handle. redrive appends them to the journal again, for that handler alone.
 */
#include "handler.h"

#include "commands.h"

#include "choose.h"
#include "clock.h"
#include "die.h"
#include "io.h"
#include "mem.h"
#include "parse.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>

enum { FILE_MAX = 1 << 30 };

static struct {
	bool list;
} options;

const struct opt redrive_options[] = {
	{.name = "list", .letter = 'l', .help = "print them, send nothing", .flag = &options.list},
	OPT_TYPE,
	OPT_SUBJECT,
	OPT_WHERE,
	{0},
};

/* Opens a handler's file under its lock. */
static int dead_open(const struct state *s, const char *name, int flags, struct err *e)
{
	AUTO_CLOSE int dir = state_folder(s, "dead");
	char path[160];
	int fd;

	snprintf(path, sizeof path, "%s.jsonl", name);
	fd = dir < 0 ? dir : io_open(dir, path, flags | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_sys(e, fd, "dead/%s", path);
	while (flock(fd, LOCK_EX) < 0)
		if (errno != EINTR)
			return close(fd), err_sys(e, -errno, "dead/%s", path);
	return fd;
}

int dead_add(const struct state *s, const char *name, struct span event, int status,
	int64_t attempts, struct err *e)
{
	AUTO_CLOSE int fd = dead_open(s, name, O_WRONLY | O_APPEND | O_CREAT, e);
	AUTO_BUF struct buf line = {0};
	char time[TIME_SIZE];
	int r;

	if (fd < 0)
		return fd;
	buf_format(&line, "{\"time\":\"%s\",\"status\":%d,\"attempts\":%lld,\"event\":",
		format_time(time, clock_real()), status, (long long)attempts);
	buf_add(&line, event.p, event.n);
	buf_str(&line, "}\n");
	r = io_write(fd, line.text, line.length);
	return r < 0 ? err_sys(e, r, "dead/%s.jsonl", name) : 0;
}

/* The event's members but those that the journal gives or that are replaced. */
static void copy_members(struct buf *b, struct span event, const char *type, const char *handler)
{
	struct jscan walk;
	struct span key, value, id = {0};

	if (jscan_open(&walk, event) < 0)
		return;
	while (jscan_next(&walk, &key, &value) > 0) {
		if (jscan_is(key, "id"))
			id = value;
		if (jscan_is(key, "id") || jscan_is(key, "original") || jscan_is(key, "handler") ||
			(type && jscan_is(key, "type")))
			continue;
		buf_char(b, b->length > 1 ? ',' : ' ');
		buf_add(b, key.p, key.n);
		buf_char(b, ':');
		buf_add(b, value.p, value.n);
	}
	if (type)
		buf_format(b, ",\"type\":\"%s\"", type);
	if (id.n)
		buf_format(b, ",\"original\":%.*s", (int)id.n, id.p);
	if (handler)
		buf_format(b, ",\"handler\":\"%s\"", handler);
}

int append_again(struct journal *j, struct span event, const char *type, const char *handler,
	struct err *e)
{
	static const struct event missing = {.source = "/loop-bus", .priority = NORMAL};
	AUTO_BUF struct buf again = {0}, record = {0};
	struct appended done;
	int r;

	buf_char(&again, '{');
	copy_members(&again, event, type, handler);
	buf_char(&again, '}');
	r = event_from_json(&record, again.text, again.length, &missing, e);
	if (r < 0)
		return r;
	return journal_append(j, &(struct span){record.text, record.length}, 1,
		r == CRITICAL ? JOURNAL_SYNC : 0, &done, e);
}

struct redrive {
	const char *name;
	struct journal journal;
	struct filter filter;
	struct buf kept; /* lines that stay */
	uint64_t sent;
};

/* One dead letter: sent, printed, or kept. */
static void redrive_line(struct redrive *r, struct span line)
{
	struct event_view v;
	struct span event;
	struct err e = {0};
	bool chosen = jscan_get(line, "event", &event) &&
		event_view(event.p, event.n, &v) == 0 && filter_matches(&r->filter, &v, event);

	if (chosen && options.list)
		printf("%.*s\n", (int)line.n, line.p);
	if (chosen && !options.list && append_again(&r->journal, event, NULL, r->name, &e) == 0) {
		r->sent++;
		return;
	}
	if (e.text[0])
		warn("dead/%s.jsonl: %s", r->name, e.text);
	buf_add(&r->kept, line.p, line.n);
	buf_char(&r->kept, '\n');
}

/*
 * What stays replaces the file, in place: who waits for the lock has this very file open.
 * Killed in between, letters are sent again, never lost.
 */
static int keep_rest(int fd, const struct buf *kept)
{
	int r;

	if (lseek(fd, 0, SEEK_SET) < 0)
		return -errno;
	r = io_write(fd, kept->text, kept->length);
	if (r == 0 && ftruncate(fd, (off_t)kept->length) < 0)
		r = -errno;
	return r;
}

static void redrive_file(struct redrive *r, int fd)
{
	AUTO_BUF struct buf text = {0};
	const char *p, *end;
	int code = io_read_all(fd, FILE_MAX, &text);

	if (code < 0)
		die(EX_IOERR, "dead/%s.jsonl: %s", r->name, strerror(-code));
	end = text.text + text.length;
	for (p = text.text; p < end;) {
		const char *newline = memchr(p, '\n', (size_t)(end - p));
		const char *what;
		size_t n = (size_t)((newline ? newline : end) - p), at;

		if (jscan_check(p, n, &at, &what) == 0)
			redrive_line(r, (struct span){p, n});
		else
			warn("dead/%s.jsonl: a line that is no JSON is dropped", r->name);
		p += n + 1;
	}
	code = options.list ? 0 : keep_rest(fd, &r->kept);
	if (code < 0)
		die(EX_IOERR, "dead/%s.jsonl: %s", r->name, strerror(-code));
}

int redrive_main(const struct args *args)
{
	struct redrive r = {0};
	struct state state;
	struct err e = {0};
	int fd;

	args_expect(args, 1, 1);
	r.name = args->item[0];
	if (!name_valid(r.name))
		die_usage("'%s' is not a handler's name", r.name);
	choose(&r.filter, NULL);
	must_find_state(&state);
	journal_init(&r.journal, &state);
	fd = dead_open(&state, r.name, O_RDWR, &e);
	if (fd == -ENOENT)
		die(EXIT_NO, "dead/%s.jsonl: there are no dead letters", r.name);
	if (fd < 0)
		die_err(fd, &e);
	redrive_file(&r, fd);
	close(fd);
	if (r.sent)
		printf("%llu sent again\n", (unsigned long long)r.sent);
	journal_close(&r.journal);
	filter_clear(&r.filter);
	buf_clear(&r.kept);
	state_close(&state);
	return EXIT_SUCCESS;
}
