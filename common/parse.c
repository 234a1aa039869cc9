#include "parse.h"

#include <errno.h>

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

int parse_int(const char *text, int64_t min, int64_t max, int64_t *out)
{
	bool negative = *text == '-';
	int64_t value = 0;

	text += negative;
	if (!*text)
		return -EINVAL;
	for (; *text; text++) {
		int digit = *text - '0';

		if (!is_digit(*text))
			return -EINVAL;
		if (__builtin_mul_overflow(value, 10, &value) ||
			__builtin_sub_overflow(value, digit, &value))
			return -ERANGE; /* counted downwards: INT64_MIN has no positive twin */
	}
	if (!negative && __builtin_sub_overflow(0, value, &value))
		return -ERANGE;
	if (value < min || value > max)
		return -ERANGE;
	*out = value;
	return 0;
}

/*
 * Reads digits with an optional fraction, scaled by unit: "1.5" with 10 is 15. Moves *p
 * behind them.
 */
static int scaled(const char **p, int64_t unit, int64_t *out)
{
	const char *s = *p;
	int64_t value = 0;

	if (!is_digit(*s))
		return -EINVAL;
	for (; is_digit(*s); s++)
		if (__builtin_mul_overflow(value, 10, &value) ||
			__builtin_add_overflow(value, *s - '0', &value))
			return -ERANGE;
	if (__builtin_mul_overflow(value, unit, &value))
		return -ERANGE;
	if (*s == '.') {
		double fraction = 0, place = 1;

		if (!is_digit(*++s))
			return -EINVAL;
		for (; is_digit(*s); s++)
			fraction += (*s - '0') * (place /= 10);
		if (__builtin_add_overflow(value, (int64_t)((double)unit * fraction + 0.5), &value))
			return -ERANGE;
	}
	*p = s;
	*out = value;
	return 0;
}

struct unit {
	const char *name;
	int64_t scale;
};

static const struct unit durations[] = {
	{"ms", NS_PER_MS},
	{"us", NS_PER_US},
	{"ns", 1},
	{"s", NS_PER_S},
	{"m", 60 * NS_PER_S},
	{"h", 3600 * NS_PER_S},
	{"d", 86400 * NS_PER_S},
};

static const struct unit sizes[] = {
	{"K", INT64_C(1) << 10},
	{"M", INT64_C(1) << 20},
	{"G", INT64_C(1) << 30},
	{"T", INT64_C(1) << 40},
};

static const struct unit *unit_at(const struct unit *units, size_t n, const char *p)
{
	for (size_t i = 0; i < n; i++)
		if (strncmp(p, units[i].name, strlen(units[i].name)) == 0)
			return &units[i];
	return NULL;
}

/* The number is read twice: its unit, and so its scale, stands behind it. */
static int quantity(const char **p, const struct unit *units, size_t n, int64_t *out)
{
	const char *digits = *p;
	const struct unit *unit;
	int r = scaled(p, 1, out);

	if (r < 0)
		return r;
	unit = unit_at(units, n, *p);
	if (!unit)
		return -EINVAL;
	r = scaled(&digits, unit->scale, out);
	*p = digits + strlen(unit->name);
	return r;
}

int parse_duration(const char *text, int64_t *ns)
{
	const char *p = text;
	int64_t sum = 0, part;
	int r = scaled(&p, NS_PER_S, &sum);

	if (r < 0)
		return r;
	if (*p) {
		for (p = text, sum = 0; *p;) {
			r = quantity(&p, durations, countof(durations), &part);
			if (r < 0)
				return r;
			if (__builtin_add_overflow(sum, part, &sum))
				return -ERANGE;
		}
	}
	*ns = sum;
	return 0;
}

int parse_size(const char *text, int64_t *bytes)
{
	const char *p = text;
	int64_t value;
	int r = scaled(&p, 1, &value);

	if (r == 0 && *p) {
		p = text;
		r = quantity(&p, sizes, countof(sizes), &value);
	}
	if (r < 0)
		return r;
	if (*p)
		return -EINVAL;
	*bytes = value;
	return 0;
}

int parse_dollars(const char *text, int64_t *micros)
{
	const char *p = text;
	int r = scaled(&p, 1000000, micros);

	if (r < 0)
		return r;
	return *p ? -EINVAL : 0;
}

/*
 * Days and years by the proleptic Gregorian calendar, counted from 1 March 0000
 * so that the leap day is a year's last (the era arithmetic of Howard Hinnant's
 * "chrono-compatible low-level date algorithms").
 */
