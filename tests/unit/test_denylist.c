// SPDX-License-Identifier: GPL-2.0-or-later
/* Which functions stock vfio-pci refuses. */
#include "unit.h"

#include "../../src/core/core.h"

/* Intel's QAT (C3xxx, C62x, DH895xCC), PF and VF, and DSA and IAX of Sapphire Rapids. */
static const uint16_t refused[] = {
	0x0435, 0x0443, 0x0b25, 0x0cfe, 0x19e2, 0x19e3, 0x37c8, 0x37c9
};

static bool is_refused(unsigned int device)
{
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		if (refused[i] == device)
			return true;
	return false;
}

static void of_intel_these_and_no_others(void **state)
{
	(void)state;
	for (unsigned int device = 0; device <= 0xffff; device++)
		if (vfcap_denylisted(0x8086, (uint16_t)device) != is_refused(device))
			fail_msg("8086:%04x", device);
}

static void of_other_vendors_none(void **state)
{
	(void)state;
	for (unsigned int vendor = 0; vendor <= 0xffff; vendor++)
		for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
			if (vendor != 0x8086 && vfcap_denylisted((uint16_t)vendor, refused[i]))
				fail_msg("%04x:%04x", vendor, refused[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_intel_these_and_no_others),
		cmocka_unit_test(of_other_vendors_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
