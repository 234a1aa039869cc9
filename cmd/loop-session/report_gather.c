#include "report.h"

#include "clock.h"
#include "event.h"
#include "io.h"
#include "journal.h"
#include "mem.h"
#include "parse.h"

#include <dirent.h>
#include <fcntl.h>

enum { GATE_FILE_MAX = 1 << 20 };

static void add_to(struct group *g, const struct record *r)
{
	g->sessions++;
	g->succeeded += r->success;
	g->input += r->input;
	g->output += r->output;
	g->unknown += !r->cost_known;
	g->cost += r->cost_known ? r->cost : 0;
	if (!g->newest)
		g->newest = r;
}

static struct group *group_of(struct groups *all, const char *name)
{
	uintptr_t at = (uintptr_t)map_get(&all->by_name, name);

	if (at)
		return &all->item[at - 1];
	all->item = mem_grow(all->item, all->count, &all->capacity, sizeof *all->item);
	all->item[all->count] = (struct group){.name = name};
	map_add(&all->by_name, name, strlen(name), (void *)++all->count);
	return &all->item[all->count - 1];
}

/* The newest comes first: whatever failed before it was tried again. */
static void count(struct report *p, const struct record *r)
{
	const struct group *story = group_of(&p->stories, record_story(r));
	bool later = story->newest && story->newest->success;

	p->live += record_live(r);
	p->lost += r->state == RECORD_LOST;
	if (r->state == RECORD_ENDED && !r->success) {
		p->failed++;
		p->retried += later;
	}
}

static void gather_sessions(struct report *p)
{
	records_read(&p->all, &p->state,
		&(struct filter){.run = p->only, .since = p->since, .until = p->until});
	for (size_t i = 0; i < p->all.count; i++) {
		const struct record *r = &p->all.item[i];

		count(p, r);
		add_to(&p->total, r);
		add_to(group_of(&p->stories, record_story(r)), r);
		add_to(group_of(&p->models, *r->model ? r->model : "unknown"), r);
	}
}

static int by_start(const void *left, const void *right)
{
	const struct run *a = left, *b = right;

	return (a->started < b->started) - (a->started > b->started);
}

static void gather_runs(struct report *p)
{
	AUTO_STRS struct strs ids = {0};

	runs_since(&p->state, p->since, &ids);
	for (size_t i = 0; i < ids.count; i++) {
		p->run = mem_grow(p->run, p->runs, &p->run_capacity, sizeof *p->run);
		if (p->only && strcmp(ids.item[i], p->only) != 0)
			continue;
		if (run_read(&p->run[p->runs], &p->state, ids.item[i]) == 0 &&
			p->run[p->runs].last >= p->since && p->run[p->runs].started <= p->until)
			p->runs++;
	}
	if (p->runs)
		qsort(p->run, p->runs, sizeof *p->run, by_start);
}

/* Read, not resolved: whose deadline has passed waits for nobody. */
static void add_gate(struct report *p, int folder, const char *name)
{
	AUTO_BUF struct buf text = {0};
	struct gate g = {0};
	struct err e = {0};

	if (*name == '.' || io_read_file(folder, name, GATE_FILE_MAX, &text) < 0)
		return;
	if (gate_parse(&g, text.text, text.length, &e) < 0 || g.state != GATE_PENDING ||
		(g.deadline && g.deadline < clock_real())) {
		gate_clear(&g);
		return;
	}
	p->gate = mem_grow(p->gate, p->gates, &p->gate_capacity, sizeof *p->gate);
	p->gate[p->gates++] = g;
}

static void gather_gates(struct report *p)
{
	int fd = state_file(&p->state, "gates", O_RDONLY | O_DIRECTORY, 0);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *d;

	if (!dir && fd >= 0)
		close(fd);
	while (dir && (d = readdir(dir)))
		add_gate(p, fd, d->d_name);
	if (dir)
		closedir(dir);
}

static void add_branch(struct report *p, struct span data)
{
	AUTO_BUF struct buf name = {0};
	struct span branch;

	if (!jscan_get(data, "branch", &branch) || jscan_text(branch, &name) < 0 || !name.length)
		return;
	for (size_t i = 0; i < p->branches.count; i++)
		if (strcmp(p->branches.item[i], name.text) == 0)
			return;
	strs_add(&p->branches, name.text);
}

