// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * faults [-l] [-v] [-j JOBS] [-n RUNS -s SEED] [CASE...]: tries all faults, or RUNS of them that SEED picks, or those
 * whose names match a CASE, which may be a glob. -l: only prints their names; -v: what comes of each. Prints TAP: a result
 * for each command and kind of fault; what is wrong, case by case, is written to faults/failed in the build directory.
 */
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <getopt.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "faults.h"

#define STRIDE 10000 /* cases after which it is told how far it is */
#define MOST_JOBS 64

struct plan {
	struct trials trials;
	size_t room;
	atomic_size_t *next;
	struct expected *expected; /* by scenario */
	char *const *pattern;
	bool verbose;
};

/* ---------------------------------------------------------------------------------------- cases -- */

static bool is_wanted(const struct plan *plan, const struct scenario *sc, const struct fault *fault)
{
	char name[NAME_ROOM];

	if (!plan->pattern[0])
		return true;
	fault_name(sc, fault, name);
	for (char *const *p = plan->pattern; *p; p++)
		if (fnmatch(*p, name, 0) == 0)
			return true;
	return false;
}

static void add_trial(struct plan *plan, const struct scenario *sc, const struct fault *fault)
{
	if (!(sc->kinds & 1u << fault->kind) || !is_wanted(plan, sc, fault))
		return;
	if (plan->trials.n == plan->room) {
		plan->room = plan->room ? 2 * plan->room : 4096;
		plan->trials.trial =
			realloc(plan->trials.trial, plan->room * sizeof(*plan->trials.trial));
		if (!plan->trials.trial)
			die("%s", strerror(ENOMEM));
	}
	plan->trials.trial[plan->trials.n++] = (struct trial){ sc, *fault };
}

/*
 * strace counts the calls of each process. A call of vfcap's is told apart by not following its children,
 * unless none of them makes as many; one of a child, by calls of no effect that it makes before.
 */
static bool tell_apart(const struct calls *calls, struct fault *fault)
{
	const struct call *call = &fault->call;
	int elsewhere = 0;

	if (call->process) {
		fault->follow = true;
		/* vfcap makes more than ever when it has to take back what it did. */
		fault->pads = 4 * calls_count(calls, call->syscall, -1) + 100;
		return call->syscall->nr >= 0;
	}
	for (size_t i = 0; i < calls->n; i++)
		if (calls->call[i].process && calls->call[i].syscall == call->syscall &&
		    calls->call[i].nth > elsewhere)
			elsewhere = calls->call[i].nth;
	fault->follow = elsewhere < call->nth; /* which is faster */
	fault->pads = 0;
	return true;
}

static void add_errors(struct plan *plan, const struct scenario *sc, struct fault fault)
{
	const struct syscall *s = fault.call.syscall;

	fault.kind = KIND_ERRORS;
	for (size_t i = 0; i < ARRAY_LEN(s->err) && s->err[i]; i++) {
		if (s->err[i] == EACCES && fault.call.is_open)
			continue;
		fault.value = s->err[i];
		add_trial(plan, sc, &fault);
	}
	for (size_t i = 0; fault.call.creates && i < ARRAY_LEN(s->creating) && s->creating[i];
	     i++) {
		fault.value = s->creating[i];
		add_trial(plan, sc, &fault);
	}
}

static void add_calls(struct plan *plan, const struct scenario *sc, const struct calls *calls)
{
	static const int stops[] = { SIGTERM, SIGINT };

	for (size_t i = 0; i < calls->n; i++) {
		struct fault fault = { .call = calls->call[i] };

		if (!tell_apart(calls, &fault))
			continue;
		add_errors(plan, sc, fault);
		if (strcmp(fault.call.syscall->name, "exit_group") == 0)
			continue; /* there is nothing left to be ended */
		fault.kind = KIND_KILLS;
		fault.value = SIGKILL;
		add_trial(plan, sc, &fault);
		fault.again = true;
		fault.value = SIGTERM;
		if (!fault.call.process)
			add_trial(plan, sc, &fault);
		fault.again = false;
		fault.kind = KIND_STOPS;
		for (size_t s = 0; s < ARRAY_LEN(stops); s++) {
			fault.value = stops[s];
			add_trial(plan, sc, &fault);
		}
	}
}

