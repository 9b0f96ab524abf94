// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The model of the driver: what it answers and shows, by the same core, of images that are at hand,
 * and with nothing of the driver's own.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/core/internal.h"
#include "stress.h"

#define IOMMU_WIDTH 20 /* PASID bits of the test bus's IOMMU */
#define CLASS_REV 8

static const char *const names[VFCAP_EMULS] = { "pasid", "pri" };
static const unsigned int ids[VFCAP_EMULS] = { VFCAP_ID_PASID, VFCAP_ID_PRI };
static const unsigned int controls[VFCAP_EMULS] = { VFCAP_PASID_CTRL, VFCAP_PRI_CTRL };
static const char *const reasons[] = { "", "pf-off", "pf-unreadable", "conflict" };

struct model {
	struct vfcap_image vf, pf, stock;
	struct vfcap_chain vf_chain, pf_chain, stock_chain;
	struct vfcap_plan plan;
};

struct model *model_new(void)
{
	return calloc(1, sizeof(struct model));
}

static unsigned int find(const struct vfcap_chain *chain, unsigned int id)
{
	const struct vfcap_cap *cap = vfcap_chain_find(chain, id);

	return cap ? cap->offset : 0;
}

void model_vf(struct model *m, struct vf *vf)
{
	unsigned int e;

	vfcap_image_from_bytes(&m->vf, vf->image, CFG);
	vfcap_chain_walk(&m->vf_chain, &m->vf);
	vf->overruns = vfcap_chain_overruns(&m->vf_chain, this_release());
	vf->loops = m->vf_chain.broken && !vf->overruns;
	for (e = 0; e < VFCAP_EMULS; e++)
		vf->own[e] = find(&m->vf_chain, ids[e]);
}

void model_pf(struct model *m, struct pf *pf)
{
	unsigned int e;

	vfcap_image_from_bytes(&m->pf, pf->image, CFG);
	vfcap_chain_walk(&m->pf_chain, &m->pf);
	pf->noted = 0;
	for (e = 0; e < VFCAP_EMULS; e++) {
		pf->at[e] = find(&m->pf_chain, ids[e]);
		if (pf->at[e] && pf->image[pf->at[e] + controls[e]] & 1)
			pf->noted |= 1u << e;
	}
}

static enum hidden obstacle(const struct pf *pf, unsigned int e)
{
	unsigned int ctrl = pf->at[e] ? vfcap_le16(pf->image + pf->at[e] + controls[e]) : 0;

	if (vfcap_le16(pf->image) == 0xffff || ctrl == 0xffff)
		return PF_UNREADABLE;
	return pf->noted >> e & ctrl & 1 ? SHOWN : PF_OFF;
}

/* False: one of both does not answer. */
static bool look(struct model *m, const struct pf *pf, const struct vf *vf)
{
	vfcap_image_from_bytes(&m->vf, vf->image, CFG);
	vfcap_image_from_bytes(&m->pf, pf->image, CFG);
	vfcap_chain_walk(&m->vf_chain, &m->vf);
	vfcap_chain_walk(&m->pf_chain, &m->pf);
	return vfcap_le32(pf->image + CLASS_REV) != 0xffffffff;
}

static void plan(struct model *m, const struct wanted *wanted, const bool *want, bool is_open)
{
	struct vfcap_plan_input in = { .vf = &m->vf,
				       .pf = &m->pf,
				       .vf_chain = &m->vf_chain,
				       .pf_chain = &m->pf_chain,
				       .visible = is_open ? &m->stock_chain : NULL,
				       .is_vf = true,
				       .iommu_width = IOMMU_WIDTH,
				       .release = this_release() };
	struct vfcap_wish wish = { .width = (uint8_t)wanted->width, .force = !m->vf_chain.broken };
	unsigned int e;

	for (e = 0; e < VFCAP_EMULS; e++) {
		wish.want[e] = want[e];
		wish.explicit_at[e] = true;
		wish.at[e] = (uint16_t)wanted->offset[e];
	}
	vfcap_plan_make(&m->plan, &in, &wish);
}

static int check_width(struct model *m, const struct pf *pf, unsigned int width)
{
	unsigned int at = find(&m->pf_chain, VFCAP_ID_PASID);

	if (!width)
		return 0;
	if (!at)
		return -EOPNOTSUPP;
	return width > (pf->image[at + VFCAP_PASID_CAP + 1] & 0x1f) ? -ERANGE : 0;
}

