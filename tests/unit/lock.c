#include "unit.h"

#include "buf.h"
#include "clock.h"
#include "io.h"
#include "lock.h"
#include "lock_bytes.h"
#include "lock_place.h"
#include "lock_table.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/wait.h>

static const struct lock_options at_once = {.timeout = 0, .priority = 50, .label = "unit"};

static struct state open_here(void)
{
	struct err e = {0};
	struct state s;

	CHECK_INT(setenv("LOOP_DIR", "state", 1), 0);
	CHECK_INT(state_open(&s, &e), 0);
	return s;
}

static int acquire(struct lock **lock, const struct state *s, const char *name, int64_t units,
	int64_t capacity, bool shared)
{
	struct lock_want want = {
		.name = name,
		.units = units,
		.capacity = capacity,
		.shared = shared,
	};

	return lock_acquire(lock, s, &want, 1, &at_once, NULL);
}

/* Until as many wait in the table of the lock "a". */
static void await_waiters(const struct state *s, int n)
{
	for (int found = 0; found != n; clock_sleep(NS_PER_MS)) {
		AUTO_BUF struct buf text = {0};

		CHECK_INT(io_read_file(s->dir, "locks/a.lk", 1 << 20, &text), 0);
		found = 0;
		for (const char *p = text.text; (p = strstr(p, "\nwait")); p++)
			found++;
	}
}

