/*
 * jscan against jansson: what one takes the other takes, but for numbers that do
 * not fit a machine's, for depth, and for NULs, which jansson takes for the end;
 * and a walk over valid text finds no fault.
 */
#include "event.h"
#include "jscan.h"

#include <jansson.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool so)
{
	if (!so)
		abort();
}

static void walk(struct span value)
{
	struct span key, member;
	struct jscan s;
	int more;

	if (jscan_open(&s, value) < 0)
		return;
	while ((more = jscan_next(&s, &key, &member)) > 0) {
		must(jscan_kind(member));
		walk(member);
	}
	must(more == 0);
}

/* What becomes a record is one line of JSON. */
static void make_record(const char *text, size_t size)
{
	static const struct event missing = {.source = "/fuzz", .priority = NORMAL};
	AUTO_BUF struct buf line = {0};
	struct event_view view;
	const char *what;
	size_t at;

	buf_str(&line, "{\"specversion\":\"1.0\",\"id\":\"0\"");
	if (event_from_json(&line, text, size, &missing, NULL) < 0)
		return;
	must(memchr(line.text, '\n', line.length) == line.text + line.length - 1);
	must(jscan_check(line.text, line.length, &at, &what) == 0);
	must(event_view(line.text, line.length, &view) == 0 && view.type.n > 2);
}

/* A line of a journal is checked a quicker way: it must come to the same. */
static void check_line(const char *text, size_t size)
{
	AUTO_BUF struct buf line = {0};
	const char *what;
	size_t at;

	buf_str(&line, "{\"specversion\":\"1.0\",\"id\":\"0\"");
	buf_add(&line, text, size);
	must(event_line_valid(line.text, line.length) ==
		(jscan_check(line.text, line.length, &at, &what) == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data, *what;
	json_error_t error;
	struct span key, member;
	struct jscan s;
	size_t at;
	bool good = jscan_check(text, size, &at, &what) == 0;
	json_t *tree = json_loadb(text, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);

	if (good && !tree)
		must(json_error_code(&error) == json_error_numeric_overflow);
	if (!good && tree)
		must(strcmp(what, "nested too deep") == 0 || memchr(text, '\0', size));
	if (!good)
		must(at <= size && what);
	json_decref(tree);
	check_line(text, size);
	must(event_line_valid(text, size) == good);
	if (good) {
		walk((struct span){text, size});
		make_record(text, size);
	} else if (jscan_open(&s, (struct span){text, size}) == 0) {
		while (jscan_next(&s, &key, &member) > 0)
			must(member.p >= text && member.p + member.n <= text + size);
	}
	return 0;
}
