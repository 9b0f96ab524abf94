// SPDX-License-Identifier: GPL-2.0-or-later
/* What is decided about a VF, and the writes that lead from one state of a knob to any other. */
#include "unit.h"

#include "../../src/lib/decide.h"

static const struct vfcap_change_options enable = { .wish.want[VFCAP_EMUL_PASID] = true };
static const struct vfcap_change_options disable = { .disable = true };

static struct vfcap_step step[VFCAP_STEPS_MOST];

/* A VF that has nothing against it: with a driver of its own, and a place at 0x140. */
static struct vfcap_snapshot willing(void)
{
	struct vfcap_snapshot s = {
		.is_vf = true,
		.has_pf = true,
		.now.driver = "iavf",
		.place[VFCAP_EMUL_PASID] = { .offset = 0x140, .pf_enabled = true },
		.pf_width = 20,
	};

	return s;
}

static struct vfcap_snapshot ours(uint16_t pasid, uint16_t pri, uint16_t width)
{
	struct vfcap_snapshot s = willing();

	strcpy(s.now.driver, VFCAP_DRIVER);
	strcpy(s.now.override, VFCAP_DRIVER);
	s.now.knob = (struct vfcap_knob){ .there = true, .abi = 1, .value = { pasid, pri, width } };
	return s;
}

static struct vfcap_outcome decide(const struct vfcap_snapshot *s,
				   const struct vfcap_change_options *opt)
{
	struct vfcap_outcome out = { 0 };

	vfcap_decide(s, opt, &out, step);
	assert_true(out.n_steps <= VFCAP_STEPS_MOST);
	return out;
}

static void assert_kinds(const struct vfcap_outcome *out, const char *kinds)
{
	static const char letter[VFCAP_STEP_KINDS] = {
		[VFCAP_STEP_MODULE] = 'm', [VFCAP_STEP_OVERRIDE] = 'o', [VFCAP_STEP_UNBIND] = 'u',
		[VFCAP_STEP_BIND] = 'b',   [VFCAP_STEP_KNOB] = 'k',	[VFCAP_STEP_VERIFY] = 'v',
		[VFCAP_STEP_FORGET] = 'f',
	};
	char have[VFCAP_STEPS_MOST + 1] = "";

	for (size_t i = 0; i < out->n_steps; i++)
		have[i] = letter[out->step[i].kind];
	assert_string_equal(have, kinds);
}

static void enable_takes_the_steps_that_are_missing(void **state)
{
	struct vfcap_change_options opt = enable;
	struct vfcap_snapshot s = willing();
	struct vfcap_outcome out = decide(&s, &opt);

	(void)state;
	assert_int_equal(out.result, VFCAP_DONE);
	assert_int_equal(out.offset[VFCAP_EMUL_PASID], 0x140);
	assert_int_equal(out.width, 20);
	assert_kinds(&out, "oubkv");
	s.module = VFCAP_MODULE_LOADABLE;
	out = decide(&s, &opt);
	assert_kinds(&out, "moubkv");
	s.module = VFCAP_MODULE_THERE;
	s.now.driver[0] = '\0';
	strcpy(s.now.override, VFCAP_DRIVER);
	opt.no_verify = true;
	opt.wish.width = 8;
	out = decide(&s, &opt);
	assert_kinds(&out, "bkk");
	assert_int_equal(out.width, 8);
	s = ours(0x200, 0x210, 8);
	out = decide(&s, &enable);
	assert_kinds(&out, "kkkkv");
}

/* The PF's width, by whatever number. */
static void what_is_as_wished_is_unchanged(void **state)
{
	struct vfcap_change_options opt = enable;
	struct vfcap_snapshot s = ours(0x140, 0, 0);

	(void)state;
	s.use.kind = VFCAP_USE_HELD;
	assert_int_equal(decide(&s, &opt).result, VFCAP_UNCHANGED);
	opt.wish.width = 20;
	assert_int_equal(decide(&s, &opt).result, VFCAP_UNCHANGED);
	opt.wish.width = 19;
	assert_int_equal(decide(&s, &opt).code, VFCAP_IN_USE);
	s = ours(0x140, 0, 20);
	assert_int_equal(decide(&s, &enable).result, VFCAP_UNCHANGED);
	s.place[VFCAP_EMUL_PASID].pf_enabled = false;
	assert_int_equal(decide(&s, &enable).result, VFCAP_UNCHANGED);
	assert_true(decide(&s, &enable).pf_off[VFCAP_EMUL_PASID]);
}

