/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What every other room uses and what knows nothing of PCI hosts: memory that is freed with its scope, addresses,
 * and the one reader of files below a root. Not installed.
 */
#ifndef VFCAP_UTIL_H
#define VFCAP_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/types.h>

/* ------------------------------------------------------------------------------------- memory -- */

#define VFCAP_CLEANUP(fn) __attribute__((cleanup(fn)))
#define VFCAP_MUST_CHECK __attribute__((warn_unused_result))
void vfcap_cleanup_free(void *pp); /* free(*pp) */
void vfcap_cleanup_close(int *fd); /* close(*fd) when >= 0 */
void vfcap_cleanup_fclose(FILE **f);
#define cleanup_free VFCAP_CLEANUP(vfcap_cleanup_free)
#define cleanup_close VFCAP_CLEANUP(vfcap_cleanup_close)
#define cleanup_fclose VFCAP_CLEANUP(vfcap_cleanup_fclose)

/* An array of n elements with room for one more: doubled whenever n is a power of two. Takes the place of
 * array; NULL: out of memory, and array stands. */
void *vfcap_more(void *array, size_t n, size_t size);

/* ------------------------------------------------------------------------------------ address -- */

/* A function's address; a domain may have more than 16 bits (VMD). Routing ID = bus << 8 | devfn. */
struct vfcap_address {
	uint32_t domain;
	uint8_t bus;
	uint8_t devfn; /* device << 3 | function */
};

#define VFCAP_ADDRESS_LEN 20 /* room for "ffffffff:ff:1f.7" and its NUL */

/* "0000:3b:00.1"; the domain with four digits or as many as it needs. Returns buf. */
char *vfcap_address_format(struct vfcap_address a, char buf[VFCAP_ADDRESS_LEN]);
/* Parses "3b:00.1", "0000:3b:00.1", "10000:e1:00.0" at s; returns the number of characters, 0: none. */
size_t vfcap_address_parse(const char *s, struct vfcap_address *a);
int vfcap_address_compare(struct vfcap_address a, struct vfcap_address b); /* <0, 0, >0 */

/* --------------------------------------------------------------------------------------- root -- */

/*
 * What stands for "/": a directory, or an archive that was read into memory. Every path below is relative to it and
 * resolved inside it, whatever links and ".." are on the way. Not for use by several threads at once.
 */
struct vfcap_root;

/* 0 or -errno; -ENOTDIR: dir is no directory. */
int vfcap_root_open(struct vfcap_root **root, const char *dir);
/* The same of an archive of tar(1), plain or packed by gzip, that may come from anybody. 0 or -errno, then *why is
 * what is wrong with it, or NULL: -EBADMSG: no archive, or one that is not taken; -EPROTONOSUPPORT: packed otherwise. */
int vfcap_root_open_archive(struct vfcap_root **root, const char *file, const char **why);
bool vfcap_is_archive(const char *file); /* does a file begin as one? */
bool vfcap_begins_archive(const void *data, size_t size); /* do these bytes? */
void vfcap_root_close(struct vfcap_root *root); /* NULL is fine */
const char *vfcap_root_dir(const struct vfcap_root *root); /* the directory or file, as given */
/* Is there a kernel behind the root: was its sys a sysfs (statfs) when it was opened? */
bool vfcap_root_has_kernel(const struct vfcap_root *root);
/* For what is written, locked or asked by ioctl; whatever is only read goes by the reader below. A descriptor or
 * -errno; -EROFS: the root is an archive. */
int vfcap_root_openat(const struct vfcap_root *root, const char *path, int flags);
/* A directory itself, and no link, below parent, to be written to: made where it is not there, and on the disk then, as
 * what is written to it is to be. A descriptor or -errno. */
int vfcap_root_make_dir(const struct vfcap_root *root, const char *parent, const char *name,
			mode_t mode);

/* --------------------------------------------------------------------------------- the reader -- */

/*
 * A read has three outcomes. A value: the result is >= 0. Known absence: -ENOENT, which also stands for ESRCH (a
 * process that ended), and for ENODEV and ENXIO of an attribute that was seen to be gone when it was looked for
 * again (of one that is still there they are EIO). An error: any other -errno; something else that stands where a
 * file, link or directory is expected is one, too (-ESPIPE, -ENOLINK, -ENOTDIR, -EISDIR). The first error below a
 * root is kept with its object until it is asked for, so that what a caller takes for "none" still ends as a failed
 * run: see vfcap_root_failure(). EACCES and EPERM are not kept: what a reader may not see is known not to be known,
 * and is the caller's to judge.
 */

