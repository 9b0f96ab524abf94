// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Tables. Cells are kept as text, one row's after the other's in one buffer. What a terminal's
 * width matters for, and raw output, is laid out by libsmartcols; it measures every character
 * several times (some 40,000 instructions for a line), so what goes into a file or pipe is padded
 * here, in the same form.
 */
#include <errno.h>
#include <stdlib.h>

#include <libsmartcols.h>

#include "render.h"

struct row {
	size_t text; /* where its first cell begins; the others follow, each with its NUL */
	long parent;
};

struct vfcap_table {
	const struct vfcap_column **column; /* those to show */
	size_t *width; /* of each */
	size_t n_columns;
	size_t n_default; /* the first of them are shown unless empty in all rows */
	bool chosen; /* by --output */
	bool noheadings, raw;
	struct vfcap_out text;
	struct row *row;
	size_t n_rows, room;
};

/* ------------------------------------------------------------------------------- the columns -- */

static const struct vfcap_column *find_column(const struct vfcap_column *columns, size_t n,
					      const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (strlen(columns[i].name) == len && strncasecmp(columns[i].name, name, len) == 0)
			return &columns[i];
	return NULL;
}

static size_t count_names(const char *list)
{
	size_t n = 1;

	for (; *list; list++)
		n += *list == ',';
	return n;
}

/* Takes the columns of a list "A,B"; an unknown one is returned in *bad. */
static int choose(struct vfcap_table *t, const struct vfcap_column *columns, size_t n,
		  const char *list, const char **bad)
{
	size_t len;

	for (;; list += len + 1) {
		len = strcspn(list, ",");
		t->column[t->n_columns] = find_column(columns, n, list, len);
		if (!t->column[t->n_columns]) {
			*bad = list;
			return -EINVAL;
		}
		t->n_columns++;
		if (!list[len])
			return 0;
	}
}

static int choose_all(struct vfcap_table *t, const struct vfcap_column *columns, size_t n,
		      const char *list, const char **bad)
{
	size_t i;

	t->chosen = list;
	if (!list || *list == '+')
		for (i = 0; i < n; i++)
			if (columns[i].flags & VFCAP_COLUMN_DEFAULT)
				t->column[t->n_columns++] = &columns[i];
	t->n_default = t->n_columns;
	return list ? choose(t, columns, n, list + (*list == '+'), bad) : 0;
}

struct vfcap_table *vfcap_table_new(const struct vfcap_column *columns, size_t n,
				    const struct vfcap_table_options *opt,
				    const struct vfcap_out *like, const char **bad)
{
	struct vfcap_table *t = calloc(1, sizeof(*t));
	size_t most = n + (opt->output ? count_names(opt->output) : 0);

	*bad = NULL;
	if (!t)
		return NULL;
	t->column = calloc(most, sizeof(*t->column));
	t->width = calloc(most, sizeof(*t->width));
	t->noheadings = opt->noheadings;
	t->raw = opt->raw;
	vfcap_out_memory(&t->text, like);
	if (!t->column || !t->width || choose_all(t, columns, n, opt->output, bad)) {
		vfcap_table_free(t);
		return NULL;
	}
	return t;
}

void vfcap_table_free(struct vfcap_table *t)
{
	if (!t)
		return;
	vfcap_out_free(&t->text);
	free(t->column);
	free(t->width);
	free(t->row);
	free(t);
}

/* ---------------------------------------------------------------------------------- the rows -- */

static long new_row(struct vfcap_table *t, long parent)
{
	size_t room = t->room ? t->room * 2 : 64;
	struct row *row;

	if (t->n_rows == t->room) {
		row = realloc(t->row, room * sizeof(*row));
		if (!row)
			return -ENOMEM;
		t->row = row;
		t->room = room;
	}
	t->row[t->n_rows] = (struct row){ .text = t->text.n, .parent = parent };
	return (long)t->n_rows++;
}

/* Columns in the text, not bytes: UTF-8's continuation bytes take none. */
static size_t text_width(const char *s, bool utf8)
{
	size_t n = 0;

	if (!utf8)
		return strlen(s);
	for (; *s; s++)
		n += (*s & 0xc0) != 0x80;
	return n;
}

