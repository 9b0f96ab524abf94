// SPDX-License-Identifier: GPL-2.0-or-later
/* Archives: blocks of 512 bytes, a header for each entry and then its bytes. */
#include "tar.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct header {
	char name[100];
	char mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8];
	char type;
	char linkname[100];
	char magic[6], version[2];
	char uname[32], gname[32];
	char major[8], minor[8];
	char prefix[155];
	char pad[12];
};

_Static_assert(sizeof(struct header) == VFCAP_TAR_BLOCK, "a header is a block");

#define TYPE_FILE '0'
#define TYPE_OLD_FILE '\0'
#define TYPE_LINK '2'
#define TYPE_DIR '5'
#define TYPE_PAX 'x' /* attributes of the entry that follows */
#define TYPE_PAX_ALL 'g'
#define TYPE_GNU_NAME 'L' /* the name of the entry that follows */
#define TYPE_GNU_LINK 'K'

#define EXTRA_MOST 65536 /* bytes of attributes or of a long name */

/* The sum of a header's bytes, of which those of the sum itself count as blanks. */
static unsigned int checksum(const struct header *h)
{
	const uint8_t *bytes = (const uint8_t *)h;
	unsigned int sum = sizeof(h->checksum) * ' ';

	for (size_t i = 0; i < sizeof(*h); i++)
		sum += bytes[i];
	for (size_t i = 0; i < sizeof(h->checksum); i++)
		sum -= (uint8_t)h->checksum[i];
	return sum;
}

/* ------------------------------------------------------------------------------------ writing -- */

static int write_all(struct vfcap_tar_out *tar, const void *data, size_t len)
{
	const uint8_t *bytes = data;

	while (len) {
		ssize_t n = TEMP_FAILURE_RETRY(write(tar->fd, bytes, len));

		if (n < 0)
			return -errno;
		bytes += n;
		len -= (size_t)n;
		tar->stored += (uint64_t)n;
	}
	return 0;
}

static int write_packed(void *arg, const void *data, size_t len)
{
	return write_all(arg, data, len);
}

static void flush(struct vfcap_tar_out *tar, bool last)
{
	if (!tar->err && tar->gzip)
		tar->err = vfcap_gzip_put(tar->gzip, tar->buf, tar->n, last, write_packed, tar);
	else if (!tar->err)
		tar->err = write_all(tar, tar->buf, tar->n);
	tar->n = 0;
}

static void put(struct vfcap_tar_out *tar, const void *data, size_t len)
{
	const uint8_t *bytes = data;

	tar->written += len;
	while (len && !tar->err) {
		size_t room = sizeof(tar->buf) - tar->n, part = len < room ? len : room;

		memcpy(tar->buf + tar->n, bytes, part);
		tar->n += part;
		bytes += part;
		len -= part;
		if (tar->n == sizeof(tar->buf))
			flush(tar, false);
	}
}

static void fill_up(struct vfcap_tar_out *tar)
{
	static const uint8_t zeros[VFCAP_TAR_BLOCK];

	put(tar, zeros, (VFCAP_TAR_BLOCK - tar->written % VFCAP_TAR_BLOCK) % VFCAP_TAR_BLOCK);
}

/* Whole, or in two parts at a slash. */
static bool put_name(struct header *h, const char *path)
{
	size_t len = strlen(path);
	const char *slash;

	if (len <= sizeof(h->name)) {
		memcpy(h->name, path, len);
		return true;
	}
	slash = strchr(path + len - sizeof(h->name) - 1, '/');
	if (!slash || slash == path || !slash[1] || (size_t)(slash - path) > sizeof(h->prefix))
		return false;
	memcpy(h->prefix, path, (size_t)(slash - path));
	memcpy(h->name, slash + 1, strlen(slash + 1));
	return true;
}

/* The same archive of the same host, whoever writes it and when. */
static void put_header(struct vfcap_tar_out *tar, struct header *h, char type, size_t size)
{
	snprintf(h->mode, sizeof(h->mode), "%07o", type == TYPE_DIR ? 0755 : 0644);
	snprintf(h->uid, sizeof(h->uid), "%07o", 0);
	snprintf(h->gid, sizeof(h->gid), "%07o", 0);
	snprintf(h->size, sizeof(h->size), "%011zo", size);
	snprintf(h->mtime, sizeof(h->mtime), "%011o", 0);
	h->type = type;
	memcpy(h->magic, "ustar", 6);
	memcpy(h->version, "00", 2);
	snprintf(h->checksum, sizeof(h->checksum), "%06o", checksum(h));
	h->checksum[7] = ' ';
	put(tar, h, sizeof(*h));
}

/* The length of "LENGTH KEY=VALUE\n", which counts its own digits. */
static size_t record_len(const char *key, const char *value)
{
	size_t len = strlen(key) + strlen(value) + 3, digits = 1;

	while (snprintf(NULL, 0, "%zu", len + digits) != (int)digits)
		digits++;
	return len + digits;
}

