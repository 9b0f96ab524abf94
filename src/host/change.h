/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Changing a host: what a VF is bound to and told to show, who uses it, single steps, and the journal
 * that lets a killed run be taken back. Here is no policy: what is to be done is decided in ../lib/.
 */
#ifndef VFCAP_CHANGE_H
#define VFCAP_CHANGE_H

#include "host.h"

#define VFCAP_DRIVER "vfcap-vfio-pci"
#define VFCAP_MODULE "vfcap_vfio_pci"
#define VFCAP_DISABLE_DENYLIST "sys/module/" VFCAP_MODULE "/parameters/disable_denylist"
#define VFCAP_NAME_ROOM 64 /* for a driver's name and its NUL */

/* Says that something of a function could not be read ("0000:3b:02.1: driver: Input/output error"), and returns err. */
int vfcap_read_fail(const struct vfcap_function *fn, const char *what, int err);

/* ---------------------------------------------------------------------------------------- ops -- */

struct vfcap_watch;

/* How a host is changed. Tests put something of their own in its place, and may have it die. */
struct vfcap_ops {
	/* Is there a kernel behind the root? */
	bool (*has_kernel)(const struct vfcap_host *h);
	/* Writes an attribute of sysfs at once. limit: milliseconds, after which -ETIMEDOUT is
	 * returned while the kernel goes on; 0: it does not wait for anybody. */
	int (*attr)(struct vfcap_host *h, const char *path, const char *text, int limit);
	/* Appends to a file, to the disk. */
	int (*append)(struct vfcap_host *h, int fd, const char *text);
	/* Replaces a file in a directory, as a whole and to the disk. One that cannot be written whole leaves
	 * nothing behind, and the old one alone. -EEXIST: NAME.new is no file, and in the way. */
	int (*save)(struct vfcap_host *h, int dir, const char *name, const char *text);
	/* Removes it. */
	int (*drop)(struct vfcap_host *h, int dir, const char *name);
	/* Can our module be loaded? With load: loads it. 0; -ENOENT: it cannot; other -errno: that is not known. */
	int (*module)(struct vfcap_host *h, bool load);
	/* Subscribes to what is told of network interfaces; NULL: nothing is. 0 or -errno. */
	int (*watch)(struct vfcap_watch *watch);
};

extern const struct vfcap_ops vfcap_ops_kernel; /* ops.c */

/* Is there a kernel to change? */
bool vfcap_host_has_kernel(const struct vfcap_host *h);

/* --------------------------------------------------------------------------------- knob, bind -- */

/* The attributes of the knob that are written; the first ones are those of enum vfcap_emul. */
enum vfcap_attr { VFCAP_ATTR_PASID, VFCAP_ATTR_PRI, VFCAP_ATTR_WIDTH, VFCAP_ATTRS };

const char *vfcap_attr_name(enum vfcap_attr attr); /* "pasid_offset" */
/* Can an attribute have that number: an offset where its capability fits, a width that the specification knows? */
bool vfcap_attr_takes(enum vfcap_attr attr, unsigned long number);

struct vfcap_knob {
	bool there;
	int abi;
	uint16_t value[VFCAP_ATTRS];
	uint16_t shown[VFCAP_EMULS];
	char state[64]; /* as the driver says it */
};

/* What a VF is bound to, what it may be bound to, and what its knob says. */
struct vfcap_binding {
	char driver[VFCAP_NAME_ROOM]; /* "": none */
	char override[VFCAP_NAME_ROOM]; /* "": none */
	bool unbinding; /* a driver of VFIO waits for a user to let go: the rest is not known */
	struct vfcap_knob knob;
};

/* Reads it anew. -ENODEV, said: the VF has gone; -EINVAL, said: a driver's name that cannot be written down; another
 * -errno, said: something of it cannot be read, and then none of b is known. */
int vfcap_binding_read(struct vfcap_function *vf, struct vfcap_binding *b) VFCAP_MUST_CHECK;
/* 0 (knob->there tells whether it has one), or -errno, said: that cannot be known. */
int vfcap_knob_read(struct vfcap_function *vf, struct vfcap_knob *knob) VFCAP_MUST_CHECK;

