/*
 * Any bytes as a job or an answer: pieces lie within the text, one behind the other, and put
 * together again they are the text as far as it was understood.
 */
#include "loop-job/parcel.h"

#include <errno.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool so)
{
	if (!so)
		abort();
}

/* A length may have zeros in front, and a name may hold a NUL: then it is another text. */
static bool is_plain(const char *head, const struct piece *p)
{
	char ours[sizeof p->name + 24];
	int n = snprintf(ours, sizeof ours, "%s %zu\n", p->name, p->bytes.n);

	return head + n == p->bytes.p && memcmp(head, ours, (size_t)n) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	AUTO_BUF struct buf again = {0};
	struct span rest;
	struct piece p;
	bool plain = true;
	int r = parcel_open(&rest, text, size);

	if (r < 0) {
		must(r == -EINVAL || r == -ENOTSUP);
		return 0;
	}
	parcel_begin(&again);
	must(rest.p == text + again.length);
	for (const char *head = rest.p; (r = parcel_next(&rest, &p)) > 0; head = rest.p) {
		int64_t number;
		char *copy = piece_text(&p);

		must(p.bytes.p > head && p.bytes.p + p.bytes.n < text + size);
		must(strlen(copy) <= p.bytes.n);
		free(copy);
		(void)!piece_number(&p, &number);
		plain &= is_plain(head, &p);
		parcel_add(&again, p.name, p.bytes.p, p.bytes.n);
	}
	must(r == 0 || r == -EINVAL);
	if (plain)
		must(again.length <= size && memcmp(again.text, text, again.length) == 0);
	return 0;
}
