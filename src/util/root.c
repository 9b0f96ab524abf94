// SPDX-License-Identifier: GPL-2.0-or-later
/* Files under a root that was given, and never outside of it. */
#include "root.h"

#include <ctype.h>
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

void vfcap_scratch_remove(const char *dir);

/* Asked once: a kernel's sysfs that cannot be opened later on is not taken for a captured one. */
static int find_kernel(struct vfcap_root *root)
{
	cleanup_close int fd =
		openat(root->fd, "sys", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct statfs fs;

	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR || errno == ELOOP || errno == EACCES ?
			       0 :
			       -errno;
	if (fstatfs(fd, &fs))
		return -errno;
	root->kernel = fs.f_type == SYSFS_MAGIC;
	return 0;
}

int vfcap_root_open(struct vfcap_root **out, const char *dir)
{
	struct vfcap_root *root = calloc(1, sizeof(*root));
	struct stat here, slash;
	int err;

	*out = NULL;
	if (!root)
		return -ENOMEM;
	root->dir = strdup(dir);
	root->failure = calloc(1, sizeof(*root->failure));
	root->fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (!root->dir || !root->failure || root->fd < 0) {
		err = root->dir && root->failure ? -errno : -ENOMEM;
		vfcap_root_close(root);
		return err;
	}
	err = find_kernel(root);
	if (err) {
		vfcap_root_close(root);
		return err;
	}
	root->is_slash = fstat(root->fd, &here) == 0 && stat("/", &slash) == 0 &&
			 here.st_dev == slash.st_dev && here.st_ino == slash.st_ino;
	*out = root;
	return 0;
}

int vfcap_root_open_scratch(struct vfcap_root **root, char *scratch, const char *name)
{
	char *copy = strdup(name);
	int err = copy ? vfcap_root_open(root, scratch) : -ENOMEM;

	if (err) {
		free(copy);
		return err;
	}
	free((*root)->dir);
	(*root)->dir = copy;
	(*root)->scratch = scratch;
	return 0;
}

void vfcap_root_close(struct vfcap_root *root)
{
	if (!root)
		return;
	if (root->scratch)
		vfcap_scratch_remove(root->scratch);
	free(root->scratch);
	vfcap_cleanup_close(&root->fd);
	free(root->failure);
	free(root->dir);
	free(root);
}

const char *vfcap_root_dir(const struct vfcap_root *root)
{
	return root->dir;
}

/* ---------------------------------------------------------------- where openat2() is missing -- */

#define MAX_LINKS 40 /* as the kernel */

struct walk {
	const struct vfcap_root *root;
	bool nofollow;
	int links;
	size_t len; /* of done */
	char done[PATH_MAX]; /* from the root, free of links */
	char *next; /* what is left to do, in todo */
	char todo[PATH_MAX];
};

static void step_back(struct walk *w)
{
	while (w->len && w->done[--w->len] != '/')
		;
	w->done[w->len] = '\0';
}

/* Puts the text of the link that done is, if it is one, before what is left to do. */
static int expand(struct walk *w, size_t dir_len)
{
	char text[PATH_MAX];
	ssize_t n = readlinkat(w->root->fd, w->done, text, sizeof(text));
	size_t rest = strlen(w->next);

	if (n < 0)
		return errno == EINVAL ? 0 : -errno;
	if (++w->links > MAX_LINKS)
		return -ELOOP;
	if ((size_t)n + rest + 2 > sizeof(w->todo))
		return -ENAMETOOLONG;
	memmove(w->todo + n + 1, w->next, rest + 1);
	memcpy(w->todo, text, (size_t)n);
	w->todo[n] = '/';
	w->next = w->todo + strspn(w->todo, "/");
	w->len = text[0] == '/' ? 0 : dir_len;
	w->done[w->len] = '\0';
	return 0;
}

static int step(struct walk *w)
{
	const char *name = w->next;
	size_t len = strcspn(name, "/"), dir_len = w->len;

	w->next += len + strspn(name + len, "/");
	if (len == 1 && name[0] == '.')
		return 0;
	if (len == 2 && name[0] == '.' && name[1] == '.') {
		step_back(w);
		return 0;
	}
	if (w->len + len + 2 > sizeof(w->done))
		return -ENAMETOOLONG;
	if (w->len)
		w->done[w->len++] = '/';
	memcpy(w->done + w->len, name, len);
	w->len += len;
	w->done[w->len] = '\0';
	return w->nofollow && !*w->next ? 0 : expand(w, dir_len);
}

/* What RESOLVE_IN_ROOT does, but for a tree that changes meanwhile: old kernels and containers
 * that do not let openat2() through have captured trees to read as well. */
static int open_by_steps(const struct vfcap_root *root, const char *path, int flags)
{
	struct walk w;
	int fd, err = 0;

	if (!*path)
		return -ENOENT;
	if (strlen(path) >= sizeof(w.todo))
		return -ENAMETOOLONG;
	w.root = root;
	w.nofollow = flags & O_NOFOLLOW;
	w.links = 0;
	w.len = 0;
	w.done[0] = '\0';
	strcpy(w.todo, path);
	w.next = w.todo + strspn(w.todo, "/");
	while (!err && *w.next)
		err = step(&w);
	if (err)
		return err;
	fd = openat(root->fd, w.len ? w.done : ".", flags | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
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

static ssize_t read_text(int fd, char *buf, size_t size)
{
	ssize_t n = TEMP_FAILURE_RETRY(read(fd, buf, size - 1));

	if (n < 0)
		return -errno;
	while (n > 0 && isspace((unsigned char)buf[n - 1]))
		n--;
	buf[n] = '\0';
	return n;
}

ssize_t vfcap_fd_read(int dirfd, const char *name, char *buf, size_t size)
{
	cleanup_close int fd = openat(dirfd, name, VFCAP_READ_FLAGS | O_NOFOLLOW);

	return fd < 0 ? -errno : read_text(fd, buf, size);
}

bool vfcap_root_has_kernel(const struct vfcap_root *root)
{
	return root->kernel;
}
