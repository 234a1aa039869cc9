/*
 * verify: reads the whole journal and tells of every place that is not as it
 * should be.
 */
#include "commands.h"

#include "choose.h"
#include "die.h"

static struct {
	bool quiet;
} options;

const struct opt verify_options[] = {
	{.name = "quiet", .letter = 'q', .help = "only the exit status", .flag = &options.quiet},
	{0},
};

static void tell(void *context, int64_t position, const char *why)
{
	const struct state *s = context;

	if (!options.quiet)
		warn("%s: at %lld: %s", s->path, (long long)position, why);
}

int verify_main(const struct args *args)
{
	struct journal_reader *r;
	struct journal_line line;
	struct event_view v;
	struct state state;
	uint64_t events = 0, damaged, strange = 0;
	int more;

	args_none(args);
	must_find_state(&state);
	r = open_journal(&state, "start", NULL);
	journal_on_damage(r, tell, &state);
	while ((more = journal_read(r, &line)) > 0) {
		events++;
		if (event_view(line.text, line.length, &v) == 0 && v.type.n && v.source.n)
			continue;
		strange++;
		tell(&state, line.id, "an event without its type or source");
	}
	if (more < 0)
		die(EX_IOERR, "the journal: %s", strerror(-more));
	damaged = journal_damaged(r) + strange;
	if (!options.quiet)
		printf("%llu events, %lld bytes, %llu damaged\n",
			(unsigned long long)(events - strange), (long long)journal_position(r),
			(unsigned long long)damaged);
	journal_reader_free(r);
	state_close(&state);
	return damaged ? EXIT_NO : EXIT_SUCCESS;
}
