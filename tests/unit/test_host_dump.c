// SPDX-License-Identifier: GPL-2.0-or-later
/* What is read from text and raw images: every form that people paste, damaged ones, and random ones. */
#include "unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../src/host/host.h"

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

/* A host that was read and what was told meanwhile. */
struct reading {
	struct vfcap_host host;
	char log[64][256];
	size_t n_log;
	ssize_t rc;
};

static void listen_to(void *arg, const char *line)
{
	struct reading *r = arg;

	assert_true(r->n_log < COUNT(r->log));
	snprintf(r->log[r->n_log++], sizeof(r->log[0]), "%s", line);
}

static int text_fd(const char *text, size_t len)
{
	int fd = memfd_create("text", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, len), len);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static void start(struct reading *r)
{
	memset(r, 0, sizeof(*r));
	r->host.log = listen_to;
	r->host.log_arg = r;
}

static void read_bytes(struct reading *r, const char *text, size_t len)
{
	int fd = text_fd(text, len);

	start(r);
	r->rc = vfcap_dump_read(&r->host, fd, "dump");
	close(fd);
}

static void read_text(struct reading *r, const char *text)
{
	read_bytes(r, text, strlen(text));
}

static void assert_bytes(struct vfcap_function *fn, unsigned int off, const uint8_t *want,
			 unsigned int len)
{
	uint8_t buf[VFCAP_CFG_SIZE];

	assert_int_equal(fn->fetch(fn, off, len, buf), len);
	assert_memory_equal(buf, want, len);
}

/* ------------------------------------------------------------------------------- growing text -- */

struct text {
	char *p;
	size_t len, room;
};

static __attribute__((format(printf, 2, 3))) void add(struct text *t, const char *fmt, ...)
{
	va_list ap;

	if (t->room - t->len < 8192) {
		t->room += 65536;
		t->p = realloc(t->p, t->room);
		assert_non_null(t->p);
	}
	va_start(ap, fmt);
	t->len += (size_t)vsnprintf(t->p + t->len, 8192, fmt, ap);
	va_end(ap);
}

static void add_row(struct text *t, const char *margin, unsigned int off, const uint8_t *bytes,
		    const char *tail)
{
	add(t, "%s%02x:", margin, off);
	for (unsigned int i = 0; i < 16; i++)
		add(t, " %02x", bytes[i]);
	add(t, "%s", tail);
}

/* The text again with something at the start and the end of every line. */
static struct text dress(const char *text, size_t len, const char *margin, const char *eol)
{
	struct text t = { 0 };

	for (const char *p = text, *end = text + len, *nl; p < end; p = nl + 1) {
		nl = memchr(p, '\n', (size_t)(end - p));
		nl = nl ? nl : end;
		add(&t, "%s", margin);
		for (const char *q = p; q < nl; q++)
			add(&t, "%c", *q);
		if (nl < end)
			add(&t, "%s", eol);
	}
	return t;
}

/* -------------------------------------------------------------------------------- random hosts -- */

#define FUNCTIONS 4

struct device {
	struct vfcap_address a;
	unsigned int size;
	uint8_t bytes[VFCAP_CFG_SIZE];
};

static void random_device(struct device *d, unsigned int i)
{
	static const unsigned int sizes[] = { 64, 256, VFCAP_CFG_SIZE };

	memset(d, 0, sizeof(*d));
	d->a = (struct vfcap_address){ 0, (uint8_t)(rand() % 256), (uint8_t)i };
	d->size = sizes[rand() % 3];
	for (unsigned int row = 0; row < d->size; row += 16)
		for (unsigned int j = 0; j < 16 && (row == 0 || rand() % 8 == 0); j++)
			d->bytes[row + j] = rand() % 3 ? 0 : (uint8_t)rand();
}

static void add_device(struct text *t, const struct device *d)
{
	char name[VFCAP_ADDRESS_LEN];

	add(t, "%s Ethernet controller: Example Inc. Thing (rev 01)\n",
	    vfcap_address_format(d->a, name));
	for (unsigned int off = 0; off < d->size; off += 16)
		add_row(t, "", off, d->bytes + off, "\n");
	add(t, "\n");
}

