// SPDX-License-Identifier: GPL-2.0-or-later
/* What a guest reads at first, against the plan and against stock vfio-pci. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../unit/hostgen.h"
#include "vm-test.h"

/* What a guest is to read where stock vfio-pci shows that. */
static void expect_view(uint8_t view[CFG], const struct vfcap_plan *plan)
{
	const struct vfcap_placement *p = plan->placement;
	uint8_t *header;
	unsigned int i;

	for (i = 0; i < plan->n_placements; i++, p++) {
		header = view + p->after;
		if (p->after)
			vfcap_put_le32(header,
				       (vfcap_le32(header) & 0xfffff) | (uint32_t)p->offset << 20);
	}
	for (p = plan->placement; p < plan->placement + plan->n_placements; p++)
		memcpy(view + p->offset, p->bytes, p->length);
}

static bool chain_is(const uint8_t view[CFG], const struct vfcap_plan *plan)
{
	static struct vfcap_image img;
	static struct vfcap_chain chain;
	unsigned int i;
	bool good;

	vfcap_image_from_bytes(&img, view, CFG);
	vfcap_chain_walk(&chain, &img);
	good = chain.n == plan->n_links && !chain.broken;
	for (i = 0; good && i < chain.n; i++)
		good = chain.cap[i].offset == plan->link[i].offset &&
		       chain.cap[i].id == plan->link[i].id;
	for (i = 0; !good && i < chain.n; i++)
		printf("# chain: %#x at %#x\n", chain.cap[i].id, chain.cap[i].offset);
	return good;
}

static void check_view(const struct fn *fn, const uint8_t stock[CFG], const struct vfcap_wish *wish,
		       const char *what)
{
	static struct vfcap_plan plan;
	uint8_t want[CFG], got[CFG];
	struct vfio v;

	plan_for(&plan, fn, wish);
	memcpy(want, stock, CFG);
	expect_view(want, &plan);
	same(plan.n_placements, wish->want[0] + wish->want[1], "%s %s: there is a place", fn->addr,
	     what);
	if (!bind_anew(fn) || turn_by_plan(fn, &plan) || !vfio_open(&v, fn)) {
		ok(false, "%s %s: it opens", fn->addr, what);
		return;
	}
	same(cfg_read(&v, 0, got, CFG), CFG, "%s %s: all is read at once", fn->addr, what);
	ok(views_equal(got, want), "%s %s: it is what stock shows, with what was planned", fn->addr,
	   what);
	ok(knob_is(fn, "state", "open") && chain_is(got, &plan),
	   "%s %s: the chain is the planned one", fn->addr, what);
	vfio_close(&v);
}

void test_views(void)
{
	static const struct {
		unsigned int domain;
		int vf;
	} vfs[] = { { NIC, 0 },	    { CHAINS, 0 },  { CHAINS, 1 },  { CHAINS, 2 },
		    { CHAINS, 3 },  { CHAINS, 4 },  { CHAINS, 5 },  { CHAINS, 6 },
		    { CHAINS, 9 },  { CHAINS, 10 }, { CHAINS, 11 }, { CHAINS, 12 },
		    { CHAINS, 13 }, { CHAINS, 14 }, { CHAINS, 15 }, { CHAINS, 16 } };
	struct vfcap_wish pasid = { .want = { true, false } }, both = { .want = { true, true } };
	struct vfcap_wish gap = { .want = { true, true }, .rule = VFCAP_RULE_FREE_GAP };
	struct vfcap_wish pri_first = { .want = { true, true },
					.explicit_at = { true, true },
					.at = { 0x800, 0x400 } };
	uint8_t stock[CFG];
	unsigned int i;

	for (i = 0; i < N(vfs); i++) {
		struct fn fn = fn_of(vfs[i].domain, vfs[i].vf);
		bool empty = fn.domain == CHAINS && vfs[i].vf < 2;

		if (!stock_view(&fn, stock)) {
			ok(false, "%s opens with vfio-pci", fn.addr);
			continue;
		}
		pri_first.at[1] = empty ? 0x100 : 0x400;
		pri_first.force =
			fn.domain == CHAINS && vfs[i].vf == 1; /* its registers are all ones */
		check_view(&fn, stock, &pri_first, "PRI before PASID");
		if (pri_first.force)
			continue;
		check_view(&fn, stock, &pasid, "PASID");
		check_view(&fn, stock, &both, "both");
		check_view(&fn, stock, &gap, "both in gaps");
	}
}

/* ------------------------------------------------------------------------------- random chains -- */

