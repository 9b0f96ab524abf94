// SPDX-License-Identifier: GPL-2.0-or-later
/* Which VF belongs to which PF, against the formula of the specification taken literally. */
#include "unit.h"

#include <errno.h>

#include "../../src/host/host.h"
#include "hostgen.h"

#define SRIOV_AT 0x160

static int config_fetch(void *ctx, unsigned int off, unsigned int len, uint8_t *buf)
{
	struct vfcap_function *fn = ctx;

	memcpy(buf, (const uint8_t *)fn->access + off, len);
	return (int)len;
}

static struct vfcap_function *add(struct vfcap_host *h, uint32_t domain, unsigned int rid)
{
	const struct vfcap_address a = { domain, (uint8_t)(rid >> 8), (uint8_t)rid };
	struct vfcap_function *fn = vfcap_host_add(h, a);

	assert_non_null(fn);
	fn->access = calloc(1, VFCAP_CFG_SIZE);
	assert_non_null(fn->access);
	fn->fetch = config_fetch;
	fn->config_size = VFCAP_CFG_SIZE;
	fn->has_ids = true;
	fn->vendor = 0x8086;
	fn->device = 0x1234;
	return fn;
}

static struct vfcap_function *add_vf(struct vfcap_host *h, uint32_t domain, unsigned int rid)
{
	struct vfcap_function *fn = add(h, domain, rid);

	fn->vendor = fn->device = 0xffff;
	fn->known_vf = true;
	return fn;
}

struct wish {
	unsigned int rid, total, num, offset, stride;
	bool enabled;
};

static struct vfcap_function *add_pf(struct vfcap_host *h, uint32_t domain, const struct wish *w)
{
	struct vfcap_function *fn = add(h, domain, w->rid);
	uint8_t *cfg = fn->access, *s = cfg + SRIOV_AT;

	gen_cap(cfg, 0x100, VFCAP_ID_AER, 2, 0x150);
	gen_cap(cfg, 0x150, 0x0e, 1, SRIOV_AT);
	gen_cap(cfg, SRIOV_AT, VFCAP_ID_SRIOV, 1, 0);
	vfcap_put_le16(s + VFCAP_SRIOV_CTRL, w->enabled ? VFCAP_SRIOV_CTRL_VFE : 0);
	vfcap_put_le16(s + VFCAP_SRIOV_TOTALVFS, (uint16_t)w->total);
	vfcap_put_le16(s + VFCAP_SRIOV_NUMVFS, (uint16_t)w->num);
	vfcap_put_le16(s + VFCAP_SRIOV_OFFSET, (uint16_t)w->offset);
	vfcap_put_le16(s + VFCAP_SRIOV_STRIDE, (uint16_t)w->stride);
	vfcap_put_le16(s + VFCAP_SRIOV_VF_DEVICE, 0x10ed);
	return fn;
}

static void clear(struct vfcap_host *h)
{
	for (size_t i = 0; i < h->n; i++)
		free(h->fn[i]->access);
	vfcap_host_clear(h);
}

static struct vfcap_function *at(struct vfcap_host *h, uint32_t domain, unsigned int rid)
{
	const struct vfcap_address a = { domain, (uint8_t)(rid >> 8), (uint8_t)rid };

	return vfcap_host_find(h, a);
}

/* PF 3b:00.0, First VF Offset 0x80, stride 2: VF 65 (index 64) is 3c:00.0. */
static void test_carry_into_bus(void **state)
{
	const struct wish w = { 0x3b00, 200, 200, 0x80, 2, true };
	struct vfcap_host h = { 0 };
	struct vfcap_function *pf = add_pf(&h, 0, &w);

	(void)state;
	for (unsigned int i = 0; i < 200; i++)
		add_vf(&h, 0, 0x3b80 + 2 * i);
	assert_int_equal(vfcap_host_finish(&h), 0);
	assert_int_equal(pf->role, VFCAP_ROLE_PF);
	assert_int_equal(pf->n_vf, 200);
	assert_int_equal(pf->totalvfs, 200);
	assert_int_equal(pf->numvfs, 200);
	assert_string_equal(pf->vf[64]->name, "0000:3c:00.0");
	assert_int_equal(pf->vf[64]->vf_index, 64);
	assert_int_equal(pf->vf[64]->vf_pos, 64);
	assert_int_equal(pf->vf[64]->vendor, 0x8086);
	assert_int_equal(pf->vf[64]->device, 0x10ed);
	assert_int_equal(pf->vf[64]->role, VFCAP_ROLE_VF);
	assert_string_equal(pf->vf[199]->name, "0000:3d:01.6");
	clear(&h);
}

