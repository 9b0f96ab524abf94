// SPDX-License-Identifier: GPL-2.0-or-later
#include "tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK 65536

void die(const char *fmt, ...)
{
	va_list ap;

	fputs("faults: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(2);
}

#define NAME(path)                                                       \
	do {                                                             \
		va_list ap_;                                             \
		va_start(ap_, fmt);                                      \
		if (vsnprintf(path, sizeof(path), fmt, ap_) >= PATH_MAX) \
			die("%s: too long", path);                       \
		va_end(ap_);                                             \
	} while (0)

/* ------------------------------------------------------------------------------------ all of it -- */

/* The names in a directory but "." and "..", sorted; the caller frees them. */
static int list(int dir, struct dirent ***names)
{
	int n = scandirat(dir, ".", names, NULL, alphasort);

	if (n < 0)
		die("readdir: %s", strerror(errno));
	return n;
}

static bool is_dots(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static int open_at(int dir, const char *name, int flags)
{
	int fd = openat(dir, name, flags | O_NOFOLLOW | O_CLOEXEC, 0644);

	if (fd < 0)
		die("%s: %s", name, strerror(errno));
	return fd;
}

static ssize_t link_text(int dir, const char *name, char text[PATH_MAX])
{
	ssize_t n = readlinkat(dir, name, text, PATH_MAX - 1);

	text[n > 0 ? n : 0] = '\0';
	return n;
}

static void copy_file(int from, int to, const char *name)
{
	char buf[BLOCK];
	int in = open_at(from, name, O_RDONLY),
	    out = open_at(to, name, O_WRONLY | O_CREAT | O_EXCL);
	ssize_t n;

	while ((n = read(in, buf, sizeof(buf))) > 0)
		if (write(out, buf, (size_t)n) != n)
			die("%s: %s", name, strerror(errno));
	close(in);
	close(out);
}

static void copy_dir(int from, int to)
{
	char text[PATH_MAX];
	struct dirent **names;
	int n = list(from, &names), in, out;

	for (int i = 0; i < n; i++) {
		const char *name = names[i]->d_name;

		if (names[i]->d_type == DT_LNK) {
			if (link_text(from, name, text) < 0 || symlinkat(text, to, name))
				die("%s: %s", name, strerror(errno));
		} else if (names[i]->d_type == DT_DIR && !is_dots(name)) {
			struct stat st;

			in = open_at(from, name, O_RDONLY | O_DIRECTORY);
			if (fstat(in, &st) || mkdirat(to, name, st.st_mode & 0777))
				die("%s: %s", name, strerror(errno));
			out = open_at(to, name, O_RDONLY | O_DIRECTORY);
			copy_dir(in, out);
			close(in);
			close(out);
		} else if (names[i]->d_type == DT_REG) {
			copy_file(from, to, name);
		}
		free(names[i]);
	}
	free(names);
}

void tree_copy(const char *from, const char *to)
{
	int in = open_at(AT_FDCWD, from, O_RDONLY | O_DIRECTORY), out;

	if (mkdir(to, 0755))
		die("%s: %s", to, strerror(errno));
	out = open_at(AT_FDCWD, to, O_RDONLY | O_DIRECTORY);
	copy_dir(in, out);
	close(in);
	close(out);
}

static void empty_dir(int dir)
{
	struct dirent **names;
	int n = list(dir, &names);

	for (int i = 0; i < n; i++) {
		if (!is_dots(names[i]->d_name))
			tree_remove(dir, "%s", names[i]->d_name);
		free(names[i]);
	}
	free(names);
}

void tree_remove(int dir, const char *fmt, ...)
{
	char path[PATH_MAX];
	int fd;

	NAME(path);
	if (unlinkat(dir, path, 0) == 0 || errno == ENOENT)
		return;
	if (errno != EISDIR && errno != EPERM)
		die("%s: %s", path, strerror(errno));
	fd = open_at(dir, path, O_RDONLY | O_DIRECTORY);
	empty_dir(fd);
	close(fd);
	if (unlinkat(dir, path, AT_REMOVEDIR))
		die("%s: %s", path, strerror(errno));
}

static uint64_t fnv(uint64_t hash, const void *data, size_t len)
{
	for (const unsigned char *p = data; len--; p++)
		hash = (hash ^ *p) * 0x100000001b3;
	return hash;
}

static uint64_t digest_file(uint64_t hash, int dir, const char *name)
{
	unsigned char buf[BLOCK];
	int fd = open_at(dir, name, O_RDONLY);
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) > 0)
		hash = fnv(hash, buf, (size_t)n);
	close(fd);
	return hash;
}

