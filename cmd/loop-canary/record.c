#include "record.h"

#include "clock.h"
#include "io.h"
#include "jscan.h"
#include "mem.h"
#include "parse.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>

enum { STATE_FILE_MAX = 1 << 20 };
#define TARGET_WAIT (2 * NS_PER_S)

static const char *const stage_names[] = {
	[STAGE_APPLYING] = "applying",
	[STAGE_WATCHING] = "watching",
	[STAGE_PAUSED] = "paused",
	[STAGE_PROMOTING] = "promoting",
	[STAGE_ROLLING_BACK] = "rolling_back",
	[STAGE_PROMOTED] = "promoted",
	[STAGE_ROLLED_BACK] = "rolled_back",
	[STAGE_ROLLBACK_FAILED] = "rollback_failed",
};

const char *stage_name(enum stage s)
{
	return stage_names[s];
}

bool stage_ended(enum stage s)
{
	return s >= STAGE_PROMOTED;
}

void record_close(struct record *r)
{
	if (r->lock >= 0)
		close(r->lock);
	if (r->dir >= 0)
		close(r->dir);
	plan_clear(&r->plan);
	free(r->text);
	buf_clear(&r->why);
	buf_clear(&r->last);
	*r = (struct record)RECORD_NONE;
}

static int failed(const struct record *r, int code, const char *file, struct err *e)
{
	return err_sys(e, code, "%s/rollouts/%s/%s", r->state->path, r->name, file);
}

static int damaged(const struct record *r, const char *file, struct err *e)
{
	return err_set(e, -EINVAL, "%s/rollouts/%s/%s: is damaged", r->state->path, r->name, file);
}

/* The numbers of state.json. */
static const struct figure {
	const char *key;
	size_t offset;
	bool later; /* files of earlier versions have it not: 0 */
} figures[] = {
	{"weight", offsetof(struct record, weight), false},
	{"held_ns", offsetof(struct record, course.held), false},
	{"failures", offsetof(struct record, course.failures), false},
	{"inconclusives", offsetof(struct record, course.inconclusives), false},
	{"suspicions", offsetof(struct record, course.suspicions), true},
	{"errors", offsetof(struct record, course.errors), false},
	{"passes", offsetof(struct record, course.passes), false},
	{"looks", offsetof(struct record, course.looks), false},
	{"paused_ns", offsetof(struct record, paused_ns), false},
};

static void add_text(struct buf *b, const char *key, const struct buf *text)
{
	buf_format(b, ",\"%s\":", key);
	buf_json(b, text->text ? text->text : "", text->length);
}

/* A list for each check: samples, errors, and when the last window was added. */
static void add_windows(const struct record *r, struct buf *b)
{
	buf_str(b, ",\"windows\":[");
	for (size_t i = 0; i < r->plan.check_count; i++) {
		const struct windows *w = &r->course.windows[i];

		buf_format(b, "%s[%.17g,%.17g,%lld]", i ? "," : "", w->sum.samples, w->sum.errors,
			(long long)w->held);
	}
	buf_char(b, ']');
}

void record_format(const struct record *r, struct buf *b)
{
	char started[TIME_SIZE], began[TIME_SIZE];

	buf_format(b, "{\"name\":\"%s\",\"target\":\"%s\",\"state\":\"%s\"", r->name,
		r->plan.target, stage_name(r->stage));
	buf_format(b, ",\"step\":%zu,\"steps\":%zu", r->course.step + 1, r->plan.step_count);
	for (size_t i = 0; i < countof(figures); i++)
		buf_format(b, ",\"%s\":%lld", figures[i].key,
			(long long)*(const int64_t *)(const void *)((const char *)r +
				figures[i].offset));
	buf_format(b, ",\"started\":\"%s\",\"step_began\":\"%s\"", format_time(started, r->started),
		format_time(began, r->step_began));
	add_windows(r, b);
	add_text(b, "why", &r->why);
	add_text(b, "last", &r->last);
	buf_str(b, "}\n");
}

int record_save(const struct record *r, struct err *e)
{
	AUTO_BUF struct buf b = {0};
	int n;

	record_format(r, &b);
	n = io_replace(r->dir, "state.json", b.text, b.length, 0600);
	return n < 0 ? failed(r, n, "state.json", e) : 0;
}

static bool read_time(struct span whole, const char *key, int64_t *out)
{
	struct span value;

	return jscan_get(whole, key, &value) && value.n > 2 &&
		parse_rfc3339(value.p + 1, value.n - 2, out) == 0;
}

static bool read_stage(struct span whole, enum stage *stage)
{
	struct span value;

	if (jscan_get(whole, "state", &value))
		for (size_t i = 0; i < countof(stage_names); i++)
			if (jscan_is(value, stage_names[i])) {
				*stage = (enum stage)i;
				return true;
			}
	return false;
}

