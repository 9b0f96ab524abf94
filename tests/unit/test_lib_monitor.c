// SPDX-License-Identifier: GPL-2.0-or-later
/* The monitor over a small sysfs and messages of our own: what is told, in which order, and what stays
 * right when messages are lost. The kernel's own messages are tests/vm/tool-monitor's. */
#include "tree.h"

#include <linux/if_link.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

#include "../../src/lib/monitor.h"

#define DEVICES "sys/bus/pci/devices/"
#define PF "0000:3b:00.0"

/* Messages that wait; len 0 with lost: the kernel says that some did not fit. */
struct message {
	char text[256];
	size_t len;
	bool lost;
};

static struct feed {
	struct message *message;
	size_t n, next;
} feed;

static ssize_t receive(struct vfcap_watch *watch, int which, void *buf, size_t size)
{
	struct message *m = &feed.message[feed.next];

	(void)watch;
	if (which != VFCAP_WATCH_UEVENT || feed.next == feed.n)
		return -EAGAIN;
	feed.next++;
	if (m->lost)
		return -ENOBUFS;
	assert_true(m->len <= size);
	memcpy(buf, m->text, m->len);
	return (ssize_t)m->len;
}

static struct message *push(void)
{
	if (!(feed.n & (feed.n - 1)))
		feed.message =
			realloc(feed.message, (feed.n ? 2 * feed.n : 1) * sizeof(*feed.message));
	assert_non_null(feed.message);
	memset(&feed.message[feed.n], 0, sizeof(*feed.message));
	return &feed.message[feed.n++];
}

static void lose(void)
{
	push()->lost = true;
}

static void put_string(struct message *m, const char *key, const char *value)
{
	m->len += (size_t)snprintf(m->text + m->len, sizeof(m->text) - m->len, "%s%s%s", key,
				   *key ? "=" : "", value) +
		  1;
}

static void happen(const char *action, const char *address, const char *driver)
{
	struct message *m = push();
	char head[64];

	snprintf(head, sizeof(head), "%s@/devices/%s", action, address);
	put_string(m, "", head);
	put_string(m, "ACTION", action);
	put_string(m, "SUBSYSTEM", "pci");
	if (driver)
		put_string(m, "DRIVER", driver);
	put_string(m, "PCI_SLOT_NAME", address);
	put_string(m, "SEQNUM", "1");
}

/* ---------------------------------------------------------------------------------------- sysfs -- */

static struct tree t;
static struct vfcap *ctx;
static struct vfcap_monitor *monitor;

static void add_pf(void)
{
	tree_text(&t, DEVICES PF "/sriov_totalvfs", "64\n");
	tree_text(&t, DEVICES PF "/sriov_offset", "8\n");
	tree_text(&t, DEVICES PF "/sriov_stride", "1\n");
	tree_link(&t, DEVICES PF "/driver", "../../../drivers/ice");
}

static char *vf_name(unsigned int i, char name[20])
{
	snprintf(name, 20, "0000:3b:%02x.%x", (i + 8) >> 3, (i + 8) & 7);
	return name;
}

static void set_driver(unsigned int i, const char *driver)
{
	char path[128], target[128], name[20];

	snprintf(path, sizeof(path), DEVICES "%s/driver", vf_name(i, name));
	unlinkat(t.fd, path, 0);
	snprintf(target, sizeof(target), "../../../drivers/%s", driver);
	if (*driver)
		tree_link(&t, path, target);
}

static void add_vf(unsigned int i, bool linked)
{
	char path[128], name[20];

	snprintf(path, sizeof(path), DEVICES "%s/physfn", vf_name(i, name));
	tree_dirs(&t, path);
	if (linked)
		tree_link(&t, path, "../" PF);
}

