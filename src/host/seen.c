// SPDX-License-Identifier: GPL-2.0-or-later
/* What sysfs says of a function now, without a look at its config space. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "sysfs.h"
#include "watch.h"

#define FUNCTION_PATH (sizeof(VFCAP_SYSFS_DEVICES "/") + VFCAP_ADDRESS_LEN)

static const char *function_path(struct vfcap_address a, char path[FUNCTION_PATH])
{
	strcpy(path, VFCAP_SYSFS_DEVICES "/");
	vfcap_address_format(a, path + strlen(path));
	return path;
}

/* What of a function cannot be read is said; absence is none of it. */
static int unless_absent(const struct vfcap_function *fn, const char *what, int err)
{
	return !err || err == -ENOENT ? 0 : vfcap_read_fail(fn, what, err);
}

static struct vfcap_function function(struct vfcap_host *h, struct vfcap_address a)
{
	struct vfcap_function fn = { .host = h, .address = a };

	vfcap_address_format(a, fn.name);
	return fn;
}

/* 0; -ENOENT: there is no such link, or it leads to no function; another -errno. */
static int read_address(const struct vfcap_dir *dir, const char *name, struct vfcap_address *a)
{
	char text[NAME_MAX + 1];
	ssize_t n = vfcap_dir_read_link_name(dir, name, text, sizeof(text));

	if (n < 0)
		return (int)n;
	return n && vfcap_address_parse(text, a) == strlen(text) ? 0 : -ENOENT;
}

/* By the numbers of its PF: a VF is told of before sysfs has its links. */
int vfcap_seen_index(struct vfcap_host *h, struct vfcap_address pf, struct vfcap_address vf,
		     int *index)
{
	const struct vfcap_function fn = function(h, pf);
	cleanup_dir struct vfcap_dir dir = VFCAP_DIR_NONE;
	unsigned long total = 0, first = 0, stride = 0;
	unsigned int distance;
	char path[FUNCTION_PATH];
	int err;

	*index = -1;
	if (pf.domain != vf.domain || !vfcap_address_compare(pf, vf))
		return 0;
	err = vfcap_dir_open(&dir, h->root, function_path(pf, path));
	if (!err)
		err = vfcap_dir_read_number(&dir, "sriov_totalvfs", &total);
	if (!err)
		err = vfcap_dir_read_number(&dir, "sriov_offset", &first);
	if (!err)
		err = vfcap_dir_read_number(&dir, "sriov_stride", &stride);
	if (err)
		return unless_absent(&fn, "numbers of its VFs", err);
	distance = (((unsigned int)vf.bus << 8 | vf.devfn) -
		    ((unsigned int)pf.bus << 8 | pf.devfn) - (unsigned int)first) &
		   0xffff;
	if (stride ? distance % stride == 0 && distance / stride < total : !distance)
		*index = stride ? (int)(distance / stride) : 0;
	return 0;
}

/* One is enough: all interfaces of a PF tell the same of its VFs. */
static int find_netdev(const struct vfcap_function *fn, struct vfcap_seen *seen)
{
	cleanup_names struct vfcap_names names = { 0 };
	char path[FUNCTION_PATH + sizeof("/net")];
	int err;

	function_path(seen->address, path);
	strcat(path, "/net");
	err = vfcap_root_list(fn->host->root, path, &names);
	if (err)
		return unless_absent(fn, "net", err);
	vfcap_names_sort(&names);
	for (size_t i = 0; i < names.n && !seen->netdev[0]; i++)
		if (strlen(names.name[i]) < sizeof(seen->netdev))
			strcpy(seen->netdev, names.name[i]);
	return 0;
}

/* Whose VF it is, or whether it can have some. */
static int read_role(const struct vfcap_function *fn, const struct vfcap_dir *dir,
		     struct vfcap_seen *seen)
{
	int err = read_address(dir, "physfn", &seen->pf);
	unsigned long total;

	seen->role = VFCAP_ROLE_VF;
	if (err != -ENOENT)
		return unless_absent(fn, "physfn", err);
	err = vfcap_dir_read_number(dir, "sriov_totalvfs", &total);
	seen->role = err ? VFCAP_ROLE_FUNCTION : VFCAP_ROLE_PF;
	return unless_absent(fn, "sriov_totalvfs", err);
}

static int read_driver(const struct vfcap_function *fn, const struct vfcap_dir *dir,
		       struct vfcap_seen *seen)
{
	char name[NAME_MAX + 1];
	ssize_t n = vfcap_dir_read_link_name(dir, "driver", name, sizeof(name));

	if (n > 0)
		snprintf(seen->driver, sizeof(seen->driver), "%.*s", (int)sizeof(seen->driver) - 1,
			 name);
	return n < 0 ? unless_absent(fn, "driver", (int)n) : 0;
}

int vfcap_seen_read(struct vfcap_host *h, struct vfcap_address a, struct vfcap_seen *seen)
{
	cleanup_dir struct vfcap_dir dir = VFCAP_DIR_NONE;
	struct vfcap_function fn = function(h, a);
	char path[FUNCTION_PATH];
	int err = vfcap_dir_open(&dir, h->root, function_path(a, path));

	*seen = (struct vfcap_seen){ .address = a, .vf_index = -1 };
	if (err)
		return err == -ENOENT ?
			       err :
			       vfcap_host_fail(h, err, "%s: %s", fn.name, vfcap_strerror(err));
	err = read_role(&fn, &dir, seen);
	if (!err)
		err = read_driver(&fn, &dir, seen);
	if (!err && seen->role == VFCAP_ROLE_PF)
		err = find_netdev(&fn, seen);
	if (err || seen->role != VFCAP_ROLE_VF)
		return err;
	err = vfcap_seen_index(h, seen->pf, a, &seen->vf_index);
	if (!err && strcmp(seen->driver, VFCAP_DRIVER) == 0)
		err = vfcap_knob_read(&fn, &seen->knob);
	return err;
}

static int order(const void *a, const void *b)
{
	return vfcap_address_compare(*(const struct vfcap_address *)a,
				     *(const struct vfcap_address *)b);
}

int vfcap_seen_list(struct vfcap_host *h, struct vfcap_address **list, size_t *n)
{
	cleanup_names struct vfcap_names names = { 0 };
	int err = vfcap_root_list(h->root, VFCAP_SYSFS_DEVICES, &names);

	*list = NULL;
	*n = 0;
	if (!err)
		*list = calloc(names.n ? names.n : 1, sizeof(**list));
	if (err || !*list)
		return vfcap_host_fail(h, err ? err : -ENOMEM, "/" VFCAP_SYSFS_DEVICES ": %s",
				       strerror(err ? -err : ENOMEM));
	for (size_t i = 0; i < names.n; i++)
		if (vfcap_address_parse(names.name[i], &(*list)[*n]) == strlen(names.name[i]))
			(*n)++;
	qsort(*list, *n, sizeof(**list), order);
	return 0;
}

int vfcap_seen_netdev(struct vfcap_host *h, const char *netdev, struct vfcap_address *a)
{
	cleanup_dir struct vfcap_dir dir = VFCAP_DIR_NONE;
	char path[64];
	int err;

	if (!*netdev || strchr(netdev, '/') || strlen(netdev) > 15)
		return -ENOENT;
	snprintf(path, sizeof(path), "sys/class/net/%s", netdev);
	err = vfcap_dir_open(&dir, h->root, path);
	if (!err)
		err = read_address(&dir, "device", a);
	return !err || err == -ENOENT ?
		       err :
		       vfcap_host_fail(h, err, "%s: %s", netdev, vfcap_strerror(err));
}
