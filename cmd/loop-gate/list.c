#include "loop-gate.h"

#include "clock.h"
#include "die.h"
#include "mem.h"
#include "parse.h"

static bool json, pending;

const struct opt list_options[] = {
	{.name = "pending", .help = "only those without an answer", .flag = &pending},
	{.name = "json", .help = "print JSON lines", .flag = &json},
	{0},
};

/* "pending", "pending for 5m more", "approved by ann: looks good", "answered by ann: blue" */
static void add_state(struct buf *b, const struct gate *g)
{
	char left[DURATION_SIZE];

	buf_str(b, gate_state_name(g->state));
	if (g->state == GATE_PENDING && g->deadline)
		buf_format(b, " for %s more",
			format_duration(left, MAX(g->deadline - clock_real(), 0)));
	if (g->state == GATE_PENDING)
		return;
	buf_format(b, " by %s", g->by ? g->by : "somebody");
	if (g->answer)
		buf_format(b, ": %s", g->answer);
	if (g->why)
		buf_format(b, " (%s)", g->why);
}

static void add_choices(struct buf *b, const struct gate *g)
{
	for (size_t i = 0; i < g->choices.count; i++)
		buf_format(b, "%s%s", i ? ", " : " [", g->choices.item[i]);
	buf_str(b, g->choices.count ? "]" : "");
}

/* One line a gate: whatever its texts hold, it stays one line. */
static void print_text(const struct gate *g)
{
	AUTO_BUF struct buf state = {0}, question = {0}, out = {0};
	char age[DURATION_SIZE];

	add_state(&state, g);
	buf_str(&question, g->question);
	add_choices(&question, g);
	buf_format(&out, "%-20s %6s  ", g->id,
		format_duration(age, MAX(clock_real() - g->raised, 0)));
	buf_escape(&out, state.text, state.length);
	buf_str(&out, "  ");
	buf_escape(&out, question.text, question.length);
	puts(out.text);
}

static void print_json(const struct gate *g)
{
	AUTO_BUF struct buf b = {0};

	gate_format(g, false, &b);
	fputs(b.text, stdout);
}

static int show(const struct state *s, const char *id)
{
	AUTO_GATE struct gate g = {0};
	struct err e = {0};
	int r = gate_read(s, id, &g, &e);

	if (r < 0) {
		warn("%s", e.text);
		return die_status(r);
	}
	if (pending && g.state != GATE_PENDING)
		return EXIT_SUCCESS;
	if (json)
		print_json(&g);
	else
		print_text(&g);
	return EXIT_SUCCESS;
}

int list_run(const struct args *args)
{
	AUTO_STRS struct strs ids = {0};
	int status = EXIT_SUCCESS, r;
	struct state s;

	open_state(&s, false);
	for (size_t i = 0; i < args->count; i++)
		strs_add(&ids, args->item[i]);
	r = args->count ? 0 : state_list(&s, "gates", ".json", &ids);
	if (r < 0)
		die(die_status(r), "%s/gates: %s", s.path, strerror(-r));
	for (size_t i = 0; i < ids.count; i++) {
		int shown = show(&s, ids.item[i]);

		status = MAX(status, shown);
	}
	state_close(&s);
	return status;
}
