// SPDX-License-Identifier: GPL-2.0-or-later
/* Which functions there are under a root, and what its sysfs says of them. */
#include "sysfs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PROC_PCI "proc/bus/pci"
#define CLASS_NET "sys/class/net"

static void cleanup_closedir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

static DIR *root_opendir(const struct vfcap_root *root, const char *path, int *err)
{
	int fd = vfcap_root_openat(root, path, O_RDONLY | O_DIRECTORY);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	*err = fd < 0 ? fd : dir ? 0 : -errno;
	if (fd >= 0 && !dir)
		close(fd);
	return dir;
}

/* The text of a link, ended: length or -errno. */
static ssize_t read_link(int dirfd, const char *name, char *buf, size_t size)
{
	ssize_t n = readlinkat(dirfd, name, buf, size - 1);

	if (n < 0)
		return -errno;
	buf[n] = '\0';
	return n;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static bool is_address(const char *name, size_t len, struct vfcap_address *a)
{
	char text[VFCAP_ADDRESS_LEN];

	if (!len || len >= sizeof(text))
		return false;
	memcpy(text, name, len);
	text[len] = '\0';
	return vfcap_address_parse(text, a) == len;
}

/* --------------------------------------------------------------------------------- addresses -- */

struct addresses {
	struct vfcap_address *a;
	size_t n;
};

static void cleanup_addresses(struct addresses *list)
{
	free(list->a);
}

static int addresses_add(struct addresses *list, struct vfcap_address a)
{
	struct vfcap_address *more = vfcap_more(list->a, list->n, sizeof(*more));

	if (!more)
		return -ENOMEM;
	list->a = more;
	more[list->n++] = a;
	return 0;
}

static int order(const void *a, const void *b)
{
	return vfcap_address_compare(*(const struct vfcap_address *)a,
				     *(const struct vfcap_address *)b);
}

static int list_sysfs(DIR *dir, struct addresses *list)
{
	struct vfcap_address a;
	struct dirent *e;
	int err = 0;

	while (!err && (e = readdir(dir)))
		if (is_address(e->d_name, strlen(e->d_name), &a))
			err = addresses_add(list, a);
	return err;
}

/* One PF and its VFs alone. */
static int list_pf(const struct vfcap_host *h, struct addresses *list)
{
	VFCAP_CLEANUP(cleanup_closedir) DIR *dir = NULL;
	char path[sizeof(VFCAP_SYSFS_DEVICES "/") + VFCAP_ADDRESS_LEN], link[4096];
	struct vfcap_address a;
	struct dirent *e;
	int err;

	strcpy(path, VFCAP_SYSFS_DEVICES "/");
	vfcap_address_format(h->pf, path + strlen(path));
	dir = root_opendir(h->root, path, &err);
	if (dir)
		err = addresses_add(list, h->pf);
	while (!err && (e = readdir(dir)))
		if (strncmp(e->d_name, "virtfn", 6) == 0 &&
		    read_link(dirfd(dir), e->d_name, link, sizeof(link)) > 0 &&
		    is_address(base_name(link), strlen(base_name(link)), &a))
			err = addresses_add(list, a);
	return err;
}

/* proc/bus/pci/BB/DD.F, or DDDD:BB/DD.F: put together they are addresses. */
static int list_proc(const struct vfcap_root *root, struct addresses *list)
{
	VFCAP_CLEANUP(cleanup_closedir) DIR *top = NULL;
	struct vfcap_address a;
	struct dirent *e, *f;
	int err;

	top = root_opendir(root, PROC_PCI, &err);
	while (!err && (e = readdir(top))) {
		VFCAP_CLEANUP(cleanup_closedir) DIR *bus = NULL;
		char path[sizeof(PROC_PCI) + sizeof(e->d_name)];
		char name[2 * sizeof(e->d_name)];
		int no_bus;

		if (strlen(e->d_name) < 2 || e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), PROC_PCI "/%s", e->d_name);
		bus = root_opendir(root, path, &no_bus);
		while (bus && !err && (f = readdir(bus))) {
			snprintf(name, sizeof(name), "%s:%s", e->d_name, f->d_name);
			if (is_address(name, strlen(name), &a))
				err = addresses_add(list, a);
		}
	}
	return err;
}

