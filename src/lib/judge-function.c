// SPDX-License-Identifier: GPL-2.0-or-later
/* Judging PFs and VFs, and the way from them to the root complex. */
#include <string.h>

#include "decide.h"
#include "doctor.h"

static const char unread[] = "its config space could not be read";

/* ----------------------------------------------------------------------------------------- PFs -- */

VFCAP_JUDGE(vfcap_judge_sriov)
{
	if (f->sriov == VFCAP_NOT_KNOWN)
		return vfcap_unknown(check, NULL, "%s", unread);
	if (f->sriov == VFCAP_NO)
		return vfcap_fail(check, NULL, "no SR-IOV in its chain");
	if (f->totalvfs >= 0)
		return vfcap_pass(check, "SR-IOV: TotalVFs is %d", f->totalvfs);
	return vfcap_pass(check, "SR-IOV is in its chain");
}

VFCAP_JUDGE(vfcap_judge_pf_driver)
{
	if (!f->knows_driver)
		return vfcap_unknown(check, NULL, "drivers are not in what was read");
	if (!f->driver)
		return vfcap_fail(
			check, vfcap_fixed(check, "echo %s > /sys/bus/pci/drivers_probe", f->name),
			"no driver link: its VFs do nothing, and none can be made");
	if (strstr(f->driver, "vfio"))
		return vfcap_pass(check, "driver: %s; its VFs want a VF token (--vf-token)",
				  f->driver);
	return vfcap_pass(check, "driver: %s", f->driver);
}

VFCAP_JUDGE(vfcap_judge_vfs)
{
	if (f->sriov == VFCAP_NO)
		return false;
	if (f->n_vfs)
		return vfcap_pass(check, "%zu VFs are there", f->n_vfs);
	if (!f->knows_vfs)
		return vfcap_unknown(check, NULL, "VFs are not in what was read");
	if (f->totalvfs == 0)
		return vfcap_fail(check, "firmware: SR-IOV on, for the device and for the machine",
				  "sriov_totalvfs is 0");
	if (f->totalvfs > 0)
		return vfcap_fail(
			check,
			vfcap_fixed(check,
				    "echo N > /sys/bus/pci/devices/%s/sriov_numvfs (N up to %d)",
				    f->name, f->totalvfs),
			"no VF there, of %d", f->totalvfs);
	return vfcap_fail(
		check, vfcap_fixed(check, "echo N > /sys/bus/pci/devices/%s/sriov_numvfs", f->name),
		"no VF there");
}

static bool judge_cap(struct vfcap_check *check, const struct vfcap_cap_facts *cap,
		      const char *name)
{
	if (cap->there == VFCAP_NOT_KNOWN)
		return vfcap_unknown(check, NULL, "%s", unread);
	if (cap->there == VFCAP_NO)
		return vfcap_fail(check, NULL, "no %s in its chain", name);
	if (cap->state.width)
		return vfcap_pass(check, "%s at 0x%03x, %u bits", name, cap->state.offset,
				  cap->state.width);
	return vfcap_pass(check, "%s at 0x%03x", name, cap->state.offset);
}

/* Whether it is on, where it is there at all. False: not there. */
static bool judge_on(struct vfcap_check *check, const struct vfcap_cap_facts *cap, const char *name,
		     const char *fix)
{
	unsigned int at = cap->state.offset + 6u;

	if (cap->there == VFCAP_NO)
		return false;
	if (cap->there == VFCAP_NOT_KNOWN || !cap->state.known)
		return vfcap_unknown(check, NULL, "%s", unread);
	if (cap->state.enabled)
		return vfcap_pass(check, "%s control at 0x%03x: on", name, at);
	return vfcap_fail(check, fix, "%s control at 0x%03x: off", name, at);
}

VFCAP_JUDGE(vfcap_judge_pasid)
{
	return judge_cap(check, &f->pasid, "PASID");
}

static enum vfcap_answer path_answer(const struct vfcap_path *path, bool acs)
{
	enum vfcap_answer all = path->whole ? VFCAP_YES : VFCAP_NOT_KNOWN;

