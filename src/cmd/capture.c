// SPDX-License-Identifier: GPL-2.0-or-later
/* vfcap capture: this host as one file, to be read elsewhere. */
#include <errno.h>
#include <unistd.h>

#include "cmd.h"

enum { KEY_SERIALS = 0x200 };

/* "1.4 MiB" */
static void out_size(struct vfcap_out *out, uint64_t bytes)
{
	if (bytes < 1 << 20)
		vfcap_out_printf(out, "%llu KiB", (unsigned long long)((bytes + 1023) >> 10));
	else
		vfcap_out_printf(out, "%.1f MiB", (double)bytes / (1 << 20));
}

static void out_count(struct vfcap_out *out, size_t n, const char *one, const char *many)
{
	vfcap_out_printf(out, "%zu %s", n, n == 1 ? one : many);
}

static void print_text(struct vfcap_cli *cli, const char *file, bool serials,
		       const struct vfcap_captured *captured)
{
	struct vfcap_out *out = &cli->out;

	vfcap_out_text(out, file);
	vfcap_out_str(out, ": ");
	out_count(out, captured->functions, "function", "functions");
	vfcap_out_str(out, ", ");
	out_size(out, captured->bytes);
	if (serials)
		vfcap_out_str(out, "; serial numbers and MAC addresses are in it\n");
	else
		vfcap_out_printf(out, "; blanked: %zu serial number%s, %zu MAC address%s\n",
				 captured->serials, captured->serials == 1 ? "" : "s",
				 captured->macs, captured->macs == 1 ? "" : "es");
}

static void print_json(struct vfcap_cli *cli, const char *file,
		       const struct vfcap_captured *captured)
{
	struct vfcap_json json;
	json_t *object = json_object(), *blanked = json_object();

	vfcap_json_begin(&json, &cli->out, "capture");
	vfcap_json_set(&json, object, "file", vfcap_json_text(file));
	vfcap_json_set(&json, object, "functions", json_integer((json_int_t)captured->functions));
	vfcap_json_set(&json, object, "files", json_integer((json_int_t)captured->files));
	vfcap_json_set(&json, object, "bytes", json_integer((json_int_t)captured->bytes));
	vfcap_json_set(&json, object, "without_config",
		       json_integer((json_int_t)captured->without));
	vfcap_json_set(&json, object, "short_config",
		       json_integer((json_int_t)captured->short_config));
	vfcap_json_set(&json, blanked, "serials", json_integer((json_int_t)captured->serials));
	vfcap_json_set(&json, blanked, "macs", json_integer((json_int_t)captured->macs));
	vfcap_json_set(&json, object, "blanked", blanked);
	vfcap_json_element(&json, object);
	vfcap_json_end(&json);
}

/* What is missing in it will be asked for. */
static void tell_missing(struct vfcap_cli *cli, const struct vfcap_captured *captured)
{
	if (captured->short_config)
		vfcap_cli_warn(cli,
			       "%s: config: only 64 bytes can be read, of %zu function%s: needs root "
			       "or CAP_SYS_ADMIN",
			       vfcap_source(cli->ctx), captured->short_config,
			       captured->short_config == 1 ? "" : "s");
	if (captured->without)
		vfcap_cli_warn(cli,
			       "%s: config: left out of %zu function%s: asleep (--wake reads it) or "
			       "unreadable",
			       vfcap_source(cli->ctx), captured->without,
			       captured->without == 1 ? "" : "s");
}

static int write_file(struct vfcap_cli *cli, const char *file, bool serials)
{
	bool to_stdout = strcmp(file, "-") == 0;
	struct vfcap_captured captured;
	int err;

	if (to_stdout)
		err = vfcap_capture_to(cli->ctx, STDOUT_FILENO, "standard output", serials,
				       &captured);
	else
		err = vfcap_capture(cli->ctx, file, serials, &captured);
	cli->pipe_closed = to_stdout && err == -EPIPE && !cli->pipe_ignored;
	if (err) {
		if (!cli->pipe_closed)
			vfcap_cli_error(cli, "%s", vfcap_error(cli->ctx));
		return VFCAP_EXIT_FAILED;
	}
	tell_missing(cli, &captured);
	if (!to_stdout && cli->json)
		print_json(cli, file, &captured);
	else if (!to_stdout)
		print_text(cli, file, serials, &captured);
	return VFCAP_EXIT_DONE;
}

static int check_arguments(struct vfcap_cli *cli)
{
	if (!cli->n_device)
		return vfcap_cli_usage(cli,
				       "capture: needs a FILE to write, - for standard output");
	if (cli->n_device > 1)
		return vfcap_cli_usage(cli, "%s: capture takes one FILE", cli->device[1]);
	if (strcmp(cli->device[0], "-") == 0 && cli->json)
		return vfcap_cli_usage(cli, "--json: standard output is taken by FILE");
	if (strcmp(cli->device[0], "-") == 0 && isatty(STDOUT_FILENO))
		return vfcap_cli_usage(cli, "-: standard output is a terminal, name a FILE");
	return 0;
}

static int capture_option(struct vfcap_cli *cli, int key, const char *arg, void *own)
{
	(void)cli;
	(void)arg;
	if (key != KEY_SERIALS)
		return ARGP_ERR_UNKNOWN;
	*(bool *)own = true;
	return 0;
}

static int capture_run(struct vfcap_cli *cli)
{
	bool serials = false;
	int status = vfcap_cli_parse(cli, &serials);

	if (status >= 0)
		return status;
	if (check_arguments(cli))
		return VFCAP_EXIT_USAGE;
	if (vfcap_cli_open(cli))
		return VFCAP_EXIT_FAILED;
	return write_file(cli, cli->device[0], serials);
}

static const struct argp_option options[] = {
	{ "with-serials", KEY_SERIALS, NULL, 0,
	  "keep device serial numbers and MAC addresses, which are blanked otherwise", 0 },
	{ NULL, 0, NULL, 0, NULL, 0 },
};

const struct vfcap_command vfcap_cmd_capture = {
	.name = "capture",
	.args = "FILE",
	.doc = "this host as one file, for --sysroot and --from elsewhere\v"
	       "FILE must not exist; - is standard output. It is a tar archive, packed by gzip when its name ends in .gz "
	       "or .tgz, of what vfcap reads of a host: config space, attributes and links of PCI functions, of their "
	       "IOMMU groups and drivers. No VPD is read, and nothing is woken.",
	.options = options,
	.option = capture_option,
	.run = capture_run,
};
