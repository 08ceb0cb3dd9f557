// A network with time embedding and preconditioning, seen as a score field.
