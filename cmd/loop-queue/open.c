/* Where the queue is, and what is the matter when it cannot be had. */
#include "loop-queue.h"

#include "clock.h"
#include "die.h"
#include "journal.h"
#include "parse.h"
#include "queue_open.h"

#include <errno.h>

struct store_place place = {.patience = 10 * NS_PER_S};

const struct opt store_options[] = {OPT_STORE, {0}};

bool store_is_file(void)
{
	return store_in_files(store_choose(place.store));
}

int queue_status(int code)
{
	switch (-code) {
	case ESHUTDOWN: return EX_TEMPFAIL;
	case EHOSTUNREACH: return EX_UNAVAILABLE;
	default: return die_status(code);
	}
}

void queue_die(int code, const struct err *e)
{
	die(queue_status(code), "%s", e->text[0] ? e->text : strerror(-code));
}

const struct state *queue_state(bool make)
{
	static struct state state = {.dir = -1};
	struct err e = {0};
	int r;

	if (state.dir >= 0)
		return &state;
	r = make ? state_open(&state, &e) : state_find(&state, &e);
	if (r == -ENOENT && !make)
		return NULL;
	if (r < 0)
		die_err(r, &e);
	return &state;
}

void queue_emit(
	const char *type, enum priority priority, const char *subject, const struct buf *data)
{
	const struct state *state = queue_state(store_is_file());
	struct event event = {.type = type,
		.source = "/loop-queue",
		.subject = subject,
		.priority = priority,
		.data = {data->text, data->length},
		.runid = getenv("LOOP_RUN"),
		.sessionid = getenv("LOOP_SESSION")};
	struct journal journal;

	if (!state)
		return;
	journal_init(&journal, state);
	journal_emit(&journal, &event);
	journal_close(&journal);
}

/* Dead letters are news: whoever routes them hears of each. */
static void on_buried(
	void *context UNUSED, const struct queue *q, const char *id, int64_t tries, const char *why)
{
	AUTO_BUF struct buf data = {0};
	char subject[QUEUE_NAME_SIZE + ITEM_ID_SIZE];

	snprintf(subject, sizeof subject, "%s/%s", q->name, id);
	buf_format(&data, "{\"queue\":\"%s\",\"id\":\"%s\",\"tries\":%lld", q->name, id,
		(long long)tries);
	if (why) {
		buf_str(&data, ",\"why\":");
		buf_json(&data, why, strlen(why));
	}
	buf_char(&data, '}');
	queue_emit("queue.buried", NORMAL, subject, &data);
}

static void on_warning(void *context UNUSED, const char *text)
{
	warn("%s", text);
}

struct queue *open_queue(const char *name, bool make)
{
	const struct state *state = NULL;
	struct queue *q;
	struct err e = {0};
	int r;

	if (!name_valid(name))
		die_usage("'%s' is not a queue's name", name);
	if (store_is_file()) {
		state = queue_state(make);
		if (!state)
			die(EX_NOINPUT, "no queue %s: no state directory here", name);
	}
	r = queue_open(&q, store_choose(place.store), state, name, make, place.patience, on_warning,
		&e);
	if (r < 0)
		queue_die(r, &e);
	q->on_buried = on_buried;
	return q;
}

void close_queue(struct queue *q)
{
	q->ops->close(q);
}

unsigned parse_states(const char *text)
{
	unsigned mask = 0;
	char word[16];

	while (*text) {
		size_t n = strcspn(text, ",");
		enum item_state state;

		snprintf(word, sizeof word, "%.*s", (int)MIN(n, sizeof word), text);
		if (item_state_parse(word, &state) < 0 || state == ITEM_DONE)
			die_usage("--state: '%s' is none of ready, delayed, claimed, buried", word);
		mask |= 1U << state;
		text += n + (text[n] == ',');
	}
	return mask;
}

int64_t parse_delay(const char *text)
{
	int64_t ns;

	if (parse_duration(text, &ns) == 0 && ns <= QUEUE_TIME_MAX)
		return ns;
	if (parse_rfc3339(text, strlen(text), &ns) == 0) {
		ns -= clock_real();
		if (ns <= QUEUE_TIME_MAX)
			return MAX(ns, 0);
	}
	die_usage("'%s' is neither a duration nor a time of the next ten years", text);
}
