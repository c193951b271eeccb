"""The page of today: the waiting room and everything that reception does with it. `urls` is where it begins."""
