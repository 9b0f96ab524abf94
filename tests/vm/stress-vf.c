// SPDX-License-Identifier: GPL-2.0-or-later
/* One thread that has VFs to itself, and helpers while one is open: all that comes of it is held
 * against the model. */
#include <errno.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "stress.h"

#define GET (VFIO_DEVICE_FEATURE_GET | VFCAP_VFIO_FEATURE_EMULATED)
#define SET (VFIO_DEVICE_FEATURE_SET | VFCAP_VFIO_FEATURE_EMULATED)

/* Below that a write changes what is none of ours. */
#define FIRST_WRITE 0x80

/* What is true of one VF. */
struct slot {
	struct fn fn;
	const struct vf *vf;
	unsigned int epoch;
	struct wanted knob;
	struct shown shown;
	bool hidden_known;
};

struct worker {
	struct thread *t;
	struct slot *slots, *s;
	unsigned int n_slots;
	struct pf pf; /* as it was when the step began */
	unsigned int generation, epoch;
	struct vfio v;
	bool is_open, touched;
	uint8_t base[CFG]; /* what stock shows, with this open's legacy registers */
	uint32_t writes[CFG / 4]; /* before the first access */
	_Atomic unsigned int resets; /* odd while one is going on */
};

/* Who accesses an open device: the thread itself, or one of its helpers. */
struct accessor {
	pthread_t id;
	struct worker *k;
	int own; /* the capability that only it writes to; -1: all */
	bool certain; /* the model of that is right */
	unsigned int resets; /* how many the model knows of */
	unsigned int accesses;
	uint64_t seed;
	struct vfcap_shadow shadow; /* the model */
};

/* The bits that a guest or a reset may change. */
static const uint8_t variable[VFCAP_EMULS][16] = {
	[VFCAP_EMUL_PASID] = { [6] = 0x07 },
	[VFCAP_EMUL_PRI] = { [4] = 0x01,
			     [7] = 0x01,
			     [12] = 0xff,
			     [13] = 0xff,
			     [14] = 0xff,
			     [15] = 0xff },
};

static unsigned int roll(struct worker *k, unsigned int n)
{
	return pick(&k->t->seed, n);
}

/* Begins a step. False while VFs are being removed. */
static bool begin(struct worker *k, const char *what)
{
	k->t->at = what;
	k->t->step++;
	return look_at(k->t->world, &k->pf, &k->generation, &k->epoch);
}

/* Is it certain what has to come of a step? */
static bool is_certain(struct worker *k)
{
	bool settled = is_settled(k->t->world, k->generation);

	count(settled ? SETTLED : RACED, 1);
	return settled;
}

static void clear(struct slot *s)
{
	memset(&s->knob, 0, sizeof(s->knob));
	memset(&s->shown, 0, sizeof(s->shown));
	s->hidden_known = true;
}

/* ---------------------------------------------------------------------------------- the knob -- */

static void check_attr(struct worker *k, const char *attr, const char *want)
{
	char got[128];

	get(got, "devices/%s/vfcap/%s", k->s->fn.addr, attr);
	if (is_certain(k) && strcmp(got, want))
		deviation(k->t, &k->s->fn, "%s is '%s', not '%s'", attr, got, want);
}

static void check_offset(struct worker *k, const char *attr, unsigned int want)
{
	char text[16];

	snprintf(text, sizeof(text), want ? "0x%x" : "0", want);
	check_attr(k, attr, text);
}

static void check_attrs(struct worker *k)
{
	struct slot *s = k->s;
	char text[128];

	check_offset(k, "pasid_offset", s->knob.offset[VFCAP_EMUL_PASID]);
	check_offset(k, "pri_offset", s->knob.offset[VFCAP_EMUL_PRI]);
	snprintf(text, sizeof(text), "%u", s->knob.width);
	check_attr(k, "pasid_width", text);
	check_offset(k, "pasid_shown", s->shown.shadow.offset[VFCAP_EMUL_PASID]);
	check_offset(k, "pri_shown", s->shown.shadow.offset[VFCAP_EMUL_PRI]);
	model_state(text, &k->pf, &s->knob, &s->shown, k->is_open);
	if (s->hidden_known)
		check_attr(k, "state", text);
}

