/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The host layer: a root directory or files in, facts out. One model, struct vfcap_host with its
 * functions, that every source fills and everybody else reads. Not installed; the public face of it
 * is ../lib/libvfcap.h.
 *
 * Functions return 0 or -errno unless said otherwise. The lowest layer that knows the object of an
 * error says it with vfcap_host_fail(); nobody prints.
 */
#ifndef VFCAP_HOST_H
#define VFCAP_HOST_H

#include <signal.h>
#include <stdio.h>
#include <sys/types.h>

#include "../core/core.h"
#include "../util/util.h"

/* --------------------------------------------------------------------------------------- rows -- */

/* Config space that came from a file, kept as the 16-byte rows that are not zero. */
struct vfcap_rows {
	uint32_t known[VFCAP_CFG_SIZE / 4 / 32]; /* one bit per dword */
	uint32_t nonzero[VFCAP_CFG_SIZE / 16 / 32]; /* one bit per row that is kept */
	uint8_t (*row)[16]; /* those rows, by ascending offset; owned */
	uint16_t n, room;
	uint16_t end; /* one past the highest known byte */
};

/* Stores len (1..16) bytes at off (a multiple of 16); whole dwords count, the rest of them is dropped.
 * bytes NULL: zeros, any number of them (and no failure). What is given twice: the last wins. 0 or -ENOMEM. */
int vfcap_rows_put(struct vfcap_rows *rows, unsigned int off, const uint8_t *bytes,
		   unsigned int len);
/* As struct vfcap_image.fetch; ctx is a struct vfcap_rows. */
int vfcap_rows_fetch(void *ctx, unsigned int off, unsigned int len, uint8_t *buf);
void vfcap_rows_trim(struct vfcap_rows *rows); /* gives back the room that is not used */
void vfcap_rows_free(struct vfcap_rows *rows); /* what it holds, not rows itself */

/* ----------------------------------------------------------------------------------- function -- */

/* Why a function's config space was not read. */
enum vfcap_skip { VFCAP_SKIP_NONE, VFCAP_SKIP_D3COLD, VFCAP_SKIP_BRIDGE };

struct vfcap_host;

struct vfcap_function {
	struct vfcap_host *host;
	struct vfcap_address address;
	char name[VFCAP_ADDRESS_LEN]; /* the address as text */
	enum vfcap_role role;
	bool known_vf; /* reads ffff:ffff where a VF does, or a link says so: a VF even without its PF */
	bool unsure; /* a read of what sysfs says of it failed: it is not to be changed, nor counted on */
	int config_err; /* -errno of the last read of its config space that failed; 0: none did since */
	int image_err; /* -errno of the first one that something is missing for; 0: none */
	enum vfcap_skip skip; /* filled by the source when it first reads config space */
	struct vfcap_function *pf; /* of a VF; NULL when it is not known */
	int vf_index; /* 0-based; -1 when it is not known */
	size_t pos,
		vf_pos; /* where it stands in host->fn and in pf->vf, after vfcap_host_finish() */
	struct vfcap_function **vf; /* of a PF: those that exist, by index; owned array */
	size_t n_vf;
	int totalvfs, numvfs; /* of a PF; -1 when not known */
	uint32_t vendor, device; /* real ones (a VF's are completed by vfcap_host_finish()) */
	uint32_t class_code; /* 24 bits, as JSON's "class" */
	uint8_t revision;
	bool has_ids; /* vendor, device, class, revision are known */
	char *driver; /* NULL: none, or not known (knows_driver) ; owned */
	bool knows_driver;
	int iommu_group; /* -1: none or not known */
	char **netdev; /* names; owned */
	size_t n_netdev;
	int config_size; /* 0, 64, 256 or 4096; -1: not looked at yet */

	/* Where its config space comes from: as struct vfcap_image.fetch, ctx is this function. */
	int (*fetch)(void *ctx, unsigned int off, unsigned int len, uint8_t *buf);
	struct vfcap_rows *rows; /* files; owned */
	void *access; /* the source's own handle (libpci's device, ...), freed by it */

	/* Filled on demand by the library, see vfcap_function_drop(). Owned. */
	struct vfcap_image *image;
	struct vfcap_chain *chain;
	struct vfcap_image *siblings; /* of a PF: the OR of its VFs */
	struct vfcap_function *
		*unreadable; /* of a PF: VFs that could not enter that OR; owned array */
	size_t n_unreadable, n_read; /* how many entered it */
};

/* --------------------------------------------------------------------------------------- host -- */

struct vfcap_root;
struct vfcap_topology; /* topology.c's notes */
struct vfcap_netlink; /* netlink.c's answers */
struct vfcap_ops; /* change.h */

