// SPDX-License-Identifier: GPL-2.0-or-later
/* Any bytes as an archive: what is read ends, is bounded by them, and written anew it reads the same. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../src/host/tar.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define KEPT 64 /* entries that are written anew */

struct kept {
	struct vfcap_tar_entry entry;
	uint8_t *bytes; /* entry.size of them */
};

/* All bytes of a file that the archive has, and no more. */
static uint8_t *read_file(struct vfcap_tar_in *tar, const struct vfcap_tar_entry *entry,
			  size_t most)
{
	uint8_t *bytes = malloc(most + 1);
	size_t n = 0;
	long got;

	assert(bytes);
	while ((got = vfcap_tar_read(tar, bytes + n, most + 1 - n)) > 0) {
		n += (size_t)got;
		assert(n <= most);
	}
	if (got == 0 && n == entry->size)
		return bytes;
	assert(got < 0 && tar->why);
	free(bytes);
	return NULL;
}

static size_t read_all(int fd, struct kept kept[KEPT], size_t most)
{
	struct vfcap_tar_in tar;
	size_t n = 0;
	int ret = 1;

	assert(!lseek(fd, 0, SEEK_SET));
	vfcap_tar_open(&tar, fd);
	while (n < KEPT && (ret = vfcap_tar_next(&tar, &kept[n].entry)) > 0) {
		assert(strnlen(kept[n].entry.path, VFCAP_TAR_PATH) < VFCAP_TAR_PATH);
		kept[n].bytes = NULL;
		if (kept[n].entry.type == VFCAP_TAR_FILE) {
			kept[n].bytes = read_file(&tar, &kept[n].entry, most);
			if (!kept[n].bytes)
				break;
		}
		n++;
	}
	assert(ret >= 0 || tar.why);
	return n;
}

static void write_all(int fd, const struct kept *kept, size_t n)
{
	static struct vfcap_tar_out out;

	vfcap_tar_begin(&out, fd);
	for (size_t i = 0; i < n; i++) {
		const struct vfcap_tar_entry *e = &kept[i].entry;

		if (e->type == VFCAP_TAR_FILE)
			vfcap_tar_add(&out, e->path, kept[i].bytes, (size_t)e->size);
		else if (e->type == VFCAP_TAR_DIR)
			vfcap_tar_add_dir(&out, e->path);
		else
			vfcap_tar_add_link(&out, e->path, e->target);
	}
	assert(vfcap_tar_end(&out) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct kept kept[KEPT], again[KEPT];
	int in = memfd_create("in", MFD_CLOEXEC), out = memfd_create("out", MFD_CLOEXEC);
	size_t n, n_again;

	assert(in >= 0 && out >= 0 && write(in, data, size) == (ssize_t)size);
	n = read_all(in, kept, size);
	write_all(out, kept, n);
	n_again = read_all(out, again, size);
	assert(n == n_again);
	for (size_t i = 0; i < n; i++) {
		const struct vfcap_tar_entry *a = &kept[i].entry, *b = &again[i].entry;

		assert(a->type == b->type && strcmp(a->path, b->path) == 0);
		assert(a->type != VFCAP_TAR_LINK || strcmp(a->target, b->target) == 0);
		assert(a->type != VFCAP_TAR_FILE ||
		       (a->size == b->size &&
			!memcmp(kept[i].bytes, again[i].bytes, (size_t)a->size)));
		free(kept[i].bytes);
		free(again[i].bytes);
	}
	close(in);
	close(out);
	return 0;
}
