// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The files of others that may set the number of VFs of a PF are parsed as far as this takes: which device they are
 * about, and whether they set it.
 */
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "../util/util.h"
#include "owner.h"

/* --------------------------------------------------------------------------------------- words -- */

/* Without white space around it, and quotes. */
static char *trim(char *s)
{
	size_t len;

	s += strspn(s, " \t\r");
	len = strlen(s);
	while (len && strchr(" \t\r", s[len - 1]))
		s[--len] = '\0';
	if (len >= 2 && (*s == '"' || *s == '\'') && s[len - 1] == *s) {
		s[len - 1] = '\0';
		s++;
	}
	return s;
}

/* Does one word of a list fit, that are globs, and none that is excluded by a "!" before it? Words that
 * are only excluded leave all others. The list is taken apart. */
static bool list_fits(char *list, const char *value, const char *divider)
{
	bool any = false, positive = false;
	char *word;

	while ((word = strsep(&list, divider))) {
		bool excluded = *word == '!';

		word = trim(word + excluded);
		if (!*word)
			continue;
		positive |= !excluded;
		if (fnmatch(word, value, FNM_CASEFOLD))
			continue;
		if (excluded)
			return false;
		any = true;
	}
	return any || !positive;
}

/* ------------------------------------------------------------------------------------ key = value -- */

struct pair {
	const char *section; /* "": before the first */
	char *key, *value;
	unsigned int line;
};

/* Reads "[section]" and "key=value" to the end of the text. each() for every pair. */
static void read_pairs(char *text, void (*each)(void *arg, const struct pair *pair), void *arg)
{
	struct pair pair = { .section = "" };
	char *line, *equals;

	while ((line = vfcap_line_next(&text))) {
		line = trim(line);
		pair.line++;
		if (*line == '[') {
			line[1 + strcspn(line + 1, "]")] = '\0';
			pair.section = line + 1;
			continue;
		}
		equals = strchr(line, '=');
		if (*line == '#' || *line == ';' || !equals)
			continue;
		*equals = '\0';
		pair.key = trim(line);
		pair.value = trim(equals + 1);
		each(arg, &pair);
	}
}

/* --------------------------------------------------------------------------------- NetworkManager -- */

struct connection {
	const struct vfcap_owner_pf *pf;
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
		c->other |= *pair->value && strcmp(pair->value, c->pf->netdev) != 0;
	else if (ethernet && strcmp(pair->key, "mac-address") == 0)
		c->other |= *pair->value && strcasecmp(pair->value, c->pf->mac) != 0;
	else if (strcmp(pair->section, "match") == 0 && strcmp(pair->key, "interface-name") == 0)
		c->other |= !list_fits(pair->value, c->pf->netdev, ";, ");
}

void vfcap_owner_keyfile(const struct vfcap_owner_pf *pf, const char *file, char *text,
			 struct vfcap_claim *claim)
{
	struct connection c = { .pf = pf };

	(void)file;
	read_pairs(text, connection_pair, &c);
	*claim = (struct vfcap_claim){ .applies = !c.other,
				       .line = c.other ? 0 : c.line,
				       .section = "[sriov] total-vfs" };
}

/* ----------------------------------------------------------------------------------------- netplan -- */

/* One device of a netplan file: the lines that are indented more than its name. */
struct device {
	const char *id; /* NULL: none yet */
	unsigned int line; /* that sets the number; 0 */
	int match_indent; /* of "match:"; -1: not in it */
	bool matches, other; /* there is a match; it does not fit */
};

struct netplan {
	const struct vfcap_owner_pf *pf;
	int ethernets,
		devices; /* how far that word, and the names below it, are indented; -1: not in it */
	struct device device; /* the last one */
};

static bool is_claim(const struct netplan *n)
{
	const struct device *d = &n->device;

	return d->id && d->line && !d->other && (d->matches || strcmp(d->id, n->pf->netdev) == 0);
}

static void netplan_match(struct netplan *n, const char *key, char *value)
{
	struct device *d = &n->device;

	if (strcmp(key, "name") == 0)
		d->other |= !list_fits(value, n->pf->netdev, " ");
	else if (strcmp(key, "macaddress") == 0)
		d->other |= strcasecmp(value, n->pf->mac) != 0;
	else if (strcmp(key, "driver") == 0)
		d->other |= *value && !list_fits(value, n->pf->driver, " ");
}

