#include "unit.h"

#include "cycle.h"
#include "mem.h"

/* A graph from "a>b c>d": nodes are letters. */
static uint32_t read_edges(const char *text, struct dag_edge *edge, uint32_t *nodes)
{
	uint32_t n = 0;

	*nodes = 0;
	for (; *text; text += text[3] ? 4 : 3) {
		edge[n] = (struct dag_edge){(uint32_t)(text[0] - 'a'), (uint32_t)(text[2] - 'a')};
		*nodes = MAX(*nodes, MAX(edge[n].from, edge[n].to) + 1);
		n++;
	}
	return n;
}

static void build(struct dag *d, const char *text)
{
	struct dag_edge edge[64];
	uint32_t nodes, edges = read_edges(text, edge, &nodes);

	dag_build(d, nodes, edge, edges);
}

TEST(dag_diamond)
{
	int64_t cost[] = {1, 5, 2, 1}, rank[4], start[4];
	uint32_t order[4], level[4], path[4];
	struct dag d;

	build(&d, "a>b a>c b>d c>d");
	CHECK_INT(dag_order(&d, order), 4);
	CHECK_INT(order[0], 0);
	CHECK_INT(order[3], 3);
	CHECK_INT(dag_levels(&d, order, level), 3);
	CHECK_INT(dag_width(&d, level, 3), 2);
	CHECK_INT(dag_rank(&d, order, cost, rank), 7);
	CHECK_INT(rank[2], 3);
	dag_earliest(&d, order, cost, start);
	CHECK_INT(start[3], 6);
	CHECK_INT(7 - start[2] - rank[2], 3); /* c's slack */
	CHECK_INT(dag_critical(&d, cost, rank, path), 3);
	CHECK_INT(path[1], 1);
	dag_clear(&d);
}

TEST(dag_two_components_and_none)
{
	uint32_t order[8], level[8];
	struct dag d;

	build(&d, "a>b c>d c>d");
	CHECK_INT(dag_order(&d, order), 4);
	CHECK_INT(dag_levels(&d, order, level), 2);
	CHECK_INT(dag_width(&d, level, 2), 2);
	dag_clear(&d);
	dag_build(&d, 0, NULL, 0);
	CHECK_INT(dag_order(&d, order), 0);
	CHECK_INT(dag_levels(&d, order, level), 0);
	dag_clear(&d);
}

/* Cycles as "ab" (a leads to b leads to a), one a knot. */
static void check_cycles(const char *edges, size_t count, uint32_t shortest, uint32_t knot)
{
	struct cycles found = {0};
	struct dag d;

	build(&d, edges);
	cycles_find(&found, &d);
	CHECK_INT(found.count, count);
	for (size_t i = 0; i < found.count; i++) {
		const struct cycle *c = &found.item[i];

		for (uint32_t k = 0; k < c->count; k++) {
			uint32_t from = c->node[k], to = c->node[(k + 1) % c->count];
			bool edge = false;

			for (uint32_t e = d.first_out[from]; e < d.first_out[from + 1]; e++)
				edge |= d.out[e] == to;
			CHECK(edge);
		}
	}
	if (count) {
		CHECK_INT(found.item[0].count, shortest);
		CHECK_INT(found.item[0].knot, knot);
	}
	cycles_clear(&found);
	dag_clear(&d);
}

TEST(cycle_kinds)
{
	check_cycles("a>b b>c", 0, 0, 0);
	check_cycles("a>a", 1, 1, 1);
	check_cycles("a>b b>a", 1, 2, 2);
	check_cycles("a>b b>c c>a", 1, 3, 3);
	check_cycles("a>b b>c c>d d>a c>b", 1, 2, 4); /* the shortest of a knot */
	check_cycles("a>b b>a c>d d>c b>c", 2, 2, 2);
	check_cycles("x>a a>b b>c c>a c>y", 1, 3, 3);
	check_cycles("a>b b>c c>a a>d d>e e>a d>a", 1, 2, 5);
}

static void check_reduced(const char *edges, const char *hidden)
{
	uint32_t order[32], marked, count = 0;
	bool redundant[64];
	struct dag d;

	build(&d, edges);
	CHECK_INT(dag_order(&d, order), d.nodes);
	CHECK(dag_reduce(&d, order, 1000, redundant, &marked));
	for (uint32_t i = 0; i < d.edges; i++) {
		CHECK_INT(redundant[i], hidden[i] == '1');
		count += redundant[i];
	}
	CHECK_INT(marked, count);
	dag_clear(&d);
}

TEST(dag_reduction)
{
	check_reduced("a>b b>c a>c", "001");
	check_reduced("a>c a>b b>c", "100");
	check_reduced("a>b a>b", "01");
	check_reduced("a>b b>c c>d a>d b>d a>c", "000111");
	check_reduced("a>b a>c b>d c>d", "0000");
}