long vfcap_table_add(struct vfcap_table *t, long parent, void *item)
{
	long row = new_row(t, parent);
	size_t i, width, start;

	for (i = 0; row >= 0 && i < t->n_columns; i++) {
		start = t->text.n;
		t->column[i]->fill(&t->text, item);
		vfcap_out_char(&t->text, '\0');
		if (t->text.error)
			return t->text.error;
		width = text_width(t->text.buf + start, t->text.utf8);
		if (t->width[i] < width)
			t->width[i] = width;
	}
	return row;
}

static const char *next_cell(const char *cell)
{
	return cell + strlen(cell) + 1;
}

/* ----------------------------------------------------------------------------------- folding -- */

static bool agree(const struct vfcap_table *t, size_t a, size_t b)
{
	const char *p = t->text.buf + t->row[a].text;
	const char *q = t->text.buf + t->row[b].text;
	size_t i;

	if (t->row[a].parent != t->row[b].parent)
		return false;
	for (i = 0; i < t->n_columns; i++, p = next_cell(p), q = next_cell(q))
		if (t->column[i]->flags & VFCAP_COLUMN_SPAN ? !*p != !*q : strcmp(p, q))
			return false;
	return true;
}

/* Makes row a stand for a to b. */
static int fold_run(struct vfcap_table *t, size_t a, size_t b)
{
	size_t p = t->row[a].text, q = t->row[b].text, start = t->text.n, i;

	if (!vfcap_out_room(&t->text, 2 * (t->text.n - p) + 64 * t->n_columns))
		return t->text.error;
	for (i = 0; i < t->n_columns; i++) {
		const char *first = t->text.buf + p, *last = t->text.buf + q;

		vfcap_out_str(&t->text, first);
		if (strcmp(first, last))
			vfcap_out_printf(&t->text, "..%s", last);
		if (t->column[i]->flags & VFCAP_COLUMN_TREE)
			vfcap_out_printf(&t->text, " (%zu)", b - a + 1);
		vfcap_out_char(&t->text, '\0');
		p += strlen(first) + 1;
		q += strlen(last) + 1;
	}
	t->row[a].text = start;
	return t->text.error;
}

/* Folds runs of more than most siblings. Only children go, which nobody names as a parent. */
static int fold_rows(struct vfcap_table *t, unsigned int most)
{
	size_t from, to, last, kept = 0, *moved = calloc(t->n_rows + 1, sizeof(*moved));
	int err = moved ? 0 : -ENOMEM;

	for (from = 0; !err && from < t->n_rows; from = to) {
		to = from + 1;
		while (t->row[from].parent >= 0 && to < t->n_rows && agree(t, from, to))
			to++;
		if (to - from <= most)
			to = from + 1;
		last = to - 1;
		if (last > from)
			err = fold_run(t, from, last);
		moved[from] = kept;
		t->row[kept] = t->row[from];
		if (t->row[kept].parent >= 0)
			t->row[kept].parent = (long)moved[t->row[kept].parent];
		kept++;
	}
	if (!err)
		t->n_rows = kept;
	free(moved);
	return err;
}

/* -------------------------------------------------------------------------------- the output -- */

static bool shown(const struct vfcap_table *t, size_t column)
{
	return t->raw || column >= t->n_default || t->width[column];
}

static void print_cell(struct vfcap_out *out, const struct vfcap_column *column, const char *text,
		       size_t used, size_t width, bool last)
{
	size_t len = text_width(text, out->utf8) + used;
	size_t pad = len < width ? width - len : 0;

	if (column->flags & VFCAP_COLUMN_RIGHT)
		vfcap_out_fill(out, ' ', pad);
	vfcap_out_str(out, text);
	if (!(column->flags & VFCAP_COLUMN_RIGHT) && !last)
		vfcap_out_fill(out, ' ', pad);
}

/* The tree has two levels, so a child's branch ends where the next row has another parent. */
static const char *branch(const struct vfcap_table *t, size_t row, bool utf8)
{
	bool last = row + 1 == t->n_rows || t->row[row + 1].parent != t->row[row].parent;

	if (t->row[row].parent < 0)
		return "";
	if (utf8)
		return last ? "└─" : "├─";
	return last ? "`-" : "|-";
}

