"""The smallest Django project that could do the same work: one view each, plain SQL, no middleware."""
