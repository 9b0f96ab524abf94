// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Does a guest see what was planned? The plan is made anew, from the hardware's config space and
 * the offsets of the knob; the other side comes through VFIO.
 */
#include <errno.h>
#include <stdlib.h>

#include "../host/change.h"
#include "../host/system.h"
#include "lib.h"

/* One comparison. */
struct proof {
	struct vfcap_function *vf;
	struct vfcap_guest *guest;
	struct vfcap_verdict *verdict;
	struct vfcap_knob knob;
	struct vfcap_plan plan;
	struct vfcap_image seen; /* by the guest */
};

/* A write, and the read after it; len 0: none was made yet. */
struct write {
	unsigned int at, len;
	uint32_t value;
};

static int fail(struct proof *p, const char *what, int err)
{
	return vfcap_host_fail(p->vf->host, err, "%s: %s: %s", p->vf->name, what, strerror(-err));
}

/* -------------------------------------------------------------------------------- differences -- */

static int differs(struct proof *p, unsigned int off, uint8_t expected, uint8_t found,
		   const struct write *after)
{
	struct vfcap_verdict *v = p->verdict;
	struct vfcap_difference *more = vfcap_more(v->difference, v->n, sizeof(*more));

	if (!more)
		return fail(p, "verify", -ENOMEM);
	v->difference = more;
	more[v->n++] = (struct vfcap_difference){
		.offset = (uint16_t)off,
		.expected = expected,
		.found = found,
		.wrote_len = (uint8_t)after->len,
		.wrote_at = (uint16_t)after->at,
		.wrote = after->value,
	};
	return 0;
}

static int compare(struct proof *p, unsigned int off, const uint8_t *expected, const uint8_t *found,
		   unsigned int len, const struct write *after)
{
	int err = 0;

	for (unsigned int i = 0; i < len && !err; i++)
		if (expected[i] != found[i])
			err = differs(p, off + i, expected[i], found[i], after);
	return err;
}

/* -------------------------------------------------------------------------- what is read first -- */

static const struct vfcap_placement *placed_at(const struct vfcap_plan *plan, unsigned int off)
{
	for (unsigned int i = 0; i < plan->n_placements; i++)
		if (plan->placement[i].offset == off)
			return &plan->placement[i];
	return NULL;
}

/* The low two bits of a next pointer are the hardware's, and nobody's business. */
static uint32_t without_reserved(uint32_t header)
{
	return header & ~(3u << 20);
}

/* A capability of the hardware: ID and version are its own, where it leads is the chain's. Of a
 * head that VFIO hides nothing is left but that; a Null head is not hidden. Where the last one
 * of a broken chain leads, or of one that leads to no header, is not foreseen. */
static int compare_header(struct proof *p, const struct vfcap_link *link, unsigned int next)
{
	static const struct write none = { 0 };
	uint32_t hardware, guest, wanted;
	uint8_t expected[4], found[4];

	if (!vfcap_image_read(p->vf->image, link->offset, 4, &hardware))
		return fail(p, "config", p->vf->image->error ? p->vf->image->error : -EIO);
	if (!vfcap_image_read(&p->seen, link->offset, 4, &guest))
		return fail(p, "config through VFIO", p->seen.error ? p->seen.error : -EIO);
	wanted = ((uint16_t)hardware == link->id ? hardware & 0xfffff : 0) | next << 20;
	if (!next && (p->vf->chain->broken || p->vf->chain->end))
		wanted |= without_reserved(guest) & ~0xfffffu;
	vfcap_put_le32(expected, wanted);
	vfcap_put_le32(found, without_reserved(guest));
	return compare(p, link->offset, expected, found, sizeof(found), &none);
}

static int compare_placement(struct proof *p, const struct vfcap_placement *placed)
{
	static const struct write none = { 0 };

	if (!vfcap_image_need(&p->seen, placed->offset, placed->length))
		return fail(p, "config through VFIO", p->seen.error ? p->seen.error : -EIO);
	return compare(p, placed->offset, placed->bytes, p->seen.bytes + placed->offset,
		       placed->length, &none);
}

/* Every header is where the one before it leads: with all of them the chain is right. */
static int compare_chain(struct proof *p)
{
	const struct vfcap_plan *plan = &p->plan;
	int err = 0;

	for (unsigned int i = 0; i < plan->n_links && !err; i++) {
		unsigned int next = i + 1u < plan->n_links ? plan->link[i + 1].offset : 0;
		const struct vfcap_placement *placed = placed_at(plan, plan->link[i].offset);

		err = placed ? compare_placement(p, placed) :
			       compare_header(p, &plan->link[i], next);
	}
	p->verdict->n_links = plan->n_links;
	return err;
}

/* -------------------------------------------------------------------------------------- writes -- */

