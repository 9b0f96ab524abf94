// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Files as a source: text of lspci -x, -xxx, -xxxx as people paste it, and raw images.
 *
 * The text is read once, in pieces, and never kept. Lines are of three kinds: a device line (an
 * address and anything), a row (offset, colon, bytes in hex), and everything else, which is
 * skipped. A row that continues the record as lspci itself prints it takes a fast path, which
 * accepts nothing that the general parser would not take for the same row.
 */
#include "host.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUF_SIZE (128 * 1024)
#define LINE_MAX_LEN 4096 /* longer ones are of the third kind */
#define ROW 16u
#define HEX_LEN (3 * ROW - 1) /* "00 11 .. ff" */
#define TOLD_MAX 20 /* messages per file */
#define DRIVER_MAX 64
#define STANDARD_INPUT "standard input"

/* The text as it is read, and the record (one device line and what follows it) that it is in. */
struct dump {
	struct vfcap_host *host;
	const char *name;
	int fd;
	char *buf;
	const char *p, *end; /* what of buf is still to be parsed; *end is NUL */
	bool eof;
	bool skipping; /* within a line that is too long */
	uint64_t total; /* bytes read */
	unsigned long line; /* number of the line at p */
	unsigned int told;

	bool open; /* there is a record */
	struct vfcap_address address;
	char driver[DRIVER_MAX];
	int group;
	struct vfcap_function *fn; /* from the first row on */
	bool complained; /* once per record is enough */
	bool gap; /* another line came since the last row */

	size_t devices, rows, functions; /* lines of these kinds, and what was added */
};

static void dump_free(struct dump *d)
{
	free(d->buf);
}

static __attribute__((format(printf, 2, 3))) void tell(struct dump *d, const char *fmt, ...)
{
	char reason[128];
	va_list ap;

	if (d->complained)
		return;
	d->complained = true;
	if (d->told > TOLD_MAX)
		return;
	if (d->told++ == TOLD_MAX) {
		vfcap_host_log(d->host, "%s:%lu: further messages suppressed", d->name, d->line);
		return;
	}
	va_start(ap, fmt);
	vsnprintf(reason, sizeof(reason), fmt, ap);
	va_end(ap);
	vfcap_host_log(d->host, "%s:%lu: %s", d->name, d->line, reason);
}

/* --------------------------------------------------------------------------------------- hex -- */

/* Two digits are a byte when high[first] | low[second] has both marks. */
#define HIGH_OK 0x100u
#define LOW_OK 0x200u
#define HIGH(v) (HIGH_OK | (v) << 4)
#define LOW(v) (LOW_OK | (v))
#define DIGITS(f)                                                                                 \
	['0'] = f(0), ['1'] = f(1), ['2'] = f(2), ['3'] = f(3), ['4'] = f(4), ['5'] = f(5),       \
	['6'] = f(6), ['7'] = f(7), ['8'] = f(8), ['9'] = f(9), ['a'] = f(10), ['b'] = f(11),     \
	['c'] = f(12), ['d'] = f(13), ['e'] = f(14), ['f'] = f(15), ['A'] = f(10), ['B'] = f(11), \
	['C'] = f(12), ['D'] = f(13), ['E'] = f(14), ['F'] = f(15)

static const uint16_t high[256] = { DIGITS(HIGH) };
static const uint16_t low[256] = { DIGITS(LOW) };

static unsigned int pair(const char *p)
{
	return high[(uint8_t)p[0]] | low[(uint8_t)p[1]];
}

static bool is_byte(unsigned int pair)
{
	return pair >= (HIGH_OK | LOW_OK);
}

