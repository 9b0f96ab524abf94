/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "core/internal.h"
#include "hostgen.h"

#define N(a) (sizeof(a) / sizeof((a)[0]))

/* The IDs that vfio-pci's own table gives a length (Linux 7.3, vfio_pci_config.c). */
static const uint8_t shown[] = { 0x01, 0x02, 0x03, 0x04, 0x08, 0x09, 0x0b, 0x0d, 0x0e,
				 0x0f, 0x10, 0x12, 0x13, 0x15, 0x16, 0x17, 0x18, 0x23 };

static void test_table(void **state)
{
	unsigned int id, other;

	(void)state;
	for (id = 0; id <= VFCAP_ID_MAX; id++) {
		const struct vfcap_capinfo *info = vfcap_capinfo(id);

		assert_non_null(info);
		assert_int_equal(info->id, id);
		assert_non_null(info->name);
		assert_non_null(info->title);
		assert_int_equal(vfcap_cap_by_name(info->name), (int)id);
		for (other = 0; other < id; other++)
			assert_int_not_equal(strcmp(info->title, vfcap_capinfo(other)->title), 0);
		if (info->len.kind == VFCAP_LEN_FIXED) {
			assert_true(info->len.base >= 4 && info->len.base % 4 == 0);
			assert_true(!info->len.reserved || info->len.reserved > info->len.base);
		}
		assert_int_equal(info->len.reserved % 4, 0);
		assert_true((info->len.kind == VFCAP_LEN_HOOK) == (info->len.hook != NULL));
		assert_true((info->len.kind == VFCAP_LEN_COUNT) == (info->len.mask != 0));
	}
	assert_null(vfcap_capinfo(VFCAP_ID_MAX + 1));
	assert_null(vfcap_capinfo(0xffff));
}

static void test_names(void **state)
{
	(void)state;
	assert_int_equal(vfcap_cap_by_name("pasid"), 0x1b);
	assert_int_equal(vfcap_cap_by_name("Pri"), 0x13);
	assert_int_equal(vfcap_cap_by_name("sriov"), 0x10);
	assert_int_equal(vfcap_cap_by_name("SR-IOV"), 0x10);
	assert_int_equal(vfcap_cap_by_name("vf_rebar"), 0x24);
	assert_int_equal(vfcap_cap_by_name("16gt"), 0x26);
	assert_int_equal(vfcap_cap_by_name(""), -1);
	assert_int_equal(vfcap_cap_by_name("pas"), -1);
	assert_int_equal(vfcap_cap_by_name("pasids"), -1);
}

/* The two IDs that the first attempt at this got wrong (0x18 and 0x19). */
static void test_ids(void **state)
{
	(void)state;
	assert_int_equal(vfcap_emul_id(VFCAP_EMUL_PASID), 0x1b);
	assert_int_equal(vfcap_emul_id(VFCAP_EMUL_PRI), 0x13);
	assert_int_equal(vfcap_emul_len(VFCAP_EMUL_PASID), 8);
	assert_int_equal(vfcap_emul_len(VFCAP_EMUL_PRI), 16);
	assert_string_equal(vfcap_capinfo(0x1b)->name, "PASID");
	assert_string_equal(vfcap_capinfo(0x13)->name, "PRI");
}

static void test_hidden(void **state)
{
	unsigned int id, i;

	(void)state;
	for (id = 0; id < 0x200; id++) {
		bool show = false;

		for (i = 0; i < N(shown); i++)
			show = show || shown[i] == id;
		assert_int_equal(vfcap_vfio_hides(id, VFCAP_RELEASE_NEWEST), !show);
		if (id != 0x23) {
			assert_int_equal(vfcap_vfio_hides(id, VFCAP_RELEASE(6, 1)), !show);
			assert_int_equal(vfcap_vfio_hides(id, 0), !show);
		}
	}
	assert_true(vfcap_vfio_hides(0x23, VFCAP_RELEASE(5, 19)));
	assert_true(vfcap_vfio_hides(0x23, VFCAP_RELEASE(6, 1)));
	assert_true(vfcap_vfio_hides(0x23, VFCAP_RELEASE(6, 3)));
	assert_false(vfcap_vfio_hides(0x23, VFCAP_RELEASE(6, 4)));
	assert_false(vfcap_vfio_hides(0x23, VFCAP_RELEASE(6, 12)));
	assert_false(vfcap_vfio_hides(0x23, VFCAP_RELEASE(7, 0)));
	assert_true(vfcap_vfio_hides(0xffff, VFCAP_RELEASE_NEWEST));
}

