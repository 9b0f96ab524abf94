// SPDX-License-Identifier: GPL-2.0-or-later
/* A change of VFs of one PF: all of it, or nothing. */
#include <errno.h>
#include <stdlib.h>

#include "decide.h"

#define LOCK_WAIT 10000 /* milliseconds, for another run to end */

struct vfcap_change {
	size_t n;
	struct vfcap_outcome *outcome; /* n of them */
	struct vfcap_step *step; /* VFCAP_STEPS_MOST of each */
};

/* One run. */
struct run {
	struct vfcap_host *host;
	struct vfcap_function *pf; /* NULL: not known */
	const struct vfcap_change_options *opt;
	struct vfcap_change *change;
	struct vfcap_journal journal;
	size_t done, all; /* for those who watch */
};

/* ----------------------------------------------------------------------------------- snapshots -- */

/* What is looked at once for all VFs. */
struct sight {
	struct vfcap_holders holders;
	struct vfcap_variants variants;
	struct vfcap_record record;
	enum vfcap_module module;
	struct vfcap_plan *plan;
};

static void cleanup_sight(struct sight *sight)
{
	vfcap_holders_free(&sight->holders);
	vfcap_variants_free(&sight->variants);
	vfcap_record_free(&sight->record);
	free(sight->plan);
}

/* Of a captured host nobody knows what could be loaded. */
static enum vfcap_module find_module(struct vfcap_host *h)
{
	if (h->root && vfcap_driver_loaded(h, VFCAP_DRIVER))
		return VFCAP_MODULE_THERE;
	if (!vfcap_host_has_kernel(h) || h->ops->module(h, false) == 0)
		return VFCAP_MODULE_LOADABLE;
	return VFCAP_MODULE_MISSING;
}

static int sight_open(struct run *run, struct sight *sight)
{
	int err = 0;

	sight->plan = malloc(sizeof(*sight->plan));
	if (!sight->plan)
		return vfcap_host_fail(run->host, -ENOMEM, "%s", strerror(ENOMEM));
	sight->module = find_module(run->host);
	if (!run->host->root)
		return 0;
	err = vfcap_holders_scan(run->host, &sight->holders);
	if (!err)
		err = vfcap_variants_load(run->host, &sight->variants);
	if (!err && run->pf)
		err = vfcap_record_read(run->pf, &sight->record);
	return err;
}

static int snap_plan(struct vfcap_function *vf, const struct vfcap_wish *wish, struct sight *sight,
		     struct vfcap_snapshot *s)
{
	struct vfcap_plan *plan = sight->plan;
	struct vfcap_state state;
	int err = vfcap_function_plan(vf, wish, plan, NULL);

	vf->host->error[0] = '\0'; /* what could not be read is among the plan's reasons */
	vfcap_function_drop(vf);
	if (err)
		return vfcap_host_fail(vf->host, err, "%s: %s", vf->name, strerror(-err));
	for (unsigned int e = 0; e < VFCAP_EMULS; e++)
		s->place[e].refused = plan->refused[e];
	for (unsigned int i = 0; i < plan->n_placements; i++) {
		s->place[plan->placement[i].emul].offset = plan->placement[i].offset;
		s->place[plan->placement[i].emul].pf_enabled = plan->placement[i].pf_enabled;
	}
	s->forced_broken = plan->forced_broken;
	if (vf->pf && vfcap_function_state(vf->pf, VFCAP_ID_PASID, &state) > 0)
		s->pf_width = state.width;
	vf->host->error[0] = '\0';
	return 0;
}

static void snap_record(struct vfcap_function *vf, const struct sight *sight,
			struct vfcap_snapshot *s)
{
	const struct vfcap_before *before = vfcap_record_find(&sight->record, vf->address);

	if (!before)
		return;
	s->recorded = true;
	memcpy(s->driver, before->driver, sizeof(s->driver));
	memcpy(s->override, before->override, sizeof(s->override));
	s->driver_loaded = s->driver[0] && vfcap_driver_loaded(vf->host, s->driver);
}

