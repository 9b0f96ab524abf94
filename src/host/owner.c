// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Who else sets the number of VFs of a PF: NetworkManager, netplan, systemd's .link files, the SR-IOV network
 * operator. Their files are read as far as this takes: which device they are about, and whether they set it.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "change.h"
#include "sysfs.h"

#define LINE_ROOM 1024
#define NAME_ROOM 256

/* The PF as those files name it. */
struct subject {
	struct vfcap_function *pf;
	char mac[32]; /* of its netdev, lower case; "": not known */
	char *owner; /* who was found, for people */
	size_t size;
};

static void cleanup_closedir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

static const char *netdev_of(const struct vfcap_function *pf)
{
	return pf->n_netdev ? pf->netdev[0] : "";
}

static void lower(char *s)
{
	for (; *s; s++)
		*s = (char)tolower((unsigned char)*s);
}

static void read_mac(struct subject *s)
{
	char path[VFCAP_SYSFS_PATH + NAME_ROOM], name[NAME_ROOM];

	s->mac[0] = '\0';
	if (!s->pf->n_netdev)
		return;
	snprintf(name, sizeof(name), "net/%.200s/address", netdev_of(s->pf));
	snprintf(path, sizeof(path), VFCAP_SYSFS_DEVICES "/%s/%s", s->pf->name, name);
	if (vfcap_root_read(s->pf->host->root, path, s->mac, sizeof(s->mac)) <= 0) {
		snprintf(path, sizeof(path), "sys/class/net/%.200s/address", netdev_of(s->pf));
		if (vfcap_root_read(s->pf->host->root, path, s->mac, sizeof(s->mac)) <= 0)
			s->mac[0] = '\0';
	}
	lower(s->mac);
}

/* Says who it is, once. */
static bool found(struct subject *s, const char *who, const char *path, unsigned int line,
		  const char *section)
{
	snprintf(s->owner, s->size, "%s does: /%s:%u%s%s", who, path, line, section ? ": " : "",
		 section ? section : "");
	return true;
}

/* --------------------------------------------------------------------------------------- words -- */

/* Without white space around it, and quotes. */
static char *trim(char *s)
{
	size_t len;

	s += strspn(s, " \t\r\n");
	len = strlen(s);
	while (len && strchr(" \t\r\n", s[len - 1]))
		s[--len] = '\0';
	if (len >= 2 && (*s == '"' || *s == '\'') && s[len - 1] == *s) {
		s[len - 1] = '\0';
		s++;
	}
	return s;
}

/* Does one word of a list fit, that are globs, and none that is excluded by a "!" before it? Words that
 * are only excluded leave all others. */
static bool list_fits(const char *list, const char *value, const char *divider)
{
	char copy[LINE_ROOM], *rest = copy, *word;
	bool any = false, positive = false;

	snprintf(copy, sizeof(copy), "%s", list);
	while ((word = strsep(&rest, divider))) {
		bool not = *word == '!';

		word = trim(word + not );
		if (!*word)
			continue;
		positive |= !not ;
		if (fnmatch(word, value, FNM_CASEFOLD))
			continue;
		if (not )
			return false;
		any = true;
	}
	return any || !positive;
}

/* ------------------------------------------------------------------------------------ key = value -- */

struct pair {
	char section[64];
	char *key, *value;
	unsigned int line;
};

/* Reads a file of "[section]" and "key=value" to its end. each() for every pair. */
static void read_pairs(FILE *file, void (*each)(void *arg, const struct pair *pair), void *arg)
{
	char line[LINE_ROOM], *equals;
	struct pair pair = { .line = 0 };

	while (fgets(line, sizeof(line), file)) {
		char *text = trim(line);

		pair.line++;
		if (*text == '[') {
			snprintf(pair.section, sizeof(pair.section), "%.*s",
				 (int)strcspn(text + 1, "]") % 63, text + 1);
			continue;
		}
		equals = strchr(text, '=');
		if (*text == '#' || *text == ';' || !equals)
			continue;
		*equals = '\0';
		pair.key = trim(text);
		pair.value = trim(equals + 1);
		each(arg, &pair);
	}
}

