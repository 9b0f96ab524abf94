// SPDX-License-Identifier: GPL-2.0-or-later
/* Rows of config space against a plain array of bytes. */
#include "unit.h"

#include <stdlib.h>

#include "../../src/host/host.h"

struct model {
	uint8_t bytes[VFCAP_CFG_SIZE];
	bool known[VFCAP_CFG_SIZE / 4];
};

static void model_put(struct model *m, unsigned int off, const uint8_t *bytes, unsigned int len)
{
	for (unsigned int i = 0; i < len / 4 * 4; i++) {
		m->bytes[off + i] = bytes ? bytes[i] : 0;
		m->known[(off + i) / 4] = true;
	}
}

static unsigned int model_known(const struct model *m, unsigned int off, unsigned int len)
{
	unsigned int n = 0;

	while (n < len && m->known[(off + n) / 4])
		n += 4;
	return n;
}

static void check_fetch(struct vfcap_rows *rows, const struct model *m, unsigned int off,
			unsigned int len)
{
	uint8_t buf[VFCAP_CFG_SIZE];
	unsigned int n = model_known(m, off, len);

	assert_int_equal(vfcap_rows_fetch(rows, off, len, buf), n);
	assert_memory_equal(buf, m->bytes + off, n);
}

/* Only rows that are not zero are kept, in order, and marked as such. */
static void check_rows(const struct vfcap_rows *rows, const struct model *m)
{
	static const uint8_t zero[16];
	unsigned int n = 0, end = 0;

	for (unsigned int r = 0; r < VFCAP_CFG_SIZE / 16; r++) {
		bool kept = rows->nonzero[r / 32] >> r % 32 & 1;

		assert_int_equal(kept, memcmp(m->bytes + r * 16, zero, 16) != 0);
		if (kept)
			assert_memory_equal(rows->row[n++], m->bytes + r * 16, 16);
	}
	for (unsigned int i = 0; i < VFCAP_CFG_SIZE / 4; i++)
		end = m->known[i] ? i * 4 + 4 : end;
	assert_int_equal(rows->n, n);
	assert_int_equal(rows->end, end);
}

static void test_empty(void **state)
{
	struct vfcap_rows rows = { 0 };
	uint8_t buf[16];

	(void)state;
	assert_int_equal(vfcap_rows_fetch(&rows, 0, 16, buf), 0);
	assert_int_equal(vfcap_rows_fetch(&rows, 0xffc, 4, buf), 0);
	vfcap_rows_trim(&rows);
	vfcap_rows_free(&rows);
}

static void test_whole_dwords(void **state)
{
	static const uint8_t bytes[16] = { 1, 2, 3, 4, 5, 6, 7 };
	struct vfcap_rows rows = { 0 };
	uint8_t buf[16];

	(void)state;
	assert_int_equal(vfcap_rows_put(&rows, 0x20, bytes, 3), 0);
	assert_int_equal(rows.end, 0);
	assert_int_equal(vfcap_rows_put(&rows, 0x20, bytes, 7), 0);
	assert_int_equal(rows.end, 0x24);
	assert_int_equal(vfcap_rows_fetch(&rows, 0x20, 16, buf), 4);
	assert_memory_equal(buf, bytes, 4);
	assert_int_equal(vfcap_rows_fetch(&rows, 0x10, 16, buf), 0);
	vfcap_rows_free(&rows);
}

/* A row that was kept and is given again as zeros takes no room any more. */
static void test_becomes_zero(void **state)
{
	static const uint8_t bytes[16] = { [4] = 1 };
	struct vfcap_rows rows = { 0 };
	uint8_t buf[16];

	(void)state;
	assert_int_equal(vfcap_rows_put(&rows, 0x40, bytes, 16), 0);
	assert_int_equal(rows.n, 1);
	assert_int_equal(vfcap_rows_put(&rows, 0x40, NULL, 4), 0);
	assert_int_equal(rows.n, 1);
	assert_int_equal(vfcap_rows_put(&rows, 0, NULL, VFCAP_CFG_SIZE), 0);
	assert_int_equal(rows.n, 0);
	assert_int_equal(rows.end, VFCAP_CFG_SIZE);
	assert_int_equal(vfcap_rows_fetch(&rows, 0x40, 16, buf), 16);
	assert_int_equal(buf[4], 0);
	vfcap_rows_free(&rows);
}

static void random_put(struct vfcap_rows *rows, struct model *m)
{
	unsigned int off = (unsigned int)rand() % 256 * 16, len = 1 + (unsigned int)rand() % 16;
	uint8_t bytes[16] = { 0 };

	if (rand() % 4 == 0)
		len = 16;
	for (unsigned int i = 0; i < 16; i++)
		bytes[i] = rand() % 4 ? 0 : (uint8_t)rand();
	if (rand() % 3) {
		assert_int_equal(vfcap_rows_put(rows, off, bytes, len), 0);
		model_put(m, off, bytes, len);
		return;
	}
	len = rand() % 2 ? len : 1 + (unsigned int)rand() % (VFCAP_CFG_SIZE - off);
	if (len > 512)
		len /= 16;
	assert_int_equal(vfcap_rows_put(rows, off, NULL, len), 0);
	model_put(m, off, NULL, len);
}

static void test_random(void **state)
{
	(void)state;
	srand(1);
	for (int i = 0; i < 300; i++) {
		struct vfcap_rows rows = { 0 };
		struct model m = { 0 };

		for (int j = rand() % 600; j >= 0; j--) {
			unsigned int off = (unsigned int)rand() % 1024 * 4;
			unsigned int len = (unsigned int)rand() % (VFCAP_CFG_SIZE - off) + 4;

			random_put(&rows, &m);
			check_fetch(&rows, &m, off, len / 4 * 4);
			check_fetch(&rows, &m, off, 4);
			if (rand() % 16 == 0)
				vfcap_rows_trim(&rows);
		}
		check_rows(&rows, &m);
		vfcap_rows_free(&rows);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_whole_dwords),
		cmocka_unit_test(test_becomes_zero),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
