/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the library share. */
#ifndef VFCAP_LIB_H
#define VFCAP_LIB_H

#include "../host/host.h"
#include "libvfcap.h"

struct vfcap {
	struct vfcap_host host; /* first: a function's host is its context */
	char *source; /* for vfcap_source(); owned */
	size_t n_files;
	bool scanned;
	char title[256]; /* for vfcap_function_title() */
	struct vfcap_chain
		*scratch; /* a chain is walked here, then kept in the room it needs; owned */
	/* vfcap_verify_knob(), or what a test puts in its place. */
	int (*verify)(struct vfcap_function *vf, const char *token, bool writes,
		      struct vfcap_verdict *verdict);
};

static inline struct vfcap *vfcap_of(const struct vfcap_function *fn)
{
	return (struct vfcap *)fn->host;
}

struct vfcap_knob; /* ../host/change.h */

/* plan.c: the wish whose plan is what that knob says; false: nothing is emulated. */
bool vfcap_knob_wish(const struct vfcap_knob *knob, struct vfcap_wish *wish);

/* verify.c: vfcap_verify() without what was enabled, which is recorded only when a run is done. */
int vfcap_verify_knob(struct vfcap_function *vf, const char *token, bool writes,
		      struct vfcap_verdict *verdict);

/* function.c: did reading its config space fail? -errno, said. What is known not to be readable by this reader, or now, is
 * no failure: 0. */
int vfcap_function_failed(struct vfcap_function *fn);

/* device.c: the parts of a DEVICE. What matches no function is said, as in vfcap_match(). */
size_t vfcap_device_address(const char *s, struct vfcap_address *a); /* characters, 0: it is none */
bool vfcap_device_may_be_netdev(const char *s);
bool vfcap_device_is_glob(const char *s);
int vfcap_device_one(struct vfcap_host *h, const char *device, struct vfcap_function **fn);
/* "3", "0-7": whole numbers that fit a VF index */
bool vfcap_device_range(const char *s, unsigned long *first, unsigned long *last);
int vfcap_device_no_form(struct vfcap_host *h, const char *device); /* says so: -EINVAL */

#endif
