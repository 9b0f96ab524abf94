// SPDX-License-Identifier: GPL-2.0-or-later
/* Paths, part by part. */
#include "walk.h"

#include <errno.h>
#include <string.h>

#define LINKS_MOST 40 /* as the kernel */

int vfcap_walk_begin(struct vfcap_walk *walk, const char *path, bool nofollow)
{
	walk->nofollow = nofollow;
	walk->links = 0;
	walk->next = path;
	if (!*path)
		return -ENOENT;
	return strnlen(path, sizeof(walk->todo)) == sizeof(walk->todo) ? -ENAMETOOLONG : 0;
}

enum vfcap_part vfcap_walk_next(struct vfcap_walk *walk, const char **name, size_t *len)
{
	if (!*walk->next)
		return VFCAP_PART_END;
	*name = walk->next + strspn(walk->next, "/");
	*len = strcspn(*name, "/");
	walk->next = *name + *len;
	if (!*len || (*len == 1 && memcmp(*name, ".", 1) == 0))
		return VFCAP_PART_HERE;
	return *len == 2 && memcmp(*name, "..", 2) == 0 ? VFCAP_PART_UP : VFCAP_PART_NAME;
}

bool vfcap_walk_follows(const struct vfcap_walk *walk)
{
	return *walk->next || !walk->nofollow;
}

int vfcap_walk_link(struct vfcap_walk *walk, const char *text, size_t len)
{
	size_t rest = strlen(walk->next);

	if (++walk->links > LINKS_MOST)
		return -ELOOP;
	if (len + rest + 1 > sizeof(walk->todo))
		return -ENAMETOOLONG;
	memmove(walk->todo + len, walk->next, rest + 1);
	memcpy(walk->todo, text, len);
	walk->next = walk->todo;
	return 0;
}
