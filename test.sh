#!/usr/bin/env bash
# Builds everything and runs all tests. Installs what tests need and this machine lacks, where it may.
# Last line: "N passed, N failed, N skipped". With CI=true a skipped test is a failure.
set -u -o pipefail
cd "$(dirname "${BASH_SOURCE[0]}")" || exit 2
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1

can_install() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; }

install() { # install PACKAGE... : from the distribution, quietly; says what could not be had
  can_install || { echo "test.sh: not installed (no root or no apt-get): $*" >&2; return 1; }
  { apt-get install -y -qq --no-install-recommends "$@" || { apt-get update -qq && apt-get install -y -qq --no-install-recommends "$@"; }; } \
    >/tmp/taba-apt.log 2>&1 || { echo "test.sh: could not install $* (see /tmp/taba-apt.log)" >&2; return 1; }
}

# A real Python torch reads the .pt files that we write.
/usr/bin/python3 -c 'import torch, numpy' 2>/dev/null || install python3-torch python3-numpy

# Real servers for the tests of a cluster, which start their own on loopback.
ls /usr/lib/postgresql/*/bin/pg_ctl >/dev/null 2>&1 || install postgresql
command -v redis-server >/dev/null || install redis-server
servers=tests/Taba.Testing/Servers
if [ ! -x "$servers/node_modules/.bin/azurite-blob" ]; then
  command -v npm >/dev/null || install nodejs npm
  npm install --prefix "$servers" --no-audit --no-fund --no-package-lock >/tmp/taba-npm.log 2>&1 \
    || echo "test.sh: could not install Azurite from npm (see /tmp/taba-npm.log)" >&2
fi

dotnet build Taba.sln -c Release -v q --nologo || { echo "0 passed, 1 failed, 0 skipped"; exit 1; }

log=$(mktemp)
trap 'rm -f "$log"' EXIT
# One project after the other: each uses all cores for its numbers.
dotnet test --solution Taba.sln -c Release --no-build --max-parallel-test-modules 1 "$@" 2>&1 | tee "$log"
status=${PIPESTATUS[0]}

sum() { grep -aE "^ *$1: *[0-9]+ *$" "$log" | tail -1 | grep -oE '[0-9]+' || echo 0; }
passed=$(sum succeeded)
failed=$(sum failed)
skipped=$(sum skipped)
[ "$status" -ne 0 ] && [ "$failed" = 0 ] && failed=1
if [ "${CI:-}" = true ] && [ "$skipped" != 0 ]; then
  echo "test.sh: with CI=true a skipped test is a failure" >&2
  status=1
fi
[ "$passed" = 0 ] && status=1
echo "$passed passed, $failed failed, $skipped skipped"
exit "$status"
