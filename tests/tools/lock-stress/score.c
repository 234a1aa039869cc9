/* What was counted, and how it is told. */
#include "stress.h"

void raise_to(_Atomic int64_t *most, int64_t value)
{
	int64_t old = atomic_load(most);

	while (value > old && !atomic_compare_exchange_weak(most, &old, value))
		;
}

/* Four buckets from each power of two to the next. */
static int bucket_of(int64_t us)
{
	int octave = 0;

	while (octave < BUCKETS / 4 - 1 && us >> octave > 7)
		octave++;
	return (int)MIN(octave * 4 + (us >> octave), (int64_t)BUCKETS - 1);
}

static int64_t bucket_end(int bucket)
{
	int octave = bucket < 8 ? 0 : bucket / 4 - 1;

	return ((int64_t)bucket - octave * 4 + 1) << octave;
}

/* From a release to the next hold, if who takes it waited by then. */
void count_hand_over(int which, int64_t began)
{
	int64_t freed = atomic_exchange(&board->freed[which], 0), now = clock_now();

	if (freed <= began)
		return;
	atomic_fetch_add(&board->hand_overs, 1);
	atomic_fetch_add(&board->bucket[bucket_of((now - freed) / NS_PER_US)], 1);
}

static int64_t rank(int64_t since, int level)
{
	return since - level * LEVEL_WAIT;
}

/*
 * Somebody who comes first, by level and waiting, was passed: the lock was let go
 * when it must have stood in the queue already.
 */
static void check_order(int level, int64_t began)
{
	int64_t released = atomic_load(&board->released[0]);

	for (int i = 0; i < settings.processes; i++) {
		const struct worker *w = &board->worker[i];
		int64_t since = atomic_load(&w->since);

		if (since && since + ENROLLED_AFTER < released &&
			rank(since, atomic_load(&w->level)) + ENROLLED_AFTER < rank(began, level))
			atomic_fetch_add(&board->passed, 1);
	}
}

void count_level(int level, int64_t began)
{
	struct level *l = &board->level[level];
	int64_t waited = clock_now() - began;

	check_order(level, began);
	atomic_fetch_add(&l->waits, 1);
	atomic_fetch_add(&l->total, waited);
	raise_to(&l->longest, waited);
}

static int64_t percentile(int percent)
{
	int64_t all = atomic_load(&board->hand_overs), sum = 0;

	for (int i = 0; i < BUCKETS; i++) {
		sum += atomic_load(&board->bucket[i]);
		if (sum * 100 >= all * percent)
			return bucket_end(i);
	}
	return 0;
}

/* A level waits for what came before it, and for the time that those above it are ahead. */
static int print_levels(void)
{
	int starved = 0;

	for (int i = LEVELS - 1; i >= 0; i--) {
		const struct level *l = &board->level[i];
		int64_t bound = (LEVELS - 1 - i) * LEVEL_WAIT, waits = atomic_load(&l->waits);

		printf("  level %d: %lld waits, mean %lld us, longest %lld ms; ageing allows "
		       "%lld ms and those before it\n",
			i, (long long)waits,
			(long long)(waits ? atomic_load(&l->total) / waits / NS_PER_US : 0),
			(long long)(atomic_load(&l->longest) / NS_PER_MS),
			(long long)(bound / NS_PER_MS));
		starved += atomic_load(&l->longest) > bound + NS_PER_S;
	}
	return starved;
}

static void print_nested(void)
{
	printf(", %lld victims, %lld of them for nothing, longest from forming to victim %lld ms",
		(long long)atomic_load(&board->victims), (long long)atomic_load(&board->phantoms),
		(long long)(atomic_load(&board->longest) / NS_PER_MS));
}

static void print_waits(void)
{
	printf(", longest wait %lld ms", (long long)(atomic_load(&board->longest) / NS_PER_MS));
	if (atomic_load(&board->hand_overs))
		printf(", hand-over p50 %lld us, p99 %lld us", (long long)percentile(50),
			(long long)percentile(99));
}

int score_print(int64_t lost)
{
	int64_t wrong = atomic_load(&board->violations) + atomic_load(&board->phantoms) +
		atomic_load(&board->failures) + atomic_load(&board->passed) + lost;

	printf("%lld acquisitions, %lld violations, %lld %s, %lld failures",
		(long long)atomic_load(&board->acquisitions),
		(long long)atomic_load(&board->violations), (long long)lost,
		settings.mode->nested ? "overdue" : "lost wake-ups",
		(long long)atomic_load(&board->failures));
	if (settings.mode->nested)
		print_nested();
	else
		print_waits();
	if (settings.mode->levels)
		printf(", %lld passed over", (long long)atomic_load(&board->passed));
	putchar('\n');
	if (settings.mode->levels)
		wrong += print_levels();
	return finish(wrong || !atomic_load(&board->acquisitions) ? EXIT_NO : 0);
}
