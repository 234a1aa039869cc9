#include "loop-session/digest.h"
#include "loop-session/words.h"
#include "unit.h"

#include <errno.h>

static void feed(void (*take)(void *, const struct step *), void *context, const char *line)
{
	struct step s;

	CHECK_INT(step_parse(&s, line, strlen(line)), 0);
	take(context, &s);
}

TEST(session_sample_is_exact_while_it_is_small)
{
	struct sample s = {0};

	CHECK_INT(sample_percentile(&s, 50), 0);
	for (int64_t i = 100; i > 0; i--)
		sample_add(&s, i);
	CHECK_INT(s.count, 100);
	CHECK_INT(s.sum, 5050);
	CHECK_INT(s.max, 100);
	CHECK_INT(sample_percentile(&s, 0), 1);
	CHECK_INT(sample_percentile(&s, 50), 50);
	CHECK_INT(sample_percentile(&s, 99), 99);
	CHECK_INT(sample_percentile(&s, 100), 100);
	sample_clear(&s);
}

TEST(session_sample_stays_bounded_and_even)
{
	struct sample s = {0};
	int64_t p50;

	for (int64_t i = 0; i < 1000000; i++)
		sample_add(&s, i);
	CHECK_INT(s.count, 1000000);
	CHECK_INT(s.max, 999999);
	CHECK(s.capacity < 20000);
	p50 = sample_percentile(&s, 50);
	CHECK(p50 > 470000 && p50 < 530000);
	sample_clear(&s);
}

struct seen {
	int ended, ok, unfinished;
	int64_t ns;
};

static void on_done(void *context, const struct call *c)
{
	struct seen *s = context;

	s->ended++;
	s->ok += c->finished && c->ok;
	s->unfinished += !c->finished;
	s->ns = call_duration(c);
}

static void take_call(void *context, const struct step *s)
{
	calls_step(context, s);
}

TEST(session_calls_are_paired_by_id)
{
	struct seen seen = {0};
	struct calls c = {.done = on_done, .context = &seen};

	feed(take_call, &c,
		"{\"type\":\"tool.started\",\"id\":\"a\",\"time\":\"2026-01-01T00:00:01Z\"}");
	feed(take_call, &c,
		"{\"type\":\"tool.started\",\"id\":\"b\",\"time\":\"2026-01-01T00:00:02Z\"}");
	feed(take_call, &c,
		"{\"type\":\"tool.finished\",\"id\":\"a\",\"ok\":true,\"time\":"
		"\"2026-01-01T00:00:04Z\"}");
	CHECK_INT(seen.ended, 1);
	CHECK_INT(seen.ok, 1);
	CHECK_INT(seen.ns, 3 * NS_PER_S);
	calls_end(&c);
	CHECK_INT(seen.ended, 2);
	CHECK_INT(seen.unfinished, 1);
	CHECK_INT(seen.ns, -1);
}

TEST(session_calls_of_an_attempt_end_with_it)
{
	struct seen seen = {0};
	struct calls c = {.done = on_done, .context = &seen};

	feed(take_call, &c, "{\"type\":\"tool.started\",\"id\":\"a\",\"attempt\":1}");
	feed(take_call, &c, "{\"type\":\"message\",\"attempt\":2}");
	CHECK_INT(seen.unfinished, 1);
	feed(take_call, &c, "{\"type\":\"tool.finished\",\"id\":\"a\",\"attempt\":2,\"ok\":true}");
	CHECK_INT(seen.ok, 1);
	CHECK_INT(seen.ended, 2);
	calls_end(&c);
	CHECK_INT(seen.ended, 2);
}

TEST(session_calls_that_never_end_are_bounded)
{
	struct seen seen = {0};
	struct calls c = {.done = on_done, .context = &seen};
	char line[80];

	for (int i = 0; i < 5000; i++) {
		snprintf(line, sizeof line, "{\"type\":\"tool.started\",\"id\":\"%d\"}", i);
		feed(take_call, &c, line);
	}
	CHECK(c.capacity <= 2048);
	calls_end(&c);
	CHECK_INT(seen.unfinished, 5000);
}

