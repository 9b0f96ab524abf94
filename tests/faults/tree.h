/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Trees of files: copied, removed, compared by a digest, changed. Whatever fails ends the program. */
#ifndef VFCAP_FAULTS_TREE_H
#define VFCAP_FAULTS_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

_Noreturn void die(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* What a file descriptor of a directory and a path below it, by printf()'s rules, stand for. */
#define PATH_ARGS int dir, const char *fmt, ...
#define PATH_FORMAT(n) __attribute__((format(printf, n, (n) + 1)))

/* Makes a copy that is not there yet. Modes and times are not copied. */
void tree_copy(const char *from, const char *to);
/* Removes a file, or a directory with all that is in it; nothing there is fine. */
void tree_remove(PATH_ARGS) PATH_FORMAT(2);
/* Of all names, texts of links, and bytes of files. */
uint64_t tree_digest(const char *path);

bool tree_has(PATH_ARGS) PATH_FORMAT(2);
void tree_mkdir(PATH_ARGS) PATH_FORMAT(2);
/* Replaces all that is in a file. */
void tree_put(const char *text, PATH_ARGS) PATH_FORMAT(3);
void tree_put_bytes(const void *data, size_t len, PATH_ARGS) PATH_FORMAT(4);
/* The text of a file without its last newline; "" where there is none. */
void tree_get(char *buf, size_t size, PATH_ARGS) PATH_FORMAT(4);
void tree_link(const char *target, PATH_ARGS) PATH_FORMAT(3);
/* The last part of where a link leads; "" where there is none. */
void tree_link_name(char *buf, size_t size, PATH_ARGS) PATH_FORMAT(4);
void tree_move(int dir, const char *from, const char *to);

#endif
