// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Descriptions and a host with a kernel that is played: what contradicts itself or the host, VFs that are made and
 * changed, what the kernel may answer, and runs that are killed before each of their writes.
 */
#include "alloc.h"
#include "played.h"

#include "../../src/lib/resolve.h"

#include <sys/wait.h>

#define UNDO "run/vfcap/" PF ".undo"
#define RECORD "run/vfcap/" PF ".record"

/* ------------------------------------------------------------------------------------ descriptions -- */

#define AT(l)                     \
	{                         \
		"host.json", l, 5 \
	}
#define AUTO                                   \
	{                                      \
		.there = true, .where = AT(20) \
	}
#define PLACED(o)                                                       \
	{                                                               \
		.there = true, .at = true, .offset = o, .where = AT(21) \
	}

static struct vfcap_spec_vfs entries[8];
static struct vfcap_spec_pf counts[4];
static struct vfcap_spec spec;

static void describe_nothing(void)
{
	spec = (struct vfcap_spec){ .pf = counts, .vfs = entries };
}

static void describe_count(const char *device, uint16_t n)
{
	counts[spec.n_pf] = (struct vfcap_spec_pf){ device, n, AT(10 + (unsigned int)spec.n_pf) };
	spec.n_pf++;
}

static struct vfcap_spec_vfs *describe(const char *device, struct vfcap_want want)
{
	struct vfcap_spec_vfs *e = &entries[spec.n_vfs];

	*e = (struct vfcap_spec_vfs){ .device = device,
				      .width = -1,
				      .where = AT(30 + (unsigned int)spec.n_vfs) };
	e->want[VFCAP_EMUL_PASID] = want;
	spec.n_vfs++;
	return e;
}

static const struct vfcap_want automatic = AUTO, at_200 = PLACED(0x200);

/* One letter for each outcome: done, unchanged, refused, failed; and the first message of those that are not well. */
static void apply_with(const struct vfcap_apply_options *opt, char *results, char *message)
{
	struct vfcap *ctx = open_host();
	const struct vfcap_outcome *out;
	struct vfcap_apply *apply;
	size_t i;

	message[0] = '\0';
	assert_int_equal(vfcap_apply(ctx, &spec, opt, &apply), 0);
	for (i = 0; (out = vfcap_apply_outcome(apply, i)); i++) {
		results[i] = vfcap_result_name(out->result)[0];
		if (out->result == VFCAP_FAILED && !opt->dry_run)
			assert_true(out->undone);
		if (!message[0])
			strcpy(message, out->message);
	}
	results[i] = '\0';
	vfcap_apply_free(apply);
	vfcap_free(ctx);
}

static void expect(const char *results, const char *message)
{
	const struct vfcap_apply_options opt = { 0 };
	char got[16], said[512];

	apply_with(&opt, got, said);
	if (strcmp(got, results) || !strstr(said, message))
		fail_msg("%s, not %s: %s", got, results, said);
}

static void look(char *buf, size_t size)
{
	snapshot(buf, size);
	snprintf(buf + strlen(buf), size - strlen(buf), "%d %d\n", count_vfs(), autoprobe());
}

static void assert_looks(const char *expected)
{
	char now[600];

	look(now, sizeof(now));
	assert_string_equal(now, expected);
}

#define IAVF "iavf|(null)|0|\n"
#define FREE "|(null)|0|\n"
#define GONE "||0|\n"
#define OURS(offset) VFCAP_DRIVER "|" VFCAP_DRIVER "|" offset "|0\n"

/* ---------------------------------------------------------------------------------------- resolving -- */

static void wrong(int err, const char *message)
{
	struct vfcap *ctx = open_host();
	const struct vfcap_apply_options opt = { 0 };
	struct vfcap_apply *apply;
	int got = vfcap_apply(ctx, &spec, &opt, &apply);

	if (got != err || !strstr(vfcap_error(ctx), message))
		fail_msg("%d, not %d: %s", got, err, vfcap_error(ctx));
	assert_null(apply);
	assert_int_equal(world.writes, 0);
	vfcap_free(ctx);
}

