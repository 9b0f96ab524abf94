/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Where PASID and PRI go in a VF, and why nowhere else. */
#include "internal.h"

#define CLASS_REV 0x08

/* Offset and ID of whatever stands in the way, or the first offending byte. */
struct verdict {
	enum vfcap_code code;
	uint16_t by_id, by_offset;
	uint16_t last; /* every candidate up to this one loses for the same cause */
	bool forced; /* bytes that are not zero were given way */
	bool pf_checked, siblings_checked;
};

/* A planning under way. What covers a dword is in the plan's owner[]: the index of the VF's
 * capability, or VFCAP_CHAIN_MAX + the emulated one's; only what used has a bit for was ever
 * written there. */
struct planning {
	struct vfcap_plan *plan;
	const struct vfcap_plan_input *in;
	const struct vfcap_wish *wish;
	uint32_t used[VFCAP_MAP_WORDS];
	uint32_t headers[VFCAP_MAP_WORDS];
	uint32_t pf_used[VFCAP_MAP_WORDS]; /* made when first asked for */
	bool pf_mapped;
	unsigned int end; /* of everything that is occupied */
	unsigned int seen; /* the last offending byte that an entry was made or extended for */
};

/* -------------------------------------------------------------------------- what is occupied -- */

/* Marks [off, off + len) as owner's, but for what is somebody's already. */
static void occupy(struct planning *p, unsigned int off, unsigned int len, unsigned int owner)
{
	unsigned int dword = vfcap_dword(off), end = dword + len / 4;

	vfcap_map_set(p->headers, dword);
	for (; dword < end; dword++) {
		if (vfcap_map_test(p->used, dword))
			continue;
		vfcap_map_set(p->used, dword);
		p->plan->owner[dword] = (uint16_t)owner;
	}
	if (off + len > p->end)
		p->end = off + len;
}

static void name_owner(const struct planning *p, unsigned int dword, struct verdict *v)
{
	unsigned int owner = p->plan->owner[dword];

	if (owner < VFCAP_CHAIN_MAX) {
		v->by_id = p->in->vf_chain->cap[owner].id;
		v->by_offset = p->in->vf_chain->cap[owner].offset;
	} else {
		const struct vfcap_placement *planned =
			&p->plan->placement[owner - VFCAP_CHAIN_MAX];

		v->by_id = (uint16_t)vfcap_emul_id(planned->emul);
		v->by_offset = planned->offset;
	}
}

/* Is a dword part of one of the PF's capabilities, and so none of check 4's business? */
static bool pf_owns(struct planning *p, unsigned int dword)
{
	const struct vfcap_chain *chain = p->in->pf_chain;
	unsigned int i, d, end;

	for (i = 0; !p->pf_mapped && i < chain->n; i++) {
		d = vfcap_dword(chain->cap[i].offset);
		for (end = d + chain->cap[i].reserved / 4u; d < end; d++)
			vfcap_map_set(p->pf_used, d);
	}
	p->pf_mapped = true;
	return vfcap_map_test(p->pf_used, dword);
}

/* --------------------------------------------------------------------------- the four checks -- */

/* Are the bytes of [off, end) zero in the image? When not: false, and *at the first one. What
 * cannot be read counts as zero, but clears *known. */
static bool reads_zero(struct vfcap_image *img, unsigned int off, unsigned int end, bool *known,
		       unsigned int *at)
{
	uint32_t val;

	*known = vfcap_image_need(img, off, end - off);
	for (; off < end; off += 4) {
		if (!*known)
			vfcap_image_need(img, off, 4);
		val = vfcap_le32(img->bytes + off);
		if (!val)
			continue;
		for (*at = off; !(val & 0xff); val >>= 8)
			++*at;
		return false;
	}
	return true;
}

static bool first_unknown(const struct vfcap_image *img, unsigned int off, unsigned int end,
			  unsigned int *at)
{
	while (off < end && vfcap_image_has(img, off, 4))
		off += 4;
	*at = off;
	return off < end;
}

/* Check 4 on the dwords that are not the PF's own capabilities; those are not even read. */
static bool pf_reads_zero(struct planning *p, unsigned int off, unsigned int end, bool *known,
			  unsigned int *at)
{
	bool dword_known;

	*known = true;
	for (; off < end; off += 4) {
		if (pf_owns(p, vfcap_dword(off)))
			continue;
		if (!reads_zero(p->in->pf, off, off + 4, &dword_known, at))
			return false;
		*known = *known && dword_known;
	}
	return true;
}

