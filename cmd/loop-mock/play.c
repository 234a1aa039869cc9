/*
 * The steps of a script, a table from their key to what is done. A step is one
 * JSON object; the key that the table knows names it.
 */
#include "play.h"

#include "clock.h"
#include "die.h"
#include "io.h"
#include "mem.h"
#include "mischief.h"
#include "parse.h"
#include "script.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

void say(struct buf *line)
{
	int r;

	buf_char(line, '\n');
	r = io_write(STDOUT_FILENO, line->text, line->length);
	if (r < 0)
		die(EX_IOERR, "stdout: %s", strerror(-r));
	line->length = 0;
}

void say_format(const char *format, ...)
{
	AUTO_FREE char *text = NULL;
	AUTO_BUF struct buf line = {0};
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		die(EX_OSERR, "out of memory");
	va_end(args);
	buf_str(&line, text);
	say(&line);
}

void say_json(json_t *line)
{
	AUTO_BUF struct buf text = {0};

	json_add(&text, line);
	json_decref(line);
	say(&text);
}

json_t *text_json(const char *text)
{
	AUTO_BUF struct buf quoted = {0};

	buf_json(&quoted, text, strlen(text));
	return json_loadb(quoted.text, quoted.length, JSON_DECODE_ANY, NULL);
}

/* A member's text with its variables filled in; empty where there is none. */
static void expand_member(
	const struct play *p, const json_t *step, const char *key, struct buf *out)
{
	const char *text = json_string_value(json_object_get(step, key));

	script_expand(p, text ? text : "", out);
}

static int64_t duration_of(const json_t *step, const char *key, int64_t otherwise)
{
	int64_t ns = otherwise;
	struct err e = {0};

	if (json_get_duration(step, key, &ns, &e) < 0)
		die(EX_DATAERR, "%s", e.text);
	return ns;
}

static void begin_tool(struct play *p, struct tool *t)
{
	snprintf(t->id, sizeof t->id, "toolu_mock_%04lld", (long long)++p->next_id);
	p->turns++;
	p->dialect->tool(p, t);
}

static int step_text(struct play *p, const json_t *step)
{
	AUTO_BUF struct buf text = {0};

	expand_member(p, step, "text", &text);
	p->last.length = 0;
	buf_add(&p->last, text.text, text.length);
	p->turns++;
	p->dialect->text(p, text.text);
	return -1;
}

static void make_folders(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(path, 0777) < 0 && errno != EEXIST)
			die_errno(EX_CANTCREAT, "%s", path);
		*slash = '/';
	}
}

static int write_file(char *path, const struct buf *content, int flags)
{
	AUTO_CLOSE int fd = -1;

	make_folders(path);
	fd = io_open(AT_FDCWD, path, O_WRONLY | O_CREAT | flags, 0666);
	return fd < 0 ? fd : io_write(fd, content->text, content->length);
}

static int edit_file(struct play *p, const json_t *step, const char *key, int flags)
{
	AUTO_BUF struct buf path = {0}, content = {0};
	struct tool t = {.name = flags & O_APPEND ? "Edit" : "Write"};
	int r;

	expand_member(p, step, key, &path);
	expand_member(p, step, "content", &content);
	if (!path.length)
		die(EX_DATAERR, "\"%s\" needs a path", key);
	t.input = json_pack("{s:o, s:o}", "file_path", text_json(path.text), "content",
		text_json(content.text));
	begin_tool(p, &t);
	r = write_file(path.text, &content, flags);
	p->dialect->tool_end(p, &t, r < 0 ? strerror(-r) : "The file was written.", r < 0);
	json_decref(t.input);
	return -1;
}

/* The file with the first "old" in it made "new"; false if it is not in it. */
static bool replace_text(const char *path, const char *old, const char *new)
{
	AUTO_BUF struct buf text = {0}, changed = {0};
	const char *at;

	if (io_read_file(AT_FDCWD, path, 1 << 30, &text) < 0)
		return false;
	at = text.text && *old ? memmem(text.text, text.length, old, strlen(old)) : NULL;
	if (!at)
		return false;
	buf_add(&changed, text.text, (size_t)(at - text.text));
	buf_str(&changed, new);
	at += strlen(old);
	buf_add(&changed, at, (size_t)(text.text + text.length - at));
	return write_file((char *)(uintptr_t)path, &changed, O_TRUNC) == 0;
}

