// Layers and networks as formulas; parameters by name.
