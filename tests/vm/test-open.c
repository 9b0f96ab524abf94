// SPDX-License-Identifier: GPL-2.0-or-later
/* What happens to a device while it is open, or before. */
#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../src/uapi/vfcap-vfio.h"
#include "vm-test.h"

void test_two_openers(void)
{
	struct vfio v, second;
	struct fn fn = fresh_open(0, &v);

	second = v;
	second.device = ioctl(v.group, VFIO_GROUP_GET_DEVICE_FD, fn.addr);
	ok(second.device >= 0, "the device is opened twice");
	cfg_put(&v, PASID + 6, 2, 3);
	same(cfg_get(&second, PASID + 6, 2), 3, "both see the same");
	same(turn(&fn, "pasid_offset", "0"), -EBUSY, "the knob stands still");
	same(turn(&fn, "pasid_width", "3"), -EBUSY, "all of it");
	close(second.device);
	ok(knob_is(&fn, "state", "open"), "one is left");
	same(cfg_get(&v, PASID + 6, 2), 3, "and sees what it did");
	vfio_close(&v);
	same(turn(&fn, "pasid_offset", "0"), 0, "none is left: the knob turns");
}

void test_rmmod(void)
{
	struct vfio v;

	fresh_open(0, &v);
	ok(syscall(SYS_delete_module, "vfcap_vfio_pci", O_NONBLOCK) < 0,
	   "the module stays while it is used");
	vfio_close(&v);
}

static int write_to(const char *text, const char *file)
{
	return put(text, "%s", file);
}

int delete_module(const char *name, const char *none)
{
	(void)none;
	return (int)syscall(SYS_delete_module, name, 0);
}

void take_away(int (*act)(const char *arg, const char *file), const char *arg, const char *file,
	       const char *what)
{
	struct vfio v;
	struct fn fn = fresh_open(3, &v);
	char buf[128];
	pid_t pid;
	int status = 1;
	unsigned int i;

	cfg_put(&v, PASID + 6, 2, 1);
	pid = fork();
	if (!pid) {
		close(v.device); /* the parent's is the one that counts */
		close(v.group);
		close(v.container);
		_exit(act(arg, file) != 0);
	}
	for (i = 0; i < 3000 && *get(buf, "devices/%s/vfcap/state", fn.addr); i++)
		usleep(10000);
	usleep(100000);
	same(waitpid(pid, &status, WNOHANG), 0, "%s waits for the device to be closed", what);
	same(cfg_get(&v, PASID + 6, 2), 1, "%s: it works meanwhile", what);
	same(*get(buf, "devices/%s/vfcap/state", fn.addr), 0, "%s: the knob is gone", what);
	vfio_close(&v);
	waitpid(pid, &status, 0);
	same(status, 0, "%s is done then", what);
}

void test_take_away(void)
{
	struct fn fn = fn_of(NIC, 3), pf = fn_of(NIC, PF);
	char path[64];

	snprintf(path, sizeof(path), "drivers/%s/unbind", DRIVER);
	take_away(write_to, fn.addr, path, "unbinding");
	snprintf(path, sizeof(path), "devices/%s/sriov_numvfs", pf.addr);
	take_away(write_to, "0", path, "sriov_numvfs 0");
	ok(make_vfs(NIC, 8), "and VFs come again");
}

