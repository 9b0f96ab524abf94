// SPDX-License-Identifier: GPL-2.0-or-later
/* What the kernel under a root is made of: its configuration, its modules, what they export. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "change.h"
#include "system.h"

struct release {
	char text[96];
};

/* The text of a path that may have the release in it, at a %; the path in path, "" where there is none. */
static FILE *open_form(const struct vfcap_host *h, const struct release *release, const char *form,
		       char *path, size_t size)
{
	const char *mark = strchrnul(form, '%');
	FILE *file;

	snprintf(path, size, "%.*s%s%s", (int)(mark - form), form, *mark ? release->text : "",
		 *mark ? mark + 1 : "");
	file = vfcap_text_open(h->root, path);
	if (!file)
		path[0] = '\0';
	return file;
}

/* ------------------------------------------------------------------------------- configuration -- */

static const char *const configs[VFCAP_CONFIGS] = {
	[VFCAP_CONFIG_IOV] = "CONFIG_PCI_IOV",
	[VFCAP_CONFIG_ATS] = "CONFIG_PCI_ATS",
	[VFCAP_CONFIG_PRI] = "CONFIG_PCI_PRI",
	[VFCAP_CONFIG_PASID] = "CONFIG_PCI_PASID",
	[VFCAP_CONFIG_IOMMUFD] = "CONFIG_IOMMUFD",
	[VFCAP_CONFIG_CDEV] = "CONFIG_VFIO_DEVICE_CDEV",
	[VFCAP_CONFIG_SCALABLE] = "CONFIG_INTEL_IOMMU_SCALABLE_MODE_DEFAULT_ON",
};

const char *vfcap_config_name(enum vfcap_config config)
{
	return configs[config];
}

/* What is off is a comment, or is not there at all. False: there is nothing in it, or it could not be
 * read to its end. */
static bool read_options(FILE *file, struct vfcap_system *sys)
{
	cleanup_free char *line = NULL;
	size_t room = 0;
	bool any = false;

	for (unsigned int c = 0; c < VFCAP_CONFIGS; c++)
		sys->config[c] = VFCAP_NO;
	for (; getline(&line, &room, file) > 0; any = true)
		for (unsigned int c = 0; c < VFCAP_CONFIGS; c++) {
			size_t len = strlen(configs[c]);

			if (strncmp(line, configs[c], len) == 0 && line[len] == '=' &&
			    (line[len + 1] == 'y' || line[len + 1] == 'm'))
				sys->config[c] = VFCAP_YES;
		}
	return any && !ferror(file);
}

/* The kernel's own words first; then those of files that go with its release. */
static void read_config(const struct vfcap_host *h, const struct release *release,
			struct vfcap_system *sys)
{
	static const char *const forms[] = { "proc/config.gz", "boot/config-%",
					     "lib/modules/%/config",
					     "lib/modules/%/build/.config" };

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		cleanup_fclose FILE *file =
			open_form(h, release, forms[i], sys->config_file, sizeof(sys->config_file));

		if (file && read_options(file, sys))
			return;
	}
	sys->config_file[0] = '\0';
	for (unsigned int c = 0; c < VFCAP_CONFIGS; c++)
		sys->config[c] = VFCAP_NOT_KNOWN;
}

/* ------------------------------------------------------------------------------------- modules -- */

static const struct {
	const char *name; /* as modprobe takes it */
	const char *sys; /* where it is when it is there */
	const char *also; /* or here */
} parts[VFCAP_PARTS] = {
	[VFCAP_PART_VFIO_PCI] = { "vfio-pci", "sys/bus/pci/drivers/vfio-pci",
				  "sys/module/vfio_pci_core" },
	[VFCAP_PART_TYPE1] = { "vfio_iommu_type1", "sys/module/vfio_iommu_type1", NULL },
	[VFCAP_PART_IOMMUFD] = { "iommufd", "sys/module/iommufd", "dev/iommu" },
	[VFCAP_PART_OURS] = { VFCAP_MODULE, "sys/bus/pci/drivers/" VFCAP_DRIVER,
			      "sys/module/" VFCAP_MODULE },
};

const char *vfcap_part_name(enum vfcap_part part)
{
	return parts[part].name;
}

/* Does a line of modules.dep or modules.builtin begin with a module's file? Its name may be written
 * with hyphens or underscores, and go on with how it is compressed. */
static bool is_file_of(const char *line, const char *name)
{
	const char *end = line + strcspn(line, ":\n"), *base = end;

	while (base > line && base[-1] != '/')
		base--;
	for (; *name; name++, base++)
		if (*base != *name && !(strchr("-_", *name) && (*base == '-' || *base == '_')))
			return false;
	return strncmp(base, ".ko", 3) == 0;
}

