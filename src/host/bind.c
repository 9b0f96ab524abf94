// SPDX-License-Identifier: GPL-2.0-or-later
/* What a VF is bound to, and the single steps that change it. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "change.h"
#include "sysfs.h"
#include "vfio-device.h"

#define UNBIND_LIMIT 10000 /* milliseconds: a driver of VFIO waits for its users */
#define BIND_LIMIT 60000 /* a driver may load firmware */
#define COUNT_LIMIT 120000 /* thousands of VFs take their time, too; 0 waits for users */

bool vfcap_host_has_kernel(const struct vfcap_host *h)
{
	return h->ops && h->ops->has_kernel(h);
}

/* ----------------------------------------------------------------------------------- reading -- */

bool vfcap_driver_name_ok(const char *name)
{
	size_t len = strlen(name);

	if (!len || len >= VFCAP_NAME_ROOM || strcmp(name, "-") == 0 || name[0] == '.')
		return false;
	for (; *name; name++)
		if (*name <= ' ' || *name >= 0x7f || *name == '/')
			return false;
	return true;
}

int vfcap_read_fail(const struct vfcap_function *fn, const char *what, int err)
{
	return vfcap_host_fail(fn->host, err, "%s: %s: %s", fn->name, what, strerror(-err));
}

/* The last part of where a link leads; "": there is none. */
static int link_name(struct vfcap_function *vf, int dir, const char *name,
		     char buf[VFCAP_NAME_ROOM])
{
	char text[4096], *base;
	ssize_t n = readlinkat(dir, name, text, sizeof(text) - 1);

	buf[0] = '\0';
	if (n < 0)
		return errno == ENOENT ? 0 : -errno;
	text[n] = '\0';
	base = strrchr(text, '/');
	base = base ? base + 1 : text;
	if (!vfcap_driver_name_ok(base))
		return vfcap_host_fail(vf->host, -EINVAL,
				       "%s: %s: a driver of such a name cannot be handled",
				       vf->name, base);
	memcpy(buf, base, strlen(base) + 1);
	return 0;
}

static int read_override(struct vfcap_function *vf, char buf[VFCAP_NAME_ROOM])
{
	char path[VFCAP_SYSFS_PATH], text[256];
	ssize_t n = vfcap_root_read(vf->host->root, vfcap_sysfs_path(vf, "driver_override", path),
				    text, sizeof(text));

	buf[0] = '\0';
	if (n <= 0 || strcmp(text, "(null)") == 0)
		return 0;
	if (!vfcap_driver_name_ok(text))
		return vfcap_host_fail(vf->host, -EINVAL,
				       "%s: driver_override: such a name cannot be handled",
				       vf->name);
	memcpy(buf, text, strlen(text) + 1);
	return 0;
}

static bool exists(const struct vfcap_host *h, const char *path)
{
	cleanup_close int fd = vfcap_root_openat(h->root, path, O_PATH);

	return fd >= 0;
}

static void cleanup_closedir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

/* Has another device of its group a driver? */
static bool group_has_driver(const struct vfcap_function *vf)
{
	VFCAP_CLEANUP(cleanup_closedir) DIR *dir = NULL;
	char path[VFCAP_SYSFS_PATH + 320];
	struct dirent *e;
	int fd;

	snprintf(path, sizeof(path), "sys/kernel/iommu_groups/%d/devices", vf->iommu_group);
	fd = vfcap_root_openat(vf->host->root, path, O_RDONLY | O_DIRECTORY);
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir && fd >= 0)
		close(fd);
	while (dir && (e = readdir(dir))) {
		snprintf(path, sizeof(path), VFCAP_SYSFS_DEVICES "/%s/driver", e->d_name);
		if (e->d_name[0] != '.' && strcmp(e->d_name, vf->name) && exists(vf->host, path))
			return true;
	}
	return false;
}

/* The driver's link goes first, and VFIO's group last: in between it waits for a user. */
static bool is_unbinding(struct vfcap_function *vf)
{
	char path[VFCAP_SYSFS_PATH];

	if (vf->iommu_group < 0)
		return false;
	snprintf(path, sizeof(path), "sys/class/vfio/%d", vf->iommu_group);
	if (!exists(vf->host, path)) {
		snprintf(path, sizeof(path), "sys/class/vfio/noiommu-%d", vf->iommu_group);
		if (!exists(vf->host, path))
			return false;
	}
	return !group_has_driver(vf);
}

int vfcap_binding_read(struct vfcap_function *vf, struct vfcap_binding *b)
{
	char path[VFCAP_SYSFS_PATH];
	cleanup_close int dir = -1;
	int err;

	memset(b, 0, sizeof(*b));
	if (!vf->host->root)
		return vfcap_host_fail(vf->host, -ENODEV, "%s: comes from a file", vf->name);
	vfcap_sysfs_path(vf, "", path);
	dir = vfcap_root_openat(vf->host->root, path, O_PATH | O_DIRECTORY);
	if (dir < 0)
		return vfcap_host_fail(vf->host, dir == -ENOENT ? -ENODEV : dir, "%s: %s", vf->name,
				       dir == -ENOENT ? "it has gone" : strerror(-dir));
	err = link_name(vf, dir, "driver", b->driver);
	if (err)
		return err;
	b->unbinding = !b->driver[0] && is_unbinding(vf);
	/* The override is read under a lock that a driver keeps while it waits for its user. */
	if (b->unbinding)
		return 0;
	vfcap_knob_read(vf, &b->knob);
	return read_override(vf, b->override);
}