/* Is that driver there to bind to? 1, 0 or -errno, said. */
int vfcap_driver_loaded(struct vfcap_host *h, const char *driver) VFCAP_MUST_CHECK;

/* Does our module, as it is loaded, bind what stock vfio-pci refuses? 1; 0, also where it is not loaded; -errno,
 * said. */
int vfcap_denylist_disabled(struct vfcap_host *h) VFCAP_MUST_CHECK;

/* A name as drivers have them: no white space, no slash, not "." or "-", not too long. */
bool vfcap_driver_name_ok(const char *name);

/* -------------------------------------------------------------------------------------- steps -- */

enum vfcap_step_kind {
	VFCAP_STEP_MODULE, /* load our module */
	VFCAP_STEP_OVERRIDE, /* driver_override: from, to */
	VFCAP_STEP_UNBIND, /* from */
	VFCAP_STEP_BIND, /* to; "": whatever driver wants it */
	VFCAP_STEP_KNOB, /* attr: old, new */
	VFCAP_STEP_VERIFY, /* not the host's to do */
	VFCAP_STEP_NUMVFS, /* of a PF: how many VFs it has, old, new: from or to 0 */
	VFCAP_STEP_AUTOPROBE, /* of a PF: do drivers take its VFs by themselves, old, new */
	VFCAP_STEP_FORGET, /* what our driver keeps of a VF that is not bound to it */
	VFCAP_STEP_KINDS
};

struct vfcap_step {
	enum vfcap_step_kind kind;
	enum vfcap_attr attr;
	uint16_t old, new;
	char from[VFCAP_NAME_ROOM], to[VFCAP_NAME_ROOM];
};

/* Makes one step of a VF, or of a PF. -ETIMEDOUT: it hangs in the kernel. Errors are said. */
int vfcap_step_do(struct vfcap_function *fn, const struct vfcap_step *step);

/* ---------------------------------------------------------------------------------------- count -- */

/* How many VFs a PF has, read anew: its links are counted. -errno, said: it has gone, or they cannot be. */
int vfcap_count_read(struct vfcap_function *pf) VFCAP_MUST_CHECK;
/* sriov_drivers_autoprobe: 0 or 1; -1: this kernel has it not. 0 or -errno, said. */
int vfcap_autoprobe_read(struct vfcap_function *pf, int *autoprobe) VFCAP_MUST_CHECK;

/* netdev.c: a PF's driver took a number of VFs and made none. 0: its interface was down, and came up while it was waited
 * for (vfcap_host.wait_up): try again. -errno, said. */
int vfcap_no_vfs_made(struct vfcap_function *pf, unsigned int asked);

/* owner.c: who else sets how many VFs a PF has, by files under the root ("netplan does: /etc/netplan/x.yaml:7:
 * ens1f0"). 1: somebody does; 0: nobody; -errno, said. */
int vfcap_owner_find(struct vfcap_function *pf, char *owner, size_t size);

/* ------------------------------------------------------------------------------------- stored -- */

/* stored.c: a file of /etc/vfcap.d, as a whole. */
struct vfcap_stored {
	char *name, *text; /* "/etc/vfcap.d/x.json"; owned */
	size_t len;
	char *error; /* why it cannot be taken, with its name, and what helps; NULL: it can; owned */
	int err; /* then: -EPERM: it is not root's alone, or no file; or what open() says */
};

/* All of them, by name. -EPERM, said: the directory is not root's alone. */
int vfcap_stored_read(struct vfcap_host *h, struct vfcap_stored **files, size_t *n);
void vfcap_stored_free(struct vfcap_stored *files, size_t n);
/* Can a PF's own file be written? -errno, said. */
int vfcap_stored_try(struct vfcap_function *pf);
/* Replaces it, as a whole; NULL: removes it. Errors are said. */
int vfcap_stored_write(struct vfcap_function *pf, const char *text);

/* ---------------------------------------------------------------------------------------- use -- */

