// SPDX-License-Identifier: GPL-2.0-or-later
/* The knob in sysfs: what the next open is to show, and what the present one does. */
#include <linux/device.h>
#include <linux/kstrtox.h>
#include <linux/pm_runtime.h>

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

/**
 * vfcap_tell_change() - send the uevent "change"
 * @dev: whose knob was written, or which hides something; no lock is held
 */
void vfcap_tell_change(struct vfcap_device *dev)
{
	kobject_uevent(&dev->core.pdev->dev.kobj, KOBJ_CHANGE);
}

/*
 * What an attribute tells, all of one moment. Takes no lock that is held over reads of config
 * space.
 */
static struct vfcap_shown get_shown(struct device *device)
{
	struct vfcap_device *dev = to_vfcap(device);
	struct vfcap_shown shown;

	spin_lock(&dev->shown_lock);
	shown = dev->shown;
	spin_unlock(&dev->shown_lock);
	return shown;
}

/* A write takes effect at the next open, and all of it or nothing. */
static int turn(struct vfcap_device *dev, const struct vfcap_wanted *wanted)
{
	int ret;

	lockdep_assert_held(&dev->lock);
	if (dev->shown.is_open)
		return -EBUSY;
	ret = vfcap_check(dev, wanted);
	if (!ret)
		ret = vfcap_keep_knob(dev->core.pdev, wanted);
	if (ret)
		return ret;
	spin_lock(&dev->shown_lock);
	dev->shown.knob = *wanted;
	memset(dev->shown.hidden, 0, sizeof(dev->shown.hidden));
	spin_unlock(&dev->shown_lock);
	return 0;
}

static ssize_t offset_show(struct device *device, struct device_attribute *attr, char *buf)
{
	return emit_offset(buf, get_shown(device).knob.offset[emul_of(attr)]);
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
	ret = mutex_lock_killable(&dev->lock);
	if (ret)
		return ret;
	wanted = dev->shown.knob;
	wanted.offset[emul_of(attr)] = off;
	ret = turn(dev, &wanted);
	mutex_unlock(&dev->lock);
	if (!ret)
		vfcap_tell_change(dev);
	return ret ?: count;
}

static ssize_t width_show(struct device *device, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", get_shown(device).knob.width);
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
	ret = mutex_lock_killable(&dev->lock);
	if (ret)
		return ret;
	wanted = dev->shown.knob;
	wanted.width = width;
	ret = turn(dev, &wanted);
	mutex_unlock(&dev->lock);
	if (!ret)
		vfcap_tell_change(dev);
	return ret ?: count;
}

static ssize_t shown_show(struct device *device, struct device_attribute *attr, char *buf)
{
	return emit_offset(buf, get_shown(device).shadow.offset[emul_of(attr)]);
}

/*
 * What the PF did meanwhile to what is shown. Anybody may read this as often as they like, so it
 * wakes nothing: of a PF that sleeps, what Linux has noted counts.
 */
static const char *open_state(struct pci_dev *pf, const struct vfcap_shown *shown)
{
	enum vfcap_hidden why = VFCAP_SHOWN, worst = VFCAP_SHOWN;
	unsigned int e;

	pm_runtime_get_noresume(&pf->dev);
	for (e = 0; e < VFCAP_EMULS; e++) {
		if (shown->shadow.offset[e])
			why = vfcap_pf_obstacle(pf, e, pm_runtime_active(&pf->dev));
		worst = max(worst, why);
	}
	pm_runtime_put(&pf->dev);
	return worst == VFCAP_SHOWN	    ? "open" :
	       worst == VFCAP_HIDDEN_PF_OFF ? "open: pf-off" :
					      "open: pf-unreadable";
}

static const char *plain_state(struct device *device, const struct vfcap_shown *shown)
{
	if (shown->is_open)
		return open_state(pci_physfn(to_pci_dev(device)), shown);
	return memchr_inv(shown->knob.offset, 0, sizeof(shown->knob.offset)) ? "ready" : "off";
}

/* What only a VMM wanted concerns nobody any more when it has closed the device. */
static bool tells_hidden(const struct vfcap_shown *shown, unsigned int e)
{
	return shown->hidden[e] != VFCAP_SHOWN && (shown->is_open || shown->knob.offset[e]);
}

static ssize_t state_show(struct device *device, struct device_attribute *attr, char *buf)
{
	struct vfcap_shown shown = get_shown(device);
	unsigned int e, len = 0;

	for (e = 0; e < VFCAP_EMULS; e++) {
		if (tells_hidden(&shown, e))
			len += sysfs_emit_at(buf, len, "%s%s: %s",
					     len ? ", " : "hidden: ", names[e],
					     reasons[shown.hidden[e]]);
	}
	if (!len)
		len = sysfs_emit(buf, "%s", plain_state(device, &shown));
	return len + sysfs_emit_at(buf, len, "\n");
}

static ssize_t abi_show(struct device *device, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%d\n", ABI);
}

#define EMUL_ATTR(_which, _name, _mode, _show, _store)                                        \
	static struct dev_ext_attribute attr_##_name = { __ATTR(_name, _mode, _show, _store), \
							 (void *)_which }

static DEVICE_ATTR_RO(abi);
static DEVICE_ATTR_RO(state);
static struct device_attribute attr_width = __ATTR(pasid_width, 0644, width_show, width_store);
EMUL_ATTR(VFCAP_EMUL_PASID, pasid_offset, 0644, offset_show, offset_store);
EMUL_ATTR(VFCAP_EMUL_PRI, pri_offset, 0644, offset_show, offset_store);
EMUL_ATTR(VFCAP_EMUL_PASID, pasid_shown, 0444, shown_show, NULL);
EMUL_ATTR(VFCAP_EMUL_PRI, pri_shown, 0444, shown_show, NULL);

static struct attribute *knob_attrs[] = {
	&dev_attr_abi.attr,	     &attr_pasid_offset.attr.attr,
	&attr_pri_offset.attr.attr,  &attr_width.attr,
	&attr_pasid_shown.attr.attr, &attr_pri_shown.attr.attr,
	&dev_attr_state.attr,	     NULL,
};

static const struct attribute_group knob_group = {
	.name = "vfcap",
	.attrs = knob_attrs,
};

const struct attribute_group *vfcap_knob_groups[] = { &knob_group, NULL };
