// SPDX-License-Identifier: GPL-2.0-or-later
/* vfcap list: every PF and VF at a glance. */
#include "cmd.h"

#define FOLD 16 /* more VFs in a row than this that look the same are one line on a terminal */

struct list_options {
	bool all;
};

struct list {
	struct vfcap_cli *cli;
	struct vfcap_json json;
	struct vfcap_table *table; /* NULL: JSON */
	size_t shown;
	int error;
};

struct item {
	struct vfcap_cli *cli;
	struct vfcap_function *fn;
};

/* ----------------------------------------------------------------------------------- columns -- */

static struct vfcap_function *fn_of(void *item)
{
	return ((struct item *)item)->fn;
}

static void fill_number(struct vfcap_out *cell, int value)
{
	if (value >= 0)
		vfcap_out_dec(cell, (unsigned int)value);
}

static void fill_hex(struct vfcap_out *cell, int value, unsigned int digits)
{
	if (value >= 0)
		vfcap_out_hex(cell, (unsigned int)value, digits);
}

static void fill_address(struct vfcap_out *cell, void *item)
{
	vfcap_out_str(cell, vfcap_function_name(fn_of(item)));
}

static void fill_role(struct vfcap_out *cell, void *item)
{
	vfcap_out_str(cell, vfcap_role_name(vfcap_function_role(fn_of(item))));
}

static void fill_driver(struct vfcap_out *cell, void *item)
{
	const char *driver = vfcap_function_driver(fn_of(item));

	if (driver)
		vfcap_out_text(cell, driver);
}

static void fill_group(struct vfcap_out *cell, void *item)
{
	fill_number(cell, vfcap_function_iommu_group(fn_of(item)));
}

static void fill_netdev(struct vfcap_out *cell, void *item)
{
	size_t i;

	if (!vfcap_function_knows_netdevs(fn_of(item)))
		vfcap_out_char(cell, '?');
	for (i = 0; i < vfcap_function_netdevs(fn_of(item)); i++) {
		if (i)
			vfcap_out_char(cell, ',');
		vfcap_out_text(cell, vfcap_function_netdev(fn_of(item), i));
	}
}

static void fill_mac(struct vfcap_out *cell, void *item)
{
	uint8_t mac[6];
	size_t i;

	if (!vfcap_function_mac(fn_of(item), mac))
		return;
	for (i = 0; i < sizeof(mac); i++) {
		if (i)
			vfcap_out_char(cell, ':');
		vfcap_out_hex(cell, mac[i], 2);
	}
}

static void fill_vlan(struct vfcap_out *cell, void *item)
{
	fill_number(cell, vfcap_function_vlan(fn_of(item)));
}

static void fill_on(struct vfcap_out *cell, int on)
{
	if (on >= 0)
		vfcap_out_str(cell, on ? "on" : "off");
}

static void fill_trust(struct vfcap_out *cell, void *item)
{
	fill_on(cell, vfcap_function_trust(fn_of(item)));
}

static void fill_spoofchk(struct vfcap_out *cell, void *item)
{
	fill_on(cell, vfcap_function_spoofchk(fn_of(item)));
}

static void fill_link(struct vfcap_out *cell, void *item)
{
	int link = vfcap_function_link(fn_of(item));

	if (link >= 0)
		vfcap_out_str(cell, vfcap_vf_link_name(link));
}

/* "148+" is on, "148-" off, at that offset; "no": not there; "?": not known. */
static void fill_state(struct vfcap_out *cell, void *item, unsigned int id)
{
	struct vfcap_state state;
	int there = vfcap_function_state(fn_of(item), id, &state);

	if (there <= 0) {
		vfcap_out_str(cell, there ? "?" : "no");
		return;
	}
	vfcap_out_hex(cell, state.offset, 3);
	vfcap_out_char(cell, !state.known ? '?' : state.enabled ? '+' : '-');
}

static void fill_pasid(struct vfcap_out *cell, void *item)
{
	fill_state(cell, item, VFCAP_ID_PASID);
}

static void fill_pri(struct vfcap_out *cell, void *item)
{
	fill_state(cell, item, VFCAP_ID_PRI);
}

static void fill_ats(struct vfcap_out *cell, void *item)
{
	fill_state(cell, item, VFCAP_ID_ATS);
}

/* No knob: nothing is emulated, as far as the source knows anything of drivers. */
static bool knows_emulated(const struct item *item)
{
	return vfcap_function_role(item->fn) == VFCAP_ROLE_VF && !item->cli->n_from;
}

