// SPDX-License-Identifier: GPL-2.0-or-later
/* The one reader of small files, links and directories below a root: what a failed read means is decided here. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive.h"
#include "root.h"

/* ----------------------------------------------------------------------------------- outcomes -- */

/* Is the name itself not there any more? That a look at it fails is no proof. */
static bool has_gone(const struct vfcap_root *root, const struct vfcap_dir *dir, const char *path)
{
	cleanup_close int fd = dir ? openat(dir->fd, path, O_PATH | O_NOFOLLOW | O_CLOEXEC) :
				     vfcap_root_openat(root, path, O_PATH);
	int err = fd >= 0 ? 0 : dir ? -errno : fd;

	return err == -ENOENT;
}

const char *vfcap_strerror(int err)
{
	return err == -ESPIPE  ? "Not a regular file" :
	       err == -ENOLINK ? "Not a symbolic link" :
	       err == -ENODATA ? "A link that leads nowhere: the capture is incomplete" :
	       err == -EPROTO  ? "Not a value that it can have" :
				 strerror(-err);
}

static void keep(const struct vfcap_root *root, const struct vfcap_dir *dir, const char *path,
		 int err)
{
	struct vfcap_failure *failure = root->failure;
	const char *slash = root->dir[strlen(root->dir) - 1] == '/' ? "" : "/";

	failure->n++;
	if (failure->err)
		return;
	failure->err = err;
	path += strspn(path, "/");
	snprintf(failure->what, sizeof(failure->what), "%s%s%s%s%s: %s", root->dir, slash,
		 dir ? dir->path : "", dir && *path ? "/" : "", path, vfcap_strerror(err));
}

int vfcap_root_outcome(const struct vfcap_root *root, const struct vfcap_dir *dir, const char *path,
		       int err)
{
	switch (err) {
	case -ENOENT:
	case -ESRCH:
		return -ENOENT;
	case -ENODEV:
	case -ENXIO:
		if (has_gone(root, dir, path))
			return -ENOENT;
		err = -EIO; /* to a caller, the others would tell of a device that has gone */
		break;
	case -EACCES:
	case -EPERM:
		root->failure->n++; /* it is missing all the same */
		return err;
	}
	keep(root, dir, path, err);
	return err;
}

int vfcap_root_failure(const struct vfcap_root *root, const char **what)
{
	*what = root->failure->what;
	return root->failure->err;
}

unsigned long vfcap_root_failures(const struct vfcap_root *root)
{
	return root->failure->n;
}

void vfcap_root_adopt_failure(const struct vfcap_root *root, const struct vfcap_root *other)
{
	unsigned long n = root->failure->n;

	if (!root->failure->err)
		*root->failure = *other->failure;
	root->failure->n = n + 1;
}

void vfcap_root_keep_failure(const struct vfcap_root *root, const char *object, int err)
{
	struct vfcap_failure *failure = root->failure;

	failure->n++;
	if (failure->err)
		return;
	failure->err = err;
	snprintf(failure->what, sizeof(failure->what), "%s: %s", object, vfcap_strerror(err));
}

/* Want of memory is not the object's: whoever says what could not be read cannot make up for what it means elsewhere. */
void vfcap_root_forget_failure(const struct vfcap_root *root)
{
	if (root->failure->err != -ENOMEM)
		root->failure->err = 0;
}

/* ------------------------------------------------------------------------------------- files -- */

static int open_file(const struct vfcap_root *root, const struct vfcap_dir *dir, const char *path)
{
	int fd;

	if (!dir)
		return vfcap_root_openat(root, path, VFCAP_READ_FLAGS);
	fd = openat(dir->fd, path, VFCAP_READ_FLAGS | O_NOFOLLOW);
	return fd < 0 ? -errno : fd;
}

/* How many bytes there are from at on, up to size: a kernel gives an attribute, and a disk a file, in one piece. Not by
 * read(2): from a FIFO or a terminal, which a captured tree may hold, that would be no failure. */
static ssize_t read_at(int fd, void *buf, size_t size, size_t at)
{
	ssize_t n = TEMP_FAILURE_RETRY(pread(fd, buf, size, (off_t)at));

	return n < 0 ? -errno : n;
}

