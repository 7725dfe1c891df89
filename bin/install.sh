# Sourced by bin/risk and bin/check after they set $root. Installs the packages where they are missing
# or stale and picks the Node that runs the engine. POSIX sh; silent unless there is work or trouble.

stamp="$root/node_modules/.risk-installed"

# What an installation must match: the lockfile, and the machine its binaries are for.
wanted_stamp() {
  printf '%s %s\n' "$(cksum <"$root/package-lock.json")" "$(uname -sm)"
}

# True when nothing is to be installed. Without a lockfile (an image that carries only node_modules)
# there is nothing to compare with and nothing to install.
is_installed() {
  [ -f "$root/package-lock.json" ] || return 0
  # Takes what somebody's `npm ci` has installed: it removes the stamp, and npm writes the file compared here last.
  [ -f "$stamp" ] || ! [ "$root/node_modules/.package-lock.json" -nt "$root/package-lock.json" ] ||
    wanted_stamp 2>/dev/null >"$stamp"
  [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$(wanted_stamp)" ]
}

give_up() {
  printf 'risk: %s\n' "$1" >&2
  exit 3
}

install_packages() {
  command -v node >/dev/null 2>&1 && command -v npm >/dev/null 2>&1 ||
    give_up 'this needs Node 18 or newer with npm on the PATH (nodejs.org)'
  printf 'installing Node 24, PostgreSQL and the libraries of package-lock.json into node_modules\n' >&2
  printf '(once, 560 MB; 15 s to two minutes, as fast as the network) …\n' >&2
  began=$(date +%s)
  # A user without a home of his own (nobody) has nowhere to keep npm's cache.
  spare_cache=
  if [ ! -w "${HOME:-/nonexistent}" ]; then
    spare_cache=$(mktemp -d) && npm_config_cache=$spare_cache && export npm_config_cache
  fi
  # npm's summary goes nowhere, npm's errors go to the screen.
  (cd "$root" && npm ci --loglevel=error --no-progress --no-audit --no-fund \
    --no-update-notifier >/dev/null) ||
    give_up 'npm ci failed (see above); it needs the network once'
  wanted_stamp >"$stamp"
  printf 'installed in %d s\n' "$(($(date +%s) - began))" >&2
  [ -z "$spare_cache" ] || rm -rf "$spare_cache"
}

# One installation at a time. The lock is on the lockfile itself: npm replaces node_modules, and a
# lock of the kernel is never stale.
ensure_installed() {
  is_installed && return 0
  if command -v flock >/dev/null 2>&1; then
    exec 9<"$root/package-lock.json"
    flock -n 9 || {
      printf 'waiting for another installation …\n' >&2
      flock 9
    }
  fi
  is_installed || install_packages
  exec 9<&-
}

# Sets $node and $loader: the pinned Node; where it has no build for this machine, a Node 24 or newer
# of the system; else an older one with tsx, which knows the syntax it lacks.
choose_node() {
  loader=
  node="$root/node_modules/.bin/node"
  [ -x "$node" ] && return 0
  node=$(command -v node) || give_up 'this needs Node 18 or newer with npm on the PATH (nodejs.org)'
  major=$("$node" -p 'process.versions.node.split(".")[0]')
  [ "$major" -ge 24 ] || loader="--import=$root/node_modules/tsx/dist/loader.mjs"
}
