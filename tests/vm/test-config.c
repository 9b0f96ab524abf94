// SPDX-License-Identifier: GPL-2.0-or-later
/* Guest accesses to what is emulated, and what resets it. */
#include <errno.h>
#include <linux/vfio.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

#include "vm-test.h"

/* Every offset around both, every length: the same bytes as in one read of all. */
void test_reads(void)
{
	uint8_t all[CFG], some[64];
	unsigned int off, len, wrong = 0;
	struct vfio v;

	fresh_open(0, &v);
	cfg_put(&v, PASID + 6, 2, 5);
	cfg_put(&v, PRI + 0xc, 4, 0x12345678);
	cfg_read(&v, 0, all, CFG);
	for (off = PRI - 36; off < PASID + 16; off++) {
		for (len = 1; len <= 40; len++) {
			memset(some, 0xa5, sizeof(some));
			if (cfg_read(&v, off, some, len) != (int)len ||
			    memcmp(some, all + off, len))
				wrong++;
		}
	}
	same(wrong, 0, "reads of every length at every offset");
	same(cfg_read(&v, 0xffc, some, 8), -EFAULT, "a read past the end is refused as stock does");
	same(cfg_read(&v, 0x1000, some, 1), -EFAULT, "and one behind it");
	vfio_close(&v);
}

/* The last bytes there are. */
void test_end(void)
{
	struct fn fn = fresh(NIC, 2);
	struct vfio v;

	turn_to(&fn, "pasid_offset", 0xff8);
	ok(vfio_open(&v, &fn), "PASID at the very end");
	same(cfg_get(&v, 0xffc, 4), 0x1406, "is read");
	same(cfg_write(&v, 0xffe, "\xff\xff\xff\xff", 4), -EFAULT,
	     "a write past the end is refused");
	same(cfg_get(&v, 0xffe, 2), 0, "all of it");
	same(cfg_put(&v, 0xffe, 2, 0xffff), 2, "the last register is written");
	same(cfg_get(&v, 0xffe, 2), 7, "under its mask");
	vfio_close(&v);
}

void test_masks(void)
{
	struct vfio v;

	fresh_open(0, &v);
	cfg_put(&v, PASID, 4, 0xffffffff);
	same(cfg_get(&v, PASID, 4), 0x0001001b, "PASID header: read-only");
	cfg_put(&v, PASID + 4, 2, 0xffff);
	same(cfg_get(&v, PASID + 4, 2), 0x1406, "PASID capability: read-only");
	cfg_put(&v, PASID + 4, 4, 0xffffffff);
	same(cfg_get(&v, PASID + 4, 4), 0x00071406, "PASID control: three bits");
	cfg_put(&v, PASID + 6, 1, 0x01);
	same(cfg_get(&v, PASID + 6, 2), 1, "PASID control: by a byte");
	cfg_put(&v, PASID + 7, 1, 0xff);
	same(cfg_get(&v, PASID + 6, 2), 1, "PASID control: nothing in its upper byte");
	cfg_put(&v, PRI + 4, 2, 1);
	same(cfg_get(&v, PRI + 4, 4), 0x80000001, "PRI enabled is not stopped");
	cfg_put(&v, PRI + 6, 2, 0xffff);
	same(cfg_get(&v, PRI + 4, 4), 0x80000001, "PRI status: no bit can be set");
	cfg_put(&v, PRI + 8, 4, 0);
	same(cfg_get(&v, PRI + 8, 4), 512, "PRI capacity: read-only");
	cfg_put(&v, PRI + 0xc, 4, 0xdeadbeef);
	same(cfg_get(&v, PRI + 0xc, 4), 0xdeadbeef, "PRI allocation: read and write");
	cfg_put(&v, PRI + 4, 2, 2);
	same(cfg_get(&v, PRI + 4, 4), 0x81000000, "PRI switched off is stopped, and RESET reads 0");
	vfio_close(&v);
}

/* Random writes over both and their neighbourhood, against the core's shadow; counted on the bus. */
void test_writes(void)
{
	static struct vfcap_plan plan;
	struct vfcap_wish wish = { .want = { true, true } };
	uint32_t before[CFG / 4], after[CFG / 4];
	uint8_t bytes[64], want[64], got[64];
	unsigned int i, off, len, n, done, wrong = 0, through = 0;
	struct vfcap_shadow shadow;
	struct vfio v;
	struct fn fn = fresh_open(0, &v);
	bool inside;

	plan_for(&plan, &fn, &wish);
	vfcap_shadow_init(&shadow, &plan, NULL);
	read_writes(&fn, before);
	srand(1);
	for (i = 0; i < 4000; i++) {
		off = PRI - 16 + (unsigned int)rand() % 48;
		len = 1 + (unsigned int)rand() % 32;
		for (n = 0; n < len; n++)
			bytes[n] = (uint8_t)(rand() >> 8);
		if (cfg_write(&v, off, bytes, len) != (int)len)
			wrong++;
		for (done = 0; done < len; done += n) {
			n = vfcap_shadow_span(&shadow, off + done, len - done, &inside);
			if (inside)
				vfcap_shadow_write(&shadow, off + done, n, bytes + done);
		}
		cfg_read(&v, PRI, got, 24);
		vfcap_shadow_read(&shadow, PRI, 16, want);
		vfcap_shadow_read(&shadow, PASID, 8, want + 16);
		wrong += memcmp(got, want, 24) != 0;
	}
	same(wrong, 0, "random writes of every length leave what the core says");
	read_writes(&fn, after);
	for (i = PRI / 4; i < (PASID + 8) / 4; i++)
		through += after[i] - before[i];
	same(through, 0, "none of them reached the hardware");
	ok(after[PRI / 4 - 1] > before[PRI / 4 - 1] &&
		   after[(PASID + 8) / 4] > before[(PASID + 8) / 4],
	   "and their neighbours' did");
	vfio_close(&v);
}

