// SPDX-License-Identifier: GPL-2.0-or-later
/* What a VF is bound to, and the single steps that change it. */
#include <errno.h>
#include <limits.h>
#include <string.h>

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
	return vfcap_host_fail(fn->host, err, "%s: %s: %s", fn->name, what, vfcap_strerror(err));
}

static int fail_open(const struct vfcap_function *fn, int err)
{
	bool gone = err == -ENOENT;

	return vfcap_host_fail(fn->host, gone ? -ENODEV : err, "%s: %s", fn->name,
			       gone ? "it has gone" : strerror(-err));
}

/* Takes what was read, n bytes of it or -errno, for a driver's name. What it is of, for messages. */
static int take_name(struct vfcap_function *vf, const char *what, const char *name, ssize_t n,
		     char buf[VFCAP_NAME_ROOM])
{
	buf[0] = '\0';
	if (n < 0 && n != -ENOENT)
		return vfcap_read_fail(vf, what, (int)n);
	if (n <= 0 || strcmp(name, "(null)") == 0)
		return 0;
	if (!vfcap_driver_name_ok(name))
		return vfcap_host_fail(vf->host, -EINVAL,
				       "%s: %s: a driver of such a name cannot be handled",
				       vf->name, what);
	memcpy(buf, name, strlen(name) + 1);
	return 0;
}

static int read_driver(struct vfcap_function *vf, const struct vfcap_dir *dir,
		       struct vfcap_binding *b)
{
	char name[NAME_MAX + 1] = "";
	ssize_t n = vfcap_dir_read_link_name(dir, "driver", name, sizeof(name));

	return take_name(vf, "driver", name, n, b->driver);
}

static int read_override(struct vfcap_function *vf, const struct vfcap_dir *dir,
			 struct vfcap_binding *b)
{
	char name[4096 + 1] = ""; /* as much as an attribute may have */
	ssize_t n = vfcap_dir_read(dir, "driver_override", name, sizeof(name));

	return take_name(vf, "driver_override", name, n, b->override);
}

/* Is it there? 1, 0 or -errno, said. */
static int exists(const struct vfcap_function *fn, const char *path)
{
	int there = vfcap_root_has(fn->host->root, path);

	return there < 0 ? vfcap_read_fail(fn, path, there) : there;
}

/* Has another device of its group a driver? 1, 0 or -errno, said. */
static int group_has_driver(const struct vfcap_function *vf)
{
	cleanup_names struct vfcap_names names = { 0 };
	char path[sizeof(VFCAP_SYSFS_DEVICES) + NAME_MAX + 16];
	int has;

	snprintf(path, sizeof(path), "sys/kernel/iommu_groups/%d/devices", vf->iommu_group);
	has = vfcap_root_list(vf->host->root, path, &names);
	if (has && has != -ENOENT)
		return vfcap_read_fail(vf, path, has);
	has = 0;
	for (size_t i = 0; i < names.n && !has; i++) {
		snprintf(path, sizeof(path), VFCAP_SYSFS_DEVICES "/%s/driver", names.name[i]);
		if (strcmp(names.name[i], vf->name))
			has = exists(vf, path);
	}
	return has;
}

/* The driver's link goes first, and VFIO's group last: in between it waits for a user. 1, 0 or -errno, said. */
static int is_unbinding(const struct vfcap_function *vf)
{
	char path[64];
	int there, others;

	if (vf->iommu_group < 0)
		return 0;
	snprintf(path, sizeof(path), "sys/class/vfio/%d", vf->iommu_group);
	there = exists(vf, path);
	snprintf(path, sizeof(path), "sys/class/vfio/noiommu-%d", vf->iommu_group);
	if (!there)
		there = exists(vf, path);
	if (there <= 0)
		return there;
	others = group_has_driver(vf);
	return others < 0 ? others : !others;
}

