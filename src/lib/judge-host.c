// SPDX-License-Identifier: GPL-2.0-or-later
/* Judging the kernel, its modules and its IOMMUs. */
#include <string.h>

#include "doctor.h"

#define EMPTY "neither sys/class/iommu nor sys/kernel/iommu_groups is in what was read"

static const char files[] = "it is not told by files that hold config space alone";

/* ------------------------------------------------------------------------------- command line -- */

/* As the kernel does, an option is known by how it begins. */
static bool begins(const char *s, const char *option)
{
	return strncmp(s, option, strlen(option)) == 0;
}

static enum vfcap_answer asked_in(const char *word, size_t len, const char *on, const char *off)
{
	enum vfcap_answer answer = VFCAP_NOT_KNOWN;
	const char *end = word + len;

	while (word < end) {
		if (off && begins(word, off))
			answer = VFCAP_NO;
		else if (on && begins(word, on))
			answer = VFCAP_YES;
		while (word < end && *word != ',')
			word++;
		word += word < end;
	}
	return answer;
}

enum vfcap_answer vfcap_asked(const char *line, const char *name, const char *on, const char *off)
{
	enum vfcap_answer answer = VFCAP_NOT_KNOWN, here;
	size_t len = strlen(name);

	for (line += strspn(line, " "); *line; line += strspn(line, " ")) {
		size_t word = strcspn(line, " ");

		if (word > len && strncmp(line, name, len) == 0 && line[len] == '=') {
			here = asked_in(line + len + 1, word - len - 1, on, off);
			answer = here == VFCAP_NOT_KNOWN ? answer : here;
		}
		line += word;
	}
	return answer;
}

static enum vfcap_answer asked(const struct vfcap_facts *f, const char *name, const char *on,
			       const char *off)
{
	return vfcap_asked(f->sys->command_line, name, on, off);
}

/* ------------------------------------------------------------------------------------- IOMMUs -- */

static bool any_unit(const struct vfcap_facts *f, enum vfcap_iommu_kind kind)
{
	for (size_t i = 0; i < f->sys->n_iommus; i++)
		if (f->sys->iommu[i].kind == kind)
			return true;
	return false;
}

static bool is_intel(const struct vfcap_facts *f)
{
	return any_unit(f, VFCAP_IOMMU_INTEL) || strcmp(f->sys->vendor, "GenuineIntel") == 0;
}

static const char *how_on(const struct vfcap_facts *f)
{
	static const char *const names[] = { "intel_iommu", "amd_iommu", "iommu" };
	static const char *const fix[] = {
		"kernel parameter intel_iommu=on,sm_on, in place of intel_iommu=off",
		"take amd_iommu=off off the kernel's command line",
		"take iommu=off off the kernel's command line",
	};

	for (size_t i = 0; i < 3; i++)
		if (asked(f, names[i], NULL, "off") == VFCAP_NO)
			return fix[i];
	if (strcmp(f->sys->vendor, "AuthenticAMD") == 0)
		return "firmware: IOMMU (AMD-Vi) on";
	if (is_intel(f))
		return "firmware: VT-d on; kernel parameter intel_iommu=on,sm_on";
	return "firmware: IOMMU (VT-d, AMD-Vi, SMMU) on; Intel: kernel parameter "
	       "intel_iommu=on,sm_on";
}

VFCAP_JUDGE(vfcap_judge_iommu)
{
	const struct vfcap_system *sys = f->sys;

	if (!sys->has_root)
		return vfcap_unknown(check, NULL, "%s", files);
	if (!sys->has_iommus && sys->n_groups < 0)
		return vfcap_unknown(check, NULL, EMPTY);
	if (sys->n_groups <= 0 && !sys->n_iommus)
		return vfcap_fail(check, how_on(f),
				  "sys/class/iommu and sys/kernel/iommu_groups are empty");
	if (sys->n_groups == 0)
		return vfcap_fail(check, how_on(f),
				  "sys/class/iommu: %zu units; sys/kernel/iommu_groups is empty",
				  sys->n_iommus);
	if (sys->n_groups < 0)
		return vfcap_pass(check, "sys/class/iommu: %zu units", sys->n_iommus);
	return vfcap_pass(check, "sys/kernel/iommu_groups: %d groups; sys/class/iommu: %zu units",
			  sys->n_groups, sys->n_iommus);
}

