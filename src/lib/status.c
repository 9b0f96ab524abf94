// SPDX-License-Identifier: GPL-2.0-or-later
/* What a VF is told to show, and what a killed run left of it. */
#include <errno.h>
#include <string.h>

#include "decide.h"

int vfcap_function_status(struct vfcap_function *vf, struct vfcap_status *status)
{
	struct vfcap_binding b;
	int err;

	vf->host->error[0] = '\0';
	memset(status, 0, sizeof(*status));
	err = vfcap_binding_read(vf, &b);
	if (err)
		return vfcap_host_fail(vf->host, err, "%s: %s", vf->name, strerror(-err));
	status->bound = b.knob.there;
	status->unbinding = b.unbinding;
	for (unsigned int e = 0; e < VFCAP_EMULS; e++) {
		status->configured[e] = b.knob.value[e];
		status->shown[e] = b.knob.shown[e];
	}
	status->width = (uint8_t)b.knob.value[VFCAP_ATTR_WIDTH];
	memcpy(status->state, b.knob.state, sizeof(status->state));
	memcpy(status->driver, b.driver, sizeof(status->driver));
	memcpy(status->driver_override, b.override, sizeof(status->driver_override));
	return 0;
}

int vfcap_function_enabled(struct vfcap_function *vf, struct vfcap_enabled *enabled)
{
	const struct vfcap_before *before = NULL;
	struct vfcap_record record = { 0 };
	struct vfcap_knob knob;
	int err;

	vf->host->error[0] = '\0';
	*enabled = (struct vfcap_enabled){ 0 };
	err = vf->pf ? vfcap_record_read_all(vf->pf, &record) : 0;
	if (!err)
		before = vfcap_record_find(&record, vf->address);
	if (before && vfcap_before_enabled(before)) {
		enabled->there = true;
		for (unsigned int e = 0; e < VFCAP_EMULS; e++)
			enabled->offset[e] = before->knob[e];
		enabled->width = (uint8_t)before->knob[VFCAP_ATTR_WIDTH];
		err = vfcap_knob_read(vf, &knob);
		enabled->changed = !err && (!knob.there ||
					    memcmp(knob.value, before->knob, sizeof(knob.value)));
	}
	vfcap_record_free(&record);
	return err;
}

/* A log also says what a run left as it found it. */
static bool changes(const struct vfcap_step *step)
{
	return step->kind != VFCAP_STEP_KNOB || step->old != step->new;
}

/* One that cannot be read or understood keeps the PF from being changed. */
static int check_record(const struct vfcap_function *pf)
{
	struct vfcap_record record;
	int err = vfcap_record_read(pf, &record);

	vfcap_record_free(&record);
	return err;
}

int vfcap_function_leftover(const struct vfcap_function *fn, struct vfcap_leftover *leftover)
{
	bool is_vf = fn->role == VFCAP_ROLE_VF;
	const struct vfcap_function *pf = is_vf ? fn->pf : fn;
	struct vfcap_undo undo;
	int err;

	fn->host->error[0] = '\0';
	*leftover = (struct vfcap_leftover){ 0 };
	if (!pf)
		return 0;
	err = vfcap_undo_read(pf, &undo);
	pf->host->no_memory |= err == -ENOMEM;
	if (err)
		return err;
	for (size_t i = 0; i < undo.n; i++)
		leftover->n_steps +=
			changes(&undo.entry[i].step) &&
			(!is_vf || !vfcap_address_compare(undo.entry[i].vf, fn->address));
	/* Of which VFs a damaged log speaks is not known: it may be any. */
	leftover->there = undo.there && (!is_vf || leftover->n_steps || undo.damaged);
	if (leftover->there)
		err = vfcap_undo_running(pf);
	leftover->running = err > 0;
	leftover->command = vfcap_act_name(undo.act);
	leftover->done = undo.done;
	leftover->damaged = undo.damaged;
	vfcap_undo_free(&undo);
	return err < 0 ? err : check_record(pf);
}
