// SPDX-License-Identifier: GPL-2.0-or-later
/* vfcap status: what VFs are told to show, what a guest sees now, what a killed run left. */
#include <errno.h>
#include <stdlib.h>

#include "cmd.h"

#define FOLD 16 /* as list */

enum { KEY_REPAIR = 0x200 };

struct item {
	struct vfcap_function *vf;
	struct vfcap_status status;
	struct vfcap_leftover left;
	int left_err; /* it cannot be known */
	struct vfcap_enabled enabled;
	int enabled_err;
};

struct looking {
	struct vfcap_cli *cli;
	struct vfcap_json json;
	struct vfcap_table *table; /* NULL: JSON */
	bool repair;
	bool repaired; /* something was: VFs may have come and gone */
	char **said; /* n_said lines: what cannot be known of a PF is said once, not for each of its VFs */
	size_t n_said;
	int status;
	int error;
};

/* ----------------------------------------------------------------------------------- columns -- */

static const char *state_of(const struct vfcap_status *status)
{
	if (status->unbinding)
		return "unbinding";
	return status->bound && status->state[0] ? status->state : NULL;
}

static void fill_address(struct vfcap_out *cell, void *item)
{
	vfcap_out_str(cell, vfcap_function_name(((struct item *)item)->vf));
}

static void fill_pf(struct vfcap_out *cell, void *item)
{
	const struct vfcap_function *pf = vfcap_function_pf(((struct item *)item)->vf);

	if (pf)
		vfcap_out_str(cell, vfcap_function_name(pf));
}

static void fill_driver(struct vfcap_out *cell, void *item)
{
	vfcap_out_text(cell, ((struct item *)item)->status.driver);
}

static void fill_override(struct vfcap_out *cell, void *item)
{
	vfcap_out_text(cell, ((struct item *)item)->status.driver_override);
}

static void fill_state(struct vfcap_out *cell, void *item)
{
	const char *state = state_of(&((struct item *)item)->status);

	if (state)
		vfcap_out_text(cell, state);
}

static void fill_offset(struct vfcap_out *cell, const struct item *item, const uint16_t *offset,
			enum vfcap_emul e)
{
	if (!item->status.bound)
		return;
	if (offset[e])
		vfcap_out_hex(cell, offset[e], 3);
	else
		vfcap_out_str(cell, "no");
}

static void fill_pasid(struct vfcap_out *cell, void *item)
{
	fill_offset(cell, item, ((struct item *)item)->status.configured, VFCAP_EMUL_PASID);
}

static void fill_pri(struct vfcap_out *cell, void *item)
{
	fill_offset(cell, item, ((struct item *)item)->status.configured, VFCAP_EMUL_PRI);
}

static void fill_width(struct vfcap_out *cell, void *item)
{
	const struct vfcap_status *status = &((struct item *)item)->status;

	if (status->bound && status->width)
		vfcap_out_dec(cell, status->width);
}

static void out_places(struct vfcap_out *cell, const uint16_t offset[VFCAP_EMULS])
{
	const char *between = "";
	unsigned int e;

	for (e = 0; e < VFCAP_EMULS; e++) {
		if (!offset[e])
			continue;
		vfcap_out_printf(cell, "%s%s@%x", between, vfcap_capinfo(vfcap_emul_id(e))->name,
				 offset[e]);
		between = ",";
	}
}

static void fill_shown(struct vfcap_out *cell, void *item)
{
	out_places(cell, ((struct item *)item)->status.shown);
}

static void fill_changed(struct vfcap_out *cell, void *item)
{
	const struct vfcap_enabled *enabled = &((struct item *)item)->enabled;
	const struct vfcap_status *status = &((struct item *)item)->status;

	if (!enabled->changed)
		return;
	out_places(cell, enabled->offset);
	if (!status->bound || !enabled->offset[VFCAP_EMUL_PASID] || enabled->width == status->width)
		return;
	if (enabled->width)
		vfcap_out_printf(cell, " (%u bits)", enabled->width);
	else
		vfcap_out_str(cell, " (the PF's bits)");
}

/* "enable, 3 steps" */
static void out_leftover(struct vfcap_out *out, const struct vfcap_leftover *left)
{
	if (left->damaged) {
		vfcap_out_str(out, "damaged");
		return;
	}
	vfcap_out_str(out, left->command);
	if (left->running)
		vfcap_out_str(out, ", running");
	else if (left->done)
		vfcap_out_str(out, ", done");
	vfcap_out_printf(out, ", %zu step%s", left->n_steps, left->n_steps == 1 ? "" : "s");
}

