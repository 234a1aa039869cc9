#include "scope.h"

#include "buf.h"
#include "clock.h"
#include "hits.h"
#include "io.h"
#include "jscan.h"
#include "mem.h"
#include "parse.h"
#include "rebuild.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

enum { LIMITS_FILE_MAX = 65536 };
#define DEFAULT_SIZE (100 * INT64_C(1048576))
#define LOCK_WAIT (2 * NS_PER_S)

static const char *const policy_names[] = {"lru", "lfu", "ttl"};

static int open_scope(
	struct scope *s, const struct state *state, const char *name, bool make, struct err *e)
{
	char path[sizeof "cache/" + SCOPE_NAME_SIZE] = "cache/";
	size_t size = strlen(name) + 1;

	*s = (struct scope)SCOPE_NONE;
	if (!name_valid(name))
		return err_set(e, -EINVAL,
			"'%s' is no name of a scope: 1 to 128 of A-Za-z0-9._:@+-", name);
	s->state = state;
	memcpy(s->name, name, size);
	memcpy(path + strlen(path), name, size);
	s->dir = state_file(state, path, O_PATH | O_DIRECTORY, 0);
	if (s->dir == -ENOENT && make)
		s->dir = state_folder(state, path);
	if (s->dir >= 0)
		return 0;
	return s->dir == -ENOENT ? err_set(e, -ENOENT, "%s/%s: no such scope", state->path, path)
				 : err_sys(e, s->dir, "%s/%s", state->path, path);
}

int scope_find(struct scope *s, const struct state *state, const char *name, struct err *e)
{
	return open_scope(s, state, name, false, e);
}

int scope_open(struct scope *s, const struct state *state, const char *name, struct err *e)
{
	return open_scope(s, state, name, true, e);
}

void scope_close(struct scope *s)
{
	scope_unlock(s);
	if (s->dir >= 0)
		close(s->dir);
	s->dir = -1;
}

static int failed(const struct scope *s, int code, const char *file, struct err *e)
{
	return err_sys(e, code, "%s/cache/%s/%s", s->state->path, s->name, file);
}

