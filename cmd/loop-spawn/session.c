#include "session.h"

#include "clock.h"
#include "die.h"
#include "io.h"
#include "mem.h"
#include "parse.h"
#include "prompt.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>

enum { PROMPT_MAX = 10 << 20 }; /* claude refuses more on its stdin */

static int64_t first_attempt(void)
{
	const char *text = getenv("LOOP_ATTEMPT");
	int64_t n = 1;

	if (text && parse_int(text, 1, INT64_MAX, &n) < 0)
		n = 1;
	return n;
}

static void choose_id(struct session *s)
{
	char uuid[UUID_SIZE];

	if (s->config->session && !name_valid(s->config->session))
		die_usage("--session: '%s' is no valid name", s->config->session);
	if (s->config->session)
		snprintf(s->id, sizeof s->id, "%s", s->config->session);
	else
		snprintf(s->id, sizeof s->id, "ses_%s", id_uuid(uuid));
}

/* Refuses an id that was used: a session is a record, and records are not overwritten. */
static void make_folder(struct session *s)
{
	AUTO_FREE char *path = mem_format("sessions/%s", s->id);
	AUTO_BUF struct buf text = {0};

	s->folder = state_folder(&s->state, path);
	if (s->folder < 0)
		die(EX_CANTCREAT, "%s/%s: %s", s->state.path, path, strerror(-s->folder));
	if (io_read_file(s->folder, "session.json", 1 << 20, &text) != -ENOENT)
		die(EX_CANTCREAT, "%s: there is a session of that name already", s->id);
	s->path = mem_format("%s/%s", s->state.path, path);
}

static void read_prompt(const char *path, struct buf *text)
{
	bool from_stdin = strcmp(path, "-") == 0;
	int r = from_stdin ? io_read_all(STDIN_FILENO, PROMPT_MAX, text)
			   : io_read_file(AT_FDCWD, path, PROMPT_MAX, text);

	if (r == -EMSGSIZE)
		die(EX_DATAERR, "%s: a prompt of more than 10 MiB", path);
	if (r < 0)
		die(EX_NOINPUT, "%s: %s", path, strerror(-r));
}

static bool is_blank(const struct buf *text)
{
	size_t n = 0;

	while (n < text->length && strchr(" \t\r\n", text->text[n]))
		n++;
	return n == text->length;
}

/* Dies with the places of unknown names. */
static void fill_prompt(const struct config *c, struct buf *filled)
{
	AUTO_BUF struct buf text = {0}, complaints = {0};

	read_prompt(c->prompt, &text);
	if (c->agent && is_blank(&text))
		die(EX_DATAERR, "%s: an empty prompt", c->prompt);
	if (prompt_fill(filled, c->prompt, text.text, text.length, &c->vars, &complaints)) {
		fwrite(complaints.text, 1, complaints.length, stderr);
		exit(EXIT_OWN);
	}
}

static void keep(const struct session *s, const char *name, const struct buf *text)
{
	int r = io_replace(s->folder, name, text->text, text->length, 0600);

	if (r < 0)
		die(EX_IOERR, "%s/%s: %s", s->path, name, strerror(-r));
}

void session_open(struct session *s)
{
	const struct config *config = s->config;
	AUTO_BUF struct buf prompt = {0}, system_prompt = {0};

	s->started = clock_now();
	s->started_real = clock_real();
	s->attempt = first_attempt();
	s->verified = json_array();
	s->attempts = json_array();
	choose_id(s);
	setenv("LOOP_SESSION", s->id, 1); /* for the prompt */
	if (config->prompt)
		fill_prompt(config, &prompt);
	if (config->system_prompt)
		read_prompt(config->system_prompt, &system_prompt);
	journal_init(&s->journal, &s->state);
	if (owner_self(&s->owner) < 0)
		die(EX_OSERR, "/proc cannot be read");
	make_folder(s);
	session_save(s, "starting", NULL);
	if (config->prompt)
		keep(s, s->prompt = "prompt.md", &prompt);
	if (config->system_prompt)
		keep(s, "system.md", &system_prompt);
}

char *session_file(const struct session *s, const char *name)
{
	return mem_format("%s/%s", s->path, name);
}

static json_t *owner_json(const struct owner *o)
{
	return json_pack("{s:i, s:I, s:s}", "pid", (int)o->pid, "start", (json_int_t)o->start,
		"boot", o->boot);
}

static json_t *text_or_null(const char *text)
{
	return text && *text ? json_string(text) : json_null();
}

static json_t *time_json(int64_t ns)
{
	char time[TIME_SIZE];

	return json_string(format_time(time, ns));
}

static json_t *strings_json(char *const *item, size_t count)
{
	json_t *array = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(array, json_string(item[i]));
	return array;
}

static json_t *command_json(const struct session *s)
{
	json_t *array = json_array();

	if (s->agent.run)
		json_array_append_new(array, json_string(s->agent.run));
	for (char **word = s->config->arguments; word && *word; word++)
		json_array_append_new(array, json_string(*word));
	return array;
}

json_t *usage_json(const struct usage *u)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:o}", "input", (json_int_t)u->input, "output",
		(json_int_t)u->output, "cache_read", (json_int_t)u->cache_read, "cache_write",
		(json_int_t)u->cache_write, "cost_usd",
		u->cost_known ? json_real(u->cost) : json_null());
}

