// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A driver that takes a number of VFs and makes none while its network interface is down: it is said so, and where a
 * description is persisted, the interface is waited for by what rtnetlink tells.
 */
#define bind bind_socket /* played.h has a bind() of its own */
#include <sys/socket.h>
#undef bind

#include "played.h"

#include "../../src/host/watch.h"
#include "../../src/lib/resolve.h"

#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/msg.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/time.h>

#define NETDEV DEVICES PF "/net/eth7/"
#define INDEX 7
#define DOWN "0x1002\n"
#define UP "0x1003\n"
#define SAID PF ": sriov_numvfs 2: the driver made none"

/* ------------------------------------------------------------------------------- a driver, played -- */

enum told { TOLD_NOTHING, TOLD_UP, TOLD_DOWN, TOLD_OTHER_UP, TOLD_GONE, TOLD_STRANGER, TOLD_LOST };

static struct {
	bool up; /* the interface */
	bool refuses; /* the driver makes none in any case */
	bool up_at_once; /* between the first look and the subscription */
	const enum told *told; /* what is told, one after the other, up to TOLD_NOTHING */
	int watches, pipe[2];
} nic;

static void set_up(bool up)
{
	nic.up = up;
	tree_text(&world.tree, NETDEV "flags", up ? UP : DOWN);
}

static int attr(struct vfcap_host *h, const char *path, const char *text, int limit)
{
	if (strstr(path, "/sriov_numvfs") && atoi(text) && (!nic.up || nic.refuses))
		return 0;
	return kernel_attr(h, path, text, limit);
}

static ssize_t put_link(uint16_t type, int index, unsigned int flags, void *buf)
{
	const struct ifinfomsg info = { .ifi_index = index, .ifi_flags = flags };
	struct nlmsghdr *nlh = buf;

	memset(nlh, 0, NLMSG_SPACE(sizeof(info)));
	nlh->nlmsg_type = type;
	nlh->nlmsg_len = NLMSG_LENGTH(sizeof(info));
	memcpy(NLMSG_DATA(nlh), &info, sizeof(info));
	return (ssize_t)nlh->nlmsg_len;
}

static ssize_t receive(struct vfcap_watch *watch, int which, void *buf, size_t size)
{
	(void)watch;
	assert_int_equal(which, VFCAP_WATCH_LINK);
	assert_true(size >= NLMSG_SPACE(sizeof(struct ifinfomsg)));
	switch (nic.told ? *nic.told++ : TOLD_NOTHING) {
	case TOLD_UP:
		set_up(true);
		return put_link(RTM_NEWLINK, INDEX, IFF_UP, buf);
	case TOLD_DOWN:
		return put_link(RTM_NEWLINK, INDEX, 0, buf);
	case TOLD_OTHER_UP:
		return put_link(RTM_NEWLINK, INDEX + 1, IFF_UP, buf);
	case TOLD_GONE:
		return put_link(RTM_DELLINK, INDEX, IFF_UP, buf);
	case TOLD_STRANGER: /* not of the kernel */
		return 0;
	case TOLD_LOST: /* what is seen then counts */
		set_up(true);
		return -ENOBUFS;
	default:
		nic.told = NULL;
		return -EAGAIN;
	}
}

/* One end of a pipe is ready to be read as long as there is something to tell. */
static int watch_played(struct vfcap_watch *watch)
{
	nic.watches++;
	*watch = (struct vfcap_watch){ .fd = { -1, nic.pipe[0] }, .receive = receive };
	if (nic.up_at_once)
		set_up(true);
	return 0;
}

static int watch_none(struct vfcap_watch *watch)
{
	(void)watch;
	return -EMFILE;
}

static struct vfcap_ops ops;

static void begin(void)
{
	world_new();
	memset(&nic, 0, sizeof(nic));
	assert_int_equal(pipe(nic.pipe), 0);
	assert_int_equal(write(nic.pipe[1], "", 1), 1);
	tree_text(&world.tree, NETDEV "ifindex", "7\n");
	set_up(false);
	ops = played;
	ops.attr = attr;
	ops.watch = watch_played;
}

