/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libvfcap: reads the PCI functions of a host, a captured host or a dump, decodes their extended
 * capabilities, and says where emulated PASID and PRI belong in a Virtual Function (VF).
 *
 *	struct vfcap *ctx;
 *	struct vfcap_function *fn;
 *
 *	if (vfcap_new(&ctx) == 0 && vfcap_scan(ctx) == 0)
 *		vfcap_foreach(ctx, fn)
 *			puts(vfcap_function_name(fn));
 *	vfcap_free(ctx);
 *
 * Functions that return int give 0 or -errno unless said otherwise; vfcap_error() has the sentence.
 * Pointers that are returned belong to the context and live until vfcap_free(), or until what their own
 * comment names. The library never prints, exits, or reads argv or the environment. A context is
 * used by one thread at a time; contexts do not share anything.
 *
 * The pure half (images, chains, registers, placement, emulated bytes) is core.h, which this header brings
 * along: a VMM that has the bytes of a VF and its PF needs nothing else.
 *
 * Since: all of it 0.1.
 */
#ifndef LIBVFCAP_H
#define LIBVFCAP_H

#include <signal.h>

#include "core.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ------------------------------------------------------------------------------------ context -- */

struct vfcap; /* one host: where it is read from and what was read */
struct vfcap_function; /* one PCI function of it */

/* A new context that would read the live host. -ENOMEM. */
int vfcap_new(struct vfcap **ctx);

/* Frees it and everything that it gave. NULL is fine. */
void vfcap_free(struct vfcap *ctx);

/* Take everything that would be read from /sys, /proc, ... under dir. -errno when it cannot be opened. A file that
 * vfcap_capture() has written, plain or packed by gzip, is read into memory, and nothing is written; -EBADMSG: it is
 * none; -EPROTONOSUPPORT: packed otherwise. */
int vfcap_set_sysroot(struct vfcap *ctx, const char *dir);

/* Does a file look like one? */
bool vfcap_is_capture(const char *file);

/* Read from a file instead of a host: dump text of lspci or a raw image; "ADDR=FILE" gives a raw image its
 * address, "-" is standard input. May be repeated. -EISDIR, -EINVAL (nothing in it), and open's errors. */
int vfcap_add_file(struct vfcap *ctx, const char *spec);

/* Read functions in D3cold or below a suspended bridge too, which wakes them. Default: they are skipped. */
void vfcap_set_wake(struct vfcap *ctx, bool wake);

/* Where messages go that are no errors ("dump.txt:12: address missing, record skipped"): one line each, object
 * first, no newline. Default: nowhere. */
void vfcap_set_log(struct vfcap *ctx, void (*log)(void *arg, const char *line), void *arg);

/* How vfcap_change() and vfcap_apply() are ended from outside, by a signal handler or another thread: once *cancel is
 * not 0, each run ends before its next step, takes back what it did, and its outcomes are VFCAP_FAILED and
 * interrupted. A run whose steps were all made is done. Lent until vfcap_free(). Default, NULL: never. */
void vfcap_set_cancel(struct vfcap *ctx, const volatile sig_atomic_t *cancel);

/* Finds the functions. Call once, after what is set above. -ENOENT: no PCI under the root. */
int vfcap_scan(struct vfcap *ctx);

/* The sentence of the last failure, object first, "" when there was none. Until the next call. */
const char *vfcap_error(const struct vfcap *ctx);

/* The first read that failed, as a sentence, object first ("/sys/x: Input/output error"): what it would have told is
 * missing from the answers that were given. With config: of config space, too. NULL: none did. What a reader may not
 * see (EACCES, EPERM) and what is known not to be there are no failures; what there was no memory for is one. Until the
 * next call. */
const char *vfcap_failed_read(struct vfcap *ctx, bool config);

/* Is there a kernel behind what is read? False for files and captured hosts. */
bool vfcap_has_kernel(const struct vfcap *ctx);

/* Where it is read from, for people: "the live host", "DIR", "FILE", "2 files". */
const char *vfcap_source(const struct vfcap *ctx);

/* The kernel release whose vfio-pci decides what is visible, VFCAP_RELEASE(); VFCAP_RELEASE_NEWEST for files. */
uint32_t vfcap_kernel_release(const struct vfcap *ctx);

/* The directory of the demo host that ships with vfcap; NULL when it is not there. Owned by the caller. */
char *vfcap_demo_dir(void);

/* The library's version, "0.1.0". */
const char *vfcap_version(void);

/* ---------------------------------------------------------------------------------- functions -- */

