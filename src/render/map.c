// SPDX-License-Identifier: GPL-2.0-or-later
/* The 4 KiB of functions as a picture: 64 cells of 4 bytes to a row, in text and as SVG. */
#include "render.h"

#define MAP_CELLS 1024
#define MAP_COLUMNS 64
#define MAP_ROWS (MAP_CELLS / MAP_COLUMNS)
#define CELL_BYTES 4
#define ROW_BYTES (MAP_COLUMNS * CELL_BYTES)

/* How each kind is drawn. */
static const struct {
	const char *ascii, *utf8;
	enum vfcap_style style;
	const char *class; /* SVG */
	const char *legend;
} kinds[VFCAP_MAP_KINDS] = {
	[VFCAP_MAP_CAP] = { "=", "━", VFCAP_STYLE_BOLD, "cap", "capability" },
	[VFCAP_MAP_RESERVED] = { "-", "╌", VFCAP_STYLE_DIM, "reserved",
				 "the most it may have by the spec" },
	[VFCAP_MAP_NONZERO] = { "#", "▓", VFCAP_STYLE_WARN, "nonzero",
				"not zero, but outside of every capability" },
	[VFCAP_MAP_UNKNOWN] = { "?", "?", VFCAP_STYLE_DIM, "unknown", "could not be read" },
	[VFCAP_MAP_PLANNED] = { "+", "+", VFCAP_STYLE_GOOD, "planned",
				"planned: emulated in the VF" },
	[VFCAP_MAP_EMULATED] = { "*", "█", VFCAP_STYLE_GOOD, "emulated",
				 "emulated: the hardware does not have it" },
};

#define MAP_FREE VFCAP_MAP_KINDS

static unsigned int first_cell(const struct vfcap_map_span *span)
{
	return span->offset / CELL_BYTES;
}

static unsigned int end_cell(const struct vfcap_map_span *span)
{
	unsigned int end = (span->offset + span->length + CELL_BYTES - 1u) / CELL_BYTES;

	return end < MAP_CELLS ? end : MAP_CELLS;
}

/* What is drawn in the cells of one row. */
static void row_kinds(const struct vfcap_map_strip *strip, unsigned int row,
		      uint8_t cell[MAP_COLUMNS])
{
	unsigned int first = row * MAP_COLUMNS, c;
	size_t i;

	memset(cell, MAP_FREE, MAP_COLUMNS);
	for (i = 0; i < strip->n_spans; i++)
		for (c = first_cell(&strip->span[i]); c < end_cell(&strip->span[i]); c++)
			if (c >= first && c - first < MAP_COLUMNS)
				cell[c - first] = strip->span[i].kind;
}

static bool begins_in(const struct vfcap_map_span *span, unsigned int row)
{
	return span->label && first_cell(span) / MAP_COLUMNS == row;
}

/* Has any of the functions anything in that row? */
static bool row_used(const struct vfcap_map_strip *strip, size_t n, unsigned int row)
{
	size_t i, k;

	for (i = 0; i < n; i++)
		for (k = 0; k < strip[i].n_spans; k++)
			if (strip[i].span[k].offset < (row + 1) * ROW_BYTES &&
			    end_cell(&strip[i].span[k]) * CELL_BYTES > row * ROW_BYTES)
				return true;
	return false;
}

/* How many rows from row on are one line, and what it says of them. */
static unsigned int folded_rows(const struct vfcap_map_strip *strip, size_t n, unsigned int row,
				const char **what)
{
	unsigned int end = row;

	*what = row ? "nothing" : "legacy config space";
	if (!row)
		return 1;
	while (end < MAP_ROWS && !row_used(strip, n, end))
		end++;
	return end - row;
}

static bool kind_used(const struct vfcap_map_strip *strip, size_t n, enum vfcap_map_kind kind)
{
	size_t i, k;

	for (i = 0; i < n; i++)
		for (k = 0; k < strip[i].n_spans; k++)
			if (strip[i].span[k].kind == kind)
				return true;
	return false;
}

/* ---------------------------------------------------------------------------------- terminal -- */

