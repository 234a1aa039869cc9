#include "unit.h"

#include "buf.h"
#include "clock.h"
#include "die.h"
#include "io.h"
#include "mem.h"
#include "proc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* argv and env are not const, though nobody writes to them. */
static char *word(const char *text)
{
	return (char *)(uintptr_t)text;
}

static int wait_status(pid_t pid)
{
	int status = -1;

	while (waitpid(pid, &status, 0) < 0)
		CHECK_INT(errno, EINTR);
	return status;
}

/* Runs a command with its stdout in the buffer; its exit status. */
static int run_to_end(struct spawn *s, struct buf *out)
{
	struct err e = {0};
	struct child c;
	int ends[2], status;

	CHECK_INT(io_pipe(ends), 0);
	s->out = ends[1];
	CHECK_INT(proc_spawn(&c, s, &e), 0);
	close(ends[1]);
	CHECK_INT(io_read_all(ends[0], 1 << 20, out), 0);
	close(ends[0]);
	status = wait_status(c.pid);
	child_close(&c);
	return proc_exit_status(status);
}

static int run_shell(const char *script, struct buf *out)
{
	char *argv[] = {word("sh"), word("-c"), word(script),
		NULL};
	struct spawn s = {.argv = argv, .in = -1, .error = 2};

	return run_to_end(&s, out);
}

TEST(proc_spawn_inherits_only_what_is_named)
{
	int stray = open("/dev/null", O_RDONLY); /* not close-on-exec, as from a careless parent */
	int kept = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	char *argv[] = {word("sh"), word("-c"),
		word("n=0; while [ $n -lt 30 ]; do [ -e /proc/$$/fd/$n ] && printf '%d ' $n;"
		     " n=$((n + 1)); done; :"),
		NULL};
	struct spawn s = {.argv = argv, .in = -1, .error = 2, .keep = &kept, .keep_count = 1};
	AUTO_BUF struct buf out = {0}, want = {0};

	CHECK_INT(run_to_end(&s, &out), 0);
	buf_format(&want, "0 1 2 %d ", kept);
	CHECK_STR(out.text, want.text);
	close(stray);
	close(kept);
}

TEST(proc_spawn_places_descriptors_that_are_in_the_way)
{
	char *argv[] = {word("sh"), word("-c"),
		word("echo to-out; echo to-err >&2; cat"), NULL};
	struct spawn s = {.argv = argv, .in = 0, .out = 2, .error = 1};
	AUTO_BUF struct buf text = {0};
	struct err e = {0};
	struct child c;
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		int from[] = {open("/dev/null", O_RDONLY), open("one", O_WRONLY | O_CREAT, 0600),
			open("two", O_WRONLY | O_CREAT, 0600)};

		for (int i = 0; i < 3; i++)
			if (dup2(from[i], i) < 0)
				_exit(9);
		_exit(proc_spawn(&c, &s, &e) < 0 ? 8 : proc_exit_status(wait_status(c.pid)));
	}
	status = wait_status(pid);
	CHECK_INT(proc_exit_status(status), 0);
	CHECK_INT(io_read_file(AT_FDCWD, "two", 100, &text), 0);
	CHECK_STR(text.text, "to-out\n");
}

TEST(proc_spawn_gives_default_signals_and_an_empty_mask)
{
	AUTO_BUF struct buf out = {0};
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	/* Signals 32 and 33 are the C library's own: what it is started with stays. */
	CHECK_INT(run_shell("grep -E 'Sig(Blk|Ign):' /proc/$$/status |"
			    " sed 's/0000000180000000/0000000000000000/'",
			  &out),
		0);
	CHECK_STR(out.text, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}

static void write_file(const char *path, const char *text, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, mode);

	CHECK_INT(io_write(fd, text, strlen(text)), 0);
	close(fd);
}

TEST(proc_spawn_says_exactly_what_exec_said)
{
	static const struct {
		const char *program, *dir;
		int code, status;
		const char *text;
	} cases[] = {
		{"no-such-program", NULL, -ENOENT, 127, "no-such-program: not found"},
		{"./nowhere", NULL, -ENOENT, 127, "./nowhere: not found"},
		{"", NULL, -ENOENT, 127, ": not found"},
		{"./data", NULL, -EACCES, 126, "./data: cannot be run: Permission denied"},
		{"/proc", NULL, -EACCES, 126, "/proc: cannot be run: Permission denied"},
		{"true", "no/where", -ECANCELED, 125,
			"true: no/where: No such file or directory"},
	};

	write_file("data", "x", 0600);
	for (size_t i = 0; i < countof(cases); i++) {
		char *argv[] = {word(cases[i].program), NULL};
		struct spawn s = {.argv = argv, .in = -1, .out = -1, .error = -1};
		struct err e = {0};
		struct child c;
		int r;

		s.dir = cases[i].dir;
		r = proc_spawn(&c, &s, &e);
		CHECK_INT(r, cases[i].code);
		CHECK_INT(proc_spawn_status(r), cases[i].status);
		CHECK_STR(e.text, cases[i].text);
	}
	CHECK_INT(waitpid(-1, NULL, WNOHANG), -1); /* nothing is left behind */
	CHECK_INT(errno, ECHILD);
}

