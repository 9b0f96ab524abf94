// SPDX-License-Identifier: GPL-2.0-or-later
/* What the kernel configures for VFs through their PF's netdev: rtnetlink's IFLA_VFINFO_LIST. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <stdlib.h>
#include <string.h>

#include "capture.h"
#include "watch.h"

#define VLAN_MOST 4095
#define LIST_SURE 128 /* VFs whose list is not too long for its length, whatever is told of each */

/* The answers for one PF. */
struct vfcap_netlink {
	struct vfcap_netlink *next;
	const struct vfcap_function *pf;
	size_t n; /* by VF index */
	struct vfcap_vfinfo *info;
	int err; /* -errno: they could not be had */
};

static void cleanup_socket(struct nl_sock **sk)
{
	nl_socket_free(*sk);
}

static void cleanup_message(struct nl_msg **msg)
{
	nlmsg_free(*msg);
}

/* ------------------------------------------------------------------------------------ parser -- */

/* Copied out: attributes are aligned to 4 bytes only, and may be shorter than this header's
 * structures. */
static bool payload(struct nlattr *attr, void *to, size_t size)
{
	if (nla_len(attr) < (int)size)
		return false;
	memcpy(to, nla_data(attr), size);
	return true;
}

static void parse_mac(struct nlattr *attr, struct vfcap_vfinfo *info, size_t n)
{
	static const uint8_t unset[sizeof(info->mac)];
	struct ifla_vf_mac mac;

	if (!payload(attr, &mac, sizeof(mac)) || mac.vf >= n)
		return;
	memcpy(info[mac.vf].mac, mac.mac, sizeof(unset));
	info[mac.vf].has_mac = memcmp(mac.mac, unset, sizeof(unset)) != 0;
}

/* 0 and 1 are answers; drivers that have none leave all ones. */
static void parse_switch(struct nlattr *attr, enum vfcap_vf_switch which, struct vfcap_vfinfo *info,
			 size_t n)
{
	struct ifla_vf_spoofchk val; /* as IFLA_VF_TRUST and IFLA_VF_LINK_STATE */

	if (!payload(attr, &val, sizeof(val)) || val.vf >= n)
		return;
	if (val.setting <= (which == VFCAP_VF_LINK ? IFLA_VF_LINK_STATE_DISABLE : 1))
		info[val.vf].told[which] = (uint8_t)(val.setting + 1);
}

/* Who knows the list of VLANs tells the outer one's protocol by it, and the other attribute the same VLAN. */
static void parse_vlan(struct nlattr *attr, struct vfcap_vfinfo *info, size_t n)
{
	struct ifla_vf_vlan vlan;

	if (!payload(attr, &vlan, sizeof(vlan)) || vlan.vf >= n || vlan.vlan > VLAN_MOST)
		return;
	info[vlan.vf].vlan = (uint16_t)vlan.vlan;
	info[vlan.vf].has_vlan = true;
}

static void parse_vlan_list(struct nlattr *attr, struct vfcap_vfinfo *info, size_t n)
{
	struct nlattr *first = nla_find(nla_data(attr), nla_len(attr), IFLA_VF_VLAN_INFO);
	struct ifla_vf_vlan_info vlan;

	if (!first || !payload(first, &vlan, sizeof(vlan)) || vlan.vf >= n || vlan.vlan > VLAN_MOST)
		return;
	info[vlan.vf].vlan = (uint16_t)vlan.vlan;
	info[vlan.vf].has_vlan = true;
	info[vlan.vf].vlan_stag = vlan.vlan_proto == htons(ETH_P_8021AD);
}

