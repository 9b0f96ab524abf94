/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Deciding what is to be done to a VF, and what is to be taken back: no I/O in here. */
#ifndef VFCAP_DECIDE_H
#define VFCAP_DECIDE_H

#include "../host/change.h"
#include "lib.h"

#define VFCAP_STEPS_MOST \
	12 /* of one VF: module, override, unbind, bind, knobs off and on, verify */

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
};

/* All that a decision about a VF rests on. */
struct vfcap_snapshot {
	bool is_vf, has_pf;
	struct vfcap_binding now;
	struct vfcap_use use;
	enum vfcap_module module;
	bool other_variant;
	char variant[VFCAP_NAME_ROOM];
	bool recorded; /* what it was bound to before us is known, and is this: */
	char driver[VFCAP_NAME_ROOM], override[VFCAP_NAME_ROOM];
	bool driver_loaded; /* the recorded one is there to bind to */
	struct vfcap_place place[VFCAP_EMULS];
	bool forced_broken;
	uint8_t pf_width; /* 0: not known */
};

/* Fills in result, code, emul, message, offsets, and steps (room for VFCAP_STEPS_MOST). A result of
 * VFCAP_DONE means: to be done. */
void vfcap_decide(const struct vfcap_snapshot *s, const struct vfcap_change_options *opt,
		  struct vfcap_outcome *out, struct vfcap_step *step);

/* The writes that lead from one state of the knob to another, each of them acceptable to the driver.
 * Returns how many. */
size_t vfcap_knob_steps(const uint16_t now[VFCAP_ATTRS], const uint16_t want[VFCAP_ATTRS],
			struct vfcap_step *step);

/* The steps that take back what a run did to a VF, as far as it still shows what that run made of it. */
size_t vfcap_undo_steps(const struct vfcap_undo *undo, struct vfcap_address vf,
			const struct vfcap_binding *now, struct vfcap_step *step);

/* Who uses a VF, as the end of a sentence. */
void vfcap_use_text(const struct vfcap_use *use, char *buf, size_t size);

#endif
