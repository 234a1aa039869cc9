/*
 * scan: what a source file imports, found by a scanner that knows its
 * language's lexis (strings, comments, templates, regular expressions, JSX) and
 * the grammar of imports, and nothing else. One pass, linear in the bytes, no
 * recursion; text that the language would refuse is scanned as well as can be.
 *
 * Sources: The Python Language Reference, 2 and 7.11 (f-strings as of PEP 701);
 * ECMA-262 12 (the goal symbols of "/" and "}"), 13.3.10 and 16.2; JSX 1.0;
 * the TypeScript handbook, "Modules".
 */
#ifndef SCAN_H
#define SCAN_H

#include "mem.h"

enum { SCAN_PADDING = 16 }; /* zero bytes that must follow the text of a scan */

enum import_form {
	IMPORT_STATEMENT, /* import a.b; import x from "x" */
	IMPORT_FROM,	  /* from a import b */
	IMPORT_EXPORT,	  /* export … from "x" */
	IMPORT_REQUIRE,	  /* require("x"), import x = require("x") */
	IMPORT_RESOLVE,	  /* require.resolve("x") */
	IMPORT_CALL,	  /* import("x"), __import__("x"), import_module("x") */
	IMPORT_PATH,	  /* a triple-slash reference to a file */
	IMPORT_TYPES,	  /* a triple-slash reference to a package's types */
};

enum {
	IMPORT_TYPE = 1,     /* for the type checker alone */
	IMPORT_LAZY = 2,     /* not when the file is loaded: in a function, or import() */
	IMPORT_TRY = 4,	     /* under try: it may fail */
	IMPORT_COMPUTED = 8, /* what is imported is no literal: spec is empty */
};

struct import {
	const char *spec;      /* "./x", "a.b" (Python, without its leading dots) */
	const char *name;      /* what "from a import" takes: a name or "*"; NULL elsewhere */
	uint32_t line, column; /* of the specifier or name; from 1, columns in bytes */
	uint16_t level;	       /* leading dots (Python) */
	uint8_t form, flags;
};

/* The imports of one text, in its order. The strings live in the arena, which is lent. */
struct imports {
	struct import *item;
	size_t count, capacity;
	struct arena *arena;
};

enum dialect {
	SCAN_JSX = 1,	      /* "<" may open an element */
	SCAN_TYPES = 2,	      /* TypeScript */
	SCAN_DECLARATION = 4, /* a .d.ts: all of it is for the type checker */
};

void scan_python(const char *text, size_t length, struct imports *);
void scan_script(const char *text, size_t length, unsigned dialect, struct imports *);

#endif
