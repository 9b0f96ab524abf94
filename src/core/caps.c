/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Every extended capability: its ID, its names, how long it is and what vfio-pci makes of it; and
 * the registers of the two that can be emulated.
 *
 * [U] marks a layout that was taken from register maps and code, not from the text of the spec.
 */
#include "internal.h"

/* ---------------------------------------------------------- what the length of some hangs on -- */

#define HEADER_TYPE 0x0e
#define HEADER_TYPE_BRIDGE 1
#define CLASS_CODE 0x0a /* 16 bits: base class and sub-class */
#define CLASS_RC_EVENT_COLLECTOR 0x0807
#define CLASS_BRIDGE 0x06 /* base class; of a root port that has the header of an endpoint, too */
#define LEGACY_STATUS 0x06
#define LEGACY_STATUS_LIST 0x0010
#define LEGACY_LIST 0x34
#define LEGACY_FIRST 0x40 /* no capability is below */
#define LEGACY_ID_PCIE 0x10
#define PCIE_FLAGS 0x02 /* 16 bits */
#define PCIE_FLAGS_VERSION 0x000f
#define PCIE_FLAGS_TYPE 0x00f0
#define PCIE_TYPE_ROOT_PORT 4
#define PCIE_TYPE_RC_ENDPOINT 9
#define PCIE_TYPE_RC_EVENT_COLLECTOR 10
#define PCIE_LINK_CAP 0x0c
#define PCIE_LEN_DEVICE 0x0c /* version 1, on no link; there is none shorter */
#define PCIE_LEN_LINK 0x14 /* version 1, on a link */
#define PCIE_LEN 0x3c /* from version 2 on */

/* Reads the register at +at of a capability whose length hangs on it. What lies past the end of config
 * space does not count as missing: the length that is proven already leaves it, too. */
static uint32_t cap_reg(struct vfcap_body *body, unsigned int at)
{
	uint32_t val;

	if (!vfcap_body_read(body, at, 4, &val) && body->offset + at + 4 <= VFCAP_CFG_SIZE)
		body->missing = true;
	return val;
}

static bool is_on_link(unsigned int type)
{
	return type != PCIE_TYPE_RC_ENDPOINT && type != PCIE_TYPE_RC_EVENT_COLLECTOR;
}

unsigned int vfcap_pcie_type(const struct vfcap_body *pcie)
{
	uint32_t flags;

	vfcap_body_read(pcie, PCIE_FLAGS, 2, &flags);
	return (flags & PCIE_FLAGS_TYPE) >> 4;
}

/* Visits each header of the legacy list once. Gives the offset of the first PCI Express capability, 0 when
 * there is none, -1 when the list cannot be read; *headers is a set of dwords. */
static int find_legacy(struct vfcap_image *img, uint64_t *headers)
{
	unsigned int off, found = 0;
	uint32_t val;

	*headers = 0;
	if (!vfcap_image_read(img, LEGACY_STATUS, 2, &val))
		return -1;
	if (!(val & LEGACY_STATUS_LIST))
		return 0;
	if (!vfcap_image_read(img, LEGACY_LIST, 1, &val))
		return -1;

	for (off = val & 0xfc; off >= LEGACY_FIRST && !(*headers >> off / 4 & 1);
	     off = val >> 8 & 0xfc) {
		if (!vfcap_image_read(img, off, 2, &val))
			return -1;
		*headers |= 1ull << off / 4;
		if (!found && (val & 0xff) == LEGACY_ID_PCIE)
			found = off;
	}
	return (int)found;
}

int vfcap_pcie_find(struct vfcap_image *img, struct vfcap_body *body)
{
	unsigned int end, most = PCIE_LEN;
	uint64_t headers;
	uint32_t flags;
	int off;

	memset(body, 0, sizeof(*body));
	off = find_legacy(img, &headers);
	if (off <= 0)
		return off;

	body->img = img;
	body->offset = (uint16_t)off;
	for (end = body->offset + 4u; end < VFCAP_EXT_BASE && !(headers >> end / 4 & 1); end += 4)
		;
	body->length = (uint16_t)(end - body->offset);
	vfcap_body_read(body, PCIE_FLAGS, 2, &flags);
	if ((flags & PCIE_FLAGS_VERSION) < 2)
		most = is_on_link(vfcap_pcie_type(body)) ? PCIE_LEN_LINK : PCIE_LEN_DEVICE;
	if (body->length > most)
		body->length = (uint16_t)most;
	if (body->length >= PCIE_LEN_DEVICE)
		return 1;
	memset(body, 0, sizeof(*body));
	return -1;
}

