/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "core/internal.h"
#include "hostgen.h"

static uint8_t cfg[VFCAP_CFG_SIZE];
static struct vfcap_chain chain;
static struct vfcap_image image;

static void begin(void)
{
	memset(cfg, 0, sizeof(cfg));
	/* What a walk leaves unwritten must not matter. */
	memset(&chain, 0xa5, sizeof(chain));
}

static void walk(void)
{
	vfcap_image_from_bytes(&image, cfg, sizeof(cfg));
	vfcap_chain_walk(&chain, &image);
}

static void expect_cap(unsigned int i, unsigned int off, unsigned int id, unsigned int length,
		       unsigned int reserved, unsigned int anomalies)
{
	assert_true(i < chain.n);
	assert_int_equal(chain.cap[i].offset, off);
	assert_int_equal(chain.cap[i].id, id);
	assert_int_equal(chain.cap[i].length, length);
	assert_int_equal(chain.cap[i].reserved, reserved);
	assert_int_equal(chain.cap[i].anomalies, anomalies);
}

/* The one finding of the chain, or the last one of several. */
static void expect_finding(unsigned int *pos, enum vfcap_anomaly code, unsigned int off,
			   unsigned int other)
{
	struct vfcap_finding f;

	assert_true(vfcap_anomaly_next(&chain, pos, &f));
	assert_int_equal(f.code, code);
	assert_int_equal(f.offset, off);
	assert_int_equal(f.other, other);
}

static void expect_no_more(unsigned int *pos)
{
	struct vfcap_finding f;

	assert_false(vfcap_anomaly_next(&chain, pos, &f));
	assert_false(vfcap_anomaly_next(&chain, pos, &f));
}

static void test_plain(void **state)
{
	unsigned int pos = 0;

	(void)state;
	begin();
	gen_cap(cfg, 0x100, 0x01, 2, 0x150);
	gen_cap(cfg, 0x150, 0x0e, 1, 0x160);
	gen_cap(cfg, 0x160, 0x10, 1, 0);
	walk();
	assert_int_equal(chain.n, 3);
	assert_false(chain.empty || chain.broken);
	assert_int_equal(chain.end, 0);
	expect_cap(0, 0x100, 0x01, 0x2c, 0x50, 0); /* of 0x58, cut at the next header */
	expect_cap(1, 0x150, 0x0e, 8, 8, 0);
	expect_cap(2, 0x160, 0x10, 0x40, 0x40, 0);
	assert_int_equal(chain.cap[0].version, 2);
	assert_int_equal(chain.cap[0].next, 0x150);
	assert_int_equal(vfcap_chain_last_end(&chain), 0x1a0);
	assert_int_equal(vfcap_chain_find(&chain, 0x0e)->offset, 0x150);
	assert_null(vfcap_chain_find(&chain, 0x1b));
	expect_no_more(&pos);
}

static void test_empty(void **state)
{
	static const size_t small[] = { 0, 64, 256 };
	unsigned int i, pos = 0;

	(void)state;
	begin();
	walk();
	assert_true(chain.empty && !chain.broken && chain.n == 0 && chain.end == 0);
	assert_int_equal(vfcap_chain_last_end(&chain), 0x100);
	expect_no_more(&pos);

	gen_put32(cfg, 0x100, 0xffffffff);
	walk();
	assert_true(chain.empty && !chain.broken && chain.n == 0);

	gen_cap(cfg, 0x100, 0x01, 2, 0);
	for (i = 0; i < 3; i++) {
		vfcap_image_from_bytes(&image, cfg, small[i]);
		vfcap_chain_walk(&chain, &image);
		assert_true(chain.empty && chain.n == 0 && !chain.end_anomaly);
	}
}

static void test_loop(void **state)
{
	unsigned int pos = 0;

	(void)state;
	begin();
	gen_cap(cfg, 0x100, 0x0e, 1, 0x108);
	gen_cap(cfg, 0x108, 0x0f, 1, 0x120);
	gen_cap(cfg, 0x120, 0x03, 1, 0x108);
	walk();
	assert_int_equal(chain.n, 3);
	assert_true(chain.broken);
	expect_finding(&pos, VFCAP_LOOP, 0x120, 0x108);
	expect_no_more(&pos);

	gen_cap(cfg, 0x100, 0x0e, 1, 0x100);
	pos = 0;
	walk();
	assert_int_equal(chain.n, 1);
	expect_finding(&pos, VFCAP_LOOP, 0x100, 0x100);
	expect_no_more(&pos);
}