static int snap(struct run *run, struct vfcap_function *vf, struct sight *sight,
		struct vfcap_snapshot *s)
{
	int err = 0;

	*s = (struct vfcap_snapshot){ .is_vf = vf->role == VFCAP_ROLE_VF,
				      .has_pf = vf->pf,
				      .module = sight->module };
	if (run->host->root) {
		err = vfcap_binding_read(vf, &s->now);
		if (err)
			return err;
		vfcap_use_find(vf, &s->now, &sight->holders, &s->use);
		s->other_variant = vfcap_variant_find(vf, &s->now, &sight->variants, s->variant);
		snap_record(vf, sight, s);
	}
	return run->opt->disable ? 0 : snap_plan(vf, &run->opt->wish, sight, s);
}

static void fail(struct vfcap_outcome *out, const char *message)
{
	out->result = VFCAP_FAILED;
	snprintf(out->message, sizeof(out->message), "%s", message);
}

static int decide_all(struct run *run)
{
	VFCAP_CLEANUP(cleanup_sight) struct sight sight = { 0 };
	struct vfcap_snapshot s;
	int err = sight_open(run, &sight);

	for (size_t i = 0; i < run->change->n && !err; i++) {
		struct vfcap_outcome *out = &run->change->outcome[i];

		err = snap(run, out->vf, &sight, &s);
		if (!err)
			vfcap_decide(&s, run->opt, out, run->change->step + i * VFCAP_STEPS_MOST);
	}
	return err;
}

/* --------------------------------------------------------------------------------- taking back -- */

static void cleanup_undo(struct vfcap_undo *undo)
{
	vfcap_undo_free(undo);
}

/* The link may lead elsewhere than when the host was read. */
static void renew_driver(struct vfcap_function *vf, const struct vfcap_binding *b)
{
	char *driver = b->driver[0] ? strdup(b->driver) : NULL;

	if (b->driver[0] && !driver)
		return;
	free(vf->driver);
	vf->driver = driver;
}

static int undo_vf(struct vfcap_function *vf, const struct vfcap_undo *undo,
		   const struct vfcap_holders *holders)
{
	struct vfcap_step step[VFCAP_STEPS_MOST];
	struct vfcap_binding now;
	struct vfcap_use use;
	char who[160];
	int err = vfcap_binding_read(vf, &now);
	size_t n;

	if (err)
		return err == -ENODEV ? 0 : err;
	n = vfcap_undo_steps(undo, vf->address, &now, step);
	vfcap_use_find(vf, &now, holders, &use);
	/* Of one that is being unbound nobody knows yet what is to be done. */
	if (now.unbinding || (n && use.kind != VFCAP_USE_NONE)) {
		vfcap_use_text(&use, who, sizeof(who));
		return vfcap_host_fail(vf->host, -EBUSY, "%s: %s", vf->name, who);
	}
	for (size_t i = 0; i < n && !err; i++)
		err = vfcap_step_do(vf, &step[i]);
	if (vfcap_binding_read(vf, &now) == 0)
		renew_driver(vf, &now);
	return err;
}

static bool comes_later(const struct vfcap_undo *undo, size_t i)
{
	for (size_t k = i + 1; k < undo->n; k++)
		if (!vfcap_address_compare(undo->entry[k].vf, undo->entry[i].vf))
			return true;
	return false;
}

/* The last VF first. One that cannot be taken back does not keep the others. The log stays as long as
 * there is something to do. */
static int take_back(struct vfcap_journal *j, const struct vfcap_undo *undo)
{
	struct vfcap_host *h = j->pf->host;
	struct vfcap_holders holders;
	int err = vfcap_holders_scan(h, &holders), one;

	for (size_t i = undo->n; i-- > 0;) {
		struct vfcap_function *vf = vfcap_host_find(h, undo->entry[i].vf);

		if (!vf || vf->pf != j->pf || comes_later(undo, i))
			continue;
		one = undo_vf(vf, undo, &holders);
		err = err ? err : one;
	}
	vfcap_holders_free(&holders);
	return err ? err : vfcap_journal_forget(j);
}

