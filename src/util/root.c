// SPDX-License-Identifier: GPL-2.0-or-later
/* Files under a root that was given, and never outside of it. */
#include "root.h"

#include "archive.h"
#include "walk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

/* A root of no kind yet; NULL: out of memory. */
static struct vfcap_root *new_root(const char *dir)
{
	struct vfcap_root *root = calloc(1, sizeof(*root));

	if (!root)
		return NULL;
	root->fd = -1;
	root->dir = strdup(dir);
	root->failure = calloc(1, sizeof(*root->failure));
	if (root->dir && root->failure)
		return root;
	vfcap_root_close(root);
	return NULL;
}

/* Asked once: a kernel's sysfs that cannot be opened later on is not taken for a captured one. */
static int find_kernel(struct vfcap_root *root)
{
	cleanup_close int fd =
		openat(root->fd, "sys", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct statfs fs;

	if (fd < 0) /* a file or a link is no sysfs either */
		return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
	if (fstatfs(fd, &fs))
		return -errno;
	root->kernel = fs.f_type == SYSFS_MAGIC;
	return 0;
}

int vfcap_root_open(struct vfcap_root **out, const char *dir)
{
	struct vfcap_root *root = new_root(dir);
	struct stat own, slash;
	int err;

	*out = NULL;
	if (!root)
		return -ENOMEM;
	root->fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	err = root->fd < 0 ? -errno : find_kernel(root);
	if (err) {
		vfcap_root_close(root);
		return err;
	}
	root->is_slash = fstat(root->fd, &own) == 0 && stat("/", &slash) == 0 &&
			 own.st_dev == slash.st_dev && own.st_ino == slash.st_ino;
	*out = root;
	return 0;
}

int vfcap_root_open_archive(struct vfcap_root **out, const char *file, const char **why)
{
	struct vfcap_root *root = new_root(file);
	char *data = NULL;
	size_t size = 0;
	int err;

	*out = NULL;
	*why = NULL;
	if (!root)
		return -ENOMEM;
	err = vfcap_archive_load(file, &data, &size, why);
	if (!err)
		err = vfcap_archive_new(&root->archive, data, size, why);
	if (err)
		vfcap_root_close(root);
	else
		*out = root;
	return err;
}

void vfcap_root_close(struct vfcap_root *root)
{
	if (!root)
		return;
	vfcap_archive_free(root->archive);
	vfcap_cleanup_close(&root->fd);
	free(root->failure);
	free(root->dir);
	free(root);
}

const char *vfcap_root_dir(const struct vfcap_root *root)
{
	return root->dir;
}

/* -------------------------------------------------------------------------------- step by step -- */

/* Where a path has led to so far, from the root and free of links. */
struct trail {
	size_t len;
	char path[PATH_MAX];
};

static const char *here(const struct trail *trail)
{
	return trail->len ? trail->path : ".";
}

static int check_dir(const struct vfcap_root *root, const struct trail *trail)
{
	struct stat st;

	if (fstatat(root->fd, here(trail), &st, AT_SYMLINK_NOFOLLOW))
		return -errno;
	return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}

static void step_back(struct trail *trail)
{
	while (trail->len && trail->path[--trail->len] != '/')
		;
	trail->path[trail->len] = '\0';
}

/* Goes to a name, or to where it leads when it is a link. */
static int step(const struct vfcap_root *root, struct vfcap_walk *walk, const char *name,
		size_t len, struct trail *trail)
{
	size_t dir_len = trail->len;
	char text[PATH_MAX];
	ssize_t n;

	if (trail->len + len + 2 > sizeof(trail->path))
		return -ENAMETOOLONG;
	if (trail->len)
		trail->path[trail->len++] = '/';
	memcpy(trail->path + trail->len, name, len);
	trail->len += len;
	trail->path[trail->len] = '\0';
	if (!vfcap_walk_follows(walk))
		return 0;
	n = readlinkat(root->fd, trail->path, text, sizeof(text));
	if (n < 0)
		return errno == EINVAL ? 0 : -errno;
	trail->len = text[0] == '/' ? 0 : dir_len;
	trail->path[trail->len] = '\0';
	return vfcap_walk_link(walk, text, (size_t)n);
}

/* What RESOLVE_IN_ROOT does, but for a tree that changes meanwhile. */
static int follow(const struct vfcap_root *root, const char *path, bool nofollow,
		  struct trail *trail)
{
	struct vfcap_walk walk;
	enum vfcap_part part;
	const char *name;
	size_t len;
	int err = vfcap_walk_begin(&walk, path, nofollow);

	trail->len = 0;
	trail->path[0] = '\0';
	while (!err && (part = vfcap_walk_next(&walk, &name, &len)) != VFCAP_PART_END) {
		err = part == VFCAP_PART_NAME ? step(root, &walk, name, len, trail) :
						check_dir(root, trail);
		if (!err && part == VFCAP_PART_UP)
			step_back(trail);
	}
	return err;
}

/* Old kernels and containers that do not let openat2() through have captured trees to read as well. */
static int open_by_steps(const struct vfcap_root *root, const char *path, int flags)
{
	struct trail trail;
	int fd, err = follow(root, path, flags & O_NOFOLLOW, &trail);

	if (err)
		return err;
	fd = openat(root->fd, here(&trail), flags | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static ssize_t resolve_archived(const struct vfcap_root *root, const char *path, char *buf,
				size_t size)
{
	int node = vfcap_archive_find(root->archive, VFCAP_ARCHIVE_TOP, path, false);

	return node < 0 ? node : vfcap_archive_path(root->archive, (uint32_t)node, buf, size);
}

static ssize_t resolve(const struct vfcap_root *root, const char *path, char *buf, size_t size)
{
	struct trail trail;
	int err = follow(root, path, false, &trail);

	if (err)
		return err;
	if (trail.len >= size)
		return -ENAMETOOLONG;
	memcpy(buf, trail.path, trail.len + 1);
	return (ssize_t)trail.len;
}

ssize_t vfcap_root_resolve(const struct vfcap_root *root, const char *path, char *buf, size_t size)
{
	ssize_t n = root->archive ? resolve_archived(root, path, buf, size) :
				    resolve(root, path, buf, size);

	return n < 0 ? vfcap_root_outcome(root, NULL, path, (int)n) : n;
}

/* ------------------------------------------------------------------------------------- files -- */

/* While anything on the machine is renamed or mounted, the kernel does not take a ".." for granted. */
#define TRIES 64

int vfcap_root_openat(const struct vfcap_root *root, const char *path, int flags)
{
	struct open_how how = { .flags = (unsigned int)flags | O_CLOEXEC,
				.resolve = RESOLVE_IN_ROOT };
	int tries = TRIES;
	long fd;

	if (root->archive)
		return -EROFS;
	if (root->is_slash) {
		fd = openat(root->fd, path, flags | O_CLOEXEC);
		return fd < 0 ? -errno : (int)fd;
	}
	do {
		fd = syscall(SYS_openat2, root->fd, path, &how, sizeof(how));
	} while (fd < 0 && errno == EAGAIN && --tries);
	if (fd < 0 && (errno == ENOSYS || errno == EAGAIN))
		return open_by_steps(root, path, flags);
	return fd < 0 ? -errno : (int)fd;
}

static int make_dir(int parent, const char *name, mode_t mode)
{
	int err;

	if (mkdirat(parent, name, mode))
		return errno == EEXIST ? 0 : -errno;
	if (!fsync(parent))
		return 0;
	err = -errno;
	unlinkat(parent, name, AT_REMOVEDIR);
	return err;
}

int vfcap_root_make_dir(const struct vfcap_root *root, const char *parent, const char *name,
			mode_t mode)
{
	cleanup_close int dir = vfcap_root_openat(root, parent, O_RDONLY | O_DIRECTORY);
	int err = dir < 0 ? dir : make_dir(dir, name, mode), fd;

	if (err)
		return err;
	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

bool vfcap_root_has_kernel(const struct vfcap_root *root)
{
	return root->kernel;
}
