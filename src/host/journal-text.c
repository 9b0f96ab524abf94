// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The text of undo logs and records, from memory and to it. What is understood is exactly what is written: a text that
 * differs from it in one byte is damaged, but for the last line of a log, which a killed run may have cut off.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "change.h"

/* --------------------------------------------------------------------------------------- lines -- */

struct text {
	const char *at;
	size_t left;
};

enum line { LINE_NONE, LINE_WHOLE, LINE_CUT, LINE_TOO_LONG };

/* The next line, without its end. A line that is cut off has no end. */
static enum line next_line(struct text *text, char line[VFCAP_JOURNAL_LINE])
{
	const char *end = text->left ? memchr(text->at, '\n', text->left) : NULL;
	size_t len = end ? (size_t)(end - text->at) : text->left;

	if (!text->left)
		return LINE_NONE;
	if (len >= VFCAP_JOURNAL_LINE)
		return LINE_TOO_LONG;
	memcpy(line, text->at, len);
	line[len] = '\0';
	text->at += len + (end ? 1 : 0);
	text->left -= len + (end ? 1 : 0);
	return end ? LINE_WHOLE : LINE_CUT;
}

/* Up to n words, divided by one space; how many there are, n + 1: more. */
static size_t split(char *line, char **word, size_t n)
{
	size_t i;

	for (i = 0; i < n && line; i++)
		word[i] = strsep(&line, " ");
	return line ? n + 1 : i;
}

/* As vfcap_address_format() writes it. */
static bool parse_address(const char *text, struct vfcap_address *a)
{
	char again[VFCAP_ADDRESS_LEN];

	return vfcap_address_parse(text, a) == strlen(text) &&
	       strcmp(vfcap_address_format(*a, again), text) == 0;
}

/* "-": none. */
static bool parse_driver(const char *text, char buf[VFCAP_NAME_ROOM])
{
	buf[0] = '\0';
	if (strcmp(text, "-") == 0)
		return true;
	if (!vfcap_driver_name_ok(text))
		return false;
	memcpy(buf, text, strlen(text) + 1);
	return true;
}

/* Decimal, without a zero before it. */
static bool parse_value(const char *text, unsigned long most, uint16_t *value)
{
	unsigned long v = 0;
	size_t len = strlen(text);

	if (!len || len > 5 || (text[0] == '0' && len > 1) || strspn(text, "0123456789") != len)
		return false;
	v = strtoul(text, NULL, 10);
	*value = (uint16_t)v;
	return v <= most;
}

/* What an attribute of the knob can have. */
static bool parse_attr(const char *text, enum vfcap_attr attr, uint16_t *value)
{
	return parse_value(text, UINT16_MAX, value) && vfcap_attr_takes(attr, *value);
}

static const char *or_dash(const char *name)
{
	return name[0] ? name : "-";
}

/* ---------------------------------------------------------------------------------------- heads -- */

/* The format that a head names, from 1 to the newest; -EBADMSG, or -EPROTONOSUPPORT: a later one. */
static int parse_version(const char *text, int newest)
{
	size_t len = strlen(text);

	if (!len || text[0] == '0' || strspn(text, "0123456789") != len)
		return -EBADMSG;
	return len == 1 && text[0] - '0' <= newest ? text[0] - '0' : -EPROTONOSUPPORT;
}

/* Splits a head, "KIND VERSION ...", into n words: the version, -EBADMSG, or -EPROTONOSUPPORT. */
static int split_head(char *line, const char *kind, int newest, char **word, size_t n)
{
	size_t have = split(line, word, n);
	int version;

	if (have < 2 || strcmp(word[0], kind))
		return -EBADMSG;
	version = parse_version(word[1], newest);
	return version < 0 || have == n ? version : -EBADMSG;
}

/* Whether a text is of the boot that is known. One that could not name its own may be of any, and a boot that is not
 * known is of a host without a kernel. 1, 0 or -EBADMSG. */
static int is_of_boot(const char *its, const char *boot)
{
	if (!its[0] || (strcmp(its, "-") == 0 && strcmp(boot, "-")))
		return -EBADMSG;
	return strcmp(its, boot) == 0;
}

/* ---------------------------------------------------------------------------------------- undo -- */

static const char *const act_names[VFCAP_ACTS] = {
	[VFCAP_ACT_ENABLE] = "enable",
	[VFCAP_ACT_DISABLE] = "disable",
	[VFCAP_ACT_APPLY] = "apply",
};

const char *vfcap_act_name(enum vfcap_act act)
{
	return act_names[act];
}

/* Between names of drivers, and between numbers: those of the knob have names of their own. */
static const char *const kind_names[VFCAP_STEP_KINDS] = {
	[VFCAP_STEP_OVERRIDE] = "override",
	[VFCAP_STEP_UNBIND] = "unbind",
	[VFCAP_STEP_BIND] = "bind",
};

static const char *const count_names[VFCAP_STEP_KINDS] = {
	[VFCAP_STEP_NUMVFS] = "numvfs",
	[VFCAP_STEP_AUTOPROBE] = "autoprobe",
};

