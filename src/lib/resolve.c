// SPDX-License-Identifier: GPL-2.0-or-later
/* What a description says of each VF of a host, also of those that are still to be created. */
#include <errno.h>
#include <fnmatch.h>
#include <stdarg.h>
#include <stdlib.h>

#include "../host/change.h"
#include "resolve.h"

struct resolving {
	struct vfcap_host *h;
	struct vfcap_targets *targets;
	size_t *number; /* of the target of each function of the host, by its place; 0: none; from 1 */
	struct vfcap_function **pf; /* all PFs */
	size_t n_pf;
	bool tolerant; /* of devices that are not there, and of all PFs but this one: */
	const struct vfcap_function *one;
	bool partial; /* what is wrong is skipped */
	struct vfcap_where where; /* where that stands */
};

/* Says what is wrong, and where it stands. */
static __attribute__((format(printf, 4, 5))) int
wrong(struct resolving *r, int err, const struct vfcap_where *where, const char *fmt, ...)
{
	char why[sizeof(r->h->error)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	r->where = *where;
	return vfcap_host_fail(r->h, err, "%s:%u:%u: %s", where->file, where->line, where->column,
			       why);
}

/* As the end of such a sentence. */
#define AT "%s:%u:%u"
#define AT_ARGS(w) (w)->file, (w)->line, (w)->column

static bool is_wrong(int err)
{
	return err == -EINVAL || err == -ENOENT || err == -ERANGE;
}

/* What was said is kept, where all else is to be dealt with. pf: nothing of it is. */
static int skip(struct resolving *r, struct vfcap_function *pf, int err)
{
	struct vfcap_targets *all = r->targets;
	struct vfcap_skipped *more;

	if (!r->partial || !is_wrong(err))
		return err;
	more = vfcap_more(all->skipped, all->n_skipped, sizeof(*more));
	if (!more)
		return -ENOMEM;
	all->skipped = more;
	more += all->n_skipped;
	*more = (struct vfcap_skipped){ .err = err, .pf = pf, .where = r->where };
	more->message = strdup(r->h->error);
	if (!more->message)
		return -ENOMEM;
	all->n_skipped++;
	r->h->error[0] = '\0';
	return 0;
}

/* The same of a PF, of which the first is enough. */
static int skip_pf(struct resolving *r, struct vfcap_target *t, int err)
{
	int left = skip(r, t->pf, err);

	t->wrong = err && !left;
	return left;
}

bool vfcap_want_same(const struct vfcap_want *a, const struct vfcap_want *b)
{
	return a->there == b->there && a->at == b->at && a->offset == b->offset &&
	       (a->at || a->rule == b->rule);
}

/* --------------------------------------------------------------------------------------- targets -- */

static size_t highest(const struct vfcap_function *pf)
{
	size_t n = 0;

	for (size_t i = 0; i < pf->n_vf; i++)
		if (pf->vf[i]->vf_index >= (int)n)
			n = (size_t)pf->vf[i]->vf_index + 1;
	return n;
}

static int add_target(struct resolving *r, struct vfcap_function *pf)
{
	struct vfcap_targets *all = r->targets;
	struct vfcap_target *more = vfcap_more(all->target, all->n, sizeof(*more));

	if (!more)
		return -ENOMEM;
	all->target = more;
	more += all->n++;
	*more = (struct vfcap_target){ .pf = pf };
	more->knows_vfs =
		vfcap_vf_registers(pf, &more->vf_offset, &more->vf_stride, &more->vf_device);
	r->number[pf->pos] = all->n;
	return 0;
}

static struct vfcap_target *target_of(struct resolving *r, const struct vfcap_function *pf)
{
	return r->number[pf->pos] ? &r->targets->target[r->number[pf->pos] - 1] : NULL;
}

/* Of a PF whose number of VFs is not described. */
static int want_target(struct resolving *r, struct vfcap_function *pf, struct vfcap_target **target)
{
	int err = 0;

	*target = target_of(r, pf);
	if (*target)
		return 0;
	err = add_target(r, pf);
	if (err)
		return err;
	*target = target_of(r, pf);
	(*target)->n = highest(pf);
	(*target)->slot = calloc((*target)->n ? (*target)->n : 1, sizeof(*(*target)->slot));
	return (*target)->slot ? 0 : -ENOMEM;
}

void vfcap_targets_free(struct vfcap_targets *targets)
{
	for (size_t i = 0; i < targets->n; i++)
		free(targets->target[i].slot);
	free(targets->target);
	for (size_t i = 0; i < targets->n_skipped; i++)
		free(targets->skipped[i].message);
	free(targets->skipped);
	*targets = (struct vfcap_targets){ 0 };
}

void vfcap_target_name(const struct vfcap_target *target, size_t index, char buf[VFCAP_ADDRESS_LEN])
{
	const struct vfcap_function *pf = target->pf;
	struct vfcap_address a = pf->address;
	unsigned int rid;

	/* VFs stand by their index, and mostly at it. */
	for (size_t i = index < pf->n_vf ? index : 0; i < pf->n_vf; i++)
		if (pf->vf[i]->vf_index == (int)index) {
			memcpy(buf, pf->vf[i]->name, VFCAP_ADDRESS_LEN);
			return;
		}
	rid = ((unsigned int)a.bus << 8 | a.devfn) + target->vf_offset +
	      (unsigned int)index * target->vf_stride;
	a.bus = (uint8_t)(rid >> 8);
	a.devfn = (uint8_t)rid;
	if (target->knows_vfs)
		vfcap_address_format(a, buf);
	else
		snprintf(buf, VFCAP_ADDRESS_LEN, "%.12s/vf%u", pf->name,
			 (unsigned int)index & 0xfff);
}

/* ---------------------------------------------------------------------------------------- merging -- */

static int otherwise(struct resolving *r, const struct vfcap_target *t, size_t index,
		     const char *what, const struct vfcap_where *here,
		     const struct vfcap_where *there)
{
	return wrong(r, -EINVAL, here, "%s/vf%zu: %s: otherwise than at " AT, t->pf->name, index,
		     what, AT_ARGS(there));
}

static const char *emul_name(unsigned int e)
{
	return vfcap_capinfo(vfcap_emul_id(e))->name;
}

static bool wants_any(const struct vfcap_slot *slot)
{
	return slot->want[VFCAP_EMUL_PASID] || slot->want[VFCAP_EMUL_PRI];
}

static bool is_our_driver(const struct vfcap_spec_vfs *vfs)
{
	return vfs->driver && strcmp(vfs->driver, VFCAP_DRIVER) == 0;
}

static bool same_driver(const struct vfcap_spec_vfs *a, const struct vfcap_spec_vfs *b)
{
	return a->driver && b->driver ? strcmp(a->driver, b->driver) == 0 : a->driver == b->driver;
}

static int merge_wants(struct resolving *r, const struct vfcap_target *t, size_t index,
		       const struct vfcap_spec_vfs *vfs)
{
	struct vfcap_slot *slot = &t->slot[index];

	for (unsigned int e = 0; e < VFCAP_EMULS; e++) {
		if (!vfs->want[e].there)
			continue;
		if (slot->want[e] && !vfcap_want_same(&slot->want[e]->want[e], &vfs->want[e]))
			return otherwise(r, t, index, emul_name(e), &vfs->want[e].where,
					 &slot->want[e]->want[e].where);
		slot->want[e] = vfs;
	}
	return 0;
}

/* What is said of one VF by several entries, of one file or of several. */
static int merge(struct resolving *r, const struct vfcap_target *t, size_t index,
		 const struct vfcap_spec_vfs *vfs)
{
	struct vfcap_slot *slot = &t->slot[index];
	int err = merge_wants(r, t, index, vfs);
	unsigned int e = slot->want[VFCAP_EMUL_PASID] ? VFCAP_EMUL_PASID : VFCAP_EMUL_PRI;

	if (err)
		return err;
	if (vfs->width >= 0 && slot->width && slot->width->width != vfs->width)
		return otherwise(r, t, index, "width", &vfs->where, &slot->width->where);
	if (vfs->has_driver && slot->driver && !same_driver(vfs, slot->driver))
		return otherwise(r, t, index, "driver", &vfs->where, &slot->driver->where);
	slot->any = vfs;
	if (vfs->width >= 0)
		slot->width = vfs;
	if (vfs->has_driver)
		slot->driver = vfs;
	if (vfs->force)
		slot->force = vfs;
	if (!slot->driver || !wants_any(slot) || is_our_driver(slot->driver))
		return 0;
	return wrong(r, -EINVAL, &slot->driver->where,
		     "%s/vf%zu: driver: with it %s cannot be shown, as is described at " AT,
		     t->pf->name, index, emul_name(e), AT_ARGS(&slot->want[e]->want[e].where));
}

/* ---------------------------------------------------------------------------------------- devices -- */

/* Says where the device stands that something is wrong with. */
static int wrong_device(struct resolving *r, const struct vfcap_where *where, int err)
{
	char why[sizeof(r->h->error)];

	if (err != -ENOENT && err != -EINVAL)
		return err;
	memcpy(why, r->h->error, sizeof(why));
	r->h->error[0] = '\0';
	if (err == -ENOENT && r->tolerant)
		return 1;
	return wrong(r, err, where, "address: %.300s", why);
}

static int no_such_vf(struct resolving *r, const struct vfcap_target *t, unsigned long index,
		      const struct vfcap_spec_vfs *vfs)
{
	const struct vfcap_where *w = &vfs->where;
	int total = t->pf->totalvfs;

	if (total >= 0 && index >= (unsigned long)total)
		return wrong(r, -ERANGE, w, "address: %s: there cannot be a VF %lu: %s can have %d",
			     vfs->device, index, t->pf->name, total);
	if (t->count)
		return wrong(r, -EINVAL, w,
			     "address: %s: there is to be no VF %lu: %s is to have %u, "
			     "as is described at " AT,
			     vfs->device, index, t->pf->name, t->count->numvfs,
			     AT_ARGS(&t->count->where));
	if (r->tolerant)
		return 0;
	return wrong(r, -ENOENT, w,
		     "address: %s: no VF %lu: %s has %zu, and \"pfs\" does not say that "
		     "it is to have more",
		     vfs->device, index, t->pf->name, t->pf->n_vf);
}

static bool is_passed_over(const struct resolving *r, const struct vfcap_function *pf)
{
	return r->one && r->one != pf;
}

static int one_vf(struct resolving *r, struct vfcap_function *pf, unsigned long index,
		  const struct vfcap_spec_vfs *vfs)
{
	struct vfcap_target *t;
	int err;

	if (is_passed_over(r, pf))
		return 0;
	err = want_target(r, pf, &t);
	if (err || t->wrong)
		return err;
	err = index < t->n ? merge(r, t, index, vfs) : no_such_vf(r, t, index, vfs);
	return skip_pf(r, t, err);
}

static int all_vfs(struct resolving *r, struct vfcap_function *pf, const struct vfcap_spec_vfs *vfs)
{
	struct vfcap_target *t;
	int err;

	if (is_passed_over(r, pf))
		return 0;
	err = want_target(r, pf, &t);
	if (err || t->wrong)
		return err;
	if (!t->n && !t->count && !r->tolerant)
		err = no_such_vf(r, t, 0, vfs);
	for (size_t i = 0; i < t->n && !err; i++)
		err = merge(r, t, i, vfs);
	return skip_pf(r, t, err);
}

static int need_pf(struct resolving *r, const struct vfcap_function *fn, const char *device,
		   const struct vfcap_where *where)
{
	return fn->role == VFCAP_ROLE_PF ?
		       0 :
		       wrong(r, -EINVAL, where, "address: %s: %s is no PF", device, fn->name);
}

static int vf_range(struct resolving *r, const char *slash, const struct vfcap_spec_vfs *vfs)
{
	cleanup_free char *name = strndup(vfs->device, (size_t)(slash - vfs->device));
	unsigned long first, last;
	struct vfcap_function *pf;
	int err;

	if (!name)
		return -ENOMEM;
	if (!vfcap_device_range(slash + 3, &first, &last))
		return wrong(r, -EINVAL, &vfs->where, "address: %s: /vf3 or /vf0-7 belongs there",
			     vfs->device);
	err = wrong_device(r, &vfs->where, vfcap_device_one(r->h, name, &pf));
	if (err)
		return err > 0 ? 0 : err;
	err = need_pf(r, pf, vfs->device, &vfs->where);
	for (unsigned long i = first; i <= last && !err; i++)
		err = one_vf(r, pf, i, vfs);
	return err;
}

/* A VF that is not there: whose it will be, by the routing IDs that PFs give to theirs. */
static int future_vf(struct resolving *r, struct vfcap_address a, const struct vfcap_spec_vfs *vfs)
{
	unsigned int rid = (unsigned int)a.bus << 8 | a.devfn;

	for (size_t i = 0; i < r->n_pf; i++) {
		struct vfcap_function *pf = r->pf[i];
		unsigned int distance, index;
		struct vfcap_target *t;
		int err;

		if (pf->address.domain != a.domain)
			continue;
		err = want_target(r, pf, &t);
		if (err)
			return err;
		distance = (rid - ((unsigned int)pf->address.bus << 8 | pf->address.devfn) -
			    t->vf_offset) &
			   0xffff;
		if (!t->knows_vfs || !t->vf_stride || distance % t->vf_stride)
			continue;
		index = distance / t->vf_stride;
		if (pf->totalvfs >= 0 && index < (unsigned int)pf->totalvfs)
			return one_vf(r, pf, index, vfs);
	}
	if (r->tolerant)
		return 0;
	return wrong(r, -ENOENT, &vfs->where, "address: %s: no such function on %s", vfs->device,
		     vfcap_source((struct vfcap *)r->h));
}

static int one_function(struct resolving *r, struct vfcap_function *fn,
			const struct vfcap_spec_vfs *vfs)
{
	if (fn->role == VFCAP_ROLE_PF)
		return all_vfs(r, fn, vfs);
	if (fn->role == VFCAP_ROLE_VF && fn->pf && fn->vf_index >= 0)
		return one_vf(r, fn->pf, (unsigned long)fn->vf_index, vfs);
	return wrong(r, -EINVAL, &vfs->where, "address: %s: %s", vfs->device,
		     fn->role == VFCAP_ROLE_VF ? "a VF whose PF is not known" :
						 "neither a PF nor a VF");
}

static int plain_device(struct resolving *r, const struct vfcap_spec_vfs *vfs)
{
	struct vfcap_function *fn;
	struct vfcap_address a;
	int err;

	if (vfcap_device_address(vfs->device, &a)) {
		fn = vfcap_host_find(r->h, a);
		return fn ? one_function(r, fn, vfs) : future_vf(r, a, vfs);
	}
	err = wrong_device(r, &vfs->where, vfcap_device_one(r->h, vfs->device, &fn));
	if (err)
		return err > 0 ? 0 : err;
	return one_function(r, fn, vfs);
}

static bool fits(const char *const glob[2], const char *name)
{
	return fnmatch(glob[0], name, 0) == 0 || fnmatch(glob[1], name, 0) == 0;
}

/* As it is written, and with the domain before it. glob[1] is the caller's. */
static int globs_of(const char *device, char **with_domain, const char *glob[2])
{
	glob[0] = strncmp(device, "pci/", 4) ? device : device + 4;
	if (asprintf(with_domain, "0000:%s", glob[0]) < 0)
		return -ENOMEM;
	glob[1] = *with_domain;
	return 0;
}

/* Those VFs of a PF that fit, or all; whether there are any. */
static int globbed_vfs(struct resolving *r, struct vfcap_target *t, const char *const glob[2],
		       const struct vfcap_spec_vfs *vfs, bool *any)
{
	bool whole = fits(glob, t->pf->name);
	char name[VFCAP_ADDRESS_LEN];
	int err = 0;

	*any |= t->wrong;
	for (size_t v = 0; !err && !t->wrong && v < t->n; v++) {
		if (!whole)
			vfcap_target_name(t, v, name);
		if (!whole && !fits(glob, name))
			continue;
		*any = true;
		err = skip_pf(r, t, merge(r, t, v, vfs));
	}
	return err;
}

/* PFs that fit, with all their VFs, and VFs that fit, also those to be. */
static int globbed(struct resolving *r, const struct vfcap_spec_vfs *vfs)
{
	cleanup_free char *with_domain = NULL;
	struct vfcap_target *t;
	bool any = r->tolerant;
	const char *glob[2];
	int err = globs_of(vfs->device, &with_domain, glob);

	for (size_t i = 0; i < r->n_pf && !err; i++) {
		if (is_passed_over(r, r->pf[i]))
			continue;
		err = want_target(r, r->pf[i], &t);
		if (!err)
			err = globbed_vfs(r, t, glob, vfs, &any);
	}
	return err || any ? err :
			    wrong(r, -ENOENT, &vfs->where, "address: %s: no such VF on %s",
				  vfs->device, vfcap_source((struct vfcap *)r->h));
}

static int resolve_vfs(struct resolving *r, const struct vfcap_spec_vfs *vfs)
{
	const char *slash = strrchr(vfs->device, '/');

	if (slash && strncmp(slash, "/vf", 3) == 0)
		return vf_range(r, slash, vfs);
	return vfcap_device_is_glob(vfs->device) ? globbed(r, vfs) : plain_device(r, vfs);
}

/* ------------------------------------------------------------------------------------------ count -- */

/* A number that was described before, of a PF that was found. */
static int same_count(struct resolving *r, struct vfcap_target *t,
		      const struct vfcap_spec_pf *count)
{
	if (t->wrong || t->count->numvfs == count->numvfs)
		return 0;
	return skip_pf(r, t,
		       wrong(r, -EINVAL, &count->where, "%s: %u VFs, but %u at " AT, t->pf->name,
			     count->numvfs, t->count->numvfs, AT_ARGS(&t->count->where)));
}

static int set_count(struct resolving *r, struct vfcap_function *pf,
		     const struct vfcap_spec_pf *count)
{
	struct vfcap_target *t = target_of(r, pf);
	int err;

	if (is_passed_over(r, pf))
		return 0;
	if (t)
		return same_count(r, t, count);
	err = add_target(r, pf);
	if (err)
		return err;
	t = target_of(r, pf);
	t->count = count;
	if (pf->totalvfs >= 0 && count->numvfs > pf->totalvfs)
		return skip_pf(r, t,
			       wrong(r, -ERANGE, &count->where,
				     "%s: numvfs: %u are more than it can have: %d", pf->name,
				     count->numvfs, pf->totalvfs));
	t->n = count->numvfs;
	t->slot = calloc(t->n ? t->n : 1, sizeof(*t->slot));
	return t->slot ? 0 : -ENOMEM;
}

static int glob_count(struct resolving *r, const struct vfcap_spec_pf *count)
{
	cleanup_free char *with_domain = NULL;
	bool any = r->tolerant;
	const char *glob[2];
	int err = globs_of(count->device, &with_domain, glob);

	for (size_t i = 0; i < r->n_pf && !err; i++) {
		if (!fits(glob, r->pf[i]->name))
			continue;
		any = true;
		err = set_count(r, r->pf[i], count);
	}
	return err || any ? err :
			    wrong(r, -ENOENT, &count->where, "address: %s: no such PF on %s",
				  count->device, vfcap_source((struct vfcap *)r->h));
}

static int resolve_count(struct resolving *r, const struct vfcap_spec_pf *count)
{
	struct vfcap_function *pf;
	int err;

	if (vfcap_device_is_glob(count->device))
		return glob_count(r, count);
	err = wrong_device(r, &count->where, vfcap_device_one(r->h, count->device, &pf));
	if (err)
		return err > 0 ? 0 : err;
	err = need_pf(r, pf, count->device, &count->where);
	return err ? err : set_count(r, pf, count);
}

/* ------------------------------------------------------------------------------------------- only -- */

static bool keep_vf(struct vfcap_target *t, const struct vfcap_function *vf)
{
	bool any = false;

	t->count = NULL;
	for (size_t i = 0; i < t->n; i++) {
		if ((int)i != vf->vf_index)
			t->slot[i].any = NULL;
		any |= t->slot[i].any != NULL;
	}
	return any;
}

/* Is there something of what is to be dealt with in it? The rest of it is forgotten. */
static bool concerns(struct vfcap_target *t, const struct vfcap_function *only)
{
	if (!only)
		return true;
	if (only->role == VFCAP_ROLE_PF)
		return t->pf == only;
	return only->pf == t->pf && keep_vf(t, only);
}

static bool is_empty(const struct vfcap_target *t)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->slot[i].any)
			return false;
	return !t->count;
}

