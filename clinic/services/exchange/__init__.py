"""What comes from other systems: parsers are pure, intake.py writes."""
