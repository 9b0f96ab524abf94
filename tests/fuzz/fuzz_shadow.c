/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two offsets, 12 bytes of a PF's registers, then accesses: offset, length, and bytes to write. */
#include <stdlib.h>

#include "core/core.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

/* What no write may ever change or leave behind; first is how it began. */
static void check(const struct vfcap_shadow *sh, const struct vfcap_shadow *first)
{
	const uint8_t *pasid = sh->bytes[VFCAP_EMUL_PASID], *pri = sh->bytes[VFCAP_EMUL_PRI];

	require(!memcmp(pasid, first->bytes[VFCAP_EMUL_PASID], 6));
	require(!(vfcap_le16(pasid + VFCAP_PASID_CTRL) & ~7));
	require(!memcmp(pri, first->bytes[VFCAP_EMUL_PRI], 4));
	require(vfcap_le16(pri + VFCAP_PRI_CTRL) <= 1);
	require((vfcap_le16(pri + VFCAP_PRI_STATUS) & VFCAP_PRI_STATUS_STOPPED) ==
		(pri[VFCAP_PRI_CTRL] & 1 ? 0 : VFCAP_PRI_STATUS_STOPPED));
	require(!((pri[7] ^ first->bytes[VFCAP_EMUL_PRI][7]) & 0xfe) && !pri[6]);
	require(!memcmp(pri + 8, first->bytes[VFCAP_EMUL_PRI] + 8, 4));
}

static void begin(struct vfcap_shadow *sh, const uint8_t *data)
{
	static struct vfcap_plan plan;
	struct vfcap_image pf;
	uint8_t bytes[0x40] = { 0 };
	unsigned int e;

	memcpy(bytes + 0x04, data + 4, 4);
	memcpy(bytes + 0x14, data + 8, 8);
	vfcap_image_from_bytes(&pf, bytes, sizeof(bytes));
	plan.n_placements = VFCAP_EMULS;
	for (e = 0; e < VFCAP_EMULS; e++) {
		struct vfcap_placement *p = &plan.placement[e];

		p->emul = (enum vfcap_emul)e;
		p->offset = (uint16_t)(VFCAP_EXT_BASE + 0x88 * e);
		p->offset += 4 * (vfcap_le16(data + 2 * e) % 32);
		p->length = (uint16_t)vfcap_emul_len(p->emul);
		require(vfcap_compose(p->bytes, p->emul, &pf, 0x10 * e, 0, 0));
	}
	vfcap_shadow_init(sh, &plan, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vfcap_shadow sh, first;
	unsigned int off, len, done, n;
	uint8_t got[256];
	bool inside;

	if (size < 16)
		return 0;
	begin(&sh, data);
	first = sh;
	check(&sh, &first);
	for (data += 16, size -= 16; size > 2; data += len, size -= len) {
		off = VFCAP_EXT_BASE + 2u * data[0];
		len = data[1];
		data += 2;
		size -= 2;
		len = len < size ? len : (unsigned int)size;
		for (done = 0; done < len; done += n) {
			n = vfcap_shadow_span(&sh, off + done, len - done, &inside);
			require(n && n <= len - done);
			require(vfcap_shadow_write(&sh, off + done, n, data + done) == inside);
			require(vfcap_shadow_read(&sh, off + done, n, got) == inside);
		}
		check(&sh, &first);
	}
	vfcap_shadow_reset(&sh);
	require(!memcmp(sh.bytes, first.bytes, sizeof(sh.bytes)));
	return 0;
}