static void fill_emulated(struct vfcap_out *cell, void *item)
{
	const char *between = "";
	unsigned int e;
	int offset;

	if (!knows_emulated(item))
		return;
	for (e = 0; e < VFCAP_EMULS; e++) {
		offset = vfcap_function_emulated(fn_of(item), e);
		if (offset < 0 && offset != -ENOENT) {
			vfcap_out_printf(cell, "%s?", between);
			return;
		}
		if (offset <= 0)
			continue;
		vfcap_out_printf(cell, "%s%s@%x", between, vfcap_capinfo(vfcap_emul_id(e))->name,
				 (unsigned int)offset);
		between = ",";
	}
	if (!*between)
		vfcap_out_str(cell, "no");
}

static void fill_vendor(struct vfcap_out *cell, void *item)
{
	fill_hex(cell, vfcap_function_vendor(fn_of(item)), 4);
}

static void fill_device(struct vfcap_out *cell, void *item)
{
	fill_hex(cell, vfcap_function_device(fn_of(item)), 4);
}

static void fill_class(struct vfcap_out *cell, void *item)
{
	fill_hex(cell, vfcap_function_class(fn_of(item)), 6);
}

static void fill_name(struct vfcap_out *cell, void *item)
{
	vfcap_out_text(cell, vfcap_function_title(fn_of(item)));
}

static void fill_pf(struct vfcap_out *cell, void *item)
{
	const struct vfcap_function *pf = vfcap_function_pf(fn_of(item));

	if (pf)
		vfcap_out_str(cell, vfcap_function_name(pf));
}

static void fill_index(struct vfcap_out *cell, void *item)
{
	fill_number(cell, vfcap_function_vf_index(fn_of(item)));
}

static void fill_numvfs(struct vfcap_out *cell, void *item)
{
	if (vfcap_function_role(fn_of(item)) == VFCAP_ROLE_PF)
		fill_number(cell, vfcap_function_numvfs(fn_of(item)));
}

static void fill_totalvfs(struct vfcap_out *cell, void *item)
{
	if (vfcap_function_role(fn_of(item)) == VFCAP_ROLE_PF)
		fill_number(cell, vfcap_function_totalvfs(fn_of(item)));
}

static void fill_size(struct vfcap_out *cell, void *item)
{
	fill_number(cell, vfcap_function_config_size(fn_of(item)));
}

#define DEFAULT VFCAP_COLUMN_DEFAULT
#define RIGHT VFCAP_COLUMN_RIGHT
#define SPAN VFCAP_COLUMN_SPAN

static const struct vfcap_column columns[] = {
	{ "ADDRESS", "domain:bus:device.function", DEFAULT | SPAN | VFCAP_COLUMN_TREE,
	  fill_address },
	{ "ROLE", "PF, VF, or - for a function that is neither", DEFAULT, fill_role },
	{ "DRIVER", "the bound driver", DEFAULT, fill_driver },
	{ "GROUP", "IOMMU group", DEFAULT | RIGHT | SPAN, fill_group },
	{ "NETDEV", "network interfaces", DEFAULT | SPAN, fill_netdev },
	{ "MAC", "a VF's MAC address, as its PF has it", DEFAULT, fill_mac },
	{ "VLAN", "a VF's VLAN, as its PF has it", DEFAULT | RIGHT, fill_vlan },
	{ "TRUST", "whether a VF is trusted: on or off", 0, fill_trust },
	{ "SPOOFCHK", "whether a VF's source addresses are checked: on or off", 0, fill_spoofchk },
	{ "LINK", "a VF's link: auto (as its PF's), enable or disable", 0, fill_link },
	{ "PASID", "offset of the capability and + on or - off; no: not there; ?: not known",
	  DEFAULT | RIGHT, fill_pasid },
	{ "PRI", "the same", DEFAULT | RIGHT, fill_pri },
	{ "ATS", "the same", DEFAULT | RIGHT, fill_ats },
	{ "EMULATED", "what is emulated in a VF, and at which offset", DEFAULT, fill_emulated },
	{ "VENDOR", "vendor ID; a VF's real one", 0, fill_vendor },
	{ "DEVICE", "device ID; a VF's real one", 0, fill_device },
	{ "CLASS", "class, subclass, interface", 0, fill_class },
	{ "NAME", "name in pci.ids", VFCAP_COLUMN_TRUNC, fill_name },
	{ "PF", "a VF's PF", 0, fill_pf },
	{ "INDEX", "a VF's index, from 0", RIGHT | SPAN, fill_index },
	{ "NUMVFS", "VFs that a PF has", RIGHT, fill_numvfs },
	{ "TOTALVFS", "VFs that a PF can have", RIGHT, fill_totalvfs },
	{ "SIZE", "bytes of config space that can be read", RIGHT, fill_size },
};

/* -------------------------------------------------------------------------------------- JSON -- */

