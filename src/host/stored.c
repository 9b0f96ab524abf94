// SPDX-License-Identifier: GPL-2.0-or-later
/* What is kept over reboots: /etc/vfcap.d under the root. It is as good as root's word, so nobody else may have written
 * it. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "change.h"

#define STORED "/etc/vfcap.d"
#define NAME_ROOM 256
#define FILE_MOST (64 << 20) /* no description is larger */

static void cleanup_closedir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

/* Why a file or directory cannot be trusted; NULL: it can. One who reads a captured host has captured it. */
static const char *distrust(const struct stat *st)
{
	if (st->st_uid != 0 && st->st_uid != geteuid())
		return "does not belong to root: chown root";
	return st->st_mode & 022 ? "others than root may write it: chmod go-w" : NULL;
}

/* -ENOENT: there is none. */
static int open_dir(struct vfcap_host *h)
{
	int fd = vfcap_root_openat(h->root, &STORED[1], O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
	const char *why;
	struct stat st;

	if (fd < 0)
		return fd == -ENOENT ?
			       fd :
			       vfcap_host_fail(h, fd, STORED ": %s",
					       fd == -ELOOP || fd == -ENOTDIR ? "no directory" :
										strerror(-fd));
	why = fstat(fd, &st) ? strerror(errno) : distrust(&st);
	if (!why)
		return fd;
	close(fd);
	return vfcap_host_fail(h, -EPERM, STORED ": %s", why);
}

/* What is wrong with one file keeps no other from being read. */
static int cannot_take(struct vfcap_stored *file, int err, const char *why)
{
	file->err = err;
	file->len = 0;
	if (asprintf(&file->error, "%s: %s", file->name, why) >= 0)
		return 0;
	file->error = NULL;
	return -ENOMEM;
}

static int read_text(int fd, size_t size, struct vfcap_stored *file)
{
	file->text = malloc(size + 1);
	if (!file->text)
		return -ENOMEM;
	while (file->len < size) {
		ssize_t n = TEMP_FAILURE_RETRY(read(fd, file->text + file->len, size - file->len));

		if (n < 0)
			return cannot_take(file, -errno, strerror(errno));
		if (!n)
			break;
		file->len += (size_t)n;
	}
	return 0;
}

/* 0, also of one that cannot be taken, or -ENOMEM. */
static int read_file(int dir, const char *name, struct vfcap_stored *file)
{
	cleanup_close int fd =
		openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	int err = fd < 0 ? errno : 0;
	const char *why = NULL;
	struct stat st;

	if (asprintf(&file->name, STORED "/%s", name) < 0) {
		file->name = NULL;
		return -ENOMEM;
	}
	if (err && err != ELOOP)
		return cannot_take(file, -err, strerror(err));
	if (err || fstat(fd, &st) || !S_ISREG(st.st_mode))
		why = "no regular file: it has to be one itself";
	else
		why = distrust(&st);
	if (!why && st.st_size > FILE_MOST)
		why = "too large: no description has more than 64 MiB";
	return why ? cannot_take(file, -EPERM, why) : read_text(fd, (size_t)st.st_size, file);
}

static int by_name(const void *a, const void *b)
{
	const struct vfcap_stored *x = a, *y = b;

	return strcmp(x->name, y->name);
}

/* Hidden ones are others' business, editors' for instance. */
static bool is_description(const char *name)
{
	size_t len = strlen(name);

	return name[0] != '.' && len > 5 && strcmp(name + len - 5, ".json") == 0;
}

int vfcap_stored_read(struct vfcap_host *h, struct vfcap_stored **files, size_t *n)
{
	VFCAP_CLEANUP(cleanup_closedir) DIR *dir = NULL;
	int fd = h->root ? open_dir(h) : -ENOENT, err = 0;
	struct vfcap_stored *more;
	struct dirent *e;

	*files = NULL;
	*n = 0;
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	dir = fdopendir(fd);
	if (!dir)
		close(fd);
	while (dir && !err && (e = readdir(dir))) {
		if (!is_description(e->d_name))
			continue;
		more = vfcap_more(*files, *n, sizeof(*more));
		if (!more) {
			err = -ENOMEM;
			break;
		}
		*files = more;
		more[*n] = (struct vfcap_stored){ 0 };
		err = read_file(dirfd(dir), e->d_name, &more[(*n)++]);
	}
	if (err) {
		vfcap_stored_free(*files, *n);
		return vfcap_host_fail(h, err, "%s", strerror(-err));
	}
	if (*n)
		qsort(*files, *n, sizeof(**files), by_name);
	return 0;
}

void vfcap_stored_free(struct vfcap_stored *files, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(files[i].name);
		free(files[i].text);
		free(files[i].error);
	}
	free(files);
}

/* ---------------------------------------------------------------------------------------- writing -- */

static int cannot_write(struct vfcap_function *pf, const char *name, int err)
{
	return err ? vfcap_host_fail(pf->host, err, STORED "/%s: %s", name, strerror(-err)) : 0;
}

/* Its directory, made where it is not there. */
static int make_dir(struct vfcap_host *h)
{
	cleanup_close int etc = vfcap_root_openat(h->root, "etc", O_RDONLY | O_DIRECTORY);

	if (etc < 0)
		return vfcap_host_fail(h, etc, "/etc: %s", strerror(-etc));
	if (mkdirat(etc, "vfcap.d", 0755) && errno != EEXIST)
		return vfcap_host_fail(h, -errno, STORED ": %s", strerror(errno));
	return open_dir(h);
}

/* By writing something there. */
int vfcap_stored_try(struct vfcap_function *pf)
{
	const struct vfcap_ops *ops = pf->host->ops;
	cleanup_close int dir = make_dir(pf->host);
	int err;

	if (dir < 0)
		return dir;
	err = ops->save(pf->host, dir, ".try", "");
	if (!err)
		err = ops->drop(pf->host, dir, ".try");
	return cannot_write(pf, ".try", err);
}

int vfcap_stored_write(struct vfcap_function *pf, const char *text)
{
	const struct vfcap_ops *ops = pf->host->ops;
	cleanup_close int dir = make_dir(pf->host);
	char name[VFCAP_ADDRESS_LEN + 8];
	int err;

	if (dir < 0)
		return dir;
	snprintf(name, sizeof(name), "%s.json", pf->name);
	err = text ? ops->save(pf->host, dir, name, text) : ops->drop(pf->host, dir, name);
	return cannot_write(pf, name, err);
}
