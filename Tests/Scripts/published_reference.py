"""Prints the fixtures of Tests/ScoreModelsTests/Published*Fixture.swift: what diffusers' UNet2DModel gives.

Weights are a formula, so that the test makes the same files: entry j of tensor i, in the order of names, is
0.4 sin(1 + 0.7 j + 1.3 i) for matrices and filters, and 1 + 0.3 sin(...) or 0.3 sin(...) for the weights of norms and for
biases. The sample's entry j, channels last, is sin(0.3 j). All are rounded to float32.

    venv/bin/pip install torch==2.13.0 diffusers==0.42.1
    venv/bin/python Tests/Scripts/published_reference.py
"""

import math

import numpy as np
import torch
from diffusers import UNet2DModel

PLAIN = dict(
    sample_size=(4, 8), in_channels=1, out_channels=1, layers_per_block=1, block_out_channels=(4, 8),
    down_block_types=("DownBlock2D", "AttnDownBlock2D"), up_block_types=("AttnUpBlock2D", "UpBlock2D"),
    norm_num_groups=2, norm_eps=1e-6, downsample_padding=0, flip_sin_to_cos=False, freq_shift=1,
    attention_head_dim=None)  # fmt: skip
SKIPPING = dict(
    sample_size=(8, 4), in_channels=3, out_channels=3, layers_per_block=1, block_out_channels=(32, 128, 32),
    down_block_types=("SkipDownBlock2D", "AttnSkipDownBlock2D", "SkipDownBlock2D"),
    up_block_types=("SkipUpBlock2D", "AttnSkipUpBlock2D", "SkipUpBlock2D"), norm_num_groups=None, norm_eps=1e-6,
    mid_block_scale_factor=math.sqrt(2), time_embedding_type="fourier", attention_head_dim=None)  # fmt: skip
CASES = {
    "plain": PLAIN,
    "classes": PLAIN | dict(num_class_embeds=3),
    "variances": PLAIN | dict(out_channels=2),
    "skipping": SKIPPING,
    "centred": SKIPPING | dict(center_input_sample=True),
    "other": dict(
        sample_size=4, in_channels=2, out_channels=2, layers_per_block=2, block_out_channels=(8, 4),
        down_block_types=("AttnDownBlock2D", "DownBlock2D"), up_block_types=("UpBlock2D", "AttnUpBlock2D"),
        norm_num_groups=4, attention_head_dim=2, add_attention=False),
}  # fmt: skip
STEPS = [0, 7, 999]
SIGMAS = [0.01, 1.5, 50.0]
CLASSES = [2, 0, 1]


def fill(model):
    with torch.no_grad():
        for i, (name, tensor) in enumerate(sorted(model.named_parameters())):
            j = np.arange(tensor.numel(), dtype=np.float64)
            wave = np.sin(1 + 0.7 * j + 1.3 * i)
            is_norm = tensor.ndim == 1 and name.endswith("weight")
            values = 1 + 0.3 * wave if is_norm else (0.3 if tensor.ndim == 1 else 0.4) * wave
            tensor.copy_(torch.tensor(values.reshape(tensor.shape), dtype=torch.float32))


for case, options in CASES.items():
    model = UNet2DModel(**options).eval()
    fill(model)
    side = options["sample_size"]
    height, width = side if isinstance(side, tuple) else (side, side)
    channels = options["in_channels"]
    count = height * width * channels
    x = np.sin(0.3 * np.arange(count)).reshape(1, height, width, channels)
    x = torch.tensor(np.repeat(x, len(STEPS), 0), dtype=torch.float32).permute(0, 3, 1, 2)
    model64 = model.double()
    isVE = options.get("time_embedding_type") == "fourier"
    times = torch.tensor(SIGMAS, dtype=torch.float64) if isVE else torch.tensor(STEPS)
    classes = torch.tensor(CLASSES) if "num_class_embeds" in options else None
    with torch.no_grad():
        y = model64(x.double(), times, classes).sample[:, :channels]
        y = y.permute(0, 2, 3, 1).reshape(len(STEPS), -1).numpy()
    print(f"// {case}: names and shapes")
    for name, tensor in sorted(model.named_parameters()):
        print(f"    {name} {','.join(map(str, tensor.shape))}")
    print(f"// {case}: the first five and the last of the results at each of {times.tolist()}")
    for row in y:
        print("    [" + ", ".join(f"{v:.7f}" for v in [*row[:5], row[-1]]) + "],")
    assert math.isfinite(float(y.sum()))
