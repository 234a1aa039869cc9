#include "unit.h"

#include "jscan.h"
#include "mem.h"

#include <errno.h>

static int check(const char *text)
{
	const char *what;
	size_t at;

	return jscan_check(text, strlen(text), &at, &what);
}

TEST(jscan_check_takes_what_is_json)
{
	static const char *const good[] = {
		"null",
		" true\n",
		"-0.5e+10",
		"0",
		"\"\"",
		"\"\\u00e9\\ud83d\\ude00 \xc3\xa9 \xf0\x9f\x98\x80 \\/\\b\\f\\n\\r\\t\\\\\\\"\"",
		"{}",
		"[ ]",
		"{\"a\":[1,{\"b\":null}],\"c\":{\"a\":\"b\"}}",
		"\"a text of more than eight bytes, with a quote at its end: \\\"\"",
		"\"\x7f\"",
	};

	for (size_t i = 0; i < countof(good); i++)
		if (check(good[i]) != 0)
			unit_fail(__FILE__, __LINE__, "refused: %s", good[i]);
}

TEST(jscan_check_refuses_what_is_not)
{
	static const char *const bad[] = {
		"",
		" ",
		"nul",
		"nulll",
		"01",
		"-",
		"1.",
		".5",
		"1e",
		"+1",
		"NaN",
		"'a'",
		"\"",
		"\"a",
		"\"\\\"",
		"\"\\x\"",
		"\"\\u12g4\"",
		"\"\\u0000\"",
		"\"\\ud800\"",
		"\"\\ud800\\u0041\"",
		"\"\\udc00\"",
		"\"a\tb\"",
		"\"a longer text with a line end\n behind eight bytes\"",
		"\"\xff\"",
		"\"\xc3\"",
		"\"\xed\xa0\x80\"",
		"\"\xc0\x80\"",
		"\xef\xbb\xbf{}",
		"[",
		"[1",
		"[1,",
		"[1,]",
		"[,1]",
		"[1 2]",
		"[1}",
		"{",
		"{\"a\"",
		"{\"a\":",
		"{\"a\":1",
		"{\"a\":1,",
		"{\"a\":1,}",
		"{a:1}",
		"{\"a\" 1}",
		"{1:1}",
		"{} {}",
		"// c\n1",
		"{\"a\":1,\"a\":2}",
		"[{\"x\":{\"a\":1,\"b\":2,\"a\":2}}]",
		"{\"a\":1,\"\\u0061\":2}",
	};

	for (size_t i = 0; i < countof(bad); i++)
		if (check(bad[i]) != -EINVAL)
			unit_fail(__FILE__, __LINE__, "taken: %s", bad[i]);
}

TEST(jscan_check_tells_the_place)
{
	const char *what;
	size_t at;

	CHECK_INT(jscan_check("{\"a\":nil}", 9, &at, &what), -EINVAL);
	CHECK_INT(at, 5);
	CHECK(*what);
}

static void nest(struct buf *b, int depth)
{
	for (int i = 0; i < depth; i++)
		buf_char(b, '[');
	for (int i = 0; i < depth; i++)
		buf_char(b, ']');
}

TEST(jscan_check_bounds_the_depth)
{
	AUTO_BUF struct buf b = {0};

	nest(&b, JSON_DEPTH_MAX);
	CHECK_INT(check(b.text), 0);
	buf_drop(&b, b.length);
	nest(&b, JSON_DEPTH_MAX + 1);
	CHECK_INT(check(b.text), -EINVAL);
	buf_drop(&b, b.length);
	nest(&b, 100000);
	CHECK_INT(check(b.text), -EINVAL);
}

/* An object of this many keys; the one at twice (if below count) is named like the first. */
static void many_keys(struct buf *b, int count, int twice)
{
	for (int i = 0; i < count; i++)
		buf_format(b, "%s\"key%06d\":%d", i ? "," : "{", i == twice ? 0 : i, i);
	buf_char(b, '}');
	buf_char(b, '\0');
}

TEST(jscan_check_finds_one_double_key_among_many)
{
	static const int places[] = {1, 31, 32, 33, 63, 64, 65, 1000, 199999};
	AUTO_BUF struct buf b = {0};

	many_keys(&b, 200000, 200000);
	CHECK_INT(check(b.text), 0);
	for (size_t i = 0; i < countof(places); i++) {
		buf_drop(&b, b.length);
		many_keys(&b, places[i] + 1, places[i]);
		CHECK_INT(check(b.text), -EINVAL);
		buf_drop(&b, b.length);
		many_keys(&b, places[i] + 100, places[i]);
		CHECK_INT(check(b.text), -EINVAL);
	}
}