/* --------------------------------------------------------------------------------- NetworkManager -- */

struct connection {
	const struct subject *s;
	bool other; /* it is about another device */
	unsigned int line; /* where it sets the number; 0: it does not */
};

static void connection_pair(void *arg, const struct pair *pair)
{
	struct connection *c = arg;
	bool ethernet = strcmp(pair->section, "ethernet") == 0 ||
			strcmp(pair->section, "802-3-ethernet") == 0;

	if (strcmp(pair->section, "sriov") == 0 && strcmp(pair->key, "total-vfs") == 0)
		c->line = atoi(pair->value) > 0 ? pair->line : 0;
	else if (strcmp(pair->section, "connection") == 0 &&
		 strcmp(pair->key, "interface-name") == 0)
		c->other |= *pair->value && strcmp(pair->value, netdev_of(c->s->pf)) != 0;
	else if (ethernet && strcmp(pair->key, "mac-address") == 0)
		c->other |= *pair->value && strcasecmp(pair->value, c->s->mac) != 0;
	else if (strcmp(pair->section, "match") == 0 && strcmp(pair->key, "interface-name") == 0)
		c->other |= !list_fits(pair->value, netdev_of(c->s->pf), ";, ");
}

static bool in_keyfile(struct subject *s, const char *path)
{
	cleanup_fclose FILE *file = vfcap_text_open(s->pf->host->root, path);
	struct connection c = { .s = s };

	if (!file || !s->pf->n_netdev)
		return false;
	read_pairs(file, connection_pair, &c);
	return c.line && !c.other && found(s, "NetworkManager", path, c.line, "[sriov] total-vfs");
}

/* ----------------------------------------------------------------------------------------- netplan -- */

/* One device of a netplan file: the lines that are indented more than its name. */
struct netplan {
	char id[NAME_ROOM];
	int indent; /* of the name; -1: none yet */
	unsigned int line; /* that sets the number; 0 */
	int match_indent; /* of "match:"; -1: not in it */
	bool matches, other; /* there is a match; it does not fit */
};

static void netplan_match(const struct subject *s, struct netplan *n, const char *key,
			  const char *value)
{
	const char *driver = s->pf->driver ? s->pf->driver : "";

	if (strcmp(key, "name") == 0)
		n->other |= !list_fits(value, netdev_of(s->pf), " ");
	else if (strcmp(key, "macaddress") == 0)
		n->other |= strcasecmp(value, s->mac) != 0;
	else if (strcmp(key, "driver") == 0)
		n->other |= *value && !list_fits(value, driver, " ");
}

static bool netplan_is_ours(const struct subject *s, const struct netplan *n)
{
	if (n->indent < 0 || !n->line || n->other)
		return false;
	return n->matches || strcmp(n->id, netdev_of(s->pf)) == 0;
}

/* Devices stand below "ethernets:", which stands below "network:". What is written in one line with braces is read
 * as if it stood in lines of its own. */
static void netplan_key(const struct subject *s, struct netplan *n, int indent, const char *key,
			const char *value, unsigned int line)
{
	if (n->match_indent >= 0 && indent <= n->match_indent)
		n->match_indent = -1;
	if (strcmp(key, "virtual-function-count") == 0)
		n->line = atoi(value) > 0 ? line : 0;
	else if (strcmp(key, "match") == 0) {
		n->matches = true;
		n->match_indent = indent;
	} else if (n->match_indent >= 0) {
		netplan_match(s, n, key, value);
	}
}

