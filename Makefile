# SPDX-License-Identifier: GPL-2.0-or-later
#
# make            the tool (build/vfcap), libvfcap, man pages, the demo host
# make demo       install what is missing (Debian), build, show what vfcap does
# make demo-vm    the same on a kernel in QEMU, with the driver: enable, verify, status, disable
# make check      install what is missing (Debian), build, run every test; the module's on a stock kernel in QEMU
# make install    PREFIX=/usr/local, DESTDIR=
# make module     the kernel module, for the running kernel or that of KDIR=
# make install-dkms  its sources, for DKMS
# make deb        Debian packages of all that, in build/deb
# make check-faults  every system call and allocation of vfcap fails in turn, or is where it is killed, over a played
#                 kernel (a quarter of an hour; FAULTS= so many of them, that FAULTS_SEED= picks: as make check does)
# make check-vm   only its tests on stock kernels in QEMU; KERNEL='6.12 6.1' says on which ones
# make check-kernels  the same on the newest one, in a Debian of its own that is made once (root)
# make check-vmm  what QEMU's newest release shows to its guest there, out of the same Debian
# make check-lab  on a kernel of our own, with iommufd, no-IOMMU mode and all that finds faults (root; half an
#                 hour to build it, once); LAB_S=60 is how long the module is stressed there, LAB_SEED= repeats it
# make check-kcsan  the same stress on a second one, which finds data races (another half an hour, once)
# make check-selftests  the kernel's own tests of VFIO on that, on stock vfio-pci and on the module
# make check-upstream  on the first one, the faults of stock vfio-pci that docs/upstream.md describes
# make check-boot  a Debian with vfcap that boots in QEMU: what is persisted is there in time (root)
# make check-stress  16 processes on one root with a played kernel, for TIME=300 seconds
# make check-packages  the Debian packages, built, used and purged in Debian 12 and 13 (root)
# make check-32   all of it built in a Debian of 32 bits, its unit tests and what the tool says there (root)
# make coverage   how much of core, util and host the unit tests and the fuzzers' corpora reach
# make fuzz TIME=30  the fuzzers, so many seconds each; what they find that is new stays in build/fuzz/corpus
# make check-ansible  the Ansible role, over two captured hosts, and on a stock kernel in QEMU
#
# O=DIR builds elsewhere, V=1 shows commands, SAN=address,undefined switches sanitizers on.
# CFLAGS, CPPFLAGS and LDFLAGS are the user's; what vfcap itself needs is in lower case.

VERSION := 0.1.0
SOVERSION := 0

O ?= build
V ?= 0
SAN ?=
FUZZ_TIME ?= $(if $(filter command%,$(origin TIME)),$(TIME),30)
KERNEL ?= 6.12
FAULTS ?= 6000
FAULTS_SEED ?= 1
LAB_S ?= 60
LAB_SEED ?=

CFLAGS ?= -O2 -g
PKG_CONFIG ?= pkg-config
FUZZ_CC ?= clang
FUZZ_CFLAGS ?=
BE_CC ?= s390x-linux-gnu-gcc

PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
DATADIR ?= $(PREFIX)/share
MANDIR ?= $(DATADIR)/man
BASHCOMPDIR ?= $(DATADIR)/bash-completion/completions
ZSHCOMPDIR ?= $(DATADIR)/zsh/site-functions
FISHCOMPDIR ?= $(DATADIR)/fish/vendor_completions.d
LIBEXECDIR ?= $(PREFIX)/libexec/vfcap
UDEVDIR ?= $(PREFIX)/lib/udev/rules.d
UNITDIR ?= $(PREFIX)/lib/systemd/system
DEMODIR = $(DATADIR)/vfcap/demo

MAKEFLAGS += --no-builtin-rules
.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all install uninstall demo check bench fuzz dist clean format lint
all:

ifeq ($(V),0)
say = @printf '  %-7s %s\n' '$(1)' '$(2:$(O)/%=%)';
else
say =
endif

# ------------------------------------------------------------------------------ what is needed --

