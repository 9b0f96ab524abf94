/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the core's answers rest on, at random but reproducibly: bytes that belong to nothing that was asked
 * for change no answer, what could not be read is never taken for zero, and placements overlap nothing.
 * VFCAP_ROUNDS=3000000 runs so many rounds of each test.
 */
#include "core/internal.h"
#include "hostgen.h"
#include "unit.h"

#define ROUNDS 8000

/* What is found in one function: its chain, and all registers in it as one number. */
struct found {
	struct vfcap_image img;
	struct vfcap_chain chain;
	uint64_t registers;
};

/* A source with holes, which leaves rubbish where it has nothing. */
struct source {
	uint8_t cfg[VFCAP_CFG_SIZE];
	bool hole[VFCAP_CFG_SIZE / 4];
};

static struct source source;
static struct found whole, other;

/* -------------------------------------------------------------------------- config space, at random -- */

/* A list of up to four legacy capabilities anywhere, often with a PCI Express capability near 0x100. */
static void random_legacy(uint8_t *cfg, uint64_t *seed)
{
	static const uint16_t classes[] = { 0x0200, 0x0604, 0x0600, 0x0807 };
	static const uint8_t ids[] = { 0x01, 0x05, 0x10, 0x10, 0x10, 0x11 };
	unsigned int n = gen_rand(seed, 5), at = 0x34, off;

	cfg[0x06] = gen_rand(seed, 8) ? 0x10 : 0;
	vfcap_put_le16(cfg + 0x0a, classes[gen_rand(seed, 4)]);
	cfg[0x0e] = (uint8_t)gen_rand(seed, 2);
	while (n--) {
		off = gen_rand(seed, 2) ? 0x40 + 4 * gen_rand(seed, 48) :
					  0xe0 + 4 * gen_rand(seed, 8);
		cfg[at] = (uint8_t)off;
		cfg[off] = ids[gen_rand(seed, sizeof(ids))];
		vfcap_put_le16(cfg + off + 2, (uint16_t)(gen_rand(seed, 0) & 0xf3));
		if (off + 0x10 <= VFCAP_CFG_SIZE)
			cfg[off + 0x0c] = (uint8_t)(0x10 << gen_rand(seed, 6));
		at = off + 1;
	}
}

static unsigned int random_id(uint64_t *seed)
{
	/* Whose length hangs on registers, most of all. */
	static const uint8_t ids[] = { 0x01, 0x02, 0x05, 0x07, 0x08, 0x0b, 0x0d, 0x12, 0x15, 0x16,
				       0x17, 0x19, 0x1a, 0x1d, 0x23, 0x26, 0x27, 0x2a, 0x30, 0x36 };

	if (gen_rand(seed, 4))
		return ids[gen_rand(seed, sizeof(ids))];
	return gen_rand(seed, VFCAP_ID_MAX + 2);
}

/* A chain of up to six capabilities, most of them apart, with registers that tell something. */
static void random_chain(uint8_t *cfg, uint64_t *seed)
{
	unsigned int n = 1 + gen_rand(seed, 6), off = VFCAP_EXT_BASE, next, id, i;

	while (n--) {
		next = gen_rand(seed, 16) ? off + 4 * gen_rand(seed, 0x60) :
					    VFCAP_EXT_BASE + 4 * gen_rand(seed, VFCAP_EXT_DWORDS);
		if (!n || next > VFCAP_CFG_SIZE - 4)
			next = 0;
		id = random_id(seed);
		gen_cap(cfg, off, id, 1 + gen_rand(seed, 2), next);
		for (i = off + 4; i < off + 0x40 && i < VFCAP_CFG_SIZE; i += 4)
			gen_put32(cfg, i, gen_rand(seed, 0) & gen_rand(seed, 0));
		if (off + 8 <= VFCAP_CFG_SIZE && (id == VFCAP_ID_VSEC || id == VFCAP_ID_DVSEC))
			gen_put32(cfg, off + 4, gen_rand(seed, 0x60) << 20 | 0x18086);
		if (!next)
			break;
		off = next;
	}
}

static void random_config(uint8_t *cfg, uint64_t *seed)
{
	memset(cfg, 0, VFCAP_CFG_SIZE);
	random_legacy(cfg, seed);
	random_chain(cfg, seed);
}

/* ---------------------------------------------------------------------- what an answer may rest on -- */

