/* The runner's own tests: those named must_fail_* are run by name, and have to fail. */
#include "unit.h"

#include <fcntl.h>
#include <signal.h>

TEST(must_fail_check)
{
	CHECK_INT(1 + 1, 3);
}

TEST(must_fail_leak)
{
	CHECK(open("/dev/null", O_RDONLY | O_CLOEXEC) >= 0);
}

TEST(must_fail_signal)
{
	raise(SIGKILL);
}
