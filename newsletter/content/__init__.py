"""What is written becomes a compiled mail: source, layout, markup, links, plain text, faults."""