static void test_next(void **state)
{
	unsigned int pos = 0;

	(void)state;
	begin();
	gen_cap(cfg, 0x100, 0x0e, 1, 0x143);
	gen_cap(cfg, 0x140, 0x0f, 1, 0x041);
	walk();
	assert_int_equal(chain.n, 2);
	assert_true(chain.broken);
	assert_int_equal(chain.cap[0].next, 0x140);
	expect_finding(&pos, VFCAP_MISALIGNED_NEXT, 0x100, 0x140);
	expect_finding(&pos, VFCAP_MISALIGNED_NEXT, 0x140, 0x040);
	expect_finding(&pos, VFCAP_NEXT_BELOW, 0x140, 0x040);
	expect_no_more(&pos);

	begin();
	gen_cap(cfg, 0x100, 0x0e, 1, 0x200);
	gen_cap(cfg, 0x200, 0x0f, 1, 0x180);
	gen_cap(cfg, 0x180, 0x03, 1, 0);
	pos = 0;
	walk();
	assert_int_equal(chain.n, 3);
	assert_false(chain.broken);
	expect_finding(&pos, VFCAP_BACKWARD, 0x200, 0x180);
	expect_no_more(&pos);
}

static void test_past_end(void **state)
{
	unsigned int pos = 0;

	(void)state;
	begin();
	gen_cap(cfg, 0x100, 0x0e, 1, 0xfd0);
	gen_cap(cfg, 0xfd0, 0x10, 1, 0);
	walk();
	assert_true(chain.broken);
	expect_cap(1, 0xfd0, 0x10, 0x40, 0x30, 1 << VFCAP_PAST_END);
	expect_finding(&pos, VFCAP_PAST_END, 0xfd0, 0);
	expect_no_more(&pos);
	assert_int_equal(vfcap_chain_last_end(&chain), 0x1000);

	/* The most that the spec allows may leave, what is proven not: AER in 0x4c bytes. */
	begin();
	gen_cap(cfg, 0x100, 0x0e, 1, 0xfb4);
	gen_cap(cfg, 0xfb4, 0x01, 2, 0);
	walk();
	assert_false(chain.broken);
	expect_cap(1, 0xfb4, 0x01, 0x2c, 0x4c, 0);
}

static void test_overlap(void **state)
{
	unsigned int pos = 0;

	(void)state;
	begin();
	gen_cap(cfg, 0x100, 0x10, 1, 0x120); /* 0x40 long */
	gen_cap(cfg, 0x120, 0x0e, 1, 0x138);
	gen_cap(cfg, 0x138, 0x03, 1, 0); /* 12 long, behind it by one dword */
	walk();
	assert_true(chain.broken);
	expect_cap(0, 0x100, 0x10, 0x40, 0x40, 0); /* proven: not cut */
	expect_cap(1, 0x120, 0x0e, 8, 8, 1 << VFCAP_OVERLAP);
	expect_cap(2, 0x138, 0x03, 12, 12, 1 << VFCAP_OVERLAP);
	expect_finding(&pos, VFCAP_OVERLAP, 0x120, 0x100);
	expect_finding(&pos, VFCAP_OVERLAP, 0x138, 0x100);
	expect_no_more(&pos);

	/* A later one that runs into an earlier one, from below. */
	begin();
	gen_cap(cfg, 0x100, 0x0e, 1, 0x140);
	gen_cap(cfg, 0x140, 0x0f, 1, 0x110);
	gen_cap(cfg, 0x110, 0x10, 1, 0);
	pos = 0;
	walk();
	expect_finding(&pos, VFCAP_BACKWARD, 0x140, 0x110);
	expect_finding(&pos, VFCAP_OVERLAP, 0x110, 0x140);
	expect_no_more(&pos);
}

/* A source that ends at 0x110 and says what it was asked for. */
struct short_source {
	unsigned int asked; /* the end of the highest byte */
};

