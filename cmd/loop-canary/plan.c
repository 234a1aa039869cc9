#include "plan.h"

#include "jscan.h"
#include "mem.h"
#include "parse.h"

#include <stdarg.h>

#define DEFAULT_HOLD (300 * NS_PER_S)
enum { DEFAULT_SAMPLES = 50 };

static const int64_t default_weights[] = {10, 25, 50, 75, 100};
static const char *const inconclusive_words[] = {"hold", "rollback", "proceed"};

/* One pass over the text. */
struct parser {
	const char *text;
	struct diags *diags;
	struct plan *plan;
	int64_t hold, min_samples; /* of steps that say nothing of their own */
};

static void PRINTF_LIKE(3, 4) complain(struct parser *p, struct span at, const char *format, ...)
{
	va_list args;
	char text[512];

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	diag_error(p->diags, (size_t)(at.p - p->text), "%s", text);
}

static void read_text(struct parser *p, struct span value, const char *key, char **out)
{
	struct buf b = {0};

	if (jscan_text(value, &b) == 0 && b.length) {
		free(*out);
		*out = buf_take(&b);
		return;
	}
	buf_clear(&b);
	complain(p, value, "%s: must be a text that is not empty", key);
}

static void read_name(struct parser *p, struct span value, const char *key, char **out)
{
	read_text(p, value, key, out);
	if (*out && !name_valid(*out))
		complain(p, value, "%s: must be a name: 1 to 128 of A-Za-z0-9._:@+-", key);
}

static void read_int(struct parser *p, struct span value, const char *key, int64_t min,
	int64_t max, int64_t *out)
{
	if (jscan_int(value, out) < 0 || *out < min || *out > max)
		complain(p, value, "%s: must be a whole number from %lld to %lld", key,
			(long long)min, (long long)max);
}

static void read_duration(struct parser *p, struct span value, const char *key, int64_t *out)
{
	AUTO_BUF struct buf b = {0};

	if (jscan_kind(value) == '0')
		buf_add(&b, value.p, value.n);
	else if (jscan_text(value, &b) < 0)
		buf_str(&b, "?");
	if (parse_duration(b.text, out) < 0)
		complain(p, value, "%s: must be a duration such as 30s or 5m", key);
}

static void read_real(struct parser *p, struct span value, const char *key, double *out)
{
	AUTO_FREE char *text = mem_substring(value.p, value.n);

	if (jscan_kind(value) != '0')
		complain(p, value, "%s: must be a number", key);
	else
		*out = strtod(text, NULL);
}

/* What an object may have: each key and who reads its value. */
struct member {
	const char *key;
	void (*read)(struct parser *, struct span value, const char *key, void *into);
};

static void unknown_key(struct parser *p, struct span key, const struct member *m)
{
	AUTO_BUF struct buf word = {0};
	struct nearest nearest;

	if (jscan_text(key, &word) < 0)
		return;
	nearest = (struct nearest){.word = word.text};
	for (; m->key; m++)
		nearest_try(&nearest, m->key);
	if (nearest.best)
		complain(p, key, "unknown key '%s'; did you mean '%s'?", word.text, nearest.best);
	else
		complain(p, key, "unknown key '%s'", word.text);
}

static void read_object(struct parser *p, struct span value, const char *what,
	const struct member *known, void *into)
{
	struct span key, item;
	struct jscan walk;

	if (jscan_kind(value) != '{' || jscan_open(&walk, value) < 0) {
		complain(p, value, "%s: must be an object", what);
		return;
	}
	while (jscan_next(&walk, &key, &item) > 0) {
		const struct member *m = known;

		while (m->key && !jscan_is(key, m->key))
			m++;
		if (m->key)
			m->read(p, item, m->key, into);
		else
			unknown_key(p, key, known);
	}
}

/* Calls read for each item of a list, at most max. */
static void read_list(struct parser *p, struct span value, const char *key, size_t max,
	void (*read)(struct parser *, struct span))
{
	struct span none, item;
	struct jscan walk;
	size_t count = 0;

	if (jscan_kind(value) != '[' || jscan_open(&walk, value) < 0) {
		complain(p, value, "%s: must be a list", key);
		return;
	}
	while (jscan_next(&walk, &none, &item) > 0) {
		if (count++ == max) {
			complain(p, item, "%s: are more than %zu", key, max);
			return;
		}
		read(p, item);
	}
	if (count == 0)
		complain(p, value, "%s: must not be empty", key);
}

static void read_weight(struct parser *p, struct span v, const char *key, void *into)
{
	struct step *s = into;

	read_int(p, v, key, 1, 100, &s->weight);
}

static void read_hold(struct parser *p, struct span v, const char *key, void *into)
{
	struct step *s = into;

	read_duration(p, v, key, &s->hold);
}

static void read_samples(struct parser *p, struct span v, const char *key, void *into)
{
	struct step *s = into;

	read_int(p, v, key, 0, INT32_MAX, &s->min_samples);
}

