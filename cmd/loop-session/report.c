/* The command report: what a person wants to know in the morning, from files alone. */
#include "report.h"

#include "clock.h"
#include "commands.h"
#include "die.h"
#include "out.h"
#include "parse.h"

static struct filter_words wanted;
static bool as_json, markdown, html;

const struct opt report_options[] = {
	{"since", 0, "TIME", "from this time or age on; 12h", .string = &wanted.since},
	{"until", 0, "TIME", "up to this time; now", .string = &wanted.until},
	{"run", 0, "RUN", "only this run, whenever it was", .string = &wanted.run},
	{"markdown", 0, NULL, "as Markdown", .flag = &markdown},
	{"html", 0, NULL, "as a page of HTML", .flag = &html},
	{"json", 0, NULL, "JSON lines, each with its kind", .flag = &as_json},
	{0},
};

/* A run is reported from its beginning, and one that is not there is none. */
static void begin_with_run(struct report *r)
{
	struct run run;

	if (!r->only)
		return;
	if (run_read(&run, &r->state, r->only) < 0)
		die(EXIT_NO, "%s: no such run", r->only);
	if (!r->since)
		r->since = run.started;
}

int report_run(const struct args *args)
{
	struct report r = {0};
	AUTO_BUF struct buf out = {0};
	struct filter f;

	args_none(args);
	if (markdown + html + as_json > 1)
		die_usage("report: one of --markdown, --html and --json");
	if (!wanted.since && !wanted.run)
		wanted.since = "12h";
	filter_make(&f, &wanted);
	r.only = wanted.run;
	r.since = f.since;
	r.until = f.until ? f.until : clock_real();
	open_state(&r.state);
	begin_with_run(&r);
	report_gather(&r);
	if (as_json)
		report_json(&r);
	else
		report_text(&r,
			html		   ? REPORT_HTML
				: markdown ? REPORT_MARKDOWN
					   : REPORT_TEXT,
			&out);
	out_text(&out);
	report_clear(&r);
	state_close(&r.state);
	return 0;
}
