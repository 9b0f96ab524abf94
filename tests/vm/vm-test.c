// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The module on a real kernel, over the hosts of hosts.host on the test bus. What it shows is held against
 * the core's plan of the same images, and against what stock vfio-pci shows of the same function.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../src/uapi/vfcap-vfio.h"
#include "guest.h"

#define DRIVER "vfcap-vfio-pci"
#define NIC 0xfa00 /* the domains of the hosts, by what is on them */
#define CHAINS 0xfa01
#define BARE 0xfa02
#define OFF 0xfa03
#define MANY 0xfa04

#define EXPRESS 0x40
#define N(a) (sizeof(a) / sizeof((a)[0]))

static const char *const offset_attrs[VFCAP_EMULS] = { "pasid_offset", "pri_offset" };

/* ---------------------------------------------------------------------------------- what is wanted -- */

static uint32_t this_release(void)
{
	struct utsname uts;
	unsigned int major = 0, minor = 0;

	uname(&uts);
	sscanf(uts.release, "%u.%u", &major, &minor);
	return VFCAP_RELEASE(major, minor);
}

/* Plans as the tool does. */
static void plan_for(struct vfcap_plan *plan, const struct fn *fn, const struct vfcap_wish *wish)
{
	static struct vfcap_image vf, pf;
	static struct vfcap_chain vf_chain, pf_chain;
	static uint8_t bytes[CFG];
	struct vfcap_plan_input in = { .vf = &vf,
				       .pf = &pf,
				       .vf_chain = &vf_chain,
				       .pf_chain = &pf_chain,
				       .is_vf = true,
				       .release = this_release() };
	struct fn physical = fn_of(fn->domain, PF);

	read_image(fn, bytes);
	vfcap_image_from_bytes(&vf, bytes, CFG);
	read_image(&physical, bytes);
	vfcap_image_from_bytes(&pf, bytes, CFG);
	vfcap_chain_walk(&vf_chain, &vf);
	vfcap_chain_walk(&pf_chain, &pf);
	vfcap_plan_make(plan, &in, wish);
}

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

static bool views_equal(const uint8_t *got, const uint8_t *want)
{
	unsigned int i, shown = 0;

	for (i = 0; i < CFG && shown < 8; i++) {
		if (got[i] != want[i]) {
			printf("# at %#x: %02x, wanted %02x\n", i, got[i], want[i]);
			shown++;
		}
	}
	return !shown;
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

static bool stock_view(const struct fn *fn, uint8_t view[CFG])
{
	struct vfio v;
	bool good;

	if (!bind_to(fn, "vfio-pci") || !vfio_open(&v, fn))
		return false;
	good = cfg_read(&v, 0, view, CFG) == CFG;
	vfio_close(&v);
	return good;
}

/* Turns the knob by a plan; what is at 0x100 must come first and go last. */
static int turn_by_plan(const struct fn *fn, const struct vfcap_plan *plan)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < plan->n_placements && !ret; i++)
		ret = turn_to(fn, offset_attrs[plan->placement[i].emul], plan->placement[i].offset);
	return ret;
}

/* Binds VF n of a domain, with a knob at its defaults. */
static struct fn fresh(unsigned int domain, int n)
{
	struct fn fn = fn_of(domain, n);

	if (!bind_to(&fn, DRIVER))
		ok(false, "%s is bound", fn.addr);
	return fn;
}

/* The NIC's VF n with PASID at 0x1c0 and PRI at 0x1b0, as its PF has them, and open. */
#define PASID 0x1c0
#define PRI 0x1b0
static struct fn fresh_open(int n, struct vfio *v)
{
	struct fn fn = fresh(NIC, n);

	if (turn_to(&fn, "pasid_offset", PASID) || turn_to(&fn, "pri_offset", PRI) ||
	    !vfio_open(v, &fn))
		ok(false, "%s shows PASID and PRI", fn.addr);
	return fn;
}

/* -------------------------------------------------------------------------------- driver and knob -- */

static void test_binding(void)
{
	struct fn pf = fn_of(NIC, PF), vf = fn_of(NIC, 0);

	put(pf.addr, "devices/%s/driver/unbind", pf.addr);
	put(DRIVER, "devices/%s/driver_override", pf.addr);
	same(put(pf.addr, "drivers/" DRIVER "/bind"), -ENODEV, "a PF is refused");
	ok(make_vfs(NIC, 8), "the NIC has VFs");
	ok(make_vfs(CHAINS, 12), "VFs of every sort of chain");
	ok(make_vfs(BARE, 1) && make_vfs(OFF, 1), "VFs of lesser PFs");
	ok(bind_to(&vf, DRIVER), "a VF is bound");
	ok(knob_is(&vf, "abi", "1") && knob_is(&vf, "state", "off") &&
		   knob_is(&vf, "pasid_offset", "0") && knob_is(&vf, "pri_offset", "0") &&
		   knob_is(&vf, "pasid_width", "0") && knob_is(&vf, "pasid_shown", "0") &&
		   knob_is(&vf, "pri_shown", "0"),
	   "the knob begins with its defaults");
	same(turn(&vf, "pasid_offset", "0x200"), 0, "PASID is turned on");
	ok(knob_is(&vf, "pasid_offset", "0x200") && knob_is(&vf, "state", "ready"),
	   "and the knob says so");
	ok(bind_to(&vf, DRIVER) && knob_is(&vf, "pasid_offset", "0") &&
		   knob_is(&vf, "state", "off"),
	   "another binding begins anew");
}

