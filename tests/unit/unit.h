/*
 * unit: the unit-test runner. Every TEST is run in a process of its own, in an
 * empty folder of its own, with an alarm, and fails if it leaks a descriptor.
 *
 *	unit              runs all but those named must_fail_*
 *	unit NAME…        runs those whose name begins so
 */
#ifndef UNIT_H
#define UNIT_H

#include "base.h"

struct unit_test {
	const char *name;
	void (*run)(void);
	struct unit_test *next;
};

void unit_register(struct unit_test *);
void unit_fail(const char *file, int line, const char *format, ...) PRINTF_LIKE(3, 4) NORETURN;

#define TEST(test_name)                                                                     \
	static void test_name(void);                                                        \
	static struct unit_test test_name##_entry = {.name = #test_name, .run = test_name}; \
	__attribute__((constructor)) static void test_name##_register(void)                 \
	{                                                                                   \
		unit_register(&test_name##_entry);                                          \
	}                                                                                   \
	static void test_name(void)

#define CHECK(condition)                                                 \
	do {                                                             \
		if (!(condition))                                        \
			unit_fail(__FILE__, __LINE__, "%s", #condition); \
	} while (0)

#define CHECK_INT(actual, expected)                                                             \
	do {                                                                                    \
		long long actual_ = (long long)(actual), expected_ = (long long)(expected);     \
		if (actual_ != expected_)                                                       \
			unit_fail(__FILE__, __LINE__, "%s is %lld, not %lld", #actual, actual_, \
				expected_);                                                     \
	} while (0)

#define CHECK_STR(actual, expected)                                                        \
	do {                                                                               \
		const char *actual_ = (actual), *expected_ = (expected);                   \
		if (!actual_ || strcmp(actual_, expected_) != 0)                           \
			unit_fail(__FILE__, __LINE__, "%s is \"%s\", not \"%s\"", #actual, \
				actual_ ? actual_ : "(null)", expected_);                  \
	} while (0)

/*
 * Faults: from the n-th call on (1 is the next), the wrapped system call
 * fails with this errno, count times; errno 0 makes write and writev transfer
 * one byte a call instead. One fault at a time; fault_none ends it.
 */
enum fault_call {
	FAULT_WRITE,
	FAULT_WRITEV,
	FAULT_PREAD,
	FAULT_FSYNC,
	FAULT_FDATASYNC,
	FAULT_OPENAT,
	FAULT_RENAMEAT
};
void fault_at(enum fault_call, int nth, int count, int errnum);
void fault_none(void);

/* The tests' own data: tests/NAME of the source tree. Returns a static string. */
const char *unit_path(const char *name);

#endif
