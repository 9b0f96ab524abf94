/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The emulated capabilities and what leads to them: what a guest reads at first, and what
 * becomes of its writes. */
#include "internal.h"

/* One register of a capability in bytes, little-endian; PASID and PRI have 16 and 32 bits only. */
static uint32_t get_reg(const uint8_t *bytes, const struct vfcap_reg *reg)
{
	return reg->size == 2 ? vfcap_le16(bytes + reg->offset) : vfcap_le32(bytes + reg->offset);
}

static void put_reg(uint8_t *bytes, const struct vfcap_reg *reg, uint32_t val)
{
	if (reg->size == 2)
		vfcap_put_le16(bytes + reg->offset, (uint16_t)val);
	else
		vfcap_put_le32(bytes + reg->offset, val);
}

/* What a register holds after a reset when its constant bits are those of from. */
static uint32_t initial(const struct vfcap_reg *reg, uint32_t from)
{
	uint32_t mask = vfcap_reg_mask(reg, VFCAP_CONST) | vfcap_reg_mask(reg, VFCAP_GATED);

	return (from & mask) | reg->reset;
}

/* Cuts the width in PASID's capability register. */
static void limit_width(uint8_t *bytes, unsigned int width)
{
	uint32_t cap = vfcap_le16(bytes + VFCAP_PASID_CAP);

	if (!width || width >= (cap & VFCAP_PASID_CAP_WIDTH) >> 8)
		return;
	cap = (cap & ~(uint32_t)VFCAP_PASID_CAP_WIDTH) | width << 8;
	vfcap_put_le16(bytes + VFCAP_PASID_CAP, (uint16_t)cap);
}

bool vfcap_compose(uint8_t bytes[16], enum vfcap_emul e, struct vfcap_image *pf,
		   unsigned int pf_off, unsigned int width, unsigned int next)
{
	const struct vfcap_emuldef *def = vfcap_emuldef(e);
	uint32_t val, ctrl;
	unsigned int i;

	memset(bytes, 0, 16);
	vfcap_put_le32(bytes, def->id | 1u << 16 | next << 20);
	if (!vfcap_image_need(pf, pf_off + 4, def->len - 4u))
		return false;

	/* While the PF has it off, what will be on is not known. */
	vfcap_image_read(pf, pf_off + def->ctrl, 2, &ctrl);
	if (!(ctrl & 1))
		ctrl = 0xffff;
	for (i = 0; i < def->n_regs; i++) {
		const struct vfcap_reg *reg = &def->regs[i];

		vfcap_image_read(pf, pf_off + reg->offset, reg->size, &val);
		val &= ctrl | ~vfcap_reg_mask(reg, VFCAP_GATED);
		put_reg(bytes, reg, initial(reg, val));
	}
	if (e == VFCAP_EMUL_PASID)
		limit_width(bytes, width);
	return true;
}

bool vfcap_pf_enabled(enum vfcap_emul e, struct vfcap_image *pf, unsigned int pf_off)
{
	uint32_t ctrl;

	return vfcap_image_read(pf, pf_off + vfcap_emuldef(e)->ctrl, 2, &ctrl) && (ctrl & 1);
}

static bool is_placed(const struct vfcap_plan *plan, unsigned int off)
{
	unsigned int i;

	for (i = 0; i < plan->n_placements; i++) {
		if (plan->placement[i].offset == off)
			return true;
	}
	return false;
}

void vfcap_shadow_init(struct vfcap_shadow *sh, const struct vfcap_plan *plan,
		       struct vfcap_image *view)
{
	unsigned int i;
	uint32_t header;

	memset(sh, 0, sizeof(*sh));
	for (i = 0; i < plan->n_placements; i++) {
		const struct vfcap_placement *p = &plan->placement[i];

		sh->offset[p->emul] = p->offset;
		memcpy(sh->bytes[p->emul], p->bytes, p->length);
		if (!view || !p->after || is_placed(plan, p->after))
			continue;
		sh->after[p->emul] = p->after;
		vfcap_image_read(view, p->after, 4, &header);
		vfcap_put_le32(sh->header[p->emul], (header & 0xfffff) | (uint32_t)p->offset << 20);
	}
}

