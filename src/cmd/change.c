// SPDX-License-Identifier: GPL-2.0-or-later
/* What enable and disable share: VFs are changed PF by PF, and what came of it is printed. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "cmd.h"

#define QUICK 16 /* so few VFs are not worth a line of progress */

struct changing {
	struct vfcap_cli *cli;
	const struct vfcap_change_options *opt;
	struct vfcap_json json;
	struct vfcap_groups groups;
	char said[512]; /* the last error, which may be that of many VFs */
	bool progress;
};

static const char *emul_name(unsigned int e)
{
	return vfcap_capinfo(vfcap_emul_id(e))->name;
}

/* ---------------------------------------------------------------------------------- progress -- */

static void show_progress(void *arg, const char *what, size_t done, size_t all)
{
	(void)arg;
	fprintf(stderr, "\r\033[Kvfcap: %zu of %zu: %s", done, all, what);
}

static void end_progress(const struct changing *ch)
{
	if (ch->progress)
		fputs("\r\033[K", stderr);
}

/* --------------------------------------------------------------------------------------- text -- */

static void print_step(struct vfcap_out *out, const struct vfcap_step *step)
{
	const char *name = vfcap_step_name(step), *from = vfcap_step_from(step);
	const char *to = vfcap_step_to(step);

	vfcap_out_str(out, "    ");
	if (strcmp(name, "override") == 0)
		vfcap_out_printf(out, "driver_override %s (was %s)\n", to ? to : "none",
				 from ? from : "none");
	else if (strcmp(name, "unbind") == 0)
		vfcap_out_printf(out, "unbind from %s\n", from);
	else if (strcmp(name, "bind") == 0)
		vfcap_out_printf(out, "bind to %s\n", to ? to : "the driver that wants it");
	else if (strcmp(name, "knob") == 0)
		vfcap_out_printf(out,
				 strcmp(vfcap_step_attribute(step), "pasid_width") ?
					 "%s 0x%03x (was 0x%03x)\n" :
					 "%s %u (was %u)\n",
				 vfcap_step_attribute(step), vfcap_step_new(step),
				 vfcap_step_old(step));
	else if (strcmp(name, "module") == 0)
		vfcap_out_str(out, "modprobe vfcap_vfio_pci\n");
	else
		vfcap_out_str(out, "verify through VFIO\n");
}

static void print_shows(struct vfcap_out *out, const struct vfcap_outcome *o)
{
	const char *before = "";
	unsigned int e;

	for (e = 0; e < VFCAP_EMULS; e++) {
		if (!o->offset[e])
			continue;
		vfcap_out_printf(out, "%s%s at 0x%03x", before, emul_name(e), o->offset[e]);
		if (e == VFCAP_EMUL_PASID && o->width)
			vfcap_out_printf(out, " (%u bits)", o->width);
		before = ", ";
	}
	if (!*before)
		vfcap_out_str(out, "nothing is emulated");
	vfcap_out_char(out, '\n');
}

/* How much of it was for real. */
enum earnest { EARNEST, DRY_RUN, NO_KERNEL };

static void print_result(struct vfcap_out *out, const struct vfcap_outcome *o, enum earnest earnest)
{
	static const enum vfcap_style styles[VFCAP_RESULTS] = {
		[VFCAP_DONE] = VFCAP_STYLE_GOOD,
		[VFCAP_UNCHANGED] = VFCAP_STYLE_PLAIN,
		[VFCAP_REFUSED] = VFCAP_STYLE_WARN,
		[VFCAP_FAILED] = VFCAP_STYLE_BAD,
	};

	vfcap_out_str(out, "  ");
	vfcap_out_style(out, styles[o->result]);
	if (earnest != EARNEST && o->n_steps)
		vfcap_out_str(out, earnest == DRY_RUN ? "would be done" : "not done");
	else
		vfcap_out_str(out, vfcap_result_name(o->result));
	vfcap_out_style(out, VFCAP_STYLE_PLAIN);
	if (o->undone)
		vfcap_out_str(out, ", taken back");
}

