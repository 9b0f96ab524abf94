// SPDX-License-Identifier: GPL-2.0-or-later
/* The options that say what is wished: of plan and of enable. */
#include <errno.h>
#include <stdlib.h>

#include "cmd.h"

static const char *emul_name(unsigned int e)
{
	return vfcap_capinfo(vfcap_emul_id(e))->name;
}

/* The emulated capability whose name the first len characters are; VFCAP_EMULS: none. */
static unsigned int find_emul(const char *name, size_t len)
{
	unsigned int e;

	for (e = 0; e < VFCAP_EMULS; e++)
		if (strlen(emul_name(e)) == len && strncasecmp(emul_name(e), name, len) == 0)
			break;
	return e;
}

static int parse_number(const char *arg, unsigned long most, unsigned long *value)
{
	char *end;

	errno = 0;
	*value = strtoul(arg, &end, 0);
	return *arg < '0' || *arg > '9' || *end || errno || *value > most ? EINVAL : 0;
}

static int parse_cap(struct vfcap_cli *cli, const char *arg, struct vfcap_wished *opt)
{
	const char *name = arg;
	unsigned int e;
	size_t len;

	memset(opt->asked, 0, sizeof(opt->asked));
	for (;; name += len + 1) {
		len = strcspn(name, ",");
		e = find_emul(name, len);
		if (e == VFCAP_EMULS)
			return vfcap_cli_usage(cli, "--cap %s: pasid, pri, or pasid,pri", arg);
		opt->asked[e] = true;
		if (!name[len])
			return 0;
	}
}

static int parse_rule(struct vfcap_cli *cli, const char *arg, struct vfcap_wished *opt)
{
	int rule = vfcap_rule_by_name(arg);

	if (rule < 0)
		return vfcap_cli_usage(
			cli, "--rule %s: one of auto, pf-offset, after-last, free-gap", arg);
	opt->wish.rule = rule;
	return 0;
}

static int set_at(struct vfcap_cli *cli, unsigned int e, const char *number,
		  struct vfcap_wished *opt)
{
	unsigned long offset;

	if (parse_number(number, 0xffff, &offset))
		return vfcap_cli_usage(cli, "--at %s: an offset such as 0x140", number);
	opt->wish.at[e] = (uint16_t)offset;
	opt->wish.explicit_at[e] = true;
	return 0;
}

static int parse_at(struct vfcap_cli *cli, const char *arg, struct vfcap_wished *opt)
{
	size_t len = strcspn(arg, "=");
	unsigned int e;

	if (!arg[len]) {
		opt->bare_at = arg;
		return 0;
	}
	e = find_emul(arg, len);
	if (e == VFCAP_EMULS)
		return vfcap_cli_usage(cli, "--at %s: pasid=OFFSET or pri=OFFSET", arg);
	return set_at(cli, e, arg + len + 1, opt);
}

static int parse_width(struct vfcap_cli *cli, const char *arg, struct vfcap_wished *opt)
{
	unsigned long width;

	if (parse_number(arg, VFCAP_PASID_WIDTH_MOST, &width))
		return vfcap_cli_usage(cli, "--width %s: 1 to 20 bits, 0 for the PF's", arg);
	opt->wish.width = (uint8_t)width;
	return 0;
}

int vfcap_wish_option(struct vfcap_cli *cli, int key, const char *arg, struct vfcap_wished *opt)
{
	switch (key) {
	case VFCAP_KEY_CAP:
		return parse_cap(cli, arg, opt);
	case VFCAP_KEY_RULE:
		return parse_rule(cli, arg, opt);
	case VFCAP_KEY_AT:
		return parse_at(cli, arg, opt);
	case VFCAP_KEY_WIDTH:
		return parse_width(cli, arg, opt);
	case VFCAP_KEY_FORCE:
		opt->wish.force = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

int vfcap_wish_settle(struct vfcap_cli *cli, struct vfcap_wished *opt)
{
	unsigned int e, n = 0, only = 0;

	for (e = 0; e < VFCAP_EMULS; e++)
		n += opt->asked[e];
	for (e = 0; e < VFCAP_EMULS; e++) {
		opt->wish.want[e] = !n || opt->asked[e];
		if (opt->asked[e])
			only = e;
	}
	if (opt->bare_at && n != 1)
		return vfcap_cli_usage(cli, "--at %s: of which capability? --at pasid=%s",
				       opt->bare_at, opt->bare_at);
	if (opt->bare_at && set_at(cli, only, opt->bare_at, opt))
		return EINVAL;
	for (e = 0; e < VFCAP_EMULS; e++)
		if (opt->wish.explicit_at[e] && !opt->wish.want[e])
			return vfcap_cli_usage(cli, "--at %s=0x%x: is not among --cap",
					       emul_name(e), opt->wish.at[e]);
	return 0;
}
