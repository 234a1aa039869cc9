/* commands: what main.c's table runs. */
#ifndef COMMANDS_H
#define COMMANDS_H

#include "opt.h"

extern const struct opt serve_options[];
int serve_run(const struct args *);

extern const struct opt stop_options[];
int stop_run(const struct args *);

extern const struct opt status_options[];
int status_run(const struct args *);

extern const struct opt show_options[];
int show_run(const struct args *);

#endif
