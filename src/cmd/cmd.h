/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the commands share: the command table, the global options, the way from DEVICEs to
 * functions, messages and exit statuses. A command is one const struct next to its code.
 */
#ifndef VFCAP_CMD_H
#define VFCAP_CMD_H

#include <argp.h>

#include "libvfcap.h"
#include "render.h"
#include "spec.h"

#define VFCAP_ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

enum vfcap_exit {
	VFCAP_EXIT_DONE, /* or: yes */
	VFCAP_EXIT_FAILED, /* could not: I/O, permission, kernel */
	VFCAP_EXIT_USAGE,
	VFCAP_EXIT_NO, /* answered no */
};

struct vfcap_cli;

struct vfcap_command {
	const char *name;
	const char *args; /* "[DEVICE...]", "" for none */
	const char *doc; /* one line; then, behind a \v, what --help says after the options */
	const struct argp_option *options; /* its own; NULL: none but the global ones */
	const struct vfcap_column *columns; /* what --output chooses from; NULL: no table */
	size_t n_columns;
	/* One of its own options; own is what run() handed to vfcap_cli_parse(). 0, or EINVAL when
	 * it was wrong and vfcap_cli_usage() said so. */
	int (*option)(struct vfcap_cli *cli, int key, const char *arg, void *own);
	int (*run)(struct vfcap_cli *cli); /* enum vfcap_exit */
	bool changes; /* the host: what became of it is told, and not what could be read of others meanwhile */
};

extern const struct vfcap_command *const vfcap_commands[]; /* ends with NULL */
extern const struct vfcap_command vfcap_cmd_list, vfcap_cmd_show, vfcap_cmd_diff, vfcap_cmd_map,
	vfcap_cmd_plan, vfcap_cmd_doctor, vfcap_cmd_apply, vfcap_cmd_enable, vfcap_cmd_disable,
	vfcap_cmd_status, vfcap_cmd_verify, vfcap_cmd_monitor, vfcap_cmd_capture, vfcap_cmd_help;

const struct vfcap_command *vfcap_command_find(const char *name);

enum vfcap_cli_help {
	VFCAP_HELP_NONE,
	VFCAP_HELP_LONG,
	VFCAP_HELP_USAGE,
	VFCAP_HELP_VERSION,
	VFCAP_HELP_TABLES
};

/* One run. */
struct vfcap_cli {
	const struct vfcap_command *command; /* NULL until it is known */
	int argc;
	char **argv; /* what follows the command's name is argv[1] and on */

	char **from; /* --from as often as it was given */
	size_t n_from;
	const char *sysroot;
	bool demo, wake, json, quiet;
	unsigned int verbose;
	int color; /* -1 auto, 0 never, 1 always */
	struct vfcap_table_options table;
	char **device;
	size_t n_device;
	enum vfcap_cli_help help;
	size_t n_skipped; /* functions that were not read because that would wake them */
	bool told_short; /* that config space is cut at 64 bytes was said once */
	bool told_no_kernel; /* so was that nothing can be opened */
	bool progress_shown; /* a line of it stands on the terminal, */
	long long progress_at; /* since then, in milliseconds; 0: there was none yet */
	bool said; /* a usage error was explained */
	char unread[2][512]; /* what vfcap_cli_unread() said last, the newest first */
	bool told_error; /* why the command failed was told */
	bool told_signal; /* so was the signal that ends it */
	bool interrupted, taken_back; /* a change was, by a signal; and what it had done was */
	bool pipe_ignored; /* SIGPIPE was, from the start */
	bool pipe_closed; /* nobody reads standard output */

	struct vfcap *ctx;
	bool no_pci; /* vfcap_cli_open() failed because there is no PCI where it was told to look */
	struct vfcap_out out; /* standard output */
};

/* ----------------------------------------------------------------------- options (options.c) -- */

