// SPDX-License-Identifier: GPL-2.0-or-later
/* vfcap help: the same text as --help. */
#include "cmd.h"

static int help_run(struct vfcap_cli *cli)
{
	const struct vfcap_command *command = NULL;
	int status = vfcap_cli_parse(cli, NULL);

	if (status >= 0)
		return status;
	if (cli->n_device > 1) {
		vfcap_cli_usage(cli, "%s: help takes one command", cli->device[1]);
		return VFCAP_EXIT_USAGE;
	}
	if (cli->n_device) {
		command = vfcap_command_find(cli->device[0]);
		if (!command) {
			vfcap_cli_no_command(cli, cli->device[0]);
			return VFCAP_EXIT_USAGE;
		}
	}
	vfcap_cli_print_help(cli, command, VFCAP_HELP_LONG);
	return VFCAP_EXIT_DONE;
}

const struct vfcap_command vfcap_cmd_help = {
	.name = "help",
	.args = "[COMMAND]",
	.doc = "the help of a command",
	.run = help_run,
};
