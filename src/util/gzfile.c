// SPDX-License-Identifier: GPL-2.0-or-later
/* Text files of the kernel, as they are, or packed as /proc/config.gz is. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
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

bool vfcap_is_gzip(const void *data, size_t size)
{
	return size >= 2 && memcmp(data, "\x1f\x8b", 2) == 0;
}

/* Several packed files in a row are one, as for gunzip(1); what else follows is no part of it. */
static int unpack_more(z_stream *z)
{
	int ret = inflate(z, Z_NO_FLUSH);

	if (ret == Z_STREAM_END && vfcap_is_gzip(z->next_in, z->avail_in))
		ret = inflateReset(z);
	return ret;
}

/* What grows is what was unpacked: a few bytes can claim to be very many. */
static int unpack_all(z_stream *z, size_t most, char **out, size_t *len)
{
	size_t room = 0, first = 4 * (size_t)z->avail_in + 4096;
	int ret = Z_OK;

	while (ret == Z_OK && *len <= most) {
		char *more;

		room = room ? 2 * room : first;
		room = room < most + 2 ? room : most + 2;
		more = realloc(*out, room);
		if (!more)
			return -ENOMEM;
		*out = more;
		do {
			size_t left = room - *len - 1;

			z->next_out = (Bytef *)more + *len;
			z->avail_out = left < UINT_MAX ? (uInt)left : UINT_MAX;
			ret = unpack_more(z);
			*len = (size_t)((char *)z->next_out - more);
		} while (ret == Z_OK && *len < room - 1);
		more[*len] = '\0';
	}
	if (*len > most)
		return -EFBIG;
	return ret == Z_STREAM_END ? 0 : ret == Z_MEM_ERROR ? -ENOMEM : -EBADMSG;
}

int vfcap_gunzip(const void *data, size_t size, size_t most, char **out, size_t *len)
{
	z_stream z = { .next_in = (Bytef *)(uintptr_t)data, .avail_in = (uInt)size };
	int err;

	*out = NULL;
	*len = 0;
	if (size > UINT_MAX)
		return -EFBIG;
	if (inflateInit2(&z, 16 + MAX_WBITS) != Z_OK)
		return -ENOMEM;
	err = unpack_all(&z, most, out, len);
	inflateEnd(&z);
	if (err) {
		free(*out);
		*out = NULL;
	}
	return err;
}

size_t vfcap_gunzip_begin(const void *data, size_t size, void *buf, size_t most)
{
	z_stream z = { .next_in = (Bytef *)(uintptr_t)data,
		       .avail_in = (uInt)size,
		       .next_out = buf,
		       .avail_out = (uInt)most };

	if (inflateInit2(&z, 16 + MAX_WBITS) != Z_OK)
		return 0;
	inflate(&z, Z_SYNC_FLUSH);
	inflateEnd(&z);
	return most - z.avail_out;
}

/* ------------------------------------------------------------------------------------ packing -- */

struct vfcap_gzip {
	z_stream z;
	uint8_t buf[32768];
};

struct vfcap_gzip *vfcap_gzip_new(void)
{
	struct vfcap_gzip *gzip = calloc(1, sizeof(*gzip));

	if (gzip && deflateInit2(&gzip->z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 16 + MAX_WBITS, 8,
				 Z_DEFAULT_STRATEGY) != Z_OK) {
		free(gzip);
		return NULL;
	}
	return gzip;
}

int vfcap_gzip_put(struct vfcap_gzip *gzip, const void *data, size_t len, bool last,
		   int (*write)(void *arg, const void *data, size_t len), void *arg)
{
	z_stream *z = &gzip->z;
	int err;

	z->next_in = (Bytef *)(uintptr_t)data;
	z->avail_in = (uInt)len;
	do {
		z->next_out = gzip->buf;
		z->avail_out = sizeof(gzip->buf);
		deflate(z, last ? Z_FINISH : Z_NO_FLUSH);
		err = write(arg, gzip->buf, sizeof(gzip->buf) - z->avail_out);
	} while (!err && !z->avail_out);
	return err;
}

void vfcap_gzip_free(struct vfcap_gzip *gzip)
{
	if (gzip)
		deflateEnd(&gzip->z);
	free(gzip);
}

/* ------------------------------------------------------------------ until their users are gone -- */

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
