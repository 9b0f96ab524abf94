/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Small trees of files for tests of what is read under a root. */
#ifndef VFCAP_TREE_H
#define VFCAP_TREE_H

#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

struct tree {
	char dir[64];
	int fd;
};

/* In memory where that is possible: what is written is synchronised to the disk thousands of times. */
static inline void tree_new(struct tree *t)
{
	snprintf(t->dir, sizeof(t->dir), "%s/vfcap-unit.XXXXXX",
		 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	assert_non_null(mkdtemp(t->dir));
	t->fd = open(t->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(t->fd >= 0);
}

static inline int tree_remove(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline void tree_free(struct tree *t)
{
	close(t->fd);
	assert_int_equal(nftw(t->dir, tree_remove, 16, FTW_DEPTH | FTW_PHYS), 0);
}

/* All directories that path leads through; path itself when it ends in "/". */
static inline void tree_dirs(struct tree *t, const char *path)
{
	char dir[512];

	for (const char *s = strchr(path, '/'); s; s = strchr(s + 1, '/')) {
		snprintf(dir, sizeof(dir), "%.*s", (int)(s - path), path);
		if (mkdirat(t->fd, dir, 0755))
			assert_int_equal(errno, EEXIST);
	}
}

static inline void tree_bytes(struct tree *t, const char *path, const void *data, size_t len)
{
	int fd;

	tree_dirs(t, path);
	fd = openat(t->fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, len), len);
	close(fd);
}

static inline void tree_text(struct tree *t, const char *path, const char *text)
{
	tree_bytes(t, path, text, strlen(text));
}

static inline void tree_link(struct tree *t, const char *path, const char *target)
{
	tree_dirs(t, path);
	assert_int_equal(symlinkat(target, t->fd, path), 0);
}

#endif
