// SPDX-License-Identifier: GPL-2.0-or-later
/* Descriptions: what is read of them, where it stands, what is wrong with them, and that what is written is read again. */
#include "unit.h"

#include "alloc.h"

#include "spec.h"

static char error[VFCAP_SPEC_ERROR];

static int try_read(struct vfcap_description *d, const char *text)
{
	error[0] = '\0';
	return vfcap_spec_read(d, "x.json", text, strlen(text), error);
}

static void assert_wrong(const char *text, const char *message)
{
	struct vfcap_description d = { 0 };

	assert_int_equal(try_read(&d, text), -22);
	assert_string_equal(error, message);
	vfcap_spec_free(&d);
}

static void all_keys_are_read(void **state)
{
	struct vfcap_description d = { 0 };
	const struct vfcap_spec_vfs *vfs;

	(void)state;
	assert_int_equal(
		try_read(
			&d,
			"{\"plan\": [ {\"placements\":[{\"offset\":264,\"name\":\"PRI\",\"rule\":\"after-last\"},\n"
			"\t{\"name\":\"PASID\"}],\"evidence\":{\"a\":[1,{}]},\"width\":9, \"address\":\"a\\u0062/vf0-1\"},"
			"{\"address\":\"c\",\"driver\":null},{\"address\":\"d\",\"force\":true,\"driver\":\"e\"}],\n"
			" \"vfcap\":1,\"pfs\":[{\"numvfs\":7,\"address\":\"p\"}]}"),
		0);
	assert_int_equal(d.spec.n_pf, 1);
	assert_int_equal(d.spec.n_vfs, 3);
	assert_string_equal(d.spec.pf[0].device, "p");
	assert_int_equal(d.spec.pf[0].numvfs, 7);
	assert_int_equal(d.spec.pf[0].where.line, 3);
	assert_int_equal(d.spec.pf[0].where.column, 41);
	vfs = d.spec.vfs;
	assert_string_equal(vfs[0].device, "ab/vf0-1");
	assert_string_equal(vfs[0].where.file, "x.json");
	assert_int_equal(vfs[0].width, 9);
	assert_true(vfs[0].want[VFCAP_EMUL_PRI].at);
	assert_int_equal(vfs[0].want[VFCAP_EMUL_PRI].offset, 264);
	assert_int_equal(vfs[0].want[VFCAP_EMUL_PRI].rule, VFCAP_RULE_AFTER_LAST);
	assert_int_equal(vfs[0].want[VFCAP_EMUL_PRI].where.line, 1);
	assert_int_equal(vfs[0].want[VFCAP_EMUL_PRI].where.column, 27);
	assert_true(vfs[0].want[VFCAP_EMUL_PASID].there && !vfs[0].want[VFCAP_EMUL_PASID].at);
	assert_int_equal(vfs[0].want[VFCAP_EMUL_PASID].where.line, 2);
	assert_int_equal(vfs[0].want[VFCAP_EMUL_PASID].where.column, 2);
	assert_true(vfs[1].has_driver && !vfs[1].driver && vfs[1].width == -1);
	assert_string_equal(vfs[2].driver, "e");
	assert_true(vfs[2].force && !vfs[1].force);
	vfcap_spec_free(&d);
}

/* Characters are columns, whatever they are made of, and strings hold no structure. */
static void places_are_counted_in_characters(void **state)
{
	(void)state;
	assert_wrong(
		"{\"vfcap\":1,\"plan\":[{\"address\":\"\xc3\xa4\xe2\x82\xac]}\\\"{\",\"x\":0}]}",
		"x.json:1:41: plan[0].x: no such key; there are address, placements, width, driver, force");
	assert_wrong("{\"vfcap\":1,\r\n\"pfs\":[\n\n  7]}",
		     "x.json:4:3: pfs[0]: an object belongs here");
	assert_wrong("{\"vfcap\":1,\"pfs\":{}}", "x.json:1:18: pfs: an array belongs here");
	assert_wrong("{\"vfcap\":1,\"plan\":[{\"address\":\"a\",\"force\":1}]}",
		     "x.json:1:43: plan[0].force: true or false belongs here");
	assert_wrong("", "x.json:1:1: no JSON: '[' or '{' expected near end of file");
}

