/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A device that is bound to an iommufd. */
#ifndef VFCAP_IOMMUFD_H
#define VFCAP_IOMMUFD_H

#include "vfio-device.h"

/* Opens the device by its own file, vfio-dev's NAME, and binds it to an iommufd. 1, unsaid: this kernel has not
 * both, or does not let us at them, as v->barred tells. group: "" when it has none. */
int vfcap_iommufd_attach(struct vfcap_guest *v, const char *name, const char *group,
			 const char *token);

/* What the iommufd tells of the IOMMU above the device that is bound to it. */
int vfcap_iommufd_ask(struct vfcap_guest *v, struct vfcap_hw_info *info);

#endif
