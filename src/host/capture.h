/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A host in one file: written, and read in place of the host. */
#ifndef VFCAP_CAPTURE_H
#define VFCAP_CAPTURE_H

#include "host.h"

/* The first file in it, and how that begins. */
#define VFCAP_CAPTURE_MARK "vfcap-capture"
#define VFCAP_CAPTURE_HEAD "vfcap-capture 1\n"
/* What the kernel keeps for VFs, a line for each: see vfcap_vfinfo_print() */
#define VFCAP_CAPTURE_VFINFO "vfcap-vfinfo"

/* What went into it, and what did not: see struct vfcap_captured in libvfcap.h. */
struct vfcap_capture_counts {
	size_t functions, files, serials, macs, without, short_config;
	uint64_t bytes;
};

/* capture.c: writes the host to fd, packed by gzip or plainly. Errors are said, of name or of what was read. */
int vfcap_capture_write(struct vfcap_host *h, int fd, const char *name, bool packed, bool serials,
			struct vfcap_capture_counts *counts);

/* capture-open.c: takes a capture, plain or packed, as the host's root. Errors are said. */
int vfcap_capture_open(struct vfcap_host *h, const char *file);
/* Does it look like one? */
bool vfcap_is_capture(const char *file);

#endif
