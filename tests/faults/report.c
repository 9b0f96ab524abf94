// SPDX-License-Identifier: GPL-2.0-or-later
/* What came of all faults: results as TAP, a list of what is wrong, tables for tests/RELIABILITY.md. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "faults.h"

#define SHOWN 12 /* cases of one result */

static const char *const kind_names[KINDS] = { [KIND_ERRORS] = "failed system calls",
					       [KIND_KILLS] = "kills",
					       [KIND_STOPS] = "SIGTERM and SIGINT",
					       [KIND_MEMORY] = "failed allocations" };

void fault_name(const struct scenario *sc, const struct fault *fault, char name[NAME_ROOM])
{
	char process[16] = "";

	if (fault->kind == KIND_MEMORY) {
		snprintf(name, NAME_ROOM, "%s:memory:%d", sc->name, fault->value);
		return;
	}
	if (fault->call.process)
		snprintf(process, sizeof(process), "child%d.", fault->call.process);
	snprintf(name, NAME_ROOM, "%s:%s%s:%d:%s%s%s", sc->name, process, fault->call.syscall->name,
		 fault->call.nth, fault->kind == KIND_ERRORS ? "" : "SIG",
		 fault->kind == KIND_ERRORS ? strerrorname_np(fault->value) :
					      sigabbrev_np(fault->value),
		 fault->again ? "+" : "");
}

/* Which of them are counted together. */
struct group {
	const struct scenario *sc; /* NULL: all */
	enum kind kind; /* KINDS: all */
	int value; /* 0: all */
};

struct tally {
	size_t n, calls, left[LEFTS], said, answered, crashed, wrong;
};

static bool is_of(const struct trial *t, const struct group *group)
{
	return (!group->sc || t->sc == group->sc) &&
	       (group->kind == KINDS || t->fault.kind == group->kind) &&
	       (!group->value || t->fault.value == group->value);
}

static bool is_wrong(const struct outcome *o)
{
	return !o->done || o->verdict.why[0];
}

/* Is that another call than the one before, or did that fail only otherwise? */
static bool is_other_call(const struct call *a, const struct call *b)
{
	return a->syscall != b->syscall || a->process != b->process || a->nth != b->nth;
}

static struct tally count(const struct trials *trials, const struct group *group)
{
	const struct call *last = NULL;
	struct tally tally = { 0 };

	for (size_t i = 0; i < trials->n; i++) {
		const struct trial *t = &trials->trial[i];
		const struct outcome *o = &trials->outcome[i];

		if (!is_of(t, group))
			continue;
		tally.n++;
		tally.calls += !last || is_other_call(last, &t->fault.call);
		tally.left[o->verdict.left]++;
		tally.said += o->verdict.said;
		tally.answered += o->verdict.answered;
		tally.crashed += strncmp(o->verdict.why, "dies of", strlen("dies of")) == 0;
		tally.wrong += is_wrong(o);
		last = &t->fault.call;
	}
	return tally;
}

/* ------------------------------------------------------------------------------------------- TAP -- */

static void list_wrong(const struct trials *trials, const struct group *group, FILE *failed)
{
	char name[NAME_ROOM];
	size_t shown = 0;

	for (size_t i = 0; i < trials->n; i++) {
		const struct outcome *o = &trials->outcome[i];
		const char *why = o->done ? o->verdict.why : "not tried";

		if (!is_of(&trials->trial[i], group) || !is_wrong(o))
			continue;
		fault_name(trials->trial[i].sc, &trials->trial[i].fault, name);
		fprintf(failed, "%s: %s: %s\n", name, why, o->call);
		if (shown++ < SHOWN)
			printf("# tests/faults/run '%s': %s\n", name, why);
	}
}

