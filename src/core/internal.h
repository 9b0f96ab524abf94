/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the files of the core share among themselves, and nobody else sees. */
#ifndef VFCAP_INTERNAL_H
#define VFCAP_INTERNAL_H

#include "core.h"

#define VFCAP_ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* A set of dwords of extended config space, by number from 0x100 on. */
#define VFCAP_MAP_WORDS (VFCAP_EXT_DWORDS / 32)

static inline unsigned int vfcap_dword(unsigned int off)
{
	return (off - VFCAP_EXT_BASE) / 4;
}

static inline bool vfcap_map_test(const uint32_t *map, unsigned int dword)
{
	return map[dword / 32] >> (dword % 32) & 1;
}

static inline void vfcap_map_set(uint32_t *map, unsigned int dword)
{
	map[dword / 32] |= 1u << (dword % 32);
}

/* The anomalies for which vfcap_anomaly_breaks(), as a mask. */
#define VFCAP_BREAKING \
	(1u << VFCAP_LOOP | 1u << VFCAP_NEXT_BELOW | 1u << VFCAP_PAST_END | 1u << VFCAP_OVERLAP)

/*
 * A capability that can be emulated. The registers do three things: they are decoded as those of
 * any other capability, they give what a guest reads at first, and they mask what it writes.
 */
struct vfcap_emuldef {
	uint16_t id;
	uint16_t len; /* bytes */
	uint8_t ctrl; /* offset of the control register; bit 0 of it is ENABLE in both */
	uint8_t n_regs;
	const struct vfcap_reg *regs;
	/*
	 * What a table cannot say: called after any byte of reg was written, with the new bytes of
	 * the capability and the ACTION bits of reg that were written as 1. May be NULL.
	 */
	void (*wrote)(uint8_t *bytes, const struct vfcap_reg *reg, uint32_t actions);
};

/* Never NULL for a value of the enumeration but VFCAP_EMULS. */
const struct vfcap_emuldef *vfcap_emuldef(enum vfcap_emul e);

/* The bits of a register whose fields have that access. */
uint32_t vfcap_reg_mask(const struct vfcap_reg *reg, enum vfcap_access access);

/*
 * Registers that stand together: a capability's own (key NULL, once), or a block of them that is
 * there several times. How many: what count() says; else the field under mask in the dword at `at`,
 * plus `plus`, when that dword has `when` under when_mask; else as many as the capability's length
 * has room for. Never more than max; registers that leave the block or the capability's length are
 * not there.
 */
struct vfcap_regblock {
	const char *key;
	const struct vfcap_reg *regs; /* NULL: those of vfcap_emuldef(arg) */
	uint8_t n_regs;
	uint8_t arg; /* for count() */
	uint16_t start; /* of the first, from the header; 0: where the block before it ends */
	uint16_t size; /* bytes of one; 0: the whole capability */
	uint16_t max;
	uint8_t at;
	uint8_t plus;
	uint32_t mask;
	uint32_t when_mask;
	uint32_t when;
	uint32_t grow_mask; /* a field in the first dword of each: that many times grow_by more */
	uint8_t grow_by;
	unsigned int (*count)(const struct vfcap_regiter *it, const struct vfcap_regblock *b);
};

/* The blocks of a capability's registers, *n of them; NULL and 0 when there are none. */
const struct vfcap_regblock *vfcap_regblocks(unsigned int id, unsigned int *n);

/* Lanes that the link may have (Maximum Link Width in the PCI Express capability's Link
 * Capabilities): 0 when it cannot be known, as on a VF, where that register may be zero. */
unsigned int vfcap_link_lanes(struct vfcap_image *img);

/* How many bytes vfio-pci takes for a capability's where it shows it (Linux vfio_ext_cap_len()): not
 * rounded up, and without a look at where config space ends. 0 for an ID that no release shows. */
unsigned int vfcap_vfio_length(struct vfcap_image *img, unsigned int off, unsigned int id);

/* Does a capability leave config space, so that vfio-pci of that release would write past the end of
 * its copy, or can a register that tells a length not be read? Such a function must not be opened by
 * any vfio-pci driver. */
bool vfcap_chain_overruns(const struct vfcap_chain *chain, uint32_t release);

#endif
