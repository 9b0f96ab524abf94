// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Config space of functions found under a root. From a captured tree a file is read whole, once,
 * and kept as rows; a kernel's sysfs is asked for exactly the bytes that are wanted, as each is
 * an access to the device.
 */
#include "sysfs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
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
 * "BRIDGE/FUNCTION". In some captures a directory stands there. */
static bool parent_of(const struct vfcap_function *fn, const struct vfcap_dir *devices,
		      char parent[VFCAP_ADDRESS_LEN])
{
	struct vfcap_address a;
	char link[PATH_MAX], *slash;
	struct stat st;

	if (vfcap_dir_stat(devices, fn->name, &st) || S_ISDIR(st.st_mode) ||
	    vfcap_dir_read_link(devices, fn->name, link, sizeof(link)) <= 0)
		return false;
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

static bool bus_asleep(struct vfcap_function *fn, const struct vfcap_dir *devices)
{
	struct vfcap_topology *t = fn->host->topology;
	char parent[VFCAP_ADDRESS_LEN], path[VFCAP_SYSFS_PATH], state[32];

	if (t->bus_known && t->bus == fn->address.bus && t->bus_domain == fn->address.domain)
		return t->bus_asleep;
	t->bus_known = true;
	t->bus = fn->address.bus;
	t->bus_domain = fn->address.domain;
	t->bus_asleep = false;
	if (!vfcap_dir_is_open(devices) || !parent_of(fn, devices, parent))
		return false;
	snprintf(path, sizeof(path), VFCAP_SYSFS_DEVICES "/%s/power/runtime_status", parent);
	t->bus_asleep = vfcap_root_read(fn->host->root, path, state, sizeof(state)) > 0 &&
			strcmp(state, "suspended") == 0;
	return t->bus_asleep;
}

/* A function that is merely runtime suspended can be read and is not asked about: every idle one on
 * vfio-pci is. */
static enum vfcap_skip asleep(struct vfcap_function *fn, const struct vfcap_dir *devices,
			      const struct vfcap_dir *dir)
{
	char state[32];

	if (fn->host->wake)
		return VFCAP_SKIP_NONE;
	if (vfcap_dir_is_open(dir) &&
	    vfcap_dir_read(dir, "power_state", state, sizeof(state)) > 0 &&
	    strcmp(state, "D3cold") == 0)
		return VFCAP_SKIP_D3COLD;
	return bus_asleep(fn, devices) ? VFCAP_SKIP_BRIDGE : VFCAP_SKIP_NONE;
}

/* --------------------------------------------------------------------------------------- IDs -- */

/* From the first bytes of the header, once: those of a VF are completed afterwards. All ones in its type and class too:
 * nobody answers. */
static void take_ids(struct vfcap_function *fn, const uint8_t r[16])
{
	if (fn->has_ids || vfcap_le32(r + 8) == 0xffffffff)
		return;
	fn->vendor = vfcap_le16(r);
	fn->device = vfcap_le16(r + 2);
	fn->revision = r[8];
	fn->class_code = vfcap_le32(r + 8) >> 8;
	fn->known_vf |= fn->vendor == 0xffff && fn->device == 0xffff;
	fn->has_ids = true;
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
	struct vfcap_rows rows = { .end = (uint16_t)len };
	int err = 0;

	for (unsigned int off = 0; off < len && !err; off += 16)
		if (!row_is_zero(bytes + off))
			err = vfcap_rows_put(&rows, off, bytes + off,
					     len - off < 16 ? len - off : 16);
	for (unsigned int i = 0; i < len / 4; i += 32)
		rows.known[i / 32] = len / 4 - i < 32 ? (1u << (len / 4 - i)) - 1 : 0xffffffff;
	fn->rows = err ? NULL : malloc(sizeof(*fn->rows));
	if (!fn->rows) {
		vfcap_rows_free(&rows);
		return -ENOMEM;
	}
	*fn->rows = rows;
	return 0;
}

/* Where a sos report has it. The name of the bus has the domain where that architecture has
 * domains. */
static ssize_t read_proc(const struct vfcap_function *fn, uint8_t *bytes, size_t size)
{
	const struct vfcap_address a = fn->address;
	char path[64];
	ssize_t n;

	snprintf(path, sizeof(path), "proc/bus/pci/%04x:%02x/%02x.%x", a.domain, a.bus,
		 a.devfn >> 3, a.devfn & 7);
	n = vfcap_root_read_bytes(fn->host->root, path, bytes, size);
	if (n != -ENOENT || a.domain)
		return n;
	snprintf(path, sizeof(path), "proc/bus/pci/%02x/%02x.%x", a.bus, a.devfn >> 3, a.devfn & 7);
	return vfcap_root_read_bytes(fn->host->root, path, bytes, size);
}

static int captured_load(struct vfcap_function *fn, const struct vfcap_dir *dir)
{
	uint8_t bytes[VFCAP_CFG_SIZE];
	ssize_t n = -ENOENT;

	if (vfcap_dir_is_open(dir))
		n = vfcap_dir_read_bytes(dir, "config", bytes, sizeof(bytes));
	if (n == -ENOENT)
		n = read_proc(fn, bytes, sizeof(bytes));
	if (n < 0)
		return (int)n;
	if (n && n != CONFIG_UNPRIVILEGED && n != VFCAP_EXT_BASE && n != VFCAP_CFG_SIZE)
		vfcap_host_log(
			fn->host,
			"%s: config: %zd bytes, which is cut short: neither 64, 256 nor 4096",
			fn->name, n);
	memset(bytes + n, 0, sizeof(bytes) - (size_t)n);
	if (n > VFCAP_EXT_BASE)
		fn->config_size = VFCAP_CFG_SIZE;
	else if (n > CONFIG_UNPRIVILEGED)
		fn->config_size = VFCAP_EXT_BASE;
	else
		fn->config_size = n ? CONFIG_UNPRIVILEGED : 0;
	if (n >= 16)
		take_ids(fn, bytes);
	return keep_rows(fn, bytes, (unsigned int)n & ~3u);
}

static int captured_fetch(void *ctx, unsigned int off, unsigned int len, uint8_t *buf)
{
	struct vfcap_function *fn = ctx;

	if (fn->skip != VFCAP_SKIP_NONE)
		return -EAGAIN;
	if (!fn->rows) {
		cleanup_dir struct vfcap_dir dir = VFCAP_DIR_NONE;
		char path[VFCAP_SYSFS_PATH];

		fn->config_err =
			vfcap_dir_open(&dir, fn->host->root, vfcap_sysfs_path(fn, "", path));
		if (!fn->config_err || fn->config_err == -ENOENT)
			fn->config_err = captured_load(fn, &dir);
	}
	return fn->config_err ? fn->config_err : vfcap_rows_fetch(fn->rows, off, len, buf);
}

/* ------------------------------------------------------------------------------------ kernel -- */

/* One file stays open: a chain is read header by header. */
static int kernel_open(struct vfcap_function *fn)
{
	struct vfcap_topology *t = fn->host->topology;
	char path[VFCAP_SYSFS_PATH];
	int fd;

	if (t->config_fn == fn)
		return t->config_fd;
	vfcap_cleanup_close(&t->config_fd);
	t->config_fd = -1;
	t->config_fn = NULL;
	fd = vfcap_root_openat(fn->host->root, vfcap_sysfs_path(fn, "config", path), CONFIG_FLAGS);
	if (fd < 0)
		return fd;
	t->config_fd = fd;
	t->config_fn = fn;
	return fd;
}

/* The size of the file is what the function has; how far a read comes is what this reader may
 * see. */
int vfcap_config_look(struct vfcap_function *fn)
{
	uint8_t bytes[CONFIG_UNPRIVILEGED + 4];
	int fd = kernel_open(fn);
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
	if (n >= 16)
		take_ids(fn, bytes);
	return 0;
}

static int kernel_read(struct vfcap_function *fn, unsigned int off, unsigned int len, uint8_t *buf)
{
	int fd = kernel_open(fn);
	ssize_t n = fd < 0 ? fd : TEMP_FAILURE_RETRY(pread(fd, buf, len, off));

	return fd < 0 ? fd : n < 0 ? -errno : (int)(n & ~3);
}

int vfcap_config_outcome(struct vfcap_function *fn, int err)
{
	bool may_be_gone = err == -ENOENT || err == -ENODEV || err == -ENXIO;
	char path[VFCAP_SYSFS_PATH];

	fn->config_err = err < 0 ? err : 0;
	if (!may_be_gone)
		return err;
	fn->config_err = vfcap_root_has(fn->host->root, vfcap_sysfs_path(fn, "config", path)) ?
			       -EIO :
			       -ENODEV;
	return fn->config_err == -EIO ?
		     -EIO :
		     vfcap_host_fail(fn->host, -ENODEV, "%s: it has gone while it was read",
				     fn->name);
}

int vfcap_config_fetch(struct vfcap_function *fn, unsigned int off, unsigned int len, uint8_t *buf,
		       int (*read)(struct vfcap_function *fn, unsigned int off, unsigned int len,
				   uint8_t *buf))
{
	int n;

	if (fn->skip != VFCAP_SKIP_NONE)
		return -EAGAIN;
	n = fn->config_size < 0 ? vfcap_config_look(fn) : 0;
	return vfcap_config_outcome(fn, n ? n : read(fn, off, len, buf));
}

static int kernel_fetch(void *ctx, unsigned int off, unsigned int len, uint8_t *buf)
{
	return vfcap_config_fetch(ctx, off, len, buf, kernel_read);
}

void vfcap_config_attach(struct vfcap_function *fn, const struct vfcap_dir *devices,
			 const struct vfcap_dir *dir)
{
	bool kernel = fn->host->topology->kernel;

	fn->skip = asleep(fn, devices, dir);
	fn->fetch = kernel ? kernel_fetch : captured_fetch;
	if (fn->skip != VFCAP_SKIP_NONE)
		return;
	fn->config_err = kernel ? vfcap_config_look(fn) : captured_load(fn, dir);
}
