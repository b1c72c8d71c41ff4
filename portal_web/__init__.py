"""People's pages: server-rendered, composed above the tracker."""