static void keep_only(struct vfcap_targets *targets, const struct vfcap_function *only)
{
	size_t n = 0;

	for (size_t i = 0; i < targets->n; i++) {
		struct vfcap_target *t = &targets->target[i];

		if (!t->wrong && concerns(t, only) && !is_empty(t))
			targets->target[n++] = targets->target[i];
		else
			free(targets->target[i].slot);
	}
	targets->n = n;
}

static int find_only(struct vfcap_host *h, const char *only, struct vfcap_function **fn)
{
	char name[VFCAP_ADDRESS_LEN];
	struct vfcap_address a;

	*fn = NULL;
	if (!only)
		return 0;
	if (!vfcap_address_parse(only, &a) || strcmp(vfcap_address_format(a, name), only))
		return vfcap_host_fail(h, -EINVAL, "%s: no address as the kernel writes it", only);
	*fn = vfcap_host_find(h, a);
	if (!*fn)
		return vfcap_host_fail(h, -ENOENT, "%s: no such function on %s", only,
				       vfcap_source((struct vfcap *)h));
	return (*fn)->role != VFCAP_ROLE_FUNCTION ?
		       0 :
		       vfcap_host_fail(h, -ENOENT, "%s: neither a PF nor a VF", only);
}

/* -------------------------------------------------------------------------------------------- all -- */