static int to_errno(enum vfcap_code code)
{
	return code == VFCAP_OK						 ? 0 :
	       code == VFCAP_PF_LACKS					 ? -EOPNOTSUPP :
	       code == VFCAP_WIDTH					 ? -ERANGE :
	       code == VFCAP_CODE_UNREADABLE || code == VFCAP_PF_UNKNOWN ? -EIO :
									   -EINVAL;
}

int model_check(struct model *m, const struct pf *pf, const struct vf *vf,
		const struct wanted *wanted)
{
	bool want[VFCAP_EMULS] = { wanted->offset[0], wanted->offset[1] };
	int ret;

	if (!want[0] && !want[1] && !wanted->width)
		return 0;
	if (!look(m, pf, vf))
		return -EIO;
	ret = check_width(m, pf, wanted->width);
	if (ret)
		return ret;
	plan(m, wanted, want, false);
	ret = to_errno(m->plan.refused[0]);
	return ret ? ret : to_errno(m->plan.refused[1]);
}

void model_compose(struct model *m, const struct pf *pf, const struct vf *vf,
		   const struct wanted *wanted, struct shown *out)
{
	bool want[VFCAP_EMULS], answers = look(m, pf, vf);
	unsigned int e;

	memset(out, 0, sizeof(*out));
	for (e = 0; e < VFCAP_EMULS; e++) {
		if (wanted->offset[e])
			out->hidden[e] = answers ? obstacle(pf, e) : PF_UNREADABLE;
		want[e] = wanted->offset[e] && out->hidden[e] == SHOWN;
	}
	if (!answers || (!wanted->offset[0] && !wanted->offset[1]))
		return;
	vfcap_image_from_bytes(&m->stock, vf->stock, CFG);
	vfcap_chain_walk(&m->stock_chain, &m->stock);
	plan(m, wanted, want, true);
	for (e = 0; e < VFCAP_EMULS; e++) {
		if (m->plan.refused[e] == VFCAP_PF_UNKNOWN)
			out->hidden[e] = PF_UNREADABLE;
		else if (m->plan.refused[e] != VFCAP_OK)
			out->hidden[e] = CONFLICT;
	}
	vfcap_shadow_init(&out->shadow, &m->plan, &m->stock);
}

int model_get(const struct pf *pf, const struct shown *shown, struct vfcap_vfio_emulated *out)
{
	unsigned int e;

	memset(out, 0, sizeof(*out));
	for (e = 0; e < VFCAP_EMULS; e++) {
		if (obstacle(pf, e) == PF_UNREADABLE)
			return -EIO;
		if (obstacle(pf, e) == PF_OFF)
			out->flags |= (uint8_t)(VFCAP_VFIO_PF_PASID_OFF << e);
		if (shown->hidden[e] != SHOWN)
			out->flags |= (uint8_t)(VFCAP_VFIO_PASID_HIDDEN << e);
	}
	out->pasid_offset = shown->shadow.offset[VFCAP_EMUL_PASID];
	out->pri_offset = shown->shadow.offset[VFCAP_EMUL_PRI];
	if (out->pasid_offset)
		out->pasid_width =
			shown->shadow.bytes[VFCAP_EMUL_PASID][VFCAP_PASID_CAP + 1] & 0x1f;
	return 0;
}

void model_state(char text[128], const struct pf *pf, const struct wanted *knob,
		 const struct shown *shown, bool is_open)
{
	enum hidden worst = SHOWN;
	unsigned int e, len = 0;

	for (e = 0; e < VFCAP_EMULS; e++) {
		/* What only a VMM wanted goes with its open. */
		if (shown->hidden[e] != SHOWN && (is_open || knob->offset[e]))
			len += (unsigned int)sprintf(text + len, "%s%s: %s",
						     len ? ", " : "hidden: ", names[e],
						     reasons[shown->hidden[e]]);
		if (shown->shadow.offset[e] && obstacle(pf, e) > worst)
			worst = obstacle(pf, e);
	}
	if (len)
		return;
	if (is_open)
		sprintf(text, "open%s%s", worst == SHOWN ? "" : ": ", reasons[worst]);
	else
		strcpy(text, knob->offset[0] || knob->offset[1] ? "ready" : "off");
}

void model_overlay(uint8_t view[CFG], const struct vfcap_shadow *shadow)
{
	unsigned int e;

	for (e = 0; e < VFCAP_EMULS; e++) {
		if (shadow->after[e])
			memcpy(view + shadow->after[e], shadow->header[e], 4);
	}
	for (e = 0; e < VFCAP_EMULS; e++) {
		if (shadow->offset[e])
			memcpy(view + shadow->offset[e], shadow->bytes[e],
			       vfcap_emul_len((enum vfcap_emul)e));
	}
}