/* The ranges of a shadow: the emulated capabilities, then the headers that lead to them. */
#define RANGES (2 * VFCAP_EMULS)

/* Where range i begins, 0: there is none; and its length. */
static unsigned int range_at(const struct vfcap_shadow *sh, unsigned int i, unsigned int *len)
{
	if (i < VFCAP_EMULS) {
		*len = vfcap_emul_len((enum vfcap_emul)i);
		return sh->offset[i];
	}
	*len = sizeof(sh->header[0]);
	return sh->after[i - VFCAP_EMULS];
}

unsigned int vfcap_shadow_span(const struct vfcap_shadow *sh, unsigned int off, unsigned int len,
			       bool *inside)
{
	unsigned int i, first, size;

	*inside = false;
	for (i = 0; i < RANGES; i++) {
		first = range_at(sh, i, &size);
		if (!first || off >= first + size)
			continue;
		if (off >= first) {
			*inside = true;
			return len < first + size - off ? len : first + size - off;
		}
		if (len > first - off)
			len = first - off;
	}
	return len;
}

/* Which range holds all of [off, off + len), and where in it does that begin? RANGES: none does. */
static unsigned int find_range(const struct vfcap_shadow *sh, unsigned int off, unsigned int len,
			       unsigned int *at)
{
	unsigned int i, first, size;

	for (i = 0; i < RANGES; i++) {
		first = range_at(sh, i, &size);
		*at = off - first;
		if (first && len && off >= first && *at < size && len <= size - *at)
			break;
	}
	return i;
}

bool vfcap_shadow_read(const struct vfcap_shadow *sh, unsigned int off, unsigned int len,
		       uint8_t *buf)
{
	unsigned int at, i = find_range(sh, off, len, &at);

	if (i == RANGES)
		return false;
	memcpy(buf, (i < VFCAP_EMULS ? sh->bytes[i] : sh->header[i - VFCAP_EMULS]) + at, len);
	return true;
}

/* Writes the bytes of buf, which are for [at, at + len) of a capability, to one register of it. */
static void write_reg(uint8_t *bytes, const struct vfcap_emuldef *def, const struct vfcap_reg *reg,
		      unsigned int at, unsigned int len, const uint8_t *buf)
{
	uint32_t lanes = 0, val = 0, old = get_reg(bytes, reg), rw, w1c;
	unsigned int i;

	for (i = 0; i < reg->size; i++) {
		unsigned int pos = reg->offset + i;

		if (pos < at || pos - at >= len)
			continue;
		lanes |= 0xffu << (8 * i);
		val |= (uint32_t)buf[pos - at] << (8 * i);
	}
	if (!lanes)
		return;

	rw = vfcap_reg_mask(reg, VFCAP_RW) & lanes;
	w1c = vfcap_reg_mask(reg, VFCAP_W1C); /* val has no bits outside of lanes */
	put_reg(bytes, reg, (old & ~rw & ~(val & w1c)) | (val & rw));
	if (def->wrote)
		def->wrote(bytes, reg, val & vfcap_reg_mask(reg, VFCAP_ACTION));
}

bool vfcap_shadow_write(struct vfcap_shadow *sh, unsigned int off, unsigned int len,
			const uint8_t *buf)
{
	unsigned int at, e = find_range(sh, off, len, &at), i;
	const struct vfcap_emuldef *def = vfcap_emuldef((enum vfcap_emul)e);

	for (i = 0; def && i < def->n_regs; i++)
		write_reg(sh->bytes[e], def, &def->regs[i], at, len, buf);
	return e != RANGES;
}

void vfcap_shadow_reset(struct vfcap_shadow *sh)
{
	unsigned int e, i;

	for (e = 0; e < VFCAP_EMULS; e++) {
		const struct vfcap_emuldef *def = vfcap_emuldef((enum vfcap_emul)e);

		for (i = 0; sh->offset[e] && i < def->n_regs; i++) {
			const struct vfcap_reg *reg = &def->regs[i];

			put_reg(sh->bytes[e], reg, initial(reg, get_reg(sh->bytes[e], reg)));
		}
	}
}
