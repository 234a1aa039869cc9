#include "pattern.h"

/* The length of the word at p. */
static size_t word_length(const char *p, const char *end, char separator)
{
	const char *next = memchr(p, separator, (size_t)(end - p));

	return (size_t)((next ? next : end) - p);
}

bool pattern_valid(const char *pattern, char separator)
{
	const char *end = pattern + strlen(pattern);

	for (const char *p = pattern;; p++) {
		size_t n = word_length(p, end, separator);
		bool star = memchr(p, '*', n), last = p + n == end;

		if (n == 0 || (star && !(n == 1 || (n == 2 && p[1] == '*' && *p == '*' && last))))
			return false;
		p += n;
		if (last)
			return true;
	}
}

bool pattern_match(const char *pattern, char separator, const char *text, size_t length)
{
	const char *end = text + length;
	/* Whether a word may start at text; after the last one none does. */
	bool more = length > 0;

	for (; *pattern; pattern += *pattern != '\0') {
		size_t n;

		if (pattern[0] == '*' && pattern[1] == '*')
			return true;
		if (!more)
			return false;
		n = word_length(text, end, separator);
		if (*pattern == '*') {
			pattern++;
		} else {
			if (strncmp(pattern, text, n) != 0)
				return false;
			pattern += n;
		}
		if (*pattern && *pattern != separator)
			return false;
		text += n;
		more = text < end;
		text += more;
	}
	return !more;
}