int vfcap_binding_read(struct vfcap_function *vf, struct vfcap_binding *b)
{
	cleanup_dir struct vfcap_dir dir = VFCAP_DIR_NONE;
	char path[VFCAP_SYSFS_PATH];
	int err, unbinding = 0;

	memset(b, 0, sizeof(*b));
	if (!vf->host->root)
		return vfcap_host_fail(vf->host, -ENODEV, "%s: comes from a file", vf->name);
	err = vfcap_dir_open(&dir, vf->host->root, vfcap_sysfs_path(vf, "", path));
	if (err)
		return fail_open(vf, err);
	err = read_driver(vf, &dir, b);
	if (!err && !b->driver[0])
		unbinding = is_unbinding(vf);
	b->unbinding = unbinding > 0;
	/* The override is read under a lock that a driver keeps while it waits for its user. */
	if (err || unbinding)
		return err ? err : unbinding < 0 ? unbinding : 0;
	err = vfcap_knob_read(vf, &b->knob);
	return err ? err : read_override(vf, &dir, b);
}

int vfcap_driver_loaded(struct vfcap_host *h, const char *driver)
{
	char path[VFCAP_SYSFS_PATH];
	int there;

	snprintf(path, sizeof(path), "sys/bus/pci/drivers/%s", driver);
	there = vfcap_root_has(h->root, path);
	return there < 0 ? vfcap_host_fail(h, there, "/%s: %s", path, strerror(-there)) : there;
}

int vfcap_denylist_disabled(struct vfcap_host *h)
{
	char text[16];
	ssize_t n = -ENOENT;

	if (h->root)
		n = vfcap_root_read(h->root, VFCAP_DISABLE_DENYLIST, text, sizeof(text));
	if (n < 0 && n != -ENOENT)
		return vfcap_host_fail(h, (int)n, "/" VFCAP_DISABLE_DENYLIST ": %s",
				       strerror((int)-n));
	return n > 0 && text[0] == 'Y';
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
	err = vfcap_knob_read(vf, &knob);
	if (err)
		return err;
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

/* An older module keeps nothing, and one that is not loaded has nothing: neither has that file. */
static int do_forget(struct vfcap_function *vf)
{
	int err = do_attr(vf, "sys/bus/pci/drivers/" VFCAP_DRIVER "/forget", vf->name, BIND_LIMIT);

	if (!err || err == -ENOENT)
		return 0;
	return vfcap_host_fail(
		vf->host, err, "%s: " VFCAP_DRIVER "/forget: %s", vf->name,
		err == -EBUSY ?
			"it is bound to that driver, or about to be bound or unbound; try again" :
			strerror(-err));
}

static int do_module(struct vfcap_function *vf)
{
	int err, loaded = vfcap_driver_loaded(vf->host, VFCAP_DRIVER);

	if (loaded)
		return loaded < 0 ? loaded : 0;
	err = vf->host->ops->module(vf->host, true);
	return err ? vfcap_host_fail(vf->host, err,
				     "%s: modprobe " VFCAP_MODULE ": it cannot be loaded",
				     vf->name) :
		     0;
}

/* ---------------------------------------------------------------------------------------- count -- */

int vfcap_count_read(struct vfcap_function *pf)
{
	cleanup_names struct vfcap_names names = { 0 };
	char path[VFCAP_SYSFS_PATH];
	int n = 0, err = vfcap_root_list(pf->host->root, vfcap_sysfs_path(pf, "", path), &names);

	if (err)
		return fail_open(pf, err);
	for (size_t i = 0; i < names.n; i++)
		n += strncmp(names.name[i], "virtfn", 6) == 0;
	return n;
}

int vfcap_autoprobe_read(struct vfcap_function *pf, int *autoprobe)
{
	char path[VFCAP_SYSFS_PATH], text[16];
	ssize_t n = vfcap_root_read(pf->host->root,
				    vfcap_sysfs_path(pf, "sriov_drivers_autoprobe", path), text,
				    sizeof(text));

	*autoprobe = n < 0 ? -1 : strcmp(text, "0") != 0;
	return n < 0 && n != -ENOENT ? vfcap_read_fail(pf, "sriov_drivers_autoprobe", (int)n) : 0;
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
	if (!n) {
		err = vfcap_no_vfs_made(pf, step->new);
		return err ? err : do_numvfs(pf, step);
	}
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
	case VFCAP_STEP_FORGET:
		return do_forget(vf);
	case VFCAP_STEP_NUMVFS:
		return do_numvfs(vf, step);
	case VFCAP_STEP_AUTOPROBE:
		return do_autoprobe(vf, step);
	default:
		return -EINVAL;
	}
}
