#!/usr/bin/env bash
# Compiles the kernels for 64-bit Arm and runs their check under an emulator, on a machine that is no Arm.
# Needs clang and, from Debian: apt-get install qemu-user gcc-aarch64-linux-gnu libc6-dev-arm64-cross
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
kernels=$here/../../Sources/Engine/CScoreKernels
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for source in "$kernels"/*.c "$kernels"/targets/generic.c "$kernels"/targets/neon.c "$here"/kernels_on_arm.c; do
  clang --target=aarch64-linux-gnu -std=c17 -O2 -Wall -I"$kernels/include" -c "$source" \
    -o "$work/$(basename "$source" .c).o"
done
aarch64-linux-gnu-gcc -static "$work"/*.o -lm -o "$work/check"
qemu-aarch64 "$work/check"
