/* The command timeline: what happened, line by line. */
#include "commands.h"

#include "narrate.h"
#include "source.h"

int timeline_run(const struct args *args)
{
	struct source s;
	struct narrator n = {0};

	source_open(&s, args);
	n.json = source_json;
	n.start = s.record.started;
	source_each(&s, narrate_step, &n);
	narrate_end(&n);
	source_warn(&s);
	source_close(&s);
	return 0;
}
