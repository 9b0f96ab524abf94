/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of apply share: what is to be done to one PF and its VFs. */
#ifndef VFCAP_APPLY_H
#define VFCAP_APPLY_H

#include <pthread.h>

#include "resolve.h"
#include "transact.h"

/* What all jobs together tell to whoever watches. */
struct vfcap_headway {
	const struct vfcap_apply_options *opt;
	pthread_mutex_t lock;
	size_t done, all;
};

/* VFs that are not there, and a PF that has them. */
struct vfcap_futures {
	struct vfcap_function pf;
	struct vfcap_function *vf;
	struct vfcap_function **list;
};

/* What is to be done to one PF. */
struct vfcap_job {
	const struct vfcap_target *target;
	const struct vfcap_apply_options *opt;
	struct vfcap_change_options all, *each; /* of each VF that is described, n of them */
	size_t *index; /* theirs */
	size_t n;

	struct vfcap *ctx[3]; /* to lock with, to look at, and when VFs came */
	struct vfcap_futures futures;
	bool recreates; /* the number of VFs changes: */
	struct vfcap_count count;
	struct vfcap_outcome pf_outcome;
	struct vfcap_step pf_step[VFCAP_COUNT_STEPS_MOST];
	struct vfcap_change *change; /* what came of the n VFs */
	char *said; /* lines that are to be logged */
	size_t n_said;
	bool unsaid; /* and others that there was no memory for */
	struct vfcap_headway *headway;
	size_t done, all_told; /* what it has told */
};

/* apply-pf.c. -ENOMEM. */
int vfcap_job_new(struct vfcap_job *job, const struct vfcap_target *target,
		  struct vfcap_headway *headway);
void vfcap_job_free(struct vfcap_job *job);
/* Settles all outcomes: without a change, or with the context ctx[0], of which this thread is the only user. */
void vfcap_job_on_paper(struct vfcap_job *job);
void vfcap_job_for_real(struct vfcap_job *job);
/* Says in all outcomes that are not settled what failed before any VF was at fault. */
void vfcap_job_fail(struct vfcap_job *job, struct vfcap_function *pf, const char *message);
/* As vfcap_set_log() has it: keeps the line. Lines of several PFs are said when all are done, those of one together. */
void vfcap_job_log(void *arg, const char *line);

/* What apply-count.c needs of it: outcomes for the VFs that are described, there or to be (-errno, said); a run for
 * them; what becomes of the PF's own outcome. */
int vfcap_job_change(struct vfcap_job *job, struct vfcap_function *pf, bool there);
void vfcap_job_run(struct vfcap_job *job, struct vfcap_function *pf, struct vfcap_run *run);
void vfcap_job_refuse(struct vfcap_job *job, enum vfcap_code code, const char *why);
void vfcap_job_fail_pf(struct vfcap_job *job, const char *message);

/* apply-count.c: has the PF have other VFs, and those that are described changed. All outcomes are settled then: what
 * is not refused is done, or failed. */
void vfcap_job_recreate(struct vfcap_job *job, struct vfcap_run *run);

#endif
