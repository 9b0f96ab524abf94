// SPDX-License-Identifier: GPL-2.0-or-later
/* Opening a function through VFIO: each call that the kernel is to get, in order, and what becomes of
 * each that fails. */
#include "tree.h"

#include <linux/vfio.h>

#include "../../src/host/vfio.h"
#include "../../src/uapi/linux-iommufd.h"
#include "../../src/uapi/linux-vfio.h"
#include "../../src/uapi/vfcap-vfio.h"

#define VF "0000:01:00.1"
#define UUID "bd8d9d2b-5a5f-4f5a-a211-f591514ba1f3"
#define SYS "sys/bus/pci/devices/" VF
#define CONFIG_AT 0x70000000000

/* Descriptors, in the order in which they are to be closed. */
enum { DEVICE = 105, GROUP, IOMMU };

enum kind { END, OPEN, CLOSE, IOCTL, WAIT };

struct call {
	enum kind kind;
	const char *path; /* OPEN */
	int fd; /* CLOSE, IOCTL */
	unsigned long request; /* IOCTL */
	int ret;
};

static struct {
	const struct call *next;
	bool inviable, no_pci;
	char name[128]; /* that a device was asked for by */
	unsigned long iommu;
	int container;
	struct vfcap_linux_bind_iommufd bind;
	uint8_t uuid[16];
	uint32_t feature; /* flags of the last one */
	unsigned int width; /* that an iommufd tells */
	struct vfcap_linux_detach detach;
	uint8_t config[VFCAP_CFG_SIZE];
} mock;

static const struct call *expect(enum kind kind)
{
	assert_int_equal(mock.next->kind, kind);
	return mock.next++;
}

static int mock_open(const struct vfcap_root *root, const char *path)
{
	const struct call *c = expect(OPEN);

	assert_non_null(root);
	assert_string_equal(path, c->path);
	return c->ret;
}

static void mock_close(int fd)
{
	assert_int_equal(expect(CLOSE)->fd, fd);
}

static void mock_wait(unsigned int ms)
{
	assert_int_equal(ms, 100);
	expect(WAIT);
}

static void answer(unsigned long request, void *arg)
{
	if (request == VFIO_GROUP_GET_STATUS) {
		struct vfio_group_status *s = arg;

		assert_int_equal(s->argsz, sizeof(*s));
		s->flags = mock.inviable ? 0 : VFIO_GROUP_FLAGS_VIABLE;
	} else if (request == VFIO_DEVICE_GET_INFO) {
		struct vfio_device_info *info = arg;

		assert_int_equal(info->argsz, sizeof(*info));
		info->flags = mock.no_pci ? VFIO_DEVICE_FLAGS_PLATFORM : VFIO_DEVICE_FLAGS_PCI;
		info->num_regions = VFIO_PCI_NUM_REGIONS;
	} else if (request == VFIO_DEVICE_GET_REGION_INFO) {
		struct vfio_region_info *region = arg;

		assert_int_equal(region->argsz, sizeof(*region));
		assert_int_equal(region->index, VFIO_PCI_CONFIG_REGION_INDEX);
		region->offset = CONFIG_AT;
		region->size = VFCAP_CFG_SIZE;
	} else if (request == VFIO_DEVICE_FEATURE) {
		const struct vfcap_vfio_emulated said = { .pasid_offset = 0x200,
							  .pasid_width = 20 };
		struct vfio_device_feature *f = arg;

		assert_int_equal(f->argsz, sizeof(*f) + sizeof(said));
		mock.feature = f->flags;
		if (!(f->flags & VFIO_DEVICE_FEATURE_PROBE))
			memcpy(f->data, &said, sizeof(said));
	} else if (request == VFCAP_LINUX_BIND_IOMMUFD) {
		((struct vfcap_linux_bind_iommufd *)arg)->out_devid = 77;
	} else if (request == VFCAP_LINUX_GET_HW_INFO) {
		struct vfcap_linux_hw_info *info = arg;

		assert_int_equal(info->size, 40);
		assert_int_equal(info->flags, 0);
		assert_int_equal(info->dev_id, 77);
		assert_int_equal(info->data_len, 0);
		info->out_data_type = 4;
		info->out_max_pasid_log2 = (uint8_t)mock.width;
		info->out_capabilities = VFCAP_HW_DIRTY | VFCAP_HW_PASID_EXEC;
	}
}