TEST(jscan_check_never_reads_behind_the_end)
{
	static const char text[] =
		"{\"aaaaaaaaaaaa\":[1.5e3,true,\"\\u00e9\\ud83d\\ude00 \xf0\x9f\x98\x80\",{}]}";

	for (size_t n = 0; n < sizeof text - 1; n++) {
		AUTO_FREE char *cut = mem_new(n);
		struct span key, value;
		struct jscan walk;
		const char *what;
		size_t at;

		memcpy(cut, text, n);
		CHECK_INT(jscan_check(cut, n, &at, &what), -EINVAL);
		CHECK(at <= n);
		if (jscan_open(&walk, (struct span){cut, n}) == 0)
			while (jscan_next(&walk, &key, &value) > 0)
				CHECK(value.p + value.n <= cut + n);
	}
}

static struct span span(const char *text)
{
	return (struct span){text, strlen(text)};
}

TEST(jscan_walks_one_level)
{
	struct span key, value;
	struct jscan walk;

	CHECK_INT(jscan_open(&walk, span(" { \"a\" : [1,{\"}\":\"]\"}] ,\"b\\\\\":-1.5e3}")), 0);
	CHECK_INT(jscan_next(&walk, &key, &value), 1);
	CHECK(jscan_is(key, "a"));
	CHECK_INT(value.n, strlen("[1,{\"}\":\"]\"}]"));
	CHECK_INT(jscan_next(&walk, &key, &value), 1);
	CHECK(jscan_is(key, "b\\"));
	CHECK_INT(value.n, 6);
	CHECK_INT(jscan_next(&walk, &key, &value), 0);
	CHECK_INT(jscan_open(&walk, span("[null, \"x\"]")), 0);
	CHECK_INT(jscan_next(&walk, &key, &value), 1);
	CHECK_INT(key.n, 0);
	CHECK_INT(jscan_kind(value), 'n');
	CHECK_INT(jscan_next(&walk, &key, &value), 1);
	CHECK(jscan_is(value, "x"));
	CHECK_INT(jscan_next(&walk, &key, &value), 0);
	CHECK_INT(jscan_open(&walk, span("\"x\"")), -EINVAL);
}

TEST(jscan_finds_by_key_and_path)
{
	static const char text[] =
		"{\"type\":\"a\",\"data\":{\"success\":false,\"deep\":{\"n\":7}},\"\\u0065\":2}";
	struct span value;
	int64_t n;

	CHECK(jscan_get(span(text), "type", &value) && jscan_is(value, "a"));
	CHECK(jscan_get(span(text), "e", &value) && *value.p == '2');
	CHECK(!jscan_get(span(text), "typ", &value));
	CHECK(jscan_path(span(text), "data.success", &value) && jscan_kind(value) == 'f');
	CHECK(jscan_path(span(text), "data.deep.n", &value));
	CHECK_INT(jscan_int(value, &n), 0);
	CHECK_INT(n, 7);
	CHECK(!jscan_path(span(text), "data.success.no", &value));
	CHECK(!jscan_path(span(text), "data.none", &value));
}

TEST(jscan_resolves_escapes)
{
	AUTO_BUF struct buf b = {0};

	CHECK_INT(jscan_text(span("\"a\\n\\\"\\/\\u00e9\\u20ac\\ud83d\\ude00z\""), &b), 0);
	CHECK_STR(b.text, "a\n\"/\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z");
	CHECK(jscan_is(span("\"\\u0061b\""), "ab"));
	CHECK(!jscan_is(span("\"ab\""), "abc"));
	CHECK(!jscan_is(span("7"), "7"));
	CHECK_INT(jscan_text(span("7"), &b), -EINVAL);
}

TEST(jscan_reads_whole_numbers)
{
	static const struct {
		const char *text;
		int result;
		int64_t value;
	} cases[] = {
		{"0", 0, 0},
		{"-42", 0, -42},
		{"9223372036854775807", 0, INT64_MAX},
		{"-9223372036854775808", 0, INT64_MIN},
		{"9223372036854775808", -ERANGE, 0},
		{"99999999999999999999", -ERANGE, 0},
		{"1.0", -EINVAL, 0},
		{"1e3", -EINVAL, 0},
		{"-", -EINVAL, 0},
		{"", -EINVAL, 0},
		{"\"1\"", -EINVAL, 0},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		int64_t value = 0;

		CHECK_INT(jscan_int(span(cases[i].text), &value), cases[i].result);
		CHECK_INT(value, cases[i].value);
	}
}
