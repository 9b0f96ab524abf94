// SPDX-License-Identifier: GPL-2.0-or-later
/* A change of VFs of one PF: all of it, or nothing. */
#include <errno.h>
#include <stdlib.h>

#include "../host/system.h"
#include "transact.h"

int vfcap_run_go_on(struct vfcap_run *run)
{
	int err = vfcap_host_cancelled(run->host, run->pf ? run->pf->name : "change");

	run->interrupted |= err != 0;
	return err;
}

static const struct vfcap_change_options *options_of(const struct vfcap_run *run, size_t i)
{
	return run->each ? &run->each[i] : run->opt;
}

/* Is something to be shown in the i-th VF, rather than taken away? */
static bool is_enabling(const struct vfcap_run *run, size_t i)
{
	return !options_of(run, i)->disable && !options_of(run, i)->assign;
}

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
static int find_module(struct vfcap_host *h, enum vfcap_module *module)
{
	int loaded = h->root ? vfcap_driver_loaded(h, VFCAP_DRIVER) : 0, err = 0;

	*module = VFCAP_MODULE_THERE;
	if (loaded)
		return loaded < 0 ? loaded : 0;
	if (vfcap_host_has_kernel(h))
		err = h->ops->module(h, false);
	*module = err ? VFCAP_MODULE_MISSING : VFCAP_MODULE_LOADABLE;
	return !err || err == -ENOENT ?
		       0 :
		       vfcap_host_fail(h, err, "modprobe " VFCAP_MODULE ": %s", strerror(-err));
}

static bool is_enabling_all(const struct vfcap_run *run)
{
	for (size_t i = 0; i < run->change->n; i++)
		if (!is_enabling(run, i))
			return false;
	return true;
}

/* What VFs were bound to before us. Only giving them back needs it: who may not look can still ask what enable would
 * do. */
static int read_record(struct vfcap_run *run, struct vfcap_record *record)
{
	int err = vfcap_record_read(run->pf, record);

	if (err != -EACCES || !is_enabling_all(run))
		return err;
	run->host->error[0] = '\0';
	return 0;
}

static int sight_open(struct vfcap_run *run, struct sight *sight)
{
	int err = 0;

	sight->plan = malloc(sizeof(*sight->plan));
	if (!sight->plan)
		return vfcap_host_fail(run->host, -ENOMEM, "%s", strerror(ENOMEM));
	err = find_module(run->host, &sight->module);
	if (err || !run->host->root)
		return err;
	vfcap_holders_scan(run->host, &sight->holders);
	err = vfcap_variants_load(run->host, &sight->variants);
	if (!err && run->pf)
		err = read_record(run, &sight->record);
	return err;
}

/* Where the rule leads that an offset came with. */
static int snap_ruled(struct vfcap_function *vf, const struct vfcap_change_options *opt,
		      enum vfcap_emul e, struct vfcap_plan *plan, struct vfcap_place *place)
{
	struct vfcap_wish wish = opt->wish;
	int err;

	if (opt->agree[e] == VFCAP_RULE_AUTO || !opt->wish.want[e] || place->refused != VFCAP_OK)
		return 0;
	wish.explicit_at[e] = false;
	wish.own_rule[e] = opt->agree[e];
	err = vfcap_function_plan(vf, &wish, plan, NULL);
	if (err)
		return err;
	for (unsigned int i = 0; i < plan->n_placements; i++)
		if (plan->placement[i].emul == e)
			place->ruled = plan->placement[i].offset;
	place->disagrees = place->ruled != opt->wish.at[e];
	return 0;
}

static int snap_plan(struct vfcap_function *vf, const struct vfcap_change_options *opt,
		     struct sight *sight, struct vfcap_snapshot *s)
{
	struct vfcap_plan *plan = sight->plan;
	int err = vfcap_function_plan(vf, &opt->wish, plan, NULL);

	for (unsigned int e = 0; e < VFCAP_EMULS && !err; e++)
		s->place[e].refused = plan->refused[e];
	for (unsigned int i = 0; i < plan->n_placements && !err; i++) {
		s->place[plan->placement[i].emul].offset = plan->placement[i].offset;
		s->place[plan->placement[i].emul].pf_enabled = plan->placement[i].pf_enabled;
		s->place[plan->placement[i].emul].forced = plan->placement[i].forced;
	}
	s->forced_broken = !err && plan->forced_broken;
	for (unsigned int e = 0; e < VFCAP_EMULS && !err; e++)
		err = snap_ruled(vf, opt, e, plan, &s->place[e]);
	if (!err)
		vf->host->error[0] = '\0'; /* what is not to be read is among the plan's reasons */
	vfcap_function_drop(vf);
	return err ? vfcap_host_fail(vf->host, err, "%s: %s", vf->name, strerror(-err)) : 0;
}

