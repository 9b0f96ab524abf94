// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A captured host that is one file: unpacked into a directory of our own, which goes with the root. What
 * comes with a bug report may be anything, so the names in it are taken apart here, no link is followed
 * while writing, and there is a limit to everything.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture.h"
#include "host.h"
#include "tar.h"

#define FILE_MOST (4u << 20) /* bytes of one file */
#define ALL_MOST (512u << 20) /* of all of them */
#define NAME_MOST 1000 /* of a path in it: removing it names the directory too */
#define ENTRIES_MOST 2000000u /* hosts have some 20 for each function */

struct unpacking {
	struct vfcap_host *host;
	const char *name; /* for messages */
	struct vfcap_tar_in tar;
	struct vfcap_tar_entry entry;
	int top;
	int dir; /* where the last entry went, -1 */
	char dir_path[VFCAP_TAR_PATH]; /* of it */
	uint64_t entries, bytes;
};

static int bad(struct unpacking *u, const char *why)
{
	return vfcap_host_fail(u->host, -EBADMSG, "%s: not a capture of vfcap: %s", u->name, why);
}

static int failed(struct unpacking *u, int err, const char *what)
{
	return vfcap_host_fail(u->host, err, "%s: %s: %s", u->name, what, strerror(-err));
}

/* -------------------------------------------------------------------------------------- names -- */

/* A name that stays below where it starts, without a leading "./" and a trailing slash; NULL: it is none. */
static char *clean(char *path)
{
	size_t len;

	while (path[0] == '.' && path[1] == '/')
		path += 2;
	len = strlen(path);
	while (len && path[len - 1] == '/')
		path[--len] = '\0';
	if (strcmp(path, ".") == 0)
		path[0] = '\0';
	for (const char *s = path; *s;) {
		size_t n = strcspn(s, "/");

		if (!n || (n == 1 && s[0] == '.') || (n == 2 && s[0] == '.' && s[1] == '.'))
			return NULL;
		s += n + (s[n] == '/');
	}
	return path;
}