/* Lengths that a capability's own registers tell. Registers at +4, +8, +0xc, +0x10. */
static const struct {
	uint8_t id, version;
	uint32_t reg[4];
	unsigned int length, reserved; /* 0: not knowable */
} lengths[] = {
	{ 0x01, 2, { 0 }, 0x2c, 0x58 },
	{ 0x02, 1, { 0 }, 0x1c, 0x1c },
	{ 0x02, 1, { 1 }, 0x28, 0x28 },
	{ 0x02, 1, { 7 }, 0x70, 0x70 },
	{ 0x02, 1, { 0, 0x0a000008 }, 0xe0, 0xe0 }, /* VC arbitration: 128 of 4 bits at 0xa0 */
	{ 0x02, 1, { 0, 0x03000002 }, 0x40, 0x40 }, /* 32 phases at 0x30 */
	{ 0x09, 1, { 0, 0x00000008 }, 0x1c, 0x1c }, /* offered, but there is no table */
	{ 0x08, 1, { 0xc00, 0, 0, 0x04000020 }, 0x140, 0x140 }, /* ports: 256 of 8 bits */
	{ 0x02, 1, { 0x400, 0, 0, 0x02000004 }, 0x30, 0x30 }, /* 64 of 2 bits at 0x20 */
	{ 0x03, 1, { 0 }, 12, 12 },
	{ 0x04, 1, { 0 }, 16, 16 },
	{ 0x05, 1, { 0x00000300 }, 64, 64 },
	{ 0x06, 1, { 0 }, 12, 12 },
	{ 0x07, 1, { 0 }, 8, 12 },
	{ 0x07, 2, { 0 }, 12, 12 },
	{ 0x0a, 1, { 0 }, 0x14, 0x14 },
	{ 0x0b, 1, { 0x01018086 }, 16, 16 },
	{ 0x0b, 1, { 0x02918086 }, 44, 44 }, /* 0x29 bytes, in whole dwords */
	{ 0x0b, 1, { 0x00818086 }, 8, 8 },
	{ 0x0b, 1, { 0x00718086 }, 0, 0 },
	{ 0x0b, 1, { 0x00018086 }, 0, 0 },
	{ 0x0c, 1, { 0 }, 0, 0 },
	{ 0x0d, 1, { 0x0000001f }, 8, 8 },
	{ 0x0d, 1, { 0x0000203f }, 12, 12 },
	{ 0x0d, 1, { 0x0000213f }, 16, 16 },
	{ 0x0d, 1, { 0x0000003f }, 40, 40 }, /* 0 stands for 256 */
	{ 0x0e, 1, { 0 }, 8, 8 },
	{ 0x0f, 1, { 0 }, 8, 8 },
	{ 0x10, 1, { 0 }, 0x40, 0x40 },
	{ 0x12, 1, { 0 }, 0x28, 0x30 },
	{ 0x13, 1, { 0 }, 16, 16 },
	{ 0x15, 1, { 0, 0x20 }, 12, 12 },
	{ 0x15, 1, { 0, 0xc0 }, 52, 52 },
	{ 0x15, 1, { 0, 0 }, 0, 0 },
	{ 0x16, 1, { 0 }, 20, 20 },
	{ 0x16, 1, { 31 }, 48, 48 },
	{ 0x17, 1, { 0x001f0000 }, 12, 12 },
	{ 0x17, 1, { 0x003f0200 }, 140, 140 },
	{ 0x17, 1, { 0x00000200 }, 16, 16 }, /* one entry of two bytes */
	{ 0x17, 1, { 0x003f0400 }, 12, 12 }, /* the table is in MSI-X */
	{ 0x18, 1, { 0 }, 8, 8 },
	{ 0x19, 1, { 0 }, 12, 76 },
	{ 0x1a, 1, { 3 }, 28, 28 },
	{ 0x1b, 1, { 0 }, 8, 8 },
	{ 0x1d, 1, { 0 }, 12, 0x3c },
	{ 0x1d, 1, { 0x00000420 }, 0x30, 0x3c },
	{ 0x1d, 1, { 0x00000920 }, 0x44, 0x44 },
	{ 0x1e, 1, { 0 }, 16, 20 },
	{ 0x1f, 1, { 0 }, 12, 12 },
	{ 0x20, 1, { 0 }, 0, 0 },
	{ 0x23, 1, { 0x03818086 }, 56, 56 },
	{ 0x24, 1, { 0, 0x40 }, 20, 20 },
	{ 0x25, 1, { 0 }, 12, 12 },
	{ 0x26, 1, { 0 }, 0x20, 0x40 },
	{ 0x27, 1, { 0 }, 8, 136 },
	{ 0x29, 1, { 0 }, 16, 16 },
	{ 0x2a, 1, { 0 }, 0x20, 0x40 },
	{ 0x2e, 1, { 0 }, 0x18, 0x18 },
	{ 0x2f, 1, { 0 }, 0x10, 0x1c },
	{ 0x30, 1, { 0 }, 12, 12 },
	{ 0x30, 1, { 0x00002001 }, 28, 28 }, /* two link streams */
	{ 0x30, 1, { 0x00000002, 0, 0x3 }, 68, 68 }, /* one selective stream, three blocks */
	{ 0x31, 1, { 0 }, 0x10, 0x40 },
	{ 0x32, 1, { 0 }, 0x3c, 0x3c },
	{ 0x34, 1, { 0 }, 0x24, 0x24 },
	{ 0x36, 1, { 0x18 }, 0x18, 0x18 },
	{ 0x36, 1, { 0 }, 0, 0 },
	{ 0x39, 1, { 0 }, 0x10, 0x40 },
	{ 0x3b, 1, { 0 }, 0, 0 },
};

