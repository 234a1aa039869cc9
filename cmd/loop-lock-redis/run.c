/*
 * The command runs under this process, which renews the leases. Where one is lost, or
 * cannot be renewed, the command is ended before somebody else may hold the lock: by
 * SIGTERM when a sixth of the lease is left, by SIGKILL at its end.
 */
#include "loop-lock-redis.h"

#include "clock.h"
#include "die.h"
#include "mem.h"
#include "proc.h"
#include "wait.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

/* The command while it runs. */
struct held {
	struct redis *redis;
	struct lease *lease;
	size_t count;
	struct child child;
	bool own_group, lost;
	int64_t end_at, kill_at; /* clock_now: when it has to be ended, and killed */
};

static void send(const struct held *h, int sig)
{
	kill(h->own_group ? -h->child.pid : h->child.pid, sig);
}

static void end_command(struct held *h)
{
	h->lost = true;
	h->end_at = NS_FOREVER;
	if (choices.on_loss == LOSS_WARNS) {
		h->kill_at = NS_FOREVER;
		return;
	}
	warn("the lease is lost: the command is ended");
	send(h, SIGTERM);
	send(h, SIGCONT);
	h->kill_at = MIN(h->kill_at, clock_after(choices.lease / 6));
}

/* The leases are looked after; how long the command may go on follows from them. */
static void on_time(struct held *h)
{
	int64_t now = clock_now();

	if (now >= h->kill_at) {
		send(h, SIGKILL);
		h->kill_at = NS_FOREVER;
	}
	if (h->lost)
		return;
	if (now >= next_renewal(h->lease, h->count)) {
		int64_t until = renew_all(h->redis, h->lease, h->count);

		h->end_at = until ? until - choices.lease / 6 : 0;
		h->kill_at = until ? until : NS_FOREVER;
	}
	if (clock_now() >= h->end_at)
		end_command(h);
}

static void on_signal(const struct held *h, int sig)
{
	/* A terminal sends ^C to the whole group. */
	if (h->own_group || (sig != SIGINT && sig != SIGQUIT))
		send(h, sig);
}

static void watch_over(struct held *h)
{
	for (;;) {
		int64_t renewal = h->lost ? NS_FOREVER : next_renewal(h->lease, h->count);
		int sig;

		switch (wait_for(h->child.pidfd, MIN(renewal, MIN(h->end_at, h->kill_at)), &sig)) {
		case WAIT_READY: return;
		case WAIT_SIGNAL: on_signal(h, sig); break;
		case WAIT_DEADLINE: on_time(h); break;
		}
	}
}

static int reap(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return EXIT_SIGNAL + SIGKILL;
	return proc_exit_status(status);
}

static int run_held(struct held *h, char *const *command)
{
	struct spawn s = {.argv = command, .in = 0, .out = 1, .error = 2};
	struct err e = {0};
	int64_t until = NS_FOREVER;
	int code;

	h->own_group = !isatty(STDIN_FILENO);
	s.same_group = !h->own_group;
	code = proc_spawn(&h->child, &s, &e);
	if (code < 0) {
		warn("%s", e.text);
		return proc_spawn_status(code);
	}
	for (size_t i = 0; i < h->count; i++)
		until = MIN(until, h->lease[i].until);
	h->end_at = until - choices.lease / 6;
	h->kill_at = until;
	watch_over(h);
	code = reap(h->child.pid);
	child_close(&h->child);
	if (h->lost && choices.on_loss == LOSS_ENDS)
		return EXIT_OWN;
	return code;
}

/* Tokens and slots in the order in which the names were given, a blank between the names. */
static void export_hold(const struct lease *l, size_t count, char *const *names)
{
	AUTO_BUF struct buf tokens = {0}, slots = {0};

	for (size_t n = 0; n < count; n++)
		for (size_t i = 0; i < count; i++) {
			struct lease named;

			lease_parse(&named, names[n], choices.shared);
			if (strcmp(named.name, l[i].name) != 0)
				continue;
			buf_format(&tokens, "%s%lld", n ? " " : "", (long long)l[i].token);
			buf_format(&slots, "%s%s", n ? " " : "", l[i].slots);
		}
	if (setenv("LOOP_LOCK_TOKEN", tokens.text, 1) < 0 ||
		setenv("LOOP_LOCK_SLOT", slots.text, 1) < 0 ||
		setenv("LOOP_STORE", choices.store, 1) < 0)
		die_errno(EX_OSERR, "environment");
}

static void join(char *const *words, struct buf *out)
{
	for (; *words; words++)
		buf_format(out, "%s%s", out->length ? " " : "", *words);
}

static void check_choices(const struct args *args)
{
	args_expect(args, 1, 0);
	if (!args->command || !args->command[0])
		die_usage("a command is needed: loop-lock NAME -- COMMAND");
	if (choices.nonblock && choices.timeout > 0)
		die_usage("--nonblock and --timeout exclude each other");
	if (choices.lease < NS_PER_S || choices.lease > 24 * 3600 * NS_PER_S)
		die_usage("--lease: from 1s to 1d");
}

/* A level of priority is worth a minute of waiting. */
static void describe(struct asker *a, const char *command, const char *line)
{
	const char *slash = strrchr(command, '/');

	*a = (struct asker){.length = choices.lease,
		.boost = choices.level * 60 * NS_PER_S,
		.priority = choices.level * 25,
		.waits = !choices.nonblock && choices.timeout != 0,
		.label = choices.label ? choices.label : slash ? slash + 1
							       : command,
		.command = line};
	if (gethostname(a->host, sizeof a->host) < 0)
		snprintf(a->host, sizeof a->host, "?");
	a->host[sizeof a->host - 1] = '\0';
}

static void contain(void)
{
	pid_t group = getpgrp();
	struct err e = {0};

	if (proc_contain(&e) < 0)
		die(EX_OSERR, "%s", e.text);
	/* Back in the foreground: the command may read from the terminal. */
	if (isatty(STDIN_FILENO) && setpgid(0, group) < 0)
		warn_errno("process group");
	proc_contain_keep();
	if (wait_init() < 0)
		die_errno(EX_OSERR, "signals");
}

int run_command(const struct args *args)
{
	AUTO_FREE struct lease *lease = mem_zero(args->count, sizeof *lease);
	AUTO_BUF struct buf line = {0};
	struct held h = {.lease = lease, .count = args->count};
	struct asker asker;
	int status;

	check_choices(args);
	for (size_t i = 0; i < args->count; i++)
		lease_parse(&lease[i], args->item[i], choices.shared);
	join(args->command, &line);
	describe(&asker, args->command[0], line.text);
	contain();
	/* A renewal that fails must leave time for others. */
	h.redis = open_store(MIN(choices.patience, choices.lease / 6));
	status = take_all(h.redis, lease, args->count, &asker);
	if (!status) {
		export_hold(lease, args->count, args->item);
		status = run_held(&h, args->command);
		free_all(h.redis, lease, args->count);
	}
	for (size_t i = 0; i < args->count; i++)
		lease_clear(&lease[i]);
	redis_close(h.redis);
	return status;
}
