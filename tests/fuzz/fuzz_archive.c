// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Any bytes as an archive in memory: what is made of it is a tree, every node of it is found by its path, no path leads
 * out of it, and written anew it reads the same.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../src/util/archive.h"
#include "../../src/util/tar.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define UNPACKED_MOST (4u << 20)

/* Where a node of the tree is, and what it is. */
struct seen {
	char path[VFCAP_TAR_PATH];
	const char *bytes;
	ssize_t n;
	enum vfcap_tar_type type;
};

static void look(const struct vfcap_archive *a, uint32_t node, struct seen *seen)
{
	assert(vfcap_archive_path(a, node, seen->path, sizeof(seen->path)) > 0);
	seen->n = vfcap_archive_bytes(a, node, &seen->bytes);
	if (vfcap_archive_is_dir(a, node)) {
		assert(seen->n == -EISDIR);
		seen->type = VFCAP_TAR_DIR;
	} else if (seen->n == -ELOOP) {
		seen->n = vfcap_archive_link(a, node, &seen->bytes);
		assert(seen->n > 0);
		seen->type = VFCAP_TAR_LINK;
	} else {
		assert(seen->n >= 0 && vfcap_archive_link(a, node, &(const char *){ NULL }) < 0);
		seen->type = VFCAP_TAR_FILE;
	}
}

static unsigned int sum(const struct seen *seen)
{
	unsigned int n = 0;

	for (ssize_t i = 0; i < seen->n; i++)
		n += (unsigned char)seen->bytes[i];
	return n;
}

/* Paths of a node, of what is below it, and of where it leads. */
static void find(const struct vfcap_archive *a, uint32_t node, struct seen *seen)
{
	char path[2 * VFCAP_TAR_PATH];
	int led = vfcap_archive_find(a, VFCAP_ARCHIVE_TOP, seen->path, false);

	assert(vfcap_archive_find(a, VFCAP_ARCHIVE_TOP, seen->path, true) == (int)node);
	assert(seen->type == VFCAP_TAR_LINK || led == (int)node);
	snprintf(path, sizeof(path), "../%s/../.", seen->path);
	led = vfcap_archive_find(a, node, path, false);
	assert(led < 0 || vfcap_archive_is_dir(a, (uint32_t)led));
	if (seen->type == VFCAP_TAR_LINK && memchr(seen->bytes, '\0', (size_t)seen->n) == NULL)
		led = vfcap_archive_find(a, node, seen->bytes, true);
	assert(led < 0 || vfcap_archive_path(a, (uint32_t)led, path, sizeof(path)) >= 0);
}

static void write_node(struct vfcap_tar_out *out, const struct seen *seen)
{
	if (seen->type == VFCAP_TAR_FILE)
		vfcap_tar_add(out, seen->path, seen->bytes, (size_t)seen->n);
	else if (seen->type == VFCAP_TAR_DIR)
		vfcap_tar_add_dir(out, seen->path);
	else
		vfcap_tar_add_link(out, seen->path, seen->bytes);
}

/* All below a directory: how many they are. */
static size_t walk(const struct vfcap_archive *a, uint32_t dir, struct vfcap_tar_out *out)
{
	struct seen *seen = malloc(sizeof(*seen));
	size_t n = 0;

	assert(seen);
	for (uint32_t node = vfcap_archive_first(a, dir); node;
	     node = vfcap_archive_next(a, node)) {
		look(a, node, seen);
		sum(seen);
		find(a, node, seen);
		write_node(out, seen);
		n += 1 + (seen->type == VFCAP_TAR_DIR ? walk(a, node, out) : 0);
	}
	free(seen);
	return n;
}

/* How many nodes of one tree are the same in the other. */
static size_t compare(const struct vfcap_archive *a, uint32_t dir, const struct vfcap_archive *b)
{
	struct seen *x = malloc(2 * sizeof(*x)), *y = x + 1;
	size_t n = 0;
	int other;

	assert(x);
	for (uint32_t node = vfcap_archive_first(a, dir); node;
	     node = vfcap_archive_next(a, node)) {
		look(a, node, x);
		other = vfcap_archive_find(b, VFCAP_ARCHIVE_TOP, x->path, true);
		assert(other > 0);
		look(b, (uint32_t)other, y);
		assert(x->type == y->type && x->n == y->n);
		assert(x->n < 0 || memcmp(x->bytes, y->bytes, (size_t)x->n) == 0);
		n += 1 + (x->type == VFCAP_TAR_DIR ? compare(a, node, b) : 0);
	}
	free(x);
	return n;
}

/* Gives every header the sum of its bytes, so that more than sums is looked at. */
static void mend(char *bytes, size_t size)
{
	for (char *h = bytes; size >= VFCAP_TAR_BLOCK; h += VFCAP_TAR_BLOCK) {
		unsigned int n = 0;

		size -= VFCAP_TAR_BLOCK;
		if (memcmp(h + 257, "ustar", 5))
			continue;
		memset(h + 148, ' ', 8);
		for (int i = 0; i < VFCAP_TAR_BLOCK; i++)
			n += (unsigned char)h[i];
		snprintf(h + 148, 8, "%06o", n);
	}
}

static struct vfcap_archive *make(const uint8_t *data, size_t size)
{
	struct vfcap_archive *a = NULL;
	const char *why;
	char *bytes;
	int err;

	if (vfcap_is_gzip(data, size)) {
		if (vfcap_gunzip(data, size, UNPACKED_MOST, &bytes, &size))
			return NULL;
	} else {
		bytes = malloc(size + 1);
		assert(bytes);
		memcpy(bytes, data, size);
	}
	mend(bytes, size);
	err = vfcap_archive_new(&a, bytes, size, &why);
	assert(!err == (a != NULL) && (!err || (err == -EBADMSG && why)));
	return a;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct vfcap_tar_out out;
	struct vfcap_archive *a = make(data, size), *again;
	int fd = memfd_create("again", MFD_CLOEXEC);
	char file[64], *bytes;
	const char *why;
	size_t n;

	assert(fd >= 0);
	vfcap_tar_begin(&out, fd, size % 2);
	n = a ? walk(a, VFCAP_ARCHIVE_TOP, &out) : 0;
	assert(vfcap_tar_end(&out) == 0);
	if (n) {
		snprintf(file, sizeof(file), "/proc/self/fd/%d", fd);
		assert(vfcap_archive_load(file, &bytes, &size, &why) == 0);
		assert(vfcap_archive_new(&again, bytes, size, &why) == 0);
		assert(compare(a, VFCAP_ARCHIVE_TOP, again) == n);
		assert(compare(again, VFCAP_ARCHIVE_TOP, a) == n);
		vfcap_archive_free(again);
	}
	vfcap_archive_free(a);
	close(fd);
	return 0;
}
