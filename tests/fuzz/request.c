/*
 * Any bytes, cut into pieces by the first of them: nothing is read out of
 * bounds, what is accepted does not depend on how it was cut, and a body never
 * grows beyond its limit.
 */
#include "loop-stream/request.h"

enum { BODY_MAX = 64 };

static int feed(struct intake *in, const char *text, size_t length, size_t piece)
{
	size_t at = 0;

	while (in->phase != INTAKE_WHOLE) {
		enum intake_phase before = in->phase;
		size_t used;
		int status = intake_take(in, text + at, MIN(piece, length - at), &used);

		at += used;
		if (status || (!used && in->phase == before))
			return status;
	}
	return 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data + 1;
	struct intake *whole, *cut;

	if (size < 1)
		return 0;
	whole = intake_new(BODY_MAX);
	cut = intake_new(BODY_MAX);
	if (feed(whole, text, size - 1, size) != feed(cut, text, size - 1, 1 + data[0] % 16))
		abort();
	if (whole->phase != cut->phase || whole->body.length > BODY_MAX ||
		whole->body.length != cut->body.length)
		abort();
	intake_free(whole);
	intake_free(cut);
	return 0;
}
