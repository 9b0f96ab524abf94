// SPDX-License-Identifier: GPL-2.0-or-later
/* From what a VF is and what is wished to the steps that lead there, or the reason why not. */
#include "decide.h"

const char *vfcap_result_name(enum vfcap_result result)
{
	static const char *const name[VFCAP_RESULTS] = {
		[VFCAP_DONE] = "done",
		[VFCAP_UNCHANGED] = "unchanged",
		[VFCAP_REFUSED] = "refused",
		[VFCAP_FAILED] = "failed",
	};

	return name[result];
}

void vfcap_use_text(const struct vfcap_use *use, char *buf, size_t size)
{
	char who[96] = "somebody";

	if (use->pid)
		snprintf(who, sizeof(who), "%s (process %d)", use->name[0] ? use->name : "?",
			 use->pid);
	switch (use->kind) {
	case VFCAP_USE_UNBINDING:
		snprintf(buf, size, "its driver is being unbound and waits for %s to let go", who);
		break;
	case VFCAP_USE_HELD:
		snprintf(buf, size, "%s holds it through VFIO", who);
		break;
	case VFCAP_USE_OPEN:
		snprintf(buf, size, "somebody has it open through VFIO");
		break;
	case VFCAP_USE_NETDEV_UP:
		snprintf(buf, size, "its network interface %s is up", use->name);
		break;
	case VFCAP_USE_NETDEV_AWAY:
		snprintf(buf, size, "its network interface is in another network namespace");
		break;
	case VFCAP_USE_UNKNOWN:
		snprintf(buf, size, "who uses it cannot be found out (%s); --assume-unused goes on",
			 use->unread);
		break;
	case VFCAP_USE_NONE:
		snprintf(buf, size, "nobody uses it");
		break;
	}
}

/* --------------------------------------------------------------------------------------- steps -- */

static void set_name(char to[VFCAP_NAME_ROOM], const char *from)
{
	snprintf(to, VFCAP_NAME_ROOM, "%s", from);
}

static struct vfcap_step make_step(enum vfcap_step_kind kind, const char *from, const char *to)
{
	struct vfcap_step step = { .kind = kind };

	set_name(step.from, from);
	set_name(step.to, to);
	return step;
}

static struct vfcap_step knob_step(enum vfcap_attr attr, uint16_t old, uint16_t new)
{
	return (struct vfcap_step){ .kind = VFCAP_STEP_KNOB, .attr = attr, .old = old, .new = new };
}

/* What moves is switched off first, the higher one before the lower: the head of a chain goes last
 * and comes first. */
size_t vfcap_knob_steps(const uint16_t now[VFCAP_ATTRS], const uint16_t want[VFCAP_ATTRS],
			struct vfcap_step *step)
{
	enum vfcap_attr low = VFCAP_ATTR_PASID, high = VFCAP_ATTR_PRI;
	size_t n = 0;

	if (now[low] > now[high]) {
		low = VFCAP_ATTR_PRI;
		high = VFCAP_ATTR_PASID;
	}
	if (now[high] && now[high] != want[high])
		step[n++] = knob_step(high, now[high], 0);
	if (now[low] && now[low] != want[low])
		step[n++] = knob_step(low, now[low], 0);
	if (now[VFCAP_ATTR_WIDTH] != want[VFCAP_ATTR_WIDTH])
		step[n++] =
			knob_step(VFCAP_ATTR_WIDTH, now[VFCAP_ATTR_WIDTH], want[VFCAP_ATTR_WIDTH]);
	low = want[VFCAP_ATTR_PRI] < want[VFCAP_ATTR_PASID] ? VFCAP_ATTR_PRI : VFCAP_ATTR_PASID;
	high = low == VFCAP_ATTR_PRI ? VFCAP_ATTR_PASID : VFCAP_ATTR_PRI;
	if (want[low] && want[low] != now[low])
		step[n++] = knob_step(low, 0, want[low]);
	if (want[high] && want[high] != now[high])
		step[n++] = knob_step(high, 0, want[high]);
	return n;
}

