// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Changes of a host that is a directory, with a kernel that is played here: what is done, what is
 * refused, what is taken back; and runs that are killed before each of their writes, and while they
 * are repaired.
 */
#include "alloc.h"
#include "played.h"

#include <sys/file.h>
#include <sys/time.h>
#include <sys/wait.h>

#define UNDO "run/vfcap/0000:01:00.0.undo"
#define RECORD "run/vfcap/0000:01:00.0.record"

static const struct vfcap_change_options enable = { .wish.want[VFCAP_EMUL_PASID] = true };
static const struct vfcap_change_options disable = { .disable = true };

/* All VFs at once. The result of the first; all others are like it unless they are unchanged. */
static struct vfcap_change *change_all(struct vfcap *ctx, const struct vfcap_change_options *opt)
{
	struct vfcap_function *pf = pf_of(ctx), *vf, *all[VFS];
	struct vfcap_change *change;
	size_t n = 0;

	vfcap_vf_foreach(pf, vf)
		all[n++] = vf;
	assert_int_equal(vfcap_change(ctx, all, n, opt, &change), 0);
	assert_non_null(vfcap_change_outcome(change, VFS - 1));
	assert_null(vfcap_change_outcome(change, VFS));
	return change;
}

static void expect(const struct vfcap_change_options *opt, enum vfcap_result r0,
		   enum vfcap_result r1, enum vfcap_result r2)
{
	const enum vfcap_result results[VFS] = { r0, r1, r2 };
	struct vfcap *ctx = open_host();
	struct vfcap_change *change = change_all(ctx, opt);

	for (size_t i = 0; i < VFS; i++) {
		const struct vfcap_outcome *out = vfcap_change_outcome(change, i);

		if (out->result != results[i])
			fail_msg("VF %zu: %s, not %s: %s", i, vfcap_result_name(out->result),
				 vfcap_result_name(results[i]), out->message);
	}
	vfcap_change_free(change);
	vfcap_free(ctx);
}

/* ------------------------------------------------------------------------------------------ runs -- */

static const char after_enable[] =
	VFCAP_DRIVER "|" VFCAP_DRIVER "|432|0\n" VFCAP_DRIVER "|" VFCAP_DRIVER
		     "|432|0\n" VFCAP_DRIVER "|" VFCAP_DRIVER "|432|0\n";
/* The third was ours before us: nothing is known of the time before that. */
static const char after_disable[] = "iavf|(null)|0|\n|(null)|0|\niavf|(null)|0|\n";

static void assert_world(const char *expected)
{
	char now[512];

	snapshot(now, sizeof(now));
	assert_string_equal(now, expected);
}

static void enables_and_disables(void **state)
{
	(void)state;
	world_new();
	expect(&enable, VFCAP_DONE, VFCAP_DONE, VFCAP_DONE);
	assert_world(after_enable);
	assert_int_equal(world.verified, VFS);
	assert_false(file_there(UNDO));
	assert_true(file_there(RECORD));
	expect(&enable, VFCAP_UNCHANGED, VFCAP_UNCHANGED, VFCAP_UNCHANGED);
	assert_int_equal(world.verified, VFS);
	expect(&disable, VFCAP_DONE, VFCAP_DONE, VFCAP_DONE);
	assert_world(after_disable);
	assert_false(file_there(UNDO));
	assert_false(file_there(RECORD));
	expect(&disable, VFCAP_UNCHANGED, VFCAP_UNCHANGED, VFCAP_UNCHANGED);
	world_end();
}

static void an_open_vf_as_wanted_is_unchanged(void **state)
{
	(void)state;
	world_new();
	expect(&enable, VFCAP_DONE, VFCAP_DONE, VFCAP_DONE);
	put(1, "vfcap/state", "open\n");
	expect(&enable, VFCAP_UNCHANGED, VFCAP_UNCHANGED, VFCAP_UNCHANGED);
	expect(&disable, VFCAP_REFUSED, VFCAP_REFUSED, VFCAP_REFUSED);
	assert_world(after_enable);
	world_end();
}

static void what_is_refused_touches_nothing(void **state)
{
	struct vfcap_change_options forced = enable, staying = enable;
	char before[512];

	(void)state;
	forced.wish.force = staying.no_bind = true;
	world_new();
	snapshot(before, sizeof(before));
	expect(&staying, VFCAP_REFUSED, VFCAP_REFUSED, VFCAP_REFUSED);
	put_vf(1, true);
	expect(&enable, VFCAP_REFUSED, VFCAP_REFUSED, VFCAP_REFUSED);
	expect(&forced, VFCAP_REFUSED, VFCAP_REFUSED, VFCAP_REFUSED);
	put_vf(1, false);
	put_pf(false);
	expect(&enable, VFCAP_REFUSED, VFCAP_REFUSED, VFCAP_REFUSED);
	assert_int_equal(world.writes, 0);
	assert_world(before);
	expect(&forced, VFCAP_DONE, VFCAP_DONE, VFCAP_DONE);
	world_end();
}

