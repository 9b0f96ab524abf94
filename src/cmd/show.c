// SPDX-License-Identifier: GPL-2.0-or-later
/* vfcap show: the chain of a function, decoded. Everything that is printed for each field goes
 * straight into the output's buffer: a host has some hundred thousand of them. */
#include "cmd.h"

#define LABEL_WIDTH 12 /* of a register */

enum { KEY_VIEW = 0x200, KEY_TOKEN };

static const struct argp_option options[] = {
	{ "view", KEY_VIEW, "hardware|vfio", 0,
	  "what the hardware has, or what a VMM sees of it through VFIO", 0 },
	{ "vf-token", KEY_TOKEN, "UUID", 0, "the VF token of a PF that is on vfio-pci", 0 },
	{ NULL, 0, NULL, 0, NULL, 0 },
};

struct show {
	bool through_vfio;
	const char *token;
};

/* What is shown of a function. */
struct view {
	struct vfcap_function *fn;
	struct vfcap_image *img;
	const struct vfcap_chain *chain; /* NULL: not known */
	const struct vfcap_shown *shown; /* NULL: the hardware's view */
	const struct vfcap_link
		*visible; /* of a VF's hardware, what vfio-pci shows: n_visible; NULL: not asked */
	unsigned int n_visible;
};

static bool is_hidden(const struct view *view, const struct vfcap_cap *cap)
{
	return view->visible && !vfcap_links_show(view->visible, view->n_visible, cap);
}

static bool is_emulated(const struct view *view, unsigned int off)
{
	unsigned int e;

	for (e = 0; view->shown && e < VFCAP_EMULS; e++)
		if (view->shown->offset[e] == off)
			return true;
	return false;
}

/* -------------------------------------------------------------------------------------- text -- */

static void print_field(struct vfcap_out *out, const struct vfcap_field *field, uint64_t reg)
{
	uint32_t value = vfcap_field_get(field, reg);
	const char *name;

	vfcap_out_char(out, ' ');
	vfcap_out_str(out, field->label);
	if (field->format == VFCAP_FLAG) {
		vfcap_out_char(out, value ? '+' : '-');
		return;
	}
	vfcap_out_char(out, '=');
	name = vfcap_field_name(field, value);
	if (name)
		vfcap_out_str(out, name);
	else if (field->format == VFCAP_HEX)
		vfcap_out_hex(out, value, 1);
	else
		vfcap_out_dec(out, value);
}

static void print_register(struct vfcap_out *out, const struct vfcap_regval *val)
{
	size_t start, len;
	unsigned int i;

	vfcap_out_bytes(out, "\t", 1);
	if (val->block) {
		vfcap_out_str(out, val->block);
		vfcap_out_dec(out, val->index);
		vfcap_out_char(out, ' ');
	}
	start = strlen(val->reg->label);
	vfcap_out_bytes(out, val->reg->label, start);
	len = start < LABEL_WIDTH ? LABEL_WIDTH - start : 1;
	vfcap_out_bytes(out, "            ", len);
	if (!val->known) {
		vfcap_out_str(out, "?\n");
		return;
	}
	vfcap_out_hex(out, val->value, val->reg->size * 2u);
	for (i = 0; i < val->reg->n_fields; i++)
		print_field(out, &val->reg->fields[i], val->value);
	vfcap_out_char(out, '\n');
}

/* What makes a capability special to guests. */
static void print_mark(struct vfcap_out *out, const struct view *view, const struct vfcap_cap *cap)
{
	const char *mark = is_hidden(view, cap)		  ? ", hidden by vfio-pci" :
			   is_emulated(view, cap->offset) ? ", emulated" :
							    NULL;

	if (!mark)
		return;
	vfcap_out_style(out, VFCAP_STYLE_WARN);
	vfcap_out_str(out, mark);
	vfcap_out_style(out, VFCAP_STYLE_PLAIN);
}