/* What a run has left that did not end. */
static int repair(struct vfcap_journal *j)
{
	VFCAP_CLEANUP(cleanup_undo) struct vfcap_undo undo = { 0 };
	struct vfcap_function *pf = j->pf;
	int err = vfcap_undo_read(pf, &undo);
	const char *what = undo.act == VFCAP_ACT_DISABLE ? "disable" : "enable";

	if (err)
		return vfcap_host_fail(pf->host, err, "%s: /run/vfcap/%s.undo: %s", pf->name,
				       pf->name, strerror(-err));
	if (!undo.there)
		return 0;
	if (undo.damaged)
		return vfcap_host_fail(
			pf->host, -EBADMSG,
			"%s: /run/vfcap/%s.undo: cannot be understood; look at it, then remove it",
			pf->name, pf->name);
	err = undo.done ? vfcap_journal_finish(j, &undo) : take_back(j, &undo);
	if (!err)
		vfcap_host_log(pf->host,
			       undo.done ? "%s: finished %s, which had not ended" :
					   "%s: took back %s, which had not ended",
			       pf->name, what);
	return err;
}

int vfcap_repair(struct vfcap_function *pf)
{
	struct vfcap_host *h = pf->host;
	VFCAP_CLEANUP(vfcap_journal_close) struct vfcap_journal j;
	int err;

	h->error[0] = '\0';
	j = (struct vfcap_journal){ .dir = -1, .lock = -1, .log = -1 };
	if (!vfcap_host_has_kernel(h))
		return vfcap_host_fail(h, -EROFS, "%s: there is no kernel behind it",
				       vfcap_source((struct vfcap *)h));
	err = vfcap_journal_open(&j, pf, LOCK_WAIT);
	return err ? err : repair(&j);
}

/* ------------------------------------------------------------------------------------- carrying out -- */

static const char *const step_names[VFCAP_STEP_KINDS] = {
	[VFCAP_STEP_MODULE] = "module", [VFCAP_STEP_OVERRIDE] = "override",
	[VFCAP_STEP_UNBIND] = "unbind", [VFCAP_STEP_BIND] = "bind",
	[VFCAP_STEP_KNOB] = "knob",	[VFCAP_STEP_VERIFY] = "verify",
};

#define PART(kind) (1u << (kind))
#define PART_BIND                                                                        \
	(PART(VFCAP_STEP_MODULE) | PART(VFCAP_STEP_OVERRIDE) | PART(VFCAP_STEP_UNBIND) | \
	 PART(VFCAP_STEP_BIND))
#define PART_KNOB PART(VFCAP_STEP_KNOB)
#define PART_VERIFY PART(VFCAP_STEP_VERIFY)

/* With the PF's capability off, which was forced, it cannot be seen. */
static bool verdict_ok(const struct vfcap_outcome *out, const struct vfcap_verdict *verdict)
{
	bool hidden = false;

	for (unsigned int e = 0; e < VFCAP_EMULS; e++) {
		if (verdict->refused[e] != VFCAP_OK &&
		    !(verdict->refused[e] == VFCAP_PF_OFF && out->pf_off[e]))
			return false;
		hidden |= verdict->refused[e] != VFCAP_OK;
	}
	return hidden ? verdict->has_knob && !verdict->n : vfcap_verdict_good(verdict);
}

static int verify(struct run *run, const struct vfcap_outcome *out)
{
	struct vfcap *ctx = (struct vfcap *)run->host;
	struct vfcap_verdict verdict = { 0 };
	const struct vfcap_difference *d;
	int err;

	vfcap_function_drop(out->vf);
	err = ctx->verify(out->vf, run->opt->vf_token, false, &verdict);
	if (err)
		return err;
	d = verdict.difference;
	if (!verdict_ok(out, &verdict))
		err = vfcap_host_fail(run->host, -EBADMSG,
				      "%s: a guest would not see what was configured",
				      out->vf->name);
	if (err && verdict.n)
		snprintf(run->host->error, sizeof(run->host->error),
			 "%s: a guest sees 0x%02x at 0x%03x, where 0x%02x belongs", out->vf->name,
			 d->found, d->offset, d->expected);
	vfcap_verdict_free(&verdict);
	return err;
}

