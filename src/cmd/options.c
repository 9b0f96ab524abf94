// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The command line: one argp for vfcap, one that is made from the table row of its command. argp's
 * own messages take two lines and exit; here a wrong option is one line that says what exists.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>

#include "cmd.h"

enum {
	KEY_SYSROOT = 0x100,
	KEY_DEMO,
	KEY_WAKE,
	KEY_COLOR,
	KEY_USAGE,
	KEY_TABLES,
	/* the commands' own options begin at 0x200 */
};

static const struct argp_option global_options[] = {
	{ "from", 'F', "SRC", 0,
	  "read config space from a file: text of lspci -x, -xxx, -xxxx, or a raw image; ADDR=FILE gives an "
	  "image its address, - is standard input; may be repeated",
	  0 },
	{ "sysroot", KEY_SYSROOT, "DIR", 0,
	  "take everything under DIR: a captured tree, a sos report", 0 },
	{ "demo", KEY_DEMO, NULL, 0, "the demo host that ships with vfcap", 0 },
	{ "wake", KEY_WAKE, NULL, 0, "read functions in D3cold or below a suspended bridge too",
	  0 },
	{ "json", 'j', NULL, 0, "print JSON", 0 },
	{ "output", 'o', "COL[,COL...]", 0, "the columns to show; +COL adds to the default", 0 },
	{ "noheadings", 'n', NULL, 0, "no line of headings", 0 },
	{ "raw", 'r', NULL, 0, "columns not aligned, no tree", 0 },
	{ "verbose", 'v', NULL, 0, "say more on standard error", 0 },
	{ "quiet", 'q', NULL, 0, "no warnings", 0 },
	{ "color", KEY_COLOR, "auto|always|never", 0,
	  "colors; auto: on a terminal without NO_COLOR", 0 },
	{ "help", '?', NULL, 0, "print this help", -1 },
	{ "usage", KEY_USAGE, NULL, 0, "print a short usage", -1 },
	{ "version", 'V', NULL, 0, "print the version", -1 },
	/* Commands, options and columns, a line each with tabs between, for completions. */
	{ "dump-options", KEY_TABLES, NULL, OPTION_HIDDEN, NULL, -1 },
	{ NULL, 0, NULL, 0, NULL, 0 },
};

static const struct argp_option no_options[] = { { NULL, 0, NULL, 0, NULL, 0 } };

