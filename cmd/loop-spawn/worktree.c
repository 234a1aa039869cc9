#include "worktree.h"

#include "clock.h"
#include "die.h"
#include "git.h"
#include "io.h"
#include "mem.h"
#include "run.h"
#include "signals.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#define ADD_TRIES 5
#define ADD_PAUSE (50 * NS_PER_MS)

/* Git in a folder, ended by a signal to us as well. */
#define IN(folder) (&(struct git){.dir = (folder), .give_up = signals_came})

static bool signals_came(void)
{
	return signals_caught() != 0;
}

/* The path of the worktree that has the branch checked out, from git's list; NULL if none has. */
static char *find_checkout(const char *dir, const char *branch)
{
	AUTO_FREE char *wanted = mem_format("branch refs/heads/%s", branch);
	AUTO_BUF struct buf list = {0};
	const char *path = NULL;

	if (git(IN(dir), &list, "worktree", "list", "--porcelain", (char *)NULL) != 0)
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

/* Holds the worktree for as long as we live: the lock is its folder's, which gc takes as well. */
static int hold(const char *root, struct err *e)
{
	int fd = io_open(AT_FDCWD, root, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	struct stat here, there;

	if (fd < 0)
		return err_sys(e, fd, "%s", root);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return err_set(e, -EBUSY, "%s: another session works in it", root);
	if (fstat(fd, &here) < 0 || stat(root, &there) < 0 || here.st_ino != there.st_ino)
		return err_set(e, -ENOENT, "%s: it was removed just now", root);
	return 0;
}

static bool is_ours(const struct session *s, const char *root)
{
	AUTO_FREE char *prefix = mem_format("%s/worktrees/", s->state.path);

	return strncmp(root, prefix, strlen(prefix)) == 0 && access(root, F_OK) == 0;
}

/* What git says begins with its own word for it. */
static int git_failed(struct err *e, const struct buf *said)
{
	const char *words = said->text;

	if (strncmp(words, "fatal: ", 7) == 0)
		words += 7;
	return err_set(e, -EINVAL, "--worktree: %.*s", (int)strcspn(words, "\n"), words);
}

static bool git_knows(const char *top, const char *name)
{
	AUTO_BUF struct buf out = {0};

	return git(IN(top), &out, "rev-parse", "--verify", "--quiet", name, (char *)NULL) == 0;
}

/* Where the worktree begins must be there, and in it the folder that the session is to work in. */
static int check_start(const char *top, const char *start, const char *prefix, struct err *e)
{
	AUTO_FREE char *commit = mem_format("%s^{commit}", start);
	AUTO_FREE char *folder = mem_format("%s:%s", start, prefix);

	if (!git_knows(top, commit))
		return err_set(e, -EINVAL, "--worktree: %s: there is no commit %s to begin at", top,
			start);
	if (!git_knows(top, folder))
		return err_set(e, -ENOENT, "--worktree: %s: %s has no folder %s", top, start,
			prefix);
	return 0;
}

static int add_worktree(struct session *s, const char *top, const char *prefix, struct err *e)
{
	AUTO_FREE char *ref = mem_format("refs/heads/%s", s->branch);
	bool exists = git_knows(top, ref);
	const char *base = exists ? s->branch : s->config->base ? s->config->base
								: "HEAD";
	AUTO_BUF struct buf out = {0};
	int r = check_start(top, base, prefix, e);

	if (r < 0)
		return r;
	if (exists)
		r = git(IN(top), &out, "worktree", "add", "--quiet", s->worktree, s->branch,
			(char *)NULL);
	else
		r = git(IN(top), &out, "worktree", "add", "--quiet", "--no-track", "-b", s->branch,
			s->worktree, base, (char *)NULL);
	if (r == 0)
		return 0;
	git_failed(e, &out);
	return -EAGAIN;
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
	if (git(IN(top), &list, "ls-files", "-z", "--others", "--ignored", "--exclude-from",
		    include, (char *)NULL) == 0)
		copy_files(top, root, &list);
	else
		warn(".worktreeinclude: %s", list.text);
}

static int choose_branch(struct session *s, const char *top, struct err *e)
{
	AUTO_BUF struct buf out = {0};
	const char *name = s->config->branch;

	s->branch = name ? mem_string(name) : mem_format("loop/%s", s->id);
	if (git(IN(top), &out, "check-ref-format", "--branch", s->branch, (char *)NULL) == 0)
		return 0;
	return err_set(e, -EINVAL, "--branch: '%s' is no name for a branch", s->branch);
}

static char *ask_git(const char *root, const char *option, const char *what)
{
	AUTO_BUF struct buf out = {0};

	return git(IN(root), &out, "rev-parse", option, what, (char *)NULL) == 0
		? mem_string(out.text)
		: NULL;
}

/* The folder is ours before git fills it. */
static int make_once(struct session *s, const char *top, const char *prefix, struct err *e)
{
	int r;

	if (mkdir(s->worktree, 0700) < 0)
		return err_sys(e, -errno, "%s", s->worktree);
	r = hold(s->worktree, e);
	if (r == 0)
		r = add_worktree(s, top, prefix, e);
	if (r < 0)
		rmdir(s->worktree);
	else
		include_files(top, s->worktree);
	return r;
}

/*
 * Git itself takes no lock here: who prunes its worktrees, as any gc does, or
 * removes the last one, takes another's that is just being added with it.
 */
static int make(struct session *s, const char *top, const char *prefix, struct err *e)
{
	int r;

	s->worktree = mem_format("%s/worktrees/%s", s->state.path, s->id);
	for (int tries = ADD_TRIES; tries > 0; tries--) {
		r = make_once(s, top, prefix, e);
		if (r != -EAGAIN || signals_came())
			return r;
		clock_sleep(ADD_PAUSE);
	}
	return r;
}

/* The one that has the branch already, or a new one. */
static int find_or_make(struct session *s, const char *top, const char *prefix, struct err *e)
{
	AUTO_FREE char *found = find_checkout(top, s->branch);
	AUTO_BUF struct buf ignored = {0};
	bool gone = found && access(found, F_OK) < 0;

	if (gone) /* git takes the branch for checked out until it is told */
		git(IN(top), &ignored, "worktree", "prune", (char *)NULL);
	if (!found || gone)
		return make(s, top, prefix, e);
	if (!is_ours(s, found))
		return err_set(e, -EBUSY, "--branch: %s is checked out in %s", s->branch, found);
	s->worktree = mem_string(found);
	return hold(s->worktree, e);
}

static int find_repository(const struct session *s, struct buf *top, struct buf *prefix,
	struct err *e)
{
	if (git(IN(s->work), top, "rev-parse", "--show-toplevel", (char *)NULL) != 0)
		return err_set(e, -ENOENT, "--worktree: %s: not in a git repository", s->work);
	if (git(IN(s->work), prefix, "rev-parse", "--show-prefix", (char *)NULL) != 0)
		return git_failed(e, prefix);
	return 0;
}

int worktree_open(struct session *s, struct err *e)
{
	AUTO_BUF struct buf top = {0}, prefix = {0};
	AUTO_CLOSE int folder = state_folder(&s->state, "worktrees");
	int r;

	if (folder < 0)
		return err_sys(e, folder, "%s/worktrees", s->state.path);
	r = find_repository(s, &top, &prefix, e);
	if (r == 0)
		r = choose_branch(s, top.text, e);
	if (r == 0)
		r = find_or_make(s, top.text, prefix.text ? prefix.text : "", e);
	if (r < 0)
		return r;
	s->base = ask_git(s->worktree, "HEAD", NULL);
	s->git_folder = ask_git(s->worktree, "--path-format=absolute", "--git-common-dir");
	free(s->work);
	s->work = mem_format("%s/%s", s->worktree, prefix.text);
	return 0;
}

/* One commit on top of HEAD with everything that is there, made beside the real index. */
static bool commit_all(const struct git *there, const struct git *aside, struct buf *commit,
	struct buf *out)
{
	AUTO_BUF struct buf tree = {0};

	return git(aside, out, "read-tree", "HEAD", (char *)NULL) == 0 &&
		git(aside, out, "add", "-A", (char *)NULL) == 0 &&
		git(aside, &tree, "write-tree", (char *)NULL) == 0 &&
		git(there, commit, "-c", "user.name=loop-spawn", "-c",
			"user.email=loop-spawn@localhost", "commit-tree", tree.text, "-p", "HEAD",
			"-m", "What the session left uncommitted", (char *)NULL) == 0;
}

void worktree_save(struct session *s)
{
	AUTO_BUF struct buf out = {0}, commit = {0};
	AUTO_FREE char *index = session_file(s, "index");
	AUTO_FREE char *ref = mem_format("refs/loop/saved/%s", s->id);
	const struct git there = {.dir = s->worktree};
	const struct git aside = {.dir = s->worktree, .index = index};
	bool saved;

	if (!s->base || git(&there, &out, "status", "--porcelain", (char *)NULL) || !out.length)
		return;
	saved = commit_all(&there, &aside, &commit, &out) &&
		git(&there, &out, "update-ref", ref, commit.text, (char *)NULL) == 0;
	unlinkat(s->folder, "index", 0);
	if (saved)
		s->saved = mem_string(ref);
	else
		warn("%s: what is not committed could not be saved: %s", s->worktree, out.text);
}