/* Writes in this order to one VF each; what fails changes nothing. */
struct attempt {
	unsigned int domain;
	int vf;
	const char *attr, *text;
	int ret;
};

static const struct attempt attempts[] = {
	{ NIC, 0, "pasid_offset", "junk", -EINVAL },
	{ NIC, 0, "pasid_offset", "", 0 }, /* nothing is written */
	{ NIC, 0, "pasid_offset", "-4", -EINVAL },
	{ NIC, 0, "pasid_offset", "0x10000000200", -EINVAL },
	{ NIC, 0, "pasid_offset", "0x202", -EINVAL },
	{ NIC, 0, "pasid_offset", "0xfc", -EINVAL },
	{ NIC, 0, "pasid_offset", "0x1000", -EINVAL },
	{ NIC, 0, "pasid_offset", "0xffc", -EINVAL },
	{ NIC, 0, "pri_offset", "0xff4", -EINVAL },
	{ NIC, 0, "pasid_offset", "0x104", -EINVAL }, /* AER */
	{ NIC, 0, "pasid_offset", "0x12c", -EINVAL }, /* AER, what it may have */
	{ NIC, 0, "pasid_offset", "0x154", -EINVAL }, /* ARI */
	{ NIC, 0, "pri_offset", "0x144", -EINVAL }, /* ends in ARI */
	{ NIC, 0, "pasid_offset", "0xff8", 0 },
	{ NIC, 0, "pasid_offset", "512", 0 },
	{ NIC, 0, "pri_offset", "0x200", -EINVAL },
	{ NIC, 0, "pri_offset", "0x204", -EINVAL },
	{ NIC, 0, "pri_offset", "0x1f4", -EINVAL },
	{ NIC, 0, "pri_offset", "0x1f0", 0 },
	{ NIC, 0, "pasid_offset", "0x1fc", -EINVAL },
	{ NIC, 0, "pri_offset", "0x208\n", 0 },
	{ NIC, 0, "pasid_offset", "0x210", -EINVAL },
	{ NIC, 0, "pri_offset", "0", 0 },
	{ NIC, 0, "pasid_offset", "0x210", 0 },
	{ NIC, 0, "pasid_width", "many", -EINVAL },
	{ NIC, 0, "pasid_width", "-1", -EINVAL },
	{ NIC, 0, "pasid_width", "21", -ERANGE },
	{ NIC, 0, "pasid_width", "277", -ERANGE },
	{ NIC, 0, "pasid_width", "20", 0 },
	{ NIC, 0, "pasid_width", "1", 0 },
	{ NIC, 0, "pasid_width", "0", 0 },
	{ BARE, 0, "pasid_offset", "0x200", -EOPNOTSUPP },
	{ BARE, 0, "pasid_width", "1", -EOPNOTSUPP },
	{ BARE, 0, "pri_offset", "0x200", -EOPNOTSUPP },
	{ OFF, 0, "pri_offset", "0x200", -EOPNOTSUPP },
	{ OFF, 0, "pasid_offset", "0x200", 0 }, /* off now is no error */
	{ CHAINS, 0, "pasid_offset", "0x104", -EINVAL }, /* empty: the first one is the head */
	{ CHAINS, 0, "pri_offset", "0x110", -EINVAL },
	{ CHAINS, 0, "pri_offset", "0x100", 0 },
	{ CHAINS, 0, "pasid_offset", "0x110", 0 },
	{ CHAINS, 0, "pri_offset", "0", -EINVAL },
	{ CHAINS, 0, "pri_offset", "0x120", -EINVAL },
	{ CHAINS, 0, "pasid_offset", "0", 0 },
	{ CHAINS, 0, "pri_offset", "0", 0 },
	{ CHAINS, 0, "pasid_offset", "0x100", 0 },
	{ CHAINS, 0, "pri_offset", "0x108", 0 },
	{ CHAINS, 0, "pasid_offset", "0", -EINVAL },
	{ CHAINS, 1, "pasid_offset", "0x200", -EINVAL }, /* all ones is empty, too */
	{ CHAINS, 1, "pasid_offset", "0x100", 0 },
	{ CHAINS, 2, "pasid_offset", "0x100", -EINVAL }, /* hidden, but there */
	{ CHAINS, 7, "pasid_offset", "0x200", -EINVAL }, /* it has its own */
	{ CHAINS, 7, "pri_offset", "0x200", 0 },
	{ CHAINS, 8, "pasid_offset", "0x200", -EINVAL }, /* a loop */
	{ CHAINS, 9, "pasid_offset", "0x200", 0 }, /* a register there: the tool's to judge */
	{ CHAINS, 10, "pasid_offset", "0xff0", 0 },
	{ CHAINS, 10, "pasid_offset", "0xff4", -EINVAL },
	{ CHAINS, 11, "pasid_offset", "0x104", -EINVAL }, /* too close to the Null capability */
	{ CHAINS, 11, "pasid_offset", "0x108", 0 },
};

