// SPDX-License-Identifier: GPL-2.0-or-later
/* Any text as a file of those who set the number of VFs: what is found has a line of it, and a comment above moves that
 * by one line and changes nothing else. The first byte says whose file it is. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/host/owner.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct {
	vfcap_owner_parser *parse;
	const char *file;
} parsers[] = {
	{ vfcap_owner_keyfile, "a.nmconnection" },
	{ vfcap_owner_netplan, "a.yaml" },
	{ vfcap_owner_link, "a.link" },
	{ vfcap_owner_operator, "0000:3b:00.0" },
	{ vfcap_owner_operator, "a.yaml" },
};

static const struct vfcap_owner_pf pfs[] = {
	{ .address = "0000:3b:00.0",
	  .netdev = "ens1f0",
	  .driver = "ice",
	  .mac = "02:00:5e:00:53:01" },
	{ .address = "0000:3b:00.0", .netdev = "", .driver = "" },
};

/* A copy behind a first line; as it is read, without a NUL in it. */
static char *copy(const char *above, const uint8_t *data, size_t size)
{
	size_t len = strlen(above);
	char *text = malloc(len + size + 1);

	assert(text);
	memcpy(text, above, len);
	for (size_t i = 0; i < size; i++)
		text[len + i] = (char)(data[i] ? data[i] : '\n');
	text[len + size] = '\0';
	return text;
}

static size_t count_lines(const uint8_t *data, size_t size)
{
	size_t n = 1;

	for (size_t i = 0; i < size; i++)
		n += !data[i] || data[i] == '\n';
	return n;
}

static void check(size_t which, const struct vfcap_owner_pf *pf, const uint8_t *data, size_t size)
{
	char *text = copy("", data, size), *below = copy("#\n", data, size);
	struct vfcap_claim claim, moved;

	parsers[which].parse(pf, parsers[which].file, text, &claim);
	parsers[which].parse(pf, parsers[which].file, below, &moved);
	assert(claim.applies || !claim.line);
	assert(claim.line <= count_lines(data, size));
	assert(!claim.section || strlen(claim.section) <= size + 64);
	assert(claim.applies == moved.applies && moved.line == claim.line + !!claim.line);
	assert(!claim.section == !moved.section);
	assert(!claim.section || strcmp(claim.section, moved.section) == 0);
	free(text);
	free(below);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	for (size_t i = 0; i < sizeof(pfs) / sizeof(pfs[0]); i++)
		check(data[0] % (sizeof(parsers) / sizeof(parsers[0])), &pfs[i], data + 1,
		      size - 1);
	return 0;
}
