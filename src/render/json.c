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

static int dump_to_out(const char *buffer, size_t size, void *data)
{
	struct vfcap_out *out = data;

	vfcap_out_bytes(out, buffer, size);
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
	char *plain = text ? NULL : strdup(s);
	char *p;

	for (p = plain; p && *p; p++)
		if (*p & 0x80)
			*p = '?';
	if (plain)
		text = json_string(plain);
	free(plain);
	return text;
}