/* All functions by ascending address; NULL at the end. */
struct vfcap_function *vfcap_function_first(struct vfcap *ctx);
struct vfcap_function *vfcap_function_next(const struct vfcap_function *fn);
#define vfcap_foreach(ctx, fn) \
	for ((fn) = vfcap_function_first(ctx); (fn); (fn) = vfcap_function_next(fn))

/* The VFs of a PF that exist, by index. */
struct vfcap_function *vfcap_vf_first(const struct vfcap_function *pf);
struct vfcap_function *vfcap_vf_next(const struct vfcap_function *vf);
#define vfcap_vf_foreach(pf, vf) for ((vf) = vfcap_vf_first(pf); (vf); (vf) = vfcap_vf_next(vf))
size_t vfcap_vf_count(const struct vfcap_function *pf);

/*
 * The functions that a DEVICE of the command line names: an address ("0000:3b:00.1", "3b:00.1", "pci/0000:3b:00.1",
 * "pci_0000_3b_00_1"), a netdev, a PF and VF indices ("ens1f0/vf3", "0000:3b:00.0/vf0-7"), or a glob over addresses.
 * Gives an array (owned by the caller, free()) by ascending address. -EINVAL: not a form of DEVICE; -ENOENT: names nothing.
 */
int vfcap_match(struct vfcap *ctx, const char *device, struct vfcap_function ***fns, size_t *n);

const char *vfcap_function_name(const struct vfcap_function *fn); /* "0000:3b:00.1" */
enum vfcap_role vfcap_function_role(const struct vfcap_function *fn);
struct vfcap_function *vfcap_function_pf(const struct vfcap_function *vf); /* NULL: not a VF, or not known */
int vfcap_function_vf_index(const struct vfcap_function *vf); /* 0-based; -1 */

/* Real IDs: of a VF its PF's vendor and SR-IOV's VF Device ID. -1 when not known. class: 24 bits. */
int vfcap_function_vendor(const struct vfcap_function *fn);
int vfcap_function_device(const struct vfcap_function *fn);
int vfcap_function_class(const struct vfcap_function *fn);
int vfcap_function_revision(const struct vfcap_function *fn);
/* Does stock vfio-pci refuse to bind it, and vfcap's driver as well (vfcap_denylisted())? 1, 0; -1: its IDs are not
 * known. */
int vfcap_function_denylisted(const struct vfcap_function *fn);
/* The name of vendor and device in pci.ids, "" when it has none. Until the next call. */
const char *vfcap_function_title(struct vfcap_function *fn);

/* The bound driver. NULL: none, or the source cannot tell (vfcap_function_knows_driver()). */
const char *vfcap_function_driver(const struct vfcap_function *fn);
bool vfcap_function_knows_driver(const struct vfcap_function *fn);
int vfcap_function_iommu_group(const struct vfcap_function *fn); /* -1: none or not known */
bool vfcap_function_knows_netdevs(const struct vfcap_function *fn); /* else there may be some */
size_t vfcap_function_netdevs(const struct vfcap_function *fn);
const char *vfcap_function_netdev(const struct vfcap_function *fn, size_t i);
int vfcap_function_totalvfs(const struct vfcap_function *pf); /* -1: not known */
int vfcap_function_numvfs(const struct vfcap_function *pf); /* -1: not known */

/* What the kernel configures for a VF through its PF's netdev (rtnetlink); live host only. */
bool vfcap_function_mac(struct vfcap_function *vf, uint8_t mac[6]);
int vfcap_function_vlan(struct vfcap_function *vf); /* -1: none or not known; 0 untagged */
bool vfcap_function_vlan_is_stag(struct vfcap_function *vf); /* 802.1ad, not 802.1Q */
int vfcap_function_trust(struct vfcap_function *vf); /* 1, 0; -1: not known */
int vfcap_function_spoofchk(struct vfcap_function *vf); /* 1, 0; -1: not known */

enum vfcap_vf_link { VFCAP_VF_LINK_AUTO, VFCAP_VF_LINK_ENABLE, VFCAP_VF_LINK_DISABLE, VFCAP_VF_LINKS };

int vfcap_function_link(struct vfcap_function *vf); /* enum vfcap_vf_link; -1: not known */
const char *vfcap_vf_link_name(enum vfcap_vf_link link); /* "auto", as ip(8) has it */

/* What the knob of the bound vfcap driver says: offset, 0: not emulated, -ENOENT: no knob; another -errno: it cannot be
 * known, see vfcap_error(). */
int vfcap_function_emulated(struct vfcap_function *vf, enum vfcap_emul e);

/* ------------------------------------------------------------------------------- config space -- */

/* The function's config space; bytes are fetched when they are asked for. NULL: skipped or out of memory, see
 * vfcap_error() and vfcap_function_skipped(). Until vfcap_function_drop(). */