static bool is_bridge(struct vfcap_image *img)
{
	uint32_t type;

	return vfcap_image_read(img, HEADER_TYPE, 1, &type) && (type & 0x7f) == HEADER_TYPE_BRIDGE;
}

unsigned int vfcap_link_lanes(struct vfcap_image *img)
{
	struct vfcap_body pcie;
	unsigned int lanes;
	uint32_t cap;

	if (vfcap_pcie_find(img, &pcie) <= 0 || !is_on_link(vfcap_pcie_type(&pcie)) ||
	    !vfcap_body_read(&pcie, PCIE_LINK_CAP, 4, &cap))
		return 0;

	lanes = cap >> 4 & 0x3f;
	switch (lanes) {
	case 1:
	case 2:
	case 4:
	case 8:
	case 12:
	case 16:
	case 32:
		return lanes;
	}
	return 0;
}

/* Root ports and event collectors have the three root registers behind the header log. */
static unsigned int aer_len(struct vfcap_body *body)
{
	struct vfcap_body pcie;
	unsigned int type = 0;
	uint32_t class;

	vfcap_image_read(body->img, CLASS_CODE, 2, &class);
	if ((class >> 8 == CLASS_BRIDGE || class == CLASS_RC_EVENT_COLLECTOR) &&
	    vfcap_pcie_find(body->img, &pcie) > 0)
		type = vfcap_pcie_type(&pcie);
	return type == PCIE_TYPE_ROOT_PORT || type == PCIE_TYPE_RC_EVENT_COLLECTOR ? 0x38 : 0x2c;
}

static unsigned int max_of(unsigned int a, unsigned int b)
{
	return a > b ? a : b;
}

/* Bytes of an arbitration table by the largest number of phases that is offered. */
static unsigned int arb_table(uint32_t offered, unsigned int entry_bits)
{
	unsigned int phases;

	if (offered & 0x20)
		phases = 256;
	else if (offered & 0x18) /* 128, weighted or time-based */
		phases = 128;
	else if (offered & 0x04)
		phases = 64;
	else if (offered & 0x02)
		phases = 32;
	else
		return 0;
	return phases * entry_bits / 8;
}

/* VC, VC9 and MFVC: the resources, and the arbitration tables wherever they were put (bits 31:24,
 * in units of 16 bytes). */
static unsigned int vc_len(struct vfcap_body *body)
{
	uint32_t cap1 = cap_reg(body, 4), cap2, res;
	unsigned int n = (cap1 & 7) + 1, len, i;

	body->length = (uint16_t)(0x10 + 12 * n);
	len = body->length;
	cap2 = cap_reg(body, 8);
	if (cap2 >> 24)
		len = max_of(len, 16 * (cap2 >> 24) + arb_table(cap2 & 0xe, 4));
	for (i = 0; i < n; i++) {
		res = cap_reg(body, 0x10 + 12 * i);
		if (res >> 24)
			len = max_of(len, 16 * (res >> 24) +
						  arb_table(res & 0x3e, 1u << (cap1 >> 10 & 3)));
	}
	return len;
}

static unsigned int rcec_len(struct vfcap_body *body)
{
	return (cap_reg(body, 0) >> 16 & 0xf) >= 2 ? 12 : 8;
}

static unsigned int acs_len(struct vfcap_body *body)
{
	uint32_t cap = cap_reg(body, 4);
	unsigned int bits = cap >> 8 & 0xff;

	if (!(cap & 0x20))
		return 8; /* no egress control: no vector */
	return 8 + ((bits ? bits : 256) + 31) / 32 * 4;
}

/* Bridges have the overlay BAR, too. */
static unsigned int mcast_len(struct vfcap_body *body)
{
	return is_bridge(body->img) ? 0x30 : 0x28;
}