static void other_variants_are_spared(void **state)
{
	struct vfcap_change_options forced = enable;

	(void)state;
	forced.wish.force = true;
	world_new();
	tree_text(&world.tree, "lib/modules/6.12.48-test/modules.alias",
		  "alias pci:v00008086d00001572sv*sd*bc*sc*i* i40e\n"
		  "alias vfio_pci:v*d*sv*sd*bc*sc*i* vfio_pci\n");
	expect(&enable, VFCAP_DONE, VFCAP_DONE, VFCAP_DONE);
	expect(&disable, VFCAP_DONE, VFCAP_DONE, VFCAP_DONE);
	tree_text(&world.tree, "lib/modules/6.12.48-test/modules.alias",
		  "alias vfio_pci:v00008086d0000154Csv*sd*bc*sc*i* ice_vfio_pci\n");
	expect(&enable, VFCAP_REFUSED, VFCAP_REFUSED, VFCAP_REFUSED);
	expect(&forced, VFCAP_DONE, VFCAP_DONE, VFCAP_DONE);
	world_end();
}

static void who_uses_it_is_named(void **state)
{
	struct vfcap *ctx;
	struct vfcap_change *change;
	char before[512];

	(void)state;
	world_new();
	snapshot(before, sizeof(before));
	put(0, "net/eth7/flags", "0x1003\n");
	ctx = open_host();
	change = change_all(ctx, &enable);
	assert_int_equal(vfcap_change_outcome(change, 0)->code, VFCAP_IN_USE);
	assert_non_null(strstr(vfcap_change_outcome(change, 0)->message, "eth7 is up"));
	assert_int_equal(vfcap_change_outcome(change, 1)->code, VFCAP_OK);
	assert_non_null(strstr(vfcap_change_outcome(change, 1)->message, vf_name(0)));
	vfcap_change_free(change);
	take(0, "net/eth7/flags", 0);
	take(0, "net/eth7", AT_REMOVEDIR);
	change = change_all(ctx, &enable);
	assert_non_null(
		strstr(vfcap_change_outcome(change, 0)->message, "another network namespace"));
	vfcap_change_free(change);
	vfcap_free(ctx);
	take(0, "net", AT_REMOVEDIR);

	tree_link(&world.tree, DEVICES "0000:01:02.4/iommu_group",
		  "../../../../kernel/iommu_groups/17");
	tree_link(&world.tree, "proc/4711/fd/9", "/dev/vfio/17");
	tree_text(&world.tree, "proc/4711/comm", "qemu-system-x86\n");
	ctx = open_host();
	change = change_all(ctx, &enable);
	assert_int_equal(vfcap_change_outcome(change, 2)->code, VFCAP_IN_USE);
	assert_non_null(
		strstr(vfcap_change_outcome(change, 2)->message, "qemu-system-x86 (process 4711)"));
	vfcap_change_free(change);
	vfcap_free(ctx);
	assert_world(before);
	world_end();
}

static void what_fails_is_taken_back(void **state)
{
	char before[512];

	(void)state;
	world_new();
	snapshot(before, sizeof(before));
	world.fails = 1;
	expect(&enable, VFCAP_FAILED, VFCAP_FAILED, VFCAP_FAILED);
	world.fails = -1;
	assert_world(before);
	assert_false(file_there(UNDO));
	world.verify = -EXDEV;
	expect(&enable, VFCAP_FAILED, VFCAP_FAILED, VFCAP_FAILED);
	assert_world(before);
	assert_false(file_there(UNDO));
	assert_false(file_there(RECORD));
	world_end();
}

/* A VF is let go by nobody: the others are given back, it stays to be repaired. */
static void hang(const struct vfcap_change_options *opt, int vf, const char *before)
{
	char path[96];
	struct vfcap_leftover left;
	struct vfcap *ctx;

	snprintf(path, sizeof(path), DEVICES "%s/iommu_group", vf_name(vf));
	tree_link(&world.tree, path, "../../../../kernel/iommu_groups/17");
	tree_dirs(&world.tree, "sys/class/vfio/17/");
	world.hangs = vf;
	expect(opt, VFCAP_FAILED, VFCAP_FAILED, VFCAP_FAILED);
	assert_true(file_there(UNDO));
	ctx = open_host();
	assert_int_equal(vfcap_function_leftover(pf_of(ctx), &left), 0);
	assert_true(left.there && !strcmp(left.command, opt->disable ? "disable" : "enable") &&
		    !left.done && !left.running);
	assert_int_equal(vfcap_repair(pf_of(ctx)), -EBUSY);
	assert_non_null(strstr(vfcap_error(ctx), "let go"));
	assert_int_equal(unlinkat(world.tree.fd, "sys/class/vfio/17", AT_REMOVEDIR), 0);
	world.hangs = -1;
	assert_int_equal(vfcap_repair(pf_of(ctx)), 0);
	vfcap_free(ctx);
	assert_world(before);
	assert_false(file_there(UNDO));
}

