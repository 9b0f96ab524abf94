/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "hostgen.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))

/* A PF with AER, PASID at 0x200 and PRI at 0x220, and a VF with AER and ARI; tests change them. */
static uint8_t vf[VFCAP_CFG_SIZE], pf[VFCAP_CFG_SIZE], siblings[VFCAP_CFG_SIZE];
static struct vfcap_image vf_image, pf_image, siblings_image;
static struct vfcap_chain vf_chain, pf_chain;
static struct vfcap_plan_input in;
static struct vfcap_wish wish;
static struct vfcap_plan plan;

static void begin(void)
{
	memset(vf, 0, sizeof(vf));
	memset(pf, 0, sizeof(pf));
	memset(siblings, 0, sizeof(siblings));
	gen_cap(vf, 0x100, 0x01, 2, 0x150);
	gen_cap(vf, 0x150, 0x0e, 1, 0);
	gen_cap(pf, 0x100, 0x01, 2, 0x200);
	gen_cap(pf, 0x200, 0x1b, 1, 0x220);
	gen_put32(pf, 0x204, 0x00071406); /* on, with both modes */
	gen_cap(pf, 0x220, 0x13, 1, 0);
	gen_put32(pf, 0x224, 0x81030001); /* on; RF and UPRGI set; PASID required */
	gen_put32(pf, 0x228, 0x00000200);
	gen_put32(pf, 0x22c, 0x00000040);
	memset(&wish, 0, sizeof(wish));
	wish.want[VFCAP_EMUL_PASID] = true;
	memset(&in, 0, sizeof(in));
	in.is_vf = true;
	in.release = VFCAP_RELEASE_NEWEST;
	in.vf = &vf_image;
	in.pf = &pf_image;
	in.siblings = &siblings_image;
	in.vf_chain = &vf_chain;
	in.pf_chain = &pf_chain;
}

static void make_images(void)
{
	vfcap_image_from_bytes(&vf_image, vf, sizeof(vf));
	vfcap_image_from_bytes(&pf_image, pf, sizeof(pf));
	vfcap_image_from_bytes(&siblings_image, siblings, sizeof(siblings));
}

/* Plans over the images as they are, holes and all. */
static void make_plan_of_images(void)
{
	vfcap_chain_walk(&vf_chain, &vf_image);
	vfcap_chain_walk(&pf_chain, &pf_image);
	memset(&plan, 0xa5, sizeof(plan));
	vfcap_plan_make(&plan, &in, &wish);
}

static void make_plan(void)
{
	make_images();
	make_plan_of_images();
}

static void expect_placed(unsigned int i, enum vfcap_emul e, enum vfcap_rule rule, unsigned int off,
			  unsigned int after, unsigned int next)
{
	const struct vfcap_placement *p = &plan.placement[i];

	assert_true(i < plan.n_placements);
	assert_int_equal(p->emul, e);
	assert_int_equal(p->rule, rule);
	assert_int_equal(p->offset, off);
	assert_int_equal(p->length, vfcap_emul_len(e));
	assert_int_equal(p->after, after);
	assert_int_equal(p->next, next);
	assert_int_equal(vfcap_le32(p->bytes), vfcap_emul_id(e) | 1u << 16 | next << 20);
	assert_int_equal(plan.refused[e], VFCAP_OK);
}

static void expect_refused(enum vfcap_code code)
{
	assert_int_equal(plan.n_placements, 0);
	assert_int_equal(plan.refused[VFCAP_EMUL_PASID], code);
	if (code != VFCAP_NO_ROOM)
		assert_int_equal(plan.n_considered, 0);
}

static void expect_lost(unsigned int i, enum vfcap_rule rule, unsigned int off, unsigned int last,
			enum vfcap_code code, unsigned int by_id, unsigned int by_offset)
{
	const struct vfcap_considered *c = &plan.considered[i];

	assert_true(i < plan.n_considered);
	assert_int_equal(c->rule, rule);
	assert_int_equal(c->offset, off);
	assert_int_equal(c->last, last);
	assert_int_equal(c->code, code);
	assert_int_equal(c->by_id, by_id);
	assert_int_equal(c->by_offset, by_offset);
}

static void expect_chain(unsigned int n, const struct vfcap_link *want)
{
	unsigned int i;

	assert_int_equal(plan.n_links, n);
	for (i = 0; i < n; i++) {
		assert_int_equal(plan.link[i].offset, want[i].offset);
		assert_int_equal(plan.link[i].id, want[i].id);
	}
}

/* ------------------------------------------------------------------------------------- rules -- */

static void test_pf_offset(void **state)
{
	static const struct vfcap_link chain[] = {
		{ 0x100, 0x01 }, { 0x150, 0x0e }, { 0x200, 0x1b }, { 0x220, 0x13 }
	};
	static const uint8_t pasid[] = { 0x1b, 0, 1, 0x22, 0x06, 0x14, 0, 0 };
	static const uint8_t pri[] = { 0x13, 0, 1, 0, 0, 0, 0, 0x81, 0, 2, 0, 0, 0, 0, 0, 0 };

	(void)state;
	begin();
	wish.want[VFCAP_EMUL_PRI] = true;
	make_plan();
	assert_int_equal(plan.n_placements, 2);
	expect_placed(0, VFCAP_EMUL_PASID, VFCAP_RULE_PF_OFFSET, 0x200, 0x150, 0x220);
	expect_placed(1, VFCAP_EMUL_PRI, VFCAP_RULE_PF_OFFSET, 0x220, 0x200, 0);
	assert_memory_equal(plan.placement[0].bytes, pasid, sizeof(pasid));
	assert_memory_equal(plan.placement[1].bytes, pri, sizeof(pri));
	assert_int_equal(plan.placement[0].width, 20);
	assert_int_equal(plan.placement[1].width, 0);
	assert_true(plan.placement[0].pf_enabled && plan.placement[1].pf_enabled);
	assert_true(plan.placement[0].siblings_checked);
	assert_false(plan.placement[0].pf_checked); /* not asked: the PF's own place */
	assert_int_equal(plan.n_considered, 0);
	expect_chain(N(chain), chain);

	gen_put32(pf, 0x204, 0x00001406);
	make_plan();
	assert_false(plan.placement[0].pf_enabled);
}

static void test_after_last(void **state)
{
	(void)state;
	begin();
	wish.want[VFCAP_EMUL_PRI] = true;
	wish.rule = VFCAP_RULE_AFTER_LAST;
	make_plan();
	expect_placed(0, VFCAP_EMUL_PASID, VFCAP_RULE_AFTER_LAST, 0x158, 0x150, 0x160);
	expect_placed(1, VFCAP_EMUL_PRI, VFCAP_RULE_AFTER_LAST, 0x160, 0x158, 0);
	assert_true(plan.placement[0].pf_checked && plan.placement[0].siblings_checked);

	/* The highest end, which is not that of the chain's last link. */
	gen_cap(vf, 0x150, 0x10, 1, 0x140); /* ends at 0x190 */
	gen_cap(vf, 0x140, 0x0e, 1, 0);
	make_plan();
	expect_placed(0, VFCAP_EMUL_PASID, VFCAP_RULE_AFTER_LAST, 0x190, 0x150, 0x198);
	expect_placed(1, VFCAP_EMUL_PRI, VFCAP_RULE_AFTER_LAST, 0x198, 0x190, 0x140);

	/* Nothing behind a capability that may run to the end; the only rule asked for. */
	begin();
	wish.rule = VFCAP_RULE_AFTER_LAST;
	gen_cap(vf, 0x150, 0x20, 1, 0);
	make_plan();
	expect_refused(VFCAP_NO_ROOM);
	assert_int_equal(plan.n_considered, 1);
	expect_lost(0, VFCAP_RULE_AFTER_LAST, 0x1000, 0x1000, VFCAP_OUT_OF_RANGE, 0, 0);
}