/* The knob that a decision wanted: its offsets, and the width of its steps, unless now[] has one that amounts to the same. */
static void wanted_of(const struct vfcap_outcome *out, const uint16_t now[VFCAP_ATTRS],
		      uint16_t want[VFCAP_ATTRS])
{
	want[VFCAP_ATTR_WIDTH] = 0;
	for (unsigned int e = 0; e < VFCAP_EMULS; e++)
		want[e] = out->offset[e];
	for (size_t i = 0; i < out->n_steps; i++)
		if (out->step[i].kind == VFCAP_STEP_KNOB && out->step[i].attr == VFCAP_ATTR_WIDTH)
			want[VFCAP_ATTR_WIDTH] = out->step[i].new;
	if (want[VFCAP_ATTR_PASID] ? now[VFCAP_ATTR_WIDTH] == out->width : want[VFCAP_ATTR_PRI])
		want[VFCAP_ATTR_WIDTH] = now[VFCAP_ATTR_WIDTH];
}

void vfcap_renew_knob_steps(const uint16_t now[VFCAP_ATTRS], struct vfcap_outcome *out,
			    struct vfcap_step *step)
{
	struct vfcap_step old[VFCAP_STEPS_MOST];
	size_t n_old = out->n_steps, n_before = 0, n = 0;
	uint16_t want[VFCAP_ATTRS];

	wanted_of(out, now, want);
	memcpy(old, step, n_old * sizeof(*old));
	for (size_t i = 0; i < n_old; i++)
		if (old[i].kind == VFCAP_STEP_BIND)
			n_before = i + 1;
	for (size_t i = 0; i <= n_old; i++) {
		if (i == n_before)
			n += vfcap_knob_steps(now, want, step + n);
		if (i < n_old && old[i].kind != VFCAP_STEP_KNOB)
			step[n++] = old[i];
	}
	out->n_steps = n;
}

/* ------------------------------------------------------------------------------------- refusals -- */

static bool is_ours(const struct vfcap_binding *b)
{
	return strcmp(b->driver, VFCAP_DRIVER) == 0;
}

static void refuse(struct vfcap_outcome *out, enum vfcap_code code, const char *why)
{
	out->result = VFCAP_REFUSED;
	out->code = code;
	snprintf(out->message, sizeof(out->message), "%s", why);
}

/* An offset comes with the rule that found it, once, perhaps elsewhere. */
static void refuse_disagreement(const struct vfcap_snapshot *s,
				const struct vfcap_change_options *opt, unsigned int e,
				struct vfcap_outcome *out)
{
	char why[160], where[32] = "nowhere";

	if (s->place[e].ruled)
		snprintf(where, sizeof(where), "to 0x%03x", s->place[e].ruled);
	snprintf(why, sizeof(why), "the rule %s leads %s here, not to 0x%03x",
		 vfcap_rule_name(opt->agree[e]), where, opt->wish.at[e]);
	refuse(out, VFCAP_DISAGREES, why);
	out->emul = e;
}

static bool refuse_place(const struct vfcap_snapshot *s, const struct vfcap_change_options *opt,
			 struct vfcap_outcome *out)
{
	for (unsigned int e = 0; e < VFCAP_EMULS; e++) {
		if (!opt->wish.want[e] || s->place[e].refused == VFCAP_OK)
			continue;
		refuse(out, s->place[e].refused,
		       s->place[e].refused == VFCAP_NO_ROOM ?
			       "no place was good: vfcap plan says why" :
			       vfcap_code_text(s->place[e].refused));
		out->emul = e;
		return true;
	}
	for (unsigned int e = 0; e < VFCAP_EMULS; e++)
		if (s->place[e].disagrees) {
			refuse_disagreement(s, opt, e, out);
			return true;
		}
	if (s->forced_broken)
		refuse(out, VFCAP_BROKEN_CHAIN,
		       "its chain is broken: binding it to a driver of VFIO can overrun the kernel, and "
		       "--force does not change that");
	return s->forced_broken;
}

