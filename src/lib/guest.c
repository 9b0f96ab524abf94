// SPDX-License-Identifier: GPL-2.0-or-later
/* A function that is open through VFIO. */
#include <errno.h>

#include "../uapi/vfcap-vfio.h"
#include "lib.h"

bool vfcap_token_valid(const char *token)
{
	uint8_t uuid[16];

	return vfcap_uuid_parse(token, uuid);
}

int vfcap_guest_open(struct vfcap_function *fn, const char *token, struct vfcap_guest **guest)
{
	fn->host->error[0] = '\0';
	*guest = NULL;
	if (token && !vfcap_token_valid(token))
		return vfcap_host_fail(fn->host, -EINVAL, "%s: VF token %s: no UUID", fn->name,
				       token);
	return vfcap_vfio_attach(fn, token, guest);
}

void vfcap_guest_close(struct vfcap_guest *guest)
{
	vfcap_vfio_detach(guest);
}

const char *vfcap_guest_how(const struct vfcap_guest *guest)
{
	return vfcap_vfio_how(guest);
}

void vfcap_guest_image(struct vfcap_guest *guest, struct vfcap_image *img)
{
	vfcap_image_init(img, vfcap_vfio_size(guest), vfcap_vfio_fetch, guest);
}

int vfcap_guest_shown(struct vfcap_guest *guest, struct vfcap_shown *shown)
{
	struct vfcap_vfio_emulated said;
	int err = vfcap_vfio_get_emulated(guest, &said);

	*shown = (struct vfcap_shown){ 0 };
	if (err)
		return err;
	shown->offset[VFCAP_EMUL_PASID] = said.pasid_offset;
	shown->offset[VFCAP_EMUL_PRI] = said.pri_offset;
	shown->width = said.pasid_width;
	shown->pf_off[VFCAP_EMUL_PASID] = said.flags & VFCAP_VFIO_PF_PASID_OFF;
	shown->pf_off[VFCAP_EMUL_PRI] = said.flags & VFCAP_VFIO_PF_PRI_OFF;
	shown->hidden[VFCAP_EMUL_PASID] = said.flags & VFCAP_VFIO_PASID_HIDDEN;
	shown->hidden[VFCAP_EMUL_PRI] = said.flags & VFCAP_VFIO_PRI_HIDDEN;
	return 0;
}
