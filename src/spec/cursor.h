/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A place in a JSON text that is known to be whole: where values stand, which jansson does not tell. */
#ifndef VFCAP_CURSOR_H
#define VFCAP_CURSOR_H

#include <stddef.h>

struct vfcap_cursor {
	const char *p, *end;
	unsigned int line, column; /* of p, from 1; columns are characters */
};

struct vfcap_cursor vfcap_cursor_begin(const char *text, size_t len);
/* Over white space, and over one character. */
void vfcap_cursor_blank(struct vfcap_cursor *c);
void vfcap_cursor_step(struct vfcap_cursor *c);
/* Over a value and what it contains. */
void vfcap_cursor_value(struct vfcap_cursor *c);
/* From the beginning of an object or array to its first key or element, and from one, when it has been
 * passed, to the next. */
void vfcap_cursor_enter(struct vfcap_cursor *c);
void vfcap_cursor_next(struct vfcap_cursor *c);
/* From a key to its value. */
void vfcap_cursor_key(struct vfcap_cursor *c);

#endif