static void allow(bool *allowed, unsigned int off, unsigned int len)
{
	for (; len && off < VFCAP_CFG_SIZE; off++, len--)
		allowed[off] = true;
}

/* The proven length of a PCI Express capability: what its version and type give it, up to the next header
 * and never into extended config space. */
static unsigned int pcie_length(const uint8_t *cfg, unsigned int off, const bool *header)
{
	unsigned int flags = vfcap_le16(cfg + off + 2), type = flags >> 4 & 0xf, n;
	unsigned int len = (flags & 0xf) >= 2 ? 0x3c : type == 9 || type == 10 ? 0x0c : 0x14;

	for (n = 4; n < len && off + n < VFCAP_EXT_BASE && !header[off + n]; n += 4)
		;
	return n;
}

static void allow_legacy(bool *allowed, const uint8_t *cfg)
{
	bool header[VFCAP_EXT_BASE] = { false };
	unsigned int off = cfg[0x34] & 0xfc, pcie = 0;

	allow(allowed, 0x06, 2);
	allow(allowed, 0x08, 4);
	allow(allowed, 0x0e, 1);
	allow(allowed, 0x34, 1);
	while ((cfg[0x06] & 0x10) && off >= 0x40 && !header[off]) {
		header[off] = true;
		allow(allowed, off, 2);
		if (cfg[off] == 0x10 && !pcie)
			pcie = off;
		off = cfg[off + 1] & 0xfc;
	}
	if (pcie)
		allow(allowed, pcie, pcie_length(cfg, pcie, header));
}

/* Headers, proven bodies, and the register of each that tells how long it is. */
static void allow_chain(bool *allowed, const struct vfcap_chain *chain)
{
	unsigned int i;

	allow(allowed, chain->end ? chain->end : VFCAP_EXT_BASE, 4);
	for (i = 0; i < chain->n; i++) {
		const struct vfcap_cap *cap = &chain->cap[i];
		const struct vfcap_capinfo *info = vfcap_capinfo(cap->id);

		allow(allowed, cap->offset, cap->length);
		if (info && info->len.kind == VFCAP_LEN_SELF)
			allow(allowed, cap->offset + 4u, 4);
		else if (info && info->len.at)
			allow(allowed, cap->offset + info->len.at, 4);
	}
}

/* Changes every byte that is not allowed. */
static void disturb(uint8_t *cfg, const bool *allowed, uint64_t *seed)
{
	uint64_t noise = 0;
	unsigned int i;

	for (i = 0; i < VFCAP_CFG_SIZE; i++) {
		if (i % 4 == 0)
			noise = gen_rand(seed, 0) | 0x01010101u;
		if (!allowed[i])
			cfg[i] ^= (uint8_t)(noise >> 8 * (i % 4));
	}
}

/* ------------------------------------------------------------------------------------- the findings -- */

static void mix(uint64_t *sum, uint64_t val)
{
	*sum = (*sum ^ val) * 0x100000001b3ull;
	*sum ^= *sum >> 29;
}

static void find_registers(struct found *f)
{
	struct vfcap_regiter it;
	struct vfcap_regval val;
	unsigned int i;

	f->registers = 0;
	for (i = 0; i < f->chain.n; i++) {
		vfcap_regs(&it, &f->img, &f->chain.cap[i]);
		while (vfcap_reg_next(&it, &val)) {
			mix(&f->registers, val.offset);
			mix(&f->registers, val.index);
			mix(&f->registers, val.known);
			mix(&f->registers, val.value);
		}
	}
}

static void find(struct found *f)
{
	vfcap_chain_walk(&f->chain, &f->img);
	find_registers(f);
}

static void find_in_bytes(struct found *f, const uint8_t *cfg)
{
	vfcap_image_from_bytes(&f->img, cfg, VFCAP_CFG_SIZE);
	find(f);
}

static int fetch(void *ctx, unsigned int off, unsigned int len, uint8_t *buf)
{
	const struct source *s = ctx;
	unsigned int n;

	for (n = 0; n < len && !s->hole[(off + n) / 4]; n += 4)
		memcpy(buf + n, s->cfg + off + n, 4);
	memset(buf + n, 0xa5, len - n);
	return (int)n;
}

static void find_in_source(struct found *f)
{
	vfcap_image_init(&f->img, VFCAP_CFG_SIZE, fetch, &source);
	f->img.at_hand = true;
	find(f);
}

