// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * For tests only: PCI hosts in memory. The parameter "blob" names a file of images of config space, 4096
 * bytes each, as share/mkhost --blob writes them: a PF (it has an SR-IOV capability), then its VFs
 * (vendor ID ffff) by index; then the next PF. Whatever is neither is left out. Each PF is 00:00.0 of a PCI
 * domain of its own, from the parameter "domain" up; the last of its VFs' images stands for all further
 * VFs. VFs answer while VF Enable is set, at the addresses that the SR-IOV capability tells.
 *
 * Under vfcap-testbus/DOMAIN in debugfs, at routing ID * 4096 + offset in config space:
 *	config	reads and changes an image, past every rule and count; ff over all of one makes it vanish
 *	writes	how often each dword was written by config accesses, 32 bits each
 * and there, too:
 *	reads	how many config accesses have read from this bus, as text; can be set
 *	netdev	1: the PF has a network interface that knows its VFs; can be set
 *	noted	what Linux has noted of the PF: bit 0 PASID is on, bit 1 PRI is on; can be set. At first it is what the
 *		registers say, as if the PF's driver had switched them on
 * and beside the domains:
 *	pasids	how many PASIDs of all functions are attached in the IOMMU, as text
 * A change of a VF lasts until VF Enable is cleared. The parameter "delay" is how many ns an access takes;
 * with "iommu" switched off there is no IOMMU.
 */
#include <linux/debugfs.h>
#include <linux/kernel_read_file.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <linux/xarray.h>
#include <asm/pci.h>

#include "../../src/core/core.h"
#include "testbus.h"

#define CFG PCI_CFG_SPACE_EXP_SIZE
#define DWORDS (CFG / 4)

static char *blob;
module_param(blob, charp, 0444);
static int domain = 0xfa00;
module_param(domain, int, 0444);
static uint delay;
module_param(delay, uint, 0644);
static bool iommu = true;
module_param(iommu, bool, 0444);

/* A function that was written to: others are what their image is. */
struct function {
	u8 config[CFG];
	u32 mask[DWORDS]; /* bits that can be written */
	u32 writes[DWORDS];
	const u8 *image; /* what a reset makes of it */
	unsigned int express; /* offset of the PCI Express capability, 0: none */
};

/* A PF and its VFs. */
struct host {
	struct pci_sysdata sysdata;
	struct pci_bus *bus;
	struct resource buses;
	struct xarray functions; /* by routing ID */
	u8 *pf; /* images */
	const u8 *vfs;
	unsigned int n_vfs;
	unsigned int sriov; /* offset in the PF */
	u32 reads;
	struct net_device *net; /* NULL: none; debugfs changes it, with the lock of PCI removal */
	struct list_head list;
};

static DEFINE_SPINLOCK(lock); /* of all config space: the architecture takes none */

/* Callers may hold a raw spinlock, inside of which a real-time kernel could not take this one. */
#ifdef DEFINE_WAIT_OVERRIDE_MAP
static DEFINE_WAIT_OVERRIDE_MAP(no_realtime, LD_WAIT_CONFIG);
#define begin_access() lock_map_acquire_try(&no_realtime)
#define end_access() lock_map_release(&no_realtime)
#else
#define begin_access()
#define end_access()
#endif

static LIST_HEAD(hosts);
static unsigned int n_hosts;
static void *images;
static struct platform_device *parent;
static struct dentry *debug;

static struct host *to_host(struct pci_bus *bus)
{
	return container_of((struct pci_sysdata *)bus->sysdata, struct host, sysdata);
}

/* ------------------------------------------------------------------------------------ functions -- */

static unsigned int find_express(const u8 *image)
{
	unsigned int pos = image[PCI_CAPABILITY_LIST] & 0xfc, left = 48;

	while (pos && left-- && image[pos] != PCI_CAP_ID_EXP)
		pos = image[pos + 1] & 0xfc;
	return pos && image[pos] == PCI_CAP_ID_EXP ? pos : 0;
}

static unsigned int next_ext(const u8 *image, unsigned int pos)
{
	pos = pos ? vfcap_le32(image + pos) >> 20 & 0xffc : PCI_CFG_SPACE_SIZE;
	return pos >= PCI_CFG_SPACE_SIZE ? pos : 0;
}

static unsigned int find_ext(const u8 *image, unsigned int id)
{
	unsigned int pos = 0, left = DWORDS;

	do {
		pos = next_ext(image, pos);
	} while (pos && left-- && vfcap_le16(image + pos) != id);
	return pos && vfcap_le16(image + pos) == id ? pos : 0;
}

