"""What a reader sees: tables, curves, and a page that leads with what was found."""
