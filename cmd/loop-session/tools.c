/* The commands tools (each tool, or each call) and metrics (how long they took, and the rest). */
#include "commands.h"

#include "digest.h"
#include "out.h"
#include "parse.h"
#include "source.h"
#include "words.h"

static bool each_call;

const struct opt tools_options[] = {
	{"calls", 0, NULL, "each call, as it ended", .flag = &each_call},
	SOURCE_JSON_OPTION,
	SOURCE_AGENT_OPTION,
	{0},
};

static json_t *call_json(const struct call *c)
{
	int64_t ns = call_duration(c);
	char time[TIME_SIZE];
	json_t *j = json_pack("{s:s, s:s, s:s}", "id", c->id, "tool", c->name, "input", c->input);

	json_object_set_new(j, "start",
		c->start ? json_string(format_time(time, c->start)) : json_null());
	json_object_set_new(j, "ms", ns < 0 ? json_null() : json_integer(ns / NS_PER_MS));
	json_object_set_new(j, "ok", c->finished ? json_boolean(c->ok) : json_null());
	json_object_set_new(j, "exit", c->exit < 0 ? json_null() : json_integer(c->exit));
	json_object_set_new(j, "attempt", json_integer(c->attempt));
	return j;
}

static void print_call(void *context, const struct call *c)
{
	struct buf *out = context;
	char time[DURATION_SIZE];
	int64_t ns = call_duration(c);

	if (source_json) {
		out_json(call_json(c));
		return;
	}
	buf_format(out, "%8s  %-10s  ", ns < 0 ? "?" : format_duration(time, ns),
		!c->finished ? "unfinished" : c->ok ? "ok"
						    : "failed");
	words_line(out, c->name, strlen(c->name), 40);
	buf_str(out, "  ");
	words_line(out, c->input, strlen(c->input), 120);
	buf_char(out, '\n');
	out_text(out);
}

static void take_call(void *context, const struct step *s)
{
	calls_step(context, s);
}

static void print_calls(struct source *s)
{
	AUTO_BUF struct buf out = {0};
	struct calls calls = {.done = print_call, .context = &out};

	source_each(s, take_call, &calls);
	calls_end(&calls);
}

static const char *time_or_unknown(char out[DURATION_SIZE], const struct tool *t, int64_t ns)
{
	return t->time.count ? format_duration(out, ns) : "?";
}

static void add_counts(struct table *t, const struct tool *tool)
{
	char time[DURATION_SIZE];

	table_cell(t, tool->name);
	table_format(t, "%lld", (long long)tool->calls);
	table_format(t, "%lld", (long long)tool->failed);
	table_cell(t, time_or_unknown(time, tool, tool->time.sum));
}

static void print_tools(struct digest *d)
{
	static const char *const heads[] = {"TOOL", "CALLS", "FAILED", "TIME"};
	struct table t = {.columns = countof(heads), .right = 7u << 1};
	AUTO_BUF struct buf out = {0};

	for (size_t i = 0; i < countof(heads); i++)
		table_cell(&t, heads[i]);
	for (size_t i = 0; i < d->tools; i++)
		add_counts(&t, &d->tool[i]);
	table_print(&t, "", &out);
	out_text(&out);
	table_clear(&t);
}

int tools_run(const struct args *args)
{
	struct source s;
	struct digest d = {0};

	source_open(&s, args);
	if (each_call) {
		print_calls(&s);
	} else {
		source_each(&s, digest_step, &d);
		digest_end(&d);
		for (size_t i = 0; source_json && i < d.tools; i++)
			out_json(tool_json(&d.tool[i]));
		if (!source_json && d.tools)
			print_tools(&d);
	}
	source_warn(&s);
	digest_clear(&d);
	source_close(&s);
	return 0;
}

static void add_times(struct table *t, struct tool *tool)
{
	static const int percents[] = {50, 90, 99};
	char time[DURATION_SIZE];

	for (size_t i = 0; i < countof(percents); i++) {
		int64_t ns = sample_percentile(&tool->time, percents[i]);

		table_cell(t, time_or_unknown(time, tool, ns));
	}
	table_cell(t, time_or_unknown(time, tool, tool->time.max));
}

static void print_percentiles(struct digest *d)
{
	static const char *const heads[] = {"TOOL", "CALLS", "FAILED", "TIME", "P50", "P90", "P99",
		"MAX"};
	struct table t = {.columns = countof(heads), .right = 127u << 1};
	AUTO_BUF struct buf out = {0};

	for (size_t i = 0; i < countof(heads); i++)
		table_cell(&t, heads[i]);
	for (size_t i = 0; i < d->tools; i++) {
		add_counts(&t, &d->tool[i]);
		add_times(&t, &d->tool[i]);
	}
	table_print(&t, "", &out);
	out_text(&out);
	table_clear(&t);
}

struct metric {
	const char *name;
	int64_t value; /* -1: unknown */
	bool time;     /* in ns */
};

/* The session as a whole; returns how many. */
static size_t overall(const struct digest *d, struct metric m[12])
{
	int64_t failed, calls = digest_calls(d, &failed);
	int64_t span = d->first ? d->last - d->first : -1;
	const struct metric all[] = {
		{"elapsed", span, true},
		{"longest_silence", d->first ? d->silence : -1, true},
		{"events", d->events, false},
		{"messages", d->messages, false},
		{"turns", d->turns, false},
		{"tool_calls", calls, false},
		{"tool_failures", failed, false},
		{"retries", d->retries, false},
		{"limits", d->limits, false},
		{"denied", d->denied, false},
		{"input_tokens", d->input, false},
		{"output_tokens", d->output, false},
	};

	memcpy(m, all, sizeof all);
	return countof(all);
}

static json_t *metric_json(const struct metric *m)
{
	json_t *value = m->value < 0 ? json_null()
		: m->time	     ? json_real((double)m->value / (double)NS_PER_MS)
				     : json_integer(m->value);

	return json_pack("{s:s, s:s, s:o}", "metric", m->name, "unit", m->time ? "ms" : "", "value",
		value);
}

static void print_metric(const struct metric *m)
{
	char time[DURATION_SIZE];

	if (m->value < 0)
		printf("%-16s ?\n", m->name);
	else if (m->time)
		printf("%-16s %s\n", m->name, format_duration(time, m->value));
	else
		printf("%-16s %lld\n", m->name, (long long)m->value);
}

int metrics_run(const struct args *args)
{
	struct source s;
	struct digest d = {0};
	struct metric m[12];
	size_t n;

	source_open(&s, args);
	source_each(&s, digest_step, &d);
	digest_end(&d);
	n = overall(&d, m);
	for (size_t i = 0; i < n; i++) {
		if (source_json)
			out_json(metric_json(&m[i]));
		else
			print_metric(&m[i]);
	}
	for (size_t i = 0; source_json && i < d.tools; i++)
		out_json(tool_json(&d.tool[i]));
	if (!source_json && d.tools) {
		putchar('\n');
		print_percentiles(&d);
	}
	source_warn(&s);
	digest_clear(&d);
	source_close(&s);
	return 0;
}
