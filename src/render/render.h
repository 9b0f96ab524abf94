/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is printed and how: text, tables, JSON, maps. Knows no host and no library: it gets strings,
 * numbers and plain arrays.
 */
#ifndef VFCAP_RENDER_H
#define VFCAP_RENDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

/* -------------------------------------------------------------------------------------- text -- */

/*
 * Where text goes: appended to a buffer that grows, or is handed to a file whenever it is full. A
 * full decode of a host is millions of short strings; printf() for each would cost more than
 * decoding.
 */
struct vfcap_out {
	char *buf;
	size_t n, room;
	FILE *file; /* NULL: text stays in buf */
	int error; /* the first -errno; what comes after it is lost */
	bool color;
	bool utf8;
	unsigned int width; /* of the terminal in columns; 0: not a terminal */
};

enum vfcap_style {
	VFCAP_STYLE_PLAIN,
	VFCAP_STYLE_BOLD,
	VFCAP_STYLE_DIM,
	VFCAP_STYLE_GOOD,
	VFCAP_STYLE_WARN,
	VFCAP_STYLE_BAD,
	VFCAP_STYLES
};

/* Text for file, as its terminal and the locale allow (color: -1 auto, 0 never, 1 always). */
void vfcap_out_init(struct vfcap_out *out, FILE *file, int color);
/* Text that stays in memory, looking as it would in like. */
void vfcap_out_memory(struct vfcap_out *out, const struct vfcap_out *like);
/* Hands what is buffered to the file. Returns out->error. */
int vfcap_out_flush(struct vfcap_out *out);
void vfcap_out_free(struct vfcap_out *out);
/* Makes room for len bytes; false when there is none (out->error says why). */
bool vfcap_out_room(struct vfcap_out *out, size_t len);

static inline void vfcap_out_bytes(struct vfcap_out *out, const char *s, size_t len)
{
	if (out->room - out->n <= len && !vfcap_out_room(out, len))
		return;
	memcpy(out->buf + out->n, s, len);
	out->n += len;
}

static inline void vfcap_out_str(struct vfcap_out *out, const char *s)
{
	vfcap_out_bytes(out, s, strlen(s));
}

static inline void vfcap_out_char(struct vfcap_out *out, char c)
{
	if (out->room - out->n < 1 && !vfcap_out_room(out, 1))
		return;
	out->buf[out->n++] = c;
}

/* In hex with at least that many digits (up to 16). */
void vfcap_out_hex(struct vfcap_out *out, uint64_t v, unsigned int digits);
void vfcap_out_dec(struct vfcap_out *out, uint64_t v);
void vfcap_out_fill(struct vfcap_out *out, char c, size_t n);
/* A string of somebody else's: what is not plain (see below), no UTF-8, or not in the locale's characters, becomes
 * '?'. */
