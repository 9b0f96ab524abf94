#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# doctor: a host on which all is well, and what each thing that is not makes of it. What the checks make of
# facts is tested in tests/unit/test_lib_doctor.c; that the facts are found, here.

bats_require_minimum_version 1.5.0

setup() {
	load common
	spec=$BATS_TEST_TMPDIR/spec root=$BATS_TEST_TMPDIR/root
	cp "$VFCAP_SOURCE/tests/hosts/well.host" "$spec"
}

# Changes the description of the host by a sed script.
change() { # SCRIPT
	sed -i "$1" "$spec"
}

# Makes it a sysroot: $root.
make_host() {
	rm -rf "$root"
	"$VFCAP_BUILD/mkhost" "$spec" "$root"
}

# What the doctor finds in it, as ID:RESULT of all that is not passed.
found() {
	make_host
	"$VFCAP" --sysroot "$root" -j doctor | jq -r '[.checks[] | select(.result != "pass") | "\(.id):\(.result)"] | unique | join(" ")'
}

# What nobody can tell of a captured host.
captured='qemu-viommu:unknown qemu-vpasid:unknown vf-permissions:unknown'

# A change of the description makes that of it.
makes() { # SCRIPT ID:RESULT...
	cp "$VFCAP_SOURCE/tests/hosts/well.host" "$spec"
	change "$1"
	assert_equal "$1: $(found)" "$1: $(printf '%s\n' $captured "${@:2}" | LC_ALL=C sort | xargs)"
}

# The evidence and the fix of a check.
told() { # ID
	"$VFCAP" --sysroot "$root" -j doctor | jq -r --arg id "$1" 'first(.checks[] | select(.id == $id)) | "\(.evidence); \(.fix)"'
}

@test "all is well: exit status 0, unknown is no failure" {
	assert_equal "$(found)" "$captured"
	run vfcap --sysroot "$root" doctor
	assert_success
	assert_line --regexp '^0 failed, [0-9]+ unknown, [0-9]+ passed$'
	run vfcap --sysroot "$root" doctor -q
	assert_success
	assert_output ''
}

@test "a VF that vfio-pci refuses" {
	local dir
	dir=$(host denylisted)
	assert_equal "$(jqc '[.checks[] | select(.id == "vf-denylist" or .id == "vf-driver") | [.address, .id, .result, .fix]]' \
		vfcap --sysroot "$dir" -j doctor 3d:01.0 3f:01.0 || :)" \
		'[["0000:3d:01.0","vf-denylist","fail","another card, or a driver of VFIO that is made for this one; where guests are trusted, modprobe vfcap_vfio_pci disable_denylist=1, which lets them exploit the errata"],["0000:3d:01.0","vf-driver","fail","see vf-denylist"],["0000:3f:01.0","vf-denylist","pass",null],["0000:3f:01.0","vf-driver","fail","vfcap enable 0000:3f:01.0"]]'
	assert_equal "$(jqc '[.checks[] | select(.id == "vf-denylist") | [.result, .evidence]]' \
		vfcap --sysroot "$(host denylist-disabled)" -j doctor 3d:01.0 || :)" \
		'[["pass","8086:37c9 is on vfio-pci'"'"'s denylist, and sys/module/vfcap_vfio_pci/parameters/disable_denylist is Y"]]'
}

@test "the demo host" {
	assert_golden doctor-demo.txt vfcap --demo doctor
	assert_golden doctor-demo.json vfcap --demo -j doctor
	run vfcap --demo doctor
	assert_failure 3
}

@test "no IOMMU" {
	change '/^iommu/d; s/ group [0-9]*//; s/ iommu dmar0//; s/intel_iommu=on,sm_on/intel_iommu=off,sm_on/'
	change '$a file sys/class/iommu/\nfile sys/kernel/iommu_groups/'
	assert_equal "$(found)" "iommu:fail pf-width:unknown qemu-viommu:unknown qemu-vpasid:unknown vf-group:unknown vf-permissions:unknown"
	assert_equal "$(told iommu)" "sys/class/iommu and sys/kernel/iommu_groups are empty; kernel parameter intel_iommu=on,sm_on, in place of intel_iommu=off"
}

