// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Stress of the driver on the test bus, for LAB_S seconds of the environment (60): VFs of three PFs
 * are bound, opened, accessed, reset, removed and made anew, while the PFs change. What one thread
 * does to a VF of its own is held against the model; where several are at one, what a guest sees
 * has to make sense. Everything is drawn from LAB_SEED (that of the clock), which is printed.
 * Prints TAP; the kernel's complaints are for whoever looks at its console.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "stress.h"

#define CROWD 3 /* how many are at one VF together */
#define PATIENCE 300 /* seconds that a thread may take to its end */
#define TOLD 50 /* deviations that are told */

static struct world worlds[] = {
	{ .domain = NIC, .n_vfs = 5, .workers = 3, .crowds = 1 },
	{ .domain = CHAINS, .n_vfs = CHAIN_VFS, .workers = 4 },
	{ .domain = MANY, .n_vfs = 6, .workers = 3, .crowds = 1 },
};

static struct {
	struct timespec start;
	unsigned int seconds;
	uint64_t seed;
	struct thread *threads;
	unsigned int n_threads;
	_Atomic bool stop;
	_Atomic unsigned int deviations;
	_Atomic unsigned long counts[COUNTS];
} run;

static const char *const count_names[COUNTS] = {
	[KNOB_WRITES] = "knob writes",
	[FEATURE_CALLS] = "feature calls",
	[ACCESSES] = "accesses",
	[SHADOW_WRITES] = "writes of what is emulated",
	[OPENS] = "opens",
	[RESETS] = "resets",
	[BINDINGS] = "bindings",
	[LOOKS] = "looks at attributes",
	[PF_CHANGES] = "changes of a PF",
	[RENEWALS] = "writes of numvfs",
	[REMOVALS] = "removals of a PF",
	[RACED] = "outcomes left open",
	[SETTLED] = "outcomes certain",
};

/* ---------------------------------------------------------------------------- what is shared -- */

/* Of a 64-bit state, as splitmix64 does it. */
unsigned int pick(uint64_t *seed, unsigned int n)
{
	uint64_t z = *seed += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return (unsigned int)((z ^ z >> 31) >> 32) % n;
}

static unsigned int seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (unsigned int)(now.tv_sec - run.start.tv_sec);
}

bool is_over(void)
{
	return run.stop;
}

void count(enum count what, unsigned int n)
{
	run.counts[what] += n;
}

void deviation(struct thread *t, const struct fn *fn, const char *fmt, ...)
{
	va_list ap;

	if (run.deviations++ >= TOLD)
		return;
	va_start(ap, fmt);
	flockfile(stdout);
	printf("# deviation at %u s, %s, thread %u, step %u, %s: ", seconds(), fn->addr,
	       (unsigned int)(t - run.threads), t->step, t->at);
	vprintf(fmt, ap);
	putchar('\n');
	funlockfile(stdout);
	va_end(ap);
}

bool look_at(struct world *w, struct pf *pf, unsigned int *generation, unsigned int *epoch)
{
	bool removing;

	pthread_mutex_lock(&w->lock);
	*pf = w->pf;
	*generation = w->generation;
	*epoch = w->epoch;
	removing = w->removing;
	w->steps++;
	pthread_mutex_unlock(&w->lock);
	return !removing;
}

bool is_settled(struct world *w, unsigned int generation)
{
	bool settled;

	pthread_mutex_lock(&w->lock);
	settled = !(generation & 1) && w->generation == generation;
	pthread_mutex_unlock(&w->lock);
	return settled;
}

static bool is_removing(struct world *w)
{
	bool removing;

	pthread_mutex_lock(&w->lock);
	removing = w->removing;
	pthread_mutex_unlock(&w->lock);
	return removing;
}

/* Another open or a reset is in the way for a while only. */
int stress_open(struct vfio *v, const struct fn *fn, struct world *w)
{
	unsigned int tries = 400;

	while (!vfio_try(v, fn)) {
		if ((errno != EAGAIN && errno != EBUSY) || !--tries || is_removing(w) || is_over())
			return -errno;
		usleep(5000);
	}
	return 0;
}

/* ----------------------------------------------------------------------------- random writes -- */

