/*
 * choose: the options by which all subcommands choose events, and where in the
 * journal they begin.
 */
#ifndef CHOOSE_H
#define CHOOSE_H

#include "filter.h"
#include "journal.h"
#include "opt.h"

/* What the options say; the tables of the subcommands point here. */
struct choice {
	struct strs types, subjects, where;
	int priority; /* an index into priority_choices; -1: not given */
	const char *from, *since, *until;
};

extern struct choice choice;
extern const char *const priority_choices[];

#define OPT_TYPE                                              \
	{                                                     \
		.name = "type",                               \
		.letter = 't',                                \
		.arg = "PATTERN",                             \
		.help = "events of this type, as in story.*", \
		.strings = &choice.types                      \
	}
#define OPT_SUBJECT                                            \
	{                                                      \
		.name = "subject",                             \
		.letter = 's',                                 \
		.arg = "PATTERN",                              \
		.help = "events about this, as in PRD-001/**", \
		.strings = &choice.subjects                    \
	}
#define OPT_WHERE                                                       \
	{                                                               \
		.name = "where",                                        \
		.letter = 'w',                                          \
		.arg = "CONDITION",                                     \
		.help = "events with such a field: data.success=false", \
		.strings = &choice.where                                \
	}
#define OPT_PRIORITY                                        \
	{                                                   \
		.name = "priority",                         \
		.letter = 'p',                              \
		.arg = "PRIORITY",                          \
		.help = "events of this priority or above", \
		.choice = &choice.priority,                 \
		.choices = priority_choices                 \
	}
#define OPT_FROM                                                            \
	{                                                                   \
		.name = "from",                                             \
		.arg = "PLACE",                                             \
		.help = "now, start, or the id of the event to begin with", \
		.string = &choice.from                                      \
	}
#define OPT_SINCE                                                               \
	{                                                                       \
		.name = "since",                                                \
		.arg = "TIME",                                                  \
		.help = "events from this time on: RFC 3339, or an age as 10m", \
		.string = &choice.since                                         \
	}
#define OPT_UNTIL                                  \
	{                                          \
		.name = "until",                   \
		.arg = "TIME",                     \
		.help = "events before this time", \
		.string = &choice.until            \
	}

/* The filter that the options and these operands (types) make; a wrong one ends the program. */
void choose(struct filter *, const struct args *types);

/* --since and --until in nanoseconds; INT64_MIN and INT64_MAX where they are not given. */
void choose_times(int64_t *since, int64_t *until);

/* The time of an event; INT64_MIN if it tells none. */
int64_t view_time(const struct event_view *);

/* Whether a filter wants a line of the journal; its view besides. */
bool wanted(const struct filter *, const struct journal_line *, struct event_view *);

/*
 * Opens the journal at "now", "start" (NULL: as meant) or an id; a wrong one ends the
 * program. Damaged lines are told on stderr, the first by itself, all at the end.
 */
struct journal_reader *open_journal(const struct state *, const char *from, const char *meant);
void close_journal(struct journal_reader *);

/* The state directory, which must be there. */
void must_find_state(struct state *);

#endif
