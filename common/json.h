/*
 * json: JSON trees by jansson, read strictly at the edge (duplicate keys
 * refused, size and depth bounded) and looked at through getters that say in
 * the error which path was wrong: "retry.attempts: must be a number".
 */
#ifndef JSON_H
#define JSON_H

#include "buf.h"
#include "err.h"
#include "id.h"

#include <jansson.h>

#define AUTO_JSON AUTO(json_release)
static inline void json_release(json_t **tree)
{
	json_decref(*tree);
}

/* One document; NULL with "line:column: what" in the err. The caller owns a reference. */
json_t *json_parse(const char *text, size_t length, struct err *) MUST_CHECK;

/*
 * A file of at most max bytes; NULL with its name in the err, the code (-errno, -EINVAL
 * for the text) in *code.
 */
json_t *json_read(int dir, const char *path, size_t max, int *code, struct err *) MUST_CHECK;

/*
 * Compact text added to the buffer. Never straight to a descriptor: that writes a token
 * at a time.
 */
void json_add(struct buf *, const json_t *);

/*
 * Getters of an object's member: 1 and the value, 0 if it is absent or null
 * (the value is left alone), -EINVAL if it has another type or is out of bounds,
 * said in the err as "KEY: must be …". Strings are lent from the tree.
 */
int json_get_text(const json_t *object, const char *key, const char **, struct err *);
int json_get_bool(const json_t *object, const char *key, bool *, struct err *);
int json_get_int(
	const json_t *object, const char *key, int64_t min, int64_t max, int64_t *, struct err *);
int json_get_real(const json_t *object, const char *key, double *, struct err *);
int json_get_duration(const json_t *object, const char *key, int64_t *,
	struct err *); /* "5m", or seconds as a number */
int json_get_array(const json_t *object, const char *key, json_t **, struct err *);
int json_get_object(const json_t *object, const char *key, json_t **, struct err *);

/* A process as {"pid":…, "start":…, "boot":…}; false where that is not there. */
bool json_get_owner(const json_t *object, const char *key, struct owner *);

#endif
