#!/usr/bin/env bash
# images/publish.sh PROGRAM DIR [cpu|cuda]: what an image holds of a program (taba or taba-silo), a folder for each layer: DIR/libtorch
# changes with the version of libtorch only, DIR/app with every commit. .NET is part of it. DIR/out is empty: where results are mounted.
set -eu
source=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
case "${1:-}" in
  taba) project=src/Taba.Client ;;
  taba-silo) project=src/Taba.Silo ;;
  *) echo "usage: images/publish.sh taba|taba-silo DIR [cpu|cuda]" >&2; exit 2 ;;
esac
dir=${2:?a folder that is empty or not there} backend=${3:-cpu}
[ -z "$(ls -A "$dir" 2>/dev/null)" ] || { echo "publish.sh: $dir is not empty" >&2; exit 2; }
mkdir -p "$dir/libtorch" "$dir/app" "$dir/out"
dir=$(cd "$dir" && pwd)

cd "$source"
dotnet publish "$project" -c Release -r linux-x64 --self-contained -p:TorchBackend="$backend" -o "$dir/app" -v q --nologo

cd "$dir/app"
# Python's half of libtorch and the libraries of its own tests: 35 MB that nothing here loads.
rm -f libtorch_python.so libshm.so libtorchbind_test.so libjitbackend_test.so libbackend_with_compiler.so libaoti_custom_ops.so libnnapi_backend.so
for library in libtorch*.so* libc10*.so* libgomp-*.so* libcu*.so* libnv*.so* libcaffe2*.so*; do
  [ ! -e "$library" ] || mv "$library" ../libtorch/
done
# The client holds the silo as a library; its program of that name could not start.
[ "$1" = taba-silo ] || rm -f Taba.Silo Taba.Silo.runtimeconfig.json
chmod -R a+rX,go-w "$dir"