@test "scalable mode off" {
	makes 's/,sm_on/,sm_off/' scalable-mode:fail
	makes 's/,sm_on//; s/SCALABLE_MODE_DEFAULT_ON=y/X=y/; s/ on$//' scalable-mode:fail pf-pasid-on:fail pf-ats-on:fail
	makes 's/,sm_on//; s/SCALABLE_MODE_DEFAULT_ON=y/X=y/' # PASID is on
	makes '/^file boot/d; /cmdline/d; s/exec priv on$/exec priv/' kernel-config:unknown scalable-mode:unknown pf-pasid-on:fail
}

@test "IOMMU units" {
	makes 's/dmar0 1cd98240050df/dmar0 f050da/' iommu-scalable:fail iommu-pasid:fail iommu-pri:fail iommu-ats:fail \
		iommu-nesting:fail iommu-agree:fail pf-width:unknown
	makes 's/dmar1 1cd98240050df/dmar1 1cc98240050df/' iommu-agree:fail iommu-pasid:fail
	makes 's/dmar0/smmu3.0x2b400000/' iommu-scalable:unknown iommu-pasid:unknown iommu-pri:unknown iommu-ats:unknown \
		iommu-nesting:unknown iommu-remapping:unknown pf-width:unknown
	makes '/^iommu/d; s/ iommu dmar0//' pf-width:unknown
	makes 's/ quiet/ intremap=off/' iommu-remapping:fail
}

@test "IOMMU units of AMD" {
	makes 's/GenuineIntel/AuthenticAMD/; s/dmar\([01]\) 1cd.*/ivhd\1 4000f00000012 1000000/; s/iommu dmar0/iommu ivhd0/; s/pasid 160 20/pasid 160 16/' \
		iommu-nesting:unknown iommu-remapping:unknown
	makes 's/GenuineIntel/AuthenticAMD/; s/dmar\([01]\) 1cd.*/ivhd\1 f00000012/; s/iommu dmar0/iommu ivhd0/' \
		iommu-nesting:unknown iommu-remapping:unknown iommu-pasid:fail iommu-ats:fail
	assert_equal "$(told pf-width)" 'VFs show 15 bits, sys/class/iommu/ivhd0 15; null'
}

@test "of one device, only its own unit is told" {
	change 's/dmar1 1cd98240050df/dmar1 f050da/'
	make_host
	run vfcap --sysroot "$root" doctor 3b:00.0/vf0
	assert_success
	refute_line --partial 'dmar1 (IOMMU)'
	assert_line '0000:3b:00.0 (PF)'
	assert_line '0000:3b:01.0 (VF of 0000:3b:00.0)'
	refute_line --partial '3b:01.1'
	run vfcap --sysroot "$root" doctor
	assert_failure 3
}

@test "kernel and modules" {
	makes 's/CONFIG_PCI_PASID=y/# CONFIG_PCI_PASID is not set/' kernel-config:fail
	assert_equal "$(told kernel-config)" 'boot/config-6.18.2-amd64: no CONFIG_PCI_PASID; a kernel with CONFIG_PCI_PASID'
	makes '/IOMMUFD=m/d; /dev.iommu$/d; /module.iommufd/d; /iommufd.ko/d' iommufd:fail
	makes '/dev.iommu$/d; /module.iommufd/d' iommufd:fail
	assert_equal "$(told iommufd)" 'iommufd is not loaded (modules.dep); modprobe iommufd'
	makes '/DEVICE_CDEV/d; /dev.vfio.devices/d' vfio-cdev:fail
	makes '/pasid_attach_ioas/d' pasid-attach:fail
	makes '/modules.symbols/d' pasid-attach:unknown
	makes '/vfio_iommu_type1/d' # iommufd does it
	makes '/vfio_iommu_type1/d; /dev.iommu$/d; /module.iommufd/d' vfio-type1:fail iommufd:fail
	makes 's/driver vfcap-vfio-pci/driver vfio-pci/; / \(pasid\|pri\)_offset/s/ pasid_offset.*//; /dkms/d' module:fail vf-emulation:unknown
}

@test "the configuration of headers, symbols of headers" {
	change 's|boot/config-6.18.2-amd64|lib/modules/6.18.2-amd64/build/.config|; s|modules.symbols alias symbol:\(.*\) vfio$|build/Module.symvers 0x1 \1 drivers/vfio/vfio EXPORT_SYMBOL_GPL|'
	assert_equal "$(found)" "$captured"
	assert_equal "$(told pasid-attach | cut -d : -f 1)" 'lib/modules/6.18.2-amd64/build/Module.symvers'
}

