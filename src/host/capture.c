// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A host as one file: of sysfs, proc and what vfcap keeps, that which its commands read. Reading it there
 * gives the answers that the host gives. What tells one machine from another of its kind is left out.
 */
#include <errno.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "capture.h"
#include "change.h"
#include "../util/tar.h"
#include "sysfs.h"

#define FILE_MOST (4u << 20) /* bytes of a file: as many as are read back */
#define DSN_ID 0x03u
#define DSN_SERIAL 4 /* offset in it */
#define DOE_ID 0x2e
#define DOE_MAILBOXES 0x10u /* offset in it: write mailbox, read mailbox */

struct capture {
	struct vfcap_host *host;
	bool serials;
	struct vfcap_capture_counts *counts;
	struct vfcap_image image;
	struct vfcap_chain chain;
	struct vfcap_tar_out tar;
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
	{ VFCAP_DISABLE_DENYLIST, KIND_FILE },
	{ "sys/module/module/parameters/sig_enforce", KIND_FILE },
	{ "sys/kernel/security/lockdown", KIND_FILE },
	{ "sys/firmware/efi/efivars/SecureBoot-*", KIND_FILE },
};

/* ------------------------------------------------------------------------------------ entries -- */

/* What is not there, or not for this reader to see, is not in the capture; any other failed read is its end. */
static int left_out(ssize_t err)
{
	return err == -ENOENT || err == -EACCES || err == -EPERM ? 0 : (int)err;
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

/* What is read through links is written where it stands. */
static int add_file(struct capture *c, const char *path, bool mac)
{
	const struct vfcap_root *root = c->host->root;
	cleanup_free char *text = NULL;
	char real[PATH_MAX];
	size_t len;
	ssize_t n = vfcap_root_load(root, path, FILE_MOST, &text, &len);

	if (!n)
		n = vfcap_root_resolve(root, path, real, sizeof(real));
	if (n < 0)
		return left_out(n);
	if (mac && !c->serials && len > 1) {
		c->counts->macs++;
		add_text(c, real, "00:00:00:00:00:00\n");
	} else {
		add_bytes(c, real, text, len);
	}
	return 0;
}

/* The directory that holds it is written where it stands, and the link as it is. A directory in its place, as some
 * captures have it, is none to be written. */
static int add_link(struct capture *c, const char *path)
{
	const char *slash = strrchr(path, '/');
	char name[PATH_MAX], link[PATH_MAX], target[VFCAP_TAR_PATH];
	cleanup_dir struct vfcap_dir dir = VFCAP_DIR_NONE;
	struct stat st;
	ssize_t n;

	snprintf(name, sizeof(name), "%.*s", (int)(slash - path), path);
	n = vfcap_dir_open(&dir, c->host->root, name);
	if (!n)
		n = vfcap_dir_stat(&dir, slash + 1, &st);
	if (!n && S_ISDIR(st.st_mode))
		return 0;
	if (!n)
		n = vfcap_dir_read_link(&dir, slash + 1, target, sizeof(target));
	if (n >= 0)
		n = vfcap_root_resolve(c->host->root, name, link, sizeof(link));
	if (n < 0)
		return left_out(n);
	if ((size_t)n + strlen(slash) >= sizeof(link))
		return -ENAMETOOLONG;
	strcpy(link + n, slash);
	vfcap_tar_add_link(&c->tar, link, target);
	c->counts->files++;
	return 0;
}

static int add_dir(struct capture *c, const char *path)
{
	cleanup_dir struct vfcap_dir dir = VFCAP_DIR_NONE;
	char real[PATH_MAX];
	ssize_t n = vfcap_dir_open(&dir, c->host->root, path);

	if (!n)
		n = vfcap_root_resolve(c->host->root, path, real, sizeof(real));
	if (n > 0)
		vfcap_tar_add_dir(&c->tar, real);
	return n < 0 ? left_out(n) : 0;
}

static int add_path(struct capture *c, const char *path, enum kind kind)
{
	if (kind == KIND_LINK)
		return add_link(c, path);
	if (kind == KIND_DIR)
		return add_dir(c, path);
	return add_file(c, path, kind == KIND_MAC);
}

/* ----------------------------------------------------------------------------------- patterns -- */

/* Takes one part of a pattern after the other; dir is what they have led to. */
static int add_matching(struct capture *c, const char *dir, const char *pattern, enum kind kind)
{
	size_t len = strcspn(pattern, "/");
	const char *rest = pattern + len + (pattern[len] == '/');
	cleanup_names struct vfcap_names names = { 0 };
	char part[256], path[PATH_MAX];
	bool many;
	int err = 0;

	snprintf(part, sizeof(part), "%.*s", (int)len, pattern);
	many = strchr(part, '*');
	if (many)
		err = left_out(vfcap_root_list(c->host->root, *dir ? dir : ".", &names));
	vfcap_names_sort(&names); /* the order of a directory is nobody's */
	for (size_t i = 0; !err && i < (many ? names.n : 1); i++) {
		const char *name = many ? names.name[i] : part;

		if (many && (name[0] == '.' || fnmatch(part, name, 0)))
			continue;
		if ((size_t)snprintf(path, sizeof(path), "%s%s%s", dir, *dir ? "/" : "", name) >=
		    sizeof(path))
			return -ENAMETOOLONG;
		err = *rest ? add_matching(c, path, rest, kind) : add_path(c, path, kind);
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

/* A mailbox is a device's to answer by, and not read for the sake of having it. size; 0: there is less; or -errno. */
static int fetch_around(struct capture *c, struct vfcap_function *fn, uint8_t *bytes,
			unsigned int size)
{
	unsigned int off = 0, end = size;
	int n;

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
		n = end > off ? fn->fetch(fn, off, end - off, bytes + off) : 0;
		if (n < 0 || (end > off && (unsigned int)n < end - off))
			return n < 0 ? n : 0;
		off = end + 8;
	} while (end < size);
	return (int)size;
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

/* How many bytes could be read; 0: none, as is known of it; or -errno. */
static int read_config(struct capture *c, struct vfcap_function *fn, uint8_t *bytes)
{
	bool kernel = c->host->topology->kernel;
	int n = kernel && fn->config_size < 0 && fn->skip == VFCAP_SKIP_NONE ?
			vfcap_config_outcome(fn, vfcap_config_look(fn)) :
			0;
	unsigned int size = fn->rows ? fn->rows->end : (unsigned int)fn->config_size;

	if (n >= 0 && fn->skip == VFCAP_SKIP_NONE && fn->config_size > 0)
		n = kernel ? fetch_around(c, fn, bytes, size) : fn->fetch(fn, 0, size, bytes);
	return n == -EACCES || n == -EPERM || n == -ENODEV || n == -ENOENT ? 0 : n;
}

static int add_config(struct capture *c, struct vfcap_function *fn, const char *path)
{
	uint8_t bytes[VFCAP_CFG_SIZE] = { 0 };
	int size = read_config(c, fn, bytes);

	if (size < 0)
		return vfcap_host_fail(c->host, size, "%s: config: %s", fn->name,
				       vfcap_strerror(size));
	if (!size) {
		c->counts->without++;
		return 0;
	}
	c->counts->short_config += c->host->topology->kernel && size <= 64;
	if (!c->serials)
		blank_serials(c, bytes, (unsigned int)size);
	add_bytes(c, path, bytes, (unsigned int)size);
	return 0;
}

/* ----------------------------------------------------------------------------------- functions -- */

/* Read under a lock that a driver may keep for long. */
static int add_override(struct capture *c, struct vfcap_function *fn, const char *dir)
{
	char path[PATH_MAX], file[VFCAP_SYSFS_PATH], text[VFCAP_NAME_ROOM + 1];
	struct vfcap_binding b;
	int there = vfcap_root_has(c->host->root, vfcap_sysfs_path(fn, "driver_override", file));

	if (there <= 0)
		return left_out(there);
	if (vfcap_binding_read(fn, &b) || b.unbinding)
		return 0;
	snprintf(path, sizeof(path), "%.4000s/driver_override", dir);
	snprintf(text, sizeof(text), "%s\n", b.override[0] ? b.override : "(null)");
	add_text(c, path, text);
	return 0;
}

static int add_netdevs(struct capture *c, struct vfcap_function *fn)
{
	char path[PATH_MAX];
	int err = 0;

	for (size_t i = 0; i < fn->n_netdev && !err; i++) {
		snprintf(path, sizeof(path), "sys/class/net/%s", fn->netdev[i]);
		err = add_link(c, path);
		snprintf(path, sizeof(path), "sys/class/net/%s/device", fn->netdev[i]);
		if (!err)
			err = add_link(c, path);
	}
	return err;
}

static int add_sysfs(struct capture *c, struct vfcap_function *fn, const char *dir)
{
	char path[PATH_MAX], text[16];
	int err = 0;

	snprintf(path, sizeof(path), VFCAP_SYSFS_DEVICES "/%s", fn->name);
	if (strcmp(path, dir))
		err = add_link(c, path);
	if (err)
		return err;
	vfcap_tar_add_dir(&c->tar, dir);
	snprintf(path, sizeof(path), "%.4000s/config", dir);
	err = add_config(c, fn, path);
	if (!err)
		err = add_rules(c, dir, function_rules,
				sizeof(function_rules) / sizeof(function_rules[0]));
	if (!err)
		err = add_override(c, fn, dir);
	if (!err && fn->role == VFCAP_ROLE_PF && fn->numvfs >= 0) {
		snprintf(path, sizeof(path), "%.4000s/sriov_numvfs", dir);
		snprintf(text, sizeof(text), "%d\n", fn->numvfs);
		add_text(c, path, text);
	}
	return err ? err : add_netdevs(c, fn);
}

static int add_function(struct capture *c, struct vfcap_function *fn)
{
	char path[VFCAP_SYSFS_PATH], dir[PATH_MAX];
	const struct vfcap_address a = fn->address;
	ssize_t n =
		vfcap_root_resolve(c->host->root, vfcap_sysfs_path(fn, "", path), dir, sizeof(dir));

	c->counts->functions++;
	if (n >= 0)
		return add_sysfs(c, fn, dir);
	if (left_out(n))
		return (int)n;
	/* As a sos report has it. */
	snprintf(dir, sizeof(dir), "proc/bus/pci/%04x:%02x/%02x.%x", a.domain, a.bus, a.devfn >> 3,
		 a.devfn & 7);
	return add_config(c, fn, dir);
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
static void choose_lines(char *text, FILE *out, const char *const *wanted, size_t n)
{
	const char *last = NULL;
	char *line;

	while ((line = vfcap_line_next(&text))) {
		if (!is_wanted(line, wanted, n) || (last && strcmp(last, line) == 0))
			continue;
		fprintf(out, "%s\n", line);
		last = line;
	}
}

static void choose_words(char *text, FILE *out, const char *const *wanted, size_t n)
{
	const char *between = "";
	char *word;

	while ((word = strsep(&text, " \n"))) {
		if (!is_wanted(word, wanted, n))
			continue;
		fprintf(out, "%s%s", between, word);
		between = " ";
	}
	fputc('\n', out);
}

static int add_excerpt(struct capture *c, const char *path, bool words, const char *const *wanted,
		       size_t n_wanted)
{
	const struct vfcap_root *root = c->host->root;
	cleanup_free char *in = NULL;
	cleanup_free char *text = NULL;
	char real[PATH_MAX];
	FILE *out;
	size_t len;
	ssize_t n = vfcap_root_load(root, path, VFCAP_TEXT_MOST, &in, &len);

	if (!n)
		n = vfcap_root_resolve(root, path, real, sizeof(real));
	if (n < 0)
		return left_out(n);
	out = open_memstream(&text, &len);
	if (!out)
		return -ENOMEM;
	(words ? choose_words : choose_lines)(in, out, wanted, n_wanted);
	if (fclose(out) || !text)
		return -ENOMEM;
	add_bytes(c, real, text, len);
	return 0;
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
	if (fclose(out) || !text)
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
	if ((fclose(out) || !text) && !err)
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

/* An error of what was read is said with its object, any other one with the file's name. */
static int fail(struct capture *c, const char *name, int err, unsigned long before)
{
	const struct vfcap_root *root = c->host->root;
	const char *what;

	if (vfcap_root_failures(root) == before)
		return vfcap_host_fail(c->host, err, "%s: %s", name, vfcap_strerror(err));
	err = vfcap_root_failure(root, &what);
	vfcap_root_forget_failure(root);
	return vfcap_host_fail(c->host, err, "%s", what);
}

int vfcap_capture_write(struct vfcap_host *h, int fd, const char *name, bool packed, bool serials,
			struct vfcap_capture_counts *counts)
{
	cleanup_free struct capture *c = calloc(1, sizeof(*c));
	unsigned long before = vfcap_root_failures(h->root);
	int err, end;

	*counts = (struct vfcap_capture_counts){ 0 };
	if (!c)
		return vfcap_host_fail(h, -ENOMEM, "%s: %s", name, strerror(ENOMEM));
	c->host = h;
	c->serials = serials;
	c->counts = counts;
	vfcap_tar_begin(&c->tar, fd, packed);
	err = add_all(c);
	h->error[0] = '\0'; /* what could not be read is counted */
	end = vfcap_tar_end(&c->tar);
	counts->bytes = c->tar.stored;
	if (!err && vfcap_root_failures(h->root) != before)
		err = -EIO;
	if (!err)
		err = end;
	return err ? fail(c, name, err, before) : 0;
}