static unsigned int tph_len(struct vfcap_body *body)
{
	uint32_t cap = cap_reg(body, 4);

	if ((cap >> 9 & 3) != 1)
		return 12; /* no table, or one in MSI-X */
	return 12 + 2 * ((cap >> 16 & 0x7ff) + 1);
}

/* Root ports have the RP PIO registers, and a log whose size in dwords is told. */
static unsigned int dpc_len(struct vfcap_body *body)
{
	uint32_t cap = cap_reg(body, 4);

	if (!(cap & 0x20))
		return 0x0c;
	return 0x20 + 4 * ((cap >> 8 & 0xf) | (cap >> 9 & 0x10));
}

/* Link streams of two registers; then selective streams of five, each with address blocks of its own. */
static unsigned int ide_len(struct vfcap_body *body)
{
	uint32_t cap = cap_reg(body, 4);
	unsigned int at = 0x0c, n = 0, blocks;

	if (cap & 1)
		at += 8 * ((cap >> 13 & 7) + 1);
	if (cap & 2)
		n = (cap >> 16 & 0xff) + 1;
	body->length = (uint16_t)(at + 20 * n);
	for (; n && !body->missing; n--) {
		blocks = cap_reg(body, at) & 0xf;
		body->length = (uint16_t)(body->length + 12 * blocks);
		at += 20 + 12 * blocks;
	}
	return body->length;
}

/* 0 where the width of the link is not told: see struct vfcap_len. */
static unsigned int lane_len(struct vfcap_image *img, unsigned int fixed, unsigned int per_lane)
{
	unsigned int lanes = vfcap_link_lanes(img);

	return lanes ? fixed + per_lane * lanes : 0;
}

static unsigned int secpci_len(struct vfcap_body *body)
{
	return lane_len(body->img, 0x0c, 2);
}

static unsigned int lmr_len(struct vfcap_body *body)
{
	return lane_len(body->img, 0x08, 4);
}

/* 16 and 32 GT/s: a byte per lane behind seven registers. */
static unsigned int gt16_len(struct vfcap_body *body)
{
	return lane_len(body->img, 0x20, 1);
}

/* -------------------------------------------------------------------------- the capabilities -- */

#define UNKNOWN { .kind = VFCAP_LEN_UNKNOWN }
#define FIXED(n) { .kind = VFCAP_LEN_FIXED, .base = (n) }
#define UP_TO(n, most) { .kind = VFCAP_LEN_FIXED, .base = (n), .reserved = (most) }
#define SELF { .kind = VFCAP_LEN_SELF }
#define COUNT(n, bytes, reg, bits, more) \
	{ .kind = VFCAP_LEN_COUNT, .base = (n), .unit = (bytes), .at = (reg), .mask = (bits), \
	  .plus = (more) }
#define HOOK(fn, reg) { .kind = VFCAP_LEN_HOOK, .hook = (fn), .at = (reg) }
#define HOOK_UP_TO(fn, reg, most) \
	{ .kind = VFCAP_LEN_HOOK, .hook = (fn), .at = (reg), .reserved = (most) }
#define LANES(fn, n, most) \
	{ .kind = VFCAP_LEN_HOOK, .hook = (fn), .base = (n), .reserved = (most) }

