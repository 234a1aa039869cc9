/* graph: a plan drawn for Graphviz, for Mermaid, for people, for programs. */
#include "commands.h"

#include "die.h"
#include "emit.h"
#include "figures.h"

enum format { DOT,
	MERMAID,
	LEVELS,
	JSON,
	TREE };

static int format = LEVELS;
static bool reduce;

static const char *const formats[] = {"dot", "mermaid", "levels", "json", "tree", NULL};

const struct opt graph_options[] = {
	{"format", 'f', "FORMAT", "dot, mermaid, levels (the default), json or tree",
		.choice = &format, .choices = formats},
	{"reduce", 0, NULL, "leave out edges that other edges imply", .flag = &reduce},
	{0},
};

struct drawing {
	struct plan *plan;
	struct figures figures;
	bool *hidden; /* edges */
	struct buf out;
};

static const char *when_word(enum when when)
{
	static const char *const words[] = {[WHEN_OK] = NULL,
		[WHEN_SUCCEEDED] = "succeeded",
		[WHEN_FAILED] = "failed",
		[WHEN_DONE] = "done",
		[WHEN_SKIPPED] = "skipped",
		[WHEN_ANY] = "any"};

	return words[when];
}

static bool is_critical(const struct drawing *d, uint32_t task)
{
	return figures_slack(&d->figures, task) == 0;
}

static bool edge_critical(const struct drawing *d, const struct dag_edge *e)
{
	const struct figures *f = &d->figures;

	return is_critical(d, e->from) && is_critical(d, e->to) &&
		f->start[e->from] + f->cost[e->from] == f->start[e->to];
}

/* What would end or change a quoted label becomes something harmless. */
static char drawable(char c)
{
	if ((unsigned char)c < ' ')
		return ' ';
	return c == '"' || c == '\\' ? '\'' : c;
}

/* The id and title as the JSON string that dot and Mermaid can quote. */
static void add_label(struct drawing *d, const struct task *t, const char *newline)
{
	AUTO_BUF struct buf label = {0};
	const char *title = plan_text(d->plan, task_get(d->plan, t, M_TITLE));

	buf_str(&label, t->id);
	if (title && *title && strcmp(title, t->id) != 0) {
		buf_str(&label, newline);
		for (const char *p = title; *p; p++)
			buf_char(&label, drawable(*p));
	}
	buf_format(&d->out, "\"%s\"", label.text);
}

static void draw_dot(struct drawing *d)
{
	const struct plan *p = d->plan;

	buf_str(&d->out, "digraph plan {\n\trankdir=LR;\n\tnode [shape=box];\n");
	for (uint32_t i = 0; i < p->count; i++) {
		buf_format(&d->out, "\t\"%s\" [label=", p->task[i].id);
		add_label(d, &p->task[i], "\\n");
		buf_format(&d->out, "%s%s];\n", is_critical(d, i) ? ", penwidth=2" : "",
			p->task[i].done ? ", style=filled, fillcolor=lightgrey" : "");
	}
	for (uint32_t i = 0; i < p->edges; i++) {
		const struct dag_edge *e = &p->edge[i];
		const char *word = when_word((enum when)p->edge_when[i]);

		if (d->hidden[i])
			continue;
		buf_format(&d->out, "\t\"%s\" -> \"%s\"", p->task[e->from].id, p->task[e->to].id);
		if (edge_critical(d, e))
			buf_str(&d->out, " [penwidth=2]");
		if (word)
			buf_format(&d->out, " [label=\"%s\"]", word);
		buf_str(&d->out, ";\n");
	}
	buf_str(&d->out, "}\n");
}

/* Mermaid's own words may not be ids, so nodes are numbered. */
static void draw_mermaid(struct drawing *d)
{
	const struct plan *p = d->plan;

	buf_str(&d->out, "flowchart LR\n");
	for (uint32_t i = 0; i < p->count; i++) {
		buf_format(&d->out, "\tn%u[", i);
		add_label(d, &p->task[i], "<br>");
		buf_str(&d->out, "]\n");
	}
	for (uint32_t i = 0; i < p->edges; i++) {
		const char *word = when_word((enum when)p->edge_when[i]);

		if (d->hidden[i])
			continue;
		buf_format(&d->out, "\tn%u %s", p->edge[i].from,
			edge_critical(d, &p->edge[i]) ? "==>" : "-->");
		if (word)
			buf_format(&d->out, "|%s|", word);
		buf_format(&d->out, " n%u\n", p->edge[i].to);
	}
}

/* The order is by level already. */
static void draw_levels(struct drawing *d)
{
	const struct plan *p = d->plan;
	uint32_t level = UINT32_MAX;

	for (uint32_t k = 0; k < p->count; k++) {
		uint32_t i = p->order[k];

		if (d->figures.level[i] != level) {
			level = d->figures.level[i];
			buf_format(&d->out, "%s%u:", k ? "\n" : "", level + 1);
		}
		buf_format(&d->out, " %s%s", p->task[i].id, is_critical(d, i) ? "*" : "");
	}
	buf_char(&d->out, '\n');
}

