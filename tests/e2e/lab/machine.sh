# Sourced by `hosts`: hosts that are virtual machines, with a kernel, a clock and swap of their own. Software emulation, so
# slow: 40 s to boot. Uses `on` and the settings of `hosts`.
# shellcheck shell=bash disable=SC2154

make_kernel() { # make_kernel OUT: Debian's kernel for virtual machines: its initrd.img, and its package's files
  mmdebstrap -q --variant=minbase --include=linux-image-cloud-amd64,initramfs-tools,zstd bookworm "$1/kernel.tar" "$(machine_debian_sources)"
  tar -C "$1" -xf "$1/kernel.tar" --wildcards './boot/*' './usr/lib/modules/*'
  mv "$1"/boot/initrd.img-* "$1/initrd.img"
  rm -rf "$1/kernel.tar" "$1"/boot/System.map-*
  say "kernel for virtual machines ready"
}

machine_kernel() { # the directory of the cache entry
  need qemu-system-x86_64=qemu-system-x86 mke2fs=e2fsprogs mkswap=util-linux
  cached "lab-kernel-$(cache_key "$(declare -f make_kernel)")" make_kernel
}

make_suite() { # make_suite OUT SUITE: rootfs.tar of a small Debian of another release, with containerd
  local mirror
  mirror=$(sed -n -e 's/^URIs: *\([^ ]*\).*/\1/p' -e 's/^deb \(\[[^]]*\] \)\?\([^ ]*\) bookworm .*/\2/p' "$(machine_debian_sources)" | head -n1)
  # What a mirror has of unstable may be older than its week of validity; for a laboratory that is no harm.
  mmdebstrap -q --variant=minbase --aptopt='Acquire::Check-Valid-Until "false"' "$2" "$1/rootfs.tar" "deb $mirror $2 main" \
    --include=systemd,systemd-sysv,dbus,openssh-server,iproute2,ca-certificates,procps,kmod,containerd,runc
  say "base file system of Debian $2 built"
}

suite_root() { # suite_root SUITE: the directory of the cache entry
  local suite=$1
  make_this_suite() { make_suite "$1" "$suite"; }
  cached "lab-base-$suite-$(cache_key "$(declare -f make_suite)")" make_this_suite
}

is_machine() { [ -f "$state/$1/disk.img" ]; } # is_machine HOST

# A filled file system becomes the disk of a virtual machine.
make_machine() { # make_machine HOST ROOT CLOCK: the clock's seconds ahead of the outer machine's
  local kernel
  kernel=$(machine_kernel)
  rm -rf "$2/lib/modules/"*
  cp -a "$kernel/usr/lib/modules/." "$2/lib/modules/"
  cp -a "$kernel/boot" "$2/"
  mkdir -p "$2/etc/systemd/network"
  printf '[Match]\nName=eth0\n[Network]\nAddress=%s/24\nAddress=%s/64\nGateway=%s\nGateway=%s\n' "${ADDRESS[$1]}" "$(address6 "$1")" "$GATEWAY" "$GATEWAY6" \
    >"$2/etc/systemd/network/eth0.network"
  chroot "$2" systemctl -q enable systemd-networkd
  echo "$3" >"$state/$1/clock"
  mke2fs -q -t ext4 -d "$2" "$state/$1/disk.img" 4G >/dev/null
}

start_machine() { # start_machine HOST: with a port of the lab's bridge
  local dir=$state/$1 kernel drives disk
  kernel=$(machine_kernel)
  ip -n $NETNS tuntap add "lab-$1" mode tap
  ip -n $NETNS link set "lab-$1" master $BRIDGE up
  drives=()
  for disk in "$dir"/disk.img "$dir"/swap.img; do
    [ ! -f "$disk" ] || drives+=(-drive "file=$disk,if=virtio,format=raw,cache=unsafe")
  done
  ip netns exec $NETNS setsid qemu-system-x86_64 -name "$1" -machine q35 -accel tcg,thread=multi -cpu max -smp 2 -m 3072 -nographic -no-reboot \
    -kernel "$kernel"/boot/vmlinuz-* -initrd "$kernel/initrd.img" -append 'root=/dev/vda rw console=ttyS0 net.ifnames=0 quiet' \
    "${drives[@]}" -netdev "tap,id=net,ifname=lab-$1,script=no,downscript=no" \
    -device "virtio-net-pci,netdev=net,mac=$(hardware_address "$1")" \
    -rtc "base=$(date -u -d "now + $(cat "$dir/clock") seconds" +%Y-%m-%dT%H:%M:%S)" </dev/null >>"$state/log/console-$1.log" 2>&1 &
  echo "$! $(process_start $!)" >"$dir/power.pid"
  disown
}