struct vfcap_image *vfcap_function_image(struct vfcap_function *fn);

/* Why bytes of its config space could not be read: -errno of the first that vfcap_function_image() lacks or lacked, or of
 * the last try; 0: all that were asked for could. */
int vfcap_function_config_error(const struct vfcap_function *fn);

/* 0, 64 (no privilege: needs root or CAP_SYS_ADMIN), 256 or 4096; -1: not known. */
int vfcap_function_config_size(struct vfcap_function *fn);

/* Its physical chain, walked. NULL as vfcap_function_image(). Until vfcap_function_drop(). Only the first n
 * elements of its cap[] exist: do not copy the structure. */
const struct vfcap_chain *vfcap_function_chain(struct vfcap_function *fn);

/* Why its config space was not read, for people ("in D3cold"); NULL: it was, or could be. */
const char *vfcap_function_skipped(const struct vfcap_function *fn);

/* Forgets image and chain (memory of hosts with thousands of functions); the next call reads anew. */
void vfcap_function_drop(struct vfcap_function *fn);

/* A PASID, PRI or ATS capability as it stands in a function's chain. */
struct vfcap_state {
	uint16_t offset;
	bool enabled;
	bool known; /* enabled (and width) could be read */
	uint8_t width; /* PASID: bits */
};

/* id: VFCAP_ID_PASID, _PRI or _ATS. 1: there; 0: known not to be there; -errno: cannot be known. */
int vfcap_function_state(struct vfcap_function *fn, unsigned int id, struct vfcap_state *state);

/* --------------------------------------------------------------------------------------- plan -- */

/* On what the answer of vfcap_function_plan() rests. */
struct vfcap_evidence {
	size_t siblings_read; /* VFs of the PF whose bytes were looked at, this one too */
	size_t siblings_unreadable;
	struct vfcap_function *const *unreadable; /* those, borrowed until the PF is dropped */
};

/* Where the wished capabilities go in this function (core.h: vfcap_plan_make()), with no more PASID bits than the
 * IOMMU above it has, where that is known. plan is the caller's. evidence may be NULL. 0, or -errno; "no" is in the plan. */
int vfcap_function_plan(struct vfcap_function *fn, const struct vfcap_wish *wish, struct vfcap_plan *plan,
			struct vfcap_evidence *evidence);

/* The wish whose plan is what the knob of a VF says now: the same capabilities, offsets and width. False, and
 * nothing is wished: nothing is emulated. */
int vfcap_function_configured(struct vfcap_function *vf, struct vfcap_wish *wish);

/* ------------------------------------------------------------------------------ what guests see -- */

struct vfcap_guest; /* a function that is open through VFIO, as a VMM has it open */

/* Is that the form of a UUID ("bd8d9d2b-5a5f-4f5a-a211-f591514ba1f3")? */
bool vfcap_token_valid(const char *token);

/*
 * Opens a function through VFIO: by its own file and an iommufd where the host has both, else by its IOMMU group
 * and a container. Opening and closing may take a function level reset each, from 100 ms to seconds; where the
 * kernel is busy, up to 5 s are waited. token: the UUID that a VF wants whose PF is on vfio-pci, else NULL.
 * -EOPNOTSUPP: no kernel behind what is read; -ENODEV: no driver of VFIO is bound; -ENXIO: no IOMMU; -EXDEV: others
 * in the IOMMU group have drivers of their own; -EACCES: no permission; -ENOKEY: a token is wanted; -EKEYREJECTED: it
 * is the wrong one, or none is wanted; -EBUSY: in use. vfcap_error() says it with its remedy.
 */
int vfcap_guest_open(struct vfcap_function *fn, const char *token, struct vfcap_guest **guest);
void vfcap_guest_close(struct vfcap_guest *guest); /* NULL is fine */

/* How it was opened, for people: "group 14 and type1", "vfio3 and iommufd". Until it is closed. */
const char *vfcap_guest_how(const struct vfcap_guest *guest);

/* Makes img, the caller's, what a guest reads: bytes are fetched when they are asked for. Until it is closed. */
void vfcap_guest_image(struct vfcap_guest *guest, struct vfcap_image *img);

/* What the driver says of the PASID and PRI that it shows. */
struct vfcap_shown {
	uint16_t offset[VFCAP_EMULS]; /* 0: not shown */
	uint8_t width; /* PASID bits; 0 when it is not shown */
	bool pf_off[VFCAP_EMULS]; /* the PF has it switched off now, or lacks it */
	bool hidden[VFCAP_EMULS]; /* it was to be shown, and could not be when it was opened */
};

