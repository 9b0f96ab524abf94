// SPDX-License-Identifier: GPL-2.0-or-later
/* vfcap apply: brings the host to a state that files describe. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "cmd.h"

#define BLOCK 65536 /* bytes that are read at once */

enum {
	KEY_CHECK = 0x200,
	KEY_DRY_RUN,
	KEY_NO_VERIFY,
	KEY_FORCE,
	KEY_ASSUME,
	KEY_TOKEN,
	KEY_ONLY,
	KEY_IF_OFF,
	KEY_WAIT
};

struct applying {
	struct vfcap_cli *cli;
	bool check;
	struct vfcap_apply_options opt;
	struct vfcap_description description;
	json_t *skipped; /* of /etc/vfcap.d */
	struct vfcap_json json; /* whether it has all of that */
};

/* --------------------------------------------------------------------------------------- files -- */

/* Everything up to the end of it, as text. 0 or -errno. */
static int read_all(int fd, struct vfcap_out *text)
{
	ssize_t n;

	do {
		if (!vfcap_out_room(text, BLOCK))
			return text->error;
		n = TEMP_FAILURE_RETRY(read(fd, text->buf + text->n, BLOCK));
		if (n < 0)
			return -errno;
		text->n += (size_t)n;
	} while (n);
	return 0;
}

static int read_text(struct applying *ap, const char *name, const char *text, size_t len)
{
	char error[VFCAP_SPEC_ERROR];
	int err = vfcap_spec_read(&ap->description, name, text, len, error);

	if (err)
		vfcap_cli_error(ap->cli, "%s", error);
	return err == -EINVAL ? VFCAP_EXIT_USAGE : err ? VFCAP_EXIT_FAILED : VFCAP_EXIT_DONE;
}

static int read_file(struct applying *ap, const char *file)
{
	bool input = strcmp(file, "-") == 0;
	const char *name = input ? "standard input" : file;
	struct vfcap_out text = { 0 };
	int fd = input ? STDIN_FILENO : open(file, O_RDONLY | O_CLOEXEC);
	int status, err = fd < 0 ? -errno : read_all(fd, &text);

	if (err) {
		vfcap_cli_error(ap->cli, "%s: %s", name, strerror(-err));
		status = VFCAP_EXIT_FAILED;
	} else {
		status = read_text(ap, name, text.buf, text.n);
	}
	if (fd >= 0 && !input)
		close(fd);
	vfcap_out_free(&text);
	return status;
}

/* ---------------------------------------------------------------------------------------- kept -- */

/* What is not followed of /etc/vfcap.d: said, and noted for JSON. where: NULL: the file as a whole. */
static void skip(struct applying *ap, const char *file, const struct vfcap_where *where,
		 const struct vfcap_function *pf, const char *error)
{
	json_t *object = json_object();

	if (pf)
		vfcap_cli_error(ap->cli, "%s; nothing of %s is touched", error,
				vfcap_function_name(pf));
	else
		vfcap_cli_error(ap->cli, "%s; the %s is passed over", error,
				where ? "entry" : "file");
	vfcap_json_set(&ap->json, object, "file", vfcap_json_text(file));
	if (where) {
		vfcap_json_set(&ap->json, object, "line", json_integer(where->line));
		vfcap_json_set(&ap->json, object, "column", json_integer(where->column));
	}
	if (pf)
		vfcap_json_set(&ap->json, object, "pf", json_string(vfcap_function_name(pf)));
	vfcap_json_set(&ap->json, object, "error", vfcap_json_text(error));
	vfcap_json_append(&ap->json, ap->skipped, object);
}

/* What is kept over reboots. One file that is wrong does not keep the others from being followed. */
static int read_kept(struct applying *ap)
{
	int status = VFCAP_EXIT_DONE, one, err;
	char error[VFCAP_SPEC_ERROR];
	struct vfcap_kept *kept;
	const char *name;
	size_t i, len;

	err = vfcap_kept_read(ap->cli->ctx, &kept);
	if (err) {
		vfcap_cli_error(ap->cli, "%s", vfcap_error(ap->cli->ctx));
		return err == -EPERM ? VFCAP_EXIT_NO : VFCAP_EXIT_FAILED;
	}
	ap->opt.partial = true;
	ap->skipped = json_array();
	for (i = 0; vfcap_kept_text(kept, i, &name, &len); i++) {
		one = vfcap_kept_describe(kept, i, &ap->description, error);
		if (one)
			skip(ap, name, NULL, NULL, error);
		status = vfcap_cli_worse(status, one);
	}
	if (!i)
		vfcap_cli_note(ap->cli, "/etc/vfcap.d: nothing is described there");
	vfcap_kept_free(kept);
	return status;
}