/* What session.json and result.json have in common. */
static json_t *identity_json(const struct session *s)
{
	json_t *j = json_object();

	json_object_set_new(j, "session", json_string(s->id));
	json_object_set_new(j, "agent", json_string(s->agent.name ? s->agent.name : ""));
	json_object_set_new(j, "model", text_or_null(s->model));
	json_object_set_new(j, "version", text_or_null(s->version));
	json_object_set_new(j, "agent_session", text_or_null(s->agent_session));
	json_object_set_new(j, "subject", text_or_null(getenv("LOOP_SUBJECT")));
	json_object_set_new(j, "run", text_or_null(getenv("LOOP_RUN")));
	json_object_set_new(j, "task", text_or_null(getenv("LOOP_TASK")));
	json_object_set_new(j, "dir", text_or_null(s->work));
	json_object_set_new(j, "worktree", text_or_null(s->worktree));
	json_object_set_new(j, "branch", text_or_null(s->branch));
	json_object_set_new(j, "base", text_or_null(s->base));
	json_object_set_new(j, "attempt", json_integer(s->attempt));
	json_object_set_new(j, "started", time_json(s->started_real));
	json_object_set_new(j, "dropped_env", strings_json(s->dropped.item, s->dropped.count));
	return j;
}

static void write_json(const struct session *s, const char *name, const json_t *j, struct buf *out)
{
	int r;

	json_add(out, j);
	buf_char(out, '\n');
	r = io_replace(s->folder, name, out->text, out->length, 0600);
	if (r < 0)
		warn("%s/%s: %s", s->path, name, strerror(-r));
}

void session_save(struct session *s, const char *state_word, const struct owner *agent)
{
	AUTO_JSON json_t *j = identity_json(s);
	AUTO_BUF struct buf out = {0};

	s->state_word = state_word;
	json_object_set_new(j, "state", json_string(state_word));
	json_object_set_new(j, "owner", owner_json(&s->owner));
	json_object_set_new(j, "process", agent ? owner_json(agent) : json_null());
	json_object_set_new(j, "command", command_json(s));
	json_object_set_new(j, "usage", usage_json(&s->used));
	json_object_set_new(j, "conversation", usage_json(&s->conversation));
	json_object_set_new(j, "turns", json_integer(s->used.turns));
	json_object_set_new(j, "updated", time_json(clock_real()));
	write_json(s, "session.json", j, &out);
}

static json_t *exit_json(const struct verdict *v)
{
	if (v->reason == CRASHED || v->reason == KILLED)
		return json_pack("{s:i}", "signal", v->own);
	return json_pack("{s:i}", "status", v->own);
}

void session_result(struct session *s, const struct verdict *v, int status, struct buf *out)
{
	AUTO_JSON json_t *j = identity_json(s);

	json_object_set_new(j, "reason", json_string(reason_name(v->reason)));
	json_object_set_new(j, "status", json_integer(status));
	json_object_set_new(j, "success", json_boolean(v->reason == SUCCESS));
	json_object_set_new(j, "message", text_or_null(v->message));
	json_object_set_new(j, "exit", exit_json(v));
	json_object_set_new(j, "resets_at",
		v->resets_at ? time_json(v->resets_at * NS_PER_S) : json_null());
	json_object_set_new(j, "ended", time_json(clock_real()));
	json_object_set_new(j, "ms", json_integer((clock_now() - s->started) / NS_PER_MS));
	json_object_set_new(j, "cost_usd",
		s->used.cost_known ? json_real(s->used.cost) : json_null());
	json_object_set_new(j, "usage", usage_json(&s->used));
	json_object_set_new(j, "turns", json_integer(s->used.turns));
	json_object_set_new(j, "attempts", json_incref(s->attempts));
	json_object_set_new(j, "verify", json_incref(s->verified));
	json_object_set_new(j, "leaked",
		json_pack("{s:i, s:o}", "count", s->leaked.count, "first",
			text_or_null(s->leaked.first)));
	json_object_set_new(j, "denied", json_integer(s->denied));
	json_object_set_new(j, "noise", json_integer(s->noise));
	json_object_set_new(j, "oversize", json_integer(s->oversize));
	json_object_set_new(j, "saved", text_or_null(s->saved));
	json_object_set_new(j, "final",
		s->final.length ? json_stringn_nocheck(s->final.text, s->final.length)
				: json_null());
	write_json(s, "result.json", j, out);
}

void session_emit(struct session *s, const char *type, enum priority priority, json_t *data)
{
	AUTO_BUF struct buf text = {0};
	AUTO_FREE char *source = mem_format("/loop-spawn/%s", s->id);
	const char *run = getenv("LOOP_RUN"), *subject = getenv("LOOP_SUBJECT");
	struct event e = {.type = type,
		.source = source,
		.subject = subject && *subject ? subject : NULL,
		.runid = run && *run ? run : NULL,
		.sessionid = s->id,
		.priority = priority};

	json_add(&text, data);
	json_decref(data);
	e.data = (struct span){text.text, text.length};
	journal_emit(&s->journal, &e);
}
