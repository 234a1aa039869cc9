/* One item of a queue in files: its id, its line, its body, why it failed. */
#include "queue_file.h"

#include "clock.h"
#include "io.h"
#include "parse.h"

#include <errno.h>
#include <fcntl.h>

enum { NOTE_MAX = 4096,
	NOTES_MAX = 64 << 20 };

int id_parse(const char *id, int64_t *number, int64_t *place)
{
	const char *dot = strchr(id, '.');
	char front[24];

	if (!dot || (size_t)(dot - id) >= sizeof front)
		return -EINVAL;
	snprintf(front, sizeof front, "%.*s", (int)(dot - id), id);
	if (parse_int(front, 1, BLOCK_NO_READY, number) < 0 ||
		parse_int(dot + 1, 0, BLOCK_ITEMS - 1, place) < 0)
		return -EINVAL;
	return 0;
}

void id_format(char out[ITEM_ID_SIZE], int64_t number, int64_t place)
{
	snprintf(out, ITEM_ID_SIZE, "%lld.%lld", (long long)number, (long long)place);
}

/* Opens the block of this number, wherever it stands. */
static int open_number(struct queue_file *f, int64_t number, struct err *e)
{
	size_t slot = table_find(f, number);
	int r;

	if (!slot) {
		r = table_read(f, e);
		if (r < 0)
			return r;
		slot = table_find(f, number);
	}
	if (!slot)
		return -ENOENT;
	r = block_open(f, slot, number, BLOCK_WAIT, e);
	return r == -ESTALE ? -ENOENT : r;
}

int item_open(struct queue_file *f, const char *id, int64_t *place, struct item_line *line,
	struct err *e)
{
	int64_t number;
	int r = id_parse(id, &number, place) < 0 ? -ENOENT : open_number(f, number, e);

	if (r < 0)
		return r;
	if (*place < f->block.line.items && item_line_parse(block_text(&f->block, *place), line) &&
		line->state != ITEM_DONE)
		return 0;
	r = block_close(f, e);
	return r < 0 ? r : -ENOENT;
}

/* The line of JSON in front of a body. */
static int read_head(struct queue_file *f, const struct item_line *l, struct span *head,
	char text[512])
{
	struct err e = {0};
	ssize_t n;

	int r;

	if (l->head >= 512)
		return -EBADMSG;
	r = block_bodies(f, &e);
	if (r < 0)
		return r;
	n = io_pread(f->block.bodies, text, (size_t)l->head, l->offset);
	if (n < 0)
		return (int)n;
	*head = (struct span){text, (size_t)n};
	return n == l->head ? 0 : -EBADMSG;
}

int item_key(struct queue_file *f, const struct item_line *l, char out[QUEUE_NAME_SIZE])
{
	AUTO_BUF struct buf key = {0};
	struct span head, value;
	char text[512];
	int r;

	out[0] = '\0';
	if (!l->keyed)
		return 0;
	r = read_head(f, l, &head, text);
	if (r < 0)
		return r;
	if (!jscan_get(head, "key", &value) || jscan_text(value, &key) < 0 ||
		key.length >= QUEUE_NAME_SIZE || !name_valid(key.text))
		return -EBADMSG;
	snprintf(out, QUEUE_NAME_SIZE, "%s", key.text);
	return 0;
}

static int load_body(struct queue_file *f, const struct item_line *l, struct item *item,
	struct buf *body, struct err *e)
{
	ssize_t n;
	int r = block_bodies(f, e);

	if (r < 0)
		return r;
	body->length = 0;
	n = io_pread(f->block.bodies, buf_reserve(body, (size_t)l->length + 1), (size_t)l->length,
		l->offset + l->head);
	if (n < 0)
		return err_sys(e, (int)n, "queue %s: %lld.bodies", f->queue.name,
			(long long)f->block.number);
	body->length = (size_t)n;
	item->body = (struct span){body->text, (size_t)n};
	if (n != l->length || crc32_of(item->body) != l->sum)
		return err_set(e, -EBADMSG, "queue %s: item %s: its body is damaged", f->queue.name,
			item->id);
	return 0;
}