static void contradictions_name_both_places(void **state)
{
	(void)state;
	world_new();
	world.writes = 0;
	describe_nothing();
	describe_count(PF, 2);
	describe_count("01:00.0", 3);
	wrong(-EINVAL, "host.json:11:5: " PF ": 3 VFs, but 2 at host.json:10:5");
	describe_nothing();
	describe_count(PF, 2);
	describe(PF "/vf2", automatic);
	wrong(-EINVAL, "host.json:30:5: address: " PF "/vf2: there is to be no VF 2: " PF
		       " is to have 2, as is described at host.json:10:5");
	describe_nothing();
	describe("0000:01:02.*", automatic);
	describe(PF "/vf0-1", at_200);
	wrong(-EINVAL, "host.json:21:5: " PF "/vf0: PASID: otherwise than at host.json:20:5");
	describe_nothing();
	describe(PF, automatic)->width = 8;
	describe("pci/0000:01:02.2", automatic)->width = 9;
	wrong(-EINVAL, "host.json:31:5: " PF "/vf1: width: otherwise than at host.json:30:5");
	describe_nothing();
	describe(PF, automatic);
	describe(PF "/vf1", (struct vfcap_want){ 0 })->has_driver = true;
	wrong(-EINVAL, "host.json:31:5: " PF "/vf1: driver: with it PASID cannot be shown, as is "
		       "described at host.json:20:5");
	world_end();
}

static void what_the_host_has_not_is_told(void **state)
{
	(void)state;
	world_new();
	world.writes = 0;
	describe_nothing();
	describe_count(PF, 4);
	wrong(-ERANGE, "host.json:10:5: " PF ": numvfs: 4 are more than it can have: 3");
	describe_nothing();
	describe_count("0000:02:00.0", 1);
	wrong(-ENOENT, "host.json:10:5: address: 0000:02:00.0: no such function");
	describe_nothing();
	describe_count(vf_name(0), 1);
	wrong(-EINVAL, "is no PF");
	describe_nothing();
	describe(PF "/vf3", automatic);
	wrong(-ERANGE, "there cannot be a VF 3: " PF " can have 3");
	describe_nothing();
	describe(PF "/vfx", automatic);
	wrong(-EINVAL, "/vf3 or /vf0-7 belongs there");
	describe_nothing();
	describe("0000:01:02.7", automatic);
	wrong(-ENOENT, "host.json:30:5: address: 0000:01:02.7: no such function");
	describe_nothing();
	describe("nothing:*", automatic);
	wrong(-ENOENT, "no such VF");
	assert_int_equal(kernel_numvfs(0), 0);
	describe_nothing();
	describe(vf_name(1), automatic);
	wrong(-ENOENT, "no VF 1: " PF " has 0, and \"pfs\" does not say");
	world_end();
}

/* Where a description may be followed in part, each mistake costs the entry or the PF that it is about. */
static void expect_in_part(const char *results, size_t n, const char *const *messages,
			   const int *errs)
{
	const struct vfcap_apply_options part = { .partial = true };
	const struct vfcap_skipped *skipped;
	const struct vfcap_outcome *out;
	struct vfcap *ctx = open_host();
	struct vfcap_apply *apply;
	size_t i;

	assert_int_equal(vfcap_apply(ctx, &spec, &part, &apply), 0);
	for (i = 0; (out = vfcap_apply_outcome(apply, i)); i++)
		assert_int_equal(vfcap_result_name(out->result)[0], results[i]);
	assert_int_equal(results[i], 0);
	for (i = 0; (skipped = vfcap_apply_skipped(apply, i)); i++) {
		assert_true(i < n);
		assert_int_equal(skipped->err, errs[i]);
		assert_string_equal(skipped->where.file, "host.json");
		if (!strstr(skipped->message, messages[i]))
			fail_msg("%s", skipped->message);
	}
	assert_int_equal(i, n);
	assert_string_equal(vfcap_error(ctx), "");
	vfcap_apply_free(apply);
	vfcap_free(ctx);
}

