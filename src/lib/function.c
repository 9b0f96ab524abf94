// SPDX-License-Identifier: GPL-2.0-or-later
/* One function: its facts, its config space, its chain. */
#include <errno.h>
#include <stdlib.h>

#include "lib.h"

struct vfcap_function *vfcap_function_first(struct vfcap *ctx)
{
	return ctx->host.n ? ctx->host.fn[0] : NULL;
}

struct vfcap_function *vfcap_function_next(const struct vfcap_function *fn)
{
	return fn->pos + 1 < fn->host->n ? fn->host->fn[fn->pos + 1] : NULL;
}

struct vfcap_function *vfcap_vf_first(const struct vfcap_function *pf)
{
	return pf->n_vf ? pf->vf[0] : NULL;
}

struct vfcap_function *vfcap_vf_next(const struct vfcap_function *vf)
{
	return vf->pf && vf->vf_pos + 1 < vf->pf->n_vf ? vf->pf->vf[vf->vf_pos + 1] : NULL;
}

size_t vfcap_vf_count(const struct vfcap_function *pf)
{
	return pf->n_vf;
}

const char *vfcap_function_name(const struct vfcap_function *fn)
{
	return fn->name;
}

enum vfcap_role vfcap_function_role(const struct vfcap_function *fn)
{
	return fn->role;
}

struct vfcap_function *vfcap_function_pf(const struct vfcap_function *vf)
{
	return vf->pf;
}

int vfcap_function_vf_index(const struct vfcap_function *vf)
{
	return vf->vf_index;
}

/* A VF whose PF is not known keeps the ffff:ffff that it reads. */
static bool has_real_ids(const struct vfcap_function *fn)
{
	return fn->has_ids && fn->vendor != 0xffff;
}

int vfcap_function_vendor(const struct vfcap_function *fn)
{
	return has_real_ids(fn) ? (int)fn->vendor : -1;
}

int vfcap_function_device(const struct vfcap_function *fn)
{
	return has_real_ids(fn) ? (int)fn->device : -1;
}

int vfcap_function_denylisted(const struct vfcap_function *fn)
{
	if (!has_real_ids(fn))
		return -1;
	return vfcap_denylisted((uint16_t)fn->vendor, (uint16_t)fn->device);
}

int vfcap_function_class(const struct vfcap_function *fn)
{
	return fn->has_ids ? (int)fn->class_code : -1;
}

int vfcap_function_revision(const struct vfcap_function *fn)
{
	return fn->has_ids ? fn->revision : -1;
}

const char *vfcap_function_title(struct vfcap_function *fn)
{
	struct vfcap *ctx = vfcap_of(fn);
	const char *vendor, *device;

	ctx->title[0] = '\0';
	if (!has_real_ids(fn))
		return ctx->title;
	vendor = vfcap_pci_vendor_name(fn->host, fn->vendor);
	device = vendor ? vfcap_pci_device_name(fn->host, fn->vendor, fn->device) : NULL;
	if (vendor)
		snprintf(ctx->title, sizeof(ctx->title), "%s%s%s", vendor, device ? " " : "",
			 device ? device : "");
	return ctx->title;
}

const char *vfcap_function_driver(const struct vfcap_function *fn)
{
	return fn->driver;
}

bool vfcap_function_knows_driver(const struct vfcap_function *fn)
{
	return fn->knows_driver;
}

int vfcap_function_iommu_group(const struct vfcap_function *fn)
{
	return fn->iommu_group;
}

bool vfcap_function_knows_netdevs(const struct vfcap_function *fn)
{
	return !fn->host->netdevs_err;
}

size_t vfcap_function_netdevs(const struct vfcap_function *fn)
{
	return fn->n_netdev;
}

const char *vfcap_function_netdev(const struct vfcap_function *fn, size_t i)
{
	return i < fn->n_netdev ? fn->netdev[i] : NULL;
}

int vfcap_function_totalvfs(const struct vfcap_function *pf)
{
	return pf->totalvfs;
}