static void put_record(struct vfcap_tar_out *tar, const char *key, const char *value)
{
	char start[64];
	int n = snprintf(start, sizeof(start), "%zu %s=", record_len(key, value), key);

	put(tar, start, (size_t)n);
	put(tar, value, strlen(value));
	put(tar, "\n", 1);
}

/* What is too long for a header stands in one before it. NULL: it is not. */
static void put_extra(struct vfcap_tar_out *tar, const char *path, const char *target)
{
	struct header h = { .name = "pax" };
	size_t len = 0;

	if (!path && !target)
		return;
	if (path)
		len += record_len("path", path);
	if (target)
		len += record_len("linkpath", target);
	put_header(tar, &h, TYPE_PAX, len);
	if (path)
		put_record(tar, "path", path);
	if (target)
		put_record(tar, "linkpath", target);
	fill_up(tar);
}

static void put_entry(struct vfcap_tar_out *tar, const char *path, char type, const char *target,
		      size_t size)
{
	struct header h = { 0 };
	bool whole;

	if (strlen(path) >= VFCAP_TAR_PATH || strlen(target) >= VFCAP_TAR_PATH) {
		tar->err = tar->err ? tar->err : -ENAMETOOLONG;
		return;
	}
	whole = put_name(&h, path);
	if (!whole)
		memcpy(h.name, path, sizeof(h.name));
	memcpy(h.linkname, target, strnlen(target, sizeof(h.linkname)));
	put_extra(tar, whole ? NULL : path, strlen(target) > sizeof(h.linkname) ? target : NULL);
	put_header(tar, &h, type, size);
}

void vfcap_tar_begin(struct vfcap_tar_out *tar, int fd, bool packed)
{
	tar->fd = fd;
	tar->gzip = packed ? vfcap_gzip_new() : NULL;
	tar->err = packed && !tar->gzip ? -ENOMEM : 0;
	tar->written = 0;
	tar->stored = 0;
	tar->n = 0;
}

void vfcap_tar_add(struct vfcap_tar_out *tar, const char *path, const void *data, size_t len)
{
	put_entry(tar, path, TYPE_FILE, "", len);
	put(tar, data, len);
	fill_up(tar);
}

void vfcap_tar_add_dir(struct vfcap_tar_out *tar, const char *path)
{
	put_entry(tar, path, TYPE_DIR, "", 0);
}

void vfcap_tar_add_link(struct vfcap_tar_out *tar, const char *path, const char *target)
{
	put_entry(tar, path, TYPE_LINK, target, 0);
}

int vfcap_tar_end(struct vfcap_tar_out *tar)
{
	static const uint8_t zeros[2 * VFCAP_TAR_BLOCK];

	put(tar, zeros, sizeof(zeros));
	flush(tar, true);
	vfcap_gzip_free(tar->gzip);
	tar->gzip = NULL;
	return tar->err;
}

/* ------------------------------------------------------------------------------------ reading -- */

static int bad(struct vfcap_tar_in *tar, const char *why)
{
	tar->why = why;
	return -EBADMSG;
}

/* Octal digits, with blanks around them; false: none, or more than fits. */
static bool octal(const char *field, size_t len, uint64_t *val)
{
	size_t i = 0;

	*val = 0;
	while (i < len && field[i] == ' ')
		i++;
	if (i == len || field[i] < '0' || field[i] > '7')
		return false;
	for (; i < len && field[i] >= '0' && field[i] <= '7'; i++)
		*val = *val << 3 | (uint64_t)(field[i] - '0');
	return i == len || field[i] == ' ' || !field[i];
}

bool vfcap_tar_is_header(const void *block)
{
	const struct header *h = block;
	uint64_t sum;

	return memcmp(h->magic, "ustar", 5) == 0 && octal(h->checksum, sizeof(h->checksum), &sum) &&
	       sum == checksum(h);
}

/* The next len bytes, and what fills up their last block; NULL: the archive ends before. */
static const char *take(struct vfcap_tar_in *tar, uint64_t len)
{
	const char *bytes = tar->data + tar->at;
	size_t left = tar->size - tar->at;
	uint64_t whole = (len + VFCAP_TAR_BLOCK - 1) / VFCAP_TAR_BLOCK * VFCAP_TAR_BLOCK;

	tar->at += whole < left ? (size_t)whole : left;
	return len > left ? NULL : bytes;
}

static void copy_field(char *to, const char *field, size_t len)
{
	len = strnlen(field, len);
	memcpy(to, field, len);
	to[len] = '\0';
}

static int copy_long(struct vfcap_tar_in *tar, char to[VFCAP_TAR_PATH], const char *from,
		     size_t len)
{
	if (len >= VFCAP_TAR_PATH || memchr(from, '\0', len))
		return bad(tar, "a name in it is too long, or no text");
	memcpy(to, from, len);
	to[len] = '\0';
	return 0;
}

/* What stands before an entry in extra headers. */
struct extra {
	bool has_path, has_target;
};