/* Checks 1 and 2: never given way. */
static void check_place(const struct planning *p, unsigned int off, unsigned int len,
			struct verdict *v)
{
	unsigned int dword = vfcap_dword(off), end, d;

	if (off % 4) {
		v->code = VFCAP_MISALIGNED;
		return;
	}
	if (off < VFCAP_EXT_BASE || off > VFCAP_CFG_SIZE - len) {
		v->code = VFCAP_OUT_OF_RANGE;
		return;
	}
	for (d = dword, end = dword + len / 4; d < end; d++) {
		if (!vfcap_map_test(p->used, d))
			continue;
		v->code = VFCAP_OCCUPIED;
		name_owner(p, d, v);
		while (d + 1 < VFCAP_EXT_DWORDS && vfcap_map_test(p->used, d + 1) &&
		       p->plan->owner[d + 1] == p->plan->owner[d])
			d++;
		v->last = (uint16_t)(VFCAP_EXT_BASE + 4 * d);
		return;
	}
	if (dword && vfcap_map_test(p->headers, dword - 1)) {
		v->code = VFCAP_TOO_CLOSE;
		name_owner(p, dword - 1, v);
	}
}

/* Checks 3 and 4, on [off, end). */
static void check_bytes(struct planning *p, unsigned int off, unsigned int end, bool ask_pf,
			struct verdict *v)
{
	const struct vfcap_plan_input *in = p->in;
	unsigned int at = 0;
	bool known;

	if (!reads_zero(in->vf, off, end, &known, &at) && known)
		v->code = VFCAP_NONZERO;
	else if (!known && first_unknown(in->vf, off, end, &at))
		v->code = VFCAP_CODE_UNREADABLE;
	if (v->code == VFCAP_OK && in->siblings) {
		if (!reads_zero(in->siblings, off, end, &v->siblings_checked, &at))
			v->code = VFCAP_SIBLING_NONZERO;
	}
	if (v->code == VFCAP_OK && ask_pf) {
		if (!pf_reads_zero(p, off, end, &v->pf_checked, &at))
			v->code = VFCAP_PF_NONZERO;
	}
	if (v->code != VFCAP_OK)
		v->by_offset = (uint16_t)at;
}

static unsigned int pf_offset(const struct planning *p, enum vfcap_emul e)
{
	return vfcap_chain_find(p->in->pf_chain, vfcap_emul_id(e))->offset;
}

/* Judges one candidate by all four checks. In the kernel by the first two: whether bytes that no
 * capability has are a register is userspace's to judge. */
static struct verdict judge(struct planning *p, enum vfcap_emul e, enum vfcap_rule rule,
			    unsigned int off)
{
	struct verdict v = { .code = VFCAP_OK, .last = (uint16_t)off };
	unsigned int len = vfcap_emul_len(e);
	bool ask_pf = rule == VFCAP_RULE_AFTER_LAST || rule == VFCAP_RULE_FREE_GAP ||
		      (rule == VFCAP_RULE_EXPLICIT && off != pf_offset(p, e));

	check_place(p, off, len, &v);
	if (v.code != VFCAP_OK || VFCAP_IN_KERNEL)
		return v;

	/* The head's own header is what makes the chain empty, be it zero or all ones. */
	check_bytes(p, rule == VFCAP_RULE_HEAD ? off + 4 : off, off + len, ask_pf, &v);
	if (v.code != VFCAP_OK && p->wish->force && p->wish->explicit_at[e]) {
		v.code = VFCAP_OK;
		v.forced = true;
	}
	return v;
}

/* -------------------------------------------------------------------------- trying the rules -- */

/* Is a loser's cause that of the entry before it: the same capability, or one stretch of bytes? */
static bool same_cause(const struct planning *p, const struct vfcap_considered *prev,
		       const struct verdict *v)
{
	if (prev->code != v->code)
		return false;
	if (v->code == VFCAP_OCCUPIED || v->code == VFCAP_TOO_CLOSE)
		return prev->by_offset == v->by_offset;
	return v->by_offset / 4u <= p->seen / 4 + 1;
}

