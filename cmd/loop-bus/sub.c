/*
 * sub: prints events as they come. Where the bus runs it is asked; where it does
 * not, or ends, the journal is read, from the very event that would be next.
 */
#include "commands.h"

#include "address.h"
#include "choose.h"
#include "clock.h"
#include "cursor.h"
#include "die.h"
#include "io.h"
#include "lines.h"

#include <errno.h>

static const char *const orders[] = {"journal", "priority", NULL};

static struct {
	const char *durable;
	int order;
	int64_t count;
	bool direct;
} options = {.count = -1};

const struct opt sub_options[] = {
	OPT_TYPE,
	OPT_SUBJECT,
	OPT_WHERE,
	OPT_PRIORITY,
	OPT_FROM,
	{.name = "order",
		.arg = "ORDER",
		.help = "journal, or priority: what is more urgent first (needs the bus)",
		.choice = &options.order,
		.choices = orders},
	{.name = "durable",
		.arg = "NAME",
		.help = "go on behind the last event that was printed under this name",
		.string = &options.durable},
	{.name = "number",
		.letter = 'n',
		.arg = "N",
		.help = "end after N events",
		.number = &options.count},
	{.name = "direct", .help = "read the journal, never ask the bus", .flag = &options.direct},
	{0},
};

struct session {
	struct state state;
	struct filter filter;
	int64_t next; /* the position behind the last event that was looked at; -1: not known */
	int64_t left; /* events still to print; -1: no end */
	struct cursor cursor;
	struct buf out;
};

static void flush(struct session *s, int64_t id)
{
	int r = io_write(STDOUT_FILENO, s->out.text, s->out.length);

	if (r < 0)
		die(EX_IOERR, "standard output: %s", strerror(-r));
	if (s->out.length && s->cursor.fd >= 0)
		r = cursor_set(&s->cursor, id);
	if (r < 0)
		die(EX_IOERR, "cursors/%s: %s", options.durable, strerror(-r));
	s->out.length = 0;
}

/* Takes one event; false when it was the last that was wanted. */
static bool take(struct session *s, const char *line, size_t length)
{
	buf_add(&s->out, line, length);
	buf_char(&s->out, '\n');
	return s->left < 0 || --s->left > 0;
}

static void add_list(struct buf *b, const char *key, const struct strs *list)
{
	if (!list->count)
		return;
	buf_format(b, ",\"%s\":[", key);
	for (size_t i = 0; i < list->count; i++) {
		buf_str(b, i ? "," : "");
		buf_json(b, list->item[i], strlen(list->item[i]));
	}
	buf_char(b, ']');
}

/* What the bus is asked for; it may send more than fits the conditions, which are ours to check. */
static int ask(const struct session *s, int fd)
{
	AUTO_BUF struct buf b = {0};

	buf_str(&b, "{\"op\":\"sub\"");
	add_list(&b, "types", &s->filter.types);
	add_list(&b, "subject", &s->filter.subjects);
	if (s->filter.least > BACKGROUND)
		buf_format(&b, ",\"priority\":\"%s\"", priority_name(s->filter.least));
	if (options.order)
		buf_str(&b, ",\"order\":\"priority\"");
	if (s->next >= 0)
		buf_format(&b, ",\"from\":\"%lld\"", (long long)s->next);
	buf_str(&b, "}\n");
	return io_write(fd, b.text, b.length);
}

/* The answer to the subscription: where it begins. */
static void begin(struct session *s, const char *line, size_t length)
{
	AUTO_BUF struct buf text = {0};
	struct span value, answer = {line, length};

	if (jscan_get(answer, "error", &value) && jscan_text(value, &text) == 0)
		die(EX_PROTOCOL, "the bus: %s", text.text);
	if (!jscan_get(answer, "from", &value) || value.n < 3 ||
		jscan_int((struct span){value.p + 1, value.n - 2}, &s->next) < 0)
		die(EX_PROTOCOL, "the bus answers something else: %.100s", line);
}

/* One line from the bus; false when no more is wanted. */
static bool from_bus(struct session *s, const char *line, size_t length, int64_t *id)
{
	struct event_view v;

	if (event_view(line, length, &v) < 0 || v.id.n < 3 ||
		jscan_int((struct span){v.id.p + 1, v.id.n - 2}, id) < 0)
		die(EX_PROTOCOL, "the bus sends no event: %.100s", line);
	s->next = *id + (int64_t)length + 1;
	if (!filter_matches(&s->filter, &v, (struct span){line, length}))
		return true;
	return take(s, line, length);
}