static bool is_digit(char c)
{
	return low[(uint8_t)c];
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* --------------------------------------------------------------------------------- fast path -- */

/* Sixteen characters, wherever they stand. A vector is no argument or result of functions here: how it is
 * handed over depends on what the processor has. */
typedef uint8_t chars __attribute__((vector_size(16), aligned(1), may_alias));
#define CHARS(p) (*(const chars *)(p))

static const char zero_row[] = "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00";
static const char blanks[] = "\0\0\377\0\0\377\0\0\377\0\0\377\0\0\377\0\0\377\0\0\377\0\0\377"
			     "\0\0\377\0\0\377\0\0\377\0\0\377\0\0\377\0\0\377\0\0\377\0";

static bool any(const chars *v)
{
	uint64_t w[2];

	memcpy(w, v, sizeof(w));
	return w[0] | w[1];
}

/* Sixteen bytes, without a branch for each. False: there are other characters than hex digits. */
static bool decode_bytes(const char *p, uint8_t bytes[ROW])
{
	unsigned int ok = HIGH_OK | LOW_OK;

#pragma GCC unroll 16
	for (unsigned int i = 0; i < ROW; i++) {
		unsigned int v = pair(p + 3 * i);

		ok &= v;
		bytes[i] = (uint8_t)v;
	}
	return is_byte(ok);
}

enum row_kind { ROW_ZERO, ROW_BYTES, ROW_OTHER };

/* HEX_LEN characters in three loads; only where they differ from zeros is a byte decoded. */
static enum row_kind decode_row(const char *p, uint8_t bytes[ROW])
{
	const char *last = p + HEX_LEN - 16, *last_zero = zero_row + HEX_LEN - 16;
	const chars a = CHARS(p) ^ CHARS(zero_row), b = CHARS(p + 16) ^ CHARS(zero_row + 16);
	const chars c = CHARS(last) ^ CHARS(last_zero), digits = a | b | c;
	const chars other = (a & CHARS(blanks)) | (b & CHARS(blanks + 16)) |
			    (c & CHARS(blanks + HEX_LEN - 16));

	if (!any(&digits))
		return ROW_ZERO;
	if (any(&other))
		return ROW_OTHER;
	return decode_bytes(p, bytes) ? ROW_BYTES : ROW_OTHER;
}

/* How lspci begins the row at 16 * n, four characters each: "00: ", "10: " .. "100:" .. "ff0:". */
#define EACH(a, z)                                                                                \
	a "0" z a "1" z a "2" z a "3" z a "4" z a "5" z a "6" z a "7" z a "8" z a "9" z a "a" z a \
	  "b" z a "c" z a "d" z a "e" z a "f" z
/* clang-format off */
static const char margins[] =
	EACH("", "0: ") EACH("1", "0:") EACH("2", "0:") EACH("3", "0:") EACH("4", "0:")
	EACH("5", "0:") EACH("6", "0:") EACH("7", "0:") EACH("8", "0:") EACH("9", "0:")
	EACH("a", "0:") EACH("b", "0:") EACH("c", "0:") EACH("d", "0:") EACH("e", "0:")
	EACH("f", "0:");
/* clang-format on */

/* The bytes in hex of the row at off, when p is that row as lspci prints it; else NULL. */
static const char *row_hex(const char *p, unsigned int off)
{
	const char *hex = p + (off < VFCAP_EXT_BASE ? 4 : 5);

	if (memcmp(p, margins + off / ROW * 4, 4) != 0 || hex[-1] != ' ' || hex[HEX_LEN] != '\n')
		return NULL;
	return hex;
}

/* Takes the rows that continue the record in lspci's own layout, up to the first that does not. */
static int take_rows(struct dump *d)
{
	struct vfcap_rows *rows = d->fn->rows;
	unsigned int first = rows->end, off = first;
	unsigned int zeros = first; /* [zeros, off) is not stored yet */
	const char *p = d->p, *hex;
	uint8_t bytes[ROW];
	int rc = 0;

	if (off % ROW)
		return 0;
	while (!rc && off < VFCAP_CFG_SIZE && d->end - p > 5 + (int)HEX_LEN) {
		enum row_kind kind = (hex = row_hex(p, off)) ? decode_row(hex, bytes) : ROW_OTHER;

		if (kind == ROW_OTHER)
			break;
		if (kind == ROW_BYTES) {
			if (zeros < off)
				vfcap_rows_put(rows, zeros, NULL, off - zeros);
			rc = vfcap_rows_put(rows, off, bytes, ROW);
			zeros = off + ROW;
		}
		off += ROW;
		p = hex + HEX_LEN + 1;
	}
	if (p == d->p)
		return 0;
	d->line += (off - first) / ROW;
	d->rows += (off - first) / ROW;
	d->gap = false;
	d->p = p;
	return rc ? rc : vfcap_rows_put(rows, zeros, NULL, off - zeros);
}

/* ----------------------------------------------------------------------------------- records -- */

/* What the first bytes of config space say of the function. */
static void identify(struct vfcap_function *fn)
{
	uint8_t b[12];

	fn->config_size = fn->rows->end <= 64 ? 64 : fn->rows->end <= 256 ? 256 : VFCAP_CFG_SIZE;
	if (vfcap_rows_fetch(fn->rows, 0, sizeof(b), b) < (int)sizeof(b))
		return;
	fn->has_ids = true;
	fn->vendor = vfcap_le16(b);
	fn->device = vfcap_le16(b + 2);
	fn->revision = b[8];
	fn->class_code = vfcap_le32(b + 8) >> 8;
	fn->known_vf = vfcap_le32(b) == 0xffffffff && vfcap_le32(b + 8) != 0xffffffff;
}

static int fetch(void *ctx, unsigned int off, unsigned int len, uint8_t *buf)
{
	const struct vfcap_function *fn = ctx;

	return vfcap_rows_fetch(fn->rows, off, len, buf);
}

static struct vfcap_function *add_function(struct vfcap_host *h, struct vfcap_address a)
{
	struct vfcap_function *fn = vfcap_host_add(h, a);

	if (!fn)
		return NULL;
	fn->fetch = fetch;
	fn->rows = calloc(1, sizeof(*fn->rows));
	return fn->rows ? fn : NULL;
}

static bool is_known(const struct vfcap_rows *rows, unsigned int off)
{
	return rows->known[off / 128] >> off / 4 % 32 & 1;
}

/* The first byte from off on that is known, or is not; end: there is none. */
static unsigned int find_byte(const struct vfcap_rows *rows, unsigned int off, unsigned int end,
			      bool known)
{
	while (off < end && is_known(rows, off) != known)
		off += 4;
	return off < end ? off : end;
}

/* lspci prints 64, 256 or 4096 bytes, and all of them. What is missing is read as not known, and not as zeros. */
static void tell_missing(struct dump *d)
{
	const struct vfcap_rows *rows = d->fn->rows;
	unsigned int end = rows->end > 64 ? (unsigned int)d->fn->config_size : rows->end;
	unsigned int from = find_byte(rows, 0, end, false);
	unsigned int to = find_byte(rows, from, end, true);

	if (from < end)
		tell(d, "%s: bytes 0x%03x..0x%03x%s are missing", d->fn->name, from, to - 1,
		     find_byte(rows, to, end, false) < end ? " and others" : "");
}

static void end_record(struct dump *d)
{
	if (d->fn) {
		vfcap_rows_trim(d->fn->rows);
		identify(d->fn);
		tell_missing(d);
	}
	d->fn = NULL;
	d->open = false;
}

static void begin_record(struct dump *d, struct vfcap_address a)
{
	end_record(d);
	d->open = true;
	d->address = a;
	d->driver[0] = '\0';
	d->group = -1;
	d->complained = false;
	d->devices++;
}

/* The record's function, which exists from its first row on. */
static int need_function(struct dump *d)
{
	if (d->fn)
		return 0;
	d->fn = add_function(d->host, d->address);
	if (!d->fn)
		return -ENOMEM;
	d->functions++;
	d->fn->iommu_group = d->group;
	if (!d->driver[0])
		return 0;
	d->fn->knows_driver = true;
	d->fn->driver = strdup(d->driver);
	return d->fn->driver ? 0 : -ENOMEM;
}

/* ------------------------------------------------------------------------------------- lines -- */

struct row {
	unsigned int off, len; /* len: how many bytes there are */
	uint8_t bytes[ROW];
	bool cut; /* fewer than 16, and nothing else behind them */
	bool odd; /* something else behind them, or no such offset */
};

/* The bytes of a row from p on: as many as there are, with a wider space at the start and in the
 * middle, as hexdump -C has it. Returns where they end. */
static const char *parse_bytes(const char *p, const char *end, struct row *row)
{
	for (row->len = 0; row->len < ROW; row->len++) {
		const char *q = p;

		while (q < end && is_blank(*q))
			q++;
		if (q == p || (q - p > 1 && row->len && row->len != ROW / 2))
			break;
		if (end - q < 2 || !is_byte(pair(q)) ||
		    (end - q > 2 && !is_blank(q[2]) && q[2] != '|'))
			break;
		row->bytes[row->len] = (uint8_t)pair(q);
		p = q + 2;
	}
	return p;
}

/* Is the text (margin stripped) a row: offset of two to four digits, colon, at least one byte? */
static bool parse_row(const char *p, const char *end, struct row *row)
{
	const char *start = p;

	for (row->off = 0; p < end && p - start < 5 && is_digit(*p); p++)
		row->off = row->off << 4 | (low[(uint8_t)*p] & 0xf);
	if (p - start < 2 || p - start > 4 || p == end || *p != ':')
		return false;
	p = parse_bytes(p + 1, end, row);
	if (!row->len)
		return false;
	row->cut = row->len < ROW;
	row->odd = row->off % ROW || row->off >= VFCAP_CFG_SIZE;
	if (p == end || (row->cut && end - p == 2 && is_blank(p[0]) && is_digit(p[1])))
		return true;
	/* A column of characters stands behind 16 bytes, or well apart from fewer. */
	if (row->cut && !(is_blank(p[0]) && (is_blank(p[1]) || p[1] == '|')))
		row->odd = true;
	return true;
}

static bool has_any(const struct vfcap_rows *rows, unsigned int off)
{
	return rows->known[off / 128] >> off / 4 % 32 & 0xf;
}

static int take_row(struct dump *d, const struct row *row)
{
	int rc;

	d->rows++;
	if (!d->open) {
		tell(d, "bytes without a line that names their device, skipped");
		return 0;
	}
	if (row->odd) {
		tell(d, "row %02x is damaged, skipped", row->off);
		return 0;
	}
	if (d->fn && d->gap && has_any(d->fn->rows, row->off)) {
		/* Another record begins here, nobody knows whose. */
		end_record(d);
		d->complained = false;
		tell(d, "row %02x again: the line that names its device is missing, skipped",
		     row->off);
		return 0;
	}
	if (row->cut)
		tell(d, "row %02x is cut after %u bytes", row->off, row->len);
	d->gap = false;
	if (row->len < 4)
		return 0;
	rc = need_function(d);
	return rc ? rc : vfcap_rows_put(d->fn->rows, row->off, row->bytes, row->len);
}

static const char *after(const char *p, const char *end, const char *prefix)
{
	size_t n = strlen(prefix);

	if ((size_t)(end - p) < n || memcmp(p, prefix, n) != 0)
		return NULL;
	for (p += n; p < end && is_blank(*p); p++)
		;
	return p;
}

/* An address followed by a blank or nothing; lspci -vmm and -vm write it behind a tag. */
static bool parse_device(const char *p, const char *end, struct vfcap_address *a)
{
	const char *value = after(p, end, "Slot:");
	size_t n;

	if (!value)
		value = after(p, end, "Device:");
	p = value ? value : p;
	n = vfcap_address_parse(p, a);
	return n && (p + n == end || (p + n < end && is_blank(p[n])));
}

static void take_driver(struct dump *d, const char *p, const char *end)
{
	size_t n = (size_t)(end - p);

	if (!n || n >= sizeof(d->driver))
		return;
	for (size_t i = 0; i < n; i++)
		if (p[i] < ' ' || p[i] > '~')
			return;
	memcpy(d->driver, p, n);
	d->driver[n] = '\0';
}

static void take_group(struct dump *d, const char *p, const char *end)
{
	int group = 0;

	for (; p < end && *p >= '0' && *p <= '9' && group < 100000000; p++)
		group = group * 10 + *p - '0';
	if (p == end)
		d->group = group;
}

/* Decoded text. What it says of a driver counts for the next row that is first in its record. */
static void take_text(struct dump *d, const char *p, const char *end)
{
	const char *value;

	d->gap = true;
	if ((value = after(p, end, "Kernel driver in use:")) || (value = after(p, end, "Driver:")))
		take_driver(d, value, end);
	else if ((value = after(p, end, "IOMMU group:")) || (value = after(p, end, "IOMMUGroup:")))
		take_group(d, value, end);
}

static int take_line(struct dump *d, const char *p, const char *end)
{
	struct vfcap_address a;
	struct row row;

	if (end - p > LINE_MAX_LEN)
		end = p;
	if (d->line == 1 && end - p > 3 && !memcmp(p, "\357\273\277", 3))
		p += 3; /* a byte order mark */
	while (p < end && (is_blank(*p) || *p == '>'))
		p++;
	while (p < end && (is_blank(end[-1]) || end[-1] == '\r'))
		end--;
	if (parse_row(p, end, &row))
		return take_row(d, &row);
	if (parse_device(p, end, &a))
		begin_record(d, a);
	else
		take_text(d, p, end);
	return 0;
}

/* ----------------------------------------------------------------------------------- reading -- */

/* Fills the buffer behind what is not parsed yet, as far as it can. */
static int fill(struct dump *d)
{
	size_t have = (size_t)(d->end - d->p);

	memmove(d->buf, d->p, have);
	while (!d->eof && have < BUF_SIZE) {
		ssize_t n = read(d->fd, d->buf + have, BUF_SIZE - have);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return vfcap_host_fail(d->host, -errno, "%s: %s", d->name, strerror(errno));
		d->eof = !n;
		have += (size_t)n;
		d->total += (size_t)n;
	}
	d->p = d->buf;
	d->end = d->buf + have;
	d->buf[have] = '\0';
	return 0;
}

/* Takes every whole line of the buffer; at the end of the text also the one without a newline. */
static int take_lines(struct dump *d)
{
	int rc = 0;

	while (!rc && d->p < d->end) {
		const char *eol;

		if (d->fn && !d->skipping && (rc = take_rows(d)))
			break;
		eol = memchr(d->p, '\n', (size_t)(d->end - d->p));
		if (!eol && !d->eof)
			break;
		if (!d->skipping && d->p < d->end)
			rc = take_line(d, d->p, eol ? eol : d->end);
		d->skipping = false;
		d->p = eol ? eol + 1 : d->end;
		d->line++;
	}
	return rc;
}

/* An archive is read whole, and this is read as it comes. */
static int refuse_archive(struct dump *d)
{
	if (!vfcap_begins_archive(d->buf, (size_t)d->total))
		return 0;
	return vfcap_host_fail(d->host, -EINVAL,
			       "%s: an archive, which --from reads from a file alone: --sysroot %s "
			       "takes it",
			       d->name, strcmp(d->name, STANDARD_INPUT) ? d->name : "/dev/stdin");
}

static int dump_parse(struct dump *d)
{
	int rc;

	d->line = 1;
	d->buf = malloc(BUF_SIZE + 1);
	if (!d->buf)
		return -ENOMEM;
	d->p = d->end = d->buf;
	do {
		rc = fill(d);
		if (!rc && d->total == (uint64_t)(d->end - d->buf)) /* its beginning */
			rc = refuse_archive(d);
		if (!rc)
			rc = take_lines(d);
		if (d->end - d->p > LINE_MAX_LEN) {
			d->skipping = true;
			d->p = d->end;
		}
	} while (!rc && !d->eof);
	end_record(d);
	if (rc == -ENOMEM)
		vfcap_host_fail(d->host, rc, "%s: out of memory", d->name);
	return rc;
}

ssize_t vfcap_dump_read(struct vfcap_host *h, int fd, const char *name)
{
	VFCAP_CLEANUP(dump_free) struct dump d = { .host = h, .name = name, .fd = fd };
	int rc = dump_parse(&d);

	return rc ? rc : (ssize_t)d.functions;
}

/* ------------------------------------------------------------------------------------- files -- */

/* Opens what has an end and can be read without side effects; neither a directory nor a device. */
static int open_file(struct vfcap_host *h, const char *path, const char *name, int *fd)
{
	bool standard = !strcmp(path, "-");
	struct stat st;
	int rc = standard ? fstat(STDIN_FILENO, &st) : stat(path, &st);

	if (rc)
		return vfcap_host_fail(h, -errno, "%s: %s", name, strerror(errno));
	if (S_ISDIR(st.st_mode))
		return vfcap_host_fail(h, -EISDIR, "%s: %s", name, strerror(EISDIR));
	if (S_ISBLK(st.st_mode) || (S_ISCHR(st.st_mode) && !(standard && isatty(STDIN_FILENO))))
		return vfcap_host_fail(h, -EINVAL, "%s: a device, not a file", name);
	*fd = standard ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0) :
			 open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	return *fd < 0 ? vfcap_host_fail(h, -errno, "%s: %s", name, strerror(errno)) : 0;
}