/* Keeps a loser; it joins the entry before it when that ends right there and has the same cause. The
 * kernel tells nobody of them. */
static void consider(struct planning *p, enum vfcap_emul e, enum vfcap_rule rule, unsigned int off,
		     const struct verdict *v)
{
	struct vfcap_plan *plan = p->plan;
	struct vfcap_considered *c = &plan->considered[plan->n_considered];
	struct vfcap_considered *prev = plan->n_considered ? c - 1 : NULL;

	if (VFCAP_IN_KERNEL)
		return;
	if (prev && prev->emul == e && prev->rule == rule && prev->last + 4u == off &&
	    same_cause(p, prev, v)) {
		prev->last = v->last;
		p->seen = v->by_offset;
		return;
	}
	if (plan->n_considered == VFCAP_CONSIDERED_MAX)
		return;

	c->emul = e;
	c->rule = rule;
	c->offset = (uint16_t)off;
	c->last = v->last;
	c->code = v->code;
	c->by_id = v->by_id;
	c->by_offset = v->by_offset;
	p->seen = v->by_offset;
	plan->n_considered++;
}

static void place(struct planning *p, enum vfcap_emul e, enum vfcap_rule rule, unsigned int off,
		  const struct verdict *v)
{
	struct vfcap_placement *out = &p->plan->placement[p->plan->n_placements];

	out->emul = e;
	out->rule = rule;
	out->offset = (uint16_t)off;
	out->length = (uint16_t)vfcap_emul_len(e);
	out->pf_checked = v->pf_checked;
	out->siblings_checked = v->siblings_checked;
	out->forced = v->forced;
	occupy(p, off, out->length, VFCAP_CHAIN_MAX + p->plan->n_placements);
	p->plan->n_placements++;
}

/* Tries one candidate, and keeps it either way. */
static bool try_one(struct planning *p, enum vfcap_emul e, enum vfcap_rule rule, unsigned int off)
{
	struct verdict v = judge(p, e, rule, off);

	v.last = (uint16_t)off;
	if (v.code == VFCAP_OK)
		place(p, e, rule, off, &v);
	else
		consider(p, e, rule, off, &v);
	return v.code == VFCAP_OK;
}

static bool try_gaps(struct planning *p, enum vfcap_emul e)
{
	unsigned int off = VFCAP_EXT_BASE, end = VFCAP_CFG_SIZE - vfcap_emul_len(e);

	while (off <= end) {
		struct verdict v = judge(p, e, VFCAP_RULE_FREE_GAP, off);

		if (v.code == VFCAP_OK) {
			place(p, e, VFCAP_RULE_FREE_GAP, off, &v);
			return true;
		}
		if (v.last > end)
			v.last = (uint16_t)end;
		consider(p, e, VFCAP_RULE_FREE_GAP, off, &v);
		off = v.last + 4u;
	}
	return false;
}

/* On an empty chain the first capability must be its head, whatever was asked for. */
static bool try_head(struct planning *p, enum vfcap_emul e)
{
	struct verdict v = { .code = VFCAP_EMPTY_CHAIN };
	unsigned int at = p->wish->at[e];

	if (p->wish->explicit_at[e] && at != VFCAP_EXT_BASE) {
		v.last = (uint16_t)at;
		consider(p, e, VFCAP_RULE_EXPLICIT, at, &v);
		return false;
	}
	return try_one(p, e, VFCAP_RULE_HEAD, VFCAP_EXT_BASE);
}

static bool try_rules(struct planning *p, enum vfcap_emul e)
{
	enum vfcap_rule own = p->wish->own_rule[e];
	enum vfcap_rule rule = own == VFCAP_RULE_AUTO ? p->wish->rule : own;
	bool all = rule != VFCAP_RULE_PF_OFFSET && rule != VFCAP_RULE_AFTER_LAST &&
		   rule != VFCAP_RULE_FREE_GAP;

	if (p->in->vf_chain->empty && !p->plan->n_placements)
		return try_head(p, e);
	if (p->wish->explicit_at[e] || VFCAP_IN_KERNEL) /* which knows no rule */
		return try_one(p, e, VFCAP_RULE_EXPLICIT, p->wish->at[e]);

	if ((all || rule == VFCAP_RULE_PF_OFFSET) &&
	    try_one(p, e, VFCAP_RULE_PF_OFFSET, pf_offset(p, e)))
		return true;
	if ((all || rule == VFCAP_RULE_AFTER_LAST) && try_one(p, e, VFCAP_RULE_AFTER_LAST, p->end))
		return true;
	return (all || rule == VFCAP_RULE_FREE_GAP) && try_gaps(p, e);
}

