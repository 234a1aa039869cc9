#include "worktree.h"

#include "die.h"
#include "env.h"
#include "io.h"
#include "mem.h"
#include "parse.h"
#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/file.h>
#include <sys/stat.h>

/* Git's own variables from around us would point it elsewhere. */
static void git_env(struct strs *env, const char *index)
{
	static const char *const unset[] = {"GIT_DIR", "GIT_WORK_TREE", "GIT_PREFIX",
		"GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR", "GIT_NAMESPACE", "GIT_INDEX_FILE"};

	for (char **entry = environ; *entry; entry++)
		strs_add(env, *entry);
	for (size_t i = 0; i < countof(unset); i++)
		env_set(env, unset[i], NULL);
	env_set(env, "GIT_INDEX_FILE", index);
	env_set(env, "GIT_OPTIONAL_LOCKS", "0");
	env_set(env, "GIT_TERMINAL_PROMPT", "0");
	env_set(env, "LC_ALL", "C");
}

/* Runs git with these words (ended by NULL) in dir: its status, its output without the newline. */
static int git(const char *dir, const char *index, struct buf *out, ...)
{
	struct strs argv = {0}, env = {0};
	struct run r = {.dir = dir};
	struct err e = {0};
	va_list words;
	int status;

	strs_add(&argv, "git");
	strs_add(&argv, "-c");
	strs_add(&argv, "core.hooksPath=/dev/null");
	strs_add(&argv, "-c");
	strs_add(&argv, "gc.auto=0");
	va_start(words, out);
	for (const char *word; (word = va_arg(words, const char *));)
		strs_add(&argv, word);
	va_end(words);
	git_env(&env, index);
	r.argv = argv.item;
	r.env = env.item;
	status = run_command(&r, &e);
	while (r.out.length && r.out.text[r.out.length - 1] == '\n')
		r.out.text[--r.out.length] = '\0';
	buf_clear(out);
	*out = r.out;
	if (e.text[0])
		buf_str(out, e.text);
	strs_clear(&argv);
	strs_clear(&env);
	return status;
}

/* The path of the worktree that has the branch checked out, from git's list; NULL if none has. */
static char *find_checkout(const char *dir, const char *branch)
{
	AUTO_FREE char *wanted = mem_format("branch refs/heads/%s", branch);
	AUTO_BUF struct buf list = {0};
	const char *path = NULL;

	if (git(dir, NULL, &list, "worktree", "list", "--porcelain", (char *)NULL) != 0)
		return NULL;
	for (char *line = list.text, *next; line && *line; line = next) {
		next = line + strcspn(line, "\n");
		if (*next)
			*next++ = '\0';
		if (strncmp(line, "worktree ", 9) == 0)
			path = line + 9;
		else if (path && strcmp(line, wanted) == 0)
			return mem_string(path);
	}
	return NULL;
}

/* Holds the worktree for as long as we live. */
static void hold(const struct session *s, const char *root)
{
	const char *name = strrchr(root, '/') + 1;
	AUTO_FREE char *path = mem_format("worktrees/.%s.lock", name);
	int fd = state_file(&s->state, path, O_RDWR | O_CREAT, 0600);

	if (fd < 0)
		die(EX_CANTCREAT, "%s/%s: %s", s->state.path, path, strerror(-fd));
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		die(EX_TEMPFAIL, "%s: another session works in it", root);
}

static bool is_ours(const struct session *s, const char *root)
{
	AUTO_FREE char *prefix = mem_format("%s/worktrees/", s->state.path);

	return strncmp(root, prefix, strlen(prefix)) == 0 && access(root, F_OK) == 0;
}

static void add_worktree(struct session *s, const char *top, const char *root)
{
	const char *base = s->config->base ? s->config->base : "HEAD";
	AUTO_FREE char *ref = mem_format("refs/heads/%s", s->branch);
	AUTO_BUF struct buf out = {0};
	int status;

	if (git(top, NULL, &out, "rev-parse", "--verify", "--quiet", ref, (char *)NULL) == 0)
		status = git(top, NULL, &out, "worktree", "add", "--quiet", root, s->branch,
			(char *)NULL);
	else
		status = git(top, NULL, &out, "worktree", "add", "--quiet", "--no-track", "-b",
			s->branch, root, base, (char *)NULL);
	if (status)
		die(EX_CANTCREAT, "git worktree add: %s", out.text);
}

