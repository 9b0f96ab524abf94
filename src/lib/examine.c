// SPDX-License-Identifier: GPL-2.0-or-later
/* Collects what the doctor judges. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "doctor.h"

#define ID_ACS 0x0d
#define QEMU_GUESS 0xff8 /* the last 8 bytes, since QEMU 11.1 */

/* Linux include/uapi/linux/pci_regs.h. */
#define HEADER_TYPE 0x0e
#define HEADER_MULTI 0x80
#define SECONDARY_BUS 0x19
#define EXPRESS_FLAGS 0x02
#define EXPRESS_VERSION 0x000f
#define EXPRESS_DEVCAP2 0x24
#define DEVCAP2_PREFIX 0x00200000
#define ACS_CAP 0x04
#define ACS_CTRL 0x06
#define ACS_WANTED 0x0014 /* request redirect, upstream forwarding */

enum { ENDPOINT = 0, LEGACY_END = 1, ROOT_PORT = 4, UPSTREAM = 5, DOWNSTREAM = 6, RC_END = 9 };

struct vfcap_doctor {
	struct vfcap *ctx;
	struct vfcap_system sys;
	struct vfcap_holders holders;
	enum vfcap_answer pasid_on;
	struct vfcap_plan *plan;
	bool asks; /* iommufd, of functions that it opens */
	const char *token; /* for that; NULL */
};

/* ---------------------------------------------------------------------- the way to the root complex -- */

/* Linux drivers/pci/pci.c, pci_acs_flags_enabled(): what the capability lacks is hard-wired. */
static enum vfcap_answer acs_registers(struct vfcap_function *fn)
{
	const struct vfcap_chain *chain = vfcap_function_chain(fn);
	const struct vfcap_cap *acs = chain ? vfcap_chain_find(chain, ID_ACS) : NULL;
	uint32_t cap, ctrl;

	if (!chain || fn->config_size < VFCAP_CFG_SIZE)
		return VFCAP_NOT_KNOWN;
	if (!acs)
		return VFCAP_NO;
	if (!vfcap_image_read(fn->image, acs->offset + ACS_CAP, 2, &cap) ||
	    !vfcap_image_read(fn->image, acs->offset + ACS_CTRL, 2, &ctrl))
		return VFCAP_NOT_KNOWN;
	return (ctrl & cap & ACS_WANTED) == (cap & ACS_WANTED) ? VFCAP_YES : VFCAP_NO;
}

/* Linux drivers/pci/pci.c, pci_acs_enabled(). */
static enum vfcap_answer acs_of(struct vfcap_function *fn, unsigned int type)
{
	uint32_t header;

	switch (type) {
	case ROOT_PORT:
	case DOWNSTREAM:
		return acs_registers(fn);
	case ENDPOINT:
	case LEGACY_END:
	case UPSTREAM:
	case RC_END:
		if (!vfcap_image_read(fn->image, HEADER_TYPE, 1, &header))
			return VFCAP_NOT_KNOWN;
		return header & HEADER_MULTI ? acs_registers(fn) : VFCAP_YES;
	default:
		return VFCAP_NO;
	}
}

/* Fills in a hop. Gives the type of its port, -1: not known or none. */
static int look_at_hop(struct vfcap_function *fn, struct vfcap_hop *hop)
{
	struct vfcap_image *img = vfcap_function_image(fn);
	struct vfcap_body pcie;
	int found = img ? vfcap_pcie_find(img, &pcie) : -1;
	unsigned int type;
	uint32_t flags;

	memcpy(hop->name, fn->name, sizeof(hop->name));
	if (found == 0)
		hop->prefix = hop->acs = VFCAP_NO;
	if (found <= 0)
		return -1;
	/* Version 1 ends before that register: Linux takes it for zero. */
	if (vfcap_body_read(&pcie, EXPRESS_FLAGS, 2, &flags) && (flags & EXPRESS_VERSION) < 2)
		hop->prefix = VFCAP_NO;
	else if (vfcap_body_read(&pcie, EXPRESS_DEVCAP2, 4, &hop->devcap2))
		hop->prefix = hop->devcap2 & DEVCAP2_PREFIX ? VFCAP_YES : VFCAP_NO;
	type = vfcap_pcie_type(&pcie);
	hop->acs = acs_of(fn, type);
	return (int)type;
}