/* The length of a record, which stands before it; 0: no record begins there. */
static size_t record_begin(const char *text, size_t len, const char **key)
{
	size_t n = 0, i = 0;

	for (; i < len && text[i] >= '0' && text[i] <= '9' && n <= EXTRA_MOST; i++)
		n = 10 * n + (size_t)(text[i] - '0');
	*key = text + i + 1;
	return i < len && text[i] == ' ' && n > i + 1 && n <= len && text[n - 1] == '\n' ? n : 0;
}

/* Records of "LENGTH KEY=VALUE\n". Those that are neither names nor sizes do not matter. */
static int take_pax(struct vfcap_tar_in *tar, const char *text, size_t len,
		    struct vfcap_tar_entry *entry, struct extra *extra)
{
	int err = 0;

	while (len && !err) {
		const char *key, *value;
		size_t n = record_begin(text, len, &key), value_len;
		const char *eq = n ? memchr(key, '=', (size_t)(text + n - key)) : NULL;

		if (!eq)
			return bad(tar, "a header in it makes no sense");
		value = eq + 1;
		value_len = (size_t)(text + n - 1 - value);
		if (eq - key == 4 && memcmp(key, "path", 4) == 0) {
			extra->has_path = true;
			err = copy_long(tar, entry->path, value, value_len);
		} else if (eq - key == 8 && memcmp(key, "linkpath", 8) == 0) {
			extra->has_target = true;
			err = copy_long(tar, entry->target, value, value_len);
		} else if (eq - key == 4 && memcmp(key, "size", 4) == 0) {
			return bad(tar, "a file in it is too large");
		}
		text += n;
		len -= n;
	}
	return err;
}

static int take_extra(struct vfcap_tar_in *tar, char type, uint64_t size,
		      struct vfcap_tar_entry *entry, struct extra *extra)
{
	const char *text;

	if (size > EXTRA_MOST)
		return bad(tar, "a header in it is too long");
	text = take(tar, size);
	if (!text)
		return bad(tar, "it ends too early");
	if (type == TYPE_PAX)
		return take_pax(tar, text, (size_t)size, entry, extra);
	if (type == TYPE_GNU_NAME)
		extra->has_path = true;
	else
		extra->has_target = true;
	return copy_long(tar, type == TYPE_GNU_NAME ? entry->path : entry->target, text,
			 strnlen(text, (size_t)size));
}

static int take_entry(struct vfcap_tar_in *tar, const struct header *h, uint64_t size,
		      struct vfcap_tar_entry *entry, const struct extra *extra)
{
	size_t len = 0;

	if (!extra->has_path) {
		if (h->prefix[0] && memcmp(h->magic, "ustar", 6) == 0) {
			copy_field(entry->path, h->prefix, sizeof(h->prefix));
			len = strlen(entry->path);
			entry->path[len++] = '/';
		}
		copy_field(entry->path + len, h->name, sizeof(h->name));
	}
	if (!extra->has_target)
		copy_field(entry->target, h->linkname, sizeof(h->linkname));
	entry->size = size;
	entry->bytes = take(tar, size);
	switch (h->type) {
	case TYPE_FILE:
	case TYPE_OLD_FILE:
		entry->type = VFCAP_TAR_FILE;
		return 1;
	case TYPE_DIR:
		entry->type = VFCAP_TAR_DIR;
		return 1;
	case TYPE_LINK:
		entry->type = VFCAP_TAR_LINK;
		return 1;
	default:
		return bad(tar, "there is more in it than files, directories and symbolic links");
	}
}

void vfcap_tar_open(struct vfcap_tar_in *tar, const void *data, size_t size)
{
	*tar = (struct vfcap_tar_in){ .data = data, .size = size };
}

/* 1, 0 at the end, or -EBADMSG. */
static int take_header(struct vfcap_tar_in *tar, const struct header **h, uint64_t *size)
{
	static const struct header end;

	*h = (const struct header *)take(tar, sizeof(**h));
	if (!*h)
		return bad(tar, "it ends too early");
	if (memcmp(*h, &end, sizeof(end)) == 0)
		return 0;
	if (!vfcap_tar_is_header(*h) || !octal((*h)->size, sizeof((*h)->size), size))
		return bad(tar, "a header in it makes no sense");
	return 1;
}

int vfcap_tar_next(struct vfcap_tar_in *tar, struct vfcap_tar_entry *entry)
{
	struct extra extra = { 0 };
	const struct header *h;
	uint64_t size;
	int ret;

	do {
		ret = take_header(tar, &h, &size);
		if (ret <= 0)
			return ret;
		if (h->type == TYPE_PAX || h->type == TYPE_GNU_NAME || h->type == TYPE_GNU_LINK)
			ret = take_extra(tar, h->type, size, entry, &extra);
		else if (h->type != TYPE_PAX_ALL)
			return take_entry(tar, h, size, entry, &extra);
		else
			ret = take(tar, size) ? 0 : bad(tar, "it ends too early");
	} while (!ret);
	return ret;
}