/* Copies what .worktreeinclude names (ignored files such as .env) in batches. */
static void copy_files(const char *top, const char *root, const struct buf *list)
{
	enum { BATCH = 200 };
	const char *p = list->text, *end = list->text + list->length;

	while (p < end) {
		struct strs argv = {0};
		struct run r = {.dir = top};
		struct err e = {0};

		strs_format(&argv, "cp");
		strs_add(&argv, "-a");
		strs_add(&argv, "--parents");
		strs_format(&argv, "--target-directory=%s", root);
		strs_add(&argv, "--");
		for (int i = 0; i < BATCH && p < end; i++, p += strlen(p) + 1)
			strs_add(&argv, p);
		r.argv = argv.item;
		if (run_command(&r, &e) != 0)
			warn(".worktreeinclude: %s", e.text[0] ? e.text : r.out.text);
		strs_clear(&argv);
		buf_clear(&r.out);
	}
}

static void include_files(const char *top, const char *root)
{
	AUTO_FREE char *include = mem_format("%s/.worktreeinclude", top);
	AUTO_BUF struct buf list = {0};

	if (access(include, R_OK) < 0)
		return;
	if (git(top, NULL, &list, "ls-files", "-z", "--others", "--ignored", "--exclude-from",
		    include, (char *)NULL) == 0)
		copy_files(top, root, &list);
	else
		warn(".worktreeinclude: %s", list.text);
}

static void choose_branch(struct session *s, const char *top)
{
	AUTO_BUF struct buf out = {0};
	const char *name = s->config->branch;

	s->branch = name ? mem_string(name) : mem_format("loop/%s", s->id);
	if (git(top, NULL, &out, "check-ref-format", "--branch", s->branch, (char *)NULL) != 0)
		die_usage("--branch: '%s' is no name for a branch", s->branch);
}

static char *ask_git(const char *root, const char *option, const char *what)
{
	AUTO_BUF struct buf out = {0};

	return git(root, NULL, &out, "rev-parse", option, what, (char *)NULL) == 0
		? mem_string(out.text)
		: NULL;
}

void worktree_open(struct session *s)
{
	AUTO_BUF struct buf top = {0}, prefix = {0}, ignored = {0};
	AUTO_FREE char *found = NULL;
	int folder = state_folder(&s->state, "worktrees");

	if (folder < 0)
		die(EX_CANTCREAT, "%s/worktrees: %s", s->state.path, strerror(-folder));
	close(folder);
	if (git(s->work, NULL, &top, "rev-parse", "--show-toplevel", (char *)NULL) != 0)
		die(EX_NOINPUT, "--worktree: %s: not in a git repository", s->work);
	if (git(s->work, NULL, &prefix, "rev-parse", "--show-prefix", (char *)NULL) != 0)
		die(EX_NOINPUT, "--worktree: %s", prefix.text);
	choose_branch(s, top.text);
	found = find_checkout(top.text, s->branch);
	if (found && access(found, F_OK) == 0 && !is_ours(s, found))
		die(EX_CANTCREAT, "--branch: %s is checked out in %s", s->branch, found);
	if (found && is_ours(s, found)) {
		s->worktree = mem_string(found);
		hold(s, s->worktree);
	} else {
		git(top.text, NULL, &ignored, "worktree", "prune", (char *)NULL);
		s->worktree = mem_format("%s/worktrees/%s", s->state.path, s->id);
		hold(s, s->worktree);
		add_worktree(s, top.text, s->worktree);
		include_files(top.text, s->worktree);
	}
	s->base = ask_git(s->worktree, "HEAD", NULL);
	s->git_folder = ask_git(s->worktree, "--path-format=absolute", "--git-common-dir");
	free(s->work);
	s->work = mem_format("%s/%s", s->worktree, prefix.text);
}

/* One commit on top of HEAD with everything that is there, made beside the real index. */
void worktree_save(struct session *s)
{
	AUTO_BUF struct buf out = {0}, tree = {0}, commit = {0};
	AUTO_FREE char *index = session_file(s, "index");
	AUTO_FREE char *ref = mem_format("refs/loop/saved/%s", s->id);
	const char *at = s->worktree;
	bool saved;

	if (!at || git(at, NULL, &out, "status", "--porcelain", (char *)NULL) != 0 || !out.length)
		return;
	saved = git(at, index, &out, "read-tree", "HEAD", (char *)NULL) == 0 &&
		git(at, index, &out, "add", "-A", (char *)NULL) == 0 &&
		git(at, index, &tree, "write-tree", (char *)NULL) == 0 &&
		git(at, index, &commit, "-c", "user.name=loop-spawn", "-c",
			"user.email=loop-spawn@localhost", "commit-tree", tree.text, "-p", "HEAD",
			"-m", "What the session left uncommitted", (char *)NULL) == 0 &&
		git(at, NULL, &out, "update-ref", ref, commit.text, (char *)NULL) == 0;
	unlinkat(s->folder, "index", 0);
	if (saved)
		s->saved = mem_string(ref);
	else
		warn("%s: what is not committed could not be saved: %s", at,
			out.text ? out.text : "");
}
