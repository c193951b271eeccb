"""PostgreSQL as Django knows it, telling every transaction who acts."""