/* A directory that is open for reading: name is relative to it, its last part is never followed as a link, and "."
 * and ".." are not for it. */
struct vfcap_dir {
	const struct vfcap_root *root; /* NULL: not open */
	int fd; /* -1: the root is an archive */
	uint32_t node; /* of the archive */
	char path[256]; /* from the root, for messages */
};

/* Opens a directory by its path from the root. 0 or -errno. */
int vfcap_dir_open(struct vfcap_dir *dir, const struct vfcap_root *root,
		   const char *path) VFCAP_MUST_CHECK;
/* The same of one that has to be a directory itself: -ENOTDIR when its name is a link's or a file's. st: whose it is,
 * and who may write to it. */
int vfcap_dir_open_itself(struct vfcap_dir *dir, const struct vfcap_root *root, const char *path,
			  struct stat *st) VFCAP_MUST_CHECK;
void vfcap_dir_close(struct vfcap_dir *dir); /* one that is not open, too */
#define cleanup_dir VFCAP_CLEANUP(vfcap_dir_close)
#define VFCAP_DIR_NONE                 \
	{                              \
		.root = NULL, .fd = -1 \
	}
static inline bool vfcap_dir_is_open(const struct vfcap_dir *dir)
{
	return dir->root;
}

/* What lstat(2) says of a name in a directory: 0 or -errno. */
int vfcap_dir_stat(const struct vfcap_dir *dir, const char *name, struct stat *st) VFCAP_MUST_CHECK;

/* A small text, all of it, without trailing white space, ended with NUL: its length. -EFBIG: it has size bytes or
 * more; buf then holds its beginning. */
ssize_t vfcap_root_read(const struct vfcap_root *root, const char *path, char *buf,
			size_t size) VFCAP_MUST_CHECK;
ssize_t vfcap_dir_read(const struct vfcap_dir *dir, const char *name, char *buf,
		       size_t size) VFCAP_MUST_CHECK;

/* The first bytes of a file, up to size of them: how many. */
ssize_t vfcap_root_read_bytes(const struct vfcap_root *root, const char *path, void *buf,
			      size_t size) VFCAP_MUST_CHECK;
ssize_t vfcap_dir_read_bytes(const struct vfcap_dir *dir, const char *name, void *buf,
			     size_t size) VFCAP_MUST_CHECK;

/* An unsigned number, decimal or with 0x: 0 or -errno; -EPROTO: something else stands there. */
int vfcap_dir_read_number(const struct vfcap_dir *dir, const char *name,
			  unsigned long *val) VFCAP_MUST_CHECK;
/* Keeps an error that whoever read a name in a directory has found: -EPROTO: no value that it can have; -ENODATA: a link
 * that leads nowhere, where it has to lead somewhere. err. */
int vfcap_dir_reject(const struct vfcap_dir *dir, const char *name, int err);

/* The text of a link: its length. -ENOLINK: it is none; what may be one or not is asked by vfcap_dir_stat() first. By
 * root: path is followed but for its last part. */
ssize_t vfcap_root_read_link(const struct vfcap_root *root, const char *path, char *buf,
			     size_t size) VFCAP_MUST_CHECK;
ssize_t vfcap_dir_read_link(const struct vfcap_dir *dir, const char *name, char *buf,
			    size_t size) VFCAP_MUST_CHECK;
/* The last part of where a link leads: its length. -EFBIG: it does not fit. */
ssize_t vfcap_root_read_link_name(const struct vfcap_root *root, const char *path, char *buf,
				  size_t size) VFCAP_MUST_CHECK;
ssize_t vfcap_dir_read_link_name(const struct vfcap_dir *dir, const char *name, char *buf,
				 size_t size) VFCAP_MUST_CHECK;

/* Is it there? 1, 0 or -errno. Links are followed. */
int vfcap_root_has(const struct vfcap_root *root, const char *path) VFCAP_MUST_CHECK;

/* Is it a directory? 1; 0: something else, or nothing; or -errno. Links are followed. */
int vfcap_root_has_dir(const struct vfcap_root *root, const char *path) VFCAP_MUST_CHECK;

/* Where it really is: its path from the root, free of links and without a slash at its ends. Its length. */
ssize_t vfcap_root_resolve(const struct vfcap_root *root, const char *path, char *buf,
			   size_t size) VFCAP_MUST_CHECK;

