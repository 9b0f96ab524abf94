// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What outlives a run and cannot be read: a log, a record, a boot ID, a lock or their directory that is damaged, that is
 * something else, or a later vfcap's. Nothing is taken back, nothing is overwritten, and the object is named.
 */
#include "played.h"

#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define STATE "run/vfcap/" PF
#define BOOT_ID "proc/sys/kernel/random/boot_id"
#define BOOT "6fd3c1b1-0000-4000-8000-0000deadbeef"
#define HEAD "vfcap-undo 1 enable " PF " " BOOT "\n"
#define LOG HEAD "override 0000:01:02.0 - vfcap-vfio-pci\n"

static const struct vfcap_change_options enable = { .wish.want[VFCAP_EMUL_PASID] = true,
						    .wait = 1 };
static const struct vfcap_change_options disable = { .disable = true, .wait = 1 };

/* A directory of state, with nothing in it. */
static void start(void)
{
	world_new();
	assert_int_equal(mkdirat(world.tree.fd, "run/vfcap", 0700), 0);
	alarm(60); /* what hangs fails */
}

static void end(void)
{
	alarm(0);
	world_end();
}

static void expect_all(const struct vfcap_change_options *opt, enum vfcap_result result,
		       const char *message)
{
	struct vfcap_function *vf, *all[VFS];
	struct vfcap *ctx = open_host();
	struct vfcap_change *change;
	size_t n = 0;

	vfcap_vf_foreach(pf_of(ctx), vf)
		all[n++] = vf;
	assert_int_equal(vfcap_change(ctx, all, n, opt, &change), 0);
	for (size_t i = 0; i < n; i++) {
		const struct vfcap_outcome *out = vfcap_change_outcome(change, i);

		if (out->result != result || (message && !strstr(out->message, message)))
			fail_msg("%s: %s", vfcap_result_name(out->result), out->message);
	}
	vfcap_change_free(change);
	vfcap_free(ctx);
}

/* Neither of them does anything. */
static void expect_refusal(const char *message)
{
	char before[512], after[512];

	snapshot(before, sizeof(before));
	world.writes = 0;
	expect_all(&enable, VFCAP_FAILED, message);
	expect_all(&disable, VFCAP_FAILED, message);
	assert_int_equal(world.writes, 0);
	snapshot(after, sizeof(after));
	assert_string_equal(before, after);
}

static void expect_repair(int err, const char *message)
{
	struct vfcap *ctx = open_host();

	assert_int_equal(vfcap_repair(pf_of(ctx)), err);
	if (message && !strstr(vfcap_error(ctx), message))
		fail_msg("%s", vfcap_error(ctx));
	vfcap_free(ctx);
}

/* err: that it cannot be known. */
static struct vfcap_leftover expect_leftover(int err, const char *message)
{
	struct vfcap *ctx = open_host();
	struct vfcap_leftover left;

	assert_int_equal(vfcap_function_leftover(pf_of(ctx), &left), err);
	if (message && !strstr(vfcap_error(ctx), message))
		fail_msg("%s", vfcap_error(ctx));
	vfcap_free(ctx);
	return left;
}

static void assert_text(const char *path, const char *text)
{
	char buf[512];
	int fd = openat(world.tree.fd, path, O_RDONLY);
	ssize_t n = read(fd, buf, sizeof(buf));

	close(fd);
	assert_int_equal(n, strlen(text));
	assert_memory_equal(buf, text, strlen(text));
}

static void remove_it(const char *path)
{
	if (unlinkat(world.tree.fd, path, 0))
		assert_int_equal(unlinkat(world.tree.fd, path, AT_REMOVEDIR), 0);
}

/* ------------------------------------------------------------------------------------------- log -- */

