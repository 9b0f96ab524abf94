// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vfcap-vfio-pci: vfio-pci for SR-IOV virtual functions, showing PASID and PRI capabilities that
 * the hardware keeps in the physical function. All else is vfio-pci-core's.
 *
 * What a guest sees of the two is composed at each open and lives in the device's shadow: accesses
 * to config space are split around it, so that nothing emulated ever reaches the hardware and
 * nothing unmasked is ever read.
 */
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/pm_runtime.h>
#include <linux/uaccess.h>

#include "../uapi/vfcap-vfio.h"
#include "module.h"

static struct vfcap_device *to_vfcap(struct vfio_device *vdev)
{
	return container_of(vdev, struct vfcap_device, core.vdev);
}

/* ---------------------------------------------------------------------------- open and close -- */

/* From here on the knob stands still. */
static int begin_open(struct vfcap_device *dev)
{
	int ret = mutex_lock_killable(&dev->lock);

	if (ret)
		return ret;
	ret = vfcap_check_chain(dev);
	if (!ret) {
		spin_lock(&dev->shown_lock);
		dev->shown.is_open = true;
		spin_unlock(&dev->shown_lock);
	}
	mutex_unlock(&dev->lock);
	return ret;
}

static void end_open(struct vfcap_device *dev)
{
	mutex_lock(&dev->lock);
	spin_lock(&dev->shown_lock);
	dev->shown.is_open = false;
	spin_unlock(&dev->shown_lock);
	mutex_unlock(&dev->lock);
}

/* From here on nothing is shown: what the core closes is stock vfio-pci. */
static void forget_shown(struct vfcap_device *dev)
{
	mutex_lock(&dev->lock);
	spin_lock(&dev->shown_lock);
	memset(&dev->shown.shadow, 0, sizeof(dev->shown.shadow));
	dev->shown.touched = false;
	spin_unlock(&dev->shown_lock);
	mutex_unlock(&dev->lock);
}

static bool hides_any(struct vfcap_device *dev)
{
	bool hides;

	spin_lock(&dev->shown_lock);
	hides = memchr_inv(dev->shown.hidden, 0, sizeof(dev->shown.hidden));
	spin_unlock(&dev->shown_lock);
	return hides;
}

static int open_device(struct vfio_device *vdev)
{
	struct vfcap_device *dev = to_vfcap(vdev);
	int ret;

	ret = begin_open(dev);
	if (ret)
		return ret;
	ret = vfio_pci_core_enable(&dev->core);
	if (!ret) {
		mutex_lock(&dev->lock);
		ret = vfcap_compose_device(dev, &dev->shown.knob);
		mutex_unlock(&dev->lock);
		if (ret)
			vfio_pci_core_disable(&dev->core);
	}
	if (ret) {
		end_open(dev);
		return ret;
	}
	vfio_pci_core_finish_enable(&dev->core);
	if (hides_any(dev))
		vfcap_tell_change(dev);
	return 0;
}

static void close_device(struct vfio_device *vdev)
{
	struct vfcap_device *dev = to_vfcap(vdev);

	forget_shown(dev);
	vfio_pci_core_close_device(vdev);
	end_open(dev);
}

/* --------------------------------------------------------------------------- config accesses -- */

typedef ssize_t (*core_access)(struct vfio_device *vdev, char __user *buf, size_t count,
			       loff_t *ppos);

static ssize_t core_write(struct vfio_device *vdev, char __user *buf, size_t count, loff_t *ppos)
{
	return vfio_pci_core_write(vdev, buf, count, ppos);
}

/* The chain stands still from the first look at it on. */
static void touch(struct vfcap_device *dev)
{
	spin_lock(&dev->shown_lock);
	dev->shown.touched = true;
	spin_unlock(&dev->shown_lock);
}

/* An access inside one range of the shadow. */
static ssize_t access_shadow(struct vfcap_device *dev, unsigned int off, char __user *buf,
			     size_t count, bool is_write)
{
	struct vfcap_shadow *shadow = &dev->shown.shadow;
	u8 bytes[sizeof(shadow->bytes[0])];

	if (WARN_ON_ONCE(count > sizeof(bytes)))
		return -EFAULT;
	if (is_write && copy_from_user(bytes, buf, count))
		return -EFAULT;

	spin_lock(&dev->shown_lock);
	if (is_write)
		vfcap_shadow_write(shadow, off, count, bytes);
	else
		vfcap_shadow_read(shadow, off, count, bytes);
	spin_unlock(&dev->shown_lock);

	if (!is_write && copy_to_user(buf, bytes, count))
		return -EFAULT;
	return count;
}