VFCAP_JUDGE(vfcap_judge_scalable_mode)
{
	const struct vfcap_system *sys = f->sys;
	const char *option = vfcap_config_name(VFCAP_CONFIG_SCALABLE);
	enum vfcap_answer said = asked(f, "intel_iommu", "sm_on", "sm_off");

	if (!is_intel(f))
		return false;
	if (said == VFCAP_YES)
		return vfcap_pass(check, "proc/cmdline: intel_iommu=...sm_on");
	if (said == VFCAP_NO)
		return vfcap_fail(check,
				  "kernel parameter intel_iommu=on,sm_on, in place of sm_off",
				  "proc/cmdline: intel_iommu=...sm_off");
	if (f->pasid_on == VFCAP_YES)
		return vfcap_pass(check, "PASID is on in a function below an Intel IOMMU");
	if (sys->config[VFCAP_CONFIG_SCALABLE] == VFCAP_YES)
		return vfcap_pass(check, "%s: %s=y", sys->config_file, option);
	if (!sys->has_command_line || sys->config[VFCAP_CONFIG_SCALABLE] == VFCAP_NOT_KNOWN)
		return vfcap_unknown(check, "kernel parameter intel_iommu=on,sm_on makes it sure",
				     "proc/cmdline does not say, nor a file with %s", option);
	return vfcap_fail(check, NULL, "proc/cmdline: no sm_on; %s: no %s", sys->config_file,
			  option);
}

/* What of a unit has to do with PASID: numbers, most of them of one bit. */
static const struct {
	const char *name;
	uint64_t intel, amd;
} matters[] = {
	{ "scalable mode", ECAP_SMTS, 0 },
	{ "PASID", ECAP_PASID, EFR_GT },
	{ "PASID width", ECAP_PSS, EFR_PASMAX },
	{ "page requests", ECAP_PRS, EFR_PPR },
	{ "nesting", ECAP_NEST, 0 },
	{ "device TLB", ECAP_DT, 0 },
};

/* Fills in of what another unit has more, separated by commas; false: of nothing. */
static bool lacks(const struct vfcap_iommu *unit, const struct vfcap_iommu *other, char *buf,
		  size_t size)
{
	buf[0] = '\0';
	for (size_t i = 0; i < sizeof(matters) / sizeof(matters[0]); i++) {
		uint64_t mask = unit->kind == VFCAP_IOMMU_INTEL ? matters[i].intel : matters[i].amd;
		size_t len = strlen(buf);

		if ((unit->features & mask) < (other->features & mask))
			snprintf(buf + len, size - len, "%s%s", len ? ", " : "", matters[i].name);
	}
	return buf[0];
}

VFCAP_JUDGE(vfcap_judge_agree)
{
	const struct vfcap_iommu *unit = f->iommu, *other;
	char what[128];

	if (f->sys->n_iommus < 2 || unit->kind == VFCAP_IOMMU_OTHER)
		return false;
	for (size_t i = 0; i < f->sys->n_iommus; i++) {
		other = &f->sys->iommu[i];
		if (other->kind != unit->kind)
			continue;
		if (!other->known)
			return vfcap_unknown(check, NULL,
					     "sys/class/iommu/%s: its registers are not there",
					     other->name);
		if (lacks(unit, other, what, sizeof(what)))
			return vfcap_fail(check, NULL, "sys/class/iommu/%s has more of: %s",
					  other->name, what);
	}
	return vfcap_pass(check, "none of the %zu units in sys/class/iommu has more",
			  f->sys->n_iommus);
}

