/* The command summary: one session on one page. */
#include "commands.h"

#include "digest.h"
#include "out.h"
#include "parse.h"
#include "source.h"
#include "words.h"

#include <stdarg.h>

enum { PROMPT_MAX = 10 << 20,
	HEAD_MAX = 400,
	FINAL_MAX = 2000,
	FILES_SHOWN = 20 };

static void PRINTF_LIKE(3, 4) row(struct buf *out, const char *label, const char *format, ...)
{
	char text[600];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	buf_format(out, "%-10s ", label);
	words_line(out, text, strlen(text), sizeof text);
	buf_char(out, '\n');
}

static void row_if(struct buf *out, const char *label, const char *text)
{
	if (*text)
		row(out, label, "%s", text);
}

static void add_asked(struct buf *out, const struct source *s)
{
	AUTO_BUF struct buf prompt = {0};

	source_file(s, "prompt.md", PROMPT_MAX, &prompt);
	if (!prompt.length)
		return;
	buf_format(out, "%-10s ", "asked");
	words_line(out, prompt.text, prompt.length, HEAD_MAX);
	buf_char(out, '\n');
}

static void add_times(struct buf *out, const struct record *r)
{
	char began[TIME_SIZE], took[DURATION_SIZE];
	int64_t ns = record_duration(r);

	if (r->started)
		row(out, "started", "%s%s%s", format_time(began, r->started),
			ns < 0 ? "" : record_live(r) ? ", for "
						     : ", took ",
			ns < 0 ? "" : format_duration(took, ns));
}

static void add_attempts(struct buf *out, const struct record *r)
{
	const json_t *attempt;
	size_t i;

	json_array_foreach (json_object_get(r->result, "attempts"), i, attempt) {
		const char *reason = json_string_value(json_object_get(attempt, "reason"));
		const char *message = json_string_value(json_object_get(attempt, "message"));
		char took[DURATION_SIZE];
		int64_t ms = json_integer_value(json_object_get(attempt, "ms"));

		row(out, "attempt", "%lld: %s in %s%s%s",
			(long long)json_integer_value(json_object_get(attempt, "attempt")),
			reason ? reason : "?", format_duration(took, ms * NS_PER_MS),
			message && *message ? ": " : "", message ? message : "");
	}
}

static void add_verify(struct buf *out, const struct record *r)
{
	const json_t *check;
	size_t i;

	json_array_foreach (json_object_get(r->result, "verify"), i, check) {
		const char *command = json_string_value(json_object_get(check, "command"));
		const char *tail = json_string_value(json_object_get(check, "tail"));
		int64_t status = json_integer_value(json_object_get(check, "status"));

		row(out, "verify", "%s: exit status %lld", command ? command : "?",
			(long long)status);
		if (status && tail && *tail) {
			buf_str(out, "             ");
			words_line(out, tail, strlen(tail), HEAD_MAX);
			buf_char(out, '\n');
		}
	}
}

static void add_leaked(struct buf *out, const struct record *r)
{
	const json_t *leaked = json_object_get(r->result, "leaked");
	const char *first = json_string_value(json_object_get(leaked, "first"));
	int64_t n = json_integer_value(json_object_get(leaked, "count"));

	if (n)
		row(out, "leaked", "%lld processes that had to be killed, %s among them",
			(long long)n, first ? first : "?");
}

static void add_tools(struct buf *out, const struct digest *d)
{
	int64_t failed, calls = digest_calls(d, &failed);

	if (!calls)
		return;
	buf_format(out, "%-10s ", "tools");
	words_count(out, calls, "call");
	buf_format(out, ", %lld failed:", (long long)failed);
	for (size_t i = 0; i < d->tools; i++) {
		buf_str(out, i ? ", " : " ");
		words_line(out, d->tool[i].name, strlen(d->tool[i].name), 40);
		buf_format(out, " %lld", (long long)d->tool[i].calls);
	}
	buf_char(out, '\n');
}

/* Without the worktree in front, which says nothing. */
static const char *shorten(const char *path, const char *worktree)
{
	size_t n = strlen(worktree);

	return n && strncmp(path, worktree, n) == 0 && path[n] == '/' ? path + n + 1 : path;
}

static void add_files(struct buf *out, const struct digest *d, const char *worktree)
{
	size_t shown = MIN(d->files.count, (size_t)FILES_SHOWN);
	int64_t more = (int64_t)(d->files.count - shown) + d->files_more;

	for (size_t i = 0; i < shown; i++)
		row(out, i ? "" : "files", "%s", shorten(d->files.item[i], worktree));
	if (more)
		row(out, "", "and %lld more", (long long)more);
}

/* What a recorded session has used is the sum of all attempts; a stream tells only its own. */
static void add_usage(struct buf *out, const struct source *s, const struct digest *d)
{
	const struct record *r = &s->record;
	char cost[DOLLARS_SIZE];

	row(out, "usage", "%lld tokens in, %lld out; cost %s",
		(long long)(s->recorded ? r->input : d->input),
		(long long)(s->recorded ? r->output : d->output),
		words_dollars(cost, s->recorded ? r->cost_known : d->cost_known,
			s->recorded ? r->cost : d->cost));
}

