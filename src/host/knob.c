// SPDX-License-Identifier: GPL-2.0-or-later
/* The sysfs attributes of the driver that emulates. */
#include <stdlib.h>

#include "sysfs.h"

int vfcap_knob_offset(struct vfcap_function *fn, enum vfcap_emul e)
{
	static const char *const name[VFCAP_EMULS] = {
		[VFCAP_EMUL_PASID] = "vfcap/pasid_offset",
		[VFCAP_EMUL_PRI] = "vfcap/pri_offset",
	};
	char path[VFCAP_SYSFS_PATH], text[32], *end;
	unsigned long offset;

	if (!fn->host->root || vfcap_root_read(fn->host->root, vfcap_sysfs_path(fn, name[e], path),
					       text, sizeof(text)) <= 0)
		return -1;
	offset = strtoul(text, &end, 0);
	return end == text || *end || offset >= VFCAP_CFG_SIZE ? -1 : (int)offset;
}