static void test_lengths(void **state)
{
	unsigned int i, j, len, reserved;
	uint8_t cfg[VFCAP_CFG_SIZE] = { 0 };
	struct vfcap_image img;
	bool known, truncated;

	(void)state;
	for (i = 0; i < N(lengths); i++) {
		gen_cap(cfg, 0x200, lengths[i].id, lengths[i].version, 0);
		for (j = 0; j < 4; j++)
			gen_put32(cfg, 0x204 + 4 * j, lengths[i].reg[j]);
		vfcap_image_from_bytes(&img, cfg, sizeof(cfg));
		len = vfcap_cap_length(&img, 0x200, lengths[i].id, &reserved, &known, &truncated);
		if (len != (lengths[i].length ? lengths[i].length : 4) ||
		    reserved != (lengths[i].length ? lengths[i].reserved : 4) ||
		    known != (lengths[i].length != 0) || truncated)
			fail_msg("row %u, ID %#x: %#x %#x %d", i, lengths[i].id, len, reserved,
				 known);
	}
}

/* Every capability that has lanes, with and without a link that tells how many. */
static void test_lanes(void **state)
{
	static const struct {
		uint8_t id;
		unsigned int x1, x8, x16;
	} cases[] = { { 0x19, 16, 28, 44 },
		      { 0x26, 0x24, 0x28, 0x30 },
		      { 0x27, 12, 40, 72 },
		      { 0x2a, 0x24, 0x28, 0x30 } };
	static const unsigned int lanes[] = { 1, 8, 16 };
	uint8_t cfg[VFCAP_CFG_SIZE] = { 0 };
	unsigned int i, j, want, reserved;
	struct vfcap_image img;
	bool known, truncated;

	(void)state;
	for (j = 0; j < 3; j++) {
		gen_legacy(cfg, false, 0, lanes[j]);
		vfcap_image_from_bytes(&img, cfg, sizeof(cfg));
		assert_int_equal(vfcap_link_lanes(&img), lanes[j]);
		for (i = 0; i < N(cases); i++) {
			want = j == 0 ? cases[i].x1 : j == 1 ? cases[i].x8 : cases[i].x16;
			assert_int_equal(vfcap_cap_length(&img, 0x200, cases[i].id, &reserved,
							  &known, &truncated),
					 want);
			assert_int_equal(reserved, want);
			assert_true(known && !truncated);
		}
	}
	gen_legacy(cfg, false, 0, 3); /* no such width */
	vfcap_image_from_bytes(&img, cfg, sizeof(cfg));
	assert_int_equal(vfcap_link_lanes(&img), 0);
	gen_legacy(cfg, false, 9, 8); /* integrated into the root complex */
	vfcap_image_from_bytes(&img, cfg, sizeof(cfg));
	assert_int_equal(vfcap_link_lanes(&img), 0);
	gen_legacy(cfg, false, 0, 8);
	cfg[0x51] = 0x50; /* the list loops before the capability */
	vfcap_image_from_bytes(&img, cfg, sizeof(cfg));
	assert_int_equal(vfcap_link_lanes(&img), 0);
	cfg[0x06] = 0; /* no list */
	vfcap_image_from_bytes(&img, cfg, sizeof(cfg));
	assert_int_equal(vfcap_link_lanes(&img), 0);
}

