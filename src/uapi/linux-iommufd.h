/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is used of the kernel's <linux/iommufd.h>, which Debian 12 has not, under names of our own: what an IOMMU
 * can do for a device that is bound (since Linux 6.6; its capabilities since 6.7, the width of PASIDs since
 * 6.15). Layouts are the kernel's.
 */
#ifndef VFCAP_LINUX_IOMMUFD_H
#define VFCAP_LINUX_IOMMUFD_H

#include <linux/vfio.h>

#define VFCAP_LINUX_GET_HW_INFO _IO(VFIO_TYPE, 0x8a) /* the same letter as VFIO's */

struct vfcap_linux_hw_info {
	__u32 size; /* of this; an older kernel leaves what is behind its own as it is */
	__u32 flags;
	__u32 dev_id; /* as binding told it */
	__u32 data_len; /* 0: nothing is wanted of what is peculiar to the type */
	__u64 data_uptr __attribute__((aligned(8)));
	__u32 out_data_type;
	__u8 out_max_pasid_log2;
	__u8 reserved[3];
	__u64 out_capabilities __attribute__((aligned(8)));
};

#endif