static void print_cap(struct vfcap_out *out, const struct view *view, const struct vfcap_cap *cap)
{
	const struct vfcap_capinfo *info = vfcap_capinfo(cap->id);
	struct vfcap_regiter it;
	struct vfcap_regval val;
	char buf[16];

	vfcap_out_str(out, "  [");
	vfcap_out_hex(out, cap->offset, 3);
	vfcap_out_str(out, " v");
	vfcap_out_dec(out, cap->version);
	vfcap_out_str(out, "] ");
	vfcap_out_style(out, VFCAP_STYLE_BOLD);
	vfcap_out_str(out, vfcap_cap_label(cap->id, buf));
	vfcap_out_style(out, VFCAP_STYLE_PLAIN);
	vfcap_out_str(out, "  ");
	vfcap_out_str(out, info ? info->title : "no name known");
	vfcap_out_str(out, ", ");
	vfcap_out_dec(out, cap->length);
	vfcap_out_str(out, " bytes");
	print_mark(out, view, cap);
	vfcap_out_char(out, '\n');
	vfcap_regs(&it, view->img, cap);
	while (vfcap_reg_next(&it, &val))
		print_register(out, &val);
}

static void print_anomalies(struct vfcap_out *out, const struct vfcap_chain *chain)
{
	struct vfcap_finding found;
	unsigned int pos = 0;

	while (vfcap_anomaly_next(chain, &pos, &found)) {
		vfcap_out_style(out, vfcap_anomaly_breaks(found.code) ? VFCAP_STYLE_BAD :
									VFCAP_STYLE_WARN);
		vfcap_out_printf(out, "  %s at 0x%03x: %s", vfcap_anomaly_name(found.code),
				 found.offset, vfcap_anomaly_text(found.code));
		if (found.other || found.code == VFCAP_NEXT_BELOW)
			vfcap_out_printf(out, " (0x%03x)", found.other);
		vfcap_out_style(out, VFCAP_STYLE_PLAIN);
		vfcap_out_char(out, '\n');
	}
}

static void print_relation(struct vfcap_out *out, struct vfcap_function *fn)
{
	const struct vfcap_function *pf = vfcap_function_pf(fn);
	int index = vfcap_function_vf_index(fn);

	if (vfcap_function_role(fn) == VFCAP_ROLE_PF)
		vfcap_out_printf(out, "  PF with %zu VFs", vfcap_vf_count(fn));
	if (vfcap_function_role(fn) != VFCAP_ROLE_VF)
		return;
	vfcap_out_str(out, "  VF");
	if (index >= 0)
		vfcap_out_printf(out, " %d", index);
	vfcap_out_printf(out, " of %s", pf ? vfcap_function_name(pf) : "an unknown PF");
}

static void print_head(struct vfcap_out *out, struct vfcap_function *fn)
{
	const char *title = vfcap_function_title(fn);

	vfcap_out_style(out, VFCAP_STYLE_BOLD);
	vfcap_out_str(out, vfcap_function_name(fn));
	vfcap_out_style(out, VFCAP_STYLE_PLAIN);
	if (vfcap_function_vendor(fn) >= 0 && vfcap_function_device(fn) >= 0)
		vfcap_out_printf(out, "  %04x:%04x", (unsigned int)vfcap_function_vendor(fn),
				 (unsigned int)vfcap_function_device(fn));
	print_relation(out, fn);
	if (vfcap_function_knows_driver(fn)) {
		vfcap_out_str(out, "  ");
		vfcap_out_driver(out, fn);
	}
	if (*title) {
		vfcap_out_str(out, "  ");
		vfcap_out_text(out, title);
	}
	vfcap_out_char(out, '\n');
}

static void show_text(struct vfcap_cli *cli, const struct view *view)
{
	unsigned int i;

	print_head(&cli->out, view->fn);
	if (!view->chain) {
		vfcap_out_str(&cli->out, "  extended capabilities: not known\n");
		return;
	}
	if (!view->chain->n)
		vfcap_out_str(&cli->out, "  no extended capabilities\n");
	for (i = 0; i < view->chain->n; i++)
		print_cap(&cli->out, view, &view->chain->cap[i]);
	print_anomalies(&cli->out, view->chain);
}

/* -------------------------------------------------------------------------------------- JSON -- */

static json_t *field_json(const struct vfcap_field *field, uint64_t reg)
{
	uint32_t value = vfcap_field_get(field, reg);
	const char *name = vfcap_field_name(field, value);

	if (field->format == VFCAP_FLAG)
		return json_boolean(value);
	return name ? json_string(name) : json_integer(value);
}

