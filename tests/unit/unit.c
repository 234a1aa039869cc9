#include "unit.h"

#include "mem.h"

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <stdarg.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

enum { SECONDS_A_TEST = 60 };

static struct unit_test *tests;
static char source_tree[PATH_MAX];

void unit_register(struct unit_test *t)
{
	t->next = tests;
	tests = t;
}

void unit_fail(const char *file, int line, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "%s:%d: ", file, line);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	_exit(1);
}

const char *unit_path(const char *name)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof path, "%.3000s/tests/%s", source_tree, name);
	return path;
}

static int count_descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	if (!d)
		return -1;
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static void run_in_child(const struct unit_test *t)
{
	int before = count_descriptors(), after;

	/* What a shell's background ignores is of no concern to a test. */
	signal(SIGINT, SIG_DFL);
	signal(SIGQUIT, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	alarm(SECONDS_A_TEST);
	t->run();
	after = count_descriptors();
	if (after != before)
		unit_fail(t->name, 0, "%d descriptors are open, %d were before", after, before);
	exit(0); /* not _exit: leak checkers look now */
}

static int remove_entry(
	const char *path, const struct stat *st UNUSED, int type UNUSED, struct FTW *f UNUSED)
{
	return remove(path);
}

static bool run(const struct unit_test *t)
{
	char folder[] = "/tmp/loop-unit-XXXXXX";
	int status;
	pid_t pid;

	if (!mkdtemp(folder) || chdir(folder) < 0) {
		perror(folder);
		exit(2);
	}
	fflush(NULL);
	pid = fork();
	if (pid == 0)
		run_in_child(t);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (chdir("/") < 0 || nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS) < 0)
		perror(folder);
	if (WIFSIGNALED(status))
		fprintf(stderr, "%s: killed by %s\n", t->name, strsignal(WTERMSIG(status)));
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool chosen(const struct unit_test *t, char **names)
{
	if (!*names)
		return strncmp(t->name, "must_fail_", 10) != 0;
	for (; *names; names++)
		if (strncmp(t->name, *names, strlen(*names)) == 0)
			return true;
	return false;
}

/* Registered last is first in the list; run them as they stand in the files. */
static struct unit_test *reversed(struct unit_test *list)
{
	struct unit_test *done = NULL;

	while (list) {
		struct unit_test *next = list->next;

		list->next = done;
		done = list;
		list = next;
	}
	return done;
}

int main(int argc UNUSED, char **argv)
{
	const struct rlimit no_core = {0, 0};
	int passed = 0, failed = 0;

	setrlimit(RLIMIT_CORE, &no_core);
	if (!getcwd(source_tree, sizeof source_tree))
		return 2;
	for (const struct unit_test *t = reversed(tests); t; t = t->next) {
		if (!chosen(t, argv + 1))
			continue;
		if (run(t)) {
			passed++;
			continue;
		}
		printf("not ok %s\n", t->name);
		failed++;
	}
	printf("%d passed, %d failed\n", passed, failed);
	return failed || !passed;
}
