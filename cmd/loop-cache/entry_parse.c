#include "entry.h"

#include "jscan.h"
#include "parse.h"

#include <errno.h>

/* What is checked begins behind the comma that follows the check. */
enum { CHECKED_AT = sizeof ENTRY_OPENING - 1 + DIGEST_HEX + 2 };

/* What escapes stand for is never longer than they are: it has room in their place. */
static int unescape(struct span string, char *text, size_t *length)
{
	AUTO_BUF struct buf b = {0};

	if (jscan_text(string, &b) < 0)
		return -EINVAL;
	memcpy(text, b.text, b.length);
	*length = b.length;
	return 0;
}

/* A string's text, where it stands: its end goes onto the closing quote, or before it. */
static int read_text(struct span value, const char **out)
{
	char *text = (char *)(uintptr_t)value.p + 1;
	size_t length;

	if (value.n < 2 || *value.p != '"')
		return -EINVAL;
	length = value.n - 2;
	if (memchr(text, '\\', length) && unescape(value, text, &length) < 0)
		return -EINVAL;
	text[length] = '\0';
	*out = text;
	return 0;
}

static int read_int(struct span value, int64_t max, int64_t *out)
{
	return jscan_int(value, out) < 0 || *out < 0 || *out > max ? -EINVAL : 0;
}

/* The bytes between the quotes; what we write into such strings needs no escapes. */
static struct span inside(struct span string)
{
	return string.n >= 2 && *string.p == '"' ? (struct span){string.p + 1, string.n - 2}
						 : (struct span){string.p, 0};
}

static int read_time(struct span value, int64_t *out)
{
	struct span text = inside(value);

	return parse_rfc3339(text.p, text.n, out) < 0 ? -EINVAL : 0;
}

/* What an object may have: each key and who reads its value. Others are passed over. */
struct member {
	const char *key;
	int (*read)(void *into, struct span value);
};

static int read_object(struct span object, const struct member *known, void *into)
{
	struct span key, value;
	struct jscan walk;
	int r;

	if (jscan_kind(object) != '{' || jscan_open(&walk, object) < 0)
		return -EINVAL;
	while ((r = jscan_next(&walk, &key, &value)) > 0)
		for (const struct member *m = known; m->key; m++)
			if (jscan_is(key, m->key)) {
				if (m->read(into, value) < 0)
					return -EINVAL;
				break;
			}
	return r;
}

/* A part while it is read: what was found of it. */
struct reading {
	struct part *part;
	bool kind, size, hash;
};

static int read_kind(void *into, struct span value)
{
	struct reading *r = into;

	for (size_t i = 0; i < countof(part_kinds); i++)
		if (jscan_is(value, part_kinds[i])) {
			r->part->kind = (enum part_kind)i;
			r->kind = true;
			return 0;
		}
	return -EINVAL;
}

static int read_size(void *into, struct span value)
{
	struct reading *r = into;

	r->size = true;
	return read_int(value, INT64_MAX, &r->part->size);
}

static int read_hash(void *into, struct span value)
{
	struct span hex = inside(value);
	struct reading *r = into;

	r->hash = digest_parse(&r->part->digest, hex.p, hex.n);
	return r->hash ? 0 : -EINVAL;
}

static int read_mode(void *into, struct span value)
{
	struct reading *r = into;
	int64_t mode;

	if (read_int(value, 07777, &mode) < 0)
		return -EINVAL;
	r->part->mode = (mode_t)mode;
	return 0;
}

#define TEXT_READER(function, type, member)                       \
	static int function(void *into, struct span value)        \
	{                                                         \
		return read_text(value, &((type *)into)->member); \
	}
TEXT_READER(read_output, struct reading, part->output)
TEXT_READER(read_path, struct reading, part->path)
TEXT_READER(read_target, struct reading, part->target)
TEXT_READER(read_key, struct entry, key)

static const struct member part_members[] = {
	{"kind", read_kind},
	{"output", read_output},
	{"path", read_path},
	{"target", read_target},
	{"mode", read_mode},
	{"size", read_size},
	{"hash", read_hash},
	{0},
};

/* What a part must have follows from its kind. */
static int read_part(struct entry *e, struct span object)
{
	struct part *p = entry_add(e, PART_VALUE);
	struct reading r = {.part = p};

	if (read_object(object, part_members, &r) < 0 || !r.kind)
		return -EINVAL;
	if (p->kind >= PART_FILE && (!p->output || !p->path))
		return -EINVAL;
	if (p->kind == PART_LINK && !p->target)
		return -EINVAL;
	return part_has_content(p) && !(r.size && r.hash) ? -EINVAL : 0;
}

static int read_parts(void *into, struct span list)
{
	struct span key, item;
	struct jscan walk;
	int r;

	if (jscan_kind(list) != '[' || jscan_open(&walk, list) < 0)
		return -EINVAL;
	while ((r = jscan_next(&walk, &key, &item)) > 0)
		if (read_part(into, item) < 0)
			return -EINVAL;
	return r;
}

static int read_created(void *into, struct span value)
{
	return read_time(value, &((struct entry *)into)->created);
}

static int read_expires(void *into, struct span value)
{
	return read_time(value, &((struct entry *)into)->expires);
}

static int read_ms(void *into, struct span value)
{
	return read_int(value, INT64_MAX, &((struct entry *)into)->ms);
}

static int read_status(void *into, struct span value)
{
	int64_t status;

	if (read_int(value, 255, &status) < 0)
		return -EINVAL;
	((struct entry *)into)->status = (int)status;
	return 0;
}

static const struct member members[] = {
	{"key", read_key},
	{"created", read_created},
	{"expires", read_expires},
	{"status", read_status},
	{"ms", read_ms},
	{"parts", read_parts},
	{0},
};

static bool check_holds(const char *text, size_t length)
{
	struct digest told, is;

	if (length <= CHECKED_AT || memcmp(text, ENTRY_OPENING, sizeof ENTRY_OPENING - 1) != 0 ||
		!digest_parse(&told, text + sizeof ENTRY_OPENING - 1, DIGEST_HEX))
		return false;
	is = digest_of(text + CHECKED_AT, length - CHECKED_AT);
	return digest_equal(&told, &is);
}

/* What the check holds for is what we wrote, or was made to look so: it is valid or refused. */
int entry_parse(struct entry *e, char *text, size_t length)
{
	struct span whole = {text, length};
	const char *what;
	size_t at;

	if (!check_holds(text, length) || jscan_check(text, length, &at, &what) < 0 ||
		read_object(whole, members, e) < 0)
		return -EINVAL;
	return e->key && key_valid(e->key) && e->created ? 0 : -EINVAL;
}
