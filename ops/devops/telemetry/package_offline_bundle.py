#!/usr/bin/env python3
"""Package the telemetry assets into a signed archive for air-gapped installs.

    package_offline_bundle.py --sign release.key --output dist

Hands over to `collimate bundle telemetry`, whose arguments, output and exit code it passes through: 0 written, 1 a file
holds a secret, 2 wrong usage, 3 a file is missing or cannot be read, 4 collimate is not installed or the disk refuses.
"""

import os
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[3]
COLLIMATE = CHECKOUT / "deploy/tools/collimate.sh"

# The workspace is the checkout that this file lies in, wherever it is called from.
workspace = ["--workspace", str(CHECKOUT / "collimate.yaml")]
os.execv("/bin/sh", ["sh", str(COLLIMATE), *workspace, "bundle", "telemetry", *sys.argv[1:]])
