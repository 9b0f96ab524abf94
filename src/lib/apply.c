// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Brings a host to a described state: each PF by itself (apply-pf.c), with a context of its own, several at a
 * time. Where the number of VFs stays it is a change as enable makes it, with a wish for each VF; where it
 * changes (apply-count.c), VFs go and come within the same run, and under the same log.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "apply.h"

#define WORKERS 16 /* PFs at a time */

struct vfcap_apply {
	struct vfcap_targets targets;
	struct vfcap_job *job; /* one for each */
	struct vfcap_headway headway;
	const struct vfcap_outcome **outcome;
	size_t n;
};

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
			vfcap_job_for_real(&pool->apply->job[i]);
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
/* What could not be read in the context of one PF is missing from the whole. */
static void adopt_failure(struct vfcap *ctx, const struct vfcap *one)
{
	const char *what;
	int err = one->host.root ? vfcap_root_failure(one->host.root, &what) : 0;

	ctx->host.no_memory |= one->host.no_memory || err == -ENOMEM;
	if (err)
		vfcap_root_adopt_failure(ctx->host.root, one->host.root);
}

static void apply_for_real(struct vfcap *ctx, struct vfcap_apply *apply)
{
	struct vfcap_function *pf;

	for (size_t i = 0; i < apply->targets.n; i++) {
		struct vfcap_job *job = &apply->job[i];

		if (vfcap_pf_open(job->target->pf, &job->ctx[0], &pf)) {
			vfcap_free(job->ctx[0]);
			job->ctx[0] = NULL;
			vfcap_job_fail(job, job->target->pf, ctx->host.error);
			ctx->host.error[0] = '\0';
			continue;
		}
		vfcap_set_log(job->ctx[0], vfcap_job_log, job);
	}
	run_all(apply);
	for (size_t i = 0; i < apply->targets.n; i++) {
		const struct vfcap_job *job = &apply->job[i];

		for (size_t at = 0; at < job->n_said; at += strlen(job->said + at) + 1)
			vfcap_host_log(&ctx->host, "%s", job->said + at);
		if (job->unsaid)
			vfcap_host_log(&ctx->host, "%s: not all is told here: %s",
				       job->target->pf->name, strerror(ENOMEM));
		ctx->host.no_memory |= job->unsaid;
		for (size_t k = 0; k < 3; k++)
			if (job->ctx[k])
				adopt_failure(ctx, job->ctx[k]);
	}
}

/* Room for what is to be told, before anything is done. */
static int outcomes_new(struct vfcap_apply *apply)
{
	size_t room = 1;

	for (size_t i = 0; i < apply->targets.n; i++)
		room += 1 + apply->job[i].n;
	apply->outcome = calloc(room, sizeof(struct vfcap_outcome *));
	return apply->outcome ? 0 : -ENOMEM;
}

static int collect(struct vfcap_apply *apply)
{
	for (size_t i = 0; i < apply->targets.n; i++) {
		struct vfcap_job *job = &apply->job[i];

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

	apply->headway.opt = opt;
	apply->job = calloc(apply->targets.n ? apply->targets.n : 1, sizeof(*apply->job));
	if (!apply->job)
		return -ENOMEM;
	for (size_t i = 0; i < apply->targets.n && !err; i++)
		err = vfcap_job_new(&apply->job[i], &apply->targets.target[i], &apply->headway);
	if (!err)
		err = outcomes_new(apply);
	if (err)
		return err;
	if (!opt->dry_run && vfcap_host_has_kernel(&ctx->host))
		apply_for_real(ctx, apply);
	else
		for (size_t i = 0; i < apply->targets.n; i++)
			vfcap_job_on_paper(&apply->job[i]);
	return collect(apply);
}

int vfcap_apply(struct vfcap *ctx, const struct vfcap_spec *spec,
		const struct vfcap_apply_options *opt, struct vfcap_apply **out)
{
	struct vfcap_apply *apply = calloc(1, sizeof(*apply));
	int err = apply ? -pthread_mutex_init(&apply->headway.lock, NULL) : -ENOMEM;

	ctx->host.error[0] = '\0';
	ctx->host.assume_unused = opt->assume_unused;
	if (!err)
		err = vfcap_host_sure(&ctx->host, NULL);
	if (!err)
		err = vfcap_resolve(&ctx->host, spec, opt->only, opt->partial, &apply->targets);
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

const struct vfcap_skipped *vfcap_apply_skipped(const struct vfcap_apply *apply, size_t i)
{
	return i < apply->targets.n_skipped ? &apply->targets.skipped[i] : NULL;
}

void vfcap_apply_free(struct vfcap_apply *apply)
{
	if (!apply)
		return;
	for (size_t i = 0; apply->job && i < apply->targets.n; i++)
		vfcap_job_free(&apply->job[i]);
	free(apply->job);
	free(apply->outcome);
	vfcap_targets_free(&apply->targets);
	pthread_mutex_destroy(&apply->headway.lock);
	free(apply);
}
