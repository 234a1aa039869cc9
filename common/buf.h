/*
 * buf: bytes that grow, a list of strings, and the two ways in which text from
 * outside is made safe: escaped for a terminal, quoted for JSON.
 */
#ifndef BUF_H
#define BUF_H

#include "base.h"

/* Zeroed is empty. text is NUL-terminated once anything was added, and may hold NULs itself. */
struct buf {
	char *text;
	size_t length, capacity;
};

#define AUTO_BUF AUTO(buf_clear)

void buf_clear(struct buf *); /* frees; the buffer is empty and can be used again */
void buf_add(struct buf *, const void *bytes, size_t length);
void buf_str(struct buf *, const char *text);
void buf_char(struct buf *, char);
void buf_format(struct buf *, const char *format, ...) PRINTF_LIKE(2, 3);
void buf_int(struct buf *, int64_t);
char *buf_reserve(struct buf *, size_t room); /* room bytes to write at; then length += n */
void buf_drop(struct buf *, size_t length);   /* removes bytes at the front */
char *buf_take(struct buf *);		      /* the text, the caller's to free; never NULL */

/*
 * A JSON string with its quotes (RFC 8259): control characters, quotes and
 * backslashes escaped; bytes that are no UTF-8 become U+FFFD, so the result is
 * always valid.
 */
void buf_json(struct buf *, const char *text, size_t length);

/* A word as a shell reads it back: in single quotes. */
void buf_shell(struct buf *, const char *word);

/* For a terminal: control characters (C0, DEL, C1) and what is no UTF-8 as \n, \t or \xNN. */
void buf_escape(struct buf *, const char *text, size_t length);

/* The same into a fixed array: cut to fit, NUL-terminated; returns the length. */
size_t escape_text(char *out, size_t size, const char *text);

/* The length in bytes (1 to 4) of the UTF-8 character at p, 0 if there is none (RFC 3629). */
size_t utf8_length(const char *p, size_t n);

/* A list of strings. Zeroed is empty; item[count] is NULL once anything was added: an argv. */
struct strs {
	char **item;
	size_t count, capacity;
};

#define AUTO_STRS AUTO(strs_clear)

void strs_add(struct strs *, const char *text); /* copies */
void strs_take(struct strs *, char *text);	/* takes over */
void strs_format(struct strs *, const char *format, ...) PRINTF_LIKE(2, 3);
void strs_clear(struct strs *);

#endif
