// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A function as a VMM sees it: opened through VFIO, by its own file and an iommufd where the host has
 * both (iommufd.c), else by its IOMMU group and a container.
 */
#include "vfio.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "../uapi/vfcap-vfio.h"
#include "change.h"
#include "sysfs.h"

#define WAIT_MS 100
#define WAITS 50 /* 5 s: a reset takes 100 ms and more */

#define GROUPS "sys/kernel/iommu_groups"
#define NAME_LEN 64 /* of a driver, a group, a VFIO device */
#define PATH_LEN 160

/* ------------------------------------------------------------------------------ system calls -- */

static int real_open(const struct vfcap_root *root, const char *path)
{
	return vfcap_root_openat(root, path, O_RDWR);
}

static void real_close(int fd)
{
	close(fd);
}

static int real_ioctl(int fd, unsigned long request, void *arg)
{
	int ret = ioctl(fd, request, arg);

	return ret < 0 ? -errno : ret;
}

static ssize_t real_pread(int fd, void *buf, size_t len, off_t at)
{
	ssize_t n = TEMP_FAILURE_RETRY(pread(fd, buf, len, at));

	return n < 0 ? -errno : n;
}

static ssize_t real_pwrite(int fd, const void *buf, size_t len, off_t at)
{
	ssize_t n = TEMP_FAILURE_RETRY(pwrite(fd, buf, len, at));

	return n < 0 ? -errno : n;
}

static void real_wait(unsigned int ms)
{
	usleep(ms * 1000);
}

static const struct vfcap_vfio_ops real_ops = {
	.open = real_open,
	.close = real_close,
	.ioctl = real_ioctl,
	.pread = real_pread,
	.pwrite = real_pwrite,
	.wait = real_wait,
};

static bool again(struct vfcap_guest *v, int err)
{
	const volatile sig_atomic_t *cancel = v->fn->host->cancel;

	if ((err != -EAGAIN && err != -EBUSY) || v->waits == WAITS || (cancel && *cancel))
		return false;
	v->waits++;
	v->ops->wait(WAIT_MS);
	return true;
}

int vfcap_vfio_open_path(struct vfcap_guest *v, const char *path)
{
	int fd;

	do
		fd = v->ops->open(v->fn->host->root, path);
	while (again(v, fd));
	return fd;
}

int vfcap_vfio_ioctl(struct vfcap_guest *v, int fd, unsigned long request, void *arg)
{
	int ret;

	do
		ret = v->ops->ioctl(fd, request, arg);
	while (again(v, ret));
	return ret;
}

/* ------------------------------------------------------------------------ what sysfs says now -- */

/* The last part of where a link in a directory leads; "" when there is no such link. Read anew: a
 * function's driver and group may have changed since it was found. */
static const char *link_name(const struct vfcap_root *root, const char *dir, const char *name,
			     char buf[NAME_LEN])
{
	cleanup_close int fd = vfcap_root_openat(root, dir, O_PATH | O_DIRECTORY);
	char text[4096], *slash;
	ssize_t n = fd < 0 ? -1 : readlinkat(fd, name, text, sizeof(text) - 1);

	text[n < 0 ? 0 : n] = '\0';
	slash = strrchr(text, '/');
	snprintf(buf, NAME_LEN, "%.*s", NAME_LEN - 1, slash ? slash + 1 : text);
	return buf;
}

static void cleanup_closedir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

static DIR *open_dir(const struct vfcap_root *root, const char *path)
{
	int fd = vfcap_root_openat(root, path, O_RDONLY | O_DIRECTORY);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (fd >= 0 && !dir)
		close(fd);
	return dir;
}

/* The name that VFIO gave the device, "vfio3"; "" when its driver is none of VFIO's. */
static const char *vfio_name(const struct vfcap_function *fn, char buf[NAME_LEN])
{
	VFCAP_CLEANUP(cleanup_closedir) DIR *dir = NULL;
	char path[VFCAP_SYSFS_PATH];
	struct dirent *e;

	dir = open_dir(fn->host->root, vfcap_sysfs_path(fn, "vfio-dev", path));
	buf[0] = '\0';
	while (dir && !buf[0] && (e = readdir(dir)))
		if (e->d_name[0] != '.')
			snprintf(buf, NAME_LEN, "%.*s", NAME_LEN - 1, e->d_name);
	return buf;
}