static int make_step(struct run *run, const struct vfcap_outcome *out,
		     const struct vfcap_step *step)
{
	int err;

	if (step->kind == VFCAP_STEP_VERIFY)
		return verify(run, out);
	err = vfcap_journal_step(&run->journal, out->vf, step);
	return err ? err : vfcap_step_do(out->vf, step);
}

/* The steps of those kinds, of one VF. */
static int make_steps(struct run *run, const struct vfcap_outcome *out, unsigned int part)
{
	const char *what = NULL;
	struct vfcap_binding now;
	int err = 0;

	for (size_t i = 0; i < out->n_steps && !err; i++) {
		if (!(PART(out->step[i].kind) & part))
			continue;
		if (!what && run->opt->progress)
			run->opt->progress(run->opt->progress_arg, step_names[out->step[i].kind],
					   run->done, run->all);
		what = step_names[out->step[i].kind];
		err = make_step(run, out, &out->step[i]);
	}
	run->done += what != NULL;
	if (!err && what && part & PART_BIND) {
		err = vfcap_binding_read(out->vf, &now);
		renew_driver(out->vf, &now);
	}
	return err;
}

static int fail_at(struct vfcap_outcome *out, int err)
{
	if (err)
		fail(out, out->vf->host->error[0] ? out->vf->host->error : strerror(-err));
	return err;
}

static int make_part(struct run *run, unsigned int part)
{
	int err = 0;

	for (size_t i = 0; i < run->change->n && !err; i++) {
		struct vfcap_outcome *out = &run->change->outcome[i];

		if (out->result == VFCAP_DONE)
			err = fail_at(out, make_steps(run, out, part));
	}
	return err;
}

/* A driver that let go may have left other bytes behind than were planned with: the places are looked at
 * again. */
static int look_again(struct run *run, struct vfcap_outcome *out, struct vfcap_plan *plan)
{
	struct vfcap_wish wish = run->opt->wish;
	unsigned int e;
	int err;

	for (e = 0; e < VFCAP_EMULS; e++) {
		wish.explicit_at[e] = wish.want[e] = out->offset[e];
		wish.at[e] = out->offset[e];
	}
	vfcap_function_drop(out->vf);
	err = vfcap_function_plan(out->vf, &wish, plan, NULL);
	vfcap_function_drop(out->vf);
	if (err)
		return err;
	run->host->error[0] = '\0';
	for (e = 0; e < VFCAP_EMULS; e++)
		if (wish.want[e] && plan->refused[e] != VFCAP_OK)
			return vfcap_host_fail(
				run->host, -EAGAIN,
				"%s: since it was bound, not good any more: %s at 0x%03x: %s",
				out->vf->name, vfcap_capinfo(vfcap_emul_id(e))->name,
				out->offset[e],
				vfcap_code_text(plan->n_considered ? plan->considered[0].code :
								     plan->refused[e]));
	return 0;
}

static int look_again_at_all(struct run *run)
{
	cleanup_free struct vfcap_plan *plan = malloc(sizeof(*plan));
	int err = 0;

	if (!plan)
		return vfcap_host_fail(run->host, -ENOMEM, "%s", strerror(ENOMEM));
	vfcap_function_drop(run->pf);
	for (size_t i = 0; i < run->change->n && !err; i++) {
		struct vfcap_outcome *out = &run->change->outcome[i];

		if (out->result == VFCAP_DONE)
			err = fail_at(out, look_again(run, out, plan));
	}
	return err;
}

static int make_all(struct run *run)
{
	int err;

	if (run->opt->disable)
		return make_part(run, ~0u);
	err = make_part(run, PART_BIND);
	if (!err)
		err = look_again_at_all(run);
	if (!err)
		err = make_part(run, PART_KNOB);
	if (!err)
		err = make_part(run, PART_VERIFY);
	return err;
}

