#include "env.h"

#include "die.h"
#include "io.h"
#include "mem.h"

#include <fcntl.h>
#include <limits.h>

static size_t env_find(const struct strs *env, const char *name)
{
	size_t n = strlen(name), i = 0;

	while (i < env->count &&
		(strncmp(env->item[i], name, n) != 0 || env->item[i][n] != '='))
		i++;
	return i;
}

static const char *env_get(const struct strs *env, const char *name)
{
	size_t i = env_find(env, name);

	return i < env->count ? env->item[i] + strlen(name) + 1 : NULL;
}

void env_set(struct strs *env, const char *name, const char *value)
{
	size_t i = env_find(env, name);

	if (i < env->count) {
		free(env->item[i]);
		env->item[i] = env->item[--env->count];
		env->item[env->count] = NULL;
	}
	if (value && *value)
		strs_format(env, "%s=%s", name, value);
}

/* Whether it was not known yet. */
static bool note_dropped(struct session *s, const char *name)
{
	for (size_t i = 0; i < s->dropped.count; i++)
		if (strcmp(s->dropped.item[i], name) == 0)
			return false;
	strs_add(&s->dropped, name);
	return true;
}

static bool drop(struct session *s, struct strs *env, const char *name)
{
	if (!env_get(env, name))
		return false;
	env_set(env, name, NULL);
	return note_dropped(s, name);
}

/* Variables of a session around ours, of git's hooks, and those that agent.json names. */
static void drop_unwanted(struct session *s, struct strs *env)
{
	static const char *const always[] = {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE",
		"GIT_PREFIX", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR", "GIT_NAMESPACE"};
	const json_t *unset = json_object_get(s->agent.about, "unset");

	for (size_t i = 0; i < countof(always); i++)
		drop(s, env, always[i]);
	for (size_t i = 0; i < json_array_size(unset); i++) {
		const char *name = json_string_value(json_array_get(unset, i));

		if (name)
			drop(s, env, name);
	}
}

/* Whether the project's .env gives the variable this very value: it was meant for the project. */
static bool from_dotenv(const struct buf *dotenv, const char *name, const char *value)
{
	size_t n = strlen(name), m = strlen(value);

	for (const char *p = dotenv->text; p && *p; p = strchr(p, '\n')) {
		p += strspn(p, "\n \t");
		if (strncmp(p, "export ", 7) == 0)
			p += 7;
		if (strncmp(p, name, n) != 0 || p[n] != '=')
			continue;
		p += n + 1;
		p += *p == '"' || *p == '\'';
		if (strncmp(p, value, m) == 0 && (!p[m] || strchr("\"'\r\n #", p[m])))
			return true;
	}
	return false;
}

static void drop_secrets(struct session *s, struct strs *env)
{
	const json_t *secrets = json_object_get(s->agent.about, "secrets");
	AUTO_FREE char *path = mem_format("%s/.env", s->work);
	AUTO_BUF struct buf dotenv = {0};

	if (s->config->keep_env || io_read_file(AT_FDCWD, path, 1 << 20, &dotenv) < 0)
		return;
	for (size_t i = 0; i < json_array_size(secrets); i++) {
		const char *name = json_string_value(json_array_get(secrets, i));
		const char *value = name ? env_get(env, name) : NULL;

		if (!value || !*value || !from_dotenv(&dotenv, name, value))
			continue;
		if (drop(s, env, name))
			warn("%s is the project's (%s) and is not handed on; --keep-env does",
				name, path);
	}
}

/* What agent.json wishes, where the user has not said otherwise. */
static void add_defaults(const struct session *s, struct strs *env)
{
	json_t *defaults = json_object_get(s->agent.about, "env"), *value;
	const char *name;

	json_object_foreach (defaults, name, value) {
		if (json_is_string(value) && !env_get(env, name))
			env_set(env, name, json_string_value(value));
	}
}

static void set_number(struct strs *env, const char *name, int64_t n)
{
	AUTO_BUF struct buf text = {0};

	if (n > 0)
		buf_int(&text, n);
	env_set(env, name, text.text);
}

static void add_session(const struct session *s, struct strs *env)
{
	const struct config *c = s->config;
	AUTO_FREE char *prompt = s->prompt ? session_file(s, s->prompt) : NULL;
	AUTO_FREE char *system_prompt = c->system_prompt ? session_file(s, "system.md") : NULL;

	env_set(env, "LOOP_DIR", s->state.path);
	env_set(env, "LOOP_SESSION", s->id);
	set_number(env, "LOOP_ATTEMPT", s->attempt);
	env_set(env, "LOOP_AGENT", s->agent.name);
	env_set(env, "LOOP_PROMPT_FILE", prompt);
	env_set(env, "LOOP_SYSTEM_PROMPT_FILE", system_prompt);
	env_set(env, "LOOP_MODEL", c->model);
	env_set(env, "LOOP_TOOLS", c->tools ? c->tools : getenv("LOOP_TOOLS"));
	set_number(env, "LOOP_MAX_TURNS", c->max_turns);
}

/* Agents call the house's programs; from cron, their folder is not on the path. */
static void add_our_folder(struct strs *env)
{
	const char *path = env_get(env, "PATH");
	AUTO_FREE char *with = NULL;
	char folder[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", folder, sizeof folder - 1);

	if (n <= 0)
		return;
	folder[n] = '\0';
	*strrchr(folder, '/') = '\0';
	with = mem_format("%s:%s", path ? path : "/usr/local/bin:/usr/bin:/bin", folder);
	env_set(env, "PATH", with);
}

void env_build(struct session *s, struct strs *env)
{
	for (char **entry = environ; *entry; entry++)
		strs_add(env, *entry);
	if (!s->config->keep_env)
		drop_unwanted(s, env);
	drop_secrets(s, env);
	add_our_folder(env);
	add_defaults(s, env);
	add_session(s, env);
}
