// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An archive in memory as a tree of files. It may come from anybody, so names are taken apart here, no link is
 * followed while the tree is made, and there is a limit to everything that is made of it. Directories and names are
 * made anew; the bytes of files stay where they are in the archive.
 */
#include "archive.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tar.h"
#include "walk.h"

#define ALL_MOST (512u << 20) /* bytes of the archive, unpacked */
#define FILE_MOST (4u << 20) /* bytes of one file */
#define PATH_MOST 1000 /* bytes of a path in it */
#define DEPTH_MOST 64 /* parts of one */
#define NODES_MOST \
	1000000u /* files, links, and directories, named or not: hosts have some 20 for each function */

struct node {
	uint32_t parent, first,
		next; /* directory it is in, what is in it, its neighbour; TOP: none */
	uint32_t name; /* offset in names, ended with NUL */
	uint32_t data; /* offset: of a file's bytes in data, of a link's text in names */
	uint32_t len; /* of that */
	uint8_t name_len;
	uint8_t type; /* enum vfcap_tar_type */
};

struct vfcap_archive {
	char *data; /* owned */
	struct node *node; /* owned; the first is the top */
	uint32_t n;
	char *names; /* owned */
	size_t names_len, names_room;
	uint32_t *table; /* nodes by hash of parent and name; TOP: free; owned */
	uint32_t table_size; /* a power of two, or 0 */
	uint64_t key[2];
};

/* -------------------------------------------------------------------------------------- lookup -- */

static uint64_t rotate(uint64_t v, unsigned int bits)
{
	return v << bits | v >> (64 - bits);
}

static void mix(uint64_t v[4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] = rotate(v[0], 32) + v[3];
	v[2] += v[1];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[2] = rotate(v[2], 32);
}

static void absorb(uint64_t v[4], uint64_t word)
{
	v[3] ^= word;
	mix(v);
	v[0] ^= word;
}

/* SipHash-1-3 with a key of this process: nobody can choose names that all have one hash. */
static uint32_t hash(const struct vfcap_archive *a, uint32_t parent, const char *name, size_t len)
{
	uint64_t v[4] = { a->key[0] ^ 0x736f6d6570736575, a->key[1] ^ 0x646f72616e646f6d,
			  a->key[0] ^ 0x6c7967656e657261, a->key[1] ^ 0x7465646279746573 };
	uint64_t word = 0;

	absorb(v, (uint64_t)len << 32 | parent);
	for (; len >= sizeof(word); name += sizeof(word), len -= sizeof(word)) {
		memcpy(&word, name, sizeof(word));
		absorb(v, word);
	}
	word = 0;
	memcpy(&word, name, len);
	absorb(v, word);
	v[2] ^= 0xff;
	for (int i = 0; i < 3; i++)
		mix(v);
	return (uint32_t)(v[0] ^ v[1] ^ v[2] ^ v[3]);
}

/* A name in a directory; TOP: it is not there. */
static uint32_t child(const struct vfcap_archive *a, uint32_t dir, const char *name, size_t len)
{
	uint32_t mask = a->table_size - 1;

	if (!a->table_size)
		return VFCAP_ARCHIVE_TOP;
	for (uint32_t i = hash(a, dir, name, len) & mask; a->table[i]; i = (i + 1) & mask) {
		const struct node *node = &a->node[a->table[i]];

		if (node->parent == dir && node->name_len == len &&
		    memcmp(a->names + node->name, name, len) == 0)
			return a->table[i];
	}
	return VFCAP_ARCHIVE_TOP;
}

