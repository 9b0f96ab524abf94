// SPDX-License-Identifier: GPL-2.0-or-later
/* One run: messages, the context, from DEVICEs to functions, the end. */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include "cmd.h"

#define SKIPPED_NAMED 4 /* functions that are named when they are skipped; the rest is counted */

/* ---------------------------------------------------------------------------------- messages -- */

/* One line in one write, so that lines of several processes do not mix. Names come from files and
 * from sysfs: what a terminal would obey is taken out, and what its locale does not have. */
static __attribute__((format(printf, 1, 0))) void say(const char *fmt, va_list ap)
{
	struct vfcap_out out = { .utf8 = vfcap_utf8_locale() };
	char line[1024];

	vsnprintf(line, sizeof(line), fmt, ap);
	if (!line[0])
		snprintf(line, sizeof(line), "it failed, and why is not known");
	vfcap_out_str(&out, "vfcap: ");
	vfcap_out_text(&out, line);
	vfcap_out_char(&out, '\n');
	if (!out.error)
		fwrite(out.buf, 1, out.n, stderr);
	else
		fprintf(stderr, "vfcap: %s\n", strerror(-out.error));
	vfcap_out_free(&out);
}

void vfcap_cli_error(struct vfcap_cli *cli, const char *fmt, ...)
{
	va_list ap;

	cli->told_error = true;
	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
}

void vfcap_cli_warn(struct vfcap_cli *cli, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (!cli->quiet)
		say(fmt, ap);
	va_end(ap);
}

void vfcap_cli_note(struct vfcap_cli *cli, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (cli->verbose && !cli->quiet)
		say(fmt, ap);
	va_end(ap);
}

static void log_line(void *arg, const char *line)
{
	vfcap_progress_end(arg);
	vfcap_cli_warn(arg, "%s", line);
}

int vfcap_cli_worse(int a, int b)
{
	static const int badness[] = {
		[VFCAP_EXIT_DONE] = 0,
		[VFCAP_EXIT_NO] = 1,
		[VFCAP_EXIT_FAILED] = 2,
		[VFCAP_EXIT_USAGE] = 3,
	};

	return badness[a] > badness[b] ? a : b;
}

/* ----------------------------------------------------------------------------------- context -- */

static int set_demo(struct vfcap_cli *cli)
{
	char *dir = vfcap_demo_dir();
	int err = dir ? 0 : -errno;

	if (!dir) {
		vfcap_cli_error(cli, "--demo: %s",
				err == -ENOMEM ? strerror(ENOMEM) :
						 "the demo host is not installed");
		return err;
	}
	err = vfcap_set_sysroot(cli->ctx, dir);
	free(dir);
	if (err)
		vfcap_cli_error(cli, "%s", vfcap_error(cli->ctx));
	return err;
}

/* A captured host is a host, whatever option names it. */
static int take_capture(struct vfcap_cli *cli)
{
	size_t i;

	for (i = 0; i < cli->n_from && !vfcap_is_capture(cli->from[i]); i++)
		;
	if (i < cli->n_from && cli->n_from > 1) {
		vfcap_cli_error(cli, "%s: a captured host, which is read alone", cli->from[i]);
		return -EINVAL;
	}
	if (i < cli->n_from) {
		cli->sysroot = cli->from[i];
		cli->n_from = 0;
	}
	return 0;
}

static int set_source(struct vfcap_cli *cli)
{
	int err = take_capture(cli);
	size_t i;

	if (err)
		return err;
	if (cli->demo)
		return set_demo(cli);
	if (cli->sysroot)
		err = vfcap_set_sysroot(cli->ctx, cli->sysroot);
	for (i = 0; !err && i < cli->n_from; i++)
		err = vfcap_add_file(cli->ctx, cli->from[i]);
	if (err)
		vfcap_cli_error(cli, "%s", vfcap_error(cli->ctx));
	return err;
}

int vfcap_cli_source(struct vfcap_cli *cli)
{
	int err = vfcap_new(&cli->ctx);

	if (err) {
		vfcap_cli_error(cli, "%s", strerror(-err));
		return err;
	}
	vfcap_set_log(cli->ctx, log_line, cli);
	vfcap_set_wake(cli->ctx, cli->wake);
	return set_source(cli);
}

int vfcap_cli_open(struct vfcap_cli *cli)
{
	int err = vfcap_cli_source(cli);

	if (err)
		return err;
	err = vfcap_scan(cli->ctx);
	cli->no_pci = err == -ENOENT;
	if (err)
		vfcap_cli_error(cli, "%s", vfcap_error(cli->ctx));
	else
		vfcap_cli_note(cli, "read from %s", vfcap_source(cli->ctx));
	return err;
}

/* An answer that a failed read is missing from is none, even where it was given. */
static int close_reads(struct vfcap_cli *cli, int status)
{
	bool config = cli->command && !cli->command->changes;
	const char *what = NULL;

	if (cli->ctx && status != VFCAP_EXIT_FAILED && status != VFCAP_EXIT_USAGE)
		what = vfcap_failed_read(cli->ctx, config);
	if (!what)
		return status;
	if (!cli->told_error || strcmp(what, strerror(ENOMEM)))
		vfcap_cli_error(cli, "%s", what);
	return VFCAP_EXIT_FAILED;
}

