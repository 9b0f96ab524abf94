// SPDX-License-Identifier: GPL-2.0-or-later
/* vfcap diff: the chain of a PF and that of its VF side by side. */
#include <errno.h>

#include "cmd.h"

#define CAP_WIDTH 24 /* of a capability in the text */

/* A capability of the PF and what is the same in the VF; one of them may be NULL. */
struct pair {
	const struct vfcap_cap *pf, *vf;
};

struct diff {
	struct vfcap_cli *cli;
	struct vfcap_json json;
	struct vfcap_groups groups;
	struct vfcap_function *pf, *vf;
	const struct vfcap_chain *pf_chain, *vf_chain;
	struct vfcap_link
		visible[VFCAP_CHAIN_MAX]; /* what vfio-pci shows of vf_chain, n_visible of them */
	unsigned int n_visible;
};

/* ----------------------------------------------------------------------------------- pairing -- */

/* How many of the same ID stand before a capability of a chain. */
static unsigned int rank(const struct vfcap_chain *chain, const struct vfcap_cap *cap)
{
	const struct vfcap_cap *c;
	unsigned int n = 0;

	for (c = chain->cap; c < cap; c++)
		n += c->id == cap->id;
	return n;
}

/* The capability of chain that is to it what cap is to its own chain, from. */
static const struct vfcap_cap *counterpart(const struct vfcap_chain *chain,
					   const struct vfcap_chain *from,
					   const struct vfcap_cap *cap)
{
	unsigned int n = rank(from, cap), i;

	for (i = 0; i < chain->n; i++)
		if (chain->cap[i].id == cap->id && !n--)
			return &chain->cap[i];
	return NULL;
}

/* The PF's capabilities in chain order, then those that only the VF has. *pos starts at 0. */
static bool next_pair(const struct diff *d, unsigned int *pos, struct pair *pair)
{
	unsigned int i;

	if (*pos < d->pf_chain->n) {
		pair->pf = &d->pf_chain->cap[(*pos)++];
		pair->vf = counterpart(d->vf_chain, d->pf_chain, pair->pf);
		return true;
	}
	for (i = *pos - d->pf_chain->n; i < d->vf_chain->n; i++) {
		pair->vf = &d->vf_chain->cap[i];
		pair->pf = NULL;
		if (counterpart(d->pf_chain, d->vf_chain, pair->vf))
			continue;
		*pos = d->pf_chain->n + i + 1;
		return true;
	}
	return false;
}

/* A constant field that the two have different. */
struct differing {
	const struct vfcap_regval *pf, *vf;
	const struct vfcap_field *field;
};

typedef void each_differing(void *arg, const struct differing *differing);

static void compare_register(const struct vfcap_regval *pf, const struct vfcap_regval *vf,
			     each_differing *each, void *arg)
{
	unsigned int i;

	for (i = 0; i < pf->reg->n_fields; i++) {
		const struct vfcap_field *field = &pf->reg->fields[i];
		struct differing differing = { .pf = pf, .vf = vf, .field = field };

		if ((field->access == VFCAP_CONST || field->access == VFCAP_GATED) &&
		    vfcap_field_get(field, pf->value) != vfcap_field_get(field, vf->value))
			each(arg, &differing);
	}
}

/* Both walks give registers in the table's order; where a repeated block has fewer in one of them,
 * the other skips. */
static void compare(const struct diff *d, const struct pair *pair, each_differing *each, void *arg)
{
	struct vfcap_regiter pf_it, vf_it;
	struct vfcap_regval pf, vf;
	bool more;

	vfcap_regs(&pf_it, vfcap_function_image(d->pf), pair->pf);
	vfcap_regs(&vf_it, vfcap_function_image(d->vf), pair->vf);
	more = vfcap_reg_next(&vf_it, &vf);
	while (more && vfcap_reg_next(&pf_it, &pf)) {
		if (pf.reg != vf.reg || pf.index != vf.index)
			continue;
		if (pf.known && vf.known)
			compare_register(&pf, &vf, each, arg);
		more = vfcap_reg_next(&vf_it, &vf);
	}
}

static bool is_hidden(const struct diff *d, const struct vfcap_cap *cap)
{
	return cap && !vfcap_links_show(d->visible, d->n_visible, cap);
}

/* -------------------------------------------------------------------------------------- text -- */

static void print_side(struct vfcap_out *out, const struct vfcap_cap *cap)
{
	size_t start = out->n, len;
	char buf[16];

	if (cap)
		vfcap_out_printf(out, "[%03x v%u] %s", cap->offset, cap->version,
				 vfcap_cap_label(cap->id, buf));
	else
		vfcap_out_char(out, '-');
	len = out->n - start;
	vfcap_out_fill(out, ' ', len < CAP_WIDTH ? CAP_WIDTH - len : 1);
}

static void print_note(struct vfcap_out *out, enum vfcap_style style, const char *note)
{
	vfcap_out_style(out, style);
	vfcap_out_str(out, note);
	vfcap_out_style(out, VFCAP_STYLE_PLAIN);
}