static void a_damaged_log_stays(void **state)
{
	static const char zeros[256], cut[] = LOG "\0\0\0";
	static const struct {
		const char *data;
		size_t len;
	} bad[] = {
		{ zeros, sizeof(zeros) },
		{ cut, sizeof(cut) },
		{ "", 0 },
		{ HEAD, strlen(HEAD) - 1 },
	};

	(void)state;
	start();
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		tree_bytes(&world.tree, STATE ".undo", bad[i].data, bad[i].len);
		assert_true(expect_leftover(0, NULL).damaged);
		expect_repair(-EBADMSG, STATE ".undo: cannot be understood");
		expect_refusal(STATE ".undo: cannot be understood");
		assert_true(file_there(STATE ".undo"));
	}
	end();
}

/* Makes something of a name that is no regular file. */
static void make_odd(const char *path, int kind)
{
	if (kind == 0)
		tree_link(&world.tree, path, "../../proc/" BOOT_ID);
	else if (kind == 1)
		assert_int_equal(mkdirat(world.tree.fd, path, 0700), 0);
	else
		assert_int_equal(mkfifoat(world.tree.fd, path, 0600), 0);
}

static void what_is_no_file_is_named(void **state)
{
	static const char *const what[] = { ".undo", ".record", ".lock" };
	char path[64], message[128];

	(void)state;
	start();
	for (size_t i = 0; i < 3; i++)
		for (int kind = 0; kind < 3; kind++) {
			snprintf(path, sizeof(path), STATE "%s", what[i]);
			snprintf(message, sizeof(message), PF ": /%s: is no regular file", path);
			unlinkat(world.tree.fd, STATE ".lock", 0);
			make_odd(path, kind);
			expect_refusal(message);
			if (i == 0) {
				expect_leftover(-ELOOP, message);
			} else if (i == 2) {
				tree_text(&world.tree, STATE ".undo", LOG);
				expect_leftover(-ELOOP, message);
			}
			if (i != 1)
				expect_repair(-ELOOP, message);
			if (i == 2)
				remove_it(STATE ".undo");
			assert_true(file_there(path));
			remove_it(path);
		}
	end();
}

static void what_a_later_vfcap_wrote_is_left_to_it(void **state)
{
	static const char log[] = "vfcap-undo 2 enable " PF " " BOOT "\nhead\n";
	static const char record[] = "vfcap-record 3 " PF " " BOOT "\nhead\n";
	static const char message[] = "was written by a later vfcap";

	(void)state;
	start();
	tree_text(&world.tree, STATE ".undo", log);
	expect_leftover(-EPROTONOSUPPORT, message);
	expect_repair(-EPROTONOSUPPORT, message);
	expect_refusal(message);
	assert_text(STATE ".undo", log);
	remove_it(STATE ".undo");
	tree_text(&world.tree, STATE ".record", record);
	expect_refusal(message);
	assert_text(STATE ".record", record);
	end();
}

/* ---------------------------------------------------------------------------------------- record -- */

static void a_record_that_cannot_be_read_is_not_overwritten(void **state)
{
	static const char done[] = HEAD "override 0000:01:02.0 - vfcap-vfio-pci\n"
					"unbind 0000:01:02.0 iavf -\n"
					"bind 0000:01:02.0 - vfcap-vfio-pci\ndone\n";
	static const char *const bad[] = {
		"",
		"vfcap-record 1 " PF " " BOOT "\nvf 0000:01:02.4 iav",
		"vfcap-record 1 " PF " -\n",
	};
	static const char good[] = "vfcap-record 1 " PF " " BOOT "\nvf 0000:01:02.4 iavf -\n";

	(void)state;
	start();
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		tree_text(&world.tree, STATE ".record", bad[i]);
		expect_refusal(STATE ".record: cannot be understood");
		tree_text(&world.tree, STATE ".undo", done);
		expect_repair(-EBADMSG, STATE ".record: cannot be understood");
		assert_text(STATE ".undo", done);
		assert_text(STATE ".record", bad[i]);
		remove_it(STATE ".undo");
	}
	tree_text(&world.tree, STATE ".undo", done);
	tree_text(&world.tree, STATE ".record", good);
	expect_repair(0, NULL);
	assert_false(file_there(STATE ".undo"));
	assert_text(STATE ".record", "vfcap-record 1 " PF " " BOOT "\n"
				     "vf 0000:01:02.4 iavf -\nvf 0000:01:02.0 iavf -\n");
	end();
}