struct vfcap_host {
	struct vfcap_function **fn; /* by ascending address, after vfcap_host_finish() */
	size_t n;
	struct vfcap_root *root; /* NULL for files; owned */
	bool live; /* root is / */
	bool wake; /* --wake */
	bool assume_unused; /* who cannot be asked whether he uses a VF does not */
	bool from_files;
	int netdevs_err; /* -errno: why the network interfaces are not known; 0: they are */
	bool one_pf; /* nothing is looked at but one PF and its VFs: */
	struct vfcap_address pf;
	uint32_t
		release; /* VFCAP_RELEASE() of the kernel under the root; VFCAP_RELEASE_NEWEST if not known */
	struct vfcap_pciaccess *pci; /* libpci, live only; owned (image.c) */
	struct vfcap_topology *topology; /* owned */
	struct vfcap_netlink *netlink; /* owned */
	unsigned int
		wait_up; /* milliseconds to wait for an interface that has to be up to make VFs */
	const struct vfcap_ops *ops; /* how it is changed; NULL: it is not */
	void (*log)(void *arg, const char *line); /* may be NULL */
	void *log_arg;
	const volatile sig_atomic_t *cancel; /* not 0: a run ends at its next step; NULL: never */
	bool no_memory; /* something was not done, or not told, for want of it: an answer is missing */
	int error_code; /* -errno of error[] */
	char error[512]; /* the first line said with vfcap_host_fail() since it was cleared */
};