static void what_hangs_is_repaired_later(void **state)
{
	char before[512];

	(void)state;
	world_new();
	put(0, "driver_override", "iavf\n");
	snapshot(before, sizeof(before));
	hang(&enable, 0, before);
	expect(&enable, VFCAP_DONE, VFCAP_DONE, VFCAP_DONE);
	hang(&disable, 2, after_enable);
	world_end();
}

static void only_what_is_ours_is_undone(void **state)
{
	struct vfcap *ctx;

	(void)state;
	world_new();
	expect(&enable, VFCAP_DONE, VFCAP_DONE, VFCAP_DONE);
	tree_text(&world.tree, UNDO,
		  "vfcap-undo 1 enable 0000:01:00.0 6fd3c1b1-0000-4000-8000-0000deadbeef\n"
		  "override 0000:01:02.0 - vfcap-vfio-pci\n"
		  "unbind 0000:01:02.0 iavf -\n"
		  "bind 0000:01:02.0 - vfcap-vfio-pci\n"
		  "pasid_offset 0000:01:02.4 512 0\n"
		  "pasid_offset 0000:01:02.4 0 432\n");
	unbind(0);
	put(0, "driver_override", "vfio-pci\n");
	put(2, "vfcap/pasid_offset", "0x300\n");
	ctx = open_host();
	assert_int_equal(vfcap_repair(pf_of(ctx)), 0);
	vfcap_free(ctx);
	assert_world("|vfio-pci|432|\n" VFCAP_DRIVER "|" VFCAP_DRIVER "|432|0\n" VFCAP_DRIVER
		     "|" VFCAP_DRIVER "|768|0\n");
	assert_false(file_there(UNDO));
	world_end();
}

/* Nothing that stands in a log leads out of the PF, and none that is odd is acted upon. */
static void a_damaged_log_is_named(void **state)
{
	static const char *const bad[] = {
		"nonsense\n",
		"vfcap-undo 1 enable 0000:02:00.0 6fd3c1b1-0000-4000-8000-0000deadbeef\n",
		"vfcap-undo 1 enable 0000:01:00.0 6fd3c1b1-0000-4000-8000-0000deadbeef\n"
		"override 0000:01:02.0 - ../../evil\n",
		"vfcap-undo 1 enable 0000:01:00.0 6fd3c1b1-0000-4000-8000-0000deadbeef\n"
		"pasid_offset 0000:01:02.0 0 99999\n",
		"vfcap-undo 1 enable 0000:01:00.0 6fd3c1b1-0000-4000-8000-0000deadbeef\n"
		"write 0000:01:02.0 /etc/passwd x\n",
	};
	struct vfcap_leftover left;
	struct vfcap *ctx;

	(void)state;
	world_new();
	expect(&enable, VFCAP_DONE, VFCAP_DONE, VFCAP_DONE);
	ctx = open_host();
	world.writes = 0;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		tree_text(&world.tree, UNDO, bad[i]);
		assert_int_equal(vfcap_function_leftover(pf_of(ctx), &left), 0);
		assert_true(left.there && left.damaged);
		assert_int_equal(vfcap_repair(pf_of(ctx)), -EBADMSG);
	}
	expect(&disable, VFCAP_FAILED, VFCAP_FAILED, VFCAP_FAILED);
	assert_int_equal(world.writes, 0);
	assert_world(after_enable);
	tree_text(&world.tree, UNDO,
		  "vfcap-undo 1 enable 0000:01:00.0 00000000-0000-4000-8000-0000deadbeef\n"
		  "bind 0000:01:02.0 - vfcap-vfio-pci\n");
	assert_int_equal(vfcap_function_leftover(pf_of(ctx), &left), 0);
	assert_false(left.there);
	vfcap_free(ctx);
	world_end();
}

static void the_directory_is_ours_alone(void **state)
{
	(void)state;
	world_new();
	assert_int_equal(mkdirat(world.tree.fd, "run/vfcap", 0755), 0);
	expect(&enable, VFCAP_FAILED, VFCAP_FAILED, VFCAP_FAILED);
	assert_int_equal(unlinkat(world.tree.fd, "run/vfcap", AT_REMOVEDIR), 0);
	tree_dirs(&world.tree, "elsewhere/");
	tree_link(&world.tree, "run/vfcap", "../elsewhere");
	expect(&enable, VFCAP_FAILED, VFCAP_FAILED, VFCAP_FAILED);
	assert_int_equal(world.writes, 0);
	world_end();
}

