/*
 * tally: what an attempt's neutral events add up to. The events are what map.jq
 * makes of the agent's lines; their fields are in loop-agent(5).
 */
#ifndef TALLY_H
#define TALLY_H

#include "jscan.h"
#include "session.h"

struct tally {
	struct session *session;
	struct usage used;   /* of this attempt */
	struct usage before; /* of a resumed conversation */
	struct strs open;    /* ids of tools under way */
	char tool[129];	     /* the name of the newest */
	int64_t background;  /* work that goes on besides the turn */
	bool idle;	     /* the agent said so */
	bool acted;	     /* the model has said or done something */
	bool result, ok;     /* the last terminal event */
	bool settled;	     /* nothing has happened since */
	bool unanswered;     /* the agent itself has gone on since, to no result yet */
	enum reason reason;
	char message[400];
	int64_t resets_at;
	int64_t retry_ns; /* a retry announced for then: silence that long is no stall */
	struct news {
		enum { NO_NEWS,
			NEWS_STARTED,
			NEWS_TOOL,
			NEWS_TOOL_END,
			NEWS_USAGE } kind;
		char id[129];
		bool ok;
	} news; /* what the last event was, for the journal */
};

/* One line from map.jq, valid JSON of which nothing else is believed. */
void tally_event(struct tally *, struct span line);
void tally_clear(struct tally *);

/* Whether something is under way that says nothing. */
bool tally_busy(const struct tally *);

#endif