/* Goes one part of a path on. */
static int step(const struct vfcap_archive *a, struct vfcap_walk *walk, enum vfcap_part part,
		const char *name, size_t len, uint32_t *at)
{
	const struct node *link;
	uint32_t found;

	if (!vfcap_archive_is_dir(a, *at))
		return -ENOTDIR;
	if (part == VFCAP_PART_UP)
		*at = a->node[*at].parent;
	if (part != VFCAP_PART_NAME)
		return 0;
	if (len > NAME_MAX)
		return -ENAMETOOLONG;
	found = child(a, *at, name, len);
	if (!found)
		return -ENOENT;
	link = &a->node[found];
	if (link->type != VFCAP_TAR_LINK || !vfcap_walk_follows(walk)) {
		*at = found;
		return 0;
	}
	if (a->names[link->data] == '/')
		*at = VFCAP_ARCHIVE_TOP;
	return vfcap_walk_link(walk, a->names + link->data, link->len);
}

int vfcap_archive_find(const struct vfcap_archive *a, uint32_t from, const char *path,
		       bool nofollow)
{
	struct vfcap_walk walk;
	uint32_t at = *path == '/' ? VFCAP_ARCHIVE_TOP : from;
	enum vfcap_part part;
	const char *name;
	size_t len;
	int err = vfcap_walk_begin(&walk, path, nofollow);

	while (!err && (part = vfcap_walk_next(&walk, &name, &len)) != VFCAP_PART_END)
		err = step(a, &walk, part, name, len, &at);
	return err ? err : (int)at;
}

/* --------------------------------------------------------------------------------------- nodes -- */

bool vfcap_archive_is_dir(const struct vfcap_archive *a, uint32_t node)
{
	return a->node[node].type == VFCAP_TAR_DIR;
}

ssize_t vfcap_archive_bytes(const struct vfcap_archive *a, uint32_t node, const char **bytes)
{
	const struct node *n = &a->node[node];

	*bytes = a->data + n->data;
	if (n->type == VFCAP_TAR_DIR)
		return -EISDIR;
	return n->type == VFCAP_TAR_LINK ? -ELOOP : (ssize_t)n->len;
}

ssize_t vfcap_archive_link(const struct vfcap_archive *a, uint32_t node, const char **text)
{
	const struct node *n = &a->node[node];

	*text = a->names + n->data;
	return n->type == VFCAP_TAR_LINK ? (ssize_t)n->len : -EINVAL;
}

void vfcap_archive_stat(const struct vfcap_archive *a, uint32_t node, struct stat *st)
{
	static const mode_t modes[] = { [VFCAP_TAR_FILE] = S_IFREG | 0600,
					[VFCAP_TAR_DIR] = S_IFDIR | 0700,
					[VFCAP_TAR_LINK] = S_IFLNK | 0777 };
	const struct node *n = &a->node[node];

	*st = (struct stat){ .st_mode = modes[n->type],
			     .st_nlink = 1,
			     .st_uid = geteuid(),
			     .st_gid = getegid(),
			     .st_size = n->len };
}

ssize_t vfcap_archive_path(const struct vfcap_archive *a, uint32_t node, char *buf, size_t size)
{
	size_t len = 0, at;
	uint32_t up;

	for (up = node; up; up = a->node[up].parent)
		len += a->node[up].name_len + (len > 0);
	if (len >= size)
		return -ENAMETOOLONG;
	buf[len] = '\0';
	for (at = len, up = node; up; up = a->node[up].parent) {
		if (up != node)
			buf[--at] = '/';
		at -= a->node[up].name_len;
		memcpy(buf + at, a->names + a->node[up].name, a->node[up].name_len);
	}
	return (ssize_t)len;
}

uint32_t vfcap_archive_first(const struct vfcap_archive *a, uint32_t dir)
{
	return a->node[dir].first;
}

uint32_t vfcap_archive_next(const struct vfcap_archive *a, uint32_t node)
{
	return a->node[node].next;
}

const char *vfcap_archive_name(const struct vfcap_archive *a, uint32_t node)
{
	return a->names + a->node[node].name;
}

/* -------------------------------------------------------------------------------------- making -- */

struct making {
	struct vfcap_archive *a;
	const char *why;
	uint32_t dir; /* where the last entry went */
	size_t dir_len;
	char dir_path[PATH_MOST + 1]; /* of it */
	struct vfcap_tar_in tar;
	struct vfcap_tar_entry entry;
};