	if (path->portless && !acs)
		return VFCAP_NO;
	for (size_t i = 0; i < path->n; i++) {
		enum vfcap_answer one = acs ? path->hop[i].acs : path->hop[i].prefix;

		if (one == VFCAP_NO)
			return VFCAP_NO;
		if (one == VFCAP_NOT_KNOWN)
			all = VFCAP_NOT_KNOWN;
	}
	return all;
}

/* Linux switches it on by itself where its conditions are met (drivers/pci/ats.c, pci_enable_pasid());
 * AMD's driver when the device is attached to a domain. */
static const char *how_pasid_on(const struct vfcap_facts *f)
{
	if (path_answer(&f->path, false) == VFCAP_NO)
		return "see pf-prefix: the kernel refuses PASID on such a way";
	if (path_answer(&f->path, true) == VFCAP_NO)
		return "see pf-acs: the kernel refuses PASID on such a way";
	if (f->iommu && f->iommu->kind == VFCAP_IOMMU_INTEL)
		return "kernel parameter intel_iommu=on,sm_on";
	if (f->iommu && f->iommu->kind == VFCAP_IOMMU_AMD)
		return "bind the PF to its driver: AMD's IOMMU has PASID on while one is bound";
	return "Intel: kernel parameter intel_iommu=on,sm_on; see what the PF's driver wants";
}

VFCAP_JUDGE(vfcap_judge_pasid_on)
{
	return judge_on(check, &f->pasid, "PASID", how_pasid_on(f));
}

VFCAP_JUDGE(vfcap_judge_pri)
{
	return judge_cap(check, &f->pri, "PRI");
}

/* The kernel has it on only while somebody uses it, so that it is off means nothing by itself. */
VFCAP_JUDGE(vfcap_judge_pri_on)
{
	const struct vfcap_cap_facts *pri = &f->pri;

	if (pri->there == VFCAP_YES && pri->state.known && !pri->state.enabled && !f->shows_pri)
		return vfcap_pass(check, "PRI control at 0x%03x: off, and no VF shows PRI",
				  pri->state.offset + 4u);
	if (pri->there == VFCAP_NO)
		return false;
	if (pri->there == VFCAP_NOT_KNOWN || !pri->state.known)
		return vfcap_unknown(check, NULL, "%s", unread);
	if (pri->state.enabled)
		return vfcap_pass(check, "PRI control at 0x%03x: on", pri->state.offset + 4u);
	return vfcap_fail(check, vfcap_fixed(check, "vfcap disable --cap pri %s", f->name),
			  "PRI control at 0x%03x: off, and VFs are told to show PRI",
			  pri->state.offset + 4u);
}

VFCAP_JUDGE(vfcap_judge_ats)
{
	return judge_cap(check, &f->ats, "ATS");
}

VFCAP_JUDGE(vfcap_judge_ats_on)
{
	bool noats = vfcap_asked(f->sys->command_line, "pci", NULL, "noats") == VFCAP_NO;

	return judge_on(
		check, &f->ats, "ATS",
		noats ? "take pci=noats off the kernel's command line" :
			"see iommu and iommu-ats: the kernel has it on where both are well");
}

/* ---------------------------------------------------------------------------- to the root complex -- */

/* Linux drivers/pci/probe.c, pci_configure_eetlp_prefix(): a function and every bridge above it. A quirk
 * (pasid_no_tlp) may make up for it: then PASID is on. */
VFCAP_JUDGE(vfcap_judge_prefix)
{
	const struct vfcap_path *path = &f->path;
	size_t i;

	for (i = 0; i < path->n; i++)
		if (path->hop[i].prefix == VFCAP_NO)
			break;
	if (i < path->n && f->pasid.state.enabled)
		return vfcap_pass(check, "PASID is on, although DEVCAP2 of %s has no bit 21",
				  path->hop[i].name);
	if (path->portless && f->pasid.state.enabled)
		return vfcap_pass(check, "PASID is on, although no root port is above it");
	if (i < path->n)
		return vfcap_fail(check,
				  i ? NULL : "other hardware, or firmware of this one that has it",
				  "%s: DEVCAP2 %#x: no End-End TLP prefix (bit 21)",
				  path->hop[i].name, path->hop[i].devcap2);
	if (path->portless)
		return vfcap_fail(check, NULL,
				  "no root port is above it, and it is no endpoint of the "
				  "root complex");
	if (path_answer(path, false) == VFCAP_YES)
		return vfcap_pass(check, "DEVCAP2 %#x: End-End TLP prefix (bit 21)%s",
				  path->hop[0].devcap2,
				  path->n > 1 ? ", and so in all bridges above it" : "");
	return vfcap_unknown(check, NULL,
			     path->whole ? "DEVCAP2 could not be read" :
					   "not all bridges above it could be read");
}

