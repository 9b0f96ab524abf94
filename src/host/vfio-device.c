// SPDX-License-Identifier: GPL-2.0-or-later
/* What both ways to open a device through VFIO share: calls that wait for the kernel, the check of its group, and
 * what is said when it fails. */
#include "vfio-device.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "change.h"
#include "sysfs.h"

#define WAIT_MS 100
#define WAITS 50 /* 5 s: a reset takes 100 ms and more */

#define GROUPS "sys/kernel/iommu_groups"
#define PATH_LEN 160

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

/* ------------------------------------------------------------------------------------- group -- */

/* Those drivers do no DMA on their own, or VFIO manages it: they keep nobody from a group. */
static bool shares_group(const char *driver)
{
	return !*driver || strstr(driver, "vfio") || strcmp(driver, "pcieport") == 0 ||
	       strcmp(driver, "pci-stub") == 0;
}

/* Appends the device and its driver to the list, if that driver keeps others from the group. 0 or -errno. */
static int list_rival(struct vfcap_guest *v, const char *group, const char *device, char *list,
		      size_t size)
{
	char path[PATH_LEN + NAME_MAX], driver[NAME_MAX + 1];
	size_t n = strlen(list);
	ssize_t len;

	snprintf(path, sizeof(path), GROUPS "/%s/devices/%s/driver", group, device);
	len = vfcap_root_read_link_name(v->fn->host->root, path, driver, sizeof(driver));
	if (len < 0)
		return len == -ENOENT ? 0 : vfcap_read_fail(v->fn, path, (int)len);
	if (!shares_group(driver))
		snprintf(list + n, size - n, "%s%.32s (%.64s)", n ? ", " : "", device, driver);
	return 0;
}

int vfcap_vfio_check_group(struct vfcap_guest *v, const char *group)
{
	cleanup_names struct vfcap_names names = { 0 };
	char path[PATH_LEN], list[256] = "";
	int err = -ENOENT;

	snprintf(path, sizeof(path), GROUPS "/%s/devices", group);
	if (*group)
		err = vfcap_root_list(v->fn->host->root, path, &names);
	if (err && err != -ENOENT)
		return vfcap_read_fail(v->fn, path, err);
	vfcap_names_sort(&names);
	err = 0;
	for (size_t i = 0; i < names.n && !err; i++)
		if (strcmp(names.name[i], v->fn->name))
			err = list_rival(v, group, names.name[i], list, sizeof(list));
	if (err || !*list)
		return err;
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

static bool is_absent(int err)
{
	return err == -ENOENT || err == -ENODEV || err == -ENXIO;
}

static const char *how_to_open(struct vfcap_guest *v, const char *path, int err,
			       char who[VFCAP_BUSY_ROOM])
{
	bool barred = vfcap_vfio_is_denied(v->barred_err);

	if ((err == -EPERM && strstr(path, "noiommu-")) ||
	    (v->barred_err == -EPERM && strstr(v->barred, "noiommu-")))
		return " (without an IOMMU it takes CAP_SYS_RAWIO)";
	if (vfcap_vfio_is_denied(err))
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

	if (vfcap_vfio_is_denied(v->barred_err))
		snprintf(first, sizeof(first), "open /%s: %s; ", v->barred,
			 strerror(-v->barred_err));
	if (err == -EPERM || (*first && is_absent(err)))
		as = -EACCES;
	return vfcap_host_fail(v->fn->host, as, "%s: %sopen /%s: %s%s", v->fn->name, first, path,
			       strerror(-err), help);
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