/* Of a VF that is not there, its PF tells what it can. */
static int snap_later(struct vfcap_function *pf, const struct vfcap_change_options *opt,
		      struct vfcap_snapshot *s)
{
	struct vfcap_state state;

	for (unsigned int e = 0; e < VFCAP_EMULS; e++) {
		struct vfcap_place *place = &s->place[e];
		int there;

		if (!opt->wish.want[e])
			continue;
		there = vfcap_function_state(pf, vfcap_emul_id(e), &state);
		if (there == -ENOMEM)
			return there;
		place->refused = there > 0  ? VFCAP_OK :
				 there == 0 ? VFCAP_PF_LACKS :
					      VFCAP_PF_UNKNOWN;
		place->pf_enabled = there > 0 && state.enabled;
		place->later = there > 0 && !opt->wish.explicit_at[e];
		if (there > 0 && opt->wish.explicit_at[e])
			place->offset = opt->wish.at[e];
		if (there > 0 && e == VFCAP_EMUL_PASID && opt->wish.width > state.width)
			place->refused = VFCAP_WIDTH;
	}
	pf->host->error[0] = '\0';
	return vfcap_function_failed(pf);
}

static int snap_widths(const struct vfcap_function *vf, struct vfcap_function *pf,
		       struct vfcap_snapshot *s)
{
	struct vfcap_state state;
	int there = vfcap_iommu_read_width(vf, &s->iommu_width);

	if (there)
		return there;
	there = pf ? vfcap_function_state(pf, VFCAP_ID_PASID, &state) : 0;
	if (there == -ENOMEM)
		return there;
	if (there > 0)
		s->pf_width = state.width;
	if (pf)
		pf->host->error[0] = '\0';
	return pf ? vfcap_function_failed(pf) : 0;
}

static int snap_record(struct vfcap_function *vf, const struct sight *sight,
		       struct vfcap_snapshot *s)
{
	const struct vfcap_before *before = vfcap_record_find(&sight->record, vf->address);
	int loaded;

	if (before && vfcap_before_enabled(before))
		memcpy(s->enabled, before->knob, sizeof(s->enabled));
	if (!before || !before->bound)
		return 0;
	s->recorded = true;
	memcpy(s->driver, before->driver, sizeof(s->driver));
	memcpy(s->override, before->override, sizeof(s->override));
	loaded = s->driver[0] ? vfcap_driver_loaded(vf->host, s->driver) : 0;
	s->driver_loaded = loaded > 0;
	return loaded < 0 ? loaded : 0;
}

/* What it is bound to, and by whom it is used. */
static int snap_now(struct vfcap_function *vf, struct sight *sight, struct vfcap_snapshot *s)
{
	int variant, err = vfcap_binding_read(vf, &s->now);

	if (err)
		return err;
	vfcap_use_find(vf, &s->now, &sight->holders, &s->use);
	variant = vfcap_variant_find(vf, &s->now, &sight->variants, s->variant);
	s->other_variant = variant > 0;
	return variant < 0 ? variant : snap_record(vf, sight, s);
}

/* A captured host need not have all of its drivers. */
static int find_assigned(const struct vfcap_run *run, const struct vfcap_change_options *opt,
			 bool *missing)
{
	int loaded = 1;

	if (opt->assign && opt->driver && vfcap_host_has_kernel(run->host))
		loaded = vfcap_driver_loaded(run->host, opt->driver);
	*missing = !loaded;
	return loaded < 0 ? loaded : 0;
}

static int snap_denylist(struct vfcap_function *vf, struct vfcap_snapshot *s)
{
	int disabled;

	s->denylisted = vfcap_function_denylisted(vf) > 0;
	if (!s->denylisted)
		return 0;
	disabled = vfcap_denylist_disabled(vf->host);
	s->denylist_disabled = disabled > 0;
	return disabled < 0 ? disabled : 0;
}

/* like: whose bytes it will have; NULL: nobody's that are known. */
static int snap(struct vfcap_run *run, size_t i, struct vfcap_function *like, bool there,
		struct sight *sight, struct vfcap_snapshot *s)
{
	struct vfcap_function *vf = run->change->outcome[i].vf;
	const struct vfcap_change_options *opt = options_of(run, i);
	int err = 0;