/* Linux drivers/pci/ats.c wants PCI_ACS_RR | PCI_ACS_UF up to the root; drivers/pci/quirks.c knows devices
 * that do so without the capability: then PASID is on. */
VFCAP_JUDGE(vfcap_judge_acs)
{
	const struct vfcap_path *path = &f->path;
	size_t i;

	for (i = 0; i < path->n; i++)
		if (path->hop[i].acs == VFCAP_NO)
			break;
	if (i < path->n && f->pasid.state.enabled)
		return vfcap_pass(check, "PASID is on, although %s has no ACS for it",
				  path->hop[i].name);
	if (i < path->n)
		return vfcap_fail(check,
				  "firmware: ACS on; or another slot, with no such bridge above it",
				  "%s: ACS: request redirect or upstream forwarding is off",
				  path->hop[i].name);
	if (path_answer(path, true) == VFCAP_YES)
		return vfcap_pass(
			check,
			"ACS control: redirect and forwarding are on, up to the root complex");
	return vfcap_unknown(check, NULL,
			     path->whole ? "ACS could not be read" :
					   "not all bridges above it could be read");
}

/* Does every driver refuse to bind it, ours too? */
static bool is_refused(const struct vfcap_facts *f)
{
	return f->denylisted == VFCAP_YES && f->sys->denylist_disabled != VFCAP_YES;
}

static const char *how_enabled(const struct vfcap_facts *f, struct vfcap_check *check)
{
	if (is_refused(f))
		return "see vf-denylist";
	return vfcap_fixed(check, "vfcap enable %s", f->name);
}

/* -------------------------------------------------------------------------- asked of iommufd -- */

static const char has[] = "the PF has";

static const struct vfcap_cap_facts *shared_pasid(const struct vfcap_facts *f)
{
	return f->pf ? &f->pf_pasid : &f->pasid;
}

static bool on_vfio(const struct vfcap_facts *f)
{
	return strstr(f->binding.driver, "vfio");
}

/*
 * A broken chain makes a kernel that does not check write past its buffers when the device is opened. Where PASID is
 * off although the IOMMU has it, the kernel warns of itself, as of a fault, and may be told to panic then
 * (Linux drivers/iommu/iommufd/device.c, iommufd_get_hw_info()). A PF's reset takes its VFs along.
 */
bool vfcap_may_open(const struct vfcap_facts *f, struct vfcap_check *check)
{
	const struct vfcap_cap_facts *pasid = shared_pasid(f);
	char who[VFCAP_USE_ROOM];

	if (!f->has_binding)
		return !vfcap_unknown(check, NULL, "drivers are not in what was read");
	if (!f->has_chain || pasid->there == VFCAP_NOT_KNOWN || !pasid->state.known)
		return !vfcap_unknown(check, NULL, "%s", unread);
	if (f->broken)
		return !vfcap_unknown(check, "see vf-chain", "not asked: its chain is broken");
	if (!pasid->state.enabled)
		return !vfcap_unknown(check, "see pf-pasid-on",
				      "not asked: PASID is off, and the kernel would warn of it");
	if (!on_vfio(f) && f->use.kind != VFCAP_USE_UNBINDING)
		return !vfcap_unknown(check, how_enabled(f, check),
				      "not asked: no driver of VFIO is bound to it");
	vfcap_use_text(&f->use, who, sizeof(who));
	if (f->use.kind != VFCAP_USE_NONE && f->use.kind != VFCAP_USE_UNKNOWN)
		return !vfcap_unknown(check, NULL, "not asked: %s", who);
	return f->pf || !f->n_vfs ||
	       !vfcap_unknown(check, NULL,
			      "not asked: it has VFs, which its reset would take along");
}

