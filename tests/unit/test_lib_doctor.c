// SPDX-License-Identifier: GPL-2.0-or-later
/* What the doctor makes of facts: every check passes, fails, and does not know. */
#include "unit.h"

#include "../../src/lib/doctor.h"

#define SMTS (1ull << 43)
#define ECAP_GOOD 0x1cd98240050dfull /* all that matters, PASIDs of 20 bits */
#define EFR_GOOD (1ull << 1 | 1ull << 4 | 15ull << 32 | 1ull << 50) /* AMD: 16 bits */

static struct vfcap_iommu unit[2];
static struct vfcap_system sys;
static struct vfcap_facts f;
static const char *seen[VFCAP_HEALTHS][256]; /* IDs by result, for the last test */
static size_t n_seen[VFCAP_HEALTHS];

/* A host, a PF and a VF with nothing wrong. */
static void healthy(void)
{
	static const struct vfcap_hop hop = { "0000:3b:00.0", 0x200810, VFCAP_YES, VFCAP_YES };

	for (size_t i = 0; i < 2; i++)
		unit[i] = (struct vfcap_iommu){ "dmar0", VFCAP_IOMMU_INTEL, true, ECAP_GOOD, 0 };
	unit[1].name[4] = '1';
	sys = (struct vfcap_system){ .has_root = true,
				     .live = true,
				     .root_user = true,
				     .has_command_line = true,
				     .command_line = "quiet intel_iommu=on,sm_on",
				     .vendor = "GenuineIntel",
				     .iommu = unit,
				     .n_iommus = 2,
				     .has_iommus = true,
				     .n_groups = 14,
				     .config_file = "boot/config",
				     .dev_iommu = VFCAP_YES,
				     .cdev = VFCAP_YES,
				     .symbols_file = "modules.symbols",
				     .pasid_attach = VFCAP_YES,
				     .lockdown = "none",
				     .qemu = "usr/bin/qemu",
				     .qemu_vpasid = VFCAP_YES,
				     .qemu_viommu = VFCAP_YES };
	for (size_t i = 0; i < VFCAP_CONFIGS; i++)
		sys.config[i] = VFCAP_YES;
	for (size_t i = 0; i < VFCAP_PARTS; i++)
		sys.part[i] = VFCAP_PRESENT;
	f = (struct vfcap_facts){ .sys = &sys,
				  .pasid_on = VFCAP_NO,
				  .iommu = unit,
				  .name = "0000:3b:00.0",
				  .driver = "ice",
				  .knows_driver = true,
				  .path = { { hop, hop }, 2, true },
				  .sriov = VFCAP_YES,
				  .totalvfs = 8,
				  .n_vfs = 8,
				  .knows_vfs = true,
				  .pf = "0000:3b:00.0",
				  .denylisted = VFCAP_NO,
				  .vendor = 0x8086,
				  .device = 0x1889,
				  .has_chain = true,
				  .place = { .offset = 0x140 },
				  .group = { .known = true },
				  .iommu_group = 14,
				  .has_binding = true };
	f.pasid = f.pri = f.ats =
		(struct vfcap_cap_facts){ VFCAP_YES,
					  { .offset = 0x200, .enabled = true, .known = true } };
	f.pasid.state.width = 20;
	f.pf_pasid = f.pasid;
	f.hw = (struct vfcap_hw_facts){
		.wanted = true,
		.told = true,
		.info = { .type = 1, .width = 20, .tells_width = true, .capabilities = 0x7 }
	};
	strcpy(f.binding.driver, VFCAP_DRIVER);
	f.binding.knob = (struct vfcap_knob){
		.there = true, .abi = 1, .value = { 0x140 }, .shown = { 0x140 }, .state = "ready"
	};
	f.guess[VFCAP_GUESS_CONFIGURED].offset = 0x140;
	f.node = (struct vfcap_node){ "dev/vfio/14", true, 0600, 0, 0, VFCAP_YES };
}

/* NULL: it was not asked. */
static struct vfcap_check *find(const char *id, struct vfcap_checks *checks)
{
	enum vfcap_about about = VFCAP_ABOUT_HOST;
	size_t i = 0;

	while (vfcap_check_id(i, &about) && strcmp(vfcap_check_id(i, NULL), id))
		i++;
	assert_non_null(vfcap_check_id(i, NULL));
	vfcap_judge(&f, about, checks);
	for (i = 0; i < checks->n; i++)
		if (strcmp(checks->check[i].id, id) == 0)
			return &checks->check[i];
	return NULL;
}

/* What a check gives, with evidence, and with a fix where it failed; then all is well again. */
static const char *gives(const char *id, enum vfcap_health result)
{
	static struct vfcap_checks checks;
	const struct vfcap_check *check = find(id, &checks);

	if (!check)
		fail_msg("%s: was not asked", id);
	if (check->result != result)
		fail_msg("%s: %s (%s)", id, vfcap_health_name(check->result), check->evidence);
	if (!check->evidence[0] || (result == VFCAP_FAIL && !check->fix[0]) ||
	    (result == VFCAP_PASS && check->fix[0]))
		fail_msg("%s: evidence \"%s\", fix \"%s\"", id, check->evidence, check->fix);
	assert_true(n_seen[result] < 256);
	seen[result][n_seen[result]++] = check->id;
	healthy();
	return check->fix;
}

