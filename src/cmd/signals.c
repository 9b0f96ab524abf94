// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Signals. SIGINT, SIGTERM and SIGHUP end a command that changes the host at its next step, which takes back what it
 * had begun, or ends what it was taking back; a second SIGINT or SIGTERM ends it at once, and its log stays for the next
 * one. All other commands have
 * nothing to take back, and keep the default actions. A closed pipe ends a command with SIGPIPE once it is at its end.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "cmd.h"

/* Which signal was caught; 0: none. A handler has no argument that leads to the run. */
static volatile sig_atomic_t caught;

static const int ending[] = { SIGINT, SIGTERM, SIGHUP };

/* Those that end the command from now on. What was ignored from the start (nohup) stays so. A terminal that goes away
 * says so more than once, by the kernel and by the shell: that is no second signal. */
static void on_signal(int sig)
{
	struct sigaction old;
	size_t i;

	caught = sig;
	for (i = 0; i < VFCAP_ARRAY_LEN(ending); i++)
		if (sigaction(ending[i], NULL, &old) == 0 && old.sa_handler == on_signal)
			signal(ending[i], ending[i] == SIGHUP ? SIG_IGN : SIG_DFL);
}

void vfcap_signals_catch(struct vfcap_cli *cli)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART }, old;
	size_t i;

	sigemptyset(&action.sa_mask);
	for (i = 0; i < VFCAP_ARRAY_LEN(ending); i++)
		sigaddset(&action.sa_mask, ending[i]);
	for (i = 0; i < VFCAP_ARRAY_LEN(ending); i++)
		if (sigaction(ending[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
			sigaction(ending[i], &action, NULL);
	vfcap_set_cancel(cli->ctx, &caught);
}

bool vfcap_signals_caught(void)
{
	return caught;
}

void vfcap_signals_begin(struct vfcap_cli *cli)
{
	cli->pipe_ignored = signal(SIGPIPE, SIG_IGN) == SIG_IGN;
}

void vfcap_signals_say(struct vfcap_cli *cli)
{
	const char *name = caught && !cli->told_signal ? sigabbrev_np(caught) : NULL;

	cli->told_signal |= name != NULL;
	if (name)
		vfcap_cli_error(cli, "interrupted by SIG%s%s", name,
				cli->taken_back	 ? ": what was begun is taken back" :
				cli->interrupted ? "" :
						   ": what was begun is done");
}

/* By the default action, as a shell or a service manager is to see it. */
static void end_by(int sig)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	signal(sig, SIG_DFL);
	raise(sig);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

int vfcap_signals_end(struct vfcap_cli *cli, int status)
{
	vfcap_signals_say(cli); /* one that has come since */
	if (caught)
		end_by(caught);
	if (cli->pipe_closed)
		end_by(SIGPIPE);
	return status;
}
