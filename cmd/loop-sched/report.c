/* check and import: what a plan is, and what is wrong with it. */
#include "commands.h"
#include "die.h"
#include "emit.h"
#include "figures.h"
#include "import.h"
#include "parse.h"

enum { PATH_SHOWN = 20 };

static bool as_json;
static int64_t trivial = NS_PER_S;

const struct opt optimize_options[] = {
	{"trivial", 0, "D", "chains of tasks that are known to take no longer become one (1s)",
		.duration = &trivial},
	{0},
};

const struct opt check_options[] = {
	{"json", 0, NULL, "the figures as one JSON object", .flag = &as_json},
	{0},
};

/* A cost for people: a duration, or a number of tasks. */
static const char *cost_text(char out[DURATION_SIZE], const struct figures *f, int64_t cost)
{
	if (f->timed)
		return format_duration(out, cost);
	snprintf(out, DURATION_SIZE, "%lld", (long long)cost);
	return out;
}

static void print_path(const struct plan *p, const struct figures *f)
{
	uint32_t shown = MIN(f->path_length, (uint32_t)PATH_SHOWN);

	for (uint32_t i = 0; i < shown; i++)
		printf("%s%s", i ? " -> " : "", p->task[f->path[i]].id);
	if (shown < f->path_length)
		printf(" -> … (%u more)", f->path_length - shown);
	putchar('\n');
}

/* The tasks off the critical path that may be late least. */
static void print_slack(const struct plan *p, const struct figures *f)
{
	char text[DURATION_SIZE];
	uint32_t shown = 0;

	for (uint32_t k = 0; k < p->count && shown < PATH_SHOWN; k++) {
		uint32_t i = p->order[k];
		int64_t slack = figures_slack(f, i);

		if (slack <= 0 || p->task[i].done)
			continue;
		printf("%s%s %s", shown++ ? ", " : "slack      ", p->task[i].id,
			cost_text(text, f, slack));
	}
	if (shown)
		putchar('\n');
}

static void print_figures(const struct plan *p, const struct figures *f)
{
	char text[DURATION_SIZE];
	uint32_t done = 0;

	for (uint32_t i = 0; i < p->count; i++)
		done += p->task[i].done;
	printf("plan       %s, hash %016llx\n", p->name, (unsigned long long)plan_hash(p));
	printf("tasks      %u, of which %u done; edges %u\n", p->count, done, p->edges);
	printf("levels     %u, width %u\n", f->levels, f->width);
	printf("work       %s", cost_text(text, f, f->work));
	printf(", critical path %s", cost_text(text, f, f->critical));
	if (f->critical)
		printf(", parallelism %.1f", (double)f->work / (double)f->critical);
	printf("\ncritical   ");
	print_path(p, f);
	print_slack(p, f);
}

static void print_json(const struct plan *p, const struct figures *f)
{
	AUTO_BUF struct buf b = {0};
	int64_t unit = f->timed ? NS_PER_MS : 1;

	buf_str(&b, "{\"name\":");
	buf_json(&b, p->name, strlen(p->name));
	buf_format(&b,
		",\"hash\":\"%016llx\",\"tasks\":%u,\"edges\":%u,\"levels\":%u,\"width\":%u,"
		"\"unit\":\"%s\",\"work\":%lld,\"critical\":%lld,\"path\":[",
		(unsigned long long)plan_hash(p), p->count, p->edges, f->levels, f->width,
		f->timed ? "ms" : "task", (long long)(f->work / unit),
		(long long)(f->critical / unit));
	for (uint32_t i = 0; i < f->path_length; i++)
		buf_format(&b, "%s\"%s\"", i ? "," : "", p->task[f->path[i]].id);
	buf_str(&b, "],\"slack\":{");
	for (uint32_t i = 0; i < p->count; i++)
		buf_format(&b, "%s\"%s\":%lld", i ? "," : "", p->task[i].id,
			(long long)(figures_slack(f, i) / unit));
	buf_str(&b, "}}\n");
	fwrite(b.text, 1, b.length, stdout);
}

int check_main(const struct args *a)
{
	static struct plan p;
	struct figures f;

	args_expect(a, 1, 1);
	plan_need(&p, a->item[0], true);
	figures_make(&f, &p, NULL);
	if (as_json)
		print_json(&p, &f);
	else
		print_figures(&p, &f);
	figures_clear(&f);
	return EXIT_SUCCESS;
}

/* A plan in its own form comes out as it is. */
int import_main(const struct args *a)
{
	static struct plan p;

	args_expect(a, 1, 1);
	plan_need(&p, a->item[0], true);
	fwrite(p.text.p, 1, p.text.n, stdout);
	if (p.text.n && p.text.p[p.text.n - 1] != '\n')
		putchar('\n');
	return EXIT_SUCCESS;
}

/* The same plan with fewer needs and tasks: nothing changes about what runs after what. */
int optimize_main(const struct args *a)
{
	AUTO_BUF struct buf out = {0};
	AUTO_FREE bool *hidden = NULL;
	struct history history = {0};
	struct chains chains;
	static struct plan p;
	uint32_t count = 0;

	args_expect(a, 1, 1);
	plan_need(&p, a->item[0], true);
	hidden = mem_zero((size_t)p.edges + 1, sizeof *hidden);
	if (!plan_reduce(&p, hidden))
		warn("%s: too large to look at every edge; some are left", p.file);
	for (uint32_t i = 0; i < p.edges; i++)
		count += hidden[i];
	history_find(&history, &p);
	chains_find(&chains, &p, hidden, &history, trivial);
	plan_emit(&out, &p, NULL, hidden, &chains);
	fwrite(out.text, 1, out.length, stdout);
	warn("%u of %u needs said nothing new; %u tasks went into the next", count, p.edges,
		chains.merged);
	chains_clear(&chains);
	history_clear(&history);
	return EXIT_SUCCESS;
}