	*s = (struct vfcap_snapshot){ .is_vf = vf->role == VFCAP_ROLE_VF,
				      .has_pf = vf->pf,
				      .module = sight->module };
	err = find_assigned(run, opt, &s->assigned_missing);
	if (!err && run->host->root && there)
		err = snap_now(vf, sight, s);
	if (err || !is_enabling(run, i))
		return err;
	err = snap_denylist(vf, s);
	if (!err)
		err = snap_widths(vf, run->pf, s);
	if (err)
		return err;
	return like ? snap_plan(like, opt, sight, s) : snap_later(run->pf, opt, s);
}

void vfcap_outcome_fail(struct vfcap_outcome *out, const char *message)
{
	out->result = VFCAP_FAILED;
	snprintf(out->message, sizeof(out->message), "%s", message);
}

/* To whoever watches. */
static void tell(const struct vfcap_run *run, const char *what)
{
	if (run->opt->progress)
		run->opt->progress(run->opt->progress_arg, what, run->done, run->all);
}

int vfcap_run_decide(struct vfcap_run *run, struct vfcap_function *const *like, bool there)
{
	VFCAP_CLEANUP(cleanup_sight) struct sight sight = { 0 };
	struct vfcap_snapshot s;
	int err = sight_open(run, &sight);

	run->all = run->done + run->change->n;
	for (size_t i = 0; i < run->change->n && !err; i++) {
		struct vfcap_outcome *out = &run->change->outcome[i];

		tell(run, "plan");
		run->done++;
		err = vfcap_run_go_on(run);
		if (!err)
			err = snap(run, i, like ? like[i] : out->vf, there, &sight, &s);
		if (!err)
			vfcap_decide(&s, options_of(run, i), out,
				     run->change->step + i * VFCAP_STEPS_MOST);
	}
	return err;
}

/* --------------------------------------------------------------------------------- taking back -- */

static void cleanup_undo(struct vfcap_undo *undo)
{
	vfcap_undo_free(undo);
}

/* The link may lead elsewhere than when the host was read. */
static int renew_driver(struct vfcap_function *vf, const struct vfcap_binding *b)
{
	char *driver = b->driver[0] ? strdup(b->driver) : NULL;

	if (b->driver[0] && !driver)
		return vfcap_host_fail(vf->host, -ENOMEM, "%s: %s", vf->name, strerror(ENOMEM));
	free(vf->driver);
	vf->driver = driver;
	return 0;
}

static int undo_vf(struct vfcap_function *vf, const struct vfcap_undo *undo,
		   const struct vfcap_holders *holders)
{
	struct vfcap_step step[VFCAP_STEPS_MOST];
	struct vfcap_binding now;
	struct vfcap_use use;
	char who[VFCAP_USE_ROOM];
	int again, err = vfcap_binding_read(vf, &now);
	size_t n;

	if (err == -ENODEV) {
		vf->host->error[0] = '\0'; /* nothing is to be taken back of one that has gone */
		return 0;
	}
	if (err)
		return err;
	n = vfcap_undo_steps(undo, vf->address, &now, step);
	vfcap_use_find(vf, &now, holders, &use);
	/* Of one that is being unbound nobody knows yet what is to be done. */
	if (now.unbinding || (n && use.kind != VFCAP_USE_NONE)) {
		vfcap_use_text(&use, who, sizeof(who));
		return vfcap_host_fail(vf->host, -EBUSY, "%s: %s", vf->name, who);
	}
	for (size_t i = 0; i < n && !err; i++)
		err = vfcap_step_do(vf, &step[i]);
	again = vfcap_binding_read(vf, &now);
	if (!again)
		again = renew_driver(vf, &now);
	if (again == -ENODEV && !err) {
		vf->host->error[0] = '\0';
		return 0;
	}
	return err ? err : again;
}

static bool comes_later(const struct vfcap_undo *undo, size_t i)
{
	for (size_t k = i + 1; k < undo->n; k++)
		if (!vfcap_address_compare(undo->entry[k].vf, undo->entry[i].vf))
			return true;
	return false;
}

/* The last VF first. One that cannot be taken back does not keep the others. */
static int take_back_vfs(struct vfcap_function *pf, const struct vfcap_undo *undo)
{
	struct vfcap_holders holders;
	int err = 0, one;

	vfcap_holders_scan(pf->host, &holders);
	for (size_t i = undo->n; i-- > 0;) {
		struct vfcap_function *vf = vfcap_host_find(pf->host, undo->entry[i].vf);

		if (!vf || vf->pf != pf || comes_later(undo, i))
			continue;
		one = undo_vf(vf, undo, &holders);
		err = err ? err : one;
	}
	vfcap_holders_free(&holders);
	return err;
}

