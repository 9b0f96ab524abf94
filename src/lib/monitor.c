// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Following PFs and VFs: what is known of them, messages that change it, and what of that is told. Each
 * message makes one function another, and what is told is the difference. So it is after a loss of
 * messages, when all functions are looked at anew.
 */
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "monitor.h"

#define MESSAGE 65536 /* room for one */
#define AT_ONCE 1024 /* messages, before VFs' attributes are asked for in between */

/* A PF or a VF. */
struct entry {
	struct vfcap_seen seen;
	bool dirty; /* a PF: what the kernel keeps for its VFs may be another */
};

/* Which functions are told of. */
struct filter {
	char *glob; /* owned; NULL: by address */
	struct vfcap_address address;
	bool vfs; /* only these of the PF's: */
	unsigned long first, last;
};

struct vfcap_monitor {
	struct vfcap_host *host;
	struct vfcap_watch watch;
	int poll; /* of both sockets */
	struct entry **entry; /* by address */
	size_t n;
	bool dirty; /* one of them is */
	bool quiet; /* nothing is told: it is the first look */
	struct filter *filter;
	size_t n_filters;
	struct vfcap_event *event; /* a queue: those from first to n_events */
	size_t first, n_events;
	int link_err; /* of the interfaces of one message: the first that could not be looked at */
	uint8_t buf[MESSAGE];
};

static const char *const names[] = {
	[VFCAP_EVENT_PRESENT] = "present", [VFCAP_EVENT_ADD] = "add",
	[VFCAP_EVENT_REMOVE] = "remove",   [VFCAP_EVENT_BIND] = "bind",
	[VFCAP_EVENT_UNBIND] = "unbind",   [VFCAP_EVENT_EMULATED] = "emulated",
	[VFCAP_EVENT_NETWORK] = "network", [VFCAP_EVENT_RESCAN] = "rescan",
};

const char *vfcap_event_name(enum vfcap_event_kind kind)
{
	return (unsigned int)kind < VFCAP_EVENTS ? names[kind] : "";
}

/* --------------------------------------------------------------------------------- difference -- */

static bool same_knob(const struct vfcap_knob *old, const struct vfcap_knob *now)
{
	static const struct vfcap_knob defaults = { .state = "off" };

	if (!old->there)
		old = &defaults;
	return memcmp(old->value, now->value, sizeof(old->value)) == 0 &&
	       strcmp(old->state, now->state) == 0;
}

static bool same_info(const struct vfcap_vfinfo *old, const struct vfcap_vfinfo *now)
{
	return old->has_mac == now->has_mac && old->has_vlan == now->has_vlan &&
	       old->vlan_stag == now->vlan_stag && old->vlan == now->vlan &&
	       memcmp(old->mac, now->mac, sizeof(old->mac)) == 0 &&
	       memcmp(old->told, now->told, sizeof(old->told)) == 0;
}

int vfcap_seen_compare(const struct vfcap_seen *old, const struct vfcap_seen *now, vfcap_emit emit,
		       void *arg)
{
	static const struct vfcap_seen nothing;
	int err = 0;

	if (!now)
		return old ? emit(arg, VFCAP_EVENT_REMOVE, old, old) : 0;
	if (!old)
		err = emit(arg, VFCAP_EVENT_ADD, &nothing, now);
	else if (strcmp(old->driver, now->driver)) {
		if (old->driver[0])
			err = emit(arg, VFCAP_EVENT_UNBIND, old, now);
		if (!err && now->driver[0])
			err = emit(arg, VFCAP_EVENT_BIND, old, now);
	}
	if (!old)
		old = &nothing;
	if (!err && now->knob.there && !same_knob(&old->knob, &now->knob))
		err = emit(arg, VFCAP_EVENT_EMULATED, old, now);
	if (!err && !same_info(&old->info, &now->info))
		err = emit(arg, VFCAP_EVENT_NETWORK, old, now);
	return err;
}

/* -------------------------------------------------------------------------------------- queue -- */

