// The calendar's page: the address is its state; this reads it, fetches, draws, and answers clicks and drags.
(() => {
  const source = document.getElementById("calendar-setup");
  if (!source) return;
  const setup = JSON.parse(source.textContent);
  const { texts, urls } = setup;
  const camerino = window.camerino;
  const find = (id) => document.getElementById(id);
  const bar = find("calendar");
  const filters = find("calendar-filters");
  const note = find("calendar-note");
  const isList = bar.dataset.view === "list";

  // The address

  const asked = () => new URLSearchParams(window.location.search);
  const state = () => {
    const query = asked();
    return {
      view: setup.views.includes(query.get("view")) ? query.get("view") : "day",
      by: query.get("by") === "room" ? "room" : "practitioner",
      on: query.get("on") || setup.today,
    };
  };
  const without = (query) => {
    for (const [name, value] of [...query]) if (!value) query.delete(name);
    return query;
  };
  const changed = (changes) => {
    const query = asked();
    for (const [name, value] of Object.entries(changes)) query.set(name, value);
    return `${urls.page}?${without(query)}`;
  };
  const step = (direction) => {
    const { view, on } = state();
    const day = new Date(`${on}T00:00Z`);
    if (view === "month") day.setUTCMonth(day.getUTCMonth() + direction, 1);
    else day.setUTCDate(day.getUTCDate() + direction * (view === "week" ? 7 : 1));
    return day.toISOString().slice(0, 10);
  };

  const words = (options) => new Intl.DateTimeFormat(camerino.locale(setup.language), { timeZone: "UTC", ...options });
  const heading = ({ view, on }) => {
    const day = new Date(`${on}T00:00Z`);
    if (view === "month") return words({ month: "long", year: "numeric" }).format(day);
    if (view !== "week") return words({ dateStyle: "full" }).format(day);
    const first = new Date(day);
    first.setUTCDate(day.getUTCDate() - ((day.getUTCDay() + 6) % 7));
    const last = new Date(first);
    last.setUTCDate(first.getUTCDate() + 6);
    return words({ day: "numeric", month: "short", year: "numeric" }).formatRange(first, last);
  };

  const dressBar = () => {
    const now = state();
    bar.dataset.view = now.view;
    find("calendar-title").textContent = heading(now);
    for (const link of bar.querySelectorAll("[data-set]")) {
      const changes = JSON.parse(link.dataset.set);
      link.href = changed(changes);
      const [[name, value]] = Object.entries(changes);
      if (name in now && name !== "on") link.toggleAttribute("aria-current", now[name] === value);
      if (link.hasAttribute("aria-current")) link.setAttribute("aria-current", "true");
    }
    for (const link of bar.querySelectorAll("[data-step]")) link.href = changed({ on: step(Number(link.dataset.step)) });
    bar.querySelector("[data-print]").href = `${urls.print}?${without(asked())}`;
    const list = bar.querySelector(".desk-skip");
    if (list) list.href = changed({ view: "list" });
    filters.elements.view.value = now.view;
    filters.elements.by.value = now.by;
    filters.elements.on.value = now.on;
    count();
  };

  const count = () => {
    for (const mark of filters.querySelectorAll("[data-count]")) {
      const chosen = filters.querySelectorAll(`[name=${mark.dataset.count}]:checked`).length;
      mark.textContent = chosen ? String(chosen) : "";
      filters.querySelector(`[data-clear=${mark.dataset.count}]`).hidden = !chosen;
    }
  };

  const fromFilters = () => {
    const query = without(new URLSearchParams(new FormData(filters)));
    // Who sees the own calendar unless told otherwise has to say that it should be everybody's.
    if (setup.ownFirst && !query.has("practitioner")) query.set("practitioner", "all");
    return `${urls.page}?${query}`;
  };

  const toFilters = () => {
    const query = asked();
    for (const box of filters.querySelectorAll("[type=checkbox]")) {
      const chosen = query.getAll(box.name);
      const own = box.name === "practitioner" && setup.ownFirst && !chosen.length;
      box.checked = own ? box.value === String(setup.own) : chosen.includes(box.value);
    }
  };

  const go = (address, { replace = false } = {}) => {
    window.history[replace ? "replaceState" : "pushState"](null, "", address);
    arrive();
  };

  const arrive = () => {
    dressBar();
    grid?.unselect();
    find("calendar-grid")?.setAttribute("aria-busy", "true");
    feed.load();
  };

  // What is said

  const say = (name) => {
    if (name === "signedOut") {
      const link = camerino.make("a", "desk-link", texts.signIn);
      link.href = window.location.href;
      note.replaceChildren(texts.signedOut, " ", link);
    } else {
      note.textContent = name ? texts[name] || name : "";
    }
    note.hidden = !name;
  };

  // The picture

  const toast = camerino.toast(find("calendar-toast"), texts);

  const preset = ({ start, end, practitioner, room }) => {
    const query = new URLSearchParams();
    const chosen = filters.elements.location.value;
    if (chosen !== "all") query.set("location", chosen);
    const only = [...filters.querySelectorAll("[name=practitioner]:checked")];
    const who = practitioner || setup.own || (only.length === 1 ? only[0].value : "");
    if (who) query.set("practitioner", who);
    if (room) query.set("room", room);
    query.set("on", start ? start.slice(0, 10) : state().on);
    if (start?.length > 10) query.set("starts", camerino.hour(start));
    if (end) query.set("ends", camerino.hour(end));
    return `${urls.book}?${query}`;
  };

  const spoken = ({ start, end }) => {
    const until = end ? `–${camerino.hour(end)}` : "";
    return words({ weekday: "short", day: "numeric", month: "short" }).format(new Date(`${start}Z`)) + `, ${camerino.hour(start)}${until}`;
  };

  const book = (choice, from) => {
    const title = choice.start ? `${texts.bookFor} · ${spoken(choice)}` : texts.book;
    panel.open({ kind: "booking", fills: true, title, address: preset(choice), choice }, { from });
  };

  const open = (visit, from) => {
    const address = urls.visit.replace("/0/", `/${visit.id}/`);
    panel.open({ kind: "visit", title: visit.name, address, page: address }, { from });
  };

  const flash = (id) => {
    const mark = id && document.querySelector(`[data-visit="${CSS.escape(String(id))}"]`);
    const event = mark?.closest(".ec-event, .calendar-month-visit");
    if (!event) return;
    event.classList.add("calendar-flash");
    event.scrollIntoView({ block: "nearest", inline: "nearest" });
    setTimeout(() => event.classList.remove("calendar-flash"), 2500);
  };

  const dressBooking = (content, what) => {
    const { start, end } = what.choice || {};
    if (start || end) content.querySelector("[name=starts]")?.closest("details")?.setAttribute("open", "");
    const patient = content.querySelector("select[name=patient]");
    if (!patient || !setup.mayRegister) return;
    const button = camerino.make("button", "desk-alternative calendar-new", camerino.icon("person_add"), texts.newPatient);
    button.type = "button";
    button.addEventListener("click", () =>
      panel.open({ kind: "patient", fills: true, title: texts.registerPatient, address: urls.patient }, { over: true }));
    patient.parentElement.append(button);
  };

  const dressPatient = (content) => {
    // Name, birth and how to reach the patient are enough to book; the rest can wait, folded.
    for (const fieldset of [...content.querySelectorAll("fieldset.module")].slice(2)) {
      const heading = fieldset.querySelector("h2");
      if (!heading || fieldset.querySelector("details, .errorlist")) continue;
      const details = camerino.make("details", "calendar-fold", camerino.make("summary", "", heading.textContent.trim()));
      heading.remove();
      fieldset.before(details);
      details.append(fieldset);
    }
  };

  const dressVisit = (content) => {
    const here = window.location.pathname + window.location.search;
    for (const link of content.querySelectorAll("#record-actions a[href]")) {
      const address = new URL(link.href);
      address.searchParams.set("next", here);
      link.href = address;
    }
  };

  const panel = camerino.panel({
    panel: find("calendar-panel"),
    texts,
    ready: (content, what) => ({ booking: dressBooking, patient: dressPatient, visit: dressVisit })[what.kind]?.(content, what),
    closed: () => grid?.unselect(),
    done: async ({ kind, id, said, answer }, what, { close, under }) => {
      if (what.kind === "patient" && kind === "patient") {
        const name = ["family_name", "given_name"].map((field) => answer.querySelector(`[name=${field}]`)?.value || "").join(" ");
        const form = under();
        const select = form.querySelector("select[name=patient]");
        select.append(new Option(name.trim(), id, true, true));
        window.django.jQuery(select).trigger("change");
        select.dispatchEvent(new Event("change", { bubbles: true }));
        form.querySelector("[name=service]")?.parentElement.querySelector(".select2-selection")?.focus();
        return;
      }
      if (said) toast.show(said);
      if (what.kind === "visit") {
        await panel.open(what);
        feed.load();
        return;
      }
      close();
      await feed.load();
      flash(id);
    },
  });

  const lines = (visit) => {
    const until = camerino.hour(camerino.plus(visit.start, visit.minutes));
    const again = visit.again ? ` (${texts.again})` : "";
    return [
      ["", visit.name, "calendar-card-name"],
      ["schedule", `${camerino.hour(visit.start)}${again}–${until}`],
      [setup.icons[visit.status], setup.statuses[visit.status] + (visit.late ? ` (${texts.late})` : "")],
      ["medical_services", grid.service(visit)],
      ["person", grid.person(visit.practitioner)],
      ["meeting_room", [setup.locations[visit.location], grid.room(visit)].filter(Boolean).join(" · ")],
      ["call", visit.phone],
      ["layers", visit.overlap && `${texts.overlap}: ${visit.overlap}`],
      ["language", visit.online ? texts.online : ""],
      ["sticky_note_2", visit.note],
    ].filter(([, text]) => text);
  };

  let grid = null;
  const feed = camerino.feed({
    address: () => (isList ? urls.list : urls.feed) + window.location.search,
    read: (response) => (isList ? response.text() : response.json()),
    trouble: (name) => say(name),
    show: (found) => {
      if (isList) {
        const page = new DOMParser().parseFromString(found, "text/html");
        find("calendar-list").replaceChildren(...page.body.childNodes);
        return;
      }
      const visits = found.visits.map((row) => Object.fromEntries(found.fields.map((name, at) => [name, row[at]])));
      grid.draw({ ...found, visits }, state());
      const now = state();
      say(found.totals?.length ? "crowded" : now.view === "day" && !found.columns.length ? "nobody" : "");
    },
  });

  if (!isList) {
    const moves = camerino.moves({ setup, dialog: find("calendar-dialog"), toast, feed, settled: flash });
    grid = camerino.grid({
      root: find("calendar-grid"),
      setup,
      picking: (day) => changed({ view: "day", on: day }),
      picked: (day) => go(changed({ view: "day", on: day })),
      chosen: (choice) => book(choice, find("calendar-grid")),
      opened: open,
      dropped: moves.dropped,
      dragging: (busy) => {
        card.hide();
        if (busy) feed.hold();
        else feed.release();
      },
    });
  }
  const card = camerino.card({ root: bar, card: find("calendar-card"), find: (id) => grid?.find(id), tell: lines });

  // Clicks

  bar.addEventListener("click", (event) => {
    const link = event.target.closest("a");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    if (link.matches("[data-book]")) {
      event.preventDefault();
      book({}, link);
    } else if (link.matches("[data-visit-link]")) {
      event.preventDefault();
      open({ id: link.dataset.visitLink, name: link.textContent }, link);
    } else if (!isList && link.matches("[data-set], [data-step], .calendar-month a") && !link.href.includes("view=list")) {
      event.preventDefault();
      go(link.href);
    }
  });

  filters.addEventListener("change", (event) => {
    // Another location has other people and rooms to choose from; the list is the server's.
    if (isList || event.target.name === "location") window.location.assign(fromFilters());
    else go(fromFilters());
  });
  filters.addEventListener("submit", (event) => {
    event.preventDefault();
    window.location.assign(fromFilters());
  });
  filters.addEventListener("click", (event) => {
    const button = event.target.closest("[data-clear]");
    if (!button) return;
    filters.querySelectorAll(`[name=${button.dataset.clear}]`).forEach((box) => { box.checked = false; });
    button.dispatchEvent(new Event("change", { bubbles: true }));
  });
  document.addEventListener("click", (event) => {
    for (const open_ of filters.querySelectorAll("details[open]")) if (!open_.contains(event.target)) open_.open = false;
  });
  filters.addEventListener("keydown", (event) => {
    const details = event.target.closest("details[open]");
    if (event.key !== "Escape" || !details) return;
    event.preventDefault();
    details.open = false;
    details.querySelector("summary").focus();
  });
  window.addEventListener("popstate", () => {
    if (isList || state().view === "list") {
      window.location.reload();
      return;
    }
    toFilters();
    arrive();
  });

  dressBar();
  feed.load();
})();