/* Beyond bus ff the routing ID begins at 00 again, and stays in its domain. */
static void test_wrap(void **state)
{
	const struct wish w = { 0xff00, 8, 8, 0xfe, 1, true };
	struct vfcap_host h = { 0 };
	struct vfcap_function *pf = add_pf(&h, 1, &w), *other;

	(void)state;
	add_vf(&h, 1, 0xfffe);
	add_vf(&h, 1, 0xffff);
	add_vf(&h, 1, 0x0000);
	add_vf(&h, 1, 0x0005);
	other = add_vf(&h, 2, 0x0001);
	assert_int_equal(vfcap_host_finish(&h), 0);
	assert_int_equal(pf->n_vf, 4);
	assert_string_equal(pf->vf[2]->name, "0001:00:00.0");
	assert_int_equal(pf->vf[2]->vf_index, 2);
	assert_int_equal(pf->vf[3]->vf_index, 7);
	assert_null(other->pf);
	assert_int_equal(other->role, VFCAP_ROLE_VF);
	assert_int_equal(other->vf_index, -1);
	clear(&h);
}

/* NumVFs bounds an enabled PF, TotalVFs one that is off, and an enabled PF comes first. */
static void test_bounds(void **state)
{
	const struct wish on = { 0x0100, 8, 2, 8, 1, true }, off = { 0x0101, 8, 0, 7, 1, false };
	struct vfcap_host h = { 0 };
	struct vfcap_function *late = add_pf(&h, 0, &on), *idle = add_pf(&h, 0, &off);

	(void)state;
	for (unsigned int i = 0; i < 9; i++)
		add_vf(&h, 0, 0x0108 + i);
	assert_int_equal(vfcap_host_finish(&h), 0);
	assert_int_equal(late->n_vf, 2);
	assert_int_equal(late->numvfs, 2);
	assert_int_equal(idle->n_vf, 6);
	assert_int_equal(idle->numvfs, 0);
	assert_int_equal(idle->vf[0]->vf_index, 2);
	assert_null(at(&h, 0, 0x0110)->pf);
	clear(&h);
}

/* A VF that answers nothing but ones is one where an enabled PF has it, and nowhere else. */
static void test_silent_vf(void **state)
{
	const struct wish w = { 0x0100, 8, 2, 8, 1, true };
	struct vfcap_host h = { 0 };
	struct vfcap_function *pf = add_pf(&h, 0, &w);
	struct vfcap_function *silent[2] = { add(&h, 0, 0x0109), add(&h, 0, 0x010a) };
	struct vfcap_function *other = add(&h, 0, 0x0108);

	(void)state;
	silent[0]->has_ids = silent[1]->has_ids = false;
	assert_int_equal(vfcap_host_finish(&h), 0);
	assert_int_equal(pf->n_vf, 1);
	assert_ptr_equal(pf->vf[0], silent[0]);
	assert_int_equal(silent[0]->role, VFCAP_ROLE_VF);
	assert_int_equal(silent[1]->role, VFCAP_ROLE_FUNCTION);
	assert_int_equal(other->role, VFCAP_ROLE_FUNCTION);
	clear(&h);
}

static void test_stride_zero(void **state)
{
	const struct wish w = { 0x0100, 8, 8, 4, 0, true };
	struct vfcap_host h = { 0 };
	struct vfcap_function *pf = add_pf(&h, 0, &w);

	(void)state;
	add_vf(&h, 0, 0x0104);
	add_vf(&h, 0, 0x0105);
	assert_int_equal(vfcap_host_finish(&h), 0);
	assert_int_equal(pf->n_vf, 1);
	assert_int_equal(pf->vf[0]->vf_index, 0);
	clear(&h);
}

