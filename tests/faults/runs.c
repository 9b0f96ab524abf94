// SPDX-License-Identifier: GPL-2.0-or-later
/* Runs of vfcap: over a root, with a kernel that is played, and with a fault. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ask.h"
#include "faults.h"

#define LIMIT 20000 /* milliseconds that a run may take */
#define MOST_ARGS 40
#define TEXT_ROOM 320

struct paths paths;

/* -------------------------------------------------------------------------------------- workers -- */

static void start_path(enum start start, char buf[TEXT_ROOM])
{
	snprintf(buf, TEXT_ROOM, "%s/start-%d", paths.base, start);
}

static void host_path(const struct worker *w, char buf[TEXT_ROOM])
{
	snprintf(buf, TEXT_ROOM, "%s/host", w->dir);
}

void worker_begin(struct worker *w, const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	snprintf(w->dir, sizeof(w->dir), "%s/%s", paths.base, name);
	snprintf(w->socket, sizeof(w->socket), "%s/socket", w->dir);
	if (mkdir(w->dir, 0755) || strlen(w->socket) >= sizeof(address.sun_path))
		die("%s: %s", w->dir, strerror(errno));
	for (size_t i = 0; i < n_descriptions; i++)
		tree_put(descriptions[i].text, AT_FDCWD, "%s/%s", w->dir, descriptions[i].name);
	strcpy(address.sun_path, w->socket);
	w->host = -1;
	w->start = STARTS;
	w->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (w->listener < 0 || bind(w->listener, (struct sockaddr *)&address, sizeof(address)) ||
	    listen(w->listener, 8))
		die("%s: %s", w->socket, strerror(errno));
}

static void close_host(struct worker *w)
{
	if (w->host >= 0)
		close(w->host);
	w->host = -1;
}

void worker_end(struct worker *w)
{
	close_host(w);
	close(w->listener);
	free(w->known);
	tree_remove(AT_FDCWD, "%s", w->dir);
}

void worker_reopen(struct worker *w)
{
	char path[TEXT_ROOM];

	host_path(w, path);
	w->start = STARTS;
	close_host(w);
	w->host = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (w->host < 0)
		die("%s: %s", path, strerror(errno));
}

void worker_host(struct worker *w, enum start start)
{
	char from[TEXT_ROOM], to[TEXT_ROOM];

	if (w->start == start)
		return;
	close_host(w);
	w->start = start;
	w->digest = 0;
	if (start == START_DEMO)
		return;
	start_path(start, from);
	host_path(w, to);
	tree_remove(AT_FDCWD, "%s", to);
	tree_copy(from, to);
	worker_reopen(w);
	w->start = start;
	w->digest = worker_digest(w);
}

void worker_keep(struct worker *w, enum start start)
{
	char from[TEXT_ROOM], to[TEXT_ROOM];

	w->start = STARTS;
	host_path(w, from);
	start_path(start, to);
	tree_copy(from, to);
}

void worker_look(const struct worker *w, char look[LOOK_ROOM])
{
	look[0] = '\0';
	if (w->host >= 0)
		played_look(w->host, look, LOOK_ROOM);
}

uint64_t worker_digest(const struct worker *w)
{
	char path[TEXT_ROOM];

	host_path(w, path);
	return w->host >= 0 ? tree_digest(path) : 0;
}

/* --------------------------------------------------------------------------------------- serving -- */

/* What was written, and the file that it was written to. */
static int receive(int sock, char text[TEXT_ROOM])
{
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec iov = { text, TEXT_ROOM - 1 };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control.buf,
			      .msg_controllen = sizeof(control.buf) };
	ssize_t n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
	struct cmsghdr *c = n < 0 ? NULL : CMSG_FIRSTHDR(&msg);
	int fd = -1;

	text[n > 0 ? n : 0] = '\0';
	if (c && c->cmsg_type == SCM_RIGHTS)
		memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

/* Of the root that is played, a path below it; NULL: it is somewhere else. */
static const char *path_below(const struct worker *w, int fd, char path[PATH_MAX])
{
	size_t len = strlen(w->dir);
	char proc[48];
	ssize_t n;

	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	n = readlink(proc, path, PATH_MAX - 1);
	path[n > 0 ? n : 0] = '\0';
	if (strncmp(path, w->dir, len) || strncmp(path + len, "/host/", strlen("/host/")))
		return NULL;
	return path + len + strlen("/host/");
}

