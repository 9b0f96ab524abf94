// SPDX-License-Identifier: GPL-2.0-or-later
/* vfcap plan --as: an answer as shell commands, as options of QEMU, as libvirt's XML. */
#include "cmd.h"

static const char *emul_name(unsigned int e)
{
	return vfcap_capinfo(vfcap_emul_id(e))->name;
}

static const struct vfcap_placement *find_placement(const struct vfcap_answer *answer,
						    enum vfcap_emul e)
{
	unsigned int i;

	for (i = 0; i < answer->n_placements; i++)
		if (answer->placement[i].emul == e)
			return &answer->placement[i];
	return NULL;
}

/* An address as a name that shells, QEMU and libvirt take: 0000-3b-02-0. */
static void out_id(struct vfcap_out *out, const struct vfcap_function *vf)
{
	const char *name;

	for (name = vfcap_function_name(vf); *name; name++)
		vfcap_out_char(out, *name == ':' || *name == '.' ? '-' : *name);
}

/* Comment lines: which VFs these are, what they get, what not. */
static void out_subject(struct vfcap_out *out, struct vfcap_function *const *vf, size_t n,
			const struct vfcap_answer *answer)
{
	unsigned int i, e;

	vfcap_out_str(out, "# ");
	vfcap_out_vfs(out, vf, n);
	if (vfcap_function_denylisted(vf[0]) > 0)
		vfcap_out_printf(out, "# %s (%s)\n", vfcap_code_text(VFCAP_DENYLISTED),
				 vfcap_code_name(VFCAP_DENYLISTED));
	for (i = 0; i < answer->n_placements; i++)
		vfcap_out_printf(
			out, "# %s at 0x%03x (%s)%s\n", emul_name(answer->placement[i].emul),
			answer->placement[i].offset, vfcap_rule_name(answer->placement[i].rule),
			answer->placement[i].pf_enabled ? "" : "; the PF has it switched off");
	for (e = 0; e < VFCAP_EMULS; e++)
		if (answer->refused[e] != VFCAP_OK)
			vfcap_out_printf(out, "# no %s: %s (%s)\n", emul_name(e),
					 vfcap_code_text(answer->refused[e]),
					 vfcap_code_name(answer->refused[e]));
}

/* ---------------------------------------------------------------------------------- commands -- */

/* The offset at the head of a chain is written first, so the lower one is, and cleared last. What the driver kept of an
 * earlier binding is cleared before: where PASID is at the head, the first write is refused. */
static void out_knobs(struct vfcap_out *out, const struct vfcap_answer *answer)
{
	const struct vfcap_placement *p[VFCAP_EMULS], *pasid;
	unsigned int i, n = answer->n_placements;

	for (i = 0; i < n; i++)
		p[i] = &answer->placement[i];
	if (n == 2 && p[1]->offset < p[0]->offset) {
		p[0] = &answer->placement[1];
		p[1] = &answer->placement[0];
	}
	pasid = find_placement(answer, VFCAP_EMUL_PASID);
	vfcap_out_str(out, "\techo 0 2>/dev/null > $dev/vfcap/pasid_offset || :\n"
			   "\techo 0 > $dev/vfcap/pri_offset\n"
			   "\techo 0 > $dev/vfcap/pasid_offset\n");
	vfcap_out_printf(out, "\techo %u > $dev/vfcap/pasid_width\n", pasid ? pasid->width : 0);
	for (i = 0; i < n; i++)
		vfcap_out_printf(out, "\techo 0x%03x > $dev/vfcap/%s_offset\n", p[i]->offset,
				 p[i]->emul == VFCAP_EMUL_PASID ? "pasid" : "pri");
}

static void out_commands(struct vfcap_out *out, struct vfcap_function *const *vf, size_t n,
			 const struct vfcap_answer *answer)
{
	size_t i;

	out_subject(out, vf, n, answer);
	if (answer->forced_broken)
		vfcap_out_str(
			out,
			"# The chain is broken: binding it to a vfio-pci driver can overrun the "
			"kernel. No commands.\n");
	if (answer->forced_broken || !answer->n_placements)
		return;
	vfcap_out_str(out, "for vf in");
	for (i = 0; i < n; i++)
		vfcap_out_printf(out, " %s", vfcap_function_name(vf[i]));
	vfcap_out_str(out, "; do\n"
			   "\tdev=/sys/bus/pci/devices/$vf\n"
			   "\techo vfcap-vfio-pci > $dev/driver_override\n"
			   "\t[ ! -e $dev/driver ] || echo $vf > $dev/driver/unbind\n"
			   "\techo $vf > /sys/bus/pci/drivers_probe\n");
	out_knobs(out, answer);
	vfcap_out_str(out, "done\n");
}

/* -------------------------------------------------------------------------------------- QEMU -- */

static bool qemu_can(struct vfcap_out *out, const struct vfcap_answer *answer,
		     const struct vfcap_placement *pasid)
{
	if (find_placement(answer, VFCAP_EMUL_PRI))
		vfcap_out_str(out,
			      "# QEMU has no option for PRI: only vfcap's driver can show it\n");
	if (!pasid)
		return false;
	if (pasid->rule == VFCAP_RULE_HEAD) {
		vfcap_out_str(out,
			      "# The chain is empty: QEMU silently adds nothing to such a VF, only "
			      "vfcap's driver can\n");
		return false;
	}
	return true;
}

