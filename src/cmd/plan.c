// SPDX-License-Identifier: GPL-2.0-or-later
/* vfcap plan: where PASID and PRI go in a VF, and why. */
#include <errno.h>
#include <stdlib.h>

#include "cmd.h"

enum { KEY_AS = VFCAP_KEY_WISHES };

#define NAMED_UNREADABLE 4 /* siblings that are named; further ones are counted */

struct plan_options {
	struct vfcap_wished wished;
	enum vfcap_plan_as as;
};

struct planning {
	struct vfcap_cli *cli;
	const struct plan_options *opt;
	struct vfcap_plan *plan;
	struct vfcap_json json;
	struct vfcap_groups groups;
	size_t n_ports; /* root ports that were handed out so far */
};

/* ----------------------------------------------------------------------------------- options -- */

static const char *const as_names[VFCAP_AS_FORMS] = {
	[VFCAP_AS_TEXT] = "text",
	[VFCAP_AS_COMMANDS] = "commands",
	[VFCAP_AS_QEMU] = "qemu",
	[VFCAP_AS_LIBVIRT] = "libvirt",
};

static const char *emul_name(unsigned int e)
{
	return vfcap_capinfo(vfcap_emul_id(e))->name;
}

static int parse_as(struct vfcap_cli *cli, const char *arg, struct plan_options *opt)
{
	unsigned int as;

	for (as = 0; as < VFCAP_AS_FORMS; as++)
		if (strcmp(as_names[as], arg) == 0) {
			opt->as = as;
			return 0;
		}
	return vfcap_cli_usage(cli, "--as %s: one of text, commands, qemu, libvirt", arg);
}

static int plan_option(struct vfcap_cli *cli, int key, const char *arg, void *own)
{
	struct plan_options *opt = own;

	return key == KEY_AS ? parse_as(cli, arg, opt) :
			       vfcap_wish_option(cli, key, arg, &opt->wished);
}

/* What the options mean together. */
static int settle_options(struct vfcap_cli *cli, struct plan_options *opt)
{
	if (vfcap_wish_settle(cli, &opt->wished))
		return EINVAL;
	if (cli->json && opt->as != VFCAP_AS_TEXT)
		return vfcap_cli_usage(cli, "--json and --as exclude each other");
	return 0;
}

/* -------------------------------------------------------------------------------------- text -- */

static void print_placed(struct vfcap_out *out, const struct vfcap_placement *p)
{
	static const char *const why[VFCAP_RULES] = {
		[VFCAP_RULE_PF_OFFSET] = "where the PF has it",
		[VFCAP_RULE_AFTER_LAST] = "behind the VF's last capability",
		[VFCAP_RULE_FREE_GAP] = "in the lowest gap that is free",
		[VFCAP_RULE_EXPLICIT] = "where --at wants it",
		[VFCAP_RULE_HEAD] = "the chain is empty and has to begin there",
	};

	vfcap_out_style(out, VFCAP_STYLE_GOOD);
	vfcap_out_printf(out, "at 0x%03x..0x%03x", p->offset, p->offset + p->length - 1u);
	vfcap_out_style(out, VFCAP_STYLE_PLAIN);
	vfcap_out_printf(out, ", %s (%s)\n", why[p->rule], vfcap_rule_name(p->rule));
}

static void print_bytes(struct vfcap_out *out, const struct vfcap_placement *p)
{
	unsigned int i;

	vfcap_out_str(out, "         a guest reads ");
	for (i = 0; i < p->length; i++) {
		vfcap_out_hex(out, p->bytes[i], 2);
		vfcap_out_char(out, ' ');
	}
	vfcap_out_str(out, "there");
	if (p->width)
		vfcap_out_printf(out, ": PASIDs of %s%u bits", p->iommu_width ? "" : "at most ",
				 p->width);
	vfcap_out_char(out, '\n');
}

static unsigned int id_at(const struct vfcap_plan *plan, unsigned int offset)
{
	unsigned int i;

	for (i = 0; i < plan->n_links; i++)
		if (plan->link[i].offset == offset)
			return plan->link[i].id;
	return 0;
}