/* Says an error, object first ("0000:3b:02.1: config: Permission denied"), and returns err (-errno). */
int vfcap_host_fail(struct vfcap_host *h, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Tells something that is no error to whoever listens. */
void vfcap_host_log(struct vfcap_host *h, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* May what was read of the host be relied on where this PF and its VFs are changed or counted? NULL: any PF. 0, or
 * -EIO, said: a read failed of the PF, of a VF of it, or of a function whose PF is not known for that. */
int vfcap_host_sure(struct vfcap_host *h, const struct vfcap_function *pf);

/* Is the run that changes the host to end? -EINTR, said with the object's name; 0: it goes on. */
int vfcap_host_cancelled(struct vfcap_host *h, const char *object);

/* A new function in the host, zeroed and with the defaults above; NULL: out of memory. Never moves. */
struct vfcap_function *vfcap_host_add(struct vfcap_host *h, struct vfcap_address a);
/* By address; NULL. Only after vfcap_host_finish(). */
struct vfcap_function *vfcap_host_find(const struct vfcap_host *h, struct vfcap_address a);
/* Sorts functions by address, and drops the earlier of two that have one (told). */
int vfcap_host_sort(struct vfcap_host *h);
/* relate.c: sorts, then roles, PF and VF links, real IDs: from what the source linked, else from the SR-IOV
 * registers. */
int vfcap_host_finish(struct vfcap_host *h);
/* relate.c: what a PF's SR-IOV capability says of its VFs: First VF Offset, VF Stride and VF Device ID. */
bool vfcap_vf_registers(struct vfcap_function *pf, unsigned int *offset, unsigned int *stride,
			unsigned int *device);
void vfcap_host_clear(struct vfcap_host *h); /* frees its functions; sources free what is theirs */

/* -------------------------------------------------------------------------------------- files -- */

/* dump.c: reads text of lspci -x/-xxx/-xxxx from fd to its end and adds what it holds. name is for messages.
 * Bad records are told by vfcap_host_log() "name:line: reason" and never lose the others. Returns the
 * number of functions added, or -errno (reading failed; 0 functions is the caller's to judge). */
ssize_t vfcap_dump_read(struct vfcap_host *h, int fd, const char *name);

/* dump.c: adds a file of --from: "FILE", "ADDR=FILE" or "-": a raw image (64, 256 or 4096 bytes that are no dump
 * text) or dump text. Fails, said, when the file is a directory or device, unreadable or holds no function. */
int vfcap_file_add(struct vfcap_host *h, const char *spec);

/* ------------------------------------------------------------------------------- sysfs, live -- */

/* topology.c: fills the host from <root>/sys/bus/pci/devices (or <root>/proc/bus/pci, a sos report): addresses,
 * links physfn/virtfnN, driver, iommu_group, netdevs, totalvfs/numvfs; config space is fetched on demand. */
int vfcap_topology_scan(struct vfcap_host *h);
void vfcap_topology_free(struct vfcap_host *h);

/* image.c: config space of the live host through libpci. The only file that includes <pci/pci.h>. */
int vfcap_live_attach(struct vfcap_host *h); /* after vfcap_topology_scan() of the real root */
void vfcap_live_detach(struct vfcap_host *h);
/* Names of pci.ids ("Intel Corporation", "82576 Virtual Function"); NULL: unknown. Borrowed until the host goes. */
const char *vfcap_pci_vendor_name(struct vfcap_host *h, unsigned int vendor);
const char *vfcap_pci_device_name(struct vfcap_host *h, unsigned int vendor, unsigned int device);

/* knob.c: what the driver's sysfs knob of a VF says: offset or 0; -ENOENT: there is no knob; another -errno, said: that
 * cannot be known. */
int vfcap_knob_offset(struct vfcap_function *fn, enum vfcap_emul e);

/* -------------------------------------------------------------------------------------- VFIO -- */

struct vfcap_guest; /* a function that is open through VFIO */
struct vfcap_vfio_emulated; /* ../uapi/vfcap-vfio.h */

/* vfio.c: opens a function through VFIO, waiting up to 5 s where the kernel is busy. token: the UUID that a VF
 * wants whose PF is on vfio-pci, NULL: none. Errors are said: see vfcap_guest_open() in libvfcap.h. */
int vfcap_vfio_attach(struct vfcap_function *fn, const char *token, struct vfcap_guest **guest);
void vfcap_vfio_detach(struct vfcap_guest *guest); /* NULL is fine */
struct vfcap_function *vfcap_vfio_function(const struct vfcap_guest *guest);
/* How it was opened, for people: "group 14 and type1". */
const char *vfcap_vfio_how(const struct vfcap_guest *guest);
/* How many bytes of config space it shows; reading them, as struct vfcap_image.fetch (ctx: a struct vfcap_guest);
 * and writing: 0 or -errno. */
unsigned int vfcap_vfio_size(const struct vfcap_guest *guest);
int vfcap_vfio_fetch(void *ctx, unsigned int off, unsigned int len, uint8_t *buf);
int vfcap_vfio_put(struct vfcap_guest *guest, unsigned int off, unsigned int len,
		   const uint8_t *buf);
/* What vfcap's driver says that it shows. -ENOTTY: it is another driver. */
int vfcap_vfio_get_emulated(struct vfcap_guest *guest, struct vfcap_vfio_emulated *out);

/* What iommufd tells of the IOMMU above a function (Linux include/uapi/linux/iommufd.h, struct iommu_hw_info). */
#define VFCAP_HW_DIRTY (1u << 0) /* it tracks what was written to */
#define VFCAP_HW_PASID_EXEC (1u << 1)
#define VFCAP_HW_PASID_PRIV (1u << 2)
#define VFCAP_HW_NO_ATS (1u << 3)

struct vfcap_hw_info {
	uint32_t type; /* enum iommu_hw_info_type; 0: its driver does not tell */
	uint8_t width; /* of PASIDs, in bits: the lesser of the IOMMU's and the device's (a VF's: its PF's); 0: none */
	bool tells_width; /* this kernel does; else the width is 0 */
	uint64_t capabilities; /* VFCAP_HW_... */
};

/* vfio.c: opens a function by its own file, as vfcap_vfio_attach() but by no other way, asks, and closes it. Errors
 * are said. -EOPNOTSUPP: no kernel, or no IOMMU. */
int vfcap_iommufd_info(struct vfcap_function *fn, const char *token, struct vfcap_hw_info *info);

/* iommufd.c: a UUID as it is written ("bd8d9d2b-5a5f-4f5a-a211-f591514ba1f3") into its 16 bytes. */
bool vfcap_uuid_parse(const char *text, uint8_t uuid[16]);

/* ----------------------------------------------------------------------------------- netlink -- */

/* What a PF's driver may do for a VF, or not; the last is one of IFLA_VF_LINK_STATE_... */
enum vfcap_vf_switch { VFCAP_VF_TRUST, VFCAP_VF_SPOOFCHK, VFCAP_VF_LINK, VFCAP_VF_SWITCHES };

/* netlink.c: what the kernel knows of a VF through its PF's netdev (rtnetlink IFLA_VFINFO_LIST). */
struct vfcap_vfinfo {
	bool has_mac, has_vlan;
	bool vlan_stag; /* the VLAN's protocol is 802.1ad */
	uint8_t mac[6];
	uint16_t vlan;
	uint8_t told
		[VFCAP_VF_SWITCHES]; /* 1 + what is set (0 or 1, of the link 0 to 2); 0: not known */
};
/* Of one VF. Absence is no error: 0 with nothing set; -errno: it could not be asked. One request per PF, kept in the host; when
 * the root is not
 * the live one, what a capture has of it. */
int vfcap_netlink_vf(struct vfcap_function *vf, struct vfcap_vfinfo *info);
/* A line of that for a capture; nothing when nothing is known. */
void vfcap_vfinfo_print(FILE *out, const struct vfcap_function *vf,
			const struct vfcap_vfinfo *info);
/* Takes such a line; one that is not understood, or about a VF of another PF, says nothing. */
void vfcap_netlink_take_line(const char *line, const struct vfcap_function *pf,
			     struct vfcap_vfinfo *info, size_t n);
void vfcap_netlink_free(struct vfcap_host *h);
/* The parser behind it: fills those of info[0..n) that the attributes of one RTM_NEWLINK message speak of.
 * Gives how many VFs it speaks of. */
size_t vfcap_netlink_parse(const void *attrs, size_t len, struct vfcap_vfinfo *info, size_t n);

#endif