/* In an archive, path as a node. */
static int find(const struct vfcap_root *root, const struct vfcap_dir *dir, const char *path)
{
	return vfcap_archive_find(root->archive, dir ? dir->node : VFCAP_ARCHIVE_TOP, path, dir);
}

/* In an archive, a file's bytes, lent, and how many. */
static ssize_t find_bytes(const struct vfcap_root *root, const struct vfcap_dir *dir,
			  const char *path, const char **bytes)
{
	int node = find(root, dir, path);

	return node < 0 ? node : vfcap_archive_bytes(root->archive, (uint32_t)node, bytes);
}

static ssize_t copy_bytes(const struct vfcap_root *root, const struct vfcap_dir *dir,
			  const char *path, void *buf, size_t size)
{
	const char *bytes;
	ssize_t n = find_bytes(root, dir, path, &bytes);

	n = n > (ssize_t)size ? (ssize_t)size : n;
	if (n > 0)
		memcpy(buf, bytes, (size_t)n);
	return n;
}

static ssize_t read_bytes(const struct vfcap_root *root, const struct vfcap_dir *dir,
			  const char *path, void *buf, size_t size)
{
	cleanup_close int fd = root->archive ? -1 : open_file(root, dir, path);
	ssize_t n = root->archive ? copy_bytes(root, dir, path, buf, size) :
		    fd < 0	  ? fd :
				    read_at(fd, buf, size, 0);

	return n < 0 ? vfcap_root_outcome(root, dir, path, (int)n) : n;
}

static ssize_t read_text(const struct vfcap_root *root, const struct vfcap_dir *dir,
			 const char *path, char *buf, size_t size)
{
	ssize_t n = read_bytes(root, dir, path, buf, size);
	bool whole = n < (ssize_t)size;

	buf[n < 0 ? 0 : whole ? n : (ssize_t)size - 1] = '\0';
	if (n < 0)
		return n;
	if (!whole)
		return vfcap_root_outcome(root, dir, path, -EFBIG);
	while (n > 0 && isspace((unsigned char)buf[n - 1]))
		buf[--n] = '\0';
	return n;
}

ssize_t vfcap_root_read(const struct vfcap_root *root, const char *path, char *buf, size_t size)
{
	return read_text(root, NULL, path, buf, size);
}

ssize_t vfcap_dir_read(const struct vfcap_dir *dir, const char *name, char *buf, size_t size)
{
	return read_text(dir->root, dir, name, buf, size);
}

ssize_t vfcap_root_read_bytes(const struct vfcap_root *root, const char *path, void *buf,
			      size_t size)
{
	return read_bytes(root, NULL, path, buf, size);
}

ssize_t vfcap_dir_read_bytes(const struct vfcap_dir *dir, const char *name, void *buf, size_t size)
{
	return read_bytes(dir->root, dir, name, buf, size);
}

/* ---------------------------------------------------------------------------------- whole files -- */

/* What grows is what was read, so that a file that claims to be large costs nothing. */
static int load_fd(int fd, size_t most, char **text, size_t *len)
{
	size_t room = 0;
	ssize_t n;

	do {
		if (room - *len < 2) {
			char *more = realloc(*text, room = room ? 2 * room : 4096);

			if (!more)
				return -ENOMEM;
			*text = more;
		}
		n = read_at(fd, *text + *len, room - *len - 1, *len);
		if (n > 0)
			*len += (size_t)n;
		(*text)[*len] = '\0';
	} while (n > 0 && *len <= most);
	return n < 0 ? (int)n : *len > most ? -EFBIG : 0;
}

static bool is_packed(const char *path)
{
	size_t len = strlen(path);

	return len > 3 && strcmp(path + len - 3, ".gz") == 0;
}

static int load_archived(const struct vfcap_root *root, const struct vfcap_dir *dir,
			 const char *path, size_t most, char **text, size_t *len)
{
	const char *bytes;
	ssize_t n = find_bytes(root, dir, path, &bytes);

	if (n < 0)
		return (int)n;
	if ((size_t)n > most)
		return -EFBIG;
	*text = malloc((size_t)n + 1);
	if (!*text)
		return -ENOMEM;
	memcpy(*text, bytes, (size_t)n);
	(*text)[n] = '\0';
	*len = (size_t)n;
	return 0;
}

