/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the driver vfcap-vfio-pci adds to the VFIO ABI: one feature of VFIO_DEVICE_FEATURE, for VMMs that
 * hold a device but see no sysfs. Ask with VFIO_DEVICE_FEATURE_PROBE first: every other driver answers
 * ENOTTY.
 */
#ifndef VFCAP_VFIO_H
#define VFCAP_VFIO_H

#include <linux/types.h>

/*
 * GET: what this open device shows of PASID and PRI. An offset of 0: not shown.
 *
 * SET: places, moves or removes them until the last close. pasid_width: 0 is the width that the knob
 * allows (by default the PF's), and no more than that is taken. flags and reserved must be 0. Errors:
 *	EBUSY		config space was accessed at or above 0x100 since the device was opened: a VMM
 *			copies the chain once
 *	EINVAL		flags or reserved are not 0; an offset is misaligned, outside, or taken
 *	ERANGE		pasid_width
 *	EOPNOTSUPP	the PF lacks the capability
 *	EIO		config space cannot be read
 * One that the PF has switched off is no error: it stays hidden, and GET says so.
 */
#define VFCAP_VFIO_FEATURE_EMULATED 0xfca0

struct vfcap_vfio_emulated {
	__u16 pasid_offset;
	__u16 pri_offset;
	__u8 pasid_width;
	__u8 flags;
#define VFCAP_VFIO_PF_PASID_OFF (1 << 0) /* the PF has PASID switched off now, or lacks it */
#define VFCAP_VFIO_PF_PRI_OFF (1 << 1)
#define VFCAP_VFIO_PASID_HIDDEN (1 << 2) /* was asked for, and could not be shown */
#define VFCAP_VFIO_PRI_HIDDEN (1 << 3)
	__u8 reserved[2];
};

#endif
