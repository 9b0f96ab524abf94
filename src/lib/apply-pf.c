// SPDX-License-Identifier: GPL-2.0-or-later
/* What is described of one PF and its VFs: decided as a whole, then done. */
#include <errno.h>
#include <stdlib.h>

#include "apply.h"

/* ----------------------------------------------------------------------------------------- VFs -- */

static int futures_new(struct vfcap_job *job, const struct vfcap_function *pf)
{
	struct vfcap_futures *f = &job->futures;

	if (f->list || !job->n)
		return 0;
	if (!f->vf)
		f->vf = calloc(job->n, sizeof(*f->vf));
	if (f->vf)
		f->list = calloc(job->n, sizeof(struct vfcap_function *));
	if (!f->list)
		return -ENOMEM;
	f->pf = *pf;
	f->pf.image = f->pf.siblings = NULL; /* those are the real one's */
	f->pf.chain = NULL;
	f->pf.unreadable = NULL;
	f->pf.vf = f->list;
	f->pf.n_vf = job->n;
	for (size_t i = 0; i < job->n; i++) {
		struct vfcap_function *vf = &f->vf[i];

		vf->host = pf->host;
		vfcap_target_name(job->target, job->index[i], vf->name);
		vfcap_address_parse(vf->name, &vf->address);
		vf->role = VFCAP_ROLE_VF;
		vf->pf = &f->pf;
		vf->vf_index = (int)job->index[i];
		vf->vf_pos = i;
		vf->numvfs = vf->totalvfs = vf->iommu_group = vf->config_size = -1;
		vf->has_ids = pf->has_ids && job->target->knows_vfs;
		vf->vendor = pf->vendor;
		vf->device = job->target->vf_device;
		f->list[i] = vf;
	}
	return 0;
}

static struct vfcap_function *by_index(const struct vfcap_function *pf, size_t index)
{
	for (size_t i = index < pf->n_vf ? index : 0; i < pf->n_vf; i++)
		if (pf->vf[i]->vf_index == (int)index)
			return pf->vf[i];
	return NULL;
}

/* The VFs of a PF that are described; NULL for those that are not there. The caller frees them. */
static struct vfcap_function **described(const struct vfcap_job *job,
					 const struct vfcap_function *pf)
{
	struct vfcap_function **vf = calloc(job->n ? job->n : 1, sizeof(struct vfcap_function *));

	for (size_t i = 0; vf && i < job->n; i++)
		vf[i] = by_index(pf, job->index[i]);
	return vf;
}

int vfcap_job_change(struct vfcap_job *job, struct vfcap_function *pf, bool there)
{
	cleanup_free struct vfcap_function **vf = described(job, pf);
	int err = vf ? 0 : -ENOMEM;

	vfcap_change_free(job->change);
	job->change = NULL;
	if (!err && !there)
		err = futures_new(job, pf);
	for (size_t i = 0; i < job->n && !err && there; i++)
		if (!vf[i])
			err = vfcap_host_fail(pf->host, -ENODEV, "%s/vf%zu: it has gone", pf->name,
					      job->index[i]);
	if (!err)
		err = vfcap_change_new(there ? vf : job->futures.list, job->n, &job->change);
	return err ? vfcap_host_fail(pf->host, err, "%s: %s", pf->name, strerror(-err)) : 0;
}

/* ----------------------------------------------------------------------------------------- PF -- */

void vfcap_job_refuse(struct vfcap_job *job, enum vfcap_code code, const char *why)
{
	struct vfcap_outcome *out = &job->pf_outcome;

	out->result = VFCAP_REFUSED;
	out->code = code;
	out->n_steps = 0;
	snprintf(out->message, sizeof(out->message), "%s", why);
}

/* Two who set it would undo each other's work. */
static int refuse_owned(struct vfcap_job *job, struct vfcap_function *pf)
{
	char owner[320], why[400];
	int owned = vfcap_owner_find(pf, owner, sizeof(owner));

	if (owned <= 0)
		return owned;
	snprintf(why, sizeof(why), "how many VFs it has is not for vfcap to set: %s", owner);
	vfcap_job_refuse(job, VFCAP_OWNED, why);
	return 0;
}

static int refuse_count(struct vfcap_job *job, struct vfcap_function *pf)
{
	struct vfcap_function *user;
	struct vfcap_use use;
	char who[VFCAP_USE_ROOM], why[VFCAP_USE_ROOM + 64];
	int err;

	if (pf->knows_driver && !pf->driver) {
		vfcap_job_refuse(job, VFCAP_NO_DRIVER,
				 "no driver is bound to it that could create VFs");
		return 0;
	}
	err = vfcap_find_user(pf, &user, &use);
	if (err || !user)
		return err;
	vfcap_use_text(&use, who, sizeof(who));
	snprintf(why, sizeof(why), "all its VFs would go, but of %s %s", user->name, who);
	vfcap_job_refuse(job, VFCAP_IN_USE, why);
	return 0;
}