int vfcap_find_user(struct vfcap_function *pf, struct vfcap_function **vf, struct vfcap_use *use)
{
	struct vfcap_holders holders;
	struct vfcap_binding now;
	int err = 0;

	*vf = NULL;
	vfcap_holders_scan(pf->host, &holders);
	for (size_t i = 0; i < pf->n_vf && !err && !*vf; i++) {
		err = vfcap_binding_read(pf->vf[i], &now);
		if (err)
			break;
		vfcap_use_find(pf->vf[i], &now, &holders, use);
		if (use->kind != VFCAP_USE_NONE)
			*vf = pf->vf[i];
	}
	vfcap_holders_free(&holders);
	return err;
}

/* VFs go when their number changes: nobody may use them. */
static int check_unused(struct vfcap_function *pf)
{
	struct vfcap_function *vf;
	struct vfcap_use use;
	char who[VFCAP_USE_ROOM];
	int err = vfcap_find_user(pf, &vf, &use);

	if (err || !vf)
		return err;
	vfcap_use_text(&use, who, sizeof(who));
	return vfcap_host_fail(pf->host, -EBUSY, "%s: %s", vf->name, who);
}

static bool has_numvfs(const struct vfcap_step *step, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (step[i].kind == VFCAP_STEP_NUMVFS)
			return true;
	return false;
}

/* What was done to the PF itself, of which pf is a function that was read just now. */
static int take_back_count(struct vfcap_function *pf, const struct vfcap_undo *undo,
			   size_t *n_before)
{
	struct vfcap_step step[VFCAP_COUNT_STEPS_MOST];
	int err, autoprobe, now = vfcap_count_read(pf);
	size_t n;

	*n_before = undo->n;
	err = now < 0 ? now : vfcap_autoprobe_read(pf, &autoprobe);
	if (err)
		return err;
	vfcap_undo_count_steps(undo, pf->address, (uint16_t)now, autoprobe, step, &n, n_before);
	if (has_numvfs(step, n))
		err = check_unused(pf);
	for (size_t i = 0; i < n && !err; i++)
		err = vfcap_step_do(pf, &step[i]);
	return err;
}

/* A function that was read anew has its own context, whose error it is. */
static int pass_error(struct vfcap_function *pf, const struct vfcap *ctx, int err)
{
	return err ? vfcap_host_fail(pf->host, err, "%s",
				     ctx && ctx->host.error[0] ? ctx->host.error : strerror(-err)) :
		     0;
}

static bool counts(const struct vfcap_undo *undo, const struct vfcap_function *pf)
{
	for (size_t i = 0; i < undo->n; i++)
		if (!vfcap_address_compare(undo->entry[i].vf, pf->address))
			return true;
	return false;
}

/* VFs came and went since the host was read, and go and come again. */
static int take_back_all(struct vfcap_function *pf, const struct vfcap_undo *undo)
{
	struct vfcap_undo before = *undo;
	struct vfcap_function *again;
	struct vfcap *ctx = NULL;
	int err = vfcap_pf_open(pf, &ctx, &again);

	if (!err)
		err = pass_error(pf, ctx, take_back_count(again, undo, &before.n));
	vfcap_free(ctx);
	ctx = NULL;
	if (!err && before.n)
		err = vfcap_pf_open(pf, &ctx, &again);
	if (!err && before.n)
		err = pass_error(pf, ctx, take_back_vfs(again, &before));
	vfcap_free(ctx);
	return err;
}

/* The log stays as long as there is something to do. */
static int take_back(struct vfcap_journal *j, const struct vfcap_undo *undo)
{
	int err = counts(undo, j->pf) ? take_back_all(j->pf, undo) : take_back_vfs(j->pf, undo);

	return err ? err : vfcap_journal_forget(j);
}

static int fail_damaged(const struct vfcap_function *pf)
{
	return vfcap_host_fail(
		pf->host, -EBADMSG,
		"%s: /run/vfcap/%s.undo: cannot be understood; look at it, then remove it",
		pf->name, pf->name);
}

int vfcap_run_leftover(const struct vfcap_function *pf)
{
	VFCAP_CLEANUP(cleanup_undo) struct vfcap_undo undo = { 0 };
	int err = pf ? vfcap_undo_read(pf, &undo) : 0;

	if (err == -EACCES) {
		pf->host->error[0] = '\0';
		return 0;
	}
	if (err || !undo.there)
		return err;
	if (undo.damaged)
		return fail_damaged(pf);
	vfcap_host_log(pf->host, "%s: would first %s %s, which has not ended", pf->name,
		       undo.done ? "finish" : "take back", vfcap_act_name(undo.act));
	return 0;
}