static void out_qemu(struct vfcap_out *out, struct vfcap_function *const *vf, size_t n,
		     const struct vfcap_answer *answer, size_t *ports)
{
	const struct vfcap_placement *pasid = find_placement(answer, VFCAP_EMUL_PASID);
	size_t i;

	out_subject(out, vf, n, answer);
	if (!qemu_can(out, answer, pasid))
		return;
	for (i = 0; i < n; i++) {
		vfcap_out_printf(out, "-device pcie-root-port,id=rp%zu,chassis=%zu\n", *ports,
				 *ports + 1);
		vfcap_out_printf(out,
				 "-device vfio-pci,host=%s,iommufd=iommufd0,bus=rp%zu,"
				 "x-vpasid-cap-offset=0x%03x\n",
				 vfcap_function_name(vf[i]), *ports, pasid->offset);
		(*ports)++;
	}
}

/* ----------------------------------------------------------------------------------- libvirt -- */

static void out_hostdev(struct vfcap_out *out, const struct vfcap_function *vf)
{
	const char *name = vfcap_function_name(vf), *bus = strchr(name, ':');

	vfcap_out_printf(out,
			 "    <hostdev mode='subsystem' type='pci' managed='no'>\n"
			 "      <source>\n"
			 "        <address domain='0x%.*s' bus='0x%.2s' slot='0x%.2s' "
			 "function='0x%c'/>\n"
			 "      </source>\n"
			 "      <alias name='ua-",
			 (int)(bus - name), name, bus + 1, bus + 4, bus[7]);
	out_id(out, vf);
	vfcap_out_str(out, "'/>\n    </hostdev>\n");
}

static void out_override(struct vfcap_out *out, const struct vfcap_function *vf,
			 unsigned int offset)
{
	vfcap_out_str(out, "    <qemu:device alias='ua-");
	out_id(out, vf);
	vfcap_out_printf(out,
			 "'>\n      <qemu:frontend>\n"
			 "        <qemu:property name='x-vpasid-cap-offset' type='unsigned' "
			 "value='%u'/>\n"
			 "      </qemu:frontend>\n    </qemu:device>\n",
			 offset);
}

/* Comments of XML instead of the shell's; what stands in them has no "--". */
static void out_xml_subject(struct vfcap_out *out, struct vfcap_function *const *vf, size_t n,
			    const struct vfcap_answer *answer)
{
	vfcap_out_str(out, "<!--\n");
	out_subject(out, vf, n, answer);
}

static void out_libvirt(struct vfcap_out *out, struct vfcap_function *const *vf, size_t n,
			const struct vfcap_answer *answer)
{
	const struct vfcap_placement *pasid = find_placement(answer, VFCAP_EMUL_PASID);
	bool can;
	size_t i;

	out_xml_subject(out, vf, n, answer);
	can = qemu_can(out, answer, pasid);
	vfcap_out_str(out, "-->\n");
	if (!can)
		return;
	vfcap_out_str(out, "  <devices>\n");
	for (i = 0; i < n; i++)
		out_hostdev(out, vf[i]);
	vfcap_out_str(out, "  </devices>\n  <qemu:override>\n");
	for (i = 0; i < n; i++)
		out_override(out, vf[i], pasid->offset);
	vfcap_out_str(out, "  </qemu:override>\n");
}

/* --------------------------------------------------------------------------------------- all -- */

static const char *const begin[VFCAP_AS_FORMS] = {
	[VFCAP_AS_TEXT] = "",
	[VFCAP_AS_COMMANDS] =
		"#!/bin/sh -e\n"
		"# As root. Binds VFs to vfcap's driver, which keeps their knobs until it is unloaded, or a VF goes.\n"
		"modprobe vfcap_vfio_pci\n",
	[VFCAP_AS_QEMU] =
		"# For VFs on stock vfio-pci: QEMU (11.1) adds PASID itself, at the offset that it is told. On\n"
		"# vfcap's driver leave x-vpasid-cap-offset out: what the kernel shows is passed through.\n"
		"# Once for each machine, the vIOMMU; on Arm -device pxb-pcie,id=p and -device\n"
		"# arm-smmuv3,primary-bus=p,accel=on,ats=on,ssidsize=16 instead, with the root ports on bus p.\n"
		"-object iommufd,id=iommufd0\n"
		"-device intel-iommu,intremap=on,device-iotlb=on,scalable-mode=on,fsts=on,pasid-bits=20\n",
	[VFCAP_AS_LIBVIRT] =
		"<!--\n"
		"Parts of a domain that begins <domain xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>.\n"
		"libvirt has no element for the place of PASID: qemu:override tells QEMU, for VFs on stock vfio-pci.\n"
		"On vfcap's driver leave the override out: what the kernel shows is passed through. managed='no':\n"
		"with 'yes' libvirt binds the VF to stock vfio-pci at start, and vfcap's driver shows nothing.\n"
		"-->\n",
};

void vfcap_plan_as_begin(struct vfcap_out *out, enum vfcap_plan_as as)
{
	vfcap_out_str(out, begin[as]);
}

void vfcap_plan_as(struct vfcap_out *out, enum vfcap_plan_as as, struct vfcap_function *const *vf,
		   size_t n, const struct vfcap_answer *answer, size_t *ports)
{
	if (as == VFCAP_AS_COMMANDS)
		out_commands(out, vf, n, answer);
	else if (as == VFCAP_AS_QEMU)
		out_qemu(out, vf, n, answer, ports);
	else
		out_libvirt(out, vf, n, answer);
}
