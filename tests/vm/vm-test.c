// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The module on a real kernel, over the hosts of hosts.host on the test bus. What it shows is held against
 * the core's plan of the same images, and against what stock vfio-pci shows of the same function.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "vm-test.h"

static const char *const offset_attrs[VFCAP_EMULS] = { "pasid_offset", "pri_offset" };

void plan_for(struct vfcap_plan *plan, const struct fn *fn, const struct vfcap_wish *wish)
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

bool views_equal(const uint8_t *got, const uint8_t *want)
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

int turn_by_plan(const struct fn *fn, const struct vfcap_plan *plan)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < plan->n_placements && !ret; i++)
		ret = turn_to(fn, offset_attrs[plan->placement[i].emul], plan->placement[i].offset);
	return ret;
}

bool bind_anew(const struct fn *fn)
{
	bind_to(fn, NULL);
	put(fn->addr, "drivers/" DRIVER "/forget");
	return bind_to(fn, DRIVER);
}

struct fn fresh(unsigned int domain, int n)
{
	struct fn fn = fn_of(domain, n);

	if (!bind_anew(&fn))
		ok(false, "%s is bound", fn.addr);
	return fn;
}

struct fn fresh_open(int n, struct vfio *v)
{
	struct fn fn = fresh(NIC, n);

	if (turn_to(&fn, "pasid_offset", PASID) || turn_to(&fn, "pri_offset", PRI) ||
	    !vfio_open(v, &fn))
		ok(false, "%s shows PASID and PRI", fn.addr);
	return fn;
}

static const struct {
	const char *name;
	void (*run)(void);
} tests[] = {
	{ "knob", test_knob },
	{ "unreadable", test_unreadable },
	{ "views", test_views },
	{ "random-views", test_random_views },
	{ "short-views", test_short_views },
	{ "overrun", test_overrun },
	{ "off", test_off },
	{ "bytes", test_bytes },
	{ "offered", test_offered },
	{ "reads", test_reads },
	{ "end", test_end },
	{ "masks", test_masks },
	{ "writes", test_writes },
	{ "race", test_race },
	{ "resets", test_resets },
	{ "openers", test_two_openers },
	{ "rmmod", test_rmmod },
	{ "mapped", test_mapped },
	{ "turning", test_turning },
	{ "take-away", test_take_away },
	{ "vanish", test_vanish },
	{ "pf-off", test_pf_off },
	{ "noted", test_noted },
	{ "unreadable-pf", test_unreadable_pf },
	{ "costs", test_costs },
	{ "kept", test_kept },
	{ "rebinding", test_rebinding },
	{ "low-power", test_low_power },
	{ "conflict", test_conflict },
	{ "feature", test_feature },
	{ "feature-pf", test_feature_pf },
	{ "delay", test_delay },
	{ "denylist", test_denylist },
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
	test_parameters();
	take_away(delete_module, "vfcap_testbus", NULL, "removing the bus");
	same(syscall(SYS_delete_module, "vfcap_vfio_pci", O_NONBLOCK), 0, "the module goes");
	return finish();
}