static int by_address(const void *a, const void *b)
{
	const struct vfcap_target *x = a, *y = b;

	return vfcap_address_compare(x->pf->address, y->pf->address);
}

static int find_pfs(struct resolving *r)
{
	r->number = calloc(r->h->n + 1, sizeof(*r->number));
	r->pf = calloc(r->h->n + 1, sizeof(*r->pf));
	if (!r->number || !r->pf)
		return -ENOMEM;
	for (size_t i = 0; i < r->h->n; i++)
		if (r->h->fn[i]->role == VFCAP_ROLE_PF)
			r->pf[r->n_pf++] = r->h->fn[i];
	return 0;
}

int vfcap_resolve(struct vfcap_host *h, const struct vfcap_spec *spec, const char *only,
		  bool partial, struct vfcap_targets *targets)
{
	struct resolving r = { .h = h, .targets = targets, .tolerant = only, .partial = partial };
	struct vfcap_function *fn;
	int err = find_only(h, only, &fn);

	*targets = (struct vfcap_targets){ 0 };
	if (fn)
		r.one = fn->role == VFCAP_ROLE_VF ? fn->pf : fn;
	if (!err)
		err = find_pfs(&r);
	for (size_t i = 0; i < spec->n_pf && !err; i++)
		err = skip(&r, NULL, resolve_count(&r, &spec->pf[i]));
	for (size_t i = 0; i < spec->n_vfs && !err; i++)
		err = skip(&r, NULL, resolve_vfs(&r, &spec->vfs[i]));
	free(r.number);
	free(r.pf);
	if (err) {
		vfcap_targets_free(targets);
		return vfcap_host_fail(h, err, "%s", strerror(-err));
	}
	keep_only(targets, fn);
	if (targets->n)
		qsort(targets->target, targets->n, sizeof(*targets->target), by_address);
	return 0;
}