/* ---------------------------------------------------------------------------------- refusals -- */

/* Does the PF have the capability? OK, PF_LACKS, or PF_UNKNOWN where nobody can tell. */
static enum vfcap_code ask_pf_for(const struct vfcap_plan_input *in, enum vfcap_emul e)
{
	const struct vfcap_chain *chain = in->pf_chain;
	const struct vfcap_cap *cap;
	uint32_t first;

	if (!in->pf || !chain)
		return VFCAP_PF_UNKNOWN;

	cap = vfcap_chain_find(chain, vfcap_emul_id(e));
	if (cap)
		return vfcap_image_need(in->pf, cap->offset, vfcap_emul_len(e)) ? VFCAP_OK :
										  VFCAP_PF_UNKNOWN;

	/* An SR-IOV PF has extended config space: one that ends early was not read to its end. */
	if (in->pf->size <= VFCAP_EXT_BASE || chain->end_anomaly & 1u << VFCAP_TRUNCATED)
		return VFCAP_PF_UNKNOWN;
	if (chain->empty && vfcap_image_read(in->pf, VFCAP_EXT_BASE, 4, &first) && first)
		return VFCAP_PF_UNKNOWN;
	return VFCAP_PF_LACKS;
}

/* Can the VF's chain be read, as far as it goes? */
static bool chain_readable(const struct vfcap_plan_input *in)
{
	uint32_t class, first;

	if (in->vf_chain->end_anomaly & 1u << VFCAP_TRUNCATED)
		return false;
	if (!in->vf_chain->empty)
		return true;
	return vfcap_image_read(in->vf, VFCAP_EXT_BASE, 4, &first) &&
	       !(first == 0xffffffff && vfcap_image_read(in->vf, CLASS_REV, 4, &class) &&
		 class == 0xffffffff);
}

/* What rules a capability out before any candidate is tried, in the documented order. */
static enum vfcap_code refusal(const struct planning *p, enum vfcap_emul e)
{
	const struct vfcap_plan_input *in = p->in;
	enum vfcap_code code;
	uint32_t cap;

	if (!in->is_vf)
		return VFCAP_NOT_A_VF;
	code = ask_pf_for(in, e);
	if (code != VFCAP_OK)
		return code;
	if (in->vf->size <= VFCAP_EXT_BASE)
		return VFCAP_NO_EXT_CONFIG;
	if (!chain_readable(in))
		return VFCAP_CODE_UNREADABLE;
	if (in->vf_chain->broken && !p->wish->force)
		return VFCAP_BROKEN_CHAIN;
	if (vfcap_chain_find(in->vf_chain, vfcap_emul_id(e)))
		return VFCAP_ALREADY_PRESENT;
	if (e != VFCAP_EMUL_PASID)
		return VFCAP_OK;
	vfcap_image_read(in->pf, pf_offset(p, e) + VFCAP_PASID_CAP, 2, &cap);
	return p->wish->width > (cap & VFCAP_PASID_CAP_WIDTH) >> 8 ? VFCAP_WIDTH : VFCAP_OK;
}

/* ----------------------------------------------------------------------------------- linking -- */

/* Puts a new capability behind the one with the highest offset below it. */
static void insert_link(struct vfcap_plan *plan, unsigned int off, unsigned int id)
{
	struct vfcap_link carry = { .offset = (uint16_t)off, .id = (uint16_t)id };
	unsigned int i, at = 0, best = 0;

	for (i = 0; i < plan->n_links; i++) {
		unsigned int here = plan->link[i].offset;

		if (here < off && here >= best) {
			best = here;
			at = i + 1;
		}
	}
	for (i = at; i <= plan->n_links; i++) {
		struct vfcap_link moved = plan->link[i];

		plan->link[i] = carry;
		carry = moved;
	}
	plan->n_links++;
}

/* The least of both; 0 limits nothing. */
static unsigned int least(unsigned int a, unsigned int b)
{
	return b && (!a || b < a) ? b : a;
}