static void a_dry_run_tells_the_steps(void **state)
{
	static const char *const names[] = { "override", "unbind", "bind", "knob", "verify" };
	struct vfcap_change_options dry = enable;
	const struct vfcap_outcome *out;
	struct vfcap_change *change;
	struct vfcap *ctx;

	(void)state;
	dry.dry_run = true;
	world_new();
	ctx = open_host();
	change = change_all(ctx, &dry);
	out = vfcap_change_outcome(change, 0);
	assert_int_equal(out->result, VFCAP_UNCHANGED);
	assert_int_equal(out->n_steps, 5);
	for (size_t i = 0; i < 5; i++)
		assert_string_equal(vfcap_step_name(vfcap_outcome_step(out, i)), names[i]);
	assert_null(vfcap_outcome_step(out, 5));
	assert_string_equal(vfcap_step_from(vfcap_outcome_step(out, 1)), "iavf");
	assert_string_equal(vfcap_step_attribute(vfcap_outcome_step(out, 3)), "pasid_offset");
	assert_int_equal(vfcap_step_new(vfcap_outcome_step(out, 3)), PLACE);
	vfcap_change_free(change);
	vfcap_free(ctx);
	assert_int_equal(world.writes, 0);
	assert_false(file_there("run/vfcap"));
	world_end();
}

/* ---------------------------------------------------------------------------------------- the record -- */

static void assert_record(const char *version, const char *lines)
{
	char text[512], expected[512];
	int fd = openat(world.tree.fd, RECORD, O_RDONLY);
	ssize_t n = read(fd, text, sizeof(text) - 1);

	close(fd);
	text[n > 0 ? n : 0] = '\0';
	snprintf(expected, sizeof(expected),
		 "vfcap-record %s " PF " 6fd3c1b1-0000-4000-8000-0000deadbeef\n%s", version, lines);
	assert_string_equal(text, expected);
}

/* Of the third only what it shows: it was ours before, and nobody knows what before that. */
static void what_was_enabled_is_recorded(void **state)
{
	struct vfcap_change_options narrow = enable, staying = disable;

	(void)state;
	narrow.wish.width = 16;
	staying.no_bind = true;
	world_new();
	expect(&enable, VFCAP_DONE, VFCAP_DONE, VFCAP_DONE);
	assert_record("2", "vf 0000:01:02.0 iavf -\nknob 0000:01:02.0 432 0 0\n"
			   "vf 0000:01:02.2 - -\nknob 0000:01:02.2 432 0 0\n"
			   "knob 0000:01:02.4 432 0 0\n");
	expect(&narrow, VFCAP_DONE, VFCAP_DONE, VFCAP_DONE);
	assert_record("2", "vf 0000:01:02.0 iavf -\nknob 0000:01:02.0 432 0 16\n"
			   "vf 0000:01:02.2 - -\nknob 0000:01:02.2 432 0 16\n"
			   "knob 0000:01:02.4 432 0 16\n");
	expect(&staying, VFCAP_DONE, VFCAP_DONE, VFCAP_DONE);
	assert_record("1", "vf 0000:01:02.0 iavf -\nvf 0000:01:02.2 - -\n");
	expect(&enable, VFCAP_DONE, VFCAP_DONE, VFCAP_DONE);
	expect(&disable, VFCAP_DONE, VFCAP_DONE, VFCAP_DONE);
	assert_false(file_there(RECORD));
	world_end();
}

static void record(const char *lines)
{
	char text[512];

	snprintf(text, sizeof(text),
		 "vfcap-record 2 " PF " 6fd3c1b1-0000-4000-8000-0000deadbeef\n%s", lines);
	tree_text(&world.tree, RECORD, text);
}

/* The second as somebody who wrote to the knob left it, the third of which there is no record; what they were bound to
 * before stays recorded. */
static const char stale[] = "vf 0000:01:02.0 iavf -\nknob 0000:01:02.0 432 0 0\n"
			    "vf 0000:01:02.2 - -\nknob 0000:01:02.2 480 0 16\n";
static const char settled[] = "vf 0000:01:02.0 iavf -\nknob 0000:01:02.0 432 0 0\n"
			      "vf 0000:01:02.2 - -\nknob 0000:01:02.2 432 0 0\n"
			      "knob 0000:01:02.4 432 0 0\n";

static void what_is_as_wanted_is_recorded_so(void **state)
{
	struct vfcap_change_options dry = enable, spared = enable, staying = disable;

	(void)state;
	dry.dry_run = spared.if_off = staying.no_bind = true;
	world_new();
	expect(&enable, VFCAP_DONE, VFCAP_DONE, VFCAP_DONE);
	put(1, "vfcap/state", "open\n"); /* nothing of it is touched */
	record(stale);
	expect(&dry, VFCAP_UNCHANGED, VFCAP_UNCHANGED, VFCAP_UNCHANGED);
	expect(&spared, VFCAP_UNCHANGED, VFCAP_UNCHANGED, VFCAP_UNCHANGED);
	assert_record("2", stale);
	expect(&enable, VFCAP_UNCHANGED, VFCAP_UNCHANGED, VFCAP_UNCHANGED);
	assert_record("2", settled);
	assert_world(after_enable);
	assert_int_equal(world.verified, VFS);
	assert_false(file_there(UNDO));
	put(1, "vfcap/state", "ready\n");
	for (int i = 0; i < VFS; i++)
		put(i, "vfcap/pasid_offset", "0x0\n");
	expect(&staying, VFCAP_UNCHANGED, VFCAP_UNCHANGED, VFCAP_UNCHANGED);
	assert_record("1", "vf 0000:01:02.0 iavf -\nvf 0000:01:02.2 - -\n");
	world_end();
}

