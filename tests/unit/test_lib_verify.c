// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Verifying a VF whose driver is in this file: right, and wrong in every way that counts. What a guest
 * is to see is written down by hand, not composed by what is tested.
 */
#include "tree.h"

#include <linux/vfio.h>

#include "../../src/host/vfio.h"
#include "../../src/lib/lib.h"
#include "../../src/uapi/vfcap-vfio.h"

#define VF "0000:01:00.1"
#define SYS "sys/bus/pci/devices/" VF
#define DEVICE 9

#define PASID 0x200
#define PRI 0x210

/* Dwords of config space, ended by offset 0. */
struct dword {
	unsigned int off;
	uint32_t value;
};

/* AER, ARI, one that vfio-pci hides, ATS. */
static const struct dword vf_hardware[] = {
	{ 0x08, 0x02000000 },  { 0x100, 0x15020001 }, { 0x150, 0x1600000e },
	{ 0x160, 0x1a010019 }, { 0x1a0, 0x0001000f }, { 0, 0 },
};

/* PASID of 20 bits with both permissions and switched on; PRI live, not stopped, 32 requests. */
static const struct dword pf_hardware[] = {
	{ 0x08, 0x02000000 },  { 0x100, 0x20020001 }, { 0x200, 0x2101001b },
	{ 0x204, 0x00071406 }, { 0x210, 0x00010013 }, { 0x214, 0x80000001 },
	{ 0x218, 0x00000020 }, { 0x21c, 0x00000010 }, { 0, 0 },
};

/* What a guest is to see with both of them: ARI leads past the hidden one, ATS to PASID, that to PRI. */
static const struct dword guest_both[] = {
	{ 0x100, 0x15020001 }, { 0x150, 0x1a00000e },
	{ 0x1a0, 0x2001000f }, { 0x200, 0x2101001b },
	{ 0x204, 0x00001406 }, { 0x210, 0x00010013 },
	{ 0x214, 0x81000000 }, { 0x218, 0x00000020 },
	{ 0x21c, 0x00000000 }, { 0, 0 },
};

static const struct dword guest_pasid[] = {
	{ 0x100, 0x15020001 }, { 0x150, 0x1a00000e }, { 0x1a0, 0x2001000f },
	{ 0x200, 0x0001001b }, { 0x204, 0x00001406 }, { 0, 0 },
};

static const struct dword guest_none[] = {
	{ 0x100, 0x15020001 },
	{ 0x150, 0x1a00000e },
	{ 0x1a0, 0x0001000f },
	{ 0, 0 },
};

static void fill(uint8_t bytes[VFCAP_CFG_SIZE], const struct dword *d)
{
	memset(bytes, 0, VFCAP_CFG_SIZE);
	for (; d->off; d++)
		vfcap_put_le32(bytes + d->off, d->value);
}

/* ------------------------------------------------------------------------------------ the driver -- */

static struct {
	uint8_t seen[VFCAP_CFG_SIZE]; /* the emulated ranges too */
	struct vfcap_vfio_emulated said;
	int feature, pread; /* what those answer */
	bool raw; /* writes go through without masks */
	unsigned int writes, outside;
} driver;

static int fake_open(const struct vfcap_root *root, const char *path)
{
	(void)root;
	return strcmp(path, "dev/iommu") ? DEVICE : DEVICE + 1;
}

static void fake_close(int fd)
{
	(void)fd;
}

static void fake_wait(unsigned int ms)
{
	(void)ms;
}

static int fake_ioctl(int fd, unsigned long request, void *arg)
{
	(void)fd;
	if (request == VFIO_DEVICE_GET_INFO) {
		((struct vfio_device_info *)arg)->flags = VFIO_DEVICE_FLAGS_PCI;
		((struct vfio_device_info *)arg)->num_regions = VFIO_PCI_NUM_REGIONS;
	} else if (request == VFIO_DEVICE_GET_REGION_INFO) {
		((struct vfio_region_info *)arg)->size = VFCAP_CFG_SIZE;
	} else if (request == VFIO_DEVICE_FEATURE && !driver.feature) {
		memcpy(((struct vfio_device_feature *)arg)->data, &driver.said,
		       sizeof(driver.said));
	}
	return request == VFIO_DEVICE_FEATURE ? driver.feature : 0;
}

