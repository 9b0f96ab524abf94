// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Preloaded into vfcap: one allocation fails.
 *
 *	FAULTS_MEMORY   which one, from 1
 *	FAULTS_COUNT    a file that the number of all is written to in the end
 */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* What the C library keeps for those who replace it. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t align, size_t size);

static atomic_long seen;
static long due;
static bool begun;

static void __attribute__((constructor)) begin(void)
{
	const char *which = getenv("FAULTS_MEMORY");

	due = which ? atol(which) : 0;
	begun = true;
}

static void __attribute__((destructor)) end(void)
{
	const char *file = getenv("FAULTS_COUNT");
	int fd = file ? open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644) : -1;
	char text[24];

	if (fd < 0)
		return;
	if (write(fd, text, (size_t)snprintf(text, sizeof(text), "%ld\n", atomic_load(&seen))) < 0)
		abort();
	close(fd);
}

static bool fails(void)
{
	if (!begun || atomic_fetch_add(&seen, 1) + 1 != due)
		return false;
	errno = ENOMEM;
	return true;
}

void *malloc(size_t size)
{
	return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	return fails() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *old, size_t size)
{
	return fails() ? NULL : __libc_realloc(old, size);
}

void *reallocarray(void *old, size_t n, size_t size)
{
	size_t all;

	if (__builtin_mul_overflow(n, size, &all)) {
		errno = ENOMEM;
		return NULL;
	}
	return realloc(old, all);
}

void *memalign(size_t align, size_t size)
{
	return fails() ? NULL : __libc_memalign(align, size);
}

void *aligned_alloc(size_t align, size_t size)
{
	return memalign(align, size);
}

int posix_memalign(void **out, size_t align, size_t size)
{
	void *p = memalign(align, size);

	if (!p)
		return ENOMEM;
	*out = p;
	return 0;
}