/* What is told of a function, whatever happened to it. */
static void describe(struct vfcap_event *event, const struct vfcap_seen *old,
		     const struct vfcap_seen *now)
{
	const struct vfcap_vfinfo *info = &now->info;
	static const struct vfcap_seen gone;

	vfcap_address_format(now->address, event->address);
	event->role = now->role;
	event->vf_index = now->vf_index;
	if (now->role == VFCAP_ROLE_VF)
		vfcap_address_format(now->pf, event->pf);
	memcpy(event->from, old->driver, sizeof(event->from));
	if (event->kind == VFCAP_EVENT_REMOVE)
		now = &gone;
	if (event->kind != VFCAP_EVENT_UNBIND)
		memcpy(event->driver, now->driver, sizeof(event->driver));
	event->has_knob = now->knob.there;
	for (unsigned int e = 0; e < VFCAP_EMULS; e++)
		event->emulated[e] = now->knob.value[e];
	event->width = (uint8_t)now->knob.value[VFCAP_ATTR_WIDTH];
	memcpy(event->state, now->knob.state, sizeof(event->state));
	event->has_mac = info->has_mac;
	memcpy(event->mac, info->mac, sizeof(event->mac));
	event->vlan = info->has_vlan ? info->vlan : -1;
	event->vlan_is_stag = info->vlan_stag;
	event->trust = info->told[VFCAP_VF_TRUST] - 1;
	event->spoofchk = info->told[VFCAP_VF_SPOOFCHK] - 1;
	event->link = info->told[VFCAP_VF_LINK] - 1;
}

static bool matches(const struct filter *f, const struct vfcap_seen *seen)
{
	bool vf = seen->role == VFCAP_ROLE_VF;
	char name[VFCAP_ADDRESS_LEN];

	if (f->glob) {
		vfcap_address_format(seen->address, name);
		return fnmatch(f->glob, name, 0) == 0 ||
		       (strncmp(name, "0000:", 5) == 0 && fnmatch(f->glob, name + 5, 0) == 0);
	}
	if (!f->vfs)
		return !vfcap_address_compare(f->address, seen->address) ||
		       (vf && !vfcap_address_compare(f->address, seen->pf));
	return vf && !vfcap_address_compare(f->address, seen->pf) &&
	       seen->vf_index >= (int)f->first && seen->vf_index <= (int)f->last;
}

static bool is_wanted(const struct vfcap_monitor *m, const struct vfcap_seen *seen)
{
	for (size_t i = 0; i < m->n_filters; i++)
		if (matches(&m->filter[i], seen))
			return true;
	return !m->n_filters;
}

static struct vfcap_event *queue(struct vfcap_monitor *m, enum vfcap_event_kind kind)
{
	struct vfcap_event *event;

	if (m->first == m->n_events)
		m->first = m->n_events = 0;
	event = vfcap_more(m->event, m->n_events, sizeof(*event));
	if (!event)
		return NULL;
	m->event = event;
	event += m->n_events++;
	*event = (struct vfcap_event){ .kind = kind, .vf_index = -1, .vlan = -1 };
	event->trust = event->spoofchk = event->link = -1;
	return event;
}

static int emit(void *arg, enum vfcap_event_kind kind, const struct vfcap_seen *old,
		const struct vfcap_seen *now)
{
	struct vfcap_monitor *m = arg;
	struct vfcap_event *event;

	if (m->quiet || !is_wanted(m, now))
		return 0;
	event = queue(m, kind);
	if (!event)
		return -ENOMEM;
	describe(event, old, now);
	return 0;
}

/* -------------------------------------------------------------------------------------- state -- */