static int load_file(const struct vfcap_root *root, const struct vfcap_dir *dir, const char *path,
		     size_t most, char **text, size_t *len)
{
	cleanup_close int fd = root->archive ? -1 : open_file(root, dir, path);

	if (root->archive)
		return load_archived(root, dir, path, most, text, len);
	return fd < 0 ? fd : load_fd(fd, most, text, len);
}

static int unpack(size_t most, char **text, size_t *len)
{
	cleanup_free char *data = *text;

	return vfcap_gunzip(data, *len, most, text, len);
}

static int load(const struct vfcap_root *root, const struct vfcap_dir *dir, const char *path,
		size_t most, char **text, size_t *len)
{
	int err;

	*text = NULL;
	*len = 0;
	err = load_file(root, dir, path, most, text, len);
	if (!err && is_packed(path) && vfcap_is_gzip(*text, *len)) /* captures keep it unpacked */
		err = unpack(most, text, len);
	if (!err)
		return 0;
	free(*text);
	*text = NULL;
	return vfcap_root_outcome(root, dir, path, err);
}

int vfcap_root_load(const struct vfcap_root *root, const char *path, size_t most, char **text,
		    size_t *len)
{
	return load(root, NULL, path, most, text, len);
}

int vfcap_dir_load(const struct vfcap_dir *dir, const char *name, size_t most, char **text,
		   size_t *len)
{
	return load(dir->root, dir, name, most, text, len);
}

char *vfcap_line_next(char **rest)
{
	char *line = *rest;

	if (!line || !*line)
		return NULL;
	*rest = line + strcspn(line, "\n");
	if (**rest)
		*(*rest)++ = '\0';
	return line;
}

int vfcap_dir_reject(const struct vfcap_dir *dir, const char *name, int err)
{
	return vfcap_root_outcome(dir->root, dir, name, err);
}

int vfcap_dir_read_number(const struct vfcap_dir *dir, const char *name, unsigned long *val)
{
	char text[32], *end;
	ssize_t n = vfcap_dir_read(dir, name, text, sizeof(text));

	if (n < 0)
		return (int)n;
	errno = 0;
	*val = strtoul(text, &end, 0);
	if (!isdigit((unsigned char)text[0]) || *end || errno)
		return vfcap_dir_reject(dir, name, -EPROTO);
	return 0;
}

int vfcap_root_has(const struct vfcap_root *root, const char *path)
{
	cleanup_close int fd = root->archive ? -1 : vfcap_root_openat(root, path, O_PATH);
	int found = root->archive ? find(root, NULL, path) : fd;
	int err = found < 0 ? vfcap_root_outcome(root, NULL, path, found) : 0;

	return !err ? 1 : err == -ENOENT ? 0 : err;
}

int vfcap_root_has_dir(const struct vfcap_root *root, const char *path)
{
	cleanup_close int fd = root->archive ? -1 : vfcap_root_openat(root, path, O_PATH);
	int found = root->archive ? find(root, NULL, path) : fd;
	struct stat st;

	if (fd >= 0 && fstat(fd, &st))
		found = -errno;
	if (found < 0) {
		found = vfcap_root_outcome(root, NULL, path, found);
		return found == -ENOENT ? 0 : found;
	}
	return root->archive ? vfcap_archive_is_dir(root->archive, (uint32_t)found) :
			       S_ISDIR(st.st_mode);
}

/* ------------------------------------------------------------------------------------- links -- */

/* name "": fd itself, of which the kernel says ENOENT when it is no link. */
static ssize_t read_link(int fd, const char *name, char *buf, size_t size)
{
	ssize_t n = readlinkat(fd, name, buf, size);

	if (n < 0)
		return errno == (*name ? EINVAL : ENOENT) ? -ENOLINK : -errno;
	return n;
}

static ssize_t copy_link(const struct vfcap_root *root, const struct vfcap_dir *dir,
			 const char *path, char *buf, size_t size)
{
	int node =
		vfcap_archive_find(root->archive, dir ? dir->node : VFCAP_ARCHIVE_TOP, path, true);
	const char *text;
	ssize_t n = node < 0 ? node : vfcap_archive_link(root->archive, (uint32_t)node, &text);

	n = n > (ssize_t)size ? (ssize_t)size : n;
	if (n > 0)
		memcpy(buf, text, (size_t)n);
	return n == -EINVAL ? -ENOLINK : n;
}

