// SPDX-License-Identifier: GPL-2.0-or-later
/* Who uses a VF, and which driver of VFIO would rather have it. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "change.h"
#include "sysfs.h"

static void cleanup_closedir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

static DIR *open_dir(const struct vfcap_host *h, const char *path)
{
	int fd = vfcap_root_openat(h->root, path, O_RDONLY | O_DIRECTORY);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir && fd >= 0)
		close(fd);
	return dir;
}

/* ----------------------------------------------------------------------------------- holders -- */

static int add_holder(struct vfcap_holders *holders, const struct vfcap_holder *holder)
{
	struct vfcap_holder *more = vfcap_more(holders->holder, holders->n, sizeof(*more));

	if (!more)
		return -ENOMEM;
	holders->holder = more;
	more[holders->n++] = *holder;
	return 0;
}

/* "/dev/vfio/14", in whatever mount namespace, gone or not; not /dev/vfio/vfio, which is nobody's. */
static bool device_of_link(const char *link, char device[32])
{
	const char *name = strstr(link, "/dev/vfio/");
	size_t len;

	if (!name)
		return false;
	name += strlen("/dev/vfio/");
	len = strcspn(name, " ");
	if (!len || len >= 32 || strcmp(name, "vfio") == 0)
		return false;
	memcpy(device, name, len);
	device[len] = '\0';
	return true;
}

static int scan_process(struct vfcap_host *h, int pid, struct vfcap_holders *holders)
{
	VFCAP_CLEANUP(cleanup_closedir) DIR *dir = NULL;
	struct vfcap_holder holder = { .pid = pid };
	char path[64], link[256];
	struct dirent *e;
	int err = 0;

	snprintf(path, sizeof(path), "proc/%d/fd", pid);
	dir = open_dir(h, path);
	while (dir && !err && (e = readdir(dir))) {
		ssize_t n = readlinkat(dirfd(dir), e->d_name, link, sizeof(link) - 1);

		if (n <= 0)
			continue;
		link[n] = '\0';
		if (!device_of_link(link, holder.device))
			continue;
		snprintf(path, sizeof(path), "proc/%d/comm", pid);
		if (vfcap_root_read(h->root, path, holder.command, sizeof(holder.command)) < 0)
			holder.command[0] = '\0';
		err = add_holder(holders, &holder);
	}
	return err;
}

int vfcap_holders_scan(struct vfcap_host *h, struct vfcap_holders *holders)
{
	VFCAP_CLEANUP(cleanup_closedir) DIR *dir = open_dir(h, "proc");
	int self = vfcap_root_has_kernel(h->root) ? getpid() : 0; /* who says so may have it open */
	struct dirent *e;
	int err = 0;

	*holders = (struct vfcap_holders){ 0 };
	while (dir && !err && (e = readdir(dir)))
		if (isdigit((unsigned char)e->d_name[0]) && atoi(e->d_name) != self)
			err = scan_process(h, atoi(e->d_name), holders);
	return err ? vfcap_host_fail(h, err, "%s", strerror(-err)) : 0;
}

void vfcap_holders_free(struct vfcap_holders *holders)
{
	free(holders->holder);
	*holders = (struct vfcap_holders){ 0 };
}

static const struct vfcap_holder *find_holder(const struct vfcap_holders *holders,
					      const char *device)
{
	for (size_t i = 0; i < holders->n; i++)
		if (strcmp(holders->holder[i].device, device) == 0)
			return &holders->holder[i];
	return NULL;
}

/* --------------------------------------------------------------------------------------- VFIO -- */

static const struct vfcap_holder *group_holder(const struct vfcap_function *vf,
					       const struct vfcap_holders *holders)
{
	const struct vfcap_holder *holder;
	char device[32];

	if (vf->iommu_group < 0)
		return NULL;
	snprintf(device, sizeof(device), "%d", vf->iommu_group);
	holder = find_holder(holders, device);
	if (holder)
		return holder;
	snprintf(device, sizeof(device), "noiommu-%d", vf->iommu_group);
	return find_holder(holders, device);
}

static const struct vfcap_holder *cdev_holder(struct vfcap_function *vf,
					      const struct vfcap_holders *holders)
{
	VFCAP_CLEANUP(cleanup_closedir) DIR *dir = NULL;
	const struct vfcap_holder *holder = NULL;
	char path[VFCAP_SYSFS_PATH], device[300];
	struct dirent *e;

	dir = open_dir(vf->host, vfcap_sysfs_path(vf, "vfio-dev", path));
	while (dir && !holder && (e = readdir(dir))) {
		snprintf(device, sizeof(device), "devices/%s", e->d_name);
		holder = find_holder(holders, device);
	}
	return holder;
}

static bool is_vfio(struct vfcap_function *vf)
{
	char path[VFCAP_SYSFS_PATH];
	cleanup_close int fd = vfcap_root_openat(
		vf->host->root, vfcap_sysfs_path(vf, "vfio-dev", path), O_PATH | O_DIRECTORY);

	return fd >= 0;
}

/* ------------------------------------------------------------------------------------ network -- */

/* Looks at the netdevs in a directory "net". One that is there and empty belongs to a driver whose
 * netdev lives in another namespace: sysfs shows only those of ours. */