TEST(dag_reduction_keeps_its_budget)
{
	uint32_t order[8], marked;
	bool redundant[8];
	struct dag d;

	build(&d, "a>b b>c c>d a>d a>c");
	dag_order(&d, order);
	CHECK(!dag_reduce(&d, order, 1, redundant, &marked));
	CHECK(!redundant[0] && !redundant[1] && !redundant[2]);
	dag_clear(&d);
}

enum { MANY = 300000 };

/* A chain of that many, and a ring: nothing recurses, nothing is quadratic. */
TEST(dag_long_chain)
{
	struct dag_edge *edge = mem_zero(MANY, sizeof *edge);
	uint32_t *order = mem_zero(MANY, sizeof *order), *level = mem_zero(MANY, sizeof *level);
	struct cycles found = {0};
	struct dag d;

	for (uint32_t i = 0; i + 1 < MANY; i++)
		edge[i] = (struct dag_edge){MANY - 1 - i, MANY - 2 - i};
	dag_build(&d, MANY, edge, MANY - 1);
	CHECK_INT(dag_order(&d, order), MANY);
	CHECK_INT(dag_levels(&d, order, level), MANY);
	CHECK_INT(dag_width(&d, level, MANY), 1);
	dag_clear(&d);
	edge[MANY - 1] = (struct dag_edge){0, MANY - 1};
	dag_build(&d, MANY, edge, MANY);
	CHECK_INT(dag_order(&d, order), 0);
	cycles_find(&found, &d);
	CHECK_INT(found.count, 1);
	CHECK_INT(found.item[0].count, MANY);
	cycles_clear(&found);
	dag_clear(&d);
	free(edge);
	free(order);
	free(level);
}

/* Everything before one, and one before everything. */
TEST(dag_stars)
{
	struct dag_edge *edge = mem_zero(MANY, sizeof *edge);
	uint32_t *order = mem_zero(MANY, sizeof *order), *level = mem_zero(MANY, sizeof *level);
	struct dag d;

	for (int inward = 0; inward < 2; inward++) {
		for (uint32_t i = 1; i < MANY; i++)
			edge[i - 1] = inward ? (struct dag_edge){i, 0} : (struct dag_edge){0, i};
		dag_build(&d, MANY, edge, MANY - 1);
		CHECK_INT(dag_order(&d, order), MANY);
		CHECK_INT(dag_levels(&d, order, level), 2);
		CHECK_INT(dag_width(&d, level, 2), MANY - 1);
		dag_clear(&d);
	}
	free(edge);
	free(order);
	free(level);
}

/* Against the definition, on small random graphs: an edge is redundant if a way avoids it. */
static bool leads(const struct dag *d, uint32_t from, uint32_t to, uint32_t without)
{
	for (uint32_t i = d->first_out[from]; i < d->first_out[from + 1]; i++) {
		if (d->out_edge[i] == without)
			continue;
		if (d->out[i] == to || leads(d, d->out[i], to, without))
			return true;
	}
	return false;
}

TEST(dag_reduction_by_definition)
{
	for (unsigned seed = 1; seed < 60; seed++) {
		struct dag_edge edge[20];
		uint32_t order[8], marked, random = seed;
		bool redundant[20], there[8][8] = {{false}};
		uint32_t edges = 0;
		struct dag d;

		for (int i = 0; i < 20; i++) {
			random = random * 1103515245 + 12345;
			uint32_t a = (random >> 16) % 8, b = (random >> 20) % 8;

			if (a >= b || there[a][b])
				continue;
			there[a][b] = true;
			edge[edges++] = (struct dag_edge){a, b};
		}
		dag_build(&d, 8, edge, edges);
		CHECK_INT(dag_order(&d, order), 8);
		CHECK(dag_reduce(&d, order, 100000, redundant, &marked));
		for (uint32_t i = 0; i < edges; i++)
			CHECK_INT(redundant[i], leads(&d, edge[i].from, edge[i].to, i));
		dag_clear(&d);
	}
}

TEST(cycle_knots_are_numbered_from_the_end)
{
	/* 0>1>2>0 is a knot that leads to 3, and 4>5>4 is one that 3 leads to; 6 stands alone. */
	static const struct dag_edge edge[] = {
		{0, 1}, {1, 2}, {2, 0}, {2, 3}, {3, 4}, {4, 5}, {5, 4}};
	uint32_t knot[7];
	struct dag d;

	dag_build(&d, 7, edge, countof(edge));
	CHECK_INT(knots_find(&d, knot), 4);
	CHECK(knot[0] == knot[1] && knot[1] == knot[2]);
	CHECK(knot[4] == knot[5]);
	CHECK(knot[0] > knot[3] && knot[3] > knot[4]);
	CHECK(knot[6] != knot[0] && knot[6] != knot[3] && knot[6] != knot[4]);
	dag_clear(&d);
}
