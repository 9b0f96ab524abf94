// SPDX-License-Identifier: GPL-2.0-or-later
/* Who uses a VF, and which driver of VFIO would rather have it. */
#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "change.h"
#include "sysfs.h"

#define UNREAD (sizeof(((struct vfcap_use *)NULL)->unread))
#define PATH_ROOM (VFCAP_SYSFS_PATH + 2 * NAME_MAX + 32)

/* What cannot be asked, of which the first is named. Absence is none of it. */
static void note(char unread[UNREAD], const char *path, int err)
{
	if (err && err != -ENOENT && !*unread)
		snprintf(unread, UNREAD, "/%.110s: %.40s", path, vfcap_strerror(err));
}

/* Has a read below the root failed before? What fails from now on is told by who asks. */
static bool has_failed(const struct vfcap_host *h)
{
	const char *what;

	return vfcap_root_failure(h->root, &what);
}

static void settle(const struct vfcap_host *h, bool failed, char unread[UNREAD])
{
	if (!failed)
		vfcap_root_forget_failure(h->root);
	if (h->assume_unused)
		unread[0] = '\0';
}

/* ----------------------------------------------------------------------------------- holders -- */

/* Of the processes that have a device open, one is enough. */
static const struct vfcap_holder *find_holder(const struct vfcap_holders *holders, dev_t number,
					      const char *name)
{
	for (size_t i = 0; i < holders->n; i++)
		if (holders->numbered ? holders->holder[i].number == number :
					strcmp(holders->holder[i].name, name) == 0)
			return &holders->holder[i];
	return NULL;
}

static int add_holder(struct vfcap_holders *holders, const struct vfcap_holder *holder)
{
	struct vfcap_holder *more;

	if (find_holder(holders, holder->number, holder->name))
		return 0;
	more = vfcap_more(holders->holder, holders->n, sizeof(*more));
	if (!more)
		return -ENOMEM;
	holders->holder = more;
	more[holders->n++] = *holder;
	return 0;
}

/* "/dev/vfio/14", removed or not, is "14"; not /dev/vfio/vfio, which is nobody's. */
static bool take_name(const char *link, char name[32])
{
	static const char folder[] = "/dev/vfio/", removed[] = " (deleted)";
	size_t len;

	if (strncmp(link, folder, sizeof(folder) - 1))
		return false;
	link += sizeof(folder) - 1;
	len = strlen(link);
	if (len >= sizeof(removed) && strcmp(link + len - sizeof(removed) + 1, removed) == 0)
		len -= sizeof(removed) - 1;
	snprintf(name, 32, "%.*s", (int)len, link);
	return len && len < 32 && strcmp(name, "vfio");
}

/* What a descriptor leads to: 1: what may be a device of VFIO; 0: something else; or -errno. */
static int look_at_descriptor(const struct vfcap_holders *holders, const struct vfcap_dir *dir,
			      const char *name, struct vfcap_holder *holder)
{
	char link[PATH_MAX];
	ssize_t n;

	if (holders->numbered)
		return vfcap_dir_device_number(dir, name, &holder->number);
	n = vfcap_dir_read_link(dir, name, link, sizeof(link));
	return n < 0 ? (int)n : take_name(link, holder->name);
}

static void scan_process(struct vfcap_host *h, const char *process, struct vfcap_holders *holders)
{
	struct vfcap_holder holder = { .pid = atoi(process) };
	cleanup_dir struct vfcap_dir dir = VFCAP_DIR_NONE;
	cleanup_names struct vfcap_names names = { 0 };
	char path[PATH_ROOM];
	int err, found;

	snprintf(path, sizeof(path), "proc/%s/fd", process);
	err = vfcap_dir_open(&dir, h->root, path);
	if (!err)
		err = vfcap_dir_list(&dir, &names);
	for (size_t i = 0; i < names.n && !err; i++) {
		found = look_at_descriptor(holders, &dir, names.name[i], &holder);
		if (found > 0)
			err = add_holder(holders, &holder);
		else if (found != -ENOENT) /* it was closed */
			err = found;
		if (err)
			snprintf(path, sizeof(path), "proc/%s/fd/%s", process, names.name[i]);
	}
	note(holders->unread, path, err);
}

/* ------------------------------------------------------------------------------ all processes -- */

#define HOST_NAMESPACE "pid:[4026531836]" /* PROC_PID_INIT_INO of the kernel */

