/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "hostgen.h"

/* ----------------------------------------------------------- a slow model, one bit at a time -- */

/* What each bit of the two capabilities is, from the spec: byte, bit, kind. What is not here reads
 * what it read at first and ignores writes. */
enum kind { FIXED, RW, W1C, ENABLE, RESET, STOPPED };

static enum kind kind_of(enum vfcap_emul e, unsigned int byte, unsigned int bit)
{
	if (e == VFCAP_EMUL_PASID)
		return byte == 6 && bit < 3 ? RW : FIXED;
	if (byte >= 12)
		return RW;
	if (byte == 4)
		return bit == 0 ? ENABLE : bit == 1 ? RESET : FIXED;
	if (byte == 6)
		return bit < 2 ? W1C : FIXED;
	return byte == 7 && bit == 0 ? STOPPED : FIXED;
}

static void set_bit(uint8_t *bytes, unsigned int byte, unsigned int bit, bool val)
{
	bytes[byte] = (uint8_t)((bytes[byte] & ~(1u << bit)) | (unsigned int)val << bit);
}

/* One byte of a write. RESET is looked at when the whole write has gone in: ENABLE may be in it. */
static void model_byte(enum vfcap_emul e, uint8_t *bytes, unsigned int byte, uint8_t val,
		       bool *reset)
{
	unsigned int bit;

	for (bit = 0; bit < 8; bit++) {
		bool one = val >> bit & 1;

		switch (kind_of(e, byte, bit)) {
		case RW:
		case ENABLE:
			set_bit(bytes, byte, bit, one);
			break;
		case W1C:
			if (one)
				set_bit(bytes, byte, bit, false);
			break;
		case RESET:
			*reset = one;
			break;
		default:
			break;
		}
	}
}

static void model_write(enum vfcap_emul e, uint8_t *bytes, unsigned int at, unsigned int len,
			const uint8_t *val)
{
	bool reset = false;
	unsigned int i;

	for (i = 0; i < len; i++)
		model_byte(e, bytes, at + i, val[i], &reset);
	if (e == VFCAP_EMUL_PASID)
		return;
	set_bit(bytes, 7, 0, !(bytes[4] & 1));
	if (reset && !(bytes[4] & 1))
		bytes[6] &= 0xfc;
}

/* ------------------------------------------------------------------------------------ set-up -- */

#define PASID_AT 0x120
#define PRI_AT 0x128 /* right behind it */

/* A PF with everything switched on and every status bit set: none of that is the guest's. */
static void make_pf(uint8_t *pf)
{
	memset(pf, 0, VFCAP_CFG_SIZE);
	gen_cap(pf, 0x300, 0x1b, 1, 0x400);
	gen_put32(pf, 0x304, 0x000f141e);
	gen_cap(pf, 0x400, 0x13, 1, 0);
	gen_put32(pf, 0x404, 0x81030001);
	gen_put32(pf, 0x408, 0x00012345);
	gen_put32(pf, 0x40c, 0x00000777);
}

static void make_shadow(struct vfcap_shadow *sh)
{
	static struct vfcap_plan plan;
	static uint8_t pf[VFCAP_CFG_SIZE];
	struct vfcap_image img;
	unsigned int e;

	make_pf(pf);
	vfcap_image_from_bytes(&img, pf, sizeof(pf));
	plan.n_placements = 2;
	for (e = 0; e < VFCAP_EMULS; e++) {
		struct vfcap_placement *p = &plan.placement[e];

		p->emul = (enum vfcap_emul)e;
		p->offset = e == VFCAP_EMUL_PASID ? PASID_AT : PRI_AT;
		p->length = (uint16_t)vfcap_emul_len(p->emul);
		assert_true(vfcap_compose(p->bytes, p->emul, &img, e ? 0x400 : 0x300, 0,
					  e ? 0 : PRI_AT));
	}
	vfcap_shadow_init(sh, &plan, NULL);
}

/* ------------------------------------------------------------------------------------- tests -- */

static const uint8_t pasid_first[] = { 0x1b, 0, 0x81, 0x12, 0x06, 0x14, 0, 0 };
static const uint8_t pri_first[] = { 0x13, 0, 1, 0, 0, 0, 0, 0x81, 0x45, 0x23, 1, 0, 0, 0, 0, 0 };