/* A run of one of these makes vfio-pci read past its tables of what is virtual, and what that
 * gives is nobody's. */
static bool has_run_of_tables(const struct vfcap_chain *chain)
{
	unsigned int i, k;

	for (i = 0; i < chain->n; i++) {
		for (k = 0; k < chain->n; k++) {
			if ((chain->cap[i].id & 0xff) == (chain->cap[k].id & 0xff) && i != k &&
			    ((chain->cap[i].id & 0xff) == VFCAP_ID_AER ||
			     (chain->cap[i].id & 0xff) == 4))
				return true;
		}
	}
	return false;
}

/* Is the visible chain what a guest of stock vfio-pci finds? */
static bool stock_is_foreseen(const struct vfcap_chain *chain, const uint8_t stock[CFG])
{
	static struct vfcap_link links[VFCAP_CHAIN_MAX];
	unsigned int i, n = vfcap_chain_visible(chain, this_release(), links), off = 0x100;
	uint32_t header = 0;

	for (i = 0; i < n; i++, off = header >> 20 & 0xffc) {
		header = vfcap_le32(stock + off);
		if (off != links[i].offset || (header & 0xffff) != links[i].id)
			break;
	}
	if (i == n && (off < 0x100 || !vfcap_le32(stock + off)))
		return true;
	printf("# stock: link %u of %u is %#x at %#x\n", i, n, header & 0xffff, off);
	return false;
}

/* One random function: stock vfio-pci shows what the core says, and the driver adds what was
 * planned. */
static bool random_is_right(const struct fn *fn, uint64_t seed, unsigned int *placed)
{
	static struct gen_host host;
	static struct vfcap_plan plan;
	static struct vfcap_image img;
	static struct vfcap_chain chain;
	struct vfcap_wish wish = { .want = { true, false } };
	uint8_t view[CFG], got[CFG];
	struct vfio v;
	bool good;

	gen_host(&host, seed);
	vfcap_image_from_bytes(&img, host.vf, CFG);
	vfcap_chain_walk(&chain, &img);
	if (has_run_of_tables(&chain))
		return true;
	poke_image(fn, 0x100, host.vf + 0x100, CFG - 0x100);
	if (!stock_view(fn, view) || (!chain.empty && !stock_is_foreseen(&chain, view)))
		return false;
	plan_for(&plan, fn, &wish);
	expect_view(view, &plan);
	if (!plan.n_placements)
		return true;
	++*placed;
	if (!bind_anew(fn) || turn_by_plan(fn, &plan) || !vfio_open(&v, fn))
		return false;
	good = cfg_read(&v, 0, got, CFG) == CFG && views_equal(got, view) && chain_is(got, &plan);
	vfio_close(&v);
	return turn(fn, "pasid_offset", "0") == 0 && good;
}

void test_random_views(void)
{
	unsigned int wrong = 0, placed = 0;
	uint64_t seed;
	struct fn fn;

	make_vfs(MANY, 1);
	fn = fresh(MANY, 0);
	for (seed = 1; seed <= 150; seed++) {
		if (random_is_right(&fn, seed, &placed))
			continue;
		printf("# seed %u\n", (unsigned int)seed);
		wrong++;
	}
	same(wrong, 0, "random chains with runs of one ID, by stock and by the driver");
	ok(placed > 80, "%u of them with PASID", placed);
	make_vfs(MANY, 1);
}

/* A VSEC whose length ends inside of its header: vfio-pci serves the rest of that raw, its link as well. */
void test_short_views(void)
{
	struct vfcap_wish last = { .want = { true, false }, .rule = VFCAP_RULE_AFTER_LAST };
	struct vfcap_wish gap = { .want = { true, false }, .rule = VFCAP_RULE_FREE_GAP };
	uint8_t caps[0x90] = { 0 }, stock[CFG];
	unsigned int len;
	struct fn fn;

	make_vfs(MANY, 1);
	fn = fresh(MANY, 0);
	gen_cap(caps, 0x00, VFCAP_ID_VSEC, 1, 0x120);
	gen_cap(caps, 0x20, 0x1f, 1, 0x140); /* PTM */
	gen_cap(caps, 0x40, 0x0e, 1, 0x150);
	gen_cap(caps, 0x50, VFCAP_ID_VSEC, 1, 0x180);
	gen_cap(caps, 0x80, 0x0e, 1, 0);
	for (len = 1; len <= 5; len++) {
		gen_put32(caps, 0x04, len << 20 | 1);
		gen_put32(caps, 0x54, len << 20 | 1);
		poke_image(&fn, 0x100, caps, sizeof(caps));
		ok(stock_view(&fn, stock), "a VSEC of %u bytes opens with vfio-pci", len);
		check_view(&fn, stock, &last, "behind all");
		check_view(&fn, stock, &gap, "between them");
	}
	make_vfs(MANY, 1);
}

