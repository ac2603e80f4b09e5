#!/usr/bin/env bash
# Builds the command taba and puts it on the path: files into PREFIX/lib/taba, a link into PREFIX/bin.
# Usage: ./install.sh [--prefix DIR] [--uninstall]     The default prefix is ~/.local.
set -eu
cd "$(dirname "${BASH_SOURCE[0]}")"
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1

prefix=$HOME/.local
uninstall=false
while [ $# -gt 0 ]; do
  case $1 in
    --prefix) prefix=${2:?install.sh: --prefix needs a folder}; shift 2 ;;
    --prefix=*) prefix=${1#*=}; shift ;;
    --uninstall) uninstall=true; shift ;;
    -h | --help) sed -n '2,3s/^# //p' "${BASH_SOURCE[0]}"; exit 0 ;;
    *) echo "install.sh: '$1' is not known; see ./install.sh --help" >&2; exit 2 ;;
  esac
done
mkdir -p "$prefix"
prefix=$(cd "$prefix" && pwd)
files=$prefix/lib/taba
link=$prefix/bin/taba

# What is there already is replaced only if it was put there by this script.
if [ -e "$files" ] && [ ! -e "$files/taba.dll" ]; then
  echo "install.sh: $files is something else: give another --prefix" >&2
  exit 2
fi
if [ -e "$link" ] && [ ! -L "$link" ]; then
  echo "install.sh: $link is not a link of this script: give another --prefix" >&2
  exit 2
fi
if $uninstall; then
  rm -rf "$files" "$link"
  echo "Removed $files and $link."
  exit 0
fi

command -v dotnet >/dev/null || { echo "install.sh: the .NET 10 SDK is missing: https://dotnet.microsoft.com/download" >&2; exit 2; }
echo "Building taba. The first time this downloads libtorch and other packages (some 300 MB) and takes a few minutes ..." >&2
new=$files.new
rm -rf "$new"
dotnet publish src/Taba.Client -c Release -v q --use-current-runtime --no-self-contained -o "$new"
rm -rf "$files"
mkdir -p "$prefix/bin"
mv "$new" "$files"
ln -sfn "$files/taba" "$link"

echo "Installed $link ($(du -sh "$files" | cut -f1))." >&2
found=$(command -v taba || true)
if [ -z "$found" ]; then
  echo "$prefix/bin is not on your path. For this shell, and in your profile: export PATH=\"$prefix/bin:\$PATH\"" >&2
elif [ "$found" != "$link" ]; then
  echo "On your path another taba comes first: $found" >&2
fi
echo "Now: taba doctor; taba run configs/demo.yaml" >&2
