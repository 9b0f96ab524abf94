// SPDX-License-Identifier: GPL-2.0-or-later
/* The text of undo logs and records: what is understood is written back as it was, and everything else is damaged. */
#include "unit.h"

#include <errno.h>

#include "../../src/host/change.h"

#define PF "0000:01:00.0"
#define BOOT "6fd3c1b1-0000-4000-8000-0000deadbeef"
#define HEAD(act) "vfcap-undo 1 " act " " PF " " BOOT "\n"
#define RECORD "vfcap-record 1 " PF " " BOOT "\n"
#define RECORD2 "vfcap-record 2 " PF " " BOOT "\n"

/* As 0.1.0 wrote them. */
static const char *const logs[] = {
	HEAD("enable") "override 0000:01:02.0 - vfcap-vfio-pci\n"
		       "unbind 0000:01:02.0 iavf -\n"
		       "bind 0000:01:02.0 - vfcap-vfio-pci\n"
		       "pasid_offset 0000:01:02.0 0 432\n"
		       "pri_offset 0000:01:02.0 0 320\n"
		       "pasid_width 0000:01:02.0 0 16\n"
		       "done\n",
	HEAD("disable") "pasid_offset 0000:01:02.0 432 0\n"
			"override 0000:01:02.0 vfcap-vfio-pci -\n"
			"unbind 0000:01:02.0 vfcap-vfio-pci -\n"
			"bind 0000:01:02.0 - iavf\n",
	HEAD("apply") "autoprobe 0000:01:00.0 1 0\n"
		      "numvfs 0000:01:00.0 3 0\n"
		      "numvfs 0000:01:00.0 0 65535\n"
		      "override 0000:01:02.0 - vfcap-vfio-pci\n"
		      "bind 0000:01:02.0 - -\n"
		      "autoprobe 0000:01:00.0 0 1\n",
	HEAD("apply"),
};

static const char *const records[] = {
	RECORD "vf 0000:01:02.0 iavf -\n"
	       "vf 0000:01:02.2 - -\n"
	       "vf 10000:e1:02.4 vfio-pci vfio-pci\n",
	RECORD,
	/* From here on not those of 0.1.0: also what was enabled. */
	RECORD2 "vf 0000:01:02.0 iavf -\n"
		"knob 0000:01:02.0 432 0 0\n"
		"vf 0000:01:02.2 - -\n"
		"knob 10000:e1:02.4 0 4080 20\n"
		"knob 10000:e1:02.6 256 264 20\n"
		"knob 10000:e1:03.0 4088 0 1\n"
		"vf 0000:01:02.6 - -\n",
};

#define N_RECORDS (sizeof(records) / sizeof(records[0]))

/* What was understood of a log, as text. */
static void print_undo(const struct vfcap_undo *undo, char *buf, size_t size)
{
	char line[VFCAP_JOURNAL_LINE], vf[VFCAP_ADDRESS_LEN];

	vfcap_undo_head(line, undo->act, PF, BOOT);
	snprintf(buf, size, "%s", line);
	for (size_t i = 0; i < undo->n; i++) {
		vfcap_address_format(undo->entry[i].vf, vf);
		assert_true(vfcap_undo_line(line, vf, &undo->entry[i].step));
		snprintf(buf + strlen(buf), size - strlen(buf), "%s", line);
	}
	if (undo->done)
		snprintf(buf + strlen(buf), size - strlen(buf), "done\n");
}

/* How many of its bytes are written back; 0: it is damaged, or of others. */
static size_t undo_written_back(const char *text, size_t len)
{
	struct vfcap_undo undo;
	char again[1024];
	size_t n = 0;

	if (vfcap_undo_parse(text, len, PF, BOOT, &undo))
		return 0;
	if (undo.there && !undo.damaged) {
		print_undo(&undo, again, sizeof(again));
		n = strlen(again);
		assert_true(n <= len);
		assert_memory_equal(again, text, n);
		assert_null(memchr(text + n, '\n', len - n));
	}
	assert_true(!undo.damaged || (undo.there && !undo.n && !undo.entry));
	vfcap_undo_free(&undo);
	return n;
}

static size_t record_written_back(const char *text, size_t len)
{
	struct vfcap_record parsed;
	char again[1024] = "";
	FILE *file;

	if (vfcap_record_parse(text, len, PF, BOOT, &parsed)) {
		assert_null(parsed.before);
		return 0;
	}
	file = fmemopen(again, sizeof(again), "w");
	assert_non_null(file);
	vfcap_record_print(file, &parsed, PF, BOOT);
	fclose(file);
	vfcap_record_free(&parsed);
	return strlen(again) == len && memcmp(again, text, len) == 0 ? len : 0;
}

static bool undo_is_damaged(const char *text, size_t len)
{
	struct vfcap_undo undo;
	bool damaged;

	assert_int_equal(vfcap_undo_parse(text, len, PF, BOOT, &undo), 0);
	damaged = undo.damaged;
	vfcap_undo_free(&undo);
	return damaged;
}

