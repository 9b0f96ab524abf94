// SPDX-License-Identifier: GPL-2.0-or-later
/* vfcap doctor: why PASID and shared virtual addressing do not work here. */
#include <errno.h>
#include <stdlib.h>

#include "cmd.h"

enum { KEY_OPEN = 0x200, KEY_TOKEN };

static const struct argp_option options[] = {
	{ "open", KEY_OPEN, NULL, 0,
	  "ask iommufd too what the IOMMU can do; opens VFs that nobody uses, which may reset them",
	  0 },
	{ "vf-token", KEY_TOKEN, "UUID", 0, "the VF token of a PF that is on vfio-pci", 0 },
	{ NULL, 0, NULL, 0, NULL, 0 },
};

#define SELF '\1' /* stands for a VF's own address until it is known of how many VFs it is said */

struct doctor {
	struct vfcap_cli *cli;
	bool open;
	const char *token;
	struct vfcap_doctor *doctor;
	struct vfcap_picked picked;
	struct vfcap_checks checks;
	struct vfcap_json json;
	struct vfcap_groups groups;
	size_t n[VFCAP_HEALTHS];
	size_t sections;
	int status;
};

/* -------------------------------------------------------------------------------------- text -- */

static void print_check(struct vfcap_out *out, const struct vfcap_cli *cli,
			const struct vfcap_check *check)
{
	static const enum vfcap_style style[VFCAP_HEALTHS] = {
		[VFCAP_PASS] = VFCAP_STYLE_GOOD,
		[VFCAP_FAIL] = VFCAP_STYLE_BAD,
		[VFCAP_UNKNOWN] = VFCAP_STYLE_WARN,
	};

	vfcap_out_str(out, "  ");
	vfcap_out_style(out, style[check->result]);
	vfcap_out_printf(out, "%-7s", vfcap_health_name(check->result));
	vfcap_out_style(out, VFCAP_STYLE_PLAIN);
	vfcap_out_printf(out, "  %-16s  ", check->id);
	if (cli->verbose)
		vfcap_out_printf(out, "%s: ", check->title);
	vfcap_out_text(out, check->evidence);
	if (check->fix[0]) {
		vfcap_out_str(out, "; fix: ");
		vfcap_out_style(out, VFCAP_STYLE_BOLD);
		vfcap_out_text(out, check->fix);
		vfcap_out_style(out, VFCAP_STYLE_PLAIN);
	}
	vfcap_out_char(out, '\n');
}

static bool is_shown(const struct vfcap_cli *cli, const struct vfcap_check *check)
{
	return !cli->quiet || check->result == VFCAP_FAIL;
}

/* Puts SELF wherever the VF is named behind from, so that others may be meant too. */
static void hide_name(struct vfcap_out *body, size_t from, const char *name)
{
	size_t len = strlen(name), to = from;

	while (from < body->n) {
		if (body->n - from >= len && memcmp(body->buf + from, name, len) == 0) {
			body->buf[to++] = SELF;
			from += len;
		} else {
			body->buf[to++] = body->buf[from++];
		}
	}
	body->n = to;
}

/* self: the VF that it is about, which vfcap's own commands can have any number of; NULL. */
static void print_checks(struct vfcap_out *out, const struct doctor *look, const char *self)
{
	size_t i;

	for (i = 0; i < look->checks.n; i++) {
		const struct vfcap_check *check = &look->checks.check[i];
		size_t start = out->n;

		if (!is_shown(look->cli, check))
			continue;
		print_check(out, look->cli, check);
		if (self && strncmp(check->fix, "vfcap ", 6) == 0)
			hide_name(out, start, self);
	}
}

static void begin_section(struct doctor *look)
{
	if (look->sections++)
		vfcap_out_char(&look->cli->out, '\n');
}

static void print_section(struct doctor *look, const char *title, const char *more)
{
	struct vfcap_out *out = &look->cli->out, body;

	vfcap_out_memory(&body, out);
	print_checks(&body, look, NULL);
	if (body.error) {
		out->error = out->error ? out->error : body.error;
	} else if (body.n) {
		begin_section(look);
		vfcap_out_style(out, VFCAP_STYLE_BOLD);
		vfcap_out_text(out, title);
		vfcap_out_style(out, VFCAP_STYLE_PLAIN);
		vfcap_out_text(out, more);
		vfcap_out_char(out, '\n');
		vfcap_out_bytes(out, body.buf, body.n);
	}
	vfcap_out_free(&body);
}

/* ------------------------------------------------------------------------- VFs that are the same -- */

/* From one to the last VF whose index follows. */
static size_t last_of_run(const struct vfcap_group *group, size_t first)
{
	size_t i = first;

	while (i + 1 < group->n && vfcap_function_vf_index(group->vf[i + 1]) ==
					   vfcap_function_vf_index(group->vf[i]) + 1)
		i++;
	return i;
}

