#include "mischief.h"

#include "clock.h"
#include "die.h"
#include "io.h"
#include "parse.h"
#include "script.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

static void expand(const struct play *p, const json_t *step, const char *key, struct buf *out)
{
	const char *text = json_string_value(json_object_get(step, key));

	script_expand(p, text ? text : "", out);
}

static void put(int fd, const struct buf *b)
{
	int r = io_write(fd, b->text, b->length);

	if (r < 0)
		die(EX_IOERR, "cannot write: %s", strerror(-r));
}

int mischief_raw(struct play *p, const json_t *step)
{
	AUTO_BUF struct buf text = {0};

	if (json_is_true(json_object_get(step, "raw")))
		buf_str(&text, "{\"type\": garbage \xff\x01 <html>");
	else
		expand(p, step, "raw", &text);
	say(&text);
	return -1;
}

int mischief_torn(struct play *p, const json_t *step)
{
	AUTO_BUF struct buf text = {0};

	expand(p, step, "torn", &text);
	put(STDOUT_FILENO, &text);
	return -1;
}

int mischief_stderr(struct play *p, const json_t *step)
{
	AUTO_BUF struct buf text = {0};

	expand(p, step, "stderr", &text);
	buf_char(&text, '\n');
	put(STDERR_FILENO, &text);
	return -1;
}

static int signal_number(const char *name)
{
	static const struct {
		const char *name;
		int number;
	} signals[] = {
		{"HUP", SIGHUP},
		{"INT", SIGINT},
		{"QUIT", SIGQUIT},
		{"ABRT", SIGABRT},
		{"KILL", SIGKILL},
		{"SEGV", SIGSEGV},
		{"PIPE", SIGPIPE},
		{"TERM", SIGTERM},
		{"BUS", SIGBUS},
	};

	for (size_t i = 0; name && i < countof(signals); i++)
		if (strcmp(name, signals[i].name) == 0)
			return signals[i].number;
	die(EX_DATAERR, "'%s' is no signal that is known here", name ? name : "");
}

static NORETURN void die_by(int sig)
{
	const struct rlimit no_core = {0, 0};

	setrlimit(RLIMIT_CORE, &no_core);
	signal(sig, SIG_DFL);
	kill(getpid(), sig);
	for (;;)
		pause();
}

int mischief_signal(struct play *p UNUSED, const json_t *step)
{
	const char *name = json_string_value(json_object_get(step, "signal"));

	die_by(name ? signal_number(name) : SIGSEGV);
}

/* The bytes of a file as they are, then its status ("exit") or its signal ("killed"). */
int mischief_replay(struct play *p, const json_t *step)
{
	const char *killed = json_string_value(json_object_get(step, "killed"));
	const char *errors = json_string_value(json_object_get(step, "errors"));
	AUTO_BUF struct buf path = {0}, bytes = {0}, noise = {0};
	int r;

	expand(p, step, "replay", &path);
	r = path.length ? io_read_file(AT_FDCWD, path.text, 1 << 30, &bytes) : 0;
	if (r == 0 && errors)
		r = io_read_file(AT_FDCWD, errors, 1 << 30, &noise);
	if (r < 0)
		die(EX_NOINPUT, "%s: %s", path.text, strerror(-r));
	put(STDOUT_FILENO, &bytes);
	put(STDERR_FILENO, &noise);
	if (killed)
		die_by(signal_number(killed));
	return (int)json_integer_value(json_object_get(step, "exit"));
}

static int64_t size_of(const json_t *step, const char *key)
{
	int64_t bytes;

	if (parse_size(json_string_value(json_object_get(step, key)), &bytes) < 0)
		die(EX_DATAERR, "\"%s\" must be a size such as \"10M\"", key);
	return bytes;
}

int mischief_flood(struct play *p, const json_t *step)
{
	int64_t left = size_of(step, "flood");

	while (left > 0) {
		AUTO_BUF struct buf text = {0};

		for (int i = 0; i < 100; i++)
			buf_str(&text, "much ado ");
		p->dialect->text(p, text.text);
		left -= (int64_t)text.length;
	}
	return -1;
}

int mischief_line(struct play *p, const json_t *step)
{
	int64_t size = size_of(step, "line");
	AUTO_BUF struct buf text = {0};

	memset(buf_reserve(&text, (size_t)size), 'x', (size_t)size);
	text.length = (size_t)size;
	buf_add(&text, "", 0);
	p->dialect->text(p, text.text);
	return -1;
}

int mischief_stall(struct play *p UNUSED, const json_t *step UNUSED)
{
	for (;;)
		pause();
}

int mischief_spin(struct play *p UNUSED, const json_t *step)
{
	int64_t ns = NS_PER_S, deadline;
	struct err e = {0};

	if (json_get_duration(step, "spin", &ns, &e) < 0)
		die(EX_DATAERR, "%s", e.text);
	deadline = clock_after(ns);
	while (clock_now() < deadline)
		;
	return -1;
}

int mischief_ignore(struct play *p UNUSED, const json_t *step)
{
	signal(signal_number(json_string_value(json_object_get(step, "ignore"))), SIG_IGN);
	return -1;
}

/* A daemon by the book, which holds our stdout and stderr and listens to no polite signal. */
static NORETURN void daemonise(const char *pid_file)
{
	AUTO_BUF struct buf pid = {0};

	if (setsid() < 0 || fork() > 0)
		_exit(0);
	if (setsid() < 0)
		signal(SIGHUP, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	buf_int(&pid, getpid());
	buf_char(&pid, '\n');
	if (pid_file && io_replace(AT_FDCWD, pid_file, pid.text, pid.length, 0644) < 0)
		_exit(EX_IOERR);
	for (int64_t end = clock_after(600 * NS_PER_S); clock_now() < end;)
		clock_sleep(NS_PER_S);
	_exit(0);
}

int mischief_leak(struct play *p, const json_t *step)
{
	AUTO_BUF struct buf path = {0};
	pid_t pid;

	expand(p, step, "leak", &path);
	pid = fork();
	if (pid < 0)
		die_errno(EX_OSERR, "fork");
	if (pid == 0)
		daemonise(path.length ? path.text : NULL);
	while (waitpid(pid, NULL, 0) < 0)
		;
	return -1;
}