static void print_verdict(const struct diff *d, struct vfcap_out *out, const struct pair *pair)
{
	bool shared = pair->pf && (pair->pf->id == VFCAP_ID_PASID || pair->pf->id == VFCAP_ID_PRI);

	if (!pair->vf && shared)
		print_note(out, VFCAP_STYLE_BAD, "the VF lacks it: it shares the PF's");
	else if (!pair->vf && pair->pf->id == VFCAP_ID_SRIOV)
		print_note(out, VFCAP_STYLE_DIM, "a PF's only");
	else if (!pair->vf)
		print_note(out, VFCAP_STYLE_WARN, "the VF lacks it");
	else if (!pair->pf)
		print_note(out, VFCAP_STYLE_WARN, "the PF lacks it");
	else if (pair->pf->offset != pair->vf->offset)
		print_note(out, VFCAP_STYLE_WARN, "at another offset");
	else
		print_note(out, VFCAP_STYLE_GOOD, "same offset");
	if (pair->pf && pair->vf && pair->pf->length != pair->vf->length)
		vfcap_out_printf(out, ", %u and %u bytes", pair->pf->length, pair->vf->length);
	if (is_hidden(d, pair->vf))
		print_note(out, VFCAP_STYLE_WARN, ", hidden by vfio-pci");
}

static void print_value(struct vfcap_out *out, const struct vfcap_field *field, uint64_t reg)
{
	uint32_t value = vfcap_field_get(field, reg);
	const char *name = vfcap_field_name(field, value);

	if (field->format == VFCAP_FLAG)
		vfcap_out_char(out, value ? '+' : '-');
	else if (name)
		vfcap_out_str(out, name);
	else
		vfcap_out_printf(out, field->format == VFCAP_HEX ? "0x%x" : "%u", value);
}

static void print_differing(void *arg, const struct differing *differing)
{
	struct vfcap_out *out = arg;

	vfcap_out_str(out, "      ");
	if (differing->pf->block)
		vfcap_out_printf(out, "%s%u ", differing->pf->block, differing->pf->index);
	vfcap_out_printf(out, "%s %s: ", differing->pf->reg->label, differing->field->label);
	print_value(out, differing->field, differing->pf->value);
	vfcap_out_str(out, " in the PF, ");
	print_value(out, differing->field, differing->vf->value);
	vfcap_out_str(out, " in the VF\n");
}

static void print_body(const struct diff *d, struct vfcap_out *out)
{
	struct pair pair;
	unsigned int pos = 0;

	while (next_pair(d, &pos, &pair)) {
		vfcap_out_str(out, "  ");
		print_side(out, pair.pf);
		print_side(out, pair.vf);
		print_verdict(d, out, &pair);
		vfcap_out_char(out, '\n');
		if (pair.pf && pair.vf)
			compare(d, &pair, print_differing, out);
	}
	if (d->vf_chain->broken)
		print_note(out, VFCAP_STYLE_BAD, "  The VF's chain is broken: show tells where\n");
	if (d->vf_chain->empty)
		print_note(out, VFCAP_STYLE_WARN, "  The VF's chain is empty\n");
}

static int diff_text(struct diff *d)
{
	struct vfcap_out body;

	vfcap_out_memory(&body, &d->cli->out);
	print_body(d, &body);
	return vfcap_groups_add(&d->groups, &body, d->vf) ? 0 : -ENOMEM;
}

/* -------------------------------------------------------------------------------------- JSON -- */

struct json_list {
	struct vfcap_json *json;
	json_t *array;
};

static json_t *value_json(const struct vfcap_field *field, uint64_t reg)
{
	uint32_t value = vfcap_field_get(field, reg);
	const char *name = vfcap_field_name(field, value);

	if (field->format == VFCAP_FLAG)
		return json_boolean(value);
	return name ? json_string(name) : json_integer(value);
}

static void differing_json(void *arg, const struct differing *differing)
{
	struct json_list *list = arg;
	json_t *object = json_object();

	if (differing->pf->block) {
		vfcap_json_set(list->json, object, "block", json_string(differing->pf->block));
		vfcap_json_set(list->json, object, "index", json_integer(differing->pf->index));
	}
	vfcap_json_set(list->json, object, "register", json_string(differing->pf->reg->key));
	vfcap_json_set(list->json, object, "field", json_string(differing->field->key));
	vfcap_json_set(list->json, object, "pf",
		       value_json(differing->field, differing->pf->value));
	vfcap_json_set(list->json, object, "vf",
		       value_json(differing->field, differing->vf->value));
	vfcap_json_append(list->json, list->array, object);
}

static json_t *side_json(struct vfcap_json *json, const struct vfcap_cap *cap, bool hidden)
{
	json_t *object;

	if (!cap)
		return json_null();
	object = json_object();
	vfcap_json_set(json, object, "offset", json_integer(cap->offset));
	vfcap_json_set(json, object, "version", json_integer(cap->version));
	vfcap_json_set(json, object, "length", json_integer(cap->length));
	if (hidden)
		vfcap_json_set(json, object, "visible", json_false());
	return object;
}

