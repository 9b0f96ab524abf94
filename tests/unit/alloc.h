/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Allocations that fail, one at a time: takes the place of the C library's functions in a program that includes it. */
#ifndef VFCAP_ALLOC_H
#define VFCAP_ALLOC_H

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#ifdef __SANITIZE_ADDRESS__ /* its own functions are in that place */
#define ALLOC_CAN_FAIL false
static atomic_long alloc_fail_at;
#else
#define ALLOC_CAN_FAIL true

/* The allocation that fails, from 1; counted down to 0: it has failed, or none is to. */
static atomic_long alloc_fail_at;

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);
void *malloc(size_t size);
void *calloc(size_t n, size_t size);
void *realloc(void *p, size_t size);

static inline bool alloc_fails(void)
{
	if (atomic_load(&alloc_fail_at) <= 0 || atomic_fetch_sub(&alloc_fail_at, 1) != 1)
		return false;
	errno = ENOMEM;
	return true;
}

void *malloc(size_t size)
{
	return alloc_fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	return alloc_fails() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t size)
{
	return alloc_fails() ? NULL : __libc_realloc(p, size);
}
#endif

#endif
