// SPDX-License-Identifier: GPL-2.0-or-later
#include "played.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tree.h"

#define OURS "vfcap-vfio-pci"
#define UP "../../../../"
#define BUS "sys/bus/pci/devices"
#define DEVICES "sys/devices/pci0000:01"
#define DEVICE DEVICES "/%s"
#define GROUPS "sys/kernel/iommu_groups"
#define SRIOV 0x320 /* where the PF has it */
#define ROOM 64

static const char *const vfs[VFS] = { "0000:01:00.1", "0000:01:00.2", "0000:01:00.3" };
static const char *const offsets[] = { "pasid_offset", "pri_offset" };

static int vf_index(const char *address)
{
	for (int i = 0; i < VFS; i++)
		if (strcmp(address, vfs[i]) == 0)
			return i;
	return -1;
}

static bool is_there(int root, const char *address)
{
	return tree_has(root, BUS "/%s", address);
}

static void driver_of(int root, const char *address, char buf[ROOM])
{
	tree_link_name(buf, ROOM, root, DEVICE "/driver", address);
}

static void override_of(int root, const char *address, char buf[ROOM])
{
	tree_get(buf, ROOM, root, DEVICE "/driver_override", address);
	if (strcmp(buf, "(null)") == 0)
		buf[0] = '\0';
}

/* ------------------------------------------------------------------------------------- drivers -- */

/* As the driver's own: what was written last is kept as long as the VF is there. */
static void attach_knob(int root, const char *vf)
{
	char kept[ROOM], dir[2 * ROOM];

	snprintf(kept, sizeof(kept), "kernel/kept/%s", vf);
	snprintf(dir, sizeof(dir), DEVICE "/vfcap", vf);
	if (tree_has(root, "%s", kept)) {
		tree_move(root, kept, dir);
		return;
	}
	tree_mkdir(root, "%s", dir);
	tree_put("1\n", root, "%s/abi", dir);
	tree_put("off\n", root, "%s/state", dir);
	tree_put("0\n", root, "%s/pasid_offset", dir);
	tree_put("0\n", root, "%s/pri_offset", dir);
	tree_put("0\n", root, "%s/pasid_width", dir);
	tree_put("0\n", root, "%s/pasid_shown", dir);
	tree_put("0\n", root, "%s/pri_shown", dir);
}

static void detach_knob(int root, const char *vf)
{
	char kept[ROOM], dir[2 * ROOM];

	snprintf(kept, sizeof(kept), "kernel/kept/%s", vf);
	snprintf(dir, sizeof(dir), DEVICE "/vfcap", vf);
	if (tree_has(root, "%s", dir))
		tree_move(root, dir, kept);
}

/* A file for a device and one for its group, which is its own. */
static void attach_vfio(int root, const char *vf)
{
	char group[ROOM], text[ROOM];
	int i = vf_index(vf);

	tree_link_name(group, sizeof(group), root, DEVICE "/iommu_group", vf);
	tree_mkdir(root, DEVICE "/vfio-dev", vf);
	tree_mkdir(root, DEVICE "/vfio-dev/vfio%d", vf, i);
	snprintf(text, sizeof(text), "511:%d\n", i);
	tree_put(text, root, DEVICE "/vfio-dev/vfio%d/dev", vf, i);
	tree_mkdir(root, "sys/class/vfio/%s", group);
	snprintf(text, sizeof(text), "510:%d\n", i);
	tree_put(text, root, "sys/class/vfio/%s/dev", group);
	tree_put("", root, "dev/vfio/%s", group);
}

static void attach(int root, const char *vf, const char *driver)
{
	char target[2 * ROOM];

	snprintf(target, sizeof(target), UP "sys/bus/pci/drivers/%s", driver);
	tree_link(target, root, DEVICE "/driver", vf);
	if (strstr(driver, "vfio"))
		attach_vfio(root, vf);
	if (strcmp(driver, OURS) == 0)
		attach_knob(root, vf);
	if (strcmp(driver, "iavf"))
		return;
	tree_mkdir(root, DEVICE "/net", vf);
	tree_mkdir(root, DEVICE "/net/ens1f0v%d", vf, vf_index(vf));
	tree_put("0x1002\n", root, DEVICE "/net/ens1f0v%d/flags", vf, vf_index(vf));
}