static int short_fetch(void *ctx, unsigned int off, unsigned int len, uint8_t *buf)
{
	struct short_source *src = ctx;

	if (off + len > src->asked)
		src->asked = off + len;
	if (off >= 0x110)
		return 0;
	if (len > 0x110 - off)
		len = 0x110 - off;
	memcpy(buf, cfg + off, len);
	return (int)len;
}

/* What a file lacks of a body is told; a device is not read for it. */
static void test_at_hand(void **state)
{
	struct short_source src = { 0 };
	unsigned int pos = 0;

	(void)state;
	begin();
	gen_cap(cfg, 0x100, 0x03, 1, 0x10c);
	gen_cap(cfg, 0x10c, 0x0e, 1, 0);
	vfcap_image_init(&image, sizeof(cfg), short_fetch, &src);
	vfcap_chain_walk(&chain, &image);
	expect_no_more(&pos);
	assert_int_equal(src.asked, 0x110);

	vfcap_image_init(&image, sizeof(cfg), short_fetch, &src);
	image.at_hand = true;
	vfcap_chain_walk(&chain, &image);
	pos = 0;
	expect_finding(&pos, VFCAP_TRUNCATED, 0x10c, 0);
	expect_no_more(&pos);
}

static void test_truncated(void **state)
{
	unsigned int pos = 0;

	(void)state;
	begin();
	gen_cap(cfg, 0x100, 0x0e, 1, 0x200);
	gen_cap(cfg, 0x200, 0x10, 1, 0x300);
	vfcap_image_from_bytes(&image, cfg, 0x220);
	vfcap_chain_walk(&chain, &image);
	assert_int_equal(chain.n, 2);
	assert_false(chain.broken);
	assert_int_equal(chain.end, 0x300);
	expect_finding(&pos, VFCAP_TRUNCATED, 0x200, 0); /* inside of its body */
	expect_finding(&pos, VFCAP_TRUNCATED, 0x300, 0); /* before its header */
	expect_no_more(&pos);

	/* A hole in a dump right at the beginning is no empty chain. */
	vfcap_image_from_bytes(&image, cfg, sizeof(cfg));
	gen_hole(&image, 0x100, 4);
	vfcap_chain_walk(&chain, &image);
	pos = 0;
	assert_true(!chain.empty && chain.n == 0);
	expect_finding(&pos, VFCAP_TRUNCATED, 0x100, 0);
	expect_no_more(&pos);

	/* The register that tells the length is missing. */
	begin();
	gen_cap(cfg, 0x100, 0x0b, 1, 0);
	vfcap_image_from_bytes(&image, cfg, 0x104);
	vfcap_chain_walk(&chain, &image);
	expect_cap(0, 0x100, 0x0b, 4, 0xf00, 1 << VFCAP_TRUNCATED | 1 << VFCAP_UNKNOWN_LENGTH);
	assert_false(chain.cap[0].length0);
}

static void test_ends(void **state)
{
	unsigned int pos = 0;

	(void)state;
	begin();
	gen_cap(cfg, 0x100, 0x0e, 1, 0xe00);
	walk();
	assert_int_equal(chain.n, 1);
	assert_false(chain.broken || chain.empty);
	expect_finding(&pos, VFCAP_ZERO_HEADER, 0xe00, 0);
	expect_no_more(&pos);

	gen_put32(cfg, 0xe00, 0xffffffff);
	pos = 0;
	walk();
	assert_int_equal(chain.n, 1);
	assert_false(chain.broken || chain.empty);
	expect_finding(&pos, VFCAP_UNREADABLE, 0xe00, 0);
	expect_no_more(&pos);
}

static void test_null(void **state)
{
	unsigned int pos = 0;

	(void)state;
	begin();
	gen_cap(cfg, 0x100, 0x00, 0, 0x104);
	gen_cap(cfg, 0x104, 0x00, 0, 0x108);
	gen_cap(cfg, 0x108, 0x0e, 1, 0x200);
	gen_cap(cfg, 0x200, 0x00, 2, 0); /* not zero, so it is a header */
	walk();
	assert_int_equal(chain.n, 4);
	assert_false(chain.broken);
	expect_cap(0, 0x100, 0, 4, 4, 1 << VFCAP_NULL_CAP);
	expect_cap(3, 0x200, 0, 4, 4, 0);
	expect_finding(&pos, VFCAP_NULL_CAP, 0x100, 0);
	expect_finding(&pos, VFCAP_NULL_CAP, 0x104, 0);
	expect_no_more(&pos);
}

