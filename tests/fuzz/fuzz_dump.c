// SPDX-License-Identifier: GPL-2.0-or-later
/* Any bytes as dump text: what is read is bounded by them, and quoting every line changes nothing. */
#include <assert.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../src/host/host.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void count(void *arg, const char *line)
{
	assert(line[0]);
	(*(size_t *)arg)++;
}

static ssize_t read_bytes(struct vfcap_host *h, const uint8_t *data, size_t size)
{
	int fd = memfd_create("dump", MFD_CLOEXEC);
	ssize_t n;

	assert(fd >= 0 && write(fd, data, size) == (ssize_t)size && !lseek(fd, 0, SEEK_SET));
	n = vfcap_dump_read(h, fd, "dump");
	close(fd);
	return n;
}

static void check_function(struct vfcap_function *fn)
{
	uint8_t buf[VFCAP_CFG_SIZE];
	unsigned int n = 0;

	for (unsigned int i = 0; i < VFCAP_CFG_SIZE / 16 / 32; i++)
		n += (unsigned int)__builtin_popcount(fn->rows->nonzero[i]);
	assert(n == fn->rows->n && n <= fn->rows->room);
	assert(fn->rows->end && fn->rows->end <= fn->config_size && fn->rows->end % 4 == 0);
	for (unsigned int off = 0; off < VFCAP_CFG_SIZE; off += 256) {
		int got = fn->fetch(fn, off, VFCAP_CFG_SIZE - off, buf);

		assert(got >= 0 && got % 4 == 0 && off + (unsigned int)got <= VFCAP_CFG_SIZE);
		assert(!got || off + (unsigned int)got <= fn->rows->end);
	}
}

/* A margin keeps the fast path away; a first line may have a byte order mark, which stands before it. */
static uint8_t *quote(const uint8_t *data, size_t size, size_t *len)
{
	uint8_t *text = malloc(2 * size + 2), *p = text;

	assert(text);
	for (size_t i = 0; i < size; i++) {
		if (!i || data[i - 1] == '\n')
			*p++ = '>';
		*p++ = data[i];
	}
	*len = (size_t)(p - text);
	return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t told[2] = { 0 }, len;
	struct vfcap_host a = { .log = count, .log_arg = &told[0] };
	struct vfcap_host b = { .log = count, .log_arg = &told[1] };
	uint8_t *quoted = quote(data, size, &len);
	ssize_t n = read_bytes(&a, data, size);

	assert(n >= 0 && (size_t)n == a.n && told[0] <= 21 && a.n * 18 <= size);
	for (size_t i = 0; i < a.n; i++)
		check_function(a.fn[i]);
	if (size < 4000 && !(size > 2 && data[0] == 0xef)) {
		assert(read_bytes(&b, quoted, len) == n && told[0] == told[1]);
		for (size_t i = 0; i < b.n; i++)
			assert(!memcmp(a.fn[i]->rows->known, b.fn[i]->rows->known,
				       sizeof(a.fn[i]->rows->known)) &&
			       a.fn[i]->rows->n == b.fn[i]->rows->n &&
			       (!a.fn[i]->rows->n || !memcmp(a.fn[i]->rows->row, b.fn[i]->rows->row,
							     16 * a.fn[i]->rows->n)));
	}
	assert(!vfcap_host_finish(&a) && a.n <= (size_t)n);
	vfcap_host_clear(&a);
	vfcap_host_clear(&b);
	free(quoted);
	return 0;
}
