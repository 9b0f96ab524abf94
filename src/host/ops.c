// SPDX-License-Identifier: GPL-2.0-or-later
/* Everything that changes a host: the only file of vfcap that writes to it. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "watch.h"

static bool has_kernel(const struct vfcap_host *h)
{
	return h->root && vfcap_root_has_kernel(h->root);
}

/* -------------------------------------------------------------------------------------- sysfs -- */

static int write_at_once(int fd, const char *text)
{
	ssize_t n = TEMP_FAILURE_RETRY(write(fd, text, strlen(text)));

	return n < 0 ? -errno : (size_t)n == strlen(text) ? 0 : -EIO;
}

/* What ends a run: its parent deals with that, and takes back what the worker has written. */
static const int run_signals[] = { SIGINT, SIGTERM, SIGHUP };

/* What is blocked now, and those. */
static void run_signals_set(sigset_t *set)
{
	pthread_sigmask(SIG_SETMASK, NULL, set);
	for (size_t i = 0; i < sizeof(run_signals) / sizeof(run_signals[0]); i++)
		sigaddset(set, run_signals[i]);
}

/* The worker ignores what ends its parent's run, and ends with its parent, before it gives the lock up: it would write
 * what a repair has seen not to be written. What hangs in the kernel ends there. */
static void live_with_parent(pid_t parent, const sigset_t *mask)
{
	for (size_t i = 0; i < sizeof(run_signals) / sizeof(run_signals[0]); i++)
		signal(run_signals[i], SIG_IGN);
	pthread_sigmask(SIG_SETMASK, mask, NULL);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent)
		_exit(1);
}

/* Holds nothing that its parent has open: a lock would live on with it. */
static _Noreturn void child_write(int fd, int result, const char *text)
{
	int err;

	if (dup2(fd, STDIN_FILENO) < 0 || dup2(result, STDOUT_FILENO) < 0)
		_exit(1);
	close_range(STDERR_FILENO, ~0U, 0);
	err = write_at_once(STDIN_FILENO, text);
	_exit(write(STDOUT_FILENO, &err, sizeof(err)) != sizeof(err));
}

/* As fork(). Signals wait until the worker ignores them: none finds it with its parent's handlers. */
static pid_t fork_worker(void)
{
	pid_t parent = getpid(), pid;
	sigset_t set, mask;

	run_signals_set(&set);
	pthread_sigmask(SIG_BLOCK, &set, &mask);
	pid = fork();
	if (pid == 0)
		live_with_parent(parent, &mask);
	else
		pthread_sigmask(SIG_SETMASK, &mask, NULL);
	return pid;
}

/* Writing may wait in the kernel for somebody, past the reach of signals: a child does. */
static int write_in_child(int fd, const char *text, int limit)
{
	int pipe_fd[2], err = -EIO;
	struct pollfd wait = { .events = POLLIN };
	pid_t pid;

	if (pipe2(pipe_fd, O_CLOEXEC))
		return -errno;
	pid = fork_worker();
	if (pid == 0)
		child_write(fd, pipe_fd[1], text);
	close(pipe_fd[1]);
	wait.fd = pipe_fd[0];
	if (pid < 0)
		err = -EAGAIN;
	else if (TEMP_FAILURE_RETRY(poll(&wait, 1, limit)) == 0)
		err = -ETIMEDOUT;
	else if (TEMP_FAILURE_RETRY(read(pipe_fd[0], &err, sizeof(err))) != sizeof(err))
		err = -EIO;
	close(pipe_fd[0]);
	if (pid > 0 && err != -ETIMEDOUT)
		TEMP_FAILURE_RETRY(waitpid(pid, NULL, 0));
	return err;
}

static int attr(struct vfcap_host *h, const char *path, const char *text, int limit)
{
	cleanup_close int fd = vfcap_root_openat(h->root, path, O_WRONLY);

	if (fd < 0)
		return fd;
	return limit ? write_in_child(fd, text, limit) : write_at_once(fd, text);
}

/* -------------------------------------------------------------------------------------- files -- */

static int write_to_disk(int fd, const char *text)
{
	size_t len = strlen(text);

	while (len) {
		ssize_t n = TEMP_FAILURE_RETRY(write(fd, text, len));

		if (n <= 0)
			return n ? -errno : -EIO;
		text += n;
		len -= (size_t)n;
	}
	return fdatasync(fd) ? -errno : 0;
}

/* What could not be written whole is cut off again: nothing may follow half a line, and "done" may not stand in the log of
 * a run that is taken back. */
static int append(struct vfcap_host *h, int fd, const char *text)
{
	off_t end = lseek(fd, 0, SEEK_END);
	int err;

	(void)h;
	if (end < 0)
		return -errno;
	err = write_to_disk(fd, text);
	return err && ftruncate(fd, end) ? -EIO : err;
}

static int save(struct vfcap_host *h, int dir, const char *name, const char *text)
{
	cleanup_close int fd = -1;
	char new[64];
	int err;

	(void)h;
	snprintf(new, sizeof(new), "%s.new", name);
	if (unlinkat(dir, new, 0) && errno != ENOENT)
		return errno == EISDIR ? -EEXIST : -errno;
	fd = openat(dir, new, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	err = write_to_disk(fd, text);
	if (!err && renameat(dir, new, dir, name))
		err = -errno;
	if (err) {
		unlinkat(dir, new, 0);
		return err;
	}
	return fsync(dir) ? -errno : 0;
}

static int drop(struct vfcap_host *h, int dir, const char *name)
{
	(void)h;
	if (unlinkat(dir, name, 0))
		return errno == ENOENT ? 0 : -errno;
	return fsync(dir) ? -errno : 0;
}

/* ------------------------------------------------------------------------------------- module -- */

/* With what ends a run blocked, as loading is not to be cut short: the run ends after it. */
static int spawn(pid_t *pid, const char *path, char **args, char **env)
{
	posix_spawnattr_t attr;
	sigset_t set;
	int err = posix_spawnattr_init(&attr);

	if (err)
		return err;
	run_signals_set(&set);
	err = posix_spawnattr_setsigmask(&attr, &set);
	if (!err)
		err = posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
	if (!err)
		err = posix_spawn(pid, path, NULL, &attr, args, env);
	posix_spawnattr_destroy(&attr);
	return err;
}

/* The program that the kernel itself would ask, on the host that runs us alone. -ENOENT: a kernel without modules, or
 * told to load none. */
static int modprobe_path(const struct vfcap_host *h, char *path, size_t size)
{
	ssize_t n = h->live ? vfcap_root_read(h->root, "proc/sys/kernel/modprobe", path, size) :
			      -ENOENT;

	return n > 0 ? 0 : n ? (int)n : -ENOENT;
}

static int module(struct vfcap_host *h, bool load)
{
	char path[256] = "", *args[] = { path, "-q", "-n", VFCAP_MODULE, NULL };
	char *env[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL };
	int status, err = modprobe_path(h, path, sizeof(path));
	pid_t pid;

	if (err)
		return err;
	if (load) {
		args[2] = args[3];
		args[3] = NULL;
	}
	err = spawn(&pid, path, args, env);
	if (err)
		return -err;
	if (TEMP_FAILURE_RETRY(waitpid(pid, &status, 0)) < 0)
		return -errno;
	if (!WIFEXITED(status))
		return -EIO;
	return WEXITSTATUS(status) ? -ENOENT : 0;
}

const struct vfcap_ops vfcap_ops_kernel = {
	.has_kernel = has_kernel,
	.attr = attr,
	.append = append,
	.save = save,
	.drop = drop,
	.module = module,
	.watch = vfcap_links_watch,
};