/* Force does not override it: what is at risk is the host. */
static bool refuse_denylisted(const struct vfcap_snapshot *s, struct vfcap_outcome *out)
{
	if (!s->denylisted || s->denylist_disabled)
		return false;
	refuse(out, VFCAP_DENYLISTED,
	       "vfio-pci refuses it for errata that a guest can exploit, and so does " VFCAP_DRIVER
	       ", unless its module was loaded with disable_denylist=1");
	return true;
}

static bool refuse_pf_off(const struct vfcap_snapshot *s, const struct vfcap_change_options *opt,
			  struct vfcap_outcome *out)
{
	for (unsigned int e = 0; e < VFCAP_EMULS; e++) {
		if ((!s->place[e].offset && !s->place[e].later) || s->place[e].pf_enabled ||
		    opt->wish.force)
			continue;
		refuse(out, VFCAP_PF_OFF,
		       "the PF has it switched off, so a guest would not be shown it; --force configures it");
		out->emul = e;
		return true;
	}
	return false;
}

static bool refuse_bind(const struct vfcap_snapshot *s, const struct vfcap_change_options *opt,
			struct vfcap_outcome *out)
{
	char why[256];

	if (opt->no_bind) {
		snprintf(why, sizeof(why), "it is bound to %s, and --no-bind was given",
			 s->now.driver[0] ? s->now.driver : "no driver");
		refuse(out, VFCAP_NOT_BOUND, why);
		return true;
	}
	if (s->module == VFCAP_MODULE_MISSING) {
		refuse(out, VFCAP_NO_MODULE,
		       "the module " VFCAP_MODULE
		       " is not there: install vfcap-dkms, or build it (make module); "
		       "with stock vfio-pci QEMU can do it: vfcap plan --as qemu");
		return true;
	}
	if (s->other_variant && !opt->wish.force) {
		snprintf(
			why, sizeof(why),
			"%s is made for it: on vfcap's driver a VM with it cannot be migrated; --force "
			"accepts that",
			s->variant);
		refuse(out, VFCAP_OTHER_VARIANT, why);
		return true;
	}
	return false;
}

static bool refuse_use(const struct vfcap_snapshot *s, struct vfcap_outcome *out)
{
	char why[VFCAP_USE_ROOM];

	if (s->use.kind == VFCAP_USE_NONE)
		return false;
	vfcap_use_text(&s->use, why, sizeof(why));
	refuse(out, VFCAP_IN_USE, why);
	return true;
}

/* --------------------------------------------------------------------------------------- enable -- */

/* How many bits of PASID a guest is shown with that much in the knob, as far as that is known. */
static uint8_t shown_width(const struct vfcap_snapshot *s, uint16_t knob)
{
	uint8_t width = knob ? (uint8_t)knob : s->pf_width;

	return s->iommu_width && s->iommu_width < width ? s->iommu_width : width;
}

/* A width of 0 is the PF's, and one above the IOMMU's is cut: what comes to the same is left as it stands. */
static void wanted_knob(const struct vfcap_snapshot *s, const struct vfcap_change_options *opt,
			uint16_t want[VFCAP_ATTRS])
{
	uint16_t now = s->now.knob.value[VFCAP_ATTR_WIDTH], width = opt->wish.width;

	for (unsigned int e = 0; e < VFCAP_EMULS; e++)
		want[e] = s->place[e].offset;
	if (!s->place[VFCAP_EMUL_PASID].offset || shown_width(s, now) == shown_width(s, width))
		width = now;
	want[VFCAP_ATTR_WIDTH] = width;
}

static void tell_wanted(const struct vfcap_snapshot *s, const uint16_t want[VFCAP_ATTRS],
			struct vfcap_outcome *out)
{
	for (unsigned int e = 0; e < VFCAP_EMULS; e++) {
		out->offset[e] = want[e];
		out->pf_off[e] = (want[e] || s->place[e].later) && !s->place[e].pf_enabled;
		out->later[e] = s->place[e].later;
	}
	out->denylisted = s->denylisted;
	out->forced = s->other_variant;
	for (unsigned int e = 0; e < VFCAP_EMULS; e++)
		out->forced |= s->place[e].forced || out->pf_off[e];
	if (want[VFCAP_ATTR_PASID])
		out->width = shown_width(s, want[VFCAP_ATTR_WIDTH]);
}

