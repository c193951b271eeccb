"""The desk: screens only. `screens` registers them; importing this package alone registers nothing."""