static uint64_t digest_dir(uint64_t hash, int dir)
{
	char text[PATH_MAX];
	struct dirent **names;
	int n = list(dir, &names), fd;

	for (int i = 0; i < n; i++) {
		const char *name = names[i]->d_name;

		if (!is_dots(name)) {
			hash = fnv(hash, name, strlen(name) + 1);
			hash = fnv(hash, &names[i]->d_type, 1);
		}
		if (names[i]->d_type == DT_LNK && link_text(dir, name, text) >= 0) {
			hash = fnv(hash, text, strlen(text) + 1);
		} else if (names[i]->d_type == DT_REG) {
			hash = digest_file(hash, dir, name);
		} else if (names[i]->d_type == DT_DIR && !is_dots(name)) {
			fd = open_at(dir, name, O_RDONLY | O_DIRECTORY);
			hash = digest_dir(hash, fd);
			close(fd);
		}
		free(names[i]);
	}
	free(names);
	return fnv(hash, "", 1);
}

uint64_t tree_digest(const char *path)
{
	int dir = open_at(AT_FDCWD, path, O_RDONLY | O_DIRECTORY);
	uint64_t hash = digest_dir(0xcbf29ce484222325, dir);

	close(dir);
	return hash;
}

/* ------------------------------------------------------------------------------------ one thing -- */

bool tree_has(int dir, const char *fmt, ...)
{
	char path[PATH_MAX];

	NAME(path);
	return faccessat(dir, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

void tree_mkdir(int dir, const char *fmt, ...)
{
	char path[PATH_MAX];

	NAME(path);
	if (mkdirat(dir, path, 0755) && errno != EEXIST)
		die("%s: %s", path, strerror(errno));
}

/* Whoever reads it meanwhile gets the old text or the new one, as of an attribute of sysfs. */
static void put(int dir, const char *path, const void *data, size_t len)
{
	const char *slash = strrchr(path, '/');
	char new[PATH_MAX];
	int fd;

	snprintf(new, sizeof(new), "%.*s.new", slash ? (int)(slash + 1 - path) : 0, path);
	fd = open_at(dir, new, O_WRONLY | O_CREAT | O_TRUNC);
	if (write(fd, data, len) != (ssize_t)len || renameat(dir, new, dir, path))
		die("%s: %s", path, strerror(errno));
	close(fd);
}

void tree_put(const char *text, int dir, const char *fmt, ...)
{
	char path[PATH_MAX];

	NAME(path);
	put(dir, path, text, strlen(text));
}

void tree_put_bytes(const void *data, size_t len, int dir, const char *fmt, ...)
{
	char path[PATH_MAX];

	NAME(path);
	put(dir, path, data, len);
}

void tree_get(char *buf, size_t size, int dir, const char *fmt, ...)
{
	char path[PATH_MAX];
	ssize_t n;
	int fd;

	NAME(path);
	fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? 0 : read(fd, buf, size - 1);
	if (fd >= 0)
		close(fd);
	buf[n > 0 ? n : 0] = '\0';
	n = (ssize_t)strlen(buf);
	if (n && buf[n - 1] == '\n')
		buf[n - 1] = '\0';
}

void tree_link(const char *target, int dir, const char *fmt, ...)
{
	char path[PATH_MAX];

	NAME(path);
	if (symlinkat(target, dir, path))
		die("%s: %s", path, strerror(errno));
}

void tree_link_name(char *buf, size_t size, int dir, const char *fmt, ...)
{
	char path[PATH_MAX], text[PATH_MAX];
	const char *slash;

	NAME(path);
	buf[0] = '\0';
	if (link_text(dir, path, text) <= 0)
		return;
	slash = strrchr(text, '/');
	snprintf(buf, size, "%s", slash ? slash + 1 : text);
}

void tree_move(int dir, const char *from, const char *to)
{
	if (renameat(dir, from, dir, to))
		die("%s: %s", from, strerror(errno));
}
