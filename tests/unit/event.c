#include "unit.h"

#include "clock.h"
#include "event.h"

#include <errno.h>

static const struct event from_outside = {.source = "/loop-emit", .priority = NORMAL};

static const char *record(const struct event *ev)
{
	static struct buf b;
	static struct err e;

	buf_clear(&b);
	e.text[0] = '\0';
	return event_record(&b, ev, &e) == 0 ? b.text : e.text;
}

static const char *from_json(const char *text)
{
	static struct buf b;
	static struct err e;

	buf_clear(&b);
	e.text[0] = '\0';
	return event_from_json(&b, text, strlen(text), &from_outside, &e) >= 0 ? b.text : e.text;
}

TEST(event_record_has_its_members_in_order)
{
	clock_set(0, 1795251662 * NS_PER_S + 123456000);
	CHECK_STR(record(&(struct event){.type = "story.started",
			  .source = "/loop-emit",
			  .subject = "PRD-001/US-\"3\"",
			  .runid = "r",
			  .sessionid = "s",
			  .priority = HIGH,
			  .extra = {",\"lang\":\"c\"", 11},
			  .data = {"{\"a\":\n1}", 8}}),
		",\"source\":\"/loop-emit\",\"type\":\"story.started\","
		"\"subject\":\"PRD-001/US-\\\"3\\\"\",\"time\":\"2026-11-21T09:01:02.123456Z\","
		"\"priority\":\"high\",\"runid\":\"r\",\"sessionid\":\"s\",\"lang\":\"c\","
		"\"data\":{\"a\": 1}}\n");
}

TEST(event_record_refuses_bad_attributes)
{
	static const struct {
		struct event event;
		const char *reason;
	} cases[] = {
		{{.type = "Story.started", .source = "/x"}, "type 'Story.started': must be"},
		{{.type = "a..b", .source = "/x"}, "type 'a..b': must be"},
		{{.type = "a.", .source = "/x"}, "type 'a.': must be"},
		{{.type = "", .source = "/x"}, "type '': must be"},
		{{.type = "a", .source = ""}, "source: must be"},
		{{.type = "a", .source = "/x", .subject = "a\nb"}, "subject 'a\nb': must be"},
		{{.type = "a", .source = "/x", .subject = "../a"}, "subject '../a': must be"},
		{{.type = "a", .source = "/x", .subject = "/a"}, "subject '/a': must be"},
		{{.type = "a", .source = "/x", .subject = "a//b"}, "subject 'a//b': must be"},
		{{.type = "a", .source = "/x", .subject = "a\xff"}, "subject 'a\xff': must be"},
		{{.type = "a", .source = "/x", .runid = "\x1b[2J"}, "runid: must be"},
	};

	for (size_t i = 0; i < countof(cases); i++)
		if (strncmp(record(&cases[i].event), cases[i].reason, strlen(cases[i].reason)) != 0)
			unit_fail(__FILE__, __LINE__, "%s, not %s", record(&cases[i].event),
				cases[i].reason);
}

TEST(event_record_is_bounded)
{
	AUTO_BUF struct buf data = {0}, out = {0};
	struct event ev = {.type = "a", .source = "/x"};
	struct err e = {0};

	buf_char(&data, '"');
	memset(buf_reserve(&data, EVENT_MAX), 'x', EVENT_MAX);
	data.length += EVENT_MAX - 2;
	buf_char(&data, '"');
	ev.data = (struct span){data.text, data.length};
	buf_str(&out, "before");
	CHECK_INT(event_record(&out, &ev, &e), -EMSGSIZE);
	CHECK_INT(out.length, 6);
	ev.data.n = 4;
	data.text[3] = '"';
	CHECK_INT(event_record(&out, &ev, NULL), 0);
}

TEST(event_from_json_keeps_what_came)
{
	clock_set(0, 0);
	CHECK_STR(from_json("{\"data\":{\"ok\" :true},\"\\u0074ype\":\"test.run\",\"id\":\"7\","
			    "\"x1\":3,"
			    "\"subject\":\"a\\/b\",\"specversion\":\"1.0\",\"runid\":null}"),
		",\"source\":\"/loop-emit\",\"type\":\"test.run\",\"subject\":\"a\\/b\","
		"\"time\":\"1970-01-01T00:00:00.000000Z\",\"priority\":\"normal\",\"x1\":3,"
		"\"data\":{\"ok\" :true}}\n");
	CHECK_STR(from_json("{\"type\":\"a\",\"source\":\"/me\",\"priority\":100,\"data\":null,"
			    "\"time\":\"2026-11-21T10:01:02+01:00\"}"),
		",\"source\":\"/me\",\"type\":\"a\",\"time\":\"2026-11-21T10:01:02+01:00\","
		"\"priority\":\"critical\",\"data\":null}\n");
}

