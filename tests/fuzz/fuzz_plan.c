/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A wish of 8 bytes, then 1 KiB of extended config space of a PF, its VF, and all siblings. */
#include <stdlib.h>

#include "core/core.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

static bool overlap(unsigned int a, unsigned int a_len, unsigned int b, unsigned int b_len)
{
	return a < b + b_len && b < a + a_len;
}

/* What is true of every placement: checks 1 to 3, and the link to it. */
static void check_placement(const struct vfcap_plan *plan, unsigned int n,
			    const struct vfcap_plan_input *in)
{
	const struct vfcap_placement *p = &plan->placement[n];
	unsigned int i, b, skip = p->rule == VFCAP_RULE_HEAD ? 4 : 0;

	require(p->offset >= VFCAP_EXT_BASE && p->offset % 4 == 0);
	require(p->length == vfcap_emul_len(p->emul) && p->offset + p->length <= VFCAP_CFG_SIZE);
	for (i = 0; i < in->vf_chain->n; i++) {
		const struct vfcap_cap *cap = &in->vf_chain->cap[i];

		require(!overlap(p->offset, p->length, cap->offset, cap->reserved));
		require(!overlap(p->offset, 8, cap->offset, 8));
	}
	for (i = 0; i < n; i++)
		require(!overlap(p->offset, p->length, plan->placement[i].offset,
				 plan->placement[i].length));
	for (b = p->offset + skip; b < (unsigned int)p->offset + p->length && !p->forced; b++)
		require(!in->vf->bytes[b] && !in->siblings->bytes[b]);
	for (i = 0; i < plan->n_links && plan->link[i].offset != p->offset; i++)
		;
	require(i < plan->n_links && plan->link[i].id == vfcap_emul_id(p->emul));
	require(p->after == (i ? plan->link[i - 1].offset : 0));
	require(p->next == (i + 1 < plan->n_links ? plan->link[i + 1].offset : 0));
	require(vfcap_le16(p->bytes + 2) >> 4 == p->next);
	require(!in->iommu_width || p->width <= in->iommu_width || p->emul != VFCAP_EMUL_PASID);
}

static void take(struct vfcap_image *img, const uint8_t **data, size_t *size)
{
	uint8_t bytes[VFCAP_CFG_SIZE] = { 0 };
	size_t n = *size < 1024 ? *size : 1024;

	memcpy(bytes + VFCAP_EXT_BASE, *data, n);
	vfcap_image_from_bytes(img, bytes, sizeof(bytes));
	*data += n;
	*size -= n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct vfcap_chain vf_chain, pf_chain;
	static struct vfcap_plan plan;
	struct vfcap_image vf, pf, siblings;
	struct vfcap_plan_input in = { .vf = &vf, .pf = &pf, .siblings = &siblings, .is_vf = true,
				       .vf_chain = &vf_chain, .pf_chain = &pf_chain };
	struct vfcap_wish wish = { .force = false };
	unsigned int i, e;

	if (size < 8)
		return 0;
	for (e = 0; e < VFCAP_EMULS; e++) {
		wish.want[e] = data[0] >> e & 1;
		wish.explicit_at[e] = data[0] >> (2 + e) & 1;
		wish.at[e] = vfcap_le16(data + 2 + 2 * e);
	}
	wish.force = data[0] & 0x10;
	wish.rule = (enum vfcap_rule)(data[1] % VFCAP_RULES);
	wish.width = data[6] % 32;
	in.iommu_width = data[7] >> 3;
	in.release = data[7] & 1 ? VFCAP_RELEASE_NEWEST : VFCAP_RELEASE(6, 1);
	data += 8;
	size -= 8;
	take(&pf, &data, &size);
	take(&vf, &data, &size);
	take(&siblings, &data, &size);
	for (i = 0; i < VFCAP_CFG_SIZE; i++)
		siblings.bytes[i] |= vf.bytes[i];

	vfcap_chain_walk(&vf_chain, &vf);
	vfcap_chain_walk(&pf_chain, &pf);
	vfcap_plan_make(&plan, &in, &wish);
	require(plan.n_considered <= VFCAP_CONSIDERED_MAX && plan.n_placements <= VFCAP_EMULS);
	for (e = 0; e < VFCAP_EMULS; e++)
		require(wish.want[e] || plan.refused[e] == VFCAP_OK);
	require(!vf_chain.broken || wish.force || !plan.n_placements);
	for (i = 0; i < plan.n_placements; i++)
		check_placement(&plan, i, &in);
	for (i = 0; i < plan.n_considered; i++)
		require(plan.considered[i].last >= plan.considered[i].offset &&
			plan.considered[i].code >= VFCAP_CODE_UNREADABLE &&
			plan.considered[i].code < VFCAP_NO_ROOM);
	return 0;
}