/* What the knob says now; false when it is gone. */
static bool read_knob(const struct fn *fn, struct wanted *knob)
{
	char pasid[128], pri[128], width[128];

	get(pasid, "devices/%s/vfcap/pasid_offset", fn->addr);
	get(pri, "devices/%s/vfcap/pri_offset", fn->addr);
	get(width, "devices/%s/vfcap/pasid_width", fn->addr);
	knob->offset[VFCAP_EMUL_PASID] = (unsigned int)strtoul(pasid, NULL, 0);
	knob->offset[VFCAP_EMUL_PRI] = (unsigned int)strtoul(pri, NULL, 0);
	knob->width = (unsigned int)strtoul(width, NULL, 0);
	return *pasid && *pri && *width;
}

/* After a write that a change of the PF raced with: all of it or nothing. */
static void relearn_knob(struct worker *k, const struct wanted *wanted, int ret)
{
	struct wanted now;

	k->s->hidden_known = false;
	if (!read_knob(&k->s->fn, &now))
		return;
	if (memcmp(&now, ret ? &k->s->knob : wanted, sizeof(now)))
		deviation(k->t, &k->s->fn, "a write that gave %d left %#x %#x %u", ret,
			  now.offset[0], now.offset[1], now.width);
	k->s->knob = now;
}

static void turn_knob(struct worker *k)
{
	struct wanted wanted = k->s->knob;
	const char *attr;
	char text[32];
	int want, ret;

	want = random_text(&k->t->seed, &k->pf, &wanted, &attr, text);
	if (!want && k->is_open)
		want = -EBUSY;
	if (!want)
		want = model_check(k->t->model, &k->pf, k->s->vf, &wanted);
	ret = turn(&k->s->fn, attr, text);
	count(KNOB_WRITES, 1);
	if (!is_certain(k)) {
		relearn_knob(k, &wanted, ret);
		return;
	}
	if (ret != want)
		deviation(k->t, &k->s->fn, "%s %.*s over %#x %#x %u: %d, not %d", attr,
			  (int)strcspn(text, "\n"), text, k->s->knob.offset[0],
			  k->s->knob.offset[1], k->s->knob.width, ret, want);
	if (ret)
		return;
	k->s->knob = wanted;
	memset(k->s->shown.hidden, 0, sizeof(k->s->shown.hidden));
	k->s->hidden_known = true;
}

/* ----------------------------------------------------------------------------------- binding -- */

static bool bind_it(struct worker *k, const char *driver)
{
	bool bound = bind_to(&k->s->fn, driver);

	count(BINDINGS, 1);
	if (!bound && is_certain(k))
		deviation(k->t, &k->s->fn, "it cannot be bound to %s", driver ? driver : "nothing");
	if (!bound)
		k->s->epoch = 0; /* whatever it is bound to then */
	return bound;
}

/* Another binding begins with what was last written. */
static void rebind(struct worker *k)
{
	if (!bind_it(k, roll(k, 2) ? "vfio-pci" : NULL))
		return;
	if (!roll(k, 3)) {
		if (put(k->s->fn.addr, "drivers/" DRIVER "/forget") && is_certain(k))
			deviation(k->t, &k->s->fn, "its knob is not forgotten");
		else
			memset(&k->s->knob, 0, sizeof(k->s->knob));
	}
	if (!bind_it(k, DRIVER))
		return;
	memset(k->s->shown.hidden, 0, sizeof(k->s->shown.hidden));
	k->s->hidden_known = true;
	if (!is_certain(k)) /* it was perhaps another one by then */
		k->s->epoch = 0;
	else
		check_attrs(k);
}

/* A VF that came anew begins anew, and with no driver. */
static bool renew(struct worker *k)
{
	if (k->s->epoch == k->epoch)
		return true;
	if (!bind_to(&k->s->fn, NULL) || put(k->s->fn.addr, "drivers/" DRIVER "/forget") ||
	    !bind_to(&k->s->fn, DRIVER)) {
		if (is_certain(k))
			deviation(k->t, &k->s->fn, "it is not bound");
		return false;
	}
	clear(k->s);
	k->s->epoch = k->epoch;
	return true;
}

