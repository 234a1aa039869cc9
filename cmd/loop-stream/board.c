#include "board.h"

#include "clock.h"
#include "parse.h"

enum { BAR_MAX = 30 };

static const char green[] = "32", red[] = "31", yellow[] = "33", cyan[] = "36", faint[] = "2",
		  bold[] = "1";

/* Each sign as UTF-8, as ASCII, and its colour. */
struct sign {
	const char *utf8, *ascii, *colour;
};

static const struct sign signs[] = {
	[TASK_WAITING] = {"·", ".", faint},
	[TASK_ACTIVE] = {"▶", ">", cyan},
	[TASK_GOOD] = {"✓", "+", green},
	[TASK_BAD] = {"✗", "x", red},
	[TASK_IDLE] = {"–", "-", faint},
};
static const struct sign again = {"↻", "~", yellow};

static void paint(const struct term *t, struct buf *b, const char *colour, const char *text)
{
	if (t->colour)
		buf_format(b, "\x1b[%sm%s\x1b[0m", colour, text);
	else
		buf_str(b, text);
}

static bool is_again(const struct task *t)
{
	return strcmp(t->state->name, "retrying") == 0;
}

static void add_sign(const struct term *t, struct buf *b, const struct task *task)
{
	const struct sign *s = is_again(task) ? &again : &signs[task->state->phase];

	paint(t, b, s->colour, t->utf8 ? s->utf8 : s->ascii);
}

static void add_duration(struct buf *b, int64_t ns)
{
	char text[DURATION_SIZE];

	buf_str(b, format_duration(text, ns < NS_PER_S ? ns : ns - ns % NS_PER_S));
}

/* Of what goes on: a clock of whole seconds does not jump about. */
static void add_clock(struct buf *b, int64_t ns)
{
	char text[DURATION_SIZE];

	buf_str(b, ns < NS_PER_S ? "0s" : format_duration(text, ns - ns % NS_PER_S));
}

static void add_cost(struct buf *b, int64_t micros)
{
	char text[DOLLARS_SIZE];

	buf_str(b, format_dollars(text, micros));
}

static int64_t running_for(const struct task *t)
{
	return MAX(clock_real() - t->since, INT64_C(0));
}

/* Why it ended so: "stalled", "status 3". */
static void add_reason(struct buf *b, const struct task *t)
{
	if (t->reason[0])
		buf_format(b, ": %s", t->reason);
	else if (t->status > 0)
		buf_format(b, ": status %lld", (long long)t->status);
}

/* What an ended or waiting task's line says of how it went. */
static void add_figures(struct buf *b, const struct task *t)
{
	if (t->duration) {
		buf_str(b, "  ");
		add_duration(b, t->duration);
	}
	if (t->attempt > 1)
		buf_format(b, "  attempt %lld", (long long)t->attempt);
	if (is_again(t)) {
		buf_str(b, "  again in ");
		add_duration(b, t->delay);
	}
	if (t->cost) {
		buf_str(b, "  ");
		add_cost(b, t->cost);
	}
}

/* The state, and why, where it is not the wanted one. */
static void add_ending(struct buf *b, const struct task *t)
{
	add_figures(b, t);
	if (t->state->phase != TASK_GOOD) {
		buf_format(b, "  %s", t->state->name);
		add_reason(b, t);
	}
}

/* What a running task's line says behind its title. */
static void add_progress(struct buf *b, const struct task *t)
{
	if (t->attempt > 1)
		buf_format(b, "  attempt %lld", (long long)t->attempt);
	buf_str(b, "  ");
	add_clock(b, running_for(t));
	if (t->criteria)
		buf_format(b, "  %zu/%zu criteria", t->met, t->criteria);
	if (t->checks)
		buf_format(b, "  checks %zu/%zu", t->checks - t->checks_failed, t->checks);
	if (t->cost) {
		buf_str(b, "  ");
		add_cost(b, t->cost);
	}
	if (t->activity[0])
		buf_format(b, "  %s", t->activity);
}

/* Sign, id and title, then what is said behind them; the title gives way first. */
static void add_row(const struct term *t, struct buf *b, const struct task *task,
	const char *tail, size_t width)
{
	AUTO_BUF struct buf end = {0};
	size_t used = 2, tail_width;

	buf_add(&end, "", 0);
	tail_width = term_fit(t, &end, tail, width / 2);
	add_sign(t, b, task);
	buf_char(b, ' ');
	used += term_fit(t, b, task->id, MIN(width / 3, width - used));
	if (used + tail_width + 4 < width) {
		buf_char(b, ' ');
		term_fit(t, b, task->title, width - used - tail_width - 1);
	}
	buf_str(b, end.text);
}

