// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * From the text of a description to what it describes. jansson tells what stands there, the cursor
 * where: keys come in the same order from both, as none is there twice.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "cursor.h"
#include "spec.h"

#define DRIVER_ROOM 64

struct reading {
	struct vfcap_description *d;
	const char *file;
	char *error; /* of VFCAP_SPEC_ERROR */
	char key[160]; /* where it is at: "plan[3].placements[0].offset" */
	struct vfcap_cursor at; /* the value that is being looked at */
};

/* A key of an object: what takes it over, NULL: nobody, it is only known. */
struct key {
	const char *name;
	int (*read)(struct reading *r, const json_t *value, void *into);
	bool needed;
};

/* --------------------------------------------------------------------------------------- errors -- */

static __attribute__((format(printf, 2, 3))) int wrong(struct reading *r, const char *fmt, ...)
{
	char why[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	snprintf(r->error, VFCAP_SPEC_ERROR, "%.150s:%u:%u: %s%s%s", r->file, r->at.line,
		 r->at.column, r->key, r->key[0] ? ": " : "", why);
	return -EINVAL;
}

static int no_memory(struct reading *r)
{
	wrong(r, "%s", strerror(ENOMEM));
	return -ENOMEM;
}

static struct vfcap_where where(const struct reading *r)
{
	return (struct vfcap_where){ r->file, r->at.line, r->at.column };
}

/* ---------------------------------------------------------------------------------------- values -- */

/* Keeps a string as long as the description. NULL: out of memory. */
static const char *keep(struct vfcap_description *d, const char *s)
{
	char **more = d->string;

	/* Room is doubled whenever there are as many as a power of two. */
	if (!(d->n_strings & (d->n_strings - 1)))
		more = realloc(d->string, (d->n_strings ? 2 * d->n_strings : 1) * sizeof(*more));
	if (!more)
		return NULL;
	d->string = more;
	more[d->n_strings] = strdup(s);
	return more[d->n_strings] ? more[d->n_strings++] : NULL;
}

static int read_string(struct reading *r, const json_t *value, const char **into)
{
	if (!json_is_string(value) || !*json_string_value(value))
		return wrong(r, "a string belongs here");
	*into = keep(r->d, json_string_value(value));
	return *into ? 0 : no_memory(r);
}

static int read_number(struct reading *r, const json_t *value, json_int_t least, json_int_t most,
		       json_int_t *into)
{
	if (!json_is_integer(value) || json_integer_value(value) < least ||
	    json_integer_value(value) > most)
		return wrong(r, "a number from %lld to %lld belongs here", (long long)least,
			     (long long)most);
	*into = json_integer_value(value);
	return 0;
}

/* ----------------------------------------------------------------------------- objects and arrays -- */

static const struct key *find_key(const struct key *keys, const char *name)
{
	for (; keys->name; keys++)
		if (strcmp(keys->name, name) == 0)
			return keys;
	return NULL;
}

static int unknown_key(struct reading *r, const struct key *keys)
{
	char names[160] = "";

	for (; keys->name; keys++)
		if (keys->read)
			snprintf(names + strlen(names), sizeof(names) - strlen(names), "%s%s",
				 *names ? ", " : "", keys->name);
	return wrong(r, "no such key; there are %s", names);
}

static int missing_key(struct reading *r, const json_t *object, const struct key *keys)
{
	for (; keys->name; keys++)
		if (keys->needed && !json_object_get(object, keys->name))
			return wrong(r, "it lacks \"%s\"", keys->name);
	return 0;
}

/* Each key to what takes it over. Where the object is at stays as it was. */
static int read_object(struct reading *r, const json_t *object, const struct key *keys, void *into)
{
	const struct vfcap_cursor begin = r->at;
	struct vfcap_cursor c = begin;
	size_t len = strlen(r->key);
	const char *name;
	json_t *value;

	if (!json_is_object(object))
		return wrong(r, "an object belongs here");
	vfcap_cursor_enter(&c);
	json_object_foreach((json_t *)object, name, value)
	{
		const struct key *key = find_key(keys, name);
		int err;

		snprintf(r->key + len, sizeof(r->key) - len, "%s%s", len ? "." : "", name);
		r->at = c;
		if (!key)
			return unknown_key(r, keys);
		vfcap_cursor_key(&c);
		r->at = c;
		err = key->read ? key->read(r, value, into) : 0;
		if (err)
			return err;
		vfcap_cursor_value(&c);
		vfcap_cursor_next(&c);
	}
	r->key[len] = '\0';
	r->at = begin;
	return missing_key(r, object, keys);
}

static int read_array(struct reading *r, const json_t *array,
		      int (*read)(struct reading *r, const json_t *value, void *into), void *into)
{
	struct vfcap_cursor c = r->at;
	size_t i, len = strlen(r->key);
	json_t *value;

	if (!json_is_array(array))
		return wrong(r, "an array belongs here");
	vfcap_cursor_enter(&c);
	json_array_foreach((json_t *)array, i, value)
	{
		int err;

		snprintf(r->key + len, sizeof(r->key) - len, "[%zu]", i);
		r->at = c;
		err = read(r, value, into);
		if (err)
			return err;
		vfcap_cursor_value(&c);
		vfcap_cursor_next(&c);
	}
	r->key[len] = '\0';
	return 0;
}

/* ------------------------------------------------------------------------------------ placements -- */

struct placement {
	unsigned int emul; /* VFCAP_EMULS: not known yet */
	int rule; /* -1: none */
	json_int_t offset, width; /* -1: none */
	struct vfcap_cursor rule_at, offset_at, width_at;
};

static const char *emul_name(unsigned int e)
{
	return vfcap_capinfo(vfcap_emul_id(e))->name;
}

static int read_name(struct reading *r, const json_t *value, void *into)
{
	struct placement *p = into;
	const char *name = json_is_string(value) ? json_string_value(value) : "";

	for (unsigned int e = 0; e < VFCAP_EMULS; e++)
		if (strcmp(name, emul_name(e)) == 0) {
			p->emul = e;
			return 0;
		}
	return wrong(r, "\"PASID\" or \"PRI\" belongs here");
}

static int read_rule(struct reading *r, const json_t *value, void *into)
{
	struct placement *p = into;
	const char *name = json_is_string(value) ? json_string_value(value) : "";

	p->rule_at = r->at;
	for (p->rule = 0; p->rule < VFCAP_RULES; p->rule++)
		if (strcmp(name, vfcap_rule_name((enum vfcap_rule)p->rule)) == 0)
			return 0;
	return wrong(r, "one of auto, pf-offset, after-last, free-gap belongs here");
}

static int read_offset(struct reading *r, const json_t *value, void *into)
{
	struct placement *p = into;

	p->offset_at = r->at;
	if (!json_is_integer(value) || json_integer_value(value) < VFCAP_EXT_BASE ||
	    json_integer_value(value) >= VFCAP_CFG_SIZE || json_integer_value(value) % 4)
		return wrong(r,
			     "an offset belongs here: a number from 256 (0x100) to 4092 (0xffc), "
			     "a multiple of 4");
	p->offset = json_integer_value(value);
	return 0;
}

static int read_placement_width(struct reading *r, const json_t *value, void *into)
{
	struct placement *p = into;

	p->width_at = r->at;
	return read_number(r, value, 0, VFCAP_PASID_WIDTH_MOST, &p->width);
}

/* What a rule and an offset say together. */
static int check_rule(struct reading *r, const struct placement *p)
{
	r->at = p->rule_at;
	if (p->offset < 0 && (p->rule == VFCAP_RULE_EXPLICIT || p->rule == VFCAP_RULE_HEAD))
		return wrong(r, "the rule \"%s\" goes with an \"offset\", which is not there",
			     vfcap_rule_name((enum vfcap_rule)p->rule));
	if (p->offset >= 0 && p->rule == VFCAP_RULE_AUTO)
		return wrong(
			r,
			"the rule \"auto\" and the offset %lld (line %u, column %u): one of them",
			(long long)p->offset, p->offset_at.line, p->offset_at.column);
	if (p->rule == VFCAP_RULE_HEAD && p->offset != VFCAP_EXT_BASE)
		return wrong(
			r,
			"the rule \"head\" leads to 256 (0x100), not to the offset %lld (line %u, "
			"column %u)",
			(long long)p->offset, p->offset_at.line, p->offset_at.column);
	return 0;
}

/* Where one of an entry stood; the other is the one being looked at. */
static int twice(struct reading *r, const char *what, struct vfcap_where first)
{
	return wrong(r, "%s another time, and otherwise than at line %u, column %u", what,
		     first.line, first.column);
}

static int settle_width(struct reading *r, struct placement *p, struct vfcap_spec_vfs *vfs)
{
	if (p->width < 0)
		return 0;
	r->at = p->width_at;
	if (p->emul != VFCAP_EMUL_PASID)
		return wrong(r, "%s has no width", emul_name(p->emul));
	if (vfs->width > 0 && p->width && p->width != vfs->width)
		return wrong(r, "the width %lld, but the entry's \"width\" is %d",
			     (long long)p->width, vfs->width);
	if (vfs->width <= 0)
		vfs->width = (int)p->width;
	return 0;
}

static int read_placement(struct reading *r, const json_t *value, void *into)
{
	static const struct key keys[] = {
		{ "name", read_name, true },
		{ "rule", read_rule, false },
		{ "offset", read_offset, false },
		{ "width", read_placement_width, false },
		{ "id", NULL, false }, /* plan's */
		{ "length", NULL, false },
		{ "after", NULL, false },
		{ "next", NULL, false },
		{ "pf_enabled", NULL, false },
		{ "bytes", NULL, false },
		{ "pf_checked", NULL, false },
		{ "siblings_checked", NULL, false },
		{ "forced", NULL, false },
		{ "iommu_width", NULL, false },
		{ NULL, NULL, false },
	};
	struct placement p = { .emul = VFCAP_EMULS, .rule = -1, .offset = -1, .width = -1 };
	struct vfcap_want want = { .there = true, .where = where(r) };
	const struct vfcap_cursor begin = r->at;
	struct vfcap_spec_vfs *vfs = into;
	int err = read_object(r, value, keys, &p);

	if (!err)
		err = check_rule(r, &p);
	if (!err)
		err = settle_width(r, &p, vfs);
	if (err)
		return err;
	r->at = begin;
	want.at = p.offset >= 0;
	want.offset = want.at ? (uint16_t)p.offset : 0;
	want.rule = p.rule < 0 ? VFCAP_RULE_AUTO : (enum vfcap_rule)p.rule;
	if (vfs->want[p.emul].there && !vfcap_want_same(&vfs->want[p.emul], &want))
		return twice(r, emul_name(p.emul), vfs->want[p.emul].where);
	vfs->want[p.emul] = want;
	return 0;
}

/* --------------------------------------------------------------------------------------- entries -- */

static int read_vfs_device(struct reading *r, const json_t *value, void *into)
{
	struct vfcap_spec_vfs *vfs = into;

	vfs->where = where(r);
	return read_string(r, value, &vfs->device);
}

/* A placement has perhaps said it already. */
static int read_width(struct reading *r, const json_t *value, void *into)
{
	struct vfcap_spec_vfs *vfs = into;
	json_int_t width = 0;
	int err = read_number(r, value, 0, VFCAP_PASID_WIDTH_MOST, &width);

	if (err)
		return err;
	if (vfs->width > 0 && width && vfs->width != (int)width)
		return wrong(r, "the width %lld, but that of its placement is %d", (long long)width,
			     vfs->width);
	if (vfs->width <= 0)
		vfs->width = (int)width;
	return 0;
}

static bool is_driver(const char *name)
{
	return *name && strlen(name) < DRIVER_ROOM && *name != '.' && strcmp(name, "-") &&
	       !strpbrk(name, "/ \t\r\n");
}

static int read_driver(struct reading *r, const json_t *value, void *into)
{
	struct vfcap_spec_vfs *vfs = into;

	vfs->has_driver = true;
	if (json_is_null(value))
		return 0;
	if (!json_is_string(value) || !is_driver(json_string_value(value)))
		return wrong(r, "the name of a driver belongs here, or null for none");
	return read_string(r, value, &vfs->driver);
}

static int read_force(struct reading *r, const json_t *value, void *into)
{
	struct vfcap_spec_vfs *vfs = into;

	vfs->force = json_is_true(value);
	return json_is_boolean(value) ? 0 : wrong(r, "true or false belongs here");
}

static int read_placements(struct reading *r, const json_t *value, void *into)
{
	return read_array(r, value, read_placement, into);
}

static int read_vfs(struct reading *r, const json_t *value, void *into)
{
	static const struct key keys[] = {
		{ "address", read_vfs_device, true },
		{ "placements", read_placements, false },
		{ "width", read_width, false },
		{ "driver", read_driver, false },
		{ "force", read_force, false },
		{ "pf", NULL, false }, /* plan's */
		{ "denylisted", NULL, false },
		{ "refused", NULL, false },
		{ "considered", NULL, false },
		{ "chain", NULL, false },
		{ "evidence", NULL, false },
		{ NULL, NULL, false },
	};
	struct vfcap_spec *spec = into;
	struct vfcap_spec_vfs *more = spec->vfs;
	int err;

	if (!(spec->n_vfs & (spec->n_vfs - 1)))
		more = realloc(spec->vfs, (spec->n_vfs ? 2 * spec->n_vfs : 1) * sizeof(*more));
	if (!more)
		return no_memory(r);
	spec->vfs = more;
	more += spec->n_vfs;
	*more = (struct vfcap_spec_vfs){ .width = -1 };
	err = read_object(r, value, keys, more);
	if (!err)
		spec->n_vfs++;
	return err;
}

static int read_pf_device(struct reading *r, const json_t *value, void *into)
{
	struct vfcap_spec_pf *pf = into;

	pf->where = where(r);
	return read_string(r, value, &pf->device);
}

static int read_numvfs(struct reading *r, const json_t *value, void *into)
{
	struct vfcap_spec_pf *pf = into;
	json_int_t n = 0;
	int err = read_number(r, value, 0, UINT16_MAX, &n);

	if (!err)
		pf->numvfs = (uint16_t)n;
	return err;
}

static int read_pf(struct reading *r, const json_t *value, void *into)
{
	static const struct key keys[] = {
		{ "address", read_pf_device, true },
		{ "numvfs", read_numvfs, true },
		{ NULL, NULL, false },
	};
	struct vfcap_spec *spec = into;
	struct vfcap_spec_pf *more = realloc(spec->pf, (spec->n_pf + 1) * sizeof(*more));
	int err;

	if (!more)
		return no_memory(r);
	spec->pf = more;
	more += spec->n_pf;
	*more = (struct vfcap_spec_pf){ 0 };
	err = read_object(r, value, keys, more);
	if (!err)
		spec->n_pf++;
	return err;
}

/* ------------------------------------------------------------------------------------------- all -- */

static int read_version(struct reading *r, const json_t *value, void *into)
{
	(void)into;
	return json_is_integer(value) && json_integer_value(value) == 1 ?
		       0 :
		       wrong(r, "1 belongs here: another version of the format is not known");
}

static int read_pfs(struct reading *r, const json_t *value, void *into)
{
	return read_array(r, value, read_pf, into);
}

static int read_plan(struct reading *r, const json_t *value, void *into)
{
	return read_array(r, value, read_vfs, into);
}

/* Whether jansson was refused memory: bytes of a string that it has no room for are missing from it, and nothing says
 * so. Its functions that allocate are given no context. */
static _Thread_local bool out_of_memory;

static void *allocate(size_t size)
{
	void *p = malloc(size);

	out_of_memory |= !p;
	return p;
}

static json_t *load(const char *text, size_t len, json_error_t *why)
{
	json_set_alloc_funcs(allocate, free);
	out_of_memory = false;
	return json_loadb(text, len, JSON_REJECT_DUPLICATES, why);
}

int vfcap_spec_read(struct vfcap_description *d, const char *name, const char *text, size_t len,
		    char error[VFCAP_SPEC_ERROR])
{
	static const struct key keys[] = {
		{ "vfcap", read_version, true },
		{ "pfs", read_pfs, false },
		{ "plan", read_plan, false },
		{ NULL, NULL, false },
	};
	struct reading r = { .d = d, .error = error, .file = keep(d, name) };
	const size_t n_pf = d->spec.n_pf, n_vfs = d->spec.n_vfs;
	json_error_t why;
	json_t *root;
	int err;

	r.at = vfcap_cursor_begin(text, len);
	if (!r.file) {
		r.file = name;
		return no_memory(&r);
	}
	root = load(text, len, &why);
	if (out_of_memory) {
		json_decref(root);
		return no_memory(&r);
	}
	if (!root) {
		snprintf(error, VFCAP_SPEC_ERROR, "%.150s:%d:%d: no JSON: %s", name,
			 why.line > 0 ? why.line : 1, why.column > 0 ? why.column : 1, why.text);
		return -EINVAL;
	}
	err = read_object(&r, root, keys, &d->spec);
	json_decref(root);
	if (err) {
		d->spec.n_pf = n_pf;
		d->spec.n_vfs = n_vfs;
	}
	return err;
}

void vfcap_spec_free(struct vfcap_description *d)
{
	while (d->n_strings)
		free(d->string[--d->n_strings]);
	free(d->string);
	free(d->spec.pf);
	free(d->spec.vfs);
	*d = (struct vfcap_description){ 0 };
}
