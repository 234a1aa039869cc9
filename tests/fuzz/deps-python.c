/*
 * Any bytes as Python: the scan ends, reads nothing out of bounds, and every
 * place is in the text.
 */
#include "loop-deps/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = {0};
	struct imports found = {.arena = &arena};
	char *text = mem_new(size + SCAN_PADDING);

	memcpy(text, data, size);
	memset(text + size, 0, SCAN_PADDING);
	scan_python(text, size, &found);
	for (size_t i = 0; i < found.count; i++)
		if (found.item[i].line > size || found.item[i].column > size + 1)
			abort();
	free(text);
	free(found.item);
	arena_clear(&arena);
	return 0;
}
