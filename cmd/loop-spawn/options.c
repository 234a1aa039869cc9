#include "options.h"

#include "budget.h"
#include "die.h"

struct config config = {.timeout = -1,
	.stall = -1,
	.start_timeout = -1,
	.tool_timeout = -1,
	.linger = -1,
	.grace = -1,
	.retry_delay = 5 * NS_PER_S,
	.max_output = 64 << 20,
	.verify_timeout = 600 * NS_PER_S};

#define OPTION(type, option, word, text, field)                                  \
	{                                                                        \
		.name = option, .arg = word, .help = text, .type = &config.field \
	}

const struct opt options[] = {
	{.name = "agent",
		.letter = 'a',
		.arg = "AGENT",
		.help = "run this agent",
		.string = &config.agent},
	{.name = "prompt",
		.letter = 'p',
		.arg = "FILE",
		.help = "its prompt; '-' is stdin",
		.string = &config.prompt},
	OPTION(strings, "var", "NAME=VALUE", "fill {{NAME}} in the prompt", vars),
	OPTION(string, "system", "FILE", "append this file to the system prompt", system_prompt),
	OPTION(string, "model", "NAME", "the model to ask for", model),
	OPTION(string, "tools", "LIST", "the tools that the agent may use", tools),
	OPTION(string, "dir", "DIR", "work in this folder", dir),
	OPTION(flag, "worktree", NULL, "work in a git worktree of the session's own", worktree),
	OPTION(string, "branch", "NAME", "the worktree's branch (loop/SESSION)", branch),
	OPTION(string, "base", "REF", "where a new branch begins (HEAD)", base),
	OPTION(strings, "verify", "COMMAND", "run this afterwards; its status decides", verify),
	OPTION(duration, "verify-timeout", "D", "the most each may take (10m)", verify_timeout),
	OPTION(string, "done-tag", "TEXT", "success needs this line in the last message", done_tag),
	OPTION(string, "blocked-tag", "TEXT", "such a line asks for a human", blocked_tag),
	OPTION(duration, "timeout", "D", "the most that an attempt may take", timeout),
	OPTION(duration, "stall", "D", "longest silence while the model works", stall),
	OPTION(duration, "start-timeout", "D", "longest wait for the first line", start_timeout),
	OPTION(duration, "tool-timeout", "D", "longest silence while a tool runs", tool_timeout),
	OPTION(duration, "linger", "D", "how long it may stay after its result", linger),
	OPTION(duration, "grace", "D", "between SIGTERM and SIGKILL", grace),
	OPTION(number, "max-turns", "N", "the most turns, where the agent can count", max_turns),
	OPTION(string, "budget", "USD", "the most it may cost, or tokens: 200Ktok", budget),
	OPTION(flag, "sandbox", NULL, "only its work is writable, home is hidden", sandbox),
	OPTION(string, "total-budget", "USD", "the most that all sessions may cost", total_budget),
	OPTION(size, "memory", "SIZE", "address space of each process", memory),
	OPTION(number, "retry", "N", "try again so often where that may help", retry),
	OPTION(duration, "retry-delay", "D", "before the first of them; doubles (5s)", retry_delay),
	OPTION(duration, "quota-wait", "D", "wait for a limit that is over by then", quota_wait),
	OPTION(string, "resume", "SESSION", "go on with that session's conversation", resume),
	OPTION(string, "session", "ID", "the session's id (ses_UUID)", session),
	OPTION(size, "max-output", "SIZE", "bound of each log (64M)", max_output),
	OPTION(flag, "keep-background", NULL, "spare what it leaves running", keep_background),
	OPTION(flag, "keep-env", NULL, "hand on every variable of the environment", keep_env),
	OPTION(flag, "json", NULL, "print result.json", json),
	OPTION(flag, "print", NULL, "print the agent's last message", print),
	OPTION(flag, "check", NULL, "only say whether --agent can run here", check),
	{0},
};

static void set_clock(int64_t *clock, int64_t given)
{
	if (given >= 0)
		*clock = given;
}

void options_clocks(struct clocks *c)
{
	set_clock(&c->attempt, config.timeout);
	set_clock(&c->silence, config.stall);
	set_clock(&c->start, config.start_timeout >= 0 ? config.start_timeout : config.stall);
	set_clock(&c->tool, config.tool_timeout);
	set_clock(&c->linger, config.linger);
	set_clock(&c->grace, config.grace);
}

void options_check(const struct args *args)
{
	config.arguments = args->command;
	if (!config.agent && (!args->command || !*args->command))
		die_usage("an --agent, or a command behind \"--\", is needed");
	args_none(args);
	if (config.agent && !config.check && !config.prompt)
		die_usage("--agent needs a --prompt");
	if (config.resume && !config.agent)
		die_usage("--resume needs an --agent");
	if (!config.worktree && (config.branch || config.base))
		die_usage("--branch and --base belong to --worktree");
	for (size_t i = 0; i < config.vars.count; i++)
		if (!strchr(config.vars.item[i], '='))
			die_usage("--var: '%s' is not NAME=VALUE", config.vars.item[i]);
	budget_check("budget", config.budget);
	budget_check("total-budget", config.total_budget);
	if (config.total_budget && budget_micros(config.total_budget) < 0)
		die_usage("--total-budget: '%s' is not in dollars", config.total_budget);
}