static int mock_ioctl(int fd, unsigned long request, void *arg)
{
	const struct call *c = expect(IOCTL);

	assert_int_equal(fd, c->fd);
	assert_int_equal(request, c->request);
	if (request == VFIO_GROUP_GET_DEVICE_FD) {
		snprintf(mock.name, sizeof(mock.name), "%s", (const char *)arg);
	} else if (request == VFIO_SET_IOMMU) {
		mock.iommu = (unsigned long)arg;
	} else if (request == VFIO_GROUP_SET_CONTAINER) {
		mock.container = *(int *)arg;
	} else if (request == VFCAP_LINUX_BIND_IOMMUFD) {
		memset(&mock.bind, 0, sizeof(mock.bind));
		memcpy(&mock.bind, arg, *(uint32_t *)arg);
		if (mock.bind.token_uuid_ptr)
			memcpy(mock.uuid, (void *)(uintptr_t)mock.bind.token_uuid_ptr, 16);
	} else if (request == VFCAP_LINUX_DETACH) {
		memcpy(&mock.detach, arg, sizeof(mock.detach));
	}
	if (c->ret >= 0)
		answer(request, arg);
	return c->ret;
}

static ssize_t mock_pread(int fd, void *buf, size_t len, off_t at)
{
	assert_int_equal(fd, DEVICE);
	assert_true(at >= CONFIG_AT && at + (off_t)len <= CONFIG_AT + VFCAP_CFG_SIZE);
	memcpy(buf, mock.config + (at - CONFIG_AT), len);
	return (ssize_t)len;
}

static ssize_t mock_pwrite(int fd, const void *buf, size_t len, off_t at)
{
	assert_int_equal(fd, DEVICE);
	assert_true(at >= CONFIG_AT && at + (off_t)len <= CONFIG_AT + VFCAP_CFG_SIZE);
	memcpy(mock.config + (at - CONFIG_AT), buf, len);
	return (ssize_t)len;
}

static const struct vfcap_vfio_ops ops = {
	.open = mock_open,
	.close = mock_close,
	.ioctl = mock_ioctl,
	.pread = mock_pread,
	.pwrite = mock_pwrite,
	.wait = mock_wait,
};

/* The ways to open it, as far as all goes well. */
static const struct call by_cdev[] = {
	{ OPEN, "dev/vfio/devices/vfio3", 0, 0, DEVICE },
	{ OPEN, "dev/iommu", 0, 0, IOMMU },
	{ IOCTL, NULL, DEVICE, VFCAP_LINUX_BIND_IOMMUFD, 0 },
	{ IOCTL, NULL, DEVICE, VFIO_DEVICE_GET_INFO, 0 },
	{ IOCTL, NULL, DEVICE, VFIO_DEVICE_GET_REGION_INFO, 0 },
	{ END, NULL, 0, 0, 0 },
};

/* To ask what the IOMMU can do; the last one only where it tells no width. */
static const struct call asking[] = {
	{ OPEN, "dev/vfio/devices/vfio3", 0, 0, DEVICE },
	{ OPEN, "dev/iommu", 0, 0, IOMMU },
	{ IOCTL, NULL, DEVICE, VFCAP_LINUX_BIND_IOMMUFD, 0 },
	{ IOCTL, NULL, IOMMU, VFCAP_LINUX_GET_HW_INFO, 0 },
	{ IOCTL, NULL, DEVICE, VFCAP_LINUX_DETACH, 0 },
	{ END, NULL, 0, 0, 0 },
};

static const struct call by_group[] = {
	{ OPEN, "dev/vfio/devices/vfio3", 0, 0, -ENOENT },
	{ OPEN, "dev/vfio/14", 0, 0, GROUP },
	{ OPEN, "dev/vfio/vfio", 0, 0, IOMMU },
	{ IOCTL, NULL, GROUP, VFIO_GROUP_GET_STATUS, 0 },
	{ IOCTL, NULL, GROUP, VFIO_GROUP_SET_CONTAINER, 0 },
	{ IOCTL, NULL, IOMMU, VFIO_SET_IOMMU, 0 },
	{ IOCTL, NULL, GROUP, VFIO_GROUP_GET_DEVICE_FD, DEVICE },
	{ IOCTL, NULL, DEVICE, VFIO_DEVICE_GET_INFO, 0 },
	{ IOCTL, NULL, DEVICE, VFIO_DEVICE_GET_REGION_INFO, 0 },
	{ END, NULL, 0, 0, 0 },
};