static int random_width(uint64_t *seed, unsigned int *width, char text[32])
{
	static const struct {
		const char *text;
		int ret;
	} wrong[] = { { "wide", -EINVAL },
		      { "-1", -EINVAL },
		      { "256", -ERANGE },
		      { "4294967296", -ERANGE } };
	unsigned int i = pick(seed, 40);

	if (i < N(wrong)) {
		strcpy(text, wrong[i].text);
		return wrong[i].ret;
	}
	*width = pick(seed, 3) ? pick(seed, 24) : 0;
	sprintf(text, "%u\n", *width);
	return 0;
}

static unsigned int likely_offset(uint64_t *seed, const struct pf *pf, const struct wanted *wanted,
				  unsigned int e)
{
	switch (pick(seed, 8)) {
	case 0:
		return 0;
	case 1:
		return pf->at[e];
	case 2:
		return 0x100;
	case 3:
		return wanted->offset[!e] + 4 * pick(seed, 9) - 16;
	case 4:
		return pick(seed, 0x1100);
	default:
		return 0x100 + 4 * pick(seed, 0x3c0);
	}
}

static int random_offset(uint64_t *seed, const struct pf *pf, struct wanted *wanted, unsigned int e,
			 char text[32])
{
	static const char *const wrong[] = { "none", "-4", "0x10000000200", "0x200 0x300" };
	unsigned int off, i = pick(seed, 60);

	if (i < N(wrong)) {
		strcpy(text, wrong[i]);
		return -EINVAL;
	}
	off = likely_offset(seed, pf, wanted, e) & 0xffff;
	sprintf(text, pick(seed, 2) ? "0x%x\n" : "%u", off);
	if (off >= CFG)
		return -EINVAL;
	wanted->offset[e] = off;
	return 0;
}

int random_text(uint64_t *seed, const struct pf *pf, struct wanted *wanted, const char **attr,
		char text[32])
{
	static const char *const attrs[] = { "pasid_offset", "pri_offset", "pasid_width" };
	unsigned int which = pick(seed, 7) % 3;

	*attr = attrs[which];
	return which == 2 ? random_width(seed, &wanted->width, text) :
			    random_offset(seed, pf, wanted, which, text);
}

/* ------------------------------------------------------------------- what makes sense at all -- */

/* One capability that is shown: under its ID, and reached by the chain of what a guest sees. */
static bool is_reached(const uint8_t view[CFG], unsigned int at, unsigned int id)
{
	unsigned int off = VFCAP_EXT_BASE, left = CFG / 4;

	while (off >= VFCAP_EXT_BASE && off != at && left--)
		off = vfcap_le32(view + off) >> 20 & 0xffc;
	return off == at && vfcap_le16(view + at) == id;
}

/* Takes what is shown out of a view again: nothing else of stock vfio-pci's may be other than it
 * was. */
static bool is_all(const struct vf *vf, uint8_t view[CFG], const unsigned int at[VFCAP_EMULS])
{
	unsigned int e, i, links = 0;

	for (e = 0; e < VFCAP_EMULS; e++) {
		if (at[e])
			memcpy(view + at[e], vf->stock + at[e], vfcap_emul_len((enum vfcap_emul)e));
	}
	for (i = VFCAP_EXT_BASE; i < CFG; i += 4) {
		uint32_t other = vfcap_le32(view + i) ^ vfcap_le32(vf->stock + i);

		if (other & 0xfffff)
			return false;
		links += other != 0;
	}
	return links <= VFCAP_EMULS;
}

static void look_through(struct thread *t, const struct fn *fn, const struct vf *vf,
			 const struct vfio *v)
{
	unsigned int at[VFCAP_EMULS];
	char pasid[128], pri[128];
	uint8_t view[CFG];

	count(ACCESSES, 1);
	if (cfg_read(v, 0, view, CFG) != CFG) {
		deviation(t, fn, "it cannot be read");
		return;
	}
	get(pasid, "devices/%s/vfcap/pasid_shown", fn->addr);
	get(pri, "devices/%s/vfcap/pri_shown", fn->addr);
	if (!*pasid || !*pri)
		return; /* it is being unbound, or another driver has it */
	at[VFCAP_EMUL_PASID] = (unsigned int)strtoul(pasid, NULL, 0);
	at[VFCAP_EMUL_PRI] = (unsigned int)strtoul(pri, NULL, 0);
	if ((at[0] && !is_reached(view, at[0], VFCAP_ID_PASID)) ||
	    (at[1] && !is_reached(view, at[1], VFCAP_ID_PRI)) || !is_all(vf, view, at))
		deviation(t, fn, "what a guest sees makes no sense with PASID at %s, PRI at %s",
			  pasid, pri);
}