static void test_unknown_length(void **state)
{
	unsigned int pos = 0;

	(void)state;
	begin();
	gen_cap(cfg, 0x100, 0xabc, 1, 0x300);
	gen_cap(cfg, 0x300, 0x0b, 1, 0x200); /* declares 4 bytes */
	gen_put32(cfg, 0x304, 0x00418086);
	gen_cap(cfg, 0x200, 0x0e, 1, 0);
	walk();
	assert_false(chain.broken);
	expect_cap(0, 0x100, 0xabc, 4, 0x100, 1 << VFCAP_UNKNOWN_LENGTH);
	expect_cap(1, 0x300, 0x0b, 4, 0xd00, 1 << VFCAP_UNKNOWN_LENGTH | 1 << VFCAP_BACKWARD);
	expect_finding(&pos, VFCAP_UNKNOWN_LENGTH, 0x100, 0);
	expect_finding(&pos, VFCAP_BACKWARD, 0x300, 0x200);
	expect_finding(&pos, VFCAP_UNKNOWN_LENGTH, 0x300, 0);
	expect_no_more(&pos);
}

static void test_names(void **state)
{
	static const char *const names[VFCAP_ANOMALIES] = {
		"loop",	       "misaligned-next", "next-below-0x100",
		"past-end",    "overlap",	  "truncated",
		"zero-header", "unreadable",	  "null-capability",
		"backward",    "unknown-length",
	};
	static const bool breaks[VFCAP_ANOMALIES] = { true, false, true, true, true };
	int i;

	(void)state;
	for (i = 0; i < VFCAP_ANOMALIES; i++) {
		assert_string_equal(vfcap_anomaly_name((enum vfcap_anomaly)i), names[i]);
		assert_true(strlen(vfcap_anomaly_text((enum vfcap_anomaly)i)) > 10);
		assert_int_equal(vfcap_anomaly_breaks((enum vfcap_anomaly)i), breaks[i]);
	}
	assert_null(vfcap_anomaly_name(VFCAP_ANOMALIES));
	assert_null(vfcap_anomaly_text(VFCAP_ANOMALIES));
	assert_false(vfcap_anomaly_breaks(VFCAP_ANOMALIES));
}

static void expect_visible(uint32_t release, unsigned int n, const struct vfcap_link *want)
{
	struct vfcap_link links[VFCAP_CHAIN_MAX];
	unsigned int i;

	assert_int_equal(vfcap_chain_visible(&chain, release, links), n);
	for (i = 0; i < n; i++) {
		assert_int_equal(links[i].offset, want[i].offset);
		assert_int_equal(links[i].id, want[i].id);
	}
}

static void test_visible(void **state)
{
	static const struct vfcap_link with_dvsec[] = { { 0x100, 0 },
							{ 0x120, 0x0e },
							{ 0x140, 0x23 } };
	static const struct vfcap_link head[] = { { 0x100, 0x0e } };

	(void)state;
	begin();
	gen_cap(cfg, 0x100, 0x1e, 1, 0x120); /* hidden head */
	gen_cap(cfg, 0x120, 0x0e, 1, 0x130);
	gen_cap(cfg, 0x130, 0x00, 1, 0x140); /* a Null in the middle is unlinked */
	gen_cap(cfg, 0x140, 0x23, 1, 0x160);
	gen_put32(cfg, 0x144, 0x01018086);
	gen_cap(cfg, 0x160, 0x2e, 1, 0x180);
	gen_cap(cfg, 0x180, 0x0b, 1, 0); /* declares no bytes at all */
	walk();
	assert_int_equal(chain.n, 6);
	assert_true(chain.cap[5].length0);
	expect_visible(VFCAP_RELEASE_NEWEST, 3, with_dvsec);
	expect_visible(VFCAP_RELEASE(6, 1), 2, with_dvsec);

	gen_cap(cfg, 0x100, 0x0e, 1, 0);
	walk();
	expect_visible(VFCAP_RELEASE_NEWEST, 1, head);
	gen_cap(cfg, 0x100, 0x1b, 1, 0x160); /* everything is hidden: the anchor stays */
	gen_cap(cfg, 0x160, 0x2e, 1, 0);
	walk();
	expect_visible(VFCAP_RELEASE_NEWEST, 1, with_dvsec);
	gen_put32(cfg, 0x100, 0);
	walk();
	expect_visible(VFCAP_RELEASE_NEWEST, 0, NULL);
}

