// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libpci: config space of the live host, and the names of pci.ids. No other file includes
 * <pci/pci.h>, which does not go together with the kernel's headers.
 */
#include <errno.h>
#include <fcntl.h>
#include <pci/pci.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sysfs.h"

#define NAMES "usr/share/misc/pci.ids"
#define BUCKETS 256
#define NAME_FLAGS (PCI_LOOKUP_NO_NUMBERS | PCI_LOOKUP_NO_HWDB)
#define NO_DEVICE 0xffffffffu /* of a struct name: the vendor alone */

/* pci_lookup_name() writes into the caller's buffer; names here are lent for the host's life. */
struct name {
	struct name *next;
	uint32_t vendor, device;
	char *text; /* NULL: pci.ids has none */
};

struct vfcap_pciaccess {
	struct pci_access *a;
	int names_fd; /* a copy of the root's own pci.ids; -1: it has none, and this system's serves */
	bool no_names; /* neither can be used */
	struct name *bucket[BUCKETS];
};

/*
 * libpci reports a fatal error by a function that must not return and that is given no context,
 * so where to return to is kept by thread while a call is under way.
 */
struct escape {
	jmp_buf to;
	char text[256];
};

static _Thread_local struct escape *escape;

static void __attribute__((noreturn, format(printf, 1, 2))) on_error(char *fmt, ...)
{
	va_list ap;

	if (!escape)
		abort();
	va_start(ap, fmt);
	vsnprintf(escape->text, sizeof(escape->text), fmt, ap);
	va_end(ap);
	longjmp(escape->to, 1);
}

/* Runs call(arg), whose result is in arg. False: libpci gave up, and here->text says why. */
static bool guarded(struct escape *here, void (*call)(void *arg), void *arg)
{
	here->text[0] = '\0';
	escape = here;
	if (setjmp(here->to)) {
		escape = NULL;
		return false;
	}
	call(arg);
	escape = NULL;
	return true;
}

static void __attribute__((format(printf, 1, 2))) on_warning(char *fmt, ...)
{
	(void)fmt; /* what failed is seen by what is returned */
}

/* A copy of the root's own list in memory: the root may be no directory, and libpci, which opens a path of its own,
 * would follow links out of it, wait at a FIFO, and read without end. A descriptor, or -errno. */
static int copy_names(const struct vfcap_root *root)
{
	cleanup_free char *text = NULL;
	cleanup_close int fd = -1;
	size_t len;
	int ret = vfcap_root_load(root, NAMES, VFCAP_TEXT_MOST, &text, &len);

	if (ret)
		return ret;
	fd = memfd_create("pci.ids", MFD_CLOEXEC);
	if (fd < 0 || TEMP_FAILURE_RETRY(write(fd, text, len)) != (ssize_t)len) {
		ret = fd < 0 ? -errno : -ENOSPC;
		vfcap_root_keep_failure(root, NAMES, ret);
		return ret;
	}
	ret = fd;
	fd = -1;
	return ret;
}

static bool use_copy(struct vfcap_pciaccess *p)
{
	char *path;

	if (asprintf(&path, "/proc/self/fd/%d", p->names_fd) < 0)
		return false;
	pci_set_name_list_path(p->a, path, 1);
	return true;
}

/* This system's list, which libpci opens itself: not where that would not end. */
static bool may_open(const char *path)
{
	cleanup_close int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return errno == ENOENT; /* libpci knows of other names for it */
	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= VFCAP_TEXT_MOST;
}

static void choose_names(struct vfcap_host *h, struct vfcap_pciaccess *p)
{
	p->names_fd = h->root && !h->live ? copy_names(h->root) : -ENOENT;
	if (p->names_fd >= 0) {
		p->no_names = !use_copy(p);
		h->no_memory |= p->no_names;
	} else if (p->names_fd != -ENOENT && p->names_fd != -EACCES) {
		p->no_names = true; /* the reader keeps why */
	} else if (!may_open(p->a->id_file_name)) {
		p->no_names = true;
		vfcap_host_log(h, "%s: no regular file of up to %u MiB: devices have no names",
			       p->a->id_file_name, VFCAP_TEXT_MOST >> 20);
	}
}

static struct vfcap_pciaccess *access_get(struct vfcap_host *h)
{
	struct vfcap_pciaccess *p = h->pci;

	if (p)
		return p;
	p = calloc(1, sizeof(*p));
	h->no_memory |= !p;
	if (!p)
		return NULL;
	p->a = pci_alloc();
	if (!p->a) {
		free(p);
		return NULL;
	}
	p->a->method = PCI_ACCESS_SYS_BUS_PCI;
	p->a->error = on_error;
	p->a->warning = on_warning;
	p->a->debug = on_warning;
	p->a->id_lookup_mode = 0; /* its default is the cache of names once asked of the network */
	choose_names(h, p);
	h->pci = p;
	return p;
}

/* ------------------------------------------------------------------------------ config space -- */

struct block {
	struct vfcap_function *fn;
	unsigned int off, len;
	uint8_t *buf;
	int ok;
};