static void not_asked(const char *id)
{
	struct vfcap_checks checks;

	assert_null(find(id, &checks));
	healthy();
}

/* -------------------------------------------------------------------------------------- the host -- */

static void all_is_well(void **state)
{
	struct vfcap_checks checks;
	size_t n = 0, i = 0;

	(void)state;
	healthy();
	for (unsigned int about = VFCAP_ABOUT_HOST; about <= VFCAP_ABOUT_VF; about++) {
		vfcap_judge(&f, (enum vfcap_about)about, &checks);
		for (size_t k = 0; k < checks.n; k++) {
			enum vfcap_about row;

			assert_string_equal(checks.check[k].id, vfcap_check_id(n + k, &row));
			assert_int_equal(row, about);
			if (checks.check[k].result != VFCAP_PASS)
				fail_msg("%s: %s", checks.check[k].id, checks.check[k].evidence);
			assert_true(checks.check[k].title[0]);
			seen[VFCAP_PASS][n_seen[VFCAP_PASS]++] = checks.check[k].id;
		}
		n += checks.n;
	}
	while (vfcap_check_id(i, NULL))
		i++;
	assert_int_equal(n, i);
}

static void judges_iommus(void **state)
{
	(void)state;
	healthy();
	sys.n_groups = 0;
	gives("iommu", VFCAP_FAIL);
	sys.n_groups = 0;
	sys.n_iommus = 0;
	strcpy(sys.command_line, "intel_iommu=off");
	assert_non_null(strstr(gives("iommu", VFCAP_FAIL), "in place of intel_iommu=off"));
	sys.n_groups = 0;
	strcpy(sys.command_line, "amd_iommu=off");
	assert_non_null(strstr(gives("iommu", VFCAP_FAIL), "amd_iommu=off"));
	sys.n_groups = 0;
	sys.command_line[0] = '\0';
	strcpy(sys.vendor, "AuthenticAMD");
	assert_non_null(strstr(gives("iommu", VFCAP_FAIL), "AMD-Vi"));
	sys.n_groups = -1;
	gives("iommu", VFCAP_PASS);
	sys.n_groups = -1;
	sys.has_iommus = false;
	gives("iommu", VFCAP_UNKNOWN);
	sys.has_root = false;
	gives("iommu", VFCAP_UNKNOWN);
}

static void judges_scalable_mode(void **state)
{
	(void)state;
	healthy();
	strcpy(sys.command_line, "intel_iommu=on,sm_off");
	gives("scalable-mode", VFCAP_FAIL);
	strcpy(sys.command_line, "intel_iommu=on");
	gives("scalable-mode", VFCAP_PASS);
	sys.command_line[0] = '\0';
	sys.config[VFCAP_CONFIG_SCALABLE] = VFCAP_NO;
	gives("scalable-mode", VFCAP_FAIL);
	sys.command_line[0] = '\0';
	sys.config[VFCAP_CONFIG_SCALABLE] = VFCAP_NO;
	f.pasid_on = VFCAP_YES;
	gives("scalable-mode", VFCAP_PASS);
	sys.command_line[0] = '\0';
	sys.config[VFCAP_CONFIG_SCALABLE] = VFCAP_NOT_KNOWN;
	gives("scalable-mode", VFCAP_UNKNOWN);
	unit[0].kind = unit[1].kind = VFCAP_IOMMU_AMD;
	sys.vendor[0] = '\0';
	not_asked("scalable-mode");
}

static void reads_the_command_line(void **state)
{
	(void)state;
	assert_int_equal(vfcap_asked("", "a", "on", "off"), VFCAP_NOT_KNOWN);
	assert_int_equal(vfcap_asked("a=on", "a", "on", "off"), VFCAP_YES);
	assert_int_equal(vfcap_asked("  a=x,on,y", "a", "on", "off"), VFCAP_YES);
	assert_int_equal(vfcap_asked("a=on a=off", "a", "on", "off"), VFCAP_NO);
	assert_int_equal(vfcap_asked("a=off,on b=off", "a", "on", "off"), VFCAP_YES);
	assert_int_equal(vfcap_asked("aa=on b=a=on a= a", "a", "on", "off"), VFCAP_NOT_KNOWN);
	assert_int_equal(vfcap_asked("a=off", "a", "on", NULL), VFCAP_NOT_KNOWN);
	assert_int_equal(vfcap_asked("a=,,off,", "a", NULL, "off"), VFCAP_NO);
}

static void judges_units(void **state)
{
	static const struct {
		const char *id;
		unsigned int bit;
	} bits[] = { { "iommu-scalable", 43 }, { "iommu-pasid", 40 },	{ "iommu-pri", 29 },
		     { "iommu-pri", 42 },      { "iommu-ats", 2 },	{ "iommu-nesting", 26 },
		     { "iommu-nesting", 47 },  { "iommu-remapping", 3 } };

	(void)state;
	healthy();
	for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++) {
		unit[0].features &= ~(1ull << bits[i].bit);
		gives(bits[i].id, VFCAP_FAIL);
		unit[0].known = false;
		gives(bits[i].id, VFCAP_UNKNOWN);
		unit[0].kind = VFCAP_IOMMU_OTHER;
		gives(bits[i].id, VFCAP_UNKNOWN);
	}
	sys.unsafe_interrupts = VFCAP_YES;
	unit[0].features = 0;
	gives("iommu-remapping", VFCAP_PASS);
	strcpy(sys.command_line, "intremap=off");
	assert_non_null(strstr(gives("iommu-remapping", VFCAP_FAIL), "intremap=off"));
}

