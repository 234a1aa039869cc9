#include "prompt.h"

#include "diag.h"
#include "mem.h"
#include "parse.h"

#include <ctype.h>

static bool name_char(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* The length of "{{NAME}}" at p, white space allowed around the name; 0 if it is none. */
static size_t reference(const char *p, const char *end, const char **name, size_t *length)
{
	const char *start = p;

	if (end - p < 5 || p[0] != '{' || p[1] != '{')
		return 0;
	for (p += 2; p < end && (*p == ' ' || *p == '\t'); p++)
		;
	*name = p;
	while (p < end && name_char(*p))
		p++;
	*length = (size_t)(p - *name);
	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	if (!*length || end - p < 2 || p[0] != '}' || p[1] != '}')
		return 0;
	return (size_t)(p + 2 - start);
}

static const char *value_of(const struct strs *vars, const char *name)
{
	size_t n = strlen(name);

	for (size_t i = vars->count; i-- > 0;)
		if (strncmp(vars->item[i], name, n) == 0 && vars->item[i][n] == '=')
			return vars->item[i] + n + 1;
	return strncmp(name, "LOOP_", 5) == 0 ? getenv(name) : NULL;
}

static void say_unknown(struct diags *d, size_t offset, const struct strs *vars, const char *name)
{
	struct nearest near = {.word = name};
	struct strs names = {0};

	for (size_t i = 0; i < vars->count; i++)
		strs_format(&names, "%.*s", (int)strcspn(vars->item[i], "="), vars->item[i]);
	for (size_t i = 0; i < names.count; i++)
		nearest_try(&near, names.item[i]);
	if (near.best)
		diag_error(d, offset, "'%s' has no value; did you mean '%s'?", name, near.best);
	else
		diag_error(d, offset, "'%s' has no value: --var %s=...", name, name);
	strs_clear(&names);
}

size_t prompt_fill(struct buf *out, const char *file, const char *text, size_t length,
	const struct strs *vars, struct buf *complaints)
{
	const char *p = text, *end = text + length;
	struct diags d = {0};
	size_t errors;

	buf_add(out, "", 0);
	while (p < end) {
		const char *name, *value;
		size_t n, whole = reference(p, end, &name, &n);
		AUTO_FREE char *word = NULL;

		if (*p == '\\' && reference(p + 1, end, &name, &n)) {
			buf_str(out, "{{"); /* the braces themselves, and what follows as it is */
			p += 3;
			continue;
		}
		if (!whole) {
			buf_char(out, *p++);
			continue;
		}
		word = mem_substring(name, n);
		value = value_of(vars, word);
		if (value)
			buf_str(out, value);
		else
			say_unknown(&d, (size_t)(p - text), vars, word);
		p += whole;
	}
	errors = d.errors;
	diags_format(&d, file, text, length, complaints);
	diags_clear(&d);
	return errors;
}