static size_t bind_steps(const struct vfcap_snapshot *s, struct vfcap_step *step)
{
	size_t n = 0;

	if (s->module != VFCAP_MODULE_THERE)
		step[n++] = make_step(VFCAP_STEP_MODULE, "", "");
	if (strcmp(s->now.override, VFCAP_DRIVER))
		step[n++] = make_step(VFCAP_STEP_OVERRIDE, s->now.override, VFCAP_DRIVER);
	if (s->now.driver[0])
		step[n++] = make_step(VFCAP_STEP_UNBIND, s->now.driver, "");
	step[n++] = make_step(VFCAP_STEP_BIND, "", VFCAP_DRIVER);
	return n;
}

static void decide_enable(const struct vfcap_snapshot *s, const struct vfcap_change_options *opt,
			  struct vfcap_outcome *out, struct vfcap_step *step)
{
	static const uint16_t fresh[VFCAP_ATTRS];
	const uint16_t *now = is_ours(&s->now) ? s->now.knob.value : fresh;
	uint16_t want[VFCAP_ATTRS];

	if (refuse_denylisted(s, out) || refuse_place(s, opt, out))
		return;
	wanted_knob(s, opt, want);
	tell_wanted(s, want, out);
	if (is_ours(&s->now) && s->now.knob.there && memcmp(now, want, sizeof(want)) == 0) {
		out->result = VFCAP_UNCHANGED;
		out->unrecorded = memcmp(now, s->enabled, sizeof(want)) != 0;
		return;
	}
	if (refuse_pf_off(s, opt, out) || (!is_ours(&s->now) && refuse_bind(s, opt, out)) ||
	    refuse_use(s, out))
		return;
	if (!is_ours(&s->now))
		out->n_steps = bind_steps(s, step);
	out->n_steps += vfcap_knob_steps(now, want, step + out->n_steps);
	if (!opt->no_verify)
		step[out->n_steps++] = make_step(VFCAP_STEP_VERIFY, "", "");
}

/* -------------------------------------------------------------------------------------- disable -- */

/* What stays when something is taken back. Gives whether anything does. */
static bool remaining_knob(const struct vfcap_snapshot *s, const struct vfcap_change_options *opt,
			   uint16_t want[VFCAP_ATTRS])
{
	bool all = true;

	for (unsigned int e = 0; e < VFCAP_EMULS; e++)
		all &= !opt->wish.want[e];
	for (unsigned int e = 0; e < VFCAP_EMULS; e++)
		want[e] = all || opt->wish.want[e] ? 0 : s->now.knob.value[e];
	want[VFCAP_ATTR_WIDTH] = want[VFCAP_ATTR_PASID] ? s->now.knob.value[VFCAP_ATTR_WIDTH] : 0;
	return want[VFCAP_ATTR_PASID] || want[VFCAP_ATTR_PRI];
}

/* Back to what was recorded; without a record to whatever driver wants it. */
static size_t return_steps(const struct vfcap_snapshot *s, struct vfcap_step *step)
{
	const char *override = s->recorded ? s->override : "";
	bool leave = is_ours(&s->now);
	size_t n = 0;

	if (strcmp(s->now.override, override) && strcmp(s->now.override, VFCAP_DRIVER) == 0)
		step[n++] = make_step(VFCAP_STEP_OVERRIDE, s->now.override, override);
	if (leave)
		step[n++] = make_step(VFCAP_STEP_UNBIND, s->now.driver, "");
	if ((leave || !s->now.driver[0]) && (!s->recorded || s->driver[0]))
		step[n++] = make_step(VFCAP_STEP_BIND, "",
				      s->recorded && s->driver_loaded ? s->driver : "");
	return n;
}

/* Of a VF that we enabled and somebody bound elsewhere, our driver keeps the knob; it forgets all of it, or nothing. */
static size_t forget_steps(const struct vfcap_snapshot *s, const struct vfcap_change_options *opt,
			   struct vfcap_step *step)
{
	bool all = true, any = false;