/* Can the name of one of its faults match? */
static bool may_be_wanted(const struct plan *plan, const struct scenario *sc)
{
	char head[NAME_ROOM];

	for (char *const *p = plan->pattern; *p; p++) {
		snprintf(head, sizeof(head), "%.*s", (int)strcspn(*p, ":"), *p);
		if (fnmatch(head, sc->name, 0) == 0)
			return true;
	}
	return !plan->pattern[0];
}

static void add_scenario(struct plan *plan, struct worker *w, const struct scenario *sc)
{
	struct fault fault = { .kind = KIND_MEMORY };
	struct calls calls;
	long n;

	if (sc->kinds & ~(1u << KIND_MEMORY)) {
		worker_host(w, sc->start);
		run_traced(w, sc, &calls);
		add_calls(plan, sc, &calls);
		free(calls.call);
	}
	worker_host(w, sc->start);
	n = run_counted(w, sc);
	if (!n)
		die("%s: no allocations were counted", sc->name);
	for (fault.value = 1; fault.value <= n; fault.value++)
		add_trial(plan, sc, &fault);
}

/* ---------------------------------------------------------------------------------------- starts -- */

static const struct scenario *scenario_named(const char *name)
{
	for (size_t i = 0; i < n_scenarios; i++)
		if (strcmp(scenarios[i].name, name) == 0)
			return &scenarios[i];
	die("%s: no such scenario", name);
}

/* Kills a run before the nth of so many parts of its calls of that name, counted from the begin of vfcap. */
static void start_killed(struct worker *w, enum start start, const char *name, const char *syscall,
			 unsigned int part, unsigned int of)
{
	const struct scenario *sc = scenario_named(name);
	struct fault fault = { .kind = KIND_KILLS, .value = SIGKILL };
	struct result r;
	struct calls calls;
	int n = 0;

	worker_host(w, sc->start);
	run_traced(w, sc, &calls);
	for (size_t i = 0; i < calls.n; i++)
		if (!calls.call[i].process && strcmp(calls.call[i].syscall->name, syscall) == 0)
			fault.call = calls.call[i];
	n = fault.call.nth;
	free(calls.call);
	if (!n)
		die("%s: makes no %s", name, syscall);
	fault.call.nth = n * (int)part / (int)of;
	worker_host(w, sc->start);
	run(w, sc, &fault, &r);
	if (!tree_has(w->host, UNDO))
		die("%s: was killed, and left no log: %s", name, r.err);
	worker_keep(w, start);
}

static void make_world(struct worker *w)
{
	char command[1024];

	snprintf(command, sizeof(command), "'%s/mkhost' '%s/tests/faults/world.host' '%s/host'",
		 paths.build, paths.source, w->dir);
	if (system(command))
		die("%s", command);
	worker_reopen(w);
	played_begin(w->host);
	worker_keep(w, START_PLAIN);
}

static void start_by(struct worker *w, enum start start, const char *name)
{
	const struct scenario *sc = scenario_named(name);
	struct result r;
	char out[1024];

	worker_host(w, sc->start);
	run(w, sc, NULL, &r);
	tree_get(out, sizeof(out), AT_FDCWD, "%s/out", w->dir);
	if (!WIFEXITED(r.status) || WEXITSTATUS(r.status))
		die("%s: status %x without a fault\n%s%s", name, r.status, r.err, out);
	worker_keep(w, start);
}

