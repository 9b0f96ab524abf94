// SPDX-License-Identifier: GPL-2.0-or-later
/* Which functions there are under a root, and what its sysfs says of them. */
#include "sysfs.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define PROC_PCI "proc/bus/pci"
#define CLASS_NET "sys/class/net"
#define DEVICE_PATH (sizeof(VFCAP_SYSFS_DEVICES "/") + VFCAP_ADDRESS_LEN)

static char *device_path(struct vfcap_address a, char path[DEVICE_PATH])
{
	strcpy(path, VFCAP_SYSFS_DEVICES "/");
	vfcap_address_format(a, path + strlen(path));
	return path;
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

static int list_sysfs(const struct vfcap_dir *dir, struct addresses *list)
{
	cleanup_names struct vfcap_names names;
	struct vfcap_address a;
	int err = vfcap_dir_list(dir, &names);

	for (size_t i = 0; i < names.n && !err; i++)
		if (is_address(names.name[i], strlen(names.name[i]), &a))
			err = addresses_add(list, a);
	return err;
}

static bool is_virtfn(const char *name)
{
	return strncmp(name, "virtfn", 6) == 0;
}

/* One PF and its VFs alone. A link that cannot be read is a VF that would be left out. */
static int list_pf(const struct vfcap_host *h, struct addresses *list)
{
	cleanup_dir struct vfcap_dir dir = VFCAP_DIR_NONE;
	cleanup_names struct vfcap_names names = { 0 };
	char path[DEVICE_PATH], link[VFCAP_ADDRESS_LEN];
	struct vfcap_address a;
	int err = vfcap_dir_open(&dir, h->root, device_path(h->pf, path));

	if (!err)
		err = vfcap_dir_list(&dir, &names);
	if (!err)
		err = addresses_add(list, h->pf);
	for (size_t i = 0; i < names.n && !err; i++) {
		ssize_t n;

		if (!is_virtfn(names.name[i]))
			continue;
		n = vfcap_dir_read_link_name(&dir, names.name[i], link, sizeof(link));
		if (n < 0 && n != -ENOENT)
			err = (int)n;
		else if (n > 0 && is_address(link, (size_t)n, &a))
			err = addresses_add(list, a);
	}
	return err;
}

/* Is it "BB" or "DDDD:BB"? Beside the buses there is a file. */
static bool is_bus(const char *name)
{
	char text[VFCAP_ADDRESS_LEN];
	struct vfcap_address a;
	int n = snprintf(text, sizeof(text), "%s:00.0", name);

	return n < (int)sizeof(text) && is_address(text, (size_t)n, &a);
}

/* proc/bus/pci/BB/DD.F, or DDDD:BB/DD.F: put together they are addresses. */
static int list_bus(const struct vfcap_root *root, const char *bus, struct addresses *list)
{
	cleanup_names struct vfcap_names names = { 0 };
	char path[sizeof(PROC_PCI) + NAME_MAX + 1], name[2 * NAME_MAX + 2];
	struct vfcap_address a;
	int err;

	snprintf(path, sizeof(path), PROC_PCI "/%s", bus);
	err = vfcap_root_list(root, path, &names);
	for (size_t i = 0; i < names.n && !err; i++) {
		snprintf(name, sizeof(name), "%s:%s", bus, names.name[i]);
		if (is_address(name, strlen(name), &a))
			err = addresses_add(list, a);
	}
	return err;
}

static int list_proc(const struct vfcap_root *root, struct addresses *list)
{
	cleanup_names struct vfcap_names names = { 0 };
	int err = vfcap_root_list(root, PROC_PCI, &names);

	for (size_t i = 0; i < names.n && !err; i++)
		if (is_bus(names.name[i]))
			err = list_bus(root, names.name[i], list);
	return err;
}

/* ------------------------------------------------------------------------------ one function -- */

static bool read_number(const struct vfcap_dir *dir, const char *name, unsigned long *val)
{
	return vfcap_dir_is_open(dir) && vfcap_dir_read_number(dir, name, val) == 0;
}

/* The kernel's own idea of the IDs: a VF's are completed there. */
static void read_ids(struct vfcap_function *fn, const struct vfcap_dir *dir)
{
	unsigned long vendor, device, class_code, revision;

	if (!read_number(dir, "vendor", &vendor) || !read_number(dir, "device", &device))
		return;
	fn->vendor = vendor & 0xffff;
	fn->device = device & 0xffff;
	if (fn->has_ids || !read_number(dir, "class", &class_code))
		return;
	fn->class_code = class_code & 0xffffff;
	fn->revision = read_number(dir, "revision", &revision) ? (uint8_t)revision : 0;
	fn->has_ids = true;
}

/* Without the extended part of config space the attributes have to do. */
static void read_attributes(struct vfcap_function *fn, const struct vfcap_dir *dir)
{
	unsigned long val;

	if (!fn->has_ids)
		read_ids(fn, dir);
	if (!fn->known_vf && (fn->host->topology->kernel || fn->config_size <= 256) &&
	    read_number(dir, "sriov_totalvfs", &val))
		fn->totalvfs = (int)val;
}

static int read_links(struct vfcap_function *fn, const struct vfcap_dir *dir)
{
	char name[NAME_MAX + 1];

	if (vfcap_dir_read_link_name(dir, "driver", name, sizeof(name)) > 0) {
		fn->driver = strdup(name);
		if (!fn->driver)
			return -ENOMEM;
	}
	if (vfcap_dir_read_link_name(dir, "iommu_group", name, sizeof(name)) > 0) {
		char *end;
		long group = strtol(name, &end, 10);

		if (*end == '\0' && group >= 0)
			fn->iommu_group = (int)group;
	}
	return 0;
}

static bool read_physfn(const struct vfcap_dir *dir, struct vfcap_address *pf)
{
	char name[VFCAP_ADDRESS_LEN];
	ssize_t n = 0;

	if (vfcap_dir_is_open(dir))
		n = vfcap_dir_read_link_name(dir, "physfn", name, sizeof(name));
	return n > 0 && is_address(name, (size_t)n, pf);
}

/* Where a physfn link leads; the PF need not be known yet. */
struct physfn {
	struct vfcap_function *vf;
	struct vfcap_address pf;
};

/* lost: counts those of which nothing is there but their link. */
static int add_function(struct vfcap_host *h, struct vfcap_address a,
			const struct vfcap_dir *devices, struct physfn *physfn, size_t *lost)
{
	cleanup_dir struct vfcap_dir dir = VFCAP_DIR_NONE;
	unsigned long failures = vfcap_root_failures(h->root);
	struct vfcap_function *fn;
	char path[DEVICE_PATH];
	int err = 0;

	if (vfcap_dir_is_open(devices))
		err = vfcap_dir_open(&dir, h->root, device_path(a, path));
	if (err == -ENOENT && h->topology->kernel)
		return 0; /* it went since it was listed */
	if (err && err != -ENOENT && h->topology->kernel)
		return err; /* of a captured tree the rest is still of use */
	fn = vfcap_host_add(h, a);
	if (!fn)
		return -ENOMEM;
	err = vfcap_dir_is_open(&dir) ? read_links(fn, &dir) : 0;
	vfcap_config_attach(fn, devices, &dir);
	/* A sos report without sys has it in proc. */
	if (vfcap_dir_is_open(devices) && !vfcap_dir_is_open(&dir) && fn->config_err == -ENOENT)
		*lost += vfcap_dir_reject(devices, fn->name, -ENODATA) == -ENODATA;
	if (read_physfn(&dir, &physfn->pf)) {
		physfn->vf = fn;
		fn->known_vf = true;
	}
	read_attributes(fn, &dir);
	fn->unsure = vfcap_root_failures(h->root) != failures;
	return err;
}

/* ---------------------------------------------------------------------------- what is linked -- */

/* Where the registers that give the indices cannot be read, the PF's own links do. */
static void index_by_links(struct vfcap_function *pf)
{
	struct vfcap_host *h = pf->host;
	cleanup_dir struct vfcap_dir dir = VFCAP_DIR_NONE;
	char path[DEVICE_PATH], name[24], link[VFCAP_ADDRESS_LEN];
	unsigned long failures = vfcap_root_failures(h->root);
	int err = vfcap_dir_open(&dir, h->root, device_path(pf->address, path));

	for (int i = 0; !err && i < 0x10000; i++) {
		struct vfcap_function *vf;
		struct vfcap_address a;
		ssize_t n;

		snprintf(name, sizeof(name), "virtfn%d", i);
		n = vfcap_dir_read_link_name(&dir, name, link, sizeof(link));
		if (n <= 0)
			break;
		if (!is_address(link, (size_t)n, &a))
			continue;
		vf = vfcap_host_find(h, a);
		if (vf && vf != pf && (!vf->pf || vf->pf == pf)) {
			vf->pf = pf;
			vf->vf_index = i;
			vf->known_vf = true;
		}
	}
	pf->unsure |= vfcap_root_failures(h->root) != failures;
}

/* Likewise the IDs, which the VF itself reads as ffff. */
static void ids_by_attributes(struct vfcap_function *vf)
{
	cleanup_dir struct vfcap_dir dir = VFCAP_DIR_NONE;
	char path[DEVICE_PATH];

	if (vfcap_dir_open(&dir, vf->host->root, device_path(vf->address, path)) == 0)
		read_ids(vf, &dir);
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

/* An entry is a link to the netdev, below its device; in some captures it is a directory with a link to that. The file
 * bonding_masters is no entry. */
static int link_netdev(struct vfcap_host *h, const struct vfcap_dir *dir, const char *name)
{
	char path[NAME_MAX + sizeof("/device")], link[PATH_MAX];
	struct vfcap_function *fn;
	struct stat st;
	ssize_t n = vfcap_dir_stat(dir, name, &st);

	if (n || S_ISREG(st.st_mode))
		return 0;
	snprintf(path, sizeof(path), "%s%s", name, S_ISDIR(st.st_mode) ? "/device" : "");
	n = vfcap_dir_read_link(dir, path, link, sizeof(link));
	fn = n > 0 ? netdev_function(h, link) : NULL;
	return fn ? add_netdev(fn, name) : 0;
}

static int link_netdevs(struct vfcap_host *h)
{
	cleanup_dir struct vfcap_dir dir = VFCAP_DIR_NONE;
	cleanup_names struct vfcap_names names = { 0 };
	int err = vfcap_dir_open(&dir, h->root, CLASS_NET);

	if (!err)
		err = vfcap_dir_list(&dir, &names);
	h->netdevs_err = err == -ENOENT ? 0 : err;
	if (err == -EACCES)
		vfcap_host_log(h, "/" CLASS_NET ": %s: network interfaces are not known",
			       vfcap_strerror(err));
	if (err)
		return err == -ENOMEM ? err : 0;
	for (size_t i = 0; i < names.n && !err; i++)
		err = link_netdev(h, &dir, names.name[i]);
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
	char text[1024], *s = text, *end;
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

static int add_all(struct vfcap_host *h, const struct addresses *list,
		   const struct vfcap_dir *devices)
{
	cleanup_free struct physfn *physfn = calloc(list->n, sizeof(*physfn));
	int err = physfn ? 0 : -ENOMEM;
	size_t lost = 0;

	for (size_t i = 0; i < list->n && !err; i++)
		err = add_function(h, list->a[i], devices, &physfn[i], &lost);
	if (!err && lost == list->n)
		err = -ENODATA;
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

/* Says why there is nothing to look at. */
static int no_functions(struct vfcap_host *h, int err)
{
	const char *root = vfcap_root_dir(h->root);
	const char *slash = *root && root[strlen(root) - 1] == '/' ? "" : "/";

	return vfcap_host_fail(h, err, "%s%s" VFCAP_SYSFS_DEVICES ": %s", root, slash,
			       err == -ENOENT ? "no PCI function there, nor in " PROC_PCI :
						vfcap_strerror(err));
}

int vfcap_topology_scan(struct vfcap_host *h)
{
	VFCAP_CLEANUP(cleanup_addresses) struct addresses list = { 0 };
	cleanup_dir struct vfcap_dir dir = VFCAP_DIR_NONE;
	const char *what;
	int err = topology_new(h);

	if (err)
		return vfcap_host_fail(h, err, "%s: %s", vfcap_root_dir(h->root),
				       vfcap_strerror(err));
	err = vfcap_dir_open(&dir, h->root, VFCAP_SYSFS_DEVICES);
	if (!err)
		err = h->one_pf ? list_pf(h, &list) : list_sysfs(&dir, &list);
	if ((!err || err == -ENOENT) && !list.n && !h->topology->kernel && !h->one_pf)
		err = list_proc(h->root, &list);
	if ((!err && !list.n) || err == -ENOENT || err == -EACCES)
		return no_functions(h, err ? err : -ENOENT);
	if (!err) {
		addresses_sort(&list);
		err = add_all(h, &list, &dir);
	}
	if (!err)
		return 0;
	return vfcap_root_failure(h->root, &what) == err ?
		       vfcap_host_fail(h, err, "%s", what) :
		       vfcap_host_fail(h, err, "%s: %s", vfcap_root_dir(h->root),
				       vfcap_strerror(err));
}