/* ----------------------------------------------------------------------------------------- tests -- */

static void those_of_0_1_0_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(logs) / sizeof(logs[0]); i++)
		assert_int_equal(undo_written_back(logs[i], strlen(logs[i])), strlen(logs[i]));
	for (size_t i = 0; i < N_RECORDS; i++)
		assert_int_equal(record_written_back(records[i], strlen(records[i])),
				 strlen(records[i]));
}

/* A killed run may have cut off the last line that it appended; the head it wrote as a whole, and the record, too. */
static void only_the_last_line_of_a_log_may_be_cut_off(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(logs) / sizeof(logs[0]); i++)
		for (size_t len = 0; len <= strlen(logs[i]); len++) {
			size_t whole = len;

			while (whole && logs[i][whole - 1] != '\n')
				whole--;
			assert_int_equal(undo_written_back(logs[i], len), whole);
			assert_int_equal(undo_is_damaged(logs[i], len), !whole);
		}
	for (size_t i = 0; i < N_RECORDS; i++)
		for (size_t len = 0; len < strlen(records[i]); len++)
			if (!len || records[i][len - 1] != '\n')
				assert_int_equal(record_written_back(records[i], len), 0);
}

static void wrong_bytes_of_a_record(const char *record)
{
	struct vfcap_record parsed;
	char text[1024];
	int err;

	for (size_t at = 0; at < strlen(record); at++)
		for (int c = 0; c < 256; c++) {
			strcpy(text, record);
			text[at] = (char)c;
			err = vfcap_record_parse(text, strlen(record), PF, BOOT, &parsed);
			if (!err && parsed.n)
				assert_int_equal(record_written_back(text, strlen(record)),
						 strlen(record));
			if (!c)
				assert_int_equal(err, -EBADMSG);
			vfcap_record_free(&parsed);
		}
}

/* Each byte is made each other one: what is still understood differs nowhere from what is written. */
static void one_wrong_byte_is_seen(void **state)
{
	char text[1024];

	(void)state;
	for (size_t i = 0; i < N_RECORDS; i++)
		wrong_bytes_of_a_record(records[i]);
	for (size_t i = 0; i < sizeof(logs) / sizeof(logs[0]); i++)
		for (size_t at = 0; at < strlen(logs[i]); at++)
			for (int c = 0; c < 256; c++) {
				strcpy(text, logs[i]);
				text[at] = (char)c;
				undo_written_back(text, strlen(logs[i]));
				if (!c)
					assert_true(undo_is_damaged(text, strlen(logs[i])));
			}
}

static void damaged_logs_are_none(void **state)
{
	static const char *const bad[] = {
		"",
		"\n",
		"nonsense\n",
		"vfcap-undo\n",
		"vfcap-undo 1\n",
		"vfcap-undo 0 enable " PF " " BOOT "\n",
		"vfcap-undo x enable " PF " " BOOT "\n",
		"vfcap-undo 1 enable " PF "\n",
		"vfcap-undo 1 enable " PF " \n",
		"vfcap-undo 1 enable " PF " " BOOT " more\n",
		"vfcap-undo 1 enable 0000:02:00.0 " BOOT "\n",
		"vfcap-undo 1 remove " PF " " BOOT "\n",
		/* 0.1.0 wrote that where it could not read the boot ID: it may be of this boot. */
		"vfcap-undo 1 enable " PF " -\n",
		HEAD("enable") "override 0000:01:02.0 - ../../evil\n",
		HEAD("enable") "override 0000:01:02.0 -\n",
		HEAD("enable") "pasid_offset 0000:01:02.0 0 99999\n",
		HEAD("enable") "pasid_offset 0000:01:02.0 0 0432\n",
		HEAD("enable") "pasid_offset 01:02.0 0 432\n",
		/* What no driver takes: a head, no multiple of 4, behind the last dword, more bits than PASIDs have. */
		HEAD("enable") "pasid_offset 0000:01:02.0 0 64\n",
		HEAD("enable") "pasid_offset 0000:01:02.0 252 432\n",
		HEAD("enable") "pri_offset 0000:01:02.0 0 434\n",
		HEAD("enable") "pri_offset 0000:01:02.0 4084 0\n",
		HEAD("enable") "pasid_offset 0000:01:02.0 0 4092\n",
		HEAD("enable") "pasid_width 0000:01:02.0 0 21\n",
		HEAD("enable") "pasid_width 0000:01:02.0 256 0\n",
		HEAD("enable") "autoprobe 0000:01:00.0 0 2\n",
		HEAD("enable") "write 0000:01:02.0 /etc/passwd x\n",
		HEAD("enable") "\n",
		HEAD("enable") "done\ndone\n",
		HEAD("enable") "done\nbind",
	};
	static const char zeros[4096];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_true(undo_is_damaged(bad[i], strlen(bad[i])));
	assert_true(undo_is_damaged(zeros, sizeof(zeros)));
	assert_true(undo_is_damaged(HEAD("enable") "\0", strlen(HEAD("enable")) + 1));
}