bool vfcap_driver_loaded(const struct vfcap_host *h, const char *driver)
{
	char path[VFCAP_SYSFS_PATH];

	snprintf(path, sizeof(path), "sys/bus/pci/drivers/%s", driver);
	return exists(h, path);
}

/* -------------------------------------------------------------------------------------- steps -- */

static int do_attr(struct vfcap_function *vf, const char *path, const char *text, int limit)
{
	return vf->host->ops->attr(vf->host, path, text, limit);
}

static int do_override(struct vfcap_function *vf, const struct vfcap_step *step)
{
	char path[VFCAP_SYSFS_PATH], text[VFCAP_NAME_ROOM + 1];
	int err;

	snprintf(text, sizeof(text), "%s\n", step->to);
	err = do_attr(vf, vfcap_sysfs_path(vf, "driver_override", path), text, BIND_LIMIT);
	return err ? vfcap_host_fail(vf->host, err, "%s: driver_override: %s", vf->name,
				     strerror(-err)) :
		     0;
}

static int do_unbind(struct vfcap_function *vf, const struct vfcap_step *step)
{
	char path[VFCAP_SYSFS_PATH + VFCAP_NAME_ROOM];
	int err;

	snprintf(path, sizeof(path), "sys/bus/pci/drivers/%s/unbind", step->from);
	err = do_attr(vf, path, vf->name, UNBIND_LIMIT);
	if (err == -ETIMEDOUT)
		return vfcap_host_fail(
			vf->host, err,
			"%s: unbind: %s waits for a user of it to let go; it goes on by itself",
			vf->name, step->from);
	return err ? vfcap_host_fail(vf->host, err, "%s: unbind from %s: %s", vf->name, step->from,
				     strerror(-err)) :
		     0;
}

/* A driver that is named says why it does not want it; drivers_probe says nothing. */
static int do_bind(struct vfcap_function *vf, const struct vfcap_step *step)
{
	char path[VFCAP_SYSFS_PATH + VFCAP_NAME_ROOM] = "sys/bus/pci/drivers_probe";
	struct vfcap_knob knob;
	int err;

	if (step->to[0])
		snprintf(path, sizeof(path), "sys/bus/pci/drivers/%s/bind", step->to);
	err = do_attr(vf, path, vf->name, BIND_LIMIT);
	if (err && !step->to[0])
		return vfcap_host_fail(vf->host, err, "%s: drivers_probe: %s", vf->name,
				       strerror(-err));
	/* What VFIO says to that would help nobody. */
	if (err == -EINVAL && vf->iommu_group < 0 && strstr(step->to, "vfio"))
		return vfcap_vfio_fail_no_iommu(vf);
	if (err)
		return vfcap_host_fail(vf->host, err, "%s: bind to %s: %s", vf->name, step->to,
				       strerror(-err));
	if (strcmp(step->to, VFCAP_DRIVER))
		return 0;
	vfcap_knob_read(vf, &knob);
	if (!knob.there)
		return vfcap_host_fail(vf->host, -ENXIO, "%s: %s: it has no knob", vf->name,
				       step->to);
	return knob.abi == 1 ? 0 :
			       vfcap_host_fail(vf->host, -EPROTO,
					       "%s: %s: speaks version %d of the knob, not 1",
					       vf->name, step->to, knob.abi);
}

static const char *knob_error(int err)
{
	switch (err) {
	case -EINVAL:
		return "the driver refuses that place";
	case -EBUSY:
		return "the device is open";
	case -EOPNOTSUPP:
		return "the PF lacks the capability";
	case -ERANGE:
		return "more than the PF has";
	case -EIO:
		return "config space cannot be read";
	default:
		return strerror(-err);
	}
}

static int do_knob(struct vfcap_function *vf, const struct vfcap_step *step)
{
	char path[VFCAP_SYSFS_PATH], name[32], text[16];
	int err;

	snprintf(name, sizeof(name), "vfcap/%s", vfcap_attr_name(step->attr));
	snprintf(text, sizeof(text), step->attr == VFCAP_ATTR_WIDTH ? "%u\n" : "0x%x\n", step->new);
	err = do_attr(vf, vfcap_sysfs_path(vf, name, path), text, 0);
	return err ? vfcap_host_fail(vf->host, err, "%s: %s: %s", vf->name, name, knob_error(err)) :
		     0;
}