/* Memory is mapped for the device, and it is closed all the same. */
void test_mapped(void)
{
	struct vfio_iommu_type1_dma_map map = { .argsz = sizeof(map), .size = 0x4000 };
	struct vfio v;
	struct fn fn = fresh_open(0, &v);
	void *memory =
		mmap(NULL, map.size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	map.vaddr = (uintptr_t)memory;
	map.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE;
	ok(!ioctl(v.container, VFIO_IOMMU_MAP_DMA, &map), "memory is mapped");
	vfio_close(&v);
	munmap(memory, map.size);
	ok(vfio_open(&v, &fn) && cfg_get(&v, PASID, 4) == 0x0001001b, "closed, and opened again");
	vfio_close(&v);
}

/* Others turn the knob and look at it while the device is opened and closed. */
struct turner {
	volatile bool stop;
	volatile unsigned int turned;
};

static void *turn_again(void *arg)
{
	static const unsigned int offsets[] = { 0x200, 0x104, 0x300, 0 };
	struct fn fn = fn_of(NIC, 6);
	struct turner *turner = arg;
	unsigned int i;
	char buf[128];

	for (i = 0; !turner->stop; i++) {
		if (!turn_to(&fn, i & 4 ? "pri_offset" : "pasid_offset", offsets[i % N(offsets)]))
			turner->turned++;
		get(buf, "devices/%s/vfcap/state", fn.addr);
	}
	return NULL;
}

/* What a guest sees then is one state of the knob: the chain leads to what is told to be shown. */
static bool is_consistent(const struct fn *fn, const struct vfio *v)
{
	unsigned int at, found[VFCAP_EMULS] = { 0 }, told[VFCAP_EMULS];
	uint32_t header;
	char buf[128];

	for (at = cfg_get(v, 0x150, 4) >> 20; at; at = header >> 20) {
		header = cfg_get(v, at, 4);
		if ((uint16_t)header == VFCAP_ID_PASID)
			found[VFCAP_EMUL_PASID] = at;
		else if ((uint16_t)header == VFCAP_ID_PRI)
			found[VFCAP_EMUL_PRI] = at;
		else
			return false;
	}
	told[0] =
		(unsigned int)strtoul(get(buf, "devices/%s/vfcap/pasid_shown", fn->addr), NULL, 0);
	told[1] = (unsigned int)strtoul(get(buf, "devices/%s/vfcap/pri_shown", fn->addr), NULL, 0);
	return !memcmp(found, told, sizeof(found));
}

void test_turning(void)
{
	struct fn fn = fresh(NIC, 6);
	struct turner turner = { 0 };
	unsigned int i, wait, before, wrong = 0;
	pthread_t thread;
	struct vfio v;

	pthread_create(&thread, NULL, turn_again, &turner);
	for (i = 0; i < 40; i++) {
		before = turner.turned;
		if (!vfio_open(&v, &fn)) {
			wrong++;
			continue;
		}
		wrong += !is_consistent(&fn, &v);
		vfio_close(&v);
		usleep(1000 * (i % 16)); /* the other one's turn, longer and longer */
		for (wait = 0; turner.turned == before && wait < 1000; wait++)
			usleep(1000);
	}
	turner.stop = true;
	pthread_join(thread, NULL);
	same(wrong, 0, "the knob is turned while the device is opened and closed");
	ok(turner.turned >= i, "and not in vain (%u times)", turner.turned);
}

/* A device that vanishes while it is open answers as stock does, and goes without trouble. */
void test_vanish(void)
{
	struct vfio v;
	struct fn fn = fresh_open(4, &v);
	uint8_t ones[CFG];
	char buf[128];

	cfg_put(&v, PASID + 6, 2, 1);
	memset(ones, 0xff, CFG);
	poke_image(&fn, 0, ones, CFG);
	same(cfg_get(&v, PASID + 6, 2), 1, "what is emulated is still there");
	same(cfg_get(&v, 0x800, 4), 0xffffffff, "and the hardware is not");
	ok(strlen(get(buf, "devices/%s/vfcap/state", fn.addr)), "the knob answers: %s", buf);
	vfio_close(&v);
	same(turn(&fn, "pasid_offset", "0x200"), -EIO, "and knows that nothing is there");
	make_vfs(NIC, 8);
}

void set_pf(unsigned int off, uint8_t val)
{
	struct fn pf = fn_of(NIC, PF);

	poke_image(&pf, off, &val, 1);
}

void test_pf_off(void)
{
	struct vfio v;
	struct fn fn = fresh(NIC, 0);
	uint8_t ones[CFG], kept[CFG];
	struct fn pf = fn_of(NIC, PF);

	turn_to(&fn, "pasid_offset", PASID);
	turn_to(&fn, "pri_offset", PRI);
	set_pf(PASID + 6, 0);
	ok(vfio_open(&v, &fn), "it opens with the PF's PASID off");
	ok(knob_is(&fn, "pasid_shown", "0") && knob_is(&fn, "pri_shown", "0x1b0") &&
		   knob_is(&fn, "state", "hidden: pasid: pf-off"),
	   "PASID is hidden, PRI is not");
	same(cfg_get(&v, PRI, 4), 0x00010013, "PRI leads to nothing");
	same(cfg_get(&v, PASID, 4), 0, "nothing is there");
	vfio_close(&v);
	ok(knob_is(&fn, "state", "hidden: pasid: pf-off"), "and it is told after the close");
	set_pf(PRI + 4, 0);
	vfio_open(&v, &fn);
	ok(knob_is(&fn, "state", "hidden: pasid: pf-off, pri: pf-off"), "both off");
	vfio_close(&v);
	same(turn_to(&fn, "pri_offset", PRI), 0, "a write to the knob");
	ok(knob_is(&fn, "state", "ready"), "ends it");
	set_pf(PASID + 6, 7);
	set_pf(PRI + 4, 1);
	vfio_open(&v, &fn);
	ok(knob_is(&fn, "state", "open") && cfg_get(&v, PASID, 4) == 0x0001001b,
	   "on again, it is shown");
	set_pf(PASID + 6, 0);
	ok(knob_is(&fn, "state", "open: pf-off") && cfg_get(&v, PASID, 4) == 0x0001001b &&
		   knob_is(&fn, "pasid_shown", "0x1c0"),
	   "switched off while open: told, and the chain stays");
	set_pf(PASID + 6, 7);
	vfio_close(&v);

	memset(ones, 0xff, CFG);
	read_image(&pf, kept);
	poke_image(&pf, 0, ones, 4); /* the VFs stay, their chain too */
	poke_image(&pf, 8, ones, 4);
	ok(vfio_open(&v, &fn) &&
		   knob_is(&fn, "state", "hidden: pasid: pf-unreadable, pri: pf-unreadable"),
	   "a PF that does not answer");
	vfio_close(&v);
	poke_image(&pf, 0, kept, 12);
}

/* What the kernel goes by is what it has noted of the PF, and the register. */
void test_noted(void)
{
	struct fn fn = fresh(NIC, 0), pf = fn_of(NIC, PF);
	struct vfio v;

	turn_to(&fn, "pasid_offset", PASID);
	turn_to(&fn, "pri_offset", PRI);
	note(&pf, 2);
	ok(vfio_open(&v, &fn) && knob_is(&fn, "state", "hidden: pasid: pf-off"),
	   "a register that says on counts for nothing where Linux has not switched PASID on");
	vfio_close(&v);
	note(&pf, 1);
	ok(vfio_open(&v, &fn) && knob_is(&fn, "state", "hidden: pri: pf-off"), "nor PRI");
	note(&pf, 0);
	ok(knob_is(&fn, "pasid_shown", "0x1c0"), "what is shown stays");
	vfio_close(&v);
	note(&pf, 3);
	ok(vfio_open(&v, &fn) && knob_is(&fn, "state", "open"), "on by both, it is shown");
	note(&pf, 1);
	ok(knob_is(&fn, "state", "open: pf-off"), "switched off by Linux while open: told");
	note(&pf, 3);
	vfio_close(&v);
}

/* A PF that does not answer is not one that is off. */
void test_unreadable_pf(void)
{
	struct vfcap_vfio_emulated e = { 0 };
	struct fn pf = fn_of(NIC, PF), fn;
	uint8_t ones[CFG], kept[CFG];
	struct vfio v;

	fn = fresh_open(0, &v);
	memset(ones, 0xff, CFG);
	read_image(&pf, kept);
	poke_image(&pf, PASID, ones, 8);
	ok(knob_is(&fn, "state", "open: pf-unreadable"),
	   "its PASID capability does not answer: told");
	same(feature(&v, VFIO_DEVICE_FEATURE_GET | VFCAP_VFIO_FEATURE_EMULATED, &e, sizeof(e)),
	     -EIO, "and GET is EIO");
	poke_image(&pf, PASID, kept + PASID, 8);
	ok(knob_is(&fn, "state", "open"), "it answers again");
	poke_image(&pf, 0, ones, CFG);
	ok(knob_is(&fn, "state", "open: pf-unreadable"), "nothing of it answers: told");
	same(feature(&v, VFIO_DEVICE_FEATURE_GET | VFCAP_VFIO_FEATURE_EMULATED, &e, sizeof(e)),
	     -EIO, "and GET is EIO");
	poke_image(&pf, 0, kept, CFG);
	vfio_close(&v);
}

/* What reads config space in the background has come to its end. */
static unsigned long settled_reads(const struct fn *fn)
{
	unsigned long before, now = count_reads(fn);
	unsigned int i = 0;

	do {
		before = now;
		usleep(200000);
		now = count_reads(fn);
	} while (now != before && i++ < 50);
	return now;
}

/* Anybody may ask for the state, as often as they like. */
void test_costs(void)
{
	struct fn fn = fresh(NIC, 0);
	unsigned long before;
	char buf[128];
	struct vfio v;

	turn_to(&fn, "pasid_offset", PASID);
	turn_to(&fn, "pri_offset", PRI);
	before = settled_reads(&fn);
	get(buf, "devices/%s/vfcap/state", fn.addr);
	same((long)(count_reads(&fn) - before), 0, "the state of a closed device reads nothing");
	vfio_open(&v, &fn);
	before = settled_reads(&fn);
	get(buf, "devices/%s/vfcap/state", fn.addr);
	ok(count_reads(&fn) - before <= 4,
	   "that of an open one reads the registers that it is about (%lu)",
	   count_reads(&fn) - before);
	vfio_close(&v);
}

/* vfio-pci-core fills its copy of config space past the end. */
void test_overrun(void)
{
	static const uint8_t to_vc[] = { 0x0e, 0x00, 0x41, 0xf8 };
	static const uint8_t vc[] = { 0x09, 0x00, 0x01, 0x00, 4, 0, 0, 0, 8, 0, 0, 0 };
	struct vfio v;
	struct fn fn;
	int vf;

	for (vf = 17; vf < 19; vf++) {
		fn = fresh(CHAINS, vf);
		same(turn_to(&fn, "pasid_offset", 0x200), -EINVAL, "%s: its chain is broken",
		     fn.addr);
		ok(!vfio_open(&v, &fn) && errno == EINVAL, "and so it is not opened: %s",
		   strerror(errno));
		ok(knob_is(&fn, "state", "off"), "nor left open");
	}
	fn = fresh(CHAINS, 10);
	ok(vfio_open(&v, &fn), "one that fills config space to the end is");
	vfio_close(&v);

	make_vfs(MANY, 1);
	fn = fresh(MANY, 0);
	poke_image(&fn, 0x100, to_vc, sizeof(to_vc));
	poke_image(&fn, 0xf84, vc, sizeof(vc));
	same(turn_to(&fn, "pasid_offset", 0x200), -EINVAL, "a VC that vfio-pci takes for too long");
	ok(!vfio_open(&v, &fn) && errno == EINVAL, "is not opened: %s", strerror(errno));
	make_vfs(MANY, 1);
}

/* A device that its user has put to sleep wakes up for what is emulated, too. */
void test_low_power(void)
{
	struct vfio_device_low_power_entry_with_wakeup entry = { 0 };
	struct fn fn = fresh(NIC, 0);
	uint64_t woken = 0;
	unsigned int i;
	char buf[128];
	struct vfio v;

	turn_to(&fn, "pasid_offset", PASID);
	vfio_open(&v, &fn);
	cfg_get(&v, PASID, 4);
	entry.wakeup_eventfd = eventfd(0, EFD_NONBLOCK);
	same(feature(&v, VFIO_DEVICE_FEATURE_SET | VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY_WITH_WAKEUP,
		     &entry, sizeof(entry)),
	     0, "the device is put to sleep");
	for (i = 0;
	     i < 500 && strcmp(get(buf, "devices/%s/power/runtime_status", fn.addr), "suspended");
	     i++)
		usleep(10000);
	ok(read(entry.wakeup_eventfd, &woken, sizeof(woken)) < 0, "it is %s", buf);
	same(cfg_get(&v, PASID + 4, 2), 0x1406, "what is emulated is read");
	ok(read(entry.wakeup_eventfd, &woken, sizeof(woken)) == sizeof(woken), "which wakes it up");
	close(entry.wakeup_eventfd);
	vfio_close(&v);
}

static int load_module(const char *parameters)
{
	int fd = open("/modules/vfcap_vfio_pci.ko", O_RDONLY | O_CLOEXEC), ret;

	ret = (int)syscall(SYS_finit_module, fd, parameters, 0);
	close(fd);
	return ret;
}

static const char *idle_status(char buf[128])
{
	struct fn fn = fresh(OFF, 0);
	unsigned int i;

	for (i = 0;
	     i < 100 && strcmp(get(buf, "devices/%s/power/runtime_status", fn.addr), "suspended");
	     i++)
		usleep(10000);
	return buf;
}

/* Where vfio-pci's parameters are each driver's, they are this one's, too. */
void test_parameters(void)
{
	bool own = !access("/sys/module/vfcap_vfio_pci/parameters/disable_idle_d3", F_OK);
	char buf[128];

	ok(!strcmp(idle_status(buf), "suspended"), "a device that nobody uses sleeps (%s)", buf);
	if (!own) {
		printf("# vfio-pci's parameters are for all drivers here\n");
		return;
	}
	same(syscall(SYS_delete_module, "vfcap_vfio_pci", 0), 0, "the module goes");
	same(load_module("disable_idle_d3=1 nointxmask=1"), 0, "and comes with parameters");
	ok(!strcmp(idle_status(buf), "active"), "with disable_idle_d3 it does not (%s)", buf);
}

/* A capability came up in the meantime. */
void test_conflict(void)
{
	static const uint8_t link[] = { 0x0e, 0x00, 0x01, 0x1c },
			     ats[] = { 0x0f, 0x00, 0x01, 0x00 };
	static const uint8_t unlink[] = { 0x0e, 0x00, 0x01, 0x00 }, nothing[4] = { 0 };
	struct fn fn = fresh(NIC, 5);
	struct vfio v;

	turn_to(&fn, "pasid_offset", PASID);
	turn_to(&fn, "pri_offset", PRI);
	poke_image(&fn, 0x150, link, 4);
	poke_image(&fn, PASID, ats, 4);
	ok(vfio_open(&v, &fn) && knob_is(&fn, "state", "hidden: pasid: conflict"),
	   "a conflict hides PASID");
	same(cfg_get(&v, PASID, 4), 0x0001000f, "what is there is shown");
	same(cfg_get(&v, PRI, 4), 0x00010013 | PASID << 20, "and PRI leads to it");
	same(cfg_put(&v, PASID + 6, 2, 0), 2, "and it can be written");
	vfio_close(&v);
	poke_image(&fn, 0x150, unlink, 4);
	poke_image(&fn, PASID, nothing, 4);
	ok(vfio_open(&v, &fn) && knob_is(&fn, "state", "open"), "without it all is well");
	vfio_close(&v);
}

void test_many(unsigned int all, int used)
{
	struct vfio v;
	struct fn fn;
	int i, good = 0;

	ok(make_vfs(MANY, all), "%u VFs", all);
	for (i = 0; i < used; i++) {
		fn = fn_of(MANY, i * (int)(all / (unsigned int)used));
		if (!bind_to(&fn, DRIVER) || turn_to(&fn, "pasid_offset", PASID) ||
		    !vfio_open(&v, &fn)) {
			printf("# %s: %s\n", fn.addr, strerror(errno));
			continue;
		}
		good += cfg_get(&v, 0x100, 4) == (0x0001000e | PASID << 20) &&
			cfg_get(&v, PASID, 4) == 0x0001001b;
		vfio_close(&v);
	}
	same(good, used, "%d of them show PASID", used);
	ok(make_vfs(MANY, 1), "and go");
}