/* vfio-pci takes a run of one ID for one capability, and serves the headers inside of it raw:
 * with links that lead to what it hides. */
static void test_visible_runs(void **state)
{
	static const struct vfcap_link pair[] = {
		{ 0x100, 1 }, { 0x150, 0x0b }, { 0x160, 0x0b }, { 0x180, 0x1f }, { 0x1a0, 0x0e }
	};
	static const struct vfcap_link apart[] = {
		{ 0x100, 1 }, { 0x150, 0x0b }, { 0x160, 0x0b }, { 0x1a0, 0x0e }
	};
	static const struct vfcap_link hidden[] = { { 0x100, 1 }, { 0x1a0, 0x0e } };
	static const struct vfcap_link null[] = {
		{ 0x100, 0 }, { 0x110, 0x1f }, { 0x120, 0x0e }, { 0x130, 0x0f }
	};
	static const struct vfcap_link odd[] = { { 0x100, 0x43ff },
						 { 0x110, 0x1f },
						 { 0x120, 0x0e } };

	(void)state;
	begin();
	gen_cap(cfg, 0x100, 0x01, 1, 0x150);
	gen_cap(cfg, 0x150, 0x0b, 1, 0x160);
	gen_put32(cfg, 0x154, 16u << 20 | 1);
	gen_cap(cfg, 0x160, 0x0b, 1, 0x180);
	gen_put32(cfg, 0x164, 16u << 20 | 1);
	gen_cap(cfg, 0x180, 0x1f, 1, 0x1a0);
	gen_cap(cfg, 0x1a0, 0x0e, 1, 0);
	walk();
	expect_visible(VFCAP_RELEASE_NEWEST, 5, pair);
	expect_visible(VFCAP_RELEASE(6, 1), 5, pair);
	gen_put32(cfg, 0x154, 14u << 20 | 1); /* by bytes, not by dwords */
	walk();
	expect_visible(VFCAP_RELEASE_NEWEST, 4, apart);

	gen_put32(cfg, 0x154, 16u << 20 | 1);
	gen_cap(cfg, 0x150, 0x23, 1, 0x160);
	gen_cap(cfg, 0x160, 0x23, 1, 0x180);
	walk();
	expect_visible(VFCAP_RELEASE(6, 1), 2, hidden);

	begin();
	gen_cap(cfg, 0x100, 0x00, 1, 0x110); /* a Null head is served raw */
	gen_cap(cfg, 0x110, 0x1f, 1, 0x120);
	gen_cap(cfg, 0x120, 0x0e, 1, 0x128);
	gen_cap(cfg, 0x128, 0x1f, 1, 0x130);
	gen_cap(cfg, 0x130, 0x0f, 1, 0);
	walk();
	expect_visible(VFCAP_RELEASE_NEWEST, 4, null);
	gen_cap(cfg, 0x100, 0x43ff, 1, 0x110); /* and so is one whose mark means "no capability" */
	gen_cap(cfg, 0x120, 0x0e, 1, 0);
	walk();
	expect_visible(VFCAP_RELEASE_NEWEST, 3, odd);
}

/* vfio-pci takes a VSEC's word for its length: where that ends inside of the header, its link is served raw. */
static void test_visible_short(void **state)
{
	static const struct vfcap_link raw[] = {
		{ 0x100, 0x0e }, { 0x110, 0x0b }, { 0x120, 0x1f }, { 0x140, 0x0f }
	};
	static const struct vfcap_link whole[] = { { 0x100, 0x0e },
						   { 0x110, 0x0b },
						   { 0x140, 0x0f } };
	unsigned int len;

	(void)state;
	begin();
	gen_cap(cfg, 0x100, 0x0e, 1, 0x110);
	gen_cap(cfg, 0x110, 0x0b, 1, 0x120);
	gen_cap(cfg, 0x120, 0x1f, 1, 0x140);
	gen_cap(cfg, 0x140, 0x0f, 1, 0);
	for (len = 1; len <= 5; len++) {
		gen_put32(cfg, 0x114, len << 20 | 1);
		walk();
		if (len < 4)
			expect_visible(VFCAP_RELEASE_NEWEST, 4, raw);
		else
			expect_visible(VFCAP_RELEASE_NEWEST, 3, whole);
	}
}

