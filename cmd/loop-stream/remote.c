#include "remote.h"

#include "clock.h"
#include "event.h"
#include "json.h"
#include "parse.h"

#include <errno.h>
#include <sys/socket.h>

enum { PIECE = 16384 };
#define PATIENCE (5 * NS_PER_S)
#define PAUSE (2 * NS_PER_S) /* before the stream is opened again */

void remote_init(struct remote *r, const char *url, const char *token)
{
	*r = (struct remote){
		.client = {.url = url, .token = token, .timeout = PATIENCE},
		.stream = -1,
		.lines = {.max = EVENT_MAX + 64},
	};
}

static void close_stream(struct remote *r)
{
	if (r->stream >= 0)
		close(r->stream);
	r->stream = -1;
	answer_clear(&r->answer);
	lines_clear(&r->lines);
	r->retry = clock_after(PAUSE);
}

void remote_close(struct remote *r)
{
	close_stream(r);
}

static json_t *ask_json(const struct remote *r, const char *path, int *code, struct err *e)
{
	AUTO_BUF struct buf body = {0};
	json_t *o;

	*code = client_ask(&r->client, "GET", path, &body, e);
	if (*code < 0)
		return NULL;
	o = json_parse(body.text, body.length, e);
	*code = o ? 0 : -EPROTO;
	return o;
}

static int newest(const struct remote *r, char id[129], struct err *e)
{
	const char *name = NULL;
	int code;
	AUTO_JSON json_t *all = ask_json(r, "/runs?limit=1", &code, e);

	if (!all)
		return code;
	name = json_string_value(json_object_get(
		json_array_get(json_object_get(all, "runs"), 0), "id"));
	if (!name)
		return err_set(e, -ENOENT, "%s: there is no run yet", r->client.url);
	snprintf(id, 129, "%s", name);
	return 0;
}

static json_t *ask_run(const struct remote *r, const char *id, int *code, struct err *e)
{
	AUTO_FREE char *path = mem_format("/runs/%s", id);

	return ask_json(r, path, code, e);
}

int remote_open(struct remote *r, struct run *run, const char *name, struct err *e)
{
	AUTO_JSON json_t *o = NULL;
	char id[129];
	int code = 0;

	snprintf(id, sizeof id, "%s", name ? name : "");
	if (!name)
		code = newest(r, id, e);
	else if (!name_valid(name))
		return err_set(e, -EINVAL, "'%s' is no run's id", name);
	if (code == 0)
		o = ask_run(r, id, &code, e);
	return o ? run_of_plan(run, id, json_object_get(o, "document"), e) : code;
}

/* One line of the stream's body. An event is done with its data: only then is it the last. */
static bool take_line(struct remote *r, struct run *run, struct tally *tally, const char *line,
	size_t length)
{
	static const char id_is[] = "id: ", data_is[] = "data: ";
	const size_t i = sizeof id_is - 1, n = sizeof data_is - 1;

	if (length > i && length - i < sizeof r->id && memcmp(line, id_is, i) == 0)
		snprintf(r->id, sizeof r->id, "%.*s", (int)(length - i), line + i);
	if (length <= n || memcmp(line, data_is, n) != 0)
		return false;
	tally_take(tally, run, line + n, length - n);
	memcpy(r->last, r->id, sizeof r->last);
	return true;
}

/* What came of the stream, nothing at its end; whether there were events. */
static bool take_bytes(struct remote *r, struct run *run, struct tally *tally, const char *bytes,
	size_t n)
{
	struct buf *body = &r->answer.body;
	bool news = false;
	size_t length;
	char *line;

	if (answer_take(&r->answer, bytes, n, &r->lost) < 0 || !n)
		close_stream(r);
	if (r->stream < 0 || !body->length)
		return false;
	memcpy(lines_room(&r->lines, body->length), body->text, body->length);
	lines_fed(&r->lines, body->length);
	body->length = 0;
	while (lines_next(&r->lines, &line, &length))
		news |= take_line(r, run, tally, line, length);
	return news;
}

static void open_stream(struct remote *r, const struct run *run)
{
	AUTO_FREE char *path = NULL;

	path = mem_format("/events?run=%s&%s=%s", run->id, r->last[0] ? "after" : "from",
		r->last[0] ? r->last : "start");
	answer_begin(&r->answer, &r->client);
	r->stream = client_send(&r->client, "GET", path, &r->lost);
	if (r->stream < 0)
		close_stream(r);
}

static bool read_stream(struct remote *r, struct run *run, struct tally *tally)
{
	char piece[PIECE];
	bool news = false;
	ssize_t n = 1;

	if (r->stream < 0 && clock_now() >= r->retry)
		open_stream(r, run);
	while (r->stream >= 0 && n > 0) {
		n = recv(r->stream, piece, sizeof piece, MSG_DONTWAIT);
		if (n >= 0)
			news |= take_bytes(r, run, tally, piece, (size_t)n);
		else if (errno != EAGAIN && errno != EINTR)
			close_stream(r);
	}
	return news;
}

/* The number of changes, or -errno. */
static int read_log(struct remote *r, struct run *run, run_changed *changed, void *context)
{
	int changes = 0;

	for (;;) {
		AUTO_FREE char *path =
			mem_format("/runs/%s/log?from=%lld", run->id, (long long)r->offset);
		AUTO_BUF struct buf piece = {0};
		int code = client_ask(&r->client, "GET", path, &piece, &r->lost);

		if (code < 0 || !piece.length)
			return code < 0 ? code : changes;
		r->offset += (int64_t)piece.length;
		changes += run_take(run, piece.text, piece.length, changed, context);
	}
}

static void look_after_scheduler(struct remote *r, const struct run *run)
{
	struct err e = {0};
	int code;
	AUTO_JSON json_t *o = ask_run(r, run->id, &code, &e);
	const char *state = json_string_value(json_object_get(o, "state"));

	r->interrupted = state && strcmp(state, "interrupted") == 0;
}

bool remote_read(struct remote *r, struct run *run, struct tally *tally, run_changed *changed,
	void *context)
{
	bool news, was_lost = r->lost.text[0];
	int changes;

	r->lost = (struct err){0};
	news = read_stream(r, run, tally);
	if (!news && clock_now() < r->looked + NS_PER_S && !r->lost.text[0])
		return false;
	r->looked = clock_now();
	changes = read_log(r, run, changed, context);
	if (changes == 0 && !run->ended)
		look_after_scheduler(r, run);
	return news || changes > 0 || was_lost != (r->lost.text[0] != '\0');
}

int remote_control(struct remote *r, const struct run *run, const char *action, struct err *e)
{
	AUTO_FREE char *path = mem_format("/runs/%s/%s", run->id, action);
	AUTO_BUF struct buf body = {0};

	return client_ask(&r->client, "POST", path, &body, e);
}