TEST(proc_spawn_runs_a_script_without_interpreter_and_uses_the_given_path)
{
	char *argv[] = {word("greet"), word("a b"), NULL};
	char *env[] = {word("PATH=nowhere:bin"), word("WHO=you"), NULL};
	struct spawn s = {.argv = argv, .env = env, .in = -1, .error = 2};
	AUTO_BUF struct buf out = {0};

	CHECK_INT(mkdir("bin", 0700), 0);
	write_file("bin/greet", "echo \"$WHO: $1\"\nexit 7\n", 0700);
	CHECK_INT(run_to_end(&s, &out), 7);
	CHECK_STR(out.text, "you: a b\n");
}

TEST(proc_spawn_makes_a_session_a_group_or_neither)
{
	char *argv[] = {word("sh"), word("-c"),
		word("cut -d' ' -f1,5,6 /proc/$$/stat"), NULL};
	struct spawn s = {.argv = argv, .in = -1, .error = 2};

	for (int i = 0; i < 3; i++) {
		AUTO_BUF struct buf out = {0};
		int pid, group, session;

		s.new_session = i == 0;
		s.same_group = i == 2;
		CHECK_INT(run_to_end(&s, &out), 0);
		CHECK_INT(sscanf(out.text, "%d %d %d", &pid, &group, &session), 3);
		CHECK_INT(group == pid, i < 2);
		CHECK_INT(session == pid, i == 0);
	}
}

TEST(proc_spawn_limits_memory)
{
	char *argv[] = {word("sh"), word("-c"),
		word("ulimit -v"), NULL};
	struct spawn s = {.argv = argv, .in = -1, .error = 2, .memory = INT64_C(512) << 20};
	AUTO_BUF struct buf out = {0};

	CHECK_INT(run_to_end(&s, &out), 0);
	CHECK_STR(out.text, "524288\n");
}

TEST(proc_exit_status_tells_signals_from_codes)
{
	AUTO_BUF struct buf out = {0};

	CHECK_INT(run_shell("exit 3", &out), 3);
	CHECK_INT(run_shell("kill -TERM $$", &out), 143);
	CHECK_INT(run_shell("kill -KILL $$", &out), 137);
}

/* --- the end of trees: every process of a victim holds a pipe, whose end of file says that all are
 * gone --- */

static int alive[2];

enum { BOMB_FORKS = 4000 };

/* Forks in a loop, each time twice and away from its parents; bounded, should nobody end it. */
static NORETURN void bomb(void)
{
	alarm(50);
	for (int i = 0; i < BOMB_FORKS; i++) {
		if (fork() == 0) {
			setsid();
			if (fork() > 0)
				_exit(0);
			alarm(50);
			for (;;)
				pause();
		}
		usleep(500);
	}
	for (;;)
		pause();
}

/* Leaves its group, its session and its parents, and does not listen. */
static NORETURN void victim(void)
{
	for (int i = 1; i < NSIG; i++)
		if (i != SIGALRM)
			signal(i, SIG_IGN);
	if (setsid() < 0 || fork() > 0)
		_exit(0);
	if (setsid() < 0 || fork() > 0)
		_exit(0);
	prctl(PR_SET_NAME, "victim");
	bomb();
}

static void start_victim(void)
{
	pid_t pid = fork();

	if (pid == 0)
		victim();
	wait_status(pid);
}

/* Below us are the bomb, dead, the process that left it to us, and what it has forked by then. */
static void wait_for_bomb(void)
{
	pid_t below[8];

	while (proc_descendants(getpid(), below, countof(below)) < 4)
		clock_sleep(NS_PER_MS);
}

/* Whether everybody who holds the pipe is gone within this time. */
static bool all_gone(int ms)
{
	struct pollfd p = {.fd = alive[0], .events = POLLIN};

	return poll(&p, 1, ms) == 1 && (p.revents & POLLHUP);
}

static void open_pipe(void)
{
	CHECK_INT(pipe(alive), 0);
}

