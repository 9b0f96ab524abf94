/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The walk over a capability's registers. The tables that it follows are in the regs-*.c files,
 * those of PASID and PRI in caps.c, because they are emulated too. The kernel module has none.
 */
#include "regs.h"

const struct vfcap_regblock *vfcap_regblocks(unsigned int id, unsigned int *n)
{
	const struct vfcap_regcap *const tables[] = {
		vfcap_regs_function, vfcap_regs_link, vfcap_regs_vendor,
	};
	unsigned int i;

	*n = 0;
	if (id > VFCAP_ID_MAX)
		return NULL;
	for (i = 0; i < VFCAP_ARRAY_SIZE(tables); i++) {
		if (tables[i][id].n) {
			*n = tables[i][id].n;
			return tables[i][id].blocks;
		}
	}
	return NULL;
}

bool vfcap_regs_read(const struct vfcap_regiter *it, unsigned int at, unsigned int size,
		      uint32_t *val)
{
	return vfcap_body_read(&it->cap, at, size, val);
}

uint32_t vfcap_field_get(const struct vfcap_field *field, uint64_t value)
{
	uint32_t lowest = field->mask & -field->mask;

	return lowest ? ((uint32_t)value & field->mask) / lowest : 0;
}

const char *vfcap_field_name(const struct vfcap_field *field, uint32_t value)
{
	return field->format == VFCAP_ENUM && value < field->n_names ? field->names[value] : NULL;
}

void vfcap_regs(struct vfcap_regiter *it, struct vfcap_image *img, const struct vfcap_cap *cap)
{
	unsigned int n;

	memset(it, 0, sizeof(*it));
	it->cap.img = img;
	it->cap.offset = cap->offset;
	it->cap.length = cap->length;
	it->blocks = vfcap_regblocks(cap->id, &n);
	it->n_blocks = (uint16_t)n;
	/* A broken capability may claim to leave config space. */
	if (cap->offset + cap->length > VFCAP_CFG_SIZE)
		it->cap.length = (uint16_t)(VFCAP_CFG_SIZE - cap->offset);
}

/* How many of the block there are. */
static unsigned int count_block(const struct vfcap_regiter *it, const struct vfcap_regblock *b)
{
	const struct vfcap_field number = { .mask = b->mask };
	unsigned int count = b->max;
	uint32_t val;

	if (b->count) {
		count = b->count(it, b);
	} else if (!b->key) {
		return 1;
	} else if (b->mask) {
		if (!vfcap_regs_read(it, b->at, 4, &val) || (val & b->when_mask) != b->when)
			return 0;
		count = vfcap_field_get(&number, val) + b->plus;
	}
	return count < b->max ? count : b->max;
}

/* Finds out how long the one at it->start is. */
static void enter_one(struct vfcap_regiter *it, const struct vfcap_regblock *b)
{
	const struct vfcap_field number = { .mask = b->grow_mask };
	uint32_t val;

	it->reg = 0;
	it->size = b->size ? b->size : it->cap.length;
	if (b->grow_mask && vfcap_regs_read(it, it->start, 4, &val))
		it->size = (uint16_t)(it->size + vfcap_field_get(&number, val) * b->grow_by);
}

static void enter_block(struct vfcap_regiter *it, const struct vfcap_regblock *b)
{
	const struct vfcap_emuldef *def = b->regs ? NULL : vfcap_emuldef((enum vfcap_emul)b->arg);

	if (it->count)
		it->start = (uint16_t)(it->start + it->size);
	if (b->start || !b->key)
		it->start = b->start;
	it->regs = def ? def->regs : b->regs;
	it->n_regs = def ? def->n_regs : b->n_regs;
	it->index = 0;
	it->count = (uint16_t)count_block(it, b);
	if (it->count)
		enter_one(it, b);
	else
		it->reg = it->n_regs;
}

/* Goes to the next register that may be there; NULL at the end. */
static const struct vfcap_reg *advance(struct vfcap_regiter *it)
{
	while (it->reg == it->n_regs) {
		if (it->index + 1 < it->count && it->start + it->size < it->cap.length) {
			it->index++;
			it->start = (uint16_t)(it->start + it->size);
			enter_one(it, &it->blocks[it->block - 1]);
		} else if (it->block < it->n_blocks) {
			enter_block(it, &it->blocks[it->block++]);
		} else {
			return NULL;
		}
	}
	return &it->regs[it->reg++];
}

static bool read_reg(const struct vfcap_regiter *it, unsigned int at, unsigned int size,
		     uint64_t *value)
{
	uint32_t low, high = 0;

	*value = 0;
	if (!vfcap_regs_read(it, at, size == 8 ? 4 : size, &low) ||
	    (size == 8 && !vfcap_regs_read(it, at + 4, 4, &high)))
		return false;
	*value = (uint64_t)high << 32 | low;
	return true;
}

bool vfcap_reg_next(struct vfcap_regiter *it, struct vfcap_regval *val)
{
	const struct vfcap_reg *reg;

	while ((reg = advance(it))) {
		unsigned int at = it->start + reg->offset;

		if (reg->offset + reg->size > it->size || at + reg->size > it->cap.length)
			continue;
		val->reg = reg;
		val->block = it->blocks[it->block - 1].key;
		val->index = it->index;
		val->offset = (uint16_t)(it->cap.offset + at);
		val->known = read_reg(it, at, reg->size, &val->value);
		return true;
	}
	return false;
}
