#include "loop-stream/request.h"
#include "mem.h"
#include "unit.h"

#include <errno.h>

static const char simple[] = "GET /a?b=c HTTP/1.1\r\nHost: localhost:1\r\nX-A:  b \r\n\r\n";

static int scan_all(const char *text, size_t length, size_t piece, size_t *used)
{
	struct scan s = {0};
	int status = SCAN_MORE;
	size_t n;

	for (*used = 0; *used < length && status == SCAN_MORE; *used += n)
		status = scan_head(&s, text + *used, MIN(piece, length - *used), &n);
	return status;
}

TEST(stream_scan_ends_where_the_head_ends_however_it_is_cut)
{
	char text[256];
	size_t used, head = strlen(simple);

	snprintf(text, sizeof text, "%sGET /next", simple);
	for (size_t piece = 1; piece <= strlen(text); piece++) {
		CHECK_INT(scan_all(text, strlen(text), piece, &used), SCAN_WHOLE);
		CHECK_INT(used, head);
	}
}

TEST(stream_scan_wants_more_of_every_beginning)
{
	size_t used;

	for (size_t n = 0; n < strlen(simple); n++)
		CHECK_INT(scan_all(simple, n, n + 1, &used), SCAN_MORE);
}

/* Any byte that is put in place of another either leaves a head, or is refused at once. */
TEST(stream_scan_refuses_control_characters_everywhere)
{
	char text[sizeof simple];
	size_t used;

	for (size_t i = 0; i < strlen(simple); i++) {
		for (int c = 0; c < ' '; c++) {
			memcpy(text, simple, sizeof text);
			if (c == '\t' || text[i] == c)
				continue;
			text[i] = (char)c;
			CHECK_INT(scan_all(text, strlen(simple), 7, &used) == SCAN_WHOLE, false);
		}
	}
}

static int read_pieces(struct intake *in, const char *text, size_t piece)
{
	size_t length = strlen(text), at = 0;

	while (in->phase != INTAKE_WHOLE) {
		enum intake_phase before = in->phase;
		size_t used;
		int status = intake_take(in, text + at, MIN(piece, length - at), &used);

		at += used;
		if (status)
			return status;
		if (!used && in->phase == before)
			return -EAGAIN;
	}
	return at == length ? 0 : -EMSGSIZE;
}

static int read_whole(struct intake *in, const char *text)
{
	return read_pieces(in, text, SIZE_MAX);
}

TEST(stream_request_is_taken_apart)
{
	struct intake *in = intake_new(100);
	struct request *r = &in->request;
	AUTO_BUF struct buf value = {0};

	CHECK_INT(read_whole(in, simple), 0);
	CHECK_INT(r->method, METHOD_GET);
	CHECK_INT(r->minor, 1);
	CHECK(span_is(r->path, "/a"));
	CHECK(span_is(r->query, "b=c"));
	CHECK(span_is(r->host, "localhost:1"));
	CHECK(span_is(request_field(r, "x-a")->value, "b"));
	CHECK(!request_field(r, "x-b"));
	CHECK_INT(query_get(r->query, "b", &value), 1);
	CHECK_STR(value.text, "c");
	intake_free(in);
}

TEST(stream_body_is_bounded_exactly)
{
	static const struct {
		const char *body;
		int status;
	} cases[] = {
		{"5\r\nhello\r\n0\r\n\r\n", 0},
		{"2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", 0},
		{"6\r\nhello!\r\n0\r\n\r\n", 413},
		{"3\r\nhel\r\n3\r\nlo!\r\n0\r\n\r\n", 413},
		{"ffffffffffffffff\r\n", 413},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct intake *in = intake_new(5);
		AUTO_FREE char *text = mem_format(
			"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n%s",
			cases[i].body);

		CHECK_INT(read_whole(in, text), cases[i].status);
		if (!cases[i].status)
			CHECK_STR(in->body.text, "hello");
		intake_free(in);
	}
}

/* How it is refused does not depend on how it was cut either: what comes first is told. */
TEST(stream_trailer_is_refused_alike_however_it_is_cut)
{
	static const struct {
		const char *trailer;
		int status;
	} cases[] = {
		{"A: b\r\n\r\n", 0},
		{"Transfer-Encoding: x\r\nA: \x01\r\n\r\n", 400},
		{"Transfer-Encoding: x\r\nA: %s\r\n\r\n", 400},
		{"A: %s\r\nTransfer-Encoding: x\r\n\r\n", 431},
	};
	AUTO_FREE char *much = mem_format("%0*d", HEAD_MAX, 0);

	for (size_t i = 0; i < countof(cases); i++) {
		const char *at = strstr(cases[i].trailer, "%s");
		AUTO_BUF struct buf text = {0};

		buf_str(&text, "POST / HTTP/1.1\r\nHost: a\r\n");
		buf_str(&text, "Transfer-Encoding: chunked\r\n\r\n0\r\n");
		buf_add(&text, cases[i].trailer, strcspn(cases[i].trailer, "%"));
		buf_str(&text, at ? much : "");
		buf_str(&text, at ? at + 2 : "");
		for (size_t piece = 1; piece <= text.length; piece += piece / 2 + 1) {
			struct intake *in = intake_new(5);

			CHECK_INT(read_pieces(in, text.text, piece), cases[i].status);
			intake_free(in);
		}
	}
}

TEST(stream_query_resolves_escapes)
{
	static const struct {
		const char *query, *value;
		int found;
	} cases[] = {
		{"a=b", "b", 1},
		{"x=1&a=b&a=c", "b", 1},
		{"a=%41+%2B%2f", "A +/", 1},
		{"a", "", 1},
		{"aa=b", "", 0},
		{"%61=b", "b", 1},
		{"a=%00", "", -EINVAL},
		{"a=%ff", "", -EINVAL},
		{"a=%0a", "", -EINVAL},
		{"a=%c3%a9", "\xc3\xa9", 1},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct span query = {cases[i].query, strlen(cases[i].query)};
		AUTO_BUF struct buf value = {0};

		CHECK_INT(query_get(query, "a", &value), cases[i].found);
		if (cases[i].found > 0)
			CHECK_STR(value.text, cases[i].value);
	}
}