int vfcap_function_numvfs(const struct vfcap_function *pf)
{
	return pf->numvfs;
}

bool vfcap_function_mac(struct vfcap_function *vf, uint8_t mac[6])
{
	struct vfcap_vfinfo info = { 0 };

	if (vfcap_netlink_vf(vf, &info) || !info.has_mac)
		return false;
	memcpy(mac, info.mac, sizeof(info.mac));
	return true;
}

int vfcap_function_vlan(struct vfcap_function *vf)
{
	struct vfcap_vfinfo info = { 0 };

	return vfcap_netlink_vf(vf, &info) || !info.has_vlan ? -1 : info.vlan;
}

bool vfcap_function_vlan_is_stag(struct vfcap_function *vf)
{
	struct vfcap_vfinfo info = { 0 };

	return !vfcap_netlink_vf(vf, &info) && info.has_vlan && info.vlan_stag;
}

static int told(struct vfcap_function *vf, enum vfcap_vf_switch which)
{
	struct vfcap_vfinfo info = { 0 };

	return vfcap_netlink_vf(vf, &info) ? -1 : info.told[which] - 1;
}

int vfcap_function_trust(struct vfcap_function *vf)
{
	return told(vf, VFCAP_VF_TRUST);
}

int vfcap_function_spoofchk(struct vfcap_function *vf)
{
	return told(vf, VFCAP_VF_SPOOFCHK);
}

int vfcap_function_link(struct vfcap_function *vf)
{
	return told(vf, VFCAP_VF_LINK);
}

const char *vfcap_vf_link_name(enum vfcap_vf_link link)
{
	static const char *const names[] = {
		[VFCAP_VF_LINK_AUTO] = "auto",
		[VFCAP_VF_LINK_ENABLE] = "enable",
		[VFCAP_VF_LINK_DISABLE] = "disable",
	};

	return (unsigned int)link < VFCAP_VF_LINKS ? names[link] : "";
}

int vfcap_function_emulated(struct vfcap_function *vf, enum vfcap_emul e)
{
	vf->host->error[0] = '\0';
	return vf->role == VFCAP_ROLE_VF ? vfcap_knob_offset(vf, e) : -ENOENT;
}

const char *vfcap_function_skipped(const struct vfcap_function *fn)
{
	switch (fn->skip) {
	case VFCAP_SKIP_D3COLD:
		return "in D3cold";
	case VFCAP_SKIP_BRIDGE:
		return "below a suspended bridge";
	case VFCAP_SKIP_NONE:
		break;
	}
	return NULL;
}

/* The first bytes make the source say how much there is. */
static int image_open(struct vfcap_function *fn, struct vfcap_image *img)
{
	bool there;

	vfcap_image_init(img, fn->config_size < 0 ? VFCAP_CFG_SIZE : (unsigned int)fn->config_size,
			 fn->fetch, fn);
	img->at_hand = fn->rows;
	there = vfcap_image_need(img, 0, 4);
	if (fn->config_size >= 0)
		img->size = (uint16_t)fn->config_size;
	if (vfcap_function_skipped(fn))
		return vfcap_host_fail(fn->host, -EAGAIN, "%s: %s, not read (--wake reads it)",
				       fn->name, vfcap_function_skipped(fn));
	if (there || !img->error)
		return 0;
	/* Whoever asked goes on without: a later read that succeeds does not make up for that. */
	if (!fn->image_err)
		fn->image_err = img->error;
	return vfcap_host_fail(fn->host, img->error, "%s: config: %s", fn->name,
			       vfcap_strerror(img->error));
}

struct vfcap_image *vfcap_function_image(struct vfcap_function *fn)
{
	struct vfcap_image *img = fn->image;

	fn->host->error[0] = '\0';
	if (img)
		return img;
	img = malloc(sizeof(*img));
	if (!img) {
		vfcap_host_fail(fn->host, -ENOMEM, "%s: %s", fn->name, strerror(ENOMEM));
		return NULL;
	}
	if (image_open(fn, img)) {
		free(img);
		return NULL;
	}
	fn->image = img;
	return img;
}

