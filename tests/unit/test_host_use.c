// SPDX-License-Identifier: GPL-2.0-or-later
/* Who uses a VF: by device numbers where there is a procfs, by names in a captured tree; what cannot be asked is in
 * use, perhaps. */
#include "tree.h"

#include <grp.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include "../../src/host/change.h"

#define VF "0000:01:02.0"
#define DEVICE "sys/bus/pci/devices/" VF
#define SELF 4711 /* who has it open in trees */

struct fixture {
	struct tree tree;
	struct vfcap_host host;
	struct vfcap_function vf;
	struct vfcap_binding binding;
	struct vfcap_holders holders;
	struct vfcap_use use;
};

static void begin(struct fixture *f, const char *driver)
{
	memset(f, 0, sizeof(*f));
	tree_new(&f->tree);
	tree_dirs(&f->tree, DEVICE "/");
	assert_int_equal(vfcap_root_open(&f->host.root, f->tree.dir), 0);
	f->vf = (struct vfcap_function){ .host = &f->host, .name = VF, .iommu_group = 41 };
	assert_true(vfcap_address_parse(VF, &f->vf.address) > 0);
	snprintf(f->binding.driver, sizeof(f->binding.driver), "%s", driver);
}

static void end(struct fixture *f)
{
	vfcap_root_close(f->host.root);
	tree_free(&f->tree);
}

/* Finds out who uses the VF by holders that the caller has filled. */
static enum vfcap_use_kind find(struct fixture *f)
{
	vfcap_use_find(&f->vf, &f->binding, &f->holders, &f->use);
	return f->use.kind;
}

static enum vfcap_use_kind scan_and_find(struct fixture *f)
{
	vfcap_holders_scan(&f->host, &f->holders);
	find(f);
	vfcap_holders_free(&f->holders);
	return f->use.kind;
}

/* A process of the tree has opened what has that name. */
static enum vfcap_use_kind held_as(const char *link)
{
	enum vfcap_use_kind kind;
	struct fixture f;

	begin(&f, "vfio-pci");
	tree_dirs(&f.tree, DEVICE "/vfio-dev/vfio3/");
	tree_text(&f.tree, "proc/4711/comm", "qemu\n");
	tree_link(&f.tree, "proc/4711/fd/12", link);
	tree_link(&f.tree, "proc/4711/fd/13", "anon_inode:[eventfd]");
	kind = scan_and_find(&f);
	if (kind == VFCAP_USE_HELD) {
		assert_int_equal(f.use.pid, SELF);
		assert_string_equal(f.use.name, "qemu");
	}
	end(&f);
	return kind;
}

static void names_are_held_exactly(void **state)
{
	(void)state;
	assert_int_equal(held_as("/dev/vfio/41"), VFCAP_USE_HELD);
	assert_int_equal(held_as("/dev/vfio/noiommu-41"), VFCAP_USE_HELD);
	assert_int_equal(held_as("/dev/vfio/devices/vfio3"), VFCAP_USE_HELD);
	assert_int_equal(held_as("/dev/vfio/41 (deleted)"), VFCAP_USE_HELD);
	assert_int_equal(held_as("/home/u/dev/vfio/41"), VFCAP_USE_NONE);
	assert_int_equal(held_as("/dev/vfio/41 (deleted) "), VFCAP_USE_NONE);
	assert_int_equal(held_as("/dev/vfio/410"), VFCAP_USE_NONE);
	assert_int_equal(held_as("/dev/vfio/vfio"), VFCAP_USE_NONE);
	assert_int_equal(held_as("/dev/vfio/ (deleted)"), VFCAP_USE_NONE);
	assert_int_equal(held_as("/dev/vfio/devices/vfio31"), VFCAP_USE_NONE);
}

