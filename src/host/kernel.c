// SPDX-License-Identifier: GPL-2.0-or-later
/* What the kernel under a root is made of: its configuration, its modules, what they export. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "change.h"
#include "system.h"

struct release {
	char text[96];
};

/* Loads a text whose path may have the release in it, at a %: 0 or -errno, and the path in path, "" when it fails. What
 * has a NUL in it is no text. */
static int load_form(const struct vfcap_host *h, const struct release *release, const char *form,
		     char *path, size_t size, char **text)
{
	const char *mark = strchrnul(form, '%');
	size_t len;
	int err;

	snprintf(path, size, "%.*s%s%s", (int)(mark - form), form, *mark ? release->text : "",
		 *mark ? mark + 1 : "");
	err = vfcap_root_load(h->root, path, VFCAP_TEXT_MOST, text, &len);
	if (!err && strlen(*text) != len)
		err = -EBADMSG;
	if (err)
		path[0] = '\0';
	return err;
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

/* What is off is a comment, or is not there at all. */
bool vfcap_config_parse(char *text, struct vfcap_system *sys)
{
	bool any = false;
	char *line;

	for (unsigned int c = 0; c < VFCAP_CONFIGS; c++)
		sys->config[c] = VFCAP_NO;
	for (; (line = vfcap_line_next(&text)); any = true)
		for (unsigned int c = 0; c < VFCAP_CONFIGS; c++) {
			size_t len = strlen(configs[c]);

			if (strncmp(line, configs[c], len) == 0 && line[len] == '=' &&
			    (line[len + 1] == 'y' || line[len + 1] == 'm'))
				sys->config[c] = VFCAP_YES;
		}
	return any;
}

/* The kernel's own words first; then those of files that go with its release. */
static void read_config(const struct vfcap_host *h, const struct release *release,
			struct vfcap_system *sys)
{
	static const char *const forms[] = { "proc/config.gz", "boot/config-%",
					     "lib/modules/%/config",
					     "lib/modules/%/build/.config" };

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		cleanup_free char *text = NULL;

		if (load_form(h, release, forms[i], sys->config_file, sizeof(sys->config_file),
			      &text) == 0 &&
		    vfcap_config_parse(text, sys))
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

void vfcap_modules_parse(char *text, enum vfcap_presence found, struct vfcap_system *sys)
{
	char *line;

	while ((line = vfcap_line_next(&text)))
		for (unsigned int p = 0; p < VFCAP_PARTS; p++) {
			size_t len = strcspn(line, ":");

			if (!is_file_of(line, parts[p].name))
				continue;
			if (sys->part[p] == VFCAP_PRESENCE_UNKNOWN)
				sys->part[p] = found;
			if (p == VFCAP_PART_OURS && found == VFCAP_LOADABLE &&
			    len < sizeof(sys->module_file))
				snprintf(sys->module_file, sizeof(sys->module_file), "%.*s",
					 (int)len, line);
		}
}

/* Reads a list of modules that are found there. 0 or -errno. */
static int find_parts(const struct vfcap_host *h, const struct release *release, const char *list,
		      enum vfcap_presence found, struct vfcap_system *sys)
{
	cleanup_free char *text = NULL;
	char path[160];
	int err = load_form(h, release, list, path, sizeof(path), &text);

	if (!err)
		vfcap_modules_parse(text, found, sys);
	return err;
}

/* Sysfs has it while it is loaded, or part of the kernel. */
static enum vfcap_answer part_is_there(const struct vfcap_host *h, unsigned int part)
{
	enum vfcap_answer also = VFCAP_NO,
			  is = vfcap_answer(vfcap_root_has(h->root, parts[part].sys));

	if (is != VFCAP_YES && parts[part].also)
		also = vfcap_answer(vfcap_root_has(h->root, parts[part].also));
	if (is == VFCAP_YES || also == VFCAP_YES)
		return VFCAP_YES;
	return is == VFCAP_NO && also == VFCAP_NO ? VFCAP_NO : VFCAP_NOT_KNOWN;
}

/* A part is absent when all places where it could be were looked at, and it is in none of them. */
static void read_parts(const struct vfcap_host *h, const struct release *release,
		       struct vfcap_system *sys)
{
	bool sure[VFCAP_PARTS], listed;
	int err;

	for (unsigned int p = 0; p < VFCAP_PARTS; p++) {
		enum vfcap_answer there = part_is_there(h, p);

		sure[p] = there != VFCAP_NOT_KNOWN;
		if (there == VFCAP_YES)
			sys->part[p] = VFCAP_PRESENT;
	}
	err = find_parts(h, release, "lib/modules/%/modules.builtin", VFCAP_PRESENT, sys);
	listed = (!err || err == -ENOENT) &&
		 find_parts(h, release, "lib/modules/%/modules.dep", VFCAP_LOADABLE, sys) == 0;
	for (unsigned int p = 0; p < VFCAP_PARTS; p++)
		if (!sure[p] && sys->part[p] == VFCAP_LOADABLE)
			sys->part[p] = VFCAP_PRESENCE_UNKNOWN; /* it may be loaded */
		else if (sure[p] && listed && sys->part[p] == VFCAP_PRESENCE_UNKNOWN)
			sys->part[p] = VFCAP_ABSENT;
}

/* Linux include/linux/module_signature.h: what a signed module ends with. One that is compressed
 * hides it. */
static void read_signature(const struct vfcap_host *h, const struct release *release,
			   struct vfcap_system *sys)
{
	static const char mark[] = "~Module signature appended~\n";
	const size_t mark_len = sizeof(mark) - 1;
	cleanup_free char *module = NULL;
	char path[320];
	size_t len = strlen(sys->module_file);

	if (len < 3 || strcmp(sys->module_file + len - 3, ".ko"))
		return;
	snprintf(path, sizeof(path), "lib/modules/%s/%s", release->text, sys->module_file);
	if (vfcap_root_load(h->root, path, VFCAP_TEXT_MOST, &module, &len))
		return;
	sys->module_signed =
		len >= mark_len && memcmp(module + len - mark_len, mark, mark_len) == 0 ?
			VFCAP_YES :
			VFCAP_NO;
}

/* ------------------------------------------------------------------------------------- symbols -- */

static bool has_word(const char *line, const char *word)
{
	const char *at = strstr(line, word);
	size_t len = strlen(word);

	return at && (at == line || isspace((unsigned char)at[-1]) || at[-1] == ':') &&
	       (!at[len] || isspace((unsigned char)at[len]));
}

/*
 * What vfio.ko exports tells what it can do (Linux drivers/vfio/iommufd.c); that it exports
 * vfio_register_group_dev, which all that were looked at do, tells that the list has it.
 */
enum vfcap_answer vfcap_symbols_parse(char *text)
{
	enum vfcap_answer answer = VFCAP_NOT_KNOWN;
	char *line;

	while (answer != VFCAP_YES && (line = vfcap_line_next(&text)))
		if (has_word(line, "vfio_iommufd_physical_pasid_attach_ioas"))
			answer = VFCAP_YES;
		else if (has_word(line, "vfio_register_group_dev"))
			answer = VFCAP_NO;
	return answer;
}

static void read_symbols(const struct vfcap_host *h, const struct release *release,
			 struct vfcap_system *sys)
{
	static const char *const forms[] = { "lib/modules/%/modules.symbols",
					     "lib/modules/%/build/Module.symvers" };

	for (size_t i = 0; i < 2 && sys->pasid_attach == VFCAP_NOT_KNOWN; i++) {
		cleanup_free char *text = NULL;

		if (load_form(h, release, forms[i], sys->symbols_file, sizeof(sys->symbols_file),
			      &text) == 0)
			sys->pasid_attach = vfcap_symbols_parse(text);
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
