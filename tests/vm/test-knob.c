// SPDX-License-Identifier: GPL-2.0-or-later
/* Binding, and the knob in sysfs. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vm-test.h"

void test_binding(void)
{
	struct fn pf = fn_of(NIC, PF), vf = fn_of(NIC, 0);

	put(pf.addr, "devices/%s/driver/unbind", pf.addr);
	put(DRIVER, "devices/%s/driver_override", pf.addr);
	same(put(pf.addr, "drivers/" DRIVER "/bind"), -ENODEV, "a PF is refused");
	ok(make_vfs(NIC, 8), "the NIC has VFs");
	ok(make_vfs(CHAINS, CHAIN_VFS), "VFs of every sort of chain");
	ok(make_vfs(BARE, 1) && make_vfs(OFF, 1), "VFs of lesser PFs");
	ok(bind_to(&vf, DRIVER), "a VF is bound");
	ok(knob_is(&vf, "abi", "1") && knob_is(&vf, "state", "off") &&
		   knob_is(&vf, "pasid_offset", "0") && knob_is(&vf, "pri_offset", "0") &&
		   knob_is(&vf, "pasid_width", "0") && knob_is(&vf, "pasid_shown", "0") &&
		   knob_is(&vf, "pri_shown", "0"),
	   "the knob begins with its defaults");
	same(turn(&vf, "pasid_offset", "0x200"), 0, "PASID is turned on");
	ok(knob_is(&vf, "pasid_offset", "0x200") && knob_is(&vf, "state", "ready"),
	   "and the knob says so");
	ok(bind_to(&vf, DRIVER) && knob_is(&vf, "pasid_offset", "0x200") &&
		   knob_is(&vf, "state", "ready"),
	   "another binding begins with what was last written");
}

/* The knob of a VF outlives its bindings, but not the VF, nor a 0. */
void test_kept(void)
{
	struct fn vf = fresh(NIC, 0), other = fresh(NIC, 1);
	uint8_t ats[] = { 0x0f, 0x00, 0x01, 0x00 }, link[] = { 0x0e, 0x00, 0x01, 0x20 };
	static const uint8_t nothing[4] = { 0 }, unlink[] = { 0x0e, 0x00, 0x01, 0x00 };
	char beyond[32];
	struct vfio v;

	turn_to(&vf, "pasid_offset", 0x200);
	turn_to(&vf, "pri_offset", 0x300);
	turn(&vf, "pasid_width", "9");
	ok(bind_to(&vf, "vfio-pci") && bind_to(&vf, DRIVER) &&
		   knob_is(&vf, "pasid_offset", "0x200") && knob_is(&vf, "pri_offset", "0x300") &&
		   knob_is(&vf, "pasid_width", "9") && knob_is(&vf, "state", "ready"),
	   "all of it is kept while another driver has the VF");
	ok(bind_to(&other, NULL) && bind_to(&other, DRIVER) && knob_is(&other, "state", "off"),
	   "nothing of it is another VF's");
	ok(vfio_open(&v, &vf) && cfg_get(&v, 0x200, 4) == (0x0001001b | 0x300 << 20) &&
		   cfg_get(&v, 0x204, 2) == 0x0906,
	   "and it is shown at once");
	vfio_close(&v);

	poke_image(&vf, 0x200, ats, 4);
	poke_image(&vf, 0x150, link, 4);
	ok(bind_to(&vf, NULL) && bind_to(&vf, DRIVER) && knob_is(&vf, "pasid_offset", "0x200"),
	   "what does not fit any more is bound all the same");
	ok(vfio_open(&v, &vf) && knob_is(&vf, "state", "hidden: pasid: conflict"),
	   "and hidden at the open");
	vfio_close(&v);
	poke_image(&vf, 0x200, nothing, 4);
	poke_image(&vf, 0x150, unlink, 4);

	same(put(vf.addr, "drivers/" DRIVER "/forget"), -EBUSY,
	     "one that is bound has a knob for that");
	bind_to(&vf, NULL);
	same(put("fa00:00:01", "drivers/" DRIVER "/forget"), -EINVAL,
	     "what is no address is refused");
	snprintf(beyond, sizeof(beyond), "10000%s", vf.addr);
	same(put(beyond, "drivers/" DRIVER "/forget"), -EINVAL,
	     "nor is what has it in its last digits");
	ok(bind_to(&vf, DRIVER) && knob_is(&vf, "pasid_offset", "0x200") && bind_to(&vf, NULL),
	   "and nothing is forgotten");
	same(put(vf.addr, "drivers/" DRIVER "/forget"), 0, "it is forgotten by its address");
	same(put(vf.addr, "drivers/" DRIVER "/forget"), 0, "again, which changes nothing");
	ok(bind_to(&vf, DRIVER) && knob_is(&vf, "state", "off") && knob_is(&vf, "pasid_width", "0"),
	   "and then begins with the defaults");

	turn_to(&vf, "pasid_offset", 0x200);
	turn_to(&vf, "pasid_offset", 0);
	ok(bind_to(&vf, NULL) && bind_to(&vf, DRIVER) && knob_is(&vf, "state", "off"),
	   "0 is kept, too");
	turn_to(&vf, "pasid_offset", 0x200);
	ok(make_vfs(NIC, 8) && bind_to(&vf, DRIVER) && knob_is(&vf, "pasid_offset", "0"),
	   "a VF that comes anew begins anew");
}

