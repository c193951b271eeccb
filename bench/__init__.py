"""The measured work: every line asks the product and the smallest program that could do the same (the floor).

`python -m bench` from the project's folder; docs/performance.md says what is measured and what came out.
"""