/* ------------------------------------------------------------------------------ one function -- */

static bool read_number(int dirfd, const char *name, unsigned long *val)
{
	char text[32], *end;

	if (dirfd < 0 || vfcap_dir_read(dirfd, name, text, sizeof(text)) <= 0)
		return false;
	*val = strtoul(text, &end, 0);
	return end != text && *end == '\0';
}

/* The kernel's own idea of the IDs: a VF's are completed there. */
static void read_ids(struct vfcap_function *fn, int dirfd)
{
	unsigned long vendor, device, class_code, revision;

	if (!read_number(dirfd, "vendor", &vendor) || !read_number(dirfd, "device", &device))
		return;
	fn->vendor = vendor & 0xffff;
	fn->device = device & 0xffff;
	if (fn->has_ids || !read_number(dirfd, "class", &class_code))
		return;
	fn->class_code = class_code & 0xffffff;
	fn->revision = read_number(dirfd, "revision", &revision) ? (uint8_t)revision : 0;
	fn->has_ids = true;
}

/* Without the extended part of config space the attributes have to do. */
static void read_attributes(struct vfcap_function *fn, int dirfd)
{
	unsigned long val;

	if (!fn->has_ids)
		read_ids(fn, dirfd);
	if (!fn->known_vf && (fn->host->topology->kernel || fn->config_size <= 256) &&
	    read_number(dirfd, "sriov_totalvfs", &val))
		fn->totalvfs = (int)val;
}

static int read_links(struct vfcap_function *fn, int dirfd)
{
	char link[4096];

	if (read_link(dirfd, "driver", link, sizeof(link)) > 0) {
		fn->driver = strdup(base_name(link));
		if (!fn->driver)
			return -ENOMEM;
	}
	if (read_link(dirfd, "iommu_group", link, sizeof(link)) > 0) {
		char *end;
		long group = strtol(base_name(link), &end, 10);

		if (*end == '\0' && end != base_name(link) && group >= 0)
			fn->iommu_group = (int)group;
	}
	return 0;
}

static bool read_physfn(int dirfd, struct vfcap_address *pf)
{
	char link[4096];

	return dirfd >= 0 && read_link(dirfd, "physfn", link, sizeof(link)) > 0 &&
	       is_address(base_name(link), strlen(base_name(link)), pf);
}

/* Its directory; -1: there is none in this capture; -ENODEV: it went since it was listed. */
static int open_function(const struct vfcap_host *h, struct vfcap_address a)
{
	char path[sizeof(VFCAP_SYSFS_DEVICES "/") + VFCAP_ADDRESS_LEN] = VFCAP_SYSFS_DEVICES "/";
	int fd;

	vfcap_address_format(a, path + strlen(path));
	fd = vfcap_root_openat(h->root, path, O_PATH | O_DIRECTORY);
	if (fd >= 0)
		return fd;
	return h->topology->kernel ? -ENODEV : -1;
}

/* Where a physfn link leads; the PF need not be known yet. */
struct physfn {
	struct vfcap_function *vf;
	struct vfcap_address pf;
};

static int add_function(struct vfcap_host *h, struct vfcap_address a, int devices,
			struct physfn *physfn)
{
	cleanup_close int dirfd = devices < 0 ? -1 : open_function(h, a);
	struct vfcap_function *fn;
	int err = 0;

	if (dirfd == -ENODEV)
		return 0;
	fn = vfcap_host_add(h, a);
	if (!fn)
		return -ENOMEM;
	if (dirfd >= 0)
		err = read_links(fn, dirfd);
	vfcap_config_attach(fn, devices, dirfd);
	if (read_physfn(dirfd, &physfn->pf)) {
		physfn->vf = fn;
		fn->known_vf = true;
	}
	read_attributes(fn, dirfd);
	return err;
}

