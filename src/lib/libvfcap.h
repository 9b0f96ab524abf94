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

/* Take everything that would be read from /sys, /proc, ... under dir. -errno when it cannot be opened. */
int vfcap_set_sysroot(struct vfcap *ctx, const char *dir);

/* Read from a file instead of a host: dump text of lspci or a raw image; "ADDR=FILE" gives a raw image its
 * address, "-" is standard input. May be repeated. -EISDIR, -EINVAL (nothing in it), and open's errors. */
int vfcap_add_file(struct vfcap *ctx, const char *spec);

/* Read functions in D3cold or below a suspended bridge too, which wakes them. Default: they are skipped. */
void vfcap_set_wake(struct vfcap *ctx, bool wake);

/* Where messages go that are no errors ("dump.txt:12: address missing, record skipped"): one line each, object
 * first, no newline. Default: nowhere. */
void vfcap_set_log(struct vfcap *ctx, void (*log)(void *arg, const char *line), void *arg);

/* Finds the functions. Call once, after what is set above. -ENOENT: no PCI under the root. */
int vfcap_scan(struct vfcap *ctx);

/* The sentence of the last failure, object first, "" when there was none. Until the next call. */
const char *vfcap_error(const struct vfcap *ctx);

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
/* The name of vendor and device in pci.ids, "" when it has none. Until the next call. */
const char *vfcap_function_title(struct vfcap_function *fn);

/* The bound driver. NULL: none, or the source cannot tell (vfcap_function_knows_driver()). */
const char *vfcap_function_driver(const struct vfcap_function *fn);
bool vfcap_function_knows_driver(const struct vfcap_function *fn);
int vfcap_function_iommu_group(const struct vfcap_function *fn); /* -1: none or not known */
size_t vfcap_function_netdevs(const struct vfcap_function *fn);
const char *vfcap_function_netdev(const struct vfcap_function *fn, size_t i);
int vfcap_function_totalvfs(const struct vfcap_function *pf); /* -1: not known */
int vfcap_function_numvfs(const struct vfcap_function *pf); /* -1: not known */

/* What the kernel configures for a VF through its PF's netdev (rtnetlink); live host only. */
bool vfcap_function_mac(struct vfcap_function *vf, uint8_t mac[6]);
int vfcap_function_vlan(struct vfcap_function *vf); /* -1: none or not known; 0 untagged */

/* What the knob of the bound vfcap driver says: offset, 0: not emulated, -1: no knob. */
int vfcap_function_emulated(struct vfcap_function *vf, enum vfcap_emul e);

/* ------------------------------------------------------------------------------- config space -- */

/* The function's config space; bytes are fetched when they are asked for. NULL: skipped or out of memory, see
 * vfcap_error() and vfcap_function_skipped(). Until vfcap_function_drop(). */
struct vfcap_image *vfcap_function_image(struct vfcap_function *fn);

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

/* Where the wished capabilities go in this function (core.h: vfcap_plan_make()). plan is the caller's.
 * evidence may be NULL. 0, or -errno when there was no memory; "no" is in the plan. */
int vfcap_function_plan(struct vfcap_function *fn, const struct vfcap_wish *wish, struct vfcap_plan *plan,
			struct vfcap_evidence *evidence);

#ifdef __cplusplus
}
#endif

#endif
