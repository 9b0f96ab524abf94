// SPDX-License-Identifier: GPL-2.0-or-later
/* What came of VFs that were changed, or were to be: of enable, disable and apply. */
#include <errno.h>

#include "cmd.h"

static const char *emul_name(unsigned int e)
{
	return vfcap_capinfo(vfcap_emul_id(e))->name;
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
	else if (strcmp(name, "numvfs") == 0)
		vfcap_out_printf(out, "sriov_numvfs %u (was %u)\n", vfcap_step_new(step),
				 vfcap_step_old(step));
	else if (strcmp(name, "autoprobe") == 0)
		vfcap_out_printf(out, "sriov_drivers_autoprobe %u (was %u)\n", vfcap_step_new(step),
				 vfcap_step_old(step));
	else if (strcmp(name, "forget") == 0)
		vfcap_out_str(out, "forget what vfcap-vfio-pci keeps of it\n");
	else if (strcmp(name, "module") == 0)
		vfcap_out_str(out, "modprobe vfcap_vfio_pci\n");
	else
		vfcap_out_str(out, "verify through VFIO\n");
}

static void print_shows(struct vfcap_out *out, const struct vfcap_outcome *o)
{
	const char *before = "";
	unsigned int e;

	if (o->is_pf) {
		vfcap_out_printf(out, "%u VF%s\n", o->numvfs, o->numvfs == 1 ? "" : "s");
		return;
	}
	for (e = 0; e < VFCAP_EMULS; e++) {
		if (!o->offset[e] && !o->later[e])
			continue;
		vfcap_out_printf(out, "%s%s at ", before, emul_name(e));
		if (o->offset[e])
			vfcap_out_printf(out, "0x%03x", o->offset[e]);
		else
			vfcap_out_str(out, "the place that is found when the VF is there");
		if (e == VFCAP_EMUL_PASID && o->width)
			vfcap_out_printf(out, " (%u bits)", o->width);
		before = ", ";
	}
	if (!*before)
		vfcap_out_str(out, "nothing is emulated");
	vfcap_out_char(out, '\n');
}

/* Steps of what failed are shown only where a kernel to make them was all that lacked. */
static bool is_plain_failure(const struct vfcap_outcome *o, enum vfcap_earnest earnest)
{
	return o->result == VFCAP_FAILED && (earnest != VFCAP_NO_KERNEL || !o->n_steps);
}

static void print_result(struct vfcap_out *out, const struct vfcap_outcome *o,
			 enum vfcap_earnest earnest)
{
	static const enum vfcap_style styles[VFCAP_RESULTS] = {
		[VFCAP_DONE] = VFCAP_STYLE_GOOD,
		[VFCAP_UNCHANGED] = VFCAP_STYLE_PLAIN,
		[VFCAP_REFUSED] = VFCAP_STYLE_WARN,
		[VFCAP_FAILED] = VFCAP_STYLE_BAD,
	};

	vfcap_out_str(out, "  ");
	vfcap_out_style(out, styles[o->result]);
	if (earnest != VFCAP_EARNEST && !is_plain_failure(o, earnest) && o->n_steps)
		vfcap_out_str(out, earnest == VFCAP_CHECK   ? "differs" :
				   earnest == VFCAP_DRY_RUN ? "would be done" :
							      "not done");
	else
		vfcap_out_str(out, vfcap_result_name(o->result));
	vfcap_out_style(out, VFCAP_STYLE_PLAIN);
	if (o->undone)
		vfcap_out_str(out, ", taken back");
}

/* What failed was said; what was refused is the answer. */
static void print_body(struct vfcap_out *out, const struct vfcap_outcome *o,
		       enum vfcap_earnest earnest)
{
	const struct vfcap_step *step;
	unsigned int e;
	size_t i;

