// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An IOMMU that translates nothing, for devices that do no DMA: it remembers what was mapped, and counts
 * the PASIDs that were attached, which is all that VFIO wants to see. Every function has a group of its own.
 */
#include <linux/iommu.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>
#include <linux/version.h>
#include <linux/xarray.h>

#include "testbus.h"

/* Of PASIDs; the last function that came decides for all; 0: how many there are is not known. */
static uint pasid_bits = 20;
module_param(pasid_bits, uint, 0644);

struct mapping {
	struct iommu_domain domain;
	struct xarray frames; /* IOVA's frame -> physical frame */
};

static struct iommu_device iommu;
static struct iommu_ops *ops;
atomic_t testbus_pasids;

static struct mapping *to_mapping(struct iommu_domain *domain)
{
	return container_of(domain, struct mapping, domain);
}

static int map_pages(struct iommu_domain *domain, unsigned long iova, phys_addr_t phys, size_t size,
		     size_t count, int prot, gfp_t gfp, size_t *mapped)
{
	struct mapping *m = to_mapping(domain);
	size_t i;
	int ret;

	for (i = 0; i < count; i++, *mapped += size) {
		ret = xa_err(xa_store(&m->frames, (iova >> PAGE_SHIFT) + i,
				      xa_mk_value((phys >> PAGE_SHIFT) + i), gfp));
		if (ret)
			return ret;
	}
	return 0;
}

static size_t unmap_pages(struct iommu_domain *domain, unsigned long iova, size_t size,
			  size_t count, struct iommu_iotlb_gather *gather)
{
	size_t i;

	for (i = 0; i < count; i++)
		xa_erase(&to_mapping(domain)->frames, (iova >> PAGE_SHIFT) + i);
	return count * size;
}

static phys_addr_t iova_to_phys(struct iommu_domain *domain, dma_addr_t iova)
{
	void *frame = xa_load(&to_mapping(domain)->frames, iova >> PAGE_SHIFT);

	return frame ? (xa_to_value(frame) << PAGE_SHIFT) + offset_in_page(iova) : 0;
}

static void free_domain(struct iommu_domain *domain)
{
	xa_destroy(&to_mapping(domain)->frames);
	kfree(to_mapping(domain));
}

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 19, 0)
static int attach_dev(struct iommu_domain *domain, struct device *dev, struct iommu_domain *old)
#else
static int attach_dev(struct iommu_domain *domain, struct device *dev)
#endif
{
	return 0;
}

/* Domains for PASIDs came in parts; from when a user could attach one, all of them are there. */
#ifdef TESTBUS_HAS_PASID
static int attach_pasid(struct iommu_domain *domain, struct device *dev, ioasid_t pasid,
			struct iommu_domain *old)
{
	if (!old)
		atomic_inc(&testbus_pasids);
	return 0;
}

static int detach_pasid(struct iommu_domain *domain, struct device *dev, ioasid_t pasid,
			struct iommu_domain *old)
{
	atomic_dec(&testbus_pasids);
	return 0;
}
#endif

static bool enforce_cache_coherency(struct iommu_domain *domain)
{
	return true;
}

static const struct iommu_domain_ops domain_ops = {
	.attach_dev = attach_dev,
#ifdef TESTBUS_HAS_PASID
	.set_dev_pasid = attach_pasid,
#endif
	.map_pages = map_pages,
	.unmap_pages = unmap_pages,
	.iova_to_phys = iova_to_phys,
	.enforce_cache_coherency = enforce_cache_coherency,
	.free = free_domain,
};

static struct iommu_domain *new_domain(void)
{
	struct mapping *m = kzalloc(sizeof(*m), GFP_KERNEL);

	if (!m)
		return NULL;
	xa_init(&m->frames);
	m->domain.ops = &domain_ops;
	m->domain.pgsize_bitmap = PAGE_SIZE;
	m->domain.geometry.aperture_end = (1ULL << 48) - 1;
	m->domain.geometry.force_aperture = true;
	return &m->domain;
}

