#include "manifest.h"

#include "io.h"
#include "mem.h"
#include "tree.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>

enum { NAME_MAX_BYTES = 200 };

static void add_line(struct buf *b, const char *kind, const char *name, const struct digest *d)
{
	char hex[DIGEST_HEX + 1];

	buf_format(b, "%s ", kind);
	buf_json(b, name, strlen(name));
	buf_format(b, " %s\n", digest_hex(d, hex));
}

static void add_words(struct buf *b, const char *kind, const char *name, const char *text)
{
	struct digest d = digest_of(text, strlen(text) + 1);

	add_line(b, kind, name, &d);
}

char *recipe_name(const struct recipe *r)
{
	AUTO_BUF struct buf words = {0};
	AUTO_BUF struct buf b = {0};
	size_t n = 0, next;

	if (r->name)
		return mem_string(r->name);
	for (size_t i = 0; r->command[i]; i++)
		buf_format(&words, "%s%s", i ? " " : "", r->command[i]);
	buf_escape(&b, words.text, words.length);
	while (n < b.length && (next = utf8_length(b.text + n, b.length - n)) &&
		n + next <= NAME_MAX_BYTES)
		n += next;
	return mem_substring(b.text, n);
}

static void add_command(struct buf *b, const struct recipe *r)
{
	struct digest d;
	struct hasher h;

	hasher_begin(&h);
	for (size_t i = 0; r->command[i]; i++)
		hasher_text(&h, r->command[i]);
	d = hasher_end(&h);
	add_line(b, "command", "", &d);
}

/* The files of one input. */
struct gathering {
	struct strs *lines;
	const char *kind, *label;
};

static int hash_link(struct hasher *h, int dir, const char *name)
{
	char target[4096];
	ssize_t n = readlinkat(dir, name, target, sizeof target);

	if (n < 0)
		return -errno;
	hasher_add(h, target, (size_t)n);
	return 0;
}

static int hash_file(struct hasher *h, int dir, const char *name)
{
	AUTO_CLOSE int fd = io_open(dir, name, O_RDONLY | O_NONBLOCK, 0);
	struct digest content;
	int64_t size;
	int r = fd < 0 ? fd : digest_fd(fd, &content, &size);

	if (r == 0)
		hasher_add(h, &content, sizeof content);
	return r;
}

/* What a file is: its name, its kind, whether it may be executed, what it holds. */
static int hash_input(struct hasher *h, const char *path, int dir, const char *name,
	const struct stat *st)
{
	const char kind[] = {S_ISREG(st->st_mode) ? 'f' : S_ISLNK(st->st_mode) ? 'l'
			: S_ISDIR(st->st_mode)				       ? 'd'
									       : 'o',
		st->st_mode & 0111 && S_ISREG(st->st_mode) ? 'x' : '-', '\0'};

	hasher_text(h, path);
	hasher_text(h, kind);
	return S_ISREG(st->st_mode)    ? hash_file(h, dir, name)
		: S_ISLNK(st->st_mode) ? hash_link(h, dir, name)
				       : 0;
}

static int visit_input(
	const char *path, int dir, const char *name, const struct stat *st, void *context)
{
	const struct gathering *g = context;
	AUTO_FREE char *full = mem_format("%s%s%s", g->label, *path ? "/" : "", path);
	AUTO_BUF struct buf line = {0};
	struct digest d;
	struct hasher h;
	int r;

	if (!*path && !S_ISDIR(st->st_mode) && !S_ISREG(st->st_mode))
		return -EINVAL; /* a device or FIFO has no contents to be compared */
	hasher_begin(&h);
	r = hash_input(&h, full, dir, name, st);
	if (r < 0)
		return r;
	d = hasher_end(&h);
	add_line(&line, g->kind, full, &d);
	strs_take(g->lines, buf_take(&line));
	return 0;
}

/* The state directory is no input, and outputs below a folder are none. */
static struct tree_place *left_out(const struct recipe *r, size_t *count)
{
	struct tree_place *place = mem_zero(r->outputs->count + 1, sizeof *place);
	struct stat st;

