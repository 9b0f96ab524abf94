/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The register tables against themselves, and what they make of hand-made capabilities. */
#include "core/internal.h"
#include "unit.h"

/* What a test decodes: one capability at 0x100, alone in its image. */
#define AT 0x100

struct sample {
	struct vfcap_image img;
	struct vfcap_cap cap;
};

struct word {
	unsigned int at; /* from the capability's header */
	uint32_t val;
};

#define WORDS(...) ((const struct word[]){ __VA_ARGS__ }), \
	sizeof((const struct word[]){ __VA_ARGS__ }) / sizeof(struct word)

/* A PCI Express capability of an endpoint with a link of so many lanes. */
static void put_link(uint8_t *bytes, unsigned int lanes)
{
	vfcap_put_le16(bytes + 0x06, 0x0010);
	bytes[0x34] = 0x40;
	vfcap_put_le16(bytes + 0x40, 0x0010);
	vfcap_put_le16(bytes + 0x42, 0x0002);
	vfcap_put_le32(bytes + 0x4c, lanes << 4 | 4);
}

static void make_linked(struct sample *s, unsigned int lanes, unsigned int id,
			const struct word *words, size_t n)
{
	uint8_t bytes[VFCAP_CFG_SIZE] = { 0 };
	unsigned int reserved;
	bool known, truncated;
	size_t i;

	if (lanes)
		put_link(bytes, lanes);
	vfcap_put_le32(bytes + AT, id | 1u << 16);
	for (i = 0; i < n; i++)
		vfcap_put_le32(bytes + AT + words[i].at, words[i].val);
	vfcap_image_from_bytes(&s->img, bytes, sizeof(bytes));
	memset(&s->cap, 0, sizeof(s->cap));
	s->cap.offset = AT;
	s->cap.id = (uint16_t)id;
	s->cap.version = 1;
	s->cap.length = (uint16_t)vfcap_cap_length(&s->img, AT, id, &reserved, &known, &truncated);
}

static void make(struct sample *s, unsigned int id, const struct word *words, size_t n)
{
	make_linked(s, 0, id, words, n);
}

