// SPDX-License-Identifier: GPL-2.0-or-later
/* What outlives a run: the lock, the undo log and the record of each PF, in /run/vfcap. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "change.h"

#define STATE "run/vfcap"
#define BOOT_ID "proc/sys/kernel/random/boot_id"
#define NAME_ROOM (VFCAP_ADDRESS_LEN + 8)
#define FILE_MOST (64u << 20) /* bytes of a log or record: that of 65535 VFs has 30 MiB */

static const char *file_name(const struct vfcap_function *pf, const char *what, char buf[NAME_ROOM])
{
	snprintf(buf, NAME_ROOM, "%s.%s", pf->name, what);
	return buf;
}

/* ------------------------------------------------------------------------------------- messages -- */

static int fail(const struct vfcap_function *pf, int err, const char *what, const char *why)
{
	return vfcap_host_fail(pf->host, err, "%s: /" STATE "/%s.%s: %s", pf->name, pf->name, what,
			       why);
}

/* Says what became of a PF's file: err, or 0. */
static int said(const struct vfcap_function *pf, int err, const char *what)
{
	switch (err) {
	case 0:
		return 0;
	case -EBADMSG:
		return fail(pf, err, what, "cannot be understood; look at it, then remove it");
	case -EPROTONOSUPPORT:
		return fail(pf, err, what, "was written by a later vfcap, which has to see to it");
	case -EEXIST:
		return vfcap_host_fail(pf->host, err,
				       "%s: /" STATE
				       "/%s.%s.new: is in the way; look at it, then remove it",
				       pf->name, pf->name, what);
	case -ELOOP:
		return fail(pf, err, what, "is no regular file; look at it, then remove it");
	}
	return fail(pf, err, what, vfcap_strerror(err));
}

/* Has the reader kept an error? If not, the next one is ours to say, and is not to be said again. */
static bool has_failed(const struct vfcap_host *h)
{
	const char *what;

	return vfcap_root_failure(h->root, &what);
}

static void forget_failure(const struct vfcap_host *h, bool before)
{
	if (!before)
		vfcap_root_forget_failure(h->root);
}

/* ---------------------------------------------------------------------------------- directory -- */

/* Why the directory cannot be trusted; NULL: it can. Nobody else may have made it, or may look into it; that of a
 * captured host is whoever's who captured it. */
static const char *distrust(const struct vfcap_host *h, const struct stat *st)
{
	bool has_kernel = vfcap_host_has_kernel(h);

	if (st->st_uid != geteuid() && (has_kernel || st->st_uid != 0))
		return "belongs to somebody else: look at what is there, then chown root /" STATE;
	if (st->st_mode & (has_kernel ? 077 : 022))
		return "is open to others than root: look at what is there, then chmod 700 /" STATE;
	return NULL;
}

static int check_dir(struct vfcap_host *h, const struct stat *st)
{
	const char *why = distrust(h, st);

	if (!why)
		return 0;
	if (st->st_uid == 0 && geteuid() != 0)
		return vfcap_host_fail(h, -EACCES, "/" STATE ": needs root");
	return vfcap_host_fail(h, -EPERM, "/" STATE ": %s", why);
}

static int fail_dir(struct vfcap_host *h, int err)
{
	if (err == -ENOTDIR || err == -ELOOP)
		return vfcap_host_fail(h, -EPERM,
				       "/" STATE ": is no directory: look at it, then remove it");
	return vfcap_host_fail(h, err, "/" STATE ": %s",
			       err == -EACCES ? "needs root" : vfcap_strerror(err));
}

/* For reading. -ENOENT, not said: there is none. */
static int open_dir(struct vfcap_host *h, struct vfcap_dir *dir)
{
	struct stat st;
	int err = vfcap_dir_open_itself(dir, h->root, STATE, &st);

	if (err)
		return err == -ENOENT ? err : fail_dir(h, err);
	return check_dir(h, &st);
}

/* For writing, made where it is not there: a descriptor. */
static int open_dir_fd(struct vfcap_host *h)
{
	int fd = vfcap_root_make_dir(h->root, "run", "vfcap", 0700), err;
	struct stat st;

	if (fd < 0)
		return fail_dir(h, fd);
	err = fstat(fd, &st) ? fail_dir(h, -errno) : check_dir(h, &st);
	if (!err)
		return fd;
	close(fd);
	return err;
}