/* -ENOTTY: it is not vfcap's driver. */
int vfcap_guest_shown(struct vfcap_guest *guest, struct vfcap_shown *shown);

/* A byte that was not what it should be. */
struct vfcap_difference {
	uint16_t offset;
	uint8_t expected, found;
	uint8_t wrote_len; /* 0: that is what was read first; else the bytes of the write that came before: */
	uint16_t wrote_at;
	uint32_t wrote;
};

/* What vfcap enabled in a VF, by the record in /run/vfcap. */
struct vfcap_enabled {
	bool there; /* false: nothing, or that was not recorded */
	uint16_t offset[VFCAP_EMULS]; /* 0: not emulated */
	uint8_t width; /* 0: the PF's */
	bool changed; /* the VF's knob says something else now, or the VF has none */
};

/* 0, or -errno, said: it cannot be known (-EACCES: needs root). */
int vfcap_function_enabled(struct vfcap_function *vf, struct vfcap_enabled *enabled);

/* What came of a comparison. */
struct vfcap_verdict {
	bool has_knob; /* false: it is not vfcap's driver, nothing was opened and all else is 0 */
	char how[64]; /* vfcap_guest_how() */
	uint16_t configured[VFCAP_EMULS]; /* by the knob; 0: not emulated */
	struct vfcap_shown shown;
	enum vfcap_code refused[VFCAP_EMULS]; /* why it is configured and not shown; VFCAP_OK: it is as configured */
	unsigned int n_links; /* the capabilities of the visible chain, whose headers were compared */
	unsigned int n_writes; /* that were tried */
	size_t n;
	struct vfcap_difference *difference; /* n of them; owned */
	/* Of vfcap_verify() alone. When that was changed, nothing was opened, and all else but the knob's is 0. */
	struct vfcap_enabled enabled;
	uint8_t width; /* by the knob; 0: the PF's */
};

/*
 * Opens a VF and compares, byte for byte, what a guest sees with what a plan with the offsets of the VF's knob
 * composes: the emulated capabilities, and the headers of all of the visible chain. With writes, and when there was
 * no difference, also writes to each emulated register by byte, word and dword, holds what comes of it against the
 * registers' masks, and puts back what was there. Before all that, the knob is held against vfcap_function_enabled(),
 * unless that needs root, which is logged. "No" is in the verdict, which is the caller's: vfcap_verdict_free(). 0, or an
 * error as of vfcap_guest_open() or of reading.
 */
int vfcap_verify(struct vfcap_function *vf, const char *token, bool writes, struct vfcap_verdict *verdict);

/* The same of one that was just opened, without what was enabled. */
int vfcap_guest_verify(struct vfcap_guest *guest, bool writes, struct vfcap_verdict *verdict);

/* Does a guest see what is configured? */
bool vfcap_verdict_good(const struct vfcap_verdict *verdict);
void vfcap_verdict_free(struct vfcap_verdict *verdict); /* what it holds, not verdict itself */

/* ------------------------------------------------------------------------------------ capture -- */

/* What went into a capture, and what did not. */
struct vfcap_captured {
	size_t functions; /* written */
	size_t files; /* written, links too */
	uint64_t bytes; /* of the file */
	size_t serials, macs; /* that were blanked */
	size_t without; /* functions whose config space could not be read, or would wake them */
	size_t short_config; /* functions of which 64 bytes were read for want of privilege */
};

/*
 * Writes the host as it was scanned into one file: a tar archive of what the commands of vfcap read, which
 * vfcap_set_sysroot() reads elsewhere; packed by gzip when its name ends in ".gz" or ".tgz". Device serial numbers and
 * MAC addresses are blanked, unless serials. The file is of its owner alone, appears when it is whole, and replaces none
 * (-EEXIST). -EINVAL: what was read are files, not a host; and errors of reading and writing. Of _to() the file is open
 * and written plainly, and name is for messages.
 */
int vfcap_capture(struct vfcap *ctx, const char *file, bool serials,
		  struct vfcap_captured *captured);
int vfcap_capture_to(struct vfcap *ctx, int fd, const char *name, bool serials,
		     struct vfcap_captured *captured);

/* ------------------------------------------------------------------------------------ monitor -- */

enum vfcap_event_kind {
	VFCAP_EVENT_PRESENT, /* it is there: vfcap_monitor_present() */
	VFCAP_EVENT_ADD,
	VFCAP_EVENT_REMOVE,
	VFCAP_EVENT_BIND,
	VFCAP_EVENT_UNBIND,
	VFCAP_EVENT_EMULATED, /* what vfcap's driver is told to show, or its state */
	VFCAP_EVENT_NETWORK, /* what the PF's driver sets for a VF */
	VFCAP_EVENT_RESCAN, /* of nothing else: messages were lost, and what follows was found by looking */
	VFCAP_EVENTS
};