static void a_line_without_end_is_damaged(void **state)
{
	char text[1024];
	size_t len = strlen(HEAD("enable"));

	(void)state;
	memset(text, 'x', sizeof(text));
	memcpy(text, HEAD("enable"), len);
	assert_false(undo_is_damaged(text, len + VFCAP_JOURNAL_LINE - 1));
	assert_true(undo_is_damaged(text, len + VFCAP_JOURNAL_LINE));
	text[len + VFCAP_JOURNAL_LINE] = '\n';
	assert_true(undo_is_damaged(text, sizeof(text)));
}

static void those_of_later_versions_are_not_touched(void **state)
{
	static const char *const undo_text[] = {
		"vfcap-undo 2 enable " PF " " BOOT "\n",
		"vfcap-undo 10\n",
		"vfcap-undo 2 of what we do not know whatever that is\nmore\n",
	};
	struct vfcap_record parsed;
	struct vfcap_undo undo;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(
			vfcap_undo_parse(undo_text[i], strlen(undo_text[i]), PF, BOOT, &undo),
			-EPROTONOSUPPORT);
		assert_false(undo.there);
	}
	assert_int_equal(vfcap_record_parse("vfcap-record 3\n", 15, PF, BOOT, &parsed),
			 -EPROTONOSUPPORT);
	assert_int_equal(vfcap_record_parse("vfcap-record 20\n", 16, PF, BOOT, &parsed),
			 -EPROTONOSUPPORT);
}

static void other_boots_are_over(void **state)
{
	static const char log[] = "vfcap-undo 1 enable " PF " of-another-boot\nbind";
	static const char old[] = "vfcap-record 1 " PF " of-another-boot\nvf";
	struct vfcap_record parsed;
	struct vfcap_undo undo;

	(void)state;
	assert_int_equal(vfcap_undo_parse(log, strlen(log), PF, BOOT, &undo), 0);
	assert_false(undo.there || undo.damaged || undo.n);
	assert_int_equal(vfcap_record_parse(old, strlen(old), PF, BOOT, &parsed), 0);
	assert_int_equal(parsed.n, 0);
	/* A captured host need not tell which its boot was. */
	assert_int_equal(vfcap_undo_parse(log, strlen(log), PF, "-", &undo), 0);
	assert_false(undo.there || undo.damaged);
}

static void damaged_records_are_errors(void **state)
{
	static const char *const bad[] = {
		"",
		"nonsense\n",
		"vfcap-record 1 0000:02:00.0 " BOOT "\n",
		"vfcap-record 1 " PF " -\n",
		"vfcap-record 1 " PF " " BOOT,
		RECORD "vf 0000:01:02.0 iavf\n",
		RECORD "vf 0000:01:02.0 iavf ../evil\n",
		RECORD "\n",
		RECORD "vf 0000:01:02.0 iavf -\nvf 0000:01:02.2 i",
		RECORD "knob 0000:01:02.0 432 0 0\n",
		RECORD2,
		RECORD2 "vf 0000:01:02.0 iavf -\n",
		RECORD2 "knob 0000:01:02.0 0 0 20\n",
		RECORD2 "knob 0000:01:02.0 432 0\n",
		RECORD2 "knob 0000:01:02.0 432 0 0 0\n",
		RECORD2 "knob 0000:01:02.0 4096 0 0\n",
		RECORD2 "knob 0000:01:02.0 64 0 0\n",
		RECORD2 "knob 0000:01:02.0 252 0 0\n",
		RECORD2 "knob 0000:01:02.0 434 0 0\n",
		RECORD2 "knob 0000:01:02.0 4092 0 0\n",
		RECORD2 "knob 0000:01:02.0 0 258 0\n",
		RECORD2 "knob 0000:01:02.0 0 4084 0\n",
		RECORD2 "knob 0000:01:02.0 432 0 21\n",
		RECORD2 "knob 0000:01:02.0 0x1b0 0 0\n",
		RECORD2 "vf 0000:01:02.0 432 0 0\n",
	};
	static const char zeros[512];
	struct vfcap_record parsed;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(vfcap_record_parse(bad[i], strlen(bad[i]), PF, BOOT, &parsed),
				 -EBADMSG);
	assert_int_equal(vfcap_record_parse(zeros, sizeof(zeros), PF, BOOT, &parsed), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(those_of_0_1_0_are_read),
		cmocka_unit_test(only_the_last_line_of_a_log_may_be_cut_off),
		cmocka_unit_test(one_wrong_byte_is_seen),
		cmocka_unit_test(damaged_logs_are_none),
		cmocka_unit_test(a_line_without_end_is_damaged),
		cmocka_unit_test(those_of_later_versions_are_not_touched),
		cmocka_unit_test(other_boots_are_over),
		cmocka_unit_test(damaged_records_are_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
