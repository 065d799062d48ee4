#!/usr/bin/env python3
"""Package the telemetry assets into a signed archive for air-gapped installs.

    package_offline_bundle.py --sign release.key --output dist

Hands over to `collimate bundle telemetry`, whose arguments, output and exit code it passes through: 0 written, 1 a file
holds a secret, 2 wrong usage, 3 a file is missing or cannot be read, 4 collimate is not installed or the disk refuses.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

NOT_INSTALLED = 4  # collimate's own code for a tool that is missing
CHECKOUT = Path(__file__).resolve().parents[3]


def find_collimate():
    """Path of the program: `COLLIMATE`, else on PATH, else as built in the checkout that this file lies in."""
    named = os.environ.get("COLLIMATE")
    if named:
        return os.path.abspath(named)
    # Never from the current folder, which anybody may have filled: relative entries of PATH do not count.
    folders = [folder for folder in os.environ.get("PATH", "").split(os.pathsep) if os.path.isabs(folder)]
    found = shutil.which("collimate", path=os.pathsep.join(folders))
    if found and os.path.isabs(found):
        return found
    for build in ("release", "debug"):
        program = CHECKOUT / "target" / build / ("collimate.exe" if os.name == "nt" else "collimate")
        if program.is_file():
            return str(program)
    return None


def main():
    program = find_collimate()
    if program is None:
        source = CHECKOUT / "crates" / "collimate"
        print(f"collimate is not installed; run: cargo install --locked --path '{source}'", file=sys.stderr)
        return NOT_INSTALLED

    # The workspace is the checkout that this file lies in, wherever it is called from.
    command = [program, "--workspace", str(CHECKOUT / "collimate.yaml"), "bundle", "telemetry"] + sys.argv[1:]
    try:
        code = subprocess.run(command, check=False).returncode
    except OSError as error:
        print(f"cannot run `{program}`: {error.strerror}", file=sys.stderr)
        return NOT_INSTALLED
    # A negative code is a signal; say it as a shell would.
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main())