@test "the configuration that the kernel itself tells" {
	change '/^file boot/d'
	make_host
	printf '%s\n' CONFIG_PCI_IOV=y CONFIG_PCI_ATS=y CONFIG_PCI_PRI=y '# CONFIG_PCI_PASID is not set' | gzip >"$root/proc/config.gz"
	assert_equal "$(told kernel-config)" 'proc/config.gz: no CONFIG_PCI_PASID; a kernel with CONFIG_PCI_PASID'
	vfcap --sysroot "$root" capture "$BATS_TEST_TMPDIR/capture"
	assert_equal "$(root=$BATS_TEST_TMPDIR/capture; told kernel-config)" \
		'proc/config.gz: no CONFIG_PCI_PASID; a kernel with CONFIG_PCI_PASID'
	# It counts more than what a file of that name in /boot says.
	mkdir -p "$root/boot"
	printf 'CONFIG_PCI_%s=y\n' IOV ATS PRI PASID >"$root/boot/config-6.18.2-amd64"
	assert_regex "$(told kernel-config)" '^proc/config.gz: no CONFIG_PCI_PASID'
}

@test "one that is cut off, empty, damaged or has no end" {
	make_host
	seq 100000 | sed 's/$/ CONFIG/' | gzip | head -c 100000 >"$root/proc/config.gz"
	assert_regex "$(told kernel-config)" '^boot/config-6.18.2-amd64: '
	: >"$root/proc/config.gz"
	assert_regex "$(told kernel-config)" '^boot/config-6.18.2-amd64: '
	{ printf '\037\213\010\0\0\0\0\0\0\003'; head -c 1000 /dev/zero | tr '\0' '\377'; } >"$root/proc/config.gz"
	assert_regex "$(told kernel-config)" '^boot/config-6.18.2-amd64: '
	head -c 100M /dev/zero | gzip >"$root/proc/config.gz"
	assert_regex "$(told kernel-config)" '^boot/config-6.18.2-amd64: '
	rm "$root/proc/config.gz"
	mkfifo "$root/proc/config.gz"
	assert_regex "$(timeout 5 "$VFCAP" --sysroot "$root" doctor)" 'boot/config-6.18.2-amd64: '
}

@test "--open: asked is what there is, and why not is told" {
	make_host
	assert_equal "$(vfcap --sysroot "$root" -j doctor --open | jq -r '[.checks[] | select(.id == "vf-width") | .result + ": " + .evidence] | unique[]')" \
		'unknown: iommufd: there is no kernel to open it through VFIO'
	run vfcap --sysroot "$root" doctor
	refute_line --partial vf-width
	run --separate-stderr vfcap --demo -j doctor --open
	assert_equal "$(jq -r '[.checks[] | select(.id == "vf-width") | .result] | unique[]' <<<"$output")" unknown
	assert_equal "$(jq -r '.checks[] | select(.id == "vf-width" and .address == "0000:3b:01.0") | "\(.evidence); \(.fix)"' <<<"$output")" \
		'not asked: no driver of VFIO is bound to it; vfcap enable 0000:3b:01.0'
	run --separate-stderr vfcap -F "$(dump siblings)" -j doctor --open
	assert_equal "$(jq -r '[.checks[] | select(.id == "vf-width") | .evidence] | unique[]' <<<"$output")" 'drivers are not in what was read'
	run vfcap --sysroot "$root" doctor --vf-token bd8d9d2b-5a5f-4f5a-a211-f591514ba1f3
	assert_failure 2
	assert_output --partial 'doctor: --vf-token goes with --open'
	run vfcap --sysroot "$root" doctor --open --vf-token bd8d9d2b
	assert_failure 2
}