/* 6.6 split what allocates domains: pages by a callback, the others as they are. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
static const struct iommu_domain_ops static_ops = { .attach_dev = attach_dev };
static struct iommu_domain identity = { .type = IOMMU_DOMAIN_IDENTITY, .ops = &static_ops };
static const struct iommu_domain_ops blocked_ops = {
	.attach_dev = attach_dev,
#ifdef TESTBUS_HAS_PASID
	.set_dev_pasid = detach_pasid,
#endif
};
static struct iommu_domain blocked = { .type = IOMMU_DOMAIN_BLOCKED, .ops = &blocked_ops };
#endif

#if defined(TESTBUS_HAS_PASID)
static struct iommu_domain *domain_alloc_paging_flags(struct device *dev, u32 flags,
						      const struct iommu_user_data *user_data)
{
	struct iommu_domain *domain;

	if (flags & ~IOMMU_HWPT_ALLOC_PASID || user_data)
		return ERR_PTR(-EOPNOTSUPP);
	domain = new_domain();
	if (!domain)
		return ERR_PTR(-ENOMEM);
	domain->type = IOMMU_DOMAIN_UNMANAGED; /* iommufd sets none */
	return domain;
}
#elif LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
static struct iommu_domain *domain_alloc_paging(struct device *dev)
{
	return new_domain();
}
#else
static struct iommu_domain *domain_alloc(unsigned int type)
{
	if (type != IOMMU_DOMAIN_IDENTITY && type != IOMMU_DOMAIN_UNMANAGED &&
	    type != IOMMU_DOMAIN_BLOCKED)
		return NULL;
	return new_domain();
}
#endif

/* That it tracks what was written to is only said: nobody asks for it. */
static bool is_capable(struct device *dev, enum iommu_cap cap)
{
#ifdef TESTBUS_HAS_PASID
	if (cap == IOMMU_CAP_DIRTY_TRACKING)
		return true;
#endif
	return cap == IOMMU_CAP_CACHE_COHERENCY;
}

/* Of a type that no real one has. Before, the type was a plain number. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 18, 0)
static void *hw_info(struct device *dev, u32 *length, enum iommu_hw_info_type *type)
{
	void *data = kzalloc(8, GFP_KERNEL);

	if (!data)
		return ERR_PTR(-ENOMEM);
	*length = 8;
	*type = (enum iommu_hw_info_type)TESTBUS_HW_TYPE;
	return data;
}
#endif

static struct iommu_device *probe_device(struct device *dev)
{
	if (!testbus_owns(dev))
		return ERR_PTR(-ENODEV);
	testbus_note(dev); /* which may have come again */
	iommu.max_pasids = pasid_bits ? 1U << min(pasid_bits, 20U) : 0;
	return &iommu;
}

static void release_device(struct device *dev)
{
}

static int def_domain_type(struct device *dev)
{
	return IOMMU_DOMAIN_IDENTITY;
}

static const struct iommu_ops iommu_ops = {
	.capable = is_capable,
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 18, 0)
	.hw_info = hw_info,
#endif
	.probe_device = probe_device,
	.release_device = release_device,
	.device_group = generic_device_group,
	.def_domain_type = def_domain_type,
	.default_domain_ops = &domain_ops,
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
#ifdef TESTBUS_HAS_PASID
	.domain_alloc_paging_flags = domain_alloc_paging_flags,
#else
	.domain_alloc_paging = domain_alloc_paging,
#endif
	.identity_domain = &identity,
	.blocked_domain = &blocked,
#else
	.domain_alloc = domain_alloc,
#endif
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 16, 0)
	.pgsize_bitmap = PAGE_SIZE,
#endif
};

int testbus_iommu_add(struct device *parent)
{
	int ret;

	/*
	 * An owner would be held by every device, and only unloading takes the devices away; operations
	 * in a module's memory must have an owner. These are nobody's.
	 */
	ops = kmemdup(&iommu_ops, sizeof(iommu_ops), GFP_KERNEL);
	if (!ops)
		return -ENOMEM;
	ret = iommu_device_sysfs_add(&iommu, parent, NULL, "vfcap-testbus");
	if (!ret) {
		ret = iommu_device_register(&iommu, ops, NULL);
		if (ret)
			iommu_device_sysfs_remove(&iommu);
	}
	if (ret)
		kfree(ops);
	return ret;
}

void testbus_iommu_remove(void)
{
	iommu_device_unregister(&iommu);
	iommu_device_sysfs_remove(&iommu);
	kfree(ops);
}
