/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A kernel that is played over a tree of files, of world.host: one PF, its three VFs, and drivers. */
#ifndef VFCAP_FAULTS_PLAYED_H
#define VFCAP_FAULTS_PLAYED_H

#include <stdbool.h>
#include <stddef.h>

#define PF "0000:01:00.0"
#define VFS 3

/* Completes what mkhost made: what drivers and the IOMMU add to sysfs. */
void played_begin(int root);
/* Does what the kernel does when that was written to a file; 0, or -errno. path: below the root. */
int played_write(int root, const char *path, const char *text);
/* The magic number of the file system that a path is in. */
long played_statfs(const char *path);
/* Is it a descriptor of a process, and of a device: which one? dir: below the root. */
bool played_device(int root, const char *dir, const char *name, unsigned int *major,
		   unsigned int *minor);
/* Has a process open the i-th VF through VFIO. */
/* After a process was killed between what it wrote and the kernel's answer: the text stands over what was there. */
void played_settle(int root);
void played_hold(int root, int i);
/* Somebody binds the i-th VF, which is bound to our driver, to its own. */
void played_elsewhere(int root, int i);
/* What can be seen of the PF and its VFs, as text. */
void played_look(int root, char *buf, size_t size);

#endif
