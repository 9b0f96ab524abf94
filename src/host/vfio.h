/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Opening a function through VFIO with system calls that are given, for tests. */
#ifndef VFCAP_HOST_VFIO_H
#define VFCAP_HOST_VFIO_H

#include "vfio-device.h"

/* The same as vfcap_vfio_attach(), with these system calls, and without a look for a kernel. */
int vfcap_vfio_attach_with(struct vfcap_function *fn, const char *token,
			   const struct vfcap_vfio_ops *ops, struct vfcap_guest **guest);

/* The same as vfcap_iommufd_info(), likewise. */
int vfcap_iommufd_info_with(struct vfcap_function *fn, const char *token,
			    const struct vfcap_vfio_ops *ops, struct vfcap_hw_info *info);

#endif
