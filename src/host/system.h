/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel and the machine under a root tell of themselves: its IOMMUs, its modules, what it was
 * started with. Only collected here; what it means is judged in ../lib/doctor.c.
 */
#ifndef VFCAP_SYSTEM_H
#define VFCAP_SYSTEM_H

#include "host.h"

enum vfcap_answer { VFCAP_NOT_KNOWN, VFCAP_NO, VFCAP_YES };

/* What vfcap_root_has() gave, as an answer: an error is none. */
static inline enum vfcap_answer vfcap_answer(int has)
{
	return has > 0 ? VFCAP_YES : has == 0 ? VFCAP_NO : VFCAP_NOT_KNOWN;
}

/* ------------------------------------------------------------------------------------- IOMMUs -- */

enum vfcap_iommu_kind { VFCAP_IOMMU_OTHER, VFCAP_IOMMU_INTEL, VFCAP_IOMMU_AMD };

/* One IOMMU unit, as sys/class/iommu has it. */
struct vfcap_iommu {
	char name[40]; /* "dmar0", "ivhd1", "smmu3.0x000000002b400000" */
	enum vfcap_iommu_kind kind;
	bool known; /* what follows could be read */
	uint64_t features; /* Intel: the extended capability register; AMD: the extended features */
	uint32_t cap; /* AMD: the capability's header */
};

/* Linux drivers/iommu/intel/iommu.h, ecap_*(). */
#define ECAP_DT (1ull << 2)
#define ECAP_IR (1ull << 3)
#define ECAP_NEST (1ull << 26)
#define ECAP_PRS (1ull << 29)
#define ECAP_PSS (0x1full << 35)
#define ECAP_PASID (1ull << 40)
#define ECAP_PDS (1ull << 42)
#define ECAP_SMTS (1ull << 43)
#define ECAP_FLTS (1ull << 47)

/* Linux drivers/iommu/amd/amd_iommu_types.h, FEATURE_* and IOMMU_CAP_IOTLB. */
#define EFR_PPR (1ull << 1)
#define EFR_GT (1ull << 4)
#define EFR_PASMAX (0x1full << 32)
#define EFR_EPH (1ull << 50)
#define AMD_CAP_IOTLB (1u << 24)

/* iommu.c: all units by name, an array for the caller. -ENOENT: the root does not tell. */
int vfcap_iommus_read(const struct vfcap_host *h, struct vfcap_iommu **unit, size_t *n);
/* The name of the unit that a function is below; "" when the root does not tell. Returns buf. */
const char *vfcap_iommu_name(const struct vfcap_function *fn, char buf[40]);
/*
 * PASID bits that Linux takes a unit to have (log2 of struct iommu_device.max_pasids, as iommufd and the driver
 * tell it); 0: none, or not known. AMD's count leaves out the highest PASID, and so has one bit less than its register.
 */
uint8_t vfcap_iommu_width(const struct vfcap_iommu *iommu);
/* That of the unit that a function, or else its PF, is below, on the kernel under the root: 0, with *width 0 when it is
 * not known; or -errno, said. */
int vfcap_iommu_read_width(const struct vfcap_function *fn, uint8_t *width) VFCAP_MUST_CHECK;
/* How many IOMMU groups there are; -1: the root does not tell. */
int vfcap_iommu_groups(const struct vfcap_host *h);

/* ------------------------------------------------------------------------------------- kernel -- */

/* Options of the kernel that matter, as its configuration has them. */
enum vfcap_config {
	VFCAP_CONFIG_IOV,
	VFCAP_CONFIG_ATS,
	VFCAP_CONFIG_PRI,
	VFCAP_CONFIG_PASID,
	VFCAP_CONFIG_IOMMUFD,
	VFCAP_CONFIG_CDEV,
	VFCAP_CONFIG_SCALABLE, /* scalable mode is on unless told */
	VFCAP_CONFIGS
};

const char *vfcap_config_name(enum vfcap_config config); /* "CONFIG_PCI_IOV" */

enum vfcap_presence {
	VFCAP_PRESENCE_UNKNOWN,
	VFCAP_ABSENT,
	VFCAP_LOADABLE, /* a module that is not loaded */
	VFCAP_PRESENT, /* loaded, or part of the kernel */
};

enum vfcap_part {
	VFCAP_PART_VFIO_PCI,
	VFCAP_PART_TYPE1,
	VFCAP_PART_IOMMUFD,
	VFCAP_PART_OURS,
	VFCAP_PARTS
};