/* ------------------------------------------------------------------------------------ the host -- */

struct fixture {
	struct tree tree;
	struct vfcap_host host;
	struct vfcap_function fn;
	struct vfcap_guest *guest;
	bool asks; /* what the IOMMU can do */
	struct vfcap_hw_info info;
	struct call call[80]; /* that are expected */
	size_t n;
};

static void begin(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	memset(&mock, 0, sizeof(mock));
	tree_new(&f->tree);
	tree_link(&f->tree, SYS "/driver", "../../../../bus/pci/drivers/vfcap-vfio-pci");
	tree_link(&f->tree, SYS "/iommu_group", "../../../../kernel/iommu_groups/14");
	tree_dirs(&f->tree, SYS "/vfio-dev/vfio3/");
	tree_dirs(&f->tree, "sys/kernel/iommu_groups/14/devices/" VF "/");
	assert_int_equal(vfcap_root_open(&f->host.root, f->tree.dir), 0);
	f->fn = (struct vfcap_function){ .host = &f->host, .name = VF, .iommu_group = 14 };
}

static void end(struct fixture *f)
{
	vfcap_root_close(f->host.root);
	tree_free(&f->tree);
}

static void unlink_in(struct fixture *f, const char *path)
{
	assert_int_equal(unlinkat(f->tree.fd, path, 0), 0);
}

static void add(struct fixture *f, struct call call)
{
	assert_true(f->n + 1 < sizeof(f->call) / sizeof(f->call[0]));
	f->call[f->n++] = call;
}

static void add_all(struct fixture *f, const struct call *call)
{
	for (; call->kind != END; call++)
		add(f, *call);
}

/* The call of that request, or of that path, fails; it is the last one. */
static void inject(struct fixture *f, const char *path, unsigned long request, int ret)
{
	for (size_t i = 0; i < f->n; i++) {
		struct call *c = &f->call[i];

		if (path ? c->kind == OPEN && strcmp(c->path, path) == 0 :
			   c->kind == IOCTL && c->request == request) {
			c->ret = ret;
			memset(c + 1, 0, (f->n - i) * sizeof(*c)); /* the end */
			f->n = i + 1;
			return;
		}
	}
	fail_msg("%s: no such call", path);
}

static bool is_open(const struct fixture *f, int fd)
{
	bool open = false;

	for (size_t i = 0; i < f->n; i++)
		open = f->call[i].kind == CLOSE ? open && f->call[i].fd != fd :
						  open || f->call[i].ret == fd;
	return open;
}

/* All that the calls so far have opened is to be closed. */
static void add_closes(struct fixture *f)
{
	for (int fd = DEVICE; fd <= IOMMU; fd++)
		if (is_open(f, fd))
			add(f, (struct call){ CLOSE, NULL, fd, 0, 0 });
}

static void opens(struct fixture *f, const char *token, const char *how)
{
	mock.next = f->call;
	assert_int_equal(vfcap_vfio_attach_with(&f->fn, token, &ops, &f->guest), 0);
	assert_int_equal(mock.next->kind, END);
	assert_string_equal(vfcap_vfio_how(f->guest), how);
	assert_int_equal(vfcap_vfio_size(f->guest), VFCAP_CFG_SIZE);
	assert_string_equal(f->host.error, "");
}

static void closes(struct fixture *f)
{
	mock.next = f->call + f->n;
	add_closes(f);
	vfcap_vfio_detach(f->guest);
	assert_int_equal(mock.next->kind, END);
}

/* It fails as expected, with the function first, and lets go of everything. */
static void fails(struct fixture *f, const char *token, int err, const char *text)
{
	add_closes(f);
	mock.next = f->call;
	f->host.error[0] = '\0';
	if (f->asks)
		assert_int_equal(vfcap_iommufd_info_with(&f->fn, token, &ops, &f->info), err);
	else
		assert_int_equal(vfcap_vfio_attach_with(&f->fn, token, &ops, &f->guest), err);
	assert_int_equal(mock.next->kind, END);
	assert_null(f->guest);
	assert_int_equal(strncmp(f->host.error, VF ": ", sizeof(VF ": ") - 1), 0);
	if (!strstr(f->host.error, text))
		fail_msg("%s: has not \"%s\"", f->host.error, text);
	f->n = 0;
	memset(f->call, 0, sizeof(f->call));
}

