// SPDX-License-Identifier: GPL-2.0-or-later
/* Archives that come from anybody: written as no vfcap would, cut and damaged. */
#include "tree.h"

#include "../../src/host/capture.h"
#include "../../src/util/tar.h"

/* An archive that is being made. */
struct archive {
	struct tree t;
	char file[96];
	int fd;
	struct vfcap_tar_out out;
	struct vfcap_host host;
};

static struct archive *begin(void)
{
	struct archive *a = calloc(1, sizeof(*a));

	assert_non_null(a);
	tree_new(&a->t);
	snprintf(a->file, sizeof(a->file), "%s/host.tar", a->t.dir);
	a->fd = open(a->file, O_RDWR | O_CREAT | O_TRUNC, 0600);
	assert_true(a->fd >= 0);
	vfcap_tar_begin(&a->out, a->fd, false);
	vfcap_tar_add(&a->out, VFCAP_CAPTURE_MARK, VFCAP_CAPTURE_HEAD, strlen(VFCAP_CAPTURE_HEAD));
	return a;
}

static void end(struct archive *a)
{
	close(a->fd);
	tree_free(&a->t);
	free(a);
}

static int take(struct archive *a)
{
	int err;

	a->host.error[0] = '\0';
	err = vfcap_capture_open(&a->host, a->file);
	assert_int_equal(!err, a->host.root != NULL);
	if (err)
		assert_true(strncmp(a->host.error, a->file, strlen(a->file)) == 0);
	vfcap_root_close(a->host.root);
	a->host.root = NULL;
	return err;
}

/* Writes the rest, and sees that it is refused for that. */
static void refused(struct archive *a, const char *why)
{
	assert_int_equal(vfcap_tar_end(&a->out), 0);
	assert_int_equal(take(a), -EBADMSG);
	if (!strstr(a->host.error, why))
		fail_msg("%s: not: %s", a->host.error, why);
	end(a);
}

static void test_names(void **state)
{
	static const char *const names[] = {
		"/etc/passwd", "../outside", "sys/../../outside", "sys/..",
		"..",	       "sys//bus",   "sys/./bus",	  "./../outside",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct archive *a = begin();

		vfcap_tar_add(&a->out, names[i], "x", 1);
		refused(a, "leads elsewhere");
	}
}

/* A link is text, and nobody is led by it while the tree is made. */
static void test_through_links(void **state)
{
	struct archive *a = begin();

	(void)state;
	vfcap_tar_add_link(&a->out, "sys", "/tmp");
	vfcap_tar_add(&a->out, "sys/file", "x", 1);
	refused(a, "through what is no directory");
	a = begin();
	vfcap_tar_add_link(&a->out, "sys", "etc");
	vfcap_tar_add_dir(&a->out, "sys");
	refused(a, "through what is no directory");
	a = begin();
	vfcap_tar_add_link(&a->out, "file", "/tmp/vfcap-unit-written");
	vfcap_tar_add(&a->out, "file", "x", 1);
	refused(a, "twice");
	a = begin();
	vfcap_tar_add_link(&a->out, "file", "");
	refused(a, "leads nowhere");
}

/* What says that it is a capture is a file, and no link to one. */
static void test_mark(void **state)
{
	static const char *const marks[] = { "vfcap-capture 2\n", "vfcap-capture 1", "" };
	struct archive *a;

	(void)state;
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		a = begin();
		a->out.n = 0;
		vfcap_tar_add(&a->out, VFCAP_CAPTURE_MARK, marks[i], strlen(marks[i]));
		refused(a, "of another version");
	}
	a = begin();
	a->out.n = 0;
	vfcap_tar_add(&a->out, "mark", VFCAP_CAPTURE_HEAD, strlen(VFCAP_CAPTURE_HEAD));
	vfcap_tar_add_link(&a->out, VFCAP_CAPTURE_MARK, "mark");
	refused(a, "does not say so");
}

static void test_twice(void **state)
{
	struct archive *a = begin();

	(void)state;
	vfcap_tar_add(&a->out, "sys/file", "x", 1);
	vfcap_tar_add_dir(&a->out, "sys");
	vfcap_tar_add(&a->out, "sys/file", "y", 1);
	refused(a, "twice");
	a = begin();
	vfcap_tar_add(&a->out, "sys", "x", 1);
	vfcap_tar_add(&a->out, "sys/file", "y", 1);
	refused(a, "no directory");
}

/* Changes a header that was just written and is still in the buffer, and its checksum with it. */
static void change_header(struct archive *a, size_t at, size_t off, const char *text, size_t len)
{
	uint8_t *h = a->out.buf + at;
	unsigned int sum = 0;

	memcpy(h + off, text, len);
	memset(h + 148, ' ', 8);
	for (size_t i = 0; i < VFCAP_TAR_BLOCK; i++)
		sum += h[i];
	snprintf((char *)h + 148, 8, "%06o", sum);
}

static void test_types(void **state)
{
	static const char types[] = "1346789DMSVx";

	(void)state;
	for (const char *type = types; *type; type++) {
		struct archive *a = begin();
		size_t at = a->out.n;

		vfcap_tar_add(&a->out, "dev/null", "", 0);
		change_header(a, at, 156, type, 1);
		assert_int_equal(vfcap_tar_end(&a->out), 0);
		assert_int_equal(take(a), *type == 'x' ? 0 : -EBADMSG);
		end(a);
	}
}

