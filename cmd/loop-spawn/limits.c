#include "limits.h"

#include "clock.h"
#include "die.h"
#include "io.h"
#include "lock.h"
#include "mem.h"
#include "parse.h"
#include "signals.h"

#include <errno.h>
#include <fcntl.h>

#define UNKNOWN_WAIT (300 * NS_PER_S)
#define PASSED_WAIT (10 * NS_PER_S) /* our clock is not theirs, or it was told in whole minutes */
#define START_WAIT (600 * NS_PER_S) /* a start that hangs that long bounds nobody any more */

static char *limits_path(const struct session *s)
{
	return mem_format("limits/%s.json", s->agent.name);
}

/* A limit that was met has not ended yet, whatever is said of its end. */
static int64_t end_of(int64_t resets_at)
{
	int64_t now = clock_real(), end = resets_at * NS_PER_S;

	if (!resets_at)
		return now + UNKNOWN_WAIT;
	return end > now ? end : now + PASSED_WAIT;
}

void limits_note(const struct session *s, int64_t resets_at)
{
	AUTO_FREE char *path = limits_path(s);
	AUTO_BUF struct buf text = {0};
	char until[TIME_SIZE], now[TIME_SIZE];
	int folder = state_folder(&s->state, "limits"), r = folder;
	int64_t end = end_of(resets_at);

	if (folder >= 0) {
		close(folder);
		buf_format(&text,
			"{\"agent\":\"%s\",\"until\":\"%s\",\"told\":%s,\"session\":\"%s\","
			"\"time\":\"%s\"}\n",
			s->agent.name, format_time(until, end), resets_at ? "true" : "false", s->id,
			format_time(now, clock_real()));
		r = io_replace(s->state.dir, path, text.text, text.length, 0600);
	}
	if (r < 0)
		warn("%s/%s: %s", s->state.path, path, strerror(-r));
}

void limits_hint(int64_t resets_at)
{
	const char *path = getenv("LOOP_RETRY_AFTER");
	AUTO_CLOSE int fd = -1;
	char text[TIME_SIZE];
	int r;

	if (!path || !resets_at)
		return;
	format_time(text, resets_at * NS_PER_S);
	/* Written where it is: it may be a file without a folder, behind /proc. */
	r = fd = io_open(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd >= 0)
		r = io_write(fd, text, strlen(text));
	if (r < 0)
		warn("%s: %s", path, strerror(-r));
}

/* When the limit that was noted ends, 0 if none was or nobody can read it. */
static int64_t noted_until(const struct session *s)
{
	AUTO_FREE char *path = limits_path(s);
	const char *until = NULL;
	struct err e = {0};
	int64_t ns = 0;
	int code;
	AUTO_JSON json_t *j = json_read(s->state.dir, path, 1 << 16, &code, &e);

	if (!j || json_get_text(j, "until", &until, &e) <= 0 ||
		parse_rfc3339(until, strlen(until), &ns) < 0)
		return 0;
	return ns;
}

bool limits_wait(struct session *s, int64_t *until)
{
	int64_t end, now;

	if (!s->config->quota_wait)
		return true;
	while ((end = noted_until(s)) > (now = clock_real())) {
		*until = end / NS_PER_S;
		if (!s->waiting_since)
			s->waiting_since = now;
		if (end - s->waiting_since > s->config->quota_wait)
			return false;
		session_save(s, "waiting", NULL);
		/* Somebody may note another end meanwhile: look again each minute. */
		if (!signals_sleep(MIN(end - now, 60 * NS_PER_S)))
			return false;
	}
	return true;
}

struct lock *limits_start(struct session *s)
{
	AUTO_FREE char *name = mem_format("start:%s", s->agent.name);
	struct lock_want want = {.name = name, .units = 1};
	const struct lock_options options = {.timeout = START_WAIT, .label = s->id};
	struct lock *lock = NULL;
	struct err e = {0};
	int r;

	if (json_get_int(s->agent.about, "starts", 1, LOCK_CAPACITY_MAX, &want.capacity, &e) < 0)
		die(EX_CONFIG, "agent.json: %s", e.text);
	if (!want.capacity)
		return NULL;
	signals_open();
	r = lock_acquire(&lock, &s->state, &want, 1, &options, &e);
	signals_close();
	if (r < 0 && r != -EINTR && r != -ETIMEDOUT)
		warn("%s: %s", name, e.text); /* better started at once than not at all */
	return r < 0 ? NULL : lock;
}