/* The reserved length of AER, not the proven one, is what keeps others out. */
static void test_reserved(void **state)
{
	(void)state;
	begin();
	gen_cap(vf, 0x100, 0x01, 2, 0);
	gen_put32(vf, 0x150, 0);
	wish.rule = VFCAP_RULE_AFTER_LAST;
	make_plan();
	expect_placed(0, VFCAP_EMUL_PASID, VFCAP_RULE_AFTER_LAST, 0x158, 0x100, 0);
	wish.explicit_at[VFCAP_EMUL_PASID] = true;
	wish.at[VFCAP_EMUL_PASID] = 0x12c;
	make_plan();
	expect_refused(VFCAP_NO_ROOM);
	expect_lost(0, VFCAP_RULE_EXPLICIT, 0x12c, 0x12c, VFCAP_OCCUPIED, 0x01, 0x100);
}

static void test_free_gap(void **state)
{
	(void)state;
	begin();
	wish.rule = VFCAP_RULE_FREE_GAP;
	gen_cap(vf, 0x150, 0x0e, 1, 0x170);
	gen_cap(vf, 0x170, 0x03, 1, 0x180);
	gen_cap(vf, 0x180, 0x20, 1, 0); /* nobody knows how long */
	make_plan();
	expect_placed(0, VFCAP_EMUL_PASID, VFCAP_RULE_FREE_GAP, 0x158, 0x150, 0x170);
	assert_int_equal(plan.n_considered, 2);
	expect_lost(0, VFCAP_RULE_FREE_GAP, 0x100, 0x14c, VFCAP_OCCUPIED, 0x01, 0x100);
	expect_lost(1, VFCAP_RULE_FREE_GAP, 0x150, 0x154, VFCAP_OCCUPIED, 0x0e, 0x150);

	/* Each candidate of the gap loses to something else; neighbours that lose to the same are
	 * one. */
	vf[0x15e] = 0x40;
	siblings[0x165] = 1;
	pf[0x16c] = 1;
	make_plan();
	expect_refused(VFCAP_NO_ROOM);
	assert_int_equal(plan.n_considered, 7);
	expect_lost(2, VFCAP_RULE_FREE_GAP, 0x158, 0x15c, VFCAP_NONZERO, 0, 0x15e);
	expect_lost(3, VFCAP_RULE_FREE_GAP, 0x160, 0x164, VFCAP_SIBLING_NONZERO, 0, 0x165);
	expect_lost(4, VFCAP_RULE_FREE_GAP, 0x168, 0x168, VFCAP_PF_NONZERO, 0, 0x16c);
	expect_lost(5, VFCAP_RULE_FREE_GAP, 0x16c, 0x178, VFCAP_OCCUPIED, 0x03, 0x170);
	expect_lost(6, VFCAP_RULE_FREE_GAP, 0x17c, 0xff8, VFCAP_OCCUPIED, 0x20, 0x180);
}

/* Two capabilities of one kind in a row are two causes, even Nulls; registers in a row are one. */
static void test_merging(void **state)
{
	unsigned int off;

	(void)state;
	begin();
	wish.rule = VFCAP_RULE_FREE_GAP;
	gen_cap(vf, 0x100, 0x00, 1, 0x104);
	gen_cap(vf, 0x104, 0x00, 1, 0x108);
	gen_cap(vf, 0x108, 0x0f, 1, 0x110);
	gen_cap(vf, 0x110, 0x0f, 1, 0x200);
	gen_cap(vf, 0x150, 0, 0, 0);
	gen_cap(vf, 0x200, 0x20, 1, 0);
	for (off = 0x118; off < 0x180; off += 4)
		vf[off + 1] = 1;
	for (off = 0x184; off < 0x200; off += 8)
		vf[off] = 1;
	make_plan();
	expect_refused(VFCAP_NO_ROOM);
	expect_lost(0, VFCAP_RULE_FREE_GAP, 0x100, 0x100, VFCAP_OCCUPIED, 0x00, 0x100);
	expect_lost(1, VFCAP_RULE_FREE_GAP, 0x104, 0x104, VFCAP_OCCUPIED, 0x00, 0x104);
	expect_lost(2, VFCAP_RULE_FREE_GAP, 0x108, 0x10c, VFCAP_OCCUPIED, 0x0f, 0x108);
	expect_lost(3, VFCAP_RULE_FREE_GAP, 0x110, 0x114, VFCAP_OCCUPIED, 0x0f, 0x110);
	expect_lost(4, VFCAP_RULE_FREE_GAP, 0x118, 0x17c, VFCAP_NONZERO, 0, 0x119);
	expect_lost(5, VFCAP_RULE_FREE_GAP, 0x180, 0x184, VFCAP_NONZERO, 0, 0x184);
	expect_lost(6, VFCAP_RULE_FREE_GAP, 0x188, 0x18c, VFCAP_NONZERO, 0, 0x18c);
}

/* Every rule in its order, each losing for its own reason, all kept. */
static void test_auto(void **state)
{
	(void)state;
	begin();
	vf[0x207] = 0x80; /* where the PF has it */
	vf[0x158] = 1; /* behind the last */
	gen_cap(vf, 0x100, 0x0e, 1, 0x150); /* 8 bytes: a gap from 0x108 on */
	make_plan();
	expect_placed(0, VFCAP_EMUL_PASID, VFCAP_RULE_FREE_GAP, 0x108, 0x100, 0x150);
	assert_int_equal(plan.n_considered, 3);
	expect_lost(0, VFCAP_RULE_PF_OFFSET, 0x200, 0x200, VFCAP_NONZERO, 0, 0x207);
	expect_lost(1, VFCAP_RULE_AFTER_LAST, 0x158, 0x158, VFCAP_NONZERO, 0, 0x158);
	expect_lost(2, VFCAP_RULE_FREE_GAP, 0x100, 0x104, VFCAP_OCCUPIED, 0x0e, 0x100);
}

/* The most candidates that can lose fit. */
static void test_many_losers(void **state)
{
	unsigned int off;

	(void)state;
	begin();
	wish.want[VFCAP_EMUL_PRI] = true;
	for (off = 0x100; off < 0x1000; off += 4)
		gen_cap(vf, off, 0, 1, off + 4);
	make_plan();
	expect_refused(VFCAP_NO_ROOM);
	assert_int_equal(plan.refused[VFCAP_EMUL_PRI], VFCAP_NO_ROOM);
	/* pf-offset, after-last, and a Null under every candidate, for each of the two */
	assert_int_equal(plan.n_considered, 2 + 959 + 2 + 957);
	assert_int_equal(plan.considered[plan.n_considered - 1].offset, 0xff0);
	assert_int_equal(plan.considered[plan.n_considered - 1].emul, VFCAP_EMUL_PRI);
}