/* Until the bus ends (true) or no more is wanted. */
static bool listen_to_bus(struct session *s, int fd)
{
	enum { SIZE = 256 * 1024 };
	struct lines in = {.max = EVENT_MAX};
	bool begun = false, more = true;
	int64_t id = -1;
	size_t length;
	char *line;
	ssize_t n;

	while (more && (n = io_read_some(fd, lines_room(&in, SIZE), SIZE)) > 0) {
		lines_fed(&in, (size_t)n);
		while (more && lines_next(&in, &line, &length)) {
			line[length] = '\0';
			if (begun)
				more = from_bus(s, line, length, &id);
			else
				begin(s, line, length);
			begun = true;
		}
		flush(s, id);
	}
	lines_clear(&in);
	return more;
}

/* Reads what is there; false when no more is wanted. */
static bool read_some(struct session *s, struct journal_reader *r)
{
	enum { BATCH = 64 * 1024 };
	struct journal_line line;
	struct event_view v;
	bool more = true;
	int64_t id = -1;
	int found = 0;

	while (more && (found = journal_read(r, &line)) > 0) {
		if (!wanted(&s->filter, &line, &v))
			continue;
		more = take(s, line.text, line.length);
		id = line.id;
		if (s->out.length >= BATCH)
			flush(s, id);
	}
	if (found < 0)
		die(EX_IOERR, "the journal: %s", strerror(-found));
	flush(s, id);
	return more;
}

static void follow_journal(struct session *s)
{
	AUTO_FREE char *from = NULL;
	struct journal_reader *r;

	if (s->next >= 0) {
		AUTO_BUF struct buf text = {0};

		buf_int(&text, s->next);
		from = buf_take(&text);
	}
	r = open_journal(&s->state, from ? from : choice.from, "now");
	while (read_some(s, r))
		if (journal_wait(r, NS_FOREVER) < 0)
			continue;
	close_journal(r);
}

/* The position that --from names; -1 for now. */
static int64_t start_position(struct session *s)
{
	struct journal_reader *r;
	int64_t at;

	if (!choice.from || strcmp(choice.from, "now") == 0)
		return -1;
	r = open_journal(&s->state, choice.from, "now");
	at = journal_position(r);
	journal_reader_free(r);
	return at;
}

static void open_durable(struct session *s)
{
	struct err e = {0};
	int r = cursor_open(&s->cursor, &s->state, options.durable, CURSOR_PATIENCE, &e);

	if (r == 0 && !s->cursor.fresh)
		r = cursor_next(&s->cursor, &s->state, s->cursor.id, &s->next, &e);
	if (r < 0)
		die_err(r, &e);
	if (!s->cursor.fresh)
		return;
	if (s->next < 0) {
		struct journal_reader *now = open_journal(&s->state, "now", NULL);

		s->next = journal_position(now);
		journal_reader_free(now);
	}
	r = cursor_set(&s->cursor, id_before(&s->state, s->next));
	if (r < 0)
		die(EX_IOERR, "cursors/%s: %s", options.durable, strerror(-r));
}

int sub_main(const struct args *args)
{
	struct session s = {.left = options.count, .cursor.fd = -1};
	struct err e = {0};
	int fd = -1, r;

	choose(&s.filter, args);
	if (options.order && options.durable)
		die_usage("--durable needs the order of the journal");
	r = state_open(&s.state, &e);
	if (r < 0)
		die_err(r, &e);
	s.next = start_position(&s);
	if (options.durable)
		open_durable(&s);
	if (!options.direct)
		fd = socket_connect(&s.state);
	if (fd < 0 && options.order)
		die(EX_UNAVAILABLE, "--order=priority needs the bus, and none runs here");
	if (s.left != 0 && (fd < 0 || ask(&s, fd) < 0 || listen_to_bus(&s, fd))) {
		if (options.order)
			die(EX_UNAVAILABLE, "the bus has ended");
		follow_journal(&s);
	}
	if (fd >= 0)
		close(fd);
	cursor_close(&s.cursor);
	filter_clear(&s.filter);
	buf_clear(&s.out);
	state_close(&s.state);
	return EXIT_SUCCESS;
}