const char *vfcap_event_name(enum vfcap_event_kind kind); /* "present" */

/* What happened to a PF or VF, and what it is then. */
struct vfcap_event {
	enum vfcap_event_kind kind;
	char address[24];
	enum vfcap_role role;
	char pf[24]; /* of a VF */
	int vf_index; /* of a VF; -1: not known */
	char driver[64]; /* "": none */
	char from[64]; /* of UNBIND and REMOVE: the driver that it had */
	bool has_knob; /* it is bound to vfcap's driver: */
	uint16_t emulated[VFCAP_EMULS]; /* 0: not emulated */
	uint8_t width; /* 0: the PF's */
	char state[64]; /* "ready" */
	bool has_mac, vlan_is_stag;
	uint8_t mac[6];
	int vlan, trust, spoofchk, link; /* as vfcap_function_vlan() and the others have them; -1 */
};

struct vfcap_monitor; /* PFs and VFs of a host, followed by the kernel's messages */

/*
 * Looks at the host as it is, and follows it from there. ctx need not be scanned, and must live as long. buffer:
 * bytes of messages that the kernel may keep until they are taken, 0: many; what does not fit is lost, and made good
 * for by looking. -EOPNOTSUPP: no kernel behind what is read; -EPERM and the like: no such messages here.
 */
int vfcap_monitor_open(struct vfcap *ctx, size_t buffer, struct vfcap_monitor **monitor);
void vfcap_monitor_close(struct vfcap_monitor *monitor); /* NULL is fine */

/* Tells from here on only of what a DEVICE names (a PF: and its VFs), which need not be there yet; of several, of
 * all of them. -EINVAL: not a form of DEVICE; -ENOENT: no such network interface. */
int vfcap_monitor_filter(struct vfcap_monitor *monitor, const char *device);

/* Tells of everything that is there. */
int vfcap_monitor_present(struct vfcap_monitor *monitor);

/* What to poll for reading. Never waits: 1: an event; 0: none now; -errno: it cannot go on. */
int vfcap_monitor_fd(const struct vfcap_monitor *monitor);
int vfcap_monitor_next(struct vfcap_monitor *monitor, struct vfcap_event *event);

/* ------------------------------------------------------------------------------------- change -- */

enum vfcap_result {
	VFCAP_DONE,
	VFCAP_UNCHANGED, /* as it was wanted to be, or nothing was to be changed (dry_run) */
	VFCAP_REFUSED, /* "no": see code; nothing was touched */
	VFCAP_FAILED, /* could not */
	VFCAP_RESULTS
};

const char *vfcap_result_name(enum vfcap_result result); /* "done" */

struct vfcap_change_options {
	bool disable; /* else: enable */
	/* Instead of both: nothing is shown, and the VF is bound to this driver. NULL, with assign: to none. */
	bool assign;
	const char *driver;
	/* enable: what is to be shown, and where. disable: want[] is what is taken back, with none of
	 * it: all, and the VF goes back to the driver that it had. */
	struct vfcap_wish wish;
	/* enable: the rule that must lead to the explicit offset, too. VFCAP_RULE_AUTO: none need. */
	enum vfcap_rule agree[VFCAP_EMULS];
	bool dry_run; /* decide, change nothing */
	bool no_bind; /* enable: must be bound already; disable: stays bound */
	bool no_verify; /* do not look through VFIO at what was done */
	bool assume_unused; /* where it cannot be found out who uses a VF, nobody does; else it is refused */
	bool if_off; /* leave alone what shows something already */
	unsigned int wait; /* seconds for another run on the PF to end; 0: 10 */
	const char *vf_token; /* of a PF that is on vfio-pci, a UUID; NULL: none */
	/* Called before a VF is worked on, done of all: what for people ("bind"). May be NULL. */
	void (*progress)(void *arg, const char *what, size_t done, size_t all);
	void *progress_arg;
};

/* One step of a change, made or to be made. */
struct vfcap_step;

/* "module", "override", "unbind", "bind", "knob", "verify" or "forget"; of a PF "numvfs" or "autoprobe". */
const char *vfcap_step_name(const struct vfcap_step *step);
/* The attribute that a step of "knob" writes ("pasid_offset"), NULL: none; and its values, which steps of a PF
 * have too. */
const char *vfcap_step_attribute(const struct vfcap_step *step);
unsigned int vfcap_step_old(const struct vfcap_step *step);
unsigned int vfcap_step_new(const struct vfcap_step *step);
/* The driver or driver_override that it leaves and that it goes to; NULL: none, of "bind": any. */
const char *vfcap_step_from(const struct vfcap_step *step);
const char *vfcap_step_to(const struct vfcap_step *step);