static void draw_cells(struct vfcap_out *out, const struct vfcap_map_strip *strip, unsigned int row)
{
	uint8_t cell[MAP_COLUMNS];
	bool head[MAP_COLUMNS] = { false };
	unsigned int i, last = MAP_FREE + 1;
	size_t k;

	row_kinds(strip, row, cell);
	for (k = 0; k < strip->n_spans; k++)
		if (begins_in(&strip->span[k], row))
			head[first_cell(&strip->span[k]) % MAP_COLUMNS] = true;
	for (i = 0; i < MAP_COLUMNS; i++) {
		if (cell[i] != last) {
			vfcap_out_style(out, VFCAP_STYLE_PLAIN);
			vfcap_out_style(out, cell[i] == MAP_FREE ? VFCAP_STYLE_DIM :
								   kinds[cell[i]].style);
			last = cell[i];
		}
		if (head[i])
			vfcap_out_char(out, '[');
		else if (cell[i] == MAP_FREE)
			vfcap_out_str(out, out->utf8 ? "·" : ".");
		else
			vfcap_out_str(out, out->utf8 ? kinds[cell[i]].utf8 : kinds[cell[i]].ascii);
	}
	vfcap_out_style(out, VFCAP_STYLE_PLAIN);
	vfcap_out_char(out, '\n');
}

/* The next label of a row by its cell, at or behind from; NULL: none. */
static const struct vfcap_map_span *next_label(const struct vfcap_map_strip *strip,
					       unsigned int row, const struct vfcap_map_span *after)
{
	const struct vfcap_map_span *best = NULL, *s;

	for (s = strip->span; s < strip->span + strip->n_spans; s++)
		if (begins_in(s, row) &&
		    (!after || s->offset > after->offset ||
		     (s->offset == after->offset && s > after)) &&
		    (!best || s->offset < best->offset))
			best = s;
	return best;
}

/* Names stand below the cell where the capability begins, or as near to it as others let them. */
static void draw_labels(struct vfcap_out *out, const struct vfcap_map_strip *strip,
			unsigned int row)
{
	const struct vfcap_map_span *s = next_label(strip, row, NULL);
	unsigned int at = 0, want;

	if (!s)
		return;
	vfcap_out_fill(out, ' ', 8);
	for (; s; s = next_label(strip, row, s)) {
		want = first_cell(s) % MAP_COLUMNS;
		if (at && at >= want)
			want = at + 1;
		vfcap_out_fill(out, ' ', want - at);
		vfcap_out_style(out, kinds[s->kind].style);
		vfcap_out_str(out, s->label);
		vfcap_out_style(out, VFCAP_STYLE_PLAIN);
		at = want + (unsigned int)strlen(s->label);
	}
	vfcap_out_char(out, '\n');
}

static void draw_legend(struct vfcap_out *out, const struct vfcap_map_strip *strip, size_t n)
{
	unsigned int kind;

	for (kind = 0; kind < VFCAP_MAP_KINDS; kind++) {
		const char *sign = out->utf8 ? kinds[kind].utf8 : kinds[kind].ascii;

		if (!kind_used(strip, n, kind))
			continue;
		vfcap_out_str(out, "  ");
		vfcap_out_style(out, kinds[kind].style);
		vfcap_out_str(out, kind == VFCAP_MAP_CAP ? "[" : sign);
		vfcap_out_str(out, sign);
		vfcap_out_style(out, VFCAP_STYLE_PLAIN);
		vfcap_out_printf(out, " %s\n", kinds[kind].legend);
	}
}

void vfcap_map_text(struct vfcap_out *out, const struct vfcap_map_strip *strip, size_t n)
{
	unsigned int row = 0, skip;
	const char *what;
	size_t i;

	for (i = 0; i < n; i++) {
		vfcap_out_style(out, VFCAP_STYLE_BOLD);
		vfcap_out_printf(out, "%-4s", strip[i].name);
		vfcap_out_style(out, VFCAP_STYLE_PLAIN);
		vfcap_out_text(out, strip[i].title);
		vfcap_out_char(out, '\n');
	}
	while (row < MAP_ROWS) {
		skip = folded_rows(strip, n, row, &what);
		if (skip) {
			vfcap_out_printf(out, "%03x..%03x: %s\n", row * ROW_BYTES,
					 (row + skip) * ROW_BYTES - 1, what);
			row += skip;
			continue;
		}
		for (i = 0; i < n; i++) {
			if (i)
				vfcap_out_str(out, "    ");
			else
				vfcap_out_printf(out, "%03x ", row * ROW_BYTES);
			vfcap_out_printf(out, "%-4s", strip[i].name);
			draw_cells(out, &strip[i], row);
			draw_labels(out, &strip[i], row);
		}
		row++;
	}
	draw_legend(out, strip, n);
}

