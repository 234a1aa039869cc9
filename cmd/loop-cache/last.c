#include "last.h"

#include "io.h"
#include "manifest.h"

enum { LAST_MAX = 64 << 20 };

static const char *const reasons[] = {
	[FOUND_HIT] = "it was to be refreshed",
	[FOUND_EXPIRED] = "what was kept has expired",
	[FOUND_DAMAGED] = "what was kept is damaged",
	[FOUND_OLD] = "what was kept is too old",
};

static void path_of(char out[SCOPE_PATH_SIZE], const char *name)
{
	struct digest d = digest_of(name, strlen(name));
	char hex[DIGEST_HEX + 1];

	snprintf(out, SCOPE_PATH_SIZE, "last/%s", digest_hex(&d, hex));
}

int last_write(
	const struct scope *s, const char *name, const struct buf *manifest, const char *outcome)
{
	AUTO_CLOSE int folder = scope_folder(s, "last");
	char path[SCOPE_PATH_SIZE];
	AUTO_BUF struct buf b = {0};

	if (folder < 0)
		return folder;
	buf_format(&b, "%s\n", outcome);
	buf_add(&b, manifest->text, manifest->length);
	path_of(path, name);
	return io_replace(s->dir, path, b.text, b.length, 0600);
}

void last_explain(const struct scope *s, const char *name, const struct buf *manifest,
	enum found found, struct buf *words)
{
	char path[SCOPE_PATH_SIZE];
	AUTO_BUF struct buf before = {0};
	AUTO_BUF struct buf outcome = {0};
	size_t n;

	if (found != FOUND_NONE) {
		buf_str(words, reasons[found]);
		return;
	}
	path_of(path, name);
	if (io_read_file(s->dir, path, LAST_MAX, &before) < 0) {
		buf_str(words, "it was not run before");
		return;
	}
	n = strcspn(before.text, "\n");
	buf_add(&outcome, before.text, n);
	buf_drop(&before, MIN(n + 1, before.length));
	if (manifest_difference(&before, manifest, words))
		return;
	if (strcmp(outcome.text, "kept") == 0)
		buf_str(words, "what was kept has been removed or evicted");
	else
		buf_format(words, "the last run was not kept: %s", outcome.text);
}