/* How many VFs there are, by the PF's own links: those that were read have to be the same. -errno, said. */
static int count_vfs(struct vfcap_function *pf)
{
	int n = vfcap_host_has_kernel(pf->host) ? vfcap_count_read(pf) : (int)pf->n_vf;

	if (n < 0 || (size_t)n == pf->n_vf)
		return n;
	return vfcap_host_fail(pf->host, -EAGAIN,
			       "%s: has links to %d VFs, of which %zu could be read: try again",
			       pf->name, n, pf->n_vf);
}

/* What is to become of the number of VFs. */
static int decide_pf(struct vfcap_job *job, struct vfcap_function *pf)
{
	struct vfcap_outcome *out = &job->pf_outcome;
	int err, now;

	*out = (struct vfcap_outcome){ .vf = pf, .is_pf = true, .emul = VFCAP_EMULS };
	out->step = job->pf_step;
	job->recreates = false;
	if (!job->target->count)
		return 0;
	now = count_vfs(pf);
	if (now < 0)
		return now;
	out->numvfs = job->target->count->numvfs;
	job->count = (struct vfcap_count){ .now = (uint16_t)now, .want = out->numvfs };
	err = vfcap_autoprobe_read(pf, &job->count.autoprobe);
	if (err)
		return err;
	out->n_steps = vfcap_count_steps(&job->count, job->pf_step);
	job->recreates = out->n_steps;
	out->result = job->recreates ? VFCAP_DONE : VFCAP_UNCHANGED;
	err = refuse_owned(job, pf);
	if (!err && job->recreates && out->result == VFCAP_DONE)
		err = refuse_count(job, pf);
	return err;
}

/* ----------------------------------------------------------------------------------------- deciding -- */

void vfcap_job_run(struct vfcap_job *job, struct vfcap_function *pf, struct vfcap_run *run)
{
	run->host = pf->host;
	run->pf = pf;
	run->opt = &job->all;
	run->each = job->each;
	run->change = job->change;
	run->journal.pf = pf;
}

/* Of a PF and its VFs, all or none. */
static void refuse_together(struct vfcap_job *job, struct vfcap_run *run)
{
	struct vfcap_outcome *pf = &job->pf_outcome;
	const char *vf = vfcap_run_refused(run);
	char why[64];

	if (vf && pf->result == VFCAP_DONE && job->recreates) {
		snprintf(why, sizeof(why), "not touched, because %s was refused", vf);
		vfcap_job_refuse(job, VFCAP_OK, why);
	}
	if (vf)
		vfcap_run_refuse(run, vf);
	else if (pf->result == VFCAP_REFUSED)
		vfcap_run_refuse(run, pf->vf->name);
}

/* Decides about all of it, of VFs that are still to come as far as their PF, or those there now, can tell. */
static int decide_job(struct vfcap_job *job, struct vfcap_function *pf, struct vfcap_run *run)
{
	cleanup_free struct vfcap_function **like = described(job, pf);
	int err = like ? decide_pf(job, pf) : -ENOMEM;

	if (!err)
		err = vfcap_job_change(job, pf, !job->recreates);
	if (err)
		return err;
	vfcap_job_run(job, pf, run);
	err = vfcap_run_decide(run, like, !job->recreates);
	if (!err)
		refuse_together(job, run);
	return err;
}

void vfcap_job_fail_pf(struct vfcap_job *job, const char *message)
{
	if (job->target->count && job->pf_outcome.result != VFCAP_REFUSED)
		vfcap_outcome_fail(&job->pf_outcome, message);
}

void vfcap_job_fail(struct vfcap_job *job, struct vfcap_function *pf, const char *message)
{
	if (!job->change && vfcap_job_change(job, pf, false))
		return;
	job->pf_outcome.vf = pf;
	job->pf_outcome.is_pf = true;
	job->pf_outcome.emul = VFCAP_EMULS;
	vfcap_job_fail_pf(job, message);
	for (size_t i = 0; i < job->n; i++) {
		struct vfcap_outcome *out = &job->change->outcome[i];

		if (!out->message[0])
			vfcap_outcome_fail(out, message);
	}
}

