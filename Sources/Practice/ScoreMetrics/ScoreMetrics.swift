// Each metric returns a value and its error.
