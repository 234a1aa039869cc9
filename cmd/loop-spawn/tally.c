#include "tally.h"

#include <math.h>

static void copy_text(struct span event, const char *key, char *out, size_t size)
{
	AUTO_BUF struct buf text = {0};
	struct span value;

	if (jscan_get(event, key, &value) && jscan_kind(value) == '"' &&
		jscan_text(value, &text) == 0 && text.length)
		escape_text(out, size, text.text);
}

static int64_t number_of(struct span event, const char *key, int64_t otherwise)
{
	struct span value;
	int64_t n;

	return jscan_get(event, key, &value) && jscan_int(value, &n) == 0 ? n : otherwise;
}

static bool is_true(struct span event, const char *key)
{
	struct span value;

	return jscan_get(event, key, &value) && jscan_kind(value) == 't';
}

static bool real_of(struct span event, const char *key, double *out)
{
	struct span value;
	char text[64];

	if (!jscan_get(event, key, &value) || jscan_kind(value) != '0' || value.n >= sizeof text)
		return false;
	memcpy(text, value.p, value.n);
	text[value.n] = '\0';
	*out = strtod(text, NULL);
	return isfinite(*out);
}

static void on_started(struct tally *t, struct span e)
{
	struct session *s = t->session;

	copy_text(e, "agent_session", s->agent_session, sizeof s->agent_session);
	copy_text(e, "model", s->model, sizeof s->model);
	copy_text(e, "version", s->version, sizeof s->version);
	t->news.kind = NEWS_STARTED;
}

/* Something happens: a result before it was not the last, though a sub-agent may outlast it. */
static void go_on(struct tally *t, struct span e)
{
	t->settled = t->idle = false;
	t->unanswered |= !is_true(e, "sub");
}

static void on_message(struct tally *t, struct span e)
{
	struct span text;

	go_on(t, e);
	t->acted |= !is_true(e, "synthetic");
	if (is_true(e, "sub") || !jscan_get(e, "text", &text))
		return;
	if (!is_true(e, "piece"))
		t->session->final.length = 0;
	jscan_text(text, &t->session->final);
}

static void on_tool(struct tally *t, struct span e)
{
	go_on(t, e);
	t->acted = true;
	copy_text(e, "name", t->tool, sizeof t->tool);
	copy_text(e, "id", t->news.id, sizeof t->news.id);
	strs_add(&t->open, t->news.id);
	t->news.kind = NEWS_TOOL;
}

static void on_tool_end(struct tally *t, struct span e)
{
	size_t at = 0;

	copy_text(e, "id", t->news.id, sizeof t->news.id);
	copy_text(e, "name", t->tool, sizeof t->tool);
	t->news.ok = is_true(e, "ok");
	t->news.kind = NEWS_TOOL_END;
	while (at < t->open.count && strcmp(t->open.item[at], t->news.id) != 0)
		at++;
	if (at == t->open.count)
		return;
	free(t->open.item[at]);
	t->open.item[at] = t->open.item[--t->open.count];
	t->open.item[t->open.count] = NULL;
}

/* Whether a sum is the whole conversation's, and so holds what it came to before this attempt. */
static bool of_conversation(struct span event, const char *key)
{
	struct span value;

	return jscan_get(event, key, &value) && jscan_is(value, "conversation");
}

/* Sums only grow: of several who tell them, the one that knows more is believed. */
static void take_sum(struct span e, const char *key, int64_t before, int64_t *sum)
{
	*sum = MAX(*sum, number_of(e, key, 0) - before);
}

/* Where nothing is said of it, it may still be; anything but a number says that it is not known. */
static void take_cost(struct tally *t, struct span e)
{
	double spent = of_conversation(e, "cost_of") ? t->before.cost : 0, cost;
	struct span value;

	if (!jscan_get(e, "cost_usd", &value))
		return;
	t->used.cost_known = real_of(e, "cost_usd", &cost);
	if (t->used.cost_known)
		t->used.cost = MAX(cost - spent, 0.0);
}

static void on_usage(struct tally *t, struct span e)
{
	static const struct usage nothing;
	const struct usage *before = of_conversation(e, "of") ? &t->before : &nothing;

	take_sum(e, "input", before->input, &t->used.input);
	take_sum(e, "output", before->output, &t->used.output);
	take_sum(e, "cache_read", before->cache_read, &t->used.cache_read);
	take_sum(e, "cache_write", before->cache_write, &t->used.cache_write);
	take_sum(e, "turns", 0, &t->used.turns);
	take_cost(t, e);
	t->news.kind = NEWS_USAGE;
}

static void on_limit(struct tally *t, struct span e)
{
	t->resets_at = number_of(e, "reset_at", t->resets_at);
}

static void on_retry(struct tally *t, struct span e)
{
	t->retry_ns = MIN(MAX(number_of(e, "delay_ms", 0), 0), INT64_C(86400000)) * NS_PER_MS;
}

static void on_result(struct tally *t, struct span e)
{
	char name[32] = "failed";
	struct span text;

	t->result = t->settled = true;
	t->unanswered = false;
	t->ok = is_true(e, "ok");
	copy_text(e, "reason", name, sizeof name);
	t->reason = t->ok ? SUCCESS : reason_of(name);
	t->message[0] = '\0';
	copy_text(e, "message", t->message, sizeof t->message);
	t->resets_at = number_of(e, "reset_at", t->resets_at);
	if (t->ok && jscan_get(e, "text", &text) && text.n > 2) {
		t->session->final.length = 0;
		jscan_text(text, &t->session->final);
	}
}

static void on_denied(struct tally *t, struct span e UNUSED)
{
	t->session->denied++;
}

static void on_background(struct tally *t, struct span e)
{
	t->background = number_of(e, "count", 0);
}

static void on_state(struct tally *t, struct span e)
{
	t->idle = is_true(e, "idle");
}

static void on_error(struct tally *t, struct span e)
{
	copy_text(e, "message", t->message, sizeof t->message);
}

static const struct {
	const char *type;
	void (*take)(struct tally *, struct span);
} types[] = {
	{"session.started", on_started},
	{"message", on_message},
	{"tool.started", on_tool},
	{"tool.finished", on_tool_end},
	{"usage", on_usage},
	{"limit", on_limit},
	{"retry", on_retry},
	{"result", on_result},
	{"denied", on_denied},
	{"background", on_background},
	{"state", on_state},
	{"error", on_error},
};

void tally_event(struct tally *t, struct span line)
{
	struct span type;

	t->news = (struct news){.kind = NO_NEWS};
	if (!jscan_get(line, "type", &type))
		return;
	for (size_t i = 0; i < countof(types); i++)
		if (jscan_is(type, types[i].type))
			types[i].take(t, line);
}

bool tally_busy(const struct tally *t)
{
	return t->open.count > 0 || t->background > 0;
}

void tally_clear(struct tally *t)
{
	strs_clear(&t->open);
}
