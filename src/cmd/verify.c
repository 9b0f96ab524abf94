// SPDX-License-Identifier: GPL-2.0-or-later
/* vfcap verify: does a guest see what is configured? */
#include <errno.h>

#include "cmd.h"

enum { KEY_WRITES = 0x200, KEY_TOKEN };

static const struct argp_option options[] = {
	{ "writes", KEY_WRITES, NULL, 0,
	  "write to the emulated registers too, and put back what was there", 0 },
	{ "vf-token", KEY_TOKEN, "UUID", 0, "the VF token of a PF that is on vfio-pci", 0 },
	{ NULL, 0, NULL, 0, NULL, 0 },
};

struct verify {
	bool writes;
	const char *token;
};

static int verify_option(struct vfcap_cli *cli, int key, const char *arg, void *own)
{
	struct verify *v = own;

	switch (key) {
	case KEY_WRITES:
		v->writes = true;
		return 0;
	case KEY_TOKEN:
		return vfcap_cli_token(cli, arg, &v->token);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* --------------------------------------------------------------------------------- the answer -- */

/* What came of one VF. */
struct outcome {
	const char *result; /* as JSON has it */
	const char *code; /* NULL: all is well */
	int status;
};

static const char *error_code(int err)
{
	static const struct {
		int err;
		const char *code;
	} codes[] = {
		{ -EOPNOTSUPP, "no-kernel" },  { -ENODEV, "not-vfio" },
		{ -ENXIO, "no-iommu" },	       { -EXDEV, "group-not-viable" },
		{ -EACCES, "no-permission" },  { -ENOKEY, "vf-token" },
		{ -EKEYREJECTED, "vf-token" }, { -EBUSY, "in-use" },
	};
	size_t i;

	for (i = 0; i < VFCAP_ARRAY_LEN(codes); i++)
		if (codes[i].err == err)
			return codes[i].code;
	return "error";
}

static struct outcome judge(const struct vfcap_verdict *verdict, int err)
{
	unsigned int e;

	if (err)
		return (struct outcome){ "failed", error_code(err), VFCAP_EXIT_FAILED };
	if (verdict->enabled.changed)
		return (struct outcome){ "refused", vfcap_code_name(VFCAP_CHANGED), VFCAP_EXIT_NO };
	if (!verdict->has_knob)
		return (struct outcome){ "refused", vfcap_code_name(VFCAP_NOT_BOUND),
					 VFCAP_EXIT_NO };
	for (e = 0; e < VFCAP_EMULS; e++)
		if (verdict->refused[e] != VFCAP_OK)
			return (struct outcome){ "refused", vfcap_code_name(verdict->refused[e]),
						 VFCAP_EXIT_NO };
	if (!vfcap_verdict_good(verdict))
		return (struct outcome){ "failed", "differs", VFCAP_EXIT_NO };
	return (struct outcome){ "done", NULL, VFCAP_EXIT_DONE };
}

static const char *emul_name(unsigned int e)
{
	return vfcap_capinfo(vfcap_emul_id((enum vfcap_emul)e))->name;
}

/* -------------------------------------------------------------------------------------- text -- */

/* width: 0: not said. */
static void print_offsets(struct vfcap_out *out, const uint16_t offset[VFCAP_EMULS],
			  unsigned int width)
{
	const char *before = "";
	unsigned int e;

	for (e = 0; e < VFCAP_EMULS; e++) {
		if (!offset[e])
			continue;
		vfcap_out_printf(out, "%s%s at 0x%03x", before, emul_name(e), offset[e]);
		if (e == VFCAP_EMUL_PASID && width)
			vfcap_out_printf(out, " (%u bits)", width);
		before = ", ";
	}
	if (!*before)
		vfcap_out_str(out, "nothing is emulated");
}

static void print_refused(struct vfcap_out *out, const struct vfcap_verdict *verdict)
{
	unsigned int e;

	for (e = 0; e < VFCAP_EMULS; e++)
		if (verdict->refused[e] != VFCAP_OK)
			vfcap_out_printf(
				out,
				"  %s at 0x%03x is configured, and a guest cannot see it: %s\n",
				emul_name(e), verdict->configured[e],
				vfcap_code_text(verdict->refused[e]));
}

static void print_differences(struct vfcap_out *out, const struct vfcap_verdict *verdict)
{
	size_t i;

	for (i = 0; i < verdict->n; i++) {
		const struct vfcap_difference *d = &verdict->difference[i];

		vfcap_out_printf(out, "    0x%03x  %02x expected, %02x found", d->offset,
				 d->expected, d->found);
		if (d->wrote_len)
			vfcap_out_printf(out, " after writing %0*x to 0x%03x", 2 * d->wrote_len,
					 d->wrote, d->wrote_at);
		vfcap_out_char(out, '\n');
	}
}

/* Nothing was opened. */
static void print_changed(struct vfcap_out *out, const struct vfcap_function *vf,
			  const struct vfcap_verdict *verdict)
{
	const struct vfcap_enabled *enabled = &verdict->enabled;
	const char *driver = vfcap_function_driver(vf);

	vfcap_out_style(out, VFCAP_STYLE_BAD);
	vfcap_out_str(out, "  was enabled: ");
	print_offsets(out, enabled->offset, enabled->width);
	vfcap_out_str(out, "; now: ");
	if (verdict->has_knob)
		print_offsets(out, verdict->configured, verdict->width);
	else if (driver)
		vfcap_out_str(out, "bound to ");
	else
		vfcap_out_str(out, "no driver is bound");
	if (!verdict->has_knob && driver)
		vfcap_out_text(out, driver);
	vfcap_out_printf(out, " (%s)", vfcap_code_name(VFCAP_CHANGED));
	vfcap_out_style(out, VFCAP_STYLE_PLAIN);
	vfcap_out_char(out, '\n');
}

/* Without a knob nothing was opened. */
static void print_no_knob(struct vfcap_out *out, const struct vfcap_function *vf)
{
	const char *driver = vfcap_function_driver(vf);

	vfcap_out_style(out, VFCAP_STYLE_BAD);
	vfcap_out_str(out, "  nothing is emulated: ");
	if (driver) {
		vfcap_out_str(out, "bound to ");
		vfcap_out_text(out, driver);
		vfcap_out_str(out, ", not to vfcap-vfio-pci");
	} else {
		vfcap_out_str(out, "no driver is bound, it takes vfcap-vfio-pci");
	}
	vfcap_out_style(out, VFCAP_STYLE_PLAIN);
	vfcap_out_char(out, '\n');
}

static bool any_refused(const struct vfcap_verdict *verdict)
{
	unsigned int e;

	for (e = 0; e < VFCAP_EMULS; e++)
		if (verdict->refused[e] != VFCAP_OK)
			return true;
	return false;
}

static void print_body(struct vfcap_out *out, struct vfcap_function *vf,
		       const struct vfcap_verdict *verdict)
{
	if (verdict->enabled.changed) {
		print_changed(out, vf, verdict);
		return;
	}
	if (!verdict->has_knob) {
		print_no_knob(out, vf);
		return;
	}
	vfcap_out_style(out, vfcap_verdict_good(verdict) ? VFCAP_STYLE_GOOD : VFCAP_STYLE_BAD);
	print_refused(out, verdict);
	if (verdict->n)
		vfcap_out_str(out, "  a guest sees otherwise than configured: ");
	else if (any_refused(verdict))
		vfcap_out_str(out, "  the rest of the chain is as it should be");
	else
		vfcap_out_str(out, "  a guest sees the chain as configured: ");
	if (verdict->n || !any_refused(verdict))
		print_offsets(out, verdict->configured, 0);
	vfcap_out_style(out, VFCAP_STYLE_PLAIN);
	vfcap_out_printf(out, " (%u header%s compared", verdict->n_links,
			 verdict->n_links == 1 ? "" : "s");
	if (verdict->n_writes)
		vfcap_out_printf(out, ", %u writes tried", verdict->n_writes);
	vfcap_out_str(out, ")\n");
	print_differences(out, verdict);
}

/* -------------------------------------------------------------------------------------- JSON -- */

static json_t *difference_json(struct vfcap_json *json, const struct vfcap_difference *d)
{
	json_t *object = json_object(), *wrote;

	vfcap_json_set(json, object, "offset", json_integer(d->offset));
	vfcap_json_set(json, object, "expected", json_integer(d->expected));
	vfcap_json_set(json, object, "found", json_integer(d->found));
	if (!d->wrote_len)
		return object;
	wrote = json_object();
	vfcap_json_set(json, wrote, "offset", json_integer(d->wrote_at));
	vfcap_json_set(json, wrote, "length", json_integer(d->wrote_len));
	vfcap_json_set(json, wrote, "value", json_integer(d->wrote));
	vfcap_json_set(json, object, "after_write", wrote);
	return object;
}

static void add_step(struct vfcap_json *json, json_t *steps, const char *step, json_t *detail)
{
	json_t *object = json_object();

	vfcap_json_set(json, object, "step", json_string(step));
	vfcap_json_set(json, object, "detail", detail);
	vfcap_json_append(json, steps, object);
}

static json_t *steps_json(struct vfcap_json *json, const struct vfcap_verdict *verdict)
{
	json_t *steps = json_array();

	if (verdict->how[0])
		add_step(json, steps, "open", json_string(verdict->how));
	if (verdict->n_links)
		add_step(json, steps, "compare", json_sprintf("%u headers", verdict->n_links));
	if (verdict->n_writes)
		add_step(json, steps, "write", json_sprintf("%u writes", verdict->n_writes));
	return steps;
}

static void print_json(struct vfcap_cli *cli, struct vfcap_json *json, struct vfcap_function *vf,
		       const struct vfcap_verdict *verdict, const struct outcome *outcome)
{
	json_t *object = json_object(), *differences = json_array();
	size_t i;

	vfcap_json_set(json, object, "address", json_string(vfcap_function_name(vf)));
	vfcap_json_set(json, object, "result", json_string(outcome->result));
	vfcap_json_set(json, object, "code", vfcap_json_text(outcome->code));
	if (outcome->status == VFCAP_EXIT_FAILED)
		vfcap_json_set(json, object, "error", vfcap_json_text(vfcap_error(cli->ctx)));
	vfcap_json_set(json, object, "steps", steps_json(json, verdict));
	if (verdict->enabled.there)
		vfcap_json_set(json, object, "enabled",
			       vfcap_enabled_json(json, &verdict->enabled));
	if (verdict->enabled.changed) {
		vfcap_json_set(json, object, "configured",
			       vfcap_offsets_json(json, verdict->configured));
		json_decref(differences);
	} else if (verdict->has_knob && outcome->status != VFCAP_EXIT_FAILED) {
		vfcap_json_set(json, object, "configured",
			       vfcap_offsets_json(json, verdict->configured));
		vfcap_json_set(json, object, "shown",
			       vfcap_offsets_json(json, verdict->shown.offset));
		for (i = 0; i < verdict->n; i++)
			vfcap_json_append(json, differences,
					  difference_json(json, &verdict->difference[i]));
		vfcap_json_set(json, object, "differences", differences);
	} else {
		json_decref(differences);
	}
	vfcap_json_element(json, object);
}

/* --------------------------------------------------------------------------------------- run -- */

/* What could not be done is said; what was answered goes to the output. */
static struct outcome verify_vf(struct vfcap_cli *cli, const struct verify *v,
				struct vfcap_function *vf, struct vfcap_verdict *verdict)
{
	int err;

	if (vfcap_function_role(vf) != VFCAP_ROLE_VF) {
		vfcap_cli_error(cli, "%s: %s", vfcap_function_name(vf),
				vfcap_code_text(VFCAP_NOT_A_VF));
		return (struct outcome){ "refused", vfcap_code_name(VFCAP_NOT_A_VF),
					 VFCAP_EXIT_NO };
	}
	err = vfcap_verify(vf, v->token, v->writes, verdict);
	if (err)
		vfcap_cli_not_opened(cli, err);
	return judge(verdict, err);
}

static int verify_one(struct vfcap_cli *cli, const struct verify *v, struct vfcap_function *vf,
		      struct vfcap_groups *groups, struct vfcap_json *json)
{
	struct vfcap_verdict verdict = { 0 };
	struct outcome outcome = verify_vf(cli, v, vf, &verdict);
	struct vfcap_out body = { 0 };

	if (cli->json) {
		print_json(cli, json, vf, &verdict, &outcome);
	} else if (outcome.status != VFCAP_EXIT_FAILED &&
		   vfcap_function_role(vf) == VFCAP_ROLE_VF) {
		vfcap_out_memory(&body, &cli->out);
		print_body(&body, vf, &verdict);
		if (!vfcap_groups_add(groups, &body, vf))
			cli->out.error = -ENOMEM;
	}
	vfcap_verdict_free(&verdict);
	vfcap_function_drop(vf);
	return outcome.status;
}

/* A PF's registers are asked for by each of its VFs. */
static void drop_pf(const struct vfcap_picked *picked, size_t i)
{
	struct vfcap_function *pf = vfcap_function_pf(picked->fn[i]);

	if (pf && (i + 1 == picked->n || vfcap_function_pf(picked->fn[i + 1]) != pf))
		vfcap_function_drop(pf);
}

static int verify_all(struct vfcap_cli *cli, const struct verify *v,
		      const struct vfcap_picked *picked)
{
	struct vfcap_groups groups = { 0 };
	struct vfcap_json json;
	int status = VFCAP_EXIT_DONE;
	size_t i;

	vfcap_cli_resets(cli, picked);
	if (cli->json)
		vfcap_json_begin(&json, &cli->out, "results");
	for (i = 0; i < picked->n && !cli->out.error; i++) {
		status = vfcap_cli_worse(status, verify_one(cli, v, picked->fn[i], &groups, &json));
		drop_pf(picked, i);
	}
	if (cli->json)
		vfcap_json_end(&json);
	vfcap_groups_print(&groups, &cli->out);
	vfcap_groups_clear(&groups);
	return status;
}

static int verify_run(struct vfcap_cli *cli)
{
	struct vfcap_picked picked = { 0 };
	struct verify v = { 0 };
	int status = vfcap_cli_parse(cli, &v);

	if (status >= 0)
		return status;
	if (!cli->n_device) {
		vfcap_cli_usage(cli, "verify: needs a DEVICE: it is opened, and reset by that");
		return VFCAP_EXIT_USAGE;
	}
	if (vfcap_cli_open(cli))
		return VFCAP_EXIT_FAILED;
	status = vfcap_cli_pick(cli, VFCAP_PICK_VFS, &picked);
	status = vfcap_cli_worse(status, verify_all(cli, &v, &picked));
	vfcap_picked_free(&picked);
	return status;
}

const struct vfcap_command vfcap_cmd_verify = {
	.name = "verify",
	.args = "DEVICE...",
	.doc = "does a guest see what is configured? Opens VFs through VFIO\v"
	       "Compares the chain and the emulated registers, byte for byte, with the plan for the "
	       "configured offsets, and those with what was enabled. A PF stands for all of its VFs. Exit status 3: something differs.",
	.options = options,
	.option = verify_option,
	.run = verify_run,
};
