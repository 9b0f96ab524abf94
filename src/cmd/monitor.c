// SPDX-License-Identifier: GPL-2.0-or-later
/* vfcap monitor: PFs and VFs as they come, go, bind and change. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "cmd.h"

enum { KEY_INITIAL = 0x200, KEY_COUNT, KEY_TIMEOUT, KEY_BUFFER };

struct monitor_options {
	bool initial;
	unsigned long count; /* 0: no end */
	unsigned long timeout; /* seconds, 0: no end */
	unsigned long buffer; /* KiB, 0: the library's */
};

struct monitor {
	struct vfcap_cli *cli;
	const struct monitor_options *opt;
	struct vfcap_monitor *events;
	unsigned long told;
	int signals; /* a descriptor */
};

/* --------------------------------------------------------------------------------------- text -- */

static const char *on_off(int on)
{
	return on ? "on" : "off";
}

static void out_role(struct vfcap_out *out, const struct vfcap_event *event)
{
	if (event->role == VFCAP_ROLE_PF)
		vfcap_out_str(out, "PF");
	else if (event->vf_index >= 0)
		vfcap_out_printf(out, "VF %d of %s", event->vf_index, event->pf);
	else
		vfcap_out_printf(out, "VF of %s", event->pf);
}

static void out_emulated(struct vfcap_out *out, const struct vfcap_event *event)
{
	const char *between = "";
	unsigned int e;

	for (e = 0; e < VFCAP_EMULS; e++) {
		if (!event->emulated[e])
			continue;
		vfcap_out_printf(out, "%s%s@%x", between, vfcap_capinfo(vfcap_emul_id(e))->name,
				 event->emulated[e]);
		between = ",";
	}
	if (!*between)
		vfcap_out_str(out, "nothing");
	vfcap_out_str(out, " (");
	vfcap_out_text(out, event->state);
	vfcap_out_char(out, ')');
}

static void out_mac(struct vfcap_out *out, const uint8_t mac[6])
{
	vfcap_out_printf(out, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3],
			 mac[4], mac[5]);
}

static void out_network(struct vfcap_out *out, const struct vfcap_event *event)
{
	vfcap_out_str(out, "mac ");
	if (event->has_mac)
		out_mac(out, event->mac);
	else
		vfcap_out_str(out, "none");
	if (event->vlan > 0)
		vfcap_out_printf(out, " vlan %d%s", event->vlan,
				 event->vlan_is_stag ? " 802.1ad" : "");
	if (event->trust >= 0)
		vfcap_out_printf(out, " trust %s", on_off(event->trust));
	if (event->spoofchk >= 0)
		vfcap_out_printf(out, " spoofchk %s", on_off(event->spoofchk));
	if (event->link >= 0)
		vfcap_out_printf(out, " link %s",
				 vfcap_vf_link_name((enum vfcap_vf_link)event->link));
}

static void out_details(struct vfcap_out *out, const struct vfcap_event *event)
{
	switch (event->kind) {
	case VFCAP_EVENT_BIND:
		vfcap_out_text(out, event->driver);
		break;
	case VFCAP_EVENT_UNBIND:
		vfcap_out_str(out, "from ");
		vfcap_out_text(out, event->from);
		break;
	case VFCAP_EVENT_EMULATED:
		out_emulated(out, event);
		break;
	case VFCAP_EVENT_NETWORK:
		out_network(out, event);
		break;
	default:
		out_role(out, event);
		if (!event->driver[0])
			break;
		vfcap_out_str(out, ", ");
		vfcap_out_text(out, event->driver);
		if (event->has_knob) {
			vfcap_out_str(out, ", ");
			out_emulated(out, event);
		}
	}
}

static void print_text(struct vfcap_out *out, const struct vfcap_event *event,
		       const struct timespec *now)
{
	struct tm tm;
	char time[16] = "";

	if (localtime_r(&now->tv_sec, &tm))
		strftime(time, sizeof(time), "%H:%M:%S", &tm);
	vfcap_out_printf(out, "%s ", time);
	if (event->kind == VFCAP_EVENT_RESCAN) {
		vfcap_out_str(out,
			      "rescan: messages of the kernel were lost, all is looked at anew\n");
		return;
	}
	vfcap_out_printf(out, "%s %s ", event->address, vfcap_event_name(event->kind));
	out_details(out, event);
	vfcap_out_char(out, '\n');
}

/* --------------------------------------------------------------------------------------- JSON -- */

static json_t *place_json(uint16_t offset)
{
	return offset ? json_integer(offset) : json_null();
}

