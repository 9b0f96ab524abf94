/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as config space: what is true of every chain. Bit 0 of the first byte: with holes. */
#include <stdlib.h>

#include "core/core.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

/* A source that has a hole in every 29th dword. */
static int fetch(void *ctx, unsigned int off, unsigned int len, uint8_t *buf)
{
	const uint8_t *bytes = ctx;
	unsigned int n;

	require(len && len <= VFCAP_CFG_SIZE && off <= VFCAP_CFG_SIZE - len && !((off | len) & 3));
	for (n = 0; n < len && (off + n) % 0x74; n += 4)
		memcpy(buf + n, bytes + off + n, 4);
	return (int)n;
}

static void check(const struct vfcap_chain *chain, struct vfcap_image *img)
{
	uint32_t seen[VFCAP_EXT_DWORDS] = { 0 };
	struct vfcap_link links[VFCAP_CHAIN_MAX];
	struct vfcap_finding f;
	unsigned int i, pos = 0, findings = 0, n;
	bool broken = false;

	require(chain->n <= VFCAP_CHAIN_MAX && !(chain->empty && chain->n));
	for (i = 0; i < chain->n; i++) {
		const struct vfcap_cap *cap = &chain->cap[i];

		require(cap->offset >= VFCAP_EXT_BASE && cap->offset % 4 == 0);
		require(!seen[(cap->offset - VFCAP_EXT_BASE) / 4]++);
		require(vfcap_image_has(img, cap->offset, 4));
		require(cap->id == vfcap_le16(img->bytes + cap->offset));
		require(i == 0 || cap->offset == chain->cap[i - 1].next);
		require(cap->length >= 4 && cap->reserved >= 4 &&
			!((cap->length | cap->reserved) & 3));
		require(cap->offset + cap->reserved <= VFCAP_CFG_SIZE);
	}
	for (; vfcap_anomaly_next(chain, &pos, &f); findings++)
		broken = broken || vfcap_anomaly_breaks(f.code);
	require(broken == chain->broken && findings <= VFCAP_ANOMALIES * (chain->n + 1u));
	n = vfcap_chain_visible(chain, VFCAP_RELEASE_NEWEST, links);
	require((n == 0) == (chain->n == 0) && n <= chain->n);
	require(vfcap_chain_last_end(chain) <= VFCAP_CFG_SIZE);
}

/* Every register stands inside the proven body of its capability, and in config space. */
static void decode(const struct vfcap_chain *chain, struct vfcap_image *img)
{
	struct vfcap_regiter it;
	struct vfcap_regval val;
	unsigned int i;

	for (i = 0; i < chain->n; i++) {
		const struct vfcap_cap *cap = &chain->cap[i];

		vfcap_regs(&it, img, cap);
		while (vfcap_reg_next(&it, &val)) {
			require(val.offset >= cap->offset + 4 && val.reg->size);
			require(val.offset + val.reg->size <= cap->offset + cap->length);
			require(val.offset + val.reg->size <= VFCAP_CFG_SIZE);
			require(val.known || !val.value);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct vfcap_chain chain, again;
	static uint8_t bytes[VFCAP_CFG_SIZE];
	struct vfcap_image img;

	if (!size)
		return 0;
	vfcap_image_from_bytes(&img, data + 1, size - 1);
	vfcap_chain_walk(&chain, &img);
	check(&chain, &img);
	decode(&chain, &img);

	memset(bytes, 0, sizeof(bytes));
	memcpy(bytes, img.bytes, sizeof(bytes));
	if (data[0] & 1)
		vfcap_image_init(&img, VFCAP_CFG_SIZE, fetch, bytes);
	vfcap_chain_walk(&again, &img);
	check(&again, &img);
	decode(&again, &img);
	if (!(data[0] & 1)) /* the same bytes, the same answer */
		require(again.n == chain.n &&
			!memcmp(again.cap, chain.cap, chain.n * sizeof(chain.cap[0])));
	return 0;
}
