#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Ansible module: brings PFs and VFs of a host to a described state."""

DOCUMENTATION = r'''
module: vfcap_apply
short_description: How many VFs PFs have, and what VFs show and are bound to
description:
  - Brings the host to what I(description) says, by C(vfcap apply), and may keep it for the next boot.
  - Of each PF all is done or nothing. What is as described is left alone.
  - Needs root on the host.
options:
  description:
    description:
      - A description as vfcap-json(5) has it, or a plan as C(vfcap plan --json) printed it.
      - An address like 0000:01:00.0 needs quotes in YAML, which takes it for a number in base 60 without.
    type: dict
    required: true
  path:
    description:
      - Keep the description in this file, of mode 0644 and root's, for the next boot, once it is applied.
        C(vfcap-apply.service) takes C(/etc/vfcap.d/*.json). Its directory is made where it is missing.
      - Of the host always, also with I(sysroot).
    type: path
  sysroot:
    description: Compare with this directory of the host, or file of C(vfcap capture); nothing of it can be changed.
    type: path
  executable:
    description: The program, a name or an absolute path.
    type: str
    default: vfcap
attributes:
  check_mode:
    support: full
    details: By C(vfcap apply --check). What would be refused fails here, too.
  diff_mode:
    support: full
author: the authors of vfcap
'''

EXAMPLES = r'''
- name: Eight VFs, and PASID in all of them, now and after a reboot
  vfcap_apply:
    description:
      vfcap: 1
      pfs:
        - {address: "0000:3b:00.0", numvfs: 8}
      plan:
        - {address: "0000:3b:00.0/vf0-7", placements: [{name: PASID, rule: auto}]}
    path: /etc/vfcap.d/fleet.json

- name: What is otherwise here than on the host where that plan was made?
  vfcap_apply:
    description: "{{ lookup('ansible.builtin.file', 'golden.json') | from_json }}"
  check_mode: true
  diff: true
'''

RETURN = r'''
results:
  description: One object for each VF, and each PF whose number of VFs is described, as vfcap-json(5) has them.
  returned: when the description could be compared with the host
  type: list
  elements: dict
text:
  description: The description as vfcap read it, line by line, for an error that names one.
  returned: when it could not be understood
  type: list
  elements: str
'''

import json
import os

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils import vfcap

NAME = 'description'  # as errors name the text: the option that it comes from


def attribute(step):
    """The attribute of a function that a step changes; None for one that changes none."""
    return {
        'override': 'driver_override',
        'unbind': 'driver',
        'bind': 'driver',
        'knob': step.get('attribute'),
        'numvfs': 'sriov_numvfs',
        'autoprobe': 'sriov_drivers_autoprobe',
    }.get(step['step'])


def value(name, number_or_name):
    if number_or_name is None:
        return 'none'
    return '0x%03x' % number_or_name if name.endswith('_offset') else str(number_or_name)


def before_and_after(results):
    """What the steps of results change in the end, as two texts: a line for each attribute, below its function."""
    before, after = [], []
    for result in results:
        ends = {}
        for step in result['steps']:
            name = attribute(step)
            if name:
                ends.setdefault(name, [step.get('from'), None])[1] = step.get('to')
        for text, end in (before, 0), (after, 1):
            text.append(result['address'])
            text.extend('  %s %s' % (name, value(name, ends[name][end])) for name in ends)
    return ''.join(line + '\n' for line in before), ''.join(line + '\n' for line in after)


def reason(result):
    capability = ': ' + result['name'] if result.get('name') else ''
    return '%s%s: %s (%s)' % (result['address'], capability, result['reason'], result['code'])


class Apply:
    """One run: text is the description, results what vfcap made of it."""

    def __init__(self, module):
        self.module = module
        self.text = json.dumps(module.params['description'], indent=2) + '\n'
        self.results = []

    def differing(self):
        """Results that say that something was changed, or is to be."""
        return [r for r in self.results if r.get('drift') or r['result'] == 'done']

    def fail(self, msg, **more):
        self.module.fail_json(msg=msg, changed=any(r['result'] == 'done' for r in self.results), **more)

    def write(self, directory, name):
        path = os.path.join(directory, name)
        with open(path, 'w', encoding='utf-8') as file:
            file.write(self.text)
        return path

    def apply(self):
        check = ['--check'] if self.module.check_mode else []
        self.write(self.module.tmpdir, NAME)
        status, answer, said = vfcap.run(self.module, 'apply', *check, NAME, cwd=self.module.tmpdir)
        if status == vfcap.USAGE:
            self.fail(said, text=self.text.splitlines())
        if answer is None:
            self.fail(said or 'vfcap apply: exit status %d' % status)
        self.results = answer['results']
        # Those without a code are VFs that another one of their PF kept from being touched.
        refused = [reason(r) for r in self.results if r.get('reason') and r['code']]
        if status == vfcap.FAILED or any(r['result'] in ('refused', 'failed') for r in self.results):
            self.fail('\n'.join(said.splitlines() + refused) or 'vfcap apply: exit status %d' % status,
                      results=self.results)
        vfcap.warn(self.module, said)

    def persisted(self, path):
        """What the file says now, None if there is none, or a link, which is not taken at boot."""
        if os.path.islink(path):
            return None
        if os.path.exists(path) and not os.path.isfile(path):
            self.fail('%s: is no regular file' % path)
        try:
            with open(path, encoding='utf-8', errors='replace') as file:
                return file.read()
        except FileNotFoundError:
            return None
        except OSError as error:
            self.fail('%s: %s' % (path, error.strerror))

    def make_room(self, path):
        """Where it could not be kept, nothing is to be done either."""
        directory = os.path.dirname(path)
        try:
            os.makedirs(directory, 0o755, exist_ok=True)
        except OSError as error:
            self.fail('%s: %s' % (error.filename, error.strerror))
        if not os.access(directory, os.W_OK):
            self.fail('%s: cannot be written to: run this as root, or leave path out' % directory)

    def own(self, path):
        """Gives the file its mode and owner, which nobody but root can; whether they were otherwise."""
        if not os.path.exists(path):
            return False
        changed = self.module.set_mode_if_different(path, '0644', False)
        if os.geteuid() == 0:
            changed = self.module.set_owner_if_different(path, 0, changed)
        return changed

    def run(self):
        module, path, diff = self.module, self.module.params['path'], []
        path = os.path.abspath(path) if path else None
        before = self.persisted(path) if path else None
        differs = bool(path) and before != self.text
        if differs and not module.check_mode:
            self.make_room(path)
        self.apply()
        differing = self.differing()
        if differing:
            host, described = before_and_after(differing)
            diff.append({'before': host, 'after': described,
                         'before_header': 'the host', 'after_header': 'described'})
        if differs:
            diff.append({'before': before or '', 'after': self.text, 'before_header': path, 'after_header': path})
            if not module.check_mode:
                module.atomic_move(self.write(module.tmpdir, 'persisted'), path)
        owned = bool(path) and self.own(path)
        module.exit_json(changed=bool(differing) or differs or owned, results=self.results,
                         **({'diff': diff} if module._diff else {}))


def main():
    module = AnsibleModule(
        argument_spec=dict(vfcap.ARGUMENTS,
                           description={'type': 'dict', 'required': True},
                           path={'type': 'path'}),
        supports_check_mode=True,
    )
    Apply(module).run()


if __name__ == '__main__':
    main()
