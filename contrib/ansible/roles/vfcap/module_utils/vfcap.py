# SPDX-License-Identifier: GPL-2.0-or-later
"""What the modules of this role share: vfcap is run, and what it prints is understood."""

import json
import os

DONE, FAILED, USAGE, NO = range(4)  # vfcap's exit statuses

ARGUMENTS = {
    'executable': {'type': 'str', 'default': 'vfcap'},
    'sysroot': {'type': 'path'},
}


def run(module, *words, cwd=None):
    """Runs vfcap --json over the host, or over options' sysroot.

    Returns its exit status, the object that it printed (None if none), and what it said on standard
    error. Ends the module where there is no vfcap, or one that prints no JSON.
    """
    vfcap = module.get_bin_path(module.params['executable'], required=True)
    sysroot = module.params['sysroot']
    host = ['--sysroot', os.path.abspath(sysroot)] if sysroot else []
    status, out, err = module.run_command([vfcap, '--json'] + host + list(words), cwd=cwd,
                                          environ_update={'LC_ALL': 'C.UTF-8'})
    try:
        answer = json.loads(out) if out.strip() else None
    except ValueError as error:
        module.fail_json(msg='%s: no JSON came of it: %s' % (vfcap, error), stdout=out, stderr=err)
    return status, answer, err.strip()


def warn(module, said):
    """What vfcap said besides, when it answered."""
    for line in said.splitlines():
        module.warn(line)
