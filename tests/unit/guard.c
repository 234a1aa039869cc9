/* The parts of loop-guard and the backoff it waits by. */
#include "unit.h"

#include "backoff.h"
#include "hint.h"

#include <errno.h>

#define NOW (INT64_C(1800000000) * NS_PER_S)

TEST(guard_hint_reads_what_servers_and_scripts_write)
{
	static const struct {
		const char *text;
		int64_t until;
	} good[] = {
		{"30", NOW + 30 * NS_PER_S},
		{" 1.5\n", NOW + 1500 * NS_PER_MS},
		{"5m", NOW + 300 * NS_PER_S},
		{"2027-01-15T09:00:00Z", INT64_C(1800003600) * NS_PER_S},
		{"Fri, 15 Jan 2027 09:00:00 GMT", INT64_C(1800003600) * NS_PER_S},
		{"1800000060", INT64_C(1800000060) * NS_PER_S},
		{"{\"reason\":\"quota\",\"resets_at\":\"2027-01-15T09:00:00Z\"}",
			INT64_C(1800003600) * NS_PER_S},
		{"{\"retry_after\":20}", NOW + 20 * NS_PER_S},
		{"{\"resets_at\":null,\"retry_after\":\"1m\"}", NOW + 60 * NS_PER_S},
	};
	int64_t until;

	for (size_t i = 0; i < countof(good); i++) {
		until = 0;
		CHECK_INT(hint_parse(good[i].text, NOW, &until), 1);
		CHECK_INT(until, good[i].until);
	}
}

TEST(guard_hint_refuses_rubbish)
{
	static const char *const bad[] = {"soon", "-5", "{", "{\"retry_after\":[1]}",
		"{\"retry_after\":\"\"}", "99999999999999999999", "9999999999999", "32d", "0x10"};
	int64_t until;

	for (size_t i = 0; i < countof(bad); i++)
		CHECK_INT(hint_parse(bad[i], NOW, &until), -EINVAL);
	CHECK_INT(hint_parse("", NOW, &until), 0);
	CHECK_INT(hint_parse(" \n", NOW, &until), 0);
	CHECK_INT(hint_parse("{\"success\":true}", NOW, &until), 0);
}