static void fill_leftover(struct vfcap_out *cell, void *item)
{
	const struct item *it = item;

	if (it->left_err)
		vfcap_out_char(cell, '?');
	else if (it->left.there)
		out_leftover(cell, &it->left);
}

#define DEFAULT VFCAP_COLUMN_DEFAULT
#define RIGHT VFCAP_COLUMN_RIGHT

static const struct vfcap_column columns[] = {
	{ "ADDRESS", "domain:bus:device.function", DEFAULT | VFCAP_COLUMN_SPAN, fill_address },
	{ "PF", "its PF", 0, fill_pf },
	{ "DRIVER", "the bound driver", DEFAULT, fill_driver },
	{ "OVERRIDE", "the driver that it may be bound to", 0, fill_override },
	{ "STATE", "as vfcap's driver has it; unbinding: a driver waits for a user to let go",
	  DEFAULT, fill_state },
	{ "PASID", "the offset that is configured, or no", DEFAULT | RIGHT, fill_pasid },
	{ "PRI", "the same", DEFAULT | RIGHT, fill_pri },
	{ "WIDTH", "PASID bits that are configured; none: the PF's", DEFAULT | RIGHT, fill_width },
	{ "SHOWN", "what the open device shows, and at which offset", DEFAULT, fill_shown },
	{ "CHANGED", "what was enabled, where that is not what is configured now", DEFAULT,
	  fill_changed },
	{ "LEFTOVER", "what a killed run left; ?: cannot be known", DEFAULT, fill_leftover },
};

/* -------------------------------------------------------------------------------------- JSON -- */

static json_t *leftover_json(struct vfcap_json *json, const struct vfcap_leftover *left)
{
	json_t *object;

	if (!left->there)
		return json_null();
	object = json_object();
	if (!left->damaged) {
		vfcap_json_set(json, object, "command", json_string(left->command));
		vfcap_json_set(json, object, "n_steps", json_integer((json_int_t)left->n_steps));
		vfcap_json_set(json, object, "done", json_boolean(left->done));
	}
	vfcap_json_set(json, object, "running", json_boolean(left->running));
	vfcap_json_set(json, object, "damaged", json_boolean(left->damaged));
	return object;
}

static void add_json(struct looking *look, const struct item *item)
{
	const struct vfcap_function *pf = vfcap_function_pf(item->vf);
	const struct vfcap_status *status = &item->status;
	struct vfcap_json *json = &look->json;
	json_t *object = json_object();

	vfcap_json_set(json, object, "address", json_string(vfcap_function_name(item->vf)));
	if (pf)
		vfcap_json_set(json, object, "pf", json_string(vfcap_function_name(pf)));
	if (vfcap_function_knows_driver(item->vf))
		vfcap_json_set(json, object, "driver",
			       vfcap_json_text(status->driver[0] ? status->driver : NULL));
	if (!status->bound || state_of(status))
		vfcap_json_set(json, object, "state", vfcap_json_text(state_of(status)));
	vfcap_json_set(json, object, "configured", vfcap_offsets_json(json, status->configured));
	vfcap_json_set(json, object, "shown", vfcap_offsets_json(json, status->shown));
	if (status->bound)
		vfcap_json_set(json, object, "width", json_integer(status->width));
	if (!item->enabled_err) {
		vfcap_json_set(json, object, "enabled", vfcap_enabled_json(json, &item->enabled));
		vfcap_json_set(json, object, "changed", json_boolean(item->enabled.changed));
	}
	if (!item->left_err)
		vfcap_json_set(json, object, "leftover", leftover_json(json, &item->left));
	vfcap_json_element(json, object);
}

/* ----------------------------------------------------------------------------------------- run -- */

/* Fails with what the library says, which was perhaps said of another function. */
static void fail_once(struct looking *look)
{
	const char *line = vfcap_error(look->cli->ctx);
	char **more = realloc(look->said, (look->n_said + 1) * sizeof(*more));
	size_t i;

	look->status = vfcap_cli_worse(look->status, VFCAP_EXIT_FAILED);
	if (more)
		look->said = more;
	for (i = 0; i < look->n_said; i++)
		if (strcmp(look->said[i], line) == 0)
			return;
	vfcap_cli_error(look->cli, "%s", line);
	if (more && (more[look->n_said] = strdup(line)))
		look->n_said++;
}