/* By the bridge's own register, which every source has. */
static struct vfcap_function *bridge_above(const struct vfcap_function *fn)
{
	const struct vfcap_host *h = fn->host;

	for (size_t i = 0; i < h->n; i++) {
		struct vfcap_function *bridge = h->fn[i];
		struct vfcap_image *img;
		uint32_t bus;

		if (bridge == fn || !bridge->has_ids || bridge->class_code >> 8 != 0x0604 ||
		    bridge->address.domain != fn->address.domain)
			continue;
		img = vfcap_function_image(bridge);
		if (img && vfcap_image_read(img, SECONDARY_BUS, 1, &bus) && bus == fn->address.bus)
			return bridge;
	}
	return NULL;
}

/* Linux lets TLP prefixes begin at a root port, or at an endpoint that is part of the root complex: not at
 * any other function of a root bus. A dump may just lack its bridge. */
static void look_at_path(struct vfcap_function *fn, struct vfcap_path *path)
{
	const struct vfcap_host *h = fn->host;
	int type;

	while (fn && path->n < VFCAP_HOPS_MOST && !path->whole) {
		type = look_at_hop(fn, &path->hop[path->n++]);
		path->whole = type == ROOT_PORT || type == RC_END;
		if (!path->whole)
			fn = bridge_above(fn);
		if (!fn && type >= 0 && h->root) {
			path->whole = path->portless = true;
		}
	}
}

/* ----------------------------------------------------------------------------------- functions -- */

static void look_at_cap(struct vfcap_function *fn, unsigned int id, struct vfcap_cap_facts *cap)
{
	int there = vfcap_function_state(fn, id, &cap->state);

	cap->there = there < 0 ? VFCAP_NOT_KNOWN : there ? VFCAP_YES : VFCAP_NO;
}

static void look_at_chain(struct vfcap_function *fn, struct vfcap_facts *f)
{
	const struct vfcap_chain *chain = vfcap_function_chain(fn);
	struct vfcap_finding finding;
	unsigned int pos = 0;

	f->has_chain = chain && fn->config_size >= VFCAP_CFG_SIZE;
	if (!f->has_chain)
		return;
	f->broken = chain->broken;
	while (vfcap_anomaly_next(chain, &pos, &finding))
		if (vfcap_anomaly_breaks(finding.code)) {
			f->anomaly = finding.code;
			f->anomaly_at = finding.offset;
			break;
		}
}

static void look_at_binding(struct vfcap_doctor *d, struct vfcap_function *fn,
			    struct vfcap_facts *f)
{
	if (!fn->host->root || vfcap_binding_read(fn, &f->binding))
		return;
	f->has_binding = true;
	vfcap_use_find(fn, &f->binding, &d->holders, &f->use);
}

static void look_at_function(struct vfcap_doctor *d, struct vfcap_function *fn,
			     struct vfcap_facts *f)
{
	int unit = vfcap_doctor_iommu_of(d, fn);

	f->sys = &d->sys;
	f->pasid_on = d->pasid_on;
	f->iommu = unit < 0 ? NULL : &d->sys.iommu[unit];
	f->name = fn->name;
	f->driver = fn->driver;
	f->knows_driver = fn->knows_driver;
	look_at_cap(fn, VFCAP_ID_PASID, &f->pasid);
	look_at_cap(fn, VFCAP_ID_PRI, &f->pri);
	look_at_cap(fn, VFCAP_ID_ATS, &f->ats);
	look_at_chain(fn, f);
	look_at_binding(d, fn, f);
}

/* Opens it, where that does no harm. */
static void look_at_iommufd(struct vfcap_doctor *d, struct vfcap_function *fn,
			    struct vfcap_facts *f)
{
	struct vfcap_hw_facts *hw = &f->hw;
	struct vfcap_check ignored = { 0 };
	const char *error = fn->host->error;
	size_t len = strlen(fn->name);

	hw->wanted = d->asks;
	if (!hw->wanted || !vfcap_may_open(f, &ignored))
		return;
	fn->host->error[0] = '\0';
	hw->told = !vfcap_iommufd_info(fn, d->token, &hw->info);
	if (strncmp(error, fn->name, len) == 0 && strncmp(error + len, ": ", 2) == 0)
		error += len + 2;
	snprintf(hw->error, sizeof(hw->error), "%.255s", hw->told ? "" : error);
}