static const char *iommu_type(uint32_t type, char buf[24])
{
	static const char *const names[] = { "not told", "Intel VT-d", "Arm SMMUv3", "NVIDIA CMDQV",
					     "AMD" };

	if (type < sizeof(names) / sizeof(names[0]))
		return names[type];
	snprintf(buf, 24, "%#x", type);
	return buf;
}

/* "IOMMU type: Intel VT-d; dirty tracking, PASID execute" */
static void print_hw(const struct vfcap_hw_info *info, char *buf, size_t size)
{
	static const struct {
		unsigned int bit;
		const char *name;
	} bits[] = {
		{ VFCAP_HW_DIRTY, "dirty tracking" },
		{ VFCAP_HW_PASID_EXEC, "PASID execute" },
		{ VFCAP_HW_PASID_PRIV, "PASID privileged" },
		{ VFCAP_HW_NO_ATS, "no ATS" },
	};
	const char *sep = "; ";
	char type[24];
	int n = snprintf(buf, size, "IOMMU type: %s", iommu_type(info->type, type));

	for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++) {
		bool pasid = bits[i].bit & (VFCAP_HW_PASID_EXEC | VFCAP_HW_PASID_PRIV);

		if (!(info->capabilities & bits[i].bit) || (pasid && !info->width))
			continue;
		n += snprintf(buf + n, size - (size_t)n, "%s%s", sep, bits[i].name);
		sep = ", ";
	}
}

/* What the registers say of the same, where that is something else: iommufd has no more than the device. */
static void print_registers(const struct vfcap_facts *f, char *buf, size_t size)
{
	unsigned int most = vfcap_iommu_width(f->iommu), width = shared_pasid(f)->state.width;

	buf[0] = '\0';
	if (most && (most < width ? most : width) != f->hw.info.width)
		snprintf(buf, size, " (sys/class/iommu/%s: %u)", f->iommu->name, most);
}

/* How many of that many bits work: the driver and QEMU show no more. */
static unsigned int cut_width(unsigned int width, unsigned int most)
{
	return most && most < width ? most : width;
}

/* shows: who shows that many bits, unless they are cut; NULL: the PF has them. */
static bool judge_told(const struct vfcap_facts *f, struct vfcap_check *check, unsigned int width,
		       const char *shows)
{
	const struct vfcap_hw_info *info = &f->hw.info;
	char hw[96], registers[80];

	if (!vfcap_may_open(f, check))
		return true;
	if (!f->hw.told)
		return vfcap_unknown(check, NULL, "iommufd: %s", f->hw.error);
	print_hw(info, hw, sizeof(hw));
	print_registers(f, registers, sizeof(registers));
	if (!info->tells_width)
		return vfcap_unknown(check, "Linux 6.15 or later",
				     "this kernel's iommufd tells no width%s; %s", registers, hw);
	if (shows)
		width = cut_width(width, info->width);
	if (info->width)
		return vfcap_pass(check, "%s %u bits, iommufd %u%s; %s", shows ? shows : has, width,
				  info->width, registers, hw);
	return vfcap_fail(check, "see scalable-mode and iommu-pasid", "%s %u bits, iommufd 0%s; %s",
			  shows ? shows : has, width, registers, hw);
}

VFCAP_JUDGE(vfcap_judge_vf_width)
{
	const struct vfcap_knob *knob = &f->binding.knob;
	unsigned int width = f->pf_pasid.state.width;
	bool shown = knob->value[VFCAP_ATTR_PASID];

	if (!f->hw.wanted || f->pf_pasid.there == VFCAP_NO)
		return false;
	if (shown && knob->value[VFCAP_ATTR_WIDTH])
		width = knob->value[VFCAP_ATTR_WIDTH];
	return judge_told(f, check, width, shown ? "it shows" : NULL);
}

