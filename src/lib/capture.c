// SPDX-License-Identifier: GPL-2.0-or-later
/* A host as one file, for somebody else to look at. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../host/capture.h"
#include "lib.h"

static int write_to(struct vfcap *ctx, int fd, const char *name, bool packed, bool serials,
		    struct vfcap_captured *captured)
{
	struct vfcap_capture_counts n = { 0 };
	int err;

	ctx->host.error[0] = '\0';
	*captured = (struct vfcap_captured){ 0 };
	if (!ctx->host.root)
		return vfcap_host_fail(&ctx->host, -EINVAL,
				       "%s: it was read from a file, which tells nothing of a host",
				       vfcap_source(ctx));
	err = vfcap_host_sure(&ctx->host, NULL);
	if (err)
		return err;
	err = vfcap_capture_write(&ctx->host, fd, name, packed, serials, &n);
	*captured = (struct vfcap_captured){
		.functions = n.functions,
		.files = n.files,
		.bytes = n.bytes,
		.serials = n.serials,
		.macs = n.macs,
		.without = n.without,
		.short_config = n.short_config,
	};
	return err;
}

int vfcap_capture_to(struct vfcap *ctx, int fd, const char *name, bool serials,
		     struct vfcap_captured *captured)
{
	return write_to(ctx, fd, name, false, serials, captured);
}

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), n = strlen(end);

	return len > n && strcmp(text + len - n, end) == 0;
}

static int fail(struct vfcap *ctx, int err, const char *file)
{
	return vfcap_host_fail(&ctx->host, err, "%s: %s", file,
			       err == -EEXIST ? "is there already, and is not replaced" :
						strerror(-err));
}

/* Where a file without a name can be made, it gets one when it is whole: nothing is left of half a one. */
static int open_unnamed(const char *file)
{
	cleanup_free char *dir = strdup(file);
	char *slash = dir ? strrchr(dir, '/') : NULL;

	if (slash)
		slash[slash == dir] = '\0';
	return dir ? open(slash ? dir : ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600) : -1;
}

static int give_name(int fd, const char *file)
{
	char link[64];

	if (fsync(fd) && errno != EINVAL)
		return -errno;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	return linkat(AT_FDCWD, link, AT_FDCWD, file, AT_SYMLINK_FOLLOW) ? -errno : 0;
}

int vfcap_capture(struct vfcap *ctx, const char *file, bool serials,
		  struct vfcap_captured *captured)
{
	cleanup_close int fd = -1;
	struct stat st;
	bool unnamed;
	int err;

	ctx->host.error[0] = '\0';
	if (lstat(file, &st) == 0)
		return fail(ctx, -EEXIST, file);
	fd = open_unnamed(file);
	unnamed = fd >= 0;
	if (!unnamed)
		fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return fail(ctx, -errno, file);
	err = write_to(ctx, fd, file, ends_with(file, ".gz") || ends_with(file, ".tgz"), serials,
		       captured);
	if (!err && unnamed)
		err = give_name(fd, file);
	else if (!err && fsync(fd))
		err = -errno;
	if (err && !unnamed)
		unlink(file);
	return err ? fail(ctx, err, file) : 0;
}
