// SPDX-License-Identifier: GPL-2.0-or-later
/* VFs with the same answer: 256 of them are not 256 answers. */
#include <errno.h>
#include <stdlib.h>

#include "cmd.h"

static struct vfcap_group *find(const struct vfcap_groups *groups, const struct vfcap_out *body)
{
	size_t i;

	for (i = 0; i < groups->n; i++)
		if (groups->group[i].body.n == body->n &&
		    memcmp(groups->group[i].body.buf, body->buf, body->n) == 0)
			return &groups->group[i];
	return NULL;
}

static struct vfcap_group *add(struct vfcap_groups *groups, struct vfcap_out *body)
{
	struct vfcap_group *more = realloc(groups->group, (groups->n + 1) * sizeof(*more));

	if (!more)
		return NULL;
	groups->group = more;
	more += groups->n++;
	*more = (struct vfcap_group){ .body = *body };
	*body = (struct vfcap_out){ 0 };
	return more;
}

/* Room is doubled whenever n is a power of two. */
static bool add_vf(struct vfcap_group *group, struct vfcap_function *vf)
{
	struct vfcap_function **more = group->vf;

	if (!(group->n & (group->n - 1)))
		more = realloc(group->vf, (group->n ? 2 * group->n : 1) * sizeof(*more));
	if (!more)
		return false;
	more[group->n++] = vf;
	group->vf = more;
	return true;
}

struct vfcap_group *vfcap_groups_add(struct vfcap_groups *groups, struct vfcap_out *body,
				     struct vfcap_function *vf)
{
	struct vfcap_group *group = body->error ? NULL : find(groups, body);

	if (!group && !body->error)
		group = add(groups, body);
	vfcap_out_free(body);
	if (!group || add_vf(group, vf))
		return group;
	if (!group->n) /* there are no groups without a VF */
		vfcap_out_free(&groups->group[--groups->n].body);
	return NULL;
}

void vfcap_groups_print(struct vfcap_groups *groups, struct vfcap_out *out)
{
	size_t i;

	for (i = 0; i < groups->n; i++) {
		if (groups->printed++)
			vfcap_out_char(out, '\n');
		vfcap_out_vfs(out, groups->group[i].vf, groups->group[i].n);
		vfcap_out_bytes(out, groups->group[i].body.buf, groups->group[i].body.n);
	}
}

void vfcap_groups_clear(struct vfcap_groups *groups)
{
	size_t i;

	for (i = 0; i < groups->n; i++) {
		vfcap_out_free(&groups->group[i].body);
		free(groups->group[i].vf);
	}
	free(groups->group);
	groups->group = NULL;
	groups->n = 0;
}