static void a_mistake_costs_what_it_is_about(void **state)
{
	static const char *const entries_wrong[] = {
		"host.json:10:5: address: 0000:02:00.0: no such function",
		"/vf3 or /vf0-7 belongs there", "no such VF on"
	};
	static const int entries_err[] = { -ENOENT, -EINVAL, -ENOENT };
	static const char *const pf_wrong[] = { "host.json:21:5: " PF
						"/vf1: PASID: otherwise than at host.json:20:5",
						"nothing0" };
	static const int pf_err[] = { -EINVAL, -ENOENT };
	static const char *const count_wrong[] = { "4 are more than it can have: 3" };
	static const int count_err[] = { -ERANGE };

	(void)state;
	world_new();
	describe_nothing();
	describe_count("0000:02:00.0", 1);
	describe(PF "/vfx", automatic);
	describe(PF "/vf0", at_200);
	describe("0000:05:*", automatic);
	expect_in_part("d", 3, entries_wrong, entries_err);
	assert_looks(OURS("512") FREE OURS("512") "3 1\n");

	world.writes = 0;
	describe_nothing();
	describe(PF "/vf1", automatic);
	describe(PF, at_200);
	describe(PF "/vf2", automatic);
	describe("nothing0", automatic);
	expect_in_part("", 2, pf_wrong, pf_err);
	describe_nothing();
	describe_count(PF, 4);
	describe_count(PF, 2);
	describe(PF "/vf3", automatic);
	describe("0000:01:*", automatic);
	expect_in_part("", 1, count_wrong, count_err);
	assert_int_equal(world.writes, 0);
	assert_looks(OURS("512") FREE OURS("512") "3 1\n");
	world_end();
}

/* ---------------------------------------------------------------------------------------- changing -- */

/* As world_new() leaves it. */
static const char as_new[] = IAVF FREE OURS("512") "3 1\n";

/* VFs that are not there are found by where they will be, by all forms of DEVICE. */
static void vfs_to_be_are_named_by_all_forms(void **state)
{
	static const char *const devices[] = { PF "/vf1", "0000:01:02.2", "01:02.2", "*:02.2" };
	const struct vfcap_apply_options paper = { .dry_run = true };
	char results[16], said[512];

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		world_new();
		assert_int_equal(kernel_numvfs(0), 0);
		describe_nothing();
		describe_count(PF, 2);
		describe(devices[i], at_200);
		apply_with(&paper, results, said);
		assert_string_equal(results, "uu");
		assert_looks(GONE GONE GONE "0 1\n");
		expect("dd", "");
		assert_looks(IAVF OURS("512") GONE "2 1\n");
		world_end();
	}
}

static void what_is_as_described_is_left_alone(void **state)
{
	(void)state;
	world_new();
	describe_nothing();
	describe_count(PF, 3);
	describe(PF "/vf0-1", automatic);
	describe(PF "/vf2", at_200);
	expect("uddu", "");
	assert_looks(OURS("432") OURS("432") OURS("512") "3 1\n");
	assert_int_equal(world.verified, 2);
	world.writes = 0;
	expect("uuuu", "");
	describe(PF, automatic)->width = 20;
	entries[2] = entries[1];
	spec.n_vfs = 2;
	expect("uuuu", "");
	assert_int_equal(world.writes, 0);
	assert_false(file_there(UNDO));
	world_end();
}

/* As the VFs are, one by one: nothing, another driver, none. */
static void vfs_get_the_drivers_that_are_described(void **state)
{
	(void)state;
	world_new();
	tree_dirs(&world.tree, DRIVERS "vfio-pci/");
	describe_nothing();
	describe(PF "/vf0", (struct vfcap_want){ 0 })->has_driver = true;
	describe(PF "/vf1", (struct vfcap_want){ 0 })->has_driver = true;
	describe(PF "/vf2", (struct vfcap_want){ 0 })->has_driver = true;
	entries[1].driver = "vfio-pci";
	entries[2].driver = "iavf";
	expect("ddd", "");
	assert_looks(FREE "vfio-pci|vfio-pci|0|\niavf|iavf|0|\n3 1\n");
	assert_false(file_there(RECORD));
	world.writes = 0;
	expect("uuu", "");
	assert_int_equal(world.writes, 0);
	entries[0].driver = "nonsense";
	expect("ruu", "there is no driver nonsense");
	assert_int_equal(world.writes, 0);
	describe_nothing();
	describe(PF "/vf2", (struct vfcap_want){ 0 });
	expect("u", "");
	describe(PF "/vf2", automatic);
	expect("d", "");
	spec.n_vfs = 1;
	expect("d", "");
	assert_looks(FREE "vfio-pci|vfio-pci|0|\niavf|iavf|0|\n3 1\n");
	world_end();
}

static void an_offset_has_to_be_where_its_rule_leads(void **state)
{
	(void)state;
	world_new();
	describe_nothing();
	describe(PF "/vf0", at_200);
	entries[0].want[VFCAP_EMUL_PASID].rule = VFCAP_RULE_AFTER_LAST;
	expect("r", "the rule after-last leads to 0x158 here, not to 0x200");
	entries[0].want[VFCAP_EMUL_PASID].offset = 0x158;
	expect("d", "");
	world_end();
}

