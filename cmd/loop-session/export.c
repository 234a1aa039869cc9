/* The command export: everything about a session as one JSON document that needs no other file. */
#include "commands.h"

#include "out.h"
#include "source.h"

#include "io.h"
#include "version.h"

enum { TEXT_MAX = 16 << 20 };

struct export
{
	struct buf out;
	int64_t events;
};

static void add_tree(struct export *e, const char *key, const json_t *tree)
{
	buf_format(&e->out, ",\n\"%s\":", key);
	if (tree)
		json_add(&e->out, tree);
	else
		buf_str(&e->out, "null");
}

static void add_file(struct export *e, const struct source *s, const char *key, const char *name)
{
	AUTO_BUF struct buf text = {0};

	source_file(s, name, TEXT_MAX, &text);
	buf_format(&e->out, ",\n\"%s\":", key);
	if (text.length)
		buf_json(&e->out, text.text, text.length);
	else
		buf_str(&e->out, "null");
}

/* Each was checked when it was read, and goes on as the bytes that came. */
static void on_step(void *context, const struct step *s)
{
	struct export *e = context;

	buf_str(&e->out, e->events++ ? ",\n" : "\n");
	buf_add(&e->out, s->line.p, s->line.n);
	out_text(&e->out);
}

int export_run(const struct args *args)
{
	struct export e = {0};
	struct source s;

	source_open(&s, args);
	buf_str(&e.out, "{\"format\":1,\"by\":\"loop-session " LOOP_VERSION "\"");
	add_tree(&e, "session", s.record.session);
	add_tree(&e, "result", s.record.result);
	add_file(&e, &s, "prompt", "prompt.md");
	add_file(&e, &s, "stderr", "stderr.log");
	add_file(&e, &s, "verify", "verify.log");
	buf_format(&e.out, ",\n\"state\":\"%s\",\n\"events\":[",
		s.recorded ? record_state_name(s.record.state) : "captured");
	source_each(&s, on_step, &e);
	buf_format(&e.out, "],\n\"damaged\":%lld}\n", (long long)s.damaged);
	out_text(&e.out);
	source_warn(&s);
	source_close(&s);
	buf_clear(&e.out);
	return 0;
}
