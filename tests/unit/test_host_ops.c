// SPDX-License-Identifier: GPL-2.0-or-later
/* The worker that writes an attribute where the kernel may wait: signals, and the end of its parent. */
#include "tree.h"

#include "../../src/host/change.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

static struct tree tree;
static struct vfcap_host host;

/* A pipe that is full stands for a kernel that waits. */
static int open_full(void)
{
	char block[4096] = { 0 };
	int fd;

	assert_int_equal(mkfifoat(tree.fd, "attr", 0600), 0);
	fd = openat(tree.fd, "attr", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	assert_true(fd >= 0);
	while (write(fd, block, sizeof(block)) > 0)
		;
	assert_int_equal(errno, EAGAIN);
	return fd;
}

static void begin(void)
{
	memset(&host, 0, sizeof(host));
	tree_new(&tree);
	assert_int_equal(vfcap_root_open(&host.root, tree.dir), 0);
}

static void end(void)
{
	vfcap_root_close(host.root);
	tree_free(&tree);
}

/* The one child of a process, once it has none of its parent's descriptors any more: it writes. */
static pid_t worker_of(pid_t parent)
{
	char path[64], text[64] = "";
	pid_t child = 0;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", parent, parent);
	while (!child) {
		FILE *file = fopen(path, "r");

		assert_non_null(file);
		if (fgets(text, sizeof(text), file))
			child = atoi(text);
		fclose(file);
	}
	snprintf(path, sizeof(path), "/proc/%d/fd/2", child);
	while (faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		usleep(1000);
	return child;
}

static pid_t start_parent(void)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (!pid)
		_exit(vfcap_ops_kernel.attr(&host, "attr", "x", 600000) != 0);
	return pid;
}

/* A ^C goes to the worker as well: the parent alone deals with it. */
static void the_worker_ignores_what_ends_the_run(void **state)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	pid_t parent, worker;
	char block[4096];
	int fd, status;

	(void)state;
	begin();
	fd = open_full();
	parent = start_parent();
	worker = worker_of(parent);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(kill(worker, signals[i]), 0);
	assert_int_equal(read(fd, block, sizeof(block)), sizeof(block));
	assert_int_equal(waitpid(parent, &status, 0), parent);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	close(fd);
	end();
}

static void the_worker_ends_with_its_parent(void **state)
{
	pid_t parent, worker;
	int fd, status;

	(void)state;
	begin();
	fd = open_full();
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	parent = start_parent();
	worker = worker_of(parent);
	assert_int_equal(kill(parent, SIGKILL), 0);
	assert_int_equal(waitpid(parent, &status, 0), parent);
	assert_int_equal(waitpid(worker, &status, 0), worker);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	close(fd);
	end();
}

/* The caller's own signal mask is what it was. */
static void the_mask_stays(void **state)
{
	sigset_t before, after;

	(void)state;
	begin();
	tree_text(&tree, "attr", "");
	assert_int_equal(pthread_sigmask(SIG_SETMASK, NULL, &before), 0);
	assert_int_equal(vfcap_ops_kernel.attr(&host, "attr", "x", 60000), 0);
	assert_int_equal(pthread_sigmask(SIG_SETMASK, NULL, &after), 0);
	for (int sig = 1; sig < NSIG; sig++)
		assert_int_equal(sigismember(&before, sig), sigismember(&after, sig));
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_worker_ignores_what_ends_the_run),
		cmocka_unit_test(the_worker_ends_with_its_parent),
		cmocka_unit_test(the_mask_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
