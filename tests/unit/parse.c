#include "unit.h"

#include "parse.h"

#include <errno.h>

static const struct {
	const char *text;
	int result;
	int64_t ns;
} durations[] = {
	{"0", 0, 0},
	{"90", 0, 90 * NS_PER_S},
	{"1.5", 0, 1500 * NS_PER_MS},
	{"250ms", 0, 250 * NS_PER_MS},
	{"90s", 0, 90 * NS_PER_S},
	{"1h30m", 0, 5400 * NS_PER_S},
	{"2d", 0, 2 * 86400 * NS_PER_S},
	{"1.5h", 0, 5400 * NS_PER_S},
	{"10us", 0, 10000},
	{"", -EINVAL, 0},
	{"m", -EINVAL, 0},
	{"-1s", -EINVAL, 0},
	{"1.", -EINVAL, 0},
	{"1s ", -EINVAL, 0},
	{"5 m", -EINVAL, 0},
	{"1h30", -EINVAL, 0},
	{"10y", -EINVAL, 0},
	{"9223372036s", 0, INT64_C(9223372036000000000)},
	{"9223372037s", -ERANGE, 0},
	{"99999999999999999999", -ERANGE, 0},
};

TEST(parse_durations)
{
	for (size_t i = 0; i < countof(durations); i++) {
		int64_t ns = 0;

		CHECK_INT(parse_duration(durations[i].text, &ns), durations[i].result);
		CHECK_INT(ns, durations[i].ns);
	}
}

static const struct {
	const char *text;
	int result;
	int64_t bytes;
} sizes[] = {
	{"512", 0, 512},
	{"64K", 0, 65536},
	{"1.5M", 0, 1572864},
	{"2G", 0, INT64_C(2147483648)},
	{"8388607T", 0, INT64_C(8388607) << 40},
	{"8388608T", -ERANGE, 0},
	{"1k", -EINVAL, 0},
	{"1KB", -EINVAL, 0},
	{"K", -EINVAL, 0},
	{"", -EINVAL, 0},
};

TEST(parse_sizes)
{
	for (size_t i = 0; i < countof(sizes); i++) {
		int64_t bytes = 0;

		CHECK_INT(parse_size(sizes[i].text, &bytes), sizes[i].result);
		CHECK_INT(bytes, sizes[i].bytes);
	}
}

static const struct {
	const char *text;
	int result;
	int64_t value;
} numbers[] = {
	{"0", 0, 0},
	{"-5", 0, -5},
	{"100", 0, 100},
	{"101", -ERANGE, 0},
	{"-6", -ERANGE, 0},
	{"+1", -EINVAL, 0},
	{" 1", -EINVAL, 0},
	{"1x", -EINVAL, 0},
	{"-", -EINVAL, 0},
	{"", -EINVAL, 0},
	{"9223372036854775808", -ERANGE, 0},
};

TEST(parse_numbers)
{
	int64_t edge;

	for (size_t i = 0; i < countof(numbers); i++) {
		int64_t value = 0;

		CHECK_INT(parse_int(numbers[i].text, -5, 100, &value), numbers[i].result);
		CHECK_INT(value, numbers[i].value);
	}
	CHECK_INT(parse_int("-9223372036854775808", INT64_MIN, 0, &edge), 0);
	CHECK(edge == INT64_MIN);
}

static const struct {
	const char *text;
	int result;
	int64_t seconds, ns;
} times[] = {
	{"1970-01-01T00:00:00Z", 0, 0, 0},
	{"2026-11-20T09:01:02.123456Z", 0, 1795165262, 123456000},
	{"2026-11-20T10:01:02+01:00", 0, 1795165262, 0},
	{"2026-11-20t09:01:02z", 0, 1795165262, 0},
	{"2024-02-29T12:00:00-12:30", 0, 1709253000, 0},
	{"2023-02-29T12:00:00Z", -EINVAL, 0, 0},
	{"1900-02-29T12:00:00Z", -EINVAL, 0, 0},
	{"2026-13-01T00:00:00Z", -EINVAL, 0, 0},
	{"2026-11-20T24:00:00Z", -EINVAL, 0, 0},
	{"2026-11-20T09:01:02", -EINVAL, 0, 0},
	{"2026-11-20T09:01:02.Z", -EINVAL, 0, 0},
	{"2026-11-20", -EINVAL, 0, 0},
	{"2026-11-20T09:01:02Zx", -EINVAL, 0, 0},
	{"9999-12-31T23:59:59Z", -ERANGE, 0, 0},
};

TEST(parse_times)
{
	for (size_t i = 0; i < countof(times); i++) {
		int64_t ns = 0;

		CHECK_INT(parse_time(times[i].text, 0, &ns), times[i].result);
		CHECK_INT(ns, times[i].seconds * NS_PER_S + times[i].ns);
	}
}

TEST(parse_an_age)
{
	int64_t ns;

	CHECK_INT(parse_time("10m", 1000 * NS_PER_S, &ns), 0);
	CHECK_INT(ns, 400 * NS_PER_S);
}

TEST(parse_formats_what_it_reads)
{
	static const int64_t seconds[] = {0, 1, 951782399, 951782400, 1709164799, 4102444800, -1};
	char text[TIME_SIZE];

	for (size_t i = 0; i < countof(seconds); i++) {
		int64_t ns = seconds[i] * NS_PER_S + 5 * NS_PER_US, back;

		format_time(text, ns);
		CHECK_INT(parse_rfc3339(text, strlen(text), &back), 0);
		CHECK_INT(back, ns);
	}
	CHECK_STR(format_time(text, 0), "1970-01-01T00:00:00.000000Z");
}

TEST(parse_formats_for_people)
{
	char text[DURATION_SIZE];

	CHECK_STR(format_duration(text, 450 * NS_PER_MS), "450ms");
	CHECK_STR(format_duration(text, 192 * NS_PER_S), "3m12s");
	CHECK_STR(format_duration(text, 3600 * NS_PER_S), "1h");
	CHECK_STR(format_duration(text, 90061 * NS_PER_S), "1d1h");
	CHECK_STR(format_dollars(text, 0), "$0.00");
	CHECK_STR(format_dollars(text, 6300), "$0.0063");
	CHECK_STR(format_dollars(text, 4199999), "$4.20");
	CHECK_STR(format_bytes(text, 512), "512B");
	CHECK_STR(format_bytes(text, 1536), "1.5K");
	CHECK_STR(format_bytes(text, INT64_C(3) << 40), "3.0T");
}

TEST(parse_names)
{
	char longest[130];

	CHECK(name_valid("US-001"));
	CHECK(name_valid("a@b+c:d_e.f"));
	CHECK(!name_valid(""));
	CHECK(!name_valid(".hidden"));
	CHECK(!name_valid("../x"));
	CHECK(!name_valid("a/b"));
	CHECK(!name_valid("a b"));
	CHECK(!name_valid("a\nb"));
	CHECK(!name_valid("\xc3\xa9"));
	memset(longest, 'a', sizeof longest);
	longest[129] = '\0';
	CHECK(!name_valid(longest));
	longest[128] = '\0';
	CHECK(name_valid(longest));
}

TEST(parse_nearest)
{
	struct nearest near = {.word = "tiemout"};

	nearest_try(&near, "shared");
	CHECK(!near.best);
	nearest_try(&near, "timeouts");
	nearest_try(&near, "timeout");
	CHECK_STR(near.best, "timeout");
	near = (struct nearest){.word = "ab"};
	nearest_try(&near, "cd");
	CHECK(!near.best);
}