static struct text random_host(struct device device[FUNCTIONS])
{
	struct text t = { 0 };

	for (unsigned int i = 0; i < FUNCTIONS; i++) {
		random_device(&device[i], i);
		add_device(&t, &device[i]);
	}
	return t;
}

static void assert_devices(struct reading *r, const struct device *device)
{
	assert_int_equal(r->rc, FUNCTIONS);
	for (unsigned int i = 0; i < FUNCTIONS; i++) {
		struct vfcap_function *fn = r->host.fn[i];

		assert_int_equal(vfcap_address_compare(fn->address, device[i].a), 0);
		assert_int_equal(fn->config_size, device[i].size);
		assert_int_equal(fn->rows->end, device[i].size);
		assert_bytes(fn, 0, device[i].bytes, device[i].size);
		assert_true(fn->has_ids);
		assert_int_equal(fn->vendor, vfcap_le16(device[i].bytes));
		assert_int_equal(fn->class_code, vfcap_le32(device[i].bytes + 8) >> 8);
	}
}

static void assert_same(struct reading *a, struct reading *b)
{
	uint8_t x[VFCAP_CFG_SIZE], y[VFCAP_CFG_SIZE];

	assert_int_equal(a->rc, b->rc);
	assert_int_equal(a->host.n, b->host.n);
	for (size_t i = 0; i < a->host.n; i++) {
		struct vfcap_function *f = a->host.fn[i], *g = b->host.fn[i];

		assert_string_equal(f->name, g->name);
		assert_int_equal(f->config_size, g->config_size);
		assert_memory_equal(f->rows->known, g->rows->known, sizeof(f->rows->known));
		for (unsigned int off = 0; off < VFCAP_CFG_SIZE; off += 4) {
			int n = f->fetch(f, off, 4, x);

			assert_int_equal(n, g->fetch(g, off, 4, y));
			assert_memory_equal(x, y, n);
		}
	}
	assert_int_equal(a->n_log, b->n_log);
	for (size_t i = 0; i < a->n_log; i++)
		assert_string_equal(a->log[i], b->log[i]);
}

/* --------------------------------------------------------------------------------------- forms -- */

#define ROW00 "00: 86 80 c9 10 07 04 10 00 01 00 00 02 10 00 80 00\n"
#define ROW10 "10: 00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f\n"

static void test_plain(void **state)
{
	static const char text[] = "0000:01:00.0 Ethernet controller: Example\n" ROW00 ROW10 "\n"
				   "01:10.0 0200: ffff:ffff (rev 01)\n"
				   "00: ff ff ff ff 00 00 00 00 01 00 00 02 00 00 00 00\n";
	static const uint8_t row10[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };
	struct reading r;

	(void)state;
	read_text(&r, text);
	assert_int_equal(r.rc, 2);
	assert_int_equal(r.n_log, 0);
	assert_string_equal(r.host.fn[0]->name, "0000:01:00.0");
	assert_int_equal(r.host.fn[0]->vendor, 0x8086);
	assert_int_equal(r.host.fn[0]->device, 0x10c9);
	assert_int_equal(r.host.fn[0]->class_code, 0x020000);
	assert_int_equal(r.host.fn[0]->revision, 1);
	assert_int_equal(r.host.fn[0]->config_size, 64);
	assert_false(r.host.fn[0]->known_vf);
	assert_false(r.host.fn[0]->knows_driver);
	assert_bytes(r.host.fn[0], 0x10, row10, 16);
	assert_string_equal(r.host.fn[1]->name, "0000:01:10.0");
	assert_true(r.host.fn[1]->known_vf);
	vfcap_host_clear(&r.host);
}

/* A function that reads all ones everywhere is gone; it is not known to be a VF. */
static void test_all_ones(void **state)
{
	struct reading r;

	(void)state;
	read_text(&r, "01:00.0 x\n00: ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff\n");
	assert_int_equal(r.rc, 1);
	assert_true(r.host.fn[0]->has_ids);
	assert_false(r.host.fn[0]->known_vf);
	vfcap_host_clear(&r.host);
}