/* What is shown counts, not by which number in the knob. */
static void a_width_is_cut_to_that_of_the_iommu(void **state)
{
	static const struct {
		uint8_t iommu, knob, wish, shown;
		bool changes;
	} cases[] = {
		{ 16, 0, 0, 16, false },   { 16, 0, 16, 16, false }, { 16, 0, 18, 16, false },
		{ 16, 20, 16, 16, false }, { 16, 18, 0, 16, false }, { 16, 8, 0, 16, true },
		{ 16, 0, 8, 8, true },	   { 20, 0, 16, 16, true },  { 24, 0, 20, 20, false },
		{ 0, 0, 16, 16, true },	   { 0, 0, 0, 20, false },
	};
	struct vfcap_change_options opt = enable;
	struct vfcap_snapshot s;
	struct vfcap_outcome out;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		s = ours(0x140, 0, cases[i].knob);
		s.iommu_width = cases[i].iommu;
		opt.wish.width = cases[i].wish;
		out = decide(&s, &opt);
		assert_int_equal(out.width, cases[i].shown);
		assert_int_equal(out.result, cases[i].changes ? VFCAP_DONE : VFCAP_UNCHANGED);
	}
	s = ours(0x140, 0, 18); /* as it stands */
	s.iommu_width = 16;
	opt.if_off = true;
	assert_int_equal(decide(&s, &opt).width, 16);
}

static void each_reason_refuses(void **state)
{
	struct vfcap_change_options opt = enable;
	struct vfcap_snapshot s = willing();

	(void)state;
	s.use.kind = VFCAP_USE_NETDEV_UP;
	assert_int_equal(decide(&s, &opt).code, VFCAP_IN_USE);
	s.other_variant = true;
	assert_int_equal(decide(&s, &opt).code, VFCAP_OTHER_VARIANT);
	s.module = VFCAP_MODULE_MISSING;
	assert_int_equal(decide(&s, &opt).code, VFCAP_NO_MODULE);
	opt.no_bind = true;
	assert_int_equal(decide(&s, &opt).code, VFCAP_NOT_BOUND);
	s.place[VFCAP_EMUL_PASID].pf_enabled = false;
	assert_int_equal(decide(&s, &opt).code, VFCAP_PF_OFF);
	assert_int_equal(decide(&s, &opt).emul, VFCAP_EMUL_PASID);
	s.forced_broken = true;
	assert_int_equal(decide(&s, &opt).code, VFCAP_BROKEN_CHAIN);
	s.place[VFCAP_EMUL_PASID].refused = VFCAP_NO_ROOM;
	assert_int_equal(decide(&s, &opt).code, VFCAP_NO_ROOM);
	s.denylisted = true;
	assert_int_equal(decide(&s, &opt).code, VFCAP_DENYLISTED);
	s.has_pf = false;
	assert_int_equal(decide(&s, &opt).code, VFCAP_PF_UNKNOWN);
	s.is_vf = false;
	assert_int_equal(decide(&s, &opt).code, VFCAP_NOT_A_VF);
	assert_int_equal(decide(&s, &opt).n_steps, 0);
	assert_int_equal(decide(&s, &opt).result, VFCAP_REFUSED);
}