static void read_words(struct span whole, const char *key, struct buf *out)
{
	struct span value;

	buf_drop(out, out->length);
	if (jscan_get(whole, key, &value) && jscan_text(value, out) < 0)
		buf_drop(out, out->length);
}

static bool read_figure(struct record *r, struct span whole, const struct figure *f)
{
	int64_t *out = (int64_t *)(void *)((char *)r + f->offset);
	struct span value;

	if (!jscan_get(whole, f->key, &value))
		return f->later;
	return jscan_int(value, out) == 0;
}

/* As far as its numbers are numbers. */
static void read_sums(struct windows *w, struct span list)
{
	double value[3] = {0};
	struct span key, item;
	struct jscan walk;

	if (jscan_kind(list) != '[' || jscan_open(&walk, list) < 0)
		return;
	for (size_t i = 0; i < countof(value) && jscan_next(&walk, &key, &item) > 0; i++) {
		AUTO_FREE char *text = mem_substring(item.p, item.n);

		value[i] = strtod(text, NULL);
	}
	*w = (struct windows){{value[0], value[1]}, (int64_t)value[2]};
}

static void read_windows(struct record *r, struct span whole)
{
	struct span list, key, item;
	struct jscan walk;

	memset(r->course.windows, 0, sizeof r->course.windows);
	if (!jscan_get(whole, "windows", &list) || jscan_kind(list) != '[' ||
		jscan_open(&walk, list) < 0)
		return;
	for (size_t i = 0; i < r->plan.check_count && jscan_next(&walk, &key, &item) > 0; i++)
		read_sums(&r->course.windows[i], item);
}

static bool parse_state(struct record *r, struct span whole)
{
	struct span value;
	int64_t step;

	for (size_t i = 0; i < countof(figures); i++)
		if (!read_figure(r, whole, &figures[i]))
			return false;
	if (!jscan_get(whole, "step", &value) || jscan_int(value, &step) < 0 || step < 1 ||
		step > (int64_t)r->plan.step_count)
		return false;
	r->course.step = (size_t)step - 1;
	read_windows(r, whole);
	read_words(whole, "why", &r->why);
	read_words(whole, "last", &r->last);
	return read_stage(whole, &r->stage) && read_time(whole, "started", &r->started) &&
		read_time(whole, "step_began", &r->step_began);
}

int record_load(struct record *r, struct err *e)
{
	AUTO_BUF struct buf b = {0};
	const char *what;
	size_t at;
	int n = io_read_file(r->dir, "state.json", STATE_FILE_MAX, &b);

	if (n < 0)
		return failed(r, n, "state.json", e);
	if (jscan_check(b.text, b.length, &at, &what) < 0 ||
		!parse_state(r, (struct span){b.text, b.length}))
		return damaged(r, "state.json", e);
	return 0;
}

static int load_plan(struct record *r, struct err *e)
{
	struct buf b = {0};
	struct diags d = {0};
	int n = io_read_file(r->dir, "rollout.json", PLAN_FILE_MAX, &b);

	if (n == 0) {
		r->length = b.length;
		r->text = buf_take(&b);
		plan_parse(&r->plan, r->text, r->length, &d);
		n = d.errors ? damaged(r, "rollout.json", e) : 0;
	} else {
		n = failed(r, n, "rollout.json", e);
	}
	buf_clear(&b);
	diags_clear(&d);
	return n;
}

static int open_folder(struct record *r, const struct state *s, const char *name, bool make)
{
	char path[160];

	*r = (struct record)RECORD_NONE;
	r->state = s;
	snprintf(r->name, sizeof r->name, "%s", name);
	snprintf(path, sizeof path, "rollouts/%s", name);
	r->dir = make ? state_folder(s, path) : state_file(s, path, O_RDONLY | O_DIRECTORY, 0);
	return MIN(r->dir, 0);
}

int record_open(struct record *r, const struct state *s, const char *name, struct err *e)
{
	int n = name_valid(name) ? open_folder(r, s, name, false) : -ENOENT;

	if (n < 0)
		return err_set(e, n, "there is no rollout '%s'", name);
	n = load_plan(r, e);
	return n < 0 ? n : record_load(r, e);
}

/* The file that names the rollout which has a target, locked for a moment. */
static int open_target(const struct record *r, struct err *e)
{
	char path[160];
	int fd, n;

	snprintf(path, sizeof path, "rollouts/.%s", r->plan.target);
	fd = state_file(r->state, path, O_RDWR | O_CREAT, 0600);
	if (fd < 0)
		return err_sys(e, fd, "%s/%s", r->state->path, path);
	n = io_lock(fd, clock_after(TARGET_WAIT));
	if (n == 0)
		return fd;
	close(fd);
	return err_sys(e, n, "%s/%s", r->state->path, path);
}

