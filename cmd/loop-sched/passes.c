/*
 * A story that passes is marked in the user's own file: the file is read as it
 * is now, under a lock, the one value is put in, and it is replaced whole.
 * Every other byte stays.
 */
#include "run.h"

#include "io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/file.h>
#include <sys/stat.h>

/* One change of a text: these bytes in place of that piece. */
struct edit {
	struct span old;
	struct buf new;
};

/* A descriptor that holds the lock of the file that this path names now. */
static int open_locked(const char *path, struct stat *st)
{
	for (;;) {
		struct stat named;
		int fd = io_open(AT_FDCWD, path, O_RDONLY, 0), r;

		if (fd < 0)
			return fd;
		do
			r = flock(fd, LOCK_EX);
		while (r < 0 && errno == EINTR);
		if (r == 0 && fstat(fd, st) == 0 && stat(path, &named) == 0) {
			if (st->st_ino == named.st_ino && st->st_dev == named.st_dev)
				return fd;
			close(fd); /* replaced while we waited */
			continue;
		}
		r = -errno;
		close(fd);
		return r;
	}
}

static bool same_text(struct span string, const char *text)
{
	AUTO_BUF struct buf got = {0};

	return jscan_text(string, &got) == 0 && strcmp(got.text, text) == 0;
}