@test "signatures" {
	local to_load='s/driver vfcap-vfio-pci/driver vfio-pci/; s/ pasid_offset.*//; s/\[none\] integrity/none [integrity]/'
	makes "$to_load" module-signature:fail vf-emulation:unknown
	assert_regex "$(told module-signature)" '^sys/kernel/security/lockdown: integrity; updates/dkms/vfcap_vfio_pci.ko is not signed; mokutil'
	printf '~Module signature appended~\n' >>"$root/lib/modules/6.18.2-amd64/updates/dkms/vfcap_vfio_pci.ko"
	mkdir -p "$root/sys/firmware/efi/efivars"
	printf '\6\0\0\0\1' >"$root/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
	assert_equal "$(told module-signature)" 'sys/kernel/security/lockdown: integrity; updates/dkms/vfcap_vfio_pci.ko is signed; Secure Boot is on; null'
	makes "$to_load; s/vfcap_vfio_pci.ko/&.zst/; s/\[integrity\]/[none]/; s/sig_enforce N/sig_enforce Y/" module-signature:unknown vf-emulation:unknown
	makes 's/sig_enforce N/sig_enforce Y/' # it is loaded
}

@test "a PF that lacks it, or has it off" {
	makes 's/exec priv on/exec priv/; s/,sm_on//' pf-pasid-on:fail
	assert_regex "$(told pf-pasid-on)" 'PASID control at 0x166: off; kernel parameter intel_iommu=on,sm_on'
	makes '/\tpasid/d; / pasid_offset/s/ pasid_offset.*//' pf-pasid:fail vf-placement:fail \
		vf-knob:unknown vf-emulation:unknown
	makes '/\tpri/d' pf-pri:fail
	makes 's/pri 170 32 on/pri 170 32/'
	makes 's/pri 170 32 on/pri 170 32/; s/pri_offset 0/pri_offset 170/' pf-pri-on:fail
	makes 's/driver ice //' pf-driver:fail
}

@test "a PF without VFs" {
	change '/^vfs/,$d; s/180 8 2/180 8 0/'
	assert_equal "$(found)" 'pf-vfs:fail qemu-viommu:unknown qemu-vpasid:unknown'
	assert_equal "$(told pf-vfs)" 'no VF there, of 8; echo N > /sys/bus/pci/devices/0000:3b:00.0/sriov_numvfs (N up to 8)'
	run vfcap --sysroot "$root" doctor 3b:00.0
	assert_failure 3
}

@test "bridges: TLP prefixes and ACS" {
	local off='s/exec priv on/exec priv/'
	makes "$off; /1d 00$/a poke 66 00" pf-pasid-on:fail pf-prefix:fail
	assert_equal "$(told pf-prefix)" '0000:00:01.0: DEVCAP2 0x810: no End-End TLP prefix (bit 21); another slot, with no such bridge above it'
	assert_regex "$(told pf-pasid-on)" 'see pf-prefix'
	makes '/1d 00$/a poke 66 00' # Linux knows better: PASID is on
	makes "$off; s/1d 00$/00 00/" pf-pasid-on:fail pf-acs:fail
	assert_regex "$(told pf-acs)" '^0000:00:01.0: '
	makes "$off; s/poke 14c 5f 00 1d 00/poke 14c 43 00 00 00/" pf-pasid-on:fail # what it lacks is hard-wired
	makes "$off; s/cap 148 ACS/cap 148 DSN/" pf-pasid-on:fail pf-acs:fail
	makes '/ats 150 0$/a poke 66 00' vf-prefix:fail
	change 's/^bridge.*/function 0000:00:01.0 8086:352a driver pcieport group 1 iommu dmar0/'
	assert_equal "$(found | grep -o 'vf-prefix:fail')" vf-prefix:fail
}

@test "an endpoint below two ports of a switch" {
	change 's/^function 0000:3b:00.0/bridge 0000:3b:00.0 8086:1 3c driver pcieport iommu dmar0\npoke 42 52\nbridge 0000:3c:00.0 8086:2 3d driver pcieport iommu dmar0\npoke 42 62\n&/; s/0000:3b:00.0 8086:1592/0000:3d:00.0 8086:1592/'
	change 's/exec priv on/exec priv/'
	assert_equal "$(found)" "pf-acs:fail pf-pasid-on:fail $captured"
	assert_regex "$(told pf-acs)" '^0000:3c:00.0: ' # the port that leads down; the one that leads up has one function
}

