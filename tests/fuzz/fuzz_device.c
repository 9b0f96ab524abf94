// SPDX-License-Identifier: GPL-2.0-or-later
/* Any text as a DEVICE of the command line: it names functions of the host, each once, or a reason is said. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../src/lib/lib.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SRIOV 0x100
#define VFS 7
#define FUNCTIONS (2 * (1 + VFS))

/* A PF whose VFs stand behind it, with a stride that leaves gaps. */
static void put_pf(uint8_t cfg[VFCAP_CFG_SIZE])
{
	memset(cfg, 0, VFCAP_CFG_SIZE);
	vfcap_put_le32(cfg, 0x15728086);
	vfcap_put_le32(cfg + 8, 0x02000001);
	vfcap_put_le32(cfg + SRIOV, VFCAP_ID_SRIOV | 1 << 16);
	vfcap_put_le32(cfg + SRIOV + 0x08, 1);
	vfcap_put_le32(cfg + SRIOV + 0x0c, VFS | VFS << 16);
	vfcap_put_le32(cfg + SRIOV + 0x10, VFS);
	vfcap_put_le32(cfg + SRIOV + 0x14, 0x10 | 2 << 16);
	vfcap_put_le32(cfg + SRIOV + 0x18, 0x154cu << 16);
}

static void print(FILE *out, const char *address, const uint8_t cfg[VFCAP_CFG_SIZE])
{
	fprintf(out, "%s Ethernet\n", address);
	for (unsigned int off = 0; off < VFCAP_CFG_SIZE; off += 16) {
		fprintf(out, "%02x:", off);
		for (unsigned int i = 0; i < 16; i++)
			fprintf(out, " %02x", cfg[off + i]);
		fputc('\n', out);
	}
	fputc('\n', out);
}

static void print_host(FILE *out)
{
	static uint8_t pf[VFCAP_CFG_SIZE], vf[VFCAP_CFG_SIZE];
	char address[VFCAP_ADDRESS_LEN + 8];

	put_pf(pf);
	vfcap_put_le32(vf, 0xffffffff);
	vfcap_put_le32(vf + 8, 0x02000001);
	for (unsigned int domain = 0; domain < 2; domain++) {
		snprintf(address, sizeof(address), "%x0000:01:00.0", domain);
		print(out, address, pf);
		for (unsigned int i = 0; i < VFS; i++) {
			unsigned int devfn = 0x10 + 2 * i;

			snprintf(address, sizeof(address), "%x0000:01:%02x.%x", domain, devfn >> 3,
				 devfn & 7);
			print(out, address, vf);
		}
	}
}

static void name_netdev(struct vfcap_function *fn, const char *name)
{
	fn->netdev = calloc(1, sizeof(*fn->netdev));
	assert(fn->netdev);
	fn->netdev[0] = strdup(name);
	fn->n_netdev = 1;
}

static struct vfcap *host(void)
{
	static struct vfcap *ctx;
	char path[32];
	FILE *out;
	int fd;

	if (ctx)
		return ctx;
	fd = memfd_create("host", MFD_CLOEXEC);
	out = fdopen(fd, "w");
	assert(out && vfcap_new(&ctx) == 0);
	print_host(out);
	fflush(out);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	assert(vfcap_add_file(ctx, path) == 0 && vfcap_scan(ctx) == 0);
	fclose(out);
	assert(ctx->host.n == FUNCTIONS && ctx->host.fn[0]->n_vf == VFS);
	name_netdev(ctx->host.fn[0], "ens1f0");
	name_netdev(ctx->host.fn[3], "ens1f0v2");
	return ctx;
}

static bool is_once(struct vfcap_function *const *fns, size_t n, const struct vfcap_function *fn)
{
	size_t times = 0;

	for (size_t i = 0; i < n; i++)
		times += fns[i] == fn;
	return times <= 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *device = strndup((const char *)data, size);
	struct vfcap *ctx = host();
	struct vfcap_function **fns;
	size_t n, total = 0;
	int err;

	assert(device);
	err = vfcap_match(ctx, device, &fns, &n);
	assert(err ? !fns && !n && vfcap_error(ctx)[0] : n && n <= FUNCTIONS);
	assert(!err || err == -EINVAL || err == -ENOENT);
	for (size_t i = 0; i < ctx->host.n && !err; i++) {
		assert(is_once(fns, n, ctx->host.fn[i]));
		for (size_t k = 0; k < n; k++)
			total += fns[k] == ctx->host.fn[i];
	}
	assert(err || total == n);
	free(fns);
	free(device);
	return 0;
}