/* A feature of a unit by the mask that all has to be there; 0: the kind does not tell. */
static bool judge_feature(const struct vfcap_facts *f, struct vfcap_check *check, uint64_t intel,
			  uint64_t amd, const char *names)
{
	const struct vfcap_iommu *unit = f->iommu;
	uint64_t mask = unit->kind == VFCAP_IOMMU_INTEL ? intel : amd;
	const char *file =
		unit->kind == VFCAP_IOMMU_INTEL ? "intel-iommu/ecap" : "amd-iommu/features";

	if (unit->kind == VFCAP_IOMMU_OTHER || !mask)
		return vfcap_unknown(check, NULL, "sys/class/iommu/%s does not tell", unit->name);
	if (!unit->known)
		return vfcap_unknown(check, NULL, "sys/class/iommu/%s/%s cannot be read",
				     unit->name, file);
	if ((unit->features & mask) != mask)
		return vfcap_fail(check, NULL, "%s %#llx: %s %s", file,
				  (unsigned long long)unit->features,
				  strchr(names, ',') ? "not all of" : "no", names);
	return vfcap_pass(check, "%s %#llx: %s", file, (unsigned long long)unit->features, names);
}

static bool intel_unit(const struct vfcap_facts *f)
{
	return f->iommu->kind == VFCAP_IOMMU_INTEL;
}

VFCAP_JUDGE(vfcap_judge_unit_scalable)
{
	if (f->iommu->kind == VFCAP_IOMMU_AMD)
		return false;
	return judge_feature(f, check, ECAP_SMTS, 0, "SMTS (bit 43)");
}

/* Linux drivers/iommu/amd/iommu.c, amd_iommu_pasid_supported(), wants all three. */
VFCAP_JUDGE(vfcap_judge_unit_pasid)
{
	return judge_feature(f, check, ECAP_PASID, EFR_GT | EFR_PPR | EFR_EPH,
			     intel_unit(f) ? "PASID (bit 40)" :
					     "GTSup (bit 4), PPRSup (bit 1), EPHSup (bit 50)");
}

/* Linux drivers/iommu/intel/iommu.c, intel_iommu_probe_device(), wants draining too. */
VFCAP_JUDGE(vfcap_judge_unit_pri)
{
	return judge_feature(f, check, ECAP_PRS | ECAP_PDS, EFR_PPR,
			     intel_unit(f) ? "PRS (bit 29), PDS (bit 42)" : "PPRSup (bit 1)");
}

VFCAP_JUDGE(vfcap_judge_unit_ats)
{
	const struct vfcap_iommu *unit = f->iommu;

	if (unit->kind != VFCAP_IOMMU_AMD || !unit->known)
		return judge_feature(f, check, ECAP_DT, EFR_GT, "DT (bit 2)");
	if (unit->cap & AMD_CAP_IOTLB)
		return vfcap_pass(check, "amd-iommu/cap %#x: IotlbSup (bit 24)", unit->cap);
	return vfcap_fail(check, NULL, "amd-iommu/cap %#x: no IotlbSup (bit 24)", unit->cap);
}

VFCAP_JUDGE(vfcap_judge_unit_nesting)
{
	return judge_feature(f, check, ECAP_NEST | ECAP_FLTS, 0, "NEST (bit 26), FLTS (bit 47)");
}

VFCAP_JUDGE(vfcap_judge_unit_remapping)
{
	bool off = asked(f, "intremap", NULL, "off") == VFCAP_NO;

	if (f->sys->unsafe_interrupts == VFCAP_YES)
		return vfcap_pass(check, "sys/module/vfio_iommu_type1: allow_unsafe_interrupts=Y");
	if (off)
		return vfcap_fail(check, "take intremap=off off the kernel's command line",
				  "proc/cmdline: intremap=off");
	return judge_feature(f, check, ECAP_IR, 0, "IR (bit 3)");
}

/* ------------------------------------------------------------------------------ kernel, modules -- */

VFCAP_JUDGE(vfcap_judge_config)
{
	const struct vfcap_system *sys = f->sys;
	char missing[160] = "";

	if (!sys->config_file[0])
		return vfcap_unknown(check, NULL, "%s",
				     sys->has_root ? "no boot/config-RELEASE, nor in lib/modules" :
						     files);
	for (unsigned int c = 0; c <= VFCAP_CONFIG_PASID; c++) {
		size_t len = strlen(missing);

		if (sys->config[c] != VFCAP_YES)
			snprintf(missing + len, sizeof(missing) - len, " %s",
				 vfcap_config_name((enum vfcap_config)c));
	}
	if (*missing)
		return vfcap_fail(check, vfcap_fixed(check, "a kernel with%s", missing), "%s: no%s",
				  sys->config_file, missing);
	return vfcap_pass(check, "%s: SR-IOV, ATS, PRI, PASID", sys->config_file);
}

