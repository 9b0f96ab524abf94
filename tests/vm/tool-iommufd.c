// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * tool-iommufd ADDRESS [hold|calls]: what a VMM reads of a function's config space that it opened by its
 * own file and bound to an iommufd, on standard output. With "hold" the device stays open until a signal
 * ends it; with "calls" it makes the calls of a VMM whose guest uses PASIDs instead, and tells in lines of
 * text what came of each: the same for every driver that does it right.
 *
 * <linux/iommufd.h> and much of <linux/vfio.h> are newer than the headers that this is to build with.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "../../src/uapi/linux-vfio.h"
#include "guest.h"

#define ATTACH_PT _IO(VFIO_TYPE, VFIO_BASE + 19)
#define DETACH_PT _IO(VFIO_TYPE, VFIO_BASE + 20)
#define IOAS_ALLOC _IO(VFIO_TYPE, 0x81)
#define IOAS_MAP _IO(VFIO_TYPE, 0x85)
#define HWPT_ALLOC _IO(VFIO_TYPE, 0x89)
#define GET_HW_INFO _IO(VFIO_TYPE, 0x8a)

#define WITH_PASID (1 << 0) /* flags of both */
#define FOR_PASIDS (1 << 3) /* of a page table */

struct attach {
	uint32_t argsz, flags, pt_id, pasid;
};

struct detach {
	uint32_t argsz, flags, pasid;
};

struct ioas_alloc {
	uint32_t size, flags, out_ioas_id;
};

struct ioas_map {
	uint32_t size, flags, ioas_id, reserved;
	uint64_t user_va, length, iova;
};

struct hwpt_alloc {
	uint32_t size, flags, dev_id, pt_id, out_hwpt_id, reserved, data_type, data_len;
	uint64_t data_uptr;
	uint32_t fault_id, reserved2;
};

struct hw_info {
	uint32_t size, flags, dev_id, data_len;
	uint64_t data_uptr;
	uint32_t data_type;
	uint8_t out_max_pasid_log2, reserved[3];
	uint64_t out_capabilities;
};

/* -------------------------------------------------------------------------------------- opening -- */

static int open_device(const struct fn *fn)
{
	char path[PATH_MAX];
	struct dirent *e;
	int fd = -1;
	DIR *dir;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/vfio-dev", fn->addr);
	dir = opendir(path);
	while (dir && fd < 0 && (e = readdir(dir))) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/dev/vfio/devices/%s", e->d_name);
		fd = open(path, O_RDWR | O_CLOEXEC);
	}
	if (dir)
		closedir(dir);
	return fd;
}

static int try_ioctl(int fd, unsigned long request, void *arg)
{
	return ioctl(fd, request, arg) < 0 ? -errno : 0;
}

/* The container is the iommufd. Tells what came of binding. */
static int bind_device(struct vfio *v, const struct fn *fn, uint32_t *devid)
{
	struct vfcap_linux_bind_iommufd bind = {
		.argsz = offsetof(struct vfcap_linux_bind_iommufd, token_uuid_ptr),
	};
	struct vfio_region_info region = { .argsz = sizeof(region),
					   .index = VFIO_PCI_CONFIG_REGION_INDEX };
	int ret;

	v->group = -1;
	v->container = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	v->device = open_device(fn);
	bind.iommufd = v->container;
	ret = try_ioctl(v->device, VFCAP_LINUX_BIND_IOMMUFD, &bind);
	if (!ret)
		ret = try_ioctl(v->device, VFIO_DEVICE_GET_REGION_INFO, &region);
	v->config = (off_t)region.offset;
	*devid = bind.out_devid;
	return ret;
}

/* ---------------------------------------------------------------------------------------- calls -- */

static void told(const char *what, int ret)
{
	printf("%s: %s\n", what, ret ? strerror(-ret) : "ok");
}

/* How many PASIDs the test bus' IOMMU has attached now. */
static void tell_attached(void)
{
	FILE *file = fopen("/sys/kernel/debug/vfcap-testbus/pasids", "r");
	int n = -1;

	if (!file || fscanf(file, "%d", &n) != 1)
		n = -1;
	if (file)
		fclose(file);
	printf("attached PASIDs: %d\n", n);
}

static int attach(const struct vfio *v, uint32_t pt, uint32_t flags, uint32_t pasid)
{
	struct attach attach = { sizeof(attach), flags, pt, pasid };

	return try_ioctl(v->device, ATTACH_PT, &attach);
}