static void draw_json(struct drawing *d)
{
	const struct plan *p = d->plan;
	const char *comma = "";

	buf_str(&d->out, "{\"nodes\":[");
	for (uint32_t i = 0; i < p->count; i++) {
		struct span title = task_get(p, &p->task[i], M_TITLE);

		buf_format(&d->out, "%s{\"id\":\"%s\",\"level\":%u,\"critical\":%s,\"title\":",
			i ? "," : "", p->task[i].id, d->figures.level[i],
			is_critical(d, i) ? "true" : "false");
		if (title.n)
			buf_add(&d->out, title.p, title.n);
		else
			buf_str(&d->out, "null");
		buf_char(&d->out, '}');
	}
	buf_str(&d->out, "],\"edges\":[");
	for (uint32_t i = 0; i < p->edges; i++) {
		const char *word = when_word((enum when)p->edge_when[i]);

		if (d->hidden[i])
			continue;
		buf_format(&d->out, "%s{\"from\":\"%s\",\"to\":\"%s\"", comma,
			p->task[p->edge[i].from].id, p->task[p->edge[i].to].id);
		if (word)
			buf_format(&d->out, ",\"when\":\"%s\"", word);
		buf_char(&d->out, '}');
		comma = ",";
	}
	buf_str(&d->out, "]}\n");
}

/* One task of the tree that is still to be drawn. */
struct branch {
	uint32_t task, depth;
};

/* Each task below the last of its needs; those it needs besides stand behind it. */
static void add_branch(struct drawing *d, struct branch at)
{
	const struct plan *p = d->plan;
	uint32_t first = p->dag.first_in[at.task], end = p->dag.first_in[at.task + 1];

	buf_format(&d->out, "%*s%s%s", (int)(2 * at.depth), "", p->task[at.task].id,
		is_critical(d, at.task) ? "*" : "");
	if (end - first > 1) {
		buf_str(&d->out, "  (needs");
		for (uint32_t i = first; i < end; i++)
			buf_format(&d->out, " %s", p->task[p->dag.in[i]].id);
		buf_char(&d->out, ')');
	}
	buf_char(&d->out, '\n');
}

/* The need of a task that ends last: the one it is drawn below. */
static uint32_t parent_of(const struct drawing *d, uint32_t task)
{
	const struct dag *g = &d->plan->dag;
	uint32_t parent = UINT32_MAX;

	for (uint32_t i = g->first_in[task]; i < g->first_in[task + 1]; i++)
		if (parent == UINT32_MAX || d->figures.level[g->in[i]] > d->figures.level[parent])
			parent = g->in[i];
	return parent;
}

static void draw_tree(struct drawing *d)
{
	const struct plan *p = d->plan;
	const struct dag *g = &p->dag;
	AUTO_FREE struct branch *stack = mem_zero((size_t)p->count + 1, sizeof *stack);
	size_t depth = 0;

	for (uint32_t i = p->count; i--;)
		if (!dag_in_degree(g, i))
			stack[depth++] = (struct branch){i, 0};
	while (depth) {
		struct branch at = stack[--depth];

		add_branch(d, at);
		for (uint32_t i = g->first_out[at.task + 1]; i-- > g->first_out[at.task];) {
			/* A need written twice is one branch. */
			bool again = i > g->first_out[at.task] && g->out[i - 1] == g->out[i];

			if (!again && parent_of(d, g->out[i]) == at.task)
				stack[depth++] = (struct branch){g->out[i], at.depth + 1};
		}
	}
}

static void hide_edges(struct drawing *d)
{
	d->hidden = mem_zero((size_t)d->plan->edges + 1, sizeof *d->hidden);
	if (reduce && !plan_reduce(d->plan, d->hidden))
		warn("%s: too large to look at every edge; some are left", d->plan->file);
}

int graph_main(const struct args *a)
{
	static void (*const draw[])(struct drawing *) = {[DOT] = draw_dot,
		[MERMAID] = draw_mermaid,
		[LEVELS] = draw_levels,
		[JSON] = draw_json,
		[TREE] = draw_tree};
	static struct plan p;
	struct drawing d = {.plan = &p};

	args_expect(a, 1, 1);
	plan_need(&p, a->item[0], true);
	figures_make(&d.figures, &p, NULL);
	hide_edges(&d);
	draw[format](&d);
	fwrite(d.out.text, 1, d.out.length, stdout);
	figures_clear(&d.figures);
	buf_clear(&d.out);
	free(d.hidden);
	return EXIT_SUCCESS;
}
