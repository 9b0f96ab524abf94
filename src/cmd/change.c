// SPDX-License-Identifier: GPL-2.0-or-later
/* What enable and disable share: VFs are changed PF by PF, and what came of it is printed. */
#include <stdlib.h>

#include "cmd.h"

#define VENDOR_INTEL 0x8086
#define CLASS_VGA 0x0300 /* base class and subclass */

struct changing {
	struct vfcap_cli *cli;
	const struct vfcap_change_options *opt;
	struct vfcap_outcomes outcomes;
	bool persist;
};

/* Can what a decision rests on be read? */
static int look(struct changing *ch, struct vfcap_function *const *vf, size_t n)
{
	struct vfcap_function *pf = vfcap_function_pf(vf[0]);
	int status = pf ? vfcap_cli_explain(ch->cli, pf) : VFCAP_EXIT_DONE;
	size_t i;

	for (i = 0; i < n; i++)
		status = vfcap_cli_worse(status, vfcap_cli_explain(ch->cli, vf[i]));
	return status;
}

/* Regions with the OpRegion of Intel's integrated graphics are those of vfio-pci alone (Linux
 * drivers/vfio/pci/vfio_pci_igd.c, which is no part of its core). Said once for VFs of a PF. */
static void warn_opregion(struct changing *ch, const struct vfcap_change *change)
{
	const struct vfcap_outcome *o;
	size_t i;

	for (i = 0; (o = vfcap_change_outcome(change, i)); i++)
		if (o->result != VFCAP_REFUSED && vfcap_function_vendor(o->vf) == VENDOR_INTEL &&
		    vfcap_function_class(o->vf) >> 8 == CLASS_VGA)
			break;
	if (o && !ch->opt->disable)
		vfcap_cli_warn(ch->cli,
			       "%s: OpRegion regions of an Intel GPU come from vfio-pci only: "
			       "a guest has none on vfcap-vfio-pci",
			       vfcap_function_name(o->vf));
}

/* What came of VFs of one PF. */
static int print_change(struct changing *ch, const struct vfcap_change *change)
{
	const struct vfcap_outcome *o;
	int status = VFCAP_EXIT_DONE;
	size_t i;

	for (i = 0; (o = vfcap_change_outcome(change, i)); i++) {
		status = vfcap_cli_worse(status, vfcap_outcomes_add(&ch->outcomes, o));
		vfcap_function_drop(o->vf);
	}
	vfcap_outcomes_flush(&ch->outcomes);
	return status;
}

/* VFs of one PF. Whether it can be kept is seen before anything is changed. */
static int change_pf(struct changing *ch, struct vfcap_function *const *vf, size_t n)
{
	int err, changed, status = ch->opt->disable ? VFCAP_EXIT_DONE : look(ch, vf, n);
	bool persist = ch->persist && !ch->opt->dry_run && vfcap_has_kernel(ch->cli->ctx);
	struct vfcap_function *pf = vfcap_function_pf(vf[0]);
	struct vfcap_change *change = NULL;
	struct vfcap_keep keep = { 0 };

	if (persist)
		changed = vfcap_keep_open(ch->cli, vf, n, &keep);
	if (persist && changed) {
		vfcap_keep_close(&keep);
		return vfcap_cli_worse(status, changed);
	}
	err = vfcap_change(ch->cli->ctx, vf, n, ch->opt, &change);
	vfcap_progress_end(ch->cli);
	if (err) {
		vfcap_cli_error(ch->cli, "%s", vfcap_error(ch->cli->ctx));
		changed = VFCAP_EXIT_FAILED;
	} else {
		warn_opregion(ch, change);
		changed = print_change(ch, change);
	}
	if (!changed && keep.pf)
		changed = vfcap_keep_save(ch->cli, &keep, change,
					  ch->opt->disable ? -1 : ch->opt->wish.width);
	vfcap_change_free(change);
	vfcap_keep_close(&keep);
	if (pf)
		vfcap_function_drop(pf);
	return vfcap_cli_worse(status, changed);
}

/* VFs come PF by PF; those whose PF is not known, one by one. */
static int change_picked(struct changing *ch, const struct vfcap_picked *picked)
{
	int status = VFCAP_EXIT_DONE;
	size_t i, n;

	if (!ch->opt->dry_run)
		vfcap_signals_catch(ch->cli);
	for (i = 0; i < picked->n && !ch->cli->out.error && !vfcap_signals_caught(); i += n) {
		const struct vfcap_function *pf = vfcap_function_pf(picked->fn[i]);

		for (n = 1; pf && i + n < picked->n; n++)
			if (vfcap_function_pf(picked->fn[i + n]) != pf)
				break;
		status = vfcap_cli_worse(status, change_pf(ch, picked->fn + i, n));
	}
	return status;
}

int vfcap_cli_change(struct vfcap_cli *cli, struct vfcap_change_options *opt, bool persist)
{
	struct changing ch = { .cli = cli, .opt = opt, .persist = persist };
	struct vfcap_picked picked = { 0 };
	int status;

	if (!cli->n_device) {
		vfcap_cli_usage(cli, "%s: needs a DEVICE", cli->command->name);
		return VFCAP_EXIT_USAGE;
	}
	if (vfcap_cli_open(cli))
		return VFCAP_EXIT_FAILED;
	status = vfcap_cli_pick(cli, VFCAP_PICK_VFS, &picked);
	if (vfcap_progress_wanted(cli)) {
		opt->progress = vfcap_progress_show;
		opt->progress_arg = cli;
	}
	if (!opt->disable && !opt->no_verify && !opt->dry_run)
		vfcap_cli_resets(cli, &picked);
	vfcap_outcomes_begin(&ch.outcomes, cli, opt->dry_run ? VFCAP_DRY_RUN : VFCAP_EARNEST);
	status = vfcap_cli_worse(status, change_picked(&ch, &picked));
	vfcap_outcomes_end(&ch.outcomes);
	vfcap_picked_free(&picked);
	return status;
}