static bool has_name(const struct vfcap_names *names, const char *name)
{
	for (size_t i = 0; i < names->n; i++)
		if (strcmp(names->name[i], name) == 0)
			return true;
	return false;
}

/* Are all processes of the host to be seen? Its first one is left out of the list with the others (hidepid), and in a
 * container it is another one. */
static void check_all_seen(struct vfcap_host *h, const struct vfcap_names *processes,
			   struct vfcap_holders *holders)
{
	bool first = has_name(processes, "1");
	char namespace[64] = "";
	ssize_t n = 0;

	if (first)
		n = vfcap_root_read_link(h->root, "proc/1/ns/pid", namespace, sizeof(namespace));
	else
		snprintf(holders->unread, UNREAD,
			 "/proc: processes of others are hidden (hidepid)");
	if (n < 0)
		note(holders->unread, "proc/1/ns/pid", (int)n);
	else if (first && strcmp(namespace, HOST_NAMESPACE))
		snprintf(holders->unread, UNREAD,
			 "/proc: shows a container's processes, and not those of the host");
}

/* Our own process, which may have asked because it has a device open; 0: it is not among them. */
static int find_self(struct vfcap_host *h, struct vfcap_holders *holders)
{
	char name[32];
	ssize_t n = vfcap_root_read_link(h->root, "proc/self", name, sizeof(name));

	if (n < 0)
		note(holders->unread, "proc/self", (int)n);
	return n < 0 ? 0 : atoi(name);
}

static void scan_all(struct vfcap_host *h, struct vfcap_holders *holders)
{
	cleanup_names struct vfcap_names names = { 0 };
	int err = vfcap_root_list(h->root, "proc", &names), self = 0;

	note(holders->unread, "proc", err);
	if (holders->numbered && !err) {
		self = find_self(h, holders);
		check_all_seen(h, &names, holders);
	}
	for (size_t i = 0; i < names.n; i++)
		if (isdigit((unsigned char)names.name[i][0]) && atoi(names.name[i]) != self)
			scan_process(h, names.name[i], holders);
}

void vfcap_holders_scan(struct vfcap_host *h, struct vfcap_holders *holders)
{
	bool failed = has_failed(h);
	int procfs = vfcap_root_has_procfs(h->root);

	*holders = (struct vfcap_holders){ .numbered = procfs > 0 };
	if (procfs < 0)
		note(holders->unread, "proc", procfs);
	else if (!procfs && vfcap_root_has_kernel(h->root))
		snprintf(holders->unread, UNREAD, "/proc: is not mounted");
	scan_all(h, holders);
	settle(h, failed, holders->unread);
}

void vfcap_holders_free(struct vfcap_holders *holders)
{
	free(holders->holder);
	*holders = (struct vfcap_holders){ 0 };
}

/* --------------------------------------------------------------------------------------- VFIO -- */

/* Who uses a VF, while that is found out. */
struct search {
	struct vfcap_function *vf;
	const struct vfcap_holders *holders;
	const struct vfcap_holder *holder; /* NULL: none was found */
	struct vfcap_use *use;
};

/* Who has the device open whose directory in sysfs, and whose name below /dev/vfio, those are? Where the host has numbers,
 * one that is not there is open to nobody. */
static void ask_for_device(struct search *s, const char *dir, const char *name)
{
	unsigned int major, minor;
	char path[PATH_ROOM], text[32];
	dev_t number = 0;
	ssize_t n;

	if (s->holder)
		return;
	if (s->holders->numbered) {
		snprintf(path, sizeof(path), "%s/dev", dir);
		n = vfcap_root_read(s->vf->host->root, path, text, sizeof(text));
		if (n >= 0 && sscanf(text, "%u:%u", &major, &minor) != 2)
			n = -EINVAL;
		if (n < 0) {
			note(s->use->unread, path, (int)n);
			return;
		}
		number = makedev(major, minor);
	}
	s->holder = find_holder(s->holders, number, name);
	if (!s->holder && !s->use->unread[0])
		memcpy(s->use->unread, s->holders->unread, UNREAD);
}