static bool has_control(const char *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((uint8_t)p[i] < ' ' && !strchr("\t\n\v\f\r\033", p[i] ? p[i] : 1))
			return true;
	return false;
}

/* An image has one of three sizes and nothing that a dump would have. */
static bool is_image(const struct dump *d)
{
	if (d->total != 64 && d->total != 256 && d->total != VFCAP_CFG_SIZE)
		return false;
	return !d->rows && (!d->devices || has_control(d->buf, (size_t)d->total));
}

static int add_image(struct vfcap_host *h, struct vfcap_address a, const uint8_t *bytes, size_t len)
{
	struct vfcap_function *fn = add_function(h, a);

	if (!fn)
		return -ENOMEM;
	for (unsigned int off = 0; off < len; off += ROW)
		if (vfcap_rows_put(fn->rows, off, bytes + off, ROW))
			return -ENOMEM;
	vfcap_rows_trim(fn->rows);
	identify(fn);
	return 0;
}

/* Adds the image that the buffer holds whole: so short a text never made room in it. */
static int take_image(struct dump *d, const struct vfcap_address *at)
{
	struct vfcap_address none = { 0 };
	int rc = add_image(d->host, at ? *at : none, (const uint8_t *)d->buf, (size_t)d->total);

	return rc ? vfcap_host_fail(d->host, rc, "%s: out of memory", d->name) : 0;
}

