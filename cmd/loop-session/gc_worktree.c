/*
 * Worktrees go when three things are proven: nobody works in them (no lock, no
 * living session, run or process), what was committed is on a ref that stays,
 * and what was not committed is on refs/loop/saved/ID, where it is put if it is
 * not there.
 */
#include "gc.h"

#include "die.h"
#include "git.h"
#include "io.h"
#include "mem.h"
#include "parse.h"
#include "tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/file.h>
#include <sys/stat.h>

struct worktree {
	const char *name; /* of the session that made it */
	char *path;
	char *ref; /* refs/loop/saved/NAME */
	char head[65], tree[65], head_tree[65];
	char *common;	  /* the repository's own folder */
	char branch[256]; /* "": none is checked out */
	bool save;	  /* what is there has to be put on the ref first */
	bool save_head;	  /* nothing is uncommitted, but no ref holds the commit */
};

/* ---- who works in it ------------------------------------------------------------------------- */

/* Who works in a worktree holds the lock of its folder: its descriptor, -EBUSY, or -errno. */
static int take_lock(const struct gc *gc, const char *name)
{
	AUTO_FREE char *path = mem_format("worktrees/%s", name);
	int fd = state_file(&gc->state, path, O_RDONLY | O_DIRECTORY, 0);

	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fd;
	close(fd);
	return -EBUSY;
}

