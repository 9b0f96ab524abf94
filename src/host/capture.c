// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A host as one file: of sysfs, proc and what vfcap keeps, that which its commands read. Reading it there
 * gives the answers that the host gives. What tells one machine from another of its kind is left out.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture.h"
#include "change.h"
#include "../util/tar.h"
#include "sysfs.h"

#define FILE_MOST 65536 /* bytes of an attribute */
#define DSN_ID 0x03u
#define DSN_SERIAL 4 /* offset in it */
#define DOE_ID 0x2e
#define DOE_MAILBOXES 0x10u /* offset in it: write mailbox, read mailbox */

struct capture {
	struct vfcap_host *host;
	bool serials;
	struct vfcap_capture_counts *counts;
	char root[PATH_MAX]; /* where the root is, for links of /proc/self/fd */
	struct vfcap_image image;
	struct vfcap_chain chain;
	struct vfcap_tar_out tar;
	char text[FILE_MOST];
};

enum kind {
	KIND_FILE,
	KIND_LINK,
	KIND_DIR, /* that it is there; and it may be empty */
	KIND_MAC, /* a file with one */
};

struct rule {
	const char *pattern;
	enum kind kind;
};

/* Of each function, below its directory. */
static const struct rule function_rules[] = {
	{ "vendor", KIND_FILE },
	{ "device", KIND_FILE },
	{ "class", KIND_FILE },
	{ "revision", KIND_FILE },
	{ "modalias", KIND_FILE },
	{ "power_state", KIND_FILE },
	{ "power/runtime_status", KIND_FILE },
	{ "sriov_totalvfs", KIND_FILE },
	{ "sriov_drivers_autoprobe", KIND_FILE },
	{ "vfcap/*", KIND_FILE },
	{ "driver", KIND_LINK },
	{ "iommu_group", KIND_LINK },
	{ "iommu", KIND_LINK },
	{ "physfn", KIND_LINK },
	{ "virtfn*", KIND_LINK },
	{ "vfio-dev/*", KIND_DIR },
	{ "net", KIND_DIR },
	{ "net/*/flags", KIND_FILE },
	{ "net/*/address", KIND_MAC },
	{ "virtio*/net", KIND_DIR },
	{ "virtio*/net/*/flags", KIND_FILE },
	{ "virtio*/net/*/address", KIND_MAC },
};

/* Of the host. */
static const struct rule host_rules[] = {
	{ "proc/version", KIND_FILE },
	{ "proc/sys/kernel/osrelease", KIND_FILE },
	{ "proc/sys/kernel/random/boot_id", KIND_FILE },
	{ "run/vfcap/*.undo", KIND_FILE },
	{ "run/vfcap/*.record", KIND_FILE },
	{ "etc/vfcap.d/*.json", KIND_FILE },
	{ "sys/bus/pci/drivers/*", KIND_DIR },
	{ "sys/kernel/iommu_groups/*/type", KIND_FILE },
	{ "sys/kernel/iommu_groups/*/devices/*", KIND_LINK },
	{ "sys/class/iommu/*", KIND_LINK },
	{ "sys/class/iommu/*/intel-iommu/*", KIND_FILE },
	{ "sys/class/iommu/*/amd-iommu/*", KIND_FILE },
	{ "sys/class/iommu/*/devices/*", KIND_LINK },
	{ "sys/class/vfio/*", KIND_LINK },
	{ "sys/class/vfio/*", KIND_DIR },
	{ "sys/module/vfio*", KIND_DIR },
	{ "sys/module/vfio*/parameters/*", KIND_FILE },
	{ "sys/module/iommufd", KIND_DIR },
	{ "sys/module/" VFCAP_MODULE, KIND_DIR },
	{ "sys/module/module/parameters/sig_enforce", KIND_FILE },
	{ "sys/kernel/security/lockdown", KIND_FILE },
	{ "sys/firmware/efi/efivars/SecureBoot-*", KIND_FILE },
};

static void cleanup_closedir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

/* ------------------------------------------------------------------------------------ entries -- */

