// Fields made from fields, solvers made from solvers.
