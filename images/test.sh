#!/usr/bin/env bash
# images/test.sh [PUBLISHED]: builds the image of the client without any registry and runs the demo in it, as uid 1654, with a root file
# system that cannot be written and no network. As root, with buildah. PUBLISHED is what images/publish.sh made; left out, it is made here.
# A good minute, half of one with PUBLISHED. Needs 3 GB below TMPDIR while it runs, and removes them. Last line: "images: passed ..." or "images: FAILED ...".
set -eu -o pipefail
source=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
started=$SECONDS
work=$(mktemp -d)
storage=(--storage-driver vfs --root "$work/storage" --runroot "$work/run")
step=start

finish() {
  local status=$?
  set +e
  [ "$status" = 0 ] || { tail -n 40 "$work"/*.log >&2; echo "images: FAILED at: $step"; }
  [ -z "${container:-}" ] || buildah "${storage[@]}" umount "$container" >/dev/null 2>&1
  rm -rf "$work"
}
trap finish EXIT

step="tools (root, buildah, jq)"
[ "$(id -u)" = 0 ]
for tool in buildah jq; do
  command -v "$tool" >/dev/null || apt-get install -y -qq --no-install-recommends "$tool" >"$work/apt.log" 2>&1 \
    || { apt-get update -qq && apt-get install -y -qq --no-install-recommends "$tool"; } >"$work/apt.log" 2>&1
done

step="base image"
"$source/images/build-base.sh" taba-base:1 "${storage[@]}" >"$work/base.log" 2>&1

step="publish"
mkdir "$work/context"
if [ -n "${1:-}" ]; then
  ln -s "$(cd "$1" && pwd)" "$work/published"
else
  "$source/images/publish.sh" taba "$work/published" >"$work/publish.log" 2>&1
fi
# Hard links where the file system allows: a copy of libtorch is half a gigabyte.
cp -rlL "$work/published/." "$work/context/published" 2>/dev/null || cp -rL "$work/published/." "$work/context/published"
cp -r "$source/configs" "$work/context/configs"

step="image"
buildah "${storage[@]}" bud --isolation chroot --target taba --build-arg RUNTIME_BASE=localhost/taba-base:1 \
  --build-arg PRELOAD=libjemalloc.so.2 -f "$source/images/Dockerfile.published" -t taba:test "$work/context" >"$work/build.log" 2>&1
container=$(buildah "${storage[@]}" from --pull-never taba:test)
root=$(buildah "${storage[@]}" mount "$container")
export root work
size=$(du -sm "$root" | cut -f1)

step="what the image says of itself"
buildah "${storage[@]}" inspect --type image taba:test | jq .OCIv1.config >"$work/config.json"
jq -e '.User == "1654:1654" and .WorkingDir == "/data" and .Entrypoint == ["/app/taba"]' "$work/config.json" >/dev/null

# A namespace of mounts of its own: the image read-only, and what a deployment mounts. No network but what a new namespace has: none.
mkdir "$work/results"
chown 1654:1654 "$work/results"
cat >"$work/inside.sh" <<'INSIDE'
set -eu
mount --bind "$root" "$root"
mount -o remount,bind,ro "$root"
mount -t tmpfs -o mode=1777,nosuid,nodev,size=512m tmpfs "$root/tmp"
mount -t tmpfs -o uid=1654,gid=1654,mode=700,nosuid,nodev,size=64m tmpfs "$root/var/lib/taba"
mount --bind "$work/results" "$root/data/out"
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=755,size=1m tmpfs "$root/dev"
for device in null zero urandom random; do
  touch "$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
done
# Even root cannot write there: it is the file system that refuses, not the rights of a file.
for place in / /app /data /etc; do
  if touch "$root$place/probe" 2>"$work/probe.txt" || ! grep -q 'Read-only file system' "$work/probe.txt"; then
    echo "written: $place" >&2
    exit 1
  fi
done
mapfile -t environment < <(jq -r '.Env[]' "$work/config.json")
mapfile -t entry < <(jq -r '.Entrypoint[]' "$work/config.json")
# The program gets the variables of the image and no others, no group, no capability.
exec env -i "${environment[@]}" unshare --root="$root" --wd=/data --setgid=1654 --setuid=1654 "${entry[@]}" "$@"
INSIDE

# To be called in a subshell, which becomes the program.
inside() { exec unshare --mount --net --ipc --propagation private bash "$work/inside.sh" "$@"; }

step="taba --version"
(inside --version) >"$work/version.log" 2>&1

step="the demo, 8 samples"
demo=$SECONDS
inside run configs/demo.yaml samples=8 --out /data/out >"$work/demo.log" 2>&1 &
program=$!
peak=0 user="" preloaded=no
while kill -0 "$program" 2>/dev/null; do
  # Once libtorch is there it is the program, and no longer the shell that mounts.
  if grep -q libtorch_cpu "/proc/$program/maps" 2>/dev/null; then
    user=$(awk '/^Uid:/ { print $2 }' "/proc/$program/status" 2>/dev/null || true)
    now=$(awk '/^VmHWM:/ { print int($2 / 1024) }' "/proc/$program/status" 2>/dev/null || true)
    [ "${now:-0}" -le "$peak" ] || peak=$now
    ! grep -q libjemalloc "/proc/$program/maps" 2>/dev/null || preloaded=yes
    [ "${user:-1654}" = 1654 ] || { echo "the program ran as $user" >>"$work/demo.log"; exit 1; }
  fi
  sleep 0.2
done
wait "$program"
demo=$((SECONDS - demo))

step="what the demo left"
[ "$preloaded" = yes ]
report=$(find "$work/results" -name report.html -size +1k | head -n 1)
[ -n "$report" ]
metrics=0
while IFS= read -r -d '' file; do
  jq -e . "$file" >/dev/null
  [ "$(stat -c %u "$file")" = 1654 ]
  metrics=$((metrics + 1))
done < <(find "$work/results" -name metrics.json -print0)
[ "$metrics" -gt 0 ]

step="storage"
buildah "${storage[@]}" umount "$container" >/dev/null
container=""
echo "images: passed: image of $size MiB, demo in $demo s as uid 1654 on a read-only root, peak $peak MiB, $metrics metrics.json; $((SECONDS - started)) s in all"
