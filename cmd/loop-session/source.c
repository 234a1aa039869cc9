#include "source.h"

#include "capture.h"
#include "die.h"
#include "io.h"
#include "lines.h"
#include "mem.h"

#include <errno.h>
#include <fcntl.h>

enum { EVENT_MAX_BYTES = 32 << 20,
	READ_ROOM = 1 << 18 };

bool source_json;
const char *source_agent;

const struct opt file_options[] = {SOURCE_AGENT_OPTION, {0}};
const struct opt source_options[] = {
	SOURCE_JSON_OPTION,
	SOURCE_AGENT_OPTION,
	{0},
};

static void find_state(struct source *s)
{
	struct err e = {0};
	int r = state_find(&s->state, &e);

	if (r == -ENOENT)
		die(EXIT_NO, "no sessions: %s", e.text);
	if (r < 0)
		die_err(r, &e);
}

static void open_session(struct source *s, const char *name)
{
	AUTO_FREE char *id = NULL;
	int r;

	find_state(s);
	id = record_find(&s->state, name);
	r = record_read(&s->record, &s->state, id);
	if (r < 0)
		die(EX_NOINPUT, "%s: %s", id, strerror(-r));
	s->recorded = true;
	s->path = mem_format("%s/sessions/%s/events.jsonl", s->state.path, id);
}

void source_open(struct source *s, const struct args *args)
{
	const char *name = args->count ? args->item[0] : NULL;

	*s = (struct source){.state.dir = -1, .agent = source_agent};
	args_expect(args, source_agent ? 1 : 0, 1);
	if (!source_agent && (!name || !strchr(name, '/'))) {
		open_session(s, name);
		return;
	}
	s->path = mem_string(name);
}

void source_close(struct source *s)
{
	record_clear(&s->record);
	if (s->state.dir >= 0)
		state_close(&s->state);
	free(s->path);
}

struct reading {
	struct source *source;
	void (*take)(void *, const struct step *);
	void *context;
};

static void on_line(void *context, const char *line, size_t length)
{
	struct reading *r = context;
	struct step step;

	if (!length)
		return;
	if (step_parse(&step, line, length) < 0)
		r->source->damaged++;
	else
		r->take(r->context, &step);
}

static ssize_t read_neutral(struct reading *r, int fd, struct lines *lines)
{
	size_t length;
	char *line;
	ssize_t n;

	while ((n = io_read_some(fd, lines_room(lines, READ_ROOM), READ_ROOM)) > 0) {
		lines_fed(lines, (size_t)n);
		while (lines_next(lines, &line, &length))
			on_line(r, line, length);
	}
	if (n == 0 && lines_rest(lines, &line, &length))
		on_line(r, line, length);
	r->source->damaged += (int64_t)lines->oversize;
	return n;
}

/* A session that has said nothing yet has no events. */
static int open_events(const struct source *s)
{
	int fd = io_open(AT_FDCWD, s->path, O_RDONLY | (s->recorded ? O_NOFOLLOW : 0), 0);

	if (fd < 0 && !(fd == -ENOENT && s->recorded))
		die(EX_NOINPUT, "%s: %s", s->path, strerror(-fd));
	return fd;
}

void source_each(struct source *s, void (*take)(void *, const struct step *), void *context)
{
	struct reading r = {s, take, context};
	struct lines lines = {.max = EVENT_MAX_BYTES};
	AUTO_CLOSE int fd = open_events(s);
	ssize_t n = 0;

	if (fd >= 0 && s->agent)
		capture_each(s->agent, fd, on_line, &r);
	else if (fd >= 0)
		n = read_neutral(&r, fd, &lines);
	lines_clear(&lines);
	if (n < 0)
		die(EX_IOERR, "%s: %s", s->path, strerror((int)-n));
}

void source_file(const struct source *s, const char *name, size_t max, struct buf *out)
{
	AUTO_FREE char *path = NULL;

	out->length = 0;
	if (s->recorded) {
		path = mem_format("sessions/%s/%s", s->record.id, name);
		if (io_read_file(s->state.dir, path, max, out) < 0)
			out->length = 0;
	}
	buf_add(out, "", 0);
}

void source_warn(const struct source *s)
{
	if (s->damaged)
		warn("%s: %lld lines are no events and were stepped over", s->path,
			(long long)s->damaged);
}