/* What a run has left that did not end. */
static int repair(struct vfcap_journal *j, bool *repaired)
{
	VFCAP_CLEANUP(cleanup_undo) struct vfcap_undo undo = { 0 };
	struct vfcap_function *pf = j->pf;
	int err = vfcap_undo_read(pf, &undo);
	const char *what = vfcap_act_name(undo.act);

	if (err)
		return err;
	*repaired = undo.there;
	if (!undo.there)
		return 0;
	if (undo.damaged)
		return fail_damaged(pf);
	err = undo.done ? vfcap_journal_finish(j, &undo) : take_back(j, &undo);
	if (!err)
		vfcap_host_log(pf->host,
			       undo.done ? "%s: finished %s, which had not ended" :
					   "%s: took back %s, which had not ended",
			       pf->name, what);
	return err;
}

int vfcap_pf_open(struct vfcap_function *pf, struct vfcap **out, struct vfcap_function **again)
{
	struct vfcap_host *h = pf->host;
	struct vfcap *ctx;
	int err = vfcap_new(&ctx);

	*out = ctx;
	*again = NULL;
	if (err)
		return vfcap_host_fail(h, err, "%s: %s", pf->name, strerror(-err));
	ctx->host.one_pf = true;
	ctx->host.pf = pf->address;
	ctx->host.wake = h->wake;
	ctx->host.assume_unused = h->assume_unused;
	ctx->host.log = h->log;
	ctx->host.log_arg = h->log_arg;
	ctx->host.cancel = h->cancel;
	err = vfcap_set_sysroot(ctx, vfcap_root_dir(h->root));
	if (!err)
		err = vfcap_scan(ctx);
	ctx->host.ops = h->ops;
	ctx->verify = vfcap_of(pf)->verify;
	*again = err ? NULL : vfcap_host_find(&ctx->host, pf->address);
	if (err == -ENOENT || (!err && !*again)) {
		ctx->host.error[0] = '\0';
		err = vfcap_host_fail(&ctx->host, -ENODEV, "%s: it has gone", pf->name);
	}
	return pass_error(pf, ctx, err);
}

int vfcap_repair(struct vfcap_function *pf)
{
	struct vfcap_host *h = pf->host;
	VFCAP_CLEANUP(vfcap_journal_close) struct vfcap_journal j;
	bool repaired;
	int err;

	h->error[0] = '\0';
	h->assume_unused = false;
	j = (struct vfcap_journal){ .dir = -1, .lock = -1, .log = -1 };
	if (!vfcap_host_has_kernel(h))
		return vfcap_host_fail(h, -EROFS, "%s: there is no kernel behind it",
				       vfcap_source((struct vfcap *)h));
	err = vfcap_host_sure(h, pf);
	if (!err)
		err = vfcap_journal_open(&j, pf, VFCAP_LOCK_WAIT);
	if (!err)
		err = repair(&j, &repaired);
	return err ? vfcap_host_fail(h, err, "%s: %s", pf->name, strerror(-err)) : 0;
}

/* ------------------------------------------------------------------------------------- carrying out -- */

static const char *const step_names[VFCAP_STEP_KINDS] = {
	[VFCAP_STEP_MODULE] = "module", [VFCAP_STEP_OVERRIDE] = "override",
	[VFCAP_STEP_UNBIND] = "unbind", [VFCAP_STEP_BIND] = "bind",
	[VFCAP_STEP_KNOB] = "knob",	[VFCAP_STEP_VERIFY] = "verify",
	[VFCAP_STEP_NUMVFS] = "numvfs", [VFCAP_STEP_AUTOPROBE] = "autoprobe",
	[VFCAP_STEP_FORGET] = "forget",
};

#define PART(kind) (1u << (kind))
#define PART_BIND                                                                        \
	(PART(VFCAP_STEP_MODULE) | PART(VFCAP_STEP_OVERRIDE) | PART(VFCAP_STEP_UNBIND) | \
	 PART(VFCAP_STEP_BIND))
#define PART_KNOB PART(VFCAP_STEP_KNOB)
#define PART_VERIFY PART(VFCAP_STEP_VERIFY)
#define PART_FORGET PART(VFCAP_STEP_FORGET)
#define PART_ALL (~PART_FORGET)

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