static void print_link(struct vfcap_out *out, const struct vfcap_plan *plan,
		       const struct vfcap_placement *p)
{
	char buf[16];

	if (p->after)
		vfcap_out_printf(out, "         linked behind %s at 0x%03x, ",
				 vfcap_cap_label(id_at(plan, p->after), buf), p->after);
	else
		vfcap_out_str(out, "         the head of the chain, ");
	if (p->next)
		vfcap_out_printf(out, "leads to %s at 0x%03x\n",
				 vfcap_cap_label(id_at(plan, p->next), buf), p->next);
	else
		vfcap_out_str(out, "the last of it\n");
}

static void print_checks(struct vfcap_out *out, const struct vfcap_placement *p,
			 const struct vfcap_evidence *ev)
{
	vfcap_out_str(out, "         reads zero in ");
	if (!p->siblings_checked || ev->siblings_read < 2)
		vfcap_out_str(out, "this VF");
	else if (ev->siblings_unreadable)
		vfcap_out_printf(out, "the %zu VFs of the PF that can be read", ev->siblings_read);
	else
		vfcap_out_printf(out, "all %zu VFs of the PF", ev->siblings_read);
	if (p->pf_checked)
		vfcap_out_str(out, " and in the PF");
	else if (p->rule == VFCAP_RULE_AFTER_LAST || p->rule == VFCAP_RULE_FREE_GAP)
		vfcap_out_str(out, "; the PF could not be asked");
	vfcap_out_char(out, '\n');
}

static void print_placement(struct vfcap_out *out, const struct vfcap_plan *plan,
			    const struct vfcap_placement *p, const struct vfcap_evidence *ev)
{
	vfcap_out_printf(out, "  %-6s ", emul_name(p->emul));
	print_placed(out, p);
	print_bytes(out, p);
	print_link(out, plan, p);
	if (p->forced) {
		vfcap_out_style(out, VFCAP_STYLE_BAD);
		vfcap_out_str(
			out,
			"         forced: a register is there, a guest will not reach it any more\n");
		vfcap_out_style(out, VFCAP_STYLE_PLAIN);
	} else {
		print_checks(out, p, ev);
	}
	if (!p->pf_enabled) {
		vfcap_out_style(out, VFCAP_STYLE_WARN);
		vfcap_out_printf(
			out,
			"         the PF has %s switched off: a guest sees it only once that "
			"is on\n",
			emul_name(p->emul));
		vfcap_out_style(out, VFCAP_STYLE_PLAIN);
	}
}

static void print_refusals(struct vfcap_out *out, const struct vfcap_plan *plan)
{
	unsigned int e;

	for (e = 0; e < VFCAP_EMULS; e++) {
		if (plan->refused[e] == VFCAP_OK)
			continue;
		vfcap_out_printf(out, "  %-6s ", emul_name(e));
		vfcap_out_style(out, VFCAP_STYLE_WARN);
		vfcap_out_str(out, "not placed");
		vfcap_out_style(out, VFCAP_STYLE_PLAIN);
		vfcap_out_printf(out, ": %s (%s)\n", vfcap_code_text(plan->refused[e]),
				 vfcap_code_name(plan->refused[e]));
	}
	if (plan->refused[0] == VFCAP_BROKEN_CHAIN || plan->refused[1] == VFCAP_BROKEN_CHAIN)
		vfcap_out_str(out, "  show tells where it is broken, --force plans over it\n");
	if (plan->forced_broken) {
		vfcap_out_style(out, VFCAP_STYLE_BAD);
		vfcap_out_str(
			out,
			"  The chain is broken: a kernel that does not check bounds can be overrun by "
			"binding this VF to any vfio-pci driver\n");
		vfcap_out_style(out, VFCAP_STYLE_PLAIN);
	}
}

