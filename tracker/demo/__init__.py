"""The demo: a city that lives on this machine alone, with sign-ins for every role and vans that really drive."""
