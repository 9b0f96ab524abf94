// SPDX-License-Identifier: GPL-2.0-or-later
/* gzip: unpacking a whole file in memory, and packing a stream. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "util.h"

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