static void take_event(struct report *p, const struct event_view *e)
{
	struct span success;

	if (p->only && !jscan_is(e->runid, p->only))
		return;
	if (jscan_is(e->type, "commit.created"))
		add_branch(p, e->data);
	if (jscan_is(e->type, "story.completed") && jscan_get(e->data, "success", &success))
		p->merged += jscan_kind(success) == 't';
}

/* Backwards from the end, until before the window; a damaged journal tells what it can. */
static void gather_events(struct report *p)
{
	struct journal_reader *reader;
	struct journal_line line;
	struct event_view e;
	struct err err = {0};
	int64_t ns;

	if (journal_reader_new(&reader, &p->state, JOURNAL_FROM_NOW, 0, &err) < 0)
		return;
	while (journal_read_back(reader, &line) > 0) {
		if (event_view(line.text, line.length, &e) < 0 || e.time.n < 2 ||
			parse_rfc3339(e.time.p + 1, e.time.n - 2, &ns) < 0)
			continue;
		if (ns < p->since)
			break;
		if (ns <= p->until)
			take_event(p, &e);
	}
	journal_reader_free(reader);
}

void report_gather(struct report *p)
{
	gather_sessions(p);
	gather_runs(p);
	gather_gates(p);
	gather_events(p);
}

void report_clear(struct report *p)
{
	records_clear(&p->all);
	free(p->stories.item);
	free(p->models.item);
	map_clear(&p->stories.by_name);
	map_clear(&p->models.by_name);
	free(p->run);
	for (size_t i = 0; i < p->gates; i++)
		gate_clear(&p->gate[i]);
	free(p->gate);
	strs_clear(&p->branches);
}

static bool needs_human(const char *reason)
{
	static const char *const reasons[] = {
		"needs_human", "auth", "permission", "quota", "refused"};

	for (size_t i = 0; i < countof(reasons); i++)
		if (strcmp(reasons[i], reason) == 0)
			return true;
	return false;
}

/* Each story once: only its newest session says how it stands. */
static bool is_newest(const struct report *p, const struct record *r)
{
	uintptr_t at = (uintptr_t)map_get(&p->stories.by_name, record_story(r));

	return at && p->stories.item[at - 1].newest == r;
}

bool report_holds(const struct report *p, enum report_list list, const struct record *r)
{
	if (r->success || record_live(r) || !is_newest(p, r))
		return false;
	if (r->state != RECORD_ENDED)
		return list == REPORT_LOST;
	return list == (needs_human(r->reason) ? REPORT_WAITING : REPORT_FAILED);
}

const char *report_run_state(const struct run *r)
{
	return r->state[0] ? r->state : r->alive ? "running"
						 : "cut off";
}

static void add_command(struct strs *commands, const char *word, const char *name)
{
	char line[400];

	snprintf(line, sizeof line, "%s %s", word, name);
	for (size_t i = 0; i < commands->count; i++)
		if (strcmp(commands->item[i], line) == 0)
			return;
	strs_add(commands, line);
}

/* Whether a name from outside can be typed as it stands. */
static bool is_plain(const char *name)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789._/+@-";

	return *name != '-' && name[strspn(name, plain)] == '\0';
}

void report_next(const struct report *p, struct strs *commands)
{
	for (size_t i = 0; i < p->gates; i++)
		add_command(commands,
			p->gate[i].text || p->gate[i].choices.count ? "loop-gate answer"
								    : "loop-gate approve",
			p->gate[i].id);
	for (size_t i = 0; i < p->runs; i++) {
		const struct run *r = &p->run[i];

		if (!r->state[0] && !r->alive)
			add_command(commands, "loop resume", r->id);
		else if (strcmp(r->state, "failed") == 0)
			add_command(commands, "loop-sched retry", r->id);
	}
	for (size_t i = 0; i < p->all.count && commands->count < 20; i++) {
		const struct record *r = &p->all.item[i];

		if (report_holds(p, REPORT_LOST, r) || report_holds(p, REPORT_FAILED, r) ||
			report_holds(p, REPORT_WAITING, r))
			add_command(commands, "loop-session summary", r->id);
	}
	for (size_t i = 0; i < p->branches.count; i++)
		if (is_plain(p->branches.item[i]))
			add_command(commands, "git merge", p->branches.item[i]);
}
