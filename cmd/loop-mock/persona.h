/*
 * persona: loop-mock under the name of a real agent's program ("claude", a link
 * to it) takes the options that loop-spawn's adapters pass to that program.
 */
#ifndef PERSONA_H
#define PERSONA_H

/*
 * The command line in loop-mock's own options, where argv[0] is such a name:
 * ended by NULL, to be kept for as long as it is used. Without one, argv itself.
 * An option that the program would not know ends ours, as it would end it.
 */
char **persona_argv(int *argc, char **argv);

#endif
