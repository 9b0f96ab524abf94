/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An archive in memory as a tree of files: what a root is when it is no directory. */
#ifndef VFCAP_UTIL_ARCHIVE_H
#define VFCAP_UTIL_ARCHIVE_H

#include "util.h"

struct vfcap_archive;

/* The bytes of an archive file, unpacked, that the caller frees. 0, or as vfcap_root_open_archive(). */
int vfcap_archive_load(const char *file, char **data, size_t *size, const char **why);

/* Makes the tree. data is freed with it, or when that fails. 0 or -errno; -EBADMSG: *why. */
int vfcap_archive_new(struct vfcap_archive **archive, char *data, size_t size, const char **why);
void vfcap_archive_free(struct vfcap_archive *archive); /* NULL is fine */

#define VFCAP_ARCHIVE_TOP 0u /* the node that every path starts from */

/* The node that path leads to from another one: its index, or -errno as of open(2). nofollow: the last part is not
 * followed when it is a link. */
int vfcap_archive_find(const struct vfcap_archive *archive, uint32_t from, const char *path,
		       bool nofollow);
bool vfcap_archive_is_dir(const struct vfcap_archive *archive, uint32_t node);
/* The bytes of a file, lent, and how many; -EISDIR; -ELOOP: it is a link. */
ssize_t vfcap_archive_bytes(const struct vfcap_archive *archive, uint32_t node, const char **bytes);
/* The text of a link, lent, and its length; -EINVAL: it is none. */
ssize_t vfcap_archive_link(const struct vfcap_archive *archive, uint32_t node, const char **text);
/* As if whoever reads it had unpacked it for himself. */
void vfcap_archive_stat(const struct vfcap_archive *archive, uint32_t node, struct stat *st);
/* The path of a node from the top, and its length; -ENAMETOOLONG. */
ssize_t vfcap_archive_path(const struct vfcap_archive *archive, uint32_t node, char *buf,
			   size_t size);

/* What is in a directory, in no order: VFCAP_ARCHIVE_TOP, which is in none, ends it. */
uint32_t vfcap_archive_first(const struct vfcap_archive *archive, uint32_t dir);
uint32_t vfcap_archive_next(const struct vfcap_archive *archive, uint32_t node);
const char *vfcap_archive_name(const struct vfcap_archive *archive, uint32_t node);

#endif
