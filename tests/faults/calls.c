// SPDX-License-Identifier: GPL-2.0-or-later
/* System calls: how each may fail, and which ones a run makes. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "faults.h"

/*
 * How a system call fails on a host that is short of something, or has a bad disk or device. That a file
 * is not there, or that an argument is wrong, is no fault but another host, or another program.
 */
#define OPENS                                       \
	{                                           \
		EIO, ENOMEM, EMFILE, ENFILE, EACCES \
	}
#define CREATES               \
	{                     \
		ENOSPC, EROFS \
	}
#define ON_DISK                                    \
	{                                          \
		EIO, ENOSPC, EROFS, ENOMEM, EACCES \
	}
#define LOOKS                       \
	{                           \
		EIO, ENOMEM, EACCES \
	}

const struct syscall syscalls[] = {
#ifdef SYS_open
	{ "open", SYS_open, OPENS, CREATES },
#endif
	{ "openat", SYS_openat, OPENS, CREATES },
	{ "openat2",
	  SYS_openat2,
	  { EIO, ENOMEM, EMFILE, ENFILE, EACCES, EAGAIN, ENOSYS },
	  CREATES },
	{ "read", SYS_read, { EIO, ENOMEM, ENODEV, EINTR }, { 0 } },
	{ "pread64", SYS_pread64, { EIO, ENOMEM, ENODEV, EINTR }, { 0 } },
	{ "getdents64", SYS_getdents64, { EIO, ENOMEM }, { 0 } },
#ifdef SYS_readlink
	{ "readlink", SYS_readlink, LOOKS, { 0 } },
#endif
	{ "readlinkat", SYS_readlinkat, LOOKS, { 0 } },
#ifdef SYS_newfstatat
	{ "newfstatat", SYS_newfstatat, LOOKS, { 0 } },
#endif
#ifdef SYS_fstat
	{ "fstat", SYS_fstat, { EIO, ENOMEM }, { 0 } },
#endif
	{ "statx", SYS_statx, LOOKS, { 0 } },
	{ "fstatfs", SYS_fstatfs, { EIO, ENOSYS }, { 0 } },
#ifdef SYS_access
	{ "access", SYS_access, LOOKS, { 0 } },
#endif
	{ "faccessat", SYS_faccessat, LOOKS, { 0 } },
	{ "faccessat2", SYS_faccessat2, LOOKS, { 0 } },
	{ "getcwd", SYS_getcwd, { ENOMEM, EACCES }, { 0 } },
	{ "write", SYS_write, { EIO, ENOSPC, ENOMEM, EBUSY, ENODEV, EINTR }, { 0 } },
	{ "pwrite64", SYS_pwrite64, { EIO, ENOSPC, ENOMEM, EINTR }, { 0 } },
	{ "fsync", SYS_fsync, { EIO, ENOSPC }, { 0 } },
	{ "fdatasync", SYS_fdatasync, { EIO, ENOSPC }, { 0 } },
	{ "ftruncate", SYS_ftruncate, { EIO, ENOSPC }, { 0 } },
	{ "renameat", -1, ON_DISK, { 0 } },
	{ "renameat2", SYS_renameat2, ON_DISK, { 0 } },
	{ "linkat", SYS_linkat, ON_DISK, { 0 } },
	{ "unlinkat", SYS_unlinkat, { EIO, EROFS, ENOMEM, EACCES }, { 0 } },
	{ "mkdirat", SYS_mkdirat, ON_DISK, { 0 } },
	{ "fchmod", SYS_fchmod, { EIO, EROFS, EPERM }, { 0 } },
	{ "fchown", SYS_fchown, { EIO, EROFS, EPERM }, { 0 } },
	{ "flock", SYS_flock, { ENOLCK, EIO, EINTR }, { 0 } },
#ifdef SYS_fork
	{ "fork", -1, { EAGAIN, ENOMEM }, { 0 } },
#endif
	{ "clone", -1, { EAGAIN, ENOMEM }, { 0 } },
	{ "clone3", -1, { EAGAIN, ENOMEM }, { 0 } },
#ifdef SYS_vfork
	{ "vfork", -1, { EAGAIN, ENOMEM }, { 0 } },
#endif
	{ "wait4", SYS_wait4, { EINTR, ECHILD }, { 0 } },
	{ "waitid", SYS_waitid, { EINTR, ECHILD }, { 0 } },
	{ "pipe2", SYS_pipe2, { EMFILE, ENFILE, ENOMEM }, { 0 } },
#ifdef SYS_dup2
	{ "dup2", SYS_dup2, { EMFILE, EBUSY, EINTR }, { 0 } },
#endif
	{ "dup3", SYS_dup3, { EMFILE, EBUSY, EINTR }, { 0 } },
	{ "close_range", SYS_close_range, { ENOSYS, ENOMEM }, { 0 } },
#ifdef SYS_poll
	{ "poll", SYS_poll, { ENOMEM, EINTR }, { 0 } },
#endif
	{ "ppoll", SYS_ppoll, { ENOMEM, EINTR }, { 0 } },
	{ "memfd_create", SYS_memfd_create, { EMFILE, ENFILE, ENOMEM }, { 0 } },
	{ "signalfd4", SYS_signalfd4, { EMFILE, ENFILE, ENOMEM }, { 0 } },
	{ "eventfd2", SYS_eventfd2, { EMFILE, ENFILE, ENOMEM }, { 0 } },
	{ "nanosleep", -1, { EINTR }, { 0 } },
	{ "clock_nanosleep", SYS_clock_nanosleep, { EINTR }, { 0 } },
	{ "mmap", SYS_mmap, { ENOMEM }, { 0 } },
	{ "mremap", SYS_mremap, { ENOMEM }, { 0 } },
	{ "brk", SYS_brk, { ENOMEM }, { 0 } },

	/* They do not fail, or nobody could do anything about it. */
	{ "close", SYS_close, { 0 }, { 0 } },
	{ "lseek", SYS_lseek, { 0 }, { 0 } },
	{ "fcntl", SYS_fcntl, { 0 }, { 0 } },
	{ "ioctl", SYS_ioctl, { 0 }, { 0 } },
	{ "fadvise64", SYS_fadvise64, { 0 }, { 0 } },
	{ "munmap", SYS_munmap, { 0 }, { 0 } },
	{ "mprotect", SYS_mprotect, { 0 }, { 0 } },
	{ "madvise", SYS_madvise, { 0 }, { 0 } },
	{ "futex", SYS_futex, { 0 }, { 0 } },
	{ "set_robust_list", SYS_set_robust_list, { 0 }, { 0 } },
	{ "rseq", -1, { 0 }, { 0 } },
	{ "getrandom", SYS_getrandom, { 0 }, { 0 } },
	{ "prlimit64", SYS_prlimit64, { 0 }, { 0 } },
	{ "sysinfo", SYS_sysinfo, { 0 }, { 0 } },
	{ "uname", SYS_uname, { 0 }, { 0 } },
	{ "rt_sigaction", SYS_rt_sigaction, { 0 }, { 0 } },
	{ "rt_sigprocmask", SYS_rt_sigprocmask, { 0 }, { 0 } },
	{ "rt_sigreturn", -1, { 0 }, { 0 } },
	{ "kill", -1, { 0 }, { 0 } },
	{ "tgkill", -1, { 0 }, { 0 } },
	{ "prctl", SYS_prctl, { 0 }, { 0 } },
	{ "getpid", SYS_getpid, { 0 }, { 0 } },
	{ "getppid", SYS_getppid, { 0 }, { 0 } },
	{ "gettid", SYS_gettid, { 0 }, { 0 } },
	{ "getuid", SYS_getuid, { 0 }, { 0 } },
	{ "geteuid", SYS_geteuid, { 0 }, { 0 } },
	{ "umask", SYS_umask, { 0 }, { 0 } },
	{ "sched_yield", SYS_sched_yield, { 0 }, { 0 } },
	{ "sched_getaffinity", SYS_sched_getaffinity, { 0 }, { 0 } },
	{ "clock_gettime", SYS_clock_gettime, { 0 }, { 0 } },
	{ "exit_group", -1, { 0 }, { 0 } },
	{ "exit", -1, { 0 }, { 0 } },
	{ NULL, 0, { 0 }, { 0 } },
};

