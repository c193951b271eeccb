"""The staff's door: signing in, second factors, sign-in by link, log-off. Screens behind it are the desk's."""
