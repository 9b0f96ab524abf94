// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Who else sets the number of VFs of a PF: NetworkManager, netplan, systemd's .link files, the SR-IOV network
 * operator. "Nobody" is an answer only when all of their files were read.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "change.h"
#include "owner.h"
#include "sysfs.h"

#define DIRS 5
#define PATH_ROOM 512

/* Where somebody keeps his files. */
struct place {
	const char *who;
	const char *dirs[DIRS], *end; /* of the names that count */
	bool netdevs; /* they are about network interfaces alone */
	vfcap_owner_parser *parse;
};

static const struct place places[] = {
	{ "NetworkManager",
	  { "etc/NetworkManager/system-connections", "run/NetworkManager/system-connections",
	    "usr/lib/NetworkManager/system-connections" },
	  "",
	  true,
	  vfcap_owner_keyfile },
	{ "netplan",
	  { "etc/netplan", "run/netplan", "lib/netplan" },
	  ".yaml",
	  false,
	  vfcap_owner_netplan },
	{ "systemd-udevd",
	  { "etc/systemd/network", "run/systemd/network", "usr/local/lib/systemd/network",
	    "usr/lib/systemd/network" },
	  ".link",
	  true,
	  vfcap_owner_link },
	{ "the SR-IOV network operator",
	  { "etc/sriov-operator/pci" },
	  "",
	  false,
	  vfcap_owner_operator },
	{ "the SR-IOV network operator",
	  { "etc/sriov-operator" },
	  ".yaml",
	  false,
	  vfcap_owner_operator },
	{ "the SR-IOV network operator",
	  { "etc/sriov-operator" },
	  ".json",
	  false,
	  vfcap_owner_operator },
};

struct search {
	struct vfcap_function *pf;
	struct vfcap_owner_pf as; /* named by its owners */
	char *owner; /* who was found, for people */
	size_t size;
	char path[PATH_ROOM]; /* what is read at the moment */
};

/* ------------------------------------------------------------------------------------------ files -- */

struct file {
	const char *name; /* lent by the names of its directory */
	size_t dir;
};

struct files {
	struct vfcap_names names[DIRS]; /* owned */
	struct file *file; /* n of them; owned */
	size_t n;
};

static void cleanup_files(struct files *files)
{
	for (size_t d = 0; d < DIRS; d++)
		vfcap_names_free(&files->names[d]);
	free(files->file);
}

static bool ends_in(const char *name, const char *end)
{
	size_t n = strlen(name), m = strlen(end);

	return !m || (n > m && strcmp(name + n - m, end) == 0);
}

/* By name, those of the first directory first. */
static int order(const void *a, const void *b)
{
	const struct file *p = a, *q = b;
	int by_name = strcmp(p->name, q->name);

	return by_name ? by_name : (p->dir > q->dir) - (p->dir < q->dir);
}

static int list_files(struct search *s, const struct place *place, struct files *files)
{
	size_t n = 0;

	for (size_t d = 0; d < DIRS && place->dirs[d]; d++) {
		int err;

		snprintf(s->path, sizeof(s->path), "%s", place->dirs[d]);
		err = vfcap_root_list(s->pf->host->root, s->path, &files->names[d]);
		if (err && err != -ENOENT)
			return err;
		n += files->names[d].n;
	}
	files->file = calloc(n ? n : 1, sizeof(*files->file));
	if (!files->file)
		return -ENOMEM;
	for (size_t d = 0; d < DIRS; d++)
		for (size_t i = 0; i < files->names[d].n; i++) {
			const char *name = files->names[d].name[i];

			if (name[0] != '.' && ends_in(name, place->end))
				files->file[files->n++] = (struct file){ name, d };
		}
	if (files->n)
		qsort(files->file, files->n, sizeof(*files->file), order);
	return 0;
}

/* Those files are read by lines, and what is behind a NUL is a line of its own, as it is for systemd. A directory
 * among them is no file. */
static int load(struct search *s, char **text)
{
	int err = vfcap_root_has_dir(s->pf->host->root, s->path);
	size_t len;

	*text = NULL;
	if (err)
		return err < 0 ? err : -ENOENT;
	err = vfcap_root_load(s->pf->host->root, s->path, VFCAP_TEXT_MOST, text, &len);
	for (char *nul = *text; nul && (nul = memchr(nul, '\0', len - (size_t)(nul - *text)));)
		*nul = '\n';
	return err;
}

/* ---------------------------------------------------------------------------------------- search -- */

/* 1: the file sets the number of VFs; 0: it does not; -errno. */
static int look_at(struct search *s, const struct place *place, const struct file *file,
		   bool *applies)
{
	cleanup_free char *text = NULL;
	struct vfcap_claim claim;
	int err;

	snprintf(s->path, sizeof(s->path), "%s/%s", place->dirs[file->dir], file->name);
	err = load(s, &text);
	if (err)
		return err == -ENOENT ? 0 : err;
	place->parse(&s->as, file->name, text, &claim);
	*applies = claim.applies;
	if (!claim.line)
		return 0;
	snprintf(s->owner, s->size, "%s does: /%s:%u%s%s", place->who, s->path, claim.line,
		 claim.section ? ": " : "", claim.section ? claim.section : "");
	return 1;
}

/* All files by name; of those with one name the first directory's alone. Of .link files the first that applies is the
 * only one. */
static int look_through(struct search *s, const struct place *place)
{
	VFCAP_CLEANUP(cleanup_files) struct files files = { 0 };
	bool applies = false, first_only = place->parse == vfcap_owner_link;
	int answer = list_files(s, place, &files);

	for (size_t i = 0; i < files.n && !answer && !(applies && first_only); i++)
		if (!i || strcmp(files.file[i].name, files.file[i - 1].name))
			answer = look_at(s, place, &files.file[i], &applies);
	return answer;
}

static int read_mac(struct search *s)
{
	char *mac = s->as.mac;
	ssize_t n;

	if (!*s->as.netdev)
		return 0;
	snprintf(s->path, sizeof(s->path), VFCAP_SYSFS_DEVICES "/%s/net/%.200s/address",
		 s->pf->name, s->as.netdev);
	n = vfcap_root_read(s->pf->host->root, s->path, mac, sizeof(s->as.mac));
	if (n == -ENOENT) {
		snprintf(s->path, sizeof(s->path), "sys/class/net/%.200s/address", s->as.netdev);
		n = vfcap_root_read(s->pf->host->root, s->path, mac, sizeof(s->as.mac));
	}
	if (n < 0)
		mac[0] = '\0';
	return n < 0 && n != -ENOENT ? (int)n : 0;
}

static int search(struct search *s)
{
	int answer = read_mac(s);

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]) && !answer; i++)
		if (!places[i].netdevs || *s->as.netdev)
			answer = look_through(s, &places[i]);
	return answer;
}

int vfcap_owner_find(struct vfcap_function *pf, char *owner, size_t size)
{
	struct search s = { .pf = pf, .owner = owner, .size = size };
	int answer;

	owner[0] = '\0';
	if (!pf->host->root)
		return 0;
	s.as = (struct vfcap_owner_pf){ .address = pf->name,
					.netdev = pf->n_netdev ? pf->netdev[0] : "",
					.driver = pf->driver ? pf->driver : "" };
	answer = search(&s);
	return answer < 0 ? vfcap_host_fail(pf->host, answer,
					    "%s: who else sets its number of VFs is not known: "
					    "/%s: %s",
					    pf->name, s.path, vfcap_strerror(answer)) :
			    answer;
}
