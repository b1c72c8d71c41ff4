"""People's pages, composed above the tracker: it hands its routes and its refusal page to `tracker.app.create_app`."""
