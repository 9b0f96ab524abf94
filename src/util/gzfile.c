// SPDX-License-Identifier: GPL-2.0-or-later
/* Text files of the kernel, as they are, or packed as /proc/config.gz is. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "util.h"

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

int vfcap_gunzip(const void *data, size_t size, size_t most, char **out, size_t *len)
{
	z_stream z = { .next_in = (Bytef *)(uintptr_t)data, .avail_in = (uInt)size };
	size_t room = 0;
	int err = 0, ret = inflateInit2(&z, 16 + MAX_WBITS) == Z_OK ? Z_OK : Z_MEM_ERROR;

	*out = NULL;
	*len = 0;
	while (ret == Z_OK && !err && *len <= most) {
		char *more = realloc(*out, room = room ? 2 * room : 4 * size + 4096);

		if (!more) {
			err = -ENOMEM;
			break;
		}
		*out = more;
		z.next_out = (Bytef *)more + *len;
		z.avail_out = (uInt)(room - *len - 1);
		ret = inflate(&z, Z_NO_FLUSH);
		*len = (size_t)((char *)z.next_out - more);
		more[*len] = '\0';
	}
	inflateEnd(&z);
	if (!err && *len > most)
		err = -EFBIG;
	else if (!err && ret != Z_STREAM_END)
		err = ret == Z_MEM_ERROR ? -ENOMEM : -EBADMSG;
	if (err) {
		free(*out);
		*out = NULL;
	}
	return err;
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