static int do_module(struct vfcap_function *vf)
{
	int err = 0;

	if (!vfcap_driver_loaded(vf->host, VFCAP_DRIVER))
		err = vf->host->ops->module(vf->host, true);
	return err ? vfcap_host_fail(vf->host, err,
				     "%s: modprobe " VFCAP_MODULE ": it cannot be loaded",
				     vf->name) :
		     0;
}

/* ---------------------------------------------------------------------------------------- count -- */

static DIR *open_function(struct vfcap_function *fn, int *err)
{
	char path[VFCAP_SYSFS_PATH];
	int fd = vfcap_root_openat(fn->host->root, vfcap_sysfs_path(fn, "", path),
				   O_RDONLY | O_DIRECTORY);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	*err = fd < 0 ? fd : dir ? 0 : -errno;
	if (!dir && fd >= 0)
		close(fd);
	return dir;
}

int vfcap_count_read(struct vfcap_function *pf)
{
	VFCAP_CLEANUP(cleanup_closedir) DIR *dir = NULL;
	struct dirent *e;
	int err, n = 0;

	dir = open_function(pf, &err);
	if (!dir)
		return vfcap_host_fail(pf->host, err == -ENOENT ? -ENODEV : err, "%s: %s", pf->name,
				       err == -ENOENT ? "it has gone" : strerror(-err));
	while ((e = readdir(dir)))
		n += strncmp(e->d_name, "virtfn", 6) == 0;
	return n;
}

int vfcap_autoprobe_read(struct vfcap_function *pf)
{
	char path[VFCAP_SYSFS_PATH], text[16];

	if (vfcap_root_read(pf->host->root, vfcap_sysfs_path(pf, "sriov_drivers_autoprobe", path),
			    text, sizeof(text)) <= 0)
		return -1;
	return strcmp(text, "0") != 0;
}

static int do_autoprobe(struct vfcap_function *pf, const struct vfcap_step *step)
{
	char path[VFCAP_SYSFS_PATH];
	int err = do_attr(pf, vfcap_sysfs_path(pf, "sriov_drivers_autoprobe", path),
			  step->new ? "1\n" : "0\n", BIND_LIMIT);

	return err ? vfcap_host_fail(pf->host, err, "%s: sriov_drivers_autoprobe: %s", pf->name,
				     strerror(-err)) :
		     0;
}

/* The kernel gives a number; what is behind it, and what helps. */
static const char *count_error(int err)
{
	switch (err) {
	case -EBUSY:
		return "its VFs are held by somebody, or its driver is at work on them";
	case -ENOSPC:
		return "its driver has no MSI-X vectors or queues left for so many: ask for fewer, or give it "
		       "more in the firmware setup of the device";
	case -ERANGE:
		return "more than it can have (sriov_totalvfs), or more than its driver lets it";
	case -ENOENT:
		return "its driver cannot create VFs: bind one that can (pci-pf-stub, or vfio-pci with "
		       "enable_sriov=1)";
	case -ENOMEM:
		return "no room for the memory (BARs) of so many VFs, or for their bus numbers: boot with "
		       "pci=realloc, switch \"Above 4G Decoding\" and SR-IOV on in firmware setup, or ask "
		       "for fewer";
	case -EACCES:
		return "needs root";
	case -ETIMEDOUT:
		return "the kernel waits for somebody who has a VF open; it goes on by itself";
	default:
		return strerror(-err);
	}
}

/* The kernel is content with fewer VFs than it was asked for; they are of no use, and go again. */
static int do_numvfs(struct vfcap_function *pf, const struct vfcap_step *step)
{
	char path[VFCAP_SYSFS_PATH], text[16];
	int err, n;

	snprintf(text, sizeof(text), "%u\n", step->new);
	err = do_attr(pf, vfcap_sysfs_path(pf, "sriov_numvfs", path), text, COUNT_LIMIT);
	if (err)
		return vfcap_host_fail(pf->host, err, "%s: sriov_numvfs %u: %s", pf->name,
				       step->new, count_error(err));
	n = vfcap_count_read(pf);
	if (n < 0 || n == step->new)
		return n < 0 ? n : 0;
	do_attr(pf, path, "0\n", COUNT_LIMIT);
	return vfcap_host_fail(
		pf->host, -EIO,
		"%s: sriov_numvfs %u: the kernel made %d VFs: no bus numbers or no memory "
		"for more, the kernel's log says which",
		pf->name, step->new, n);
}

int vfcap_step_do(struct vfcap_function *vf, const struct vfcap_step *step)
{
	switch (step->kind) {
	case VFCAP_STEP_MODULE:
		return do_module(vf);
	case VFCAP_STEP_OVERRIDE:
		return do_override(vf, step);
	case VFCAP_STEP_UNBIND:
		return do_unbind(vf, step);
	case VFCAP_STEP_BIND:
		return do_bind(vf, step);
	case VFCAP_STEP_KNOB:
		return do_knob(vf, step);
	case VFCAP_STEP_NUMVFS:
		return do_numvfs(vf, step);
	case VFCAP_STEP_AUTOPROBE:
		return do_autoprobe(vf, step);
	default:
		return -EINVAL;
	}
}