/* ------------------------------------------------------------------------------------- reading -- */

/* As Linux drivers/char/random.c (proc_do_uuid) prints it: a UUID of small letters. */
static bool is_boot_id(const char *text)
{
	for (size_t i = 0; i < 36; i++)
		if (i == 8 || i == 13 || i == 18 || i == 23 ?
			    text[i] != '-' :
			    !text[i] || !strchr("0123456789abcdef", text[i]))
			return false;
	return !text[36];
}

/* "-": a captured host need not tell. */
static int boot_id(struct vfcap_host *h, char buf[64])
{
	bool before = has_failed(h);
	ssize_t n = vfcap_root_read(h->root, BOOT_ID, buf, 64);

	if (n == -ENOENT && !vfcap_host_has_kernel(h))
		return strcpy(buf, "-"), 0;
	if (n > 0 && is_boot_id(buf))
		return 0;
	if (n < 0)
		forget_failure(h, before);
	return vfcap_host_fail(h, n < 0 ? (int)n : -EBADMSG, "/" BOOT_ID ": %s",
			       n < 0 ? vfcap_strerror((int)n) : "holds no boot ID");
}

/* A PF's file as a whole, which the caller frees. -ENOENT, not said: there is none. */
static int read_file(const struct vfcap_function *pf, const char *what, char **text, size_t *len)
{
	cleanup_dir struct vfcap_dir dir = VFCAP_DIR_NONE;
	bool before = has_failed(pf->host);
	int err = open_dir(pf->host, &dir);
	char name[NAME_ROOM];
	struct stat st;

	*text = NULL;
	if (!err) {
		err = vfcap_dir_stat(&dir, file_name(pf, what, name), &st);
		if (!err)
			err = S_ISREG(st.st_mode) ?
				      vfcap_dir_load(&dir, name, FILE_MOST, text, len) :
				      -ELOOP;
	}
	if (!err || err == -ENOENT)
		return err;
	forget_failure(pf->host, before);
	return said(pf, err, what);
}

int vfcap_undo_read(const struct vfcap_function *pf, struct vfcap_undo *undo)
{
	cleanup_free char *text = NULL;
	char boot[64];
	size_t len;
	int err;

	*undo = (struct vfcap_undo){ 0 };
	if (!pf->host->root)
		return 0;
	err = read_file(pf, "undo", &text, &len);
	if (err)
		return err == -ENOENT ? 0 : err;
	err = boot_id(pf->host, boot);
	return err ? err : said(pf, vfcap_undo_parse(text, len, pf->name, boot, undo), "undo");
}

int vfcap_record_read(const struct vfcap_function *pf, struct vfcap_record *record)
{
	cleanup_free char *text = NULL;
	char boot[64];
	size_t len;
	int err;

	*record = (struct vfcap_record){ 0 };
	if (!pf->host->root)
		return 0;
	err = read_file(pf, "record", &text, &len);
	if (err)
		return err == -ENOENT ? 0 : err;
	err = boot_id(pf->host, boot);
	return err ? err :
		     said(pf, vfcap_record_parse(text, len, pf->name, boot, record), "record");
}

/* --------------------------------------------------------------------------------------- locks -- */

/*
 * The lock is a flock() on ADDRESS.lock, as every release of vfcap takes it. Whoever removes that file lets a second
 * run in: therefore a run holds its log as well, by a lock that can be asked for without being taken.
 */

static int open_lock(int dir, const char *name, int flags)
{
	int fd = openat(dir, name, flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600);
	int err = fd < 0 ? -errno : 0;
	struct stat st;

	if (!err && fstat(fd, &st))
		err = -errno;
	else if (!err && !S_ISREG(st.st_mode))
		err = -ELOOP;
	if (!err)
		return fd;
	if (fd >= 0)
		close(fd);
	return err == -ENXIO || err == -EISDIR ? -ELOOP : err;
}

static struct flock whole_file(short type)
{
	return (struct flock){ .l_type = type, .l_whence = SEEK_SET };
}