static void make_starts(struct worker *w)
{
	make_world(w);
	played_write(w->host, "sys/devices/pci0000:01/" PF "/sriov_numvfs", "0\n");
	worker_keep(w, START_NONE);
	worker_host(w, START_PLAIN);
	played_hold(w->host, VFS - 1);
	worker_keep(w, START_HELD);
	start_by(w, START_ENABLED, "enable");
	played_elsewhere(w->host, 0);
	worker_keep(w, START_ELSEWHERE);
	start_by(w, START_KEPT, "enable-persist");
	worker_host(w, START_PLAIN);
	tree_mkdir(w->host, "etc/vfcap.d");
	tree_put(descriptions[0].text, w->host, "etc/vfcap.d/a.json");
	worker_keep(w, START_DESCRIBED);
	start_killed(w, START_EARLY, "enable", "fdatasync", 1, 4);
	start_killed(w, START_LATE, "enable", "fdatasync", 3, 4);
	start_killed(w, START_DONE, "enable", "renameat", 1, 1);
	start_killed(w, START_COUNT, "apply-fewer", "fdatasync", 1, 2);
}

/* -------------------------------------------------------------------------------------- working -- */

static void show(const char *name, const char *look, const struct result *r, const char *why)
{
	printf("# %s: %s\n#   status %x, %s\n", name, *why ? why : "well", r->status, look);
	if (r->call[0])
		printf("#   %s\n", r->call);
	for (const char *line = r->err; *line; line += strcspn(line, "\n"), line += *line == '\n')
		printf("#   stderr: %.*s\n", (int)strcspn(line, "\n"), line);
	fflush(stdout);
}

static void try(struct worker *w, struct plan *plan, size_t i)
{
	const struct trial *t = &plan->trials.trial[i];
	struct outcome *o = &plan->trials.outcome[i];
	char name[NAME_ROOM], look[LOOK_ROOM];
	struct result r = { .reached = false };

	/* A call more or less, as when openat2() says EAGAIN while something is renamed, and the fault is passed by. */
	for (int tries = 0; tries < 3 && !r.reached; tries++) {
		worker_host(w, t->sc->start);
		run(w, t->sc, &t->fault, &r);
	}
	fault_name(t->sc, &t->fault, name);
	worker_look(w, look);
	judge(w, t->sc, &plan->expected[t->sc - scenarios], &t->fault, &r, &o->verdict);
	if (plan->verbose)
		show(name, look, &r, o->verdict.why);
	if (plan->verbose && o->verdict.why[0])
		run_compare(w, t->sc);
	strcpy(o->call, r.call);
	o->done = true;
}

static void work(struct plan *plan, unsigned int number)
{
	struct worker w = { 0 };
	char name[16];
	size_t i;

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	snprintf(name, sizeof(name), "w%u", number);
	worker_begin(&w, name);
	while ((i = atomic_fetch_add(plan->next, 1)) < plan->trials.n)
		try(&w, plan, i);
	worker_end(&w);
}

static void *shared(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		die("mmap: %s", strerror(errno));
	return p;
}

/* SIGTERM and SIGINT, which are blocked, end it: what was tried until then is reported. */
static void wait_for_workers(const struct plan *plan, const pid_t *pid, unsigned int jobs)
{
	const struct timespec pause = { .tv_sec = 1 };
	size_t told = 0, n;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	while (waitpid(-1, NULL, WNOHANG) >= 0) {
		n = atomic_load(plan->next);
		if (n >= told + STRIDE && n < plan->trials.n) {
			printf("# %zu of %zu\n", n, plan->trials.n);
			fflush(stdout);
			told = n;
		}
		if (sigtimedwait(&set, NULL, &pause) < 0)
			continue;
		for (unsigned int i = 0; i < jobs; i++)
			kill(pid[i], SIGKILL);
	}
}

static void work_all(struct plan *plan, unsigned int jobs)
{
	pid_t pid[MOST_JOBS];
	sigset_t set;

	plan->trials.outcome = shared((plan->trials.n + 1) * sizeof(*plan->trials.outcome));
	plan->next = shared(sizeof(*plan->next));
	fflush(stdout);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	for (unsigned int i = 0; i < jobs; i++) {
		pid[i] = fork();
		if (pid[i] < 0)
			die("fork: %s", strerror(errno));
		if (pid[i] == 0) {
			work(plan, i);
			exit(0);
		}
	}
	wait_for_workers(plan, pid, jobs);
}