/* ---------------------------------------------------------------------------------- explicit -- */

static void ask_at(unsigned int off)
{
	wish.explicit_at[VFCAP_EMUL_PASID] = true;
	wish.at[VFCAP_EMUL_PASID] = (uint16_t)off;
	make_plan();
}

static void test_explicit(void **state)
{
	static const struct {
		uint16_t at;
		enum vfcap_code code;
		uint16_t id, by;
	} bad[] = {
		{ 0x302, VFCAP_MISALIGNED, 0, 0 },	    { 0x0fc, VFCAP_OUT_OF_RANGE, 0, 0 },
		{ 0x000, VFCAP_OUT_OF_RANGE, 0, 0 },	    { 0xffc, VFCAP_OUT_OF_RANGE, 0, 0 },
		{ 0x1000, VFCAP_OUT_OF_RANGE, 0, 0 },	    { 0xfff0, VFCAP_OUT_OF_RANGE, 0, 0 },
		{ 0x100, VFCAP_OCCUPIED, 0x01, 0x100 },	    { 0x154, VFCAP_OCCUPIED, 0x0e, 0x150 },
		{ 0x164, VFCAP_TOO_CLOSE, 0x00, 0x160 },    { 0x300, VFCAP_NONZERO, 0, 0x307 },
		{ 0x310, VFCAP_SIBLING_NONZERO, 0, 0x310 }, { 0x320, VFCAP_PF_NONZERO, 0, 0x323 },
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < N(bad); i++) {
		begin();
		gen_cap(vf, 0x150, 0x0e, 1, 0x160);
		gen_cap(vf, 0x160, 0x00, 1, 0);
		vf[0x307] = 1;
		siblings[0x310] = 1;
		pf[0x323] = 1;
		ask_at(bad[i].at);
		expect_refused(VFCAP_NO_ROOM);
		assert_int_equal(plan.n_considered, 1);
		expect_lost(0, VFCAP_RULE_EXPLICIT, bad[i].at, bad[i].at, bad[i].code, bad[i].id,
			    bad[i].by);
		assert_int_equal(plan.considered[0].emul, VFCAP_EMUL_PASID);

		/* Force gives way on what was read, never on where things are. */
		wish.force = true;
		make_plan();
		if (bad[i].code < VFCAP_NONZERO) {
			expect_refused(VFCAP_NO_ROOM);
		} else {
			expect_placed(0, VFCAP_EMUL_PASID, VFCAP_RULE_EXPLICIT, bad[i].at, 0x150,
				      0);
			assert_true(plan.placement[0].forced);
		}
	}
	begin();
	ask_at(0xff8);
	expect_placed(0, VFCAP_EMUL_PASID, VFCAP_RULE_EXPLICIT, 0xff8, 0x150, 0);
	assert_true(plan.placement[0].pf_checked && !plan.placement[0].forced);
	ask_at(0x158);
	expect_placed(0, VFCAP_EMUL_PASID, VFCAP_RULE_EXPLICIT, 0x158, 0x150, 0);
}

/* One at a place that was asked for, the other by rule, either way round. */
static void test_explicit_and_rule(void **state)
{
	(void)state;
	begin();
	wish.want[VFCAP_EMUL_PRI] = true;
	ask_at(0x400);
	expect_placed(0, VFCAP_EMUL_PASID, VFCAP_RULE_EXPLICIT, 0x400, 0x220, 0);
	expect_placed(1, VFCAP_EMUL_PRI, VFCAP_RULE_PF_OFFSET, 0x220, 0x150, 0x400);

	begin();
	wish.want[VFCAP_EMUL_PRI] = true;
	wish.explicit_at[VFCAP_EMUL_PRI] = true;
	wish.at[VFCAP_EMUL_PRI] = 0x1f8; /* would cover where PASID goes */
	make_plan();
	assert_int_equal(plan.n_placements, 1);
	assert_int_equal(plan.refused[VFCAP_EMUL_PRI], VFCAP_NO_ROOM);
	expect_placed(0, VFCAP_EMUL_PASID, VFCAP_RULE_PF_OFFSET, 0x200, 0x150, 0);
	expect_lost(0, VFCAP_RULE_EXPLICIT, 0x1f8, 0x1f8, VFCAP_OCCUPIED, 0x1b, 0x200);

	/* PRI alone: nothing is refused that nobody wants. */
	begin();
	wish.want[VFCAP_EMUL_PASID] = false;
	wish.want[VFCAP_EMUL_PRI] = true;
	gen_cap(pf, 0x100, 0x01, 2, 0x220); /* a PF without PASID */
	make_plan();
	assert_int_equal(plan.refused[VFCAP_EMUL_PASID], VFCAP_OK);
	expect_placed(0, VFCAP_EMUL_PRI, VFCAP_RULE_PF_OFFSET, 0x220, 0x150, 0);
}

/* Check 4 leaves out the PF's own capabilities, and its own offset of this one. */
static void test_pf_template(void **state)
{
	(void)state;
	begin();
	pf[0x120] = 0xff; /* in the PF's AER */
	gen_cap(vf, 0x100, 0x0e, 1, 0);
	gen_put32(vf, 0x150, 0);
	ask_at(0x11c);
	expect_placed(0, VFCAP_EMUL_PASID, VFCAP_RULE_EXPLICIT, 0x11c, 0x100, 0);
	assert_true(plan.placement[0].pf_checked);
	pf[0x158] = 1; /* right behind it: check 4's business */
	ask_at(0x154);
	expect_lost(0, VFCAP_RULE_EXPLICIT, 0x154, 0x154, VFCAP_PF_NONZERO, 0, 0x158);
	ask_at(0x200); /* the PF's own place */
	expect_placed(0, VFCAP_EMUL_PASID, VFCAP_RULE_EXPLICIT, 0x200, 0x100, 0);
	assert_false(plan.placement[0].pf_checked);
}

/* Force never changes what auto picks. */
static void test_force_auto(void **state)
{
	(void)state;
	begin();
	vf[0x200] = 1;
	wish.force = true;
	make_plan();
	expect_placed(0, VFCAP_EMUL_PASID, VFCAP_RULE_AFTER_LAST, 0x158, 0x150, 0);
	expect_lost(0, VFCAP_RULE_PF_OFFSET, 0x200, 0x200, VFCAP_NONZERO, 0, 0x200);
	assert_false(plan.placement[0].forced || plan.forced_broken);
}

/* ------------------------------------------------------------------------------ empty chains -- */

