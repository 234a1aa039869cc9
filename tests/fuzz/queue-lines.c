/*
 * What loop-queue reads from outside, one form a run: lines of items and of blocks, ids, lines of
 * JSON for put and import, base64, URLs of Redis. What is accepted is within its bounds, and what is
 * written and read again is the same.
 */
#include "loop-queue/loop-queue.h"

#include "base64.h"
#include "mem.h"
#include "queue_file.h"
#include "redis.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool so)
{
	if (!so)
		abort();
}

static void fill_line(char line[QUEUE_LINE], const char *text, size_t size)
{
	memset(line, ' ', QUEUE_LINE);
	memcpy(line, text, MIN(size, (size_t)QUEUE_LINE));
	if (size < QUEUE_LINE)
		line[QUEUE_LINE - 1] = '\n';
}

static void item(const char *text, size_t size)
{
	char line[QUEUE_LINE], once[QUEUE_LINE], twice[QUEUE_LINE];
	struct block_line b = {.best = BLOCK_NO_READY};
	struct item_line l;

	fill_line(line, text, size);
	block_line_count(&b, line);
	must(b.items == 1);
	if (!item_line_parse(line, &l))
		return;
	must(l.length >= 0 && l.length <= QUEUE_BODY_MAX && l.priority >= 0 &&
		l.priority <= QUEUE_PRIORITY_MAX && strlen(l.token) < TOKEN_SIZE);
	item_line_format(once, &l);
	if (!item_line_parse(once, &l))
		return; /* numbers that no line of ours has room for */
	item_line_format(twice, &l);
	must(memcmp(once, twice, sizeof once) == 0);
}

static void block(const char *text, size_t size)
{
	char line[QUEUE_LINE], once[QUEUE_LINE];
	struct block_line b;

	fill_line(line, text, size);
	if (!block_line_parse(line, &b))
		return;
	must(b.number >= 0 && b.items >= 0);
	block_line_format(once, &b);
}

static void id(const char *text, size_t size)
{
	char copy[64] = "", out[ITEM_ID_SIZE];
	int64_t number, place;

	memcpy(copy, text, MIN(size, sizeof copy - 1));
	if (id_parse(copy, &number, &place) < 0)
		return;
	must(number > 0 && place >= 0 && place < BLOCK_ITEMS);
	id_format(out, number, place);
	must(id_parse(out, &number, &place) == 0);
}

/* What put takes goes out again as JSON, and import takes that. */
static void put_line(const char *text, size_t size, bool import)
{
	static const struct put defaults = {.priority = 1000, .lease = NS_PER_S};
	static const struct queue queue = {.name = "q"};
	AUTO_BUF struct buf bodies = {0}, line = {0}, again = {0};
	struct put_line l, m;
	struct err e = {0};
	struct item out;

	if (!put_line_parse(&l, &defaults, (struct span){text, size}, import, &bodies, &e)) {
		must(e.text[0]);
		return;
	}
	must(l.body + l.length <= bodies.length && l.put.priority <= QUEUE_PRIORITY_MAX);
	out = (struct item){.state = l.put.buried ? ITEM_BURIED : ITEM_READY,
		.priority = l.put.priority,
		.tries = l.put.tries,
		.max_tries = l.put.max_tries,
		.lease = l.put.lease,
		.body = {bodies.text + l.body, l.length}};
	snprintf(out.key, sizeof out.key, "%s", l.key);
	item_json(&line, &queue, &out, SHOW_PORTABLE | SHOW_BODY);
	must(put_line_parse(&m, &defaults, (struct span){line.text, line.length}, true, &again, &e));
	must(m.length == l.length && !memcmp(again.text + m.body, bodies.text + l.body, l.length));
	must(strcmp(l.key, m.key) == 0 && l.put.priority == m.put.priority);
}

static void base64(const char *text, size_t size)
{
	AUTO_BUF struct buf out = {0};

	if (base64_decode(text, size, &out) == 0)
		must(out.length <= size / 4 * 3);
}

static void url(const char *text, size_t size)
{
	AUTO_FREE char *copy = mem_substring(text, size);
	struct err e = {0};
	struct redis_url u;

	/* A file that it names would be read. */
	if (strstr(copy, "file") || strchr(copy, '%') || redis_url_parse(&u, copy, &e) < 0)
		return;
	must((u.host || u.path) && u.port >= 0 && u.port <= 65535);
	redis_url_clear(&u);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data + 1;

	if (!size--)
		return 0;
	switch (data[0] % 7) {
	case 0: item(text, size); break;
	case 1: block(text, size); break;
	case 2: id(text, size); break;
	case 3: put_line(text, size, false); break;
	case 4: put_line(text, size, true); break;
	case 5: base64(text, size); break;
	default: url(text, size); break;
	}
	return 0;
}
