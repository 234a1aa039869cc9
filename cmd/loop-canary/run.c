/* The commands that drive a rollout, and those that ask its driver for something. */
#include "commands.h"

#include "die.h"
#include "drive.h"
#include "io.h"
#include "mem.h"
#include "proc.h"
#include "request.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>

static bool no_wait, again, full;
static const char *by, *why;

const struct opt run_options[] = {
	{.name = "again",
		.help = "roll out anew what has ended before",
		.flag = &again},
	{.name = "no-wait", .help = "end with status 75 when it is paused", .flag = &no_wait},
	{0},
};

#define REQUEST_OPTIONS                                                            \
	{.name = "by", .arg = "WHO", .help = "who asks for it", .string = &by},    \
	{                                                                          \
		.name = "why", .arg = "TEXT", .help = "the reason", .string = &why \
	}

const struct opt request_options[] = {REQUEST_OPTIONS, {0}};
const struct opt promote_options[] = {
	{.name = "full", .help = "to the last step", .flag = &full}, REQUEST_OPTIONS, {0}};

static void complain(const char *file, const struct buf *text, struct diags *d)
{
	AUTO_BUF struct buf out = {0};

	diags_format(d, file, text->text, text->length, &out);
	fputs(out.text, stderr);
}

void read_plan(const char *file, struct buf *text, struct plan *plan)
{
	struct diags d = {0};
	int r = io_read_file(AT_FDCWD, file, PLAN_FILE_MAX, text);

	if (r < 0)
		die(r == -ENOENT ? EX_NOINPUT : die_status(r), "%s: %s", file, strerror(-r));
	plan_parse(plan, text->text, text->length, &d);
	if (d.count)
		complain(file, text, &d);
	if (d.errors)
		exit(EX_DATAERR);
	diags_clear(&d);
}

int check_main(const struct args *args)
{
	args_expect(args, 1, 0);
	for (size_t i = 0; i < args->count; i++) {
		AUTO_BUF struct buf text = {0};
		struct plan plan = {0};

		read_plan(args->item[i], &text, &plan);
		plan_clear(&plan);
	}
	return EXIT_SUCCESS;
}

static void open_state(struct state *s, bool make)
{
	struct err e = {0};
	int r = make ? state_open(s, &e) : state_find(s, &e);

	if (r < 0)
		die_err(r, &e);
}

/* From here on nothing that a command starts outlives us: another could begin it anew. */
static int drive_contained(struct record *r, bool waits)
{
	struct err e = {0};

	if (proc_contain(&e) < 0)
		die(EX_OSERR, "%s", e.text);
	return drive(r, waits);
}

/* It was run before, to its end: it is not begun anew by chance. */
static int tell_end(const struct record *r)
{
	if (r->stage == STAGE_PROMOTED)
		return EXIT_SUCCESS;
	if (r->stage == STAGE_ROLLBACK_FAILED)
		die(EXIT_ROLLBACK_FAILED, "%s: its rollback failed: loop-canary retry %s", r->name,
			r->name);
	warn("%s: was rolled back: %s; --again rolls it out anew", r->name, r->why.text);
	return EXIT_NO;
}

int run_main(const struct args *args)
{
	AUTO_RECORD struct record r = RECORD_NONE;
	AUTO_BUF struct buf text = {0};
	struct err e = {0};
	struct state s;
	struct plan plan = {0};
	int status;

	args_expect(args, 1, 1);
	read_plan(args->item[0], &text, &plan);
	plan_clear(&plan);
	open_state(&s, true);
	status = record_make(&r, &s, text.text, text.length, again, &e);
	if (status == -EBUSY)
		die(EX_TEMPFAIL, "%s", e.text);
	if (status < 0)
		die_err(status, &e);
	status = stage_ended(r.stage) ? tell_end(&r) : drive_contained(&r, !no_wait);
	record_close(&r);
	state_close(&s);
	return status;
}

static const char *who(void)
{
	const struct passwd *p;

	if (by)
		return by;
	p = getpwuid(getuid());
	return p ? p->pw_name : "somebody";
}

/* Whether it can be asked for that as it stands. */
static void check_request(const struct record *r, enum request q)
{
	bool failed = r->stage == STAGE_ROLLBACK_FAILED;

	if (failed ? q != REQUEST_RETRY : stage_ended(r->stage))
		die(EXIT_NO, "rollout %s has ended: %s", r->name, stage_name(r->stage));
	if (!failed && q == REQUEST_RETRY && r->stage != STAGE_PAUSED)
		die(EXIT_NO, "rollout %s is not paused: there is nothing to try again", r->name);
}

/* Who wanted it rolled back has what was wanted. */
static int answer(const struct record *r, enum request q, int status)
{
	bool wanted = q == REQUEST_ABORT || q == REQUEST_RETRY;

	return wanted && r->stage == STAGE_ROLLED_BACK ? EXIT_SUCCESS : status;
}

/* Nobody drives it: so we do, as far as was asked for. */
static int act_alone(struct record *r, enum request q)
{
	struct err e = {0};

	if (record_load(r, &e) < 0)
		die(EX_DATAERR, "%s", e.text);
	if (r->stage == STAGE_ROLLBACK_FAILED)
		r->stage = STAGE_ROLLING_BACK;
	if (q == REQUEST_PAUSE && r->stage != STAGE_PAUSED)
		r->stage = STAGE_PAUSED; /* whoever goes on sets the weight again */
	if (record_save(r, &e) < 0)
		die(EX_IOERR, "%s", e.text);
	if (q == REQUEST_PAUSE)
		return EXIT_SUCCESS;
	return answer(r, q, drive_contained(r, false));
}

static int ask(const struct args *args, enum request q)
{
	AUTO_RECORD struct record r = RECORD_NONE;
	struct err e = {0};
	struct state s;
	int status;

	args_expect(args, 1, 1);
	open_state(&s, false);
	status = record_open(&r, &s, args->item[0], &e);
	if (status == -ENOENT)
		die(EXIT_NO, "%s", e.text);
	if (status < 0)
		die_err(status, &e);
	check_request(&r, q);
	status = record_lock(&r);
	if (status < 0)
		die(die_status(status), "rollouts/%s: %s", r.name, strerror(-status));
	if (status == 0 || q != REQUEST_PAUSE)
		if (request_write(&r, q, who(), why ? why : "", &e) < 0)
			die(EX_IOERR, "%s", e.text);
	status = status ? act_alone(&r, q) : EXIT_SUCCESS;
	record_close(&r);
	state_close(&s);
	return status;
}

int promote_main(const struct args *args)
{
	return ask(args, full ? REQUEST_FULL : REQUEST_ADVANCE);
}

int pause_main(const struct args *args)
{
	return ask(args, REQUEST_PAUSE);
}

int resume_main(const struct args *args)
{
	return ask(args, REQUEST_RESUME);
}

int abort_main(const struct args *args)
{
	return ask(args, REQUEST_ABORT);
}

int retry_main(const struct args *args)
{
	return ask(args, REQUEST_RETRY);
}
