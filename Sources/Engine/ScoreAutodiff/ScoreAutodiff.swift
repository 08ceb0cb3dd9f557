// Formulas over tensors: trace, differentiate, compile, run.