static void print_row(const struct vfcap_table *t, struct vfcap_out *out, const char *cell,
		      const char *tree)
{
	size_t i, width, last = t->n_columns, used;
	bool first = true;

	for (i = 0; i < t->n_columns; i++)
		if (shown(t, i))
			last = i;
	for (i = 0; i < t->n_columns; i++, cell = cell ? next_cell(cell) : NULL) {
		if (!shown(t, i))
			continue;
		width = t->width[i];
		used = 0;
		if (!first)
			vfcap_out_char(out, ' ');
		first = false;
		if (t->column[i]->flags & VFCAP_COLUMN_TREE) {
			vfcap_out_str(out, tree);
			used = text_width(tree, out->utf8);
		}
		print_cell(out, t->column[i], cell ? cell : t->column[i]->name, used, width,
			   i == last);
	}
	while (out->n && out->buf[out->n - 1] == ' ')
		out->n--;
	vfcap_out_char(out, '\n');
}

/* Columns are as wide as their widest cell, heading and branch. */
static void settle_widths(struct vfcap_table *t)
{
	bool tree = false;
	size_t i, len;

	for (i = 0; i < t->n_rows; i++)
		tree |= t->row[i].parent >= 0;
	for (i = 0; i < t->n_columns; i++) {
		len = strlen(t->column[i]->name);
		if (tree && t->width[i] && t->column[i]->flags & VFCAP_COLUMN_TREE)
			t->width[i] += 2;
		if (shown(t, i) && !t->noheadings && t->width[i] < len)
			t->width[i] = len;
	}
}

static int print_plain(struct vfcap_table *t, struct vfcap_out *out)
{
	size_t i;

	settle_widths(t);
	if (!t->noheadings)
		print_row(t, out, NULL, "");
	for (i = 0; i < t->n_rows && !out->error; i++)
		print_row(t, out, t->text.buf + t->row[i].text, branch(t, i, out->utf8));
	return out->error;
}

static int scols_columns(struct vfcap_table *t, struct libscols_table *st)
{
	size_t i;
	int flags;

	for (i = 0; i < t->n_columns; i++) {
		flags = 0;
		if (t->column[i]->flags & VFCAP_COLUMN_RIGHT)
			flags |= SCOLS_FL_RIGHT;
		if (t->column[i]->flags & VFCAP_COLUMN_TRUNC)
			flags |= SCOLS_FL_TRUNC;
		if (t->column[i]->flags & VFCAP_COLUMN_TREE && !t->raw)
			flags |= SCOLS_FL_TREE;
		if (shown(t, i) && !scols_table_new_column(st, t->column[i]->name, 0, flags))
			return -ENOMEM;
	}
	return 0;
}

static int scols_row(struct vfcap_table *t, struct libscols_table *st, struct libscols_line **line,
		     size_t row)
{
	const char *cell = t->text.buf + t->row[row].text;
	long parent = t->row[row].parent;
	size_t i, k = 0;

	line[row] = scols_table_new_line(st, parent >= 0 && !t->raw ? line[parent] : NULL);
	if (!line[row])
		return -ENOMEM;
	for (i = 0; i < t->n_columns; i++, cell = next_cell(cell))
		if (shown(t, i) && scols_line_set_data(line[row], k++, cell))
			return -ENOMEM;
	return 0;
}

static void free_scols(struct libscols_table **st)
{
	scols_unref_table(*st);
}

static void free_lines(struct libscols_line ***lines)
{
	free(*lines);
}

static int print_scols(struct vfcap_table *t, struct vfcap_out *out)
{
	__attribute__((cleanup(free_scols))) struct libscols_table *st = scols_new_table();
	__attribute__((cleanup(free_lines))) struct libscols_line **line =
		calloc(t->n_rows + 1, sizeof(struct libscols_line *));
	size_t i;
	int err = vfcap_out_flush(out);

	if (!st || !line)
		return -ENOMEM;
	scols_table_set_stream(st, out->file);
	scols_table_enable_raw(st, t->raw);
	scols_table_enable_noheadings(st, t->noheadings);
	if (!err)
		err = scols_columns(t, st);
	for (i = 0; !err && i < t->n_rows; i++)
		err = scols_row(t, st, line, i);
	if (err)
		return err;
	errno = 0; /* libsmartcols leaves out what it has no memory for */
	err = scols_print_table(st);
	return err ? err : errno == ENOMEM ? -ENOMEM : 0;
}

int vfcap_table_print(struct vfcap_table *t, struct vfcap_out *out, unsigned int fold)
{
	int err = 0;

	if (!t->n_rows)
		return 0;
	if (fold && out->width && !t->raw && !t->noheadings && !t->chosen)
		err = fold_rows(t, fold);
	if (err)
		return err;
	return t->raw || out->width ? print_scols(t, out) : print_plain(t, out);
}