static void parse_vf(struct nlattr *vf, struct vfcap_vfinfo *info, size_t n)
{
	struct nlattr *attr;
	int rem;

	nla_for_each_nested(attr, vf, rem) {
		switch (nla_type(attr)) {
		case IFLA_VF_MAC:
			parse_mac(attr, info, n);
			break;
		case IFLA_VF_VLAN:
			parse_vlan(attr, info, n);
			break;
		case IFLA_VF_VLAN_LIST:
			parse_vlan_list(attr, info, n);
			break;
		case IFLA_VF_TRUST:
			parse_switch(attr, VFCAP_VF_TRUST, info, n);
			break;
		case IFLA_VF_SPOOFCHK:
			parse_switch(attr, VFCAP_VF_SPOOFCHK, info, n);
			break;
		case IFLA_VF_LINK_STATE:
			parse_switch(attr, VFCAP_VF_LINK, info, n);
			break;
		}
	}
}

/*
 * How many bytes the list has. It holds some 280 VFs; of more, its length overflows its 16 bits, while
 * that of the message says where all of them end: with the count that comes before the list, or with what
 * is no VF (from 7.3 on the kernel counts all of them and tells of 256).
 */
static int list_len(const void *attrs, size_t len, struct nlattr *list)
{
	struct nlattr *count = nla_find(attrs, (int)len, IFLA_NUM_VF);

	if (!count || nla_len(count) < (int)sizeof(uint32_t) || nla_get_u32(count) <= LIST_SURE)
		return nla_len(list);
	return (int)((const char *)attrs + len - (const char *)nla_data(list));
}

size_t vfcap_netlink_parse(const void *attrs, size_t len, struct vfcap_vfinfo *info, size_t n)
{
	struct nlattr *list = nla_find(attrs, (int)len, IFLA_VFINFO_LIST);
	struct nlattr *count = nla_find(attrs, (int)len, IFLA_NUM_VF), *vf;
	size_t seen = 0, most = SIZE_MAX;
	int rem;

	if (!list)
		return 0;
	if (count && nla_len(count) >= (int)sizeof(uint32_t))
		most = nla_get_u32(count);
	nla_for_each_attr(vf, (struct nlattr *)nla_data(list), list_len(attrs, len, list), rem)
	{
		if (seen == most || nla_type(vf) != IFLA_VF_INFO)
			break;
		seen++;
		parse_vf(vf, info, n);
	}
	return seen;
}

/* ----------------------------------------------------------------------------------- request -- */

/* Without statistics: with them the list of some 250 VFs does not fit the 16 bits of an
 * attribute's length. */
static int ask(struct nl_sock *sk, const char *netdev)
{
	const struct ifinfomsg any = { .ifi_family = AF_UNSPEC };
	VFCAP_CLEANUP(cleanup_message) struct nl_msg *msg = nlmsg_alloc_simple(RTM_GETLINK, 0);

	if (!msg || nlmsg_append(msg, (void *)&any, sizeof(any), NLMSG_ALIGNTO) ||
	    nla_put_string(msg, IFLA_IFNAME, netdev) ||
	    nla_put_u32(msg, IFLA_EXT_MASK, RTEXT_FILTER_VF | RTEXT_FILTER_SKIP_STATS))
		return -ENOMEM;
	return nl_send_auto(sk, msg) < 0 ? -EIO : 0;
}

/* How many VFs the answer speaks of; -errno: what the kernel says instead. */
static int take_answer(struct nl_sock *sk, struct vfcap_vfinfo *info, size_t n)
{
	cleanup_free unsigned char *buf = NULL;
	struct sockaddr_nl from;
	int len = nl_recv(sk, &from, &buf, NULL), err = len < 0 ? -EIO : 0;
	size_t seen = 0;

	for (struct nlmsghdr *nlh = (void *)buf; len > 0 && nlmsg_ok(nlh, len);
	     nlh = nlmsg_next(nlh, &len)) {
		if (nlh->nlmsg_type == NLMSG_ERROR && nlmsg_valid_hdr(nlh, sizeof(struct nlmsgerr)))
			err = ((struct nlmsgerr *)nlmsg_data(nlh))->error;
		if (nlh->nlmsg_type == RTM_NEWLINK &&
		    nlmsg_valid_hdr(nlh, sizeof(struct ifinfomsg)))
			seen += vfcap_netlink_parse(
				nlmsg_attrdata(nlh, sizeof(struct ifinfomsg)),
				(size_t)nlmsg_attrlen(nlh, sizeof(struct ifinfomsg)), info, n);
	}
	return err < 0 ? err : (int)seen;
}

