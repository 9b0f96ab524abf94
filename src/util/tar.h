/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Archives as tar(1) has them: POSIX ustar, with pax headers for names that are too long for it. They are written
 * as a stream, and read out of memory. Regular files, directories and symbolic links only.
 */
#ifndef VFCAP_UTIL_TAR_H
#define VFCAP_UTIL_TAR_H

#include "util.h"

#define VFCAP_TAR_BLOCK 512
#define VFCAP_TAR_PATH 4096 /* room for a name or the text of a link, and its NUL */

enum vfcap_tar_type { VFCAP_TAR_FILE, VFCAP_TAR_DIR, VFCAP_TAR_LINK };

/* ------------------------------------------------------------------------------------ writing -- */

struct vfcap_tar_out {
	int fd;
	int err; /* the first -errno; what comes after it is lost */
	struct vfcap_gzip *gzip; /* NULL: it is written plainly */
	uint64_t written; /* bytes of the archive, those in buf too */
	uint64_t stored; /* bytes that fd took */
	size_t n; /* in buf */
	uint8_t buf[64 * VFCAP_TAR_BLOCK];
};

/* packed: by gzip. Needs vfcap_tar_end(), also after an error. */
void vfcap_tar_begin(struct vfcap_tar_out *tar, int fd, bool packed);
void vfcap_tar_add(struct vfcap_tar_out *tar, const char *path, const void *data, size_t len);
void vfcap_tar_add_dir(struct vfcap_tar_out *tar, const char *path);
void vfcap_tar_add_link(struct vfcap_tar_out *tar, const char *path, const char *target);
/* Writes all that is left. 0, or the first error. */
int vfcap_tar_end(struct vfcap_tar_out *tar);

/* ------------------------------------------------------------------------------------ reading -- */

/* Do the VFCAP_TAR_BLOCK bytes of a block begin an archive? */
bool vfcap_tar_is_header(const void *block);

struct vfcap_tar_entry {
	enum vfcap_tar_type type;
	uint64_t size; /* of a file, as its header has it */
	const char *bytes; /* of a file, in the archive; NULL: it ends before they do */
	char path[VFCAP_TAR_PATH];
	char target[VFCAP_TAR_PATH]; /* of a link */
};

struct vfcap_tar_in {
	const char *data;
	size_t size, at;
	const char *why; /* -EBADMSG: what is wrong with it, for people */
};

/* data stays the caller's, for as long as it is read. */
void vfcap_tar_open(struct vfcap_tar_in *tar, const void *data, size_t size);
/* 1: there is one more; 0: the end; -EBADMSG. */
int vfcap_tar_next(struct vfcap_tar_in *tar, struct vfcap_tar_entry *entry);

#endif
