#include "ledger.h"

#include "budget.h"
#include "clock.h"
#include "die.h"
#include "io.h"
#include "jscan.h"
#include "map.h"
#include "mem.h"
#include "parse.h"

#include <fcntl.h>
#include <sys/file.h>

enum { LEDGER_MAX = 256 << 20 };
#define UNKNOWN_COST INT64_C(1000000) /* a dollar, in millionths */

/* What one session reserved and, once it has settled, cost. */
struct entry {
	int64_t reserved, cost; /* millionths of a dollar */
	bool settled;
};

struct sums {
	struct map sessions;
	struct arena arena;
	int64_t spent, settled, settled_count;
};

static int open_ledger(const struct session *s)
{
	int fd = state_file(&s->state, "ledger.jsonl", O_RDWR | O_CREAT | O_APPEND, 0600);

	if (fd < 0 || flock(fd, LOCK_EX) < 0)
		die(EX_CANTCREAT, "%s/ledger.jsonl: cannot be opened and locked", s->state.path);
	return fd;
}

static bool micros_in(struct span line, const char *key, int64_t *micros)
{
	struct span value;
	char text[64];

	if (!jscan_get(line, key, &value) || value.n >= sizeof text)
		return false;
	snprintf(text, sizeof text, "%.*s", (int)value.n, value.p);
	return parse_dollars(text, micros) == 0;
}

static struct entry *entry_of(struct sums *sums, struct span name)
{
	struct entry *e = map_get_n(&sums->sessions, name.p, name.n);

	if (e)
		return e;
	e = arena_new(&sums->arena, sizeof *e);
	*e = (struct entry){0};
	return map_add(&sums->sessions, arena_substring(&sums->arena, name.p, name.n), name.n, e);
}

/* A line that is torn or not ours is no entry. */
static void add_line(struct sums *sums, const char *line, size_t length)
{
	struct span whole = {line, length}, name;
	struct entry *e;
	const char *what;
	size_t at;

	if (jscan_check(line, length, &at, &what) < 0 || !jscan_get(whole, "session", &name))
		return;
	e = entry_of(sums, name);
	micros_in(whole, "reserve_usd", &e->reserved);
	if (micros_in(whole, "cost_usd", &e->cost))
		e->settled = true;
}

static void read_ledger(int fd, struct sums *sums)
{
	AUTO_BUF struct buf text = {0};
	const char *p, *end;

	if (io_read_all(fd, LEDGER_MAX, &text) < 0)
		die(EX_IOERR, "ledger.jsonl cannot be read");
	for (p = text.text, end = p + text.length; p < end;) {
		const char *newline = memchr(p, '\n', (size_t)(end - p));
		const char *stop = newline ? newline : end;

		add_line(sums, p, (size_t)(stop - p));
		p = stop + 1;
	}
	map_each (&sums->sessions, slot) {
		const struct entry *e = slot->value;

		sums->spent += e->settled ? e->cost : e->reserved;
		sums->settled += e->settled ? e->cost : 0;
		sums->settled_count += e->settled;
	}
}

static void clear_sums(struct sums *sums)
{
	map_clear(&sums->sessions);
	arena_clear(&sums->arena);
}

/* One line, behind a newline of its own in case the last writer was cut short. */
static void append(const struct session *s, int fd, const char *key, int64_t micros)
{
	AUTO_BUF struct buf line = {0};
	off_t size = lseek(fd, 0, SEEK_END);
	char time[TIME_SIZE], last = '\n';

	if (size > 0 && io_pread(fd, &last, 1, size - 1) == 1 && last != '\n')
		buf_char(&line, '\n');
	buf_format(&line,
		"{\"time\":\"%s\",\"session\":\"%s\",\"agent\":\"%s\",\"%s\":%lld.%06lld}\n",
		format_time(time, clock_real()), s->id, s->agent.name, key,
		(long long)(micros / 1000000), (long long)(micros % 1000000));
	if (io_write(fd, line.text, line.length) < 0 || fdatasync(fd) < 0)
		warn_errno("%s/ledger.jsonl", s->state.path);
}

static int64_t wanted(const struct session *s, const struct sums *sums)
{
	int64_t own = budget_micros(s->config->budget);

	if (own >= 0)
		return own;
	return sums->settled_count ? sums->settled / sums->settled_count : UNKNOWN_COST;
}

bool ledger_reserve(struct session *s, struct verdict *v)
{
	int64_t total = budget_micros(s->config->total_budget), reserve;
	struct sums sums = {0};
	bool enough;

	if (total < 0)
		return true;
	AUTO_CLOSE int fd = open_ledger(s);
	read_ledger(fd, &sums);
	reserve = wanted(s, &sums);
	enough = sums.spent + reserve <= total && sums.spent < total;
	if (enough) {
		append(s, fd, "reserve_usd", reserve);
		s->total_left = total - sums.spent;
	} else {
		*v = (struct verdict){.reason = BUDGET};
		snprintf(v->message, sizeof v->message,
			"of the total budget of %s, %.2f are spent or reserved",
			s->config->total_budget, (double)sums.spent / 1e6);
	}
	clear_sums(&sums);
	return enough;
}

void ledger_settle(struct session *s)
{
	AUTO_CLOSE int fd = -1;

	if (!s->used.cost_known)
		return;
	fd = open_ledger(s);
	append(s, fd, "cost_usd", (int64_t)(s->used.cost * 1e6 + 0.5));
}