/* An access to extended config space, in parts: what is the shadow's, and the rest. */
static ssize_t access_parts(struct vfcap_device *dev, char __user *buf, size_t count, loff_t *ppos,
			    core_access rest, bool is_write)
{
	u64 off = *ppos & VFIO_PCI_OFFSET_MASK;
	size_t done, n;
	ssize_t ret;
	loff_t pos;
	bool inside;

	touch(dev);
	for (done = 0; done < count; done += ret) {
		n = vfcap_shadow_span(&dev->shown.shadow, off + done, count - done, &inside);
		pos = *ppos + done;
		ret = inside ? access_shadow(dev, off + done, buf + done, n, is_write) :
			       rest(&dev->core.vdev, buf + done, n, &pos);
		if (ret <= 0)
			return ret;
	}
	*ppos += done;
	return done;
}

static ssize_t access(struct vfio_device *vdev, char __user *buf, size_t count, loff_t *ppos,
		      core_access rest, bool is_write)
{
	struct vfcap_device *dev = to_vfcap(vdev);
	struct device *device = &dev->core.pdev->dev;
	u64 off = *ppos & VFIO_PCI_OFFSET_MASK;
	u32 size = dev->core.pdev->cfg_size;
	ssize_t ret;

	/* What is none of ours, and what is wrong and VFIO refuses. */
	if (VFIO_PCI_OFFSET_TO_INDEX(*ppos) != VFIO_PCI_CONFIG_REGION_INDEX || off >= size ||
	    count > size - off || off + count <= VFCAP_EXT_BASE)
		return rest(vdev, buf, count, ppos);

	/* As the core does for each access: a user that put the device to sleep finds it awake. */
	if (pm_runtime_resume_and_get(device))
		return -EIO;
	ret = access_parts(dev, buf, count, ppos, rest, is_write);
	pm_runtime_put(device);
	return ret;
}

static ssize_t read_region(struct vfio_device *vdev, char __user *buf, size_t count, loff_t *ppos)
{
	return access(vdev, buf, count, ppos, vfio_pci_core_read, false);
}

static ssize_t write_region(struct vfio_device *vdev, const char __user *buf, size_t count,
			    loff_t *ppos)
{
	return access(vdev, (char __user *)buf, count, ppos, core_write, true);
}

/*
 * The core has reset the function: for a VFIO_DEVICE_RESET, a guest's FLR or sysfs, and while it
 * opens and closes the device, when there is nothing to clear.
 */
static void reset_done(struct pci_dev *pdev)
{
	struct vfio_pci_core_device *core = dev_get_drvdata(&pdev->dev);
	struct vfcap_device *dev = container_of(core, struct vfcap_device, core);

	spin_lock(&dev->shown_lock);
	vfcap_shadow_reset(&dev->shown.shadow);
	spin_unlock(&dev->shown_lock);
}

/* -------------------------------------------------------------------------- the VFIO feature -- */

static int get_emulated(struct vfcap_device *dev, struct vfcap_vfio_emulated *out)
{
	static const u8 off[] = { VFCAP_VFIO_PF_PASID_OFF, VFCAP_VFIO_PF_PRI_OFF };
	static const u8 hidden[] = { VFCAP_VFIO_PASID_HIDDEN, VFCAP_VFIO_PRI_HIDDEN };
	struct pci_dev *pf = pci_physfn(dev->core.pdev);
	enum vfcap_hidden obstacle[VFCAP_EMULS];
	struct vfcap_shown shown;
	unsigned int e;

	if (pm_runtime_resume_and_get(&pf->dev) < 0)
		return -EIO;
	for (e = 0; e < VFCAP_EMULS; e++)
		obstacle[e] = vfcap_pf_obstacle(pf, e, true);
	pm_runtime_put(&pf->dev);

	spin_lock(&dev->shown_lock);
	shown = dev->shown;
	spin_unlock(&dev->shown_lock);
	for (e = 0; e < VFCAP_EMULS; e++) {
		if (obstacle[e] == VFCAP_HIDDEN_PF_UNREADABLE)
			return -EIO;
		if (obstacle[e] != VFCAP_SHOWN)
			out->flags |= off[e];
		if (shown.hidden[e] != VFCAP_SHOWN)
			out->flags |= hidden[e];
	}
	out->pasid_offset = shown.shadow.offset[VFCAP_EMUL_PASID];
	out->pri_offset = shown.shadow.offset[VFCAP_EMUL_PRI];
	if (out->pasid_offset)
		out->pasid_width = shown.shadow.bytes[VFCAP_EMUL_PASID][VFCAP_PASID_CAP + 1] & 0x1f;
	return 0;
}