# pkg-config modules of the library and of the tool, and the Debian packages that hold them.
lib_deps := libpci libnl-3.0 libnl-route-3.0 zlib
tool_deps := smartcols jansson
deb_libpci := libpci-dev
deb_libnl-3.0 := libnl-3-dev
deb_libnl-route-3.0 := libnl-route-3-dev
deb_zlib := zlib1g-dev
deb_smartcols := libsmartcols-dev
deb_jansson := libjansson-dev

missing_cmd = $(if $(shell command -v $(1) 2>/dev/null),,$(2))
missing_mod = $(if $(shell $(PKG_CONFIG) --exists $(1) 2>/dev/null && echo y),,$(deb_$(1)))
missing := $(strip $(call missing_cmd,$(firstword $(CC)),gcc libc6-dev) \
	$(call missing_cmd,$(firstword $(PKG_CONFIG)),pkgconf) $(call missing_cmd,scdoc,scdoc) \
	$(foreach d,$(lib_deps) $(tool_deps),$(call missing_mod,$(d))))

dep_cflags := $(if $(missing),,$(shell $(PKG_CONFIG) --cflags $(lib_deps) $(tool_deps)))
lib_ldlibs := $(if $(missing),,$(shell $(PKG_CONFIG) --libs $(lib_deps)))
tool_ldlibs := $(if $(missing),,$(shell $(PKG_CONFIG) --libs $(tool_deps)))

.PHONY: needs
needs:
	@[ -z '$(missing)' ] || { echo 'missing to build (Debian packages): $(missing)' >&2; exit 1; }

# --------------------------------------------------------------------------------------- flags --

warnings := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes
san := $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer)
cflags := -std=gnu11 -fPIC -fno-semantic-interposition $(warnings) $(san)
includes := -Isrc -Isrc/core -Isrc/lib -Isrc/render -Isrc/spec
# VFIO's regions begin at 1 << 40 and beyond: a file offset of 32 bits would lead to the first of them.
large := -D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64
cppflags := $(includes) -D_GNU_SOURCE $(large) -DVFCAP_VERSION='"$(VERSION)"' \
	-DVFCAP_DEMO_DIR='"$(DEMODIR)"' $(dep_cflags)
core_cflags := -ffreestanding -fno-builtin
compile = $(CC) $(cflags) $(cppflags) $(CFLAGS) $(CPPFLAGS)
link = $(CC) $(san) $(CFLAGS) $(LDFLAGS)

# Everything that is compiled depends on the flags it is compiled with.
flags := $(compile) / $(link) / $(lib_ldlibs) $(tool_ldlibs) / $(FUZZ_CC) $(FUZZ_CFLAGS) $(BE_CC)
ifneq ($(filter-out clean dist format uninstall,$(or $(MAKECMDGOALS),all)),)
ifneq ($(strip $(flags)),$(strip $(file <$(O)/.flags)))
$(shell mkdir -p '$(O)')
$(file >$(O)/.flags,$(flags))
endif
endif

# ------------------------------------------------------------------------------------- sources --

core_src := $(sort $(wildcard src/core/*.c))
module_core := $(shell sed -n 's|^.include "../core/\(.*\)"|src/core/\1|p' src/module/core.c)
lib_src := $(core_src) $(sort $(wildcard src/util/*.c src/host/*.c src/lib/*.c))
render_src := $(sort $(wildcard src/render/*.c))
spec_src := $(sort $(wildcard src/spec/*.c))
tool_src := $(render_src) $(spec_src) $(sort $(wildcard src/cmd/*.c)) src/vfcap.c
man_src := $(sort $(wildcard man/*.scd))

obj = $(patsubst %.c,$(O)/%.o,$(1))
core_obj := $(call obj,$(core_src))
lib_obj := $(call obj,$(lib_src))
tool_obj := $(call obj,$(tool_src))
lib_a := $(O)/libvfcap.a
lib_so := $(O)/libvfcap.so.$(VERSION)
lib_sym := src/lib/libvfcap.sym
public_h := src/lib/libvfcap.h src/core/core.h src/core/env.h src/uapi/vfcap-vfio.h
man := $(man_src:%.scd=$(O)/%)
contrib := $(patsubst %.in,$(O)/%,$(wildcard contrib/*/*.in))