static void detach(int root, const char *vf)
{
	char group[ROOM];

	tree_link_name(group, sizeof(group), root, DEVICE "/iommu_group", vf);
	detach_knob(root, vf);
	tree_remove(root, DEVICE "/driver", vf);
	tree_remove(root, DEVICE "/net", vf);
	tree_remove(root, DEVICE "/vfio-dev", vf);
	tree_remove(root, "sys/class/vfio/%s", group);
	tree_remove(root, "dev/vfio/%s", group);
}

/* Linux drivers/base/dd.c: an override is the only driver that matches; none of VFIO does without. */
static bool matches(int root, const char *vf, const char *driver)
{
	char override[ROOM];

	override_of(root, vf, override);
	return strcmp(override[0] ? override : "iavf", driver) == 0;
}

static int bind_to(int root, const char *vf, const char *driver)
{
	char now[ROOM];

	if (vf_index(vf) < 0 || !is_there(root, vf) || !matches(root, vf, driver))
		return -ENODEV;
	driver_of(root, vf, now);
	if (now[0])
		return -EBUSY;
	attach(root, vf, driver);
	return 0;
}

static int unbind_from(int root, const char *vf, const char *driver)
{
	char now[ROOM];

	driver_of(root, vf, now);
	if (vf_index(vf) < 0 || !is_there(root, vf) || strcmp(now, driver))
		return -ENODEV;
	detach(root, vf);
	return 0;
}

/* What the driver keeps of a VF that it does not have. */
static int forget(int root, const char *vf)
{
	char now[ROOM];

	driver_of(root, vf, now);
	if (strcmp(now, OURS) == 0)
		return -EBUSY;
	tree_remove(root, "kernel/kept/%s", vf);
	return 0;
}

static int autoprobe(int root)
{
	char text[ROOM];

	tree_get(text, sizeof(text), root, DEVICE "/sriov_drivers_autoprobe", PF);
	return atoi(text);
}

/* Says nothing of what comes of it. Linux drivers/pci/pci-driver.c, pci_device_can_probe(). */
static int probe(int root, const char *vf)
{
	char override[ROOM];

	if (!is_there(root, vf))
		return -EINVAL;
	override_of(root, vf, override);
	if (override[0] || autoprobe(root))
		bind_to(root, vf, override[0] ? override : "iavf");
	return 0;
}

/* ---------------------------------------------------------------------------------------- count -- */

static int count(int root)
{
	int n = 0;

	while (n < VFS && tree_has(root, DEVICE "/virtfn%d", PF, n))
		n++;
	return n;
}

static void join_group(int root, const char *address, bool join)
{
	char group[ROOM], target[2 * ROOM];

	tree_link_name(group, sizeof(group), root, DEVICE "/iommu_group", address);
	tree_remove(root, GROUPS "/%s/devices/%s", group, address);
	if (!join) {
		tree_remove(root, GROUPS "/%s", group);
		return;
	}
	tree_mkdir(root, GROUPS "/%s", group);
	tree_mkdir(root, GROUPS "/%s/devices", group);
	snprintf(target, sizeof(target), UP "../" DEVICE, address);
	tree_link(target, root, GROUPS "/%s/devices/%s", group, address);
}

static void remove_vf(int root, int i)
{
	char from[ROOM], to[ROOM];

	if (tree_has(root, DEVICE "/driver", vfs[i]))
		detach(root, vfs[i]);
	join_group(root, vfs[i], false);
	tree_remove(root, BUS "/%s", vfs[i]);
	tree_remove(root, DEVICE "/virtfn%d", PF, i);
	tree_remove(root, "kernel/kept/%s", vfs[i]);
	snprintf(from, sizeof(from), DEVICE, vfs[i]);
	snprintf(to, sizeof(to), "kernel/gone/%s", vfs[i]);
	tree_move(root, from, to);
}

