// SPDX-License-Identifier: GPL-2.0-or-later
/* What is kept over reboots: /etc/vfcap.d under the root. It is as good as root's word, so nobody else may have written
 * it. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "change.h"

#define STORED "/etc/vfcap.d"
#define FILE_MOST (64u << 20) /* no description is larger */

/* Why a file or directory cannot be trusted; NULL: it can. One who reads a captured host has captured it. */
static const char *distrust(const struct stat *st)
{
	if (st->st_uid != 0 && st->st_uid != geteuid())
		return "does not belong to root: chown root";
	return st->st_mode & 022 ? "others than root may write it: chmod go-w" : NULL;
}

static int fail_dir(struct vfcap_host *h, int err)
{
	return vfcap_host_fail(h, err, STORED ": %s",
			       err == -ELOOP || err == -ENOTDIR ? "no directory" :
								  vfcap_strerror(err));
}

static int check_dir(struct vfcap_host *h, const struct stat *st)
{
	const char *why = distrust(st);

	return why ? vfcap_host_fail(h, -EPERM, STORED ": %s", why) : 0;
}

/* ---------------------------------------------------------------------------------------- reading -- */

/* What is wrong with one file keeps no other from being read. */
static int cannot_take(struct vfcap_stored *file, int err, const char *why)
{
	file->err = err;
	free(file->text);
	file->text = NULL;
	file->len = 0;
	if (asprintf(&file->error, "%s: %s", file->name, why) >= 0)
		return 0;
	file->error = NULL;
	return -ENOMEM;
}

static int load_file(const struct vfcap_dir *dir, const char *name, struct vfcap_stored *file)
{
	const char *why = NULL;
	struct stat st;
	int err = vfcap_dir_stat(dir, name, &st);

	if (!err && !S_ISREG(st.st_mode))
		why = "no regular file: it has to be one itself";
	else if (!err)
		why = distrust(&st);
	if (why)
		return cannot_take(file, -EPERM, why);
	if (!err && st.st_size > FILE_MOST)
		err = -EFBIG;
	if (!err)
		err = vfcap_dir_load(dir, name, FILE_MOST, &file->text, &file->len);
	if (err == -EFBIG)
		return cannot_take(file, -EPERM, "too large: no description has more than 64 MiB");
	return err ? cannot_take(file, err, vfcap_strerror(err)) : 0;
}

/* 0, also of one that cannot be taken, or -ENOMEM. An error that the reader keeps is told with its file. */
static int read_file(const struct vfcap_dir *dir, const char *name, struct vfcap_stored *file)
{
	const char *what;
	bool before = vfcap_root_failure(dir->root, &what);
	int err;

	*file = (struct vfcap_stored){ 0 };
	if (asprintf(&file->name, STORED "/%s", name) < 0) {
		file->name = NULL;
		return -ENOMEM;
	}
	err = load_file(dir, name, file);
	if (file->err && !before)
		vfcap_root_forget_failure(dir->root);
	return err;
}

static void free_file(struct vfcap_stored *file)
{
	free(file->name);
	free(file->text);
	free(file->error);
	*file = (struct vfcap_stored){ 0 };
}

/* Hidden ones are others' business, editors' for instance. */
static bool is_description(const char *name)
{
	size_t len = strlen(name);

	return name[0] != '.' && len > 5 && strcmp(name + len - 5, ".json") == 0;
}

static int read_files(struct vfcap_host *h, const struct vfcap_dir *dir,
		      struct vfcap_stored **files, size_t *n)
{
	cleanup_names struct vfcap_names names;
	int err = vfcap_dir_list(dir, &names);

	if (err)
		return fail_dir(h, err);
	vfcap_names_sort(&names);
	*files = calloc(names.n + 1, sizeof(**files));
	if (!*files)
		return vfcap_host_fail(h, -ENOMEM, "%s", strerror(ENOMEM));
	for (size_t i = 0; i < names.n && !err; i++) {
		if (!is_description(names.name[i]))
			continue;
		err = read_file(dir, names.name[i], &(*files)[*n]);
		if ((*files)[*n].err == -ENOENT)
			free_file(&(*files)[*n]); /* it went meanwhile */
		else
			(*n)++;
	}
	return err ? vfcap_host_fail(h, err, "%s", vfcap_strerror(err)) : 0;
}

int vfcap_stored_read(struct vfcap_host *h, struct vfcap_stored **files, size_t *n)
{
	cleanup_dir struct vfcap_dir dir = VFCAP_DIR_NONE;
	struct stat st;
	int err = h->root ? vfcap_dir_open_itself(&dir, h->root, STORED, &st) : -ENOENT;

	*files = NULL;
	*n = 0;
	if (err)
		return err == -ENOENT ? 0 : fail_dir(h, err);
	err = check_dir(h, &st);
	if (!err)
		err = read_files(h, &dir, files, n);
	if (err) {
		vfcap_stored_free(*files, *n);
		*files = NULL;
		*n = 0;
	}
	return err;
}

void vfcap_stored_free(struct vfcap_stored *files, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free_file(&files[i]);
	free(files);
}

/* ---------------------------------------------------------------------------------------- writing -- */

static int cannot_write(struct vfcap_function *pf, const char *name, int err)
{
	if (err == -EEXIST)
		return vfcap_host_fail(pf->host, err,
				       STORED "/%s.new: is in the way; look at it, then remove it",
				       name);
	return err ? vfcap_host_fail(pf->host, err, STORED "/%s: %s", name, vfcap_strerror(err)) :
		     0;
}

/* The directory, made where it is not there: a descriptor. */
static int open_dir_fd(struct vfcap_host *h)
{
	int fd = vfcap_root_make_dir(h->root, "etc", "vfcap.d", 0755), err;
	struct stat st;

	if (fd < 0)
		return fail_dir(h, fd);
	err = fstat(fd, &st) ? fail_dir(h, -errno) : check_dir(h, &st);
	if (!err)
		return fd;
	close(fd);
	return err;
}

/* By writing something there. */
int vfcap_stored_try(struct vfcap_function *pf)
{
	const struct vfcap_ops *ops = pf->host->ops;
	cleanup_close int dir = open_dir_fd(pf->host);
	int err, dropped;

	if (dir < 0)
		return dir;
	err = ops->save(pf->host, dir, ".try", "");
	dropped =
		ops->drop(pf->host, dir,
			  ".try"); /* it may be there although it is not known to be on the disk */
	err = err ? err : dropped;
	return cannot_write(pf, ".try", err);
}

int vfcap_stored_write(struct vfcap_function *pf, const char *text)
{
	const struct vfcap_ops *ops = pf->host->ops;
	cleanup_close int dir = open_dir_fd(pf->host);
	char name[VFCAP_ADDRESS_LEN + 8];
	int err;

	if (dir < 0)
		return dir;
	snprintf(name, sizeof(name), "%s.json", pf->name);
	err = text ? ops->save(pf->host, dir, name, text) : ops->drop(pf->host, dir, name);
	return cannot_write(pf, name, err);
}
