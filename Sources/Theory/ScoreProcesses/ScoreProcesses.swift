// SDEs, score fields and exact oracles on plain tensors.
