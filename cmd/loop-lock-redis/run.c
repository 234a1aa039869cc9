/* The command runs under this process, which renews the leases. */
#include "loop-lock-redis.h"

#include "die.h"
#include "mem.h"
#include "proc.h"
#include "wait.h"

/* The command while it runs. */
struct running {
	struct held held; /* first */
	struct child child;
};

static void send(const struct held *held, int sig)
{
	child_signal(&((const struct running *)held)->child, sig);
}

static void hand_on(const struct held *held, int sig)
{
	child_hand_on(&((const struct running *)held)->child, sig);
}

static int run_held(struct running *c, char *const *command)
{
	struct spawn s = {.argv = command, .in = 0, .out = 1, .error = 2};
	struct err e = {0};
	int code;

	s.same_group = isatty(STDIN_FILENO);
	code = proc_spawn(&c->child, &s, &e);
	if (code < 0) {
		warn("%s", e.text);
		return proc_spawn_status(code);
	}
	held_begin(&c->held);
	held_watch(&c->held, c->child.pidfd);
	code = child_wait(&c->child);
	if (c->held.lost && choices.on_loss == LOSS_ENDS)
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

void check_times(void)
{
	if (choices.nonblock && choices.timeout > 0)
		die_usage("--nonblock and --timeout exclude each other");
	if (choices.lease < NS_PER_S || choices.lease > 24 * 3600 * NS_PER_S)
		die_usage("--lease: from 1s to 1d");
}

static void check_choices(const struct args *args)
{
	args_expect(args, 1, 0);
	if (!args->command || !args->command[0])
		die_usage("a command is needed: loop-lock NAME -- COMMAND");
	check_times();
}

/* A level of priority is worth a minute of waiting. */
void describe(struct asker *a, const char *command, const char *line)
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
	struct err e = {0};

	if (proc_contain_foreground(&e) < 0)
		die(EX_OSERR, "%s", e.text);
	proc_contain_keep();
	if (wait_init() < 0)
		die_errno(EX_OSERR, "signals");
}

int run_command(const struct args *args)
{
	AUTO_FREE struct lease *lease = mem_zero(args->count, sizeof *lease);
	AUTO_BUF struct buf line = {0};
	struct running c = {.held = {.lease = lease,
				    .count = args->count,
				    .send = send,
				    .hand_on = hand_on}};
	struct held *h = &c.held;
	struct asker asker;
	int status;

	check_choices(args);
	for (size_t i = 0; i < args->count; i++)
		lease_parse(&lease[i], args->item[i], choices.shared);
	join(args->command, &line);
	describe(&asker, args->command[0], line.text);
	contain();
	h->redis = open_to_hold();
	status = take_all(h->redis, lease, args->count, &asker);
	if (!status) {
		export_hold(lease, args->count, args->item);
		status = run_held(&c, args->command);
		free_all(h->redis, lease, args->count);
	}
	for (size_t i = 0; i < args->count; i++)
		lease_clear(&lease[i]);
	redis_close(h->redis);
	return status;
}
