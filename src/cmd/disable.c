// SPDX-License-Identifier: GPL-2.0-or-later
/* vfcap disable: gives VFs back to the driver that they had. */
#include "cmd.h"

enum { KEY_DRY_RUN = VFCAP_KEY_WISHES, KEY_NO_BIND, KEY_ASSUME, KEY_PERSIST };

struct disable_options {
	struct vfcap_wished wished;
	struct vfcap_change_options change;
	bool persist;
};

static int disable_option(struct vfcap_cli *cli, int key, const char *arg, void *own)
{
	struct disable_options *opt = own;

	switch (key) {
	case KEY_DRY_RUN:
		opt->change.dry_run = true;
		return 0;
	case KEY_NO_BIND:
		opt->change.no_bind = true;
		return 0;
	case KEY_ASSUME:
		opt->change.assume_unused = true;
		return 0;
	case KEY_PERSIST:
		opt->persist = true;
		return 0;
	case VFCAP_KEY_CAP:
		return vfcap_wish_option(cli, key, arg, &opt->wished);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int disable_run(struct vfcap_cli *cli)
{
	struct disable_options opt = { .change.disable = true };
	int status = vfcap_cli_parse(cli, &opt);

	if (status >= 0)
		return status;
	memcpy(opt.change.wish.want, opt.wished.asked, sizeof(opt.change.wish.want));
	return vfcap_cli_change(cli, &opt.change, opt.persist);
}

static const struct argp_option options[] = {
	{ "cap", VFCAP_KEY_CAP, "pasid|pri|pasid,pri", 0,
	  "what to take back; all, unless told. While something else is shown, the VF stays bound",
	  0 },
	{ "dry-run", KEY_DRY_RUN, NULL, 0, "only print the steps", 0 },
	{ "no-bind", KEY_NO_BIND, NULL, 0, "show nothing, but stay bound to vfcap's driver", 0 },
	{ "assume-unused", KEY_ASSUME, NULL, 0,
	  "go on although it cannot be found out who uses a VF (hidepid, a container)", 0 },
	{ "persist", KEY_PERSIST, NULL, 0, "do not keep it over reboots any more, in /etc/vfcap.d",
	  0 },
	{ NULL, 0, NULL, 0, NULL, 0 },
};

const struct vfcap_command vfcap_cmd_disable = {
	.name = "disable",
	.args = "DEVICE...",
	.doc = "give VFs back to the driver that they had\v"
	       "Driver and driver_override become what they were before enable; where that is not known, the "
	       "override is cleared and the kernel picks a driver. A VF that is in use is refused. Exit status 3: "
	       "something was refused, and nothing of that PF was touched.",
	.options = options,
	.option = disable_option,
	.run = disable_run,
	.changes = true,
};
