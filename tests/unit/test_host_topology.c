// SPDX-License-Identifier: GPL-2.0-or-later
/* What is found under a root: sysfs as it was captured, in whole or in part. */
#include "tree.h"

#include "../../src/host/host.h"
#include "hostgen.h"

#define DEVICES "sys/bus/pci/devices/"
#define BUS "sys/devices/pci0000:00/"
#define PF BUS "0000:00:01.0/0000:01:00.0/"

static void put_config(struct tree *t, const char *dir, bool vf, unsigned int size)
{
	uint8_t cfg[VFCAP_CFG_SIZE] = { 0 };
	char path[256];

	vfcap_put_le32(cfg, vf ? 0xffffffff : 0x15728086);
	vfcap_put_le32(cfg + 8, 0x02000001);
	gen_cap(cfg, 0x100, VFCAP_ID_AER, 2, vf ? 0 : 0x160);
	if (!vf) {
		gen_cap(cfg, 0x160, VFCAP_ID_SRIOV, 1, 0);
		gen_put32(cfg, 0x160 + 0x08, 1);
		gen_put32(cfg, 0x160 + 0x0c, 8 | 8 << 16);
		gen_put32(cfg, 0x160 + 0x10, 3);
		gen_put32(cfg, 0x160 + 0x14, 0x10 | 2 << 16);
		gen_put32(cfg, 0x160 + 0x18, 0x154cu << 16);
	}
	snprintf(path, sizeof(path), "%sconfig", dir);
	tree_bytes(t, path, cfg, size);
}

static void put_ids(struct tree *t, const char *dir, const char *device)
{
	char path[256];

	snprintf(path, sizeof(path), "%svendor", dir);
	tree_text(t, path, "0x8086\n");
	snprintf(path, sizeof(path), "%sdevice", dir);
	tree_text(t, path, device);
	snprintf(path, sizeof(path), "%sclass", dir);
	tree_text(t, path, "0x020000\n");
}

static void put_vf(struct tree *t, unsigned int index, unsigned int size)
{
	char dir[128], path[256], target[160];

	snprintf(dir, sizeof(dir), BUS "0000:00:01.0/0000:01:%02x.%x/", (0x10 + 2 * index) >> 3,
		 (0x10 + 2 * index) & 7);
	put_config(t, dir, true, size);
	put_ids(t, dir, "0x154c\n");
	snprintf(path, sizeof(path), "%sphysfn", dir);
	tree_link(t, path, "../0000:01:00.0");
	snprintf(path, sizeof(path), "%siommu_group", dir);
	snprintf(target, sizeof(target), "../../../../kernel/iommu_groups/%u", 20 + index);
	tree_link(t, path, target);
	snprintf(path, sizeof(path), PF "virtfn%u", index);
	snprintf(target, sizeof(target), "../%s", strstr(dir, "0000:01:"));
	target[strlen(target) - 1] = '\0';
	tree_link(t, path, target);
	snprintf(path, sizeof(path), DEVICES "%s", target + 3);
	snprintf(target, sizeof(target), "../../../../%s", dir);
	target[strlen(target) - 1] = '\0';
	tree_link(t, path, target);
}

/* A bridge, a PF with three VFs below it, and a virtio NIC. size: of config space as it was
 * captured. */
static void make_tree(struct tree *t, unsigned int size)
{
	tree_new(t);
	tree_text(t, "proc/sys/kernel/osrelease", "6.1.0-37-amd64\n");
	put_ids(t, BUS "0000:00:01.0/", "0x352a\n");
	tree_link(t, DEVICES "0000:00:01.0", "../../../devices/pci0000:00/0000:00:01.0");
	put_config(t, PF, false, size);
	put_ids(t, PF, "0x1572\n");
	tree_text(t, PF "sriov_totalvfs", "8\n");
	tree_link(t, PF "driver", "../../../../bus/pci/drivers/i40e");
	tree_link(t, DEVICES "0000:01:00.0",
		  "../../../devices/pci0000:00/0000:00:01.0/0000:01:00.0");
	for (unsigned int i = 0; i < 3; i++)
		put_vf(t, i, size);
	put_config(t, BUS "0000:00:04.0/", false, 0);
	tree_link(t, DEVICES "0000:00:04.0", "../../../devices/pci0000:00/0000:00:04.0");
	tree_link(t, "sys/class/net/lo", "../../devices/virtual/net/lo");
	tree_link(t, "sys/class/net/eth0",
		  "../../devices/pci0000:00/0000:00:04.0/virtio1/net/eth0");
	tree_link(t, "sys/class/net/b1",
		  "../../devices/pci0000:00/0000:00:01.0/0000:01:00.0/net/b1");
	tree_link(t, "sys/class/net/a1/device", "../../../0000:01:00.0");
}