static void add_place(struct buf *out, const struct record *r)
{
	const char *saved = json_string_value(json_object_get(r->result, "saved"));

	row_if(out, "worktree", r->worktree);
	if (*r->worktree && access(r->worktree, F_OK) < 0)
		row(out, "", "(it is gone)");
	row_if(out, "branch", r->branch);
	row_if(out, "saved", saved ? saved : "");
}

static void add_final(struct buf *out, const struct source *s, const struct digest *d)
{
	const json_t *final = json_object_get(s->record.result, "final");
	const char *text = json_is_string(final) ? json_string_value(final) : d->text.text;
	size_t length = json_is_string(final) ? json_string_length(final) : d->text.length;

	if (!length)
		return;
	buf_format(out, "%-10s ", "last words");
	words_line(out, text, length, FINAL_MAX);
	buf_char(out, '\n');
}

static void add_identity(struct buf *out, const struct record *r)
{
	row(out, "session", "%s", r->id);
	row(out, "state", "%s", record_state_name(r->state));
	row_if(out, "reason", r->reason);
	row_if(out, "message", r->message);
	row_if(out, "subject", r->subject);
	row_if(out, "run", r->run);
	row(out, "agent", "%s%s%s", *r->agent ? r->agent : "unknown", *r->model ? ", " : "",
		r->model);
}

static void add_stream(struct buf *out, const struct source *s, const struct digest *d)
{
	row(out, "file", "%s", s->path);
	row_if(out, "agent", d->model);
	row(out, "reason", "%s", *d->reason ? d->reason : "none: it ended without a result");
	row_if(out, "message", d->failed.text ? d->failed.text : "");
}

static void print_summary(const struct source *s, const struct digest *d)
{
	AUTO_BUF struct buf out = {0};

	if (s->recorded)
		add_identity(&out, &s->record);
	else
		add_stream(&out, s, d);
	add_times(&out, &s->record);
	add_asked(&out, s);
	add_attempts(&out, &s->record);
	add_tools(&out, d);
	add_files(&out, d, s->recorded ? s->record.worktree : "");
	add_usage(&out, s, d);
	add_verify(&out, &s->record);
	if (s->recorded)
		add_place(&out, &s->record);
	add_leaked(&out, &s->record);
	if (d->omitted)
		row(&out, "omitted", "%lld bytes of events", (long long)d->omitted);
	add_final(&out, s, d);
	out_text(&out);
}

static json_t *files_json(const struct digest *d)
{
	json_t *files = json_array();

	for (size_t i = 0; i < d->files.count; i++)
		json_array_append_new(files, json_string(d->files.item[i]));
	return files;
}

static json_t *tools_json(struct digest *d)
{
	json_t *tools = json_array();

	for (size_t i = 0; i < d->tools; i++)
		json_array_append_new(tools, tool_json(&d->tool[i]));
	return tools;
}

static json_t *stream_json(const struct source *s, const struct digest *d)
{
	return json_pack("{s:s, s:s?, s:s?, s:s?, s:I, s:I, s:o}", "file", s->path, "model",
		*d->model ? d->model : NULL, "reason", *d->reason ? d->reason : NULL, "message",
		d->failed.length ? d->failed.text : NULL, "input", (json_int_t)d->input, "output",
		(json_int_t)d->output, "cost_usd",
		d->cost_known ? json_real(d->cost) : json_null());
}

static void copy_member(json_t *to, const struct record *r, const char *key)
{
	json_t *value = json_object_get(r->result, key);

	json_object_set(to, key, value ? value : json_null());
}

static void print_json(const struct source *s, struct digest *d)
{
	static const char *const more[] = {"attempts", "verify", "leaked", "saved", "final"};
	json_t *j = s->recorded ? record_json(&s->record) : stream_json(s, d);
	AUTO_BUF struct buf prompt = {0};

	source_file(s, "prompt.md", PROMPT_MAX, &prompt);
	for (size_t i = 0; s->recorded && i < countof(more); i++)
		copy_member(j, &s->record, more[i]);
	json_object_set_new(j, "prompt", json_stringn(prompt.text, prompt.length));
	json_object_set_new(j, "tools", tools_json(d));
	json_object_set_new(j, "files", files_json(d));
	json_object_set_new(j, "turns", json_integer(d->turns));
	json_object_set_new(j, "damaged", json_integer(s->damaged));
	out_json(j);
}

int summary_run(const struct args *args)
{
	struct source s;
	struct digest d = {0};

	source_open(&s, args);
	source_each(&s, digest_step, &d);
	digest_end(&d);
	if (source_json)
		print_json(&s, &d);
	else
		print_summary(&s, &d);
	source_warn(&s);
	digest_clear(&d);
	source_close(&s);
	return 0;
}