int vfcap_function_config_error(const struct vfcap_function *fn)
{
	if (fn->image && fn->image->error)
		return fn->image->error;
	return fn->image_err ? fn->image_err : fn->config_err;
}

int vfcap_function_failed(struct vfcap_function *fn)
{
	int err = vfcap_function_config_error(fn);

	if (!err || err == -ENOENT || err == -EAGAIN || err == -EACCES)
		return 0;
	return vfcap_host_fail(fn->host, err, "%s: config: %s", fn->name, vfcap_strerror(err));
}

int vfcap_function_config_size(struct vfcap_function *fn)
{
	if (fn->config_size < 0)
		vfcap_function_image(fn);
	return fn->config_size;
}

/* A chain has room for 960 capabilities and mostly has ten: only those are kept. */
static struct vfcap_chain *chain_keep(const struct vfcap_chain *chain)
{
	size_t size = offsetof(struct vfcap_chain, cap) + chain->n * sizeof(chain->cap[0]);
	struct vfcap_chain *kept = malloc(size);

	if (kept)
		memcpy(kept, chain, size);
	return kept;
}

const struct vfcap_chain *vfcap_function_chain(struct vfcap_function *fn)
{
	struct vfcap_image *img = vfcap_function_image(fn);
	struct vfcap *ctx = vfcap_of(fn);

	if (!img || fn->chain)
		return img ? fn->chain : NULL;
	if (!ctx->scratch)
		ctx->scratch = malloc(sizeof(*ctx->scratch));
	if (ctx->scratch) {
		vfcap_chain_walk(ctx->scratch, img);
		fn->chain = chain_keep(ctx->scratch);
	}
	if (!fn->chain)
		vfcap_host_fail(fn->host, -ENOMEM, "%s: %s", fn->name, strerror(ENOMEM));
	return fn->chain;
}

void vfcap_function_drop(struct vfcap_function *fn)
{
	if (fn->image && !fn->image_err)
		fn->image_err = fn->image->error;
	free(fn->image);
	fn->image = NULL;
	free(fn->chain);
	fn->chain = NULL;
	free(fn->siblings);
	fn->siblings = NULL;
	free(fn->unreadable);
	fn->unreadable = NULL;
	fn->n_unreadable = 0;
	fn->n_read = 0;
}

/* A dump of 256 bytes tells nothing of what lies behind them; a host's config file does. */
static bool knows_chain(const struct vfcap_function *fn, const struct vfcap_chain *chain)
{
	if (fn->config_size < VFCAP_EXT_BASE)
		return false;
	if (fn->config_size == VFCAP_EXT_BASE)
		return !fn->host->from_files;
	return !(chain->end_anomaly & (1u << VFCAP_TRUNCATED));
}

int vfcap_function_state(struct vfcap_function *fn, unsigned int id, struct vfcap_state *state)
{
	const struct vfcap_chain *chain = vfcap_function_chain(fn);
	const struct vfcap_cap *cap;
	uint32_t cap_ctrl = 0;

	memset(state, 0, sizeof(*state));
	if (!chain)
		return fn->host->error_code == -ENOMEM ? -ENOMEM : -EIO;
	cap = vfcap_chain_find(chain, id);
	if (!cap)
		return knows_chain(fn, chain) ? 0 : -ENODATA;
	state->offset = cap->offset;
	state->known = vfcap_image_read(fn->image, cap->offset + 4u, 4, &cap_ctrl);
	if (id == VFCAP_ID_PASID) {
		state->enabled = cap_ctrl >> 16 & VFCAP_PASID_CTRL_ENABLE;
		state->width = (uint8_t)((cap_ctrl & VFCAP_PASID_CAP_WIDTH) >> 8);
	} else if (id == VFCAP_ID_PRI) {
		state->enabled = cap_ctrl & VFCAP_PRI_CTRL_ENABLE;
	} else if (id == VFCAP_ID_ATS) {
		state->enabled = cap_ctrl >> 16 & VFCAP_ATS_CTRL_ENABLE;
	}
	return 1;
}
