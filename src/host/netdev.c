// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Drivers that make VFs only while their network interface is up: bnxt_en accepts sriov_numvfs while it is down (or its
 * firmware resets), says so in the kernel's log alone, and makes none (Linux
 * drivers/net/ethernet/broadcom/bnxt/bnxt_sriov.c, bnxt_sriov_configure).
 */
#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/msg.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sysfs.h"
#include "watch.h"

#define MESSAGE 65536 /* room for one */

struct netdev {
	char name[IFNAMSIZ];
	unsigned int index;
};

/* -------------------------------------------------------------------------------------- flags -- */

/* Is the interface up? 1, 0 or -errno; -ENOENT: it has gone. */
static int is_up(const struct vfcap_function *pf, const char *name, struct netdev *netdev)
{
	cleanup_dir struct vfcap_dir dir = VFCAP_DIR_NONE;
	char path[VFCAP_SYSFS_PATH + IFNAMSIZ], below[IFNAMSIZ + 8];
	unsigned long flags = 0, index = 0;
	int err;

	if (strlen(name) >= sizeof(netdev->name))
		return -ENOENT;
	snprintf(below, sizeof(below), "net/%.15s", name);
	err = vfcap_dir_open(&dir, pf->host->root, vfcap_sysfs_path(pf, below, path));
	if (!err)
		err = vfcap_dir_read_number(&dir, "flags", &flags);
	if (!err)
		err = vfcap_dir_read_number(&dir, "ifindex", &index);
	if (err)
		return err;
	strcpy(netdev->name, name);
	netdev->index = (unsigned int)index;
	return (flags & IFF_UP) != 0;
}

/* The first interface of a PF that is down: 1; 0: none is; -errno. */
static int find_down(const struct vfcap_function *pf, struct netdev *netdev)
{
	cleanup_names struct vfcap_names names = { 0 };
	char path[VFCAP_SYSFS_PATH];
	int err = vfcap_root_list(pf->host->root, vfcap_sysfs_path(pf, "net", path), &names);

	if (err)
		return err == -ENOENT ? 0 : err;
	vfcap_names_sort(&names);
	for (size_t i = 0; i < names.n; i++) {
		int up = is_up(pf, names.name[i], netdev);

		if (!up || (up < 0 && up != -ENOENT))
			return up ? up : 1;
	}
	return 0;
}

/* ----------------------------------------------------------------------------------- messages -- */

enum vfcap_link_state vfcap_link_parse(const void *messages, size_t len, unsigned int index)
{
	enum vfcap_link_state state = VFCAP_LINK_AS_BEFORE;
	int left = (int)len;

	for (struct nlmsghdr *nlh = (void *)messages; nlmsg_ok(nlh, left);
	     nlh = nlmsg_next(nlh, &left)) {
		const struct ifinfomsg *info = nlmsg_data(nlh);

		if ((nlh->nlmsg_type != RTM_NEWLINK && nlh->nlmsg_type != RTM_DELLINK) ||
		    !nlmsg_valid_hdr(nlh, sizeof(*info)) || (unsigned int)info->ifi_index != index)
			continue;
		state = nlh->nlmsg_type == RTM_DELLINK ? VFCAP_LINK_GONE :
			info->ifi_flags & IFF_UP       ? VFCAP_LINK_UP :
							 VFCAP_LINK_DOWN;
	}
	return state;
}

int vfcap_links_watch(struct vfcap_watch *watch)
{
	return vfcap_watch_open(watch, 0);
}

/* ---------------------------------------------------------------------------------------- wait -- */

static long long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* Takes what was told until now. -EAGAIN: nothing of the interface; -ENOBUFS: some of it was lost. */
static int take_messages(struct vfcap_watch *watch, const struct netdev *netdev, void *buf)
{
	ssize_t n;

	while ((n = watch->receive(watch, VFCAP_WATCH_LINK, buf, MESSAGE)) >= 0) {
		enum vfcap_link_state state = vfcap_link_parse(buf, (size_t)n, netdev->index);

		if (state == VFCAP_LINK_UP || state == VFCAP_LINK_GONE)
			return state == VFCAP_LINK_UP ? 0 : -ENODEV;
	}
	return (int)n;
}

/* 0: the interface is up; -ETIMEDOUT; -ENODEV: it has gone; -EINTR: a signal came; or another -errno. */
static int wait_up(struct vfcap_watch *watch, const struct vfcap_function *pf,
		   struct netdev *netdev, long long end)
{
	cleanup_free void *buf = malloc(MESSAGE);
	struct pollfd told = { .fd = watch->fd[VFCAP_WATCH_LINK], .events = POLLIN };
	int err =
		buf ? -ENOBUFS : -ENOMEM; /* it may have come up before there was a subscription */

	for (;;) {
		long long left = end - now_ms();
		int n;

		if (err == -ENOBUFS) { /* it may have another name by now */
			n = find_down(pf, netdev);
			err = n > 0 ? -EAGAIN : n;
		}
		if (err != -EAGAIN)
			return err;
		n = left > 0 ? poll(&told, 1, (int)left) : 0;
		if (n <= 0)
			return n ? -errno : -ETIMEDOUT;
		err = take_messages(watch, netdev, buf);
	}
}

static int wait_for(struct vfcap_function *pf, struct netdev *netdev)
{
	struct vfcap_host *h = pf->host;
	long long start = now_ms(), taken;
	struct vfcap_watch watch;
	int err = h->ops->watch ? h->ops->watch(&watch) : -EOPNOTSUPP;

	if (err)
		return err;
	vfcap_host_log(h, "%s: its driver makes no VFs while %s is down: waiting up to %u s for it",
		       pf->name, netdev->name, h->wait_up / 1000);
	err = wait_up(&watch, pf, netdev, start + h->wait_up);
	vfcap_watch_close(&watch);
	taken = now_ms() - start + 1;
	h->wait_up -= taken < h->wait_up ? (unsigned int)taken : h->wait_up;
	return err;
}

int vfcap_no_vfs_made(struct vfcap_function *pf, unsigned int asked)
{
	struct netdev netdev;
	int err = -ETIMEDOUT, down = find_down(pf, &netdev);
	bool waits = pf->host->wait_up;

	if (down < 0)
		return vfcap_host_fail(pf->host, down,
				       "%s: sriov_numvfs %u: the driver made none, and its network "
				       "interface cannot be looked at: %s",
				       pf->name, asked, vfcap_strerror(down));
	if (!down)
		return vfcap_host_fail(
			pf->host, -EIO,
			"%s: sriov_numvfs %u: the driver made none: the kernel's log may "
			"say why; while its firmware resets, as bnxt_en's, try again",
			pf->name, asked);
	if (waits)
		err = wait_for(pf, &netdev);
	if (!err)
		return 0;
	return vfcap_host_fail(pf->host, err == -EINTR ? err : -EIO,
			       "%s: sriov_numvfs %u: the driver made none while its interface is "
			       "down%s%s: ip link set %s up",
			       pf->name, asked, waits ? ", and waiting for it ended: " : "",
			       waits ? strerror(-err) : "", netdev.name);
}