static bool same_chain(const struct vfcap_chain *a, const struct vfcap_chain *b)
{
	return a->n == b->n && a->empty == b->empty && a->broken == b->broken && a->end == b->end &&
	       a->end_anomaly == b->end_anomaly &&
	       !memcmp(a->cap, b->cap, a->n * sizeof(a->cap[0]));
}

/* Was a dword read of which no byte is allowed? */
static bool strayed(const struct vfcap_image *img, const bool *allowed)
{
	unsigned int off;

	for (off = 0; off < VFCAP_CFG_SIZE; off += 4) {
		if (vfcap_image_has(img, off, 4) && !allowed[off] && !allowed[off + 1] &&
		    !allowed[off + 2] && !allowed[off + 3])
			return true;
	}
	return false;
}

/* --------------------------------------------------------------------------------------- the rounds -- */

static unsigned long rounds(void)
{
	const char *wanted = getenv("VFCAP_ROUNDS");

	return wanted ? strtoul(wanted, NULL, 10) : ROUNDS;
}

/* Runs a property over that many seeds; a property says what is wrong, or gives NULL. */
static void run(const char *(*property)(uint64_t *seed))
{
	unsigned long n = rounds(), i, failed = 0, first = 0;
	const char *why = NULL, *what;

	for (i = 0; i < n; i++) {
		uint64_t seed = (i + 1) * 0x9e3779b97f4a7c15ull;

		what = property(&seed);
		if (what && !failed++) {
			why = what;
			first = i;
		}
	}
	if (failed)
		fail_msg("%lu of %lu rounds, the first is %lu: %s", failed, n, first, why);
}

/* Bytes that no answer may rest on are changed, in a whole image. */
static const char *stays_inside(uint64_t *seed)
{
	bool allowed[VFCAP_CFG_SIZE] = { false };

	random_config(source.cfg, seed);
	find_in_bytes(&whole, source.cfg);
	allow_legacy(allowed, source.cfg);
	allow_chain(allowed, &whole.chain);
	disturb(source.cfg, allowed, seed);
	find_in_bytes(&other, source.cfg);
	if (!same_chain(&whole.chain, &other.chain))
		return "the chain rests on bytes that are none of its business";
	if (whole.registers != other.registers)
		return "registers rest on bytes that are none of their business";

	memset(source.hole, 0, sizeof(source.hole));
	find_in_source(&other);
	if (!same_chain(&whole.chain, &other.chain) || whole.registers != other.registers)
		return "bytes were looked at that had not been asked for";
	return strayed(&other.img, allowed) ? "bytes were asked for that tell nothing" : NULL;
}

/* A few holes, many of them where registers tell lengths. */
static void make_holes(uint64_t *seed)
{
	unsigned int n = 1 + gen_rand(seed, 4), off;

	memset(source.hole, 0, sizeof(source.hole));
	while (n--) {
		off = 4 * gen_rand(seed, VFCAP_EXT_BASE / 4);
		if (whole.chain.n && gen_rand(seed, 4))
			off = whole.chain.cap[gen_rand(seed, whole.chain.n)].offset +
			      4 * gen_rand(seed, 8);
		source.hole[off / 4 % (VFCAP_CFG_SIZE / 4)] = true;
	}
}

/* Is a register of [off, off + len) in a hole? */
static bool in_hole(unsigned int off, unsigned int len)
{
	unsigned int at;

	for (at = off; at < off + len && at < VFCAP_CFG_SIZE; at += 4) {
		if (source.hole[at / 4])
			return true;
	}
	return false;
}

/* What cannot be read frees no byte that is taken when it can, and is said. */
static const char *holes_free_nothing(uint64_t *seed)
{
	unsigned int i;

	random_config(source.cfg, seed);
	find_in_bytes(&whole, source.cfg);
	make_holes(seed);
	find_in_source(&other);
	for (i = 0; i < other.chain.n; i++) {
		const struct vfcap_cap *cap = &other.chain.cap[i], *all = &whole.chain.cap[i];

		if (i == whole.chain.n || cap->offset != all->offset)
			return "holes make another chain";
		if (!whole.chain.broken && cap->reserved < all->reserved)
			return "a capability ends earlier for what could not be read";
		if (in_hole(cap->offset, cap->length) && !(cap->anomalies & 1u << VFCAP_TRUNCATED))
			return "a hole in a capability is not told";
	}
	return NULL;
}

/* -------------------------------------------------------------------------------------- placements -- */

