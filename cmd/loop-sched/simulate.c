/* simulate: how long a plan would take on how many workers. */
#include "commands.h"

#include "die.h"
#include "figures.h"
#include "makespan.h"
#include "parse.h"

enum { WORKERS_MAX = 4096,
	GAIN_LEAST = 20 /* one in this many: more workers are not worth showing */ };

static struct {
	const char *jobs;
	bool json;
} opts;

const struct opt simulate_options[] = {
	{"jobs", 'j', "RANGE", "workers, as 4 or 1..16 (1 to where more do not help)",
		.string = &opts.jobs},
	{"json", 0, NULL, "one JSON object a line", .flag = &opts.json},
	{0},
};

static void parse_range(int64_t *low, int64_t *high)
{
	AUTO_FREE char *text = mem_string(opts.jobs);
	char *dots = strstr(text, "..");

	if (dots)
		*dots = '\0';
	if (parse_int(text, 1, WORKERS_MAX, low) < 0 ||
		parse_int(dots ? dots + 2 : text, *low, WORKERS_MAX, high) < 0)
		die_usage("--jobs: '%s' is neither a number nor a range such as 1..16", opts.jobs);
}

static void print_row(const struct figures *f, int64_t workers, int64_t span)
{
	double speed = span ? (double)f->work / (double)span : 1;
	char text[DURATION_SIZE];

	if (opts.json) {
		printf("{\"workers\":%lld,\"makespan\":%lld,\"unit\":\"%s\",\"speedup\":%.2f,"
		       "\"busy\":%.2f}\n",
			(long long)workers, (long long)(f->timed ? span / NS_PER_MS : span),
			f->timed ? "ms" : "task", speed, speed / (double)workers);
		return;
	}
	if (f->timed)
		format_duration(text, span);
	else
		snprintf(text, sizeof text, "%lld", (long long)span);
	printf("%7lld  %10s  %7.2f  %4.0f%%\n", (long long)workers, text, speed,
		100 * speed / (double)workers);
}

static void simulate(const struct plan *p, const struct figures *f, int64_t low, int64_t high)
{
	struct makespan *m = makespan_new(&p->dag, NULL);
	int64_t last = INT64_MAX;

	if (!opts.json)
		printf("workers  %10s  speedup  busy\n", f->timed ? "makespan" : "tasks long");
	for (int64_t w = low; w <= high; w++) {
		int64_t span = makespan_run(m, f->cost, f->rank, (uint32_t)w);

		if (!opts.jobs && last - span <= last / GAIN_LEAST && last != INT64_MAX)
			break;
		print_row(f, w, span);
		last = span;
	}
	makespan_free(m);
}

int simulate_main(const struct args *a)
{
	static struct plan p;
	struct history h = {0};
	struct figures f;
	int64_t low = 1, high = WORKERS_MAX;

	args_expect(a, 1, 1);
	if (opts.jobs)
		parse_range(&low, &high);
	plan_need(&p, a->item[0], true);
	figures_make(&f, &p, history_find(&h, &p) ? &h : NULL);
	simulate(&p, &f, low, high);
	figures_clear(&f);
	history_clear(&h);
	return EXIT_SUCCESS;
}
