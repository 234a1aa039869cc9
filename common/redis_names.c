/* The names that stand in keys, as in "loop:l:{NAME}". */
#include "redis.h"

#include "mem.h"
#include "parse.h"

#include <errno.h>

/* A name twice is no harm: SCAN gives a key more than once while the table grows. */
static void add_name(const redisReply *key, const char *prefix, struct strs *names)
{
	size_t n = strlen(prefix) + 1;
	AUTO_FREE char *name = NULL;

	if (key->type != REDIS_REPLY_STRING || key->len <= n + 1 || key->str[key->len - 1] != '}')
		return;
	name = mem_substring(key->str + n, key->len - n - 1);
	if (name_valid(name))
		strs_add(names, name);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void sort_once(struct strs *names)
{
	size_t kept = 0;

	if (names->count)
		qsort(names->item, names->count, sizeof *names->item, by_text);
	for (size_t i = 0; i < names->count; i++)
		if (kept && strcmp(names->item[kept - 1], names->item[i]) == 0)
			free(names->item[i]);
		else
			names->item[kept++] = names->item[i];
	if (names->item)
		names->item[kept] = NULL;
	names->count = kept;
}

/* One step of the walk; *cursor is the next, and what it was is freed. */
static int scan(struct redis *r, const char *prefix, char **cursor, struct strs *names,
	struct err *e)
{
	AUTO_FREE char *pattern = mem_format("%s{*}", prefix);
	const char *const words[] = {"SCAN", *cursor, "MATCH", pattern, "COUNT", "1000"};
	struct redis_words w = {0};
	redisReply *reply;
	int code;

	for (size_t i = 0; i < countof(words); i++)
		redis_word(&w, words[i]);
	code = redis_call(r, &w, NULL, &reply, e);
	redis_words_clear(&w);
	if (code < 0)
		return code;
	if (reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 &&
		reply->element[0]->type == REDIS_REPLY_STRING) {
		for (size_t i = 0; i < reply->element[1]->elements; i++)
			add_name(reply->element[1]->element[i], prefix, names);
		free(*cursor);
		*cursor = mem_string(reply->element[0]->str);
	} else {
		code = err_set(e, -EPROTO, "an answer without sense");
	}
	freeReplyObject(reply);
	return code;
}

int redis_names(struct redis *r, const char *prefix, struct strs *names, struct err *e)
{
	AUTO_FREE char *cursor = mem_string("0");
	int code;

	do
		code = scan(r, prefix, &cursor, names, e);
	while (code == 0 && strcmp(cursor, "0") != 0);
	sort_once(names);
	return code;
}