static void free_said(struct looking *look)
{
	while (look->n_said)
		free(look->said[--look->n_said]);
	free(look->said);
}

/* Who is not root is not told, and that is no failure. */
static int find_leftover(struct looking *look, struct vfcap_function *fn,
			 struct vfcap_leftover *left)
{
	int err = vfcap_function_leftover(fn, left);

	if (err && (look->repair || err != -EACCES))
		fail_once(look);
	return err;
}

static int find_enabled(struct looking *look, struct vfcap_function *vf,
			struct vfcap_enabled *enabled)
{
	int err = vfcap_function_enabled(vf, enabled);

	if (err && err != -EACCES)
		fail_once(look);
	return err;
}

static void add_vf(struct looking *look, struct vfcap_function *vf)
{
	struct item item = { .vf = vf };
	long row = 0;

	if (look->error || look->cli->out.error)
		return;
	if (vfcap_function_status(vf, &item.status)) {
		vfcap_cli_error(look->cli, "%s", vfcap_error(look->cli->ctx));
		look->status = vfcap_cli_worse(look->status, VFCAP_EXIT_FAILED);
		return;
	}
	item.left_err = find_leftover(look, vf, &item.left);
	item.enabled_err = find_enabled(look, vf, &item.enabled);
	if (look->table)
		row = vfcap_table_add(look->table, VFCAP_TABLE_ROOT, &item);
	else
		add_json(look, &item);
	if (row < 0)
		look->error = (int)row;
}

/* It is not cut short by a signal: only waiting for another run is, and what would be next. */
static void repair(struct looking *look, struct vfcap_function *pf)
{
	int err = vfcap_repair(pf);

	look->repaired = true;
	if (err == -EINTR)
		look->cli->interrupted = true;
	else if (err)
		fail_once(look);
}

/* What a run has left of a PF is said, for its VFs may be gone; or repaired, which the library says. */
static void look_at_pf(struct looking *look, struct vfcap_function *pf)
{
	struct vfcap_out text = { 0 };
	struct vfcap_leftover left;

	if (find_leftover(look, pf, &left) || !left.there)
		return;
	if (look->repair) {
		repair(look, pf);
		return;
	}
	if (left.damaged) {
		vfcap_cli_error(
			look->cli,
			"%s: /run/vfcap/%s.undo: cannot be understood; look at it, then remove it",
			vfcap_function_name(pf), vfcap_function_name(pf));
		look->status = vfcap_cli_worse(look->status, VFCAP_EXIT_FAILED);
		return;
	}
	out_leftover(&text, &left);
	vfcap_out_char(&text, '\0');
	if (text.error)
		look->error = text.error;
	else if (left.running)
		vfcap_cli_note(look->cli, "%s: vfcap is at work on it", vfcap_function_name(pf));
	else
		vfcap_cli_warn(
			look->cli,
			"%s: a run that did not end has left something (%s): status --repair %s",
			vfcap_function_name(pf), text.buf,
			left.done ? "finishes it" : "takes it back");
	vfcap_out_free(&text);
}

/* The PF of what was picked, once for each; NULL: it was seen to, or there is none. */
static struct vfcap_function *pf_once(const struct vfcap_picked *picked, size_t i)
{
	struct vfcap_function *fn = picked->fn[i], *pf;

	if (vfcap_function_role(fn) == VFCAP_ROLE_PF)
		return fn;
	pf = vfcap_function_role(fn) == VFCAP_ROLE_VF ? vfcap_function_pf(fn) : NULL;
	if (!pf || vfcap_picked_has(picked, pf))
		return NULL;
	return i && vfcap_function_pf(picked->fn[i - 1]) == pf ? NULL : pf;
}

static void look_at_pfs(struct looking *look, const struct vfcap_picked *picked)
{
	size_t i;

	if (look->repair)
		vfcap_signals_catch(look->cli);
	for (i = 0; i < picked->n && !vfcap_signals_caught(); i++) {
		struct vfcap_function *pf = pf_once(picked, i);

		if (pf)
			look_at_pf(look, pf);
	}
}

