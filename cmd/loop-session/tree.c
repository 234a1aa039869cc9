#include "tree.h"

#include <errno.h>
#include <fts.h>
#include <sys/stat.h>

static FTS *open_tree(const char *path)
{
	char *paths[] = {(char *)(uintptr_t)path, NULL};

	return fts_open(paths, FTS_PHYSICAL | FTS_XDEV, NULL);
}

int64_t tree_size(const char *path)
{
	FTS *tree = open_tree(path);
	int64_t bytes = 0;
	FTSENT *e;

	while (tree && (e = fts_read(tree)))
		if (e->fts_info != FTS_DP && e->fts_info != FTS_NS)
			bytes += (int64_t)e->fts_statp->st_blocks * 512;
	if (tree)
		fts_close(tree);
	return bytes;
}

static int remove_one(const FTSENT *e)
{
	int r = 0;

	switch (e->fts_info) {
	case FTS_D: return 0; /* it comes again, empty */
	case FTS_DP: r = rmdir(e->fts_accpath); break;
	case FTS_DNR:
	case FTS_ERR: return -e->fts_errno;
	default: r = unlink(e->fts_accpath); break;
	}
	return r < 0 ? -errno : 0;
}

int tree_remove(const char *path)
{
	FTS *tree = open_tree(path);
	int first = tree ? 0 : -errno;
	FTSENT *e;

	while (tree && (e = fts_read(tree))) {
		int r = remove_one(e);

		first = first ? first : r;
	}
	if (tree)
		fts_close(tree);
	return first;
}
