/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Config space made for tests: by hand, and at random but reproducibly. */
#ifndef VFCAP_HOSTGEN_H
#define VFCAP_HOSTGEN_H

#include "core/core.h"

/* A header, and a register of a capability or anywhere else. */
void gen_cap(uint8_t *cfg, unsigned int off, unsigned int id, unsigned int version,
	     unsigned int next);
void gen_put32(uint8_t *cfg, unsigned int off, uint32_t val);

/* A legacy header with a PCI Express capability at 0x40: bridge or endpoint, of that Device/Port
 * Type, with that Maximum Link Width. */
void gen_legacy(uint8_t *cfg, bool bridge, unsigned int type, unsigned int lanes);

/* Makes [off, off + len) of an image unknown, as a source with a hole. */
void gen_hole(struct vfcap_image *img, unsigned int off, unsigned int len);

/* The next number of a sequence; *seed must not be 0. Below n where n is not 0. */
uint32_t gen_rand(uint64_t *seed, uint32_t n);

/* A PF and one of its VFs. */
struct gen_host {
	uint8_t vf[VFCAP_CFG_SIZE];
	uint8_t pf[VFCAP_CFG_SIZE];
	uint8_t siblings[VFCAP_CFG_SIZE]; /* the OR of all VFs */
};

/*
 * A host whose VF's chain is whole, though it may be empty, out of order, hidden in part or wholly,
 * end at a zero header, contain Nulls and unknown IDs; registers outside of capabilities are
 * sprinkled over all three. The PF has PASID and PRI, but for a few where they found no room.
 */
void gen_host(struct gen_host *host, uint64_t seed);

/* 4 KiB with a chain of any kind of damage. */
void gen_damaged(uint8_t *cfg, uint64_t seed);

#endif