/* What failed was said; what was refused is the answer. */
static void print_body(struct vfcap_out *out, const struct vfcap_outcome *o, enum earnest earnest)
{
	const struct vfcap_step *step;
	unsigned int e;
	size_t i;

	print_result(out, o, earnest);
	if (o->result == VFCAP_FAILED && earnest == EARNEST) {
		vfcap_out_char(out, '\n');
		return;
	}
	vfcap_out_str(out, ": ");
	if (o->result == VFCAP_REFUSED) {
		if (o->emul < VFCAP_EMULS)
			vfcap_out_printf(out, "%s: ", emul_name(o->emul));
		vfcap_out_text(out, o->message);
		if (o->code != VFCAP_OK)
			vfcap_out_printf(out, " (%s)", vfcap_code_name(o->code));
		vfcap_out_char(out, '\n');
		return;
	}
	print_shows(out, o);
	for (i = 0; (step = vfcap_outcome_step(o, i)); i++)
		print_step(out, step);
	for (e = 0; e < VFCAP_EMULS; e++)
		if (o->pf_off[e])
			vfcap_out_printf(
				out,
				"    the PF has %s switched off: a guest sees it only once that is on\n",
				emul_name(e));
}

/* --------------------------------------------------------------------------------------- JSON -- */

json_t *vfcap_offsets_json(struct vfcap_json *json, const uint16_t offset[VFCAP_EMULS])
{
	static const char *const keys[VFCAP_EMULS] = { "pasid", "pri" };
	json_t *object = json_object();
	unsigned int e;

	for (e = 0; e < VFCAP_EMULS; e++)
		vfcap_json_set(json, object, keys[e],
			       offset[e] ? json_integer(offset[e]) : json_null());
	return object;
}

static json_t *step_json(struct vfcap_json *json, const struct vfcap_step *step)
{
	const char *name = vfcap_step_name(step), *attribute = vfcap_step_attribute(step);
	bool from = strcmp(name, "override") == 0 || strcmp(name, "unbind") == 0;
	bool to = strcmp(name, "override") == 0 || strcmp(name, "bind") == 0;
	json_t *object = json_object();

	vfcap_json_set(json, object, "step", json_string(name));
	if (attribute) {
		vfcap_json_set(json, object, "attribute", json_string(attribute));
		vfcap_json_set(json, object, "from", json_integer(vfcap_step_old(step)));
		vfcap_json_set(json, object, "to", json_integer(vfcap_step_new(step)));
	}
	if (from)
		vfcap_json_set(json, object, "from", vfcap_json_text(vfcap_step_from(step)));
	if (to)
		vfcap_json_set(json, object, "to", vfcap_json_text(vfcap_step_to(step)));
	return object;
}

static void print_json(struct changing *ch, const struct vfcap_outcome *o)
{
	const struct vfcap_function *pf = vfcap_function_pf(o->vf);
	struct vfcap_json *json = &ch->json;
	json_t *object = json_object(), *steps = json_array();
	const struct vfcap_step *step;
	size_t i;

	vfcap_json_set(json, object, "address", json_string(vfcap_function_name(o->vf)));
	if (pf)
		vfcap_json_set(json, object, "pf", json_string(vfcap_function_name(pf)));
	vfcap_json_set(json, object, "result", json_string(vfcap_result_name(o->result)));
	vfcap_json_set(json, object, "code",
		       o->code == VFCAP_OK ? json_null() : json_string(vfcap_code_name(o->code)));
	if (o->emul < VFCAP_EMULS)
		vfcap_json_set(json, object, "name", json_string(emul_name(o->emul)));
	if (o->message[0])
		vfcap_json_set(json, object, o->result == VFCAP_FAILED ? "error" : "reason",
			       vfcap_json_text(o->message));
	if (o->result == VFCAP_FAILED)
		vfcap_json_set(json, object, "undone", json_boolean(o->undone));
	if (o->result != VFCAP_REFUSED)
		vfcap_json_set(json, object, "configured", vfcap_offsets_json(json, o->offset));
	for (i = 0; (step = vfcap_outcome_step(o, i)); i++)
		vfcap_json_append(json, steps, step_json(json, step));
	vfcap_json_set(json, object, "steps", steps);
	if (ch->opt->dry_run)
		vfcap_json_set(json, object, "dry_run", json_true());
	vfcap_json_element(json, object);
}

/* ----------------------------------------------------------------------------------------- run -- */

static int status_of(enum vfcap_result result)
{
	static const int status[VFCAP_RESULTS] = {
		[VFCAP_DONE] = VFCAP_EXIT_DONE,
		[VFCAP_UNCHANGED] = VFCAP_EXIT_DONE,
		[VFCAP_REFUSED] = VFCAP_EXIT_NO,
		[VFCAP_FAILED] = VFCAP_EXIT_FAILED,
	};

	return status[result];
}