static void block_read(void *arg)
{
	struct block *b = arg;
	struct vfcap_function *fn = b->fn;
	const struct vfcap_address a = fn->address;

	if (!fn->access)
		fn->access = pci_get_dev(fn->host->pci->a, (int)a.domain, a.bus, a.devfn >> 3,
					 a.devfn & 7);
	b->ok = pci_read_block(fn->access, (int)b->off, b->buf, (int)b->len);
}

static int live_read(struct vfcap_function *fn, unsigned int off, unsigned int len, uint8_t *buf)
{
	struct block b = { .fn = fn, .off = off, .len = len, .buf = buf };
	unsigned int size = (unsigned int)fn->config_size;
	struct escape here;

	if (off >= size)
		return 0;
	b.len = len < size - off ? len : size - off;
	if (guarded(&here, block_read, &b) && b.ok)
		return (int)b.len;
	return fn->access ? -ENODEV : -ENOMEM; /* it does not say why */
}

static int live_fetch(void *ctx, unsigned int off, unsigned int len, uint8_t *buf)
{
	return vfcap_config_fetch(ctx, off, len, buf, live_read);
}

static void access_init(void *arg)
{
	pci_init(arg);
}

int vfcap_live_attach(struct vfcap_host *h)
{
	struct vfcap_pciaccess *p = access_get(h);
	struct escape here;

	if (!p)
		return vfcap_host_fail(h, -ENOMEM, "libpci: %s", strerror(ENOMEM));
	if (!guarded(&here, access_init, p->a))
		return vfcap_host_fail(h, -EIO, "libpci: %s", here.text);
	for (size_t i = 0; i < h->n; i++)
		h->fn[i]->fetch = live_fetch;
	return 0;
}

static void names_free(struct name *name)
{
	while (name) {
		struct name *next = name->next;

		free(name->text);
		free(name);
		name = next;
	}
}

void vfcap_live_detach(struct vfcap_host *h)
{
	struct vfcap_pciaccess *p = h->pci;

	if (!p)
		return;
	for (size_t i = 0; i < h->n; i++) {
		if (h->fn[i]->access)
			pci_free_dev(h->fn[i]->access);
		h->fn[i]->access = NULL;
	}
	pci_cleanup(p->a);
	vfcap_cleanup_close(&p->names_fd);
	for (size_t i = 0; i < BUCKETS; i++)
		names_free(p->bucket[i]);
	free(p);
	h->pci = NULL;
}

/* ------------------------------------------------------------------------------------- names -- */

struct question {
	struct pci_access *a;
	uint32_t vendor, device;
	char buf[256];
	const char *answer;
};

static void look_up(void *arg)
{
	struct question *q = arg;

	errno = 0; /* it has no names when it has no memory to open their file with */
	if (q->device == NO_DEVICE)
		q->answer = pci_lookup_name(q->a, q->buf, sizeof(q->buf),
					    PCI_LOOKUP_VENDOR | NAME_FLAGS, q->vendor);
	else
		q->answer = pci_lookup_name(q->a, q->buf, sizeof(q->buf),
					    PCI_LOOKUP_DEVICE | NAME_FLAGS, q->vendor, q->device);
}

/* why: what libpci says; "": nothing. A list that is no such list costs the names alone. */
static void names_failed(struct vfcap_host *h, struct vfcap_pciaccess *p, const char *why)
{
	if (errno == ENOMEM) {
		h->no_memory = true;
	} else if (h->root && errno) {
		vfcap_root_keep_failure(h->root, p->a->id_file_name, -errno);
	} else {
		vfcap_host_log(h, "pci.ids: %s: devices have no names", why);
		p->no_names = true;
	}
}

static const char *name_of(struct vfcap_host *h, uint32_t vendor, uint32_t device)
{
	struct vfcap_pciaccess *p = access_get(h);
	struct question q = { .vendor = vendor, .device = device };
	struct name **head, *name;
	struct escape here;

	if (!p || p->no_names)
		return NULL;
	head = &p->bucket[(vendor ^ device ^ device >> 8) % BUCKETS];
	for (name = *head; name; name = name->next)
		if (name->vendor == vendor && name->device == device)
			return name->text;
	name = calloc(1, sizeof(*name));
	h->no_memory |= !name;
	if (!name)
		return NULL;
	name->vendor = vendor;
	name->device = device;
	q.a = p->a;
	if (!guarded(&here, look_up, &q)) /* it gives up for want of memory, or over its list */
		names_failed(h, p, here.text);
	else if (q.answer)
		name->text = strdup(q.answer);
	if (!name->text && (errno == ENOMEM || errno == EIO || errno == EMFILE || errno == ENFILE))
		names_failed(h, p, "");
	name->next = *head;
	*head = name;
	return name->text;
}

const char *vfcap_pci_vendor_name(struct vfcap_host *h, unsigned int vendor)
{
	return name_of(h, vendor, NO_DEVICE);
}

const char *vfcap_pci_device_name(struct vfcap_host *h, unsigned int vendor, unsigned int device)
{
	return name_of(h, vendor, device);
}