int vfcap_cli_close(struct vfcap_cli *cli, int status)
{
	int err = vfcap_out_flush(&cli->out);

	if (cli->n_skipped > SKIPPED_NAMED)
		vfcap_cli_warn(cli, "%s: %zu more functions were not read (-v names them)",
			       vfcap_source(cli->ctx), cli->n_skipped - SKIPPED_NAMED);

	/* What printf() wrote goes the same way; a full disk may show at the last byte only. */
	if (fflush(stdout) && !err)
		err = -errno;
	if (!err && ferror(stdout))
		err = -EIO;
	cli->pipe_closed |= err == -EPIPE && !cli->pipe_ignored;
	if (err) {
		if (!cli->pipe_closed)
			vfcap_cli_error(cli, "standard output: %s", strerror(-err));
		status = VFCAP_EXIT_FAILED;
	}
	vfcap_signals_say(cli);
	status = close_reads(cli, status);
	if (status == VFCAP_EXIT_FAILED && !cli->told_error && !cli->pipe_closed)
		vfcap_cli_error(cli, "%s: it failed, and why is not known",
				cli->command ? cli->command->name : "vfcap");
	vfcap_free(cli->ctx);
	vfcap_out_free(&cli->out);
	free(cli->from);
	free(cli->device);
	return status;
}

/* ----------------------------------------------------------------------------------- devices -- */

/* Functions that were named, sorted by pointer, to ask "was it named?". */
struct named {
	struct vfcap_function **fn;
	size_t n;
	bool all;
};

static int by_pointer(const void *a, const void *b)
{
	const struct vfcap_function *const *p = a, *const *q = b;

	return *p < *q ? -1 : *p > *q;
}

static bool is_named(const struct named *named, struct vfcap_function *fn)
{
	return named->all ||
	       bsearch(&fn, named->fn, named->n, sizeof(struct vfcap_function *), by_pointer);
}

static int name_one(struct named *named, struct vfcap_function *const *fns, size_t n)
{
	struct vfcap_function **more = realloc(named->fn, (named->n + n + 1) * sizeof(*more));

	if (!more)
		return -ENOMEM;
	memcpy(more + named->n, fns, n * sizeof(*fns));
	named->fn = more;
	named->n += n;
	return 0;
}

static int name_device(struct vfcap_cli *cli, const char *device, struct named *named)
{
	struct vfcap_function **fns = NULL;
	size_t n = 0;
	int err = vfcap_match(cli->ctx, device, &fns, &n);

	if (err)
		vfcap_cli_error(cli, "%s", vfcap_error(cli->ctx));
	else if ((err = name_one(named, fns, n)))
		vfcap_cli_error(cli, "%s: %s", device, strerror(-err));
	free(fns);
	if (err == -ENOENT)
		return VFCAP_EXIT_NO;
	if (err == -EINVAL)
		return VFCAP_EXIT_USAGE;
	return err ? VFCAP_EXIT_FAILED : VFCAP_EXIT_DONE;
}

static int no_vfs(struct vfcap_cli *cli, struct vfcap_function *pf)
{
	const char *name = vfcap_function_name(pf);
	int total = vfcap_function_totalvfs(pf);
	char most[32] = "";

	if (total > 0)
		snprintf(most, sizeof(most), " (N up to %d)", total);
	vfcap_cli_error(cli,
			"%s: a PF without VFs: echo N > /sys/bus/pci/devices/%s/sriov_numvfs%s "
			"creates them",
			name, name, most);
	return VFCAP_EXIT_NO;
}

/* A PF's VFs, or those of them that were named. */
static int pick_pf(struct vfcap_cli *cli, const struct named *named, struct vfcap_function *pf,
		   struct vfcap_picked *picked)
{
	bool pf_named = is_named(named, pf);
	struct vfcap_function *vf;

	if (!named->all && pf_named && !vfcap_vf_first(pf))
		return no_vfs(cli, pf);
	vfcap_vf_foreach(pf, vf)
		if (pf_named || is_named(named, vf))
			picked->fn[picked->n++] = vf;
	return VFCAP_EXIT_DONE;
}

static int pick_all(struct vfcap_cli *cli, enum vfcap_pick pick, const struct named *named,
		    struct vfcap_picked *picked)
{
	struct vfcap_function *fn;
	int status = VFCAP_EXIT_DONE;

	vfcap_foreach(cli->ctx, fn) {
		enum vfcap_role role = vfcap_function_role(fn);

		if (pick == VFCAP_PICK_VFS && role == VFCAP_ROLE_PF)
			status = vfcap_cli_worse(status, pick_pf(cli, named, fn, picked));
		else if (pick == VFCAP_PICK_VFS && role == VFCAP_ROLE_VF && vfcap_function_pf(fn))
			continue;
		else if (pick == VFCAP_PICK_VFS && role == VFCAP_ROLE_FUNCTION && named->all)
			continue;
		else if (is_named(named, fn))
			picked->fn[picked->n++] = fn;
	}
	return status;
}