static void create_vf(int root, int i)
{
	char from[ROOM], to[ROOM], target[2 * ROOM];

	snprintf(from, sizeof(from), "kernel/gone/%s", vfs[i]);
	snprintf(to, sizeof(to), DEVICE, vfs[i]);
	tree_move(root, from, to);
	tree_put("(null)\n", root, DEVICE "/driver_override", vfs[i]);
	snprintf(target, sizeof(target), UP DEVICE, vfs[i]);
	tree_link(target, root, BUS "/%s", vfs[i]);
	tree_link(target, root, DEVICE "/virtfn%d", PF, i);
	join_group(root, vfs[i], true);
	if (autoprobe(root))
		attach(root, vfs[i], "iavf");
}

/* What the PF's config space says of it: VF Enable and NumVFs. */
static void put_count(int root, int n)
{
	unsigned char enable = n > 0, num[2] = { (unsigned char)n, 0 };
	int fd = openat(root, DEVICES "/" PF "/config", O_WRONLY | O_CLOEXEC);
	char text[16];

	if (pwrite(fd, &enable, 1, SRIOV + 8) != 1 || pwrite(fd, num, 2, SRIOV + 0x10) != 2)
		die("config: %s", strerror(errno));
	close(fd);
	snprintf(text, sizeof(text), "%d\n", n);
	tree_put(text, root, DEVICE "/sriov_numvfs", PF);
}

/* VFs that were made anew are others, though they may look the same. */
static void note_made(int root)
{
	char text[ROOM];

	tree_get(text, sizeof(text), root, "kernel/made");
	snprintf(text, sizeof(text), "%d\n", atoi(text) + 1);
	tree_put(text, root, "kernel/made");
}

static int set_count(int root, int n)
{
	int now = count(root);

	put_count(root, now);
	if (n == now)
		return 0;
	if (n < 0 || n > VFS)
		return -ERANGE;
	if (n && now)
		return -EBUSY;
	while (now > n)
		remove_vf(root, --now);
	while (now < n)
		create_vf(root, now++);
	put_count(root, n);
	note_made(root);
	return 0;
}

/* ------------------------------------------------------------------------------------ attributes -- */

static int set_override(int root, const char *address, const char *text)
{
	char line[ROOM];

	snprintf(line, sizeof(line), "%.*s\n", (int)strcspn(text, "\n"), text);
	tree_put(line[0] == '\n' ? "(null)\n" : line, root, DEVICE "/driver_override", address);
	return 0;
}

static bool is_off(int root, const char *dir)
{
	char text[ROOM];
	bool off = true;

	for (size_t i = 0; i < 2; i++) {
		tree_get(text, sizeof(text), root, "%s/%s", dir, offsets[i]);
		off &= strtol(text, NULL, 0) == 0;
	}
	return off;
}

/* The checks that vfcap never comes near are not played. */
static int set_knob(int root, const char *dir, const char *name, const char *text)
{
	bool width = strcmp(name, "pasid_width") == 0;
	long value = strtol(text, NULL, 0);
	char line[ROOM];

	snprintf(line, sizeof(line), value && !width ? "0x%lx\n" : "%ld\n", value);
	tree_put(line, root, "%s/%s", dir, name);
	tree_put(is_off(root, dir) ? "off\n" : "ready\n", root, "%s/state", dir);
	return 0;
}

/* The last two directories of a path, and what is in them. */
struct parts {
	char path[512], *name, *dir, *parent;
};

static bool split(const char *path, struct parts *p)
{
	snprintf(p->path, sizeof(p->path), "/%s", path);
	p->name = strrchr(p->path, '/');
	*p->name++ = '\0';
	p->dir = strrchr(p->path, '/');
	if (!p->dir)
		return false;
	*p->dir++ = '\0';
	p->parent = strrchr(p->path, '/');
	return p->parent++ != NULL;
}

