/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Judging a host: facts in, checks out. No I/O in here; examine.c collects the facts. */
#ifndef VFCAP_DOCTOR_H
#define VFCAP_DOCTOR_H

#include "../host/change.h"
#include "../host/system.h"
#include "lib.h"

#define VFCAP_HOPS_MOST 16 /* bridges above a function; a longer way is not looked at as a whole */

/* A function on the way to the root complex, itself first. */
struct vfcap_hop {
	char name[VFCAP_ADDRESS_LEN];
	uint32_t devcap2; /* where prefix is known */
	enum vfcap_answer prefix; /* forwards End-End TLP prefixes */
	enum vfcap_answer acs; /* sends requests of devices up instead of to each other */
};

struct vfcap_path {
	struct vfcap_hop hop[VFCAP_HOPS_MOST];
	size_t n;
	bool whole; /* the last one is on a root bus */
	bool portless; /* and neither a root port, nor an endpoint of the root complex itself */
};

/* A capability of a PF or a VF. */
struct vfcap_cap_facts {
	enum vfcap_answer there;
	struct vfcap_state state;
};

/* A place where PASID would be, or is, put without a look at what is there. */
struct vfcap_guess {
	uint16_t offset; /* 0: there is no such place */
	enum vfcap_code code; /* VFCAP_OK, or why it is bad */
	uint16_t byte; /* of the *NONZERO codes: the first that is not zero */
};

/* What became of asking iommufd. */
struct vfcap_hw_facts {
	bool wanted; /* it is to be asked */
	bool told;
	struct vfcap_hw_info info; /* where it told */
	char error[256]; /* else why not; "": it was not asked */
};

enum { VFCAP_GUESS_CONFIGURED, VFCAP_GUESS_PF, VFCAP_GUESS_QEMU, VFCAP_GUESSES };

/* All that the checks rest on; what a check is not about stays zero. */
struct vfcap_facts {
	const struct vfcap_system *sys;
	enum vfcap_answer pasid_on; /* in some function below an Intel unit */
	const struct vfcap_iommu *iommu; /* the unit, or that which a function is below; NULL */

	/* A function of any kind. */
	const char *name;
	const char *driver; /* NULL: none, or not known */
	bool knows_driver;
	struct vfcap_path path; /* of a VF: itself alone */
	struct vfcap_cap_facts pasid, pri, ats;
	bool has_chain; /* it could be walked */
	bool broken;
	enum vfcap_anomaly anomaly; /* the first that breaks it */
	uint16_t anomaly_at;
	bool has_binding; /* what follows is known */
	struct vfcap_binding binding;
	struct vfcap_use use;
	struct vfcap_hw_facts hw;

	/* A PF. */
	enum vfcap_answer sriov;
	int totalvfs; /* -1: not known */
	size_t n_vfs; /* that exist */
	bool knows_vfs; /* the source would have had them */
	uint8_t shown_width; /* PASID bits, the most that a VF is told to show; 0: none shows PASID */
	bool shows_pri; /* a VF is told to */

	/* A VF. */
	const char *pf; /* its PF's address; NULL */
	enum vfcap_answer denylisted; /* by its IDs, which are known then: */
	int vendor, device;
	struct vfcap_cap_facts pf_pasid;
	enum vfcap_code refused; /* PASID: VFCAP_OK where it was placed */
	struct vfcap_placement place;
	size_t siblings_unreadable;
	struct vfcap_guess guess[VFCAP_GUESSES];
	struct vfcap_group_facts group;
	int iommu_group; /* -1 */
	struct vfcap_node node;
};

/* One check, told by the table in doctor.c. */
struct vfcap_row {
	const char *id;
	enum vfcap_about about;
	const char *title;
	const char *fix; /* when it fails and the judge says nothing better; NULL */
	/* Says pass(), fail() or unknown(); false when there is nothing to ask. */
	bool (*judge)(const struct vfcap_facts *f, struct vfcap_check *check);
};

