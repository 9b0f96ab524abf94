// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The core as it is in the tool, so that a guest gets what the tool has planned. */
#include "../core/image.c"
#include "../core/caps.c"
#include "../core/chain.c"
#include "../core/visible.c"
#include "../core/plan.c"
#include "../core/shadow.c"
#include "../core/denylist.c"
