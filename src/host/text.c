// SPDX-License-Identifier: GPL-2.0-or-later
/* Text files of the kernel, as they are, or packed as /proc/config.gz is. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "host.h"

#define MOST (16 << 20) /* bytes unpacked: a configuration has 300,000 */

struct packed {
	gzFile file;
	size_t left;
};

static ssize_t read_packed(void *cookie, char *buf, size_t size)
{
	struct packed *p = cookie;
	int n, err = Z_OK;

	if (!p->left) {
		errno = EFBIG;
		return -1;
	}
	n = gzread(p->file, buf, (unsigned int)(size < p->left ? size : p->left));
	if (n <= 0)
		gzerror(p->file, &err);
	if (n < 0 || err != Z_OK) { /* one that is cut off, too */
		errno = EIO;
		return -1;
	}
	p->left -= (size_t)n;
	return n;
}

static int close_packed(void *cookie)
{
	struct packed *p = cookie;

	gzclose(p->file);
	free(p);
	return 0;
}

static FILE *unpack(int fd)
{
	static const cookie_io_functions_t functions = { .read = read_packed,
							 .close = close_packed };
	struct packed *p = calloc(1, sizeof(*p));
	FILE *file = NULL;

	if (p) {
		p->left = MOST;
		p->file = gzdopen(fd, "r");
	}
	if (p && p->file)
		file = fopencookie(p, "r", functions);
	if (file)
		return file;
	if (p && p->file)
		gzclose(p->file);
	else
		close(fd);
	free(p);
	return NULL;
}

FILE *vfcap_text_of(int fd, const char *path)
{
	size_t len = strlen(path);
	FILE *file;

	if (fd < 0)
		return NULL;
	if (len > 3 && strcmp(path + len - 3, ".gz") == 0)
		return unpack(fd);
	file = fdopen(fd, "r");
	if (!file)
		close(fd);
	return file;
}

FILE *vfcap_text_open(const struct vfcap_root *root, const char *path)
{
	return vfcap_text_of(vfcap_root_openat(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY), path);
}