/* By registers, which tell without a device being opened. */
VFCAP_JUDGE(vfcap_judge_width)
{
	const char *ask = !f->hw.wanted && f->sys->live ?
				  vfcap_fixed(check, "vfcap doctor --open %s", f->name) :
				  NULL;
	unsigned int width = f->shown_width ? f->shown_width : f->pasid.state.width;
	unsigned int most = vfcap_iommu_width(f->iommu);
	const char *shows = f->shown_width ? "VFs show" : NULL;
	const char *what = shows ? shows : has;

	if (f->pasid.there == VFCAP_NO)
		return false;
	if (!width)
		return vfcap_unknown(check, NULL, "%s", unread);
	if (f->hw.told)
		return judge_told(f, check, width, shows);
	if (!f->iommu)
		return vfcap_unknown(check, ask, "%s %u bits; below which IOMMU unit is not told",
				     what, width);
	if (!most)
		return vfcap_unknown(check, ask,
				     "%s %u bits; sys/class/iommu/%s has none, or tells none", what,
				     width, f->iommu->name);
	return vfcap_pass(check, "%s %u bits, sys/class/iommu/%s %u", what,
			  shows ? cut_width(width, most) : width, f->iommu->name, most);
}

/* ----------------------------------------------------------------------------------------- VFs -- */

VFCAP_JUDGE(vfcap_judge_chain)
{
	if (!f->has_chain)
		return vfcap_unknown(check, NULL, "%s", unread);
	if (f->broken)
		return vfcap_fail(check, NULL, "0x%03x: %s", f->anomaly_at,
				  vfcap_anomaly_text(f->anomaly));
	return vfcap_pass(check, "no loop, nothing outside of its 4 KiB");
}

VFCAP_JUDGE(vfcap_judge_placement)
{
	switch (f->refused) {
	case VFCAP_OK:
		return vfcap_pass(check, "0x%03x (%s)%s", f->place.offset,
				  vfcap_rule_name(f->place.rule),
				  f->siblings_unreadable ? "; not all siblings could be read" : "");
	case VFCAP_ALREADY_PRESENT:
		return vfcap_pass(check, "it has PASID itself");
	case VFCAP_PF_UNKNOWN:
	case VFCAP_CODE_UNREADABLE:
		return vfcap_unknown(check, NULL, "%s", vfcap_code_text(f->refused));
	default:
		break;
	}
	return vfcap_fail(
		check,
		f->refused == VFCAP_NO_ROOM ?
			vfcap_fixed(check, "vfcap plan --force --at pasid=OFFSET %s", f->name) :
		f->refused == VFCAP_BROKEN_CHAIN ? "see vf-chain" :
		f->refused == VFCAP_PF_LACKS	 ? "see pf-pasid" :
						   NULL,
		"%s: %s", vfcap_code_name(f->refused), vfcap_code_text(f->refused));
}

static bool is_hidden(const struct vfcap_guess *guess)
{
	return guess->code == VFCAP_NONZERO || guess->code == VFCAP_SIBLING_NONZERO;
}

/* Where PASID stands, that counts; else where a VMM puts it that does not look. */
VFCAP_JUDGE(vfcap_judge_hidden)
{
	static const char *const what[VFCAP_GUESSES] = {
		[VFCAP_GUESS_CONFIGURED] = "where PASID is",
		[VFCAP_GUESS_PF] = "where the PF has PASID",
		[VFCAP_GUESS_QEMU] = "where QEMU puts PASID unless told",
	};
	bool configured = f->guess[VFCAP_GUESS_CONFIGURED].offset;
	unsigned int i, last = configured ? VFCAP_GUESS_PF : VFCAP_GUESSES;
	const char *fix = NULL;
	char free_at[32] = "";

	if (f->refused == VFCAP_PF_LACKS || f->refused == VFCAP_ALREADY_PRESENT)
		return false;
	if (!f->has_chain || (f->refused && f->refused != VFCAP_NO_ROOM))
		return vfcap_unknown(check, NULL, "%s",
				     f->refused ? vfcap_code_text(f->refused) : unread);
	for (i = configured ? 0 : VFCAP_GUESS_PF; i < last; i++)
		if (f->guess[i].offset && is_hidden(&f->guess[i]))
			break;
	if (i < last) {
		if (!f->refused) {
			snprintf(free_at, sizeof(free_at), "; 0x%03x is good", f->place.offset);
			fix = how_enabled(f, check);
		}
		return vfcap_fail(
			check, fix, "byte 0x%03x %sis not zero, and no capability's: %s%s",
			f->guess[i].byte, f->guess[i].code == VFCAP_NONZERO ? "" : "of another VF ",
			what[i], free_at);
	}
	if (f->siblings_unreadable)
		return vfcap_unknown(check, NULL, "%zu VFs of the PF could not be read",
				     f->siblings_unreadable);
	return vfcap_pass(check, configured ? "all bytes are zero where PASID is" :
					      "all bytes are zero, or of capabilities");
}

