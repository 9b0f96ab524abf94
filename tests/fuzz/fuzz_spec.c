// SPDX-License-Identifier: GPL-2.0-or-later
/* The text of descriptions: what is read of anything is told with a place in it; what is written of that is read again
 * as the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "spec.h"

static size_t lines(const uint8_t *data, size_t size)
{
	size_t n = 1;

	for (size_t i = 0; i < size; i++)
		n += data[i] == '\n';
	return n;
}

static void check(bool good)
{
	if (!good)
		abort();
}

static void check_where(const struct vfcap_where *where, const uint8_t *data, size_t size)
{
	check(strcmp(where->file, "fuzz") == 0 && where->line && where->column);
	check(where->line <= lines(data, size) && where->column <= size + 1);
}

/* Each entry as the VFs of a PF. */
static void write_again(const struct vfcap_spec *spec)
{
	char *text = vfcap_spec_write("0000:01:00.0", 7, spec->vfs, spec->n_vfs), *again;
	struct vfcap_description d = { 0 };
	char error[VFCAP_SPEC_ERROR];

	check(text && vfcap_spec_read(&d, "again", text, strlen(text), error) == 0);
	check(d.spec.n_vfs <= spec->n_vfs && d.spec.n_pf == 1);
	for (size_t i = 0; i < d.spec.n_vfs && d.spec.n_vfs == spec->n_vfs; i++)
		for (unsigned int e = 0; e < VFCAP_EMULS; e++)
			check(vfcap_want_same(&d.spec.vfs[i].want[e], &spec->vfs[i].want[e]));
	again = vfcap_spec_write("0000:01:00.0", 7, spec->vfs, spec->n_vfs);
	check(again && strcmp(text, again) == 0);
	free(again);
	free(text);
	vfcap_spec_free(&d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vfcap_description d = { 0 };
	char error[VFCAP_SPEC_ERROR] = "";
	int err = vfcap_spec_read(&d, "fuzz", (const char *)data, size, error);

	check((err == 0) == !error[0]);
	if (err)
		check(strncmp(error, "fuzz:", 5) == 0);
	for (size_t i = 0; i < d.spec.n_vfs && !err; i++)
		check_where(&d.spec.vfs[i].where, data, size);
	for (size_t i = 0; i < d.spec.n_pf && !err; i++)
		check_where(&d.spec.pf[i].where, data, size);
	if (!err)
		write_again(&d.spec);
	vfcap_spec_free(&d);
	return 0;
}
