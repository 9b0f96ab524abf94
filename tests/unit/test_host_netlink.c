// SPDX-License-Identifier: GPL-2.0-or-later
/* The kernel's list of VFs, as libnl builds it, and the request as far as any machine can answer
 * it. */
#include "unit.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

#include "../../src/host/host.h"

static const uint8_t mac_of_1[6] = { 0x02, 0, 0, 0, 0, 0x11 };

static void put_vf(struct nl_msg *msg, unsigned int index, const uint8_t mac[6], unsigned int vlan)
{
	struct nlattr *vf = nla_nest_start(msg, IFLA_VF_INFO);
	struct ifla_vf_mac m = { .vf = index };
	struct ifla_vf_vlan v = { .vf = index, .vlan = vlan };

	assert_non_null(vf);
	memcpy(m.mac, mac, 6);
	assert_int_equal(nla_put(msg, IFLA_VF_MAC, sizeof(m), &m), 0);
	assert_int_equal(nla_put(msg, IFLA_VF_VLAN, sizeof(v), &v), 0);
	nla_nest_end(msg, vf);
}

static void put_switch(struct nl_msg *msg, int type, unsigned int index, uint32_t setting)
{
	struct ifla_vf_trust t = { .vf = index, .setting = setting };

	assert_int_equal(nla_put(msg, type, sizeof(t), &t), 0);
}

static size_t parse(struct nl_msg *msg, struct vfcap_vfinfo *info, size_t n)
{
	return vfcap_netlink_parse(nlmsg_attrdata(nlmsg_hdr(msg), 0),
				   (size_t)nlmsg_attrlen(nlmsg_hdr(msg), 0), info, n);
}

static void test_list(void **state)
{
	static const uint8_t none[6];
	struct nl_msg *msg = nlmsg_alloc_simple(0, 0);
	struct vfcap_vfinfo info[3] = { 0 };
	struct nlattr *list;

	(void)state;
	assert_int_equal(nla_put_string(msg, IFLA_IFNAME, "ens1f0"), 0);
	list = nla_nest_start(msg, IFLA_VFINFO_LIST);
	put_vf(msg, 0, none, 0);
	put_vf(msg, 1, mac_of_1, 100);
	put_vf(msg, 7, mac_of_1, 5); /* not asked for */
	put_vf(msg, 2, none, 4096); /* no such VLAN */
	nla_nest_end(msg, list);
	assert_int_equal(parse(msg, info, 3), 4);
	assert_false(info[0].has_mac);
	assert_true(info[0].has_vlan);
	assert_int_equal(info[0].vlan, 0);
	assert_true(info[1].has_mac);
	assert_memory_equal(info[1].mac, mac_of_1, 6);
	assert_int_equal(info[1].vlan, 100);
	assert_false(info[2].has_vlan);
	nlmsg_free(msg);
}

/* What a driver does not tell the kernel fills with ones; what is beyond what is known is not known. */
static void test_switches(void **state)
{
	static const struct {
		uint32_t trust, spoofchk, link;
		uint8_t told[VFCAP_VF_SWITCHES];
	} vfs[] = {
		{ 0, 1, IFLA_VF_LINK_STATE_AUTO, { 1, 2, 1 } },
		{ 1, 0, IFLA_VF_LINK_STATE_ENABLE, { 2, 1, 2 } },
		{ ~0U, ~0U, IFLA_VF_LINK_STATE_DISABLE, { 0, 0, 3 } },
		{ 2, 255, 3, { 0, 0, 0 } },
	};
	struct nl_msg *msg = nlmsg_alloc_simple(0, 0);
	struct nlattr *list = nla_nest_start(msg, IFLA_VFINFO_LIST);
	struct vfcap_vfinfo info[4] = { 0 };

	(void)state;
	for (unsigned int i = 0; i < 4; i++) {
		struct nlattr *vf = nla_nest_start(msg, IFLA_VF_INFO);

		put_switch(msg, IFLA_VF_SPOOFCHK, i, vfs[i].spoofchk);
		put_switch(msg, IFLA_VF_LINK_STATE, i, vfs[i].link);
		put_switch(msg, IFLA_VF_TRUST, i, vfs[i].trust);
		put_switch(msg, IFLA_VF_TRUST, 4, 1); /* not asked for */
		nla_nest_end(msg, vf);
	}
	nla_nest_end(msg, list);
	assert_int_equal(parse(msg, info, 4), 4);
	for (size_t i = 0; i < 4; i++)
		assert_memory_equal(info[i].told, vfs[i].told, sizeof(info[i].told));
	nlmsg_free(msg);
}

static void test_vlan_list(void **state)
{
	struct nl_msg *msg = nlmsg_alloc_simple(0, 0);
	struct nlattr *list = nla_nest_start(msg, IFLA_VFINFO_LIST);
	struct ifla_vf_vlan_info v = { .vlan = 300, .vlan_proto = htons(ETH_P_8021AD) };
	struct vfcap_vfinfo info[2] = { 0 };

	(void)state;
	for (v.vf = 0; v.vf < 2; v.vf++) {
		struct nlattr *vf = nla_nest_start(msg, IFLA_VF_INFO);
		struct nlattr *vlans = nla_nest_start(msg, IFLA_VF_VLAN_LIST);

		assert_int_equal(nla_put(msg, IFLA_VF_VLAN_INFO, sizeof(v), &v), 0);
		nla_nest_end(msg, vlans);
		nla_nest_end(msg, vf);
		v.vlan_proto = htons(ETH_P_8021Q);
	}
	nla_nest_end(msg, list);
	assert_int_equal(parse(msg, info, 2), 2);
	for (size_t i = 0; i < 2; i++) {
		assert_true(info[i].has_vlan);
		assert_int_equal(info[i].vlan, 300);
		assert_int_equal(info[i].vlan_stag, i == 0);
	}
	nlmsg_free(msg);
}

