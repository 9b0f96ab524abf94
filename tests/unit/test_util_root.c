// SPDX-License-Identifier: GPL-2.0-or-later
/* Nothing outside of a root is reached: of a directory with openat2() and without it, of an archive. */
#include "pack.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "../../src/util/util.h"

/* <dir>/secret is outside of <dir>/root. */
static void make_tree(struct tree *t)
{
	tree_new(t);
	tree_text(t, "secret", "outside");
	tree_text(t, "root/a/file", "inside \n\n");
	tree_text(t, "root/secret", "mine");
	tree_link(t, "root/up", "../secret");
	tree_link(t, "root/a/up", "../../../../../../secret");
	tree_link(t, "root/absolute", "/a/file");
	tree_link(t, "root/dir", "a/../a/./");
	tree_link(t, "root/far", "dir/../dir/far2");
	tree_link(t, "root/a/far2", "/absolute");
	tree_link(t, "root/loop", "loop2");
	tree_link(t, "root/loop2", "/loop");
	tree_link(t, "root/dangling", "nowhere/at/all");
	assert_int_equal(mkfifoat(t->fd, "root/fifo", 0600), 0);
}

static void check(struct vfcap_root *root, const char *path, const char *want)
{
	char buf[64];
	ssize_t n = vfcap_root_read(root, path, buf, sizeof(buf));

	if (n < 0)
		fail_msg("%s: %s", path, strerror((int)-n));
	assert_string_equal(buf, want);
	assert_int_equal(n, strlen(want));
}

static void check_fails(struct vfcap_root *root, const char *path, int flags, int err)
{
	int fd = vfcap_root_openat(root, path, flags);

	if (fd != err)
		fail_msg("%s: %d instead of %d", path, fd, err);
}

/* Of both kinds. */
static void check_reading(struct vfcap_root *root)
{
	char buf[16], name[64];

	check(root, "a/file", "inside");
	check(root, "/a/file", "inside");
	check(root, "a//./file", "inside");
	check(root, "../../a/file", "inside");
	check(root, "up", "mine");
	check(root, "a/up", "mine");
	check(root, "absolute", "inside");
	check(root, "dir/file", "inside");
	check(root, "far", "inside");
	assert_int_equal(vfcap_root_read(root, "loop", buf, sizeof(buf)), -ELOOP);
	assert_int_equal(vfcap_root_read(root, "dangling", buf, sizeof(buf)), -ENOENT);
	assert_int_equal(vfcap_root_read(root, "a/file/x", buf, sizeof(buf)), -ENOTDIR);
	assert_int_equal(vfcap_root_read(root, "a", buf, sizeof(buf)), -EISDIR);
	assert_int_equal(vfcap_root_read(root, "", buf, sizeof(buf)), -ENOENT);
	assert_int_equal(vfcap_root_read(root, "a/file", buf, 4), -EFBIG);
	assert_string_equal(buf, "ins");
	assert_int_equal(vfcap_root_read_bytes(root, "a/file", buf, 4), 4);
	assert_int_equal(vfcap_root_has(root, "far"), 1);
	assert_int_equal(vfcap_root_has(root, "dangling"), 0);
	assert_int_equal(vfcap_root_has(root, "loop"), -ELOOP);
	assert_int_equal(vfcap_root_has(root, "a/file/x"), -ENOTDIR);
	assert_int_equal(vfcap_root_has_dir(root, "dir"), 1);
	assert_int_equal(vfcap_root_has_dir(root, "far"), 0);
	assert_int_equal(vfcap_root_has_dir(root, "dangling"), 0);
	assert_int_equal(vfcap_root_has_dir(root, "a/file/x"), -ENOTDIR);
	assert_int_equal(vfcap_root_resolve(root, "far", name, sizeof(name)), 6);
	assert_string_equal(name, "a/file");
	assert_int_equal(vfcap_root_resolve(root, "dir/", name, sizeof(name)), 1);
	assert_int_equal(vfcap_root_resolve(root, "dir/..", name, sizeof(name)), 0);
	assert_int_equal(vfcap_root_resolve(root, "a/file/", name, sizeof(name)), -ENOTDIR);
	assert_int_equal(vfcap_root_resolve(root, "a/file", name, 6), -ENAMETOOLONG);
	assert_int_equal(vfcap_root_read_link(root, "dir/up", name, sizeof(name)), 24);
	assert_int_equal(vfcap_root_read_link(root, "a/file", name, sizeof(name)), -ENOLINK);
	assert_int_equal(vfcap_root_read_link(root, "a", name, sizeof(name)), -ENOLINK);
	assert_int_equal(vfcap_root_read_link(root, "none", name, sizeof(name)), -ENOENT);
	assert_int_equal(vfcap_root_read_link_name(root, "dangling", name, sizeof(name)), 3);
	assert_false(vfcap_root_has_kernel(root));
}

