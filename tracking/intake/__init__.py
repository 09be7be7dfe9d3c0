"""What readers' machines ask for: pixels and links, answered before Django, drained into events."""
