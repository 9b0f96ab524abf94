/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A change of VFs of one PF in its parts: what apply needs of transact.c, where the number of VFs changes too. */
#ifndef VFCAP_TRANSACT_H
#define VFCAP_TRANSACT_H

#include "decide.h"

#define VFCAP_LOCK_WAIT 10000 /* milliseconds, for another run to end */

struct vfcap_change {
	size_t n;
	struct vfcap_outcome *outcome; /* n of them */
	struct vfcap_step *step; /* VFCAP_STEPS_MOST of each */
};

/* One run. */
struct vfcap_run {
	struct vfcap_host *host;
	struct vfcap_function *pf; /* NULL: not known */
	const struct vfcap_change_options *opt;
	const struct vfcap_change_options *each; /* of each VF its own; NULL: opt */
	struct vfcap_change *change;
	/* Called when all that are to show something are bound. NULL: nothing is to be done then. */
	int (*bound)(struct vfcap_run *run, void *arg);
	void *bound_arg;
	struct vfcap_journal journal;
	bool interrupted; /* vfcap_set_cancel() ended it */
	size_t done,
		all; /* for those who watch: VFs looked at, and parts of what is to be done to them */
};

/* Outcomes for those VFs. -ENOMEM. */
int vfcap_change_new(struct vfcap_function *const *vf, size_t n, struct vfcap_change **change);
/* Fills in an outcome that failed. */
void vfcap_outcome_fail(struct vfcap_outcome *out, const char *message);

/* A context for one PF and its VFs, read anew, that changes what the PF's own does. -errno, said. */
int vfcap_pf_open(struct vfcap_function *pf, struct vfcap **ctx, struct vfcap_function **again);

/* Looks at all VFs and decides about them. What they are like is asked of like[] where it is not NULL: another
 * VF, or none, as they are not there yet. */
int vfcap_run_decide(struct vfcap_run *run, struct vfcap_function *const *like, bool there);
/* One VF that is refused keeps all of its PF as they are; name: which. */
void vfcap_run_refuse(struct vfcap_run *run, const char *name);
const char *vfcap_run_refused(const struct vfcap_run *run);
/* Locks the PF and sees to what an earlier run has left: *repaired. */
int vfcap_run_lock(struct vfcap_run *run, bool *repaired);
/* Before a dry run: what an earlier run has left, which would be seen to first, is logged, as far as this user may look.
 * -errno, said: it cannot be read, or not be understood. */
int vfcap_run_leftover(const struct vfcap_function *pf);
/* Changes what was decided about, if there is anything to change: all outcomes are settled then. */
int vfcap_run_carry_out(struct vfcap_run *run);
/* What is decided is not done: dry runs, and hosts without a kernel. */
void vfcap_run_on_paper(struct vfcap_run *run);
/* Looks before each step whether the run was told to end: -EINTR, said; 0: it goes on. */
int vfcap_run_go_on(struct vfcap_run *run);
/* Makes the steps of all VFs. What fails is said in the outcome of its VF. */
int vfcap_run_make(struct vfcap_run *run);
/* Makes the steps of a VF, or of a PF, and writes them down. */
int vfcap_run_steps(struct vfcap_run *run, struct vfcap_function *fn, const struct vfcap_step *step,
		    size_t n);
/* Takes all back; first: what failed, as VFs whose result is VFCAP_DONE are told. 0, or -errno when not all of it
 * could be taken back, logged. */
int vfcap_run_undo(struct vfcap_run *run, const char *first);
/* Records it as done. */
void vfcap_run_end(struct vfcap_run *run);
/* Says in the outcomes of VFs that failed whether that is because the run was interrupted. */
void vfcap_run_mark(const struct vfcap_run *run);

/* Who uses any of the VFs: the first such VF, NULL: nobody. -errno, said. */
int vfcap_find_user(struct vfcap_function *pf, struct vfcap_function **vf, struct vfcap_use *use);

#endif
