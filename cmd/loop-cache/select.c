/* Many entries at once: invalidate and list. */
#include "commands.h"

#include "clock.h"
#include "die.h"
#include "jscan.h"
#include "parse.h"

#include <errno.h>

static bool prints, json;

const struct opt invalidate_options[] = {
	OPTION_SCOPE,
	{.name = "print",
		.letter = 'p',
		.help = "print the keys that are removed",
		.flag = &prints},
	{0},
};

const struct opt list_options[] = {
	OPTION_SCOPE,
	{.name = "json", .help = "print JSON lines", .flag = &json},
	{0},
};

static void print_key(const char *key)
{
	AUTO_BUF struct buf b = {0};

	buf_escape(&b, key, strlen(key));
	puts(b.text);
}

struct removal {
	struct scope *scope;
	int64_t count;
	struct err *error;
};

static int remove_entry(const struct scope *s UNUSED, struct entry *e, void *context)
{
	struct digest key = key_digest(e->key);
	struct removal *w = context;
	int r = store_remove(w->scope, &key, w->error);

	if (r <= 0)
		return r;
	w->count++;
	if (prints)
		print_key(e->key);
	return 0;
}

int invalidate_main(const struct args *args)
{
	AUTO_SCOPE struct scope s = SCOPE_NONE;
	struct state state = {.dir = -1};
	struct err e = {0};
	struct removal w = {.scope = &s, .error = &e};
	int r;

	args_expect(args, 1, 0);
	if (!find_scope(&s, &state))
		return EXIT_NO;
	r = each_entry(&s, args, remove_entry, &w, &e);
	if (r < 0)
		die_err(r, &e);
	state_close(&state);
	return w.count ? EXIT_SUCCESS : EXIT_NO;
}

/* Of an entry, what the table alone knows. */
static void read_row(const struct scope *s, const struct entry *e, struct row *row)
{
	struct digest key = key_digest(e->key);
	int64_t line = s->table.map ? table_find(&s->table, ROW_ENTRY, &key) : -1;

	*row = (struct row){.used = e->created / NS_PER_US};
	if (line >= 0)
		table_read(&s->table, line, row);
}

static int64_t size_of(const struct entry *e)
{
	int64_t size = 0;

	for (size_t i = 0; i < e->count; i++)
		size += e->part[i].size;
	return size;
}

static void add_time(struct buf *b, const char *name, int64_t ns)
{
	char text[TIME_SIZE];

	if (ns)
		buf_format(b, ",\"%s\":\"%s\"", name, format_time(text, ns));
}

static void print_json(const struct entry *e, const struct row *row)
{
	AUTO_BUF struct buf b = {0};

	buf_str(&b, "{\"key\":");
	buf_json(&b, e->key, strlen(e->key));
	buf_format(&b, ",\"size\":%lld", (long long)size_of(e));
	add_time(&b, "created", e->created);
	add_time(&b, "expires", e->expires);
	add_time(&b, "used", row->used * NS_PER_US);
	buf_format(&b, ",\"uses\":%lld}", (long long)row->uses);
	puts(b.text);
}

static void print_text(const struct entry *e, const struct row *row)
{
	char size[BYTES_SIZE], age[DURATION_SIZE], left[DURATION_SIZE] = "-";
	AUTO_BUF struct buf key = {0};
	int64_t now = clock_real();

	buf_escape(&key, e->key, strlen(e->key));
	if (e->expires)
		format_duration(left, MAX(e->expires - now, 0));
	printf("%8s %8s %6lld %8s  %s\n", format_bytes(size, size_of(e)),
		format_duration(age, MAX(now - e->created, 0)), (long long)row->uses, left,
		key.text);
}

static int print_entry(const struct scope *s, struct entry *e, void *unused UNUSED)
{
	struct row row;

	read_row(s, e, &row);
	if (json)
		print_json(e, &row);
	else
		print_text(e, &row);
	return 0;
}

int list_main(const struct args *args)
{
	AUTO_SCOPE struct scope s = SCOPE_NONE;
	struct state state = {.dir = -1};
	struct err e = {0};
	int r;

	if (!find_scope(&s, &state))
		return EXIT_SUCCESS;
	if (scope_lock(&s, &e) == 0) /* what was noted of uses is counted */
		scope_unlock(&s);
	e.text[0] = '\0';
	if (table_open(&s.table, s.dir, true) < 0)
		table_close(&s.table); /* then without its counts */
	if (!json)
		printf("%8s %8s %6s %8s  %s\n", "SIZE", "AGE", "USES", "LEFT", "KEY");
	r = each_entry(&s, args, print_entry, NULL, &e);
	if (r < 0)
		die_err(r, &e);
	scope_close(&s);
	state_close(&state);
	return EXIT_SUCCESS;
}