static void test_head(void **state)
{
	static const struct vfcap_link chain[] = { { 0x100, 0x1b }, { 0x108, 0x13 } };

	(void)state;
	begin();
	wish.want[VFCAP_EMUL_PRI] = true;
	wish.rule = VFCAP_RULE_AFTER_LAST;
	memset(vf + 0x100, 0, 0x100);
	make_plan();
	expect_placed(0, VFCAP_EMUL_PASID, VFCAP_RULE_HEAD, 0x100, 0, 0x108);
	expect_placed(1, VFCAP_EMUL_PRI, VFCAP_RULE_AFTER_LAST, 0x108, 0x100, 0);
	expect_chain(2, chain);
	assert_false(plan.placement[0].pf_checked); /* the PF's AER is there */

	/* Any rule; the next one by the rule. */
	wish.rule = VFCAP_RULE_AUTO;
	make_plan();
	expect_placed(0, VFCAP_EMUL_PASID, VFCAP_RULE_HEAD, 0x100, 0, 0x220);
	expect_placed(1, VFCAP_EMUL_PRI, VFCAP_RULE_PF_OFFSET, 0x220, 0x100, 0);

	/* All ones is as empty as zero, but in the VF as a whole. */
	gen_put32(vf, 0x100, 0xffffffff);
	gen_put32(siblings, 0x100, 0xffffffff);
	make_plan();
	expect_placed(0, VFCAP_EMUL_PASID, VFCAP_RULE_HEAD, 0x100, 0, 0x220);
	assert_true(plan.placement[0].siblings_checked);

	ask_at(0x100);
	expect_placed(0, VFCAP_EMUL_PASID, VFCAP_RULE_HEAD, 0x100, 0, 0x220);
	ask_at(0x200);
	assert_int_equal(plan.refused[VFCAP_EMUL_PASID], VFCAP_NO_ROOM);
	expect_lost(0, VFCAP_RULE_EXPLICIT, 0x200, 0x200, VFCAP_EMPTY_CHAIN, 0, 0);
	/* then PRI is the first */
	expect_placed(0, VFCAP_EMUL_PRI, VFCAP_RULE_HEAD, 0x100, 0, 0);
}

static void test_head_nonzero(void **state)
{
	(void)state;
	begin();
	memset(vf + 0x100, 0, 0x100);
	vf[0x107] = 1;
	make_plan();
	expect_refused(VFCAP_NO_ROOM);
	assert_int_equal(plan.n_considered, 1);
	assert_int_equal(plan.n_links, 0);
	expect_lost(0, VFCAP_RULE_HEAD, 0x100, 0x100, VFCAP_NONZERO, 0, 0x107);
	wish.force = true; /* not asked for by --at */
	make_plan();
	expect_refused(VFCAP_NO_ROOM);
	ask_at(0x100);
	expect_placed(0, VFCAP_EMUL_PASID, VFCAP_RULE_HEAD, 0x100, 0, 0);
	assert_true(plan.placement[0].forced);

	begin();
	memset(vf + 0x100, 0, 0x100);
	siblings[0x104] = 1;
	make_plan();
	expect_refused(VFCAP_NO_ROOM);
	expect_lost(0, VFCAP_RULE_HEAD, 0x100, 0x100, VFCAP_SIBLING_NONZERO, 0, 0x104);
}

/* ----------------------------------------------------------------------------------- linking -- */

static void test_hidden_head(void **state)
{
	static const struct vfcap_link chain[] = { { 0x100, 0 }, { 0x180, 0x0e }, { 0x200, 0x1b } };
	static const struct vfcap_link alone[] = { { 0x100, 0 }, { 0x200, 0x1b } };

	(void)state;
	begin();
	gen_cap(vf, 0x100, 0x1e, 1, 0x150);
	gen_cap(vf, 0x150, 0x2e, 1, 0x180); /* hidden too: never linked to */
	gen_cap(vf, 0x180, 0x0e, 1, 0);
	make_plan();
	expect_placed(0, VFCAP_EMUL_PASID, VFCAP_RULE_PF_OFFSET, 0x200, 0x180, 0);
	expect_chain(3, chain);
	ask_at(0x170);
	expect_placed(0, VFCAP_EMUL_PASID, VFCAP_RULE_EXPLICIT, 0x170, 0x100, 0x180);
	ask_at(0x150); /* hidden is still occupied */
	expect_lost(0, VFCAP_RULE_EXPLICIT, 0x150, 0x150, VFCAP_OCCUPIED, 0x2e, 0x150);

	begin(); /* everything is hidden */
	gen_cap(vf, 0x100, 0x19, 1, 0x150);
	gen_cap(vf, 0x150, 0x2e, 1, 0);
	make_plan();
	expect_placed(0, VFCAP_EMUL_PASID, VFCAP_RULE_PF_OFFSET, 0x200, 0x100, 0);
	expect_chain(2, alone);
}

static void test_release(void **state)
{
	static const struct vfcap_link old[] = { { 0x100, 0x01 }, { 0x200, 0x1b } };

	(void)state;
	begin();
	gen_cap(vf, 0x150, 0x23, 1, 0);
	gen_put32(vf, 0x154, 0x01018086);
	make_plan();
	expect_placed(0, VFCAP_EMUL_PASID, VFCAP_RULE_PF_OFFSET, 0x200, 0x150, 0);
	in.release = VFCAP_RELEASE(6, 1);
	make_plan();
	expect_placed(0, VFCAP_EMUL_PASID, VFCAP_RULE_PF_OFFSET, 0x200, 0x100, 0);
	expect_chain(2, old);
}

static void test_tail(void **state)
{
	(void)state;
	begin(); /* to a zero header */
	gen_cap(vf, 0x150, 0x0e, 1, 0xe00);
	make_plan();
	expect_placed(0, VFCAP_EMUL_PASID, VFCAP_RULE_PF_OFFSET, 0x200, 0x150, 0);
	ask_at(0xe00);
	expect_placed(0, VFCAP_EMUL_PASID, VFCAP_RULE_EXPLICIT, 0xe00, 0x150, 0);

	begin(); /* not ascending: behind 0x180, though 0x300 comes before it */
	gen_cap(vf, 0x100, 0x01, 2, 0x300);
	gen_cap(vf, 0x300, 0x0e, 1, 0x180);
	gen_cap(vf, 0x180, 0x0f, 1, 0x280);
	gen_cap(vf, 0x280, 0x03, 1, 0);
	gen_put32(vf, 0x150, 0);
	make_plan();
	expect_placed(0, VFCAP_EMUL_PASID, VFCAP_RULE_PF_OFFSET, 0x200, 0x180, 0x280);
}

/* ---------------------------------------------------------------------------------- refusals -- */

static void test_refusals(void **state)
{
	(void)state;
	/* Each is the first in its order although those behind it hold as well. */
	begin();
	gen_cap(vf, 0x150, 0x1b, 1, 0x100); /* loops, and has PASID already */
	wish.width = 21;
	wish.force = true;
	make_plan();
	expect_refused(VFCAP_ALREADY_PRESENT);
	wish.force = false;
	make_plan();
	expect_refused(VFCAP_BROKEN_CHAIN);
	assert_int_equal(plan.n_links, 0);
	gen_put32(vf, 0x008, 0xffffffff);
	gen_put32(vf, 0x100, 0xffffffff);
	make_plan();
	expect_refused(VFCAP_CODE_UNREADABLE);
	make_images();
	vfcap_image_from_bytes(&vf_image, vf, 256);
	make_plan_of_images();
	expect_refused(VFCAP_NO_EXT_CONFIG);
	vfcap_image_from_bytes(&vf_image, vf, 64);
	make_plan_of_images();
	expect_refused(VFCAP_NO_EXT_CONFIG);
	gen_cap(pf, 0x100, 0x01, 2, 0x220);
	make_plan();
	expect_refused(VFCAP_PF_LACKS);
	in.pf = NULL;
	in.pf_chain = NULL;
	make_plan();
	expect_refused(VFCAP_PF_UNKNOWN);
	in.is_vf = false;
	make_plan();
	expect_refused(VFCAP_NOT_A_VF);
	wish.want[VFCAP_EMUL_PASID] = false;
	make_plan();
	expect_refused(VFCAP_OK);
}

