#include "unit.h"

#include "makespan.h"
#include "mem.h"

/* Two chains, a of three and b of one, and a join. */
TEST(makespan_by_hand)
{
	static const struct dag_edge edge[] = {{0, 1}, {1, 2}, {2, 4}, {3, 4}};
	int64_t cost[] = {2, 2, 2, 5, 1}, rank[5];
	bool done[5] = {true, false, false, false, false};
	uint32_t order[5];
	struct makespan *m;
	struct dag d;

	dag_build(&d, 5, edge, 4);
	dag_order(&d, order);
	dag_rank(&d, order, cost, rank);
	m = makespan_new(&d, NULL);
	CHECK_INT(makespan_run(m, cost, rank, 1), 12);
	CHECK_INT(makespan_run(m, cost, rank, 2), 7);
	CHECK_INT(makespan_run(m, cost, rank, 9), 7);
	makespan_free(m);
	m = makespan_new(&d, done);
	CHECK_INT(makespan_run(m, cost, rank, 2), 6);
	makespan_free(m);
	dag_clear(&d);
}

/* Between the lower bounds and Graham's, whatever the graph. */
TEST(makespan_bounds)
{
	enum { N = 60 };
	struct dag_edge edge[N * 3];
	int64_t cost[N], rank[N], work = 0, critical;
	uint32_t order[N], edges = 0, random = 7;
	struct makespan *m;
	struct dag d;

	for (uint32_t i = 0; i < N; i++) {
		random = random * 1103515245 + 12345;
		cost[i] = 1 + (random >> 16) % 50;
		work += cost[i];
		for (int k = 0; i && k < 2; k++) {
			random = random * 1103515245 + 12345;
			edge[edges++] = (struct dag_edge){(random >> 16) % i, i};
		}
	}
	dag_build(&d, N, edge, edges);
	CHECK_INT(dag_order(&d, order), N);
	critical = dag_rank(&d, order, cost, rank);
	m = makespan_new(&d, NULL);
	CHECK_INT(makespan_run(m, cost, rank, 1), work);
	CHECK_INT(makespan_run(m, cost, rank, N), critical);
	for (uint32_t w = 2; w < 10; w++) {
		int64_t span = makespan_run(m, cost, rank, w);

		CHECK(span >= critical && span * w >= work);
		CHECK(span * w <= work + (w - 1) * critical);
	}
	makespan_free(m);
	dag_clear(&d);
}