static int read_files(struct applying *ap)
{
	int status = VFCAP_EXIT_DONE;
	size_t i;

	for (i = 0; i < ap->cli->n_device && !status; i++)
		status = read_file(ap, ap->cli->device[i]);
	return status;
}

/* ----------------------------------------------------------------------------------------- run -- */

static int status_of(int err)
{
	switch (err) {
	case -EINVAL:
		return VFCAP_EXIT_USAGE;
	case -ENOENT:
	case -ERANGE:
		return VFCAP_EXIT_NO;
	default:
		return VFCAP_EXIT_FAILED;
	}
}

/* Without privilege nothing can be decided: that is why, not the function. */
static int explain(struct applying *ap, const struct vfcap_outcome *o)
{
	struct vfcap_function **fn = NULL;
	int status = VFCAP_EXIT_DONE;
	size_t n = 0;

	if (o->code != VFCAP_NO_EXT_CONFIG && o->code != VFCAP_CODE_UNREADABLE &&
	    o->code != VFCAP_PF_UNKNOWN)
		return VFCAP_EXIT_DONE;
	if (vfcap_match(ap->cli->ctx, vfcap_function_name(o->vf), &fn, &n) == 0 && n)
		status = vfcap_cli_explain(
			ap->cli, vfcap_function_pf(fn[0]) ? vfcap_function_pf(fn[0]) : fn[0]);
	free(fn);
	return status;
}

static int print_outcomes(struct applying *ap, const struct vfcap_apply *apply,
			  struct vfcap_outcomes *outcomes)
{
	const struct vfcap_function *pf = NULL, *mine;
	const struct vfcap_outcome *o;
	int status = VFCAP_EXIT_DONE;
	size_t i;

	for (i = 0; (o = vfcap_apply_outcome(apply, i)); i++) {
		mine = o->is_pf ? NULL : vfcap_function_pf(o->vf);
		if (mine != pf)
			vfcap_outcomes_flush(outcomes);
		pf = mine;
		status = vfcap_cli_worse(status, vfcap_outcomes_add(outcomes, o));
		status = vfcap_cli_worse(status, explain(ap, o));
	}
	return status;
}

static void print_skipped(struct applying *ap, struct vfcap_json *json)
{
	json_t *object;
	size_t i;

	json->lost |= ap->json.lost;
	vfcap_json_next(json, "skipped");
	for (i = 0; (object = json_array_get(ap->skipped, i)); i++)
		vfcap_json_element(json, json_incref(object));
}

static int print_all(struct applying *ap, const struct vfcap_apply *apply)
{
	const struct vfcap_skipped *skipped;
	struct vfcap_outcomes outcomes;
	int status = VFCAP_EXIT_DONE;
	size_t i;

	for (i = 0; (skipped = vfcap_apply_skipped(apply, i)); i++) {
		skip(ap, skipped->where.file, &skipped->where, skipped->pf, skipped->message);
		status = vfcap_cli_worse(status, status_of(skipped->err));
	}
	vfcap_outcomes_begin(&outcomes, ap->cli,
			     ap->check	     ? VFCAP_CHECK :
			     ap->opt.dry_run ? VFCAP_DRY_RUN :
					       VFCAP_EARNEST);
	status = vfcap_cli_worse(status, print_outcomes(ap, apply, &outcomes));
	if (ap->cli->json && ap->skipped)
		print_skipped(ap, &outcomes.json);
	vfcap_outcomes_end(&outcomes);
	return status;
}

static int apply_described(struct applying *ap)
{
	struct vfcap_apply *apply;
	int status, err;

	if (vfcap_progress_wanted(ap->cli)) {
		ap->opt.progress = vfcap_progress_show;
		ap->opt.progress_arg = ap->cli;
	}
	if (!ap->opt.dry_run)
		vfcap_signals_catch(ap->cli);
	err = vfcap_apply(ap->cli->ctx, &ap->description.spec, &ap->opt, &apply);
	vfcap_progress_end(ap->cli);
	if (err) {
		vfcap_cli_error(ap->cli, "%s", vfcap_error(ap->cli->ctx));
		return status_of(err);
	}
	status = print_all(ap, apply);
	vfcap_apply_free(apply);
	return status;
}

