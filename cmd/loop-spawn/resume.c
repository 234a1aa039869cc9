#include "resume.h"

#include "die.h"
#include "io.h"
#include "lock.h"
#include "mem.h"
#include "parse.h"

#include <errno.h>

enum { RECORD_MAX = 16 << 20 };

static json_t *read_record(const struct session *s, const char *id)
{
	AUTO_FREE char *path = mem_format("sessions/%s/session.json", id);
	struct err e = {0};
	json_t *record;
	int code;

	if (!name_valid(id))
		die_usage("--resume: '%s' is no name of a session", id);
	record = json_read(s->state.dir, path, RECORD_MAX, &code, &e);
	if (!record)
		die(EX_NOINPUT, "--resume: %s", e.text);
	return record;
}

static bool still_runs(const json_t *record)
{
	struct owner owner;

	return json_get_owner(record, "owner", &owner) && owner_alive(&owner);
}

static int64_t number_of(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static void take_usage(struct usage *u, const json_t *used)
{
	const json_t *cost = json_object_get(used, "cost_usd");

	*u = (struct usage){.input = number_of(used, "input"),
		.output = number_of(used, "output"),
		.cache_read = number_of(used, "cache_read"),
		.cache_write = number_of(used, "cache_write"),
		.cost = json_number_value(cost),
		.cost_known = json_is_number(cost)};
}

/* For as long as we live. */
static void take_lock(const struct session *s, const char *conversation)
{
	AUTO_FREE char *name = mem_format("conversation:%s", conversation);
	const struct lock_want want = {.name = name, .units = 1, .capacity = 1};
	const struct lock_options options = {.label = s->config->resume};
	struct lock *lock;
	struct err e = {0};
	int r = lock_acquire(&lock, &s->state, &want, 1, &options, &e);

	if (r < 0)
		die(r == -EAGAIN ? EX_TEMPFAIL : EX_CANTCREAT, "--resume: %s", e.text);
}

void resume_open(struct session *s)
{
	const char *id = s->config->resume, *agent, *conversation;
	AUTO_JSON json_t *record = read_record(s, id);

	agent = json_string_value(json_object_get(record, "agent"));
	conversation = json_string_value(json_object_get(record, "agent_session"));
	if (!agent || strcmp(agent, s->agent.name) != 0)
		die_usage("--resume: %s is a session of agent '%s'", id, agent ? agent : "");
	if (!s->agent.resumes || !conversation || !name_valid(conversation))
		die(EX_UNAVAILABLE, "--resume: %s has no conversation to go on with", id);
	if (still_runs(record))
		die(EX_TEMPFAIL, "--resume: %s still runs", id);
	take_lock(s, conversation);
	snprintf(s->resume, sizeof s->resume, "%s", conversation);
	snprintf(s->agent_session, sizeof s->agent_session, "%s", conversation);
	take_usage(&s->conversation, json_object_get(record, "conversation"));
}

void resume_note(struct session *s, const struct verdict *v)
{
	AUTO_BUF struct buf text = {0};
	int r;

	buf_format(&text,
		"The session was interrupted (%s%s%s). Look at what has been done already, then "
		"go on\nfrom there with the task as it was given.\n",
		reason_name(v->reason), v->message[0] ? ": " : "", v->message);
	r = io_replace(s->folder, "resume.md", text.text, text.length, 0600);
	if (r < 0)
		warn("%s/resume.md: %s", s->path, strerror(-r));
	s->prompt = r < 0 ? "prompt.md" : "resume.md";
}