enum vfcap_use_kind {
	VFCAP_USE_NONE,
	VFCAP_USE_UNBINDING, /* and somebody keeps that from ending */
	VFCAP_USE_HELD, /* its group or its character device is open */
	VFCAP_USE_OPEN, /* its driver says so; by whom is not known */
	VFCAP_USE_NETDEV_UP,
	VFCAP_USE_NETDEV_AWAY, /* its netdev is in another network namespace */
	VFCAP_USE_UNKNOWN, /* that could not be asked: perhaps */
};

struct vfcap_use {
	enum vfcap_use_kind kind;
	int pid; /* 0: not known */
	char name[64]; /* of the process, or of the netdev */
	char unread
		[160]; /* VFCAP_USE_UNKNOWN: what could not be read, and why ("/proc/12/fd: Permission denied") */
};

/* A character device that a process has open. */
struct vfcap_holder {
	int pid;
	dev_t number;
	char name
		[32]; /* below /dev/vfio ("14", "devices/vfio3"): of a captured host, which has no numbers */
};

/* Who has which character devices open. */
struct vfcap_holders {
	struct vfcap_holder *holder;
	size_t n;
	bool numbered; /* by their numbers; else by the names of those of VFIO */
	char unread
		[160]; /* as of struct vfcap_use, of all that is used; "": all processes were asked */
};

/* Looks at all processes but our own. What could not be asked is told by holders->unread, unless the host says that it
 * counts as nobody (assume_unused). */
void vfcap_holders_scan(struct vfcap_host *h, struct vfcap_holders *holders);
void vfcap_holders_free(struct vfcap_holders *holders);

/* Who uses the VF. */
void vfcap_use_find(struct vfcap_function *vf, const struct vfcap_binding *b,
		    const struct vfcap_holders *holders, struct vfcap_use *use);

/* Who has a function open through VFIO, for people; false: that is not known. */
bool vfcap_use_holder(struct vfcap_function *fn, struct vfcap_use *use);

/* Drivers of VFIO that are made for certain devices, as modules.alias has them. */
struct vfcap_variants {
	char (*line)[2][160]; /* pattern, module */
	size_t n;
};

/* 0 or -errno, said. */
int vfcap_variants_load(struct vfcap_host *h, struct vfcap_variants *variants);
void vfcap_variants_free(struct vfcap_variants *variants);
/* The one that is made for this VF, or has it: 1, its name in buf. 0: none but stock vfio-pci and ours. -errno, said. */
int vfcap_variant_find(struct vfcap_function *vf, const struct vfcap_binding *b,
		       const struct vfcap_variants *variants,
		       char buf[VFCAP_NAME_ROOM]) VFCAP_MUST_CHECK;

/* -------------------------------------------------------------------------------------- state -- */

/*
 * /run/vfcap, of root alone. For each PF: ADDRESS.lock, held by who changes it and never removed;
 * ADDRESS.undo, the steps of a run that has not ended, each written before it is made; ADDRESS.record, what VFs were
 * bound to before us, and what was enabled in them. They are data: names of steps, addresses and names of drivers.
 */

enum vfcap_act { VFCAP_ACT_ENABLE, VFCAP_ACT_DISABLE, VFCAP_ACT_APPLY, VFCAP_ACTS };

const char *vfcap_act_name(enum vfcap_act act); /* "enable" */

/* A step that a run made, or was about to make. */
struct vfcap_entry {
	struct vfcap_address vf; /* or the PF itself */
	struct vfcap_step step;
};

/* What stands in ADDRESS.undo. */
struct vfcap_undo {
	bool there;
	enum vfcap_act act;
	bool done; /* all steps were made: nothing is to be taken back */
	bool damaged; /* it cannot be understood, n is 0 */
	struct vfcap_entry *entry;
	size_t n;
};

/* Of a PF; that of another boot is nothing. -errno, said, when it cannot be known: -EACCES: by those who are not root;
 * -EPROTONOSUPPORT: it is a later vfcap's. */
int vfcap_undo_read(const struct vfcap_function *pf, struct vfcap_undo *undo);
void vfcap_undo_free(struct vfcap_undo *undo);