/* Where it stands, or would. */
static size_t place(const struct vfcap_monitor *m, struct vfcap_address a)
{
	size_t lo = 0, hi = m->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (vfcap_address_compare(m->entry[mid]->seen.address, a) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static struct entry *find(const struct vfcap_monitor *m, struct vfcap_address a)
{
	size_t i = place(m, a);

	return i < m->n && !vfcap_address_compare(m->entry[i]->seen.address, a) ? m->entry[i] :
										  NULL;
}

static int insert(struct vfcap_monitor *m, const struct vfcap_seen *seen)
{
	size_t i = place(m, seen->address);
	struct entry **more = vfcap_more(m->entry, m->n, sizeof(*more)), *entry;

	if (!more)
		return -ENOMEM;
	m->entry = more;
	entry = calloc(1, sizeof(*entry));
	if (!entry)
		return -ENOMEM;
	entry->seen = *seen;
	memmove(m->entry + i + 1, m->entry + i, (m->n - i) * sizeof(*m->entry));
	m->entry[i] = entry;
	m->n++;
	return 0;
}

static void drop(struct vfcap_monitor *m, struct vfcap_address a)
{
	size_t i = place(m, a);

	free(m->entry[i]);
	m->n--;
	memmove(m->entry + i, m->entry + i + 1, (m->n - i) * sizeof(*m->entry));
}

static void mark_dirty(struct vfcap_monitor *m, struct vfcap_address pf)
{
	struct entry *entry = find(m, pf);

	if (!entry || entry->seen.role != VFCAP_ROLE_PF)
		return;
	entry->dirty = true;
	m->dirty = true;
}

/* Makes a function what it is now, and tells the difference. now NULL: it has gone. */
static int become(struct vfcap_monitor *m, struct vfcap_address a, const struct vfcap_seen *now)
{
	struct entry *entry = find(m, a);
	int err = vfcap_seen_compare(entry ? &entry->seen : NULL, now, emit, m);

	if (err)
		return err;
	if (!now && entry)
		drop(m, a);
	else if (now && entry)
		entry->seen = *now;
	else if (now)
		err = insert(m, now);
	if (!err && now && !entry)
		mark_dirty(m, now->role == VFCAP_ROLE_VF ? now->pf : a);
	return err;
}

/* ---------------------------------------------------------------------------------- functions -- */

/* A VF that has no link to its PF yet is known by the PF's numbers. */
static int find_pf(const struct vfcap_monitor *m, struct vfcap_seen *seen)
{
	int err = 0;

	for (size_t i = 0; i < m->n && seen->role == VFCAP_ROLE_FUNCTION && !err; i++) {
		const struct vfcap_seen *pf = &m->entry[i]->seen;

		if (pf->role != VFCAP_ROLE_PF || pf->address.domain != seen->address.domain)
			continue;
		err = vfcap_seen_index(m->host, pf->address, seen->address, &seen->vf_index);
		if (err || seen->vf_index < 0)
			continue;
		seen->role = VFCAP_ROLE_VF;
		seen->pf = pf->address;
	}
	return err;
}

/* 1; 0: it is neither PF nor VF, or has gone; -errno, said: that cannot be known. */
static int look_at(const struct vfcap_monitor *m, struct vfcap_address a, struct vfcap_seen *seen)
{
	int err = vfcap_seen_read(m->host, a, seen);

	if (!err)
		err = find_pf(m, seen);
	if (err)
		return err == -ENOENT ? 0 : err;
	return seen->role != VFCAP_ROLE_FUNCTION;
}

static int all_dirty(struct vfcap_monitor *m)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->entry[i]->seen.role == VFCAP_ROLE_PF)
			mark_dirty(m, m->entry[i]->seen.address);
	return 0;
}

/* Those that are in the list no more have gone. */
static int drop_gone(struct vfcap_monitor *m, const struct vfcap_address *list, size_t n)
{
	size_t k = 0;
	int err = 0;

	for (size_t i = 0; i < m->n && !err;) {
		while (k < n && vfcap_address_compare(list[k], m->entry[i]->seen.address) < 0)
			k++;
		if (k == n || vfcap_address_compare(list[k], m->entry[i]->seen.address))
			err = become(m, m->entry[i]->seen.address, NULL);
		else
			i++;
	}
	return err;
}

/* again: those that are known are passed over. */
static int look_at_one(struct vfcap_monitor *m, struct vfcap_address a, bool again)
{
	struct entry *entry = find(m, a);
	struct vfcap_seen seen;
	int found = again && entry ? 0 : look_at(m, a, &seen);

	if (found <= 0)
		return found;
	if (entry)
		seen.info = entry->seen.info;
	return become(m, a, &seen);
}

