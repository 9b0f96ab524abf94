/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* How the tables of registers are written, and where they meet; for the regs*.c files only. */
#ifndef VFCAP_REGS_H
#define VFCAP_REGS_H

#include "internal.h"

#define FLAG(key, label, mask, access) { key, label, mask, access, VFCAP_FLAG, NULL, 0 }
#define DEC(key, label, mask, access) { key, label, mask, access, VFCAP_DEC, NULL, 0 }
#define HEX(key, label, mask, access) { key, label, mask, access, VFCAP_HEX, NULL, 0 }
#define ENUM(key, label, mask, access, names) \
	{ key, label, mask, access, VFCAP_ENUM, names, VFCAP_ARRAY_SIZE(names) }
#define REG(key, label, offset, size, fields) \
	{ key, label, offset, size, VFCAP_ARRAY_SIZE(fields), fields, 0 }
#define RAW(key, label, offset, size) { key, label, offset, size, 0, NULL, 0 }

/* What a block of registers, and a capability's row, is made of. */
#define REGS(table) .regs = table, .n_regs = VFCAP_ARRAY_SIZE(table)
#define BLOCKS(table) { table, VFCAP_ARRAY_SIZE(table) }

/* What the hardware fixes is CONST, what it changes by itself RO. Reserved bits have no field. */
#define CONST VFCAP_CONST
#define RO VFCAP_RO
#define RW VFCAP_RW
#define W1C VFCAP_W1C
#define ACTION VFCAP_ACTION

struct vfcap_regcap {
	const struct vfcap_regblock *blocks;
	unsigned int n;
};

/* By capability ID; each ID has its row in one of them at most. */
extern const struct vfcap_regcap vfcap_regs_function[VFCAP_ID_MAX + 1];
extern const struct vfcap_regcap vfcap_regs_link[VFCAP_ID_MAX + 1];
extern const struct vfcap_regcap vfcap_regs_vendor[VFCAP_ID_MAX + 1];

/* Reads size bytes at +at of the capability; false when they lie outside of it or cannot be had. */
bool vfcap_regs_read(const struct vfcap_regiter *it, unsigned int at, unsigned int size,
		      uint32_t *val);

#endif