static json_t *pair_json(struct diff *d, const struct pair *pair)
{
	const struct vfcap_capinfo *info = vfcap_capinfo(pair->pf ? pair->pf->id : pair->vf->id);
	struct json_list list = { .json = &d->json, .array = json_array() };
	json_t *object = json_object();

	vfcap_json_set(&d->json, object, "id",
		       json_integer(pair->pf ? pair->pf->id : pair->vf->id));
	vfcap_json_set(&d->json, object, "name", vfcap_json_text(info ? info->name : NULL));
	vfcap_json_set(&d->json, object, "pf", side_json(&d->json, pair->pf, false));
	vfcap_json_set(&d->json, object, "vf",
		       side_json(&d->json, pair->vf, is_hidden(d, pair->vf)));
	if (pair->pf && pair->vf)
		compare(d, pair, differing_json, &list);
	vfcap_json_set(&d->json, object, "differs", list.array);
	return object;
}

static int diff_json(struct diff *d)
{
	json_t *object = json_object(), *array = json_array();
	struct pair pair;
	unsigned int pos = 0;

	vfcap_json_set(&d->json, object, "address", json_string(vfcap_function_name(d->vf)));
	vfcap_json_set(&d->json, object, "pf", json_string(vfcap_function_name(d->pf)));
	while (next_pair(d, &pos, &pair))
		vfcap_json_append(&d->json, array, pair_json(d, &pair));
	vfcap_json_set(&d->json, object, "capabilities", array);
	vfcap_json_element(&d->json, object);
	return 0;
}

/* --------------------------------------------------------------------------------------- run -- */

static int say_no(const struct diff *d, const char *why)
{
	vfcap_cli_error(d->cli, "%s: %s", vfcap_function_name(d->vf), why);
	return VFCAP_EXIT_NO;
}

static int diff_vf(struct diff *d)
{
	int status, err;

	if (vfcap_function_role(d->vf) != VFCAP_ROLE_VF)
		return say_no(d, "not a VF");
	if (!d->pf)
		return say_no(d, "its PF is not known");
	status = vfcap_cli_explain(d->cli, d->vf);
	if (!vfcap_chain_is_known(d->pf) || !vfcap_chain_is_known(d->vf))
		return status ? status : say_no(d, "its chain or its PF's is not known");
	d->pf_chain = vfcap_function_chain(d->pf);
	d->vf_chain = vfcap_function_chain(d->vf);
	d->n_visible = vfcap_chain_visible(d->vf_chain, vfcap_kernel_release(d->cli->ctx),
					   d->visible);
	err = d->cli->json ? diff_json(d) : diff_text(d);
	if (err) {
		vfcap_cli_error(d->cli, "%s: %s", vfcap_function_name(d->vf), strerror(-err));
		return VFCAP_EXIT_FAILED;
	}
	return status;
}

static void print_groups(struct diff *d)
{
	vfcap_groups_print(&d->groups, &d->cli->out);
	vfcap_groups_clear(&d->groups);
}

static int diff_all(struct vfcap_cli *cli, const struct vfcap_picked *picked)
{
	struct diff d = { .cli = cli };
	int status = VFCAP_EXIT_DONE;
	size_t i;

	if (cli->json)
		vfcap_json_begin(&d.json, &cli->out, "diff");
	for (i = 0; i < picked->n && !cli->out.error; i++) {
		struct vfcap_function *pf = vfcap_function_pf(picked->fn[i]);

		if (pf != d.pf) {
			print_groups(&d);
			if (d.pf)
				vfcap_function_drop(d.pf);
			d.pf = pf;
			if (pf)
				status = vfcap_cli_worse(status, vfcap_cli_explain(cli, pf));
		}
		d.vf = picked->fn[i];
		status = vfcap_cli_worse(status, diff_vf(&d));
		vfcap_function_drop(d.vf);
	}
	print_groups(&d);
	if (cli->json)
		vfcap_json_end(&d.json);
	return status;
}

static int diff_run(struct vfcap_cli *cli)
{
	struct vfcap_picked picked = { 0 };
	int status = vfcap_cli_parse(cli, NULL);

	if (status >= 0)
		return status;
	if (vfcap_cli_open(cli))
		return VFCAP_EXIT_FAILED;
	status = vfcap_cli_pick(cli, VFCAP_PICK_VFS, &picked);
	if (!status && !picked.n && !cli->n_device)
		status = vfcap_cli_no_vfs(cli);
	status = vfcap_cli_worse(status, diff_all(cli, &picked));
	vfcap_picked_free(&picked);
	return status;
}

const struct vfcap_command vfcap_cmd_diff = {
	.name = "diff",
	.args = "[DEVICE...]",
	.doc = "the chains of a PF and of its VF side by side\v"
	       "The PF's capabilities stand on the left, the VF's on the right, with what differs in what "
	       "the hardware fixes. A PF stands for all its VFs; without a DEVICE: all VFs.",
	.run = diff_run,
};