static void force_gives_way_where_it_may(void **state)
{
	struct vfcap_change_options opt = enable;
	struct vfcap_snapshot s = willing();

	(void)state;
	opt.wish.force = true;
	assert_false(decide(&s, &opt).forced);
	s.place[VFCAP_EMUL_PASID].forced = true;
	assert_true(decide(&s, &opt).forced);
	s.place[VFCAP_EMUL_PASID].forced = false;
	s.other_variant = true;
	assert_true(decide(&s, &opt).forced);
	s.place[VFCAP_EMUL_PASID].pf_enabled = s.other_variant = false;
	assert_true(decide(&s, &opt).forced);
	s.other_variant = true;
	assert_int_equal(decide(&s, &opt).result, VFCAP_DONE);
	s.use.kind = VFCAP_USE_OPEN;
	assert_int_equal(decide(&s, &opt).code, VFCAP_IN_USE);
	s.use.kind = VFCAP_USE_NONE;
	s.forced_broken = true;
	assert_int_equal(decide(&s, &opt).code, VFCAP_BROKEN_CHAIN);
}

/* Whatever it shows already; only the module's parameter allows it, and taking back is no risk. */
static void a_denylisted_vf_is_refused(void **state)
{
	struct vfcap_change_options opt = enable;
	struct vfcap_snapshot s = willing();

	(void)state;
	assert_false(decide(&s, &opt).denylisted);
	s.denylisted = true;
	opt.wish.force = true;
	assert_int_equal(decide(&s, &opt).result, VFCAP_REFUSED);
	assert_int_equal(decide(&s, &opt).code, VFCAP_DENYLISTED);
	assert_int_equal(decide(&s, &opt).emul, VFCAP_EMULS);
	assert_int_equal(decide(&s, &opt).n_steps, 0);
	s.denylist_disabled = true;
	assert_int_equal(decide(&s, &opt).result, VFCAP_DONE);
	assert_true(decide(&s, &opt).denylisted);
	s = ours(0x140, 0, 0);
	s.denylisted = true;
	assert_int_equal(decide(&s, &enable).code, VFCAP_DENYLISTED);
	assert_int_equal(decide(&s, &disable).result, VFCAP_DONE);
}

static void disable_goes_back_as_recorded(void **state)
{
	struct vfcap_change_options opt = disable;
	struct vfcap_snapshot s = ours(0x140, 0x150, 8);
	struct vfcap_outcome out = decide(&s, &opt);

	(void)state;
	assert_kinds(&out, "kkkoub");
	assert_string_equal(step[3].to, "");
	assert_string_equal(step[5].to, "");
	s.recorded = s.driver_loaded = true;
	strcpy(s.driver, "vfio-pci");
	strcpy(s.override, "vfio-pci");
	out = decide(&s, &opt);
	assert_kinds(&out, "kkkoub");
	assert_string_equal(step[3].to, "vfio-pci");
	assert_string_equal(step[5].to, "vfio-pci");
	s.driver_loaded = false;
	decide(&s, &opt);
	assert_string_equal(step[5].to, "");
	s.driver[0] = '\0';
	out = decide(&s, &opt);
	assert_kinds(&out, "kkkou");
	opt.no_bind = true;
	out = decide(&s, &opt);
	assert_kinds(&out, "kkk");
	opt.no_bind = false;
	opt.wish.want[VFCAP_EMUL_PRI] = true;
	out = decide(&s, &opt);
	assert_kinds(&out, "k");
	assert_int_equal(out.offset[VFCAP_EMUL_PASID], 0x140);
}

static void disable_leaves_others_alone(void **state)
{
	struct vfcap_snapshot s = willing();
	struct vfcap_outcome out;

	(void)state;
	s.use.kind = VFCAP_USE_NETDEV_UP;
	assert_int_equal(decide(&s, &disable).result, VFCAP_UNCHANGED);
	s.use.kind = VFCAP_USE_NONE;
	strcpy(s.now.override, VFCAP_DRIVER);
	out = decide(&s, &disable);
	assert_kinds(&out, "o");
	s.now.driver[0] = '\0';
	out = decide(&s, &disable);
	assert_kinds(&out, "ob");
	s.now.unbinding = true;
	s.use.kind = VFCAP_USE_UNBINDING;
	assert_int_equal(decide(&s, &disable).code, VFCAP_IN_USE);
}

/* What was enabled, and is bound elsewhere: the driver keeps it until it is told to forget it. Whoever uses the VF there
 * does not mind. */