/* --------------------------------------------------------------------------------------- SVG -- */

#define SVG_LEFT 84 /* where cells begin, in pixels */
#define SVG_CELL 13
#define SVG_WIDTH (SVG_LEFT + MAP_COLUMNS * SVG_CELL + 16)
#define SVG_BAR 20 /* height of a strip of cells */
#define SVG_STRIP 38 /* a strip and its labels */
#define SVG_FOLD 24 /* a line that stands for folded rows */
#define SVG_LINE 18
#define SVG_CHAR 7 /* of a label, with room to spare */
#define SVG_MARGIN 12

static const char svg_style[] =
	"<style>\n"
	"text{font:11px ui-monospace,Menlo,Consolas,monospace;fill:#1f2328}\n"
	".title{font-weight:bold;font-size:13px}.dim{fill:#656d76}.page{fill:#fff}\n"
	".free{fill:#f0f2f4;stroke:#d0d7de;stroke-width:.5}\n"
	".cap{fill:#54a3ff;stroke:#0a5dc2}.reserved{fill:#cfe5ff;stroke:#54a3ff;stroke-dasharray:2 2}\n"
	".nonzero{fill:#e5a000;stroke:#9a6700}.unknown{fill:#8c959f}\n"
	".planned,.emulated{fill:#2da44e;stroke:#116329;stroke-width:1.5}\n"
	"@media(prefers-color-scheme:dark){\n"
	"text{fill:#e6edf3}.dim{fill:#9198a1}.page{fill:#0d1117}\n"
	".free{fill:#161b22;stroke:#30363d}\n"
	".cap{fill:#1f6feb;stroke:#79c0ff}.reserved{fill:#0c2d6b;stroke:#1f6feb}\n"
	".nonzero{fill:#bb8009;stroke:#e3b341}.planned,.emulated{fill:#238636;stroke:#56d364}\n"
	"}\n"
	"</style>\n";

static void svg_text(struct vfcap_out *out, const char *s)
{
	size_t len;

	for (; *s; s += len) {
		uint32_t c;

		len = vfcap_utf8_next(s, &c);
		if (!vfcap_utf8_is_plain(c))
			vfcap_out_char(out, '?');
		else if (c == '&')
			vfcap_out_str(out, "&amp;");
		else if (c == '<')
			vfcap_out_str(out, "&lt;");
		else if (c > 0x7f && !out->utf8)
			vfcap_out_printf(out, "&#x%x;", c);
		else
			vfcap_out_bytes(out, s, len);
	}
}

static void svg_rect(struct vfcap_out *out, const char *class, unsigned int x, unsigned int y,
		     unsigned int cells)
{
	vfcap_out_printf(out, "<rect class=\"%s\" x=\"%u\" y=\"%u\" width=\"%u\" height=\"%u\"/>\n",
			 class, x, y, cells * SVG_CELL, SVG_BAR);
}

static void svg_label(struct vfcap_out *out, const char *class, unsigned int x, unsigned int y,
		      const char *text)
{
	vfcap_out_printf(out, "<text class=\"%s\" x=\"%u\" y=\"%u\">", class, x, y);
	svg_text(out, text);
	vfcap_out_str(out, "</text>\n");
}

/* One span's part of a row. */
static void svg_span(struct vfcap_out *out, const struct vfcap_map_span *span, unsigned int row,
		     unsigned int y)
{
	unsigned int first = first_cell(span), end = end_cell(span), begin = row * MAP_COLUMNS;

	if (first < begin)
		first = begin;
	if (end > begin + MAP_COLUMNS)
		end = begin + MAP_COLUMNS;
	if (first < end)
		svg_rect(out, kinds[span->kind].class, SVG_LEFT + (first - begin) * SVG_CELL, y,
			 end - first);
}