all: $(O)/vfcap $(lib_a) $(lib_so) $(O)/vfcap.pc $(man) $(contrib) $(O)/mkhost $(O)/demo

$(core_obj): cflags += $(core_cflags)
$(filter-out $(core_obj),$(lib_obj)) $(tool_obj): | needs

$(O)/%.o: %.c $(O)/.flags
	@mkdir -p $(@D)
	$(call say,CC,$@)$(compile) -MMD -MP -c -o $@ $<

$(lib_a): $(lib_obj)
	$(call say,AR,$@)rm -f $@ && $(AR) rcs $@ $^

# A sanitizer's symbols come with the program, so only a plain library can be checked for what is undefined.
$(lib_so): $(lib_obj) $(lib_sym)
	$(call say,LD,$@)$(link) -shared $(if $(SAN),,-Wl,-z,defs) -Wl,--version-script=$(lib_sym) \
		-Wl,-soname,libvfcap.so.$(SOVERSION) -o $@ $(lib_obj) $(lib_ldlibs)
	@ln -sf $(@F) $(O)/libvfcap.so.$(SOVERSION)
	@ln -sf libvfcap.so.$(SOVERSION) $(O)/libvfcap.so

$(O)/vfcap: $(tool_obj) $(lib_a)
	$(call say,LD,$@)$(link) -o $@ $^ $(tool_ldlibs) $(lib_ldlibs)

$(O)/vfcap.pc: pkgconfig/vfcap.pc.in $(O)/.flags Makefile
	$(call say,GEN,$@)sed -e 's|@PREFIX@|$(PREFIX)|; s|@LIBDIR@|$(LIBDIR)|; s|@VERSION@|$(VERSION)|' \
		-e 's|@INCLUDEDIR@|$(INCLUDEDIR)|; s|@REQUIRES@|$(lib_deps)|' $< >$@

# Both units have the same sandbox.
$(O)/contrib/%: contrib/%.in contrib/systemd/sandbox $(O)/.flags Makefile
	@mkdir -p $(@D)
	$(call say,GEN,$@)sed -e 's|@BINDIR@|$(BINDIR)|; s|@LIBEXECDIR@|$(LIBEXECDIR)|' \
		-e '/^@SANDBOX@$$/ { r contrib/systemd/sandbox' -e 'd; }' $< | sed '3,$${/^# SPDX/d;}' >$@

$(O)/man/%: man/%.scd | needs
	@mkdir -p $(@D)
	$(call say,MAN,$@)scdoc <$< >$@

# The demo host is a sysroot, made out of its description.
$(O)/mkhost: $(O)/share/mkhost.o $(core_obj)
	$(call say,LD,$@)$(link) -o $@ $^

$(O)/demo: share/demo.host $(O)/mkhost
	$(call say,HOST,$@)rm -rf $@ $@.tmp && $(O)/mkhost $< $@.tmp && mv $@.tmp $@

# ------------------------------------------------------------------------------------- install --

ansible := $(wildcard contrib/ansible/*.* contrib/ansible/roles/vfcap/*/*.*)

