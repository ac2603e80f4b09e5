#!/bin/sh
# Builds bin/helm-render from Debian's packages alone; no module is downloaded. test.sh installs them:
# golang-1.19-go golang-github-masterminds-sprig-dev golang-k8s-sigs-yaml-dev golang-github-xeipuuv-gojsonschema-dev
# golang-github-gobwas-glob-dev golang-github-burntsushi-toml-dev
set -eu
cd "$(dirname "$0")"
export GO111MODULE=off GOFLAGS= GOPATH="$PWD:/usr/share/gocode" GOCACHE="${GOCACHE:-${TMPDIR:-/tmp}/helm-render-go}"
exec "${GO:-/usr/lib/go-1.19/bin/go}" build -o bin/helm-render helm-render