/* ---------------------------------------------------------------------------- what is linked -- */

/* Where the registers that give the indices cannot be read, the PF's own links do. */
static void index_by_links(struct vfcap_function *pf)
{
	struct vfcap_host *h = pf->host;
	cleanup_close int dirfd = open_function(h, pf->address);
	char name[24], link[4096];
	struct vfcap_address a;

	for (int i = 0; dirfd >= 0 && i < 0x10000; i++) {
		struct vfcap_function *vf;

		snprintf(name, sizeof(name), "virtfn%d", i);
		if (read_link(dirfd, name, link, sizeof(link)) <= 0)
			return;
		if (!is_address(base_name(link), strlen(base_name(link)), &a))
			continue;
		vf = vfcap_host_find(h, a);
		if (vf && vf != pf && (!vf->pf || vf->pf == pf)) {
			vf->pf = pf;
			vf->vf_index = i;
			vf->known_vf = true;
		}
	}
}

/* Likewise the IDs, which the VF itself reads as ffff. */
static void ids_by_attributes(struct vfcap_function *vf)
{
	cleanup_close int dirfd = open_function(vf->host, vf->address);

	read_ids(vf, dirfd);
}

static void link_vfs(struct vfcap_host *h, const struct physfn *physfn, size_t n)
{
	struct vfcap_function *last = NULL;

	for (size_t i = 0; i < n; i++) {
		struct vfcap_function *vf = physfn[i].vf;
		struct vfcap_function *pf = vf ? vfcap_host_find(h, physfn[i].pf) : NULL;

		if (vf && (!pf || pf->config_size <= 256))
			ids_by_attributes(vf);
		if (!pf || pf == vf)
			continue;
		vf->pf = pf;
		if (pf->config_size <= 256 && pf != last)
			index_by_links(pf);
		last = pf;
	}
}

/* "../../devices/pci0000:00/0000:00:1c.0/0000:03:00.0/virtio0/net/eth0": the last address is the
 * function's, whatever stands below it. */
static struct vfcap_function *netdev_function(const struct vfcap_host *h, const char *link)
{
	struct vfcap_address a, last;
	bool found = false;

	while (*link) {
		size_t len = strcspn(link, "/");

		if (is_address(link, len, &a)) {
			last = a;
			found = true;
		}
		link += len + (link[len] == '/');
	}
	return found ? vfcap_host_find(h, last) : NULL;
}

static int add_netdev(struct vfcap_function *fn, const char *name)
{
	char **more = vfcap_more(fn->netdev, fn->n_netdev, sizeof(*more));
	size_t i = fn->n_netdev;
	char *copy;

	if (!more)
		return -ENOMEM;
	fn->netdev = more;
	copy = strdup(name);
	if (!copy)
		return -ENOMEM;
	for (; i && strcmp(more[i - 1], copy) > 0; i--)
		more[i] = more[i - 1];
	more[i] = copy;
	fn->n_netdev++;
	return 0;
}

static int link_netdevs(struct vfcap_host *h)
{
	VFCAP_CLEANUP(cleanup_closedir) DIR *dir = NULL;
	char path[sizeof(((struct dirent *)NULL)->d_name) + sizeof("/device")], link[4096];
	struct vfcap_function *fn;
	struct dirent *e;
	int err;

	dir = root_opendir(h->root, CLASS_NET, &err);
	if (!dir)
		return 0;
	while (!err && (e = readdir(dir))) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/device", e->d_name);
		if (read_link(dirfd(dir), e->d_name, link, sizeof(link)) <= 0 &&
		    read_link(dirfd(dir), path, link, sizeof(link)) <= 0)
			continue;
		fn = netdev_function(h, link);
		if (fn)
			err = add_netdev(fn, e->d_name);
	}
	return err;
}

/* A capture without any driver link has left them out; a kernel never does. */
static void settle_drivers(struct vfcap_host *h)
{
	bool known = h->topology->kernel;

	for (size_t i = 0; i < h->n; i++)
		known |= h->fn[i]->driver != NULL;
	for (size_t i = 0; i < h->n; i++)
		h->fn[i]->knows_driver = known;
}