static bool look_at_net(const struct vfcap_host *h, const char *path, struct vfcap_use *use)
{
	VFCAP_CLEANUP(cleanup_closedir) DIR *dir = open_dir(h, path);
	char file[VFCAP_SYSFS_PATH + 400], text[32];
	bool empty = true;
	struct dirent *e;

	while (dir && (e = readdir(dir))) {
		if (e->d_name[0] == '.')
			continue;
		empty = false;
		snprintf(file, sizeof(file), "%s/%s/flags", path, e->d_name);
		if (vfcap_root_read(h->root, file, text, sizeof(text)) <= 0 ||
		    !(strtoul(text, NULL, 0) & 1)) /* IFF_UP */
			continue;
		use->kind = VFCAP_USE_NETDEV_UP;
		snprintf(use->name, sizeof(use->name), "%.*s", (int)sizeof(use->name) - 1,
			 e->d_name);
		return true;
	}
	if (dir && empty)
		use->kind = VFCAP_USE_NETDEV_AWAY;
	return dir && empty;
}

static void netdev_use(struct vfcap_function *vf, struct vfcap_use *use)
{
	VFCAP_CLEANUP(cleanup_closedir) DIR *dir = NULL;
	char path[VFCAP_SYSFS_PATH], net[VFCAP_SYSFS_PATH + 300];
	struct dirent *e;

	if (look_at_net(vf->host, vfcap_sysfs_path(vf, "net", path), use))
		return;
	dir = open_dir(vf->host, vfcap_sysfs_path(vf, "", path));
	while (dir && use->kind == VFCAP_USE_NONE && (e = readdir(dir))) {
		if (strncmp(e->d_name, "virtio", 6))
			continue;
		snprintf(net, sizeof(net), "%s%s/net", path, e->d_name);
		look_at_net(vf->host, net, use);
	}
}

/* ---------------------------------------------------------------------------------------- all -- */

static void set_holder(struct vfcap_use *use, const struct vfcap_holder *holder)
{
	use->pid = holder->pid;
	snprintf(use->name, sizeof(use->name), "%s", holder->command);
}

bool vfcap_use_holder(struct vfcap_function *fn, struct vfcap_use *use)
{
	const struct vfcap_holder *holder = NULL;
	struct vfcap_holders holders;

	*use = (struct vfcap_use){ 0 };
	if (!vfcap_holders_scan(fn->host, &holders))
		holder = cdev_holder(fn, &holders);
	if (!holder)
		holder = group_holder(fn, &holders);
	if (holder)
		set_holder(use, holder);
	vfcap_holders_free(&holders);
	return holder;
}

void vfcap_use_find(struct vfcap_function *vf, const struct vfcap_binding *b,
		    const struct vfcap_holders *holders, struct vfcap_use *use)
{
	const struct vfcap_holder *holder = NULL;

	*use = (struct vfcap_use){ 0 };
	if (b->driver[0])
		holder = cdev_holder(vf, holders);
	if (!holder)
		holder = group_holder(vf, holders);
	if (b->unbinding)
		use->kind = VFCAP_USE_UNBINDING;
	else if (holder && b->driver[0])
		use->kind = VFCAP_USE_HELD;
	else if (strncmp(b->knob.state, "open", 4) == 0)
		use->kind = VFCAP_USE_OPEN;
	else if (b->driver[0])
		netdev_use(vf, use);
	if (holder && (use->kind == VFCAP_USE_HELD || use->kind == VFCAP_USE_UNBINDING))
		set_holder(use, holder);
}

/* ----------------------------------------------------------------------------------- variants -- */

#define VARIANT_ALIAS "alias vfio_pci:"

static int add_variant(struct vfcap_variants *variants, const char *line)
{
	char(*more)[2][160] = vfcap_more(variants->line, variants->n, sizeof(*more));

	if (!more)
		return -ENOMEM;
	variants->line = more;
	if (sscanf(line, VARIANT_ALIAS "%159s %159s", more[variants->n][0], more[variants->n][1]) ==
		    2 &&
	    strcmp(more[variants->n][1], "vfio_pci") && strcmp(more[variants->n][1], VFCAP_MODULE))
		variants->n++;
	return 0;
}

int vfcap_variants_load(struct vfcap_host *h, struct vfcap_variants *variants)
{
	char release[128], path[192], *line = NULL;
	cleanup_fclose FILE *file = NULL;
	size_t room = 0;
	int err = 0;

	*variants = (struct vfcap_variants){ 0 };
	if (vfcap_root_read(h->root, "proc/sys/kernel/osrelease", release, sizeof(release)) <= 0)
		return 0;
	snprintf(path, sizeof(path), "lib/modules/%s/modules.alias", release);
	file = vfcap_text_open(h->root, path);
	while (file && !err && getline(&line, &room, file) > 0)
		if (strncmp(line, VARIANT_ALIAS, sizeof(VARIANT_ALIAS) - 1) == 0)
			err = add_variant(variants, line);
	free(line);
	return err ? vfcap_host_fail(h, err, "%s", strerror(-err)) : 0;
}

void vfcap_variants_free(struct vfcap_variants *variants)
{
	free(variants->line);
	*variants = (struct vfcap_variants){ 0 };
}

bool vfcap_variant_find(struct vfcap_function *vf, const struct vfcap_binding *b,
			const struct vfcap_variants *variants, char buf[VFCAP_NAME_ROOM])
{
	char path[VFCAP_SYSFS_PATH], text[256];

	if (b->driver[0] && strcmp(b->driver, "vfio-pci") && strcmp(b->driver, VFCAP_DRIVER) &&
	    is_vfio(vf)) {
		memcpy(buf, b->driver, VFCAP_NAME_ROOM);
		return true;
	}
	if (vfcap_root_read(vf->host->root, vfcap_sysfs_path(vf, "modalias", path), text,
			    sizeof(text)) <= 0 ||
	    strncmp(text, "pci:", 4))
		return false;
	for (size_t i = 0; i < variants->n; i++)
		if (fnmatch(variants->line[i][0], text + 4, 0) == 0) {
			snprintf(buf, VFCAP_NAME_ROOM, "%.63s", variants->line[i][1]);
			return true;
		}
	return false;
}