/* VFs as a command line names them: "0000:3b:00.0/vf0-3 0000:3b:00.0/vf6". */
static void print_devices(struct vfcap_out *out, const struct vfcap_group *group)
{
	const struct vfcap_function *pf = vfcap_function_pf(group->vf[0]);
	size_t i, last;

	for (i = 0; i < group->n; i = last + 1) {
		int index = vfcap_function_vf_index(group->vf[i]);

		last = pf && index >= 0 ? last_of_run(group, i) : i;
		if (i)
			vfcap_out_char(out, ' ');
		if (last == i)
			vfcap_out_str(out, vfcap_function_name(group->vf[i]));
		else
			vfcap_out_printf(out, "%s/vf%d-%d", vfcap_function_name(pf), index,
					 vfcap_function_vf_index(group->vf[last]));
	}
}

static void print_groups(struct doctor *look)
{
	struct vfcap_out *out = &look->cli->out;
	size_t g, i;

	for (g = 0; g < look->groups.n; g++) {
		const struct vfcap_group *group = &look->groups.group[g];

		begin_section(look);
		vfcap_out_vfs(out, group->vf, group->n);
		for (i = 0; i < group->body.n; i++) {
			if (group->body.buf[i] == SELF)
				print_devices(out, group);
			else
				vfcap_out_char(out, group->body.buf[i]);
		}
	}
	vfcap_groups_clear(&look->groups);
}

static void group_vf(struct doctor *look, struct vfcap_function *vf)
{
	struct vfcap_out body;

	vfcap_out_memory(&body, &look->cli->out);
	print_checks(&body, look, vfcap_function_name(vf));
	if (!body.n && !body.error) /* with -q, of one that is well */
		vfcap_out_free(&body);
	else if (!vfcap_groups_add(&look->groups, &body, vf) && !look->cli->out.error)
		look->cli->out.error = -ENOMEM;
}

/* -------------------------------------------------------------------------------------- JSON -- */

static void print_json(struct doctor *look, const char *address, const char *iommu)
{
	size_t i;

	for (i = 0; i < look->checks.n; i++) {
		const struct vfcap_check *check = &look->checks.check[i];
		json_t *object;

		if (!is_shown(look->cli, check))
			continue;
		object = json_object();
		vfcap_json_set(&look->json, object, "id", json_string(check->id));
		vfcap_json_set(&look->json, object, "address", vfcap_json_text(address));
		if (iommu)
			vfcap_json_set(&look->json, object, "iommu", vfcap_json_text(iommu));
		vfcap_json_set(&look->json, object, "title", json_string(check->title));
		vfcap_json_set(&look->json, object, "result",
			       json_string(vfcap_health_name(check->result)));
		vfcap_json_set(&look->json, object, "evidence", vfcap_json_text(check->evidence));
		vfcap_json_set(&look->json, object, "fix",
			       vfcap_json_text(check->fix[0] ? check->fix : NULL));
		vfcap_json_element(&look->json, object);
	}
}

/* ----------------------------------------------------------------------------------------- run -- */

static void count(struct doctor *look)
{
	size_t i;

	for (i = 0; i < look->checks.n; i++)
		look->n[look->checks.check[i].result]++;
}

static void examine_host(struct doctor *look)
{
	vfcap_doctor_host(look->doctor, &look->checks);
	count(look);
	if (look->cli->json)
		print_json(look, NULL, NULL);
	else
		print_section(look, "The host", "");
}

static void examine_iommu(struct doctor *look, size_t i)
{
	const char *name = vfcap_doctor_iommu_name(look->doctor, i);

	vfcap_doctor_iommu(look->doctor, i, &look->checks);
	count(look);
	if (look->cli->json)
		print_json(look, NULL, name);
	else
		print_section(look, name, " (IOMMU)");
}

/* Those that the functions are below; all, when a function does not tell. */
static void examine_iommus(struct doctor *look)
{
	size_t n = vfcap_doctor_iommus(look->doctor), i, k;
	bool all = !look->cli->n_device;

	for (k = 0; k < look->picked.n && !all; k++)
		all = vfcap_doctor_iommu_of(look->doctor, look->picked.fn[k]) < 0;
	for (i = 0; i < n; i++) {
		for (k = 0; k < look->picked.n && !all; k++)
			if (vfcap_doctor_iommu_of(look->doctor, look->picked.fn[k]) == (int)i)
				break;
		if (all || k < look->picked.n)
			examine_iommu(look, i);
	}
}

static bool examine(struct doctor *look, struct vfcap_function *fn)
{
	int unread = vfcap_cli_explain(look->cli, fn);

	look->status = vfcap_cli_worse(look->status, unread);
	if (vfcap_doctor_function(look->doctor, fn, &look->checks)) {
		vfcap_cli_error(look->cli, "%s", vfcap_error(look->cli->ctx));
		look->status = vfcap_cli_worse(look->status, VFCAP_EXIT_FAILED);
		return false;
	}
	count(look);
	if (look->cli->json)
		print_json(look, vfcap_function_name(fn), NULL);
	return true;
}

