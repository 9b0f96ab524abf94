// SPDX-License-Identifier: GPL-2.0-or-later
/* UTF-8, and which of its characters may go to a terminal. */
#include <langinfo.h>

#include "render.h"

bool vfcap_utf8_locale(void)
{
	return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

/* How many bytes a character has by its first one, and the least code point that needs so many. */
static size_t length_of(unsigned char first, uint32_t *c, uint32_t *least)
{
	static const struct {
		uint8_t mask, mark;
		uint32_t least;
	} forms[] = { { 0x80, 0x00, 0 },
		      { 0xe0, 0xc0, 0x80 },
		      { 0xf0, 0xe0, 0x800 },
		      { 0xf8, 0xf0, 0x10000 } };

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		if ((first & forms[i].mask) == forms[i].mark) {
			*c = first & (uint8_t)~forms[i].mask;
			*least = forms[i].least;
			return i + 1;
		}
	return 0;
}

size_t vfcap_utf8_next(const char *s, uint32_t *c)
{
	const unsigned char *byte = (const unsigned char *)s;
	uint32_t least = 0;
	size_t len = length_of(byte[0], c, &least);

	/* The NUL at the end is no continuation byte. */
	for (size_t i = 1; i < len; i++) {
		if ((byte[i] & 0xc0) != 0x80)
			len = 0;
		else
			*c = *c << 6 | (byte[i] & 0x3f);
	}
	if (!len || *c < least || *c > 0x10ffff || (*c >= 0xd800 && *c <= 0xdfff)) {
		*c = VFCAP_UTF8_INVALID;
		return 1;
	}
	return len;
}

/* A terminal obeys control characters, reorders what is near the marks of bidirectional text, and shows nothing for
 * other marks, so that two names look the same. */
bool vfcap_utf8_is_plain(uint32_t c)
{
	static const struct {
		uint32_t first, last;
	} marks[] = {
		{ 0x00, 0x1f }, /* C0 */
		{ 0x7f, 0x9f }, /* DEL, C1 */
		{ 0xad, 0xad }, /* soft hyphen */
		{ 0x61c, 0x61c }, /* Arabic letter mark */
		{ 0x180e, 0x180e }, /* Mongolian vowel separator */
		{ 0x200b, 0x200f }, /* of no width; left-to-right and right-to-left marks */
		{ 0x2028, 0x202e }, /* ends of lines; bidirectional embeddings and overrides */
		{ 0x2060, 0x206f }, /* invisible operators; bidirectional isolates */
		{ 0xfdd0, 0xfdef }, /* no characters */
		{ 0xfe00, 0xfe0f }, /* variation selectors */
		{ 0xfeff, 0xfeff }, /* byte order mark */
		{ 0xfff9, 0xfffb }, /* annotations */
		{ 0xe0000, 0xe0fff }, /* tags, more variation selectors */
	};

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]) && c >= marks[i].first; i++)
		if (c <= marks[i].last)
			return false;
	return c <= 0x10ffff && (c & 0xfffe) != 0xfffe; /* nor what is no character */
}