/* What is left of a PCI Express capability where it is, and what may rest on it. */
static void test_pcie_place(void **state)
{
	static const struct {
		uint8_t off, version, type, next; /* next: another header, or 0 */
		unsigned int length, lanes; /* length 0: there is no room for one */
	} cases[] = {
		{ 0x40, 2, 0, 0, 0x3c, 16 },	{ 0xc4, 2, 0, 0, 0x3c, 16 },
		{ 0xd0, 2, 0, 0, 0x30, 16 },	{ 0xf0, 2, 0, 0, 0x10, 16 },
		{ 0xf4, 2, 4, 0, 0x0c, 0 },	{ 0xf8, 2, 4, 0, 0, 0 },
		{ 0xfc, 2, 4, 0, 0, 0 },	{ 0x40, 1, 0, 0, 0x14, 16 },
		{ 0x40, 0, 0, 0, 0x14, 16 },	{ 0x40, 1, 9, 0, 0x0c, 0 },
		{ 0x40, 1, 10, 0, 0x0c, 0 },	{ 0x40, 2, 9, 0, 0x3c, 0 },
		{ 0x40, 2, 0, 0x50, 0x10, 16 }, { 0x40, 2, 0, 0x4c, 0x0c, 0 },
		{ 0x40, 2, 0, 0x48, 0, 0 },	{ 0x80, 2, 0, 0x40, 0x3c, 16 },
	};
	uint8_t cfg[VFCAP_CFG_SIZE];
	struct vfcap_image img;
	struct vfcap_body pcie;
	unsigned int i;
	uint32_t val;

	(void)state;
	for (i = 0; i < N(cases); i++) {
		unsigned int off = cases[i].off;

		memset(cfg, 0, sizeof(cfg));
		cfg[0x06] = 0x10;
		cfg[0x34] = (uint8_t)off;
		gen_put32(cfg, off + 0x0c, 0x100);
		gen_put32(cfg, off,
			  0x10u | cases[i].next << 8 | cases[i].version << 16 |
				  (uint32_t)cases[i].type << 20);
		vfcap_image_from_bytes(&img, cfg, sizeof(cfg));
		assert_int_equal(vfcap_pcie_find(&img, &pcie), cases[i].length ? 1 : -1);
		assert_int_equal(pcie.length, cases[i].length);
		assert_int_equal(pcie.offset, cases[i].length ? off : 0);
		assert_int_equal(vfcap_pcie_type(&pcie), cases[i].length ? cases[i].type : 0);
		assert_int_equal(vfcap_link_lanes(&img), cases[i].lanes);
		assert_false(vfcap_body_read(&pcie, cases[i].length, 1, &val));
		assert_false(vfcap_body_read(&pcie, 0xffffffff, 4, &val));
	}
	gen_hole(&img, 0x40, 4); /* the header behind it in the list */
	assert_int_equal(vfcap_pcie_find(&img, &pcie), -1);
	gen_hole(&img, 0x34, 4);
	assert_int_equal(vfcap_pcie_find(&img, &pcie), -1);
	gen_hole(&img, 0x04, 4);
	assert_int_equal(vfcap_pcie_find(&img, &pcie), -1);
}

