// SPDX-License-Identifier: GPL-2.0-or-later
/* From offsets to what a guest sees: reads what there is, and lets the core plan and compose. */
#include <linux/iommu.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/pci.h>
#include <linux/pm_runtime.h>
#include <linux/slab.h>
#include <linux/version.h>

#include "../core/internal.h"
#include "module.h"

#if !IS_ENABLED(CONFIG_PCI_PASID) || !IS_ENABLED(CONFIG_PCI_PRI)
#error "without CONFIG_PCI_PASID and CONFIG_PCI_PRI no PF ever has them on"
#endif

#define THIS_RELEASE VFCAP_RELEASE(LINUX_VERSION_MAJOR, LINUX_VERSION_PATCHLEVEL)

/*
 * What vfio-pci has in its map for the bytes of no capability, and for those of the legacy header;
 * private to it. The others have the low byte of an ID.
 */
#define MAP_RAW 0xff
#define MAP_BASIC 0x00

#define CLASS_REV 0x08 /* all ones is nobody's class: the function does not answer */

/* Some 80 KiB: one is made for each planning. */
struct workspace {
	struct vfcap_image vf, pf, shown;
	struct vfcap_chain vf_chain, pf_chain, shown_chain;
	struct vfcap_plan plan;
};

/* For whoever opens the device, or turns its knob. */
static struct workspace *new_workspace(void)
{
	return kvzalloc(sizeof(struct workspace), GFP_KERNEL_ACCOUNT);
}

static int fetch_config(void *ctx, unsigned int off, unsigned int len, uint8_t *buf)
{
	struct pci_dev *pdev = ctx;
	unsigned int i;
	u32 val;

	for (i = 0; i < len; i += 4) {
		if (pci_user_read_config_dword(pdev, off + i, &val))
			return -EIO;
		vfcap_put_le32(buf + i, val);
	}
	return len;
}

/*
 * Does VFIO serve a byte of its own copy, and not the hardware's? It takes all bytes in a row with
 * the same mark for one capability (vfio_find_cap_start()), and what is not among its first four
 * for registers. What the copy has elsewhere may never have been written.
 */
static bool serves_copy(const u8 *map, unsigned int off)
{
	unsigned int start = off;

	if (map[off] == MAP_RAW || map[off] == MAP_BASIC)
		return false;
	while (start > VFCAP_EXT_BASE && off - start < 4 && map[start - 1] == map[off])
		start--;
	return off - start < 4;
}

/* What a guest reads. A header may be of both: a capability can declare less than four bytes. */
static int fetch_shown(void *ctx, unsigned int off, unsigned int len, uint8_t *buf)
{
	struct vfio_pci_core_device *core = ctx;
	unsigned int i;

	if (fetch_config(core->pdev, off, len, buf) < 0)
		return -EIO;
	for (i = 0; i < len; i++) {
		if (serves_copy(core->pci_config_map, off + i))
			buf[i] = core->vconfig[off + i];
	}
	return len;
}

static int power_up(struct pci_dev *vf)
{
	struct pci_dev *pf = pci_physfn(vf);

	if (pm_runtime_resume_and_get(&pf->dev) < 0)
		return -EIO;
	if (pm_runtime_resume_and_get(&vf->dev) < 0) {
		pm_runtime_put(&pf->dev);
		return -EIO;
	}
	return 0;
}

static void power_down(struct pci_dev *vf)
{
	pm_runtime_put(&vf->dev);
	pm_runtime_put(&pci_physfn(vf)->dev);
}

/* Bits of the PASIDs that the IOMMU of a device has, by how many they are; 0: not known. */
static unsigned int iommu_width(struct device *dev)
{
	u32 count = dev->iommu && dev->iommu->iommu_dev ? dev->iommu->iommu_dev->max_pasids : 0;

	return count ? ilog2(count) : 0;
}

/* Walks both chains. EIO: config space cannot be read. */
static int look(struct workspace *ws, struct pci_dev *vf)
{
	struct pci_dev *pf = pci_physfn(vf);
	u32 vf_class, pf_class;

	vfcap_image_init(&ws->vf, vf->cfg_size, fetch_config, vf);
	vfcap_image_init(&ws->pf, pf->cfg_size, fetch_config, pf);
	vfcap_image_read(&ws->vf, CLASS_REV, 4, &vf_class);
	vfcap_image_read(&ws->pf, CLASS_REV, 4, &pf_class);
	if (vf_class == U32_MAX || pf_class == U32_MAX)
		return -EIO;

	vfcap_chain_walk(&ws->vf_chain, &ws->vf);
	vfcap_chain_walk(&ws->pf_chain, &ws->pf);
	return ws->vf.error || ws->pf.error ? -EIO : 0;
}

/*
 * Plans with offsets given. Force: which bytes of no capability are in use is for userspace to
 * judge. But a broken chain is never forced: what a guest would see of it is anybody's guess.
 */