static int step_edit(struct play *p, const json_t *step)
{
	AUTO_BUF struct buf path = {0}, old = {0}, new = {0};
	struct tool t = {.name = "Edit"};
	bool ok;

	expand_member(p, step, "edit", &path);
	expand_member(p, step, "old", &old);
	expand_member(p, step, "new", &new);
	if (!path.length)
		die(EX_DATAERR, "\"edit\" needs a path");
	t.input = json_pack("{s:o, s:o, s:o}", "file_path", text_json(path.text), "old_string",
		text_json(old.text), "new_string", text_json(new.text));
	begin_tool(p, &t);
	ok = replace_text(path.text, old.text, new.text);
	p->dialect->tool_end(p, &t, ok ? "The file was edited." : "String not found.", !ok);
	json_decref(t.input);
	return -1;
}

static int step_write(struct play *p, const json_t *step)
{
	return edit_file(p, step, "write", O_TRUNC);
}

static int step_append(struct play *p, const json_t *step)
{
	return edit_file(p, step, "append", O_APPEND);
}

/* Runs the command as an agent's tool does, in a session of its own; its output and exit status. */
static int run_shell(const char *command, struct buf *out)
{
	int ends[2], status = 0;
	pid_t pid;

	if (io_pipe(ends) < 0 || (pid = fork()) < 0)
		die_errno(EX_OSERR, "cannot run a command");
	if (pid == 0) {
		setsid();
		dup2(ends[1], STDOUT_FILENO);
		dup2(ends[1], STDERR_FILENO);
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(EXIT_NOT_FOUND);
	}
	close(ends[1]);
	if (io_read_all(ends[0], 1 << 20, out) < 0)
		buf_str(out, "");
	close(ends[0]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_SIGNAL + WTERMSIG(status);
}

/* The command is shell text as it stands: values reach it as variables of the environment. */
static int step_run(struct play *p, const json_t *step)
{
	const char *command = json_string_value(json_object_get(step, "run"));
	AUTO_BUF struct buf out = {0}, attempt = {0};
	struct tool t = {.name = "Bash"};
	int status;

	if (!command)
		die(EX_DATAERR, "\"run\" must be a string");
	buf_int(&attempt, p->attempt);
	setenv("STORY", p->story, 1);
	setenv("ATTEMPT", attempt.text, 1);
	setenv("PROMPT", p->prompt.text ? p->prompt.text : "", 1);
	t.input = json_pack("{s:s, s:s}", "command", command, "description",
		"Run a command");
	begin_tool(p, &t);
	status = run_shell(command, &out);
	p->dialect->tool_end(p, &t, out.text ? out.text : "", status);
	json_decref(t.input);
	return -1;
}

static int step_tool(struct play *p, const json_t *step)
{
	const char *output = json_string_value(json_object_get(step, "output"));
	struct tool t = {.name = json_string_value(json_object_get(step, "tool"))};
	const json_t *ok = json_object_get(step, "ok");

	t.input = json_incref(json_object_get(step, "input"));
	if (!t.name)
		die(EX_DATAERR, "\"tool\" must be a string");
	if (!t.input)
		t.input = json_object();
	begin_tool(p, &t);
	clock_sleep(duration_of(step, "delay", 0));
	if (!json_is_false(json_object_get(step, "finish")))
		p->dialect->tool_end(p, &t, output ? output : "", json_is_false(ok));
	json_decref(t.input);
	return -1;
}

static int step_delay(struct play *p UNUSED, const json_t *step)
{
	clock_sleep(duration_of(step, "delay", 0));
	return -1;
}

static int64_t integer(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static int step_usage(struct play *p, const json_t *step)
{
	const json_t *u = json_object_get(step, "usage");

	p->used.input += integer(u, "input");
	p->used.output += integer(u, "output");
	p->used.cache_read += integer(u, "cache_read");
	p->used.cache_write += integer(u, "cache_write");
	p->used.cost += json_number_value(json_object_get(u, "cost"));
	return -1;
}

static int step_retry(struct play *p, const json_t *step)
{
	const json_t *r = json_object_get(step, "retry");
	const char *error = json_string_value(json_object_get(r, "error"));
	int64_t delay = duration_of(r, "delay", NS_PER_S);

	p->dialect->retry(
		p, error ? error : "server_error", integer(r, "status"), delay / NS_PER_MS);
	clock_sleep(delay);
	return -1;
}

void dialect_no_limit(struct play *p UNUSED, const char *kind UNUSED, const char *status UNUSED,
	int64_t resets UNUSED)
{
}

void dialect_no_background(struct play *p UNUSED, bool running UNUSED)
{
}

static int step_limit(struct play *p, const json_t *step)
{
	const json_t *l = json_object_get(step, "limit");
	const char *status = json_string_value(json_object_get(l, "status"));
	const char *kind = json_string_value(json_object_get(l, "kind"));
	int64_t resets = clock_real() + duration_of(l, "resets_in", 3600 * NS_PER_S);

	p->limited_until = resets / NS_PER_S;
	p->dialect->limit(p, kind ? kind : "five_hour", status ? status : "rejected",
		resets / NS_PER_S);
	return -1;
}

/* How a result may end, and which of those it is in loop-spawn's words. */
static const char *ending_named(const char *word)
{
	static const char *const names[][2] = {
		{"success", "success"},
		{"failed", "failed"},
		{"max_turns", "max_turns"},
		{"budget", "budget"},
		{"auth", "auth"},
		{"permission", "permission"},
		{"billing", "billing"},
		{"quota", "rate_limit"},
		{"rate_limit", "rate_limit"},
		{"transient", "server"},
		{"overloaded", "overloaded"},
		{"server", "server"},
		{"network", "network"},
		{"context", "context"},
		{"refused", "refused"},
	};

	for (size_t i = 0; i < countof(names); i++)
		if (strcmp(names[i][0], word) == 0)
			return names[i][1];
	die(EX_DATAERR, "'%s' is no reason that loop-mock(1) lists", word);
}

/* The result; the script may go on after it, and what it says then is still heard. */
static int step_result(struct play *p, const json_t *step)
{
	const char *reason = json_string_value(json_object_get(step, "reason"));
	struct ending e = {
		.reason = ending_named(reason ? reason : "success"),
	};
	AUTO_BUF struct buf text = {0};
	int status;

	expand_member(p, step, "result", &text);
	e.text = text.length ? text.text : p->last.text ? p->last.text
							: "";
	status = p->dialect->end(p, &e);
	p->said_result = true;
	if (json_object_get(step, "exit"))
		status = (int)integer(step, "exit");
	return json_is_true(json_object_get(step, "more")) ? -1 : status;
}

static int step_background(struct play *p, const json_t *step)
{
	p->dialect->background(p, true);
	clock_sleep(duration_of(step, "background", NS_PER_S));
	p->dialect->background(p, false);
	p->dialect->start(p);
	return -1;
}

static int step_exit(struct play *p UNUSED, const json_t *step)
{
	return (int)integer(step, "exit") & 0xff;
}

static const struct {
	const char *key;
	int (*run)(struct play *, const json_t *); /* the exit status, or -1 to go on */
} verbs[] = {
	{"text", step_text},
	{"write", step_write},
	{"edit", step_edit},
	{"append", step_append},
	{"run", step_run},
	{"tool", step_tool},
	{"usage", step_usage},
	{"retry", step_retry},
	{"limit", step_limit},
	{"result", step_result},
	{"background", step_background},
	{"raw", mischief_raw},
	{"torn", mischief_torn},
	{"stderr", mischief_stderr},
	{"replay", mischief_replay},
	{"flood", mischief_flood},
	{"line", mischief_line},
	{"signal", mischief_signal},
	{"stall", mischief_stall},
	{"spin", mischief_spin},
	{"ignore", mischief_ignore},
	{"leak", mischief_leak},
	/* Also members of other steps, so they come last. */
	{"exit", step_exit},
	{"delay", step_delay},
};

static int play_step(struct play *p, const json_t *step)
{
	for (size_t i = 0; i < countof(verbs); i++)
		if (json_object_get(step, verbs[i].key))
			return verbs[i].run(p, step);
	die(EX_DATAERR, "a step has none of the keys that loop-mock(1) lists");
}

/* Turns are counted before the next one begins, as the real ones do. */
static bool out_of_turns(const struct play *p)
{
	return p->max_turns > 0 && p->turns >= p->max_turns;
}

static bool out_of_money(const struct play *p)
{
	return p->budget >= 0 && p->used.cost > p->budget;
}

static int end_by(struct play *p, const char *reason)
{
	struct ending e = {.reason = reason, .text = p->last.text ? p->last.text : ""};

	return p->dialect->end(p, &e);
}

int play_steps(struct play *p, const json_t *steps)
{
	for (size_t i = 0; i < json_array_size(steps); i++) {
		const json_t *step = json_array_get(steps, i);
		int64_t times = json_object_get(step, "repeat") ? integer(step, "repeat") : 1;

		for (int64_t n = 0; script_applies(p, step) && n < times; n++) {
			int status = play_step(p, step);

			if (status >= 0)
				return status;
			if (out_of_turns(p) && !p->said_result)
				return end_by(p, "max_turns");
			if (out_of_money(p) && !p->said_result)
				return end_by(p, "budget");
		}
	}
	return p->said_result ? 0 : end_by(p, "success");
}
