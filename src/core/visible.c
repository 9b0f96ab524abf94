/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What VFIO shows of a physical chain (Linux drivers/vfio/pci/vfio_pci_config.c, 6.1 to 7.3).
 *
 * vfio-pci keeps a copy of the headers that it shows, in which the links pass by what it hides, and
 * a map that has the low byte of an ID for each byte of a capability that it shows. A header is
 * served from the copy where the map says that a capability begins there; any other byte is the
 * hardware's.
 */
#include "internal.h"

#define MAP_BASIC 0x00 /* vfio-pci's mark for the legacy header */
#define MAP_RAW 0xff /* and for bytes of no capability */

static unsigned int map_byte(const struct vfcap_cap *cap)
{
	return cap->id & 0xffu;
}

static bool is_hidden(const struct vfcap_cap *cap, uint32_t release)
{
	return cap->length0 || vfcap_vfio_hides(cap->id, release);
}

/* How many bytes of the map are a capability's. A hidden head keeps its header there, to hold
 * the links. */
static unsigned int mapped_length(const struct vfcap_chain *chain, unsigned int i, uint32_t release)
{
	if (is_hidden(&chain->cap[i], release))
		return i ? 0 : 4;
	return chain->cap[i].vfio_length;
}

/* What the map has for a byte. Where vfio-pci takes capabilities for longer than they are, the
 * last of the chain wins. */
static unsigned int map_at(const struct vfcap_chain *chain, unsigned int off, uint32_t release)
{
	unsigned int i = chain->n;

	while (i--) {
		const struct vfcap_cap *cap = &chain->cap[i];

		if (off >= cap->offset && off - cap->offset < mapped_length(chain, i, release))
			return map_byte(cap);
	}
	return MAP_RAW;
}

/*
 * Is a header served from the copy, so that its link passes by what is hidden?
 * vfio_find_cap_start() takes all bytes in a row that have the same mark for one capability, so
 * that the header of one right behind another of its ID is a register to it, and any header outside
 * of the map, or under a mark that is none. The link of a capability whose declared length ends
 * inside of its header is outside of the map.
 */
static bool is_served(const struct vfcap_chain *chain, unsigned int i, uint32_t release)
{
	unsigned int off = chain->cap[i].offset, mark = map_at(chain, off, release);

	if (mark == MAP_RAW || mark == MAP_BASIC || (i && is_hidden(&chain->cap[i], release)) ||
	    map_at(chain, off + 3, release) != mark)
		return false;
	return off == VFCAP_EXT_BASE || map_at(chain, off - 1, release) != mark;
}

unsigned int vfcap_chain_visible(const struct vfcap_chain *chain, uint32_t release,
				 struct vfcap_link *links)
{
	unsigned int i = 0, n = 0;
	bool served;

	while (i < chain->n) {
		served = is_served(chain, i, release);
		links[n].offset = chain->cap[i].offset;
		links[n].id = served && is_hidden(&chain->cap[i], release) ? VFCAP_ID_NULL :
									     chain->cap[i].id;
		n++;
		for (i++; served && i < chain->n && is_hidden(&chain->cap[i], release);)
			i++;
	}
	return n;
}

bool vfcap_chain_overruns(const struct vfcap_chain *chain, uint32_t release)
{
	unsigned int i;

	for (i = 0; i < chain->n; i++) {
		const struct vfcap_cap *cap = &chain->cap[i];

		if (cap->anomalies & 1u << VFCAP_PAST_END ||
		    (cap->anomalies & 1u << VFCAP_TRUNCATED && !is_hidden(cap, release)))
			return true;
	}
	return false;
}