/* One that is changed takes none along of those that are only recorded; one that fails leaves their record, too. */
static void what_is_as_wanted_is_recorded_with_the_others(void **state)
{
	(void)state;
	for (int fails = 0; fails < 2; fails++) {
		world_new();
		expect(&enable, VFCAP_DONE, VFCAP_DONE, VFCAP_DONE);
		record(stale);
		put(0, "vfcap/pasid_offset", "0x1e0\n");
		world.verify = fails ? -EXDEV : 0;
		if (fails)
			expect(&enable, VFCAP_FAILED, VFCAP_FAILED, VFCAP_FAILED);
		else
			expect(&enable, VFCAP_DONE, VFCAP_UNCHANGED, VFCAP_UNCHANGED);
		assert_record("2", fails ? stale : settled);
		assert_false(file_there(UNDO));
		world_end();
	}
}

/* ---------------------------------------------------------------------------- what the driver keeps -- */

static void keep(int vf, const char *pasid, const char *pri, const char *width)
{
	const char *const text[] = { pasid, pri, width, "0\n", "0\n", "1\n", "ready\n" };
	char path[96];

	for (size_t i = 0; i < 7; i++) {
		snprintf(path, sizeof(path), KEPT "%s/%s", vf_name(vf), knobs[i]);
		tree_text(&world.tree, path, text[i]);
	}
}

static void assert_kept(int vf, const char *pasid, const char *pri, const char *width)
{
	const char *const expected[] = { pasid, pri, width };
	char text[32];

	for (size_t i = 0; i < 3; i++) {
		get_from(KEPT, vf, knobs[i], text, sizeof(text));
		assert_int_equal(strtol(text, NULL, 0), strtol(expected[i], NULL, 0));
	}
}

/* One VF with something else, where PRI is in the way of what is wanted, and one with just that. */
static void keep_some(void)
{
	keep(0, "0x300\n", "0x1b0\n", "16\n");
	keep(1, "0x1b0\n", "0x0\n", "0\n");
}

static void enable_goes_on_from_what_is_kept(void **state)
{
	struct vfcap_change_options narrow = enable;
	struct vfcap_change *change;
	struct vfcap *ctx;
	char text[32];

	(void)state;
	world_new();
	keep_some();
	ctx = open_host();
	change = change_all(ctx, &enable);
	for (size_t i = 0; i < VFS; i++)
		assert_int_equal(vfcap_change_outcome(change, i)->result, VFCAP_DONE);
	/* override, unbind, bind, PRI and PASID off, the width, PASID on, verify; override, bind, verify */
	assert_int_equal(vfcap_change_outcome(change, 0)->n_steps, 8);
	assert_int_equal(vfcap_change_outcome(change, 1)->n_steps, 3);
	vfcap_change_free(change);
	vfcap_free(ctx);
	assert_world(after_enable);
	assert_record("2", "vf 0000:01:02.0 iavf -\nknob 0000:01:02.0 432 0 0\n"
			   "vf 0000:01:02.2 - -\nknob 0000:01:02.2 432 0 0\n"
			   "knob 0000:01:02.4 432 0 0\n");
	get(0, "vfcap/pri_offset", text, sizeof(text));
	assert_int_equal(strtol(text, NULL, 0), 0);
	expect(&enable, VFCAP_UNCHANGED, VFCAP_UNCHANGED, VFCAP_UNCHANGED);
	expect(&disable, VFCAP_DONE, VFCAP_DONE, VFCAP_DONE);
	narrow.wish.width = 16;
	keep(0, "0x300\n", "0\n", "16\n");
	expect(&narrow, VFCAP_DONE, VFCAP_DONE, VFCAP_DONE);
	for (int i = 0; i < VFS; i++) {
		get(i, "vfcap/pasid_width", text, sizeof(text));
		assert_string_equal(text, "16");
	}
	world_end();
}

static void what_is_kept_is_restored(void **state)
{
	char before[512];

	(void)state;
	world_new();
	keep_some();
	snapshot(before, sizeof(before));
	world.verify = -EXDEV;
	expect(&enable, VFCAP_FAILED, VFCAP_FAILED, VFCAP_FAILED);
	assert_world(before);
	assert_kept(0, "0x300", "0x1b0", "16");
	assert_kept(1, "0x1b0", "0", "0");
	assert_false(file_there(UNDO));
	world_end();
}

