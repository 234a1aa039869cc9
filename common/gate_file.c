/* A gate as its file holds it. */
#include "gate.h"

#include "json.h"
#include "mem.h"
#include "parse.h"

#include <errno.h>

enum { CHOICES_MAX = 100 };

static const char *const state_names[] = {
	[GATE_PENDING] = "pending",
	[GATE_APPROVED] = "approved",
	[GATE_REJECTED] = "rejected",
	[GATE_ANSWERED] = "answered",
	[GATE_TIMED_OUT] = "timed_out",
};

/* The members that are texts, and those that are times. */
static const struct member {
	const char *key;
	size_t offset;
} texts[] = {
	{"question", offsetof(struct gate, question)},
	{"default", offsetof(struct gate, fallback)},
	{"answer", offsetof(struct gate, answer)},
	{"by", offsetof(struct gate, by)},
	{"why", offsetof(struct gate, why)},
	{"subject", offsetof(struct gate, subject)},
	{"run", offsetof(struct gate, run)},
	{"session", offsetof(struct gate, session)},
},
  times[] = {
	  {"raised", offsetof(struct gate, raised)},
	  {"deadline", offsetof(struct gate, deadline)},
	  {"resolved", offsetof(struct gate, resolved)},
};

static char **text_at(struct gate *g, const struct member *m)
{
	return (void *)((char *)g + m->offset);
}

static int64_t *time_at(struct gate *g, const struct member *m)
{
	return (void *)((char *)g + m->offset);
}

static const void *member_at(const struct gate *g, const struct member *m)
{
	return (const char *)g + m->offset;
}

const char *gate_state_name(enum gate_state s)
{
	return state_names[s];
}

void gate_clear(struct gate *g)
{
	for (size_t i = 0; i < countof(texts); i++)
		free(*text_at(g, &texts[i]));
	strs_clear(&g->choices);
	*g = (struct gate){0};
}

static int parse_state(struct gate *g, const json_t *tree, struct err *e)
{
	const char *text = NULL;

	if (json_get_text(tree, "state", &text, e) > 0)
		for (size_t i = 0; i < countof(state_names); i++)
			if (strcmp(text, state_names[i]) == 0) {
				g->state = (enum gate_state)i;
				return 0;
			}
	return err_set(
		e, -EINVAL, "state: must be pending, approved, rejected, answered or timed_out");
}

static int parse_texts(struct gate *g, const json_t *tree, struct err *e)
{
	const char *text;

	for (size_t i = 0; i < countof(texts); i++) {
		int r = json_get_text(tree, texts[i].key, &text, e);

		if (r < 0)
			return r;
		if (r > 0)
			*text_at(g, &texts[i]) = mem_string(text);
	}
	return g->question ? 0 : err_set(e, -EINVAL, "question: is missing");
}

static int parse_times(struct gate *g, const json_t *tree, struct err *e)
{
	const char *text;

	for (size_t i = 0; i < countof(times); i++) {
		int r = json_get_text(tree, times[i].key, &text, e);

		if (r > 0 && parse_rfc3339(text, strlen(text), time_at(g, &times[i])) < 0)
			r = err_set(e, -EINVAL, "%s: must be a time", times[i].key);
		if (r < 0)
			return r;
	}
	return 0;
}

static int parse_choices(struct gate *g, const json_t *tree, struct err *e)
{
	json_t *list = NULL;
	int r = json_get_array(tree, "choices", &list, e);

	if (json_array_size(list) > CHOICES_MAX)
		return err_set(e, -EINVAL, "choices: are more than %d", CHOICES_MAX);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *text = json_string_value(json_array_get(list, i));

		if (!text || !*text)
			return err_set(e, -EINVAL, "choices: must be words");
		strs_add(&g->choices, text);
	}
	return r;
}

static int parse_asker(struct gate *g, const json_t *tree, struct err *e)
{
	json_t *object = NULL;
	int64_t pid = 0, start = 0;
	const char *boot = "";
	int r = json_get_object(tree, "asker", &object, e);

	if (r > 0)
		r = json_get_int(object, "pid", 0, INT32_MAX, &pid, e);
	if (r > 0)
		r = json_get_int(object, "start", 0, INT64_MAX, &start, e);
	if (r > 0)
		r = json_get_text(object, "boot", &boot, e);
	g->asker.pid = (pid_t)pid;
	g->asker.start = (uint64_t)start;
	snprintf(g->asker.boot, sizeof g->asker.boot, "%s", boot);
	return r;
}

int gate_parse(struct gate *g, const char *text, size_t length, struct err *e)
{
	AUTO_JSON json_t *tree = json_parse(text, length, e);
	const char *id;
	int r;

	if (!tree)
		return -EINVAL;
	r = json_get_text(tree, "gate", &id, e);
	if (r <= 0 || !name_valid(id))
		return err_set(e, -EINVAL, "gate: must be its name");
	snprintf(g->id, sizeof g->id, "%s", id);
	r = parse_state(g, tree, e);
	if (r >= 0)
		r = parse_texts(g, tree, e);
	if (r >= 0)
		r = parse_times(g, tree, e);
	if (r >= 0)
		r = parse_choices(g, tree, e);
	if (r >= 0)
		r = json_get_bool(tree, "text", &g->text, e);
	g->told = true; /* by a person's own words it is */
	if (r >= 0)
		r = json_get_bool(tree, "told", &g->told, e);
	if (r >= 0)
		r = parse_asker(g, tree, e);
	return MIN(r, 0);
}

static void add_text(struct buf *b, const char *text)
{
	if (text)
		buf_json(b, text, strlen(text));
	else
		buf_str(b, "null");
}

static void add_time(struct buf *b, int64_t ns)
{
	char text[TIME_SIZE];

	add_text(b, ns ? format_time(text, ns) : NULL);
}

static void add_choices(struct buf *b, const struct strs *choices)
{
	buf_char(b, '[');
	for (size_t i = 0; i < choices->count; i++) {
		buf_str(b, i ? "," : "");
		add_text(b, choices->item[i]);
	}
	buf_char(b, ']');
}

void gate_format(const struct gate *g, bool lines, struct buf *b)
{
	const char *next = lines ? ",\n  " : ",";

	buf_format(b, "{%s\"gate\":\"%s\"%s\"state\":\"%s\"", lines ? "\n  " : "", g->id, next,
		state_names[g->state]);
	for (size_t i = 0; i < countof(texts); i++) {
		buf_format(b, "%s\"%s\":", next, texts[i].key);
		add_text(b, *(char *const *)member_at(g, &texts[i]));
	}
	for (size_t i = 0; i < countof(times); i++) {
		buf_format(b, "%s\"%s\":", next, times[i].key);
		add_time(b, *(const int64_t *)member_at(g, &times[i]));
	}
	buf_format(b, "%s\"choices\":", next);
	add_choices(b, &g->choices);
	buf_format(b, "%s\"text\":%s%s\"told\":%s", next, g->text ? "true" : "false", next,
		g->told ? "true" : "false");
	buf_format(b, "%s\"asker\":{\"pid\":%d,\"start\":%llu,\"boot\":", next,
		(int)g->asker.pid, (unsigned long long)g->asker.start);
	add_text(b, g->asker.boot);
	buf_str(b, lines ? "}\n}\n" : "}}\n");
}