static void netplan_key(struct netplan *n, int indent, const char *key, char *value,
			unsigned int line)
{
	struct device *d = &n->device;

	if (d->match_indent >= 0 && indent <= d->match_indent)
		d->match_indent = -1;
	if (strcmp(key, "virtual-function-count") == 0) {
		d->line = atoi(value) > 0 ? line : 0;
	} else if (strcmp(key, "match") == 0) {
		d->matches = true;
		d->match_indent = indent;
	} else if (d->match_indent >= 0) {
		netplan_match(n, key, value);
	}
}

/* "key: value", with first the first one of its line. True: the device before it is the PF. */
static bool netplan_pair(struct netplan *n, char *pair, char *colon, int indent, bool first,
			 unsigned int line)
{
	const char *key;

	*colon = '\0';
	key = trim(pair);
	if (first && indent <= n->ethernets)
		n->ethernets = n->devices = -1;
	if (first && strcmp(key, "ethernets") == 0) {
		n->ethernets = indent;
	} else if (first && n->ethernets >= 0 && (n->devices < 0 || indent == n->devices)) {
		if (is_claim(n))
			return true;
		n->device = (struct device){ .id = key, .match_indent = -1 };
		n->devices = indent;
	} else if (n->device.id) {
		netplan_key(n, indent + !first, key, trim(colon + 1), line);
	}
	return false;
}

/* Devices stand below "ethernets:", which stands below "network:". What is written in one line with braces is read
 * as if it stood in lines of its own. */
void vfcap_owner_netplan(const struct vfcap_owner_pf *pf, const char *file, char *text,
			 struct vfcap_claim *claim)
{
	struct netplan n = { .pf = pf, .ethernets = -1, .devices = -1 };
	unsigned int number = 0;
	bool found = false;
	char *line;

	(void)file;
	while (!found && (line = vfcap_line_next(&text))) {
		int indent = (int)strspn(line, " ");
		char *rest = line[indent] == '#' ? NULL : line + indent, *part;
		bool first = true;

		number++;
		while (!found && (part = strsep(&rest, "{},"))) {
			char *colon = strchr(part, ':');

			if (!colon)
				continue;
			found = netplan_pair(&n, part, colon, indent, first, number);
			first = false;
		}
	}
	*claim = (struct vfcap_claim){ 0 };
	if (is_claim(&n))
		*claim = (struct vfcap_claim){ true, n.device.line, n.device.id };
}

/* ------------------------------------------------------------------------------------------- .link -- */

struct link_file {
	const struct vfcap_owner_pf *pf;
	bool other, matches; /* its [Match] does not fit; it has one */
	unsigned int line;
};

static void link_match(struct link_file *l, const struct pair *pair)
{
	char path[64];

	snprintf(path, sizeof(path), "pci-%s", l->pf->address);
	l->matches = true;
	if (strcmp(pair->key, "Path") == 0)
		l->other |= !list_fits(pair->value, path, " \t");
	else if (strcmp(pair->key, "OriginalName") == 0)
		l->other |= !list_fits(pair->value, l->pf->netdev, " \t");
	else if (strcmp(pair->key, "MACAddress") == 0 ||
		 strcmp(pair->key, "PermanentMACAddress") == 0)
		l->other |= !list_fits(pair->value, l->pf->mac, " \t");
	else if (strcmp(pair->key, "Driver") == 0)
		l->other |= !list_fits(pair->value, l->pf->driver, " \t");
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

void vfcap_owner_link(const struct vfcap_owner_pf *pf, const char *file, char *text,
		      struct vfcap_claim *claim)
{
	struct link_file l = { .pf = pf };

	(void)file;
	read_pairs(text, link_pair, &l);
	*claim = (struct vfcap_claim){ .applies = l.matches && !l.other,
				       .section = "[Link] SR-IOVVirtualFunctions" };
	claim->line = claim->applies ? l.line : 0;
}

/* ---------------------------------------------------------------------------------------- operator -- */

/* What its daemon keeps of the PFs that it configures: a file each, or the PF's address in one of all. */
void vfcap_owner_operator(const struct vfcap_owner_pf *pf, const char *file, char *text,
			  struct vfcap_claim *claim)
{
	bool own = strcmp(file, pf->address) == 0;
	unsigned int number = 0;
	char *line;

	*claim = (struct vfcap_claim){ 0 };
	while (!claim->line && (line = vfcap_line_next(&text))) {
		number++;
		if (own ? strcasestr(line, "numvfs") : strstr(line, pf->address))
			*claim = (struct vfcap_claim){ .applies = true, .line = number };
	}
}
