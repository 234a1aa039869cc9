/* The command report: what a person wants to know in the morning, from files alone. */
#include "report.h"

#include "clock.h"
#include "commands.h"
#include "die.h"
#include "out.h"
#include "parse.h"

static struct filter_words wanted = {.since = "12h"};
static bool as_json, markdown;

const struct opt report_options[] = {
	{.name = "since",
		.arg = "TIME",
		.help = "from this time or age on; 12h",
		.string = &wanted.since},
	{.name = "until", .arg = "TIME", .help = "up to this time; now", .string = &wanted.until},
	{.name = "markdown", .help = "as Markdown", .flag = &markdown},
	{.name = "json", .help = "JSON lines, each with its kind", .flag = &as_json},
	{0},
};

int report_run(const struct args *args)
{
	struct report r = {0};
	AUTO_BUF struct buf out = {0};
	struct filter f;

	if (args->count)
		die_usage("report takes no operand");
	filter_make(&f, &wanted);
	r.since = f.since;
	r.until = f.until ? f.until : clock_real();
	open_state(&r.state);
	report_gather(&r);
	if (as_json)
		report_json(&r);
	else
		report_text(&r, markdown, &out);
	out_text(&out);
	report_clear(&r);
	state_close(&r.state);
	return 0;
}
