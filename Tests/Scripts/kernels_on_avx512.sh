#!/usr/bin/env bash
# Runs the kernels' check on an emulated processor with AVX-512, on a machine that has none: the emulator starts Linux, whose
# only program is the check. Takes some minutes. Bfloat16's instruction is not emulated, so that target stays out.
# Needs clang and, from Debian: apt-get install bochs bochs-term vgabios bochsbios isolinux syslinux-common xorriso cpio busybox-static
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
kernels=$here/../../Sources/Engine/CScoreKernels
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

package=$(apt-cache depends linux-image-cloud-amd64 | awk '/Depends: linux-image/ { print $2 }')
apt-get -qq download "$package"
dpkg-deb --extract "$package"_*.deb linux

mkdir -p root/bin disk/isolinux
# The emulator refuses gathers and scatters with indices in the upper sixteen registers, so the compiler makes none here.
clang -std=c17 -O2 -Wall -mno-gather -mno-scatter -static -I"$kernels/include" "$kernels"/*.c "$kernels"/targets/*.c "$here"/kernels_check.c -lm \
  -o root/bin/check
cp /bin/busybox root/bin/busybox
cat > root/init << 'END'
#!/bin/busybox sh
/bin/check
/bin/busybox echo "check ended with status $?"
/bin/busybox sleep 1
/bin/busybox poweroff -f
END
chmod +x root/init
(cd root && find . | cpio --quiet -o -H newc | gzip -1 > ../disk/isolinux/root.gz)
cp linux/boot/vmlinuz-* disk/isolinux/linux
cp /usr/lib/ISOLINUX/isolinux.bin /usr/lib/syslinux/modules/bios/ldlinux.c32 disk/isolinux/
# The emulator's sizes for the compacted form of a processor's state are not those that Linux computes.
cat > disk/isolinux/isolinux.cfg << 'END'
default check
prompt 0
label check
  kernel linux
  append initrd=root.gz console=ttyS0 quiet clearcpuid=xsaves,xsavec nopku tsc=reliable mitigations=off random.trust_cpu=on
END
xorriso -as mkisofs -quiet -o disk.iso -b isolinux/isolinux.bin -c isolinux/boot.cat -no-emul-boot -boot-load-size 4 \
  -boot-info-table disk 2> /dev/null

cat > machine << END
plugin_ctrl: unmapped=1, biosdev=1, speaker=0
config_interface: textconfig
display_library: rfb, options="timeout=0"
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest
memory: guest=512, host=512
cpu: model=corei7_skylake_x, ips=200000000
ata0-master: type=cdrom, path=disk.iso, status=inserted
boot: cdrom
com1: enabled=1, mode=file, dev=serial
log: log
panic: action=fatal
END
echo continue > commands
timeout 1800 bochs -q -f machine -rc commands < /dev/null > /dev/null 2>&1 || true  # it ends with 1 when Linux switches it off
grep -a -E '^(generic|avx|check)' serial
grep -a -q '^avx512' serial && grep -a -q '^check ended with status 0' serial