static void plan(struct workspace *ws, struct pci_dev *vf, const struct vfcap_wanted *wanted,
		 const bool *want, const struct vfcap_chain *visible)
{
	struct vfcap_plan_input in = {
		.vf = &ws->vf,
		.pf = &ws->pf,
		.vf_chain = &ws->vf_chain,
		.pf_chain = &ws->pf_chain,
		.visible = visible,
		.is_vf = true,
		.iommu_width = iommu_width(&vf->dev),
		.release = THIS_RELEASE,
	};
	struct vfcap_wish wish = { .width = wanted->width, .force = !ws->vf_chain.broken };
	unsigned int e;

	for (e = 0; e < VFCAP_EMULS; e++) {
		wish.want[e] = want[e];
		wish.explicit_at[e] = true;
		wish.at[e] = wanted->offset[e];
	}
	vfcap_plan_make(&ws->plan, &in, &wish);
}

/* Where a PF has a capability, as Linux found it; 0: nowhere. */
static unsigned int pf_cap(const struct pci_dev *pf, enum vfcap_emul e)
{
	return e == VFCAP_EMUL_PASID ? pf->pasid_cap : pf->pri_cap;
}

/**
 * vfcap_pf_obstacle() - does a PF keep a capability from being shown?
 * @pf: the PF
 * @e: the capability
 * @awake: the PF answers reads of config space now; else only what Linux has noted counts
 *
 * It is on when both Linux and the register say so. pci_enable_pasid() and pci_enable_pri() of a VF
 * go by what Linux has noted of its PF, whatever the register says; and a register that somebody
 * cleared has it off.
 *
 * Return: VFCAP_SHOWN when it is on, VFCAP_HIDDEN_PF_OFF when it is off or not there,
 * VFCAP_HIDDEN_PF_UNREADABLE when the PF does not answer.
 */
enum vfcap_hidden vfcap_pf_obstacle(struct pci_dev *pf, enum vfcap_emul e, bool awake)
{
	/* Whoever switches it right now is as good as before or after. */
	bool is_on = data_race(e == VFCAP_EMUL_PASID ? pf->pasid_enabled : pf->pri_enabled);
	unsigned int pos = pf_cap(pf, e);
	u16 vendor = 0, ctrl = 0;

	if (awake && (pci_user_read_config_word(pf, PCI_VENDOR_ID, &vendor) ||
		      (pos && pci_user_read_config_word(pf, pos + vfcap_emuldef(e)->ctrl, &ctrl)) ||
		      vendor == U16_MAX || ctrl == U16_MAX))
		return VFCAP_HIDDEN_PF_UNREADABLE;
	if (awake)
		is_on = is_on && ctrl & 1;
	return is_on ? VFCAP_SHOWN : VFCAP_HIDDEN_PF_OFF;
}

/* ------------------------------------------------------------------------ would it be right? -- */

static int check_width(struct workspace *ws, unsigned int width)
{
	const struct vfcap_cap *cap = vfcap_chain_find(&ws->pf_chain, VFCAP_ID_PASID);
	u32 val;

	if (!width)
		return 0;
	if (!cap)
		return -EOPNOTSUPP;
	if (!vfcap_image_read(&ws->pf, cap->offset + VFCAP_PASID_CAP, 2, &val))
		return -EIO;
	return width > (val & VFCAP_PASID_CAP_WIDTH) >> 8 ? -ERANGE : 0;
}

static int code_to_errno(enum vfcap_code code)
{
	switch (code) {
	case VFCAP_OK:
		return 0;
	case VFCAP_PF_LACKS:
		return -EOPNOTSUPP;
	case VFCAP_WIDTH:
		return -ERANGE;
	case VFCAP_PF_UNKNOWN:
	case VFCAP_CODE_UNREADABLE:
		return -EIO;
	default:
		return -EINVAL;
	}
}

static int check(struct workspace *ws, struct pci_dev *vf, const struct vfcap_wanted *wanted)
{
	bool want[VFCAP_EMULS];
	unsigned int e;
	int ret;

	ret = look(ws, vf);
	if (!ret)
		ret = check_width(ws, wanted->width);
	if (ret)
		return ret;

	for (e = 0; e < VFCAP_EMULS; e++)
		want[e] = wanted->offset[e];
	plan(ws, vf, wanted, want, NULL);
	for (e = 0; e < VFCAP_EMULS && !ret; e++)
		ret = code_to_errno(ws->plan.refused[e]);
	return ret;
}

/**
 * vfcap_check() - would what is wanted be accepted?
 * @dev: the device, with its lock held
 * @wanted: all of what would be wanted then
 *
 * That the PF has a capability off is no error: it is hidden at the open.
 *
 * Return: 0; -EINVAL when a place is not good; -EOPNOTSUPP when the PF lacks a capability; -ERANGE
 * when its PASIDs are narrower; -EIO when config space cannot be read; -ENOMEM.
 */
