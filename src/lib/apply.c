// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Brings a host to a described state: each PF by itself, with a context of its own, several at a
 * time. Where the number of VFs stays it is a change as enable makes it, with a wish for each VF; where
 * it changes, VFs go and come within the same run, and under the same log.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "resolve.h"
#include "transact.h"

#define WORKERS 16 /* PFs at a time */

/* VFs that are not there, and a PF that has them. */
struct futures {
	struct vfcap_function pf;
	struct vfcap_function *vf;
	struct vfcap_function **list;
};

/* What is to be done to one PF. */
struct job {
	const struct vfcap_target *target;
	const struct vfcap_apply_options *opt;
	struct vfcap_change_options all, *each; /* of each VF that is described, n of them */
	size_t *index; /* theirs */
	size_t n;

	struct vfcap *ctx[3]; /* to lock with, to look at, and when VFs came */
	struct futures futures;
	bool recreates; /* the number of VFs changes: */
	struct vfcap_count count;
	struct vfcap_outcome pf_outcome;
	struct vfcap_step pf_step[VFCAP_COUNT_STEPS_MOST];
	struct vfcap_change *change; /* what came of the n VFs */
	char *said; /* lines that are to be logged */
	size_t n_said;
};

struct vfcap_apply {
	struct vfcap_targets targets;
	struct job *job; /* one for each */
	const struct vfcap_outcome **outcome;
	size_t n;
};

/* ----------------------------------------------------------------------------------------- VFs -- */

