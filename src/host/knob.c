// SPDX-License-Identifier: GPL-2.0-or-later
/* The sysfs attributes of the driver that emulates. */
#include <errno.h>

#include "change.h"
#include "sysfs.h"

const char *vfcap_attr_name(enum vfcap_attr attr)
{
	static const char *const name[VFCAP_ATTRS] = {
		[VFCAP_ATTR_PASID] = "pasid_offset",
		[VFCAP_ATTR_PRI] = "pri_offset",
		[VFCAP_ATTR_WIDTH] = "pasid_width",
	};

	return name[attr];
}

bool vfcap_attr_takes(enum vfcap_attr attr, unsigned long number)
{
	if (attr == VFCAP_ATTR_WIDTH)
		return number <= VFCAP_PASID_WIDTH_MOST;
	return !number || (number >= VFCAP_EXT_BASE && number % 4 == 0 &&
			   number <= VFCAP_CFG_SIZE - vfcap_emul_len((enum vfcap_emul)attr));
}

static const char *const shown_name[VFCAP_EMULS] = {
	[VFCAP_EMUL_PASID] = "pasid_shown",
	[VFCAP_EMUL_PRI] = "pri_shown",
};

/* An attribute of the knob could not be read. */
static int fail(const struct vfcap_function *fn, const char *name, int err)
{
	char what[32];

	snprintf(what, sizeof(what), "vfcap/%s", name);
	return vfcap_read_fail(fn, what, err);
}

/* The directory of the knob: 0; -ENOENT: there is none; another -errno, said. */
static int open_knob(const struct vfcap_function *fn, struct vfcap_dir *dir)
{
	char path[VFCAP_SYSFS_PATH];
	int err = -ENOENT;

	*dir = (struct vfcap_dir)VFCAP_DIR_NONE;
	if (fn->host->root)
		err = vfcap_dir_open(dir, fn->host->root, vfcap_sysfs_path(fn, "vfcap", path));
	return !err || err == -ENOENT ? err : vfcap_read_fail(fn, "vfcap", err);
}

/* A number that attr can have, or any for VFCAP_ATTRS: 0; -ENOENT: there is none; another -errno, said. */
static int read_number(const struct vfcap_function *fn, const struct vfcap_dir *dir,
		       const char *name, enum vfcap_attr attr, uint16_t *value)
{
	unsigned long number = 0;
	int err = vfcap_dir_read_number(dir, name, &number);

	if (!err && (attr == VFCAP_ATTRS ? number > UINT16_MAX : !vfcap_attr_takes(attr, number)))
		err = vfcap_dir_reject(dir, name, -EPROTO);
	*value = err ? 0 : (uint16_t)number;
	return !err || err == -ENOENT ? err : fail(fn, name, err);
}

static int read_attr(const struct vfcap_function *fn, const struct vfcap_dir *dir,
		     enum vfcap_attr attr, uint16_t *value)
{
	return read_number(fn, dir, vfcap_attr_name(attr), attr, value);
}

int vfcap_knob_offset(struct vfcap_function *fn, enum vfcap_emul e)
{
	cleanup_dir struct vfcap_dir dir;
	uint16_t value = 0;
	int err = open_knob(fn, &dir);

	if (!err)
		err = read_attr(fn, &dir, (enum vfcap_attr)e, &value);
	return err ? err : value;
}

/* One that is not there is 0. */
static int read_values(const struct vfcap_function *vf, const struct vfcap_dir *dir,
		       struct vfcap_knob *knob)
{
	int err = 0;

	for (unsigned int a = 0; a < VFCAP_ATTRS && (!err || err == -ENOENT); a++)
		err = read_attr(vf, dir, (enum vfcap_attr)a, &knob->value[a]);
	for (unsigned int e = 0; e < VFCAP_EMULS && (!err || err == -ENOENT); e++)
		err = read_number(vf, dir, shown_name[e], (enum vfcap_attr)e, &knob->shown[e]);
	return err == -ENOENT ? 0 : err;
}

/* The last thing that is read: where it is there, all that was read before is of the same knob. */
static int read_state(const struct vfcap_function *vf, const struct vfcap_dir *dir,
		      struct vfcap_knob *knob)
{
	ssize_t n = vfcap_dir_read(dir, "state", knob->state, sizeof(knob->state));
	uint16_t abi;

	if (n == -ENOENT)
		return read_number(vf, dir, "abi", VFCAP_ATTRS, &abi);
	return n < 0 ? fail(vf, "state", (int)n) : 0;
}

int vfcap_knob_read(struct vfcap_function *vf, struct vfcap_knob *knob)
{
	cleanup_dir struct vfcap_dir dir;
	uint16_t abi = 0;
	int err = open_knob(vf, &dir);

	*knob = (struct vfcap_knob){ 0 };
	if (!err)
		err = read_number(vf, &dir, "abi", VFCAP_ATTRS, &abi);
	if (!err)
		err = read_values(vf, &dir, knob);
	if (!err)
		err = read_state(vf, &dir, knob);
	if (err)
		*knob = (struct vfcap_knob){ .abi = -1 };
	else
		knob->abi = abi;
	knob->there = !err;
	return err == -ENOENT ? 0 : err;
}
