/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VFCAP_TESTBUS_H
#define VFCAP_TESTBUS_H

#include <linux/atomic.h>
#include <linux/device.h>

/* Is the device on one of the buses of this module? */
bool testbus_owns(struct device *dev);

/* Notes in a PF what its registers have on, as its driver would have done that switched it on. */
void testbus_note(struct device *dev);

/* An IOMMU that gives each of them a group of its own, and its type as iommufd tells it. */
#define TESTBUS_HW_TYPE 0xfcab
int testbus_iommu_add(struct device *parent);
void testbus_iommu_remove(void);

/* A network interface of a PF with up to n VFs, named tb0 and on; or an ERR_PTR. */
struct net_device *testbus_net_add(struct device *pf, unsigned int n);
void testbus_net_remove(struct net_device *dev);

/* How many PASIDs of all devices are attached to something there; none where the kernel lets nobody. */
extern atomic_t testbus_pasids;

#endif