/* A PF that has it switched off would refuse: force is of those VFs alone that it is described for. */
static void what_is_forced_may_be_described(void **state)
{
	(void)state;
	world_new();
	put_pf(false);
	describe_nothing();
	describe(PF "/vf0", automatic);
	expect("r", "the PF has it switched off");
	describe(PF "/vf0", (struct vfcap_want){ 0 })->force = true;
	expect("d", "");
	describe(PF "/vf1", automatic);
	expect("ur", "the PF has it switched off");
	entries[2].force = true;
	expect("ud", "");
	world_end();
}

/* VF 2 shows something at 0x200. */
static void what_shows_something_may_be_left_alone(void **state)
{
	const struct vfcap_apply_options if_off = { .if_off = true };
	char results[16], said[512];

	(void)state;
	world_new();
	describe_nothing();
	describe(PF, automatic);
	apply_with(&if_off, results, said);
	assert_string_equal(results, "ddu");
	assert_looks(OURS("432") OURS("432") OURS("512") "3 1\n");
	describe_nothing();
	describe(PF "/vf2", (struct vfcap_want){ 0 });
	apply_with(&if_off, results, said);
	assert_string_equal(results, "u");
	put(2, "vfcap/pasid_offset", "0\n");
	apply_with(&if_off, results, said);
	assert_string_equal(results, "d");
	world_end();
}

struct watched {
	size_t calls, done, all;
	bool odd; /* it went back, or beyond its end */
	char what[256];
};

static void watch(void *arg, const char *what, size_t done, size_t all)
{
	struct watched *w = arg;

	w->odd |= done < w->done || all < w->all || done > all;
	w->calls++;
	w->done = done;
	w->all = all;
	if (!strstr(w->what, what))
		strcat(w->what, what);
}

static void who_watches_is_told(void **state)
{
	struct watched w = { 0 };
	const struct vfcap_apply_options watched = { .progress = watch, .progress_arg = &w };
	char results[16], said[512];

	(void)state;
	world_new();
	describe_nothing();
	describe(PF, automatic);
	apply_with(&watched, results, said);
	assert_string_equal(results, "ddd");
	/* 3 that are looked at, 2 that are bound, 3 whose knobs are turned and that are looked at by VFIO. */
	assert_int_equal(w.calls, 11);
	assert_int_equal(w.done, 10);
	assert_int_equal(w.all, 11);
	assert_string_equal(w.what, "planoverrideknobverify");
	memset(&w, 0, sizeof(w));
	describe_count(PF, 2);
	apply_with(&watched, results, said);
	assert_string_equal(results, "ddd");
	assert_non_null(strstr(w.what, "numvfs"));
	assert_false(w.odd);
	assert_int_equal(w.done + 1, w.all);
	world_end();
}

static void only_what_concerns_one_is_done(void **state)
{
	const struct vfcap_apply_options vf = { .only = "0000:01:02.2" }, pf = { .only = PF },
					 no = { .only = "01:02.2" };
	struct vfcap_apply *apply;
	char results[16], said[512];
	struct vfcap *ctx;

	(void)state;
	world_new();
	describe_nothing();
	describe_count("0000:02:00.0", 7);
	describe_count(PF, 2);
	describe("0000:07:00.*", automatic);
	describe(PF "/vf0-1", at_200);
	apply_with(&vf, results, said);
	assert_string_equal(results, "d");
	assert_looks(IAVF OURS("512") OURS("512") "3 1\n");
	apply_with(&pf, results, said);
	assert_string_equal(results, "ddd");
	assert_looks(OURS("512") OURS("512") GONE "2 1\n");
	ctx = open_host();
	assert_int_equal(vfcap_apply(ctx, &spec, &no, &apply), -EINVAL);
	vfcap_free(ctx);
	world_end();
}

/* ------------------------------------------------------------------------------------------- count -- */

/* There is nothing to go back to of VFs that were made, only what was enabled in them. */
static void assert_recorded(const char *lines)
{
	char text[512], expected[512];
	int fd = openat(world.tree.fd, RECORD, O_RDONLY);
	ssize_t n = read(fd, text, sizeof(text) - 1);

	close(fd);
	text[n > 0 ? n : 0] = '\0';
	snprintf(expected, sizeof(expected),
		 "vfcap-record 2 " PF " 6fd3c1b1-0000-4000-8000-0000deadbeef\n%s", lines);
	assert_string_equal(text, expected);
}

