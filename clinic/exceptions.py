"""The one refusal that people see. Nothing else lives here, and this module imports nothing."""


class RuleBroken(Exception):  # noqa: N818  (a refusal is no error)
    """A rule of the clinic refuses what was asked.

    `code` is stable and machine-readable, `message` a translated sentence for the person who asked,
    `field` the form field it belongs beside (empty: the whole form). `acceptable` is true when somebody with
    the permission of that code may go on with a reason; `alternatives` are times offered instead.
    """

    def __init__(self, code, message, *, acceptable=False, field="", alternatives=()):
        super().__init__(message)
        self.code = code
        self.message = message
        self.acceptable = acceptable
        self.field = field
        self.alternatives = tuple(alternatives)

    def __str__(self):
        return str(self.message)