	if (is_ours(&s->now) || s->now.unbinding)
		return 0;
	for (unsigned int e = 0; e < VFCAP_EMULS; e++)
		all &= !opt->wish.want[e];
	for (unsigned int e = 0; e < VFCAP_EMULS; e++) {
		any |= s->enabled[e];
		if (s->enabled[e] && !all && !opt->wish.want[e])
			return 0;
	}
	if (any)
		*step = make_step(VFCAP_STEP_FORGET, "", "");
	return any;
}

static void decide_disable(const struct vfcap_snapshot *s, const struct vfcap_change_options *opt,
			   struct vfcap_outcome *out, struct vfcap_step *step)
{
	bool ours = is_ours(&s->now), stays = false;
	uint16_t want[VFCAP_ATTRS] = { 0 };

	if (ours)
		stays = remaining_knob(s, opt, want);
	for (unsigned int e = 0; e < VFCAP_EMULS; e++)
		out->offset[e] = want[e];
	if (ours)
		out->n_steps = vfcap_knob_steps(s->now.knob.value, want, step);
	if (!stays && !opt->no_bind && (ours || strcmp(s->now.override, VFCAP_DRIVER) == 0))
		out->n_steps += return_steps(s, step + out->n_steps);
	if ((out->n_steps || s->now.unbinding) && refuse_use(s, out)) {
		out->n_steps = 0;
		return;
	}
	out->n_steps += forget_steps(s, opt, step + out->n_steps);
	if (out->n_steps || s->now.unbinding)
		return;
	out->result = VFCAP_UNCHANGED;
	out->unrecorded = ours && !stays && memcmp(s->enabled, want, sizeof(want)) != 0;
}

/* --------------------------------------------------------------------------------------- assign -- */

static void decide_assign(const struct vfcap_snapshot *s, const struct vfcap_change_options *opt,
			  struct vfcap_outcome *out, struct vfcap_step *step)
{
	static const uint16_t nothing[VFCAP_ATTRS];
	const char *driver = opt->driver ? opt->driver : "";
	char why[128];

	if (strcmp(s->now.driver, driver) == 0 && !s->now.unbinding) {
		out->n_steps = forget_steps(s, opt, step);
		out->result = out->n_steps ? VFCAP_DONE : VFCAP_UNCHANGED;
		return;
	}
	if (s->assigned_missing) {
		snprintf(why, sizeof(why), "there is no driver %s: load its module first", driver);
		refuse(out, VFCAP_NO_DRIVER, why);
		return;
	}
	if (refuse_use(s, out))
		return;
	if (is_ours(&s->now))
		out->n_steps = vfcap_knob_steps(s->now.knob.value, nothing, step);
	if (strcmp(s->now.override, driver))
		step[out->n_steps++] = make_step(VFCAP_STEP_OVERRIDE, s->now.override, driver);
	if (s->now.driver[0])
		step[out->n_steps++] = make_step(VFCAP_STEP_UNBIND, s->now.driver, "");
	if (*driver)
		step[out->n_steps++] = make_step(VFCAP_STEP_BIND, "", driver);
	if (strcmp(driver, VFCAP_DRIVER))
		out->n_steps += forget_steps(s, opt, step + out->n_steps);
}

/* It shows what somebody has told it to show. */
static bool is_on(const struct vfcap_snapshot *s)
{
	return is_ours(&s->now) &&
	       (s->now.knob.value[VFCAP_ATTR_PASID] || s->now.knob.value[VFCAP_ATTR_PRI]);
}

static void leave_alone(const struct vfcap_snapshot *s, struct vfcap_outcome *out)
{
	out->result = VFCAP_UNCHANGED;
	for (unsigned int e = 0; e < VFCAP_EMULS; e++)
		out->offset[e] = s->now.knob.value[e];
	if (out->offset[VFCAP_EMUL_PASID])
		out->width = shown_width(s, s->now.knob.value[VFCAP_ATTR_WIDTH]);
}