static void end(void)
{
	close(nic.pipe[0]);
	close(nic.pipe[1]);
	world_end();
}

/* Asks for two VFs: what comes of it, and how many there are then. */
static enum vfcap_result apply_two(bool persisted, unsigned int wait, char message[512])
{
	const struct vfcap_apply_options opt = { .partial = persisted, .wait = wait };
	struct vfcap_spec_pf pf = { .device = PF, .numvfs = 2 };
	const struct vfcap_spec spec = { .pf = &pf, .n_pf = 1 };
	struct vfcap *ctx = open_host();
	const struct vfcap_outcome *out;
	struct vfcap_apply *apply;
	enum vfcap_result result;

	ctx->host.ops = &ops;
	assert_int_equal(vfcap_apply(ctx, &spec, &opt, &apply), 0);
	out = vfcap_apply_outcome(apply, 0);
	result = out->result;
	snprintf(message, 512, "%s", out->message);
	vfcap_apply_free(apply);
	vfcap_free(ctx);
	assert_int_equal(count_vfs(), result == VFCAP_DONE ? 2 : 0);
	assert_false(file_there("run/vfcap/" PF ".undo"));
	return result;
}

/* Where the VFs go first, and cannot be made anew, they stay away: a host without any shows what is meant. */
static void begin_without_vfs(void)
{
	begin();
	assert_int_equal(kernel_numvfs(0), 0);
}

/* ----------------------------------------------------------------------------------------- tests -- */

static void says_what_helps(void **state)
{
	char message[512];

	(void)state;
	begin_without_vfs();
	assert_int_equal(apply_two(false, 600, message), VFCAP_FAILED);
	assert_string_equal(message, SAID " while its interface is down: ip link set eth7 up");
	assert_int_equal(apply_two(true, 0, message), VFCAP_FAILED);
	assert_string_equal(message, SAID " while its interface is down: ip link set eth7 up");
	assert_int_equal(nic.watches, 0);
	set_up(true);
	nic.refuses = true;
	assert_int_equal(apply_two(true, 600, message), VFCAP_FAILED);
	assert_non_null(strstr(message, SAID ": the kernel's log"));
	assert_int_equal(nic.watches, 0);
	nic.refuses = false;
	assert_int_equal(apply_two(false, 0, message), VFCAP_DONE);
	end();
}

static void waits_for_the_interface(void **state)
{
	static const enum told up[] = { TOLD_OTHER_UP, TOLD_DOWN, TOLD_STRANGER, TOLD_UP,
					TOLD_NOTHING },
			       lost[] = { TOLD_LOST, TOLD_NOTHING };
	char message[512];

	(void)state;
	begin_without_vfs();
	nic.told = up;
	assert_int_equal(apply_two(true, 600, message), VFCAP_DONE);
	assert_int_equal(nic.watches, 1);
	end();
	begin_without_vfs();
	nic.told = lost;
	assert_int_equal(apply_two(true, 600, message), VFCAP_DONE);
	end();
	begin_without_vfs();
	nic.up_at_once = true;
	assert_int_equal(apply_two(true, 600, message), VFCAP_DONE);
	end();
}

static void on_alarm(int sig)
{
	(void)sig;
}