int vfcap_check(struct vfcap_device *dev, const struct vfcap_wanted *wanted)
{
	struct pci_dev *vf = dev->core.pdev;
	struct workspace *ws;
	int ret;

	lockdep_assert_held(&dev->lock);
	if (!memchr_inv(wanted->offset, 0, sizeof(wanted->offset)) && !wanted->width)
		return 0;

	ws = new_workspace();
	if (!ws)
		return -ENOMEM;
	ret = power_up(vf);
	if (!ret) {
		ret = check(ws, vf, wanted);
		power_down(vf);
	}
	kvfree(ws);
	return ret;
}

/**
 * vfcap_check_chain() - may vfio-pci-core enable the device?
 * @dev: the device, with its lock held
 *
 * It fills its copy of config space without a look at where that ends. A chain that cannot be read
 * is its own to deal with.
 *
 * Return: 0; -EINVAL when the VF's chain leaves config space; -ENOMEM.
 */
int vfcap_check_chain(struct vfcap_device *dev)
{
	struct pci_dev *vf = dev->core.pdev;
	struct workspace *ws;
	int ret = 0;

	lockdep_assert_held(&dev->lock);
	ws = new_workspace();
	if (!ws)
		return -ENOMEM;
	if (!power_up(vf)) {
		vfcap_image_init(&ws->vf, vf->cfg_size, fetch_config, vf);
		vfcap_chain_walk(&ws->vf_chain, &ws->vf);
		if (!ws->vf.error && vfcap_chain_overruns(&ws->vf_chain, THIS_RELEASE))
			ret = -EINVAL;
		power_down(vf);
	}
	kvfree(ws);
	if (ret)
		dev_warn_ratelimited(&vf->dev,
				     "not opened: its chain of capabilities leaves config space\n");
	return ret;
}

/* ----------------------------------------------------------------------------- what is shown -- */

/* What an open device is going to show. */
struct composed {
	struct vfcap_shadow shadow;
	enum vfcap_hidden hidden[VFCAP_EMULS];
};

static void hide(struct composed *out, const struct vfcap_wanted *wanted, enum vfcap_hidden why)
{
	unsigned int e;

	for (e = 0; e < VFCAP_EMULS; e++)
		out->hidden[e] = wanted->offset[e] ? why : VFCAP_SHOWN;
}

static void compose(struct workspace *ws, struct vfcap_device *dev,
		    const struct vfcap_wanted *wanted, struct composed *out)
{
	struct vfio_pci_core_device *core = &dev->core;
	bool want[VFCAP_EMULS];
	unsigned int e;

	if (look(ws, core->pdev)) {
		hide(out, wanted, VFCAP_HIDDEN_PF_UNREADABLE);
		return;
	}
	vfcap_image_init(&ws->shown, core->pdev->cfg_size, fetch_shown, core);
	vfcap_chain_walk(&ws->shown_chain, &ws->shown);

	for (e = 0; e < VFCAP_EMULS; e++) {
		if (wanted->offset[e])
			out->hidden[e] = vfcap_pf_obstacle(pci_physfn(core->pdev), e, true);
		want[e] = wanted->offset[e] && out->hidden[e] == VFCAP_SHOWN;
	}
	plan(ws, core->pdev, wanted, want, &ws->shown_chain);
	for (e = 0; e < VFCAP_EMULS; e++) {
		if (ws->plan.refused[e] == VFCAP_PF_UNKNOWN)
			out->hidden[e] = VFCAP_HIDDEN_PF_UNREADABLE;
		else if (ws->plan.refused[e] != VFCAP_OK)
			out->hidden[e] = VFCAP_HIDDEN_CONFLICT;
	}
	vfcap_shadow_init(&out->shadow, &ws->plan, &ws->shown);
}

/**
 * vfcap_compose_device() - compose what an open device shows
 * @dev: the device, with its lock held
 * @wanted: by its knob, or by a VMM
 *
 * What cannot be shown is hidden, and that is no error.
 *
 * Return: 0; -EBUSY when config space was touched already; -ENOMEM.
 */
int vfcap_compose_device(struct vfcap_device *dev, const struct vfcap_wanted *wanted)
{
	struct pci_dev *vf = dev->core.pdev;
	struct composed out = {};
	struct workspace *ws;
	int ret = 0;

	lockdep_assert_held(&dev->lock);
	if (memchr_inv(wanted->offset, 0, sizeof(wanted->offset))) {
		ws = new_workspace();
		if (!ws)
			return -ENOMEM;
		if (power_up(vf)) {
			hide(&out, wanted, VFCAP_HIDDEN_PF_UNREADABLE);
		} else {
			compose(ws, dev, wanted, &out);
			power_down(vf);
		}
		kvfree(ws);
	}

	spin_lock(&dev->shown_lock);
	if (dev->shown.touched) {
		ret = -EBUSY;
	} else {
		dev->shown.shadow = out.shadow;
		memcpy(dev->shown.hidden, out.hidden, sizeof(out.hidden));
	}
	spin_unlock(&dev->shown_lock);
	return ret;
}