/* ------------------------------------------------------------------------------------- the tests -- */

static void test_cdev(void **state)
{
	static const uint8_t uuid[16] = { 0xbd, 0x8d, 0x9d, 0x2b, 0x5a, 0x5f, 0x4f, 0x5a,
					  0xa2, 0x11, 0xf5, 0x91, 0x51, 0x4b, 0xa1, 0xf3 };
	struct fixture f;

	(void)state;
	begin(&f);
	add_all(&f, by_cdev);
	opens(&f, NULL, "vfio3 and iommufd");
	assert_int_equal(mock.bind.argsz, 16);
	assert_int_equal(mock.bind.flags, 0);
	assert_int_equal(mock.bind.iommufd, IOMMU);
	closes(&f);
	f.n = 0;
	memset(f.call, 0, sizeof(f.call));
	add_all(&f, by_cdev);
	opens(&f, UUID, "vfio3 and iommufd");
	assert_int_equal(mock.bind.argsz, 24);
	assert_int_equal(mock.bind.flags, 1);
	assert_memory_equal(mock.uuid, uuid, 16);
	closes(&f);
	end(&f);
}

static void test_group(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	add_all(&f, by_group);
	opens(&f, NULL, "group 14 and type1");
	assert_string_equal(mock.name, VF);
	assert_int_equal(mock.iommu, VFIO_TYPE1_IOMMU);
	assert_int_equal(mock.container, IOMMU);
	closes(&f);
	f.n = 0;
	memset(f.call, 0, sizeof(f.call));
	add_all(&f, by_group);
	opens(&f, UUID, "group 14 and type1");
	assert_string_equal(mock.name, VF " vf_token=" UUID);
	closes(&f);
	end(&f);
}

/* A kernel with the device's file, but without iommufd. */
static void test_no_iommufd(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	add(&f, by_cdev[0]);
	add(&f, (struct call){ OPEN, "dev/iommu", 0, 0, -ENODEV });
	add(&f, (struct call){ CLOSE, NULL, DEVICE, 0, 0 });
	add_all(&f, by_group + 1);
	opens(&f, NULL, "group 14 and type1");
	closes(&f);
	end(&f);
}

static void test_noiommu(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	add(&f, by_group[0]);
	add(&f, (struct call){ OPEN, "dev/vfio/14", 0, 0, -ENOENT });
	add(&f, (struct call){ OPEN, "dev/vfio/noiommu-14", 0, 0, GROUP });
	add_all(&f, by_group + 2);
	opens(&f, NULL, "group 14 and no IOMMU");
	assert_int_equal(mock.iommu, VFIO_NOIOMMU_IOMMU);
	closes(&f);
	end(&f);
}

/* Whatever call fails, everything is let go of in order, and it is said. */
static void each_failure(const struct call *calls, size_t n, size_t first)
{
	struct fixture f;

	begin(&f);
	for (size_t bad = first; bad < n; bad++) {
		for (size_t i = 0; i <= bad; i++)
			add(&f, calls[i]);
		f.call[bad].ret = -EIO;
		fails(&f, NULL, -EIO, strerror(EIO));
	}
	end(&f);
}

static void test_failures(void **state)
{
	(void)state;
	each_failure(by_cdev, sizeof(by_cdev) / sizeof(by_cdev[0]) - 1, 0);
	each_failure(by_group, sizeof(by_group) / sizeof(by_group[0]) - 1, 1);
}

static void test_busy(void **state)
{
	static const struct call busy = { OPEN, "dev/vfio/14", 0, 0, -EBUSY };
	static const struct call wait = { WAIT, NULL, 0, 0, 0 };
	static const struct call again = { IOCTL, NULL, GROUP, VFIO_GROUP_GET_DEVICE_FD, -EAGAIN };
	struct fixture f;

	(void)state;
	begin(&f);
	add(&f, by_group[0]);
	add(&f, busy);
	add(&f, wait);
	for (int i = 1; i <= 5; i++)
		add(&f, by_group[i]);
	add(&f, again);
	add(&f, wait);
	add(&f, again);
	add(&f, wait);
	add_all(&f, by_group + 6);
	opens(&f, NULL, "group 14 and type1");
	closes(&f);
	end(&f);
}