int played_write(int root, const char *path, const char *text)
{
	char dir[512];
	struct parts p;

	if (strncmp(path, "sys/", 4) || !split(path, &p))
		return 0;
	snprintf(dir, sizeof(dir), "%.*s", (int)(strrchr(path, '/') - path), path);
	if (strcmp(p.name, "driver_override") == 0)
		return set_override(root, p.dir, text);
	if (strcmp(p.name, "sriov_numvfs") == 0)
		return set_count(root, atoi(text));
	if (strcmp(p.name, "sriov_drivers_autoprobe") == 0) {
		tree_put(atoi(text) ? "1\n" : "0\n", root, "%s", path);
		return 0;
	}
	if (strcmp(p.dir, "vfcap") == 0)
		return set_knob(root, dir, p.name, text);
	tree_put("", root, "%s", path);
	if (strcmp(p.name, "bind") == 0)
		return bind_to(root, text, p.dir);
	if (strcmp(p.name, "unbind") == 0)
		return unbind_from(root, text, p.dir);
	if (strcmp(p.name, "forget") == 0)
		return vf_index(text) < 0 ? -EINVAL : forget(root, text);
	return strcmp(p.name, "drivers_probe") == 0 ? probe(root, text) : -EINVAL;
}

/* ---------------------------------------------------------------------------------------- processes -- */

#define PROC "proc/4711"

long played_statfs(const char *path)
{
	if (strcmp(path, "sys") == 0 || strncmp(path, "sys/", 4) == 0)
		return SYSFS_MAGIC;
	return strcmp(path, "proc") == 0 || strncmp(path, "proc/", 5) == 0 ? PROC_SUPER_MAGIC :
									     TMPFS_MAGIC;
}

bool played_device(int root, const char *dir, const char *name, unsigned int *major,
		   unsigned int *minor)
{
	char text[ROOM];

	if (strncmp(dir, "proc/", 5) || strcmp(strrchr(dir, '/'), "/fd"))
		return false;
	tree_get(text, sizeof(text), root, "%s/%s", dir, name);
	return sscanf(text, "%u:%u", major, minor) == 2;
}

void played_settle(int root)
{
	char text[ROOM];

	for (int i = 0; i < VFS; i++) {
		if (!tree_has(root, DEVICE "/driver_override", vfs[i]))
			continue;
		override_of(root, vfs[i], text);
		set_override(root, vfs[i], text);
	}
}

void played_hold(int root, int i)
{
	char group[ROOM], text[ROOM];

	tree_link_name(group, sizeof(group), root, DEVICE "/iommu_group", vfs[i]);
	tree_get(text, sizeof(text), root, "sys/class/vfio/%s/dev", group);
	tree_put(text, root, PROC "/fd/12");
}

/* ---------------------------------------------------------------------------------------- all of it -- */

void played_begin(int root)
{
	char driver[ROOM];

	tree_link("99", root, "proc/self");
	tree_mkdir(root, "proc/1/ns");
	tree_link("pid:[4026531836]", root, "proc/1/ns/pid"); /* the host's, not a container's */
	tree_put("", root, PROC "/fd/0");
	join_group(root, PF, true);
	for (int i = 0; i < VFS; i++) {
		join_group(root, vfs[i], true);
		driver_of(root, vfs[i], driver);
		tree_remove(root, DEVICE "/driver", vfs[i]);
		if (driver[0])
			attach(root, vfs[i], driver);
	}
	tree_put("", root, "sys/bus/pci/drivers/" OURS "/forget");
	put_count(root, VFS);
}

void played_elsewhere(int root, int i)
{
	unbind_from(root, vfs[i], OURS);
	set_override(root, vfs[i], "\n");
	bind_to(root, vfs[i], "iavf");
}

void played_look(int root, char *buf, size_t size)
{
	char driver[ROOM], override[ROOM], pasid[ROOM], pri[ROOM], width[ROOM];
	size_t n;

	n = (size_t)snprintf(buf, size, "%d VFs, autoprobe %d", count(root), autoprobe(root));
	for (int i = 0; i < VFS && n < size; i++) {
		if (!is_there(root, vfs[i]))
			continue;
		driver_of(root, vfs[i], driver);
		override_of(root, vfs[i], override);
		tree_get(pasid, sizeof(pasid), root, DEVICE "/vfcap/pasid_offset", vfs[i]);
		tree_get(pri, sizeof(pri), root, DEVICE "/vfcap/pri_offset", vfs[i]);
		tree_get(width, sizeof(width), root, DEVICE "/vfcap/pasid_width", vfs[i]);
		n += (size_t)snprintf(buf + n, size - n, "; %s (%s) %s %s %s", driver, override,
				      pasid, pri, width);
	}
}
