// Data sets, toy densities, readers.
