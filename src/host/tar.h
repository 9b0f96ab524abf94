/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Archives as tar(1) has them: POSIX ustar, with pax headers for names that are too long for it. Written
 * as a stream, read as one, so that pipes do. Regular files, directories and symbolic links only.
 */
#ifndef VFCAP_TAR_H
#define VFCAP_TAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VFCAP_TAR_BLOCK 512
#define VFCAP_TAR_PATH 4096 /* room for a name or the text of a link, and its NUL */

enum vfcap_tar_type { VFCAP_TAR_FILE, VFCAP_TAR_DIR, VFCAP_TAR_LINK };

/* ------------------------------------------------------------------------------------ writing -- */

struct vfcap_tar_out {
	int fd;
	int err; /* the first -errno; what comes after it is lost */
	uint64_t written; /* bytes, those in buf too */
	size_t n; /* in buf */
	uint8_t buf[64 * VFCAP_TAR_BLOCK];
};

void vfcap_tar_begin(struct vfcap_tar_out *tar, int fd);
/* A file of len bytes, without them: vfcap_tar_add() has it whole. */
void vfcap_tar_add(struct vfcap_tar_out *tar, const char *path, const void *data, size_t len);
void vfcap_tar_add_dir(struct vfcap_tar_out *tar, const char *path);
void vfcap_tar_add_link(struct vfcap_tar_out *tar, const char *path, const char *target);
/* Writes all that is left. 0, or the first error. */
int vfcap_tar_end(struct vfcap_tar_out *tar);

/* ------------------------------------------------------------------------------------ reading -- */

/* Do these 512 bytes begin an archive? */
bool vfcap_tar_is_header(const uint8_t block[VFCAP_TAR_BLOCK]);

struct vfcap_tar_entry {
	enum vfcap_tar_type type;
	uint64_t size; /* of a file; its bytes are read by vfcap_tar_read() */
	char path[VFCAP_TAR_PATH];
	char target[VFCAP_TAR_PATH]; /* of a link */
};

struct vfcap_tar_in {
	int fd;
	const char *why; /* -EBADMSG: what is wrong with it, for people */
	uint64_t left; /* of the entry's bytes and what fills up its last block */
	uint64_t size; /* of its bytes */
};

void vfcap_tar_open(struct vfcap_tar_in *tar, int fd);
/* 1: there is one more; 0: the end; -EBADMSG, or read's -errno. What was not read of the last is skipped. */
int vfcap_tar_next(struct vfcap_tar_in *tar, struct vfcap_tar_entry *entry);
/* The next bytes of a file: how many, 0 at its end, -EBADMSG, or read's -errno. */
long vfcap_tar_read(struct vfcap_tar_in *tar, void *buf, size_t len);

#endif
