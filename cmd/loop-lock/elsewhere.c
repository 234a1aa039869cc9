/*
 * Locks that hosts share are in Redis, and another program's: it takes the place of this
 * one, with the same arguments. So a lock on one machine costs no library.
 */
#include "loop-lock.h"

#include "die.h"
#include "store.h"

#include <errno.h>

/* A script's descriptor is of this machine, and tells what it holds. */
static bool is_local(const char *word)
{
	static const char *const words[] = {"path", "release"};

	for (size_t i = 0; i < countof(words); i++)
		if (strcmp(word, words[i]) == 0)
			return true;
	return false;
}

/* What is answered here: there is one help, one version. */
static bool is_question(const char *word)
{
	static const char *const words[] = {"--help", "--version", "--describe"};

	for (size_t i = 0; i < countof(words); i++)
		if (strcmp(word, words[i]) == 0)
			return true;
	return false;
}

/* The store that is named in front of the command; NULL: here. */
static const char *named_store(char **argv)
{
	const char option[] = "--store", *named = NULL;
	const size_t n = sizeof option - 1;

	for (char **word = argv + 1; *word && strcmp(*word, "--") != 0; word++) {
		if (is_question(*word))
			return NULL;
		if (strncmp(*word, option, n) != 0)
			continue;
		if ((*word)[n] == '=')
			named = *word + n + 1;
		else if (!(*word)[n] && word[1])
			named = *++word;
	}
	named = store_choose(named);
	return store_in_files(named) ? NULL : named;
}

void go_elsewhere(char **argv)
{
	static char program[] = "loop-lock-redis";

	if (!argv[0] || !argv[1] || is_local(argv[1]) || !named_store(argv))
		return;
	argv[0] = program;
	execvp(program, argv);
	die_init("loop-lock", EXIT_OWN);
	die_errno(EX_UNAVAILABLE, "%s, for locks in Redis", program);
}

void stay_here(void)
{
	if (choices.store && !store_in_files(choices.store))
		die_usage("write --store in full");
	if (choices.lease || choices.on_loss || choices.patience)
		die_usage("--lease, --on-loss and --patience are for locks in Redis: name it by "
			  "--store, or LOOP_STORE");
}
