#include "environment.h"

#include "mem.h"

static const char *const always[] = {"HOME", "LANG", "LC_ALL", "LOGNAME", "PATH", "SHELL", "TERM",
	"TMPDIR", "TZ", "USER"};

static bool is_variable(const char *setting, const char *name)
{
	size_t n = strlen(name);

	return strncmp(setting, name, n) == 0 && setting[n] == '=';
}

static bool is_in(const char *setting, char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (is_variable(setting, names[i]))
			return true;
	return false;
}

static bool is_always(const char *setting)
{
	for (size_t i = 0; i < countof(always); i++)
		if (is_variable(setting, always[i]))
			return true;
	return strncmp(setting, "LOOP_", 5) == 0;
}

char **environment_of(const struct strs *a, const struct strs *b, const struct strs *c)
{
	const struct strs *const lists[] = {a, b, c};
	size_t n = 0, count = 0;
	char **env;

	while (environ[n])
		n++;
	env = mem_zero(n + 1, sizeof *env);
	for (size_t i = 0; i < n; i++) {
		bool seen = is_always(environ[i]);

		for (size_t k = 0; k < countof(lists); k++)
			seen = seen || is_in(environ[i], lists[k]->item, lists[k]->count);
		if (seen)
			env[count++] = environ[i];
	}
	return env;
}
