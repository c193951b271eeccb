"""The command palette: patients, their coming visits and every page of the desk, a few letters away."""