/* It is placed all the same: the module may be told to bind it. */
static void print_denylisted(struct vfcap_out *out, const struct vfcap_function *vf)
{
	if (vfcap_function_denylisted(vf) <= 0)
		return;
	vfcap_out_style(out, VFCAP_STYLE_WARN);
	vfcap_out_printf(out, "  Note: %s (%s)\n", vfcap_code_text(VFCAP_DENYLISTED),
			 vfcap_code_name(VFCAP_DENYLISTED));
	vfcap_out_style(out, VFCAP_STYLE_PLAIN);
}

static bool code_names_cap(enum vfcap_code code)
{
	return code == VFCAP_OCCUPIED || code == VFCAP_TOO_CLOSE;
}

static bool code_names_byte(enum vfcap_code code)
{
	return code == VFCAP_NONZERO || code == VFCAP_SIBLING_NONZERO || code == VFCAP_PF_NONZERO ||
	       code == VFCAP_CODE_UNREADABLE;
}

static void print_considered(struct vfcap_out *out, const struct vfcap_plan *plan)
{
	unsigned int i;
	char buf[16];

	if (plan->n_considered)
		vfcap_out_str(out, "  Tried and dropped:\n");
	for (i = 0; i < plan->n_considered; i++) {
		const struct vfcap_considered *c = &plan->considered[i];
		char range[24];

		snprintf(range, sizeof(range), "0x%03x", c->offset);
		if (c->last != c->offset)
			snprintf(range, sizeof(range), "0x%03x..0x%03x", c->offset, c->last);
		vfcap_out_printf(out, "    %-6s %-10s %-14s %s", emul_name(c->emul),
				 vfcap_rule_name(c->rule), range, vfcap_code_text(c->code));
		if (code_names_cap(c->code))
			vfcap_out_printf(out, ": %s at 0x%03x", vfcap_cap_label(c->by_id, buf),
					 c->by_offset);
		else if (code_names_byte(c->code))
			vfcap_out_printf(out, ": byte 0x%03x", c->by_offset);
		vfcap_out_char(out, '\n');
	}
}

static void print_unreadable(struct vfcap_out *out, const struct vfcap_evidence *ev)
{
	size_t i;

	if (!ev->siblings_unreadable)
		return;
	vfcap_out_str(out, "  Could not be read:");
	for (i = 0; i < ev->siblings_unreadable && i < NAMED_UNREADABLE; i++)
		vfcap_out_printf(out, " %s", vfcap_function_name(ev->unreadable[i]));
	if (i < ev->siblings_unreadable)
		vfcap_out_printf(out, " and %zu more VFs", ev->siblings_unreadable - i);
	vfcap_out_char(out, '\n');
}

static void print_chain(struct vfcap_out *out, const struct vfcap_plan *plan)
{
	unsigned int i;
	char buf[16];

	if (!plan->n_links)
		return;
	vfcap_out_str(out, "  Chain of the guest:");
	for (i = 0; i < plan->n_links; i++) {
		vfcap_out_str(out, i ? " > " : " ");
		vfcap_out_hex(out, plan->link[i].offset, 3);
		vfcap_out_char(out, ' ');
		vfcap_out_str(out, vfcap_cap_label(plan->link[i].id, buf));
	}
	vfcap_out_char(out, '\n');
}

static void print_body(struct vfcap_out *out, const struct vfcap_function *vf,
		       const struct vfcap_plan *plan, const struct vfcap_evidence *ev)
{
	unsigned int i;

	for (i = 0; i < plan->n_placements; i++)
		print_placement(out, plan, &plan->placement[i], ev);
	print_refusals(out, plan);
	print_denylisted(out, vf);
	print_considered(out, plan);
	print_unreadable(out, ev);
	print_chain(out, plan);
}

/* ------------------------------------------------------------------------------------ groups -- */

static void take_answer(struct vfcap_answer *answer, const struct vfcap_plan *plan)
{
	unsigned int i;

	answer->n_placements = plan->n_placements;
	answer->forced_broken = plan->forced_broken;
	for (i = 0; i < plan->n_placements; i++)
		answer->placement[i] = plan->placement[i];
	memcpy(answer->refused, plan->refused, sizeof(answer->refused));
}

