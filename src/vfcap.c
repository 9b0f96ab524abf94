// SPDX-License-Identifier: GPL-2.0-or-later
/* vfcap: extended capabilities of SR-IOV functions, and the place of emulated PASID and PRI. */
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <unistd.h>

#include "cmd/cmd.h"

const struct vfcap_command *const vfcap_commands[] = {
	&vfcap_cmd_list,
	&vfcap_cmd_show,
	&vfcap_cmd_diff,
	&vfcap_cmd_map,
	&vfcap_cmd_plan,
	&vfcap_cmd_doctor,
	&vfcap_cmd_enable,
	&vfcap_cmd_disable,
	&vfcap_cmd_status,
	&vfcap_cmd_verify,
	&vfcap_cmd_apply,
	&vfcap_cmd_monitor,
	&vfcap_cmd_capture,
	&vfcap_cmd_help,
	NULL,
};

const struct vfcap_command *vfcap_command_find(const char *name)
{
	const struct vfcap_command *const *c;

	for (c = vfcap_commands; *c; c++)
		if (strcmp((*c)->name, name) == 0)
			return *c;
	return NULL;
}

/* A standard descriptor that is closed would be taken by the first file that is opened, and that
 * file be written to. Each gets something that fails: reading from 0, writing to 1 and 2. */
static void hold_standard_fds(void)
{
	int fd;

	for (fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd ? O_RDONLY : O_WRONLY) != fd)
			_exit(VFCAP_EXIT_FAILED);
}

/* A locale that is not there is none. False: there is no memory for it, and the text would be another one. */
static bool use_locale(void)
{
	errno = 0;
	return setlocale(LC_CTYPE, "") || errno != ENOMEM;
}

int main(int argc, char **argv)
{
	struct vfcap_cli cli = { 0 };
	int status = VFCAP_EXIT_FAILED;

	hold_standard_fds();
	vfcap_signals_begin(&cli);
	if (use_locale())
		status = vfcap_cli_parse_top(&cli, argc, argv);
	else
		vfcap_cli_error(&cli, "%s", strerror(ENOMEM));
	if (cli.command && !status && !cli.help)
		status = cli.command->run(&cli);
	return vfcap_signals_end(&cli, vfcap_cli_close(&cli, status));
}
