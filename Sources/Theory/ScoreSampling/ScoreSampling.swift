// Solvers, time grids and the one driver that runs them.
