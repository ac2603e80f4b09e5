#!/usr/bin/env bash
# images/build-base.sh NAME [BUILDAH OPTION...]: a base image out of packages of this machine's distribution (Debian 12 or Ubuntu 22.04 or
# newer), for where no registry can be reached. No shell, no package manager. As root, with buildah. Options go before its every command.
#
#   images/build-base.sh taba-base:1 --storage-driver vfs
set -eu -o pipefail
name=${1:?a name for the image, such as taba-base:1}
shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/packages" "$work/root"
cd "$work/packages"

# What .NET and libtorch load: libtorch brings a libgomp of its own; zlib is for cuDNN. What the packages need is in the list.
openssl=libssl3
apt-cache show libssl3t64 >/dev/null 2>&1 && openssl=libssl3t64
packages=(base-files libc6 libgcc-s1 libstdc++6 "$openssl" zlib1g libjemalloc2 ca-certificates)
apt-get download -qq "${packages[@]}" 2>"$work/log" || { apt-get update -qq && apt-get download -qq "${packages[@]}"; } \
  || { cat "$work/log" >&2; exit 3; }

root=$work/root
# One /usr, as the distributions have: packages of before and after that move unpack into the same places.
mkdir -p "$root"/usr/{bin,lib,lib64,sbin}
for folder in bin lib lib64 sbin; do
  ln -s "usr/$folder" "$root/$folder"
done
mkdir "$work/status"
for package in *.deb; do
  dpkg-deb --fsys-tarfile "$package" | tar -x --keep-directory-symlink -C "$root"
  # What is inside, for scanners of vulnerabilities.
  { dpkg-deb --field "$package" | sed '/^Package:/a Status: install ok installed'; echo; } >>"$work/status/all"
done
mkdir -p "$root/var/lib/dpkg"
cp "$work/status/all" "$root/var/lib/dpkg/status"

# What the package's script would make.
mkdir -p "$root/etc/ssl/certs"
find "$root/usr/share/ca-certificates" -name '*.crt' -print0 | sort -z | xargs -0 cat >"$root/etc/ssl/certs/ca-certificates.crt"

# Nothing of this is used: no program but ours is started here. Licences stay.
find "$root/usr/share/doc" ! -type d ! -name copyright -delete
rm -rf "$root"/usr/share/{man,info,lintian,locale,ca-certificates,gdb,bug} "$root"/usr/bin/* "$root"/usr/sbin/* \
  "$root"/usr/lib/x86_64-linux-gnu/{gconv,perl} "$root"/etc/{cron*,update-motd.d,profile*,skel}
printf 'root:x:0:0:root:/root:/usr/sbin/nologin\napp:x:1654:1654:app:/var/lib/taba:/usr/sbin/nologin\n' >"$root/etc/passwd"
printf 'root:x:0:\napp:x:1654:\n' >"$root/etc/group"
echo 'hosts: files dns' >"$root/etc/nsswitch.conf"
mkdir -p "$root"/{proc,sys,dev,tmp,data/out,var/lib/taba}
chmod 1777 "$root/tmp"
chown -R 1654:1654 "$root/var/lib/taba" "$root/data/out"

container=$(buildah "$@" from scratch)
buildah "$@" add -q "$container" "$root" / >/dev/null
buildah "$@" config --env LANG=C.UTF-8 "$container"
buildah "$@" commit -q --rm "$container" "$name" >/dev/null
echo "$name: $(du -sm "$root" | cut -f1) MiB of ${#packages[@]} packages"
