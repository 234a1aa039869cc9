/*
 * One lock for all gates: they are few, and held for the moment in which one is
 * read and replaced.
 */
#include "gate.h"

#include "clock.h"
#include "event.h"
#include "io.h"
#include "journal.h"
#include "mem.h"
#include "parse.h"

#include <errno.h>
#include <fcntl.h>

#define LOCK_WAIT (2 * NS_PER_S)

enum { FILE_MAX = 1 << 20,
	PATH_SIZE = 160 };

static char *file_path(const char *id, char out[PATH_SIZE])
{
	snprintf(out, PATH_SIZE, "gates/%s.json", id);
	return out;
}

static int take_lock(const struct state *s, struct err *e)
{
	AUTO_CLOSE int folder = state_folder(s, "gates");
	int fd = folder < 0 ? folder : state_file(s, "gates/.lock", O_RDWR | O_CREAT, 0600);
	int r;

	if (fd < 0)
		return err_sys(e, fd, "%s/gates/.lock", s->path);
	r = io_lock(fd, clock_after(LOCK_WAIT));
	if (r == 0)
		return fd;
	close(fd);
	return err_sys(e, r, "%s/gates/.lock", s->path);
}

static int check_id(const char *id, struct err *e)
{
	return name_valid(id)
		? 0
		: err_set(e, -EINVAL, "'%s' is no name for a gate: 1 to 128 of A-Za-z0-9._:@+-",
			  id);
}

static int load(const struct state *s, const char *id, struct gate *g, struct err *e)
{
	AUTO_BUF struct buf text = {0};
	struct err why = {0};
	char path[PATH_SIZE];
	AUTO_CLOSE int fd = -1;
	int r = check_id(id, e);

	*g = (struct gate){0};
	if (r < 0)
		return r;
	/* Not to be held up by a FIFO that somebody put there. */
	fd = state_file(s, file_path(id, path), O_RDONLY | O_NONBLOCK, 0);
	if (fd == -ENOENT)
		return err_set(e, fd, "%s: no such gate", id);
	r = fd < 0 ? fd : io_read_all(fd, FILE_MAX, &text);
	if (r < 0)
		return err_sys(e, r, "%s/%s", s->path, path);
	r = gate_parse(g, text.text, text.length, &why);
	if (r == 0 && strcmp(g->id, id) != 0)
		r = err_set(&why, -EINVAL, "gate: is not '%s'", id);
	if (r == 0)
		return 0;
	gate_clear(g);
	return err_set(e, r, "%s/%s: %s", s->path, path, why.text);
}

static int save(const struct state *s, const struct gate *g, struct err *e)
{
	AUTO_BUF struct buf text = {0};
	char path[PATH_SIZE];
	int r;

	gate_format(g, true, &text);
	r = io_replace(s->dir, file_path(g->id, path), text.text, text.length, 0600);
	return r < 0 ? err_sys(e, r, "%s/%s", s->path, path) : 0;
}

static void emit(const struct state *s, const struct gate *g)
{
	AUTO_BUF struct buf source = {0}, data = {0};
	struct event event;
	struct journal j;

	buf_format(&source, "/gate/%s", g->id);
	gate_format(g, false, &data);
	event = (struct event){
		.type = g->state == GATE_PENDING ? "gate.raised" : "gate.resolved",
		.source = source.text,
		.subject = g->subject,
		.runid = g->run,
		.sessionid = g->session,
		.priority = HIGH,
		.data = {data.text, data.length - 1},
	};
	journal_init(&j, s);
	journal_emit(&j, &event);
	journal_close(&j);
}

/* Tells the journal, and notes that it was told. */
static int tell(const struct state *s, struct gate *g, struct err *e)
{
	g->told = true;
	emit(s, g);
	return save(s, g, e);
}

/* A new state: it holds from the first writing on. */
static int enter(const struct state *s, struct gate *g, struct err *e)
{
	int r;

	g->told = false;
	r = save(s, g, e);
	return r < 0 ? r : tell(s, g, e);
}

static bool has_choice(const struct gate *g, const char *text)
{
	for (size_t i = 0; i < g->choices.count; i++)
		if (strcmp(g->choices.item[i], text) == 0)
			return true;
	return false;
}

/* What there is to answer, for people. */
static void list_answers(const struct gate *g, struct buf *out)
{
	if (!g->choices.count)
		buf_str(out, g->text ? "a text" : "approve or reject");
	for (size_t i = 0; i < g->choices.count; i++)
		buf_format(out, "%s%s", i ? ", " : "one of ", g->choices.item[i]);
}

static int refuse(const struct gate *g, struct err *e)
{
	AUTO_BUF struct buf answers = {0};

	list_answers(g, &answers);
	return err_set(e, -EINVAL, "%s: the answer has to be %s", g->id, answers.text);
}

static int refuse_default(const struct gate *g, struct err *e)
{
	AUTO_BUF struct buf answers = {0};

	list_answers(g, &answers);
	return err_set(e, -EINVAL, "the default '%s' is no answer: it has to be %s", g->fallback,
		answers.text);
}

/* What a word means at this gate: the state it leads to. */
static int judge(const struct gate *g, const char *text, enum gate_state *state, struct err *e)
{
	bool approval = !g->choices.count && !g->text;

	*state = GATE_ANSWERED;
	if (has_choice(g, text))
		return 0;
	if (approval && strcmp(text, "approve") == 0)
		*state = GATE_APPROVED;
	else if (strcmp(text, "reject") == 0 && !g->text)
		*state = GATE_REJECTED;
	else if (!g->text || !*text)
		return refuse(g, e);
	return 0;
}