int scope_lock(struct scope *s, struct err *e)
{
	int r;

	s->lock = io_open(s->dir, "lock", O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
	if (s->lock < 0)
		return failed(s, s->lock, "lock", e);
	r = io_lock(s->lock, clock_after(LOCK_WAIT));
	if (r < 0) {
		scope_unlock(s);
		return failed(s, r, "lock", e);
	}
	r = table_open(&s->table, s->dir, false);
	if (r == -EINVAL)
		r = rebuild(s, 0, e);
	if (r < 0) {
		scope_unlock(s);
		return failed(s, r, "table", e);
	}
	hits_count(s);
	return 0;
}

void scope_unlock(struct scope *s)
{
	table_close(&s->table);
	if (s->lock >= 0)
		close(s->lock);
	s->lock = -1;
}

void scope_change(struct scope *s)
{
	table_set(&s->table, CELL_CHANGING, 1);
}

void scope_changed(struct scope *s)
{
	table_set(&s->table, CELL_CHANGING, 0);
}

static int read_limit(struct span whole, const char *name, int64_t *out)
{
	struct span value;

	if (!jscan_get(whole, name, &value))
		return 0;
	return jscan_int(value, out) < 0 || *out < 0 ? -EINVAL : 0;
}

static int read_parent(struct span whole, char out[SCOPE_NAME_SIZE])
{
	AUTO_BUF struct buf b = {0};
	struct span value;

	if (!jscan_get(whole, "parent", &value))
		return 0;
	if (jscan_text(value, &b) < 0 || (b.length && !name_valid(b.text)))
		return -EINVAL;
	snprintf(out, SCOPE_NAME_SIZE, "%s", b.length ? b.text : "");
	return 0;
}

static int read_policy(struct span whole, int *policy)
{
	struct span value;

	if (!jscan_get(whole, "policy", &value))
		return 0;
	for (size_t i = 0; i < countof(policy_names); i++)
		if (jscan_is(value, policy_names[i])) {
			*policy = (int)i;
			return 0;
		}
	return -EINVAL;
}

static int parse_limits(struct limits *l, const struct buf *b)
{
	struct span whole = {b->text, b->length};
	const char *what;
	size_t at;

	if (jscan_check(b->text, b->length, &at, &what) < 0 ||
		read_parent(whole, l->parent) < 0 ||
		read_limit(whole, "max_size", &l->max_size) < 0 ||
		read_limit(whole, "max_entries", &l->max_entries) < 0 ||
		read_policy(whole, &l->policy) < 0)
		return -EINVAL;
	return 0;
}

int scope_limits(struct scope *s, struct err *e)
{
	AUTO_BUF struct buf b = {0};
	int r;

	if (s->known)
		return 0;
	s->limits = (struct limits){.max_size = DEFAULT_SIZE};
	r = io_read_file(s->dir, "scope.json", LIMITS_FILE_MAX, &b);
	if (r == 0 && parse_limits(&s->limits, &b) < 0)
		return err_set(e, -EINVAL, "%s/cache/%s/scope.json: is damaged; remove it",
			s->state->path, s->name);
	if (r < 0 && r != -ENOENT)
		return failed(s, r, "scope.json", e);
	s->known = true;
	return 0;
}

static int write_limits(struct scope *s, const struct limits *l, struct err *e)
{
	AUTO_BUF struct buf b = {0};
	int r;

	buf_format(&b,
		"{\"parent\":\"%s\",\"max_size\":%lld,\"max_entries\":%lld,\"policy\":\"%s\"}\n",
		l->parent, (long long)l->max_size, (long long)l->max_entries,
		policy_names[l->policy]);
	r = io_replace(s->dir, "scope.json", b.text, b.length, 0600);
	return r < 0 ? failed(s, r, "scope.json", e) : 0;
}

int scope_parent(struct scope *s, struct scope *parent, struct err *e)
{
	struct err missing = {0};
	int r = scope_limits(s, e);

	if (r < 0 || !s->limits.parent[0])
		return r;
	r = scope_find(parent, s->state, s->limits.parent, &missing);
	if (r == -ENOENT)
		return 0; /* one that has kept nothing yet */
	return r < 0 ? err_set(e, r, "%s", missing.text) : 1;
}

/* Whether a scope of this name inherits, in the end, from another. */
static int descends(const struct state *state, const char *name, const char *from, struct err *e)
{
	char current[SCOPE_NAME_SIZE];
	int r;

	snprintf(current, sizeof current, "%s", name);
	for (int depth = 0; depth < SCOPE_DEPTH_MAX; depth++) {
		AUTO_SCOPE struct scope s = SCOPE_NONE;
		struct err missing = {0};

		if (strcmp(current, from) == 0)
			return 1;
		if (scope_find(&s, state, current, &missing) < 0)
			return 0;
		r = scope_limits(&s, e);
		if (r < 0 || !s.limits.parent[0])
			return r;
		snprintf(current, sizeof current, "%s", s.limits.parent);
	}
	return 1;
}

static int change_parent(struct scope *s, struct limits *l, const char *parent, struct err *e)
{
	int r;

	if (strcmp(parent, "-") == 0)
		parent = "";
	else if (!name_valid(parent))
		return err_set(e, -EINVAL, "--parent: '%s' is no name of a scope", parent);
	r = *parent ? descends(s->state, parent, s->name, e) : 0;
	if (r > 0)
		return err_set(e, -ELOOP, "scope %s cannot inherit from %s: that inherits from it",
			s->name, parent);
	snprintf(l->parent, sizeof l->parent, "%s", parent);
	return r;
}

int scope_configure(struct scope *s, const struct changes *c, struct err *e)
{
	struct limits wanted;
	int r = scope_limits(s, e);

	if (r < 0)
		return r;
	wanted = s->limits;
	if (c->parent)
		r = change_parent(s, &wanted, c->parent, e);
	if (r < 0)
		return r;
	if (c->max_size >= 0)
		wanted.max_size = c->max_size;
	if (c->max_entries >= 0)
		wanted.max_entries = c->max_entries;
	if (c->policy >= 0)
		wanted.policy = c->policy;
	if (memcmp(&wanted, &s->limits, sizeof wanted) == 0)
		return 0;
	s->limits = wanted;
	return write_limits(s, &wanted, e);
}

char *scope_path(char out[SCOPE_PATH_SIZE], const char *folder, const struct digest *d)
{
	size_t n = strlen(folder);

	memcpy(out, folder, n);
	out[n] = out[n + 3] = '/';
	digest_hex(d, out + n + 4);
	memcpy(out + n + 1, out + n + 4, 2);
	return out;
}

int scope_folder(const struct scope *s, const char *path)
{
	char full[sizeof "cache/" + SCOPE_NAME_SIZE + SCOPE_PATH_SIZE];

	snprintf(full, sizeof full, "cache/%s/%s", s->name, path);
	return state_folder(s->state, full);
}
