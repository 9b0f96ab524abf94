/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of the monitor, and its tests, share. */
#ifndef VFCAP_MONITOR_H
#define VFCAP_MONITOR_H

#include "../host/watch.h"
#include "lib.h"

typedef int (*vfcap_emit)(void *arg, enum vfcap_event_kind kind, const struct vfcap_seen *old,
			  const struct vfcap_seen *now);

/* Says what became of a function: NULL is not there. Stops at the first error of emit. */
int vfcap_seen_compare(const struct vfcap_seen *old, const struct vfcap_seen *now, vfcap_emit emit,
		       void *arg);

/* vfcap_monitor_open() with messages from elsewhere: takes the watch over. */
int vfcap_monitor_open_watch(struct vfcap *ctx, struct vfcap_watch *watch,
			     struct vfcap_monitor **monitor);

#endif
