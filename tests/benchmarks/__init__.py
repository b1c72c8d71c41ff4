"""The promises in figures: each a ratio to a bare floor measured in the same run (`make bench`)."""