TEST(session_step_refuses_what_is_no_event)
{
	static const char odd[] = "{\"type\":7,\"time\":8,\"attempt\":\"x\"}";
	static const char *const wrong[] = {"", "{", "[]", "7", "{\"a\":1} x", "{\"a\":\"\xff\"}"};
	struct step s;

	for (size_t i = 0; i < countof(wrong); i++)
		CHECK_INT(step_parse(&s, wrong[i], strlen(wrong[i])), -EINVAL);
	CHECK_INT(step_parse(&s, odd, strlen(odd)), 0);
	CHECK_INT(s.kind, STEP_OTHER);
	CHECK_INT(s.time, 0);
	CHECK_INT(s.attempt, 0);
}

TEST(session_digest_knows_what_is_unknown)
{
	struct digest d = {0};

	feed(digest_step, &d, "{\"type\":\"usage\",\"input\":5}");
	CHECK(!d.cost_known);
	feed(digest_step, &d, "{\"type\":\"usage\",\"output\":7,\"cost_usd\":0}");
	CHECK(d.cost_known);
	CHECK_INT(d.input, 5);
	CHECK_INT(d.output, 7);
	CHECK_INT(d.first, 0);
	CHECK_STR(d.reason, "");
	digest_end(&d);
	digest_clear(&d);
}

TEST(session_digest_lists_each_written_file_once)
{
	struct digest d = {0};

	for (int i = 0; i < 3; i++) {
		feed(digest_step, &d,
			"{\"type\":\"tool.started\",\"id\":\"1\",\"name\":\"Write\","
			"\"input\":\"a\"}");
		feed(digest_step, &d, "{\"type\":\"tool.finished\",\"id\":\"1\",\"ok\":true}");
	}
	feed(digest_step, &d,
		"{\"type\":\"tool.started\",\"id\":\"2\",\"name\":\"Edit\",\"input\":\"b\"}");
	feed(digest_step, &d, "{\"type\":\"tool.finished\",\"id\":\"2\",\"ok\":false}");
	digest_end(&d);
	CHECK_INT(d.files.count, 1);
	CHECK_STR(d.files.item[0], "a");
	CHECK_INT(d.tools, 2);
	CHECK_INT(d.tool[0].calls, 3);
	CHECK_INT(d.tool[1].failed, 1);
	digest_clear(&d);
}

TEST(session_words_make_one_safe_line)
{
	static const struct {
		const char *text, *line;
		size_t max;
	} cases[] = {
		{"  a \n\t b\r\n", "a b", 80},
		{"a\x1b[2Jb", "a\\x1b[2Jb", 80},
		{"", "", 80},
		{" \n ", "", 80},
		{"abcdef", "abc…", 3},
		{"äöü", "äöü", 3},
		{"äöüß", "äöü…", 3},
		{"\xff", "\\xff", 80},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		AUTO_BUF struct buf out = {0};

		words_line(&out, cases[i].text, strlen(cases[i].text), cases[i].max);
		buf_add(&out, "", 1);
		CHECK_STR(out.text, cases[i].line);
	}
}

TEST(session_table_aligns_by_characters)
{
	struct table t = {.columns = 2, .right = 2};
	AUTO_BUF struct buf out = {0};

	table_cell(&t, "ä");
	table_cell(&t, "1");
	table_cell(&t, "bcd");
	table_cell(&t, "22");
	table_print(&t, "", &out);
	CHECK_STR(out.text, "ä     1\nbcd  22\n");
	table_clear(&t);
}

TEST(session_unknown_money_is_not_nothing)
{
	char out[DOLLARS_SIZE];

	CHECK_STR(words_dollars(out, false, 0), "unknown");
	CHECK_STR(words_dollars(out, true, 0), "$0.00");
	CHECK_STR(words_dollars(out, true, 0.0016), "$0.0016");
	CHECK_STR(words_dollars(out, true, 12.345), "$12.35");
}