/* A message whose kernel counts that many VFs, and a list, not ended, that tells of so many. The caller frees it. */
static struct nl_msg *many(unsigned int count, unsigned int told, struct nlattr **list)
{
	struct nl_msg *msg = nlmsg_alloc_size(1 << 20);

	assert_non_null(nlmsg_put(msg, 0, 0, 0, 0, 0));
	assert_int_equal(nla_put_u32(msg, IFLA_NUM_VF, count), 0);
	*list = nla_nest_start(msg, IFLA_VFINFO_LIST);
	for (unsigned int i = 0; i < told; i++)
		put_vf(msg, i, mac_of_1, i);
	return msg;
}

/* A list of 2000 VFs is longer than its own length can say; what follows it is of the same type. */
static void test_overflow(void **state)
{
	static const uint8_t address[6] = { 2, 2, 2, 2, 2, 2 };
	static struct vfcap_vfinfo info[2001];
	struct nlattr *list;
	struct nl_msg *msg = many(2000, 2000, &list);

	(void)state;
	memset(info, 0, sizeof(info));
	list->nla_len = (uint16_t)((const char *)nlmsg_tail(nlmsg_hdr(msg)) - (const char *)list);
	assert_true(nla_len(list) < 65536);
	assert_int_equal(nla_put(msg, IFLA_ADDRESS, sizeof(address), address), 0);
	assert_int_equal(parse(msg, info, 2001), 2000);
	for (size_t i = 0; i < 2000; i++)
		assert_true(info[i].has_mac && info[i].has_vlan && info[i].vlan == i);
	assert_false(info[2000].has_mac);
	nlmsg_free(msg);
}

/* Linux 7.3 tells of 256 VFs at most, and counts all of them. */
static void test_capped_list(void **state)
{
	static struct vfcap_vfinfo info[600];
	struct nlattr *list;
	struct nl_msg *msg = many(600, 256, &list);

	(void)state;
	memset(info, 0, sizeof(info));
	nla_nest_end(msg, list);
	list = nla_nest_start(msg, IFLA_AF_SPEC);
	put_vf(msg, 300, mac_of_1, 300);
	nla_nest_end(msg, list);
	put_vf(msg, 301, mac_of_1, 301);
	assert_int_equal(parse(msg, info, 600), 256);
	assert_true(info[255].has_mac);
	assert_false(info[300].has_mac || info[301].has_mac);
	nlmsg_free(msg);
}

static void test_short_attributes(void **state)
{
	struct nl_msg *msg = nlmsg_alloc_simple(0, 0);
	struct nlattr *list = nla_nest_start(msg, IFLA_VFINFO_LIST);
	struct nlattr *vf = nla_nest_start(msg, IFLA_VF_INFO);
	struct vfcap_vfinfo info = { 0 };

	(void)state;
	assert_int_equal(nla_put_u32(msg, IFLA_VF_MAC, 0), 0);
	assert_int_equal(nla_put_u32(msg, IFLA_VF_VLAN, 0), 0);
	assert_int_equal(nla_put_u32(msg, IFLA_VF_TRUST, 0), 0);
	assert_int_equal(nla_put_u32(msg, IFLA_VF_VLAN_LIST, 0), 0);
	nla_nest_end(msg, vf);
	assert_int_equal(nla_put_u32(msg, IFLA_VF_INFO + 1, 0), 0);
	nla_nest_end(msg, list);
	assert_int_equal(parse(msg, &info, 1), 1);
	assert_false(info.has_mac);
	assert_false(info.has_vlan);
	assert_int_equal(info.told[VFCAP_VF_TRUST], 0);
	nlmsg_free(msg);
}

static void test_no_list(void **state)
{
	struct nl_msg *msg = nlmsg_alloc_simple(0, 0);
	struct vfcap_vfinfo info = { 0 };

	(void)state;
	assert_int_equal(parse(msg, &info, 1), 0);
	assert_int_equal(nla_put_string(msg, IFLA_IFNAME, "ens1f0"), 0);
	assert_int_equal(parse(msg, &info, 1), 0);
	nlmsg_free(msg);
}

/* "lo" has no VFs and the other no kernel: nothing is known, and that is no error; only a live
 * host is asked. */
static void test_request(void **state)
{
	static const char *const names[] = { "lo", "vfcap-no-such" };
	const struct vfcap_address a = { 0 };

	(void)state;
	for (int live = 0; live < 2; live++)
		for (size_t i = 0; i < 2; i++) {
			struct vfcap_host h = { .live = live };
			struct vfcap_function *pf = vfcap_host_add(&h, a),
					      *vf = vfcap_host_add(&h, a);
			struct vfcap_vfinfo info = { .has_mac = true };

			pf->netdev = calloc(1, sizeof(*pf->netdev));
			pf->netdev[0] = strdup(names[i]);
			pf->n_netdev = 1;
			vf->pf = pf;
			vf->vf_index = 0;
			for (int again = 0; again < 2; again++) {
				assert_int_equal(vfcap_netlink_vf(vf, &info), 0);
				assert_false(info.has_mac);
				assert_false(info.has_vlan);
				assert_int_equal(h.netlink != NULL, live);
			}
			vfcap_host_clear(&h);
			vfcap_netlink_free(&h);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_switches),
		cmocka_unit_test(test_vlan_list),
		cmocka_unit_test(test_overflow),
		cmocka_unit_test(test_capped_list),
		cmocka_unit_test(test_short_attributes),
		cmocka_unit_test(test_no_list),
		cmocka_unit_test(test_request),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