/* Those drivers do no DMA on their own, or VFIO manages it: they keep nobody from a group. */
static bool shares_group(const char *driver)
{
	return !*driver || strstr(driver, "vfio") || strcmp(driver, "pcieport") == 0 ||
	       strcmp(driver, "pci-stub") == 0;
}

int vfcap_vfio_check_group(struct vfcap_guest *v, const char *group)
{
	VFCAP_CLEANUP(cleanup_closedir) DIR *dir = NULL;
	const struct vfcap_root *root = v->fn->host->root;
	char path[PATH_LEN], driver[NAME_LEN], list[256] = "";
	struct dirent *e;
	size_t n = 0;

	snprintf(path, sizeof(path), GROUPS "/%s/devices", group);
	dir = *group ? open_dir(root, path) : NULL;
	while (dir && (e = readdir(dir))) {
		if (e->d_name[0] == '.' || strcmp(e->d_name, v->fn->name) == 0)
			continue;
		snprintf(path, sizeof(path), GROUPS "/%s/devices/%.32s", group, e->d_name);
		if (shares_group(link_name(root, path, "driver", driver)) || n >= sizeof(list))
			continue;
		n += (size_t)snprintf(list + n, sizeof(list) - n, "%s%.32s (%s)", n ? ", " : "",
				      e->d_name, driver);
	}
	if (!n)
		return 0;
	return vfcap_host_fail(v->fn->host, -EXDEV,
			       "%s: IOMMU group %s is not viable while others in it have drivers "
			       "of their own: %s; unbind them, or bind them to vfio-pci",
			       v->fn->name, group, list);
}

/* ------------------------------------------------------------------------- what is to be said -- */

const char *vfcap_vfio_busy(struct vfcap_guest *v, char buf[VFCAP_BUSY_ROOM])
{
	struct vfcap_use use;

	if (!vfcap_use_holder(v->fn, &use))
		return " (somebody has it open, a VM perhaps)";
	snprintf(buf, VFCAP_BUSY_ROOM, " (%s, process %d, has it open)",
		 use.name[0] ? use.name : "?", use.pid);
	return buf;
}

static bool is_denied(int err)
{
	return err == -EACCES || err == -EPERM;
}

static bool is_absent(int err)
{
	return err == -ENOENT || err == -ENODEV || err == -ENXIO;
}

static const char *how_to_open(struct vfcap_guest *v, const char *path, int err,
			       char who[VFCAP_BUSY_ROOM])
{
	bool barred = is_denied(v->barred_err);

	if ((err == -EPERM && strstr(path, "noiommu-")) ||
	    (v->barred_err == -EPERM && strstr(v->barred, "noiommu-")))
		return " (without an IOMMU it takes CAP_SYS_RAWIO)";
	if (is_denied(err))
		return barred ? " (needs root, or to be given one of these files)" :
				" (needs root, or to be given that file)";
	if (err == -EBUSY)
		return vfcap_vfio_busy(v, who);
	if (is_absent(err))
		return barred			      ? " (needs root, or to be given the first)" :
		       strcmp(path, "dev/iommu") == 0 ? " (modprobe iommufd)" :
							" (modprobe vfio-pci)";
	return "";
}

int vfcap_vfio_fail_open(struct vfcap_guest *v, const char *path, int err)
{
	char who[VFCAP_BUSY_ROOM], first[192] = "";
	const char *help = how_to_open(v, path, err, who);
	int as = err;

	if (is_denied(v->barred_err))
		snprintf(first, sizeof(first), "open /%s: %s; ", v->barred,
			 strerror(-v->barred_err));
	if (err == -EPERM || (*first && is_absent(err)))
		as = -EACCES;
	return vfcap_host_fail(v->fn->host, as, "%s: %sopen /%s: %s%s", v->fn->name, first, path,
			       strerror(-err), help);
}

/* Of the device's own file, or of the iommufd, where there is no other way. */
static int fail_barred(struct vfcap_guest *v)
{
	int err = v->barred_err;

	v->barred_err = 0;
	return vfcap_vfio_fail_open(v, v->barred, err);
}