static void what_was_disabled_is_off_when_it_is_bound_again(void **state)
{
	struct vfcap_change_options both = enable;
	char text[32];

	(void)state;
	both.wish.width = 8;
	world_new();
	expect(&both, VFCAP_DONE, VFCAP_DONE, VFCAP_DONE);
	expect(&disable, VFCAP_DONE, VFCAP_DONE, VFCAP_DONE);
	for (int i = 0; i < VFS; i++) {
		put(i, "driver_override", VFCAP_DRIVER "\n");
		unbind(i);
		assert_int_equal(kernel_bind(i, VFCAP_DRIVER), 0);
		for (size_t k = 0; k < 3; k++) {
			char name[32];

			snprintf(name, sizeof(name), "vfcap/%s", knobs[k]);
			get(i, name, text, sizeof(text));
			assert_int_equal(strtol(text, NULL, 0), 0);
		}
	}
	world_end();
}

/* By hand, or by whoever manages VMs. */
static void bind_elsewhere(int vf)
{
	unbind(vf);
	put(vf, "driver_override", "(null)\n");
	bind(vf, "iavf");
}

static void what_was_bound_elsewhere_is_forgotten(void **state)
{
	(void)state;
	for (int older = 0; older < 2; older++) {
		world_new();
		world.no_forget = older;
		expect(&enable, VFCAP_DONE, VFCAP_DONE, VFCAP_DONE);
		expect(&disable, VFCAP_DONE, VFCAP_DONE, VFCAP_DONE);
		expect(&enable, VFCAP_DONE, VFCAP_DONE, VFCAP_DONE);
		bind_elsewhere(0);
		bind_elsewhere(1);
		assert_kept(1, "0x1b0", "0", "0");
		expect(&disable, VFCAP_DONE, VFCAP_DONE, VFCAP_DONE);
		assert_world(older ? "iavf|(null)|432|\niavf|(null)|432|\niavf|(null)|0|\n" :
				     "iavf|(null)|0|\niavf|(null)|0|\niavf|(null)|0|\n");
		expect(&disable, VFCAP_UNCHANGED, VFCAP_UNCHANGED, VFCAP_UNCHANGED);
		assert_false(file_there(UNDO));
		assert_false(file_there(RECORD));
		world_end();
	}
}

/* What the driver has forgotten cannot be brought back: that comes when all else is done. */
static void nothing_is_forgotten_before_all_else_is_done(void **state)
{
	(void)state;
	world_new();
	expect(&enable, VFCAP_DONE, VFCAP_DONE, VFCAP_DONE);
	bind_elsewhere(0);
	world.hangs = 2; /* the last one is not let go */
	expect(&disable, VFCAP_FAILED, VFCAP_FAILED, VFCAP_FAILED);
	assert_kept(0, "0x1b0", "0", "0");
	world_end();
}

/* Bound to the driver, and told to show nothing: whatever it kept. */
static void what_is_only_bound_shows_nothing(void **state)
{
	struct vfcap_change_options bound = { .assign = true, .driver = VFCAP_DRIVER };

	(void)state;
	world_new();
	put(2, "vfcap/pasid_offset", "0x0\n");
	keep_some();
	expect(&bound, VFCAP_DONE, VFCAP_DONE, VFCAP_UNCHANGED);
	assert_world(VFCAP_DRIVER "|" VFCAP_DRIVER "|0|0\n" VFCAP_DRIVER "|" VFCAP_DRIVER
				  "|0|0\n" VFCAP_DRIVER "|" VFCAP_DRIVER "|0|0\n");
	world_end();
}

/* ------------------------------------------------------------------------------------------ kills -- */

/* Runs it in a process that dies at its die_at-th write. True: it came to its end before. */
static bool run_until(int die_at, bool torn, const struct vfcap_change_options *opt)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (!pid) {
		struct vfcap *ctx;

		world.writes = 0;
		world.die_at = die_at;
		world.torn = torn;
		ctx = open_host();
		if (opt)
			vfcap_change_free(change_all(ctx, opt));
		else if (vfcap_repair(pf_of(ctx)))
			_exit(1);
		vfcap_free(ctx);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 9));
	return WEXITSTATUS(status) == 0;
}

/* What is to be disabled was enabled; what is to be enabled, the driver has kept something else of. */
static void start(const struct vfcap_change_options *opt)
{
	world_new();
	if (!opt->disable)
		keep_some();
	if (opt->disable)
		expect(&enable, VFCAP_DONE, VFCAP_DONE, VFCAP_DONE);
}

/* After a kill and a repair things are as before the run, or, when all had been done, as after it. */
static void assert_repaired(const char *before, const char *after, bool done)
{
	assert_world(done ? after : before);
	assert_false(file_there(UNDO));
}

static bool is_done(void)
{
	struct vfcap *ctx = open_host();
	struct vfcap_leftover left;

	assert_int_equal(vfcap_function_leftover(pf_of(ctx), &left), 0);
	vfcap_free(ctx);
	return left.there && left.done;
}

static int kill_everywhere(const struct vfcap_change_options *opt, const char *after, bool torn)
{
	char before[512];
	bool ended = false, repaired, done;
	int at, again, kills = 0;

	for (at = 1; !ended; at++) {
		repaired = false;
		for (again = 1; !ended && !repaired; again++) {
			start(opt);
			snapshot(before, sizeof(before));
			ended = run_until(at, torn, opt);
			done = is_done() || ended;
			if (!ended)
				repaired = run_until(again, torn, NULL);
			if (!ended && !repaired)
				assert_true(run_until(0, false, NULL));
			assert_repaired(before, after, done);
			kills++;
			world_end();
		}
	}
	return kills;
}

