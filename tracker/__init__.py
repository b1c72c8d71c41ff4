"""Real-time technician tracking: phones and people knock at the edges, actions decide, records keep, live shows."""
