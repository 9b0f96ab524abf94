// SPDX-License-Identifier: GPL-2.0-or-later
/* The feature of VFIO_DEVICE_FEATURE. */
#include <errno.h>
#include <linux/vfio.h>
#include <stdio.h>

#include "../../src/uapi/vfcap-vfio.h"
#include "vm-test.h"

#define GET (VFIO_DEVICE_FEATURE_GET | VFCAP_VFIO_FEATURE_EMULATED)
#define SET (VFIO_DEVICE_FEATURE_SET | VFCAP_VFIO_FEATURE_EMULATED)
#define PROBE                                                                            \
	(VFIO_DEVICE_FEATURE_PROBE | VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_SET | \
	 VFCAP_VFIO_FEATURE_EMULATED)

static int set_to(const struct vfio *v, unsigned int pasid, unsigned int pri, unsigned int width)
{
	struct vfcap_vfio_emulated e = { .pasid_offset = (uint16_t)pasid,
					 .pri_offset = (uint16_t)pri,
					 .pasid_width = (uint8_t)width };

	return feature(v, SET, &e, sizeof(e));
}

static bool get_is(const struct vfio *v, unsigned int pasid, unsigned int pri, unsigned int width,
		   unsigned int flags)
{
	struct vfcap_vfio_emulated e = { 0 };
	int ret = feature(v, GET, &e, sizeof(e));

	if (!ret && e.pasid_offset == pasid && e.pri_offset == pri && e.pasid_width == width &&
	    e.flags == flags)
		return true;
	printf("# GET: %d: %#x %#x width %u flags %#x\n", ret, e.pasid_offset, e.pri_offset,
	       e.pasid_width, e.flags);
	return false;
}

void test_feature(void)
{
	struct vfcap_vfio_emulated e = { .flags = 1 };
	struct vfio v;
	struct fn fn = fresh(NIC, 0);

	turn(&fn, "pasid_width", "16");
	turn_to(&fn, "pasid_offset", 0x200);
	ok(vfio_open(&v, &fn), "open, PASID at 0x200");
	same(feature(&v, PROBE, NULL, 0), 0, "PROBE");
	ok(get_is(&v, 0x200, 0, 16, 0), "GET tells what the knob says");
	cfg_get(&v, 0x0, 4);
	cfg_get(&v, 0xfc, 4);
	same(feature(&v, SET, &e, sizeof(e)), -EINVAL, "SET refuses flags");
	e = (struct vfcap_vfio_emulated){ .reserved = { 0, 1 } };
	same(feature(&v, SET, &e, sizeof(e)), -EINVAL, "SET refuses what is reserved");
	same(feature(&v, SET, &e, sizeof(e) - 1), -EINVAL, "SET refuses less than all");
	same(set_to(&v, 0x104, 0, 0), -EINVAL, "SET refuses an offset that is taken");
	same(set_to(&v, 0x300, 0x304, 0), -EINVAL, "SET refuses a collision");
	same(set_to(&v, 0x300, 0, 17), -ERANGE, "SET refuses more than the knob's width");
	ok(get_is(&v, 0x200, 0, 16, 0), "and nothing has changed");
	same(set_to(&v, 0x300, 0x320, 8), 0, "SET moves PASID, and adds PRI");
	ok(get_is(&v, 0x300, 0x320, 8, 0) && knob_is(&fn, "pasid_shown", "0x300"), "GET tells");
	same(set_to(&v, 0, 0x400, 0), 0, "SET removes PASID, and moves PRI");
	same(set_to(&v, 0x380, 0x400, 0), 0, "SET once more");
	same(cfg_get(&v, 0x150, 4), 0x0001000e | 0x380 << 20, "ARI leads to PASID");
	same(cfg_get(&v, 0x380, 4), 0x0001001b | 0x400 << 20, "PASID leads to PRI");
	same(cfg_get(&v, 0x384, 2), 0x1006, "PASID is as wide as the knob says");
	same(cfg_get(&v, 0x200, 4) | cfg_get(&v, 0x300, 4) | cfg_get(&v, 0x320, 4), 0,
	     "nothing is left behind");
	same(set_to(&v, 0x200, 0, 0), -EBUSY, "SET comes too late after a look at the chain");
	ok(get_is(&v, 0x380, 0x400, 16, 0), "and changes nothing");
	vfio_close(&v);
	ok(knob_is(&fn, "pasid_offset", "0x200") && knob_is(&fn, "pri_offset", "0"),
	   "the knob is what it was");
	ok(vfio_open(&v, &fn) && get_is(&v, 0x200, 0, 16, 0), "and counts at the next open");
	cfg_put(&v, 0x100, 4, 0);
	same(set_to(&v, 0x300, 0, 0), -EBUSY, "a write is an access too");
	vfio_close(&v);
}

void test_feature_pf(void)
{
	struct vfcap_vfio_emulated e = { 0 };
	struct vfio v;
	struct fn fn = fresh_open(0, &v);

	set_pf(PRI + 4, 0);
	ok(get_is(&v, PASID, PRI, 20, VFCAP_VFIO_PF_PRI_OFF), "GET tells that the PF's PRI is off");
	same(set_to(&v, PASID, PRI, 0), 0, "SET with it off");
	ok(get_is(&v, PASID, 0, 20, VFCAP_VFIO_PF_PRI_OFF | VFCAP_VFIO_PRI_HIDDEN),
	   "hides it, and GET tells");
	vfio_close(&v);
	same(turn_to(&fn, "pri_offset", 0), 0, "the knob wants no PRI");
	ok(vfio_open(&v, &fn) && !set_to(&v, PASID, PRI, 0) &&
		   knob_is(&fn, "state", "hidden: pri: pf-off"),
	   "a VMM does, and is told");
	vfio_close(&v);
	ok(knob_is(&fn, "state", "ready"), "until it closes the device");
	set_pf(PRI + 4, 1);

	fn = fresh(BARE, 0);
	ok(vfio_open(&v, &fn) &&
		   get_is(&v, 0, 0, 0, VFCAP_VFIO_PF_PASID_OFF | VFCAP_VFIO_PF_PRI_OFF),
	   "a PF without either");
	same(set_to(&v, 0x200, 0, 0), -EOPNOTSUPP, "SET for a PF without it");
	vfio_close(&v);

	fn = fn_of(NIC, 0);
	ok(bind_to(&fn, "vfio-pci") && vfio_open(&v, &fn), "stock vfio-pci opens");
	same(feature(&v, PROBE, &e, sizeof(e)), -ENOTTY, "and has no such feature");
	vfio_close(&v);
}
