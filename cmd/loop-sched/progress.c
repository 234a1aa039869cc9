#include "progress.h"

#include "buf.h"
#include "io.h"
#include "mem.h"

#include <fcntl.h>

enum { TAIL = 4096 };

/* The last line that holds more than blanks, as a string of its own. */
static char *last_line(char *text)
{
	char *last = text, *line;

	while ((line = strsep(&text, "\n")))
		if (line[strspn(line, " \t\r")])
			last = line + strspn(line, " \t");
	last[strcspn(last, "\r")] = '\0';
	return last;
}

/* "3/8", "40%" and whatever follows. */
static int percent_of(const char *line)
{
	double done, all = 100;
	char *end;

	done = strtod(line, &end);
	if (end == line || !(done >= 0))
		return -1;
	end += strspn(end, " ");
	if (*end == '/')
		all = strtod(end + 1, NULL);
	else if (*end != '%')
		return -1;
	return all > 0 ? (int)MIN(100 * done / all, 100.0) : -1;
}

static void progress_parse(struct progress *p, const char *text)
{
	AUTO_FREE char *copy = mem_string(text);
	const char *line = last_line(copy);

	p->percent = percent_of(line);
	escape_text(p->text, sizeof p->text, line);
}

void progress_read(struct progress *p, int tasks, const char *id, unsigned attempt)
{
	char path[300], text[TAIL + 1];
	AUTO_CLOSE int fd = -1;
	ssize_t n;

	*p = (struct progress){.percent = -1};
	snprintf(path, sizeof path, "%s/%u/progress", id, attempt);
	/* A FIFO that somebody put there must not hold us up. */
	fd = io_open(tasks, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
	if (fd < 0)
		return;
	n = io_pread(fd, text, TAIL, MAX(lseek(fd, 0, SEEK_END) - TAIL, (off_t)0));
	if (n <= 0)
		return;
	text[n] = '\0';
	progress_parse(p, text);
}
