#include "git.h"

#include "die.h"
#include "io.h"
#include "proc.h"

#include <poll.h>
#include <signal.h>
#include <stdarg.h>

enum { OUTPUT_MAX = 64 << 20,
	ASK_EVERY = 200 }; /* ms */

/* A repository's configuration may name programs to run: those that we would meet are off. */
static const char *const always[] = {"git", "-c", "core.hooksPath=/dev/null", "-c", "gc.auto=0",
	"-c", "core.fsmonitor=false", "-c", "maintenance.auto=false"};

static void build_env(const struct git *g, struct strs *env)
{
	static const char *const gits[] = {"GIT_DIR=", "GIT_WORK_TREE=", "GIT_PREFIX=",
		"GIT_OBJECT_DIRECTORY=", "GIT_COMMON_DIR=", "GIT_NAMESPACE=", "GIT_INDEX_FILE=",
		"GIT_OPTIONAL_LOCKS=", "GIT_TERMINAL_PROMPT=", "LC_ALL=", NULL};

	proc_environ(env, gits);
	strs_add(env, "GIT_OPTIONAL_LOCKS=0");
	strs_add(env, "GIT_TERMINAL_PROMPT=0");
	strs_add(env, "LC_ALL=C");
	if (g->index)
		strs_format(env, "GIT_INDEX_FILE=%s", g->index);
}

/* True until its output ends: git leaves nobody behind who would hold it open. */
static bool hear(int fd, struct buf *out)
{
	enum { ROOM = 65536 };
	struct pollfd p = {.fd = fd, .events = POLLIN};
	ssize_t n = ROOM;

	if (poll(&p, 1, ASK_EVERY) > 0) {
		n = io_read_some(fd, buf_reserve(out, ROOM), ROOM);
		out->length += n > 0 ? (size_t)n : 0;
	}
	return n > 0;
}

static int follow(const struct git *g, struct child *c, int fd, struct buf *out)
{
	bool enough = false;

	while (!enough && hear(fd, out))
		enough = out->length > OUTPUT_MAX || (g->give_up && g->give_up());
	if (enough)
		child_signal(c, SIGTERM);
	return child_wait(c);
}

static int run(const struct git *g, char *const *argv, char *const *env, struct buf *out)
{
	struct spawn s = {.argv = argv, .env = env, .dir = g->dir, .in = -1};
	struct err e = {0};
	struct child c;
	int ends[2], status, r = io_pipe(ends);

	if (r < 0) {
		buf_str(out, strerror(-r));
		return EXIT_OWN;
	}
	s.out = s.error = ends[1];
	r = proc_spawn(&c, &s, &e);
	close(ends[1]);
	status = r < 0 ? proc_spawn_status(r) : follow(g, &c, ends[0], out);
	close(ends[0]);
	if (r < 0)
		buf_str(out, e.text);
	return status;
}

int git(const struct git *g, struct buf *out, ...)
{
	AUTO_STRS struct strs argv = {0}, env = {0};
	va_list words;
	int status;

	out->length = 0;
	for (size_t i = 0; i < countof(always); i++)
		strs_add(&argv, always[i]);
	va_start(words, out);
	for (const char *word; (word = va_arg(words, const char *));)
		strs_add(&argv, word);
	va_end(words);
	build_env(g, &env);
	status = run(g, argv.item, env.item, out);
	while (out->length && out->text[out->length - 1] == '\n')
		out->length--;
	buf_add(out, "", 0);
	out->text[out->length] = '\0';
	return status;
}