/* 64 bits are more than most readers of JSON keep of a number: they come in hex as well. */
static json_t *register_json(struct vfcap_json *json, const struct vfcap_regval *val)
{
	json_t *object = json_object(), *fields;
	unsigned int i;

	if (val->value <= INT64_MAX)
		vfcap_json_set(json, object, "value", json_integer((json_int_t)val->value));
	else
		vfcap_json_set(json, object, "value", json_real((double)val->value));
	if (val->reg->size == 8)
		vfcap_json_set(json, object, "hex",
			       json_sprintf("0x%016llx", (unsigned long long)val->value));
	if (!val->reg->n_fields)
		return object;
	fields = json_object();
	for (i = 0; i < val->reg->n_fields; i++)
		vfcap_json_set(json, fields, val->reg->fields[i].key,
			       field_json(&val->reg->fields[i], val->value));
	vfcap_json_set(json, object, "fields", fields);
	return object;
}

/* The object that a register stands in: the capability's own, or that of its repeated block. */
static json_t *block_json(struct vfcap_json *json, json_t *registers,
			  const struct vfcap_regval *val)
{
	json_t *array;

	if (!val->block)
		return registers;
	array = json_object_get(registers, val->block);
	if (!array) {
		vfcap_json_set(json, registers, val->block, json_array());
		array = json_object_get(registers, val->block);
	}
	while (array && json_array_size(array) <= val->index && !json->lost)
		vfcap_json_append(json, array, json_object());
	return json_array_get(array, val->index);
}

static json_t *registers_json(struct vfcap_json *json, struct vfcap_image *img,
			      const struct vfcap_cap *cap)
{
	json_t *registers = json_object();
	struct vfcap_regiter it;
	struct vfcap_regval val;

	vfcap_regs(&it, img, cap);
	while (vfcap_reg_next(&it, &val))
		if (val.known)
			vfcap_json_set(json, block_json(json, registers, &val), val.reg->key,
				       register_json(json, &val));
	return registers;
}

static json_t *cap_json(struct vfcap_json *json, const struct view *view,
			const struct vfcap_cap *cap)
{
	const struct vfcap_capinfo *info = vfcap_capinfo(cap->id);
	json_t *object = json_object();

	vfcap_json_set(json, object, "offset", json_integer(cap->offset));
	vfcap_json_set(json, object, "id", json_integer(cap->id));
	vfcap_json_set(json, object, "name", vfcap_json_text(info ? info->name : NULL));
	vfcap_json_set(json, object, "title", vfcap_json_text(info ? info->title : NULL));
	vfcap_json_set(json, object, "version", json_integer(cap->version));
	vfcap_json_set(json, object, "next", json_integer(cap->next));
	vfcap_json_set(json, object, "length", json_integer(cap->length));
	if (is_hidden(view, cap))
		vfcap_json_set(json, object, "visible", json_false());
	if (is_emulated(view, cap->offset))
		vfcap_json_set(json, object, "emulated", json_true());
	vfcap_json_set(json, object, "registers", registers_json(json, view->img, cap));
	return object;
}

static json_t *anomalies_json(struct vfcap_json *json, const struct vfcap_chain *chain)
{
	json_t *array = json_array(), *object;
	struct vfcap_finding found;
	unsigned int pos = 0;

	while (vfcap_anomaly_next(chain, &pos, &found)) {
		object = json_object();
		vfcap_json_set(json, object, "code", json_string(vfcap_anomaly_name(found.code)));
		vfcap_json_set(json, object, "offset", json_integer(found.offset));
		if (found.other || found.code == VFCAP_NEXT_BELOW)
			vfcap_json_set(json, object, "other", json_integer(found.other));
		vfcap_json_append(json, array, object);
	}
	return array;
}

static void show_json(struct vfcap_cli *cli, struct vfcap_json *json, const struct view *view)
{
	json_t *object = json_object(), *array;
	unsigned int i;

	vfcap_facts_json(cli, json, object, view->fn);
	if (view->shown)
		vfcap_json_set(json, object, "view", json_string("vfio"));
	if (view->chain) {
		array = json_array();
		for (i = 0; i < view->chain->n; i++)
			vfcap_json_append(json, array, cap_json(json, view, &view->chain->cap[i]));
		vfcap_json_set(json, object, "chain", array);
		vfcap_json_set(json, object, "anomalies", anomalies_json(json, view->chain));
	}
	vfcap_json_element(json, object);
}

/* --------------------------------------------------------------------------------------- run -- */