void vfcap_job_on_paper(struct vfcap_job *job)
{
	struct vfcap_function *pf = job->target->pf;
	struct vfcap_run run = { .host = pf->host };
	struct vfcap_outcome *out = &job->pf_outcome;
	char why[256];
	int err = vfcap_run_leftover(pf);

	if (!err)
		err = decide_job(job, pf, &run);
	if (err) {
		vfcap_job_fail(job, pf, pf->host->error[0] ? pf->host->error : strerror(-err));
		pf->host->error[0] = '\0';
		return;
	}
	vfcap_run_on_paper(&run);
	if (out->result != VFCAP_DONE || !job->recreates)
		return;
	snprintf(why, sizeof(why), "%s: there is no kernel behind it, nothing was changed",
		 vfcap_source(vfcap_of(pf)));
	if (job->opt->dry_run)
		out->result = VFCAP_UNCHANGED;
	else
		vfcap_outcome_fail(out, why);
}

/* ------------------------------------------------------------------------------------------- jobs -- */

/* The PF is locked: everything is looked at anew. */
static int job_locked(struct vfcap_job *job, struct vfcap_run *run)
{
	struct vfcap_function *pf;
	int err = vfcap_pf_open(run->pf, &job->ctx[1], &pf);

	if (err)
		return err;
	if (job->opt->partial) /* what is persisted is applied while interfaces come up */
		pf->host->wait_up = job->opt->wait * 1000;
	vfcap_job_run(job, pf, run);
	err = decide_job(job, pf, run);
	if (err || vfcap_run_refused(run) || job->pf_outcome.result == VFCAP_REFUSED)
		return err;
	if (!job->recreates)
		return vfcap_run_carry_out(run);
	vfcap_job_recreate(job, run);
	return 0;
}

void vfcap_job_for_real(struct vfcap_job *job)
{
	struct vfcap_run run = { 0 };
	struct vfcap_function *pf = vfcap_host_find(&job->ctx[0]->host, job->target->pf->address);
	bool repaired;
	int err;

	run.host = pf->host;
	run.pf = pf;
	run.opt = &job->all;
	err = vfcap_run_lock(&run, &repaired);
	if (!err)
		err = job_locked(job, &run);
	if (err)
		vfcap_job_fail(job, pf,
			       run.host->error[0] ? run.host->error :
			       pf->host->error[0] ? pf->host->error :
						    strerror(-err));
	run.change = job->change;
	vfcap_run_mark(&run);
	job->pf_outcome.interrupted = run.interrupted && job->pf_outcome.result == VFCAP_FAILED;
	vfcap_journal_close(&run.journal);
}

void vfcap_job_log(void *arg, const char *line)
{
	struct vfcap_job *job = arg;
	size_t len = strlen(line) + 1;
	char *more = realloc(job->said, job->n_said + len);

	if (!more) {
		job->unsaid = true;
		return;
	}
	job->said = more;
	memcpy(more + job->n_said, line, len);
	job->n_said += len;
}

static int select_vfs(struct vfcap_job *job)
{
	const struct vfcap_target *t = job->target;

	job->index = calloc(t->n ? t->n : 1, sizeof(*job->index));
	job->each = calloc(t->n ? t->n : 1, sizeof(*job->each));
	if (!job->index || !job->each)
		return -ENOMEM;
	for (size_t i = 0; i < t->n; i++) {
		if (!t->slot[i].any)
			continue;
		job->each[job->n] = job->all;
		vfcap_slot_options(&t->slot[i], &job->each[job->n]);
		job->index[job->n++] = i;
	}
	return 0;
}

/* As struct vfcap_change_options.progress, of jobs that run at the same time. */
static void tell(void *arg, const char *what, size_t done, size_t all)
{
	struct vfcap_job *job = arg;
	struct vfcap_headway *headway = job->headway;

	pthread_mutex_lock(&headway->lock);
	headway->done += done - job->done;
	headway->all += all - job->all_told;
	job->done = done;
	job->all_told = all;
	headway->opt->progress(headway->opt->progress_arg, what, headway->done, headway->all);
	pthread_mutex_unlock(&headway->lock);
}

int vfcap_job_new(struct vfcap_job *job, const struct vfcap_target *target,
		  struct vfcap_headway *headway)
{
	const struct vfcap_apply_options *opt = headway->opt;
	int err;

	job->target = target;
	job->opt = opt;
	job->headway = headway;
	job->all = (struct vfcap_change_options){ .dry_run = opt->dry_run,
						  .no_verify = opt->no_verify,
						  .assume_unused = opt->assume_unused,
						  .if_off = opt->if_off,
						  .wait = opt->wait,
						  .vf_token = opt->vf_token,
						  .wish.force = opt->force,
						  .progress = opt->progress ? tell : NULL,
						  .progress_arg = job };
	err = select_vfs(job);
	job->all_told = job->n;
	headway->all += job->n;
	return err;
}

void vfcap_job_free(struct vfcap_job *job)
{
	vfcap_change_free(job->change);
	for (size_t i = 0; i < 3; i++)
		vfcap_free(job->ctx[i]);
	free(job->futures.vf);
	free(job->futures.list);
	free(job->index);
	free(job->each);
	free(job->said);
}
