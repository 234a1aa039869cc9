/* A plan's text: read, told apart by its form, imported where it has another shape. */
#include "plan.h"

#include "die.h"
#include "import.h"
#include "io.h"

#include <errno.h>
#include <fcntl.h>

/* Members of items in the shapes that people have, and that a plan's own tasks never have. */
static const char *const foreign[] = {"acceptance", "acceptanceCriteria", "acceptance_criteria",
	"blockedBy", "blocked_by", "blocks", "completed", "completionCriteria", "dependencies",
	"dependsOn", "depends_on", "fileScope", "issue_type", "parallel_group", "passes", "status",
	"steps", "subtasks", "touchesFiles", "verificationCommands"};

enum { ITEMS_ASKED = 16 };

static bool foreign_item(struct span item)
{
	struct span value;

	if (jscan_kind(item) != '{')
		return false;
	for (size_t i = 0; i < countof(foreign); i++)
		if (jscan_get(item, foreign[i], &value))
			return true;
	return jscan_get(item, "id", &value) && jscan_kind(value) == '0';
}

/* The next of the things that a plan's text holds one after the other: its lines. */
static bool next_line(struct span *text, struct span *line)
{
	while (text->n) {
		const char *newline = memchr(text->p, '\n', text->n);
		size_t n = newline ? (size_t)(newline - text->p) : text->n;
		size_t used = MIN(text->n, n + 1);

		*line = (struct span){text->p, n};
		*text = (struct span){text->p + used, text->n - used};
		if (strspn(line->p, " \t\r") < n)
			return true;
	}
	return false;
}

static bool lines_are_own(struct span text)
{
	struct span line;

	for (int i = 0; i < ITEMS_ASKED && next_line(&text, &line); i++) {
		const char *what;
		size_t at;

		if (jscan_check(line.p, line.n, &at, &what) < 0)
			return true; /* said when it is read */
		if (foreign_item(line))
			return false;
	}
	return true;
}

/* Whether a plan's text is in its own form, not in one that must be imported. */
static bool is_own(struct span text, enum form form)
{
	struct span tasks, key, item;
	struct jscan walk;

	if (form == FORM_LINES)
		return lines_are_own(text);
	if (form == FORM_MARKDOWN || jscan_kind(text) != '{' || !jscan_get(text, "tasks", &tasks))
		return false;
	if (jscan_kind(tasks) != '[' || jscan_open(&walk, tasks) < 0)
		return true;
	for (int i = 0; i < ITEMS_ASKED && jscan_next(&walk, &key, &item) > 0; i++)
		if (foreign_item(item))
			return false;
	return true;
}

/* One JSON value a line: the first line is a whole object with an id. */
static bool is_lines(struct span text)
{
	struct span line, id;
	const char *what;
	size_t at;

	return next_line(&text, &line) && jscan_check(line.p, line.n, &at, &what) == 0 &&
		jscan_kind(line) == '{' &&
		(jscan_get(line, "id", &id) || next_line(&text, &line));
}

static enum form form_of(const char *file, struct span text)
{
	const char *dot = strrchr(file, '.');
	char kind = jscan_kind(text);

	if ((dot && (strcmp(dot, ".md") == 0 || strcmp(dot, ".markdown") == 0)) ||
		(kind != '{' && kind != '['))
		return FORM_MARKDOWN;
	return is_lines(text) ? FORM_LINES : FORM_JSON;
}

size_t source_mark(struct span source)
{
	static const char mark[] = "\xef\xbb\xbf";
	size_t n = sizeof mark - 1;

	return source.n >= n && memcmp(source.p, mark, n) == 0 ? n : 0;
}

/* A mark becomes blanks, so that the places of all that stands behind it stay. */
static int read_source(struct plan *p, struct err *e)
{
	int r = strcmp(p->file, "-") == 0 ? io_read_all(STDIN_FILENO, PLAN_MAX, &p->source)
					  : io_read_file(AT_FDCWD, p->file, PLAN_MAX, &p->source);

	if (r == -EMSGSIZE)
		return err_set(e, r, "%s: larger than 1 GiB", p->file);
	if (r < 0)
		return err_sys(e, r, "%s", p->file);
	memset(p->source.text, ' ', source_mark((struct span){p->source.text, p->source.length}));
	return 0;
}

/* Whether it is JSON at all; says where not. */
static bool check_document(struct plan *p, struct span text)
{
	const char *what;
	size_t at;

	if (jscan_check(text.p, text.n, &at, &what) == 0)
		return true;
	diag_error(&p->diags, at, "%s", what);
	return false;
}

/* A plan without a name is called as its file is. */
static const char *name_of_file(struct plan *p)
{
	const char *slash = strrchr(p->file, '/'), *base = slash ? slash + 1 : p->file, *dot;

	if (strcmp(p->file, "-") == 0)
		return "plan";
	dot = strrchr(base, '.');
	if (!dot || dot == base)
		dot = strchr(base, '\0');
	return arena_substring(&p->arena, base, (size_t)(dot - base));
}

int plan_load(struct plan *p, const char *file, struct err *e)
{
	struct span text;
	int r;

	*p = (struct plan){.file = file};
	r = read_source(p, e);
	if (r < 0)
		return r;
	text = (struct span){p->source.text, p->source.length};
	p->form = form_of(file, text);
	if (p->form == FORM_JSON && !check_document(p, text))
		return 0;
	if (!is_own(text, p->form)) {
		p->imported = true;
		r = import_text(p, e);
		if (r < 0 || p->diags.errors)
			return r;
		text = (struct span){p->made.text, p->made.length};
	}
	plan_parse(p, text, p->imported ? FORM_JSON : p->form);
	if (!p->name || !*p->name)
		p->name = name_of_file(p);
	return 0;
}

/* All diagnostics on stderr; the exit status that they mean. */
static int say(struct plan *p)
{
	AUTO_BUF struct buf out = {0};
	int r;

	diags_format(&p->diags, strcmp(p->file, "-") == 0 ? "<stdin>" : p->file, p->source.text,
		p->source.length, &out);
	if (p->unsaid)
		buf_format(&out, "%s: and %zu more\n", die_program(), p->unsaid);
	r = io_write(STDERR_FILENO, out.text, out.length);
	if (p->diags.errors)
		return EX_DATAERR;
	return r < 0 ? EX_IOERR : EXIT_SUCCESS;
}

void plan_need(struct plan *p, const char *file, bool warnings)
{
	struct err e = {0};
	int r = plan_load(p, file, &e), status;

	if (r < 0)
		die_err(r, &e);
	if (p->count) {
		plan_link(p);
		plan_check(p);
	}
	status = warnings || p->diags.errors ? say(p) : EXIT_SUCCESS;
	if (status)
		exit(status);
}