/* -------------------------------------------------------------------------------------- the run -- */

static void undo_run(struct run *run)
{
	VFCAP_CLEANUP(cleanup_undo) struct vfcap_undo undo = { 0 };
	char first[sizeof(run->host->error)];
	int err;

	memcpy(first, run->host->error, sizeof(first));
	run->host->error[0] = '\0';
	err = vfcap_undo_read(run->pf, &undo);
	if (!err)
		err = take_back(&run->journal, &undo);
	if (err)
		vfcap_host_log(run->host,
			       "%s; not all that was done could be taken back: see vfcap status",
			       run->host->error[0] ? run->host->error : strerror(-err));
	for (size_t i = 0; i < run->change->n; i++) {
		struct vfcap_outcome *out = &run->change->outcome[i];

		if (out->result == VFCAP_DONE)
			fail(out, first);
		out->undone = out->result == VFCAP_FAILED && !err;
	}
	memcpy(run->host->error, first, sizeof(first));
}

/* What is done is done: when only the record cannot be written, the next run sees to it. */
static void end_run(struct run *run)
{
	VFCAP_CLEANUP(cleanup_undo) struct vfcap_undo undo = { 0 };
	int err = vfcap_undo_read(run->pf, &undo);

	if (!err)
		err = vfcap_journal_finish(&run->journal, &undo);
	if (err)
		vfcap_host_log(run->host, "%s",
			       run->host->error[0] ? run->host->error : strerror(-err));
}

static size_t count(const struct vfcap_change *change, enum vfcap_result result)
{
	size_t n = 0;

	for (size_t i = 0; i < change->n; i++)
		n += change->outcome[i].result == result;
	return n;
}

static bool has_part(const struct vfcap_outcome *out, unsigned int part)
{
	for (size_t i = 0; i < out->n_steps; i++)
		if (PART(out->step[i].kind) & part)
			return true;
	return false;
}

/* How often make_steps() will have something to do. */
static size_t count_work(const struct run *run)
{
	static const unsigned int parts[] = { PART_BIND, PART_KNOB, PART_VERIFY };
	size_t all = 0;

	for (size_t i = 0; i < run->change->n; i++) {
		const struct vfcap_outcome *out = &run->change->outcome[i];

		if (out->result != VFCAP_DONE)
			continue;
		for (size_t p = 0; p < 3 && !run->opt->disable; p++)
			all += has_part(out, parts[p]);
		all += run->opt->disable && has_part(out, ~0u);
	}
	return all;
}

static int carry_out(struct run *run)
{
	int err = vfcap_journal_begin(&run->journal,
				      run->opt->disable ? VFCAP_ACT_DISABLE : VFCAP_ACT_ENABLE);

	if (err)
		return err;
	run->all = count_work(run);
	err = make_all(run);
	if (!err)
		err = vfcap_journal_done(&run->journal);
	if (err)
		undo_run(run);
	else
		end_run(run);
	return 0;
}

/* One VF that is refused keeps all of its PF as they are. */
static void refuse_all(struct run *run)
{
	const struct vfcap_outcome *first = NULL;

	for (size_t i = 0; i < run->change->n && !first; i++)
		if (run->change->outcome[i].result == VFCAP_REFUSED)
			first = &run->change->outcome[i];
	for (size_t i = 0; i < run->change->n; i++) {
		struct vfcap_outcome *out = &run->change->outcome[i];

		if (out->result != VFCAP_DONE)
			continue;
		out->result = VFCAP_REFUSED;
		out->n_steps = 0;
		snprintf(out->message, sizeof(out->message), "not touched, because %s was refused",
			 first->vf->name);
	}
}

static int run_for_real(struct run *run)
{
	int err = vfcap_journal_open(&run->journal, run->pf, LOCK_WAIT);

	if (!err)
		err = repair(&run->journal);
	if (!err)
		err = decide_all(run);
	if (!err && count(run->change, VFCAP_REFUSED))
		refuse_all(run);
	else if (!err && count(run->change, VFCAP_DONE))
		err = carry_out(run);
	vfcap_journal_close(&run->journal);
	return err;
}

