#include "budget.h"

#include "die.h"
#include "parse.h"

struct budget {
	int64_t micros, tokens; /* -1: no such bound */
};

/* "200000", "200K", "2M": thousands, not powers of two. */
static bool read_tokens(char *text, int64_t *tokens)
{
	size_t n = strlen(text);
	int64_t unit = 1;

	if (n && (text[n - 1] == 'K' || text[n - 1] == 'M')) {
		unit = text[n - 1] == 'K' ? 1000 : 1000000;
		text[n - 1] = '\0';
	}
	if (parse_int(text, 0, INT64_MAX / 1000000, tokens) < 0)
		return false;
	*tokens *= unit;
	return true;
}

static bool read_budget(const char *text, struct budget *b)
{
	size_t n = strlen(text);
	char number[64];

	*b = (struct budget){-1, -1};
	if (n < 4 || strcmp(text + n - 3, "tok") != 0)
		return parse_dollars(text, &b->micros) == 0;
	return snprintf(number, sizeof number, "%.*s", (int)(n - 3), text) <
		(int)sizeof number &&
		read_tokens(number, &b->tokens);
}

void budget_check(const char *option, const char *text)
{
	struct budget b;

	if (text && !read_budget(text, &b))
		die_usage("--%s: '%s' is neither dollars (2.50) nor tokens (200Ktok)", option,
			text);
}

bool budget_in_tokens(const char *text)
{
	struct budget b;

	return text && read_budget(text, &b) && b.tokens >= 0;
}

int64_t budget_micros(const char *text)
{
	struct budget b;

	return text && read_budget(text, &b) ? b.micros : -1;
}

static int64_t micros_of(const struct usage *u)
{
	return (int64_t)(u->cost * 1e6 + 0.5);
}

static int64_t tokens_of(const struct usage *u)
{
	return u->input + u->output + u->cache_write;
}

bool budget_exceeded(const struct session *s, const struct usage *attempt)
{
	struct usage sum = s->used;
	struct budget b = {-1, -1};

	usage_add(&sum, attempt);
	if (s->config->total_budget && micros_of(&sum) > s->total_left)
		return true;
	if (!s->config->budget || !read_budget(s->config->budget, &b))
		return false;
	return (b.micros >= 0 && micros_of(&sum) > b.micros) ||
		(b.tokens >= 0 && tokens_of(&sum) > b.tokens);
}

void budget_left(const struct session *s, struct buf *out)
{
	int64_t bound = budget_micros(s->config->budget), left;

	if (s->config->total_budget)
		bound = bound < 0 ? s->total_left : MIN(bound, s->total_left);
	if (bound < 0)
		return;
	left = MAX(bound - micros_of(&s->used), 0);
	buf_format(out, "%lld.%06lld", (long long)(left / 1000000), (long long)(left % 1000000));
}

/* A part of unknown cost makes the whole unknown; nothing at all does not. */
static bool adds_up(const struct usage *sum, const struct usage *more)
{
	bool spent = tokens_of(sum) > 0, spends = tokens_of(more) > 0;

	return (sum->cost_known || (more->cost_known && !spent)) &&
		(more->cost_known || !spends);
}

void usage_add(struct usage *sum, const struct usage *more)
{
	bool known = adds_up(sum, more);

	sum->input += more->input;
	sum->output += more->output;
	sum->cache_read += more->cache_read;
	sum->cache_write += more->cache_write;
	sum->turns += more->turns;
	sum->cost += more->cost;
	sum->cost_known = known;
}
