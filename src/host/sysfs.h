/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What topology.c and config.c share, and nobody else sees. */
#ifndef VFCAP_SYSFS_H
#define VFCAP_SYSFS_H

#include "host.h"

#define VFCAP_SYSFS_DEVICES "sys/bus/pci/devices"

struct vfcap_topology {
	bool kernel; /* sys is a kernel's: every byte read is an access to the device */
	int config_fd; /* the config file of config_fn, left open for its next read; -1 */
	const struct vfcap_function *config_fn;
	bool bus_known; /* functions come by bus, so one bus is remembered */
	bool bus_asleep;
	uint32_t bus_domain;
	uint8_t bus;
};

/* How the path of a function's own directory or of what is in it begins; returns buf. */
#define VFCAP_SYSFS_PATH 96
char *vfcap_sysfs_path(const struct vfcap_function *fn, const char *name,
		       char buf[VFCAP_SYSFS_PATH]);

/* config.c: decides whether the function may be read, reads what tells its IDs and its size, and
 * makes the rest available by fn->fetch. dir: its directory, devices: the one of all functions; either may be
 * one that is not open. */
void vfcap_config_attach(struct vfcap_function *fn, const struct vfcap_dir *devices,
			 const struct vfcap_dir *dir);

/* config.c: what a failed read of a kernel's config space means: -ENODEV, said, of a function that was seen to be gone;
 * -EIO in its place of one that is still there; else err. Kept in fn->config_err, as 0 is. */
int vfcap_config_outcome(struct vfcap_function *fn, int err);

/* config.c: fetches bytes of a kernel's config space by read, after what failed once, as when memory was short, was tried
 * again. As struct vfcap_image.fetch. */
int vfcap_config_fetch(struct vfcap_function *fn, unsigned int off, unsigned int len, uint8_t *buf,
		       int (*read)(struct vfcap_function *fn, unsigned int off, unsigned int len,
				   uint8_t *buf));

/* config.c: how much config space a function has, and this reader may see; 0 or -errno. */
int vfcap_config_look(struct vfcap_function *fn);

#endif