static void what_is_bound_elsewhere_is_forgotten(void **state)
{
	struct vfcap_change_options opt = disable, iavf = { .assign = true, .driver = "iavf" };
	struct vfcap_snapshot s = willing();
	struct vfcap_outcome out;

	(void)state;
	s.use.kind = VFCAP_USE_NETDEV_UP;
	s.recorded = true;
	assert_int_equal(decide(&s, &disable).result, VFCAP_UNCHANGED);
	s.enabled[VFCAP_EMUL_PASID] = 0x140;
	s.enabled[VFCAP_EMUL_PRI] = 0x150;
	out = decide(&s, &disable);
	assert_int_equal(out.result, VFCAP_DONE);
	assert_kinds(&out, "f");
	out = decide(&s, &iavf);
	assert_kinds(&out, "f");
	iavf.driver = NULL;
	assert_int_equal(decide(&s, &iavf).code, VFCAP_IN_USE);
	s.use.kind = VFCAP_USE_NONE;
	out = decide(&s, &iavf);
	assert_kinds(&out, "uf");
	iavf.driver = VFCAP_DRIVER;
	out = decide(&s, &iavf);
	assert_kinds(&out, "oub");
	opt.wish.want[VFCAP_EMUL_PRI] = true;
	assert_int_equal(decide(&s, &opt).result, VFCAP_UNCHANGED);
	opt.wish.want[VFCAP_EMUL_PASID] = true;
	out = decide(&s, &opt);
	assert_kinds(&out, "f");
	strcpy(s.now.override, VFCAP_DRIVER);
	out = decide(&s, &disable);
	assert_kinds(&out, "of");
	s = ours(0x140, 0x150, 0);
	s.enabled[VFCAP_EMUL_PASID] = 0x140;
	out = decide(&s, &disable);
	assert_kinds(&out, "kkoub");
}

/* The driver's rules: nothing overlaps, and what stands at 0x100 of an empty chain comes first and goes last. */
static void play(uint16_t knob[VFCAP_ATTRS], const struct vfcap_step *s)
{
	assert_int_equal(s->kind, VFCAP_STEP_KNOB);
	assert_int_equal(knob[s->attr], s->old);
	knob[s->attr] = s->new;
	assert_true(!knob[0] || !knob[1] || (knob[0] + 8 <= knob[1] || knob[1] + 16 <= knob[0]));
	assert_true((!knob[0] && !knob[1]) || knob[0] == 0x100 || knob[1] == 0x100);
}

static void knobs_lead_anywhere(void **state)
{
	/* All that an empty chain allows. */
	static const uint16_t states[][VFCAP_ATTRS] = {
		{ 0, 0, 0 },	     { 0x100, 0, 0 },	  { 0x100, 0, 8 },     { 0x100, 0x108, 0 },
		{ 0x100, 0x110, 8 }, { 0x110, 0x100, 0 }, { 0x118, 0x100, 9 }, { 0, 0x100, 0 },
	};
	const size_t n = sizeof(states) / sizeof(states[0]);

	(void)state;
	for (size_t from = 0; from < n; from++)
		for (size_t to = 0; to < n; to++) {
			uint16_t knob[VFCAP_ATTRS];
			size_t count = vfcap_knob_steps(states[from], states[to], step);

			assert_true(count <= 5);
			assert_int_equal(count == 0, from == to);
			memcpy(knob, states[from], sizeof(knob));
			for (size_t i = 0; i < count; i++)
				play(knob, &step[i]);
			assert_memory_equal(knob, states[to], sizeof(knob));
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(enable_takes_the_steps_that_are_missing),
		cmocka_unit_test(what_is_as_wished_is_unchanged),
		cmocka_unit_test(a_width_is_cut_to_that_of_the_iommu),
		cmocka_unit_test(each_reason_refuses),
		cmocka_unit_test(force_gives_way_where_it_may),
		cmocka_unit_test(a_denylisted_vf_is_refused),
		cmocka_unit_test(disable_goes_back_as_recorded),
		cmocka_unit_test(disable_leaves_others_alone),
		cmocka_unit_test(what_is_bound_elsewhere_is_forgotten),
		cmocka_unit_test(knobs_lead_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
