/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A host that is a directory, with a kernel that is played: a PF with three VFs, drivers, the knob, the number of VFs. It
 * can be told to fail, to hang, and to end the program before a write.
 */
#ifndef VFCAP_PLAYED_H
#define VFCAP_PLAYED_H

#include "tree.h"

#include "../../src/lib/decide.h"
#include "hostgen.h"

#define DEVICES "sys/bus/pci/devices/"
#define DRIVERS "sys/bus/pci/drivers/"
#define KEPT "kept/"
#define VFS 3
#define PLACE 0x1b0 /* where the PF has PASID */
#define ELSEWHERE 0x200

/* ------------------------------------------------------------------------------ a kernel, played -- */

/* What is played. Tests use it one after the other. */
static struct {
	struct tree tree;
	int die_at; /* the write that is not made any more, from 1; 0: none */
	int writes;
	int cancel_at; /* the write at which the run is told to end, from 1; 0: none */
	volatile sig_atomic_t cancel;
	bool torn; /* the last thing that is written down is cut off */
	int hangs, fails; /* the index of a VF whose unbind hangs, whose bind fails; -1 */
	int verify; /* what comes of it */
	unsigned int verified;
	int count_error; /* of making VFs; 0 */
	int most; /* that the kernel makes, whatever is asked for; 0: as many as that */
	bool no_forget; /* a module that keeps nothing, and has no file to have it dropped */
	int vanish_at; /* the write of an attribute before which all devices go; 0: none */
	bool gone;
} world;

static inline const char *vf_name(int i)
{
	static const char *const name[VFS] = { "0000:01:02.0", "0000:01:02.2", "0000:01:02.4" };

	return name[i];
}

static inline bool autoprobe(void);

static inline int vf_index(const char *path)
{
	for (int i = 0; i < VFS; i++)
		if (strstr(path, vf_name(i)))
			return i;
	fail_msg("no VF in %s", path);
	return -1;
}

static inline void die_when_due(void)
{
	if (++world.writes == world.die_at)
		_exit(9);
	if (world.writes == world.cancel_at)
		world.cancel = SIGTERM;
}

static inline void put(int vf, const char *name, const char *text)
{
	char path[224];

	snprintf(path, sizeof(path), DEVICES "%s/%s", vf_name(vf), name);
	tree_text(&world.tree, path, text);
}

static inline void take(int vf, const char *name, int flags)
{
	char path[224];

	snprintf(path, sizeof(path), DEVICES "%s/%s", vf_name(vf), name);
	unlinkat(world.tree.fd, path, flags);
}

static inline void get_from(const char *dir, int vf, const char *name, char *buf, size_t size)
{
	char path[160];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s%s/%s", dir, vf_name(vf), name);
	fd = openat(world.tree.fd, path, O_RDONLY);
	n = fd < 0 ? 0 : read(fd, buf, size - 1);
	close(fd);
	buf[n > 0 ? n : 0] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
}

static inline void get(int vf, const char *name, char *buf, size_t size)
{
	get_from(DEVICES, vf, name, buf, size);
}

static inline void get_driver(int vf, char *buf, size_t size)
{
	char path[160], link[128];
	ssize_t n;

	snprintf(path, sizeof(path), DEVICES "%s/driver", vf_name(vf));
	n = readlinkat(world.tree.fd, path, link, sizeof(link) - 1);
	link[n > 0 ? n : 0] = '\0';
	snprintf(buf, size, "%s", n > 0 ? strrchr(link, '/') + 1 : "");
}

static const char *const knobs[] = { "pasid_offset", "pri_offset", "pasid_width", "pasid_shown",
				     "pri_shown",    "abi",	   "state" };

/* The driver keeps the knob of a VF over rebinding, here in a directory of its own. True: there was one to move. */
static inline bool move_knob(int vf, bool keep)
{
	char bound[64], kept[64];

	snprintf(bound, sizeof(bound), DEVICES "%s/vfcap", vf_name(vf));
	snprintf(kept, sizeof(kept), KEPT "%s", vf_name(vf));
	return !renameat(world.tree.fd, keep ? bound : kept, world.tree.fd, keep ? kept : bound);
}

static inline void drop_kept(int vf)
{
	char path[96];

	for (size_t i = 0; i < 7; i++) {
		snprintf(path, sizeof(path), KEPT "%s/%s", vf_name(vf), knobs[i]);
		unlinkat(world.tree.fd, path, 0);
	}
	snprintf(path, sizeof(path), KEPT "%s", vf_name(vf));
	unlinkat(world.tree.fd, path, AT_REMOVEDIR);
}

