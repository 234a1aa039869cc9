/* The texts that a job and its answer are sent as. */
#include "loop-job/parcel.h"
#include "unit.h"

#include <errno.h>

static int open_text(struct span *rest, const char *text)
{
	return parcel_open(rest, text, strlen(text));
}

TEST(parcel_round_trip)
{
	static const char bytes[] = "a\0b\nout 3\n\377";
	AUTO_BUF struct buf b = {0};
	struct span rest;
	struct piece p;
	int64_t number;

	parcel_begin(&b);
	parcel_add(&b, "out", bytes, sizeof bytes - 1);
	parcel_add(&b, "err", "", 0);
	parcel_number(&b, "status", -3);
	parcel_text(&b, "file:OUT", "two words");
	CHECK_INT(parcel_open(&rest, b.text, b.length), 0);
	CHECK_INT(parcel_next(&rest, &p), 1);
	CHECK(piece_is(&p, "out") && !piece_is(&p, "ou") && !piece_is(&p, "out "));
	CHECK(p.bytes.n == sizeof bytes - 1 && memcmp(p.bytes.p, bytes, p.bytes.n) == 0);
	CHECK_INT(parcel_next(&rest, &p), 1);
	CHECK(piece_is(&p, "err") && p.bytes.n == 0);
	CHECK_INT(parcel_next(&rest, &p), 1);
	CHECK_INT(piece_number(&p, &number), 0);
	CHECK_INT(number, -3);
	CHECK_INT(parcel_next(&rest, &p), 1);
	{
		AUTO_FREE char *text = piece_text(&p);

		CHECK_STR(text, "two words");
	}
	CHECK(piece_number(&p, &number) < 0);
	CHECK_INT(parcel_next(&rest, &p), 0);
}

/* Cut off anywhere but between two pieces, it is torn; what came whole before that is there. */
TEST(parcel_torn)
{
	AUTO_BUF struct buf b = {0};
	size_t first, head;

	parcel_begin(&b);
	head = b.length;
	parcel_text(&b, "out", "some\ntext");
	first = b.length;
	parcel_text(&b, "status", "0");
	for (size_t n = 0; n < b.length; n++) {
		struct span rest;
		struct piece p;
		int r = parcel_open(&rest, b.text, n);

		CHECK_INT(r, n < head ? (n > 9 ? -ENOTSUP : -EINVAL) : 0);
		if (r < 0)
			continue;
		if (n >= first)
			CHECK_INT(parcel_next(&rest, &p), 1);
		CHECK_INT(parcel_next(&rest, &p), n == head || n == first ? 0 : -EINVAL);
	}
}

TEST(parcel_refused)
{
	static const char *const pieces[] = {"x\n", " 3\nabc\n", "out\n", "out 3\n", "out 3\nab\n",
		"out 2\nabc\n", "out -1\n\n", "out 99999999999999999999\nx\n",
		"out 9223372036854775807\nx\n", "out 1x\na\n", "out  1\na\n", "out 1 \na\n"};
	AUTO_BUF struct buf long_name = {0};
	struct span rest;
	struct piece p;

	CHECK_INT(open_text(&rest, ""), -EINVAL);
	CHECK_INT(open_text(&rest, "loop-job 2\n"), -ENOTSUP);
	CHECK_INT(open_text(&rest, "loop-jobs\n"), -EINVAL);
	for (size_t i = 0; i < countof(pieces); i++) {
		AUTO_BUF struct buf b = {0};

		parcel_begin(&b);
		buf_str(&b, pieces[i]);
		CHECK_INT(parcel_open(&rest, b.text, b.length), 0);
		if (parcel_next(&rest, &p) != -EINVAL)
			unit_fail(__FILE__, __LINE__, "taken: %s", pieces[i]);
	}
	parcel_begin(&long_name);
	for (size_t i = 0; i < sizeof p.name; i++)
		buf_char(&long_name, 'n');
	buf_str(&long_name, " 0\n\n");
	CHECK_INT(parcel_open(&rest, long_name.text, long_name.length), 0);
	CHECK_INT(parcel_next(&rest, &p), -EINVAL);
}
