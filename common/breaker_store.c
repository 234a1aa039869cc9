/*
 * breaker_store: the file itself: read, locked, replaced, told to the journal.
 */
#include "breaker_file.h"

#include "clock.h"
#include "event.h"
#include "io.h"
#include "journal.h"

#include <errno.h>
#include <fcntl.h>

#define LOCK_WAIT (2 * NS_PER_S)

enum { FILE_MAX = 1 << 20,
	PATH_SIZE = 160 };

static char *file_path(const struct breaker *b, char out[PATH_SIZE])
{
	snprintf(out, PATH_SIZE, "breakers/%s.json", b->name);
	return out;
}

static int read_file(const struct breaker *b, struct buf *text, struct err *e)
{
	char path[PATH_SIZE];
	/* Not to be held up by a FIFO that somebody put there. */
	AUTO_CLOSE int fd = state_file(b->state, file_path(b, path), O_RDONLY | O_NONBLOCK, 0);
	int r = fd < 0 ? fd : io_read_all(fd, FILE_MAX, text);

	return r < 0 ? err_sys(e, r, "%s/%s", b->state->path, path) : 0;
}

/* None is a breaker that nobody has used. */
int breaker_load(const struct breaker *b, struct breaker_file *f, struct err *e)
{
	AUTO_BUF struct buf text = {0};
	struct err why = {0};
	int r = b->place ? b->place->get(b, &text, &why) : read_file(b, &text, &why);

	if (r == -ENOENT) {
		breaker_file_new(f, &b->wanted);
		return 0;
	}
	if (r < 0)
		return err_set(e, r, "%s", why.text);
	r = breaker_file_parse(f, text.text, text.length, &why);
	if (r < 0)
		return err_set(e, r, "breakers/%s.json: %s", b->name, why.text);
	if (b->place)
		b->place->arrive(b, f);
	breaker_settings_merge(&f->settings, &b->wanted);
	return 0;
}

static int put(const struct breaker *b, const struct breaker_file *f, struct err *e)
{
	struct breaker_file copy = *f;
	AUTO_BUF struct buf text = {0};

	b->place->leave(b, &copy);
	breaker_file_format(&copy, b->name, &text);
	return b->place->put(b, &text, e);
}

static int save(
	const struct breaker *b, const struct breaker_file *f, bool durable, struct err *e)
{
	int (*replace)(int, const char *, const void *, size_t, mode_t) =
		durable ? io_replace : io_replace_lazily;
	AUTO_BUF struct buf text = {0};
	char path[PATH_SIZE];
	int r;

	if (b->place)
		return put(b, f, e);
	breaker_file_format(f, b->name, &text);
	r = replace(b->state->dir, file_path(b, path), text.text, text.length, 0600);
	return r < 0 ? err_sys(e, r, "%s/%s", b->state->path, path) : 0;
}

/* Takes the lock: a descriptor, or -errno. */
static int take_lock(const struct breaker *b, struct err *e)
{
	char path[PATH_SIZE];
	AUTO_CLOSE int folder = state_folder(b->state, "breakers");
	int fd, r;

	snprintf(path, sizeof path, "breakers/.%s.lock", b->name);
	fd = folder < 0 ? folder : state_file(b->state, path, O_RDWR | O_CREAT, 0600);
	if (fd < 0)
		return err_sys(e, fd, "%s/%s", b->state->path, path);
	r = io_lock(fd, clock_after(LOCK_WAIT));
	if (r == 0)
		return fd;
	close(fd);
	return err_sys(e, r, "%s/%s", b->state->path, path);
}

/*
 * A file that says nothing is put aside, and the breaker starts anew. Its generation is
 * one that no permit of before has.
 */
static int repair(struct breaker *b, struct breaker_file *f, struct err *e)
{
	char path[PATH_SIZE], aside[PATH_SIZE + 8];

	snprintf(aside, sizeof aside, "%s.damaged", file_path(b, path));
	if (!b->place && renameat(b->state->dir, path, b->state->dir, aside) < 0)
		return err_sys(e, -errno, "%s/%s", b->state->path, path);
	breaker_file_new(f, &b->wanted);
	f->generation = clock_real() / NS_PER_S;
	b->repaired = true;
	return 0;
}

static void emit(const struct breaker *b, const struct breaker_file *f)
{
	static const char *const types[] = {
		[BREAKER_CLOSED] = "breaker.closed",
		[BREAKER_OPEN] = "breaker.opened",
		[BREAKER_HALF_OPEN] = "breaker.half_open",
		[BREAKER_HELD] = "breaker.opened",
		[BREAKER_OBSERVED] = "breaker.closed",
	};
	AUTO_BUF struct buf source = {0}, data = {0};
	struct window w = breaker_window(f);
	struct event event;
	struct journal j;
	char until[TIME_SIZE];

	buf_format(&source, "/breaker/%s", b->name);
	buf_format(&data, "{\"breaker\":\"%s\",\"state\":\"%s\",\"generation\":%lld", b->name,
		breaker_state_name(f->state), (long long)f->generation);
	buf_format(&data, ",\"failures\":%lld,\"calls\":%lld,\"why\":", (long long)w.failures,
		(long long)w.calls);
	buf_json(&data, f->why, strlen(f->why));
	if (f->until)
		buf_format(&data, ",\"until\":\"%s\"", format_time(until, f->until));
	buf_char(&data, '}');
	event = (struct event){
		.type = types[f->state],
		.source = source.text,
		.subject = b->name,
		.runid = getenv("LOOP_RUN"),
		.sessionid = getenv("LOOP_SESSION"),
		.priority = f->state == BREAKER_OPEN ? HIGH : NORMAL,
		.data = {data.text, data.length},
	};
	journal_init(&j, b->state);
	journal_emit(&j, &event);
	journal_close(&j);
}

/* Tells the journal, and notes that it was told. */
static int tell(const struct breaker *b, struct breaker_file *f, struct err *e)
{
	f->told = true;
	emit(b, f);
	return save(b, f, true, e);
}

int breaker_open_locked(struct breaker *b, struct breaker_file *f, int *lock, struct err *e)
{
	struct err damage = {0};
	int r;

	*lock = b->place ? -1 : take_lock(b, e);
	if (*lock < 0 && !b->place)
		return *lock;
	r = breaker_load(b, f, &damage);
	if (r == -EINVAL)
		r = repair(b, f, e);
	else if (r < 0)
		err_set(e, r, "%s", damage.text);
	else if (!f->told)
		r = tell(b, f, e); /* a killed process owed it */
	return r;
}

int breaker_commit(const struct breaker *b, struct breaker_file *f, int64_t before, struct err *e)
{
	int r;

	f->told = f->generation == before;
	/* Of outcomes alone, what a power cut can take is a count. */
	r = save(b, f, !f->told || f->state != BREAKER_CLOSED, e);
	return r < 0 || f->told ? r : tell(b, f, e);
}