static void crowd_open(struct thread *t, const struct fn *fn, const struct vf *vf)
{
	struct vfcap_vfio_emulated e = { 0 };
	uint8_t bytes[64];
	struct vfio v;
	unsigned int i;

	if (stress_open(&v, fn, t->world))
		return;
	count(OPENS, 1);
	e.pasid_offset = (uint16_t)(4 * pick(&t->seed, 1024));
	e.pri_offset = (uint16_t)(4 * pick(&t->seed, 1024));
	if (pick(&t->seed, 2))
		feature(&v, VFIO_DEVICE_FEATURE_SET | VFCAP_VFIO_FEATURE_EMULATED, &e, sizeof(e));
	feature(&v, VFIO_DEVICE_FEATURE_GET | VFCAP_VFIO_FEATURE_EMULATED, &e, sizeof(e));
	count(FEATURE_CALLS, 2);
	look_through(t, fn, vf, &v);
	for (i = 0; i < 20 && !is_removing(t->world); i++) {
		memset(bytes, (int)pick(&t->seed, 256), sizeof(bytes));
		cfg_write(&v, 0x100 + pick(&t->seed, 0xf00), bytes, 1 + pick(&t->seed, 64));
		count(ACCESSES, 1);
		if (!pick(&t->seed, 8))
			ioctl(v.device, VFIO_DEVICE_RESET);
	}
	look_through(t, fn, vf, &v);
	vfio_close(&v);
}

static void crowd_once(struct thread *t, const struct fn *fn, const struct vf *vf)
{
	static const char *const drivers[] = { DRIVER, DRIVER, DRIVER, "vfio-pci", NULL };
	struct wanted wanted = { { 0 }, 0 };
	const char *attr;
	char text[128];

	switch (pick(&t->seed, 24)) {
	case 0:
		bind_to(fn, drivers[pick(&t->seed, N(drivers))]);
		count(BINDINGS, 1);
		break;
	case 1:
		put(fn->addr, "drivers/" DRIVER "/forget");
		break;
	case 2:
		put("1", "devices/%s/reset", fn->addr);
		break;
	case 3:
	case 4:
		crowd_open(t, fn, vf);
		break;
	case 5:
	case 6:
		get(text, "devices/%s/vfcap/state", fn->addr);
		break;
	default:
		random_text(&t->seed, &t->world->pf, &wanted, &attr, text);
		turn(fn, attr, text);
		count(KNOB_WRITES, 1);
	}
}

void *crowd(void *thread)
{
	struct thread *t = thread;
	struct world *w = t->world;
	unsigned int vf = w->n_vfs - w->crowds + t->index / CROWD;
	struct fn fn = fn_of(w->domain, (int)vf);

	t->at = "in a crowd";
	bind_to(&fn, DRIVER);
	while (!is_over()) {
		t->step++;
		crowd_once(t, &fn, &w->vf[vf]);
		usleep(1000 * pick(&t->seed, 10)); /* the others' turn */
	}
	t->ended = true;
	return NULL;
}

static void look_at_attribute(struct thread *t)
{
	static const char *const attrs[] = { "state",	   "state",	  "pasid_offset",
					     "pri_offset", "pasid_width", "pasid_shown",
					     "pri_shown" };
	static const char *const states[] = { "off", "ready", "open", "hidden: " };
	struct fn fn = fn_of(t->world->domain, (int)pick(&t->seed, t->world->n_vfs));
	unsigned int which = pick(&t->seed, N(attrs)), i;
	char text[128];

	get(text, "devices/%s/vfcap/%s", fn.addr, attrs[which]);
	count(LOOKS, *text != '\0');
	for (i = 0; i < N(states) && strncmp(text, states[i], strlen(states[i])); i++)
		;
	if (*text && which < 2 && i == N(states))
		deviation(t, &fn, "its state is '%s'", text);
}

