/*
 * Whether a line is JSON, for those who read every line of a journal. What was
 * appended through us has its attributes in one order and no space between
 * them: their names are compared and not collected, and only what they say is
 * looked at. Any other line is checked as any JSON is, and it is that check
 * which finds what is wrong.
 */
#include "event.h"
#include "segment.h"

/* Behind `,"name":` if that stands here, else here. */
#define PASS(p, end, name) pass(p, end, ",\"" name "\":", sizeof(",\"" name "\":") - 1)

static inline const char *pass(const char *p, const char *end, const char *key, size_t n)
{
	return (size_t)(end - p) > n && memcmp(p, key, n) == 0 ? p + n : p;
}

/* Behind the attribute of this name, which need not be there; NULL if it is no string. */
#define ATTRIBUTE(p, end, name) string_at(p, PASS(p, end, name), end)

static inline const char *string_at(const char *p, const char *value, const char *end)
{
	return value == p ? p : jscan_string_end(value, end);
}

static const char *skip_attributes(const char *p, const char *end)
{
	p = jscan_string_end(p, end); /* the id */
	p = p ? ATTRIBUTE(p, end, "source") : NULL;
	p = p ? ATTRIBUTE(p, end, "type") : NULL;
	p = p ? ATTRIBUTE(p, end, "subject") : NULL;
	p = p ? ATTRIBUTE(p, end, "time") : NULL;
	p = p ? ATTRIBUTE(p, end, "priority") : NULL;
	p = p ? ATTRIBUTE(p, end, "runid") : NULL;
	return p ? ATTRIBUTE(p, end, "sessionid") : NULL;
}

static bool in_our_order(const char *line, const char *end)
{
	const char *p = pass(line, end, SEGMENT_HEAD, sizeof SEGMENT_HEAD - 2), *data, *what;
	size_t at, length;

	if (p == line || end[-1] != '}')
		return false;
	p = skip_attributes(p, end);
	if (!p || p == end - 1)
		return p != NULL;
	data = PASS(p, end, "data");
	length = (size_t)(end - 1 - data);
	return data != p && jscan_check_depth(data, length, JSON_DEPTH_MAX - 1, &at, &what) == 0;
}

bool event_line_valid(const char *line, size_t length)
{
	const char *end = line + length, *what;
	size_t at;

	end -= length && end[-1] == '\n';
	return in_our_order(line, end) || jscan_check(line, length, &at, &what) == 0;
}