TEST(event_from_json_says_what_is_wrong)
{
	static const char *const cases[][2] = {
		{"{\"type\":\"a\"", "byte 12: "},
		{"[]", "not a JSON object"},
		{"{}", "type: missing"},
		{"{\"type\":7}", "type: must be a string"},
		{"{\"type\":\"A\"}", "type 'A': must be"},
		{"{\"type\":\"a\",\"time\":\"noon\"}", "time: must be"},
		{"{\"type\":\"a\",\"time\":7}", "time: must be"},
		{"{\"type\":\"a\",\"priority\":\"urgent\"}", "priority: must be"},
		{"{\"type\":\"a\",\"priority\":{\"a\":[1,2,3,4,5,6,7]}}", "priority: must be"},
		{"{\"type\":\"a\",\"specversion\":\"0.3\"}", "specversion: must be"},
		{"{\"type\":\"a\",\"Lang\":\"c\"}", "attribute \"Lang\": must be lower-case"},
		{"{\"type\":\"a\",\"lang\":{}}", "attribute \"lang\": must be a short"},
		{"{\"type\":\"a\",\"subject\":\"a\\nb\"}", "subject 'a\nb': must be"},
		{"{\"type\":\"a\",\"type\":\"b\"}", "byte 13: a key that comes twice"},
	};

	for (size_t i = 0; i < countof(cases); i++)
		if (strncmp(from_json(cases[i][0]), cases[i][1], strlen(cases[i][1])) != 0)
			unit_fail(__FILE__, __LINE__, "%s: %s, not %s", cases[i][0],
				from_json(cases[i][0]), cases[i][1]);
}

TEST(event_view_lends_the_attributes)
{
	static const char line[] =
		"{\"specversion\":\"1.0\",\"id\":\"70\",\"source\":\"/x\",\"type\":\"a.b\","
		"\"priority\":\"low\",\"x\":[{}],\"data\":{\"type\":\"no\"}}";
	struct event_view view;

	CHECK_INT(event_view(line, sizeof line - 1, &view), 0);
	CHECK(jscan_is(view.id, "70"));
	CHECK(jscan_is(view.type, "a.b"));
	CHECK(jscan_is(view.priority, "low"));
	CHECK_INT(view.subject.n, 0);
	CHECK_INT(view.data.n, 13);
	CHECK_INT(event_view("[]", 2, &view), -EINVAL);
}

static void check_line(const char *text, size_t length)
{
	const char *what;
	size_t at;
	bool good = jscan_check(text, length, &at, &what) == 0;

	if (event_line_valid(text, length) != good)
		printf("# %.*s\n", (int)length, text);
	CHECK_INT(event_line_valid(text, length), good);
}

/* The quick way and the long one agree about lines with any byte changed, doubled or gone. */
TEST(event_lines_are_what_any_json_is)
{
	static const char *const lines[] = {
		"{\"specversion\":\"1.0\",\"id\":\"0\",\"source\":\"/x\",\"type\":\"a.b\","
		"\"subject\":\"s/t\",\"time\":\"2026-01-01T00:00:00Z\",\"priority\":\"low\","
		"\"runid\":\"r\",\"sessionid\":\"s\","
		"\"data\":{\"a\":[1,\"b\",null],\"c\":\"\\u00e9\"}}\n",
		"{\"specversion\":\"1.0\",\"id\":\"2\",\"source\":\"/\xc3\xa9\",\"data\":\"\"}",
		"{\"specversion\":\"1.0\",\"id\":\"2\",\"source\":\"/x\",\"z\":1,\"data\":1}",
		"{\"specversion\":\"1.0\",\"id\":\"1\",\"type\":\"a\",\"type\":\"b\",\"data\":{}}",
		"{\"specversion\":\"1.0\",\"id\":\"1\",\"data\":{},\"data\":{}}",
		"{\"specversion\":\"1.0\",\"id\":\"1\",\"data\":1,\"source\":2}",
		"{\"specversion\":\"1.0\",\"id\":\"1\"}",
	};
	static const char bytes[] = "\"\\{}[],: \n\t\x01\x80\xc3x0-";

	for (size_t i = 0; i < countof(lines); i++)
		for (size_t n = strlen(lines[i]), at = 0; at < n; at++) {
			AUTO_BUF struct buf b = {0};

			buf_add(&b, lines[i], n);
			check_line(b.text, at);
			for (size_t c = 0; c < sizeof bytes; c++) {
				b.text[at] = bytes[c];
				check_line(b.text, n);
			}
			memmove(b.text + at, lines[i] + at + 1, n - at - 1);
			check_line(b.text, n - 1);
			b.length = at;
			buf_add(&b, lines[i] + at / 2, n - at / 2);
			check_line(b.text, b.length);
		}
}

TEST(event_priorities_have_names_and_numbers)
{
	enum priority p;

	CHECK_INT(priority_parse("critical", &p), 0);
	CHECK_INT(p, CRITICAL);
	CHECK_INT(priority_parse("25", &p), 0);
	CHECK_STR(priority_name(p), "low");
	CHECK_INT(priority_parse("26", &p), -EINVAL);
	CHECK_INT(priority_parse("High", &p), -EINVAL);
}
