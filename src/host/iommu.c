// SPDX-License-Identifier: GPL-2.0-or-later
/* The IOMMUs that a root's sysfs tells of, and what is below which of them. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sysfs.h"
#include "system.h"

#define CLASS_IOMMU "sys/class/iommu"
#define GROUPS "sys/kernel/iommu_groups"

/* Hexadecimal without 0x, as all attributes of IOMMUs are; AMD's features go on behind a colon. */
bool vfcap_iommu_parse(const char *text, uint64_t *val)
{
	char *end;

	if (!isxdigit((unsigned char)*text))
		return false;
	errno = 0;
	*val = strtoull(text, &end, 16);
	return !errno && (!*end || *end == ':');
}

static bool read_hex(const struct vfcap_host *h, const char *unit, const char *name, uint64_t *val)
{
	char path[128], text[64];

	snprintf(path, sizeof(path), CLASS_IOMMU "/%s/%s", unit, name);
	return vfcap_root_read(h->root, path, text, sizeof(text)) > 0 &&
	       vfcap_iommu_parse(text, val);
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
	cleanup_names struct vfcap_names names = { 0 };
	struct vfcap_iommu *unit;
	int err = h->root ? vfcap_root_list(h->root, CLASS_IOMMU, &names) : -ENOENT;

	*out = NULL;
	*n = 0;
	if (err)
		return err;
	*out = unit = calloc(names.n ? names.n : 1, sizeof(*unit));
	if (!unit)
		return -ENOMEM;
	for (size_t i = 0; i < names.n; i++) {
		if (names.name[i][0] == '.' || strlen(names.name[i]) >= sizeof(unit->name))
			continue;
		strcpy(unit[*n].name, names.name[i]);
		read_unit(h, &unit[(*n)++]);
	}
	if (*n)
		qsort(unit, *n, sizeof(*unit), by_name);
	return 0;
}

const char *vfcap_iommu_name(const struct vfcap_function *fn, char buf[40])
{
	char path[VFCAP_SYSFS_PATH];

	if (!fn->host->root ||
	    vfcap_root_read_link_name(fn->host->root, vfcap_sysfs_path(fn, "iommu", path), buf,
				      40) < 0)
		buf[0] = '\0';
	return buf;
}

int vfcap_iommu_groups(const struct vfcap_host *h)
{
	cleanup_names struct vfcap_names names = { 0 };
	int n = 0;

	if (!h->root || vfcap_root_list(h->root, GROUPS, &names))
		return -1;
	for (size_t i = 0; i < names.n; i++)
		n += isdigit((unsigned char)names.name[i][0]) != 0;
	return n;
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
