// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Any answers of a kernel to who opens a function through VFIO: what is opened is closed, what is read is where config
 * space is, and nobody waits for long. The first byte says which function and how; the others are answers: to open and
 * ioctl one byte each (0x80 and an error, or success), to ioctl then what it fills in.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/vfio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../src/host/vfio.h"
#include "../../src/uapi/linux-iommufd.h"
#include "../../src/uapi/linux-vfio.h"
#include "../../src/uapi/vfcap-vfio.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FDS 32
#define FIRST_FD 1000
#define SYS "sys/bus/pci/devices/"
#define TOKEN "bd8d9d2b-5a5f-4f5a-a211-f591514ba1f3"

static void require(bool holds)
{
	if (!holds)
		abort();
}

/* ------------------------------------------------------------------------------- a kernel, played -- */

static struct {
	const uint8_t *data;
	size_t left;
	bool open[FDS];
	int n; /* descriptors that were given */
	unsigned int waits;
	bool has_region;
	uint64_t offset, size; /* of config space, as it was told */
} kernel;

static void take(void *buf, size_t n)
{
	size_t has = n < kernel.left ? n : kernel.left;

	memset(buf, 0, n);
	memcpy(buf, kernel.data, has);
	kernel.data += has;
	kernel.left -= has;
}

static int answer(void)
{
	static const int errors[] = { EAGAIN, EBUSY,	  ENOENT, ENODEV, ENXIO, EACCES,
				      EPERM,  EINVAL,	  ENOTTY, E2BIG,  EIO,	 ENOMEM,
				      EMFILE, EOPNOTSUPP, EFAULT, EINTR };
	uint8_t byte;

	take(&byte, 1);
	return byte & 0x80 ? -errors[byte % 16] : byte;
}

static int new_fd(int ret)
{
	if (ret < 0)
		return ret;
	if (kernel.n == FDS)
		return -EMFILE;
	kernel.open[kernel.n] = true;
	return FIRST_FD + kernel.n++;
}

static void require_open(int fd)
{
	require(fd >= FIRST_FD && fd < FIRST_FD + kernel.n && kernel.open[fd - FIRST_FD]);
}

static int fuzz_open(const struct vfcap_root *root, const char *path)
{
	require(root && strncmp(path, "dev/", 4) == 0);
	return new_fd(answer());
}

static void fuzz_close(int fd)
{
	require_open(fd);
	kernel.open[fd - FIRST_FD] = false;
}

/* All behind the size that the caller has given in the first word. */
static void fill(void *arg)
{
	uint32_t size;

	memcpy(&size, arg, sizeof(size));
	require(size >= sizeof(size) && size <= 256);
	take((uint8_t *)arg + sizeof(size), size - sizeof(size));
}

static void fill_region(struct vfio_region_info *region)
{
	require(region->argsz >= sizeof(*region));
	require(region->index == VFIO_PCI_CONFIG_REGION_INDEX);
	fill(region);
	kernel.has_region = true;
	kernel.offset = region->offset;
	kernel.size = region->size;
}

static int fuzz_ioctl(int fd, unsigned long request, void *arg)
{
	int ret = answer();

	require_open(fd);
	switch (request) {
	case VFIO_GROUP_SET_CONTAINER:
		require_open(*(int *)arg);
		break;
	case VFIO_SET_IOMMU:
		break;
	case VFIO_GROUP_GET_DEVICE_FD:
		require(strnlen(arg, 128) < 128);
		return new_fd(ret);
	case VFIO_DEVICE_GET_REGION_INFO:
		if (ret >= 0)
			fill_region(arg);
		break;
	default:
		if (ret >= 0)
			fill(arg);
	}
	return ret;
}

static void require_config(int fd, size_t len, off_t at)
{
	uint64_t most = kernel.size < VFCAP_CFG_SIZE ? kernel.size : VFCAP_CFG_SIZE;

	require_open(fd);
	require(kernel.has_region && at >= 0 && (uint64_t)at >= kernel.offset);
	require(len <= most && (uint64_t)at - kernel.offset <= most - len);
}

/* As many bytes as there are, as a kernel may. */
static ssize_t fuzz_pread(int fd, void *buf, size_t len, off_t at)
{
	int ret = answer();

	require_config(fd, len, at);
	if (ret < 0)
		return ret;
	if (ret & 0x40)
		len = len < (size_t)(ret & 0x3f) ? len : (size_t)(ret & 0x3f);
	take(buf, len);
	return (ssize_t)len;
}

