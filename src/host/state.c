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

#define UNDO_HEAD "vfcap-undo 1"
#define RECORD_HEAD "vfcap-record 1"
#define LINE_ROOM 256
#define NAME_ROOM (VFCAP_ADDRESS_LEN + 8)
#define FILE_MOST (4 << 20) /* no log or record is larger */

static const char *file_name(const struct vfcap_function *pf, const char *what, char buf[NAME_ROOM])
{
	snprintf(buf, NAME_ROOM, "%s.%s", pf->name, what);
	return buf;
}

static int said(const struct vfcap_function *pf, int err, const char *what)
{
	return err ? vfcap_host_fail(pf->host, err, "%s: /run/vfcap/%s.%s: %s", pf->name, pf->name,
				     what, strerror(-err)) :
		     0;
}

/* ---------------------------------------------------------------------------------- directory -- */

/* Nobody else may have made it, or may look into it. */
static int check_dir(int fd)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	return st.st_uid == geteuid() && !(st.st_mode & 077) ? 0 : -EPERM;
}

static int open_dir(const struct vfcap_host *h, bool make)
{
	cleanup_close int run = vfcap_root_openat(h->root, "run", O_RDONLY | O_DIRECTORY);
	int fd, err;

	if (run < 0)
		return run;
	if (make && mkdirat(run, "vfcap", 0700) && errno != EEXIST)
		return -errno;
	fd = openat(run, "vfcap", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = check_dir(fd);
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}

static int boot_id(const struct vfcap_host *h, char buf[64])
{
	ssize_t n = vfcap_root_read(h->root, "proc/sys/kernel/random/boot_id", buf, 64);

	if (n <= 0 || strchr(buf, ' '))
		strcpy(buf, "-");
	return 0;
}

/* A whole file as text that the caller frees; -ENOENT. */
static int read_file(int dir, const char *name, char **text)
{
	cleanup_close int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	size_t n = 0;

	*text = NULL;
	if (fd < 0 || fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size > FILE_MOST)
		return -EBADMSG;
	*text = calloc(1, (size_t)st.st_size + 1);
	if (!*text)
		return -ENOMEM;
	while (n < (size_t)st.st_size) {
		ssize_t got = TEMP_FAILURE_RETRY(read(fd, *text + n, (size_t)st.st_size - n));

		if (got <= 0)
			break;
		n += (size_t)got;
	}
	return 0;
}

/* --------------------------------------------------------------------------------------- lines -- */

/* The next line that is whole, without its end; NULL. One that was cut off was never acted upon. */
static char *next_line(char **text)
{
	char *line = *text, *end = strchr(line, '\n');

	if (!end)
		return NULL;
	*end = '\0';
	*text = end + 1;
	return line;
}

/* Up to n words, divided by one space; how many there are, n + 1: more. */
static size_t split(char *line, char **word, size_t n)
{
	size_t i;

	for (i = 0; i < n && line; i++)
		word[i] = strsep(&line, " ");
	return line ? n + 1 : i;
}

static bool parse_address(const char *text, struct vfcap_address *a)
{
	return vfcap_address_parse(text, a) == strlen(text) && *text;
}

/* "-": none. */
static bool parse_driver(const char *text, char buf[VFCAP_NAME_ROOM])
{
	buf[0] = '\0';
	if (strcmp(text, "-") == 0)
		return true;
	if (!vfcap_driver_name_ok(text))
		return false;
	memcpy(buf, text, strlen(text) + 1);
	return true;
}

static bool parse_value(const char *text, unsigned long most, uint16_t *value)
{
	char *end;
	unsigned long v = strtoul(text, &end, 10);

	*value = (uint16_t)v;
	return *text >= '0' && *text <= '9' && !*end && v <= most;
}

static const char *or_dash(const char *name)
{
	return name[0] ? name : "-";
}

/* ---------------------------------------------------------------------------------------- undo -- */

static const char *const act_names[VFCAP_ACTS] = {
	[VFCAP_ACT_ENABLE] = "enable",
	[VFCAP_ACT_DISABLE] = "disable",
	[VFCAP_ACT_APPLY] = "apply",
};

const char *vfcap_act_name(enum vfcap_act act)
{
	return act_names[act];
}

/* Between names of drivers, and between numbers: those of the knob have names of their own. */
static const char *const kind_names[VFCAP_STEP_KINDS] = {
	[VFCAP_STEP_OVERRIDE] = "override",
	[VFCAP_STEP_UNBIND] = "unbind",
	[VFCAP_STEP_BIND] = "bind",
};

static const char *const count_names[VFCAP_STEP_KINDS] = {
	[VFCAP_STEP_NUMVFS] = "numvfs",
	[VFCAP_STEP_AUTOPROBE] = "autoprobe",
};

static bool parse_knob(char *const word[4], struct vfcap_step *step)
{
	step->kind = VFCAP_STEP_KNOB;
	for (unsigned int a = 0; a < VFCAP_ATTRS; a++)
		if (strcmp(word[0], vfcap_attr_name(a)) == 0) {
			step->attr = a;
			return parse_value(word[2], VFCAP_CFG_SIZE - 1, &step->old) &&
			       parse_value(word[3], VFCAP_CFG_SIZE - 1, &step->new);
		}
	return false;
}

static bool parse_count(char *const word[4], struct vfcap_step *step)
{
	unsigned long most = step->kind == VFCAP_STEP_NUMVFS ? UINT16_MAX : 1;

	return parse_value(word[2], most, &step->old) && parse_value(word[3], most, &step->new);
}

static bool parse_entry(char *line, struct vfcap_entry *entry)
{
	struct vfcap_step *step = &entry->step;
	char *word[4];

	memset(entry, 0, sizeof(*entry));
	if (split(line, word, 4) != 4 || !parse_address(word[1], &entry->vf))
		return false;
	for (unsigned int k = 0; k < VFCAP_STEP_KINDS; k++)
		if (kind_names[k] && strcmp(word[0], kind_names[k]) == 0) {
			step->kind = k;
			return parse_driver(word[2], step->from) && parse_driver(word[3], step->to);
		} else if (count_names[k] && strcmp(word[0], count_names[k]) == 0) {
			step->kind = k;
			return parse_count(word, step);
		}
	return parse_knob(word, step);
}

/* Is it this PF's? Then *same tells whether it is of this boot. */
static bool parse_head(char *line, const struct vfcap_function *pf, const char *boot,
		       struct vfcap_undo *undo, bool *same)
{
	char *word[5];

	if (split(line, word, 5) != 5 || strcmp(word[0], "vfcap-undo") || strcmp(word[1], "1") ||
	    strcmp(word[3], pf->name))
		return false;
	*same = strcmp(word[4], boot) == 0;
	for (unsigned int act = 0; act < VFCAP_ACTS; act++)
		if (strcmp(word[2], act_names[act]) == 0) {
			undo->act = act;
			return true;
		}
	return false;
}

static int add_entry(struct vfcap_undo *undo, const struct vfcap_entry *entry)
{
	struct vfcap_entry *more = vfcap_more(undo->entry, undo->n, sizeof(*more));

	if (!more)
		return -ENOMEM;
	undo->entry = more;
	more[undo->n++] = *entry;
	return 0;
}

/* A log without a whole head: nothing had been done yet. */
static int parse_undo(const struct vfcap_function *pf, char *text, struct vfcap_undo *undo)
{
	char *line = next_line(&text), boot[64];
	struct vfcap_entry entry;
	bool same = false;
	int err = 0;

	boot_id(pf->host, boot);
	undo->there = true;
	if (!line)
		return 0;
	undo->damaged = !parse_head(line, pf, boot, undo, &same);
	if (!undo->damaged && !same)
		undo->there = false;
	while (!err && undo->there && !undo->damaged && (line = next_line(&text))) {
		undo->done = strcmp(line, "done") == 0;
		if (undo->done)
			break;
		if (parse_entry(line, &entry))
			err = add_entry(undo, &entry);
		else
			undo->damaged = true;
	}
	if (undo->damaged)
		undo->n = 0;
	return err;
}

int vfcap_undo_read(const struct vfcap_function *pf, struct vfcap_undo *undo)
{
	cleanup_close int dir = -1;
	cleanup_free char *text = NULL;
	char name[NAME_ROOM];
	int err;

	*undo = (struct vfcap_undo){ 0 };
	if (!pf->host->root)
		return 0;
	dir = open_dir(pf->host, false);
	err = dir < 0 ? dir : read_file(dir, file_name(pf, "undo", name), &text);
	if (err == -ENOENT)
		return 0;
	undo->there = undo->damaged = err == -EBADMSG;
	if (err)
		return undo->damaged ? 0 : err;
	err = parse_undo(pf, text, undo);
	if (err)
		vfcap_undo_free(undo);
	return err;
}

void vfcap_undo_free(struct vfcap_undo *undo)
{
	free(undo->entry);
	*undo = (struct vfcap_undo){ 0 };
}

bool vfcap_undo_running(const struct vfcap_function *pf)
{
	cleanup_close int dir = -1, lock = -1;
	char name[NAME_ROOM];

	if (!pf->host->root)
		return false;
	dir = open_dir(pf->host, false);
	if (dir < 0)
		return false;
	lock = openat(dir, file_name(pf, "lock", name), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	return lock >= 0 && flock(lock, LOCK_SH | LOCK_NB) && errno == EWOULDBLOCK;
}

/* -------------------------------------------------------------------------------------- record -- */

static int add_before(struct vfcap_record *record, const struct vfcap_before *before)
{
	struct vfcap_before *more = vfcap_more(record->before, record->n, sizeof(*more));

	if (!more)
		return -ENOMEM;
	record->before = more;
	more[record->n++] = *before;
	return 0;
}

static int parse_record(const struct vfcap_function *pf, char *text, struct vfcap_record *record)
{
	char *line = next_line(&text), *word[4], boot[64], head[LINE_ROOM];
	struct vfcap_before before;
	int err = 0;

	boot_id(pf->host, boot);
	snprintf(head, sizeof(head), RECORD_HEAD " %s %s", pf->name, boot);
	if (!line || strcmp(line, head))
		return 0;
	while (!err && (line = next_line(&text)))
		if (split(line, word, 4) == 4 && strcmp(word[0], "vf") == 0 &&
		    parse_address(word[1], &before.vf) && parse_driver(word[2], before.driver) &&
		    parse_driver(word[3], before.override))
			err = add_before(record, &before);
	return err;
}

int vfcap_record_read(const struct vfcap_function *pf, struct vfcap_record *record)
{
	cleanup_close int dir = -1;
	cleanup_free char *text = NULL;
	char name[NAME_ROOM];
	int err;

	*record = (struct vfcap_record){ 0 };
	if (!pf->host->root)
		return 0;
	dir = open_dir(pf->host, false);
	if (dir < 0 || read_file(dir, file_name(pf, "record", name), &text))
		return 0;
	err = parse_record(pf, text, record);
	if (err)
		vfcap_record_free(record);
	return err;
}

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

void vfcap_record_free(struct vfcap_record *record)
{
	free(record->before);
	*record = (struct vfcap_record){ 0 };
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

/* What a step tells of the time before it. An override that was ours already tells nothing. */
static int learn(struct vfcap_record *record, const struct vfcap_entry *entry)
{
	struct vfcap_before *before = record_find(record, entry->vf), fresh = { .vf = entry->vf };
	int err = 0;

	if (!before) {
		err = add_before(record, &fresh);
		before = err ? &fresh : &record->before[record->n - 1];
	}
	if (entry->step.kind == VFCAP_STEP_OVERRIDE)
		memcpy(before->override, entry->step.from, VFCAP_NAME_ROOM);
	else if (entry->step.kind == VFCAP_STEP_UNBIND)
		memcpy(before->driver, entry->step.from, VFCAP_NAME_ROOM);
	return err;
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

/* What a run that is done makes of the record. VFs come one after the other in a run. Those that it
 * created were bound to nothing before, and that is nothing to go back to. */
static int apply(struct vfcap_record *record, const struct vfcap_undo *undo)
{
	const struct vfcap_address *last = NULL;
	bool bound = false;
	int err = 0;

	if (was_recreated(undo)) {
		vfcap_record_free(record);
		return 0;
	}
	for (size_t i = 0; i < undo->n && !err; i++) {
		const struct vfcap_entry *entry = &undo->entry[i];

		if (entry->step.kind == VFCAP_STEP_KNOB)
			continue;
		if (!last || vfcap_address_compare(*last, entry->vf)) {
			bound = was_bound(undo, i);
			forget_before(record, entry->vf);
		}
		last = &entry->vf;
		if (bound)
			err = learn(record, entry);
	}
	return err;
}

static int save_record(const struct vfcap_journal *j, const struct vfcap_record *record)
{
	cleanup_free char *text = NULL;
	char address[VFCAP_ADDRESS_LEN], boot[64], name[NAME_ROOM];
	cleanup_fclose FILE *file = NULL;
	size_t size;

	if (!record->n)
		return j->pf->host->ops->drop(j->pf->host, j->dir,
					      file_name(j->pf, "record", name));
	file = open_memstream(&text, &size);
	if (!file)
		return -ENOMEM;
	boot_id(j->pf->host, boot);
	fprintf(file, RECORD_HEAD " %s %s\n", j->pf->name, boot);
	for (size_t i = 0; i < record->n; i++)
		fprintf(file, "vf %s %s %s\n", vfcap_address_format(record->before[i].vf, address),
			or_dash(record->before[i].driver), or_dash(record->before[i].override));
	if (fflush(file))
		return -ENOMEM;
	return j->pf->host->ops->save(j->pf->host, j->dir, file_name(j->pf, "record", name), text);
}

/* ------------------------------------------------------------------------------------- journal -- */

static int take_lock(struct vfcap_journal *j, int wait)
{
	const struct timespec pause = { .tv_nsec = 50000000 };
	char name[NAME_ROOM];

	j->lock = openat(j->dir, file_name(j->pf, "lock", name),
			 O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (j->lock < 0)
		return said(j->pf, -errno, "lock");
	for (;; wait -= 50) {
		if (vfcap_host_cancelled(j->pf->host, j->pf->name))
			return -EINTR;
		if (flock(j->lock, LOCK_EX | LOCK_NB) == 0)
			return 0;
		if (errno != EWOULDBLOCK && errno != EINTR)
			return said(j->pf, -errno, "lock");
		if (wait <= 0)
			return vfcap_host_fail(j->pf->host, -EBUSY,
					       "%s: another vfcap is at work on it", j->pf->name);
		nanosleep(&pause, NULL);
	}
}

int vfcap_journal_open(struct vfcap_journal *j, struct vfcap_function *pf, int wait)
{
	int err;

	*j = (struct vfcap_journal){ .pf = pf, .dir = -1, .lock = -1, .log = -1 };
	j->dir = open_dir(pf->host, true);
	if (j->dir < 0)
		return vfcap_host_fail(pf->host, j->dir, "%s: /run/vfcap: %s", pf->name,
				       j->dir == -EPERM ?
					       "belongs to, or is open to, somebody else" :
				       j->dir == -EACCES ? "needs root" :
							   strerror(-j->dir));
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

int vfcap_journal_begin(struct vfcap_journal *j, enum vfcap_act act)
{
	char boot[64], name[NAME_ROOM], head[LINE_ROOM];
	int err;

	boot_id(j->pf->host, boot);
	snprintf(head, sizeof(head), UNDO_HEAD " %s %s %s\n", act_names[act], j->pf->name, boot);
	err = j->pf->host->ops->save(j->pf->host, j->dir, file_name(j->pf, "undo", name), head);
	if (err)
		return said(j->pf, err, "undo");
	j->log = openat(j->dir, name, O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC);
	return j->log < 0 ? said(j->pf, -errno, "undo") : 0;
}

int vfcap_journal_step(struct vfcap_journal *j, const struct vfcap_function *vf,
		       const struct vfcap_step *step)
{
	char line[LINE_ROOM];

	if (step->kind == VFCAP_STEP_KNOB)
		snprintf(line, sizeof(line), "%s %s %u %u\n", vfcap_attr_name(step->attr), vf->name,
			 step->old, step->new);
	else if (count_names[step->kind])
		snprintf(line, sizeof(line), "%s %s %u %u\n", count_names[step->kind], vf->name,
			 step->old, step->new);
	else if (kind_names[step->kind])
		snprintf(line, sizeof(line), "%s %s %s %s\n", kind_names[step->kind], vf->name,
			 or_dash(step->from), or_dash(step->to));
	else
		return 0;
	return said(j->pf, j->pf->host->ops->append(j->pf->host, j->log, line), "undo");
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