static int set_locked(struct vfcap_device *dev, const struct vfcap_vfio_emulated *in)
{
	const struct vfcap_wanted *knob = &dev->shown.knob;
	struct vfcap_wanted wanted = {
		.offset = { [VFCAP_EMUL_PASID] = in->pasid_offset,
			    [VFCAP_EMUL_PRI] = in->pri_offset },
		.width = in->pasid_width ?: knob->width,
	};
	bool touched;
	int ret;

	spin_lock(&dev->shown_lock);
	touched = dev->shown.touched;
	spin_unlock(&dev->shown_lock);
	if (touched)
		return -EBUSY;
	if (knob->width && wanted.width > knob->width)
		return -ERANGE;
	ret = vfcap_check(dev, &wanted);
	return ret ?: vfcap_compose_device(dev, &wanted);
}

static int set_emulated(struct vfcap_device *dev, const struct vfcap_vfio_emulated *in)
{
	int ret;

	if (in->flags || in->reserved[0] || in->reserved[1])
		return -EINVAL;
	ret = mutex_lock_killable(&dev->lock);
	if (ret)
		return ret;
	ret = set_locked(dev, in);
	mutex_unlock(&dev->lock);
	return ret;
}

static int device_feature(struct vfio_device *vdev, u32 flags, void __user *arg, size_t argsz)
{
	struct vfcap_device *dev = to_vfcap(vdev);
	struct vfcap_vfio_emulated emulated = {};
	int ret;

	if ((flags & VFIO_DEVICE_FEATURE_MASK) != VFCAP_VFIO_FEATURE_EMULATED)
		return vfio_pci_core_ioctl_feature(vdev, flags, arg, argsz);

	ret = vfio_check_feature(flags, argsz, VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_SET,
				 sizeof(emulated));
	if (ret != 1)
		return ret;
	if (flags & VFIO_DEVICE_FEATURE_SET) {
		if (copy_from_user(&emulated, arg, sizeof(emulated)))
			return -EFAULT;
		return set_emulated(dev, &emulated);
	}
	ret = get_emulated(dev, &emulated);
	if (!ret && copy_to_user(arg, &emulated, sizeof(emulated)))
		return -EFAULT;
	return ret;
}

/* -------------------------------------------------------------------------------- the driver -- */

#ifdef VFCAP_HAS_own_params
/*
 * Where these are not the core's for all devices, each driver has them, and a device those of
 * when it was bound.
 */
static bool disable_idle_d3;
module_param(disable_idle_d3, bool, 0644);
MODULE_PARM_DESC(disable_idle_d3, "Do not put devices that nobody uses into D3");
static bool nointxmask;
module_param(nointxmask, bool, 0644);
MODULE_PARM_DESC(nointxmask, "Do not mask INTx the PCI 2.3 way");
#ifdef CONFIG_VFIO_PCI_VGA
static bool disable_vga;
module_param(disable_vga, bool, 0444);
MODULE_PARM_DESC(disable_vga, "Do not give access to VGA resources");
#endif

static void set_params(struct vfio_pci_core_device *core)
{
	core->disable_idle_d3 = disable_idle_d3;
	core->nointxmask = nointxmask;
#ifdef CONFIG_VFIO_PCI_VGA
	core->disable_vga = disable_vga;
#endif
}
#else
static void set_params(struct vfio_pci_core_device *core)
{
}
#endif

static int init_device(struct vfio_device *vdev)
{
	struct vfcap_device *dev = to_vfcap(vdev);

	mutex_init(&dev->lock);
	spin_lock_init(&dev->shown_lock);
	set_params(&dev->core);
	vfcap_load_knob(to_pci_dev(vdev->dev), &dev->shown.knob);
	return vfio_pci_core_init_dev(vdev);
}

static void release_device(struct vfio_device *vdev)
{
	mutex_destroy(&to_vfcap(vdev)->lock);
	vfio_pci_core_release_dev(vdev);
}