/* A register that tells a length and cannot be read leaves what is proven, and the rest unknown. */
static void test_missing(void **state)
{
	static const struct {
		uint8_t id;
		uint32_t reg[3]; /* at +4 */
		unsigned int hole, length; /* what is proven all the same */
	} cases[] = {
		{ 0x02, { 1 }, 0x08, 0x28 },
		{ 0x02, { 1 }, 0x1c, 0x28 },
		{ 0x02, { 1, 0x0a000008 }, 0x10, 0xe0 },
		{ 0x30, { 0x00010002, 0, 0x3 }, 0x0c, 0x34 },
		{ 0x30, { 0x00010002, 0, 0x3 }, 0x44, 0x58 },
	};
	uint8_t cfg[VFCAP_CFG_SIZE] = { 0 };
	unsigned int i, j, reserved;
	struct vfcap_image img;
	bool known, truncated;

	(void)state;
	for (i = 0; i < N(cases); i++) {
		gen_cap(cfg, 0x200, cases[i].id, 1, 0);
		for (j = 0; j < 3; j++)
			gen_put32(cfg, 0x204 + 4 * j, cases[i].reg[j]);
		vfcap_image_from_bytes(&img, cfg, sizeof(cfg));
		gen_hole(&img, 0x200 + cases[i].hole, 4);
		assert_int_equal(
			vfcap_cap_length(&img, 0x200, cases[i].id, &reserved, &known, &truncated),
			cases[i].length);
		assert_true(truncated && !known);

		/* What would lie past the end of config space is not missing: the length leaves it. */
		vfcap_image_from_bytes(&img, cfg, sizeof(cfg));
		memcpy(img.bytes + 0xff8, cfg + 0x200, 8);
		assert_true(vfcap_cap_length(&img, 0xff8, cases[i].id, &reserved, &known,
					     &truncated) > 8);
		assert_true(known && !truncated);
	}
}

static void test_port_types(void **state)
{
	uint8_t cfg[VFCAP_CFG_SIZE] = { 0 };
	struct vfcap_image img;
	unsigned int reserved;
	bool known, truncated;

	(void)state;
	gen_legacy(cfg, true, 4, 8); /* root port */
	cfg[0x0a] = 0x04;
	cfg[0x0b] = 0x06;
	vfcap_image_from_bytes(&img, cfg, sizeof(cfg));
	assert_int_equal(vfcap_cap_length(&img, 0x100, 0x01, &reserved, &known, &truncated), 0x38);
	assert_int_equal(reserved, 0x58);
	assert_int_equal(vfcap_cap_length(&img, 0x100, 0x12, &reserved, &known, &truncated), 0x30);

	gen_legacy(cfg, true, 6, 8); /* downstream port of a switch */
	vfcap_image_from_bytes(&img, cfg, sizeof(cfg));
	assert_int_equal(vfcap_cap_length(&img, 0x100, 0x01, &reserved, &known, &truncated), 0x2c);

	gen_legacy(cfg, false, 4, 4); /* root port with the header of an endpoint */
	cfg[0x0a] = 0x00;
	vfcap_image_from_bytes(&img, cfg, sizeof(cfg));
	assert_int_equal(vfcap_cap_length(&img, 0x100, 0x01, &reserved, &known, &truncated), 0x38);

	gen_legacy(cfg, false, 10, 0); /* event collector */
	cfg[0x0a] = 0x07;
	cfg[0x0b] = 0x08;
	vfcap_image_from_bytes(&img, cfg, sizeof(cfg));
	assert_int_equal(vfcap_cap_length(&img, 0x100, 0x01, &reserved, &known, &truncated), 0x38);
}

