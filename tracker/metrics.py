"""What Prometheus may count: names and labels in one place; never a person, a place or a token in a label."""

from prometheus_client import Counter, Gauge, Histogram

REQUESTS = Counter("tracker_requests", "HTTP requests answered.", ["template", "method", "status"])
REQUEST_SECONDS = Histogram(
    "tracker_request_seconds", "Time to the end of an answer.", ["template"], buckets=(0.005, 0.02, 0.1, 0.5, 2, 10)
)
SOCKETS = Gauge("tracker_sockets", "WebSockets open now.", ["template"])
STEPS = Counter("tracker_steps", "Steps of appointments taken.", ["step"])
TURNS = Counter("tracker_turns", "Turns of background loops, by how they ended.", ["loop", "result"])
LAST_TURN = Gauge("tracker_last_turn_seconds", "When a background loop last ended a turn well (Unix time).", ["loop"])
LETTERS = Counter("tracker_letters", "Letters by what became of them.", ["kind", "result"])
LETTERS_WAITING = Gauge("tracker_letters_waiting", "Letters that are due and not sent.")
LETTERS_OLDEST = Gauge("tracker_letters_oldest_seconds", "How long the oldest of them has been due.")
LETTERS_FAILED = Gauge("tracker_letters_failed", "Letters that were given up: look at `tracker letters`.")