static void test_knob(void)
{
	const struct attempt *a;
	char before[128], after[128];
	int ret;

	for (a = attempts; a < attempts + N(attempts); a++) {
		struct fn fn = fn_of(a->domain, a->vf);

		if (a == attempts || a->domain != a[-1].domain || a->vf != a[-1].vf)
			fresh(a->domain, a->vf);
		get(before, "devices/%s/vfcap/%s", fn.addr, a->attr);
		ret = turn(&fn, a->attr, a->text);
		same(ret, a->ret, "%s %s: %.*s", fn.addr, a->attr, (int)strcspn(a->text, "\n"),
		     a->text);
		get(after, "devices/%s/vfcap/%s", fn.addr, a->attr);
		if (a->ret && strcmp(before, after))
			ok(false, "and it stays %s (now %s)", before, after);
		if (!a->ret && *a->text && strtoul(after, NULL, 0) != strtoul(a->text, NULL, 0))
			ok(false, "and it is taken (now %s)", after);
	}
}

static void test_unreadable(void)
{
	struct fn vf = fresh(NIC, 1), pf = fn_of(NIC, PF);
	uint8_t ones[CFG], kept[CFG];

	memset(ones, 0xff, CFG);
	read_image(&vf, kept);
	poke_image(&vf, 0, ones, CFG);
	same(turn(&vf, "pasid_offset", "0x200"), -EIO, "a VF that does not answer");
	ok(knob_is(&vf, "pasid_offset", "0"), "changes nothing");
	poke_image(&vf, 0, kept, CFG);
	read_image(&pf, kept);
	poke_image(&pf, 0, ones, CFG);
	same(turn(&vf, "pasid_offset", "0x200"), -EIO, "a PF that does not answer");
	same(turn(&vf, "pasid_width", "3"), -EIO, "nor tells its width");
	poke_image(&pf, 0, kept, CFG);
	same(turn(&vf, "pasid_offset", "0x200"), 0, "both answer again");
}