/* Looks at all functions. Twice at those that are no VFs at first: they may be, of a PF that came later. */
static int look_at_all(struct vfcap_monitor *m)
{
	cleanup_free struct vfcap_address *list = NULL;
	size_t n;
	int err = vfcap_seen_list(m->host, &list, &n);

	if (!err)
		err = drop_gone(m, list, n);
	for (int again = 0; again < 2; again++)
		for (size_t i = 0; i < n && !err; i++)
			err = look_at_one(m, list[i], again);
	return err ? err : all_dirty(m);
}

/* ---------------------------------------------------------------------------------- attributes -- */

static size_t count_vfs(const struct vfcap_monitor *m, struct vfcap_address pf)
{
	size_t n = 0;

	for (size_t i = 0; i < m->n; i++) {
		const struct vfcap_seen *vf = &m->entry[i]->seen;

		if (vf->role == VFCAP_ROLE_VF && !vfcap_address_compare(vf->pf, pf) &&
		    vf->vf_index >= (int)n)
			n = (size_t)vf->vf_index + 1;
	}
	return n;
}

static int ask_pf(struct vfcap_monitor *m, struct entry *pf)
{
	size_t n = count_vfs(m, pf->seen.address);
	cleanup_free struct vfcap_vfinfo *info = calloc(n + 1, sizeof(*info));
	struct vfcap_seen now;
	int err = 0, asked = 0;

	pf->dirty = false;
	if (!info)
		return -ENOMEM;
	if (n)
		err = vfcap_seen_read(m->host, pf->seen.address, &now);
	if (err && err != -ENOENT)
		return err;
	if (n && !err)
		memcpy(pf->seen.netdev, now.netdev, sizeof(now.netdev));
	err = 0;
	if (n && pf->seen.netdev[0] && m->host->live)
		asked = vfcap_netlink_ask(pf->seen.netdev, info, n);
	if (asked < 0 && asked != -ENOENT) { /* what was known stands */
		vfcap_host_log(m->host, "%s: rtnetlink: %s", pf->seen.netdev, strerror(-asked));
		return 0;
	}
	for (size_t i = 0; i < m->n && !err; i++) {
		now = m->entry[i]->seen;
		if (now.role != VFCAP_ROLE_VF || now.vf_index < 0 ||
		    vfcap_address_compare(now.pf, pf->seen.address))
			continue;
		now.info = info[now.vf_index];
		err = become(m, now.address, &now);
	}
	return err;
}

static int ask_dirty(struct vfcap_monitor *m)
{
	int err = 0;

	for (size_t i = 0; i < m->n && m->dirty && !err; i++)
		if (m->entry[i]->dirty)
			err = ask_pf(m, m->entry[i]);
	m->dirty = false;
	return err;
}

/* ----------------------------------------------------------------------------------- messages -- */

static int read_knob(const struct vfcap_monitor *m, struct vfcap_seen *seen)
{
	struct vfcap_seen now;
	int err;

	memset(&seen->knob, 0, sizeof(seen->knob));
	if (seen->role != VFCAP_ROLE_VF || strcmp(seen->driver, VFCAP_DRIVER))
		return 0;
	err = vfcap_seen_read(m->host, seen->address, &now);
	if (!err)
		seen->knob = now.knob;
	return err == -ENOENT ? 0 : err;
}

/* What is told of a function that is not there is of one that comes back, or of no PF or VF. */
static int take_uevent(struct vfcap_monitor *m, const struct vfcap_uevent *event)
{
	struct entry *entry = find(m, event->address);
	struct vfcap_seen now;
	int err;

	if (event->action == VFCAP_ACTION_REMOVE)
		return entry ? become(m, event->address, NULL) : 0;
	if (entry && event->action == VFCAP_ACTION_ADD)
		return 0;
	if (entry)
		now = entry->seen;
	err = entry ? 1 : look_at(m, event->address, &now);
	if (err <= 0)
		return err;
	/* In the order of the messages: what sysfs has may be of later ones. */
	if (event->action == VFCAP_ACTION_BIND)
		memcpy(now.driver, event->driver, sizeof(now.driver));
	else if (event->action != VFCAP_ACTION_CHANGE)
		now.driver[0] = '\0';
	err = read_knob(m, &now);
	if (err)
		return err;
	if (now.role == VFCAP_ROLE_PF)
		mark_dirty(m, now.address);
	return become(m, event->address, &now);
}

