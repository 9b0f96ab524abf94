#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The table of denylisted functions, and what holds it against a kernel's sources: tests/denylist.

bats_require_minimum_version 1.5.0

setup() {
	load common
	tree=$BATS_TEST_TMPDIR/linux
	table=$BATS_TEST_TMPDIR/denylist.c
	mkdir -p "$tree/include/linux" "$tree/drivers/vfio/pci"
	cat >"$tree/include/linux/pci_ids.h" <<-'END'
		#define PCI_VENDOR_ID_ONE		0x1af4
		#define PCI_DEVICE_ID_ONE_NIC		0xAB
		#define PCI_DEVICE_ID_ONE_DISK		0x10f1
		#define PCI_DEVICE_ID_ONE_NEW		0x10f2
		#define PCI_VENDOR_ID_TWO		0x1b36
	END
	list 'case PCI_DEVICE_ID_ONE_NIC:' 'case PCI_DEVICE_ID_ONE_DISK:'
	cat >"$table" <<-'END'
		static const struct { uint16_t vendor, device; } denylist[] = {
			{ 0x1af4, 0x00ab }, /* a NIC */
			{ 0x1af4, 0x10f1 },
			{ 0x1b36, 0x0010 },
		};
	END
}

# The function of a kernel that refuses these devices of one vendor, and one of another.
list() { # LABEL...
	{
		printf '%s\n' 'static bool other(void)' '{' $'\treturn true;' '}' '' \
			'static bool vfio_pci_dev_in_denylist(struct pci_dev *pdev)' '{' $'\tswitch (pdev->vendor) {' \
			$'\tcase PCI_VENDOR_ID_ONE:' $'\t\tswitch (pdev->device) {'
		printf '\t\t%s\n' "$@"
		printf '%s\n' $'\t\t\treturn true;' $'\t\tdefault:' $'\t\t\treturn false;' $'\t\t}' \
			$'\tcase PCI_VENDOR_ID_TWO:' $'\t\tswitch (pdev->device) {' $'\t\tcase 0x0010:' \
			$'\t\t\treturn true;' $'\t\t}' $'\t}' '' $'\treturn false;' '}'
	} >"$tree/drivers/vfio/pci/vfio_pci.c"
}

holds() {
	run "$VFCAP_SOURCE/tests/denylist" "$tree" "$table"
}

@test "denylist: a table that is the kernel's list" {
	holds
	assert_success
	assert_output ''
}

@test "denylist: a device that the kernel has added, or taken off" {
	list 'case PCI_DEVICE_ID_ONE_NIC:' 'case PCI_DEVICE_ID_ONE_DISK:' 'case PCI_DEVICE_ID_ONE_NEW:'
	holds
	assert_failure 1
	assert_output "1af4:10f2 is on the list of $tree, and not in the table"
	list 'case PCI_DEVICE_ID_ONE_DISK:'
	holds
	assert_failure 1
	assert_output "1af4:00ab is in the table, and not on the list of $tree"
}

@test "denylist: a device whose ID, or vendor, is another" {
	sed -i 's/0x10f1/0x10f2/' "$tree/include/linux/pci_ids.h"
	holds
	assert_failure 1
	assert_line "1af4:10f2 is on the list of $tree, and not in the table"
	assert_line "1af4:10f1 is in the table, and not on the list of $tree"
	sed -i 's/0x10f2/0x10f1/; s/0x1b36/0x8086/' "$tree/include/linux/pci_ids.h"
	holds
	assert_failure 1
	assert_line "8086:0010 is on the list of $tree, and not in the table"
}

@test "denylist: what is not understood is no agreement" {
	list 'case PCI_DEVICE_ID_ONE_NIC ... PCI_DEVICE_ID_ONE_DISK:'
	holds
	assert_failure 1
	assert_output --partial 'not understood: '
	list 'case PCI_DEVICE_ID_UNKNOWN:'
	holds
	assert_failure 1
	assert_output --partial 'not known: PCI_DEVICE_ID_UNKNOWN'
	sed -i 's/in_denylist/in_blocklist/' "$tree/drivers/vfio/pci/vfio_pci.c"
	holds
	assert_failure 1
	assert_output --partial 'there is no such function'
	rm "$tree/drivers/vfio/pci/vfio_pci.c"
	holds
	assert_failure
}