static void judges_units_of_amd(void **state)
{
	static const unsigned int bits[] = { 1, 4, 50 };

	(void)state;
	healthy();
	for (size_t i = 0; i < 3; i++) {
		unit[0].kind = VFCAP_IOMMU_AMD;
		unit[0].features = EFR_GOOD;
		gives("iommu-pasid", VFCAP_PASS);
		unit[0].kind = VFCAP_IOMMU_AMD;
		unit[0].features = EFR_GOOD & ~(1ull << bits[i]);
		gives("iommu-pasid", VFCAP_FAIL);
	}
	unit[0].kind = VFCAP_IOMMU_AMD;
	gives("iommu-ats", VFCAP_FAIL);
	unit[0].kind = VFCAP_IOMMU_AMD;
	unit[0].cap = 1u << 24;
	gives("iommu-ats", VFCAP_PASS);
	unit[0].kind = VFCAP_IOMMU_AMD;
	not_asked("iommu-scalable");
	unit[0].kind = VFCAP_IOMMU_AMD;
	unit[0].features = EFR_GOOD;
	assert_int_equal(vfcap_iommu_width(unit), 15); /* Linux counts one PASID less than 2^16 */
	healthy();
	assert_int_equal(vfcap_iommu_width(unit), 20);
	unit[0].features &= ~(1ull << 40);
	assert_int_equal(vfcap_iommu_width(unit), 0);
	unit[0].features = ECAP_GOOD & ~(1ull << 43); /* no PASID without scalable mode */
	assert_int_equal(vfcap_iommu_width(unit), 0);
}

/* The lesser one is told; what has nothing to do with PASID may differ. */
static void judges_whether_units_agree(void **state)
{
	struct vfcap_checks checks;

	(void)state;
	healthy();
	unit[0].features &= ~SMTS;
	assert_string_equal(find("iommu-agree", &checks)->evidence,
			    "sys/class/iommu/dmar1 has more of: scalable mode");
	gives("iommu-agree", VFCAP_FAIL);
	unit[1].features &= ~SMTS;
	gives("iommu-agree", VFCAP_PASS);
	unit[1].features += 1ull << 35;
	gives("iommu-agree", VFCAP_FAIL);
	unit[1].features -= 1ull << 36;
	gives("iommu-agree", VFCAP_PASS);
	unit[1].features ^= 1ull << 50;
	gives("iommu-agree", VFCAP_PASS);
	unit[1].known = false;
	gives("iommu-agree", VFCAP_UNKNOWN);
	sys.n_iommus = 1;
	not_asked("iommu-agree");
}

static void judges_the_kernel(void **state)
{
	static const struct {
		const char *id;
		enum vfcap_part part;
	} parts[] = { { "vfio", VFCAP_PART_VFIO_PCI },
		      { "vfio-type1", VFCAP_PART_TYPE1 },
		      { "module", VFCAP_PART_OURS } };

	(void)state;
	healthy();
	for (size_t i = 0; i < 3; i++) {
		sys.part[VFCAP_PART_IOMMUFD] = VFCAP_ABSENT;
		sys.part[parts[i].part] = VFCAP_ABSENT;
		gives(parts[i].id, VFCAP_FAIL);
		sys.part[parts[i].part] = VFCAP_LOADABLE;
		gives(parts[i].id, VFCAP_PASS);
		sys.part[parts[i].part] = VFCAP_PRESENCE_UNKNOWN;
		gives(parts[i].id, VFCAP_UNKNOWN);
	}
	sys.part[VFCAP_PART_TYPE1] = VFCAP_ABSENT;
	gives("vfio-type1", VFCAP_PASS);
	sys.config[VFCAP_CONFIG_PRI] = VFCAP_NO;
	assert_non_null(strstr(gives("kernel-config", VFCAP_FAIL), "CONFIG_PCI_PRI"));
	sys.config_file[0] = '\0';
	gives("kernel-config", VFCAP_UNKNOWN);
	sys.pasid_attach = VFCAP_NO;
	gives("pasid-attach", VFCAP_FAIL);
	sys.pasid_attach = VFCAP_NOT_KNOWN;
	gives("pasid-attach", VFCAP_UNKNOWN);
}

