"""The desk's front page: cards with figures, by role. `cards.CARDS` lists them; CONTRIBUTING says how to add one."""