static int detach(const struct vfio *v, uint32_t flags, uint32_t pasid)
{
	struct detach detach = { sizeof(detach), flags, pasid };

	return try_ioctl(v->device, DETACH_PT, &detach);
}

static void tell_hardware(const struct vfio *v, uint32_t devid)
{
	struct hw_info info = { .size = sizeof(info), .dev_id = devid };

	told("hardware", try_ioctl(v->container, GET_HW_INFO, &info));
	printf("PASID bits: %u, capabilities: %#llx\n", info.out_max_pasid_log2,
	       (unsigned long long)info.out_capabilities);
}

static uint32_t make_address_space(const struct vfio *v)
{
	static char memory[0x4000] __attribute__((aligned(0x1000)));
	struct ioas_alloc ioas = { .size = sizeof(ioas) };
	struct ioas_map map = { .size = sizeof(map),
				.flags = 7, /* at this IOVA, to be read and written */
				.user_va = (uintptr_t)memory,
				.length = sizeof(memory),
				.iova = 0x100000 };

	told("address space", try_ioctl(v->container, IOAS_ALLOC, &ioas));
	map.ioas_id = ioas.out_ioas_id;
	told("memory in it", try_ioctl(v->container, IOAS_MAP, &map));
	return ioas.out_ioas_id;
}

static uint32_t make_page_table(const struct vfio *v, uint32_t devid, uint32_t ioas)
{
	struct hwpt_alloc hwpt = {
		.size = sizeof(hwpt), .flags = FOR_PASIDS, .dev_id = devid, .pt_id = ioas
	};

	told("page table for PASIDs", try_ioctl(v->container, HWPT_ALLOC, &hwpt));
	return hwpt.out_hwpt_id;
}

static void attach_pasids(const struct vfio *v, uint32_t ioas, uint32_t hwpt)
{
	told("attach PASID 1", attach(v, hwpt, WITH_PASID, 1));
	tell_attached();
	told("attach PASID 2", attach(v, hwpt, WITH_PASID, 2));
	told("attach PASID 1 again", attach(v, hwpt, WITH_PASID, 1));
	tell_attached();
	told("attach PASID 3 to what is not for PASIDs", attach(v, ioas, WITH_PASID, 3));
	told("attach a PASID that is too large", attach(v, hwpt, WITH_PASID, 1 << 20));
	told("attach PASID 3 to nothing", attach(v, 0xffffff, WITH_PASID, 3));
	tell_attached();
	told("detach PASID 1", detach(v, WITH_PASID, 1));
	tell_attached();
	told("detach PASID 7, which never was", detach(v, WITH_PASID, 7));
	tell_attached();
}

static int make_calls(const struct fn *fn)
{
	uint32_t devid, ioas, hwpt;
	struct vfio v;
	int ret;

	ret = bind_device(&v, fn, &devid);
	told("bind", ret);
	if (ret)
		return 1;
	tell_hardware(&v, devid);
	ioas = make_address_space(&v);
	told("attach", attach(&v, ioas, 0, 0));
	told("attach with unknown flags", attach(&v, ioas, 2, 0));
	hwpt = make_page_table(&v, devid, ioas);
	told("attach to another", attach(&v, hwpt, 0, 0));
	attach_pasids(&v, ioas, hwpt);
	told("reset", try_ioctl(v.device, VFIO_DEVICE_RESET, NULL));
	tell_attached();
	told("detach", detach(&v, 0, 0));
	told("detach again", detach(&v, 0, 0));
	tell_attached();
	vfio_close(&v);
	told("close", 0);
	tell_attached();
	return 0;
}

int main(int argc, char **argv)
{
	struct fn fn = { 0 };
	uint8_t view[CFG];
	uint32_t devid;
	struct vfio v;

	if (argc < 2 || strlen(argv[1]) >= sizeof(fn.addr))
		return 2;
	strcpy(fn.addr, argv[1]);
	if (argc > 2 && !strcmp(argv[2], "calls"))
		return make_calls(&fn);
	if (bind_device(&v, &fn, &devid)) {
		fprintf(stderr, "%s: %s\n", fn.addr, strerror(errno));
		return 1;
	}
	if (cfg_read(&v, 0, view, CFG) != CFG || write(STDOUT_FILENO, view, CFG) != CFG)
		return 1;
	if (argc > 2)
		pause();
	vfio_close(&v);
	return 0;
}
