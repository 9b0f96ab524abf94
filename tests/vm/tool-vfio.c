// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * tool-vfio ADDRESS [hold | token UUID]: what a VMM reads of a function's config space through VFIO, on
 * standard output. With "hold" the device stays open until a signal ends it; so with "token", which sets
 * the token that those who open VFs of this PF have to show.
 */
#include <linux/vfio.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "guest.h"

/* "12345678-9abc-..." as 16 bytes, in that order. */
static bool set_token(const struct vfio *v, const char *text)
{
	uint8_t uuid[16];
	unsigned int i, byte;

	for (i = 0; i < sizeof(uuid); i++, text += 2) {
		text += *text == '-';
		if (sscanf(text, "%2x", &byte) != 1)
			return false;
		uuid[i] = (uint8_t)byte;
	}
	return !feature(v, VFIO_DEVICE_FEATURE_SET | VFIO_DEVICE_FEATURE_PCI_VF_TOKEN, uuid,
			sizeof(uuid));
}

int main(int argc, char **argv)
{
	uint8_t view[CFG];
	struct fn fn = { 0 };
	struct vfio v;

	if (argc < 2 || strlen(argv[1]) >= sizeof(fn.addr))
		return 2;
	strcpy(fn.addr, argv[1]);
	if (!vfio_open(&v, &fn))
		return 1;
	if (argc > 3 && !set_token(&v, argv[3])) {
		puts("# the token is not taken");
		return 1;
	}
	if (cfg_read(&v, 0, view, CFG) != CFG || write(STDOUT_FILENO, view, CFG) != CFG)
		return 1;
	if (argc > 2)
		pause();
	vfio_close(&v);
	return 0;
}