static void test_truncated(void **state)
{
	uint8_t cfg[0x208] = { 0 };
	struct vfcap_image img;
	unsigned int reserved;
	bool known, truncated;

	(void)state;
	gen_put32(cfg, 0x204, 0x01018086);
	vfcap_image_from_bytes(&img, cfg, 0x204);
	assert_int_equal(vfcap_cap_length(&img, 0x200, 0x0b, &reserved, &known, &truncated), 4);
	assert_true(truncated && !known);
	vfcap_image_from_bytes(&img, cfg, 0x208);
	assert_int_equal(vfcap_cap_length(&img, 0x200, 0x0b, &reserved, &known, &truncated), 16);
	assert_true(!truncated && known);
	/* The count of a resizable BAR capability stands at +8. */
	vfcap_cap_length(&img, 0x200, 0x15, &reserved, &known, &truncated);
	assert_true(truncated && !known);
	/* At the very end of config space there is no register that could tell. */
	vfcap_image_from_bytes(&img, cfg, sizeof(cfg));
	vfcap_cap_length(&img, 0xffc, 0x0b, &reserved, &known, &truncated);
	assert_true(truncated && !known);
}

/* Fields disjoint, contiguous, inside their register; registers apart, inside the capability. */
static void test_emulated(void **state)
{
	unsigned int e, i, j;

	(void)state;
	for (e = 0; e < VFCAP_EMULS; e++) {
		const struct vfcap_emuldef *def = vfcap_emuldef((enum vfcap_emul)e);
		uint32_t covered = 0xf; /* the header's bytes */

		assert_int_equal(def->id, vfcap_capinfo(def->id)->id);
		assert_int_equal(def->len, vfcap_capinfo(def->id)->len.base);
		for (i = 0; i < def->n_regs; i++) {
			const struct vfcap_reg *reg = &def->regs[i];
			uint32_t bytes = ((1u << reg->size) - 1) << reg->offset, seen = 0;
			uint32_t all = reg->size == 4 ? 0xffffffff : (1u << 8 * reg->size) - 1;

			assert_true(reg->size == 2 || reg->size == 4);
			assert_true(reg->offset % reg->size == 0 &&
				    reg->offset + reg->size <= def->len);
			assert_int_equal(covered & bytes, 0);
			covered |= bytes;
			for (j = 0; j < reg->n_fields; j++) {
				uint32_t mask = reg->fields[j].mask, unit = mask & -mask;

				assert_true(mask && !(mask & ~all) && !(mask & seen));
				assert_int_equal((mask + unit) & mask, 0); /* contiguous */
				assert_true(reg->fields[j].format != VFCAP_FLAG || mask == unit);
				seen |= mask;
			}
			assert_int_equal(reg->reset & ~seen, 0);
			assert_int_equal(reg->reset & vfcap_reg_mask(reg, VFCAP_CONST), 0);
			assert_int_equal(reg->reset & vfcap_reg_mask(reg, VFCAP_GATED), 0);
			assert_int_equal(reg->reset & vfcap_reg_mask(reg, VFCAP_ACTION), 0);
		}
		assert_int_equal(covered, (1u << def->len) - 1); /* no byte without a meaning */
	}
	assert_null(vfcap_emuldef(VFCAP_EMULS));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),	   cmocka_unit_test(test_names),
		cmocka_unit_test(test_ids),	   cmocka_unit_test(test_hidden),
		cmocka_unit_test(test_lengths),	   cmocka_unit_test(test_lanes),
		cmocka_unit_test(test_pcie_place), cmocka_unit_test(test_missing),
		cmocka_unit_test(test_port_types), cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_emulated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