static bool inside(const char *path, const char *folder)
{
	size_t n = strlen(folder);

	return strncmp(path, folder, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

/* A process whose working folder lies in it; 0: none that we may see. */
static pid_t process_in(const char *folder)
{
	DIR *dir = opendir("/proc");
	struct dirent *d;
	pid_t found = 0;

	while (dir && !found && (d = readdir(dir))) {
		char link[300], target[PATH_MAX];
		int64_t pid;
		ssize_t n;

		if (parse_int(d->d_name, 1, INT_MAX, &pid) < 0)
			continue;
		snprintf(link, sizeof link, "/proc/%s/cwd", d->d_name);
		n = readlink(link, target, sizeof target - 1);
		if (n <= 0)
			continue;
		target[n] = '\0';
		if (inside(target, folder))
			found = (pid_t)pid;
	}
	if (dir)
		closedir(dir);
	return found;
}

static bool in_use(const struct gc *gc, const struct worktree *w, struct verdict *v)
{
	pid_t pid = process_in(w->path);

	for (size_t i = 0; i < gc->all.count; i++) {
		const struct record *r = &gc->all.item[i];

		if (strcmp(r->worktree, w->path) != 0 && strcmp(r->id, w->name) != 0)
			continue;
		if (record_live(r))
			*v = gc_keep("session %s works in it", r->id);
		else if (gc_run_alive(gc, r))
			*v = gc_keep("its run %s goes on", r->run);
		else
			continue;
		return true;
	}
	if (pid)
		*v = gc_keep("process %d works in it", (int)pid);
	return pid != 0;
}

/* ---- what is in it --------------------------------------------------------------------------- */

/* One line that git answers; false where it fails or the answer does not fit. */
static bool ask(const struct worktree *w, char *out, size_t size, const char *word,
	const char *more)
{
	AUTO_BUF struct buf answer = {0};

	if (git(GIT_IN(w->path), &answer, "rev-parse", word, more, (char *)NULL) != 0 ||
		answer.length >= size || strchr(answer.text, '\n'))
		return false;
	snprintf(out, size, "%s", answer.text);
	return true;
}

/* A folder whose .git is gone would be taken for a part of the repository around it. */
static bool is_worktree(struct worktree *w)
{
	char top[PATH_MAX], own[PATH_MAX], common[PATH_MAX];

	if (!ask(w, top, sizeof top, "--show-toplevel", NULL) || strcmp(top, w->path) != 0)
		return false;
	if (!ask(w, own, sizeof own, "--path-format=absolute", "--git-dir") ||
		!ask(w, common, sizeof common, "--path-format=absolute", "--git-common-dir") ||
		strcmp(own, common) == 0)
		return false;
	w->common = mem_string(common);
	return true;
}

/* What is there as a tree, by an index of our own: no flag of the real one hides a change. */
static bool write_tree(const struct gc *gc, struct worktree *w)
{
	AUTO_FREE char *index = mem_format("%s/worktrees/.%s.index", gc->state.path, w->name);
	const struct git at = {.dir = w->path, .index = index};
	AUTO_BUF struct buf out = {0};
	bool done;

	done = git(&at, &out, "read-tree", "HEAD", (char *)NULL) == 0 &&
		git(&at, &out, "add", "-A", (char *)NULL) == 0 &&
		git(&at, &out, "write-tree", (char *)NULL) == 0 &&
		out.length < sizeof w->tree;
	unlink(index);
	if (done)
		snprintf(w->tree, sizeof w->tree, "%s", out.text);
	return done;
}

/* A repository inside it would be kept as a number, without its contents. */
static bool has_repositories(const struct worktree *w)
{
	AUTO_BUF struct buf list = {0};

	if (git(GIT_IN(w->path), &list, "ls-tree", "-r", w->tree, (char *)NULL) != 0)
		return true;
	return strncmp(list.text, "160000 ", 7) == 0 || strstr(list.text, "\n160000 ");
}

static void find_branch(struct worktree *w)
{
	AUTO_BUF struct buf out = {0};

	if (git(GIT_IN(w->path), &out, "symbolic-ref", "--quiet", "HEAD", (char *)NULL) == 0 &&
		out.length < sizeof w->branch)
		snprintf(w->branch, sizeof w->branch, "%s", out.text);
}

static bool is_own(const struct worktree *w, const char *ref)
{
	return strcmp(ref, w->branch) == 0 || strcmp(ref, w->ref) == 0;
}

/* The ref that holds the commit: another's before its own branch; "" if there is none. */
static void find_holder(const struct worktree *w, char out[256])
{
	AUTO_BUF struct buf refs = {0};

	out[0] = '\0';
	if (git(GIT_IN(w->path), &refs, "for-each-ref", "--contains", w->head,
		    "--format=%(refname)", "refs/heads", "refs/tags", "refs/remotes",
		    "refs/loop/saved", (char *)NULL) != 0)
		return;
	for (char *line = refs.text, *next; line && *line; line = next) {
		next = line + strcspn(line, "\n");
		if (*next)
			*next++ = '\0';
		if (strlen(line) < 256 && (!*out || is_own(w, out)))
			snprintf(out, 256, "%s", line);
	}
}

/* What is on the ref already: 1 the same, 0 nothing, -1 something else. */
static int compare_saved(const struct worktree *w)
{
	AUTO_FREE char *name = mem_format("%s^{tree}", w->ref);
	AUTO_BUF struct buf out = {0};

	if (git(GIT_IN(w->path), &out, "rev-parse", "--verify", "--quiet", name, (char *)NULL) != 0)
		return 0;
	return strcmp(out.text, w->tree) == 0 ? 1 : -1;
}

static struct verdict judge_contents(struct worktree *w)
{
	bool dirty = strcmp(w->tree, w->head_tree) != 0;
	char holder[256];
	int saved = compare_saved(w);

	find_branch(w);
	find_holder(w, holder);
	w->save = dirty && saved == 0;
	w->save_head = !dirty && !*holder;
	if ((dirty || w->save_head) && saved < 0)
		return gc_keep("%s holds something else than what is in it", w->ref);
	if (w->save || w->save_head)
		return gc_remove("what only it holds is saved on %s", w->ref);
	if (!*holder) /* the commit that is saved has another parent */
		return gc_keep("no ref holds its commit %.12s", w->head);
	if (dirty)
		return gc_remove("its commits are on %s, the rest is on %s", holder, w->ref);
	return gc_remove("nothing is uncommitted; its commits are %s %s",
		is_own(w, holder) ? "on" : "merged into", holder);
}

static struct verdict judge(const struct gc *gc, struct worktree *w)
{
	struct verdict v;

	if (in_use(gc, w, &v))
		return v;
	if (!is_worktree(w))
		return gc_keep("git does not know it as a worktree: look, and remove it by hand");
	if (!ask(w, w->head, sizeof w->head, "--verify", "HEAD") ||
		!ask(w, w->head_tree, sizeof w->head_tree, "--verify", "HEAD^{tree}"))
		return gc_keep("it has no commit");
	if (!write_tree(gc, w))
		return gc_keep("git cannot tell what is in it");
	if (has_repositories(w))
		return gc_keep("there is another repository in it");
	return judge_contents(w);
}

/* ---- removing it ----------------------------------------------------------------------------- */

static bool save(const struct worktree *w, struct buf *out)
{
	AUTO_BUF struct buf commit = {0};

	if (w->save_head)
		buf_str(&commit, w->head);
	else if (git(GIT_IN(w->path), &commit, "-c", "user.name=loop-session", "-c",
			 "user.email=loop-session@localhost", "commit-tree", w->tree, "-p",
			 w->head, "-m", "What was left uncommitted in the worktree",
			 (char *)NULL) != 0) {
		buf_str(out, commit.text);
		return false;
	}
	/* Only where nothing is: another gc may have been faster. */
	return git(GIT_IN(w->path), out, "update-ref", w->ref, commit.text,
		       "0000000000000000000000000000000000000000", (char *)NULL) == 0;
}

/* A git that was killed while it made the worktree left it locked; whoever else locks one means it. */
static void unlock_half_made(const struct worktree *w)
{
	AUTO_FREE char *path = mem_format("%s/worktrees/%s/locked", w->common, w->name);
	AUTO_BUF struct buf reason = {0}, out = {0};

	if (io_read_file(AT_FDCWD, path, PATH_MAX, &reason) == 0 && reason.length &&
		strncmp(reason.text, "initializing", 12) == 0)
		git(GIT_IN(w->common), &out, "worktree", "unlock", w->path, (char *)NULL);
}

static void remove_worktree(struct gc *gc, const struct worktree *w, struct verdict *v)
{
	AUTO_BUF struct buf out = {0};

	unlock_half_made(w);
	if ((w->save || w->save_head) && !save(w, &out))
		*v = gc_keep("it cannot be saved: %.200s", out.text);
	else if (git(GIT_IN(w->common), &out, "worktree", "remove", "--force", w->path,
			 (char *)NULL) != 0)
		*v = gc_keep("git does not remove it: %.200s", out.text);
	else
		return;
	warn("%s: %s", w->path, v->why);
	gc->failed++;
}

/* As git and the kernel name it. */
static char *real_path(const struct gc *gc, const char *name)
{
	char *path = mem_format("%s/worktrees/%s", gc->state.path, name);
	char *real = realpath(path, NULL);

	if (!real)
		return path;
	free(path);
	return real;
}

static void visit(struct gc *gc, const char *name)
{
	struct worktree w = {.name = name};
	struct verdict v;
	int64_t size;
	int lock = take_lock(gc, name);

	w.path = real_path(gc, name);
	w.ref = mem_format("refs/loop/saved/%s", name);
	if (lock == -EBUSY)
		v = gc_keep("a session holds its lock");
	else if (lock < 0)
		v = gc_keep("its lock: %s", strerror(-lock));
	else
		v = judge(gc, &w);
	size = v.remove || gc->dry || gc->verbose ? tree_size(w.path) : 0;
	if (v.remove && !gc->dry)
		remove_worktree(gc, &w, &v);
	gc_say(gc, "worktree", name, &v, size);
	if (lock >= 0)
		close(lock);
	free(w.path);
	free(w.ref);
	free(w.common);
}

static bool is_folder(int dir, const char *name)
{
	struct stat st;

	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

/* The names first: what is removed meanwhile does not confuse the walk. */
void gc_worktrees(struct gc *gc)
{
	int fd = state_file(&gc->state, "worktrees", O_RDONLY | O_DIRECTORY, 0);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	AUTO_STRS struct strs folders = {0};
	struct dirent *d;

	if (!dir && fd >= 0)
		close(fd);
	while (dir && (d = readdir(dir)))
		if (name_valid(d->d_name) && is_folder(fd, d->d_name))
			strs_add(&folders, d->d_name);
	if (dir)
		closedir(dir);
	for (size_t i = 0; i < folders.count; i++)
		visit(gc, folders.item[i]);
}