/* Somebody keeps the group: five seconds, and not forever. */
static void test_in_use(void **state)
{
	struct call calls[104] = { by_group[0] };
	struct fixture f;
	size_t n = 1;

	(void)state;
	begin(&f);
	for (int i = 0; i <= 50; i++) {
		calls[n++] = (struct call){ OPEN, "dev/vfio/14", 0, 0, -EBUSY };
		calls[n++] = (struct call){ i == 50 ? END : WAIT, NULL, 0, 0, 0 };
	}
	mock.next = calls;
	assert_int_equal(vfcap_vfio_attach_with(&f.fn, NULL, &ops, &f.guest), -EBUSY);
	assert_int_equal(mock.next->kind, END);
	assert_non_null(strstr(f.host.error, VF ": open /dev/vfio/14: "));
	assert_non_null(strstr(f.host.error, "somebody has it open"));
	tree_link(&f.tree, "proc/4711/fd/9", "/dev/vfio/14");
	tree_text(&f.tree, "proc/4711/comm", "qemu-system-x86\n");
	f.host.error[0] = '\0';
	mock.next = calls;
	assert_int_equal(vfcap_vfio_attach_with(&f.fn, NULL, &ops, &f.guest), -EBUSY);
	assert_non_null(strstr(f.host.error, "(qemu-system-x86, process 4711, has it open)"));
	end(&f);
}

static void test_permission(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	add_all(&f, by_group);
	inject(&f, "dev/vfio/14", 0, -EACCES);
	fails(&f, NULL, -EACCES, "open /dev/vfio/14: Permission denied (needs root");
	add(&f, by_group[0]);
	add(&f, (struct call){ OPEN, "dev/vfio/14", 0, 0, -ENOENT });
	add(&f, (struct call){ OPEN, "dev/vfio/noiommu-14", 0, 0, -EPERM });
	fails(&f, NULL, -EACCES,
	      "open /dev/vfio/noiommu-14: Operation not permitted (without an IOMMU");
	add_all(&f, by_group);
	inject(&f, NULL, VFIO_SET_IOMMU, -EPERM);
	fails(&f, NULL, -EPERM, "allow_unsafe_interrupts=1");
	end(&f);
}

/* Its own file, or /dev/iommu, is not for us: its group's may be. */
static void test_denied(void **state)
{
	static const char *const files[] = { "dev/vfio/devices/vfio3", "dev/iommu" };
	static const int errors[] = { -EACCES, -EPERM };
	struct fixture f;

	(void)state;
	begin(&f);
	for (int i = 0; i < 4; i++) {
		add_all(&f, by_cdev);
		inject(&f, files[i / 2], 0, errors[i % 2]);
		add_closes(&f);
		add_all(&f, by_group + 1);
		opens(&f, NULL, "group 14 and type1");
		closes(&f);
		f.n = 0;
		memset(f.call, 0, sizeof(f.call));
	}
	end(&f);
}

/* Neither is: both are named. */
static void test_both_denied(void **state)
{
	static const struct call denied = { OPEN, "dev/vfio/devices/vfio3", 0, 0, -EACCES };
	static const struct call none[] = { { OPEN, "dev/vfio/14", 0, 0, -ENOENT },
					    { OPEN, "dev/vfio/noiommu-14", 0, 0, -ENOENT } };
	struct fixture f;

	(void)state;
	begin(&f);
	add(&f, denied);
	add_all(&f, by_group + 1);
	inject(&f, "dev/vfio/14", 0, -EACCES);
	fails(&f, NULL, -EACCES,
	      "open /dev/vfio/devices/vfio3: Permission denied; open /dev/vfio/14: "
	      "Permission denied (needs root, or to be given one of these files)");
	add(&f, denied);
	add_all(&f, by_group + 1);
	inject(&f, "dev/vfio/vfio", 0, -EPERM);
	fails(&f, NULL, -EACCES,
	      "vfio3: Permission denied; open /dev/vfio/vfio: Operation not permitted");
	add(&f, denied);
	add(&f, none[0]);
	add(&f, none[1]);
	fails(&f, NULL, -EACCES,
	      "vfio3: Permission denied; open /dev/vfio/14: No such file or directory "
	      "(needs root, or to be given the first)");
	unlink_in(&f, SYS "/iommu_group");
	add(&f, denied);
	fails(&f, NULL, -EACCES,
	      "open /dev/vfio/devices/vfio3: Permission denied (needs root, or to be given that "
	      "file)");
	end(&f);
}

