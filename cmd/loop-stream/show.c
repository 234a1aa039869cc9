/*
 * The command show: waits for the run, then for what changes, and draws. It
 * only looks; what a key asks for is a line in the run's control FIFO, and
 * ending the display ends nothing else.
 */
#include "board.h"
#include "clock.h"
#include "commands.h"
#include "die.h"
#include "folder.h"
#include "io.h"
#include "left.h"
#include "log_tail.h"
#include "remote.h"
#include "watch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>

enum { LOG_LINES = 200 };
#define FRAME (100 * NS_PER_MS) /* ten frames a second at most */
#define SECOND NS_PER_S		/* and one where only the clocks move */

static const char *const styles[] = {"plain", "box", NULL};
static int style;
static bool lines_only;
static int64_t patience = 30 * NS_PER_S;
static const char *url, *token_file;

const struct opt show_options[] = {
	{.name = "style",
		.arg = "STYLE",
		.help = "plain (the default) or box",
		.choice = &style,
		.choices = styles},
	{.name = "lines", .help = "one line a change, on a terminal too", .flag = &lines_only},
	{.name = "wait",
		.arg = "D",
		.help = "how long to wait for a run that has not begun yet (30s)",
		.duration = &patience},
	{.name = "url",
		.arg = "URL",
		.help = "of a server that shows the run, in place of the state directory",
		.string = &url},
	{.name = "token-file",
		.arg = "FILE",
		.help = "with the server's token, for one that asks for it and to control the run",
		.string = &token_file},
	{0},
};

enum question { NOTHING,
	CANCEL };

struct show {
	struct state state;
	struct run run;
	struct tally tally;
	struct term term;
	struct board board;
	struct left left;
	struct remote remote; /* with --url, in place of the state */
	struct strs stay, log;
	char prompt[160], keys[48];
	enum question question;
	size_t logged; /* 1 + the task whose log is shown; 0: none */
	bool live, changed, detached;
	int64_t drawn;	/* clock_now of the last frame, or since when there is none to draw */
	int64_t orphan; /* clock_now since when the scheduler is gone; 0: it lives */
	int watch;
};

static volatile sig_atomic_t ending, resized, stopped;

static void on_end(int number)
{
	ending = number;
}

static void on_resize(int number)
{
	(void)number;
	resized = true;
}

static void on_stop(int number)
{
	(void)number;
	stopped = true;
}

/* Handled while we wait, and only then. A signal that we were started without stays so. */
static void catch_one(int number, void (*handler)(int), sigset_t *blocked)
{
	struct sigaction old, action = {.sa_handler = handler};

	if (sigaction(number, NULL, &old) < 0 || old.sa_handler == SIG_IGN)
		return;
	sigaction(number, &action, NULL);
	sigaddset(blocked, number);
}

static void catch_signals(sigset_t *waiting)
{
	sigset_t blocked;

	sigemptyset(&blocked);
	catch_one(SIGINT, on_end, &blocked);
	catch_one(SIGTERM, on_end, &blocked);
	catch_one(SIGHUP, on_end, &blocked);
	catch_one(SIGQUIT, on_end, &blocked);
	catch_one(SIGTSTP, on_stop, &blocked);
	catch_one(SIGWINCH, on_resize, &blocked);
	sigprocmask(SIG_BLOCK, &blocked, waiting);
}

/* A change of the run's log. */
static void on_change(void *context, struct run *r, struct task *t)
{
	struct show *s = context;
	AUTO_BUF struct buf line = {0};

	(void)r;
	s->changed = true;
	if (!t || (s->live && !board_worth(t)) || (!s->live && t->state->phase == TASK_WAITING))
		return;
	if (s->live)
		board_change(&s->board, t, &line);
	else
		board_change_plain(&s->board, t, &line);
	strs_take(&s->stay, buf_take(&line));
}

/* A server that went away is told of once: on a terminal below, else where messages go. */
static void take_in_remote(struct show *s)
{
	bool was_lost = s->remote.lost.text[0];

	s->changed |= remote_read(&s->remote, &s->run, &s->tally, on_change, s);
	if (!was_lost && s->remote.lost.text[0] && !s->live)
		warn("%s", s->remote.lost.text);
}