static json_t *state_json(struct vfcap_json *json, struct vfcap_function *fn, unsigned int id)
{
	struct vfcap_state state;
	json_t *object;
	int there = vfcap_function_state(fn, id, &state);

	if (there == 0)
		return json_null();
	object = json_object();
	vfcap_json_set(json, object, "offset", json_integer(state.offset));
	if (state.known) {
		vfcap_json_set(json, object, "enabled", json_boolean(state.enabled));
		if (id == VFCAP_ID_PASID)
			vfcap_json_set(json, object, "width", json_integer(state.width));
	}
	return object;
}

static void states_json(struct vfcap_json *json, json_t *object, struct vfcap_function *fn)
{
	static const struct {
		const char *key;
		unsigned int id;
	} states[] = {
		{ "pasid", VFCAP_ID_PASID },
		{ "pri", VFCAP_ID_PRI },
		{ "ats", VFCAP_ID_ATS },
	};
	struct vfcap_state state;
	size_t i;

	for (i = 0; i < VFCAP_ARRAY_LEN(states); i++)
		if (vfcap_function_state(fn, states[i].id, &state) >= 0)
			vfcap_json_set(json, object, states[i].key,
				       state_json(json, fn, states[i].id));
}

static void emulated_json(struct vfcap_json *json, json_t *object, struct vfcap_function *fn)
{
	static const char *const key[VFCAP_EMULS] = {
		[VFCAP_EMUL_PASID] = "pasid", [VFCAP_EMUL_PRI] = "pri"
	};
	json_t *emulated = json_object();

	for (unsigned int e = 0; e < VFCAP_EMULS; e++) {
		int offset = vfcap_function_emulated(fn, (enum vfcap_emul)e);

		if (offset >= 0 || offset == -ENOENT)
			vfcap_json_set(json, emulated, key[e],
				       offset > 0 ? json_integer(offset) : json_null());
	}
	vfcap_json_set(json, object, "emulated", emulated);
}

static void pf_json(struct vfcap_json *json, json_t *object, struct vfcap_function *pf)
{
	json_t *vfs = json_array();
	struct vfcap_function *vf;

	if (vfcap_function_totalvfs(pf) >= 0)
		vfcap_json_set(json, object, "totalvfs", json_integer(vfcap_function_totalvfs(pf)));
	if (vfcap_function_numvfs(pf) >= 0)
		vfcap_json_set(json, object, "numvfs", json_integer(vfcap_function_numvfs(pf)));
	vfcap_vf_foreach(pf, vf)
		vfcap_json_append(json, vfs, json_string(vfcap_function_name(vf)));
	vfcap_json_set(json, object, "vfs", vfs);
}

static void network_json(struct vfcap_json *json, json_t *object, struct vfcap_function *vf)
{
	int vlan = vfcap_function_vlan(vf), trust = vfcap_function_trust(vf);
	int spoofchk = vfcap_function_spoofchk(vf), link = vfcap_function_link(vf);

	if (vlan >= 0)
		vfcap_json_set(json, object, "vlan", json_integer(vlan));
	if (vlan > 0)
		vfcap_json_set(json, object, "vlan_protocol",
			       json_string(vfcap_function_vlan_is_stag(vf) ? "802.1ad" : "802.1Q"));
	if (trust >= 0)
		vfcap_json_set(json, object, "trust", json_boolean(trust));
	if (spoofchk >= 0)
		vfcap_json_set(json, object, "spoofchk", json_boolean(spoofchk));
	if (link >= 0)
		vfcap_json_set(json, object, "link", json_string(vfcap_vf_link_name(link)));
}

static void vf_json(struct vfcap_json *json, json_t *object, struct item *item)
{
	struct vfcap_out mac = { 0 };

	fill_mac(&mac, item);
	vfcap_out_char(&mac, '\0');
	json->lost |= mac.error != 0;
	if (mac.n > 1)
		vfcap_json_set(json, object, "mac", json_string(mac.buf));
	vfcap_out_free(&mac);
	network_json(json, object, item->fn);
	if (knows_emulated(item))
		emulated_json(json, object, item->fn);
}

static void add_json(struct list *list, struct item *item)
{
	json_t *object = json_object();

	vfcap_facts_json(list->cli, &list->json, object, item->fn);
	if (vfcap_function_role(item->fn) == VFCAP_ROLE_PF)
		pf_json(&list->json, object, item->fn);
	states_json(&list->json, object, item->fn);
	if (vfcap_function_role(item->fn) == VFCAP_ROLE_VF)
		vf_json(&list->json, object, item);
	vfcap_json_element(&list->json, object);
}

/* --------------------------------------------------------------------------------------- run -- */

static long add(struct list *list, long parent, struct vfcap_function *fn)
{
	struct item item = { .cli = list->cli, .fn = fn };
	long row = parent;

	if (list->error || list->cli->out.error)
		return VFCAP_TABLE_ROOT;
	list->shown++;
	if (!list->cli->quiet)
		vfcap_cli_explain(list->cli, fn); /* what could not be read is "?" in the table */
	if (list->table)
		row = vfcap_table_add(list->table, parent, &item);
	else
		add_json(list, &item);
	if (list->table && row < 0)
		list->error = (int)row;
	vfcap_function_drop(fn);
	return row;
}

