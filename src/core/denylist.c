/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The functions that stock vfio-pci refuses to bind. */
#include "core.h"

/*
 * Linux drivers/vfio/pci/vfio_pci.c, vfio_pci_dev_in_denylist(): their errata let an untrusted guest
 * harm the host. The kernel exports no such list; tests/denylist holds this one against its sources.
 */
static const struct {
	uint16_t vendor, device;
} denylist[] = {
	{ 0x8086, 0x0435 }, /* QAT DH895xCC */
	{ 0x8086, 0x0443 }, /* QAT DH895xCC, VF */
	{ 0x8086, 0x0b25 }, /* DSA of Sapphire Rapids */
	{ 0x8086, 0x0cfe }, /* IAX of Sapphire Rapids */
	{ 0x8086, 0x19e2 }, /* QAT C3xxx */
	{ 0x8086, 0x19e3 }, /* QAT C3xxx, VF */
	{ 0x8086, 0x37c8 }, /* QAT C62x */
	{ 0x8086, 0x37c9 }, /* QAT C62x, VF */
};

bool vfcap_denylisted(uint16_t vendor, uint16_t device)
{
	unsigned int i;

	for (i = 0; i < sizeof(denylist) / sizeof(denylist[0]); i++)
		if (denylist[i].vendor == vendor && denylist[i].device == device)
			return true;
	return false;
}
