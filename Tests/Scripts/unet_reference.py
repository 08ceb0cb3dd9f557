"""The numbers of Tests/ScoreNetworksTests/UNetReference.swift: the peers' PyTorch U-Net at a small size, in double precision.

    python unet_reference.py > ../ScoreNetworksTests/UNetReference.swift

Parameter number k, in the order of the Swift network, has the entry deviation * sin(1.3 k + 0.71 j) at place j of its row-major
layout (filters as [rows, columns, inputs, outputs]); scales of normalisations are 1 more. The loss is half the sum of squares.
"""
import math
import pathlib
import sys

import torch

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "Peers"))
import peers

torch.set_default_dtype(torch.float64)
peers.CH, peers.TE = 8, 32
SIDE, IMAGES = 8, 2


def names():
    def block(ours, theirs, skip):
        parts = [("norm1", "n1"), ("conv1", "c1"), ("embedding", "t"), ("norm2", "n2"), ("conv2", "c2")] + [("skip", "skip")] * skip
        return [(f"{ours}.{a}", f"{theirs}.{b}") for a, b in parts]

    layers = [("input", "inp"), ("embedding.0", "e1"), ("embedding.1", "e2")]
    layers += block("down.0.0", "d1", False) + block("down.1.0", "d2", True) + block("down.2.0", "d3", False)
    layers += block("middle", "m", False)
    layers += block("up.2.0", "u3", True) + block("up.1.0", "u2", True) + block("up.0.0", "u1", True)
    layers += [("norm", "no"), ("output", "out")]
    return [(f"{a}.{kind}", f"{b}.{kind}") for a, b in layers for kind in ("weight", "bias")]


def wave(k, count, deviation):
    return deviation * torch.sin(1.3 * k + 0.71 * torch.arange(count))


def main():
    net = peers.torch_unet(torch)
    state = dict(net.named_parameters())
    assert set(state) == {theirs for _, theirs in names()}
    net.w.data = 0.3 * torch.arange(1, peers.TE // 2 + 1)
    for k, (ours, theirs) in enumerate(names()):
        p = state[theirs]
        if p.dim() == 4:
            o, i, h, w = p.shape
            p.data = wave(k, p.numel(), 1 / math.sqrt(h * w * i)).reshape(h, w, i, o).permute(3, 2, 0, 1).contiguous()
        elif p.dim() == 2:
            p.data = wave(k, p.numel(), 1 / math.sqrt(p.shape[1])).reshape(p.shape)
        else:
            isScale = "norm" in ours and ours.endswith("weight")
            p.data = wave(k, p.numel(), 0.2) + isScale
    x = wave(100, IMAGES * SIDE * SIDE, 1.0).reshape(IMAGES, SIDE, SIDE, 1).permute(0, 3, 1, 2).contiguous().requires_grad_(True)
    t = torch.tensor([0.2, 0.7])
    y = net(x, t)
    (0.5 * (y**2).sum()).backward()
    print("/// Numbers of the peers' PyTorch network, made by `Tests/Scripts/unet_reference.py`.")
    print("enum UNetReference {")
    def array(name, what, values):
        print(f"  /// {what}.\n  static let {name}: [Double] = [")
        for v in values:
            print(f"    {v:.12g},")
        print("  ]")
    flat = lambda a: a.permute(0, 2, 3, 1).reshape(-1)
    array("output", "Every sixteenth entry of the result", flat(y)[::16].tolist())
    array("inputGradient", "Every sixteenth entry of the input's gradient", flat(x.grad)[::16].tolist())
    slopes = []
    for ours, theirs in names():
        g = state[theirs].grad
        g = g.permute(2, 3, 1, 0) if g.dim() == 4 else g
        slopes.append((g.reshape(-1) * torch.cos(0.37 * torch.arange(g.numel()))).sum().item())
    array("slopes", "The product of each parameter's gradient with cos(0.37 j)", slopes)
    print("}")


main()