static void show_view(struct vfcap_cli *cli, struct vfcap_json *json, const struct view *view)
{
	if (cli->json)
		show_json(cli, json, view);
	else
		show_text(cli, view);
}

static int show_hardware(struct vfcap_cli *cli, struct vfcap_json *json, struct vfcap_function *fn)
{
	struct vfcap_link visible[VFCAP_CHAIN_MAX];
	struct view view = { .fn = fn };
	int status = vfcap_cli_explain(cli, fn);

	view.chain = vfcap_function_chain(fn);
	view.img = vfcap_function_image(fn);
	if (!view.img || !vfcap_chain_is_known(fn))
		view.chain = NULL;
	if (view.chain && vfcap_function_role(fn) == VFCAP_ROLE_VF) {
		view.visible = visible;
		view.n_visible =
			vfcap_chain_visible(view.chain, vfcap_kernel_release(cli->ctx), visible);
	}
	show_view(cli, json, &view);
	return status;
}

/* What is left of a function that cannot be opened is its name, and why. */
static int show_guest(struct vfcap_cli *cli, struct vfcap_json *json, struct vfcap_function *fn,
		      const char *token)
{
	struct vfcap_shown shown = { 0 };
	struct vfcap_image img;
	struct vfcap_chain chain;
	struct view view = { .fn = fn, .shown = &shown, .img = &img };
	struct vfcap_guest *guest;
	int err = vfcap_guest_open(fn, token, &guest);

	if (err) {
		vfcap_cli_not_opened(cli, err);
		show_view(cli, json, &view);
		return VFCAP_EXIT_FAILED;
	}
	vfcap_guest_shown(guest, &shown); /* another driver emulates nothing */
	vfcap_guest_image(guest, &img);
	vfcap_chain_walk(&chain, &img);
	view.chain = &chain;
	show_view(cli, json, &view);
	vfcap_guest_close(guest);
	if (img.error)
		vfcap_cli_error(cli, "%s: config through VFIO: %s", vfcap_function_name(fn),
				strerror(-img.error));
	return img.error ? VFCAP_EXIT_FAILED : VFCAP_EXIT_DONE;
}

static int show_all(struct vfcap_cli *cli, const struct show *show,
		    const struct vfcap_picked *picked)
{
	struct vfcap_json json;
	int status = VFCAP_EXIT_DONE;
	size_t i;

	if (show->through_vfio)
		vfcap_cli_resets(cli, picked);
	if (cli->json)
		vfcap_json_begin(&json, &cli->out, "functions");
	for (i = 0; i < picked->n && !cli->out.error; i++) {
		struct vfcap_function *fn = picked->fn[i];

		if (!cli->json && i)
			vfcap_out_char(&cli->out, '\n');
		status = vfcap_cli_worse(status, show->through_vfio ?
							 show_guest(cli, &json, fn, show->token) :
							 show_hardware(cli, &json, fn));
		vfcap_function_drop(fn);
	}
	if (cli->json)
		vfcap_json_end(&json);
	return status;
}

static int show_option(struct vfcap_cli *cli, int key, const char *arg, void *own)
{
	struct show *show = own;

	switch (key) {
	case KEY_VIEW:
		return vfcap_cli_view(cli, arg, &show->through_vfio);
	case KEY_TOKEN:
		return vfcap_cli_token(cli, arg, &show->token);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int show_run(struct vfcap_cli *cli)
{
	struct vfcap_picked picked = { 0 };
	struct show show = { 0 };
	int status = vfcap_cli_parse(cli, &show);

	if (status >= 0)
		return status;
	if (show.through_vfio && !cli->n_device) {
		vfcap_cli_usage(cli, "show --view vfio: needs a DEVICE: opening it may reset it");
		return VFCAP_EXIT_USAGE;
	}
	if (vfcap_cli_open(cli))
		return VFCAP_EXIT_FAILED;
	status = vfcap_cli_pick(cli, VFCAP_PICK_FUNCTIONS, &picked);
	status = vfcap_cli_worse(status, show_all(cli, &show, &picked));
	vfcap_picked_free(&picked);
	return status;
}

const struct vfcap_command vfcap_cmd_show = {
	.name = "show",
	.args = "[DEVICE...]",
	.doc = "the chain of extended capabilities, decoded\v"
	       "A flag is + or -, any other field NAME=VALUE. Without a DEVICE: every function.",
	.options = options,
	.option = show_option,
	.run = show_run,
};
