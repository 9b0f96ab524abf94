// SPDX-License-Identifier: GPL-2.0-or-later
/* The sysfs attributes of the driver that emulates. */
#include <stdlib.h>

#include "change.h"
#include "sysfs.h"

static const char *const attr_path[VFCAP_ATTRS] = {
	[VFCAP_ATTR_PASID] = "vfcap/pasid_offset",
	[VFCAP_ATTR_PRI] = "vfcap/pri_offset",
	[VFCAP_ATTR_WIDTH] = "vfcap/pasid_width",
};

const char *vfcap_attr_name(enum vfcap_attr attr)
{
	return attr_path[attr] + sizeof("vfcap/") - 1;
}

/* -1: not there, or no number. */
static int read_number(struct vfcap_function *fn, const char *name)
{
	char path[VFCAP_SYSFS_PATH], text[32], *end;
	unsigned long value;

	if (!fn->host->root || vfcap_root_read(fn->host->root, vfcap_sysfs_path(fn, name, path),
					       text, sizeof(text)) <= 0)
		return -1;
	value = strtoul(text, &end, 0);
	return end == text || *end || value >= VFCAP_CFG_SIZE ? -1 : (int)value;
}

int vfcap_knob_offset(struct vfcap_function *fn, enum vfcap_emul e)
{
	return read_number(fn, attr_path[e]);
}

static uint16_t number_or_0(struct vfcap_function *fn, const char *name)
{
	int value = read_number(fn, name);

	return value < 0 ? 0 : (uint16_t)value;
}

void vfcap_knob_read(struct vfcap_function *vf, struct vfcap_knob *knob)
{
	char path[VFCAP_SYSFS_PATH];

	*knob = (struct vfcap_knob){ .abi = read_number(vf, "vfcap/abi") };
	knob->there = knob->abi >= 0;
	if (!knob->there)
		return;
	for (unsigned int a = 0; a < VFCAP_ATTRS; a++)
		knob->value[a] = number_or_0(vf, attr_path[a]);
	knob->shown[VFCAP_EMUL_PASID] = number_or_0(vf, "vfcap/pasid_shown");
	knob->shown[VFCAP_EMUL_PRI] = number_or_0(vf, "vfcap/pri_shown");
	if (vfcap_root_read(vf->host->root, vfcap_sysfs_path(vf, "vfcap/state", path), knob->state,
			    sizeof(knob->state)) < 0)
		knob->state[0] = '\0';
}