static int bad(struct making *m, const char *why)
{
	m->why = why;
	return -EBADMSG;
}

/* Keeps a text with a NUL behind it, and says where. */
static int add_name(struct vfcap_archive *a, const char *text, size_t len, uint32_t *offset)
{
	if (a->names_room - a->names_len <= len) {
		size_t room = 2 * a->names_room + len + 4096;
		char *more = realloc(a->names, room);

		if (!more)
			return -ENOMEM;
		a->names = more;
		a->names_room = room;
	}
	*offset = (uint32_t)a->names_len;
	memcpy(a->names + a->names_len, text, len);
	a->names[a->names_len + len] = '\0';
	a->names_len += len + 1;
	return 0;
}

static void enter_table(struct vfcap_archive *a, uint32_t index)
{
	const struct node *node = &a->node[index];
	uint32_t mask = a->table_size - 1;
	uint32_t i = hash(a, node->parent, a->names + node->name, node->name_len) & mask;

	while (a->table[i])
		i = (i + 1) & mask;
	a->table[i] = index;
}

/* At least half of the table is free. */
static int make_room(struct vfcap_archive *a)
{
	uint32_t size = a->table_size ? 2 * a->table_size : 1024;
	uint32_t *table;

	if (2 * a->n < a->table_size)
		return 0;
	table = calloc(size, sizeof(*table));
	if (!table)
		return -ENOMEM;
	free(a->table);
	a->table = table;
	a->table_size = size;
	for (uint32_t i = 1; i < a->n; i++)
		enter_table(a, i);
	return 0;
}

static int add_node(struct making *m, uint32_t parent, const char *name, size_t len,
		    enum vfcap_tar_type type, uint32_t *index)
{
	struct vfcap_archive *a = m->a;
	struct node *more;
	uint32_t offset;
	int err;

	if (len > NAME_MAX)
		return bad(m, "a name in it is too long");
	if (a->n > NODES_MOST)
		return bad(m, "it is too large");
	more = vfcap_more(a->node, a->n, sizeof(*more));
	if (!more)
		return -ENOMEM;
	a->node = more;
	err = make_room(a);
	if (!err)
		err = add_name(a, name, len, &offset);
	if (err)
		return err;
	*index = a->n++;
	a->node[*index] = (struct node){ .parent = parent,
					 .next = a->node[parent].first,
					 .name = offset,
					 .name_len = (uint8_t)len,
					 .type = (uint8_t)type };
	a->node[parent].first = *index;
	enter_table(a, *index);
	return 0;
}

/* A path that stays below where it starts, without a leading "./" and a trailing slash; NULL: it is none. */
static char *clean(char *path, unsigned int *depth)
{
	size_t len;

	while (path[0] == '.' && path[1] == '/')
		path += 2;
	len = strlen(path);
	while (len && path[len - 1] == '/')
		path[--len] = '\0';
	if (strcmp(path, ".") == 0)
		path[0] = '\0';
	*depth = 0;
	for (const char *s = path; *s; (*depth)++) {
		size_t n = strcspn(s, "/");

		if (!n || (n == 1 && s[0] == '.') || (n == 2 && s[0] == '.' && s[1] == '.'))
			return NULL;
		s += n + (s[n] == '/');
	}
	return path;
}

/* Goes to a directory, which is made if need be; a link is none. Entries come directory by directory, so the last
 * one is remembered. */
static int go_to(struct making *m, const char *path, size_t len)
{
	uint32_t at = VFCAP_ARCHIVE_TOP, next;
	int err = 0;

	if (m->dir_len == len && memcmp(m->dir_path, path, len) == 0)
		return 0;
	for (size_t i = 0, n; i < len && !err; i += n + 1, at = next) {
		n = strcspn(path + i, "/");
		n = n < len - i ? n : len - i;
		next = child(m->a, at, path + i, n);
		if (!next)
			err = add_node(m, at, path + i, n, VFCAP_TAR_DIR, &next);
		else if (!vfcap_archive_is_dir(m->a, next))
			return bad(m, "a name in it leads through what is no directory");
	}
	if (err)
		return err;
	m->dir = at;
	m->dir_len = len;
	memcpy(m->dir_path, path, len);
	return 0;
}