const char *vfcap_part_name(enum vfcap_part part); /* "vfio-pci", for modprobe */

struct vfcap_system {
	bool has_root; /* else all is unknown: it comes from files */
	bool live; /* the host that runs us: programs can be asked */
	bool root_user; /* we are root */
	bool has_command_line;
	char command_line[16384]; /* kernels have up to 4096 bytes, boot configurations more */
	char vendor[16]; /* the processor's, "GenuineIntel"; "": not known */

	struct vfcap_iommu *iommu; /* n_iommus of them; owned */
	size_t n_iommus;
	bool has_iommus; /* the root tells of them */
	int n_groups; /* -1: not known */

	char config_file[128]; /* "": not found */
	enum vfcap_answer config[VFCAP_CONFIGS];
	enum vfcap_presence part[VFCAP_PARTS];
	enum vfcap_answer dev_iommu; /* dev/iommu is there */
	enum vfcap_answer cdev; /* a device has a file of its own; only YES is proof */
	char symbols_file[128]; /* where exported symbols are listed; "": not found */
	enum vfcap_answer pasid_attach; /* VFIO can attach a page table to a PASID */

	char lockdown[32]; /* "none", "integrity", ...; "": not known */
	enum vfcap_answer sig_enforce; /* modules have to be signed */
	enum vfcap_answer secure_boot;
	char module_file[160]; /* ours, where it could be loaded from; "": not found */
	enum vfcap_answer module_signed; /* a signature is appended to it */
	enum vfcap_answer denylist_disabled; /* our module binds what stock vfio-pci refuses */
	enum vfcap_answer unsafe_interrupts; /* type1 does without interrupt remapping */

	char qemu[64]; /* the program, "": none */
	enum vfcap_answer qemu_vpasid; /* its vfio-pci can place PASID */
	enum vfcap_answer qemu_viommu; /* its IOMMU for guests has PASIDs */
};

/* system.c. 0 or -ENOMEM; whatever cannot be read is not known. */
int vfcap_system_read(const struct vfcap_host *h, struct vfcap_system *sys);
void vfcap_system_free(struct vfcap_system *sys);

/* kernel.c: config, modules, symbols. */
void vfcap_kernel_read(const struct vfcap_host *h, struct vfcap_system *sys);
/* qemu.c: asks the program on the live host, within a few seconds. */
void vfcap_qemu_read(const struct vfcap_host *h, struct vfcap_system *sys);

/* What texts of a kernel say. Those that are no constants are taken apart. */

/* kernel.c: a kernel's configuration; false: there is nothing in it. */
bool vfcap_config_parse(char *text, struct vfcap_system *sys);
/* kernel.c: modules.dep or modules.builtin: which parts are not known yet, and found there. */
void vfcap_modules_parse(char *text, enum vfcap_presence found, struct vfcap_system *sys);
/* kernel.c: modules.symbols or Module.symvers: can VFIO attach a page table to a PASID? */
enum vfcap_answer vfcap_symbols_parse(char *text);
/* system.c: proc/cpuinfo, "" without a vendor; lockdown, "" when none is in force. */
void vfcap_cpuinfo_parse(const char *text, char vendor[16]);
void vfcap_lockdown_parse(const char *text, char lockdown[32]);
/* iommu.c: an attribute of an IOMMU. */
bool vfcap_iommu_parse(const char *text, uint64_t *val);

/* ------------------------------------------------------------------------------------ devices -- */

/* The file by which VFIO gives out a function. */
struct vfcap_node {
	char path[64]; /* "dev/vfio/14"; "": it has none */
	bool there;
	unsigned int mode, uid, gid;
	enum vfcap_answer usable; /* we may open it */
};

/* system.c: that of a function's own where it has one that we may open, else that of its group. */
void vfcap_node_read(const struct vfcap_function *fn, struct vfcap_node *node);

/* The others of a function's IOMMU group. */
struct vfcap_group_facts {
	bool known;
	size_t n_others,
		n_strange; /* strange: with a driver that is none of VFIO's, nor a bridge's */
	char strange[64]; /* the first of those, and its driver: "0000:03:00.1 (xhci_hcd)" */
};

void vfcap_group_read(const struct vfcap_function *fn, struct vfcap_group_facts *group);

#endif