/* What came of one VF; of apply, also of a PF whose number of VFs is described. */
struct vfcap_outcome {
	struct vfcap_function *vf; /* or the PF */
	bool is_pf;
	bool later[VFCAP_EMULS]; /* of a VF that is not there yet, by a rule: offset[] is not known */
	uint16_t numvfs; /* of a PF: how many VFs it has, or was to have */
	enum vfcap_result result;
	enum vfcap_code code; /* VFCAP_REFUSED: why; VFCAP_OK: because of another VF of the PF */
	enum vfcap_emul emul; /* of which capability code speaks; VFCAP_EMULS: of the VF */
	bool undone; /* VFCAP_FAILED: and what was done to it was taken back */
	bool interrupted; /* VFCAP_FAILED: because of vfcap_set_cancel() */
	bool pf_off[VFCAP_EMULS]; /* a guest sees it only once the PF has it on */
	bool denylisted; /* vfio-pci refuses it; vfcap's driver, as its module is loaded, does not */
	bool forced; /* something was given way on: without force it would be refused */
	bool unrecorded; /* it shows what it was to, and the record of that was, or is to be, written anew */
	uint16_t offset[VFCAP_EMULS]; /* what is, or was to be, configured; 0: not emulated */
	uint8_t width;
	char message[512]; /* for people: who uses it, what failed, object first; "": nothing to say */
	const struct vfcap_step *step; /* n_steps of them, for vfcap_outcome_step(); NULL: it failed undecided */
	size_t n_steps;
};

/* What came of a change. */
struct vfcap_change;

/*
 * Makes VFs of one PF show what is wished, or gives them back: decides about all of them first, and when one
 * is refused nothing is touched. Then binds, turns the knob, verifies, and records what there was before; when any
 * of that fails, all that was done is taken back. What a killed run left of that PF is dealt with before.
 *
 * Without a kernel behind the context, and with dry_run, it only decides: VFs that would be changed are
 * VFCAP_FAILED or, with dry_run, VFCAP_UNCHANGED, and have their steps.
 *
 * All of vf[0..n) have the same PF. 0: look at the outcomes; -EINVAL: not one PF; -ENOMEM.
 */
int vfcap_change(struct vfcap *ctx, struct vfcap_function *const *vf, size_t n,
		 const struct vfcap_change_options *opt, struct vfcap_change **change);
/* Of the i-th VF; NULL: there is none. Until vfcap_change_free(). */
const struct vfcap_outcome *vfcap_change_outcome(const struct vfcap_change *change, size_t i);
const struct vfcap_step *vfcap_outcome_step(const struct vfcap_outcome *outcome, size_t i);
void vfcap_change_free(struct vfcap_change *change);

/* What a VF is told to show, and shows. */
struct vfcap_status {
	bool bound; /* to vfcap's driver; else the numbers are 0 */
	bool unbinding; /* a driver waits for a user to let go */
	uint16_t configured[VFCAP_EMULS]; /* 0: not emulated */
	uint16_t shown[VFCAP_EMULS]; /* by the open device */
	uint8_t width; /* 0: the PF's */
	char state[64]; /* as the driver says it: "off", "ready", "open", ... */
	char driver[64], driver_override[64]; /* "": none */
};

/* 0, or -errno, said: it has gone. */
int vfcap_function_status(struct vfcap_function *vf, struct vfcap_status *status);

/* What a run that did not end has left of a VF, or of a PF and all its VFs. */
struct vfcap_leftover {
	bool there;
	bool running; /* it has not ended because it is still at work */
	const char *command; /* what it was doing: "enable", "disable" or "apply" */
	bool done; /* all is done, and only not recorded */
	bool damaged; /* what it wrote down cannot be understood */
	size_t n_steps; /* written down */
};

/* 0, or -errno, said: it cannot be known (-EACCES: needs root). */
int vfcap_function_leftover(const struct vfcap_function *fn, struct vfcap_leftover *leftover);

/* Takes back what a killed run did to VFs of a PF, or finishes it when all was done. 0 too when there is
 * nothing. -EROFS: no kernel is behind the context. Failures are said; what is left stays to be repaired. */
int vfcap_repair(struct vfcap_function *pf);

/* ------------------------------------------------------------------------------------- apply -- */

/* Where something stands in a description. file is borrowed from it; line and column count from 1. */
struct vfcap_where {
	const char *file;
	unsigned int line, column;
};

