#include "again_on.h"

#include "die.h"
#include "ending.h"
#include "parse.h"

#include <signal.h>

enum { STATUS_MAX = 255 };

static bool fits_timeout(const struct ended *e)
{
	return e->state == TIMED_OUT;
}

static bool fits_stall(const struct ended *e)
{
	return e->stalled;
}

static bool fits_signal(const struct ended *e)
{
	return e->status > EXIT_SIGNAL && e->state != TIMED_OUT;
}

/* Words of the scheduler's own, besides the reasons of sessions and the names of signals. */
static const struct {
	const char *word;
	bool (*fits)(const struct ended *);
} words[] = {{"timeout", fits_timeout}, {"stall", fits_stall}, {"signal", fits_signal}};

/* The number of a signal by its name, with SIG before it or without; -1. */
static int signal_number(const char *word)
{
	if (strncmp(word, "SIG", 3) == 0)
		word += 3;
	for (int i = 1; i < NSIG; i++) {
		const char *name = sigabbrev_np(i);

		if (name && strcmp(name, word) == 0)
			return i;
	}
	return -1;
}

static bool word_fits(const char *word, const struct ended *e)
{
	int status = ending_status(word), number = signal_number(word);

	for (size_t i = 0; i < countof(words); i++)
		if (strcmp(word, words[i].word) == 0)
			return words[i].fits(e);
	if (e->state == TIMED_OUT)
		return false;
	return e->status == status || (number > 0 && e->status == EXIT_SIGNAL + number);
}

static bool entry_fits(struct span entry, const struct ended *e)
{
	AUTO_BUF struct buf word = {0};
	int64_t number;

	if (jscan_kind(entry) == '0')
		return jscan_int(entry, &number) == 0 && number == e->status;
	return jscan_text(entry, &word) == 0 && word.text && word_fits(word.text, e);
}

bool endings_fit(struct span list, const struct ended *e)
{
	struct span key, entry;
	struct jscan walk;

	if (!list.n || jscan_open(&walk, list) < 0)
		return false;
	while (jscan_next(&walk, &key, &entry) > 0)
		if (entry_fits(entry, e))
			return true;
	return false;
}

static bool word_known(const char *word)
{
	for (size_t i = 0; i < countof(words); i++)
		if (strcmp(word, words[i].word) == 0)
			return true;
	return ending_status(word) >= 0 || signal_number(word) >= 0;
}

static void try_word(void *near, const char *word)
{
	nearest_try(near, word);
}

static void unknown_word(
	struct plan *p, const struct task *t, struct span entry, const char *word)
{
	struct nearest near = {.word = word};

	for (size_t i = 0; i < countof(words); i++)
		nearest_try(&near, words[i].word);
	ending_each(try_word, &near);
	if (near.best)
		plan_error(p, t, entry, "no ending is called '%s'; did you mean '%s'?", word,
			near.best);
	else
		plan_error(p, t, entry,
			"no ending is called '%s': an exit status, a signal's name, timeout, "
			"stall, signal, or a session's reason",
			word);
}

static void check_entry(struct plan *p, const struct task *t, struct span entry)
{
	AUTO_BUF struct buf word = {0};
	int64_t number;

	if (jscan_text(entry, &word) == 0) {
		if (!word_known(word.text ? word.text : ""))
			unknown_word(p, t, entry, word.text ? word.text : "");
		return;
	}
	if (jscan_int(entry, &number) < 0 || number < 1 || number > STATUS_MAX)
		plan_error(p, t, entry, "an ending must be an exit status from 1 to %d, or a word",
			STATUS_MAX);
}

void endings_check(struct plan *p, const struct task *t, struct span list)
{
	struct span key, entry;
	struct jscan walk;

	if (!list.n || jscan_open(&walk, list) < 0)
		return;
	while (jscan_next(&walk, &key, &entry) > 0)
		check_entry(p, t, entry);
}
