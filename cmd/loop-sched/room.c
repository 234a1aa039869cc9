/* room: whether there is enough left for new work, as a run asks before it starts any. */
#include "room.h"
#include "commands.h"
#include "die.h"
#include "err.h"

static struct room least = {.disk = ROOM_DISK_LEAST};

const struct opt room_options[] = {
	{"min-disk", 0, "SIZE", "so much has to be free on the disk (1M)", .size = &least.disk},
	{"min-memory", 0, "SIZE", "so much memory has to be available (0)", .size = &least.memory},
	{0},
};

int room_main(const struct args *a)
{
	const char *const here[] = {".", NULL};
	struct err why = {0};

	if (!room_short(&least, a->count ? (const char *const *)a->item : here, &why))
		return EXIT_SUCCESS;
	puts(why.text);
	return EXIT_NO;
}