static ssize_t fake_pread(int fd, void *buf, size_t len, off_t at)
{
	(void)fd;
	memcpy(buf, driver.seen + at, len);
	return driver.pread ? driver.pread : (ssize_t)len;
}

/* What the registers of PASID and PRI take, by hand: control of PASID bits 0 to 2; of PRI bit 0, which
 * clears STOPPED; its allocation. */
static void write_byte(unsigned int at, uint8_t val)
{
	static const struct {
		unsigned int at;
		uint8_t mask;
	} lanes[] = {
		{ PASID + 6, 0x07 }, { PRI + 4, 0x01 },	 { PRI + 12, 0xff },
		{ PRI + 13, 0xff },  { PRI + 14, 0xff }, { PRI + 15, 0xff },
	};

	for (size_t i = 0; i < sizeof(lanes) / sizeof(lanes[0]); i++)
		if (lanes[i].at == at)
			driver.seen[at] = val & lanes[i].mask;
	if (at == PRI + 4)
		driver.seen[PRI + 7] = val & 1 ? 0x80 : 0x81;
}

static ssize_t fake_pwrite(int fd, const void *buf, size_t len, off_t at)
{
	const uint8_t *bytes = buf;

	(void)fd;
	driver.writes++;
	for (size_t i = 0; i < len; i++) {
		unsigned int off = (unsigned int)at + (unsigned int)i;
		bool inside = (driver.said.pasid_offset && off >= PASID && off < PASID + 8) ||
			      (driver.said.pri_offset && off >= PRI && off < PRI + 16);

		driver.outside += !inside;
		if (driver.raw)
			driver.seen[off] = bytes[i];
		else
			write_byte(off, bytes[i]);
	}
	return (ssize_t)len;
}

static const struct vfcap_vfio_ops ops = {
	.open = fake_open,
	.close = fake_close,
	.ioctl = fake_ioctl,
	.pread = fake_pread,
	.pwrite = fake_pwrite,
	.wait = fake_wait,
};

/* -------------------------------------------------------------------------------------- the host -- */

struct fixture {
	struct tree tree;
	struct vfcap *ctx;
	struct vfcap_function *vf;
	uint8_t vf_bytes[VFCAP_CFG_SIZE], pf_bytes[VFCAP_CFG_SIZE];
	struct vfcap_guest *guest;
	struct vfcap_verdict verdict;
};

static int fetch(void *ctx, unsigned int off, unsigned int len, uint8_t *buf)
{
	const struct vfcap_function *fn = ctx;

	memcpy(buf, (const uint8_t *)fn->access + off, len);
	return (int)len;
}

static struct vfcap_function *add(struct fixture *f, uint8_t devfn, uint8_t *bytes)
{
	struct vfcap_address a = { .bus = 1, .devfn = devfn };
	struct vfcap_function *fn = vfcap_host_add(&f->ctx->host, a);

	assert_non_null(fn);
	fn->config_size = VFCAP_CFG_SIZE;
	fn->fetch = fetch;
	fn->access = bytes;
	return fn;
}

static void knob(struct fixture *f, const char *pasid, const char *pri, const char *width)
{
	tree_text(&f->tree, SYS "/vfcap/abi", "1\n");
	tree_text(&f->tree, SYS "/vfcap/pasid_offset", pasid);
	tree_text(&f->tree, SYS "/vfcap/pri_offset", pri);
	tree_text(&f->tree, SYS "/vfcap/pasid_width", width);
	tree_text(&f->tree, SYS "/vfcap/state", "open\n");
	driver.said.pasid_offset = (uint16_t)strtoul(pasid, NULL, 0);
	driver.said.pri_offset = (uint16_t)strtoul(pri, NULL, 0);
}