static void knob_json(struct vfcap_json *json, json_t *object, const struct vfcap_event *event)
{
	json_t *emulated = json_object();

	vfcap_json_set(json, emulated, "pasid", place_json(event->emulated[VFCAP_EMUL_PASID]));
	vfcap_json_set(json, emulated, "pri", place_json(event->emulated[VFCAP_EMUL_PRI]));
	vfcap_json_set(json, object, "emulated", emulated);
	vfcap_json_set(json, object, "width", json_integer(event->width));
	vfcap_json_set(json, object, "state", vfcap_json_text(event->state));
}

static void network_json(struct vfcap_json *json, json_t *object, const struct vfcap_event *event)
{
	struct vfcap_out mac = { 0 };

	if (event->has_mac) {
		out_mac(&mac, event->mac);
		vfcap_out_char(&mac, '\0');
		vfcap_json_set(json, object, "mac", mac.error ? NULL : json_string(mac.buf));
	}
	vfcap_out_free(&mac);
	if (event->vlan >= 0)
		vfcap_json_set(json, object, "vlan", json_integer(event->vlan));
	if (event->vlan > 0)
		vfcap_json_set(json, object, "vlan_protocol",
			       json_string(event->vlan_is_stag ? "802.1ad" : "802.1Q"));
	if (event->trust >= 0)
		vfcap_json_set(json, object, "trust", json_boolean(event->trust));
	if (event->spoofchk >= 0)
		vfcap_json_set(json, object, "spoofchk", json_boolean(event->spoofchk));
	if (event->link >= 0)
		vfcap_json_set(json, object, "link",
			       json_string(vfcap_vf_link_name((enum vfcap_vf_link)event->link)));
}

static void function_json(struct vfcap_json *json, json_t *object, const struct vfcap_event *event)
{
	bool vf = event->role == VFCAP_ROLE_VF;

	vfcap_json_set(json, object, "address", json_string(event->address));
	vfcap_json_set(json, object, "role", json_string(vfcap_role_key(event->role)));
	vfcap_json_set(json, object, "pf", vf ? json_string(event->pf) : json_null());
	if (!vf || event->vf_index >= 0)
		vfcap_json_set(json, object, "vf_index",
			       vf ? json_integer(event->vf_index) : json_null());
	if (event->kind == VFCAP_EVENT_UNBIND)
		vfcap_json_set(json, object, "from", vfcap_json_text(event->from));
	if (event->kind == VFCAP_EVENT_REMOVE)
		return;
	vfcap_json_set(json, object, "driver",
		       vfcap_json_text(event->driver[0] ? event->driver : NULL));
	if (event->has_knob)
		knob_json(json, object, event);
	network_json(json, object, event);
}

static void print_json(struct vfcap_out *out, const struct vfcap_event *event,
		       const struct timespec *now)
{
	struct vfcap_json json = { .out = out };
	json_t *object = json_object();

	vfcap_json_set(&json, object, "event", json_string(vfcap_event_name(event->kind)));
	vfcap_json_set(&json, object, "time",
		       json_integer((json_int_t)now->tv_sec * 1000 + now->tv_nsec / 1000000));
	if (event->kind != VFCAP_EVENT_RESCAN)
		function_json(&json, object, event);
	vfcap_json_line(&json, object);
}

/* ---------------------------------------------------------------------------------------- run -- */

static bool is_enough(const struct monitor *m)
{
	return m->opt->count && m->told >= m->opt->count;
}

/* All events that are there, each as soon as it is known. */
static int tell(struct monitor *m)
{
	struct vfcap_out *out = &m->cli->out;
	struct vfcap_event event;
	struct timespec now;
	int ret = 0;

	while (!is_enough(m) && !out->error && (ret = vfcap_monitor_next(m->events, &event)) > 0) {
		clock_gettime(CLOCK_REALTIME, &now);
		if (m->cli->json)
			print_json(out, &event, &now);
		else
			print_text(out, &event, &now);
		vfcap_out_flush(out);
		if (fflush(stdout) && !out->error)
			out->error = -errno;
		m->told++;
	}
	if (ret < 0)
		vfcap_cli_error(m->cli, "%s", vfcap_error(m->cli->ctx));
	return ret < 0 ? ret : out->error;
}

static long long milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* Until something is to be read. 1: go on; 0: it is to end, *late: for want of time; -errno. */
static int wait_for(struct monitor *m, long long end, bool *late)
{
	struct pollfd fds[] = {
		{ .fd = vfcap_monitor_fd(m->events), .events = POLLIN },
		{ .fd = m->signals, .events = POLLIN },
		{ .fd = STDOUT_FILENO }, /* its reader may go */
	};
	long long left = end ? end - milliseconds() : -1;
	int n;

	if (end && left <= 0) {
		*late = true;
		return 0;
	}
	n = poll(fds, VFCAP_ARRAY_LEN(fds), left > 1000000 ? 1000000 : (int)left);
	if (n < 0)
		return errno == EINTR ? 1 : -errno;
	return !fds[1].revents && !(fds[2].revents & (POLLERR | POLLNVAL));
}