/* Where it really is, from the root: what is read through links is written where it stands. */
static bool real_path(const struct capture *c, int fd, char path[PATH_MAX])
{
	char link[64], text[PATH_MAX];
	size_t skip = strlen(c->root);
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, text, sizeof(text) - 1);
	if (n <= 0)
		return false;
	text[n] = '\0';
	if (strncmp(text, c->root, skip) || (text[skip] && text[skip] != '/'))
		return false;
	while (text[skip] == '/')
		skip++;
	strcpy(path, text + skip);
	return true;
}

static void add_bytes(struct capture *c, const char *path, const void *data, size_t len)
{
	vfcap_tar_add(&c->tar, path, data, len);
	c->counts->files++;
}

static void add_text(struct capture *c, const char *path, const char *text)
{
	add_bytes(c, path, text, strlen(text));
}

/* What cannot be read is not there. -1, or its length, in c->text. */
static ssize_t read_file(struct capture *c, int fd)
{
	size_t n = 0;

	while (n < sizeof(c->text)) {
		ssize_t got = TEMP_FAILURE_RETRY(read(fd, c->text + n, sizeof(c->text) - n));

		if (got < 0)
			return -1;
		if (got == 0)
			return (ssize_t)n;
		n += (size_t)got;
	}
	return -1;
}