/* Of files that are named, one that is wrong keeps all of them from being followed. */
static int apply_files(struct applying *ap)
{
	bool kept = !ap->cli->n_device;
	int status;

	if (vfcap_cli_open(ap->cli))
		return VFCAP_EXIT_FAILED;
	status = kept ? read_kept(ap) : read_files(ap);
	if (status && !ap->opt.partial)
		return status;
	return vfcap_cli_worse(status, apply_described(ap));
}

/* Seconds, as many as an hour has. */
static int set_wait(struct vfcap_cli *cli, const char *arg, unsigned int *wait)
{
	unsigned long n;
	char *end;

	n = strtoul(arg, &end, 10);
	if (*arg < '0' || *arg > '9' || *end || !n || n > 3600)
		return vfcap_cli_usage(cli, "--wait %s: a number of seconds from 1 to 3600", arg);
	*wait = (unsigned int)n;
	return 0;
}

static int apply_option(struct vfcap_cli *cli, int key, const char *arg, void *own)
{
	struct applying *ap = own;

	switch (key) {
	case KEY_CHECK:
		ap->check = ap->opt.dry_run = true;
		return 0;
	case KEY_DRY_RUN:
		ap->opt.dry_run = true;
		return 0;
	case KEY_NO_VERIFY:
		ap->opt.no_verify = true;
		return 0;
	case KEY_FORCE:
		ap->opt.force = true;
		return 0;
	case KEY_ASSUME:
		ap->opt.assume_unused = true;
		return 0;
	case KEY_TOKEN:
		return vfcap_cli_token(cli, arg, &ap->opt.vf_token);
	case KEY_ONLY:
		ap->opt.only = arg;
		return 0;
	case KEY_IF_OFF:
		ap->opt.if_off = true;
		return 0;
	case KEY_WAIT:
		return set_wait(cli, arg, &ap->opt.wait);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int apply_run(struct vfcap_cli *cli)
{
	struct applying ap = { .cli = cli };
	int status = vfcap_cli_parse(cli, &ap);

	if (status >= 0)
		return status;
	status = apply_files(&ap);
	vfcap_spec_free(&ap.description);
	json_decref(ap.skipped);
	return status;
}

static const struct argp_option options[] = {
	{ "check", KEY_CHECK, NULL, 0,
	  "only compare: exit status 3 when something is not as described", 0 },
	{ "dry-run", KEY_DRY_RUN, NULL, 0, "only print the steps", 0 },
	{ "no-verify", KEY_NO_VERIFY, NULL, 0, "do not look through VFIO at what was done", 0 },
	{ "only", KEY_ONLY, "ADDRESS", 0,
	  "deal with this PF or VF alone, and pass over what is not there", 0 },
	{ "if-off", KEY_IF_OFF, NULL, 0, "leave VFs alone that show something already", 0 },
	{ "wait", KEY_WAIT, "SECONDS", 0,
	  "how long to wait for another run of vfcap on a PF; 10, unless told. Without FILE, also for a network "
	  "interface that has to be up for its driver to make VFs",
	  0 },
	{ "force", KEY_FORCE, NULL, 0,
	  "give way where an offset does not read zero, where the PF has it switched off, and where another "
	  "driver of VFIO could migrate the VF",
	  0 },
	{ "assume-unused", KEY_ASSUME, NULL, 0,
	  "go on although it cannot be found out who uses a VF (hidepid, a container); --force does not",
	  0 },
	{ "vf-token", KEY_TOKEN, "UUID", 0, "the VF token of a PF that is on vfio-pci", 0 },
	{ NULL, 0, NULL, 0, NULL, 0 },
};

const struct vfcap_command vfcap_cmd_apply = {
	.name = "apply",
	.args = "[FILE...]",
	.doc = "bring the host to a described state\v"
	       "FILE is what plan --json printed, or a description as vfcap-json(5) has it; - is standard input. Without "
	       "FILE: all of /etc/vfcap.d, where what is wrong keeps nothing else from being followed. Numbers of VFs, and what each VF shows and is bound to: for all of a PF, or for none. What is as described is "
	       "left alone. Exit status 3: something was refused, or, with --check, differs.",
	.options = options,
	.option = apply_option,
	.run = apply_run,
	.changes = true,
};
