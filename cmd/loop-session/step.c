#include "step.h"

#include "parse.h"

#include <errno.h>
#include <math.h>

static const struct {
	const char *type;
	enum step_kind kind;
} kinds[] = {
	{"session.started", STEP_STARTED},
	{"message", STEP_MESSAGE},
	{"tool.started", STEP_TOOL},
	{"tool.finished", STEP_TOOL_END},
	{"usage", STEP_USAGE},
	{"retry", STEP_RETRY},
	{"limit", STEP_LIMIT},
	{"denied", STEP_DENIED},
	{"error", STEP_ERROR},
	{"result", STEP_RESULT},
	{"omitted", STEP_OMITTED},
};

static enum step_kind kind_of(struct span line)
{
	struct span type;

	if (!jscan_get(line, "type", &type))
		return STEP_OTHER;
	for (size_t i = 0; i < countof(kinds); i++)
		if (jscan_is(type, kinds[i].type))
			return kinds[i].kind;
	return STEP_OTHER;
}

static int64_t time_of(struct span line)
{
	struct span time;
	int64_t ns;

	if (!jscan_get(line, "time", &time) || time.n < 2 ||
		parse_rfc3339(time.p + 1, time.n - 2, &ns) < 0)
		return 0;
	return ns;
}

int step_parse(struct step *s, const char *line, size_t length)
{
	const char *what;
	size_t at;

	*s = (struct step){.line = {line, length}};
	if (jscan_check(line, length, &at, &what) < 0 || jscan_kind(s->line) != '{')
		return -EINVAL;
	s->kind = kind_of(s->line);
	s->time = time_of(s->line);
	s->attempt = step_int(s, "attempt", 0);
	return 0;
}

void step_text(const struct step *s, const char *key, struct buf *out)
{
	struct span value;

	out->length = 0;
	if (!jscan_get(s->line, key, &value) || jscan_text(value, out) < 0)
		out->length = 0;
	buf_add(out, "", 0);
}

int64_t step_int(const struct step *s, const char *key, int64_t otherwise)
{
	struct span value;
	int64_t n;

	return jscan_get(s->line, key, &value) && jscan_int(value, &n) == 0 ? n : otherwise;
}

bool step_real(const struct step *s, const char *key, double *out)
{
	struct span value;
	char text[64];

	if (!jscan_get(s->line, key, &value) || jscan_kind(value) != '0' || value.n >= sizeof text)
		return false;
	snprintf(text, sizeof text, "%.*s", (int)value.n, value.p);
	*out = strtod(text, NULL);
	return isfinite(*out);
}

bool step_has(const struct step *s, const char *key)
{
	struct span value;

	return jscan_get(s->line, key, &value);
}

bool step_true(const struct step *s, const char *key)
{
	struct span value;

	return jscan_get(s->line, key, &value) && jscan_kind(value) == 't';
}
