/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tests in the virtual machine do things with: TAP, sysfs, the test bus, VFIO. */
#ifndef VFCAP_GUEST_H
#define VFCAP_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "../../src/core/core.h"

#define CFG VFCAP_CFG_SIZE

/* One result. */
void ok(bool good, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* One result: two numbers are the same. */
void same(long got, long want, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Prints the plan. Returns 0 when all was good, else 1. */
int finish(void);

/* The kernel that this is. */
uint32_t this_release(void);

/* ---------------------------------------------------------------------------------------- sysfs -- */

/* A function of the test bus: a VF by its index, or the PF. */
struct fn {
	unsigned int domain;
	unsigned int rid;
	char addr[16];
};

#define PF (-1)
struct fn fn_of(unsigned int domain, int vf);

/* Writes a text to a file under /sys/bus/pci. Returns 0 or -errno. */
int put(const char *text, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Reads what a file under /sys/bus/pci says, without the end of its line; "" when it cannot be read. */
const char *get(char buf[128], const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Binds to a driver; NULL: to none. True when it came about. */
bool bind_to(const struct fn *fn, const char *driver);

bool make_vfs(unsigned int domain, unsigned int n);

/* The knob. */
int turn(const struct fn *fn, const char *attr, const char *text);
int turn_to(const struct fn *fn, const char *attr, unsigned int val);
bool knob_is(const struct fn *fn, const char *attr, const char *text);

/* --------------------------------------------------------------------------------- the test bus -- */

void read_image(const struct fn *fn, uint8_t image[CFG]);
void poke_image(const struct fn *fn, unsigned int off, const void *bytes, size_t len);

/* What Linux has noted of a PF: bit 0 PASID is on, bit 1 PRI is on. */
void note(const struct fn *fn, unsigned int on);

/* How many config accesses have read from a function's bus. */
unsigned long count_reads(const struct fn *fn);

/* How often config accesses wrote each dword. */
void read_writes(const struct fn *fn, uint32_t writes[CFG / 4]);

/* ----------------------------------------------------------------------------------------- VFIO -- */

struct vfio {
	int container, group, device; /* -1: none */
	off_t config; /* of the config region in the device */
};

/* Opens a function by its group and a type1 container. False: errno says why not. */
bool vfio_open(struct vfio *v, const struct fn *fn);
bool vfio_try(struct vfio *v, const struct fn *fn); /* says nothing */
void vfio_close(struct vfio *v);

/* Accesses to config space. Returns what came of them, or -errno. */
int cfg_read(const struct vfio *v, unsigned int off, void *buf, size_t len);
int cfg_write(const struct vfio *v, unsigned int off, const void *buf, size_t len);
uint32_t cfg_get(const struct vfio *v, unsigned int off, unsigned int width);
int cfg_put(const struct vfio *v, unsigned int off, unsigned int width, uint32_t val);

/* VFIO_DEVICE_FEATURE with that operation; data of len bytes goes in or comes out. 0 or -errno. */
int feature(const struct vfio *v, uint32_t flags, void *data, size_t len);

/* What stock vfio-pci shows of a function. */
bool stock_view(const struct fn *fn, uint8_t view[CFG]);

#endif