static ssize_t link_outcome(const struct vfcap_root *root, const struct vfcap_dir *dir,
			    const char *path, char *buf, size_t size, ssize_t n)
{
	if (n == (ssize_t)size)
		n = -ENAMETOOLONG;
	if (n < 0)
		return vfcap_root_outcome(root, dir, path, (int)n);
	buf[n] = '\0';
	return n;
}

ssize_t vfcap_dir_read_link(const struct vfcap_dir *dir, const char *name, char *buf, size_t size)
{
	ssize_t n = dir->root->archive ? copy_link(dir->root, dir, name, buf, size) :
					 read_link(dir->fd, name, buf, size);

	return link_outcome(dir->root, dir, name, buf, size, n);
}

ssize_t vfcap_root_read_link(const struct vfcap_root *root, const char *path, char *buf,
			     size_t size)
{
	cleanup_close int fd =
		root->archive ? -1 : vfcap_root_openat(root, path, O_PATH | O_NOFOLLOW);
	ssize_t n = root->archive ? copy_link(root, NULL, path, buf, size) :
		    fd < 0	  ? fd :
				    read_link(fd, "", buf, size);

	return link_outcome(root, NULL, path, buf, size, n);
}

static ssize_t link_name(const struct vfcap_root *root, const struct vfcap_dir *dir,
			 const char *path, char *buf, size_t size)
{
	char text[PATH_MAX], *slash;
	ssize_t n = dir ? vfcap_dir_read_link(dir, path, text, sizeof(text)) :
			  vfcap_root_read_link(root, path, text, sizeof(text));
	const char *name;

	buf[0] = '\0';
	if (n < 0)
		return n;
	slash = strrchr(text, '/');
	name = slash ? slash + 1 : text;
	if (strlen(name) >= size)
		return vfcap_root_outcome(root, dir, path, -EFBIG);
	strcpy(buf, name);
	return (ssize_t)strlen(name);
}

ssize_t vfcap_dir_read_link_name(const struct vfcap_dir *dir, const char *name, char *buf,
				 size_t size)
{
	return link_name(dir->root, dir, name, buf, size);
}

ssize_t vfcap_root_read_link_name(const struct vfcap_root *root, const char *path, char *buf,
				  size_t size)
{
	return link_name(root, NULL, path, buf, size);
}

/* -------------------------------------------------------------------------------- directories -- */

static int open_archived(struct vfcap_dir *dir, const struct vfcap_root *root, const char *path)
{
	int node = find(root, NULL, path);

	if (node < 0)
		return node;
	dir->node = (uint32_t)node;
	return vfcap_archive_is_dir(root->archive, dir->node) ? 0 : -ENOTDIR;
}

int vfcap_dir_open(struct vfcap_dir *dir, const struct vfcap_root *root, const char *path)
{
	int err;

	path += strspn(path, "/");
	*dir = (struct vfcap_dir)VFCAP_DIR_NONE;
	snprintf(dir->path, sizeof(dir->path), "%s", path);
	path = *path ? path : ".";
	if (root->archive)
		err = open_archived(dir, root, path);
	else
		err = dir->fd = vfcap_root_openat(root, path, O_PATH | O_DIRECTORY);
	dir->root = err < 0 ? NULL : root;
	return err < 0 ? vfcap_root_outcome(root, NULL, path, err) : 0;
}

static int stat_archived(const struct vfcap_root *root, uint32_t from, const char *path,
			 struct stat *st)
{
	int node = vfcap_archive_find(root->archive, from, path, true);

	if (node >= 0)
		vfcap_archive_stat(root->archive, (uint32_t)node, st);
	return node;
}

int vfcap_dir_open_itself(struct vfcap_dir *dir, const struct vfcap_root *root, const char *path,
			  struct stat *st)
{
	cleanup_close int fd = -1;
	int found;