static int scan(struct vfcap_host *h, const struct tree *t, bool wake)
{
	int err;

	*h = (struct vfcap_host){ .release = VFCAP_RELEASE_NEWEST, .wake = wake };
	assert_int_equal(vfcap_root_open(&h->root, t->dir), 0);
	err = vfcap_topology_scan(h);
	return err ? err : vfcap_host_finish(h);
}

static void clear(struct vfcap_host *h)
{
	struct vfcap_root *root = h->root;

	vfcap_host_clear(h);
	vfcap_topology_free(h);
	vfcap_root_close(root);
}

static struct vfcap_function *find(const struct vfcap_host *h, const char *name)
{
	struct vfcap_address a;

	assert_int_equal(vfcap_address_parse(name, &a), strlen(name));
	assert_non_null(vfcap_host_find(h, a));
	return vfcap_host_find(h, a);
}

static void check_vfs(const struct vfcap_host *h, unsigned int size)
{
	struct vfcap_function *pf = find(h, "0000:01:00.0");

	assert_int_equal(h->n, 6);
	assert_int_equal(pf->role, VFCAP_ROLE_PF);
	assert_int_equal(pf->totalvfs, 8);
	assert_int_equal(pf->numvfs, 3);
	assert_int_equal(pf->n_vf, 3);
	assert_int_equal(pf->config_size, size);
	for (size_t i = 0; i < 3; i++) {
		assert_ptr_equal(pf->vf[i]->pf, pf);
		assert_int_equal(pf->vf[i]->vf_index, i);
		assert_int_equal(pf->vf[i]->vendor, 0x8086);
		assert_int_equal(pf->vf[i]->device, 0x154c);
		assert_int_equal(pf->vf[i]->class_code, 0x020000);
		assert_int_equal(pf->vf[i]->iommu_group, 20 + (int)i);
		assert_int_equal(pf->vf[i]->config_size, size);
		assert_null(pf->vf[i]->driver);
		assert_true(pf->vf[i]->knows_driver);
	}
	assert_string_equal(pf->vf[2]->name, "0000:01:02.4");
}

static void test_captured(void **state)
{
	struct vfcap_function *fn;
	struct vfcap_host h;
	struct tree t;
	uint8_t buf[8];

	(void)state;
	make_tree(&t, VFCAP_CFG_SIZE);
	assert_int_equal(scan(&h, &t, false), 0);
	assert_int_equal(h.release, VFCAP_RELEASE(6, 1));
	check_vfs(&h, VFCAP_CFG_SIZE);
	fn = find(&h, "0000:01:00.0");
	assert_string_equal(fn->driver, "i40e");
	assert_int_equal(fn->iommu_group, -1);
	assert_int_equal(fn->n_netdev, 2);
	assert_string_equal(fn->netdev[0], "a1");
	assert_string_equal(fn->netdev[1], "b1");
	assert_int_equal(fn->fetch(fn, 0x160, 8, buf), 8);
	assert_int_equal(vfcap_le32(buf), 0x00010010);
	assert_int_equal(find(&h, "0000:00:04.0")->n_netdev, 1);
	fn = find(&h, "0000:00:01.0"); /* has attributes only */
	assert_true(fn->has_ids);
	assert_int_equal(fn->device, 0x352a);
	assert_int_equal(fn->role, VFCAP_ROLE_FUNCTION);
	assert_int_equal(fn->fetch(fn, 0, 4, buf), -ENOENT);
	clear(&h);
	tree_free(&t);
}

/* Captured without privilege: the registers are not there, links and attributes say as much. */
static void test_unprivileged(void **state)
{
	static const unsigned int sizes[] = { 64, 256 };
	struct vfcap_function *fn;
	struct vfcap_host h;
	struct tree t;
	uint8_t buf[128];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		make_tree(&t, sizes[i]);
		assert_int_equal(scan(&h, &t, false), 0);
		check_vfs(&h, sizes[i]);
		fn = find(&h, "0000:01:02.0");
		assert_int_equal(fn->fetch(fn, 0, 128, buf), sizes[i] < 128 ? 64 : 128);
		assert_int_equal(fn->fetch(fn, 0x100, 4, buf), 0);
		clear(&h);
		tree_free(&t);
	}
}