static void check_dirs(struct vfcap_root *root)
{
	struct vfcap_names names;
	struct vfcap_dir d;
	struct stat st;
	char buf[16], *text;
	size_t len;

	assert_int_equal(vfcap_dir_open_itself(&d, root, "dir", &st), -ENOTDIR);
	assert_int_equal(vfcap_dir_open_itself(&d, root, "none", &st), -ENOENT);
	assert_int_equal(vfcap_dir_open_itself(&d, root, "a/up", &st), -ENOTDIR);
	assert_int_equal(vfcap_dir_open_itself(&d, root, "/a", &st), 0);
	assert_true(S_ISDIR(st.st_mode) && st.st_uid == geteuid() && !(st.st_mode & 022));
	assert_int_equal(vfcap_dir_stat(&d, "none", &st), -ENOENT);
	assert_int_equal(vfcap_dir_stat(&d, "up", &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(vfcap_dir_stat(&d, "file", &st), 0);
	assert_true(S_ISREG(st.st_mode) && st.st_uid == geteuid() && !(st.st_mode & 022));
	assert_int_equal(st.st_size, 9);
	vfcap_dir_close(&d);
	assert_int_equal(vfcap_dir_open(&d, root, "a/file"), -ENOTDIR);
	assert_false(vfcap_dir_is_open(&d));
	assert_int_equal(vfcap_dir_open(&d, root, "dir"), 0);
	assert_int_equal(vfcap_dir_read(&d, "file", buf, sizeof(buf)), 6);
	assert_int_equal(vfcap_dir_read(&d, "up", buf, sizeof(buf)), -ELOOP);
	assert_int_equal(vfcap_dir_read(&d, "none", buf, sizeof(buf)), -ENOENT);
	assert_int_equal(vfcap_dir_read_link_name(&d, "up", buf, sizeof(buf)), 6);
	assert_int_equal(vfcap_dir_read_link_name(&d, "file", buf, sizeof(buf)), -ENOLINK);
	assert_int_equal(vfcap_dir_load(&d, "file", 100, &text, &len), 0);
	assert_string_equal(text, "inside \n\n");
	free(text);
	assert_int_equal(vfcap_dir_load(&d, "file", 8, &text, &len), -EFBIG);
	assert_null(text);
	assert_int_equal(vfcap_dir_list(&d, &names), 0);
	vfcap_names_sort(&names);
	assert_int_equal(names.n, 3);
	assert_string_equal(names.name[0], "far2");
	assert_string_equal(names.name[1], "file");
	assert_string_equal(names.name[2], "up");
	vfcap_names_free(&names);
	vfcap_dir_close(&d);
	assert_int_equal(vfcap_root_list(root, "secret", &names), -ENOTDIR);
	assert_int_equal(vfcap_root_list(root, "/", &names), 0);
	assert_true(names.n >= 9);
	vfcap_names_free(&names);
}

static void check_all(const struct tree *t)
{
	struct vfcap_root *root;
	char dir[80], buf[16];

	snprintf(dir, sizeof(dir), "%s/root", t->dir);
	assert_int_equal(vfcap_root_open(&root, dir), 0);
	assert_string_equal(vfcap_root_dir(root), dir);
	check_reading(root);
	check_dirs(root);
	check_fails(root, "loop", O_RDONLY, -ELOOP);
	check_fails(root, "dangling", O_RDONLY, -ENOENT);
	check_fails(root, "a/file/x", O_RDONLY, -ENOTDIR);
	check_fails(root, "a/file/..", O_RDONLY, -ENOTDIR);
	check_fails(root, "a/file/", O_RDONLY, -ENOTDIR);
	check_fails(root, "up", O_RDONLY | O_NOFOLLOW, -ELOOP);
	check_fails(root, "secret", O_RDONLY | O_DIRECTORY, -ENOTDIR);
	check_fails(root, "", O_RDONLY, -ENOENT);
	assert_int_equal(vfcap_root_read(root, "fifo", buf, sizeof(buf)), -ESPIPE);
	vfcap_root_close(root);
}

static void check_archive(const struct tree *t, const char *name, bool packed)
{
	struct vfcap_root *root;
	const char *why;
	char file[80];

	pack(t, "root", name, packed);
	snprintf(file, sizeof(file), "%s/%s", t->dir, name);
	assert_true(vfcap_is_archive(file));
	assert_int_equal(vfcap_root_open_archive(&root, file, &why), 0);
	assert_string_equal(vfcap_root_dir(root), file);
	assert_int_equal(unlinkat(t->fd, name, 0), 0); /* all of it is in memory */
	check_reading(root);
	check_dirs(root);
	check_fails(root, "a/file", O_RDONLY, -EROFS);
	vfcap_root_close(root);
}

static void test_archives(void **state)
{
	struct tree t;

	(void)state;
	make_tree(&t);
	check_archive(&t, "plain", false);
	check_archive(&t, "packed", true);
	tree_free(&t);
}

static void test_openat2(void **state)
{
	struct tree t;

	(void)state;
	make_tree(&t);
	check_all(&t);
	tree_free(&t);
}

/* Answers ENOSYS to openat2() from now on, as an old kernel would. */
static int forbid_openat2(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { sizeof(code) / sizeof(code[0]), code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog))
		return -1;
	return syscall(SYS_openat2, -1, "", NULL, 0) == -1 && errno == ENOSYS ? 0 : -1;
}

/* The last test: there is no way back. */
static void test_without_openat2(void **state)
{
	struct tree t;

	(void)state;
	if (forbid_openat2())
		skip();
	make_tree(&t);
	check_all(&t);
	tree_free(&t);
}

static void test_bad_roots(void **state)
{
	struct vfcap_root *root;
	struct tree t;
	char path[80];

	(void)state;
	tree_new(&t);
	tree_text(&t, "file", "x");
	snprintf(path, sizeof(path), "%s/nothing", t.dir);
	assert_int_equal(vfcap_root_open(&root, path), -ENOENT);
	assert_null(root);
	snprintf(path, sizeof(path), "%s/file", t.dir);
	assert_int_equal(vfcap_root_open(&root, path), -ENOTDIR);
	vfcap_root_close(NULL);
	tree_free(&t);
}

/* "/" is the one root with no outside. */
static void test_slash(void **state)
{
	struct vfcap_root *root;
	char buf[256];

	(void)state;
	assert_int_equal(vfcap_root_open(&root, "/"), 0);
	assert_true(vfcap_root_read(root, "proc/sys/kernel/osrelease", buf, sizeof(buf)) > 0);
	vfcap_root_close(root);
}

/* Somebody renames something while paths with ".." are opened, which makes the kernel say EAGAIN. */
static void test_while_renamed(void **state)
{
	struct vfcap_root *root;
	struct tree t;
	char dir[80];
	pid_t pid;

	(void)state;
	make_tree(&t);
	snprintf(dir, sizeof(dir), "%s/root", t.dir);
	assert_int_equal(vfcap_root_open(&root, dir), 0);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		while (!renameat(t.fd, "secret", t.fd, "renamed") &&
		       !renameat(t.fd, "renamed", t.fd, "secret"))
			;
		_exit(1);
	}
	assert_true(pid > 0);
	for (int i = 0; i < 5000; i++)
		check(root, "dir/../dir/far2", "inside");
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	vfcap_root_close(root);
	tree_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_openat2),	      cmocka_unit_test(test_archives),
		cmocka_unit_test(test_bad_roots),     cmocka_unit_test(test_slash),
		cmocka_unit_test(test_while_renamed), cmocka_unit_test(test_without_openat2),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
