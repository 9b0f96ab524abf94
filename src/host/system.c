// SPDX-License-Identifier: GPL-2.0-or-later
/* What a machine tells of itself, and the files by which its VFIO is used. */
#include "system.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sysfs.h"

/* The variable of UEFI's own name space; the kernel puts four bytes of attributes before its value. */
#define SECURE_BOOT "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"

enum vfcap_answer vfcap_system_has(const struct vfcap_host *h, const char *path)
{
	cleanup_close int fd = h->root ? vfcap_root_openat(h->root, path, O_PATH) : -1;

	return !h->root ? VFCAP_NOT_KNOWN : fd >= 0 ? VFCAP_YES : VFCAP_NO;
}

static void read_command_line(const struct vfcap_host *h, struct vfcap_system *sys)
{
	sys->has_command_line = vfcap_root_read(h->root, "proc/cmdline", sys->command_line,
						sizeof(sys->command_line)) >= 0;
}

/* "vendor_id\t: GenuineIntel" */
static void read_vendor(const struct vfcap_host *h, struct vfcap_system *sys)
{
	static const char key[] = "vendor_id";
	char text[4096], *at;

	if (vfcap_root_read(h->root, "proc/cpuinfo", text, sizeof(text)) <= 0)
		return;
	at = strstr(text, key);
	if (!at)
		return;
	at += sizeof(key) - 1;
	at += strspn(at, "\t :");
	snprintf(sys->vendor, sizeof(sys->vendor), "%.*s", (int)strcspn(at, " \n"), at);
}

/* "none [integrity] confidentiality": what is in force stands in brackets. */
static void read_lockdown(const struct vfcap_host *h, struct vfcap_system *sys)
{
	char text[128], *open, *end;

	if (vfcap_root_read(h->root, "sys/kernel/security/lockdown", text, sizeof(text)) <= 0)
		return;
	open = strchr(text, '[');
	end = open ? strchr(open, ']') : NULL;
	if (end)
		snprintf(sys->lockdown, sizeof(sys->lockdown), "%.*s", (int)(end - open - 1),
			 open + 1);
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

	if (vfcap_root_read(h->root, SECURE_BOOT, bytes, sizeof(bytes)) != 5)
		return VFCAP_NOT_KNOWN;
	return bytes[4] == 1 ? VFCAP_YES : VFCAP_NO;
}

/* A file of a device's own is named in its vfio-dev directory, with the number that it has. */
static enum vfcap_answer read_cdev(const struct vfcap_host *h)
{
	if (vfcap_system_has(h, "dev/vfio/devices") == VFCAP_YES)
		return VFCAP_YES;
	return VFCAP_NOT_KNOWN;
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
	sys->dev_iommu = vfcap_system_has(h, "dev/iommu");
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

static void cleanup_closedir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

/* The name of its VFIO device; "": it has none. */
static void vfio_name(const struct vfcap_function *fn, char name[32])
{
	VFCAP_CLEANUP(cleanup_closedir) DIR *dir = NULL;
	char path[VFCAP_SYSFS_PATH];
	int fd = vfcap_root_openat(fn->host->root, vfcap_sysfs_path(fn, "vfio-dev", path),
				   O_RDONLY | O_DIRECTORY);
	struct dirent *e;

	name[0] = '\0';
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir && fd >= 0)
		close(fd);
	while (dir && !*name && (e = readdir(dir)))
		if (e->d_name[0] != '.')
			snprintf(name, 32, "%.31s", e->d_name);
}

static void look(const struct vfcap_host *h, struct vfcap_node *node)
{
	cleanup_close int fd = vfcap_root_openat(h->root, node->path, O_PATH);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
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