#define CAP(_id, _name, _title, _vfio, ...) \
	[_id] = { .id = (_id), .name = VFCAP_TEXT(_name), .title = VFCAP_TEXT(_title), \
		  .vfio = VFCAP_VFIO_##_vfio, .len = __VA_ARGS__ }

static const struct vfcap_capinfo caps[VFCAP_ID_MAX + 1] = {
	CAP(0x00, "NULL", "Null", HIDES, FIXED(4)),
	CAP(0x01, "AER", "Advanced Error Reporting", SHOWS, HOOK_UP_TO(aer_len, 0, 0x58)),
	CAP(0x02, "VC", "Virtual Channel", SHOWS, HOOK(vc_len, 4)),
	CAP(0x03, "DSN", "Device Serial Number", SHOWS, FIXED(12)),
	CAP(0x04, "PWR", "Power Budgeting", SHOWS, FIXED(16)),
	CAP(0x05, "RCLINK", "Root Complex Link Declaration", HIDES, COUNT(16, 16, 4, 0xff00, 0)),
	CAP(0x06, "RCILINK", "Root Complex Internal Link Control", HIDES, FIXED(12)),
	CAP(0x07, "RCEC", "Root Complex Event Collector Endpoint Association", HIDES,
	    HOOK_UP_TO(rcec_len, 0, 12)),
	CAP(0x08, "MFVC", "Multi-Function Virtual Channel", SHOWS, HOOK(vc_len, 4)),
	CAP(0x09, "VC9", "Virtual Channel (with MFVC)", SHOWS, HOOK(vc_len, 4)),
	CAP(0x0a, "RCRB", "Root Complex Register Block Header", HIDES, FIXED(0x14)),
	CAP(0x0b, "VSEC", "Vendor-Specific", SHOWS, SELF),
	CAP(0x0c, "CAC", "Configuration Access Correlation", HIDES, UNKNOWN),
	CAP(0x0d, "ACS", "Access Control Services", SHOWS, HOOK(acs_len, 4)),
	CAP(0x0e, "ARI", "Alternative Routing-ID Interpretation", SHOWS, FIXED(8)),
	CAP(0x0f, "ATS", "Address Translation Services", SHOWS, FIXED(8)),
	CAP(0x10, "SR-IOV", "Single Root I/O Virtualization", SHOWS, FIXED(0x40)),
	CAP(0x11, "MR-IOV", "Multi-Root I/O Virtualization", HIDES, UNKNOWN),
	CAP(0x12, "MCAST", "Multicast", SHOWS, HOOK_UP_TO(mcast_len, 0, 0x30)),
	CAP(0x13, "PRI", "Page Request Interface", SHOWS, FIXED(VFCAP_PRI_LEN)),
	CAP(0x14, "AMD", "Reserved for AMD", HIDES, UNKNOWN),
	CAP(0x15, "REBAR", "Resizable BAR", SHOWS, COUNT(4, 8, 8, 0xe0, 0)),
	CAP(0x16, "DPA", "Dynamic Power Allocation", SHOWS, COUNT(16, 1, 4, 0x1f, 1)),
	CAP(0x17, "TPH", "TPH Requester", SHOWS, HOOK(tph_len, 4)),
	CAP(0x18, "LTR", "Latency Tolerance Reporting", SHOWS, FIXED(8)),
	CAP(0x19, "SECPCI", "Secondary PCI Express", HIDES, LANES(secpci_len, 0x0c, 0x0c + 2 * 32)),
	CAP(0x1a, "PMUX", "Protocol Multiplexing", HIDES, COUNT(16, 4, 4, 0x3f, 0)), /* [U] */
	CAP(0x1b, "PASID", "Process Address Space ID", HIDES, FIXED(VFCAP_PASID_LEN)),
	CAP(0x1c, "LNR", "LN Requester", HIDES, FIXED(8)),
	CAP(0x1d, "DPC", "Downstream Port Containment", HIDES, HOOK_UP_TO(dpc_len, 4, 0x3c)),
	CAP(0x1e, "L1SS", "L1 PM Substates", HIDES, UP_TO(16, 20)),
	CAP(0x1f, "PTM", "Precision Time Measurement", HIDES, FIXED(12)),
	CAP(0x20, "MPCIE", "PCI Express over M-PHY", HIDES, UNKNOWN),
	CAP(0x21, "FRS", "FRS Queueing", HIDES, FIXED(16)),
	CAP(0x22, "RTR", "Readiness Time Reporting", HIDES, FIXED(12)),
	/* Merged for 6.4 (tag vfio-v6.4-rc1, "vfio/pci: Add DVSEC PCI Extended Config Capability to
	 * user visible list", posted in March 2023). */
	[0x23] = { .id = 0x23, .name = VFCAP_TEXT("DVSEC"),
		   .title = VFCAP_TEXT("Designated Vendor-Specific"), .len = SELF,
		   .vfio = VFCAP_VFIO_SHOWS_SINCE, .since = VFCAP_RELEASE(6, 4) },
	CAP(0x24, "VF-REBAR", "VF Resizable BAR", HIDES, COUNT(4, 8, 8, 0xe0, 0)),
	CAP(0x25, "DLF", "Data Link Feature", HIDES, FIXED(12)),
	CAP(0x26, "16GT", "Physical Layer 16.0 GT/s", HIDES, LANES(gt16_len, 0x20, 0x20 + 32)),
	CAP(0x27, "LMR", "Lane Margining at the Receiver", HIDES,
	    LANES(lmr_len, 0x08, 0x08 + 4 * 32)),
	CAP(0x28, "HIER-ID", "Hierarchy ID", HIDES, FIXED(0x20)),
	CAP(0x29, "NPEM", "Native PCIe Enclosure Management", HIDES, FIXED(16)),
	CAP(0x2a, "32GT", "Physical Layer 32.0 GT/s", HIDES, LANES(gt16_len, 0x20, 0x20 + 32)),
	CAP(0x2b, "ALT-PROT", "Alternate Protocol", HIDES, UP_TO(0x14, 0x18)),
	CAP(0x2c, "SFI", "System Firmware Intermediary", HIDES, FIXED(0x14)),
	CAP(0x2d, "SHADOW", "Shadow Functions", HIDES, UNKNOWN),
	CAP(0x2e, "DOE", "Data Object Exchange", HIDES, FIXED(0x18)),
	CAP(0x2f, "DEV3", "Device 3", HIDES, UP_TO(0x10, 0x1c)), /* [U] */
	CAP(0x30, "IDE", "Integrity and Data Encryption", HIDES, HOOK(ide_len, 4)),
	/* Sources disagree where the bytes per lane begin, at 0x10 or 0x20. [U] */
	CAP(0x31, "64GT", "Physical Layer 64.0 GT/s", HIDES, UP_TO(0x10, 0x40)),
	CAP(0x32, "FLIT-LOG", "Flit Logging", HIDES, FIXED(0x3c)),
	CAP(0x33, "FLIT-PM", "Flit Performance Measurement", HIDES, UNKNOWN),
	CAP(0x34, "FLIT-EI", "Flit Error Injection", HIDES, FIXED(0x24)),
	CAP(0x35, "SVC", "Streamlined Virtual Channel", HIDES, UNKNOWN),
	CAP(0x36, "MMIO-RBL", "MMIO Register Block Locator", HIDES, COUNT(0, 1, 4, 0xfff, 0)),
	CAP(0x37, "NOP-FLIT", "NOP Flit", HIDES, UNKNOWN),
	CAP(0x38, "SIOV", "Scalable I/O Virtualization", HIDES, UNKNOWN),
	CAP(0x39, "128GT", "Physical Layer 128.0 GT/s", HIDES, UP_TO(0x10, 0x40)), /* [U] */
	CAP(0x3a, "CAPT-D", "Captured Data", HIDES, UNKNOWN),
};

const struct vfcap_capinfo *vfcap_capinfo(unsigned int id)
{
	return id <= VFCAP_ID_MAX ? &caps[id] : NULL;
}

bool vfcap_vfio_hides(unsigned int id, uint32_t release)
{
	const struct vfcap_capinfo *info = vfcap_capinfo(id);

	if (!info || info->vfio == VFCAP_VFIO_HIDES)
		return true;
	return info->vfio == VFCAP_VFIO_SHOWS_SINCE && release < info->since;
}

/* The value of a field: the mask's lowest bit is its unit. */
static uint32_t field_of(uint32_t val, uint32_t mask)
{
	return (val & mask) / (mask & -mask);
}

/* Proven bytes by the row's rule; 0 when they cannot be known. */
static unsigned int length_by_rule(const struct vfcap_len *rule, struct vfcap_body *body)
{
	uint32_t count;

	switch (rule->kind) {
	case VFCAP_LEN_FIXED:
		return rule->base;
	case VFCAP_LEN_SELF:
		return cap_reg(body, 4) >> 20;
	case VFCAP_LEN_COUNT:
		count = field_of(cap_reg(body, rule->at), rule->mask) + rule->plus;
		return rule->base + rule->unit * count;
	case VFCAP_LEN_HOOK:
		return rule->hook(body);
	}
	return 0;
}

unsigned int vfcap_cap_length(struct vfcap_image *img, unsigned int off, unsigned int id,
			      unsigned int *reserved, bool *known, bool *truncated)
{
	const struct vfcap_capinfo *info = vfcap_capinfo(id);
	const struct vfcap_len *rule = info ? &info->len : NULL;
	struct vfcap_body body = { .img = img, .offset = (uint16_t)off, .length = 4 };
	unsigned int len = 0, most = 0, at;

	*truncated = false;
	if (rule) {
		at = rule->kind == VFCAP_LEN_SELF ? 4 : rule->at;
		*truncated = at && !vfcap_image_need(img, off + at, 4);
		most = rule->reserved;
		if (!*truncated) {
			body.length = (uint16_t)(at + 4); /* what tells the length is part of it */
			len = length_by_rule(rule, &body);
			*truncated = body.missing;
		}
		if (rule->kind == VFCAP_LEN_HOOK && rule->base) {
			most = len ? 0 : most;
			len = len ? len : rule->base;
		}
		if (len < 8 && rule->kind != VFCAP_LEN_FIXED)
			len = 0; /* shorter than the register that says so */
	}

	*known = len && !body.missing;
	len = len ? (len + 3) & ~3u : 4;
	*reserved = max_of(len, *known ? most : 0);
	return len;
}

/* Linux counts the resources behind the first one only, and a table behind them wherever it is. */
static unsigned int vfio_vc_length(struct vfcap_body *body)
{
	unsigned int len = 0x10 + 12 * (cap_reg(body, 4) & 7), table;

	table = arb_table(cap_reg(body, 8) & 0xe, 4);
	return table ? ((len + 15) & ~15u) + table : len;
}

unsigned int vfcap_vfio_length(struct vfcap_image *img, unsigned int off, unsigned int id)
{
	const struct vfcap_capinfo *info = vfcap_capinfo(id);
	struct vfcap_body body = { .img = img, .offset = (uint16_t)off, .length = 12 };

	switch (id) {
	case VFCAP_ID_AER:
		return 0x2c;
	case VFCAP_ID_MCAST:
		return 0x28;
	case VFCAP_ID_VC:
	case VFCAP_ID_MFVC:
	case VFCAP_ID_VC9:
		return vfio_vc_length(&body);
	}
	return info && info->vfio != VFCAP_VFIO_HIDES ? length_by_rule(&info->len, &body) : 0;
}

/* ----------------------------------------------------------------------------- PASID and PRI -- */

static const struct vfcap_field pasid_cap[] = {
	{ "execute", "Exec", VFCAP_PASID_CAP_EXEC, VFCAP_GATED, VFCAP_FLAG, NULL, 0 },
	{ "privileged", "Priv", VFCAP_PASID_CAP_PRIV, VFCAP_GATED, VFCAP_FLAG, NULL, 0 },
	{ "max_width", "Width", VFCAP_PASID_CAP_WIDTH, VFCAP_CONST, VFCAP_DEC, NULL, 0 },
};

static const struct vfcap_field pasid_ctrl[] = {
	{ "enable", "Enable", VFCAP_PASID_CTRL_ENABLE, VFCAP_RW, VFCAP_FLAG, NULL, 0 },
	{ "execute", "Exec", VFCAP_PASID_CTRL_EXEC, VFCAP_RW, VFCAP_FLAG, NULL, 0 },
	{ "privileged", "Priv", VFCAP_PASID_CTRL_PRIV, VFCAP_RW, VFCAP_FLAG, NULL, 0 },
};

static const struct vfcap_field pri_ctrl[] = {
	{ "enable", "Enable", VFCAP_PRI_CTRL_ENABLE, VFCAP_RW, VFCAP_FLAG, NULL, 0 },
	{ "reset", "Reset", VFCAP_PRI_CTRL_RESET, VFCAP_ACTION, VFCAP_FLAG, NULL, 0 },
};

static const struct vfcap_field pri_status[] = {
	{ "response_failure", "RF", VFCAP_PRI_STATUS_RF, VFCAP_W1C, VFCAP_FLAG, NULL, 0 },
	{ "unexpected_prg_index", "UPRGI", VFCAP_PRI_STATUS_UPRGI, VFCAP_W1C, VFCAP_FLAG, NULL, 0 },
	{ "stopped", "Stopped", VFCAP_PRI_STATUS_STOPPED, VFCAP_RO, VFCAP_FLAG, NULL, 0 },
	{ "pasid_required", "PASID", VFCAP_PRI_STATUS_PASID, VFCAP_CONST, VFCAP_FLAG, NULL, 0 },
};

static const struct vfcap_field pri_capacity[] = {
	{ "requests", "Requests", 0xffffffff, VFCAP_CONST, VFCAP_DEC, NULL, 0 },
};

static const struct vfcap_field pri_alloc[] = {
	{ "requests", "Requests", 0xffffffff, VFCAP_RW, VFCAP_DEC, NULL, 0 },
};

#define REG(_key, _label, _offset, _size, _fields, _reset) \
	{ .key = (_key), .label = (_label), .offset = (_offset), .size = (_size), \
	  .n_fields = VFCAP_ARRAY_SIZE(_fields), .fields = (_fields), .reset = (_reset) }

static const struct vfcap_reg pasid_regs[] = {
	REG("capability", "PASIDCap", VFCAP_PASID_CAP, 2, pasid_cap, 0),
	REG("control", "PASIDCtl", VFCAP_PASID_CTRL, 2, pasid_ctrl, 0),
};

static const struct vfcap_reg pri_regs[] = {
	REG("control", "PRICtl", VFCAP_PRI_CTRL, 2, pri_ctrl, 0),
	REG("status", "PRISta", VFCAP_PRI_STATUS, 2, pri_status, VFCAP_PRI_STATUS_STOPPED),
	REG("outstanding_capacity", "PRICapacity", VFCAP_PRI_CAPACITY, 4, pri_capacity, 0),
	REG("outstanding_allocation", "PRIAlloc", VFCAP_PRI_ALLOC, 4, pri_alloc, 0),
};

/* STOPPED mirrors ENABLE: requests that were under way never exist here. RESET acts only while the
 * interface is off, or is being switched off by the same write (Spec 10.5.2.2). */
static void pri_wrote(uint8_t *bytes, const struct vfcap_reg *reg, uint32_t actions)
{
	bool enabled = vfcap_le16(bytes + VFCAP_PRI_CTRL) & VFCAP_PRI_CTRL_ENABLE;
	uint16_t status = vfcap_le16(bytes + VFCAP_PRI_STATUS);

	if (reg->offset != VFCAP_PRI_CTRL)
		return;

	status &= (uint16_t)~VFCAP_PRI_STATUS_STOPPED;
	if (!enabled)
		status |= VFCAP_PRI_STATUS_STOPPED;
	if (!enabled && (actions & VFCAP_PRI_CTRL_RESET))
		status &= (uint16_t) ~(VFCAP_PRI_STATUS_RF | VFCAP_PRI_STATUS_UPRGI);
	vfcap_put_le16(bytes + VFCAP_PRI_STATUS, status);
}

static const struct vfcap_emuldef emuldefs[VFCAP_EMULS] = {
	[VFCAP_EMUL_PASID] = {
		.id = VFCAP_ID_PASID,
		.len = VFCAP_PASID_LEN,
		.ctrl = VFCAP_PASID_CTRL,
		.n_regs = VFCAP_ARRAY_SIZE(pasid_regs),
		.regs = pasid_regs,
	},
	[VFCAP_EMUL_PRI] = {
		.id = VFCAP_ID_PRI,
		.len = VFCAP_PRI_LEN,
		.ctrl = VFCAP_PRI_CTRL,
		.n_regs = VFCAP_ARRAY_SIZE(pri_regs),
		.regs = pri_regs,
		.wrote = pri_wrote,
	},
};

const struct vfcap_emuldef *vfcap_emuldef(enum vfcap_emul e)
{
	return (unsigned int)e < VFCAP_EMULS ? &emuldefs[e] : NULL;
}

unsigned int vfcap_emul_id(enum vfcap_emul e)
{
	return vfcap_emuldef(e)->id;
}

unsigned int vfcap_emul_len(enum vfcap_emul e)
{
	return vfcap_emuldef(e)->len;
}

uint32_t vfcap_reg_mask(const struct vfcap_reg *reg, enum vfcap_access access)
{
	uint32_t mask = 0;
	unsigned int i;

	for (i = 0; i < reg->n_fields; i++) {
		if (reg->fields[i].access == access)
			mask |= reg->fields[i].mask;
	}
	return mask;
}