static void print_outcome(struct changing *ch, const struct vfcap_outcome *o)
{
	struct vfcap_out body;

	if (o->result == VFCAP_FAILED && strcmp(o->message, ch->said)) {
		vfcap_cli_error(ch->cli, "%s", o->message);
		snprintf(ch->said, sizeof(ch->said), "%s", o->message);
	}
	if (ch->cli->json) {
		print_json(ch, o);
		return;
	}
	vfcap_out_memory(&body, &ch->cli->out);
	print_body(&body, o,
		   ch->opt->dry_run		  ? DRY_RUN :
		   vfcap_has_kernel(ch->cli->ctx) ? EARNEST :
						    NO_KERNEL);
	if (!vfcap_groups_add(&ch->groups, &body, o->vf))
		ch->cli->out.error = -ENOMEM;
}

/* Can what a decision rests on be read? */
static int look(struct changing *ch, struct vfcap_function *const *vf, size_t n)
{
	struct vfcap_function *pf = vfcap_function_pf(vf[0]);
	int status = pf ? vfcap_cli_explain(ch->cli, pf) : VFCAP_EXIT_DONE;
	size_t i;

	for (i = 0; i < n; i++)
		status = vfcap_cli_worse(status, vfcap_cli_explain(ch->cli, vf[i]));
	return status;
}

/* VFs of one PF. */
static int change_pf(struct changing *ch, struct vfcap_function *const *vf, size_t n)
{
	int err, status = ch->opt->disable ? VFCAP_EXIT_DONE : look(ch, vf, n);
	struct vfcap_function *pf = vfcap_function_pf(vf[0]);
	const struct vfcap_outcome *o;
	struct vfcap_change *change;
	size_t i;

	err = vfcap_change(ch->cli->ctx, vf, n, ch->opt, &change);
	end_progress(ch);
	if (err) {
		vfcap_cli_error(ch->cli, "%s", vfcap_error(ch->cli->ctx));
		return VFCAP_EXIT_FAILED;
	}
	for (i = 0; (o = vfcap_change_outcome(change, i)); i++) {
		print_outcome(ch, o);
		status = vfcap_cli_worse(status, status_of(o->result));
		vfcap_function_drop(o->vf);
	}
	vfcap_change_free(change);
	vfcap_groups_print(&ch->groups, &ch->cli->out);
	vfcap_groups_clear(&ch->groups);
	if (pf)
		vfcap_function_drop(pf);
	return status;
}

/* VFs come PF by PF; those whose PF is not known, one by one. */
static int change_picked(struct changing *ch, const struct vfcap_picked *picked)
{
	int status = VFCAP_EXIT_DONE;
	size_t i, n;

	for (i = 0; i < picked->n && !ch->cli->out.error; i += n) {
		const struct vfcap_function *pf = vfcap_function_pf(picked->fn[i]);

		for (n = 1; pf && i + n < picked->n; n++)
			if (vfcap_function_pf(picked->fn[i + n]) != pf)
				break;
		status = vfcap_cli_worse(status, change_pf(ch, picked->fn + i, n));
	}
	return status;
}

int vfcap_cli_change(struct vfcap_cli *cli, struct vfcap_change_options *opt)
{
	struct changing ch = { .cli = cli, .opt = opt };
	struct vfcap_picked picked = { 0 };
	int status;

	if (!cli->n_device) {
		vfcap_cli_usage(cli, "%s: needs a DEVICE", cli->command->name);
		return VFCAP_EXIT_USAGE;
	}
	if (vfcap_cli_open(cli))
		return VFCAP_EXIT_FAILED;
	status = vfcap_cli_pick(cli, VFCAP_PICK_VFS, &picked);
	ch.progress = picked.n > QUICK && !cli->quiet && isatty(STDERR_FILENO);
	if (ch.progress)
		opt->progress = show_progress;
	if (!opt->disable && !opt->no_verify && !opt->dry_run)
		vfcap_cli_resets(cli, &picked);
	if (cli->json)
		vfcap_json_begin(&ch.json, &cli->out, "results");
	status = vfcap_cli_worse(status, change_picked(&ch, &picked));
	if (cli->json)
		vfcap_json_end(&ch.json);
	vfcap_picked_free(&picked);
	return status;
}
