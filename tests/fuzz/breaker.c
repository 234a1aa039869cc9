/* The file of a breaker: what is accepted is written and read again as the same. */
#include "breaker_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_BUF struct buf once = {0}, twice = {0};
	struct breaker_file f;
	struct err e = {0};

	if (breaker_file_parse(&f, (const char *)data, size, &e) < 0)
		return 0;
	breaker_file_format(&f, "x", &once);
	if (breaker_file_parse(&f, once.text, once.length, &e) < 0)
		abort();
	breaker_file_format(&f, "x", &twice);
	if (once.length != twice.length || memcmp(once.text, twice.text, once.length) != 0)
		abort();
	return 0;
}
