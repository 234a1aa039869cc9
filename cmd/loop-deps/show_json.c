/* The graph for programs: one JSON document, and Graphviz's dot. */
#include "show.h"

static void add_string(struct buf *out, const char *key, const char *text)
{
	buf_format(out, "\"%s\":", key);
	buf_json(out, text, strlen(text));
}

static void add_shown(struct buf *out, const char *key, const struct tree *t, uint32_t file)
{
	add_string(out, key, t->file[file].shown);
}

static void add_flags(struct buf *out, uint8_t flags)
{
	buf_str(out, flags & IMPORT_TYPE ? ",\"type\":true" : "");
	buf_str(out, flags & IMPORT_LAZY ? ",\"lazy\":true" : "");
	buf_str(out, flags & IMPORT_TRY ? ",\"try\":true" : "");
}

static void add_outcome(struct buf *out, const struct tree *t, const struct reference *r)
{
	static const char *const words[] = {
		[OUTCOME_OTHER] = "other",
		[OUTCOME_UNRESOLVED] = "unresolved",
		[OUTCOME_COMPUTED] = "computed",
	};

	if (r->outcome == OUTCOME_FILE)
		add_shown(out, "file", t, r->to);
	else if (r->outcome == OUTCOME_EXTERNAL)
		add_string(out, "package", r->package);
	else
		buf_format(out, "\"%s\":true", words[r->outcome]);
}

static void add_import(struct buf *out, const struct tree *t, const struct reference *r)
{
	const struct import *import = &r->import;
	AUTO_BUF struct buf spec = {0};

	for (unsigned i = 0; i < import->level; i++)
		buf_char(&spec, '.');
	buf_str(&spec, import->spec);
	buf_char(out, '{');
	add_string(out, "spec", spec.text);
	if (import->name) {
		buf_char(out, ',');
		add_string(out, "name", import->name);
	}
	buf_format(out, ",\"line\":%u,\"column\":%u,\"form\":\"%s\"", import->line, import->column,
		form_names[import->form]);
	add_flags(out, import->flags);
	buf_char(out, ',');
	add_outcome(out, t, r);
	buf_char(out, '}');
}

static void add_file(struct buf *out, const struct tree *t, uint32_t number)
{
	const struct file *file = &t->file[number];

	buf_str(out, number ? ",\n{" : "\n{");
	add_shown(out, "path", t, number);
	buf_format(out, ",\"language\":\"%s\",\"bytes\":%llu,\"imports\":[",
		language_names[file->language], (unsigned long long)file->bytes);
	for (uint32_t i = 0; i < file->count; i++) {
		buf_str(out, i ? ",\n  " : "\n  ");
		add_import(out, t, &t->reference[file->first + i]);
	}
	buf_str(out, "]}");
}

static void add_cycle(struct buf *out, const struct view *v, const struct cycle *c)
{
	buf_format(out, "{\"knot\":%u,\"path\":[", c->knot);
	for (uint32_t i = c->count; i--;) {
		const struct edge *e =
			graph_edge(v->graph, c->node[(i + 1) % c->count], c->node[i]);
		const struct import *import = &v->tree->reference[e->reference].import;

		buf_char(out, '{');
		add_shown(out, "file", v->tree, e->importer);
		buf_format(out, ",\"line\":%u,\"column\":%u,", import->line, import->column);
		add_shown(out, "imports", v->tree, e->imported);
		add_flags(out, e->flags);
		buf_str(out, i ? "}," : "}");
	}
	buf_str(out, "]}");
}

static void add_external(struct buf *out, const struct tree *t)
{
	uint32_t count;
	AUTO_FREE struct package_use *use = packages_used(t, &count);

	buf_str(out, "],\n\"external\":[");
	for (uint32_t i = 0; i < count; i++) {
		buf_str(out, i ? ",\n{" : "\n{");
		add_string(out, "name", use[i].name);
		buf_format(out, ",\"files\":%u,\"imports\":%u}", use[i].files, use[i].imports);
	}
}

static void add_figures(struct buf *out, const struct view *v)
{
	struct figures f;

	figures_take(&f, v);
	buf_format(out, "],\n\"stats\":{\"files\":%u,\"bytes\":%llu,\"skipped\":%u,\"imports\":%u,",
		v->tree->files, (unsigned long long)v->tree->bytes, v->tree->skipped,
		v->tree->references);
	buf_format(out, "\"resolved\":%u,\"other\":%u,\"external\":%u,\"unresolved\":%u,",
		f.outcomes[OUTCOME_FILE], f.outcomes[OUTCOME_OTHER], f.outcomes[OUTCOME_EXTERNAL],
		f.outcomes[OUTCOME_UNRESOLVED]);
	buf_format(out, "\"computed\":%u,\"edges\":%u,\"lazy_edges\":%u,\"type_edges\":%u,",
		f.outcomes[OUTCOME_COMPUTED], v->graph->edges, f.lazy_edges, f.type_edges);
	buf_format(out, "\"knots\":%zu,\"largest_knot\":%u,\"levels\":%u,\"width\":%u},\n",
		v->cycles.count, f.largest_knot, f.levels, f.width);
	buf_str(out, "\"chain\":[");
	for (uint32_t i = f.chain_length; i--;) {
		uint32_t file = v->groups.member[v->groups.first[f.chain[i]]];

		buf_json(out, v->tree->file[file].shown, strlen(v->tree->file[file].shown));
		buf_str(out, i ? "," : "");
	}
	buf_str(out, "]}\n");
	figures_clear(&f);
}

void show_json(const struct view *v)
{
	AUTO_BUF struct buf out = {0};

	buf_str(&out, "{\"files\":[");
	for (uint32_t i = 0; i < v->tree->files; i++) {
		add_file(&out, v->tree, i);
		show_flush(&out, false);
	}
	buf_str(&out, "],\n\"cycles\":[");
	for (size_t i = 0; i < v->cycles.count; i++) {
		buf_str(&out, i ? ",\n" : "\n");
		add_cycle(&out, v, &v->cycles.item[i]);
		show_flush(&out, false);
	}
	add_external(&out, v->tree);
	add_figures(&out, v);
	show_flush(&out, true);
}

void show_dot(const struct view *v)
{
	const struct groups *g = &v->groups;
	AUTO_BUF struct buf out = {0};

	buf_str(&out, "digraph imports {\n\trankdir=LR;\n\tnode [shape=box];\n");
	for (uint32_t i = 0; i < v->tree->files; i++) {
		buf_char(&out, '\t');
		buf_json(&out, v->tree->file[i].shown, strlen(v->tree->file[i].shown));
		buf_str(&out, group_size(g, g->of[i]) > 1 ? " [color=red];\n" : ";\n");
		show_flush(&out, false);
	}
	for (uint32_t i = 0; i < v->graph->edges; i++) {
		const struct edge *e = &v->graph->edge[i];
		const char *from = v->tree->file[e->importer].shown;
		const char *to = v->tree->file[e->imported].shown;

		buf_char(&out, '\t');
		buf_json(&out, from, strlen(from));
		buf_str(&out, " -> ");
		buf_json(&out, to, strlen(to));
		buf_format(&out, " [style=%s%s];\n",
			e->flags & IMPORT_TYPE		 ? "dotted"
				: e->flags & IMPORT_LAZY ? "dashed"
							 : "solid",
			g->of[e->importer] == g->of[e->imported] ? ",color=red" : "");
		show_flush(&out, false);
	}
	buf_str(&out, "}\n");
	show_flush(&out, true);
}