int vfcap_vfio_fail_no_iommu(struct vfcap_function *fn)
{
	return vfcap_host_fail(fn->host, -ENXIO,
			       "%s: no IOMMU group: the IOMMU is off in the firmware, or on the "
			       "kernel's command line (intel_iommu=on)",
			       fn->name);
}

int vfcap_vfio_check_token(struct vfcap_guest *v, const char *token, int err)
{
	if (err == -EACCES && token)
		return vfcap_host_fail(v->fn->host, -EKEYREJECTED,
				       "%s: that is not the VF token which was set for its PF",
				       v->fn->name);
	if (err == -EACCES)
		return vfcap_host_fail(v->fn->host, -ENOKEY,
				       "%s: its PF is on vfio-pci, so it takes the VF token that "
				       "was set there (--vf-token)",
				       v->fn->name);
	if ((err == -EINVAL || err == -E2BIG) && token)
		return vfcap_host_fail(
			v->fn->host, -EKEYREJECTED,
			"%s: a VF token is not wanted: its PF is not on vfio-pci, or "
			"the kernel takes none for this way to open it",
			v->fn->name);
	return 0;
}

static int fail_call(struct vfcap_guest *v, const char *call, int err)
{
	return vfcap_host_fail(v->fn->host, err, "%s: %s: %s", v->fn->name, call, strerror(-err));
}

static int fail_iommu(struct vfcap_guest *v, int err)
{
	const char *help = "";

	if (err == -EPERM)
		help = " (no interrupt remapping? then allow_unsafe_interrupts=1 of "
		       "vfio_iommu_type1)";
	else if (err == -ENODEV)
		help = " (modprobe vfio_iommu_type1)";
	return vfcap_host_fail(v->fn->host, err, "%s: VFIO_SET_IOMMU: %s%s", v->fn->name,
			       strerror(-err), help);
}

/* ----------------------------------------------------------------------- group and container -- */

/* The group's file; without an IOMMU, and if the kernel was told to do so, it has another name. */
static int open_group(struct vfcap_guest *v, const char *group, bool *noiommu)
{
	char path[PATH_LEN], other[PATH_LEN];

	snprintf(path, sizeof(path), "dev/vfio/%s", group);
	v->group = vfcap_vfio_open_path(v, path);
	*noiommu = v->group == -ENOENT;
	if (*noiommu) {
		snprintf(other, sizeof(other), "dev/vfio/noiommu-%s", group);
		v->group = vfcap_vfio_open_path(v, other);
		if (v->group != -ENOENT)
			strcpy(path, other);
	}
	if (v->group < 0)
		return vfcap_vfio_fail_open(v, path, v->group);
	snprintf(v->way, sizeof(v->way), "group %.16s and %s", group,
		 *noiommu ? "no IOMMU" : "type1");
	return 0;
}

static int join_container(struct vfcap_guest *v, const char *group, bool noiommu)
{
	unsigned long type = noiommu ? VFIO_NOIOMMU_IOMMU : VFIO_TYPE1_IOMMU;
	struct vfio_group_status status = { .argsz = sizeof(status) };
	int err;

	v->iommu = vfcap_vfio_open_path(v, "dev/vfio/vfio");
	if (v->iommu < 0)
		return vfcap_vfio_fail_open(v, "dev/vfio/vfio", v->iommu);
	err = vfcap_vfio_ioctl(v, v->group, VFIO_GROUP_GET_STATUS, &status);
	if (err < 0)
		return fail_call(v, "VFIO_GROUP_GET_STATUS", err);
	if (!(status.flags & VFIO_GROUP_FLAGS_VIABLE)) {
		err = vfcap_vfio_check_group(v, group);
		return err ? err :
			     vfcap_host_fail(v->fn->host, -EXDEV,
					     "%s: IOMMU group %s is not viable: another device in "
					     "it is in use",
					     v->fn->name, group);
	}
	err = vfcap_vfio_ioctl(v, v->group, VFIO_GROUP_SET_CONTAINER, &v->iommu);
	if (err < 0)
		return fail_call(v, "VFIO_GROUP_SET_CONTAINER", err);
	err = vfcap_vfio_ioctl(v, v->iommu, VFIO_SET_IOMMU, (void *)type);
	return err < 0 ? fail_iommu(v, err) : 0;
}

