// SPDX-License-Identifier: GPL-2.0-or-later
/* Archives as trees: limits count what is made of them, and every path means what it means to a kernel. */
#include "pack.h"

#include <sys/mman.h>
#include <sys/wait.h>

#include "../../src/util/archive.h"

/* An archive that is being made in memory. */
struct made {
	int fd;
	struct vfcap_tar_out out;
};

static struct made *begin(bool packed)
{
	struct made *m = calloc(1, sizeof(*m));

	assert_non_null(m);
	m->fd = memfd_create("archive", MFD_CLOEXEC);
	assert_true(m->fd >= 0);
	vfcap_tar_begin(&m->out, m->fd, packed);
	return m;
}

/* Opens what was made: 0, or -errno and why. */
static int end(struct made *m, struct vfcap_archive **a, const char **why)
{
	char file[64], *data;
	size_t size;
	int err;

	assert_int_equal(vfcap_tar_end(&m->out), 0);
	snprintf(file, sizeof(file), "/proc/self/fd/%d", m->fd);
	err = vfcap_archive_load(file, &data, &size, why);
	if (!err)
		err = vfcap_archive_new(a, data, size, why);
	close(m->fd);
	free(m);
	return err;
}

static void refused(struct made *m, const char *want)
{
	struct vfcap_archive *a;
	const char *why = NULL;

	assert_int_equal(end(m, &a, &why), -EBADMSG);
	assert_non_null(why);
	assert_string_equal(why, want);
}

/* "d0/d0/.../NAME", of parts in all. */
static const char *deep(char *path, unsigned int parts, const char *name)
{
	char *s = path;

	for (unsigned int i = 1; i < parts; i++)
		s += sprintf(s, "d/");
	strcpy(s, name);
	return path;
}

static void test_depth(void **state)
{
	struct vfcap_archive *a;
	const char *why;
	char path[300];

	(void)state;
	for (int packed = 0; packed < 2; packed++) {
		struct made *m = begin(packed);

		vfcap_tar_add(&m->out, deep(path, 64, "file"), "x", 1);
		assert_int_equal(end(m, &a, &why), 0);
		assert_true(vfcap_archive_find(a, VFCAP_ARCHIVE_TOP, path, false) > 0);
		vfcap_archive_free(a);
		m = begin(packed);
		vfcap_tar_add(&m->out, deep(path, 65, "file"), "x", 1);
		refused(m, "directories in it are too deep");
	}
}

/* Directories that are nowhere named are made, too: 16,000 entries with 63 of them each are too many. */
static void test_implied_directories(void **state)
{
	struct vfcap_archive *a;
	const char *why;
	char path[300];
	struct made *m;

	(void)state;
	for (unsigned int n = 15000; n <= 16000; n += 1000) {
		m = begin(true);
		for (unsigned int i = 0; i < n; i++) {
			int len = sprintf(path, "%u/", i);

			deep(path + len, 63, "l");
			vfcap_tar_add_link(&m->out, path, "x");
		}
		if (n == 16000) {
			refused(m, "it is too large");
			continue;
		}
		assert_int_equal(end(m, &a, &why), 0);
		assert_true(vfcap_archive_find(a, VFCAP_ARCHIVE_TOP, path, true) > 0);
		vfcap_archive_free(a);
	}
}

static char *load(const char *text, size_t len, const char **why, int *err)
{
	int fd = memfd_create("text", MFD_CLOEXEC);
	char file[64], *data;
	size_t size;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, len), len);
	snprintf(file, sizeof(file), "/proc/self/fd/%d", fd);
	*err = vfcap_archive_load(file, &data, &size, why);
	close(fd);
	return data;
}

