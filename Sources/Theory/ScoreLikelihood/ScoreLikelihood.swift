// Log densities by the probability-flow ODE, with their errors.