static int attach_group(struct vfcap_guest *v, const char *group, const char *token)
{
	char name[NAME_LEN + VFCAP_ADDRESS_LEN];
	bool noiommu;
	int err;

	if (!*group)
		return is_denied(v->barred_err) ? fail_barred(v) : vfcap_vfio_fail_no_iommu(v->fn);
	err = open_group(v, group, &noiommu);
	if (!err)
		err = join_container(v, group, noiommu);
	if (err)
		return err;
	snprintf(name, sizeof(name), "%s%s%.36s", v->fn->name, token ? " vf_token=" : "",
		 token ? token : "");
	v->device = vfcap_vfio_ioctl(v, v->group, VFIO_GROUP_GET_DEVICE_FD, name);
	if (v->device >= 0)
		return 0;
	err = vfcap_vfio_check_token(v, token, v->device);
	return err ? err : fail_call(v, "VFIO_GROUP_GET_DEVICE_FD", v->device);
}

/* ------------------------------------------------------------------------------ open and close -- */

static int find_config(struct vfcap_guest *v)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };
	struct vfio_region_info region = { .argsz = sizeof(region),
					   .index = VFIO_PCI_CONFIG_REGION_INDEX };
	int err = vfcap_vfio_ioctl(v, v->device, VFIO_DEVICE_GET_INFO, &info);

	if (err < 0)
		return fail_call(v, "VFIO_DEVICE_GET_INFO", err);
	if (!(info.flags & VFIO_DEVICE_FLAGS_PCI) || info.num_regions <= region.index)
		return fail_call(v, "VFIO_DEVICE_GET_INFO", -EPROTO);
	err = vfcap_vfio_ioctl(v, v->device, VFIO_DEVICE_GET_REGION_INFO, &region);
	if (err < 0)
		return fail_call(v, "VFIO_DEVICE_GET_REGION_INFO", err);
	v->config = (off_t)region.offset;
	v->size = region.size < VFCAP_CFG_SIZE ? (unsigned int)region.size : VFCAP_CFG_SIZE;
	return 0;
}

/* own: by its own file alone. */
static int attach(struct vfcap_guest *v, const char *token, bool own)
{
	const struct vfcap_function *fn = v->fn;
	char dir[VFCAP_SYSFS_PATH], name[NAME_LEN], driver[NAME_LEN], group[NAME_LEN];
	int err = 1;

	vfcap_sysfs_path(fn, ".", dir);
	link_name(fn->host->root, dir, "iommu_group", group);
	link_name(fn->host->root, dir, "driver", driver);
	if (!*driver)
		return vfcap_host_fail(fn->host, -ENODEV, "%s: no driver is bound to it", fn->name);
	/* Kernels before 6.1 give a VFIO device no name. */
	if (!*vfio_name(fn, name) && !strstr(driver, "vfio"))
		return vfcap_host_fail(fn->host, -ENODEV,
				       "%s: bound to %s, which is no driver of VFIO", fn->name,
				       driver);
	if (*name)
		err = vfcap_iommufd_attach(v, name, group, token);
	if (err > 0 && !own)
		return attach_group(v, group, token);
	if (err > 0 && !*name)
		return vfcap_host_fail(fn->host, -ENOENT,
				       "%s: it has no file of its own: this kernel is too old",
				       fn->name);
	return err > 0 ? fail_barred(v) : err;
}

static int open_guest(struct vfcap_function *fn, const char *token,
		      const struct vfcap_vfio_ops *ops, bool own, struct vfcap_guest **out)
{
	struct vfcap_guest *v = calloc(1, sizeof(*v));
	int err;

	*out = NULL;
	if (!v)
		return vfcap_host_fail(fn->host, -ENOMEM, "%s: %s", fn->name, strerror(ENOMEM));
	*v = (struct vfcap_guest){ .ops = ops, .fn = fn, .device = -1, .group = -1, .iommu = -1 };
	err = attach(v, token, own);
	if (!err && !own)
		err = find_config(v);
	if (err)
		vfcap_vfio_detach(v);
	else
		*out = v;
	return err;
}

