// SPDX-License-Identifier: GPL-2.0-or-later
/* Another number of VFs: those of the PF go, others come, and all within one run and its log. */
#include <errno.h>
#include <stdlib.h>

#include "apply.h"

/* Nothing of a VF outlives it: what is to come back is taken away step by step, and so written down. */
static int strip_vfs(struct vfcap_run *run, struct vfcap_function *pf)
{
	struct vfcap_step step[VFCAP_STEPS_MOST];
	struct vfcap_binding now;
	int err = 0;

	for (size_t i = 0; i < pf->n_vf && !err; i++) {
		err = vfcap_binding_read(pf->vf[i], &now);
		if (!err)
			err = vfcap_run_steps(run, pf->vf[i], step, vfcap_strip_steps(&now, step));
	}
	return err;
}

/* Drivers are held off until the VFs that are described were bound. */
static size_t steps_before(const struct vfcap_job *job)
{
	size_t n = job->pf_outcome.n_steps;

	return n && job->pf_step[n - 1].kind == VFCAP_STEP_AUTOPROBE ? n - 1 : n;
}

static int release_drivers(struct vfcap_run *run, void *arg)
{
	const struct vfcap_job *job = arg;
	size_t n = steps_before(job);

	return vfcap_run_steps(run, run->pf, job->pf_step + n, job->pf_outcome.n_steps - n);
}

static bool is_described(const struct vfcap_job *job, int index)
{
	size_t lo = 0, hi = job->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (job->index[mid] == (size_t)index)
			return true;
		if (job->index[mid] < (size_t)index)
			lo = mid + 1;
		else
			hi = mid;
	}
	return false;
}

/* One that is not described: as it was, or whichever driver wants it, as the kernel would have had it. */
static int restore_vf(struct vfcap_job *job, struct vfcap_run *run, struct vfcap_function *vf,
		      const struct vfcap_undo *before)
{
	struct vfcap_step step[VFCAP_STEPS_MOST] = { { .kind = VFCAP_STEP_BIND } };
	struct vfcap_binding now;
	int err = vfcap_binding_read(vf, &now);

	if (err)
		return err;
	if (vf->vf_index < job->count.now)
		return vfcap_run_steps(run, vf, step,
				       vfcap_undo_steps(before, vf->address, &now, step));
	if (job->count.autoprobe != 1 || now.driver[0])
		return 0;
	return vfcap_run_steps(run, vf, step, 1);
}

static int restore_vfs(struct vfcap_job *job, struct vfcap_run *run,
		       const struct vfcap_undo *before)
{
	int err = 0;

	for (size_t i = 0; i < run->pf->n_vf && !err; i++)
		if (!is_described(job, run->pf->vf[i]->vf_index))
			err = restore_vf(job, run, run->pf->vf[i], before);
	return err;
}

/* The VFs are there: the real ones are decided about, and changed. */
static int change_new_vfs(struct vfcap_job *job, struct vfcap_run *run,
			  const struct vfcap_undo *before)
{
	struct vfcap_function *pf;
	char why[96];
	int err = vfcap_pf_open(run->pf, &job->ctx[2], &pf);

	if (err)
		return err;
	job->pf_outcome.vf = pf;
	err = vfcap_job_change(job, pf, true);
	vfcap_job_run(job, pf, run);
	if (!err)
		err = vfcap_run_decide(run, NULL, true);
	if (!err && vfcap_run_refused(run)) {
		snprintf(why, sizeof(why), "taken back, because %s was refused",
			 vfcap_run_refused(run));
		vfcap_job_refuse(job, VFCAP_OK, why);
		vfcap_run_refuse(run, vfcap_run_refused(run));
		return -ECANCELED;
	}
	if (!err)
		err = vfcap_run_make(run);
	return err ? err : restore_vfs(job, run, before);
}

static int recreate_vfs(struct vfcap_job *job, struct vfcap_run *run)
{
	struct vfcap_undo before = { 0 };
	int err = vfcap_journal_begin(&run->journal, VFCAP_ACT_APPLY);

	if (err)
		return err;
	err = strip_vfs(run, run->pf);
	if (!err)
		err = vfcap_journal_read(&run->journal, &before);
	if (!err)
		err = vfcap_run_steps(run, run->pf, job->pf_step, steps_before(job));
	if (!err)
		err = change_new_vfs(job, run, &before);
	vfcap_undo_free(&before);
	if (!err)
		err = vfcap_run_go_on(run);
	return err ? err : vfcap_journal_done(&run->journal);
}

void vfcap_job_recreate(struct vfcap_job *job, struct vfcap_run *run)
{
	char first[sizeof(run->host->error)] = "";
	int err;

	run->bound = release_drivers;
	run->bound_arg = job;
	err = recreate_vfs(job, run);
	if (!err) {
		vfcap_run_end(run);
		return;
	}
	if (err != -ECANCELED)
		snprintf(first, sizeof(first), "%s",
			 run->host->error[0] ? run->host->error : strerror(-err));
	if (first[0])
		vfcap_job_fail_pf(job, first);
	run->change = job->change;
	job->pf_outcome.undone =
		vfcap_run_undo(run, first) == 0 && job->pf_outcome.result == VFCAP_FAILED;
}
