// SPDX-License-Identifier: GPL-2.0-or-later
/* The IOMMUs that a root's sysfs tells of, and what is below which of them. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sysfs.h"
#include "system.h"

#define CLASS_IOMMU "sys/class/iommu"
#define GROUPS "sys/kernel/iommu_groups"

static void cleanup_closedir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

static DIR *open_dir(const struct vfcap_host *h, const char *path)
{
	int fd = h->root ? vfcap_root_openat(h->root, path, O_RDONLY | O_DIRECTORY) : -ENOENT;
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir && fd >= 0)
		close(fd);
	return dir;
}

/* Hexadecimal without 0x, as all attributes of IOMMUs are; AMD's features go on behind a colon. */
static bool read_hex(const struct vfcap_host *h, const char *unit, const char *name, uint64_t *val)
{
	char path[128], text[64], *end;

	snprintf(path, sizeof(path), CLASS_IOMMU "/%s/%s", unit, name);
	if (vfcap_root_read(h->root, path, text, sizeof(text)) <= 0)
		return false;
	*val = strtoull(text, &end, 16);
	return end != text && (!*end || *end == ':');
}

/*
 * Linux drivers/iommu/intel/iommu.c (ecap_show) and drivers/iommu/amd/init.c (amd_iommu_show_cap,
 * amd_iommu_show_features); other drivers put nothing there.
 */
static void read_unit(const struct vfcap_host *h, struct vfcap_iommu *unit)
{
	uint64_t cap = 0;

	if (strncmp(unit->name, "dmar", 4) == 0) {
		unit->kind = VFCAP_IOMMU_INTEL;
		unit->known = read_hex(h, unit->name, "intel-iommu/ecap", &unit->features);
	} else if (strncmp(unit->name, "ivhd", 4) == 0) {
		unit->kind = VFCAP_IOMMU_AMD;
		unit->known = read_hex(h, unit->name, "amd-iommu/features", &unit->features) &&
			      read_hex(h, unit->name, "amd-iommu/cap", &cap);
		unit->cap = (uint32_t)cap;
	}
}

/* "dmar2" before "dmar10". */
static int by_name(const void *a, const void *b)
{
	return strverscmp(((const struct vfcap_iommu *)a)->name,
			  ((const struct vfcap_iommu *)b)->name);
}

int vfcap_iommus_read(const struct vfcap_host *h, struct vfcap_iommu **out, size_t *n)
{
	VFCAP_CLEANUP(cleanup_closedir) DIR *dir = open_dir(h, CLASS_IOMMU);
	cleanup_free struct vfcap_iommu *unit = NULL;
	struct dirent *e;

	*out = NULL;
	*n = 0;
	while (dir && (e = readdir(dir))) {
		struct vfcap_iommu *more;

		if (e->d_name[0] == '.' || strlen(e->d_name) >= sizeof(unit->name))
			continue;
		more = vfcap_more(unit, *n, sizeof(*unit));
		if (!more)
			return -ENOMEM;
		unit = more;
		unit[*n] = (struct vfcap_iommu){ 0 };
		strcpy(unit[*n].name, e->d_name);
		read_unit(h, &unit[(*n)++]);
	}
	if (*n)
		qsort(unit, *n, sizeof(*unit), by_name);
	*out = unit;
	unit = NULL;
	return dir ? 0 : -ENOENT;
}

const char *vfcap_iommu_name(const struct vfcap_function *fn, char buf[40])
{
	char path[VFCAP_SYSFS_PATH], link[4096], *slash;
	cleanup_close int dir = -1;
	ssize_t n = -1;

	if (fn->host->root)
		dir = vfcap_root_openat(fn->host->root, vfcap_sysfs_path(fn, "", path),
					O_PATH | O_DIRECTORY);
	if (dir >= 0)
		n = readlinkat(dir, "iommu", link, sizeof(link) - 1);
	link[n < 0 ? 0 : n] = '\0';
	slash = strrchr(link, '/');
	snprintf(buf, 40, "%.39s", slash ? slash + 1 : link);
	return buf;
}

int vfcap_iommu_groups(const struct vfcap_host *h)
{
	VFCAP_CLEANUP(cleanup_closedir) DIR *dir = open_dir(h, GROUPS);
	struct dirent *e;
	int n = 0;

	while (dir && (e = readdir(dir)))
		n += isdigit((unsigned char)e->d_name[0]) != 0;
	return dir ? n : -1;
}

/* ------------------------------------------------------------------------------------- groups -- */

static bool is_vfio_driver(const char *driver)
{
	return strstr(driver, "vfio") || strcmp(driver, "pci-stub") == 0;
}

/* A bridge's driver may stay; so may a device without one. */
static void add_other(const struct vfcap_function *other, struct vfcap_group_facts *group)
{
	bool bridge = other->has_ids && other->class_code >> 8 == 0x0604;

	group->n_others++;
	if (!other->driver || bridge || is_vfio_driver(other->driver))
		return;
	if (!group->n_strange++)
		snprintf(group->strange, sizeof(group->strange), "%s (%.32s)", other->name,
			 other->driver);
}

void vfcap_group_read(const struct vfcap_function *fn, struct vfcap_group_facts *group)
{
	const struct vfcap_host *h = fn->host;

	*group = (struct vfcap_group_facts){ .known = fn->iommu_group >= 0 };
	for (size_t i = 0; group->known && i < h->n; i++)
		if (h->fn[i] != fn && h->fn[i]->iommu_group == fn->iommu_group)
			add_other(h->fn[i], group);
}
