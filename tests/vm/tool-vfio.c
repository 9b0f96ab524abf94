// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * tool-vfio ADDRESS [hold]: what a VMM reads of a function's config space through VFIO, on standard
 * output. With "hold" the device stays open until a signal ends it.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "guest.h"

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
	if (cfg_read(&v, 0, view, CFG) != CFG || write(STDOUT_FILENO, view, CFG) != CFG)
		return 1;
	if (argc > 2)
		pause();
	vfio_close(&v);
	return 0;
}