static void take_in(struct show *s)
{
	int told, r;

	if (url) {
		take_in_remote(s);
		return;
	}
	told = tally_read(&s->tally, &s->run);
	r = run_read(&s->run, on_change, s);
	if (r < 0 || told < 0)
		die_err(MIN(r, told), &(struct err){"the run's files cannot be read"});
	s->changed |= told > 0;
}

static void print_lines(struct show *s)
{
	for (size_t i = 0; i < s->stay.count; i++)
		puts(s->stay.item[i]);
	if (finish(0))
		exit(EX_IOERR);
}

/* A server is asked to control a run only with its token, and for no log at all. */
static bool may_control(const struct show *s)
{
	return !url || s->remote.client.token;
}

static void offer_keys(struct show *s)
{
	snprintf(s->keys, sizeof s->keys, "%s%sd detach",
		!may_control(s)		? ""
			: s->run.paused ? "p continue  c cancel  "
					: "p pause  c cancel  ",
		url ? "" : "l log  ");
}

static const char *prompt_of(struct show *s)
{
	if (s->remote.lost.text[0])
		return s->remote.lost.text;
	if (!s->term.keys)
		return NULL;
	if (s->question == CANCEL)
		return "cancel the whole run? y/n";
	if (s->prompt[0])
		return s->prompt;
	offer_keys(s);
	return s->keys;
}

static void draw(struct show *s, bool last)
{
	AUTO_STRS struct strs own = {0};
	int r = 0;

	if (s->live && !last) {
		s->board.prompt = prompt_of(s);
		s->board.log = s->log.count ? &s->log : NULL;
		board_draw(&s->board, &own);
	}
	if (s->live)
		r = term_draw(&s->term, &s->stay, &own);
	else
		print_lines(s);
	strs_clear(&s->stay);
	s->changed = false;
	s->drawn = clock_now();
	if (r < 0)
		ending = SIGHUP; /* the terminal is gone */
}

/* A line for the scheduler. */
static int write_control(struct show *s, const char *word)
{
	AUTO_CLOSE int fd = io_open(s->run.dir, "control", O_WRONLY | O_NONBLOCK | O_NOFOLLOW, 0);
	char line[32];
	int n = snprintf(line, sizeof line, "%s\n", word);

	return fd < 0 ? fd : io_write(fd, line, (size_t)n);
}

/* Said below where nobody listens. */
static void control(struct show *s, const char *word)
{
	struct err e = {0};
	int r = url ? remote_control(&s->remote, &s->run, word, &e) : write_control(s, word);

	if (e.text[0])
		snprintf(s->prompt, sizeof s->prompt, "%s: %.120s", word, e.text);
	else if (r < 0)
		snprintf(s->prompt, sizeof s->prompt, "%s: the scheduler does not listen: %s", word,
			strerror(-r));
	else
		snprintf(s->prompt, sizeof s->prompt, "%s: asked", word);
}

/* The next running task behind the one whose log is shown; none behind the last. */
static size_t next_log(const struct show *s)
{
	for (size_t i = s->logged; i < s->run.count; i++)
		if (s->run.task[i].state->phase == TASK_ACTIVE)
			return i + 1;
	return 0;
}

static void refresh_log(struct show *s)
{
	strs_clear(&s->log);
	if (s->logged)
		log_tail(&s->run, &s->run.task[s->logged - 1], LOG_LINES, &s->log);
}

static void answer(struct show *s, char key)
{
	if (key == 'y' || key == 'Y')
		control(s, "cancel");
	s->question = NOTHING;
}

static void press(struct show *s, char key)
{
	s->prompt[0] = '\0';
	s->changed = true;
	if (s->question != NOTHING) {
		answer(s, key);
		return;
	}
	if (strchr("pc", key) && !may_control(s))
		return;
	switch (key) {
	case 'p': control(s, s->run.paused ? "continue" : "pause"); break;
	case 'c': s->question = CANCEL; break;
	case 'l': s->logged = url ? 0 : next_log(s); break;
	case 'd':
	case 'q': s->detached = true; break;
	default: break;
	}
}

