// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Addresses of PCI functions as text.
 */
#include "util.h"

static char *put_hex(char *p, uint32_t value, int digits)
{
	while (digits--)
		*p++ = "0123456789abcdef"[value >> 4 * digits & 0xf];
	return p;
}

char *vfcap_address_format(struct vfcap_address a, char buf[VFCAP_ADDRESS_LEN])
{
	int digits = 4;
	char *p = buf;

	while (digits < 8 && a.domain >> 4 * digits)
		digits++;
	p = put_hex(p, a.domain, digits);
	*p++ = ':';
	p = put_hex(p, a.bus, 2);
	*p++ = ':';
	p = put_hex(p, a.devfn >> 3, 2);
	*p++ = '.';
	p = put_hex(p, a.devfn & 7, 1);
	*p = '\0';
	return buf;
}

/* How many hex digits, at most max, are at s; their value in *value. */
static size_t get_hex(const char *s, size_t max, uint32_t *value)
{
	size_t n;

	*value = 0;
	for (n = 0; n < max; n++) {
		unsigned char c = (unsigned char)s[n];
		unsigned int letter = (c | 0x20u) - 'a', figure = c - '0';

		if (figure > 9 && letter > 5)
			break;
		*value = *value << 4 | (figure <= 9 ? figure : letter + 10);
	}
	return n;
}

size_t vfcap_address_parse(const char *s, struct vfcap_address *a)
{
	uint32_t domain = 0, bus, device, function;
	const char *p = s;
	size_t n = get_hex(p, 8, &bus);

	if (n >= 4 && p[n] == ':') {
		domain = bus;
		p += n + 1;
		n = get_hex(p, 2, &bus);
	}
	if (n != 2 || p[2] != ':' || get_hex(p + 3, 2, &device) != 2 || p[5] != '.' ||
	    get_hex(p + 6, 1, &function) != 1 || device > 0x1f || function > 7)
		return 0;
	a->domain = domain;
	a->bus = (uint8_t)bus;
	a->devfn = (uint8_t)(device << 3 | function);
	return (size_t)(p + 7 - s);
}

int vfcap_address_compare(struct vfcap_address a, struct vfcap_address b)
{
	uint64_t x = (uint64_t)a.domain << 16 | a.bus << 8 | a.devfn;
	uint64_t y = (uint64_t)b.domain << 16 | b.bus << 8 | b.devfn;

	return (x > y) - (x < y);
}