void vfcap_decide(const struct vfcap_snapshot *s, const struct vfcap_change_options *opt,
		  struct vfcap_outcome *out, struct vfcap_step *step)
{
	out->result = VFCAP_DONE;
	out->code = VFCAP_OK;
	out->emul = VFCAP_EMULS;
	out->step = step;
	out->n_steps = 0;
	if (!s->is_vf)
		refuse(out, VFCAP_NOT_A_VF, vfcap_code_text(VFCAP_NOT_A_VF));
	else if (!s->has_pf)
		refuse(out, VFCAP_PF_UNKNOWN, vfcap_code_text(VFCAP_PF_UNKNOWN));
	else if (opt->if_off && is_on(s))
		leave_alone(s, out);
	else if (opt->assign)
		decide_assign(s, opt, out, step);
	else if (opt->disable)
		decide_disable(s, opt, out, step);
	else
		decide_enable(s, opt, out, step);
}

/* ----------------------------------------------------------------------------------------- undo -- */

/* What a run did to one VF. */
struct did {
	const struct vfcap_step *override, *unbind, *bind;
	bool knob[VFCAP_ATTRS];
	uint16_t old[VFCAP_ATTRS]; /* what it found */
	bool ours[VFCAP_ATTRS]; /* what is there now is what it found, or made of it */
};

static void look_at_knob(struct did *did, const struct vfcap_step *step,
			 const struct vfcap_binding *now)
{
	uint16_t value = now->knob.value[step->attr];

	if (!did->knob[step->attr])
		did->old[step->attr] = step->old;
	did->knob[step->attr] = true;
	/* 0 is where everything passes through, on the way back too. */
	did->ours[step->attr] |= value == step->old || value == step->new || !value;
}

static struct did what_was_done(const struct vfcap_undo *undo, struct vfcap_address vf,
				const struct vfcap_binding *now)
{
	struct did did = { 0 };

	for (size_t i = 0; i < undo->n; i++) {
		const struct vfcap_step *step = &undo->entry[i].step;

		if (vfcap_address_compare(undo->entry[i].vf, vf))
			continue;
		if (step->kind == VFCAP_STEP_OVERRIDE && strcmp(step->from, step->to))
			did.override = step;
		else if (step->kind == VFCAP_STEP_UNBIND)
			did.unbind = step;
		else if (step->kind == VFCAP_STEP_BIND)
			did.bind = step;
		else if (step->kind == VFCAP_STEP_KNOB)
			look_at_knob(&did, step, now);
	}
	return did;
}

static size_t undo_knob(const struct did *did, const struct vfcap_binding *b,
			struct vfcap_step *step)
{
	uint16_t want[VFCAP_ATTRS];

	memcpy(want, b->knob.value, sizeof(want));
	for (unsigned int a = 0; a < VFCAP_ATTRS; a++)
		if (did->knob[a] && did->ours[a])
			want[a] = did->old[a];
	return vfcap_knob_steps(b->knob.value, want, step);
}

/* The knob is restored before the VF is unbound, as the driver keeps it. A run that unbinds from our driver has set the
 * knob to 0 before: what is bound to it again begins with that. */
size_t vfcap_undo_steps(const struct vfcap_undo *undo, struct vfcap_address vf,
			const struct vfcap_binding *now, struct vfcap_step *step)
{
	const struct did did = what_was_done(undo, vf, now);
	struct vfcap_binding b = *now;
	size_t n = is_ours(&b) ? undo_knob(&did, &b, step) : 0;

	if (did.bind && b.driver[0] && (!did.unbind || strcmp(b.driver, did.unbind->from)) &&
	    (!did.bind->to[0] || strcmp(b.driver, did.bind->to) == 0)) {
		step[n++] = make_step(VFCAP_STEP_UNBIND, b.driver, "");
		b.driver[0] = '\0';
	}
	if (did.override && strcmp(b.override, did.override->to) == 0) {
		step[n++] = make_step(VFCAP_STEP_OVERRIDE, b.override, did.override->from);
		set_name(b.override, did.override->from);
	}
	if (!did.unbind || b.driver[0] || (did.override && strcmp(b.override, did.override->from)))
		return n;
	step[n++] = make_step(VFCAP_STEP_BIND, "", did.unbind->from);
	set_name(b.driver, did.unbind->from);
	memset(&b.knob, 0, sizeof(b.knob));
	return is_ours(&b) ? n + undo_knob(&did, &b, step + n) : n;
}

