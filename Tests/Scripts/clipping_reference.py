"""Prints the fixture of Tests/ScoreGuidanceTests/ClippingReference.swift: the steps of diffusers' DDPMScheduler with clipping.

The network gives the same noise for every entry at every step, and steps add no noise. The chain has 10 steps, whose products
are taken in float64. The state's entry j at the start is 2.5 sin(1 + 1.7 j).

    venv/bin/pip install torch==2.13.0 diffusers==0.42.1
    venv/bin/python Tests/Scripts/clipping_reference.py
"""

import torch
from diffusers import DDPMScheduler
from diffusers.schedulers import scheduling_ddpm

STEPS = 10
NOISE = 0.25
CASES = {
    "clipped": dict(clip_sample=True),
    "clippedFurther": dict(clip_sample=True, clip_sample_range=1.5),
    "thresholded": dict(thresholding=True, dynamic_thresholding_ratio=0.8, sample_max_value=100.0),
    "limited": dict(thresholding=True, dynamic_thresholding_ratio=0.8, sample_max_value=1.5),
}

scheduling_ddpm.randn_tensor = lambda shape, dtype=None, **_: torch.zeros(shape, dtype=dtype)
for name, options in CASES.items():
    scheduler = DDPMScheduler(num_train_timesteps=STEPS, beta_start=0.05, beta_end=0.6, **options)
    betas = torch.linspace(0.05, 0.6, STEPS, dtype=torch.float64)
    scheduler.alphas_cumprod = torch.cumprod(1 - betas, 0)
    scheduler.one = torch.tensor(1.0, dtype=torch.float64)
    x = 2.5 * torch.sin(1 + 1.7 * torch.arange(8, dtype=torch.float64)).reshape(1, 2, 2, 2)
    print(f"  static let {name}: [[Double]] = [")
    for step in reversed(range(STEPS)):
        x = scheduler.step(torch.full_like(x, NOISE), step, x).prev_sample
        print("    [" + ", ".join(f"{v:.10f}" for v in x.flatten().tolist()) + "],")
    print("  ]")