/* Goes one directory down, which is made if need be; a link is none. Takes dir over. */
static int enter(int dir, const char *name)
{
	int next = -1, err = 0;

	if (mkdirat(dir, name, 0700) && errno != EEXIST)
		err = -errno;
	if (!err) {
		next = openat(dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		err = next < 0 ? -errno : 0;
	}
	close(dir);
	return err ? err : next;
}

/* Entries come directory by directory, so the last one stays open. */
static int go_to(struct unpacking *u, const char *path, size_t len)
{
	char name[VFCAP_TAR_PATH], *rest = name, *part;

	if (u->dir >= 0 && strlen(u->dir_path) == len && memcmp(u->dir_path, path, len) == 0)
		return 0;
	vfcap_cleanup_close(&u->dir);
	memcpy(name, path, len);
	name[len] = '\0';
	memcpy(u->dir_path, name, len + 1);
	u->dir = fcntl(u->top, F_DUPFD_CLOEXEC, 0);
	if (u->dir < 0)
		return -errno;
	while (len && u->dir >= 0 && (part = strsep(&rest, "/")))
		u->dir = enter(u->dir, part);
	return u->dir < 0 ? u->dir : 0;
}

/* ------------------------------------------------------------------------------------ entries -- */

static int write_file(struct unpacking *u, const char *name)
{
	cleanup_close int fd =
		openat(u->dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	char buf[16384];
	long n;

	if (fd < 0)
		return -errno;
	while ((n = vfcap_tar_read(&u->tar, buf, sizeof(buf))) > 0) {
		ssize_t done = TEMP_FAILURE_RETRY(write(fd, buf, (size_t)n));

		if (done != n)
			return done < 0 ? -errno : -ENOSPC;
	}
	return (int)n;
}

static int write_entry(struct unpacking *u, const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	int err;

	if (u->entry.type == VFCAP_TAR_DIR)
		return go_to(u, path, strlen(path));
	err = go_to(u, path, slash ? (size_t)(slash - path) : 0);
	if (err)
		return err;
	if (u->entry.type == VFCAP_TAR_FILE)
		return write_file(u, name);
	if (!u->entry.target[0])
		return -EBADMSG;
	return symlinkat(u->entry.target, u->dir, name) ? -errno : 0;
}

static int take_entry(struct unpacking *u)
{
	char *path = clean(u->entry.path);
	int err;

	if (!path)
		return bad(u, "a name in it leads elsewhere");
	if (strlen(path) > NAME_MOST)
		return bad(u, "a name in it is too long");
	u->bytes += u->entry.type == VFCAP_TAR_FILE ? u->entry.size : 0;
	if (++u->entries > ENTRIES_MOST || u->bytes > ALL_MOST || u->entry.size > FILE_MOST)
		return bad(u, "it is too large");
	if (!*path)
		return 0;
	err = write_entry(u, path);
	if (err == -EEXIST)
		return bad(u, "a name is in it twice");
	if (err == -ENOTDIR || err == -ELOOP)
		return bad(u, "a name in it leads through what is no directory");
	if (err == -EBADMSG)
		return bad(u, u->tar.why ? u->tar.why : "a link in it leads nowhere");
	return err ? failed(u, err, "cannot be unpacked") : 0;
}

/* The first thing in it says what it is; a later vfcap may write others. */
static int check_mark(struct unpacking *u)
{
	cleanup_close int fd =
		openat(u->top, VFCAP_CAPTURE_MARK, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	char line[sizeof(VFCAP_CAPTURE_HEAD)] = "";

	if (fd < 0)
		return bad(u, "it does not say so");
	if (read(fd, line, sizeof(line) - 1) != sizeof(line) - 1 ||
	    memcmp(line, VFCAP_CAPTURE_HEAD, sizeof(line) - 1))
		return bad(u, "it is of another version");
	return 0;
}

static int unpack(struct unpacking *u)
{
	int ret, err = 0;

	do {
		ret = vfcap_tar_next(&u->tar, &u->entry);
		if (ret == -EBADMSG)
			err = bad(u, u->tar.why);
		else if (ret < 0)
			err = failed(u, ret, "cannot be read");
		else if (ret)
			err = take_entry(u);
	} while (ret > 0 && !err);
	vfcap_cleanup_close(&u->dir);
	return err ? err : check_mark(u);
}

/* ------------------------------------------------------------------------------------ scratch -- */

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	remove(path);
	return 0;
}

void vfcap_scratch_remove(const char *dir)
{
	nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static int open_archive(struct unpacking *u, const char *file)
{
	static const struct {
		uint8_t magic[4];
		uint8_t len;
		const char *tool;
	} packed[] = {
		{ { 0x1f, 0x8b }, 2, "gunzip" },
		{ { 0xfd, '7', 'z', 'X' }, 4, "unxz" },
		{ { 0x28, 0xb5, 0x2f, 0xfd }, 4, "unzstd" },
	};
	uint8_t block[VFCAP_TAR_BLOCK];
	int fd = open(file, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return vfcap_host_fail(u->host, -errno, "%s: %s", file, strerror(errno));
	n = pread(fd, block, sizeof(block), 0);
	for (size_t i = 0; n >= 4 && i < sizeof(packed) / sizeof(packed[0]); i++)
		if (memcmp(block, packed[i].magic, packed[i].len) == 0) {
			close(fd);
			return vfcap_host_fail(
				u->host, -EBADMSG,
				"%s: compressed: %s it first, and take what comes of it", file,
				packed[i].tool);
		}
	if (n == sizeof(block) && vfcap_tar_is_header(block))
		return fd;
	close(fd);
	return bad(u, "neither a directory nor an archive");
}

int vfcap_unpack(struct vfcap_host *h, const char *file, const char *tmp, char **dir)
{
	cleanup_free struct unpacking *u = calloc(1, sizeof(*u));
	cleanup_close int fd = -1;
	cleanup_close int top = -1;
	int err;

	*dir = NULL;
	if (!u || asprintf(dir, "%s/vfcap-XXXXXX", tmp) < 0) {
		*dir = NULL;
		return vfcap_host_fail(h, -ENOMEM, "%s: %s", file, strerror(ENOMEM));
	}
	u->host = h;
	u->name = file;
	u->dir = -1;
	fd = open_archive(u, file);
	err = fd < 0 ? fd : 0;
	if (!err && !mkdtemp(*dir))
		err = vfcap_host_fail(h, -errno, "%s: %s: it cannot be unpacked there: %s", file,
				      tmp, strerror(errno));
	if (err) {
		free(*dir);
		*dir = NULL;
		return err;
	}
	vfcap_tar_open(&u->tar, fd);
	top = u->top = open(*dir, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	err = top < 0 ? failed(u, -errno, *dir) : unpack(u);
	if (err) {
		vfcap_scratch_remove(*dir);
		free(*dir);
		*dir = NULL;
	}
	return err;
}

bool vfcap_is_capture(const char *file)
{
	cleanup_close int fd = open(file, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	uint8_t block[VFCAP_TAR_BLOCK];

	return fd >= 0 && pread(fd, block, sizeof(block), 0) == sizeof(block) &&
	       vfcap_tar_is_header(block);
}
