#!/usr/bin/env bash
# Builds everything and runs all tests, or with "fast" as the first word those of the fast tier: no process, no server, a minute or two.
# Installs what tests need and this machine lacks, where it may. Words that follow go to "dotnet test".
# Last line: "N passed, N failed, N skipped". With CI=true a skipped test is a failure.
set -u -o pipefail
cd "$(dirname "${BASH_SOURCE[0]}")" || exit 2
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1

tier=whole
if [ "${1:-}" = fast ]; then
  tier=fast
  shift
fi

can_install() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; }

install() { # install PACKAGE... : from the distribution, quietly; says what could not be had
  can_install || { echo "test.sh: not installed (no root or no apt-get): $*" >&2; return 1; }
  { apt-get install -y -qq --no-install-recommends "$@" || { apt-get update -qq && apt-get install -y -qq --no-install-recommends "$@"; }; } \
    >/tmp/taba-apt.log 2>&1 || { echo "test.sh: could not install $* (see /tmp/taba-apt.log)" >&2; return 1; }
}

if [ "$tier" = whole ]; then
  # A real Python torch reads the .pt files that we write.
  /usr/bin/python3 -c 'import torch, numpy' 2>/dev/null || install python3-torch python3-numpy

  # promtool checks and tests the alerts and the dashboard's expressions.
  command -v promtool >/dev/null || install prometheus

  # A browser looks at the dashboard.
  command -v chromium >/dev/null || install chromium

  # Real servers for the tests of a cluster, which start their own on loopback.
  ls /usr/lib/postgresql/*/bin/pg_ctl >/dev/null 2>&1 || install postgresql
  command -v redis-server >/dev/null || install redis-server
  servers=tests/Taba.Testing/Servers
  if [ ! -x "$servers/node_modules/.bin/azurite" ]; then
    command -v npm >/dev/null || install nodejs npm
    npm install --prefix "$servers" --no-audit --no-fund --no-package-lock >/tmp/taba-npm.log 2>&1 \
      || echo "test.sh: could not install Azurite from npm (see /tmp/taba-npm.log)" >&2
  fi

  # The chart is rendered by a tool that is built here from packages of the distribution, and checked against schemas from npm.
  chart=tests/Taba.Chart.Tests
  go=(golang-1.19-go golang-github-masterminds-sprig-dev golang-k8s-sigs-yaml-dev golang-github-xeipuuv-gojsonschema-dev
    golang-github-gobwas-glob-dev golang-github-burntsushi-toml-dev)
  renderer=$chart/helm-render
  if [ ! -x "$renderer/bin/helm-render" ] || [ -n "$(find "$renderer/src" "$renderer/build.sh" -newer "$renderer/bin/helm-render")" ]; then
    if [ -x /usr/lib/go-1.19/bin/go ] && [ -d /usr/share/gocode/src/github.com/Masterminds/sprig ] || install "${go[@]}"; then
      "$renderer/build.sh" || echo "test.sh: could not build helm-render" >&2
    fi
  fi
  if [ ! -d "$chart/Validator/node_modules/kubernetes-models" ]; then
    command -v npm >/dev/null || install nodejs npm
    npm install --prefix "$chart/Validator" --no-audit --no-fund --no-package-lock >/tmp/taba-npm.log 2>&1 \
      || echo "test.sh: could not install kubernetes-models from npm (see /tmp/taba-npm.log)" >&2
  fi
fi

dotnet build Taba.sln -c Release -v q --nologo || { echo "0 passed, 1 failed, 0 skipped"; exit 1; }

# Tests start the command some sixty times: compiled ahead, each start takes two thirds. Without this copy they start what was built.
if [ "$tier" = whole ]; then
  dotnet publish tests/Taba.Programs -c Release --no-build -v q --nologo || echo "test.sh: the programs are not compiled ahead" >&2
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
status=0

run() { # run AT_ONCE MODULES OPTION... : the test modules of a pattern, so many side by side
  local at_once=$1 modules=$2
  shift 2
  dotnet test --test-modules "$modules" --max-parallel-test-modules "$at_once" --ignore-exit-code 8 "$@" 2>&1 | tee -a "$log"
  [ "${PIPESTATUS[0]}" -eq 0 ] || status=1
}

modules() { # modules NAME... : the patterns of these test projects
  local pattern="" name
  for name in "$@"; do
    pattern+="${pattern:+;}tests/Taba.$name.Tests/bin/Release/net10.0/Taba.$name.Tests.dll"
  done
  echo "$pattern"
}

# The simulation has a program of its own, and belongs to both tiers.
all="$(modules '*');tests/Taba.Simulation/bin/Release/net10.0/Taba.Simulation.dll"

# Networks of tests are small: one thread serves each, and two projects run side by side.
export OMP_NUM_THREADS=1
if [ "$tier" = fast ]; then
  TABA_TIER=fast run 2 "$all" --filter-not-trait needs=process "$@"
else
  run 2 "$all" --filter-not-trait needs=process "$@"
  run 1 "$(modules '*')" --filter-trait needs=process "$@"
fi

sum() { grep -aE "^ *$1: *[0-9]+ *$" "$log" | awk '{ n += $2 } END { print n + 0 }'; }
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