/* Nobody ever finds the VF bare: whoever opens it while others bind and unbind it sees PASID, or
 * no device. */
struct opener {
	volatile bool stop;
	unsigned int opened, bare;
};

static void *open_again(void *arg)
{
	struct fn fn = fn_of(MANY, 0);
	struct opener *opener = arg;
	struct vfio v;

	while (!opener->stop) {
		if (!vfio_try(&v, &fn))
			continue;
		opener->opened++;
		opener->bare += cfg_get(&v, PASID, 4) != 0x0001001b;
		vfio_close(&v);
	}
	return NULL;
}

void test_rebinding(void)
{
	unsigned int i, failed = 0;
	struct opener opener = { 0 };
	pthread_t thread;
	struct fn fn;

	make_vfs(MANY, 1);
	fn = fresh(MANY, 0);
	turn_to(&fn, "pasid_offset", PASID);
	pthread_create(&thread, NULL, open_again, &opener);
	for (i = 0; i < 1000; i++) {
		put(fn.addr, "devices/%s/driver/unbind", fn.addr);
		put(fn.addr, "drivers_probe");
		failed += !knob_is(&fn, "pasid_offset", "0x1c0");
		if (i % 50 == 0)
			usleep(20000); /* the other one's turn */
	}
	opener.stop = true;
	pthread_join(thread, NULL);
	same(failed, 0, "bound a thousand times, it has its knob each time");
	ok(opener.opened && !opener.bare, "and was opened %u times, %u of them without PASID",
	   opener.opened, opener.bare);
}

/* Writes in this order to one VF each; what fails changes nothing. */
struct attempt {
	unsigned int domain;
	int vf;
	const char *attr, *text;
	int ret;
};

