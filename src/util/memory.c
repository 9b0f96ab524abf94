// SPDX-License-Identifier: GPL-2.0-or-later
/* What is owned: freed and closed when it goes out of scope, and arrays that grow. */
#include <stdlib.h>
#include <unistd.h>

#include "util.h"

void vfcap_cleanup_free(void *pp)
{
	free(*(void **)pp);
}

void vfcap_cleanup_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

void vfcap_cleanup_fclose(FILE **f)
{
	if (*f)
		fclose(*f);
}

void *vfcap_more(void *array, size_t n, size_t size)
{
	return n & (n - 1) ? array : reallocarray(array, n ? 2 * n : 1, size);
}