/* The registers that hardware lets be written, by what they are in. */
static const struct {
	u16 id, reg;
	u32 mask;
} writable[] = {
	{ PCI_EXT_CAP_ID_ATS, PCI_ATS_CAP, (PCI_ATS_CTRL_ENABLE | 0x1fU) << 16 },
	{ PCI_EXT_CAP_ID_PRI, PCI_PRI_CTRL, PCI_PRI_CTRL_ENABLE },
	{ PCI_EXT_CAP_ID_PRI, PCI_PRI_ALLOC_REQ, U32_MAX },
	{ PCI_EXT_CAP_ID_PASID, PCI_PASID_CAP, 0x7 << 16 },
	{ PCI_EXT_CAP_ID_SRIOV, PCI_SRIOV_CTRL,
	  PCI_SRIOV_CTRL_VFE | PCI_SRIOV_CTRL_MSE | PCI_SRIOV_CTRL_ARI },
	{ PCI_EXT_CAP_ID_SRIOV, PCI_SRIOV_NUM_VF, 0xffff },
	{ PCI_EXT_CAP_ID_SRIOV, PCI_SRIOV_SYS_PGSIZE, U32_MAX },
};

static struct function *new_function(const u8 *image)
{
	struct function *fn = kzalloc(sizeof(*fn), GFP_ATOMIC);
	unsigned int i, pos;

	if (!fn)
		return NULL;
	memcpy(fn->config, image, CFG);
	fn->image = image;
	fn->express = find_express(image);
	fn->mask[PCI_COMMAND / 4] = PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
	fn->mask[PCI_INTERRUPT_LINE / 4] = 0xff;
	if (fn->express)
		fn->mask[(fn->express + PCI_EXP_DEVCTL) / 4] = 0xffff & ~PCI_EXP_DEVCTL_BCR_FLR;
	for (i = 0; i < ARRAY_SIZE(writable); i++) {
		pos = find_ext(image, writable[i].id);
		if (pos)
			fn->mask[(pos + writable[i].reg) / 4] = writable[i].mask;
	}
	return fn;
}

/* The image behind a routing ID; NULL when nothing answers there. */
static const u8 *find_image(struct host *host, unsigned int rid)
{
	struct function *pf = xa_load(&host->functions, 0);
	const u8 *sriov = (pf ? pf->config : host->pf) + host->sriov;
	unsigned int first = vfcap_le16(sriov + PCI_SRIOV_VF_OFFSET);
	unsigned int stride = vfcap_le16(sriov + PCI_SRIOV_VF_STRIDE);
	unsigned int index;

	if (!rid)
		return host->pf;
	if (!(sriov[PCI_SRIOV_CTRL] & PCI_SRIOV_CTRL_VFE) || !stride || rid < first ||
	    (rid - first) % stride)
		return NULL;
	index = (rid - first) / stride;
	if (index >= vfcap_le16(sriov + PCI_SRIOV_NUM_VF))
		return NULL;
	return host->vfs + CFG * min(index, host->n_vfs - 1);
}

static struct function *get_function(struct host *host, unsigned int rid)
{
	struct function *fn = xa_load(&host->functions, rid);
	const u8 *image;

	if (fn)
		return fn;
	image = find_image(host, rid);
	fn = image ? new_function(image) : NULL;
	if (fn && xa_err(xa_store(&host->functions, rid, fn, GFP_ATOMIC))) {
		kfree(fn);
		return NULL;
	}
	return fn;
}

static const u8 *get_config(struct host *host, unsigned int rid)
{
	struct function *fn = xa_load(&host->functions, rid);

	return fn ? fn->config : find_image(host, rid);
}

static void forget_functions(struct host *host, unsigned long from)
{
	struct function *fn;
	unsigned long rid;

	xa_for_each_start(&host->functions, rid, fn, from)
	{
		xa_erase(&host->functions, rid);
		kfree(fn);
	}
}

/* --------------------------------------------------------------------------------- config space -- */

static void reset_function(struct function *fn)
{
	unsigned int i;

	for (i = 0; i < DWORDS; i++) {
		u32 now = vfcap_le32(fn->config + 4 * i), then = vfcap_le32(fn->image + 4 * i);

		vfcap_put_le32(fn->config + 4 * i, (now & ~fn->mask[i]) | (then & fn->mask[i]));
	}
}