static void judges_iommufd(void **state)
{
	(void)state;
	healthy();
	sys.dev_iommu = VFCAP_NO;
	sys.part[VFCAP_PART_IOMMUFD] = VFCAP_LOADABLE;
	assert_string_equal(gives("iommufd", VFCAP_FAIL), "modprobe iommufd");
	sys.dev_iommu = VFCAP_NO;
	assert_non_null(strstr(gives("iommufd", VFCAP_FAIL), "/dev/iommu"));
	sys.dev_iommu = VFCAP_NO;
	sys.live = false;
	gives("iommufd", VFCAP_PASS);
	sys.dev_iommu = VFCAP_NO;
	sys.part[VFCAP_PART_IOMMUFD] = VFCAP_PRESENCE_UNKNOWN;
	sys.config[VFCAP_CONFIG_IOMMUFD] = VFCAP_NO;
	gives("iommufd", VFCAP_FAIL);
	sys.dev_iommu = VFCAP_NO;
	sys.part[VFCAP_PART_IOMMUFD] = VFCAP_ABSENT;
	gives("iommufd", VFCAP_FAIL);
	sys.dev_iommu = VFCAP_NO;
	sys.part[VFCAP_PART_IOMMUFD] = VFCAP_PRESENCE_UNKNOWN;
	gives("iommufd", VFCAP_UNKNOWN);
	sys.cdev = VFCAP_NOT_KNOWN;
	gives("vfio-cdev", VFCAP_PASS);
	sys.cdev = VFCAP_NOT_KNOWN;
	sys.config[VFCAP_CONFIG_CDEV] = VFCAP_NO;
	gives("vfio-cdev", VFCAP_FAIL);
	sys.cdev = VFCAP_NOT_KNOWN;
	sys.config[VFCAP_CONFIG_CDEV] = VFCAP_NOT_KNOWN;
	gives("vfio-cdev", VFCAP_UNKNOWN);
}

static void lock(const char *level, enum vfcap_answer enforced, enum vfcap_answer is_signed)
{
	healthy();
	sys.part[VFCAP_PART_OURS] = VFCAP_LOADABLE;
	strcpy(sys.lockdown, level);
	sys.sig_enforce = enforced;
	sys.module_signed = is_signed;
}

static void judges_signatures(void **state)
{
	(void)state;
	lock("none", VFCAP_NO, VFCAP_NO);
	gives("module-signature", VFCAP_PASS);
	lock("integrity", VFCAP_NO, VFCAP_NO);
	gives("module-signature", VFCAP_FAIL);
	lock("none", VFCAP_YES, VFCAP_NO);
	gives("module-signature", VFCAP_FAIL);
	lock("integrity", VFCAP_NO, VFCAP_YES);
	gives("module-signature", VFCAP_PASS);
	lock("confidentiality", VFCAP_NO, VFCAP_NOT_KNOWN);
	gives("module-signature", VFCAP_UNKNOWN);
	lock("", VFCAP_NOT_KNOWN, VFCAP_NO);
	gives("module-signature", VFCAP_UNKNOWN);
	lock("integrity", VFCAP_NO, VFCAP_NO);
	sys.part[VFCAP_PART_OURS] = VFCAP_PRESENT;
	gives("module-signature", VFCAP_PASS);
}

static void judges_qemu(void **state)
{
	(void)state;
	healthy();
	sys.qemu_viommu = VFCAP_NO;
	gives("qemu-viommu", VFCAP_FAIL);
	sys.qemu_viommu = VFCAP_NOT_KNOWN;
	gives("qemu-viommu", VFCAP_UNKNOWN);
	sys.qemu_vpasid = VFCAP_NO;
	gives("qemu-vpasid", VFCAP_PASS);
	sys.qemu_vpasid = VFCAP_NO;
	sys.part[VFCAP_PART_OURS] = VFCAP_ABSENT;
	gives("qemu-vpasid", VFCAP_FAIL);
	sys.qemu_vpasid = VFCAP_NOT_KNOWN;
	sys.qemu[0] = '\0';
	gives("qemu-vpasid", VFCAP_UNKNOWN);
}

/* ------------------------------------------------------------------------------------------- PFs -- */

static void judges_pfs(void **state)
{
	(void)state;
	healthy();
	f.sriov = VFCAP_NO;
	gives("pf-sriov", VFCAP_FAIL);
	f.sriov = VFCAP_NO;
	not_asked("pf-vfs");
	f.sriov = VFCAP_NOT_KNOWN;
	gives("pf-sriov", VFCAP_UNKNOWN);
	f.driver = NULL;
	assert_string_equal(gives("pf-driver", VFCAP_FAIL),
			    "echo 0000:3b:00.0 > /sys/bus/pci/drivers_probe");
	f.driver = "vfio-pci";
	gives("pf-driver", VFCAP_PASS);
	f.knows_driver = false;
	gives("pf-driver", VFCAP_UNKNOWN);
	f.n_vfs = 0;
	assert_non_null(strstr(gives("pf-vfs", VFCAP_FAIL), "sriov_numvfs (N up to 8)"));
	f.n_vfs = 0;
	f.totalvfs = 0;
	assert_non_null(strstr(gives("pf-vfs", VFCAP_FAIL), "firmware"));
	f.n_vfs = 0;
	f.totalvfs = -1;
	gives("pf-vfs", VFCAP_FAIL);
	f.n_vfs = 0;
	f.knows_vfs = false;
	gives("pf-vfs", VFCAP_UNKNOWN);
}

