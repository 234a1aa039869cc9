#include "unit.h"

#include "err.h"
#include "io.h"
#include "state.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

static void check_mode(const char *path, mode_t mode)
{
	struct stat st;

	CHECK_INT(stat(path, &st), 0);
	CHECK_INT(st.st_mode & 0777, mode);
}

TEST(state_is_found_above_and_made_here)
{
	struct state s;
	struct err e = {0};
	char here[PATH_MAX];

	unsetenv("LOOP_DIR");
	CHECK(getcwd(here, sizeof here));
	if (state_find(&s, &e) == 0) {
		printf("%s: stands above all that tests make: nothing can be shown\n", s.path);
		state_close(&s);
		return;
	}
	CHECK(strstr(e.text, "LOOP_DIR"));
	CHECK_INT(state_open(&s, NULL), 0);
	state_close(&s);
	check_mode(".loop", 0700);
	CHECK_INT(mkdir("deep", 0700) | mkdir("deep/er", 0700) | chdir("deep/er"), 0);
	CHECK_INT(state_find(&s, NULL), 0);
	CHECK_INT(strncmp(s.path, here, strlen(here)), 0);
	CHECK_STR(s.path + strlen(here), "/.loop");
	state_close(&s);
	CHECK_INT(chdir(here), 0);
}

TEST(state_named_by_the_environment)
{
	struct state s;
	int folder;

	setenv("LOOP_DIR", "elsewhere", 1);
	CHECK_INT(state_open(&s, NULL), 0);
	CHECK(s.path[0] == '/');
	folder = state_folder(&s, "sessions/ses_1");
	CHECK(folder >= 0);
	close(folder);
	check_mode("elsewhere/sessions/ses_1", 0700);
	CHECK_INT(symlink("/etc/passwd", "elsewhere/trap"), 0);
	CHECK_INT(state_file(&s, "trap", O_RDONLY, 0), -ELOOP);
	state_close(&s);
}

TEST(state_of_another_format_is_refused)
{
	struct state s;
	struct err e = {0};

	setenv("LOOP_DIR", "other", 1);
	CHECK_INT(state_open(&s, NULL), 0);
	CHECK_INT(io_replace(s.dir, "format", "2\n", 2, 0600), 0);
	state_close(&s);
	CHECK_INT(state_open(&s, &e), -ENOTSUP);
	CHECK(strstr(e.text, "format 2"));
}

TEST(state_in_a_file_is_an_error)
{
	struct state s;
	struct err e = {0};

	setenv("LOOP_DIR", "file", 1);
	CHECK_INT(io_replace(AT_FDCWD, "file", "", 0, 0600), 0);
	CHECK_INT(state_open(&s, &e), -ENOTDIR);
	CHECK(strstr(e.text, "file"));
}
