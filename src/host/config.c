// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Config space of functions found under a root. From a captured tree a file is read whole, once,
 * and kept as rows; a kernel's sysfs is asked for exactly the bytes that are wanted, as each is
 * an access to the device.
 */
#include "sysfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONFIG_FLAGS (O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)

/* What a reader without CAP_SYS_ADMIN is given. */
#define CONFIG_UNPRIVILEGED 64

char *vfcap_sysfs_path(const struct vfcap_function *fn, const char *name,
		       char buf[VFCAP_SYSFS_PATH])
{
	snprintf(buf, VFCAP_SYSFS_PATH, VFCAP_SYSFS_DEVICES "/%s/%s", fn->name, name);
	return buf;
}

/* ------------------------------------------------------------------------------------ asleep -- */

/* The bridge above a function, from the link in the devices' directory, whose text ends in
 * "BRIDGE/FUNCTION". */
static bool parent_of(const struct vfcap_function *fn, int devices, char parent[VFCAP_ADDRESS_LEN])
{
	struct vfcap_address a;
	char link[4096];
	ssize_t n = readlinkat(devices, fn->name, link, sizeof(link) - 1);
	char *slash;

	if (n <= 0)
		return false;
	link[n] = '\0';
	slash = strrchr(link, '/');
	if (!slash)
		return false;
	*slash = '\0';
	slash = strrchr(link, '/');
	if (!slash || vfcap_address_parse(slash + 1, &a) != strlen(slash + 1))
		return false;
	vfcap_address_format(a, parent);
	return true;
}

static bool bus_asleep(struct vfcap_function *fn, int devices)
{
	struct vfcap_topology *t = fn->host->topology;
	char parent[VFCAP_ADDRESS_LEN], path[VFCAP_SYSFS_PATH], state[32];

	if (t->bus_known && t->bus == fn->address.bus && t->bus_domain == fn->address.domain)
		return t->bus_asleep;
	t->bus_known = true;
	t->bus = fn->address.bus;
	t->bus_domain = fn->address.domain;
	t->bus_asleep = false;
	if (devices < 0 || !parent_of(fn, devices, parent))
		return false;
	snprintf(path, sizeof(path), VFCAP_SYSFS_DEVICES "/%s/power/runtime_status", parent);
	t->bus_asleep = vfcap_root_read(fn->host->root, path, state, sizeof(state)) > 0 &&
			strcmp(state, "suspended") == 0;
	return t->bus_asleep;
}

/* A function that is merely runtime suspended can be read and is not asked about: every idle one on
 * vfio-pci is. */
static enum vfcap_skip asleep(struct vfcap_function *fn, int devices, int dirfd)
{
	char state[32];

	if (fn->host->wake)
		return VFCAP_SKIP_NONE;
	if (dirfd >= 0 && vfcap_dir_read(dirfd, "power_state", state, sizeof(state)) > 0 &&
	    strcmp(state, "D3cold") == 0)
		return VFCAP_SKIP_D3COLD;
	return bus_asleep(fn, devices) ? VFCAP_SKIP_BRIDGE : VFCAP_SKIP_NONE;
}

/* ---------------------------------------------------------------------------- captured trees -- */

static bool row_is_zero(const uint8_t row[16])
{
	uint64_t half[2];

	memcpy(half, row, sizeof(half));
	return !(half[0] | half[1]);
}

/* bytes has whole rows, filled up with zeros; len of them are known. Most rows are zero: all are
 * declared known at once, and the others are given. */
static int keep_rows(struct vfcap_function *fn, const uint8_t *bytes, unsigned int len)
{
	int err = 0;

	fn->rows = calloc(1, sizeof(*fn->rows));
	if (!fn->rows)
		return -ENOMEM;
	for (unsigned int off = 0; off < len && !err; off += 16)
		if (!row_is_zero(bytes + off))
			err = vfcap_rows_put(fn->rows, off, bytes + off,
					     len - off < 16 ? len - off : 16);
	for (unsigned int i = 0; i < len / 4; i += 32)
		fn->rows->known[i / 32] = len / 4 - i < 32 ? (1u << (len / 4 - i)) - 1 : 0xffffffff;
	fn->rows->end = (uint16_t)len;
	return err;
}

static int read_whole(struct vfcap_function *fn, int fd)
{
	uint8_t bytes[VFCAP_CFG_SIZE];
	ssize_t n = TEMP_FAILURE_RETRY(pread(fd, bytes, sizeof(bytes), 0));

	if (n < 0)
		return -errno;
	memset(bytes + n, 0, sizeof(bytes) - (size_t)n);
	if (n > VFCAP_EXT_BASE)
		fn->config_size = VFCAP_CFG_SIZE;
	else if (n > CONFIG_UNPRIVILEGED)
		fn->config_size = VFCAP_EXT_BASE;
	else
		fn->config_size = n ? CONFIG_UNPRIVILEGED : 0;
	return keep_rows(fn, bytes, (unsigned int)n & ~3u);
}

/* Where a sos report has it. The name of the bus has the domain where that architecture has
 * domains. */
