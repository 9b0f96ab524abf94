// SPDX-License-Identifier: GPL-2.0-or-later
/* What comes of a fault: the old state, the new one, or a log that mends it; a message; no wrong answer. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "faults.h"

static const char *const disable[] = { "disable", PF, NULL };
static const char *const repair[] = { "status", "--repair", NULL };

/* The first one that is said stays. False. */
static bool wrong(char why[WHY_ROOM], const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static bool wrong(char why[WHY_ROOM], const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (!why[0])
		vsnprintf(why, WHY_ROOM, fmt, ap);
	va_end(ap);
	return false;
}

static bool ends_in(const char *name, const char *end)
{
	size_t len = strlen(name), n = strlen(end);

	return len >= n && strcmp(name + len - n, end) == 0;
}

/* A name of something that a run makes for itself. */
static bool has_scratch(const struct worker *w, char why[WHY_ROOM])
{
	static const char *const dirs[] = { "run/vfcap", "etc/vfcap.d" };
	bool found = false;

	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		int fd = openat(w->host, dirs[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		DIR *dir = fd < 0 ? NULL : fdopendir(fd);
		struct dirent *e;

		while (dir && (e = readdir(dir))) {
			if (e->d_name[0] == '.' ?
				    strlen(e->d_name) <= 2 :
				    ends_in(e->d_name, ".lock") || ends_in(e->d_name, ".record") ||
					    ends_in(e->d_name, ".undo") ||
					    ends_in(e->d_name, ".json"))
				continue;
			found = true;
			wrong(why, "left %s/%s", dirs[i], e->d_name);
		}
		if (dir)
			closedir(dir);
	}
	return found;
}

/* Its first line, for a message. */
static int first_line(const char *text)
{
	return (int)strcspn(text, "\n");
}

static bool exited(const struct result *r, int status)
{
	return !r->late && WIFEXITED(r->status) && WEXITSTATUS(r->status) == status;
}

/* ---------------------------------------------------------------------------------- what is left -- */

static void look_after_disable(struct worker *w, char look[LOOK_ROOM])
{
	struct result r;

	run_args(w, disable, &r);
	worker_look(w, look);
}

static bool mends(struct worker *w, char why[WHY_ROOM])
{
	struct result r;

	if (!tree_has(w->host, UNDO))
		return true;
	run_args(w, repair, &r);
	if (!exited(&r, 0))
		return wrong(why, "--repair ends with %x: %.*s", r.status, first_line(r.err),
			     r.err);
	if (tree_has(w->host, UNDO))
		return wrong(why, "--repair leaves the log: %.*s", first_line(r.err), r.err);
	return true;
}

void expect(struct worker *w, const struct scenario *sc, struct expected *e)
{
	struct result r, again;
	char why[WHY_ROOM] = "";

	worker_host(w, sc->start);
	run(w, sc, NULL, &again);
	worker_host(w, sc->start);
	e->before = w->digest;
	worker_look(w, e->first);
	if (w->host >= 0) {
		e->undo = tree_has(w->host, UNDO);
		e->scratch = has_scratch(w, why);
	}
	run(w, sc, NULL, &r);
	if (r.late || !WIFEXITED(r.status) || r.out != again.out || r.status != again.status)
		die("%s: not twice the same without a fault", sc->name);
	e->status = WEXITSTATUS(r.status);
	if (e->status && e->status != 3 && sc->changes)
		die("%s: exit status %d without a fault: %s", sc->name, e->status, r.err);
	e->out = r.out;
	e->after = r.left;
	worker_look(w, e->end);
	if (!sc->changes)
		return;
	look_after_disable(w, e->end_disabled);
	worker_host(w, sc->start);
	look_after_disable(w, e->start_disabled);
	/* Nobody goes back to what a killed run left. */
	worker_host(w, sc->start);
	why[0] = '\0';
	mends(w, why);
	worker_look(w, e->start);
	if (why[0])
		die("%s: %s", sc->name, why);
}

/* That it is as before, or as it was to be, and that the record says so, too. */
static bool is_whole(struct worker *w, const struct scenario *sc, const struct expected *e,
		     char why[WHY_ROOM])
{
	char look[LOOK_ROOM], later[LOOK_ROOM], saved[160], host[160];
	struct result r;
	bool ended;

	if (!mends(w, why))
		return false;
	worker_look(w, look);
	ended = strcmp(look, e->end) == 0;
	if (!ended && strcmp(look, e->start))
		return wrong(why, "left: %s", look);
	snprintf(host, sizeof(host), "%s/host", w->dir);
	snprintf(saved, sizeof(saved), "%s/saved", w->dir);
	tree_copy(host, saved);
	run_args(w, disable, &r);
	worker_look(w, later);
	tree_remove(AT_FDCWD, "%s", host);
	tree_move(AT_FDCWD, saved, host);
	worker_reopen(w);
	if (strcmp(later, e->end_disabled) && strcmp(later, e->start_disabled))
		return wrong(why, "disable then leads to: %s", later);
	if (strcmp(later, ended ? e->end_disabled : e->start_disabled) && strcmp(e->start, e->end))
		return wrong(why, "disable then leads to: %s", later);
	run(w, sc, NULL, &r);
	worker_look(w, later);
	if (!exited(&r, e->status) || strcmp(later, e->end))
		return wrong(why, "the same again ends with %x: %.*s, and leads to: %s", r.status,
			     first_line(r.err), r.err, later);
	return !has_scratch(w, why);
}

/* Many faults leave the same. */
struct known {
	const struct scenario *sc;
	uint64_t digest;
	char why[WHY_ROOM];
};

static void judge_left(struct worker *w, const struct scenario *sc, const struct expected *e,
		       uint64_t digest, char why[WHY_ROOM])
{
	struct known *k = w->known;

	for (size_t i = 0; i < w->n_known; i++)
		if (k[i].sc == sc && k[i].digest == digest) {
			strcpy(why, k[i].why);
			return;
		}
	k = realloc(k, (w->n_known + 1) * sizeof(*k));
	if (!k)
		die("no memory");
	w->known = k;
	k[w->n_known] = (struct known){ .sc = sc, .digest = digest };
	is_whole(w, sc, e, k[w->n_known].why);
	strcpy(why, k[w->n_known++].why);
}

/* ------------------------------------------------------------------------------------ all of it -- */

/*
 * "vfcap: OBJECT: ERROR" begins a line; where memory was short, or a signal came, there need not be an object. libpci
 * ends the program by itself where it has no memory, in a line of its own.
 */
static bool has_message(const struct fault *fault, const struct result *r)
{
	bool bare = fault->kind != KIND_ERRORS || fault->value == ENOMEM;

	for (const char *line = r->err; *line; line += strcspn(line, "\n"), line += *line != '\0') {
		size_t len = strcspn(line, "\n");
		const char *object = line + strlen("vfcap: "), *colon;

		if (bare && strncmp(line, "pcilib: ", strlen("pcilib: ")) == 0)
			return true;
		if (strncmp(line, "vfcap: ", strlen("vfcap: ")))
			continue;
		colon = strstr(object, ": ");
		if (bare || (colon && colon < line + len))
			return true;
	}
	return false;
}

/* Nobody can remove anything after a kill, or where removing is what failed: the next run does. */
static bool leaves_scratch(const struct fault *fault)
{
	return fault->kind == KIND_KILLS ||
	       (fault->kind == KIND_ERRORS && strcmp(fault->call.syscall->name, "unlinkat") == 0);
}

/* Does "no" name the fault? Who is refused is told on standard output, with all the others; for want of privilege in
 * words of its own. */
static bool is_named(const struct worker *w, const struct fault *fault, const struct result *r)
{
	int err = fault->kind == KIND_ERRORS ? fault->value : ENOMEM;

	if (err == ENODEV || err == ENXIO)
		err = EIO; /* as what is still there is told of */
	return exited(r, 3) && (run_printed(w, strerror(err)) || strstr(r->err, strerror(err)) ||
				(err == EACCES && run_printed(w, "refused: ")));
}

/* openat2() within a root gives EAGAIN when anything on the machine is renamed meanwhile, and is tried again: a call
 * that was there when they were counted need not be there again. */
static bool may_be_missed(const struct expected *e, const struct fault *fault, const struct result *r)
{
	return fault->kind != KIND_MEMORY && strcmp(fault->call.syscall->name, "openat2") == 0 &&
	       exited(r, e->status) && r->out == e->out;
}

/* How it ended, whatever it left. */
static bool judge_end(const struct worker *w, const struct scenario *sc, const struct expected *e,
		      const struct fault *fault, const struct result *r, char why[WHY_ROOM])
{
	int sig = WIFSIGNALED(r->status) ? WTERMSIG(r->status) : 0;
	char look[LOOK_ROOM];
	bool sent = fault->kind == KIND_KILLS || fault->kind == KIND_STOPS;

	if (r->late)
		return wrong(why, "hangs");
	if (!r->reached && !may_be_missed(e, fault, r))
		return wrong(why, "the fault was not reached");
	if (sig && !(sent && sig == fault->value && !fault->call.process))
		return wrong(why, "dies of SIG%s", sigabbrev_np(sig));
	if (sig == SIGKILL || has_message(fault, r) || exited(r, 0) ||
	    (!sig && exited(r, e->status)) || is_named(w, fault, r))
		return true;
	if (!sig)
		return wrong(why, "exit status %d without a message", WEXITSTATUS(r->status));
	worker_look(w, look);
	if (sc->changes && fault->kind == KIND_STOPS &&
	    (strcmp(look, e->first) || tree_has(w->host, UNDO) != e->undo))
		return wrong(why, "dies of SIG%s without a word", sigabbrev_np(sig));
	return true;
}

/* Yes and no are answers: they are those that there are without a fault. */
static bool judge_answer(const struct worker *w, const struct scenario *sc,
			 const struct expected *e, const struct fault *fault,
			 const struct result *r, char why[WHY_ROOM])
{
	char look[LOOK_ROOM];

	if (WIFSIGNALED(r->status) || exited(r, 1) || is_named(w, fault, r))
		return true;
	if (!exited(r, e->status) && !(sc->changes && exited(r, 3)))
		return wrong(why, "exit status %d, not %d: %.*s", WEXITSTATUS(r->status), e->status,
			     first_line(r->err), r->err);
	/* To whom something is closed is not told of it, as anybody but root. */
	if (sc->changes ? !exited(r, 0) : fault->kind == KIND_ERRORS && fault->value == EACCES)
		return true;
	worker_look(w, look);
	if (sc->changes && strcmp(look, e->end))
		return wrong(why, "exit status 0, and: %s", look);
	if (r->out != e->out)
		return wrong(why, "exit status %d, and another answer", e->status);
	/* Where there is nothing to do, not even a lock need be there. */
	if (sc->changes && r->left != e->after &&
	    !(r->left == e->before && strcmp(e->start, e->end) == 0))
		return wrong(why, "exit status 0, and other files are left");
	return true;
}

static enum left what_is_left(const struct worker *w, const struct expected *e)
{
	char look[LOOK_ROOM];

	if (tree_has(w->host, UNDO))
		return LEFT_LOG;
	worker_look(w, look);
	if (strcmp(look, e->end) == 0)
		return strcmp(look, e->start) ? LEFT_NEW : LEFT_OLD;
	return strcmp(look, e->start) ? LEFT_OTHER : LEFT_OLD;
}

void judge(struct worker *w, const struct scenario *sc, const struct expected *e,
	   const struct fault *fault, const struct result *r, struct verdict *v)
{
	v->why[0] = '\0';
	v->left = sc->changes ? what_is_left(w, e) : LEFT_OLD;
	v->said = has_message(fault, r);
	v->answered = exited(r, e->status) && r->out == e->out;
	if (!judge_end(w, sc, e, fault, r, v->why) || !judge_answer(w, sc, e, fault, r, v->why))
		return;
	if (!sc->changes) {
		if (sc->start != START_DEMO && r->left != e->before)
			wrong(v->why, "what only reads has changed something");
		return;
	}
	if (!leaves_scratch(fault) && !e->scratch && has_scratch(w, v->why))
		return;
	judge_left(w, sc, e, r->left, v->why);
}
