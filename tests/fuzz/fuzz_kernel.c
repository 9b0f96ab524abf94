// SPDX-License-Identifier: GPL-2.0-or-later
/* Any text as what a kernel and its files say: answers are possible ones, texts end in their room, and what holds of a
 * text holds of it twice. The first byte says which file it is. */
#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../src/host/change.h"
#include "../../src/lib/doctor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *twice(const char *text)
{
	char *both;

	assert(asprintf(&both, "%s\n%s", text, text) >= 0);
	return both;
}

static void config(char *text)
{
	struct vfcap_system one = { 0 }, two = { 0 };
	char *both = twice(text);
	bool any = *text;

	assert(vfcap_config_parse(text, &one) == any);
	assert(vfcap_config_parse(both, &two));
	for (unsigned int c = 0; c < VFCAP_CONFIGS; c++)
		assert(one.config[c] != VFCAP_NOT_KNOWN && one.config[c] == two.config[c]);
	free(both);
}

static void modules(char *text)
{
	struct vfcap_system one = { 0 }, two = { 0 };
	char *both = twice(text);

	vfcap_modules_parse(text, VFCAP_LOADABLE, &one);
	vfcap_modules_parse(both, VFCAP_LOADABLE, &two);
	for (unsigned int p = 0; p < VFCAP_PARTS; p++)
		assert(one.part[p] == two.part[p] &&
		       (one.part[p] == VFCAP_LOADABLE || one.part[p] == VFCAP_PRESENCE_UNKNOWN));
	assert(strlen(one.module_file) < sizeof(one.module_file) && !strchr(one.module_file, ':'));
	assert(strcmp(one.module_file, two.module_file) == 0);
	assert(!one.module_file[0] || one.part[VFCAP_PART_OURS] == VFCAP_LOADABLE);
	free(both);
}

static void symbols(char *text)
{
	char *both = twice(text);

	assert(vfcap_symbols_parse(both) == vfcap_symbols_parse(text));
	free(both);
}

static void command_line(char *text)
{
	enum vfcap_answer on = vfcap_asked(text, "intel_iommu", "sm_on", "sm_off");
	enum vfcap_answer off = vfcap_asked(text, "intel_iommu", "sm_off", "sm_on");

	assert((on == VFCAP_NOT_KNOWN) == (off == VFCAP_NOT_KNOWN));
	assert(on == VFCAP_NOT_KNOWN || on != off);
	vfcap_asked(text, "pci", NULL, "noats");
}

static void short_texts(char *text)
{
	char vendor[16], lockdown[32];
	uint64_t val;

	vfcap_cpuinfo_parse(text, vendor);
	assert(strlen(vendor) < sizeof(vendor) && !strpbrk(vendor, " \n"));
	vfcap_lockdown_parse(text, lockdown);
	assert(strlen(lockdown) < sizeof(lockdown) && !strchr(lockdown, ']'));
	if (vfcap_iommu_parse(text, &val))
		assert(*text != '-' && *text != ' ');
}

/* What is read from files, of a root that is made once. */
#define RELEASE "lib/modules/6.12/"

static char dir[] = "/tmp/vfcap-fuzz.XXXXXX";

static void put(const char *name, const char *text, size_t len)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert(fd >= 0 && write(fd, text, len) == (ssize_t)len);
	close(fd);
}

static const char *const made[] = { "proc", "proc/sys",	   "proc/sys/kernel",
				    "lib",  "lib/modules", RELEASE };

static void remove_root(void)
{
	static const char *const files[] = { "value", RELEASE "modules.alias",
					     "proc/sys/kernel/osrelease" };
	char path[128];

	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
		unlink(path);
	}
	for (size_t i = sizeof(made) / sizeof(made[0]); i--;) {
		snprintf(path, sizeof(path), "%s/%s", dir, made[i]);
		rmdir(path);
	}
	rmdir(dir);
}

static struct vfcap_root *root(void)
{
	static struct vfcap_root *opened;
	char path[128];

	if (opened)
		return opened;
	assert(mkdtemp(dir));
	for (size_t i = 0; i < sizeof(made) / sizeof(made[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, made[i]);
		assert(mkdir(path, 0700) == 0);
	}
	put("proc/sys/kernel/osrelease", "6.12\n", 5);
	atexit(remove_root);
	assert(vfcap_root_open(&opened, dir) == 0);
	return opened;
}

static void aliases(char *text)
{
	struct vfcap_host h = { .root = root() };
	struct vfcap_variants variants;

	put(RELEASE "modules.alias", text, strlen(text));
	assert(vfcap_variants_load(&h, &variants) == 0);
	for (size_t i = 0; i < variants.n; i++)
		assert(variants.line[i][0][0] && variants.line[i][1][0]);
	vfcap_variants_free(&variants);
}

/* An attribute of sysfs as a number and as text. */
static void value(char *text)
{
	const struct vfcap_root *in = root();
	struct vfcap_dir here;
	unsigned long val = 0;
	char small[32];
	ssize_t n;

	put("value", text, strlen(text));
	assert(vfcap_dir_open(&here, in, "") == 0);
	n = vfcap_dir_read(&here, "value", small, sizeof(small));
	assert(n < 0 ? strlen(text) >= sizeof(small) : (size_t)n == strlen(small));
	if (vfcap_dir_read_number(&here, "value", &val) == 0)
		assert(n > 0 && small[0] >= '0' && small[0] <= '9' &&
		       strtoul(small, NULL, 0) == val);
	vfcap_dir_close(&here);
	vfcap_root_forget_failure(in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const parse[])(char *text) = { config,	  modules, symbols, command_line,
						     short_texts, aliases, value };
	char *text = size ? strndup((const char *)data + 1, size - 1) : NULL;

	if (text)
		parse[data[0] % (sizeof(parse) / sizeof(parse[0]))](text);
	free(text);
	return 0;
}
