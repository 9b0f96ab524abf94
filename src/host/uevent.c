// SPDX-License-Identifier: GPL-2.0-or-later
/* What the kernel tells of devices (kobject uevents) and of network interfaces (rtnetlink). */
#include <errno.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "watch.h"

#define BUFFER (16 << 20) /* a PF of thousands of VFs is tens of thousands of messages at once */
#define KERNEL_GROUP 1 /* of uevents; udev has another one */

/* ----------------------------------------------------------------------------------- messages -- */

static const char *const actions[] = {
	[VFCAP_ACTION_ADD] = "add",	  [VFCAP_ACTION_REMOVE] = "remove",
	[VFCAP_ACTION_BIND] = "bind",	  [VFCAP_ACTION_UNBIND] = "unbind",
	[VFCAP_ACTION_CHANGE] = "change",
};

static enum vfcap_action action_of(const char *name)
{
	for (size_t i = 1; i < sizeof(actions) / sizeof(actions[0]); i++)
		if (strcmp(actions[i], name) == 0)
			return (enum vfcap_action)i;
	return VFCAP_ACTION_OTHER;
}

/* What stands behind KEY=; NULL: it is another key. */
static const char *value_of(const char *text, const char *key)
{
	size_t len = strlen(key);

	return strncmp(text, key, len) == 0 && text[len] == '=' ? text + len + 1 : NULL;
}

/* "ACTION@PATH", then strings of KEY=VALUE. */
bool vfcap_uevent_parse(const char *text, size_t len, struct vfcap_uevent *event)
{
	bool pci = false, address = false;
	const char *end = text + len, *value;

	*event = (struct vfcap_uevent){ 0 };
	if (!len || end[-1])
		return false;
	for (text += strlen(text) + 1; text < end; text += strlen(text) + 1) {
		if ((value = value_of(text, "ACTION")))
			event->action = action_of(value);
		else if ((value = value_of(text, "SUBSYSTEM")))
			pci = strcmp(value, "pci") == 0;
		else if ((value = value_of(text, "PCI_SLOT_NAME")))
			address = *value &&
				  vfcap_address_parse(value, &event->address) == strlen(value);
		else if ((value = value_of(text, "DRIVER")) && vfcap_driver_name_ok(value))
			strcpy(event->driver, value);
	}
	return pci && address && event->action != VFCAP_ACTION_OTHER;
}

void vfcap_links_parse(const void *messages, size_t len,
		       void (*found)(void *arg, const char *netdev), void *arg)
{
	int left = (int)len;

	for (struct nlmsghdr *nlh = (void *)messages; nlmsg_ok(nlh, left);
	     nlh = nlmsg_next(nlh, &left)) {
		struct nlattr *name;

		if ((nlh->nlmsg_type != RTM_NEWLINK && nlh->nlmsg_type != RTM_DELLINK) ||
		    !nlmsg_valid_hdr(nlh, sizeof(struct ifinfomsg)))
			continue;
		name = nlmsg_find_attr(nlh, sizeof(struct ifinfomsg), IFLA_IFNAME);
		if (name && nla_len(name) > 1 && *(char *)nla_data(name) &&
		    !((char *)nla_data(name))[nla_len(name) - 1])
			found(arg, nla_data(name));
	}
}

/* ------------------------------------------------------------------------------------ sockets -- */

/* Anybody may send to our socket; the kernel is who has no process. */
static ssize_t receive(struct vfcap_watch *watch, int which, void *buf, size_t size)
{
	struct sockaddr_nl from = { 0 };
	struct iovec iov = { .iov_base = buf, .iov_len = size };
	struct msghdr msg = {
		.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &iov, .msg_iovlen = 1
	};
	ssize_t n = TEMP_FAILURE_RETRY(recvmsg(watch->fd[which], &msg, MSG_DONTWAIT));

	if (n < 0)
		return -errno;
	if (msg.msg_namelen != sizeof(from) || from.nl_pid)
		return 0;
	return msg.msg_flags & MSG_TRUNC ? -ENOBUFS : n;
}

/* More than the limit for everybody is root's to have. */
static void set_buffer(int fd, size_t size)
{
	int want = (int)size;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &want, sizeof(want)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &want, sizeof(want));
}

static int subscribe(struct vfcap_watch *watch, int which, int protocol, size_t buffer)
{
	struct nl_sock *sk = nl_socket_alloc();

	if (!sk)
		return -ENOMEM;
	watch->sock[which] = sk;
	nl_socket_disable_seq_check(sk);
	if (protocol == NETLINK_KOBJECT_UEVENT)
		nl_join_groups(sk, KERNEL_GROUP);
	if (nl_connect(sk, protocol) < 0)
		return errno ? -errno : -EIO;
	if (protocol == NETLINK_ROUTE && nl_socket_add_membership(sk, RTNLGRP_LINK) < 0)
		return errno ? -errno : -EIO;
	watch->fd[which] = nl_socket_get_fd(sk);
	set_buffer(watch->fd[which], buffer ? buffer : BUFFER);
	return 0;
}

int vfcap_watch_open(struct vfcap_watch *watch, size_t buffer)
{
	int err;

	*watch = (struct vfcap_watch){ .fd = { -1, -1 }, .receive = receive };
	err = subscribe(watch, VFCAP_WATCH_UEVENT, NETLINK_KOBJECT_UEVENT, buffer);
	if (!err)
		err = subscribe(watch, VFCAP_WATCH_LINK, NETLINK_ROUTE, buffer);
	if (err)
		vfcap_watch_close(watch);
	return err;
}

void vfcap_watch_close(struct vfcap_watch *watch)
{
	for (int i = 0; i < VFCAP_WATCHES; i++) {
		if (watch->sock[i])
			nl_socket_free(watch->sock[i]);
		watch->sock[i] = NULL;
		watch->fd[i] = -1;
	}
}