static void test_sizes(void **state)
{
	static const char *const sizes[] = { "77777777777", "00020000001",
					     "\x80\0\0\0\0\0\0\0\0\0\0", "-0000000001" };

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct archive *a = begin();
		size_t at = a->out.n;

		vfcap_tar_add(&a->out, "sys/file", "x", 1);
		change_header(a, at, 124, sizes[i], 11);
		refused(a, i < 2 ? "too large" : "makes no sense");
	}
}

static void test_long_names(void **state)
{
	char name[3000], target[3000];
	struct archive *a;

	(void)state;
	for (size_t len = 90; len < 1000; len += 7) {
		a = begin();
		for (size_t i = 0; i < len; i++)
			name[i] = i % 50 == 49 ? '/' : 'n';
		name[len] = '\0';
		name[len - 1] = 'e';
		memcpy(target, name, len + 1);
		target[0] = '/';
		vfcap_tar_add_link(&a->out, name, target);
		assert_int_equal(vfcap_tar_end(&a->out), 0);
		assert_int_equal(take(a), 0);
		end(a);
	}
	memset(name, 'n', 2999);
	name[2999] = '\0';
	a = begin();
	vfcap_tar_add(&a->out, name, "x", 1);
	refused(a, "too long");
}

/* What was written comes back, whatever the lengths. */
static void test_back(void **state)
{
	struct archive *a = begin();
	struct vfcap_tar_entry *entry = calloc(1, sizeof(*entry));
	char name[700], bytes[3000], *whole;
	struct vfcap_tar_in in;

	(void)state;
	memset(bytes, 'b', sizeof(bytes));
	memset(name, 'd', sizeof(name));
	for (size_t i = 1; i < 690; i += 13) {
		name[i] = '\0';
		if (i > 30)
			name[i - 30] = '/';
		vfcap_tar_add(&a->out, name, bytes, 4 * i);
		vfcap_tar_add_link(&a->out, "link", name);
		name[i] = 'd';
	}
	assert_int_equal(vfcap_tar_end(&a->out), 0);
	whole = malloc(a->out.written);
	assert_non_null(whole);
	assert_int_equal(pread(a->fd, whole, a->out.written, 0), a->out.written);
	vfcap_tar_open(&in, whole, a->out.written);
	assert_int_equal(vfcap_tar_next(&in, entry), 1);
	assert_string_equal(entry->path, VFCAP_CAPTURE_MARK);
	memset(name, 'd', sizeof(name));
	for (size_t i = 1; i < 690; i += 13) {
		name[i] = '\0';
		if (i > 30)
			name[i - 30] = '/';
		assert_int_equal(vfcap_tar_next(&in, entry), 1);
		assert_int_equal(entry->type, VFCAP_TAR_FILE);
		assert_string_equal(entry->path, name);
		assert_int_equal(entry->size, 4 * i);
		assert_memory_equal(entry->bytes, bytes, 4 * i);
		assert_int_equal(vfcap_tar_next(&in, entry), 1);
		assert_int_equal(entry->type, VFCAP_TAR_LINK);
		assert_string_equal(entry->target, name);
		name[i] = 'd';
	}
	assert_int_equal(vfcap_tar_next(&in, entry), 0);
	free(whole);
	free(entry);
	end(a);
}

static void make_small(struct archive *a)
{
	char name[300];

	memset(name, 'n', sizeof(name));
	name[299] = '\0';
	name[120] = '/';
	vfcap_tar_add_dir(&a->out, "sys/bus");
	vfcap_tar_add(&a->out, name, "bytes", 5);
	vfcap_tar_add_link(&a->out, "sys/link", "bus");
	assert_int_equal(vfcap_tar_end(&a->out), 0);
}

static void test_cut(void **state)
{
	struct archive *a = begin();
	off_t size;

	(void)state;
	make_small(a);
	size = lseek(a->fd, 0, SEEK_END);
	for (off_t len = size - 1024; len >= 0; len -= 64) {
		assert_int_equal(ftruncate(a->fd, len), 0);
		assert_int_equal(take(a), -EBADMSG);
	}
	end(a);
}

/* Any byte may be any other; headers are made good again, so that more than checksums is looked at. */
static void test_damaged(void **state)
{
	static uint8_t whole[16384], bytes[16384];
	struct archive *a = begin();
	unsigned int good = 0;
	ssize_t size;

	(void)state;
	make_small(a);
	size = pread(a->fd, whole, sizeof(whole), 0);
	assert_true(size > 3000);
	srand(1);
	for (int i = 0; i < 3000; i++) {
		size_t at = (size_t)rand() % (size_t)size, block = at / 512 * 512;
		unsigned int sum = 0;

		memcpy(bytes, whole, (size_t)size);
		bytes[at] = (uint8_t)rand();
		if (memcmp(bytes + block + 257, "ustar", 5) == 0) {
			memset(bytes + block + 148, ' ', 8);
			for (size_t k = 0; k < 512; k++)
				sum += bytes[block + k];
			snprintf((char *)bytes + block + 148, 8, "%06o", sum);
		}
		assert_int_equal(pwrite(a->fd, bytes, (size_t)size, 0), size);
		good += !take(a);
	}
	assert_true(good > 100 && good < 2900);
	end(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),	   cmocka_unit_test(test_through_links),
		cmocka_unit_test(test_mark),	   cmocka_unit_test(test_twice),
		cmocka_unit_test(test_types),	   cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_long_names), cmocka_unit_test(test_back),
		cmocka_unit_test(test_cut),	   cmocka_unit_test(test_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