/* Those of the preloaded library. */
static const char *const theirs[] = { "socket", "connect", "sendmsg", "recvfrom" };

#define BEGIN "getpgid(0)" /* by which it says that vfcap begins */

/* NULL: it is not vfcap's. */
static const struct syscall *find(const char *name, size_t len, bool begun)
{
	for (const struct syscall *s = syscalls; s->name; s++)
		if (strlen(s->name) == len && strncmp(s->name, name, len) == 0)
			return s;
	for (size_t i = 0; i < ARRAY_LEN(theirs); i++)
		if (strlen(theirs[i]) == len && strncmp(theirs[i], name, len) == 0)
			return NULL;
	if (!begun)
		return NULL;
	die("%.*s: how may that fail? A row in calls.c is wanted", (int)len, name);
}

static void add(struct calls *calls, const struct call *call)
{
	calls->call = realloc(calls->call, (calls->n + 1) * sizeof(*call));
	if (!calls->call)
		die("%s", strerror(ENOMEM));
	calls->call[calls->n++] = *call;
}

int calls_count(const struct calls *calls, const struct syscall *syscall, int process)
{
	int most = 0;

	for (size_t i = 0; i < calls->n; i++)
		if (calls->call[i].syscall == syscall &&
		    (process < 0 || calls->call[i].process == process) && calls->call[i].nth > most)
			most = calls->call[i].nth;
	return most;
}