/* Any margin and line end gives what plain text gives, and the plain text's own bytes. */
static void test_margins(void **state)
{
	static const struct {
		const char *margin, *eol;
	} forms[] = {
		{ "", "\n" },	    { "", "\r\n" },  { "    ", "\n" },	       { "\t", "\n" },
		{ "> ", "\n" },	    { ">", "\r\n" }, { "> > >  ", "\n" },      { ">>> ", "  \r\n" },
		{ "  > \t", "\n" }, { "", " \n" },   { "", "  |........|\n" },
	};
	struct device device[FUNCTIONS];

	(void)state;
	srand(1);
	for (int round = 0; round < 5; round++) {
		struct text plain = random_host(device);

		for (size_t i = 0; i < COUNT(forms); i++) {
			struct text t = dress(plain.p, plain.len, forms[i].margin, forms[i].eol);
			struct reading r;

			read_bytes(&r, t.p, t.len);
			assert_devices(&r, device);
			assert_int_equal(r.n_log, 0);
			vfcap_host_clear(&r.host);
			free(t.p);
		}
		free(plain.p);
	}
}

static void test_device_lines(void **state)
{
	static const struct {
		const char *line, *name;
	} forms[] = {
		{ "3b:00.1 Host bridge: Foo", "0000:3b:00.1" },
		{ "0000:3b:00.1 0200: 8086:10c9", "0000:3b:00.1" },
		{ "10000:e1:00.0 Non-Volatile memory controller", "10000:e1:00.0" },
		{ "01234567:E1:1F.7 x", "1234567:e1:1f.7" },
		{ "3b:00.1", "0000:3b:00.1" },
		{ "3b:00.1\tx", "0000:3b:00.1" },
		{ "00:02.0 \"VGA compatible controller\" \"Foo\" \"Bar\" -r02", "0000:00:02.0" },
		{ "Slot:\t00:02.0\nClass:\tVGA compatible controller", "0000:00:02.0" },
		{ "Device:\t00:02.0\nClass:\tVGA\nDevice:\tBar 02:00.0", "0000:00:02.0" },
		{ "\357\273\2773b:00.1 after a byte order mark", "0000:3b:00.1" },
	};
	static const char *const not [] = {
		"3b:00.1: x",	 "3b:00.12 x", "3b:00 x", "3b:20.0 x",
		"pci 3b:00.1 x", "3b:00.1,x",  "Slot: 1", "0:3b:00.1 x",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(forms) + COUNT(not ); i++) {
		bool good = i < COUNT(forms);
		struct text t = { 0 };
		struct reading r;

		add(&t, "%s\n%s", good ? forms[i].line : not [i - COUNT(forms)], ROW00);
		read_bytes(&r, t.p, t.len);
		assert_int_equal(r.rc, good);
		assert_int_equal(r.n_log, !good);
		if (good)
			assert_string_equal(r.host.fn[0]->name, forms[i].name);
		vfcap_host_clear(&r.host);
		free(t.p);
	}
}

