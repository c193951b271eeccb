"""What each address of the desk asks for. An address without a line here fails the build: think, then write the line.

A page of a model reads `name -> verb` for GET and POST; the verdict follows from permissions.ROLES:
not signed in → to the sign-in; verb not granted → 403; record out of scope → 404; else the page.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Line:
    """The verb that GET and POST want, and whether the address names a record."""

    get: str
    post: str
    record: bool = True
    # Pages that only answer GET.
    read_only: bool = False
    # The model whose verb is asked for, where it is not the page's own.
    of: str = ""


# Pages that every model has.
PAGES = {
    "changelist": Line("view", "view", record=False),
    "add": Line("add", "add", record=False),
    "export": Line("export", "export", record=False),
    "import": Line("import", "import", record=False),
    "change": Line("view", "change"),
    "delete": Line("delete", "delete"),
    "history": Line("view", "view", read_only=True),
}


def does(verb):
    return Line(verb, verb)


ORDER = {"do_move_up": does("change"), "do_move_down": does("change")}
RETIRE = {"do_deactivate": does("change"), "do_reactivate": does("change")}

# Pages of single models.
OWN_PAGES = {
    "appointment": {
        # Free times for a half-filled form; a form may be long, so it is posted.
        "times": Line("book", "book", record=False),
        "calendar": Line("view", "view", record=False, read_only=True),
        "calendar_feed": Line("view", "view", record=False, read_only=True),
        "calendar_list": Line("view", "view", record=False, read_only=True),
        "calendar_print": Line("view", "view", record=False, read_only=True),
        # A table of the dashboard.
        "figures": Line("export", "export", record=False),
        # By address they lead to the form that does the same.
        "calendar_move": does("move"),
        "calendar_back": does("move"),
        "today": Line("view", "view", record=False, read_only=True),
        "today_board": Line("view", "view", record=False, read_only=True),
        "today_sheet": Line("view", "view", record=False, read_only=True),
        "do_approve": does("approve"),
        "do_decline": does("decline"),
        "do_check_in": does("check_in"),
        "do_start": does("start"),
        "do_complete": does("complete"),
        "do_confirm": does("confirm"),
        "do_move": does("move"),
        "do_mark_no_show": does("mark_no_show"),
        "do_undo": does("undo"),
        "do_take_back": does("undo"),
        "do_cancel": does("cancel"),
        "do_reopen": does("reopen"),
        "do_keep": does("outside_hours"),
        "rebooking": Line("view", "view", record=False, read_only=True),
        "rebooking_count": Line("view", "view", record=False, read_only=True),
    },
    "equipment": RETIRE,
    "location": {**RETIRE, "do_open_on": does("change")},
    "organization": {**RETIRE, "logo": Line("view", "view", read_only=True)},
    "patient": {**RETIRE, "do_record_death": does("change"), "do_undo_death": does("change")},
    "practitioner": {
        **RETIRE,
        # Whose hours somebody sees is a matter of hours, not of practitioners.
        "hours": Line("view", "view", of="workinghours"),
        "hours_copy": Line("change", "change", of="workinghours"),
        "my_hours": Line("view", "view", record=False, of="workinghours"),
        "roster": Line("view", "view", record=False, read_only=True, of="workinghours"),
        "roster_print": Line("view", "view", record=False, read_only=True, of="workinghours"),
        "roster_export": Line("export", "export", record=False, of="workinghours"),
    },
    "referringdoctor": RETIRE,
    "room": {**RETIRE, **ORDER},
    "service": {**RETIRE, **ORDER, "do_duplicate": does("add")},
    "servicecategory": ORDER,
    "user": {
        **RETIRE,
        "roles": Line("view", "view", record=False, read_only=True),
        "do_give_link": does("change"),
        "do_revoke_link": does("change"),
        "do_clear_factors": does("change"),
    },
}

# Where a model's page wants another verb than its name says: booking adds appointments.
EXCEPTIONS = {("appointment", "add"): Line("book", "book", record=False)}

# Addresses of the site itself: what they answer to a member of staff, whoever it is (GET, POST).
SITE = {
    "index": ({200, 302}, {200, 302, 405}),
    "search": ({200}, {405}),
    # Without an address, or with one that leads nowhere: refused.
    "favourites": ({405}, {403}),
    "login": ({"the sign-in"}, {"the sign-in"}),
    "logout": ({405}, {"the sign-in"}),
    "password_change": ({302}, {302}),
    "password_change_done": ({200}, {200, 405}),
    "autocomplete": ({403}, {403, 405}),
    "jsi18n": ({200}, {200, 405}),
    "app_list": ({302}, {302}),
}
# Without a session these answer as well: they say nothing.
OPEN = {"login", "jsi18n"}


def line_for(model, page):
    """The line of a model's page, or None: then the crawler fails."""
    return EXCEPTIONS.get((model, page)) or OWN_PAGES.get(model, {}).get(page) or PAGES.get(page)
