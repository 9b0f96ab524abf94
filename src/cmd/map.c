// SPDX-License-Identifier: GPL-2.0-or-later
/* vfcap map: a picture of the 4 KiB of a VF, of its PF, and of what a guest sees of it. */
#include <errno.h>
#include <stdlib.h>

#include "cmd.h"

enum { KEY_SVG = 0x200, KEY_VIEW, KEY_TOKEN };

#define STRIPS 3 /* PF, VF, and the VF as a guest sees it */

/* Every dword may be a span of its own, and every capability two more. */
#define SPANS_MAX (2 * VFCAP_CHAIN_MAX + VFCAP_CFG_SIZE / 4 + VFCAP_EMULS + 1)
#define LABEL_MAX 16

struct map_options {
	bool svg;
	bool through_vfio;
	const char *token;
};

/* One function's strip and what it points to. */
struct drawn {
	struct vfcap_map_strip strip;
	struct vfcap_map_span span[SPANS_MAX];
	char label[VFCAP_CHAIN_MAX][LABEL_MAX]; /* of capabilities that have no name of their own */
	char title[320];
};

struct map {
	struct vfcap_cli *cli;
	const struct map_options *opt;
	struct vfcap_json json;
	struct drawn *drawn; /* STRIPS of them */
	struct vfcap_plan *plan;
	enum vfcap_map_kind kind; /* of what the plan places */
	struct vfcap_chain *chain; /* as it is read through VFIO */
};

/* ------------------------------------------------------------------------------------- spans -- */

static void add_span(struct drawn *d, unsigned int offset, unsigned int end,
		     enum vfcap_map_kind kind, const char *label)
{
	struct vfcap_map_span *last = d->strip.n_spans ? &d->span[d->strip.n_spans - 1] : NULL;

	if (end > VFCAP_CFG_SIZE)
		end = VFCAP_CFG_SIZE;
	if (offset >= end || d->strip.n_spans == SPANS_MAX)
		return;
	if (last && !label && last->kind == kind && last->offset + last->length == offset) {
		last->length = (uint16_t)(end - last->offset);
		return;
	}
	d->span[d->strip.n_spans++] = (struct vfcap_map_span){
		.offset = (uint16_t)offset,
		.length = (uint16_t)(end - offset),
		.kind = kind,
		.label = label,
	};
}

static bool in_cap(const struct vfcap_chain *chain, unsigned int off)
{
	unsigned int i, end;

	for (i = 0; i < chain->n; i++) {
		end = chain->cap[i].offset + chain->cap[i].length;
		if (end < chain->cap[i].offset + chain->cap[i].reserved)
			end = chain->cap[i].offset + chain->cap[i].reserved;
		if (off >= chain->cap[i].offset && off < end)
			return true;
	}
	return false;
}

/* What lies behind the end of what a function has (256 bytes of some) is not unknown. */
static void add_bytes(struct drawn *d, struct vfcap_image *img, const struct vfcap_chain *chain)
{
	unsigned int off;
	uint32_t val;

	for (off = VFCAP_EXT_BASE; off < img->size; off += 4) {
		if (!vfcap_image_read(img, off, 4, &val))
			add_span(d, off, off + 4, VFCAP_MAP_UNKNOWN, NULL);
		else if (val && !in_cap(chain, off))
			add_span(d, off, off + 4, VFCAP_MAP_NONZERO, NULL);
	}
}

static void add_caps(struct drawn *d, const struct vfcap_chain *chain)
{
	unsigned int i;

	for (i = 0; i < chain->n; i++)
		add_span(d, chain->cap[i].offset + chain->cap[i].length,
			 chain->cap[i].offset + chain->cap[i].reserved, VFCAP_MAP_RESERVED, NULL);
	for (i = 0; i < chain->n; i++)
		add_span(d, chain->cap[i].offset, chain->cap[i].offset + chain->cap[i].length,
			 VFCAP_MAP_CAP, vfcap_cap_label(chain->cap[i].id, d->label[i]));
}

static void add_placements(const struct map *map, struct drawn *d)
{
	static const char *const label[VFCAP_EMULS] = {
		[VFCAP_EMUL_PASID] = "+PASID",
		[VFCAP_EMUL_PRI] = "+PRI",
	};
	const struct vfcap_placement *p = map->plan->placement;
	unsigned int i;

	for (i = 0; i < map->plan->n_placements; i++, p++)
		add_span(d, p->offset, p->offset + p->length, map->kind, label[p->emul]);
}

