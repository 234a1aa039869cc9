/* commands: the subcommands of loop-cache, and the options that several of them have. */
#ifndef COMMANDS_H
#define COMMANDS_H

#include "opt.h"
#include "scope.h"
#include "store.h"

int run_main(const struct args *);
int get_main(const struct args *);
int has_main(const struct args *);
int set_main(const struct args *);
int delete_main(const struct args *);
int invalidate_main(const struct args *);
int list_main(const struct args *);
int stats_main(const struct args *);
int export_main(const struct args *);
int import_main(const struct args *);
int gc_main(const struct args *);

extern const struct opt run_options[], get_options[], set_options[], delete_options[],
	invalidate_options[], list_options[], stats_options[], export_options[],
	import_options[], gc_options[];

/* What several of them say. */
struct choices {
	const char *scope;
	int64_t ttl; /* -1: not said */
	struct changes changes;
};
extern struct choices choices;
extern const char *const policies[];

#define OPTION_SCOPE                                                                          \
	{                                                                                     \
		.name = "scope", .letter = 's', .arg = "NAME", .help = "the scope (default)", \
		.string = &choices.scope                                                      \
	}
#define OPTION_TTL                                                                              \
	{                                                                                       \
		.name = "ttl", .letter = 't', .arg = "D", .help = "it expires after this long", \
		.duration = &choices.ttl                                                        \
	}
#define OPTION_PARENT                                           \
	{                                                       \
		.name = "parent", .letter = 'p', .arg = "NAME", \
		.help = "inherit from this scope; - for none",  \
		.string = &choices.changes.parent               \
	}
#define OPTION_MAX_SIZE                                           \
	{                                                         \
		.name = "max-size", .arg = "SIZE",                \
		.help = "bound of the values (100M); 0 for none", \
		.size = &choices.changes.max_size                 \
	}
#define OPTION_MAX_ENTRIES                                  \
	{                                                   \
		.name = "max-entries", .arg = "N",          \
		.help = "bound of the entries; 0 for none", \
		.number = &choices.changes.max_entries      \
	}
#define OPTION_POLICY                                                  \
	{                                                              \
		.name = "policy", .arg = "POLICY",                     \
		.help = "evict first by lru (default), lfu or ttl",    \
		.choice = &choices.changes.policy, .choices = policies \
	}
#define OPTIONS_LIMITS OPTION_PARENT, OPTION_MAX_SIZE, OPTION_MAX_ENTRIES, OPTION_POLICY

/* The state directory, found or made; ends the program where it cannot be. */
void open_state(struct state *, bool make);

/* The scope that was chosen, with its limits as they were said; ends the program as well. */
void open_scope(struct scope *, const struct state *);

/* False if there is no such scope, or no state directory: then there is nothing in it. */
bool find_scope(struct scope *, struct state *);
const char *chosen_scope(void);

/* Entries whose key one of the patterns matches, or all if there are none. -errno of visit. */
int each_entry(const struct scope *, const struct args *patterns,
	int (*visit)(const struct scope *, struct entry *, void *), void *context,
	struct err *) MUST_CHECK;

/* From --ttl: when an entry made now expires. */
int64_t chosen_expiry(int64_t created);

#endif
