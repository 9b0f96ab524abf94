/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The pure core of vfcap: images of config space, chains of extended capabilities, the registers in
 * them, the placement of emulated PASID and PRI, and the bytes that a guest reads and writes there.
 *
 * Nothing here does I/O, allocates or prints; every structure is the caller's and may be copied with
 * memcpy (but struct vfcap_image, whose ctx is the caller's). All offsets are bytes from the start
 * of a function's config space unless said otherwise. Bytes of config space are little-endian on
 * every host and are assembled one by one. "Spec" is the PCI Express Base Specification.
 */
#ifndef VFCAP_CORE_H
#define VFCAP_CORE_H

#include "env.h"

#ifdef __cplusplus
extern "C" {
#endif

/* -------------------------------------------------------------------------------------- image -- */

#define VFCAP_CFG_SIZE 4096 /* Spec 7.2.2: config space of a PCIe function */
#define VFCAP_EXT_BASE 0x100 /* Spec 7.6: extended capabilities begin here */
#define VFCAP_EXT_DWORDS ((VFCAP_CFG_SIZE - VFCAP_EXT_BASE) / 4)

/*
 * What is known of one function's config space. Reading goes through vfcap_image_read() only, which
 * asks fetch() for what is not known yet.
 */
struct vfcap_image {
	uint8_t bytes[VFCAP_CFG_SIZE]; /* valid where known says so, else 0 */
	uint32_t known[VFCAP_CFG_SIZE / 4 / 32]; /* one bit per dword, LSB first */
	uint16_t size; /* how much the function has as far as the source tells: 0, 64, 256 or 4096 */
	int error; /* the first -errno that fetch() gave, else 0 */
	bool at_hand; /* fetch() costs nothing and wakes nothing: a file, not a device */
	/*
	 * Reads [off, off + len) into buf; off and len are multiples of 4 and within VFCAP_CFG_SIZE.
	 * Returns how many bytes it could read, counted from off (fewer: the source ends or has a hole
	 * there), or -errno. May be NULL: then nothing but what is marked known is there.
	 */
	int (*fetch)(void *ctx, unsigned int off, unsigned int len, uint8_t *buf);
	void *ctx; /* handed to fetch(), the caller's */
};

/* Makes an image of which nothing is known yet. size: see struct vfcap_image. */
void vfcap_image_init(struct vfcap_image *img, unsigned int size,
		      int (*fetch)(void *ctx, unsigned int off, unsigned int len, uint8_t *buf),
		      void *ctx);

/* Makes an image of len bytes (cut to whole dwords and to 4096) that are all there is; size = the
 * smallest of 64, 256, 4096 that holds them. */
void vfcap_image_from_bytes(struct vfcap_image *img, const uint8_t *bytes, size_t len);

/* Makes [off, off + len) known. False when any byte of it cannot be had or lies outside. */
bool vfcap_image_need(struct vfcap_image *img, unsigned int off, unsigned int len);

/* Reads width (1, 2 or 4) bytes at off, unaligned too. False (and *val 0) as vfcap_image_need(). */
bool vfcap_image_read(struct vfcap_image *img, unsigned int off, unsigned int width, uint32_t *val);

/* Is [off, off + len) known already? Never fetches. */
bool vfcap_image_has(const struct vfcap_image *img, unsigned int off, unsigned int len);

static inline uint16_t vfcap_le16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t vfcap_le32(const uint8_t *p)
{
	return (uint32_t)vfcap_le16(p) | (uint32_t)vfcap_le16(p + 2) << 16;
}

static inline void vfcap_put_le16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
}

static inline void vfcap_put_le32(uint8_t *p, uint32_t v)
{
	vfcap_put_le16(p, (uint16_t)v);
	vfcap_put_le16(p + 2, (uint16_t)(v >> 16));
}

/*
 * The bytes of one capability that are proven to be its own. Its registers are read through
 * vfcap_body_read() only, so that no answer rests on what lies behind it.
 */
struct vfcap_body {
	struct vfcap_image *img;
	uint16_t offset; /* of the header; 0: there is none */
	uint16_t length; /* from the header; may leave the 4 KiB where the registers say so */
	bool missing; /* a register inside of it could not be had, and its length hangs on that */
};

/* Reads width (1, 2 or 4) bytes at +at. False (and *val 0) when any of them is not the capability's, or
 * cannot be had. */
bool vfcap_body_read(const struct vfcap_body *body, unsigned int at, unsigned int width,
		     uint32_t *val);

/* ------------------------------------------------------------------------------- capabilities -- */

/* Extended capability IDs that the code itself asks for; caps.c names all of them. */
#define VFCAP_ID_NULL 0x00
#define VFCAP_ID_AER 0x01
#define VFCAP_ID_VC 0x02
#define VFCAP_ID_MFVC 0x08
#define VFCAP_ID_VC9 0x09
#define VFCAP_ID_VSEC 0x0b
#define VFCAP_ID_ATS 0x0f
#define VFCAP_ID_SRIOV 0x10
#define VFCAP_ID_MCAST 0x12
#define VFCAP_ID_PRI 0x13
#define VFCAP_ID_PASID 0x1b
#define VFCAP_ID_DVSEC 0x23
#define VFCAP_ID_DOE 0x2e
#define VFCAP_ID_MAX 0x3a /* highest ID that caps.c names */

#define VFCAP_PASID_LEN 8 /* Spec 7.8.9 */
#define VFCAP_PRI_LEN 16 /* Spec 10.5.2 */

/* Offsets from the header, masks within the register (Spec 7.8.9, 10.5.2, 10.5.1, 9.3.3). */
#define VFCAP_PASID_CAP 0x04 /* 16 bits */
#define VFCAP_PASID_CAP_EXEC 0x0002
#define VFCAP_PASID_CAP_PRIV 0x0004
#define VFCAP_PASID_CAP_WIDTH 0x1f00
#define VFCAP_PASID_WIDTH_MOST 20 /* bits: more are reserved */
#define VFCAP_PASID_CTRL 0x06 /* 16 bits */
#define VFCAP_PASID_CTRL_ENABLE 0x0001
#define VFCAP_PASID_CTRL_EXEC 0x0002
#define VFCAP_PASID_CTRL_PRIV 0x0004
#define VFCAP_PRI_CTRL 0x04 /* 16 bits */
#define VFCAP_PRI_CTRL_ENABLE 0x0001
#define VFCAP_PRI_CTRL_RESET 0x0002
#define VFCAP_PRI_STATUS 0x06 /* 16 bits */
#define VFCAP_PRI_STATUS_RF 0x0001
#define VFCAP_PRI_STATUS_UPRGI 0x0002
#define VFCAP_PRI_STATUS_STOPPED 0x0100
#define VFCAP_PRI_STATUS_PASID 0x8000
#define VFCAP_PRI_CAPACITY 0x08 /* 32 bits */
#define VFCAP_PRI_ALLOC 0x0c /* 32 bits */
#define VFCAP_ATS_CTRL 0x06 /* 16 bits */
#define VFCAP_ATS_CTRL_ENABLE 0x8000
#define VFCAP_SRIOV_CTRL 0x08
#define VFCAP_SRIOV_CTRL_VFE 0x0001
#define VFCAP_SRIOV_TOTALVFS 0x0e
#define VFCAP_SRIOV_NUMVFS 0x10
#define VFCAP_SRIOV_OFFSET 0x14
#define VFCAP_SRIOV_STRIDE 0x16
#define VFCAP_SRIOV_VF_DEVICE 0x1a

struct vfcap_reg;

/* How long a capability is (DESIGN: "Two lengths"). */
enum vfcap_len_kind {
	VFCAP_LEN_UNKNOWN, /* nobody knows: the header is proven, the rest reserved */
	VFCAP_LEN_FIXED, /* base bytes proven; reserved if that is larger */
	VFCAP_LEN_SELF, /* bits 31:20 of the dword at +4 (VSEC, DVSEC) */
	VFCAP_LEN_COUNT, /* base + unit * (field at + plus), see struct vfcap_len */
	VFCAP_LEN_HOOK, /* hook() says */
};

struct vfcap_len {
	uint8_t kind;
	uint16_t base; /* bytes; HOOK: proven where hook() gives 0, and what it gives is exact then */
	uint16_t reserved; /* the most the spec allows, 0: the proven length is all */
	uint8_t at; /* COUNT, HOOK: where the 32-bit register that tells it is, from the header */
	uint32_t mask; /* COUNT: the field in it */
	uint8_t plus; /* COUNT: added to the field */
	uint16_t unit; /* COUNT: bytes per item */
	/* HOOK: the proven length in bytes from the capability's own registers; 0: not knowable. The body
	 * ends behind the register at `at`, or else behind the header; a hook makes it longer as it proves more. */
	unsigned int (*hook)(struct vfcap_body *body);
};

/* What the running kernel's vfio-pci does with a capability of an ID. */
enum vfcap_vfio {
	VFCAP_VFIO_HIDES,
	VFCAP_VFIO_SHOWS,
	VFCAP_VFIO_SHOWS_SINCE, /* from struct vfcap_capinfo.since on */
};

#define VFCAP_RELEASE(major, minor) ((uint32_t)(major) << 16 | (uint32_t)(minor))
#define VFCAP_RELEASE_NEWEST 0xffffffffu

struct vfcap_capinfo {
	uint16_t id;
	const char *name; /* short, upper case as lspci and Linux write it: "AER" */
	const char *title; /* as the spec writes it: "Advanced Error Reporting" */
	struct vfcap_len len;
	enum vfcap_vfio vfio; /* Linux drivers/vfio/pci/vfio_pci_config.c pci_ext_cap_length[] */
	uint32_t since; /* VFCAP_RELEASE() */
};

/* The table's row of an ID; NULL for an ID that it does not name. */
const struct vfcap_capinfo *vfcap_capinfo(unsigned int id);

/* The ID of a capability by its name in any case ("pasid") ; -1 when there is none. */
int vfcap_cap_by_name(const char *name);

/* Does vfio-pci of that kernel release unlink capabilities of this ID from a VF's chain? */
bool vfcap_vfio_hides(unsigned int id, uint32_t release);

/* The proven length in bytes of the capability at off, a multiple of 4 and at least 4 (the header),
 * not cut at anything; *reserved: the most it may have. *known is false when the whole length cannot be
 * known (then both are what is proven all the same), *truncated true when that is because a register that
 * tells the length cannot be had. */
unsigned int vfcap_cap_length(struct vfcap_image *img, unsigned int off, unsigned int id,
			      unsigned int *reserved, bool *known, bool *truncated);

/* Finds the PCI Express capability of the legacy list (Spec 7.5.3). Its length follows its version and its
 * type; it ends before the next header of that list and before extended config space. Returns 1; 0: the list
 * has none; -1: the list cannot be read, or the capability has no room where it is (*body is empty then). */
int vfcap_pcie_find(struct vfcap_image *img, struct vfcap_body *body);

/* The Device/Port Type of the capability that vfcap_pcie_find() found. */
unsigned int vfcap_pcie_type(const struct vfcap_body *pcie);

/* ---------------------------------------------------------------------------------- registers -- */

/* What may change a bit. CONST is copied from the PF into an emulated register, RO is live state and
 * is not: it starts at its reset value. */
enum vfcap_access {
	VFCAP_RO,
	VFCAP_CONST,
	VFCAP_GATED, /* CONST, but 0 where the PF is on without the same bit of its control */
	VFCAP_RW,
	VFCAP_W1C,
	VFCAP_ACTION, /* written, reads 0 */
};

enum vfcap_format {
	VFCAP_FLAG, /* one bit: true or false */
	VFCAP_DEC,
	VFCAP_HEX,
	VFCAP_ENUM, /* names[value], decimal beyond the last name or where the name is NULL */
};

struct vfcap_field {
	const char *key; /* snake_case, for JSON */
	const char *label; /* short, for people */
	uint32_t mask; /* contiguous, within the register */
	enum vfcap_access access;
	enum vfcap_format format;
	const char *const *names; /* ENUM only */
	uint8_t n_names;
};

struct vfcap_reg {
	const char *key;
	const char *label;
	uint16_t offset; /* from the capability's header, or from the start of its block */
	uint8_t size; /* 1, 2, 4 or 8 bytes; one of 8 has no fields */
	uint8_t n_fields; /* 0: the register is one number, shown in hex */
	const struct vfcap_field *fields;
	uint32_t reset; /* RO, RW, W1C bits of an emulated register begin here */
};

/* One register as it was found. */
struct vfcap_regval {
	const struct vfcap_reg *reg;
	const char *block; /* NULL, or the key of the repeated block that it stands in ("vc", "bar") */
	unsigned int index; /* which one of the repeated blocks */
	uint16_t offset; /* in config space */
	bool known; /* false: the source ends before it, value is 0 */
	uint64_t value;
};

struct vfcap_cap;
struct vfcap_regblock;

/* Walks all registers of a capability in the table's order; the caller's, made by vfcap_regs(). */
struct vfcap_regiter {
	struct vfcap_body cap;
	uint16_t block, index, count, reg; /* where the walk stands */
	uint16_t start, size; /* of the block's present one, from the header */
	uint16_t n_blocks, n_regs;
	const struct vfcap_regblock *blocks; /* the capability's, n_blocks of them */
	const struct vfcap_reg *regs; /* the block's, n_regs of them */
};

/* Begins a walk; nothing is read before the first vfcap_reg_next(). */
void vfcap_regs(struct vfcap_regiter *it, struct vfcap_image *img, const struct vfcap_cap *cap);

/* The next register; false at the end. Never reads outside of the capability's proven length, but
 * for PASID and PRI, whose length is theirs. A register of a DOE mailbox's data is never read. */
bool vfcap_reg_next(struct vfcap_regiter *it, struct vfcap_regval *val);

/* A field's value, shifted down. */
uint32_t vfcap_field_get(const struct vfcap_field *field, uint64_t value);

/* A field's value as a name of its enumeration; NULL when it has none. */
const char *vfcap_field_name(const struct vfcap_field *field, uint32_t value);

/* -------------------------------------------------------------------------------------- chain -- */

/* What a function is to SR-IOV (Spec 9.1). */
enum vfcap_role {
	VFCAP_ROLE_FUNCTION, /* neither */
	VFCAP_ROLE_PF, /* has an SR-IOV capability */
	VFCAP_ROLE_VF,
};

/* Every header is 4 bytes, so there are no more. */
#define VFCAP_CHAIN_MAX VFCAP_EXT_DWORDS

/* What is odd about a capability or about the end of a chain; a set of these is a mask of 1 << code. */
enum vfcap_anomaly {
	VFCAP_LOOP, /* its next pointer leads to a capability that was visited */
	VFCAP_MISALIGNED_NEXT, /* low two bits of its next pointer are set: masked and followed */
	VFCAP_NEXT_BELOW, /* its next pointer leads below 0x100 */
	VFCAP_PAST_END, /* its proven body leaves the 4 KiB, or what vfio-pci takes for it */
	VFCAP_OVERLAP, /* its proven body covers bytes of a capability earlier in the chain */
	VFCAP_TRUNCATED, /* the source ends before its header, or inside its proven body */
	VFCAP_ZERO_HEADER, /* a next pointer leads to this header, which is 0 */
	VFCAP_UNREADABLE, /* a next pointer leads to this header, which is all ones */
	VFCAP_NULL_CAP, /* ID 0 with a next pointer */
	VFCAP_BACKWARD, /* its next pointer leads to a lower offset: legal */
	VFCAP_UNKNOWN_LENGTH, /* nobody knows how long it is */
	VFCAP_ANOMALIES
};

/* The code as JSON writes it ("next-below-0x100"). */
const char *vfcap_anomaly_name(enum vfcap_anomaly code);

/* One sentence for people, without an object or a full stop. */
const char *vfcap_anomaly_text(enum vfcap_anomaly code);

/* Loop, next below 0x100, past the end, overlap: binding such a function to vfio-pci is a risk. */
bool vfcap_anomaly_breaks(enum vfcap_anomaly code);

struct vfcap_cap {
	uint16_t offset; /* of its header */
	uint16_t id;
	uint16_t next; /* as the header has it, low two bits masked */
	uint16_t length; /* proven, bytes; may leave the 4 KiB (VFCAP_PAST_END) */
	uint16_t reserved; /* >= 4, cut at the next higher header and at 0x1000 */
	uint16_t anomalies; /* mask of 1 << enum vfcap_anomaly */
	uint16_t other; /* VFCAP_OVERLAP: offset of the capability that it overlaps */
	uint16_t vfio_length; /* what vfio-pci takes for it where it shows it, bytes */
	uint8_t version;
	bool length0; /* VSEC, DVSEC: declares a length of 0, which vfio-pci takes for "hide it" */
};

struct vfcap_chain {
	uint16_t n;
	bool empty; /* dword 0 at 0x100 is 0 or all ones */
	bool broken; /* any anomaly that vfcap_anomaly_breaks() */
	uint16_t end; /* where the walk stopped though a next pointer led there; 0: it ended cleanly */
	uint16_t end_anomaly; /* what is there: mask of ZERO_HEADER, UNREADABLE, TRUNCATED, or 0 */
	struct vfcap_cap cap[VFCAP_CHAIN_MAX]; /* in chain order, n of them */
	uint16_t owner[VFCAP_EXT_DWORDS]; /* private to the walk; most of it is never written */
};

/* One anomaly of a chain, as vfcap_anomaly_next() gives it. */
struct vfcap_finding {
	enum vfcap_anomaly code;
	uint16_t offset; /* of the capability, or of what stands where the chain ended */
	uint16_t other; /* LOOP, BACKWARD, NEXT_BELOW, MISALIGNED_NEXT: where its next pointer leads (masked);
			 * OVERLAP: the capability that is overlapped; else 0 */
};

/*
 * Walks the physical chain of an image: visits each header once, never reads outside, always ends.
 * Reads headers and the registers that tell lengths, nothing else. An image of 256 bytes or less has an
 * empty chain with n = 0.
 */
void vfcap_chain_walk(struct vfcap_chain *chain, struct vfcap_image *img);

/* The anomalies of a chain in chain order; *pos starts at 0. False at the end. */
bool vfcap_anomaly_next(const struct vfcap_chain *chain, unsigned int *pos, struct vfcap_finding *out);

/* The first capability of that ID in chain order; NULL when there is none. */
const struct vfcap_cap *vfcap_chain_find(const struct vfcap_chain *chain, unsigned int id);

/* One capability of a chain as VFIO shows it. */
struct vfcap_link {
	uint16_t offset;
	uint16_t id; /* 0: a Null capability, or the Null anchor that a hidden head at 0x100 becomes */
};

/*
 * The visible chain: what a guest finds when it follows the headers that vfio-pci of that release
 * serves, in order. What vfio-pci hides is not part of it, but for its Null anchor at 0x100, and for
 * what lies behind a header that vfio-pci serves raw: that of a Null head, and that of a capability
 * right behind another one of the same ID. links has room for VFCAP_CHAIN_MAX. Returns how many: 0
 * only when the physical chain is empty.
 */
unsigned int vfcap_chain_visible(const struct vfcap_chain *chain, uint32_t release,
				 struct vfcap_link *links);

/* Is a capability of the physical chain among those n links, under its own ID? */
bool vfcap_links_show(const struct vfcap_link *links, unsigned int n, const struct vfcap_cap *cap);

/* --------------------------------------------------------------------------------------- plan -- */

/* What can be emulated, in the order in which it is planned. */
enum vfcap_emul { VFCAP_EMUL_PASID, VFCAP_EMUL_PRI, VFCAP_EMULS };

unsigned int vfcap_emul_id(enum vfcap_emul e); /* extended capability ID */
unsigned int vfcap_emul_len(enum vfcap_emul e); /* bytes: 8, 16 */

enum vfcap_rule {
	VFCAP_RULE_AUTO, /* pf-offset, then after-last, then free-gap */
	VFCAP_RULE_PF_OFFSET,
	VFCAP_RULE_AFTER_LAST,
	VFCAP_RULE_FREE_GAP,
	VFCAP_RULE_EXPLICIT, /* --at */
	VFCAP_RULE_HEAD, /* an answer only: the first capability of an empty chain */
	VFCAP_RULES
};

const char *vfcap_rule_name(enum vfcap_rule rule); /* "pf-offset" */
int vfcap_rule_by_name(const char *name); /* -1: none; only those that can be asked for by name */

/* Why not. The first group refuses a capability before any candidate is tried, in this order. */
enum vfcap_code {
	VFCAP_OK,
	VFCAP_NOT_A_VF,
	VFCAP_PF_UNKNOWN,
	VFCAP_PF_LACKS,
	VFCAP_NO_EXT_CONFIG,
	VFCAP_CODE_UNREADABLE, /* also: a candidate's bytes could not be read */
	VFCAP_BROKEN_CHAIN,
	VFCAP_ALREADY_PRESENT,
	VFCAP_WIDTH, /* wider than the PF's */
	VFCAP_MISALIGNED, /* candidates */
	VFCAP_OUT_OF_RANGE,
	VFCAP_OCCUPIED,
	VFCAP_TOO_CLOSE,
	VFCAP_NONZERO,
	VFCAP_SIBLING_NONZERO,
	VFCAP_PF_NONZERO,
	VFCAP_EMPTY_CHAIN,
	VFCAP_NO_ROOM, /* when no candidate was good */
	VFCAP_PF_OFF, /* enable only, as those below */
	VFCAP_IN_USE,
	VFCAP_OTHER_VARIANT,
	VFCAP_DENYLISTED,
	VFCAP_NO_MODULE,
	VFCAP_NOT_BOUND,
	VFCAP_NO_DRIVER, /* apply only, as those below */
	VFCAP_DISAGREES,
	VFCAP_OWNED,
	VFCAP_CHANGED, /* verify only */
	VFCAP_CODES
};

const char *vfcap_code_name(enum vfcap_code code); /* "pf-lacks-capability" */
const char *vfcap_code_text(enum vfcap_code code); /* one clause for people, no full stop */

struct vfcap_wish {
	bool want[VFCAP_EMULS];
	enum vfcap_rule rule; /* for those without at[] */
	enum vfcap_rule own_rule[VFCAP_EMULS]; /* of one alone, instead of rule; auto: none */
	uint16_t at[VFCAP_EMULS]; /* explicit offset, taken when explicit_at says so */
	bool explicit_at[VFCAP_EMULS];
	uint8_t width; /* PASID bits, 0: the PF's */
	bool force; /* gives way on checks 3 and 4 for --at and on a broken chain */
};

struct vfcap_plan_input {
	struct vfcap_image *vf;
	struct vfcap_image *pf; /* NULL: not known */
	struct vfcap_image *siblings; /* the OR of all VFs of the PF, this one too; NULL: none */
	const struct vfcap_chain *vf_chain; /* of vf */
	const struct vfcap_chain *pf_chain; /* of pf; NULL with it */
	/* What vfio-pci shows of a chain that is not empty, walked, where the kernel can be asked; NULL:
	 * worked out from vf_chain for release. */
	const struct vfcap_chain *visible;
	bool is_vf;
	uint8_t iommu_width; /* PASID bits that the IOMMU has, 0: not known, limits nothing */
	uint32_t release; /* of the kernel whose vfio-pci will show the chain */
};

struct vfcap_placement {
	enum vfcap_emul emul;
	enum vfcap_rule rule;
	uint16_t offset;
	uint16_t length; /* bytes */
	uint16_t after; /* visible capability whose next pointer leads here; 0: none, it is the head */
	uint16_t next; /* where its own next pointer leads */
	bool pf_enabled; /* ENABLE in the PF's control register */
	bool pf_checked; /* check 4 was made on the whole range (not asked of pf-offset and head) */
	bool siblings_checked; /* check 3 was made on the whole range of the siblings too */
	bool forced; /* a failing check 3 or 4 was given way */
	uint8_t width; /* PASID bits, the least of the wish, the PF and the IOMMU; 0 for PRI */
	uint8_t iommu_width; /* that of the input; 0: a guest may be shown fewer bits than width */
	uint8_t bytes[16]; /* what a guest reads at first, length of them are used */
};

struct vfcap_considered {
	enum vfcap_emul emul;
	enum vfcap_rule rule;
	uint16_t offset; /* the first candidate of a run that lost for the same cause */
	uint16_t last; /* the last of that run, == offset for one */
	enum vfcap_code code;
	uint16_t by_id; /* OCCUPIED, TOO_CLOSE: the capability in the way */
	uint16_t by_offset; /* and where it is; *NONZERO, UNREADABLE: the first offending byte */
};

#define VFCAP_CONSIDERED_MAX (VFCAP_IN_KERNEL ? 1 : VFCAP_EMULS * (VFCAP_EXT_DWORDS + 4))

/* Large (some 40 KiB): never on a kernel stack. */
struct vfcap_plan {
	uint16_t n_placements, n_considered, n_links;
	bool forced_broken; /* planned over a broken chain */
	struct vfcap_placement placement[VFCAP_EMULS];
	enum vfcap_code refused[VFCAP_EMULS]; /* VFCAP_OK: placed, or not wanted */
	struct vfcap_considered considered[VFCAP_CONSIDERED_MAX];
	struct vfcap_link link[VFCAP_CHAIN_MAX + VFCAP_EMULS]; /* the visible chain afterwards */
	uint16_t owner[VFCAP_EXT_DWORDS]; /* private to the planning; most of it is never written */
};

/* Decides where the wanted capabilities go (DESIGN section 4), in the order of enum vfcap_emul; but on an
 * empty chain one that was asked for at 0x100 goes first. Always gives an answer. */
void vfcap_plan_make(struct vfcap_plan *plan, const struct vfcap_plan_input *in,
		     const struct vfcap_wish *wish);

/* The offset of the chain's highest end: where after-last puts a capability. 0x100 when empty. */
unsigned int vfcap_chain_last_end(const struct vfcap_chain *chain);

/* ------------------------------------------------------------------------------------- shadow -- */

/*
 * What one open VF has instead of its hardware's config space: the emulated capabilities, and the
 * headers of the hardware's that lead to them. Headers are read-only.
 */
struct vfcap_shadow {
	uint16_t offset[VFCAP_EMULS]; /* 0: not emulated */
	uint16_t after[VFCAP_EMULS]; /* the hardware's capability whose header leads there; 0: none does */
	uint8_t bytes[VFCAP_EMULS][16];
	uint8_t header[VFCAP_EMULS][4]; /* of the one at after[] */
};

/* What a guest reads at first in a capability: header with that next pointer, the constant bits of the PF's
 * capability at pf_off (execute and privileged mode where it has them on), everything else at reset.
 * width: the most PASID bits, 0 = the PF's. False when the PF's registers cannot be read. */
bool vfcap_compose(uint8_t bytes[16], enum vfcap_emul e, struct vfcap_image *pf, unsigned int pf_off,
		   unsigned int width, unsigned int next);

/* Is the capability at pf_off switched on in the PF? False when it cannot be read. */
bool vfcap_pf_enabled(enum vfcap_emul e, struct vfcap_image *pf, unsigned int pf_off);

/* Takes over a plan's placements. view: what VFIO shows without them, whose headers are to lead to
 * them; NULL: the shadow has no headers. */
void vfcap_shadow_init(struct vfcap_shadow *sh, const struct vfcap_plan *plan,
		       struct vfcap_image *view);

/* How many bytes of [off, off + len) from off on are all of one range of the shadow (*inside true) or
 * all of none (*inside false): accesses are split there, so that nothing emulated ever reaches the
 * hardware. */
unsigned int vfcap_shadow_span(const struct vfcap_shadow *sh, unsigned int off, unsigned int len,
			       bool *inside);

/* Guest reads and writes of [off, off + len), which must lie inside one range of the shadow (what
 * vfcap_shadow_span() calls inside); else nothing happens and false is returned. Any length and alignment;
 * only the byte lanes that are written change, each under its mask. */
bool vfcap_shadow_read(const struct vfcap_shadow *sh, unsigned int off, unsigned int len, uint8_t *buf);
bool vfcap_shadow_write(struct vfcap_shadow *sh, unsigned int off, unsigned int len,
			const uint8_t *buf);

/* Function reset: controls and status back to their reset values, constants and headers stay. */
void vfcap_shadow_reset(struct vfcap_shadow *sh);

/* ----------------------------------------------------------------------------------- denylist -- */

/* Does stock vfio-pci refuse to bind functions of these IDs, for errata that an untrusted guest can exploit? A
 * VF's real IDs, not those that it reads. */
bool vfcap_denylisted(uint16_t vendor, uint16_t device);

#ifdef __cplusplus
}
#endif

#endif
