/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The emulated capabilities: what a guest reads at first, and what becomes of its writes. */
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
	return (from & vfcap_reg_mask(reg, VFCAP_CONST)) | reg->reset;
}

bool vfcap_compose(uint8_t bytes[16], enum vfcap_emul e, struct vfcap_image *pf,
		   unsigned int pf_off, unsigned int width, unsigned int next)
{
	const struct vfcap_emuldef *def = vfcap_emuldef(e);
	unsigned int i;
	uint32_t val;

	memset(bytes, 0, 16);
	vfcap_put_le32(bytes, def->id | 1u << 16 | next << 20);
	if (!vfcap_image_need(pf, pf_off + 4, def->len - 4u))
		return false;
	for (i = 0; i < def->n_regs; i++) {
		const struct vfcap_reg *reg = &def->regs[i];

		vfcap_image_read(pf, pf_off + reg->offset, reg->size, &val);
		put_reg(bytes, reg, initial(reg, val));
	}
	if (e == VFCAP_EMUL_PASID && width) {
		val = vfcap_le16(bytes + VFCAP_PASID_CAP) & ~(uint32_t)VFCAP_PASID_CAP_WIDTH;
		val |= width << 8 & VFCAP_PASID_CAP_WIDTH;
		vfcap_put_le16(bytes + VFCAP_PASID_CAP, (uint16_t)val);
	}
	return true;
}

bool vfcap_pf_enabled(enum vfcap_emul e, struct vfcap_image *pf, unsigned int pf_off)
{
	uint32_t ctrl;

	return vfcap_image_read(pf, pf_off + vfcap_emuldef(e)->ctrl, 2, &ctrl) && (ctrl & 1);
}

void vfcap_shadow_init(struct vfcap_shadow *sh, const struct vfcap_plan *plan)
{
	unsigned int i;

	memset(sh, 0, sizeof(*sh));
	for (i = 0; i < plan->n_placements; i++) {
		const struct vfcap_placement *p = &plan->placement[i];

		sh->offset[p->emul] = p->offset;
		memcpy(sh->bytes[p->emul], p->bytes, p->length);
	}
}

unsigned int vfcap_shadow_span(const struct vfcap_shadow *sh, unsigned int off, unsigned int len,
			       bool *inside)
{
	unsigned int e, first, end;

	*inside = false;
	for (e = 0; e < VFCAP_EMULS; e++) {
		first = sh->offset[e];
		end = first + vfcap_emul_len((enum vfcap_emul)e);
		if (!first || off >= end)
			continue;
		if (off >= first) {
			*inside = true;
			return len < end - off ? len : end - off;
		}
		if (len > first - off)
			len = first - off;
	}
	return len;
}

/* Which capability holds all of [off, off + len)? VFCAP_EMULS: none does. */
static enum vfcap_emul holder(const struct vfcap_shadow *sh, unsigned int off, unsigned int len)
{
	unsigned int e, first, size;

	for (e = 0; e < VFCAP_EMULS; e++) {
		first = sh->offset[e];
		size = vfcap_emul_len((enum vfcap_emul)e);
		if (first && len && off >= first && off - first < size &&
		    len <= size - (off - first))
			break;
	}
	return (enum vfcap_emul)e;
}

bool vfcap_shadow_read(const struct vfcap_shadow *sh, unsigned int off, unsigned int len,
		       uint8_t *buf)
{
	enum vfcap_emul e = holder(sh, off, len);

	if (e == VFCAP_EMULS)
		return false;
	memcpy(buf, sh->bytes[e] + (off - sh->offset[e]), len);
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
	enum vfcap_emul e = holder(sh, off, len);
	const struct vfcap_emuldef *def = vfcap_emuldef(e);
	unsigned int i;

	if (!def)
		return false;
	for (i = 0; i < def->n_regs; i++)
		write_reg(sh->bytes[e], def, &def->regs[i], off - sh->offset[e], len, buf);
	return true;
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
