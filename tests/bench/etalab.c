/*
 * etalab: the record of a synthetic run of a plan, cut off at a quarter of its tasks as if
 * that were now, or whole. Everything follows from the seed, the series (a plan) and the run.
 *
 *	etalab STATE SERIES RUN QUARTER PID START BOOT [PREDICTIONS]
 *
 * Prints the milliseconds that are left. QUARTER 4 is the whole run, with the lines of the
 * file PREDICTIONS ("QUARTER LOW MID HIGH SCALE") at their places.
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { TASKS_MAX = 64,
	NEEDS = 2 };

struct task {
	double base, took, start, end, rank;
	int need[NEEDS], needs;
};

static struct task task[TASKS_MAX];
static int tasks, workers;
static double now_real;

static uint64_t seed;

static double uniform(void)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (double)(seed >> 11) / (double)(UINT64_C(1) << 53);
}

static double lognormal(double sigma)
{
	return exp(sigma * sqrt(-2 * log(uniform() + 1e-300)) * cos(2 * M_PI * uniform()));
}

static void make_plan(unsigned series)
{
	seed = 1000 + series;
	uniform();
	tasks = 16 + (int)(uniform() * 40);
	workers = 2 + (int)(uniform() * 3);
	for (int i = 0; i < tasks; i++) {
		task[i] = (struct task){.base = 60 * lognormal(0.6)};
		for (int k = 0; i && k < NEEDS; k++)
			if (uniform() < 0.6)
				task[i].need[task[i].needs++] =
					i - 1 - (int)(uniform() * (i < 8 ? i : 8));
	}
	for (int i = tasks; i--;) {
		task[i].rank += task[i].base;
		for (int k = 0; k < task[i].needs; k++)
			if (task[task[i].need[k]].rank < task[i].rank)
				task[task[i].need[k]].rank = task[i].rank;
	}
}

static int ready_at(int i, double t)
{
	for (int k = 0; k < task[i].needs; k++)
		if (task[task[i].need[k]].end > t)
			return 0;
	return task[i].start < 0;
}

/* List scheduling by rank; the time of the end. */
static double play(unsigned series, unsigned run)
{
	double free_at[8] = {0}, last = 0, pace;

	seed = 77 + series * 1000003ULL + run * 7919ULL;
	uniform();
	pace = lognormal(0.1);
	for (int i = 0; i < tasks; i++) {
		task[i].took = task[i].base * pace * lognormal(0.35);
		task[i].start = -1;
		task[i].end = INFINITY;
	}
	for (int done = 0; done < tasks;) {
		int w = 0, best = -1;
		double t;

		for (int k = 1; k < workers; k++)
			w = free_at[k] < free_at[w] ? k : w;
		t = free_at[w];
		for (int i = 0; i < tasks; i++)
			if (ready_at(i, t) && (best < 0 || task[i].rank > task[best].rank))
				best = i;
		if (best < 0) { /* until something ends */
			double next = INFINITY;

			for (int i = 0; i < tasks; i++)
				if (task[i].start >= 0 && task[i].end > t && task[i].end < next)
					next = task[i].end;
			free_at[w] = next;
			continue;
		}
		task[best].start = t;
		task[best].end = free_at[w] = t + task[best].took;
		last = task[best].end > last ? task[best].end : last;
		done++;
	}
	return last;
}

static int by_time(const void *left, const void *right)
{
	const double *a = left, *b = right;

	return *a < *b ? -1 : *a > *b;
}

/* When so many quarters of the tasks had ended. */
static double quarter_time(int quarter)
{
	double end[TASKS_MAX];

	for (int i = 0; i < tasks; i++)
		end[i] = task[i].end;
	qsort(end, (size_t)tasks, sizeof *end, by_time);
	return end[(quarter * tasks + 3) / 4 - 1];
}

static void stamp(FILE *f, double at, double cut)
{
	double real = now_real - cut + at;
	time_t whole = (time_t)real;
	struct tm tm;
	char text[32];

	gmtime_r(&whole, &tm);
	strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
	fprintf(f, "{\"time\":\"%s.%06dZ\",", text, (int)((real - (double)whole) * 1e6));
}

