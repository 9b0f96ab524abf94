/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>

#include "hostgen.h"

/* A source that counts what is asked of it and ends, or fails, where it is told to. */
struct source {
	unsigned int calls, asked;
	unsigned int end; /* first offset that it does not have */
	int error; /* what it says there, else a short read */
};

static int fetch(void *ctx, unsigned int off, unsigned int len, uint8_t *buf)
{
	struct source *src = ctx;
	unsigned int i;

	src->calls++;
	src->asked += len;
	assert_int_equal(off % 4, 0);
	assert_int_equal(len % 4, 0);
	assert_true(len > 0 && off + len <= VFCAP_CFG_SIZE);
	if (off + len > src->end && src->error)
		return src->error;
	for (i = 0; i < len; i++)
		buf[i] = (uint8_t)(off + i);
	return off >= src->end ? 0 : off + len > src->end ? (int)(src->end - off) : (int)len;
}

static void test_from_bytes(void **state)
{
	static const struct {
		size_t len;
		unsigned int size, known;
	} cases[] = { { 0, 64, 0 },	  { 3, 64, 0 },		{ 64, 64, 64 },
		      { 65, 64, 64 },	  { 68, 256, 68 },	{ 256, 256, 256 },
		      { 260, 4096, 260 }, { 4095, 4096, 4092 }, { 4096, 4096, 4096 },
		      { 9999, 4096, 4096 } };
	uint8_t bytes[9999];
	struct vfcap_image img;
	unsigned int i, off;

	(void)state;
	memset(bytes, 0x5a, sizeof(bytes));
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		vfcap_image_from_bytes(&img, bytes, cases[i].len);
		assert_int_equal(img.size, cases[i].size);
		for (off = 0; off < VFCAP_CFG_SIZE; off++) {
			assert_int_equal(vfcap_image_has(&img, off, 1), off < cases[i].known);
			assert_int_equal(img.bytes[off], off < cases[i].known ? 0x5a : 0);
		}
		assert_true(vfcap_image_has(&img, 0, cases[i].known));
		assert_false(vfcap_image_has(&img, 0, cases[i].known + 1));
		assert_false(vfcap_image_need(&img, 0, cases[i].known + 1));
	}
}

static void test_ranges(void **state)
{
	struct vfcap_image img;
	uint32_t val;

	(void)state;
	vfcap_image_init(&img, 4096, NULL, NULL);
	memset(img.known, 0xff, sizeof(img.known));
	assert_true(vfcap_image_need(&img, 0, 4096));
	assert_true(vfcap_image_need(&img, 4096, 0));
	assert_true(vfcap_image_has(&img, 4095, 1));
	assert_false(vfcap_image_has(&img, 4095, 2));
	assert_false(vfcap_image_need(&img, 4096, 1));
	assert_false(vfcap_image_need(&img, 4097, 0));
	assert_false(vfcap_image_need(&img, 0xfffffffc, 8)); /* the sum wraps */
	assert_false(vfcap_image_need(&img, 8, 0xfffffffc));
	assert_false(vfcap_image_read(&img, 0xffffffff, 4, &val));
	assert_false(vfcap_image_read(&img, 4093, 4, &val));
	assert_false(vfcap_image_read(&img, 0, 3, &val));
}

static void test_widths(void **state)
{
	static const uint8_t bytes[8] = { 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88 };
	struct vfcap_image img;
	uint32_t val;

	(void)state;
	vfcap_image_from_bytes(&img, bytes, sizeof(bytes));
	assert_true(vfcap_image_read(&img, 0, 4, &val));
	assert_int_equal(val, 0x44332211);
	assert_true(vfcap_image_read(&img, 3, 4, &val)); /* across dwords */
	assert_int_equal(val, 0x77665544);
	assert_true(vfcap_image_read(&img, 3, 2, &val));
	assert_int_equal(val, 0x5544);
	assert_true(vfcap_image_read(&img, 7, 1, &val));
	assert_int_equal(val, 0x88);
	assert_false(vfcap_image_read(&img, 5, 4, &val));
	assert_int_equal(val, 0);
}

static void test_fetch(void **state)
{
	struct source src = { .end = 4096 };
	struct vfcap_image img;
	uint32_t val;

	(void)state;
	vfcap_image_init(&img, 4096, fetch, &src);
	assert_int_equal(src.calls, 0);
	assert_true(vfcap_image_read(&img, 0x102, 2, &val));
	assert_int_equal(val, 0x0302);
	assert_int_equal(src.asked, 4);
	assert_true(vfcap_image_read(&img, 0x100, 4, &val)); /* the same dword: known by now */
	assert_int_equal(src.calls, 1);
	assert_true(vfcap_image_need(&img, 0xf8, 0x10)); /* two runs around what is known */
	assert_int_equal(src.calls, 3);
	assert_int_equal(src.asked, 16);
	assert_false(vfcap_image_has(&img, 0x108, 1));
	assert_int_equal(img.error, 0);
}

static void test_fetch_ends(void **state)
{
	struct source src = { .end = 0x200 };
	struct vfcap_image img;
	unsigned int i;

	(void)state;
	vfcap_image_init(&img, 4096, fetch, &src);
	assert_false(vfcap_image_need(&img, 0x1f0, 0x20));
	assert_true(vfcap_image_has(&img, 0x1f0, 0x10)); /* what came is kept */
	assert_false(vfcap_image_has(&img, 0x200, 1));
	for (i = 0x200; i < 0x210; i++)
		assert_int_equal(img.bytes[i], 0); /* what did not come is not left behind */
	assert_int_equal(img.error, 0);

	src.error = -EIO;
	assert_false(vfcap_image_need(&img, 0x300, 4));
	assert_int_equal(img.error, -EIO);
	src.error = -ENODEV;
	assert_false(vfcap_image_need(&img, 0x300, 4));
	assert_int_equal(img.error, -EIO); /* the first one stays */
	assert_true(vfcap_image_need(&img, 0x180, 4));
}

/* has() against one byte at a time, on random bitmaps. */
static void test_has(void **state)
{
	uint64_t seed = 20261123;
	struct vfcap_image img;
	unsigned int round, off, len, i;
	bool all;

	(void)state;
	for (round = 0; round < 20000; round++) {
		if (round % 500 == 0) {
			vfcap_image_init(&img, 4096, NULL, NULL);
			memset(img.known, 0xff, sizeof(img.known));
			for (i = gen_rand(&seed, 20); i; i--)
				gen_hole(&img, 4 * gen_rand(&seed, 1024), 4);
		}
		off = gen_rand(&seed, 4096);
		len = gen_rand(&seed, gen_rand(&seed, 2) ? 16 : 4096 - off);
		len = len > 4096 - off ? 4096 - off : len;
		for (i = off, all = true; i < off + len; i++)
			all = all && (img.known[i / 128] >> (i / 4 % 32) & 1);
		if (vfcap_image_has(&img, off, len) != all)
			fail_msg("round %u: [%#x, +%#x)", round, off, len);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_from_bytes), cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_widths),	   cmocka_unit_test(test_fetch),
		cmocka_unit_test(test_fetch_ends), cmocka_unit_test(test_has),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