int item_load(struct queue_file *f, int64_t place, const struct item_line *l, struct item *item,
	struct buf *body, struct err *e)
{
	int r;

	*item = (struct item){.state = l->state,
		.priority = l->priority,
		.tries = l->tries,
		.max_tries = l->max_tries,
		.lease = l->lease * NS_PER_MS,
		.created = l->created * NS_PER_MS,
		.due = l->due * NS_PER_MS};
	id_format(item->id, f->block.number, place);
	snprintf(item->token, sizeof item->token, "%s", l->token);
	r = load_body(f, l, item, body, e);
	if (r < 0)
		return r;
	r = item_key(f, l, item->key);
	if (r == -EBADMSG)
		return err_set(e, r, "queue %s: item %s: its key is damaged", f->queue.name,
			item->id);
	return r < 0 ? err_sys(e, r, "queue %s: item %s", f->queue.name, item->id) : 0;
}

int item_spoil(struct queue_file *f, int64_t place, struct err *e)
{
	char id[ITEM_ID_SIZE];
	int r = block_spoil(f, place, e);

	id_format(id, f->block.number, place);
	if (r == 0)
		queue_tell_buried(&f->queue, id, 0, "its line is damaged");
	return r;
}

static int open_notes(const struct queue_file *f, int flags)
{
	char name[48];

	snprintf(name, sizeof name, "%lld.notes", (long long)f->block.number);
	return io_open(f->dir, name, flags | O_NOFOLLOW, 0600);
}

/* For people: where it cannot be written, the item is none the worse for it. */
void note_add(struct queue_file *f, int64_t place, int64_t tries, const char *why)
{
	AUTO_CLOSE int fd = open_notes(f, O_WRONLY | O_CREAT | O_APPEND);
	AUTO_BUF struct buf line = {0};
	char time[TIME_SIZE];

	if (fd < 0)
		return;
	buf_format(&line, "{\"item\":%lld,\"try\":%lld,\"time\":\"%s\",\"why\":", (long long)place,
		(long long)tries, format_time(time, file_now(f) * NS_PER_MS));
	buf_json(&line, why, MIN(strlen(why), (size_t)NOTE_MAX));
	buf_str(&line, "}\n");
	(void)!io_write(fd, line.text, line.length);
}

/* The last word on an item counts. */
static void take_note(struct notes *n, struct span line)
{
	struct span item, why;
	int64_t place;
	size_t at = n->text.length;

	if (!jscan_get(line, "item", &item) || jscan_int(item, &place) < 0 || place < 0 ||
		place >= BLOCK_ITEMS || !jscan_get(line, "why", &why) ||
		jscan_text(why, &n->text) < 0)
		return;
	n->at[place] = at;
	n->length[place] = n->text.length - at;
}

void notes_load(struct queue_file *f, struct notes *n)
{
	AUTO_CLOSE int fd = open_notes(f, O_RDONLY);
	AUTO_BUF struct buf text = {0};

	n->text.length = 0;
	memset(n->length, 0, sizeof n->length);
	if (fd < 0 || io_read_all(fd, NOTES_MAX, &text) < 0)
		return;
	for (char *p = text.text, *end; (end = strchr(p, '\n')); p = end + 1)
		take_note(n, (struct span){p, (size_t)(end - p)});
}

struct span notes_why(const struct notes *n, int64_t place)
{
	return n->length[place] ? (struct span){n->text.text + n->at[place], n->length[place]}
				: (struct span){0};
}

bool item_fail(struct item_line *l, int64_t now, int64_t delay)
{
	l->token[0] = '\0';
	l->due = 0;
	if (l->max_tries && l->tries >= l->max_tries) {
		l->state = ITEM_BURIED;
		return true;
	}
	l->state = delay > 0 ? ITEM_DELAYED : ITEM_READY;
	l->due = now + delay;
	return false;
}
