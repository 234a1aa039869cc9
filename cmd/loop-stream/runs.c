#include "resources.h"

#include "conn.h"
#include "document.h"
#include "folder.h"
#include "job.h"
#include "parse.h"
#include "run.h"

enum { LIST_DEFAULT = 50,
	LIST_MAX = 500 };

static void add_time(struct buf *b, const char *key, int64_t ns)
{
	char text[TIME_SIZE];

	if (ns)
		document_string(b, key, format_time(text, ns));
	else
		buf_format(b, "\"%s\":null,", key);
}

static void ignore(void *context UNUSED, struct run *r UNUSED, struct task *t UNUSED)
{
}

static const char *run_state(const struct run *r)
{
	if (r->ended)
		return r->outcome;
	if (!r->owner.pid || !owner_alive(&r->owner))
		return "interrupted";
	return r->cancelling ? "cancelling"
		: r->paused  ? "paused"
		: r->held    ? "held"
			     : "running";
}

/* Members of an object that is open, each with its comma behind it. */
static void add_run(struct buf *b, const struct run *r)
{
	document_string(b, "id", r->id);
	document_string(b, "plan", r->plan);
	document_string(b, "state", run_state(r));
	add_time(b, "started", r->started);
	add_time(b, "ended", r->ended);
	buf_format(b,
		"\"retries\":%lld,\"counts\":{\"all\":%zu,\"waiting\":%zu,\"active\":%zu,"
		"\"succeeded\":%zu,\"failed\":%zu,\"other\":%zu},",
		(long long)r->retries, r->count, run_count(r, TASK_WAITING),
		run_count(r, TASK_ACTIVE), run_count(r, TASK_GOOD), run_count(r, TASK_BAD),
		run_count(r, TASK_IDLE));
}

static void add_task(struct buf *b, const struct task *t)
{
	buf_char(b, '{');
	document_string(b, "id", t->id);
	document_string(b, "title", t->title);
	document_string(b, "state", t->state->name);
	document_string(b, "reason", t->reason);
	add_time(b, "since", t->since);
	buf_format(b, "\"attempt\":%lld,\"ms\":%lld,\"delay_ms\":%lld,\"status\":",
		(long long)t->attempt, (long long)(t->duration / NS_PER_MS),
		(long long)(t->delay / NS_PER_MS));
	if (t->status >= 0)
		buf_int(b, t->status);
	else
		buf_str(b, "null");
	buf_char(b, '}');
}

static void add_tasks(struct buf *b, const struct run *r)
{
	buf_str(b, "\"tasks\":[");
	for (size_t i = 0; i < r->count; i++) {
		buf_str(b, i ? ",\n" : "");
		add_task(b, &r->task[i]);
	}
	buf_char(b, ']');
}

/* A run with its log read; false if there is none, or nothing to be made of it. */
static bool load(struct run *r, const struct state *s, const char *id)
{
	struct err e = {0};

	if (run_open(r, s, id, &e) < 0)
		return false;
	if (run_read(r, ignore, NULL) >= 0)
		return true;
	run_close(r);
	return false;
}

static void list_runs(struct job *j)
{
	struct buf *b = &j->body;
	AUTO_STRS struct strs names = {0};
	size_t limit = (size_t)job_number(j, "limit", LIST_DEFAULT, LIST_MAX);
	const char *comma = "";

	buf_str(b, "{\"runs\":[");
	if (folder_list(j->state, "runs", "plan.json", &names) < 0)
		names.count = 0;
	for (size_t i = 0; i < names.count && i < limit; i++) {
		struct run r;

		if (!load(&r, j->state, names.item[i]))
			continue;
		buf_format(b, "%s{", comma);
		add_run(b, &r);
		add_tasks(b, &r);
		buf_char(b, '}');
		comma = ",\n";
		run_close(&r);
	}
	buf_str(b, "]}\n");
}

void runs_answer(struct conn *c)
{
	job_start(c, list_runs, NULL, NULL);
}

static void tell_run(struct job *j)
{
	struct buf *b = &j->body;
	struct run r;

	if (!load(&r, j->state, j->name)) {
		job_refuse(j, 404, "no such run");
		return;
	}
	buf_char(b, '{');
	add_run(b, &r);
	add_tasks(b, &r);
	buf_str(b, ",\"document\":");
	document_add(b, r.dir, "plan.json");
	buf_str(b, "}\n");
	run_close(&r);
}

void run_answer(struct conn *c)
{
	job_start(c, tell_run, NULL, NULL);
}
