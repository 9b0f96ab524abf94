// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The knobs of VFs that are not bound now. Management software binds and unbinds at will; what was
 * last written to the knob of a VF is kept until that VF goes, 0 is written, or the module is
 * unloaded.
 */
#include <linux/device.h>
#include <linux/pci.h>
#include <linux/xarray.h>

#include "module.h"

/* By domain, bus and devfn: offsets and width in one value. */
static DEFINE_XARRAY(kept);

#define WIDTH_SHIFT 24 /* above two offsets of 12 bits */

static unsigned long key_of(int domain, unsigned int bus, unsigned int devfn)
{
	return (unsigned long)domain << 16 | PCI_DEVID(bus, devfn);
}

static unsigned long key_of_vf(struct pci_dev *vf)
{
	return key_of(pci_domain_nr(vf->bus), vf->bus->number, vf->devfn);
}

/**
 * vfcap_keep_knob() - remember a VF's knob for its next binding
 * @vf: the VF
 * @knob: what was written; all zero: nothing is kept
 *
 * Return: 0 or -ENOMEM, and then what was kept before still is.
 */
int vfcap_keep_knob(struct pci_dev *vf, const struct vfcap_wanted *knob)
{
	unsigned long val = knob->offset[VFCAP_EMUL_PASID] | knob->offset[VFCAP_EMUL_PRI] << 12 |
			    (unsigned long)knob->width << WIDTH_SHIFT;

	if (val)
		return xa_err(xa_store(&kept, key_of_vf(vf), xa_mk_value(val), GFP_KERNEL_ACCOUNT));
	xa_erase(&kept, key_of_vf(vf));
	return 0;
}

/**
 * vfcap_load_knob() - what was last written to a VF's knob
 * @vf: the VF
 * @knob: set to it; all zero when nothing is kept
 */
void vfcap_load_knob(struct pci_dev *vf, struct vfcap_wanted *knob)
{
	void *entry = xa_load(&kept, key_of_vf(vf));
	unsigned long val = entry ? xa_to_value(entry) : 0;

	knob->offset[VFCAP_EMUL_PASID] = val & 0xfff;
	knob->offset[VFCAP_EMUL_PRI] = val >> 12 & 0xfff;
	knob->width = val >> WIDTH_SHIFT;
}

/* A VF that comes at the same address is another one. */
static int forget_removed(struct notifier_block *nb, unsigned long action, void *data)
{
	struct pci_dev *pdev = to_pci_dev(data);

	if (action == BUS_NOTIFY_REMOVED_DEVICE && pdev->is_virtfn)
		xa_erase(&kept, key_of_vf(pdev));
	return NOTIFY_DONE;
}

static struct notifier_block removed_notifier = { .notifier_call = forget_removed };

/**
 * vfcap_kept_init() - begin to follow which VFs are removed
 *
 * Return: 0 or what bus_register_notifier() returns.
 */
int __init vfcap_kept_init(void)
{
	return bus_register_notifier(&pci_bus_type, &removed_notifier);
}

/**
 * vfcap_kept_exit() - forget all knobs
 */
void vfcap_kept_exit(void)
{
	bus_unregister_notifier(&pci_bus_type, &removed_notifier);
	xa_destroy(&kept);
}

/* Drops what is kept of a VF that is not bound to the driver: one that is has a knob for that. */
static ssize_t forget_store(struct device_driver *driver, const char *buf, size_t count)
{
	unsigned int domain, bus, slot, function, devfn;
	struct pci_dev *pdev;
	char rest;
	int ret = 0;

	/* Without a width, sscanf() takes the last 32 bits of any number. */
	if (sscanf(buf, "%8x:%2x:%2x.%1x %c", &domain, &bus, &slot, &function, &rest) != 4 ||
	    domain > INT_MAX || slot > 0x1f || function > 7)
		return -EINVAL;
	devfn = PCI_DEVFN(slot, function);
	pdev = pci_get_domain_bus_and_slot(domain, bus, devfn);
	if (pdev) {
		/* Held by whoever binds or unbinds it right now. */
		if (!device_trylock(&pdev->dev)) {
			pci_dev_put(pdev);
			return -EBUSY;
		}
		if (pdev->dev.driver == driver)
			ret = -EBUSY;
	}
	if (!ret)
		xa_erase(&kept, key_of(domain, bus, devfn));
	if (pdev) {
		device_unlock(&pdev->dev);
		pci_dev_put(pdev);
	}
	return ret ?: count;
}

static DRIVER_ATTR_WO(forget);

static struct attribute *driver_attrs[] = {
	&driver_attr_forget.attr,
	NULL,
};

static const struct attribute_group driver_group = {
	.attrs = driver_attrs,
};

const struct attribute_group *vfcap_driver_groups[] = { &driver_group, NULL };