/* A part that is there, or can be loaded when it is wanted. */
static bool judge_part(const struct vfcap_facts *f, struct vfcap_check *check, enum vfcap_part part)
{
	const char *name = vfcap_part_name(part);

	switch (f->sys->part[part]) {
	case VFCAP_PRESENT:
		return vfcap_pass(check, "%s is there", name);
	case VFCAP_LOADABLE:
		return vfcap_pass(check, "%s is not loaded, and can be (modules.dep)", name);
	case VFCAP_ABSENT:
		return vfcap_fail(check, NULL, "%s: not loaded, and not in modules.dep", name);
	case VFCAP_PRESENCE_UNKNOWN:
		break;
	}
	return vfcap_unknown(check, NULL, "%s: not loaded; no modules.dep tells whether it can be",
			     name);
}

VFCAP_JUDGE(vfcap_judge_vfio)
{
	return judge_part(f, check, VFCAP_PART_VFIO_PCI);
}

/* It is not needed where iommufd does its work. */
VFCAP_JUDGE(vfcap_judge_type1)
{
	if (f->sys->part[VFCAP_PART_TYPE1] == VFCAP_ABSENT &&
	    f->sys->part[VFCAP_PART_IOMMUFD] == VFCAP_PRESENT)
		return vfcap_pass(check, "no vfio_iommu_type1, but iommufd");
	return judge_part(f, check, VFCAP_PART_TYPE1);
}

VFCAP_JUDGE(vfcap_judge_iommufd)
{
	const struct vfcap_system *sys = f->sys;

	if (sys->dev_iommu == VFCAP_YES)
		return vfcap_pass(check, "dev/iommu is there");
	if (sys->part[VFCAP_PART_IOMMUFD] == VFCAP_PRESENT && sys->live)
		return vfcap_fail(check, "udevadm trigger; in a container, pass /dev/iommu in",
				  "no dev/iommu, although iommufd is there");
	if (sys->part[VFCAP_PART_IOMMUFD] == VFCAP_PRESENT)
		return vfcap_pass(check, "iommufd is there");
	if (sys->part[VFCAP_PART_IOMMUFD] == VFCAP_LOADABLE)
		return vfcap_fail(check, "modprobe iommufd", "iommufd is not loaded (modules.dep)");
	if (sys->config[VFCAP_CONFIG_IOMMUFD] == VFCAP_NO)
		return vfcap_fail(check, NULL, "%s: no CONFIG_IOMMUFD", sys->config_file);
	if (sys->part[VFCAP_PART_IOMMUFD] == VFCAP_ABSENT && sys->live)
		return vfcap_fail(check, NULL, "no dev/iommu, and iommufd is not in modules.dep");
	return vfcap_unknown(check, NULL, "no dev/iommu, nor a configuration of the kernel");
}

VFCAP_JUDGE(vfcap_judge_cdev)
{
	const struct vfcap_system *sys = f->sys;

	if (sys->cdev == VFCAP_YES)
		return vfcap_pass(check, "dev/vfio/devices is there");
	if (sys->config[VFCAP_CONFIG_CDEV] == VFCAP_YES)
		return vfcap_pass(check, "%s: CONFIG_VFIO_DEVICE_CDEV=y", sys->config_file);
	if (sys->config[VFCAP_CONFIG_CDEV] == VFCAP_NO)
		return vfcap_fail(check, NULL, "%s: no CONFIG_VFIO_DEVICE_CDEV", sys->config_file);
	return vfcap_unknown(check, NULL,
			     "no dev/vfio/devices; it comes with the first device that is bound");
}

VFCAP_JUDGE(vfcap_judge_pasid_attach)
{
	const struct vfcap_system *sys = f->sys;

	if (sys->pasid_attach == VFCAP_YES)
		return vfcap_pass(check, "%s: vfio_iommufd_physical_pasid_attach_ioas",
				  sys->symbols_file);
	if (sys->pasid_attach == VFCAP_NO)
		return vfcap_fail(check, NULL,
				  "%s: no vfio_iommufd_physical_pasid_attach_ioas in vfio",
				  sys->symbols_file);
	return vfcap_unknown(check, NULL,
			     "no modules.symbols, nor Module.symvers, that lists vfio's symbols");
}

