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

static int read_hex(const struct vfcap_host *h, const char *unit, const char *name, uint64_t *val)
{
	char path[128], text[64];
	ssize_t n;

	snprintf(path, sizeof(path), CLASS_IOMMU "/%s/%s", unit, name);
	n = vfcap_root_read(h->root, path, text, sizeof(text));
	if (n < 0)
		return (int)n;
	return vfcap_iommu_parse(text, val) ? 0 : -EINVAL;
}

/*
 * Linux drivers/iommu/intel/iommu.c (ecap_show) and drivers/iommu/amd/init.c (amd_iommu_show_cap,
 * amd_iommu_show_features); other drivers put nothing there, which is -ENOENT.
 */
static int read_unit(const struct vfcap_host *h, struct vfcap_iommu *unit)
{
	uint64_t cap = 0;
	int err = -ENOENT;

	if (strncmp(unit->name, "dmar", 4) == 0) {
		unit->kind = VFCAP_IOMMU_INTEL;
		err = read_hex(h, unit->name, "intel-iommu/ecap", &unit->features);
	} else if (strncmp(unit->name, "ivhd", 4) == 0) {
		unit->kind = VFCAP_IOMMU_AMD;
		err = read_hex(h, unit->name, "amd-iommu/features", &unit->features);
		if (!err)
			err = read_hex(h, unit->name, "amd-iommu/cap", &cap);
		unit->cap = (uint32_t)cap;
	}
	unit->known = !err;
	return err;
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
		(void)read_unit(h, &unit[(*n)++]); /* or it is not known */
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

/* Linux drivers/iommu/intel/dmar.c (pasid_supported()) and drivers/iommu/amd/init.c (iommu_init_pci()). */
uint8_t vfcap_iommu_width(const struct vfcap_iommu *iommu)
{
	const uint64_t intel = ECAP_PASID | ECAP_SMTS;

	if (!iommu || !iommu->known)
		return 0;
	if (iommu->kind == VFCAP_IOMMU_INTEL && (iommu->features & intel) == intel)
		return (uint8_t)(((iommu->features & ECAP_PSS) >> 35) + 1);
	if (iommu->kind == VFCAP_IOMMU_AMD && iommu->features & EFR_GT)
		return (uint8_t)((iommu->features & EFR_PASMAX) >> 32);
	return 0;
}

int vfcap_iommu_read_width(const struct vfcap_function *fn, uint8_t *width)
{
	const struct vfcap_root *root = fn->host->root;
	struct vfcap_iommu unit = { .known = false };
	char path[VFCAP_SYSFS_PATH];
	ssize_t n = -ENOENT;

	*width = 0;
	if (root)
		n = vfcap_root_read_link_name(root, vfcap_sysfs_path(fn, "iommu", path), unit.name,
					      sizeof(unit.name));
	if (n == -ENOENT && fn->pf)
		return vfcap_iommu_read_width(fn->pf, width);
	if (n >= 0)
		n = read_unit(fn->host, &unit);
	if (n < 0 && n != -ENOENT)
		return vfcap_host_fail(fn->host, (int)n, "%s: IOMMU%s%s: %s", fn->name,
				       unit.name[0] ? " " : "", unit.name, vfcap_strerror((int)n));
	/* Linux counts AMD's since 6.7; before, it limits nothing. */
	if (unit.kind != VFCAP_IOMMU_AMD || fn->host->release >= VFCAP_RELEASE(6, 7))
		*width = vfcap_iommu_width(&unit);
	return 0;
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
