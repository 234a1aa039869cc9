#include "resources.h"

#include "conn.h"
#include "folder.h"
#include "io.h"
#include "parse.h"
#include "run.h"
#include "server.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

enum { LIST_DEFAULT = 50,
	LIST_MAX = 500,
	DOCUMENT_MAX = 64 << 20,
	LOG_DEFAULT = 64 << 10,
	LOG_MAX = 4 << 20 };

static void add_string(struct buf *b, const char *key, const char *value)
{
	buf_format(b, "\"%s\":", key);
	buf_json(b, value, strlen(value));
	buf_char(b, ',');
}

static void add_time(struct buf *b, const char *key, int64_t ns)
{
	char text[TIME_SIZE];

	if (ns)
		add_string(b, key, format_time(text, ns));
	else
		buf_format(b, "\"%s\":null,", key);
}

/* A number from the query; what is none is the default. */
static int64_t number(struct conn *c, const char *name, int64_t otherwise, int64_t max)
{
	AUTO_BUF struct buf text = {0};
	int64_t value;

	if (query_get(c->intake->request.query, name, &text) <= 0 ||
		parse_int(text.text, 0, max, &value) < 0)
		return otherwise;
	return value;
}

/* A JSON file as it stands, or null where there is none or it is not JSON. */
static void add_document(struct buf *b, int dir, const char *path)
{
	AUTO_BUF struct buf text = {0};
	AUTO_CLOSE int fd = io_open(dir, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
	const char *what;
	size_t at;

	if (fd < 0 || io_read_all(fd, DOCUMENT_MAX, &text) < 0 ||
		jscan_check(text.text, text.length, &at, &what) < 0) {
		buf_str(b, "null");
		return;
	}
	while (text.length && strchr("\r\n ", text.text[text.length - 1]))
		text.length--;
	buf_add(b, text.text, text.length);
}

static void ignore(void *context, struct run *r, struct task *t)
{
	(void)context;
	(void)r;
	(void)t;
}

static const char *run_state(const struct run *r)
{
	if (r->ended)
		return r->outcome;
	if (!r->owner.pid || !owner_alive(&r->owner))
		return "interrupted";
	return r->cancelling ? "cancelling" : r->paused ? "paused"
							: "running";
}

/* Members of an object that is open, each with its comma behind it. */
static void add_run(struct buf *b, const struct run *r)
{
	add_string(b, "id", r->id);
	add_string(b, "plan", r->plan);
	add_string(b, "state", run_state(r));
	add_time(b, "started", r->started);
	add_time(b, "ended", r->ended);
	buf_format(b,
		"\"retries\":%lld,\"counts\":{\"all\":%zu,\"waiting\":%zu,\"active\":%zu,"
		"\"succeeded\":%zu,\"failed\":%zu,\"other\":%zu},",
		(long long)r->retries, r->count, run_count(r, TASK_WAITING),
		run_count(r, TASK_ACTIVE), run_count(r, TASK_GOOD), run_count(r, TASK_BAD),
		run_count(r, TASK_IDLE));
}

static void add_task(struct buf *b, const struct task *t)
{
	buf_char(b, '{');
	add_string(b, "id", t->id);
	add_string(b, "title", t->title);
	add_string(b, "state", t->state->name);
	add_string(b, "reason", t->reason);
	add_time(b, "since", t->since);
	buf_format(b, "\"attempt\":%lld,\"ms\":%lld,\"delay_ms\":%lld,\"status\":",
		(long long)t->attempt, (long long)(t->duration / NS_PER_MS),
		(long long)(t->delay / NS_PER_MS));
	if (t->status >= 0)
		buf_int(b, t->status);
	else
		buf_str(b, "null");
	buf_char(b, '}');
}

static void add_tasks(struct buf *b, const struct run *r)
{
	buf_str(b, "\"tasks\":[");
	for (size_t i = 0; i < r->count; i++) {
		buf_str(b, i ? ",\n" : "");
		add_task(b, &r->task[i]);
	}
	buf_char(b, ']');
}

/* A run with its log read; false if there is none, or nothing to be made of it. */
static bool load(struct run *r, const struct state *s, const char *id)
{
	struct err e = {0};

	if (run_open(r, s, id, &e) < 0)
		return false;
	if (run_read(r, ignore, NULL) >= 0)
		return true;
	run_close(r);
	return false;
}

void runs_answer(struct conn *c)
{
	AUTO_BUF struct buf b = {0};
	AUTO_STRS struct strs names = {0};
	size_t limit = (size_t)number(c, "limit", LIST_DEFAULT, LIST_MAX);
	const char *comma = "";

	buf_str(&b, "{\"runs\":[");
	if (folder_list(c->server->state, "runs", "plan.json", &names) < 0)
		names.count = 0;
	for (size_t i = 0; i < names.count && i < limit; i++) {
		struct run r;

		if (!load(&r, c->server->state, names.item[i]))
			continue;
		buf_format(&b, "%s{", comma);
		add_run(&b, &r);
		add_tasks(&b, &r);
		buf_char(&b, '}');
		comma = ",\n";
		run_close(&r);
	}
	buf_str(&b, "]}\n");
	conn_reply_json(c, &b);
}

void run_answer(struct conn *c)
{
	AUTO_BUF struct buf b = {0};
	char id[129];
	struct run r;

	if (!conn_name(c, id))
		return;
	if (!load(&r, c->server->state, id)) {
		conn_reply_text(c, 404, "no such run");
		return;
	}
	buf_char(&b, '{');
	add_run(&b, &r);
	add_tasks(&b, &r);
	buf_str(&b, ",\"document\":");
	add_document(&b, r.dir, "plan.json");
	buf_str(&b, "}\n");
	run_close(&r);
	conn_reply_json(c, &b);
}

/* {"id":…,"session":…,"result":…}; false if there is no such session. */
static bool add_session(struct buf *b, const struct state *s, const char *id)
{
	AUTO_FREE char *path = mem_format("sessions/%s", id);
	AUTO_CLOSE int dir = state_file(s, path, O_RDONLY | O_DIRECTORY, 0);

	if (dir < 0)
		return false;
	buf_char(b, '{');
	add_string(b, "id", id);
	buf_str(b, "\"session\":");
	add_document(b, dir, "session.json");
	buf_str(b, ",\"result\":");
	add_document(b, dir, "result.json");
	buf_char(b, '}');
	return true;
}

void sessions_answer(struct conn *c)
{
	AUTO_BUF struct buf b = {0};
	AUTO_STRS struct strs names = {0};
	size_t limit = (size_t)number(c, "limit", LIST_DEFAULT, LIST_MAX), count = 0;

	buf_str(&b, "{\"sessions\":[");
	if (folder_list(c->server->state, "sessions", "session.json", &names) < 0)
		names.count = 0;
	for (size_t i = 0; i < names.count && count < limit; i++) {
		buf_str(&b, count ? ",\n" : "");
		count += add_session(&b, c->server->state, names.item[i]);
	}
	buf_str(&b, "]}\n");
	conn_reply_json(c, &b);
}

void session_answer(struct conn *c)
{
	AUTO_BUF struct buf b = {0};
	char id[129];

	if (!conn_name(c, id))
		return;
	if (!add_session(&b, c->server->state, id)) {
		conn_reply_text(c, 404, "no such session");
		return;
	}
	buf_char(&b, '\n');
	conn_reply_json(c, &b);
}

/* The file that stream= names; stdout where it names none. */
static const char *log_file(struct conn *c)
{
	static const char *const files[] = {"stdout.log", "stderr.log", "events.jsonl"};
	AUTO_BUF struct buf name = {0};

	if (query_get(c->intake->request.query, "stream", &name) <= 0)
		return files[0];
	for (size_t i = 0; i < countof(files); i++)
		if (strncmp(files[i], name.text, strcspn(files[i], ".")) == 0 &&
			name.length == strcspn(files[i], "."))
			return files[i];
	return NULL;
}

/* From an offset on, by default the last 64 KiB; where the next request goes on is in a field. */
static void reply_log(struct conn *c, int fd)
{
	AUTO_BUF struct buf text = {0};
	AUTO_FREE char *fields = NULL;
	int64_t limit = number(c, "limit", LOG_DEFAULT, LOG_MAX), from;
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st) < 0)
		st.st_size = 0;
	from = number(c, "from", MAX(st.st_size - limit, (off_t)0), INT64_MAX);
	n = io_pread(fd, buf_reserve(&text, (size_t)limit), (size_t)limit, from);
	text.length = (size_t)MAX(n, (ssize_t)0);
	fields = mem_format("X-Next: %lld\r\n", (long long)(from + (int64_t)text.length));
	conn_reply(c, &(struct reply){
			      .status = 200,
			      .type = "text/plain; charset=utf-8",
			      .body = {text.text, text.length},
			      .fields = fields,
		      });
}

void session_log(struct conn *c)
{
	AUTO_FREE char *path = NULL;
	AUTO_CLOSE int fd = -1;
	const char *file = log_file(c);
	char id[129];

	if (!conn_name(c, id))
		return;
	path = mem_format("sessions/%s/%s", id, file ? file : "");
	if (file)
		fd = state_file(c->server->state, path, O_RDONLY | O_NONBLOCK, 0);
	if (fd < 0)
		conn_reply_text(c, 404, "no such log");
	else
		reply_log(c, fd);
}

void gates_answer(struct conn *c)
{
	AUTO_BUF struct buf b = {0};
	AUTO_STRS struct strs names = {0};
	const char *comma = "";

	buf_str(&b, "{\"gates\":[");
	if (folder_list(c->server->state, "gates", NULL, &names) < 0)
		names.count = 0;
	for (size_t i = 0; i < names.count; i++) {
		AUTO_FREE char *path = mem_format("gates/%s", names.item[i]);

		if (!strstr(path, ".json"))
			continue;
		buf_str(&b, comma);
		add_document(&b, c->server->state->dir, path);
		comma = ",\n";
	}
	buf_str(&b, "]}\n");
	conn_reply_json(c, &b);
}
