// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Makes a PCI host out of a description:
 *
 *	mkhost SPEC DIR      a sysroot under DIR, which must not exist: sys/bus/pci/devices and more
 *	mkhost --dump SPEC   the same host as lspci -n -xxxx prints it
 *	mkhost --blob SPEC   its functions' config space, 4096 bytes each, by ascending address
 *
 * A description is lines of words; "#" begins a comment. Numbers are hexadecimal without 0x, but
 * for counts, widths and groups, which are decimal.
 *
 *	release TEXT                   the kernel's release
 *	name VENDOR[:DEVICE] TEXT      in the host's own pci.ids; a vendor before its devices
 *	file PATH [TEXT...]            a line of a file; named again, the next one. A PATH that ends
 *	                               in "/" is a directory
 *	iommu NAME FEATURES [CAP]      an IOMMU unit with its registers: of dmarN the ECAP register, of
 *	                               ivhdN the extended features and the capability; others: 0
 *	layout sysfs|flat|sos          devices as links (unless told), as plain directories, or
 *	                               config space under proc/bus/pci and no sys at all
 *	function ADDR VENDOR:DEVICE [KEY VALUE]...
 *	bridge ADDR VENDOR:DEVICE BUS [KEY VALUE]...
 *	                               to that secondary bus: functions there stand below it
 *	vfs FIRST-LAST [KEY VALUE]...  VFs of the last function with sriov, by index from 0; their
 *	                               addresses follow from its registers. Named again, the same
 *	                               VFs are changed
 *
 * KEY: class (6 digits), rev, driver, group (of VFs: the first one's), netdev ("%" is a VF's
 * index), size (of config space as it is captured: 0 no file, 64, 256 or 4096), power (the
 * attribute power_state), runtime (the attribute power/runtime_status), iommu (the unit that it is
 * below), pasid_offset and pri_offset (the knob of vfcap's driver).
 *
 * What follows such a line fills the config space of what it names; capabilities are linked as
 * they come:
 *
 *	cap OFFSET NAME|ID [VERSION]   a header, its body zero
 *	ats OFFSET QUEUE [on]
 *	pri OFFSET CAPACITY [on]
 *	pasid OFFSET WIDTH [exec] [priv] [on|bare]
 *	                               on with what it can, as Intel's driver switches it on; bare:
 *	                               on with neither, as AMD's
 *	sriov OFFSET TOTAL NUM FIRST STRIDE DEVICE
 *	                               decimal but for DEVICE; NUM 0: VFs are off
 *	next OFFSET NEXT               another next pointer in the header at OFFSET
 *	poke OFFSET BYTE...            bytes as they come
 *	fill OFFSET LENGTH BYTE
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../src/core/core.h"

#define MAX_WORDS 300
#define MAX_PATH 600
#define EXPRESS 0x40 /* where every function has its PCI Express capability */

enum layout { LAYOUT_SYSFS, LAYOUT_FLAT, LAYOUT_SOS };

struct function {
	uint32_t domain;
	uint16_t rid; /* routing ID: bus << 8 | device << 3 | function */
	uint16_t vendor, device; /* real ones */
	uint32_t class_code;
	uint8_t rev;
	int group; /* -1: none */
	int bus; /* a bridge's secondary bus, else -1 */
	int pf, index; /* of a VF: place of its PF in the host, 0-based index; else -1 */
	unsigned int size;
	int knob[VFCAP_EMULS]; /* -1: no knob */
	char driver[32], netdev[32], power[16], runtime[16], iommu[32];
	uint16_t sriov,
		last; /* offsets of the SR-IOV capability, of the last one that was linked */
	uint8_t config[VFCAP_CFG_SIZE];
};

struct file {
	char path[128];
	char text[2048];
	size_t len;
};

struct iommu {
	char name[32];
	unsigned long long features, cap;
};

struct host {
	char release[64];
	char names[4096]; /* text of pci.ids */
	enum layout layout;
	struct file file[48];
	size_t n_files;
	struct iommu iommu[8];
	size_t n_iommus;
	struct function *fn;
	size_t n, room;
	size_t first, last; /* those that the last line of functions named, last excluded */
	unsigned int line;
	const char *spec;
	int root;
};

static void __attribute__((noreturn, format(printf, 2, 3)))
die(const struct host *h, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "mkhost: %s:%u: ", h->spec, h->line);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

static unsigned long long number(const struct host *h, const char *text, int base,
				 unsigned long long max)
{
	char *end;
	unsigned long long val = strtoull(text, &end, base);

	if (end == text || *end || val > max)
		die(h, "%s: not a number up to %llu", text, max);
	return val;
}

static unsigned int offset(const struct host *h, const char *text)
{
	return (unsigned int)number(h, text, 16, VFCAP_CFG_SIZE - 1);
}

/* ------------------------------------------------------------------------------- description -- */

/* What every function has: a header and a PCI Express capability, without which there is no
 * extended config. */
static void legacy_config(struct function *fn)
{
	uint8_t *c = fn->config;
	bool root_bus = !(fn->rid >> 8);
	unsigned int type = fn->bus >= 0 ? 4 : root_bus ? 9 : 0; /* ports, endpoints */

	vfcap_put_le16(c, fn->pf >= 0 ? 0xffff : fn->vendor);
	vfcap_put_le16(c + 2, fn->pf >= 0 ? 0xffff : fn->device);
	vfcap_put_le16(c + 0x04,
		       fn->pf >= 0 ? 0x0004 : 0x0406); /* command: INTx off, bus master, memory */
	vfcap_put_le16(c + 0x06, 0x0010); /* status: capability list */
	vfcap_put_le32(c + 0x08, fn->class_code << 8 | fn->rev);
	c[0x0e] = fn->bus >= 0 ? 0x01 : 0x00;
	c[0x34] = EXPRESS;
	if (fn->bus >= 0) {
		c[0x18] = (uint8_t)(fn->rid >> 8);
		c[0x19] = c[0x1a] = (uint8_t)fn->bus;
	}
	c[EXPRESS] = 0x10;
	vfcap_put_le16(c + EXPRESS + 0x02, (uint16_t)(0x0002 | type << 4)); /* version 2 */
	vfcap_put_le32(c + EXPRESS + 0x04, 0x10008022); /* FLR, role-based errors, 512 bytes */
	vfcap_put_le32(c + EXPRESS + 0x0c, 0x00400084); /* x8, 16 GT/s */
	vfcap_put_le16(c + EXPRESS + 0x12, 0x0084); /* runs at that */
	vfcap_put_le32(c + EXPRESS + 0x24, 0x00200810); /* end-to-end TLP prefixes */
}

static struct function *add(struct host *h, uint32_t domain, unsigned int rid)
{
	struct function *fn;

	for (size_t i = 0; i < h->n; i++)
		if (h->fn[i].domain == domain && h->fn[i].rid == rid)
			die(h, "there is a function at that address already");
	if (h->n == h->room) {
		h->room = h->room ? 2 * h->room : 64;
		h->fn = reallocarray(h->fn, h->room, sizeof(*h->fn));
		if (!h->fn)
			die(h, "out of memory");
	}
	fn = &h->fn[h->n++];
	*fn = (struct function){ .domain = domain, .rid = (uint16_t)rid, .class_code = 0x020000 };
	fn->group = fn->bus = fn->pf = fn->index = -1;
	fn->size = VFCAP_CFG_SIZE;
	for (int e = 0; e < VFCAP_EMULS; e++)
		fn->knob[e] = -1;
	return fn;
}

static void text_key(const struct host *h, char *to, size_t size, const char *val)
{
	if (strlen(val) >= size)
		die(h, "%s: too long", val);
	strcpy(to, val);
}

static void set_netdev(const struct host *h, struct function *fn, const char *val)
{
	const char *mark = strchr(val, '%');
	char name[64];

	if (mark)
		snprintf(name, sizeof(name), "%.*s%d%s", (int)(mark - val), val, fn->index,
			 mark + 1);
	text_key(h, fn->netdev, sizeof(fn->netdev), mark ? name : val);
}

static void set_key(const struct host *h, struct function *fn, const char *key, const char *val)
{
	if (!strcmp(key, "class"))
		fn->class_code = (uint32_t)number(h, val, 16, 0xffffff);
	else if (!strcmp(key, "rev"))
		fn->rev = (uint8_t)number(h, val, 16, 0xff);
	else if (!strcmp(key, "driver"))
		text_key(h, fn->driver, sizeof(fn->driver), val);
	else if (!strcmp(key, "group"))
		fn->group = (int)number(h, val, 10, 1000000) + (fn->index > 0 ? fn->index : 0);
	else if (!strcmp(key, "netdev"))
		set_netdev(h, fn, val);
	else if (!strcmp(key, "size"))
		fn->size = (unsigned int)number(h, val, 10, VFCAP_CFG_SIZE);
	else if (!strcmp(key, "power"))
		text_key(h, fn->power, sizeof(fn->power), val);
	else if (!strcmp(key, "runtime"))
		text_key(h, fn->runtime, sizeof(fn->runtime), val);
	else if (!strcmp(key, "iommu"))
		text_key(h, fn->iommu, sizeof(fn->iommu), val);
	else if (!strcmp(key, "pasid_offset"))
		fn->knob[VFCAP_EMUL_PASID] = (int)offset(h, val);
	else if (!strcmp(key, "pri_offset"))
		fn->knob[VFCAP_EMUL_PRI] = (int)offset(h, val);
	else
		die(h, "%s: no such key", key);
}

static void set_keys(const struct host *h, struct function *fn, char **word, size_t n)
{
	if (n % 2)
		die(h, "%s: a key without a value", word[n - 1]);
	for (size_t i = 0; i < n; i += 2)
		set_key(h, fn, word[i], word[i + 1]);
	legacy_config(fn);
}

static void do_function(struct host *h, char **word, size_t n)
{
	bool bridge = !strcmp(word[0], "bridge");
	unsigned int domain, bus, dev, func, vendor, device;
	struct function *fn;

	if (n < (bridge ? 4 : 3) ||
	    sscanf(word[1], "%x:%x:%x.%x", &domain, &bus, &dev, &func) != 4 || bus > 255 ||
	    dev > 31 || func > 7 || sscanf(word[2], "%4x:%4x", &vendor, &device) != 2)
		die(h, "an address and VENDOR:DEVICE are wanted");
	fn = add(h, domain, bus << 8 | dev << 3 | func);
	fn->vendor = (uint16_t)vendor;
	fn->device = (uint16_t)device;
	if (bridge) {
		fn->class_code = 0x060400;
		fn->bus = (int)number(h, word[3], 16, 255);
	}
	set_keys(h, fn, word + (bridge ? 4 : 3), n - (bridge ? 4 : 3));
	h->first = h->n - 1;
	h->last = h->n;
}

static size_t last_pf(const struct host *h)
{
	size_t i = h->n;

	while (i && h->fn[i - 1].pf >= 0)
		i--;
	if (!i || !h->fn[i - 1].sriov)
		die(h, "no function with sriov comes before");
	return i - 1;
}

static void add_vfs(struct host *h, size_t pf, unsigned int upto)
{
	const uint8_t *sriov = h->fn[pf].config + h->fn[pf].sriov;
	unsigned int first = vfcap_le16(sriov + VFCAP_SRIOV_OFFSET);
	unsigned int stride = vfcap_le16(sriov + VFCAP_SRIOV_STRIDE);
	unsigned int device = vfcap_le16(sriov + VFCAP_SRIOV_VF_DEVICE);

	if (upto >= vfcap_le16(sriov + VFCAP_SRIOV_TOTALVFS))
		die(h, "there is no VF %u", upto);
	for (unsigned int i = (unsigned int)(h->n - pf - 1); i <= upto; i++) {
		struct function *vf =
			add(h, h->fn[pf].domain, (h->fn[pf].rid + first + i * stride) & 0xffff);

		vf->pf = (int)pf;
		vf->index = (int)i;
		vf->vendor = h->fn[pf].vendor;
		vf->device = (uint16_t)device;
		vf->class_code = h->fn[pf].class_code;
		vf->rev = h->fn[pf].rev;
	}
}

static void do_vfs(struct host *h, char **word, size_t n)
{
	size_t pf = last_pf(h);
	unsigned int first, last;

	if (n < 2 || sscanf(word[1], "%u-%u", &first, &last) != 2 || first > last || last > 0xffff)
		die(h, "FIRST-LAST is wanted");
	if (first > h->n - pf - 1)
		die(h, "VFs %zu to %u are missing", h->n - pf - 1, first - 1);
	add_vfs(h, pf, last);
	h->first = pf + 1 + first;
	h->last = pf + 2 + last;
	for (size_t i = h->first; i < h->last; i++)
		set_keys(h, &h->fn[i], word + 2, n - 2);
}

/* ------------------------------------------------------------------------------ config space -- */

static void set_next(struct function *fn, unsigned int at, unsigned int next)
{
	uint8_t *c = fn->config + at;

	vfcap_put_le16(c + 2, (uint16_t)((vfcap_le16(c + 2) & 0xf) | next << 4));
}

/* Returns the new capability, of which len bytes are in config space. */
static uint8_t *link_cap(const struct host *h, struct function *fn, const char *at, unsigned int id,
			 unsigned int version, unsigned int len)
{
	unsigned int off = offset(h, at);

	if (off < VFCAP_EXT_BASE || off % 4 || off + len > VFCAP_CFG_SIZE ||
	    (!fn->last && off != VFCAP_EXT_BASE))
		die(h, "%s: no place for a capability", at);
	if (fn->last)
		set_next(fn, fn->last, off);
	fn->last = (uint16_t)off;
	vfcap_put_le16(fn->config + off, (uint16_t)id);
	vfcap_put_le16(fn->config + off + 2, (uint16_t)version);
	return fn->config + off;
}

static bool has_word(char **word, size_t n, const char *what)
{
	for (size_t i = 3; i < n; i++)
		if (!strcmp(word[i], what))
			return true;
	return false;
}

static void do_cap(const struct host *h, struct function *fn, char **word, size_t n)
{
	int id = vfcap_cap_by_name(word[2]);

	if (id < 0)
		id = (int)number(h, word[2], 16, 0xffff);
	link_cap(h, fn, word[1], (unsigned int)id,
		 n > 3 ? (unsigned int)number(h, word[3], 10, 15) : 1, 4);
}

static void do_ats(const struct host *h, struct function *fn, char **word, size_t n)
{
	uint8_t *c = link_cap(h, fn, word[1], VFCAP_ID_ATS, 1, 8);

	vfcap_put_le16(c + 4,
		       (uint16_t)(number(h, word[2], 10, 31) | 0x60)); /* page aligned, global */
	vfcap_put_le16(c + VFCAP_ATS_CTRL, has_word(word, n, "on") ? VFCAP_ATS_CTRL_ENABLE : 0);
}

static void do_pri(const struct host *h, struct function *fn, char **word, size_t n)
{
	uint8_t *c = link_cap(h, fn, word[1], VFCAP_ID_PRI, 1, VFCAP_PRI_LEN);
	bool on = has_word(word, n, "on");
	unsigned int capacity = (unsigned int)number(h, word[2], 10, 1 << 20);

	vfcap_put_le16(c + VFCAP_PRI_CTRL, on ? VFCAP_PRI_CTRL_ENABLE : 0);
	vfcap_put_le16(c + VFCAP_PRI_STATUS,
		       VFCAP_PRI_STATUS_PASID | (on ? 0 : VFCAP_PRI_STATUS_STOPPED));
	vfcap_put_le32(c + VFCAP_PRI_CAPACITY, capacity);
	vfcap_put_le32(c + VFCAP_PRI_ALLOC, on ? capacity : 0);
}

static void do_pasid(const struct host *h, struct function *fn, char **word, size_t n)
{
	uint8_t *c = link_cap(h, fn, word[1], VFCAP_ID_PASID, 1, VFCAP_PASID_LEN);
	unsigned int modes = (has_word(word, n, "exec") ? VFCAP_PASID_CAP_EXEC : 0) |
			     (has_word(word, n, "priv") ? VFCAP_PASID_CAP_PRIV : 0);

	vfcap_put_le16(c + VFCAP_PASID_CAP, (uint16_t)(number(h, word[2], 10, 20) << 8 | modes));
	if (has_word(word, n, "bare"))
		vfcap_put_le16(c + VFCAP_PASID_CTRL, VFCAP_PASID_CTRL_ENABLE);
	else if (has_word(word, n, "on"))
		vfcap_put_le16(c + VFCAP_PASID_CTRL, (uint16_t)(VFCAP_PASID_CTRL_ENABLE | modes));
}

static void do_sriov(const struct host *h, struct function *fn, char **word, size_t n)
{
	uint8_t *c = link_cap(h, fn, word[1], VFCAP_ID_SRIOV, 1, 0x40);
	unsigned int total = (unsigned int)number(h, word[2], 10, 0xffff);
	unsigned int num = (unsigned int)number(h, word[3], 10, total);

	(void)n;
	fn->sriov = fn->last;
	vfcap_put_le16(c + VFCAP_SRIOV_CTRL,
		       num ? VFCAP_SRIOV_CTRL_VFE | 0x18 : 0x10); /* memory, ARI */
	vfcap_put_le16(c + 0x0c, (uint16_t)total);
	vfcap_put_le16(c + VFCAP_SRIOV_TOTALVFS, (uint16_t)total);
	vfcap_put_le16(c + VFCAP_SRIOV_NUMVFS, (uint16_t)num);
	vfcap_put_le16(c + VFCAP_SRIOV_OFFSET, (uint16_t)number(h, word[4], 10, 0xffff));
	vfcap_put_le16(c + VFCAP_SRIOV_STRIDE, (uint16_t)number(h, word[5], 10, 0xffff));
	vfcap_put_le16(c + VFCAP_SRIOV_VF_DEVICE, (uint16_t)number(h, word[6], 16, 0xffff));
	vfcap_put_le32(c + 0x1c, 0x553); /* page sizes from 4 KiB to 4 MiB */
	vfcap_put_le32(c + 0x20, 0x1);
}

static void do_next(const struct host *h, struct function *fn, char **word, size_t n)
{
	unsigned int at = offset(h, word[1]);

	(void)n;
	if (at > VFCAP_CFG_SIZE - 4)
		die(h, "%s: no place for a header", word[1]);
	set_next(fn, at, offset(h, word[2]));
}

static void do_poke(const struct host *h, struct function *fn, char **word, size_t n)
{
	unsigned int at = offset(h, word[1]);

	if (at + (n - 2) > VFCAP_CFG_SIZE)
		die(h, "past the end");
	for (size_t i = 2; i < n; i++)
		fn->config[at++] = (uint8_t)number(h, word[i], 16, 0xff);
}

static void do_fill(const struct host *h, struct function *fn, char **word, size_t n)
{
	unsigned int at = offset(h, word[1]);
	unsigned int len = (unsigned int)number(h, word[2], 16, VFCAP_CFG_SIZE - at);

	(void)n;
	memset(fn->config + at, (int)number(h, word[3], 16, 0xff), len);
}

static const struct {
	const char *name;
	size_t words; /* at least, the name too */
	void (*run)(const struct host *h, struct function *fn, char **word, size_t n);
} fillers[] = {
	{ "cap", 3, do_cap },	  { "ats", 3, do_ats },	    { "pri", 3, do_pri },
	{ "pasid", 3, do_pasid }, { "sriov", 7, do_sriov }, { "next", 3, do_next },
	{ "poke", 3, do_poke },	  { "fill", 4, do_fill },
};

static void do_config(struct host *h, char **word, size_t n)
{
	size_t k = 0;

	while (k < sizeof(fillers) / sizeof(fillers[0]) && strcmp(fillers[k].name, word[0]))
		k++;
	if (k == sizeof(fillers) / sizeof(fillers[0]))
		die(h, "%s: unknown", word[0]);
	if (n < fillers[k].words)
		die(h, "%s: words are missing", word[0]);
	if (h->first == h->last)
		die(h, "%s: of which function?", word[0]);
	for (size_t i = h->first; i < h->last; i++)
		fillers[k].run(h, &h->fn[i], word, n);
}

static void do_layout(struct host *h, const char *name)
{
	static const char *const names[] = { "sysfs", "flat", "sos" };
	size_t i = 0;

	while (i < 3 && strcmp(names[i], name))
		i++;
	if (i == 3)
		die(h, "%s: no such layout", name);
	h->layout = (enum layout)i;
}

/* A line of pci.ids: devices stand below their vendor, behind a tab. */
static void do_name(struct host *h, char **word, size_t n)
{
	const char *device = strchr(word[1], ':');
	size_t len = strlen(h->names), room = sizeof(h->names) - len;
	int added = snprintf(h->names + len, room, device ? "\t%s " : "%s ",
			     device ? device + 1 : word[1]);

	for (size_t i = 2; i < n && (size_t)added < room; i++)
		added += snprintf(h->names + len + added, room - (size_t)added, " %s", word[i]);
	if ((size_t)added + 1 >= room)
		die(h, "too many names");
	strcpy(h->names + len + added, "\n");
}

static void do_file(struct host *h, char **word, size_t n)
{
	struct file *file = h->file;

	while (file < h->file + h->n_files && strcmp(file->path, word[1]))
		file++;
	if (file == h->file + h->n_files) {
		if (h->n_files++ == sizeof(h->file) / sizeof(h->file[0]))
			die(h, "too many files");
		text_key(h, file->path, sizeof(file->path), word[1]);
	}
	for (size_t i = 2; i < n; i++) {
		int len = snprintf(file->text + file->len, sizeof(file->text) - file->len, "%s%s",
				   word[i], i + 1 < n ? " " : "\n");

		file->len += (size_t)len;
		if (file->len >= sizeof(file->text))
			die(h, "too long");
	}
}

static void do_iommu(struct host *h, char **word, size_t n)
{
	struct iommu *iommu = &h->iommu[h->n_iommus];

	if (h->n_iommus++ == sizeof(h->iommu) / sizeof(h->iommu[0]))
		die(h, "too many IOMMUs");
	text_key(h, iommu->name, sizeof(iommu->name), word[1]);
	iommu->features = number(h, word[2], 16, ~0ull);
	iommu->cap = n > 3 ? number(h, word[3], 16, 0xffffffff) : 0;
}

static void read_line(struct host *h, char *text)
{
	char *word[MAX_WORDS], *save = NULL;
	size_t n = 0;

	text[strcspn(text, "#\n")] = '\0';
	for (char *w = strtok_r(text, " \t", &save); w; w = strtok_r(NULL, " \t", &save)) {
		if (n == MAX_WORDS)
			die(h, "too many words");
		word[n++] = w;
	}
	if (!n)
		return;
	if (n == 2 && !strcmp(word[0], "release"))
		text_key(h, h->release, sizeof(h->release), word[1]);
	else if (n == 2 && !strcmp(word[0], "layout"))
		do_layout(h, word[1]);
	else if (n > 2 && !strcmp(word[0], "name"))
		do_name(h, word, n);
	else if (n > 1 && !strcmp(word[0], "file"))
		do_file(h, word, n);
	else if (n > 2 && !strcmp(word[0], "iommu"))
		do_iommu(h, word, n);
	else if (!strcmp(word[0], "function") || !strcmp(word[0], "bridge"))
		do_function(h, word, n);
	else if (!strcmp(word[0], "vfs"))
		do_vfs(h, word, n);
	else
		do_config(h, word, n);
}

static void read_spec(struct host *h)
{
	FILE *f = fopen(h->spec, "r");
	char line[4096];

	if (!f)
		die(h, "%s", strerror(errno));
	while (fgets(line, sizeof(line), f)) {
		h->line++;
		read_line(h, line);
	}
	fclose(f);
}

/* -------------------------------------------------------------------------------------- tree -- */

static void make_dirs(const struct host *h, const char *path)
{
	char dir[MAX_PATH];

	for (const char *s = strchr(path, '/'); s; s = strchr(s + 1, '/')) {
		snprintf(dir, sizeof(dir), "%.*s", (int)(s - path), path);
		if (mkdirat(h->root, dir, 0755) && errno != EEXIST)
			die(h, "%s: %s", dir, strerror(errno));
	}
}

static void write_file(const struct host *h, const char *path, const void *data, size_t len)
{
	int fd;

	make_dirs(h, path);
	fd = openat(h->root, path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	if (fd < 0 || write(fd, data, len) != (ssize_t)len || close(fd))
		die(h, "%s: %s", path, strerror(errno));
}

static void __attribute__((format(printf, 4, 5)))
attribute(const struct host *h, const char *dir, const char *name, const char *fmt, ...)
{
	char path[MAX_PATH], text[128];
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(text, sizeof(text) - 1, fmt, ap);
	va_end(ap);
	text[len++] = '\n';
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	write_file(h, path, text, (size_t)len);
}

/* Links path to target, both from the root: with as many ".." as it takes. */
static void make_link(const struct host *h, const char *path, const char *target)
{
	char text[2 * MAX_PATH] = "";

	make_dirs(h, path);
	for (const char *s = strchr(path, '/'); s; s = strchr(s + 1, '/'))
		strcat(text, "../");
	strcat(text, target);
	if (symlinkat(text, h->root, path))
		die(h, "%s: %s", path, strerror(errno));
}

static void address(const struct function *fn, char text[16])
{
	snprintf(text, 16, "%04x:%02x:%02x.%x", fn->domain & 0xffff, fn->rid >> 8,
		 fn->rid >> 3 & 0x1f, fn->rid & 7);
}

/* The bridge that leads to a function's bus. A VF's may have no bus of its own: it is its PF's. */
static const struct function *bridge_of(const struct host *h, const struct function *fn)
{
	const struct function *on = fn->pf >= 0 ? &h->fn[fn->pf] : fn;

	for (size_t i = 0; i < h->n; i++)
		if (h->fn[i].bus == on->rid >> 8 && h->fn[i].domain == on->domain &&
		    &h->fn[i] != fn)
			return &h->fn[i];
	return NULL;
}

static void directory(const struct host *h, const struct function *fn, char path[MAX_PATH])
{
	const struct function *bridge = bridge_of(h, fn);
	char name[16];

	if (h->layout == LAYOUT_FLAT)
		snprintf(path, MAX_PATH, "sys/bus/pci/devices");
	else if (bridge)
		directory(h, bridge, path);
	else
		snprintf(path, MAX_PATH, "sys/devices/pci%04x:%02x", fn->domain, fn->rid >> 8);
	address(fn, name);
	snprintf(path + strlen(path), MAX_PATH - strlen(path), "/%s", name);
}

static void link_in(const struct host *h, const char *dir, const char *name, const char *target)
{
	char path[MAX_PATH + 32];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	make_link(h, path, target);
}

static void write_links(const struct host *h, const struct function *fn, const char *dir)
{
	char target[MAX_PATH + 64];

	if (fn->driver[0]) {
		snprintf(target, sizeof(target), "sys/bus/pci/drivers/%s/", fn->driver);
		make_dirs(h, target);
		target[strlen(target) - 1] = '\0';
		link_in(h, dir, "driver", target);
	}
	if (fn->group >= 0) {
		snprintf(target, sizeof(target), "sys/kernel/iommu_groups/%d/", fn->group);
		make_dirs(h, target);
		target[strlen(target) - 1] = '\0';
		link_in(h, dir, "iommu_group", target);
	}
	if (fn->iommu[0]) {
		snprintf(target, sizeof(target), "sys/devices/virtual/iommu/%s", fn->iommu);
		link_in(h, dir, "iommu", target);
	}
	if (fn->netdev[0]) {
		snprintf(target, sizeof(target), "%s/net/%s", dir, fn->netdev);
		attribute(h, target, "address", "02:00:00:%02x:%02x:00", fn->rid >> 8,
			  fn->rid & 0xff);
		link_in(h, "sys/class/net", fn->netdev, target);
	}
}

static void write_relation(const struct host *h, const struct function *fn, const char *dir)
{
	char target[MAX_PATH], name[32];

	if (fn->pf < 0)
		return;
	directory(h, &h->fn[fn->pf], target);
	link_in(h, dir, "physfn", target);
	snprintf(name, sizeof(name), "virtfn%d", fn->index);
	link_in(h, target, name, dir);
}

static void write_attributes(const struct host *h, const struct function *fn, const char *dir)
{
	const uint8_t *sriov = fn->config + fn->sriov;

	attribute(h, dir, "vendor", "0x%04x", fn->vendor);
	attribute(h, dir, "device", "0x%04x", fn->device);
	attribute(h, dir, "class", "0x%06x", fn->class_code);
	attribute(h, dir, "revision", "0x%02x", fn->rev);
	if (fn->power[0])
		attribute(h, dir, "power_state", "%s", fn->power);
	if (fn->runtime[0])
		attribute(h, dir, "power/runtime_status", "%s", fn->runtime);
	if (fn->sriov) {
		attribute(h, dir, "sriov_totalvfs", "%u", vfcap_le16(sriov + VFCAP_SRIOV_TOTALVFS));
		attribute(h, dir, "sriov_numvfs", "%u", vfcap_le16(sriov + VFCAP_SRIOV_NUMVFS));
	}
	if (fn->knob[VFCAP_EMUL_PASID] >= 0 || fn->knob[VFCAP_EMUL_PRI] >= 0) {
		int pasid = fn->knob[VFCAP_EMUL_PASID], pri = fn->knob[VFCAP_EMUL_PRI];

		attribute(h, dir, "vfcap/abi", "1");
		attribute(h, dir, "vfcap/pasid_offset", pasid > 0 ? "0x%03x" : "%d",
			  pasid > 0 ? pasid : 0);
		attribute(h, dir, "vfcap/pri_offset", pri > 0 ? "0x%03x" : "%d", pri > 0 ? pri : 0);
		attribute(h, dir, "vfcap/pasid_width", "0");
		attribute(h, dir, "vfcap/pasid_shown", "0");
		attribute(h, dir, "vfcap/pri_shown", "0");
		attribute(h, dir, "vfcap/state", pasid > 0 || pri > 0 ? "ready" : "off");
	}
}

static void write_sysfs(const struct host *h, const struct function *fn)
{
	char dir[MAX_PATH], config[MAX_PATH + 16], name[16];

	directory(h, fn, dir);
	snprintf(config, sizeof(config), "%s/config", dir);
	if (fn->size)
		write_file(h, config, fn->config, fn->size);
	write_attributes(h, fn, dir);
	write_links(h, fn, dir);
	write_relation(h, fn, dir);
	address(fn, name);
	if (h->layout == LAYOUT_SYSFS)
		link_in(h, "sys/bus/pci/devices", name, dir);
}

static void write_iommu(const struct host *h, const struct iommu *iommu)
{
	char dir[MAX_PATH];

	snprintf(dir, sizeof(dir), "sys/devices/virtual/iommu/%s", iommu->name);
	link_in(h, "sys/class/iommu", iommu->name, dir);
	strcat(dir, "/");
	make_dirs(h, dir);
	if (!strncmp(iommu->name, "dmar", 4)) {
		attribute(h, dir, "intel-iommu/ecap", "%llx", iommu->features);
	} else if (!strncmp(iommu->name, "ivhd", 4)) {
		attribute(h, dir, "amd-iommu/features", "%llx:0", iommu->features);
		attribute(h, dir, "amd-iommu/cap", "%llx", iommu->cap);
	}
}

static void write_sos(const struct host *h, const struct function *fn)
{
	char path[64];

	if (!fn->domain)
		snprintf(path, sizeof(path), "proc/bus/pci/%02x/%02x.%x", fn->rid >> 8,
			 fn->rid >> 3 & 0x1f, fn->rid & 7);
	else
		snprintf(path, sizeof(path), "proc/bus/pci/%04x:%02x/%02x.%x", fn->domain,
			 fn->rid >> 8, fn->rid >> 3 & 0x1f, fn->rid & 7);
	write_file(h, path, fn->config, fn->size);
}

static void write_tree(struct host *h, const char *dir)
{
	if (mkdir(dir, 0755))
		die(h, "%s: %s", dir, strerror(errno));
	h->root = open(dir, O_PATH | O_DIRECTORY);
	if (h->root < 0)
		die(h, "%s: %s", dir, strerror(errno));
	attribute(h, "proc/sys/kernel", "osrelease", "%s", h->release);
	if (h->names[0])
		write_file(h, "usr/share/misc/pci.ids", h->names, strlen(h->names));
	for (size_t i = 0; i < h->n_files; i++) {
		const char *path = h->file[i].path;

		make_dirs(h, path);
		if (path[strlen(path) - 1] != '/')
			write_file(h, path, h->file[i].text, h->file[i].len);
	}
	for (size_t i = 0; i < h->n_iommus; i++)
		write_iommu(h, &h->iommu[i]);
	make_dirs(h, h->layout == LAYOUT_SOS ? "proc/bus/pci/" : "sys/bus/pci/devices/");
	for (size_t i = 0; i < h->n; i++) {
		if (h->layout == LAYOUT_SOS)
			write_sos(h, &h->fn[i]);
		else
			write_sysfs(h, &h->fn[i]);
	}
	close(h->root);
}

/* ----------------------------------------------------------------------------- dump and blob -- */

static int by_address(const void *a, const void *b)
{
	const struct function *x = a, *y = b;

	return x->domain != y->domain ? (x->domain > y->domain) - (x->domain < y->domain) :
					x->rid - y->rid;
}

static void print_dump(const struct function *fn)
{
	char name[16];

	address(fn, name);
	printf("%s %04x: %04x:%04x", name, fn->class_code >> 8, fn->vendor, fn->device);
	if (fn->rev)
		printf(" (rev %02x)", fn->rev);
	for (unsigned int i = 0; i < fn->size; i++) {
		if (i % 16 == 0)
			printf("\n%02x:", i);
		printf(" %02x", fn->config[i]);
	}
	printf("\n\n");
}

static void print_all(struct host *h, bool dump)
{
	qsort(h->fn, h->n, sizeof(*h->fn), by_address);
	for (size_t i = 0; i < h->n; i++) {
		if (dump)
			print_dump(&h->fn[i]);
		else
			fwrite(h->fn[i].config, 1, sizeof(h->fn[i].config), stdout);
	}
	if (fflush(stdout) || ferror(stdout))
		die(h, "standard output: %s", strerror(errno));
}

int main(int argc, char **argv)
{
	bool dump = argc == 3 && !strcmp(argv[1], "--dump");
	bool blob = argc == 3 && !strcmp(argv[1], "--blob");
	struct host h = { .release = "6.12.0", .spec = dump || blob ? argv[2] : argv[1] };

	if (argc != 3) {
		fputs("usage: mkhost SPEC DIR\n       mkhost --dump|--blob SPEC\n", stderr);
		return 2;
	}
	read_spec(&h);
	if (dump || blob)
		print_all(&h, dump);
	else
		write_tree(&h, argv[2]);
	free(h.fn);
	return 0;
}
