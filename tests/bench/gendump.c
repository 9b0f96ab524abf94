/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makes a host for the benchmark, the same one every time: Physical Functions with all the Virtual
 * Functions that fit on their bus, with 8 to 20 extended capabilities each.
 *
 *	gendump dump N		text as of lspci -xxxx on standard output
 *	gendump sysfs N DIR	the part of sysfs that PCI tools read, under DIR
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CFG_SIZE 4096
#define BUS_FUNCTIONS 256 /* one PF and its VFs */
#define FIRST_BUS 1
#define PF_CAPS_MIN 12
#define VF_CAPS_MIN 8

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

struct cap {
	uint16_t id;
	uint8_t version;
	uint16_t len;
	uint32_t body[3]; /* the dwords behind the header */
};

/* A device has a number of these, from the first on. SR-IOV, PRI and PASID stand where every PF has them. */
static const struct cap pf_caps[] = {
	{ 0x01, 2, 0x48, { 0x00000000, 0x00400000, 0x00462031 } }, /* AER */
	{ 0x0e, 1, 0x08, { 0x00000100 } }, /* ARI */
	{ 0x10, 1, 0x40, { 0x00000002 } }, /* SR-IOV */
	{ 0x03, 1, 0x0c, { 0xffa1b2c3, 0x001b21ff } }, /* DSN */
	{ 0x0d, 1, 0x08, { 0x0000005f } }, /* ACS */
	{ 0x0f, 1, 0x08, { 0x80050020 } }, /* ATS */
	{ 0x1b, 1, 0x08, { 0x00011406 } }, /* PASID */
	{ 0x13, 1, 0x10, { 0x01000000, 0x00000200 } }, /* PRI */
	{ 0x17, 1, 0x0c, { 0x00000005 } }, /* TPH */
	{ 0x19, 1, 0x2c, { 0x00000000, 0x00000000, 0x7f7f7f7f } }, /* secondary PCIe */
	{ 0x25, 1, 0x0c, { 0x80000001, 0x80000001 } }, /* data link feature */
	{ 0x26, 1, 0x30, { 0x00000000, 0x00000000, 0x0000000f } }, /* 16 GT/s */
	{ 0x27, 1, 0x48, { 0x00000000, 0x9c389c38, 0x9c389c38 } }, /* lane margining */
	{ 0x18, 1, 0x08, { 0x10011001 } }, /* LTR */
	{ 0x1f, 1, 0x0c, { 0x00000a02 } }, /* PTM */
	{ 0x1e, 1, 0x10, { 0x00a5501f, 0x00000000, 0x00000028 } }, /* L1 PM substates */
	{ 0x0b, 1, 0x18, { 0x01810042, 0x12345678 } }, /* VSEC */
	{ 0x23, 1, 0x10, { 0x01018086, 0x00000007 } }, /* DVSEC */
	{ 0x02, 1, 0x1c, { 0x00000000, 0x00000000, 0x00000000 } }, /* VC */
	{ 0x04, 1, 0x10, { 0x00000000, 0x00000019 } }, /* power budgeting */
};

static const struct cap vf_caps[] = {
	{ 0x01, 2, 0x48, { 0x00000000, 0x00000000, 0x00462031 } }, /* AER */
	{ 0x0e, 1, 0x08, { 0x00000000 } }, /* ARI */
	{ 0x0d, 1, 0x08, { 0x0000005f } }, /* ACS */
	{ 0x0f, 1, 0x08, { 0x00000020 } }, /* ATS */
	{ 0x17, 1, 0x0c, { 0x00000005 } }, /* TPH */
	{ 0x0b, 1, 0x18, { 0x01810042, 0x00000000 } }, /* VSEC */
	{ 0x23, 1, 0x10, { 0x01018086, 0x00000007 } }, /* DVSEC */
	{ 0x23, 1, 0x18, { 0x01818086, 0x00000009 } }, /* DVSEC */
	{ 0x2c, 1, 0x10, { 0x00000001 } }, /* system firmware intermediary */
	{ 0x18, 1, 0x08, { 0x00000000 } }, /* LTR */
	{ 0x03, 1, 0x0c, { 0xffa1b2c3, 0x001b21ff } }, /* DSN */
	{ 0x0b, 1, 0x10, { 0x01010007, 0x00000001 } }, /* VSEC */
};

struct function {
	unsigned int bus, devfn, vfs; /* vfs: of the PF on this bus */
	uint8_t cfg[CFG_SIZE];
};

static void put16(uint8_t *p, unsigned int v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, v & 0xffff);
	put16(p + 2, v >> 16);
}

/* A small generator of our own: the C library's differs between systems. */
static uint32_t scramble(uint32_t x)
{
	x ^= x << 13;
	x ^= x >> 17;
	return x ^ x << 5;
}

