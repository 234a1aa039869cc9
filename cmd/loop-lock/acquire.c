/*
 * What acquiring has in common, and the form for scripts: the lock lives on a
 * descriptor that the script itself opened, so it dies with the script.
 */
#include "loop-lock.h"

#include "buf.h"
#include "clock.h"
#include "die.h"
#include "id.h"
#include "lock_bytes.h"
#include "lock_file.h"
#include "lock_owners.h"
#include "lock_wake.h"
#include "parse.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#define GIVE_BACK (30 * NS_PER_S) /* until it is left to the end of its lease */

/* Cuts ":N" or "/N" off the end. */
static void cut_number(char *text, char mark, const char *what, int64_t *out)
{
	char *at = strrchr(text, mark);

	if (!at || !at[1] || at[1 + strspn(at + 1, "0123456789")])
		return;
	if (parse_int(at + 1, 1, LOCK_CAPACITY_MAX, out) < 0)
		die_usage("'%s': %s is a number from 1 to %d", at, what, LOCK_CAPACITY_MAX);
	*at = '\0';
}

void want_parse(struct lock_want *want, char *text)
{
	*want = (struct lock_want){.name = text, .units = 1, .shared = choices.shared};
	cut_number(text, '/', "the capacity", &want->capacity);
	cut_number(text, ':', "the number of units", &want->units);
	if (want->shared && want->units > 1)
		die_usage("--shared is for plain locks, not for units of '%s'", text);
}

struct lock_options choices_options(const char *command, struct state *state)
{
	const char *slash = strrchr(command, '/');
	struct lock_options o = {
		.timeout = NS_FOREVER,
		.priority = choices.level * 25,
		.label = choices.label ? choices.label : slash ? slash + 1
							       : command,
		.tell = tell_news,
		.context = state,
	};

	if (choices.nonblock && choices.timeout > 0)
		die_usage("--nonblock and --timeout exclude each other");
	if (choices.nonblock)
		o.timeout = 0;
	else if (choices.timeout >= 0)
		o.timeout = choices.timeout;
	return o;
}

void add_slots(struct buf *b, const struct lock *lock, size_t i)
{
	int64_t slot;

	for (int64_t n = 0; (slot = lock_slot(lock, i, n)) >= 0; n++) {
		buf_str(b, n ? "," : "");
		buf_int(b, slot);
	}
}

int refuse(int code, const struct err *e, int timed_out)
{
	switch (-code) {
	case EAGAIN:
	case EDEADLK:
	case ECANCELED:
	case EBUSY: warn("%s", e->text); return EX_TEMPFAIL;
	case ETIMEDOUT: warn("%s", e->text); return timed_out;
	default: die_err(code, e);
	}
}

void open_state(struct state *state)
{
	struct err e = {0};
	int r;

	stay_here();
	r = state_open(state, &e);

	if (r < 0)
		die_err(r, &e);
}

void find_state(struct state *state)
{
	struct err e = {0};
	int r;

	stay_here();
	r = state_find(state, &e);

	if (r < 0)
		die_err(r, &e);
}

int open_lock(const struct state *state, const char *name)
{
	struct err e = {0};
	int fd = lock_file_open(state, name, &e);

	if (fd < 0)
		die_err(fd, &e);
	return fd;
}

int run_path(const struct args *args)
{
	AUTO(state_close)
	struct state state = {.dir = -1};
	AUTO_CLOSE int fd = -1;

	args_expect(args, 1, 1);
	open_state(&state);
	fd = open_lock(&state, args->item[0]);
	printf("%s/locks/%s.lk\n", state.path, args->item[0]);
	return EXIT_SUCCESS;
}

static int script_descriptor(void)
{
	if (choices.fd < 3)
		die_usage("--fd is needed: the number of a descriptor that the script opened, "
			  "3 or more");
	if (fcntl((int)choices.fd, F_GETFD) < 0)
		die(EX_USAGE, "descriptor %d is not open", (int)choices.fd);
	return (int)choices.fd;
}

