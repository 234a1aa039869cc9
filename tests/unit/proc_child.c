#include "unit.h"

#include "clock.h"
#include "die.h"
#include "proc.h"

#include <signal.h>
#include <sys/wait.h>

/* Starts a shell that ends by 2 for SIGINT and by 15 for SIGTERM, or is deaf; it stops itself. */
static struct child start_stopped(bool same_group, bool deaf)
{
	const char *script = deaf ? "trap '' TERM; kill -STOP $$; while :; do sleep 0.01; done"
				  : "trap 'exit 2' INT; trap 'exit 15' TERM; kill -STOP $$";
	const char *argv[] = {"sh", "-c", script, NULL};
	struct spawn s = {.argv = (char *const *)(uintptr_t)argv,
		.in = -1,
		.out = 1,
		.error = 2,
		.same_group = same_group};
	struct child c;
	struct err e = {0};
	int status = 0;

	CHECK_INT(proc_spawn(&c, &s, &e), 0);
	CHECK_INT(waitpid(c.pid, &status, WUNTRACED), c.pid);
	CHECK(WIFSTOPPED(status));
	return c;
}

TEST(child_end_wakes_one_that_was_stopped)
{
	struct child c = start_stopped(false, false);

	CHECK_INT(c.kill_at, NS_FOREVER);
	child_end(&c, NS_FOREVER);
	child_tick(&c);
	CHECK_INT(child_wait(&c), 15);
	CHECK_INT(c.pidfd, -1);
}

TEST(child_tick_kills_one_that_was_asked_in_vain)
{
	struct child c = start_stopped(false, true);
	int64_t at;

	child_end(&c, 3600 * NS_PER_S);
	at = c.kill_at;
	child_tick(&c);
	CHECK_INT(waitpid(c.pid, NULL, WNOHANG), 0);
	child_end(&c, NS_FOREVER);
	CHECK_INT(c.kill_at, at);
	child_end(&c, 0);
	child_tick(&c);
	CHECK_INT(c.kill_at, NS_FOREVER);
	CHECK_INT(child_wait(&c), EXIT_SIGNAL + SIGKILL);
}

/* Both signals are pending when it goes on, and the shell looks at the lower one first. */
TEST(child_hand_on_spares_what_has_the_signal_from_the_terminal)
{
	for (int same_group = 0; same_group < 2; same_group++) {
		struct child c = start_stopped(same_group, false);

		child_hand_on(&c, SIGINT);
		child_hand_on(&c, SIGTERM);
		child_signal(&c, SIGCONT);
		CHECK_INT(child_wait(&c), same_group ? 15 : 2);
	}
}

TEST(child_wait_has_the_status_though_whoever_started_us_ignored_ends)
{
	const char *argv[] = {"sh", "-c", "exit 3", NULL};
	struct spawn s = {.argv = (char *const *)(uintptr_t)argv, .in = -1, .out = 1, .error = 2};
	struct child c;
	struct err e = {0};

	signal(SIGCHLD, SIG_IGN);
	CHECK_INT(proc_spawn(&c, &s, &e), 0);
	CHECK_INT(child_wait(&c), 3);
}
