// SPDX-License-Identifier: GPL-2.0-or-later
/* Brings a VF, its PF and its siblings before the core's plan. */
#include <errno.h>
#include <stdlib.h>

#include "../host/change.h"
#include "../host/system.h"
#include "lib.h"

/* Reads off a VF without keeping its image: hundreds of them enter one OR. 1; 0: it is known not to be readable, or has
 * gone; or -errno. */
static int sibling_read(struct vfcap_function *vf, unsigned int off, unsigned int len, uint8_t *buf)
{
	int n = vf->fetch ? vf->fetch(vf, off, len, buf) : 0;

	if (n < 0 && n != -EAGAIN && n != -ENODEV && n != -ENOENT && n != -EACCES)
		return n;
	return n == (int)len;
}

static int sibling_readable(struct vfcap_function *vf)
{
	uint8_t class_dword[4], head[4];
	int there = sibling_read(vf, 0x08, 4, class_dword);

	if (there > 0)
		there = sibling_read(vf, VFCAP_EXT_BASE, 4, head);
	if (there <= 0)
		return there;
	return vfcap_le32(class_dword) != 0xffffffff || vfcap_le32(head) != 0xffffffff;
}

static bool is_unreadable(const struct vfcap_function *pf, const struct vfcap_function *vf)
{
	size_t i;

	for (i = 0; i < pf->n_unreadable; i++)
		if (pf->unreadable[i] == vf)
			return true;
	return false;
}

/* struct vfcap_image.fetch of the OR of all VFs of a PF. A VF that cannot be read is left out and named. */
static int siblings_fetch(void *ctx, unsigned int off, unsigned int len, uint8_t *buf)
{
	struct vfcap_function *pf = ctx;
	uint8_t one[VFCAP_CFG_SIZE];
	unsigned int b;
	size_t i;
	int there;

	memset(buf, 0, len);
	for (i = 0; i < pf->n_vf; i++) {
		if (is_unreadable(pf, pf->vf[i]))
			continue;
		there = sibling_read(pf->vf[i], off, len, one);
		if (there < 0)
			return there;
		if (!there) {
			pf->unreadable[pf->n_unreadable++] = pf->vf[i];
			pf->n_read--;
			continue;
		}
		for (b = 0; b < len; b++)
			buf[b] |= one[b];
	}
	return pf->n_read ? (int)len : 0;
}

static struct vfcap_image *siblings_open(struct vfcap_function *pf)
{
	size_t i;

	if (pf->siblings || !pf->n_vf)
		return pf->siblings;
	pf->siblings = malloc(sizeof(*pf->siblings));
	pf->unreadable = calloc(pf->n_vf, sizeof(struct vfcap_function *));
	if (!pf->siblings || !pf->unreadable) {
		free(pf->siblings);
		pf->siblings = NULL;
		free(pf->unreadable);
		pf->unreadable = NULL;
		return NULL;
	}
	vfcap_image_init(pf->siblings, VFCAP_CFG_SIZE, siblings_fetch, pf);
	for (i = 0; i < pf->n_vf; i++) {
		int there = sibling_readable(pf->vf[i]);

		if (there < 0)
			pf->siblings->error = there;
		else if (there)
			pf->n_read++;
		else
			pf->unreadable[pf->n_unreadable++] = pf->vf[i];
	}
	return pf->siblings;
}

/* Asleep, gone, or not for this reader: that is known of it, and no failed read. */
static bool is_known_unreadable(const struct vfcap_function *fn)
{
	int err = fn->config_err;

	return !fn->image && (vfcap_function_skipped(fn) || !fn->fetch || err == -ENOENT ||
			      err == -ENODEV || err == -EACCES);
}

/* For a read that failed, or for want of memory. */
static int cannot_read(struct vfcap_function *fn)
{
	int err = fn->image || !fn->config_err ? -ENOMEM : fn->config_err;

	fn->host->error[0] = '\0';
	return vfcap_host_fail(fn->host, err, "%s: config: %s", fn->name, vfcap_strerror(err));
}