static const struct attempt attempts[] = {
	{ NIC, 0, "pasid_offset", "junk", -EINVAL },
	{ NIC, 0, "pasid_offset", "", 0 }, /* nothing is written */
	{ NIC, 0, "pasid_offset", "-4", -EINVAL },
	{ NIC, 0, "pasid_offset", "0x10000000200", -EINVAL },
	{ NIC, 0, "pasid_offset", "0x202", -EINVAL },
	{ NIC, 0, "pasid_offset", "0xfc", -EINVAL },
	{ NIC, 0, "pasid_offset", "0x1000", -EINVAL },
	{ NIC, 0, "pasid_offset", "0xffc", -EINVAL },
	{ NIC, 0, "pri_offset", "0xff4", -EINVAL },
	{ NIC, 0, "pasid_offset", "0x104", -EINVAL }, /* AER */
	{ NIC, 0, "pasid_offset", "0x12c", -EINVAL }, /* AER, what it may have */
	{ NIC, 0, "pasid_offset", "0x154", -EINVAL }, /* ARI */
	{ NIC, 0, "pri_offset", "0x144", -EINVAL }, /* ends in ARI */
	{ NIC, 0, "pasid_offset", "0xff8", 0 },
	{ NIC, 0, "pasid_offset", "512", 0 },
	{ NIC, 0, "pri_offset", "0x200", -EINVAL },
	{ NIC, 0, "pri_offset", "0x204", -EINVAL },
	{ NIC, 0, "pri_offset", "0x1f4", -EINVAL },
	{ NIC, 0, "pri_offset", "0x1f0", 0 },
	{ NIC, 0, "pasid_offset", "0x1fc", -EINVAL },
	{ NIC, 0, "pri_offset", "0x208\n", 0 },
	{ NIC, 0, "pasid_offset", "0x210", -EINVAL },
	{ NIC, 0, "pri_offset", "0", 0 },
	{ NIC, 0, "pasid_offset", "0x210", 0 },
	{ NIC, 0, "pasid_width", "many", -EINVAL },
	{ NIC, 0, "pasid_width", "-1", -EINVAL },
	{ NIC, 0, "pasid_width", "21", -ERANGE },
	{ NIC, 0, "pasid_width", "277", -ERANGE },
	{ NIC, 0, "pasid_width", "20", 0 },
	{ NIC, 0, "pasid_width", "1", 0 },
	{ NIC, 0, "pasid_width", "0", 0 },
	{ NIC, 1, "pasid_width", "21", -ERANGE }, /* with PASID off, too */
	{ BARE, 0, "pasid_offset", "0x200", -EOPNOTSUPP },
	{ BARE, 0, "pasid_width", "1", -EOPNOTSUPP },
	{ BARE, 0, "pri_offset", "0x200", -EOPNOTSUPP },
	{ OFF, 0, "pri_offset", "0x200", -EOPNOTSUPP },
	{ OFF, 0, "pasid_offset", "0x200", 0 }, /* off now is no error */
	{ CHAINS, 0, "pasid_offset", "0x104", -EINVAL }, /* empty: the first one is the head */
	{ CHAINS, 0, "pri_offset", "0x110", -EINVAL },
	{ CHAINS, 0, "pri_offset", "0x100", 0 },
	{ CHAINS, 0, "pasid_offset", "0x110", 0 },
	{ CHAINS, 0, "pri_offset", "0", -EINVAL },
	{ CHAINS, 0, "pri_offset", "0x120", -EINVAL },
	{ CHAINS, 0, "pasid_offset", "0", 0 },
	{ CHAINS, 0, "pri_offset", "0", 0 },
	{ CHAINS, 0, "pasid_offset", "0x100", 0 },
	{ CHAINS, 0, "pri_offset", "0x108", 0 },
	{ CHAINS, 0, "pasid_offset", "0", -EINVAL },
	{ CHAINS, 1, "pasid_offset", "0x200", -EINVAL }, /* all ones is empty, too */
	{ CHAINS, 1, "pasid_offset", "0x100", 0 },
	{ CHAINS, 2, "pasid_offset", "0x100", -EINVAL }, /* hidden, but there */
	{ CHAINS, 7, "pasid_offset", "0x200", -EINVAL }, /* it has its own */
	{ CHAINS, 7, "pri_offset", "0x200", 0 },
	{ CHAINS, 8, "pasid_offset", "0x200", -EINVAL }, /* a loop */
	{ CHAINS, 9, "pasid_offset", "0x200", 0 }, /* a register there: the tool's to judge */
	{ CHAINS, 10, "pasid_offset", "0xff0", 0 },
	{ CHAINS, 10, "pasid_offset", "0xff4", -EINVAL },
	{ CHAINS, 11, "pasid_offset", "0x104", -EINVAL }, /* too close to the Null capability */
	{ CHAINS, 11, "pasid_offset", "0x108", 0 },
};

void test_knob(void)
{
	const struct attempt *a;
	char before[128], after[128];
	int ret;

	for (a = attempts; a < attempts + N(attempts); a++) {
		struct fn fn = fn_of(a->domain, a->vf);

		if (a == attempts || a->domain != a[-1].domain || a->vf != a[-1].vf)
			fresh(a->domain, a->vf);
		get(before, "devices/%s/vfcap/%s", fn.addr, a->attr);
		ret = turn(&fn, a->attr, a->text);
		same(ret, a->ret, "%s %s: %.*s", fn.addr, a->attr, (int)strcspn(a->text, "\n"),
		     a->text);
		get(after, "devices/%s/vfcap/%s", fn.addr, a->attr);
		if (a->ret && strcmp(before, after))
			ok(false, "and it stays %s (now %s)", before, after);
		if (!a->ret && *a->text && strtoul(after, NULL, 0) != strtoul(a->text, NULL, 0))
			ok(false, "and it is taken (now %s)", after);
	}
}

void test_unreadable(void)
{
	struct fn vf = fresh(NIC, 1), pf = fn_of(NIC, PF);
	uint8_t ones[CFG], kept[CFG];

	memset(ones, 0xff, CFG);
	read_image(&vf, kept);
	poke_image(&vf, 0, ones, CFG);
	same(turn(&vf, "pasid_offset", "0x200"), -EIO, "a VF that does not answer");
	ok(knob_is(&vf, "pasid_offset", "0"), "changes nothing");
	poke_image(&vf, 0, kept, CFG);
	read_image(&pf, kept);
	poke_image(&pf, 0, ones, CFG);
	same(turn(&vf, "pasid_offset", "0x200"), -EIO, "a PF that does not answer");
	same(turn(&vf, "pasid_width", "3"), -EIO, "nor tells its width");
	poke_image(&pf, 0, kept, CFG);
	same(turn(&vf, "pasid_offset", "0x200"), 0, "both answer again");
}