static void write_function(struct function *fn, int where, int size, u32 val)
{
	unsigned int i, flr = fn->express ? fn->express + PCI_EXP_DEVCTL + 1 : 0;
	bool reset = false;

	fn->writes[where / 4]++;
	for (i = 0; i < size; i++) {
		u8 mask = fn->mask[(where + i) / 4] >> (8 * ((where + i) % 4));
		u8 byte = val >> (8 * i);

		fn->config[where + i] = (fn->config[where + i] & ~mask) | (byte & mask);
		if (flr && where + i == flr && byte & PCI_EXP_DEVCTL_BCR_FLR >> 8)
			reset = true;
	}
	if (reset)
		reset_function(fn);
}

/* By the clock: ndelay() counts loops, and what they take is not known well in a virtual machine. */
static void take_time(void)
{
	u64 end = delay ? ktime_get_ns() + delay : 0;

	while (end && ktime_get_ns() < end)
		cpu_relax();
}

static int bus_read(struct pci_bus *bus, unsigned int devfn, int where, int size, u32 *val)
{
	struct host *host = to_host(bus);
	unsigned long flags;
	const u8 *config;
	int i;

	if (where + size > CFG) /* who follows a chain that leaves config space */
		return PCIBIOS_BAD_REGISTER_NUMBER;
	take_time();
	*val = 0;
	begin_access();
	spin_lock_irqsave(&lock, flags);
	host->reads++;
	config = get_config(host, PCI_DEVID(bus->number, devfn));
	for (i = 0; i < size; i++)
		*val |= (u32)(config ? config[where + i] : 0xff) << (8 * i);
	spin_unlock_irqrestore(&lock, flags);
	end_access();
	return config ? PCIBIOS_SUCCESSFUL : PCIBIOS_DEVICE_NOT_FOUND;
}

static int bus_write(struct pci_bus *bus, unsigned int devfn, int where, int size, u32 val)
{
	struct host *host = to_host(bus);
	unsigned int rid = PCI_DEVID(bus->number, devfn);
	struct function *fn;
	unsigned long flags;

	if (where + size > CFG)
		return PCIBIOS_BAD_REGISTER_NUMBER;
	take_time();
	begin_access();
	spin_lock_irqsave(&lock, flags);
	fn = get_function(host, rid);
	if (fn)
		write_function(fn, where, size, val);
	if (fn && !rid && !(fn->config[host->sriov + PCI_SRIOV_CTRL] & PCI_SRIOV_CTRL_VFE))
		forget_functions(host, 1);
	spin_unlock_irqrestore(&lock, flags);
	end_access();
	return fn ? PCIBIOS_SUCCESSFUL : PCIBIOS_DEVICE_NOT_FOUND;
}

static struct pci_ops bus_ops = { .read = bus_read, .write = bus_write };

/* -------------------------------------------------------------------------------------- debugfs -- */

/* One access of a debugfs file: as much as lies in one function and in this. */
struct chunk {
	u8 bytes[256];
	unsigned int rid, off, len;
};

static void chunk_init(struct chunk *c, size_t count, loff_t pos)
{
	c->rid = pos / CFG;
	c->off = pos % CFG;
	c->len = min3(count, sizeof(c->bytes), (size_t)(CFG - c->off));
}

static ssize_t debug_read(struct file *file, char __user *buf, size_t count, loff_t *ppos,
			  bool writes)
{
	struct host *host = file_inode(file)->i_private;
	struct function *fn;
	const u8 *config;
	struct chunk c;
	unsigned long flags;

	chunk_init(&c, count, *ppos);
	memset(c.bytes, 0, sizeof(c.bytes));
	spin_lock_irqsave(&lock, flags);
	fn = xa_load(&host->functions, c.rid);
	config = get_config(host, c.rid);
	if (config && !writes)
		memcpy(c.bytes, config + c.off, c.len);
	else if (fn)
		memcpy(c.bytes, (u8 *)fn->writes + c.off, c.len);
	spin_unlock_irqrestore(&lock, flags);

	if (!config)
		return 0;
	if (copy_to_user(buf, c.bytes, c.len))
		return -EFAULT;
	*ppos += c.len;
	return c.len;
}

static ssize_t config_read(struct file *file, char __user *buf, size_t count, loff_t *ppos)
{
	return debug_read(file, buf, count, ppos, false);
}

static ssize_t writes_read(struct file *file, char __user *buf, size_t count, loff_t *ppos)
{
	return debug_read(file, buf, count, ppos, true);
}

