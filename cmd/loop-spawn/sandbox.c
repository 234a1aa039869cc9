#include "sandbox.h"

#include "mem.h"
#include "share.h"

#include <limits.h>

static void add(struct strs *argv, const char *option, const char *path)
{
	strs_add(argv, option);
	strs_add(argv, path);
	if (strstr(option, "bind"))
		strs_add(argv, path);
}

/* The paths of agent.json's "sandbox": {"read": […], "write": […]}; "~" is the home folder. */
static void add_named(const struct session *s, const char *key, const char *option,
	struct strs *argv)
{
	const json_t *paths = json_object_get(json_object_get(s->agent.about, "sandbox"), key);
	const char *home = getenv("HOME");

	for (size_t i = 0; i < json_array_size(paths); i++) {
		const char *path = json_string_value(json_array_get(paths, i));
		AUTO_FREE char *full = NULL;

		if (!path)
			continue;
		full = *path == '~' ? mem_format("%s%s", home ? home : "", path + 1)
				    : mem_string(path);
		add(argv, option, full);
	}
}

static bool below(const char *path, const char *folder)
{
	size_t n = strlen(folder);

	return n > 1 && strncmp(path, folder, n) == 0 && path[n] == '/';
}

/* What a program in PREFIX/bin needs is mostly beside it; but a whole home folder is not shown. */
static void add_prefix(struct strs *argv, char *folder, const char *home)
{
	AUTO_FREE char *local = mem_format("%s/.local", home);
	char *name = strrchr(folder, '/');

	if (strcmp(name, "/bin") == 0 || strcmp(name, "/.bin") == 0) {
		*name = '\0';
		if (!below(folder, home) || strcmp(folder, local) == 0)
			*name = '/';
	}
	add(argv, "--ro-bind-try", folder);
}

/* Programs may live below what is hidden: those folders of the path are shown again. */
static void add_programs(struct strs *argv, const char *home)
{
	const char *path = getenv("PATH");

	for (; path && *path; path += strcspn(path, ":"), path += *path == ':') {
		AUTO_FREE char *folder = mem_substring(path, strcspn(path, ":"));

		if (below(folder, home))
			add_prefix(argv, folder, home);
		else if (below(folder, "/tmp"))
			add_prefix(argv, folder, "/tmp");
	}
}

/* Our own programs and agents. */
static void add_house(struct strs *argv)
{
	AUTO_FREE char *shared = share_path("agents");
	char folder[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", folder, sizeof folder - 1);

	if (shared)
		add(argv, "--ro-bind-try", shared);
	if (n <= 0)
		return;
	folder[n] = '\0';
	*strrchr(folder, '/') = '\0';
	add(argv, "--ro-bind", folder);
}

/* Git's folder, without what git would run or obey when somebody else calls it later. */
static void add_git(const struct session *s, struct strs *argv)
{
	static const char *const kept[] = {"hooks", "config", "info"};

	if (!s->git_folder)
		return;
	add(argv, "--bind", s->git_folder);
	for (size_t i = 0; i < countof(kept); i++) {
		AUTO_FREE char *path = mem_format("%s/%s", s->git_folder, kept[i]);

		add(argv, "--ro-bind-try", path);
	}
}

void sandbox_argv(const struct session *s, struct strs *argv)
{
	static const char *const first[] = {
		"bwrap", "--die-with-parent", "--ro-bind", "/", "/", "--dev", "/dev"};
	const char *home = getenv("HOME");

	if (!s->config->sandbox)
		return;
	for (size_t i = 0; i < countof(first); i++)
		strs_add(argv, first[i]);
	add(argv, "--tmpfs", "/tmp");
	if (home && *home == '/' && home[1])
		add(argv, "--tmpfs", home);
	add_programs(argv, home ? home : "");
	add_house(argv);
	add(argv, "--ro-bind", s->state.path);
	add_named(s, "read", "--ro-bind-try", argv);
	add_named(s, "write", "--bind-try", argv);
	add_git(s, argv);
	add(argv, "--bind", s->worktree ? s->worktree : s->work);
	add(argv, "--chdir", s->work);
	strs_add(argv, "--");
}
