#include "unit.h"

#include "statuses.h"

#include <errno.h>

TEST(statuses_are_those_of_the_list)
{
	static const struct {
		const char *list;
		int status;
		bool in;
	} cases[] = {
		{"0", 0, true},
		{"0", 1, false},
		{"75,110-114", 75, true},
		{"75,110-114", 109, false},
		{"75,110-114", 110, true},
		{"75,110-114", 114, true},
		{"75,110-114", 115, false},
		{"0-255", 255, true},
		{"0-255", 256, false},
		{"0-255", -1, false},
		{"timeout", 124, true},
		{"3,signal", 128, false},
		{"3,signal", 143, true},
		{"quota", 113, true},
	};

	for (size_t i = 0; i < countof(cases); i++) {
		struct statuses s = {0};

		CHECK_INT(statuses_add(&s, cases[i].list, 0), 0);
		CHECK_INT(statuses_has(&s, cases[i].status), cases[i].in);
	}
}

TEST(statuses_refuse_what_is_no_list)
{
	static const char *const lists[] = {
		"", ",", "1,", "x", "1-", "-1", "3-2", "256", "1-256", "1 2", "signals", "0"};

	for (size_t i = 0; i < countof(lists); i++) {
		struct statuses s = {0};

		CHECK_INT(statuses_add(&s, lists[i], 1), -EINVAL);
	}
}

TEST(statuses_subtract_takes_out_what_both_have)
{
	struct statuses all = {0}, gone = {0};

	CHECK_INT(statuses_add(&all, "1-255", 1), 0);
	CHECK_INT(statuses_add(&gone, "64-66,200", 1), 0);
	statuses_subtract(&all, &gone);
	CHECK(statuses_has(&all, 63) && !statuses_has(&all, 64) && !statuses_has(&all, 66));
	CHECK(statuses_has(&all, 67) && !statuses_has(&all, 200) && statuses_has(&all, 255));
}