/* vfio-pci takes some for longer than their registers prove: one that leaves config space by its count only must
 * not be opened either, and so nothing is promised of that chain. */
static void test_past_end_by_vfio(void **state)
{
	(void)state;
	begin();
	gen_cap(cfg, 0x100, 0x0e, 1, 0xf80);
	gen_cap(cfg, 0xf80, 0x09, 1, 0);
	gen_put32(cfg, 0xf84, 4);
	gen_put32(cfg, 0xf88, 8);
	walk();
	assert_int_equal(chain.cap[1].vfio_length, 0x80);
	assert_false(chain.broken);
	assert_false(vfcap_chain_overruns(&chain, VFCAP_RELEASE_NEWEST));

	begin();
	gen_cap(cfg, 0x100, 0x0e, 1, 0xf84);
	gen_cap(cfg, 0xf84, 0x09, 1, 0);
	gen_put32(cfg, 0xf88, 4);
	gen_put32(cfg, 0xf8c, 8);
	walk();
	assert_true(chain.cap[1].offset + chain.cap[1].length < VFCAP_CFG_SIZE);
	assert_true(chain.cap[1].anomalies & 1 << VFCAP_PAST_END);
	assert_true(chain.broken);
	assert_true(vfcap_chain_overruns(&chain, VFCAP_RELEASE_NEWEST));
}

/* Whatever vfio-pci shows and what leaves config space: its copy has no room for it. */
static void test_overruns(void **state)
{
	static const struct {
		unsigned int off, id;
		uint32_t reg4;
		bool old, newest;
	} caps[] = {
		{ 0xfd4, 0x01, 0, false, false },	  { 0xfd8, 0x01, 0, true, true },
		{ 0xff8, 0x0e, 0, false, false },	  { 0xffc, 0x0e, 0, true, true },
		{ 0xff0, 0x0b, 16u << 20, false, false }, { 0xff0, 0x0b, 17u << 20, true, true },
		{ 0xffc, 0x0b, 0, true, true }, /* its length is outside */
		{ 0xff0, 0x23, 16u << 20, false, false }, { 0xffc, 0x23, 0, false, true },
		{ 0xff8, 0x1f, 0, true, true }, /* hidden, and yet broken */
		{ 0xffc, 0x2e4f, 0, false, false },
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(caps) / sizeof(caps[0]); i++) {
		begin();
		gen_cap(cfg, 0x100, 0x0e, 1, caps[i].off);
		gen_cap(cfg, caps[i].off, caps[i].id, 1, 0);
		if (caps[i].off + 8 <= sizeof(cfg))
			gen_put32(cfg, caps[i].off + 4, caps[i].reg4);
		walk();
		assert_int_equal(vfcap_chain_overruns(&chain, VFCAP_RELEASE(6, 1)), caps[i].old);
		assert_int_equal(vfcap_chain_overruns(&chain, VFCAP_RELEASE_NEWEST),
				 caps[i].newest);
	}
}

/* Ten lines that know nothing of ours: offsets in the order in which they are reached. */
static unsigned int slow_walk(const uint8_t *c, uint16_t *offs)
{
	unsigned int n = 0, off = 0x100, i;

	while (off >= 0x100) {
		uint32_t h = c[off] | c[off + 1] << 8 | (uint32_t)c[off + 2] << 16 |
			     (uint32_t)c[off + 3] << 24;

		for (i = 0; i < n && offs[i] != off; i++)
			;
		if (i < n || h == 0 || h == 0xffffffff)
			break;
		offs[n++] = (uint16_t)off;
		off = h >> 20 & 0xffc;
	}
	return n;
}

