// SPDX-License-Identifier: GPL-2.0-or-later
/* From what is described to the text of it, which can be read again. */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "spec.h"

/* Takes the value over. What is lost for want of memory makes the whole useless. */
static void put(json_t *object, const char *key, json_t *value, bool *lost)
{
	*lost |= json_object_set_new(object, key, value) != 0;
}

static bool same_driver(const struct vfcap_spec_vfs *a, const struct vfcap_spec_vfs *b)
{
	if (a->has_driver != b->has_driver || !a->driver != !b->driver)
		return false;
	return !a->driver || strcmp(a->driver, b->driver) == 0;
}

static bool alike(const struct vfcap_spec_vfs *a, const struct vfcap_spec_vfs *b)
{
	bool same = a->device && b->device && a->width == b->width && a->force == b->force &&
		    same_driver(a, b);

	for (unsigned int e = 0; e < VFCAP_EMULS && same; e++)
		same = vfcap_want_same(&a->want[e], &b->want[e]) &&
		       a->want[e].rule == b->want[e].rule;
	return same;
}

static json_t *placements(const struct vfcap_spec_vfs *vfs, bool *lost)
{
	json_t *array = json_array();

	for (unsigned int e = 0; e < VFCAP_EMULS; e++) {
		const struct vfcap_want *want = &vfs->want[e];
		json_t *object;

		if (!want->there)
			continue;
		object = json_pack("{s:s}", "name", vfcap_capinfo(vfcap_emul_id(e))->name);
		if (want->at)
			put(object, "offset", json_integer(want->offset), lost);
		if (!want->at || want->rule != VFCAP_RULE_AUTO)
			put(object, "rule", json_string(vfcap_rule_name(want->rule)), lost);
		*lost |= json_array_append_new(array, object) != 0;
	}
	return array;
}

static json_t *entry(const char *pf, size_t first, size_t last, const struct vfcap_spec_vfs *vfs,
		     bool *lost)
{
	json_t *object = json_object();

	if (first == last)
		put(object, "address", json_sprintf("%s/vf%zu", pf, first), lost);
	else
		put(object, "address", json_sprintf("%s/vf%zu-%zu", pf, first, last), lost);
	put(object, "placements", placements(vfs, lost), lost);
	if (vfs->width >= 0)
		put(object, "width", json_integer(vfs->width), lost);
	if (vfs->force)
		put(object, "force", json_true(), lost);
	if (vfs->has_driver)
		put(object, "driver", vfs->driver ? json_string(vfs->driver) : json_null(), lost);
	return object;
}

/* Not by json_dumps(), which leaves keys out that it has no memory for. */
static char *dump(const json_t *root)
{
	size_t size = json_dumpb(root, NULL, 0, JSON_INDENT(1));
	char *text = size ? malloc(size + 2) : NULL;

	if (!text)
		return NULL;
	if (json_dumpb(root, text, size, JSON_INDENT(1)) != size) {
		free(text);
		return NULL;
	}
	text[size] = '\n';
	text[size + 1] = '\0';
	return text;
}

char *vfcap_spec_write(const char *pf, int numvfs, const struct vfcap_spec_vfs *vfs, size_t n)
{
	json_t *root = json_pack("{s:i}", "vfcap", 1), *plan = json_array();
	bool lost = false;
	char *text;

	for (size_t i = 0, last; i < n; i = last + 1) {
		for (last = i; last + 1 < n && alike(&vfs[i], &vfs[last + 1]);)
			last++;
		if (vfs[i].device)
			lost |= json_array_append_new(plan, entry(pf, i, last, &vfs[i], &lost)) !=
				0;
	}
	if (numvfs >= 0)
		put(root, "pfs", json_pack("[{s:s,s:i}]", "address", pf, "numvfs", numvfs), &lost);
	put(root, "plan", plan, &lost);
	text = lost ? NULL : dump(root);
	json_decref(root);
	return text;
}
