"""What a reader is shown that wants thought: computed from many rows, within what the reader may see. Never writes."""