static void ask(struct fixture *f, size_t n)
{
	for (size_t i = 0; i < n; i++)
		add(f, asking[i]);
}

static void told(struct fixture *f)
{
	add_closes(f);
	mock.next = f->call;
	assert_int_equal(vfcap_iommufd_info_with(&f->fn, NULL, &ops, &f->info), 0);
	assert_int_equal(mock.next->kind, END);
	f->n = 0;
	memset(f->call, 0, sizeof(f->call));
}

static void test_hw_info(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	mock.width = 20;
	ask(&f, 4);
	told(&f);
	assert_int_equal(f.info.type, 4);
	assert_int_equal(f.info.width, 20);
	assert_true(f.info.tells_width);
	assert_int_equal(f.info.capabilities, 3);
	mock.width = 0;
	ask(&f, 5);
	told(&f);
	assert_int_equal(f.info.width, 0);
	assert_true(f.info.tells_width);
	assert_int_equal(mock.detach.argsz, 12);
	assert_int_equal(mock.detach.flags, 1);
	assert_int_not_equal(mock.detach.pasid, 0);
	ask(&f, 5);
	f.call[4].ret = -EOPNOTSUPP; /* of a driver */
	told(&f);
	assert_true(f.info.tells_width);
	ask(&f, 5);
	f.call[4].ret = -EINVAL;
	told(&f);
	assert_false(f.info.tells_width);
	end(&f);
}

/* No group is tried, as it would tell nothing. */
static void test_hw_info_failures(void **state)
{
	static const int errors[] = { -ENOENT, -EACCES, -EIO };
	struct fixture f;

	(void)state;
	begin(&f);
	f.asks = true;
	for (size_t bad = 0; bad < 2; bad++)
		for (size_t i = 0; i < 3; i++) {
			ask(&f, bad + 1);
			f.call[bad].ret = errors[i];
			fails(&f, NULL, errors[i], strerror(-errors[i]));
			assert_non_null(strstr(f.host.error, asking[bad].path));
		}
	ask(&f, 2);
	inject(&f, "dev/iommu", 0, -ENOENT);
	fails(&f, NULL, -ENOENT, "open /dev/iommu: No such file or directory (modprobe iommufd)");
	ask(&f, 3);
	inject(&f, NULL, VFCAP_LINUX_BIND_IOMMUFD, -EACCES);
	fails(&f, NULL, -ENOKEY, "--vf-token");
	ask(&f, 4);
	inject(&f, NULL, VFCAP_LINUX_GET_HW_INFO, -EOPNOTSUPP);
	fails(&f, NULL, -EOPNOTSUPP,
	      "IOMMU_GET_HW_INFO: Operation not supported (there is no IOMMU");
	ask(&f, 4);
	inject(&f, NULL, VFCAP_LINUX_GET_HW_INFO, -ENOTTY);
	fails(&f, NULL, -ENOTTY, "(this kernel is too old)");
	assert_int_equal(unlinkat(f.tree.fd, SYS "/vfio-dev/vfio3", AT_REMOVEDIR), 0);
	fails(&f, NULL, -ENOENT, "it has no file of its own");
	f.host.error[0] = '\0';
	assert_int_equal(vfcap_iommufd_info(&f.fn, NULL, &f.info), -EOPNOTSUPP);
	assert_non_null(strstr(f.host.error, "there is no kernel"));
	end(&f);
}

