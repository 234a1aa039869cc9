/*
 * Entries on their way to another machine: a line that says what it is, then of each entry
 * its line, as its file holds it, the bytes of its contents one after the other, and a newline.
 */
#include "commands.h"

#include "clock.h"
#include "die.h"
#include "io.h"
#include "mem.h"
#include "object.h"

#include <errno.h>
#include <fcntl.h>

static const char head[] = "{\"format\":\"loop-cache export 1\"}\n";

const struct opt export_options[] = {OPTION_SCOPE, {0}};
const struct opt import_options[] = {OPTION_SCOPE, OPTION_TTL, OPTIONS_LIMITS, {0}};

static int open_contents(const struct scope *s, struct entry *e)
{
	for (size_t i = 0; i < e->count; i++) {
		struct part *p = &e->part[i];

		p->fd = part_has_content(p) ? object_open(s, p) : -1;
		if (part_has_content(p) && p->fd < 0)
			return p->fd;
	}
	return 0;
}

/* What vanished meanwhile, or is damaged, is passed over: nothing of it has been written yet. */
static int export_entry(const struct scope *s, struct entry *e, void *unused UNUSED)
{
	AUTO_BUF struct buf b = {0};
	int r = open_contents(s, e);

	if (r < 0)
		return r == -ENOENT || r == -EINVAL ? 0 : r;
	entry_format(e, &b);
	r = io_write(STDOUT_FILENO, b.text, b.length);
	for (size_t i = 0; r == 0 && i < e->count; i++)
		if (part_has_content(&e->part[i]))
			r = copy_fd(e->part[i].fd, STDOUT_FILENO);
	return r < 0 ? r : io_write(STDOUT_FILENO, "\n", 1);
}

int export_main(const struct args *args)
{
	AUTO_SCOPE struct scope s = SCOPE_NONE;
	struct state state = {.dir = -1};
	struct err e = {0};
	int r = io_write(STDOUT_FILENO, head, sizeof head - 1);

	if (r < 0)
		die(EX_IOERR, "standard output: %s", strerror(-r));
	if (!find_scope(&s, &state))
		return EXIT_SUCCESS;
	r = each_entry(&s, args, export_entry, NULL, &e);
	if (r < 0)
		die_err(r, &e);
	state_close(&state);
	return EXIT_SUCCESS;
}

static void NORETURN damaged(int64_t taken)
{
	die(EX_DATAERR, "the export is damaged or cut short; %lld entries were taken in",
		(long long)taken);
}

/* One line with its newline; its length, 0 at the end, -1 if it has none. */
static ssize_t read_line(FILE *in, char **line, size_t *room)
{
	ssize_t n = getline(line, room, in);

	if (n < 0)
		return ferror(in) ? -1 : 0;
	return (*line)[n - 1] == '\n' && n <= ENTRY_FILE_MAX ? n : -1;
}

/* A content's bytes, as many as its part says and such as it says. */
static int read_content(FILE *in, const struct scope *s, struct part *p)
{
	const struct part told = *p;
	char chunk[65536];
	struct content c;
	int r = content_begin(&c, s);

	for (int64_t left = told.size; r == 0 && left;) {
		size_t n = fread(chunk, 1, (size_t)MIN(left, (int64_t)sizeof chunk), in);

		r = n ? content_add(&c, chunk, n) : -ENODATA;
		left -= (int64_t)n;
	}
	if (r == 0) {
		content_end(&c, p);
		return digest_equal(&p->digest, &told.digest) ? 0 : -ENODATA;
	}
	content_drop(&c);
	return r;
}

/* 1: taken in; 0: too old or too large to be; -ENODATA for what is damaged. */
static int import_entry(FILE *in, struct scope *s, char *line, size_t n, struct err *e)
{
	AUTO_ENTRY struct entry entry = {0};
	int r = entry_parse(&entry, line, n) < 0 ? -ENODATA : 0;

	for (size_t i = 0; r == 0 && i < entry.count; i++)
		if (part_has_content(&entry.part[i]))
			r = read_content(in, s, &entry.part[i]);
	if (r == 0 && getc(in) != '\n')
		r = -ENODATA;
	if (r < 0)
		return err_sys(e, r, "import");
	if (choices.ttl >= 0)
		entry.expires = chosen_expiry(clock_real());
	if (entry.expires && entry.expires <= clock_real())
		return 0;
	r = store_put(s, &entry, e);
	return r == -EFBIG ? 0 : r < 0 ? r
				       : 1;
}

static void import_all(FILE *in, struct scope *s)
{
	AUTO_FREE char *line = NULL;
	int64_t taken = 0;
	size_t room = 0;
	ssize_t n = read_line(in, &line, &room);

	if (n <= 0 || strcmp(line, head) != 0)
		die(EX_DATAERR, "this is no export of loop-cache");
	while ((n = read_line(in, &line, &room)) > 0) {
		struct err e = {0};
		int r = import_entry(in, s, line, (size_t)n, &e);

		if (r == -ENODATA)
			damaged(taken);
		if (r < 0)
			die_err(r, &e);
		taken += r;
	}
	if (n < 0)
		damaged(taken);
}

int import_main(const struct args *args)
{
	AUTO_SCOPE struct scope s = SCOPE_NONE;
	struct state state;
	FILE *in = stdin;

	args_expect(args, 0, 1);
	if (args->count && strcmp(args->item[0], "-") != 0)
		in = fopen(args->item[0], "re");
	if (!in)
		die_errno(EX_NOINPUT, "%s", args->item[0]);
	open_state(&state, true);
	open_scope(&s, &state);
	import_all(in, &s);
	scope_close(&s);
	state_close(&state);
	return EXIT_SUCCESS;
}
