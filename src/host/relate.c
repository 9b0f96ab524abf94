// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Who is a PF, who is a VF, and whose. What the source linked stands; the rest follows from the
 * SR-IOV capabilities: VF n (from 1) of a PF has the routing ID
 * PF + First VF Offset + (n - 1) * VF Stride, cut to 16 bits (Spec 9.2.1.2).
 */
#include "host.h"

#include <errno.h>
#include <stdlib.h>

/* What a PF's SR-IOV capability says. */
struct sriov {
	bool enabled;
	unsigned int total, num, offset, stride, device;
};

static unsigned int routing_id(const struct vfcap_function *fn)
{
	return (unsigned int)fn->address.bus << 8 | fn->address.devfn;
}

static bool read_config(struct vfcap_function *fn, unsigned int off, unsigned int len, uint8_t *buf)
{
	return off + len <= VFCAP_CFG_SIZE && fn->fetch(fn, off, len, buf) >= (int)len;
}

/*
 * The offset of the first capability of that ID, 0: none that can be seen. A walk of headers
 * alone: the chain with its anomalies costs more, and thousands of functions are asked this.
 */
static unsigned int find_capability(struct vfcap_function *fn, unsigned int id)
{
	unsigned int off = VFCAP_EXT_BASE;
	uint8_t header[4];

	for (unsigned int steps = 0; steps < VFCAP_CHAIN_MAX && off >= VFCAP_EXT_BASE; steps++) {
		uint32_t val;

		if (!read_config(fn, off, sizeof(header), header))
			return 0;
		val = vfcap_le32(header);
		if (val == 0 || val == 0xffffffff)
			return 0;
		if ((val & 0xffff) == id)
			return off;
		off = val >> 20 & 0xffc;
	}
	return 0;
}

/* A kernel's own sysfs has told by sriov_totalvfs who has the capability; asking others would only
 * cost reads. */
static bool may_be_pf(const struct vfcap_function *fn, bool kernel_told)
{
	if (fn->known_vf || fn->pf || !fn->fetch || fn->skip != VFCAP_SKIP_NONE)
		return false;
	if (fn->config_size >= 0 && fn->config_size <= VFCAP_EXT_BASE)
		return false;
	return !kernel_told || fn->totalvfs >= 0;
}

static bool read_sriov(struct vfcap_function *fn, struct sriov *s)
{
	unsigned int off = find_capability(fn, VFCAP_ID_SRIOV);
	uint8_t r[VFCAP_SRIOV_VF_DEVICE + 2];

	if (!off || !read_config(fn, off, sizeof(r), r))
		return false;
	s->enabled = vfcap_le16(r + VFCAP_SRIOV_CTRL) & VFCAP_SRIOV_CTRL_VFE;
	s->total = vfcap_le16(r + VFCAP_SRIOV_TOTALVFS);
	s->num = vfcap_le16(r + VFCAP_SRIOV_NUMVFS);
	s->offset = vfcap_le16(r + VFCAP_SRIOV_OFFSET);
	s->stride = vfcap_le16(r + VFCAP_SRIOV_STRIDE);
	s->device = vfcap_le16(r + VFCAP_SRIOV_VF_DEVICE);
	return true;
}

bool vfcap_vf_registers(struct vfcap_function *pf, unsigned int *offset, unsigned int *stride,
			unsigned int *device)
{
	struct sriov s;

	if (!pf->fetch || pf->skip != VFCAP_SKIP_NONE || !read_sriov(pf, &s))
		return false;
	*offset = s.offset;
	*stride = s.stride;
	*device = s.device;
	return true;
}

static unsigned int vf_limit(const struct sriov *s)
{
	return s->enabled && s->num ? s->num : s->total;
}

/* The 0-based index of a VF by its routing ID; -1 when those registers do not lead to it. */
static int vf_index(const struct vfcap_function *pf, const struct sriov *s,
		    const struct vfcap_function *vf)
{
	unsigned int distance = (routing_id(vf) - routing_id(pf) - s->offset) & 0xffff;
	unsigned int index = s->stride ? distance / s->stride : 0;

	if (vf->address.domain != pf->address.domain || index >= vf_limit(s) ||
	    distance != index * s->stride)
		return -1;
	return (int)index;
}

