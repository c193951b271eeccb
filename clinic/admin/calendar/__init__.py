"""The calendar: a page, the data it draws, and what dragging does. Booking and single visits are the appointment's own
screen, shown in a panel."""