static void close_writer(void)
{
	close(alive[1]);
}

TEST(proc_sweep_ends_what_left_its_group_its_session_and_its_parents)
{
	struct sweep swept;

	CHECK_INT(prctl(PR_SET_CHILD_SUBREAPER, 1L), 0);
	open_pipe();
	start_victim();
	close_writer();
	wait_for_bomb();
	CHECK(!all_gone(0));
	CHECK_INT(proc_sweep(NULL, NULL, 0, clock_after(20 * NS_PER_S), &swept), 0);
	CHECK(all_gone(0));
	CHECK(swept.killed > 1);
	CHECK_INT(waitpid(-1, NULL, WNOHANG), -1);
	close(alive[0]);
}

static volatile sig_atomic_t stops;

static void on_child(int sig UNUSED, siginfo_t *info, void *context UNUSED)
{
	stops += info->si_code == CLD_STOPPED;
}

/* Bears no mark yet: stopped by one that is killed then, nobody would ever find it. */
TEST(proc_sweep_stops_nothing_that_has_not_become_its_program)
{
	const struct sigaction told = {.sa_sigaction = on_child, .sa_flags = SA_SIGINFO};
	struct sweep swept;

	sigaction(SIGCHLD, &told, NULL);
	for (int i = 0; i < 20; i++) {
		if (fork() == 0)
			for (;;)
				pause();
		CHECK_INT(proc_sweep(NULL, NULL, 0, clock_after(9 * NS_PER_S), &swept), 0);
		CHECK_INT(swept.killed, 1);
	}
	CHECK_INT(stops, 0);
}

static pid_t start_sleeper(const char *marker)
{
	char *argv[] = {word("sh"), word("-c"),
		word("env -i sleep 60 & wait"), NULL};
	char *env[] = {word("PATH=/usr/bin:/bin"), word(marker), NULL};
	struct spawn s = {.argv = argv, .env = env, .in = -1, .out = -1, .error = 2};
	struct err e = {0};
	struct child c;

	CHECK_INT(proc_spawn(&c, &s, &e), 0);
	child_close(&c);
	while (proc_tree_memory(c.pid) == 0)
		clock_sleep(NS_PER_MS);
	return c.pid;
}

/* Has a child that runs another program, and much to give back as it ends. */
static pid_t start_slow_ender(void)
{
	enum { BYTES = 8 << 20 };
	pid_t pid;
	char c;

	open_pipe();
	pid = fork();
	if (pid == 0) {
		char *memory = mem_zero(1, BYTES);

		memset(memory, 1, BYTES);
		start_sleeper("LOOP_SESSION=ses_unit_orphan");
		CHECK_INT(write(alive[1], memory, 1), 1);
		for (;;)
			pause();
	}
	close_writer();
	CHECK_INT(read(alive[0], &c, 1), 1);
	close(alive[0]);
	return pid;
}

/* What one leaves as it ends comes to us when we have looked at our children already. */
TEST(proc_sweep_ends_what_comes_while_it_looks)
{
	struct sweep swept;

	CHECK_INT(prctl(PR_SET_CHILD_SUBREAPER, 1L), 0);
	for (int i = 0; i < 40; i++) {
		CHECK_INT(kill(start_slow_ender(), SIGKILL), 0);
		CHECK_INT(proc_sweep(NULL, NULL, 0, clock_after(9 * NS_PER_S), &swept), 0);
		CHECK_INT(waitpid(-1, NULL, WNOHANG), -1);
	}
}

/* Starts one that forks and ends, whose child does, and so on. */
static void start_wanderer(const char *mark, const char *steps)
{
	char *argv[] = {word("sh"), word("-c"),
		word("walk() { [ $1 = 0 ] || walk $(($1 - 1)) & }; walk $0"), word(steps), NULL};
	char *env[] = {word("PATH=/usr/bin:/bin"), word(mark), NULL};
	struct spawn s = {.argv = argv, .env = env, .in = -1, .out = alive[1], .error = 2};
	struct err e = {0};
	struct child c;

	CHECK_INT(proc_spawn(&c, &s, &e), 0);
	child_close(&c);
	wait_status(c.pid);
}

TEST(proc_sweep_ends_what_never_stands_still)
{
	const char *const marks[] = {"LOOP_SESSION=ses_unit_wanderer", NULL};
	struct sweep swept;

	CHECK_INT(prctl(PR_SET_CHILD_SUBREAPER, 1L), 0);
	for (int i = 0; i < 6; i++) {
		open_pipe();
		start_wanderer(marks[0], "20000");
		close_writer();
		CHECK_INT(proc_sweep(i % 2 ? marks : NULL, NULL, 0, clock_after(9 * NS_PER_S),
				  &swept),
			0);
		CHECK(all_gone(0));
		close(alive[0]);
	}
}

