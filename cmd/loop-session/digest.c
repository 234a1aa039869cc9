#include "digest.h"

#include "mem.h"

enum { TOOLS_MAX = 500,
	FILES_MAX = 1000,
	TEXT_MAX = 1 << 16 };

static struct tool *find_tool(struct digest *d, const char *name)
{
	for (size_t i = 0; i < d->tools; i++)
		if (strcmp(d->tool[i].name, name) == 0)
			return &d->tool[i];
	if (d->tools == TOOLS_MAX)
		return &d->tool[TOOLS_MAX - 1];
	d->tool = mem_grow(d->tool, d->tools, &d->capacity, sizeof *d->tool);
	if (d->tools == TOOLS_MAX - 1)
		name = "(others)"; /* nobody has so many: they are made up */
	d->tool[d->tools] = (struct tool){.name = mem_string(name)};
	return &d->tool[d->tools++];
}

/* The tools of all agents that write the file that their input names. */
static bool writes(const char *name)
{
	static const char *const writers[] = {"Write", "Edit", "MultiEdit", "NotebookEdit",
		"write_file", "replace", "write", "edit", "patch", "multiedit"};

	for (size_t i = 0; i < countof(writers); i++)
		if (strcmp(writers[i], name) == 0)
			return true;
	return false;
}

static void touch(struct digest *d, const char *path)
{
	if (map_get(&d->file_set, path))
		return;
	if (d->files.count == FILES_MAX) {
		d->files_more++;
		return;
	}
	strs_add(&d->files, path);
	path = d->files.item[d->files.count - 1];
	map_add(&d->file_set, path, strlen(path), (void *)(uintptr_t)path);
}

static void on_call(void *context, const struct call *call)
{
	struct digest *d = context;
	struct tool *t = find_tool(d, call->name);
	int64_t ns = call_duration(call);

	t->calls++;
	t->failed += call->finished && !call->ok;
	t->unfinished += !call->finished;
	if (ns >= 0)
		sample_add(&t->time, ns);
	if (call->ok && *call->input && writes(call->name))
		touch(d, call->input);
}

static void on_usage(struct digest *d, const struct step *s)
{
	d->input = step_int(s, "input", d->input);
	d->output = step_int(s, "output", d->output);
	d->cache_read = step_int(s, "cache_read", d->cache_read);
	d->cache_write = step_int(s, "cache_write", d->cache_write);
	d->turns = step_int(s, "turns", d->turns);
	if (step_has(s, "cost_usd"))
		d->cost_known = step_real(s, "cost_usd", &d->cost);
}

static void copy_name(const struct step *s, const char *key, char *out, size_t size)
{
	AUTO_BUF struct buf text = {0};

	step_text(s, key, &text);
	if (text.length)
		escape_text(out, size, text.text);
}

static void on_started(struct digest *d, const struct step *s)
{
	copy_name(s, "model", d->model, sizeof d->model);
	copy_name(s, "version", d->version, sizeof d->version);
}

static void on_message(struct digest *d, const struct step *s)
{
	AUTO_BUF struct buf text = {0};

	if (step_true(s, "sub"))
		return;
	step_text(s, "text", &text);
	if (!step_true(s, "piece")) {
		d->messages++;
		d->text.length = 0;
	}
	if (d->text.length + text.length <= TEXT_MAX)
		buf_add(&d->text, text.text, text.length);
}

static void on_result(struct digest *d, const struct step *s)
{
	snprintf(d->reason, sizeof d->reason, "%s", step_true(s, "ok") ? "success" : "failed");
	copy_name(s, "reason", d->reason, sizeof d->reason);
	step_text(s, "message", &d->failed);
	d->errors += !step_true(s, "ok");
}

static void on_omitted(struct digest *d, const struct step *s)
{
	d->omitted += step_int(s, "bytes", 0);
}

static void on_retry(struct digest *d, const struct step *s UNUSED)
{
	d->retries++;
}

static void on_limit(struct digest *d, const struct step *s)
{
	d->limits += step_true(s, "fatal");
}

static void on_denied(struct digest *d, const struct step *s UNUSED)
{
	d->denied++;
}

static void on_error(struct digest *d, const struct step *s UNUSED)
{
	d->errors++;
}

static void note_time(struct digest *d, int64_t time)
{
	if (!time)
		return;
	if (!d->first)
		d->first = time;
	if (d->last)
		d->silence = MAX(d->silence, time - d->last);
	d->last = MAX(d->last, time);
}

void digest_step(void *context, const struct step *s)
{
	static void (*const take[])(struct digest *, const struct step *) = {
		[STEP_STARTED] = on_started,
		[STEP_MESSAGE] = on_message,
		[STEP_USAGE] = on_usage,
		[STEP_RETRY] = on_retry,
		[STEP_LIMIT] = on_limit,
		[STEP_DENIED] = on_denied,
		[STEP_ERROR] = on_error,
		[STEP_RESULT] = on_result,
		[STEP_OMITTED] = on_omitted,
	};
	struct digest *d = context;

	d->open.done = on_call;
	d->open.context = d;
	d->events++;
	note_time(d, s->time);
	calls_step(&d->open, s);
	if (take[s->kind])
		take[s->kind](d, s);
}

void digest_end(struct digest *d)
{
	calls_end(&d->open);
}

void digest_clear(struct digest *d)
{
	for (size_t i = 0; i < d->tools; i++) {
		free(d->tool[i].name);
		sample_clear(&d->tool[i].time);
	}
	free(d->tool);
	map_clear(&d->file_set);
	strs_clear(&d->files);
	buf_clear(&d->text);
	buf_clear(&d->failed);
	*d = (struct digest){0};
}

int64_t digest_calls(const struct digest *d, int64_t *failed)
{
	int64_t calls = 0;

	*failed = 0;
	for (size_t i = 0; i < d->tools; i++) {
		calls += d->tool[i].calls;
		*failed += d->tool[i].failed;
	}
	return calls;
}

static json_t *ms_or_null(const struct sample *s, int64_t ns)
{
	return s->count ? json_real((double)ns / (double)NS_PER_MS) : json_null();
}

json_t *tool_json(struct tool *t)
{
	struct sample *s = &t->time;
	int64_t mean = s->count ? s->sum / s->count : 0;
	json_t *j = json_pack("{s:s, s:I, s:I, s:I}", "tool", t->name, "calls",
		(json_int_t)t->calls, "failed", (json_int_t)t->failed, "unfinished",
		(json_int_t)t->unfinished);

	json_object_set_new(j, "total_ms", ms_or_null(s, s->sum));
	json_object_set_new(j, "mean_ms", ms_or_null(s, mean));
	json_object_set_new(j, "p50_ms", ms_or_null(s, sample_percentile(s, 50)));
	json_object_set_new(j, "p90_ms", ms_or_null(s, sample_percentile(s, 90)));
	json_object_set_new(j, "p99_ms", ms_or_null(s, sample_percentile(s, 99)));
	json_object_set_new(j, "max_ms", ms_or_null(s, s->max));
	return j;
}
