"""The roster: who works where this week or month, on the screen, on paper and as a spreadsheet."""