int vfcap_cli_usage(struct vfcap_cli *cli, const char *fmt, ...)
{
	char line[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	vfcap_cli_error(cli, "%s", line);
	cli->said = true;
	return EINVAL;
}

int vfcap_cli_token(struct vfcap_cli *cli, const char *arg, const char **token)
{
	if (!vfcap_token_valid(arg))
		return vfcap_cli_usage(cli, "--vf-token %s: no UUID", arg);
	*token = arg;
	return 0;
}

int vfcap_cli_view(struct vfcap_cli *cli, const char *arg, bool *through_vfio)
{
	*through_vfio = strcmp(arg, "vfio") == 0;
	if (!*through_vfio && strcmp(arg, "hardware"))
		return vfcap_cli_usage(cli, "--view %s: one of hardware, vfio", arg);
	return 0;
}

int vfcap_cli_unknown_column(struct vfcap_cli *cli, const char *bad)
{
	const struct vfcap_command *command = cli->command;
	struct vfcap_out names = { 0 };
	size_t i;

	for (i = 0; i < command->n_columns; i++)
		vfcap_out_printf(&names, "%s%s", i ? ", " : "", command->columns[i].name);
	vfcap_out_char(&names, '\0');
	vfcap_cli_usage(cli, "--output %.*s: no such column; there are %s", (int)strcspn(bad, ","),
			bad, names.buf ? names.buf : "");
	vfcap_out_free(&names);
	return VFCAP_EXIT_USAGE;
}

static const struct argp_option *own_options(const struct vfcap_command *command)
{
	return command && command->options ? command->options : no_options;
}

static const struct argp_option *find_key(const struct vfcap_command *command, int key)
{
	const struct argp_option *const table[] = { own_options(command), global_options };
	const struct argp_option *opt;
	size_t i;

	for (i = 0; i < VFCAP_ARRAY_LEN(table); i++)
		for (opt = table[i]; opt->name; opt++)
			if (opt->key == key)
				return opt;
	return NULL;
}

/* A variable that is not set: no option has a meaning for that, and a path would be the object of its message. */
static int check_empty(struct vfcap_cli *cli, int key, const char *arg)
{
	const struct argp_option *opt = arg && !*arg ? find_key(cli->command, key) : NULL;

	return opt ? vfcap_cli_usage(cli, "--%s: its argument (%s) is empty", opt->name, opt->arg) :
		     0;
}

static int append(char ***list, size_t *n, char *s)
{
	char **more = realloc(*list, (*n + 1) * sizeof(*more));

	if (!more)
		return ENOMEM;
	more[(*n)++] = s;
	*list = more;
	return 0;
}

static int parse_color(struct vfcap_cli *cli, const char *arg)
{
	static const char *const when[] = { "auto", "never", "always" };
	size_t i;

	for (i = 0; i < VFCAP_ARRAY_LEN(when); i++)
		if (strcmp(arg, when[i]) == 0) {
			cli->color = (int)i - 1;
			return 0;
		}
	return vfcap_cli_usage(cli, "--color %s: one of auto, always, never", arg);
}

static int ask_help(struct vfcap_cli *cli, struct argp_state *state, enum vfcap_cli_help help)
{
	cli->help = help;
	state->next = state->argc;
	return 0;
}

static int parse_source(struct vfcap_cli *cli, int key, char *arg)
{
	if (key == 'F')
		return append(&cli->from, &cli->n_from, arg);
	if (key == KEY_SYSROOT)
		cli->sysroot = arg;
	else
		cli->demo = true;
	return 0;
}

static error_t parse_global(int key, char *arg, struct argp_state *state)
{
	struct vfcap_cli *cli = state->input;

	if (check_empty(cli, key, arg))
		return EINVAL;
	switch (key) {
	case 'F':
	case KEY_SYSROOT:
	case KEY_DEMO:
		return parse_source(cli, key, arg);
	case KEY_WAKE:
		cli->wake = true;
		return 0;
	case 'j':
		cli->json = true;
		return 0;
	case 'o':
		cli->table.output = arg;
		return 0;
	case 'n':
		cli->table.noheadings = true;
		return 0;
	case 'r':
		cli->table.raw = true;
		return 0;
	case 'v':
		cli->verbose++;
		return 0;
	case 'q':
		cli->quiet = true;
		return 0;
	case KEY_COLOR:
		return parse_color(cli, arg);
	case '?':
		return ask_help(cli, state, VFCAP_HELP_LONG);
	case KEY_USAGE:
		return ask_help(cli, state, VFCAP_HELP_USAGE);
	case 'V':
		return ask_help(cli, state, VFCAP_HELP_VERSION);
	case KEY_TABLES:
		return ask_help(cli, state, VFCAP_HELP_TABLES);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp global_argp = { .options = global_options, .parser = parse_global };
static const struct argp_child global_child[] = {
	{ &global_argp, 0, "Global options, before the command or after it:", 10 },
	{ NULL, 0, NULL, 0 },
};

/* ---------------------------------------------------------------------------- what was wrong -- */

/* A long option by its name or an unambiguous beginning of it; *ambiguous when several begin so. */
static const struct argp_option *find_long(const struct vfcap_command *command, const char *name,
					   size_t len, bool *ambiguous)
{
	const struct argp_option *const table[] = { own_options(command), global_options };
	const struct argp_option *opt, *found = NULL;
	size_t i;

	*ambiguous = false;
	for (i = 0; i < VFCAP_ARRAY_LEN(table); i++)
		for (opt = table[i]; opt->name; opt++) {
			if (strncmp(opt->name, name, len))
				continue;
			if (!opt->name[len]) {
				*ambiguous = false;
				return opt;
			}
			*ambiguous = found;
			found = opt;
		}
	return found;
}

static void list_options(const struct vfcap_command *command, struct vfcap_out *line)
{
	const struct argp_option *opt;

	for (opt = own_options(command); opt->name; opt++)
		vfcap_out_printf(line, "%s--%s", line->n ? ", " : "", opt->name);
	for (opt = global_options; opt->name; opt++)
		if (!(opt->flags & OPTION_HIDDEN))
			vfcap_out_printf(line, "%s--%s", line->n ? ", " : "", opt->name);
	vfcap_out_char(line, '\0');
}

static int no_such_option(struct vfcap_cli *cli, const char *option, int len)
{
	struct vfcap_out line = { 0 };

	list_options(cli->command, &line);
	vfcap_cli_error(cli, "%.*s: no such option; there are %s", len, option,
			line.buf ? line.buf : "");
	vfcap_out_free(&line);
	cli->said = true;
	return EINVAL;
}

/* Looks at one argument as getopt did. Returns how many arguments it takes, 0 when it is the wrong
 * one. */
static int check_long(struct vfcap_cli *cli, const char *arg, bool more)
{
	size_t len = strcspn(arg + 2, "=");
	const struct argp_option *opt;
	bool ambiguous;

	opt = find_long(cli->command, arg + 2, len, &ambiguous);
	if (!opt)
		no_such_option(cli, arg, (int)len + 2);
	else if (ambiguous)
		vfcap_cli_usage(cli, "%.*s: begins several options", (int)len + 2, arg);
	else if (!opt->arg && arg[2 + len])
		vfcap_cli_usage(cli, "--%s: takes no argument", opt->name);
	else if (opt->arg && !arg[2 + len] && !more)
		vfcap_cli_usage(cli, "--%s: needs an argument (%s)", opt->name, opt->arg);
	return cli->said ? 0 : 1 + (opt->arg && !arg[2 + len]);
}

static int check_short(struct vfcap_cli *cli, const char *arg, bool more)
{
	const struct argp_option *opt;

	for (arg++; *arg; arg++) {
		opt = find_key(cli->command, *arg);
		if (!opt) {
			const char option[] = { '-', *arg, '\0' };

			no_such_option(cli, option, 2);
			return 0;
		}
		if (opt->arg && !arg[1] && !more)
			vfcap_cli_usage(cli, "-%c: needs an argument (%s)", *arg, opt->arg);
		if (opt->arg)
			return cli->said ? 0 : 1 + !arg[1];
	}
	return 1;
}

/* Finds the argument that getopt did not like and explains it. */
static void explain(struct vfcap_cli *cli, int argc, char **argv)
{
	int i, n;

	for (i = 1; i < argc && strcmp(argv[i], "--"); i += n) {
		n = 1;
		if (strncmp(argv[i], "--", 2) == 0)
			n = check_long(cli, argv[i], i + 1 < argc);
		else if (argv[i][0] == '-' && argv[i][1])
			n = check_short(cli, argv[i], i + 1 < argc);
		if (!n)
			return;
	}
	vfcap_cli_usage(cli, "the command line cannot be understood");
}

static int parse_failed(struct vfcap_cli *cli, int err, int argc, char **argv)
{
	if (err == ENOMEM) {
		vfcap_cli_error(cli, "%s", strerror(ENOMEM));
		return VFCAP_EXIT_FAILED;
	}
	if (!cli->said)
		explain(cli, argc, argv);
	return VFCAP_EXIT_USAGE;
}

/* ------------------------------------------------------------------------------- the parsers -- */

struct own_input {
	struct vfcap_cli *cli;
	void *own;
};

static error_t parse_own(int key, char *arg, struct argp_state *state)
{
	struct own_input *in = state->input;

	if (check_empty(in->cli, key, arg))
		return EINVAL;
	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = in->cli;
		return 0;
	case ARGP_KEY_ARG:
		if (!*in->cli->command->args)
			return vfcap_cli_usage(in->cli, "%s: %s takes no argument", arg,
					       in->cli->command->name);
		if (!*arg)
			return vfcap_cli_usage(in->cli, "%s: an argument (%s) is empty",
					       in->cli->command->name, in->cli->command->args);
		return append(&in->cli->device, &in->cli->n_device, arg);
	default:
		if (key < 0x1000000 && in->cli->command->option)
			return in->cli->command->option(in->cli, key, arg, in->own);
		return ARGP_ERR_UNKNOWN;
	}
}

static struct argp command_argp(const struct vfcap_command *command)
{
	return (struct argp){
		.options = command->options,
		.parser = parse_own,
		.args_doc = command->args,
		.doc = command->doc,
		.children = global_child,
	};
}

static int check_exclusive(struct vfcap_cli *cli)
{
	if ((cli->n_from > 0) + (cli->sysroot != NULL) + cli->demo <= 1)
		return 0;
	return vfcap_cli_usage(cli, "--from, --sysroot and --demo exclude each other");
}

int vfcap_cli_parse(struct vfcap_cli *cli, void *own)
{
	struct argp argp = command_argp(cli->command);
	struct own_input in = { .cli = cli, .own = own };
	int err;

	err = argp_parse(&argp, cli->argc, cli->argv, ARGP_NO_ERRS | ARGP_NO_HELP | ARGP_NO_EXIT,
			 NULL, &in);
	if (err)
		return parse_failed(cli, err, cli->argc, cli->argv);
	if (cli->help) {
		vfcap_cli_print_help(cli, cli->command, cli->help);
		return VFCAP_EXIT_DONE;
	}
	if (check_exclusive(cli))
		return VFCAP_EXIT_USAGE;
	vfcap_out_init(&cli->out, stdout, cli->color);
	if (!cli->command->columns &&
	    (cli->table.output || cli->table.noheadings || cli->table.raw))
		vfcap_cli_warn(cli, "%s: no columns: --output, --noheadings and --raw do nothing",
			       cli->command->name);
	return -1;
}

static error_t parse_top(int key, char *arg, struct argp_state *state)
{
	struct vfcap_cli *cli = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = cli;
		return 0;
	case ARGP_KEY_ARG:
		cli->command = vfcap_command_find(arg);
		cli->argc = state->argc - (state->next - 1);
		cli->argv = state->argv + state->next - 1;
		state->next = state->argc;
		return cli->command ? 0 : EINVAL;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

void vfcap_cli_no_command(struct vfcap_cli *cli, const char *name)
{
	struct vfcap_out line = { 0 };
	const struct vfcap_command *const *c;

	for (c = vfcap_commands; *c; c++)
		vfcap_out_printf(&line, "%s%s", line.n ? ", " : "", (*c)->name);
	vfcap_out_char(&line, '\0');
	name = name && *name ? name : NULL;
	vfcap_cli_error(cli, "%s%sno %scommand; there are %s", name ? name : "", name ? ": " : "",
			name ? "such " : "", line.buf ? line.buf : "");
	vfcap_out_free(&line);
}

/* The commands' lines of vfcap --help. */
static char *help_filter(int key, const char *text, void *input)
{
	const struct vfcap_command *const *c;
	struct vfcap_out all = { 0 };

	(void)input;
	if (key != ARGP_KEY_HELP_PRE_DOC)
		return (char *)text;
	vfcap_out_printf(&all, "%s\n\n", text);
	for (c = vfcap_commands; *c; c++)
		vfcap_out_printf(&all, "  %-8s %.*s\n", (*c)->name, (int)strcspn((*c)->doc, "\v"),
				 (*c)->doc);
	vfcap_out_char(&all, '\0');
	return all.buf;
}

static const struct argp top_argp = {
	.parser = parse_top,
	.args_doc = "COMMAND [OPTION...] [DEVICE...]",
	.doc = "Shows the PCIe extended capabilities of SR-IOV PFs and VFs, and where emulated PASID and PRI "
	       "belong in a VF.\vDEVICE: 0000:3b:00.1, 3b:00.1, a netdev (ens1f0), a PF and VFs of it "
	       "(ens1f0/vf3, 0000:3b:00.0/vf0-7), or a glob ('0000:3b:*'). `vfcap help COMMAND' tells more. "
	       "Exit status: 0 done or yes, 1 could not, 2 usage, 3 answered no.",
	.children = global_child,
	.help_filter = help_filter,
};

int vfcap_cli_parse_top(struct vfcap_cli *cli, int argc, char **argv)
{
	int err;

	cli->color = -1;
	err = argp_parse(&top_argp, argc, argv,
			 ARGP_IN_ORDER | ARGP_NO_ERRS | ARGP_NO_HELP | ARGP_NO_EXIT, NULL, cli);
	if (err && cli->argv) {
		vfcap_cli_no_command(cli, cli->argv[0]);
		return VFCAP_EXIT_USAGE;
	}
	if (err)
		return parse_failed(cli, err, argc, argv);
	if (cli->help)
		vfcap_cli_print_help(cli, cli->command, cli->help);
	else if (!cli->command)
		vfcap_cli_no_command(cli, NULL);
	return cli->help || cli->command ? VFCAP_EXIT_DONE : VFCAP_EXIT_USAGE;
}

/* ---------------------------------------------------------------------------------- the help -- */

static void print_option(const char *command, const struct argp_option *opt)
{
	if (opt->flags & OPTION_HIDDEN)
		return;
	printf("option\t%s\t", command);
	if (opt->key > ' ' && opt->key < 0x7f)
		printf("-%c", opt->key);
	printf("\t--%s\t%s\t%s\n", opt->name, opt->arg ? opt->arg : "", opt->doc);
}

static void print_tables(void)
{
	const struct vfcap_command *const *c;
	const struct argp_option *opt;
	size_t i;

	for (opt = global_options; opt->name; opt++)
		print_option("", opt);
	for (c = vfcap_commands; *c; c++) {
		printf("command\t%s\t%s\t%.*s\n", (*c)->name, (*c)->args,
		       (int)strcspn((*c)->doc, "\v"), (*c)->doc);
		for (opt = own_options(*c); opt->name; opt++)
			print_option((*c)->name, opt);
		for (i = 0; i < (*c)->n_columns; i++)
			printf("column\t%s\t%s\t%s\n", (*c)->name, (*c)->columns[i].name,
			       (*c)->columns[i].help);
	}
	for (i = 0; vfcap_check_id(i, NULL); i++)
		printf("check\tdoctor\t%s\n", vfcap_check_id(i, NULL));
}

static void print_columns(const struct vfcap_command *command)
{
	size_t i;

	printf("\nColumns (* shown by default, unless empty in all rows):\n");
	for (i = 0; i < command->n_columns; i++)
		printf("  %c %-10s %s\n",
		       command->columns[i].flags & VFCAP_COLUMN_DEFAULT ? '*' : ' ',
		       command->columns[i].name, command->columns[i].help);
}

void vfcap_cli_print_help(struct vfcap_cli *cli, const struct vfcap_command *command,
			  enum vfcap_cli_help help)
{
	struct argp argp = command ? command_argp(command) : top_argp;
	char name[32] = "vfcap";

	if (help == VFCAP_HELP_TABLES) {
		print_tables();
		return;
	}
	if (help == VFCAP_HELP_VERSION) {
		printf("vfcap %s\n", vfcap_version());
		return;
	}
	if (command)
		snprintf(name, sizeof(name), "vfcap %s", command->name);
	errno = 0;
	argp_help(&argp, stdout,
		  help == VFCAP_HELP_USAGE ? ARGP_HELP_USAGE :
					     ARGP_HELP_SHORT_USAGE | ARGP_HELP_LONG | ARGP_HELP_DOC,
		  name);
	if (errno == ENOMEM) /* it leaves out what it has no memory for */
		cli->out.error = -ENOMEM;
	if (help == VFCAP_HELP_LONG && command && command->columns)
		print_columns(command);
}