void *look_on(void *thread)
{
	struct thread *t = thread;

	t->at = "looking on";
	while (!is_over()) {
		t->step++;
		look_at_attribute(t);
		usleep(pick(&t->seed, 1000));
	}
	t->ended = true;
	return NULL;
}

/* --------------------------------------------------------------------------------------- PFs -- */

static void begin_change(struct world *w, bool removing)
{
	pthread_mutex_lock(&w->lock);
	w->generation++;
	w->removing = removing;
	pthread_mutex_unlock(&w->lock);
}

static void end_change(struct world *w, const struct pf *pf, bool renewed)
{
	pthread_mutex_lock(&w->lock);
	w->pf = *pf;
	w->generation++;
	w->epoch += renewed;
	w->removing = false;
	pthread_mutex_unlock(&w->lock);
}

/* Registers and what Linux has noted. */
static void switch_pf(struct thread *t, struct pf *pf, bool on)
{
	struct fn fn = fn_of(t->world->domain, PF);
	unsigned int pasid = pf->at[VFCAP_EMUL_PASID], pri = pf->at[VFCAP_EMUL_PRI];

	if (pasid) {
		pf->image[pasid + VFCAP_PASID_CTRL] = on ? 7 : (uint8_t)pick(&t->seed, 8);
		poke_image(&fn, pasid, pf->image + pasid, 8);
	}
	if (pri) {
		pf->image[pri + VFCAP_PRI_CTRL] = on ? 1 : (uint8_t)pick(&t->seed, 2);
		poke_image(&fn, pri, pf->image + pri, 16);
	}
	pf->noted = on ? 3 : pick(&t->seed, 4);
	note(&fn, pf->noted);
}

/* Parts of it do not answer for a while. */
static void blind_pf(struct thread *t, const struct pf *pf)
{
	static const struct {
		unsigned int off, len;
	} parts[] = { { 0, 4 }, { 8, 4 }, { 0, 12 }, { 0x100, 4 } };
	struct fn fn = fn_of(t->world->domain, PF);
	unsigned int i = pick(&t->seed, N(parts) + VFCAP_EMULS), off, len;
	struct pf blind = *pf;

	off = i < N(parts) ? parts[i].off : pf->at[i - N(parts)];
	len = i < N(parts) ? parts[i].len : 8;
	if (!off && i >= N(parts))
		return;
	memset(blind.image + off, 0xff, len);
	poke_image(&fn, off, blind.image + off, len);
	end_change(t->world, &blind, false);
	usleep(1000 * pick(&t->seed, 200));
	begin_change(t->world, false);
	poke_image(&fn, off, pf->image + off, len);
}

/* Nothing of it answers: nothing is certain then. */
static void lose_pf(struct thread *t, const struct pf *pf)
{
	struct fn fn = fn_of(t->world->domain, PF);
	uint8_t ones[CFG];

	memset(ones, 0xff, CFG);
	poke_image(&fn, 0, ones, CFG);
	usleep(1000 * pick(&t->seed, 100));
	poke_image(&fn, 0, pf->image, CFG);
}

static bool make_world(struct world *w, struct pf *pf)
{
	struct fn fn = fn_of(w->domain, PF);
	unsigned int noted = pf->noted;

	if (!make_vfs(w->domain, w->n_vfs))
		return false;
	read_image(&fn, pf->image);
	pf->noted = noted;
	count(RENEWALS, 1);
	return true;
}

/* Takes the PF itself away, which has to have no VFs then, and finds it again. What Linux has
 * noted goes with it. */
static void remove_pf(struct thread *t, const struct pf *pf)
{
	struct fn fn = fn_of(t->world->domain, PF);

	t->at = "removing the PF";
	if (put("0", "devices/%s/sriov_numvfs", fn.addr) ||
	    put("1", "devices/%s/remove", fn.addr) || put("1", "rescan"))
		deviation(t, &fn, "it is not removed and found again");
	note(&fn, pf->noted);
	count(REMOVALS, 1);
}