/* What is described of one capability of VFs. */
struct vfcap_want {
	bool there; /* it is to be shown, */
	bool at; /* here, and nowhere else; else where rule leads to */
	uint16_t offset;
	/* With at: the rule that led there, and has to here, too. VFCAP_RULE_AUTO and _EXPLICIT: any. */
	enum vfcap_rule rule;
	struct vfcap_where where;
};

/* Do both describe the same? Where they stand does not matter. */
bool vfcap_want_same(const struct vfcap_want *a, const struct vfcap_want *b);

/* What is described of the VFs that a DEVICE names. */
struct vfcap_spec_vfs {
	const char *device;
	struct vfcap_want want[VFCAP_EMULS]; /* with none of it there: nothing is emulated */
	int width; /* of PASID, 0: the PF's; -1: not described */
	bool has_driver; /* without anything to show: what they are bound to, */
	const char *driver; /* NULL: to nothing */
	bool force; /* as of vfcap_apply_options, for these alone */
	struct vfcap_where where;
};

/* How many VFs a PF is to have. */
struct vfcap_spec_pf {
	const char *device;
	uint16_t numvfs;
	struct vfcap_where where;
};

/* A state of a host that is described. */
struct vfcap_spec {
	struct vfcap_spec_pf *pf;
	size_t n_pf;
	struct vfcap_spec_vfs *vfs;
	size_t n_vfs;
};

struct vfcap_apply_options {
	bool dry_run; /* decide, change nothing */
	bool no_verify; /* do not look through VFIO at what was done */
	bool force; /* as of enable */
	bool assume_unused; /* as of enable */
	bool if_off; /* VFs that show something stay as they are, whatever is described */
	/* What is wrong in the description keeps only the entry, or the PF, that it is about from being dealt with:
	 * vfcap_apply_skipped(). Else nothing is touched then. */
	bool partial;
	unsigned int wait; /* seconds for other runs on a PF to end; 0: 10 */
	const char *vf_token; /* as of enable; NULL: none */
	/* The address, as the kernel writes it, of the one PF or VF that is dealt with; what is described of others is
	 * passed over, even where they are not there. NULL: all. */
	const char *only;
	/* Called before a VF is worked on, done of all: what for people ("bind"). By one thread at a time, but not by the
	 * same one. May be NULL. */
	void (*progress)(void *arg, const char *what, size_t done, size_t all);
	void *progress_arg;
};

/* What is not dealt with, because it is described wrongly. */
struct vfcap_skipped {
	int err; /* -EINVAL, -ENOENT, -ERANGE: as vfcap_apply() */
	struct vfcap_function *pf; /* nothing of it is touched; NULL: what one entry says is passed over */
	struct vfcap_where where; /* its file is the description's */
	char *message; /* as vfcap_error() */
};

/* What came of it. */
struct vfcap_apply;

/*
 * Brings a host to a described state. PFs are changed independently, several at a time; of each PF, the number
 * of its VFs and all of its VFs that are described, or nothing: see vfcap_change(). Numbers of VFs lead through 0,
 * and are only changed when no VF is in use; VFs that are not described become what they were.
 *
 * 0: look at the outcomes, which are ordered by PF, then by VF. -EINVAL: the description contradicts itself, or a
 * device in it has no form of DEVICE; -ENOENT: there is no such device; -ERANGE: a PF cannot have so many
 * VFs; -ENOMEM. spec is not needed any more after that, but for what was skipped.
 */
int vfcap_apply(struct vfcap *ctx, const struct vfcap_spec *spec,
		const struct vfcap_apply_options *opt, struct vfcap_apply **apply);
/* The i-th outcome; NULL: there is none. Its function may be one that is not there (yet, or any more), of which
 * vfcap_function_name(), _pf() and _vf_index() tell. Until vfcap_apply_free(). */
const struct vfcap_outcome *vfcap_apply_outcome(const struct vfcap_apply *apply, size_t i);
/* The i-th of what was skipped; NULL: there is none. Until vfcap_apply_free(). */
const struct vfcap_skipped *vfcap_apply_skipped(const struct vfcap_apply *apply, size_t i);
void vfcap_apply_free(struct vfcap_apply *apply);

/* -------------------------------------------------------------------------------------- keep -- */

/* The files of /etc/vfcap.d under the root, descriptions that are kept over reboots. */
struct vfcap_kept;

/* -EPERM: the directory could have been written by others than root. */
int vfcap_kept_read(struct vfcap *ctx, struct vfcap_kept **kept);
/* The text of the i-th by name, its length, and its name ("/etc/vfcap.d/x.json"). NULL: there is none. Until
 * vfcap_kept_free(). */