static void judges_capabilities(void **state)
{
	static const char *const ids[3][2] = { { "pf-pasid", "pf-pasid-on" },
					       { "pf-pri", "pf-pri-on" },
					       { "pf-ats", "pf-ats-on" } };

	(void)state;
	healthy();
	for (size_t i = 0; i < 3; i++) {
		struct vfcap_cap_facts *cap = i == 0 ? &f.pasid : i == 1 ? &f.pri : &f.ats;

		cap->there = VFCAP_NO;
		gives(ids[i][0], VFCAP_FAIL);
		cap->there = VFCAP_NO;
		not_asked(ids[i][1]);
		cap->there = VFCAP_NOT_KNOWN;
		gives(ids[i][0], VFCAP_UNKNOWN);
		cap->state.known = false;
		gives(ids[i][1], VFCAP_UNKNOWN);
		cap->state.enabled = false;
		f.shows_pri = true;
		gives(ids[i][1], VFCAP_FAIL);
	}
	f.pri.state.enabled = false;
	gives("pf-pri-on", VFCAP_PASS);
	f.ats.state.enabled = false;
	strcpy(sys.command_line, "pci=realloc,noats");
	assert_non_null(strstr(gives("pf-ats-on", VFCAP_FAIL), "pci=noats"));
}

static void off_says_what_is_in_the_way(void **state)
{
	(void)state;
	healthy();
	f.pasid.state.enabled = false;
	assert_non_null(strstr(gives("pf-pasid-on", VFCAP_FAIL), "intel_iommu=on,sm_on"));
	f.pasid.state.enabled = false;
	f.path.hop[1].prefix = VFCAP_NO;
	assert_non_null(strstr(gives("pf-pasid-on", VFCAP_FAIL), "pf-prefix"));
	f.pasid.state.enabled = false;
	f.path.hop[1].acs = VFCAP_NO;
	assert_non_null(strstr(gives("pf-pasid-on", VFCAP_FAIL), "pf-acs"));
	f.pasid.state.enabled = false;
	unit[0].kind = VFCAP_IOMMU_AMD;
	assert_non_null(strstr(gives("pf-pasid-on", VFCAP_FAIL), "bind the PF"));
}

/* One hop after the other; that PASID is on tells more than registers. */
static void judges_the_way(void **state)
{
	(void)state;
	healthy();
	for (size_t i = 0; i < 2; i++) {
		f.pasid.state.enabled = false;
		f.path.hop[i].prefix = VFCAP_NO;
		gives("pf-prefix", VFCAP_FAIL);
		f.path.hop[i].prefix = VFCAP_NO;
		gives("pf-prefix", VFCAP_PASS);
		f.path.hop[i].prefix = VFCAP_NOT_KNOWN;
		gives("pf-prefix", VFCAP_UNKNOWN);
		f.pasid.state.enabled = false;
		f.path.hop[i].acs = VFCAP_NO;
		gives("pf-acs", VFCAP_FAIL);
		f.path.hop[i].acs = VFCAP_NO;
		gives("pf-acs", VFCAP_PASS);
		f.path.hop[i].acs = VFCAP_NOT_KNOWN;
		gives("pf-acs", VFCAP_UNKNOWN);
	}
	f.path.portless = true;
	gives("pf-prefix", VFCAP_PASS);
	f.path.portless = true;
	f.pasid.state.enabled = false;
	gives("pf-prefix", VFCAP_FAIL);
	f.path.whole = false;
	gives("pf-prefix", VFCAP_UNKNOWN);
	f.path.whole = false;
	gives("pf-acs", VFCAP_UNKNOWN);
}

static void not_by_iommufd(void)
{
	f.hw = (struct vfcap_hw_facts){ 0 };
}

static void units_of_16_bits(void)
{
	unit[0].features = (ECAP_GOOD & ~(0x1full << 35)) | 15ull << 35;
}

/* What was seen, once all is well again. */
static const char *evidence(const char *id)
{
	static struct vfcap_checks checks;
	const struct vfcap_check *check = find(id, &checks);

	assert_non_null(check);
	healthy();
	return check->evidence;
}

static void judges_widths(void **state)
{
	(void)state;
	healthy();
	not_by_iommufd();
	gives("pf-width", VFCAP_PASS);
	not_by_iommufd();
	units_of_16_bits();
	gives("pf-width", VFCAP_PASS);
	not_by_iommufd();
	units_of_16_bits();
	assert_string_equal(evidence("pf-width"), "the PF has 20 bits, sys/class/iommu/dmar0 16");
	not_by_iommufd();
	units_of_16_bits();
	f.shown_width = 20; /* and is cut */
	assert_string_equal(evidence("pf-width"), "VFs show 16 bits, sys/class/iommu/dmar0 16");
	not_by_iommufd();
	f.iommu = NULL;
	assert_string_equal(gives("pf-width", VFCAP_UNKNOWN), "vfcap doctor --open 0000:3b:00.0");
	not_by_iommufd();
	unit[0].known = false;
	assert_string_equal(gives("pf-width", VFCAP_UNKNOWN), "vfcap doctor --open 0000:3b:00.0");
	not_by_iommufd();
	unit[0].known = sys.live = false; /* there is nobody to be asked */
	assert_string_equal(gives("pf-width", VFCAP_UNKNOWN), "");
	f.hw.told = false; /* it was tried, of a VF */
	unit[0].known = false;
	assert_string_equal(gives("pf-width", VFCAP_UNKNOWN), "");
	f.pasid.state.width = 0;
	gives("pf-width", VFCAP_UNKNOWN);
	f.pasid.there = VFCAP_NO;
	not_asked("pf-width");
}