/* VFs that are not described become what they were; those that are new, what the kernel would make of them. */
static void another_number_leaves_the_others_as_they_were(void **state)
{
	(void)state;
	world_new();
	put(2, "driver_override", "iavf\n");
	describe_nothing();
	describe_count(PF, 2);
	describe(PF "/vf1", at_200);
	expect("dd", "");
	assert_looks(IAVF OURS("512") GONE "2 1\n");
	assert_recorded("knob 0000:01:02.2 512 0 0\n");
	tree_text(&world.tree, RECORD,
		  "vfcap-record 2 " PF " 6fd3c1b1-0000-4000-8000-0000deadbeef\n"
		  "knob 0000:01:02.2 480 0 0\n");
	expect("uu", "");
	assert_recorded("knob 0000:01:02.2 512 0 0\n");
	describe_nothing();
	describe_count(PF, 3);
	expect("d", "");
	assert_looks(IAVF OURS("512") IAVF "3 1\n");
	assert_recorded("knob 0000:01:02.2 512 0 0\n");
	tree_text(&world.tree, DEVICES PF "/sriov_drivers_autoprobe", "0\n");
	describe_count(PF, 3);
	describe_nothing();
	describe_count(PF, 0);
	expect("d", "");
	assert_looks(GONE GONE GONE "0 0\n");
	assert_false(file_there(RECORD));
	describe_nothing();
	describe_count(PF, 3);
	describe(PF "/vf2", automatic);
	expect("dd", "");
	assert_looks(FREE FREE OURS("432") "3 0\n");
	world_end();
}

static void what_the_kernel_answers_is_explained(void **state)
{
	static const struct {
		int err;
		const char *remedy;
	} answers[] = {
		{ -EBUSY, "held by somebody" }, { -ENOSPC, "no MSI-X vectors" },
		{ -ERANGE, "sriov_totalvfs" },	{ -ENOENT, "cannot create VFs" },
		{ -ENOMEM, "pci=realloc" },	{ -EACCES, "needs root" },
		{ -EIO, "Input/output error" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		world_new();
		assert_int_equal(kernel_numvfs(0), 0);
		world.count_error = answers[i].err;
		describe_nothing();
		describe_count(PF, 3);
		describe(PF "/vf0", automatic);
		expect("ff", answers[i].remedy);
		assert_looks(GONE GONE GONE "0 1\n");
		assert_false(file_there(UNDO));
		world_end();
	}
	world_new();
	assert_int_equal(kernel_numvfs(0), 0);
	world.most = 1;
	describe_nothing();
	describe_count(PF, 3);
	describe(PF "/vf0", automatic);
	expect("ff", "sriov_numvfs 3: the kernel made 1 VFs");
	assert_looks(GONE GONE GONE "0 1\n");
	world_end();
}

static void what_fails_with_another_number_is_taken_back(void **state)
{
	(void)state;
	world_new();
	describe_nothing();
	describe_count(PF, 2);
	describe(PF, automatic);
	world.verify = -EXDEV;
	expect("fff", "not viable");
	assert_looks(as_new);
	assert_false(file_there(UNDO));
	world.verify = 0;
	describe_nothing();
	describe_count(PF, 2);
	describe(PF, (struct vfcap_want){ .there = true, .at = true, .offset = 0x104 });
	expect("rrr", "not touched");
	assert_looks(as_new);
	put(0, "net/eth7/flags", "0x1003\n");
	describe_nothing();
	describe_count(PF, 2);
	expect("r", "of 0000:01:02.0 its network interface eth7 is up");
	assert_int_equal(unlinkat(world.tree.fd, DEVICES PF "/driver", 0), 0);
	expect("r", "no driver is bound to it");
	assert_looks(as_new);
	world_end();
}

/* ------------------------------------------------------------------------------------------- killed -- */

static void describe_another_number(void)
{
	describe_nothing();
	describe_count(PF, 2);
	describe(PF "/vf0", at_200);
}

static const char after_another_number[] = OURS("512") FREE GONE "2 1\n";

/* Applies, or repairs, in a process that dies at that write. True: it came to its end before. */
static bool run_until(int die_at, bool torn, bool apply)
{
	const struct vfcap_apply_options opt = { 0 };
	char results[16], said[512];
	pid_t pid = fork();
	struct vfcap *ctx;
	int status;

	assert_true(pid >= 0);
	if (!pid) {
		world.writes = 0;
		world.die_at = die_at;
		world.torn = torn;
		ctx = open_host();
		if (apply)
			apply_with(&opt, results, said);
		else if (vfcap_repair(vfcap_function_first(ctx)))
			_exit(1);
		vfcap_free(ctx);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 9));
	return WEXITSTATUS(status) == 0;
}

