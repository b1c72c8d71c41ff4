"""What the commands of `tracker` do; imported only when one is run, so that `--help` answers at once."""
