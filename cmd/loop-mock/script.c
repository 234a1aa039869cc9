#include "script.h"

#include "die.h"
#include "io.h"
#include "mem.h"
#include "parse.h"

#include <errno.h>
#include <fcntl.h>
#include <regex.h>
#include <sys/stat.h>

enum { SCRIPT_MAX = 64 << 20 };

static bool readable(const char *path)
{
	return access(path, R_OK) == 0;
}

/* The script of a folder that fits best, or NULL. */
static char *choose(const struct play *p, const char *folder)
{
	const char *story = name_valid(p->story) ? p->story : "default";
	char *names[] = {mem_format("%s/%s.%lld.json", folder, story, (long long)p->attempt),
		mem_format("%s/%s.json", folder, story),
		mem_format("%s/%lld.json", folder, (long long)p->attempt),
		mem_format("%s/default.json", folder)};
	char *chosen = NULL;

	for (size_t i = 0; i < countof(names); i++) {
		if (!chosen && readable(names[i]))
			chosen = names[i];
		else
			free(names[i]);
	}
	return chosen;
}

/* Some steps have two names. */
static void rename_members(json_t *step)
{
	static const char *const names[][2] = {{"say", "text"}, {"sleep", "delay"},
		{"hang", "stall"}, {"crash", "signal"}, {"garbage", "raw"}, {"huge", "line"},
		{"spawn-daemon", "leak"}};

	for (size_t i = 0; i < countof(names); i++) {
		json_t *value = json_object_get(step, names[i][0]);

		if (!value)
			continue;
		json_object_set(step, names[i][1], value);
		json_object_del(step, names[i][0]);
	}
}

/* One step a line. */
static json_t *parse_lines(const char *path, const struct buf *text)
{
	json_t *steps = json_array();
	unsigned number = 0;

	for (const char *line = text->text, *end; *line; line = *end ? end + 1 : end) {
		struct err e = {0};
		json_t *step;

		end = line + strcspn(line, "\n");
		number++;
		if (strspn(line, " \t\r") == (size_t)(end - line))
			continue;
		step = json_parse(line, (size_t)(end - line), &e);
		if (!step)
			die(EX_DATAERR, "%s: line %u: %s", path, number, e.text);
		json_array_append_new(steps, step);
	}
	return steps;
}

/* An object with "steps", an array of steps, or steps line by line. */
static json_t *parse_script(const char *path, const struct buf *text)
{
	struct err e = {0};
	AUTO_JSON json_t *whole = json_parse(text->text, text->length, &e);
	json_t *steps;

	if (!whole)
		return parse_lines(path, text);
	if (json_is_array(whole))
		return json_incref(whole);
	steps = json_object_get(whole, "steps");
	if (json_is_array(steps))
		return json_incref(steps);
	steps = json_array();
	json_array_append(steps, whole);
	return steps;
}

json_t *script_load(const struct play *p, const char *path)
{
	AUTO_BUF struct buf text = {0};
	AUTO_FREE char *chosen = NULL;
	json_t *steps;
	struct stat st;
	int r;

	if (!path)
		return json_pack("[{s:s}]", "text", "Done.");
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
		chosen = choose(p, path);
		if (!chosen)
			die(EX_NOINPUT, "%s: no script for story '%s', attempt %lld", path,
				p->story, (long long)p->attempt);
		path = chosen;
	}
	r = io_read_file(AT_FDCWD, path, SCRIPT_MAX, &text);
	if (r < 0)
		die(die_status(r), "%s: %s", path, strerror(-r));
	steps = parse_script(path, &text);
	for (size_t i = 0; i < json_array_size(steps); i++)
		rename_members(json_array_get(steps, i));
	return steps;
}

bool script_applies(const struct play *p, const json_t *step)
{
	const json_t *wanted = json_object_get(step, "attempt");

	if (!wanted)
		return true;
	if (json_is_integer(wanted))
		return json_integer_value(wanted) == p->attempt;
	for (size_t i = 0; i < json_array_size(wanted); i++)
		if (json_integer_value(json_array_get(wanted, i)) == p->attempt)
			return true;
	return false;
}

/* The first group of the expression in the prompt, or the whole match where it has none. */
static bool expand_match(const struct play *p, const char *expression, struct buf *out)
{
	regmatch_t groups[2];
	regex_t regex;
	bool found;

	if (regcomp(&regex, expression, REG_EXTENDED | REG_NEWLINE) != 0)
		die(EX_DATAERR, "'%s' is not a regular expression", expression);
	found = p->prompt.text && regexec(&regex, p->prompt.text, countof(groups), groups, 0) == 0;
	if (found) {
		const regmatch_t *g = &groups[groups[1].rm_so >= 0];

		buf_add(out, p->prompt.text + g->rm_so, (size_t)(g->rm_eo - g->rm_so));
	}
	regfree(&regex);
	return found;
}

static bool expand_name(const struct play *p, const char *name, struct buf *out)
{
	const char *value = NULL;

	if (strncmp(name, "match:", 6) == 0)
		return expand_match(p, name + 6, out);
	if (strcmp(name, "STORY") == 0)
		value = p->story;
	else if (strcmp(name, "PROMPT") == 0)
		value = p->prompt.text ? p->prompt.text : "";
	else if (strcmp(name, "ATTEMPT") == 0)
		return buf_int(out, p->attempt), true;
	else
		value = getenv(name);
	if (value)
		buf_str(out, value);
	return value != NULL;
}

/* The end of ${…}: the brace that closes it, those of a regular expression inside counted. */
static const char *closing(const char *p)
{
	int depth = 1;

	for (; *p; p++) {
		depth += *p == '{';
		depth -= *p == '}';
		if (!depth)
			return p;
	}
	return NULL;
}

void script_expand(const struct play *p, const char *text, struct buf *out)
{
	buf_add(out, "", 0);
	for (;;) {
		const char *start = strstr(text, "${"), *end = start ? closing(start + 2) : NULL;
		AUTO_FREE char *name = NULL;

		if (!end) {
			buf_str(out, text);
			return;
		}
		name = mem_substring(start + 2, (size_t)(end - start - 2));
		buf_add(out, text, (size_t)(start - text));
		if (!expand_name(p, name, out))
			buf_add(out, start, (size_t)(end + 1 - start));
		text = end + 1;
	}
}