/* judge-host.c and judge-function.c: the judges. */
#define VFCAP_JUDGE(name) bool name(const struct vfcap_facts *f, struct vfcap_check *check)
VFCAP_JUDGE(vfcap_judge_iommu);
VFCAP_JUDGE(vfcap_judge_scalable_mode);
VFCAP_JUDGE(vfcap_judge_agree);
VFCAP_JUDGE(vfcap_judge_config);
VFCAP_JUDGE(vfcap_judge_vfio);
VFCAP_JUDGE(vfcap_judge_type1);
VFCAP_JUDGE(vfcap_judge_iommufd);
VFCAP_JUDGE(vfcap_judge_cdev);
VFCAP_JUDGE(vfcap_judge_pasid_attach);
VFCAP_JUDGE(vfcap_judge_module);
VFCAP_JUDGE(vfcap_judge_signature);
VFCAP_JUDGE(vfcap_judge_viommu);
VFCAP_JUDGE(vfcap_judge_vpasid);
VFCAP_JUDGE(vfcap_judge_unit_scalable);
VFCAP_JUDGE(vfcap_judge_unit_pasid);
VFCAP_JUDGE(vfcap_judge_unit_pri);
VFCAP_JUDGE(vfcap_judge_unit_ats);
VFCAP_JUDGE(vfcap_judge_unit_nesting);
VFCAP_JUDGE(vfcap_judge_unit_remapping);
VFCAP_JUDGE(vfcap_judge_sriov);
VFCAP_JUDGE(vfcap_judge_pf_driver);
VFCAP_JUDGE(vfcap_judge_vfs);
VFCAP_JUDGE(vfcap_judge_pasid);
VFCAP_JUDGE(vfcap_judge_pasid_on);
VFCAP_JUDGE(vfcap_judge_pri);
VFCAP_JUDGE(vfcap_judge_pri_on);
VFCAP_JUDGE(vfcap_judge_ats);
VFCAP_JUDGE(vfcap_judge_ats_on);
VFCAP_JUDGE(vfcap_judge_prefix);
VFCAP_JUDGE(vfcap_judge_acs);
VFCAP_JUDGE(vfcap_judge_width);
VFCAP_JUDGE(vfcap_judge_chain);
VFCAP_JUDGE(vfcap_judge_placement);
VFCAP_JUDGE(vfcap_judge_hidden);
VFCAP_JUDGE(vfcap_judge_denylist);
VFCAP_JUDGE(vfcap_judge_group);
VFCAP_JUDGE(vfcap_judge_driver);
VFCAP_JUDGE(vfcap_judge_knob);
VFCAP_JUDGE(vfcap_judge_emulation);
VFCAP_JUDGE(vfcap_judge_permissions);
VFCAP_JUDGE(vfcap_judge_use);
VFCAP_JUDGE(vfcap_judge_vf_width);

/* judge-function.c: is the function to be opened, to ask iommufd about its IOMMU? Else check says why not. */
bool vfcap_may_open(const struct vfcap_facts *f, struct vfcap_check *check);

/* How a judge answers; each returns true. A fix of NULL leaves the table's. */
bool vfcap_pass(struct vfcap_check *check, const char *evidence, ...)
	__attribute__((format(printf, 2, 3)));
bool vfcap_fail(struct vfcap_check *check, const char *fix, const char *evidence, ...)
	__attribute__((format(printf, 3, 4)));
bool vfcap_unknown(struct vfcap_check *check, const char *fix, const char *evidence, ...)
	__attribute__((format(printf, 3, 4)));
/* A fix that is put together: gives check->fix, to be handed on as fix. */
const char *vfcap_fixed(struct vfcap_check *check, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* What the kernel was told: of the words NAME=... on its command line, the options separated by commas, the
 * last of on and off that is there. NOT_KNOWN: neither. */
enum vfcap_answer vfcap_asked(const char *command_line, const char *name, const char *on,
			      const char *off);

/* Judges all rows of the table that are about something. */
void vfcap_judge(const struct vfcap_facts *f, enum vfcap_about about, struct vfcap_checks *checks);

#endif