/* What a source linked stands, whatever the registers say; the index is theirs where they agree. */
static void test_links_stand(void **state)
{
	const struct wish w = { 0x0100, 8, 8, 8, 1, true }, x = { 0x0200, 8, 8, 8, 1, true };
	struct vfcap_host h = { 0 };
	struct vfcap_function *pf = add_pf(&h, 0, &w), *other = add_pf(&h, 0, &x);
	struct vfcap_function *near = add_vf(&h, 0, 0x0109), *far = add(&h, 0, 0x010a);

	(void)state;
	near->pf = pf;
	far->pf = other;
	far->vf_index = 5;
	for (int again = 0; again < 2; again++) {
		assert_int_equal(vfcap_host_finish(&h), 0);
		assert_ptr_equal(near->pf, pf);
		assert_int_equal(near->vf_index, 1);
		assert_ptr_equal(far->pf, other);
		assert_int_equal(far->vf_index, 5);
		assert_int_equal(far->role, VFCAP_ROLE_VF);
		assert_int_equal(far->device, 0x10ed);
		assert_int_equal(pf->n_vf, 1);
		assert_int_equal(other->n_vf, 1);
	}
	clear(&h);
}

/* Chains that never end, or lead away, have no SR-IOV to be found. */
static void test_bad_chains(void **state)
{
	static const uint32_t next[] = { 0x100, 0x0fc, 0xffc, 0x150 };
	struct vfcap_host h = { 0 };

	(void)state;
	for (unsigned int i = 0; i < 4; i++) {
		struct vfcap_function *fn = add(&h, 0, i);

		gen_cap(fn->access, 0x100, VFCAP_ID_AER, 1, 0x150);
		gen_cap(fn->access, 0x150, 0x0e, 1, next[i]);
	}
	memset(add(&h, 0, 8)->access, 0xff, VFCAP_CFG_SIZE);
	assert_int_equal(vfcap_host_finish(&h), 0);
	for (size_t i = 0; i < h.n; i++)
		assert_int_equal(h.fn[i]->role, VFCAP_ROLE_FUNCTION);
	clear(&h);
}

static int hidden_fetch(void *ctx, unsigned int off, unsigned int len, uint8_t *buf)
{
	(void)ctx;
	(void)off;
	(void)len;
	(void)buf;
	return -EACCES;
}

/* Registers that cannot be read leave what the source knew. */
static void test_unreadable(void **state)
{
	struct vfcap_host h = { 0 };
	struct vfcap_function *pf = add(&h, 0, 0), *vf = add(&h, 0, 9);

	(void)state;
	pf->totalvfs = 16;
	pf->fetch = vf->fetch = hidden_fetch;
	vf->pf = pf;
	vf->vf_index = 3;
	assert_int_equal(vfcap_host_finish(&h), 0);
	assert_int_equal(pf->role, VFCAP_ROLE_PF);
	assert_int_equal(pf->totalvfs, 16);
	assert_int_equal(pf->numvfs, 1);
	assert_int_equal(vf->vf_index, 3);
	assert_int_equal(vf->device, 0x1234);
	clear(&h);
}

struct heard {
	unsigned int n;
	char line[256];
};

static void hear(void *arg, const char *line)
{
	struct heard *heard = arg;

	heard->n++;
	snprintf(heard->line, sizeof(heard->line), "%s", line);
}

static void test_repeated(void **state)
{
	struct heard heard = { 0 };
	struct vfcap_host h = { .log = hear, .log_arg = &heard };
	unsigned int order[] = { 7, 3, 7, 1, 7 };
	void *dropped[2];

	(void)state;
	for (unsigned int i = 0; i < 5; i++)
		add(&h, 0, order[i])->revision = (uint8_t)i;
	dropped[0] = h.fn[0]->access;
	dropped[1] = h.fn[2]->access;
	assert_int_equal(vfcap_host_finish(&h), 0);
	assert_int_equal(h.n, 3);
	assert_int_equal(at(&h, 0, 7)->revision, 4);
	assert_int_equal(at(&h, 0, 7)->pos, 2);
	assert_int_equal(heard.n, 2);
	assert_string_equal(heard.line,
			    "0000:00:00.7: given more than once, the last one is taken");
	free(dropped[0]);
	free(dropped[1]);
	clear(&h);
}