/* 1: a run holds its log; 0, -errno. */
static int is_log_held(int dir, const char *name)
{
	cleanup_close int fd = open_lock(dir, name, O_RDONLY);
	struct flock lock = whole_file(F_WRLCK);

	if (fd < 0)
		return fd == -ENOENT || fd == -ELOOP ? 0 : fd;
	return fcntl(fd, F_OFD_GETLK, &lock) ? -errno : lock.l_type != F_UNLCK;
}

/* 1: a run holds the lock; 0, -errno. */
static int is_lock_held(int dir, const char *name)
{
	cleanup_close int fd = open_lock(dir, name, O_RDONLY);

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	if (flock(fd, LOCK_SH | LOCK_NB) == 0)
		return 0;
	return errno == EWOULDBLOCK ? 1 : -errno;
}

int vfcap_undo_running(const struct vfcap_function *pf)
{
	cleanup_close int fd = -1;
	char name[NAME_ROOM];
	int held;

	if (!vfcap_host_has_kernel(pf->host))
		return 0;
	fd = vfcap_root_openat(pf->host->root, STATE, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
	if (fd < 0)
		return fd == -ENOENT ? 0 : fail_dir(pf->host, fd);
	held = is_lock_held(fd, file_name(pf, "lock", name));
	if (held < 0)
		return said(pf, held, "lock");
	if (!held)
		held = is_log_held(fd, file_name(pf, "undo", name));
	return held < 0 ? said(pf, held, "undo") : held;
}

/* Whether a file that is open still stands under its name: 1, 0 or -errno. */
static int is_named(int fd, int dir, const char *name)
{
	struct stat open, named;

	if (fstat(fd, &open))
		return -errno;
	if (fstatat(dir, name, &named, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT ? 0 : -errno;
	return open.st_dev == named.st_dev && open.st_ino == named.st_ino;
}

/* -EAGAIN: another run has it, or its file was replaced just now. Other errors are said. */
static int try_lock(struct vfcap_journal *j)
{
	char name[NAME_ROOM];
	int ret;

	vfcap_cleanup_close(&j->lock);
	j->lock = open_lock(j->dir, file_name(j->pf, "lock", name), O_RDWR | O_CREAT);
	if (j->lock < 0)
		return said(j->pf, j->lock, "lock");
	if (flock(j->lock, LOCK_EX | LOCK_NB))
		return errno == EWOULDBLOCK || errno == EINTR ? -EAGAIN :
								said(j->pf, -errno, "lock");
	ret = is_named(j->lock, j->dir, name);
	if (ret < 0)
		return said(j->pf, ret, "lock");
	if (!ret)
		return -EAGAIN;
	ret = is_log_held(j->dir, file_name(j->pf, "undo", name));
	return ret < 0 ? said(j->pf, ret, "undo") : ret ? -EAGAIN : 0;
}

static int take_lock(struct vfcap_journal *j, int wait)
{
	const struct timespec pause = { .tv_nsec = 50000000 };
	int err;

	for (;; wait -= 50) {
		if (vfcap_host_cancelled(j->pf->host, j->pf->name))
			return -EINTR;
		err = try_lock(j);
		if (err != -EAGAIN)
			return err;
		if (wait <= 0)
			return vfcap_host_fail(j->pf->host, -EBUSY,
					       "%s: another vfcap is at work on it", j->pf->name);
		nanosleep(&pause, NULL);
	}
}

/* Of the run that goes on. */
static int hold_log(struct vfcap_journal *j)
{
	struct flock lock = whole_file(F_WRLCK);

	return fcntl(j->log, F_OFD_SETLK, &lock) ? -errno : 0;
}

/* -------------------------------------------------------------------------------------- record -- */

static struct vfcap_before *record_find(const struct vfcap_record *record, struct vfcap_address vf)
{
	for (size_t i = 0; i < record->n; i++)
		if (!vfcap_address_compare(record->before[i].vf, vf))
			return &record->before[i];
	return NULL;
}

const struct vfcap_before *vfcap_record_find(const struct vfcap_record *record,
					     struct vfcap_address vf)
{
	return record_find(record, vf);
}

static void cleanup_record(struct vfcap_record *record)
{
	vfcap_record_free(record);
}

static void forget_before(struct vfcap_record *record, struct vfcap_address vf)
{
	struct vfcap_before *before = record_find(record, vf);

	if (before)
		*before = record->before[--record->n];
}

/* What is recorded of a VF, begun where there is nothing. NULL: no memory. */
static struct vfcap_before *record_get(struct vfcap_record *record, struct vfcap_address vf)
{
	struct vfcap_before *before = record_find(record, vf), fresh = { .vf = vf };

	if (!before && vfcap_record_add(record, &fresh) == 0)
		before = &record->before[record->n - 1];
	return before;
}

/* What a step tells of the time before it. An override that was ours already tells nothing. */
static int learn(struct vfcap_record *record, const struct vfcap_entry *entry)
{
	struct vfcap_before *before = record_get(record, entry->vf);

	if (!before)
		return -ENOMEM;
	before->bound = true;
	if (entry->step.kind == VFCAP_STEP_OVERRIDE)
		memcpy(before->override, entry->step.from, VFCAP_NAME_ROOM);
	else if (entry->step.kind == VFCAP_STEP_UNBIND)
		memcpy(before->driver, entry->step.from, VFCAP_NAME_ROOM);
	return 0;
}

/* What a step leaves in the knob. Steps of one VF come together: *last is what is recorded of the VF of the last one. */
static int learn_knob(struct vfcap_record *record, const struct vfcap_entry *entry,
		      struct vfcap_before **last)
{
	enum vfcap_attr attr = entry->step.attr;

	if (!*last || vfcap_address_compare((*last)->vf, entry->vf))
		*last = record_get(record, entry->vf);
	if (!*last)
		return -ENOMEM;
	(*last)->knob[attr] = entry->step.new;
	(*last)->known |= 1u << attr;
	return 0;
}

/* Nothing is kept of VFs of which there is nothing to say. */
static void clean(struct vfcap_record *record)
{
	for (size_t i = record->n; i-- > 0;)
		if (!record->before[i].bound && !vfcap_before_enabled(&record->before[i]))
			record->before[i] = record->before[--record->n];
}

/* Was it bound to our driver, beginning with the i-th entry, which is its own? */
static bool was_bound(const struct vfcap_undo *undo, size_t i)
{
	const struct vfcap_address vf = undo->entry[i].vf;

	for (; i < undo->n; i++)
		if (undo->entry[i].step.kind == VFCAP_STEP_BIND &&
		    strcmp(undo->entry[i].step.to, VFCAP_DRIVER) == 0 &&
		    !vfcap_address_compare(undo->entry[i].vf, vf))
			return true;
	return false;
}

static bool was_recreated(const struct vfcap_undo *undo)
{
	for (size_t i = 0; i < undo->n; i++)
		if (undo->entry[i].step.kind == VFCAP_STEP_NUMVFS)
			return true;
	return false;
}

/* What a run that is done makes of the record. VFs come one after the other in a run, their knobs before or after. VFs
 * that it created were bound to nothing before, and that is nothing to go back to. */
static int apply(struct vfcap_record *record, const struct vfcap_undo *undo)
{
	const struct vfcap_address *last = NULL;
	bool bound = false, recreated = was_recreated(undo);
	struct vfcap_before *knob = NULL;
	int err = 0;

	for (size_t i = 0; i < record->n && recreated; i++)
		record->before[i].bound = false;
	for (size_t i = 0; i < undo->n && !err; i++) {
		const struct vfcap_entry *entry = &undo->entry[i];

		if (entry->step.kind == VFCAP_STEP_KNOB) {
			err = learn_knob(record, entry, &knob);
			continue;
		}
		if (recreated)
			continue;
		if (!last || vfcap_address_compare(*last, entry->vf)) {
			bound = was_bound(undo, i);
			forget_before(record, entry->vf);
		}
		knob = NULL;
		last = &entry->vf;
		if (bound)
			err = learn(record, entry);
	}
	clean(record);
	return err;
}

int vfcap_record_read_all(const struct vfcap_function *pf, struct vfcap_record *record)
{
	struct vfcap_undo undo = { 0 };
	int err = vfcap_record_read(pf, record);

	if (!err)
		err = vfcap_undo_read(pf, &undo);
	if (!err && undo.done)
		err = said(pf, apply(record, &undo), "record");
	vfcap_undo_free(&undo);
	return err;
}

static int save_record(const struct vfcap_journal *j, const struct vfcap_record *record)
{
	const struct vfcap_ops *ops = j->pf->host->ops;
	cleanup_free char *text = NULL;
	char boot[64], name[NAME_ROOM];
	size_t size;
	FILE *file;
	int err;
	bool failed;

	file_name(j->pf, "record", name);
	if (!record->n)
		return ops->drop(j->pf->host, j->dir, name);
	err = boot_id(j->pf->host, boot);
	if (err)
		return err;
	file = open_memstream(&text, &size);
	if (!file)
		return -ENOMEM;
	vfcap_record_print(file, record, j->pf->name, boot);
	failed = ferror(file);
	if (fclose(file) || failed ||
	    !text) /* glibc cuts the text to its length, and may have none then */
		return -ENOMEM;
	return ops->save(j->pf->host, j->dir, name, text);
}

/* ------------------------------------------------------------------------------------- journal -- */

int vfcap_journal_open(struct vfcap_journal *j, struct vfcap_function *pf, int wait)
{
	int err;

	*j = (struct vfcap_journal){ .pf = pf, .dir = -1, .lock = -1, .log = -1 };
	j->dir = open_dir_fd(pf->host);
	if (j->dir < 0)
		return j->dir;
	err = take_lock(j, wait);
	if (err)
		vfcap_journal_close(j);
	return err;
}

/* The lock goes with its descriptor. */
void vfcap_journal_close(struct vfcap_journal *j)
{
	vfcap_cleanup_close(&j->log);
	vfcap_cleanup_close(&j->lock);
	vfcap_cleanup_close(&j->dir);
	j->log = j->lock = j->dir = -1;
}

/* Nobody else may have come in by another lock file: they would overwrite each other's log. */
static int check_lock(struct vfcap_journal *j)
{
	char name[NAME_ROOM];
	int ret = is_named(j->lock, j->dir, file_name(j->pf, "lock", name));

	if (ret < 0)
		return said(j->pf, ret, "lock");
	return ret ? 0 : fail(j->pf, -EBUSY, "lock", "was removed while it was held; try again");
}

int vfcap_journal_begin(struct vfcap_journal *j, enum vfcap_act act)
{
	char boot[64], name[NAME_ROOM], head[VFCAP_JOURNAL_LINE];
	int err = check_lock(j);

	if (!err)
		err = boot_id(j->pf->host, boot);
	if (err)
		return err;
	vfcap_undo_head(head, act, j->pf->name, boot);
	err = j->pf->host->ops->save(j->pf->host, j->dir, file_name(j->pf, "undo", name), head);
	if (err)
		return said(j->pf, err, "undo");
	j->log = openat(j->dir, name, O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC);
	return said(j->pf, j->log < 0 ? -errno : hold_log(j), "undo");
}

int vfcap_journal_step(struct vfcap_journal *j, const struct vfcap_function *vf,
		       const struct vfcap_step *step)
{
	char line[VFCAP_JOURNAL_LINE];

	if (!vfcap_undo_line(line, vf->name, step))
		return 0;
	return said(j->pf, j->pf->host->ops->append(j->pf->host, j->log, line), "undo");
}

int vfcap_journal_read(struct vfcap_journal *j, struct vfcap_undo *undo)
{
	int err = vfcap_undo_read(j->pf, undo);

	if (err)
		return err;
	if (undo->damaged)
		return said(j->pf, -EBADMSG, "undo");
	return undo->there ? 0 : fail(j->pf, -ENOENT, "undo", "is gone, while its run goes on");
}

int vfcap_journal_done(struct vfcap_journal *j)
{
	return said(j->pf, j->pf->host->ops->append(j->pf->host, j->log, "done\n"), "undo");
}

int vfcap_journal_finish(struct vfcap_journal *j, const struct vfcap_undo *undo)
{
	VFCAP_CLEANUP(cleanup_record) struct vfcap_record record = { 0 };
	int err = vfcap_record_read(j->pf, &record);

	if (!err)
		err = apply(&record, undo);
	if (!err)
		err = save_record(j, &record);
	if (err)
		return said(j->pf, err, "record");
	return vfcap_journal_forget(j);
}

int vfcap_journal_forget(struct vfcap_journal *j)
{
	char name[NAME_ROOM];

	vfcap_cleanup_close(&j->log);
	j->log = -1;
	return said(j->pf,
		    j->pf->host->ops->drop(j->pf->host, j->dir, file_name(j->pf, "undo", name)),
		    "undo");
}
