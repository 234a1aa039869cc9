#include "record.h"

#include "clock.h"
#include "io.h"
#include "mem.h"
#include "parse.h"
#include "recover.h"

#include <errno.h>
#include <fcntl.h>

enum { FILE_MAX = 16 << 20 };

const char *const record_states[] = {[RECORD_STARTING] = "starting",
	[RECORD_RUNNING] = "running",
	[RECORD_WAITING] = "waiting",
	[RECORD_VERIFYING] = "verifying",
	[RECORD_ENDED] = "ended",
	[RECORD_LOST] = "lost",
	[RECORD_UNREADABLE] = "unreadable",
	NULL};

const char *record_state_name(enum record_state state)
{
	return record_states[state];
}

static const char *text_of(const struct record *r, const char *key)
{
	const char *text = json_string_value(json_object_get(r->result, key));

	if (!text)
		text = json_string_value(json_object_get(r->session, key));
	return text ? text : "";
}

static int64_t time_of(const struct record *r, const char *key)
{
	const char *text = text_of(r, key);
	int64_t ns;

	return parse_rfc3339(text, strlen(text), &ns) == 0 ? ns : 0;
}

static enum record_state judge(const struct record *r)
{
	const char *word = json_string_value(json_object_get(r->session, "state"));

	if (!r->session && !r->result)
		return RECORD_UNREADABLE;
	if (r->result || (word && strcmp(word, "ended") == 0))
		return RECORD_ENDED;
	if (!r->owner.pid || !owner_alive(&r->owner))
		return RECORD_LOST;
	for (int i = RECORD_STARTING; word && i < RECORD_ENDED; i++)
		if (strcmp(word, record_states[i]) == 0)
			return (enum record_state)i;
	return RECORD_RUNNING;
}

static void read_texts(struct record *r)
{
	r->agent = text_of(r, "agent");
	r->model = text_of(r, "model");
	r->subject = text_of(r, "subject");
	r->run = text_of(r, "run");
	r->task = text_of(r, "task");
	r->worktree = text_of(r, "worktree");
	r->branch = text_of(r, "branch");
	r->reason = text_of(r, "reason");
	r->message = text_of(r, "message");
}

static void read_usage(struct record *r)
{
	const json_t *usage = json_object_get(r->result ? r->result : r->session, "usage");
	const json_t *cost = json_object_get(usage, "cost_usd");

	r->input = json_integer_value(json_object_get(usage, "input"));
	r->output = json_integer_value(json_object_get(usage, "output"));
	r->cost_known = json_is_number(cost);
	r->cost = json_number_value(cost);
	r->attempts = (int64_t)json_array_size(json_object_get(r->result, "attempts"));
	r->success = json_is_true(json_object_get(r->result, "success"));
}

/* What session.json tells is older than the attempt that is, or was, under way. Returns when that
 * was last heard of, 0 if it is not. */
static int64_t add_unwritten(struct record *r, int folder)
{
	const char *word = json_string_value(json_object_get(r->session, "state"));
	int64_t attempt = json_integer_value(json_object_get(r->session, "attempt"));
	struct used u = {r->input, r->output, r->cost, r->cost_known, 0};

	if (r->result || !word || strcmp(word, "running") != 0)
		return 0;
	recover_usage(folder, attempt, &u);
	r->input = u.input;
	r->output = u.output;
	r->cost = u.cost;
	r->cost_known = u.cost_known;
	return u.heard;
}

/* When a lost one was last heard of: its heartbeat is written every few seconds. */
static int64_t last_sign(const struct record *r, int folder)
{
	int code;
	struct err e = {0};
	AUTO_JSON json_t *beat = json_read(folder, "heartbeat", 4096, &code, &e);
	const char *text = json_string_value(json_object_get(beat, "time"));
	int64_t ns, updated = time_of(r, "updated");

	return text && parse_rfc3339(text, strlen(text), &ns) == 0 ? MAX(ns, updated) : updated;
}

static json_t *read_object(int folder, const char *name)
{
	struct err e = {0};
	int code;
	json_t *tree = json_read(folder, name, FILE_MAX, &code, &e);

	if (json_is_object(tree))
		return tree;
	json_decref(tree);
	return NULL;
}

int record_read(struct record *r, const struct state *state, const char *id)
{
	AUTO_FREE char *path = mem_format("sessions/%s", id);
	AUTO_CLOSE int folder = state_file(state, path, O_RDONLY | O_DIRECTORY, 0);
	int64_t heard;

	*r = (struct record){0};
	if (folder < 0)
		return folder;
	r->id = mem_string(id);
	r->session = read_object(folder, "session.json");
	json_get_owner(r->session, "owner", &r->owner);
	r->result = read_object(folder, "result.json");
	r->state = judge(r);
	if (r->state == RECORD_LOST && (r->result = read_object(folder, "result.json")))
		r->state = RECORD_ENDED; /* it ended between the two looks */
	read_texts(r);
	read_usage(r);
	heard = add_unwritten(r, folder);
	r->started = time_of(r, "started");
	r->ended = r->state == RECORD_LOST ? MAX(heard, last_sign(r, folder)) : time_of(r, "ended");
	return 0;
}

void record_clear(struct record *r)
{
	free(r->id);
	json_decref(r->session);
	json_decref(r->result);
	*r = (struct record){0};
}

bool record_live(const struct record *r)
{
	return r->state < RECORD_ENDED;
}

const char *record_outcome(const struct record *r)
{
	return r->state == RECORD_ENDED && *r->reason ? r->reason : record_states[r->state];
}

int64_t record_duration(const struct record *r)
{
	int64_t end = record_live(r) ? clock_real() : r->ended;

	return r->started && end ? MAX(end - r->started, INT64_C(0)) : -1;
}

const char *record_story(const struct record *r)
{
	return *r->subject ? r->subject : *r->task ? r->task
						   : r->id;
}

void record_last_words(const struct record *r, struct buf *out)
{
	const json_t *final = json_object_get(r->result, "final");
	const char *text = json_string_value(final);
	size_t end = json_string_length(final), start;

	while (end && strchr(" \t\r\n", text[end - 1]))
		end--;
	for (start = end; start && text[start - 1] != '\n';)
		start--;
	if (end)
		buf_add(out, text + start, end - start);
}

static json_t *text_json(const char *text)
{
	return *text ? json_string(text) : json_null();
}

static json_t *time_json(int64_t ns)
{
	char time[TIME_SIZE];

	return ns ? json_string(format_time(time, ns)) : json_null();
}

json_t *record_json(const struct record *r)
{
	int64_t ns = record_duration(r);
	json_t *j = json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "session", r->id,
		"state", record_states[r->state], "reason", text_json(r->reason), "agent",
		text_json(r->agent), "model", text_json(r->model), "subject", text_json(r->subject),
		"run", text_json(r->run), "task", text_json(r->task), "message",
		text_json(r->message));

	json_object_set_new(j, "success", r->result ? json_boolean(r->success) : json_null());
	json_object_set_new(j, "started", time_json(r->started));
	json_object_set_new(j, "ended", time_json(r->ended));
	json_object_set_new(j, "ms", ns < 0 ? json_null() : json_integer(ns / NS_PER_MS));
	json_object_set_new(j, "cost_usd", r->cost_known ? json_real(r->cost) : json_null());
	json_object_set_new(j, "input", json_integer(r->input));
	json_object_set_new(j, "output", json_integer(r->output));
	json_object_set_new(j, "attempts", json_integer(r->attempts));
	json_object_set_new(j, "worktree", text_json(r->worktree));
	json_object_set_new(j, "branch", text_json(r->branch));
	return j;
}
