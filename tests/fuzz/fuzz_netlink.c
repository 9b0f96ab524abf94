// SPDX-License-Identifier: GPL-2.0-or-later
/* Any bytes as what the kernel tells of network interfaces and devices, and as what a capture keeps of that: nothing
 * else is read, and what is taken is possible. The first byte says as what. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/host/watch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define VFS 5
#define VLAN_MOST 4095

static void check_info(const struct vfcap_vfinfo *info)
{
	for (size_t i = 0; i < VFS; i++) {
		assert(info[i].vlan <= VLAN_MOST);
		for (size_t s = 0; s < VFCAP_VF_SWITCHES; s++)
			assert(info[i].told[s] <= (s == VFCAP_VF_LINK ? 3 : 2));
	}
}

static void attributes(const void *bytes, size_t size)
{
	struct vfcap_vfinfo info[VFS + 1] = { 0 };
	static const struct vfcap_vfinfo untouched;

	assert(vfcap_netlink_parse(bytes, size, info, VFS) <= size / 4);
	check_info(info);
	assert(memcmp(&info[VFS], &untouched, sizeof(untouched)) == 0);
}

static void found(void *arg, const char *netdev)
{
	assert(*netdev && strlen(netdev) < *(size_t *)arg);
}

static void messages(const void *bytes, size_t size)
{
	vfcap_links_parse(bytes, size, found, &size);
	assert(vfcap_link_parse(bytes, size, 7) <= VFCAP_LINK_GONE);
}

static void uevent(const void *bytes, size_t size)
{
	struct vfcap_uevent event;

	if (!vfcap_uevent_parse(bytes, size, &event))
		return;
	assert(event.action != VFCAP_ACTION_OTHER && event.action <= VFCAP_ACTION_CHANGE);
	assert(!event.driver[0] || vfcap_driver_name_ok(event.driver));
}

static struct vfcap_function *add(struct vfcap_host *h, unsigned int devfn,
				  struct vfcap_function *pf)
{
	struct vfcap_address a = { .bus = 1, .devfn = (uint8_t)devfn };
	struct vfcap_function *fn = vfcap_host_add(h, a);

	assert(fn);
	fn->pf = pf;
	fn->vf_index = pf ? (int)devfn - 1 : -1;
	return fn;
}

/* Lines of "ADDRESS MAC VLAN PROTOCOL TRUST SPOOFCHK LINK". */
static void capture(const uint8_t *bytes, size_t size)
{
	struct vfcap_host h = { 0 };
	struct vfcap_function *pf = add(&h, 0, NULL);
	struct vfcap_vfinfo info[VFS] = { 0 };
	char *text = strndup((const char *)bytes, size), *rest = text, *line;

	for (unsigned int i = 0; i < VFS + 1; i++)
		add(&h, 1 + i, pf);
	assert(vfcap_host_sort(&h) == 0 && text);
	while ((line = vfcap_line_next(&rest)))
		vfcap_netlink_take_line(line, pf, info, VFS);
	check_info(info);
	free(text);
	vfcap_host_clear(&h);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *bytes = malloc(size > 1 ? size - 1 : 1); /* aligned, and its end is watched */

	assert(bytes);
	if (size)
		memcpy(bytes, data + 1, size - 1);
	switch (size ? data[0] % 4 : 4) {
	case 0:
		attributes(bytes, size - 1);
		break;
	case 1:
		messages(bytes, size - 1);
		break;
	case 2:
		uevent(bytes, size - 1);
		break;
	case 3:
		capture(bytes, size - 1);
		break;
	}
	free(bytes);
	return 0;
}