/* What its VFs are told to show. */
static void look_at_shown(const struct vfcap_function *pf, struct vfcap_facts *f)
{
	for (size_t i = 0; pf->host->root && i < pf->n_vf; i++) {
		struct vfcap_knob knob;
		unsigned int width;

		/* What cannot be read is a failed read, which doctor ends with. */
		if (vfcap_knob_read(pf->vf[i], &knob))
			continue;
		f->shows_pri |= knob.value[VFCAP_ATTR_PRI] != 0;
		if (!knob.value[VFCAP_ATTR_PASID])
			continue;
		width = knob.value[VFCAP_ATTR_WIDTH];
		if (!width)
			width = f->pasid.state.width;
		if (width > f->shown_width)
			f->shown_width = (uint8_t)width;
	}
}

static void look_at_pf(struct vfcap_doctor *d, struct vfcap_function *pf, struct vfcap_facts *f)
{
	f->sriov = pf->role == VFCAP_ROLE_PF ? VFCAP_YES :
		   f->has_chain		     ? VFCAP_NO :
					       VFCAP_NOT_KNOWN;
	f->totalvfs = pf->totalvfs;
	f->n_vfs = pf->n_vf;
	f->knows_vfs = pf->host->root || pf->numvfs == 0;
	look_at_path(pf, &f->path);
	look_at_shown(pf, f);
	look_at_iommufd(d, pf, f);
}

/* ------------------------------------------------------------------------------------------ VFs -- */

/* What a place is like that is taken without looking. */
static void look_at_guess(struct vfcap_doctor *d, struct vfcap_function *vf, unsigned int offset,
			  struct vfcap_guess *guess)
{
	struct vfcap_wish wish = { .want[VFCAP_EMUL_PASID] = true,
				   .explicit_at[VFCAP_EMUL_PASID] = true };

	wish.at[VFCAP_EMUL_PASID] = (uint16_t)offset;
	guess->offset = (uint16_t)offset;
	if (!offset || vfcap_function_plan(vf, &wish, d->plan, NULL) || !d->plan->n_considered)
		return;
	guess->code = d->plan->considered[0].code;
	guess->byte = d->plan->considered[0].by_offset;
}

static void look_at_places(struct vfcap_doctor *d, struct vfcap_function *vf, struct vfcap_facts *f)
{
	struct vfcap_wish wish = { .want[VFCAP_EMUL_PASID] = true };
	struct vfcap_evidence evidence;

	f->refused = VFCAP_CODE_UNREADABLE;
	if (vfcap_function_plan(vf, &wish, d->plan, &evidence))
		return;
	f->refused = d->plan->refused[VFCAP_EMUL_PASID];
	f->siblings_unreadable = evidence.siblings_unreadable;
	if (d->plan->n_placements)
		f->place = d->plan->placement[0];
	look_at_guess(d, vf, f->binding.knob.value[VFCAP_ATTR_PASID],
		      &f->guess[VFCAP_GUESS_CONFIGURED]);
	look_at_guess(d, vf, f->pf_pasid.state.offset, &f->guess[VFCAP_GUESS_PF]);
	look_at_guess(d, vf, QEMU_GUESS, &f->guess[VFCAP_GUESS_QEMU]);
}

static void look_at_vf(struct vfcap_doctor *d, struct vfcap_function *vf, struct vfcap_facts *f)
{
	int denylisted = vfcap_function_denylisted(vf);

	f->denylisted = denylisted < 0 ? VFCAP_NOT_KNOWN : denylisted ? VFCAP_YES : VFCAP_NO;
	f->vendor = vfcap_function_vendor(vf);
	f->device = vfcap_function_device(vf);
	f->pf = vf->pf ? vf->pf->name : NULL;
	f->path.n = 1;
	f->path.whole = true;
	look_at_hop(vf, &f->path.hop[0]);
	if (vf->pf)
		look_at_cap(vf->pf, VFCAP_ID_PASID, &f->pf_pasid);
	f->iommu_group = vf->iommu_group;
	vfcap_group_read(vf, &f->group);
	if (f->has_binding)
		vfcap_node_read(vf, &f->node);
	look_at_places(d, vf, f);
	look_at_iommufd(d, vf, f);
}

