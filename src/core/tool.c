/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the tool needs of the core and the kernel module does not: what capabilities, anomalies,
 * rules and reasons are called, and what is found in a chain. */
#include "internal.h"

/* ------------------------------------------------------------------------------------ chains -- */

/* Where the next pointer of a capability leads is part of these findings. */
#define TELLS_NEXT                                                          \
	(1u << VFCAP_LOOP | 1u << VFCAP_BACKWARD | 1u << VFCAP_NEXT_BELOW | \
	 1u << VFCAP_MISALIGNED_NEXT)

bool vfcap_anomaly_next(const struct vfcap_chain *chain, unsigned int *pos,
			struct vfcap_finding *out)
{
	unsigned int i = *pos / VFCAP_ANOMALIES, code = *pos % VFCAP_ANOMALIES;

	for (; i <= chain->n; i++, code = 0) {
		const struct vfcap_cap *cap = i < chain->n ? &chain->cap[i] : NULL;
		unsigned int left =
			(unsigned int)(cap ? cap->anomalies : chain->end_anomaly) >> code;

		if (!left)
			continue;
		for (; !(left & 1); left >>= 1)
			code++;

		out->code = (enum vfcap_anomaly)code;
		out->offset = cap ? cap->offset : chain->end;
		out->other = 0;
		if (cap && (1u << code & TELLS_NEXT))
			out->other = cap->next;
		if (cap && code == VFCAP_OVERLAP)
			out->other = cap->other;
		*pos = i * VFCAP_ANOMALIES + code + 1;
		return true;
	}
	*pos = i * VFCAP_ANOMALIES;
	return false;
}

unsigned int vfcap_chain_last_end(const struct vfcap_chain *chain)
{
	unsigned int i, end = VFCAP_EXT_BASE;

	for (i = 0; i < chain->n; i++) {
		unsigned int e = chain->cap[i].offset + (unsigned int)chain->cap[i].reserved;

		if (e > end)
			end = e;
	}
	return end;
}

bool vfcap_links_show(const struct vfcap_link *links, unsigned int n, const struct vfcap_cap *cap)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		if (links[i].offset == cap->offset)
			return links[i].id == cap->id;
	}
	return false;
}

/* ------------------------------------------------------------------------------ capabilities -- */

/* The next character of a name that counts, in lower case; *s moves behind it. */
static char next_char(const char **s)
{
	while (**s == '-' || **s == '_')
		++*s;
	if (!**s)
		return 0;
	return **s >= 'A' && **s <= 'Z' ? (char)(*(*s)++ - 'A' + 'a') : *(*s)++;
}

/* Are the names the same but for case and hyphens? ("sriov") */
static bool same_name(const char *a, const char *b)
{
	char c;

	do {
		c = next_char(&a);
		if (c != next_char(&b))
			return false;
	} while (c);
	return true;
}

int vfcap_cap_by_name(const char *name)
{
	unsigned int id;

	for (id = 0; id <= VFCAP_ID_MAX; id++) {
		if (same_name(name, vfcap_capinfo(id)->name))
			return (int)id;
	}
	return -1;
}

/* --------------------------------------------------------------------------------- anomalies -- */

/* What JSON and people call an anomaly. */
static const struct {
	const char *name;
	const char *text;
} anomalies[VFCAP_ANOMALIES] = {
	[VFCAP_LOOP] = { "loop", "the next pointer leads back into the chain" },
	[VFCAP_MISALIGNED_NEXT] = { "misaligned-next",
				    "the low two bits of the next pointer are set" },
	[VFCAP_NEXT_BELOW] = { "next-below-0x100", "the next pointer leads below 0x100" },
	[VFCAP_PAST_END] = { "past-end", "the body runs past the end of config space" },
	[VFCAP_OVERLAP] = { "overlap", "the body covers that of another capability" },
	[VFCAP_TRUNCATED] = { "truncated", "the source ends before the capability does" },
	[VFCAP_ZERO_HEADER] = { "zero-header", "a next pointer leads to a header that is zero" },
	[VFCAP_UNREADABLE] = { "unreadable",
			       "a next pointer leads to a header that reads all ones" },
	[VFCAP_NULL_CAP] = { "null-capability", "ID 0 with a next pointer" },
	[VFCAP_BACKWARD] = { "backward", "the next pointer leads to a lower offset" },
	[VFCAP_UNKNOWN_LENGTH] = { "unknown-length", "nobody knows how long this capability is" },
};

const char *vfcap_anomaly_name(enum vfcap_anomaly code)
{
	return (unsigned int)code < VFCAP_ANOMALIES ? anomalies[code].name : NULL;
}

