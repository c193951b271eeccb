"""The demo clinic: invented people in a real town. Pure but for loading.py and filling.py, and the same for a seed and
a day."""

from clinic.services.demo.loading import PASSWORD, SIGN_INS, is_demo, is_empty, load

__all__ = ["PASSWORD", "SIGN_INS", "is_demo", "is_empty", "load"]