static int open_proc(const struct vfcap_function *fn)
{
	const struct vfcap_address a = fn->address;
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "proc/bus/pci/%04x:%02x/%02x.%x", a.domain, a.bus,
		 a.devfn >> 3, a.devfn & 7);
	fd = vfcap_root_openat(fn->host->root, path, CONFIG_FLAGS);
	if (fd != -ENOENT || a.domain)
		return fd;
	snprintf(path, sizeof(path), "proc/bus/pci/%02x/%02x.%x", a.bus, a.devfn >> 3, a.devfn & 7);
	return vfcap_root_openat(fn->host->root, path, CONFIG_FLAGS);
}

static int captured_load(struct vfcap_function *fn, int dirfd)
{
	cleanup_close int fd = -ENOENT;

	if (dirfd >= 0) {
		fd = openat(dirfd, "config", CONFIG_FLAGS);
		if (fd < 0)
			fd = -errno;
	}
	if (fd == -ENOENT)
		fd = open_proc(fn);
	return fd < 0 ? fd : read_whole(fn, fd);
}

static int captured_fetch(void *ctx, unsigned int off, unsigned int len, uint8_t *buf)
{
	struct vfcap_function *fn = ctx;
	char path[VFCAP_SYSFS_PATH];
	int err = 0;

	if (fn->skip != VFCAP_SKIP_NONE)
		return -EAGAIN;
	if (!fn->rows) {
		cleanup_close int dirfd = vfcap_root_openat(
			fn->host->root, vfcap_sysfs_path(fn, "", path), O_PATH | O_DIRECTORY);

		err = captured_load(fn, dirfd);
	}
	return err ? err : vfcap_rows_fetch(fn->rows, off, len, buf);
}

/* ------------------------------------------------------------------------------------ kernel -- */

/* One file stays open: a chain is read header by header. */
static int kernel_open(struct vfcap_function *fn, int dirfd)
{
	struct vfcap_topology *t = fn->host->topology;
	char path[VFCAP_SYSFS_PATH];
	int fd;

	if (t->config_fn == fn)
		return t->config_fd;
	vfcap_cleanup_close(&t->config_fd);
	t->config_fd = -1;
	t->config_fn = NULL;
	if (dirfd >= 0)
		fd = openat(dirfd, "config", CONFIG_FLAGS);
	else
		fd = vfcap_root_openat(fn->host->root, vfcap_sysfs_path(fn, "config", path),
				       CONFIG_FLAGS);
	if (fd < 0)
		return dirfd >= 0 ? -errno : fd;
	t->config_fd = fd;
	t->config_fn = fn;
	return fd;
}

static int kernel_fetch(void *ctx, unsigned int off, unsigned int len, uint8_t *buf)
{
	struct vfcap_function *fn = ctx;
	ssize_t n;
	int fd;

	if (fn->skip != VFCAP_SKIP_NONE)
		return -EAGAIN;
	fd = kernel_open(fn, -1);
	if (fd == -ENOENT)
		return vfcap_host_fail(fn->host, -ENODEV, "%s: it has gone while it was read",
				       fn->name);
	if (fd < 0)
		return fd;
	n = TEMP_FAILURE_RETRY(pread(fd, buf, len, off));
	return n < 0 ? -errno : (int)(n & ~3);
}

/* The size of the file is what the function has; how far a read comes is what this reader may
 * see. */
static int kernel_look(struct vfcap_function *fn, int dirfd)
{
	uint8_t bytes[CONFIG_UNPRIVILEGED + 4];
	int fd = kernel_open(fn, dirfd);
	struct stat st;
	ssize_t n;

	if (fd < 0)
		return fd;
	n = TEMP_FAILURE_RETRY(pread(fd, bytes, sizeof(bytes), 0));
	if (n < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (n <= CONFIG_UNPRIVILEGED || st.st_size <= CONFIG_UNPRIVILEGED)
		fn->config_size = n ? CONFIG_UNPRIVILEGED : 0;
	else
		fn->config_size = st.st_size <= VFCAP_EXT_BASE ? VFCAP_EXT_BASE : VFCAP_CFG_SIZE;
	return 0;
}

/* --------------------------------------------------------------------------------------- IDs -- */

/* All ones in the header's type and class too: nobody answers. */
static void take_ids(struct vfcap_function *fn)
{
	uint8_t r[16];

	if (fn->fetch(fn, 0, sizeof(r), r) < (int)sizeof(r) || vfcap_le32(r + 8) == 0xffffffff)
		return;
	fn->vendor = vfcap_le16(r);
	fn->device = vfcap_le16(r + 2);
	fn->revision = r[8];
	fn->class_code = vfcap_le32(r + 8) >> 8;
	fn->known_vf = fn->vendor == 0xffff && fn->device == 0xffff;
	fn->has_ids = true;
}

void vfcap_config_attach(struct vfcap_function *fn, int devices, int dirfd)
{
	bool kernel = fn->host->topology->kernel;

	fn->skip = asleep(fn, devices, dirfd);
	fn->fetch = kernel ? kernel_fetch : captured_fetch;
	if (fn->skip == VFCAP_SKIP_NONE &&
	    (kernel ? kernel_look(fn, dirfd) : captured_load(fn, dirfd)) == 0)
		take_ids(fn);
}