static int futures_new(struct job *job, const struct vfcap_function *pf)
{
	struct futures *f = &job->futures;

	if (f->vf || !job->n)
		return 0;
	f->vf = calloc(job->n, sizeof(*f->vf));
	f->list = calloc(job->n, sizeof(struct vfcap_function *));
	if (!f->vf || !f->list)
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
		vf->numvfs = vf->totalvfs = vf->iommu_group = vf->config_size = vf->dirfd = -1;
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
static struct vfcap_function **described(const struct job *job, const struct vfcap_function *pf)
{
	struct vfcap_function **vf = calloc(job->n ? job->n : 1, sizeof(struct vfcap_function *));

	for (size_t i = 0; vf && i < job->n; i++)
		vf[i] = by_index(pf, job->index[i]);
	return vf;
}

/* Outcomes for the VFs that are described: there, or to be. */
static int job_change(struct job *job, struct vfcap_function *pf, bool there)
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

static void refuse_pf(struct job *job, enum vfcap_code code, const char *why)
{
	struct vfcap_outcome *out = &job->pf_outcome;

	out->result = VFCAP_REFUSED;
	out->code = code;
	out->n_steps = 0;
	snprintf(out->message, sizeof(out->message), "%s", why);
}

/* Two who set it would undo each other's work. */
static int refuse_owned(struct job *job, struct vfcap_function *pf)
{
	char owner[320], why[400];
	int owned = vfcap_owner_find(pf, owner, sizeof(owner));

	if (owned <= 0)
		return owned;
	snprintf(why, sizeof(why), "how many VFs it has is not for vfcap to set: %s", owner);
	refuse_pf(job, VFCAP_OWNED, why);
	return 0;
}

static int refuse_count(struct job *job, struct vfcap_function *pf)
{
	struct vfcap_function *user;
	struct vfcap_use use;
	char who[160], why[256];
	int err;

	if (pf->knows_driver && !pf->driver) {
		refuse_pf(job, VFCAP_NO_DRIVER, "no driver is bound to it that could create VFs");
		return 0;
	}
	err = vfcap_find_user(pf, &user, &use);
	if (err || !user)
		return err;
	vfcap_use_text(&use, who, sizeof(who));
	snprintf(why, sizeof(why), "all its VFs would go, but of %s %s", user->name, who);
	refuse_pf(job, VFCAP_IN_USE, why);
	return 0;
}

/* What is to become of the number of VFs. */
static int decide_pf(struct job *job, struct vfcap_function *pf)
{
	struct vfcap_outcome *out = &job->pf_outcome;
	int err;

	*out = (struct vfcap_outcome){ .vf = pf, .is_pf = true, .emul = VFCAP_EMULS };
	out->step = job->pf_step;
	job->recreates = false;
	if (!job->target->count)
		return 0;
	out->numvfs = job->target->count->numvfs;
	job->count = (struct vfcap_count){ .now = (uint16_t)pf->n_vf, .want = out->numvfs };
	job->count.autoprobe = vfcap_autoprobe_read(pf);
	out->n_steps = vfcap_count_steps(&job->count, job->pf_step);
	job->recreates = out->n_steps;
	out->result = job->recreates ? VFCAP_DONE : VFCAP_UNCHANGED;
	err = refuse_owned(job, pf);
	if (!err && job->recreates && out->result == VFCAP_DONE)
		err = refuse_count(job, pf);
	return err;
}

/* ----------------------------------------------------------------------------------------- deciding -- */

static void init_run(struct job *job, struct vfcap_function *pf, struct vfcap_run *run)
{
	run->host = pf->host;
	run->pf = pf;
	run->opt = &job->all;
	run->each = job->each;
	run->change = job->change;
	run->journal.pf = pf;
}

/* Of a PF and its VFs, all or none. */
static void refuse_together(struct job *job, struct vfcap_run *run)
{
	struct vfcap_outcome *pf = &job->pf_outcome;
	const char *vf = vfcap_run_refused(run);
	char why[64];

	if (vf && pf->result == VFCAP_DONE && job->recreates) {
		snprintf(why, sizeof(why), "not touched, because %s was refused", vf);
		refuse_pf(job, VFCAP_OK, why);
	}
	if (vf)
		vfcap_run_refuse(run, vf);
	else if (pf->result == VFCAP_REFUSED)
		vfcap_run_refuse(run, pf->vf->name);
}

/* Decides about all of it, of VFs that are still to come as far as their PF, or those there now, can tell. */
static int decide_job(struct job *job, struct vfcap_function *pf, struct vfcap_run *run)
{
	cleanup_free struct vfcap_function **like = described(job, pf);
	int err = like ? decide_pf(job, pf) : -ENOMEM;

	if (!err)
		err = job_change(job, pf, !job->recreates);
	if (err)
		return err;
	init_run(job, pf, run);
	err = vfcap_run_decide(run, like, !job->recreates);
	if (!err)
		refuse_together(job, run);
	return err;
}

static void fail_pf(struct job *job, const char *message)
{
	if (job->target->count && job->pf_outcome.result != VFCAP_REFUSED)
		vfcap_outcome_fail(&job->pf_outcome, message);
}

/* What failed before any VF was at fault. */
static void fail_job(struct job *job, struct vfcap_function *pf, const char *message)
{
	if (!job->change && job_change(job, pf, false))
		return;
	job->pf_outcome.vf = pf;
	job->pf_outcome.is_pf = true;
	job->pf_outcome.emul = VFCAP_EMULS;
	fail_pf(job, message);
	for (size_t i = 0; i < job->n; i++) {
		struct vfcap_outcome *out = &job->change->outcome[i];

		if (!out->message[0])
			vfcap_outcome_fail(out, message);
	}
}

static void job_on_paper(struct job *job)
{
	struct vfcap_function *pf = job->target->pf;
	struct vfcap_run run = { .host = pf->host };
	struct vfcap_outcome *out = &job->pf_outcome;
	char why[256];
	int err = decide_job(job, pf, &run);

	if (err) {
		fail_job(job, pf, pf->host->error[0] ? pf->host->error : strerror(-err));
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

/* ------------------------------------------------------------------------------------- recreating -- */

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
static size_t steps_before(const struct job *job)
{
	size_t n = job->pf_outcome.n_steps;

	return n && job->pf_step[n - 1].kind == VFCAP_STEP_AUTOPROBE ? n - 1 : n;
}

/* The runs of jobs are those of vfcap_run, with the job at hand. */
struct recreation {
	struct vfcap_run run; /* first */
	struct job *job;
};

static int release_drivers(struct vfcap_run *run)
{
	const struct job *job = ((struct recreation *)run)->job;
	size_t n = steps_before(job);

	return vfcap_run_steps(run, run->pf, job->pf_step + n, job->pf_outcome.n_steps - n);
}

static bool is_described(const struct job *job, int index)
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
static int restore_vf(struct job *job, struct vfcap_run *run, struct vfcap_function *vf,
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
	if (job->count.autoprobe == 1 && !now.driver[0] && vfcap_run_steps(run, vf, step, 1)) {
		vfcap_host_log(run->host, "%s", run->host->error);
		run->host->error[0] = '\0';
	}
	return 0;
}

static int restore_vfs(struct job *job, struct vfcap_run *run, const struct vfcap_undo *before)
{
	int err = 0;

	for (size_t i = 0; i < run->pf->n_vf && !err; i++)
		if (!is_described(job, run->pf->vf[i]->vf_index))
			err = restore_vf(job, run, run->pf->vf[i], before);
	return err;
}

/* The VFs are there: the real ones are decided about, and changed. */
static int change_new_vfs(struct job *job, struct vfcap_run *run, const struct vfcap_undo *before)
{
	struct vfcap_function *pf;
	char why[96];
	int err = vfcap_pf_open(run->pf, &job->ctx[2], &pf);

	if (err)
		return err;
	job->pf_outcome.vf = pf;
	err = job_change(job, pf, true);
	init_run(job, pf, run);
	if (!err)
		err = vfcap_run_decide(run, NULL, true);
	if (!err && vfcap_run_refused(run)) {
		snprintf(why, sizeof(why), "taken back, because %s was refused",
			 vfcap_run_refused(run));
		refuse_pf(job, VFCAP_OK, why);
		vfcap_run_refuse(run, vfcap_run_refused(run));
		return -ECANCELED;
	}
	if (!err)
		err = vfcap_run_make(run);
	return err ? err : restore_vfs(job, run, before);
}

static int recreate_vfs(struct job *job, struct vfcap_run *run)
{
	struct vfcap_undo before = { 0 };
	int err = vfcap_journal_begin(&run->journal, VFCAP_ACT_APPLY);

	if (err)
		return err;
	err = strip_vfs(run, run->pf);
	if (!err)
		err = vfcap_undo_read(run->pf, &before);
	if (!err)
		err = vfcap_run_steps(run, run->pf, job->pf_step, steps_before(job));
	if (!err)
		err = change_new_vfs(job, run, &before);
	vfcap_undo_free(&before);
	return err ? err : vfcap_journal_done(&run->journal);
}

/* All outcomes are settled here: what is not refused is done, or failed. */
static void recreate(struct job *job, struct vfcap_run *run)
{
	char first[sizeof(run->host->error)] = "";
	int err = recreate_vfs(job, run);

	if (!err) {
		vfcap_run_end(run);
		return;
	}
	if (err != -ECANCELED)
		snprintf(first, sizeof(first), "%s",
			 run->host->error[0] ? run->host->error : strerror(-err));
	if (first[0])
		fail_pf(job, first);
	run->change = job->change;
	job->pf_outcome.undone =
		vfcap_run_undo(run, first) == 0 && job->pf_outcome.result == VFCAP_FAILED;
}

/* ------------------------------------------------------------------------------------------- jobs -- */

/* The PF is locked: everything is looked at anew. */
static int job_locked(struct job *job, struct vfcap_run *run)
{
	struct vfcap_function *pf;
	int err = vfcap_pf_open(run->pf, &job->ctx[1], &pf);

	if (err)
		return err;
	init_run(job, pf, run);
	err = decide_job(job, pf, run);
	if (err || vfcap_run_refused(run) || job->pf_outcome.result == VFCAP_REFUSED)
		return err;
	if (job->recreates) {
		run->bound = release_drivers;
		recreate(job, run);
		return 0;
	}
	return vfcap_run_carry_out(run);
}

static void job_for_real(struct job *job)
{
	struct recreation r = { .job = job };
	struct vfcap_function *pf = vfcap_host_find(&job->ctx[0]->host, job->target->pf->address);
	bool repaired;
	int err;

	r.run.host = pf->host;
	r.run.pf = pf;
	err = vfcap_run_lock(&r.run, &repaired);
	if (!err)
		err = job_locked(job, &r.run);
	if (err)
		fail_job(job, pf,
			 r.run.host->error[0] ? r.run.host->error :
			 pf->host->error[0]   ? pf->host->error :
						strerror(-err));
	vfcap_journal_close(&r.run.journal);
}

/* Lines of several PFs are said when all are done, those of one together. */
static void job_log(void *arg, const char *line)
{
	struct job *job = arg;
	size_t len = strlen(line) + 1;
	char *more = realloc(job->said, job->n_said + len);

	if (!more)
		return;
	job->said = more;
	memcpy(more + job->n_said, line, len);
	job->n_said += len;
}

static int select_vfs(struct job *job)
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

static int job_new(struct job *job, const struct vfcap_target *target,
		   const struct vfcap_apply_options *opt)
{
	job->target = target;
	job->opt = opt;
	job->all = (struct vfcap_change_options){ .dry_run = opt->dry_run,
						  .no_verify = opt->no_verify,
						  .vf_token = opt->vf_token,
						  .wish.force = opt->force };
	return select_vfs(job);
}

static void job_free(struct job *job)
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

/* -------------------------------------------------------------------------------------------- all -- */

/* What the threads share. */
struct pool {
	struct vfcap_apply *apply;
	atomic_size_t next;
};

static void *work(void *arg)
{
	struct pool *pool = arg;
	size_t i;

	while ((i = atomic_fetch_add(&pool->next, 1)) < pool->apply->targets.n)
		if (pool->apply->job[i].ctx[0])
			job_for_real(&pool->apply->job[i]);
	return NULL;
}

/* One thread is there anyway. */
static void run_all(struct vfcap_apply *apply)
{
	struct pool pool = { .apply = apply };
	pthread_t thread[WORKERS];
	size_t n = 0;

	while (n + 1 < apply->targets.n && n + 1 < WORKERS &&
	       pthread_create(&thread[n], NULL, work, &pool) == 0)
		n++;
	work(&pool);
	while (n)
		pthread_join(thread[--n], NULL);
}

static void apply_for_real(struct vfcap *ctx, struct vfcap_apply *apply)
{
	struct vfcap_function *pf;

	for (size_t i = 0; i < apply->targets.n; i++) {
		struct job *job = &apply->job[i];

		if (vfcap_pf_open(job->target->pf, &job->ctx[0], &pf)) {
			vfcap_free(job->ctx[0]);
			job->ctx[0] = NULL;
			fail_job(job, job->target->pf, ctx->host.error);
			ctx->host.error[0] = '\0';
			continue;
		}
		vfcap_set_log(job->ctx[0], job_log, job);
	}
	run_all(apply);
	for (size_t i = 0; i < apply->targets.n; i++) {
		const struct job *job = &apply->job[i];

		for (size_t at = 0; at < job->n_said; at += strlen(job->said + at) + 1)
			vfcap_host_log(&ctx->host, "%s", job->said + at);
	}
}

static int collect(struct vfcap_apply *apply)
{
	size_t room = 1;

	for (size_t i = 0; i < apply->targets.n; i++)
		room += 1 + apply->job[i].n;
	apply->outcome = calloc(room, sizeof(struct vfcap_outcome *));
	if (!apply->outcome)
		return -ENOMEM;
	for (size_t i = 0; i < apply->targets.n; i++) {
		struct job *job = &apply->job[i];

		if (!job->change)
			return -ENOMEM;
		if (job->target->count)
			apply->outcome[apply->n++] = &job->pf_outcome;
		for (size_t v = 0; v < job->n; v++)
			apply->outcome[apply->n++] = &job->change->outcome[v];
	}
	return 0;
}

static int apply_targets(struct vfcap *ctx, struct vfcap_apply *apply,
			 const struct vfcap_apply_options *opt)
{
	int err = 0;

	apply->job = calloc(apply->targets.n ? apply->targets.n : 1, sizeof(*apply->job));
	if (!apply->job)
		return -ENOMEM;
	for (size_t i = 0; i < apply->targets.n && !err; i++)
		err = job_new(&apply->job[i], &apply->targets.target[i], opt);
	if (err)
		return err;
	if (!opt->dry_run && vfcap_host_has_kernel(&ctx->host))
		apply_for_real(ctx, apply);
	else
		for (size_t i = 0; i < apply->targets.n; i++)
			job_on_paper(&apply->job[i]);
	return collect(apply);
}

int vfcap_apply(struct vfcap *ctx, const struct vfcap_spec *spec,
		const struct vfcap_apply_options *opt, struct vfcap_apply **out)
{
	struct vfcap_apply *apply = calloc(1, sizeof(*apply));
	int err = apply ? 0 : -ENOMEM;

	ctx->host.error[0] = '\0';
	if (!err)
		err = vfcap_resolve(&ctx->host, spec, opt->only, &apply->targets);
	if (!err)
		err = apply_targets(ctx, apply, opt);
	if (err) {
		vfcap_apply_free(apply);
		apply = NULL;
	}
	*out = apply;
	return err ? vfcap_host_fail(&ctx->host, err, "%s", strerror(-err)) : 0;
}

const struct vfcap_outcome *vfcap_apply_outcome(const struct vfcap_apply *apply, size_t i)
{
	return i < apply->n ? apply->outcome[i] : NULL;
}

void vfcap_apply_free(struct vfcap_apply *apply)
{
	if (!apply)
		return;
	for (size_t i = 0; apply->job && i < apply->targets.n; i++)
		job_free(&apply->job[i]);
	free(apply->job);
	free(apply->outcome);
	vfcap_targets_free(&apply->targets);
	free(apply);
}