TEST(proc_sweep_keeps_what_is_spared_and_what_has_another_marker)
{
	pid_t one = start_sleeper("LOOP_SESSION=ses_unit_one");
	pid_t two = start_sleeper("LOOP_SESSION=ses_unit_two");
	const char *const here[] = {"LOOP_SESSION=ses_unit_one", "PATH=/usr/bin:/bin", NULL};
	const char *const elsewhere[] = {"LOOP_SESSION=ses_unit_one", "LOOP_DIR=/none", NULL};
	struct sweep swept;
	int64_t deadline = clock_after(9 * NS_PER_S);

	CHECK_INT(proc_sweep(elsewhere, NULL, 0, deadline, &swept), 0);
	CHECK_INT(swept.killed, 0);
	CHECK_INT(proc_sweep(here, NULL, 0, deadline, &swept), 0);
	CHECK(swept.killed >= 1);
	CHECK_INT(kill(one, 0), -1);
	CHECK_INT(proc_sweep(NULL, &two, 1, clock_after(9 * NS_PER_S), &swept), 0);
	CHECK_INT(kill(two, 0), 0);
	CHECK_INT(proc_sweep(NULL, NULL, 0, clock_after(9 * NS_PER_S), &swept), 0);
	CHECK_INT(kill(two, 0), -1);
}

TEST(proc_tree_cpu_sees_what_grandchildren_use)
{
	int64_t before = proc_tree_cpu(0);
	char *argv[] = {word("sh"), word("-c"),
		word("sh -c 'while :; do :; done'; :"), NULL};
	struct spawn s = {.argv = argv, .in = -1, .out = -1, .error = 2};
	struct err e = {0};
	struct sweep swept;
	struct child c;

	CHECK_INT(before, 0);
	CHECK_INT(proc_spawn(&c, &s, &e), 0);
	while (proc_tree_cpu(c.pid) < 30 * NS_PER_MS)
		clock_sleep(NS_PER_MS);
	CHECK(proc_tree_cpu(0) >= 30 * NS_PER_MS);
	CHECK(proc_tree_memory(c.pid) > 4096);
	child_close(&c);
	CHECK_INT(proc_sweep(NULL, NULL, 0, clock_after(9 * NS_PER_S), &swept), 0);
}

/* --- containment --- */

enum half { OUTER,
	GUARD,
	WORK,
	NOBODY };

struct pids_of {
	pid_t outer, guard, work;
};

/* What the contained work does once it has told who it is. */
typedef void work_fn(void);

/* Starts a contained process; who it is made of. */
static struct pids_of contained(work_fn *work)
{
	struct pids_of p = {0}, from_work;
	struct err e = {0};
	int ends[2];

	CHECK_INT(io_pipe(ends), 0);
	p.outer = fork();
	if (p.outer == 0) {
		if (proc_contain(&e) < 0)
			_exit(99);
		alarm(50); /* should the test fail, so that nobody ends it */
		p.guard = getppid();
		p.work = getpid();
		if (write(ends[1], &p, sizeof p) != sizeof p)
			_exit(98);
		close(ends[1]);
		work();
		_exit(0);
	}
	close(ends[1]);
	CHECK_INT(read(ends[0], &from_work, sizeof p), sizeof p);
	close(ends[0]);
	p.guard = from_work.guard;
	p.work = from_work.work;
	return p;
}

static void work_with_victim(void)
{
	start_victim();
	for (;;)
		pause();
}

static void kill_half_with_victim(enum half half)
{
	struct pids_of p;
	pid_t who;

	open_pipe();
	p = contained(work_with_victim);
	close_writer();
	CHECK(!all_gone(50));
	who = half == OUTER ? p.outer : half == GUARD ? p.guard
						      : p.work;
	CHECK_INT(kill(who, SIGKILL), 0);
	CHECK(all_gone(20000));
	CHECK_INT(proc_exit_status(wait_status(p.outer)), 128 + SIGKILL);
	close(alive[0]);
}

TEST(proc_contain_ends_all_when_the_outer_is_killed)
{
	kill_half_with_victim(OUTER);
}

TEST(proc_contain_ends_all_when_the_guard_is_killed)
{
	kill_half_with_victim(GUARD);
}

TEST(proc_contain_ends_all_when_the_work_is_killed)
{
	kill_half_with_victim(WORK);
}

