// SPDX-License-Identifier: GPL-2.0-or-later
/* Where the values of a JSON text stand. */
#include "cursor.h"

struct vfcap_cursor vfcap_cursor_begin(const char *text, size_t len)
{
	struct vfcap_cursor c = { .p = text, .end = text + len, .line = 1, .column = 1 };

	vfcap_cursor_blank(&c);
	return c;
}

/* The bytes that go on with a character of UTF-8 are no columns. */
void vfcap_cursor_step(struct vfcap_cursor *c)
{
	if (c->p == c->end)
		return;
	if (*c->p == '\n') {
		c->line++;
		c->column = 0;
	}
	c->p++;
	if (c->p == c->end || (*c->p & 0xc0) != 0x80)
		c->column++;
}

void vfcap_cursor_blank(struct vfcap_cursor *c)
{
	while (c->p < c->end && (*c->p == ' ' || *c->p == '\t' || *c->p == '\n' || *c->p == '\r'))
		vfcap_cursor_step(c);
}

static void skip_string(struct vfcap_cursor *c)
{
	vfcap_cursor_step(c);
	while (c->p < c->end && *c->p != '"') {
		if (*c->p == '\\')
			vfcap_cursor_step(c);
		vfcap_cursor_step(c);
	}
	vfcap_cursor_step(c);
}

static int is_end(char c)
{
	return c == ',' || c == ']' || c == '}' || c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

void vfcap_cursor_value(struct vfcap_cursor *c)
{
	unsigned int depth = 0;

	do {
		if (c->p == c->end)
			return;
		if (*c->p == '"') {
			skip_string(c);
		} else if (*c->p == '{' || *c->p == '[') {
			depth++;
			vfcap_cursor_step(c);
		} else if (*c->p == '}' || *c->p == ']') {
			depth--;
			vfcap_cursor_step(c);
		} else if (depth) {
			vfcap_cursor_step(c);
		} else {
			while (c->p < c->end && !is_end(*c->p))
				vfcap_cursor_step(c);
		}
	} while (depth);
}

void vfcap_cursor_enter(struct vfcap_cursor *c)
{
	vfcap_cursor_step(c);
	vfcap_cursor_blank(c);
}

void vfcap_cursor_next(struct vfcap_cursor *c)
{
	vfcap_cursor_blank(c);
	if (c->p < c->end && *c->p == ',')
		vfcap_cursor_enter(c);
}

void vfcap_cursor_key(struct vfcap_cursor *c)
{
	vfcap_cursor_value(c);
	vfcap_cursor_blank(c);
	vfcap_cursor_enter(c);
}
