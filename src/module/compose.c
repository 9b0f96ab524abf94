// SPDX-License-Identifier: GPL-2.0-or-later
/* From offsets to what a guest sees: reads what there is, lets the core plan, and links the result. */
#include <linux/mm.h>
#include <linux/pci.h>
#include <linux/pm_runtime.h>
#include <linux/slab.h>

#include "../core/internal.h"
#include "module.h"

/*
 * What vfio-pci keeps for each byte of config space in its map, private to it: bytes of no capability
 * that it knows are read and written raw; virtual ones never reach the hardware.
 */
#define MAP_RAW 0xff
#define MAP_VIRTUAL 0xfe
#define MAP_BASIC 0x00 /* the legacy header */

#define CLASS_REV 0x08 /* all ones is nobody's class: the function does not answer */

/* Some 80 KiB: one is made for each planning. */
struct workspace {
	struct vfcap_image vf, pf, shown;
	struct vfcap_chain vf_chain, pf_chain, shown_chain;
	struct vfcap_plan plan;
};

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

/* What a guest reads: VFIO's own bytes, but where it asks the hardware. The head is made VFIO's when
 * anything is linked to it. */
static int fetch_shown(void *ctx, unsigned int off, unsigned int len, uint8_t *buf)
{
	struct vfio_pci_core_device *core = ctx;
	unsigned int i;

	for (i = 0; i < len; i += 4) {
		if (core->pci_config_map[off + i] != MAP_RAW || off + i == VFCAP_EXT_BASE)
			memcpy(buf + i, core->vconfig + off + i, 4);
		else if (fetch_config(core->pdev, off + i, 4, buf + i) < 0)
			return -EIO;
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
 * Plans with offsets given. Force: which bytes of no capability are in use is for userspace to judge.
 * But a broken chain is never forced: what a guest would see of it is anybody's guess.
 */
static void plan(struct workspace *ws, const struct vfcap_wanted *wanted, const bool *want,
		 const struct vfcap_chain *visible)
{
	struct vfcap_plan_input in = {
		.vf = &ws->vf,
		.pf = &ws->pf,
		.vf_chain = &ws->vf_chain,
		.pf_chain = &ws->pf_chain,
		.visible = visible,
		.is_vf = true,
		.release = VFCAP_RELEASE_NEWEST,
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

/* ------------------------------------------------------------------------------ would it be right? -- */

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
	plan(ws, wanted, want, NULL);
	for (e = 0; e < VFCAP_EMULS && !ret; e++)
		ret = code_to_errno(ws->plan.refused[e]);
	return ret;
}

int vfcap_check(struct vfcap_device *dev, const struct vfcap_wanted *wanted)
{
	struct pci_dev *vf = dev->core.pdev;
	struct workspace *ws;
	int ret;

	lockdep_assert_held(&dev->lock);
	if (!memchr_inv(wanted, 0, sizeof(*wanted)))
		return 0;

	ws = kvzalloc(sizeof(*ws), GFP_KERNEL);
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

/* -------------------------------------------------------------------------------- what is shown -- */

/* What an open device is going to show. */
struct composed {
	struct vfcap_shadow shadow;
	u16 after[VFCAP_EMULS];
	enum vfcap_hidden hidden[VFCAP_EMULS];
};

static void hide(struct composed *out, const struct vfcap_wanted *wanted, enum vfcap_hidden why)
{
	unsigned int e;

	memset(&out->shadow, 0, sizeof(out->shadow));
	for (e = 0; e < VFCAP_EMULS; e++)
		out->hidden[e] = wanted->offset[e] ? why : VFCAP_SHOWN;
}

/* Why not, as far as it can be told without planning. VFIO's own idea of what is taken counts, too. */
static enum vfcap_hidden obstacle(struct workspace *ws, const u8 *map, enum vfcap_emul e,
				  unsigned int off)
{
	const struct vfcap_cap *cap = vfcap_chain_find(&ws->pf_chain, vfcap_emul_id(e));

	if (cap && !vfcap_pf_enabled(e, &ws->pf, cap->offset))
		return ws->pf.error ? VFCAP_HIDDEN_PF_UNREADABLE : VFCAP_HIDDEN_PF_OFF;
	if (memchr_inv(map + off, MAP_RAW, vfcap_emul_len(e)))
		return VFCAP_HIDDEN_CONFLICT;
	return VFCAP_SHOWN;
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
			out->hidden[e] = obstacle(ws, core->pci_config_map, e, wanted->offset[e]);
		want[e] = wanted->offset[e] && out->hidden[e] == VFCAP_SHOWN;
	}
	plan(ws, wanted, want, &ws->shown_chain);
	for (e = 0; e < VFCAP_EMULS; e++) {
		if (ws->plan.refused[e] == VFCAP_PF_UNKNOWN)
			out->hidden[e] = VFCAP_HIDDEN_PF_UNREADABLE;
		else if (ws->plan.refused[e] != VFCAP_OK)
			out->hidden[e] = VFCAP_HIDDEN_CONFLICT;
	}
	vfcap_shadow_init(&out->shadow, &ws->plan);
	for (e = 0; e < ws->plan.n_placements; e++)
		out->after[ws->plan.placement[e].emul] = ws->plan.placement[e].after;
}

int vfcap_compose_device(struct vfcap_device *dev, const struct vfcap_wanted *wanted)
{
	struct pci_dev *vf = dev->core.pdev;
	struct composed out = {};
	struct workspace *ws;
	int ret = 0;

	lockdep_assert_held(&dev->lock);
	if (memchr_inv(wanted->offset, 0, sizeof(wanted->offset))) {
		ws = kvzalloc(sizeof(*ws), GFP_KERNEL);
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
	if (dev->touched) {
		ret = -EBUSY;
	} else {
		dev->shadow = out.shadow;
		memcpy(dev->after, out.after, sizeof(dev->after));
	}
	spin_unlock(&dev->shown_lock);
	if (!ret)
		memcpy(dev->hidden, out.hidden, sizeof(dev->hidden));
	return ret;
}

static bool is_emulated(const struct vfcap_shadow *shadow, unsigned int off)
{
	unsigned int e;

	for (e = 0; e < VFCAP_EMULS; e++) {
		if (shadow->offset[e] == off)
			return true;
	}
	return false;
}

/*
 * Makes one of VFIO's headers lead to off. VFIO shows its own copy of them all, but that of a head at 0x100
 * whose ID it cannot keep in its map (Null, or one that ends in 00 or ff): that becomes what a hidden head
 * is to VFIO, a header of an ID that it does not show.
 */
static void link_header(struct vfio_pci_core_device *core, unsigned int at, unsigned int off)
{
	u8 *map = core->pci_config_map + at, *header = core->vconfig + at;

	if (*map == MAP_RAW || *map == MAP_BASIC)
		memset(map, VFCAP_ID_PASID, 4);
	vfcap_put_le32(header, (vfcap_le32(header) & 0xfffff) | off << 20);
}

void vfcap_link_device(struct vfcap_device *dev)
{
	struct vfio_pci_core_device *core = &dev->core;
	const struct vfcap_shadow *shadow = &dev->shadow;
	unsigned int e, off, len;

	lockdep_assert_held(&dev->shown_lock);
	for (e = 0; e < VFCAP_EMULS; e++) {
		off = shadow->offset[e];
		len = vfcap_emul_len(e);
		if (!off)
			continue;

		/* Before the map calls them virtual: what VFIO has there is uninitialised memory. */
		memcpy(core->vconfig + off, shadow->bytes[e], len);
		memset(core->pci_config_map + off, MAP_VIRTUAL, len);
		if (dev->after[e] && !is_emulated(shadow, dev->after[e]))
			link_header(core, dev->after[e], off); /* else it leads here already */
	}
}

int vfcap_pf_is_off(struct vfcap_device *dev, enum vfcap_emul e)
{
	struct pci_dev *pf = pci_physfn(dev->core.pdev);
	u16 ctrl = 0;
	int pos, ret = 0;

	if (pm_runtime_resume_and_get(&pf->dev) < 0)
		return -EIO;
	pos = pci_find_ext_capability(pf, vfcap_emul_id(e));
	if (pos)
		ret = pci_user_read_config_word(pf, pos + vfcap_emuldef(e)->ctrl, &ctrl);
	pm_runtime_put(&pf->dev);
	if (ret || ctrl == U16_MAX)
		return -EIO;
	return !(ctrl & 1);
}
