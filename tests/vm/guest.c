// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <linux/vfio.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "guest.h"

#define FIRST_VF 8 /* routing ID of VF 0 on all hosts */

static unsigned int results, failures;

static void result(bool good, const char *fmt, va_list ap)
{
	printf("%sok %u - ", good ? "" : "not ", ++results);
	vprintf(fmt, ap);
	putchar('\n');
	failures += !good;
}

void ok(bool good, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	result(good, fmt, ap);
	va_end(ap);
}

void same(long got, long want, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	result(got == want, fmt, ap);
	va_end(ap);
	if (got != want)
		printf("# got %ld (%#lx), wanted %ld (%#lx)\n", got, got, want, want);
}

int finish(void)
{
	printf("1..%u\n", results);
	return failures != 0;
}

/* What a test cannot go on without. */
static void __attribute__((noreturn)) die(const char *what)
{
	printf("not ok %u - %s: %s\n", ++results, what, strerror(errno));
	exit(1);
}

uint32_t this_release(void)
{
	struct utsname uts;
	unsigned int major = 0, minor = 0;

	uname(&uts);
	sscanf(uts.release, "%u.%u", &major, &minor);
	return VFCAP_RELEASE(major, minor);
}

/* ---------------------------------------------------------------------------------------- sysfs -- */

struct fn fn_of(unsigned int domain, int vf)
{
	struct fn fn = { .domain = domain, .rid = vf == PF ? 0 : FIRST_VF + (unsigned int)vf };

	snprintf(fn.addr, sizeof(fn.addr), "%04x:%02x:%02x.%x", domain & 0xffff, fn.rid >> 8 & 0xff,
		 fn.rid >> 3 & 0x1f, fn.rid & 7);
	return fn;
}

static int open_pci(int flags, const char *fmt, va_list ap)
{
	char path[PATH_MAX] = "/sys/bus/pci/";
	size_t n = strlen(path);

	vsnprintf(path + n, sizeof(path) - n, fmt, ap);
	return open(path, flags | O_CLOEXEC);
}

int put(const char *text, const char *fmt, ...)
{
	va_list ap;
	int fd, ret;

	va_start(ap, fmt);
	fd = open_pci(O_WRONLY, fmt, ap);
	va_end(ap);
	if (fd < 0)
		return -errno;
	ret = write(fd, text, strlen(text)) < 0 ? -errno : 0;
	close(fd);
	return ret;
}

const char *get(char buf[128], const char *fmt, ...)
{
	ssize_t n = 0;
	va_list ap;
	int fd;

	va_start(ap, fmt);
	fd = open_pci(O_RDONLY, fmt, ap);
	va_end(ap);
	if (fd >= 0) {
		n = read(fd, buf, 127);
		close(fd);
	}
	buf[n > 0 ? n : 0] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	return buf;
}

static bool is_bound(const struct fn *fn, const char *driver)
{
	char path[PATH_MAX], target[PATH_MAX];
	ssize_t n;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver", fn->addr);
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return !driver;
	target[n] = '\0';
	return driver && !strcmp(basename(target), driver);
}

bool bind_to(const struct fn *fn, const char *driver)
{
	put(fn->addr, "devices/%s/driver/unbind", fn->addr);
	put(driver ? driver : "\n", "devices/%s/driver_override", fn->addr);
	if (driver)
		put(fn->addr, "drivers_probe");
	return is_bound(fn, driver);
}

bool make_vfs(unsigned int domain, unsigned int n)
{
	struct fn pf = fn_of(domain, PF);
	char text[16], got[128];

	if (!is_bound(&pf, "pci-pf-stub") && !bind_to(&pf, "pci-pf-stub"))
		return false;
	put("0", "devices/%s/sriov_drivers_autoprobe", pf.addr);
	put("0", "devices/%s/sriov_numvfs", pf.addr);
	snprintf(text, sizeof(text), "%u", n);
	return !put(text, "devices/%s/sriov_numvfs", pf.addr) &&
	       !strcmp(get(got, "devices/%s/sriov_numvfs", pf.addr), text);
}

int turn(const struct fn *fn, const char *attr, const char *text)
{
	return put(text, "devices/%s/vfcap/%s", fn->addr, attr);
}

int turn_to(const struct fn *fn, const char *attr, unsigned int val)
{
	char text[16];

	snprintf(text, sizeof(text), "0x%x\n", val);
	return turn(fn, attr, text);
}

bool knob_is(const struct fn *fn, const char *attr, const char *text)
{
	char buf[128];

	if (!strcmp(get(buf, "devices/%s/vfcap/%s", fn->addr, attr), text))
		return true;
	printf("# %s %s: %s\n", fn->addr, attr, buf);
	return false;
}

/* --------------------------------------------------------------------------------- the test bus -- */

static int open_debug(const struct fn *fn, const char *name, int flags)
{
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "/sys/kernel/debug/vfcap-testbus/%04x/%s", fn->domain, name);
	fd = open(path, flags);
	if (fd < 0)
		die(path);
	return fd;
}

