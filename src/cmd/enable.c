// SPDX-License-Identifier: GPL-2.0-or-later
/* vfcap enable: makes VFs show PASID and PRI to whoever opens them through VFIO. */
#include "cmd.h"

enum {
	KEY_DRY_RUN = VFCAP_KEY_WISHES,
	KEY_NO_VERIFY,
	KEY_NO_BIND,
	KEY_ASSUME,
	KEY_TOKEN,
	KEY_PERSIST
};

struct enable_options {
	struct vfcap_wished wished;
	struct vfcap_change_options change;
	bool persist;
};

static int enable_option(struct vfcap_cli *cli, int key, const char *arg, void *own)
{
	struct enable_options *opt = own;

	switch (key) {
	case KEY_DRY_RUN:
		opt->change.dry_run = true;
		return 0;
	case KEY_NO_VERIFY:
		opt->change.no_verify = true;
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
	case KEY_TOKEN:
		return vfcap_cli_token(cli, arg, &opt->change.vf_token);
	default:
		return vfcap_wish_option(cli, key, arg, &opt->wished);
	}
}

static int enable_run(struct vfcap_cli *cli)
{
	struct enable_options opt = { 0 };
	int status = vfcap_cli_parse(cli, &opt);

	if (status >= 0)
		return status;
	if (!opt.wished.asked[VFCAP_EMUL_PRI])
		opt.wished.asked[VFCAP_EMUL_PASID] = true;
	if (vfcap_wish_settle(cli, &opt.wished))
		return VFCAP_EXIT_USAGE;
	if (opt.wished.asked[VFCAP_EMUL_PRI])
		vfcap_cli_warn(
			cli,
			"PRI: a guest sees it, but today's kernels deliver no page faults of VFs "
			"to guests");
	opt.change.wish = opt.wished.wish;
	return vfcap_cli_change(cli, &opt.change, opt.persist);
}

static const struct argp_option options[] = {
	{ "cap", VFCAP_KEY_CAP, "pasid|pri|pasid,pri", 0,
	  "what to show; PASID, unless told: today's kernels deliver no page faults of VFs to guests",
	  0 },
	VFCAP_WISH_OPTIONS,
	{ "force", VFCAP_KEY_FORCE, NULL, 0,
	  "give way where an offset of --at does not read zero, where the PF has it switched off, and where "
	  "another driver of VFIO could migrate the VF",
	  0 },
	{ "dry-run", KEY_DRY_RUN, NULL, 0, "only print the steps", 0 },
	{ "no-verify", KEY_NO_VERIFY, NULL, 0, "do not look through VFIO at what was done", 0 },
	{ "no-bind", KEY_NO_BIND, NULL, 0, "only VFs that are bound to vfcap's driver already", 0 },
	{ "assume-unused", KEY_ASSUME, NULL, 0,
	  "go on although it cannot be found out who uses a VF (hidepid, a container); --force does not",
	  0 },
	{ "persist", KEY_PERSIST, NULL, 0, "keep it over reboots, in /etc/vfcap.d", 0 },
	{ "vf-token", KEY_TOKEN, "UUID", 0, "the VF token of a PF that is on vfio-pci", 0 },
	{ NULL, 0, NULL, 0, NULL, 0 },
};

const struct vfcap_command vfcap_cmd_enable = {
	.name = "enable",
	.args = "DEVICE...",
	.doc = "make VFs show PASID to whoever opens them through VFIO\v"
	       "Binds each VF to vfcap's driver, turns its knob, and verifies through VFIO: for all VFs of a PF, or "
	       "for none. A VF that is in use is refused, one that is as wished is left alone. Exit status 3: "
	       "something was refused, and nothing of that PF was touched.",
	.options = options,
	.option = enable_option,
	.run = enable_run,
	.changes = true,
};