@test "VFs" {
	makes 's/^\tats 150 0$//' vf-ats:fail
	makes '$a next 150 100' vf-chain:fail vf-placement:fail vf-hidden:unknown vf-driver:fail
	assert_regex "$(told vf-driver)" 'over a broken chain; echo 0000:3b:01.0 > /sys/bus/pci/drivers/vfcap-vfio-pci/unbind$'
	makes '$a poke 164 01' vf-hidden:fail
	assert_equal "$(told vf-hidden)" "byte 0x164 is not zero, and no capability's: where PASID is; 0x158 is good; vfcap enable 0000:3b:01.0"
	makes '$a poke ffc 01' # is elsewhere
	makes 's/pasid_offset 160/pasid_offset 0/; $a poke ffc 01' vf-emulation:fail vf-hidden:fail
	captured=${captured% *} # of other drivers, files in dev/vfio are not asked for
	makes 's/driver vfcap-vfio-pci/driver iavf/; s/ pasid_offset.*//' vf-driver:fail
	makes 's/driver vfcap-vfio-pci//; s/ pasid_offset.*//' vf-driver:fail
}

@test "others in the IOMMU group" {
	change '$a function 0000:3b:02.0 8086:1 class 0c0330 driver xhci_hcd group 41'
	assert_equal "$(found)" "qemu-viommu:unknown qemu-vpasid:unknown vf-group:fail vf-permissions:unknown"
	assert_regex "$(told vf-group)" '^iommu_group 41: 0000:3b:02.0 \(xhci_hcd\) has a driver of its own; echo 0000:3b:02.0 > '
	makes '$a function 0000:3b:02.0 8086:1 class 0c0330 driver vfio-pci group 41'
	makes '$a function 0000:3b:02.0 8086:1 class 0c0330 group 41'
	makes '$a bridge 0000:3b:02.0 8086:1 44 driver pcieport group 41'
}

@test "who uses a VF" {
	make_host
	mkdir -p "$root/proc/4711/fd" "$root/dev/vfio"
	echo qemu >"$root/proc/4711/comm"
	ln -s /dev/vfio/41 "$root/proc/4711/fd/9"
	touch "$root/dev/vfio/41"
	chmod 600 "$root/dev/vfio/41"
	assert_equal "$(told vf-use)" "qemu (process 4711) holds it through VFIO, and sees no PASID of vfcap's; stop it: what it opens anew shows what is configured by then"
	echo 0x160 >"$root/sys/bus/pci/devices/0000:3b:01.0/vfcap/pasid_shown"
	assert_equal "$(told vf-use)" 'qemu (process 4711) holds it through VFIO, and sees PASID; null'
	assert_equal "$(told vf-permissions)" "mode 0600, user $(id -u), group $(id -g); null"
	rm -r "$root/proc/4711"
	mkdir -p "$root/sys/bus/pci/devices/0000:3b:01.0/net/eth7"
	echo 0x1003 >"$root/sys/bus/pci/devices/0000:3b:01.0/net/eth7/flags"
	assert_equal "$(told vf-use)" 'its network interface eth7 is up; ip link set eth7 down'
	echo 'hidden: pasid: pf-off' >"$root/sys/bus/pci/devices/0000:3b:01.0/vfcap/state"
	assert_regex "$(told vf-emulation)" 'vfcap/state: hidden: pasid: pf-off; see pf-pasid-on'
	echo 2 >"$root/sys/bus/pci/devices/0000:3b:01.0/vfcap/abi"
	assert_regex "$(told vf-knob)" '^vfcap/abi is 2, not 1; '
}

@test "VFs that are the same are said once, with a command for all of them" {
	run vfcap --demo doctor ens1f0
	assert_line '0000:3b:01.0 .. 0000:3b:01.3 (4 VFs of 0000:3b:00.0)'
	assert_line --regexp '^  fail     vf-driver +driver: iavf.*; fix: vfcap enable 0000:3b:00.0/vf0-3$'
	run vfcap --demo doctor ens1f0/vf2
	assert_line --regexp '; fix: vfcap enable 0000:3b:01.2$'
	run vfcap --demo doctor 0000:c1:00.0
	assert_line --regexp 'vfcap enable 0000:c1:00.0/vf0-1 0000:c1:02.3$'
	assert_equal "$(vfcap --demo -j doctor ens1f0 | jq '[.checks[] | select(.id == "vf-driver")] | length')" 8
	assert_equal "$(vfcap --demo -j doctor ens1f0 | jq -r '[.checks[] | select(.id == "vf-driver" and .fix) | .fix] | unique | length')" 4
}