/* -------------------------------------------------------------------------------------- doctor -- */

/* PASID that is on below an Intel unit proves that the kernel uses scalable mode. */
static enum vfcap_answer find_pasid_on(struct vfcap_doctor *d)
{
	struct vfcap_function *fn;
	struct vfcap_state state;

	vfcap_foreach(d->ctx, fn) {
		int unit = fn->role == VFCAP_ROLE_PF ? vfcap_doctor_iommu_of(d, fn) : -1;

		if (unit >= 0 && d->sys.iommu[unit].kind == VFCAP_IOMMU_INTEL &&
		    vfcap_function_state(fn, VFCAP_ID_PASID, &state) > 0 && state.enabled)
			return VFCAP_YES;
	}
	return VFCAP_NO;
}

int vfcap_doctor_open(struct vfcap *ctx, struct vfcap_doctor **out)
{
	struct vfcap_doctor *d = calloc(1, sizeof(*d));
	int err = d ? 0 : -ENOMEM;

	*out = NULL;
	ctx->host.error[0] = '\0';
	if (d) {
		d->ctx = ctx;
		d->plan = malloc(sizeof(*d->plan));
		err = d->plan ? vfcap_system_read(&ctx->host, &d->sys) : -ENOMEM;
	}
	if (!err && ctx->host.root)
		vfcap_holders_scan(&ctx->host, &d->holders);
	if (err) {
		vfcap_doctor_close(d);
		return vfcap_host_fail(&ctx->host, err, "%s", strerror(-err));
	}
	d->pasid_on = find_pasid_on(d);
	ctx->host.error[0] = '\0'; /* what could not be read is unknown */
	*out = d;
	return 0;
}

void vfcap_doctor_close(struct vfcap_doctor *d)
{
	if (!d)
		return;
	vfcap_system_free(&d->sys);
	vfcap_holders_free(&d->holders);
	free(d->plan);
	free(d);
}

void vfcap_doctor_ask(struct vfcap_doctor *d, const char *token)
{
	d->asks = true;
	d->token = token;
}

void vfcap_doctor_host(struct vfcap_doctor *d, struct vfcap_checks *checks)
{
	struct vfcap_facts f = { .sys = &d->sys, .pasid_on = d->pasid_on };

	vfcap_judge(&f, VFCAP_ABOUT_HOST, checks);
}

size_t vfcap_doctor_iommus(const struct vfcap_doctor *d)
{
	return d->sys.n_iommus;
}

const char *vfcap_doctor_iommu_name(const struct vfcap_doctor *d, size_t i)
{
	return d->sys.iommu[i].name;
}

void vfcap_doctor_iommu(struct vfcap_doctor *d, size_t i, struct vfcap_checks *checks)
{
	struct vfcap_facts f = { .sys = &d->sys, .iommu = &d->sys.iommu[i] };

	vfcap_judge(&f, VFCAP_ABOUT_IOMMU, checks);
}

int vfcap_doctor_iommu_of(const struct vfcap_doctor *d, const struct vfcap_function *fn)
{
	char name[40];

	vfcap_iommu_name(fn, name);
	for (size_t i = 0; *name && i < d->sys.n_iommus; i++)
		if (strcmp(d->sys.iommu[i].name, name) == 0)
			return (int)i;
	return -1;
}

int vfcap_doctor_function(struct vfcap_doctor *d, struct vfcap_function *fn,
			  struct vfcap_checks *checks)
{
	cleanup_free struct vfcap_facts *f = calloc(1, sizeof(*f));
	bool is_vf = fn->role == VFCAP_ROLE_VF;

	checks->n = 0;
	if (!f)
		return vfcap_host_fail(fn->host, -ENOMEM, "%s: %s", fn->name, strerror(ENOMEM));
	look_at_function(d, fn, f);
	if (is_vf)
		look_at_vf(d, fn, f);
	else
		look_at_pf(d, fn, f);
	vfcap_judge(f, is_vf ? VFCAP_ABOUT_VF : VFCAP_ABOUT_PF, checks);
	if (is_vf)
		vfcap_function_drop(fn);
	fn->host->error[0] = '\0';
	return 0;
}
