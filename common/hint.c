#include "hint.h"

#include "breaker.h"
#include "buf.h"
#include "clock.h"
#include "io.h"
#include "jscan.h"
#include "mem.h"

#include <errno.h>
#include <sys/mman.h>
#include <time.h>

enum { HINT_MAX = 1 << 20 };

/* Seconds above this are a time, not a duration (September 2001; as a duration, 31 years). */
#define EPOCH_FROM (INT64_C(1000000000) * NS_PER_S)

int hint_open(void)
{
	char path[64];
	int fd = memfd_create("retry-after", MFD_CLOEXEC);

	if (fd < 0)
		return -errno;
	snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)getpid(), fd);
	return setenv("LOOP_RETRY_AFTER", path, 1) < 0 ? -errno : fd;
}

void hint_empty(int fd)
{
	if (fd >= 0 && ftruncate(fd, 0) == 0)
		lseek(fd, 0, SEEK_SET);
}

/* "Wed, 21 Oct 2015 07:28:00 GMT" (RFC 9110, 5.6.7). */
static bool parse_http_date(const char *text, int64_t *ns)
{
	struct tm tm = {0};
	const char *end = strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &tm);

	if (!end || *end)
		return false;
	*ns = (int64_t)timegm(&tm) * NS_PER_S;
	return true;
}

static int parse_text(const char *text, int64_t now, int64_t *until)
{
	int64_t ns;

	if (parse_duration(text, &ns) == 0) {
		*until = ns >= EPOCH_FROM ? ns : now + ns;
		return 1;
	}
	if (parse_rfc3339(text, strlen(text), until) == 0 || parse_http_date(text, until))
		return 1;
	return -EINVAL;
}

static int parse_object(const char *text, size_t length, int64_t now, int64_t *until)
{
	static const char *const keys[] = {"retry_after", "resets_at", "reset_at", "reset"};
	AUTO_BUF struct buf word = {0};
	const char *what;
	struct span value;
	size_t where;

	if (jscan_check(text, length, &where, &what) < 0)
		return -EINVAL;
	for (size_t i = 0; i < countof(keys); i++) {
		if (!jscan_get((struct span){text, length}, keys[i], &value))
			continue;
		if (jscan_kind(value) == 'n')
			continue;
		if (jscan_text(value, &word) < 0)
			buf_add(&word, value.p, value.n);
		return parse_text(word.text, now, until);
	}
	return 0;
}

int hint_parse(const char *text, int64_t now, int64_t *until)
{
	AUTO_FREE char *word = NULL;
	size_t n;
	int r;

	text += strspn(text, " \t\r\n");
	n = strlen(text);
	while (n && strchr(" \t\r\n", text[n - 1]))
		n--;
	if (!n)
		return 0;
	word = mem_substring(text, n);
	r = *word == '{' ? parse_object(word, n, now, until) : parse_text(word, now, until);
	if (r > 0 && *until > now + BREAKER_HINT_MAX)
		return -EINVAL;
	return r;
}

int hint_read(int fd, int64_t *until)
{
	AUTO_BUF struct buf text = {0};

	/* Its place is shared with nobody: whoever writes there has opened it anew. */
	if (fd < 0 || lseek(fd, 0, SEEK_SET) < 0 || io_read_all(fd, HINT_MAX, &text) < 0)
		return 0;
	return hint_parse(text.text, clock_real(), until);
}
