// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Faults of stock vfio-pci, on VFs of the test bus (docs/upstream.md describes them). A result is ok when stock does
 * what that document says. Accesses beyond a buffer are reported by KASAN in the kernel's log, where tests/vm/run
 * looks for them.
 */
#include <stdio.h>
#include <string.h>

#include "vm-test.h"

#define PTM 0x1f
#define DLF 0x25
#define POWER_BUDGETING 0x04

static bool chain_has(const uint8_t view[CFG], unsigned int id)
{
	unsigned int off = VFCAP_EXT_BASE, left = CFG / 4;
	uint32_t header = 0;

	for (; off >= VFCAP_EXT_BASE && left; left--, off = header >> 20 & 0xffc) {
		header = vfcap_le32(view + off);
		if ((header & 0xffff) == id)
			return true;
	}
	return false;
}

static void check_hidden(int vf, unsigned int id)
{
	struct fn fn = fn_of(CHAINS, vf);
	uint8_t view[CFG];

	ok(stock_view(&fn, view) && !chain_has(view, id), "%s: vfio-pci hides capability %#x",
	   fn.addr, id);
}

/* At second is a capability whose ID is that of the one which ends there. */
static void check_abutting(int vf, unsigned int second, unsigned int id)
{
	struct fn fn = fn_of(CHAINS, vf);
	uint8_t view[CFG], image[CFG];

	read_image(&fn, image);
	ok(stock_view(&fn, view) && !memcmp(view + second, image + second, 4),
	   "%s: the header at %#x is served from the hardware", fn.addr, second);
	ok(chain_has(view, id), "%s: it leads to capability %#x, which is hidden elsewhere",
	   fn.addr, id);
}

/* Two capabilities of one ID, which has a table of permissions as long as one of them. */
static void read_past_table(unsigned int id, unsigned int len)
{
	struct fn fn = fn_of(CHAINS, 0); /* a VF without capabilities */
	uint8_t chain[0x100] = { 0 }, empty[0x100] = { 0 }, view[CFG];

	vfcap_put_le32(chain, id | 1 << 16 | (VFCAP_EXT_BASE + len) << 20);
	vfcap_put_le32(chain + len, id | 1 << 16);
	poke_image(&fn, VFCAP_EXT_BASE, chain, sizeof(chain));
	ok(stock_view(&fn, view), "%s: two capabilities %#x, the second at %#x, are read", fn.addr,
	   id, VFCAP_EXT_BASE + len);
	poke_image(&fn, VFCAP_EXT_BASE, empty, sizeof(empty));
}

/* Whether it can be opened does not matter: the buffers are filled first. */
static void open_overrun(int vf)
{
	struct fn fn = fn_of(CHAINS, vf);
	struct vfio v;

	ok(bind_to(&fn, "vfio-pci"), "%s: bound, with a chain that leaves config space", fn.addr);
	if (vfio_try(&v, &fn))
		vfio_close(&v);
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	ok(make_vfs(CHAINS, CHAIN_VFS), "the VFs are there");
	check_hidden(5, PTM);
	check_hidden(5, DLF);
	check_abutting(12, 0x160, PTM);
	check_abutting(14, 0x210, DLF);
	check_abutting(14, 0x220, DLF);
	read_past_table(VFCAP_ID_AER, 0x2c);
	read_past_table(POWER_BUDGETING, 0x10);
	open_overrun(17); /* 18 would write into the next object, too */
	return finish();
}