/* What the source of the PF does not have, nobody can say it lacks. */
static void test_pf_unknown(void **state)
{
	(void)state;
	begin();
	make_images();
	vfcap_image_from_bytes(&pf_image, pf, 64);
	make_plan_of_images();
	expect_refused(VFCAP_PF_UNKNOWN);
	vfcap_image_from_bytes(&pf_image, pf, 0x200); /* ends before the header */
	make_plan_of_images();
	expect_refused(VFCAP_PF_UNKNOWN);
	vfcap_image_from_bytes(&pf_image, pf, 0x204); /* ends before the registers */
	make_plan_of_images();
	expect_refused(VFCAP_PF_UNKNOWN);
	gen_put32(pf, 0x100, 0xffffffff); /* asleep */
	make_plan();
	expect_refused(VFCAP_PF_UNKNOWN);
	gen_put32(pf, 0x100, 0);
	make_plan();
	expect_refused(VFCAP_PF_LACKS);
}

static void test_vf_unreadable(void **state)
{
	(void)state;
	begin();
	make_images();
	gen_hole(&vf_image, 0x100, 4);
	make_plan_of_images();
	expect_refused(VFCAP_CODE_UNREADABLE);

	begin(); /* a chain that leads out of the source */
	gen_cap(vf, 0x150, 0x0e, 1, 0x800);
	make_images();
	vfcap_image_from_bytes(&vf_image, vf, 0x600);
	make_plan_of_images();
	expect_refused(VFCAP_CODE_UNREADABLE);

	begin(); /* an asleep device reads all ones, a VF's vendor ID always */
	memset(vf, 0xff, 4);
	gen_put32(vf, 0x100, 0xffffffff);
	make_plan();
	expect_placed(0, VFCAP_EMUL_PASID, VFCAP_RULE_HEAD, 0x100, 0, 0);
}

static void test_width(void **state)
{
	(void)state;
	begin();
	wish.want[VFCAP_EMUL_PRI] = true;
	wish.width = 16;
	make_plan();
	expect_placed(0, VFCAP_EMUL_PASID, VFCAP_RULE_PF_OFFSET, 0x200, 0x150, 0x220);
	assert_int_equal(plan.placement[0].width, 16);
	assert_int_equal(vfcap_le16(plan.placement[0].bytes + 4), 0x1006);
	assert_int_equal(plan.placement[1].width, 0);
	wish.width = 20;
	make_plan();
	assert_int_equal(plan.placement[0].width, 20);
	wish.width = 21;
	make_plan();
	assert_int_equal(plan.refused[VFCAP_EMUL_PASID], VFCAP_WIDTH);
	assert_int_equal(plan.n_placements, 1); /* PRI has no width */
}

/* What is offered works: the least of three widths, and the modes that the PF has on. */
static void test_offered(void **state)
{
	static const struct {
		uint32_t pf; /* its capability and control */
		uint8_t wish, iommu;
		uint16_t cap; /* the guest's */
	} cases[] = {
		{ 0x00071406, 0, 0, 0x1406 }, /* the IOMMU is not known: it limits nothing */
		{ 0x00071406, 0, 16, 0x1006 }, /* the IOMMU has least */
		{ 0x00071406, 0, 20, 0x1406 },
		{ 0x00071406, 0, 31, 0x1406 }, /* the PF has */
		{ 0x00071406, 8, 16, 0x0806 }, /* the wish is */
		{ 0x00071406, 18, 16, 0x1006 }, /* wider than the IOMMU's, within the PF's: cut */
		{ 0x00071406, 8, 0, 0x0806 },
		{ 0x00071406, 20, 1, 0x0106 },
		{ 0x00071006, 0, 20, 0x1006 },
		{ 0x00011406, 0, 0, 0x1400 }, /* on without modes, as AMD's driver has it */
		{ 0x00031406, 0, 0, 0x1402 },
		{ 0x00051406, 0, 16, 0x1004 },
		{ 0x00071402, 0, 0, 0x1402 }, /* a control that says more than the PF can */
		{ 0x00071400, 0, 0, 0x1400 },
		{ 0x00001406, 0, 16, 0x1006 }, /* off: what will be on is not known */
		{ 0x00061406, 0, 0, 0x1406 },
		{ 0x00001402, 0, 0, 0x1402 },
		{ 0xfff91fff, 0, 0, 0x1f00 }, /* no bit besides those */
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < N(cases); i++) {
		begin();
		wish.want[VFCAP_EMUL_PRI] = true;
		wish.width = cases[i].wish;
		in.iommu_width = cases[i].iommu;
		gen_put32(pf, 0x204, cases[i].pf);
		make_plan();
		expect_placed(0, VFCAP_EMUL_PASID, VFCAP_RULE_PF_OFFSET, 0x200, 0x150, 0x220);
		assert_int_equal(vfcap_le32(plan.placement[0].bytes + 4), cases[i].cap);
		assert_int_equal(plan.placement[0].width, cases[i].cap >> 8);
		assert_int_equal(plan.placement[0].iommu_width, cases[i].iommu);
		assert_int_equal(plan.placement[1].iommu_width, 0);
	}
	wish.width = 21; /* never what the IOMMU makes of it, where the PF has less */
	in.iommu_width = 16;
	gen_put32(pf, 0x204, 0x00071406);
	make_plan();
	assert_int_equal(plan.refused[VFCAP_EMUL_PASID], VFCAP_WIDTH);
}

static void test_forced_broken(void **state)
{
	(void)state;
	begin();
	gen_cap(vf, 0x150, 0x0e, 1, 0x100);
	wish.force = true;
	make_plan();
	assert_true(plan.forced_broken);
	expect_placed(0, VFCAP_EMUL_PASID, VFCAP_RULE_PF_OFFSET, 0x200, 0x150, 0);

	/* What was found before the break counts as occupied. */
	ask_at(0x154);
	expect_refused(VFCAP_NO_ROOM);
	expect_lost(0, VFCAP_RULE_EXPLICIT, 0x154, 0x154, VFCAP_OCCUPIED, 0x0e, 0x150);
	assert_int_equal(plan.n_links, 2);

	begin();
	wish.force = true;
	make_plan();
	assert_false(plan.forced_broken);
}

/* ------------------------------------------------------------------------ what was not known -- */