static void add_file(struct capture *c, const char *path, bool mac)
{
	cleanup_close int fd = vfcap_root_openat(c->host->root, path,
						 O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	char real[PATH_MAX];
	ssize_t n = fd < 0 ? -1 : read_file(c, fd);

	if (n < 0 || !real_path(c, fd, real))
		return;
	if (mac && !c->serials && n > 1) {
		c->counts->macs++;
		add_text(c, real, "00:00:00:00:00:00\n");
		return;
	}
	add_bytes(c, real, c->text, (size_t)n);
}

/* The directory that holds it is written where it stands, and the link as it is. */
static void add_link(struct capture *c, const char *path)
{
	const char *slash = strrchr(path, '/');
	char dir[PATH_MAX], real[PATH_MAX], link[PATH_MAX], target[VFCAP_TAR_PATH];
	cleanup_close int fd = -1;
	ssize_t n;

	snprintf(dir, sizeof(dir), "%.*s", (int)(slash - path), path);
	fd = vfcap_root_openat(c->host->root, dir, O_PATH | O_DIRECTORY);
	n = fd < 0 ? -1 : readlinkat(fd, slash + 1, target, sizeof(target) - 1);
	if (n <= 0 || !real_path(c, fd, real))
		return;
	target[n] = '\0';
	if ((size_t)snprintf(link, sizeof(link), "%s/%s", real, slash + 1) >= sizeof(link))
		return;
	vfcap_tar_add_link(&c->tar, link, target);
	c->counts->files++;
}

static void add_dir(struct capture *c, const char *path)
{
	cleanup_close int fd = vfcap_root_openat(c->host->root, path, O_PATH | O_DIRECTORY);
	char real[PATH_MAX];

	if (fd >= 0 && real_path(c, fd, real) && *real)
		vfcap_tar_add_dir(&c->tar, real);
}

static void add_path(struct capture *c, const char *path, enum kind kind)
{
	if (kind == KIND_LINK)
		add_link(c, path);
	else if (kind == KIND_DIR)
		add_dir(c, path);
	else
		add_file(c, path, kind == KIND_MAC);
}

/* ----------------------------------------------------------------------------------- patterns -- */

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

struct names {
	char **name;
	size_t n;
};

static void free_names(struct names *names)
{
	for (size_t i = 0; i < names->n; i++)
		free(names->name[i]);
	free(names->name);
}

/* What of a directory matches, sorted: the order of a directory is nobody's. */
static int list(struct capture *c, const char *dir, const char *pattern, struct names *names)
{
	int fd = vfcap_root_openat(c->host->root, dir, O_RDONLY | O_DIRECTORY);
	VFCAP_CLEANUP(cleanup_closedir) DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	if (!d && fd >= 0)
		close(fd);
	while (d && (e = readdir(d))) {
		char **more;

		if (e->d_name[0] == '.' || fnmatch(pattern, e->d_name, 0))
			continue;
		more = vfcap_more(names->name, names->n, sizeof(*more));
		if (!more)
			return -ENOMEM;
		names->name = more;
		more[names->n] = strdup(e->d_name);
		if (!more[names->n])
			return -ENOMEM;
		names->n++;
	}
	if (names->n)
		qsort(names->name, names->n, sizeof(*names->name), by_name);
	return 0;
}

/* Takes one part of a pattern after the other; dir is what they have led to. */
static int add_matching(struct capture *c, const char *dir, const char *pattern, enum kind kind)
{
	size_t len = strcspn(pattern, "/");
	const char *rest = pattern + len + (pattern[len] == '/');
	VFCAP_CLEANUP(free_names) struct names names = { 0 };
	char part[256], path[PATH_MAX];
	char *one[] = { part };
	int err = 0;

	snprintf(part, sizeof(part), "%.*s", (int)len, pattern);
	if (strchr(part, '*'))
		err = list(c, dir, part, &names);
	for (size_t i = 0; !err && i < (strchr(part, '*') ? names.n : 1); i++) {
		const char *name = strchr(part, '*') ? names.name[i] : one[0];

		if ((size_t)snprintf(path, sizeof(path), "%s%s%s", dir, *dir ? "/" : "", name) >=
		    sizeof(path))
			continue;
		if (*rest)
			err = add_matching(c, path, rest, kind);
		else
			add_path(c, path, kind);
	}
	return err;
}

static int add_rules(struct capture *c, const char *dir, const struct rule *rules, size_t n)
{
	int err = 0;

	for (size_t i = 0; i < n && !err; i++)
		err = add_matching(c, dir, rules[i].pattern, rules[i].kind);
	return err;
}

/* -------------------------------------------------------------------------------- config space -- */

static unsigned int fetch(struct vfcap_function *fn, uint8_t *bytes, unsigned int off,
			  unsigned int len)
{
	int n = fn->fetch(fn, off, len, bytes + off);

	return n < 0 ? 0 : (unsigned int)n;
}

/* A mailbox is a device's to answer by, and not read for the sake of having it. */
static unsigned int fetch_around(struct capture *c, struct vfcap_function *fn, uint8_t *bytes,
				 unsigned int size)
{
	unsigned int off = 0, end = size;

	vfcap_image_init(&c->image, size, fn->fetch, fn);
	vfcap_chain_walk(&c->chain, &c->image);
	do {
		end = size;
		for (unsigned int i = 0; i < c->chain.n; i++) {
			const struct vfcap_cap *cap = &c->chain.cap[i];

			if (cap->id == DOE_ID && cap->offset + DOE_MAILBOXES >= off &&
			    cap->offset + DOE_MAILBOXES < end)
				end = cap->offset + DOE_MAILBOXES;
		}
		if (end > off && fetch(fn, bytes, off, end - off) < end - off)
			return 0;
		off = end + 8;
	} while (end < size);
	return size;
}

static void blank_serials(struct capture *c, uint8_t *bytes, unsigned int size)
{
	static const uint8_t none[8];

	vfcap_image_from_bytes(&c->image, bytes, size);
	vfcap_chain_walk(&c->chain, &c->image);
	for (unsigned int i = 0; i < c->chain.n; i++) {
		unsigned int at = c->chain.cap[i].offset + DSN_SERIAL;

		if (c->chain.cap[i].id != DSN_ID || at + sizeof(none) > size ||
		    memcmp(bytes + at, none, sizeof(none)) == 0)
			continue;
		memset(bytes + at, 0, sizeof(none));
		c->counts->serials++;
	}
}

static void add_config(struct capture *c, struct vfcap_function *fn, const char *path)
{
	uint8_t bytes[VFCAP_CFG_SIZE] = { 0 };
	bool kernel = c->host->topology->kernel;
	unsigned int size = fn->rows		? fn->rows->end :
			    fn->config_size < 0 ? 0 :
						  (unsigned int)fn->config_size;

	if (fn->skip == VFCAP_SKIP_NONE && size && kernel)
		size = fetch_around(c, fn, bytes, size);
	else if (fn->skip == VFCAP_SKIP_NONE && size)
		size = fetch(fn, bytes, 0, size);
	else
		size = 0;
	if (!size) {
		c->counts->without++;
		return;
	}
	c->counts->short_config += kernel && size <= 64;
	if (!c->serials)
		blank_serials(c, bytes, size);
	add_bytes(c, path, bytes, size);
}

/* ----------------------------------------------------------------------------------- functions -- */

/* Read under a lock that a driver may keep for long. */
static void add_override(struct capture *c, struct vfcap_function *fn, const char *dir)
{
	char path[PATH_MAX], file[PATH_MAX], text[VFCAP_NAME_ROOM + 1];
	cleanup_close int fd = -1;
	struct vfcap_binding b;

	fd = vfcap_root_openat(c->host->root, vfcap_sysfs_path(fn, "driver_override", file),
			       O_PATH);
	if (fd < 0 || vfcap_binding_read(fn, &b) || b.unbinding)
		return;
	snprintf(path, sizeof(path), "%.4000s/driver_override", dir);
	snprintf(text, sizeof(text), "%s\n", b.override[0] ? b.override : "(null)");
	add_text(c, path, text);
}

static int add_sysfs(struct capture *c, struct vfcap_function *fn, const char *dir)
{
	char path[PATH_MAX], text[16];
	int err;

	snprintf(path, sizeof(path), VFCAP_SYSFS_DEVICES "/%s", fn->name);
	if (strcmp(path, dir))
		add_link(c, path);
	vfcap_tar_add_dir(&c->tar, dir);
	snprintf(path, sizeof(path), "%.4000s/config", dir);
	add_config(c, fn, path);
	err = add_rules(c, dir, function_rules, sizeof(function_rules) / sizeof(function_rules[0]));
	add_override(c, fn, dir);
	if (fn->role == VFCAP_ROLE_PF && fn->numvfs >= 0) {
		snprintf(path, sizeof(path), "%.4000s/sriov_numvfs", dir);
		snprintf(text, sizeof(text), "%d\n", fn->numvfs);
		add_text(c, path, text);
	}
	for (size_t i = 0; i < fn->n_netdev && !err; i++) {
		snprintf(path, sizeof(path), "sys/class/net/%s", fn->netdev[i]);
		add_link(c, path);
		snprintf(path, sizeof(path), "sys/class/net/%s/device", fn->netdev[i]);
		add_link(c, path);
	}
	return err;
}

static int add_function(struct capture *c, struct vfcap_function *fn)
{
	char path[VFCAP_SYSFS_PATH], dir[PATH_MAX];
	const struct vfcap_address a = fn->address;
	cleanup_close int fd = vfcap_root_openat(c->host->root, vfcap_sysfs_path(fn, "", path),
						 O_PATH | O_DIRECTORY);

	c->counts->functions++;
	if (fd >= 0 && real_path(c, fd, dir))
		return add_sysfs(c, fn, dir);
	/* As a sos report has it. */
	snprintf(dir, sizeof(dir), "proc/bus/pci/%04x:%02x/%02x.%x", a.domain, a.bus, a.devfn >> 3,
		 a.devfn & 7);
	add_config(c, fn, dir);
	return 0;
}

/* ------------------------------------------------------------------------------------ the host -- */

#define CONFIG_OPTIONS                                                  \
	{                                                               \
		"*IOMMU", "*VFIO", "*MODULE_SIG", "*LOCK_DOWN", "*PCI_" \
	}

/* Of large files, and of those that tell more than is wanted: the lines or words that matter. */
static const struct {
	const char *path; /* %: the kernel's release */
	bool words; /* one line, of which words are chosen; else: lines */
	const char *wanted[10]; /* how they begin; "*x": what they contain */
} excerpts[] = {
	{ "proc/cmdline",
	  true,
	  { "intel_iommu", "amd_iommu", "iommu", "arm-smmu", "intremap", "pci", "vfio",
	    "module.sig", "lockdown" } },
	{ "proc/cpuinfo", false, { "vendor_id" } },
	{ "lib/modules/%/modules.alias", false, { "alias vfio_pci:" } },
	{ "lib/modules/%/modules.symbols", false, { "*vfio", "*iommufd" } },
	{ "lib/modules/%/modules.builtin", false, { "*vfio", "*iommufd" } },
	{ "lib/modules/%/modules.dep", false, { "*vfio", "*iommufd", "*vfcap" } },
	{ "lib/modules/%/config", false, CONFIG_OPTIONS },
	{ "proc/config.gz", false, CONFIG_OPTIONS }, /* unpacked, which is read as well */
	{ "boot/config-%", false, CONFIG_OPTIONS },
};

static bool is_wanted(const char *text, const char *const *wanted, size_t n)
{
	for (size_t i = 0; i < n && wanted[i]; i++)
		if (wanted[i][0] == '*' ? strstr(text, wanted[i] + 1) != NULL :
					  strncmp(text, wanted[i], strlen(wanted[i])) == 0)
			return true;
	return false;
}

/* The lines of all processors are those of the first. */
static void take_line(FILE *out, const char *line, char *last, size_t size)
{
	if (strcmp(last, line) == 0)
		return;
	snprintf(last, size, "%s", line);
	fputs(line, out);
}

static void choose(FILE *in, FILE *out, bool words, const char *const *wanted, size_t n)
{
	cleanup_free char *line = NULL;
	char last[256] = "", *rest, *word;
	const char *between = "";
	size_t room = 0;

	while (getline(&line, &room, in) > 0) {
		if (!words && is_wanted(line, wanted, n))
			take_line(out, line, last, sizeof(last));
		rest = words ? line : NULL;
		while (rest && (word = strsep(&rest, " \n")))
			if (is_wanted(word, wanted, n)) {
				fprintf(out, "%s%s", between, word);
				between = " ";
			}
	}
	if (words)
		fputc('\n', out);
}

static int add_excerpt(struct capture *c, const char *path, bool words, const char *const *wanted,
		       size_t n)
{
	int fd = vfcap_root_openat(c->host->root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	char real[PATH_MAX];
	bool known = fd >= 0 && real_path(c, fd, real);
	cleanup_fclose FILE *in = vfcap_text_of(fd, path);
	cleanup_free char *text = NULL;
	FILE *out = NULL;
	size_t len = 0;
	int err;

	if (!in)
		return 0;
	out = open_memstream(&text, &len);
	if (!out)
		return -ENOMEM;
	choose(in, out, words, wanted, n);
	err = fclose(out) ? -ENOMEM : 0;
	if (!err && known && !ferror(in))
		add_bytes(c, real, text, len);
	return err;
}

static int add_excerpts(struct capture *c)
{
	char release[128], path[256];
	int err = 0;

	if (vfcap_root_read(c->host->root, "proc/sys/kernel/osrelease", release, sizeof(release)) <=
	    0)
		strcpy(release, "-");
	for (size_t i = 0; i < sizeof(excerpts) / sizeof(excerpts[0]) && !err; i++) {
		const char *mark = strchr(excerpts[i].path, '%');

		if (mark)
			snprintf(path, sizeof(path), "%.*s%s%s", (int)(mark - excerpts[i].path),
				 excerpts[i].path, release, mark + 1);
		else
			snprintf(path, sizeof(path), "%s", excerpts[i].path);
		err = add_excerpt(c, path, excerpts[i].words, excerpts[i].wanted,
				  sizeof(excerpts[i].wanted) / sizeof(excerpts[i].wanted[0]));
	}
	return err;
}

static int by_ids(const void *a, const void *b)
{
	const struct vfcap_function *x = *(struct vfcap_function *const *)a;
	const struct vfcap_function *y = *(struct vfcap_function *const *)b;

	if (x->vendor != y->vendor)
		return x->vendor < y->vendor ? -1 : 1;
	return (x->device > y->device) - (x->device < y->device);
}

/* The names that this host has for what is in it, and no others: where it is read, another pci.ids is. */
static void print_names(struct vfcap_host *h, struct vfcap_function *const *fn, FILE *out)
{
	for (size_t i = 0; i < h->n; i++) {
		bool same = i && fn[i]->vendor == fn[i - 1]->vendor;
		const char *name = vfcap_pci_vendor_name(h, fn[i]->vendor);

		if (!fn[i]->has_ids || !name || (same && fn[i]->device == fn[i - 1]->device))
			continue;
		if (!same || !fn[i - 1]->has_ids)
			fprintf(out, "%04x  %s\n", fn[i]->vendor, name);
		name = vfcap_pci_device_name(h, fn[i]->vendor, fn[i]->device);
		if (name)
			fprintf(out, "\t%04x  %s\n", fn[i]->device, name);
	}
}

static int add_names(struct capture *c)
{
	struct vfcap_host *h = c->host;
	cleanup_free struct vfcap_function **fn = calloc(h->n + 1, sizeof(struct vfcap_function *));
	cleanup_free char *text = NULL;
	size_t len = 0;
	FILE *out = fn ? open_memstream(&text, &len) : NULL;

	if (!out)
		return -ENOMEM;
	memcpy(fn, h->fn, h->n * sizeof(struct vfcap_function *));
	qsort(fn, h->n, sizeof(struct vfcap_function *), by_ids);
	print_names(h, fn, out);
	if (fclose(out))
		return -ENOMEM;
	add_bytes(c, "usr/share/misc/pci.ids", text, len);
	return 0;
}

static int add_vfinfo(struct capture *c)
{
	cleanup_free char *text = NULL;
	struct vfcap_vfinfo info;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	int err = 0;

	if (!out)
		return -ENOMEM;
	for (size_t i = 0; i < c->host->n && !err; i++) {
		struct vfcap_function *vf = c->host->fn[i];

		if (vf->role != VFCAP_ROLE_VF)
			continue;
		err = vfcap_netlink_vf(vf, &info);
		if (!c->serials && info.has_mac)
			c->counts->macs++;
		info.has_mac &= c->serials;
		vfcap_vfinfo_print(out, vf, &info);
	}
	if (fclose(out) && !err)
		err = -ENOMEM;
	if (!err && len)
		add_bytes(c, VFCAP_CAPTURE_VFINFO, text, len);
	return err;
}

static const char mark[] = VFCAP_CAPTURE_HEAD
	"What vfcap capture has written of a host: vfcap --sysroot FILE list, and so on, reads it.\n";

static int add_all(struct capture *c)
{
	int err = 0;

	add_text(c, VFCAP_CAPTURE_MARK, mark);
	for (size_t i = 0; i < c->host->n && !err; i++)
		err = add_function(c, c->host->fn[i]);
	if (!err)
		err = add_rules(c, "", host_rules, sizeof(host_rules) / sizeof(host_rules[0]));
	if (!err)
		err = add_excerpts(c);
	if (!err)
		err = add_vfinfo(c);
	return err ? err : add_names(c);
}

static int find_root(struct capture *c)
{
	cleanup_close int fd = vfcap_root_openat(c->host->root, ".", O_PATH | O_DIRECTORY);
	char link[64];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = fd < 0 ? -1 : readlink(link, c->root, sizeof(c->root) - 1);
	if (n <= 0)
		return -ENOENT;
	c->root[n] = '\0';
	if (strcmp(c->root, "/") == 0)
		c->root[0] = '\0';
	return 0;
}

int vfcap_capture_write(struct vfcap_host *h, int fd, const char *name, bool serials,
			struct vfcap_capture_counts *counts)
{
	cleanup_free struct capture *c = calloc(1, sizeof(*c));
	int err, end;

	*counts = (struct vfcap_capture_counts){ 0 };
	if (!c)
		return vfcap_host_fail(h, -ENOMEM, "%s: %s", name, strerror(ENOMEM));
	c->host = h;
	c->serials = serials;
	c->counts = counts;
	err = find_root(c);
	if (err)
		return vfcap_host_fail(h, err, "/proc/self/fd: %s", strerror(-err));
	vfcap_tar_begin(&c->tar, fd, false);
	err = add_all(c);
	h->error[0] = '\0'; /* what could not be read is counted */
	end = vfcap_tar_end(&c->tar);
	if (!err)
		err = end;
	counts->bytes = c->tar.written;
	return err ? vfcap_host_fail(h, err, "%s: %s", name, strerror(-err)) : 0;
}