static void set_title(struct drawn *d, struct vfcap_function *fn)
{
	const char *driver = vfcap_function_driver(fn);

	d->strip.name = "fn";
	if (vfcap_function_role(fn) != VFCAP_ROLE_FUNCTION)
		d->strip.name = vfcap_role_name(vfcap_function_role(fn));
	snprintf(d->title, sizeof(d->title), "%s%s%s%s%s", vfcap_function_name(fn),
		 driver ? "  " : "", driver ? driver : "", *vfcap_function_title(fn) ? "  " : "",
		 vfcap_function_title(fn));
	d->strip.title = d->title;
	d->strip.span = d->span;
}

/* Capabilities last: what cannot be read of one is drawn as part of it. */
static int draw(struct map *map, struct drawn *d, struct vfcap_function *fn)
{
	struct vfcap_image *img = vfcap_function_image(fn);
	const struct vfcap_chain *chain = vfcap_function_chain(fn);
	int status = vfcap_cli_explain(map->cli, fn);

	d->strip.n_spans = 0;
	set_title(d, fn);
	if (!img || !chain)
		return status;
	if (!vfcap_chain_is_known(fn))
		add_span(d, VFCAP_EXT_BASE, VFCAP_CFG_SIZE, VFCAP_MAP_UNKNOWN, NULL);
	else
		add_bytes(d, img, chain);
	add_caps(d, chain);
	return status;
}

/* Of what is emulated by now, or else of what could be. False: that cannot be known, or there is no memory for it. */
static bool make_plan(struct map *map, struct vfcap_function *vf, int *status)
{
	struct vfcap_wish wish;
	int configured = vfcap_function_configured(vf, &wish);

	if (configured < 0) {
		vfcap_cli_error(map->cli, "%s", vfcap_error(map->cli->ctx));
		*status = vfcap_cli_worse(*status, VFCAP_EXIT_FAILED);
		return false;
	}
	map->kind = VFCAP_MAP_EMULATED;
	if (!configured) {
		wish = (struct vfcap_wish){ .want = { true, true } };
		map->kind = VFCAP_MAP_PLANNED;
	}
	if (vfcap_function_plan(vf, &wish, map->plan, NULL) == 0)
		return true;
	vfcap_cli_unread(map->cli);
	*status = VFCAP_EXIT_FAILED;
	return false;
}

/* ---------------------------------------------------------------------------- the guest's view -- */

static void begin_guest(struct drawn *d, const char *how)
{
	d->strip.n_spans = 0;
	d->strip.name = "VM";
	d->strip.span = d->span;
	d->strip.title = d->title;
	snprintf(d->title, sizeof(d->title), "what a guest sees of it, %s", how);
}

static const struct vfcap_cap *cap_at(const struct vfcap_chain *chain, unsigned int offset)
{
	unsigned int i;

	for (i = 0; i < chain->n; i++)
		if (chain->cap[i].offset == offset)
			return &chain->cap[i];
	return NULL;
}

/* The chain that the plan leads to, in which a head that vfio-pci hides is a header and no more. False:
 * there is none. */
static bool draw_guest_by_plan(const struct map *map, struct drawn *d, struct vfcap_function *vf)
{
	const struct vfcap_chain *chain = vfcap_function_chain(vf);
	unsigned int i;

	begin_guest(d, map->kind == VFCAP_MAP_PLANNED ? "as planned" : "as configured");
	for (i = 0; chain && i < map->plan->n_links; i++) {
		const struct vfcap_link *link = &map->plan->link[i];
		const struct vfcap_cap *cap = cap_at(chain, link->offset);

		if (cap)
			add_span(d, link->offset,
				 link->offset + (link->id == cap->id ? cap->length : 4u),
				 VFCAP_MAP_CAP, vfcap_cap_label(link->id, d->label[i]));
	}
	add_placements(map, d);
	return d->strip.n_spans;
}

static void add_seen(const struct map *map, struct drawn *d, const struct vfcap_shown *shown)
{
	const struct vfcap_cap *cap = map->chain->cap;
	enum vfcap_map_kind kind;
	unsigned int i, e;

	for (i = 0; i < map->chain->n; i++, cap++) {
		kind = VFCAP_MAP_CAP;
		for (e = 0; e < VFCAP_EMULS; e++)
			if (shown->offset[e] == cap->offset)
				kind = VFCAP_MAP_EMULATED;
		add_span(d, cap->offset, cap->offset + cap->length, kind,
			 vfcap_cap_label(cap->id, d->label[i]));
	}
}