static void test_token(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	add_all(&f, by_group);
	inject(&f, NULL, VFIO_GROUP_GET_DEVICE_FD, -EACCES);
	fails(&f, NULL, -ENOKEY, "--vf-token");
	add_all(&f, by_group);
	inject(&f, NULL, VFIO_GROUP_GET_DEVICE_FD, -EACCES);
	fails(&f, UUID, -EKEYREJECTED, "not the VF token");
	add_all(&f, by_group);
	inject(&f, NULL, VFIO_GROUP_GET_DEVICE_FD, -EINVAL);
	fails(&f, UUID, -EKEYREJECTED, "not wanted");
	add_all(&f, by_cdev);
	inject(&f, NULL, VFCAP_LINUX_BIND_IOMMUFD, -EACCES);
	fails(&f, NULL, -ENOKEY, "--vf-token");
	add_all(&f, by_cdev);
	inject(&f, NULL, VFCAP_LINUX_BIND_IOMMUFD, -EINVAL);
	fails(&f, UUID, -EKEYREJECTED, "not wanted");
	end(&f);
}

/* Who is in the way is named; drivers that share a group are not. */
static void test_not_viable(void **state)
{
	static const char group[] = "sys/kernel/iommu_groups/14/devices/";
	struct fixture f;
	char path[128];

	(void)state;
	begin(&f);
	mock.inviable = true;
	for (int i = 0; i <= 3; i++)
		add(&f, by_group[i]);
	fails(&f, NULL, -EXDEV, "another device in it is in use");
	snprintf(path, sizeof(path), "%s0000:01:00.2/driver", group);
	tree_link(&f.tree, path, "../drivers/vfio-pci");
	snprintf(path, sizeof(path), "%s0000:00:01.0/driver", group);
	tree_link(&f.tree, path, "../drivers/pcieport");
	snprintf(path, sizeof(path), "%s0000:01:00.0/driver", group);
	tree_link(&f.tree, path, "../drivers/ixgbe");
	for (int i = 0; i <= 3; i++)
		add(&f, by_group[i]);
	fails(&f, NULL, -EXDEV, "IOMMU group 14 is not viable");
	assert_non_null(strstr(f.host.error, ": 0000:01:00.0 (ixgbe);"));
	add_all(&f, by_cdev);
	inject(&f, NULL, VFCAP_LINUX_BIND_IOMMUFD, -EPERM);
	fails(&f, NULL, -EXDEV, "0000:01:00.0 (ixgbe)");
	end(&f);
}

static void test_open_elsewhere(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	tree_text(&f.tree, SYS "/vfcap/state", "open\n");
	add_all(&f, by_cdev);
	inject(&f, NULL, VFCAP_LINUX_BIND_IOMMUFD, -EINVAL);
	fails(&f, NULL, -EBUSY, "somebody has it open");
	tree_link(&f.tree, "proc/4711/fd/9", "/dev/vfio/devices/vfio3");
	add_all(&f, by_cdev);
	inject(&f, NULL, VFCAP_LINUX_BIND_IOMMUFD, -EINVAL);
	fails(&f, NULL, -EBUSY, "(?, process 4711, has it open)");
	tree_text(&f.tree, SYS "/vfcap/state", "ready\n");
	add_all(&f, by_cdev);
	inject(&f, NULL, VFCAP_LINUX_BIND_IOMMUFD, -EINVAL);
	fails(&f, NULL, -EINVAL, strerror(EINVAL));
	assert_int_equal(unlinkat(f.tree.fd, SYS "/vfcap/state", 0), 0);
	add_all(&f, by_cdev);
	inject(&f, NULL, VFCAP_LINUX_BIND_IOMMUFD, -EINVAL);
	fails(&f, NULL, -EBUSY, "(?, process 4711, has it open)");
	end(&f);
}

/* What is known before the kernel is asked for anything. */
static void test_not_there(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	unlink_in(&f, SYS "/iommu_group");
	add(&f, by_group[0]);
	fails(&f, NULL, -ENXIO, "no IOMMU group");
	assert_int_equal(unlinkat(f.tree.fd, SYS "/vfio-dev/vfio3", AT_REMOVEDIR), 0);
	unlink_in(&f, SYS "/driver");
	tree_link(&f.tree, SYS "/driver", "../drivers/ixgbevf");
	fails(&f, NULL, -ENODEV, "bound to ixgbevf, which is no driver of VFIO");
	unlink_in(&f, SYS "/driver");
	fails(&f, NULL, -ENODEV, "no driver is bound");
	f.host.error[0] = '\0';
	assert_int_equal(vfcap_vfio_attach(&f.fn, NULL, &f.guest), -EOPNOTSUPP);
	assert_null(f.guest);
	end(&f);
}

