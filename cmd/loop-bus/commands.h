/* commands: the subcommands of loop-bus, one function and one table each. */
#ifndef COMMANDS_H
#define COMMANDS_H

#include "opt.h"

int serve_main(const struct args *);
int stop_main(const struct args *);
int status_main(const struct args *);
int sub_main(const struct args *);
int history_main(const struct args *);
int replay_main(const struct args *);
int verify_main(const struct args *);
int on_main(const struct args *);
int redrive_main(const struct args *);
int route_main(const struct args *);
int bridge_main(const struct args *);

extern const struct opt serve_options[], stop_options[], status_options[], sub_options[],
	history_options[], replay_options[], verify_options[], on_options[], redrive_options[],
	route_options[], bridge_options[];

#endif