/* ---------------------------------------------------------------------------------- accesses -- */

static bool overlaps(unsigned int off, unsigned int len, unsigned int at, unsigned int size)
{
	return at && off < at + size && at < off + len;
}

/* The bits of a byte that others, or a reset, may have changed. */
static uint8_t tolerated(const struct accessor *a, bool certain, unsigned int pos)
{
	unsigned int e;

	for (e = 0; e < VFCAP_EMULS; e++) {
		if (overlaps(pos, 1, a->shadow.offset[e], vfcap_emul_len((enum vfcap_emul)e)))
			return certain && (a->own < 0 || a->own == (int)e) ?
				       0 :
				       variable[e][pos - a->shadow.offset[e]];
	}
	/* Stock vfio-pci has a guest's FLR in its copy until it is done. */
	return !certain && pos == EXPRESS + 9 ? 0x80 : 0;
}

static void pick_range(struct accessor *a, unsigned int *off, unsigned int *len)
{
	unsigned int how = pick(&a->seed, 32), e = pick(&a->seed, VFCAP_EMULS);
	unsigned int near = pick(&a->seed, 4) ? a->shadow.offset[e] : a->shadow.after[e];

	*off = pick(&a->seed, CFG);
	*len = 1 + pick(&a->seed, 8);
	if (!how) {
		*off = 0;
		*len = CFG;
	} else if (how < 4) {
		*len = 1 + pick(&a->seed, 256);
	} else if (how < 8) {
		*off = 0xff0 + pick(&a->seed, 24);
		*len = 1 + pick(&a->seed, 32);
	} else if (how < 28 && near) {
		*off = near - 16 + pick(&a->seed, 48);
		*len = 1 + pick(&a->seed, 40);
	}
}

static bool may_write(const struct accessor *a, unsigned int off, unsigned int len)
{
	unsigned int e;

	if (off < FIRST_WRITE || len > 64)
		return false;
	for (e = 0; e < VFCAP_EMULS; e++) {
		if (overlaps(off, len, a->k->s->vf->own[e], 16))
			return false; /* hardware's, which is written to */
		if (a->own >= 0 && a->own != (int)e &&
		    overlaps(off, len, a->shadow.offset[e], vfcap_emul_len((enum vfcap_emul)e)))
			return false;
	}
	return true;
}

static void write_range(struct accessor *a, unsigned int off, unsigned int len)
{
	unsigned int done, n, want = off + len > CFG ? 0 : len;
	uint8_t bytes[64];
	bool inside;
	int ret;

	for (n = 0; n < len; n++)
		bytes[n] = pick(&a->seed, 4) ? (uint8_t)pick(&a->seed, 256) : 0xff;
	ret = cfg_write(&a->k->v, off, bytes, len);
	if (ret != (want ? (int)want : -EFAULT))
		deviation(a->k->t, &a->k->s->fn, "a write of %u at %#x: %d", len, off, ret);
	for (done = 0; done < want; done += n) {
		n = vfcap_shadow_span(&a->shadow, off + done, len - done, &inside);
		if (inside && vfcap_shadow_write(&a->shadow, off + done, n, bytes + done))
			count(SHADOW_WRITES, 1);
	}
}

/* Holds what was read against the model. */
static void hold(struct accessor *a, bool certain, unsigned int off, unsigned int len,
		 const uint8_t *got)
{
	uint8_t want[CFG];
	unsigned int i;

	memcpy(want, a->k->base, CFG);
	model_overlay(want, &a->shadow);
	for (i = 0; i < len; i++) {
		if ((got[i] ^ want[off + i]) & ~tolerated(a, certain, off + i))
			break;
	}
	if (i < len)
		deviation(a->k->t, &a->k->s->fn,
			  "a read of %u at %#x has %02x at %#x, not %02x (PASID %#x, PRI %#x, %s)",
			  len, off, got[i], off + i, want[off + i], a->shadow.offset[0],
			  a->shadow.offset[1], certain ? "certain" : "raced");
}

