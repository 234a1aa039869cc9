/* The end of a run: what is written and what is said. */
#include "run.h"

#include "clock.h"
#include "die.h"

static const char *outcome(const struct run *r)
{
	if (r->cancelling)
		return "cancelled";
	for (enum tstate s = 0; s < TSTATES; s++)
		if (tstate_failed(s) && r->count[s])
			return "failed";
	return r->left || r->count[CANCELLED] ? "cancelled" : "succeeded";
}

static void add_counts(const struct run *r, struct buf *b)
{
	const char *comma = "";

	buf_str(b, "{");
	for (enum tstate s = 0; s < TSTATES; s++) {
		if (!r->count[s])
			continue;
		buf_format(b, "%s\"%s\":%u", comma, tstate_name(s), r->count[s]);
		comma = ",";
	}
	if (r->left)
		buf_format(b, "%s\"pending\":%u", comma, r->left);
	buf_char(b, '}');
}

/* One line for people, and only if there is something they must know. */
static void say(const struct run *r)
{
	AUTO_BUF struct buf b = {0};
	const char *comma = "";

	for (enum tstate s = 0; s < TSTATES; s++) {
		if (!r->count[s])
			continue;
		buf_format(&b, "%s%u %s", comma, r->count[s], tstate_name(s));
		comma = ", ";
	}
	if (r->left)
		buf_format(&b, "%s%u not run", comma, r->left);
	warn("%s: %s", r->id, b.text);
}

int run_end(struct run *r)
{
	const char *state = outcome(r);
	bool good = strcmp(state, "succeeded") == 0;
	AUTO_BUF struct buf b = {0}, line = {0};

	buf_format(&b, ",\"state\":\"%s\",\"counts\":", state);
	add_counts(r, &b);
	buf_format(&b, ",\"ms\":%lld", (long long)((clock_now() - r->started) / NS_PER_MS));
	event_run(r, "run.ended", b.text);
	buf_format(&line, "\"ended\"%s", b.text);
	log_run(r, line.text);
	slots_clear(r);
	r->synced = INT64_MIN / 2; /* and this is on the disk */
	run_write_out(r);
	good |= r->undo.alone && !r->count[COMPENSATION_FAILED] && !r->cancelling;
	if (!good || r->options.verbose)
		say(r);
	if (r->broken || r->lines.length)
		return EX_IOERR;
	if (r->signal)
		return EXIT_SIGNAL + r->signal;
	return good ? EXIT_SUCCESS : EXIT_NO;
}