static int add_file_or_link(struct making *m, const char *path)
{
	const struct vfcap_tar_entry *e = &m->entry;
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	uint32_t index, offset;
	int err = go_to(m, path, slash ? (size_t)(slash - path) : 0);

	if (err)
		return err;
	if (child(m->a, m->dir, name, strlen(name)))
		return bad(m, "a name is in it twice");
	err = add_node(m, m->dir, name, strlen(name), e->type, &index);
	if (err)
		return err;
	if (e->type == VFCAP_TAR_FILE) {
		m->a->node[index].data = (uint32_t)(e->bytes - m->a->data);
		m->a->node[index].len = (uint32_t)e->size;
		return 0;
	}
	if (!e->target[0])
		return bad(m, "a link in it leads nowhere");
	err = add_name(m->a, e->target, strlen(e->target), &offset);
	m->a->node[index].data = offset;
	m->a->node[index].len = (uint32_t)strlen(e->target);
	return err;
}

static int add_entry(struct making *m)
{
	unsigned int depth;
	char *path = clean(m->entry.path, &depth);

	if (!path)
		return bad(m, "a name in it leads elsewhere");
	if (strlen(path) > PATH_MOST)
		return bad(m, "a name in it is too long");
	if (depth > DEPTH_MOST)
		return bad(m, "directories in it are too deep");
	if (m->entry.size > FILE_MOST)
		return bad(m, "it is too large");
	if (!m->entry.bytes)
		return bad(m, "it ends too early");
	if (!*path)
		return 0;
	return m->entry.type == VFCAP_TAR_DIR ? go_to(m, path, strlen(path)) :
						add_file_or_link(m, path);
}

static int make(struct making *m)
{
	struct vfcap_archive *a = m->a;
	const void *random = (const void *)getauxval(AT_RANDOM);
	int ret = 1, err;

	if (random)
		memcpy(a->key, random, sizeof(a->key));
	a->node = vfcap_more(NULL, 0, sizeof(*a->node));
	err = a->node ? 0 : -ENOMEM;
	if (!err)
		a->node[a->n++] = (struct node){ .type = VFCAP_TAR_DIR };
	while (ret && !err) {
		ret = vfcap_tar_next(&m->tar, &m->entry);
		if (ret < 0)
			err = bad(m, m->tar.why);
		else if (ret)
			err = add_entry(m);
	}
	return err;
}

int vfcap_archive_new(struct vfcap_archive **out, char *data, size_t size, const char **why)
{
	struct vfcap_archive *a = calloc(1, sizeof(*a));
	cleanup_free struct making *m = calloc(1, sizeof(*m));
	int err = -ENOMEM;

	*why = NULL;
	*out = NULL;
	if (a)
		a->data = data;
	else
		free(data);
	if (a && m) {
		m->a = a;
		vfcap_tar_open(&m->tar, data, size);
		err = size > ALL_MOST ? bad(m, "it is too large") : make(m);
		*why = m->why;
	}
	if (err)
		vfcap_archive_free(a);
	else
		*out = a;
	return err;
}

void vfcap_archive_free(struct vfcap_archive *a)
{
	if (!a)
		return;
	free(a->table);
	free(a->names);
	free(a->node);
	free(a->data);
	free(a);
}

/* --------------------------------------------------------------------------------------- files -- */

static const struct {
	char magic[4];
	const char *why;
} packers[] = {
	{ { '\xfd', '7', 'z', 'X' }, "compressed: unxz it first, and take what comes of it" },
	{ { '\x28', '\xb5', '\x2f', '\xfd' },
	  "compressed: unzstd it first, and take what comes of it" },
	{ { 'B', 'Z', 'h' }, "compressed: bunzip2 it first, and take what comes of it" },
};