static void test_decoded_text(void **state)
{
	static const char text[] =
		"00:02.0 VGA compatible controller: Foo (rev 0c) (prog-if 00 [VGA controller])\n"
		"\tControl: I/O+ Mem+ BusMaster+ SpecCycle- MemWINV- VGASnoop- ParErr-\n"
		"\tIOMMU group: 14\n"
		"\tRegion 0: Memory at 50000000 (64-bit, prefetchable) [size=16M]\n"
		"\tCapabilities: [100 v1] Advanced Error Reporting\n"
		"\t\tHeaderLog: 00000000 00000000 00000000 00000000\n"
		"\t\tBA: here, fe: also, c0: ff0\n"
		"\tKernel driver in use: i915\n"
		"\tKernel modules: i915\n" ROW00 "\n"
		"00:03.0 Audio device: Bar\n"
		"\tKernel modules: snd_hda_intel\n" ROW00 "\tKernel driver in use: late\n"
		"Slot:\t00:04.0\nClass:\tAudio device\nDriver:\tHDA Intel\nIOMMUGroup:\t3\n" ROW00
		"00:05.0 x\n\tKernel driver in use: \033[31mevil\n\tIOMMU group: 1x\n" ROW00;
	struct reading r;

	(void)state;
	read_text(&r, text);
	assert_int_equal(r.rc, 4);
	assert_int_equal(r.n_log, 0);
	assert_true(r.host.fn[0]->knows_driver);
	assert_string_equal(r.host.fn[0]->driver, "i915");
	assert_int_equal(r.host.fn[0]->iommu_group, 14);
	assert_false(r.host.fn[1]->knows_driver);
	assert_null(r.host.fn[1]->driver);
	assert_int_equal(r.host.fn[1]->iommu_group, -1);
	assert_string_equal(r.host.fn[2]->driver, "HDA Intel");
	assert_int_equal(r.host.fn[2]->iommu_group, 3);
	assert_null(r.host.fn[3]->driver);
	assert_int_equal(r.host.fn[3]->iommu_group, -1);
	vfcap_host_clear(&r.host);
}

static void test_columns(void **state)
{
	static const char *const rows[] = {
		"00: 86 80 c9 10 07 04 10 00 01 00 00 02 10 00 80 00  ................\n",
		"00: 86 80 c9 10 07 04 10 00 01 00 00 02 10 00 80 00 |................|\n",
		"00:  86 80 c9 10 07 04 10 00  01 00 00 02 10 00 80 00  |ab cd ef 01 23 |\n",
		"000: 86 80 C9 10 07 04 10 00 01 00 00 02 10 00 80 00\n",
		"0000:\t86 80 c9 10 07 04 10 00 01 00 00 02 10 00 80 00\t86 80\n",
	};
	static const uint8_t want[] = { 0x86, 0x80, 0xc9, 0x10, 7,    4, 0x10, 0,
					1,    0,    0,	  2,	0x10, 0, 0x80, 0 };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct text t = { 0 };
		struct reading r;

		add(&t, "00:00.0 x\n%s", rows[i]);
		read_bytes(&r, t.p, t.len);
		assert_int_equal(r.rc, 1);
		assert_int_equal(r.n_log, 0);
		assert_bytes(r.host.fn[0], 0, want, 16);
		vfcap_host_clear(&r.host);
		free(t.p);
	}
}

static void test_order(void **state)
{
	static const char text[] =
		"00:00.0 x\n" ROW10 "30: 03 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00\n" ROW00
		"30: 04 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00\n";
	static const uint8_t four[4] = { 4 };
	uint8_t buf[64];
	struct reading r;

	(void)state;
	read_text(&r, text);
	assert_int_equal(r.rc, 1);
	assert_int_equal(r.n_log, 1);
	assert_string_equal(r.log[0], "dump:6: 0000:00:00.0: bytes 0x020..0x02f are missing");
	assert_int_equal(r.host.fn[0]->fetch(r.host.fn[0], 0, 64, buf), 32);
	assert_bytes(r.host.fn[0], 0x30, four, 4);
	vfcap_host_clear(&r.host);
}

/* ------------------------------------------------------------------------------------- damaged -- */

struct damage {
	const char *text;
	int functions;
	const char *told[4];
};