/* Nothing wanted, nothing changed. */
void test_off(void)
{
	struct fn fn = fn_of(CHAINS, 5);
	uint8_t stock[CFG], got[CFG];
	struct vfio v;

	ok(stock_view(&fn, stock), "stock vfio-pci opens");
	fresh(CHAINS, 5);
	ok(vfio_open(&v, &fn) && cfg_read(&v, 0, got, CFG) == CFG && views_equal(got, stock),
	   "with the knob off it is stock vfio-pci");
	ok(knob_is(&fn, "state", "open"), "and is open");
	vfio_close(&v);
	ok(knob_is(&fn, "state", "off"), "and closed");
}

/* What the bytes must be, by hand. */
void test_bytes(void)
{
	static const uint8_t pri[] = { 0x13, 0, 0x01, 0x1c, 0, 0, 0, 0x81, 0, 2, 0, 0, 0, 0, 0, 0 };
	static const uint8_t pasid[] = { 0x1b, 0, 0x01, 0, 0x06, 0x14, 0, 0 };
	uint8_t got[CFG];
	struct vfio v;
	struct fn fn = fresh_open(0, &v);

	ok(knob_is(&fn, "pasid_shown", "0x1c0") && knob_is(&fn, "pri_shown", "0x1b0"),
	   "both are shown");
	cfg_read(&v, 0, got, CFG);
	ok(!memcmp(got + PRI, pri, sizeof(pri)),
	   "PRI: stopped, nothing allocated, though the PF's is on");
	ok(!memcmp(got + PASID, pasid, sizeof(pasid)), "PASID: off, though the PF's is on");
	same(vfcap_le32(got + 0x150) >> 20, PRI, "ARI leads to PRI");
	vfio_close(&v);
	ok(knob_is(&fn, "pasid_shown", "0") && knob_is(&fn, "state", "ready"),
	   "closed, nothing is shown");

	turn(&fn, "pasid_width", "8");
	ok(vfio_open(&v, &fn), "it opens again");
	same(cfg_get(&v, PASID + 4, 2), 0x0806, "no wider than the knob says");
	vfio_close(&v);
}

static unsigned int shown_cap(const struct fn *fn, unsigned int pasid)
{
	unsigned int cap = 0;
	struct vfio v;

	if (vfio_open(&v, fn))
		cap = cfg_get(&v, pasid + 4, 2);
	vfio_close(&v);
	return cap;
}

/* A guest is offered what works: no more bits than the IOMMU has, and the modes that the PF has on. */
void test_offered(void)
{
	static const char bits[] = "../../module/vfcap_testbus/parameters/pasid_bits";
	struct fn fn;

	put("16", bits);
	make_vfs(MANY, 1);
	fn = fresh(MANY, 0);
	turn_to(&fn, "pasid_offset", PASID);
	same(shown_cap(&fn, PASID) >> 8, 16, "no wider than the IOMMU's PASIDs");
	same(turn(&fn, "pasid_width", "18"), 0, "a width above the IOMMU's is accepted");
	same(shown_cap(&fn, PASID) >> 8, 16, "and cut at the open");
	same(turn(&fn, "pasid_width", "21"), -ERANGE, "one above the PF's is not");
	turn(&fn, "pasid_width", "7");
	same(shown_cap(&fn, PASID) >> 8, 7, "the knob's is less");
	turn(&fn, "pasid_width", "0");
	put("0", bits);
	make_vfs(MANY, 1);
	fn = fresh(MANY, 0);
	turn_to(&fn, "pasid_offset", PASID);
	same(shown_cap(&fn, PASID) >> 8, 20, "an IOMMU that does not tell limits nothing");
	put("20", bits);
	make_vfs(MANY, 1);

	fn = fresh(NIC, 0);
	turn_to(&fn, "pasid_offset", PASID);
	set_pf(PASID + 6, 1);
	same(shown_cap(&fn, PASID), 0x1400, "no mode is on in the PF");
	set_pf(PASID + 6, 3);
	same(shown_cap(&fn, PASID), 0x1402, "only execute is");
	set_pf(PASID + 6, 7);
	same(shown_cap(&fn, PASID), 0x1406, "both are");
}
