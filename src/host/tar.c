// SPDX-License-Identifier: GPL-2.0-or-later
/* Archives: blocks of 512 bytes, a header for each entry and then its bytes. */
#include "tar.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
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

/* Its own field counts as blanks. */
static unsigned int checksum(const struct header *h)
{
	const uint8_t *bytes = (const uint8_t *)h;
	unsigned int sum = 0;

	for (size_t i = 0; i < sizeof(*h); i++) {
		bool own =
			i >= offsetof(struct header, checksum) && i < offsetof(struct header, type);

		sum += own ? ' ' : bytes[i];
	}
	return sum;
}

/* ------------------------------------------------------------------------------------ writing -- */

static void flush(struct vfcap_tar_out *tar)
{
	size_t done = 0;

	while (!tar->err && done < tar->n) {
		ssize_t n = TEMP_FAILURE_RETRY(write(tar->fd, tar->buf + done, tar->n - done));

		if (n < 0)
			tar->err = -errno;
		else
			done += (size_t)n;
	}
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
			flush(tar);
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

void vfcap_tar_begin(struct vfcap_tar_out *tar, int fd)
{
	tar->fd = fd;
	tar->err = 0;
	tar->written = 0;
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
	flush(tar);
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

bool vfcap_tar_is_header(const uint8_t block[VFCAP_TAR_BLOCK])
{
	const struct header *h = (const struct header *)block;
	uint64_t sum;

	return memcmp(h->magic, "ustar", 5) == 0 && octal(h->checksum, sizeof(h->checksum), &sum) &&
	       sum == checksum(h);
}

/* All len bytes; -EBADMSG when it ends before. */
static int read_all(struct vfcap_tar_in *tar, void *buf, size_t len)
{
	uint8_t *bytes = buf;

	while (len) {
		ssize_t n = TEMP_FAILURE_RETRY(read(tar->fd, bytes, len));

		if (n < 0)
			return -errno;
		if (n == 0)
			return bad(tar, "it ends too early");
		bytes += n;
		len -= (size_t)n;
	}
	return 0;
}

static int skip(struct vfcap_tar_in *tar)
{
	uint8_t block[16 * VFCAP_TAR_BLOCK];
	int err = 0;

	while (tar->left && !err) {
		size_t part = tar->left < sizeof(block) ? (size_t)tar->left : sizeof(block);

		err = read_all(tar, block, part);
		tar->left -= part;
	}
	tar->size = 0;
	return err;
}

static void take(char *to, const char *field, size_t len)
{
	len = strnlen(field, len);
	memcpy(to, field, len);
	to[len] = '\0';
}

static int take_long(struct vfcap_tar_in *tar, char to[VFCAP_TAR_PATH], const char *from,
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

/* Records of "LENGTH KEY=VALUE\n". Those that are neither names nor sizes do not matter. */
static int take_pax(struct vfcap_tar_in *tar, const char *text, size_t len,
		    struct vfcap_tar_entry *entry, struct extra *extra)
{
	int err = 0;

	while (len && !err) {
		char *key;
		size_t n = strtoul(text, &key, 10);
		const char *eq = n && n <= len ? memchr(text, '=', n) : NULL;

		if (!eq || *key != ' ' || eq < key || text[n - 1] != '\n' || eq + 1 > text + n - 1)
			return bad(tar, "a header in it makes no sense");
		key++;
		if (eq - key == 4 && memcmp(key, "path", 4) == 0) {
			extra->has_path = true;
			err = take_long(tar, entry->path, eq + 1, (size_t)(text + n - 1 - eq - 1));
		} else if (eq - key == 8 && memcmp(key, "linkpath", 8) == 0) {
			extra->has_target = true;
			err = take_long(tar, entry->target, eq + 1,
					(size_t)(text + n - 1 - eq - 1));
		} else if (eq - key == 4 && memcmp(key, "size", 4) == 0) {
			return bad(tar, "a file in it is too large");
		}
		text += n;
		len -= n;
	}
	return err;
}

static int take_extra(struct vfcap_tar_in *tar, char type, struct vfcap_tar_entry *entry,
		      struct extra *extra)
{
	char *text;
	size_t len = (size_t)tar->size;
	int err;

	if (tar->size > EXTRA_MOST)
		return bad(tar, "a header in it is too long");
	text = calloc(1, len + 1);
	if (!text)
		return -ENOMEM;
	err = read_all(tar, text, len);
	tar->left -= len;
	if (!err && type == TYPE_PAX)
		err = take_pax(tar, text, len, entry, extra);
	else if (!err && type == TYPE_GNU_NAME)
		err = take_long(tar, entry->path, text, strlen(text));
	else if (!err && type == TYPE_GNU_LINK)
		err = take_long(tar, entry->target, text, strlen(text));
	extra->has_path |= type == TYPE_GNU_NAME;
	extra->has_target |= type == TYPE_GNU_LINK;
	free(text);
	return err;
}

static int take_entry(struct vfcap_tar_in *tar, const struct header *h,
		      struct vfcap_tar_entry *entry, const struct extra *extra)
{
	size_t len = 0;

	if (!extra->has_path) {
		if (h->prefix[0] && memcmp(h->magic, "ustar", 6) == 0) {
			take(entry->path, h->prefix, sizeof(h->prefix));
			len = strlen(entry->path);
			entry->path[len++] = '/';
		}
		take(entry->path + len, h->name, sizeof(h->name));
	}
	if (!extra->has_target)
		take(entry->target, h->linkname, sizeof(h->linkname));
	entry->size = tar->size;
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

void vfcap_tar_open(struct vfcap_tar_in *tar, int fd)
{
	*tar = (struct vfcap_tar_in){ .fd = fd };
}

static int read_header(struct vfcap_tar_in *tar, struct header *h)
{
	static const struct header end;
	int err = read_all(tar, h, sizeof(*h));

	if (err)
		return err;
	if (memcmp(h, &end, sizeof(end)) == 0)
		return 0;
	if (!vfcap_tar_is_header((const uint8_t *)h) ||
	    !octal(h->size, sizeof(h->size), &tar->size))
		return bad(tar, "a header in it makes no sense");
	tar->left = (tar->size + VFCAP_TAR_BLOCK - 1) / VFCAP_TAR_BLOCK * VFCAP_TAR_BLOCK;
	return 1;
}

int vfcap_tar_next(struct vfcap_tar_in *tar, struct vfcap_tar_entry *entry)
{
	struct extra extra = { 0 };
	struct header h;
	int ret = skip(tar);

	while (!ret) {
		ret = read_header(tar, &h);
		if (ret <= 0)
			return ret;
		if (h.type == TYPE_PAX || h.type == TYPE_GNU_NAME || h.type == TYPE_GNU_LINK)
			ret = take_extra(tar, h.type, entry, &extra);
		else if (h.type != TYPE_PAX_ALL)
			return take_entry(tar, &h, entry, &extra);
		else
			ret = 0;
		if (!ret)
			ret = skip(tar);
	}
	return ret;
}

long vfcap_tar_read(struct vfcap_tar_in *tar, void *buf, size_t len)
{
	size_t part = tar->size < len ? (size_t)tar->size : len;
	int err = part ? read_all(tar, buf, part) : 0;

	if (err)
		return err;
	tar->size -= part;
	tar->left -= part;
	return (long)part;
}
