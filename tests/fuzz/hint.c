/* What a command writes of when to come back: refused, or a time that is not behind the bound. */
#include "hint.h"

#include "breaker.h"
#include "mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const int64_t now = INT64_C(1800000000) * NS_PER_S;
	AUTO_FREE char *text = mem_substring((const char *)data, size);
	int64_t until = 0;

	if (hint_parse(text, now, &until) > 0 && until > now + BREAKER_HINT_MAX)
		abort();
	return 0;
}