static const struct damage damages[] = {
	{ ROW00 ROW10 "00:01.0 x\n" ROW00,
	  1,
	  { "dump:1: bytes without a line that names their device, skipped" } },
	{ "00:01.0 x\n" ROW00 "18: 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00\n" ROW10,
	  1,
	  { "dump:3: row 18 is damaged, skipped" } },
	{ "00:01.0 x\n" ROW00 "1000: 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00\n"
	  "10: 00 00 zz 00 00 00 00 00 00 00 00 00 00 00 00 00\n00:02.0 y\n" ROW00,
	  2,
	  { "dump:3: row 1000 is damaged, skipped" } },
	{ "00:01.0 x\n" ROW00 "10: 00 01 02 03 04 5\n00:02.0 x\n20: 01 02 03\n" ROW00,
	  2,
	  { "dump:3: row 10 is cut after 5 bytes", "dump:5: row 20 is cut after 3 bytes" } },
	{ "00:01.0 x\n" ROW00 "20: 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00\n00:02.0 y\n" ROW00,
	  2,
	  { "dump:4: 0000:00:01.0: bytes 0x010..0x01f are missing" } },
	{ "00:01.0 x\n" ROW00 "30: 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00\n"
	  "50: 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00\n",
	  1,
	  { "dump:5: 0000:00:01.0: bytes 0x010..0x02f and others are missing" } },
	{ "00:01.0 x\n" ROW00 "\n00:0z.0 lost\n" ROW00 ROW10 "00:02.0 y\n" ROW00,
	  2,
	  { "dump:5: row 00 again: the line that names its device is missing, skipped" } },
	{ "00:01.0 x\n" ROW00 "13: 00\n\n0002.0 lost\n" ROW00 ROW10,
	  1,
	  { "dump:3: row 13 is damaged, skipped",
	    "dump:6: row 00 again: the line that names its device is missing, skipped" } },
	{ "00:01.0 x\n00: 86 80 c9 10 07 04 10 00 01 00 00 02 10 00 80 000\n" ROW00,
	  1,
	  { "dump:2: row 00 is damaged, skipped" } },
	{ "00:01.0 x\n00: 86 80 c9 10 07 04  |......|\n",
	  1,
	  { "dump:2: row 00 is cut after 6 bytes" } },
	{ "00:01.0 x\n" ROW00 "text\n" ROW10 ROW10 ROW10 "00:02.0 y\n", 1, { NULL } },
	{ "00:01.0 x\n00: 86\n", 0, { "dump:2: row 00 is cut after 1 bytes" } },
	{ "", 0, { NULL } },
	{ "\n\n\n", 0, { NULL } },
	{ "00:01.0 x\n00:02.0 y\n", 0, { NULL } },
};

static void test_damaged(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(damages); i++) {
		struct reading r;
		size_t n = 0;

		read_text(&r, damages[i].text);
		assert_int_equal(r.rc, damages[i].functions);
		for (; damages[i].told[n]; n++) {
			assert_true(n < r.n_log);
			assert_string_equal(r.log[n], damages[i].told[n]);
		}
		assert_int_equal(r.n_log, n);
		/* Whatever was damaged, the first row of every function is whole or absent. */
		for (size_t f = 0; f < r.host.n; f++)
			if (r.host.fn[f]->has_ids)
				assert_int_equal(r.host.fn[f]->vendor, 0x8086);
		vfcap_host_clear(&r.host);
	}
}

static void test_lost_device_line_keeps_record(void **state)
{
	static const uint8_t want[4] = { 0x86, 0x80, 0xc9, 0x10 };
	struct reading r;

	(void)state;
	read_text(&r, "00:01.0 x\n" ROW00 "\n00:0z.0 lost\n\tKernel driver in use: wrong\n"
		      "00: 11 11 11 11 11 11 11 11 11 11 11 11 11 11 11 11\n"
		      "10: 11 11 11 11 11 11 11 11 11 11 11 11 11 11 11 11\n");
	assert_int_equal(r.rc, 1);
	assert_bytes(r.host.fn[0], 0, want, 4);
	assert_int_equal(r.host.fn[0]->rows->end, 16);
	assert_null(r.host.fn[0]->driver);
	vfcap_host_clear(&r.host);
}

static void test_repeated_device(void **state)
{
	static const char text[] =
		"00:01.0 x\n" ROW00 ROW10 "\n00:00.0 x\n" ROW00
		"\n00:01.0 x\n00: 34 12 c9 10 07 04 10 00 01 00 00 02 10 00 80 00\n";
	struct vfcap_function *fn;
	struct reading r;

	(void)state;
	read_text(&r, text);
	assert_int_equal(r.rc, 3);
	assert_int_equal(vfcap_host_finish(&r.host), 0);
	assert_int_equal(r.host.n, 2);
	assert_int_equal(r.n_log, 1);
	assert_non_null(strstr(r.log[0], "0000:00:01.0"));
	fn = vfcap_host_find(&r.host, (struct vfcap_address){ 0, 0, 8 });
	assert_non_null(fn);
	assert_int_equal(fn->vendor, 0x1234);
	assert_int_equal(fn->rows->end, 16);
	vfcap_host_clear(&r.host);
}

