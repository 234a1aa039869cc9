#include "orphans.h"

#include "clock.h"
#include "die.h"
#include "json.h"
#include "mem.h"
#include "parse.h"
#include "proc.h"

#define SWEEP_TIME (5 * NS_PER_S)

enum { RECORD_MAX = 16 << 20 };

/* What a session kept on purpose when it ended is its own; what cannot be read proves nothing. */
static bool was_cut_off(const struct state *state, const char *id)
{
	AUTO_FREE char *path = mem_format("sessions/%s/session.json", id);
	const char *word = NULL;
	struct err e = {0};
	struct owner owner;
	int code;
	AUTO_JSON json_t *record = json_read(state->dir, path, RECORD_MAX, &code, &e);

	return record && json_get_text(record, "state", &word, &e) > 0 &&
		strcmp(word, "ended") != 0 && json_get_owner(record, "owner", &owner) &&
		!owner_alive(&owner);
}

void orphans_end(const struct state *state)
{
	AUTO_FREE char *ours = mem_format("LOOP_DIR=%s", state->path);
	AUTO_STRS struct strs sessions = {0};

	proc_marked(ours, "LOOP_SESSION", &sessions);
	for (size_t i = 0; i < sessions.count; i++) {
		AUTO_FREE char *session = mem_format("LOOP_SESSION=%s", sessions.item[i]);
		const char *const marks[] = {session, ours, NULL};
		struct sweep swept;

		if (!name_valid(sessions.item[i]) || !was_cut_off(state, sessions.item[i]))
			continue;
		proc_sweep(marks, NULL, 0, clock_after(SWEEP_TIME), &swept);
		if (swept.killed)
			warn("%s was cut off; what it had left running is ended now (%d: %s)",
				sessions.item[i], swept.killed, swept.first);
	}
}