static const struct member step_members[] = {
	{"weight", read_weight},
	{"hold", read_hold},
	{"min_samples", read_samples},
	{0},
};

static void add_step(struct plan *plan, struct step s)
{
	plan->step = mem_resize(plan->step, plan->step_count + 1, sizeof s);
	plan->step[plan->step_count++] = s;
}

/* A weight, or an object with one. -1 is not said: the rollout's own says it. */
static void read_step(struct parser *p, struct span value)
{
	struct step s = {.weight = 0, .hold = -1, .min_samples = -1};
	struct plan *plan = p->plan;

	if (jscan_kind(value) == '0')
		read_weight(p, value, "weight", &s);
	else
		read_object(p, value, "a step", step_members, &s);
	if (s.weight == 0)
		complain(p, value, "a step needs a weight");
	else if (plan->step_count && s.weight <= plan->step[plan->step_count - 1].weight)
		complain(p, value, "weight: must be larger than that of the step before, %lld",
			(long long)plan->step[plan->step_count - 1].weight);
	add_step(plan, s);
}

static void read_pass(struct parser *p, struct span v, const char *key, void *into)
{
	read_real(p, v, key, &((struct limit *)into)->pass);
}

static void read_fail(struct parser *p, struct span v, const char *key, void *into)
{
	read_real(p, v, key, &((struct limit *)into)->fail);
}

static const struct member limit_members[] = {
	{"pass", read_pass},
	{"fail", read_fail},
	{0},
};

/* With pass above fail, more is better. */
static void read_limit(struct parser *p, struct check *c, struct span key, struct span value)
{
	struct limit l = {.pass = 0, .fail = 0};
	AUTO_BUF struct buf metric = {0};

	read_object(p, value, "a limit", limit_members, &l);
	if (jscan_text(key, &metric) < 0)
		return;
	l.metric = mem_string(metric.text);
	l.higher = l.pass > l.fail;
	c->limit = mem_resize(c->limit, c->limit_count + 1, sizeof l);
	c->limit[c->limit_count++] = l;
}

static void read_limits(struct parser *p, struct span value, const char *what, void *into)
{
	struct check *c = into;
	struct span key, item;
	struct jscan walk;

	if (jscan_kind(value) != '{' || jscan_open(&walk, value) < 0) {
		complain(p, value, "%s: must be an object", what);
		return;
	}
	while (jscan_next(&walk, &key, &item) > 0) {
		if (c->limit_count == LIMITS_MAX) {
			complain(p, key, "limits: are more than %d", LIMITS_MAX);
			return;
		}
		read_limit(p, c, key, item);
	}
}

static void read_check_name(struct parser *p, struct span v, const char *key, void *into)
{
	read_text(p, v, key, &((struct check *)into)->name);
}

static void read_check_command(struct parser *p, struct span v, const char *key, void *into)
{
	read_text(p, v, key, &((struct check *)into)->command);
}

static void read_check_window(struct parser *p, struct span v, const char *key, void *into)
{
	struct check *c = into;

	read_duration(p, v, key, &c->window);
}

static const struct member check_members[] = {
	{"name", read_check_name},
	{"command", read_check_command},
	{"window", read_check_window},
	{"limits", read_limits},
	{0},
};

static bool has_limit(const struct check *c, const char *metric)
{
	for (size_t i = 0; i < c->limit_count; i++)
		if (strcmp(c->limit[i].metric, metric) == 0)
			return true;
	return false;
}

/* What every check is held to where it says nothing else. */
static void add_default(struct check *c, const char *metric, double pass, double fail)
{
	if (has_limit(c, metric))
		return;
	c->limit = mem_resize(c->limit, c->limit_count + 1, sizeof *c->limit);
	c->limit[c->limit_count++] = (struct limit){mem_string(metric), pass, fail, false};
}

static void read_check(struct parser *p, struct span value)
{
	struct plan *plan = p->plan;
	struct check c = {0};

	if (jscan_kind(value) == '"')
		read_text(p, value, "checks", &c.command);
	else
		read_object(p, value, "a check", check_members, &c);
	if (!c.command)
		complain(p, value, "a check needs a command");
	if (!c.name)
		c.name = mem_format("check %zu", plan->check_count + 1);
	add_default(&c, "error_rate", 0.05, 0.10);
	add_default(&c, "latency_ms", 200, 200);
	plan->check = mem_resize(plan->check, plan->check_count + 1, sizeof c);
	plan->check[plan->check_count++] = c;
}

static void read_inconclusive(struct parser *p, struct span v, const char *key, void *into UNUSED)
{
	for (size_t i = 0; i < countof(inconclusive_words); i++)
		if (jscan_is(v, inconclusive_words[i])) {
			p->plan->on_inconclusive = (int)i;
			return;
		}
	complain(p, v, "%s: must be hold, rollback or proceed", key);
}