static void test_messages_end(void **state)
{
	struct text t = { 0 };
	struct reading r;

	(void)state;
	for (int i = 0; i < 200; i++)
		add(&t, "00:%02x.%x x\n10: 00 zz\n" ROW00, i / 8, i % 8);
	read_bytes(&r, t.p, t.len);
	assert_int_equal(r.rc, 200);
	assert_int_equal(r.n_log, 21);
	assert_string_equal(r.log[20], "dump:62: further messages suppressed");
	vfcap_host_clear(&r.host);
	free(t.p);
}

/* Lines of any length, with anything in them, between two records; also around the buffer's size. */
static void test_long_lines(void **state)
{
	static const char row[] = "10: 00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f ";
	static const size_t lengths[] = { 4000,	  4096,	  4097,	  5000,	  131000,
					  131071, 131072, 131073, 300000, 3000000 };

	(void)state;
	for (size_t i = 0; i < COUNT(lengths) * 2; i++) {
		size_t len = lengths[i / 2];
		struct text t = { 0 };
		struct reading r;
		char *p;

		add(&t, "00:01.0 x\n" ROW00);
		p = malloc(t.len + len + 256);
		assert_non_null(p);
		memcpy(p, t.p, t.len);
		/* What is within a long line is no row, wherever the buffer's border cuts it. */
		for (size_t n = 0; n < len; n++)
			p[t.len + n] = i % 2 ? '\0' : row[n % (sizeof(row) - 1)];
		t.len += len;
		t.len += (size_t)sprintf(p + t.len, "\n00:02.0 y\n%s", ROW00);
		read_bytes(&r, p, t.len);
		assert_int_equal(r.rc, 2);
		assert_int_equal(r.host.fn[0]->rows->end, len <= 4096 && i % 2 == 0 ? 32 : 16);
		assert_int_equal(r.host.fn[1]->rows->end, 16);
		assert_int_equal(r.n_log, 0);
		vfcap_host_clear(&r.host);
		free(t.p);
		free(p);
	}
}

/* The rest of a long line is no row either, where it starts the next piece that is read. */
static void test_long_line_at_border(void **state)
{
	static const char start_text[] = "00:01.0 x\n" ROW00;
	static const size_t borders[] = { 4096, 65536, 128 * 1024, 256 * 1024 };

	(void)state;
	for (size_t i = 0; i < COUNT(borders); i++) {
		char *p = malloc(borders[i] + 256);
		struct reading r;

		assert_non_null(p);
		memset(p, 'x', borders[i]);
		memcpy(p, start_text, sizeof(start_text) - 1);
		strcpy(p + borders[i], ROW10 "00:02.0 y\n" ROW00);
		read_bytes(&r, p, strlen(p));
		assert_int_equal(r.rc, 2);
		assert_int_equal(r.host.fn[0]->rows->end, 16);
		vfcap_host_clear(&r.host);
		free(p);
	}
}

/* Cut anywhere, a dump gives what stands before the cut, and nothing that is not in it. */
static void test_truncated(void **state)
{
	struct device device[FUNCTIONS];
	struct text t;

	(void)state;
	srand(2);
	do {
		t = random_host(device);
		if (t.len > 20000)
			free(t.p);
	} while (t.len > 20000);
	for (size_t len = 0; len <= t.len; len++) {
		struct reading r;

		read_bytes(&r, t.p, len);
		assert_true(r.rc >= 0 && r.rc <= FUNCTIONS);
		assert_true(r.n_log <= 1);
		for (size_t i = 0; i < (size_t)r.rc; i++) {
			struct vfcap_function *fn = r.host.fn[i];

			assert_int_equal(vfcap_address_compare(fn->address, device[i].a), 0);
			assert_true(fn->rows->end <= device[i].size);
			assert_true(i + 1 == (size_t)r.rc || fn->rows->end == device[i].size);
			assert_bytes(fn, 0, device[i].bytes, fn->rows->end);
		}
		vfcap_host_clear(&r.host);
	}
	free(t.p);
}