static void ask_for_group(struct search *s)
{
	static const char *const form[] = { "%d", "noiommu-%d" };
	char path[64], name[32];

	for (size_t i = 0; i < 2 && s->vf->iommu_group >= 0; i++) {
		snprintf(name, sizeof(name), form[i], s->vf->iommu_group);
		snprintf(path, sizeof(path), "sys/class/vfio/%s", name);
		ask_for_device(s, path, name);
	}
}

static void ask_for_own(struct search *s)
{
	cleanup_names struct vfcap_names names = { 0 };
	char dir[VFCAP_SYSFS_PATH], path[PATH_ROOM], name[NAME_MAX + sizeof("devices/")];
	int err;

	vfcap_sysfs_path(s->vf, "vfio-dev", dir);
	err = vfcap_root_list(s->vf->host->root, dir, &names);
	if (err)
		note(s->use->unread, dir, err);
	for (size_t i = 0; i < names.n; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names.name[i]);
		snprintf(name, sizeof(name), "devices/%s", names.name[i]);
		ask_for_device(s, path, name);
	}
}

/* That a process has it open is known; a name that cannot be read is a failed read as any other. */
static void set_holder(struct search *s)
{
	char path[64];

	s->use->pid = s->holder->pid;
	snprintf(path, sizeof(path), "proc/%d/comm", s->holder->pid);
	if (vfcap_root_read(s->vf->host->root, path, s->use->name, sizeof(s->use->name)) < 0)
		s->use->name[0] = '\0';
}

/* ------------------------------------------------------------------------------------ network -- */

/* Looks at the netdevs in a directory "net". One that is there and empty belongs to a driver whose
 * netdev lives in another namespace: sysfs shows only those of ours. */
static void look_at_net(struct search *s, const char *dir)
{
	const struct vfcap_root *root = s->vf->host->root;
	cleanup_names struct vfcap_names names = { 0 };
	char path[PATH_ROOM], text[32];
	int err = vfcap_root_list(root, dir, &names);

	note(s->use->unread, dir, err);
	if (!err && !names.n)
		s->use->kind = VFCAP_USE_NETDEV_AWAY;
	for (size_t i = 0; i < names.n && s->use->kind == VFCAP_USE_NONE; i++) {
		ssize_t n;

		snprintf(path, sizeof(path), "%s/%s/flags", dir, names.name[i]);
		n = vfcap_root_read(root, path, text, sizeof(text));
		if (n < 0)
			note(s->use->unread, path, (int)n);
		if (n <= 0 || !(strtoul(text, NULL, 0) & 1)) /* IFF_UP */
			continue;
		s->use->kind = VFCAP_USE_NETDEV_UP;
		snprintf(s->use->name, sizeof(s->use->name), "%.*s", (int)sizeof(s->use->name) - 1,
			 names.name[i]);
	}
}

static void ask_for_netdevs(struct search *s)
{
	cleanup_names struct vfcap_names names = { 0 };
	char dir[VFCAP_SYSFS_PATH], path[PATH_ROOM];

	look_at_net(s, vfcap_sysfs_path(s->vf, "net", dir));
	if (s->use->kind != VFCAP_USE_NONE)
		return;
	vfcap_sysfs_path(s->vf, "", dir);
	note(s->use->unread, dir, vfcap_root_list(s->vf->host->root, dir, &names));
	for (size_t i = 0; i < names.n && s->use->kind == VFCAP_USE_NONE; i++) {
		if (strncmp(names.name[i], "virtio", 6))
			continue;
		snprintf(path, sizeof(path), "%s%s/net", dir, names.name[i]);
		look_at_net(s, path);
	}
}

/* ---------------------------------------------------------------------------------------- all -- */

bool vfcap_use_holder(struct vfcap_function *fn, struct vfcap_use *use)
{
	struct vfcap_holders holders;
	struct search s = { .vf = fn, .holders = &holders, .use = use };
	bool failed = has_failed(fn->host);

	*use = (struct vfcap_use){ 0 };
	vfcap_holders_scan(fn->host, &holders);
	ask_for_own(&s);
	ask_for_group(&s);
	settle(fn->host, failed, use->unread);
	if (s.holder)
		set_holder(&s);
	vfcap_holders_free(&holders);
	return s.holder;
}

