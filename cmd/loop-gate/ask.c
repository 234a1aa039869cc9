/* The side that asks and waits. */
#include "loop-gate.h"

#include "clock.h"
#include "die.h"
#include "io.h"
#include "mem.h"
#include "parse.h"
#include "watch.h"

#include <errno.h>
#include <poll.h>

#define POLL_TIME NS_PER_S /* where there is no inotify left */

static const char *id, *choices, *fallback, *deadline;
static const char *subject;
static bool text, waits, print;
static int64_t timeout = NS_FOREVER;

const struct opt ask_options[] = {
	{.name = "id",
		.letter = 'i',
		.arg = "ID",
		.help = "its name; asked again, it is the same gate",
		.string = &id},
	{.name = "choices",
		.letter = 'c',
		.arg = "A,B,...",
		.help = "the answers there are",
		.string = &choices},
	{.name = "text", .help = "any text is an answer", .flag = &text},
	{.name = "deadline",
		.letter = 'd',
		.arg = "D",
		.help = "a duration, or a time",
		.string = &deadline},
	{.name = "default",
		.arg = "ANSWER",
		.help = "what holds at the deadline",
		.string = &fallback},
	{.name = "subject",
		.arg = "S",
		.help = "what it is about (LOOP_SUBJECT)",
		.string = &subject},
	{.name = "wait", .letter = 'w', .help = "wait for the answer", .flag = &waits},
	{.name = "print",
		.letter = 'p',
		.help = "print the answer that was waited for",
		.flag = &print},
	{0},
};

const struct opt wait_options[] = {
	{.name = "timeout",
		.letter = 't',
		.arg = "D",
		.help = "give up after this long",
		.duration = &timeout},
	{.name = "print", .letter = 'p', .help = "print the answer", .flag = &print},
	{0},
};

static void split_choices(struct gate *g)
{
	AUTO_FREE char *copy = mem_string(choices);
	char *rest = copy, *word;

	while ((word = strsep(&rest, ","))) {
		if (!*word)
			die_usage("--choices: '%s' has an empty one", choices);
		strs_add(&g->choices, word);
	}
}

static int64_t parse_deadline(void)
{
	int64_t ns;

	if (parse_duration(deadline, &ns) == 0)
		return clock_real() + ns;
	if (parse_rfc3339(deadline, strlen(deadline), &ns) < 0)
		die_usage("--deadline: '%s' is neither a duration nor a time", deadline);
	return ns;
}

static char *own(const char *value)
{
	return value && *value ? mem_string(value) : NULL;
}

/* The question is the operand, or for "-" what stands on standard input. */
static char *question_of(const char *operand)
{
	AUTO_BUF struct buf b = {0};
	int r;

	if (strcmp(operand, "-") != 0)
		return mem_string(operand);
	r = io_read_all(STDIN_FILENO, GATE_TEXT_MAX, &b);
	if (r < 0)
		die(die_status(r), "standard input: %s", strerror(-r));
	while (b.length && b.text[b.length - 1] == '\n')
		b.length--;
	return mem_substring(b.text, b.length);
}

static void fill(struct gate *g, const char *operand)
{
	if (id && !name_valid(id))
		die_usage("--id: '%s' is no name: 1 to 128 of A-Za-z0-9._:@+-", id);
	if (fallback && !deadline)
		die_usage("--default needs a --deadline");
	snprintf(g->id, sizeof g->id, "%s", id ? id : "");
	if (choices)
		split_choices(g);
	if (deadline)
		g->deadline = parse_deadline();
	g->question = question_of(operand);
	g->text = text;
	g->fallback = own(fallback);
	g->subject = own(subject ? subject : getenv("LOOP_SUBJECT"));
	g->run = own(getenv("LOOP_RUN"));
	g->session = own(getenv("LOOP_SESSION"));
	if (owner_of(getppid(), &g->asker) < 0)
		g->asker = (struct owner){0};
}

int ask_run(const struct args *args)
{
	AUTO_GATE struct gate g = {0};
	struct err e = {0};
	struct state s;
	int r;

	args_expect(args, 1, 1);
	fill(&g, args->item[0]);
	open_state(&s, true);
	r = gate_raise(&s, &g, &e);
	if (r == -EEXIST)
		die(EX_CANTCREAT, "%s", e.text);
	if (r < 0)
		die_err(r, &e);
	if (!id && !waits)
		puts(g.id);
	r = waits ? wait_at(&s, g.id, NS_FOREVER, print) : EXIT_SUCCESS;
	state_close(&s);
	return r;
}

static int status_of(const struct gate *g)
{
	switch (g->state) {
	case GATE_REJECTED: return EXIT_NO;
	case GATE_TIMED_OUT: return EXIT_TIMEDOUT;
	case GATE_PENDING:
	case GATE_APPROVED:
	case GATE_ANSWERED: break;
	}
	return EXIT_SUCCESS;
}

/* What was answered, one line where it is a choice, whole where it is a text. */
static void print_answer(const struct gate *g)
{
	puts(g->answer ? g->answer : gate_state_name(g->state));
}

/* Sleeps until something may have changed. */
static void sleep_at(int watch, const struct gate *g, const char *file, int64_t until)
{
	struct pollfd p = {.fd = watch, .events = POLLIN};
	int64_t real = g->deadline ? MAX(g->deadline - clock_real(), 0) : NS_FOREVER;

	until = MIN(until, clock_after(real));
	if (watch < 0)
		until = MIN(until, clock_after(POLL_TIME));
	while (poll(&p, 1, clock_poll_timeout(until)) > 0)
		if (watch_drain(watch, file))
			return;
}

static int watch_gates(const struct state *s)
{
	AUTO_FREE char *path = mem_format("%s/gates", s->path);

	return watch_folder(path);
}

int wait_at(const struct state *s, const char *name, int64_t patience, bool prints)
{
	AUTO_FREE char *file = mem_format("%s.json", name);
	int64_t until = clock_after(patience);
	AUTO_CLOSE int watch = watch_gates(s);

	for (;;) {
		AUTO_GATE struct gate g = {0};
		struct err e = {0};
		int r = gate_read(s, name, &g, &e);

		if (r < 0)
			die_err(r, &e);
		if (g.state != GATE_PENDING) {
			if (prints)
				print_answer(&g);
			return status_of(&g);
		}
		if (clock_now() >= until)
			return EXIT_TIMEDOUT;
		sleep_at(watch, &g, file, until);
	}
}

int wait_run(const struct args *args)
{
	struct state s;
	int status;

	args_expect(args, 1, 1);
	open_state(&s, false);
	status = wait_at(&s, args->item[0], timeout, print);
	state_close(&s);
	return status;
}