static int file_answer(struct planning *pl, struct vfcap_function *vf,
		       const struct vfcap_evidence *ev)
{
	struct vfcap_group *group;
	struct vfcap_out body;

	vfcap_out_memory(&body, &pl->cli->out);
	print_body(&body, vf, pl->plan, ev);
	group = vfcap_groups_add(&pl->groups, &body, vf);
	if (group && group->n == 1)
		take_answer(&group->answer, pl->plan);
	return group ? 0 : -ENOMEM;
}

static void print_groups(struct planning *pl)
{
	const struct vfcap_group *group;
	size_t i;

	if (pl->opt->as == VFCAP_AS_TEXT)
		vfcap_groups_print(&pl->groups, &pl->cli->out);
	for (i = 0; i < pl->groups.n && pl->opt->as != VFCAP_AS_TEXT; i++) {
		group = &pl->groups.group[i];
		vfcap_plan_as(&pl->cli->out, pl->opt->as, group->vf, group->n, &group->answer,
			      &pl->n_ports);
	}
	vfcap_groups_clear(&pl->groups);
}

/* -------------------------------------------------------------------------------------- JSON -- */

static json_t *placements_json(struct vfcap_json *json, const struct vfcap_plan *plan)
{
	json_t *array = json_array(), *object;
	unsigned int i, b;

	for (i = 0; i < plan->n_placements; i++) {
		const struct vfcap_placement *p = &plan->placement[i];
		char bytes[2 * sizeof(p->bytes) + 1] = "";

		for (b = 0; b < p->length; b++)
			snprintf(bytes + 2 * b, 3, "%02x", p->bytes[b]);
		object = json_object();
		vfcap_json_set(json, object, "name", json_string(emul_name(p->emul)));
		vfcap_json_set(json, object, "id", json_integer(vfcap_emul_id(p->emul)));
		vfcap_json_set(json, object, "offset", json_integer(p->offset));
		vfcap_json_set(json, object, "length", json_integer(p->length));
		vfcap_json_set(json, object, "rule", json_string(vfcap_rule_name(p->rule)));
		vfcap_json_set(json, object, "after",
			       p->after ? json_integer(p->after) : json_null());
		vfcap_json_set(json, object, "next", json_integer(p->next));
		vfcap_json_set(json, object, "pf_enabled", json_boolean(p->pf_enabled));
		if (p->emul == VFCAP_EMUL_PASID)
			vfcap_json_set(json, object, "width", json_integer(p->width));
		vfcap_json_set(json, object, "bytes", json_string(bytes));
		vfcap_json_set(json, object, "pf_checked", json_boolean(p->pf_checked));
		vfcap_json_set(json, object, "siblings_checked", json_boolean(p->siblings_checked));
		vfcap_json_set(json, object, "forced", json_boolean(p->forced));
		if (p->iommu_width)
			vfcap_json_set(json, object, "iommu_width", json_integer(p->iommu_width));
		vfcap_json_append(json, array, object);
	}
	return array;
}

static json_t *refused_json(struct vfcap_json *json, const struct vfcap_plan *plan)
{
	json_t *array = json_array(), *object;
	unsigned int e;

	for (e = 0; e < VFCAP_EMULS; e++) {
		if (plan->refused[e] == VFCAP_OK)
			continue;
		object = json_object();
		vfcap_json_set(json, object, "name", json_string(emul_name(e)));
		vfcap_json_set(json, object, "code",
			       json_string(vfcap_code_name(plan->refused[e])));
		vfcap_json_append(json, array, object);
	}
	return array;
}

