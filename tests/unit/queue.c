/* The lines of a queue's files, and the URLs of Redis. */
#include "queue_file.h"
#include "redis.h"
#include "unit.h"

#include <errno.h>

TEST(queue_item_line_round_trip)
{
	const struct item_line in = {.state = ITEM_CLAIMED,
		.keyed = true,
		.priority = QUEUE_PRIORITY_MAX,
		.due = 9223372036854,
		.created = 1795262226491,
		.tries = 99999,
		.max_tries = 99999,
		.lease = 315360000000,
		.token = "0123456789abcdef",
		.offset = 99999999999,
		.length = QUEUE_BODY_MAX,
		.head = 400,
		.sum = 4294967295};
	char line[QUEUE_LINE];
	struct item_line out;

	item_line_format(line, &in);
	CHECK_INT(line[QUEUE_LINE - 1], '\n');
	CHECK(item_line_parse(line, &out));
	CHECK(out.keyed);
	CHECK_INT(out.state, in.state);
	CHECK_INT(out.priority, in.priority);
	CHECK_INT(out.due, in.due);
	CHECK_INT(out.lease, in.lease);
	CHECK_STR(out.token, in.token);
	CHECK_INT(out.offset, in.offset);
	CHECK_INT(out.length, in.length);
	CHECK_INT(out.head, in.head);
	CHECK_INT(out.sum, in.sum);
}

/* No damage to a line makes more of it than a damaged line. */
TEST(queue_item_line_damaged)
{
	const struct item_line in = {.state = ITEM_READY, .priority = 5, .created = 1};
	char line[QUEUE_LINE], bad[QUEUE_LINE];
	struct item_line out;

	item_line_format(line, &in);
	for (size_t i = 0; i < QUEUE_LINE; i++)
		for (int c = 0; c < 256; c += 5) {
			struct block_line b = {.best = BLOCK_NO_READY};

			memcpy(bad, line, sizeof bad);
			bad[i] = (char)c;
			if (item_line_parse(bad, &out))
				CHECK(out.length >= 0 && out.priority <= QUEUE_PRIORITY_MAX);
			block_line_count(&b, bad);
			CHECK_INT(b.items, 1);
		}
	memset(bad, 0, sizeof bad);
	CHECK(!item_line_parse(bad, &out));
}

/* One that failed, or was due later, begins to wait anew. */
TEST(queue_item_is_ready_since)
{
	struct item_line l = {.state = ITEM_CLAIMED, .created = 10, .due = 60, .tries = 1};
	struct block_line b = {.best = BLOCK_NO_READY};
	char line[QUEUE_LINE];

	CHECK(!item_fail(&l, 50, 0));
	CHECK_INT(l.state, ITEM_READY);
	CHECK_INT(item_line_since(&l), 50);
	item_line_format(line, &l);
	block_line_count(&b, line);
	CHECK_INT(b.oldest, 50);
	CHECK_INT(b.next, 0);
	CHECK(!item_fail(&l, 50, 30));
	CHECK_INT(l.state, ITEM_DELAYED);
	CHECK_INT(l.due, 80);
	l.state = ITEM_READY;
	CHECK_INT(item_line_since(&l), 80);
	l.due = 0;
	CHECK_INT(item_line_since(&l), 10);
}

TEST(queue_block_line_counts)
{
	struct block_line b = {.number = 7, .best = BLOCK_NO_READY}, out;
	const struct item_line items[] = {{.state = ITEM_READY, .priority = 9, .created = 30},
		{.state = ITEM_READY, .priority = 4, .created = 50},
		{.state = ITEM_DELAYED, .priority = 1, .due = 80, .created = 10},
		{.state = ITEM_CLAIMED, .priority = 1, .due = 70, .created = 10},
		{.state = ITEM_BURIED},
		{.state = ITEM_DONE}};
	char line[QUEUE_LINE];

	for (size_t i = 0; i < countof(items); i++) {
		item_line_format(line, &items[i]);
		block_line_count(&b, line);
	}
	block_line_format(line, &b);
	CHECK(block_line_parse(line, &out));
	CHECK_INT(out.items, 6);
	CHECK_INT(out.count[ITEM_READY], 2);
	CHECK_INT(out.best, 4);
	CHECK_INT(out.oldest, 30);
	CHECK_INT(out.next, 70);
}

TEST(queue_crc32)
{
	CHECK_INT(crc32_of((struct span){"123456789", 9}), 0xcbf43926);
	CHECK_INT(crc32_of((struct span){"", 0}), 0);
}

TEST(redis_url_good)
{
	struct redis_url u;
	struct err e = {0};

	CHECK_INT(redis_url_parse(&u, "redis://", &e), 0);
	CHECK_STR(u.host, "127.0.0.1");
	CHECK_INT(u.port, 6379);
	redis_url_clear(&u);
	CHECK_INT(redis_url_parse(&u,
			  "rediss://me:p%40ss:w@[::1]:7000/3?insecure=1&cacert=/a%20b", &e),
		0);
	CHECK(u.tls && u.insecure);
	CHECK_STR(u.user, "me");
	CHECK_STR(u.password, "p@ss:w");
	CHECK_STR(u.host, "::1");
	CHECK_INT(u.port, 7000);
	CHECK_INT(u.db, 3);
	CHECK_STR(u.cacert, "/a b");
	redis_url_clear(&u);
	CHECK_INT(redis_url_parse(&u, "redis+unix:///tmp/x?db=2", &e), 0);
	CHECK_STR(u.path, "/tmp/x");
	CHECK_INT(u.db, 2);
	redis_url_clear(&u);
}

TEST(redis_url_bad)
{
	static const char *const bad[] = {"", "http://x", "redis:/x", "redis://x:port",
		"redis://x:65536",
		"redis://x/db", "redis://x?what=1", "redis+unix://x", "redis://%zz", "redis://[::1",
		"redis://x%00y", "redis://[::1]x"};
	struct redis_url u;

	for (size_t i = 0; i < countof(bad); i++) {
		struct err e = {0};

		CHECK_INT(redis_url_parse(&u, bad[i], &e), -EINVAL);
		CHECK(e.text[0]);
	}
	struct err e = {0};
	CHECK_INT(redis_url_parse(&u, "redis://:secret@x?nonsense=1", &e), -EINVAL);
	CHECK(!strstr(e.text, "secret"));
}