static size_t count_functions(struct vfcap *ctx)
{
	struct vfcap_function *fn;
	size_t n = 0;

	vfcap_foreach(ctx, fn)
		n++;
	return n;
}

int vfcap_cli_pick(struct vfcap_cli *cli, enum vfcap_pick pick, struct vfcap_picked *picked)
{
	struct named named = { .all = !cli->n_device };
	int status = VFCAP_EXIT_DONE;
	size_t i;

	picked->n = 0;
	picked->fn = calloc(count_functions(cli->ctx) + 1, sizeof(struct vfcap_function *));
	if (!picked->fn) {
		vfcap_cli_error(cli, "%s", strerror(ENOMEM));
		return VFCAP_EXIT_FAILED;
	}
	for (i = 0; i < cli->n_device; i++)
		status = vfcap_cli_worse(status, name_device(cli, cli->device[i], &named));
	if (named.n)
		qsort(named.fn, named.n, sizeof(struct vfcap_function *), by_pointer);
	if (named.all || named.n)
		status = vfcap_cli_worse(status, pick_all(cli, pick, &named, picked));
	free(named.fn);
	return status;
}

bool vfcap_picked_has(const struct vfcap_picked *picked, const struct vfcap_function *fn)
{
	size_t i;

	for (i = 0; i < picked->n; i++)
		if (picked->fn[i] == fn)
			return true;
	return false;
}

void vfcap_picked_free(struct vfcap_picked *picked)
{
	free(picked->fn);
	picked->fn = NULL;
	picked->n = 0;
}

void vfcap_cli_resets(struct vfcap_cli *cli, const struct vfcap_picked *picked)
{
	if (!picked->n || !vfcap_has_kernel(cli->ctx) || !isatty(STDERR_FILENO))
		return;
	vfcap_cli_warn(cli,
		       "%s%s: opening and closing may each take a function level reset: from "
		       "100 ms to seconds",
		       vfcap_function_name(picked->fn[0]), picked->n > 1 ? " and others" : "");
}

void vfcap_cli_not_opened(struct vfcap_cli *cli, int err)
{
	if (err != -EOPNOTSUPP)
		vfcap_cli_error(cli, "%s", vfcap_error(cli->ctx));
	else if (!cli->told_no_kernel)
		vfcap_cli_error(cli,
				"%s: there is no kernel behind it to open functions through VFIO",
				vfcap_source(cli->ctx));
	cli->told_no_kernel |= err == -EOPNOTSUPP;
}

int vfcap_cli_no_vfs(struct vfcap_cli *cli)
{
	vfcap_cli_error(cli, "%s: there are no VFs; --demo has some", vfcap_source(cli->ctx));
	return VFCAP_EXIT_NO;
}

/* Said of the first function; it would be the same line for hundreds of them. */
static int explain_short(struct vfcap_cli *cli, struct vfcap_function *fn)
{
	const char *name = vfcap_function_name(fn);
	int size = vfcap_function_config_size(fn);

	if (cli->told_short)
		vfcap_cli_note(cli, "%s: config: only %d bytes", name, size);
	else if (cli->n_from)
		vfcap_cli_warn(cli,
			       "%s: config: only %d bytes in %s; lspci -xxxx, run as root, has all",
			       name, size, vfcap_source(cli->ctx));
	else
		vfcap_cli_error(cli,
				"%s: config: only %d bytes can be read: needs root or "
				"CAP_SYS_ADMIN",
				name, size);
	cli->told_short = true;
	return cli->n_from ? VFCAP_EXIT_DONE : VFCAP_EXIT_FAILED;
}

/* Not to wake a function is what was asked for, unless it was named. */
static int explain_skipped(struct vfcap_cli *cli)
{
	if (cli->n_skipped++ < SKIPPED_NAMED)
		vfcap_cli_warn(cli, "%s", vfcap_error(cli->ctx));
	else
		vfcap_cli_note(cli, "%s", vfcap_error(cli->ctx));
	return cli->n_device ? VFCAP_EXIT_FAILED : VFCAP_EXIT_DONE;
}

void vfcap_cli_unread(struct vfcap_cli *cli)
{
	const char *error = vfcap_error(cli->ctx);

	if (*error && strcmp(error, cli->unread[0]) == 0)
		return;
	if (!*error || strcmp(error, cli->unread[1]))
		vfcap_cli_error(cli, "%s", error);
	memcpy(cli->unread[1], cli->unread[0], sizeof(cli->unread[1]));
	snprintf(cli->unread[0], sizeof(cli->unread[0]), "%s", error);
}

int vfcap_cli_explain(struct vfcap_cli *cli, struct vfcap_function *fn)
{
	if (!vfcap_function_chain(fn)) {
		if (vfcap_function_skipped(fn))
			return explain_skipped(cli);
		vfcap_cli_unread(cli);
		return VFCAP_EXIT_FAILED;
	}
	return vfcap_function_config_size(fn) <= 64 ? explain_short(cli, fn) : VFCAP_EXIT_DONE;
}
