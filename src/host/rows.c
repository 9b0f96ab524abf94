// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Config space as the 16-byte rows of it that are not zero: most of it is, so thousands of functions
 * fit where whole images would not.
 */
#include <stdlib.h>

#include "host.h"

#define ROW 16u

static bool has_row(const struct vfcap_rows *rows, unsigned int r)
{
	return rows->nonzero[r / 32] >> r % 32 & 1;
}

/* Where row r is, or would be, in rows->row: how many are kept below it. */
static unsigned int rank(const struct vfcap_rows *rows, unsigned int r)
{
	unsigned int n = (unsigned int)__builtin_popcount(rows->nonzero[r / 32] & ((1u << r % 32) - 1));

	for (unsigned int i = 0; i < r / 32; i++)
		n += (unsigned int)__builtin_popcount(rows->nonzero[i]);
	return n;
}

static int grow(struct vfcap_rows *rows)
{
	unsigned int room = rows->room + rows->room / 2 + 8;
	void *p = realloc(rows->row, room * sizeof(*rows->row));

	if (!p)
		return -ENOMEM;
	rows->row = p;
	rows->room = (uint16_t)room;
	return 0;
}

/* Makes place for row r, which is not kept yet; zeroed. */
static int insert(struct vfcap_rows *rows, unsigned int r)
{
	unsigned int at = r * ROW >= rows->end ? rows->n : rank(rows, r);

	if (rows->n == rows->room && grow(rows))
		return -ENOMEM;
	memmove(rows->row + at + 1, rows->row + at, (rows->n - at) * sizeof(*rows->row));
	memset(rows->row + at, 0, sizeof(*rows->row));
	rows->n++;
	rows->nonzero[r / 32] |= 1u << r % 32;
	return 0;
}

static void drop(struct vfcap_rows *rows, unsigned int r, unsigned int at)
{
	rows->n--;
	memmove(rows->row + at, rows->row + at + 1, (rows->n - at) * sizeof(*rows->row));
	rows->nonzero[r / 32] &= ~(1u << r % 32);
}

static bool all_zero(const uint8_t *bytes, unsigned int len)
{
	uint8_t any = 0;

	if (len == ROW) {
		uint64_t w[2];

		memcpy(w, bytes, sizeof(w));
		return !(w[0] | w[1]);
	}
	while (len)
		any |= bytes[--len];
	return !any;
}

/* Puts bytes (NULL: zeros) over the first len bytes of row r. */
static int store(struct vfcap_rows *rows, unsigned int r, const uint8_t *bytes, unsigned int len)
{
	unsigned int at;

	if (bytes && all_zero(bytes, len))
		bytes = NULL;
	if (!has_row(rows, r)) {
		if (!bytes)
			return 0;
		if (insert(rows, r))
			return -ENOMEM;
	}
	at = r * ROW >= rows->end ? rows->n - 1u : rank(rows, r);
	if (bytes)
		memcpy(rows->row[at], bytes, len);
	else
		memset(rows->row[at], 0, len);
	if (all_zero(rows->row[at], ROW))
		drop(rows, r, at);
	return 0;
}

int vfcap_rows_put(struct vfcap_rows *rows, unsigned int off, const uint8_t *bytes, unsigned int len)
{
	unsigned int dwords = len / 4;

	if (!dwords)
		return 0;
	if ((bytes || has_row(rows, off / ROW)) && store(rows, off / ROW, bytes, dwords * 4))
		return -ENOMEM;
	rows->known[off / 128] |= ((1u << dwords) - 1) << off / 4 % 32;
	if (rows->end < off + dwords * 4)
		rows->end = (uint16_t)(off + dwords * 4);
	return 0;
}

static unsigned int known_from(const struct vfcap_rows *rows, unsigned int off, unsigned int len)
{
	unsigned int i;

	for (i = off / 4; i < (off + len) / 4; i++)
		if (!(rows->known[i / 32] >> i % 32 & 1))
			break;
	return i * 4 - off;
}

int vfcap_rows_fetch(void *ctx, unsigned int off, unsigned int len, uint8_t *buf)
{
	const struct vfcap_rows *rows = ctx;
	unsigned int n = known_from(rows, off, len), at = rank(rows, off / ROW);

	for (unsigned int done = 0, part; done < n; done += part) {
		unsigned int r = (off + done) / ROW, from = (off + done) % ROW;

		part = ROW - from < n - done ? ROW - from : n - done;
		if (has_row(rows, r))
			memcpy(buf + done, rows->row[at++] + from, part);
		else
			memset(buf + done, 0, part);
	}
	return (int)n;
}

void vfcap_rows_trim(struct vfcap_rows *rows)
{
	void *p;

	if (!rows->n || rows->n == rows->room)
		return;
	p = realloc(rows->row, rows->n * sizeof(*rows->row));
	if (p) {
		rows->row = p;
		rows->room = rows->n;
	}
}

void vfcap_rows_free(struct vfcap_rows *rows)
{
	free(rows->row);
	memset(rows, 0, sizeof(*rows));
}