static void examine_pf(struct doctor *look, struct vfcap_function *pf)
{
	bool is_pf = vfcap_function_role(pf) == VFCAP_ROLE_PF;

	if (examine(look, pf) && !look->cli->json)
		print_section(look, vfcap_function_name(pf), is_pf ? " (PF)" : " (no PF)");
}

static void examine_vf(struct doctor *look, struct vfcap_function *vf)
{
	if (examine(look, vf) && !look->cli->json)
		group_vf(look, vf);
}

/* A PF and its VFs: all of them, or those that were picked. */
static void examine_family(struct doctor *look, struct vfcap_function *pf)
{
	bool all = vfcap_picked_has(&look->picked, pf);
	struct vfcap_function *vf;

	examine_pf(look, pf);
	vfcap_vf_foreach(pf, vf)
		if (all || vfcap_picked_has(&look->picked, vf))
			examine_vf(look, vf);
	print_groups(look);
	vfcap_function_drop(pf);
}

/* Was the PF of this one dealt with, with another VF or by itself? */
static bool is_done(const struct vfcap_picked *picked, size_t i, const struct vfcap_function *pf)
{
	return vfcap_picked_has(picked, pf) || (i && vfcap_function_pf(picked->fn[i - 1]) == pf);
}

static void examine_functions(struct doctor *look)
{
	size_t i;

	for (i = 0; i < look->picked.n; i++) {
		struct vfcap_function *fn = look->picked.fn[i], *pf = vfcap_function_pf(fn);
		enum vfcap_role role = vfcap_function_role(fn);

		if (role == VFCAP_ROLE_PF) {
			examine_family(look, fn);
		} else if (role == VFCAP_ROLE_VF && pf && !is_done(&look->picked, i, pf)) {
			examine_family(look, pf);
		} else if (role == VFCAP_ROLE_VF && !pf) {
			examine_vf(look, fn);
			print_groups(look);
		} else if (role == VFCAP_ROLE_FUNCTION && look->cli->n_device) {
			examine_pf(look, fn);
		}
	}
}

static void print_summary(struct doctor *look)
{
	struct vfcap_out *out = &look->cli->out;

	if (look->cli->quiet)
		return;
	begin_section(look);
	vfcap_out_printf(out, "%zu failed, %zu unknown, %zu passed\n", look->n[VFCAP_FAIL],
			 look->n[VFCAP_UNKNOWN], look->n[VFCAP_PASS]);
}

static int examine_all(struct doctor *look)
{
	struct vfcap_cli *cli = look->cli;
	int status = vfcap_cli_pick(cli, VFCAP_PICK_FUNCTIONS, &look->picked);

	if (cli->n_device && !look->picked.n)
		return status;
	if (vfcap_doctor_open(cli->ctx, &look->doctor)) {
		vfcap_cli_error(cli, "%s", vfcap_error(cli->ctx));
		return VFCAP_EXIT_FAILED;
	}
	if (look->open) {
		vfcap_cli_resets(cli, &look->picked);
		vfcap_doctor_ask(look->doctor, look->token);
	}
	if (cli->json)
		vfcap_json_begin(&look->json, &cli->out, "checks");
	examine_host(look);
	examine_iommus(look);
	examine_functions(look);
	if (cli->json)
		vfcap_json_end(&look->json);
	else
		print_summary(look);
	vfcap_doctor_close(look->doctor);
	status = vfcap_cli_worse(status, look->status);
	return vfcap_cli_worse(status, look->n[VFCAP_FAIL] ? VFCAP_EXIT_NO : VFCAP_EXIT_DONE);
}

static int doctor_option(struct vfcap_cli *cli, int key, const char *arg, void *own)
{
	struct doctor *look = own;

	switch (key) {
	case KEY_OPEN:
		look->open = true;
		return 0;
	case KEY_TOKEN:
		return vfcap_cli_token(cli, arg, &look->token);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int doctor_run(struct vfcap_cli *cli)
{
	struct doctor look = { .cli = cli };
	int status = vfcap_cli_parse(cli, &look);

	if (status >= 0)
		return status;
	if (look.token && !look.open) {
		vfcap_cli_usage(cli, "doctor: --vf-token goes with --open");
		return VFCAP_EXIT_USAGE;
	}
	status = vfcap_cli_open(cli) ? VFCAP_EXIT_FAILED : examine_all(&look);
	vfcap_picked_free(&look.picked);
	return status;
}

const struct vfcap_command vfcap_cmd_doctor = {
	.name = "doctor",
	.args = "[DEVICE...]",
	.doc = "why PASID and shared virtual addressing do not work here\v"
	       "One line for each check: whether it passed, what was seen, and what helps. Without a DEVICE: all "
	       "PFs and their VFs; a PF stands for its VFs too. With -q only what failed, with -v what "
	       "each check asks.",
	.options = options,
	.option = doctor_option,
	.run = doctor_run,
};