/* The first function of the domain whose routing ID is not below rid. */
static size_t lower_bound(const struct vfcap_host *h, uint32_t domain, unsigned int rid)
{
	const struct vfcap_address a = { domain, (uint8_t)(rid >> 8), (uint8_t)rid };
	size_t lo = 0, hi = h->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (vfcap_address_compare(h->fn[mid]->address, a) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static int add_vf(struct vfcap_function *pf, struct vfcap_function *vf)
{
	struct vfcap_function **more = vfcap_more(pf->vf, pf->n_vf, sizeof(*more));

	if (!more)
		return -ENOMEM;
	pf->vf = more;
	more[pf->n_vf++] = vf;
	vf->pf = pf;
	return 0;
}

/* Where an enabled PF has a VF, a function that answers nothing but ones is that VF too. */
static bool reads_as_vf(const struct vfcap_function *fn, const struct sriov *s)
{
	return fn->known_vf || (s->enabled && (!fn->has_ids || fn->vendor == 0xffff));
}

/* Takes the VFs in a range of routing IDs that no link gave to anybody. */
static int claim_span(struct vfcap_function *pf, const struct sriov *s, unsigned int first,
		      unsigned int last)
{
	struct vfcap_host *h = pf->host;
	uint32_t domain = pf->address.domain;
	int err = 0;

	for (size_t i = lower_bound(h, domain, first); i < h->n && !err; i++) {
		struct vfcap_function *vf = h->fn[i];

		if (vf->address.domain != domain || routing_id(vf) > last)
			break;
		if (vf->pf || vf == pf || !reads_as_vf(vf, s) || vf_index(pf, s, vf) < 0)
			continue;
		vf->known_vf = true;
		vf->role = VFCAP_ROLE_VF;
		err = add_vf(pf, vf);
	}
	return err;
}

static int claim(struct vfcap_function *pf, const struct sriov *s)
{
	unsigned int count = vf_limit(s);
	unsigned int first = (routing_id(pf) + s->offset) & 0xffff;
	unsigned int last = count ? first + (count - 1) * s->stride : 0;
	int err;

	if (!count)
		return 0;
	err = claim_span(pf, s, first, last < 0xffff ? last : 0xffff);
	if (!err && last > 0xffff && first)
		err = claim_span(pf, s, 0, last - 0x10000 < first ? last - 0x10000 : first - 1);
	return err;
}

/* What a VF cannot say itself: its index, and the IDs that it reads as ffff. */
static void complete_vfs(struct vfcap_function *pf, const struct sriov *s)
{
	for (size_t i = 0; i < pf->n_vf; i++) {
		struct vfcap_function *vf = pf->vf[i];
		int index = vf_index(pf, s, vf);

		if (index >= 0)
			vf->vf_index = index;
		if (!pf->has_ids)
			continue;
		vf->vendor = pf->vendor;
		vf->device = s->device;
	}
}

static int learn(struct vfcap_function *pf, bool kernel_told)
{
	struct sriov s;
	int err;

	if (!may_be_pf(pf, kernel_told))
		return 0;
	if (!read_sriov(pf, &s)) {
		if (kernel_told && pf->config_err) {
			pf->unsure = true;
			pf->image_err = pf->config_err;
		}
		return 0;
	}
	pf->role = VFCAP_ROLE_PF;
	pf->totalvfs = (int)s.total;
	pf->numvfs = s.enabled ? (int)s.num : 0;
	err = s.enabled ? claim(pf, &s) : 0;
	complete_vfs(pf, &s);
	return err;
}

/* A PF whose VFs are off has none; but a dump may be put together from several moments. */
static int learn_disabled(struct vfcap_function *pf)
{
	struct sriov s;
	int err;

	if (pf->role != VFCAP_ROLE_PF || pf->numvfs != 0 || pf->n_vf || !pf->fetch ||
	    !read_sriov(pf, &s))
		return 0;
	err = claim(pf, &s);
	complete_vfs(pf, &s);
	return err;
}

static int by_index(const void *a, const void *b)
{
	const struct vfcap_function *x = *(struct vfcap_function *const *)a;
	const struct vfcap_function *y = *(struct vfcap_function *const *)b;

	if (x->vf_index != y->vf_index)
		return x->vf_index < y->vf_index ? -1 : 1;
	return vfcap_address_compare(x->address, y->address);
}

static void settle(struct vfcap_function *pf)
{
	bool sorted = true;

	if (pf->role != VFCAP_ROLE_PF)
		return;
	for (size_t i = 1; i < pf->n_vf && sorted; i++)
		sorted = by_index(&pf->vf[i - 1], &pf->vf[i]) < 0;
	if (!sorted)
		qsort(pf->vf, pf->n_vf, sizeof(*pf->vf), by_index);
	for (size_t i = 0; i < pf->n_vf; i++)
		pf->vf[i]->vf_pos = i;
	if (pf->numvfs < 0)
		pf->numvfs = (int)pf->n_vf;
}

/* Roles as far as the source itself told them. */
static int take_links(struct vfcap_host *h)
{
	int err = 0;

	for (size_t i = 0; i < h->n; i++) {
		struct vfcap_function *fn = h->fn[i];

		fn->pos = i;
		fn->n_vf = 0;
		fn->role = fn->totalvfs >= 0 ? VFCAP_ROLE_PF : VFCAP_ROLE_FUNCTION;
		if (fn->known_vf || fn->pf)
			fn->role = VFCAP_ROLE_VF;
	}
	for (size_t i = 0; i < h->n && !err; i++) {
		struct vfcap_function *fn = h->fn[i];

		if (!fn->pf)
			continue;
		fn->pf->role = VFCAP_ROLE_PF;
		err = add_vf(fn->pf, fn);
	}
	return err;
}

static int relate(struct vfcap_host *h)
{
	bool kernel_told = h->root && vfcap_root_has_kernel(h->root);
	bool orphans = false;
	int err = take_links(h);

	for (size_t i = 0; i < h->n && !err; i++)
		err = learn(h->fn[i], kernel_told);
	for (size_t i = 0; i < h->n; i++)
		orphans |= h->fn[i]->known_vf && !h->fn[i]->pf;
	for (size_t i = 0; i < h->n && orphans && !err; i++)
		err = learn_disabled(h->fn[i]);
	for (size_t i = 0; i < h->n; i++)
		settle(h->fn[i]);
	return err ? vfcap_host_fail(h, err, "out of memory") : 0;
}

int vfcap_host_finish(struct vfcap_host *h)
{
	int err = vfcap_host_sort(h);

	return err ? err : relate(h);
}