/* The chain as VFIO shows it. */
static int draw_guest(struct map *map, struct drawn *d, struct vfcap_function *fn)
{
	struct vfcap_shown shown = { 0 };
	struct vfcap_guest *guest;
	struct vfcap_image img;
	char how[96];
	int err = vfcap_guest_open(fn, map->opt->token, &guest);

	if (err) {
		vfcap_cli_not_opened(map->cli, err);
		return VFCAP_EXIT_FAILED;
	}
	snprintf(how, sizeof(how), "by %s", vfcap_guest_how(guest));
	begin_guest(d, how);
	vfcap_guest_shown(guest, &shown); /* another driver emulates nothing */
	vfcap_guest_image(guest, &img);
	vfcap_chain_walk(map->chain, &img);
	add_seen(map, d, &shown);
	vfcap_guest_close(guest);
	if (img.error)
		vfcap_cli_error(map->cli, "%s: config through VFIO: %s", vfcap_function_name(fn),
				strerror(-img.error));
	return img.error ? VFCAP_EXIT_FAILED : VFCAP_EXIT_DONE;
}

/* -------------------------------------------------------------------------------------- JSON -- */

static json_t *strip_json(struct vfcap_json *json, const struct drawn *d)
{
	static const char *const kind[VFCAP_MAP_KINDS] = {
		[VFCAP_MAP_CAP] = "capability",	 [VFCAP_MAP_RESERVED] = "reserved",
		[VFCAP_MAP_NONZERO] = "nonzero", [VFCAP_MAP_UNKNOWN] = "unknown",
		[VFCAP_MAP_PLANNED] = "planned", [VFCAP_MAP_EMULATED] = "emulated",
	};
	json_t *array = json_array(), *object;
	size_t i;

	for (i = 0; i < d->strip.n_spans; i++) {
		const struct vfcap_map_span *s = &d->span[i];
		const char *label = s->label;

		object = json_object();
		vfcap_json_set(json, object, "offset", json_integer(s->offset));
		vfcap_json_set(json, object, "length", json_integer(s->length));
		vfcap_json_set(json, object, "kind", json_string(kind[s->kind]));
		if (label)
			vfcap_json_set(json, object, "name", json_string(label + (*label == '+')));
		vfcap_json_append(json, array, object);
	}
	return array;
}

/* guest: NULL when there is no such view of it. */
static void function_json(struct map *map, struct vfcap_function *fn, const struct drawn *d,
			  const struct drawn *guest)
{
	json_t *object = json_object();

	vfcap_facts_json(map->cli, &map->json, object, fn);
	vfcap_json_set(&map->json, object, "spans", strip_json(&map->json, d));
	if (guest && map->opt->through_vfio)
		vfcap_json_set(&map->json, object, "view", json_string("vfio"));
	if (guest)
		vfcap_json_set(&map->json, object, "guest", strip_json(&map->json, guest));
	vfcap_json_element(&map->json, object);
}

/* --------------------------------------------------------------------------------------- run -- */

/* The PF that belongs to a function, and the VF: of a PF its first one. */
static void relatives(struct vfcap_function *fn, struct vfcap_function *of[2])
{
	switch (vfcap_function_role(fn)) {
	case VFCAP_ROLE_VF:
		of[0] = vfcap_function_pf(fn);
		of[1] = fn;
		break;
	case VFCAP_ROLE_PF:
		of[0] = fn;
		of[1] = vfcap_vf_first(fn);
		break;
	default:
		of[0] = fn;
		of[1] = NULL;
	}
}

/* A function's strip, and behind it that of a guest where there is one. Returns how many. */
static size_t draw_strips(struct map *map, struct drawn *d, struct vfcap_function *fn, bool alone,
			  int *status)
{
	bool vf = vfcap_function_role(fn) == VFCAP_ROLE_VF;
	bool planned = vf && make_plan(map, fn, status), guest;
	int seen;

	*status = vfcap_cli_worse(*status, draw(map, &d[0], fn));
	if (planned)
		add_placements(map, &d[0]);
	if (map->opt->through_vfio) {
		seen = vf || alone ? draw_guest(map, &d[1], fn) : VFCAP_EXIT_DONE;
		guest = (vf || alone) && seen == VFCAP_EXIT_DONE;
		*status = vfcap_cli_worse(*status, seen);
	} else {
		guest = planned && draw_guest_by_plan(map, &d[1], fn);
	}
	if (map->cli->json)
		function_json(map, fn, &d[0], guest ? &d[1] : NULL);
	return guest ? 2 : 1;
}

