// SPDX-License-Identifier: GPL-2.0-or-later
/* Addresses as text, both ways. */
#include "unit.h"

#include <stdlib.h>

#include "../../src/host/host.h"

static void test_parse(void **state)
{
	static const struct {
		const char *text;
		size_t len;
		struct vfcap_address a;
	} good[] = {
		{ "3b:00.1", 7, { 0, 0x3b, 1 } },
		{ "0000:3b:00.1", 12, { 0, 0x3b, 1 } },
		{ "10000:e1:1f.7", 13, { 0x10000, 0xe1, 0xff } },
		{ "FFFFFFFF:Ff:1F.7", 16, { 0xffffffff, 0xff, 0xff } },
		{ "abcd:ef:01.0 Ethernet", 12, { 0xabcd, 0xef, 8 } },
		{ "00:10.0/vf3", 7, { 0, 0, 0x80 } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		struct vfcap_address a;

		assert_int_equal(vfcap_address_parse(good[i].text, &a), good[i].len);
		assert_int_equal(vfcap_address_compare(a, good[i].a), 0);
	}
}

static void test_parse_not(void **state)
{
	static const char *const bad[] = {
		"",
		"3",
		"3b",
		"3b:",
		"3b:00",
		"3b:00.",
		"3b:20.0",
		"3b:00.8",
		"b:00.0",
		"03b:00.0",
		"3b:0.0",
		"3b-00.0",
		"000:3b:00.0",
		"000000000:3b:00.0",
		"0000:3b",
		"0000::00.0",
		" 3b:00.0",
		"0000:3b:00:0",
		"0000:0000:3b:00.0",
		"g0:00.0",
		"3b:00.g",
		"3b:/0.0",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct vfcap_address a;

		assert_int_equal(vfcap_address_parse(bad[i], &a), 0);
	}
}

static void test_format(void **state)
{
	char buf[VFCAP_ADDRESS_LEN];

	(void)state;
	assert_string_equal(vfcap_address_format((struct vfcap_address){ 0, 0x3b, 1 }, buf),
			    "0000:3b:00.1");
	assert_string_equal(
		vfcap_address_format((struct vfcap_address){ 0x10000, 0xe1, 0xff }, buf),
		"10000:e1:1f.7");
	assert_string_equal(
		vfcap_address_format((struct vfcap_address){ 0xffffffff, 0xff, 0xf9 }, buf),
		"ffffffff:ff:1f.1");
}

/* What is printed can be read back, and sorts as its numbers do. */
static void test_random(void **state)
{
	struct vfcap_address last = { 0 };

	(void)state;
	srand(1);
	for (int i = 0; i < 100000; i++) {
		uint32_t r = (uint32_t)rand() << 16 ^ (uint32_t)rand();
		struct vfcap_address back,
			a = { r >> rand() % 32, (uint8_t)rand(), (uint8_t)rand() };
		uint64_t x = (uint64_t)a.domain << 16 | a.bus << 8 | a.devfn;
		uint64_t y = (uint64_t)last.domain << 16 | last.bus << 8 | last.devfn;
		char buf[VFCAP_ADDRESS_LEN];
		int order = vfcap_address_compare(a, last);

		vfcap_address_format(a, buf);
		assert_int_equal(vfcap_address_parse(buf, &back), strlen(buf));
		assert_int_equal(vfcap_address_compare(a, back), 0);
		assert_true(x < y ? order < 0 : x > y ? order > 0 : !order);
		last = a;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_parse_not),
		cmocka_unit_test(test_format),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