/* What would be done. */
static int run_on_paper(struct run *run)
{
	int err = decide_all(run);
	char why[256];

	snprintf(why, sizeof(why), "%s: there is no kernel behind it, nothing was changed",
		 vfcap_source((struct vfcap *)run->host));
	if (!err && count(run->change, VFCAP_REFUSED))
		refuse_all(run);
	for (size_t i = 0; i < run->change->n && !err; i++) {
		struct vfcap_outcome *out = &run->change->outcome[i];

		if (out->result != VFCAP_DONE)
			continue;
		if (run->opt->dry_run)
			out->result = VFCAP_UNCHANGED;
		else
			fail(out, why);
	}
	return err;
}

static int change_new(struct vfcap_function *const *vf, size_t n, struct vfcap_change **out)
{
	struct vfcap_change *change = calloc(1, sizeof(*change));

	*out = change;
	if (!change)
		return -ENOMEM;
	change->n = n;
	change->outcome = calloc(n ? n : 1, sizeof(*change->outcome));
	change->step = calloc(n ? n : 1, VFCAP_STEPS_MOST * sizeof(*change->step));
	if (!change->outcome || !change->step) {
		vfcap_change_free(change);
		*out = NULL;
		return -ENOMEM;
	}
	for (size_t i = 0; i < n; i++) {
		change->outcome[i].vf = vf[i];
		change->outcome[i].emul = VFCAP_EMULS;
	}
	return 0;
}

int vfcap_change(struct vfcap *ctx, struct vfcap_function *const *vf, size_t n,
		 const struct vfcap_change_options *opt, struct vfcap_change **change)
{
	struct run run = { .host = &ctx->host, .opt = opt };
	int err;

	ctx->host.error[0] = '\0';
	*change = NULL;
	for (size_t i = 0; i < n; i++)
		if (vf[i]->pf != vf[0]->pf)
			return vfcap_host_fail(run.host, -EINVAL, "%s and %s: not of one PF",
					       vf[0]->name, vf[i]->name);
	err = change_new(vf, n, change);
	if (err)
		return vfcap_host_fail(run.host, err, "%s", strerror(-err));
	run.change = *change;
	run.pf = n ? vf[0]->pf : NULL;
	if (n && run.pf && !opt->dry_run && vfcap_host_has_kernel(run.host))
		err = run_for_real(&run);
	else
		err = run_on_paper(&run);
	for (size_t i = 0; i < n && err; i++)
		fail_at(&run.change->outcome[i], err);
	return 0;
}

const struct vfcap_outcome *vfcap_change_outcome(const struct vfcap_change *change, size_t i)
{
	return i < change->n ? &change->outcome[i] : NULL;
}

void vfcap_change_free(struct vfcap_change *change)
{
	if (!change)
		return;
	free(change->outcome);
	free(change->step);
	free(change);
}

/* --------------------------------------------------------------------------------------- steps -- */

const struct vfcap_step *vfcap_outcome_step(const struct vfcap_outcome *outcome, size_t i)
{
	return i < outcome->n_steps ? &outcome->step[i] : NULL;
}

const char *vfcap_step_name(const struct vfcap_step *step)
{
	return step_names[step->kind];
}

const char *vfcap_step_attribute(const struct vfcap_step *step)
{
	return step->kind == VFCAP_STEP_KNOB ? vfcap_attr_name(step->attr) : NULL;
}

unsigned int vfcap_step_old(const struct vfcap_step *step)
{
	return step->old;
}

unsigned int vfcap_step_new(const struct vfcap_step *step)
{
	return step->new;
}

const char *vfcap_step_from(const struct vfcap_step *step)
{
	return step->from[0] ? step->from : NULL;
}

const char *vfcap_step_to(const struct vfcap_step *step)
{
	return step->to[0] ? step->to : NULL;
}
