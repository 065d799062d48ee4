#!/usr/bin/env python3
"""Send telemetry to an OpenTelemetry collector and prove that it arrived.

    smoke_otel_collector.py --host localhost

Hands over to `collimate smoke otel`, whose options it takes (`--help` lists them) and whose output and exit code it passes
through: 0 all arrived, 1 something was accepted but is lost or wrong, 2 wrong usage, 3 a file cannot be read, 4 something
cannot be reached or collimate is not installed, 5 a certificate was refused.
"""

import os
import sys
from pathlib import Path

COLLIMATE = Path(__file__).resolve().parents[3] / "deploy/tools/collimate.sh"

arguments = sys.argv[1:]
# The collector of the Compose overlay is published on this machine.
named = any(argument == "--host" or argument.startswith("--host=") for argument in arguments)
host = [] if named else ["--host=localhost"]
os.execv("/bin/sh", ["sh", str(COLLIMATE), "smoke", "otel", *host, *arguments])
