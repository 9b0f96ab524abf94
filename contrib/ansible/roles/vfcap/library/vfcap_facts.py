#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Ansible module: which PFs and VFs a host has."""

DOCUMENTATION = r'''
module: vfcap_facts
short_description: Which SR-IOV PFs and VFs a host has, with PASID, PRI and ATS
description:
  - Sets the fact C(vfcap) to what C(vfcap --json list) prints.
  - Needs root on the host. What the kernel shows to others is less, and said as a warning.
options:
  devices:
    description: Only these, as vfcap(8) has a I(DEVICE), C(0000:3b:00.0) or C(ens1f0/vf0-3); a PF with its VFs.
    type: list
    elements: str
    default: []
  all:
    description: Functions too that have nothing to do with SR-IOV.
    type: bool
    default: false
  sysroot:
    description: Look at this directory of the host, or file of C(vfcap capture), instead of at the host.
    type: path
  executable:
    description: The program, a name or an absolute path.
    type: str
    default: vfcap
attributes:
  check_mode:
    support: full
author: the authors of vfcap
'''

EXAMPLES = r'''
- name: See what is there
  vfcap_facts:

- name: Which VFs show PASID?
  ansible.builtin.debug:
    msg: "{{ ansible_facts.vfcap.functions | selectattr('emulated.pasid', 'defined')
      | rejectattr('emulated.pasid', 'none') | map(attribute='address') }}"
'''

RETURN = r'''
ansible_facts:
  description: Facts of the host.
  returned: success
  type: dict
  contains:
    vfcap:
      description:
        - The object that C(vfcap --json list) prints. C(functions) holds one object for each function, with
          C(address), C(role) ("pf", "vf" or "function"), C(driver), C(pasid), C(pri), C(ats), of a PF C(totalvfs),
          C(numvfs) and C(vfs), of a VF C(emulated). All keys are in vfcap-json(5).
      type: dict
'''

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils import vfcap


def main():
    module = AnsibleModule(
        argument_spec=dict(vfcap.ARGUMENTS,
                           devices={'type': 'list', 'elements': 'str', 'default': []},
                           all={'type': 'bool', 'default': False}),
        supports_check_mode=True,
    )
    words = ['list'] + (['--all'] if module.params['all'] else [])
    status, answer, said = vfcap.run(module, *words, '--', *module.params['devices'])
    if status != vfcap.DONE or answer is None:
        module.fail_json(msg=said or 'vfcap list: exit status %d' % status)
    vfcap.warn(module, said)
    module.exit_json(changed=False, ansible_facts={'vfcap': answer})


if __name__ == '__main__':
    main()