static void begin(struct fixture *f, const struct dword *guest)
{
	memset(f, 0, sizeof(*f));
	memset(&driver, 0, sizeof(driver));
	tree_new(&f->tree);
	tree_link(&f->tree, SYS "/driver", "../drivers/vfcap-vfio-pci");
	tree_dirs(&f->tree, SYS "/vfio-dev/vfio0/");
	assert_int_equal(vfcap_new(&f->ctx), 0);
	assert_int_equal(vfcap_set_sysroot(f->ctx, f->tree.dir), 0);
	fill(f->vf_bytes, vf_hardware);
	fill(f->pf_bytes, pf_hardware);
	fill(driver.seen, guest);
	f->vf = add(f, 1, f->vf_bytes);
	f->vf->role = VFCAP_ROLE_VF;
	f->vf->pf = add(f, 0, f->pf_bytes);
	assert_string_equal(f->vf->name, VF);
	assert_int_equal(vfcap_vfio_attach_with(f->vf, NULL, &ops, &f->guest), 0);
}

static void verify(struct fixture *f, bool writes)
{
	vfcap_verdict_free(&f->verdict);
	assert_int_equal(vfcap_guest_verify(f->guest, writes, &f->verdict), 0);
}

static void end(struct fixture *f)
{
	vfcap_verdict_free(&f->verdict);
	vfcap_guest_close(f->guest);
	f->vf->access = f->vf->pf->access = NULL;
	vfcap_free(f->ctx);
	tree_free(&f->tree);
}

/* ------------------------------------------------------------------------------------- the tests -- */

static void test_good(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, guest_both);
	knob(&f, "0x200\n", "0x210\n", "0\n");
	verify(&f, false);
	assert_true(vfcap_verdict_good(&f.verdict));
	assert_true(f.verdict.has_knob);
	assert_int_equal(f.verdict.n_links, 5);
	assert_int_equal(f.verdict.n_writes, 0);
	assert_int_equal(driver.writes, 0);
	assert_int_equal(f.verdict.configured[VFCAP_EMUL_PASID], PASID);
	assert_int_equal(f.verdict.configured[VFCAP_EMUL_PRI], PRI);
	assert_int_equal(f.verdict.shown.offset[VFCAP_EMUL_PRI], PRI);
	assert_string_equal(f.verdict.how, "vfio0 and iommufd");
	end(&f);
}

/* Every byte that counts, one after the other; and none that does not. */
static void test_each_byte(void **state)
{
	static const uint16_t ranges[][2] = {
		{ 0x100, 4 }, { 0x150, 4 }, { 0x1a0, 4 }, { PASID, 8 }, { PRI, 16 },
	};
	static const uint16_t free[] = { 0x104, 0x154, 0x160, 0x1a4, 0x208, 0x220, 0xffc };
	struct fixture f;

	(void)state;
	begin(&f, guest_both);
	knob(&f, "0x200\n", "0x210\n", "0\n");
	for (size_t r = 0; r < sizeof(ranges) / sizeof(ranges[0]); r++)
		for (unsigned int at = ranges[r][0]; at < ranges[r][0] + ranges[r][1]; at++) {
			driver.seen[at] ^= 0x40;
			verify(&f, true);
			assert_false(vfcap_verdict_good(&f.verdict));
			assert_int_equal(f.verdict.n, 1);
			assert_int_equal(f.verdict.difference[0].offset, at);
			assert_int_equal(f.verdict.difference[0].found, driver.seen[at]);
			driver.seen[at] ^= 0x40;
			assert_int_equal(f.verdict.difference[0].expected, driver.seen[at]);
			assert_int_equal(f.verdict.difference[0].wrote_len, 0);
		}
	/* What is there may be a register of the hardware. */
	assert_int_equal(driver.writes, 0);
	for (size_t i = 0; i < sizeof(free) / sizeof(free[0]); i++)
		driver.seen[free[i]] ^= 0x40;
	/* The low two bits of the next pointer of a capability of the hardware. */
	driver.seen[0x102] |= 0x30;
	verify(&f, false);
	assert_true(vfcap_verdict_good(&f.verdict));
	end(&f);
}

