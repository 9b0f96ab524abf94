/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The physical chain of extended capabilities. visible.c has what VFIO shows of it. */
#include "internal.h"

/* ---------------------------------------------------------------------------------- the walk -- */

/* Sets of dwords from 0x100 on, by vfcap_dword(). The caller's chain holds who owns a dword; only
 * what covered has a bit for was ever written there, so that nothing large needs clearing. */
struct walk {
	struct vfcap_chain *chain;
	struct vfcap_image *img;
	uint32_t headers[VFCAP_MAP_WORDS];
	uint32_t covered[VFCAP_MAP_WORDS];
};

static void flag(struct vfcap_cap *cap, enum vfcap_anomaly code)
{
	cap->anomalies |= (uint16_t)(1u << code);
}

/* Marks the proven body as covered, and says whose bytes it shares, if any. */
static void cover(struct walk *w, struct vfcap_cap *cap)
{
	unsigned int dword = vfcap_dword(cap->offset), end = dword + cap->length / 4u;
	uint16_t *owner = w->chain->owner;

	if (end > VFCAP_EXT_DWORDS || cap->offset + cap->vfio_length > VFCAP_CFG_SIZE)
		flag(cap, VFCAP_PAST_END);
	if (end > VFCAP_EXT_DWORDS)
		end = VFCAP_EXT_DWORDS;
	for (; dword < end; dword++) {
		if (!vfcap_map_test(w->covered, dword)) {
			vfcap_map_set(w->covered, dword);
			owner[dword] = cap->offset;
		} else if (!(cap->anomalies & 1u << VFCAP_OVERLAP)) {
			flag(cap, VFCAP_OVERLAP);
			cap->other = owner[dword];
		}
	}
}

/* Fills in how long a capability is; reserved is cut at the next header later. */
static void measure(struct walk *w, struct vfcap_cap *cap)
{
	unsigned int room = VFCAP_CFG_SIZE - cap->offset, reserved, body;
	bool known, truncated;
	uint32_t declared;

	cap->length = (uint16_t)vfcap_cap_length(w->img, cap->offset, cap->id, &reserved, &known,
						 &truncated);
	cap->reserved = (uint16_t)(known && reserved < room ? reserved : room);
	cap->vfio_length = (uint16_t)vfcap_vfio_length(w->img, cap->offset, cap->id);
	if (!known) {
		flag(cap, VFCAP_UNKNOWN_LENGTH);
		cap->length0 = (cap->id == VFCAP_ID_VSEC || cap->id == VFCAP_ID_DVSEC) &&
			       vfcap_image_read(w->img, cap->offset + 4u, 4, &declared) &&
			       declared >> 20 == 0;
	}

	/* A device is not read for this. What a file lacks of the body, it lacks for good. */
	body = cap->length < room ? cap->length : room;
	if (truncated ||
	    ((w->img->at_hand || !w->img->fetch) && !vfcap_image_need(w->img, cap->offset, body)))
		flag(cap, VFCAP_TRUNCATED);
}

/* Takes a header into the chain. */
static struct vfcap_cap *add_cap(struct walk *w, unsigned int off, uint32_t header)
{
	struct vfcap_cap *cap = &w->chain->cap[w->chain->n++];

	cap->offset = (uint16_t)off;
	cap->id = (uint16_t)header;
	cap->version = header >> 16 & 0xf;
	cap->next = header >> 20 & 0xffc;
	cap->anomalies = 0;
	cap->other = 0;
	cap->length0 = false;
	vfcap_map_set(w->headers, vfcap_dword(off));

	if (header >> 20 & 3)
		flag(cap, VFCAP_MISALIGNED_NEXT);
	if (cap->id == VFCAP_ID_NULL && cap->next)
		flag(cap, VFCAP_NULL_CAP);
	measure(w, cap);
	cover(w, cap);
	return cap;
}

/* Where the walk goes from here; 0: nowhere. */
static unsigned int follow(struct walk *w, struct vfcap_cap *cap)
{
	if (!cap->next)
		return 0;
	if (cap->next < VFCAP_EXT_BASE) {
		flag(cap, VFCAP_NEXT_BELOW);
		return 0;
	}
	if (vfcap_map_test(w->headers, vfcap_dword(cap->next))) {
		flag(cap, VFCAP_LOOP);
		return 0;
	}
	if (cap->next < cap->offset)
		flag(cap, VFCAP_BACKWARD);
	return cap->next;
}

/*
 * No capability reserves bytes behind another's header, unless its registers prove that it has them
 * (which is an overlap, and both keep theirs). Bytes past the end are nobody's.
 */
static void cut_reserved(struct walk *w)
{
	struct vfcap_chain *chain = w->chain;
	unsigned int i, dword, first, end, proven;

	for (i = 0; i < chain->n; i++) {
		struct vfcap_cap *cap = &chain->cap[i];

		first = vfcap_dword(cap->offset);
		end = first + cap->reserved / 4u;
		proven = first + cap->length / 4u;
		dword = first + 1;
		while (dword < end && !vfcap_map_test(w->headers, dword))
			dword++;
		if (dword < proven)
			dword = proven < end ? proven : end;
		cap->reserved = (uint16_t)(4 * (dword - first));
		if (cap->anomalies & VFCAP_BREAKING)
			chain->broken = true;
	}
}

void vfcap_chain_walk(struct vfcap_chain *chain, struct vfcap_image *img)
{
	struct walk w = { .chain = chain, .img = img };
	unsigned int off = VFCAP_EXT_BASE;
	uint32_t header;

	chain->n = 0;
	chain->empty = img->size <= VFCAP_EXT_BASE;
	chain->broken = false;
	chain->end = 0;
	chain->end_anomaly = 0;
	if (chain->empty)
		return;

	while (off) {
		bool readable = vfcap_image_read(img, off, 4, &header);

		if (!readable || header == 0 || header == 0xffffffff) {
			chain->empty = readable && off == VFCAP_EXT_BASE;
			if (chain->empty)
				break;
			chain->end = (uint16_t)off;
			chain->end_anomaly = (uint16_t)(1u << (!readable   ? VFCAP_TRUNCATED :
							       header == 0 ? VFCAP_ZERO_HEADER :
									     VFCAP_UNREADABLE));
			break;
		}
		off = follow(&w, add_cap(&w, off, header));
	}
	cut_reserved(&w);
}

/* --------------------------------------------------------------------------- reading a chain -- */

const struct vfcap_cap *vfcap_chain_find(const struct vfcap_chain *chain, unsigned int id)
{
	unsigned int i;

	for (i = 0; i < chain->n; i++) {
		if (chain->cap[i].id == id)
			return &chain->cap[i];
	}
	return NULL;
}
