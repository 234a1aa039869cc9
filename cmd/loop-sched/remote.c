#include "remote.h"

#include "cached.h"
#include "die.h"
#include "io.h"
#include "parse.h"
#include "redis.h"
#include "resource.h"
#include "store.h"

enum { NAME_MAX_LENGTH = 128,
	REPORT_MAX = 1 << 16 };

#define PATIENCE (10 * NS_PER_S) /* before the first task; a call has its own */

const char *remote_queue(const char *on)
{
	const char prefix[] = "queue:";

	if (!on)
		return NULL;
	if (strncmp(on, prefix, sizeof prefix - 1) != 0 || !name_valid(on + sizeof prefix - 1))
		die_usage("--on: '%s' is not queue:NAME", on);
	return on + sizeof prefix - 1;
}

static uint64_t hash_of(const char *text)
{
	uint64_t hash = 14695981039346656037U; /* FNV-1a */

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 1099511628211U;
	return hash;
}

/* RUN:TASK:ATTEMPT, where it fits; the ticket tells runs of one name apart. */
static void add_name(const struct run *r, uint32_t task, enum purpose purpose, struct strs *argv)
{
	static const char *const what[] = {[TO_RUN] = "", [TO_ASK] = ":when", [TO_UNDO] = ":undo"};
	const char *id = r->plan.task[task].id;
	AUTO_FREE char *name = mem_format("%s:%s:%s:%u%s", r->id, r->options.ticket, id,
		r->node[task].attempt, what[purpose]);

	if (strlen(name) <= NAME_MAX_LENGTH)
		strs_format(argv, "--name=%s", name);
	else
		strs_format(argv, "--name=%s:%016llx:%u%s", r->options.ticket,
			(unsigned long long)hash_of(name), r->node[task].attempt, what[purpose]);
}

static void add_time(struct strs *argv, const char *option, int64_t ns)
{
	if (ns)
		strs_format(argv, "--%s=%lldms", option, (long long)(ns / NS_PER_MS));
}

/* What the task holds is held among all hosts, too, while it is called. */
static void add_locks(struct run *r, const struct task *t, struct strs *argv)
{
	AUTO_FREE struct lock_want *want = NULL;
	size_t count = 0;

	if (remote_redis(&r->options) && task_has(&r->plan, t, M_RESOURCES))
		want = resource_wants(&r->plan, t, &count);
	if (!count)
		return;
	strs_add(argv, "loop-lock");
	strs_format(argv, "--label=%s", t->id);
	for (size_t i = 0; i < count; i++)
		strs_format(argv, want[i].capacity ? "%s:%lld/%lld" : "%s:%lld", want[i].name,
			(long long)want[i].units, (long long)want[i].capacity);
	strs_add(argv, "--");
}

void remote_wrap(struct run *r, uint32_t task, enum purpose purpose, const char *folder,
	struct strs *command)
{
	static const char *const names[] = {"LOOP_RUN", "LOOP_TASK", "LOOP_ATTEMPT",
		"LOOP_SUBJECT", "LOOP_INDEX"};
	static const char *const inputs[] = {"LOOP_TASK_FILE", "LOOP_INPUTS", "LOOP_PROMPT"};
	static const char *const outputs[] = {"LOOP_OUTPUT", "LOOP_RETRY_AFTER"};
	const struct task *t = &r->plan.task[task];
	struct strs argv = {0};

	if (purpose == TO_RUN)
		add_locks(r, t, &argv);
	strs_add(&argv, "loop-job");
	strs_add(&argv, "call");
	add_name(r, task, purpose, &argv);
	strs_format(&argv, "--report=%s/%s/%s", r->path, folder,
		purpose == TO_ASK ? "when.json" : "job.json");
	for (size_t i = 0; i < countof(names); i++)
		strs_format(&argv, "--env=%s", names[i]);
	name_environment(r, t, &argv);
	for (size_t i = 0; i < countof(inputs); i++)
		strs_format(&argv, "--input-var=%s", inputs[i]);
	for (size_t i = 0; i < countof(outputs); i++)
		strs_format(&argv, "--output-var=%s", outputs[i]);
	add_time(&argv, "timeout", t->recipe->timeout);
	add_time(&argv, "stall", t->recipe->stall);
	add_time(&argv, "kill-after", r->options.grace);
	if (task_has(&r->plan, t, M_DIR)) {
		AUTO_BUF struct buf dir = {0};

		buf_str(&dir, "--dir=");
		jscan_text(task_get(&r->plan, t, M_DIR), &dir);
		strs_add(&argv, dir.text);
	}
	strs_add(&argv, r->options.queue);
	strs_add(&argv, "--");
	for (size_t i = 0; i < command->count; i++)
		strs_add(&argv, command->item[i]);
	strs_clear(command);
	*command = argv;
}

/* The reasons that are more than words to us. */
static const struct {
	const char *word, *reason;
	enum ending ending;
} endings[] = {
	{"timeout", "ran longer than its timeout", ENDS_TIMEOUT},
	{"stall", "was silent longer than its stall time", ENDS_STALL},
};

static void judge(struct run *r, struct job *j, struct span reason, enum tstate *state,
	const char **why)
{
	AUTO_BUF struct buf text = {0};

	for (size_t i = 0; i < countof(endings); i++)
		if (jscan_is(reason, endings[i].word)) {
			*state = TIMED_OUT;
			*why = endings[i].reason;
			j->ending = endings[i].ending;
			return;
		}
	if (jscan_text(reason, &text) == 0 && text.length)
		*why = plan_text(&r->plan, reason);
}

void remote_judge(struct run *r, struct job *j, enum tstate *state, const char **why)
{
	const char *id = r->plan.task[j->task].id;
	AUTO_BUF struct buf text = {0};
	struct span reason;
	char path[300];

	if (!r->options.queue || j->ending != ENDS_ITSELF || *state != FAILED)
		return;
	snprintf(path, sizeof path, "%s/%u/%s.json", id, r->node[j->task].attempt,
		j->purpose == TO_ASK ? "when" : "job");
	if (io_read_file(r->tasks, path, REPORT_MAX, &text) == 0 &&
		jscan_get((struct span){text.text, text.length}, "reason", &reason))
		judge(r, j, reason, state, why);
}

/*
 * Where the queue is, for the calls, by their environment: a password is not for a
 * command line, nor for the run's file.
 */
void remote_store(struct run_options *o)
{
	const char *store;

	if (!o->queue)
		return;
	if (o->store && setenv("LOOP_STORE", o->store, 1) < 0)
		die_errno(EX_OSERR, "environment");
	store = store_choose(NULL);
	o->store = strchr(store, '@') ? NULL : mem_string(store);
}

const char *remote_redis(const struct run_options *o)
{
	const char *store = store_choose(NULL);

	return o->queue && !store_in_files(store) ? store : NULL;
}

void remote_reach(const struct run_options *o)
{
	const struct redis_how how = {.url = remote_redis(o), .patience = PATIENCE};
	struct redis *redis;
	struct err e = {0};
	int code;

	if (!how.url)
		return;
	code = redis_open(&redis, &how, &e);
	if (code < 0)
		die(die_status(code), "queue:%s: %s", o->queue, e.text);
	redis_close(redis);
}