/* Header and the capabilities of the first 256 bytes: power management, MSI-X, PCI Express. */
static void fill_legacy(struct function *fn)
{
	bool is_vf = fn->devfn != 0;
	uint8_t *c = fn->cfg;

	put16(c, is_vf ? 0xffff : 0x8086);
	put16(c + 2, is_vf ? 0xffff : 0x1572);
	put16(c + 4, is_vf ? 0x0004 : 0x0406);
	put16(c + 6, 0x0010);
	put32(c + 8, 0x02000002);
	put32(c + 0x10, is_vf ? 0 : 0xd000000c + (fn->bus << 20));
	put16(c + 0x2c, 0x8086);
	put16(c + 0x2e, 0x0001);
	c[0x34] = is_vf ? 0x70 : 0x40;
	put32(c + 0x40, 0x00037001); /* PM */
	put32(c + 0x44, 0x00000008);
	put32(c + 0x70, 0x8010a011); /* MSI-X */
	put32(c + 0x74, 0x00000003);
	put32(c + 0x78, 0x00001003);
	put32(c + 0xa0, 0x00020010); /* PCI Express, version 2, endpoint */
	put32(c + 0xa4, 0x10008fe2);
	put32(c + 0xa8, 0x00092810);
	put32(c + 0xac, 0x00c4d103);
	put32(c + 0xb0, 0x10830040);
	put32(c + 0xc4, 0x0010181f);
}

static void fill_sriov(struct function *fn, uint8_t *cap)
{
	put16(cap + 0x08, 0x0019); /* VF Enable, Memory Space, ARI */
	put16(cap + 0x0c, fn->vfs);
	put16(cap + 0x0e, fn->vfs);
	put16(cap + 0x10, fn->vfs);
	put16(cap + 0x14, 1); /* First VF Offset */
	put16(cap + 0x16, 1); /* VF Stride */
	put16(cap + 0x1a, 0x154c);
	put32(cap + 0x1c, 0x00000553);
	put32(cap + 0x20, 0x00000001);
	put32(cap + 0x24, 0xe000000c + (fn->bus << 20));
}

/* Buses differ in how many capabilities there are and how far apart: the VFs of one PF do not. */
static void fill_chain(struct function *fn)
{
	bool is_vf = fn->devfn != 0;
	const struct cap *caps = is_vf ? vf_caps : pf_caps;
	unsigned int total = is_vf ? ARRAY_SIZE(vf_caps) : ARRAY_SIZE(pf_caps);
	unsigned int min = is_vf ? VF_CAPS_MIN : PF_CAPS_MIN;
	unsigned int n = min + fn->bus % (total - min + 1);
	unsigned int gap = 0x10 * (fn->bus % 4);
	unsigned int off = 0x100;

	for (unsigned int i = 0; i < n; i++) {
		unsigned int next = (off + caps[i].len + gap + 0xf) & ~0xfu;

		put32(fn->cfg + off, caps[i].id | (uint32_t)caps[i].version << 16 |
				     (i + 1 < n ? next : 0) << 20);
		for (unsigned int j = 0; j < ARRAY_SIZE(caps[i].body) && 4 * j + 4 < caps[i].len; j++)
			put32(fn->cfg + off + 4 + 4 * j, caps[i].body[j]);
		if (caps[i].id == 0x10)
			fill_sriov(fn, fn->cfg + off);
		off = next;
	}
}

/* Registers outside of every capability, as real devices have them: many in a PF, few in a VF. */
static void fill_hidden(struct function *fn)
{
	unsigned int end = fn->devfn ? 0xb40 : 0xc00;
	uint32_t x = 0x9e3779b9u * (fn->bus + 1);

	for (unsigned int off = 0xb00; off < end; off += 4) {
		x = scramble(x);
		put32(fn->cfg + off, x & 0x0f0ff0ff);
	}
}

static void make_function(struct function *fn, unsigned int i, unsigned int n)
{
	unsigned int first = i - i % BUS_FUNCTIONS;
	unsigned int on_bus = n - first < BUS_FUNCTIONS ? n - first : BUS_FUNCTIONS;

	memset(fn, 0, sizeof(*fn));
	fn->bus = FIRST_BUS + i / BUS_FUNCTIONS;
	fn->devfn = i % BUS_FUNCTIONS;
	fn->vfs = on_bus - 1;
	fill_legacy(fn);
	fill_chain(fn);
	fill_hidden(fn);
}

static void print_address(char *buf, size_t size, const struct function *fn, unsigned int devfn)
{
	snprintf(buf, size, "0000:%02x:%02x.%u", fn->bus, devfn >> 3, devfn & 7);
}

static void dump_function(const struct function *fn)
{
	static const char hex[] = "0123456789abcdef";
	char addr[32], row[16 * 3 + 1];

	print_address(addr, sizeof(addr), fn, fn->devfn);
	printf("%s Ethernet controller: Intel Corporation Ethernet %s (rev 02)\n", addr,
	       fn->devfn ? "Virtual Function 700 Series" : "Controller X710 for 10GbE SFP+");
	row[sizeof(row) - 1] = '\0';
	for (unsigned int off = 0; off < CFG_SIZE; off += 16) {
		for (unsigned int i = 0; i < 16; i++) {
			row[3 * i] = ' ';
			row[3 * i + 1] = hex[fn->cfg[off + i] >> 4];
			row[3 * i + 2] = hex[fn->cfg[off + i] & 0xf];
		}
		printf("%02x:%s\n", off, row);
	}
	putchar('\n');
}