@test "what is said of many VFs is what is said of one" {
	run vfcap --sysroot "$(host many)" doctor
	assert_line '0000:3b:01.0 .. 0000:3c:00.7 (256 VFs of 0000:3b:00.0)'
	[ "${#lines[@]}" -lt 60 ]
}

@test "-q has what failed, -v what is asked" {
	run vfcap --demo doctor -q
	refute_line --regexp '^  (pass|unknown)'
	refute_line --regexp 'passed$'
	assert_equal "$(vfcap --demo -q -j doctor | jq -c '[.checks[].result] | unique')" '["fail"]'
	run vfcap --demo doctor -v
	assert_line --regexp '^  pass     iommu +the IOMMU is on: sys/kernel/iommu_groups: '
}

@test "files tell of config space, and of nothing else" {
	run --separate-stderr vfcap -F "$(dump siblings)" -j doctor
	[ "$status" -eq 3 ] || [ "$status" -eq 0 ]
	assert_equal "$(jq -c '[.checks[] | select(.address == null) | .result] | unique' <<<"$output")" '["unknown"]'
	assert_equal "$(jq -c '[.checks[] | select(.id == "pf-pasid") | .result] | unique' <<<"$output")" '["pass"]'
	assert_equal "$(jq -c '[.checks[] | select(.id == "vf-driver") | .result] | unique' <<<"$output")" '["unknown"]'
}

@test "a PF alone in a dump: what is above it is not known" {
	"$VFCAP_BUILD/mkhost" --dump "$spec" | awk -v RS= '/^0000:3b:00.0/' >"$BATS_TEST_TMPDIR/pf"
	sed -i 's/^160: \(.\{17\}\) 14 07 00/160: \1 14 00 00/' "$BATS_TEST_TMPDIR/pf"
	run --separate-stderr vfcap -F "$BATS_TEST_TMPDIR/pf" -j doctor
	assert_equal "$(jq -r '.checks[] | select(.id == "pf-prefix" or .id == "pf-acs" or .id == "pf-vfs") | "\(.id) \(.result)"' <<<"$output" | xargs)" \
		'pf-vfs unknown pf-prefix unknown pf-acs unknown'
}

@test "not root: what cannot be read is unknown, and that is exit status 1" {
	run --separate-stderr vfcap --sysroot "$(host unprivileged)" doctor
	assert_equal "$status" 1
	[[ $stderr == *'needs root or CAP_SYS_ADMIN'* ]]
	assert_line --regexp '^  unknown  pf-pasid-on +its config space could not be read$'
}

@test "one that sleeps is not woken" {
	run --separate-stderr vfcap --sysroot "$(host d3cold)" -j doctor
	[[ $stderr == *'in D3cold'* ]]
	run --separate-stderr vfcap --demo doctor 0000:00:1f.3
	assert_equal "$status" 1
	[[ $stderr == *'in D3cold'* ]]
}

@test "what is no PF and no VF" {
	run vfcap --demo doctor 0000:00:00.0
	assert_failure 3
	assert_line '0000:00:00.0 (no PF)'
	assert_line --regexp '^  fail     pf-sriov +no SR-IOV in its chain; fix: '
	run vfcap --demo doctor 0000:ff:00.0
	assert_failure 3
	assert_output --partial 'no such function'
	run vfcap --sysroot "$(host none)" doctor
	assert_line '0 failed, 11 unknown, 0 passed'
}

@test "a capture has what the doctor wants to know" {
	make_host
	vfcap --sysroot "$root" capture "$BATS_TEST_TMPDIR/capture"
	run --separate-stderr vfcap --sysroot "$BATS_TEST_TMPDIR/capture" -j doctor
	assert_success
	assert_equal "$(jq -c '[.checks[] | {id, address, result}]' <<<"$output")" \
		"$(vfcap --sysroot "$root" -j doctor | jq -c '[.checks[] | {id, address, result}]')"
}

@test "what a captured host says is not obeyed" {
	change 's/^release .*/release ..\/..\/etc/; s/lockdown .*/lockdown [\x1b[31m]/'
	make_host
	run vfcap --sysroot "$root" doctor
	refute_output --partial $'\x1b'
	mkfifo "$root/proc/fifo"
	rm "$root/proc/cmdline" && ln -s fifo "$root/proc/cmdline"
	run timeout 5 "$VFCAP" --sysroot "$root" doctor
	[ "$status" -ne 124 ]
}