static void svg_labels(struct vfcap_out *out, const struct vfcap_map_strip *strip, unsigned int row,
		       unsigned int y)
{
	const struct vfcap_map_span *s = NULL;
	unsigned int x, free_from = 0;

	while ((s = next_label(strip, row, s))) {
		x = SVG_LEFT + first_cell(s) % MAP_COLUMNS * SVG_CELL;
		if (x < free_from)
			x = free_from;
		svg_label(out, "", x, y, s->label);
		free_from = x + (unsigned int)(strlen(s->label) + 1) * SVG_CHAR;
	}
}

static void svg_row(struct vfcap_out *out, const struct vfcap_map_strip *strip, size_t n,
		    unsigned int row, unsigned int y)
{
	char offset[8];
	size_t i, k;

	snprintf(offset, sizeof(offset), "0x%03x", row * ROW_BYTES);
	svg_label(out, "dim", SVG_MARGIN, y + 14, offset);
	for (i = 0; i < n; i++, y += SVG_STRIP) {
		svg_label(out, "title", SVG_LEFT - 28, y + 14, strip[i].name);
		svg_rect(out, "free", SVG_LEFT, y, MAP_COLUMNS);
		for (k = 0; k < strip[i].n_spans; k++)
			svg_span(out, &strip[i].span[k], row, y);
		svg_labels(out, &strip[i], row, y + SVG_BAR + 12);
	}
}

static unsigned int svg_legend(struct vfcap_out *out, const struct vfcap_map_strip *strip, size_t n,
			       unsigned int y)
{
	unsigned int kind;

	for (kind = 0; kind < VFCAP_MAP_KINDS; kind++) {
		if (!kind_used(strip, n, kind))
			continue;
		vfcap_out_printf(
			out, "<rect class=\"%s\" x=\"%u\" y=\"%u\" width=\"26\" height=\"11\"/>\n",
			kinds[kind].class, SVG_LEFT, y);
		svg_label(out, "", SVG_LEFT + 36, y + 10, kinds[kind].legend);
		y += SVG_LINE;
	}
	return y;
}

/* The rows, from y on; returns where they end. */
static unsigned int svg_rows(struct vfcap_out *out, const struct vfcap_map_strip *strip, size_t n,
			     unsigned int y)
{
	unsigned int row = 0, skip;
	const char *what;
	char fold[64];

	while (row < MAP_ROWS) {
		skip = folded_rows(strip, n, row, &what);
		if (skip) {
			snprintf(fold, sizeof(fold), "0x%03x..0x%03x: %s", row * ROW_BYTES,
				 (row + skip) * ROW_BYTES - 1, what);
			svg_label(out, "dim", SVG_MARGIN, y + 12, fold);
			y += SVG_FOLD;
			row += skip;
		} else {
			svg_row(out, strip, n, row, y);
			y += (unsigned int)n * SVG_STRIP + 4;
			row++;
		}
	}
	return y;
}

void vfcap_map_svg(struct vfcap_out *out, const struct vfcap_map_strip *strip, size_t n)
{
	struct vfcap_out body;
	unsigned int y = SVG_MARGIN;
	size_t i;

	vfcap_out_memory(&body, out);
	for (i = 0; i < n; i++, y += SVG_LINE) {
		svg_label(&body, "title", SVG_MARGIN, y + 12, strip[i].name);
		svg_label(&body, "", SVG_MARGIN + 28, y + 12, strip[i].title);
	}
	y = svg_rows(&body, strip, n, y + 10);
	y = svg_legend(&body, strip, n, y + 6) + SVG_MARGIN;
	vfcap_out_printf(out,
			 "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%u\" height=\"%u\" "
			 "viewBox=\"0 0 %u %u\" role=\"img\">\n",
			 SVG_WIDTH, y, SVG_WIDTH, y);
	vfcap_out_str(out, svg_style);
	vfcap_out_printf(out, "<rect class=\"page\" width=\"%u\" height=\"%u\"/>\n", SVG_WIDTH, y);
	if (!out->error)
		out->error = body.error;
	vfcap_out_bytes(out, body.buf ? body.buf : "", body.n);
	vfcap_out_str(out, "</svg>\n");
	vfcap_out_free(&body);
}
