#include "recover.h"

#include "io.h"
#include "step.h"

#include <fcntl.h>
#include <sys/stat.h>

enum { TAIL_MAX = 1 << 18 };

static void read_tail(int folder, struct buf *out)
{
	AUTO_CLOSE int fd = io_open(folder, "events.jsonl", O_RDONLY | O_NOFOLLOW, 0);
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0)
		return;
	n = io_pread(fd, buf_reserve(out, TAIL_MAX), TAIL_MAX,
		MAX(st.st_size - TAIL_MAX, (off_t)0));
	out->length += n > 0 ? (size_t)n : 0;
}

static int64_t join(int64_t before, int64_t now, bool of_all)
{
	return of_all ? MAX(before, now) : before + now;
}

static void take(const struct step *s, struct used *u)
{
	AUTO_BUF struct buf of = {0};
	double cost;
	bool of_all;

	step_text(s, "of", &of);
	of_all = of.length > 0;
	u->input = join(u->input, step_int(s, "input", 0), of_all);
	u->output = join(u->output, step_int(s, "output", 0), of_all);
	if (!step_has(s, "cost_usd"))
		return;
	u->cost_known = step_real(s, "cost_usd", &cost);
	if (u->cost_known)
		u->cost = of_all ? MAX(u->cost, cost) : u->cost + cost;
}

void recover_usage(int folder, int64_t attempt, struct used *u)
{
	AUTO_BUF struct buf tail = {0};
	size_t end, start;
	struct step s;

	read_tail(folder, &tail);
	for (end = tail.length; end; end = start ? start - 1 : 0) {
		for (start = end; start && tail.text[start - 1] != '\n';)
			start--;
		if (step_parse(&s, tail.text + start, end - start) < 0)
			continue;
		u->heard = MAX(u->heard, s.time);
		if (s.kind == STEP_USAGE && s.attempt == attempt) {
			take(&s, u);
			return;
		}
	}
}