static ssize_t fuzz_pwrite(int fd, const void *buf, size_t len, off_t at)
{
	int ret = answer();

	(void)buf;
	require_config(fd, len, at);
	return ret < 0 ? ret : ret & 0x40 ? 0 : (ssize_t)len;
}

static void fuzz_wait(unsigned int ms)
{
	require(ms <= 1000 && ++kernel.waits <= 100);
}

static const struct vfcap_vfio_ops ops = {
	.open = fuzz_open,
	.close = fuzz_close,
	.ioctl = fuzz_ioctl,
	.pread = fuzz_pread,
	.pwrite = fuzz_pwrite,
	.wait = fuzz_wait,
};

/* ------------------------------------------------------------------------------------------ a host -- */

/* With its own file and a group; with a group that another driver is in; with neither; bound to nothing. */
static const char *const function[] = { "0000:01:00.1", "0000:01:00.2", "0000:01:00.3",
					"0000:01:00.4" };
static char dir[64];

static int drop(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void drop_tree(void)
{
	nftw(dir, drop, 8, FTW_DEPTH | FTW_PHYS);
}

/* path: a directory, with a target a link; all that leads there is made. */
static void put(const char *path, const char *target)
{
	char full[256];

	snprintf(full, sizeof(full), "%s/%s", dir, path);
	for (char *s = full + strlen(dir) + 1; (s = strchr(s, '/')); s++) {
		*s = '\0';
		require(!mkdir(full, 0755) || errno == EEXIST);
		*s = '/';
	}
	require(target ? !symlink(target, full) : !mkdir(full, 0755));
}

static struct vfcap_root *tree(void)
{
	struct vfcap_root *root;

	strcpy(dir, "/tmp/vfcap-fuzz.XXXXXX");
	require(mkdtemp(dir));
	atexit(drop_tree);
	put(SYS "0000:01:00.1/driver", "../drivers/vfcap-vfio-pci");
	put(SYS "0000:01:00.1/iommu_group", "../iommu_groups/14");
	put(SYS "0000:01:00.1/vfio-dev/vfio3", NULL);
	put(SYS "0000:01:00.2/driver", "../drivers/vfio-pci");
	put(SYS "0000:01:00.2/iommu_group", "../iommu_groups/15");
	put("sys/kernel/iommu_groups/15/devices/0000:01:00.5/driver", "../drivers/e1000e");
	put(SYS "0000:01:00.3/driver", "../drivers/vfio-pci");
	put(SYS "0000:01:00.4", NULL);
	require(vfcap_root_open(&root, dir) == 0);
	return root;
}

/* ------------------------------------------------------------------------------------ properties -- */

static void read_and_write(struct vfcap_guest *guest)
{
	static struct vfcap_chain chain;
	struct vfcap_vfio_emulated emulated;
	struct vfcap_image img;
	uint8_t bytes[64];
	uint16_t at[2];

	require(vfcap_vfio_size(guest) <= VFCAP_CFG_SIZE);
	vfcap_vfio_get_emulated(guest, &emulated);
	for (int i = 0; i < 4; i++) {
		unsigned int len;

		take(at, sizeof(at));
		len = at[1] % sizeof(bytes);
		require(vfcap_vfio_fetch(guest, at[0], len, bytes) <= (int)len);
		vfcap_vfio_put(guest, at[0], len, bytes);
	}
	vfcap_image_init(&img, vfcap_vfio_size(guest), vfcap_vfio_fetch, guest);
	vfcap_chain_walk(&chain, &img);
}

static void require_said(const struct vfcap_host *h, const struct vfcap_function *fn)
{
	require(strncmp(h->error, fn->name, strlen(fn->name)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct vfcap_root *root;
	struct vfcap_host host = { 0 };
	struct vfcap_function fn = { .host = &host, .iommu_group = 14 };
	struct vfcap_hw_info info = { 0 };
	struct vfcap_guest *guest = NULL;
	uint8_t how;
	int err;

	if (!root)
		root = tree();
	memset(&kernel, 0, sizeof(kernel));
	kernel.data = data;
	kernel.left = size;
	host.root = root;
	take(&how, 1);
	strcpy(fn.name, function[how & 3]);
	if (how & 8) {
		err = vfcap_iommufd_info_with(&fn, how & 4 ? TOKEN : NULL, &ops, &info);
	} else {
		err = vfcap_vfio_attach_with(&fn, how & 4 ? TOKEN : NULL, &ops, &guest);
		require(!guest == !!err);
	}
	if (err)
		require_said(&host, &fn);
	if (guest)
		read_and_write(guest);
	vfcap_vfio_detach(guest);
	for (int i = 0; i < kernel.n; i++)
		require(!kernel.open[i]);
	return 0;
}