/* The first error is kept, the others are its consequences. */
static void test_first_error(void **state)
{
	struct vfcap_host h = { 0 };

	(void)state;
	assert_int_equal(vfcap_host_fail(&h, -EIO, "%s: %d", "first", 1), -EIO);
	assert_int_equal(vfcap_host_fail(&h, -ENOENT, "second"), -ENOENT);
	assert_string_equal(h.error, "first: 1");
}

/* ----------------------------------------------------------------------- against the formula -- */

static bool formula(const struct wish *w, unsigned int rid, int *index)
{
	unsigned int limit = w->enabled && w->num ? w->num : w->total;

	for (unsigned int n = 1; n <= limit; n++)
		if (((w->rid + w->offset + (n - 1) * w->stride) & 0xffff) == rid) {
			*index = (int)n - 1;
			return true;
		}
	return false;
}

static void expect(const struct wish *w, size_t n, struct vfcap_function **pf,
		   struct vfcap_function *vf)
{
	unsigned int rid = (unsigned int)vf->address.bus << 8 | vf->address.devfn;
	int index = -1;

	for (int enabled = 1; enabled >= 0; enabled--)
		for (size_t i = 0; i < n; i++)
			if (w[i].enabled == enabled &&
			    (enabled || !pf[i]->n_vf || vf->pf == pf[i]) &&
			    formula(&w[i], rid, &index)) {
				assert_ptr_equal(vf->pf, pf[i]);
				assert_int_equal(vf->vf_index, index);
				assert_ptr_equal(pf[i]->vf[vf->vf_pos], vf);
				return;
			}
	assert_null(vf->pf);
	assert_int_equal(vf->vf_index, -1);
}

static int wish_compare(const void *a, const void *b)
{
	return (int)((const struct wish *)a)->rid - (int)((const struct wish *)b)->rid;
}

static void one_random_host(uint64_t seed)
{
	struct vfcap_host h = { 0 };
	struct vfcap_function *pf[4];
	struct wish w[4];

	for (size_t i = 0; i < 4; i++) {
		w[i].rid = gen_rand(&seed, 0x10000) & 0xfff8;
		w[i].total = gen_rand(&seed, 40);
		w[i].num = gen_rand(&seed, w[i].total + 1);
		w[i].offset =
			gen_rand(&seed, 3) ? gen_rand(&seed, 300) + 1 : gen_rand(&seed, 0x10000);
		w[i].stride = gen_rand(&seed, 5);
		w[i].enabled = gen_rand(&seed, 4) != 0;
	}
	qsort(w, 4, sizeof(w[0]), wish_compare);
	for (size_t i = 0; i < 4; i++) {
		w[i].rid += (unsigned int)i; /* no two alike */
		pf[i] = add_pf(&h, 0, &w[i]);
	}
	for (size_t i = 0; i < 4; i++)
		for (unsigned int k = 0; k < 50; k++) {
			unsigned int rid =
				(w[i].rid + w[i].offset + k * (w[i].stride ? w[i].stride : 1)) &
				0xffff;
			bool taken = false;

			for (size_t f = 0; f < h.n; f++)
				taken |= (h.fn[f]->address.bus << 8 | h.fn[f]->address.devfn) ==
					 (int)rid;
			if (!taken)
				add_vf(&h, 0, rid);
		}
	assert_int_equal(vfcap_host_finish(&h), 0);
	for (size_t i = 0; i < h.n; i++) {
		assert_int_equal(h.fn[i]->pos, i);
		if (h.fn[i]->known_vf)
			expect(w, 4, pf, h.fn[i]);
	}
	clear(&h);
}

static void test_random(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 500; seed++)
		one_random_host(seed * 0x9e3779b97f4a7c15u);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_carry_into_bus), cmocka_unit_test(test_wrap),
		cmocka_unit_test(test_bounds),	       cmocka_unit_test(test_stride_zero),
		cmocka_unit_test(test_links_stand),    cmocka_unit_test(test_bad_chains),
		cmocka_unit_test(test_unreadable),     cmocka_unit_test(test_repeated),
		cmocka_unit_test(test_first_error),    cmocka_unit_test(test_random),
		cmocka_unit_test(test_silent_vf),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
