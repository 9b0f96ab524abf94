/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "hostgen.h"

void gen_put32(uint8_t *cfg, unsigned int off, uint32_t val)
{
	vfcap_put_le32(cfg + off, val);
}

void gen_cap(uint8_t *cfg, unsigned int off, unsigned int id, unsigned int version,
	     unsigned int next)
{
	gen_put32(cfg, off, id | version << 16 | next << 20);
}

void gen_legacy(uint8_t *cfg, bool bridge, unsigned int type, unsigned int lanes)
{
	cfg[0x06] = 0x10; /* there is a list of capabilities */
	cfg[0x0e] = bridge ? 1 : 0;
	cfg[0x34] = 0x50;
	cfg[0x50] = 0x05; /* MSI, to be passed over */
	cfg[0x51] = 0x40;
	cfg[0x40] = 0x10; /* PCI Express */
	cfg[0x41] = 0;
	cfg[0x42] = (uint8_t)(2 | type << 4);
	gen_put32(cfg, 0x4c, lanes << 4);
}

void gen_hole(struct vfcap_image *img, unsigned int off, unsigned int len)
{
	unsigned int dword;

	memset(img->bytes + off, 0, len);
	for (dword = off / 4; dword < (off + len) / 4; dword++)
		img->known[dword / 32] &= ~(1u << (dword % 32));
}

uint32_t gen_rand(uint64_t *seed, uint32_t n)
{
	uint32_t val;

	/* xorshift64*, Vigna 2014 */
	*seed ^= *seed >> 12;
	*seed ^= *seed << 25;
	*seed ^= *seed >> 27;
	val = (uint32_t)((*seed * 0x2545f4914f6cdd1dull) >> 32);
	return n ? val % n : val;
}

static bool one_in(uint64_t *seed, uint32_t n)
{
	return gen_rand(seed, n) == 0;
}

/* A capability that a VF or PF might have, more often a common one. */
static unsigned int any_id(uint64_t *seed)
{
	static const uint8_t common[] = { 0x01, 0x03, 0x0b, 0x0d, 0x0e, 0x0f, 0x17, 0x18,
					  0x23, 0x25, 0x26, 0x1e, 0x2e, 0x00, 0x19, 0x15 };
	unsigned int id;

	if (!one_in(seed, 4))
		return common[gen_rand(seed, sizeof(common))];
	id = one_in(seed, 3) ? gen_rand(seed, 0x10000) : gen_rand(seed, VFCAP_ID_MAX + 2);
	return id == VFCAP_ID_PASID || id == VFCAP_ID_PRI ? VFCAP_ID_ATS : id;
}

/* Writes a capability with registers; returns where the next one may begin. */
static unsigned int write_cap(uint8_t *cfg, unsigned int off, unsigned int id, uint64_t *seed)
{
	unsigned int reserved, len, i, end;
	bool known, truncated;
	struct vfcap_image img;

	/* A Null needs more than its ID to be one. */
	gen_cap(cfg, off, id, id ? 1 : 2, 0);
	if (off + 12 <= VFCAP_CFG_SIZE) {
		gen_put32(cfg, off + 4, gen_rand(seed, 0) & 0x0307ff7f);
		gen_put32(cfg, off + 8, gen_rand(seed, 0) & 0x00ff0f6f);
	}
	if (off + 12 <= VFCAP_CFG_SIZE && (id == VFCAP_ID_VSEC || id == VFCAP_ID_DVSEC))
		gen_put32(cfg, off + 4, gen_rand(seed, 0) % 0x60 << 20 | 0x18086);
	if (id == VFCAP_ID_NULL && off + 12 <= VFCAP_CFG_SIZE)
		memset(cfg + off + 4, 0, 8);

	vfcap_image_from_bytes(&img, cfg, VFCAP_CFG_SIZE);
	len = vfcap_cap_length(&img, off, id, &reserved, &known, &truncated);
	if (off + len > VFCAP_CFG_SIZE) { /* too long for where it is: an ARI, then */
		gen_cap(cfg, off, 0x0e, 1, 0);
		return off + 8;
	}
	end = off + (len < 12 ? 12 : len);
	for (i = off + 12; i < end && i + 4 <= VFCAP_CFG_SIZE; i += 4) {
		if (one_in(seed, 3) && id != 0x30 && id != 0x02 && id != 0x08 && id != 0x09)
			gen_put32(cfg, i, gen_rand(seed, 0));
	}
	return end;
}