static void judges_widths_by_iommufd(void **state)
{
	static const char *const ids[] = { "pf-width", "vf-width" };

	(void)state;
	healthy();
	for (size_t i = 0; i < 2; i++) {
		f.binding.knob.value[VFCAP_ATTR_PASID] = 0;
		assert_string_equal(evidence(ids[i]),
				    "the PF has 20 bits, iommufd 20; IOMMU type: Intel VT-d; "
				    "dirty tracking, PASID execute, PASID privileged");
		f.hw.info.width = 16;
		gives(ids[i], VFCAP_PASS);
		f.hw.info.width = 0;
		assert_string_equal(gives(ids[i], VFCAP_FAIL), "see scalable-mode and iommu-pasid");
		f.hw.info.width = 0;
		f.hw.info.tells_width = false;
		gives(ids[i], VFCAP_UNKNOWN);
	}
	f.shown_width = 16;
	f.hw.info.width = 16;
	gives("pf-width", VFCAP_PASS);
	f.binding.knob.value[VFCAP_ATTR_WIDTH] = 17;
	f.hw.info.width = 16;
	assert_string_equal(evidence("vf-width"),
			    "it shows 16 bits, iommufd 16 (sys/class/iommu/dmar0: 20); IOMMU type: "
			    "Intel VT-d; dirty tracking, PASID execute, PASID privileged");
	f.binding.knob.value[VFCAP_ATTR_WIDTH] = 16;
	f.hw.info.width = 16;
	gives("vf-width", VFCAP_PASS);
	f.hw.wanted = false;
	not_asked("vf-width");
	f.pf_pasid.there = VFCAP_NO;
	not_asked("vf-width");
}

/* Iommufd tells no more than the device has, and that is not to differ. */
static void compares_iommufd_with_registers(void **state)
{
	(void)state;
	healthy();
	f.pf_pasid.state.width = f.hw.info.width = 16;
	assert_null(strstr(evidence("vf-width"), "sys/class/iommu"));
	f.pf_pasid.state.width = 16;
	f.hw.info.width = 15;
	assert_non_null(strstr(evidence("vf-width"), "iommufd 15 (sys/class/iommu/dmar0: 20)"));
	units_of_16_bits();
	f.hw.info.width = 16;
	assert_null(strstr(evidence("vf-width"), "sys/class/iommu"));
	units_of_16_bits();
	assert_non_null(strstr(evidence("vf-width"), "iommufd 20 (sys/class/iommu/dmar0: 16)"));
	unit[0].known = false;
	f.hw.info.width = 16;
	assert_null(strstr(evidence("vf-width"), "sys/class/iommu"));
	f.hw.info.type = 0xfeed;
	f.hw.info.width = 0;
	f.hw.info.capabilities = 0xf;
	assert_non_null(strstr(evidence("vf-width"), "IOMMU type: 0xfeed; dirty tracking, no ATS"));
}

static void not_opened(const char *why)
{
	struct vfcap_check check = { 0 };

	f.hw.told = false;
	assert_false(vfcap_may_open(&f, &check));
	assert_string_equal(check.evidence, why);
	gives("vf-width", VFCAP_UNKNOWN);
}

/* Where it would do harm, or nothing but fail. */
static void opens_with_care(void **state)
{
	struct vfcap_check check = { 0 };

	(void)state;
	healthy();
	assert_true(vfcap_may_open(&f, &check));
	f.has_binding = false;
	not_opened("drivers are not in what was read");
	f.has_chain = false;
	not_opened("its config space could not be read");
	f.pf_pasid.there = VFCAP_NOT_KNOWN;
	not_opened("its config space could not be read");
	f.broken = true;
	not_opened("not asked: its chain is broken");
	f.pf_pasid.state.enabled = false;
	not_opened("not asked: PASID is off, and the kernel would warn of it");
	strcpy(f.binding.driver, "iavf");
	not_opened("not asked: no driver of VFIO is bound to it");
	f.use = (struct vfcap_use){ .kind = VFCAP_USE_HELD, .pid = 7, .name = "qemu" };
	not_opened("not asked: qemu (process 7) holds it through VFIO");
	f.use.kind = VFCAP_USE_UNBINDING;
	f.binding.driver[0] = '\0';
	not_opened("not asked: its driver is being unbound and waits for somebody to let go");
	f.pf = NULL; /* a PF */
	assert_false(vfcap_may_open(&f, &check));
	assert_string_equal(check.evidence,
			    "not asked: it has VFs, which its reset would take along");
	f.n_vfs = 0;
	assert_true(vfcap_may_open(&f, &check));
	healthy();
	f.hw.told = false;
	strcpy(f.hw.error, "open /dev/iommu: No such file or directory");
	assert_string_equal(evidence("vf-width"),
			    "iommufd: open /dev/iommu: No such file or directory");
}

/* ------------------------------------------------------------------------------------------- VFs -- */