static void test_sizes(void **state)
{
	static char bytes[4 << 20];
	struct made *m = begin(true);
	struct vfcap_archive *a;
	char *many, *data;
	const char *why;
	size_t size;
	int err, fd;

	(void)state;
	vfcap_tar_add(&m->out, "file", bytes, sizeof(bytes));
	assert_int_equal(vfcap_tar_end(&m->out), 0);
	size = m->out.stored;
	many = malloc(128 * size);
	assert_non_null(many);
	assert_int_equal(pread(m->fd, many, size, 0), size);
	for (size_t i = 1; i < 128; i++)
		memcpy(many + i * size, many, size);
	load(many, 128 * size, &why, &err);
	assert_int_equal(err, -EBADMSG);
	assert_string_equal(why, "it is too large");
	data = load(many, size, &why, &err);
	assert_int_equal(err, 0);
	assert_int_equal(vfcap_archive_new(&a, data, m->out.written, &why), 0);
	vfcap_archive_free(a);
	free(many);
	close(m->fd);
	free(m);
	fd = memfd_create("large", MFD_CLOEXEC);
	assert_int_equal(ftruncate(fd, (512 << 20) + 1), 0);
	snprintf(bytes, sizeof(bytes), "/proc/self/fd/%d", fd);
	assert_int_equal(vfcap_archive_load(bytes, &data, &size, &why), -EBADMSG);
	assert_string_equal(why, "it is too large");
	close(fd);
}

static void test_packed(void **state)
{
	struct made *m = begin(true);
	char bytes[4096], *data;
	const char *why;
	ssize_t n;
	int err;

	(void)state;
	vfcap_tar_add(&m->out, "file", "text", 4);
	assert_int_equal(vfcap_tar_end(&m->out), 0);
	n = pread(m->fd, bytes, sizeof(bytes), 0);
	assert_int_equal(n, m->out.stored);
	assert_true(n > 60 && n < 1000 && m->out.written > 2000);
	data = load(bytes, (size_t)n, &why, &err);
	assert_int_equal(err, 0);
	free(data);
	memcpy(bytes + n, bytes, (size_t)n); /* two in a row are one */
	data = load(bytes, 2 * (size_t)n, &why, &err);
	assert_int_equal(err, 0);
	free(data);
	load(bytes, (size_t)n - 20, &why, &err);
	assert_int_equal(err, -EBADMSG);
	assert_string_equal(why, "it is damaged, or ends too early");
	bytes[n / 2] ^= 1;
	load(bytes, (size_t)n, &why, &err);
	assert_int_equal(err, -EBADMSG);
	assert_string_equal(why, "it is damaged, or ends too early");
	close(m->fd);
	free(m);
}

static void test_no_archives(void **state)
{
	char zeros[2048] = "", *data;
	const char *why;
	int err;

	(void)state;
	load("", 0, &why, &err);
	assert_int_equal(err, -EBADMSG);
	load(zeros, sizeof(zeros), &why, &err);
	assert_int_equal(err, -EBADMSG);
	assert_string_equal(why, "neither a directory nor an archive");
	load("\xfd"
	     "7zXZ",
	     6, &why, &err);
	assert_int_equal(err, -EPROTONOSUPPORT);
	assert_string_equal(why, "compressed: unxz it first, and take what comes of it");
	load("\x28\xb5\x2f\xfd  ", 6, &why, &err);
	assert_int_equal(err, -EPROTONOSUPPORT);
	assert_non_null(strstr(why, "unzstd"));
	data = NULL;
	err = vfcap_archive_load("/dev/zero", &data, &(size_t){ 0 }, &why);
	assert_int_equal(err, -EBADMSG);
	err = vfcap_archive_load("/nowhere", &data, &(size_t){ 0 }, &why);
	assert_int_equal(err, -ENOENT);
	assert_null(why);
	assert_null(data);
	assert_false(vfcap_is_archive("/dev/zero"));
	assert_false(vfcap_is_archive("/proc/self/exe"));
	assert_false(vfcap_is_archive("/tmp"));
}

/* The name of its first file is what an archive begins with. */
static void test_marks_as_names(void **state)
{
	static const char *const names[] = { "\x1f\x8b"
					     "file",
					     "\xfd"
					     "7zXZ",
					     "BZh9" };
	struct vfcap_archive *a;
	const char *why;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct made *m = begin(false);

		vfcap_tar_add(&m->out, names[i], "text", 4);
		assert_int_equal(end(m, &a, &why), 0);
		assert_true(vfcap_archive_find(a, VFCAP_ARCHIVE_TOP, names[i], false) > 0);
		vfcap_archive_free(a);
	}
}

