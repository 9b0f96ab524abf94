/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a description and a host to what is described of each VF: no I/O but of the PFs' SR-IOV registers. */
#ifndef VFCAP_RESOLVE_H
#define VFCAP_RESOLVE_H

#include "lib.h"

/* What is described of one VF, by which entries. NULL: it is not. */
struct vfcap_slot {
	const struct vfcap_spec_vfs *any;
	const struct vfcap_spec_vfs *want[VFCAP_EMULS], *width, *driver, *force;
};

/* A PF of which something is described. */
struct vfcap_target {
	struct vfcap_function *pf;
	const struct vfcap_spec_pf *count; /* NULL: the number of its VFs stays */
	size_t n; /* VFs that it will have, as far as their indices go */
	struct vfcap_slot *slot; /* n of them */
	bool wrong; /* what is described of it is, and it was skipped */
	bool knows_vfs; /* its SR-IOV capability told: */
	unsigned int vf_offset, vf_stride, vf_device;
};

struct vfcap_targets {
	struct vfcap_target *target; /* by address */
	size_t n;
	struct vfcap_skipped *skipped; /* of a description that may be followed in part */
	size_t n_skipped;
};

/* Errors are those of vfcap_apply(), said, with where they stand. Until the description is freed. */
int vfcap_resolve(struct vfcap_host *h, const struct vfcap_spec *spec, const char *only,
		  bool partial, struct vfcap_targets *targets);
void vfcap_targets_free(struct vfcap_targets *targets);

/* The address that a VF of that index has, or will have, as text; PF/vfN when that is not known. */
void vfcap_target_name(const struct vfcap_target *target, size_t index,
		       char buf[VFCAP_ADDRESS_LEN]);

/* The options that a VF is changed with. */
struct vfcap_change_options;
void vfcap_slot_options(const struct vfcap_slot *slot, struct vfcap_change_options *opt);

#endif