# mode:file:directory
installs := 755:$(O)/vfcap:$(BINDIR) 644:$(lib_a):$(LIBDIR) 755:$(lib_so):$(LIBDIR) \
	$(public_h:%=644:%:$(INCLUDEDIR)/vfcap) 644:$(O)/vfcap.pc:$(LIBDIR)/pkgconfig \
	$(foreach m,$(man),644:$(m):$(MANDIR)/man$(subst .,,$(suffix $(m)))) \
	644:share/vfcap.schema.json:$(DATADIR)/vfcap 644:share/vfcap-description.schema.json:$(DATADIR)/vfcap \
	644:share/example.json:$(DATADIR)/vfcap \
	$(patsubst %,644:%:$(UDEVDIR),$(filter %.rules,$(contrib))) \
	$(patsubst %,644:%:$(UNITDIR),$(filter %.service,$(contrib))) \
	755:$(O)/contrib/systemd/vfcap-apply-persisted:$(LIBEXECDIR) \
	$(foreach f,$(ansible),644:$(f):$(patsubst contrib/%/,$(DATADIR)/vfcap/%,$(dir $(f)))) \
	$(patsubst %,644:%:$(BASHCOMPDIR),$(wildcard completions/vfcap)) \
	$(patsubst %,644:%:$(ZSHCOMPDIR),$(wildcard completions/_vfcap)) \
	$(patsubst %,644:%:$(FISHCOMPDIR),$(wildcard completions/vfcap.fish))
part = $(word $(1),$(subst :, ,$(2)))
installed = $(foreach i,$(installs),'$(DESTDIR)$(call part,3,$(i))/$(notdir $(call part,2,$(i)))')
links := '$(DESTDIR)$(LIBDIR)/libvfcap.so.$(SOVERSION)' '$(DESTDIR)$(LIBDIR)/libvfcap.so'

install: all
	$(foreach i,$(installs),install -D -m $(call part,1,$(i)) $(call part,2,$(i)) \
		'$(DESTDIR)$(call part,3,$(i))/$(notdir $(call part,2,$(i)))' &&) :
	for l in $(links); do ln -sf $(notdir $(lib_so)) "$$l" || exit; done
	rm -rf '$(DESTDIR)$(DEMODIR)'
	mkdir -p '$(DESTDIR)$(DEMODIR)'
	cp -R $(O)/demo/. '$(DESTDIR)$(DEMODIR)/'

uninstall:
	rm -f $(installed) $(links)
	rm -rf '$(DESTDIR)$(DEMODIR)' '$(DESTDIR)$(DATADIR)/vfcap/ansible'
	rmdir '$(DESTDIR)$(LIBEXECDIR)' '$(DESTDIR)$(DATADIR)/vfcap' '$(DESTDIR)$(INCLUDEDIR)/vfcap' 2>/dev/null || :

# -------------------------------------------------------------------------------------- module --

KDIR ?= /lib/modules/$(shell uname -r)/build
MODDIR ?= $(O)
DKMSDIR = $(DESTDIR)/usr/src/vfcap-vfio-pci-$(VERSION)
no_btf := $(if $(shell command -v pahole),,CONFIG_DEBUG_INFO_BTF_MODULES=)

# Kbuild writes beside the sources: it gets a directory of stand-ins that include the real ones.
# SOURCE:DIRECTORY
kmods := src/module:$(MODDIR)/module tests/testbus:$(MODDIR)/testbus
.PHONY: module testbus install-dkms
module testbus: kmod = $(subst :, ,$(filter %/$@,$(kmods)))
module testbus:
	@mkdir -p $(word 2,$(kmod))
	@for f in $(word 1,$(kmod))/*.c; do s=$(word 2,$(kmod))/$${f##*/}; \
		[ -e $$s ] || echo '#include "$(CURDIR)/'$$f'"' >$$s || exit; done
	@echo 'include $(CURDIR)/$(word 1,$(kmod))/Kbuild' >$(word 2,$(kmod))/Kbuild
	$(call say,KBUILD,$(word 2,$(kmod)))$(MAKE) -s -C '$(KDIR)' O=. V=$(V) W=1 \
		M='$(abspath $(word 2,$(kmod)))' $(no_btf) modules

