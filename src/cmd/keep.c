// SPDX-License-Identifier: GPL-2.0-or-later
/* enable --persist and disable --persist: what is done is kept in /etc/vfcap.d, for vfcap apply. */
#include <errno.h>
#include <stdlib.h>

#include "cmd.h"

static int failed(struct vfcap_cli *cli, int err)
{
	vfcap_cli_error(cli, "%s",
			vfcap_error(cli->ctx)[0] ? vfcap_error(cli->ctx) : strerror(-err));
	return err == -EPERM ? VFCAP_EXIT_NO : VFCAP_EXIT_FAILED;
}

int vfcap_kept_describe(const struct vfcap_kept *kept, size_t i,
			struct vfcap_description *description, char error[VFCAP_SPEC_ERROR])
{
	const char *name, *why;
	size_t len;
	const char *text = vfcap_kept_text(kept, i, &name, &len);
	int err = vfcap_kept_error(kept, i, &why);

	if (err) {
		snprintf(error, VFCAP_SPEC_ERROR, "%s", why);
		return err == -EPERM ? VFCAP_EXIT_NO : VFCAP_EXIT_FAILED;
	}
	err = vfcap_spec_read(description, name, text, len, error);
	if (!err)
		return VFCAP_EXIT_DONE;
	return err == -EINVAL ? VFCAP_EXIT_USAGE : VFCAP_EXIT_FAILED;
}

/* All of them, the PF's own apart. */
static int read_kept(struct vfcap_cli *cli, const struct vfcap_kept *kept, struct vfcap_keep *keep)
{
	char own[64], error[VFCAP_SPEC_ERROR];
	int status = VFCAP_EXIT_DONE;
	const char *name;
	size_t i, len;

	vfcap_kept_name(keep->pf, own);
	for (i = 0; !status && vfcap_kept_text(kept, i, &name, &len); i++)
		status = vfcap_kept_describe(kept, i,
					     strcmp(name, own) ? &keep->others : &keep->own, error);
	if (status)
		vfcap_cli_error(cli, "%s", error);
	return status;
}

static size_t index_of(const struct vfcap_function *vf)
{
	int index = vfcap_function_vf_index(vf);

	return index < 0 ? 0 : (size_t)index;
}

/* What another file describes is changed there. */
static int check_others(struct vfcap_cli *cli, struct vfcap_keep *keep,
			struct vfcap_function *const *vf, size_t n)
{
	struct vfcap_spec_vfs *theirs;
	int status = VFCAP_EXIT_DONE, err;
	size_t i, n_theirs;

	err = vfcap_spec_of(keep->pf, &keep->others.spec, &keep->others_numvfs, &theirs, &n_theirs);
	if (err)
		return failed(cli, err);
	for (i = 0; i < n && !status; i++) {
		size_t index = index_of(vf[i]);

		if (index >= n_theirs || !theirs[index].device)
			continue;
		vfcap_cli_error(cli, "%s: %s:%u: describes it, too: --persist cannot change that",
				vfcap_function_name(vf[i]), theirs[index].where.file,
				theirs[index].where.line);
		status = VFCAP_EXIT_NO;
	}
	free(theirs);
	return status;
}

/* Room for all of them. */
static int grow(struct vfcap_keep *keep, struct vfcap_function *const *vf, size_t n)
{
	struct vfcap_spec_vfs *more;
	size_t i, most = keep->n;

	for (i = 0; i < n; i++)
		if (index_of(vf[i]) >= most)
			most = index_of(vf[i]) + 1;
	more = realloc(keep->vfs, (most + 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	memset(more + keep->n, 0, (most + 1 - keep->n) * sizeof(*more));
	keep->vfs = more;
	keep->n = most;
	return 0;
}

int vfcap_keep_open(struct vfcap_cli *cli, struct vfcap_function *const *vf, size_t n,
		    struct vfcap_keep *keep)
{
	struct vfcap_kept *kept;
	char who[320];
	int status, err;

	*keep = (struct vfcap_keep){ .pf = vfcap_function_pf(vf[0]) };
	if (!keep->pf)
		return VFCAP_EXIT_DONE;
	err = vfcap_kept_try(keep->pf);
	if (!err)
		err = vfcap_kept_read(cli->ctx, &kept);
	if (err)
		return failed(cli, err);
	status = read_kept(cli, kept, keep);
	vfcap_kept_free(kept);
	if (!status)
		status = check_others(cli, keep, vf, n);
	if (status)
		return status;
	err = vfcap_spec_of(keep->pf, &keep->own.spec, &keep->numvfs, &keep->vfs, &keep->n);
	if (!err)
		err = grow(keep, vf, n);
	keep->owned = !err && vfcap_function_owner(keep->pf, who, sizeof(who)) == 1;
	return err ? failed(cli, err) : VFCAP_EXIT_DONE;
}

static void take_over(struct vfcap_keep *keep, const struct vfcap_outcome *o, int width)
{
	struct vfcap_spec_vfs *vfs = &keep->vfs[index_of(o->vf)];
	int kept_width = width >= 0 ? width : vfs->device ? vfs->width : 0;
	bool force = width >= 0 ? o->forced : vfs->force, any = false;
	unsigned int e;

	for (e = 0; e < VFCAP_EMULS; e++)
		any |= o->offset[e];
	*vfs = (struct vfcap_spec_vfs){ .device = any ? "" : NULL,
					.width = kept_width,
					.force = any && force };
	for (e = 0; e < VFCAP_EMULS; e++)
		if (o->offset[e])
			vfs->want[e] = (struct vfcap_want){ .there = true,
							    .at = true,
							    .offset = o->offset[e] };
}

/* As many VFs as are described already, or as there are now; not where somebody else says it. */
static int settle_numvfs(struct vfcap_keep *keep)
{
	size_t highest = 0, i, now = vfcap_vf_count(keep->pf);

	for (i = 0; i < keep->n; i++)
		if (keep->vfs[i].device)
			highest = i + 1;
	keep->n = highest;
	if (keep->owned || keep->others_numvfs >= 0)
		return -1;
	return keep->numvfs >= (int)highest ? keep->numvfs : (int)now;
}

int vfcap_keep_save(struct vfcap_cli *cli, struct vfcap_keep *keep,
		    const struct vfcap_change *change, int width)
{
	const struct vfcap_outcome *o;
	char *text = NULL;
	int numvfs, err;
	size_t i;

	for (i = 0; (o = vfcap_change_outcome(change, i)); i++)
		take_over(keep, o, width);
	numvfs = settle_numvfs(keep);
	if (keep->n) {
		text = vfcap_spec_write(vfcap_function_name(keep->pf), numvfs, keep->vfs, keep->n);
		if (!text) {
			vfcap_cli_error(cli, "%s", strerror(ENOMEM));
			return VFCAP_EXIT_FAILED;
		}
	}
	err = vfcap_kept_write(keep->pf, text);
	free(text);
	if (!err)
		return VFCAP_EXIT_DONE;
	vfcap_cli_error(cli, "%s: it is done, but not kept: %s", vfcap_function_name(keep->pf),
			vfcap_error(cli->ctx));
	return VFCAP_EXIT_FAILED;
}

void vfcap_keep_close(struct vfcap_keep *keep)
{
	free(keep->vfs);
	vfcap_spec_free(&keep->own);
	vfcap_spec_free(&keep->others);
	*keep = (struct vfcap_keep){ 0 };
}