/* Options before the command, and the command's name. 0, or an exit status that ends the run. */
int vfcap_cli_parse_top(struct vfcap_cli *cli, int argc, char **argv);
/* The command's options and DEVICEs. Returns -1 to go on, or the exit status that ends the run. */
int vfcap_cli_parse(struct vfcap_cli *cli, void *own);
/* Explains a wrong option; returns EINVAL. */
int vfcap_cli_usage(struct vfcap_cli *cli, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* Says that --output names a column that the command does not have; returns VFCAP_EXIT_USAGE. */
int vfcap_cli_unknown_column(struct vfcap_cli *cli, const char *bad);
/* Takes the UUID of --vf-token, or explains that it is none: 0 or EINVAL. */
int vfcap_cli_token(struct vfcap_cli *cli, const char *arg, const char **token);
/* Takes the argument of --view, or explains that it is none: 0 or EINVAL. */
int vfcap_cli_view(struct vfcap_cli *cli, const char *arg, bool *through_vfio);
/* Says that there is no command of that name (NULL: none was given), and which there are. */
void vfcap_cli_no_command(struct vfcap_cli *cli, const char *name);
/* Prints the help of a command, NULL: of vfcap. */
void vfcap_cli_print_help(struct vfcap_cli *cli, const struct vfcap_command *command,
			  enum vfcap_cli_help help);

/* ----------------------------------------------------------------------- signals (signals.c) -- */

/* At the start: a pipe that is closed is an error of writing for now. */
void vfcap_signals_begin(struct vfcap_cli *cli);
/* From now on the signals that end a command end changes at their next step, those of the context. */
void vfcap_signals_catch(struct vfcap_cli *cli);
/* Was there one? Nothing else is to be begun then. */
bool vfcap_signals_caught(void);
/* Says so, once. */
void vfcap_signals_say(struct vfcap_cli *cli);
/* Ends the process by the signal that was caught, or by that of a closed pipe. Without one it returns the status. */
int vfcap_signals_end(struct vfcap_cli *cli, int status);

/* ---------------------------------------------------------------------------- wishes (wish.c) -- */

enum {
	VFCAP_KEY_CAP = 0x200,
	VFCAP_KEY_RULE,
	VFCAP_KEY_AT,
	VFCAP_KEY_WIDTH,
	VFCAP_KEY_FORCE,
	VFCAP_KEY_WISHES, /* a command's other keys begin here */
};

#define VFCAP_WISH_OPTIONS                                                                          \
	{                                                                                           \
		"rule", VFCAP_KEY_RULE,	       "auto|pf-offset|after-last|free-gap",                \
		0,	"which places to try", 0                                                    \
	},                                                                                          \
		{ "at", VFCAP_KEY_AT, "CAP=OFFSET", 0, "try this offset only, as pasid=0x140", 0 }, \
	{                                                                                           \
		"width", VFCAP_KEY_WIDTH, "N", 0, "PASIDs of N bits; the PF's, unless told", 0      \
	}

struct vfcap_wished {
	struct vfcap_wish wish;
	bool asked[VFCAP_EMULS]; /* by --cap */
	const char *bare_at; /* --at without the name of a capability */
};

/* One of those options: as struct vfcap_command.option. */
int vfcap_wish_option(struct vfcap_cli *cli, int key, const char *arg, struct vfcap_wished *wished);
/* What the options mean together: everything is wanted, unless told. 0 or EINVAL, said. */
int vfcap_wish_settle(struct vfcap_cli *cli, struct vfcap_wished *wished);

/* ------------------------------------------------------------ plan's other forms (plan-as.c) -- */

enum vfcap_plan_as {
	VFCAP_AS_TEXT,
	VFCAP_AS_COMMANDS,
	VFCAP_AS_QEMU,
	VFCAP_AS_LIBVIRT,
	VFCAP_AS_FORMS
};

/* What plan's other forms need of a struct vfcap_plan. */
struct vfcap_answer {
	unsigned int n_placements;
	bool forced_broken;
	struct vfcap_placement placement[VFCAP_EMULS];
	enum vfcap_code refused[VFCAP_EMULS];
};

/* What stands before all VFs; nothing for text. */
void vfcap_plan_as_begin(struct vfcap_out *out, enum vfcap_plan_as as);
/* VFs that got the same answer, as something that can be run or pasted. ports counts root ports. */
void vfcap_plan_as(struct vfcap_out *out, enum vfcap_plan_as as, struct vfcap_function *const *vf,
		   size_t n, const struct vfcap_answer *answer, size_t *ports);

/* -------------------------------------------------------------------- progress (progress.c) -- */

/* Is there somebody to watch? */
bool vfcap_progress_wanted(const struct vfcap_cli *cli);
/* As struct vfcap_change_options.progress; arg: the cli. A line when that takes long. */
void vfcap_progress_show(void *arg, const char *what, size_t done, size_t all);
/* The terminal is for other lines again. */
void vfcap_progress_end(struct vfcap_cli *cli);

/* -------------------------------------------------------------------------- groups (group.c) -- */

/* VFs of one PF of which the same is to be said, word for word. */
struct vfcap_group {
	struct vfcap_out body;
	struct vfcap_function **vf;
	size_t n;
	struct vfcap_answer answer; /* plan's */
};

struct vfcap_groups {
	struct vfcap_group *group;
	size_t n;
	size_t printed; /* so far, those that are forgotten too */
};

/* Files a VF under what is to be said of it; body is taken over. NULL: out of memory. A group that
 * is new has one VF. */
struct vfcap_group *vfcap_groups_add(struct vfcap_groups *groups, struct vfcap_out *body,
				     struct vfcap_function *vf);
/* Each group's VFs, then what is to be said of them. */
void vfcap_groups_print(struct vfcap_groups *groups, struct vfcap_out *out);
/* Forgets all groups. */
void vfcap_groups_clear(struct vfcap_groups *groups);

/* ------------------------------------------------------------------------ outcomes (outcome.c) -- */

/* How much of it is for real. */
enum vfcap_earnest { VFCAP_EARNEST, VFCAP_DRY_RUN, VFCAP_CHECK, VFCAP_NO_KERNEL };

/* Outcomes that are printed one after the other: as JSON's "results", or VFs of a PF that fared alike together. */
struct vfcap_outcomes {
	struct vfcap_cli *cli;
	enum vfcap_earnest earnest;
	struct vfcap_json json;
	struct vfcap_groups groups;
	char said[512]; /* the last error, which may be that of many VFs */
	const struct vfcap_function *denylisted; /* the PF of the last VF that was warned of */
};

void vfcap_outcomes_begin(struct vfcap_outcomes *o, struct vfcap_cli *cli,
			  enum vfcap_earnest earnest);
/* The exit status that it is worth. */
int vfcap_outcomes_add(struct vfcap_outcomes *o, const struct vfcap_outcome *outcome);
/* All of a PF were added. Before functions are freed. */
void vfcap_outcomes_flush(struct vfcap_outcomes *o);
void vfcap_outcomes_end(struct vfcap_outcomes *o);

/* --------------------------------------------------------------------------- change (change.c) -- */

/* Opens the source, changes the VFs that the DEVICEs name PF by PF, and prints what came of it; with
 * persist, keeps it. Returns the exit status. */
int vfcap_cli_change(struct vfcap_cli *cli, struct vfcap_change_options *opt, bool persist);

/* {"pasid":offset,"pri":null} */
/* What was enabled: null where nothing was. */
json_t *vfcap_enabled_json(struct vfcap_json *json, const struct vfcap_enabled *enabled);
json_t *vfcap_offsets_json(struct vfcap_json *json, const uint16_t offset[VFCAP_EMULS]);

/* ------------------------------------------------------------------------------ keep (keep.c) -- */

/* What is kept of one PF. */
struct vfcap_keep {
	struct vfcap_function *pf; /* NULL: nothing is */
	struct vfcap_description own, others; /* the PF's own file, and all others */
	struct vfcap_spec_vfs *vfs; /* of the own one, by index; owned */
	size_t n;
	int numvfs, others_numvfs; /* -1: not described */
	bool owned; /* its number of VFs is somebody else's to set */
};

/* Adds what the i-th file says to a description. The exit status, and why. */
int vfcap_kept_describe(const struct vfcap_kept *kept, size_t i,
			struct vfcap_description *description, char error[VFCAP_SPEC_ERROR]);
/* Sees whether something of those VFs, of one PF, can be kept, before they are changed. The exit status. */
int vfcap_keep_open(struct vfcap_cli *cli, struct vfcap_function *const *vf, size_t n,
		    struct vfcap_keep *keep);
/* Keeps what came of them. width: of PASID; -1: they were disabled, and what remains is as it was. */
int vfcap_keep_save(struct vfcap_cli *cli, struct vfcap_keep *keep,
		    const struct vfcap_change *change, int width);
void vfcap_keep_close(struct vfcap_keep *keep);

/* ------------------------------------------------------------------------------- run (run.c) -- */

/* Takes the source that the options name, without a look at what is there. 0, or -errno, said. */
int vfcap_cli_source(struct vfcap_cli *cli);
/* Opens what the options name. 0, or -errno, said. */
int vfcap_cli_open(struct vfcap_cli *cli);
/* Frees all of it and sees that standard output took everything. Returns the exit status of the
 * run. */
int vfcap_cli_close(struct vfcap_cli *cli, int status);

/* "vfcap: ..." on standard error: errors; warnings (not with -q); details (only with -v). */
void vfcap_cli_error(struct vfcap_cli *cli, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void vfcap_cli_warn(struct vfcap_cli *cli, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void vfcap_cli_note(struct vfcap_cli *cli, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* The worse of two exit statuses: usage, then failed, then no, then done. */
int vfcap_cli_worse(int a, int b);

enum vfcap_pick {
	VFCAP_PICK_FUNCTIONS, /* what a DEVICE names; all functions when there is none */
	VFCAP_PICK_VFS, /* a PF stands for its VFs; all VFs when there is none */
};

struct vfcap_picked {
	struct vfcap_function **fn; /* each once; by address; VFs PF by PF with VFCAP_PICK_VFS */
	size_t n;
};

/* The functions that the DEVICEs name. Returns the exit status so far: VFCAP_EXIT_NO, said, when a
 * DEVICE names nothing, while the others are there. */
int vfcap_cli_pick(struct vfcap_cli *cli, enum vfcap_pick pick, struct vfcap_picked *picked);
bool vfcap_picked_has(const struct vfcap_picked *picked, const struct vfcap_function *fn);
void vfcap_picked_free(struct vfcap_picked *picked);

/* Says on a terminal that functions are going to be opened, if they can be, and what that may take. */
void vfcap_cli_resets(struct vfcap_cli *cli, const struct vfcap_picked *picked);

/* Says why a function could not be opened through VFIO; that there is no kernel for it only once. */
void vfcap_cli_not_opened(struct vfcap_cli *cli, int err);

/* Says that there is no VF; returns VFCAP_EXIT_NO. */
int vfcap_cli_no_vfs(struct vfcap_cli *cli);

/* Says vfcap_error(), why a PF or one of its VFs could not be read, which both can come to again, once. */
void vfcap_cli_unread(struct vfcap_cli *cli);

/* Says why a function's chain cannot be seen, if so: skipped, no privilege, unreadable. The exit
 * status that this is worth. */
int vfcap_cli_explain(struct vfcap_cli *cli, struct vfcap_function *fn);

/* --------------------------------------------------------------------------- facts (facts.c) -- */

/* The keys that all commands give of a function, from "address" to "config_size". */
void vfcap_facts_json(struct vfcap_cli *cli, struct vfcap_json *json, json_t *object,
		      struct vfcap_function *fn);
/* "pf", "vf", "function" as JSON writes it, "PF", "VF", "-" for people. */
const char *vfcap_role_key(enum vfcap_role role);
const char *vfcap_role_name(enum vfcap_role role);
/* Can the function's chain be known at all (config space of 4096 bytes, or none of that size)? */
bool vfcap_chain_is_known(struct vfcap_function *fn);
/* The name of a capability, "ID 0x3b" for those that have none. Returns buf or a name. */
const char *vfcap_cap_label(unsigned int id, char buf[16]);
/* VFs of one PF on a line: "0000:3b:02.0 .. 0000:3b:02.7 (8 VFs of 0000:3b:00.0)". */
void vfcap_out_vfs(struct vfcap_out *out, struct vfcap_function *const *vf, size_t n);
/* Driver, "no driver", or that it is not known. */
void vfcap_out_driver(struct vfcap_out *out, const struct vfcap_function *fn);

#endif
