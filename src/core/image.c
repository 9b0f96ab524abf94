/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Images of config space: what is known of it, and fetching what is not. */
#include "internal.h"

static bool is_known(const struct vfcap_image *img, unsigned int dword)
{
	return img->known[dword / 32] >> (dword % 32) & 1;
}

static void mark_known(struct vfcap_image *img, unsigned int dword, unsigned int n)
{
	for (; n; dword++, n--)
		img->known[dword / 32] |= 1u << (dword % 32);
}

/* Written so that no sum can wrap, whatever the caller gives. */
static bool is_inside(unsigned int off, unsigned int len)
{
	return off <= VFCAP_CFG_SIZE && len <= VFCAP_CFG_SIZE - off;
}

void vfcap_image_init(struct vfcap_image *img, unsigned int size,
		      int (*fetch)(void *ctx, unsigned int off, unsigned int len, uint8_t *buf),
		      void *ctx)
{
	memset(img, 0, sizeof(*img));
	img->size = (uint16_t)(size > VFCAP_CFG_SIZE ? VFCAP_CFG_SIZE : size);
	img->fetch = fetch;
	img->ctx = ctx;
}

void vfcap_image_from_bytes(struct vfcap_image *img, const uint8_t *bytes, size_t len)
{
	unsigned int n = len > VFCAP_CFG_SIZE ? VFCAP_CFG_SIZE : (unsigned int)len & ~3u;

	vfcap_image_init(img, n <= 64 ? 64 : n <= 256 ? 256 : VFCAP_CFG_SIZE, NULL, NULL);
	if (n)
		memcpy(img->bytes, bytes, n);
	memset(img->known, 0xff, n / 4 / 32 * 4);
	mark_known(img, n / 4 / 32 * 32, n / 4 % 32);
}

/* Asks the source for n dwords of which none is known. */
static bool fetch_run(struct vfcap_image *img, unsigned int dword, unsigned int n)
{
	uint8_t *buf = img->bytes + 4 * dword;
	int got;

	if (!img->fetch)
		return false;

	got = img->fetch(img->ctx, 4 * dword, 4 * n, buf);
	if (got < 0 && !img->error)
		img->error = got;

	got = got < 0 ? 0 : got / 4;
	if ((unsigned int)got > n)
		got = (int)n;
	mark_known(img, dword, (unsigned int)got);
	memset(buf + 4 * got, 0, 4 * (n - (unsigned int)got));
	return (unsigned int)got == n;
}

bool vfcap_image_has(const struct vfcap_image *img, unsigned int off, unsigned int len)
{
	unsigned int dword = off / 4, left, n;
	uint32_t mask;

	if (!is_inside(off, len))
		return false;

	for (left = len ? (off + len + 3) / 4 - dword : 0; left; left -= n, dword += n) {
		n = 32 - dword % 32;
		n = n < left ? n : left;
		mask = 0xffffffffu >> (32 - n) << (dword % 32);
		if ((img->known[dword / 32] & mask) != mask)
			return false;
	}
	return true;
}

bool vfcap_image_need(struct vfcap_image *img, unsigned int off, unsigned int len)
{
	unsigned int dword, end, n;

	if (vfcap_image_has(img, off, len))
		return true;
	if (!is_inside(off, len))
		return false;

	end = (off + len + 3) / 4;
	for (dword = off / 4; dword < end; dword += n) {
		n = 1;
		if (is_known(img, dword))
			continue;
		while (dword + n < end && !is_known(img, dword + n))
			n++;
		if (!fetch_run(img, dword, n))
			return false;
	}
	return true;
}

bool vfcap_image_read(struct vfcap_image *img, unsigned int off, unsigned int width, uint32_t *val)
{
	const uint8_t *p;

	*val = 0;
	/* Most reads are of one dword that is known, and a walk is made of reads. */
	if (off >= VFCAP_CFG_SIZE || off % 4 + width > 4 || !is_known(img, off / 4)) {
		if (!vfcap_image_need(img, off, width))
			return false;
	}

	p = img->bytes + off;
	switch (width) {
	case 1:
		*val = p[0];
		return true;
	case 2:
		*val = vfcap_le16(p);
		return true;
	case 4:
		*val = vfcap_le32(p);
		return true;
	}
	return false;
}

bool vfcap_body_read(const struct vfcap_body *body, unsigned int at, unsigned int width,
		     uint32_t *val)
{
	*val = 0;
	return at <= body->length && width <= body->length - at &&
	       vfcap_image_read(body->img, body->offset + at, width, val);
}
