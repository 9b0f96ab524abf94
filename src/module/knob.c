// SPDX-License-Identifier: GPL-2.0-or-later
/* The knob in sysfs: what the next open is to show, and what the present one does. */
#include <linux/device.h>
#include <linux/kstrtox.h>

#include "module.h"

#define ABI 1

static const char *const names[VFCAP_EMULS] = {
	[VFCAP_EMUL_PASID] = "pasid",
	[VFCAP_EMUL_PRI] = "pri",
};

static const char *const reasons[] = {
	[VFCAP_HIDDEN_PF_OFF] = "pf-off",
	[VFCAP_HIDDEN_PF_UNREADABLE] = "pf-unreadable",
	[VFCAP_HIDDEN_CONFLICT] = "conflict",
};

static struct vfcap_device *to_vfcap(struct device *device)
{
	struct vfio_pci_core_device *core = dev_get_drvdata(device);

	return container_of(core, struct vfcap_device, core);
}

/* Which of the two an attribute is about. */
static enum vfcap_emul emul_of(struct device_attribute *attr)
{
	return (enum vfcap_emul)(uintptr_t)container_of(attr, struct dev_ext_attribute, attr)->var;
}

static ssize_t emit_offset(char *buf, unsigned int off)
{
	return off ? sysfs_emit(buf, "0x%x\n", off) : sysfs_emit(buf, "0\n");
}

/* Whoever follows the device looks at its knob then. */
void vfcap_tell_change(struct vfcap_device *dev)
{
	kobject_uevent(&dev->core.pdev->dev.kobj, KOBJ_CHANGE);
}

/* A write takes effect at the next open, and all of it or nothing. */
static int turn(struct vfcap_device *dev, const struct vfcap_wanted *wanted)
{
	int ret;

	lockdep_assert_held(&dev->lock);
	if (dev->is_open)
		return -EBUSY;
	ret = vfcap_check(dev, wanted);
	if (ret)
		return ret;
	dev->knob = *wanted;
	memset(dev->hidden, 0, sizeof(dev->hidden));
	return 0;
}

static ssize_t offset_show(struct device *device, struct device_attribute *attr, char *buf)
{
	struct vfcap_device *dev = to_vfcap(device);

	return emit_offset(buf, READ_ONCE(dev->knob.offset[emul_of(attr)]));
}

static ssize_t offset_store(struct device *device, struct device_attribute *attr, const char *buf,
			    size_t count)
{
	struct vfcap_device *dev = to_vfcap(device);
	struct vfcap_wanted wanted;
	unsigned int off;
	int ret;

	if (kstrtouint(buf, 0, &off) || off >= VFCAP_CFG_SIZE)
		return -EINVAL;
	mutex_lock(&dev->lock);
	wanted = dev->knob;
	wanted.offset[emul_of(attr)] = off;
	ret = turn(dev, &wanted);
	mutex_unlock(&dev->lock);
	if (!ret)
		vfcap_tell_change(dev);
	return ret ?: count;
}

static ssize_t width_show(struct device *device, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", READ_ONCE(to_vfcap(device)->knob.width));
}

static ssize_t width_store(struct device *device, struct device_attribute *attr, const char *buf,
			   size_t count)
{
	struct vfcap_device *dev = to_vfcap(device);
	struct vfcap_wanted wanted;
	unsigned int width;
	int ret;

	ret = kstrtouint(buf, 0, &width);
	if (ret || width > U8_MAX)
		return ret ?: -ERANGE;
	mutex_lock(&dev->lock);
	wanted = dev->knob;
	wanted.width = width;
	ret = turn(dev, &wanted);
	mutex_unlock(&dev->lock);
	if (!ret)
		vfcap_tell_change(dev);
	return ret ?: count;
}

static ssize_t shown_show(struct device *device, struct device_attribute *attr, char *buf)
{
	struct vfcap_device *dev = to_vfcap(device);

	return emit_offset(buf, READ_ONCE(dev->shadow.offset[emul_of(attr)]));
}

/* Is anything shown that the PF has switched off meanwhile? */
static bool is_stale(struct vfcap_device *dev)
{
	unsigned int e;

	for (e = 0; e < VFCAP_EMULS; e++) {
		if (dev->shadow.offset[e] && vfcap_pf_is_off(dev, e) == 1)
			return true;
	}
	return false;
}

static const char *plain_state(struct vfcap_device *dev)
{
	if (dev->is_open)
		return is_stale(dev) ? "open: pf-off" : "open";
	return memchr_inv(dev->knob.offset, 0, sizeof(dev->knob.offset)) ? "ready" : "off";
}

static ssize_t state_show(struct device *device, struct device_attribute *attr, char *buf)
{
	struct vfcap_device *dev = to_vfcap(device);
	unsigned int e, len = 0;

	mutex_lock(&dev->lock);
	for (e = 0; e < VFCAP_EMULS; e++) {
		if (dev->hidden[e] != VFCAP_SHOWN)
			len += sysfs_emit_at(buf, len, "%s%s: %s", len ? ", " : "hidden: ", names[e],
					     reasons[dev->hidden[e]]);
	}
	if (!len)
		len = sysfs_emit(buf, "%s", plain_state(dev));
	mutex_unlock(&dev->lock);
	return len + sysfs_emit_at(buf, len, "\n");
}

static ssize_t abi_show(struct device *device, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%d\n", ABI);
}

#define EMUL_ATTR(_which, _name, _mode, _show, _store) \
	static struct dev_ext_attribute attr_##_name = { \
		__ATTR(_name, _mode, _show, _store), (void *)_which \
	}

static DEVICE_ATTR_RO(abi);
static DEVICE_ATTR_RO(state);
static struct device_attribute attr_width = __ATTR(pasid_width, 0644, width_show, width_store);
EMUL_ATTR(VFCAP_EMUL_PASID, pasid_offset, 0644, offset_show, offset_store);
EMUL_ATTR(VFCAP_EMUL_PRI, pri_offset, 0644, offset_show, offset_store);
EMUL_ATTR(VFCAP_EMUL_PASID, pasid_shown, 0444, shown_show, NULL);
EMUL_ATTR(VFCAP_EMUL_PRI, pri_shown, 0444, shown_show, NULL);

static struct attribute *knob_attrs[] = {
	&dev_attr_abi.attr,
	&attr_pasid_offset.attr.attr,
	&attr_pri_offset.attr.attr,
	&attr_width.attr,
	&attr_pasid_shown.attr.attr,
	&attr_pri_shown.attr.attr,
	&dev_attr_state.attr,
	NULL,
};

static const struct attribute_group knob_group = {
	.name = "vfcap",
	.attrs = knob_attrs,
};

const struct attribute_group *vfcap_knob_groups[] = { &knob_group, NULL };
