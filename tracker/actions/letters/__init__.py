"""Letters: written with their cause, composed and posted afterwards, and the log of them."""
