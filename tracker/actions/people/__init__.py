"""Who is known here: customers and their contacts, invitations, sign-in, passwords, sessions, tokens."""