void vfcap_out_text(struct vfcap_out *out, const char *s);
void vfcap_out_style(struct vfcap_out *out, enum vfcap_style style);
void vfcap_out_printf(struct vfcap_out *out, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* ------------------------------------------------------------------------------------- UTF-8 -- */

#define VFCAP_UTF8_INVALID \
	UINT32_MAX /* no character: also overlong forms, surrogates, above U+10FFFF */

/* Is the locale's text UTF-8? */
bool vfcap_utf8_locale(void);
/* The character that a string begins with, which is not at its end: how many bytes it has; 1 of what is invalid. */
size_t vfcap_utf8_next(const char *s, uint32_t *c);
/* May it go to a terminal? Control characters may not, nor marks that reorder text or cannot be seen. */
bool vfcap_utf8_is_plain(uint32_t c);

/* ------------------------------------------------------------------------------------- table -- */

#define VFCAP_COLUMN_DEFAULT 1 /* shown unless told, or empty in all rows */
#define VFCAP_COLUMN_RIGHT 2 /* aligned to the right */
#define VFCAP_COLUMN_TREE 4 /* the tree is drawn here */
#define VFCAP_COLUMN_SPAN 8 /* differs from row to row: does not keep rows from being folded */
#define VFCAP_COLUMN_TRUNC 16 /* may be cut on a narrow terminal */

struct vfcap_column {
	const char *name;
	const char *help;
	unsigned int flags;
	/* Appends the cell's text (none: empty) for one item. */
	void (*fill)(struct vfcap_out *cell, void *item);
};

struct vfcap_table_options {
	const char *output; /* "COL,COL", "+COL" adds to the default; NULL: the default */
	bool noheadings;
	bool raw;
};

struct vfcap_table;

/*
 * A table of those columns. NULL: out of memory (*bad NULL) or an unknown column, whose name *bad
 * points to in opt->output (up to a comma or its end).
 */
struct vfcap_table *vfcap_table_new(const struct vfcap_column *columns, size_t n,
				    const struct vfcap_table_options *opt,
				    const struct vfcap_out *like, const char **bad);
void vfcap_table_free(struct vfcap_table *table);

#define VFCAP_TABLE_ROOT (-1)
/* Adds a row below parent (a row's number or VFCAP_TABLE_ROOT). The children of a row directly
 * follow it. Returns its number or -ENOMEM. */
long vfcap_table_add(struct vfcap_table *table, long parent, void *item);

/*
 * Prints it. On a terminal, more than fold siblings in a row that agree in all columns but those of
 * VFCAP_COLUMN_SPAN become one line (0: never; never with raw, noheadings or columns that were
 * chosen).
 */
int vfcap_table_print(struct vfcap_table *table, struct vfcap_out *out, unsigned int fold);

/* -------------------------------------------------------------------------------------- JSON -- */

/* The one object of a run, {"vfcap":1,KEY:[...]}, written an element at a time. It may go to a terminal: what is not
 * plain is escaped, and so is all but ASCII where the locale has no UTF-8. */
struct vfcap_json {
	struct vfcap_out *out;
	size_t n; /* elements so far */
	bool lost; /* for want of memory: no element is printed any more */
};

void vfcap_json_begin(struct vfcap_json *json, struct vfcap_out *out, const char *key);
/* Writes an element and frees it. NULL is taken for out of memory. */
void vfcap_json_element(struct vfcap_json *json, json_t *element);
/* Another key of that object, with elements of its own: {"vfcap":1,KEY:[...],KEY:[...]}. */
void vfcap_json_next(struct vfcap_json *json, const char *key);
void vfcap_json_end(struct vfcap_json *json);
/* A line of its own, {"vfcap":1,...}, of an object, which is freed; instead of begin, elements and end. */
void vfcap_json_line(struct vfcap_json *json, json_t *object);

/* These take the value over; NULL is taken for out of memory. */
void vfcap_json_set(struct vfcap_json *json, json_t *object, const char *key, json_t *value);
void vfcap_json_append(struct vfcap_json *json, json_t *array, json_t *value);
/* A string of somebody else's; NULL: null. Bytes that are no UTF-8 become U+FFFD. */
json_t *vfcap_json_text(const char *s);

/* --------------------------------------------------------------------------------------- map -- */

enum vfcap_map_kind {
	VFCAP_MAP_CAP, /* what a capability's registers prove */
	VFCAP_MAP_RESERVED, /* what the spec lets it have beyond that */
	VFCAP_MAP_NONZERO, /* bytes outside of every capability that are not zero */
	VFCAP_MAP_UNKNOWN, /* could not be read */
	VFCAP_MAP_PLANNED, /* where an emulated capability goes */
	VFCAP_MAP_EMULATED, /* where one is emulated */
	VFCAP_MAP_KINDS
};

struct vfcap_map_span {
	uint16_t offset;
	uint16_t length; /* bytes */
	enum vfcap_map_kind kind;
	const char *label; /* NULL for those that have no name */
};

/* The 4 KiB of one function, of which the first 256 bytes (no extended capabilities) are only
 * named. Where spans overlap, the later one is drawn over the earlier. */
struct vfcap_map_strip {
	const char *name; /* short, stands before each row: "PF" */
	const char *title;
	const struct vfcap_map_span *span;
	size_t n_spans;
};

/* Draws functions one above the other, 256 bytes to a row; rows without anything are folded. */
void vfcap_map_text(struct vfcap_out *out, const struct vfcap_map_strip *strip, size_t n);
/* The same as a self-contained SVG picture. */
void vfcap_map_svg(struct vfcap_out *out, const struct vfcap_map_strip *strip, size_t n);

#endif
