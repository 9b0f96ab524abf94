// SPDX-License-Identifier: GPL-2.0-or-later
/* What processes have open, asked of procfs itself. */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include "root.h"

int vfcap_root_has_procfs(const struct vfcap_root *root)
{
	cleanup_close int fd =
		root->archive ? -ENOENT : vfcap_root_openat(root, "proc", O_PATH | O_DIRECTORY);
	struct statfs fs;
	int err = fd < 0 ? fd : fstatfs(fd, &fs) ? -errno : 0;

	if (err) {
		err = vfcap_root_outcome(root, NULL, "proc", err);
		return err == -ENOENT ? 0 : err;
	}
	return fs.f_type == PROC_SUPER_MAGIC;
}

/* The link's own mode tells how the file was opened. By O_PATH anybody opens anything, and has nothing of it. */
static int is_open(const struct vfcap_dir *dir, const char *name)
{
	struct statx st;

	if (statx(dir->fd, name, AT_STATX_DONT_SYNC | AT_SYMLINK_NOFOLLOW, STATX_MODE, &st))
		return -errno;
	return (st.stx_mode & 0600) != 0;
}

/* Root may not look at what another user has in a file system of his own, which has no devices: a mount of FUSE that
 * one may make is nodev (fusermount(1)). */
static bool is_users_own(const struct vfcap_dir *dir, const char *name)
{
	cleanup_close int fd = openat(dir->fd, name, O_PATH | O_CLOEXEC);
	struct statfs fs;

	return fd >= 0 && fstatfs(fd, &fs) == 0 && fs.f_type == FUSE_SUPER_MAGIC;
}

int vfcap_dir_device_number(const struct vfcap_dir *dir, const char *name, dev_t *device)
{
	struct statx st;
	int open;

	if (statx(dir->fd, name, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, STATX_TYPE, &st)) {
		int err = -errno;

		return err == -EACCES && is_users_own(dir, name) ?
			       0 :
			       vfcap_root_outcome(dir->root, dir, name, err);
	}
	*device = makedev(st.stx_rdev_major, st.stx_rdev_minor);
	open = S_ISCHR(st.stx_mode) ? is_open(dir, name) : 0;
	return open < 0 ? vfcap_root_outcome(dir->root, dir, name, open) : open;
}