install-dkms:
	install -d '$(DKMSDIR)/module' '$(DKMSDIR)/core' '$(DKMSDIR)/uapi'
	install -m 644 src/module/*.[ch] src/module/Kbuild '$(DKMSDIR)/module'
	install -m 644 $(foreach f,env core internal,src/core/$(f).h) \
		$(module_core) '$(DKMSDIR)/core'
	install -m 644 src/uapi/*.h '$(DKMSDIR)/uapi'
	sed 's|@VERSION@|$(VERSION)|' src/module/dkms.conf >'$(DKMSDIR)/dkms.conf'

# --------------------------------------------------------------------------------------- tests --

# Unit tests: each tests/unit/test_*.c is a program. Those of the core need only the core (and run
# big-endian too); test_util_*, test_host_*, test_lib_* take the library, test_render_*, test_spec_* the objects of those as well.
unit_src := $(sort $(wildcard tests/unit/test_*.c))
unit_help_src := $(filter-out $(unit_src),$(sort $(wildcard tests/unit/*.c)))
unit_lib_src := $(filter tests/unit/test_util_% tests/unit/test_host_% tests/unit/test_lib_%,$(unit_src))
unit_render_src := $(filter tests/unit/test_render_%,$(unit_src))
unit_spec_src := $(filter tests/unit/test_spec_%,$(unit_src))
unit_core_src := $(filter-out $(unit_lib_src) $(unit_render_src) $(unit_spec_src),$(unit_src))
unit_prog = $(patsubst tests/unit/%.c,$(O)/unit/%,$(1))
unit_progs := $(call unit_prog,$(unit_src))
unit_help_obj := $(call obj,$(unit_help_src))
cmocka_libs = $(shell $(PKG_CONFIG) --libs cmocka)

.PHONY: core unit unit-be unit-32 fuzzers
core: $(core_obj)
unit: $(unit_progs)

$(call obj,$(unit_src) $(unit_help_src)): cflags += -Itests/unit
$(call unit_prog,$(unit_core_src)): $(core_obj)
$(call unit_prog,$(unit_lib_src)): $(lib_a)
$(call unit_prog,$(unit_render_src)): $(call obj,$(render_src)) $(lib_a)
$(call unit_prog,$(unit_spec_src)): $(call obj,$(spec_src)) $(lib_a)
$(call unit_prog,$(unit_lib_src)): unit_ldlibs = $(lib_ldlibs)
$(call unit_prog,$(unit_render_src) $(unit_spec_src)): unit_ldlibs = $(tool_ldlibs) $(lib_ldlibs)
$(O)/unit/test_%: $(O)/tests/unit/test_%.o $(unit_help_obj)
	@mkdir -p $(@D)
	$(call say,LD,$@)$(link) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(unit_ldlibs) $(cmocka_libs)

# The same tests big-endian: the only place where a double byte swap can fail. And with 32 bits, where all
# the rest is compiled, too, against headers alone.
be = $(patsubst %.c,$(O)/be/%.o,$(1))
m32 = $(patsubst %.c,$(O)/m32/%.o,$(1))
be_progs := $(patsubst tests/unit/%.c,$(O)/be/%,$(unit_core_src))
m32_progs := $(patsubst tests/unit/%.c,$(O)/m32/%,$(unit_core_src))
other_cc = -std=gnu11 -O2 $(warnings) -Itests/unit $(1) \
	$(if $(filter src/core/%,$<),$(core_cflags),-DVFCAP_UNIT_STANDALONE) -MMD -MP -c -o $@ $<
unit-be: $(be_progs)
unit-32: $(m32_progs) $(call m32,$(lib_src) $(tool_src) share/mkhost.c)

$(O)/be/%.o: %.c $(O)/.flags
	@mkdir -p $(@D)
	$(call say,BE-CC,$@)$(BE_CC) $(call other_cc,$(includes) -D_GNU_SOURCE)

# Headers that both word sizes of a machine share are in the directory of the larger one.
$(O)/m32/%.o: %.c $(O)/.flags | needs
	@mkdir -p $(@D)
	$(call say,CC-32,$@)$(CC) -m32 $(call other_cc,$(cppflags) -Werror=overflow -Werror=format \
		-idirafter /usr/include/$(shell $(CC) -print-multiarch) $(if $(filter src/core/% tests/%,$<),,-O0))

$(O)/be/test_%: $(O)/be/tests/unit/test_%.o $(call be,$(unit_help_src) $(core_src))
	$(call say,BE-LD,$@)$(BE_CC) -static -o $@ $^

$(O)/m32/test_%: $(O)/m32/tests/unit/test_%.o $(call m32,$(unit_help_src) $(core_src))
	$(call say,LD-32,$@)$(CC) -m32 -static -o $@ $^

# Fuzz targets: libFuzzer, with sanitizers, over all of the library.
fuzz_src := $(sort $(wildcard tests/fuzz/fuzz_*.c))
fuzz_progs := $(patsubst tests/fuzz/%.c,$(O)/fuzz/%,$(fuzz_src))
fuzz_flags := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer $(FUZZ_CFLAGS)
fuzz_obj = $(patsubst %.c,$(O)/fuzz/%.o,$(1))
fuzzers: $(fuzz_progs)

$(O)/fuzz/%.o: %.c $(O)/.flags | needs
	@mkdir -p $(@D)
	$(call say,FUZZ-CC,$@)$(FUZZ_CC) -std=gnu11 -O1 -g $(warnings) $(fuzz_flags) \
		-fsanitize=fuzzer-no-link $(cppflags) -MMD -MP -c -o $@ $<

$(O)/fuzz/lib.a: $(call fuzz_obj,$(lib_src))
	$(call say,AR,$@)rm -f $@ && $(AR) rcs $@ $^

$(O)/fuzz/fuzz_spec: $(call fuzz_obj,$(spec_src))
$(O)/fuzz/fuzz_%: $(O)/fuzz/tests/fuzz/fuzz_%.o $(O)/fuzz/lib.a
	$(call say,FUZZ-LD,$@)$(FUZZ_CC) $(fuzz_flags) -fsanitize=fuzzer -o $@ $(filter %.o,$^) $(filter %.a,$^) \
		$(lib_ldlibs) $(if $(filter %/fuzz_spec,$@),$(tool_ldlibs))

# Faults: vfcap itself over a kernel that is played by what is preloaded.
faults_so := $(O)/faults/kernel.so $(O)/faults/malloc.so
faults_src := $(filter-out %/kernel.c %/malloc.c,$(sort $(wildcard tests/faults/*.c)))
.PHONY: faults-progs
faults-progs: $(O)/faults/faults $(faults_so) $(O)/vfcap $(O)/mkhost $(O)/demo

$(O)/faults/faults: $(call obj,$(faults_src))
	@mkdir -p $(@D)
	$(call say,LD,$@)$(link) -o $@ $^

$(faults_so): $(O)/faults/%.so: $(O)/tests/faults/%.o
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) $(CFLAGS) $(LDFLAGS) -shared -o $@ $<

# Stress: the same kernel behind one root, for many processes at once.
.PHONY: stress-progs
stress-progs: $(O)/stress/kernel $(O)/faults/kernel.so $(O)/vfcap $(O)/mkhost
$(O)/stress/kernel: $(call obj,tests/stress/kernel.c tests/faults/played.c tests/faults/tree.c)
	@mkdir -p $(@D)
	$(call say,LD,$@)$(link) -o $@ $^

# What tests/run and the tests themselves need to know of this build.
exports := O SAN VERSION FUZZ_TIME FUZZ_CC BE_CC CC PKG_CONFIG KERNEL FAULTS FAULTS_SEED LAB_S LAB_SEED
export $(exports)
run = +@MAKE='$(MAKE)' tests/run

tiers := unit unit-san unit-be unit-32 core core-kernel layers cli docs install faults fuzz scripts vm
.PHONY: $(tiers:%=check-%)
check:
	@tests/setup check
	$(run) $(tiers)

$(filter-out check-vm check-faults,$(tiers:%=check-%)): check-%:
	$(run) $*

fuzz:
	$(run) fuzz

.PHONY: check-stress
check-stress:
	@tests/setup check
	$(run) stress

.PHONY: coverage
coverage:
	@tests/setup coverage
	+@MAKE='$(MAKE)' MAKEFLAGS= tests/coverage '$(O)'

# In a machine of its own: what runs there as root, and what is around it.
.PHONY: check-kernels check-vmm check-lab check-kcsan check-selftests check-upstream check-ansible check-packages check-boot check-32 vm-progs
check-faults: FAULTS := all
check-vm check-faults check-kernels check-ansible check-packages check-boot check-32: check-%:
	@tests/setup $*
	$(run) $*

check-vmm check-lab check-kcsan check-selftests check-upstream: check-%:
	@tests/setup kernels
	$(run) $*

vm_alone := tool-vfio tool-iommufd vfio-faults
stress_src := $(sort $(wildcard tests/vm/stress*.c))
vm_src := $(sort $(filter-out $(vm_alone:%=tests/vm/%.c) $(stress_src),$(wildcard tests/vm/*.c)))
vm_progs := $(O)/vm/vm-test $(O)/vm/stress $(vm_alone:%=$(O)/vm/%)
vm-progs: $(vm_progs) $(O)/mkhost $(O)/vfcap
$(O)/vm/vm-test: $(call obj,$(vm_src) tests/unit/hostgen.c) $(core_obj)
$(O)/vm/stress: $(call obj,$(stress_src) tests/vm/guest.c) $(core_obj)
$(vm_alone:%=$(O)/vm/%): $(O)/vm/%: $(O)/tests/vm/%.o \
	$(call obj,tests/vm/guest.c) $(core_obj)
$(vm_progs):
	@mkdir -p $(@D)
	$(call say,LD,$@)$(link) -static -o $@ $^

# --------------------------------------------------------------------------------- demo, bench --

demo:
	@tests/setup build
	@$(MAKE) --no-print-directory all
	@tests/demo $(O)/vfcap

# The same on a real kernel, with the driver: enable, verify, status, disable.
.PHONY: demo-vm
demo-vm:
	@tests/setup vm
	@$(MAKE) --no-print-directory all
	+@MAKE='$(MAKE)' VM_DEMO=y tests/vm/run '$(abspath $(O))$(if $(SAN),/plain)' $(firstword $(KERNEL))

bench_progs := $(O)/bench/gendump $(O)/bench/measure
.PHONY: bench-progs
bench-progs: $(bench_progs)

bench:
	@tests/setup bench
	@$(MAKE) --no-print-directory all bench-progs
	@tests/bench/run

$(O)/bench/%: $(O)/tests/bench/%.o
	@mkdir -p $(@D)
	$(call say,LD,$@)$(link) -o $@ $^

# ------------------------------------------------------------------------------------- the rest --

dist:
	@mkdir -p $(O)
	git archive --prefix=vfcap-$(VERSION)/ -o $(O)/vfcap-$(VERSION).tar.gz HEAD

# In a copy of the tree, as dpkg-buildpackage leaves the packages beside it; with nothing of this build.
deb_tree := $(O)/deb/vfcap-$(VERSION)
.PHONY: deb deb-tree
deb: deb-tree
	cd '$(deb_tree)' && env $(exports:%=-u %) -u MAKEFLAGS -u MAKELEVEL dpkg-buildpackage -b -us -uc

deb-tree:
	rm -rf '$(O)/deb'
	mkdir -p '$(deb_tree)'
	if [ -e .git ]; then git ls-files -z -c -o --exclude-standard; else \
		find . -path './$(O)' -prune -o ! -type d -print0; fi | \
		tar -c --null -T - --ignore-failed-read | tar -x -C '$(deb_tree)'

clean:
	rm -rf $(O)

# What was changed since the last commit, unless FILES= says what.
FILES ?= $(shell git diff --name-only HEAD -- '*.c' '*.h')
format:
	clang-format -i $(FILES)

lint:
	$(run) scripts layers

# Not of trees and roots that are made below it.
-include $(shell find $(O) \( -name deb -o -name packages -o -name boot \) -prune -o -name '*.d' -type f -print 2>/dev/null)