static void renew_vfs(struct thread *t, struct pf *pf)
{
	struct fn fn = fn_of(t->world->domain, PF);

	if (t->step == 1 || pick(&t->seed, 2))
		remove_pf(t, pf);
	t->at = "writing numvfs";
	if (!make_world(t->world, pf))
		deviation(t, &fn, "it makes no VFs");
}

static void change_once(struct thread *t, struct pf *pf)
{
	unsigned int how = t->step == 1 ? 0 : pick(&t->seed, 20); /* what is rare comes first */
	bool renewed = how == 0;

	begin_change(t->world, renewed);
	if (renewed)
		renew_vfs(t, pf);
	else if (how == 1)
		lose_pf(t, pf);
	else if (how < 5)
		blind_pf(t, pf);
	else
		switch_pf(t, pf, how & 1);
	end_change(t->world, pf, renewed);
	count(PF_CHANGES, 1);
}

static unsigned int count_steps(struct world *w)
{
	unsigned int steps;

	pthread_mutex_lock(&w->lock);
	steps = w->steps;
	pthread_mutex_unlock(&w->lock);
	return steps;
}

/* For as long as much can be done with it, on a slow kernel, too. */
static void leave_alone(struct thread *t)
{
	unsigned int begun = count_steps(t->world), n = 20 + pick(&t->seed, 300);
	unsigned int left = 20 + pick(&t->seed, 1000);

	t->at = "leaving a PF as it is";
	do {
		usleep(10000);
	} while (!is_over() && --left && count_steps(t->world) - begun < n);
}

void *change(void *thread)
{
	struct thread *t = thread;
	struct pf pf = t->world->pf;

	while (!is_over()) {
		t->at = "changing a PF";
		t->step++;
		change_once(t, &pf);
		leave_alone(t);
	}
	t->ended = true;
	return NULL;
}

/* --------------------------------------------------------------------------------------- all -- */

static bool begin_world(struct world *w, struct model *m)
{
	struct pf pf = { .noted = 0 };
	unsigned int i;

	pthread_mutex_init(&w->lock, NULL);
	w->epoch = 1;
	w->vf = calloc(w->n_vfs, sizeof(*w->vf));
	if (!make_world(w, &pf))
		return false;
	model_pf(m, &pf);
	w->pf = pf;
	for (i = 0; i < w->n_vfs; i++) {
		struct fn fn = fn_of(w->domain, (int)i);
		struct vfio v;

		read_image(&fn, w->vf[i].image);
		model_vf(m, &w->vf[i]);
		if (w->vf[i].overruns || w->vf[i].loops)
			continue;
		if (!bind_to(&fn, "vfio-pci") || !vfio_open(&v, &fn) ||
		    cfg_read(&v, 0, w->vf[i].stock, CFG) != CFG)
			return false;
		vfio_close(&v);
		bind_to(&fn, NULL);
	}
	return true;
}

static void add_threads(struct world *w, void *(*act)(void *), unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		run.threads[run.n_threads++] =
			(struct thread){ .run = act, .world = w, .index = i, .at = "begun" };
}

static void start_threads(void)
{
	unsigned int i;

	for (i = 0; i < N(worlds); i++) {
		add_threads(&worlds[i], change, 1);
		add_threads(&worlds[i], look_on, 1);
		add_threads(&worlds[i], work, worlds[i].workers);
		add_threads(&worlds[i], crowd, CROWD * worlds[i].crowds);
	}
	for (i = 0; i < run.n_threads; i++) {
		run.threads[i].seed = run.seed + 0x100000001b3 * (i + 1);
		run.threads[i].model = model_new();
		pthread_create(&run.threads[i].id, NULL, run.threads[i].run, &run.threads[i]);
	}
}

static void tell_counts(void)
{
	unsigned int i;

	printf("# %u s:", seconds());
	for (i = 0; i < COUNTS; i++)
		printf(" %lu %s%s", run.counts[i], count_names[i], i + 1 < COUNTS ? "," : "\n");
}

