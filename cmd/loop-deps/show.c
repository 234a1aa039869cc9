/* What people and shell scripts read: figures, lists and places, a line each. */
#include "show.h"

#include "parse.h"

const char *const form_names[] = {
	[IMPORT_STATEMENT] = "import",
	[IMPORT_FROM] = "from",
	[IMPORT_EXPORT] = "export",
	[IMPORT_REQUIRE] = "require",
	[IMPORT_RESOLVE] = "resolve",
	[IMPORT_CALL] = "call",
	[IMPORT_PATH] = "reference-path",
	[IMPORT_TYPES] = "reference-types",
};

void show_flush(struct buf *out, bool end)
{
	if (!out->length || (!end && out->length < 1 << 16))
		return;
	fwrite(out->text, 1, out->length, stdout);
	out->length = 0;
}

static void show_path(struct buf *out, const struct tree *t, uint32_t file)
{
	buf_escape(out, t->file[file].shown, strlen(t->file[file].shown));
}

/* "path:line:column: " of an import. */
static void show_place(struct buf *out, const struct tree *t, const struct reference *r)
{
	show_path(out, t, r->from);
	buf_format(out, ":%u:%u: ", r->import.line, r->import.column);
}

/* What the import says, as its language writes it. */
static void show_spec(struct buf *out, const struct import *import)
{
	for (unsigned i = 0; i < import->level; i++)
		buf_char(out, '.');
	buf_escape(out, import->spec, strlen(import->spec));
	if (!import->name)
		return;
	buf_str(out, *import->spec ? "." : "");
	buf_escape(out, import->name, strlen(import->name));
}

static const char *flag_words(uint8_t flags)
{
	return flags & IMPORT_TYPE    ? ", for types"
		: flags & IMPORT_LAZY ? ", lazily"
				      : "";
}

void show_unresolved(const struct view *v)
{
	AUTO_BUF struct buf out = {0};

	for (uint32_t i = 0; i < v->tree->references; i++) {
		const struct reference *r = &v->tree->reference[i];

		if (r->outcome != OUTCOME_UNRESOLVED && r->outcome != OUTCOME_COMPUTED)
			continue;
		show_place(&out, v->tree, r);
		if (r->outcome == OUTCOME_UNRESOLVED) {
			buf_str(&out, "unresolved '");
			show_spec(&out, &r->import);
			buf_str(&out, "'\n");
		} else {
			buf_str(&out, "computed, known only when it runs\n");
		}
		show_flush(&out, false);
	}
	show_flush(&out, true);
}

void show_external(const struct view *v)
{
	AUTO_BUF struct buf out = {0};
	uint32_t count;
	AUTO_FREE struct package_use *use = packages_used(v->tree, &count);

	for (uint32_t i = 0; i < count; i++) {
		buf_escape(&out, use[i].name, strlen(use[i].name));
		buf_format(&out, "\t%u\t%u\n", use[i].files, use[i].imports);
	}
	show_flush(&out, true);
}

void show_files(const struct view *v, const bool *marked)
{
	AUTO_BUF struct buf out = {0};

	for (uint32_t i = 0; i < v->tree->files; i++) {
		if (!marked[i])
			continue;
		show_path(&out, v->tree, i);
		buf_char(&out, '\n');
		show_flush(&out, false);
	}
	show_flush(&out, true);
}

/* The dag's edges go against the imports, and so does its cycle: it is told from the back. */
static void show_cycle(struct buf *out, const struct view *v, const struct cycle *c)
{
	buf_format(out, "cycle of %u", c->count);
	if (c->knot > c->count)
		buf_format(out, " in a knot of %u", c->knot);
	buf_str(out, ":\n");
	for (uint32_t i = c->count; i--;) {
		const struct edge *e =
			graph_edge(v->graph, c->node[(i + 1) % c->count], c->node[i]);

		buf_str(out, "  ");
		show_place(out, v->tree, &v->tree->reference[e->reference]);
		buf_str(out, "imports ");
		show_path(out, v->tree, e->imported);
		buf_format(out, "%s\n", flag_words(e->flags));
	}
}

void show_cycles(const struct view *v)
{
	AUTO_BUF struct buf out = {0};

	for (size_t i = 0; i < v->cycles.count; i++)
		show_cycle(&out, v, &v->cycles.item[i]);
	show_flush(&out, true);
}

void show_levels(const struct view *v)
{
	const struct groups *g = &v->groups;
	AUTO_FREE uint32_t *level = mem_zero((size_t)g->count + 1, sizeof *level);
	AUTO_BUF struct buf out = {0};
	uint32_t levels = g->count ? dag_levels(&g->dag, g->order, level) : 0;

	for (uint32_t l = 0; l < levels; l++) {
		for (uint32_t i = 0; i < v->tree->files; i++) {
			if (level[g->of[i]] != l)
				continue;
			buf_format(&out, "%u\t", l);
			show_path(&out, v->tree, i);
			buf_char(&out, '\n');
			show_flush(&out, false);
		}
	}
	show_flush(&out, true);
}

static void show_group(struct buf *out, const struct view *v, uint32_t group)
{
	uint32_t more = group_size(&v->groups, group) - 1;

	show_path(out, v->tree, v->groups.member[v->groups.first[group]]);
	if (more)
		buf_format(out, " (and %u more in a knot)", more);
}

static void show_languages(struct buf *out, const struct figures *f)
{
	const char *before = " (";

	for (unsigned i = 0; i < LANGUAGES; i++) {
		if (!f->languages[i])
			continue;
		buf_format(out, "%s%u %s", before, f->languages[i], language_names[i]);
		before = ", ";
	}
	buf_str(out, *before == ',' ? ")" : "");
}

void show_stats(const struct view *v)
{
	AUTO_BUF struct buf out = {0};
	char bytes[BYTES_SIZE];
	struct figures f;

	figures_take(&f, v);
	buf_format(&out, "files       %u", v->tree->files);
	show_languages(&out, &f);
	buf_format(&out, ", %s", format_bytes(bytes, (int64_t)v->tree->bytes));
	if (v->tree->skipped)
		buf_format(&out, "; %u not read", v->tree->skipped);
	buf_format(&out, "\nimports     %u: %u of files, %u of %u external packages, ",
		v->tree->references, f.outcomes[OUTCOME_FILE], f.outcomes[OUTCOME_EXTERNAL],
		f.packages);
	buf_format(&out, "%u of other files, %u unresolved, %u computed\n",
		f.outcomes[OUTCOME_OTHER], f.outcomes[OUTCOME_UNRESOLVED],
		f.outcomes[OUTCOME_COMPUTED]);
	buf_format(&out, "edges       %u: %u lazy, %u for types alone\n", v->graph->edges,
		f.lazy_edges, f.type_edges);
	buf_format(&out, "knots       %zu", v->cycles.count);
	if (v->cycles.count)
		buf_format(&out, ", the largest of %u files", f.largest_knot);
	buf_format(&out, "\nlevels      %u, the widest of %u\nchain       %u\n", f.levels, f.width,
		f.chain_length);
	for (uint32_t i = f.chain_length; i--;) {
		buf_str(&out, "  ");
		show_group(&out, v, f.chain[i]);
		buf_char(&out, '\n');
	}
	show_flush(&out, true);
	figures_clear(&f);
}