/* What is true of every chain, however damaged. */
static void check_invariants(uint64_t seed)
{
	unsigned int i, j;
	bool broken = false;

	for (i = 0; i < chain.n; i++) {
		const struct vfcap_cap *cap = &chain.cap[i];
		unsigned int most = VFCAP_CFG_SIZE - cap->offset;

		broken = broken || (cap->anomalies & (1 << VFCAP_LOOP | 1 << VFCAP_NEXT_BELOW |
						      1 << VFCAP_PAST_END | 1 << VFCAP_OVERLAP));
		if (cap->length < 4 || cap->length % 4 || cap->reserved < 4 || cap->reserved % 4 ||
		    cap->reserved > most ||
		    (cap->reserved < cap->length && cap->reserved != most) ||
		    (cap->length > most || cap->vfio_length > most) !=
			    !!(cap->anomalies & 1 << VFCAP_PAST_END))
			fail_msg("seed %llu: length of %#x", (unsigned long long)seed, cap->offset);
		for (j = 0; j < chain.n; j++) {
			unsigned int other = chain.cap[j].offset;

			if (other > cap->offset &&
			    other < cap->offset + (unsigned int)cap->reserved &&
			    cap->reserved > cap->length)
				fail_msg("seed %llu: %#x reserves the header at %#x",
					 (unsigned long long)seed, cap->offset, other);
		}
	}
	if (broken != chain.broken)
		fail_msg("seed %llu: broken is %d", (unsigned long long)seed, chain.broken);
}

/* Overlaps against a map of bytes. */
static void check_overlaps(uint64_t seed)
{
	static uint16_t owner[VFCAP_CFG_SIZE + 0x10000];
	unsigned int i, b;

	memset(owner, 0, sizeof(owner));
	for (i = 0; i < chain.n; i++) {
		const struct vfcap_cap *cap = &chain.cap[i];
		unsigned int first = 0;

		for (b = cap->offset;
		     b < VFCAP_CFG_SIZE && b < cap->offset + (unsigned int)cap->length; b++) {
			if (owner[b] && !first)
				first = owner[b];
			else if (!owner[b])
				owner[b] = cap->offset;
		}
		if (!!first != !!(cap->anomalies & 1 << VFCAP_OVERLAP) || first != cap->other)
			fail_msg("seed %llu: overlap of %#x with %#x", (unsigned long long)seed,
				 cap->offset, first);
	}
}

static void test_random(void **state)
{
	uint16_t offs[VFCAP_CHAIN_MAX];
	struct vfcap_finding f;
	unsigned int n, i, pos, bits, found;
	uint64_t seed;

	(void)state;
	for (seed = 1; seed <= 20000; seed++) {
		gen_damaged(cfg, seed);
		memset(&chain, (int)seed, sizeof(chain));
		walk();
		n = slow_walk(cfg, offs);
		if (n != chain.n)
			fail_msg("seed %llu: %u, not %u", (unsigned long long)seed, chain.n, n);
		for (i = 0; i < n; i++)
			assert_int_equal(chain.cap[i].offset, offs[i]);
		check_invariants(seed);
		check_overlaps(seed);

		for (i = bits = 0; i < chain.n; i++)
			bits += (unsigned int)__builtin_popcount(chain.cap[i].anomalies);
		bits += chain.end_anomaly != 0;
		for (pos = found = 0; vfcap_anomaly_next(&chain, &pos, &f); found++)
			assert_non_null(vfcap_anomaly_name(f.code));
		assert_int_equal(found, bits);
	}
}

/* The longest chain there is: a Null in every dword. */
static void test_longest(void **state)
{
	struct vfcap_link links[VFCAP_CHAIN_MAX];
	unsigned int off;

	(void)state;
	begin();
	for (off = 0x100; off < 0x1000; off += 4)
		gen_cap(cfg, off, 0, 1, off + 4);
	walk();
	assert_int_equal(chain.n, VFCAP_CHAIN_MAX);
	assert_false(chain.broken);
	/* vfio-pci hides a Null, but serves the header of one at 0x100 as it is, and so all that
	 * follow. */
	assert_int_equal(vfcap_chain_visible(&chain, VFCAP_RELEASE_NEWEST, links), VFCAP_CHAIN_MAX);
	assert_int_equal(vfcap_chain_last_end(&chain), 0x1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_loop),
		cmocka_unit_test(test_next),
		cmocka_unit_test(test_past_end),
		cmocka_unit_test(test_overlap),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_at_hand),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_null),
		cmocka_unit_test(test_unknown_length),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_visible),
		cmocka_unit_test(test_visible_runs),
		cmocka_unit_test(test_past_end_by_vfio),
		cmocka_unit_test(test_visible_short),
		cmocka_unit_test(test_overruns),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_longest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