static void test_one_only(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, guest_pasid);
	knob(&f, "0x200\n", "0\n", "0\n");
	verify(&f, true);
	assert_true(vfcap_verdict_good(&f.verdict));
	assert_int_equal(f.verdict.n_links, 4);
	assert_int_equal(f.verdict.n_writes, (8 + 4 + 2) * 4);
	/* The chain of both is not that. */
	fill(driver.seen, guest_both);
	verify(&f, false);
	assert_int_equal(f.verdict.n, 1);
	assert_int_equal(f.verdict.difference[0].offset, PASID + 3); /* leads to PRI */
	end(&f);
}

static void test_none(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, guest_none);
	knob(&f, "0\n", "0\n", "0\n");
	verify(&f, true);
	assert_true(vfcap_verdict_good(&f.verdict));
	assert_int_equal(f.verdict.n_links, 3);
	assert_int_equal(driver.writes, 0);
	fill(driver.seen, guest_pasid);
	verify(&f, true);
	assert_int_equal(f.verdict.n, 1); /* 0x200 in the next pointer of ATS */
	assert_int_equal(driver.writes, 0);
	end(&f);
}

static void test_width(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, guest_pasid);
	knob(&f, "0x200\n", "0\n", "16\n");
	verify(&f, false);
	assert_int_equal(f.verdict.n, 1);
	assert_int_equal(f.verdict.difference[0].offset, PASID + 5);
	assert_int_equal(f.verdict.difference[0].expected, 16);
	driver.seen[PASID + 5] = 16;
	verify(&f, false);
	assert_true(vfcap_verdict_good(&f.verdict));
	end(&f);
}

/* The IOMMU may have fewer bits than the PF. Where nobody but the driver tells, it may show fewer, never more. */
static void test_iommu_width(void **state)
{
	static const struct {
		const char *ecap; /* NULL: not told */
		const char *knob;
		uint8_t seen, expected; /* 0: good */
	} cases[] = {
		{ NULL, "0\n", 16, 0 },		 { NULL, "0\n", 20, 0 },
		{ NULL, "0\n", 21, 20 },	 { NULL, "16\n", 17, 16 },
		{ NULL, "16\n", 8, 0 },		 { NULL, "0\n", 0, 20 },
		{ "97800000000", "0\n", 16, 0 }, { "97800000000", "0\n", 20, 16 },
		{ "97800000000", "0\n", 8, 16 }, { "97800000000", "18\n", 16, 0 },
		{ "97800000000", "8\n", 8, 0 },	 { "97800000000", "8\n", 16, 8 },
		{ "99800000000", "0\n", 20, 0 }, { "99800000000", "0\n", 16, 20 },
	};
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		begin(&f, guest_pasid);
		knob(&f, "0x200\n", "0\n", cases[i].knob);
		if (cases[i].ecap) {
			tree_link(&f.tree, SYS "/iommu", "../../../../class/iommu/dmar0");
			tree_text(&f.tree, "sys/class/iommu/dmar0/intel-iommu/ecap", cases[i].ecap);
		}
		driver.seen[PASID + 5] = cases[i].seen;
		verify(&f, false);
		assert_int_equal(f.verdict.n, cases[i].expected ? 1 : 0);
		if (cases[i].expected) {
			assert_int_equal(f.verdict.difference[0].offset, PASID + 5);
			assert_int_equal(f.verdict.difference[0].expected, cases[i].expected);
		}
		end(&f);
	}
}

