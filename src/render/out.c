// SPDX-License-Identifier: GPL-2.0-or-later
/* Text on its way out. */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "render.h"

#define OUT_BLOCK 65536 /* bytes that are handed to a file at once */

static bool wants_color(FILE *file, int color)
{
	const char *no_color = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	if (color >= 0)
		return color > 0;
	if ((no_color && *no_color) || (term && strcmp(term, "dumb") == 0))
		return false;
	return isatty(fileno(file));
}

void vfcap_out_init(struct vfcap_out *out, FILE *file, int color)
{
	struct winsize size;

	*out = (struct vfcap_out){
		.file = file,
		.color = wants_color(file, color),
		.utf8 = vfcap_utf8_locale(),
	};
	if (!isatty(fileno(file)))
		return;
	out->width = 80;
	if (ioctl(fileno(file), TIOCGWINSZ, &size) == 0 && size.ws_col)
		out->width = size.ws_col;
}

void vfcap_out_memory(struct vfcap_out *out, const struct vfcap_out *like)
{
	*out = (struct vfcap_out){ .color = like->color, .utf8 = like->utf8, .width = like->width };
}

void vfcap_out_free(struct vfcap_out *out)
{
	free(out->buf);
	out->buf = NULL;
	out->n = out->room = 0;
}

int vfcap_out_flush(struct vfcap_out *out)
{
	if (!out->file)
		return out->error;
	errno = 0;
	if (!out->error && out->n && fwrite(out->buf, 1, out->n, out->file) != out->n)
		out->error = errno ? -errno : -EIO;
	out->n = 0;
	if (!out->error && fflush(out->file))
		out->error = -errno;
	return out->error;
}

bool vfcap_out_room(struct vfcap_out *out, size_t len)
{
	size_t room = out->room ? out->room : out->file ? OUT_BLOCK : 256;
	char *buf;

	if (out->file)
		vfcap_out_flush(out);
	if (out->error)
		return false;
	while (room - out->n < len)
		room *= 2;
	if (room == out->room)
		return true;
	buf = realloc(out->buf, room);
	if (!buf) {
		out->error = -ENOMEM;
		return false;
	}
	out->buf = buf;
	out->room = room;
	return true;
}

void vfcap_out_hex(struct vfcap_out *out, uint64_t v, unsigned int digits)
{
	char buf[16];
	unsigned int n = 0;

	do {
		buf[15 - n++] = "0123456789abcdef"[v & 15];
		v >>= 4;
	} while (n < 16 && (v || n < digits));
	vfcap_out_bytes(out, buf + 16 - n, n);
}

void vfcap_out_dec(struct vfcap_out *out, uint64_t v)
{
	char buf[20];
	unsigned int n = 0;

	do {
		buf[19 - n++] = (char)('0' + v % 10);
		v /= 10;
	} while (v);
	vfcap_out_bytes(out, buf + 20 - n, n);
}

void vfcap_out_fill(struct vfcap_out *out, char c, size_t n)
{
	if (out->room - out->n <= n && !vfcap_out_room(out, n))
		return;
	memset(out->buf + out->n, c, n);
	out->n += n;
}

void vfcap_out_text(struct vfcap_out *out, const char *s)
{
	size_t len;

	for (; *s; s += len) {
		uint32_t c;

		len = vfcap_utf8_next(s, &c);
		if ((c > 0x7f && !out->utf8) || !vfcap_utf8_is_plain(c))
			vfcap_out_char(out, '?');
		else
			vfcap_out_bytes(out, s, len);
	}
}

void vfcap_out_style(struct vfcap_out *out, enum vfcap_style style)
{
	static const char *const sgr[VFCAP_STYLES] = {
		[VFCAP_STYLE_PLAIN] = "\033[0m", [VFCAP_STYLE_BOLD] = "\033[1m",
		[VFCAP_STYLE_DIM] = "\033[2m",	 [VFCAP_STYLE_GOOD] = "\033[32m",
		[VFCAP_STYLE_WARN] = "\033[33m", [VFCAP_STYLE_BAD] = "\033[31m",
	};

	if (out->color)
		vfcap_out_str(out, sgr[style]);
}

void vfcap_out_printf(struct vfcap_out *out, const char *fmt, ...)
{
	char buf[512];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	if ((size_t)n < sizeof(buf)) {
		vfcap_out_bytes(out, buf, (size_t)n);
		return;
	}
	if (!vfcap_out_room(out, (size_t)n + 1))
		return;
	va_start(ap, fmt);
	vsnprintf(out->buf + out->n, (size_t)n + 1, fmt, ap);
	va_end(ap);
	out->n += (size_t)n;
}
