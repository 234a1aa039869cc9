/*
 * The pattern matcher against the definition, word by word. The input is a
 * pattern, a newline, and a text.
 */
#include "pattern.h"

#include "mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whether the words of a text, n of them left, fit those of a pattern. */
static bool fits(const char *pattern, const char *text, bool more)
{
	size_t p = strcspn(pattern, "."), t = strcspn(text, ".");

	if (strcmp(pattern, "**") == 0)
		return true;
	if (!more)
		return false;
	if (!(p == 1 && *pattern == '*') && (p != t || strncmp(pattern, text, p) != 0))
		return false;
	if (!pattern[p])
		return !text[t];
	return fits(pattern + p + 1, text[t] ? text + t + 1 : "", text[t]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_FREE char *pattern = mem_substring((const char *)data, size);
	char *newline = strchr(pattern, '\n');
	char *text = newline ? newline + 1 : pattern;

	if (!newline)
		return 0;
	*newline = '\0';
	if (pattern_valid(pattern, PATTERN_TYPE) &&
		pattern_match(pattern, PATTERN_TYPE, text, strlen(text)) !=
			fits(pattern, text, *text))
		abort();
	return 0;
}
