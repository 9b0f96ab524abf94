/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A small tree of files as an archive, plain or packed. */
#ifndef VFCAP_PACK_H
#define VFCAP_PACK_H

#include "tree.h"

#include <dirent.h>

#include "../../src/util/tar.h"

static inline void pack_file(struct vfcap_tar_out *out, int dir, const char *name, const char *path)
{
	char bytes[8192];
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	assert_true(fd >= 0);
	n = read(fd, bytes, sizeof(bytes));
	assert_true(n >= 0 && n < (ssize_t)sizeof(bytes));
	vfcap_tar_add(out, path, bytes, (size_t)n);
	close(fd);
}

/* Takes dir over. */
static inline void pack_dir(struct vfcap_tar_out *out, int dir, const char *below)
{
	DIR *stream = fdopendir(dir);
	char path[600], target[512];
	struct dirent *e;
	ssize_t n;

	assert_non_null(stream);
	while ((e = readdir(stream))) {
		snprintf(path, sizeof(path), "%s%s", below, e->d_name);
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (e->d_type == DT_REG) {
			pack_file(out, dir, e->d_name, path);
		} else if (e->d_type == DT_LNK) {
			n = readlinkat(dir, e->d_name, target, sizeof(target) - 1);
			assert_true(n > 0);
			target[n] = '\0';
			vfcap_tar_add_link(out, path, target);
		} else if (e->d_type == DT_DIR) {
			vfcap_tar_add_dir(out, path);
			strcat(path, "/");
			pack_dir(out, openat(dir, e->d_name, O_RDONLY | O_DIRECTORY), path);
		}
	}
	closedir(stream);
}

/* All of a directory of the tree but what no archive holds, into a file beside it. */
static inline void pack(const struct tree *t, const char *dir, const char *file, bool packed)
{
	struct vfcap_tar_out *out = calloc(1, sizeof(*out));
	int fd = openat(t->fd, file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_non_null(out);
	assert_true(fd >= 0);
	vfcap_tar_begin(out, fd, packed);
	pack_dir(out, openat(t->fd, dir, O_RDONLY | O_DIRECTORY), "");
	assert_int_equal(vfcap_tar_end(out), 0);
	close(fd);
	free(out);
}

#endif