/* The names in a directory, but "." and "..": all of them, or an error. */
struct vfcap_names {
	char **name; /* in no order */
	size_t n;
};
#define cleanup_names VFCAP_CLEANUP(vfcap_names_free)

/* 0 or -errno; names is empty then, and needs no vfcap_names_free(). */
int vfcap_dir_list(const struct vfcap_dir *dir, struct vfcap_names *names) VFCAP_MUST_CHECK;
int vfcap_root_list(const struct vfcap_root *root, const char *path,
		    struct vfcap_names *names) VFCAP_MUST_CHECK;
void vfcap_names_sort(struct vfcap_names *names); /* by strcmp() */
void vfcap_names_free(struct vfcap_names *names);

/* A whole file, with a NUL behind its *len bytes, that the caller frees; *text is NULL when it fails. One whose name
 * ends in ".gz" is unpacked, if it is packed (-EBADMSG: it is damaged). -EFBIG: it has more than most bytes, unpacked. */
#define VFCAP_TEXT_MOST (16u << 20) /* bytes of any text of the system */
int vfcap_root_load(const struct vfcap_root *root, const char *path, size_t most, char **text,
		    size_t *len) VFCAP_MUST_CHECK;
int vfcap_dir_load(const struct vfcap_dir *dir, const char *name, size_t most, char **text,
		   size_t *len) VFCAP_MUST_CHECK;
/* The next line of a text, ended in place; NULL: there is none. rest: what follows it. */
char *vfcap_line_next(char **rest);

/* The first error of the reader below the root: -errno, and the object and why in *what ("/sys/x: Input/output
 * error"), lent until the next call that is given the root. 0: there was none. */
int vfcap_root_failure(const struct vfcap_root *root, const char **what);
/* What an error of the reader, a -errno, is called: as strerror(3) has it, but of a FIFO where a file is expected
 * (-ESPIPE), of what is no link where one is (-ENOLINK), and of what vfcap_dir_reject() is for. */
const char *vfcap_strerror(int err);
/* How many errors there were, EACCES and EPERM too, to see whether what was just read was read whole. */
unsigned long vfcap_root_failures(const struct vfcap_root *root);
/* Keeps an error of what is no file, but asked in the same run. */
void vfcap_root_keep_failure(const struct vfcap_root *root, const char *object, int err);
/* Keeps what another root has kept. */
void vfcap_root_adopt_failure(const struct vfcap_root *root, const struct vfcap_root *other);
/* What was said is not to be said again. -ENOMEM stays. */
void vfcap_root_forget_failure(const struct vfcap_root *root);

/* ------------------------------------------------------------------------------------ procfs -- */

/* Is its proc a kernel's? 1, 0 or -errno. Then the links of proc/PID/fd lead to what is open, whatever their text. */
int vfcap_root_has_procfs(const struct vfcap_root *root) VFCAP_MUST_CHECK;
/* What a link of procfs leads to, out of the root, too: 1: a character device of that number, open for reading or
 * writing (as with O_PATH it is not); 0: something else; or -errno. The file system that has it is not
 * asked: who made it may be in no hurry to answer. */
int vfcap_dir_device_number(const struct vfcap_dir *dir, const char *name,
			    dev_t *device) VFCAP_MUST_CHECK;

/* ---------------------------------------------------------------------------------------- gz -- */

/* Unpacks gzip: 0 and *out with a NUL behind its *len bytes, that the caller frees; -EBADMSG: damaged or cut off;
 * -EFBIG: more than most bytes; -ENOMEM. */
int vfcap_gunzip(const void *data, size_t size, size_t most, char **out,
		 size_t *len) VFCAP_MUST_CHECK;
/* The first bytes of what is packed, up to most of them: how many there are, as far as it can be unpacked. */
size_t vfcap_gunzip_begin(const void *data, size_t size, void *buf, size_t most);
bool vfcap_is_gzip(const void *data, size_t size); /* does it begin as such? */

/* Packs what is put into it. NULL: out of memory. */
struct vfcap_gzip;
struct vfcap_gzip *vfcap_gzip_new(void);
/* What comes of it is given to write(), which returns 0 or -errno. last: there is no more. 0, or that -errno. */
int vfcap_gzip_put(struct vfcap_gzip *gzip, const void *data, size_t len, bool last,
		   int (*write)(void *arg, const void *data, size_t len),
		   void *arg) VFCAP_MUST_CHECK;
void vfcap_gzip_free(struct vfcap_gzip *gzip); /* NULL is fine */

#endif
