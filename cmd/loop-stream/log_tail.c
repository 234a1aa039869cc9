#include "log_tail.h"

#include "io.h"
#include "parse.h"

#include <fcntl.h>
#include <sys/stat.h>

enum { TAIL_BYTES = 16384 };

/* The end of a file, from the beginning of a line; empty where there is none. */
static void read_end(const struct run *r, const struct task *t, const char *kind, struct buf *out)
{
	long long attempt = MAX(t->attempt, INT64_C(1));
	AUTO_FREE char *path = mem_format("tasks/%s/%lld.%s", t->id, attempt, kind);
	AUTO_CLOSE int fd = -1;
	struct stat st;
	ssize_t n;

	buf_add(out, "", 0);
	if (name_valid(t->id))
		fd = io_open(r->dir, path, O_RDONLY | O_NOFOLLOW, 0);
	if (fd < 0 || fstat(fd, &st) < 0)
		return;
	n = io_pread(fd, buf_reserve(out, TAIL_BYTES), TAIL_BYTES,
		MAX((off_t)0, st.st_size - TAIL_BYTES));
	if (n <= 0)
		return;
	out->length = (size_t)n;
	out->text[n] = '\0';
	if (st.st_size > TAIL_BYTES)
		buf_drop(out, strcspn(out->text, "\n"));
}

void log_tail(const struct run *r, const struct task *t, size_t max, struct strs *lines)
{
	static const char *const kinds[] = {"out", "err"};
	AUTO_STRS struct strs all = {0};

	for (size_t i = 0; i < countof(kinds); i++) {
		AUTO_BUF struct buf text = {0};

		read_end(r, t, kinds[i], &text);
		for (char *rest = text.text, *line; (line = strsep(&rest, "\n"));)
			if (*line)
				strs_format(&all, "%s | %s", t->id, line);
	}
	if (!all.count)
		strs_format(lines, "%s | nothing written yet", t->id);
	for (size_t i = all.count - MIN(all.count, max); i < all.count; i++)
		strs_add(lines, all.item[i]);
}
