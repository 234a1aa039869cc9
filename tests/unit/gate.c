#include "unit.h"

#include "clock.h"
#include "gate.h"
#include "io.h"
#include "mem.h"

#include <errno.h>
#include <fcntl.h>

static struct state state;

static void begin(void)
{
	struct err e = {0};

	CHECK_INT(setenv("LOOP_DIR", "state", 1), 0);
	CHECK_INT(state_open(&state, &e), 0);
}

static void raise_gate(const char *id, int64_t deadline, const char *fallback)
{
	AUTO_GATE struct gate g = {.deadline = deadline};
	struct err e = {0};

	snprintf(g.id, sizeof g.id, "%s", id);
	g.question = mem_string("Go on?");
	g.fallback = fallback ? mem_string(fallback) : NULL;
	CHECK_INT(gate_raise(&state, &g, &e), 1);
}

TEST(gate_is_written_and_read_alike)
{
	AUTO_GATE struct gate g = {.state = GATE_ANSWERED, .raised = NS_PER_S, .text = true};
	AUTO_GATE struct gate read = {0};
	AUTO_BUF struct buf lines = {0}, line = {0};
	struct err e = {0};

	snprintf(g.id, sizeof g.id, "g");
	g.question = mem_string("a \"b\"\n\x1b c\xc3\xa4");
	g.answer = mem_string("\\");
	strs_add(&g.choices, "x,y");
	g.asker = (struct owner){.pid = 7, .start = 8, .boot = "b"};
	gate_format(&g, true, &lines);
	CHECK_INT(gate_parse(&read, lines.text, lines.length, &e), 0);
	CHECK_STR(read.question, g.question);
	CHECK_STR(read.choices.item[0], "x,y");
	CHECK_INT(read.asker.start, 8);
	lines.length = 0;
	gate_format(&g, false, &lines);
	gate_format(&read, false, &line);
	CHECK_STR(line.text, lines.text);
}

TEST(gate_refuses_damaged_text)
{
	static const char *const bad[] = {
		"",
		"{}",
		"[]",
		"{\"gate\":\"../x\",\"state\":\"pending\",\"question\":\"q\"}",
		"{\"gate\":\"g\",\"state\":\"opne\",\"question\":\"q\"}",
		"{\"gate\":\"g\",\"state\":\"pending\"}",
		"{\"gate\":\"g\",\"state\":\"pending\",\"question\":\"q\",\"deadline\":\"soon\"}",
		"{\"gate\":\"g\",\"state\":\"pending\",\"question\":\"q\",\"choices\":[7]}",
		"{\"gate\":\"g\",\"state\":\"pending\",\"question\":\"q\",\"choices\":\"x\"}",
		"{\"gate\":\"g\",\"state\":\"pending\",\"question\":\"q\",\"asker\":{\"pid\":-1}}",
	};

	for (size_t i = 0; i < countof(bad); i++) {
		AUTO_GATE struct gate g = {0};
		struct err e = {0};

		CHECK_INT(gate_parse(&g, bad[i], strlen(bad[i]), &e), -EINVAL);
		CHECK(e.text[0]);
	}
}

TEST(gate_past_its_deadline_is_resolved_by_who_looks)
{
	AUTO_GATE struct gate g = {0};
	struct err e = {0};
	int64_t now = 1800000000 * NS_PER_S;

	begin();
	clock_set(now, now);
	raise_gate("a", now + NS_PER_S, "approve");
	CHECK_INT(gate_read(&state, "a", &g, &e), 0);
	CHECK_INT(g.state, GATE_PENDING);
	gate_clear(&g);
	clock_set(now + NS_PER_S, now + NS_PER_S);
	CHECK_INT(gate_read(&state, "a", &g, &e), 0);
	CHECK_INT(g.state, GATE_APPROVED);
	CHECK_STR(g.by, "deadline");
	state_close(&state);
}

/* A default that somebody wrote into the file by hand must not keep the gate shut for ever. */
TEST(gate_with_a_senseless_default_times_out)
{
	static const char text[] = "{\"gate\":\"a\",\"state\":\"pending\",\"question\":\"q\","
				   "\"default\":\"maybe\",\"deadline\":\"2020-01-01T00:00:00Z\"}";
	AUTO_GATE struct gate g = {0};
	struct err e = {0};

	begin();
	raise_gate("a", 0, NULL);
	CHECK_INT(io_replace(state.dir, "gates/a.json", text, strlen(text), 0600), 0);
	CHECK_INT(gate_read(&state, "a", &g, &e), 0);
	CHECK_INT(g.state, GATE_TIMED_OUT);
	state_close(&state);
}

/* Killed between the file and the event: the next who looks tells it. */
TEST(gate_event_that_is_owed_is_made_up_for)
{
	static const char text[] = "{\"gate\":\"a\",\"state\":\"pending\",\"question\":\"q\","
				   "\"told\":false}";
	AUTO_GATE struct gate g = {0};
	AUTO_BUF struct buf journal = {0};
	struct err e = {0};

	begin();
	close(state_folder(&state, "gates"));
	CHECK_INT(io_replace(state.dir, "gates/a.json", text, strlen(text), 0600), 0);
	CHECK_INT(gate_read(&state, "a", &g, &e), 0);
	gate_clear(&g);
	CHECK_INT(gate_read(&state, "a", &g, &e), 0);
	CHECK_INT(io_read_file(state.dir, "events.jsonl", 1 << 16, &journal), 0);
	CHECK(strstr(journal.text, "\"gate.raised\""));
	CHECK(strchr(journal.text, '\n')[1] == '\0'); /* once */
	state_close(&state);
}

TEST(gate_stays_pending_when_the_answer_cannot_be_written)
{
	const struct gate_answer yes = {.state = GATE_APPROVED, .by = "ann"};
	AUTO_GATE struct gate g = {0};
	struct err e = {0};

	begin();
	raise_gate("a", 0, NULL);
	fault_at(FAULT_WRITEV, 1, 1, ENOSPC);
	CHECK_INT(gate_resolve(&state, "a", &yes, &g, &e), -ENOSPC);
	fault_none();
	CHECK(strstr(e.text, "gates/a.json"));
	CHECK_INT(gate_resolve(&state, "a", &yes, &g, &e), 1);
	gate_clear(&g);
	CHECK_INT(gate_resolve(&state, "a", &yes, &g, &e), 0);
	CHECK_STR(g.by, "ann");
	state_close(&state);
}

TEST(state_list_knows_names_by_their_suffix)
{
	static const char *const files[] = {"b.json", "a.json", ".x.json", "c.jsonl", ".json",
		"d.json.damaged", "bad name.json"};
	AUTO_STRS struct strs names = {0};

	begin();
	CHECK_INT(state_list(&state, "things", ".json", &names), 0);
	CHECK_INT(names.count, 0);
	close(state_folder(&state, "things"));
	for (size_t i = 0; i < countof(files); i++) {
		AUTO_FREE char *path = mem_format("things/%s", files[i]);

		close(state_file(&state, path, O_WRONLY | O_CREAT, 0600));
	}
	CHECK_INT(state_list(&state, "things", ".json", &names), 0);
	CHECK_INT(names.count, 2);
	CHECK_STR(names.item[0], "a");
	CHECK_STR(names.item[1], "b");
	state_close(&state);
}
