/*
 * loop-emit: appends events to the journal. It is started once an event by
 * scripts, so it is linked statically, without libraries, and makes as few
 * system calls as the journal's promises allow.
 */
#include "emit.h"

#include "clock.h"
#include "die.h"
#include "opt.h"
#include "parse.h"

static const char *const priorities[] = {
	"critical", "high", "normal", "low", "background", NULL};

static struct {
	const char *type, *subject, *source, *run, *session, *data, *time;
	struct strs attributes;
	int priority;
	bool sync, print;
} options = {.priority = -1};

static const struct opt table[] = {
	{.name = "subject",
		.letter = 's',
		.arg = "SUBJECT",
		.help = "what it is about, as in PRD-001/US-003 ($LOOP_SUBJECT)",
		.string = &options.subject},
	{.name = "priority",
		.letter = 'p',
		.arg = "PRIORITY",
		.help = "critical, high, normal, low or background",
		.choice = &options.priority,
		.choices = priorities},
	{.name = "data",
		.letter = 'd',
		.arg = "JSON",
		.help = "the event's data",
		.string = &options.data},
	{.name = "type",
		.letter = 't',
		.arg = "TYPE",
		.help = "with -: every line is the data of an event of this type",
		.string = &options.type},
	{.name = "source",
		.arg = "SOURCE",
		.help = "who says so (/loop-emit)",
		.string = &options.source},
	{.name = "run",
		.arg = "RUN",
		.help = "the run it belongs to ($LOOP_RUN)",
		.string = &options.run},
	{.name = "session",
		.arg = "SESSION",
		.help = "the session it belongs to ($LOOP_SESSION)",
		.string = &options.session},
	{.name = "time",
		.arg = "TIME",
		.help = "when it happened, if not now",
		.string = &options.time},
	{.name = "attribute",
		.letter = 'a',
		.arg = "NAME=VALUE",
		.help = "a further attribute; may be repeated",
		.strings = &options.attributes},
	{.name = "sync",
		.help = "on disk before it is acknowledged",
		.flag = &options.sync},
	{.name = "print",
		.help = "print the event as it stands in the journal",
		.flag = &options.print},
	{0},
};

/* An option's value, else a variable's, else nothing. */
static const char *given(const char *option, const char *variable)
{
	const char *value = option ? option : getenv(variable);

	return value && *value ? value : NULL;
}

static int64_t parse_when(const char *text)
{
	int64_t ns;

	if (parse_time(text, clock_real(), &ns) < 0)
		die_usage("--time: '%s' is neither a time such as 2026-11-20T09:01:02Z nor an age",
			text);
	return ns;
}

static struct event make_event(const char *type)
{
	static const enum priority levels[] = {CRITICAL, HIGH, NORMAL, LOW, BACKGROUND};
	static struct buf extra;

	attributes_make(&extra, &options.attributes);
	return (struct event){
		.type = type,
		.source = options.source ? options.source : "/loop-emit",
		.subject = given(options.subject, "LOOP_SUBJECT"),
		.runid = given(options.run, "LOOP_RUN"),
		.sessionid = given(options.session, "LOOP_SESSION"),
		.priority = options.priority < 0 ? NORMAL : levels[options.priority],
		.time = options.time ? parse_when(options.time) : 0,
		.extra = {extra.text, extra.length},
	};
}

static int emit_one(const struct emit *emit, const struct args *args)
{
	AUTO_BUF struct buf data = {0}, record = {0};
	struct event ev = emit->event;
	struct err e = {0};
	unsigned flags = emit->flags | (ev.priority == CRITICAL ? JOURNAL_SYNC : 0) |
		(emit->print ? 0 : JOURNAL_LAST);
	int r;

	data_make(&data, options.data, args->item + 1, args->count - 1);
	ev.data = (struct span){data.text, data.length};
	r = event_record(&record, &ev, &e);
	if (r < 0)
		die_err(r, &e);
	r = emit_records(emit, &(struct span){record.text, record.length}, 1, flags);
	return r < 0 ? EX_IOERR : EXIT_SUCCESS;
}

/* Checks an event without data: what the options say must be right before anything is appended. */
static void check_options(const struct event *ev)
{
	AUTO_BUF struct buf record = {0};
	struct event sample = *ev;
	struct err e = {0};
	int r;

	if (!sample.type)
		sample.type = "any";
	r = event_record(&record, &sample, &e);
	if (r < 0)
		die_err(r, &e);
}

static int run(const struct args *args)
{
	struct emit emit = {.print = options.print, .flags = options.sync ? JOURNAL_SYNC : 0};
	static struct journal journal; /* until the end of the program */
	static struct state state;
	struct err e = {0};
	bool many;
	int r;

	args_expect(args, 1, 0);
	many = strcmp(args->item[0], "-") == 0;
	if (!many && options.type)
		die_usage("--type goes with -, where lines are read");
	if (many && (args->count > 1 || options.data))
		die_usage("with -, data comes from standard input");
	emit.event = make_event(many ? options.type : args->item[0]);
	emit.bare = many && options.type;
	check_options(&emit.event);
	r = state_open(&state, &e);
	if (r < 0)
		die_err(r, &e);
	journal_init(&journal, &state);
	emit.journal = &journal;
	return many ? emit_lines(&emit, STDIN_FILENO) : emit_one(&emit, args);
}

int main(int argc, char **argv)
{
	static const struct command command = {
		.name = "loop-emit",
		.synopsis = "[options] TYPE [KEY=VALUE...] [KEY:=JSON...]\n"
			    "[options] [--type TYPE] -",
		.brief = "append events to the journal",
		.options = table,
		.run = run,
	};

	return opt_main(&command, argc, argv);
}
