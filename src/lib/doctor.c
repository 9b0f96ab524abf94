// SPDX-License-Identifier: GPL-2.0-or-later
/* Why PASID and shared virtual addressing do not work: the table of checks. */
#include "doctor.h"

#include <stdarg.h>
#include <string.h>

#define HOST VFCAP_ABOUT_HOST
#define IOMMU VFCAP_ABOUT_IOMMU
#define PF VFCAP_ABOUT_PF
#define VF VFCAP_ABOUT_VF

#define HARDWARE "other hardware, or firmware of this one that has it"
#define OTHER_SLOT "another slot, with no such bridge above it"
#define OTHER_PORT "a slot below another IOMMU unit, or other hardware"

/* vfcap-doctor(8) explains each; a test holds it against this table. */
static const struct vfcap_row rows[] = {
	{ "iommu", HOST, "the IOMMU is on", NULL, vfcap_judge_iommu },
	{ "scalable-mode", HOST, "the kernel uses scalable mode",
	  "kernel parameter intel_iommu=on,sm_on", vfcap_judge_scalable_mode },
	{ "kernel-config", HOST, "the kernel has SR-IOV, ATS, PRI and PASID",
	  "a kernel with these options", vfcap_judge_config },
	{ "vfio", HOST, "VFIO for PCI is there", "a kernel with CONFIG_VFIO_PCI",
	  vfcap_judge_vfio },
	{ "vfio-type1", HOST, "VFIO has groups and containers", "modprobe vfio_iommu_type1",
	  vfcap_judge_type1 },
	{ "iommufd", HOST, "iommufd is there, which hands page tables of a guest on",
	  "a kernel with CONFIG_IOMMUFD", vfcap_judge_iommufd },
	{ "vfio-cdev", HOST, "VFIO has a file for each device, which iommufd wants",
	  "a kernel with CONFIG_VFIO_DEVICE_CDEV", vfcap_judge_cdev },
	{ "pasid-attach", HOST, "VFIO attaches page tables to PASIDs",
	  "a kernel whose VFIO has it (Linux 6.15 and later)", vfcap_judge_pasid_attach },
	{ "module", HOST, "vfcap's driver is there",
	  "make install-dkms && dkms install vfcap-vfio-pci/" VFCAP_VERSION, vfcap_judge_module },
	{ "module-signature", HOST, "the kernel takes the module as it is signed",
	  "mokutil --import /var/lib/dkms/mok.pub, reboot and enroll it, then dkms install --force "
	  "vfcap-vfio-pci/" VFCAP_VERSION,
	  vfcap_judge_signature },
	{ "qemu-viommu", HOST, "QEMU's IOMMU for guests has PASIDs",
	  "QEMU 11.1 or later, or another VMM", vfcap_judge_viommu },
	{ "qemu-vpasid", HOST, "a guest of QEMU gets to see PASID",
	  "QEMU 11.1 or later; or vfcap's driver, which shows it to any", vfcap_judge_vpasid },

	{ "iommu-scalable", IOMMU, "the unit has scalable mode", OTHER_PORT,
	  vfcap_judge_unit_scalable },
	{ "iommu-pasid", IOMMU, "the unit has PASIDs", OTHER_PORT, vfcap_judge_unit_pasid },
	{ "iommu-pri", IOMMU, "the unit takes page requests", OTHER_PORT, vfcap_judge_unit_pri },
	{ "iommu-ats", IOMMU, "the unit serves device TLBs", OTHER_PORT, vfcap_judge_unit_ats },
	{ "iommu-nesting", IOMMU, "the unit nests page tables of guests", OTHER_PORT,
	  vfcap_judge_unit_nesting },
	{ "iommu-remapping", IOMMU, "the unit remaps interrupts",
	  "firmware: interrupt remapping (x2APIC) on; where guests are trusted: modprobe "
	  "vfio_iommu_type1 allow_unsafe_interrupts=1",
	  vfcap_judge_unit_remapping },
	{ "iommu-agree", IOMMU, "no other unit can do more",
	  "firmware update; or a slot below that unit (readlink /sys/bus/pci/devices/ADDRESS/iommu)",
	  vfcap_judge_agree },

	{ "pf-sriov", PF, "the function has SR-IOV", HARDWARE, vfcap_judge_sriov },
	{ "pf-driver", PF, "the PF has a driver", NULL, vfcap_judge_pf_driver },
	{ "pf-vfs", PF, "the PF has VFs", NULL, vfcap_judge_vfs },
	{ "pf-pasid", PF, "the PF has PASID", HARDWARE, vfcap_judge_pasid },
	{ "pf-pasid-on", PF, "the PF has PASID switched on", NULL, vfcap_judge_pasid_on },
	{ "pf-pri", PF, "the PF has PRI", HARDWARE "; else what a guest shares has to be pinned",
	  vfcap_judge_pri },
	{ "pf-pri-on", PF, "PRI is on where a VF shows it", NULL, vfcap_judge_pri_on },
	{ "pf-ats", PF, "the PF has ATS", HARDWARE, vfcap_judge_ats },
	{ "pf-ats-on", PF, "the PF has ATS switched on", NULL, vfcap_judge_ats_on },
	{ "pf-prefix", PF, "TLP prefixes get through to the root complex", OTHER_SLOT,
	  vfcap_judge_prefix },
	{ "pf-acs", PF, "requests go up to the root complex (ACS)", NULL, vfcap_judge_acs },
	{ "pf-width", PF, "the IOMMU has as many PASIDs as VFs show", NULL, vfcap_judge_width },

	{ "vf-chain", VF, "the chain of capabilities is whole",
	  "bind it to no driver of VFIO: a kernel that does not check may write past its buffers; "
	  "report it to the vendor",
	  vfcap_judge_chain },
	{ "vf-placement", VF, "there is a place for PASID", NULL, vfcap_judge_placement },
	{ "vf-hidden", VF, "no hidden register where PASID is, or would be guessed to be", NULL,
	  vfcap_judge_hidden },
	{ "vf-ats", VF, "the VF has ATS", HARDWARE, vfcap_judge_ats },
	{ "vf-prefix", VF, "the VF takes TLP prefixes, without which its guest uses no PASID",
	  HARDWARE, vfcap_judge_prefix },
	{ "vf-group", VF, "its IOMMU group can be given away", NULL, vfcap_judge_group },
	{ "vf-denylist", VF, "no driver of VFIO refuses it for errata that a guest can exploit",
	  "another card, or a driver of VFIO that is made for this one; where guests are trusted, modprobe "
	  VFCAP_MODULE " disable_denylist=1, which lets them exploit the errata",
	  vfcap_judge_denylist },
	{ "vf-driver", VF, "a driver of VFIO is bound, unless the chain is broken", NULL,
	  vfcap_judge_driver },
	{ "vf-knob", VF, "the driver speaks this vfcap's version",
	  "rmmod " VFCAP_MODULE " && modprobe " VFCAP_MODULE ", of the same version as the tool",
	  vfcap_judge_knob },
	{ "vf-emulation", VF, "a guest is shown PASID", NULL, vfcap_judge_emulation },
	{ "vf-permissions", VF, "its file can be opened", NULL, vfcap_judge_permissions },
	{ "vf-use", VF, "nobody is in the way", NULL, vfcap_judge_use },
	{ "vf-width", VF, "the IOMMU has as many PASIDs, as iommufd tells", NULL,
	  vfcap_judge_vf_width },
};