static void test_compose(void **state)
{
	static uint8_t pf[VFCAP_CFG_SIZE];
	struct vfcap_shadow sh;
	struct vfcap_image img;
	uint8_t bytes[16];
	unsigned int width;

	(void)state;
	make_shadow(&sh);
	assert_int_equal(sh.offset[VFCAP_EMUL_PASID], PASID_AT);
	assert_memory_equal(sh.bytes[VFCAP_EMUL_PASID], pasid_first, 8);
	assert_memory_equal(sh.bytes[VFCAP_EMUL_PRI], pri_first, 16);

	make_pf(pf);
	vfcap_image_from_bytes(&img, pf, sizeof(pf));
	for (width = 1; width <= 20; width++) {
		assert_true(vfcap_compose(bytes, VFCAP_EMUL_PASID, &img, 0x300, width, 0));
		assert_int_equal(bytes[5], width);
		assert_int_equal(bytes[4], 0x06);
	}
	assert_true(vfcap_compose(bytes, VFCAP_EMUL_PRI, &img, 0x400, 16, 0));
	assert_memory_equal(bytes, pri_first, 16);
	assert_true(vfcap_pf_enabled(VFCAP_EMUL_PASID, &img, 0x300));
	assert_true(vfcap_pf_enabled(VFCAP_EMUL_PRI, &img, 0x400));
	pf[0x306] = 6;
	pf[0x404] = 2;
	vfcap_image_from_bytes(&img, pf, sizeof(pf));
	assert_false(vfcap_pf_enabled(VFCAP_EMUL_PASID, &img, 0x300));
	assert_false(vfcap_pf_enabled(VFCAP_EMUL_PRI, &img, 0x400));
	gen_hole(&img, 0x304, 4);
	gen_hole(&img, 0x40c, 4);
	assert_false(vfcap_compose(bytes, VFCAP_EMUL_PASID, &img, 0x300, 0, 0));
	assert_false(vfcap_compose(bytes, VFCAP_EMUL_PRI, &img, 0x400, 0, 0));
	assert_false(vfcap_pf_enabled(VFCAP_EMUL_PASID, &img, 0x300));
}

/* What a driver does to PRI, step by step. */
static void test_pri(void **state)
{
	static const uint8_t on = 1, off = 0, both = 3, clear = 2;
	static const uint8_t ones[4] = { 0xff, 0xff, 0xff, 0xff };
	struct vfcap_shadow sh;
	uint8_t *pri = sh.bytes[VFCAP_EMUL_PRI];

	(void)state;
	make_shadow(&sh);
	assert_int_equal(vfcap_le16(pri + 6), 0x8100); /* stopped, as pci_enable_pri() wants it */
	assert_true(vfcap_shadow_write(&sh, PRI_AT + 12, 4, ones));
	assert_int_equal(vfcap_le32(pri + 12), 0xffffffff);
	assert_true(vfcap_shadow_write(&sh, PRI_AT + 4, 1, &on));
	assert_int_equal(vfcap_le16(pri + 6), 0x8000);

	pri[6] = 3; /* as if a response had failed */
	assert_true(vfcap_shadow_write(&sh, PRI_AT + 4, 1, &both)); /* RESET while on: nothing */
	assert_int_equal(vfcap_le32(pri + 4), 0x80030001);
	assert_true(vfcap_shadow_write(&sh, PRI_AT + 6, 1, &clear));
	assert_int_equal(pri[6], 1);
	assert_true(vfcap_shadow_write(&sh, PRI_AT + 4, 1, &off));
	assert_int_equal(vfcap_le32(pri + 4), 0x81010000);
	assert_true(vfcap_shadow_write(&sh, PRI_AT + 4, 1, &clear)); /* RESET while off */
	assert_int_equal(vfcap_le32(pri + 4), 0x81000000);

	pri[6] = 3; /* RESET in the write that switches off */
	assert_true(vfcap_shadow_write(&sh, PRI_AT + 4, 1, &on));
	assert_true(vfcap_shadow_write(&sh, PRI_AT + 4, 1, &clear));
	assert_int_equal(vfcap_le32(pri + 4), 0x81000000);
}

static void test_reset(void **state)
{
	static const uint8_t ones[16] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
					  0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	struct vfcap_shadow sh, none = { .offset = { 0 } };

	(void)state;
	make_shadow(&sh);
	assert_true(vfcap_shadow_write(&sh, PASID_AT, 8, ones));
	assert_true(vfcap_shadow_write(&sh, PRI_AT, 16, ones));
	assert_int_equal(sh.bytes[VFCAP_EMUL_PASID][6], 7);
	assert_int_equal(sh.bytes[VFCAP_EMUL_PRI][4], 1);
	sh.bytes[VFCAP_EMUL_PRI][6] = 3;
	vfcap_shadow_reset(&sh);
	assert_memory_equal(sh.bytes[VFCAP_EMUL_PASID], pasid_first, 8);
	assert_memory_equal(sh.bytes[VFCAP_EMUL_PRI], pri_first, 16);
	vfcap_shadow_reset(&none); /* nothing emulated: nothing appears */
	assert_int_equal(none.bytes[VFCAP_EMUL_PRI][7], 0);
}