static ssize_t config_write(struct file *file, const char __user *buf, size_t count, loff_t *ppos)
{
	struct host *host = file_inode(file)->i_private;
	struct function *fn;
	unsigned long flags;
	struct chunk c;

	chunk_init(&c, count, *ppos);
	if (copy_from_user(c.bytes, buf, c.len))
		return -EFAULT;
	spin_lock_irqsave(&lock, flags);
	fn = get_function(host, c.rid);
	if (fn)
		memcpy(fn->config + c.off, c.bytes, c.len);
	spin_unlock_irqrestore(&lock, flags);
	if (!fn)
		return -ENXIO;
	*ppos += c.len;
	return c.len;
}

static const struct file_operations config_fops = {
	.owner = THIS_MODULE,
	.read = config_read,
	.write = config_write,
	.llseek = default_llseek,
};

static const struct file_operations writes_fops = {
	.owner = THIS_MODULE,
	.read = writes_read,
	.llseek = default_llseek,
};

static int netdev_get(void *data, u64 *val)
{
	*val = READ_ONCE(((struct host *)data)->net) != NULL;
	return 0;
}

static int add_netdev(struct host *host)
{
	struct pci_dev *pf = pci_get_slot(host->bus, 0);
	struct net_device *net;

	if (!pf)
		return -ENODEV;
	net = testbus_net_add(&pf->dev, vfcap_le16(host->pf + host->sriov + PCI_SRIOV_TOTAL_VF));
	pci_dev_put(pf);
	if (IS_ERR(net))
		return PTR_ERR(net);
	host->net = net;
	return 0;
}

static void remove_netdev(struct host *host)
{
	if (host->net)
		testbus_net_remove(host->net);
	host->net = NULL;
}

static int netdev_set(void *data, u64 val)
{
	struct host *host = data;
	int ret = 0;

	pci_lock_rescan_remove();
	if (!val)
		remove_netdev(host);
	else if (!host->net)
		ret = add_netdev(host);
	pci_unlock_rescan_remove();
	return ret;
}

DEFINE_DEBUGFS_ATTRIBUTE(netdev_fops, netdev_get, netdev_set, "%llu\n");

/* What pci_enable_pasid() and pci_enable_pri() would have noted. */
static void note(struct pci_dev *pf, u64 on)
{
	pf->pasid_enabled = on & 1;
	pf->pri_enabled = on >> 1 & 1;
}

static int noted_get(void *data, u64 *val)
{
	struct pci_dev *pf = pci_get_slot(((struct host *)data)->bus, 0);

	if (!pf)
		return -ENODEV;
	*val = pf->pasid_enabled | pf->pri_enabled << 1;
	pci_dev_put(pf);
	return 0;
}

static int noted_set(void *data, u64 val)
{
	struct pci_dev *pf = pci_get_slot(((struct host *)data)->bus, 0);

	if (!pf)
		return -ENODEV;
	note(pf, val);
	pci_dev_put(pf);
	return 0;
}

DEFINE_DEBUGFS_ATTRIBUTE(noted_fops, noted_get, noted_set, "%llu\n");

static bool is_on(const u8 *image, unsigned int id, unsigned int ctrl)
{
	unsigned int pos = find_ext(image, id);

	return pos && image[pos + ctrl] & 1;
}

void testbus_note(struct device *dev)
{
	struct pci_dev *pdev = to_pci_dev(dev);
	const u8 *config = pdev->is_virtfn ? NULL : get_config(to_host(pdev->bus), 0);

	if (config)
		note(pdev, is_on(config, PCI_EXT_CAP_ID_PASID, PCI_PASID_CTRL) |
				   is_on(config, PCI_EXT_CAP_ID_PRI, PCI_PRI_CTRL) << 1);
}

static void note_pf(struct host *host)
{
	struct pci_dev *pf = pci_get_slot(host->bus, 0);

	if (pf)
		testbus_note(&pf->dev);
	pci_dev_put(pf);
}

/* ---------------------------------------------------------------------------------------- hosts -- */

bool testbus_owns(struct device *dev)
{
	return dev_is_pci(dev) &&
	       (unsigned int)(pci_domain_nr(to_pci_dev(dev)->bus) - domain) < n_hosts;
}

static int add_host(struct host *host)
{
	char name[16];
	struct dentry *dir;
	LIST_HEAD(resources);

	host->buses =
		(struct resource){ .name = "vfcap-testbus", .end = 255, .flags = IORESOURCE_BUS };
	pci_add_resource(&resources, &host->buses);
	host->bus = pci_create_root_bus(&parent->dev, 0, &bus_ops, &host->sysdata, &resources);
	if (!host->bus) {
		pci_free_resource_list(&resources);
		return -ENODEV;
	}
	pci_scan_child_bus(host->bus);
	note_pf(host);
	pci_bus_add_devices(host->bus);

	snprintf(name, sizeof(name), "%04x", host->sysdata.domain);
	dir = debugfs_create_dir(name, debug);
	debugfs_create_file("config", 0600, dir, host, &config_fops);
	debugfs_create_file("writes", 0400, dir, host, &writes_fops);
	debugfs_create_u32("reads", 0600, dir, &host->reads);
	debugfs_create_file_unsafe("netdev", 0600, dir, host, &netdev_fops);
	debugfs_create_file_unsafe("noted", 0600, dir, host, &noted_fops);
	return 0;
}

