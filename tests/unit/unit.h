/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the unit tests use of cmocka; with VFCAP_UNIT_STANDALONE, the same without cmocka, which is
 * not to be had for the big-endian build.
 */
#ifndef VFCAP_UNIT_H
#define VFCAP_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef VFCAP_UNIT_STANDALONE
#include <cmocka.h>
#else

struct CMUnitTest {
	const char *name;
	void (*fn)(void **state);
};

#define cmocka_unit_test(f) { #f, f }
#define cmocka_run_group_tests(tests, setup, teardown) \
	unit_run(tests, sizeof(tests) / sizeof((tests)[0]))

/* The first failure ends the program: nothing after it would be worth reading. */
#define fail_msg(...) \
	(printf("%s:%d: ", __FILE__, __LINE__), printf(__VA_ARGS__), putchar('\n'), exit(1))
#define assert_true(c) ((c) ? (void)0 : fail_msg("not true: %s", #c))
#define assert_false(c) ((c) ? fail_msg("not false: %s", #c) : (void)0)
#define assert_null(p) assert_true((p) == NULL)
#define assert_non_null(p) assert_true((p) != NULL)
#define assert_int_equal(a, b) \
	unit_equal((long long)(a), (long long)(b), #a, #b, __FILE__, __LINE__)
#define assert_int_not_equal(a, b) assert_true((long long)(a) != (long long)(b))
#define assert_string_equal(a, b) assert_true(strcmp(a, b) == 0)
#define assert_memory_equal(a, b, n) assert_true(memcmp(a, b, n) == 0)

static inline void unit_equal(long long a, long long b, const char *a_text, const char *b_text,
			      const char *file, int line)
{
	if (a == b)
		return;
	printf("%s:%d: %s is 0x%llx, %s is 0x%llx\n", file, line, a_text, a, b_text, b);
	exit(1);
}

static inline int unit_run(const struct CMUnitTest *tests, size_t n)
{
	size_t i;

	printf("1..%zu\n", n);
	for (i = 0; i < n; i++) {
		tests[i].fn(NULL);
		printf("ok %zu - %s\n", i + 1, tests[i].name);
	}
	return 0;
}
#endif

#endif