/* One hammers at the control, one resets; whatever is read meanwhile was masked. */
struct race {
	const struct vfio *v;
	volatile bool stop;
	unsigned int rounds;
};

static void *hammer(void *arg)
{
	struct race *race = arg;
	uint8_t ones[24];

	memset(ones, 0xff, sizeof(ones));
	while (!race->stop) {
		cfg_write(race->v, PRI, ones, sizeof(ones));
		cfg_put(race->v, PASID + 6, 2, 0);
		race->rounds++;
	}
	return NULL;
}

static void *reset_again(void *arg)
{
	struct race *race = arg;

	while (!race->stop)
		ioctl(race->v->device, VFIO_DEVICE_RESET);
	return NULL;
}

void test_race(void)
{
	static const uint8_t may[24] = { 0x13, 0, 0x01, 0x1c, 0x01, 0,	  0,	0x81,
					 0,    2, 0,	0,    0xff, 0xff, 0xff, 0xff,
					 0x1b, 0, 0x01, 0,    0x06, 0x14, 0x07, 0 };
	unsigned int i, k, wrong = 0;
	pthread_t threads[2];
	struct race race;
	uint8_t got[24];
	struct vfio v;

	fresh_open(0, &v);
	race = (struct race){ .v = &v };
	pthread_create(&threads[0], NULL, hammer, &race);
	pthread_create(&threads[1], NULL, reset_again, &race);
	for (i = 0; i < 20000 || !race.rounds; i++) {
		cfg_read(&v, PRI, got, sizeof(got));
		for (k = 0; k < sizeof(got); k++)
			wrong += (got[k] & ~may[k]) != 0;
	}
	race.stop = true;
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	same(wrong, 0, "no reader sees a bit that was not masked (%u rounds)", race.rounds);
	vfio_close(&v);
}

static void dirty(const struct vfio *v)
{
	cfg_put(v, PASID + 6, 2, 7);
	cfg_put(v, PRI + 4, 2, 1);
	cfg_put(v, PRI + 0xc, 4, 99);
}

static bool is_dirty(const struct vfio *v)
{
	return cfg_get(v, PASID + 4, 4) == 0x00071406 && cfg_get(v, PRI + 4, 4) == 0x80000001 &&
	       cfg_get(v, PRI + 0xc, 4) == 99;
}

static bool is_clean(const struct vfio *v)
{
	return cfg_get(v, PASID + 4, 4) == 0x00001406 && cfg_get(v, PRI + 4, 4) == 0x81000000 &&
	       cfg_get(v, PRI + 8, 4) == 512 && cfg_get(v, PRI + 0xc, 4) == 0 &&
	       cfg_get(v, PASID, 4) == 0x0001001b &&
	       cfg_get(v, PRI, 4) == (0x00010013 | PASID << 20);
}

void test_resets(void)
{
	struct vfio v;
	struct fn fn = fresh_open(0, &v);

	dirty(&v);
	ok(is_dirty(&v), "controls are set");
	ok(!ioctl(v.device, VFIO_DEVICE_RESET) && is_clean(&v), "VFIO_DEVICE_RESET clears them");
	dirty(&v);
	cfg_put(&v, EXPRESS + 8, 2, 0x8000);
	ok(is_clean(&v), "a guest's FLR clears them");
	dirty(&v);
	same(put("1", "devices/%s/reset", fn.addr), 0, "a reset by sysfs");
	ok(is_clean(&v), "clears them");
	dirty(&v);
	vfio_close(&v);
	ok(vfio_open(&v, &fn) && is_clean(&v), "and so does another open");
	ok(!ioctl(v.device, VFIO_DEVICE_RESET) && is_clean(&v), "clean stays clean");
	vfio_close(&v);
	same(put("1", "devices/%s/reset", fn.addr), 0, "a reset of the closed device");
	ok(vfio_open(&v, &fn) && is_clean(&v), "harms nothing");
	vfio_close(&v);
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* On slow hardware, what is emulated is as fast as ever. */
void test_delay(void)
{
	double start, raw, ours;
	struct vfio v;
	int i;

	fresh_open(0, &v);
	put("1000000", "../../module/vfcap_testbus/parameters/delay");
	start = seconds();
	for (i = 0; i < 20; i++)
		cfg_get(&v, 0x800, 4);
	raw = seconds() - start;
	start = seconds();
	for (i = 0; i < 20; i++)
		cfg_get(&v, PASID + 4, 4);
	ours = seconds() - start;
	put("0", "../../module/vfcap_testbus/parameters/delay");
	ok(raw >= 0.02, "20 reads of slow hardware take their time (%.3f s)", raw);
	ok(ours < raw / 2, "and of what is emulated do not (%.3f s)", ours);
	vfio_close(&v);
}
