// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Config space as the 16-byte rows of it that are not zero: most of it is, so thousands of
 * functions fit where whole images would not.
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
	uint32_t below = (1u << r % 32) - 1;
	int n = __builtin_popcount(rows->nonzero[r / 32] & below);

	for (unsigned int i = 0; i < r / 32; i++)
		n += __builtin_popcount(rows->nonzero[i]);
	return (unsigned int)n;
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

/* Makes place for row r, which is not kept yet; zeroed. NULL: out of memory. */
static uint8_t *insert(struct vfcap_rows *rows, unsigned int r)
{
	unsigned int at = r * ROW >= rows->end ? rows->n : rank(rows, r);

	if (rows->n == rows->room && grow(rows))
		return NULL;
	if (at < rows->n)
		memmove(rows->row + at + 1, rows->row + at, (rows->n - at) * sizeof(*rows->row));
	memset(rows->row + at, 0, sizeof(*rows->row));
	rows->n++;
	rows->nonzero[r / 32] |= 1u << r % 32;
	return rows->row[at];
}

static bool is_zero(const uint8_t row[ROW])
{
	uint64_t w[2];

	memcpy(w, row, sizeof(w));
	return !(w[0] | w[1]);
}

/* Drops row r when it has become zero. */
static void prune(struct vfcap_rows *rows, unsigned int r)
{
	unsigned int at = rank(rows, r);

	if (!is_zero(rows->row[at]))
		return;
	rows->n--;
	memmove(rows->row + at, rows->row + at + 1, (rows->n - at) * sizeof(*rows->row));
	rows->nonzero[r / 32] &= ~(1u << r % 32);
}

/* Makes [off, off + len), whole dwords within 128 bytes, known. */
static void mark(struct vfcap_rows *rows, unsigned int off, unsigned int len)
{
	rows->known[off / 128] |= ~0u >> (32 - len / 4) << off / 4 % 32;
	if (rows->end < off + len)
		rows->end = (uint16_t)(off + len);
}

static void put_zeros(struct vfcap_rows *rows, unsigned int off, unsigned int len)
{
	unsigned int end = off + len, old = end < rows->end ? end : rows->end;

	for (unsigned int o = off; o < old; o += ROW) {
		if (!has_row(rows, o / ROW))
			continue;
		memset(rows->row[rank(rows, o / ROW)], 0, old - o < ROW ? old - o : ROW);
		prune(rows, o / ROW);
	}
	while (off < end) {
		unsigned int next = (off | 127) + 1 < end ? (off | 127) + 1 : end;

		mark(rows, off, next - off);
		off = next;
	}
}

int vfcap_rows_put(struct vfcap_rows *rows, unsigned int off, const uint8_t *bytes,
		   unsigned int len)
{
	unsigned int r = off / ROW;
	uint8_t *row;

	len &= ~3u;
	if (!bytes)
		put_zeros(rows, off, len);
	if (!bytes || !len)
		return 0;
	row = has_row(rows, r) ? rows->row[rank(rows, r)] : insert(rows, r);
	if (!row)
		return -ENOMEM;
	if (len == ROW)
		memcpy(row, bytes, ROW);
	else
		memcpy(row, bytes, len);
	mark(rows, off, len);
	if (is_zero(row))
		prune(rows, r);
	return 0;
}

/* How many bytes of [off, off + len) are known from off on. */
static unsigned int known_from(const struct vfcap_rows *rows, unsigned int off, unsigned int len)
{
	unsigned int i = off / 4, end = (off + len) / 4;

	while (i < end) {
		uint32_t unknown = ~rows->known[i / 32] >> i % 32;

		if (unknown) {
			i += (unsigned int)__builtin_ctz(unknown);
			break;
		}
		i = (i | 31) + 1;
	}
	return (i < end ? i : end) * 4 - off;
}

int vfcap_rows_fetch(void *ctx, unsigned int off, unsigned int len, uint8_t *buf)
{
	const struct vfcap_rows *rows = ctx;
	unsigned int n = known_from(rows, off, len);
	uint8_t *row = NULL; /* the last one that was copied from */

	for (unsigned int done = 0, part; done < n; done += part) {
		unsigned int r = (off + done) / ROW, from = (off + done) % ROW;

		part = ROW - from < n - done ? ROW - from : n - done;
		if (has_row(rows, r)) {
			row = row ? row + ROW : rows->row[rank(rows, r)];
			memcpy(buf + done, row + from, part);
		} else {
			memset(buf + done, 0, part);
		}
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
