// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A function as a VMM sees it: opened through VFIO, by its own file and an iommufd where the host has
 * both (iommufd.c), else by its IOMMU group and a container.
 */
#include "iommufd.h"
#include "vfio.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "../uapi/vfcap-vfio.h"
#include "change.h"
#include "sysfs.h"

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

/* ------------------------------------------------------------------------ what sysfs says now -- */

/* What sysfs says of a function now: its driver and group may have changed since it was found. */
struct now {
	char name
		[NAME_LEN]; /* that VFIO gave the device, "vfio3"; "": its driver is none of VFIO's */
	char driver[NAME_LEN], group[NAME_LEN]; /* "": none */
};

static int read_link(const struct vfcap_function *fn, const struct vfcap_dir *dir, const char *name,
		     char buf[NAME_LEN])
{
	ssize_t n = vfcap_dir_read_link_name(dir, name, buf, NAME_LEN);

	return n >= 0 || n == -ENOENT ? 0 : vfcap_read_fail(fn, name, (int)n);
}

/* Kernels before 6.1 give a VFIO device no name. */
static int read_name(const struct vfcap_function *fn, char buf[NAME_LEN])
{
	cleanup_names struct vfcap_names names = { 0 };
	char path[VFCAP_SYSFS_PATH];
	int err = vfcap_root_list(fn->host->root, vfcap_sysfs_path(fn, "vfio-dev", path), &names);

	buf[0] = '\0';
	if (!err && names.n)
		snprintf(buf, NAME_LEN, "%.*s", NAME_LEN - 1, names.name[0]);
	return !err || err == -ENOENT ? 0 : vfcap_read_fail(fn, "vfio-dev", err);
}

static int read_now(const struct vfcap_function *fn, struct now *now)
{
	cleanup_dir struct vfcap_dir dir = VFCAP_DIR_NONE;
	char path[VFCAP_SYSFS_PATH];
	int err = vfcap_dir_open(&dir, fn->host->root, vfcap_sysfs_path(fn, ".", path));

	*now = (struct now){ 0 };
	if (err)
		return err == -ENOENT ?
			       vfcap_host_fail(fn->host, -ENODEV, "%s: it has gone", fn->name) :
			       vfcap_host_fail(fn->host, err, "%s: %s", fn->name, strerror(-err));
	err = read_link(fn, &dir, "driver", now->driver);
	if (!err)
		err = read_link(fn, &dir, "iommu_group", now->group);
	return err ? err : read_name(fn, now->name);
}

/* Of the device's own file, or of the iommufd, where there is no other way. */
static int fail_barred(struct vfcap_guest *v)
{
	int err = v->barred_err;

	v->barred_err = 0;
	return vfcap_vfio_fail_open(v, v->barred, err);
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
		return vfcap_vfio_is_denied(v->barred_err) ? fail_barred(v) :
							     vfcap_vfio_fail_no_iommu(v->fn);
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
	if (region.offset > INT64_MAX - VFCAP_CFG_SIZE) /* it is added to */
		return fail_call(v, "VFIO_DEVICE_GET_REGION_INFO", -EPROTO);
	v->config = (off_t)region.offset;
	v->size = region.size < VFCAP_CFG_SIZE ? (unsigned int)region.size : VFCAP_CFG_SIZE;
	return 0;
}

/* own: by its own file alone. */
static int attach(struct vfcap_guest *v, const char *token, bool own)
{
	const struct vfcap_function *fn = v->fn;
	struct now now;
	int err = read_now(fn, &now);

	if (err)
		return err;
	if (!*now.driver)
		return vfcap_host_fail(fn->host, -ENODEV, "%s: no driver is bound to it", fn->name);
	if (!*now.name && !strstr(now.driver, "vfio"))
		return vfcap_host_fail(fn->host, -ENODEV,
				       "%s: bound to %s, which is no driver of VFIO", fn->name,
				       now.driver);
	err = *now.name ? vfcap_iommufd_attach(v, now.name, now.group, token) : 1;
	if (err > 0 && !own)
		return attach_group(v, now.group, token);
	if (err > 0 && !*now.name)
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
