/* pools/QUEUE.json: what a pool was doing when it last looked, and whether it lives. */
#include "pool.h"

#include "buf.h"
#include "clock.h"
#include "die.h"
#include "io.h"
#include "json.h"
#include "parse.h"

#include <errno.h>

static bool json;

const struct opt status_options[] = {
	{.name = "json", .help = "print JSON lines", .flag = &json},
	{0},
};

enum { FILE_MAX = 1 << 16 };

void status_write(const struct pool *p)
{
	AUTO_BUF struct buf b = {0};
	AUTO_CLOSE int dir = state_folder(p->state, "pools");
	char name[160], time[TIME_SIZE];
	struct owner self;
	int r = dir < 0 ? dir : owner_self(&self);

	if (r == 0) {
		buf_format(&b,
			"{\"pool\":\"%s\",\"pid\":%d,\"start\":%llu,\"boot\":\"%s\","
			"\"time\":\"%s\",\"workers\":%lld,\"leaving\":%lld,\"waiting\":%lld,"
			"\"min\":%lld,\"max\":%lld,"
			"\"ready\":%lld,\"claimed\":%lld,\"oldest_ms\":%lld,\"restarts\":%lld,"
			"\"paused\":%s,\"draining\":%s}\n",
			p->queue->name, (int)self.pid, (unsigned long long)self.start, self.boot,
			format_time(time, clock_real()), (long long)pool_count(p, SLOT_RUNNING),
			(long long)pool_count(p, SLOT_LEAVING),
			(long long)pool_count(p, SLOT_WAITING), (long long)choices.rules.min,
			(long long)choices.rules.max, (long long)p->load.ready,
			(long long)p->load.claimed, (long long)(p->load.age / NS_PER_MS),
			(long long)p->restarts, p->open ? "true" : "false",
			p->draining ? "true" : "false");
		snprintf(name, sizeof name, "%s.json", p->queue->name);
		r = io_replace(dir, name, b.text, b.length, 0600);
	}
	if (r < 0)
		warn("pools/%s.json: %s", p->queue->name, strerror(-r));
}

static bool is_alive(const json_t *status)
{
	struct owner owner = {0};
	const char *boot = "";
	int64_t pid = 0, start = 0;
	struct err e = {0};

	if (json_get_int(status, "pid", 1, INT32_MAX, &pid, &e) != 1 ||
		json_get_int(status, "start", 0, INT64_MAX, &start, &e) != 1 ||
		json_get_text(status, "boot", &boot, &e) != 1)
		return false;
	owner.pid = (pid_t)pid;
	owner.start = (uint64_t)start;
	snprintf(owner.boot, sizeof owner.boot, "%s", boot);
	return owner_alive(&owner);
}

static int64_t number(const json_t *status, const char *key)
{
	int64_t n = 0;

	(void)json_get_int(status, key, 0, INT64_MAX, &n, &(struct err){0});
	return n;
}

static void print_text(const char *name, const json_t *status, bool alive)
{
	if (!alive) {
		printf("%-24s not running\n", name);
		return;
	}
	printf("%-24s %lld of %lld to %lld workers; %lld ready, %lld claimed; %lld restarts%s%s\n",
		name, (long long)number(status, "workers"), (long long)number(status, "min"),
		(long long)number(status, "max"), (long long)number(status, "ready"),
		(long long)number(status, "claimed"), (long long)number(status, "restarts"),
		json_is_true(json_object_get(status, "paused")) ? "; its breaker is open" : "",
		json_is_true(json_object_get(status, "draining")) ? "; drains" : "");
}

/* 0: it runs. */
static int show(const struct state *s, const char *name)
{
	AUTO_BUF struct buf line = {0};
	AUTO_JSON json_t *status = NULL;
	char path[160];
	struct err e = {0};
	bool alive;
	int code;

	snprintf(path, sizeof path, "pools/%s.json", name);
	status = json_read(s->dir, path, FILE_MAX, &code, &e);
	if (!status && code != -ENOENT) {
		warn("%s", e.text);
		return EX_DATAERR;
	}
	alive = status && is_alive(status);
	if (json && status) {
		json_object_set_new(status, "running", json_boolean(alive));
		json_add(&line, status);
		puts(line.text);
	} else {
		print_text(name, status, alive);
	}
	return alive ? EXIT_SUCCESS : EXIT_NO;
}

int status_main(const struct args *args)
{
	AUTO_STRS struct strs names = {0};
	struct state s;
	struct err e = {0};
	int status = EXIT_SUCCESS, r = state_find(&s, &e);

	if (r < 0)
		die_err(r, &e);
	for (size_t i = 0; i < args->count; i++) {
		if (!name_valid(args->item[i]))
			die_usage("'%s' is not a queue's name", args->item[i]);
		strs_add(&names, args->item[i]);
	}
	if (!args->count && (r = state_list(&s, "pools", ".json", &names)) < 0)
		die(die_status(r), "%s/pools: %s", s.path, strerror(-r));
	for (size_t i = 0; i < names.count; i++) {
		r = show(&s, names.item[i]);
		status = MAX(status, r);
	}
	state_close(&s);
	return status;
}