/* A function that was skipped or has vanished is planned as one that cannot be read. */
static struct vfcap_image *unreadable_image(void)
{
	struct vfcap_image *img = malloc(sizeof(*img));

	if (img)
		vfcap_image_init(img, VFCAP_CFG_SIZE, NULL, NULL);
	return img;
}

static int plan_unreadable(struct vfcap_function *fn, struct vfcap_plan_input *in,
			   const struct vfcap_wish *wish, struct vfcap_plan *plan)
{
	cleanup_free struct vfcap_image *img = unreadable_image();
	cleanup_free struct vfcap_chain *chain = malloc(sizeof(*chain));

	if (!img || !chain)
		return cannot_read(fn);
	vfcap_chain_walk(chain, img);
	in->vf = img;
	in->vf_chain = chain;
	vfcap_plan_make(plan, in, wish);
	return 0;
}

/* A byte that could not be read is not one that is taken: a place would lose for it, and another be chosen. */
static int read_failed(struct vfcap_function *fn, const struct vfcap_image *img)
{
	if (!img || !img->error)
		return 0;
	if (fn->image)
		fn->image->error = img->error; /* kept, as vfcap_failed_read() has it */
	fn->host->error[0] = '\0';
	return vfcap_host_fail(fn->host, img->error, "%s: config: %s", fn->name,
			       vfcap_strerror(img->error));
}

int vfcap_function_plan(struct vfcap_function *fn, const struct vfcap_wish *wish,
			struct vfcap_plan *plan, struct vfcap_evidence *evidence)
{
	struct vfcap_function *pf = fn->role == VFCAP_ROLE_VF ? fn->pf : NULL;
	struct vfcap_plan_input in = {
		.is_vf = fn->role == VFCAP_ROLE_VF,
		.release = fn->host->release,
	};
	int err = vfcap_iommu_read_width(fn, &in.iommu_width);

	if (evidence)
		memset(evidence, 0, sizeof(*evidence));
	if (err)
		return err;
	if (pf) {
		in.pf_chain = vfcap_function_chain(pf);
		in.pf = in.pf_chain ? pf->image : NULL;
		if (!in.pf_chain && !is_known_unreadable(pf))
			return cannot_read(pf);
		in.siblings = siblings_open(pf);
		if (pf->n_vf && !in.siblings)
			return cannot_read(fn);
	}
	in.vf_chain = vfcap_function_chain(fn);
	in.vf = fn->image;
	if (!in.vf_chain)
		return is_known_unreadable(fn) ? plan_unreadable(fn, &in, wish, plan) :
						 cannot_read(fn);
	vfcap_plan_make(plan, &in, wish);
	err = read_failed(fn, in.vf);
	if (!err && pf)
		err = read_failed(pf, in.pf);
	if (!err && pf)
		err = read_failed(pf, in.siblings);
	if (err)
		return err;
	if (pf && evidence)
		*evidence = (struct vfcap_evidence){
			.siblings_read = pf->n_read,
			.siblings_unreadable = pf->n_unreadable,
			.unreadable = pf->unreadable,
		};
	return 0;
}

/* Which bytes may be taken was decided when the knob was turned. */
bool vfcap_knob_wish(const struct vfcap_knob *knob, struct vfcap_wish *wish)
{
	bool any = false;

	*wish = (struct vfcap_wish){ .force = true };
	for (unsigned int e = 0; e < VFCAP_EMULS; e++) {
		wish->want[e] = knob->value[e];
		wish->explicit_at[e] = knob->value[e];
		wish->at[e] = knob->value[e];
		any |= wish->want[e];
	}
	wish->width = (uint8_t)knob->value[VFCAP_ATTR_WIDTH];
	return any;
}

int vfcap_function_configured(struct vfcap_function *vf, struct vfcap_wish *wish)
{
	struct vfcap_knob knob;
	int err;

	vf->host->error[0] = '\0';
	*wish = (struct vfcap_wish){ .force = true };
	err = vfcap_knob_read(vf, &knob);
	return err ? err : vfcap_knob_wish(&knob, wish);
}