bool board_worth(const struct task *t)
{
	return t->state->phase != TASK_WAITING && (t->state->phase != TASK_ACTIVE || is_again(t));
}

void board_change(const struct board *d, const struct task *t, struct buf *out)
{
	AUTO_BUF struct buf tail = {0};

	buf_add(&tail, "", 0);
	add_ending(&tail, t);
	add_row(d->term, out, t, tail.text, (size_t)d->term->columns - 1);
}

static size_t over(const struct run *r)
{
	return run_count(r, TASK_GOOD) + run_count(r, TASK_BAD) + run_count(r, TASK_IDLE);
}

void board_change_plain(const struct board *d, const struct task *t, struct buf *out)
{
	AUTO_BUF struct buf why = {0};
	char when[TIME_SIZE];

	buf_format(out, "%.8s [%zu/%zu] %s %s", format_time(when, t->since) + 11, over(d->run),
		d->run->count, t->id, t->state->name);
	if (t->state->phase != TASK_GOOD)
		add_reason(&why, t);
	buf_escape(out, why.length ? why.text : "", why.length);
	add_figures(out, t);
	if (*t->title) {
		buf_str(out, "  ");
		buf_escape(out, t->title, strlen(t->title));
	}
}

static int64_t elapsed(const struct run *r)
{
	return r->started ? MAX((r->ended ? r->ended : clock_real()) - r->started, INT64_C(0)) : 0;
}

static void add_money(const struct board *d, struct buf *b)
{
	if (!d->tally->priced)
		return;
	buf_str(b, "  ");
	add_cost(b, d->tally->cost);
}

static void add_retries(const struct run *r, struct buf *b)
{
	if (r->retries == 1)
		buf_str(b, "  1 retry");
	else if (r->retries)
		buf_format(b, "  %lld retries", (long long)r->retries);
}

static void add_criteria(const struct run *r, struct buf *b)
{
	size_t met = 0, all = 0;

	for (size_t i = 0; i < r->count; i++) {
		const struct task *t = &r->task[i];

		all += t->criteria;
		met += t->state->phase == TASK_GOOD ? t->criteria : t->met;
	}
	if (all)
		buf_format(b, "  %zu/%zu criteria", met, all);
}

static void add_failures(const struct run *r, struct buf *b)
{
	size_t bad = run_count(r, TASK_BAD);

	if (bad)
		buf_format(b, "  %zu failed", bad);
}

void board_end(const struct board *d, struct buf *out)
{
	const struct run *r = d->run;

	buf_format(out, "%s %s: %zu of %zu succeeded", r->id, r->outcome, run_count(r, TASK_GOOD),
		r->count);
	add_failures(r, out);
	buf_str(out, "  ");
	add_duration(out, elapsed(r));
	add_money(d, out);
	add_retries(r, out);
}

