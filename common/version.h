/* version: what --version says, and what is recorded with every session and run. */
#ifndef VERSION_H
#define VERSION_H

#define LOOP_VERSION "0.1.0"

#endif
