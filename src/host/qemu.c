// SPDX-License-Identifier: GPL-2.0-or-later
/* What QEMU on the live host can do, by asking it. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "system.h"

#define LIMIT 5000 /* milliseconds; it takes some hundred */

/* A machine's QEMU, its IOMMU for guests, and the property of that which has PASIDs (QEMU 11.1). */
static const struct {
	const char *machine, *program, *iommu, *property;
} kinds[] = {
	{ "x86_64", "qemu-system-x86_64", "intel-iommu,help", "pasid-bits=" },
	{ "aarch64", "qemu-system-aarch64", "arm-smmuv3,help", "ssidsize=" },
};

static long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000L + t.tv_nsec / 1000000;
}

/* All that comes before the end, or before the time is up; a long text is cut. Ended. */
static bool read_all(int fd, char *buf, size_t size)
{
	long end = now_ms() + LIMIT;
	size_t len = 0;
	char rest[512];

	for (;;) {
		struct pollfd wait = { .fd = fd, .events = POLLIN };
		long left = end - now_ms();
		bool full = len == size - 1;
		ssize_t n;

		if (left <= 0 || TEMP_FAILURE_RETRY(poll(&wait, 1, (int)left)) <= 0)
			return false;
		n = TEMP_FAILURE_RETRY(
			read(fd, full ? rest : buf + len, full ? sizeof(rest) : size - 1 - len));
		if (n <= 0) {
			buf[len] = '\0';
			return n == 0;
		}
		len += full ? 0 : (size_t)n;
	}
}

/* Its standard output ends in a pipe, and nothing else of ours is open in it. */
static int start(const char *path, char *const *args, int out, pid_t *pid)
{
	char *env[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", NULL };
	posix_spawn_file_actions_t actions;
	int err = posix_spawn_file_actions_init(&actions);

	if (err)
		return -err;
	err = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	if (!err)
		err = posix_spawn_file_actions_adddup2(&actions, out, 1);
	if (!err)
		err = posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
	if (!err)
		err = posix_spawn(pid, path, &actions, NULL, args, env);
	posix_spawn_file_actions_destroy(&actions);
	return -err;
}

/* What it says of a device; false when it could not be asked. */
static bool ask(const char *program, const char *device, char *buf, size_t size)
{
	char path[80], option[] = "-device", what[32];
	char *args[] = { path, option, what, NULL };
	bool whole = false;
	int pipe_fd[2];
	pid_t pid;

	snprintf(path, sizeof(path), "/%s", program);
	snprintf(what, sizeof(what), "%s", device);
	if (pipe2(pipe_fd, O_CLOEXEC))
		return false;
	if (start(path, args, pipe_fd[1], &pid)) {
		close(pipe_fd[0]);
		close(pipe_fd[1]);
		return false;
	}
	close(pipe_fd[1]);
	whole = read_all(pipe_fd[0], buf, size);
	close(pipe_fd[0]);
	if (!whole)
		kill(pid, SIGKILL);
	TEMP_FAILURE_RETRY(waitpid(pid, NULL, 0));
	return whole;
}

/* A device that it does not have is answered by nothing at all. */
static enum vfcap_answer has_property(const char *program, const char *device, const char *property)
{
	char text[16384];

	if (!ask(program, device, text, sizeof(text)) || !*text)
		return VFCAP_NOT_KNOWN;
	return strstr(text, property) ? VFCAP_YES : VFCAP_NO;
}

static bool find_program(const struct vfcap_host *h, const char *name, struct vfcap_system *sys)
{
	static const char *const dirs[] = { "usr/bin", "usr/local/bin" };

	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		snprintf(sys->qemu, sizeof(sys->qemu), "%s/%s", dirs[i], name);
		if (vfcap_root_has(h->root, sys->qemu) > 0)
			return true;
	}
	snprintf(sys->qemu, sizeof(sys->qemu), "usr/libexec/qemu-kvm");
	if (vfcap_root_has(h->root, sys->qemu) > 0)
		return true;
	sys->qemu[0] = '\0';
	return false;
}

void vfcap_qemu_read(const struct vfcap_host *h, struct vfcap_system *sys)
{
	struct utsname un = { 0 };

	uname(&un);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (h->live && strcmp(un.machine, kinds[i].machine))
			continue;
		if (!find_program(h, kinds[i].program, sys))
			continue;
		if (!h->live)
			return;
		sys->qemu_vpasid = has_property(sys->qemu, "vfio-pci,help", "x-vpasid-cap-offset=");
		sys->qemu_viommu = has_property(sys->qemu, kinds[i].iommu, kinds[i].property);
		return;
	}
}
