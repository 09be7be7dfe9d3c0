"""What goes out: senders, templates, mailings, letters, and the line from compose to send."""
