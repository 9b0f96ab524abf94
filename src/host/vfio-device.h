/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A device that is open through VFIO, and what both ways to open it share; tests give them system calls of their own. */
#ifndef VFCAP_VFIO_DEVICE_H
#define VFCAP_VFIO_DEVICE_H

#include <errno.h>

#include <sys/types.h>

#include "host.h"

/* Regions of a device begin at 1 << 40 times their number: the one of config space would become BAR 0. */
_Static_assert(sizeof(off_t) == 8, "file offsets of 64 bits: -D_FILE_OFFSET_BITS=64");

/* The system calls that a device is opened and used with. Each returns -errno when it fails. */
struct vfcap_vfio_ops {
	int (*open)(const struct vfcap_root *root, const char *path); /* to read and write */
	void (*close)(int fd);
	int (*ioctl)(int fd, unsigned long request, void *arg); /* arg: or the number itself */
	ssize_t (*pread)(int fd, void *buf, size_t len, off_t at);
	ssize_t (*pwrite)(int fd, const void *buf, size_t len, off_t at);
	void (*wait)(unsigned int ms);
};

struct vfcap_guest {
	const struct vfcap_vfio_ops *ops;
	struct vfcap_function *fn;
	int device, group, iommu; /* iommu: the container or the iommufd; -1: none */
	uint32_t devid; /* by which the iommufd knows it */
	char barred[96]; /* what kept it from being opened by its own file: "dev/iommu" */
	int barred_err; /* and how; 0: nothing did */
	unsigned int waits; /* how often the kernel was busy, while it was opened */
	off_t config; /* of the config region in the device */
	unsigned int size; /* its bytes */
	char way[64]; /* how it was opened, for people */
};

/* Open and ioctl that wait where the kernel is busy: with a reset, or with somebody's last close. */
int vfcap_vfio_open_path(struct vfcap_guest *v, const char *path);
int vfcap_vfio_ioctl(struct vfcap_guest *v, int fd, unsigned long request, void *arg);

/* Was it kept from us by its permissions? */
static inline bool vfcap_vfio_is_denied(int err)
{
	return err == -EACCES || err == -EPERM;
}

/* Who keeps the device busy, in brackets. */
#define VFCAP_BUSY_ROOM 128
const char *vfcap_vfio_busy(struct vfcap_guest *v, char buf[VFCAP_BUSY_ROOM]);

/* Says that a file could not be opened, after the one that kept us from iommufd by its permissions, and what
 * helps. Returns err, or what became of that one when there is no such file. */
int vfcap_vfio_fail_open(struct vfcap_guest *v, const char *path, int err);

/* Says that a function has no IOMMU group, and what helps. Returns -ENXIO. */
int vfcap_vfio_fail_no_iommu(struct vfcap_function *fn);

/* Says that others in the group keep it from being used, if there are any: -EXDEV; or why that cannot be read; else
 * 0. */
int vfcap_vfio_check_group(struct vfcap_guest *v, const char *group);

/* Says what became of handing over a device that wants a token, or none; 0 when err is none of that. */
int vfcap_vfio_check_token(struct vfcap_guest *v, const char *token, int err);

#endif
