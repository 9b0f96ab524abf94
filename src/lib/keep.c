// SPDX-License-Identifier: GPL-2.0-or-later
/* What is kept over reboots, and what it says of a PF. */
#include <errno.h>
#include <stdlib.h>

#include "../host/change.h"
#include "resolve.h"

struct vfcap_kept {
	struct vfcap_stored *file;
	size_t n;
};

int vfcap_kept_read(struct vfcap *ctx, struct vfcap_kept **out)
{
	struct vfcap_kept *kept = calloc(1, sizeof(*kept));
	int err;

	ctx->host.error[0] = '\0';
	*out = NULL;
	if (!kept)
		return vfcap_host_fail(&ctx->host, -ENOMEM, "%s", strerror(ENOMEM));
	err = vfcap_stored_read(&ctx->host, &kept->file, &kept->n);
	if (err)
		free(kept);
	else
		*out = kept;
	return err;
}

const char *vfcap_kept_text(const struct vfcap_kept *kept, size_t i, const char **name, size_t *len)
{
	if (i >= kept->n)
		return NULL;
	*name = kept->file[i].name;
	*len = kept->file[i].len;
	return kept->file[i].error ? "" : kept->file[i].text;
}

int vfcap_kept_error(const struct vfcap_kept *kept, size_t i, const char **error)
{
	*error = kept->file[i].error;
	return kept->file[i].err;
}

void vfcap_kept_free(struct vfcap_kept *kept)
{
	if (!kept)
		return;
	vfcap_stored_free(kept->file, kept->n);
	free(kept);
}

char *vfcap_kept_name(const struct vfcap_function *pf, char buf[64])
{
	snprintf(buf, 64, "/etc/vfcap.d/%s.json", pf->name);
	return buf;
}

static int can_change(struct vfcap_function *pf)
{
	pf->host->error[0] = '\0';
	return vfcap_host_has_kernel(pf->host) ?
		       0 :
		       vfcap_host_fail(pf->host, -EROFS, "%s: there is no kernel behind it",
				       vfcap_source(vfcap_of(pf)));
}

int vfcap_kept_try(struct vfcap_function *pf)
{
	int err = can_change(pf);

	return err ? err : vfcap_stored_try(pf);
}

int vfcap_kept_write(struct vfcap_function *pf, const char *text)
{
	int err = can_change(pf);

	return err ? err : vfcap_stored_write(pf, text);
}

int vfcap_function_owner(struct vfcap_function *pf, char *owner, size_t size)
{
	pf->host->error[0] = '\0';
	return vfcap_owner_find(pf, owner, size);
}

/* What several entries say of a VF, as one. */
static struct vfcap_spec_vfs of_slot(const struct vfcap_slot *slot)
{
	struct vfcap_spec_vfs vfs = { .width = slot->width ? slot->width->width : -1 };

	if (!slot->any)
		return vfs;
	vfs.device = slot->any->device;
	vfs.where = slot->any->where;
	for (unsigned int e = 0; e < VFCAP_EMULS; e++)
		if (slot->want[e])
			vfs.want[e] = slot->want[e]->want[e];
	vfs.has_driver = slot->driver;
	vfs.driver = slot->driver ? slot->driver->driver : NULL;
	vfs.force = slot->force;
	return vfs;
}

int vfcap_spec_of(struct vfcap_function *pf, const struct vfcap_spec *spec, int *numvfs,
		  struct vfcap_spec_vfs **vfs, size_t *n)
{
	struct vfcap_targets targets;
	int err;

	pf->host->error[0] = '\0';
	*numvfs = -1;
	*vfs = NULL;
	*n = 0;
	err = vfcap_resolve(pf->host, spec, pf->name, false, &targets);
	if (err || !targets.n) {
		if (!err)
			vfcap_targets_free(&targets);
		return err;
	}
	*vfs = calloc(targets.target->n ? targets.target->n : 1, sizeof(**vfs));
	if (*vfs) {
		if (targets.target->count)
			*numvfs = targets.target->count->numvfs;
		*n = targets.target->n;
		for (size_t i = 0; i < *n; i++)
			(*vfs)[i] = of_slot(&targets.target->slot[i]);
	}
	vfcap_targets_free(&targets);
	return *vfs ? 0 : vfcap_host_fail(pf->host, -ENOMEM, "%s", strerror(ENOMEM));
}
