#!/usr/bin/env bash
# Measures Taba on a GPU that has Python with torch and neither .NET nor a network.
#   bench/gpu.sh build DIR                        where the .NET SDK is: DIR becomes what the other machine needs, 60 MiB at most
#   DIR/gpu.sh run DIR OUT [--minutes N] [...]    where the GPU is: parity, then tables as OUT/gpu.md and OUT/gpu.json
#   bench/gpu.sh dry-run DIR OUT [--minutes N]    the same on a processor with tiny models; DIR is a build's, or is not there
# Further flags go to reference/session.py (--batch_sizes, --compile_batches, --seconds). TABA_PYTHON names another python3.
set -eu
most=$((60 << 20))
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
fail() { echo "gpu.sh: $1" >&2; exit "${2:-2}"; }
python=${TABA_PYTHON:-python3}

collect() { # DIR: everything but the program
  mkdir -p "$1/models" "$1/fixtures/e2e" "$1/fixtures/models"
  cp "$here/gpu.sh" "$1/"
  cp -r "$here/reference" "$1/"
  cp -r "$here"/../src/Taba.Silo/ShippedModels/{adm-32,adm-64,adm-256,demo,dit-xl-2-256,ldm-celebahq-256} "$1/models/"
  cp -r "$here"/../tests/fixtures/models/{dit_tiny,if_tiny,ldm_tiny} "$1/fixtures/models/"
  mkdir "$1/fixtures/models/adm"
  cp -r "$here"/../tests/fixtures/models/adm/{cifar32_tiny,adm256flags_tiny} "$1/fixtures/models/adm/"
  rm -f "$1/fixtures/models/ldm_tiny/vqvae/diffusion_pytorch_model.bin"
  for family in adm ldm dit if_hobbit_gs1; do
    mkdir -p "$1/fixtures/e2e/$family"
    cp -r "$here/../tests/fixtures/e2e/$family/"{model.json,sample_T10} "$1/fixtures/e2e/$family/"
  done
  mkdir -p "$1/configs"
  cp "$here/../configs/demo.yaml" "$here/reference/mixed.yaml" "$1/configs/"
}

unpack() { # DIR: the program, by Python: the other machine may have no xz
  [ -x "$1/taba/taba" ] && return
  mkdir -p "$1/taba"
  "$python" -c 'import sys, tarfile; tarfile.open(sys.argv[1]).extractall(sys.argv[2])' "$1/taba.tar.xz" "$1/taba"
}

torch_folder() { "$python" -c 'import importlib.util as u; s = u.find_spec("torch"); print(s.submodule_search_locations[0] if s else "")'; }

case "${1:-}" in
  build)
    dir=${2:?gpu.sh: build needs a folder}
    [ -z "$(ls -A "$dir" 2>/dev/null)" ] || fail "$dir is not empty"
    command -v dotnet >/dev/null || fail "the .NET SDK is missing"
    mkdir -p "$dir"
    dir=$(cd "$dir" && pwd)
    collect "$dir"
    app=$(mktemp -d)
    trap 'rm -rf "$app"' EXIT
    # Code that is compiled ahead would be twice as large, and this program starts a few dozen times at most. Of the runtime only what
    # the program reaches is kept (partial: assemblies that are not the runtime's stay whole).
    dotnet publish "$here/../src/Taba.Client" -c Release -r linux-x64 --self-contained -p:TorchBackend=none -p:PublishReadyToRun=false \
      -p:PublishTrimmed=true -p:TrimMode=partial -p:JsonSerializerIsReflectionEnabledByDefault=true -p:SuppressTrimAnalysisWarnings=true \
      -p:EnableTrimAnalyzer=false -p:EnableConfigurationBindingGenerator=false \
      -p:EnableRequestDelegateGenerator=false -o "$app" -v q --nologo
    # For debuggers and compilers; nothing here loads them.
    rm -f "$app"/*.pdb "$app"/*.xml "$app"/Microsoft.CodeAnalysis*.dll "$app"/libmscordaccore.so "$app"/libmscordbi.so "$app"/createdump \
      "$app"/libclrgc*.so "$app"/Taba.Silo "$app"/Taba.Silo.runtimeconfig.json
    tar -C "$app" -cf - . | xz -9e >"$dir/taba.tar.xz"
    size=$(du -sb "$dir" | cut -f1)
    echo "$dir: $size bytes"
    [ "$size" -le "$most" ] || fail "$dir is larger than $most bytes" 1
    ;;
  run)
    dir=$(cd "${2:?gpu.sh: run needs the folder of a build}" && pwd) out=${3:?gpu.sh: run needs a folder for what it finds}
    shift 3
    torch=$(torch_folder)
    [ -n "$torch" ] || fail "$python has no torch: TABA_PYTHON may name one that has"
    mkdir -p "$out"
    unpack "$dir"
    # TorchSharp's native part is compiled against 2.10; whoever runs this tries what is there, and parity comes first.
    export TABA_TORCH=$torch TABA_TORCH_ANY_VERSION=1
    echo "torch of Python: $torch"
    "$dir/taba/taba" doctor || echo "gpu.sh: taba doctor has complaints; parity decides" >&2
    exec "$python" "$dir/reference/session.py" --out "$out" --taba "$dir/taba/taba" --fixtures "$dir/fixtures" --models "$dir/models" \
      --configs "$dir/configs" --torch --compile "$@"
    ;;
  dry-run)
    dir=${2:?gpu.sh: dry-run needs a folder}
    mkdir -p "$dir"
    dir=$(cd "$dir" && pwd) out=${3:?gpu.sh: dry-run needs a folder for what it finds}
    shift 3
    mkdir -p "$out"
    [ -e "$dir/fixtures" ] || collect "$dir"
    # An older torch of Python cannot carry ours. The program of a build runs on the processor's libtorch of the package that normal
    # builds have, loaded as on the other machine; without one, a normal build runs.
    if [ -e "$dir/taba.tar.xz" ] || [ -x "$dir/taba/taba" ]; then
      unpack "$dir"
      taba=$dir/taba/taba
      packages=${NUGET_PACKAGES:-$HOME/.nuget/packages}
      TABA_TORCH=$(ls -d "$packages"/libtorch-cpu-linux-x64/*/runtimes/linux-x64/native | tail -n 1)
      [ -n "$TABA_TORCH" ] || fail "$packages has no libtorch-cpu-linux-x64"
      export TABA_TORCH TABA_TORCH_ANY_VERSION=1
    else
      taba=$here/../src/Taba.Client/bin/Release/net10.0/taba
      [ -x "$taba" ] || fail "$taba is missing: dotnet build src/Taba.Client -c Release, or give the folder of a build"
    fi
    echo "ours: $taba on the processor, libtorch of ${TABA_TORCH:-its build}"
    echo "the reference: $(torch_folder | grep . || echo "no torch in $python")"
    torch=
    [ -z "$(torch_folder)" ] || torch=--torch
    exec "$python" "$here/reference/session.py" --dry --out "$out" --taba "$taba" --fixtures "$dir/fixtures" --models "$dir/models" \
      --configs "$dir/configs" $torch "$@"
    ;;
  *)
    sed -n '2,6s/^# //p' "${BASH_SOURCE[0]}"
    exit 2
    ;;
esac
