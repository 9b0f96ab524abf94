/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Prints each VF of a captured host or a dump: its chain, then what would be emulated where. */
#include <err.h>
#include <libvfcap.h>
#include <stdio.h>
#include <sys/stat.h>

static void print_vf(struct vfcap_function *vf)
{
	const struct vfcap_chain *chain = vfcap_function_chain(vf);
	const struct vfcap_wish wish = { .want = { true, true } };
	struct vfcap_plan plan;

	printf("%s", vfcap_function_name(vf));
	for (int i = 0; chain && i < chain->n; i++)
		printf(" %03x:%02x", chain->cap[i].offset, chain->cap[i].id);
	if (vfcap_function_plan(vf, &wish, &plan, NULL) == 0)
		for (int i = 0; i < plan.n_placements; i++)
			printf(" +%03x:%02x", plan.placement[i].offset,
			       vfcap_emul_id(plan.placement[i].emul));
	puts("");
}

int main(int argc, char **argv)
{
	struct vfcap_function *fn;
	struct vfcap *ctx;
	struct stat st;
	int err;

	if (argc != 2 || stat(argv[1], &st) || vfcap_new(&ctx))
		return 2;
	err = S_ISDIR(st.st_mode) ? vfcap_set_sysroot(ctx, argv[1]) : vfcap_add_file(ctx, argv[1]);
	if (err || vfcap_scan(ctx))
		warnx("%s", vfcap_error(ctx));
	vfcap_foreach(ctx, fn)
		if (vfcap_function_role(fn) == VFCAP_ROLE_VF)
			print_vf(fn);
	vfcap_free(ctx);
	return err != 0;
}
