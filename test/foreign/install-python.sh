#!/bin/sh
# Makes a virtual environment with packages of Python: install-python.sh FOLDER PACKAGE==VERSION ...
# Dependencies are named as well, because those that a package asks for may take gigabytes.
set -eu
folder=$1
shift
"${PYTHON:-python3}" -m venv --clear "$folder"
"$folder/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: --no-deps "$@"
touch "$folder/installed"
