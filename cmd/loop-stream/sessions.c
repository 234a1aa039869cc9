#include "sessions.h"

#include "conn.h"
#include "document.h"
#include "folder.h"
#include "io.h"
#include "job.h"
#include "mem.h"
#include "parse.h"
#include "resources.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

enum { LIST_DEFAULT = 50,
	LIST_MAX = 500,
	LOG_DEFAULT = 64 << 10,
	LOG_MAX = 4 << 20 };

/* {"id":…,"session":…,"result":…}; false if there is no such session. */
static bool add_session(struct buf *b, const struct state *s, const char *id)
{
	AUTO_FREE char *path = mem_format("sessions/%s", id);
	AUTO_CLOSE int dir = state_file(s, path, O_RDONLY | O_DIRECTORY, 0);

	if (dir < 0)
		return false;
	buf_char(b, '{');
	document_string(b, "id", id);
	buf_str(b, "\"session\":");
	document_add(b, dir, "session.json");
	buf_str(b, ",\"result\":");
	document_add(b, dir, "result.json");
	buf_char(b, '}');
	return true;
}

static void list_sessions(struct job *j)
{
	AUTO_STRS struct strs names = {0};
	size_t limit = (size_t)job_number(j, "limit", LIST_DEFAULT, LIST_MAX), count = 0;

	buf_str(&j->body, "{\"sessions\":[");
	if (folder_list(j->state, "sessions", "session.json", &names) < 0)
		names.count = 0;
	for (size_t i = 0; i < names.count && count < limit; i++) {
		buf_str(&j->body, count ? ",\n" : "");
		count += add_session(&j->body, j->state, names.item[i]);
	}
	buf_str(&j->body, "]}\n");
}

void sessions_answer(struct conn *c)
{
	job_start(c, list_sessions, NULL, NULL);
}

static void tell_session(struct job *j)
{
	if (add_session(&j->body, j->state, j->name))
		buf_char(&j->body, '\n');
	else
		job_refuse(j, 404, "no such session");
}

void session_answer(struct conn *c)
{
	job_start(c, tell_session, NULL, NULL);
}

/* The file of this name; stdout where there is none. */
static const char *log_file(const char *stream)
{
	static const char *const files[] = {"stdout.log", "stderr.log", "events.jsonl"};

	if (!stream)
		return files[0];
	for (size_t i = 0; i < countof(files); i++)
		if (strncmp(files[i], stream, strcspn(files[i], ".")) == 0 &&
			strlen(stream) == strcspn(files[i], "."))
			return files[i];
	return NULL;
}

static int open_log(const struct state *s, const char *id, const char *stream)
{
	const char *file = log_file(stream);
	AUTO_FREE char *path = mem_format("sessions/%s/%s", id, file ? file : "");

	return file && name_valid(id) ? state_file(s, path, O_RDONLY | O_NONBLOCK, 0) : -ENOENT;
}

static int read_piece(int fd, struct log_piece *piece, struct buf *out)
{
	size_t limit = piece->limit < 0 ? LOG_DEFAULT : (size_t)MIN(piece->limit, (int64_t)LOG_MAX);
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -ENOENT;
	if (piece->from < 0)
		piece->from = MAX(st.st_size - (off_t)limit, (off_t)0);
	n = io_pread(fd, buf_reserve(out, limit), limit, piece->from);
	out->length += (size_t)MAX(n, (ssize_t)0);
	piece->next = piece->from + (int64_t)MAX(n, (ssize_t)0);
	return 0;
}

int session_log_read(const struct state *s, const char *id, const char *stream,
	struct log_piece *piece, struct buf *out)
{
	AUTO_CLOSE int fd = open_log(s, id, stream);

	return read_piece(fd, piece, out);
}

/* From an offset on, by default the last 64 KiB; where the next request goes on is in a field. */
static void tell_piece(struct job *j, int fd)
{
	struct log_piece piece = {
		.from = job_number(j, "from", -1, INT64_MAX),
		.limit = job_number(j, "limit", -1, LOG_MAX),
	};

	if (read_piece(fd, &piece, &j->body) < 0) {
		job_refuse(j, 404, "no such log");
		return;
	}
	j->type = "text/plain; charset=utf-8";
	j->fields = mem_format("X-Next: %lld\r\n", (long long)piece.next);
}

static void tell_log(struct job *j)
{
	AUTO_BUF struct buf stream = {0};
	AUTO_CLOSE int fd = -1;

	(void)query_get((struct span){j->query, strlen(j->query)}, "stream", &stream);
	fd = open_log(j->state, j->name, stream.text);
	tell_piece(j, fd);
}

void session_log(struct conn *c)
{
	job_start(c, tell_log, NULL, NULL);
}

static void tell_run_log(struct job *j)
{
	AUTO_FREE char *path = mem_format("runs/%s/run.jsonl", j->name);
	AUTO_CLOSE int fd = state_file(j->state, path, O_RDONLY | O_NONBLOCK, 0);

	tell_piece(j, fd);
}

void run_log(struct conn *c)
{
	job_start(c, tell_run_log, NULL, NULL);
}

static void list_gates(struct job *j)
{
	struct buf *b = &j->body;
	AUTO_STRS struct strs names = {0};
	const char *comma = "";

	buf_str(b, "{\"gates\":[");
	if (folder_list(j->state, "gates", NULL, &names) < 0)
		names.count = 0;
	for (size_t i = 0; i < names.count; i++) {
		AUTO_FREE char *path = mem_format("gates/%s", names.item[i]);

		if (!strstr(path, ".json"))
			continue;
		buf_str(b, comma);
		document_add(b, j->state->dir, path);
		comma = ",\n";
	}
	buf_str(b, "]}\n");
}

void gates_answer(struct conn *c)
{
	job_start(c, list_gates, NULL, NULL);
}
