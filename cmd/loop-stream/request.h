/*
 * request: one HTTP request, read strictly: the raw head by scan, its grammar
 * by llhttp without any leniency, its meaning by the checks of strict.c. What
 * comes out has one reading, or a status to refuse it with.
 */
#ifndef REQUEST_H
#define REQUEST_H

#include "scan.h"
#include "text.h"

#include <llhttp.h>

enum method { METHOD_GET = 1,
	METHOD_HEAD = 2,
	METHOD_POST = 4,
	METHOD_OPTIONS = 8,
	METHOD_OTHER = 16 /* known, and nothing here answers it */ };

struct field {
	struct span name, value; /* the value without the white space around it */
};

/* All spans lie in the head of the intake that the request was read by. */
struct request {
	enum method method;
	int minor;	    /* HTTP/1.0 or 1.1 */
	struct span target; /* as it came */
	struct span path;   /* of the target, without the query, still escaped */
	struct span query;  /* behind the question mark, or empty */
	struct span host;   /* the one Host; empty in a 1.0 request without it */
	bool close;	    /* the connection ends with the answer */
	bool upgrade;	    /* Connection names Upgrade */
	bool expects;	    /* Expect: 100-continue */
	bool chunked;
	int64_t content_length; /* -1: none was given */
	struct field field[FIELDS_MAX];
	size_t fields;
};

/* The first field of this name, without regard to case; NULL if there is none. */
const struct field *request_field(const struct request *, const char *name);
size_t request_field_count(const struct request *, const char *name);

/* Whether something may follow its head: a length of 0 says that nothing does. */
bool request_has_body(const struct request *);

/*
 * The checks that need no connection (strict.c): 0, or the status to refuse it
 * with. The line is the request line, without its CRLF; body_max in bytes.
 */
int strict_line(struct request *, const char *line, size_t length);
int strict_fields(struct request *, int64_t body_max);

/* What is read of one request, as it comes. */
enum intake_phase { INTAKE_HEAD,
	INTAKE_CHECK, /* the head is whole: to be approved before a body is read */
	INTAKE_BODY,
	INTAKE_TRAILER,
	INTAKE_WHOLE };

struct intake {
	enum intake_phase phase;
	bool whole_with_head; /* no body follows */
	int refused;	      /* by a callback */
	int64_t body_max;
	struct scan scan;
	struct buf head, body;
	struct request request;
	size_t extension; /* bytes of chunk extensions */
	llhttp_t parser;
};

struct intake *intake_new(int64_t body_max);
void intake_free(struct intake *);

/* Whether nothing of a request has come yet. */
bool intake_idle(const struct intake *);

/*
 * Takes bytes up to the next change of phase; *used says how many. 0, or the
 * status to refuse the request with. At INTAKE_CHECK the caller looks at the
 * request and calls again to go on.
 */
int intake_take(struct intake *, const char *bytes, size_t length, size_t *used);

#endif
