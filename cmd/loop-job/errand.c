#include "errand.h"

#include "loop-job.h"

#include "io.h"
#include "mem.h"
#include "parcel.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

enum { LOG_MAX = 1 << 20, /* of output that is sent back: the beginning, and more of the end */
	LOG_HEAD = 64 << 10,
	BACK_MAX = 16 << 20,
	NOTE_MAX = 400 };

#define PREFIX_LENGTH (sizeof FILE_PREFIX - 1)

static bool is_variable(const char *name)
{
	size_t n = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789");

	return n && !name[n] && n <= VARIABLE_MAX;
}

/* The variable that names a file here. */
static void add_path(struct errand *x, const char *variable)
{
	strs_format(&x->env, "%s=%s/%s", variable, x->path, variable);
}

static int take_file(struct errand *x, const struct piece *p)
{
	const char *name = p->name + PREFIX_LENGTH;
	int fd, r;

	if (!is_variable(name))
		return -EINVAL;
	fd = io_open(x->folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
	if (fd < 0)
		return fd;
	r = io_write(fd, p->bytes.p, p->bytes.n);
	if (close(fd) < 0 && r == 0)
		r = -errno;
	add_path(x, name);
	return r;
}

static int take_variable(struct errand *x, const struct piece *p)
{
	AUTO_FREE char *name = piece_text(p);

	if (!is_variable(name))
		return -EINVAL;
	if (piece_is(p, "back")) {
		strs_add(&x->back, name);
		add_path(x, name);
	} else {
		strs_format(&x->argv, "%s/%s", x->path, name);
	}
	return 0;
}

static int take_time(const struct piece *p, int64_t *out)
{
	int64_t ms;

	if (piece_number(p, &ms) < 0 || ms < 0 || ms > INT64_MAX / NS_PER_MS)
		return -EINVAL;
	*out = ms * NS_PER_MS;
	return 0;
}

static int take(struct errand *x, const struct piece *p)
{
	const struct {
		const char *name;
		int64_t *value;
	} times[] = {{"timeout", &x->timeout}, {"stall", &x->stall},
		{"kill-after", &x->kill_after}, {"lease", &x->lease}};

	if (strncmp(p->name, FILE_PREFIX, PREFIX_LENGTH) == 0)
		return take_file(x, p);
	if (piece_is(p, "back") || piece_is(p, "argument-file"))
		return take_variable(x, p);
	for (size_t i = 0; i < countof(times); i++)
		if (piece_is(p, times[i].name))
			return take_time(p, times[i].value);
	if (piece_is(p, "job") && !x->job)
		x->job = piece_text(p);
	else if (piece_is(p, "dir") && !x->dir)
		x->dir = piece_text(p);
	else if (piece_is(p, "argument"))
		strs_take(&x->argv, piece_text(p));
	else if (piece_is(p, "env"))
		strs_take(&x->env, piece_text(p));
	return 0; /* what a newer one says besides is not for us */
}

static int open_parts(struct errand *x, const struct state *state, const char *name)
{
	AUTO_FREE char *folder = mem_format("jobs/%s", name);

	x->path = mem_format("%s/%s", state->path, folder);
	x->folder = state_folder(state, folder);
	if (x->folder < 0)
		return x->folder;
	x->out = io_open(x->folder, "out", O_RDWR | O_CREAT | O_TRUNC | O_APPEND, 0600);
	x->error = io_open(x->folder, "err", O_RDWR | O_CREAT | O_TRUNC | O_APPEND, 0600);
	return MIN(x->out, x->error);
}

int errand_open(struct errand *x, const struct state *state, const char *name,
	const struct buf *job, struct err *e)
{
	struct span rest;
	struct piece p;
	int r = parcel_open(&rest, job->text, job->length);

	*x = (struct errand){.folder = -1, .out = -1, .error = -1};
	if (r < 0)
		return err_set(e, r, "what is on standard input is no job%s",
			r == -ENOTSUP ? " of this version" : "");
	r = open_parts(x, state, name);
	if (r < 0)
		return err_sys(e, r, "%s", x->path);
	while ((r = parcel_next(&rest, &p)) > 0) {
		r = take(x, &p);
		if (r < 0)
			break;
	}
	strs_format(&x->env, "LOOP_PROGRESS=%s/progress", x->path);
	if (r == 0 && (!x->job || !x->argv.count))
		r = -EINVAL;
	return r < 0 ? err_sys(e, r, "the job's %s", r == -EINVAL ? "text" : p.name) : 0;
}

/* A log that is too long without its middle. */
static int add_log(const struct errand *x, int fd, const char *name, struct buf *answer)
{
	struct stat st;
	AUTO_BUF struct buf text = {0};
	char host[65];
	off_t cut = 0;
	ssize_t n;

	if (fstat(fd, &st) < 0)
		return 0;
	if (st.st_size > LOG_MAX) {
		cut = st.st_size - LOG_MAX;
		n = io_pread(fd, buf_reserve(&text, LOG_HEAD), LOG_HEAD, 0);
		text.length += (size_t)MAX(n, (ssize_t)0);
		buf_format(&text, "\n[%lld bytes are left out; all of it is in %s/%s on %s]\n",
			(long long)cut, x->path, name, host_name(host));
		cut += LOG_HEAD;
	}
	n = io_pread(fd, buf_reserve(&text, (size_t)(st.st_size - cut) + 1),
		(size_t)(st.st_size - cut), cut);
	text.length += (size_t)MAX(n, (ssize_t)0);
	parcel_add(answer, name, text.text ? text.text : "", text.length);
	return cut > 0;
}

/* A file that is too large is told of in its place: where it is. */
static void add_reference(const struct errand *x, const char *name, struct buf *answer)
{
	AUTO_FREE char *piece = mem_format(FILE_PREFIX "%s", name);
	AUTO_FREE char *path = mem_format("%s/%s", x->path, name);
	AUTO_BUF struct buf text = {0};
	char host[65];

	buf_str(&text, "{\"host\":");
	host_name(host);
	buf_json(&text, host, strlen(host));
	buf_str(&text, ",\"path\":");
	buf_json(&text, path, strlen(path));
	buf_str(&text, "}\n");
	parcel_add(answer, piece, text.text, text.length);
}

static int add_file(const struct errand *x, const char *name, struct buf *answer)
{
	AUTO_FREE char *piece = mem_format(FILE_PREFIX "%s", name);
	AUTO_BUF struct buf text = {0};
	int r = io_read_file(x->folder, name, BACK_MAX, &text);

	if (r == 0)
		parcel_add(answer, piece, text.text ? text.text : "", text.length);
	else if (r != -ENOENT)
		add_reference(x, name, answer);
	return r < 0 && r != -ENOENT;
}

int errand_gather(const struct errand *x, struct buf *answer)
{
	int kept = add_log(x, x->out, "out", answer);

	kept |= add_log(x, x->error, "err", answer);
	for (size_t i = 0; i < x->back.count; i++)
		kept |= add_file(x, x->back.item[i], answer);
	return kept;
}

void errand_progress(const struct errand *x, struct buf *note)
{
	AUTO_BUF struct buf text = {0};
	const char *from;

	if (io_read_file(x->folder, "progress", 1 << 20, &text) < 0 || !text.length)
		return;
	from = text.text + (text.length > NOTE_MAX ? text.length - NOTE_MAX : 0);
	buf_str(note, from);
}

int64_t errand_life(const struct errand *x)
{
	const int fds[] = {x->out, x->error};
	struct stat st;
	int64_t total = 0;

	for (size_t i = 0; i < countof(fds); i++)
		if (fstat(fds[i], &st) == 0)
			total += st.st_size;
	if (fstatat(x->folder, "progress", &st, AT_SYMLINK_NOFOLLOW) == 0)
		total += st.st_mtim.tv_sec * NS_PER_S + st.st_mtim.tv_nsec;
	return total;
}

static void remove_files(int folder)
{
	DIR *dir = fdopendir(folder);
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		unlinkat(dirfd(dir), entry->d_name, 0);
	if (dir)
		closedir(dir);
	else
		close(folder);
}

void errand_close(struct errand *x, const struct state *state, const char *name, bool keep)
{
	AUTO_FREE char *folder = mem_format("jobs/%s", name);

	if (x->out >= 0)
		close(x->out);
	if (x->error >= 0)
		close(x->error);
	if (x->folder >= 0 && keep)
		close(x->folder);
	else if (x->folder >= 0)
		remove_files(x->folder);
	if (!keep)
		unlinkat(state->dir, folder, AT_REMOVEDIR); /* what has folders in it stays */
	strs_clear(&x->argv);
	strs_clear(&x->env);
	strs_clear(&x->back);
	free(x->job);
	free(x->dir);
	free(x->path);
}