/* How many results there are. */
static size_t print_results(const struct trials *trials, FILE *failed)
{
	size_t number = 0;

	for (size_t i = 0; i < n_scenarios; i++)
		for (enum kind kind = 0; kind < KINDS; kind++) {
			const struct group group = { .sc = &scenarios[i], .kind = kind };
			struct tally tally = count(trials, &group);

			if (!tally.n)
				continue;
			printf("%sok %zu - %s: %zu %s", tally.wrong ? "not " : "", ++number,
			       scenarios[i].name, tally.n, kind_names[kind]);
			printf(tally.wrong ? ", %zu of them wrong\n" : "\n", tally.wrong);
			if (tally.wrong)
				list_wrong(trials, &group, failed);
		}
	return number;
}

/* ---------------------------------------------------------------------------------------- tables -- */

static void put_left(FILE *f, const struct tally *tally)
{
	fprintf(f, " %zu | %zu | %zu |", tally->left[LEFT_OLD], tally->left[LEFT_NEW],
		tally->left[LEFT_LOG]);
}

static void put_errors(FILE *f, const struct trials *trials)
{
	fprintf(f, "| command | system calls | runs | old state | new state | mended | wrong |\n");
	fprintf(f, "|---|--:|--:|--:|--:|--:|--:|\n");
	for (size_t i = 0; i < n_scenarios; i++) {
		const struct group group = { .sc = &scenarios[i], .kind = KIND_ERRORS };
		struct tally tally = count(trials, &group);

		if (!tally.n)
			continue;
		fprintf(f, "| %s | %zu | %zu |", scenarios[i].name, tally.calls, tally.n);
		put_left(f, &tally);
		fprintf(f, " %zu |\n", tally.wrong);
	}
}

static void put_signals(FILE *f, const struct trials *trials)
{
	static const struct group groups[] = { { NULL, KIND_KILLS, SIGKILL },
					       { NULL, KIND_STOPS, SIGTERM },
					       { NULL, KIND_STOPS, SIGINT },
					       { NULL, KIND_KILLS, SIGTERM } };

	fprintf(f, "\n| signal | runs | old state | new state | mended | said | wrong |\n");
	fprintf(f, "|---|--:|--:|--:|--:|--:|--:|\n");
	for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
		struct tally tally = count(trials, &groups[i]);

		fprintf(f, "| SIG%s%s | %zu |", sigabbrev_np(groups[i].value),
			groups[i].kind == KIND_KILLS && groups[i].value == SIGTERM ? ", twice" : "",
			tally.n);
		put_left(f, &tally);
		fprintf(f, " %zu | %zu |\n", tally.said, tally.wrong);
	}
}

static void put_memory(FILE *f, const struct trials *trials)
{
	fprintf(f, "\n| command | allocations | right answer | said | crashed | wrong |\n");
	fprintf(f, "|---|--:|--:|--:|--:|--:|\n");
	for (size_t i = 0; i < n_scenarios; i++) {
		const struct group group = { .sc = &scenarios[i], .kind = KIND_MEMORY };
		struct tally tally = count(trials, &group);

		if (tally.n)
			fprintf(f, "| %s | %zu | %zu | %zu | %zu | %zu |\n", scenarios[i].name,
				tally.n, tally.answered, tally.said, tally.crashed, tally.wrong);
	}
}

static FILE *create(const char *name, char path[512])
{
	FILE *f;

	snprintf(path, 512, "%s/faults/%s", paths.build, name);
	f = fopen(path, "we");
	if (!f)
		die("%s: %s", path, strerror(errno));
	return f;
}

bool report(const struct trials *trials)
{
	const struct group all = { .kind = KINDS };
	struct tally tally = count(trials, &all);
	char failed_path[512], table_path[512];
	FILE *failed = create("failed", failed_path), *table = create("table", table_path);

	printf("1..%zu\n", print_results(trials, failed));
	put_errors(table, trials);
	put_signals(table, trials);
	put_memory(table, trials);
	fclose(failed);
	fclose(table);
	printf("# %zu faults, %zu of them wrong: %s\n", tally.n, tally.wrong, failed_path);
	return !tally.wrong;
}