/* With numbers the name is worth nothing, and each file of the VF counts. */
static void numbers_are_compared(void **state)
{
	struct vfcap_holder one = { .pid = SELF, .number = makedev(511, 3), .name = "41" };
	struct fixture f;

	(void)state;
	begin(&f, "vfio-pci");
	f.holders = (struct vfcap_holders){ .holder = &one, .n = 1, .numbered = true };
	assert_int_equal(find(&f), VFCAP_USE_NONE); /* no file of it is there */
	tree_text(&f.tree, "sys/class/vfio/41/dev", "511:0\n");
	tree_text(&f.tree, DEVICE "/vfio-dev/vfio3/dev", "510:3\n");
	assert_int_equal(find(&f), VFCAP_USE_NONE);
	one.number = makedev(511, 0);
	assert_int_equal(find(&f), VFCAP_USE_HELD);
	assert_int_equal(f.use.pid, SELF);
	one.number = makedev(510, 3);
	assert_int_equal(find(&f), VFCAP_USE_HELD);
	tree_text(&f.tree, "sys/class/vfio/noiommu-41/dev", "511:7\n");
	one.number = makedev(511, 7);
	assert_int_equal(find(&f), VFCAP_USE_HELD);
	end(&f);
}

static void a_number_that_makes_no_sense_is_not_known(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, "vfio-pci");
	f.holders.numbered = true;
	tree_text(&f.tree, "sys/class/vfio/41/dev", "nonsense\n");
	assert_int_equal(find(&f), VFCAP_USE_UNKNOWN);
	assert_string_equal(f.use.unread, "/sys/class/vfio/41/dev: Invalid argument");
	f.host.assume_unused = true;
	assert_int_equal(find(&f), VFCAP_USE_NONE);
	end(&f);
}

/* What processes were not asked matters where they may have something open. */
static void what_was_not_asked_is_in_use_perhaps(void **state)
{
	struct vfcap_holder one = { .pid = SELF, .number = makedev(511, 0) };
	struct fixture f;

	(void)state;
	begin(&f, "vfio-pci");
	f.holders.numbered = true;
	strcpy(f.holders.unread, "/proc/1/fd: Permission denied");
	tree_text(&f.tree, "sys/class/vfio/41/dev", "511:0\n");
	assert_int_equal(find(&f), VFCAP_USE_UNKNOWN);
	assert_string_equal(f.use.unread, "/proc/1/fd: Permission denied");
	f.binding.driver[0] = '\0'; /* then nobody can have it open */
	assert_int_equal(find(&f), VFCAP_USE_NONE);
	strcpy(f.binding.driver, "iavf");
	assert_int_equal(unlinkat(f.tree.fd, "sys/class/vfio/41/dev", 0), 0);
	assert_int_equal(find(&f), VFCAP_USE_NONE);
	tree_text(&f.tree, "sys/class/vfio/41/dev", "511:0\n");
	f.holders.holder = &one; /* who was found is named */
	f.holders.n = 1;
	assert_int_equal(find(&f), VFCAP_USE_HELD);
	end(&f);
}

/* A link that is no number's: reading it fails with ELOOP. */
static void what_cannot_be_listed_is_named(void **state)
{
	const char *what;
	struct fixture f;

	(void)state;
	begin(&f, "vfio-pci");
	tree_link(&f.tree, "proc/12/fd", "fd");
	assert_int_equal(scan_and_find(&f), VFCAP_USE_UNKNOWN);
	assert_string_equal(f.use.unread, "/proc/12/fd: Too many levels of symbolic links");
	assert_int_equal(vfcap_root_failure(f.host.root, &what), 0); /* it was said */
	f.host.assume_unused = true;
	assert_int_equal(scan_and_find(&f), VFCAP_USE_NONE);
	f.host.assume_unused = false;
	assert_int_equal(unlinkat(f.tree.fd, "proc/12/fd", 0), 0);
	tree_text(&f.tree, "proc/12/fd", "a file\n");
	assert_int_equal(scan_and_find(&f), VFCAP_USE_UNKNOWN);
	assert_string_equal(f.use.unread, "/proc/12/fd: Not a directory");
	end(&f);
}

