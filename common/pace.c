#include "pace.h"

#include "buf.h"
#include "clock.h"
#include "io.h"

#include <fcntl.h>

enum { LOOK_SECONDS = 1,
	HALVE_SECONDS = 10, /* one limit met by many tasks halves once */
	MEMORY_FULL = 10,   /* percent of the last ten seconds in which somebody waited for it */
	CPU_FULL = 60,
	STATUS_QUOTA = 113,
	STATUS_TRANSIENT = 114 };

void pace_init(struct pace *p, int64_t min, int64_t max)
{
	*p = (struct pace){.min = min ? min : max,
		.max = max,
		.now = min ? min : max,
		.next = min ? clock_after(LOOK_SECONDS * NS_PER_S) : NS_FOREVER,
		.halved = clock_now() - HALVE_SECONDS * NS_PER_S,
		.pressure = "/proc/pressure"};
}

/* The share of the last ten seconds in which some process waited for a resource, in percent; 0
 * where the kernel does not tell. */
static double pressure(const struct pace *p, const char *what)
{
	AUTO_BUF struct buf text = {0};
	char path[256];
	const char *avg;

	snprintf(path, sizeof path, "%s/%s", p->pressure, what);
	if (io_read_file(AT_FDCWD, path, 4096, &text) < 0 || !text.length)
		return 0;
	avg = strstr(text.text, "avg10=");
	return avg ? strtod(avg + 6, NULL) : 0;
}

static void halve(struct pace *p)
{
	int64_t now = clock_now();

	if (p->next == NS_FOREVER || now - p->halved < HALVE_SECONDS * NS_PER_S)
		return;
	p->halved = now;
	p->now = MAX(p->now / 2, p->min);
}

void pace_tick(struct pace *p, bool waiting)
{
	if (clock_now() < p->next)
		return;
	p->next = clock_after(LOOK_SECONDS * NS_PER_S);
	if (pressure(p, "memory") > MEMORY_FULL)
		halve(p);
	else if (waiting && p->now < p->max && pressure(p, "cpu") < CPU_FULL)
		p->now++;
}

void pace_status(struct pace *p, int status)
{
	if (status == STATUS_QUOTA || status == STATUS_TRANSIENT)
		halve(p);
}