/* A pipe, a part at a time. */
static void test_pipe(void **state)
{
	struct made *m = begin(false);
	char file[64], *data, buf[512];
	const char *why;
	int fds[2];
	size_t size;
	pid_t pid;

	(void)state;
	vfcap_tar_add(&m->out, "file", "text", 4);
	assert_int_equal(vfcap_tar_end(&m->out), 0);
	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		close(fds[0]);
		for (off_t at = 0; pread(m->fd, buf, sizeof(buf), at) > 0; at += 512)
			if (write(fds[1], buf, sizeof(buf)) < 0)
				_exit(1);
		_exit(0);
	}
	assert_true(pid > 0);
	close(fds[1]);
	snprintf(file, sizeof(file), "/proc/self/fd/%d", fds[0]);
	assert_int_equal(vfcap_archive_load(file, &data, &size, &why), 0);
	assert_int_equal(size, m->out.written);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	free(data);
	close(fds[0]);
	close(m->fd);
	free(m);
}

/* What open(2) says, which the reader does not tell apart. */
static const struct {
	const char *path;
	bool nofollow;
	int err;
} wrong[] = {
	{ "", false, -ENOENT },
	{ "none", false, -ENOENT },
	{ "none/..", false, -ENOENT },
	{ "dir/file/x", false, -ENOTDIR },
	{ "dir/file/", false, -ENOTDIR },
	{ "dir/file/..", false, -ENOTDIR },
	{ "dir/file/.", false, -ENOTDIR },
	{ "link/", false, -ENOTDIR },
	{ "link/", true, -ENOTDIR },
	{ "loop", false, -ELOOP },
	{ "loop/x", true, -ELOOP },
	{ "l41", false, -ELOOP },
};

static void test_errors(void **state)
{
	struct made *m = begin(false);
	struct vfcap_archive *a;
	char name[300], path[4200];
	const char *why;

	(void)state;
	vfcap_tar_add(&m->out, "dir/file", "text", 4);
	vfcap_tar_add_link(&m->out, "link", "/dir/file");
	vfcap_tar_add_link(&m->out, "loop", "./loop");
	vfcap_tar_add_link(&m->out, "l0", "dir");
	for (int i = 1; i < 42; i++) {
		snprintf(name, sizeof(name), "l%d", i);
		snprintf(path, sizeof(path), "l%d", i - 1);
		vfcap_tar_add_link(&m->out, name, path);
	}
	assert_int_equal(end(m, &a, &why), 0);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (vfcap_archive_find(a, 0, wrong[i].path, wrong[i].nofollow) != wrong[i].err)
			fail_msg("%s", wrong[i].path);
	assert_int_equal(vfcap_archive_find(a, 0, "l39", false),
			 vfcap_archive_find(a, 0, "dir", true));
	memset(name, 'n', 256);
	name[256] = '\0';
	assert_int_equal(vfcap_archive_find(a, 0, name, false), -ENAMETOOLONG);
	memset(path, '/', 4096);
	path[4096] = '\0';
	assert_int_equal(vfcap_archive_find(a, 0, path, false), -ENAMETOOLONG);
	path[4095] = '\0';
	assert_int_equal(vfcap_archive_find(a, 0, path, false), VFCAP_ARCHIVE_TOP);
	vfcap_archive_free(a);
}

/* ---------------------------------------------------------------- the same of both kinds of root -- */

static const char *const words[] = {
	"a", "b", "c", "up", "abs", "loop", "gone", "..", ".", "f", ""
};
#define WORDS (sizeof(words) / sizeof(words[0]))

static char *random_path(char *path, size_t most)
{
	size_t n = (size_t)rand() % most + 1;

	path[0] = '\0';
	for (size_t i = 0; i < n; i++)
		sprintf(path + strlen(path), "%s%s", i || rand() % 8 == 0 ? "/" : "",
			words[(size_t)rand() % WORDS]);
	return path;
}

