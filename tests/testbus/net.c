// SPDX-License-Identifier: GPL-2.0-or-later
/* A network interface of a PF, for what the kernel keeps for VFs; it carries no packets. */
#include <linux/etherdevice.h>
#include <linux/if_link.h>
#include <linux/netdevice.h>
#include <linux/slab.h>

#include "testbus.h"

struct vf {
	u8 mac[ETH_ALEN], qos;
	u16 vlan;
	__be16 proto;
	bool spoofchk, trusted;
	u32 link;
};

struct port {
	struct vf *vf;
	unsigned int n;
};

static struct vf *get_vf(struct net_device *dev, int index)
{
	struct port *port = netdev_priv(dev);

	return index >= 0 && index < port->n ? &port->vf[index] : NULL;
}

static int set_mac(struct net_device *dev, int index, u8 *mac)
{
	struct vf *vf = get_vf(dev, index);

	if (!vf)
		return -EINVAL;
	ether_addr_copy(vf->mac, mac);
	return 0;
}

static int set_vlan(struct net_device *dev, int index, u16 vlan, u8 qos, __be16 proto)
{
	struct vf *vf = get_vf(dev, index);

	if (!vf)
		return -EINVAL;
	vf->vlan = vlan;
	vf->qos = qos;
	vf->proto = proto;
	return 0;
}

static int set_spoofchk(struct net_device *dev, int index, bool on)
{
	struct vf *vf = get_vf(dev, index);

	if (!vf)
		return -EINVAL;
	vf->spoofchk = on;
	return 0;
}

static int set_trust(struct net_device *dev, int index, bool on)
{
	struct vf *vf = get_vf(dev, index);

	if (!vf)
		return -EINVAL;
	vf->trusted = on;
	return 0;
}

static int set_link(struct net_device *dev, int index, int state)
{
	struct vf *vf = get_vf(dev, index);

	if (!vf)
		return -EINVAL;
	vf->link = state;
	return 0;
}

static int get_config(struct net_device *dev, int index, struct ifla_vf_info *info)
{
	const struct vf *vf = get_vf(dev, index);

	if (!vf)
		return -EINVAL;
	info->vf = index;
	ether_addr_copy(info->mac, vf->mac);
	info->vlan = vf->vlan;
	info->qos = vf->qos;
	info->vlan_proto = vf->proto;
	info->spoofchk = vf->spoofchk;
	info->trusted = vf->trusted;
	info->linkstate = vf->link;
	return 0;
}

static netdev_tx_t xmit(struct sk_buff *skb, struct net_device *dev)
{
	dev_kfree_skb_any(skb);
	return NETDEV_TX_OK;
}

static const struct net_device_ops ops = {
	.ndo_start_xmit = xmit,
	.ndo_set_vf_mac = set_mac,
	.ndo_set_vf_vlan = set_vlan,
	.ndo_set_vf_spoofchk = set_spoofchk,
	.ndo_set_vf_trust = set_trust,
	.ndo_set_vf_link_state = set_link,
	.ndo_get_vf_config = get_config,
};

static void setup(struct net_device *dev)
{
	ether_setup(dev);
	dev->netdev_ops = &ops;
	eth_hw_addr_random(dev);
}

struct net_device *testbus_net_add(struct device *pf, unsigned int n)
{
	struct net_device *dev;
	struct port *port;
	unsigned int i;
	int ret = -ENOMEM;

	dev = alloc_netdev(sizeof(*port), "tb%d", NET_NAME_ENUM, setup);
	if (!dev)
		return ERR_PTR(-ENOMEM);
	port = netdev_priv(dev);
	port->n = n;
	port->vf = kvcalloc(n, sizeof(*port->vf), GFP_KERNEL);
	for (i = 0; port->vf && i < n; i++)
		port->vf[i].proto = htons(ETH_P_8021Q);
	SET_NETDEV_DEV(dev, pf);
	if (port->vf)
		ret = register_netdev(dev);
	if (!ret)
		return dev;
	kvfree(port->vf);
	free_netdev(dev);
	return ERR_PTR(ret);
}

void testbus_net_remove(struct net_device *dev)
{
	struct port *port = netdev_priv(dev);

	unregister_netdev(dev);
	kvfree(port->vf);
	free_netdev(dev);
}