static int verify(struct vfcap_run *run, const struct vfcap_outcome *out)
{
	struct vfcap *ctx = (struct vfcap *)run->host;
	struct vfcap_verdict verdict = { 0 };
	const struct vfcap_difference *d;
	int err;

	vfcap_function_drop(out->vf);
	err = ctx->verify(out->vf, run->opt->vf_token, false, &verdict);
	if ((err == -EBUSY || err == -EAGAIN) && run->host->cancel && *run->host->cancel) {
		run->host->error[0] = '\0'; /* it was not waited for any more */
		return vfcap_run_go_on(run);
	}
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

static int make_step(struct vfcap_run *run, const struct vfcap_outcome *out,
		     const struct vfcap_step *step)
{
	static const struct vfcap_step forgotten = { .kind = VFCAP_STEP_OVERRIDE };
	int err = vfcap_run_go_on(run);

	if (err)
		return err;
	if (step->kind == VFCAP_STEP_VERIFY)
		return verify(run, out);
	/* In a log, an override that stays none takes nothing back, and has the record say nothing of the VF any more. */
	err = vfcap_journal_step(&run->journal, out->vf,
				 step->kind == VFCAP_STEP_FORGET ? &forgotten : step);
	return err ? err : vfcap_step_do(out->vf, step);
}

/* The steps of those kinds, of one VF. */
static int make_steps(struct vfcap_run *run, const struct vfcap_outcome *out, unsigned int part)
{
	const char *what = NULL;
	struct vfcap_binding now;
	int err = 0;

	for (size_t i = 0; i < out->n_steps && !err; i++) {
		if (!(PART(out->step[i].kind) & part))
			continue;
		if (!what)
			tell(run, step_names[out->step[i].kind]);
		what = step_names[out->step[i].kind];
		err = make_step(run, out, &out->step[i]);
	}
	run->done += what != NULL;
	if (!err && what && part & PART_BIND) {
		err = vfcap_binding_read(out->vf, &now);
		if (!err)
			err = renew_driver(out->vf, &now);
	}
	return err;
}

static int fail_at(struct vfcap_outcome *out, int err)
{
	if (err)
		vfcap_outcome_fail(out,
				   out->vf->host->error[0] ? out->vf->host->error : strerror(-err));
	return err;
}

/* What a log says of a knob is whole, as the record is made of it: what no step of the VF changes is written down, too. */
static int write_down_knob(struct vfcap_run *run, const struct vfcap_outcome *out,
			   const struct vfcap_knob *knob)
{
	struct vfcap_step step = { .kind = VFCAP_STEP_KNOB };
	unsigned int changed = 0;
	int err = 0;

	for (size_t i = 0; i < out->n_steps; i++)
		if (out->step[i].kind == VFCAP_STEP_KNOB)
			changed |= 1u << out->step[i].attr;
	for (unsigned int a = 0; a < VFCAP_ATTRS && !err; a++) {
		step.attr = a;
		step.old = step.new = knob->value[a];
		if (!(changed & 1u << a))
			err = vfcap_journal_step(&run->journal, out->vf, &step);
	}
	return err;
}

/* The knob of a VF that was bound begins with what the driver kept of it: the steps lead from there. */
static int make_knob(struct vfcap_run *run, size_t i)
{
	struct vfcap_outcome *out = &run->change->outcome[i];
	struct vfcap_knob knob;
	int err = vfcap_knob_read(out->vf, &knob);

	if (err)
		return err;
	vfcap_renew_knob_steps(knob.value, out, run->change->step + i * VFCAP_STEPS_MOST);
	err = vfcap_run_go_on(run);
	if (!err)
		err = write_down_knob(run, out, &knob);
	return err ? err : make_steps(run, out, PART_KNOB);
}

/* VFs whose knob is as wanted, and whose record says something else: the log makes it say that. */
static int record_unchanged(struct vfcap_run *run)
{
	int err = 0;

	for (size_t i = 0; i < run->change->n && !err; i++) {
		struct vfcap_outcome *out = &run->change->outcome[i];
		struct vfcap_knob knob;

		if (!out->unrecorded)
			continue;
		tell(run, "record");
		run->done++;
		err = vfcap_knob_read(out->vf, &knob);
		if (!err)
			err = vfcap_run_go_on(run);
		if (!err)
			err = write_down_knob(run, out, &knob);
		fail_at(out, err);
	}
	return err;
}

static bool is_bound_to_ours(const struct vfcap_outcome *out)
{
	for (size_t i = 0; i < out->n_steps; i++)
		if (out->step[i].kind == VFCAP_STEP_BIND && !strcmp(out->step[i].to, VFCAP_DRIVER))
			return true;
	return false;
}

/* Of those VFs that are to show something, or of those that are not. */
static int make_part(struct vfcap_run *run, bool enabling, unsigned int part)
{
	int err = 0;

	for (size_t i = 0; i < run->change->n && !err; i++) {
		struct vfcap_outcome *out = &run->change->outcome[i];

		if (out->result != VFCAP_DONE || is_enabling(run, i) != enabling)
			continue;
		err = part == PART_KNOB ? make_knob(run, i) : make_steps(run, out, part);
		if (!err && part == PART_ALL && is_bound_to_ours(out))
			err = make_knob(run, i);
		fail_at(out, err);
	}
	return err;
}

/* A driver that let go may have left other bytes behind than were planned with: the places are looked at
 * again. */
static int look_again(struct vfcap_run *run, size_t i, struct vfcap_plan *plan)
{
	struct vfcap_outcome *out = &run->change->outcome[i];
	struct vfcap_wish wish = options_of(run, i)->wish;
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

static int look_again_at_all(struct vfcap_run *run)
{
	cleanup_free struct vfcap_plan *plan = malloc(sizeof(*plan));
	int err = 0;

	if (!plan)
		return vfcap_host_fail(run->host, -ENOMEM, "%s", strerror(ENOMEM));
	vfcap_function_drop(run->pf);
	for (size_t i = 0; i < run->change->n && !err; i++) {
		struct vfcap_outcome *out = &run->change->outcome[i];

		if (out->result == VFCAP_DONE && is_enabling(run, i))
			err = fail_at(out, look_again(run, i, plan));
	}
	return err;
}

static bool has_part(const struct vfcap_outcome *out, unsigned int part)
{
	for (size_t i = 0; i < out->n_steps; i++)
		if (PART(out->step[i].kind) & part)
			return true;
	return false;
}

/* How often make_steps() will have something to do. */
static size_t count_work(const struct vfcap_run *run)
{
	static const unsigned int parts[] = { PART_BIND, PART_KNOB, PART_VERIFY };
	size_t all = 0;

	for (size_t i = 0; i < run->change->n; i++) {
		const struct vfcap_outcome *out = &run->change->outcome[i];

		all += out->unrecorded;
		if (out->result != VFCAP_DONE)
			continue;
		for (size_t p = 0; p < 3 && is_enabling(run, i); p++)
			all += has_part(out, parts[p]);
		all += !is_enabling(run, i) && has_part(out, PART_ALL);
		all += has_part(out, PART_FORGET);
	}
	return all;
}

int vfcap_run_make(struct vfcap_run *run)
{
	int err;

	run->all = run->done + count_work(run);
	err = record_unchanged(run);
	if (!err)
		err = make_part(run, false, PART_ALL);
	if (!err)
		err = make_part(run, true, PART_BIND);
	if (!err && run->bound)
		err = run->bound(run, run->bound_arg);
	if (!err)
		err = look_again_at_all(run);
	if (!err)
		err = make_part(run, true, PART_KNOB);
	if (!err)
		err = make_part(run, true, PART_VERIFY);
	if (!err) /* last of all: what the driver has forgotten cannot be taken back */
		err = make_part(run, false, PART_FORGET);
	return err;
}

int vfcap_run_steps(struct vfcap_run *run, struct vfcap_function *fn, const struct vfcap_step *step,
		    size_t n)
{
	int err = 0;

	for (size_t i = 0; i < n && !err; i++) {
		tell(run, step_names[step[i].kind]);
		err = vfcap_run_go_on(run);
		if (!err)
			err = vfcap_journal_step(&run->journal, fn, &step[i]);
		if (!err)
			err = vfcap_step_do(fn, &step[i]);
	}
	return err;
}

/* -------------------------------------------------------------------------------------- the run -- */

int vfcap_run_undo(struct vfcap_run *run, const char *first)
{
	VFCAP_CLEANUP(cleanup_undo) struct vfcap_undo undo = { 0 };
	int err;

	run->host->error[0] = '\0';
	err = vfcap_journal_read(&run->journal, &undo);
	if (!err)
		err = take_back(&run->journal, &undo);
	if (err)
		vfcap_host_log(run->host,
			       "%s; not all that was done could be taken back: see vfcap status",
			       run->host->error[0] ? run->host->error : strerror(-err));
	for (size_t i = 0; run->change && i < run->change->n; i++) {
		struct vfcap_outcome *out = &run->change->outcome[i];

		if (out->result == VFCAP_DONE || out->unrecorded)
			vfcap_outcome_fail(out, first);
		out->undone = out->result == VFCAP_FAILED && !err;
	}
	snprintf(run->host->error, sizeof(run->host->error), "%s", first);
	return err;
}

/* What is done is done: when only the record cannot be written, the next run sees to it, and this one has failed. */
void vfcap_run_end(struct vfcap_run *run)
{
	VFCAP_CLEANUP(cleanup_undo) struct vfcap_undo undo = { 0 };
	char object[VFCAP_ADDRESS_LEN + 64];
	int err;

	run->host->error[0] = '\0';
	err = vfcap_journal_read(&run->journal, &undo);
	if (!err)
		err = vfcap_journal_finish(&run->journal, &undo);
	if (err) {
		snprintf(object, sizeof(object),
			 "%s: done, but not recorded yet (status --repair does that)",
			 run->pf->name);
		vfcap_root_keep_failure(run->host->root, object, err);
	}
}

int vfcap_run_carry_out(struct vfcap_run *run)
{
	char first[sizeof(run->host->error)];
	int err;

	if (!count_work(run))
		return 0;
	err = vfcap_journal_begin(&run->journal, run->each	   ? VFCAP_ACT_APPLY :
						 run->opt->disable ? VFCAP_ACT_DISABLE :
								     VFCAP_ACT_ENABLE);
	if (err)
		return err;
	err = vfcap_run_make(run);
	if (!err)
		err = vfcap_run_go_on(run);
	if (!err)
		err = vfcap_journal_done(&run->journal);
	memcpy(first, run->host->error, sizeof(first));
	if (err)
		vfcap_run_undo(run, first);
	else
		vfcap_run_end(run);
	return 0;
}

void vfcap_run_mark(const struct vfcap_run *run)
{
	for (size_t i = 0; run->change && i < run->change->n; i++) {
		struct vfcap_outcome *out = &run->change->outcome[i];

		out->interrupted = run->interrupted && out->result == VFCAP_FAILED;
	}
}

const char *vfcap_run_refused(const struct vfcap_run *run)
{
	for (size_t i = 0; i < run->change->n; i++)
		if (run->change->outcome[i].result == VFCAP_REFUSED)
			return run->change->outcome[i].vf->name;
	return NULL;
}

void vfcap_run_refuse(struct vfcap_run *run, const char *name)
{
	for (size_t i = 0; i < run->change->n; i++) {
		struct vfcap_outcome *out = &run->change->outcome[i];

		if (out->result != VFCAP_DONE)
			continue;
		out->result = VFCAP_REFUSED;
		out->n_steps = 0;
		snprintf(out->message, sizeof(out->message), "not touched, because %s was refused",
			 name);
	}
}

int vfcap_run_lock(struct vfcap_run *run, bool *repaired)
{
	unsigned int wait = run->opt->wait;
	int err = vfcap_journal_open(&run->journal, run->pf,
				     wait ? (int)wait * 1000 : VFCAP_LOCK_WAIT);

	*repaired = false;
	run->interrupted |= err == -EINTR;
	return err ? err : repair(&run->journal, repaired);
}

static int run_for_real(struct vfcap_run *run)
{
	bool repaired;
	int err = vfcap_run_lock(run, &repaired);

	if (!err)
		err = vfcap_run_decide(run, NULL, true);
	if (!err && vfcap_run_refused(run))
		vfcap_run_refuse(run, vfcap_run_refused(run));
	else if (!err)
		err = vfcap_run_carry_out(run);
	vfcap_journal_close(&run->journal);
	return err;
}

void vfcap_run_on_paper(struct vfcap_run *run)
{
	char why[256];

	snprintf(why, sizeof(why), "%s: there is no kernel behind it, nothing was changed",
		 vfcap_source((struct vfcap *)run->host));
	if (vfcap_run_refused(run))
		vfcap_run_refuse(run, vfcap_run_refused(run));
	for (size_t i = 0; i < run->change->n; i++) {
		struct vfcap_outcome *out = &run->change->outcome[i];

		if (out->result != VFCAP_DONE)
			continue;
		if (run->opt->dry_run)
			out->result = VFCAP_UNCHANGED;
		else
			vfcap_outcome_fail(out, why);
	}
}

/* What would be done. */
static int run_on_paper(struct vfcap_run *run)
{
	int err = vfcap_run_leftover(run->pf);

	if (!err)
		err = vfcap_run_decide(run, NULL, true);
	if (!err)
		vfcap_run_on_paper(run);
	return err;
}

int vfcap_change_new(struct vfcap_function *const *vf, size_t n, struct vfcap_change **out)
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
	struct vfcap_run run = { .host = &ctx->host, .opt = opt };
	int err;

	ctx->host.error[0] = '\0';
	ctx->host.assume_unused = opt->assume_unused;
	*change = NULL;
	for (size_t i = 0; i < n; i++)
		if (vf[i]->pf != vf[0]->pf)
			return vfcap_host_fail(run.host, -EINVAL, "%s and %s: not of one PF",
					       vf[0]->name, vf[i]->name);
	err = n ? vfcap_host_sure(run.host, vf[0]->pf) : 0;
	if (err)
		return err;
	err = vfcap_change_new(vf, n, change);
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
	vfcap_run_mark(&run);
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
