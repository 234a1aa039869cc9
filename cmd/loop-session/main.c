/*
 * loop-session: recorded sessions, read from their files alone: listed, told,
 * measured, exported, and what of them is no longer needed removed.
 */
#include "commands.h"
#include "source.h"

#include "io.h"

#define SESSION_SYNOPSIS "[OPTION]... [SESSION]\n--agent=AGENT FILE"

static const struct command subs[] = {
	{
		.name = "list",
		.synopsis = "[OPTION]...",
		.brief = "list sessions, newest first",
		.options = list_options,
		.run = list_run,
	},
	{
		.name = "latest",
		.synopsis = "[OPTION]...",
		.brief = "print the newest session's id",
		.options = latest_options,
		.run = latest_run,
	},
	{
		.name = "summary",
		.synopsis = SESSION_SYNOPSIS,
		.brief = "one session on one page",
		.options = source_options,
		.run = summary_run,
	},
	{
		.name = "tools",
		.synopsis = SESSION_SYNOPSIS,
		.brief = "the tools it called",
		.options = tools_options,
		.run = tools_run,
	},
	{
		.name = "errors",
		.synopsis = SESSION_SYNOPSIS,
		.brief = "everything that went wrong",
		.options = source_options,
		.run = errors_run,
	},
	{
		.name = "timeline",
		.synopsis = SESSION_SYNOPSIS,
		.brief = "what happened, line by line",
		.options = source_options,
		.run = timeline_run,
	},
	{
		.name = "metrics",
		.synopsis = SESSION_SYNOPSIS,
		.brief = "counts, durations and percentiles",
		.options = source_options,
		.run = metrics_run,
	},
	{
		.name = "watch",
		.synopsis = "[OPTION]... [SESSION]",
		.brief = "follow a live session to its end",
		.options = watch_options,
		.run = watch_run,
	},
	{
		.name = "transcript",
		.synopsis = SESSION_SYNOPSIS,
		.brief = "what was said and done, as text",
		.options = file_options,
		.run = transcript_run,
	},
	{
		.name = "export",
		.synopsis = SESSION_SYNOPSIS,
		.brief = "everything about a session as one JSON document",
		.options = file_options,
		.run = export_run,
	},
	{
		.name = "report",
		.synopsis = "[OPTION]...",
		.brief = "what ran, what it cost, what failed, what to do next",
		.options = report_options,
		.run = report_run,
	},
	{
		.name = "gc",
		.synopsis = "[OPTION]...",
		.brief = "remove what is proven to be no longer needed",
		.options = gc_options,
		.run = gc_run,
	},
	{
		.name = "trace",
		.synopsis = "[OPTION]... [SESSION]...",
		.brief = "sessions as a Chrome trace",
		.options = trace_options,
		.run = trace_run,
	},
	{0},
};

int main(int argc, char **argv)
{
	static const struct command session = {
		.name = "loop-session",
		.synopsis = "COMMAND [OPTION]... [SESSION]",
		.brief = "list, watch and analyse recorded sessions",
		.subs = subs,
	};

	io_fill_standard();
	return opt_main(&session, argc, argv);
}