int vfcap_vfio_attach_with(struct vfcap_function *fn, const char *token,
			   const struct vfcap_vfio_ops *ops, struct vfcap_guest **out)
{
	return open_guest(fn, token, ops, false, out);
}

int vfcap_iommufd_info_with(struct vfcap_function *fn, const char *token,
			    const struct vfcap_vfio_ops *ops, struct vfcap_hw_info *info)
{
	struct vfcap_guest *v;
	int err = open_guest(fn, token, ops, true, &v);

	if (!err)
		err = vfcap_iommufd_ask(v, info);
	vfcap_vfio_detach(v);
	return err;
}

static int need_kernel(struct vfcap_function *fn)
{
	if (fn->host->root && vfcap_root_has_kernel(fn->host->root))
		return 0;
	return vfcap_host_fail(fn->host, -EOPNOTSUPP,
			       "%s: there is no kernel to open it through VFIO", fn->name);
}

int vfcap_vfio_attach(struct vfcap_function *fn, const char *token, struct vfcap_guest **guest)
{
	int err = need_kernel(fn);

	*guest = NULL;
	return err ? err : vfcap_vfio_attach_with(fn, token, &real_ops, guest);
}

int vfcap_iommufd_info(struct vfcap_function *fn, const char *token, struct vfcap_hw_info *info)
{
	int err = need_kernel(fn);

	return err ? err : vfcap_iommufd_info_with(fn, token, &real_ops, info);
}

/* The device first: the container and the iommufd are let go by it. */
void vfcap_vfio_detach(struct vfcap_guest *v)
{
	if (!v)
		return;
	if (v->device >= 0)
		v->ops->close(v->device);
	if (v->group >= 0)
		v->ops->close(v->group);
	if (v->iommu >= 0)
		v->ops->close(v->iommu);
	free(v);
}

struct vfcap_function *vfcap_vfio_function(const struct vfcap_guest *v)
{
	return v->fn;
}

const char *vfcap_vfio_how(const struct vfcap_guest *v)
{
	return v->way;
}

/* -------------------------------------------------------------------------------- an open one -- */

unsigned int vfcap_vfio_size(const struct vfcap_guest *v)
{
	return v->size;
}

int vfcap_vfio_fetch(void *ctx, unsigned int off, unsigned int len, uint8_t *buf)
{
	struct vfcap_guest *v = ctx;

	if (off >= v->size)
		return 0;
	return (int)v->ops->pread(v->device, buf, len < v->size - off ? len : v->size - off,
				  v->config + off);
}

int vfcap_vfio_put(struct vfcap_guest *v, unsigned int off, unsigned int len, const uint8_t *buf)
{
	ssize_t n;

	if (off > v->size || len > v->size - off)
		return -EINVAL;
	n = v->ops->pwrite(v->device, buf, len, v->config + off);
	return n < 0 ? (int)n : (size_t)n == len ? 0 : -EIO;
}

int vfcap_vfio_get_emulated(struct vfcap_guest *v, struct vfcap_vfio_emulated *out)
{
	uint64_t room[4] = { 0 };
	struct vfio_device_feature *f = (struct vfio_device_feature *)room;
	int err;

	_Static_assert(sizeof(*f) + sizeof(*out) <= sizeof(room), "there is room");
	f->argsz = (uint32_t)(sizeof(*f) + sizeof(*out));
	f->flags =
		VFIO_DEVICE_FEATURE_PROBE | VFIO_DEVICE_FEATURE_GET | VFCAP_VFIO_FEATURE_EMULATED;
	err = vfcap_vfio_ioctl(v, v->device, VFIO_DEVICE_FEATURE, f);
	if (err < 0)
		return err;
	f->flags = VFIO_DEVICE_FEATURE_GET | VFCAP_VFIO_FEATURE_EMULATED;
	err = vfcap_vfio_ioctl(v, v->device, VFIO_DEVICE_FEATURE, f);
	if (err < 0)
		return err;
	memcpy(out, f->data, sizeof(*out));
	return 0;
}