/* A VF, its PF and the OR of its siblings, and a plan over them. */
struct planned {
	struct found vf, pf;
	struct vfcap_image siblings;
	struct vfcap_plan plan;
};

static struct planned first, second;

static void random_pf(uint8_t *cfg, uint64_t *seed)
{
	unsigned int pasid = VFCAP_EXT_BASE + 4 * gen_rand(seed, 0x200), pri;

	random_config(cfg, seed);
	pri = pasid + 8 + 4 * gen_rand(seed, 0x180);
	gen_cap(cfg, VFCAP_EXT_BASE, VFCAP_ID_ATS, 1, pasid);
	gen_cap(cfg, pasid, VFCAP_ID_PASID, 1, pri);
	gen_put32(cfg, pasid + 4, gen_rand(seed, 0) & 0x71f07);
	if (pri + VFCAP_PRI_LEN <= VFCAP_CFG_SIZE)
		gen_cap(cfg, pri, VFCAP_ID_PRI, 1, 0);
}

static void random_wish(struct vfcap_wish *wish, uint64_t *seed)
{
	unsigned int e;

	memset(wish, 0, sizeof(*wish));
	for (e = 0; e < VFCAP_EMULS; e++) {
		wish->want[e] = gen_rand(seed, 4);
		wish->explicit_at[e] = !gen_rand(seed, 4);
		wish->at[e] = (uint16_t)(0xf0 + 4 * gen_rand(seed, 0x3d0) + !gen_rand(seed, 16));
		wish->own_rule[e] = (enum vfcap_rule)(
			gen_rand(seed, 4) ? 0 : gen_rand(seed, VFCAP_RULE_EXPLICIT));
	}
	wish->rule = (enum vfcap_rule)gen_rand(seed, VFCAP_RULE_EXPLICIT);
	wish->width = (uint8_t)(gen_rand(seed, 4) ? 0 : gen_rand(seed, 21));
	wish->force = !gen_rand(seed, 4);
}

static void make_plan(struct planned *p, const uint8_t *vf, const uint8_t *pf,
		      const uint8_t *siblings, const struct vfcap_wish *wish)
{
	const struct vfcap_plan_input in = {
		.vf = &p->vf.img,
		.pf = &p->pf.img,
		.siblings = siblings ? &p->siblings : NULL,
		.vf_chain = &p->vf.chain,
		.pf_chain = &p->pf.chain,
		.is_vf = true,
		.release = VFCAP_RELEASE_NEWEST,
	};

	vfcap_image_from_bytes(&p->vf.img, vf, VFCAP_CFG_SIZE);
	vfcap_image_from_bytes(&p->pf.img, pf, VFCAP_CFG_SIZE);
	if (siblings)
		vfcap_image_from_bytes(&p->siblings, siblings, VFCAP_CFG_SIZE);
	vfcap_chain_walk(&p->vf.chain, &p->vf.img);
	vfcap_chain_walk(&p->pf.chain, &p->pf.img);
	memset(&p->plan, 0, offsetof(struct vfcap_plan, considered));
	vfcap_plan_make(&p->plan, &in, wish);
}

/* The candidates of a plan: what checks 3 and 4 may look at. */
static void allow_candidates(bool *allowed, const struct vfcap_plan *plan)
{
	unsigned int i;

	for (i = 0; i < plan->n_placements; i++)
		allow(allowed, plan->placement[i].offset, plan->placement[i].length);
	for (i = 0; i < plan->n_considered; i++) {
		const struct vfcap_considered *c = &plan->considered[i];

		allow(allowed, c->offset, c->last - c->offset + vfcap_emul_len(c->emul));
	}
}

static bool same_plan(const struct vfcap_plan *a, const struct vfcap_plan *b)
{
	unsigned int i;

	if (memcmp(a, b, offsetof(struct vfcap_plan, considered)))
		return false;
	for (i = 0; i < a->n_considered; i++) {
		const struct vfcap_considered *x = &a->considered[i], *y = &b->considered[i];

		if (x->emul != y->emul || x->rule != y->rule || x->offset != y->offset ||
		    x->last != y->last || x->code != y->code || x->by_id != y->by_id ||
		    x->by_offset != y->by_offset)
			return false;
	}
	for (i = 0; i < a->n_links; i++) {
		if (a->link[i].offset != b->link[i].offset || a->link[i].id != b->link[i].id)
			return false;
	}
	return true;
}