static void add_picked(struct looking *look, const struct vfcap_picked *picked)
{
	struct vfcap_function *pf, *vf;
	size_t i;

	for (i = 0; i < picked->n; i++) {
		enum vfcap_role role = vfcap_function_role(picked->fn[i]);

		pf = vfcap_function_pf(picked->fn[i]);
		if (role == VFCAP_ROLE_PF)
			vfcap_vf_foreach(picked->fn[i], vf)
				add_vf(look, vf);
		else if (role == VFCAP_ROLE_VF && !(pf && vfcap_picked_has(picked, pf)))
			add_vf(look, picked->fn[i]);
		else if (role == VFCAP_ROLE_FUNCTION && look->cli->n_device) {
			vfcap_cli_error(look->cli, "%s: %s", vfcap_function_name(picked->fn[i]),
					vfcap_code_text(VFCAP_NOT_A_VF));
			look->status = vfcap_cli_worse(look->status, VFCAP_EXIT_NO);
		}
	}
}

static int look_at_all(struct looking *look)
{
	struct vfcap_cli *cli = look->cli;
	struct vfcap_picked picked = { 0 };
	int picking = vfcap_cli_pick(cli, VFCAP_PICK_FUNCTIONS, &picked);

	if (look->repair && !vfcap_has_kernel(cli->ctx)) {
		vfcap_cli_error(cli, "%s: there is no kernel behind it, nothing was repaired",
				vfcap_source(cli->ctx));
		look->repair = false;
		look->status = VFCAP_EXIT_FAILED;
	}
	look_at_pfs(look, &picked);
	if (look->repaired) {
		vfcap_picked_free(&picked);
		if (vfcap_failed_read(cli->ctx, false)) {
			vfcap_cli_error(cli, "%s", vfcap_failed_read(cli->ctx, false));
			look->status = VFCAP_EXIT_FAILED;
		}
		vfcap_free(cli->ctx);
		cli->ctx = NULL;
		if (vfcap_cli_open(cli))
			return VFCAP_EXIT_FAILED;
		picking = vfcap_cli_pick(cli, VFCAP_PICK_FUNCTIONS, &picked);
	}
	if (!look->table)
		vfcap_json_begin(&look->json, &cli->out, "status");
	add_picked(look, &picked);
	if (!look->table)
		vfcap_json_end(&look->json);
	else if (!look->error)
		look->error = vfcap_table_print(look->table, &cli->out, FOLD);
	if (look->error && !cli->out.error)
		cli->out.error = look->error;
	vfcap_picked_free(&picked);
	return vfcap_cli_worse(picking, look->status);
}

static int status_option(struct vfcap_cli *cli, int key, const char *arg, void *own)
{
	(void)cli;
	(void)arg;
	if (key != KEY_REPAIR)
		return ARGP_ERR_UNKNOWN;
	*(bool *)own = true;
	return 0;
}

static int status_run(struct vfcap_cli *cli)
{
	struct looking look = { .cli = cli };
	struct vfcap_table *table;
	const char *bad;
	int status = vfcap_cli_parse(cli, &look.repair);

	if (status >= 0)
		return status;
	table = vfcap_table_new(columns, VFCAP_ARRAY_LEN(columns), &cli->table, &cli->out, &bad);
	if (!table && bad)
		return vfcap_cli_unknown_column(cli, bad);
	if (!cli->json)
		look.table = table;
	if (!table) {
		vfcap_cli_error(cli, "%s", strerror(ENOMEM));
		status = VFCAP_EXIT_FAILED;
	} else {
		status = vfcap_cli_open(cli) ? VFCAP_EXIT_FAILED : look_at_all(&look);
	}
	vfcap_table_free(table);
	free_said(&look);
	return status;
}

static const struct argp_option options[] = {
	{ "repair", KEY_REPAIR, NULL, 0,
	  "take back what a killed run has left, or finish it when all was done but recorded", 0 },
	{ NULL, 0, NULL, 0, NULL, 0 },
};

const struct vfcap_command vfcap_cmd_status = {
	.name = "status",
	.args = "[DEVICE...]",
	.doc = "what VFs are told to show, what they show, what a killed run left\v"
	       "A PF stands for all its VFs; without a DEVICE: all VFs. What a run that was killed has left is named, "
	       "and the next enable or disable of that PF sees to it first, as --repair does.",
	.options = options,
	.columns = columns,
	.n_columns = VFCAP_ARRAY_LEN(columns),
	.option = status_option,
	.run = status_run,
};
