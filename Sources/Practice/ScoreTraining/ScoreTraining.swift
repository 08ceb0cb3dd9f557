// Denoising score matching, optimiser, trainer, checkpoints.