static void killed_enables_are_repaired(void **state)
{
	(void)state;
	assert_true(kill_everywhere(&enable, after_enable, false) > 100);
}

static void killed_disables_are_repaired(void **state)
{
	(void)state;
	assert_true(kill_everywhere(&disable, after_disable, false) > 150);
}

static void what_was_half_written_is_repaired(void **state)
{
	(void)state;
	assert_true(kill_everywhere(&enable, after_enable, true) > 100);
}

/* Nobody need ask for the repair: the next run makes it. */
static void the_next_run_repairs(void **state)
{
	bool ended = false;

	(void)state;
	for (int at = 1; !ended; at++) {
		enum vfcap_result next;

		world_new();
		ended = run_until(at, false, &enable);
		next = ended || is_done() ? VFCAP_UNCHANGED : VFCAP_DONE;
		expect(&enable, next, next, next);
		assert_world(after_enable);
		expect(&disable, VFCAP_DONE, VFCAP_DONE, VFCAP_DONE);
		assert_world(after_disable);
		world_end();
	}
}

/* ----------------------------------------------------------------------------------- interruptions -- */

/* The run is told to end at each write: it is taken back, or was done already. */
static int interrupt_everywhere(const struct vfcap_change_options *opt, const char *after)
{
	int at, interrupted = 0;
	bool ended = false;
	char before[512];

	for (at = 1; !ended; at++) {
		const struct vfcap_outcome *out;
		struct vfcap_change *change;
		struct vfcap *ctx;

		start(opt);
		snapshot(before, sizeof(before));
		world.writes = 0;
		world.cancel_at = at;
		ctx = open_host();
		change = change_all(ctx, opt);
		out = vfcap_change_outcome(change, 0);
		assert_int_equal(out->interrupted, out->result == VFCAP_FAILED);
		assert_true(out->result == VFCAP_DONE || out->undone);
		if (out->interrupted)
			assert_string_equal(out->message, "0000:01:00.0: interrupted");
		assert_world(out->interrupted ? before : after);
		assert_false(file_there(UNDO));
		assert_true(world.cancel || at > world.writes);
		interrupted += out->interrupted;
		ended = !world.cancel;
		vfcap_change_free(change);
		vfcap_free(ctx);
		world_end();
	}
	return interrupted;
}

static void interrupted_runs_are_taken_back(void **state)
{
	(void)state;
	assert_true(interrupt_everywhere(&enable, after_enable) > 12);
	assert_true(interrupt_everywhere(&disable, after_disable) > 12);
}

/* Nothing is begun once it was told to end; the VFs are as they were, and no log was written. */
static void what_is_not_begun_stays_so(void **state)
{
	struct vfcap_change *change;
	char before[512];
	struct vfcap *ctx;

	(void)state;
	world_new();
	snapshot(before, sizeof(before));
	world.cancel = SIGINT;
	ctx = open_host();
	change = change_all(ctx, &enable);
	for (size_t i = 0; i < VFS; i++) {
		assert_int_equal(vfcap_change_outcome(change, i)->result, VFCAP_FAILED);
		assert_true(vfcap_change_outcome(change, i)->interrupted);
		assert_false(vfcap_change_outcome(change, i)->undone);
	}
	vfcap_change_free(change);
	vfcap_free(ctx);
	assert_int_equal(world.writes, 0);
	assert_world(before);
	world_end();
}

static void on_alarm(int sig)
{
	world.cancel = sig;
}

/* Another run holds the PF for as long as it likes: waiting for it ends with the run. */
static void waiting_for_another_run_is_interrupted(void **state)
{
	struct vfcap_change_options patient = enable;
	struct vfcap_change *change;
	struct vfcap *ctx;
	int lock;

	(void)state;
	patient.wait = 3600;
	world_new();
	assert_int_equal(mkdirat(world.tree.fd, "run/vfcap", 0700), 0);
	lock = openat(world.tree.fd, "run/vfcap/" PF ".lock", O_RDWR | O_CREAT, 0600);
	assert_int_equal(flock(lock, LOCK_EX), 0);
	signal(SIGALRM, on_alarm);
	assert_int_equal(
		setitimer(ITIMER_REAL, &(struct itimerval){ .it_value.tv_usec = 120000 }, NULL), 0);
	ctx = open_host();
	change = change_all(ctx, &patient);
	assert_true(vfcap_change_outcome(change, 0)->interrupted);
	assert_string_equal(vfcap_change_outcome(change, 0)->message, PF ": interrupted");
	assert_int_equal(vfcap_repair(pf_of(ctx)), -EINTR);
	vfcap_change_free(change);
	vfcap_free(ctx);
	signal(SIGALRM, SIG_DFL);
	close(lock);
	world_end();
}

