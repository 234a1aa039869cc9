/* Values by key: get, has, set, delete. */
#include "commands.h"

#include "clock.h"
#include "die.h"
#include "io.h"
#include "object.h"

#include <errno.h>

static int64_t max_age = -1;

const struct opt get_options[] = {
	OPTION_SCOPE,
	{.name = "max-age",
		.arg = "D",
		.help = "an older one does not count",
		.duration = &max_age},
	{0},
};

const struct opt set_options[] = {OPTION_SCOPE, OPTION_TTL, OPTIONS_LIMITS, {0}};
const struct opt delete_options[] = {OPTION_SCOPE, {0}};

static void check_key(const char *key)
{
	if (!key_valid(key))
		die_usage("a key is 1 to %d bytes of UTF-8", KEY_MAX);
}

enum { SMALL = 2048 }; /* it lies with what is touched anyway: a page more is as dear as a call */

/* A value that was found: whole where it is small, else to be read from its beginning. */
struct value {
	int fd; /* or -1 */
	size_t length;
	char bytes[SMALL];
};

/* The first part is the value, or of a run its standard output. */
static int take_value(struct scope *s, struct entry *e, void *out)
{
	struct part *first = e->count ? &e->part[0] : NULL;
	struct value *v = out;

	if (!first || !part_has_content(first))
		return -EINVAL;
	if (first->size < SMALL) {
		v->length = (size_t)first->size;
		return object_read(s, first, v->bytes);
	}
	v->fd = object_open(s, first);
	return MIN(v->fd, 0);
}

static int check_all(struct scope *s, struct entry *e, void *unused UNUSED)
{
	for (size_t i = 0; i < e->count; i++) {
		int fd = part_has_content(&e->part[i]) ? object_open(s, &e->part[i]) : 0;

		if (fd < 0)
			return fd;
		if (part_has_content(&e->part[i]))
			close(fd);
	}
	return 0;
}

/* The process ends when that is known: what is open then is closed with it. */
static bool look(struct search *q)
{
	static struct scope s;
	static struct state state;
	struct err e = {0};
	enum found found;

	check_key(q->key);
	if (!find_scope(&s, &state))
		return false;
	if (max_age >= 0)
		q->min_created = clock_real() - max_age;
	found = store_search(&s, q, &e);
	if (e.text[0])
		die(EX_IOERR, "%s", e.text);
	return found == FOUND_HIT;
}

int get_main(const struct args *args)
{
	static struct value v;
	struct search q = {
		.key = args->item[0], .counting = COUNT_ALL, .use = take_value, .context = &v};
	int r;

	args_expect(args, 1, 1);
	v.fd = -1;
	if (!look(&q))
		return EXIT_NO;
	r = v.fd < 0 ? io_write(STDOUT_FILENO, v.bytes, v.length) : copy_fd(v.fd, STDOUT_FILENO);
	if (r < 0)
		die(EX_IOERR, "standard output: %s", strerror(-r));
	return EXIT_SUCCESS;
}

int has_main(const struct args *args)
{
	struct search q = {.key = args->item[0], .use = check_all};

	args_expect(args, 1, 1);
	return look(&q) ? EXIT_SUCCESS : EXIT_NO;
}

static int read_value(const char *text, struct content *c, int64_t max)
{
	if (!text || strcmp(text, "-") == 0)
		return content_copy(c, STDIN_FILENO, max);
	return content_add(c, text, strlen(text));
}

static int make_value(struct scope *s, const struct args *args, struct entry *entry, struct err *e)
{
	struct content c;
	int r = content_begin(&c, s);

	if (r == 0)
		r = read_value(args->item[1], &c, s->limits.max_size);
	if (r == -EFBIG)
		return content_drop(&c),
		       err_set(e, r, "%s: is larger than scope %s may be", entry->key, s->name);
	if (r < 0)
		return content_drop(&c), err_sys(e, r, "%s", entry->key);
	content_end(&c, entry_add(entry, PART_VALUE));
	return 0;
}

int set_main(const struct args *args)
{
	AUTO_SCOPE struct scope s = SCOPE_NONE;
	AUTO_ENTRY struct entry entry = {0};
	struct state state;
	struct err e = {0};
	int r;

	args_expect(args, 1, 2);
	check_key(args->item[0]);
	open_state(&state, true);
	open_scope(&s, &state);
	entry.key = args->item[0];
	r = make_value(&s, args, &entry, &e);
	entry.created = clock_real();
	entry.expires = chosen_expiry(entry.created);
	if (r == 0)
		r = store_put(&s, &entry, &e);
	if (r == -EFBIG)
		die(EX_CANTCREAT, "%s", e.text);
	if (r < 0)
		die_err(r, &e);
	scope_close(&s);
	state_close(&state);
	return EXIT_SUCCESS;
}

int delete_main(const struct args *args)
{
	AUTO_SCOPE struct scope s = SCOPE_NONE;
	struct state state = {.dir = -1};
	int status = EXIT_SUCCESS;

	args_expect(args, 1, 0);
	if (!find_scope(&s, &state))
		return EXIT_NO;
	for (size_t i = 0; i < args->count; i++) {
		struct digest key = key_digest(args->item[i]);
		struct err e = {0};
		int r = store_remove(&s, &key, &e);

		if (r < 0)
			die_err(r, &e);
		if (r == 0)
			status = EXIT_NO;
	}
	state_close(&state);
	return status;
}
