#!/bin/sh
# Installs the tools whose files test/foreign/files.long.test.ts reads, into ~/.cache/risk-foreign-files. Needs python3 (3.10 or newer)
# with venv, and a registry of Python packages.
set -eu
folder="$HOME/.cache/risk-foreign-files"
python3 -m venv "$folder"
"$folder/bin/pip" install --quiet --disable-pip-version-check pandas==3.1.1 duckdb==2.0.0 polars==2.1.0 pytz
echo "$folder/bin/python"