/* What to make of a file that was read to its end as text. */
static int judge(struct dump *d, const struct vfcap_address *at)
{
	const char *why;

	if (d->functions && !at)
		return 0;
	if (!d->functions && is_image(d))
		return take_image(d, at);
	if (d->functions)
		why = "text of lspci -x has addresses of its own, give it without one";
	else if (!d->total)
		why = "empty";
	else if (d->devices)
		why = "names devices without their config space, make it with lspci -xxxx (as root)";
	else if (d->rows)
		why = "config space without a line that names its device (00:01.0 ...)";
	else
		return vfcap_host_fail(d->host, -EINVAL,
				       "%s: %llu bytes are neither a raw image (64, 256 or 4096 "
				       "bytes) nor text of lspci -x",
				       d->name, (unsigned long long)d->total);
	return vfcap_host_fail(d->host, -EINVAL, "%s: %s", d->name, why);
}

int vfcap_file_add(struct vfcap_host *h, const char *spec)
{
	VFCAP_CLEANUP(dump_free) struct dump d = { .host = h, .fd = -1 };
	struct vfcap_address at;
	size_t n = vfcap_address_parse(spec, &at);
	bool has_address = n && spec[n] == '=';
	const char *path = has_address ? spec + n + 1 : spec;
	cleanup_close int fd = -1;
	int rc;

	if (!*path)
		return vfcap_host_fail(h, -ENOENT, "%s: names no file", spec);
	d.name = strcmp(path, "-") ? path : STANDARD_INPUT;
	rc = open_file(h, path, d.name, &fd);
	if (rc)
		return rc;
	d.fd = fd;
	rc = dump_parse(&d);
	return rc ? rc : judge(&d, has_address ? &at : NULL);
}