/* ------------------------------------------------------------------------------------------ main -- */

/* So many of them, spread at random over all. */
static void pick(struct plan *plan, size_t runs, uint64_t seed)
{
	size_t n = 0, left = plan->trials.n;

	for (size_t i = 0; i < plan->trials.n; i++, left--) {
		seed += 0x9e3779b97f4a7c15; /* splitmix64 */
		uint64_t z = seed;

		z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
		z = (z ^ z >> 27) * 0x94d049bb133111eb;
		z ^= z >> 31;
		if (z % left < runs - (n < runs ? n : runs))
			plan->trials.trial[n++] = plan->trials.trial[i];
	}
	plan->trials.n = n;
}

static const char *need(const char *name)
{
	const char *value = getenv(name);

	if (!value)
		die("%s is not set: tests/faults/run sets it", name);
	return value;
}

/* Also when something went wrong; workers leave it to their parent. */
static void clean_up(void)
{
	if (getpid() == paths.owner)
		tree_remove(AT_FDCWD, "%s", paths.base);
}

static void begin(void)
{
	const char *tmp = getenv("TMPDIR");

	if (!tmp)
		tmp = access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm";
	paths.vfcap = need("VFCAP");
	paths.build = need("VFCAP_BUILD");
	paths.source = need("VFCAP_SOURCE");
	snprintf(paths.kernel_so, sizeof(paths.kernel_so), "%s/faults/kernel.so", paths.build);
	snprintf(paths.malloc_so, sizeof(paths.malloc_so), "%s/faults/malloc.so", paths.build);
	snprintf(paths.base, sizeof(paths.base), "%s/vfcap-faults.XXXXXX", tmp);
	if (!mkdtemp(paths.base))
		die("%s: %s", paths.base, strerror(errno));
	paths.owner = getpid();
	atexit(clean_up);
}

static void enumerate(struct plan *plan)
{
	struct worker w = { 0 };

	plan->expected = calloc(n_scenarios, sizeof(*plan->expected));
	if (!plan->expected)
		die("%s", strerror(ENOMEM));
	worker_begin(&w, "first");
	make_starts(&w);
	for (size_t i = 0; i < n_scenarios; i++) {
		size_t n = plan->trials.n;

		if (may_be_wanted(plan, &scenarios[i]))
			add_scenario(plan, &w, &scenarios[i]);
		if (plan->trials.n > n)
			expect(&w, &scenarios[i], &plan->expected[i]);
	}
	worker_end(&w);
}

int main(int argc, char **argv)
{
	unsigned int jobs = (unsigned int)sysconf(_SC_NPROCESSORS_ONLN);
	struct plan plan = { 0 };
	size_t runs = 0;
	uint64_t seed = 1;
	bool list = false, well = true;
	char name[NAME_ROOM];
	int c;

	while ((c = getopt(argc, argv, "lvj:n:s:")) >= 0) {
		list |= c == 'l';
		plan.verbose |= c == 'v';
		jobs = c == 'j' ? (unsigned int)atoi(optarg) : jobs;
		runs = c == 'n' ? strtoul(optarg, NULL, 10) : runs;
		seed = c == 's' ? strtoull(optarg, NULL, 10) : seed;
		if (c == '?')
			return 2;
	}
	plan.pattern = argv + optind;
	jobs = jobs > MOST_JOBS ? MOST_JOBS : jobs;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	begin();
	enumerate(&plan);
	if (runs)
		printf("# %zu of %zu faults, by seed %llu\n", runs, plan.trials.n,
		       (unsigned long long)seed);
	if (runs)
		pick(&plan, runs, seed);
	for (size_t i = 0; list && i < plan.trials.n; i++) {
		fault_name(plan.trials.trial[i].sc, &plan.trials.trial[i].fault, name);
		printf("%s\n", name);
	}
	if (!list) {
		work_all(&plan, jobs);
		well = report(&plan.trials);
	}
	return !well;
}