static void processes_that_ended_are_gone(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, "vfio-pci");
	assert_int_equal(scan_and_find(&f), VFCAP_USE_NONE); /* no proc at all */
	tree_dirs(&f.tree, "proc/13/");
	assert_int_equal(scan_and_find(&f), VFCAP_USE_NONE);
	end(&f);
}

static void interfaces_that_cannot_be_asked_may_be_up(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f, "iavf");
	tree_text(&f.tree, DEVICE "/net/eth0/flags", "0x1002\n");
	assert_int_equal(scan_and_find(&f), VFCAP_USE_NONE);
	tree_link(&f.tree, DEVICE "/net/eth1/flags", "flags");
	assert_int_equal(scan_and_find(&f), VFCAP_USE_UNKNOWN);
	assert_string_equal(f.use.unread, "/" DEVICE "/net/eth1/flags: Too many levels of symbolic "
					  "links");
	tree_text(&f.tree, DEVICE "/net/eth2/flags", "0x1003\n");
	assert_int_equal(scan_and_find(&f), VFCAP_USE_NETDEV_UP);
	assert_string_equal(f.use.name, "eth2");
	end(&f);
}

/* ------------------------------------------------------------------------------- a real procfs -- */

static pid_t child_with(const char *path, int flags)
{
	int ready[2];
	pid_t pid;
	char c;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (!pid) {
		for (int fd = 3; fd < 256; fd++)
			if (fd != ready[1])
				close(fd);
		c = open(path, flags) < 0;
		if (write(ready[1], &c, 1) == 1)
			pause();
		_exit(1);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &c, 1), 1);
	assert_int_equal(c, 0);
	close(ready[0]);
	return pid;
}