/* Fills in a placement's neighbours and what a guest reads there, when all links are made. */
static void finish(struct planning *p, struct vfcap_placement *out)
{
	const struct vfcap_plan *plan = p->plan;
	unsigned int i = 0, off = pf_offset(p, out->emul);

	while (plan->link[i].offset != out->offset)
		i++;
	out->after = i ? plan->link[i - 1].offset : 0;
	out->next = i + 1u < plan->n_links ? plan->link[i + 1].offset : 0;
	out->pf_enabled = vfcap_pf_enabled(out->emul, p->in->pf, off);
	vfcap_compose(out->bytes, out->emul, p->in->pf, off,
		      least(p->wish->width, p->in->iommu_width), out->next);
	out->width = 0;
	out->iommu_width = 0;
	if (out->emul == VFCAP_EMUL_PASID) {
		out->width = vfcap_le16(out->bytes + VFCAP_PASID_CAP) >> 8 & 0x1f;
		out->iommu_width = p->in->iommu_width;
	}
}

/* The visible chain before anything is planned; what is hidden altogether leaves an anchor. */
static unsigned int links_before(const struct vfcap_plan_input *in, struct vfcap_link *links)
{
	const struct vfcap_chain *visible = in->visible;
	unsigned int i;

	if (!visible || in->vf_chain->empty)
		return vfcap_chain_visible(in->vf_chain, in->release, links);

	links[0].offset = VFCAP_EXT_BASE;
	links[0].id = VFCAP_ID_NULL;
	for (i = 0; i < visible->n; i++) {
		links[i].offset = visible->cap[i].offset;
		links[i].id = visible->cap[i].id;
	}
	return i ? i : 1;
}

static void link_all(struct planning *p)
{
	struct vfcap_plan *plan = p->plan;
	unsigned int i;

	for (i = 0; i < VFCAP_EMULS; i++) {
		if (plan->refused[i] == VFCAP_BROKEN_CHAIN)
			return; /* what a guest would see of it is anybody's guess */
	}
	plan->n_links = (uint16_t)links_before(p->in, plan->link);
	for (i = 0; i < plan->n_placements; i++)
		insert_link(plan, plan->placement[i].offset,
			    vfcap_emul_id(plan->placement[i].emul));
	for (i = 0; i < plan->n_placements; i++)
		finish(p, &plan->placement[i]);
}

/* PASID before PRI, unless an empty chain is to begin with PRI. */
static enum vfcap_emul first_of(const struct vfcap_chain *chain, const struct vfcap_wish *wish)
{
	bool pri_heads = wish->want[VFCAP_EMUL_PRI] && wish->explicit_at[VFCAP_EMUL_PRI] &&
			 wish->at[VFCAP_EMUL_PRI] == VFCAP_EXT_BASE &&
			 wish->explicit_at[VFCAP_EMUL_PASID] &&
			 wish->at[VFCAP_EMUL_PASID] != VFCAP_EXT_BASE;

	return chain->empty && pri_heads ? VFCAP_EMUL_PRI : VFCAP_EMUL_PASID;
}

void vfcap_plan_make(struct vfcap_plan *plan, const struct vfcap_plan_input *in,
		     const struct vfcap_wish *wish)
{
	struct planning p = { .plan = plan, .in = in, .wish = wish, .end = VFCAP_EXT_BASE };
	const struct vfcap_chain *chain = in->vf_chain;
	bool mapped = false;
	unsigned int e, i, n;

	plan->n_placements = 0;
	plan->n_considered = 0;
	plan->n_links = 0;
	plan->forced_broken = false;
	for (n = 0; n < VFCAP_EMULS; n++) {
		e = (first_of(chain, wish) + n) % VFCAP_EMULS;
		plan->refused[e] = wish->want[e] ? refusal(&p, (enum vfcap_emul)e) : VFCAP_OK;
		if (!wish->want[e] || plan->refused[e] != VFCAP_OK)
			continue;

		for (i = 0; !mapped && i < chain->n; i++)
			occupy(&p, chain->cap[i].offset, chain->cap[i].reserved, i);
		mapped = true;
		plan->forced_broken = chain->broken;
		if (!try_rules(&p, (enum vfcap_emul)e))
			plan->refused[e] = VFCAP_NO_ROOM;
	}
	link_all(&p);
}