/* ---------------------------------------------------------------------------------------- options -- */

static void wish_one(const struct vfcap_want *want, unsigned int e,
		     struct vfcap_change_options *opt)
{
	bool found = want->rule == VFCAP_RULE_PF_OFFSET || want->rule == VFCAP_RULE_AFTER_LAST ||
		     want->rule == VFCAP_RULE_FREE_GAP;

	opt->wish.want[e] = true;
	opt->wish.explicit_at[e] = want->at;
	opt->wish.at[e] = want->offset;
	if (want->at)
		opt->agree[e] = found ? want->rule : VFCAP_RULE_AUTO;
	else
		opt->wish.own_rule[e] = want->rule;
}

void vfcap_slot_options(const struct vfcap_slot *slot, struct vfcap_change_options *opt)
{
	for (unsigned int e = 0; e < VFCAP_EMULS; e++)
		if (slot->want[e])
			wish_one(&slot->want[e]->want[e], e, opt);
	if (slot->width)
		opt->wish.width = (uint8_t)slot->width->width;
	opt->wish.force |= slot->force != NULL;
	if (wants_any(slot))
		return;
	opt->no_verify = true;
	opt->assign = slot->driver && !is_our_driver(slot->driver);
	opt->driver = opt->assign ? slot->driver->driver : NULL;
	opt->disable = !slot->driver;
}