static void judges_chains_and_places(void **state)
{
	(void)state;
	healthy();
	f.broken = true;
	f.anomaly = VFCAP_PAST_END;
	assert_non_null(strstr(gives("vf-chain", VFCAP_FAIL), "no driver of VFIO"));
	f.has_chain = false;
	gives("vf-chain", VFCAP_UNKNOWN);
	f.refused = VFCAP_NO_ROOM;
	assert_non_null(strstr(gives("vf-placement", VFCAP_FAIL), "--force"));
	f.refused = VFCAP_PF_LACKS;
	assert_string_equal(gives("vf-placement", VFCAP_FAIL), "see pf-pasid");
	f.refused = VFCAP_ALREADY_PRESENT;
	gives("vf-placement", VFCAP_PASS);
	f.refused = VFCAP_CODE_UNREADABLE;
	gives("vf-placement", VFCAP_UNKNOWN);
	f.ats.there = VFCAP_NO;
	gives("vf-ats", VFCAP_FAIL);
	f.ats.there = VFCAP_NOT_KNOWN;
	gives("vf-ats", VFCAP_UNKNOWN);
	f.pasid.state.enabled = false; /* a VF has none */
	f.path.hop[0].prefix = VFCAP_NO;
	gives("vf-prefix", VFCAP_FAIL);
	f.path.hop[0].prefix = VFCAP_NOT_KNOWN;
	gives("vf-prefix", VFCAP_UNKNOWN);
}

static void judges_hidden_registers(void **state)
{
	(void)state;
	healthy();
	f.guess[VFCAP_GUESS_CONFIGURED].code = VFCAP_NONZERO;
	gives("vf-hidden", VFCAP_FAIL);
	f.guess[VFCAP_GUESS_QEMU] = (struct vfcap_guess){ 0xff8, VFCAP_NONZERO, 0xffc };
	gives("vf-hidden", VFCAP_PASS); /* nobody guesses where it is configured */
	f.guess[VFCAP_GUESS_CONFIGURED].offset = 0;
	f.guess[VFCAP_GUESS_QEMU] = (struct vfcap_guess){ 0xff8, VFCAP_SIBLING_NONZERO, 0xffc };
	assert_string_equal(gives("vf-hidden", VFCAP_FAIL), "vfcap enable 0000:3b:00.0");
	f.guess[VFCAP_GUESS_CONFIGURED].offset = 0;
	f.guess[VFCAP_GUESS_PF] = (struct vfcap_guess){ 0x200, VFCAP_OCCUPIED, 0 };
	gives("vf-hidden", VFCAP_PASS);
	f.siblings_unreadable = 1;
	gives("vf-hidden", VFCAP_UNKNOWN);
	f.refused = VFCAP_BROKEN_CHAIN;
	gives("vf-hidden", VFCAP_UNKNOWN);
	f.refused = VFCAP_PF_LACKS;
	not_asked("vf-hidden");
}

static void judges_groups(void **state)
{
	(void)state;
	healthy();
	f.group.n_others = 2;
	gives("vf-group", VFCAP_PASS);
	f.group.n_others = 2;
	f.group.n_strange = 1;
	strcpy(f.group.strange, "0000:03:00.1 (xhci_hcd)");
	assert_non_null(strstr(gives("vf-group", VFCAP_FAIL),
			       "/sys/bus/pci/devices/0000:03:00.1/driver/unbind"));
	f.group.known = false;
	gives("vf-group", VFCAP_UNKNOWN);
}

/* Until the module was told to bind it all the same, no fix says to enable it. */
static void judges_the_denylist(void **state)
{
	(void)state;
	healthy();
	f.denylisted = VFCAP_YES;
	assert_non_null(strstr(gives("vf-denylist", VFCAP_FAIL), "disable_denylist=1"));
	f.denylisted = VFCAP_YES;
	sys.denylist_disabled = VFCAP_NO;
	gives("vf-denylist", VFCAP_FAIL);
	f.denylisted = VFCAP_YES;
	sys.denylist_disabled = VFCAP_YES;
	assert_non_null(strstr(evidence("vf-denylist"), "disable_denylist is Y"));
	f.denylisted = VFCAP_YES;
	sys.denylist_disabled = VFCAP_YES;
	gives("vf-denylist", VFCAP_PASS);
	f.denylisted = VFCAP_NOT_KNOWN;
	gives("vf-denylist", VFCAP_UNKNOWN);
	f.denylisted = VFCAP_YES;
	strcpy(f.binding.driver, "c6xxvf");
	assert_string_equal(gives("vf-driver", VFCAP_FAIL), "see vf-denylist");
}

static void judges_drivers(void **state)
{
	(void)state;
	healthy();
	strcpy(f.binding.driver, "iavf");
	assert_string_equal(gives("vf-driver", VFCAP_FAIL), "vfcap enable 0000:3b:00.0");
	f.binding.driver[0] = '\0';
	gives("vf-driver", VFCAP_FAIL);
	f.binding.driver[0] = '\0';
	f.broken = true;
	gives("vf-driver", VFCAP_PASS);
	f.broken = true;
	assert_non_null(strstr(gives("vf-driver", VFCAP_FAIL), "/unbind"));
	f.has_binding = false;
	gives("vf-driver", VFCAP_UNKNOWN);
	f.binding.knob.abi = 2;
	gives("vf-knob", VFCAP_FAIL);
	f.binding.knob.there = false;
	gives("vf-knob", VFCAP_FAIL);
	f.binding.knob.there = false;
	sys.live = false;
	gives("vf-knob", VFCAP_UNKNOWN);
	strcpy(f.binding.driver, "vfio-pci");
	not_asked("vf-knob");
}