const char *vfcap_kept_text(const struct vfcap_kept *kept, size_t i, const char **name, size_t *len);
/* Why that one cannot be taken, whose text is "" then: -EPERM: others than root could have written it, or it is no
 * regular file; or what open() says. 0: it can. *error: the sentence, until vfcap_kept_free(). */
int vfcap_kept_error(const struct vfcap_kept *kept, size_t i, const char **error);
void vfcap_kept_free(struct vfcap_kept *kept);

/* The name of the file that is a PF's own ("/etc/vfcap.d/0000:3b:00.0.json"). Returns buf. */
char *vfcap_kept_name(const struct vfcap_function *pf, char buf[64]);
/* Can it be written? -EROFS: not even root can; -EACCES. */
int vfcap_kept_try(struct vfcap_function *pf);
/* Replaces it as a whole, or removes it (text NULL). */
int vfcap_kept_write(struct vfcap_function *pf, const char *text);

/* Does somebody else set how many VFs a PF has? 1, and who it is; 0: nobody; -errno. */
int vfcap_function_owner(struct vfcap_function *pf, char *owner, size_t size);

/*
 * What a description says of one PF: *numvfs (-1: nothing), and what of each of its VFs: (*vfs)[i] is of that with index
 * i, n of them; device is NULL where nothing is said. *vfs is the caller's, free(), and what is in it the
 * description's. What is said of other PFs is passed over. -EINVAL and -ERANGE as vfcap_apply().
 */
int vfcap_spec_of(struct vfcap_function *pf, const struct vfcap_spec *spec, int *numvfs,
		  struct vfcap_spec_vfs **vfs, size_t *n);

/* ------------------------------------------------------------------------------------- doctor -- */

enum vfcap_health { VFCAP_PASS, VFCAP_FAIL, VFCAP_UNKNOWN, VFCAP_HEALTHS };

const char *vfcap_health_name(enum vfcap_health health); /* "pass" */

/* What a check is about. */
enum vfcap_about { VFCAP_ABOUT_HOST, VFCAP_ABOUT_IOMMU, VFCAP_ABOUT_PF, VFCAP_ABOUT_VF };

struct vfcap_check {
	const char *id; /* "pf-pasid" */
	const char *title; /* what is well when it passes, for people: "the PF has PASID" */
	enum vfcap_health result;
	char evidence[320]; /* what was seen, and in which file or register */
	char fix[256]; /* what to type, or to set in the firmware; "": nothing */
};

#define VFCAP_CHECKS_MOST 16

struct vfcap_checks {
	size_t n;
	struct vfcap_check check[VFCAP_CHECKS_MOST];
};

/* The i-th of all checks that there are: its ID, and about what it is (may be NULL). NULL: there is none. */
const char *vfcap_check_id(size_t i, enum vfcap_about *about);

/* Why PASID and shared virtual addressing do not work: what was found out about the host as a whole. */
struct vfcap_doctor;

/* Looks at the kernel, its modules, IOMMUs, who holds what; on the live host, asks QEMU (some 100 ms).
 * Changes nothing, and opens no device unless vfcap_doctor_ask() wants it. 0 or -ENOMEM; what cannot be read is
 * "unknown" in the checks. */
int vfcap_doctor_open(struct vfcap *ctx, struct vfcap_doctor **doctor);
void vfcap_doctor_close(struct vfcap_doctor *doctor); /* NULL is fine */

/* From now on vfcap_doctor_function() asks iommufd what the IOMMU can do. For that it opens functions that a driver of
 * VFIO has, nobody uses, and whose PF has PASID on: as vfcap_guest_open() with this token (until vfcap_doctor_close();
 * may be NULL), which may reset them. */
void vfcap_doctor_ask(struct vfcap_doctor *doctor, const char *token);

/* The checks of the host, of its i-th IOMMU unit, of a function (as a VF, else as a PF). Those that do
 * not apply are left out. */
void vfcap_doctor_host(struct vfcap_doctor *doctor, struct vfcap_checks *checks);
size_t vfcap_doctor_iommus(const struct vfcap_doctor *doctor);
const char *vfcap_doctor_iommu_name(const struct vfcap_doctor *doctor, size_t i); /* "dmar0" */
void vfcap_doctor_iommu(struct vfcap_doctor *doctor, size_t i, struct vfcap_checks *checks);
/* 0 or -ENOMEM. Drops what was read of a VF. */
int vfcap_doctor_function(struct vfcap_doctor *doctor, struct vfcap_function *fn,
			  struct vfcap_checks *checks);
/* Which unit a function is below; -1: the source does not tell. */
int vfcap_doctor_iommu_of(const struct vfcap_doctor *doctor, const struct vfcap_function *fn);

#ifdef __cplusplus
}
#endif

#endif