	place[0] = (struct tree_place){r->state_device, r->state_inode};
	*count = 1;
	for (size_t i = 0; i < r->outputs->count; i++)
		if (stat(r->outputs->item[i], &st) == 0)
			place[(*count)++] = (struct tree_place){st.st_dev, st.st_ino};
	return place;
}

static int add_input(struct strs *lines, const struct recipe *r, const char *kind,
	const char *label, const char *path, struct err *e)
{
	struct gathering g = {lines, kind, label};
	size_t count;
	AUTO_FREE struct tree_place *but = left_out(r, &count);
	const struct tree t = {.but = but, .but_count = count, .visit = visit_input, .context = &g};

	return tree_walk(&t, path, e);
}

/* A pattern stands for what it matches, where it is not a file's own name. */
static int add_pattern(
	struct strs *lines, const struct recipe *r, const char *pattern, struct err *e)
{
	int result = 0, failed;
	glob_t found;

	if (access(pattern, F_OK) == 0 || !strpbrk(pattern, "*?["))
		return add_input(lines, r, "input", pattern, pattern, e);
	failed = glob(pattern, 0, NULL, &found);
	if (failed == GLOB_NOMATCH)
		return 0;
	if (failed)
		return err_set(e, -EIO, "%s: cannot be looked for", pattern);
	for (size_t i = 0; result == 0 && i < found.gl_pathc; i++)
		result = add_input(
			lines, r, "input", found.gl_pathv[i], found.gl_pathv[i], e);
	globfree(&found);
	return result;
}

static int add_variable(
	struct strs *lines, const struct recipe *r, const char *variable, struct err *e)
{
	const char *path = getenv(variable);
	AUTO_FREE char *label = mem_format("$%s", variable);

	if (!path || access(path, F_OK) < 0)
		return 0;
	return add_input(lines, r, "input", label, path, e);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* In one order, however they were named, and each once. */
static void add_sorted(struct buf *b, struct strs *lines)
{
	if (lines->count)
		qsort(lines->item, lines->count, sizeof *lines->item, by_text);
	for (size_t i = 0; i < lines->count; i++)
		if (i == 0 || strcmp(lines->item[i], lines->item[i - 1]) != 0)
			buf_str(b, lines->item[i]);
}

static int add_inputs(struct buf *b, const struct recipe *r, struct err *e)
{
	AUTO_STRS struct strs lines = {0};
	int failed = 0;

	for (size_t i = 0; failed == 0 && i < r->inputs->count; i++)
		failed = add_pattern(&lines, r, r->inputs->item[i], e);
	for (size_t i = 0; failed == 0 && i < r->input_vars->count; i++)
		failed = add_variable(&lines, r, r->input_vars->item[i], e);
	if (failed == 0)
		add_sorted(b, &lines);
	return failed;
}

static void add_list(struct buf *b, const char *kind, const char *prefix, const struct strs *names,
	bool values)
{
	AUTO_STRS struct strs lines = {0};

	for (size_t i = 0; i < names->count; i++) {
		AUTO_FREE char *name = mem_format("%s%s", prefix, names->item[i]);
		const char *value = values ? getenv(names->item[i]) : "";
		AUTO_FREE char *text = value ? mem_format("=%s%s", name, value) : mem_string("");
		AUTO_BUF struct buf line = {0};

		add_words(&line, kind, name, text);
		strs_take(&lines, buf_take(&line));
	}
	add_sorted(b, &lines);
}

int manifest_make(struct buf *b, const struct recipe *r, struct err *e)
{
	AUTO_FREE char *name = recipe_name(r);
	int failed;

	add_words(b, "name", name, name);
	add_command(b, r);
	failed = add_inputs(b, r, e);
	add_list(b, "environment", "", r->env, true);
	add_list(b, "output", "", r->outputs, false);
	add_list(b, "output", "$", r->output_vars, false);
	if (r->input)
		add_line(b, "standard", "input", r->input);
	if (r->strict)
		add_words(b, "strict", "environment", "");
	return failed;
}