/* An interface that has gone is not to be asked whose it was. */
static void take_link(void *arg, const char *netdev)
{
	struct vfcap_monitor *m = arg;
	struct vfcap_address a;
	int err = vfcap_seen_netdev(m->host, netdev, &a);

	if (!err)
		mark_dirty(m, a);
	else if (err != -ENOENT && !m->link_err)
		m->link_err = err;
	for (size_t i = 0; i < m->n; i++)
		if (strcmp(m->entry[i]->seen.netdev, netdev) == 0)
			mark_dirty(m, m->entry[i]->seen.address);
}

static int take_message(struct vfcap_monitor *m, int which, size_t len)
{
	struct vfcap_uevent event;

	m->link_err = 0;
	if (which == VFCAP_WATCH_LINK)
		vfcap_links_parse(m->buf, len, take_link, m);
	else if (vfcap_uevent_parse((const char *)m->buf, len, &event))
		return take_uevent(m, &event);
	return m->link_err;
}

/* What still waits is older than what is looked at. */
static int start_over(struct vfcap_monitor *m)
{
	for (int i = 0; i < VFCAP_WATCHES; i++) {
		ssize_t n;

		do {
			n = m->watch.receive(&m->watch, i, m->buf, sizeof(m->buf));
		} while (n >= 0 || n == -ENOBUFS);
	}
	if (!m->quiet && !queue(m, VFCAP_EVENT_RESCAN))
		return -ENOMEM;
	return look_at_all(m);
}

/* Takes messages until one tells something, or there are none. */
static int pump(struct vfcap_monitor *m)
{
	int err = 0;
	size_t taken = 0;

	for (int i = 0; i < VFCAP_WATCHES && !err && m->first == m->n_events; i++) {
		ssize_t n = 0;

		while (!err && m->first == m->n_events && n >= 0 && taken++ < AT_ONCE) {
			n = m->watch.receive(&m->watch, i, m->buf, sizeof(m->buf));
			if (n == -ENOBUFS)
				err = start_over(m);
			else if (n > 0)
				err = take_message(m, i, (size_t)n);
			else if (n < 0 && n != -EAGAIN)
				err = (int)n;
		}
	}
	if (!err && m->first == m->n_events)
		err = ask_dirty(m);
	return err;
}

/* ---------------------------------------------------------------------------------------- all -- */

static int fail(struct vfcap_monitor *m, int err)
{
	return vfcap_host_fail(m->host, err, "messages of the kernel: %s", strerror(-err));
}

int vfcap_monitor_next(struct vfcap_monitor *m, struct vfcap_event *event)
{
	int err = 0;

	m->host->error[0] = '\0';
	if (m->first == m->n_events)
		err = pump(m);
	if (err)
		return fail(m, err);
	if (m->first == m->n_events)
		return 0;
	*event = m->event[m->first++];
	return 1;
}

int vfcap_monitor_fd(const struct vfcap_monitor *m)
{
	return m->poll;
}

static int poll_both(struct vfcap_monitor *m)
{
	struct epoll_event ready = { .events = EPOLLIN };

	m->poll = epoll_create1(EPOLL_CLOEXEC);
	if (m->poll < 0)
		return -errno;
	for (int i = 0; i < VFCAP_WATCHES; i++)
		if (m->watch.fd[i] >= 0 &&
		    epoll_ctl(m->poll, EPOLL_CTL_ADD, m->watch.fd[i], &ready))
			return -errno;
	return 0;
}

/* Messages that come while it is looked at are taken afterwards. */
static int first_look(struct vfcap_monitor *m)
{
	int err = poll_both(m);

	m->quiet = true;
	if (!err)
		err = look_at_all(m);
	if (!err)
		err = ask_dirty(m);
	m->quiet = false;
	return err;
}

int vfcap_monitor_open_watch(struct vfcap *ctx, struct vfcap_watch *watch,
			     struct vfcap_monitor **monitor)
{
	struct vfcap_monitor *m = calloc(1, sizeof(*m));
	int err;

