#include "request.h"

#include "io.h"
#include "jscan.h"

static const char *const names[] = {
	[REQUEST_NONE] = "none",
	[REQUEST_PAUSE] = "pause",
	[REQUEST_RESUME] = "resume",
	[REQUEST_ADVANCE] = "promote",
	[REQUEST_FULL] = "promote-full",
	[REQUEST_ABORT] = "abort",
	[REQUEST_RETRY] = "retry",
};

enum { REQUEST_FILE_MAX = 65536 };

int request_write(const struct record *r, enum request q, const char *by, const char *why,
	struct err *e)
{
	AUTO_BUF struct buf b = {0};
	int n;

	buf_format(&b, "{\"action\":\"%s\",\"by\":", names[q]);
	buf_json(&b, by, strlen(by));
	buf_str(&b, ",\"why\":");
	buf_json(&b, why, strlen(why));
	buf_str(&b, "}\n");
	n = io_replace(r->dir, "request", b.text, b.length, 0600);
	return n < 0 ? err_sys(e, n, "%s/rollouts/%s/request", r->state->path, r->name) : 0;
}

static void read_words(struct span whole, struct buf *words)
{
	AUTO_BUF struct buf by = {0};
	AUTO_BUF struct buf why = {0};
	struct span value;

	if (jscan_get(whole, "by", &value) && jscan_text(value, &by) == 0)
		buf_format(words, "by %s", by.text);
	if (jscan_get(whole, "why", &value) && jscan_text(value, &why) == 0 && why.length)
		buf_format(words, ": %s", why.text);
}

enum request request_take(const struct record *r, struct buf *words)
{
	AUTO_BUF struct buf b = {0};
	struct span whole, value;
	const char *what;
	size_t at;

	if (io_read_file(r->dir, "request", REQUEST_FILE_MAX, &b) < 0)
		return REQUEST_NONE;
	unlinkat(r->dir, "request", 0);
	whole = (struct span){b.text, b.length};
	if (jscan_check(b.text, b.length, &at, &what) < 0 || !jscan_get(whole, "action", &value))
		return REQUEST_NONE;
	read_words(whole, words);
	for (size_t i = 0; i < countof(names); i++)
		if (jscan_is(value, names[i]))
			return (enum request)i;
	return REQUEST_NONE;
}