static void read_debug(const struct fn *fn, const char *name, void *to)
{
	int fd = open_debug(fn, name, O_RDONLY);
	size_t done = 0;
	ssize_t n;

	memset(to, 0xff, CFG);
	while (done < CFG) {
		n = pread(fd, (char *)to + done, CFG - done, (off_t)(fn->rid * CFG + done));
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	close(fd);
}

void read_image(const struct fn *fn, uint8_t image[CFG])
{
	read_debug(fn, "config", image);
}

void read_writes(const struct fn *fn, uint32_t writes[CFG / 4])
{
	read_debug(fn, "writes", writes);
}

void note(const struct fn *fn, unsigned int on)
{
	int fd = open_debug(fn, "noted", O_WRONLY);

	if (dprintf(fd, "%u\n", on) < 0)
		die("noting what the PF has on");
	close(fd);
}

unsigned long count_reads(const struct fn *fn)
{
	int fd = open_debug(fn, "reads", O_RDONLY);
	char buf[32] = "";

	if (read(fd, buf, sizeof(buf) - 1) < 1)
		die("counting reads");
	close(fd);
	return strtoul(buf, NULL, 10);
}

void poke_image(const struct fn *fn, unsigned int off, const void *bytes, size_t len)
{
	int fd = open_debug(fn, "config", O_WRONLY);
	size_t done = 0;
	ssize_t n;

	while (done < len) {
		n = pwrite(fd, (const char *)bytes + done, len - done,
			   (off_t)(fn->rid * CFG + off + done));
		if (n <= 0)
			die("poking an image");
		done += (size_t)n;
	}
	close(fd);
}

/* ----------------------------------------------------------------------------------------- VFIO -- */

static int open_group(const struct fn *fn)
{
	char path[PATH_MAX], target[PATH_MAX];
	ssize_t n;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/iommu_group", fn->addr);
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return -1;
	target[n] = '\0';
	snprintf(path, sizeof(path), "/dev/vfio/%s", basename(target));
	return open(path, O_RDWR | O_CLOEXEC);
}

bool vfio_try(struct vfio *v, const struct fn *fn)
{
	struct vfio_region_info region = { .argsz = sizeof(region),
					   .index = VFIO_PCI_CONFIG_REGION_INDEX };
	int err;

	v->device = -1;
	v->container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	v->group = open_group(fn);
	if (v->container >= 0 && v->group >= 0 &&
	    !ioctl(v->group, VFIO_GROUP_SET_CONTAINER, &v->container) &&
	    !ioctl(v->container, VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU))
		v->device = ioctl(v->group, VFIO_GROUP_GET_DEVICE_FD, fn->addr);
	if (v->device < 0 || ioctl(v->device, VFIO_DEVICE_GET_REGION_INFO, &region)) {
		err = errno;
		vfio_close(v);
		errno = err;
		return false;
	}
	v->config = (off_t)region.offset;
	return true;
}

bool vfio_open(struct vfio *v, const struct fn *fn)
{
	if (vfio_try(v, fn))
		return true;
	printf("# opening %s: %s\n", fn->addr, strerror(errno));
	return false;
}

void vfio_close(struct vfio *v)
{
	if (v->device >= 0)
		close(v->device);
	if (v->group >= 0)
		close(v->group);
	if (v->container >= 0)
		close(v->container);
	v->device = v->group = v->container = -1;
}

int cfg_read(const struct vfio *v, unsigned int off, void *buf, size_t len)
{
	ssize_t n = pread(v->device, buf, len, v->config + off);

	return n < 0 ? -errno : (int)n;
}

int cfg_write(const struct vfio *v, unsigned int off, const void *buf, size_t len)
{
	ssize_t n = pwrite(v->device, buf, len, v->config + off);

	return n < 0 ? -errno : (int)n;
}

uint32_t cfg_get(const struct vfio *v, unsigned int off, unsigned int width)
{
	uint8_t bytes[4] = { 0 };

	cfg_read(v, off, bytes, width);
	return vfcap_le32(bytes);
}

int cfg_put(const struct vfio *v, unsigned int off, unsigned int width, uint32_t val)
{
	uint8_t bytes[4];

	vfcap_put_le32(bytes, val);
	return cfg_write(v, off, bytes, width);
}

int feature(const struct vfio *v, uint32_t flags, void *data, size_t len)
{
	uint64_t room[8] = { 0 };
	struct vfio_device_feature *f = (struct vfio_device_feature *)room;
	int ret;

	f->argsz = (uint32_t)(sizeof(*f) + len);
	f->flags = flags;
	if (flags & VFIO_DEVICE_FEATURE_SET)
		memcpy(f->data, data, len);
	ret = ioctl(v->device, VFIO_DEVICE_FEATURE, f) < 0 ? -errno : 0;
	if (!ret && flags & VFIO_DEVICE_FEATURE_GET)
		memcpy(data, f->data, len);
	return ret;
}

bool stock_view(const struct fn *fn, uint8_t view[CFG])
{
	struct vfio v;
	bool good;

	if (!bind_to(fn, "vfio-pci") || !vfio_open(&v, fn))
		return false;
	good = cfg_read(&v, 0, view, CFG) == CFG;
	vfio_close(&v);
	return good;
}