static void test_no_pci(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	mock.no_pci = true;
	for (int i = 0; i <= 3; i++)
		add(&f, by_cdev[i]);
	fails(&f, NULL, -EPROTO, "VFIO_DEVICE_GET_INFO");
	end(&f);
}

static void test_config(void **state)
{
	uint8_t bytes[8] = { 1, 2, 3, 4, 5, 6, 7, 8 }, got[8] = { 0 };
	struct fixture f;

	(void)state;
	begin(&f);
	add_all(&f, by_cdev);
	opens(&f, NULL, "vfio3 and iommufd");
	assert_int_equal(vfcap_vfio_put(f.guest, 0xff8, 8, bytes), 0);
	assert_memory_equal(mock.config + 0xff8, bytes, 8);
	assert_int_equal(vfcap_vfio_put(f.guest, 0xffc, 8, bytes), -EINVAL);
	assert_int_equal(vfcap_vfio_put(f.guest, 0x1004, 0, bytes), -EINVAL);
	assert_int_equal(vfcap_vfio_fetch(f.guest, 0xffc, 8, got), 4);
	assert_memory_equal(got, bytes + 4, 4);
	assert_int_equal(vfcap_vfio_fetch(f.guest, 0x1000, 4, got), 0);
	closes(&f);
	end(&f);
}

static void test_feature(void **state)
{
	const struct call probe[] = {
		{ IOCTL, NULL, DEVICE, VFIO_DEVICE_FEATURE, 0 },
		{ IOCTL, NULL, DEVICE, VFIO_DEVICE_FEATURE, 0 },
		{ END, NULL, 0, 0, 0 },
	};
	const struct call none[] = {
		{ IOCTL, NULL, DEVICE, VFIO_DEVICE_FEATURE, -ENOTTY },
		{ END, NULL, 0, 0, 0 },
	};
	struct vfcap_vfio_emulated said;
	struct fixture f;

	(void)state;
	begin(&f);
	add_all(&f, by_cdev);
	opens(&f, NULL, "vfio3 and iommufd");
	mock.next = probe;
	assert_int_equal(vfcap_vfio_get_emulated(f.guest, &said), 0);
	assert_int_equal(mock.next->kind, END);
	assert_int_equal(mock.feature, VFIO_DEVICE_FEATURE_GET | 0xfca0);
	assert_int_equal(said.pasid_offset, 0x200);
	assert_int_equal(said.pasid_width, 20);
	mock.next = none;
	assert_int_equal(vfcap_vfio_get_emulated(f.guest, &said), -ENOTTY);
	assert_int_equal(mock.next->kind, END);
	closes(&f);
	end(&f);
}

static void test_uuid(void **state)
{
	static const char *const bad[] = {
		"",
		"bd8d9d2b",
		"bd8d9d2b-5a5f-4f5a-a211-f591514ba1f",
		UUID "0",
		"bd8d9d2b-5a5f-4f5a-a211_f591514ba1f3",
		"gd8d9d2b-5a5f-4f5a-a211-f591514ba1f3",
		"bd8d9d2b05a5f-4f5a-a211-f591514ba1f3",
	};
	uint8_t uuid[16];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(vfcap_uuid_parse(bad[i], uuid));
	assert_true(vfcap_uuid_parse("BD8D9D2B-5A5F-4F5A-A211-F591514BA1F3", uuid));
	assert_int_equal(uuid[0], 0xbd);
	assert_int_equal(uuid[15], 0xf3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cdev),	       cmocka_unit_test(test_group),
		cmocka_unit_test(test_no_iommufd),     cmocka_unit_test(test_noiommu),
		cmocka_unit_test(test_failures),       cmocka_unit_test(test_busy),
		cmocka_unit_test(test_in_use),	       cmocka_unit_test(test_permission),
		cmocka_unit_test(test_token),	       cmocka_unit_test(test_not_viable),
		cmocka_unit_test(test_open_elsewhere), cmocka_unit_test(test_not_there),
		cmocka_unit_test(test_no_pci),	       cmocka_unit_test(test_config),
		cmocka_unit_test(test_feature),	       cmocka_unit_test(test_uuid),
		cmocka_unit_test(test_denied),	       cmocka_unit_test(test_both_denied),
		cmocka_unit_test(test_hw_info),	       cmocka_unit_test(test_hw_info_failures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
