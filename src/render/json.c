// SPDX-License-Identifier: GPL-2.0-or-later
/* JSON: the object of a run is written an element at a time, so that a host of thousands of
 * functions need not be held in memory twice. */
#include <errno.h>
#include <stdlib.h>

#include "render.h"

void vfcap_json_begin(struct vfcap_json *json, struct vfcap_out *out, const char *key)
{
	*json = (struct vfcap_json){ .out = out };
	vfcap_out_str(out, "{\"vfcap\":1,\"");
	vfcap_out_str(out, key);
	vfcap_out_str(out, "\":[");
}

/* What was lost for want of memory makes the whole useless. */
static void check_lost(const struct vfcap_json *json)
{
	if (json->lost && !json->out->error)
		json->out->error = -ENOMEM;
}

static void out_escape(struct vfcap_out *out, uint32_t c)
{
	if (c > 0xffff) {
		out_escape(out, 0xd800 + ((c - 0x10000) >> 10));
		c = 0xdc00 + (c & 0x3ff);
	}
	vfcap_out_str(out, "\\u");
	vfcap_out_hex(out, c, 4);
}

/* jansson gives strings in pieces of whole characters, and all between them is plain ASCII. */
static int dump_to_out(const char *buffer, size_t size, void *data)
{
	struct vfcap_out *out = data;
	size_t from = 0, at = 0, len;
	uint32_t c;

	for (; at < size; at += len) {
		len = 1;
		if (buffer[at] >= ' ' && buffer[at] < 0x7f)
			continue;
		len = vfcap_utf8_next(buffer + at, &c);
		if (vfcap_utf8_is_plain(c) && out->utf8)
			continue;
		vfcap_out_bytes(out, buffer + from, at - from);
		out_escape(out, c);
		from = at + len;
	}
	vfcap_out_bytes(out, buffer + from, size - from);
	return out->error ? -1 : 0;
}

static void dump(struct vfcap_json *json, json_t *value, size_t flags)
{
	if (!value || json->lost ||
	    json_dump_callback(value, dump_to_out, json->out, JSON_COMPACT | flags))
		if (!json->out->error)
			json->out->error = -ENOMEM;
	json_decref(value);
}

void vfcap_json_element(struct vfcap_json *json, json_t *element)
{
	vfcap_out_str(json->out, json->n++ ? ",\n" : "\n");
	dump(json, element, 0);
}

void vfcap_json_line(struct vfcap_json *json, json_t *object)
{
	vfcap_out_str(json->out, "{\"vfcap\":1,");
	dump(json, object, JSON_EMBED);
	vfcap_out_str(json->out, "}\n");
}

void vfcap_json_end(struct vfcap_json *json)
{
	check_lost(json);
	vfcap_out_str(json->out, json->n ? "\n]}\n" : "]}\n");
}

void vfcap_json_next(struct vfcap_json *json, const char *key)
{
	vfcap_out_str(json->out, json->n ? "\n],\"" : "],\"");
	vfcap_out_str(json->out, key);
	vfcap_out_str(json->out, "\":[");
	json->n = 0;
}

void vfcap_json_set(struct vfcap_json *json, json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new(object, key, value))
		json->lost = true;
}

void vfcap_json_append(struct vfcap_json *json, json_t *array, json_t *value)
{
	if (json_array_append_new(array, value))
		json->lost = true;
}

json_t *vfcap_json_text(const char *s)
{
	json_t *text = s ? json_string(s) : json_null();
	struct vfcap_out whole = { .utf8 = true };
	size_t len;

	for (; !text && *s; s += len) {
		uint32_t c;

		len = vfcap_utf8_next(s, &c);
		if (c == VFCAP_UTF8_INVALID)
			vfcap_out_str(&whole, "\ufffd");
		else
			vfcap_out_bytes(&whole, s, len);
	}
	if (!text && !whole.error)
		text = json_stringn(whole.buf, whole.n);
	vfcap_out_free(&whole);
	return text;
}
