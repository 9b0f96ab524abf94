/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tests of the module share; hosts.host says what is on the hosts. */
#ifndef VFCAP_VM_TEST_H
#define VFCAP_VM_TEST_H

#include "guest.h"

#define DRIVER "vfcap-vfio-pci"
#define N(a) (sizeof(a) / sizeof((a)[0]))

/* The hosts' domains. */
#define NIC 0xfa00
#define CHAINS 0xfa01
#define BARE 0xfa02
#define OFF 0xfa03
#define MANY 0xfa04
#define DENIED 0xfa0a /* of tool.host */

#define CHAIN_VFS 19 /* of CHAINS */

#define EXPRESS 0x40 /* where every function has its PCI Express capability */
#define PASID 0x1c0 /* where the NIC's PF has them */
#define PRI 0x1b0

/* Plans as the tool does. */
void plan_for(struct vfcap_plan *plan, const struct fn *fn, const struct vfcap_wish *wish);

/* Turns the knob by a plan; what is at 0x100 must come first. */
int turn_by_plan(const struct fn *fn, const struct vfcap_plan *plan);

/* Says where they differ. */
bool views_equal(const uint8_t *got, const uint8_t *want);

/* Binds a VF to the driver, with a knob at its defaults. */
bool bind_anew(const struct fn *fn);

/* The same of VF n of a domain; a failed test when it cannot be bound. */
struct fn fresh(unsigned int domain, int n);

/* The NIC's VF n with PASID and PRI where its PF has them, and open. */
struct fn fresh_open(int n, struct vfio *v);

/* Changes a byte of the NIC's PF. */
void set_pf(unsigned int off, uint8_t val);

/* Takes a device away while it is open, in a process of its own: that waits for the last close. */
void take_away(int (*act)(const char *arg, const char *file), const char *arg, const char *file,
	       const char *what);
int delete_module(const char *name, const char *none);

void test_binding(void);
void test_knob(void);
void test_unreadable(void);
void test_views(void);
void test_random_views(void);
void test_short_views(void);
void test_off(void);
void test_bytes(void);
void test_offered(void);
void test_reads(void);
void test_end(void);
void test_masks(void);
void test_writes(void);
void test_race(void);
void test_resets(void);
void test_two_openers(void);
void test_rmmod(void);
void test_mapped(void);
void test_turning(void);
void test_take_away(void);
void test_delay(void);
void test_vanish(void);
void test_pf_off(void);
void test_noted(void);
void test_unreadable_pf(void);
void test_costs(void);
void test_overrun(void);
void test_kept(void);
void test_rebinding(void);
void test_low_power(void);
void test_parameters(void);
void test_conflict(void);
void test_feature(void);
void test_feature_pf(void);
void test_denylist(void);
void test_many(unsigned int all, int used);

#endif