/* Waits for all of them, but not forever. Returns how many have not come to their end. */
static unsigned int stop_threads(void)
{
	unsigned int i, alive = run.n_threads, until = seconds() + PATIENCE;

	run.stop = true;
	while (alive && seconds() < until) {
		usleep(100000);
		for (alive = 0, i = 0; i < run.n_threads; i++)
			alive += !run.threads[i].ended;
	}
	for (i = 0; i < run.n_threads; i++) {
		if (!run.threads[i].ended)
			printf("# thread %u hangs at step %u: %s\n", i, run.threads[i].step,
			       run.threads[i].at);
	}
	return alive;
}

static void end_world(struct world *w)
{
	struct fn fn = fn_of(w->domain, PF);

	put("0", "devices/%s/sriov_numvfs", fn.addr);
	bind_to(&fn, NULL);
}

static unsigned int setting(const char *name, unsigned int otherwise)
{
	const char *text = getenv(name);

	return text && *text ? (unsigned int)strtoul(text, NULL, 0) : otherwise;
}

static bool was_all_done(void)
{
	unsigned int i;

	for (i = 0; i < RACED && run.counts[i]; i++)
		;
	return i == RACED;
}

/* A slow kernel gets to everything, too. */
static void wait_for_end(void)
{
	unsigned int told = 0;

	while (seconds() < run.seconds || (!was_all_done() && seconds() < run.seconds + PATIENCE)) {
		usleep(200000);
		if (seconds() / 60 != told) {
			told = seconds() / 60;
			tell_counts();
		}
	}
}

/* Where races are looked for, something has to have been watched. */
static void check_watch(void)
{
	FILE *f = fopen("/sys/kernel/debug/kcsan", "r");
	unsigned long watched = 0;
	char line[128];

	if (!f)
		return;
	while (fgets(line, sizeof(line), f))
		sscanf(line, "setup_watchpoints: %lu", &watched);
	fclose(f);
	ok(watched > 1000, "%lu accesses were watched for races", watched);
}

/* How many objects the kernel has lost that the driver had a hand in; Linux loses some of its own. */
static unsigned int count_lost(const char *path)
{
	FILE *f = fopen(path, "r");
	unsigned int lost = 0;
	bool told = false;
	char line[256];

	while (f && fgets(line, sizeof(line), f)) {
		if (strstr(line, "unreferenced object"))
			told = false;
		if (told || !strstr(line, "[vfcap_vfio_pci]"))
			continue;
		printf("# lost: %s", line);
		told = true;
		lost++;
	}
	if (f)
		fclose(f);
	return lost;
}

/* Objects count from their fifth second on, and only when they are not found again. */
static void check_memory(void)
{
	static const char path[] = "/sys/kernel/debug/kmemleak";
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, "scan", 4) == 4 && !sleep(6) && write(fd, "scan", 4) == 4)
		same(count_lost(path), 0, "objects that are lost");
	else
		ok(false, "memory is scanned");
	close(fd);
}

int main(void)
{
	struct model *m = model_new();
	unsigned int i;

	setvbuf(stdout, NULL, _IOLBF, 0);
	clock_gettime(CLOCK_MONOTONIC, &run.start);
	run.seconds = setting("LAB_S", 60);
	run.seed = setting("LAB_SEED", (unsigned int)time(NULL));
	run.threads = calloc(100, sizeof(*run.threads));
	printf("# LAB_S=%u LAB_SEED=%u\n", run.seconds, (unsigned int)run.seed);
	for (i = 0; i < N(worlds); i++)
		ok(begin_world(&worlds[i], m),
		   "a PF with %u VFs, and what stock vfio-pci shows of them", worlds[i].n_vfs);
	clock_gettime(CLOCK_MONOTONIC, &run.start);
	start_threads();
	wait_for_end();
	same(stop_threads(), 0, "all of %u threads come to their end", run.n_threads);
	tell_counts();
	same(run.deviations, 0, "deviations from the model in %lu outcomes", run.counts[SETTLED]);
	for (i = 0; i < RACED; i++)
		ok(run.counts[i], "%lu %s", run.counts[i], count_names[i]);
	check_watch();
	for (i = 0; i < N(worlds); i++)
		end_world(&worlds[i]);
	check_memory();
	same(syscall(SYS_delete_module, "vfcap_testbus", 0), 0, "the bus goes");
	same(syscall(SYS_delete_module, "vfcap_vfio_pci", O_NONBLOCK), 0, "the module goes");
	return finish();
}
