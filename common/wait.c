#include "wait.h"

#include "clock.h"
#include "io.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>

/* A signal that comes again within this time came by two ways. */
#define ECHO_TIME (200 * NS_PER_MS)

static const int handled[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};

static int signals = -1;

int wait_init(void)
{
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < countof(handled); i++)
		sigaddset(&set, handled[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return signals < 0 ? -errno : 0;
}

bool wait_signal_ends(int sig)
{
	return sig != SIGUSR1 && sig != SIGUSR2;
}

static bool is_echo(int sig)
{
	static int last;
	static int64_t when;
	bool echo = wait_signal_ends(sig) && sig == last && clock_now() - when < ECHO_TIME;

	last = sig;
	when = clock_now();
	return echo;
}

/* The next signal, 0 if there is none. */
static int take_signal(void)
{
	struct signalfd_siginfo info;

	while (io_read_some(signals, &info, sizeof info) == sizeof info)
		if (!is_echo((int)info.ssi_signo))
			return (int)info.ssi_signo;
	return 0;
}

enum wait_event wait_for(int fd, int64_t deadline, int *sig)
{
	struct pollfd polled[] = {{.fd = signals, .events = POLLIN}, {.fd = fd, .events = POLLIN}};

	for (;;) {
		int r = poll(polled, countof(polled), clock_poll_timeout(deadline));

		if (r > 0 && polled[0].revents && (*sig = take_signal()))
			return WAIT_SIGNAL;
		if (r > 0 && polled[1].revents)
			return WAIT_READY;
		if (clock_now() >= deadline)
			return WAIT_DEADLINE;
	}
}