static void read_range(struct accessor *a, unsigned int off, unsigned int len, unsigned int resets)
{
	uint8_t got[CFG];
	int ret = cfg_read(&a->k->v, off, got, len);

	if (ret != (off + len > CFG ? -EFAULT : (int)len)) {
		deviation(a->k->t, &a->k->s->fn, "a read of %u at %#x: %d", len, off, ret);
		return;
	}
	if (ret > 0)
		hold(a, a->certain && !(resets & 1) && a->k->resets == resets, off, len, got);
}

/* After a reset that may have come before or after the last write: what is there is the model. */
static void relearn(struct accessor *a, unsigned int resets)
{
	unsigned int e;
	uint8_t got[CFG];

	if (cfg_read(&a->k->v, 0, got, CFG) != CFG) {
		deviation(a->k->t, &a->k->s->fn, "it cannot be read");
		return;
	}
	hold(a, false, 0, CFG, got);
	if (a->k->resets != resets)
		return;
	for (e = 0; e < VFCAP_EMULS; e++) {
		if (a->shadow.offset[e])
			memcpy(a->shadow.bytes[e], got + a->shadow.offset[e],
			       vfcap_emul_len((enum vfcap_emul)e));
	}
	a->resets = resets;
	a->certain = true;
}

static void access_once(struct accessor *a)
{
	unsigned int off, len, resets = a->k->resets;

	if (resets != a->resets)
		a->certain = false;
	if (!a->certain && !(resets & 1))
		relearn(a, resets);
	pick_range(a, &off, &len);
	if (pick(&a->seed, 2) && may_write(a, off, len))
		write_range(a, off, len);
	else
		read_range(a, off, len, resets);
	count(ACCESSES, 1);
	if (resets & 1 || a->k->resets != resets)
		a->certain = false;
}

static void *help(void *arg)
{
	struct accessor *a = arg;

	while (a->accesses--)
		access_once(a);
	return NULL;
}

/* ---------------------------------------------------------------------------- an open device -- */

/* How a function is reset. Returns what came of it. */
static int reset_by(struct worker *k, unsigned int how)
{
	switch (how) {
	case 0:
		return ioctl(k->v.device, VFIO_DEVICE_RESET) ? -errno : 0;
	case 1:
		return cfg_put(&k->v, EXPRESS + 9, 1, 0x80) == 1 ? 0 : -EIO;
	default:
		return put("1", "devices/%s/reset", k->s->fn.addr);
	}
}

static void reset(struct worker *k, struct accessor *a)
{
	bool can = k->s->vf->image[EXPRESS + 7] & 0x10;
	unsigned int how = roll(k, 3);
	int ret;

	k->resets++;
	ret = reset_by(k, how);
	k->resets++;
	count(RESETS, 1);
	if (!is_certain(k))
		a->certain = false;
	else if (can && ret)
		deviation(k->t, &k->s->fn, "reset %u: %d", how, ret);
	else if (can)
		vfcap_shadow_reset(&a->shadow);
	a->resets = k->resets;
}

static void get_feature(struct worker *k)
{
	struct vfcap_vfio_emulated got = { 0 }, want;
	int ret = feature(&k->v, GET, &got, sizeof(got));
	int expect = model_get(&k->pf, &k->s->shown, &want);

	count(FEATURE_CALLS, 1);
	if (is_certain(k) && (ret != expect || (!ret && memcmp(&got, &want, sizeof(got)))))
		deviation(k->t, &k->s->fn, "GET: %d %#x %#x %u %#x, not %d %#x %#x %u %#x", ret,
			  got.pasid_offset, got.pri_offset, got.pasid_width, got.flags, expect,
			  want.pasid_offset, want.pri_offset, want.pasid_width, want.flags);
}

static unsigned int random_offset(struct worker *k)
{
	struct wanted wanted = k->s->knob;
	const char *attr;
	char text[32];

	random_text(&k->t->seed, &k->pf, &wanted, &attr, text);
	return wanted.offset[roll(k, VFCAP_EMULS)];
}

static int expect_set(struct worker *k, const struct vfcap_vfio_emulated *set,
		      struct wanted *wanted)
{
	const struct wanted *knob = &k->s->knob;

