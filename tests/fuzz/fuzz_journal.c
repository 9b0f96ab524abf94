// SPDX-License-Identifier: GPL-2.0-or-later
/* Any bytes as an undo log and as a record: what is understood is written back identically, all else is damaged. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/host/change.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PF "0000:3b:00.0"
#define BOOT "6fd3c1b1-0000-4000-8000-0000deadbeef"

static void print_undo(FILE *out, const struct vfcap_undo *undo)
{
	char line[VFCAP_JOURNAL_LINE], vf[VFCAP_ADDRESS_LEN];

	vfcap_undo_head(line, undo->act, PF, BOOT);
	fputs(line, out);
	for (size_t i = 0; i < undo->n; i++) {
		vfcap_address_format(undo->entry[i].vf, vf);
		assert(vfcap_undo_line(line, vf, &undo->entry[i].step));
		fputs(line, out);
	}
	if (undo->done)
		fputs("done\n", out);
}

/* All of the bytes but for a last line that was cut off. */
static void check_undo(const char *data, size_t size)
{
	struct vfcap_undo undo;
	size_t len;
	char *text;
	FILE *out;
	int err = vfcap_undo_parse(data, size, PF, BOOT, &undo);

	assert(!err || err == -EPROTONOSUPPORT);
	assert(!undo.damaged || (undo.there && !undo.n && !undo.done));
	if (!err && undo.there && !undo.damaged) {
		out = open_memstream(&text, &len);
		assert(out);
		print_undo(out, &undo);
		fclose(out);
		assert(len <= size && memcmp(text, data, len) == 0);
		assert(size - len < VFCAP_JOURNAL_LINE && !memchr(data + len, '\n', size - len));
		free(text);
	} else {
		assert(!undo.n);
	}
	vfcap_undo_free(&undo);
}

static void check_record(const char *data, size_t size)
{
	struct vfcap_record record;
	size_t len;
	char *text;
	FILE *out;
	int err = vfcap_record_parse(data, size, PF, BOOT, &record);

	assert(!err || err == -EPROTONOSUPPORT || err == -EBADMSG);
	if (!err && record.n) {
		out = open_memstream(&text, &len);
		assert(out);
		vfcap_record_print(out, &record, PF, BOOT);
		fclose(out);
		assert(len == size && memcmp(text, data, len) == 0);
		free(text);
	}
	assert(!err || !record.n);
	vfcap_record_free(&record);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_undo((const char *)data, size);
	check_record((const char *)data, size);
	return 0;
}
