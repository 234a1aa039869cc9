#include "hold.h"

#include "clock.h"
#include "die.h"
#include "run.h"

enum { LOOK_MS = 500,
	START_MS = 2000, /* until what could not be started is tried again */
	SPARED_MAX = 10 /* a task that fills the disk itself is not tried for ever */ };

static void begin(struct run *r, const char *why)
{
	AUTO_BUF struct buf b = {0};

	if (r->hold.on)
		return;
	r->hold.on = true;
	warn("%s: held: %s", r->id, why);
	buf_str(&b, "\"held\",\"reason\":");
	buf_json(&b, why, strlen(why));
	log_run(r, b.text);
	event_need(r, why);
}

static void end(struct run *r)
{
	r->hold.on = r->hold.start = r->hold.trial = false;
	warn("%s: there is room again", r->id);
	if (!r->hold.closing)
		log_run(r, "\"released\"");
}

bool hold_refused(struct run *r, int code, const char *why)
{
	if (!room_refused(code))
		return false;
	begin(r, why);
	return true;
}

void hold_not_started(struct run *r)
{
	r->hold.start = true;
	r->hold.trial = false;
	r->hold.next = clock_after(START_MS * NS_PER_MS);
}

void hold_started(struct run *r)
{
	if (r->hold.on)
		end(r);
}

bool hold_unwritten(const struct run *r)
{
	return r->lines.length || r->record_count || r->hold.untold;
}

/* What was kept back; false if some of it still cannot be written. */
static bool write_out(struct run *r)
{
	log_flush(r, true);
	for (uint32_t i = 0; r->hold.untold && i < r->plan.count; i++) {
		if (!r->node[i].untold)
			continue;
		r->node[i].untold = false;
		r->hold.untold--;
		passes_tell(r, i);
		if (r->node[i].untold)
			return false;
	}
	return !hold_unwritten(r);
}

bool run_held(struct run *r)
{
	const char *const folders[] = {r->path, r->options.dir, NULL};
	struct hold *h = &r->hold;
	struct err why = {0};

	if (h->on && clock_now() < h->next)
		return !h->trial;
	h->next = clock_after(LOOK_MS * NS_PER_MS);
	h->trial = false;
	if (room_short(&h->least, folders, &why)) {
		begin(r, why.text);
		return true;
	}
	if (!h->on)
		return false;
	if (!write_out(r))
		return true;
	if (h->start)
		h->trial = true;
	else
		end(r);
	return false;
}

bool hold_spares(struct run *r, uint32_t task)
{
	const struct node *n = &r->node[task];

	r->hold.next = 0;
	return run_held(r) && n->attempt - n->failures <= SPARED_MAX;
}
