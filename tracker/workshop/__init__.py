"""How the facts that ship with the project were made: tables learned from trips, the demo's extract. No part of the service."""
