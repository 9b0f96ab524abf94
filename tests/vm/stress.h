/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the stress is held against: the driver's answers, out of the core and of images at hand. */
#ifndef VFCAP_VM_STRESS_H
#define VFCAP_VM_STRESS_H

#include <pthread.h>

#include "../../src/uapi/vfcap-vfio.h"
#include "vm-test.h"

/* What is wanted of a VF. */
struct wanted {
	unsigned int offset[VFCAP_EMULS];
	unsigned int width; /* PASID bits, 0: the PF's */
};

enum hidden { SHOWN, PF_OFF, PF_UNREADABLE, CONFLICT };

/* A PF, as it is now. */
struct pf {
	uint8_t image[CFG];
	unsigned int at[VFCAP_EMULS]; /* where Linux has found its capabilities, 0: nowhere */
	unsigned int noted; /* what Linux has switched on, one bit each */
};

/* A VF, as it always is. */
struct vf {
	uint8_t image[CFG];
	uint8_t stock[CFG]; /* what stock vfio-pci shows */
	bool overruns; /* no driver opens it */
	bool loops; /* Linux says a thousand things of it at each open: it is never opened */
	unsigned int own[VFCAP_EMULS]; /* where it has capabilities of its own, 0: nowhere */
};

/* What an open VF shows. */
struct shown {
	struct vfcap_shadow shadow;
	enum hidden hidden[VFCAP_EMULS];
};

/* Room to work in: one for each thread. */
struct model;
struct model *model_new(void);

void model_vf(struct model *m, struct vf *vf);

void model_pf(struct model *m, struct pf *pf);

/* What a write to the knob gives: 0 or -errno. */
int model_check(struct model *m, const struct pf *pf, const struct vf *vf,
		const struct wanted *wanted);

/* What the open, or a VMM's SET, makes of it. */
void model_compose(struct model *m, const struct pf *pf, const struct vf *vf,
		   const struct wanted *wanted, struct shown *out);

/* What GET gives: 0 or -EIO. */
int model_get(const struct pf *pf, const struct shown *shown, struct vfcap_vfio_emulated *out);

/* What the attribute "state" says. */
void model_state(char text[128], const struct pf *pf, const struct wanted *knob,
		 const struct shown *shown, bool is_open);

/* Lays what is shown over a view of stock vfio-pci. */
void model_overlay(uint8_t view[CFG], const struct vfcap_shadow *shadow);

/* --------------------------------------------------------------------------- what is at work -- */

/* How often what was done. */
enum count {
	KNOB_WRITES,
	FEATURE_CALLS,
	ACCESSES,
	SHADOW_WRITES,
	OPENS,
	RESETS,
	BINDINGS,
	LOOKS,
	PF_CHANGES,
	RENEWALS,
	REMOVALS,
	RACED, /* steps whose outcome a change of the PF left open */
	SETTLED, /* steps whose outcome was certain */
	COUNTS
};

/* A PF with its VFs: from the first one on those that one thread each has, then those that all
 * are at. */
struct world {
	unsigned int domain;
	unsigned int n_vfs, workers, crowds;
	struct vf *vf; /* n_vfs of them */
	pthread_mutex_t lock; /* of all that follows */
	struct pf pf;
	unsigned int generation; /* odd while the PF is being changed */
	unsigned int steps; /* that were begun with it */
	unsigned int epoch; /* how often its VFs were made */
	bool removing; /* whoever has one open has to close it */
};

struct thread {
	pthread_t id;
	void *(*run)(void *thread);
	struct world *world;
	unsigned int index; /* among those of its kind in that world */
	uint64_t seed;
	struct model *model;
	_Atomic unsigned int step;
	const char *volatile at; /* what it is doing */
	_Atomic bool ended;
};

/* A number below n. */
unsigned int pick(uint64_t *seed, unsigned int n);

bool is_over(void);

void count(enum count what, unsigned int n);

/* The driver did what it should not. */
void deviation(struct thread *t, const struct fn *fn, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* What a PF is like; false while its VFs are being removed. */
bool look_at(struct world *w, struct pf *pf, unsigned int *generation, unsigned int *epoch);

/* Has nothing of a PF changed since, nor was it changing then? */
bool is_settled(struct world *w, unsigned int generation);

/* Has one VF after another, and holds all that it does against the model. */
void *work(void *thread);

/* Does anything to a VF that others do anything to, too, and looks whether what a guest sees
 * makes sense. */
void *crowd(void *thread);

/* Reads what anybody may read, of any VF, all the time. */
void *look_on(void *thread);

/* Changes the PF, and removes its VFs. */
void *change(void *thread);

/* Opens a VF where others are in the way for a while. 0 or -errno. */
int stress_open(struct vfio *v, const struct fn *fn, struct world *w);

/* A write to the knob: which attribute and text, what is wanted then. Returns what is wrong with
 * the text. */
int random_text(uint64_t *seed, const struct pf *pf, struct wanted *wanted, const char **attr,
		char text[32]);

#endif