/* ---------------------------------------------------------------------------------------- count -- */

static struct vfcap_step count_step(enum vfcap_step_kind kind, uint16_t old, uint16_t new)
{
	return (struct vfcap_step){ .kind = kind, .old = old, .new = new };
}

size_t vfcap_count_steps(const struct vfcap_count *count, struct vfcap_step *step)
{
	bool hold = count->want && count->autoprobe == 1;
	size_t n = 0;

	if (count->now == count->want)
		return 0;
	if (hold)
		step[n++] = count_step(VFCAP_STEP_AUTOPROBE, 1, 0);
	if (count->now)
		step[n++] = count_step(VFCAP_STEP_NUMVFS, count->now, 0);
	if (count->want)
		step[n++] = count_step(VFCAP_STEP_NUMVFS, 0, count->want);
	if (hold)
		step[n++] = count_step(VFCAP_STEP_AUTOPROBE, 0, 1);
	return n;
}

size_t vfcap_strip_steps(const struct vfcap_binding *now, struct vfcap_step *step)
{
	static const uint16_t nothing[VFCAP_ATTRS];
	size_t n = is_ours(now) ? vfcap_knob_steps(now->knob.value, nothing, step) : 0;

	if (now->override[0])
		step[n++] = make_step(VFCAP_STEP_OVERRIDE, now->override, "");
	if (now->driver[0])
		step[n++] = make_step(VFCAP_STEP_UNBIND, now->driver, "");
	return n;
}

/* What a log tells of the PF itself. */
struct count_log {
	const struct vfcap_step *numvfs, *autoprobe; /* the first of each */
	size_t at; /* of the first of both */
	bool made_now; /* there are as many VFs as one of its steps made */
};

static struct count_log read_count_log(const struct vfcap_undo *undo, struct vfcap_address pf,
				       uint16_t now)
{
	struct count_log log = { .at = undo->n };

	for (size_t i = 0; i < undo->n; i++) {
		const struct vfcap_step *step = &undo->entry[i].step;
		bool numvfs = step->kind == VFCAP_STEP_NUMVFS;

		if ((!numvfs && step->kind != VFCAP_STEP_AUTOPROBE) ||
		    vfcap_address_compare(undo->entry[i].vf, pf))
			continue;
		if (i < log.at)
			log.at = i;
		if (numvfs && !log.numvfs)
			log.numvfs = step;
		if (!numvfs && !log.autoprobe)
			log.autoprobe = step;
		log.made_now |= numvfs && step->new == now;
	}
	return log;
}

/* As many as there were: either the number was not changed yet, or it was taken back already. */
bool vfcap_undo_count_steps(const struct vfcap_undo *undo, struct vfcap_address pf, uint16_t now,
			    int autoprobe, struct vfcap_step *step, size_t *n, size_t *n_before)
{
	struct count_log log = read_count_log(undo, pf, now);
	struct vfcap_count back = { .now = now, .want = now, .autoprobe = autoprobe };

	*n = 0;
	*n_before = log.at;
	if (log.at == undo->n)
		return false;
	if (log.numvfs && now != log.numvfs->old) {
		if (log.made_now)
			back.want = log.numvfs->old;
		else
			*n_before = 0;
	}
	*n = vfcap_count_steps(&back, step);
	if (*n && step[*n - 1].kind == VFCAP_STEP_AUTOPROBE)
		(*n)--;
	for (size_t i = 0; i < *n; i++)
		if (step[i].kind == VFCAP_STEP_AUTOPROBE)
			autoprobe = step[i].new;
	if (log.autoprobe && autoprobe >= 0 && autoprobe != log.autoprobe->old)
		step[(*n)++] =
			count_step(VFCAP_STEP_AUTOPROBE, (uint16_t)autoprobe, log.autoprobe->old);
	else if (autoprobe == 0 && back.autoprobe == 1)
		step[(*n)++] = count_step(VFCAP_STEP_AUTOPROBE, 0, 1);
	return true;
}