/* A file or a pipe; devices have no end. */
static int open_file(const char *file, size_t *size)
{
	int fd = open(file, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;
	int err = -EBADMSG;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) || fcntl(fd, F_SETFL, 0))
		err = -errno;
	else if (S_ISREG(st.st_mode) && st.st_size > ALL_MOST)
		err = -EFBIG;
	else if (S_ISREG(st.st_mode) || S_ISFIFO(st.st_mode))
		err = 0;
	*size = err ? 0 : (size_t)st.st_size;
	if (err)
		close(fd);
	return err ? err : fd;
}

static int read_file(int fd, size_t expected, char **data, size_t *size)
{
	size_t room = 0;
	ssize_t n;

	do {
		if (*size == room) {
			char *more = realloc(*data, room = room ? 2 * room : expected + 65536);

			if (!more)
				return -ENOMEM;
			*data = more;
		}
		n = TEMP_FAILURE_RETRY(read(fd, *data + *size, room - *size));
		*size += n > 0 ? (size_t)n : 0;
	} while (n > 0 && *size <= ALL_MOST);
	return n < 0 ? -errno : *size > ALL_MOST ? -EFBIG : 0;
}

static bool is_header(const char *data, size_t size)
{
	return size >= VFCAP_TAR_BLOCK && vfcap_tar_is_header(data);
}

/* What an archive begins with is the name of a file, which may look like any packer's mark. */
static int unpack(char **data, size_t *size, const char **why)
{
	char *packed = *data;
	int err;

	if (is_header(packed, *size))
		return 0;
	for (size_t i = 0; i < sizeof(packers) / sizeof(packers[0]); i++) {
		size_t len = strnlen(packers[i].magic, sizeof(packers[i].magic));

		if (*size < len || memcmp(packed, packers[i].magic, len))
			continue;
		*why = packers[i].why;
		return -EPROTONOSUPPORT;
	}
	if (!vfcap_is_gzip(packed, *size))
		return 0;
	err = vfcap_gunzip(packed, *size, ALL_MOST, data, size);
	free(packed);
	if (err == -EBADMSG)
		*why = "it is damaged, or ends too early";
	return err;
}

int vfcap_archive_load(const char *file, char **data, size_t *size, const char **why)
{
	size_t expected = 0;
	cleanup_close int fd = open_file(file, &expected);
	int err = fd;

	*data = NULL;
	*size = 0;
	*why = "neither a directory nor an archive";
	if (fd >= 0)
		err = read_file(fd, expected, data, size);
	if (!err)
		err = unpack(data, size, why);
	if (!err && !is_header(*data, *size))
		err = -EBADMSG;
	if (!err)
		return 0;
	free(*data);
	*data = NULL;
	if (err == -EFBIG) {
		*why = "it is too large";
		return -EBADMSG;
	}
	if (err != -EBADMSG && err != -EPROTONOSUPPORT)
		*why = NULL;
	return err;
}

bool vfcap_begins_archive(const void *data, size_t size)
{
	char block[VFCAP_TAR_BLOCK];

	if (is_header(data, size))
		return true;
	return vfcap_is_gzip(data, size) &&
	       is_header(block, vfcap_gunzip_begin(data, size, block, sizeof(block)));
}

/* A FIFO is not opened for this: whoever writes to it would be left with nobody to read it. */
bool vfcap_is_archive(const char *file)
{
	struct stat st;
	bool regular = stat(file, &st) == 0 && S_ISREG(st.st_mode);
	cleanup_close int fd =
		regular ? open(file, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC) : -1;
	char packed[4 * VFCAP_TAR_BLOCK];
	ssize_t n = fd < 0 ? -1 : pread(fd, packed, sizeof(packed), 0);

	return n >= 0 && vfcap_begins_archive(packed, (size_t)n);
}
