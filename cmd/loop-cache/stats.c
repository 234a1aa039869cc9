/* The counts of the scopes. */
#include "commands.h"

#include "buf.h"
#include "die.h"
#include "io.h"
#include "parse.h"

#include <errno.h>

static bool json;

const struct opt stats_options[] = {
	OPTION_SCOPE,
	{.name = "json", .help = "print JSON lines", .flag = &json},
	{0},
};

static double hit_rate(const struct table *t)
{
	int64_t hits = table_cell(t, CELL_HITS), misses = table_cell(t, CELL_MISSES);

	return hits + misses ? (double)hits / (double)(hits + misses) : 0;
}

static void print_json(const struct scope *s)
{
	printf("{\"scope\":\"%s\"", s->name);
	if (s->limits.parent[0])
		printf(",\"parent\":\"%s\"", s->limits.parent);
	printf(",\"policy\":\"%s\",\"max_size\":%lld,\"max_entries\":%lld",
		policies[s->limits.policy], (long long)s->limits.max_size,
		(long long)s->limits.max_entries);
	for (int c = CELL_ENTRIES; c <= CELL_DAMAGED; c++)
		printf(",\"%s\":%lld", cell_name((enum cell)c),
			(long long)table_cell(&s->table, (enum cell)c));
	printf(",\"hit_rate\":%.4f}\n", hit_rate(&s->table));
}

static void print_text(const struct scope *s)
{
	char bytes[BYTES_SIZE], most[BYTES_SIZE];
	const struct table *t = &s->table;

	printf("%s%s%s: %lld entries, %s of %s, %s\n", s->name,
		s->limits.parent[0] ? ", inherits from " : "", s->limits.parent,
		(long long)table_cell(t, CELL_ENTRIES),
		format_bytes(bytes, table_cell(t, CELL_BYTES)),
		s->limits.max_size ? format_bytes(most, s->limits.max_size) : "any",
		policies[s->limits.policy]);
	printf("  %lld hits, %lld misses: %.1f %%\n", (long long)table_cell(t, CELL_HITS),
		(long long)table_cell(t, CELL_MISSES), 100 * hit_rate(t));
	printf("  %lld stored, %lld evicted, %lld found expired, %lld damaged\n",
		(long long)table_cell(t, CELL_STORED), (long long)table_cell(t, CELL_EVICTED),
		(long long)table_cell(t, CELL_EXPIRED), (long long)table_cell(t, CELL_DAMAGED));
}

static void show(const struct state *state, const char *name)
{
	AUTO_SCOPE struct scope s = SCOPE_NONE;
	struct err e = {0};
	int r = scope_find(&s, state, name, &e);

	if (r == 0)
		r = scope_limits(&s, &e);
	if (r == 0)
		r = scope_lock(&s, &e);
	if (r < 0)
		die_err(r, &e);
	if (json)
		print_json(&s);
	else
		print_text(&s);
}

int stats_main(const struct args *args)
{
	AUTO_STRS struct strs names = {0};
	struct state state;
	int r = 0;

	args_none(args);
	open_state(&state, false);
	if (choices.scope)
		strs_add(&names, choices.scope);
	else
		r = state_list(&state, "cache", "", &names);
	if (r < 0)
		die(die_status(r), "%s/cache: %s", state.path, strerror(-r));
	for (size_t i = 0; i < names.count; i++)
		show(&state, names.item[i]);
	state_close(&state);
	return EXIT_SUCCESS;
}