/* A register of the IOMMU that cannot be understood is not one that is not there. */
static void test_iommu_damaged(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, guest_pasid);
	knob(&f, "0x200\n", "0\n", "0\n");
	tree_link(&f.tree, SYS "/iommu", "../../../../class/iommu/dmar0");
	tree_text(&f.tree, "sys/class/iommu/dmar0/intel-iommu/ecap", "?");
	assert_int_equal(vfcap_guest_verify(f.guest, false, &f.verdict), -EINVAL);
	assert_string_equal(vfcap_error(f.ctx), VF ": IOMMU dmar0: Invalid argument");
	end(&f);
}

/* What the PF's control has off is not shown, whatever its capability says. */
static void test_modes(void **state)
{
	static const uint8_t modes[][2] = { { 7, 6 }, { 5, 4 }, { 3, 2 }, { 1, 0 } };
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		begin(&f, guest_pasid);
		knob(&f, "0x200\n", "0\n", "0\n");
		f.pf_bytes[0x206] = modes[i][0];
		verify(&f, false);
		assert_int_equal(f.verdict.n, i ? 1 : 0); /* the guest sees both */
		driver.seen[PASID + 4] = modes[i][1];
		verify(&f, false);
		assert_true(vfcap_verdict_good(&f.verdict));
		end(&f);
	}
}

static void test_writes(void **state)
{
	uint8_t before[VFCAP_CFG_SIZE];
	struct fixture f;

	(void)state;
	begin(&f, guest_both);
	knob(&f, "0x200\n", "0x210\n", "0\n");
	memcpy(before, driver.seen, sizeof(before));
	verify(&f, true);
	assert_true(vfcap_verdict_good(&f.verdict));
	assert_int_equal(f.verdict.n_writes, (8 + 4 + 2) * 4 + (16 + 8 + 4) * 4);
	assert_int_equal(driver.writes, f.verdict.n_writes + (8 + 16) / 4);
	assert_int_equal(driver.outside, 0);
	assert_memory_equal(driver.seen, before, sizeof(before));
	end(&f);
}

/* A driver without masks is found at the first write, and what was there is put back. */
static void test_raw_writes(void **state)
{
	uint8_t before[VFCAP_CFG_SIZE];
	struct fixture f;

	(void)state;
	begin(&f, guest_both);
	knob(&f, "0x200\n", "0x210\n", "0\n");
	driver.raw = true;
	memcpy(before, driver.seen, sizeof(before));
	verify(&f, true);
	assert_false(vfcap_verdict_good(&f.verdict));
	assert_int_equal(f.verdict.n, 1);
	assert_int_equal(f.verdict.n_writes, 1);
	assert_int_equal(f.verdict.difference[0].offset, PASID);
	assert_int_equal(f.verdict.difference[0].expected, 0x1b);
	assert_int_equal(f.verdict.difference[0].found, 0xff);
	assert_int_equal(f.verdict.difference[0].wrote_len, 1);
	assert_int_equal(f.verdict.difference[0].wrote_at, PASID);
	assert_int_equal(f.verdict.difference[0].wrote, 0xff);
	assert_int_equal(driver.outside, 0);
	assert_memory_equal(driver.seen, before, sizeof(before));
	end(&f);
}

