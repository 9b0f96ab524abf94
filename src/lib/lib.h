/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the library share. */
#ifndef VFCAP_LIB_H
#define VFCAP_LIB_H

#include "../host/host.h"
#include "libvfcap.h"

struct vfcap {
	struct vfcap_host host; /* first: a function's host is its context */
	char *source; /* for vfcap_source(); owned */
	char *tmp; /* where captures are unpacked; NULL: /tmp; owned */
	size_t n_files;
	bool scanned;
	char title[256]; /* for vfcap_function_title() */
	struct vfcap_chain *scratch; /* a chain is walked here, then kept in the room it needs; owned */
	/* vfcap_verify(), or what a test puts in its place. */
	int (*verify)(struct vfcap_function *vf, const char *token, bool writes,
		      struct vfcap_verdict *verdict);
};

static inline struct vfcap *vfcap_of(const struct vfcap_function *fn)
{
	return (struct vfcap *)fn->host;
}

#endif
