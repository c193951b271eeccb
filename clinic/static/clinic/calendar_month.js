// The month: a table of days, each with its first visits and how many more there are. A day leads to its own picture.
(() => {
  const camerino = (window.camerino ??= {});
  const { make, icon } = camerino;
  const SHOWN = { month: 4, week: 24 };

  camerino.month = ({ root, setup, address, opened }) => {
    const { texts } = setup;
    const words = (options) => new Intl.DateTimeFormat(camerino.locale(setup.language), { timeZone: "UTC", ...options });
    const spoken = words({ dateStyle: "full" });
    const weekday = words({ weekday: "short" });

    const entry = (visit) => {
      const button = make(
        "button",
        `calendar-month-visit calendar-is-${visit.status}`,
        icon(setup.icons[visit.status]),
        make("span", "calendar-time", camerino.hour(visit.start)),
        make("span", "calendar-name", visit.name),
        make("span", "desk-hidden", `, ${setup.statuses[visit.status]}`),
      );
      button.type = "button";
      button.dataset.visit = visit.id;
      button.addEventListener("click", () => opened(visit, button));
      return button;
    };

    const cell = (day, of, found, view) => {
      const date = new Date(`${day}T00:00Z`);
      const visits = found.visits.get(day) || [];
      const count = found.totals.get(day) || visits.length;
      const head = make("a", "calendar-month-day", String(date.getUTCDate()));
      head.href = address(day);
      head.setAttribute("aria-label", `${spoken.format(date)}${count ? `, ${texts.visits.replace("%s", count)}` : ""}`);
      if (day === setup.today) head.setAttribute("aria-current", "date");
      const box = make("td", "", head);
      if (view === "month" && day.slice(0, 7) !== of) box.classList.add("calendar-month-other");
      if (found.closed.has(day)) {
        box.classList.add("calendar-month-closed");
        box.append(make("span", "calendar-shade-text", texts.closed));
      }
      const most = SHOWN[view];
      const shown = visits.length > most ? visits.slice(0, most - 1) : visits;
      box.append(...shown.map(entry));
      for (const busy of (found.busy.get(day) || []).slice(0, most - shown.length)) {
        box.append(make("span", "calendar-month-busy", `${busy} ${texts.busy}`));
      }
      if (count) {
        // On a phone there is room for nothing else.
        const number = make("span", "calendar-month-count", String(count));
        number.setAttribute("aria-hidden", "true");
        box.append(number);
      }
      if (count > shown.length) {
        const text = shown.length ? texts.more.replace("%s", count - shown.length) : texts.visits.replace("%s", count);
        const more = make("a", "desk-link calendar-month-more", text);
        more.href = address(day);
        box.append(more);
      }
      return box;
    };

    const draw = (data, state) => {
      const visits = Map.groupBy(data.visits, (visit) => visit.start.slice(0, 10));
      const busy = new Map();
      for (const [start] of data.busy || []) {
        const day = start.slice(0, 10);
        busy.set(day, [...(busy.get(day) || []), camerino.hour(start)]);
      }
      const found = { visits, busy, totals: new Map(data.totals || []), closed: new Set(data.closed) };
      const of = state.on.slice(0, 7);
      const [first, last] = data.days;
      const rows = [];
      for (let day = first; day <= last; day = camerino.plus(`${day}T00:00`, 1440).slice(0, 10)) {
        if (rows.length === 0 || rows.at(-1).childElementCount === 7) rows.push(make("tr", ""));
        rows.at(-1).append(cell(day, of, found, state.view));
      }
      const heads = [...rows[0].children].map((_cell, at) => {
        const head = make("th", "", weekday.format(new Date(`${camerino.plus(`${first}T00:00`, at * 1440)}Z`)));
        head.scope = "col";
        return head;
      });
      const caption = make("caption", "desk-hidden", words({ month: "long", year: "numeric" }).format(new Date(`${of}-01T00:00Z`)));
      root.replaceChildren(make("table", `calendar-month calendar-month-${state.view}`, caption, make("thead", "", make("tr", "", ...heads)), make("tbody", "", ...rows)));
      root.removeAttribute("aria-busy");
    };

    return { draw };
  };
})();