static json_t *considered_json(struct vfcap_json *json, const struct vfcap_plan *plan)
{
	json_t *array = json_array(), *object, *by;
	unsigned int i;

	for (i = 0; i < plan->n_considered; i++) {
		const struct vfcap_considered *c = &plan->considered[i];

		object = json_object();
		vfcap_json_set(json, object, "name", json_string(emul_name(c->emul)));
		vfcap_json_set(json, object, "rule", json_string(vfcap_rule_name(c->rule)));
		vfcap_json_set(json, object, "offset", json_integer(c->offset));
		if (c->last != c->offset)
			vfcap_json_set(json, object, "last", json_integer(c->last));
		vfcap_json_set(json, object, "code", json_string(vfcap_code_name(c->code)));
		if (code_names_cap(c->code)) {
			by = json_object();
			vfcap_json_set(json, by, "id", json_integer(c->by_id));
			vfcap_json_set(json, by, "offset", json_integer(c->by_offset));
			vfcap_json_set(json, object, "by", by);
		} else if (code_names_byte(c->code)) {
			vfcap_json_set(json, object, "byte", json_integer(c->by_offset));
		}
		vfcap_json_append(json, array, object);
	}
	return array;
}

static json_t *chain_json(struct vfcap_json *json, const struct vfcap_plan *plan)
{
	json_t *array = json_array(), *object;
	unsigned int i;

	for (i = 0; i < plan->n_links; i++) {
		object = json_object();
		vfcap_json_set(json, object, "offset", json_integer(plan->link[i].offset));
		vfcap_json_set(json, object, "id", json_integer(plan->link[i].id));
		vfcap_json_append(json, array, object);
	}
	return array;
}

static json_t *evidence_json(struct vfcap_json *json, const struct vfcap_evidence *ev)
{
	json_t *object = json_object(), *array = json_array();
	size_t i;

	for (i = 0; i < ev->siblings_unreadable; i++)
		vfcap_json_append(json, array, json_string(vfcap_function_name(ev->unreadable[i])));
	vfcap_json_set(json, object, "siblings_read", json_integer((json_int_t)ev->siblings_read));
	vfcap_json_set(json, object, "siblings_unreadable", array);
	return object;
}

static void print_json(struct planning *pl, struct vfcap_function *vf,
		       const struct vfcap_evidence *ev)
{
	const struct vfcap_function *pf = vfcap_function_pf(vf);
	struct vfcap_json *json = &pl->json;
	json_t *object = json_object();

	vfcap_json_set(json, object, "address", json_string(vfcap_function_name(vf)));
	if (pf)
		vfcap_json_set(json, object, "pf", json_string(vfcap_function_name(pf)));
	if (vfcap_function_denylisted(vf) > 0)
		vfcap_json_set(json, object, "denylisted", json_true());
	vfcap_json_set(json, object, "placements", placements_json(json, pl->plan));
	vfcap_json_set(json, object, "refused", refused_json(json, pl->plan));
	vfcap_json_set(json, object, "considered", considered_json(json, pl->plan));
	vfcap_json_set(json, object, "chain", chain_json(json, pl->plan));
	vfcap_json_set(json, object, "evidence", evidence_json(json, ev));
	vfcap_json_element(json, object);
}

/* --------------------------------------------------------------------------------------- run -- */

/* Was everything placed that was asked for: by --cap, by --at, or because the PF has it? */
static int judge(const struct plan_options *opt, const struct vfcap_plan *plan)
{
	unsigned int e;

	for (e = 0; e < VFCAP_EMULS; e++)
		if (plan->refused[e] != VFCAP_OK &&
		    (opt->wished.asked[e] || opt->wished.wish.explicit_at[e] ||
		     plan->refused[e] != VFCAP_PF_LACKS))
			return VFCAP_EXIT_NO;
	return plan->n_placements ? VFCAP_EXIT_DONE : VFCAP_EXIT_NO;
}

