#include "agent.h"

#include "mem.h"
#include "parse.h"
#include "share.h"

#include <errno.h>
#include <fcntl.h>

enum { ABOUT_MAX = 1 << 20 };

static const struct clocks bare_clocks = {.grace = 10 * NS_PER_S};

static void search_path(const struct state *state, struct strs *folders)
{
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	char *shared = share_path("agents");

	if (state->path)
		strs_format(folders, "%s/agents", state->path);
	if (config && *config)
		strs_format(folders, "%s/loop/agents", config);
	else if (home && *home)
		strs_format(folders, "%s/.config/loop/agents", home);
	if (shared)
		strs_take(folders, shared);
}

/* FOLDER/NAME/FILE if it is there, else NULL. */
static char *file_of(const char *folder, const char *name, const char *file)
{
	char *path = mem_format("%s/%s/%s", folder, name, file);

	if (access(path, R_OK) == 0)
		return path;
	free(path);
	return NULL;
}

static int read_clocks(struct agent *a, struct err *e)
{
	const struct {
		const char *key;
		int64_t *value;
	} keys[] = {
		{"start", &a->clocks.start},
		{"silence", &a->clocks.silence},
		{"tool", &a->clocks.tool},
		{"attempt", &a->clocks.attempt},
		{"linger", &a->clocks.linger},
		{"grace", &a->clocks.grace},
	};
	json_t *clocks = NULL;
	int r = json_get_object(a->about, "clocks", &clocks, e);

	for (size_t i = 0; r > 0 && i < countof(keys); i++)
		if (json_get_duration(clocks, keys[i].key, keys[i].value, e) < 0)
			return -EINVAL;
	return r < 0 ? r : 0;
}

/* An agent that speaks as another one does borrows its map. */
static int read_map(struct agent *a, const char *about, struct err *e)
{
	const char *map = NULL, *slash = strrchr(about, '/');
	int r = json_get_text(a->about, "map", &map, e);

	if (r <= 0 || a->map)
		return r;
	a->map = *map == '/' ? mem_string(map)
			     : mem_format("%.*s/%s", (int)(slash - about), about, map);
	if (access(a->map, R_OK) < 0)
		return err_sys(e, -errno, "%s", a->map);
	return 0;
}

static int read_about(struct agent *a, const char *path, struct err *e)
{
	int code = 0;

	a->about = json_read(AT_FDCWD, path, ABOUT_MAX, &code, e);
	if (!a->about)
		return code;
	if (read_map(a, path, e) < 0 || read_clocks(a, e) < 0 ||
		json_get_duration(a->about, "meter", &a->meter, e) < 0 ||
		json_get_bool(a->about, "resumes", &a->resumes, e) < 0)
		return -EINVAL;
	return 0;
}

static int load_from(struct agent *a, const char *folder, struct err *e)
{
	AUTO_FREE char *about = file_of(folder, a->name, "agent.json");

	a->map = file_of(folder, a->name, "map.jq");
	a->usage = file_of(folder, a->name, "usage");
	if (about)
		return read_about(a, about, e);
	a->about = json_object();
	return 0;
}

static int not_found(const char *name, const struct strs *folders, struct err *e)
{
	AUTO_BUF struct buf list = {0};

	for (size_t i = 0; i < folders->count; i++)
		buf_format(&list, "%s%s", i ? ", " : "", folders->item[i]);
	return err_set(e, -ENOENT, "no agent '%s' in %s", name, list.text ? list.text : "");
}

int agent_load(struct agent *a, const struct state *state, const char *name, struct err *e)
{
	struct strs folders = {0};
	int r = -ENOENT;

	*a = (struct agent){.name = mem_string(name), .clocks = bare_clocks};
	if (!name_valid(name))
		return err_set(e, -EINVAL, "'%s' is no name of an agent", name);
	search_path(state, &folders);
	for (size_t i = 0; i < folders.count && !a->run; i++) {
		a->run = file_of(folders.item[i], name, "run");
		if (a->run)
			r = load_from(a, folders.item[i], e);
	}
	if (!a->run)
		not_found(name, &folders, e);
	strs_clear(&folders);
	return r;
}

void agent_bare(struct agent *a)
{
	*a = (struct agent){.name = mem_string("plain"),
		.about = json_object(),
		.clocks = bare_clocks};
}

void agent_clear(struct agent *a)
{
	free(a->name);
	free(a->run);
	free(a->map);
	free(a->usage);
	json_decref(a->about);
	*a = (struct agent){0};
}