	print_result(out, o, earnest);
	if (is_plain_failure(o, earnest)) {
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

json_t *vfcap_enabled_json(struct vfcap_json *json, const struct vfcap_enabled *enabled)
{
	json_t *object;

	if (!enabled->there)
		return json_null();
	object = vfcap_offsets_json(json, enabled->offset);
	vfcap_json_set(json, object, "width", json_integer(enabled->width));
	return object;
}

static json_t *step_json(struct vfcap_json *json, const struct vfcap_step *step)
{
	const char *name = vfcap_step_name(step), *attribute = vfcap_step_attribute(step);
	bool from = strcmp(name, "override") == 0 || strcmp(name, "unbind") == 0;
	bool to = strcmp(name, "override") == 0 || strcmp(name, "bind") == 0;
	bool number = attribute || strcmp(name, "numvfs") == 0 || strcmp(name, "autoprobe") == 0;
	json_t *object = json_object();

	vfcap_json_set(json, object, "step", json_string(name));
	if (attribute)
		vfcap_json_set(json, object, "attribute", json_string(attribute));
	if (number) {
		vfcap_json_set(json, object, "from", json_integer(vfcap_step_old(step)));
		vfcap_json_set(json, object, "to", json_integer(vfcap_step_new(step)));
	}
	if (from)
		vfcap_json_set(json, object, "from", vfcap_json_text(vfcap_step_from(step)));
	if (to)
		vfcap_json_set(json, object, "to", vfcap_json_text(vfcap_step_to(step)));
	return object;
}

static void print_json(struct vfcap_outcomes *ch, const struct vfcap_outcome *o)
{
	const struct vfcap_function *pf = vfcap_function_pf(o->vf);
	struct vfcap_json *json = &ch->json;
	json_t *object = json_object(), *steps = json_array();
	bool decided = o->step; /* what failed before that is neither configured nor otherwise */
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
	if (o->is_pf)
		vfcap_json_set(json, object, "numvfs", json_integer(o->numvfs));
	else if (decided && o->result != VFCAP_REFUSED)
		vfcap_json_set(json, object, "configured", vfcap_offsets_json(json, o->offset));
	for (i = 0; (step = vfcap_outcome_step(o, i)); i++)
		vfcap_json_append(json, steps, step_json(json, step));
	vfcap_json_set(json, object, "steps", steps);
	if (ch->earnest != VFCAP_EARNEST)
		vfcap_json_set(json, object, "dry_run", json_true());
	if (decided && ch->earnest == VFCAP_CHECK)
		vfcap_json_set(json, object, "drift", json_boolean(o->n_steps));
	vfcap_json_element(json, object);
}

/* ---------------------------------------------------------------------------------------- all -- */

void vfcap_outcomes_begin(struct vfcap_outcomes *o, struct vfcap_cli *cli,
			  enum vfcap_earnest earnest)
{
	*o = (struct vfcap_outcomes){ .cli = cli, .earnest = earnest };
	if (cli->json)
		vfcap_json_begin(&o->json, &cli->out, "results");
}

void vfcap_outcomes_flush(struct vfcap_outcomes *o)
{
	vfcap_groups_print(&o->groups, &o->cli->out);
	vfcap_groups_clear(&o->groups);
}

void vfcap_outcomes_end(struct vfcap_outcomes *o)
{
	vfcap_outcomes_flush(o);
	if (o->cli->json)
		vfcap_json_end(&o->json);
}

/* Once for VFs of a PF. */
static void warn_denylisted(struct vfcap_outcomes *o, const struct vfcap_outcome *out)
{
	const struct vfcap_function *pf = vfcap_function_pf(out->vf);

	if (!out->denylisted || out->result == VFCAP_REFUSED || o->denylisted == pf)
		return;
	vfcap_cli_warn(o->cli,
		       "%s: vfio-pci refuses %04x:%04x for errata that a guest can exploit; "
		       "the module's parameter disable_denylist allows it",
		       vfcap_function_name(out->vf), vfcap_function_vendor(out->vf),
		       vfcap_function_device(out->vf));
	o->denylisted = pf;
}

static int status_of(const struct vfcap_outcomes *o, const struct vfcap_outcome *out)
{
	static const int status[VFCAP_RESULTS] = {
		[VFCAP_DONE] = VFCAP_EXIT_DONE,
		[VFCAP_UNCHANGED] = VFCAP_EXIT_DONE,
		[VFCAP_REFUSED] = VFCAP_EXIT_NO,
		[VFCAP_FAILED] = VFCAP_EXIT_FAILED,
	};
	bool drift = o->earnest == VFCAP_CHECK && out->result == VFCAP_UNCHANGED && out->n_steps;

	return drift ? VFCAP_EXIT_NO : status[out->result];
}

static void print_pf(struct vfcap_outcomes *o, const struct vfcap_outcome *out,
		     enum vfcap_earnest earnest)
{
	struct vfcap_out *to = &o->cli->out;

	vfcap_outcomes_flush(o);
	if (o->groups.printed++)
		vfcap_out_char(to, '\n');
	vfcap_out_style(to, VFCAP_STYLE_BOLD);
	vfcap_out_str(to, vfcap_function_name(out->vf));
	vfcap_out_style(to, VFCAP_STYLE_PLAIN);
	vfcap_out_str(to, " (PF)\n");
	print_body(to, out, earnest);
}

int vfcap_outcomes_add(struct vfcap_outcomes *o, const struct vfcap_outcome *out)
{
	enum vfcap_earnest earnest = o->earnest;
	struct vfcap_out body;

	if (earnest == VFCAP_EARNEST && !vfcap_has_kernel(o->cli->ctx))
		earnest = VFCAP_NO_KERNEL;
	o->cli->interrupted |= out->interrupted;
	o->cli->taken_back |= out->interrupted && out->undone;
	if (out->result == VFCAP_FAILED && !out->interrupted && strcmp(out->message, o->said)) {
		vfcap_cli_error(o->cli, "%s", out->message);
		snprintf(o->said, sizeof(o->said), "%s", out->message);
	}
	warn_denylisted(o, out);
	if (o->cli->json) {
		print_json(o, out);
	} else if (out->is_pf) {
		print_pf(o, out, earnest);
	} else {
		vfcap_out_memory(&body, &o->cli->out);
		print_body(&body, out, earnest);
		if (!vfcap_groups_add(&o->groups, &body, out->vf))
			o->cli->out.error = -ENOMEM;
	}
	return status_of(o, out);
}
