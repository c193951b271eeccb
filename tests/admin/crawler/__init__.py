"""The permission crawler: every address of the desk × who asks × whose record × GET and POST, against a verdict."""