/* A failure of its own is told as such, although the run was told to end while it was taken back. */
static void a_failure_before_is_the_failure(void **state)
{
	struct vfcap_change *change;
	struct vfcap *ctx;
	char before[512];

	(void)state;
	world_new();
	snapshot(before, sizeof(before));
	world.fails = 1;
	world.cancel_at = 12; /* the write of the bind, which fails */
	ctx = open_host();
	change = change_all(ctx, &enable);
	assert_int_equal(world.cancel, SIGTERM);
	assert_false(vfcap_change_outcome(change, 0)->interrupted);
	assert_non_null(strstr(vfcap_change_outcome(change, 0)->message, vf_name(1)));
	assert_true(vfcap_change_outcome(change, 0)->undone);
	vfcap_change_free(change);
	vfcap_free(ctx);
	world.fails = -1;
	assert_world(before);
	assert_false(file_there(UNDO));
	world_end();
}

/* ------------------------------------------------------------------------------------------ memory -- */

/* Allocations fail from the change on, at is the first. True: there were as many. */
static bool change_without_memory(const struct vfcap_change_options *opt, long at, bool *done)
{
	struct vfcap_change *change = NULL;
	struct vfcap *ctx = open_host();
	struct vfcap_function *vf, *all[VFS];
	bool failed;
	size_t n = 0;
	int err;

	vfcap_vf_foreach(pf_of(ctx), vf)
		all[n++] = vf;
	alloc_fail_at = at;
	err = vfcap_change(ctx, all, n, opt, &change);
	failed = !alloc_fail_at;
	alloc_fail_at = 0;
	assert_true(!err || err == -ENOMEM);
	assert_true(!err || vfcap_error(ctx)[0]);
	*done = !err && vfcap_change_outcome(change, 0)->result == VFCAP_DONE;
	for (size_t i = 0; i < VFS && !err && !*done; i++) {
		const struct vfcap_outcome *out = vfcap_change_outcome(change, i);

		if (!is_without_memory(out) || !out->message[0])
			fail_msg("allocation %ld: %s: %s", at, vfcap_result_name(out->result),
				 out->message);
	}
	vfcap_change_free(change);
	vfcap_free(ctx);
	return failed;
}

/* As before or as after; what could not be taken back, or recorded, is so after the repair. */
static void fail_every_allocation(const struct vfcap_change_options *opt, const char *after)
{
	bool failed = ALLOC_CAN_FAIL, done;
	char before[512];
	long at;

	for (at = 1; failed; at++) {
		start(opt);
		snapshot(before, sizeof(before));
		failed = change_without_memory(opt, at, &done);
		if (file_there(UNDO)) {
			done = is_done();
			assert_true(run_until(0, false, NULL));
		}
		assert_repaired(before, after, done);
		world_end();
	}
	assert_true(at > 40 || !ALLOC_CAN_FAIL);
}

static void without_memory_it_is_taken_back(void **state)
{
	(void)state;
	fail_every_allocation(&enable, after_enable);
	fail_every_allocation(&disable, after_disable);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(enables_and_disables),
		cmocka_unit_test(an_open_vf_as_wanted_is_unchanged),
		cmocka_unit_test(what_is_refused_touches_nothing),
		cmocka_unit_test(other_variants_are_spared),
		cmocka_unit_test(who_uses_it_is_named),
		cmocka_unit_test(what_fails_is_taken_back),
		cmocka_unit_test(what_hangs_is_repaired_later),
		cmocka_unit_test(only_what_is_ours_is_undone),
		cmocka_unit_test(a_damaged_log_is_named),
		cmocka_unit_test(the_directory_is_ours_alone),
		cmocka_unit_test(a_dry_run_tells_the_steps),
		cmocka_unit_test(what_was_enabled_is_recorded),
		cmocka_unit_test(what_is_as_wanted_is_recorded_so),
		cmocka_unit_test(what_is_as_wanted_is_recorded_with_the_others),
		cmocka_unit_test(enable_goes_on_from_what_is_kept),
		cmocka_unit_test(what_is_kept_is_restored),
		cmocka_unit_test(what_was_disabled_is_off_when_it_is_bound_again),
		cmocka_unit_test(what_was_bound_elsewhere_is_forgotten),
		cmocka_unit_test(nothing_is_forgotten_before_all_else_is_done),
		cmocka_unit_test(what_is_only_bound_shows_nothing),
		cmocka_unit_test(killed_enables_are_repaired),
		cmocka_unit_test(killed_disables_are_repaired),
		cmocka_unit_test(what_was_half_written_is_repaired),
		cmocka_unit_test(the_next_run_repairs),
		cmocka_unit_test(interrupted_runs_are_taken_back),
		cmocka_unit_test(what_is_not_begun_stays_so),
		cmocka_unit_test(waiting_for_another_run_is_interrupted),
		cmocka_unit_test(a_failure_before_is_the_failure),
		cmocka_unit_test(without_memory_it_is_taken_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