static int write_target(int fd, const char *name, struct err *e)
{
	int n = ftruncate(fd, 0) < 0 || lseek(fd, 0, SEEK_SET) < 0 ? -errno : 0;

	if (n == 0)
		n = io_write(fd, name, strlen(name));
	if (n == 0 && fsync(fd) < 0)
		n = -errno;
	return n < 0 ? err_sys(e, n, "the target's file") : 0;
}

/* Whether the rollout that is named there still has it. */
static int check_other(const struct record *r, const char *other, struct err *e)
{
	AUTO_RECORD struct record o = RECORD_NONE;
	struct err gone = {0};

	if (!*other || strcmp(other, r->name) == 0 || record_open(&o, r->state, other, &gone) < 0)
		return 0;
	if (stage_ended(o.stage) && o.stage != STAGE_ROLLBACK_FAILED)
		return 0;
	return err_set(e, -EBUSY, "%s: is being rolled out by %s (%s at %lld %%)", r->plan.target,
		other, stage_name(o.stage), (long long)o.weight);
}

static int take_target(const struct record *r, struct err *e)
{
	AUTO_CLOSE int fd = open_target(r, e);
	char other[129] = "";
	ssize_t n;
	int failure;

	if (fd < 0)
		return fd;
	n = io_read(fd, other, sizeof other - 1);
	if (n < 0)
		return err_sys(e, (int)n, "the target's file");
	failure = check_other(r, other, e);
	return failure < 0 ? failure : write_target(fd, r->name, e);
}

int record_release_target(const struct record *r, struct err *e)
{
	AUTO_CLOSE int fd = open_target(r, e);
	char other[129] = "";

	if (fd < 0)
		return fd;
	if (io_read(fd, other, sizeof other - 1) < 0 || strcmp(other, r->name) != 0)
		return 0;
	return write_target(fd, "", e);
}

/* The one of this name, if it is to be gone on with: 1. */
static int same_one(const struct state *s, const struct record *r, bool again,
	struct record *old, struct err *e)
{
	struct err none = {0};
	bool same, over;

	if (record_open(old, s, r->plan.name, &none) < 0)
		return 0;
	same = old->length == r->length && memcmp(old->text, r->text, r->length) == 0;
	over = stage_ended(old->stage) && old->stage != STAGE_ROLLBACK_FAILED;
	if (same)
		return !(over && again);
	if (over)
		return 0;
	return err_set(e, -EBUSY,
		"rollout %s goes on with another plan (%s at %lld %%): abort it first",
		old->name, stage_name(old->stage), (long long)old->weight);
}

/* Whoever drives one of this name is alone with it from here on. */
static int lock_folder(struct record *r, const struct state *s, struct err *e)
{
	struct record whole = *r;
	int n = open_folder(r, s, whole.plan.name, true);

	r->plan = whole.plan;
	r->text = whole.text;
	r->length = whole.length;
	if (n < 0)
		return failed(r, n, "", e);
	n = record_lock(r);
	if (n == 0)
		return err_set(e, -EBUSY, "rollout %s is being driven already", r->name);
	return n < 0 ? failed(r, n, "lock", e) : 0;
}

/* Until it has a state there is no rollout: an older one's goes before its plan does. */
static int begin(struct record *r, struct err *e)
{
	int n = take_target(r, e);

	if (n < 0)
		return n;
	unlinkat(r->dir, "request", 0);
	if (unlinkat(r->dir, "state.json", 0) < 0 && errno != ENOENT)
		return failed(r, -errno, "state.json", e);
	n = io_replace(r->dir, "rollout.json", r->text, r->length, 0600);
	if (n < 0)
		return failed(r, n, "rollout.json", e);
	r->started = r->step_began = clock_real();
	r->weight = r->plan.step[0].weight;
	return record_save(r, e);
}

/* The text is good. */
int record_make(struct record *r, const struct state *s, const char *text, size_t length,
	bool again, struct err *e)
{
	struct record old = RECORD_NONE;
	struct diags d = {0};
	int n;

	*r = (struct record)RECORD_NONE;
	r->text = mem_substring(text, length);
	r->length = length;
	plan_parse(&r->plan, r->text, length, &d);
	diags_clear(&d);
	n = lock_folder(r, s, e);
	if (n < 0)
		return n;
	n = same_one(s, r, again, &old, e);
	if (n <= 0) {
		record_close(&old);
		return n < 0 ? n : begin(r, e);
	}
	old.lock = r->lock;
	r->lock = -1;
	record_close(r);
	*r = old;
	return stage_ended(r->stage) ? 0 : take_target(r, e);
}

int record_lock(struct record *r)
{
	r->lock = io_open(r->dir, "lock", O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
	if (r->lock < 0)
		return r->lock;
	if (flock(r->lock, LOCK_EX | LOCK_NB) == 0)
		return 1;
	close(r->lock);
	r->lock = -1;
	return errno == EWOULDBLOCK ? 0 : -errno;
}

int records_list(const struct state *s, struct strs *names)
{
	return state_list(s, "rollouts", "", names);
}
