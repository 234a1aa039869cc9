#include "json.h"

#include "io.h"
#include "jscan.h"
#include "mem.h"
#include "parse.h"

#include <errno.h>

/* jansson bounds depth at 2048; ours is smaller, so that jq can read what we keep. */
static bool too_deep(const json_t *tree, int depth)
{
	const char *key;
	json_t *value;
	size_t i;

	if (depth > JSON_DEPTH_MAX)
		return true;
	json_object_foreach ((json_t *)(uintptr_t)tree, key, value)
		if (too_deep(value, depth + 1))
			return true;
	json_array_foreach (tree, i, value)
		if (too_deep(value, depth + 1))
			return true;
	return false;
}

json_t *json_parse(const char *text, size_t length, struct err *e)
{
	json_error_t error;
	json_t *tree = json_loadb(text, length, JSON_REJECT_DUPLICATES, &error);

	if (!tree) {
		err_set(e, -EINVAL, "%d:%d: %s", error.line, error.column, error.text);
		return NULL;
	}
	if (too_deep(tree, 0)) {
		json_decref(tree);
		err_set(e, -EINVAL, "1:1: nested deeper than %d", JSON_DEPTH_MAX);
		return NULL;
	}
	return tree;
}

json_t *json_read(int dir, const char *path, size_t max, int *code, struct err *e)
{
	AUTO_BUF struct buf text = {0};
	struct err why = {0};
	json_t *tree;

	*code = io_read_file(dir, path, max, &text);
	if (*code < 0) {
		err_sys(e, *code, "%s", path);
		return NULL;
	}
	tree = json_parse(text.text, text.length, &why);
	if (!tree)
		*code = err_set(e, -EINVAL, "%s:%s", path, why.text);
	return tree;
}

void json_add(struct buf *out, const json_t *tree)
{
	size_t flags = JSON_COMPACT | JSON_ENCODE_ANY;
	size_t n = json_dumpb(tree, NULL, 0, flags);

	json_dumpb(tree, buf_reserve(out, n), n, flags);
	out->length += n;
	out->text[out->length] = '\0';
}

/* The member, NULL where it is absent or null. */
static json_t *member(const json_t *object, const char *key)
{
	json_t *value = json_object_get(object, key);

	return json_is_null(value) ? NULL : value;
}

static int wrong(struct err *e, const char *key, const char *must)
{
	return err_set(e, -EINVAL, "%s: must be %s", key, must);
}

int json_get_text(const json_t *object, const char *key, const char **out, struct err *e)
{
	json_t *value = member(object, key);

	if (!value)
		return 0;
	if (!json_is_string(value))
		return wrong(e, key, "a string");
	*out = json_string_value(value);
	return 1;
}

int json_get_bool(const json_t *object, const char *key, bool *out, struct err *e)
{
	json_t *value = member(object, key);

	if (!value)
		return 0;
	if (!json_is_boolean(value))
		return wrong(e, key, "true or false");
	*out = json_is_true(value);
	return 1;
}

int json_get_int(const json_t *object, const char *key, int64_t min, int64_t max, int64_t *out,
	struct err *e)
{
	json_t *value = member(object, key);
	int64_t number;

	if (!value)
		return 0;
	if (!json_is_integer(value))
		return wrong(e, key, "a whole number");
	number = json_integer_value(value);
	if (number < min || number > max)
		return err_set(e, -EINVAL, "%s: must be between %lld and %lld", key, (long long)min,
			(long long)max);
	*out = number;
	return 1;
}

int json_get_real(const json_t *object, const char *key, double *out, struct err *e)
{
	json_t *value = member(object, key);

	if (!value)
		return 0;
	if (!json_is_number(value))
		return wrong(e, key, "a number");
	*out = json_number_value(value);
	return 1;
}

int json_get_duration(const json_t *object, const char *key, int64_t *out, struct err *e)
{
	static const char must[] =
		"a duration such as \"90s\" or \"1h30m\", or a number of seconds";
	json_t *value = member(object, key);
	double seconds;

	if (!value)
		return 0;
	if (json_is_string(value))
		return parse_duration(json_string_value(value), out) < 0 ? wrong(e, key, must) : 1;
	seconds = json_number_value(value);
	if (!json_is_number(value) || !(seconds >= 0 && seconds < 9e9))
		return wrong(e, key, must);
	*out = (int64_t)(seconds * 1e9);
	return 1;
}

int json_get_array(const json_t *object, const char *key, json_t **out, struct err *e)
{
	json_t *value = member(object, key);

	if (!value)
		return 0;
	if (!json_is_array(value))
		return wrong(e, key, "an array");
	*out = value;
	return 1;
}

int json_get_object(const json_t *object, const char *key, json_t **out, struct err *e)
{
	json_t *value = member(object, key);

	if (!value)
		return 0;
	if (!json_is_object(value))
		return wrong(e, key, "an object");
	*out = value;
	return 1;
}

bool json_get_owner(const json_t *object, const char *key, struct owner *out)
{
	const json_t *owner = json_object_get(object, key);
	const char *boot = json_string_value(json_object_get(owner, "boot"));

	*out = (struct owner){
		.pid = (pid_t)json_integer_value(json_object_get(owner, "pid")),
		.start = (uint64_t)json_integer_value(json_object_get(owner, "start")),
	};
	snprintf(out->boot, sizeof out->boot, "%s", boot ? boot : "");
	return out->pid > 0 && boot;
}