static void test_holes(void **state)
{
	(void)state;
	begin();
	wish.explicit_at[VFCAP_EMUL_PASID] = true;
	wish.at[VFCAP_EMUL_PASID] = 0x300;
	make_images();
	gen_hole(&vf_image, 0x304, 4);
	make_plan_of_images();
	expect_refused(VFCAP_NO_ROOM);
	expect_lost(0, VFCAP_RULE_EXPLICIT, 0x300, 0x300, VFCAP_CODE_UNREADABLE, 0, 0x304);

	make_images();
	gen_hole(&siblings_image, 0x300, 4);
	make_plan_of_images();
	expect_placed(0, VFCAP_EMUL_PASID, VFCAP_RULE_EXPLICIT, 0x300, 0x150, 0);
	assert_true(plan.placement[0].pf_checked && !plan.placement[0].siblings_checked);

	make_images();
	gen_hole(&pf_image, 0x304, 4);
	make_plan_of_images();
	expect_placed(0, VFCAP_EMUL_PASID, VFCAP_RULE_EXPLICIT, 0x300, 0x150, 0);
	assert_true(!plan.placement[0].pf_checked && plan.placement[0].siblings_checked);

	/* What is known beside a hole still counts. */
	siblings[0x305] = 1;
	make_images();
	gen_hole(&siblings_image, 0x300, 4);
	make_plan_of_images();
	expect_lost(0, VFCAP_RULE_EXPLICIT, 0x300, 0x300, VFCAP_SIBLING_NONZERO, 0, 0x305);

	in.siblings = NULL;
	make_plan();
	expect_placed(0, VFCAP_EMUL_PASID, VFCAP_RULE_EXPLICIT, 0x300, 0x150, 0);
	assert_false(plan.placement[0].siblings_checked);
}

/* A dump that ends early: one stretch that cannot be read is one entry. */
static void test_short_dump(void **state)
{
	(void)state;
	begin();
	gen_cap(vf, 0x150, 0x0e, 1, 0);
	vf[0x158] = 1;
	wish.rule = VFCAP_RULE_FREE_GAP;
	make_images();
	vfcap_image_from_bytes(&vf_image, vf, 0x15c);
	make_plan_of_images();
	expect_refused(VFCAP_NO_ROOM);
	assert_int_equal(plan.n_considered, 3);
	expect_lost(2, VFCAP_RULE_FREE_GAP, 0x158, 0xff8, VFCAP_CODE_UNREADABLE, 0, 0x15c);
}

/* A source that tells what it was asked for. */
static uint32_t asked[VFCAP_CFG_SIZE / 4];

static int fetch_vf(void *ctx, unsigned int off, unsigned int len, uint8_t *buf)
{
	unsigned int i;

	(void)ctx;
	memcpy(buf, vf + off, len);
	for (i = off; i < off + len; i += 4)
		asked[i / 4]++;
	return (int)len;
}

/* Only headers, what tells lengths, and candidates are read: never the mailbox of a DOE. */
static void test_reads_little(void **state)
{
	unsigned int off, n = 0;

	(void)state;
	begin();
	gen_cap(vf, 0x150, 0x2e, 1, 0x180);
	gen_cap(vf, 0x180, 0x0e, 1, 0);
	make_images();
	memset(asked, 0, sizeof(asked));
	vfcap_image_init(&vf_image, VFCAP_CFG_SIZE, fetch_vf, NULL);
	wish.rule = VFCAP_RULE_FREE_GAP;
	make_plan_of_images();
	expect_placed(0, VFCAP_EMUL_PASID, VFCAP_RULE_FREE_GAP, 0x168, 0x100, 0x180);
	for (off = 0; off < VFCAP_CFG_SIZE; off += 4) {
		assert_true(asked[off / 4] <= 1);
		n += asked[off / 4];
	}
	assert_true(asked[0x100 / 4] && asked[0x150 / 4] && asked[0x180 / 4]);
	assert_true(asked[0x168 / 4] && asked[0x16c / 4]);
	assert_int_equal(asked[0x160 / 4] + asked[0x164 / 4], 0);
	assert_true(n <= 7); /* and two of the legacy header */
}

/* ------------------------------------------------------------------------------------- names -- */

static void test_names(void **state)
{
	static const char *const names[VFCAP_CODES] = {
		"ok",
		"not-a-vf",
		"pf-unknown",
		"pf-lacks-capability",
		"no-extended-config",
		"unreadable",
		"broken-chain",
		"already-present",
		"width",
		"misaligned",
		"out-of-range",
		"occupied",
		"too-close",
		"nonzero",
		"sibling-nonzero",
		"pf-nonzero",
		"empty-chain",
		"no-room",
		"pf-off",
		"in-use",
		"other-variant",
		"denylisted",
		"no-module",
		"not-bound",
		"no-driver",
		"rule-disagrees",
		"owned",
		"changed",
	};
	int i;

	(void)state;
	for (i = 0; i < VFCAP_CODES; i++) {
		assert_string_equal(vfcap_code_name((enum vfcap_code)i), names[i]);
		assert_true(strlen(vfcap_code_text((enum vfcap_code)i)) > 5);
	}
	assert_null(vfcap_code_name(VFCAP_CODES));
	assert_null(vfcap_code_text(VFCAP_CODES));
	assert_int_equal(vfcap_rule_by_name("auto"), VFCAP_RULE_AUTO);
	assert_int_equal(vfcap_rule_by_name("pf-offset"), VFCAP_RULE_PF_OFFSET);
	assert_int_equal(vfcap_rule_by_name("after-last"), VFCAP_RULE_AFTER_LAST);
	assert_int_equal(vfcap_rule_by_name("free-gap"), VFCAP_RULE_FREE_GAP);
	assert_int_equal(vfcap_rule_by_name("explicit"), -1);
	assert_int_equal(vfcap_rule_by_name("head"), -1);
	assert_int_equal(vfcap_rule_by_name("auto "), -1);
	assert_int_equal(vfcap_rule_by_name(""), -1);
	assert_string_equal(vfcap_rule_name(VFCAP_RULE_HEAD), "head");
	assert_string_equal(vfcap_rule_name(VFCAP_RULE_EXPLICIT), "explicit");
	assert_null(vfcap_rule_name(VFCAP_RULES));
}

/* -------------------------------------------------------------------------------- properties -- */