/* As import.jq makes a name of what is none: what no name may hold becomes dashes. */
static void make_name(struct buf *text)
{
	enum { LENGTH = 128 };
	static const char name[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				   "0123456789._:@+-";
	char *out = text->text;
	bool before = true;

	for (const char *p = text->text; *p && out < text->text + LENGTH; p++) {
		bool fits = strchr(name, *p);
		char c = fits ? *p : '-';

		if ((fits || before) && (out > text->text || !strchr(".-", c)))
			*out++ = c;
		before = fits;
	}
	*out = '\0';
}

/* Whether a number or string is what an id was made of. */
static bool same_id(struct span value, const char *id)
{
	AUTO_BUF struct buf text = {0};

	if (jscan_kind(value) != '"' || jscan_text(value, &text) < 0)
		buf_add(&text, value.p, value.n);
	if (text.length == strlen(id) && memcmp(text.text, id, text.length) == 0)
		return true;
	if (!text.length)
		return false;
	make_name(&text);
	return strcmp(text.text, id) == 0;
}

/* Whether an item is the one that the task was made of: by its id, else by its words. */
static bool is_item(struct run *r, struct span item, const struct task *t)
{
	const char *last = strrchr(t->id, '.'), *colon = strrchr(t->id, ':');
	struct span value, words;

	if (jscan_kind(item) != '{')
		return false;
	if (jscan_get(item, "id", &value))
		return same_id(value, t->id) || (last && same_id(value, last + 1)) ||
			(colon && same_id(value, colon + 1));
	if (!jscan_get(t->text, "description", &words))
		return true;
	return jscan_get(item, "description", &value) &&
		same_text(value, plan_text(&r->plan, words));
}

/* A line of a checklist, where it was or wherever its words are now. */
static bool find_line(struct run *r, struct span source, const struct task *t, struct span *line)
{
	const char *title = plan_text(&r->plan, task_get(&r->plan, t, M_TITLE)), *hit;
	const char *at = plan_text(&r->plan, task_get(&r->plan, t, M_AT));

	if (!source_item(source, FORM_MARKDOWN, at, line))
		line->n = 0;
	if (!title || memmem(line->p, line->n, title, strlen(title)))
		return line->n > 0;
	hit = memmem(source.p, source.n, title, strlen(title));
	if (!hit)
		return memmem(line->p, line->n, "[ ]", 3) != NULL;
	while (hit > source.p && hit[-1] != '\n')
		hit--;
	*line = (struct span){hit, strcspn(hit, "\n")};
	return true;
}

/* The item where it was, or among its neighbours if the file was edited meanwhile. */
static bool find_item(struct run *r, struct span source, const struct task *t, struct span *item)
{
	enum form form = r->options.form;
	AUTO_FREE char *at = mem_string(plan_text(&r->plan, task_get(&r->plan, t, M_AT)));
	char *slash;
	struct span all, key;
	struct jscan walk;

	if (form == FORM_MARKDOWN)
		return find_line(r, source, t, item);
	if (source_item(source, form, at, item) && is_item(r, *item, t))
		return true;
	slash = strrchr(at, '/');
	if (form != FORM_JSON || !slash)
		return false;
	*slash = '\0';
	if (!source_item(source, form, at, &all) || jscan_open(&walk, all) < 0)
		return false;
	while (jscan_next(&walk, &key, item) > 0)
		if (is_item(r, *item, t))
			return true;
	return false;
}

/* A member of its own for an item that has none, in the manner of its last member. */
static void insert_member(struct edit *e, struct span item)
{
	struct span key, value, last_key = {0}, last = {0};
	const char *space, *colon;
	struct jscan walk;

	jscan_open(&walk, item);
	while (jscan_next(&walk, &key, &value) > 0) {
		last_key = key;
		last = value;
	}
	if (!last.n) {
		e->old = (struct span){strchr(item.p, '{') + 1, 0};
		buf_str(&e->new, "\"passes\":true");
		return;
	}
	for (space = last_key.p; strchr(" \t\r\n", space[-1]); space--)
		;
	colon = last_key.p + last_key.n;
	e->old = (struct span){last.p + last.n, 0};
	buf_char(&e->new, ',');
	buf_add(&e->new, space, (size_t)(last_key.p - space));
	buf_str(&e->new, "\"passes\"");
	buf_add(&e->new, colon, (size_t)(last.p - colon));
	buf_str(&e->new, "true");
}

/* The one value that says it, whatever this shape calls it; false if it says so already. */
static bool edit_item(struct edit *e, struct span item, enum form form)
{
	static const char *const flags[] = {"passes", "completed", "done"};
	struct span value;

	for (size_t i = 0; i < countof(flags); i++) {
		if (!jscan_get(item, flags[i], &value))
			continue;
		if (jscan_kind(value) != 't' && jscan_kind(value) != 'f' && i > 0)
			continue;
		e->old = value;
		buf_str(&e->new, "true");
		return jscan_kind(value) != 't';
	}
	if (!jscan_get(item, "status", &value) || jscan_kind(value) != '"') {
		insert_member(e, item);
		return true;
	}
	e->old = value;
	buf_str(&e->new, form == FORM_LINES ? "\"closed\"" : "\"done\"");
	return value.n != e->new.length || memcmp(value.p, e->new.text, value.n) != 0;
}

/* A box on the item's line, or the boxes below its heading. */
static bool edit_markdown(struct edit *e, struct span source, struct span line)
{
	const char *end = source.p + source.n, *next = line.p + line.n;
	bool open = false;

	if (*line.p == '#')
		while (next < end && next[1] != '#') {
			next = memchr(next + 1, '\n', (size_t)(end - next - 1));
			if (!next)
				next = end;
		}
	e->old = (struct span){line.p, (size_t)(next - line.p)};
	buf_add(&e->new, e->old.p, e->old.n);
	for (char *box = e->new.text; (box = strstr(box, "[ ]")); box += 3) {
		box[1] = 'x';
		open = true;
		if (*line.p != '#')
			break;
	}
	return open;
}

/* The text with the change made; false if there is nothing to change. */
static int make_text(struct run *r, const struct task *t, struct span source, struct buf *out,
	struct err *e)
{
	struct edit edit = {0};
	struct span item;
	bool change;

	if (!find_item(r, source, t, &item))
		return err_set(e, -ENOENT, "%s: the item of '%s' is no longer there",
			r->options.source, t->id);
	change = r->options.form == FORM_MARKDOWN ? edit_markdown(&edit, source, item)
						  : edit_item(&edit, item, r->options.form);
	if (change) {
		buf_add(out, source.p, (size_t)(edit.old.p - source.p));
		buf_add(out, edit.new.text, edit.new.length);
		buf_str(out, edit.old.p + edit.old.n);
	}
	buf_clear(&edit.new);
	return change;
}

/* JSON is looked at only after it was found to be JSON. */
static int check_source(const struct run *r, struct span source, struct err *e)
{
	const char *what;
	size_t at;

	if (r->options.form == FORM_JSON && jscan_check(source.p, source.n, &at, &what) < 0)
		return err_set(e, -EINVAL, "%s: byte %zu: %s", r->options.source, at, what);
	return 0;
}

int passes_write(struct run *r, uint32_t task, struct err *e)
{
	const struct task *t = &r->plan.task[task];
	AUTO_FREE char *path = realpath(r->options.source, NULL);
	AUTO_BUF struct buf text = {0}, changed = {0};
	AUTO_CLOSE int fd = -1;
	struct span source;
	struct stat st;
	int code;

	if (!path || !task_has(&r->plan, t, M_AT))
		return path ? 0 : err_sys(e, -errno, "%s", r->options.source);
	fd = open_locked(path, &st);
	code = fd < 0 ? fd : io_read_all(fd, PLAN_MAX, &text);
	if (code < 0)
		return err_sys(e, code, "%s", path);
	source = (struct span){text.text, text.length};
	buf_add(&changed, source.p, source_mark(source));
	source = (struct span){source.p + changed.length, source.n - changed.length};
	code = check_source(r, source, e);
	if (code == 0)
		code = make_text(r, t, source, &changed, e);
	if (code <= 0)
		return code;
	code = io_replace(AT_FDCWD, path, changed.text, changed.length, st.st_mode & 07777);
	return code < 0 ? err_sys(e, code, "%s", path) : 0;
}
