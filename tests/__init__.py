"""The suite mirrors the tree; tests/journeys tells whole stories."""
