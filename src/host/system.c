// SPDX-License-Identifier: GPL-2.0-or-later
/* What a machine tells of itself, and the files by which its VFIO is used. */
#include "system.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "change.h"
#include "sysfs.h"

/* The variable of UEFI's own name space; the kernel puts four bytes of attributes before its value. */
#define SECURE_BOOT "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"

static void read_command_line(const struct vfcap_host *h, struct vfcap_system *sys)
{
	sys->has_command_line = vfcap_root_read(h->root, "proc/cmdline", sys->command_line,
						sizeof(sys->command_line)) >= 0;
}

/* "vendor_id\t: GenuineIntel" */
void vfcap_cpuinfo_parse(const char *text, char vendor[16])
{
	static const char key[] = "vendor_id";
	const char *at = strstr(text, key);
	size_t len;

	vendor[0] = '\0';
	if (!at)
		return;
	at += sizeof(key) - 1;
	at += strspn(at, "\t :");
	len = strcspn(at, " \n");
	snprintf(vendor, 16, "%.*s", (int)(len < 16 ? len : 15), at);
}

/* The first processor stands at the beginning of it. */
static void read_vendor(const struct vfcap_host *h, struct vfcap_system *sys)
{
	char text[4096];
	ssize_t n = vfcap_root_read_bytes(h->root, "proc/cpuinfo", text, sizeof(text) - 1);

	text[n > 0 ? n : 0] = '\0';
	vfcap_cpuinfo_parse(text, sys->vendor);
}

/* "none [integrity] confidentiality": what is in force stands in brackets. */
void vfcap_lockdown_parse(const char *text, char lockdown[32])
{
	const char *open = strchr(text, '['), *end = open ? strchr(open, ']') : NULL;
	size_t len = end ? (size_t)(end - open - 1) : 0;

	snprintf(lockdown, 32, "%.*s", (int)(len < 32 ? len : 31), end ? open + 1 : "");
}

static void read_lockdown(const struct vfcap_host *h, struct vfcap_system *sys)
{
	char text[128];

	if (vfcap_root_read(h->root, "sys/kernel/security/lockdown", text, sizeof(text)) > 0)
		vfcap_lockdown_parse(text, sys->lockdown);
}

/* A parameter of a module that is "Y" or "N". */
static enum vfcap_answer read_switch(const struct vfcap_host *h, const char *path)
{
	char text[16];

	if (vfcap_root_read(h->root, path, text, sizeof(text)) <= 0)
		return VFCAP_NOT_KNOWN;
	return text[0] == 'Y' || text[0] == '1' ? VFCAP_YES : VFCAP_NO;
}

static enum vfcap_answer read_secure_boot(const struct vfcap_host *h)
{
	char bytes[16];

	if (vfcap_root_read_bytes(h->root, SECURE_BOOT, bytes, sizeof(bytes)) != 5)
		return VFCAP_NOT_KNOWN;
	return bytes[4] == 1 ? VFCAP_YES : VFCAP_NO;
}

/* A file of a device's own is named in its vfio-dev directory, with the number that it has. */
static enum vfcap_answer read_cdev(const struct vfcap_host *h)
{
	return vfcap_root_has(h->root, "dev/vfio/devices") > 0 ? VFCAP_YES : VFCAP_NOT_KNOWN;
}

int vfcap_system_read(const struct vfcap_host *h, struct vfcap_system *sys)
{
	int err;

	*sys = (struct vfcap_system){ .has_root = h->root, .live = h->live, .n_groups = -1 };
	sys->root_user = geteuid() == 0;
	if (!h->root)
		return 0;
	err = vfcap_iommus_read(h, &sys->iommu, &sys->n_iommus);
	if (err == -ENOMEM)
		return err;
	sys->has_iommus = !err;
	sys->n_groups = vfcap_iommu_groups(h);
	read_command_line(h, sys);
	read_vendor(h, sys);
	read_lockdown(h, sys);
	sys->sig_enforce = read_switch(h, "sys/module/module/parameters/sig_enforce");
	sys->secure_boot = read_secure_boot(h);
	sys->unsafe_interrupts =
		read_switch(h, "sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts");
	sys->denylist_disabled = read_switch(h, VFCAP_DISABLE_DENYLIST);
	sys->dev_iommu = vfcap_answer(vfcap_root_has(h->root, "dev/iommu"));
	sys->cdev = read_cdev(h);
	vfcap_kernel_read(h, sys);
	vfcap_qemu_read(h, sys);
	return 0;
}

void vfcap_system_free(struct vfcap_system *sys)
{
	free(sys->iommu);
	sys->iommu = NULL;
	sys->n_iommus = 0;
}

/* --------------------------------------------------------------------------------------- files -- */

/* The name of its VFIO device; "": it has none. */
static void vfio_name(const struct vfcap_function *fn, char name[32])
{
	cleanup_names struct vfcap_names names = { 0 };
	char path[VFCAP_SYSFS_PATH];

	name[0] = '\0';
	if (vfcap_root_list(fn->host->root, vfcap_sysfs_path(fn, "vfio-dev", path), &names) == 0 &&
	    names.n)
		snprintf(name, 32, "%.31s", names.name[0]);
}

/* A file that cannot be looked at is none that is missing: then nothing is known of it. */
static void look(const struct vfcap_host *h, struct vfcap_node *node)
{
	int has = vfcap_root_has(h->root, node->path);
	cleanup_close int fd = has > 0 ? vfcap_root_openat(h->root, node->path, O_PATH) : -1;
	struct stat st;

	if (has > 0 && (fd < 0 || fstat(fd, &st))) {
		has = fd < 0 ? fd : -errno;
		vfcap_root_keep_failure(h->root, node->path, has);
	}
	if (has < 0)
		node->path[0] = '\0';
	if (has <= 0)
		return;
	node->there = true;
	node->mode = st.st_mode & 07777;
	node->uid = st.st_uid;
	node->gid = st.st_gid;
	/* Whom a captured file lets in says nothing of who may use the device. */
	if (h->live)
		node->usable = faccessat(fd, "", R_OK | W_OK, AT_EMPTY_PATH | AT_EACCESS) == 0 ?
				       VFCAP_YES :
			       errno == EACCES ? VFCAP_NO :
						 VFCAP_NOT_KNOWN;
}

void vfcap_node_read(const struct vfcap_function *fn, struct vfcap_node *node)
{
	struct vfcap_node own = { 0 };
	char name[32];

	*node = own;
	if (!fn->host->root)
		return;
	vfio_name(fn, name);
	if (*name) {
		snprintf(own.path, sizeof(own.path), "dev/vfio/devices/%s", name);
		look(fn->host, &own);
	}
	if (fn->iommu_group >= 0 && (!own.there || own.usable == VFCAP_NO)) {
		snprintf(node->path, sizeof(node->path), "dev/vfio/%d", fn->iommu_group);
		look(fn->host, node);
	}
	if (own.there && node->usable != VFCAP_YES)
		*node = own;
}