static inline void bind(int vf, const char *driver)
{
	char path[160], target[96];

	snprintf(path, sizeof(path), DEVICES "%s/driver", vf_name(vf));
	snprintf(target, sizeof(target), "../../drivers/%s", driver);
	tree_link(&world.tree, path, target);
	if (strcmp(driver, VFCAP_DRIVER) || move_knob(vf, false))
		return;
	put(vf, "vfcap/abi", "1\n");
	put(vf, "vfcap/state", "off\n");
	for (size_t i = 0; i < 5; i++) {
		snprintf(path, sizeof(path), "vfcap/%s", knobs[i]);
		put(vf, path, "0\n");
	}
}

static inline void unbind(int vf)
{
	take(vf, "driver", 0);
	move_knob(vf, true);
}

static inline int kernel_bind(int vf, const char *driver)
{
	char now[64], override[64];

	get_driver(vf, now, sizeof(now));
	get(vf, "driver_override", override, sizeof(override));
	if (now[0] || vf == world.fails)
		return -ENODEV;
	if (strcmp(override, "(null)") ? strcmp(override, driver) : !strcmp(driver, VFCAP_DRIVER))
		return -ENODEV;
	bind(vf, driver);
	return 0;
}

static inline int kernel_probe(int vf)
{
	char override[64];

	get(vf, "driver_override", override, sizeof(override));
	if (strcmp(override, "(null)") == 0 && !autoprobe())
		return 0;
	kernel_bind(vf, strcmp(override, "(null)") ? override : "iavf");
	return 0;
}

static inline void vanish(bool gone)
{
	static const char *const name[] = { "sys/bus/pci/devices", "sys/bus/pci/gone" };

	world.gone = gone;
	assert_int_equal(renameat(world.tree.fd, name[!gone], world.tree.fd, name[gone]), 0);
	if (gone)
		tree_dirs(&world.tree, DEVICES);
}

/* ------------------------------------------------------------------------------------------ count -- */

#define PF "0000:01:00.0"

static inline void put_pf(bool pasid_on);
static inline void put_vf(int i, bool broken);

static inline int count_vfs(void)
{
	char path[96];
	int n;

	for (n = 0; n < VFS; n++) {
		snprintf(path, sizeof(path), DEVICES PF "/virtfn%d", n);
		if (faccessat(world.tree.fd, path, F_OK, AT_SYMLINK_NOFOLLOW))
			break;
	}
	return n;
}

static inline bool autoprobe(void)
{
	char text[8] = "";
	int fd = openat(world.tree.fd, DEVICES PF "/sriov_drivers_autoprobe", O_RDONLY);

	assert_true(read(fd, text, sizeof(text) - 1) > 0);
	close(fd);
	return text[0] == '1';
}

static inline void remove_vf(int i)
{
	static const char *const files[] = { "config", "driver_override", "modalias", "physfn" };
	char path[96];

	unbind(i);
	drop_kept(i);
	for (size_t f = 0; f < 4; f++)
		take(i, files[f], 0);
	take(i, "", AT_REMOVEDIR);
	snprintf(path, sizeof(path), DEVICES PF "/virtfn%d", i);
	assert_int_equal(unlinkat(world.tree.fd, path, 0), 0);
}

static inline void create_vf(int i)
{
	char path[160], target[64];

	put_vf(i, false);
	snprintf(path, sizeof(path), DEVICES "%s/physfn", vf_name(i));
	tree_link(&world.tree, path, "../" PF);
	snprintf(path, sizeof(path), DEVICES PF "/virtfn%d", i);
	snprintf(target, sizeof(target), "../%s", vf_name(i));
	tree_link(&world.tree, path, target);
	if (autoprobe())
		bind(i, "iavf");
}

static inline int kernel_numvfs(int n)
{
	int now = count_vfs();

	if (n == now)
		return 0;
	if (n && now)
		return -EBUSY;
	if (n && world.count_error)
		return world.count_error;
	if (world.most && n > world.most)
		n = world.most;
	while (now > n)
		remove_vf(--now);
	while (now < n)
		create_vf(now++);
	put_pf(true);
	return 0;
}

static inline int kernel_forget(int vf, const char *now)
{
	if (world.no_forget)
		return -ENOENT;
	if (strcmp(now, VFCAP_DRIVER) == 0)
		return -EBUSY;
	drop_kept(vf);
	return 0;
}

/* The driver's rule that matters here: the two overlap nowhere. */
static inline bool overlaps(int vf, const char *name, const char *text)
{
	bool pri = strcmp(name, "vfcap/pri_offset") == 0;
	long at = strtol(text, NULL, 0), other;
	char there[32];

	if (!at || (!pri && strcmp(name, "vfcap/pasid_offset")))
		return false;
	get(vf, pri ? "vfcap/pasid_offset" : "vfcap/pri_offset", there, sizeof(there));
	other = strtol(there, NULL, 0);
	return other && at < other + (pri ? 8 : 16) && other < at + (pri ? 16 : 8);
}

