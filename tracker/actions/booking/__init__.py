"""From a wish to a promise: which times can be offered, who is sent, and promised time taken, moved and given back."""