/* --------------------------------------------------------------------------------------- boot ID -- */

static void a_boot_that_is_not_known_is_an_error(void **state)
{
	static const char message[] = "/" BOOT_ID ": ";

	(void)state;
	for (int kind = 0; kind < 3; kind++) {
		start();
		remove_it(BOOT_ID);
		if (kind == 1)
			assert_int_equal(mkdirat(world.tree.fd, BOOT_ID, 0700), 0);
		else if (kind == 2)
			tree_text(&world.tree, BOOT_ID, "\n");
		expect_all(&enable, VFCAP_FAILED, message);
		assert_false(file_there(STATE ".undo"));
		tree_text(&world.tree, STATE ".undo", LOG);
		expect_leftover(kind == 0 ? -ENOENT : kind == 1 ? -EISDIR : -EBADMSG, message);
		expect_refusal(message);
		expect_repair(kind == 0 ? -ENOENT : kind == 1 ? -EISDIR : -EBADMSG, message);
		assert_text(STATE ".undo", LOG);
		remove_it(STATE ".undo");
		tree_text(&world.tree, STATE ".record", "vfcap-record 1 " PF " " BOOT "\n");
		expect_refusal(message);
		end();
	}
}

/* ----------------------------------------------------------------------------------------- locks -- */

static int open_state(const char *what, int flags)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), STATE "%s", what);
	fd = openat(world.tree.fd, path, flags | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	return fd;
}

/* A child holds a lock file until it was replaced by another, which nobody holds: ours has to be that one. */
static void hold_until_replaced(int ready)
{
	int lock = open_state(".lock", O_RDWR | O_CREAT);

	assert_int_equal(flock(lock, LOCK_EX), 0);
	assert_int_equal(write(ready, "", 1), 1);
	usleep(300000);
	remove_it(STATE ".lock");
	close(open_state(".lock", O_RDWR | O_CREAT));
	_exit(0);
}

static bool other_can_lock;

static int look_at_lock(struct vfcap_host *h, const char *path, const char *text, int limit)
{
	int lock = open_state(".lock", O_RDWR);

	other_can_lock |= flock(lock, LOCK_EX | LOCK_NB) == 0;
	close(lock);
	return kernel_attr(h, path, text, limit);
}

static void run_with(const struct vfcap_ops *ops, enum vfcap_result result, const char *message)
{
	struct vfcap_change_options opt = enable;
	struct vfcap_change *change;
	struct vfcap *ctx = open_host();
	struct vfcap_function *vf = vfcap_vf_first(pf_of(ctx));

	opt.wait = 10;
	ctx->host.ops = ops;
	assert_int_equal(vfcap_change(ctx, &vf, 1, &opt, &change), 0);
	if (vfcap_change_outcome(change, 0)->result != result ||
	    !strstr(vfcap_change_outcome(change, 0)->message, message))
		fail_msg("%s", vfcap_change_outcome(change, 0)->message);
	vfcap_change_free(change);
	vfcap_free(ctx);
}

static void the_lock_is_the_one_that_stands_there(void **state)
{
	struct vfcap_ops ops = played;
	int ready[2], status;
	char byte;
	pid_t pid;

	(void)state;
	start();
	ops.attr = look_at_lock;
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid)
		hold_until_replaced(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	other_can_lock = false;
	run_with(&ops, VFCAP_DONE, "");
	assert_false(other_can_lock);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	close(ready[0]);
	close(ready[1]);
	end();
}

static bool take_lock_away(const struct vfcap_host *h)
{
	(void)h;
	unlinkat(world.tree.fd, STATE ".lock", 0);
	return true;
}