static int map_function(struct map *map, struct vfcap_function *fn, bool more)
{
	struct vfcap_map_strip strips[STRIPS];
	struct vfcap_function *of[2];
	int status = VFCAP_EXIT_DONE;
	size_t i, n = 0;

	relatives(fn, of);
	for (i = 0; i < 2; i++)
		if (of[i])
			n += draw_strips(map, &map->drawn[n], of[i], !of[!i], &status);
	for (i = 0; i < n; i++)
		strips[i] = map->drawn[i].strip;
	if (map->opt->svg)
		vfcap_map_svg(&map->cli->out, strips, n);
	else if (!map->cli->json)
		vfcap_map_text(&map->cli->out, strips, n);
	if (more && !map->cli->json)
		vfcap_out_char(&map->cli->out, '\n');
	for (i = 0; i < 2; i++)
		if (of[i])
			vfcap_function_drop(of[i]);
	return status;
}

static int map_picked(struct map *map, const struct vfcap_picked *picked)
{
	int status = VFCAP_EXIT_DONE;
	size_t i;

	vfcap_cli_warn(map->cli,
		       "%s: all 4096 bytes of each function are read, not only what its "
		       "capabilities have",
		       vfcap_source(map->cli->ctx));
	if (map->opt->through_vfio)
		vfcap_cli_resets(map->cli, picked);
	if (map->cli->json)
		vfcap_json_begin(&map->json, &map->cli->out, "map");
	for (i = 0; i < picked->n && !map->cli->out.error; i++)
		status = vfcap_cli_worse(status,
					 map_function(map, picked->fn[i], i + 1 < picked->n));
	if (map->cli->json)
		vfcap_json_end(&map->json);
	return status;
}

static int map_devices(struct vfcap_cli *cli, const struct map_options *opt)
{
	struct map map = { .cli = cli, .opt = opt };
	struct vfcap_picked picked = { 0 };
	int status = vfcap_cli_pick(cli, VFCAP_PICK_FUNCTIONS, &picked);

	if (opt->svg && picked.n > 1) {
		vfcap_cli_usage(cli, "--svg: draws one DEVICE, these are %zu", picked.n);
		vfcap_picked_free(&picked);
		return VFCAP_EXIT_USAGE;
	}
	map.drawn = calloc(STRIPS, sizeof(*map.drawn));
	map.plan = malloc(sizeof(*map.plan));
	map.chain = malloc(sizeof(*map.chain));
	if (!map.drawn || !map.plan || !map.chain) {
		vfcap_cli_error(cli, "%s", strerror(ENOMEM));
		status = VFCAP_EXIT_FAILED;
	} else if (picked.n) {
		status = vfcap_cli_worse(status, map_picked(&map, &picked));
	}
	free(map.drawn);
	free(map.plan);
	free(map.chain);
	vfcap_picked_free(&picked);
	return status;
}

static int map_option(struct vfcap_cli *cli, int key, const char *arg, void *own)
{
	struct map_options *opt = own;

	switch (key) {
	case KEY_SVG:
		opt->svg = true;
		return 0;
	case KEY_VIEW:
		return vfcap_cli_view(cli, arg, &opt->through_vfio);
	case KEY_TOKEN:
		return vfcap_cli_token(cli, arg, &opt->token);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int map_run(struct vfcap_cli *cli)
{
	struct map_options opt = { 0 };
	int status = vfcap_cli_parse(cli, &opt);

	if (status >= 0)
		return status;
	if (!cli->n_device && (!cli->n_from || opt.through_vfio)) {
		vfcap_cli_usage(cli, "map: which DEVICE? list shows what there is");
		return VFCAP_EXIT_USAGE;
	}
	if (opt.svg && cli->json) {
		vfcap_cli_usage(cli, "--json and --svg exclude each other");
		return VFCAP_EXIT_USAGE;
	}
	if (vfcap_cli_open(cli))
		return VFCAP_EXIT_FAILED;
	return map_devices(cli, &opt);
}

static const struct argp_option options[] = {
	{ "svg", KEY_SVG, NULL, 0, "draw an SVG for documents", 0 },
	{ "view", KEY_VIEW, "hardware|vfio", 0,
	  "vfio: what a guest sees as it is read through VFIO, not as it should be; may reset the function",
	  0 },
	{ "vf-token", KEY_TOKEN, "UUID", 0, "the VF token of a PF that is on vfio-pci", 0 },
	{ NULL, 0, NULL, 0, NULL, 0 },
};

const struct vfcap_command vfcap_cmd_map = {
	.name = "map",
	.args = "DEVICE...",
	.doc = "a picture of the 4 KiB of a VF and its PF, and of what a guest sees\v"
	       "Capabilities, bytes outside of them that are not zero, what is emulated or else the places "
	       "that plan finds, and below it the chain that a guest sees. Of a PF its first VF is drawn "
	       "too. Reads all 4 KiB.",
	.options = options,
	.option = map_option,
	.run = map_run,
};