	*wanted = (struct wanted){ { set->pasid_offset, set->pri_offset },
				   set->pasid_width ? set->pasid_width : knob->width };
	if (set->flags || set->reserved[0] || set->reserved[1])
		return -EINVAL;
	if (k->touched)
		return -EBUSY;
	if (knob->width && wanted->width > knob->width)
		return -ERANGE;
	return model_check(k->t->model, &k->pf, k->s->vf, wanted);
}

/* False: what is shown now is not known. */
static bool set_feature(struct worker *k)
{
	struct vfcap_vfio_emulated set = {
		.pasid_offset = (uint16_t)random_offset(k),
		.pri_offset = (uint16_t)random_offset(k),
		.pasid_width = (uint8_t)(roll(k, 2) ? 0 : roll(k, 24)),
		.flags = !roll(k, 20),
		.reserved = { !roll(k, 20) },
	};
	struct wanted wanted;
	int want = expect_set(k, &set, &wanted), ret = feature(&k->v, SET, &set, sizeof(set));

	count(FEATURE_CALLS, 1);
	if (!is_certain(k))
		return false;
	if (ret != want)
		deviation(k->t, &k->s->fn, "SET %#x %#x %u over %u: %d, not %d", set.pasid_offset,
			  set.pri_offset, set.pasid_width, k->s->knob.width, ret, want);
	if (!ret)
		model_compose(k->t->model, &k->pf, k->s->vf, &wanted, &k->s->shown);
	return true;
}

/* A guest that sleeps is woken by what it does. */
static void sleep_for(struct worker *k, struct accessor *a)
{
	unsigned int i;
	int ret = feature(&k->v, VFIO_DEVICE_FEATURE_SET | VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY,
			  NULL, 0);

	for (i = 0; i < 4; i++) {
		usleep(roll(k, 2000));
		access_once(a);
	}
	if (!ret)
		ret = feature(&k->v, VFIO_DEVICE_FEATURE_SET | VFIO_DEVICE_FEATURE_LOW_POWER_EXIT,
			      NULL, 0);
	count(FEATURE_CALLS, 2);
	if (ret && is_certain(k))
		deviation(k->t, &k->s->fn, "low power: %d", ret);
}

/* What the thread does while its helpers access the device, or alone. False while VFs are being
 * removed. */
static bool use_once(struct worker *k, struct accessor *a)
{
	if (!begin(k, "using"))
		return false;
	switch (roll(k, 10)) {
	case 0:
		reset(k, a);
		break;
	case 1:
		get_feature(k);
		break;
	case 2:
		set_feature(k);
		break;
	case 3:
		turn_knob(k);
		break;
	case 4:
		check_attrs(k);
		break;
	default:
		access_once(a);
	}
	return true;
}

/* Two helpers, each of which writes to one capability, and the thread itself, which resets and
 * reads. */
static void use_together(struct worker *k, struct accessor *alone)
{
	struct accessor a[VFCAP_EMULS + 1];
	unsigned int e, i;

	for (e = 0; e <= VFCAP_EMULS; e++) {
		a[e] = *alone;
		a[e].own = (int)e; /* the thread itself has none */
		a[e].seed = k->t->seed ^ (e + 1) * 0x9e3779b97f4a7c15;
		a[e].accesses = 50 + roll(k, 200);
		if (e < VFCAP_EMULS)
			pthread_create(&a[e].id, NULL, help, &a[e]);
	}
	for (i = 0; i < 30 && use_once(k, &a[VFCAP_EMULS]); i++)
		;
	k->t->at = "waiting for its helpers";
	for (e = 0; e < VFCAP_EMULS; e++)
		pthread_join(a[e].id, NULL);
	alone->certain = false;
	relearn(alone, k->resets);
}

/* Nothing emulated was written to in the hardware. */
static void check_writes(struct worker *k, const struct vfcap_shadow *shadow)
{
	uint32_t now[CFG / 4];
	unsigned int e, i;

	read_writes(&k->s->fn, now);
	if (!is_settled(k->t->world, k->generation))
		return;
	for (i = 0; i < CFG / 4; i++) {
		for (e = 0; e < VFCAP_EMULS; e++) {
			if ((overlaps(4 * i, 4, shadow->offset[e],
				      vfcap_emul_len((enum vfcap_emul)e)) ||
			     overlaps(4 * i, 4, shadow->after[e], 4)) &&
			    now[i] != k->writes[i])
				deviation(k->t, &k->s->fn, "%u writes went through at %#x",
					  now[i] - k->writes[i], 4 * i);
		}
	}
}