VFCAP_JUDGE(vfcap_judge_group)
{
	const struct vfcap_group_facts *group = &f->group;

	if (!group->known)
		return vfcap_unknown(check, NULL, "no iommu_group link: see iommu");
	if (group->n_strange)
		return vfcap_fail(
			check,
			vfcap_fixed(check,
				    "echo %.*s > /sys/bus/pci/devices/%.*s/driver/unbind; or ACS "
				    "on in the firmware, or another slot",
				    (int)strcspn(group->strange, " "), group->strange,
				    (int)strcspn(group->strange, " "), group->strange),
			"iommu_group %d: %s%s has a driver of its own", f->iommu_group,
			group->strange, group->n_strange > 1 ? " and others" : "");
	if (group->n_others)
		return vfcap_pass(check,
				  "iommu_group: with %zu more, none with a driver of its own",
				  group->n_others);
	return vfcap_pass(check, "iommu_group: alone");
}

VFCAP_JUDGE(vfcap_judge_denylist)
{
	if (f->denylisted == VFCAP_NOT_KNOWN)
		return vfcap_unknown(check, NULL, "its vendor and device are not known");
	if (f->denylisted == VFCAP_NO)
		return vfcap_pass(check, "%04x:%04x is not on vfio-pci's denylist", f->vendor,
				  f->device);
	if (!is_refused(f))
		return vfcap_pass(check,
				  "%04x:%04x is on vfio-pci's denylist, and " VFCAP_DISABLE_DENYLIST
				  " is Y",
				  f->vendor, f->device);
	return vfcap_fail(check, NULL, "%04x:%04x is on vfio-pci's denylist", f->vendor, f->device);
}

static bool on_ours(const struct vfcap_facts *f)
{
	return strcmp(f->binding.driver, VFCAP_DRIVER) == 0;
}

VFCAP_JUDGE(vfcap_judge_driver)
{
	if (!f->has_binding || !f->knows_driver)
		return vfcap_unknown(check, NULL, "drivers are not in what was read");
	if (f->broken && on_vfio(f))
		return vfcap_fail(check,
				  vfcap_fixed(check, "echo %s > /sys/bus/pci/drivers/%s/unbind",
					      f->name, f->binding.driver),
				  "driver: %s, over a broken chain", f->binding.driver);
	if (f->broken)
		return vfcap_pass(check, "driver: %s; and its chain is broken",
				  f->binding.driver[0] ? f->binding.driver : "none");
	if (on_vfio(f))
		return vfcap_pass(check, "driver: %s", f->binding.driver);
	if (f->binding.driver[0])
		return vfcap_fail(check, how_enabled(f, check), "driver: %s, none of VFIO's",
				  f->binding.driver);
	return vfcap_fail(check, how_enabled(f, check), "no driver link");
}

VFCAP_JUDGE(vfcap_judge_knob)
{
	const struct vfcap_knob *knob = &f->binding.knob;

	if (!f->has_binding || !on_ours(f))
		return false;
	if (!knob->there && f->sys->live)
		return vfcap_fail(check, NULL, "no vfcap/abi");
	if (!knob->there)
		return vfcap_unknown(check, NULL, "vfcap/abi is not in what was read");
	if (knob->abi != 1)
		return vfcap_fail(check, NULL, "vfcap/abi is %d, not 1", knob->abi);
	return vfcap_pass(check, "vfcap/abi is 1");
}