static bool in_netplan(struct subject *s, const char *path)
{
	cleanup_fclose FILE *file = vfcap_text_open(s->pf->host->root, path);
	struct netplan n = { .indent = -1, .match_indent = -1 };
	int ethernets = -1, devices = -1;
	char line[LINE_ROOM];
	unsigned int number = 0;

	while (file && fgets(line, sizeof(line), file)) {
		int indent = (int)strspn(line, " ");
		char *rest = line + indent, *part;
		bool first = true;

		number++;
		rest[strcspn(rest, "\n")] = '\0';
		if (!*rest || *rest == '#')
			continue;
		while ((part = strsep(&rest, "{},"))) {
			char *colon = strchr(part, ':'), *key, *value;

			if (!colon)
				continue;
			*colon = '\0';
			key = trim(part);
			value = trim(colon + 1);
			if (first && indent <= ethernets)
				ethernets = devices = -1;
			if (first && strcmp(key, "ethernets") == 0) {
				ethernets = indent;
			} else if (first && ethernets >= 0 && (devices < 0 || indent == devices)) {
				if (netplan_is_ours(s, &n))
					break;
				n = (struct netplan){ .indent = indent, .match_indent = -1 };
				snprintf(n.id, sizeof(n.id), "%s", key);
				devices = indent;
			} else if (n.indent >= 0) {
				netplan_key(s, &n, indent + !first, key, value, number);
			}
			first = false;
		}
	}
	return netplan_is_ours(s, &n) && found(s, "netplan", path, n.line, n.id);
}

/* ------------------------------------------------------------------------------------------- .link -- */

struct link_file {
	const struct subject *s;
	bool other, matches; /* its [Match] does not fit; it has one */
	unsigned int line;
};

static void link_match(struct link_file *l, const struct pair *pair)
{
	const struct vfcap_function *pf = l->s->pf;
	char path[VFCAP_ADDRESS_LEN + 8];

	snprintf(path, sizeof(path), "pci-%s", pf->name);
	l->matches = true;
	if (strcmp(pair->key, "Path") == 0)
		l->other |= !list_fits(pair->value, path, " \t");
	else if (strcmp(pair->key, "OriginalName") == 0)
		l->other |= !list_fits(pair->value, netdev_of(pf), " \t");
	else if (strcmp(pair->key, "MACAddress") == 0 ||
		 strcmp(pair->key, "PermanentMACAddress") == 0)
		l->other |= !list_fits(pair->value, l->s->mac, " \t");
	else if (strcmp(pair->key, "Driver") == 0)
		l->other |= !list_fits(pair->value, pf->driver ? pf->driver : "", " \t");
	else if (strcmp(pair->key, "Type") == 0)
		l->other |= !list_fits(pair->value, "ether", " \t");
}

static void link_pair(void *arg, const struct pair *pair)
{
	struct link_file *l = arg;

	if (strcmp(pair->section, "Match") == 0)
		link_match(l, pair);
	else if (strcmp(pair->section, "Link") == 0 &&
		 strcmp(pair->key, "SR-IOVVirtualFunctions") == 0)
		l->line = *pair->value ? pair->line : 0;
}

/* Does the file apply to the PF? Then *line tells where it sets the number. */
static bool link_applies(const struct subject *s, const char *path, unsigned int *line)
{
	cleanup_fclose FILE *file = vfcap_text_open(s->pf->host->root, path);
	struct link_file l = { .s = s };

	if (!file)
		return false;
	read_pairs(file, link_pair, &l);
	*line = l.line;
	return l.matches && !l.other;
}

/* ------------------------------------------------------------------------------------- directories -- */

struct names {
	char (*name)[NAME_ROOM]; /* owned */
	size_t n;
};

static int by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

static bool ends_in(const char *name, const char *end)
{
	size_t n = strlen(name), m = strlen(end);

	return n > m && strcmp(name + n - m, end) == 0;
}

/* Adds the names in a directory that end like that. */
static int list_names(const struct subject *s, const char *path, const char *end,
		      struct names *names)
{
	int fd = vfcap_root_openat(s->pf->host->root, path, O_RDONLY | O_DIRECTORY);
	VFCAP_CLEANUP(cleanup_closedir) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	if (!dir && fd >= 0)
		close(fd);
	while (dir && (e = readdir(dir))) {
		char(*more)[NAME_ROOM];

		if (e->d_name[0] == '.' || !(!*end || ends_in(e->d_name, end)))
			continue;
		more = vfcap_more(names->name, names->n, sizeof(*more));
		if (!more)
			return -ENOMEM;
		names->name = more;
		snprintf(more[names->n++], NAME_ROOM, "%s", e->d_name);
	}
	return 0;
}

