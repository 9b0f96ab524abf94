// SPDX-License-Identifier: GPL-2.0-or-later
/* What several commands say of a function. */
#include "cmd.h"

const char *vfcap_role_key(enum vfcap_role role)
{
	return role == VFCAP_ROLE_PF ? "pf" : role == VFCAP_ROLE_VF ? "vf" : "function";
}

const char *vfcap_role_name(enum vfcap_role role)
{
	return role == VFCAP_ROLE_PF ? "PF" : role == VFCAP_ROLE_VF ? "VF" : "-";
}

bool vfcap_chain_is_known(struct vfcap_function *fn)
{
	const struct vfcap_chain *chain = vfcap_function_chain(fn);
	struct vfcap_state state;

	return chain && (chain->n || vfcap_function_state(fn, VFCAP_ID_PASID, &state) >= 0);
}

const char *vfcap_cap_label(unsigned int id, char buf[16])
{
	const struct vfcap_capinfo *info = vfcap_capinfo(id);

	if (info)
		return info->name;
	snprintf(buf, 16, "ID 0x%02x", id & 0xffff);
	return buf;
}

/* From one to the last VF that follow each other by index. */
static size_t run_of(struct vfcap_function *const *vf, size_t n, size_t first)
{
	size_t i = first;

	while (i + 1 < n && vfcap_vf_next(vf[i]) == vf[i + 1])
		i++;
	return i;
}

void vfcap_out_vfs(struct vfcap_out *out, struct vfcap_function *const *vf, size_t n)
{
	const struct vfcap_function *pf = vfcap_function_pf(vf[0]);
	size_t i, last;

	vfcap_out_style(out, VFCAP_STYLE_BOLD);
	for (i = 0; i < n; i = last + 1) {
		last = run_of(vf, n, i);
		vfcap_out_printf(out, "%s%s", i ? ", " : "", vfcap_function_name(vf[i]));
		if (last > i)
			vfcap_out_printf(out, " .. %s", vfcap_function_name(vf[last]));
	}
	vfcap_out_style(out, VFCAP_STYLE_PLAIN);
	if (n > 1)
		vfcap_out_printf(out, " (%zu VFs", n);
	else
		vfcap_out_printf(out, " (%s",
				 vfcap_function_role(vf[0]) == VFCAP_ROLE_VF ? "VF" : "no VF");
	if (pf)
		vfcap_out_printf(out, " of %s", vfcap_function_name(pf));
	vfcap_out_str(out, ")\n");
}

void vfcap_out_driver(struct vfcap_out *out, const struct vfcap_function *fn)
{
	const char *driver = vfcap_function_driver(fn);

	if (driver)
		vfcap_out_text(out, driver);
	else
		vfcap_out_str(out,
			      vfcap_function_knows_driver(fn) ? "no driver" : "driver not known");
}

static void set_known(struct vfcap_json *json, json_t *object, const char *key, int value)
{
	if (value >= 0)
		vfcap_json_set(json, object, key, json_integer(value));
}

static void set_relation(struct vfcap_json *json, json_t *object, struct vfcap_function *fn)
{
	const struct vfcap_function *pf = vfcap_function_pf(fn);
	bool is_vf = vfcap_function_role(fn) == VFCAP_ROLE_VF;

	vfcap_json_set(json, object, "role", json_string(vfcap_role_key(vfcap_function_role(fn))));
	if (pf || !is_vf)
		vfcap_json_set(json, object, "pf",
			       vfcap_json_text(pf ? vfcap_function_name(pf) : NULL));
	if (!is_vf)
		vfcap_json_set(json, object, "vf_index", json_null());
	else
		set_known(json, object, "vf_index", vfcap_function_vf_index(fn));
}

/* A dump says nothing of groups and netdevs, but may name a driver. */
static void set_kernel_facts(struct vfcap_cli *cli, struct vfcap_json *json, json_t *object,
			     struct vfcap_function *fn)
{
	int group = vfcap_function_iommu_group(fn);
	json_t *netdevs;
	size_t i;

	if (vfcap_function_knows_driver(fn))
		vfcap_json_set(json, object, "driver", vfcap_json_text(vfcap_function_driver(fn)));
	if (group >= 0 || !cli->n_from)
		vfcap_json_set(json, object, "iommu_group",
			       group >= 0 ? json_integer(group) : json_null());
	if (cli->n_from || !vfcap_function_knows_netdevs(fn))
		return;
	netdevs = json_array();
	for (i = 0; i < vfcap_function_netdevs(fn); i++)
		vfcap_json_append(json, netdevs, vfcap_json_text(vfcap_function_netdev(fn, i)));
	vfcap_json_set(json, object, "netdevs", netdevs);
}

void vfcap_facts_json(struct vfcap_cli *cli, struct vfcap_json *json, json_t *object,
		      struct vfcap_function *fn)
{
	const char *title = vfcap_function_title(fn);

	vfcap_json_set(json, object, "address", json_string(vfcap_function_name(fn)));
	set_relation(json, object, fn);
	set_known(json, object, "vendor", vfcap_function_vendor(fn));
	set_known(json, object, "device", vfcap_function_device(fn));
	set_known(json, object, "class", vfcap_function_class(fn));
	set_known(json, object, "revision", vfcap_function_revision(fn));
	if (*title)
		vfcap_json_set(json, object, "title", vfcap_json_text(title));
	set_kernel_facts(cli, json, object, fn);
	set_known(json, object, "config_size", vfcap_function_config_size(fn));
}