static void reap(pid_t pid)
{
	int status;

	CHECK_INT(waitpid(pid, &status, 0), pid);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

TEST(lock_rows_are_read_as_they_were_written)
{
	struct lock_row row = {
		.line = 2,
		.state = LOCK_HANGS,
		.ticket = 999999999999,
		.token = 1,
		.key = -240000,
		.priority = 100,
		.units = 4096,
		.pid = 4194304,
		.start = 99999999999,
		.slot = 4095,
		.since = "2026-11-21T08:00:00.123Z",
	};
	struct lock_table t = {.head = {.capacity = 4096, .ticket = 7, .token = 8}};
	int fd = io_open(AT_FDCWD, "t", O_RDWR | O_CREAT, 0600);

	lock_label(row.label, "make\x1b[2J -j4 \xc3\xa4 and more of it");
	CHECK_STR(row.label, "make?[2J -j4 ?? and mor");
	CHECK_INT(lock_table_start(&t, fd), 0);
	CHECK_INT(lock_row_write(&row, fd), 0);
	CHECK(lock_row_stands(&row, fd));
	CHECK_INT(lock_table_read(&t, fd, 3 * LOCK_LINE), 0);
	CHECK_INT(t.head.capacity, 4096);
	CHECK_INT(t.head.ticket, 7);
	CHECK_INT(t.count, 1);
	CHECK_INT(memcmp(&t.row[0], &row, offsetof(struct lock_row, since)), 0);
	CHECK_STR(t.row[0].since, row.since);
	CHECK_STR(t.row[0].label, row.label);
	CHECK_INT(lseek(fd, 0, SEEK_END), 3 * LOCK_LINE);
	CHECK_INT(lock_table_line(&t), 3);
	CHECK_INT(lock_row_drop(&t.row[0], fd), 0);
	CHECK(!lock_row_stands(&row, fd));
	CHECK_INT(lock_table_line(&t), 2);
	lock_table_clear(&t);
	close(fd);
}

/* Every byte of a row may be anything: it is read right or not at all. */
TEST(lock_spoilt_rows_are_no_rows)
{
	struct lock_row row = {.line = 2, .state = LOCK_WAITS, .ticket = 5, .units = 1, .pid = 9};
	struct lock_table t = {.head = {.capacity = 1, .ticket = 7, .token = 8}};
	int fd = io_open(AT_FDCWD, "t", O_RDWR | O_CREAT, 0600);

	lock_since(row.since);
	CHECK_INT(lock_table_start(&t, fd), 0);
	CHECK_INT(lock_row_write(&row, fd), 0);
	for (int at = 0; at < LOCK_LINE; at++) {
		char kept, rubbish = "x\n\0-9"[at % 5];

		CHECK_INT(pread(fd, &kept, 1, 2 * LOCK_LINE + at), 1);
		CHECK_INT(pwrite(fd, &rubbish, 1, 2 * LOCK_LINE + at), 1);
		CHECK_INT(lock_table_read(&t, fd, 3 * LOCK_LINE), 0);
		if (t.count)
			CHECK(t.row[0].ticket >= 0 && t.row[0].units > 0 && t.row[0].pid > 0);
		CHECK_INT(pwrite(fd, &kept, 1, 2 * LOCK_LINE + at), 1);
	}
	for (int length = 0; length <= 3 * LOCK_LINE; length++) {
		int r = lock_table_read(&t, fd, (size_t)length);

		CHECK_INT(r == 0, length >= LOCK_LINE);
		CHECK_INT(r == -ENODATA, length == 0);
		CHECK_INT(t.count, length == 3 * LOCK_LINE);
	}
	lock_table_clear(&t);
	close(fd);
}

TEST(lock_slots_fill_the_gaps)
{
	int a = io_open(AT_FDCWD, "t", O_RDWR | O_CREAT, 0600);
	int b = io_open(AT_FDCWD, "t", O_RDWR, 0);
	struct lock_slots s = {0};

	CHECK_INT(lock_bytes_own(a, LOCK_SLOT + 1, 1), 0);
	CHECK_INT(lock_bytes_own(a, LOCK_SLOT + 4, 2), 0);
	CHECK_INT(lock_slots_free(b, 8, 4), 4);
	CHECK_INT(lock_slots_free(b, 8, 8), 5);
	CHECK_INT(lock_slots_own(b, 8, 6, &s), 0);
	CHECK_INT(s.units, 0);
	CHECK_INT(lock_slots_own(b, 8, 4, &s), 1);
	CHECK_INT(s.count, 3);
	CHECK_INT(s.run[0].at - LOCK_SLOT, 0);
	CHECK_INT(s.run[1].at - LOCK_SLOT, 2);
	CHECK_INT(s.run[1].count, 2);
	CHECK_INT(s.run[2].at - LOCK_SLOT, 6);
	CHECK_INT(s.run[2].count, 1);
	lock_slots_clear(&s);
	CHECK_INT(lock_bytes_own(a, LOCK_SLOT + 6, 1), -EAGAIN);
	CHECK_INT(lock_bytes_own(a, LOCK_SLOT + 7, 1), 0);
	close(a);
	close(b);
}

TEST(lock_excludes_shares_and_counts)
{
	struct state s = open_here();
	struct lock *a, *b, *c;

	CHECK_INT(acquire(&a, &s, "x", 1, 0, false), 0);
	CHECK_INT(acquire(&b, &s, "x", 1, 0, false), -EAGAIN);
	CHECK_INT(acquire(&b, &s, "x", 1, 0, true), -EAGAIN);
	lock_release(a);
	CHECK_INT(acquire(&a, &s, "x", 1, 0, true), 0);
	CHECK_INT(acquire(&b, &s, "x", 1, 0, true), 0);
	CHECK_INT(acquire(&c, &s, "x", 1, 0, false), -EAGAIN);
	CHECK_INT(acquire(&c, &s, "x", 1, 2, false), -EINVAL);
	lock_release(a);
	lock_release(b);
	CHECK_INT(acquire(&a, &s, "x", 2, 3, false), 0);
	CHECK_INT(acquire(&b, &s, "x", 2, 0, false), -EAGAIN);
	CHECK_INT(acquire(&b, &s, "x", 1, 3, false), 0);
	CHECK_INT(lock_slot(b, 0, 0), 2);
	CHECK_INT(lock_slot(b, 0, 1), -1);
	CHECK(lock_token(b, 0) > lock_token(a, 0));
	lock_release(a);
	lock_release(b);
	lock_release(NULL);
	state_close(&s);
}

TEST(lock_inherited_holds_until_the_heir_is_gone)
{
	struct state s = open_here();
	struct lock *a, *b;
	pid_t pid;

	CHECK_INT(acquire(&a, &s, "x", 1, 0, false), 0);
	CHECK_INT(lock_inherit(a, true), 0);
	pid = fork();
	if (pid == 0) {
		execlp("cat", "cat", "/dev/null", "-", NULL);
		_exit(1);
	}
	lock_release(a);
	kill(pid, SIGKILL);
	CHECK_INT(waitpid(pid, NULL, 0), pid);
	CHECK_INT(acquire(&b, &s, "x", 1, 0, false), 0);
	lock_release(b);
	state_close(&s);
}

TEST(lock_lives_on_the_callers_descriptor)
{
	struct lock_want want = {.name = "x", .units = 1};
	struct lock_options on_fd = at_once;
	struct state s = open_here();
	struct err e = {0};
	struct lock *a, *b;

	on_fd.fd = open("/dev/null", O_RDWR);
	CHECK_INT(lock_acquire(&a, &s, &want, 1, &on_fd, &e), -EINVAL);
	CHECK(strstr(e.text, "/locks/x.lk"));
	close(on_fd.fd);
	on_fd.fd = io_open(s.dir, "locks/x.lk", O_RDWR, 0);
	CHECK_INT(lock_acquire(&a, &s, &want, 1, &on_fd, &e), 0);
	lock_release(a);
	CHECK_INT(acquire(&b, &s, "x", 1, 0, false), -EAGAIN);
	close(on_fd.fd);
	CHECK_INT(acquire(&b, &s, "x", 1, 0, false), 0);
	lock_release(b);
	state_close(&s);
}

static volatile sig_atomic_t signalled;

static void on_signal(int number UNUSED)
{
	signalled = 1;
}

TEST(lock_waiting_ends_at_a_signal_and_at_the_deadline)
{
	struct sigaction action = {.sa_handler = on_signal};
	struct lock_options o = {.timeout = NS_FOREVER, .priority = 50};
	struct lock_want want = {.name = "a", .units = 1};
	struct state s = open_here();
	struct err e = {0};
	struct lock *a, *b;
	pid_t pid;

	CHECK_INT(acquire(&a, &s, "a", 1, 0, false), 0);
	sigaction(SIGUSR1, &action, NULL);
	pid = fork();
	if (pid == 0) {
		await_waiters(&s, 1);
		kill(getppid(), SIGUSR1);
		_exit(0);
	}
	CHECK_INT(lock_acquire(&b, &s, &want, 1, &o, &e), -EINTR);
	CHECK(signalled);
	reap(pid);
	o.timeout = 20 * NS_PER_MS;
	CHECK_INT(lock_acquire(&b, &s, &want, 1, &o, &e), -ETIMEDOUT);
	CHECK(strstr(e.text, "locks/a: held by pid "));
	lock_release(a);
	state_close(&s);
}

/*
 * A child that arrives at this time, waits for "a", which is not to live on in
 * its copy of what is held, and then writes its letter.
 */
static pid_t start_waiter(
	const struct state *s, struct lock *held, int64_t now, int priority, char letter)
{
	struct lock_want want = {.name = "a", .units = 1};
	struct lock_options o = {.timeout = NS_FOREVER, .priority = priority};
	struct lock *lock;
	pid_t pid = fork();
	int fd;

	if (pid)
		return pid;
	lock_release(held);
	clock_set(now, clock_real());
	if (lock_acquire(&lock, s, &want, 1, &o, NULL) < 0)
		_exit(1);
	fd = io_open(AT_FDCWD, "order", O_WRONLY | O_CREAT | O_APPEND, 0600);
	if (io_write(fd, &letter, 1) < 0)
		_exit(1);
	_exit(0);
}

/* Who comes first: one of low priority, or one of normal that comes so much later. */
static void check_order(int64_t later, const char *expected)
{
	struct state s = open_here();
	AUTO_BUF struct buf order = {0};
	struct lock *a;
	pid_t low, normal;

	CHECK_INT(acquire(&a, &s, "a", 1, 0, false), 0);
	low = start_waiter(&s, a, NS_PER_S, 25, 'l');
	await_waiters(&s, 1);
	normal = start_waiter(&s, a, NS_PER_S + later, 50, 'n');
	await_waiters(&s, 2);
	lock_release(a);
	reap(low);
	reap(normal);
	CHECK_INT(io_read_file(AT_FDCWD, "order", 16, &order), 0);
	CHECK_STR(order.text, expected);
	state_close(&s);
}

TEST(lock_priority_goes_first)
{
	check_order(59 * NS_PER_S, "nl");
}

TEST(lock_nobody_starves)
{
	check_order(61 * NS_PER_S, "ln");
}

TEST(lock_table_full_of_the_living_is_busy)
{
	struct lock_row row = {.state = LOCK_WAITS, .units = 1, .pid = 1, .since = "2026"};
	struct state s = open_here();
	struct err e = {0};
	struct lock_want want = {.name = "x", .units = 1};
	struct lock_options o = {.timeout = NS_PER_S};
	struct lock *a;
	int fd;

	CHECK_INT(acquire(&a, &s, "x", 1, 0, false), 0);
	lock_release(a);
	fd = io_open(s.dir, "locks/x.lk", O_RDWR, 0);
	CHECK_INT(lock_bytes_own(fd, LOCK_WAIT + 10, LOCK_ROWS_MAX), 0);
	for (int i = 0; i < LOCK_ROWS_MAX; i++) {
		row.ticket = 10 + i;
		row.line = LOCK_FIRST_ROW + (size_t)i;
		CHECK_INT(lock_row_write(&row, fd), 0);
	}
	CHECK_INT(lock_acquire(&a, &s, &want, 1, &o, &e), -EBUSY);
	CHECK(strstr(e.text, "4096"));
	CHECK_INT(lock_bytes_free(fd, LOCK_WAIT + 500, 1), 0);
	CHECK_INT(lock_acquire(&a, &s, &want, 1, &o, &e), -ETIMEDOUT);
	CHECK_INT(lseek(fd, 0, SEEK_END), (LOCK_FIRST_ROW + LOCK_ROWS_MAX) * LOCK_LINE);
	close(fd);
	CHECK_INT(lock_acquire(&a, &s, &want, 1, &o, &e), 0);
	lock_release(a);
	state_close(&s);
}

/* Else everybody who looks at the queue reads them, and ever more of them. */
TEST(lock_lines_of_ended_holds_do_not_pile_up)
{
	struct lock_row row = {
		.state = LOCK_WAITS,
		.units = 1,
		.pid = 1,
		.key = INT64_C(999999999999),
		.since = "2026",
	};
	enum { WAITERS = 40,
		HOLDS = 300 };
	struct state s = open_here();
	struct lock *a;
	int fd;

	CHECK_INT(acquire(&a, &s, "x", 1, 4, false), 0);
	lock_release(a);
	fd = io_open(s.dir, "locks/x.lk", O_RDWR, 0);
	CHECK_INT(lock_bytes_own(fd, LOCK_WAIT + 10, WAITERS), 0);
	for (int i = 0; i < WAITERS; i++) {
		row.ticket = 10 + i;
		row.line = LOCK_FIRST_ROW + (size_t)i;
		CHECK_INT(lock_row_write(&row, fd), 0);
	}
	for (int i = 0; i < HOLDS; i++) {
		CHECK_INT(acquire(&a, &s, "x", 1, 0, false), 0);
		lock_release(a);
	}
	CHECK(lseek(fd, 0, SEEK_END) < (LOCK_FIRST_ROW + 2 * WAITERS) * LOCK_LINE);
	close(fd);
	state_close(&s);
}

/* Order goes by the monotonic clock, tokens by counting: the time of day is only shown. */
TEST(lock_a_time_of_day_that_jumps_changes_nothing)
{
	const struct lock_want want = {.name = "x", .units = 1};
	const int64_t day = 24 * 60 * 60 * NS_PER_S;
	int64_t real = clock_real(), last = 0;
	struct state s = open_here();
	struct err e = {0};
	struct lock *a, *b;

	for (int i = -1; i <= 1; i++) {
		CHECK_INT(acquire(&a, &s, "x", 1, 0, false), 0);
		clock_set(clock_now(), real + i * 1000 * day);
		CHECK_INT(lock_acquire(&b, &s, &want, 1, &at_once, &e), -EAGAIN);
		CHECK(strstr(e.text, "locks/x: held by pid "));
		CHECK(lock_token(a, 0) > last);
		last = lock_token(a, 0);
		lock_release(a);
	}
	clock_free_run();
	state_close(&s);
}

TEST(lock_open_faults_are_reported)
{
	struct state s = open_here();
	struct lock *a;

	for (int n = 1; n <= 2; n++) {
		fault_at(FAULT_OPENAT, n, 1, EMFILE);
		CHECK_INT(acquire(&a, &s, "x", 1, 0, false), -EMFILE);
		fault_none();
	}
	CHECK_INT(acquire(&a, &s, "x", 1, 0, false), 0);
	lock_release(a);
	state_close(&s);
}

/* As a full disk does: nothing can be written any more. */
static void limit_files(rlim_t size)
{
	struct rlimit limit;

	CHECK_INT(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = size;
	CHECK_INT(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

TEST(lock_write_faults_leave_nothing_held)
{
	struct lock_want want = {.name = "x", .units = 1};
	struct lock_options on_fd = at_once;
	struct state s = open_here();
	struct lock *a, *b;

	signal(SIGXFSZ, SIG_IGN);
	CHECK_INT(acquire(&a, &s, "x", 1, 0, false), 0);
	lock_release(a);
	on_fd.fd = io_open(s.dir, "locks/x.lk", O_RDWR, 0);
	limit_files(0);
	CHECK_INT(acquire(&a, &s, "x", 1, 0, false), -EFBIG);
	CHECK_INT(lock_acquire(&a, &s, &want, 1, &on_fd, NULL), -EFBIG);
	CHECK_INT(acquire(&a, &s, "new", 1, 0, false), -EFBIG);
	limit_files(RLIM_INFINITY);
	CHECK_INT(acquire(&a, &s, "x", 1, 0, false), 0);
	CHECK_INT(acquire(&b, &s, "new", 1, 0, false), 0);
	lock_release(a);
	lock_release(b);
	close(on_fd.fd);
	state_close(&s);
}

static long pretended_type;

int __real_fstatfs(int, struct statfs *);
int __wrap_fstatfs(int, struct statfs *);
int __wrap_fstatfs(int fd, struct statfs *fs)
{
	int r = __real_fstatfs(fd, fs);

	if (pretended_type)
		fs->f_type = pretended_type;
	return r;
}

/* Whatever statfs(2) says lies elsewhere is refused by its name, and nothing is held. */
TEST(lock_refuses_network_file_systems)
{
	static const struct {
		long type;
		const char *name;
	} remote[] = {
		{0x6969, "NFS"},
		{0xff534d42, "CIFS"},
		{0xfe534d42, "SMB"},
		{0x01021997, "9P"},
		{0x00c36400, "Ceph"},
	};
	const struct lock_want want = {.name = "x", .units = 1};
	struct state s = open_here();
	struct lock *a;

	for (size_t i = 0; i < countof(remote); i++) {
		struct err e = {0};

		pretended_type = remote[i].type;
		CHECK_INT(lock_acquire(&a, &s, &want, 1, &at_once, &e), -ENOTSUP);
		CHECK(strstr(e.text, "locks/x: lies on a network file system ("));
		CHECK(strstr(e.text, remote[i].name));
	}
	pretended_type = 0x65735546; /* in user space; what is mounted here in truth is local */
	CHECK_INT(lock_acquire(&a, &s, &want, 1, &at_once, NULL), 0);
	lock_release(a);
	state_close(&s);
}

TEST(lock_knows_what_is_remote_among_file_systems_in_user_space)
{
	static const char mounts[] =
		"22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
		"80 22 0:50 / /a rw,nosuid shared:5 master:2 - fuse.sshfs me@host:/home rw\n"
		"81 22 0:51 / /b rw - fuse.bindfs /srv/x:y rw\n"
		"82 22 0:52 / /c\\040-\\040d rw - fuseblk /dev/sdb1 rw\n"
		"83 22 0:53 / /d rw - fuse.gcsfuse bucket rw\n"
		"84 22 0:54 / /e rw - virtiofs share rw\n"
		"85 22 0:55 / /f rw - fuse https://host/dav/ rw\n"
		"86 22 0:56 / /g rw - fuse.gvfsd-fuse gvfsd-fuse rw";
	static const struct {
		unsigned minor;
		const char *type; /* NULL: local */
	} cases[] = {
		{50, "fuse.sshfs"},
		{51, NULL},
		{52, NULL},
		{53, "fuse.gcsfuse"},
		{54, "virtiofs"},
		{55, "fuse"},
		{56, NULL},
		{57, NULL},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		char type[NETWORK_SIZE] = "";
		bool remote = lock_place_remote(mounts, makedev(0, cases[i].minor), type);

		CHECK_INT(remote, cases[i].type != NULL);
		CHECK_STR(type, cases[i].type ? cases[i].type : "");
	}
}