static void a_run_whose_lock_went_does_not_begin(void **state)
{
	struct vfcap_ops ops = played;

	(void)state;
	start();
	tree_text(&world.tree, STATE ".record", "vfcap-record 1 " PF " " BOOT "\n");
	ops.has_kernel = take_lock_away;
	run_with(&ops, VFCAP_FAILED, STATE ".lock: was removed while it was held");
	assert_int_equal(world.writes, 0);
	assert_false(file_there(STATE ".undo"));
	end();
}

static bool other_came_in;

/* What a second run would do, in the middle of the first. */
static int come_in(struct vfcap_host *h, const char *path, const char *text, int limit)
{
	struct vfcap_leftover left;
	struct vfcap *ctx;

	if (strstr(path, "/unbind")) {
		remove_it(STATE ".lock");
		ctx = open_host();
		assert_int_equal(vfcap_function_leftover(pf_of(ctx), &left), 0);
		assert_true(left.there && left.running);
		vfcap_free(ctx);
		expect_all(&disable, VFCAP_FAILED, "another vfcap is at work on it");
		other_came_in = true;
	}
	return kernel_attr(h, path, text, limit);
}

static void a_run_that_is_at_work_is_not_taken_back(void **state)
{
	struct vfcap_ops ops = played;

	(void)state;
	start();
	ops.attr = come_in;
	other_came_in = false;
	run_with(&ops, VFCAP_DONE, "");
	assert_true(other_came_in);
	assert_false(file_there(STATE ".undo"));
	end();
}

/* -------------------------------------------------------------------------------- own log, in a run -- */

static const char *put_into_log;

static int spoil_log(struct vfcap_host *h, const char *path, const char *text, int limit)
{
	if (strstr(path, "/bind")) {
		if (put_into_log)
			tree_text(&world.tree, STATE ".undo", put_into_log);
		else
			remove_it(STATE ".undo");
		return -EIO;
	}
	return kernel_attr(h, path, text, limit);
}

/* What it did cannot be taken back then, and the log is not removed as if it had been. */
static void a_run_that_cannot_read_its_own_log_says_so(void **state)
{
	struct vfcap_ops ops = played;

	(void)state;
	ops.attr = spoil_log;
	for (int i = 0; i < 2; i++) {
		start();
		put_into_log = i ? "nonsense\n" : NULL;
		run_with(&ops, VFCAP_FAILED, "");
		assert_int_equal(file_there(STATE ".undo"), i);
		end();
	}
}

/* ------------------------------------------------------------------------------------------ disk -- */

/* No file may grow above that: as a disk that is full. */
static void limit_files(rlim_t most)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = most;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void a_full_disk_leaves_nothing_behind(void **state)
{
	int dir, fd, saved, appended;

	(void)state;
	start();
	tree_text(&world.tree, "run/vfcap/x", "old\n");
	dir = openat(world.tree.fd, "run/vfcap", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fd = openat(dir, "x", O_WRONLY | O_APPEND | O_CLOEXEC);
	limit_files(6);
	saved = vfcap_ops_kernel.save(NULL, dir, "x", "something new\n");
	appended = vfcap_ops_kernel.append(NULL, fd, "something new\n");
	limit_files(RLIM_INFINITY);
	assert_int_equal(saved, -EFBIG);
	assert_int_equal(appended, -EFBIG);
	assert_false(file_there("run/vfcap/x.new"));
	assert_text("run/vfcap/x", "old\n");
	close(fd);
	close(dir);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_damaged_log_stays),
		cmocka_unit_test(what_is_no_file_is_named),
		cmocka_unit_test(what_a_later_vfcap_wrote_is_left_to_it),
		cmocka_unit_test(a_record_that_cannot_be_read_is_not_overwritten),
		cmocka_unit_test(a_boot_that_is_not_known_is_an_error),
		cmocka_unit_test(the_lock_is_the_one_that_stands_there),
		cmocka_unit_test(a_run_whose_lock_went_does_not_begin),
		cmocka_unit_test(a_run_that_is_at_work_is_not_taken_back),
		cmocka_unit_test(a_run_that_cannot_read_its_own_log_says_so),
		cmocka_unit_test(a_full_disk_leaves_nothing_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