/* The first look at the whole: from then on the chain stands still. */
static bool touch(struct worker *k, struct accessor *a)
{
	if (!begin(k, "first look"))
		return false;
	read_writes(&k->s->fn, k->writes);
	memcpy(k->base, k->s->vf->stock, CFG);
	*a = (struct accessor){ .k = k, .own = -1, .certain = true, .seed = k->t->seed };
	a->shadow = k->s->shown.shadow;
	a->resets = k->resets;
	if (cfg_read(&k->v, 0, k->base, VFCAP_EXT_BASE) != VFCAP_EXT_BASE)
		deviation(k->t, &k->s->fn, "it cannot be read");
	k->touched = true;
	relearn(a, k->resets);
	return true;
}

/* What a VMM does before it looks. False: what is shown is not known. */
static bool place(struct worker *k)
{
	unsigned int i, n = roll(k, 4);

	for (i = 0; i < n; i++) {
		if (!begin(k, "placing"))
			return false;
		if (roll(k, 2) && !set_feature(k))
			return false;
		get_feature(k);
		check_attrs(k);
	}
	return true;
}

static void use(struct worker *k)
{
	unsigned int i, n = 20 + roll(k, 100);
	struct accessor a;

	if (!place(k) || !touch(k, &a)) {
		k->s->hidden_known = false;
		return;
	}
	for (i = 0; i < n && !is_over() && use_once(k, &a); i++) {
		if (!roll(k, 40))
			sleep_for(k, &a);
		if (!roll(k, 30))
			use_together(k, &a);
	}
	if (begin(k, "counting writes"))
		check_writes(k, &a.shadow);
}

static void open_and_close(struct worker *k)
{
	int ret = stress_open(&k->v, &k->s->fn, k->t->world);
	int want = k->s->vf->overruns ? -EINVAL : 0;
	bool certain = is_certain(k);

	count(OPENS, 1);
	if (ret != want && certain)
		deviation(k->t, &k->s->fn, "open: %d, not %d", ret, want);
	if (ret)
		return;
	model_compose(k->t->model, &k->pf, k->s->vf, &k->s->knob, &k->s->shown);
	k->is_open = true;
	k->touched = false;
	k->s->hidden_known = certain;
	if (certain)
		use(k);
	k->t->at = "closing";
	vfio_close(&k->v);
	k->is_open = false;
	memset(&k->s->shown.shadow, 0, sizeof(k->s->shown.shadow));
}

/* --------------------------------------------------------------------------------------- all -- */

static void work_once(struct worker *k)
{
	switch (roll(k, 40)) {
	case 0:
		rebind(k);
		break;
	case 1:
		put("1", "devices/%s/reset", k->s->fn.addr);
		break;
	case 2:
	case 3:
		if (!k->s->vf->loops)
			open_and_close(k);
		break;
	case 4:
	case 5:
	case 6:
		check_attrs(k);
		break;
	case 7:
		k->s = &k->slots[roll(k, k->n_slots)];
		break;
	default:
		turn_knob(k);
	}
}

static void take_slots(struct worker *k)
{
	struct world *w = k->t->world;
	unsigned int i;

	k->slots = calloc(w->n_vfs, sizeof(*k->slots));
	for (i = k->t->index; i < w->n_vfs - w->crowds; i += w->workers) {
		k->slots[k->n_slots].fn = fn_of(w->domain, (int)i);
		k->slots[k->n_slots++].vf = &w->vf[i];
	}
	k->s = k->slots;
}

void *work(void *thread)
{
	struct worker k = { .t = thread };

	take_slots(&k);
	while (!is_over()) {
		if (begin(&k, "closed") && renew(&k))
			work_once(&k);
		else
			usleep(5000);
	}
	k.t->ended = true;
	return NULL;
}
