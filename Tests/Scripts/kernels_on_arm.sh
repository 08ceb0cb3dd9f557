#!/usr/bin/env bash
# Compiles the kernels for 64-bit Arm and runs their check under an emulator, on a machine that is no Arm; then the same here, and
# says whether NEON and this machine's instructions give the same bits.
# Needs clang and, from Debian: apt-get install qemu-user gcc-aarch64-linux-gnu libc6-dev-arm64-cross
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
kernels=$here/../../Sources/Engine/CScoreKernels
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
sources=("$kernels"/*.c "$kernels"/targets/*.c "$here"/kernels_check.c)
for source in "${sources[@]}"; do
  clang --target=aarch64-linux-gnu -std=c17 -O2 -Wall -I"$kernels/include" -c "$source" \
    -o "$work/$(basename "$source" .c).o"
done
aarch64-linux-gnu-gcc -static "$work"/*.o -lm -o "$work/check"
qemu-aarch64 "$work/check" | tee "$work/arm"
rm "$work"/*.o
clang -std=c17 -O2 -I"$kernels/include" "${sources[@]}" -lm -o "$work/check"
"$work/check" > "$work/here"
fused() { awk '$1 != "generic" && $1 == first || !first && $1 != "generic" { first = $1; $1 = ""; print }' "$1" | sed 's/.*bits//'; }
if diff <(fused "$work/arm") <(fused "$work/here") > /dev/null; then
  echo "NEON and this machine: the same bits"
else
  echo "NEON and this machine: OTHER BITS"
  exit 1
fi
