"""What staff say can be booked, and who can come: service types, technicians, territories, closed days, account rules."""
