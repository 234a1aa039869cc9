#include "unit.h"

#include "buf.h"

static const struct {
	const char *text, *json, *terminal;
} escapes[] = {
	{"plain", "\"plain\"", "plain"},
	{"", "\"\"", ""},
	{"a\"b\\c", "\"a\\\"b\\\\c\"", "a\"b\\c"},
	{"tab\tnl\n", "\"tab\\tnl\\n\"", "tab\\tnl\\n"},
	{"\x1b[31m", "\"\\u001b[31m\"", "\\x1b[31m"},
	{"\x7f", "\"\x7f\"", "\\x7f"},
	{"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"",
		"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"},
	{"\xc2\x9b"
	 "31m",
		"\"\xc2\x9b"
		"31m\"",
		"\\xc2\\x9b31m"},
	{"\xff", "\"\xef\xbf\xbd\"", "\\xff"},
	{"\xc0\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\"", "\\xc0\\xaf"},
	{"\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"", "\\xed\\xa0\\x80"},
	{"cut\xe2\x82", "\"cut\xef\xbf\xbd\xef\xbf\xbd\"", "cut\\xe2\\x82"},
};

TEST(buf_escapes)
{
	for (size_t i = 0; i < countof(escapes); i++) {
		AUTO_BUF struct buf json = {0};
		AUTO_BUF struct buf terminal = {0};

		buf_json(&json, escapes[i].text, strlen(escapes[i].text));
		CHECK_STR(json.text, escapes[i].json);
		buf_str(&terminal, "");
		buf_escape(&terminal, escapes[i].text, strlen(escapes[i].text));
		CHECK_STR(terminal.text, escapes[i].terminal);
	}
}

TEST(buf_escape_into_a_small_array_is_cut)
{
	char out[4];

	CHECK_INT(escape_text(out, sizeof out, "abcdef"), 3);
	CHECK_STR(out, "abc");
}

TEST(buf_grows_drops_and_is_taken)
{
	struct buf b = {0};
	char *text;

	for (int i = 0; i < 1000; i++)
		buf_int(&b, i);
	CHECK_INT(b.length, 2890);
	buf_drop(&b, 2887);
	CHECK_STR(b.text, "999");
	buf_format(&b, "-%s-%d", "x", -7);
	buf_char(&b, '!');
	text = buf_take(&b);
	CHECK_STR(text, "999-x--7!");
	CHECK_INT(b.length, 0);
	free(text);
	text = buf_take(&b);
	CHECK_STR(text, "");
	free(text);
}

TEST(buf_writes_the_smallest_integer)
{
	AUTO_BUF struct buf b = {0};

	buf_int(&b, INT64_MIN);
	CHECK_STR(b.text, "-9223372036854775808");
}

TEST(buf_strs_are_an_argv)
{
	AUTO_STRS struct strs s = {0};

	for (int i = 0; i < 20; i++)
		strs_format(&s, "%d", i);
	CHECK_INT(s.count, 20);
	CHECK_STR(s.item[19], "19");
	CHECK(s.item[20] == NULL);
}
