#include "judge.h"

#include "die.h"
#include "jscan.h"
#include "mem.h"

#include <math.h>

/* How often a step is to be taken back whose true rate is midway between good and bad. */
#define FALSE_ALARMS 0.05

static const char *const names[] = {
	[VERDICT_PASS] = "pass",
	[VERDICT_FEW] = "inconclusive",
	[VERDICT_DEGRADED] = "inconclusive",
	[VERDICT_SUSPECT] = "inconclusive",
	[VERDICT_ERROR] = "error",
	[VERDICT_FAIL] = "fail",
};

const char *verdict_name(enum verdict v)
{
	return names[v];
}

static bool get_number(struct span object, const char *key, double *out)
{
	struct span value;
	AUTO_FREE char *text = NULL;

	if (!jscan_get(object, key, &value) || jscan_kind(value) != '0')
		return false;
	text = mem_substring(value.p, value.n);
	*out = strtod(text, NULL);
	return true;
}

/* What is known of the samples: as told, or added up over windows. */
struct figures {
	bool counted, rated; /* whether there are samples, and a rate of errors */
	double samples, rate;
};

static struct figures told(struct span object)
{
	struct figures f = {0};
	double errors;

	f.counted = get_number(object, "samples", &f.samples);
	f.rated = get_number(object, "error_rate", &f.rate);
	if (!f.rated && f.samples > 0 && get_number(object, "errors", &errors)) {
		f.rated = true;
		f.rate = errors / f.samples;
	}
	return f;
}

/* The same of all windows that were added up. */
static struct figures summed(struct span object, const struct answer *a)
{
	struct figures f = told(object);

	if (!a->sum || !f.counted)
		return f;
	if (a->adds && f.samples > 0) {
		a->sum->samples += f.samples;
		a->sum->errors += f.rated ? f.rate * f.samples : 0;
	}
	f.samples = a->sum->samples;
	f.rated = f.samples > 0;
	f.rate = f.rated ? a->sum->errors / f.samples : 0;
	return f;
}

static enum verdict hold_to(const struct limit *l, double value)
{
	double sign = l->higher ? -1 : 1;

	if (sign * value > sign * l->fail)
		return VERDICT_FAIL;
	return sign * value < sign * l->pass ? VERDICT_PASS : VERDICT_DEGRADED;
}

/*
 * Whether so many errors in so many samples say that the rate is as far over the limit as
 * midway between good and bad is below it, rather than that: by the ratio of their likelihoods.
 */
static bool is_proven(const struct limit *l, double rate, double samples)
{
	double reach = (l->fail - l->pass) / 2, good = l->fail - reach, bad = l->fail + reach;

	if (reach <= 0 || bad >= 1)
		return true;
	return samples * (rate * log(bad / good) + (1 - rate) * log((1 - bad) / (1 - good))) >=
		log(1 / FALSE_ALARMS);
}

static enum verdict judge_rate(const struct limit *l, const struct figures *f)
{
	enum verdict v = hold_to(l, f->rate);

	if (v != VERDICT_FAIL || l->higher || !f->counted || is_proven(l, f->rate, f->samples))
		return v;
	return VERDICT_SUSPECT;
}

static bool is_rate(const struct limit *l)
{
	return strcmp(l->metric, "error_rate") == 0;
}

static void say(struct buf *words, const char *metric, double value)
{
	buf_format(words, "%s%s %.4g", words->length ? ", " : "", metric, value);
}

static enum verdict judge_limits(const struct check *c, struct span object,
	const struct figures *f, size_t *seen, struct buf *words)
{
	enum verdict worst = VERDICT_PASS;

	for (size_t i = 0; i < c->limit_count; i++) {
		const struct limit *l = &c->limit[i];
		double value = f->rate;
		enum verdict v;

		if (is_rate(l) ? !f->rated : !get_number(object, l->metric, &value))
			continue;
		v = is_rate(l) ? judge_rate(l, f) : hold_to(l, value);
		say(words, l->metric, value);
		if (v == VERDICT_SUSPECT)
			buf_str(words, " (perhaps by chance)");
		worst = MAX(worst, v);
		++*seen;
	}
	return worst;
}

/* The check may have made up its mind itself. */
static bool own_verdict(struct span object, enum verdict *v)
{
	struct span value;

	if (!jscan_get(object, "verdict", &value))
		return false;
	*v = VERDICT_ERROR;
	if (jscan_is(value, "pass"))
		*v = VERDICT_PASS;
	else if (jscan_is(value, "fail"))
		*v = VERDICT_FAIL;
	else if (jscan_is(value, "inconclusive"))
		*v = VERDICT_DEGRADED;
	return true;
}

static enum verdict few(enum verdict v, double samples, int64_t min_samples, struct buf *words)
{
	if (v == VERDICT_ERROR || samples >= (double)min_samples)
		return v;
	buf_format(words, "%s%.0f of %lld samples", words->length ? ", " : "", samples,
		(long long)min_samples);
	return VERDICT_FEW;
}

static enum verdict judge_object(const struct check *c, struct span object,
	const struct answer *a, int64_t min_samples, struct buf *words)
{
	struct figures f = summed(object, a);
	double samples = f.counted ? f.samples : (double)a->looks;
	enum verdict v, own;
	size_t seen = 0;

	if (f.counted && samples <= 0)
		return few(VERDICT_PASS, 0, MAX(min_samples, 1), words);
	v = judge_limits(c, object, &f, &seen, words);
	/* Until the next window is full there is nothing new to be doubted. */
	if (a->sum && !a->adds && (v == VERDICT_DEGRADED || v == VERDICT_SUSPECT))
		v = VERDICT_FEW;
	if (own_verdict(object, &own))
		v = MAX(v, own);
	else if (!seen) {
		buf_str(words, "no number that has a limit");
		return VERDICT_ERROR;
	}
	return few(v, samples, min_samples, words);
}

/* A bare number is the metric "value". */
static enum verdict judge_number(const struct check *c, struct span number,
	const struct answer *a, int64_t min_samples, struct buf *words)
{
	AUTO_BUF struct buf object = {0};

	buf_format(&object, "{\"value\":%.*s}", (int)number.n, number.p);
	return judge_object(c, (struct span){object.text, object.length}, a, min_samples, words);
}

/* It said nothing but by its status. */
static enum verdict judge_status(const struct answer *a, int64_t min_samples, struct buf *words)
{
	buf_format(words, "status %d", a->status);
	if (a->status == EX_TEMPFAIL)
		return VERDICT_DEGRADED;
	if (a->status != EXIT_SUCCESS && a->status != EXIT_NO)
		return VERDICT_ERROR;
	return few(a->status == EXIT_SUCCESS ? VERDICT_PASS : VERDICT_FAIL, (double)a->looks,
		min_samples, words);
}

enum verdict judge(const struct check *c, const struct answer *a, int64_t min_samples,
	struct buf *words)
{
	struct span text = {a->text, a->length};
	const char *what;
	size_t at;

	while (text.n && strchr(" \t\r\n", *text.p))
		text.p++, text.n--;
	if (!text.n || a->status > EXIT_NO)
		return judge_status(a, min_samples, words);
	while (text.n && strchr(" \t\r\n", text.p[text.n - 1]))
		text.n--;
	if (jscan_check(text.p, text.n, &at, &what) == 0) {
		if (jscan_kind(text) == '{')
			return judge_object(c, text, a, min_samples, words);
		if (jscan_kind(text) == '0')
			return judge_number(c, text, a, min_samples, words);
	}
	buf_str(words, "what it printed is neither an object nor a number");
	return VERDICT_ERROR;
}
