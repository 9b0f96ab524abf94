// SPDX-License-Identifier: GPL-2.0-or-later
/* The model: functions in a host, their order, and what is said about them. */
#include "host.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int vfcap_host_fail(struct vfcap_host *h, int err, const char *fmt, ...)
{
	va_list ap;

	h->no_memory |= err == -ENOMEM;
	if (h->error[0])
		return err;
	h->error_code = err;
	va_start(ap, fmt);
	vsnprintf(h->error, sizeof(h->error), fmt, ap);
	va_end(ap);
	return err;
}

void vfcap_host_log(struct vfcap_host *h, const char *fmt, ...)
{
	char line[sizeof(h->error)];
	va_list ap;

	if (!h->log)
		return;
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	h->log(h->log_arg, line);
}

static bool concerns(const struct vfcap_function *fn, const struct vfcap_function *pf)
{
	return !pf || fn == pf || fn->pf == pf || (!fn->pf && fn->role != VFCAP_ROLE_PF);
}

int vfcap_host_sure(struct vfcap_host *h, const struct vfcap_function *pf)
{
	for (size_t i = 0; i < h->n; i++) {
		const struct vfcap_function *fn = h->fn[i];
		const char *what;

		if (!fn->unsure || !concerns(fn, pf))
			continue;
		if (vfcap_root_failure(h->root, &what))
			return vfcap_host_fail(h, -EIO, "%s: %s: try again", fn->name, what);
		if (fn->config_err)
			return vfcap_host_fail(h, -EIO, "%s: config: %s: try again", fn->name,
					       vfcap_strerror(fn->config_err));
		return vfcap_host_fail(h, -EACCES,
				       "%s: not all that sysfs has of it may be read: %s", fn->name,
				       strerror(EACCES));
	}
	return 0;
}

int vfcap_host_cancelled(struct vfcap_host *h, const char *object)
{
	return h->cancel && *h->cancel ? vfcap_host_fail(h, -EINTR, "%s: interrupted", object) : 0;
}

struct vfcap_function *vfcap_host_add(struct vfcap_host *h, struct vfcap_address a)
{
	struct vfcap_function **more = vfcap_more(h->fn, h->n, sizeof(*more)), *fn;

	if (!more)
		return NULL;
	h->fn = more;
	fn = calloc(1, sizeof(*fn));
	if (!fn)
		return NULL;
	fn->host = h;
	fn->address = a;
	vfcap_address_format(a, fn->name);
	fn->vf_index = fn->totalvfs = fn->numvfs = -1;
	fn->iommu_group = fn->config_size = -1;
	more[h->n++] = fn;
	return fn;
}

struct vfcap_function *vfcap_host_find(const struct vfcap_host *h, struct vfcap_address a)
{
	size_t lo = 0, hi = h->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int order = vfcap_address_compare(h->fn[mid]->address, a);

		if (!order)
			return h->fn[mid];
		if (order < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

static void function_free(struct vfcap_function *fn)
{
	if (fn->rows)
		vfcap_rows_free(fn->rows);
	free(fn->rows);
	for (size_t i = 0; i < fn->n_netdev; i++)
		free(fn->netdev[i]);
	free(fn->netdev);
	free(fn->driver);
	free(fn->vf);
	free(fn->image);
	free(fn->chain);
	free(fn->siblings);
	free(fn->unreadable);
	free(fn);
}

/* A function and when it was added: qsort() is not stable. */
struct place {
	struct vfcap_function *fn;
	size_t when;
};

static int place_compare(const void *a, const void *b)
{
	const struct place *x = a, *y = b;
	int order = vfcap_address_compare(x->fn->address, y->fn->address);

	return order ? order : (x->when > y->when) - (x->when < y->when);
}

/* Strictly ascending is what most sources give. */
static bool in_order(const struct vfcap_host *h)
{
	for (size_t i = 1; i < h->n; i++)
		if (vfcap_address_compare(h->fn[i - 1]->address, h->fn[i]->address) >= 0)
			return false;
	return true;
}

int vfcap_host_sort(struct vfcap_host *h)
{
	cleanup_free struct place *place = NULL;
	size_t n = 0;

	if (in_order(h))
		return 0;
	place = calloc(h->n, sizeof(*place));
	if (!place)
		return vfcap_host_fail(h, -ENOMEM, "out of memory");
	for (size_t i = 0; i < h->n; i++)
		place[i] = (struct place){ h->fn[i], i };
	qsort(place, h->n, sizeof(*place), place_compare);
	for (size_t i = 0; i < h->n; i++) {
		struct vfcap_function *fn = place[i].fn;

		if (n && !vfcap_address_compare(h->fn[n - 1]->address, fn->address)) {
			vfcap_host_log(h, "%s: given more than once, the last one is taken",
				       fn->name);
			function_free(h->fn[--n]);
		}
		h->fn[n++] = fn;
	}
	h->n = n;
	return 0;
}

void vfcap_host_clear(struct vfcap_host *h)
{
	for (size_t i = 0; i < h->n; i++)
		function_free(h->fn[i]);
	free(h->fn);
	h->fn = NULL;
	h->n = 0;
}