static void mutate(struct text *t)
{
	static const char alphabet[] = "0123456789abcdefABF: .>|\n\n\r\t zK";

	for (int n = rand() % 6; n >= 0; n--) {
		size_t at = (size_t)rand() % t->len, len = (size_t)rand() % 80;

		if (len > t->len - at)
			len = t->len - at;
		switch (rand() % 4) {
		case 0:
			t->p[at] = alphabet[rand() % (int)(sizeof(alphabet) - 1)];
			break;
		case 1:
			t->p[at] = (char)rand();
			break;
		case 2:
			memmove(t->p + at, t->p + at + len, t->len - at - len);
			t->len -= len < t->len ? len : 0;
			break;
		default:
			memmove(t->p + at, t->p + (size_t)rand() % (t->len - len), len);
		}
	}
}

/* The fast path against the general parser: a quoted text never takes the fast one. */
static void test_differential(void **state)
{
	struct device device[FUNCTIONS];

	(void)state;
	srand(3);
	for (int round = 0; round < 1500; round++) {
		struct text t = random_host(device), quoted;
		struct reading fast, slow;

		mutate(&t);
		quoted = dress(t.p, t.len, "> ", "\n");
		read_bytes(&fast, t.p, t.len);
		read_bytes(&slow, quoted.p, quoted.len);
		assert_same(&fast, &slow);
		vfcap_host_clear(&fast.host);
		vfcap_host_clear(&slow.host);
		free(t.p);
		free(quoted.p);
	}
}

/* --------------------------------------------------------------------------------------- files -- */

