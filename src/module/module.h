/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the module share. */
#ifndef VFCAP_MODULE_H
#define VFCAP_MODULE_H

#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/sysfs.h>
#include <linux/vfio_pci_core.h>

#include "../core/core.h"

#define VFCAP_DRIVER "vfcap-vfio-pci"

/**
 * struct vfcap_wanted - what is to be shown: by the knob, or by a VMM that sets it
 * @offset: in config space, by capability; 0: not emulated
 * @width: PASID bits; 0: the PF's
 */
struct vfcap_wanted {
	u16 offset[VFCAP_EMULS];
	u8 width;
};

/** enum vfcap_hidden - why a capability that is wanted cannot be shown */
enum vfcap_hidden {
	VFCAP_SHOWN, /* it can, or is not wanted */
	VFCAP_HIDDEN_PF_OFF,
	VFCAP_HIDDEN_PF_UNREADABLE,
	VFCAP_HIDDEN_CONFLICT,
};

/**
 * struct vfcap_shown - what a device shows, or is going to show at its next open
 * @knob: what is wanted by it
 * @hidden: what the last open could not show, from then to the next open or write to the knob
 * @shadow: what the open device shows; all zero when it is closed
 * @is_open: a user has it open, or is opening it: the knob stands still
 * @touched: config space was accessed at or above 0x100 since the open: the chain stands still
 */
struct vfcap_shown {
	struct vfcap_wanted knob;
	enum vfcap_hidden hidden[VFCAP_EMULS];
	struct vfcap_shadow shadow;
	bool is_open;
	bool touched;
};

/**
 * struct vfcap_device - a VF that is bound to the driver
 * @core: vfio-pci-core's part
 * @lock: taken by whatever decides from config space, and held while that is read
 * @shown_lock: protects @shown. A reset takes it under memory_lock, so nothing that sleeps is done
 *	under it.
 * @shown: its knob, hidden, is_open and the offsets in its shadow are written with both locks held,
 *	and read with either; the offsets in its shadow do not change any more once it is touched,
 *	and are then read with none
 */
struct vfcap_device {
	struct vfio_pci_core_device core;
	struct mutex lock; /* see above */
	spinlock_t shown_lock; /* see above */
	struct vfcap_shown shown;
};

int vfcap_check_chain(struct vfcap_device *dev);
int vfcap_check(struct vfcap_device *dev, const struct vfcap_wanted *wanted);
int vfcap_compose_device(struct vfcap_device *dev, const struct vfcap_wanted *wanted);
enum vfcap_hidden vfcap_pf_obstacle(struct pci_dev *pf, enum vfcap_emul e, bool awake);

void vfcap_tell_change(struct vfcap_device *dev);
extern const struct attribute_group *vfcap_knob_groups[];

int vfcap_keep_knob(struct pci_dev *vf, const struct vfcap_wanted *knob);
void vfcap_load_knob(struct pci_dev *vf, struct vfcap_wanted *knob);
int vfcap_kept_init(void);
void vfcap_kept_exit(void);
extern const struct attribute_group *vfcap_driver_groups[];

#endif