static void work_that_leaves_a_victim(void)
{
	start_victim();
	usleep(20000);
	_exit(5);
}

TEST(proc_contain_ends_what_the_work_left_behind)
{
	struct pids_of p;

	open_pipe();
	p = contained(work_that_leaves_a_victim);
	close_writer();
	CHECK_INT(proc_exit_status(wait_status(p.outer)), 5);
	CHECK(all_gone(0));
	close(alive[0]);
}

static void work_that_keeps_a_sleeper(void)
{
	if (fork() == 0) {
		setsid();
		usleep(300000);
		_exit(0);
	}
	proc_contain_keep();
	_exit(6);
}

TEST(proc_contain_keep_leaves_it)
{
	struct pids_of p;

	open_pipe();
	p = contained(work_that_keeps_a_sleeper);
	close_writer();
	CHECK_INT(proc_exit_status(wait_status(p.outer)), 6);
	CHECK(!all_gone(0));
	CHECK(all_gone(20000));
	close(alive[0]);
}

static void on_term(int sig UNUSED)
{
	_exit(42);
}

static void work_that_handles_term(void)
{
	signal(SIGTERM, on_term);
	if (write(alive[1], "r", 1) != 1)
		_exit(97);
	for (;;)
		pause();
}

static void expect_ready(void)
{
	char byte;

	CHECK_INT(read(alive[0], &byte, 1), 1);
}

TEST(proc_contain_hands_on_signals_and_the_status)
{
	struct pids_of p;

	open_pipe();
	p = contained(work_that_handles_term);
	expect_ready();
	CHECK_INT(kill(p.outer, SIGTERM), 0);
	CHECK_INT(proc_exit_status(wait_status(p.outer)), 42);
	p = contained(work_that_handles_term);
	expect_ready();
	CHECK_INT(kill(p.outer, SIGQUIT), 0);
	CHECK_INT(WTERMSIG(wait_status(p.outer)), SIGQUIT);
	close(alive[0]);
	close(alive[1]);
}

TEST(proc_contain_stops_and_goes_on_with_the_work)
{
	struct pids_of p;
	int status;

	open_pipe();
	p = contained(work_that_handles_term);
	expect_ready();
	CHECK_INT(kill(p.outer, SIGTSTP), 0);
	CHECK_INT(waitpid(p.outer, &status, WUNTRACED), p.outer);
	CHECK(WIFSTOPPED(status));
	CHECK_INT(kill(p.outer, SIGCONT), 0);
	CHECK_INT(kill(p.outer, SIGTERM), 0);
	CHECK_INT(proc_exit_status(wait_status(p.outer)), 42);
	close(alive[0]);
	close(alive[1]);
}

TEST(proc_contain_ends_stopped_work_when_the_outer_is_killed)
{
	struct pids_of p;
	int status;

	open_pipe();
	p = contained(work_that_handles_term);
	expect_ready();
	close_writer();
	CHECK_INT(kill(p.outer, SIGTSTP), 0);
	CHECK_INT(waitpid(p.outer, &status, WUNTRACED), p.outer);
	CHECK_INT(kill(p.outer, SIGKILL), 0);
	CHECK(all_gone(20000));
	close(alive[0]);
	wait_status(p.outer);
}

/* Whether there is a cgroup of its containment; where none can be made, there is none. */
static bool has_group(pid_t outer)
{
	AUTO_BUF struct buf out = {0}, script = {0};

	buf_format(&script, "find /sys/fs/cgroup -name loop-%d 2>/dev/null; :", (int)outer);
	CHECK_INT(run_shell(script.text, &out), 0);
	return out.length > 0;
}

TEST(proc_contain_clears_up_after_those_that_were_killed_whole)
{
	struct pids_of first, second;

	open_pipe();
	first = contained(work_that_handles_term);
	expect_ready();
	kill(first.guard, SIGSTOP); /* so that it cannot end in order */
	kill(first.outer, SIGKILL);
	kill(first.guard, SIGKILL);
	kill(first.work, SIGKILL);
	close_writer();
	CHECK(all_gone(20000));
	wait_status(first.outer);
	close(alive[0]);
	while (kill(first.work, 0) == 0 || kill(first.guard, 0) == 0)
		usleep(1000); /* a dying process still keeps its group */
	open_pipe();
	second = contained(work_that_handles_term);
	expect_ready();
	CHECK(!has_group(first.outer));
	kill(second.outer, SIGTERM);
	wait_status(second.outer);
	CHECK(!has_group(second.outer));
	close(alive[0]);
	close(alive[1]);
}
