// SPDX-License-Identifier: GPL-2.0-or-later
/* The context: where a host is read from. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "../host/capture.h"
#include "../host/change.h"
#include "lib.h"

int vfcap_new(struct vfcap **out)
{
	struct vfcap *ctx = calloc(1, sizeof(*ctx));

	*out = ctx;
	if (!ctx)
		return -ENOMEM;
	ctx->host.release = VFCAP_RELEASE_NEWEST;
	ctx->host.ops = &vfcap_ops_kernel;
	ctx->verify = vfcap_verify_knob;
	return 0;
}

void vfcap_free(struct vfcap *ctx)
{
	if (!ctx)
		return;
	vfcap_live_detach(&ctx->host);
	vfcap_host_clear(&ctx->host);
	vfcap_topology_free(&ctx->host);
	vfcap_netlink_free(&ctx->host);
	vfcap_root_close(ctx->host.root);
	free(ctx->scratch);
	free(ctx->source);
	free(ctx);
}

int vfcap_set_sysroot(struct vfcap *ctx, const char *dir)
{
	cleanup_free char *real = realpath(dir, NULL);
	char *source = strdup(dir);
	int err;

	ctx->host.error[0] = '\0';
	if (!source)
		return vfcap_host_fail(&ctx->host, -ENOMEM, "%s: %s", dir, strerror(ENOMEM));
	free(ctx->source);
	ctx->source = source;
	vfcap_root_close(ctx->host.root);
	ctx->host.root = NULL;
	ctx->host.live = real && strcmp(real, "/") == 0;
	err = vfcap_root_open(&ctx->host.root, dir);
	if (err == -ENOTDIR)
		return vfcap_capture_open(&ctx->host, dir);
	if (err)
		return vfcap_host_fail(&ctx->host, err, "%s: %s", dir, strerror(-err));
	return 0;
}

static int name_files(struct vfcap *ctx, const char *spec)
{
	char *source = NULL;

	if (ctx->n_files == 1)
		source = strdup(strcmp(spec, "-") ? spec : "standard input");
	else if (asprintf(&source, "%zu files", ctx->n_files) < 0)
		source = NULL;
	if (!source)
		return vfcap_host_fail(&ctx->host, -ENOMEM, "%s: %s", spec, strerror(ENOMEM));
	free(ctx->source);
	ctx->source = source;
	return 0;
}

int vfcap_add_file(struct vfcap *ctx, const char *spec)
{
	int err;

	ctx->host.error[0] = '\0';
	ctx->host.from_files = true;
	err = vfcap_file_add(&ctx->host, spec);
	if (err)
		return vfcap_host_fail(&ctx->host, err, "%s: %s", spec, strerror(-err));
	ctx->n_files++;
	return name_files(ctx, spec);
}

void vfcap_set_wake(struct vfcap *ctx, bool wake)
{
	ctx->host.wake = wake;
}

void vfcap_set_log(struct vfcap *ctx, void (*log)(void *arg, const char *line), void *arg)
{
	ctx->host.log = log;
	ctx->host.log_arg = arg;
}

void vfcap_set_cancel(struct vfcap *ctx, const volatile sig_atomic_t *cancel)
{
	ctx->host.cancel = cancel;
}

static int scan_root(struct vfcap *ctx)
{
	int err = 0;

	if (!ctx->host.root)
		err = vfcap_set_sysroot(ctx, "/");
	if (!err)
		err = vfcap_topology_scan(&ctx->host);
	if (!err && ctx->host.live)
		err = vfcap_live_attach(&ctx->host);
	return err;
}

int vfcap_scan(struct vfcap *ctx)
{
	int err = 0;

	ctx->host.error[0] = '\0';
	if (ctx->scanned)
		return vfcap_host_fail(&ctx->host, -EINVAL, "%s: scanned already",
				       vfcap_source(ctx));
	ctx->scanned = true;
	if (!ctx->host.from_files)
		err = scan_root(ctx);
	if (!err)
		err = vfcap_host_finish(&ctx->host);
	/* One PF is read to be changed. */
	if (!err && ctx->host.one_pf)
		err = vfcap_host_sure(&ctx->host, NULL);
	return err ? vfcap_host_fail(&ctx->host, err, "%s: %s", vfcap_source(ctx), strerror(-err)) :
		     0;
}

const char *vfcap_failed_read(struct vfcap *ctx, bool config)
{
	const char *what;

	if (ctx->host.no_memory)
		return strerror(ENOMEM);
	if (ctx->host.root && vfcap_root_failure(ctx->host.root, &what))
		return what;
	for (size_t i = 0; i < ctx->host.n && config; i++) {
		ctx->host.error[0] = '\0';
		if (vfcap_function_failed(ctx->host.fn[i]))
			return ctx->host.error;
	}
	return NULL;
}

const char *vfcap_error(const struct vfcap *ctx)
{
	return ctx->host.error;
}

bool vfcap_has_kernel(const struct vfcap *ctx)
{
	return ctx->host.root && vfcap_root_has_kernel(ctx->host.root);
}

const char *vfcap_source(const struct vfcap *ctx)
{
	if (ctx->host.live || !ctx->source)
		return "the live host";
	return ctx->source;
}

uint32_t vfcap_kernel_release(const struct vfcap *ctx)
{
	return ctx->host.release;
}

/* The installed tree may have been moved as a whole, and a build tree is used where it is: what lies
 * beside the running program comes first. */
char *vfcap_demo_dir(void)
{
	static const char *const beside[] = { "../share/vfcap/demo", "demo" };
	cleanup_free char *exe = realpath("/proc/self/exe", NULL);
	char *slash = exe ? strrchr(exe, '/') : NULL;
	char *dir;
	size_t i;

	if (!exe && errno == ENOMEM)
		return NULL;
	if (slash)
		*slash = '\0';
	for (i = 0; slash && i < sizeof(beside) / sizeof(beside[0]); i++) {
		if (asprintf(&dir, "%s/%s", exe, beside[i]) < 0)
			return NULL; /* and errno is ENOMEM */
		if (access(dir, X_OK) == 0)
			return dir;
		free(dir);
	}
	return access(VFCAP_DEMO_DIR, X_OK) == 0 ? strdup(VFCAP_DEMO_DIR) : NULL;
}

const char *vfcap_version(void)
{
	return VFCAP_VERSION;
}