void vfcap_use_find(struct vfcap_function *vf, const struct vfcap_binding *b,
		    const struct vfcap_holders *holders, struct vfcap_use *use)
{
	struct search s = { .vf = vf, .holders = holders, .use = use };
	bool failed = has_failed(vf->host);

	*use = (struct vfcap_use){ 0 };
	if (b->driver[0])
		ask_for_own(&s);
	if (b->driver[0] || b->unbinding)
		ask_for_group(&s);
	if (b->unbinding)
		use->kind = VFCAP_USE_UNBINDING;
	else if (s.holder)
		use->kind = VFCAP_USE_HELD;
	else if (strncmp(b->knob.state, "open", 4) == 0)
		use->kind = VFCAP_USE_OPEN;
	else if (b->driver[0])
		ask_for_netdevs(&s);
	settle(vf->host, failed, use->unread);
	if (s.holder)
		set_holder(&s);
	if (use->kind == VFCAP_USE_NONE && use->unread[0])
		use->kind = VFCAP_USE_UNKNOWN;
}

/* ----------------------------------------------------------------------------------- variants -- */

#define VARIANT_ALIAS "alias vfio_pci:"

static int add_variant(struct vfcap_variants *variants, const char *line)
{
	char(*more)[2][160] = vfcap_more(variants->line, variants->n, sizeof(*more));

	if (!more)
		return -ENOMEM;
	variants->line = more;
	if (sscanf(line, VARIANT_ALIAS "%159s %159s", more[variants->n][0], more[variants->n][1]) ==
		    2 &&
	    strcmp(more[variants->n][1], "vfio_pci") && strcmp(more[variants->n][1], VFCAP_MODULE))
		variants->n++;
	return 0;
}

int vfcap_variants_load(struct vfcap_host *h, struct vfcap_variants *variants)
{
	char release[128], path[192] = "proc/sys/kernel/osrelease", *line, *rest;
	cleanup_free char *text = NULL;
	size_t len;
	ssize_t n = vfcap_root_read(h->root, path, release, sizeof(release));
	int err = n < 0 ? (int)n : 0;

	*variants = (struct vfcap_variants){ 0 };
	if (n > 0) {
		snprintf(path, sizeof(path), "lib/modules/%s/modules.alias", release);
		err = vfcap_root_load(h->root, path, VFCAP_TEXT_MOST, &text, &len);
	}
	rest = text;
	while (!err && (line = vfcap_line_next(&rest)))
		if (strncmp(line, VARIANT_ALIAS, sizeof(VARIANT_ALIAS) - 1) == 0)
			err = add_variant(variants, line);
	return !err || err == -ENOENT ?
		       0 :
		       vfcap_host_fail(h, err, "/%s: %s", path, vfcap_strerror(err));
}

void vfcap_variants_free(struct vfcap_variants *variants)
{
	free(variants->line);
	*variants = (struct vfcap_variants){ 0 };
}

/* Is its driver one of VFIO, other than stock vfio-pci and ours? 1, 0 or -errno, said. */
static int has_variant(struct vfcap_function *vf, const struct vfcap_binding *b)
{
	char path[VFCAP_SYSFS_PATH];
	int there;

	if (!b->driver[0] || !strcmp(b->driver, "vfio-pci") || !strcmp(b->driver, VFCAP_DRIVER))
		return 0;
	there = vfcap_root_has(vf->host->root, vfcap_sysfs_path(vf, "vfio-dev", path));
	return there < 0 ? vfcap_read_fail(vf, "vfio-dev", there) : there;
}

int vfcap_variant_find(struct vfcap_function *vf, const struct vfcap_binding *b,
		       const struct vfcap_variants *variants, char buf[VFCAP_NAME_ROOM])
{
	char path[VFCAP_SYSFS_PATH], text[256];
	int bound = has_variant(vf, b);
	ssize_t n;

	if (bound > 0)
		memcpy(buf, b->driver, VFCAP_NAME_ROOM);
	if (bound || !variants->n)
		return bound;
	n = vfcap_root_read(vf->host->root, vfcap_sysfs_path(vf, "modalias", path), text,
			    sizeof(text));
	if (n < 0 && n != -ENOENT)
		return vfcap_read_fail(vf, "modalias", (int)n);
	if (n <= 0 || strncmp(text, "pci:", 4))
		return 0;
	for (size_t i = 0; i < variants->n; i++)
		if (fnmatch(variants->line[i][0], text + 4, 0) == 0) {
			snprintf(buf, VFCAP_NAME_ROOM, "%.63s", variants->line[i][1]);
			return 1;
		}
	return 0;
}
