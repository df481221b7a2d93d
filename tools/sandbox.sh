#!/bin/sh
# Goes into a root of its own and gives up every right. `unshare` has made the namespaces before.
#
# sandbox.sh NEW_ROOT USER SOURCE TARGET [SOURCE TARGET ...] -- COMMAND ...
#
# NEW_ROOT is an empty folder. Each SOURCE, a folder or file, is seen as TARGET, and cannot be
# written; a SOURCE `-` hides TARGET under an empty folder. /tmp holds 16 MB. Nothing else is there.
set -eu
root=$1 user=$2
shift 2

mount --make-rprivate /
mount -t tmpfs -o size=1m,nr_inodes=2k,mode=755,nosuid,nodev sandbox "$root"
for name in dev proc tmp; do mkdir "$root/$name"; done

while [ "$1" != -- ]; do
    source=$1 target=$root$2
    shift 2
    if [ "$source" = - ]; then
        mount -t tmpfs -o size=4k,nr_inodes=2,mode=755,ro sandbox "$target"
    elif [ -d "$source" ]; then
        mkdir -p "$target"
        mount --bind "$source" "$target"
        mount -o remount,bind,ro,nosuid,nodev "$target"
    else
        mkdir -p "$(dirname "$target")"
        : > "$target"
        mount --bind "$source" "$target"
        mount -o remount,bind,ro,nosuid "$target"
    fi
done

mount -t tmpfs -o size=16m,nr_inodes=1k,mode=1777,nosuid,nodev sandbox "$root/tmp"
for name in null zero urandom random; do
    : > "$root/dev/$name"
    mount --bind "/dev/$name" "$root/dev/$name"
done
# Some containers allow no /proc of one's own: then there is none.
mount -t proc -o nosuid,nodev,noexec proc "$root/proc" 2> /dev/null || true

cd "$root"
mkdir before
pivot_root . before
umount -l /before
rmdir /before
mount -o remount,ro,nosuid,nodev /
cd /tmp

shift
if [ "$user" = keep ]; then
    exec setpriv --no-new-privs --bounding-set=-all --inh-caps=-all "$@"
fi
exec setpriv --reuid="$user" --regid="$user" --clear-groups \
    --no-new-privs --bounding-set=-all --inh-caps=-all "$@"