static void replace(char **member, const char *text)
{
	free(*member);
	*member = text ? mem_string(text) : NULL;
}

static int resolve(const struct state *s, struct gate *g, const struct gate_answer *a,
	struct err *e)
{
	g->state = a->state;
	g->resolved = clock_real();
	replace(&g->answer, a->state == GATE_ANSWERED ? a->text : NULL);
	replace(&g->by, a->by);
	replace(&g->why, a->why);
	return enter(s, g, e);
}

static bool is_due(const struct gate *g)
{
	return g->state == GATE_PENDING && g->deadline && clock_real() >= g->deadline;
}

/* Under the lock: past its deadline a gate is resolved. */
static int settle(const struct state *s, struct gate *g, struct err *e)
{
	struct gate_answer a = {.by = "deadline", .text = g->fallback};

	if (!is_due(g))
		return 0;
	if (!g->fallback || judge(g, g->fallback, &a.state, NULL) < 0)
		a.state = GATE_TIMED_OUT;
	return resolve(s, g, &a, e);
}

static int load_settled(const struct state *s, const char *id, struct gate *g, struct err *e)
{
	int r = load(s, id, g, e);

	if (r == 0 && !g->told)
		r = tell(s, g, e);
	if (r == 0)
		r = settle(s, g, e);
	if (r < 0)
		gate_clear(g);
	return r;
}

int gate_read(const struct state *s, const char *id, struct gate *g, struct err *e)
{
	AUTO_CLOSE int lock = -1;
	int r = load(s, id, g, e);

	if (r < 0 || (g->told && !is_due(g)))
		return r;
	gate_clear(g);
	lock = take_lock(s, e);
	return lock < 0 ? lock : load_settled(s, id, g, e);
}

static bool is_text(const char *text)
{
	size_t n = strlen(text), step;

	if (n == 0 || n > GATE_TEXT_MAX)
		return false;
	for (; n; text += step, n -= step) {
		step = utf8_length(text, n);
		if (!step)
			return false;
	}
	return true;
}

int gate_check(const struct gate *g, struct err *e)
{
	enum gate_state ignored;

	if (!is_text(g->question))
		return err_set(e, -EINVAL, "the question has to be UTF-8 text of 1 to %d bytes",
			GATE_TEXT_MAX);
	for (size_t i = 0; i < g->choices.count; i++)
		if (!is_text(g->choices.item[i]))
			return err_set(e, -EINVAL, "a choice has to be UTF-8 text");
	if (g->fallback && judge(g, g->fallback, &ignored, NULL) < 0)
		return refuse_default(g, e);
	return 0;
}

static bool same_question(const struct gate *a, const struct gate *b)
{
	if (strcmp(a->question, b->question) != 0 || a->text != b->text ||
		a->choices.count != b->choices.count)
		return false;
	for (size_t i = 0; i < a->choices.count; i++)
		if (strcmp(a->choices.item[i], b->choices.item[i]) != 0)
			return false;
	return true;
}

static void make_id(struct gate *g)
{
	uint32_t random;

	id_random(&random, sizeof random);
	snprintf(g->id, sizeof g->id, "gate-%08x", random);
}

/* There is one of this id: is it this one? */
static int adopt(struct gate *g, struct gate *there, struct err *e)
{
	if (!same_question(g, there)) {
		gate_clear(there);
		return err_set(e, -EEXIST, "%s: was raised before with another question", g->id);
	}
	gate_clear(g);
	*g = *there;
	return 0;
}

int gate_raise(const struct state *s, struct gate *g, struct err *e)
{
	struct err absent = {0};
	struct gate there;
	AUTO_CLOSE int lock = -1;
	int r = gate_check(g, e);

	if (!g->id[0])
		make_id(g);
	if (r == 0)
		r = check_id(g->id, e);
	if (r == 0)
		lock = r = take_lock(s, e);
	if (r < 0)
		return r;
	r = load_settled(s, g->id, &there, &absent);
	if (r == 0)
		return adopt(g, &there, e);
	if (r != -ENOENT)
		return err_set(e, r, "%s", absent.text);
	g->state = GATE_PENDING;
	g->raised = clock_real();
	r = enter(s, g, e);
	return r < 0 ? r : 1;
}

int gate_resolve(const struct state *s, const char *id, const struct gate_answer *answer,
	struct gate *g, struct err *e)
{
	struct gate_answer a = *answer;
	AUTO_CLOSE int lock = take_lock(s, e);
	int r = lock < 0 ? lock : load_settled(s, id, g, e);

	if (r < 0 || g->state != GATE_PENDING)
		return r;
	if ((a.text && !is_text(a.text)) || (a.why && !is_text(a.why)))
		r = err_set(e, -EINVAL, "an answer has to be UTF-8 text of at most %d bytes",
			GATE_TEXT_MAX);
	else if (a.state == GATE_ANSWERED)
		r = judge(g, a.text, &a.state, e);
	else if (a.state == GATE_APPROVED && (g->choices.count || g->text))
		r = refuse(g, e);
	if (r == 0)
		r = resolve(s, g, &a, e);
	if (r == 0)
		return 1;
	gate_clear(g);
	return r;
}
