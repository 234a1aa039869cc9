/*
 * jsontable: the table of what is JSON and what is not (tests/cases/json.tsv).
 *
 *	jsontable check TABLE         asks the validator; prints what it judges otherwise
 *	jsontable taken|refused TABLE prints the texts of one verdict that fit on a line
 */
#include "base.h"

#include "buf.h"
#include "die.h"
#include "io.h"
#include "jscan.h"
#include "lines.h"

#include <fcntl.h>

struct row {
	char *verdict, *name;
	struct buf text;
};

/* "~HH" is a byte, "~*N:C" so many C. */
static void resolve(struct buf *out, const char *p)
{
	for (; *p; p++) {
		char hex[3] = "", *end;
		long count;

		if (*p != '~') {
			buf_char(out, *p);
		} else if (p[1] == '*') {
			count = strtol(p + 2, &end, 10);
			while (count-- > 0)
				buf_char(out, end[1]);
			p = end + 1;
		} else {
			memcpy(hex, p + 1, 2);
			buf_char(out, (char)strtol(hex, NULL, 16));
			p += 2;
		}
	}
}

/* False for a comment. */
static bool parse(struct row *r, char *line)
{
	char *name = strchr(line, '\t'), *text = name ? strchr(name + 1, '\t') : NULL;

	if (*line == '#')
		return false;
	if (!text)
		die(EX_DATAERR, "not a row: %s", line);
	*name = *text = '\0';
	r->verdict = line;
	r->name = name + 1;
	r->text.length = 0;
	buf_add(&r->text, "", 0);
	resolve(&r->text, text + 1);
	return true;
}

static bool must_be_taken(const struct row *r)
{
	return strcmp(r->verdict, "y") == 0 || strcmp(r->verdict, "i+") == 0;
}

/* Whether the validator agrees; it reads a copy of the exact size, so that a sanitizer sees all. */
static bool agrees(const struct row *r)
{
	const char *what = "";
	AUTO_FREE char *copy = malloc(r->text.length ? r->text.length : 1);
	size_t at = 0;
	int got;

	if (!copy)
		die(EX_OSERR, "no memory");
	memcpy(copy, r->text.text, r->text.length);
	got = jscan_check(copy, r->text.length, &at, &what);
	if ((got == 0) == must_be_taken(r) && (got == 0 || (*what && at <= r->text.length)))
		return true;
	printf("%s: %s: byte %zu: %s\n", r->name, got == 0 ? "taken" : "refused", at, what);
	return false;
}

static bool has_line_end(const struct buf *text)
{
	return !text->length || memchr(text->text, '\n', text->length) ||
		strspn(text->text, " \t\r") == text->length;
}

/* It may hold NULs. */
static void print_line(const struct buf *text)
{
	fwrite(text->text, 1, text->length, stdout);
	putchar('\n');
}

int main(int argc, char **argv)
{
	struct lines in = {.max = 1 << 20};
	struct row row = {0};
	AUTO_BUF struct buf table = {0};
	size_t length, rows = 0, wrong = 0;
	char *line;

	die_init("jsontable", 0);
	if (argc != 3 || io_read_file(AT_FDCWD, argv[2], 1 << 20, &table) < 0)
		return EX_USAGE;
	memcpy(lines_room(&in, table.length), table.text, table.length);
	lines_fed(&in, table.length);
	while (lines_next(&in, &line, &length)) {
		line[length] = '\0';
		if (!parse(&row, line))
			continue;
		rows++;
		if (strcmp(argv[1], "check") == 0)
			wrong += !agrees(&row);
		else if (must_be_taken(&row) == (*argv[1] == 't') && !has_line_end(&row.text))
			print_line(&row.text);
	}
	if (strcmp(argv[1], "check") == 0)
		printf("%zu rows, %zu wrong\n", rows, wrong);
	lines_clear(&in);
	buf_clear(&row.text);
	return finish(wrong ? EXIT_NO : EXIT_SUCCESS);
}