static int read_back(struct proof *p, const struct vfcap_placement *placed, uint8_t *bytes)
{
	int n = vfcap_vfio_fetch(p->guest, placed->offset, placed->length, bytes);

	if (n == placed->length)
		return 0;
	return fail(p, "config through VFIO", n < 0 ? n : -EIO);
}

/* Writes to the device and to the model of it, and compares the whole capability. */
static int try_write(struct proof *p, struct vfcap_shadow *model,
		     const struct vfcap_placement *placed, const struct write *w)
{
	uint8_t bytes[4], expected[16], found[16];
	int err;

	vfcap_put_le32(bytes, w->value);
	err = vfcap_vfio_put(p->guest, w->at, w->len, bytes);
	if (err)
		return fail(p, "config through VFIO", err);
	p->verdict->n_writes++;
	vfcap_shadow_write(model, w->at, w->len, bytes);
	vfcap_shadow_read(model, placed->offset, placed->length, expected);
	err = read_back(p, placed, found);
	return err ? err : compare(p, placed->offset, expected, found, placed->length, w);
}

/* Ends at the first write that went wrong: what the next one would meet is not known. */
static int try_writes(struct proof *p, struct vfcap_shadow *model,
		      const struct vfcap_placement *placed)
{
	static const uint32_t patterns[] = { 0xffffffff, 0x00000000, 0xa5a5a5a5, 0x5a5a5a5a };
	struct write w;
	int err = 0;

	for (w.len = 1; w.len <= 4; w.len *= 2)
		for (unsigned int i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++)
			for (w.at = placed->offset;
			     w.at < placed->offset + placed->length && !err && !p->verdict->n;
			     w.at += w.len) {
				w.value = patterns[i] >> (32 - 8 * w.len);
				err = try_write(p, model, placed, &w);
			}
	return err;
}

/* Puts back what was read at first. Bits that a guest cannot write follow from those that it can. */
static int restore(struct proof *p, struct vfcap_shadow *model,
		   const struct vfcap_placement *placed)
{
	struct write w = { .len = 4 };
	uint8_t found[16];
	int err = 0;

	for (unsigned int i = 0; i < placed->length && !err; i += 4) {
		w.at = placed->offset + i;
		w.value = vfcap_le32(placed->bytes + i);
		err = vfcap_vfio_put(p->guest, w.at, 4, placed->bytes + i);
		vfcap_shadow_write(model, w.at, 4, placed->bytes + i);
	}
	if (err)
		return fail(p, "config through VFIO", err);
	err = p->verdict->n ? 0 : read_back(p, placed, found);
	if (err || p->verdict->n)
		return err;
	return compare(p, placed->offset, placed->bytes, found, placed->length, &w);
}

static int test_writes(struct proof *p)
{
	struct vfcap_shadow model;
	int err = 0, undone;

	vfcap_shadow_init(&model, &p->plan, NULL);
	for (unsigned int i = 0; i < p->plan.n_placements && !err && !p->verdict->n; i++) {
		const struct vfcap_placement *placed = &p->plan.placement[i];

		err = try_writes(p, &model, placed);
		undone = restore(p, &model, placed);
		if (!err)
			err = undone;
	}
	return err;
}

/* ---------------------------------------------------------------------------------------- plan -- */

/* Why the driver could not show what is configured. */
static enum vfcap_code hidden_because(const struct proof *p, enum vfcap_emul e)
{
	if (p->verdict->shown.pf_off[e])
		return VFCAP_PF_OFF;
	return strstr(p->knob.state, "pf-unreadable") ? VFCAP_CODE_UNREADABLE : VFCAP_OCCUPIED;
}

/* Where nobody else tells how many bits the IOMMU has, the driver does: by showing no more. */
static int find_iommu_width(struct proof *p, unsigned int pasid, uint8_t *width)
{
	int err = vfcap_iommu_read_width(p->vf, width);
	uint32_t cap;

	if (!err && !*width && pasid &&
	    vfcap_image_read(&p->seen, pasid + VFCAP_PASID_CAP, 2, &cap))
		*width = (uint8_t)((cap & VFCAP_PASID_CAP_WIDTH) >> 8);
	return err;
}

static int plan_knob(struct proof *p)
{
	struct vfcap_function *vf = p->vf, *pf = vf->pf;
	struct vfcap_plan_input in = {
		.vf = vf->image,
		.pf = pf ? pf->image : NULL,
		.vf_chain = vf->chain,
		.pf_chain = pf ? pf->chain : NULL,
		.is_vf = true,
		.release = vf->host->release,
	};
	struct vfcap_wish wish;
	int err;

	vfcap_knob_wish(&p->knob, &wish);
	err = find_iommu_width(p, wish.at[VFCAP_EMUL_PASID], &in.iommu_width);
	if (err)
		return err;
	for (unsigned int e = 0; e < VFCAP_EMULS; e++) {
		p->verdict->configured[e] = wish.at[e];
		if (wish.want[e] && p->verdict->shown.hidden[e]) {
			p->verdict->refused[e] = hidden_because(p, (enum vfcap_emul)e);
			wish.want[e] = false;
		}
	}
	vfcap_plan_make(&p->plan, &in, &wish);
	for (unsigned int e = 0; e < VFCAP_EMULS; e++)
		if (wish.want[e])
			p->verdict->refused[e] = p->plan.refused[e];
	return 0;
}