const char *vfcap_anomaly_text(enum vfcap_anomaly code)
{
	return (unsigned int)code < VFCAP_ANOMALIES ? anomalies[code].text : NULL;
}

bool vfcap_anomaly_breaks(enum vfcap_anomaly code)
{
	return (unsigned int)code < VFCAP_ANOMALIES && (VFCAP_BREAKING & 1u << code);
}

/* ------------------------------------------------------------------------ rules and reasons -- */

static const char *const rule_names[VFCAP_RULES] = {
	[VFCAP_RULE_AUTO] = "auto",
	[VFCAP_RULE_PF_OFFSET] = "pf-offset",
	[VFCAP_RULE_AFTER_LAST] = "after-last",
	[VFCAP_RULE_FREE_GAP] = "free-gap",
	[VFCAP_RULE_EXPLICIT] = "explicit",
	[VFCAP_RULE_HEAD] = "head",
};

static const struct {
	const char *name;
	const char *text;
} codes[VFCAP_CODES] = {
	[VFCAP_OK] = { "ok", "placed" },
	[VFCAP_NOT_A_VF] = { "not-a-vf", "this is not a virtual function" },
	[VFCAP_PF_UNKNOWN] = { "pf-unknown", "the physical function's registers are not known" },
	[VFCAP_PF_LACKS] = { "pf-lacks-capability", "the physical function does not have it" },
	[VFCAP_NO_EXT_CONFIG] = { "no-extended-config", "there is no extended config space" },
	[VFCAP_CODE_UNREADABLE] = { "unreadable", "config space cannot be read" },
	[VFCAP_BROKEN_CHAIN] = { "broken-chain", "the chain of capabilities is broken" },
	[VFCAP_ALREADY_PRESENT] = { "already-present", "the function has it already" },
	[VFCAP_WIDTH] = { "width", "the physical function's PASIDs are narrower than that" },
	[VFCAP_MISALIGNED] = { "misaligned", "not a multiple of 4" },
	[VFCAP_OUT_OF_RANGE] = { "out-of-range", "not within 0x100..0xfff" },
	[VFCAP_OCCUPIED] = { "occupied", "a capability is there" },
	[VFCAP_TOO_CLOSE] = { "too-close", "less than 8 bytes behind another capability's header" },
	[VFCAP_NONZERO] = { "nonzero", "the VF has a register there" },
	[VFCAP_SIBLING_NONZERO] = { "sibling-nonzero",
				    "another VF of the PF has a register there" },
	[VFCAP_PF_NONZERO] = { "pf-nonzero", "the PF has a register there" },
	[VFCAP_EMPTY_CHAIN] = { "empty-chain",
				"the first capability of an empty chain goes to 0x100" },
	[VFCAP_NO_ROOM] = { "no-room", "no place was good" },
	[VFCAP_PF_OFF] = { "pf-off", "the physical function has it switched off" },
	[VFCAP_IN_USE] = { "in-use", "the function is in use" },
	[VFCAP_OTHER_VARIANT] = { "other-variant", "another VFIO driver would lose its migration" },
	[VFCAP_DENYLISTED] = { "denylisted", "vfio-pci refuses it for errata that a guest can exploit" },
	[VFCAP_NO_MODULE] = { "no-module", "the vfcap_vfio_pci module is not there" },
	[VFCAP_NOT_BOUND] = { "not-bound", "the function is not bound to vfcap's driver" },
	[VFCAP_NO_DRIVER] = { "no-driver", "the driver is not there" },
	[VFCAP_DISAGREES] = { "rule-disagrees", "the rule leads to another offset here" },
	[VFCAP_OWNED] = { "owned", "the number of VFs is set by somebody else" },
	[VFCAP_CHANGED] = { "changed", "what was enabled is not so any more" },
};

const char *vfcap_rule_name(enum vfcap_rule rule)
{
	return (unsigned int)rule < VFCAP_RULES ? rule_names[rule] : NULL;
}

static bool same(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

int vfcap_rule_by_name(const char *name)
{
	int rule;

	for (rule = VFCAP_RULE_AUTO; rule <= VFCAP_RULE_FREE_GAP; rule++) {
		if (same(name, rule_names[rule]))
			return rule;
	}
	return -1;
}

const char *vfcap_code_name(enum vfcap_code code)
{
	return (unsigned int)code < VFCAP_CODES ? codes[code].name : NULL;
}

const char *vfcap_code_text(enum vfcap_code code)
{
	return (unsigned int)code < VFCAP_CODES ? codes[code].text : NULL;
}