#define READER(function, call)                                                             \
	static void function(struct parser *p, struct span v, const char *key, void *into) \
	{                                                                                  \
		struct plan *plan = into;                                                  \
                                                                                           \
		call;                                                                      \
	}
READER(read_plan_name, read_name(p, v, key, &plan->name))
READER(read_target, read_name(p, v, key, &plan->target))
READER(read_apply, read_text(p, v, key, &plan->apply))
READER(read_rollback, read_text(p, v, key, &plan->rollback))
READER(read_promote, read_text(p, v, key, &plan->promote))
READER(read_every, read_duration(p, v, key, &plan->every))
READER(read_timeout, read_duration(p, v, key, &plan->timeout))
READER(read_check_timeout, read_duration(p, v, key, &plan->check_timeout))
READER(read_deadline, read_duration(p, v, key, &plan->deadline))
READER(read_failures, read_int(p, v, key, 0, 1000, &plan->failure_limit))
READER(read_inconclusives, read_int(p, v, key, 1, 1000000, &plan->inconclusive_limit))
READER(read_errors, read_int(p, v, key, 0, 1000, &plan->error_limit))
READER(read_successes, read_int(p, v, key, 1, 1000, &plan->success_needed))
READER(read_attempts, read_int(p, v, key, 1, 100, &plan->attempts))
READER(read_all_hold, (void)plan; read_duration(p, v, key, &p->hold))
READER(read_all_samples, (void)plan; read_int(p, v, key, 0, INT32_MAX, &p->min_samples))
READER(read_steps, (void)plan; read_list(p, v, key, STEPS_MAX, read_step))
READER(read_checks, (void)plan; read_list(p, v, key, CHECKS_MAX, read_check))

static const struct member members[] = {
	{"name", read_plan_name},
	{"target", read_target},
	{"apply", read_apply},
	{"rollback", read_rollback},
	{"promote", read_promote},
	{"steps", read_steps},
	{"checks", read_checks},
	{"every", read_every},
	{"hold", read_all_hold},
	{"min_samples", read_all_samples},
	{"timeout", read_timeout},
	{"check_timeout", read_check_timeout},
	{"deadline", read_deadline},
	{"failure_limit", read_failures},
	{"inconclusive_limit", read_inconclusives},
	{"error_limit", read_errors},
	{"success_needed", read_successes},
	{"attempts", read_attempts},
	{"on_inconclusive", read_inconclusive},
	{0},
};

static void require(struct parser *p, const char *value, const char *key)
{
	if (!value)
		diag_error(p->diags, 0, "%s: is missing", key);
}

static void complete(struct parser *p)
{
	struct plan *plan = p->plan;

	require(p, plan->name, "name");
	require(p, plan->apply, "apply");
	require(p, plan->rollback, "rollback");
	if (!plan->check_count)
		diag_error(p->diags, 0, "checks: are missing: nothing would watch");
	if (plan->every <= 0)
		diag_error(p->diags, 0, "every: must be more than nothing");
	if (!plan->target && plan->name)
		plan->target = mem_string(plan->name);
	if (!plan->step_count)
		for (size_t i = 0; i < countof(default_weights); i++)
			add_step(plan, (struct step){default_weights[i], -1, -1});
	for (size_t i = 0; i < plan->step_count; i++) {
		struct step *s = &plan->step[i];

		s->hold = s->hold < 0 ? p->hold : s->hold;
		s->min_samples = s->min_samples < 0 ? p->min_samples : s->min_samples;
	}
	if (plan->step_count && plan->step[plan->step_count - 1].weight != 100)
		diag_error(p->diags, 0, "steps: the last must have the weight 100");
}

void plan_parse(struct plan *plan, const char *text, size_t length, struct diags *d)
{
	struct parser p = {text, d, plan, DEFAULT_HOLD, DEFAULT_SAMPLES};
	struct span whole = {text, length};
	const char *what;
	size_t at;

	*plan = (struct plan){
		.every = 30 * NS_PER_S,
		.timeout = 300 * NS_PER_S,
		.check_timeout = 60 * NS_PER_S,
		.inconclusive_limit = 20,
		.error_limit = 4,
		.success_needed = 1,
		.attempts = 3,
	};
	if (jscan_check(text, length, &at, &what) < 0) {
		diag_error(d, at, "%s", what);
		return;
	}
	while (whole.n && strchr(" \t\r\n", *whole.p))
		whole.p++, whole.n--;
	read_object(&p, whole, "a rollout", members, plan);
	complete(&p);
}

static void check_clear(struct check *c)
{
	for (size_t i = 0; i < c->limit_count; i++)
		free(c->limit[i].metric);
	free(c->limit);
	free(c->name);
	free(c->command);
}

void plan_clear(struct plan *plan)
{
	for (size_t i = 0; i < plan->check_count; i++)
		check_clear(&plan->check[i]);
	free(plan->check);
	free(plan->step);
	free(plan->name);
	free(plan->target);
	free(plan->apply);
	free(plan->rollback);
	free(plan->promote);
	*plan = (struct plan){0};
}