static int64_t days_from_civil(int64_t y, unsigned m, unsigned d)
{
	int64_t era;
	unsigned year_of_era, day_of_year;

	y -= m <= 2;
	era = (y >= 0 ? y : y - 399) / 400;
	year_of_era = (unsigned)(y - era * 400);
	day_of_year = (153 * (m > 2 ? m - 3 : m + 9) + 2) / 5 + d - 1;
	return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 +
		day_of_year - 719468;
}

static void civil_from_days(int64_t z, int64_t *y, unsigned *m, unsigned *d)
{
	int64_t era;
	unsigned day_of_era, year_of_era, day_of_year, month;

	z += 719468;
	era = (z >= 0 ? z : z - 146096) / 146097;
	day_of_era = (unsigned)(z - era * 146097);
	year_of_era =
		(day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	month = (5 * day_of_year + 2) / 153;
	*d = day_of_year - (153 * month + 2) / 5 + 1;
	*m = month < 10 ? month + 3 : month - 9;
	*y = (int64_t)year_of_era + era * 400 + (*m <= 2);
}

/* n digits at *p, then the character that must follow (0: none). */
static bool digits(const char **p, const char *end, int n, char follow, unsigned *out)
{
	*out = 0;
	if (end - *p < n + (follow != 0))
		return false;
	for (; n; n--, (*p)++) {
		if (!is_digit(**p))
			return false;
		*out = *out * 10 + (unsigned)(**p - '0');
	}
	if (follow && *(*p)++ != follow)
		return false;
	return true;
}

static unsigned month_days(unsigned y, unsigned m)
{
	static const unsigned char length[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);

	return m == 2 && leap ? 29 : length[m - 1];
}

static bool read_date(const char **p, const char *end, int64_t *days)
{
	unsigned y, m, d;

	if (!digits(p, end, 4, '-', &y) || !digits(p, end, 2, '-', &m) || !digits(p, end, 2, 0, &d))
		return false;
	if (m < 1 || m > 12 || d < 1 || d > month_days(y, m))
		return false;
	*days = days_from_civil(y, m, d);
	return true;
}

static bool read_clock(const char **p, const char *end, int64_t *ns)
{
	unsigned h, m, s;

	if (!digits(p, end, 2, ':', &h) || !digits(p, end, 2, ':', &m) || !digits(p, end, 2, 0, &s))
		return false;
	if (h > 23 || m > 59 || s > 60) /* 60: a leap second */
		return false;
	*ns = (h * 3600 + m * 60 + s) * NS_PER_S;
	if (*p < end && **p == '.') {
		int64_t part = NS_PER_S / 10;

		if (++*p >= end || !is_digit(**p))
			return false;
		for (; *p < end && is_digit(**p); ++*p, part /= 10)
			*ns += part * (**p - '0');
	}
	return true;
}

static bool read_zone(const char **p, const char *end, int64_t *ns)
{
	unsigned h, m;
	int64_t sign;

	*ns = 0;
	if (*p < end && (**p == 'Z' || **p == 'z')) {
		++*p;
		return true;
	}
	if (*p >= end || (**p != '+' && **p != '-'))
		return false;
	sign = *(*p)++ == '-' ? -1 : 1;
	if (!digits(p, end, 2, ':', &h) || !digits(p, end, 2, 0, &m) || h > 23 || m > 59)
		return false;
	*ns = sign * (int64_t)(h * 3600 + m * 60) * NS_PER_S;
	return true;
}

int parse_rfc3339(const char *p, size_t length, int64_t *out)
{
	const char *end = p + length;
	int64_t days, clock, zone, ns;

	if (!read_date(&p, end, &days) || p >= end || (*p != 'T' && *p != 't' && *p != ' '))
		return -EINVAL;
	p++;
	if (!read_clock(&p, end, &clock) || !read_zone(&p, end, &zone) || p != end)
		return -EINVAL;
	if (__builtin_mul_overflow(days, 86400 * NS_PER_S, &ns) ||
		__builtin_add_overflow(ns, clock - zone, &ns))
		return -ERANGE;
	*out = ns;
	return 0;
}

int parse_time(const char *text, int64_t now, int64_t *ns)
{
	int64_t age;

	if (strchr(text, '-'))
		return parse_rfc3339(text, strlen(text), ns);
	if (parse_duration(text, &age) < 0)
		return -EINVAL;
	*ns = now - age;
	return 0;
}

bool name_valid(const char *text)
{
	static const char allowed[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:@+-";
	size_t n = strlen(text);

	return n >= 1 && n <= 128 && text[0] != '.' && strspn(text, allowed) == n;
}

static char *put(char *p, uint64_t value, int width)
{
	for (int i = width - 1; i >= 0; i--, value /= 10)
		p[i] = (char)('0' + value % 10);
	return p + width;
}

char *format_time(char out[TIME_SIZE], int64_t ns)
{
	int64_t days = ns / (86400 * NS_PER_S), rest = ns % (86400 * NS_PER_S), y;
	unsigned m, d;
	uint64_t s;
	char *p = out;

	if (rest < 0) {
		rest += 86400 * NS_PER_S;
		days--;
	}
	civil_from_days(days, &y, &m, &d);
	s = (uint64_t)(rest / NS_PER_S);
	p = put(p, (uint64_t)y, 4), *p++ = '-';
	p = put(p, m, 2), *p++ = '-';
	p = put(p, d, 2), *p++ = 'T';
	p = put(p, s / 3600, 2), *p++ = ':';
	p = put(p, s / 60 % 60, 2), *p++ = ':';
	p = put(p, s % 60, 2), *p++ = '.';
	p = put(p, (uint64_t)(rest % NS_PER_S) / 1000, 6), *p++ = 'Z';
	*p = '\0';
	return out;
}

char *format_duration(char out[DURATION_SIZE], int64_t ns)
{
	static const struct unit big[] = {{"d", 86400}, {"h", 3600}, {"m", 60}, {"s", 1}};
	int64_t s = ns / NS_PER_S;
	size_t i = 0;

	if (ns < NS_PER_S) {
		snprintf(out, DURATION_SIZE, "%lldms", (long long)(ns / NS_PER_MS));
		return out;
	}
	while (s < big[i].scale)
		i++;
	if (i + 1 < countof(big) && s % big[i].scale / big[i + 1].scale)
		snprintf(out, DURATION_SIZE, "%lld%s%lld%s", (long long)(s / big[i].scale),
			big[i].name, (long long)(s % big[i].scale / big[i + 1].scale),
			big[i + 1].name);
	else
		snprintf(out, DURATION_SIZE, "%lld%s", (long long)(s / big[i].scale), big[i].name);
	return out;
}

char *format_bytes(char out[BYTES_SIZE], int64_t bytes)
{
	size_t i = countof(sizes);

	while (i > 0 && bytes < sizes[i - 1].scale)
		i--;
	if (i == 0)
		snprintf(out, BYTES_SIZE, "%lldB", (long long)bytes);
	else
		snprintf(out, BYTES_SIZE, "%.1f%s", (double)bytes / (double)sizes[i - 1].scale,
			sizes[i - 1].name);
	return out;
}

char *format_dollars(char out[DOLLARS_SIZE], int64_t micros)
{
	bool cents = micros >= 10000 || micros == 0; /* less has two more digits */

	snprintf(out, DOLLARS_SIZE, "$%.*f", cents ? 2 : 4, (double)micros / 1e6);
	return out;
}

enum { NEAREST_LONGEST = 64 };

/* Optimal string alignment: insertions, deletions, replacements and swaps of neighbours. */
static unsigned edit_distance(const char *a, size_t n, const char *b, size_t m)
{
	unsigned row[3][NEAREST_LONGEST + 1];

	for (size_t j = 0; j <= m; j++)
		row[0][j] = (unsigned)j;
	for (size_t i = 1; i <= n; i++) {
		unsigned *now = row[i % 3], *last = row[(i + 2) % 3], *before = row[(i + 1) % 3];

		now[0] = (unsigned)i;
		for (size_t j = 1; j <= m; j++) {
			unsigned change = last[j - 1] + (a[i - 1] != b[j - 1]);

			now[j] = MIN(change, MIN(last[j], now[j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				now[j] = MIN(now[j], before[j - 2] + 1);
		}
	}
	return row[n % 3][m];
}

void nearest_try(struct nearest *best, const char *candidate)
{
	size_t n = strlen(best->word), m = strlen(candidate);
	unsigned distance;

	if (n > NEAREST_LONGEST || m > NEAREST_LONGEST)
		return;
	distance = edit_distance(best->word, n, candidate, m);
	if (distance <= 2 && distance * 2 < n && (!best->best || distance < best->distance)) {
		best->best = candidate;
		best->distance = distance;
	}
}
