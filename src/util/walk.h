/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A path taken apart as the kernel does it, with the texts of links put in where they are met. */
#ifndef VFCAP_UTIL_WALK_H
#define VFCAP_UTIL_WALK_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

struct vfcap_walk {
	bool nofollow; /* the last part is not followed when it is a link */
	int links; /* that were met */
	const char *next; /* what is left to do, in todo once there was a link */
	char todo[PATH_MAX];
};

enum vfcap_part {
	VFCAP_PART_END, /* nothing is left */
	VFCAP_PART_HERE, /* ".", or nothing behind a slash: what was reached has to be a directory */
	VFCAP_PART_UP, /* "..": likewise */
	VFCAP_PART_NAME, /* *name, of *len bytes: likewise, and the name is looked up in it */
};

/* path is the caller's, for as long as it is walked. 0, -ENOENT: it is empty; -ENAMETOOLONG. */
int vfcap_walk_begin(struct vfcap_walk *walk, const char *path, bool nofollow);
enum vfcap_part vfcap_walk_next(struct vfcap_walk *walk, const char **name, size_t *len);
/* The name that was given last is a link: is it to be followed? */
bool vfcap_walk_follows(const struct vfcap_walk *walk);
/* Follows it: text of len bytes is what comes next, from the root on if it begins with a slash, else from the directory
 * that holds the link. 0, -ELOOP, -ENAMETOOLONG. */
int vfcap_walk_link(struct vfcap_walk *walk, const char *text, size_t len);

#endif