static bool parse_knob(char *const word[4], struct vfcap_step *step)
{
	step->kind = VFCAP_STEP_KNOB;
	for (unsigned int a = 0; a < VFCAP_ATTRS; a++)
		if (strcmp(word[0], vfcap_attr_name(a)) == 0) {
			step->attr = a;
			return parse_attr(word[2], a, &step->old) &&
			       parse_attr(word[3], a, &step->new);
		}
	return false;
}

static bool parse_count(char *const word[4], struct vfcap_step *step)
{
	unsigned long most = step->kind == VFCAP_STEP_NUMVFS ? UINT16_MAX : 1;

	return parse_value(word[2], most, &step->old) && parse_value(word[3], most, &step->new);
}

static bool parse_entry(char *line, struct vfcap_entry *entry)
{
	struct vfcap_step *step = &entry->step;
	char *word[4];

	memset(entry, 0, sizeof(*entry));
	if (split(line, word, 4) != 4 || !parse_address(word[1], &entry->vf))
		return false;
	for (unsigned int k = 0; k < VFCAP_STEP_KINDS; k++)
		if (kind_names[k] && strcmp(word[0], kind_names[k]) == 0) {
			step->kind = k;
			return parse_driver(word[2], step->from) && parse_driver(word[3], step->to);
		} else if (count_names[k] && strcmp(word[0], count_names[k]) == 0) {
			step->kind = k;
			return parse_count(word, step);
		}
	return parse_knob(word, step);
}

/* 1: it is of this boot; 0, -EBADMSG, -EPROTONOSUPPORT. */
static int parse_head(char *line, const char *pf, const char *boot, enum vfcap_act *act)
{
	char *word[5];
	int version = split_head(line, "vfcap-undo", 1, word, 5);

	if (version < 0)
		return version;
	for (*act = 0; *act < VFCAP_ACTS && strcmp(word[2], act_names[*act]); (*act)++)
		;
	if (*act == VFCAP_ACTS || strcmp(word[3], pf))
		return -EBADMSG;
	return is_of_boot(word[4], boot);
}

static int add_entry(struct vfcap_undo *undo, const struct vfcap_entry *entry)
{
	struct vfcap_entry *more = vfcap_more(undo->entry, undo->n, sizeof(*more));

	if (!more)
		return -ENOMEM;
	undo->entry = more;
	more[undo->n++] = *entry;
	return 0;
}

/* The last line of all may be cut off: that step was never made. */
static int parse_entries(struct text *text, struct vfcap_undo *undo)
{
	char line[VFCAP_JOURNAL_LINE];
	struct vfcap_entry entry;
	enum line got;
	int err = 0;

	while (!err && (got = next_line(text, line)) == LINE_WHOLE) {
		if (undo->done)
			return -EBADMSG;
		undo->done = strcmp(line, "done") == 0;
		if (!undo->done)
			err = parse_entry(line, &entry) ? add_entry(undo, &entry) : -EBADMSG;
	}
	if (err)
		return err;
	return got == LINE_TOO_LONG || (got == LINE_CUT && undo->done) ? -EBADMSG : 0;
}

int vfcap_undo_parse(const char *data, size_t len, const char *pf, const char *boot,
		     struct vfcap_undo *undo)
{
	struct text text = { data, len };
	char line[VFCAP_JOURNAL_LINE];
	int ret = -EBADMSG;

	*undo = (struct vfcap_undo){ 0 };
	if ((!len || !memchr(data, '\0', len)) && next_line(&text, line) == LINE_WHOLE)
		ret = parse_head(line, pf, boot, &undo->act);
	undo->there = ret;
	if (ret > 0)
		ret = parse_entries(&text, undo);
	if (ret == -EBADMSG) {
		vfcap_undo_free(undo);
		undo->there = undo->damaged = true;
		return 0;
	}
	if (ret)
		vfcap_undo_free(undo);
	return ret;
}

void vfcap_undo_free(struct vfcap_undo *undo)
{
	free(undo->entry);
	*undo = (struct vfcap_undo){ 0 };
}

void vfcap_undo_head(char line[VFCAP_JOURNAL_LINE], enum vfcap_act act, const char *pf,
		     const char *boot)
{
	snprintf(line, VFCAP_JOURNAL_LINE, "vfcap-undo 1 %s %s %s\n", act_names[act], pf, boot);
}

bool vfcap_undo_line(char line[VFCAP_JOURNAL_LINE], const char *vf, const struct vfcap_step *step)
{
	const char *count = step->kind == VFCAP_STEP_KNOB ? vfcap_attr_name(step->attr) :
							    count_names[step->kind];

	if (count)
		snprintf(line, VFCAP_JOURNAL_LINE, "%s %s %u %u\n", count, vf, step->old,
			 step->new);
	else if (kind_names[step->kind])
		snprintf(line, VFCAP_JOURNAL_LINE, "%s %s %s %s\n", kind_names[step->kind], vf,
			 or_dash(step->from), or_dash(step->to));
	return count || kind_names[step->kind];
}

