// SPDX-License-Identifier: GPL-2.0-or-later
/* A VF that stock vfio-pci refuses is refused, unless the module is told otherwise. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "vm-test.h"

#define PARAMETER "../../module/vfcap_vfio_pci/parameters/disable_denylist"

/* Loads the module anew. Whatever is bound to its driver is let go. */
static bool reload(const char *parameters)
{
	int fd, ret;

	if (delete_module("vfcap_vfio_pci", NULL))
		return false;
	fd = open("/modules/vfcap_vfio_pci.ko", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	ret = (int)syscall(SYS_finit_module, fd, parameters, 0);
	close(fd);
	return !ret;
}

/* What binding a VF by name says; it has the driver's override. */
static int bind_by_name(const struct fn *fn, const char *driver)
{
	bind_to(fn, driver);
	return put(fn->addr, "drivers/%s/bind", driver);
}

void test_denylist(void)
{
	struct fn vf = fn_of(DENIED, 0), other = fn_of(NIC, 0);
	struct vfio v;
	char buf[128];

	ok(make_vfs(DENIED, 2), "a PF has VFs of 8086:37c9");
	same(bind_by_name(&vf, "vfio-pci"), -EINVAL, "vfio-pci refuses one");
	same(bind_by_name(&vf, DRIVER), -EINVAL, "and so does the driver");
	ok(!bind_to(&vf, DRIVER), "by drivers_probe, too");
	ok(!strcmp(get(buf, PARAMETER), "N"), "disable_denylist is N");
	ok(bind_to(&other, DRIVER), "another VF is bound");

	ok(reload("disable_denylist=1"), "the module is loaded with disable_denylist=1");
	ok(!strcmp(get(buf, PARAMETER), "Y"), "disable_denylist is Y");
	ok(put("N", PARAMETER) < 0 && !strcmp(get(buf, PARAMETER), "Y"),
	   "for as long as it is loaded");
	ok(bind_to(&vf, DRIVER), "the VF is bound");
	same(turn_to(&vf, "pasid_offset", 0x200), 0, "it has a knob");
	ok(vfio_open(&v, &vf), "and can be opened");
	same(cfg_get(&v, 0x200, 2), VFCAP_ID_PASID, "it shows PASID");
	vfio_close(&v);

	ok(reload(""), "the module is loaded without it");
	same(bind_by_name(&vf, DRIVER), -EINVAL, "the VF is refused again");
	bind_to(&vf, NULL);
}
