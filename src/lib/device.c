// SPDX-License-Identifier: GPL-2.0-or-later
/* What a DEVICE of the command line names. */
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>

#include "monitor.h"

struct found {
	struct vfcap_function **fn;
	size_t n;
};

/* Never more than all functions of the host, so room for all of them is taken at once. */
static int found_open(struct found *f, const struct vfcap_host *h)
{
	f->n = 0;
	f->fn = calloc(h->n ? h->n : 1, sizeof(*f->fn));
	return f->fn ? 0 : -ENOMEM;
}

int vfcap_device_no_form(struct vfcap_host *h, const char *device)
{
	return vfcap_host_fail(
		h, -EINVAL, "%s: neither an address (0000:3b:00.1), a netdev, nor PF/vfN", device);
}

static int names_nothing(struct vfcap_host *h, const char *device)
{
	return vfcap_host_fail(h, -ENOENT, "%s: no such function on %s", device,
			       vfcap_source((struct vfcap *)h));
}

/* "pci/ADDR" (devlink) and "pci_0000_3b_00_1" (libvirt's nodedev) as an address. */
size_t vfcap_device_address(const char *s, struct vfcap_address *a)
{
	char plain[VFCAP_ADDRESS_LEN + 1];
	size_t n, i, fields = 0;

	if (strncmp(s, "pci/", 4) == 0)
		s += 4;
	if (strncmp(s, "pci_", 4) != 0) {
		n = vfcap_address_parse(s, a);
		return s[n] == '\0' ? n : 0;
	}
	for (i = 0; s[4 + i] && i + 1 < sizeof(plain); i++) {
		plain[i] = s[4 + i];
		if (plain[i] == '_')
			plain[i] = ++fields == 3 ? '.' : ':';
	}
	plain[i] = '\0';
	n = vfcap_address_parse(plain, a);
	return fields == 3 && !s[4 + i] && !plain[n] ? n : 0;
}

bool vfcap_device_may_be_netdev(const char *s)
{
	return *s && !strpbrk(s, ":/ ") && strlen(s) <= 15; /* IFNAMSIZ - 1 */
}

bool vfcap_device_is_glob(const char *s)
{
	return strpbrk(s, "*?[") != NULL;
}

static int match_glob(struct vfcap_host *h, const char *device, struct found *f)
{
	cleanup_free char *in_domain_0 = NULL;
	size_t i;

	if (strncmp(device, "pci/", 4) == 0)
		device += 4;
	if (asprintf(&in_domain_0, "0000:%s", device) < 0)
		return -ENOMEM;
	for (i = 0; i < h->n; i++)
		if (fnmatch(device, h->fn[i]->name, 0) == 0 ||
		    fnmatch(in_domain_0, h->fn[i]->name, 0) == 0)
			f->fn[f->n++] = h->fn[i];
	return f->n ? 0 : names_nothing(h, device);
}

static struct vfcap_function *by_netdev(const struct vfcap_host *h, const char *name)
{
	size_t i, k;

	for (i = 0; i < h->n; i++)
		for (k = 0; k < h->fn[i]->n_netdev; k++)
			if (strcmp(h->fn[i]->netdev[k], name) == 0)
				return h->fn[i];
	return NULL;
}

int vfcap_device_one(struct vfcap_host *h, const char *device, struct vfcap_function **fn)
{
	struct vfcap_address a;

	if (vfcap_device_address(device, &a))
		*fn = vfcap_host_find(h, a);
	else if (!vfcap_device_may_be_netdev(device))
		return vfcap_device_no_form(h, device);
	else
		*fn = by_netdev(h, device);
	if (!*fn && h->netdevs_err && vfcap_device_may_be_netdev(device))
		return vfcap_host_fail(h, h->netdevs_err, "%s: /sys/class/net: %s", device,
				       strerror(-h->netdevs_err));
	return *fn ? 0 : names_nothing(h, device);
}

bool vfcap_device_range(const char *s, unsigned long *first, unsigned long *last)
{
	char *end;

	if (*s < '0' || *s > '9')
		return false;
	*first = *last = strtoul(s, &end, 10);
	if (*end == '-' && end[1] >= '0' && end[1] <= '9')
		*last = strtoul(end + 1, &end, 10);
	return *end == '\0' && *first <= *last && *last < 0x10000;
}

static struct vfcap_function *by_index(const struct vfcap_function *pf, unsigned long index)
{
	size_t i;

	for (i = 0; i < pf->n_vf; i++)
		if (pf->vf[i]->vf_index == (int)index)
			return pf->vf[i];
	return NULL;
}

static int match_vfs(struct vfcap_host *h, const char *device, const char *slash, struct found *f)
{
	cleanup_free char *name = strndup(device, (size_t)(slash - device));
	struct vfcap_function *pf = NULL;
	unsigned long i, first, last;
	int err;

	if (!name)
		return -ENOMEM;
	if (!vfcap_device_range(slash + 3, &first, &last))
		return vfcap_device_no_form(h, device);
	err = vfcap_device_one(h, name, &pf);
	if (err)
		return err;
	for (i = first; i <= last; i++) {
		struct vfcap_function *vf = by_index(pf, i);

		if (!vf && vfcap_host_sure(h, pf))
			return -EIO;
		if (!vf)
			return vfcap_host_fail(h, -ENOENT, "%s: no VF %lu (%s has %zu)", device, i,
					       pf->name, pf->n_vf);
		f->fn[f->n++] = vf;
	}
	return 0;
}

int vfcap_match(struct vfcap *ctx, const char *device, struct vfcap_function ***fns, size_t *n)
{
	const char *slash = strrchr(device, '/');
	struct vfcap_host *h = &ctx->host;
	struct found f;
	int err;

	h->error[0] = '\0';
	*fns = NULL;
	*n = 0;
	err = found_open(&f, h);
	if (err)
		return vfcap_host_fail(h, err, "%s: %s", device, strerror(-err));
	if (slash && strncmp(slash, "/vf", 3) == 0)
		err = match_vfs(h, device, slash, &f);
	else if (vfcap_device_is_glob(device))
		err = match_glob(h, device, &f);
	else
		err = vfcap_device_one(h, device, &f.fn[f.n++]);
	if (err) {
		free(f.fn);
		return vfcap_host_fail(h, err, "%s: %s", device, strerror(-err));
	}
	*fns = f.fn;
	*n = f.n;
	return 0;
}
