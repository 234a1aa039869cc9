/*
 * Events. Only a wait of a second or more is worth one, and what ends it: taking
 * a lock that is free writes nothing. Nothing is written when a lock is let go,
 * for that is done by the kernel.
 */
#include "loop-lock.h"

#include "buf.h"
#include "event.h"
#include "journal.h"
#include "owners.h"

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

static void start_data(struct buf *data, const char *name)
{
	buf_str(data, "{\"lock\":");
	buf_json(data, name, strlen(name));
	buf_format(data, ",\"pid\":%d", (int)getpid());
}

void tell_news(const struct lock_news *news, void *context)
{
	AUTO_BUF struct buf data = {0};

	start_data(&data, news->name);
	buf_format(&data, ",\"waited_ms\":%lld", (long long)(news->waited / NS_PER_MS));
	switch (news->kind) {
	case LOCK_WAITING:
		add_text(&data, "why", news->text);
		buf_char(&data, '}');
		emit(context, "lock.waiting", &data);
		break;
	case LOCK_ACQUIRED:
		buf_format(&data, ",\"token\":%lld}", (long long)news->token);
		emit(context, "lock.acquired", &data);
		break;
	case LOCK_DEADLOCK:
		add_text(&data, "cycle", news->text);
		buf_char(&data, '}');
		emit(context, "lock.deadlock", &data);
		break;
	}
}

void tell_broken(const struct state *state, const char *name, const struct owners *owners)
{
	AUTO_BUF struct buf data = {0};

	start_data(&data, name);
	buf_str(&data, ",\"killed\":[");
	for (size_t i = 0; i < owners->count; i++)
		buf_format(&data, "%s%d", i ? "," : "", (int)owners->item[i].pid);
	buf_str(&data, "]}");
	emit(state, "lock.broken", &data);
}