static const struct vfio_device_ops vfcap_ops = {
	.name = VFCAP_DRIVER,
	.init = init_device,
	.release = release_device,
	.open_device = open_device,
	.close_device = close_device,
	.ioctl = vfio_pci_core_ioctl,
	.device_feature = device_feature,
	.read = read_region,
	.write = write_region,
	.mmap = vfio_pci_core_mmap,
	.request = vfio_pci_core_request,
	.match = vfio_pci_core_match,
#ifdef VFCAP_HAS_match_token_uuid
	.match_token_uuid = vfio_pci_core_match_token_uuid,
#endif
#ifdef VFCAP_HAS_get_region_info_caps
	.get_region_info_caps = vfio_pci_ioctl_get_region_info,
#endif
#ifdef VFCAP_HAS_bind_iommufd
	.bind_iommufd = vfio_iommufd_physical_bind,
#endif
#ifdef VFCAP_HAS_unbind_iommufd
	.unbind_iommufd = vfio_iommufd_physical_unbind,
#endif
#ifdef VFCAP_HAS_attach_ioas
	.attach_ioas = vfio_iommufd_physical_attach_ioas,
#endif
#ifdef VFCAP_HAS_detach_ioas
	.detach_ioas = vfio_iommufd_physical_detach_ioas,
#endif
#ifdef VFCAP_HAS_pasid_attach_ioas
	.pasid_attach_ioas = vfio_iommufd_physical_pasid_attach_ioas,
#endif
#ifdef VFCAP_HAS_pasid_detach_ioas
	.pasid_detach_ioas = vfio_iommufd_physical_pasid_detach_ioas,
#endif
};

#ifdef VFCAP_HAS_get_dmabuf_phys
static const struct vfio_pci_device_ops vfcap_pci_ops = {
	.get_dmabuf_phys = vfio_pci_core_get_dmabuf_phys,
};
#endif

static bool disable_denylist;
module_param(disable_denylist, bool, 0444);
MODULE_PARM_DESC(disable_denylist,
		 "Bind functions that vfio-pci refuses: a guest can exploit their errata");

static bool is_denylisted(struct pci_dev *pdev)
{
	if (!vfcap_denylisted(pdev->vendor, pdev->device))
		return false;
	pci_warn(pdev, "%04x:%04x is on vfio-pci's denylist: %s\n", pdev->vendor, pdev->device,
		 disable_denylist ? "bound, as disable_denylist is set" :
				    "not bound, as disable_denylist is not set");
	return !disable_denylist;
}

static int probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct vfcap_device *dev;
	int ret;

	if (!pdev->is_virtfn)
		return -ENODEV;
	if (is_denylisted(pdev))
		return -EINVAL;

	dev = vfio_alloc_device(vfcap_device, core.vdev, &pdev->dev, &vfcap_ops);
	if (IS_ERR(dev))
		return PTR_ERR(dev);
	dev_set_drvdata(&pdev->dev, &dev->core);
#ifdef VFCAP_HAS_get_dmabuf_phys
	dev->core.pci_ops = &vfcap_pci_ops;
#endif
	ret = vfio_pci_core_register_device(&dev->core);
	if (ret)
		vfio_put_device(&dev->core.vdev);
	return ret;
}

static void remove(struct pci_dev *pdev)
{
	struct vfio_pci_core_device *core = dev_get_drvdata(&pdev->dev);

	vfio_pci_core_unregister_device(core);
	vfio_put_device(&core->vdev);
}

/* By driver_override only; and exported to no alias, which would claim every device there is. */
static const struct pci_device_id ids[] = {
	{ PCI_DRIVER_OVERRIDE_DEVICE_VFIO(PCI_ANY_ID, PCI_ANY_ID) },
	{},
};

static const struct pci_error_handlers error_handlers = {
	.error_detected = vfio_pci_core_aer_err_detected,
	.reset_done = reset_done,
};

static struct pci_driver vfcap_driver = {
	.name = VFCAP_DRIVER,
	.id_table = ids,
	.probe = probe,
	.remove = remove,
	.groups = vfcap_driver_groups,
	.dev_groups = vfcap_knob_groups,
	.err_handler = &error_handlers,
	.driver_managed_dma = true,
};

static int __init vfcap_init(void)
{
	int ret = vfcap_kept_init();

	if (ret)
		return ret;
	ret = pci_register_driver(&vfcap_driver);
	if (ret)
		vfcap_kept_exit();
	return ret;
}

static void __exit vfcap_exit(void)
{
	pci_unregister_driver(&vfcap_driver);
	vfcap_kept_exit();
}

module_init(vfcap_init);
module_exit(vfcap_exit);

MODULE_DESCRIPTION("vfio-pci for VFs, showing PASID and PRI");
MODULE_AUTHOR("The vfcap developers");
MODULE_LICENSE("GPL");