static void judges_emulation(void **state)
{
	(void)state;
	healthy();
	f.binding.knob.value[VFCAP_ATTR_PASID] = 0;
	gives("vf-emulation", VFCAP_FAIL);
	strcpy(f.binding.knob.state, "hidden: pasid: pf-off");
	assert_non_null(strstr(gives("vf-emulation", VFCAP_FAIL), "pf-pasid-on"));
	f.binding.knob.value[VFCAP_ATTR_PASID] = 0x108;
	strcpy(f.binding.knob.state, "open: pf-unreadable");
	assert_non_null(strstr(gives("vf-emulation", VFCAP_FAIL), "whether the PF answers"));
	strcpy(f.binding.driver, "vfio-pci");
	gives("vf-emulation", VFCAP_UNKNOWN);
	strcpy(f.binding.driver, "iavf");
	not_asked("vf-emulation");
}

static void judges_files(void **state)
{
	(void)state;
	healthy();
	f.node.usable = VFCAP_NO;
	assert_non_null(strstr(gives("vf-permissions", VFCAP_FAIL), "chown USER /dev/vfio/14"));
	f.node.usable = VFCAP_NOT_KNOWN;
	gives("vf-permissions", VFCAP_UNKNOWN);
	f.node.there = false;
	gives("vf-permissions", VFCAP_FAIL);
	f.node.there = false;
	sys.live = false;
	gives("vf-permissions", VFCAP_UNKNOWN);
	f.binding.driver[0] = '\0';
	not_asked("vf-permissions");
}

static void judges_users(void **state)
{
	(void)state;
	healthy();
	f.use = (struct vfcap_use){ .kind = VFCAP_USE_HELD, .pid = 7, .name = "qemu" };
	gives("vf-use", VFCAP_PASS);
	f.use = (struct vfcap_use){ .kind = VFCAP_USE_HELD, .pid = 7, .name = "qemu" };
	f.binding.knob.shown[VFCAP_EMUL_PASID] = 0;
	gives("vf-use", VFCAP_FAIL);
	f.use = (struct vfcap_use){ .kind = VFCAP_USE_NETDEV_UP, .pid = 0, .name = "eth7" };
	assert_string_equal(gives("vf-use", VFCAP_FAIL), "ip link set eth7 down");
	f.use.kind = VFCAP_USE_NETDEV_AWAY;
	gives("vf-use", VFCAP_FAIL);
	f.use.kind = VFCAP_USE_UNBINDING;
	gives("vf-use", VFCAP_FAIL);
	sys.root_user = false;
	gives("vf-use", VFCAP_UNKNOWN);
	f.has_binding = false;
	gives("vf-use", VFCAP_UNKNOWN);
}

/* The last one: whatever check there is, it was seen to give each answer. */
static void every_check_was_seen(void **state)
{
	(void)state;
	for (size_t i = 0; vfcap_check_id(i, NULL); i++)
		for (unsigned int r = 0; r < VFCAP_HEALTHS; r++) {
			size_t k = 0;

			while (k < n_seen[r] && strcmp(seen[r][k], vfcap_check_id(i, NULL)))
				k++;
			if (k == n_seen[r])
				fail_msg("%s: never seen to %s", vfcap_check_id(i, NULL),
					 vfcap_health_name((enum vfcap_health)r));
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_is_well),
		cmocka_unit_test(judges_iommus),
		cmocka_unit_test(judges_scalable_mode),
		cmocka_unit_test(reads_the_command_line),
		cmocka_unit_test(judges_units),
		cmocka_unit_test(judges_units_of_amd),
		cmocka_unit_test(judges_whether_units_agree),
		cmocka_unit_test(judges_the_kernel),
		cmocka_unit_test(judges_iommufd),
		cmocka_unit_test(judges_signatures),
		cmocka_unit_test(judges_qemu),
		cmocka_unit_test(judges_pfs),
		cmocka_unit_test(judges_capabilities),
		cmocka_unit_test(off_says_what_is_in_the_way),
		cmocka_unit_test(judges_the_way),
		cmocka_unit_test(judges_widths),
		cmocka_unit_test(judges_widths_by_iommufd),
		cmocka_unit_test(compares_iommufd_with_registers),
		cmocka_unit_test(opens_with_care),
		cmocka_unit_test(judges_chains_and_places),
		cmocka_unit_test(judges_hidden_registers),
		cmocka_unit_test(judges_groups),
		cmocka_unit_test(judges_the_denylist),
		cmocka_unit_test(judges_drivers),
		cmocka_unit_test(judges_emulation),
		cmocka_unit_test(judges_files),
		cmocka_unit_test(judges_users),
		cmocka_unit_test(every_check_was_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