static int prove(struct proof *p, bool writes)
{
	struct vfcap_function *vf = p->vf;
	int err = vfcap_knob_read(vf, &p->knob);

	if (err)
		return err;
	p->verdict->has_knob = p->knob.there;
	if (!p->knob.there)
		return 0;
	if (!vfcap_function_chain(vf) || (vf->pf && !vfcap_function_chain(vf->pf)))
		return -EIO; /* and was said */
	err = vfcap_guest_shown(p->guest, &p->verdict->shown);
	if (err)
		return fail(p, "VFIO_DEVICE_FEATURE", err);
	snprintf(p->verdict->how, sizeof(p->verdict->how), "%s", vfcap_vfio_how(p->guest));
	vfcap_guest_image(p->guest, &p->seen);
	err = plan_knob(p);
	if (!err)
		err = compare_chain(p);
	if (!err && writes && !p->verdict->n)
		err = test_writes(p);
	return err;
}

/* ----------------------------------------------------------------------------------- interface -- */

/* That of an open device, of which no other error was said yet. */
static int verify_open(struct vfcap_function *vf, struct vfcap_guest *guest, bool writes,
		       struct vfcap_verdict *verdict)
{
	cleanup_free struct proof *p = calloc(1, sizeof(*p));

	if (!p)
		return vfcap_host_fail(vf->host, -ENOMEM, "%s: %s", vf->name, strerror(ENOMEM));
	p->vf = vf;
	p->guest = guest;
	p->verdict = verdict;
	return prove(p, writes);
}

int vfcap_guest_verify(struct vfcap_guest *guest, bool writes, struct vfcap_verdict *verdict)
{
	struct vfcap_function *vf = vfcap_vfio_function(guest);

	*verdict = (struct vfcap_verdict){ 0 };
	vf->host->error[0] = '\0';
	return verify_open(vf, guest, writes, verdict);
}

int vfcap_verify_knob(struct vfcap_function *vf, const char *token, bool writes,
		      struct vfcap_verdict *verdict)
{
	struct vfcap_guest *guest;
	struct vfcap_knob knob;
	int err;

	*verdict = (struct vfcap_verdict){ 0 };
	vf->host->error[0] = '\0';
	err = vfcap_knob_read(vf, &knob);
	if (err)
		return err;
	if (vf->host->root && vfcap_root_has_kernel(vf->host->root) && !knob.there)
		return 0;
	err = vfcap_guest_open(vf, token, &guest);
	if (err)
		return err;
	err = verify_open(vf, guest, writes, verdict);
	vfcap_guest_close(guest);
	return err;
}

/* Without being root the record is not known, and the guest's side still is. */
static int read_enabled(struct vfcap_function *vf, struct vfcap_enabled *enabled)
{
	int err = vfcap_function_enabled(vf, enabled);

	if (err != -EACCES)
		return err;
	vfcap_host_log(vf->host, "%s: what was enabled is not known: %s", vf->name,
		       vf->host->error);
	vf->host->error[0] = '\0';
	return 0;
}

int vfcap_verify(struct vfcap_function *vf, const char *token, bool writes,
		 struct vfcap_verdict *verdict)
{
	struct vfcap_enabled enabled;
	struct vfcap_knob knob;
	int err = read_enabled(vf, &enabled);

	*verdict = (struct vfcap_verdict){ 0 };
	if (!err && !enabled.changed)
		err = vfcap_verify_knob(vf, token, writes, verdict);
	verdict->enabled = enabled;
	if (err || !enabled.changed)
		return err;
	err = vfcap_knob_read(vf, &knob);
	verdict->has_knob = knob.there;
	for (unsigned int e = 0; e < VFCAP_EMULS; e++)
		verdict->configured[e] = knob.value[e];
	verdict->width = (uint8_t)knob.value[VFCAP_ATTR_WIDTH];
	return err;
}

bool vfcap_verdict_good(const struct vfcap_verdict *verdict)
{
	if (!verdict->has_knob || verdict->n || verdict->enabled.changed)
		return false;
	for (unsigned int e = 0; e < VFCAP_EMULS; e++)
		if (verdict->refused[e] != VFCAP_OK)
			return false;
	return true;
}

void vfcap_verdict_free(struct vfcap_verdict *verdict)
{
	free(verdict->difference);
	verdict->difference = NULL;
	verdict->n = 0;
}
