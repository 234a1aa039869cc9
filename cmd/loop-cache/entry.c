#include "entry.h"

#include "parse.h"

const char *const part_kinds[PART_KINDS] = {
	[PART_VALUE] = "value",
	[PART_STDOUT] = "stdout",
	[PART_STDERR] = "stderr",
	[PART_FILE] = "file",
	[PART_LINK] = "link",
	[PART_FOLDER] = "folder",
};

void entry_clear(struct entry *e)
{
	for (size_t i = 0; i < e->count; i++)
		if (e->part[i].fd >= 0)
			close(e->part[i].fd);
	if (e->part != e->few)
		free(e->part);
	arena_clear(&e->made);
	buf_clear(&e->text);
	*e = (struct entry){0};
}

/* The first ones stand in the entry itself: a look-up allocates nothing. */
static void make_room(struct entry *e)
{
	struct part *more = e->part == e->few ? NULL : e->part;

	if (e->count < countof(e->few)) {
		e->part = e->few;
		return;
	}
	e->part = mem_grow(more, e->count, &e->capacity, sizeof *more);
	if (!more)
		memcpy(e->part, e->few, sizeof e->few);
}

struct part *entry_add(struct entry *e, enum part_kind kind)
{
	make_room(e);
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

	buf_format(b, "{\"kind\":\"%s\"", part_kinds[p->kind]);
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
	buf_format(out, "%s%s\"", ENTRY_OPENING, digest_hex(&check, hex));
	buf_add(out, b.text, b.length);
}
