/*
 * graphlab: what graphs and their parsing cost by themselves, and what a command takes.
 *
 *	graphlab kernels NODES      a line a shape: its name and the ms of all kernels
 *	graphlab parse FILE         ms that validating a plan's JSON takes
 *	graphlab jansson FILE       ms that jansson takes for the same
 *	graphlab run COMMAND...     "ms KiB ms": wall time, the most memory of one of its
 *	                            processes, CPU time of all
 */
#include "clock.h"
#include "cycle.h"
#include "io.h"
#include "jscan.h"
#include "mem.h"

#include <fcntl.h>
#include <jansson.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>

static double milliseconds(int64_t since)
{
	return (double)(clock_now() - since) / 1e6;
}

struct shape {
	const char *name;
	uint32_t (*edges)(uint32_t nodes, struct dag_edge *);
};

static uint32_t chain(uint32_t n, struct dag_edge *e)
{
	for (uint32_t i = 1; i < n; i++)
		e[i - 1] = (struct dag_edge){i - 1, i};
	return n - 1;
}

static uint32_t star_in(uint32_t n, struct dag_edge *e)
{
	for (uint32_t i = 0; i < n - 1; i++)
		e[i] = (struct dag_edge){i, n - 1};
	return n - 1;
}

static uint32_t star_out(uint32_t n, struct dag_edge *e)
{
	for (uint32_t i = 1; i < n; i++)
		e[i - 1] = (struct dag_edge){0, i};
	return n - 1;
}

static uint32_t diamond(uint32_t n, struct dag_edge *e)
{
	uint32_t count = 0;

	for (uint32_t i = 1; i < n - 1; i++) {
		e[count++] = (struct dag_edge){0, i};
		e[count++] = (struct dag_edge){i, n - 1};
	}
	return count;
}

/* Three needs each among the thousand before. */
static uint32_t layered(uint32_t n, struct dag_edge *e)
{
	uint32_t count = 0, random = 7;

	for (uint32_t i = 1; i < n; i++)
		for (int k = 0; k < 3; k++) {
			random = random * 1103515245 + 12345;
			e[count++] = (struct dag_edge){i - 1 - (random >> 8) % MIN(i, 1000U), i};
		}
	return count;
}

static const struct shape shapes[] = {{"chain", chain}, {"star in", star_in},
	{"star out", star_out}, {"diamond", diamond}, {"layered, 3 needs", layered}};

static void kernels(const struct shape *s, uint32_t nodes, struct dag_edge *edge)
{
	uint32_t edges = s->edges(nodes, edge), *order = mem_zero(nodes + 1, 4), marked;
	uint32_t *level = mem_zero(nodes + 1, 4), *path = mem_zero(nodes + 1, 4);
	int64_t *cost = mem_zero(nodes + 1, 8), *rank = mem_zero(nodes + 1, 8);
	int64_t *start = mem_zero(nodes + 1, 8), since = clock_now();
	bool *redundant = mem_zero(edges + 1, 1);
	struct dag d;
	double all;

	for (uint32_t i = 0; i < nodes; i++)
		cost[i] = 1 + i % 7;
	dag_build(&d, nodes, edge, edges);
	dag_order(&d, order);
	dag_width(&d, level, dag_levels(&d, order, level));
	dag_rank(&d, order, cost, rank);
	dag_earliest(&d, order, cost, start);
	dag_critical(&d, cost, rank, path);
	all = milliseconds(since);
	since = clock_now();
	dag_reduce(&d, order, 20000000, redundant, &marked);
	printf("%s\t%u\t%.1f\t%.1f\n", s->name, edges, all, milliseconds(since));
	dag_clear(&d);
	free(order), free(level), free(path), free(cost), free(rank), free(start), free(redundant);
}

static void one_cycle(uint32_t nodes, struct dag_edge *edge)
{
	struct cycles found = {0};
	uint32_t edges = chain(nodes, edge);
	int64_t since = clock_now();
	struct dag d;

	edge[edges++] = (struct dag_edge){nodes - 1, 0};
	dag_build(&d, nodes, edge, edges);
	cycles_find(&found, &d);
	printf("a cycle of all\t%u\t%.1f\t0\n", edges, milliseconds(since));
	if (found.count != 1 || found.item[0].count != nodes)
		exit(1);
	cycles_clear(&found);
	dag_clear(&d);
}

static int all_kernels(const char *count)
{
	uint32_t nodes = (uint32_t)strtoul(count, NULL, 10);
	struct dag_edge *edge = mem_zero((size_t)nodes * 3, sizeof *edge);

	for (size_t i = 0; i < countof(shapes); i++)
		kernels(&shapes[i], nodes, edge);
	one_cycle(nodes, edge);
	free(edge);
	return 0;
}

static bool load_line(const char *text, size_t n)
{
	json_t *tree = json_loadb(text, n, JSON_REJECT_DUPLICATES, NULL);
	bool good = tree != NULL;

	json_decref(tree);
	return good;
}

static bool check_line(const char *text, size_t n)
{
	const char *what;
	size_t at;

	return jscan_check(text, n, &at, &what) == 0;
}

/* A document, or a document a line. */
static int parse(const char *file, bool (*see)(const char *, size_t))
{
	struct buf text = {0};
	int64_t since;
	const char *line, *end, *newline;

	if (io_read_file(AT_FDCWD, file, 1 << 30, &text) < 0)
		return 1;
	since = clock_now();
	end = text.text + text.length;
	newline = strchr(file, 0);
	if (newline - file > 5 && strcmp(newline - 5, ".json") == 0)
		return see(text.text, text.length) ? printf("%.1f\n", milliseconds(since)) < 0 : 1;
	for (line = text.text; (newline = memchr(line, '\n', (size_t)(end - line)));
		line = newline + 1)
		if (!see(line, (size_t)(newline - line)))
			return 1;
	printf("%.1f\n", milliseconds(since));
	return 0;
}

static int run(char **argv)
{
	int64_t since = clock_now();
	struct rusage used;
	int status;
	pid_t pid;

	if (posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ) != 0 ||
		wait4(pid, &status, 0, &used) != pid || status != 0)
		return 1;
	getrusage(RUSAGE_CHILDREN, &used);
	printf("%.1f %ld %.1f\n", milliseconds(since), used.ru_maxrss,
		(double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e3 +
			(double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e3);
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 2 ? argv[1] : "";

	if (strcmp(what, "kernels") == 0)
		return all_kernels(argv[2]);
	if (strcmp(what, "parse") == 0)
		return parse(argv[2], check_line);
	if (strcmp(what, "jansson") == 0)
		return parse(argv[2], load_line);
	return strcmp(what, "run") == 0 ? run(argv + 2) : 2;
}
