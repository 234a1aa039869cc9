#include "store.h"

const char *store_choose(const char *named)
{
	const char *store = named ? named : getenv("LOOP_STORE");

	return store && *store ? store : "file";
}

bool store_in_files(const char *store)
{
	return strcmp(store, "file") == 0;
}