static int plan_vf(struct planning *pl, struct vfcap_function *vf)
{
	struct vfcap_evidence ev;
	int status = vfcap_cli_explain(pl->cli, vf);
	int err = vfcap_function_plan(vf, &pl->opt->wished.wish, pl->plan, &ev);

	if (!err && pl->cli->json)
		print_json(pl, vf, &ev);
	else if (!err)
		err = file_answer(pl, vf, &ev);
	if (err) {
		if (*vfcap_error(pl->cli->ctx))
			vfcap_cli_unread(pl->cli);
		else
			vfcap_cli_error(pl->cli, "%s: %s", vfcap_function_name(vf), strerror(-err));
		return VFCAP_EXIT_FAILED;
	}
	vfcap_function_drop(vf);
	return vfcap_cli_worse(status, judge(pl->opt, pl->plan));
}

/* VFs come PF by PF: what is known of a PF and its VFs is printed and forgotten before the next. */
static int plan_all(struct planning *pl, const struct vfcap_picked *picked)
{
	struct vfcap_function *pf = NULL, *mine;
	int status = VFCAP_EXIT_DONE;
	size_t i;

	for (i = 0; i < picked->n && !pl->cli->out.error; i++) {
		mine = vfcap_function_pf(picked->fn[i]);
		if (mine != pf) {
			print_groups(pl);
			if (pf)
				vfcap_function_drop(pf);
			pf = mine;
			if (pf)
				status = vfcap_cli_worse(status, vfcap_cli_explain(pl->cli, pf));
		}
		status = vfcap_cli_worse(status, plan_vf(pl, picked->fn[i]));
	}
	print_groups(pl);
	if (pf)
		vfcap_function_drop(pf);
	return status;
}

static int plan_picked(struct vfcap_cli *cli, const struct plan_options *opt,
		       const struct vfcap_picked *picked)
{
	struct planning pl = { .cli = cli, .opt = opt, .plan = malloc(sizeof(*pl.plan)) };
	int status;

	if (!pl.plan) {
		vfcap_cli_error(cli, "%s", strerror(ENOMEM));
		return VFCAP_EXIT_FAILED;
	}
	if (cli->json)
		vfcap_json_begin(&pl.json, &cli->out, "plan");
	else if (picked->n)
		vfcap_plan_as_begin(&cli->out, opt->as);
	status = plan_all(&pl, picked);
	if (cli->json)
		vfcap_json_end(&pl.json);
	free(pl.plan);
	return status;
}

static int plan_run(struct vfcap_cli *cli)
{
	struct plan_options opt = { 0 };
	struct vfcap_picked picked = { 0 };
	int status = vfcap_cli_parse(cli, &opt);

	if (status >= 0)
		return status;
	if (settle_options(cli, &opt))
		return VFCAP_EXIT_USAGE;
	cli->out.color &= opt.as == VFCAP_AS_TEXT;
	if (vfcap_cli_open(cli))
		return VFCAP_EXIT_FAILED;
	status = vfcap_cli_pick(cli, VFCAP_PICK_VFS, &picked);
	if (!status && !picked.n && !cli->n_device)
		status = vfcap_cli_no_vfs(cli);
	status = vfcap_cli_worse(status, plan_picked(cli, &opt, &picked));
	vfcap_picked_free(&picked);
	return status;
}

static const struct argp_option options[] = {
	{ "cap", VFCAP_KEY_CAP, "pasid|pri|pasid,pri", 0,
	  "what to place; both, unless told: then what the PF lacks is no failure", 0 },
	VFCAP_WISH_OPTIONS,
	{ "force", VFCAP_KEY_FORCE, NULL, 0,
	  "give way where an offset of --at does not read zero, and plan over a broken chain", 0 },
	{ "as", KEY_AS, "text|commands|qemu|libvirt", 0, "how to print the answer", 0 },
	{ NULL, 0, NULL, 0, NULL, 0 },
};

const struct vfcap_command vfcap_cmd_plan = {
	.name = "plan",
	.args = "[DEVICE...]",
	.doc = "where PASID and PRI go in a VF, and why\v"
	       "A PF stands for all its VFs; without a DEVICE: all VFs. Nothing is changed. Exit status 3: "
	       "something that was asked for found no place.",
	.options = options,
	.option = plan_option,
	.run = plan_run,
};
