#include "glob.h"

/* Whether the pattern from p on matches all of the text: a star is tried shorter first, and only
 * the last one of each kind is ever gone back to, so that the cost is bounded. */
static bool match(const char *p, const char *text)
{
	const char *star = NULL, *star_text = NULL, *deep = NULL, *deep_text = NULL;

	while (*text || *p) {
		if (p[0] == '*' && p[1] == '*') {
			p += p[2] == '/' ? 3 : 2;
			deep = p;
			deep_text = text;
			star = NULL;
		} else if (*p == '*') {
			star = ++p;
			star_text = text;
		} else if (*text && (*p == *text || (*p == '?' && *text != '/'))) {
			p++;
			text++;
		} else if (star && *star_text && *star_text != '/') {
			p = star;
			text = ++star_text;
		} else if (deep && *deep_text) {
			deep_text += strcspn(deep_text, "/");
			deep_text += *deep_text == '/';
			if (!*deep_text && *deep)
				return false;
			p = deep;
			text = deep_text;
			star = NULL;
		} else {
			return false;
		}
	}
	return true;
}

bool glob_match(const char *pattern, const char *path, bool folder)
{
	char plain[4096];
	size_t n = strlen(pattern);
	const char *name = strrchr(path, '/');

	if (n && pattern[n - 1] == '/') {
		if (!folder)
			return false;
		n--;
	}
	if (n == 0 || n >= sizeof plain)
		return false;
	memcpy(plain, pattern, n);
	plain[n] = '\0';
	if (!strchr(plain, '/'))
		return match(plain, name ? name + 1 : path);
	return match(plain + (*plain == '/'), path);
}