static int follow(struct monitor *m)
{
	long long end = m->opt->timeout ? milliseconds() + (long long)m->opt->timeout * 1000 : 0;
	bool late = false;
	int err, ret = 1;

	while (!(err = tell(m)) && !is_enough(m) && ret > 0)
		ret = wait_for(m, end, &late);
	if (err == -EPIPE) { /* nobody wants to know any more */
		m->cli->out.error = 0;
		clearerr(stdout);
		return VFCAP_EXIT_DONE;
	}
	if (err)
		return VFCAP_EXIT_FAILED;
	if (ret < 0) {
		vfcap_cli_error(m->cli, "poll: %s", strerror(-ret));
		return VFCAP_EXIT_FAILED;
	}
	return late && m->opt->count ? VFCAP_EXIT_NO : VFCAP_EXIT_DONE;
}

static int filter_all(struct monitor *m)
{
	size_t i;
	int err;

	for (i = 0; i < m->cli->n_device; i++) {
		err = vfcap_monitor_filter(m->events, m->cli->device[i]);
		if (!err)
			continue;
		vfcap_cli_error(m->cli, "%s", vfcap_error(m->cli->ctx));
		return err == -EINVAL ? VFCAP_EXIT_USAGE :
		       err == -ENOENT ? VFCAP_EXIT_NO :
					VFCAP_EXIT_FAILED;
	}
	if (m->opt->initial && vfcap_monitor_present(m->events)) {
		vfcap_cli_error(m->cli, "%s", vfcap_error(m->cli->ctx));
		return VFCAP_EXIT_FAILED;
	}
	return VFCAP_EXIT_DONE;
}

static int monitor(struct monitor *m)
{
	sigset_t signals;
	int status;

	if (vfcap_monitor_open(m->cli->ctx, m->opt->buffer << 10, &m->events)) {
		vfcap_cli_error(m->cli, "%s", vfcap_error(m->cli->ctx));
		return VFCAP_EXIT_FAILED;
	}
	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGHUP);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	m->signals = signalfd(-1, &signals, SFD_CLOEXEC);
	status = filter_all(m);
	if (status == VFCAP_EXIT_DONE)
		status = follow(m);
	if (m->signals >= 0)
		close(m->signals);
	vfcap_monitor_close(m->events);
	return status;
}

/* A whole number from 1 on. */
static int number(struct vfcap_cli *cli, const char *option, const char *arg, unsigned long most,
		  unsigned long *val)
{
	char *end;

	errno = 0;
	*val = strtoul(arg, &end, 10);
	if (*arg < '0' || *arg > '9' || *end || errno || !*val || *val > most)
		return vfcap_cli_usage(cli, "%s %s: a number from 1 to %lu", option, arg, most);
	return 0;
}

static int monitor_option(struct vfcap_cli *cli, int key, const char *arg, void *own)
{
	struct monitor_options *opt = own;

	switch (key) {
	case KEY_INITIAL:
		opt->initial = true;
		return 0;
	case KEY_COUNT:
		return number(cli, "--count", arg, 1000000000, &opt->count);
	case KEY_TIMEOUT:
		return number(cli, "--timeout", arg, 1000000000, &opt->timeout);
	case KEY_BUFFER:
		return number(cli, "--buffer", arg, 1 << 20, &opt->buffer);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int monitor_run(struct vfcap_cli *cli)
{
	struct monitor_options opt = { 0 };
	struct monitor m = { .cli = cli, .opt = &opt, .signals = -1 };
	int status = vfcap_cli_parse(cli, &opt);

	if (status >= 0)
		return status;
	return vfcap_cli_source(cli) ? VFCAP_EXIT_FAILED : monitor(&m);
}

static const struct argp_option options[] = {
	{ "initial", KEY_INITIAL, NULL, 0, "tell first what is there", 0 },
	{ "count", KEY_COUNT, "N", 0, "end after N events", 0 },
	{ "timeout", KEY_TIMEOUT, "SECONDS", 0,
	  "end after that time; exit status 3 when --count was not reached", 0 },
	{ "buffer", KEY_BUFFER, "KIB", 0,
	  "how much the kernel may keep until it is read; 16384, unless told", 0 },
	{ NULL, 0, NULL, 0, NULL, 0 },
};

const struct vfcap_command vfcap_cmd_monitor = {
	.name = "monitor",
	.args = "[DEVICE...]",
	.doc = "follow PFs and VFs as they come, go, bind and change\v"
	       "An event is a line, or with --json an object on a line of its own. A PF stands for itself and its VFs; "
	       "a DEVICE need not be there yet. When messages of the kernel are lost, an event tells so, and what has "
	       "changed meanwhile is found by looking. Ends with SIGINT or SIGTERM, or when nobody reads any more.",
	.options = options,
	.option = monitor_option,
	.run = monitor_run,
};