static uint64_t seed_now;
static struct vfcap_link visible[VFCAP_CHAIN_MAX];
#define HOLDS(c)                                                                     \
	do {                                                                         \
		if (!(c))                                                            \
			fail_msg("seed %llu: %s", (unsigned long long)seed_now, #c); \
	} while (0)

/* How many bytes vfio-pci takes for a capability's, 0: it hides the capability. From its source,
 * so that the core's table is not checked against itself. */
static unsigned int vfio_len(const uint8_t *c, unsigned int off, unsigned int id)
{
	static const uint8_t fixed[] = {
		[0x01] = 44, [0x03] = 12, [0x04] = 16, [0x0e] = 8, [0x0f] = 8,
		[0x10] = 64, [0x12] = 40, [0x13] = 16, [0x18] = 8
	};
	uint32_t reg4 = vfcap_le32(c + off + 4), reg8 = vfcap_le32(c + off + 8);
	unsigned int len;

	switch (id) {
	case 0x02:
	case 0x08:
	case 0x09:
		len = 16 + 12 * (reg4 & 7);
		if (reg8 & 0xe)
			len = (len + 15) / 16 * 16 + (reg8 & 8 ? 64 : reg8 & 4 ? 32 : 16);
		return len;
	case 0x0b:
	case 0x23:
		return reg4 >> 20;
	case 0x0d:
		len = reg4 >> 8 & 0xff;
		return reg4 & 0x20 ? 8 + (len ? (len + 31) / 32 * 32 : 256) / 8 : 8;
	case 0x15:
		return 4 + 8 * (reg8 >> 5 & 7);
	case 0x16:
		return 17 + (reg4 & 0x1f);
	case 0x17:
		return (reg4 >> 9 & 3) == 1 ? 14 + 2 * (reg4 >> 16 & 0x7ff) : 12;
	}
	return id < sizeof(fixed) ? fixed[id] : 0;
}

/* What vfio-pci keeps of a chain: its copy of the headers, in which hidden capabilities are
 * unlinked and a hidden head is a Null, and a map of which byte is whose. */
static void vfio_init(const uint8_t *c, uint8_t *vconfig, uint8_t *map)
{
	unsigned int off = 0x100, prev = 0, loops = 960, n = 0;

	memcpy(vconfig, c, VFCAP_CFG_SIZE);
	memset(map, 0xff, VFCAP_CFG_SIZE);
	while (loops-- && off >= 0x100) {
		uint32_t header = vfcap_le32(c + off);
		unsigned int next = header >> 20 & 0xffc, len = vfio_len(c, off, header & 0xffff);

		if (!len && prev) {
			gen_put32(vconfig, prev,
				  (vfcap_le32(vconfig + prev) & 0xfffff) | next << 20);
			off = next;
			continue;
		}
		memset(map + off, (int)(header & 0xff), len ? len : 4);
		memcpy(vconfig + off, c + off, len ? len : 4);
		if (!len)
			gen_put32(vconfig, off, header & 0xffc00000);
		n += len != 0;
		prev = off;
		off = next;
	}
	if (!n)
		gen_put32(vconfig, 0x100, 0);
}

/* The headers that vfio-pci serves: of its own the first four bytes of a capability by its map,
 * which begins where a stretch of one ID does; else the hardware's. Where it cannot write an ID
 * down, it serves the hardware's, too. */
static void vfio_view(const uint8_t *c, uint8_t *view)
{
	static uint8_t vconfig[2 * VFCAP_CFG_SIZE],
		map[2 * VFCAP_CFG_SIZE]; /* which may be overrun */
	unsigned int off, start = 0x100;

	vfio_init(c, vconfig, map);
	memcpy(view, c, VFCAP_CFG_SIZE);
	for (off = 0x100; off < VFCAP_CFG_SIZE; off++) {
		if (map[off] != map[start])
			start = off;
		if (map[off] != 0xff && map[off] != 0 && off - start < 4)
			view[off] = vconfig[off];
	}
}

/* A guest's walk over what it is shown. */
static unsigned int guest_walk(const uint8_t *c, struct vfcap_link *out)
{
	unsigned int n = 0, off = 0x100;

	while (off && (!n || vfcap_le32(c + off))) {
		HOLDS(off >= 0x100 && off % 4 == 0 && n < VFCAP_CHAIN_MAX);
		out[n].offset = (uint16_t)off;
		out[n++].id = vfcap_le16(c + off);
		off = vfcap_le16(c + off + 2) >> 4 & 0xffc;
	}
	return n;
}

/* Does a VSEC declare that it ends inside of its link? Half of that is the hardware's then, and half is
 * the copy's: they may lead anywhere. */
static bool splits_link(const struct vfcap_chain *chain)
{
	unsigned int i;

	for (i = 0; i < chain->n; i++) {
		if (chain->cap[i].vfio_length == 3)
			return true;
	}
	return false;
}

/* The guest sees all that vfio-pci shows, plus the new, in order, and nothing else. */
static void check_guest(const struct gen_host *host)
{
	static uint8_t view[VFCAP_CFG_SIZE];
	static struct vfcap_link links[VFCAP_CHAIN_MAX + 1];
	unsigned int i, n, shown;

	if (splits_link(&vf_chain))
		return;
	vfio_view(host->vf, view);
	shown = vf_chain.empty ? 0 : guest_walk(view, links);
	n = vfcap_chain_visible(&vf_chain, VFCAP_RELEASE_NEWEST, visible);
	HOLDS(n == shown);
	for (i = 0; i < n; i++)
		HOLDS(links[i].offset == visible[i].offset && links[i].id == visible[i].id);
	for (i = 0; i < plan.n_placements; i++) {
		const struct vfcap_placement *p = &plan.placement[i];

		memcpy(view + p->offset, p->bytes, p->length);
	}
	for (i = 0; i < plan.n_placements; i++) {
		const struct vfcap_placement *p = &plan.placement[i];

		if (p->after)
			gen_put32(view, p->after,
				  (vfcap_le32(view + p->after) & 0xfffff) | (uint32_t)p->offset
										    << 20);
		HOLDS((p->after == 0) == (p->rule == VFCAP_RULE_HEAD));
	}
	if (!plan.n_placements)
		return;

	n = guest_walk(view, links);
	HOLDS(n == plan.n_links);
	HOLDS(n == shown + plan.n_placements);
	for (i = 0; i < n; i++) {
		HOLDS(links[i].offset == plan.link[i].offset && links[i].id == plan.link[i].id);
		if (i)
			HOLDS(links[i].offset - links[i - 1].offset >= 8 ||
			      links[i - 1].offset > links[i].offset);
	}
}

/* Is a byte in one of the chain's capabilities? */
static bool in_chain(const struct vfcap_chain *chain, unsigned int off)
{
	unsigned int i;

	for (i = 0; i < chain->n; i++) {
		unsigned int first = chain->cap[i].offset;

		if (off >= first && off < first + chain->cap[i].reserved)
			return true;
	}
	return false;
}

/* Is [off, off + len) good by DESIGN's four checks, for a rule? Written byte by byte. */
static bool is_good(const struct gen_host *host, enum vfcap_rule rule, unsigned int off,
		    unsigned int len, unsigned int planned)
{
	unsigned int b, i;

	if (off % 4 || off < 0x100 || off + len > 0x1000)
		return false;
	for (i = 0; i < vf_chain.n; i++) {
		if (off > vf_chain.cap[i].offset && off < vf_chain.cap[i].offset + 8u)
			return false;
	}
	for (b = off; b < off + len; b++) {
		if (in_chain(&vf_chain, b))
			return false;
		for (i = 0; i < planned; i++) {
			const struct vfcap_placement *p = &plan.placement[i];

			if (b >= p->offset && b < p->offset + (unsigned int)p->length)
				return false;
		}
		if (rule == VFCAP_RULE_HEAD && b < off + 4)
			continue;
		if (host->vf[b] || host->siblings[b])
			return false;
		if ((rule == VFCAP_RULE_AFTER_LAST || rule == VFCAP_RULE_FREE_GAP) && host->pf[b] &&
		    !in_chain(&pf_chain, b))
			return false;
	}
	return true;
}

/* Which place must the rules give, trying all of them the slow way? 0: none. */
static unsigned int slow_plan(const struct gen_host *host, enum vfcap_emul e, unsigned int planned,
			      enum vfcap_rule *rule)
{
	unsigned int len = vfcap_emul_len(e), off, i, end = vfcap_chain_last_end(&vf_chain);

	*rule = VFCAP_RULE_HEAD;
	if (vf_chain.empty && !planned)
		return is_good(host, *rule, 0x100, len, 0) ? 0x100 : 0;
	*rule = VFCAP_RULE_PF_OFFSET;
	off = vfcap_chain_find(&pf_chain, vfcap_emul_id(e))->offset;
	if (is_good(host, *rule, off, len, planned))
		return off;
	*rule = VFCAP_RULE_AFTER_LAST;
	for (i = 0; i < planned; i++) {
		off = plan.placement[i].offset + (unsigned int)plan.placement[i].length;
		end = off > end ? off : end;
	}
	if (is_good(host, *rule, end, len, planned))
		return end;
	*rule = VFCAP_RULE_FREE_GAP;
	for (off = 0x100; off < 0x1000; off += 4) {
		if (is_good(host, *rule, off, len, planned))
			return off;
	}
	return 0;
}

/* Every candidate below the one that won, or every one there is, has an entry; none of them was
 * good. */
static void check_considered(const struct gen_host *host, enum vfcap_emul e, unsigned int planned,
			     unsigned int won, enum vfcap_rule rule)
{
	unsigned int i, off, next = 0x100, len = vfcap_emul_len(e);

	for (i = 0; i < plan.n_considered; i++) {
		const struct vfcap_considered *c = &plan.considered[i];

		if (c->emul != e)
			continue;
		HOLDS(c->code >= VFCAP_MISALIGNED && c->code < VFCAP_NO_ROOM);
		HOLDS(c->last >= c->offset &&
		      (c->last == c->offset || c->rule == VFCAP_RULE_FREE_GAP));
		for (off = c->offset; off <= c->last; off += 4)
			HOLDS(!is_good(host, c->rule, off, len, planned));
		if (c->rule != VFCAP_RULE_FREE_GAP)
			continue;
		HOLDS(c->offset == next);
		next = c->last + 4u;
	}
	if (won && rule == VFCAP_RULE_FREE_GAP)
		HOLDS(next == won);
	if (!won && !vf_chain.empty)
		HOLDS(next == 0x1000 - len + 4);
}

static void test_random(void **state)
{
	static struct gen_host host;
	unsigned int e, planned, want, placed = 0, lost = 0, got;
	enum vfcap_rule rule;

	(void)state;
	begin();
	wish.want[VFCAP_EMUL_PRI] = true;
	for (seed_now = 1; seed_now <= 20000; seed_now++) {
		gen_host(&host, seed_now);
		memcpy(vf, host.vf, sizeof(vf));
		memcpy(pf, host.pf, sizeof(pf));
		memcpy(siblings, host.siblings, sizeof(siblings));
		make_plan();
		HOLDS(!vf_chain.broken && !pf_chain.broken);
		for (e = planned = 0; e < VFCAP_EMULS; e++) {
			if (!vfcap_chain_find(&pf_chain, vfcap_emul_id((enum vfcap_emul)e))) {
				HOLDS(plan.refused[e] == VFCAP_PF_LACKS);
				continue;
			}
			want = slow_plan(&host, (enum vfcap_emul)e, planned, &rule);
			got = plan.refused[e] == VFCAP_OK ? plan.placement[planned].offset : 0;
			HOLDS(got == want);
			HOLDS(want || plan.refused[e] == VFCAP_NO_ROOM);
			HOLDS(!want || (plan.placement[planned].emul == (enum vfcap_emul)e &&
					plan.placement[planned].rule == rule));
			check_considered(&host, (enum vfcap_emul)e, planned, want, rule);
			planned += want != 0;
			placed += want != 0;
			lost += want == 0;
		}
		HOLDS(plan.n_placements == planned);
		check_guest(&host);
	}
	/* The hosts are worth the while: neither all easy nor all hopeless. */
	assert_true(placed > 10000 && lost > 500);
}

/* An empty chain begins with what was asked for at 0x100, be it PRI. */
static void test_pri_heads(void **state)
{
	static const struct vfcap_link chain[] = { { 0x100, 0x13 }, { 0x140, 0x1b } };

	(void)state;
	begin();
	memset(vf + VFCAP_EXT_BASE, 0, sizeof(vf) - VFCAP_EXT_BASE);
	wish.want[VFCAP_EMUL_PRI] = true;
	wish.explicit_at[VFCAP_EMUL_PASID] = wish.explicit_at[VFCAP_EMUL_PRI] = true;
	wish.at[VFCAP_EMUL_PASID] = 0x140;
	wish.at[VFCAP_EMUL_PRI] = 0x100;
	make_plan();
	expect_placed(0, VFCAP_EMUL_PRI, VFCAP_RULE_HEAD, 0x100, 0, 0x140);
	expect_placed(1, VFCAP_EMUL_PASID, VFCAP_RULE_EXPLICIT, 0x140, 0x100, 0);
	expect_chain(N(chain), chain);

	wish.want[VFCAP_EMUL_PRI] = false; /* what does not come heads nothing */
	make_plan();
	expect_refused(VFCAP_NO_ROOM);
	assert_int_equal(plan.considered[0].code, VFCAP_EMPTY_CHAIN);
}

/* What the kernel shows goes before what its release would have shown. */
static void test_visible(void **state)
{
	static const struct vfcap_link chain[] = { { 0x100, 0x01 }, { 0x200, 0x1b } };
	static const struct vfcap_link anchored[] = { { 0x100, 0x00 }, { 0x200, 0x1b } };
	static uint8_t shown[VFCAP_CFG_SIZE];
	static struct vfcap_image shown_image;
	static struct vfcap_chain shown_chain;

	(void)state;
	begin();
	memset(shown, 0, sizeof(shown));
	gen_cap(shown, 0x100, 0x01, 2, 0);
	vfcap_image_from_bytes(&shown_image, shown, sizeof(shown));
	vfcap_chain_walk(&shown_chain, &shown_image);
	in.visible = &shown_chain;
	make_plan();
	expect_placed(0, VFCAP_EMUL_PASID, VFCAP_RULE_PF_OFFSET, 0x200, 0x100, 0);
	expect_chain(N(chain), chain);

	shown_chain.n = 0; /* nothing at all: the head is hidden, and an anchor */
	make_plan();
	expect_placed(0, VFCAP_EMUL_PASID, VFCAP_RULE_PF_OFFSET, 0x200, 0x100, 0);
	expect_chain(N(anchored), anchored);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pf_offset),
		cmocka_unit_test(test_after_last),
		cmocka_unit_test(test_reserved),
		cmocka_unit_test(test_free_gap),
		cmocka_unit_test(test_merging),
		cmocka_unit_test(test_auto),
		cmocka_unit_test(test_many_losers),
		cmocka_unit_test(test_explicit),
		cmocka_unit_test(test_explicit_and_rule),
		cmocka_unit_test(test_pf_template),
		cmocka_unit_test(test_force_auto),
		cmocka_unit_test(test_head),
		cmocka_unit_test(test_head_nonzero),
		cmocka_unit_test(test_hidden_head),
		cmocka_unit_test(test_release),
		cmocka_unit_test(test_tail),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_pf_unknown),
		cmocka_unit_test(test_vf_unreadable),
		cmocka_unit_test(test_width),
		cmocka_unit_test(test_offered),
		cmocka_unit_test(test_forced_broken),
		cmocka_unit_test(test_holes),
		cmocka_unit_test(test_short_dump),
		cmocka_unit_test(test_reads_little),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_pri_heads),
		cmocka_unit_test(test_visible),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
