/* Events, as loop-lock writes them: of waits of a second and more, and of what is lost. */
#include "loop-lock-redis.h"

#include "buf.h"
#include "die.h"
#include "event.h"
#include "journal.h"
#include "parse.h"

static const struct {
	const char *type, *text; /* the text's key, or NULL */
	bool waited, token;
} kinds[] = {
	[NEWS_WAITING] = {"lock.waiting", "why", true, false},
	[NEWS_ACQUIRED] = {"lock.acquired", NULL, true, true},
	[NEWS_RELEASED] = {"lock.released", NULL, false, true},
	[NEWS_LOST] = {"lock.lost", "why", false, true},
};

static void add_data(struct buf *b, enum news kind, const struct lease *l, int64_t waited,
	const char *text)
{
	char time[TIME_SIZE];

	buf_format(b, "{\"lock\":\"%s\",\"pid\":%d", l->name, (int)l->pid);
	if (kinds[kind].waited)
		buf_format(b, ",\"waited_ms\":%lld", (long long)(waited / NS_PER_MS));
	if (kinds[kind].token)
		buf_format(b, ",\"token\":%lld", (long long)l->token);
	if (kinds[kind].text) {
		buf_format(b, ",\"%s\":", kinds[kind].text);
		buf_json(b, text, strlen(text));
	}
	if (kind == NEWS_RELEASED)
		buf_format(b, ",\"since\":\"%s\",\"seen\":\"holder\"", format_time(time, l->since));
	buf_char(b, '}');
}

void tell(enum news kind, const struct lease *l, int64_t waited, const char *text)
{
	AUTO_BUF struct buf data = {0};
	struct journal journal;
	struct event event = {
		.type = kinds[kind].type,
		.source = "/loop-lock",
		.subject = getenv("LOOP_SUBJECT"),
		.runid = getenv("LOOP_RUN"),
		.sessionid = getenv("LOOP_SESSION"),
		.priority = NORMAL,
	};
	struct state state;
	struct err e = {0};

	if (state_open(&state, &e) < 0) {
		warn("%s", e.text);
		return;
	}
	add_data(&data, kind, l, waited, text);
	event.data = (struct span){data.text, data.length};
	journal_init(&journal, &state);
	journal_emit(&journal, &event);
	journal_close(&journal);
	state_close(&state);
}