static bool is_done(void)
{
	struct vfcap *ctx = open_host();
	struct vfcap_leftover left;

	assert_int_equal(vfcap_function_leftover(vfcap_function_first(ctx), &left), 0);
	vfcap_free(ctx);
	return left.there && left.done;
}

static int kill_everywhere(bool torn)
{
	bool ended = false, repaired, done;
	int at, again, kills = 0;

	describe_another_number();
	for (at = 1; !ended; at++) {
		repaired = false;
		for (again = 1; !ended && !repaired; again++) {
			world_new();
			ended = run_until(at, torn, true);
			done = is_done() || ended;
			if (!ended)
				repaired = run_until(again, torn, false);
			if (!ended && !repaired)
				assert_true(run_until(0, false, false));
			assert_looks(done ? after_another_number : as_new);
			assert_false(file_there(UNDO));
			kills++;
			world_end();
		}
	}
	return kills;
}

static void killed_runs_are_repaired(void **state)
{
	(void)state;
	assert_true(kill_everywhere(false) > 150);
}

static void what_was_half_written_is_repaired(void **state)
{
	(void)state;
	assert_true(kill_everywhere(true) > 150);
}

static void the_next_run_repairs(void **state)
{
	bool ended = false;

	(void)state;
	describe_another_number();
	for (int at = 1; !ended; at++) {
		world_new();
		ended = run_until(at, false, true);
		expect(ended || is_done() ? "uu" : "dd", "");
		assert_looks(after_another_number);
		world_end();
	}
}

/* Somebody else has made other VFs since: nothing of theirs is touched. */
static void what_others_made_is_left_alone(void **state)
{
	bool ended = false;

	(void)state;
	describe_another_number();
	for (int at = 1; !ended; at++) {
		world_new();
		ended = run_until(at, false, true);
		if (!ended && !is_done()) {
			kernel_numvfs(0);
			tree_text(&world.tree, DEVICES PF "/sriov_drivers_autoprobe", "1\n");
			kernel_numvfs(1);
			assert_true(run_until(0, false, false));
			assert_looks(IAVF GONE GONE "1 1\n");
			assert_false(file_there(UNDO));
		}
		world_end();
	}
}

/* Told to end at that write, until there is none: false. It is taken back, or was done before. */
static bool interrupted_at(int at)
{
	const struct vfcap_apply_options opt = { 0 };
	struct vfcap *ctx = open_host();
	const struct vfcap_outcome *out;
	struct vfcap_apply *apply;
	bool interrupted;

	world.cancel_at = at;
	assert_int_equal(vfcap_apply(ctx, &spec, &opt, &apply), 0);
	interrupted = vfcap_apply_outcome(apply, 0)->interrupted;
	for (size_t i = 0; (out = vfcap_apply_outcome(apply, i)); i++) {
		assert_int_equal(out->result, interrupted ? VFCAP_FAILED : VFCAP_DONE);
		assert_int_equal(out->undone, interrupted);
		assert_int_equal(out->interrupted, interrupted);
	}
	vfcap_apply_free(apply);
	vfcap_free(ctx);
	return interrupted;
}

static void interrupted_runs_are_taken_back(void **state)
{
	int interrupted = 0;

	(void)state;
	describe_another_number();
	for (int at = 1, cancelled = 1; cancelled; at++) {
		bool now;

		world_new();
		now = interrupted_at(at);
		assert_looks(now ? as_new : after_another_number);
		assert_false(file_there(UNDO));
		interrupted += now;
		cancelled = world.cancel;
		world_end();
	}
	assert_true(interrupted > 12);
}