static void add_pf(struct list *list, struct vfcap_function *pf)
{
	struct vfcap_function *vf;
	long row = add(list, VFCAP_TABLE_ROOT, pf);

	vfcap_vf_foreach(pf, vf)
		add(list, row, vf);
}

static void add_picked(struct list *list, const struct vfcap_picked *picked, bool all)
{
	bool named = list->cli->n_device;
	size_t i;

	for (i = 0; i < picked->n; i++) {
		struct vfcap_function *fn = picked->fn[i];
		enum vfcap_role role = vfcap_function_role(fn);
		const struct vfcap_function *pf = vfcap_function_pf(fn);

		if (role == VFCAP_ROLE_PF)
			add_pf(list, fn);
		else if (role == VFCAP_ROLE_VF && (!pf || (named && !vfcap_picked_has(picked, pf))))
			add(list, VFCAP_TABLE_ROOT, fn);
		else if (role == VFCAP_ROLE_FUNCTION && (named || all))
			add(list, VFCAP_TABLE_ROOT, fn);
	}
}

static void tell_none(struct list *list, size_t looked_at)
{
	if (!list->shown && !list->cli->n_device)
		vfcap_cli_warn(list->cli,
			       "%s: none of %zu functions has SR-IOV; list --all shows "
			       "them, --demo list shows a host that has it",
			       vfcap_source(list->cli->ctx), looked_at);
}

static int list_functions(struct list *list, bool all)
{
	struct vfcap_picked picked = { 0 };
	int status = vfcap_cli_pick(list->cli, VFCAP_PICK_FUNCTIONS, &picked);

	add_picked(list, &picked, all);
	tell_none(list, picked.n);
	vfcap_picked_free(&picked);
	return status;
}

static int list_json(struct vfcap_cli *cli, bool all, bool pci)
{
	struct list list = { .cli = cli };
	int status = VFCAP_EXIT_DONE;

	vfcap_json_begin(&list.json, &cli->out, "functions");
	if (pci)
		status = list_functions(&list, all);
	vfcap_json_end(&list.json);
	return status;
}

static int list_table(struct vfcap_cli *cli, bool all, struct vfcap_table *table)
{
	struct list list = { .cli = cli, .table = table };
	int status = list_functions(&list, all);

	if (!list.error)
		list.error = vfcap_table_print(table, &cli->out, FOLD);
	if (list.error && !cli->out.error)
		cli->out.error = list.error;
	return status;
}

static int list_option(struct vfcap_cli *cli, int key, const char *arg, void *own)
{
	(void)cli;
	(void)arg;
	if (key != 'a')
		return ARGP_ERR_UNKNOWN;
	((struct list_options *)own)->all = true;
	return 0;
}

static int list_run(struct vfcap_cli *cli)
{
	struct list_options opt = { 0 };
	int err, status = vfcap_cli_parse(cli, &opt);
	struct vfcap_table *table;
	const char *bad;

	if (status >= 0)
		return status;
	table = vfcap_table_new(columns, VFCAP_ARRAY_LEN(columns), &cli->table, &cli->out, &bad);
	if (!table && bad)
		return vfcap_cli_unknown_column(cli, bad);
	if (!table) {
		vfcap_cli_error(cli, "%s", strerror(ENOMEM));
		return VFCAP_EXIT_FAILED;
	}
	err = vfcap_cli_open(cli);
	/* A machine without PCI has an empty list of functions. */
	if (err && !cli->no_pci)
		status = VFCAP_EXIT_FAILED;
	else if (cli->json)
		status = list_json(cli, opt.all, !err);
	else
		status = err ? VFCAP_EXIT_DONE : list_table(cli, opt.all, table);
	vfcap_table_free(table);
	return status;
}

static const struct argp_option options[] = {
	{ "all", 'a', NULL, 0, "every function, not only PFs and VFs", 0 },
	{ NULL, 0, NULL, 0, NULL, 0 },
};

const struct vfcap_command vfcap_cmd_list = {
	.name = "list",
	.args = "[DEVICE...]",
	.doc = "every PF and VF: driver, group, PASID, PRI, ATS, what is emulated\v"
	       "The capabilities' columns: 148+ is at offset 0x148 and on, 148- is off, no: not there, "
	       "?: could not be read. On a terminal, more than 16 VFs in a row that look the same are "
	       "one line, and never with --output, --raw, --noheadings or --json.",
	.options = options,
	.columns = columns,
	.n_columns = VFCAP_ARRAY_LEN(columns),
	.option = list_option,
	.run = list_run,
};
