/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Descriptions of a host as JSON: text in, struct vfcap_spec out, and back. Knows no host: what a
 * description means is the library's to say.
 */
#ifndef VFCAP_SPEC_H
#define VFCAP_SPEC_H

#include <stdio.h>

#include "libvfcap.h"

/* What was read of one or several texts. Zero it first. */
struct vfcap_description {
	struct vfcap_spec spec;
	char **string; /* what spec points to; owned */
	size_t n_strings;
};

#define VFCAP_SPEC_ERROR 640

/*
 * Adds what stands in a text (len bytes) to a description. name is for messages and for struct
 * vfcap_where. 0; -EINVAL when it cannot be understood: error says so as
 * "NAME:LINE:COLUMN: KEY: reason"; -ENOMEM, said too. Then nothing is added.
 */
int vfcap_spec_read(struct vfcap_description *d, const char *name, const char *text, size_t len,
		    char error[VFCAP_SPEC_ERROR]);
/*
 * The text of a description of one PF: numvfs (-1: not described), and vfs[0..n) by index, of which those without a device
 * are not described. VFs that follow each other and are to be alike are one entry. The caller frees it; NULL: out of
 * memory.
 */
char *vfcap_spec_write(const char *pf, int numvfs, const struct vfcap_spec_vfs *vfs, size_t n);
void vfcap_spec_free(struct vfcap_description *d);

#endif