/* Links that lead anywhere, files and directories, all by the few names that paths are made of. */
static void make_random(struct tree *t)
{
	char path[200], target[200];

	tree_new(t);
	tree_dirs(t, "root/");
	for (int i = 0; i < 40; i++) {
		const char *name = words[(size_t)rand() % 7];
		int dir = openat(t->fd, "root", O_RDONLY | O_DIRECTORY), next;

		for (int k = rand() % 3; k; k--) {
			next = openat(dir, words[(size_t)rand() % 3],
				      O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
			if (next < 0)
				continue;
			close(dir);
			dir = next;
		}
		snprintf(path, sizeof(path), "file %d", i);
		if (rand() % 3 == 0)
			mkdirat(dir, words[(size_t)rand() % 3], 0755);
		else if (rand() % 2 && *random_path(target, 4))
			symlinkat(target, dir, name);
		else if ((next = openat(dir, "f", O_WRONLY | O_CREAT | O_EXCL, 0644)) >= 0) {
			assert_int_equal(write(next, path, strlen(path)), strlen(path));
			close(next);
		}
		close(dir);
	}
}

struct answers {
	ssize_t n[8];
	char text[6][512];
	struct vfcap_names names;
};

static void ask(struct vfcap_root *root, const char *path, const char *dir, const char *name,
		struct answers *a)
{
	cleanup_dir struct vfcap_dir d = VFCAP_DIR_NONE;

	memset(a, 0, sizeof(*a));
	a->n[0] = vfcap_root_read(root, path, a->text[0], 512);
	a->n[1] = vfcap_root_read_link(root, path, a->text[1], 512);
	a->n[2] = vfcap_root_has(root, path);
	a->n[3] = vfcap_root_resolve(root, path, a->text[2], 512);
	a->n[4] = vfcap_root_list(root, path, &a->names);
	vfcap_names_sort(&a->names);
	a->n[5] = vfcap_dir_open(&d, root, dir);
	if (a->n[5])
		return;
	a->n[6] = vfcap_dir_read(&d, name, a->text[3], 512);
	a->n[7] = vfcap_dir_read_link_name(&d, name, a->text[4], 512);
}

static void compare(struct vfcap_root *root, struct vfcap_root *archive)
{
	char path[200], dir[200];
	struct answers of_dir, of_archive;

	for (int i = 0; i < 2000; i++) {
		const char *name = words[(size_t)rand() % 7];

		random_path(path, 6);
		random_path(dir, 3);
		ask(root, path, dir, name, &of_dir);
		ask(archive, path, dir, name, &of_archive);
		if (memcmp(of_dir.n, of_archive.n, sizeof(of_dir.n)) ||
		    memcmp(of_dir.text, of_archive.text, sizeof(of_dir.text)) ||
		    of_dir.names.n != of_archive.names.n)
			fail_msg("%s, or %s in %s", path, name, dir);
		for (size_t k = 0; k < of_dir.names.n; k++)
			assert_string_equal(of_dir.names.name[k], of_archive.names.name[k]);
		vfcap_names_free(&of_dir.names);
		vfcap_names_free(&of_archive.names);
	}
}

static void test_same(void **state)
{
	struct vfcap_root *root, *archive;
	char path[128];
	const char *why;
	struct tree t;

	(void)state;
	srand(1);
	for (int i = 0; i < 12; i++) {
		make_random(&t);
		pack(&t, "root", "file", i % 2);
		snprintf(path, sizeof(path), "%s/root", t.dir);
		assert_int_equal(vfcap_root_open(&root, path), 0);
		snprintf(path, sizeof(path), "%s/file", t.dir);
		assert_int_equal(vfcap_root_open_archive(&archive, path, &why), 0);
		compare(root, archive);
		vfcap_root_close(root);
		vfcap_root_close(archive);
		tree_free(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_depth),	       cmocka_unit_test(test_implied_directories),
		cmocka_unit_test(test_sizes),	       cmocka_unit_test(test_packed),
		cmocka_unit_test(test_no_archives),    cmocka_unit_test(test_pipe),
		cmocka_unit_test(test_marks_as_names), cmocka_unit_test(test_errors),
		cmocka_unit_test(test_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
