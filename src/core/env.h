/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the core needs from its surroundings, in the tool and in the kernel module.
 * The only file of the core that knows which of the two it is in.
 */
#ifndef VFCAP_ENV_H
#define VFCAP_ENV_H

#ifdef __KERNEL__
#include <linux/errno.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include <linux/types.h>

#define VFCAP_IN_KERNEL true
#else
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define VFCAP_IN_KERNEL false
#endif

/* What is for people stays out of the module. */
#define VFCAP_TEXT(s) (VFCAP_IN_KERNEL ? NULL : (s))

#endif