VFCAP_JUDGE(vfcap_judge_module)
{
	return judge_part(f, check, VFCAP_PART_OURS);
}

/* What makes the kernel insist on signatures; false: nothing that was read. */
static bool insists(const struct vfcap_system *sys, char *why, size_t size)
{
	bool locked = sys->lockdown[0] && strcmp(sys->lockdown, "none");

	if (sys->sig_enforce == VFCAP_YES)
		snprintf(why, size, "sys/module/module/parameters/sig_enforce: Y");
	else if (locked)
		snprintf(why, size, "sys/kernel/security/lockdown: %s", sys->lockdown);
	return locked || sys->sig_enforce == VFCAP_YES;
}

VFCAP_JUDGE(vfcap_judge_signature)
{
	const struct vfcap_system *sys = f->sys;
	const char *boot = sys->secure_boot == VFCAP_YES ? "; Secure Boot is on" : "";
	char why[96];

	if (sys->part[VFCAP_PART_OURS] == VFCAP_PRESENT)
		return vfcap_pass(check, "it is loaded%s", boot);
	if (!insists(sys, why, sizeof(why))) {
		if (!sys->lockdown[0] && sys->sig_enforce == VFCAP_NOT_KNOWN)
			return vfcap_unknown(check, NULL,
					     "no sys/kernel/security/lockdown, no sig_enforce%s",
					     boot);
		return vfcap_pass(check, "sys/kernel/security/lockdown: %s; sig_enforce: %s%s",
				  sys->lockdown[0] ? sys->lockdown : "not there",
				  sys->sig_enforce == VFCAP_NO ? "N" : "not there", boot);
	}
	if (sys->module_signed == VFCAP_YES)
		return vfcap_pass(check, "%s; %s is signed%s", why, sys->module_file, boot);
	if (sys->module_signed == VFCAP_NO)
		return vfcap_fail(check, NULL, "%s; %s is not signed%s", why, sys->module_file,
				  boot);
	return vfcap_unknown(check, NULL, "%s; whether the module is signed cannot be seen%s", why,
			     boot);
}

/* --------------------------------------------------------------------------------------- QEMU -- */

static bool no_answer(const struct vfcap_system *sys, struct vfcap_check *check)
{
	if (!sys->has_root)
		return vfcap_unknown(check, NULL, "%s", files);
	if (!sys->qemu[0])
		return vfcap_unknown(check, NULL, "no QEMU below usr/bin");
	return vfcap_unknown(check, NULL, "%s %s", sys->qemu,
			     sys->live ? "does not answer" : "can be asked on its own host only");
}

VFCAP_JUDGE(vfcap_judge_viommu)
{
	const struct vfcap_system *sys = f->sys;

	if (sys->qemu_viommu == VFCAP_NOT_KNOWN)
		return no_answer(sys, check);
	if (sys->qemu_viommu == VFCAP_YES)
		return vfcap_pass(check, "%s: its IOMMU has a width of PASIDs", sys->qemu);
	return vfcap_fail(
		check, NULL,
		"%s: neither intel-iommu,pasid-bits= nor arm-smmuv3,ssidsize=", sys->qemu);
}

/* What the kernel shows, QEMU passes on: then it need not place it. */
VFCAP_JUDGE(vfcap_judge_vpasid)
{
	const struct vfcap_system *sys = f->sys;
	enum vfcap_presence ours = sys->part[VFCAP_PART_OURS];

	if (sys->qemu_vpasid == VFCAP_NOT_KNOWN)
		return no_answer(sys, check);
	if (sys->qemu_vpasid == VFCAP_YES)
		return vfcap_pass(check, "%s: vfio-pci has x-vpasid-cap-offset", sys->qemu);
	if (ours == VFCAP_PRESENT || ours == VFCAP_LOADABLE)
		return vfcap_pass(check,
				  "%s: no x-vpasid-cap-offset, which vfcap's driver makes needless",
				  sys->qemu);
	return vfcap_fail(check, NULL, "%s: vfio-pci has no x-vpasid-cap-offset", sys->qemu);
}
