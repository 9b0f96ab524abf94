/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Deciding what is to be done to a VF, and what is to be taken back: no I/O in here. */
#ifndef VFCAP_DECIDE_H
#define VFCAP_DECIDE_H

#include "../host/change.h"
#include "lib.h"

#define VFCAP_STEPS_MOST \
	12 /* of one VF: module, override, unbind, bind, knobs off and on, verify or forget */

enum vfcap_module {
	VFCAP_MODULE_THERE, /* its driver is registered */
	VFCAP_MODULE_LOADABLE,
	VFCAP_MODULE_MISSING,
};

/* Where the plan puts a capability. */
struct vfcap_place {
	enum vfcap_code refused; /* VFCAP_OK: placed, or not wanted */
	uint16_t offset; /* 0: not placed */
	bool pf_enabled;
	bool later; /* it will be known when the VF is there */
	bool forced; /* although a byte of it is not zero */
	bool disagrees; /* the rule that was to lead there does not: */
	uint16_t ruled; /* where it leads; 0: nowhere */
};

/* All that a decision about a VF rests on. */
struct vfcap_snapshot {
	bool is_vf, has_pf;
	struct vfcap_binding now;
	struct vfcap_use use;
	enum vfcap_module module;
	bool denylisted, denylist_disabled; /* the latter: and our module binds it all the same */
	bool other_variant;
	char variant[VFCAP_NAME_ROOM];
	bool recorded; /* what it was bound to before us is known, and is this: */
	char driver[VFCAP_NAME_ROOM], override[VFCAP_NAME_ROOM];
	uint16_t enabled[VFCAP_ATTRS]; /* its knob by the record; 0: not enabled, or not recorded */
	bool driver_loaded; /* the recorded one is there to bind to */
	bool assigned_missing; /* the one that it is to be bound to is not */
	struct vfcap_place place[VFCAP_EMULS];
	bool forced_broken;
	uint8_t pf_width, iommu_width; /* PASID bits; 0: not known */
};

/* Fills in result, code, emul, message, offsets, and steps (room for VFCAP_STEPS_MOST). A result of
 * VFCAP_DONE means: to be done. */
void vfcap_decide(const struct vfcap_snapshot *s, const struct vfcap_change_options *opt,
		  struct vfcap_outcome *out, struct vfcap_step *step);

/* The writes that lead from one state of the knob to another, each of them acceptable to the driver.
 * Returns how many. */
size_t vfcap_knob_steps(const uint16_t now[VFCAP_ATTRS], const uint16_t want[VFCAP_ATTRS],
			struct vfcap_step *step);

/* Of a VF that was decided about: has its steps, which are step[], lead from what the knob says now. The driver keeps
 * what was written over rebinding, so that this is known only when the VF is bound. */
void vfcap_renew_knob_steps(const uint16_t now[VFCAP_ATTRS], struct vfcap_outcome *out,
			    struct vfcap_step *step);

/* All that a decision about the number of VFs of a PF rests on. */
struct vfcap_count {
	uint16_t now, want;
	int autoprobe; /* 0, 1; -1: there is no such attribute */
};

#define VFCAP_COUNT_STEPS_MOST 4

/* The steps that lead to another number of VFs, through 0, with drivers held off. Returns how many: 0 when there
 * are as many as wanted. A last step of VFCAP_STEP_AUTOPROBE is for when VFs that are described were bound. */
size_t vfcap_count_steps(const struct vfcap_count *count, struct vfcap_step *step);

/* The steps that leave nothing of a VF that its end would lose: afterwards it is as a new one. */
size_t vfcap_strip_steps(const struct vfcap_binding *now, struct vfcap_step *step);

/*
 * The same of a run that changed the number of VFs, as far as there still are as many as that run made: steps for the PF
 * (room for VFCAP_COUNT_STEPS_MOST). *n_before is how many entries of the log are to be taken back when
 * these steps were made: those before it, or none where somebody else has changed the number. False: the log tells
 * of no such change.
 */
bool vfcap_undo_count_steps(const struct vfcap_undo *undo, struct vfcap_address pf, uint16_t now,
			    int autoprobe, struct vfcap_step *step, size_t *n, size_t *n_before);

/* The steps that take back what a run did to a VF, as far as it still shows what that run made of it. */
size_t vfcap_undo_steps(const struct vfcap_undo *undo, struct vfcap_address vf,
			const struct vfcap_binding *now, struct vfcap_step *step);

/* Who uses a VF, as the end of a sentence. */
#define VFCAP_USE_ROOM 256
void vfcap_use_text(const struct vfcap_use *use, char *buf, size_t size);

#endif