static void test_truncated(void **state)
{
	struct vfcap_function *fn;
	struct vfcap_host h;
	struct tree t;
	uint8_t buf[8];

	(void)state;
	make_tree(&t, 0x10a);
	assert_int_equal(scan(&h, &t, false), 0);
	fn = find(&h, "0000:01:00.0");
	assert_int_equal(fn->config_size, VFCAP_CFG_SIZE);
	assert_int_equal(fn->fetch(fn, 0x104, 8, buf), 4);
	assert_int_equal(fn->fetch(fn, 0x108, 4, buf), 0);
	clear(&h);
	tree_free(&t);
}

static void check_skip(const struct tree *t, const char *name, enum vfcap_skip skip)
{
	struct vfcap_function *fn;
	struct vfcap_host h;
	uint8_t buf[4];

	for (int wake = 0; wake < 2; wake++) {
		enum vfcap_skip want = wake ? VFCAP_SKIP_NONE : skip;

		assert_int_equal(scan(&h, t, wake), 0);
		fn = find(&h, name);
		assert_int_equal(fn->skip, want);
		assert_int_equal(fn->fetch(fn, 0, 4, buf), want == VFCAP_SKIP_NONE ? 4 : -EAGAIN);
		assert_int_equal(fn->config_size, want == VFCAP_SKIP_NONE ? VFCAP_CFG_SIZE : -1);
		assert_int_equal(fn->vendor, 0x8086);
		clear(&h);
	}
}

static void test_asleep(void **state)
{
	struct vfcap_host h;
	struct tree t;

	(void)state;
	make_tree(&t, VFCAP_CFG_SIZE);
	tree_text(&t, PF "power/runtime_status", "suspended\n");
	tree_text(&t, PF "power_state", "D3hot\n");
	tree_text(&t, BUS "0000:00:01.0/power/runtime_status", "active\n");
	check_skip(&t, "0000:01:00.0", VFCAP_SKIP_NONE);

	tree_text(&t, PF "power_state", "D3cold\n");
	check_skip(&t, "0000:01:00.0", VFCAP_SKIP_D3COLD);
	check_skip(&t, "0000:01:02.0", VFCAP_SKIP_NONE);
	assert_int_equal(scan(&h, &t, false), 0);
	assert_int_equal(find(&h, "0000:01:00.0")->role, VFCAP_ROLE_PF);
	assert_int_equal(find(&h, "0000:01:00.0")->totalvfs, 8);
	assert_int_equal(find(&h, "0000:01:02.4")->vf_index, 2);
	clear(&h);

	tree_text(&t, BUS "0000:00:01.0/power/runtime_status", "suspended\n");
	check_skip(&t, "0000:01:02.0", VFCAP_SKIP_BRIDGE);
	check_skip(&t, "0000:01:00.0", VFCAP_SKIP_D3COLD);
	tree_free(&t);
}

/* A sos report: config space under proc, sys absent or without it. */
static void test_sos(void **state)
{
	struct vfcap_function *fn;
	struct vfcap_host h;
	struct tree t;

	(void)state;
	for (int sys = 0; sys < 2; sys++) {
		uint8_t cfg[64] = { 0x86, 0x80 };

		tree_new(&t);
		tree_text(&t, "proc/version",
			  "Linux version 5.14.0-70.el9.x86_64 (builder) #1 SMP\n");
		tree_text(&t, "proc/bus/pci/devices", "0000\t80860d57\n");
		tree_bytes(&t, "proc/bus/pci/00/1f.6", cfg, sizeof(cfg));
		tree_bytes(&t, "proc/bus/pci/10000:e1/00.0", cfg, sizeof(cfg));
		if (sys) {
			tree_link(&t, DEVICES "0000:00:1f.6",
				  "../../../devices/pci0000:00/0000:00:1f.6");
			put_ids(&t, DEVICES "10000:e1:00.0/", "0x0001\n");
		}
		assert_int_equal(scan(&h, &t, false), 0);
		assert_int_equal(h.release, VFCAP_RELEASE(5, 14));
		assert_int_equal(h.n, 2);
		fn = find(&h, "0000:00:1f.6");
		assert_int_equal(fn->vendor, 0x8086);
		assert_int_equal(fn->config_size, 64);
		assert_int_equal(find(&h, "10000:e1:00.0")->config_size, 64);
		assert_false(fn->knows_driver);
		clear(&h);
		tree_free(&t);
	}
}