/* Eighths of a column where there are such characters. */
static void add_bar(const struct term *t, struct buf *b, size_t done, size_t all, size_t width)
{
	static const char *const parts[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
	size_t eighths = all ? done * width * 8 / all : 0;
	size_t full = eighths / 8, part = t->utf8 ? eighths % 8 : 0;

	buf_str(b, t->utf8 ? "▕" : "[");
	for (size_t i = 0; i < full; i++)
		buf_str(b, t->utf8 ? "█" : "#");
	buf_str(b, parts[part]);
	for (size_t i = full + (part > 0); i < width; i++)
		buf_str(b, t->utf8 ? " " : ".");
	buf_str(b, t->utf8 ? "▏" : "]");
}

static const char *run_word(const struct run *r)
{
	return r->ended		? r->outcome
		: r->cancelling ? "cancelling"
		: r->paused	? "paused"
		: r->held	? "held"
				: "";
}

static void add_head(const struct board *d, struct buf *b, size_t width)
{
	const struct term *t = d->term;
	const struct run *r = d->run;
	AUTO_BUF struct buf facts = {0}, name = {0};
	size_t room, bar = MIN(width / 4, (size_t)BAR_MAX);

	buf_format(&facts, " %zu/%zu", over(r), r->count);
	add_failures(r, &facts);
	buf_str(&facts, "  ");
	add_clock(&facts, elapsed(r));
	if (!r->ended && !r->paused && !r->held)
		left_add(d->left, &facts);
	add_criteria(r, &facts);
	add_money(d, &facts);
	add_retries(r, &facts);
	if (*run_word(r))
		buf_format(&facts, "  %s", run_word(r));
	room = width - MIN(width, bar + 3 + term_width(facts.text));
	buf_add(&name, "", 0);
	if (room > 8)
		term_fit(t, &name, r->plan, room);
	paint(t, b, bold, name.text);
	buf_str(b, room > 8 ? " " : "");
	add_bar(t, b, over(r), r->count, bar);
	term_fit(t, b, facts.text, width - bar - 2);
}

static void add_task(const struct board *d, const struct task *t, struct strs *lines, size_t width)
{
	AUTO_BUF struct buf line = {0}, tail = {0};

	buf_add(&tail, "", 0);
	if (is_again(t))
		add_ending(&tail, t);
	else
		add_progress(&tail, t);
	buf_str(&line, "  ");
	add_row(d->term, &line, t, tail.text, width - 2);
	strs_take(lines, buf_take(&line));
}

/* What is running, as much of it as there is room for. */
static void add_tasks(const struct board *d, struct strs *lines, size_t width, size_t rows)
{
	size_t active = run_count(d->run, TASK_ACTIVE), shown = 0;
	size_t room = active > rows && rows ? rows - 1 : rows;

	for (size_t i = 0; i < d->run->count && shown < room; i++) {
		const struct task *t = &d->run->task[i];

		if (t->state->phase != TASK_ACTIVE)
			continue;
		add_task(d, t, lines, width);
		shown++;
	}
	if (shown < active && rows)
		strs_format(lines, "  +%zu running", active - shown);
}

static void add_waiting(const struct board *d, struct strs *lines)
{
	size_t waiting = run_count(d->run, TASK_WAITING);

	if (waiting)
		strs_format(lines, "  %s %zu waiting", d->term->utf8 ? "·" : ".", waiting);
}

static void add_text(const struct board *d, struct strs *lines, const char *text, size_t width)
{
	AUTO_BUF struct buf line = {0}, fit = {0};

	buf_add(&fit, "", 0);
	term_fit(d->term, &fit, text, width);
	paint(d->term, &line, faint, fit.text);
	strs_take(lines, buf_take(&line));
}

static void add_border(
	const struct term *t, struct strs *lines, const char *const ends[2], size_t width)
{
	AUTO_BUF struct buf b = {0};

	buf_str(&b, t->utf8 ? ends[0] : "+");
	for (size_t i = 0; i < width - 2; i++)
		buf_str(&b, t->utf8 ? "─" : "-");
	buf_str(&b, t->utf8 ? ends[1] : "+");
	strs_take(lines, buf_take(&b));
}

/* The lines between borders, each filled up to the same width. */
static void add_box(
	const struct term *t, struct strs *lines, const struct strs *inner, size_t width)
{
	static const char *const top[] = {"┌", "┐"}, *const bottom[] = {"└", "┘"};
	const char *side = t->utf8 ? "│" : "|";

	add_border(t, lines, top, width);
	for (size_t i = 0; i < inner->count; i++) {
		size_t used = MIN(width, term_width(inner->item[i]) + 4);

		strs_format(lines, "%s %s%*s %s", side, inner->item[i], (int)(width - used), "",
			side);
	}
	add_border(t, lines, bottom, width);
}

void board_draw(const struct board *d, struct strs *lines)
{
	bool box = d->style == BOARD_BOX;
	size_t width = (size_t)d->term->columns - 1 - (box ? 4 : 0);
	size_t rows = (size_t)d->term->rows - 1 - (box ? 2 : 0);
	size_t extra = 2 + (d->prompt != NULL); /* the head, what waits, the keys */
	size_t logged = d->log ? MIN(d->log->count, rows / 2) : 0;
	AUTO_STRS struct strs inner = {0};
	AUTO_BUF struct buf head = {0};

	add_head(d, &head, width);
	strs_take(&inner, buf_take(&head));
	add_tasks(d, &inner, width, rows > extra + logged ? rows - extra - logged : 0);
	for (size_t i = 0; i < logged; i++)
		add_text(d, &inner, d->log->item[d->log->count - logged + i], width);
	if (rows >= extra)
		add_waiting(d, &inner);
	if (d->prompt && rows >= extra)
		add_text(d, &inner, d->prompt, width);
	if (box)
		add_box(d->term, lines, &inner, (size_t)d->term->columns - 1);
	else
		for (size_t i = 0; i < inner.count; i++)
			strs_add(lines, inner.item[i]);
}
