// SPDX-License-Identifier: GPL-2.0-or-later
/* A function opened through VFIO by its own file, and bound to an iommufd. */
#include "iommufd.h"

#include <ctype.h>
#include <errno.h>

#include "../uapi/linux-iommufd.h"
#include "../uapi/linux-vfio.h"
#include "change.h"
#include "sysfs.h"

static int hex_digit(char c)
{
	if (!isxdigit((unsigned char)c))
		return -1;
	return isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

bool vfcap_uuid_parse(const char *text, uint8_t uuid[16])
{
	unsigned int i, n = 0;

	for (i = 0; i < 36; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? text[i] != '-' : hex_digit(text[i]) < 0)
			return false;
		if (dash)
			continue;
		uuid[n / 2] = (uint8_t)((n % 2 ? uuid[n / 2] << 4 : 0) | hex_digit(text[i]));
		n++;
	}
	return !text[i];
}

/* That the function is open elsewhere is EINVAL here: another file may not join. */
static bool is_open(struct vfcap_function *fn)
{
	char path[VFCAP_SYSFS_PATH], state[64];
	struct vfcap_use use;

	if (vfcap_root_read(fn->host->root, vfcap_sysfs_path(fn, "vfcap/state", path), state,
			    sizeof(state)) > 0)
		return strncmp(state, "open", 4) == 0;
	return vfcap_use_holder(fn, &use);
}

static int fail_bind(struct vfcap_guest *v, const char *group, const char *token, int err)
{
	char who[VFCAP_BUSY_ROOM];
	const char *help = "";
	int said = 0;

	if (err == -EINVAL && is_open(v->fn))
		err = -EBUSY;
	if (err == -EPERM || err == -EBUSY)
		said = vfcap_vfio_check_group(v, group);
	else
		said = vfcap_vfio_check_token(v, token, err);
	if (said)
		return said;
	if (err == -EPERM)
		help = " (no interrupt remapping? then allow_unsafe_interrupts=1 of iommufd; or "
		       "another device of its IOMMU group is in use)";
	else if (err == -EBUSY)
		help = vfcap_vfio_busy(v, who);
	else if (err == -EINVAL)
		help = " (perhaps somebody has it open)";
	return vfcap_host_fail(v->fn->host, err, "%s: VFIO_DEVICE_BIND_IOMMUFD: %s%s", v->fn->name,
			       strerror(-err), help);
}

/* What the kernel has not, or does not let us at, leaves another way: by the group. */
static int give_way(struct vfcap_guest *v, const char *path, int err)
{
	if (err != -ENOENT && err != -ENODEV && err != -ENXIO && err != -EACCES && err != -EPERM)
		return vfcap_vfio_fail_open(v, path, err);
	if (v->device >= 0)
		v->ops->close(v->device);
	v->device = -1;
	snprintf(v->barred, sizeof(v->barred), "%s", path);
	v->barred_err = err;
	return 1;
}

int vfcap_iommufd_attach(struct vfcap_guest *v, const char *name, const char *group,
			 const char *token)
{
	struct vfcap_linux_bind_iommufd bind = {
		.argsz = offsetof(struct vfcap_linux_bind_iommufd, token_uuid_ptr),
	};
	char path[96];
	uint8_t uuid[16];
	int err;

	snprintf(path, sizeof(path), "dev/vfio/devices/%.64s", name);
	v->device = vfcap_vfio_open_path(v, path);
	if (v->device < 0)
		return give_way(v, path, v->device);
	v->iommu = vfcap_vfio_open_path(v, "dev/iommu");
	if (v->iommu < 0)
		return give_way(v, "dev/iommu", v->iommu);

	bind.iommufd = v->iommu;
	if (token && vfcap_uuid_parse(token, uuid)) {
		bind.argsz = sizeof(bind);
		bind.flags = VFCAP_LINUX_BIND_TOKEN;
		bind.token_uuid_ptr = (uintptr_t)uuid;
	}
	err = vfcap_vfio_ioctl(v, v->device, VFCAP_LINUX_BIND_IOMMUFD, &bind);
	if (err < 0)
		return fail_bind(v, group, token, err);
	v->devid = bind.out_devid;
	snprintf(v->way, sizeof(v->way), "%.40s and iommufd", name);
	return 0;
}

/* ------------------------------------------------------------------------------------- asking -- */

/* A kernel that tells no width leaves it 0, and the structure as long as it was before. It came with PASIDs that
 * VFIO attaches and detaches: to a kernel without them that flag is a wrong argument. None is attached. */
static bool tells_width(struct vfcap_guest *v)
{
	struct vfcap_linux_detach detach = { .argsz = sizeof(detach),
					     .flags = VFCAP_LINUX_DETACH_PASID,
					     .pasid = 1 };

	return vfcap_vfio_ioctl(v, v->device, VFCAP_LINUX_DETACH, &detach) != -EINVAL;
}

int vfcap_iommufd_ask(struct vfcap_guest *v, struct vfcap_hw_info *info)
{
	struct vfcap_linux_hw_info told = { .size = sizeof(told), .dev_id = v->devid };
	int err = vfcap_vfio_ioctl(v, v->iommu, VFCAP_LINUX_GET_HW_INFO, &told);

	if (err < 0)
		return vfcap_host_fail(v->fn->host, err, "%s: IOMMU_GET_HW_INFO: %s%s", v->fn->name,
				       strerror(-err),
				       err == -EOPNOTSUPP ? " (there is no IOMMU above it)" :
				       err == -ENOTTY	  ? " (this kernel is too old)" :
							    "");
	*info = (struct vfcap_hw_info){
		.type = told.out_data_type,
		.width = told.out_max_pasid_log2,
		.tells_width = told.out_max_pasid_log2 || tells_width(v),
		.capabilities = told.out_capabilities,
	};
	return 0;
}