static bool same(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static bool find(struct sample *s, const char *block, unsigned int index, const char *key,
		 struct vfcap_regval *val)
{
	struct vfcap_regiter it;

	vfcap_regs(&it, &s->img, &s->cap);
	while (vfcap_reg_next(&it, val)) {
		if (same(val->block, block) && val->index == index && same(val->reg->key, key))
			return true;
	}
	return false;
}

static const struct vfcap_field *field(const struct vfcap_reg *reg, const char *key)
{
	unsigned int i;

	for (i = 0; i < reg->n_fields; i++) {
		if (same(reg->fields[i].key, key))
			return &reg->fields[i];
	}
	return NULL;
}

static uint64_t value(struct sample *s, const char *block, unsigned int index, const char *key)
{
	struct vfcap_regval val;

	assert_true(find(s, block, index, key, &val));
	assert_true(val.known);
	return val.value;
}

static uint32_t in_block(struct sample *s, const char *block, unsigned int index, const char *key,
			 const char *name)
{
	struct vfcap_regval val;
	const struct vfcap_field *f;

	assert_true(find(s, block, index, key, &val));
	f = field(val.reg, name);
	assert_non_null(f);
	return vfcap_field_get(f, val.value);
}

static uint32_t in_reg(struct sample *s, const char *key, const char *name)
{
	return in_block(s, NULL, 0, key, name);
}

static const char *name_of(struct sample *s, const char *block, unsigned int index, const char *key,
			   const char *name)
{
	struct vfcap_regval val;
	const struct vfcap_field *f;

	assert_true(find(s, block, index, key, &val));
	f = field(val.reg, name);
	assert_non_null(f);
	return vfcap_field_name(f, vfcap_field_get(f, val.value));
}

/* How many registers there are in a block in all (NULL: of the capability itself). */
static unsigned int count(struct sample *s, const char *block)
{
	struct vfcap_regiter it;
	struct vfcap_regval val;
	unsigned int n = 0;

	vfcap_regs(&it, &s->img, &s->cap);
	while (vfcap_reg_next(&it, &val))
		n += same(val.block, block);
	return n;
}

static bool absent(struct sample *s, const char *block, unsigned int index, const char *key)
{
	struct vfcap_regval val;

	return !find(s, block, index, key, &val);
}

/* ---------------------------------------------------------------- the tables by themselves -- */

static bool snake_case(const char *key)
{
	if (!key || *key < 'a' || *key > 'z')
		return false;
	for (; *key; key++) {
		if ((*key < 'a' || *key > 'z') && (*key < '0' || *key > '9') && *key != '_')
			return false;
	}
	return key[-1] != '_';
}

static uint32_t bits(unsigned int size)
{
	return size >= 4 ? ~0u : (1u << 8 * size) - 1;
}

static void check_field(const struct vfcap_reg *reg, unsigned int i, uint32_t *taken)
{
	const struct vfcap_field *f = &reg->fields[i];
	uint32_t most = f->mask / (f->mask & -f->mask);
	unsigned int j;

	assert_true(snake_case(f->key));
	assert_true(f->label && *f->label);
	assert_true(f->mask);
	assert_false(most & (most + 1)); /* contiguous */
	assert_false(f->mask & ~bits(reg->size));
	assert_false(f->mask & *taken);
	*taken |= f->mask;
	for (j = 0; j < i; j++)
		assert_false(same(f->key, reg->fields[j].key));

	if (f->format == VFCAP_FLAG)
		assert_int_equal(most, 1);
	if (f->format == VFCAP_ENUM) {
		assert_non_null(f->names);
		assert_true(f->n_names && f->n_names - 1u <= most);
		assert_non_null(f->names[f->n_names - 1]);
	} else {
		assert_null(f->names);
		assert_int_equal(f->n_names, 0);
	}
}

static void check_reg(const struct vfcap_reg *reg)
{
	uint32_t taken = 0;
	unsigned int i;

	assert_true(snake_case(reg->key));
	assert_true(reg->label && *reg->label);
	assert_true(reg->size == 1 || reg->size == 2 || reg->size == 4 || reg->size == 8);
	assert_int_equal(reg->offset % (reg->size == 8 ? 4 : reg->size), 0);
	if (reg->size == 8 || !reg->n_fields) {
		assert_int_equal(reg->n_fields, 0);
		assert_null(reg->fields);
	}
	for (i = 0; i < reg->n_fields; i++)
		check_field(reg, i, &taken);
}

static const struct vfcap_reg *regs_of(const struct vfcap_regblock *b, unsigned int *n)
{
	const struct vfcap_emuldef *def = vfcap_emuldef((enum vfcap_emul)b->arg);

	*n = b->regs ? b->n_regs : def->n_regs;
	return b->regs ? b->regs : def->regs;
}

/* Where the registers of a block may end: at the end of its longest instance. */
static unsigned int end_of(unsigned int id, const struct vfcap_regblock *b)
{
	const struct vfcap_len *len = &vfcap_capinfo(id)->len;
	uint32_t grow = b->grow_mask ? b->grow_mask / (b->grow_mask & -b->grow_mask) : 0;

	if (b->size)
		return b->size + grow * b->grow_by;
	if (len->kind != VFCAP_LEN_FIXED)
		return VFCAP_CFG_SIZE - VFCAP_EXT_BASE;
	return len->reserved > len->base ? len->reserved : len->base;
}

static void check_block(unsigned int id, const struct vfcap_regblock *b)
{
	unsigned int n, i, j, end = b->key ? 0 : 4;
	const struct vfcap_reg *regs = regs_of(b, &n);

	assert_true(n);
	assert_true(!b->key || (snake_case(b->key) && b->size && b->max));
	for (i = 0; i < n; i++) {
		check_reg(&regs[i]);
		assert_true(regs[i].offset >= end); /* in order, without an overlap */
		end = regs[i].offset + regs[i].size;
		for (j = 0; j < i; j++)
			assert_false(same(regs[i].key, regs[j].key));
	}
	assert_true(end <= end_of(id, b));
}

/* The capability's own registers and its blocks stand side by side in JSON. */
static void check_keys(const struct vfcap_regblock *a, const struct vfcap_regblock *b)
{
	unsigned int n_a, n_b, i, j;
	const struct vfcap_reg *regs_a = regs_of(a, &n_a), *regs_b = regs_of(b, &n_b);

	assert_false(a->key && same(a->key, b->key));
	for (i = 0; i < n_a; i++) {
		assert_false(!a->key && b->key && same(regs_a[i].key, b->key));
		for (j = 0; j < n_b; j++)
			assert_false(!a->key && !b->key && same(regs_a[i].key, regs_b[j].key));
	}
}

static void test_tables(void **state)
{
	const struct vfcap_regblock *blocks;
	unsigned int id, n, i, j;

	(void)state;
	for (id = 0; id <= VFCAP_ID_MAX; id++) {
		blocks = vfcap_regblocks(id, &n);
		assert_int_equal(!blocks, !n);
		for (i = 0; i < n; i++) {
			check_block(id, &blocks[i]);
			for (j = 0; j < i; j++) {
				check_keys(&blocks[i], &blocks[j]);
				check_keys(&blocks[j], &blocks[i]);
			}
		}
	}
	assert_null(vfcap_regblocks(VFCAP_ID_MAX + 1, &n));
	assert_int_equal(n, 0);
}

static void test_no_row_twice(void **state)
{
	unsigned int n, id, other;
	const struct vfcap_regblock *blocks;

	(void)state;
	/* VC and VC9, REBAR and VF REBAR have the same layout; nothing else does. */
	for (id = 0; id <= VFCAP_ID_MAX; id++) {
		blocks = vfcap_regblocks(id, &n);
		for (other = 0; blocks && other < id; other++) {
			if (vfcap_regblocks(other, &n) == blocks)
				assert_true((id == 0x09 && other == 0x02) ||
					    (id == 0x24 && other == 0x15));
		}
	}
}

/* Those whose registers pciutils 3.14 prints; and more of those that it only names. */
static void test_decoded_ids(void **state)
{
	static const uint8_t pciutils[] = {
		0x01, 0x02, 0x03, 0x05, 0x07, 0x09, 0x0b, 0x0d, 0x0e, 0x0f, 0x10, 0x12, 0x13,
		0x15, 0x17, 0x18, 0x19, 0x1b, 0x1d, 0x1e, 0x1f, 0x23, 0x24, 0x26, 0x27, 0x2a,
		0x2e, 0x2f, 0x30, 0x31, 0x32, 0x34, 0x36,
	};
	static const uint8_t more[] = {
		0x04, 0x06, 0x08, 0x0a, 0x16, 0x1a, 0x1c, 0x21, 0x22, 0x25, 0x28, 0x29, 0x2b, 0x2c,
	};
	unsigned int i, n;

	(void)state;
	for (i = 0; i < sizeof(pciutils); i++)
		assert_non_null(vfcap_regblocks(pciutils[i], &n));
	for (i = 0; i < sizeof(more); i++)
		assert_non_null(vfcap_regblocks(more[i], &n));
}

/* ------------------------------------------------------------------------------- decoding -- */

static void test_aer(void **state)
{
	struct vfcap_regval val;
	struct sample s;

	(void)state;
	make(&s, 0x01, WORDS({ 0x04, 0x00101000 }, { 0x08, 0x04400000 }, { 0x0c, 0x00462030 },
			     { 0x10, 0x00002041 }, { 0x18, 0x000001b4 }, { 0x1c, 0x4a000001 },
			     { 0x28, 0xdeadbeef }, { 0x2c, 0xffffffff }));
	assert_int_equal(s.cap.length, 0x2c);
	assert_int_equal(value(&s, NULL, 0, "uncorrectable_status"), 0x00101000);
	assert_int_equal(in_reg(&s, "uncorrectable_status", "poisoned_tlp"), 1);
	assert_int_equal(in_reg(&s, "uncorrectable_status", "unsupported_request"), 1);
	assert_int_equal(in_reg(&s, "uncorrectable_status", "ecrc"), 0);
	assert_int_equal(in_reg(&s, "uncorrectable_mask", "internal"), 1);
	assert_int_equal(in_reg(&s, "uncorrectable_severity", "surprise_down"), 1);
	assert_int_equal(in_reg(&s, "correctable_status", "receiver"), 1);
	assert_int_equal(in_reg(&s, "correctable_status", "bad_tlp"), 1);
	assert_int_equal(in_reg(&s, "correctable_status", "advisory_non_fatal"), 1);
	assert_int_equal(in_reg(&s, "correctable_status", "bad_dllp"), 0);
	assert_int_equal(in_reg(&s, "capabilities_control", "first_error_pointer"), 20);
	assert_int_equal(in_reg(&s, "capabilities_control", "ecrc_check_enable"), 1);
	assert_int_equal(in_reg(&s, "capabilities_control", "ecrc_generation_enable"), 0);
	assert_int_equal(value(&s, NULL, 0, "header_log_0"), 0x4a000001);
	assert_int_equal(value(&s, NULL, 0, "header_log_3"), 0xdeadbeef);
	assert_true(absent(&s, NULL, 0, "root_error_command"));
	assert_true(find(&s, NULL, 0, "correctable_mask", &val));
	assert_int_equal(val.offset, AT + 0x14);

	s.cap.length = 0x48; /* root registers and a prefix log of four */
	assert_int_equal(in_reg(&s, "root_error_command", "fatal_reporting"), 1);
	assert_int_equal(count(&s, "prefix_log"), 4);
	assert_true(find(&s, "prefix_log", 3, "log", &val));
	assert_int_equal(val.offset, AT + 0x44);
}

static void test_ats(void **state)
{
	struct sample s;

	(void)state;
	make(&s, 0x0f, WORDS({ 4, 0x80050065 }));
	assert_int_equal(in_reg(&s, "capability", "invalidate_queue_depth"), 5);
	assert_int_equal(in_reg(&s, "capability", "page_aligned_request"), 1);
	assert_int_equal(in_reg(&s, "capability", "global_invalidate"), 1);
	assert_int_equal(in_reg(&s, "capability", "relaxed_ordering"), 0);
	assert_int_equal(in_reg(&s, "control", "smallest_translation_unit"), 5);
	assert_int_equal(in_reg(&s, "control", "enable"), 1);
	assert_int_equal(count(&s, NULL), 2);
}

static void test_sriov(void **state)
{
	struct sample s;

	(void)state;
	make(&s, 0x10, WORDS({ 0x04, 0x00600002 }, { 0x08, 0x00010019 }, { 0x0c, 0x00080007 },
			     { 0x10, 0x00030002 }, { 0x14, 0x00020180 }, { 0x18, 0x10ca0000 },
			     { 0x1c, 0x00000553 }, { 0x20, 0x00000001 }, { 0x24, 0xe040000c },
			     { 0x38, 0x11223344 }, { 0x3c, 0x00001003 }));
	assert_int_equal(s.cap.length, 0x40);
	assert_int_equal(in_reg(&s, "capabilities", "ari_hierarchy_preserved"), 1);
	assert_int_equal(in_reg(&s, "capabilities", "migration_interrupt"), 3);
	assert_int_equal(in_reg(&s, "control", "vf_enable"), 1);
	assert_int_equal(in_reg(&s, "control", "vf_memory_space_enable"), 1);
	assert_int_equal(in_reg(&s, "control", "ari_capable_hierarchy"), 1);
	assert_int_equal(in_reg(&s, "control", "vf_migration_enable"), 0);
	assert_int_equal(in_reg(&s, "status", "vf_migration"), 1);
	assert_int_equal(value(&s, NULL, 0, "initial_vfs"), 7);
	assert_int_equal(in_reg(&s, "total_vfs", "count"), 8);
	assert_int_equal(value(&s, NULL, 0, "num_vfs"), 2);
	assert_int_equal(value(&s, NULL, 0, "function_dependency_link"), 3);
	assert_int_equal(value(&s, NULL, 0, "first_vf_offset"), 0x180);
	assert_int_equal(value(&s, NULL, 0, "vf_stride"), 2);
	assert_int_equal(value(&s, NULL, 0, "vf_device_id"), 0x10ca);
	assert_int_equal(value(&s, NULL, 0, "supported_page_sizes"), 0x553);
	assert_int_equal(value(&s, NULL, 0, "vf_bar_0"), 0xe040000c);
	assert_int_equal(value(&s, NULL, 0, "vf_bar_5"), 0x11223344);
	assert_int_equal(in_reg(&s, "migration_state_array", "bar"), 3);
	assert_int_equal(in_reg(&s, "migration_state_array", "offset"), 0x200);
}

static void test_pasid_and_pri(void **state)
{
	struct sample s;

	(void)state;
	make(&s, 0x1b, WORDS({ 4, 0x00011406 }));
	assert_int_equal(count(&s, NULL), 2);
	assert_int_equal(value(&s, NULL, 0, "capability"), 0x1406);
	assert_int_equal(in_reg(&s, "capability", "max_width"), 20);
	assert_int_equal(in_reg(&s, "control", "enable"), 1);

	make(&s, 0x13, WORDS({ 4, 0x81000001 }, { 8, 0x200 }, { 12, 0x20 }));
	assert_int_equal(count(&s, NULL), 4);
	assert_int_equal(in_reg(&s, "control", "enable"), 1);
	assert_int_equal(in_reg(&s, "status", "stopped"), 1);
	assert_int_equal(in_reg(&s, "status", "pasid_required"), 1);
	assert_int_equal(in_reg(&s, "status", "response_failure"), 0);
	assert_int_equal(value(&s, NULL, 0, "outstanding_capacity"), 0x200);
	assert_int_equal(value(&s, NULL, 0, "outstanding_allocation"), 0x20);
}

static void test_vc(void **state)
{
	struct sample s;

	(void)state;
	make(&s, 0x02, WORDS({ 0x04, 0x00000801 }, { 0x08, 0x00000003 }, { 0x0c, 0x00000002 },
			     { 0x10, 0x00008001 }, { 0x14, 0x800000ff }, { 0x1c, 0x003f0020 },
			     { 0x20, 0x8108000e }, { 0x24, 0x00030000 }));
	assert_int_equal(s.cap.length, 0x28);
	assert_int_equal(in_reg(&s, "port_capability_1", "extended_vc_count"), 1);
	assert_string_equal(name_of(&s, NULL, 0, "port_capability_1", "arbitration_entry_size"),
			    "4 bits");
	assert_int_equal(in_reg(&s, "port_capability_2", "wrr32"), 1);
	assert_string_equal(name_of(&s, NULL, 0, "port_control", "arbitration_select"), "WRR32");
	assert_int_equal(count(&s, "vc"), 6);
	assert_int_equal(in_block(&s, "vc", 0, "control", "enable"), 1);
	assert_int_equal(in_block(&s, "vc", 0, "control", "tc_map"), 0xff);
	assert_int_equal(in_block(&s, "vc", 0, "capability", "reject_snoop"), 1);
	assert_int_equal(in_block(&s, "vc", 1, "capability", "twrr128"), 0);
	assert_int_equal(in_block(&s, "vc", 1, "capability", "wrr256"), 1);
	assert_int_equal(in_block(&s, "vc", 1, "capability", "max_time_slots"), 0x3f);
	assert_int_equal(in_block(&s, "vc", 1, "control", "vc_id"), 1);
	assert_string_equal(name_of(&s, "vc", 1, "control", "arbitration_select"), "TWRR128");
	assert_int_equal(in_block(&s, "vc", 1, "control", "tc_map"), 0x0e);
	assert_int_equal(in_block(&s, "vc", 1, "status", "negotiation_pending"), 1);
	assert_int_equal(in_block(&s, "vc", 0, "status", "negotiation_pending"), 0);

	s.cap.id = 0x08; /* the same in MFVC, where no resource can reject snoops */
	assert_int_equal(count(&s, "vc"), 6);
	assert_int_equal(in_block(&s, "vc", 0, "control", "enable"), 1);
}

static void test_rebar(void **state)
{
	struct sample s;

	(void)state;
	make(&s, 0x15, WORDS({ 0x04, 0x00001ff0 }, { 0x08, 0x00000860 }, { 0x0c, 0x00000010 },
			     { 0x10, 0x00000002 }, { 0x14, 0x80000000 }, { 0x18, 0x00012b04 }));
	assert_int_equal(s.cap.length, 28);
	assert_int_equal(count(&s, "bar"), 6);
	assert_int_equal(count(&s, NULL), 0);
	assert_int_equal(in_block(&s, "bar", 0, "control", "bars"), 3);
	assert_int_equal(in_block(&s, "bar", 0, "control", "bar"), 0);
	assert_string_equal(name_of(&s, "bar", 0, "control", "size"), "256MB");
	assert_int_equal(in_block(&s, "bar", 0, "capability", "supported_sizes"), 0x1ff);
	assert_int_equal(in_block(&s, "bar", 1, "control", "bar"), 2);
	assert_string_equal(name_of(&s, "bar", 1, "control", "size"), "1MB");
	assert_int_equal(in_block(&s, "bar", 2, "control", "bar"), 4);
	assert_string_equal(name_of(&s, "bar", 2, "control", "size"), "8EB");
	assert_int_equal(in_block(&s, "bar", 2, "control", "supported_sizes_above_128tb"), 1);
}

static void test_rebar_unknown_size(void **state)
{
	struct sample s;

	(void)state;
	make(&s, 0x24, WORDS({ 0x08, 0x00003f20 }));
	assert_int_equal(count(&s, "bar"), 2);
	assert_int_equal(in_block(&s, "bar", 0, "control", "size"), 63);
	assert_null(name_of(&s, "bar", 0, "control", "size"));
}

static void test_ide(void **state)
{
	struct vfcap_regval val;
	struct sample s;

	(void)state;
	/* Two link streams; two selective ones, with two and no address blocks. */
	make(&s, 0x30, WORDS({ 0x04, 0x02012007 }, { 0x08, 0x4 }, { 0x0c, 0x12200405 },
			     { 0x10, 0x2 }, { 0x14, 0x13000000 }, { 0x18, 0x80000000 },
			     { 0x1c, 0x2 }, { 0x20, 0x55400201 }, { 0x24, 0x2 },
			     { 0x28, 0x00123400 }, { 0x2c, 0x01010001 }, { 0x30, 0xabc12301 },
			     { 0x34, 0x11 }, { 0x38, 0x22 }, { 0x3c, 0x1 }, { 0x40, 0x33 },
			     { 0x44, 0x44 }, { 0x48, 0x0 }, { 0x4c, 0x66000000 }));
	assert_int_equal(s.cap.length, 0x0c + 2 * 8 + 2 * 20 + 2 * 12);
	assert_int_equal(in_reg(&s, "capability", "link_tcs_minus_1"), 1);
	assert_int_equal(in_reg(&s, "capability", "selective_streams_minus_1"), 1);
	assert_int_equal(in_reg(&s, "capability", "xt"), 1);
	assert_int_equal(in_reg(&s, "control", "flow_through_enable"), 1);
	assert_int_equal(count(&s, "link_stream"), 4);
	assert_int_equal(in_block(&s, "link_stream", 0, "control", "stream_id"), 0x12);
	assert_string_equal(name_of(&s, "link_stream", 0, "control", "aggregation_nonposted"), "2");
	assert_string_equal(name_of(&s, "link_stream", 0, "control", "header_encryption"), "17:2");
	assert_int_equal(in_block(&s, "link_stream", 0, "control", "tc"), 4);
	assert_string_equal(name_of(&s, "link_stream", 0, "status", "state"), "secure");
	assert_int_equal(in_block(&s, "link_stream", 1, "control", "stream_id"), 0x13);
	assert_int_equal(in_block(&s, "link_stream", 1, "status", "integrity_check_fail_received"),
			 1);
	assert_int_equal(count(&s, "selective_stream"), 5 + 2 * 3 + 5);
	assert_int_equal(in_block(&s, "selective_stream", 0, "control", "stream_id"), 0x55);
	assert_int_equal(in_block(&s, "selective_stream", 0, "control", "default_stream"), 1);
	assert_int_equal(in_block(&s, "selective_stream", 0, "control", "config_requests_enable"),
			 1);
	assert_int_equal(in_block(&s, "selective_stream", 0, "rid_1", "limit"), 0x1234);
	assert_int_equal(in_block(&s, "selective_stream", 0, "rid_2", "base"), 0x100);
	assert_int_equal(in_block(&s, "selective_stream", 0, "rid_2", "segment_base"), 1);
	assert_int_equal(in_block(&s, "selective_stream", 0, "address_0", "base_low"), 0x123);
	assert_int_equal(in_block(&s, "selective_stream", 0, "address_0", "limit_low"), 0xabc);
	assert_int_equal(value(&s, "selective_stream", 0, "address_0_limit_high"), 0x11);
	assert_int_equal(value(&s, "selective_stream", 0, "address_1_base_high"), 0x44);
	assert_true(absent(&s, "selective_stream", 0, "address_2"));
	assert_true(find(&s, "selective_stream", 1, "control", &val));
	assert_int_equal(val.offset, AT + 0x4c);
	assert_int_equal(val.value, 0x66000000);
	assert_true(absent(&s, "selective_stream", 1, "address_0"));
}

/* Without link streams the selective ones begin where those would. */
static void test_ide_selective_only(void **state)
{
	struct vfcap_regval val;
	struct sample s;

	(void)state;
	make(&s, 0x30, WORDS({ 0x04, 0x00000002 }));
	assert_int_equal(count(&s, "link_stream"), 0);
	assert_int_equal(count(&s, "selective_stream"), 5);
	assert_true(find(&s, "selective_stream", 0, "capability", &val));
	assert_int_equal(val.offset, AT + 0x0c);
}

/* Fails the test when the mailboxes are touched. */
static int fetch_no_mailbox(void *ctx, unsigned int off, unsigned int len, uint8_t *buf)
{
	unsigned int i;

	assert_true(off + len <= AT + 0x10 || off >= AT + 0x18);
	for (i = 0; i < len; i += 4)
		vfcap_put_le32(buf + i, ((const uint32_t *)ctx)[(off + i - AT) / 4]);
	return (int)len;
}

static void test_doe(void **state)
{
	uint32_t words[] = { 0x0001002e, 0x00000047, 0x00000002, 0x80000005 };
	struct sample s = { .cap = { .offset = AT, .id = 0x2e, .length = 0x18 } };

	(void)state;
	vfcap_image_init(&s.img, VFCAP_CFG_SIZE, fetch_no_mailbox, words);
	assert_int_equal(count(&s, NULL), 3);
	assert_int_equal(in_reg(&s, "capabilities", "interrupt_support"), 1);
	assert_int_equal(in_reg(&s, "capabilities", "interrupt_message_number"), 0x23);
	assert_int_equal(in_reg(&s, "control", "interrupt_enable"), 1);
	assert_int_equal(in_reg(&s, "status", "busy"), 1);
	assert_int_equal(in_reg(&s, "status", "interrupt"), 0);
	assert_int_equal(in_reg(&s, "status", "error"), 1);
	assert_int_equal(in_reg(&s, "status", "object_ready"), 1);
}

static void test_tph(void **state)
{
	struct sample s;

	(void)state;
	make(&s, 0x17, WORDS({ 0x04, 0x00020306 }, { 0x08, 0x00000101 }, { 0x0c, 0x12340056 },
			     { 0x10, 0xffff0078 }));
	assert_int_equal(s.cap.length, 20); /* three entries, rounded up */
	assert_string_equal(name_of(&s, NULL, 0, "capability", "st_table_location"), "capability");
	assert_int_equal(in_reg(&s, "capability", "st_table_size"), 2);
	assert_int_equal(in_reg(&s, "capability", "interrupt_vector_mode"), 1);
	assert_string_equal(name_of(&s, NULL, 0, "control", "mode"), "interrupt vector");
	assert_string_equal(name_of(&s, NULL, 0, "control", "requester_enable"), "TPH");
	assert_int_equal(count(&s, "st"), 3);
	assert_int_equal(value(&s, "st", 0, "entry"), 0x0056);
	assert_int_equal(in_block(&s, "st", 1, "entry", "upper"), 0x12);
	assert_int_equal(in_block(&s, "st", 2, "entry", "lower"), 0x78);

	make(&s, 0x17, WORDS({ 0x04, 0x00020506 })); /* the table is in MSI-X's */
	assert_int_equal(count(&s, "st"), 0);
}

static void test_acs(void **state)
{
	struct sample s;

	(void)state;
	make(&s, 0x0d, WORDS({ 0x04, 0x001d287f }, { 0x08, 0x89abcdef }, { 0x0c, 0x00000042 }));
	assert_int_equal(s.cap.length, 16); /* 40 bits of vector */
	assert_int_equal(in_reg(&s, "capability", "egress_vector_size"), 40);
	assert_int_equal(in_reg(&s, "capability", "enhanced"), 0);
	assert_int_equal(in_reg(&s, "control", "source_validation"), 1);
	assert_int_equal(in_reg(&s, "control", "translation_blocking"), 0);
	assert_int_equal(in_reg(&s, "control", "upstream_forwarding"), 1);
	assert_int_equal(count(&s, "egress"), 2);
	assert_int_equal(value(&s, "egress", 0, "vector"), 0x89abcdef);
	assert_int_equal(value(&s, "egress", 1, "vector"), 0x42);

	make(&s, 0x0d, WORDS({ 0x04, 0x001d005f }));
	assert_int_equal(count(&s, "egress"), 0);
}

static void test_lanes(void **state)
{
	struct sample s;

	(void)state;
	make_linked(&s, 16, 0x26, WORDS({ 0x0c, 0x1f }, { 0x10, 0x3 }, { 0x20, 0x99887766 },
					{ 0x2c, 0x12345678 }));
	assert_int_equal(s.cap.length, 0x30);
	assert_int_equal(in_reg(&s, "status", "equalization_request"), 1);
	assert_int_equal(value(&s, NULL, 0, "local_parity_mismatch"), 3);
	assert_int_equal(count(&s, "lane"), 16);
	assert_int_equal(in_block(&s, "lane", 1, "equalization", "downstream_tx_preset"), 7);
	assert_int_equal(value(&s, "lane", 3, "equalization"), 0x99);
	assert_int_equal(in_block(&s, "lane", 15, "equalization", "downstream_tx_preset"), 2);
	assert_int_equal(in_block(&s, "lane", 15, "equalization", "upstream_tx_preset"), 1);

	make_linked(&s, 1, 0x19, WORDS({ 0x04, 0x3 }, { 0x08, 0x1 }, { 0x0c, 0xffff5736 }));
	assert_int_equal(s.cap.length, 0x10); /* one lane, rounded up */
	assert_int_equal(count(&s, "lane"), 1);
	assert_int_equal(in_reg(&s, "link_control_3", "perform_equalization"), 1);
	assert_int_equal(in_block(&s, "lane", 0, "equalization", "downstream_rx_hint"), 3);
	assert_int_equal(in_block(&s, "lane", 0, "equalization", "upstream_tx_preset"), 7);
	assert_int_equal(in_block(&s, "lane", 0, "equalization", "upstream_rx_hint"), 5);

	make_linked(&s, 2, 0x27, WORDS({ 0x04, 0x00030001 }, { 0x0c, 0xab549c2e }));
	assert_int_equal(in_reg(&s, "port_status", "software_ready"), 1);
	assert_int_equal(count(&s, "lane"), 4);
	assert_int_equal(in_block(&s, "lane", 1, "control", "receiver"), 6);
	assert_int_equal(in_block(&s, "lane", 1, "control", "margin_type"), 5);
	assert_int_equal(in_block(&s, "lane", 1, "status", "usage_model"), 1);
	assert_int_equal(in_block(&s, "lane", 1, "status", "payload"), 0xab);

	make_linked(&s, 0, 0x2a, WORDS({ 0x04, 0x701 }, { 0x08, 0x200 }, { 0x0c, 0x4a1 }));
	assert_int_equal(count(&s, "lane"), 0); /* no link, no lanes */
	assert_int_equal(in_reg(&s, "capabilities", "modified_ts_mode_2"), 1);
	assert_string_equal(name_of(&s, NULL, 0, "control", "modified_ts_mode"),
			    "alternate protocol");
	assert_string_equal(name_of(&s, NULL, 0, "status", "received_link_behavior"),
			    "no equalization");
	assert_int_equal(in_reg(&s, "status", "no_equalization_needed_received"), 1);
}

static void test_l1ss(void **state)
{
	struct sample s;

	(void)state;
	make(&s, 0x1e, WORDS({ 0x04, 0x0028ff1f }, { 0x08, 0x4065460f }, { 0x0c, 0x29 },
			     { 0x10, 0x1 }));
	assert_int_equal(in_reg(&s, "capabilities", "l1_pm_substates"), 1);
	assert_int_equal(in_reg(&s, "capabilities", "common_mode_restore_time"), 255);
	assert_string_equal(name_of(&s, NULL, 0, "capabilities", "t_power_on_scale"), "2us");
	assert_int_equal(in_reg(&s, "capabilities", "t_power_on_value"), 5);
	assert_int_equal(in_reg(&s, "control_1", "aspm_l1_2_enable"), 1);
	assert_int_equal(in_reg(&s, "control_1", "common_mode_restore_time"), 70);
	assert_int_equal(in_reg(&s, "control_1", "ltr_l1_2_threshold_value"), 101);
	assert_string_equal(name_of(&s, NULL, 0, "control_1", "ltr_l1_2_threshold_scale"),
			    "1024ns");
	assert_string_equal(name_of(&s, NULL, 0, "control_2", "t_power_on_scale"), "10us");
	assert_int_equal(in_reg(&s, "control_2", "t_power_on_value"), 5);
	assert_true(absent(&s, NULL, 0, "status")); /* not proven */
	s.cap.length = 20;
	assert_int_equal(in_reg(&s, "status", "link_activation"), 1);
}

static void test_dpc(void **state)
{
	struct vfcap_regval val;
	struct sample s;

	(void)state;
	make(&s, 0x1d, WORDS({ 0x04, 0x000a16f3 }, { 0x08, 0x01001f27 }, { 0x0c, 0x00040102 },
			     { 0x20, 0x01020304 }, { 0x30, 0x55 }, { 0x34, 0x66 }));
	assert_int_equal(s.cap.length, 0x38); /* six dwords of log */
	assert_int_equal(in_reg(&s, "capability", "interrupt_message_number"), 19);
	assert_int_equal(in_reg(&s, "capability", "rp_pio_log_size"), 6);
	assert_int_equal(in_reg(&s, "capability", "dl_active_signaling"), 1);
	assert_string_equal(name_of(&s, NULL, 0, "control", "trigger_enable"),
			    "ERR_NONFATAL or ERR_FATAL");
	assert_int_equal(in_reg(&s, "control", "interrupt_enable"), 1);
	assert_int_equal(in_reg(&s, "status", "triggered"), 1);
	assert_string_equal(name_of(&s, NULL, 0, "status", "reason"), "see extension");
	assert_string_equal(name_of(&s, NULL, 0, "status", "reason_extension"), "software trigger");
	assert_int_equal(in_reg(&s, "status", "rp_pio_first_error"), 31);
	assert_int_equal(value(&s, NULL, 0, "source_id"), 0x100);
	assert_int_equal(in_reg(&s, "rp_pio_status", "config_ca"), 1);
	assert_int_equal(in_reg(&s, "rp_pio_status", "io_ur"), 1);
	assert_int_equal(in_reg(&s, "rp_pio_status", "memory_cto"), 1);
	assert_int_equal(value(&s, NULL, 0, "rp_pio_header_log_0"), 0x01020304);
	assert_int_equal(value(&s, NULL, 0, "rp_pio_impspec_log"), 0x55);
	assert_int_equal(count(&s, "rp_pio_prefix_log"), 1);
	assert_int_equal(value(&s, "rp_pio_prefix_log", 0, "log"), 0x66);

	make(&s, 0x1d, WORDS({ 0x04, 0x00000000 })); /* not a root port's */
	assert_false(find(&s, NULL, 0, "rp_pio_status", &val));
}

static void test_dvsec(void **state)
{
	struct sample s;

	(void)state;
	make(&s, 0x23, WORDS({ 0x04, 0x01438086 }, { 0x08, 0x00050007 }, { 0x0c, 0xffffffff }));
	assert_int_equal(s.cap.length, 20);
	assert_int_equal(in_reg(&s, "header_1", "vendor_id"), 0x8086);
	assert_int_equal(in_reg(&s, "header_1", "revision"), 3);
	assert_int_equal(in_reg(&s, "header_1", "length"), 20);
	assert_int_equal(value(&s, NULL, 0, "id"), 7);
	assert_int_equal(count(&s, NULL), 2); /* nobody knows the rest */
}

static void test_dvsec_cxl(void **state)
{
	struct sample s;

	(void)state;
	make(&s, 0x23, WORDS({ 0x04, 0x03811e98 }, { 0x08, 0x401f0000 }, { 0x0c, 0x00000805 },
			     { 0x14, 0x02020001 }, { 0x18, 0x1 }, { 0x1c, 0x2000222b }));
	assert_int_equal(in_reg(&s, "cxl_capability", "mem"), 1);
	assert_int_equal(in_reg(&s, "cxl_capability", "hdm_count"), 1);
	assert_int_equal(in_reg(&s, "cxl_capability", "viral"), 1);
	assert_int_equal(in_reg(&s, "cxl_control", "io_enable"), 0);
	assert_int_equal(in_reg(&s, "cxl_control", "clean_eviction_hint"), 1);
	assert_int_equal(in_reg(&s, "cxl_lock", "config_lock"), 1);
	assert_string_equal(name_of(&s, NULL, 0, "cxl_capability_2", "cache_size_unit"), "1MB");
	assert_int_equal(in_reg(&s, "cxl_capability_2", "cache_size"), 2);
	assert_int_equal(value(&s, NULL, 0, "cxl_range_1_size_high"), 1);
	assert_string_equal(name_of(&s, NULL, 0, "cxl_range_1_size_low", "media"), "CDAT");
	assert_string_equal(name_of(&s, NULL, 0, "cxl_range_1_size_low", "memory_class"),
			    "storage");
	assert_int_equal(in_reg(&s, "cxl_range_1_size_low", "size_low"), 2);
	assert_int_equal(value(&s, NULL, 0, "cxl_range_2_base_low"), 0);
	assert_true(absent(&s, NULL, 0, "cxl_capability_3")); /* of a longer revision */
	assert_true(absent(&s, NULL, 0, "cxl_port_status"));

	make(&s, 0x23, WORDS({ 0x04, 0x01c01e98 }, { 0x08, 0x00000008 }, { 0x0c, 0x00010102 },
			     { 0x14, 0x00020304 }, { 0x18, 0x7 }));
	assert_int_equal(count(&s, "cxl_register_block"), 4);
	assert_string_equal(name_of(&s, "cxl_register_block", 0, "low", "registers"), "component");
	assert_int_equal(in_block(&s, "cxl_register_block", 0, "low", "offset_low"), 1);
	assert_string_equal(name_of(&s, "cxl_register_block", 1, "low", "registers"), "device");
	assert_int_equal(in_block(&s, "cxl_register_block", 1, "low", "bar"), 4);
	assert_int_equal(value(&s, "cxl_register_block", 1, "offset_high"), 7);
}

static void test_small_ones(void **state)
{
	struct sample s;

	(void)state;
	make(&s, 0x03, WORDS({ 4, 0x33221100 }, { 8, 0x77665544 }));
	assert_true(value(&s, NULL, 0, "serial_number") == 0x7766554433221100ull);
	make(&s, 0x0b, WORDS({ 4, 0x01c2abcd }));
	assert_int_equal(in_reg(&s, "header", "id"), 0xabcd);
	assert_int_equal(in_reg(&s, "header", "length"), 28);
	make(&s, 0x0e, WORDS({ 4, 0x00310201 }));
	assert_int_equal(in_reg(&s, "capability", "next_function"), 2);
	assert_int_equal(in_reg(&s, "control", "function_group"), 3);
	make(&s, 0x18, WORDS({ 4, 0x08461003 }));
	assert_string_equal(name_of(&s, NULL, 0, "max_snoop_latency", "scale"), "1048576ns");
	assert_int_equal(in_reg(&s, "max_no_snoop_latency", "value"), 70);
	make(&s, 0x16, WORDS({ 4, 0x0a051201 }, { 0x10, 0x00002211 }));
	assert_int_equal(count(&s, "substate"), 2);
	assert_int_equal(value(&s, "substate", 1, "power_allocation"), 0x22);
	assert_string_equal(name_of(&s, NULL, 0, "capability", "latency_unit"), "100ms");
	make(&s, 0x05, WORDS({ 4, 0x02010200 }, { 0x10, 0x03010001 }, { 0x18, 0x80010000 },
			     { 0x1c, 0xf }, { 0x20, 0x00000002 }));
	assert_int_equal(count(&s, "link"), 4);
	assert_true(value(&s, "link", 0, "address") == 0xf80010000ull);
	assert_string_equal(name_of(&s, "link", 1, "description", "type"), "config");
	make(&s, 0x1f, WORDS({ 4, 0x00000405 }, { 8, 0xff03 }));
	assert_int_equal(in_reg(&s, "capability", "clock_granularity"), 4);
	assert_int_equal(in_reg(&s, "control", "effective_granularity"), 255);
	make(&s, 0x12, WORDS({ 4, 0x8003853f }, { 0x10, 0x1 }, { 0x14, 0x80000000 }));
	assert_int_equal(in_reg(&s, "capability", "window_size_requested"), 5);
	assert_true(value(&s, NULL, 0, "receive") == 0x8000000000000001ull);
	assert_true(absent(&s, NULL, 0, "overlay_bar")); /* a bridge's only */
	make(&s, 0x32, WORDS({ 4, 0x0000a00b }, { 0x1c, 0x00020001 }, { 0x38, 0x00100000 }));
	assert_int_equal(count(&s, "lane"), 16);
	assert_int_equal(value(&s, "lane", 1, "correctable_errors"), 2);
	assert_int_equal(value(&s, "lane", 15, "correctable_errors"), 16);
	make(&s, 0x36, WORDS({ 4, 0x18 }, { 8, 0x00030102 }, { 0x10, 0x0004ff05 }));
	assert_int_equal(count(&s, "locator"), 4);
	assert_string_equal(name_of(&s, "locator", 0, "low", "registers"), "MCAP");
	assert_null(name_of(&s, "locator", 1, "low", "registers"));
}

/* ------------------------------------------------------------------------------ the edges -- */

static void test_truncated(void **state)
{
	uint8_t bytes[AT + 8] = { 0 };
	struct vfcap_regval val;
	struct sample s = { .cap = { .offset = AT, .id = 0x03, .length = 12 } };

	(void)state;
	bytes[AT + 4] = 1;
	vfcap_image_from_bytes(&s.img, bytes, sizeof(bytes));
	assert_true(find(&s, NULL, 0, "serial_number", &val));
	assert_false(val.known);
	assert_true(val.value == 0);
}

static void test_nothing(void **state)
{
	struct sample s;
	static const uint16_t ids[] = { 0x00, 0x11, 0x14, 0x20, 0x3a, 0x3b, 0x7fff, 0xffff };
	unsigned int i;

	(void)state;
	make(&s, 0x00, WORDS({ 4, ~0u }));
	for (i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		s.cap.id = ids[i];
		s.cap.length = 64;
		assert_int_equal(count(&s, NULL), 0);
	}
}

/* Which bytes of extended config space a walk has asked for. */
struct watch {
	uint32_t seed;
	unsigned int first, last;
};

static int fetch_random(void *ctx, unsigned int off, unsigned int len, uint8_t *buf)
{
	struct watch *w = ctx;
	unsigned int i;

	if (off >= VFCAP_EXT_BASE) {
		w->first = off < w->first ? off : w->first;
		w->last = off + len > w->last ? off + len : w->last;
	}
	for (i = 0; i < len; i++) {
		w->seed ^= w->seed << 13;
		w->seed ^= w->seed >> 17;
		w->seed ^= w->seed << 5;
		buf[i] = (uint8_t)w->seed;
	}
	return (int)len;
}

/* Whatever is there and however long it claims to be: a walk ends, and stays in the capability. */
static void test_random(void **state)
{
	struct watch w = { .seed = 0x1b13 };
	struct vfcap_regiter it;
	struct vfcap_regval val;
	struct sample s;
	unsigned int i, n, off, end;

	(void)state;
	for (i = 0; i < 30000; i++) {
		vfcap_image_init(&s.img, VFCAP_CFG_SIZE, fetch_random, &w);
		off = AT + 4 * (w.seed % VFCAP_EXT_DWORDS);
		memset(&s.cap, 0, sizeof(s.cap));
		s.cap.offset = (uint16_t)off;
		s.cap.id = (uint16_t)(i % (VFCAP_ID_MAX + 2));
		s.cap.length = (uint16_t)(4 + (w.seed >> 12) % (i & 64 ? 8192 : 128));
		end = off + s.cap.length < VFCAP_CFG_SIZE ? off + s.cap.length : VFCAP_CFG_SIZE;
		w.first = VFCAP_CFG_SIZE;
		w.last = 0;
		vfcap_regs(&it, &s.img, &s.cap);
		for (n = 0; vfcap_reg_next(&it, &val); n++) {
			assert_true(val.known);
			assert_true(val.offset >= off + 4 && val.offset + val.reg->size <= end);
		}
		assert_true(n <= VFCAP_CFG_SIZE);
		assert_false(vfcap_reg_next(&it, &val));
		assert_true(w.last <= ((end + 3) & ~3u) && (!w.last || w.first >= off));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_no_row_twice),
		cmocka_unit_test(test_decoded_ids),
		cmocka_unit_test(test_aer),
		cmocka_unit_test(test_ats),
		cmocka_unit_test(test_sriov),
		cmocka_unit_test(test_pasid_and_pri),
		cmocka_unit_test(test_vc),
		cmocka_unit_test(test_rebar),
		cmocka_unit_test(test_rebar_unknown_size),
		cmocka_unit_test(test_ide),
		cmocka_unit_test(test_ide_selective_only),
		cmocka_unit_test(test_doe),
		cmocka_unit_test(test_tph),
		cmocka_unit_test(test_acs),
		cmocka_unit_test(test_lanes),
		cmocka_unit_test(test_l1ss),
		cmocka_unit_test(test_dpc),
		cmocka_unit_test(test_dvsec),
		cmocka_unit_test(test_dvsec_cxl),
		cmocka_unit_test(test_small_ones),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