static void remove_hosts(void)
{
	struct pci_host_bridge *bridge;
	struct host *host, *next;

	debugfs_remove(debug);
	pci_lock_rescan_remove();
	list_for_each_entry_safe(host, next, &hosts, list)
	{
		remove_netdev(host);
		if (host->bus) {
			bridge = to_pci_host_bridge(host->bus->bridge);
			pci_stop_root_bus(host->bus);
			pci_remove_root_bus(host->bus);
			pci_free_host_bridge(bridge); /* which is left to whoever made it */
		}
		forget_functions(host, 0);
		xa_destroy(&host->functions);
		list_del(&host->list);
		kfree(host);
	}
	pci_unlock_rescan_remove();
}

static struct host *new_host(u8 *pf, unsigned int sriov)
{
	struct host *host = kzalloc(sizeof(*host), GFP_KERNEL);

	if (!host)
		return NULL;
	xa_init(&host->functions);
	host->pf = pf;
	host->vfs = pf + CFG;
	host->sriov = sriov;
	host->sysdata.domain = domain + n_hosts++;
	host->sysdata.node = NUMA_NO_NODE;

	/* Whoever made the image may have had VFs on; here they begin with none. */
	pf[sriov + PCI_SRIOV_CTRL] &= ~PCI_SRIOV_CTRL_VFE;
	vfcap_put_le16(pf + sriov + PCI_SRIOV_NUM_VF, 0);
	list_add_tail(&host->list, &hosts);
	return host;
}

/* Sorts the images into hosts; one without VFs is of no use. */
static int make_hosts(u8 *image, const u8 *end)
{
	struct host *host = NULL;
	unsigned int sriov;

	for (; end - image >= CFG; image += CFG) {
		sriov = find_ext(image, PCI_EXT_CAP_ID_SRIOV);
		if (sriov) {
			host = new_host(image, sriov);
			if (!host)
				return -ENOMEM;
		} else if (host && vfcap_le16(image) == 0xffff &&
			   image == host->vfs + CFG * host->n_vfs) {
			host->n_vfs++;
		}
	}
	list_for_each_entry(host, &hosts, list)
	{
		if (!host->n_vfs)
			return -EINVAL;
	}
	return list_empty(&hosts) ? -EINVAL : 0;
}

static int add_hosts(void)
{
	struct host *host;
	int ret = 0;

	debug = debugfs_create_dir("vfcap-testbus", NULL);
	debugfs_create_atomic_t("pasids", 0400, debug, &testbus_pasids);
	pci_lock_rescan_remove();
	list_for_each_entry(host, &hosts, list)
	{
		ret = add_host(host);
		if (ret)
			break;
	}
	pci_unlock_rescan_remove();
	return ret;
}

static int __init testbus_init(void)
{
	size_t size;
	int ret;

	ret = kernel_read_file_from_path(blob ?: "", 0, &images, INT_MAX, &size, READING_FIRMWARE);
	if (ret < 0)
		return ret;
	ret = make_hosts(images, images + size);
	if (ret)
		goto free;

	parent = platform_device_register_simple("vfcap-testbus", PLATFORM_DEVID_NONE, NULL, 0);
	if (IS_ERR(parent)) {
		ret = PTR_ERR(parent);
		goto free;
	}
	ret = iommu ? testbus_iommu_add(&parent->dev) : 0;
	if (ret)
		goto unregister;
	ret = add_hosts();
	if (!ret)
		return 0;

	remove_hosts();
	if (iommu)
		testbus_iommu_remove();
unregister:
	platform_device_unregister(parent);
free:
	remove_hosts();
	vfree(images);
	return ret;
}

static void __exit testbus_exit(void)
{
	remove_hosts();
	if (iommu)
		testbus_iommu_remove();
	platform_device_unregister(parent);
	vfree(images);
}

module_init(testbus_init);
module_exit(testbus_exit);

MODULE_DESCRIPTION("PCI hosts in memory, for the tests of vfcap");
MODULE_AUTHOR("The vfcap developers");
MODULE_LICENSE("GPL");