int calls_process(int pids[CALLS_PROCESSES], int pid)
{
	int i = 0;

	while (i < CALLS_PROCESSES && pids[i] && pids[i] != pid)
		i++;
	if (i == CALLS_PROCESSES)
		die("more than %d processes", CALLS_PROCESSES);
	pids[i] = pid;
	return i;
}

/* Of what came before the beginning only the numbers count. */
static void drop_before(struct calls *calls, size_t begin)
{
	for (size_t i = begin; i < calls->n; i++)
		calls->call[i - begin] = calls->call[i];
	calls->n -= begin;
}

/* "1234 openat2(4, "sys", {flags=O_RDONLY...}) = 5"; what ends a call that was interrupted begins with "<...". */
static void add_line(struct calls *calls, const char *line, int pids[CALLS_PROCESSES], bool begun)
{
	const char *name = line + strspn(line, "0123456789 "), *end = strchr(name, '(');
	struct call call = { 0 };
	int pid = atoi(line);

	if (!end || *name == '<' || *name == '-' || *name == '+' ||
	    strncmp(name, "execve(", 7) == 0 || strncmp(name, "getpgid(", 8) == 0)
		return;
	call.process = calls_process(pids, pid);
	call.syscall = find(name, (size_t)(end - name), begun);
	if (!call.syscall)
		return;
	call.nth = calls_count(calls, call.syscall, call.process) + 1;
	call.creates = strstr(line, "O_CREAT");
	call.is_open = strstr(line, ", \"\", ");
	add(calls, &call);
}

void calls_read(struct calls *calls, const char *file)
{
	FILE *f = fopen(file, "re");
	int pids[CALLS_PROCESSES] = { 0 };
	char line[8192];
	size_t begin = 0;
	bool begun = false;

	*calls = (struct calls){ 0 };
	if (!f)
		die("%s: %s", file, strerror(errno));
	while (fgets(line, sizeof(line), f)) {
		add_line(calls, line, pids, begun);
		if (!begun && strstr(line, BEGIN)) {
			begun = true;
			begin = calls->n;
		}
	}
	fclose(f);
	if (!begun)
		die("%s: vfcap did not begin", file);
	drop_before(calls, begin);
}