/* Allocations fail from the run on, at is the first. True: there were as many. */
static bool apply_without_memory(long at, bool *done)
{
	const struct vfcap_apply_options opt = { 0 };
	struct vfcap *ctx = open_host();
	const struct vfcap_outcome *out;
	struct vfcap_apply *apply;
	bool failed;
	int err;

	alloc_fail_at = at;
	err = vfcap_apply(ctx, &spec, &opt, &apply);
	failed = !alloc_fail_at;
	alloc_fail_at = 0;
	assert_true(!err || (err == -ENOMEM && vfcap_error(ctx)[0]));
	*done = !err && vfcap_apply_outcome(apply, 0)->result == VFCAP_DONE;
	for (size_t i = 0; !err && !*done && (out = vfcap_apply_outcome(apply, i)); i++)
		if (!is_without_memory(out) || !out->message[0])
			fail_msg("allocation %ld: %s: %s", at, vfcap_result_name(out->result),
				 out->message);
	vfcap_apply_free(apply);
	vfcap_free(ctx);
	return failed;
}

/* As before or as after; what could not be taken back, or recorded, is so after the repair. */
static void without_memory_it_is_taken_back(void **state)
{
	bool failed = ALLOC_CAN_FAIL, done;
	char now[600];
	long at;

	(void)state;
	describe_another_number();
	for (at = 1; failed; at++) {
		world_new();
		failed = apply_without_memory(at, &done);
		if (file_there(UNDO)) {
			done = is_done();
			assert_true(run_until(0, false, false));
		}
		look(now, sizeof(now));
		if (strcmp(now, done ? after_another_number : as_new))
			fail_msg("allocation %ld: %s: %s", at, done ? "done" : "failed", now);
		assert_false(file_there(UNDO));
		world_end();
	}
	assert_true(at > 100 || !ALLOC_CAN_FAIL);
}

/* Before each write, until there is none: false. All that was described failed, or was done before. */
static bool vanishes_at(int at)
{
	const struct vfcap_apply_options opt = { 0 };
	struct vfcap *ctx = open_host();
	const struct vfcap_outcome *out;
	struct vfcap_apply *apply;
	bool gone;

	world.vanish_at = at;
	assert_int_equal(vfcap_apply(ctx, &spec, &opt, &apply), 0);
	gone = world.gone;
	for (size_t i = 0; i < 2; i++) {
		out = vfcap_apply_outcome(apply, i);
		assert_int_equal(out->result, gone ? VFCAP_FAILED : VFCAP_DONE);
		assert_true(out->message[0] || !gone);
	}
	assert_null(vfcap_apply_outcome(apply, 2));
	vfcap_apply_free(apply);
	vfcap_free(ctx);
	world.vanish_at = world.writes = 0;
	return gone;
}

/* As hardware does: it knows nothing of what was. */
static void come_back(void)
{
	vanish(false);
	tree_text(&world.tree, DEVICES PF "/sriov_drivers_autoprobe", "1\n");
	assert_int_equal(kernel_numvfs(0), 0);
}

static void a_pf_that_vanishes_is_dealt_with_when_it_is_back(void **state)
{
	static const char new_there[] = OURS("512") IAVF GONE "2 1\n";
	bool gone = true;
	char now[600];
	int at;

	(void)state;
	describe_another_number();
	for (at = 1; gone; at++) {
		world_new();
		gone = vanishes_at(at);
		if (gone) {
			come_back();
			expect("dd", "");
		}
		look(now, sizeof(now));
		if (!gone || strcmp(now, new_there)) /* else nothing was known of VF 1 any more */
			assert_string_equal(now, after_another_number);
		assert_false(file_there(UNDO));
		world_end();
	}
	assert_true(at > 8);
}

/* --------------------------------------------------------------------------------------------- kept -- */

