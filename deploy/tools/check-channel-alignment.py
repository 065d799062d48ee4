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
from pathlib import Path

COLLIMATE = Path(__file__).resolve().parent / "collimate.sh"


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

    command = ["check", f"--release={args.release}"]
    command += [f"--target={target}" for target in args.target]
    command += [f"--unmanaged={name}" for name in args.ignore_repo]
    os.execv("/bin/sh", ["sh", str(COLLIMATE), *command])


if __name__ == "__main__":
    main()