static void write_plan(const char *folder, unsigned series)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof path, "%s/plan.json", folder);
	f = fopen(path, "w");
	fprintf(f, "{\"name\":\"series %u\",\"tasks\":[", series);
	for (int i = 0; i < tasks; i++) {
		fprintf(f, "%s{\"id\":\"t%d\",\"run\":\"true\",\"needs\":[", i ? "," : "", i);
		for (int k = 0; k < task[i].needs; k++)
			fprintf(f, "%s\"t%d\"", k ? "," : "", task[i].need[k]);
		fputs("]}", f);
	}
	fputs("]}\n", f);
	fclose(f);
}

/* What happened up to the cut, in the order of time. */
static void write_events(FILE *f, double cut)
{
	double at = -1;

	for (;;) {
		double next = INFINITY;

		for (int i = 0; i < tasks; i++) {
			next = task[i].start > at && task[i].start < next ? task[i].start : next;
			next = task[i].end > at && task[i].end < next ? task[i].end : next;
		}
		if (next > cut)
			return;
		for (int i = 0; i < tasks; i++)
			if (task[i].end == next) {
				stamp(f, next, cut);
				fprintf(f,
					"\"task\":\"t%d\",\"state\":\"succeeded\","
					"\"attempt\":1,\"status\":0,\"ms\":%.0f}\n",
					i, task[i].took * 1000);
			}
		for (int i = 0; i < tasks; i++)
			if (task[i].start == next) {
				stamp(f, next, cut);
				fprintf(f,
					"\"task\":\"t%d\",\"state\":\"running\","
					"\"attempt\":1}\n",
					i);
			}
		at = next;
	}
}

static void write_predictions(FILE *f, const char *file, double cut)
{
	FILE *in = fopen(file, "r");
	double low, mid, high, scale;
	int quarter;

	while (in && fscanf(in, "%d %lf %lf %lf %lf", &quarter, &low, &mid, &high, &scale) == 5) {
		stamp(f, quarter_time(quarter), cut);
		fprintf(f, "\"run\":\"predicted\",\"left_ms\":[%.0f,%.0f,%.0f],\"scale\":%.3f}\n",
			low, mid, high, scale);
	}
	if (in)
		fclose(in);
}

int main(int argc, char **argv)
{
	unsigned series, run;
	int quarter;
	double last, cut;
	char path[512];
	struct timespec t;
	FILE *f;

	if (argc < 8)
		return 2;
	clock_gettime(CLOCK_REALTIME, &t);
	now_real = (double)t.tv_sec + (double)t.tv_nsec / 1e9;
	series = (unsigned)atoi(argv[2]), run = (unsigned)atoi(argv[3]), quarter = atoi(argv[4]);
	make_plan(series);
	last = play(series, run);
	cut = quarter == 4 ? last : quarter_time(quarter);
	snprintf(path, sizeof path, "%s/runs/run-%02u-%03u", argv[1], series, run);
	mkdir(path, 0700);
	write_plan(path, series);
	snprintf(path, sizeof path, "%s/runs/run-%02u-%03u/run.jsonl", argv[1], series, run);
	f = fopen(path, "w");
	stamp(f, 0, cut);
	fprintf(f,
		"\"run\":\"started\",\"id\":\"x\",\"plan\":\"series %u\",\"tasks\":%d,"
		"\"jobs\":%d,\"pid\":%s,\"start\":%s,\"boot\":\"%s\"}\n",
		series, tasks, workers, argv[5], argv[6], argv[7]);
	write_events(f, cut);
	if (quarter == 4) {
		if (argc > 8)
			write_predictions(f, argv[8], cut);
		stamp(f, last, cut);
		fprintf(f,
			"\"run\":\"ended\",\"state\":\"succeeded\",\"counts\":{},"
			"\"ms\":%.0f}\n",
			last * 1000);
	}
	if (fclose(f) != 0)
		return 1;
	printf("%.0f\n", (last - cut) * 1000);
	return 0;
}
