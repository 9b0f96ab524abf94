/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel's VFIO ABI has that <linux/vfio.h> of Debian 12 and 13 has not, under names of our own:
 * a device is opened by its own file and bound to an iommufd, /dev/iommu (since Linux 6.6), with the
 * token of a VF whose PF is on vfio-pci (since 6.17); page tables are attached to PASIDs and detached (since
 * 6.15). Layouts are the kernel's.
 */
#ifndef VFCAP_LINUX_VFIO_H
#define VFCAP_LINUX_VFIO_H

#include <linux/vfio.h>

#define VFCAP_LINUX_BIND_IOMMUFD _IO(VFIO_TYPE, VFIO_BASE + 18)
#define VFCAP_LINUX_BIND_TOKEN (1 << 0) /* flags: token_uuid_ptr is given */

struct vfcap_linux_bind_iommufd {
	__u32 argsz; /* 16 where there is no token: a kernel that knows none takes no more */
	__u32 flags;
	__s32 iommufd;
	__u32 out_devid;
	__u64 token_uuid_ptr __attribute__((aligned(8))); /* 16 bytes, as the UUID is written */
};

#define VFCAP_LINUX_DETACH _IO(VFIO_TYPE, VFIO_BASE + 20)
#define VFCAP_LINUX_DETACH_PASID (1 << 0) /* flags: of that PASID */

struct vfcap_linux_detach {
	__u32 argsz;
	__u32 flags;
	__u32 pasid;
};

#endif
