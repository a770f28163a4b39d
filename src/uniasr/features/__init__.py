"""From samples to the rows a network sees, and from rows to chunks. Plain numpy; a file is a stream in one step."""
