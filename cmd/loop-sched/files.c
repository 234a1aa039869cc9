#include "files.h"

#include <fnmatch.h>

/* Whether two paths or patterns may name the same file: equal, one a folder of the other, or one
 * matched by the other. */
static bool paths_overlap(const char *a, const char *b)
{
	size_t na = strlen(a), nb = strlen(b), n;

	while (na && a[na - 1] == '/')
		na--;
	while (nb && b[nb - 1] == '/')
		nb--;
	n = MIN(na, nb);
	if (strncmp(a, b, n) == 0 && (na == nb || (na < nb ? b[n] : a[n]) == '/'))
		return true;
	return fnmatch(a, b, 0) == 0 || fnmatch(b, a, 0) == 0;
}

static bool path_in(const char *path, struct span files)
{
	struct span key, value;
	struct jscan walk;

	jscan_open(&walk, files);
	while (jscan_next(&walk, &key, &value) > 0) {
		AUTO_BUF struct buf other = {0};

		if (jscan_text(value, &other) == 0 && paths_overlap(path, other.text))
			return true;
	}
	return false;
}

bool files_overlap(struct span a, struct span b)
{
	struct span key, value;
	struct jscan walk;

	if (!a.n || !b.n)
		return false;
	jscan_open(&walk, a);
	while (jscan_next(&walk, &key, &value) > 0) {
		AUTO_BUF struct buf path = {0};

		if (jscan_text(value, &path) == 0 && path_in(path.text, b))
			return true;
	}
	return false;
}
