/* commands: the subcommands of loop-session; each returns the exit status. */
#ifndef COMMANDS_H
#define COMMANDS_H

#include "opt.h"
#include "record.h"

int list_run(const struct args *);
int latest_run(const struct args *);
int summary_run(const struct args *);
int tools_run(const struct args *);
int errors_run(const struct args *);
int timeline_run(const struct args *);
int metrics_run(const struct args *);
int watch_run(const struct args *);
int transcript_run(const struct args *);
int export_run(const struct args *);
int report_run(const struct args *);
int gc_run(const struct args *);
int trace_run(const struct args *);

extern const struct opt list_options[], latest_options[], tools_options[], watch_options[],
	report_options[], gc_options[], trace_options[];

/* The state directory, which must be there: else the program ends, with status 1. */
void open_state(struct state *);

/* What the options of list say; times may be ages. */
struct filter_words {
	const char *run, *reason, *agent, *since, *until;
	int state;
	int64_t most;
};
void filter_make(struct filter *, const struct filter_words *);

#endif