/* ------------------------------------------------------------------------------------------ views -- */

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
	if (!bind_to(fn, DRIVER) || turn_by_plan(fn, &plan) || !vfio_open(&v, fn)) {
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

static void test_views(void)
{
	static const struct {
		unsigned int domain;
		int vf;
	} vfs[] = { { NIC, 0 },	   { CHAINS, 0 },  { CHAINS, 1 }, { CHAINS, 2 },
		    { CHAINS, 3 }, { CHAINS, 4 },  { CHAINS, 5 }, { CHAINS, 6 },
		    { CHAINS, 9 }, { CHAINS, 10 }, { CHAINS, 11 } };
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

/* Nothing wanted, nothing changed. */
static void test_off(void)
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
static void test_bytes(void)
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

/* --------------------------------------------------------------------------------------- accesses -- */

/* Every offset around both, every length: the same bytes as in one read of all. */
static void test_reads(void)
{
	uint8_t all[CFG], some[64];
	unsigned int off, len, wrong = 0;
	struct vfio v;

	fresh_open(0, &v);
	cfg_put(&v, PASID + 6, 2, 5);
	cfg_put(&v, PRI + 0xc, 4, 0x12345678);
	cfg_read(&v, 0, all, CFG);
	for (off = PRI - 36; off < PASID + 16; off++) {
		for (len = 1; len <= 40; len++) {
			memset(some, 0xa5, sizeof(some));
			if (cfg_read(&v, off, some, len) != (int)len ||
			    memcmp(some, all + off, len))
				wrong++;
		}
	}
	same(wrong, 0, "reads of every length at every offset");
	same(cfg_read(&v, 0xffc, some, 8), -EFAULT, "a read past the end is refused as stock does");
	same(cfg_read(&v, 0x1000, some, 1), -EFAULT, "and one behind it");
	vfio_close(&v);

	/* The last bytes there are. */
	{
		struct fn fn = fresh(NIC, 2);

		turn_to(&fn, "pasid_offset", 0xff8);
		ok(vfio_open(&v, &fn), "PASID at the very end");
		same(cfg_get(&v, 0xffc, 4), 0x1406, "is read");
		same(cfg_write(&v, 0xffe, "\xff\xff\xff\xff", 4), -EFAULT,
		     "a write past the end is refused");
		same(cfg_get(&v, 0xffe, 2), 0, "all of it");
		same(cfg_put(&v, 0xffe, 2, 0xffff), 2, "the last register is written");
		same(cfg_get(&v, 0xffe, 2), 7, "under its mask");
		vfio_close(&v);
	}
}

static void test_masks(void)
{
	struct vfio v;

	fresh_open(0, &v);
	cfg_put(&v, PASID, 4, 0xffffffff);
	same(cfg_get(&v, PASID, 4), 0x0001001b, "PASID header: read-only");
	cfg_put(&v, PASID + 4, 2, 0xffff);
	same(cfg_get(&v, PASID + 4, 2), 0x1406, "PASID capability: read-only");
	cfg_put(&v, PASID + 4, 4, 0xffffffff);
	same(cfg_get(&v, PASID + 4, 4), 0x00071406, "PASID control: three bits");
	cfg_put(&v, PASID + 6, 1, 0x01);
	same(cfg_get(&v, PASID + 6, 2), 1, "PASID control: by a byte");
	cfg_put(&v, PASID + 7, 1, 0xff);
	same(cfg_get(&v, PASID + 6, 2), 1, "PASID control: nothing in its upper byte");
	cfg_put(&v, PRI + 4, 2, 1);
	same(cfg_get(&v, PRI + 4, 4), 0x80000001, "PRI enabled is not stopped");
	cfg_put(&v, PRI + 6, 2, 0xffff);
	same(cfg_get(&v, PRI + 4, 4), 0x80000001, "PRI status: no bit can be set");
	cfg_put(&v, PRI + 8, 4, 0);
	same(cfg_get(&v, PRI + 8, 4), 512, "PRI capacity: read-only");
	cfg_put(&v, PRI + 0xc, 4, 0xdeadbeef);
	same(cfg_get(&v, PRI + 0xc, 4), 0xdeadbeef, "PRI allocation: read and write");
	cfg_put(&v, PRI + 4, 2, 2);
	same(cfg_get(&v, PRI + 4, 4), 0x81000000, "PRI switched off is stopped, and RESET reads 0");
	vfio_close(&v);
}

/* Random writes over both and their neighbourhood, against the core's shadow; counted on the bus. */
static void test_writes(void)
{
	static struct vfcap_plan plan;
	struct vfcap_wish wish = { .want = { true, true } };
	uint32_t before[CFG / 4], after[CFG / 4];
	uint8_t bytes[64], want[64], got[64];
	unsigned int i, off, len, n, done, wrong = 0, through = 0;
	struct vfcap_shadow shadow;
	struct vfio v;
	struct fn fn = fresh_open(0, &v);
	bool inside;

	plan_for(&plan, &fn, &wish);
	vfcap_shadow_init(&shadow, &plan);
	read_writes(&fn, before);
	srand(1);
	for (i = 0; i < 4000; i++) {
		off = PRI - 16 + (unsigned int)rand() % 48;
		len = 1 + (unsigned int)rand() % 32;
		for (n = 0; n < len; n++)
			bytes[n] = (uint8_t)(rand() >> 8);
		if (cfg_write(&v, off, bytes, len) != (int)len)
			wrong++;
		for (done = 0; done < len; done += n) {
			n = vfcap_shadow_span(&shadow, off + done, len - done, &inside);
			if (inside)
				vfcap_shadow_write(&shadow, off + done, n, bytes + done);
		}
		cfg_read(&v, PRI, got, 24);
		vfcap_shadow_read(&shadow, PRI, 16, want);
		vfcap_shadow_read(&shadow, PASID, 8, want + 16);
		wrong += memcmp(got, want, 24) != 0;
	}
	same(wrong, 0, "random writes of every length leave what the core says");
	read_writes(&fn, after);
	for (i = PRI / 4; i < (PASID + 8) / 4; i++)
		through += after[i] - before[i];
	same(through, 0, "none of them reached the hardware");
	ok(after[PRI / 4 - 1] > before[PRI / 4 - 1] &&
		   after[(PASID + 8) / 4] > before[(PASID + 8) / 4],
	   "and their neighbours' did");
	vfio_close(&v);
}

/* One hammers at the control, one resets; whatever is read meanwhile was masked. */
struct race {
	const struct vfio *v;
	volatile bool stop;
	unsigned int rounds;
};

static void *hammer(void *arg)
{
	struct race *race = arg;
	uint8_t ones[24];

	memset(ones, 0xff, sizeof(ones));
	while (!race->stop) {
		cfg_write(race->v, PRI, ones, sizeof(ones));
		cfg_put(race->v, PASID + 6, 2, 0);
		race->rounds++;
	}
	return NULL;
}

static void *reset_again(void *arg)
{
	struct race *race = arg;

	while (!race->stop)
		ioctl(race->v->device, VFIO_DEVICE_RESET);
	return NULL;
}

static void test_race(void)
{
	static const uint8_t may[24] = { 0x13, 0, 0x01, 0x1c, 0x01, 0,	  0,	0x81,
					 0,    2, 0,	0,    0xff, 0xff, 0xff, 0xff,
					 0x1b, 0, 0x01, 0,    0x06, 0x14, 0x07, 0 };
	unsigned int i, k, wrong = 0;
	pthread_t threads[2];
	struct race race;
	uint8_t got[24];
	struct vfio v;

	fresh_open(0, &v);
	race = (struct race){ .v = &v };
	pthread_create(&threads[0], NULL, hammer, &race);
	pthread_create(&threads[1], NULL, reset_again, &race);
	for (i = 0; i < 20000 || !race.rounds; i++) {
		cfg_read(&v, PRI, got, sizeof(got));
		for (k = 0; k < sizeof(got); k++)
			wrong += (got[k] & ~may[k]) != 0;
	}
	race.stop = true;
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	same(wrong, 0, "no reader sees a bit that was not masked (%u rounds)", race.rounds);
	vfio_close(&v);
}

/* ----------------------------------------------------------------------------------------- resets -- */

static void dirty(const struct vfio *v)
{
	cfg_put(v, PASID + 6, 2, 7);
	cfg_put(v, PRI + 4, 2, 1);
	cfg_put(v, PRI + 0xc, 4, 99);
}

static bool is_dirty(const struct vfio *v)
{
	return cfg_get(v, PASID + 4, 4) == 0x00071406 && cfg_get(v, PRI + 4, 4) == 0x80000001 &&
	       cfg_get(v, PRI + 0xc, 4) == 99;
}

static bool is_clean(const struct vfio *v)
{
	return cfg_get(v, PASID + 4, 4) == 0x00001406 && cfg_get(v, PRI + 4, 4) == 0x81000000 &&
	       cfg_get(v, PRI + 8, 4) == 512 && cfg_get(v, PRI + 0xc, 4) == 0 &&
	       cfg_get(v, PASID, 4) == 0x0001001b &&
	       cfg_get(v, PRI, 4) == (0x00010013 | PASID << 20);
}

static void test_resets(void)
{
	struct vfio v;
	struct fn fn = fresh_open(0, &v);

	dirty(&v);
	ok(is_dirty(&v), "controls are set");
	ok(!ioctl(v.device, VFIO_DEVICE_RESET) && is_clean(&v), "VFIO_DEVICE_RESET clears them");
	dirty(&v);
	cfg_put(&v, EXPRESS + 8, 2, 0x8000);
	ok(is_clean(&v), "a guest's FLR clears them");
	dirty(&v);
	same(put("1", "devices/%s/reset", fn.addr), 0, "a reset by sysfs");
	ok(is_clean(&v), "clears them");
	dirty(&v);
	vfio_close(&v);
	ok(vfio_open(&v, &fn) && is_clean(&v), "and so does another open");
	ok(!ioctl(v.device, VFIO_DEVICE_RESET) && is_clean(&v), "clean stays clean");
	vfio_close(&v);
	same(put("1", "devices/%s/reset", fn.addr), 0, "a reset of the closed device");
	ok(vfio_open(&v, &fn) && is_clean(&v), "harms nothing");
	vfio_close(&v);
}

/* ------------------------------------------------------------------------------------ open, unbind -- */

static void test_two_openers(void)
{
	struct vfio v, second;
	struct fn fn = fresh_open(0, &v);

	second = v;
	second.device = ioctl(v.group, VFIO_GROUP_GET_DEVICE_FD, fn.addr);
	ok(second.device >= 0, "the device is opened twice");
	cfg_put(&v, PASID + 6, 2, 3);
	same(cfg_get(&second, PASID + 6, 2), 3, "both see the same");
	same(turn(&fn, "pasid_offset", "0"), -EBUSY, "the knob stands still");
	same(turn(&fn, "pasid_width", "3"), -EBUSY, "all of it");
	close(second.device);
	ok(knob_is(&fn, "state", "open"), "one is left");
	same(cfg_get(&v, PASID + 6, 2), 3, "and sees what it did");
	vfio_close(&v);
	same(turn(&fn, "pasid_offset", "0"), 0, "none is left: the knob turns");
}

static void test_rmmod(void)
{
	struct vfio v;

	fresh_open(0, &v);
	ok(syscall(SYS_delete_module, "vfcap_vfio_pci", O_NONBLOCK) < 0,
	   "the module stays while it is used");
	vfio_close(&v);
}

static int write_to(const char *text, const char *file)
{
	return put(text, "%s", file);
}

static int delete_module(const char *name, const char *none)
{
	(void)none;
	return (int)syscall(SYS_delete_module, name, 0);
}

/* Takes the device away while it is open, in a process of its own: that waits for the last close. */
static void take_away(int (*act)(const char *arg, const char *file), const char *arg,
		      const char *file, const char *what)
{
	struct vfio v;
	struct fn fn = fresh_open(3, &v);
	char buf[128];
	pid_t pid;
	int status = 1;

	cfg_put(&v, PASID + 6, 2, 1);
	pid = fork();
	if (!pid) {
		close(v.device); /* the parent's is the one that counts */
		close(v.group);
		close(v.container);
		_exit(act(arg, file) != 0);
	}
	usleep(500000);
	same(waitpid(pid, &status, WNOHANG), 0, "%s waits for the device to be closed", what);
	same(cfg_get(&v, PASID + 6, 2), 1, "%s: it works meanwhile", what);
	same(*get(buf, "devices/%s/vfcap/state", fn.addr), 0, "%s: the knob is gone", what);
	vfio_close(&v);
	waitpid(pid, &status, 0);
	same(status, 0, "%s is done then", what);
}

static void test_take_away(void)
{
	struct fn fn = fn_of(NIC, 3), pf = fn_of(NIC, PF);
	char path[64];

	snprintf(path, sizeof(path), "drivers/%s/unbind", DRIVER);
	take_away(write_to, fn.addr, path, "unbinding");
	snprintf(path, sizeof(path), "devices/%s/sriov_numvfs", pf.addr);
	take_away(write_to, "0", path, "sriov_numvfs 0");
	ok(make_vfs(NIC, 8), "and VFs come again");
}

/* A device that vanishes while it is open answers as stock does, and goes without trouble. */
static void test_vanish(void)
{
	struct vfio v;
	struct fn fn = fresh_open(4, &v);
	uint8_t ones[CFG];
	char buf[128];

	cfg_put(&v, PASID + 6, 2, 1);
	memset(ones, 0xff, CFG);
	poke_image(&fn, 0, ones, CFG);
	same(cfg_get(&v, PASID + 6, 2), 1, "what is emulated is still there");
	same(cfg_get(&v, 0x800, 4), 0xffffffff, "and the hardware is not");
	ok(strlen(get(buf, "devices/%s/vfcap/state", fn.addr)), "the knob answers: %s", buf);
	vfio_close(&v);
	same(turn(&fn, "pasid_offset", "0x200"), -EIO, "and knows that nothing is there");
	make_vfs(NIC, 8);
}

/* -------------------------------------------------------------------------------------- the PF off -- */

static void set_pf(unsigned int off, uint8_t val)
{
	struct fn pf = fn_of(NIC, PF);

	poke_image(&pf, off, &val, 1);
}

static void test_pf_off(void)
{
	struct vfio v;
	struct fn fn = fresh(NIC, 0);
	uint8_t ones[CFG], kept[CFG];
	struct fn pf = fn_of(NIC, PF);

	turn_to(&fn, "pasid_offset", PASID);
	turn_to(&fn, "pri_offset", PRI);
	set_pf(PASID + 6, 0);
	ok(vfio_open(&v, &fn), "it opens with the PF's PASID off");
	ok(knob_is(&fn, "pasid_shown", "0") && knob_is(&fn, "pri_shown", "0x1b0") &&
		   knob_is(&fn, "state", "hidden: pasid: pf-off"),
	   "PASID is hidden, PRI is not");
	same(cfg_get(&v, PRI, 4), 0x00010013, "PRI leads to nothing");
	same(cfg_get(&v, PASID, 4), 0, "nothing is there");
	vfio_close(&v);
	ok(knob_is(&fn, "state", "hidden: pasid: pf-off"), "and it is told after the close");
	set_pf(PRI + 4, 0);
	vfio_open(&v, &fn);
	ok(knob_is(&fn, "state", "hidden: pasid: pf-off, pri: pf-off"), "both off");
	vfio_close(&v);
	same(turn_to(&fn, "pri_offset", PRI), 0, "a write to the knob");
	ok(knob_is(&fn, "state", "ready"), "ends it");
	set_pf(PASID + 6, 1);
	set_pf(PRI + 4, 1);
	vfio_open(&v, &fn);
	ok(knob_is(&fn, "state", "open") && cfg_get(&v, PASID, 4) == 0x0001001b,
	   "on again, it is shown");
	set_pf(PASID + 6, 0);
	ok(knob_is(&fn, "state", "open: pf-off") && cfg_get(&v, PASID, 4) == 0x0001001b &&
		   knob_is(&fn, "pasid_shown", "0x1c0"),
	   "switched off while open: told, and the chain stays");
	set_pf(PASID + 6, 1);
	vfio_close(&v);

	memset(ones, 0xff, CFG);
	read_image(&pf, kept);
	poke_image(&pf, 0, ones, 4); /* the VFs stay, their chain too */
	poke_image(&pf, 8, ones, 4);
	ok(vfio_open(&v, &fn) &&
		   knob_is(&fn, "state", "hidden: pasid: pf-unreadable, pri: pf-unreadable"),
	   "a PF that does not answer");
	vfio_close(&v);
	poke_image(&pf, 0, kept, 12);
}

/* A capability came up in the meantime. */
static void test_conflict(void)
{
	static const uint8_t link[] = { 0x0e, 0x00, 0x01, 0x1c },
			     ats[] = { 0x0f, 0x00, 0x01, 0x00 };
	static const uint8_t unlink[] = { 0x0e, 0x00, 0x01, 0x00 }, nothing[4] = { 0 };
	struct fn fn = fresh(NIC, 5);
	struct vfio v;

	turn_to(&fn, "pasid_offset", PASID);
	turn_to(&fn, "pri_offset", PRI);
	poke_image(&fn, 0x150, link, 4);
	poke_image(&fn, PASID, ats, 4);
	ok(vfio_open(&v, &fn) && knob_is(&fn, "state", "hidden: pasid: conflict"),
	   "a conflict hides PASID");
	same(cfg_get(&v, PASID, 4), 0x0001000f, "what is there is shown");
	same(cfg_get(&v, PRI, 4), 0x00010013 | PASID << 20, "and PRI leads to it");
	same(cfg_put(&v, PASID + 6, 2, 0), 2, "and it can be written");
	vfio_close(&v);
	poke_image(&fn, 0x150, unlink, 4);
	poke_image(&fn, PASID, nothing, 4);
	ok(vfio_open(&v, &fn) && knob_is(&fn, "state", "open"), "without it all is well");
	vfio_close(&v);
}

/* ------------------------------------------------------------------------------------ VFIO feature -- */

#define GET (VFIO_DEVICE_FEATURE_GET | VFCAP_VFIO_FEATURE_EMULATED)
#define SET (VFIO_DEVICE_FEATURE_SET | VFCAP_VFIO_FEATURE_EMULATED)
#define PROBE                                                                            \
	(VFIO_DEVICE_FEATURE_PROBE | VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_SET | \
	 VFCAP_VFIO_FEATURE_EMULATED)

static int set_to(const struct vfio *v, unsigned int pasid, unsigned int pri, unsigned int width)
{
	struct vfcap_vfio_emulated e = { .pasid_offset = (uint16_t)pasid,
					 .pri_offset = (uint16_t)pri,
					 .pasid_width = (uint8_t)width };

	return feature(v, SET, &e, sizeof(e));
}

static bool get_is(const struct vfio *v, unsigned int pasid, unsigned int pri, unsigned int width,
		   unsigned int flags)
{
	struct vfcap_vfio_emulated e = { 0 };
	int ret = feature(v, GET, &e, sizeof(e));

	if (!ret && e.pasid_offset == pasid && e.pri_offset == pri && e.pasid_width == width &&
	    e.flags == flags)
		return true;
	printf("# GET: %d: %#x %#x width %u flags %#x\n", ret, e.pasid_offset, e.pri_offset,
	       e.pasid_width, e.flags);
	return false;
}

static void test_feature(void)
{
	struct vfcap_vfio_emulated e = { .flags = 1 };
	struct vfio v;
	struct fn fn = fresh(NIC, 0);

	turn(&fn, "pasid_width", "16");
	turn_to(&fn, "pasid_offset", 0x200);
	ok(vfio_open(&v, &fn), "open, PASID at 0x200");
	same(feature(&v, PROBE, NULL, 0), 0, "PROBE");
	ok(get_is(&v, 0x200, 0, 16, 0), "GET tells what the knob says");
	cfg_get(&v, 0x0, 4);
	cfg_get(&v, 0xfc, 4);
	same(feature(&v, SET, &e, sizeof(e)), -EINVAL, "SET refuses flags");
	e = (struct vfcap_vfio_emulated){ .reserved = { 0, 1 } };
	same(feature(&v, SET, &e, sizeof(e)), -EINVAL, "SET refuses what is reserved");
	same(feature(&v, SET, &e, sizeof(e) - 1), -EINVAL, "SET refuses less than all");
	same(set_to(&v, 0x104, 0, 0), -EINVAL, "SET refuses an offset that is taken");
	same(set_to(&v, 0x300, 0x304, 0), -EINVAL, "SET refuses a collision");
	same(set_to(&v, 0x300, 0, 17), -ERANGE, "SET refuses more than the knob's width");
	ok(get_is(&v, 0x200, 0, 16, 0), "and nothing has changed");
	same(set_to(&v, 0x300, 0x320, 8), 0, "SET moves PASID, and adds PRI");
	ok(get_is(&v, 0x300, 0x320, 8, 0) && knob_is(&fn, "pasid_shown", "0x300"), "GET tells");
	same(set_to(&v, 0, 0x400, 0), 0, "SET removes PASID, and moves PRI");
	same(set_to(&v, 0x380, 0x400, 0), 0, "SET once more");
	same(cfg_get(&v, 0x150, 4), 0x0001000e | 0x380 << 20, "ARI leads to PASID");
	same(cfg_get(&v, 0x380, 4), 0x0001001b | 0x400 << 20, "PASID leads to PRI");
	same(cfg_get(&v, 0x384, 2), 0x1006, "PASID is as wide as the knob says");
	same(cfg_get(&v, 0x200, 4) | cfg_get(&v, 0x300, 4) | cfg_get(&v, 0x320, 4), 0,
	     "nothing is left behind");
	same(set_to(&v, 0x200, 0, 0), -EBUSY, "SET comes too late after a look at the chain");
	ok(get_is(&v, 0x380, 0x400, 16, 0), "and changes nothing");
	vfio_close(&v);
	ok(knob_is(&fn, "pasid_offset", "0x200") && knob_is(&fn, "pri_offset", "0"),
	   "the knob is what it was");
	ok(vfio_open(&v, &fn) && get_is(&v, 0x200, 0, 16, 0), "and counts at the next open");
	cfg_put(&v, 0x100, 4, 0);
	same(set_to(&v, 0x300, 0, 0), -EBUSY, "a write is an access too");
	vfio_close(&v);
}

static void test_feature_pf(void)
{
	struct vfcap_vfio_emulated e = { 0 };
	struct vfio v;
	struct fn fn = fresh_open(0, &v);

	set_pf(PRI + 4, 0);
	ok(get_is(&v, PASID, PRI, 20, VFCAP_VFIO_PF_PRI_OFF), "GET tells that the PF's PRI is off");
	same(set_to(&v, PASID, PRI, 0), 0, "SET with it off");
	ok(get_is(&v, PASID, 0, 20, VFCAP_VFIO_PF_PRI_OFF | VFCAP_VFIO_PRI_HIDDEN),
	   "hides it, and GET tells");
	set_pf(PRI + 4, 1);
	vfio_close(&v);

	fn = fresh(BARE, 0);
	ok(vfio_open(&v, &fn) &&
		   get_is(&v, 0, 0, 0, VFCAP_VFIO_PF_PASID_OFF | VFCAP_VFIO_PF_PRI_OFF),
	   "a PF without either");
	same(set_to(&v, 0x200, 0, 0), -EOPNOTSUPP, "SET for a PF without it");
	vfio_close(&v);

	fn = fn_of(NIC, 0);
	ok(bind_to(&fn, "vfio-pci") && vfio_open(&v, &fn), "stock vfio-pci opens");
	same(feature(&v, PROBE, &e, sizeof(e)), -ENOTTY, "and has no such feature");
	vfio_close(&v);
}

/* ------------------------------------------------------------------------------------------- many -- */

static void test_many(unsigned int all, int used)
{
	struct vfio v;
	struct fn fn;
	int i, good = 0;

	ok(make_vfs(MANY, all), "%u VFs", all);
	for (i = 0; i < used; i++) {
		fn = fn_of(MANY, i * (int)(all / (unsigned int)used));
		if (!bind_to(&fn, DRIVER) || turn_to(&fn, "pasid_offset", PASID) ||
		    !vfio_open(&v, &fn)) {
			printf("# %s: %s\n", fn.addr, strerror(errno));
			continue;
		}
		good += cfg_get(&v, 0x100, 4) == (0x0001000e | PASID << 20) &&
			cfg_get(&v, PASID, 4) == 0x0001001b;
		vfio_close(&v);
	}
	same(good, used, "%d of them show PASID", used);
	ok(make_vfs(MANY, 1), "and go");
}

static const struct {
	const char *name;
	void (*run)(void);
} tests[] = {
	{ "knob", test_knob },		 { "unreadable", test_unreadable },
	{ "views", test_views },	 { "off", test_off },
	{ "bytes", test_bytes },	 { "reads", test_reads },
	{ "masks", test_masks },	 { "writes", test_writes },
	{ "race", test_race },		 { "resets", test_resets },
	{ "openers", test_two_openers }, { "rmmod", test_rmmod },
	{ "take-away", test_take_away }, { "vanish", test_vanish },
	{ "pf-off", test_pf_off },	 { "conflict", test_conflict },
	{ "feature", test_feature },	 { "feature-pf", test_feature_pf },
};

int main(void)
{
	unsigned int i;

	setvbuf(stdout, NULL, _IOLBF, 0);
	test_binding();
	for (i = 0; i < N(tests); i++) {
		printf("# %s\n", tests[i].name);
		tests[i].run();
	}
	test_many(4000, 256);
	take_away(delete_module, "vfcap_testbus", NULL, "removing the bus");
	same(syscall(SYS_delete_module, "vfcap_vfio_pci", O_NONBLOCK), 0, "the module goes");
	return finish();
}