/* Every access of every length at every offset around the ranges is split right. */
static void test_span(void **state)
{
	struct vfcap_shadow sh;
	unsigned int off, len, n, i, gap;
	uint8_t buf[64];
	bool inside;

	(void)state;
	for (gap = 0; gap < 12; gap += 4) {
		make_shadow(&sh);
		sh.offset[VFCAP_EMUL_PRI] = (uint16_t)(PRI_AT + gap);
		for (off = PASID_AT - 12; off < PRI_AT + 32; off++) {
			for (len = 1; len <= 40; len++) {
				n = vfcap_shadow_span(&sh, off, len, &inside);
				assert_true(n >= 1 && n <= len);
				for (i = off; i < off + n; i++) {
					bool in = (i >= PASID_AT && i < PASID_AT + 8) ||
						  (i >= PRI_AT + gap && i < PRI_AT + gap + 16);

					assert_int_equal(in, inside);
				}
				assert_int_equal(vfcap_shadow_read(&sh, off, n, buf), inside);
				/* never less than could be: what follows is another range */
				if (n < len && !inside)
					assert_true(off + n == PASID_AT || off + n == PRI_AT + gap);
				if (n < len && inside)
					assert_true(off + n == PASID_AT + 8 ||
						    off + n == PRI_AT + gap + 16);
			}
		}
	}
	memset(&sh, 0, sizeof(sh));
	assert_int_equal(vfcap_shadow_span(&sh, 0, 4096, &inside), 4096);
	assert_false(inside);
	make_shadow(&sh);
	assert_false(vfcap_shadow_read(&sh, PASID_AT, 0, buf));
	assert_false(vfcap_shadow_read(&sh, PASID_AT, 9, buf));
	assert_false(vfcap_shadow_read(&sh, PASID_AT - 1, 2, buf));
	assert_false(vfcap_shadow_write(&sh, PASID_AT, 9, buf));
	assert_false(vfcap_shadow_write(&sh, 0xffffffff, 4, buf));
	assert_false(vfcap_shadow_write(&sh, PASID_AT, 0xffffffff, buf));
}

/* Every offset and length within a capability, from many states, with many values. */
static void test_every_access(void **state)
{
	static const uint8_t vals[] = { 0x00, 0xff, 0x01, 0x02, 0x03, 0x04, 0xaa, 0x55 };
	unsigned int e, at, off, len, v, s, size;
	struct vfcap_shadow sh, before;
	uint8_t model[16], buf[16];

	(void)state;
	for (e = 0; e < VFCAP_EMULS; e++) {
		size = vfcap_emul_len((enum vfcap_emul)e);
		for (at = 0; at < size; at++) {
			for (len = 1; len <= size - at; len++) {
				for (v = 0; v < sizeof(vals) * 8; v++) {
					make_shadow(&sh);
					s = v / 8; /* a state to begin with */
					memset(buf, vals[s], sizeof(buf));
					vfcap_shadow_write(&sh, sh.offset[e], size, buf);
					if (e == VFCAP_EMUL_PRI)
						sh.bytes[e][6] |= s & 3;
					before = sh;
					memcpy(model, sh.bytes[e], 16);
					memset(buf, vals[v % 8], sizeof(buf));
					off = sh.offset[e] + at;
					assert_true(vfcap_shadow_write(&sh, off, len, buf));
					model_write((enum vfcap_emul)e, model, at, len, buf);
					assert_memory_equal(model, sh.bytes[e], size);
					assert_memory_equal(before.bytes[!e], sh.bytes[!e], 16);
					assert_memory_equal(before.offset, sh.offset,
							    sizeof(sh.offset));
				}
			}
		}
	}
}

/* Accesses at random, across both ranges and their edges, split as the module splits them. */
static void test_random(void **state)
{
	uint64_t seed = 20200321;
	struct vfcap_shadow sh;
	uint8_t model[VFCAP_EMULS][16], buf[32], got[32];
	unsigned int round, off, len, n, done, e, i;
	bool inside;

	(void)state;
	make_shadow(&sh);
	memcpy(model, sh.bytes, sizeof(model));
	for (round = 0; round < 200000; round++) {
		off = PASID_AT - 8 + gen_rand(&seed, 40);
		len = 1 + gen_rand(&seed, gen_rand(&seed, 2) ? 4 : 24);
		for (i = 0; i < len; i++)
			buf[i] = (uint8_t)gen_rand(&seed, 0);
		for (done = 0; done < len; done += n) {
			n = vfcap_shadow_span(&sh, off + done, len - done, &inside);
			assert_int_equal(vfcap_shadow_write(&sh, off + done, n, buf + done),
					 inside);
			if (!inside)
				continue;
			e = off + done >= PRI_AT;
			model_write((enum vfcap_emul)e, model[e], off + done - sh.offset[e], n,
				    buf + done);
			assert_true(vfcap_shadow_read(&sh, off + done, n, got));
			assert_memory_equal(got, model[e] + (off + done - sh.offset[e]), n);
		}
		if (memcmp(model, sh.bytes, sizeof(model)))
			fail_msg("round %u: [%#x, +%u)", round, off, len);
		if (gen_rand(&seed, 50) == 0) /* a failed response, as hardware would tell it */
			sh.bytes[VFCAP_EMUL_PRI][6] = model[VFCAP_EMUL_PRI][6] = 3;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_compose), cmocka_unit_test(test_pri),
		cmocka_unit_test(test_reset),	cmocka_unit_test(test_span),
		cmocka_unit_test(test_every_access), cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
