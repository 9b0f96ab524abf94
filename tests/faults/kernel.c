// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Preloaded into vfcap: a played kernel stands behind the root. What is written to a file is told to
 * the harness, which changes the tree as the kernel would, and gives the errno. All of that happens in
 * system calls that vfcap itself does not make below a root, so that those can be told apart:
 * socket(), connect(), sendmsg(), recvfrom(), close().
 *
 *	FAULTS_SOCKET   where the harness listens; without it: no kernel
 *	FAULTS_ASK      the harness is asked before anything is written, and says what is left to be (-1): others
 *	                that read meanwhile see nothing that a kernel would not show
 *	FAULTS_CHILD    the child, from 1, that is to be told apart by strace
 *	FAULTS_PAD      SYSCALL:N: it begins with N calls of that number, which fail: what strace counts
 *	                then belongs to no other process
 */
/* What is defined here has the names that it has. */
#undef _FILE_OFFSET_BITS
#undef _TIME_BITS

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "ask.h"

/* Outside of static data there is nowhere to keep what a library needs to know. */
static struct {
	struct sockaddr_un address;
	bool ask;
	int child, children;
	long pad, pads;
} kernel;

/* What comes before is not vfcap's: where the harness begins to count. */
static void __attribute__((constructor)) begin(void)
{
	const char *path = getenv("FAULTS_SOCKET"), *child = getenv("FAULTS_CHILD");
	const char *pad = getenv("FAULTS_PAD");

	kernel.address.sun_family = AF_UNIX;
	if (path)
		snprintf(kernel.address.sun_path, sizeof(kernel.address.sun_path), "%s", path);
	if (child && pad && sscanf(pad, "%ld:%ld", &kernel.pad, &kernel.pads) == 2)
		kernel.child = atoi(child);
	kernel.ask = getenv("FAULTS_ASK");
	syscall(SYS_getpgid, 0);
}

/* ---------------------------------------------------------------------------------------- files -- */

static void put_fd(struct msghdr *msg, int fd)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
}

static struct reply ask(char what, int fd, const void *text, size_t len)
{
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	struct iovec iov[] = { { &what, 1 }, { (void *)text, len } };
	struct msghdr msg = { .msg_iov = iov,
			      .msg_iovlen = 2,
			      .msg_control = control.buf,
			      .msg_controllen = sizeof(control.buf) };
	int sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct reply reply;

	put_fd(&msg, fd);
	if (sock < 0 || connect(sock, (struct sockaddr *)&kernel.address, sizeof(kernel.address)) ||
	    sendmsg(sock, &msg, MSG_NOSIGNAL) < 0 ||
	    recv(sock, &reply, sizeof(reply), 0) != sizeof(reply))
		abort();
	close(sock);
	return reply;
}

static bool is_played(void)
{
	return kernel.address.sun_path[0];
}

/* What was written, and what the kernel does of it, are one: no signal comes in between. */
ssize_t write(int fd, const void *text, size_t len)
{
	bool is_file = fd != STDOUT_FILENO && fd != STDERR_FILENO && is_played();
	bool first = is_file && len && kernel.ask;
	ssize_t n = (ssize_t)len;
	sigset_t all, old;
	int err;

	sigfillset(&all);
	if (is_file)
		sigprocmask(SIG_BLOCK, &all, &old);
	err = first ? ask(ASK_WRITE, fd, text, len).err : NOT_THE_KERNELS;
	if (err == NOT_THE_KERNELS) {
		n = syscall(SYS_write, fd, text, len);
		err = n < 0 ? errno : 0;
	}
	if (n > 0 && is_file && !first)
		err = ask(ASK_WRITE, fd, text, len).err;
	if (is_file)
		sigprocmask(SIG_SETMASK, &old, NULL);
	if (err)
		errno = err;
	return err ? -1 : n;
}

/* Which file system that is, by either name that a program may have been built with. */
int fstatfs(int fd, struct statfs *fs)
{
	int err = (int)syscall(SYS_fstatfs, fd, fs);

	if (!err && is_played())
		fs->f_type = ask(ASK_STATFS, fd, "", 0).fs;
	return err;
}

int fstatfs64(int fd, struct statfs64 *fs)
{
#ifdef SYS_fstatfs64
	int err = (int)syscall(SYS_fstatfs64, fd, sizeof(*fs), fs);
#else
	int err = (int)syscall(SYS_fstatfs, fd, fs);
#endif

	if (!err && is_played())
		fs->f_type = ask(ASK_STATFS, fd, "", 0).fs;
	return err;
}

/* A descriptor of a process is a file with the numbers of its device in it. */
int statx(int dir, const char *path, int flags, unsigned int mask, struct statx *st)
{
	int err = (int)syscall(SYS_statx, dir, path, flags, mask, st);
	struct reply reply;

	if (err || !is_played() || dir < 0 || (flags & AT_SYMLINK_NOFOLLOW))
		return err;
	reply = ask(ASK_STATX, dir, path, strlen(path));
	if (reply.is_device) {
		st->stx_mode = (uint16_t)(S_IFCHR | (st->stx_mode & ~S_IFMT));
		st->stx_rdev_major = reply.major;
		st->stx_rdev_minor = reply.minor;
	}
	return 0;
}

/* ------------------------------------------------------------------------------------- children -- */

pid_t fork(void)
{
	pid_t (*real)(void) = (pid_t(*)(void))dlsym(RTLD_NEXT, "fork");
	int child = ++kernel.children;
	pid_t pid = real();

	for (long i = 0; pid == 0 && child == kernel.child && i < kernel.pads; i++)
		syscall(kernel.pad, -1L, -1L, -1L, -1L, -1L, -1L);
	return pid;
}