int run_acquire(const struct args *args)
{
	AUTO(state_close)
	struct state state = {.dir = -1};
	AUTO_BUF struct buf slots = {0};
	struct lock_options options;
	struct lock_want want;
	struct lock *lock;
	struct err e = {0};
	char name[PROCESS_NAME_SIZE];
	int r, fd;

	args_expect(args, 1, 1);
	fd = script_descriptor();
	want_parse(&want, args->item[0]);
	options = choices_options(process_name(getppid(), name), &state);
	options.fd = fd;
	options.pid = getppid();
	open_state(&state);
	if (lock_descriptor_holds(fd))
		die(EX_USAGE, "descriptor %d holds a lock already", fd);
	r = lock_acquire(&lock, &state, &want, 1, &options, &e);
	if (r < 0)
		return refuse(r, &e, EX_TEMPFAIL);
	add_slots(&slots, lock, 0);
	if (choices.print)
		printf("%lld %s\n", (long long)lock_token(lock, 0), slots.text);
	lock_release(lock);
	return EXIT_SUCCESS;
}

/* Of a hold in Redis: whoever renews it for the script gives it back. */
static int give_back(const struct state *state, const char *name, int fd, int64_t token)
{
	AUTO_CLOSE int file = open_lock(state, name);
	int64_t deadline = clock_after(GIVE_BACK);
	struct lock_range keeper;
	bool kept = lock_bytes_owned(file, LOCK_KEEPER + token, 1, &keeper) > 0;
	int r = lock_bytes_free(fd, LOCK_LEASE + token, 1);

	if (r < 0)
		die(EX_IOERR, "locks/%s: %s", name, strerror(-r));
	if (!kept) {
		warn("locks/%s: it was lost before", name);
		return EXIT_NO;
	}
	while (lock_bytes_owned(file, LOCK_KEEPER + token, 1, &keeper) > 0) {
		if (clock_now() >= deadline)
			die(EX_TEMPFAIL, "locks/%s: it is free when its lease ends", name);
		clock_sleep(NS_PER_MS);
	}
	return EXIT_SUCCESS;
}

/* The byte by which the script's descriptor holds this very lock; 0: it does not. */
static int64_t hold_of(const struct state *state, const char *name, int fd)
{
	struct stat ours, theirs;
	char path[160];

	snprintf(path, sizeof path, "locks/%.128s.lk", name);
	if (fstatat(state->dir, path, &ours, AT_SYMLINK_NOFOLLOW) < 0 || fstat(fd, &theirs) < 0 ||
		ours.st_ino != theirs.st_ino || ours.st_dev != theirs.st_dev)
		return 0;
	return lock_descriptor_holds(fd);
}

int run_release(const struct args *args)
{
	AUTO(state_close)
	struct state state = {.dir = -1};
	const struct lock_options options = {.tell = tell_news, .context = &state};
	struct lock_bell bell;
	int64_t hold;
	int fd, r;

	args_expect(args, 1, 1);
	fd = script_descriptor();
	find_state(&state);
	hold = hold_of(&state, args->item[0], fd);
	if (!hold) {
		warn("locks/%s: is not held on descriptor %d", args->item[0], fd);
		return EXIT_NO;
	}
	if (hold >= LOCK_LEASE)
		return give_back(&state, args->item[0], fd, hold - LOCK_LEASE);
	r = lock_bytes_free(fd, LOCK_WAIT, LOCK_SLOT + LOCK_CAPACITY_MAX - LOCK_WAIT);
	if (r < 0)
		die(EX_IOERR, "locks/%s: %s", args->item[0], strerror(-r));
	bell = lock_bell_of(fd);
	lock_bell_ring(&bell);
	lock_tell_ended(&state, args->item[0], LOCK_SEEN_HOLDER, &options);
	return EXIT_SUCCESS;
}
