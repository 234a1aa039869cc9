#include "entry.h"

#include "jscan.h"
#include "mem.h"
#include "parse.h"

#include <errno.h>

/* {"check":"…64 hex digits…", and what is checked begins behind that comma. */
static const char opening[] = "{\"check\":\"";
enum { CHECKED_AT = sizeof opening - 1 + DIGEST_HEX + 2 };

static const char *const kind_names[] = {
	[PART_VALUE] = "value",
	[PART_STDOUT] = "stdout",
	[PART_STDERR] = "stderr",
	[PART_FILE] = "file",
	[PART_LINK] = "link",
	[PART_FOLDER] = "folder",
};

void entry_clear(struct entry *e)
{
	for (size_t i = 0; i < e->count; i++) {
		struct part *p = &e->part[i];

		if (p->fd >= 0)
			close(p->fd);
		free(p->output);
		free(p->path);
		free(p->target);
	}
	free(e->part);
	free(e->key);
	*e = (struct entry){0};
}

struct part *entry_add(struct entry *e, enum part_kind kind)
{
	e->part = mem_grow(e->part, e->count, &e->capacity, sizeof *e->part);
	e->part[e->count] = (struct part){.kind = kind, .fd = -1};
	return &e->part[e->count++];
}

bool part_has_content(const struct part *p)
{
	return p->kind != PART_LINK && p->kind != PART_FOLDER;
}

bool key_valid(const char *key)
{
	size_t length = strlen(key);

	if (length == 0 || length > KEY_MAX)
		return false;
	for (size_t i = 0, n; i < length; i += n) {
		n = utf8_length(key + i, length - i);
		if (n == 0)
			return false;
	}
	return true;
}

struct digest key_digest(const char *key)
{
	return digest_of(key, strlen(key));
}

static void add_text(struct buf *b, const char *name, const char *text)
{
	buf_format(b, ",\"%s\":", name);
	buf_json(b, text, strlen(text));
}

static void add_time(struct buf *b, const char *name, int64_t ns)
{
	char text[TIME_SIZE];

	if (ns)
		add_text(b, name, format_time(text, ns));
}

static void add_part(struct buf *b, const struct part *p)
{
	char hex[DIGEST_HEX + 1];

	buf_format(b, "{\"kind\":\"%s\"", kind_names[p->kind]);
	if (p->output)
		add_text(b, "output", p->output);
	if (p->path)
		add_text(b, "path", p->path);
	if (p->target)
		add_text(b, "target", p->target);
	if (p->output)
		buf_format(b, ",\"mode\":%u", (unsigned)p->mode);
	if (part_has_content(p))
		buf_format(b, ",\"size\":%lld,\"hash\":\"%s\"", (long long)p->size,
			digest_hex(&p->digest, hex));
	buf_char(b, '}');
}

void entry_format(const struct entry *e, struct buf *out)
{
	char hex[DIGEST_HEX + 1];
	AUTO_BUF struct buf b = {0};
	struct digest check;

	add_text(&b, "key", e->key);
	add_time(&b, "created", e->created);
	add_time(&b, "expires", e->expires);
	buf_format(&b, ",\"status\":%d,\"ms\":%lld,\"parts\":[", e->status, (long long)e->ms);
	for (size_t i = 0; i < e->count; i++) {
		buf_str(&b, i ? "," : "");
		add_part(&b, &e->part[i]);
	}
	buf_str(&b, "]}\n");
	check = digest_of(b.text + 1, b.length - 1);
	buf_format(out, "%s%s\"", opening, digest_hex(&check, hex));
	buf_add(out, b.text, b.length);
}

static int read_text(struct span object, const char *name, char **out)
{
	AUTO_BUF struct buf b = {0};
	struct span value;

	if (!jscan_get(object, name, &value))
		return 0;
	if (jscan_text(value, &b) < 0)
		return -EINVAL;
	*out = buf_take(&b);
	return 1;
}

static int read_int(struct span object, const char *name, int64_t max, int64_t *out)
{
	struct span value;

	if (!jscan_get(object, name, &value))
		return 0;
	if (jscan_int(value, out) < 0 || *out < 0 || *out > max)
		return -EINVAL;
	return 1;
}

static int read_time(struct span object, const char *name, int64_t *out)
{
	AUTO_FREE char *text = NULL;
	int r = read_text(object, name, &text);

	return r <= 0					     ? r
		: parse_rfc3339(text, strlen(text), out) < 0 ? -EINVAL
							     : 1;
}

static int read_kind(struct span object, enum part_kind *kind)
{
	struct span value;

	if (jscan_get(object, "kind", &value))
		for (size_t i = 0; i < countof(kind_names); i++)
			if (jscan_is(value, kind_names[i])) {
				*kind = (enum part_kind)i;
				return 0;
			}
	return -EINVAL;
}

static int read_content(struct span object, struct part *p)
{
	AUTO_FREE char *hex = NULL;

	if (read_int(object, "size", INT64_MAX, &p->size) <= 0 ||
		read_text(object, "hash", &hex) <= 0)
		return -EINVAL;
	return digest_parse(&p->digest, hex, strlen(hex)) ? 0 : -EINVAL;
}

/* What a part must have follows from its kind. */
static int read_part(struct entry *e, struct span object)
{
	enum part_kind kind;
	struct part *p;
	int64_t mode = 0;

	if (read_kind(object, &kind) < 0)
		return -EINVAL;
	p = entry_add(e, kind);
	if (read_text(object, "output", &p->output) < 0 ||
		read_text(object, "path", &p->path) < 0 ||
		read_text(object, "target", &p->target) < 0 ||
		read_int(object, "mode", 07777, &mode) < 0)
		return -EINVAL;
	p->mode = (mode_t)mode;
	if (kind >= PART_FILE && (!p->output || !p->path || (kind == PART_LINK && !p->target)))
		return -EINVAL;
	return part_has_content(p) ? read_content(object, p) : 0;
}

static int read_parts(struct entry *e, struct span whole)
{
	struct span list, key, item;
	struct jscan walk;
	int r;

	if (!jscan_get(whole, "parts", &list) || jscan_kind(list) != '[' ||
		jscan_open(&walk, list) < 0)
		return -EINVAL;
	while ((r = jscan_next(&walk, &key, &item)) > 0)
		if (jscan_kind(item) != '{' || read_part(e, item) < 0)
			return -EINVAL;
	return r;
}

static bool check_holds(const char *text, size_t length)
{
	struct digest told, is;

	if (length <= CHECKED_AT || memcmp(text, opening, sizeof opening - 1) != 0 ||
		!digest_parse(&told, text + sizeof opening - 1, DIGEST_HEX))
		return false;
	is = digest_of(text + CHECKED_AT, length - CHECKED_AT);
	return digest_equal(&told, &is);
}

/* What the check holds for is what we wrote, or was made to look so: it is valid or refused. */
int entry_parse(struct entry *e, const char *text, size_t length)
{
	struct span whole = {text, length};
	const char *what;
	int64_t status = 0;
	size_t at;

	if (!check_holds(text, length) || jscan_check(text, length, &at, &what) < 0)
		return -EINVAL;
	if (read_text(whole, "key", &e->key) <= 0 || !key_valid(e->key) ||
		read_time(whole, "created", &e->created) <= 0 ||
		read_time(whole, "expires", &e->expires) < 0 ||
		read_int(whole, "status", 255, &status) < 0 ||
		read_int(whole, "ms", INT64_MAX, &e->ms) < 0)
		return -EINVAL;
	e->status = (int)status;
	return read_parts(e, whole);
}