/* Fills in those of the parts that are not known yet. False: there is no such list. */
static bool find_parts(const struct vfcap_host *h, const struct release *release, const char *list,
		       enum vfcap_presence found, struct vfcap_system *sys)
{
	cleanup_fclose FILE *file = NULL;
	cleanup_free char *line = NULL;
	char path[160];
	size_t room = 0;

	snprintf(path, sizeof(path), "lib/modules/%s/%s", release->text, list);
	file = vfcap_text_open(h->root, path);
	while (file && getline(&line, &room, file) > 0)
		for (unsigned int p = 0; p < VFCAP_PARTS; p++) {
			if (!is_file_of(line, parts[p].name))
				continue;
			if (sys->part[p] == VFCAP_PRESENCE_UNKNOWN)
				sys->part[p] = found;
			if (p == VFCAP_PART_OURS && found == VFCAP_LOADABLE)
				snprintf(sys->module_file, sizeof(sys->module_file), "%.*s",
					 (int)strcspn(line, ":\n"), line);
		}
	return file;
}

static void read_parts(const struct vfcap_host *h, const struct release *release,
		       struct vfcap_system *sys)
{
	bool listed;

	for (unsigned int p = 0; p < VFCAP_PARTS; p++)
		if (vfcap_system_has(h, parts[p].sys) == VFCAP_YES ||
		    (parts[p].also && vfcap_system_has(h, parts[p].also) == VFCAP_YES))
			sys->part[p] = VFCAP_PRESENT;
	find_parts(h, release, "modules.builtin", VFCAP_PRESENT, sys);
	listed = find_parts(h, release, "modules.dep", VFCAP_LOADABLE, sys);
	for (unsigned int p = 0; listed && p < VFCAP_PARTS; p++)
		if (sys->part[p] == VFCAP_PRESENCE_UNKNOWN)
			sys->part[p] = VFCAP_ABSENT;
}

/* Linux include/linux/module_signature.h: what a signed module ends with. One that is compressed
 * hides it. */
static void read_signature(const struct vfcap_host *h, const struct release *release,
			   struct vfcap_system *sys)
{
	static const char mark[] = "~Module signature appended~\n";
	char path[320], end[sizeof(mark)] = "";
	size_t len = strlen(sys->module_file);
	cleanup_close int fd = -1;
	off_t size;

	if (len < 3 || strcmp(sys->module_file + len - 3, ".ko"))
		return;
	snprintf(path, sizeof(path), "lib/modules/%s/%s", release->text, sys->module_file);
	fd = vfcap_root_openat(h->root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	size = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);
	if (size < 0)
		return;
	sys->module_signed = VFCAP_NO;
	if (size >= (off_t)sizeof(mark) &&
	    pread(fd, end, sizeof(mark) - 1, size - (off_t)sizeof(mark) + 1) == sizeof(mark) - 1 &&
	    memcmp(end, mark, sizeof(mark) - 1) == 0)
		sys->module_signed = VFCAP_YES;
}

/* ------------------------------------------------------------------------------------- symbols -- */

static bool has_word(const char *line, const char *word)
{
	const char *at = strstr(line, word);
	size_t len = strlen(word);

	return at && (at == line || isspace((unsigned char)at[-1]) || at[-1] == ':') &&
	       isspace((unsigned char)at[len]);
}

/*
 * What vfio.ko exports tells what it can do (Linux drivers/vfio/iommufd.c); that it exports
 * vfio_register_group_dev, which all that were looked at do, tells that the list has it.
 */
static void read_symbols(const struct vfcap_host *h, const struct release *release,
			 struct vfcap_system *sys)
{
	static const char *const forms[] = { "lib/modules/%/modules.symbols",
					     "lib/modules/%/build/Module.symvers" };

	for (size_t i = 0; i < 2 && sys->pasid_attach == VFCAP_NOT_KNOWN; i++) {
		cleanup_fclose FILE *file = open_form(h, release, forms[i], sys->symbols_file,
						      sizeof(sys->symbols_file));
		cleanup_free char *line = NULL;
		size_t room = 0;

		while (file && sys->pasid_attach != VFCAP_YES && getline(&line, &room, file) > 0) {
			if (has_word(line, "vfio_iommufd_physical_pasid_attach_ioas"))
				sys->pasid_attach = VFCAP_YES;
			else if (has_word(line, "vfio_register_group_dev"))
				sys->pasid_attach = VFCAP_NO;
		}
	}
}

void vfcap_kernel_read(const struct vfcap_host *h, struct vfcap_system *sys)
{
	struct release release;

	/* One that could lead elsewhere is none of a kernel. */
	if (vfcap_root_read(h->root, "proc/sys/kernel/osrelease", release.text,
			    sizeof(release.text)) <= 0 ||
	    strchr(release.text, '/'))
		strcpy(release.text, "-");
	read_config(h, &release, sys);
	read_parts(h, &release, sys);
	read_signature(h, &release, sys);
	read_symbols(h, &release, sys);
}