/* Is a run at work on the PF now? 1, 0, or -errno, said. */
int vfcap_undo_running(const struct vfcap_function *pf);

/* What is recorded of a VF: what it was bound to before us, and what we left its knob at. */
struct vfcap_before {
	struct vfcap_address vf;
	bool bound; /* by us; before that, it had: */
	char driver[VFCAP_NAME_ROOM], override[VFCAP_NAME_ROOM];
	unsigned int known; /* bits by enum vfcap_attr: what of the knob is known */
	uint16_t knob[VFCAP_ATTRS];
};

/* Did we leave it with something to show? 0.1.0 did not record that. */
bool vfcap_before_enabled(const struct vfcap_before *before);

struct vfcap_record {
	struct vfcap_before *before;
	size_t n;
};

/* 0, also where there is none or that of another boot; -errno, said, when it cannot be known: -EBADMSG: it cannot be
 * understood; others as of the log. */
int vfcap_record_read(const struct vfcap_function *pf, struct vfcap_record *record);
/* The same, and what a run that is done has not recorded yet. */
int vfcap_record_read_all(const struct vfcap_function *pf, struct vfcap_record *record);
const struct vfcap_before *vfcap_record_find(const struct vfcap_record *record,
					     struct vfcap_address vf);
void vfcap_record_free(struct vfcap_record *record);

/* -------------------------------------------------------------------------------- journal-text -- */

#define VFCAP_JOURNAL_LINE 256 /* room for a line of a log or record, its end and NUL */

/*
 * journal-text.c: a log and a record as text, of the PF and boot of those names. Boot "-": it is not known, of a
 * captured host. 0, -ENOMEM, or -EPROTONOSUPPORT: a later vfcap has written it. A damaged log is one that is there; a
 * damaged record is -EBADMSG.
 */
int vfcap_undo_parse(const char *data, size_t len, const char *pf, const char *boot,
		     struct vfcap_undo *undo) VFCAP_MUST_CHECK;
int vfcap_record_parse(const char *data, size_t len, const char *pf, const char *boot,
		       struct vfcap_record *record) VFCAP_MUST_CHECK;
/* The lines of a log: its first, and that of a step of vf; false: such a step leaves nothing to take back. */
void vfcap_undo_head(char line[VFCAP_JOURNAL_LINE], enum vfcap_act act, const char *pf,
		     const char *boot);
bool vfcap_undo_line(char line[VFCAP_JOURNAL_LINE], const char *vf, const struct vfcap_step *step);
void vfcap_record_print(FILE *out, const struct vfcap_record *record, const char *pf,
			const char *boot);
int vfcap_record_add(struct vfcap_record *record, const struct vfcap_before *before); /* -ENOMEM */

/* ------------------------------------------------------------------------------------- journal -- */

/* A PF that is locked. */
struct vfcap_journal {
	struct vfcap_function *pf;
	int dir, lock, log; /* descriptors; -1 */
};

/* Locks a PF, waiting for others up to wait milliseconds. Errors are said, also by the rest. */
int vfcap_journal_open(struct vfcap_journal *j, struct vfcap_function *pf, int wait);
void vfcap_journal_close(struct vfcap_journal *j);
/* Begins to write down a run. There is no other: what it left was looked at. */
int vfcap_journal_begin(struct vfcap_journal *j, enum vfcap_act act);
/* Writes a step down that is to be made next. */
int vfcap_journal_step(struct vfcap_journal *j, const struct vfcap_function *vf,
		       const struct vfcap_step *step);
/* What was written down so far, of a run that goes on: it is there, and can be understood. */
int vfcap_journal_read(struct vfcap_journal *j, struct vfcap_undo *undo);
/* All steps were made. */
int vfcap_journal_done(struct vfcap_journal *j);
/* Records what a run that is done has changed, then forgets the run. Where the record cannot be read or written, both
 * stay. */
int vfcap_journal_finish(struct vfcap_journal *j, const struct vfcap_undo *undo);
/* Forgets a run that was taken back. */
int vfcap_journal_forget(struct vfcap_journal *j);

#endif