static bool overlap(unsigned int a, unsigned int a_len, unsigned int b, unsigned int b_len)
{
	return a < b + b_len && b < a + a_len;
}

/* DESIGN, Placement: checks 1 and 2, whatever is forced. */
static const char *misplaced(const struct planned *p, unsigned int n)
{
	const struct vfcap_placement *at = &p->plan.placement[n];
	unsigned int i;

	if (at->offset % 4 || at->offset < VFCAP_EXT_BASE ||
	    at->offset + at->length > VFCAP_CFG_SIZE)
		return "a placement is not in extended config space";
	for (i = 0; i < p->vf.chain.n; i++) {
		const struct vfcap_cap *cap = &p->vf.chain.cap[i];

		if (overlap(at->offset, at->length, cap->offset, cap->reserved))
			return "a placement covers what is reserved";
		if (overlap(at->offset, 8, cap->offset, 8))
			return "a placement is too close to a header";
	}
	for (i = 0; i < n; i++) {
		if (overlap(at->offset, at->length, p->plan.placement[i].offset,
			    p->plan.placement[i].length))
			return "two placements overlap";
	}
	return NULL;
}

/* A chain that ascended before still does, and each link is what the placement says. */
static const char *mislinked(const struct planned *p)
{
	struct vfcap_link before[VFCAP_CHAIN_MAX];
	unsigned int n, i, e;
	bool ascends = true;

	n = vfcap_chain_visible(&p->vf.chain, VFCAP_RELEASE_NEWEST, before);
	for (i = 1; i < n; i++)
		ascends = ascends && before[i].offset > before[i - 1].offset;
	for (i = 1; ascends && i < p->plan.n_links; i++) {
		if (p->plan.link[i].offset <= p->plan.link[i - 1].offset)
			return "an ascending chain does not ascend any more";
	}
	if (p->plan.n_placements && p->plan.n_links != n + p->plan.n_placements)
		return "the chain is not what it was and what was placed";
	for (e = 0; e < p->plan.n_placements; e++) {
		const struct vfcap_placement *at = &p->plan.placement[e];

		for (i = 0; p->plan.link[i].offset != at->offset; i++)
			;
		if (at->after != (i ? p->plan.link[i - 1].offset : 0) ||
		    at->next != (i + 1 < p->plan.n_links ? p->plan.link[i + 1].offset : 0) ||
		    vfcap_le16(at->bytes + 2) >> 4 != at->next)
			return "a placement is not linked as it says";
	}
	return NULL;
}

static const char *plans_well(uint64_t *seed)
{
	static uint8_t vf[VFCAP_CFG_SIZE], pf[VFCAP_CFG_SIZE], siblings[VFCAP_CFG_SIZE];
	bool candidates[VFCAP_CFG_SIZE] = { false }, allowed[VFCAP_CFG_SIZE];
	bool lonely = !gen_rand(seed, 8);
	struct vfcap_wish wish;
	const char *wrong;
	unsigned int i;

	random_config(vf, seed);
	random_pf(pf, seed);
	memcpy(siblings, vf, sizeof(siblings));
	random_wish(&wish, seed);
	make_plan(&first, vf, pf, lonely ? NULL : siblings, &wish);
	for (i = 0; i < first.plan.n_placements; i++) {
		wrong = misplaced(&first, i);
		if (wrong)
			return wrong;
	}
	wrong = mislinked(&first);
	if (wrong)
		return wrong;

	allow_candidates(candidates, &first.plan);
	disturb(siblings, candidates, seed);
	memcpy(allowed, candidates, sizeof(allowed));
	allow_legacy(allowed, vf);
	allow_chain(allowed, &first.vf.chain);
	disturb(vf, allowed, seed);
	memcpy(allowed, candidates, sizeof(allowed));
	allow_legacy(allowed, pf);
	allow_chain(allowed, &first.pf.chain);
	disturb(pf, allowed, seed);
	make_plan(&second, vf, pf, lonely ? NULL : siblings, &wish);
	return same_plan(&first.plan, &second.plan) ?
		       NULL :
		       "a plan rests on bytes that it does not tell of";
}

static void test_stays_inside(void **state)
{
	(void)state;
	run(stays_inside);
}

static void test_holes(void **state)
{
	(void)state;
	run(holes_free_nothing);
}

static void test_placements(void **state)
{
	(void)state;
	run(plans_well);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stays_inside),
		cmocka_unit_test(test_holes),
		cmocka_unit_test(test_placements),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