static void test_nothing(void **state)
{
	struct vfcap_host h;
	char want[256];
	struct tree t;

	(void)state;
	tree_new(&t);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(scan(&h, &t, false), -ENOENT);
		assert_int_equal(h.release, VFCAP_RELEASE_NEWEST);
		snprintf(want, sizeof(want), "%s/%s", t.dir,
			 "sys/bus/pci/devices: no PCI function there, nor in proc/bus/pci");
		assert_string_equal(h.error, want);
		clear(&h);
		tree_dirs(&t, DEVICES);
		tree_text(&t, "proc/sys/kernel/osrelease", "next\n");
	}
	tree_free(&t);
}

/* Trees can be made to hurt: things that are not what they should be. */
static void test_hostile(void **state)
{
	struct vfcap_function *fn;
	struct vfcap_host h;
	struct tree t;

	(void)state;
	tree_new(&t);
	put_ids(&t, DEVICES "0000:00:00.0/", "0x10000000001\n");
	assert_int_equal(mkfifoat(t.fd, DEVICES "0000:00:00.0/config", 0600), 0);
	put_ids(&t, DEVICES "0000:00:01.0/", "garbage\n");
	tree_link(&t, DEVICES "0000:00:01.0/config", "/etc/hostname");
	tree_link(&t, DEVICES "0000:00:01.0/physfn", "0000:00:01.0");
	tree_link(&t, DEVICES "0000:00:02.0", "0000:00:02.0");
	tree_text(&t, DEVICES "0000:00:03.0", "a file");
	tree_dirs(&t, DEVICES "0000:00:04.0/config/");
	tree_link(&t, DEVICES "0000:00:04.0/iommu_group", "../-7");
	tree_dirs(&t, DEVICES "not-an-address/");
	tree_dirs(&t, DEVICES "0000:00:1f.9/");
	assert_int_equal(scan(&h, &t, false), 0);
	assert_int_equal(h.n, 5);
	fn = find(&h, "0000:00:01.0");
	assert_null(fn->pf);
	assert_false(fn->has_ids);
	for (size_t i = 0; i < h.n; i++)
		assert_int_equal(h.fn[i]->iommu_group, -1);
	assert_int_equal(find(&h, "0000:00:00.0")->config_size, -1);
	clear(&h);
	tree_free(&t);
}

static void test_knob(void **state)
{
	static const char *const wrong[] = { "0x40",   "0xfc", "0x102",
					     "0x1000", "-4",   "0x108 and more" };
	struct vfcap_function *vf;
	struct vfcap_host h;
	struct tree t;

	(void)state;
	make_tree(&t, VFCAP_CFG_SIZE);
	tree_text(&t, BUS "0000:00:01.0/0000:01:02.0/vfcap/pasid_offset", "0x108\n");
	tree_text(&t, BUS "0000:00:01.0/0000:01:02.0/vfcap/pri_offset", "0\n");
	assert_int_equal(scan(&h, &t, false), 0);
	vf = find(&h, "0000:01:02.0");
	assert_int_equal(vfcap_knob_offset(vf, VFCAP_EMUL_PASID), 0x108);
	assert_int_equal(vfcap_knob_offset(vf, VFCAP_EMUL_PRI), 0);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		tree_text(&t, BUS "0000:00:01.0/0000:01:02.2/vfcap/pri_offset", wrong[i]);
		if (vfcap_knob_offset(find(&h, "0000:01:02.2"), VFCAP_EMUL_PRI) != -EPROTO)
			fail_msg("%s", wrong[i]);
	}
	assert_int_equal(vfcap_knob_offset(find(&h, "0000:01:02.4"), VFCAP_EMUL_PASID), -ENOENT);
	clear(&h);
	tree_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_captured),  cmocka_unit_test(test_unprivileged),
		cmocka_unit_test(test_truncated), cmocka_unit_test(test_asleep),
		cmocka_unit_test(test_sos),	  cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_hostile),	  cmocka_unit_test(test_knob),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