static char *temporary(const char *bytes, size_t len, char path[64])
{
	int fd;

	strcpy(path, "/tmp/vfcap-test-XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	close(fd);
	return path;
}

static void add_file(struct reading *r, const char *address, const char *bytes, size_t len)
{
	char path[64], spec[128];

	start(r);
	snprintf(spec, sizeof(spec), "%s%s", address, temporary(bytes, len, path));
	r->rc = vfcap_file_add(&r->host, spec);
	unlink(path);
}

static void test_images(void **state)
{
	static const unsigned int sizes[] = { 64, 256, VFCAP_CFG_SIZE };
	char bytes[VFCAP_CFG_SIZE];

	(void)state;
	for (unsigned int i = 0; i < VFCAP_CFG_SIZE; i++)
		bytes[i] = i % 96 < 80 ? (char)(i * 7) : 0;
	for (size_t i = 0; i < COUNT(sizes) * 2; i++) {
		unsigned int size = sizes[i / 2];
		struct reading r;

		add_file(&r, i % 2 ? "" : "0001:02:03.4=", bytes, size);
		assert_int_equal(r.rc, 0);
		assert_int_equal(r.host.n, 1);
		assert_string_equal(r.host.fn[0]->name, i % 2 ? "0000:00:00.0" : "0001:02:03.4");
		assert_int_equal(r.host.fn[0]->config_size, size);
		assert_true(r.host.fn[0]->has_ids);
		assert_bytes(r.host.fn[0], 0, (const uint8_t *)bytes, size);
		vfcap_host_clear(&r.host);
	}
}

/* A dump of exactly an image's size is a dump, however much of it is not text. */
static void test_text_of_image_size(void **state)
{
	char text[256] = "00:01.0 x\n" ROW00;
	struct reading r;

	(void)state;
	memset(text + strlen(text), '\n', sizeof(text) - strlen(text));
	add_file(&r, "", text, sizeof(text));
	assert_int_equal(r.rc, 0);
	assert_string_equal(r.host.fn[0]->name, "0000:00:01.0");
	vfcap_host_clear(&r.host);
	text[255] = '\0';
	add_file(&r, "", text, sizeof(text));
	assert_string_equal(r.host.fn[0]->name, "0000:00:01.0");
	vfcap_host_clear(&r.host);
}

static void test_two_images_collide(void **state)
{
	char bytes[64] = { 1 }, path[64];
	struct reading r;

	(void)state;
	start(&r);
	assert_int_equal(vfcap_file_add(&r.host, temporary(bytes, 64, path)), 0);
	unlink(path);
	bytes[0] = 2;
	assert_int_equal(vfcap_file_add(&r.host, temporary(bytes, 64, path)), 0);
	unlink(path);
	assert_int_equal(vfcap_host_finish(&r.host), 0);
	assert_int_equal(r.host.n, 1);
	assert_int_equal(r.host.fn[0]->vendor, 2);
	assert_int_equal(r.n_log, 1);
	vfcap_host_clear(&r.host);
}

static void test_no_files(void **state)
{
	static const struct {
		const char *address, *bytes;
		size_t len;
		const char *why;
	} bad[] = {
		{ "", "", 0, "empty" },
		{ "", "hello\n", 6, "6 bytes are neither a raw image" },
		{ "", "\0\0\0", 3, "3 bytes are neither a raw image" },
		{ "", "00:01.0 Host bridge: Foo\n", 25, "lspci -xxxx" },
		{ "", ROW00, sizeof(ROW00) - 1, "names its device" },
		{ "00:01.0=", "00:02.0 x\n" ROW00, sizeof(ROW00) + 9, "addresses of its own" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct reading r;

		add_file(&r, bad[i].address, bad[i].bytes, bad[i].len);
		assert_int_equal(r.rc, -EINVAL);
		assert_int_equal(strncmp(r.host.error, "/tmp/vfcap-test-", 16), 0);
		assert_non_null(strstr(r.host.error, bad[i].why));
		vfcap_host_clear(&r.host);
	}
}

static void test_no_regular_files(void **state)
{
	static const struct {
		const char *spec;
		int rc;
	} bad[] = {
		{ "/nonexistent/file", -ENOENT },
		{ "/tmp", -EISDIR },
		{ "/dev/null", -EINVAL },
		{ "/dev/zero", -EINVAL },
		{ "00:01.0=/nonexistent", -ENOENT },
		{ "", -ENOENT },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct reading r;

		start(&r);
		assert_int_equal(vfcap_file_add(&r.host, bad[i].spec), bad[i].rc);
		assert_true(r.host.error[0]);
		assert_int_equal(r.host.n, 0);
	}
}

/* A named pipe that is filled slowly: a raw image in pieces is still a raw image. */
static void test_fifo(void **state)
{
	char dir[] = "/tmp/vfcap-test-XXXXXX", path[64], bytes[256] = { 0x34, 0x12 };
	struct reading r;
	pid_t child;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/fifo", dir);
	assert_int_equal(mkfifo(path, 0600), 0);
	child = fork();
	assert_true(child >= 0);
	if (!child) {
		int fd = open(path, O_WRONLY);

		for (size_t i = 0; i < sizeof(bytes); i += 32)
			if (write(fd, bytes + i, 32) != 32 || usleep(1000))
				_exit(1);
		_exit(0);
	}
	start(&r);
	assert_int_equal(vfcap_file_add(&r.host, path), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_int_equal(r.host.n, 1);
	assert_int_equal(r.host.fn[0]->vendor, 0x1234);
	assert_int_equal(r.host.fn[0]->config_size, 256);
	vfcap_host_clear(&r.host);
	unlink(path);
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_all_ones),
		cmocka_unit_test(test_margins),
		cmocka_unit_test(test_device_lines),
		cmocka_unit_test(test_decoded_text),
		cmocka_unit_test(test_columns),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_lost_device_line_keeps_record),
		cmocka_unit_test(test_repeated_device),
		cmocka_unit_test(test_messages_end),
		cmocka_unit_test(test_long_lines),
		cmocka_unit_test(test_long_line_at_border),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_differential),
		cmocka_unit_test(test_images),
		cmocka_unit_test(test_text_of_image_size),
		cmocka_unit_test(test_two_images_collide),
		cmocka_unit_test(test_no_files),
		cmocka_unit_test(test_no_regular_files),
		cmocka_unit_test(test_fifo),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