static void waiting_ends(void **state)
{
	static const enum told gone[] = { TOLD_DOWN, TOLD_GONE, TOLD_NOTHING };
	const struct sigaction action = { .sa_handler = on_alarm };
	const struct itimerval soon = { .it_value.tv_usec = 1000, .it_interval.tv_usec = 1000 },
			       never = { 0 };
	char message[512], byte;

	(void)state;
	begin_without_vfs();
	nic.told = gone;
	assert_int_equal(apply_two(true, 600, message), VFCAP_FAILED);
	assert_non_null(strstr(message, "down, and waiting for it ended: No such device: ip link"));
	ops.watch = watch_none;
	assert_int_equal(apply_two(true, 600, message), VFCAP_FAILED);
	assert_non_null(strstr(message, "Too many open files"));
	ops.watch = watch_played;
	assert_int_equal(read(nic.pipe[0], &byte, 1), 1);
	assert_int_equal(apply_two(true, 1, message), VFCAP_FAILED);
	assert_non_null(strstr(message, "Connection timed out"));
	assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
	assert_int_equal(setitimer(ITIMER_REAL, &soon, NULL), 0);
	assert_int_equal(apply_two(true, 600, message), VFCAP_FAILED);
	assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
	assert_non_null(strstr(message, "Interrupted system call"));
	end();
}

/* What is not known of the interface is said, and nothing of it guessed. */
static void flags_that_cannot_be_read(void **state)
{
	char message[512];

	(void)state;
	begin_without_vfs();
	tree_text(&world.tree, NETDEV "flags", "x\n");
	assert_int_equal(apply_two(true, 600, message), VFCAP_FAILED);
	assert_non_null(strstr(message, "cannot be looked at: Not a value that it can have"));
	end();
}

static void parses_messages(void **state)
{
	_Alignas(struct nlmsghdr) uint8_t buf[256];
	size_t one, n;

	(void)state;
	one = (size_t)put_link(RTM_NEWLINK, 7, IFF_UP, buf);
	n = one + (size_t)put_link(RTM_DELLINK, 8, 0, buf + one);
	assert_int_equal(vfcap_link_parse(buf, n, 7), VFCAP_LINK_UP);
	assert_int_equal(vfcap_link_parse(buf, n, 8), VFCAP_LINK_GONE);
	assert_int_equal(vfcap_link_parse(buf, n - 1, 8), VFCAP_LINK_AS_BEFORE);
	assert_int_equal(vfcap_link_parse(buf, n, 9), VFCAP_LINK_AS_BEFORE);
	assert_int_equal(vfcap_link_parse(buf, 0, 7), VFCAP_LINK_AS_BEFORE);
	put_link(RTM_NEWLINK, 7, 0, buf + one); /* the last one counts */
	assert_int_equal(vfcap_link_parse(buf, n, 7), VFCAP_LINK_DOWN);
	put_link(RTM_NEWADDR, 7, IFF_UP, buf);
	assert_int_equal(vfcap_link_parse(buf, one, 7), VFCAP_LINK_AS_BEFORE);
}

/* A kernel's own message: every network namespace begins with an interface that is down. */
static int watch_kernel(struct vfcap_watch *watch)
{
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int err = vfcap_links_watch(watch), fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (!err && ioctl(fd, SIOCSIFFLAGS, &lo))
		err = -errno;
	close(fd);
	nic.up = true;
	nic.watches++;
	return err;
}

static void a_kernel_tells(void **state)
{
	char message[512];

	(void)state;
	if (unshare(CLONE_NEWNET) && unshare(CLONE_NEWUSER | CLONE_NEWNET)) {
		print_message("no network namespaces here: %s\n", strerror(errno));
		skip();
	}
	begin_without_vfs();
	tree_text(&world.tree, DEVICES PF "/net/lo/flags", "0x8\n");
	tree_text(&world.tree, DEVICES PF "/net/lo/ifindex", "1\n");
	assert_int_equal(unlinkat(world.tree.fd, NETDEV "flags", 0), 0);
	ops.watch = watch_kernel;
	assert_int_equal(apply_two(true, 600, message), VFCAP_DONE);
	assert_int_equal(nic.watches, 1);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_what_helps), cmocka_unit_test(waits_for_the_interface),
		cmocka_unit_test(waiting_ends),	   cmocka_unit_test(flags_that_cannot_be_read),
		cmocka_unit_test(parses_messages), cmocka_unit_test(a_kernel_tells),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
