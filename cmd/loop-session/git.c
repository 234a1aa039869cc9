#include "git.h"

#include "die.h"
#include "io.h"
#include "proc.h"

#include <errno.h>
#include <stdarg.h>
#include <sys/wait.h>

enum { OUTPUT_MAX = 64 << 20 };

/* A repository's configuration may name programs to run: those that gc would meet are off. */
static const char *const always[] = {"git", "-c", "core.hooksPath=/dev/null", "-c", "gc.auto=0",
	"-c", "core.fsmonitor=false", "-c", "maintenance.auto=false"};

void git_forget_environment(void)
{
	static const char *const unset[] = {"GIT_DIR", "GIT_WORK_TREE", "GIT_PREFIX",
		"GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR", "GIT_NAMESPACE", "GIT_INDEX_FILE"};

	for (size_t i = 0; i < countof(unset); i++)
		unsetenv(unset[i]);
	setenv("GIT_OPTIONAL_LOCKS", "0", 1);
	setenv("GIT_TERMINAL_PROMPT", "0", 1);
	setenv("LC_ALL", "C", 1);
}

static int follow(struct child *c, int fd, struct buf *out)
{
	int status, r = io_read_all(fd, OUTPUT_MAX, out);

	close(fd);
	while (waitpid(c->pid, &status, 0) < 0)
		if (errno != EINTR)
			die_errno(EX_OSERR, "waitpid");
	child_close(c);
	return r < 0 ? EXIT_OWN : proc_exit_status(status);
}

static int run(const char *dir, const struct strs *argv, struct buf *out)
{
	struct spawn s = {.argv = argv->item, .dir = dir, .in = -1};
	struct err e = {0};
	struct child c;
	int ends[2], r;

	r = io_pipe(ends);
	if (r < 0)
		die(EX_OSERR, "pipe: %s", strerror(-r));
	s.out = s.error = ends[1];
	r = proc_spawn(&c, &s, &e);
	close(ends[1]);
	if (r >= 0)
		return follow(&c, ends[0], out);
	close(ends[0]);
	buf_str(out, e.text);
	return proc_spawn_status(r);
}

int git(const char *dir, struct buf *out, ...)
{
	struct strs argv = {0};
	va_list words;
	int status;

	out->length = 0;
	for (size_t i = 0; i < countof(always); i++)
		strs_add(&argv, always[i]);
	va_start(words, out);
	for (const char *word; (word = va_arg(words, const char *));)
		strs_add(&argv, word);
	va_end(words);
	status = run(dir, &argv, out);
	while (out->length && out->text[out->length - 1] == '\n')
		out->length--;
	buf_add(out, "", 0);
	out->text[out->length] = '\0';
	strs_clear(&argv);
	return status;
}
