/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the module share. */
#ifndef VFCAP_MODULE_H
#define VFCAP_MODULE_H

#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/sysfs.h>
#include <linux/vfio_pci_core.h>

#include "../core/core.h"

/* What is to be shown: by the knob, or by a VMM that sets it. */
struct vfcap_wanted {
	u16 offset[VFCAP_EMULS]; /* 0: not emulated */
	u8 width; /* PASID bits, 0: the PF's */
};

enum vfcap_hidden {
	VFCAP_SHOWN, /* or not wanted */
	VFCAP_HIDDEN_PF_OFF,
	VFCAP_HIDDEN_PF_UNREADABLE,
	VFCAP_HIDDEN_CONFLICT,
};

struct vfcap_device {
	struct vfio_pci_core_device core;

	struct mutex lock; /* of what follows; held over reads of config space */
	struct vfcap_wanted knob;
	bool is_open;
	enum vfcap_hidden hidden[VFCAP_EMULS]; /* why, from the open that hid it on */

	/*
	 * Of what follows; taken under memory_lock by a reset, so nothing that sleeps is done under it. The
	 * offsets in shadow change under both locks, and no more once the chain was touched.
	 */
	spinlock_t shown_lock;
	struct vfcap_shadow shadow;
	u16 after[VFCAP_EMULS]; /* the capability that VFIO shows before it, 0: none */
	bool touched; /* config space was accessed at or above 0x100 since the open */
};

/* Would that be accepted? All that VFIO says about it is in the errno. With the lock held. */
int vfcap_check(struct vfcap_device *dev, const struct vfcap_wanted *wanted);

/*
 * Composes what an open device shows; what cannot be shown is hidden, and that is no error. With the lock
 * held. EBUSY when the chain was touched.
 */
int vfcap_compose_device(struct vfcap_device *dev, const struct vfcap_wanted *wanted);

/* Makes what was composed part of the chain, at the first access to it. With shown_lock held. */
void vfcap_link_device(struct vfcap_device *dev);

/* 1: the PF has the capability off now, or lacks it. 0: it is on. */
int vfcap_pf_is_off(struct vfcap_device *dev, enum vfcap_emul e);

/* Sends the uevent "change": the knob was turned, or something is hidden. Without locks held. */
void vfcap_tell_change(struct vfcap_device *dev);

extern const struct attribute_group *vfcap_knob_groups[];

#endif