static inline int kernel_attr(struct vfcap_host *h, const char *path, const char *text, int limit)
{
	const char *slash = strrchr(path, '/');
	char driver[64], now[64];

	(void)h;
	assert_true(limit > 0 || strstr(path, "/vfcap/"));
	die_when_due();
	if (world.vanish_at && !--world.vanish_at)
		vanish(true);
	if (world.gone)
		return -ENOENT;
	if (strcmp(slash, "/sriov_numvfs") == 0)
		return kernel_numvfs(atoi(text));
	if (strcmp(slash, "/sriov_drivers_autoprobe") == 0) {
		tree_text(&world.tree, path, text);
		return 0;
	}
	if (strcmp(slash, "/drivers_probe") == 0)
		return kernel_probe(vf_index(text));
	if (strncmp(path, DRIVERS, strlen(DRIVERS)) == 0) {
		assert_int_equal(sscanf(path, DRIVERS "%63[^/]", driver), 1);
		get_driver(vf_index(text), now, sizeof(now));
		if (strcmp(slash, "/bind") == 0)
			return kernel_bind(vf_index(text), driver);
		if (strcmp(slash, "/forget") == 0)
			return kernel_forget(vf_index(text), now);
		assert_string_equal(slash, "/unbind");
		assert_string_equal(now, driver);
		unbind(vf_index(text));
		return vf_index(text) == world.hangs ? -ETIMEDOUT : 0;
	}
	if (strcmp(slash, "/driver_override") == 0 && strcmp(text, "\n") == 0)
		text = "(null)\n";
	slash = path + strlen(DEVICES) + strlen(vf_name(0)) + 1;
	if (overlaps(vf_index(path), slash, text))
		return -EINVAL;
	put(vf_index(path), slash, text);
	return 0;
}

/* As the real ones, but for the disk: thousands of runs would wait for it. */
static inline int kernel_append(struct vfcap_host *h, int fd, const char *text)
{
	size_t len = strlen(text);

	(void)h;
	if (world.torn && world.writes + 1 == world.die_at)
		assert_int_equal(write(fd, text, len / 2), len / 2);
	die_when_due();
	return write(fd, text, len) == (ssize_t)len ? 0 : -EIO;
}

static inline int kernel_save(struct vfcap_host *h, int dir, const char *name, const char *text)
{
	int fd, err;

	die_when_due();
	fd = openat(dir, "new", O_WRONLY | O_CREAT | O_TRUNC, 0600);
	err = kernel_append(h, fd, text);
	close(fd);
	return err ? err : renameat(dir, "new", dir, name);
}

static inline int kernel_drop(struct vfcap_host *h, int dir, const char *name)
{
	(void)h;
	die_when_due();
	return unlinkat(dir, name, 0) && errno != ENOENT ? -errno : 0;
}

static inline bool kernel_there(const struct vfcap_host *h)
{
	(void)h;
	return true;
}

static inline int kernel_module(struct vfcap_host *h, bool load)
{
	(void)h;
	(void)load;
	return -ENOENT;
}

static const struct vfcap_ops played = {
	.has_kernel = kernel_there,
	.attr = kernel_attr,
	.append = kernel_append,
	.save = kernel_save,
	.drop = kernel_drop,
	.module = kernel_module,
};

static inline int play_verify(struct vfcap_function *vf, const char *token, bool writes,
			      struct vfcap_verdict *verdict)
{
	(void)token;
	assert_false(writes);
	assert_string_equal(vfcap_function_driver(vf), VFCAP_DRIVER);
	world.verified++;
	*verdict = (struct vfcap_verdict){ .has_knob = true };
	return world.verify ? vfcap_host_fail(vf->host, world.verify, "%s: not viable", vf->name) :
			      0;
}

/* ----------------------------------------------------------------------------------------- hosts -- */

static inline void put_pf(bool pasid_on)
{
	uint8_t cfg[VFCAP_CFG_SIZE] = { 0 };

	vfcap_put_le32(cfg, 0x15728086);
	vfcap_put_le32(cfg + 8, 0x02000001);
	gen_cap(cfg, 0x100, VFCAP_ID_AER, 2, 0x160);
	gen_cap(cfg, 0x160, VFCAP_ID_SRIOV, 1, PLACE);
	gen_put32(cfg, 0x160 + 0x08, count_vfs() ? 1 : 0);
	gen_put32(cfg, 0x160 + 0x0c, VFS | VFS << 16);
	gen_put32(cfg, 0x160 + 0x10, (uint32_t)count_vfs());
	gen_put32(cfg, 0x160 + 0x14, 0x10 | 2 << 16);
	gen_put32(cfg, 0x160 + 0x18, 0x154cu << 16);
	gen_cap(cfg, PLACE, VFCAP_ID_PASID, 1, 0);
	gen_put32(cfg, PLACE + 4, 20 << 8 | (pasid_on ? 1u << 16 : 0));
	tree_bytes(&world.tree, DEVICES PF "/config", cfg, sizeof(cfg));
}

