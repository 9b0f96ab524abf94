// SPDX-License-Identifier: GPL-2.0-or-later
/* A line on the terminal that says how far a long run is, and goes when there is something to say. */
#include <time.h>
#include <unistd.h>

#include "cmd.h"

#define TICK 100 /* milliseconds: what takes less is not worth a line */

bool vfcap_progress_wanted(const struct vfcap_cli *cli)
{
	return !cli->quiet && !cli->json && isatty(STDERR_FILENO);
}

static long long milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

void vfcap_progress_show(void *arg, const char *what, size_t done, size_t all)
{
	struct vfcap_cli *cli = arg;
	long long now = milliseconds();

	if (!cli->progress_at)
		cli->progress_at = now;
	if (now - cli->progress_at < TICK)
		return;
	cli->progress_at = now;
	cli->progress_shown = true;
	fprintf(stderr, "\r\033[Kvfcap: %zu of %zu: %s", done, all, what);
}

void vfcap_progress_end(struct vfcap_cli *cli)
{
	if (cli->progress_shown)
		fputs("\r\033[K", stderr);
	cli->progress_shown = false;
}
