#include "share.h"

#include "base.h"
#include "mem.h"

#include <errno.h>
#include <limits.h>

/* From bin/ of an installation, and from build/BUILD/bin of the source tree. */
static const char *const beside[] = {"../share/loop", "../../../share"};

static char *if_there(const char *folder, const char *name)
{
	char *path = mem_format("%s/%s", folder, name);

	if (access(path, F_OK) == 0)
		return path;
	free(path);
	return NULL;
}

char *share_path(const char *name)
{
	const char *env = getenv("LOOP_SHARE");
	char program[PATH_MAX];
	ssize_t n;

	if (env && *env)
		return if_there(env, name);
	n = readlink("/proc/self/exe", program, sizeof program - 1);
	if (n <= 0)
		return NULL;
	program[n] = '\0';
	*strrchr(program, '/') = '\0';
	for (size_t i = 0; i < countof(beside); i++) {
		AUTO_FREE char *folder = mem_format("%s/%s", program, beside[i]);
		char *path = if_there(folder, name);

		if (path)
			return path;
	}
	return NULL;
}