	*monitor = NULL;
	if (!m) {
		vfcap_watch_close(watch);
		return vfcap_host_fail(&ctx->host, -ENOMEM, "%s", strerror(ENOMEM));
	}
	m->host = &ctx->host;
	m->watch = *watch;
	m->poll = -1;
	err = first_look(m);
	if (err) {
		vfcap_host_fail(&ctx->host, err, "%s: %s", vfcap_source(ctx), strerror(-err));
		vfcap_monitor_close(m);
		return err;
	}
	*monitor = m;
	return 0;
}

int vfcap_monitor_open(struct vfcap *ctx, size_t buffer, struct vfcap_monitor **monitor)
{
	struct vfcap_watch watch;
	int err = 0;

	*monitor = NULL;
	ctx->host.error[0] = '\0';
	if (!ctx->host.root && !ctx->host.from_files)
		err = vfcap_set_sysroot(ctx, "/");
	if (err)
		return err;
	if (!vfcap_has_kernel(ctx))
		return vfcap_host_fail(
			&ctx->host, -EOPNOTSUPP,
			"%s: there is no kernel behind it that could tell of anything",
			vfcap_source(ctx));
	err = vfcap_watch_open(&watch, buffer);
	if (err)
		return vfcap_host_fail(&ctx->host, err, "messages of the kernel: %s",
				       strerror(-err));
	return vfcap_monitor_open_watch(ctx, &watch, monitor);
}

void vfcap_monitor_close(struct vfcap_monitor *m)
{
	if (!m)
		return;
	vfcap_watch_close(&m->watch);
	vfcap_cleanup_close(&m->poll);
	for (size_t i = 0; i < m->n; i++)
		free(m->entry[i]);
	for (size_t i = 0; i < m->n_filters; i++)
		free(m->filter[i].glob);
	free(m->entry);
	free(m->filter);
	free(m->event);
	free(m);
}

int vfcap_monitor_present(struct vfcap_monitor *m)
{
	int err = 0;

	for (size_t i = 0; i < m->n && !err; i++)
		err = emit(m, VFCAP_EVENT_PRESENT, &m->entry[i]->seen, &m->entry[i]->seen);
	return err ? fail(m, err) : 0;
}

/* ------------------------------------------------------------------------------------ filters -- */

/* An address, of something that may come; or an interface, which must be there. */
static int one_function(struct vfcap_monitor *m, const char *device, const char *name,
			struct vfcap_address *a)
{
	int err;

	if (vfcap_device_address(name, a))
		return 0;
	if (!vfcap_device_may_be_netdev(name))
		return vfcap_device_no_form(m->host, device);
	err = vfcap_seen_netdev(m->host, name, a);
	return err == -ENOENT ?
		       vfcap_host_fail(m->host, err,
				       "%s: no network interface of a PCI function has that name",
				       device) :
		       err;
}

static int parse_filter(struct vfcap_monitor *m, const char *device, struct filter *f)
{
	const char *slash = strrchr(device, '/');
	cleanup_free char *name = NULL;

	if (slash && strncmp(slash, "/vf", 3) == 0) {
		name = strndup(device, (size_t)(slash - device));
		if (!name)
			return -ENOMEM;
		f->vfs = true;
		if (!vfcap_device_range(slash + 3, &f->first, &f->last))
			return vfcap_device_no_form(m->host, device);
		return one_function(m, device, name, &f->address);
	}
	if (!vfcap_device_is_glob(device))
		return one_function(m, device, device, &f->address);
	f->glob = strdup(strncmp(device, "pci/", 4) ? device : device + 4);
	return f->glob ? 0 : -ENOMEM;
}

int vfcap_monitor_filter(struct vfcap_monitor *m, const char *device)
{
	struct filter f = { 0 }, *more;
	int err;

	m->host->error[0] = '\0';
	err = parse_filter(m, device, &f);
	more = err ? NULL : vfcap_more(m->filter, m->n_filters, sizeof(*more));
	if (!err && !more)
		err = -ENOMEM;
	if (err) {
		free(f.glob);
		return vfcap_host_fail(m->host, err, "%s: %s", device, strerror(-err));
	}
	m->filter = more;
	more[m->n_filters++] = f;
	return 0;
}
