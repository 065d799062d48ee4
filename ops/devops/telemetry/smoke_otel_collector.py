#!/usr/bin/env python3
"""Send telemetry to an OpenTelemetry collector and prove that it arrived.

    smoke_otel_collector.py --host localhost

Hands over to `collimate smoke otel`, whose options it takes (`--help` lists them) and whose output and exit code it passes
through: 0 all arrived, 1 something was accepted but is lost or wrong, 2 wrong usage, 3 a file cannot be read, 4 something
cannot be reached or collimate is not installed, 5 a certificate was refused.
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


def main(arguments):
    program = find_collimate()
    if program is None:
        source = CHECKOUT / "crates" / "collimate"
        print(f"collimate is not installed; run: cargo install --locked --path '{source}'", file=sys.stderr)
        return NOT_INSTALLED

    # The collector of the Compose overlay is published on this machine.
    named = any(argument == "--host" or argument.startswith("--host=") for argument in arguments)
    host = [] if named else ["--host=localhost"]
    try:
        code = subprocess.run([program, "smoke", "otel", *host, *arguments], check=False).returncode
    except OSError as error:
        print(f"cannot run `{program}`: {error.strerror}", file=sys.stderr)
        return NOT_INSTALLED
    # A negative code is a signal; say it as a shell would.
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
