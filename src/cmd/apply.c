// SPDX-License-Identifier: GPL-2.0-or-later
/* vfcap apply: brings the host to a state that files describe. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "cmd.h"

#define BLOCK 65536 /* bytes that are read at once */

enum { KEY_CHECK = 0x200, KEY_DRY_RUN, KEY_NO_VERIFY, KEY_FORCE, KEY_TOKEN, KEY_ONLY };

struct applying {
	struct vfcap_cli *cli;
	bool check;
	struct vfcap_apply_options opt;
	struct vfcap_description description;
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

/* What is kept over reboots. */
static int read_kept(struct applying *ap)
{
	struct vfcap_kept *kept;
	const char *name;
	size_t len;
	int status, err = vfcap_kept_read(ap->cli->ctx, &kept);

	if (err) {
		vfcap_cli_error(ap->cli, "%s", vfcap_error(ap->cli->ctx));
		return err == -EPERM ? VFCAP_EXIT_NO : VFCAP_EXIT_FAILED;
	}
	if (!vfcap_kept_text(kept, 0, &name, &len))
		vfcap_cli_note(ap->cli, "/etc/vfcap.d: nothing is described there");
	status = vfcap_kept_describe(ap->cli, kept, NULL, NULL, &ap->description);
	vfcap_kept_free(kept);
	return status;
}

static int read_files(struct applying *ap)
{
	int status = VFCAP_EXIT_DONE;
	size_t i;

	if (!ap->cli->n_device)
		return read_kept(ap);

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

static int print_all(struct applying *ap, const struct vfcap_apply *apply)
{
	const struct vfcap_function *pf = NULL, *mine;
	const struct vfcap_outcome *o;
	struct vfcap_outcomes outcomes;
	int status = VFCAP_EXIT_DONE;
	size_t i;

	vfcap_outcomes_begin(&outcomes, ap->cli,
			     ap->check	     ? VFCAP_CHECK :
			     ap->opt.dry_run ? VFCAP_DRY_RUN :
					       VFCAP_EARNEST);
	for (i = 0; (o = vfcap_apply_outcome(apply, i)); i++) {
		mine = o->is_pf ? NULL : vfcap_function_pf(o->vf);
		if (mine != pf)
			vfcap_outcomes_flush(&outcomes);
		pf = mine;
		status = vfcap_cli_worse(status, vfcap_outcomes_add(&outcomes, o));
		status = vfcap_cli_worse(status, explain(ap, o));
	}
	vfcap_outcomes_end(&outcomes);
	return status;
}

static int apply_files(struct applying *ap)
{
	struct vfcap_apply *apply;
	int status, err;

	if (vfcap_cli_open(ap->cli))
		return VFCAP_EXIT_FAILED;
	status = read_files(ap);
	if (status)
		return status;
	err = vfcap_apply(ap->cli->ctx, &ap->description.spec, &ap->opt, &apply);
	if (err) {
		vfcap_cli_error(ap->cli, "%s", vfcap_error(ap->cli->ctx));
		return status_of(err);
	}
	status = print_all(ap, apply);
	vfcap_apply_free(apply);
	return status;
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
	case KEY_TOKEN:
		return vfcap_cli_token(cli, arg, &ap->opt.vf_token);
	case KEY_ONLY:
		ap->opt.only = arg;
		return 0;
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
	return status;
}

static const struct argp_option options[] = {
	{ "check", KEY_CHECK, NULL, 0,
	  "only compare: exit status 3 when something is not as described", 0 },
	{ "dry-run", KEY_DRY_RUN, NULL, 0, "only print the steps", 0 },
	{ "no-verify", KEY_NO_VERIFY, NULL, 0, "do not look through VFIO at what was done", 0 },
	{ "only", KEY_ONLY, "ADDRESS", 0,
	  "deal with this PF or VF alone, and pass over what is not there", 0 },
	{ "force", KEY_FORCE, NULL, 0,
	  "give way where an offset does not read zero, where the PF has it switched off, and where another "
	  "driver of VFIO could migrate the VF",
	  0 },
	{ "vf-token", KEY_TOKEN, "UUID", 0, "the VF token of a PF that is on vfio-pci", 0 },
	{ NULL, 0, NULL, 0, NULL, 0 },
};

const struct vfcap_command vfcap_cmd_apply = {
	.name = "apply",
	.args = "[FILE...]",
	.doc = "bring the host to a described state\v"
	       "FILE is what plan --json printed, or a description as vfcap-json(5) has it; - is standard input. Without "
	       "FILE: all of /etc/vfcap.d. Numbers of VFs, and what each VF shows and is bound to: for all of a PF, or for none. What is as described is "
	       "left alone. Exit status 3: something was refused, or, with --check, differs.",
	.options = options,
	.option = apply_option,
	.run = apply_run,
};
