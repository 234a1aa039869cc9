/*
 * Events. Only a wait of a second or more is worth one, what ends it, and the end
 * of the hold that it led to: a lock that is free when it is taken writes nothing.
 */
#include "loop-lock.h"

#include "buf.h"
#include "event.h"
#include "journal.h"
#include "lock_owners.h"

static void add_text(struct buf *data, const char *key, const char *text)
{
	buf_format(data, ",\"%s\":", key);
	buf_json(data, text, strlen(text));
}

static void emit(const struct state *state, const char *type, const struct buf *data)
{
	const struct event event = {
		.type = type,
		.source = "/loop-lock",
		.subject = getenv("LOOP_SUBJECT"),
		.runid = getenv("LOOP_RUN"),
		.sessionid = getenv("LOOP_SESSION"),
		.priority = NORMAL,
		.data = {data->text, data->length},
	};
	struct journal journal;

	journal_init(&journal, state);
	journal_emit(&journal, &event);
	journal_close(&journal);
}

static void start_data(struct buf *data, const char *name, pid_t pid)
{
	buf_str(data, "{\"lock\":");
	buf_json(data, name, strlen(name));
	buf_format(data, ",\"pid\":%d", (int)pid);
}

/* An event each: its type, and the data that it has besides lock and pid. */
static const struct {
	const char *type, *text; /* the text's key, or NULL */
	bool waited, token;
} kinds[] = {
	[LOCK_WAITING] = {"lock.waiting", "why", true, false},
	[LOCK_ACQUIRED] = {"lock.acquired", NULL, true, true},
	[LOCK_DEADLOCK] = {"lock.deadlock", "cycle", true, false},
	[LOCK_RELEASED] = {"lock.released", NULL, false, true},
};

static const char *const seen_by[] = {
	[LOCK_SEEN_HOLDER] = "holder",
	[LOCK_SEEN_WAITER] = "waiter",
	[LOCK_SEEN_NEXT] = "next",
};

void tell_news(const struct lock_news *news, void *context)
{
	AUTO_BUF struct buf data = {0};

	start_data(&data, news->name, news->pid);
	if (kinds[news->kind].waited)
		buf_format(&data, ",\"waited_ms\":%lld", (long long)(news->waited / NS_PER_MS));
	if (kinds[news->kind].token)
		buf_format(&data, ",\"token\":%lld", (long long)news->token);
	if (kinds[news->kind].text)
		add_text(&data, kinds[news->kind].text, news->text);
	if (news->kind == LOCK_RELEASED) {
		add_text(&data, "since", news->since);
		add_text(&data, "seen", seen_by[news->seen]);
	}
	buf_char(&data, '}');
	emit(context, kinds[news->kind].type, &data);
}

void tell_broken(const struct state *state, const char *name, const struct lock_owners *owners)
{
	AUTO_BUF struct buf data = {0};

	start_data(&data, name, getpid());
	buf_str(&data, ",\"killed\":[");
	for (size_t i = 0; i < owners->count; i++)
		buf_format(&data, "%s%d", i ? "," : "", (int)owners->item[i].pid);
	buf_str(&data, "]}");
	emit(state, "lock.broken", &data);
}