	*dir = (struct vfcap_dir)VFCAP_DIR_NONE;
	path += strspn(path, "/");
	if (root->archive)
		found = stat_archived(root, VFCAP_ARCHIVE_TOP, path, st);
	else
		found = fd = vfcap_root_openat(root, path, O_PATH | O_NOFOLLOW);
	if (fd >= 0 && fstat(fd, st))
		found = -errno;
	if (found < 0)
		return vfcap_root_outcome(root, NULL, path, found);
	if (!S_ISDIR(st->st_mode))
		return -ENOTDIR;
	*dir = (struct vfcap_dir){ .root = root, .fd = fd };
	dir->node = root->archive ? (uint32_t)found : VFCAP_ARCHIVE_TOP;
	snprintf(dir->path, sizeof(dir->path), "%s", path);
	fd = -1;
	return 0;
}

int vfcap_dir_stat(const struct vfcap_dir *dir, const char *name, struct stat *st)
{
	int found;

	if (dir->root->archive)
		found = stat_archived(dir->root, dir->node, name, st);
	else
		found = fstatat(dir->fd, name, st, AT_SYMLINK_NOFOLLOW) ? -errno : 0;
	return found < 0 ? vfcap_root_outcome(dir->root, dir, name, found) : 0;
}

void vfcap_dir_close(struct vfcap_dir *dir)
{
	vfcap_cleanup_close(&dir->fd);
	*dir = (struct vfcap_dir)VFCAP_DIR_NONE;
}

static void cleanup_closedir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

static int add_name(struct vfcap_names *names, const char *name)
{
	char **more = vfcap_more(names->name, names->n, sizeof(*more));

	if (!more)
		return -ENOMEM;
	names->name = more;
	more[names->n] = strdup(name);
	return more[names->n] ? (names->n++, 0) : -ENOMEM;
}

/* Takes fd over. */
static int list_fd(int fd, struct vfcap_names *names)
{
	VFCAP_CLEANUP(cleanup_closedir) DIR *stream = fdopendir(fd);
	struct dirent *e;
	int err = 0;

	if (!stream) {
		err = -errno;
		close(fd);
	}
	while (!err) {
		errno = 0;
		e = readdir(stream);
		if (!e)
			return -errno;
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			err = add_name(names, e->d_name);
	}
	return err;
}

static int list_archived(const struct vfcap_root *root, uint32_t node, struct vfcap_names *names)
{
	int err = 0;

	for (node = vfcap_archive_first(root->archive, node); node && !err;
	     node = vfcap_archive_next(root->archive, node))
		err = add_name(names, vfcap_archive_name(root->archive, node));
	return err;
}

static int list_outcome(const struct vfcap_root *root, const struct vfcap_dir *dir,
			const char *path, struct vfcap_names *names, int err)
{
	if (!err)
		return 0;
	vfcap_names_free(names);
	return vfcap_root_outcome(root, dir, path, err);
}

int vfcap_dir_list(const struct vfcap_dir *dir, struct vfcap_names *names)
{
	int fd, err;

	*names = (struct vfcap_names){ 0 };
	if (dir->root->archive) {
		err = list_archived(dir->root, dir->node, names);
	} else {
		fd = openat(dir->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		err = fd < 0 ? -errno : list_fd(fd, names);
	}
	return list_outcome(dir->root, dir, "", names, err);
}

int vfcap_root_list(const struct vfcap_root *root, const char *path, struct vfcap_names *names)
{
	struct vfcap_dir dir = VFCAP_DIR_NONE;
	int fd, err;

	*names = (struct vfcap_names){ 0 };
	if (root->archive) {
		err = open_archived(&dir, root, path);
		err = err ? err : list_archived(root, dir.node, names);
	} else {
		fd = vfcap_root_openat(root, path, O_RDONLY | O_DIRECTORY);
		err = fd < 0 ? fd : list_fd(fd, names);
	}
	return list_outcome(root, NULL, path, names, err);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void vfcap_names_sort(struct vfcap_names *names)
{
	if (names->n)
		qsort(names->name, names->n, sizeof(*names->name), by_name);
}

void vfcap_names_free(struct vfcap_names *names)
{
	for (size_t i = 0; i < names->n; i++)
		free(names->name[i]);
	free(names->name);
	*names = (struct vfcap_names){ 0 };
}
