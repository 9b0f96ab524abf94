/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Faults: vfcap runs over a played kernel, and each of its system calls and allocations fails in turn, or
 * is where it is killed. What comes of it is judged by what is left, said, and answered.
 */
#ifndef VFCAP_FAULTS_H
#define VFCAP_FAULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "played.h"
#include "tree.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define LOOK_ROOM 512
#define WHY_ROOM 240
#define NAME_ROOM 96
#define UNDO "run/vfcap/" PF ".undo"

/* ------------------------------------------------------------------------------------ scenarios -- */

/* What a run begins with. */
enum start {
	START_PLAIN, /* world.host */
	START_NONE, /* no VFs */
	START_HELD, /* a process has the last VF open */
	START_ENABLED, /* by enable */
	START_ELSEWHERE, /* and the first VF is bound elsewhere since */
	START_KEPT, /* by enable --persist */
	START_DESCRIBED, /* and a description in /etc/vfcap.d */
	START_EARLY, /* enable was killed, early or late, or when all was done but the record */
	START_LATE,
	START_DONE,
	START_COUNT, /* apply was killed with the VFs gone */
	START_DEMO, /* the demo host: nothing is played */
	STARTS
};

enum kind { KIND_ERRORS, KIND_KILLS, KIND_STOPS, KIND_MEMORY, KINDS };

struct scenario {
	const char *name;
	enum start start;
	bool changes; /* the host, rather than only reading it */
	unsigned int kinds; /* which faults; bits */
	const char *arg[8];
};

extern const struct scenario scenarios[];
extern const size_t n_scenarios;

/* A description for those that apply one. */
struct description {
	const char *name, *text;
};

extern const struct description descriptions[];
extern const size_t n_descriptions;

/* ---------------------------------------------------------------------------------------- calls -- */

/* A system call: what may become of it. */
struct syscall {
	const char *name;
	long nr; /* -1: it is not to be padded */
	int err[8]; /* 0 ends them */
	int creating[4]; /* and where it makes something */
};

extern const struct syscall syscalls[];

/* One that a run made. */
struct call {
	const struct syscall *syscall;
	int process; /* 0: vfcap itself; else its children, from 1 */
	int nth; /* of that name in that process */
	bool creates; /* a file */
	bool is_open; /* what it is about: nobody asks for permission any more */
};

#define CALLS_PROCESSES 256

struct calls {
	struct call *call;
	size_t n;
};

/* Reads what strace -f wrote, from where vfcap begins. Ends the program where it is not understood. */
void calls_read(struct calls *calls, const char *file);
/* The number of a process among those that came before, from 0; 0 ends pids. */
int calls_process(int pids[CALLS_PROCESSES], int pid);
/* How often the process made one of that name; -1: the most of all processes. */
int calls_count(const struct calls *calls, const struct syscall *syscall, int process);

/* --------------------------------------------------------------------------------------- faults -- */

struct fault {
	enum kind kind;
	struct call call; /* but for memory */
	int value; /* errno, signal, or which allocation */
	int pads; /* calls to be told apart by; 0: none are needed */
	bool follow; /* children, too */
	bool again; /* a signal that comes again */
};

/* ----------------------------------------------------------------------------------------- runs -- */

/* Where runs are made, one after the other. */
struct worker {
	char dir[128]; /* with the root "host" in it, and descriptions */
	char socket[160];
	int listener, host;
	enum start
		start; /* that the root is as, to the byte; STARTS: it is not, or that is not known */
	uint64_t digest; /* of the root when it was put there */
	struct known *known; /* what was judged of what was left */
	size_t n_known;
};

struct result {
	int status; /* as waitpid() gives it */
	bool late; /* it was ended for want of an end */
	bool reached; /* the fault came to pass */
	char call[160]; /* which one that was, as strace has it */
	uint64_t out; /* digest of standard output */
	uint64_t left; /* of the root, but for the demo host */
	char err[2048]; /* standard error, as far as it fits */
};

struct paths {
	char base[96]; /* what all is in, to be removed */
	pid_t owner;
	const char *vfcap, *build, *source;
	char kernel_so[256], malloc_so[256];
};

extern struct paths paths;

void worker_begin(struct worker *w, const char *name);
void worker_end(struct worker *w);
/* Puts a root there anew, unless it is as it was. */
void worker_host(struct worker *w, enum start start);
/* Keeps what is there as one. */
void worker_keep(struct worker *w, enum start start);
void worker_look(const struct worker *w, char look[LOOK_ROOM]);
uint64_t worker_digest(const struct worker *w);
/* The root is another directory than before. */
void worker_reopen(struct worker *w);

/* Runs vfcap there. fault: NULL: none. */
void run(struct worker *w, const struct scenario *sc, const struct fault *fault, struct result *r);
/* With arguments of its own. */
void run_args(struct worker *w, const char *const *arg, struct result *r);
/* Is that text in a line that the last run printed? */
bool run_printed(const struct worker *w, const char *text);
/* Prints in what its output, and what it left, are otherwise than without a fault. */
void run_compare(struct worker *w, const struct scenario *sc);
void run_traced(struct worker *w, const struct scenario *sc, struct calls *calls);
long run_counted(struct worker *w, const struct scenario *sc);

/* --------------------------------------------------------------------------------------- judging -- */

/* What there is without a fault. */
struct expected {
	int status;
	uint64_t out, before, after;
	bool undo, scratch; /* what it begins with */
	char first[LOOK_ROOM], start[LOOK_ROOM],
		end[LOOK_ROOM]; /* start: without what a killed run left */
	char start_disabled[LOOK_ROOM], end_disabled[LOOK_ROOM]; /* by disable afterwards */
};

/* What a run leaves of the host. */
enum left { LEFT_OLD, LEFT_NEW, LEFT_LOG, LEFT_OTHER, LEFTS };

struct verdict {
	char why[WHY_ROOM]; /* it is wrong; "": all is well */
	enum left left; /* of those that change the host */
	bool said; /* there is a message */
	bool answered; /* as without a fault */
};

void expect(struct worker *w, const struct scenario *sc, struct expected *e);
void judge(struct worker *w, const struct scenario *sc, const struct expected *e,
	   const struct fault *fault, const struct result *r, struct verdict *v);

/* ------------------------------------------------------------------------------------- reporting -- */

/* By which it can be tried again. */
void fault_name(const struct scenario *sc, const struct fault *fault, char name[NAME_ROOM]);

/* A case, and what came of it: shared by the workers. */
struct trial {
	const struct scenario *sc;
	struct fault fault;
};

struct outcome {
	bool done;
	struct verdict verdict;
	char call[160];
};

struct trials {
	struct trial *trial;
	struct outcome *outcome;
	size_t n;
};

/* Prints TAP; writes what is wrong, case by case, and tables of all to files. True: all is well. */
bool report(const struct trials *trials);

#endif