#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

const char *vfcap_health_name(enum vfcap_health health)
{
	static const char *const names[VFCAP_HEALTHS] = {
		[VFCAP_PASS] = "pass",
		[VFCAP_FAIL] = "fail",
		[VFCAP_UNKNOWN] = "unknown",
	};

	return names[health];
}

const char *vfcap_check_id(size_t i, enum vfcap_about *about)
{
	if (i >= N_ROWS)
		return NULL;
	if (about)
		*about = rows[i].about;
	return rows[i].id;
}

/* ------------------------------------------------------------------------------------- answers -- */

bool vfcap_pass(struct vfcap_check *check, const char *evidence, ...)
{
	va_list ap;

	check->result = VFCAP_PASS;
	check->fix[0] = '\0';
	va_start(ap, evidence);
	vsnprintf(check->evidence, sizeof(check->evidence), evidence, ap);
	va_end(ap);
	return true;
}

/* What vfcap_fixed() has put there stays. */
static void set_fix(struct vfcap_check *check, const char *fix)
{
	if (fix != check->fix)
		snprintf(check->fix, sizeof(check->fix), "%s", fix ? fix : "");
}

bool vfcap_fail(struct vfcap_check *check, const char *fix, const char *evidence, ...)
{
	va_list ap;

	check->result = VFCAP_FAIL;
	set_fix(check, fix);
	va_start(ap, evidence);
	vsnprintf(check->evidence, sizeof(check->evidence), evidence, ap);
	va_end(ap);
	return true;
}

bool vfcap_unknown(struct vfcap_check *check, const char *fix, const char *evidence, ...)
{
	va_list ap;

	check->result = VFCAP_UNKNOWN;
	set_fix(check, fix);
	va_start(ap, evidence);
	vsnprintf(check->evidence, sizeof(check->evidence), evidence, ap);
	va_end(ap);
	return true;
}

const char *vfcap_fixed(struct vfcap_check *check, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(check->fix, sizeof(check->fix), fmt, ap);
	va_end(ap);
	return check->fix;
}

void vfcap_judge(const struct vfcap_facts *f, enum vfcap_about about, struct vfcap_checks *checks)
{
	checks->n = 0;
	for (size_t i = 0; i < N_ROWS && checks->n < VFCAP_CHECKS_MOST; i++) {
		struct vfcap_check *check = &checks->check[checks->n];

		if (rows[i].about != about)
			continue;
		*check = (struct vfcap_check){ .id = rows[i].id, .title = rows[i].title };
		if (!rows[i].judge(f, check))
			continue;
		if (check->result == VFCAP_FAIL && !check->fix[0])
			set_fix(check, rows[i].fix);
		checks->n++;
	}
}
