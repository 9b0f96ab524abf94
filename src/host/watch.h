/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Following a host: what sysfs says of a PF or VF now, and the kernel's messages that it has changed. What
 * that makes of it is ../lib/monitor.c's.
 */
#ifndef VFCAP_WATCH_H
#define VFCAP_WATCH_H

#include "change.h"

/* --------------------------------------------------------------------------------------- seen -- */

/* A function as it was seen last. */
struct vfcap_seen {
	struct vfcap_address address;
	enum vfcap_role role;
	struct vfcap_address pf; /* of a VF */
	int vf_index; /* of a VF, -1: not known */
	char driver[VFCAP_NAME_ROOM]; /* "": none */
	struct vfcap_knob knob; /* of a VF */
	char netdev[16]; /* of a PF: the first one; "": none */
	struct vfcap_vfinfo info; /* of a VF, by its PF's netdev */
};

/* seen.c: what sysfs says, but for .info. -ENOENT: there is no such function now; another -errno, said, here and below:
 * it cannot be known. */
int vfcap_seen_read(struct vfcap_host *h, struct vfcap_address a,
		    struct vfcap_seen *seen) VFCAP_MUST_CHECK;
/* The index of the VF of pf that has that address; -1: none has. 0 or -errno. */
int vfcap_seen_index(struct vfcap_host *h, struct vfcap_address pf, struct vfcap_address vf,
		     int *index) VFCAP_MUST_CHECK;
/* The addresses of all functions there are, ascending; the caller frees them, also when it fails. 0 or -errno. */
int vfcap_seen_list(struct vfcap_host *h, struct vfcap_address **list, size_t *n) VFCAP_MUST_CHECK;
/* The function that a netdev belongs to; 0, -ENOENT: none, or gone; another -errno: that cannot be known. */
int vfcap_seen_netdev(struct vfcap_host *h, const char *netdev,
		      struct vfcap_address *a) VFCAP_MUST_CHECK;

/* netlink.c: asks the kernel for the VFs of a netdev, anew. Gives how many it speaks of; -ENOENT: there is no such
 * netdev, or no rtnetlink; -errno. */
int vfcap_netlink_ask(const char *netdev, struct vfcap_vfinfo *info, size_t n);

/* ---------------------------------------------------------------------------------- messages -- */

enum vfcap_action {
	VFCAP_ACTION_OTHER,
	VFCAP_ACTION_ADD,
	VFCAP_ACTION_REMOVE,
	VFCAP_ACTION_BIND,
	VFCAP_ACTION_UNBIND,
	VFCAP_ACTION_CHANGE,
};

/* A message of the kernel about a PCI function. */
struct vfcap_uevent {
	enum vfcap_action action;
	struct vfcap_address address;
	char driver[VFCAP_NAME_ROOM]; /* "": not told */
};

/* uevent.c: false: it is about something else, or makes no sense. */
bool vfcap_uevent_parse(const char *text, size_t len, struct vfcap_uevent *event);
/* Calls found for the name of each netdev that messages of rtnetlink speak of. */
void vfcap_links_parse(const void *messages, size_t len,
		       void (*found)(void *arg, const char *netdev), void *arg);

enum { VFCAP_WATCH_UEVENT, VFCAP_WATCH_LINK, VFCAP_WATCHES };

struct vfcap_watch {
	int fd[VFCAP_WATCHES]; /* to be polled for reading */
	/* The next message: its length; -EAGAIN: none now; -ENOBUFS: some were lost; 0: one that is not the
	 * kernel's. Tests put something of their own in its place. */
	ssize_t (*receive)(struct vfcap_watch *watch, int which, void *buf, size_t size);
	void *sock[VFCAP_WATCHES]; /* libnl's */
};

/* netdev.c: what messages of rtnetlink say of one network interface, the last of them that is about it. */
enum vfcap_link_state { VFCAP_LINK_AS_BEFORE, VFCAP_LINK_DOWN, VFCAP_LINK_UP, VFCAP_LINK_GONE };
enum vfcap_link_state vfcap_link_parse(const void *messages, size_t len, unsigned int index);
/* netdev.c: as struct vfcap_ops.watch. */
int vfcap_links_watch(struct vfcap_watch *watch);

/* Subscribes to both. buffer: bytes the kernel may keep for us, 0: many. */
int vfcap_watch_open(struct vfcap_watch *watch, size_t buffer);
void vfcap_watch_close(struct vfcap_watch *watch);

#endif