static void die(const char *what)
{
	fprintf(stderr, "gendump: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void write_file(const char *dir, const char *name, const void *data, size_t len)
{
	char path[PATH_MAX];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	if (!f || fwrite(data, 1, len, f) != len || fclose(f))
		die(path);
}

__attribute__((format(printf, 3, 4))) static void write_text(const char *dir, const char *name,
							     const char *format, ...)
{
	char text[1024];
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	write_file(dir, name, text, (size_t)len);
}

/* Makes every directory of a path under root. */
static void make_dirs(const char *root, const char *path)
{
	char dir[PATH_MAX];

	for (const char *p = path; p; p = strchr(p + 1, '/')) {
		snprintf(dir, sizeof(dir), "%s%.*s", root, (int)(p - path), path);
		if (mkdir(dir, 0777) && errno != EEXIST)
			die(dir);
	}
	snprintf(dir, sizeof(dir), "%s%s", root, path);
	if (mkdir(dir, 0777) && errno != EEXIST)
		die(dir);
}

__attribute__((format(printf, 3, 4))) static void make_link(const char *dir, const char *name,
							    const char *format, ...)
{
	char path[PATH_MAX], target[PATH_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(target, sizeof(target), format, args);
	va_end(args);
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (symlink(target, path))
		die(path);
}

static void link_vfs(const struct function *fn, const char *dir)
{
	char addr[32], name[32];

	if (fn->devfn) {
		print_address(addr, sizeof(addr), fn, 0);
		make_link(dir, "physfn", "../%s", addr);
		return;
	}
	write_text(dir, "sriov_numvfs", "%u\n", fn->vfs);
	write_text(dir, "sriov_totalvfs", "%u\n", fn->vfs);
	for (unsigned int i = 0; i < fn->vfs; i++) {
		print_address(addr, sizeof(addr), fn, i + 1);
		snprintf(name, sizeof(name), "virtfn%u", i);
		make_link(dir, name, "../%s", addr);
	}
}

static void sysfs_function(const struct function *fn, unsigned int group, const char *root)
{
	static const char none[] = "0x0000000000000000 0x0000000000000000 0x0000000000000000\n";
	const char *driver = fn->devfn ? "vfio-pci" : "i40e";
	char addr[32], path[256], dir[PATH_MAX], bus[PATH_MAX], resource[13 * sizeof(none)];

	print_address(addr, sizeof(addr), fn, fn->devfn);
	snprintf(path, sizeof(path), "/devices/pci0000:00/%s", addr);
	make_dirs(root, path);
	snprintf(dir, sizeof(dir), "%s%s", root, path);
	snprintf(bus, sizeof(bus), "%s/bus/pci/devices", root);
	make_link(bus, addr, "../../../devices/pci0000:00/%s", addr);

	resource[0] = '\0';
	for (int i = 0; i < 13; i++)
		strcat(resource, none);
	write_text(dir, "resource", "%s", resource);
	write_text(dir, "vendor", "0x8086\n");
	write_text(dir, "device", "%s\n", fn->devfn ? "0x154c" : "0x1572");
	write_text(dir, "class", "0x020000\n");
	write_text(dir, "revision", "0x02\n");
	write_text(dir, "irq", "0\n");
	write_text(dir, "numa_node", "0\n");
	write_text(dir, "power_state", "D0\n");
	write_file(dir, "config", fn->cfg, CFG_SIZE);
	make_link(dir, "driver", "../../../bus/pci/drivers/%s", driver);
	make_link(dir, "iommu_group", "../../../kernel/iommu_groups/%u", group);
	snprintf(path, sizeof(path), "/kernel/iommu_groups/%u", group);
	make_dirs(root, path);
	link_vfs(fn, dir);
}

int main(int argc, char **argv)
{
	unsigned int n = argc > 2 ? (unsigned int)strtoul(argv[2], NULL, 10) : 0;
	bool sysfs = argc == 4 && !strcmp(argv[1], "sysfs");
	struct function fn;

	if (!n || n > 255 * BUS_FUNCTIONS || (!sysfs && (argc != 3 || strcmp(argv[1], "dump")))) {
		fprintf(stderr, "usage: gendump dump N | gendump sysfs N DIR\n");
		return 2;
	}
	if (sysfs) {
		make_dirs(argv[3], "/bus/pci/devices");
		make_dirs(argv[3], "/bus/pci/drivers/i40e");
		make_dirs(argv[3], "/bus/pci/drivers/vfio-pci");
	}
	for (unsigned int i = 0; i < n; i++) {
		make_function(&fn, i, n);
		if (sysfs)
			sysfs_function(&fn, i, argv[3]);
		else
			dump_function(&fn);
	}
	if (fflush(stdout) || ferror(stdout))
		die("standard output");
	return 0;
}