/* -------------------------------------------------------------------------------------- scan -- */

static uint32_t kernel_release(const struct vfcap_root *root)
{
	static const char before[] = "Linux version ";
	char text[256], *s = text, *end;
	unsigned long major, minor;

	if (vfcap_root_read(root, "proc/sys/kernel/osrelease", text, sizeof(text)) <= 0) {
		if (vfcap_root_read(root, "proc/version", text, sizeof(text)) <= 0 ||
		    strncmp(text, before, sizeof(before) - 1))
			return VFCAP_RELEASE_NEWEST;
		s += sizeof(before) - 1;
	}
	major = strtoul(s, &end, 10);
	if (end == s || *end != '.' || major > 0x7fff)
		return VFCAP_RELEASE_NEWEST;
	s = end + 1;
	minor = strtoul(s, &end, 10);
	return end == s || minor > 0xffff ? VFCAP_RELEASE_NEWEST : VFCAP_RELEASE(major, minor);
}

static int add_all(struct vfcap_host *h, const struct addresses *list, int devices)
{
	cleanup_free struct physfn *physfn = calloc(list->n, sizeof(*physfn));
	int err = physfn ? 0 : -ENOMEM;

	for (size_t i = 0; i < list->n && !err; i++)
		err = add_function(h, list->a[i], devices, &physfn[i]);
	if (err)
		return err;
	link_vfs(h, physfn, list->n);
	settle_drivers(h);
	return link_netdevs(h);
}

/* Those of the list that come more than once (proc lists a bus under one name only, but who
 * knows). */
static void addresses_sort(struct addresses *list)
{
	size_t n = 0;

	qsort(list->a, list->n, sizeof(*list->a), order);
	for (size_t i = 0; i < list->n; i++)
		if (!n || order(&list->a[n - 1], &list->a[i]))
			list->a[n++] = list->a[i];
	list->n = n;
}

static int topology_new(struct vfcap_host *h)
{
	h->topology = calloc(1, sizeof(*h->topology));
	if (!h->topology)
		return -ENOMEM;
	h->topology->config_fd = -1;
	h->topology->kernel = vfcap_root_has_kernel(h->root);
	h->release = kernel_release(h->root);
	return 0;
}

void vfcap_topology_free(struct vfcap_host *h)
{
	if (!h->topology)
		return;
	vfcap_cleanup_close(&h->topology->config_fd);
	free(h->topology);
	h->topology = NULL;
}

int vfcap_topology_scan(struct vfcap_host *h)
{
	VFCAP_CLEANUP(cleanup_addresses) struct addresses list = { 0 };
	VFCAP_CLEANUP(cleanup_closedir) DIR *dir = NULL;
	const char *root = vfcap_root_dir(h->root);
	const char *slash = *root && root[strlen(root) - 1] == '/' ? "" : "/";
	int no_sysfs, err = topology_new(h);

	if (err)
		return vfcap_host_fail(h, err, "%s: %s", root, strerror(-err));
	dir = root_opendir(h->root, VFCAP_SYSFS_DEVICES, &no_sysfs);
	if (dir)
		err = h->one_pf ? list_pf(h, &list) : list_sysfs(dir, &list);
	if (!err && !list.n && !h->topology->kernel && !h->one_pf)
		err = list_proc(h->root, &list);
	if (err == -ENOENT)
		err = 0;
	if (!err && !list.n)
		return vfcap_host_fail(h, no_sysfs ? no_sysfs : -ENOENT,
				       "%s%s" VFCAP_SYSFS_DEVICES ": %s", root, slash,
				       no_sysfs && no_sysfs != -ENOENT ?
					       strerror(-no_sysfs) :
					       "no PCI function there, nor in " PROC_PCI);
	if (!err) {
		addresses_sort(&list);
		err = add_all(h, &list, dir ? dirfd(dir) : -1);
	}
	return err ? vfcap_host_fail(h, err, "%s: %s", root, strerror(-err)) : 0;
}
