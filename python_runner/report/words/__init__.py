"""What terminal, page, Markdown and pictures say alike, apart from how they draw it."""