static void end_child(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* A character device that is nobody else's, and cannot be opened anew when it is closed. */
struct terminal {
	int master;
	char path[32];
	dev_t number;
};

static void terminal_new(struct terminal *t)
{
	struct stat st;

	t->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (t->master < 0)
		skip(); /* as where packages are built: /dev/pts is not mounted */
	assert_int_equal(unlockpt(t->master), 0);
	assert_int_equal(ptsname_r(t->master, t->path, sizeof(t->path)), 0);
	assert_int_equal(stat(t->path, &st), 0);
	t->number = st.st_rdev;
}

/* Who has it open; 0: nobody that was found. */
static pid_t live_holder(dev_t number)
{
	struct vfcap_host host = { .live = true };
	struct vfcap_holders holders;
	pid_t pid = 0;

	assert_int_equal(vfcap_root_open(&host.root, "/"), 0);
	vfcap_holders_scan(&host, &holders);
	assert_true(holders.numbered);
	for (size_t i = 0; i < holders.n; i++)
		if (holders.holder[i].number == number)
			pid = holders.holder[i].pid;
	vfcap_holders_free(&holders);
	vfcap_root_close(host.root);
	return pid;
}

static bool is_held(const struct terminal *t, const char *path, int flags)
{
	pid_t pid = child_with(path, flags | O_NOCTTY);
	pid_t holder = live_holder(t->number);

	end_child(pid);
	return holder == pid;
}

/* O_PATH takes no permission: anybody may open any device so, and has nothing of it. */
static void live_processes_hold_what_they_opened(void **state)
{
	struct terminal t;
	struct tree tree;
	char path[96];
	int fd;

	(void)state;
	terminal_new(&t);
	tree_new(&tree);
	tree_text(&tree, "dev/vfio/41", "");
	assert_true(is_held(&t, t.path, O_RDWR));
	assert_true(is_held(&t, t.path, O_RDONLY));
	assert_false(is_held(&t, t.path, O_PATH));
	snprintf(path, sizeof(path), "%s/dev/vfio/41", tree.dir);
	assert_false(is_held(&t, path, O_RDWR));
	fd = open(t.path, O_RDWR | O_NOCTTY | O_CLOEXEC); /* our own does not count */
	assert_true(fd >= 0);
	assert_int_equal(live_holder(t.number), 0);
	close(fd);
	close(t.master);
	tree_free(&tree);
}

/* Looks at a proc of its own, which is mounted with those options, as nobody; a new namespace: of no other processes. */
static int scan_proc(const char *options, bool namespace, const char *unread)
{
	struct vfcap_host host = { .live = true };
	struct vfcap_holders holders;
	int ret = 77;

	if (unshare(CLONE_NEWNS | (namespace ? CLONE_NEWPID : 0)) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return ret;
	if (namespace && fork()) { /* who comes next is its first process */
		wait(&ret);
		return WEXITSTATUS(ret);
	}
	if (mount("proc", "/proc", "proc", 0, options) || setgroups(0, NULL) ||
	    setresgid(65534, 65534, 65534) || setresuid(65534, 65534, 65534) ||
	    vfcap_root_open(&host.root, "/"))
		return ret;
	vfcap_holders_scan(&host, &holders);
	ret = strcmp(holders.unread, unread) ? 1 : 0;
	if (ret)
		fprintf(stderr, "%s: %s\n", options, holders.unread);
	vfcap_holders_free(&holders);
	vfcap_root_close(host.root);
	return ret;
}

static void sees(const char *options, bool namespace, const char *unread)
{
	pid_t pid = fork();
	int status;

	if (!pid)
		_exit(scan_proc(options, namespace, unread));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WEXITSTATUS(status) == 77)
		skip(); /* only root mounts, and not in each sandbox */
	assert_int_equal(status, 0);
}

static void processes_that_are_not_seen_may_hold_it(void **state)
{
	(void)state;
	sees("hidepid=2", false, "/proc: processes of others are hidden (hidepid)");
	sees("hidepid=1", false, "/proc/1/ns/pid: Operation not permitted");
	sees("hidepid=0", true, "/proc: shows a container's processes, and not those of the host");
}

/* ------------------------------------------------------------------------------------ bindings -- */

static void unreadable_bindings_are_errors(void **state)
{
	struct vfcap_binding b;
	struct fixture f;

	(void)state;
	begin(&f, "");
	assert_int_equal(vfcap_binding_read(&f.vf, &b), 0);
	assert_string_equal(b.override, "");
	tree_dirs(&f.tree, DEVICE "/driver_override/");
	assert_int_equal(vfcap_binding_read(&f.vf, &b), -EISDIR);
	assert_string_equal(f.host.error, VF ": driver_override: Is a directory");
	assert_int_equal(unlinkat(f.tree.fd, DEVICE "/driver_override", AT_REMOVEDIR), 0);
	f.host.error[0] = '\0';
	tree_link(&f.tree, DEVICE "/driver", "../../drivers/-");
	assert_int_equal(vfcap_binding_read(&f.vf, &b), -EINVAL);
	assert_int_equal(unlinkat(f.tree.fd, DEVICE "/driver", 0), 0);
	tree_link(&f.tree, DEVICE "/driver", "../../drivers/" VFCAP_DRIVER);
	tree_text(&f.tree, DEVICE "/vfcap/abi", "1\n");
	f.host.error[0] = '\0';
	tree_dirs(&f.tree, DEVICE "/vfcap/pasid_offset/");
	assert_int_equal(vfcap_binding_read(&f.vf, &b), -EISDIR);
	assert_string_equal(f.host.error, VF ": vfcap/pasid_offset: Is a directory");
	end(&f);
}

static void unreadable_counts_are_errors(void **state)
{
	int autoprobe = 5;
	struct fixture f;

	(void)state;
	begin(&f, "");
	assert_int_equal(vfcap_autoprobe_read(&f.vf, &autoprobe), 0);
	assert_int_equal(autoprobe, -1);
	tree_text(&f.tree, DEVICE "/sriov_drivers_autoprobe", "1\n");
	assert_int_equal(vfcap_autoprobe_read(&f.vf, &autoprobe), 0);
	assert_int_equal(autoprobe, 1);
	assert_int_equal(unlinkat(f.tree.fd, DEVICE "/sriov_drivers_autoprobe", 0), 0);
	tree_dirs(&f.tree, DEVICE "/sriov_drivers_autoprobe/");
	assert_int_equal(vfcap_autoprobe_read(&f.vf, &autoprobe), -EISDIR);
	assert_string_equal(f.host.error, VF ": sriov_drivers_autoprobe: Is a directory");
	f.host.error[0] = '\0';
	tree_link(&f.tree, DEVICE "/virtfn0", "../0000:01:02.1");
	assert_int_equal(vfcap_count_read(&f.vf), 1);
	assert_int_equal(vfcap_driver_loaded(&f.host, "iavf"), 0);
	tree_link(&f.tree, "sys/bus/pci/drivers/iavf", "iavf");
	assert_int_equal(vfcap_driver_loaded(&f.host, "iavf"), -ELOOP);
	end(&f);
}

static void unreadable_aliases_are_errors(void **state)
{
	struct vfcap_variants variants;
	char name[VFCAP_NAME_ROOM];
	struct fixture f;

	(void)state;
	begin(&f, "vfio-pci");
	assert_int_equal(vfcap_variants_load(&f.host, &variants), 0);
	tree_text(&f.tree, "proc/sys/kernel/osrelease", "6.12.0\n");
	assert_int_equal(vfcap_variants_load(&f.host, &variants), 0);
	tree_text(&f.tree, "lib/modules/6.12.0/modules.alias",
		  "alias pci:v* x\nalias vfio_pci:v00008086d* mlx5_vfio_pci");
	assert_int_equal(vfcap_variants_load(&f.host, &variants), 0);
	assert_int_equal(variants.n, 1);
	assert_int_equal(vfcap_variant_find(&f.vf, &f.binding, &variants, name), 0);
	tree_text(&f.tree, DEVICE "/modalias", "pci:v00008086d00001572\n");
	assert_int_equal(vfcap_variant_find(&f.vf, &f.binding, &variants, name), 1);
	assert_string_equal(name, "mlx5_vfio_pci");
	assert_int_equal(unlinkat(f.tree.fd, DEVICE "/modalias", 0), 0);
	tree_dirs(&f.tree, DEVICE "/modalias/");
	assert_int_equal(vfcap_variant_find(&f.vf, &f.binding, &variants, name), -EISDIR);
	vfcap_variants_free(&variants);
	f.host.error[0] = '\0';
	assert_int_equal(unlinkat(f.tree.fd, "lib/modules/6.12.0/modules.alias", 0), 0);
	tree_dirs(&f.tree, "lib/modules/6.12.0/modules.alias/");
	assert_int_equal(vfcap_variants_load(&f.host, &variants), -EISDIR);
	assert_string_equal(f.host.error, "/lib/modules/6.12.0/modules.alias: Is a directory");
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_held_exactly),
		cmocka_unit_test(numbers_are_compared),
		cmocka_unit_test(a_number_that_makes_no_sense_is_not_known),
		cmocka_unit_test(what_was_not_asked_is_in_use_perhaps),
		cmocka_unit_test(what_cannot_be_listed_is_named),
		cmocka_unit_test(processes_that_ended_are_gone),
		cmocka_unit_test(interfaces_that_cannot_be_asked_may_be_up),
		cmocka_unit_test(live_processes_hold_what_they_opened),
		cmocka_unit_test(processes_that_are_not_seen_may_hold_it),
		cmocka_unit_test(unreadable_bindings_are_errors),
		cmocka_unit_test(unreadable_counts_are_errors),
		cmocka_unit_test(unreadable_aliases_are_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
