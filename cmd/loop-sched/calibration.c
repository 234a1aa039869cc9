#include "calibration.h"

#include "parse.h"

enum { PENDING_MAX = 8, /* predictions of one run */
	LEAST = 20 };	/* with fewer known, nothing is concluded */

#define COVERAGE 0.9
#define SCALE_MIN 0.5
#define SCALE_MAX 5.0

/* One prediction: when it was made, what it said, and how much it had been widened. */
struct prediction {
	int64_t time;
	struct range left;
	double scale;
};

struct reader {
	struct prediction pending[PENDING_MAX];
	size_t pending_count;
	double *score; /* by how many half widths, not widened, each was off */
	size_t count, capacity;
	uint32_t held;
};

static int64_t time_of(struct span line)
{
	struct span value;
	int64_t ns = 0;

	if (jscan_get(line, "time", &value) && value.n > 2)
		if (parse_rfc3339(value.p + 1, value.n - 2, &ns) < 0)
			return 0;
	return ns;
}

static void take_prediction(struct reader *r, struct span line)
{
	struct prediction *p = &r->pending[r->pending_count];
	int64_t *const part[] = {&p->left.low, &p->left.mid, &p->left.high};
	struct span value, key, item;
	struct jscan walk;

	if (r->pending_count == PENDING_MAX || !jscan_get(line, "left_ms", &value) ||
		jscan_open(&walk, value) < 0)
		return;
	*p = (struct prediction){.time = time_of(line), .scale = 1};
	for (size_t i = 0; i < countof(part) && jscan_next(&walk, &key, &item) > 0; i++) {
		if (jscan_int(item, part[i]) < 0)
			return;
		*part[i] *= NS_PER_MS;
	}
	if (jscan_get(line, "scale", &value))
		p->scale = strtod(value.p, NULL);
	r->pending_count += p->scale > 0;
}

/* By how many of the half widths that the plays gave the outcome lay off the middle. */
static double score_of(const struct prediction *p, int64_t actual)
{
	int64_t off = actual - p->left.mid;
	int64_t half = off < 0 ? p->left.mid - p->left.low : p->left.high - p->left.mid;

	return (double)llabs(off) * p->scale / (double)MAX(half, NS_PER_MS);
}

static void take_end(struct reader *r, struct span line)
{
	int64_t end = time_of(line);

	for (size_t i = 0; i < r->pending_count; i++) {
		const struct prediction *p = &r->pending[i];
		int64_t actual = end - p->time;

		r->score = mem_grow(r->score, r->count, &r->capacity, sizeof *r->score);
		r->score[r->count++] = score_of(p, actual);
		r->held += actual >= p->left.low && actual <= p->left.high;
	}
	r->pending_count = 0;
}

/* What a run that was cut off or cancelled had predicted says nothing. */
static void take_line(void *context, struct span line, bool first)
{
	struct reader *r = context;
	struct span what, state;

	if (first)
		r->pending_count = 0;
	if (!memmem(line.p, line.n, "\"run\":", 6) || !jscan_get(line, "run", &what))
		return;
	if (jscan_is(what, "predicted"))
		take_prediction(r, line);
	else if (jscan_is(what, "ended") && jscan_get(line, "state", &state) &&
		!jscan_is(state, "cancelled"))
		take_end(r, line);
	else if (jscan_is(what, "resumed") || jscan_is(what, "paused"))
		r->pending_count = 0;
}

static int by_size(const void *left, const void *right)
{
	const double *a = left, *b = right;

	return *a < *b ? -1 : *a > *b;
}

void calibration_load(struct calibration *c, const struct state *s, const struct plan *p,
	const char *except)
{
	struct reader r = {0};

	history_lines(s, p, except, take_line, &r);
	*c = (struct calibration){.count = (uint32_t)r.count, .held = r.held, .scale = 1};
	if (r.count >= LEAST) {
		qsort(r.score, r.count, sizeof *r.score, by_size);
		c->scale = r.score[(size_t)((double)(r.count - 1) * COVERAGE)];
		c->scale = MIN(MAX(c->scale, SCALE_MIN), SCALE_MAX);
	}
	free(r.score);
}

void range_scale(struct range *r, double scale)
{
	r->low = MAX(r->mid - (int64_t)((double)(r->mid - r->low) * scale), INT64_C(0));
	r->high = r->mid + (int64_t)((double)(r->high - r->mid) * scale);
}