static void read_keys(struct show *s)
{
	char key[64];
	ssize_t n = io_read_some(STDIN_FILENO, key, sizeof key);

	if (n <= 0) {
		s->term.keys = false; /* nobody is there to press any */
		return;
	}
	/* One that begins an escape sequence is an arrow or the like, and none of ours. */
	for (ssize_t i = 0; i < n && key[i] != '\x1b'; i++)
		press(s, key[i]);
}

/* When to look again: at once for a change, but not before the frame's time. */
static int64_t next_deadline(const struct show *s)
{
	int64_t tick = s->drawn + SECOND;

	return s->changed ? MIN(s->drawn + FRAME, tick) : tick;
}

static void wait_for_news(struct show *s, const sigset_t *waiting)
{
	struct pollfd p[] = {
		{.fd = s->live && s->term.keys ? STDIN_FILENO : -1, .events = POLLIN},
		{.fd = s->watch, .events = POLLIN},
		{.fd = url ? s->remote.stream : journal_watch(s->tally.reader), .events = POLLIN},
		{.fd = s->left.out, .events = POLLIN},
	};
	int64_t pause = MAX(next_deadline(s) - clock_now(), INT64_C(0));
	struct timespec t = {pause / NS_PER_S, pause % NS_PER_S};

	if (s->changed)
		p[1].fd = p[2].fd = -1; /* whatever else there is goes into the same frame */
	if (ppoll(p, countof(p), &t, waiting) <= 0)
		return;
	if (p[0].revents)
		read_keys(s);
	if (p[1].revents)
		watch_drain(s->watch, "");
	if (p[2].revents && !url)
		journal_watched(s->tally.reader);
	if (p[3].revents)
		s->changed |= left_read(&s->left);
}

/* As if we did not catch it: given back, stopped, and taken again when we go on. */
static void suspend(struct show *s)
{
	struct sigaction old, standard = {.sa_handler = SIG_DFL};
	sigset_t stop;

	stopped = false;
	term_give_back(&s->term);
	sigemptyset(&stop);
	sigaddset(&stop, SIGTSTP);
	sigaction(SIGTSTP, &standard, &old);
	raise(SIGTSTP);
	sigprocmask(SIG_UNBLOCK, &stop, NULL);
	sigprocmask(SIG_BLOCK, &stop, NULL);
	sigaction(SIGTSTP, &old, NULL);
	term_take(&s->term);
	s->changed = true;
}

/* Whether the scheduler is gone without having ended the run. */
static bool orphaned(struct show *s)
{
	bool alive = url ? !s->remote.interrupted : owner_alive(&s->run.owner);

	if (!s->run.owner.pid || s->run.ended || alive)
		s->orphan = 0;
	else if (!s->orphan)
		s->orphan = clock_now();
	/* Its last lines may have been written after we read, or somebody resumes it. */
	return s->orphan && clock_now() - s->orphan > SECOND;
}

static void step(struct show *s, const sigset_t *waiting)
{
	if (s->live && !s->run.paused && !url)
		left_ask(&s->left, s->run.id);
	wait_for_news(s, waiting);
	take_in(s);
	if (resized)
		term_measure(&s->term), s->changed = true;
	resized = false;
	if (stopped && s->live)
		suspend(s);
	if (s->logged)
		refresh_log(s);
	if (clock_now() < next_deadline(s))
		return;
	if (s->live || s->changed)
		draw(s, false);
	else
		s->drawn = clock_now();
}

static void say_end(struct show *s)
{
	const char *what = s->detached ? "the run goes on; come back with: loop-stream show"
				       : "the scheduler is gone; go on with: loop-sched resume";
	AUTO_BUF struct buf line = {0};

	if (s->run.ended)
		board_end(&s->board, &line);
	else
		buf_format(&line, "%s%s%s %s", what, s->detached && url ? " --url " : "",
			s->detached && url ? url : "", s->run.id);
	strs_take(&s->stay, buf_take(&line));
}

static int status_of(const struct show *s)
{
	if (!s->run.ended)
		return s->detached ? EX_TEMPFAIL : EXIT_NO;
	return strcmp(s->run.outcome, "succeeded") == 0 ? EXIT_SUCCESS : EXIT_NO;
}

