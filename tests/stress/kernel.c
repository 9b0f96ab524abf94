// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * stress-kernel ROOT SOCKET: the kernel behind a root that many processes use at once, each with
 * tests/faults/kernel.c in it. It does one thing after the other, and each of them whole, whoever is killed
 * meanwhile. Prints "ready". stress-kernel ROOT: prints what can be seen of the PF and its VFs.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../faults/ask.h"
#include "../faults/played.h"
#include "../faults/tree.h"

#define DELETED " (deleted)"

/* What a process asks, of which file, and with which text. */
struct request {
	char what, text[4096];
	int fd;
};

/* False of one who was killed before all of it was sent. */
static bool receive(int sock, struct request *r)
{
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec iov[] = { { &r->what, 1 }, { r->text, sizeof(r->text) - 1 } };
	struct msghdr msg = { .msg_iov = iov,
			      .msg_iovlen = 2,
			      .msg_control = control.buf,
			      .msg_controllen = sizeof(control.buf) };
	ssize_t n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
	struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(&msg) : NULL;

	if (!c)
		return false;
	r->text[n - 1] = '\0';
	memcpy(&r->fd, CMSG_DATA(c), sizeof(r->fd));
	return true;
}

/* The path of an open file below the root; "": it is none. A file that was replaced meanwhile is the same one. */
static void path_of(const char *root, int fd, char path[PATH_MAX])
{
	char link[64], text[PATH_MAX];
	size_t skip = strlen(root), end;
	ssize_t n;

	path[0] = '\0';
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, text, sizeof(text) - 1);
	if (n <= 0)
		return;
	text[n] = '\0';
	end = strlen(text) > strlen(DELETED) ? strlen(text) - strlen(DELETED) : 0;
	if (end && strcmp(text + end, DELETED) == 0)
		text[end] = '\0';
	if (strncmp(text, root, skip) == 0 && text[skip] == '/')
		snprintf(path, PATH_MAX, "%s", text + skip + 1);
}

/* An attribute of a device that has gone is still open, and there no more. */
static int do_write(int dir, const char *path, const char *text)
{
	if (strncmp(path, "kernel/", strlen("kernel/")) == 0)
		return ENODEV;
	if (strncmp(path, "sys/", strlen("sys/")))
		return NOT_THE_KERNELS;
	return tree_has(dir, "%s", path) ? -played_write(dir, path, text) : ENODEV;
}

static struct reply answer(const char *root, int dir, const struct request *r)
{
	struct reply reply = { .fs = TMPFS_MAGIC };
	char path[PATH_MAX];

	path_of(root, r->fd, path);
	if (r->what == ASK_WRITE)
		reply.err = do_write(dir, path, r->text);
	else if (r->what == ASK_STATFS && path[0])
		reply.fs = played_statfs(path);
	else if (r->what == ASK_STATX && path[0])
		reply.is_device = played_device(dir, path, r->text, &reply.major, &reply.minor);
	return reply;
}

static void serve(const char *root, int dir, int sock)
{
	struct request r;
	struct reply reply;

	if (!receive(sock, &r))
		return;
	reply = answer(root, dir, &r);
	close(r.fd);
	if (send(sock, &reply, sizeof(reply), MSG_NOSIGNAL) < 0 && errno != EPIPE &&
	    errno != ECONNRESET)
		die("send: %s", strerror(errno));
}

static int listen_at(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (sock < 0 || bind(sock, (struct sockaddr *)&address, sizeof(address)) ||
	    listen(sock, 128))
		die("%s: %s", path, strerror(errno));
	return sock;
}

int main(int argc, char **argv)
{
	int dir = argc > 1 ? open(argv[1], O_PATH | O_DIRECTORY | O_CLOEXEC) : -1, sock;
	char root[PATH_MAX], text[1024];

	if (dir < 0 || !realpath(argv[1], root))
		die("usage: stress-kernel ROOT [SOCKET]");
	if (argc == 2) {
		played_look(dir, text, sizeof(text));
		puts(text);
		return 0;
	}
	played_begin(dir);
	sock = listen_at(argv[2]);
	puts("ready");
	fflush(stdout);
	for (;;) {
		int client = accept4(sock, NULL, NULL, SOCK_CLOEXEC);

		if (client < 0)
			die("accept: %s", strerror(errno));
		serve(root, dir, client);
		close(client);
	}
}
