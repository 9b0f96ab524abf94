// SPDX-License-Identifier: GPL-2.0-or-later
/* What sysfs says of a function now, without a look at its config space. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sysfs.h"
#include "watch.h"

static void cleanup_closedir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

/* The last part of where a link leads; false: there is none, or it is too long. */
static bool link_base(int dir, const char *name, char *buf, size_t size)
{
	char text[4096], *base;
	ssize_t n = readlinkat(dir, name, text, sizeof(text) - 1);

	if (n <= 0)
		return false;
	text[n] = '\0';
	base = strrchr(text, '/');
	base = base ? base + 1 : text;
	return (size_t)snprintf(buf, size, "%s", base) < size;
}

static bool link_address(int dir, const char *name, struct vfcap_address *a)
{
	char text[VFCAP_ADDRESS_LEN];

	return link_base(dir, name, text, sizeof(text)) &&
	       vfcap_address_parse(text, a) == strlen(text);
}

static int open_function(const struct vfcap_host *h, struct vfcap_address a, int flags)
{
	char path[sizeof(VFCAP_SYSFS_DEVICES "/") + VFCAP_ADDRESS_LEN] = VFCAP_SYSFS_DEVICES "/";

	vfcap_address_format(a, path + strlen(path));
	return vfcap_root_openat(h->root, path, flags | O_DIRECTORY);
}

static bool number(int dir, const char *name, unsigned long *val)
{
	char text[32], *end;

	if (vfcap_fd_read(dir, name, text, sizeof(text)) <= 0)
		return false;
	*val = strtoul(text, &end, 0);
	return end != text && !*end;
}

/* By the numbers of its PF: a VF is told of before sysfs has its links. */
int vfcap_seen_index(const struct vfcap_host *h, struct vfcap_address pf, struct vfcap_address vf)
{
	cleanup_close int dir = open_function(h, pf, O_PATH);
	unsigned long total, first, stride;
	unsigned int distance;

	if (dir < 0 || pf.domain != vf.domain || !vfcap_address_compare(pf, vf) ||
	    !number(dir, "sriov_totalvfs", &total) || !number(dir, "sriov_offset", &first) ||
	    !number(dir, "sriov_stride", &stride))
		return -1;
	distance = (((unsigned int)vf.bus << 8 | vf.devfn) -
		    ((unsigned int)pf.bus << 8 | pf.devfn) - (unsigned int)first) &
		   0xffff;
	if (!stride)
		return distance ? -1 : 0;
	return distance % stride || distance / stride >= total ? -1 : (int)(distance / stride);
}

/* One is enough: all interfaces of a PF tell the same of its VFs. */
static void find_netdev(const struct vfcap_host *h, struct vfcap_seen *seen)
{
	VFCAP_CLEANUP(cleanup_closedir) DIR *dir = NULL;
	char path[VFCAP_SYSFS_PATH], address[VFCAP_ADDRESS_LEN];
	struct dirent *e;
	int fd;

	snprintf(path, sizeof(path), VFCAP_SYSFS_DEVICES "/%s/net",
		 vfcap_address_format(seen->address, address));
	fd = vfcap_root_openat(h->root, path, O_RDONLY | O_DIRECTORY);
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir && fd >= 0)
		close(fd);
	while (dir && (e = readdir(dir)))
		if (e->d_name[0] != '.' && strlen(e->d_name) < sizeof(seen->netdev) &&
		    (!seen->netdev[0] || strcmp(e->d_name, seen->netdev) < 0))
			strcpy(seen->netdev, e->d_name);
}

int vfcap_seen_read(const struct vfcap_host *h, struct vfcap_address a, struct vfcap_seen *seen)
{
	cleanup_close int dir = open_function(h, a, O_PATH);
	struct vfcap_function fn = { .host = (struct vfcap_host *)h, .address = a };
	unsigned long total;

	*seen = (struct vfcap_seen){ .address = a, .vf_index = -1 };
	if (dir < 0)
		return dir;
	if (link_address(dir, "physfn", &seen->pf))
		seen->role = VFCAP_ROLE_VF;
	else
		seen->role =
			number(dir, "sriov_totalvfs", &total) ? VFCAP_ROLE_PF : VFCAP_ROLE_FUNCTION;
	if (!link_base(dir, "driver", seen->driver, sizeof(seen->driver)))
		seen->driver[0] = '\0';
	if (seen->role == VFCAP_ROLE_PF)
		find_netdev(h, seen);
	if (seen->role != VFCAP_ROLE_VF)
		return 0;
	seen->vf_index = vfcap_seen_index(h, seen->pf, a);
	vfcap_address_format(a, fn.name);
	if (strcmp(seen->driver, VFCAP_DRIVER) == 0)
		vfcap_knob_read(&fn, &seen->knob);
	return 0;
}

static int order(const void *a, const void *b)
{
	return vfcap_address_compare(*(const struct vfcap_address *)a,
				     *(const struct vfcap_address *)b);
}

int vfcap_seen_list(const struct vfcap_host *h, struct vfcap_address **list, size_t *n)
{
	int fd = vfcap_root_openat(h->root, VFCAP_SYSFS_DEVICES, O_RDONLY | O_DIRECTORY);
	VFCAP_CLEANUP(cleanup_closedir) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct vfcap_address a, *more;
	struct dirent *e;

	*list = NULL;
	*n = 0;
	if (!dir && fd >= 0)
		close(fd);
	while (dir && (e = readdir(dir))) {
		if (e->d_name[0] == '.' || vfcap_address_parse(e->d_name, &a) != strlen(e->d_name))
			continue;
		more = vfcap_more(*list, *n, sizeof(*more));
		if (!more) {
			free(*list);
			*list = NULL;
			return -ENOMEM;
		}
		*list = more;
		more[(*n)++] = a;
	}
	if (*n)
		qsort(*list, *n, sizeof(**list), order);
	return fd < 0 ? fd : 0;
}

bool vfcap_seen_netdev(const struct vfcap_host *h, const char *netdev, struct vfcap_address *a)
{
	char path[64];
	cleanup_close int dir = -1;

	if (!*netdev || strchr(netdev, '/') || strlen(netdev) > 15)
		return false;
	snprintf(path, sizeof(path), "sys/class/net/%s", netdev);
	dir = vfcap_root_openat(h->root, path, O_PATH | O_DIRECTORY);
	return dir >= 0 && link_address(dir, "device", a);
}
