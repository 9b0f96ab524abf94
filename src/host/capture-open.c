// SPDX-License-Identifier: GPL-2.0-or-later
/* A host that is one file, as vfcap capture has written it, in place of a host. */
#include <errno.h>
#include <string.h>

#include "capture.h"

static int bad(struct vfcap_host *h, const char *file, const char *why)
{
	return vfcap_host_fail(h, -EBADMSG, "%s: not a capture of vfcap: %s", file, why);
}

/* A file in it says what it is; a later vfcap may write others. */
static int check_mark(struct vfcap_host *h, const struct vfcap_root *root, const char *file)
{
	char line[sizeof(VFCAP_CAPTURE_HEAD) - 1];
	cleanup_dir struct vfcap_dir top = VFCAP_DIR_NONE;
	ssize_t n = vfcap_dir_open(&top, root, "");

	if (!n)
		n = vfcap_dir_read_bytes(&top, VFCAP_CAPTURE_MARK, line, sizeof(line));
	if (n < 0)
		return bad(h, file, "it does not say so");
	if (n != sizeof(line) || memcmp(line, VFCAP_CAPTURE_HEAD, sizeof(line)))
		return bad(h, file, "it is of another version");
	return 0;
}

int vfcap_capture_open(struct vfcap_host *h, const char *file)
{
	struct vfcap_root *root;
	const char *why;
	int err = vfcap_root_open_archive(&root, file, &why);

	if (err == -EBADMSG)
		return bad(h, file, why);
	if (err)
		return vfcap_host_fail(h, err, "%s: %s", file, why ? why : strerror(-err));
	err = check_mark(h, root, file);
	if (err)
		vfcap_root_close(root);
	else
		h->root = root;
	return err;
}

bool vfcap_is_capture(const char *file)
{
	return vfcap_is_archive(file);
}
