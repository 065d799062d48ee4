#!/usr/bin/env python3
"""Check that deployment profiles use exactly the images of a release.

    check-channel-alignment.py --release deploy/releases/2025.09-stable.yaml \\
        --target deploy/helm/stellaops/values-stage.yaml \\
        --target deploy/compose/docker-compose.stage.yaml \\
        --ignore-repo nats

Hands over to `collimate check`, whose output and exit code it passes through: 0 aligned, 1 not aligned, 2 wrong
usage, 3 a file cannot be read, 4 collimate is not installed.
"""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

NOT_INSTALLED = 4  # collimate's own code for a tool that is missing
CHECKOUT = Path(__file__).resolve().parents[2]


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
    parser = argparse.ArgumentParser(description="Check that profiles use exactly the images of a release.")
    parser.add_argument("--release", required=True, metavar="MANIFEST", help="release manifest")
    parser.add_argument(
        "--target", required=True, action="append", metavar="FILE", help="Helm values or Compose file (repeatable)"
    )
    parser.add_argument(
        "--ignore-repo", default=[], action="append", metavar="NAME",
        help="image that belongs to no release, by its last path element or whole repository (repeatable)",
    )
    args = parser.parse_args()

    program = find_collimate()
    if program is None:
        source = CHECKOUT / "crates" / "collimate"
        print(f"collimate is not installed; run: cargo install --locked --path '{source}'", file=sys.stderr)
        return NOT_INSTALLED

    command = [program, "check", f"--release={args.release}"]
    command += [f"--target={target}" for target in args.target]
    command += [f"--unmanaged={name}" for name in args.ignore_repo]
    try:
        code = subprocess.run(command, check=False).returncode
    except OSError as error:
        print(f"cannot run `{program}`: {error.strerror}", file=sys.stderr)
        return NOT_INSTALLED
    # A negative code is a signal; say it as a shell would.
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main())