/* A netdev that went, and a sandbox without rtnetlink, are no failures. */
static bool is_absence(int err)
{
	switch (err) {
	case -ENODEV:
	case -EPERM:
	case -EACCES:
	case -EAFNOSUPPORT:
	case -EPROTONOSUPPORT:
	case -EOPNOTSUPP:
		return true;
	default:
		return false;
	}
}

int vfcap_netlink_ask(const char *netdev, struct vfcap_vfinfo *info, size_t n)
{
	VFCAP_CLEANUP(cleanup_socket) struct nl_sock *sk = nl_socket_alloc();
	int ret;

	if (!sk)
		return -ENOMEM;
	errno = 0;
	if (nl_connect(sk, NETLINK_ROUTE) < 0)
		ret = errno ? -errno : -EIO;
	else {
		nl_socket_disable_auto_ack(sk);
		nl_socket_enable_msg_peek(sk);
		ret = ask(sk, netdev);
		if (!ret)
			ret = take_answer(sk, info, n);
	}
	return is_absence(ret) ? -ENOENT : ret;
}

/* ----------------------------------------------------------------------------------- capture -- */

/* "ADDRESS MAC VLAN PROTOCOL TRUST SPOOFCHK LINK", "-" for what is not known. */
void vfcap_vfinfo_print(FILE *out, const struct vfcap_function *vf, const struct vfcap_vfinfo *info)
{
	static const struct vfcap_vfinfo nothing;
	const uint8_t *m = info->mac;

	if (memcmp(info->told, nothing.told, sizeof(info->told)) == 0 && !info->has_mac &&
	    !info->has_vlan)
		return;
	fprintf(out, "%s ", vf->name);
	if (info->has_mac)
		fprintf(out, "%02x:%02x:%02x:%02x:%02x:%02x ", m[0], m[1], m[2], m[3], m[4], m[5]);
	else
		fputs("- ", out);
	if (info->has_vlan)
		fprintf(out, "%u %s", info->vlan, info->vlan_stag ? "802.1ad" : "802.1Q");
	else
		fputs("- -", out);
	for (size_t i = 0; i < VFCAP_VF_SWITCHES; i++)
		if (info->told[i])
			fprintf(out, " %u", info->told[i] - 1u);
		else
			fputs(" -", out);
	fputc('\n', out);
}

/* Lines that are not understood say nothing. */
void vfcap_netlink_take_line(const char *line, const struct vfcap_function *pf,
			     struct vfcap_vfinfo *info, size_t n)
{
	char mac[24], vlan[8], proto[12], told[VFCAP_VF_SWITCHES][4], after[2];
	struct vfcap_vfinfo taken = { 0 };
	const struct vfcap_function *vf;
	struct vfcap_address a;
	size_t len = vfcap_address_parse(line, &a);
	uint8_t *m = taken.mac;

	if (!len || line[len] != ' ' ||
	    sscanf(line + len, "%23s %7s %11s %3s %3s %3s", mac, vlan, proto, told[0], told[1],
		   told[2]) != 6)
		return;
	vf = vfcap_host_find(pf->host, a);
	if (!vf || vf->pf != pf || vf->vf_index < 0 || (size_t)vf->vf_index >= n)
		return;
	taken.has_mac = sscanf(mac, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%1s", m, m + 1, m + 2,
			       m + 3, m + 4, m + 5, after) == 6;
	taken.has_vlan =
		sscanf(vlan, "%4hu%1s", &taken.vlan, after) == 1 && taken.vlan <= VLAN_MOST;
	if (!taken.has_vlan)
		taken.vlan = 0;
	taken.vlan_stag = strcmp(proto, "802.1ad") == 0;
	for (size_t i = 0; i < VFCAP_VF_SWITCHES; i++)
		if (told[i][0] >= '0' && told[i][0] <= (i == VFCAP_VF_LINK ? '2' : '1'))
			taken.told[i] = (uint8_t)(told[i][0] - '0' + 1);
	info[vf->vf_index] = taken;
}

