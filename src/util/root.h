/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of a root share, and nobody else sees. */
#ifndef VFCAP_UTIL_ROOT_H
#define VFCAP_UTIL_ROOT_H

#include "util.h"

/* A captured tree may hold a FIFO or a terminal where a file is expected: neither may hold us up. */
#define VFCAP_READ_FLAGS (O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)

/* The first error of the reader. */
struct vfcap_failure {
	int err; /* -errno; 0: none */
	unsigned long n; /* of all errors */
	char what[512]; /* the object, and why */
};

struct vfcap_root {
	int fd; /* -1: it is an archive */
	struct vfcap_archive *archive; /* NULL: it is a directory; owned */
	bool is_slash; /* then there is no outside */
	bool kernel; /* sys is a sysfs */
	char *dir; /* as it was given */
	struct vfcap_failure *failure; /* owned; changes while the root itself is const */
};

/* What a failed read of path means (see "The reader" in util.h): -ENOENT, or err, which is kept. dir: where path
 * starts; NULL: the root. */
int vfcap_root_outcome(const struct vfcap_root *root, const struct vfcap_dir *dir, const char *path,
		       int err);

#endif