/* As the signal would have ended us, so that a shell sees it. */
static NORETURN void end_by_signal(int number)
{
	sigset_t one;

	signal(number, SIG_DFL);
	sigemptyset(&one);
	sigaddset(&one, number);
	sigprocmask(SIG_UNBLOCK, &one, NULL);
	raise(number);
	_exit(EXIT_SIGNAL + number);
}

static int follow(struct show *s, const sigset_t *waiting)
{
	s->live = !lines_only && term_usable();
	s->board = (struct board){.term = &s->term,
		.run = &s->run,
		.tally = &s->tally,
		.left = &s->left,
		.style = style ? BOARD_BOX : BOARD_PLAIN};
	if (s->live)
		term_take(&s->term);
	take_in(s);
	draw(s, s->run.ended != 0);
	while (!ending && !s->run.ended && !s->detached && !orphaned(s))
		step(s, waiting);
	if (!ending) {
		say_end(s);
		draw(s, true);
	}
	if (s->live)
		term_give_back(&s->term);
	if (ending)
		end_by_signal(ending);
	return status_of(s);
}

/* The run that was named, or the newest; -ENOENT if it is not there (yet). */
static int open_run(struct show *s, const char *name, struct err *e)
{
	AUTO_STRS struct strs all = {0};
	int r = 0;

	if (url)
		return remote_open(&s->remote, &s->run, name, e);
	if (s->state.dir < 0)
		r = state_find(&s->state, e);
	if (r == 0 && !name)
		r = folder_list(&s->state, "runs", "plan.json", &all);
	if (r < 0)
		return r;
	if (!name && !all.count)
		return err_set(e, -ENOENT, "%s/runs: there is no run yet", s->state.path);
	return run_open(&s->run, &s->state, name ? name : all.item[0], e);
}

static void wait_for_run(struct show *s, const char *name, const sigset_t *waiting)
{
	int64_t deadline = clock_after(patience);
	const struct timespec pause = {.tv_nsec = 50 * NS_PER_MS};
	struct err e;
	int r;

	for (;;) {
		e = (struct err){0};
		r = open_run(s, name, &e);
		if (r == 0)
			return;
		if (ending)
			end_by_signal(ending);
		if (r != -ENOENT || clock_now() >= deadline)
			die_err(r, &e);
		ppoll(NULL, 0, &pause, waiting);
	}
}

/* What tells of changes, beside the log. */
static void open_sources(struct show *s)
{
	AUTO_FREE char *folder = mem_format("%s/runs/%s", s->state.path, s->run.id);
	struct err e = {0};
	int r;

	if (url)
		return;
	r = tally_open(&s->tally, &s->state, &e);
	if (r < 0)
		die_err(r, &e);
	s->watch = watch_folder(folder);
	setenv("LOOP_DIR", s->state.path, 1);
}

/* NULL where none was given. */
static const char *load_token(struct buf *token)
{
	enum { TOKEN_MAX = 4096 };
	int r;

	if (!token_file)
		return NULL;
	if (!url)
		die(EX_USAGE, "--token-file without --url");
	r = io_read_file(AT_FDCWD, token_file, TOKEN_MAX, token);
	if (r < 0)
		die(die_status(r), "%s: %s", token_file, strerror(-r));
	buf_add(token, "", 0);
	token->text[strcspn(token->text, "\r\n")] = '\0';
	return token->text;
}

static void close_all(struct show *s)
{
	left_clear(&s->left);
	if (s->watch >= 0)
		close(s->watch);
	remote_close(&s->remote);
	tally_close(&s->tally);
	run_close(&s->run);
	if (!url)
		state_close(&s->state);
	strs_clear(&s->stay);
	strs_clear(&s->log);
	free(s);
}

int show_run(const struct args *args)
{
	AUTO_BUF struct buf token = {0};
	const char *secret;
	struct show *s;
	sigset_t waiting;
	int status;

	args_expect(args, 0, 1);
	secret = load_token(&token);
	s = mem_zero(1, sizeof *s);
	s->state.dir = s->watch = -1;
	remote_init(&s->remote, url, secret);
	catch_signals(&waiting);
	wait_for_run(s, args->item[0], &waiting);
	term_style(&s->term);
	open_sources(s);
	left_init(&s->left);
	status = follow(s, &waiting);
	close_all(s);
	return status;
}