/* Builds a chain over offs[0..n), which ascend; the first is 0x100. */
static void link_chain(uint8_t *cfg, unsigned int *offs, unsigned int n, uint64_t *seed)
{
	unsigned int i, tail = 0;

	if (one_in(seed, 3)) { /* out of order, but for the head */
		for (i = 1; i + 1 < n; i++) {
			unsigned int j = i + gen_rand(seed, n - i), t = offs[i];

			offs[i] = offs[j];
			offs[j] = t;
		}
	}
	if (one_in(seed, 6)) {
		tail = VFCAP_EXT_BASE + 4 * gen_rand(seed, VFCAP_EXT_DWORDS);
		if (vfcap_le32(cfg + tail))
			tail = 0;
	}
	for (i = 0; i < n; i++) {
		unsigned int next = i + 1 < n ? offs[i + 1] : tail;

		cfg[offs[i] + 2] = (uint8_t)((cfg[offs[i] + 2] & 0xf) | next << 4);
		cfg[offs[i] + 3] = (uint8_t)(next >> 4);
	}
}

static void random_chain(uint8_t *cfg, uint64_t *seed, bool is_pf)
{
	unsigned int offs[16], n = 0, off = VFCAP_EXT_BASE, max = gen_rand(seed, 12), gap;
	unsigned int pasid = is_pf ? gen_rand(seed, 3) : 99, id = VFCAP_ID_NULL;
	bool again; /* vfio-pci takes a run of one ID for one capability */

	if (is_pf)
		max += 4;
	for (; n < max && off <= 0xf00; n++) {
		again = !is_pf && n && one_in(seed, 3);
		id = is_pf && n == pasid     ? VFCAP_ID_PASID :
		     is_pf && n == pasid + 1 ? VFCAP_ID_PRI :
		     again		     ? id :
					       any_id(seed);
		offs[n] = off;
		off = write_cap(cfg, off, id, seed);
		gap = again || one_in(seed, 3) ? 0 : gen_rand(seed, one_in(seed, 4) ? 0xc0 : 0x20);
		off += 4 * gap;
	}
	link_chain(cfg, offs, n, seed);
}

/* Registers that no capability tells of. What may belong to one stays: it may tell a length. */
static void sprinkle(uint8_t *cfg, uint64_t *seed)
{
	unsigned int n = one_in(seed, 2) ? gen_rand(seed, 30) : 0, off, len, i;
	struct vfcap_chain *chain = malloc(sizeof(*chain));
	bool taken[VFCAP_CFG_SIZE / 4] = { false };
	struct vfcap_image img;

	vfcap_image_from_bytes(&img, cfg, VFCAP_CFG_SIZE);
	vfcap_chain_walk(chain, &img);
	taken[VFCAP_EXT_BASE / 4] = true;
	for (i = 0; i < chain->n; i++) {
		len = chain->cap[i].length < 12 ? 12 : chain->cap[i].length;
		for (off = chain->cap[i].offset; len && off < VFCAP_CFG_SIZE; len -= 4, off += 4)
			taken[off / 4] = true;
	}
	if (chain->end)
		taken[chain->end / 4] = true; /* the chain ends here because this is zero */
	free(chain);

	while (n--) {
		off = VFCAP_EXT_BASE + 4 * gen_rand(seed, VFCAP_EXT_DWORDS);
		for (len = 1 + gen_rand(seed, 12); len && off < VFCAP_CFG_SIZE; len--, off += 4) {
			if (!taken[off / 4])
				cfg[off + gen_rand(seed, 4)] = (uint8_t)gen_rand(seed, 0);
		}
	}
}

void gen_host(struct gen_host *host, uint64_t seed)
{
	unsigned int i;

	memset(host, 0, sizeof(*host));
	gen_legacy(host->pf, false, 0, 1u << gen_rand(&seed, 5));
	gen_legacy(host->vf, false, 0, 0);
	random_chain(host->pf, &seed, true);
	if (one_in(&seed, 10)) {
		memset(host->vf + VFCAP_EXT_BASE, 0, 4);
		if (one_in(&seed, 2))
			gen_put32(host->vf, VFCAP_EXT_BASE, 0xffffffff);
	} else {
		random_chain(host->vf, &seed, false);
	}
	sprinkle(host->pf, &seed);
	memcpy(host->siblings, host->vf, sizeof(host->vf));
	sprinkle(host->vf, &seed);
	sprinkle(host->siblings, &seed);
	for (i = 0; i < VFCAP_CFG_SIZE; i++)
		host->siblings[i] |= host->vf[i];
}

void gen_damaged(uint8_t *cfg, uint64_t seed)
{
	unsigned int n = gen_rand(&seed, 64), off, id;

	memset(cfg, one_in(&seed, 20) ? 0xff : 0, VFCAP_CFG_SIZE);
	random_chain(cfg, &seed, one_in(&seed, 2));
	while (n--) {
		off = 4 * gen_rand(&seed, VFCAP_CFG_SIZE / 4);
		if (one_in(&seed, 2)) {
			id = any_id(&seed);
			gen_cap(cfg, off, id, 1, gen_rand(&seed, 0x1000));
		} else {
			gen_put32(cfg, off, gen_rand(&seed, 0));
		}
	}
}