static void several_texts_are_one_description(void **state)
{
	struct vfcap_description d = { 0 };

	(void)state;
	for (int i = 0; i < 100; i++) {
		assert_int_equal(
			try_read(
				&d,
				"{\"vfcap\":1,\"plan\":[{\"address\":\"a\"},{\"address\":\"b\"}]}"),
			0);
		/* What is wrong adds nothing. */
		assert_int_equal(
			try_read(
				&d,
				"{\"vfcap\":1,\"pfs\":[{\"address\":\"a\",\"numvfs\":1}],"
				"\"plan\":[{\"address\":\"x\"},{\"address\":\"y\"},{\"address\":7}]}"),
			-22);
	}
	assert_int_equal(d.spec.n_pf, 0);
	assert_int_equal(d.spec.n_vfs, 200);
	assert_string_equal(d.spec.vfs[199].device, "b");
	vfcap_spec_free(&d);
}

static void what_is_written_is_read_again(void **state)
{
	const struct vfcap_want at = { .there = true, .at = true, .offset = 0x140 };
	const struct vfcap_want rule = { .there = true, .rule = VFCAP_RULE_FREE_GAP };
	struct vfcap_spec_vfs vfs[7] = {
		{ .device = "", .width = 8, .want = { at, rule } },
		{ .device = "", .width = 8, .want = { at, rule } },
		{ .width = -1 },
		{ .device = "", .width = -1, .has_driver = true },
		{ .device = "", .width = -1, .has_driver = true, .driver = "iavf" },
		{ .device = "", .width = 0, .want = { at } },
		{ .device = "", .width = 0, .want = { at }, .force = true },
	};
	struct vfcap_description d = { 0 };
	char *text = vfcap_spec_write("0000:3b:00.0", 9, vfs, 7);

	(void)state;
	assert_non_null(text);
	assert_int_equal(try_read(&d, text), 0);
	free(text);
	assert_int_equal(d.spec.pf[0].numvfs, 9);
	assert_int_equal(d.spec.n_vfs, 5);
	assert_string_equal(d.spec.vfs[0].device, "0000:3b:00.0/vf0-1");
	assert_true(vfcap_want_same(&d.spec.vfs[0].want[0], &at));
	assert_true(vfcap_want_same(&d.spec.vfs[0].want[1], &rule));
	assert_int_equal(d.spec.vfs[0].width, 8);
	assert_string_equal(d.spec.vfs[1].device, "0000:3b:00.0/vf3");
	assert_true(d.spec.vfs[1].has_driver && !d.spec.vfs[1].driver);
	assert_string_equal(d.spec.vfs[2].driver, "iavf");
	assert_string_equal(d.spec.vfs[3].device, "0000:3b:00.0/vf5");
	assert_string_equal(d.spec.vfs[4].device, "0000:3b:00.0/vf6");
	assert_true(d.spec.vfs[4].force && !d.spec.vfs[3].force);
	vfcap_spec_free(&d);
	text = vfcap_spec_write("0000:3b:00.0", -1, vfs, 0);
	assert_int_equal(try_read(&d, text), 0);
	assert_int_equal(d.spec.n_pf + d.spec.n_vfs, 0);
	free(text);
	vfcap_spec_free(&d);
}

/* jansson leaves bytes of a string out that it has no memory for: what is read is all of it, or nothing. */
static void without_memory_nothing_is_read(void **state)
{
	static const char text[] =
		"{\"vfcap\":1,\"pfs\":[{\"address\":\"0000:3b:00.0\",\"numvfs\":4}],\"plan\":[{\"address\":"
		"\"0000:3b:00.0/vf0-1\",\"placements\":[{\"name\":\"PASID\",\"rule\":\"pf-offset\"}]}]}";
	bool failed = ALLOC_CAN_FAIL;
	long at;

	(void)state;
	for (at = 1; failed; at++) {
		struct vfcap_description d = { 0 };
		int err;

		alloc_fail_at = at;
		err = try_read(&d, text);
		failed = !alloc_fail_at;
		alloc_fail_at = 0;
		assert_int_equal(err, failed ? -ENOMEM : 0);
		assert_true(!failed || strstr(error, ": Cannot allocate memory"));
		vfcap_spec_free(&d);
	}
	assert_true(at > 20 || !ALLOC_CAN_FAIL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_keys_are_read),
		cmocka_unit_test(places_are_counted_in_characters),
		cmocka_unit_test(several_texts_are_one_description),
		cmocka_unit_test(what_is_written_is_read_again),
		cmocka_unit_test(without_memory_nothing_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
