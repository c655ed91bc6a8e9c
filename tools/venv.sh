#!/bin/sh
# Create a virtual environment with this project and one of its extras, or say in one line what is missing.
#
#   sh tools/venv.sh FOLDER demo|dev
#
# Plain sh, because it runs before any Python is known to be good. The stamp FOLDER/.figwatch-EXTRA is written last.
set -eu

folder=$1
extra=$2
cd "$(dirname "$0")/.."

say() { printf 'figwatch: %s\n' "$*" >&2; }

works() { # works PYTHON: new enough (a pyenv shim may exist and still refuse to start)
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

has_venv() { # has_venv PYTHON: Debian splits these two off into python3-venv
    "$1" -c 'import ensurepip, venv' >/dev/null 2>&1
}

version_of() {
    "$1" -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])' 2>/dev/null || echo 'does not start'
}

# Sets python (empty if none is new enough) and seen (what was looked at). Prefers an interpreter that can make a venv,
# and those first that the suite has run on.
find_python() {
    python='' seen=''
    for name in python3.13 python3.12 python3.11 python3 python python3.14; do
        command -v "$name" >/dev/null 2>&1 || continue
        seen="$seen${seen:+, }$name ($(version_of "$name"))"
        works "$name" || continue
        if has_venv "$name"; then
            python=$name
            return 0
        fi
        python=${python:-$name}
    done
}

# Debian and Ubuntu: install the missing module where that needs no question, else name the one line that does.
provide_venv_module() {
    package="python$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')-venv"
    as=''
    if [ "$(id -u)" != 0 ]; then as='sudo -n'; fi
    if command -v apt-get >/dev/null 2>&1 && { [ -z "$as" ] || $as true 2>/dev/null; }; then
        say "$python has no venv module; installing $package"
        { $as apt-get install -y -qq "$package" || { $as apt-get update -qq && $as apt-get install -y -qq "$package"; }; } \
            >/dev/null 2>&1 || true
    fi
    if ! has_venv "$python"; then
        say "$python cannot create virtual environments; run: sudo apt-get install -y $package"
        exit 1
    fi
}

create() {
    find_python
    if [ -z "$python" ]; then
        say "needs Python 3.11 or newer; found ${seen:-no python3 at all}. Install one and put it on the PATH."
        exit 1
    fi
    has_venv "$python" || provide_venv_module
    say "creating $folder with $python ($(version_of "$python"))"
    rm -rf "$folder"
    trap 'rm -rf "$folder"' EXIT # a half-made folder would fool the next run
    trap 'exit 130' INT TERM
    "$python" -m venv "$folder"
    "$folder/bin/python" -m pip --version >/dev/null
    trap - EXIT INT TERM
}

if ! works "$folder/bin/python" || ! "$folder/bin/python" -m pip --version >/dev/null 2>&1; then
    create
fi

# The dev extra holds everything the demo needs.
if [ "$extra" = demo ] && [ -n "$(find "$folder/.figwatch-dev" -newer pyproject.toml -newer constraints.txt 2>/dev/null)" ]; then
    touch "$folder/.figwatch-demo"
    exit 0
fi

say "installing .[$extra] into $folder (a minute or two the first time)"
"$folder/bin/python" -m pip install -qq --disable-pip-version-check -c constraints.txt -e ".[$extra]"
touch "$folder/.figwatch-$extra"
