#include "cached.h"

#include "io.h"

/* One option for each string of an array. */
static void add_each(struct strs *argv, const char *option, struct span array)
{
	struct span key, value;
	struct jscan walk;

	if (!array.n || jscan_open(&walk, array) < 0)
		return;
	while (jscan_next(&walk, &key, &value) > 0) {
		AUTO_BUF struct buf text = {0};

		strs_add(argv, option);
		buf_add(&text, "", 0);
		jscan_text(value, &text);
		strs_take(argv, buf_take(&text));
	}
}

void name_environment(const struct run *r, const struct task *t, struct strs *argv)
{
	struct span key, value;
	struct jscan walk;

	if (t->index) {
		strs_add(argv, "--env");
		strs_add(argv, "LOOP_ITEM");
	}
	if (!task_has(&r->plan, t, M_ENV) || jscan_open(&walk, task_get(&r->plan, t, M_ENV)) < 0)
		return;
	while (jscan_next(&walk, &key, &value) > 0) {
		AUTO_BUF struct buf name = {0};

		strs_add(argv, "--env");
		buf_add(&name, "", 0);
		jscan_text(key, &name);
		strs_take(argv, buf_take(&name));
	}
}

static void add_ttl(struct strs *argv, struct span cache)
{
	AUTO_BUF struct buf text = {0};
	struct span ttl;

	if (!jscan_get(cache, "ttl", &ttl))
		return;
	buf_str(&text, "--ttl=");
	if (jscan_text(ttl, &text) < 0)
		buf_format(&text, "%.*ss", (int)ttl.n, ttl.p);
	strs_take(argv, buf_take(&text));
}

void cache_wrap(
	const struct run *r, const struct task *t, const char *folder, struct strs *command)
{
	static const struct {
		const char *member, *option;
	} lists[] = {{"inputs", "--input"}, {"outputs", "--output"}, {"env", "--env"}};
	static const char *const always[] = {"--input-var", "LOOP_INPUTS", "--output-var",
		"LOOP_OUTPUT"};
	struct span cache = task_get(&r->plan, t, M_CACHE), value;
	struct strs argv = {0};

	strs_add(&argv, "loop-cache");
	strs_add(&argv, "run");
	strs_format(&argv, "--key=%s", t->id);
	strs_format(&argv, "--report=%s/%s/cache.json", r->path, folder);
	for (size_t i = 0; i < countof(always); i++)
		strs_add(&argv, always[i]);
	for (size_t i = 0; i < countof(lists); i++)
		if (jscan_get(cache, lists[i].member, &value))
			add_each(&argv, lists[i].option, value);
	name_environment(r, t, &argv); /* part of what must be the same */
	add_ttl(&argv, cache);
	strs_add(&argv, "--");
	for (size_t i = 0; i < command->count; i++)
		strs_add(&argv, command->item[i]);
	strs_clear(command);
	*command = argv;
}

bool cache_hit(const struct run *r, uint32_t task)
{
	const struct task *t = &r->plan.task[task];
	AUTO_BUF struct buf text = {0};
	struct span value;
	char path[300];

	if (!task_has(&r->plan, t, M_CACHE))
		return false;
	snprintf(path, sizeof path, "%s/%u/cache.json", t->id, r->node[task].attempt);
	return io_read_file(r->tasks, path, 1 << 20, &text) == 0 &&
		jscan_get((struct span){text.text, text.length}, "hit", &value) &&
		jscan_kind(value) == 't';
}