static void what_is_kept_is_read_again(void **state)
{
	struct vfcap_function *pf;
	struct vfcap_kept *kept;
	const char *name, *text;
	struct vfcap *ctx;
	size_t len;

	(void)state;
	world_new();
	ctx = open_host();
	pf = vfcap_function_first(ctx);
	assert_int_equal(vfcap_kept_try(pf), -ENOENT);
	assert_non_null(strstr(vfcap_error(ctx), "/etc"));
	tree_dirs(&world.tree, "etc/");
	assert_int_equal(vfcap_kept_try(pf), 0);
	assert_int_equal(vfcap_kept_write(pf, "{}\n"), 0);
	tree_text(&world.tree, "etc/vfcap.d/a.json", "[]");
	assert_int_equal(vfcap_kept_read(ctx, &kept), 0);
	text = vfcap_kept_text(kept, 0, &name, &len);
	assert_string_equal(name, "/etc/vfcap.d/" PF ".json");
	assert_memory_equal(text, "{}\n", 3);
	assert_int_equal(len, 3);
	assert_non_null(vfcap_kept_text(kept, 1, &name, &len));
	assert_null(vfcap_kept_text(kept, 2, &name, &len));
	vfcap_kept_free(kept);
	assert_int_equal(vfcap_kept_write(pf, NULL), 0);
	assert_int_equal(fchmodat(world.tree.fd, "etc/vfcap.d/a.json", 0622, 0), 0);
	tree_text(&world.tree, "etc/vfcap.d/b.json", "{}");
	assert_int_equal(vfcap_kept_read(ctx, &kept), 0);
	assert_string_equal(vfcap_kept_text(kept, 0, &name, &len), "");
	assert_int_equal(len, 0);
	assert_int_equal(vfcap_kept_error(kept, 0, &text), -EPERM);
	assert_string_equal(text, "/etc/vfcap.d/a.json: others than root may write it: chmod go-w");
	assert_int_equal(vfcap_kept_error(kept, 1, &text), 0);
	assert_memory_equal(vfcap_kept_text(kept, 1, &name, &len), "{}", 2);
	vfcap_kept_free(kept);
	assert_int_equal(fchmodat(world.tree.fd, "etc/vfcap.d", 0777, 0), 0);
	assert_int_equal(vfcap_kept_read(ctx, &kept), -EPERM);
	assert_non_null(strstr(vfcap_error(ctx), "/etc/vfcap.d: "));
	assert_false(file_there("etc/vfcap.d/" PF ".json"));
	vfcap_free(ctx);
	world_end();
}

static void what_is_said_of_one_pf_is_told_by_index(void **state)
{
	struct vfcap_function *pf;
	struct vfcap_spec_vfs *vfs;
	struct vfcap *ctx;
	int numvfs;
	size_t n;

	(void)state;
	world_new();
	ctx = open_host();
	pf = vfcap_function_first(ctx);
	describe_nothing();
	assert_int_equal(vfcap_spec_of(pf, &spec, &numvfs, &vfs, &n), 0);
	assert_true(numvfs == -1 && n == 0);
	describe_count(PF, 2);
	describe_count("0000:05:00.0", 2);
	describe("0000:01:02.2", at_200)->width = 9;
	describe("0000:05:00.0/vf1", at_200);
	assert_int_equal(vfcap_spec_of(pf, &spec, &numvfs, &vfs, &n), 0);
	assert_int_equal(numvfs, 2);
	assert_int_equal(n, 2);
	assert_null(vfs[0].device);
	assert_non_null(vfs[1].device);
	assert_int_equal(vfs[1].width, 9);
	assert_true(vfcap_want_same(&vfs[1].want[VFCAP_EMUL_PASID], &at_200));
	free(vfs);
	vfcap_free(ctx);
	world_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(contradictions_name_both_places),
		cmocka_unit_test(what_the_host_has_not_is_told),
		cmocka_unit_test(a_mistake_costs_what_it_is_about),
		cmocka_unit_test(vfs_to_be_are_named_by_all_forms),
		cmocka_unit_test(what_is_as_described_is_left_alone),
		cmocka_unit_test(vfs_get_the_drivers_that_are_described),
		cmocka_unit_test(an_offset_has_to_be_where_its_rule_leads),
		cmocka_unit_test(what_is_forced_may_be_described),
		cmocka_unit_test(what_shows_something_may_be_left_alone),
		cmocka_unit_test(who_watches_is_told),
		cmocka_unit_test(only_what_concerns_one_is_done),
		cmocka_unit_test(another_number_leaves_the_others_as_they_were),
		cmocka_unit_test(what_the_kernel_answers_is_explained),
		cmocka_unit_test(what_fails_with_another_number_is_taken_back),
		cmocka_unit_test(killed_runs_are_repaired),
		cmocka_unit_test(what_was_half_written_is_repaired),
		cmocka_unit_test(the_next_run_repairs),
		cmocka_unit_test(what_others_made_is_left_alone),
		cmocka_unit_test(interrupted_runs_are_taken_back),
		cmocka_unit_test(without_memory_it_is_taken_back),
		cmocka_unit_test(a_pf_that_vanishes_is_dealt_with_when_it_is_back),
		cmocka_unit_test(what_is_kept_is_read_again),
		cmocka_unit_test(what_is_said_of_one_pf_is_told_by_index),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
