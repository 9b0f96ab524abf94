/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What files of others say about the number of VFs of a PF: owner-text.c parses what owner.c reads. */
#ifndef VFCAP_OWNER_H
#define VFCAP_OWNER_H

#include <stdbool.h>

/* The PF as those files name it. */
struct vfcap_owner_pf {
	const char *address; /* "0000:3b:00.0" */
	const char *netdev, *driver; /* "": it has none, or it is not known */
	char mac[32]; /* of its netdev; "": not known */
};

/* What one file says of it. */
struct vfcap_claim {
	bool applies; /* the file is about the PF: a .link file ends the search, whatever it sets */
	unsigned int line; /* that sets the number of VFs; 0: none does */
	const char *section; /* in which it stands, lent by the text; NULL: there are none */
};

/* Parse the text of a file, which they take apart. file is the last part of its name. */
typedef void vfcap_owner_parser(const struct vfcap_owner_pf *pf, const char *file, char *text,
				struct vfcap_claim *claim);
vfcap_owner_parser vfcap_owner_keyfile; /* a connection of NetworkManager */
vfcap_owner_parser vfcap_owner_netplan;
vfcap_owner_parser vfcap_owner_link; /* systemd.link(5) */
vfcap_owner_parser
	vfcap_owner_operator; /* the SR-IOV network operator: a file for each PF, or one for all */

#endif