/* -------------------------------------------------------------------------------------- record -- */

/*
 * Version 1, of 0.1.0, has a line "vf" for each VF that we bound: its driver and override before. In version 2 a line
 * "knob" may follow, or stand alone, of VFs that we left with something to show: offsets and width, in the order of enum
 * vfcap_attr. The older version is written as long as it will do.
 */
#define ALL_KNOWN ((1u << VFCAP_ATTRS) - 1)

bool vfcap_before_enabled(const struct vfcap_before *before)
{
	return before->known == ALL_KNOWN &&
	       (before->knob[VFCAP_ATTR_PASID] || before->knob[VFCAP_ATTR_PRI]);
}

static int record_version(const struct vfcap_record *record)
{
	for (size_t i = 0; i < record->n; i++)
		if (vfcap_before_enabled(&record->before[i]))
			return 2;
	return 1;
}

int vfcap_record_add(struct vfcap_record *record, const struct vfcap_before *before)
{
	struct vfcap_before *more = vfcap_more(record->before, record->n, sizeof(*more));

	if (!more)
		return -ENOMEM;
	record->before = more;
	more[record->n++] = *before;
	return 0;
}

/* The version of a record that is of this boot; 0: it is of another; -EBADMSG, -EPROTONOSUPPORT. */
static int parse_record_head(char *line, const char *pf, const char *boot)
{
	char *word[4];
	int ours, version = split_head(line, "vfcap-record", 2, word, 4);

	if (version < 0)
		return version;
	ours = strcmp(word[2], pf) ? -EBADMSG : is_of_boot(word[3], boot);
	return ours > 0 ? version : ours;
}

static bool parse_before(char *line, struct vfcap_before *before)
{
	char *word[5];
	size_t n = split(line, word, 5);

	*before = (struct vfcap_before){ 0 };
	if (n < 4 || !parse_address(word[1], &before->vf))
		return false;
	if (n == 4) {
		before->bound = true;
		return strcmp(word[0], "vf") == 0 && parse_driver(word[2], before->driver) &&
		       parse_driver(word[3], before->override);
	}
	before->known = ALL_KNOWN;
	for (unsigned int a = 0; a < VFCAP_ATTRS && n == 5; a++)
		if (!parse_attr(word[2 + a], a, &before->knob[a]))
			return false;
	return n == 5 && strcmp(word[0], "knob") == 0 && vfcap_before_enabled(before);
}

/* What is said of a VF's knob goes to what was said of that VF just before. */
static int add_line(struct vfcap_record *record, const struct vfcap_before *line)
{
	struct vfcap_before *last = record->n ? &record->before[record->n - 1] : NULL;

	if (line->bound || !last || last->known || vfcap_address_compare(last->vf, line->vf))
		return vfcap_record_add(record, line);
	last->known = line->known;
	memcpy(last->knob, line->knob, sizeof(last->knob));
	return 0;
}

static int parse_befores(struct text *text, int version, struct vfcap_record *record)
{
	char line[VFCAP_JOURNAL_LINE];
	struct vfcap_before before;
	enum line got;
	int err = 0;

	while (!err && (got = next_line(text, line)) == LINE_WHOLE)
		err = parse_before(line, &before) ? add_line(record, &before) : -EBADMSG;
	if (err)
		return err;
	return got == LINE_NONE && record_version(record) == version ? 0 : -EBADMSG;
}

int vfcap_record_parse(const char *data, size_t len, const char *pf, const char *boot,
		       struct vfcap_record *record)
{
	struct text text = { data, len };
	char line[VFCAP_JOURNAL_LINE];
	int ret = -EBADMSG;

	*record = (struct vfcap_record){ 0 };
	if ((!len || !memchr(data, '\0', len)) && next_line(&text, line) == LINE_WHOLE)
		ret = parse_record_head(line, pf, boot);
	if (ret > 0)
		ret = parse_befores(&text, ret, record);
	if (ret)
		vfcap_record_free(record);
	return ret;
}

void vfcap_record_free(struct vfcap_record *record)
{
	free(record->before);
	*record = (struct vfcap_record){ 0 };
}

void vfcap_record_print(FILE *out, const struct vfcap_record *record, const char *pf,
			const char *boot)
{
	char address[VFCAP_ADDRESS_LEN];

	fprintf(out, "vfcap-record %d %s %s\n", record_version(record), pf, boot);
	for (size_t i = 0; i < record->n; i++) {
		const struct vfcap_before *before = &record->before[i];

		vfcap_address_format(before->vf, address);
		if (before->bound)
			fprintf(out, "vf %s %s %s\n", address, or_dash(before->driver),
				or_dash(before->override));
		if (vfcap_before_enabled(before))
			fprintf(out, "knob %s %u %u %u\n", address, before->knob[VFCAP_ATTR_PASID],
				before->knob[VFCAP_ATTR_PRI], before->knob[VFCAP_ATTR_WIDTH]);
	}
}
