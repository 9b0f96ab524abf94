/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the preloaded library asks of the harness: a packet with one of these, a text, and a descriptor. */
#ifndef VFCAP_FAULTS_ASK_H
#define VFCAP_FAULTS_ASK_H

#include <stdbool.h>

enum {
	ASK_WRITE = 'w', /* text was written to that file: err */
	ASK_STATFS = 'f', /* in which file system it is: fs */
	ASK_STATX =
		'x', /* what the file of that name in that directory is: is_device, major, minor */
};

#define NOT_THE_KERNELS \
	(-1) /* asked first, the harness leaves it to the process to write that file */

struct reply {
	int err; /* 0, an errno, or that */
	long fs;
	bool is_device;
	unsigned int major, minor;
};

#endif
