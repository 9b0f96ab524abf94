/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VFCAP_TESTBUS_H
#define VFCAP_TESTBUS_H

#include <linux/device.h>

/* Is the device on one of the buses of this module? */
bool testbus_owns(struct device *dev);

/* An IOMMU that gives each of them a group of its own. */
int testbus_iommu_add(struct device *parent);
void testbus_iommu_remove(void);

#endif