/* What the PF has switched off is hidden: said, and the rest of the chain must be right without it. */
static void test_hidden(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, guest_pasid);
	knob(&f, "0x200\n", "0x210\n", "0\n");
	tree_text(&f.tree, SYS "/vfcap/state", "hidden: pri: pf-off\n");
	driver.said.pri_offset = 0;
	driver.said.flags = VFCAP_VFIO_PRI_HIDDEN | VFCAP_VFIO_PF_PRI_OFF;
	verify(&f, false);
	assert_false(vfcap_verdict_good(&f.verdict));
	assert_int_equal(f.verdict.n, 0);
	assert_int_equal(f.verdict.refused[VFCAP_EMUL_PASID], VFCAP_OK);
	assert_int_equal(f.verdict.refused[VFCAP_EMUL_PRI], VFCAP_PF_OFF);
	driver.said.flags = VFCAP_VFIO_PRI_HIDDEN;
	tree_text(&f.tree, SYS "/vfcap/state", "hidden: pri: pf-unreadable\n");
	verify(&f, false);
	assert_int_equal(f.verdict.refused[VFCAP_EMUL_PRI], VFCAP_CODE_UNREADABLE);
	tree_text(&f.tree, SYS "/vfcap/state", "hidden: pri: conflict\n");
	verify(&f, false);
	assert_int_equal(f.verdict.refused[VFCAP_EMUL_PRI], VFCAP_OCCUPIED);
	end(&f);
}

/* The knob says what cannot be: the plan's reason. */
static void test_impossible(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, guest_none);
	knob(&f, "0x200\n", "0\n", "0\n");
	f.pf_bytes[0x200] = 0x1c;
	verify(&f, false);
	assert_false(vfcap_verdict_good(&f.verdict));
	assert_int_equal(f.verdict.refused[VFCAP_EMUL_PASID], VFCAP_PF_LACKS);
	end(&f);
}

/* A loop is the hardware's: where it leads is not compared, all else is. */
static void test_broken(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, guest_none);
	knob(&f, "0\n", "0\n", "0\n");
	f.vf_bytes[0x1a3] = driver.seen[0x1a3] = 0x10;
	verify(&f, false);
	assert_true(vfcap_verdict_good(&f.verdict));
	driver.seen[0x1a0] ^= 1;
	verify(&f, false);
	assert_int_equal(f.verdict.n, 1);
	driver.seen[0x1a0] ^= 1;
	driver.seen[0x153] ^= 1;
	verify(&f, false);
	assert_int_equal(f.verdict.n, 1);
	end(&f);
}

static void test_errors(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, guest_both);
	verify(&f, true); /* no knob */
	assert_false(f.verdict.has_knob);
	assert_false(vfcap_verdict_good(&f.verdict));
	knob(&f, "0x200\n", "0x210\n", "0\n");
	driver.feature = -ENOTTY;
	assert_int_equal(vfcap_guest_verify(f.guest, false, &f.verdict), -ENOTTY);
	assert_non_null(strstr(vfcap_error(f.ctx), VF ": VFIO_DEVICE_FEATURE: "));
	driver.feature = 0;
	driver.pread = -EIO;
	assert_int_equal(vfcap_guest_verify(f.guest, false, &f.verdict), -EIO);
	assert_non_null(strstr(vfcap_error(f.ctx), VF ": config through VFIO: "));
	/* There is no kernel behind this host. */
	assert_int_equal(vfcap_verify(f.vf, NULL, false, &f.verdict), -EOPNOTSUPP);
	assert_int_equal(vfcap_verify(f.vf, "no UUID", false, &f.verdict), -EINVAL);
	end(&f);
}

#define HEAD(kind, rest) "vfcap-" kind " 0000:01:00.0 -\n" rest