/* On stock vfio-pci it is up to the VMM. */
VFCAP_JUDGE(vfcap_judge_emulation)
{
	const struct vfcap_knob *knob = &f->binding.knob;
	unsigned int at = knob->value[VFCAP_ATTR_PASID];

	if (!f->has_binding || !on_vfio(f))
		return false;
	if (!on_ours(f))
		return vfcap_unknown(check, how_enabled(f, check),
				     "driver: %s shows none; a VMM may", f->binding.driver);
	if (!knob->there)
		return vfcap_unknown(check, NULL, "vfcap/pasid_offset is not in what was read");
	if (!at)
		return vfcap_fail(check, how_enabled(f, check), "vfcap/pasid_offset is 0");
	if (strstr(knob->state, "pf-unreadable"))
		return vfcap_fail(check, "see whether the PF answers: the kernel log, its power, its slot",
				  "vfcap/state: %s", knob->state);
	if (strncmp(knob->state, "hidden", 6) == 0 || strstr(knob->state, "pf-off"))
		return vfcap_fail(check, "see pf-pasid-on; then open it anew", "vfcap/state: %s",
				  knob->state);
	return vfcap_pass(check, "vfcap/pasid_offset is 0x%03x, vfcap/state: %s", at, knob->state);
}

VFCAP_JUDGE(vfcap_judge_permissions)
{
	const struct vfcap_node *node = &f->node;

	if (!f->has_binding || !on_vfio(f))
		return false;
	if (!node->path[0] || (!node->there && !f->sys->live))
		return vfcap_unknown(check, NULL, "its file in dev/vfio is not in what was read");
	if (!node->there)
		return vfcap_fail(check, "udevadm trigger; in a container, pass the file in",
				  "no %s", node->path);
	if (node->usable == VFCAP_NO)
		return vfcap_fail(check,
				  vfcap_fixed(check,
					      "chown USER /%s; lasting, as udev rule: "
					      "SUBSYSTEM==\"vfio\", OWNER=\"USER\"",
					      node->path),
				  "%s: mode %04o, user %u, group %u, and not for you", node->path,
				  node->mode, node->uid, node->gid);
	if (node->usable == VFCAP_NOT_KNOWN)
		return vfcap_unknown(check, NULL, "mode %04o, user %u, group %u", node->mode,
				     node->uid, node->gid);
	return vfcap_pass(check, "mode %04o, user %u, group %u%s", node->mode, node->uid, node->gid,
			  f->sys->root_user && !node->uid && !(node->mode & 0066) ?
				  "; for a VMM that is not root: chown it" :
				  "");
}

/* Who holds it while it shows what it is told to is a VM at work. */
VFCAP_JUDGE(vfcap_judge_use)
{
	const struct vfcap_knob *knob = &f->binding.knob;
	char who[VFCAP_USE_ROOM];

	if (!f->has_binding)
		return vfcap_unknown(check, NULL, "who uses it is not in what was read");
	vfcap_use_text(&f->use, who, sizeof(who));
	switch (f->use.kind) {
	case VFCAP_USE_NONE:
		break;
	case VFCAP_USE_HELD:
	case VFCAP_USE_OPEN:
		if (knob->value[VFCAP_ATTR_PASID] &&
		    knob->shown[VFCAP_EMUL_PASID] == knob->value[VFCAP_ATTR_PASID])
			return vfcap_pass(check, "%s, and sees PASID", who);
		return vfcap_fail(check,
				  "stop it: what it opens anew shows what is configured by then",
				  "%s, and sees no PASID of vfcap's", who);
	case VFCAP_USE_NETDEV_UP:
		return vfcap_fail(check, vfcap_fixed(check, "ip link set %s down", f->use.name),
				  "%s", who);
	case VFCAP_USE_NETDEV_AWAY:
		return vfcap_fail(check, "stop the container that has it", "%s", who);
	case VFCAP_USE_UNBINDING:
		return vfcap_fail(check, "stop it, then: vfcap status --repair", "%s", who);
	case VFCAP_USE_UNKNOWN:
		return vfcap_unknown(check, f->sys->root_user ? NULL : "run as root", "%s", who);
	}
	if (!f->sys->root_user && f->sys->live)
		return vfcap_unknown(check, "run as root", "who holds it is told to root only");
	return vfcap_pass(check, "%s", who);
}