static void remove_vf(unsigned int i)
{
	char path[128], name[20];

	snprintf(path, sizeof(path), "%s/" DEVICES "%s", t.dir, vf_name(i, name));
	assert_int_equal(nftw(path, tree_remove, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static void set_knob(unsigned int i, const char *pasid, const char *state)
{
	char path[128], name[20];

	vf_name(i, name);
	snprintf(path, sizeof(path), DEVICES "%s/vfcap/abi", name);
	tree_text(&t, path, "1\n");
	snprintf(path, sizeof(path), DEVICES "%s/vfcap/pasid_offset", name);
	tree_text(&t, path, pasid);
	snprintf(path, sizeof(path), DEVICES "%s/vfcap/state", name);
	tree_text(&t, path, state);
}

static void begin(void)
{
	tree_new(&t);
	memset(&feed, 0, sizeof(feed));
	add_pf();
	tree_text(&t, DEVICES "0000:00:00.0/vendor", "0x8086\n"); /* neither PF nor VF */
	assert_int_equal(vfcap_new(&ctx), 0);
	assert_int_equal(vfcap_set_sysroot(ctx, t.dir), 0);
}

static void follow(void)
{
	struct vfcap_watch watch = { .fd = { -1, -1 }, .receive = receive };

	assert_int_equal(vfcap_monitor_open_watch(ctx, &watch, &monitor), 0);
}

static void end(void)
{
	vfcap_monitor_close(monitor);
	vfcap_free(ctx);
	free(feed.message);
	tree_free(&t);
}

static struct vfcap_event event;

static void told(enum vfcap_event_kind kind, const char *address)
{
	assert_int_equal(vfcap_monitor_next(monitor, &event), 1);
	if (event.kind != kind || strcmp(event.address, address))
		fail_msg("%s %s instead of %s %s", vfcap_event_name(event.kind), event.address,
			 vfcap_event_name(kind), address);
}

static void told_nothing(void)
{
	assert_int_equal(vfcap_monitor_next(monitor, &event), 0);
}

/* ---------------------------------------------------------------------------------------- tests -- */

static void test_life(void **state)
{
	char vf[20];

	(void)state;
	begin();
	follow();
	told_nothing();
	add_vf(3, false); /* its links come later than the message */
	set_driver(3, "vfcap-vfio-pci"); /* and what it is bound to later, too */
	set_knob(3, "0\n", "off\n");
	happen("add", vf_name(3, vf), NULL);
	happen("bind", vf, "vfcap-vfio-pci");
	happen("change", vf, "vfcap-vfio-pci");
	told(VFCAP_EVENT_ADD, vf);
	assert_int_equal(event.role, VFCAP_ROLE_VF);
	assert_string_equal(event.pf, PF);
	assert_int_equal(event.vf_index, 3);
	assert_string_equal(event.driver, "");
	told(VFCAP_EVENT_BIND, vf);
	assert_string_equal(event.driver, "vfcap-vfio-pci");
	told_nothing(); /* the knob is at its defaults */

	tree_link(&t, DEVICES "0000:3b:01.3/physfn", "../" PF);
	set_knob(3, "0x1d0\n", "ready\n");
	happen("change", vf, "vfcap-vfio-pci");
	happen("change", vf, "vfcap-vfio-pci");
	told(VFCAP_EVENT_EMULATED, vf);
	assert_int_equal(event.emulated[VFCAP_EMUL_PASID], 0x1d0);
	assert_string_equal(event.state, "ready");
	told_nothing();

	happen("unbind", vf, NULL);
	happen("remove", vf, NULL);
	told(VFCAP_EVENT_UNBIND, vf);
	assert_string_equal(event.from, "vfcap-vfio-pci");
	assert_string_equal(event.driver, "");
	told(VFCAP_EVENT_REMOVE, vf);
	happen("remove", vf, NULL);
	happen("remove", "0000:00:00.0", NULL);
	happen("change", "0000:00:00.0", NULL);
	happen("add", "0000:ff:00.0", NULL); /* gone before it could be looked at */
	told_nothing();
	end();
}

/* Nothing is told to have gone, or to be bound to nothing, that could not be looked at. */
static void test_failed_reads(void **state)
{
	char vf[20];

	(void)state;
	begin();
	add_vf(0, true);
	set_driver(0, "vfcap-vfio-pci");
	set_knob(0, "0x1d0\n", "ready\n");
	follow();
	vf_name(0, vf);
	assert_int_equal(unlinkat(t.fd, DEVICES "0000:3b:01.0/vfcap/pasid_offset", 0), 0);
	tree_dirs(&t, DEVICES "0000:3b:01.0/vfcap/pasid_offset/");
	happen("change", vf, "vfcap-vfio-pci");
	assert_int_equal(vfcap_monitor_next(monitor, &event), -EISDIR);
	assert_string_equal(vfcap_error(ctx), "0000:3b:01.0: vfcap/pasid_offset: Is a directory");
	told_nothing();
	assert_int_equal(renameat(t.fd, DEVICES "0000:3b:01.0", t.fd, "sys/away"), 0);
	tree_link(&t, DEVICES "0000:3b:01.0", "0000:3b:01.0");
	lose();
	assert_int_equal(vfcap_monitor_next(monitor, &event), -ELOOP);
	assert_string_equal(vfcap_error(ctx), "0000:3b:01.0: Too many levels of symbolic links");
	told(VFCAP_EVENT_RESCAN, "");
	told_nothing();
	end();
}

static void test_present(void **state)
{
	char vf[20];

	(void)state;
	begin();
	add_vf(0, true);
	set_driver(0, "iavf");
	add_vf(1, false);
	follow();
	told_nothing();
	assert_int_equal(vfcap_monitor_present(monitor), 0);
	told(VFCAP_EVENT_PRESENT, PF);
	assert_int_equal(event.role, VFCAP_ROLE_PF);
	assert_string_equal(event.driver, "ice");
	told(VFCAP_EVENT_PRESENT, vf_name(0, vf));
	assert_string_equal(event.driver, "iavf");
	told(VFCAP_EVENT_PRESENT, vf_name(1, vf));
	assert_int_equal(event.vf_index, 1);
	told_nothing();
	end();
}

/* Messages that came before the first look tell of what it has seen already. */
static void test_old_messages(void **state)
{
	char vf[20];

	(void)state;
	begin();
	add_vf(0, true);
	set_driver(0, "iavf");
	happen("add", vf_name(0, vf), NULL);
	happen("bind", vf, "iavf");
	happen("add", PF, "ice");
	follow();
	told_nothing();
	end();
}

static void test_overrun(void **state)
{
	char vf[20];

	(void)state;
	begin();
	for (unsigned int i = 0; i < 4; i++)
		add_vf(i, true);
	set_driver(1, "iavf");
	set_driver(2, "vfcap-vfio-pci");
	set_knob(2, "0\n", "off\n");
	follow();
	remove_vf(0);
	set_driver(1, "vfio-pci");
	set_knob(2, "0x140\n", "ready\n");
	add_vf(9, true);
	lose();
	happen("remove", vf_name(3, vf), NULL); /* older than the loss */
	happen("add", vf, NULL);
	told(VFCAP_EVENT_RESCAN, "");
	told(VFCAP_EVENT_REMOVE, vf_name(0, vf));
	told(VFCAP_EVENT_UNBIND, vf_name(1, vf));
	told(VFCAP_EVENT_BIND, vf);
	assert_string_equal(event.driver, "vfio-pci");
	told(VFCAP_EVENT_EMULATED, vf_name(2, vf));
	told(VFCAP_EVENT_ADD, vf_name(9, vf));
	told_nothing();
	happen("bind", vf, "vfio-pci"); /* and on it goes */
	told(VFCAP_EVENT_BIND, vf);
	lose();
	lose();
	told(VFCAP_EVENT_RESCAN, "");
	told(VFCAP_EVENT_UNBIND, vf); /* sysfs says otherwise */
	told_nothing();
	end();
}

static void test_filters(void **state)
{
	static const struct {
		const char *device;
		unsigned int wanted; /* a bit for each VF, bit 8 for the PF */
	} filters[] = {
		{ PF, 0x10f },		 { "3b:00.0", 0x10f },
		{ "3b:01.2", 0x4 },	 { "pci_0000_3b_01_2", 0x4 },
		{ PF "/vf1", 0x2 },	 { "3b:00.0/vf1-2", 0x6 },
		{ "0000:3b:01.*", 0xf }, { "3b:01.[02]", 0x5 },
		{ "99:00.0", 0 },
	};
	char vf[20];

	(void)state;
	for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++) {
		begin();
		for (unsigned int k = 0; k < 4; k++)
			add_vf(k, true);
		follow();
		assert_int_equal(vfcap_monitor_filter(monitor, filters[i].device), 0);
		happen("unbind", PF, NULL);
		for (unsigned int k = 0; k < 4; k++)
			happen("bind", vf_name(k, vf), "iavf");
		if (filters[i].wanted & 0x100)
			told(VFCAP_EVENT_UNBIND, PF);
		for (unsigned int k = 0; k < 4; k++)
			if (filters[i].wanted & 1u << k)
				told(VFCAP_EVENT_BIND, vf_name(k, vf));
		told_nothing();
		end();
	}
	begin();
	follow();
	assert_int_equal(vfcap_monitor_filter(monitor, "a/b"), -EINVAL);
	assert_int_equal(vfcap_monitor_filter(monitor, PF "/vfx"), -EINVAL);
	assert_int_equal(vfcap_monitor_filter(monitor, ""), -EINVAL);
	assert_int_equal(vfcap_monitor_filter(monitor, "eth99"), -ENOENT);
	tree_dirs(&t, "sys/class/net/eth7/");
	tree_link(&t, "sys/class/net/eth7/device", "../../../bus/pci/devices/" PF);
	assert_int_equal(vfcap_monitor_filter(monitor, "eth7"), 0);
	assert_int_equal(vfcap_monitor_filter(monitor, "eth7/vf0-3"), 0);
	end();
}

enum { VFS = 40 };

static const char *const drivers[] = { "", "iavf", "vfio-pci" };

/* Makes of what is known what is told since: the drivers of all VFs. */
static void fold(unsigned int known[VFS], unsigned int *rescans, unsigned int *events)
{
	char vf[20];
	int ret;

	while ((ret = vfcap_monitor_next(monitor, &event)) > 0) {
		*rescans += event.kind == VFCAP_EVENT_RESCAN;
		++*events;
		for (unsigned int i = 0; i < VFS && event.kind != VFCAP_EVENT_RESCAN; i++)
			for (unsigned int d = 0; d < 3 && !strcmp(event.address, vf_name(i, vf));
			     d++)
				if (strcmp(event.driver, drivers[d]) == 0)
					known[i] = d;
	}
	assert_int_equal(ret, 0);
	assert_int_equal(feed.next, feed.n);
}

/* Who folds what is told has what there is: with 10,000 messages, of which some are lost. */
static void test_ten_thousand(void **state)
{
	unsigned int bound[VFS] = { 0 }, known[VFS] = { 0 }, rescans = 0, events = 0;
	char vf[20];

	(void)state;
	begin();
	for (unsigned int i = 0; i < VFS; i++)
		add_vf(i, true);
	follow();
	srand(7);
	for (unsigned int i = 0; i < 10000; i++) {
		unsigned int n = (unsigned int)rand() % VFS, to = (unsigned int)rand() % 3;
		bool lost = rand() % 500 == 0;

		if (lost)
			lose();
		if (bound[n] && bound[n] != to && !lost)
			happen("unbind", vf_name(n, vf), NULL);
		if (to && bound[n] != to && !lost)
			happen("bind", vf_name(n, vf), drivers[to]);
		set_driver(n, drivers[to]);
		bound[n] = to;
		if (i % 97)
			continue;
		fold(known, &rescans, &events);
		assert_memory_equal(known, bound, sizeof(bound));
	}
	fold(known, &rescans, &events);
	assert_memory_equal(known, bound, sizeof(bound));
	assert_true(rescans >= 5 && events > 5000);
	end();
}

/* All of 10,000, when none is lost: each told once, in their order. */
static void test_none_lost(void **state)
{
	char vf[20];

	(void)state;
	begin();
	for (unsigned int i = 0; i < 50; i++)
		add_vf(i, true);
	follow();
	for (unsigned int i = 0; i < 10000; i++)
		happen(i / 50 % 2 ? "unbind" : "bind", vf_name(i % 50, vf),
		       i / 50 % 2 ? NULL : "iavf");
	for (unsigned int i = 0; i < 10000; i++)
		told(i / 50 % 2 ? VFCAP_EVENT_UNBIND : VFCAP_EVENT_BIND, vf_name(i % 50, vf));
	told_nothing();
	end();
}

#define MESSAGE(text)              \
	{                          \
		text, sizeof(text) \
	}

static void test_foreign_messages(void **state)
{
	static const struct {
		const char *text;
		size_t len;
	} messages[] = {
		MESSAGE("libudev"),
		MESSAGE("bind@/x\0ACTION=bind\0SUBSYSTEM=net\0PCI_SLOT_NAME=" PF),
		MESSAGE("bind@/x\0ACTION=bind\0SUBSYSTEM=pci\0PCI_SLOT_NAME=nonsense"),
		MESSAGE("bind@/x\0ACTION=bind\0SUBSYSTEM=pci\0PCI_SLOT_NAME=" PF "x"),
		MESSAGE("bind@/x\0ACTION=bind\0SUBSYSTEM=pci"),
		MESSAGE("bind@/x\0ACTION=explode\0SUBSYSTEM=pci\0PCI_SLOT_NAME=" PF),
		MESSAGE(""),
		MESSAGE("="),
		MESSAGE("\0\0\0"),
	};
	struct vfcap_uevent uevent;

	(void)state;
	for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++)
		assert_false(vfcap_uevent_parse(messages[i].text, messages[i].len, &uevent));
	assert_false(vfcap_uevent_parse("bind", 4, &uevent)); /* does not end */
	assert_false(vfcap_uevent_parse("", 0, &uevent));
	begin();
	follow();
	happen("bind", PF, "a/b"); /* no name of a driver */
	happen("bind", PF, "ice");
	srand(3);
	for (int i = 0; i < 20000; i++) {
		struct message m = feed.message[1];

		for (int k = rand() % 4; k >= 0; k--)
			m.text[(size_t)rand() % m.len] = (char)rand();
		m.len -= (size_t)rand() % m.len / (rand() % 2 ? 1 : m.len);
		vfcap_uevent_parse(m.text, m.len, &uevent);
	}
	while (vfcap_monitor_next(monitor, &event) > 0)
		assert_string_equal(event.address, PF);
	end();
}

static void found(void *arg, const char *netdev)
{
	strcat(arg, netdev);
	strcat(arg, " ");
}

static void test_links(void **state)
{
	struct nl_msg *msg = nlmsg_alloc_simple(RTM_NEWLINK, 0);
	struct ifinfomsg info = { 0 };
	char names[64] = "";

	(void)state;
	assert_int_equal(nlmsg_append(msg, &info, sizeof(info), NLMSG_ALIGNTO), 0);
	assert_int_equal(nla_put_u32(msg, IFLA_MTU, 1500), 0);
	assert_int_equal(nla_put_string(msg, IFLA_IFNAME, "eth7"), 0);
	vfcap_links_parse(nlmsg_hdr(msg), nlmsg_hdr(msg)->nlmsg_len, found, names);
	assert_string_equal(names, "eth7 ");
	vfcap_links_parse(nlmsg_hdr(msg), nlmsg_hdr(msg)->nlmsg_len - 1, found, names);
	nlmsg_hdr(msg)->nlmsg_type = RTM_NEWADDR;
	vfcap_links_parse(nlmsg_hdr(msg), nlmsg_hdr(msg)->nlmsg_len, found, names);
	assert_string_equal(names, "eth7 ");
	nlmsg_free(msg);
}

static int count(void *arg, enum vfcap_event_kind kind, const struct vfcap_seen *old,
		 const struct vfcap_seen *now)
{
	(void)old;
	(void)now;
	((unsigned int *)arg)[kind]++;
	return 0;
}

/* Every difference that can be is told, by the kinds that it has. */
static void test_differences(void **state)
{
	struct vfcap_seen a = { .role = VFCAP_ROLE_VF }, b;
	unsigned int n[VFCAP_EVENTS] = { 0 };

	(void)state;
	assert_int_equal(vfcap_seen_compare(NULL, NULL, count, n), 0);
	assert_int_equal(vfcap_seen_compare(&a, &a, count, n), 0);
	for (size_t i = 0; i < VFCAP_EVENTS; i++)
		assert_int_equal(n[i], 0);
	vfcap_seen_compare(&a, NULL, count, n);
	assert_int_equal(n[VFCAP_EVENT_REMOVE], 1);
	b = a;
	b.info.told[VFCAP_VF_TRUST] = 1;
	vfcap_seen_compare(&a, &b, count, n);
	b.info.has_mac = true;
	vfcap_seen_compare(&a, &b, count, n);
	assert_int_equal(n[VFCAP_EVENT_NETWORK], 2);
	b = a;
	strcpy(b.driver, "vfcap-vfio-pci");
	b.knob.there = true;
	strcpy(b.knob.state, "off");
	vfcap_seen_compare(&a, &b, count, n);
	assert_int_equal(n[VFCAP_EVENT_BIND], 1);
	assert_int_equal(n[VFCAP_EVENT_EMULATED], 0);
	a = b;
	b.knob.value[VFCAP_ATTR_WIDTH] = 8;
	vfcap_seen_compare(&a, &b, count, n);
	assert_int_equal(n[VFCAP_EVENT_EMULATED], 1);
	vfcap_seen_compare(NULL, &b, count, n);
	assert_int_equal(n[VFCAP_EVENT_ADD], 1);
	assert_int_equal(n[VFCAP_EVENT_EMULATED], 2);
	assert_int_equal(n[VFCAP_EVENT_BIND], 1);
	assert_int_equal(n[VFCAP_EVENT_UNBIND], 0);
}

/* Of a captured host nothing is to be told. */
static void test_no_kernel(void **state)
{
	(void)state;
	begin();
	assert_int_equal(vfcap_monitor_open(ctx, 0, &monitor), -EOPNOTSUPP);
	assert_null(monitor);
	assert_non_null(strstr(vfcap_error(ctx), "no kernel"));
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_life),
		cmocka_unit_test(test_failed_reads),
		cmocka_unit_test(test_present),
		cmocka_unit_test(test_old_messages),
		cmocka_unit_test(test_overrun),
		cmocka_unit_test(test_filters),
		cmocka_unit_test(test_ten_thousand),
		cmocka_unit_test(test_none_lost),
		cmocka_unit_test(test_foreign_messages),
		cmocka_unit_test(test_links),
		cmocka_unit_test(test_differences),
		cmocka_unit_test(test_no_kernel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