/* What vfcap left the VF with, as its record has it. Nothing is opened where the knob says something else. */
static void test_record(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, guest_both);
	knob(&f, "0x200\n", "0x210\n", "0\n");
	tree_text(&f.tree, "run/vfcap/0000:01:00.0.record",
		  HEAD("record 1", "vf 0000:01:00.1 iavf -\n"));
	assert_int_equal(vfcap_verify(f.vf, NULL, false, &f.verdict), -EOPNOTSUPP);
	assert_false(f.verdict.enabled.there);
	tree_text(&f.tree, "run/vfcap/0000:01:00.0.record",
		  HEAD("record 2", "knob 0000:01:00.1 512 528 0\n"));
	assert_int_equal(vfcap_verify(f.vf, NULL, false, &f.verdict), -EOPNOTSUPP);
	assert_true(f.verdict.enabled.there && !f.verdict.enabled.changed);
	knob(&f, "0x200\n", "0x210\n", "8\n");
	assert_int_equal(vfcap_verify(f.vf, NULL, false, &f.verdict), 0);
	assert_true(f.verdict.enabled.changed && !vfcap_verdict_good(&f.verdict));
	assert_int_equal(f.verdict.width, 8);
	knob(&f, "0\n", "0\n", "0\n");
	assert_int_equal(vfcap_verify(f.vf, NULL, false, &f.verdict), 0);
	assert_true(f.verdict.has_knob && f.verdict.enabled.changed);
	assert_int_equal(f.verdict.enabled.offset[VFCAP_EMUL_PRI], 0x210);
	assert_int_equal(f.verdict.configured[VFCAP_EMUL_PRI], 0);
	/* A run that is done counts before it is recorded, one that is not done does not. */
	tree_text(&f.tree, "run/vfcap/0000:01:00.0.undo",
		  HEAD("undo 1 disable",
		       "pasid_offset 0000:01:00.1 512 0\npri_offset 0000:01:00.1 528 0\n"));
	assert_int_equal(vfcap_verify(f.vf, NULL, false, &f.verdict), 0);
	assert_true(f.verdict.enabled.changed);
	tree_text(&f.tree, "run/vfcap/0000:01:00.0.undo",
		  HEAD("undo 1 disable",
		       "pasid_offset 0000:01:00.1 512 0\npri_offset 0000:01:00.1 528 0\ndone\n"));
	assert_int_equal(vfcap_verify(f.vf, NULL, false, &f.verdict), -EOPNOTSUPP);
	assert_false(f.verdict.enabled.there);
	tree_text(&f.tree, "run/vfcap/0000:01:00.0.record", "junk\n");
	assert_int_equal(vfcap_verify(f.vf, NULL, false, &f.verdict), -EBADMSG);
	end(&f);
}

/* What a VMM does with it: the chain, from the fetched bytes. */
static void test_image(void **state)
{
	static struct vfcap_chain chain;
	static struct vfcap_image img;
	struct vfcap_shown shown;
	struct fixture f;

	(void)state;
	begin(&f, guest_both);
	vfcap_guest_image(f.guest, &img);
	vfcap_chain_walk(&chain, &img);
	assert_int_equal(chain.n, 5);
	assert_int_equal(chain.cap[3].id, VFCAP_ID_PASID);
	driver.said = (struct vfcap_vfio_emulated){ .pasid_offset = PASID,
						    .pasid_width = 20,
						    .flags = VFCAP_VFIO_PF_PASID_OFF };
	assert_int_equal(vfcap_guest_shown(f.guest, &shown), 0);
	assert_int_equal(shown.offset[VFCAP_EMUL_PASID], PASID);
	assert_int_equal(shown.width, 20);
	assert_true(shown.pf_off[VFCAP_EMUL_PASID]);
	assert_false(shown.pf_off[VFCAP_EMUL_PRI]);
	assert_false(shown.hidden[VFCAP_EMUL_PASID]);
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),	      cmocka_unit_test(test_each_byte),
		cmocka_unit_test(test_one_only),      cmocka_unit_test(test_none),
		cmocka_unit_test(test_width),	      cmocka_unit_test(test_iommu_width),
		cmocka_unit_test(test_iommu_damaged), cmocka_unit_test(test_modes),
		cmocka_unit_test(test_writes),	      cmocka_unit_test(test_raw_writes),
		cmocka_unit_test(test_hidden),	      cmocka_unit_test(test_impossible),
		cmocka_unit_test(test_errors),	      cmocka_unit_test(test_record),
		cmocka_unit_test(test_broken),
		cmocka_unit_test(test_image),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