/* All files of that ending in the directories, by name; of those with one name the first directory's alone. */
static int look_through(struct subject *s, const char *const *dirs, const char *end,
			bool (*look)(struct subject *s, const char *path, bool *over))
{
	struct names names = { 0 };
	char path[2 * NAME_ROOM];
	bool over = false, yes = false;
	int err = 0;

	for (size_t d = 0; dirs[d] && !err; d++)
		err = list_names(s, dirs[d], end, &names);
	if (names.n)
		qsort(names.name, names.n, sizeof(*names.name), by_name);
	for (size_t i = 0; i < names.n && !err && !yes && !over; i++) {
		if (i && strcmp(names.name[i], names.name[i - 1]) == 0)
			continue;
		for (size_t d = 0; dirs[d]; d++) {
			cleanup_close int fd = -1;

			snprintf(path, sizeof(path), "%s/%s", dirs[d], names.name[i]);
			fd = vfcap_root_openat(s->pf->host->root, path, O_PATH | O_NOFOLLOW);
			if (fd < 0)
				continue;
			yes = look(s, path, &over);
			break;
		}
	}
	free(names.name);
	return err ? err : yes;
}

static bool look_keyfile(struct subject *s, const char *path, bool *over)
{
	(void)over;
	return in_keyfile(s, path);
}

static bool look_netplan(struct subject *s, const char *path, bool *over)
{
	(void)over;
	return in_netplan(s, path);
}

/* The first that applies is the only one. */
static bool look_link(struct subject *s, const char *path, bool *over)
{
	unsigned int line;

	*over = s->pf->n_netdev && link_applies(s, path, &line);
	return *over && line &&
	       found(s, "systemd-udevd", path, line, "[Link] SR-IOVVirtualFunctions");
}

/* What its daemon keeps of the PFs that it configures: a file each, or the PF's address in one of all. */
static bool look_operator(struct subject *s, const char *path, bool *over)
{
	cleanup_fclose FILE *file = vfcap_text_open(s->pf->host->root, path);
	const char *name = strrchr(path, '/') + 1;
	bool own = strcmp(name, s->pf->name) == 0;
	char line[LINE_ROOM];
	unsigned int number = 0;

	(void)over;
	while (file && fgets(line, sizeof(line), file)) {
		number++;
		if ((own && strcasestr(line, "numvfs")) || (!own && strstr(line, s->pf->name)))
			return found(s, "the SR-IOV network operator", path, number, NULL);
	}
	return false;
}

int vfcap_owner_find(struct vfcap_function *pf, char *owner, size_t size)
{
	static const struct {
		const char *dirs[5], *end;
		bool (*look)(struct subject *s, const char *path, bool *over);
	} places[] = {
		{ { "etc/NetworkManager/system-connections",
		    "run/NetworkManager/system-connections",
		    "usr/lib/NetworkManager/system-connections" },
		  "",
		  look_keyfile },
		{ { "etc/netplan", "run/netplan", "lib/netplan" }, ".yaml", look_netplan },
		{ { "etc/systemd/network", "run/systemd/network", "usr/local/lib/systemd/network",
		    "usr/lib/systemd/network" },
		  ".link",
		  look_link },
		{ { "etc/sriov-operator/pci" }, "", look_operator },
		{ { "etc/sriov-operator" }, ".yaml", look_operator },
		{ { "etc/sriov-operator" }, ".json", look_operator },
	};
	struct subject s = { .pf = pf, .owner = owner, .size = size };
	int answer = 0;

	owner[0] = '\0';
	if (!pf->host->root)
		return 0;
	read_mac(&s);
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]) && !answer; i++)
		answer = look_through(&s, places[i].dirs, places[i].end, places[i].look);
	return answer < 0 ?
		       vfcap_host_fail(pf->host, answer, "%s: %s", pf->name, strerror(-answer)) :
		       answer;
}