static int read_capture(const struct vfcap_function *pf, struct vfcap_vfinfo *info, size_t n)
{
	cleanup_free char *text = NULL;
	char *rest, *line;
	size_t len;
	int err =
		vfcap_root_load(pf->host->root, VFCAP_CAPTURE_VFINFO, VFCAP_TEXT_MOST, &text, &len);

	rest = text;
	while ((line = vfcap_line_next(&rest)))
		vfcap_netlink_take_line(line, pf, info, n);
	return err;
}

/* ------------------------------------------------------------------------------------- cache -- */

static size_t highest_index(const struct vfcap_function *pf)
{
	size_t n = 0;

	for (size_t i = 0; i < pf->n_vf; i++)
		if (pf->vf[i]->vf_index >= 0 && (size_t)pf->vf[i]->vf_index >= n)
			n = (size_t)pf->vf[i]->vf_index + 1;
	return n;
}

/* What the kernel does not answer is kept as the reader keeps its errors. */
static int ask_netdevs(const struct vfcap_function *pf, struct vfcap_vfinfo *info, size_t n)
{
	int seen = 0;

	for (size_t i = 0; i < pf->n_netdev && (!seen || seen == -ENOENT); i++) {
		char object[64];

		seen = vfcap_netlink_ask(pf->netdev[i], info, n);
		snprintf(object, sizeof(object), "rtnetlink: %.32s", pf->netdev[i]);
		if (seen < 0 && seen != -ENOENT && pf->host->root)
			vfcap_root_keep_failure(pf->host->root, object, seen);
	}
	return seen < 0 ? seen : 0;
}

static struct vfcap_netlink *answers(const struct vfcap_function *pf)
{
	struct vfcap_netlink *nl;

	for (nl = pf->host->netlink; nl; nl = nl->next)
		if (nl->pf == pf)
			return nl;
	nl = calloc(1, sizeof(*nl));
	if (!nl)
		return NULL;
	nl->pf = pf;
	nl->n = highest_index(pf);
	nl->info = calloc(nl->n + 1, sizeof(*nl->info));
	nl->next = pf->host->netlink;
	pf->host->netlink = nl;
	if (!nl->info)
		nl->err = -ENOMEM;
	else if (pf->host->live)
		nl->err = ask_netdevs(pf, nl->info, nl->n);
	else
		nl->err = read_capture(pf, nl->info, nl->n);
	if (nl->err == -ENOENT || nl->err == -EACCES)
		nl->err = 0;
	return nl;
}

int vfcap_netlink_vf(struct vfcap_function *vf, struct vfcap_vfinfo *info)
{
	struct vfcap_netlink *nl;

	memset(info, 0, sizeof(*info));
	if ((!vf->host->live && !vf->host->root) || !vf->pf || vf->vf_index < 0 ||
	    !vf->pf->n_netdev)
		return 0;
	nl = answers(vf->pf);
	if (!nl || nl->err)
		return nl ? nl->err : -ENOMEM;
	if ((size_t)vf->vf_index < nl->n)
		*info = nl->info[vf->vf_index];
	return 0;
}

void vfcap_netlink_free(struct vfcap_host *h)
{
	while (h->netlink) {
		struct vfcap_netlink *next = h->netlink->next;

		free(h->netlink->info);
		free(h->netlink);
		h->netlink = next;
	}
}