static void serve(struct worker *w)
{
	int sock = accept4(w->listener, NULL, NULL, SOCK_CLOEXEC), fd;
	char text[TEXT_ROOM], path[PATH_MAX];
	struct reply reply = { 0 };
	const char *below;

	if (sock < 0)
		die("accept: %s", strerror(errno));
	fd = receive(sock, text);
	below = path_below(w, fd, path);
	if (text[0] == ASK_WRITE && below)
		reply.err = -played_write(w->host, below, text + 1);
	else if (text[0] == ASK_STATFS)
		reply.fs = below ? played_statfs(below) : TMPFS_MAGIC;
	else if (text[0] == ASK_STATX && below)
		reply.is_device =
			played_device(w->host, below, text + 1, &reply.major, &reply.minor);
	if (fd >= 0)
		close(fd);
	if (send(sock, &reply, sizeof(reply), MSG_NOSIGNAL) < 0 && errno != EPIPE)
		die("send: %s", strerror(errno));
	close(sock);
}

/* ------------------------------------------------------------------------------------- processes -- */

static long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Signals as a shell leaves them to a program. */
static void reset_signals(void)
{
	static const int signals[] = { SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	sigset_t none;

	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		signal(signals[i], SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static _Noreturn void child(const struct worker *w, char *const *args, char *const *env)
{
	int in = open("/dev/null", O_RDONLY), out, err;

	if (setpgid(0, 0) || chdir(w->dir))
		_exit(126);
	out = open("out", O_WRONLY | O_CREAT | O_TRUNC, 0644);
	err = open("err", O_WRONLY | O_CREAT | O_TRUNC, 0644);
	if (in < 0 || out < 0 || err < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0)
		_exit(126);
	close_range(3, ~0U, 0);
	reset_signals();
	execvpe(args[0], args, env);
	_exit(127);
}

/* All of its group, for vfcap's own children may outlive it. */
static bool ended(pid_t pid, int *status)
{
	siginfo_t info = { 0 };

	while (waitid(P_PGID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid) {
		int s;

		if (waitpid(info.si_pid, &s, 0) == pid)
			*status = s;
		info.si_pid = 0;
	}
	return waitid(P_PGID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0 && errno == ECHILD;
}

static void wait_for(struct worker *w, pid_t pid, struct result *r)
{
	long end = now() + LIMIT;
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	setpgid(pid, pid);
	while (!ended(pid, &r->status)) {
		struct pollfd wait[2] = { { w->listener, POLLIN, 0 }, { fd, POLLIN, 0 } };
		bool gone = kill(pid, 0) < 0;

		if (poll(wait, gone ? 1 : 2, gone ? 1 : 100) > 0 && (wait[0].revents & POLLIN))
			serve(w);
		if (now() < end)
			continue;
		r->late = true;
		kill(-pid, SIGKILL);
		end = now() + LIMIT;
	}
	close(fd);
}

static void read_result(const struct worker *w, struct result *r)
{
	char buf[16384];
	int fd;
	ssize_t n;

	tree_get(r->err, sizeof(r->err), AT_FDCWD, "%s/err", w->dir);
	snprintf(buf, sizeof(buf), "%s/out", w->dir);
	fd = open(buf, O_RDONLY | O_CLOEXEC);
	r->out = 0xcbf29ce484222325;
	while (fd >= 0 && (n = read(fd, buf, sizeof(buf))) > 0)
		for (ssize_t i = 0; i < n; i++)
			r->out = (r->out ^ (unsigned char)buf[i]) * 0x100000001b3;
	if (fd >= 0)
		close(fd);
}

static void execute(struct worker *w, char *const *args, char *const *env, struct result *r)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork: %s", strerror(errno));
	if (!pid)
		child(w, args, env);
	*r = (struct result){ .status = -1 };
	wait_for(w, pid, r);
	if (WIFSIGNALED(r->status))
		played_settle(w->host);
	if (WIFEXITED(r->status) && WEXITSTATUS(r->status) >= 126)
		die("%s: cannot be run", args[0]);
	read_result(w, r);
	r->left = worker_digest(w);
	if (r->left != w->digest)
		w->start = STARTS;
}

/* -------------------------------------------------------------------------------------- commands -- */

/* Words, of which some are made. */
struct words {
	char *word[MOST_ARGS];
	char made[12][TEXT_ROOM];
	size_t n, n_made;
};

static void word(struct words *words, const char *text)
{
	if (words->n + 1 == MOST_ARGS)
		die("%s: too many words", text);
	words->word[words->n++] = (char *)text;
	words->word[words->n] = NULL;
}

static void make_word(struct words *words, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static void make_word(struct words *words, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(words->made[words->n_made], TEXT_ROOM, fmt, ap);
	va_end(ap);
	word(words, words->made[words->n_made++]);
}

static void vfcap_words(struct words *words, enum start start, const char *const *arg)
{
	word(words, paths.vfcap);
	if (start == START_DEMO) {
		word(words, "--demo");
	} else {
		word(words, "--sysroot");
		word(words, "host");
	}
	for (; *arg; arg++)
		word(words, *arg);
}

static void environment(struct words *env, const struct worker *w)
{
	*env = (struct words){ 0 };
	word(env, "PATH=/usr/sbin:/usr/bin:/sbin:/bin");
	word(env, "LC_ALL=C"); /* nor are there files of a locale that may fail */
	make_word(env, "FAULTS_SOCKET=%s", w->socket);
}

static void preload(struct words *env, enum start start, bool memory)
{
	const char *kernel = start == START_DEMO ? "" : paths.kernel_so;

	make_word(env, "LD_PRELOAD=%s%s%s", kernel, *kernel && memory ? ":" : "",
		  memory ? paths.malloc_so : "");
}

void run_compare(struct worker *w, const struct scenario *sc)
{
	char command[4 * TEXT_ROOM];
	struct result r;

	snprintf(command, sizeof(command),
		 "cd '%s' && rm -rf wrong && mkdir wrong && mv out wrong%s", w->dir,
		 w->host >= 0 ? " && cp -R host wrong" : "");
	if (system(command))
		die("%s", command);
	w->start = STARTS;
	worker_host(w, sc->start);
	run(w, sc, NULL, &r);
	snprintf(
		command, sizeof(command),
		"cd '%s' && { diff out wrong/out; [ ! -d wrong/host ] || diff -r --no-dereference host "
		"wrong/host; } | head -n 40 | sed 's/^/#   /'; rm -rf wrong",
		w->dir);
	if (system(command))
		die("%s", command);
}

bool run_printed(const struct worker *w, const char *text)
{
	char path[TEXT_ROOM], *line = NULL;
	bool found = false;
	size_t room = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/out", w->dir);
	f = fopen(path, "re");
	while (f && !found && getline(&line, &room, f) > 0)
		found = strstr(line, text);
	free(line);
	if (f)
		fclose(f);
	return found;
}

void run_args(struct worker *w, const char *const *arg, struct result *r)
{
	struct words args = { 0 }, env;

	environment(&env, w);
	preload(&env, START_PLAIN, false);
	vfcap_words(&args, START_PLAIN, arg);
	execute(w, args.word, env.word, r);
	r->reached = true;
}

/* strace keeps its own log, in which it says what it has done. */
static void strace_words(struct words *args, const struct fault *fault)
{
	const char *name = fault->call.syscall->name;

	word(args, "strace");
	word(args, "-o");
	word(args, "trace");
	if (fault->follow)
		word(args, "-f");
	if (fault->follow && fault->kind == KIND_ERRORS)
		word(args, "--seccomp-bpf"); /* it is faster, and delivers no signals */
	word(args, "-e");
	make_word(args, "trace=%s", name);
	word(args, "-e");
	/* The system call brk() has no error: it says where the heap ends. */
	if (fault->kind == KIND_ERRORS && strcmp(name, "brk") == 0)
		make_word(args, "inject=brk:retval=0:when=%d", fault->call.nth);
	else if (fault->kind == KIND_ERRORS)
		make_word(args, "inject=%s:error=%s:when=%d", name, strerrorname_np(fault->value),
			  fault->pads + fault->call.nth);
	else
		make_word(args, "inject=%s:signal=SIG%s:when=%d%s", name,
			  sigabbrev_np(fault->value), fault->pads + fault->call.nth,
			  fault->again ? "+" : "");
	word(args, "-E");
	make_word(args, "LD_PRELOAD=%s", paths.kernel_so);
}

/*
 * What strace says of the fault, and of the call that is its place: a signal stands behind that, unless it was
 * ignored. Then it is enough that the call was made.
 */
static void read_trace(const struct worker *w, const struct fault *fault, struct result *r)
{
	int pids[CALLS_PROCESSES] = { 0 }, seen[CALLS_PROCESSES] = { 0 };
	char line[4096], want[48];
	FILE *f;

	snprintf(line, sizeof(line), "%s/trace", w->dir);
	f = fopen(line, "re");
	if (fault->kind == KIND_ERRORS)
		snprintf(want, sizeof(want), "(INJECTED)");
	else
		snprintf(want, sizeof(want),
			 fault->value == SIGKILL ? "killed by SIG%s" : "--- SIG%s",
			 sigabbrev_np(fault->value));
	while (f && !r->reached && fgets(line, sizeof(line), f)) {
		const char *text = line + strspn(line, "0123456789 ");
		int i = calls_process(pids, fault->follow ? atoi(line) : 1);

		if (*text != '-' && *text != '+')
			snprintf(r->call, sizeof(r->call), "%.*s", (int)strcspn(text, "\n"), text);
		if (*text != '-' && *text != '+' && *text != '<')
			seen[i]++;
		r->reached =
			strstr(line, want) || (fault->kind == KIND_STOPS && fault->call.process &&
					       seen[i] == fault->pads + fault->call.nth);
	}
	if (f)
		fclose(f);
}

static void run_memory(struct worker *w, const struct scenario *sc, int which, struct result *r)
{
	struct words args = { 0 }, env;

	environment(&env, w);
	preload(&env, sc->start, true);
	make_word(&env, "FAULTS_MEMORY=%d", which);
	vfcap_words(&args, sc->start, sc->arg);
	execute(w, args.word, env.word, r);
	r->reached = true;
}

void run(struct worker *w, const struct scenario *sc, const struct fault *fault, struct result *r)
{
	struct words args = { 0 }, env;

	if (fault && fault->kind == KIND_MEMORY) {
		run_memory(w, sc, fault->value, r);
		return;
	}
	environment(&env, w);
	if (fault)
		strace_words(&args, fault);
	else
		preload(&env, sc->start, false);
	if (fault && fault->call.process) {
		make_word(&env, "FAULTS_CHILD=%d", fault->call.process);
		make_word(&env, "FAULTS_PAD=%ld:%d", fault->call.syscall->nr, fault->pads);
	}
	vfcap_words(&args, sc->start, sc->arg);
	execute(w, args.word, env.word, r);
	r->reached = !fault;
	if (fault)
		read_trace(w, fault, r);
}

void run_traced(struct worker *w, const struct scenario *sc, struct calls *calls)
{
	struct words args = { 0 }, env;
	struct result r;
	char file[TEXT_ROOM];

	environment(&env, w);
	word(&args, "strace");
	word(&args, "-f");
	word(&args, "-o");
	word(&args, "trace");
	word(&args, "-E");
	make_word(&args, "LD_PRELOAD=%s", paths.kernel_so);
	vfcap_words(&args, sc->start, sc->arg);
	execute(w, args.word, env.word, &r);
	snprintf(file, sizeof(file), "%s/trace", w->dir);
	calls_read(calls, file);
}

long run_counted(struct worker *w, const struct scenario *sc)
{
	struct words args = { 0 }, env;
	struct result r;
	char text[32];

	environment(&env, w);
	preload(&env, sc->start, true);
	word(&env, "FAULTS_COUNT=count");
	vfcap_words(&args, sc->start, sc->arg);
	execute(w, args.word, env.word, &r);
	tree_get(text, sizeof(text), AT_FDCWD, "%s/count", w->dir);
	tree_remove(AT_FDCWD, "%s/count", w->dir);
	return atol(text);
}