static inline void put_vf(int i, bool broken)
{
	uint8_t cfg[VFCAP_CFG_SIZE] = { 0 };
	char path[96];

	vfcap_put_le32(cfg, 0xffffffff);
	vfcap_put_le32(cfg + 8, 0x02000001);
	gen_cap(cfg, 0x100, VFCAP_ID_AER, 2, broken ? 0x100 : 0);
	snprintf(path, sizeof(path), DEVICES "%s/config", vf_name(i));
	tree_bytes(&world.tree, path, cfg, sizeof(cfg));
	put(i, "driver_override", "(null)\n");
	put(i, "modalias", "pci:v00008086d0000154Csv00008086sd00000000bc02sc00i00\n");
}

/* Three VFs: one with its own driver, one with none, one that is ours and shows PASID elsewhere. */
static inline void world_new(void)
{
	memset(&world, 0, sizeof(world));
	world.hangs = world.fails = -1;
	tree_new(&world.tree);
	tree_text(&world.tree, "proc/sys/kernel/random/boot_id",
		  "6fd3c1b1-0000-4000-8000-0000deadbeef\n");
	tree_text(&world.tree, "proc/sys/kernel/osrelease", "6.12.48-test\n");
	tree_dirs(&world.tree, "run/");
	tree_dirs(&world.tree, KEPT);
	tree_dirs(&world.tree, DRIVERS "iavf/");
	tree_dirs(&world.tree, DRIVERS VFCAP_DRIVER "/");
	tree_dirs(&world.tree, DRIVERS "ice/");
	tree_text(&world.tree, DEVICES PF "/sriov_drivers_autoprobe", "0\n");
	tree_link(&world.tree, DEVICES PF "/driver", "../../drivers/ice");
	assert_int_equal(kernel_numvfs(VFS), 0);
	tree_text(&world.tree, DEVICES PF "/sriov_drivers_autoprobe", "1\n");
	bind(0, "iavf");
	put(2, "driver_override", VFCAP_DRIVER "\n");
	bind(2, VFCAP_DRIVER);
	put(2, "vfcap/pasid_offset", "0x200\n");
}

static inline void world_end(void)
{
	tree_free(&world.tree);
}

static inline struct vfcap *open_host(void)
{
	struct vfcap *ctx;

	assert_int_equal(vfcap_new(&ctx), 0);
	assert_int_equal(vfcap_set_sysroot(ctx, world.tree.dir), 0);
	assert_int_equal(vfcap_scan(ctx), 0);
	ctx->host.ops = &played;
	vfcap_set_cancel(ctx, &world.cancel);
	ctx->verify = play_verify;
	return ctx;
}

static inline struct vfcap_function *pf_of(struct vfcap *ctx)
{
	struct vfcap_function *pf = vfcap_function_first(ctx);

	assert_int_equal(vfcap_function_role(pf), VFCAP_ROLE_PF);
	assert_int_equal(vfcap_vf_count(pf), VFS);
	return pf;
}

/* What can be seen of all VFs; of one that is not bound to the driver, also what the driver keeps of it. */
static inline void snapshot(char *buf, size_t size)
{
	char driver[64], override[64], pasid[32], width[32];

	buf[0] = '\0';
	for (int i = 0; i < VFS; i++) {
		get_driver(i, driver, sizeof(driver));
		get(i, "driver_override", override, sizeof(override));
		get(i, "vfcap/pasid_offset", pasid, sizeof(pasid));
		get(i, "vfcap/pasid_width", width, sizeof(width));
		if (!pasid[0])
			get_from(KEPT, i, "pasid_offset", pasid, sizeof(pasid));
		snprintf(buf + strlen(buf), size - strlen(buf), "%s|%s|%ld|%s\n", driver, override,
			 strtol(pasid, NULL, 0), width);
	}
}

/* It was not done, for want of memory; who uses a VF cannot be found out then, which is refused. */
static inline bool is_without_memory(const struct vfcap_outcome *out)
{
	return out->result == VFCAP_FAILED ||
	       (out->result == VFCAP_REFUSED &&
		(out->code == VFCAP_OK || strstr(out->message, strerror(ENOMEM))));
}

static inline bool file_there(const char *path)
{
	return faccessat(world.tree.fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

#endif
